/* SPDX-License-Identifier: GPL-2.0 */
/*
 * readindex.h - how far must this member have applied, for a read to be linearizable?
 *
 * A read waits until the datapath has given it the number of a round, until that round ended (a
 * quorum said that we still lead: S8), and until everything up to its index is applied here. All
 * that wait when the datapath is asked get one number. Nothing is written, nothing is proposed: a
 * read that failed may be asked again, by whom and where one likes.
 */
#ifndef PXS_AGENT_READINDEX_H
#define PXS_AGENT_READINDEX_H

#include "client_proto.h"
#include "platform.h"

struct pxs_replica;

struct pxs_index_read {
	struct pxs_index_read *next;
	/*
	 * @error: 0: what is true now is in the slots up to @index, which are applied; or
	 * PXS_CLIENT_NOT_LEADER (or we lead no more), _BUSY (no quorum answered in time), _FENCED.
	 * Frees q if it owns it.
	 */
	void (*done)(struct pxs_index_read *q, u32 error, u64 index);
	u64 round;
	u64 index;
	u64 deadline;
};

struct pxs_index_list {
	struct pxs_index_read *first;
	struct pxs_index_read **last;
	u32 count;
};

struct pxs_index_reads {
	struct pxs_index_list queued;	/* have no number */
	struct pxs_index_list waiting;	/* ... have one, and rise with it */
	struct pxs_index_list known;	/* ... have an index, and wait until it is applied */
	u64 ballot;		/* whose rounds waiting ones have */
	bool blocked;		/* the datapath refused: wait for something to move */
	u64 calls;		/* of the datapath */
	u64 answered;
	u64 refused;
};

void pxs_index_reads_init(struct pxs_index_reads *rs);

/* Return: 0, then q->done() will be called; or an enum pxs_client_error, q stays the caller's. */
u32 pxs_replica_read(struct pxs_replica *r, struct pxs_index_read *q);

/* The datapath answers. */
void pxs_index_reads_answered(struct pxs_replica *r, u64 ballot, u64 round, u64 index);

/* Once a round of the loop, after what is decided was applied. Return: did something. */
bool pxs_index_reads_step(struct pxs_replica *r);

void pxs_index_reads_tick(struct pxs_replica *r, u64 now);

/* No answer will come any more. */
void pxs_index_reads_abandon(struct pxs_replica *r, u32 error);

#endif /* PXS_AGENT_READINDEX_H */
