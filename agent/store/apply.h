/* SPDX-License-Identifier: GPL-2.0 */
/*
 * apply.h - one value of the log, applied to the store
 *
 * The one place where the store changes. The same function of state, value and slot on every
 * member, now and in every replay: no clock, no configuration, no chance.
 */
#ifndef PXS_STORE_APPLY_H
#define PXS_STORE_APPLY_H

#include "command.h"
#include "entry.h"

/* Expired keys that one entry takes with it at most; a barrier has nothing else to do. */
#define PXS_APPLY_REAP		16u
#define PXS_BARRIER_REAP	256u

/* Sessions that have ended, and that one entry takes with it. */
#define PXS_SESSION_REAP	2u
#define PXS_SAGA_REAP		1u	/* likewise, of sagas */

/*
 * Apply the value of @slot, the one after db->state.applied, within the write transaction at
 * hand. @out: the answer for who asked, quiet where nobody waits. @noop: the slot is empty.
 * Return: 0, or -errno: the transaction must be aborted; nothing was decided by that, try
 * again. -EPROTO: the entry is of a version that this program does not know.
 */
int pxs_apply(struct pxs_db *db, u64 slot, const void *value, u32 len, bool noop,
	      struct pxs_reply *out);

/* Run one command within the entry at hand. */
void pxs_apply_command(struct pxs_db *db, u32 argc, const struct pxs_str *argv,
		       struct pxs_reply *out);

/* Run one command on data that reads only, or has to do with no data, at the time @now. */
void pxs_apply_read(struct pxs_db *db, const struct pxs_command *cmd, u32 argc,
		    const struct pxs_str *argv, u64 now, struct pxs_reply *out);

#endif /* PXS_STORE_APPLY_H */
