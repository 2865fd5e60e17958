/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rendezvous_build.h - a build of rendezvous in progress
 *
 * Only for rendezvous.c, which does the work, rendezvous_second.c, which does the last part of it,
 * and rendezvous_begin.c, which sets it up.
 */
#ifndef PXS_CORE_RENDEZVOUS_BUILD_H
#define PXS_CORE_RENDEZVOUS_BUILD_H

#include "log2.h"
#include "rank.h"
#include "table.h"

/* How often on the way down a list it is asked whether that can be the end. */
#define RDV_STRIDE		32

enum rdv_phase {
	RDV_BEGIN,	/* from nothing: no row has an owner */
	RDV_COURT,
	RDV_WORST,
	RDV_TAKE_OVER,	/* the rows of the table before */
	RDV_EJECT,
	RDV_VACANT,
	RDV_HOME,
	RDV_SECOND_NEW,	/* second choices that new backends are */
	RDV_SECOND_SURE,	/* from nothing: which of them are certain */
	RDV_SECOND,	/* and those that have to be looked for */
	RDV_DONE,
};

struct rdv_backend {
	u32 inverse[PXS_RANK_ROUNDS];
	u32 held;
	u32 cap;
	u32 last;	/* no row that it holds is further down its list */
	u32 walk;	/* rows further up do not prefer it; then: as second choice */
	u16 index;
	bool is_new;	/* or weighs something else: holds nothing of the table before */
	bool was_full;
	bool queued;
};

struct rdv {
	const struct pxs_table_config *cfg;
	const struct pxs_table *past;	/* goes on from it; or NULL */
	struct pxs_table_owner *owners;
	struct pxs_rank_key *key;
	struct rdv_backend *backend;
	u64 *unit;	/* of each: 2^33 / weight: cost = -log2(u) * unit; below 2^63 */
	u64 worst;	/* no row costs the owner that it has more */
	u64 far;	/* no row costs its second choice more */
	u64 reach;	/* second choices that cost more are not looked for yet */
	unsigned long *dirty;	/* rows whose second choice has to be looked for */
	unsigned long *touched;
	u32 *log2;
	u16 *at;	/* position of an index among the owners */
	u16 *now;	/* index now of an index in the table before, or PXS_NONE */
	u16 *queue;	/* backends that look for rows */
	u32 nqueue;
	u32 n;
	u32 nrows;
	u32 shift;	/* nrows << shift is PXS_RANKS */
	u32 done;	/* rows or backends, in this phase */
	u32 hand;	/* row that was pushed out, or nrows */
	unsigned long *homeless;	/* rows without an owner */
	bool by_lists;	/* from nothing: by going down the lists, as far as that is less work */
	u32 round;	/* of RDV_COURT */
	u64 looks;	/* down the lists, in this round */
	u32 taken;	/* rows that found an owner in it; second choices: that are left */
	u8 phase;
};

static inline size_t bitmap_bytes(u32 nrows)
{
	return pxs_bitmap_longs(nrows) * sizeof(unsigned long);
}

/* A place in a row's ranking; smaller is better. */
struct rdv_rank {
	u64 cost;
	u64 u;		/* larger is better */
	u32 b;		/* position among the owners, that is, order of id */
	u32 rank;	/* of the row, with this backend */
};

/* What a look at all backends finds for a row. */
struct rdv_scan {
	struct rdv_rank fit;	/* the best that would take it */
	struct rdv_rank best[2];
};

static inline void set_bit_of(unsigned long *bits, u32 i)
{
	const u32 n = 8 * sizeof(*bits);

	bits[i / n] |= 1ul << (i % n);
}

static inline void clear_bit_of(unsigned long *bits, u32 i)
{
	const u32 n = 8 * sizeof(*bits);

	bits[i / n] &= ~(1ul << (i % n));
}

/* The first row from @row on whose bit is set, or nrows. */
static inline u32 next_bit(const struct rdv *r, const unsigned long *bits, u32 row)
{
	const u32 n = 8 * sizeof(*bits);
	unsigned long word;

	while (row < r->nrows) {
		word = bits[row / n] >> (row % n);
		if (word)
			return row + (u32)__builtin_ctzl(word);
		row = (row / n + 1) * n;
	}
	return r->nrows;
}

static inline bool better(const struct rdv_rank *a, const struct rdv_rank *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a->u != b->u)
		return a->u > b->u;
	return a->b < b->b;
}

static inline struct rdv_rank rank_with(const struct rdv *r, u32 place, u32 b, u32 rank)
{
	struct rdv_rank x = { .b = b, .rank = rank };

	x.u = pxs_rank_u(&r->key[b], place, rank);
	x.cost = pxs_neglog2(r->log2, x.u) * r->unit[b];
	return x;
}

/* The row at this rank of a backend's list; ranks that are no row of a table this small: nrows. */
static inline u32 row_at(const struct rdv *r, u32 b, u32 rank)
{
	u32 place = pxs_rank_place(&r->key[b], r->backend[b].inverse, rank);

	return place & ((1u << r->shift) - 1) ? r->nrows : place >> r->shift;
}

/* Can no row further down the list of @b than this rank prefer it? Asked now and then. */
static inline bool too_far(const struct rdv *r, u32 b, u32 rank, u64 bound)
{
	u64 u = (u64)(PXS_RANKS - rank) << (64 - PXS_RANK_BITS);

	return rank >= PXS_RANKS ||
	       (!(rank % RDV_STRIDE) && pxs_neglog2(r->log2, u - 1) * r->unit[b] > bound);
}

/* Is @b, at this rank of its list, better for the row than the backend with this index? */
static inline bool is_preferred(const struct rdv *r, u32 row, u32 b, u32 rank, u16 index)
{
	u32 other = r->at[index], place = row << r->shift;
	u32 his_rank = pxs_rank(&r->key[other], place);
	struct rdv_rank mine, his;

	/* plainly not: needs no logarithm */
	if (his_rank < rank && r->key[other].weight >= r->key[b].weight)
		return false;
	mine = rank_with(r, place, b, rank);
	his = rank_with(r, place, other, his_rank);
	return better(&mine, &his);
}

/* Look at all backends for @row; those it would be taken by matter only to one without owner. */
void pxs_rdv_scan(struct rdv *r, const struct pxs_table_row *rows, u32 row, bool homeless,
		  struct rdv_scan *s);

/* The second choice is the best that is not the first. */
void pxs_rdv_set_second(struct rdv *r, struct pxs_table_row *row, const struct rdv_scan *s);

/* When all rows have an owner: begin with RDV_SECOND_NEW. */
void pxs_rdv_seconds_begin(struct rdv *r);

/* A piece of that and the phases behind. Return: about how many steps it took; 0: all is done. */
u32 pxs_rdv_seconds_step(struct rdv *r, struct pxs_table_row *rows);

#endif /* PXS_CORE_RENDEZVOUS_BUILD_H */
