/* SPDX-License-Identifier: GPL-2.0 */
/*
 * load.h - bounded load: who is full, and where its requests go meanwhile
 *
 * Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, 2016): a backend may
 * have so many times its fair share of all the load there is, and not more; what is new for it
 * then spills to the next in line, and comes back when there is room. Who is full is a bitmap
 * beside the one of who is live, decided now and then, not for each request.
 */
#ifndef PXS_CORE_LOAD_H
#define PXS_CORE_LOAD_H

#include "table.h"

/* Whoever has no more than this is not full, whatever the others have: noise is no load. */
#define PXS_LOAD_FLOOR		8

/* Loads above count as this. */
#define PXS_LOAD_MAX		0xffffffu

/* Looks in the sliding second in which requests are counted. */
#define PXS_LOAD_TICKS		20

/* New requests of the last second: what each of the last PXS_LOAD_TICKS looks found. */
struct pxs_load_second {
	u64 requests;			/* the counter at the last look */
	u32 recent[PXS_LOAD_TICKS];	/* round and round */
	u32 sum;			/* of recent */
};

/* What was counted before, @requests, is not of the last second. */
void pxs_load_begin(struct pxs_load_second *s, u64 requests);

/*
 * The counter is @requests at look @tick, one more than at the one before (which may wrap). Return:
 * the new ones of the last PXS_LOAD_TICKS looks.
 */
u32 pxs_load_recent(struct pxs_load_second *s, u32 tick, u64 requests);

/* A backend as the decision sees it. */
struct pxs_load {
	u32 load;	/* requests that wait in its queue, or new ones of the last second */
	u32 weight;	/* 0..PXS_WEIGHT_MAX; 0: out or draining, not part of it */
	bool full;	/* in: was; out: is */
};

/*
 * Who of @v[0..n) is full at @bound thousandths (above 1000) of the fair share by weight? Who is
 * full stays so until its load is below the middle between the fair share and the bound, so that a
 * load beside the bound does not flap. Never all of those with weight. Control path.
 */
void pxs_load_decide(struct pxs_load *v, u32 n, u32 bound);

/* pxs_load_pick() for a hash whose first choice is out or full. */
struct pxs_pick pxs_load_pick_slow(const struct pxs_table *t, const unsigned long *live,
				   const unsigned long *full, u64 hash);

/* Who the row is of, or PXS_NONE if that one is out or full. */
static inline u16 pxs_load_first(const struct pxs_table *t, const unsigned long *live,
				 const unsigned long *full, u64 hash)
{
	u16 first = t->rows[pxs_table_row_of(t, hash)].first;

	return likely(pxs_live(live, first) && !pxs_live(full, first)) ? first : PXS_NONE;
}

/*
 * pxs_table_pick(), past those who are full: @full has a bit for each backend index and may change
 * at any time. Where all who are live are full, it is as if none were. This is what packets and
 * LOOKUP ask.
 */
static inline struct pxs_pick pxs_load_pick(const struct pxs_table *t, const unsigned long *live,
					    const unsigned long *full, u64 hash)
{
	u16 first = pxs_load_first(t, live, full, hash);
	struct pxs_pick pick = { .backend = first, .choice = PXS_CHOICE_FIRST };

	if (likely(first != PXS_NONE))
		return pick;
	return pxs_load_pick_slow(t, live, full, hash);
}

#endif /* PXS_CORE_LOAD_H */
