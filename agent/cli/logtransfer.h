/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logtransfer.h - `paxsteer log transfer`: let another member lead
 */
#ifndef PXS_CLI_LOGTRANSFER_H
#define PXS_CLI_LOGTRANSFER_H

#include "cli.h"

/* @paths: sockets, NULL at the end. Return: an exit status. */
int logtransfer_run(struct cli *cli, char *const *paths, uint32_t group, uint8_t to,
		    uint32_t timeout_ms);

#endif /* PXS_CLI_LOGTRANSFER_H */
