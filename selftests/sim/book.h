/* SPDX-License-Identifier: GPL-2.0 */
/*
 * book.h - what the observer has written down (private to check.c and leaves.c)
 */
#ifndef PXS_SIM_BOOK_H
#define PXS_SIM_BOOK_H

#include "sim.h"

#define SIM_VIDS	65536u
#define SIM_BALLOTS	4096u

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
	u8 node;
	bool left;
};

/* Of one group. */
struct book {
	struct slot slot[SIM_SLOTS];
	u64 top;	/* highest slot touched */
	u64 prefix;	/* every slot up to it is chosen */
	u64 seen;	/* highest slot that anybody was told of */
	struct ballot ballot[SIM_BALLOTS];
	u32 ballots;
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

static inline bool is_quorum(const struct sim *s, u32 g, u32 votes)
{
	return (u32)__builtin_popcount(votes) > s->group[g].n / 2u;
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
