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
 * HEAD, all that it said before has been heard. A member that does not answer keeps all marks
 * from going, however long.
 *
 * That is so of tables, and one that has said it may be lost at once: the next one of that member
 * begins with what others tell, and one of them that gets the mark later than that could have told
 * the older write. So when all have said it, all are to ask once more, with the same tables, behind
 * an answer that was made after that: then no table has the older write, nor will one that begins
 * later. Now the mark goes.
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
	u64 safe;		/* it has marks up to here, and nothing older comes of it */
	u64 round;		/* of the answer behind which it asked last */
	u64 noted;		/* its table when the round began */
};

/* Of all others. */
struct pxs_horizon {
	u64 at;			/* marks up to here may go */
	u64 next;		/* ... and up to here, when all have asked once more */
	u64 round;		/* answers that are made now are of it */
};

/* The others are not those of before, or may be: all say all of it anew. */
void pxs_confirm_reset(struct pxs_horizon *h, struct pxs_confirm *c, u32 n);

/* It says so, in a question behind an answer of @round. */
void pxs_confirm_asked(struct pxs_confirm *c, u64 table, u64 round, u64 cursor, u64 head);

/* Its stream is merged here up to @cursor. */
void pxs_confirm_merged(struct pxs_confirm *c, u64 table, u64 cursor);

/* What does it come to, of all @n others, where our stream ends at @head? Return: h->at. */
u64 pxs_confirm_horizon(struct pxs_horizon *h, struct pxs_confirm *c, u32 n, u64 head);

#endif /* PXS_STORE_CONFIRM_H */
