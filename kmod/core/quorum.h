/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quorum.h - how many members are enough, and who has answered for one ballot
 *
 * Members are counted by their index in the configuration, in a bitmap, for one
 * ballot (rule S10): the same answer twice counts once, an answer for another
 * ballot counts nothing. Guarded by whoever owns the struct.
 */
#ifndef PXS_CORE_QUORUM_H
#define PXS_CORE_QUORUM_H

#include "platform.h"

struct pxs_quorum {
	u64 ballot;	/* what is counted; 0: nothing */
	u64 votes;	/* bit i: member index i */
	u8 nmembers;
};

/* Votes that any two of which sets share a member: a majority. */
static inline u32 pxs_quorum_size(u8 nmembers)
{
	return nmembers / 2u + 1;
}

/* Members in the bitmap @votes, at most nmembers of them counted. */
u32 pxs_quorum_count(u64 votes, u8 nmembers);

/* Are the members in the bitmap @votes enough? */
static inline bool pxs_quorum_met(u64 votes, u8 nmembers)
{
	return nmembers && pxs_quorum_count(votes, nmembers) >= pxs_quorum_size(nmembers);
}

/* Forget all votes and count for @ballot from now on (0: for nothing). */
void pxs_quorum_start(struct pxs_quorum *q, u8 nmembers, u64 ballot);

/*
 * Member index @member answered for @ballot.
 * Return: true when this changed the count; false for a repeat, for another ballot, and for
 * an index that is not a member's.
 */
bool pxs_quorum_add(struct pxs_quorum *q, u8 member, u64 ballot);

static inline bool pxs_quorum_reached(const struct pxs_quorum *q)
{
	return q->ballot && pxs_quorum_met(q->votes, q->nmembers);
}

#endif /* PXS_CORE_QUORUM_H */
