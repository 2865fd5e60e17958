/* SPDX-License-Identifier: GPL-2.0 */
/*
 * checkpoint.h - the store as of one slot, made durable
 *
 * A copy of a read transaction (image.h), written by the stores' helper thread while the loop
 * applies on, to a file beside the current checkpoint. It takes that one's place when it is
 * durable, and when the journal's records of all slots in it are: a checkpoint is never ahead of
 * the journal beside it. So there is a whole one at any moment, once there was a first.
 *
 * Taken when a client asks (PAXSTEER CHECKPOINT, SAVE, BGSAVE), after so many entries, and after
 * so much time in which something was applied.
 */
#ifndef PXS_STORE_CHECKPOINT_H
#define PXS_STORE_CHECKPOINT_H

#include "../worker.h"
#include "db.h"

struct pxs_store;
struct pxs_request;

enum pxs_checkpoint_state {
	PXS_CHECKPOINT_IDLE,
	PXS_CHECKPOINT_WRITING,		/* the thread is at it */
	PXS_CHECKPOINT_WAITS,		/* written; the journal is behind */
	PXS_CHECKPOINT_PUBLISHING,	/* the thread puts it in its place */
};

struct pxs_checkpoint {
	enum pxs_checkpoint_state state;
	struct pxs_worker *worker;
	struct pxs_job write_job;
	struct pxs_job publish_job;
	struct pxs_db *db;
	MDB_txn *txn;		/* what is being copied; the thread ends it */
	bool stop;		/* atomic: give up */
	bool wanted;		/* by a client */
	u64 slot;		/* of the one that is being made */
	u64 made;
	u64 lsn;		/* of the journal, that it waits for */
	u64 began;		/* loop time */

	u64 done;		/* slot of the one that is in its place; 0: none */
	u64 done_made;		/* milliseconds of the epoch; 0: none */
	u64 last;		/* loop time of the last try's begin */
	u64 took;		/* ms that the last one took */
	u64 count;		/* taken by this process */
	int error;		/* -errno of the last try; 0: it went well */
	u64 retry;		/* not before then, after an error */
};

void pxs_checkpoint_init(struct pxs_store *s);

/* Once a round, between transactions: begin, go on, answer who waits. Return: did something. */
bool pxs_checkpoint_step(struct pxs_store *s);

/* Answer @r when what is applied now is in a durable checkpoint. */
void pxs_checkpoint_ask(struct pxs_store *s, struct pxs_request *r);

/* The map is in use by the thread: it must not be replaced. */
bool pxs_checkpoint_reads(const struct pxs_store *s);

/* Give up what is being written; it is tried again. */
void pxs_checkpoint_cancel(struct pxs_store *s);

/* After the thread has ended. */
void pxs_checkpoint_exit(struct pxs_store *s);

#endif /* PXS_STORE_CHECKPOINT_H */
