/* SPDX-License-Identifier: GPL-2.0 */
/*
 * propose.h - values that clients want in the log
 *
 * A proposal is first queued, then proposed (it has a slot), then done. What was not
 * proposed may be refused with a definite no. What was proposed is a success only when
 * its slot was decided at our ballot and applied here; if leadership or patience ends
 * before, the answer is "unknown": it may yet be decided. It is never proposed twice.
 */
#ifndef PXS_AGENT_PROPOSE_H
#define PXS_AGENT_PROPOSE_H

#include "client_proto.h"
#include "platform.h"

#define PXS_QUEUE_MAX		8192u		/* proposals that wait for a slot */
#define PXS_QUEUE_BYTES		(16u << 20)
#define PXS_PATIENCE_MS		10000u

struct pxs_replica;

struct pxs_proposal {
	struct pxs_proposal *next;
	/* @error: enum pxs_client_error, 0: decided in @slot. Frees p if it owns it. */
	void (*done)(struct pxs_proposal *p, u32 error, u64 slot);
	u64 slot;
	u64 ballot;
	u64 deadline;
	u32 len;
	u8 value[];
};

struct pxs_proposal_list {
	struct pxs_proposal *first;
	struct pxs_proposal **last;
	u32 count;
};

struct pxs_proposals {
	struct pxs_proposal_list queued;
	struct pxs_proposal_list waiting;	/* for their slots, in slot order */
	u64 bytes;		/* of values queued */
	u64 ballot;		/* at which waiting ones were proposed */
	bool blocked;		/* the datapath had no room: wait for something to move */
	bool answered;		/* in this round of hooks somebody was */
	u64 acked;
	u64 unknown;
	u64 refused;
};

void pxs_proposals_init(struct pxs_proposals *ps);

/* Return: 0, then p->done() will be called; or an enum pxs_client_error, p stays the caller's. */
u32 pxs_propose(struct pxs_replica *r, struct pxs_proposal *p);

/* Whether so many values, @bytes in all, would find room in the queue now. */
bool pxs_propose_room(const struct pxs_replica *r, u32 values, u64 bytes);

/* Once a round of hooks: propose what is queued (or some of it). Return: did something. */
bool pxs_proposals_step(struct pxs_replica *r);

/* @slot was applied; its record has @ballot. */
void pxs_proposals_applied(struct pxs_replica *r, u64 slot, u64 ballot);

void pxs_proposals_tick(struct pxs_replica *r, u64 now);

/* No answer will come any more: refuse with @error what is queued, unknown for the rest. */
void pxs_proposals_abandon(struct pxs_replica *r, u32 error);

#endif /* PXS_AGENT_PROPOSE_H */
