/* SPDX-License-Identifier: GPL-2.0 */
/*
 * book.h - what the observer has written down (private to check.c and leaves.c)
 */
#ifndef PXS_SIM_BOOK_H
#define PXS_SIM_BOOK_H

#include "sim.h"

#define SIM_VIDS	65536u
#define SIM_BALLOTS	4096u
#define SIM_CONFIGS	512u

/* A value somebody accepted for a slot at a ballot. */
struct accepted {
	u64 ballot;
	u64 vid;
	u32 votes;	/* bit i: durable at node i */
};

struct slot {
	struct accepted *a;
	u32 n, cap;
	u64 chosen;	/* 0: nothing yet */
	u64 epoch;	/* ... in which */
};

struct proposal {
	u64 slot;	/* 0: never proposed */
	u64 ballot;
	bool refused;	/* a client was told that it is not in the log, and never will be */
};

struct ballot {
	u64 ballot;
	u32 life;
	u32 promised;	/* bit i: a PROMISE of node i left */
	u64 epoch;	/* in which it was opened */
	u8 node;
	bool left;
};

/* Members, as a value of the log. */
struct config {
	u64 vid;
	u64 epoch;
	u64 slot;	/* chosen for it; 0: not yet */
	u32 members, voters;	/* bit i: node i */
	u32 phase1, phase2;	/* so many voters are a quorum */
};

/* Of one group. */
struct book {
	struct slot slot[SIM_SLOTS];
	u64 top;	/* highest slot touched */
	u64 prefix;	/* every slot up to it is chosen */
	u64 seen;	/* highest slot that anybody was told of */
	struct ballot ballot[SIM_BALLOTS];
	u32 ballots;
	struct config config[SIM_CONFIGS];
	u32 configs;
};

struct sim_check {
	struct book book[SIM_GROUPS];
	struct proposal vid[SIM_VIDS];
	u64 vids;
};

static inline struct book *book_of(const struct sim *s, u32 g)
{
	return &s->check->book[g];
}

/* change.c */
void book_config(struct sim *s, u32 g, u64 vid, const u8 *data, u32 len);
const struct config *book_epoch(const struct sim *s, u32 g, u64 epoch);
u32 book_voters(const struct sim *s, u32 g, u64 epoch);	/* bitmap of nodes; 0: no such epoch */
u32 book_phase1(const struct sim *s, u32 g, u64 epoch);	/* so many of them promise; ~0: no epoch */
u32 book_phase2(const struct sim *s, u32 g, u64 epoch);	/* ... accept */
void book_chosen(struct sim *s, u32 g, u64 slot, u64 vid, u64 epoch);

static inline u64 book_epoch_of(const struct sim *s, u32 g, u64 ballot)
{
	const struct book *b = book_of(s, g);
	u32 i;

	for (i = 0; i < b->ballots; i++)
		if (b->ballot[i].ballot == ballot)
			return b->ballot[i].epoch;
	return 0;
}

/* So many voters of @epoch are in @votes. */
static inline u32 book_count(const struct sim *s, u32 g, u32 votes, u64 epoch)
{
	return (u32)__builtin_popcount(votes & book_voters(s, g, epoch));
}

/* One ballot has one value for a slot, and a safe one: look it up, or write it down. */
struct accepted *book_accepted(struct sim *s, u32 g, u64 slot, u64 ballot, u64 vid);
struct ballot *book_ballot(struct sim *s, u32 g, u64 ballot);
/*
 * Who hears "up to commit is decided" of a leader takes what it accepted at that very ballot
 * for decided.
 */
void book_check_leader(struct sim *s, struct sim_node *n, u32 g, u64 ballot, u64 slot);

#endif /* PXS_SIM_BOOK_H */
