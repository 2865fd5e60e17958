/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quorum.h - how many members are enough, and who has answered for one ballot
 *
 * Members are counted by their index in the configuration, in a bitmap, for one
 * ballot (rule S10): the same answer twice counts once, an answer for another
 * ballot counts nothing. Guarded by whoever owns the struct.
 *
 * How many are enough is for each of the two phases of Paxos to say. A group in which nobody said
 * anything needs a majority in both. Others have two sizes (H. Howard, D. Malkhi, A. Spiegelman,
 * Flexible Paxos, 2016):
 *
 *  phase1: of promises: who wins phase 1, fills a slot, welcomes a ballot (PREVOTE)
 *  phase2: of accepts; and of whatever else must meet every phase 1: who says that a leader still
 *          leads (read index), who grants it a lease, who answers it so that it need not give way
 *
 * All that Paxos needs is that a quorum of phase 1 meets each of phase 2: phase1 + phase2 > voters.
 * Two quorums of phase 2 need not meet, for a ballot has one leader. Further,
 * 1 <= phase2 <= majority <= phase1 <= voters: accepts are what every append waits for, promises
 * are wanted when a leader is lost, so a small phase 1 is paid for by everybody and good for
 * nothing; and where two quorums of phase 1 meet, one of two candidates learns of the other.
 */
#ifndef PXS_CORE_QUORUM_H
#define PXS_CORE_QUORUM_H

#include "platform.h"

struct pxs_quorum {
	u64 ballot;	/* what is counted; 0: nothing */
	u64 votes;	/* bit i: member index i */
	u8 nmembers;
	u8 enough;	/* so many of them */
};

/* Whose votes count, and how many of them are enough. */
struct pxs_electorate {
	u8 voters;	/* member indexes below this */
	u8 enough;	/* 1..voters */
};

/* Votes that any two of which sets share a member: a majority. */
static inline u32 pxs_quorum_size(u8 nmembers)
{
	return nmembers / 2u + 1;
}

/* Members in the bitmap @votes, at most nmembers of them counted. */
u32 pxs_quorum_count(u64 votes, u8 nmembers);

/*
 * May @voters members have quorums of these sizes? Both 0: majorities, always. Return: NULL, or
 * what is wrong, for the user's eyes.
 */
const char *pxs_quorum_check(u8 voters, u8 phase1, u8 phase2);

/* Do these sizes say the same as none? */
static inline bool pxs_quorum_is_plain(u8 voters, u8 phase1, u8 phase2)
{
	u32 majority = pxs_quorum_size(voters);

	return phase1 == phase2 && (!phase1 || phase1 == majority);
}

/* @size of @voters members, 0: a majority. */
static inline struct pxs_electorate pxs_quorum_of(u8 voters, u8 size)
{
	struct pxs_electorate of = {
		.voters = voters, .enough = size ? size : (u8)pxs_quorum_size(voters),
	};

	return of;
}

/* Are the members in the bitmap @votes enough? */
static inline bool pxs_quorum_met(u64 votes, struct pxs_electorate of)
{
	return of.voters && pxs_quorum_count(votes, of.voters) >= of.enough;
}

/* Forget all votes and count for @ballot from now on (0: for nothing). */
void pxs_quorum_start(struct pxs_quorum *q, struct pxs_electorate of, u64 ballot);

/*
 * Member index @member answered for @ballot.
 * Return: true when this changed the count; false for a repeat, for another ballot, and for
 * an index that is not a member's.
 */
bool pxs_quorum_add(struct pxs_quorum *q, u8 member, u64 ballot);

static inline bool pxs_quorum_reached(const struct pxs_quorum *q)
{
	const struct pxs_electorate of = { .voters = q->nmembers, .enough = q->enough };

	return q->ballot && pxs_quorum_met(q->votes, of);
}

#endif /* PXS_CORE_QUORUM_H */
