/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal.h - making records durable, many at a time
 *
 * One flush is in flight; what arrives meanwhile is the next batch (group commit, no
 * timer). A flush is one submission: write, linked to fdatasync. Any error and any
 * short write is final: the journal is fenced, nothing is tried again (S4).
 *
 * Records for whose sake nobody waits (durability memory) let the disk sleep for
 * PXS_JOURNAL_LAZY_MS or a little longer, unless others come.
 *
 * A batch says what was confirmed before it, but nothing says so of the last one: after a
 * pause of PXS_JOURNAL_MARK_MS a mark (a batch without records) does, so that damage to that
 * batch is told from a torn tail, which would be cut. Not sooner: a client that waits for each
 * value before it sends the next would pay for a mark with each, and wait for it.
 *
 * A full disk is not an error of durability: while no next segment can be made, records
 * wait, nothing is confirmed, credits run out and votes stop, until there is room.
 */
#ifndef PXS_AGENT_JOURNAL_H
#define PXS_AGENT_JOURNAL_H

#include "recover.h"
#include "spare.h"
#include "stage.h"

#define PXS_JOURNAL_FILL	(PXS_STAGE_BYTES + PXS_JOURNAL_BLOCK)	/* the most in flight */
#define PXS_JOURNAL_LAZY_MS	10
#define PXS_JOURNAL_MARK_MS	100
#define PXS_JOURNAL_FLIGHT	(1u << 20)	/* bytes of one batch at most */

/* How a batch is made durable. */
enum pxs_flush {
	/*
	 * Default: on disks without FUA this was 150 us where O_DIRECT with RWF_DSYNC took
	 * 4 ms on a loaded machine, because the latter finishes in a kworker of ordinary priority.
	 */
	PXS_FLUSH_FDATASYNC = 0,
	PXS_FLUSH_DSYNC = 1,	/* one operation; better on NVMe with FUA */
};

struct pxs_journal_events {
	void *ctx;
	/* The record (without its value) stands, or will stand, at @pos. */
	void (*placed)(void *ctx, const struct pxs_record *r, u64 pos);
	void (*durable)(void *ctx, u64 lsn);
	void (*failed)(void *ctx, const char *reason);
};

enum pxs_journal_state {
	PXS_JOURNAL_IDLE,
	PXS_JOURNAL_BATCH,	/* a batch is in flight */
	PXS_JOURNAL_HEADER,	/* the header of a new segment is in flight */
};

struct pxs_journal {
	struct pxs_loop *loop;
	struct pxs_hook hook;
	struct pxs_ticker ticker;
	const struct pxs_journal_events *events;
	struct pxs_spare spare;
	struct pxs_floor floor;	/* where it begins; left: as it is to be said next */
	struct pxs_job floor_job;	/* remove what stands before floor_next */
	u64 floor_next;
	struct pxs_floor floor_new;	/* the job's result */
	u64 removed;		/* segments */
	struct pxs_identity id;
	enum pxs_flush flush;
	int dirfd;
	int lockfd;

	int fd;			/* segment being written */
	u64 segment;
	u64 salt;
	u32 offset;
	u64 seq;		/* of the next batch */
	u32 prev;
	u64 next_lsn;		/* next record to arrive */
	u64 durable;
	u64 marked;		/* what the journal itself says was confirmed */
	u64 landed;		/* when the newest batch was confirmed */

	u8 *fill;		/* header room, then the records that wait */
	u32 fill_bytes;
	u32 fill_count;
	bool wanted;		/* somebody waits for them, or they waited long enough */
	u64 lazy_since;		/* when the first of them came */
	u8 *flight;		/* the batch in flight */
	u8 *block;		/* one block: a segment's header */
	u64 flight_lsn;		/* last LSN in it */
	u32 flight_size;
	u32 flight_count;
	u64 flight_mark;	/* the durable mark in it */
	u64 roll_salt;

	enum pxs_journal_state state;
	struct pxs_op write_op;
	struct pxs_op sync_op;
	int write_res;
	int sync_res;
	unsigned int pending;	/* operations out */
	u64 cut;		/* loop->cut when they went out */
	bool full;		/* waits for a segment */
	bool failed;
	char reason[128];

	u64 flushes;
	u64 records;
	u64 bytes;
};

/* Go on from @r, whose file descriptors are taken over. Return: 0 or -errno. */
int pxs_journal_open(struct pxs_journal *j, struct pxs_loop *loop, struct pxs_worker *worker,
		     struct pxs_recovery *r, enum pxs_flush flush,
		     const struct pxs_journal_events *events);
void pxs_journal_close(struct pxs_journal *j);		/* after the worker has stopped */

/*
 * Take records over from the datapath. Those below next_lsn are known and skipped. @lazy: nobody
 * waits for them.
 * Return: 0; -ERANGE: a record before @first_lsn is missing; -EBADMSG: not records;
 * -EIO: failed; -ENOBUFS: more than the stage can have in flight. Nothing is taken then.
 */
int pxs_journal_append(struct pxs_journal *j, u64 first_lsn, u32 count, const u8 *records,
		       u32 bytes, bool lazy);

/*
 * Segments before @segment are not needed: remove them, in the helper thread. The one that is
 * being written is never removed. What floor.left says by now is durable before the first goes.
 */
void pxs_journal_remove(struct pxs_journal *j, u64 segment);

/* Nothing waits and nothing is in flight. */
bool pxs_journal_idle(const struct pxs_journal *j);

/* Header of the record at @buf in host order, no sums checked; r->data is set. */
bool pxs_record_peek(const u8 *buf, size_t room, struct pxs_record *r);

/* Open segment @segment for reading; the caller closes. Return: fd or -errno. */
int pxs_journal_open_segment(const struct pxs_journal *j, u64 segment);

#endif /* PXS_AGENT_JOURNAL_H */
