/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal_dump.h - `paxsteer journal dump`
 */
#ifndef PXS_CLI_JOURNAL_DUMP_H
#define PXS_CLI_JOURNAL_DUMP_H

#include "cli.h"

/* argv starts after the command. Return: an exit status. */
int journal_dump(struct cli *cli, int argc, char **argv);

#endif /* PXS_CLI_JOURNAL_DUMP_H */
