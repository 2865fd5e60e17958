/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logtrim.h - `paxsteer log trim`: members forget what is wanted no more
 */
#ifndef PXS_CLI_LOGTRIM_H
#define PXS_CLI_LOGTRIM_H

#include "cli.h"

/* @paths: of sockets, NULL behind the last; each member is asked. Return: an exit status. */
int logtrim_run(struct cli *cli, char *const *paths, uint32_t group, uint64_t slot, bool force,
		uint32_t timeout_ms);

#endif /* PXS_CLI_LOGTRIM_H */
