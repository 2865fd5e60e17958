/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cmd_saga.h - PAXSTEER SAGA: commands about sagas
 */
#ifndef PXS_STORE_CMD_SAGA_H
#define PXS_STORE_CMD_SAGA_H

#include "command.h"
#include "entry.h"

/* PAXSTEER SAGA WORD: a command of its own; NULL: there is none of this name. */
const struct pxs_command *pxs_saga_find(u32 argc, const struct pxs_str *argv);

/* An entry PXS_STORE_SAGA: the command that somebody gave. */
void pxs_saga_command(struct pxs_db *db, const struct pxs_store_entry *e, u32 argc,
		      const struct pxs_str *argv, struct pxs_reply *out);

/*
 * BEGIN of a saga one of whose steps would write more than an entry may (PXS_TX_WRITES_MAX), if all
 * strings that it does not bring are as long as they can be. Return: it is one, and it was said.
 */
bool pxs_saga_too_large(u32 argc, const struct pxs_str *argv, struct pxs_reply *out);

#endif /* PXS_STORE_CMD_SAGA_H */
