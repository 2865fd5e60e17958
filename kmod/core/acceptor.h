/* SPDX-License-Identifier: GPL-2.0 */
/*
 * acceptor.h - promises, accepts and what is learned; used by group.c and leader.c only
 *
 * Called with the group's lock held, in an active group unless said otherwise.
 */
#ifndef PXS_CORE_ACCEPTOR_H
#define PXS_CORE_ACCEPTOR_H

#include "group.h"

/* Decided slots kept in memory for followers that lag: half a window, or this many bytes. */
#define PXS_WINDOW_BYTES	(16u << 20)

enum pxs_accept_result {
	PXS_ACCEPT_NEW,		/* staged; its answer is parked */
	PXS_ACCEPT_DURABLE,	/* a repeat of something durable: may be answered at once */
	PXS_ACCEPT_PENDING,	/* a repeat whose first answer is still parked */
	PXS_ACCEPT_REFUSED,	/* *higher is the ballot in the way */
	PXS_ACCEPT_DROPPED,	/* no room or no credit: nothing changed */
};

/*
 * Phase 1, at the acceptor (Paxos Made Simple, section 2.2, phase 1b). A new ballot waits while a
 * lease bars it: its owner asks again.
 */
void pxs_acceptor_prepare(struct pxs_group *g, const struct pxs_msg *m, u8 from,
			  struct pxs_out *out);

/*
 * Promise @ballot, which is higher than any before; who leads or asks here is the caller's to
 * tell. Return: the record's LSN, 0 without credit.
 */
u64 pxs_acceptor_promise(struct pxs_group *g, u64 ballot);

/* Answer a PREPARE whose promise is durable: one page from @slot on. False: @out is full. */
bool pxs_acceptor_answer(struct pxs_group *g, u64 ballot, u64 slot, u8 to, struct pxs_out *out);

/* Phase 2b for one slot. @to is the member that asked. */
enum pxs_accept_result pxs_acceptor_accept(struct pxs_group *g, u64 ballot, u64 slot,
					   struct pxs_value *v, u8 to, u64 *higher,
					   struct pxs_out *out);

/*
 * What is chosen for @slot was chosen at @ballot or below; who says so cannot show it. False:
 * neither can we.
 */
bool pxs_acceptor_learn_ballot(struct pxs_group *g, u64 slot, u64 ballot, struct pxs_out *out);

/* @v was chosen for @slot, at @ballot or below. False: there was no room or no credit. */
bool pxs_acceptor_learn(struct pxs_group *g, u64 slot, u64 ballot, struct pxs_value *v,
			struct pxs_out *out);

/* The commit index moves over every decided slot that follows it. */
void pxs_acceptor_commit(struct pxs_group *g, struct pxs_out *out);

/* Room in the ring of parked answers for @n more? */
bool pxs_parked_room(const struct pxs_group *g, u32 n);
void pxs_park(struct pxs_group *g, u64 lsn, u8 type, u64 ballot, u64 slot, u8 to);

#endif /* PXS_CORE_ACCEPTOR_H */
