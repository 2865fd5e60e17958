/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_table.h - tables for the tests of the fills and the lookup
 */
#ifndef UNIT_TABLE_H
#define UNIT_TABLE_H

#include "unit.h"
#include "table.h"
#include "unit_diff.h"

#define UNIT_BACKENDS	1024

/* A configuration that owns its backends, so that tests can edit it. */
struct unit_config {
	struct pxs_table_config cfg;
	struct pxs_table_backend backends[UNIT_BACKENDS];
};

/* @n backends with ids that look like addresses, of @weight. */
static inline void unit_config_init(struct unit_config *c, u8 fill, u32 n, u32 weight)
{
	u32 i;

	memset(c, 0, sizeof(*c));
	c->cfg.fill = fill;
	c->cfg.cap = PXS_CAP_DEFAULT;
	c->cfg.seed.k[0] = 0x0706050403020100ull;
	c->cfg.seed.k[1] = 0x0f0e0d0c0b0a0908ull;
	c->cfg.backends = c->backends;
	c->cfg.nbackends = n;
	for (i = 0; i < n; i++) {
		c->backends[i].id = 0x0a00000100002bc0ull + ((u64)i << 32);
		c->backends[i].weight = weight;
		c->backends[i].family = 4;
		c->backends[i].port = 11211;
		c->backends[i].addr[0] = 10;
		c->backends[i].addr[2] = (u8)(i >> 8);
		c->backends[i].addr[3] = (u8)i;
	}
}

static bool unit_went_on;	/* the last build began with the table before */

/* Build in memory of the exact size, in steps of @budget; NULL where the plan is refused. */
static inline struct pxs_table *unit_build_steps(struct unit_config *c, u32 budget)
{
	struct pxs_table_config cfg = c->cfg;
	struct pxs_table_build build;
	struct pxs_table *t;
	const char *why = NULL;
	void *scratch;

	cfg.backends = c->backends;
	if (pxs_table_plan(&cfg, &why))
		return NULL;
	t = malloc(pxs_table_size(&cfg));
	scratch = malloc(pxs_table_scratch(&cfg));
	memset(t, 0xa5, pxs_table_size(&cfg));
	memset(scratch, 0xa5, pxs_table_scratch(&cfg));
	unit_went_on = false;
	if (pxs_table_start(&build, &cfg, t, scratch, 1, &why)) {
		free(scratch);
		free(t);
		return NULL;
	}
	while (pxs_table_step(&build, budget))
		;
	unit_went_on = build.touched;
	free(scratch);
	return t;
}

static inline struct pxs_table *unit_build(struct unit_config *c)
{
	return unit_build_steps(c, PXS_TABLE_BUDGET);
}

/* Every row has an owner with weight, and another one as second choice if there is one. */
static inline void unit_check_rows(const struct unit_config *c, const struct pxs_table *t)
{
	u32 i, bad = 0;

	for (i = 0; i < t->nrows; i++) {
		u16 first = t->rows[i].first, second = t->rows[i].second;

		if (first >= t->nbackends || !c->backends[first].weight) {
			bad++;
			continue;
		}
		if (t->nowners == 1)
			bad += second != PXS_NONE;
		else
			bad += second >= t->nbackends || second == first ||
			       !c->backends[second].weight;
	}
	CHECK_EQ(bad, 0);
}

/* Sum of weights. */
static inline u64 unit_sum(const struct unit_config *c)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < c->cfg.nbackends; i++)
		sum += c->backends[i].weight;
	return sum;
}

/* Largest and smallest share of rows in relation to weight: 1.0 is fair. */
struct unit_balance {
	double max;
	double min;
	u32 over;	/* backends above their cap */
};

static inline struct unit_balance unit_balance(const struct unit_config *c,
					       const struct pxs_table *t)
{
	struct unit_balance b = { .max = 0, .min = 1e9 };
	u32 rows[UNIT_BACKENDS], i;
	double sum = (double)unit_sum(c);

	pxs_table_count(t, rows);
	for (i = 0; i < t->nbackends; i++) {
		double fair = t->nrows * (c->backends[i].weight / sum);
		u64 cap = 1000ull * unit_sum(c);

		cap = ((u64)t->nrows * (1000 + c->cfg.cap) * c->backends[i].weight + cap - 1) / cap;
		if (!c->backends[i].weight)
			continue;
		b.max = rows[i] / fair > b.max ? rows[i] / fair : b.max;
		b.min = rows[i] / fair < b.min ? rows[i] / fair : b.min;
		b.over += rows[i] > cap;
	}
	return b;
}

/*
 * The fewest first choices that any change of owners could move: what the shares of
 * rows that grew have grown by.
 */
static inline double unit_least_moves(const struct unit_config *old, const struct unit_config *new,
				      u32 nrows)
{
	double a = (double)unit_sum(old), b = (double)unit_sum(new), moves = 0;
	u32 i, n = max(old->cfg.nbackends, new->cfg.nbackends);

	for (i = 0; i < n; i++) {
		double was = i < old->cfg.nbackends ? old->backends[i].weight / a : 0;
		double is = i < new->cfg.nbackends ? new->backends[i].weight / b : 0;

		if (is > was)
			moves += is - was;
	}
	return moves * nrows;
}

/* Rows moved between two configurations over the least possible; indices mean the same in both. */
static inline double unit_disruption(struct unit_config *old, struct unit_config *new)
{
	struct pxs_table *a = unit_build(old), *b = unit_build(new);
	unsigned long *changed;
	double ratio;
	u32 moved;

	changed = malloc(pxs_bitmap_longs(b->nrows) * sizeof(*changed));
	moved = unit_diff(a, b, changed);
	ratio = moved / unit_least_moves(old, new, b->nrows);
	free(changed);
	free(a);
	free(b);
	return ratio;
}

/* All bits below @n set; to be freed. */
static inline unsigned long *unit_all_live(u32 n)
{
	unsigned long *live = calloc(pxs_bitmap_longs(n), sizeof(*live));
	u32 i;

	for (i = 0; i < n; i++)
		live[i / 64] |= 1ul << (i % 64);
	return live;
}

#endif /* UNIT_TABLE_H */
