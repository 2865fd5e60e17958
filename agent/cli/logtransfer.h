/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logtransfer.h - `paxsteer log transfer`: let another member lead
 */
#ifndef PXS_CLI_LOGTRANSFER_H
#define PXS_CLI_LOGTRANSFER_H

#include "cli.h"

/* @sockets: with commas between them. Return: an exit status. */
int logtransfer_run(struct cli *cli, const char *sockets, uint32_t group, uint8_t to,
		    uint32_t timeout_ms);

#endif /* PXS_CLI_LOGTRANSFER_H */
