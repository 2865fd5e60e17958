/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cross.h - a client's transaction over several groups (see docs/store-shards.md)
 *
 * MULTI/EXEC, MSET and what else can be parted (twophase.h) whose keys, or those that are watched
 * for it, are of several groups.
 */
#ifndef PXS_STORE_CROSS_H
#define PXS_STORE_CROSS_H

#include "twophase.h"

/* What is in the log and has no end here after so long: the answer is not waited for any more. */
#define PXS_CROSS_ANSWER_MS	10000u

struct pxs_request;
struct pxs_settled;
struct pxs_store;
struct pxs_fetched;

struct pxs_cross {
	bool exec;
	struct pxs_request *queued;	/* of EXEC, its commands, by next */
	u32 watches;			/* ... and what was watched */
	struct pxs_watch *watch;
	u64 bytes;			/* ... and of both, in the connection's taken_bytes */
	struct pxs_settled *settled;	/* its commands that depend, in their order */
	u64 slot;			/* of its TX; 0: not known */
	u64 deadline;			/* in loop time; 0: its TX is not applied here yet */
};

/* Begin with @r, whose r->store is the coordinator. It is under way, or done, afterwards. */
void pxs_cross_begin(struct pxs_request *r);

/* Its keys are free now, as far as is known here. */
void pxs_cross_go(struct pxs_request *r);

/* Its TX is in the log, and will be applied. */
void pxs_cross_decided(struct pxs_request *r);

/* Its TX was applied, and that is committed. */
void pxs_cross_applied(struct pxs_request *r);

/*
 * Its TX is in the log, and what it does will not be known here. The client is told so at the next
 * tick at which no part of it stands in another group's transaction of the database.
 */
void pxs_cross_unknown(struct pxs_request *r);

/* Who waits for what this entry does, in store @s; no longer among s->shares. */
struct pxs_request *pxs_cross_waiter(struct pxs_store *s, const struct pxs_fetched *v);

/* A part of one was applied, and that is committed. */
void pxs_cross_part_done(struct pxs_request *part);

/* Time has passed. */
void pxs_cross_tick(struct pxs_store *s);

void pxs_cross_free(struct pxs_request *r);	/* r->cross */

#endif /* PXS_STORE_CROSS_H */
