/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logindex.h - `paxsteer log read-index`: how far must one read, to see what is true now?
 */
#ifndef PXS_CLI_LOGINDEX_H
#define PXS_CLI_LOGINDEX_H

#include "cli.h"

/* @sockets: with commas between them. Return: an exit status. */
int logindex_run(struct cli *cli, const char *sockets, uint32_t group, uint32_t timeout_ms);

#endif /* PXS_CLI_LOGINDEX_H */
