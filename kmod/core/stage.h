/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stage.h - records between a decision and the disk
 *
 * One stage a node, shared by its groups. A record enters when a group decides,
 * under the group's lock and in one step with the change of state; it leaves when
 * the agent has said that it is durable. Until then its bytes stay here, so that
 * an agent that died can be followed by another (rule S6). The ring bounds what is
 * in flight: no room, no vote.
 *
 * A process is woken for a batch, and a disk flushed. A lazy record is not worth that: it goes
 * with the next one that somebody waits for, with a full batch, or when the shell says that it is
 * late. When a quarter of the room is taken, somebody waits: for room.
 *
 * LSNs are given here: 1, 2, 3 ... for the life of a journal. Positions count
 * bytes ever staged; both are u64 and do not wrap.
 *
 *   durable_lsn <= sent_lsn <= last_lsn
 *
 * Lock: stage->lock guards everything; durable_lsn may be read without (READ_ONCE).
 * It nests inside a group's lock and is a leaf.
 */
#ifndef PXS_CORE_STAGE_H
#define PXS_CORE_STAGE_H

#include "platform.h"
#include "record.h"

#define PXS_STAGE_BYTES		(2u << 20)	/* default ring */
#define PXS_STAGE_RECORDS	8192u		/* credits: records in flight */
#define PXS_STAGE_BATCHES	2u		/* full, lazy ones apart: sent, not yet durable */
#define PXS_STAGE_LATE_MS	20u		/* so long may a lazy record stay, more or less */

struct pxs_stage {
	struct pxs_lock lock;
	u8 *ring;		/* memory of the shell, size bytes, a power of two */
	u32 size;
	u32 *length;		/* PXS_STAGE_RECORDS lengths, of the records in flight, by LSN */
	u64 last_lsn;		/* of the newest record */
	u64 sent_lsn;
	u64 durable_lsn;
	u64 head;		/* byte position behind the newest record */
	u64 sent;		/* behind the newest one sent */
	u64 tail;		/* behind the newest durable one */
	/* last LSNs of the batches in flight that are waited for, oldest first */
	u64 batch_end[PXS_STAGE_BATCHES];
	u64 want_lsn;		/* newest record that is not lazy: somebody waits for the disk */
	u64 hurry_lsn;		/* somebody waits for the agent to have the records up to it */
	u64 incarnation;	/* of the journal; 0 before the first attach */
	u64 epoch;		/* attach epoch; rises with each attach */
	bool attached;
	bool failed;		/* a flush failed: nothing is staged any more (S4) */
	u64 full;		/* records refused for want of room, counted */
};

struct pxs_batch {
	u64 epoch;
	u64 first_lsn;
	u32 count;
	u32 bytes;
	bool lazy;		/* nobody waits for the disk to have any of it */
};

/* @ring of @size (power of two, >= 2 * PXS_APPEND_MAX) bytes and @length stay the caller's. */
void pxs_stage_init(struct pxs_stage *s, u8 *ring, u32 size, u32 *length);

/* Stage one record. Return: its LSN, or 0: no credit, failed, or never attached. */
u64 pxs_stage_append(struct pxs_stage *s, struct pxs_record *r, const void *data);

/*
 * A journal with identity @incarnation, whose records up to @next_lsn - 1 are all on
 * disk, takes over. Return: the attach epoch (> 0), -EBUSY: attached already, -ESTALE:
 * it lacks records that were durable, or holds ones never staged, -EKEYREJECTED: not
 * the journal that was attached before. On success what was not durable is unsent again.
 */
s64 pxs_stage_attach(struct pxs_stage *s, u64 incarnation, u64 next_lsn);
void pxs_stage_detach(struct pxs_stage *s);

/* The flush failed: no record enters any more, no acknowledgement counts (S4). */
void pxs_stage_fail(struct pxs_stage *s);

/*
 * Look at the next batch to send, at most @max bytes, whole records.
 * Nothing is due (false) when all is sent, nobody is attached, or what waits is less than @max and
 * either lazy, or PXS_STAGE_BATCHES are in flight: that is group commit without a timer. Records up
 * to hurry_lsn do not wait.
 */
bool pxs_stage_due(struct pxs_stage *s, u32 max, struct pxs_batch *b);

/* Copy @b's bytes to @buf; only one context at a time may be between due() and sent(). */
void pxs_stage_copy(struct pxs_stage *s, const struct pxs_batch *b, u8 *buf);

/*
 * A client waits for what the record with @lsn holds, and for no disk (a memory group): the agent
 * can answer when it has the record.
 */
void pxs_stage_hurry(struct pxs_stage *s, u64 lsn);

/*
 * What is lazy has waited long enough: all that is staged is due. Not where it waits behind a
 * record that is waited for, and gathers for the next flush: that one takes it along.
 */
void pxs_stage_late(struct pxs_stage *s);

/* @b left for the agent. Ignored when its attach epoch is over. */
void pxs_stage_sent(struct pxs_stage *s, const struct pxs_batch *b);

/*
 * Everything up to @lsn is on disk. Return: 1 the durable point moved, 0 it did not,
 * -ESTALE: of another attach epoch, -EINVAL: beyond what was sent, -EIO: failed.
 */
int pxs_stage_durable(struct pxs_stage *s, u64 epoch, u64 lsn);

#endif /* PXS_CORE_STAGE_H */
