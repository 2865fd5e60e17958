/* SPDX-License-Identifier: GPL-2.0 */
/*
 * confirm.h - when may the mark of a deleted eventual key go?
 *
 * A mark (a dead element) keeps an older write of its key from coming back. It may go when no
 * such write can come any more. Each member numbers what it has stored, in the order in which
 * it did (its stream), and others ask for what is behind a number. Of another member, a question
 * says: "I have merged your stream up to CURSOR, on disk, and mine ended at HEAD then".
 *
 * So whoever asks has the mark if CURSOR is not below the mark's number, and nothing older. What
 * it told before it had the mark may be under way yet: but once its stream was merged here up to
 * HEAD, all that it said before has been heard. When that holds for every other member, the
 * mark goes here. A member that does not answer keeps all marks from going, however long.
 *
 * Pure: no I/O, no clock.
 */
#ifndef PXS_STORE_CONFIRM_H
#define PXS_STORE_CONFIRM_H

#include "platform.h"

/* Of one other member. Nothing of it is kept over a restart: it will say it again. */
struct pxs_confirm {
	u64 table;		/* of whom this is true; another one begins anew */
	u64 cursor;		/* it has all up to here */
	u64 head;		/* ... and its stream must be merged up to here */
	bool pending;		/* ... which is not known yet */
	u64 safe;		/* marks up to here may go, as far as it is concerned */
};

/* It says so. */
void pxs_confirm_asked(struct pxs_confirm *c, u64 table, u64 cursor, u64 head);

/* Its stream is merged here up to @cursor. */
void pxs_confirm_merged(struct pxs_confirm *c, u64 table, u64 cursor);

#endif /* PXS_STORE_CONFIRM_H */
