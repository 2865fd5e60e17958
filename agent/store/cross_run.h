/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cross_run.h - transactions over several groups, applied: entries PXS_STORE_TX and those after it
 */
#ifndef PXS_STORE_CROSS_RUN_H
#define PXS_STORE_CROSS_RUN_H

#include "db_cross.h"
#include "entry.h"
#include "wanted.h"

#define PXS_CROSS_FORGET	256u	/* that one FORGET takes away at most: others follow */

/* One group's share of a TX: its commands as they stand in the entry. */
struct pxs_cross_part {
	u32 group;
	u32 ncommands;
	struct pxs_str commands;
};

/*
 * The shares of the commands of a TX, which were checked as those of any entry; @part holds
 * PXS_SHARDS_MAX. Return: how many, 0: they are none.
 */
u32 pxs_cross_parts(struct pxs_str commands, struct pxs_cross_part *part);

/* Has a transaction one of the keys of these commands? */
bool pxs_cross_locks_any(struct pxs_db *db, struct pxs_str commands);

/* ... or one that somebody wants who is to come before? They are wanted by this one, then. */
bool pxs_cross_waits(struct pxs_db *db, struct pxs_str commands, struct pxs_wanted *wanted);

/* Has one a key that this entry, a COMMAND or an EXEC, is about, or that it watches? */
bool pxs_cross_in_the_way(struct pxs_db *db, const struct pxs_store_entry *e,
			  struct pxs_entry_walk w);

/* "TRYAGAIN a key is in a transaction ...": nothing was executed. */
void pxs_cross_say_locked(struct pxs_reply *out);

/* Apply one. @out: of a TX that is refused why, of a COMMIT the answers one after the other. */
void pxs_cross_apply(struct pxs_db *db, const struct pxs_store_entry *e,
		     const struct pxs_entry_walk *w, struct pxs_reply *out);

#endif /* PXS_STORE_CROSS_RUN_H */
