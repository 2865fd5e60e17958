// SPDX-License-Identifier: GPL-2.0
/*
 * maglev.c - fill: Maglev as published
 *
 * Owns nothing: walks are in the caller's scratch memory, the rows in its table.
 * Control path, process context. The modulo of the paper's rule is taken once a
 * backend; a walk then only adds and wraps.
 */
#include "maglev.h"

#define MAGLEV_DOMAIN	0x6d61676c65760000ull

bool pxs_is_prime(u32 n)
{
	u32 d;

	if (n < 2)
		return false;
	for (d = 2; d <= n / d; d++)
		if (n % d == 0)
			return false;
	return true;
}

int pxs_maglev_size(u32 nrows)
{
	static const u32 sizes[] = { 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521,
				     131071 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i] == nrows)
			return (int)i;
	return -1;
}

size_t pxs_maglev_scratch(u32 n)
{
	return sizeof(struct pxs_maglev) + n * sizeof(struct pxs_maglev_walk);
}

static void advance(const struct pxs_maglev *m, struct pxs_maglev_walk *w)
{
	w->next += w->skip;
	if (w->next >= m->nrows)
		w->next -= m->nrows;
}

/* What must be gathered before the first row. */
static void begin_walk(const struct pxs_maglev *m, struct pxs_maglev_walk *w)
{
	w->target = 0;
	w->due.m = 0;
	w->due.e = 0;
	if (m->turns == PXS_TURNS_ENVOY)
		w->share = pxs_real_quotient(w->weight, (u32)m->sum);
	if (m->turns == PXS_TURNS_KATRAN)
		w->target = m->max_weight;
	if (m->turns == PXS_TURNS_CILIUM)
		w->target = w->weight / m->n;
}

void pxs_maglev_begin(struct pxs_maglev *m, u8 turns, struct pxs_table_row *rows)
{
	u32 i;

	m->turns = turns;
	m->run = 0;
	m->round = 1;
	m->nfilled = 0;
	m->turn = 0;
	m->max_weight = 0;
	m->sum = 0;
	for (i = 0; i < m->n; i++) {
		m->sum += m->walk[i].weight;
		m->max_weight = max(m->max_weight, m->walk[i].weight);
	}
	m->max_share = pxs_real_quotient(m->max_weight, (u32)m->sum);
	for (i = 0; i < m->n; i++)
		begin_walk(m, &m->walk[i]);
	for (i = 0; i < m->nrows; i++) {
		rows[i].first = PXS_NONE;
		rows[i].second = PXS_NONE;
	}
}

void pxs_maglev_start(void *scratch, const struct pxs_seed *seed, u32 nrows,
		      const struct pxs_table_owner *owners, u32 n, struct pxs_table_row *rows)
{
	struct pxs_maglev *m = scratch;
	u64 hash;
	u32 i;

	m->nrows = nrows;
	m->n = n;
	for (i = 0; i < n; i++) {
		hash = pxs_siphash_2u64(seed, MAGLEV_DOMAIN, owners[i].id);
		m->walk[i].next = (u32)(hash >> 32) % nrows;
		m->walk[i].skip = (u32)hash % (nrows - 1) + 1;
		m->walk[i].weight = owners[i].weight;
		m->walk[i].index = owners[i].index;
	}
	pxs_maglev_begin(m, PXS_TURNS_SHARE, rows);
}

/* May the backend whose turn it is claim a row? */
static bool is_due(const struct pxs_maglev *m, const struct pxs_maglev_walk *w)
{
	switch (m->turns) {
	case PXS_TURNS_RUN:
		return true;
	case PXS_TURNS_ENVOY:
		return !pxs_real_less(pxs_real_times(m->round, w->share), w->due);
	case PXS_TURNS_CILIUM:
		/* an average below 2 is no reason to look at weights */
		return m->sum < 2ull * m->n || (m->nfilled + 1ull) * w->weight >= w->target;
	default:
		return m->round * w->weight >= w->target;
	}
}

static void pass_on(struct pxs_maglev *m)
{
	m->run = 0;
	if (++m->turn < m->n)
		return;
	m->turn = 0;
	m->round++;
}

/* @w claimed a row: whose turn is it now? */
static void claimed(struct pxs_maglev *m, struct pxs_maglev_walk *w)
{
	m->nfilled++;
	switch (m->turns) {
	case PXS_TURNS_RUN:
		if (++m->run == w->weight)
			pass_on(m);
		return;
	case PXS_TURNS_CILIUM:
		w->target += m->sum;
		m->turn = m->nfilled % m->n;
		return;
	case PXS_TURNS_ENVOY:
		w->due = pxs_real_sum(w->due, m->max_share);
		break;
	default:
		w->target += m->max_weight;
		break;
	}
	pass_on(m);
}

bool pxs_maglev_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct pxs_maglev *m = scratch;
	struct pxs_maglev_walk *w;

	while (m->nfilled < m->nrows) {
		if (!budget--)
			return true;
		w = &m->walk[m->turn];
		if (!is_due(m, w)) {
			pass_on(m);
			continue;
		}
		if (rows[w->next].first == PXS_NONE) {
			rows[w->next].first = w->index;
			claimed(m, w);
		}
		advance(m, w);
	}
	pxs_table_second_is_next(rows, m->nrows);
	return false;
}
