/* SPDX-License-Identifier: GPL-2.0 */
/*
 * condition.h - what must be so, or a transaction over several groups is not done
 *
 * Conditions stand among the commands of a group's share, as commands whose names no client can
 * say. Their keys are locked with those of the share, and only then they are looked at: what holds
 * then, holds until the transaction is decided. Of what is written in the log:
 *
 *	"\0watch" VERSION KEY	the key is as it was when it was watched; VERSION: that of
 *				struct pxs_watch, 8 bytes, little endian
 *	"\0absent" KEY...	none of the keys is there
 */
#ifndef PXS_STORE_CONDITION_H
#define PXS_STORE_CONDITION_H

#include "command.h"
#include "entry.h"

#define PXS_CONDITION_WORDS	3u	/* of a watch */

/* The condition of that name, for its keys: it is not to be run. NULL: it is none. */
const struct pxs_command *pxs_condition_find(struct pxs_str name);

/* Has it the words that it needs? More than PXS_CONDITION_WORDS are not looked at. */
bool pxs_condition_good(u32 argc, const struct pxs_str *argv);

/* Does one that is good hold? */
bool pxs_condition_holds(struct pxs_db *db, u32 argc, const struct pxs_str *argv);

/* Its words in @argv, which point to @version and to the key. */
void pxs_condition_watch(const struct pxs_watch *watch, __le64 *version,
			 struct pxs_str argv[PXS_CONDITION_WORDS]);

/* The name of the other one: its keys follow. */
struct pxs_str pxs_condition_absent(void);

/* Is the key not as it was when it was watched? */
bool pxs_watch_changed(struct pxs_db *db, const struct pxs_watch *watch);

#endif /* PXS_STORE_CONDITION_H */
