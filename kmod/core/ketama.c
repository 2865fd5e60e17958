// SPDX-License-Identifier: GPL-2.0
/*
 * ketama.c - fill: the ring of libmemcached's weighted ketama
 *
 * Owns nothing: all state is in the caller's scratch memory. libmemcached counts points
 * in single precision; the roundings (24 bits, to nearest, ties to even) are done here in
 * integers. Points are sorted by their place with a radix sort, which is stable: where two
 * have one place, the lower id owns it. Control path, process context.
 */
#include "ketama.h"
#include "md5.h"
#include "name.h"

#define KETAMA_PORT	11211	/* left out of the name */
#define RADIX		256

enum ketama_phase {
	KETAMA_POINTS,
	KETAMA_COUNT,
	KETAMA_SORT,
	KETAMA_ROWS,
};

struct ketama {
	const struct pxs_table_config *cfg;
	const struct pxs_table_owner *owners;
	u32 *points;	/* the table's */
	u64 *from;	/* place << 32 | position among the owners */
	u64 *to;
	u64 sum;	/* of weights */
	u32 n;
	u32 nrows;
	u32 owner;	/* whose points are next */
	u32 done;	/* points so far, in this phase */
	u32 shift;	/* of the digit that is sorted by */
	u32 start[RADIX];
	u8 phase;
};

/* @m, whose lowest bit is sticky, to 24 significant bits; *e counts what was shifted out. */
static u64 round24(u64 m, int *e)
{
	u64 low, half;
	int drop;

	if (m < 1ull << 24)
		return m;
	drop = 64 - __builtin_clzll(m) - 24;
	low = m & ((1ull << drop) - 1);
	half = 1ull << (drop - 1);
	m >>= drop;
	*e += drop;
	return m + (low > half || (low == half && (m & 1)));
}

u32 pxs_ketama_points(u32 weight, u64 sum, u32 n)
{
	u64 m, rest;
	int e = 0, e_sum = 0;

	/* (float)weight / (float)sum: weights have 16 bits, a sum may have more than 24 */
	sum = round24(sum, &e_sum);
	sum <<= e_sum;
	m = pxs_div64((u64)weight << 45, sum);
	rest = ((u64)weight << 45) - m * sum;
	e = -46;
	m = round24(m << 1 | (rest > 0), &e);
	/* times 160, divided by 4: exact; times n; each rounded */
	m = round24(m * PXS_KETAMA_POINTS, &e);
	m = round24(m * n, &e);
	e -= 2;
	/* below 1 it is 0; nothing here comes near 2^24 */
	return e > -64 && e < 0 ? (u32)(m >> -e) * 4 : 0;
}

u64 pxs_ketama_hash(const u8 *key, u32 len)
{
	u32 digest[4];

	pxs_md5(key, len, digest);
	return (u64)digest[0] << 32 | digest[1];
}

u32 pxs_ketama_name(const struct pxs_table_backend *be, char *buf)
{
	u32 n = pxs_name_addr(buf, be);

	if (be->port == KETAMA_PORT)
		return n;
	buf[n++] = ':';
	return n + pxs_name_decimal(buf + n, be->port);
}

/* All points of one owner. Return: steps that this took. */
static u32 add_points(struct ketama *k)
{
	const struct pxs_table_owner *o = &k->owners[k->owner];
	u32 count = pxs_ketama_points(o->weight, k->sum, k->n), i, j, len, digest[4];
	char name[PXS_KETAMA_NAME_MAX];

	len = pxs_ketama_name(&k->cfg->backends[o->index], name);
	name[len++] = '-';
	for (i = 0; i < count / 4; i++) {
		pxs_md5(name, len + pxs_name_decimal(name + len, i), digest);
		for (j = 0; j < 4; j++)
			k->from[k->done++] = (u64)digest[j] << 32 | k->owner;
	}
	k->owner++;
	return 64 * count + 1;
}

static u32 digit(const struct ketama *k, u32 i)
{
	return (u32)(k->from[i] >> k->shift) % RADIX;
}

static void next_phase(struct ketama *k, u8 phase)
{
	k->phase = phase;
	k->done = 0;
	if (phase == KETAMA_COUNT)
		memset(k->start, 0, sizeof(k->start));
}

/* Counts become where the points with a digit begin. */
static void place(struct ketama *k)
{
	u32 i, n, at = 0;

	for (i = 0; i < RADIX; i++) {
		n = k->start[i];
		k->start[i] = at;
		at += n;
	}
}

static void swap_buffers(struct ketama *k)
{
	u64 *was = k->from;

	k->from = k->to;
	k->to = was;
	k->shift += 8;
}

static u32 step_one(struct ketama *k, struct pxs_table_row *rows)
{
	u64 point;

	switch (k->phase) {
	case KETAMA_COUNT:
		k->start[digit(k, k->done++)]++;
		if (k->done < k->nrows)
			return 1;
		place(k);
		next_phase(k, KETAMA_SORT);
		return 1;
	case KETAMA_SORT:
		k->to[k->start[digit(k, k->done)]++] = k->from[k->done];
		if (++k->done < k->nrows)
			return 2;
		swap_buffers(k);
		next_phase(k, k->shift < 64 ? KETAMA_COUNT : KETAMA_ROWS);
		return 2;
	case KETAMA_ROWS:
		point = k->from[k->done];
		k->points[k->done] = (u32)(point >> 32);
		rows[k->done].first = k->owners[(u32)point].index;
		k->done++;
		return 1;
	default:
		return add_points(k);
	}
}

bool pxs_ketama_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct ketama *k = scratch;
	u32 cost;

	while (k->phase != KETAMA_ROWS || k->done < k->nrows) {
		cost = step_one(k, rows);
		if (k->phase == KETAMA_POINTS && k->owner == k->n)
			next_phase(k, KETAMA_COUNT);
		if (budget <= cost)
			return true;
		budget -= cost;
	}
	pxs_table_second_is_next(rows, k->nrows);
	return false;
}

size_t pxs_ketama_scratch(u32 nrows)
{
	return sizeof(struct ketama) + 2 * (size_t)nrows * sizeof(u64);
}

void pxs_ketama_start(void *scratch, const struct pxs_table_config *cfg, u32 *points,
		      const struct pxs_table_owner *owners, u32 n)
{
	struct ketama *k = scratch;
	u32 i;

	k->cfg = cfg;
	k->owners = owners;
	k->points = points;
	k->from = (u64 *)(k + 1);
	k->to = k->from + cfg->nrows;
	k->n = n;
	k->nrows = cfg->nrows;
	k->owner = 0;
	k->shift = 32;
	k->sum = 0;
	for (i = 0; i < n; i++)
		k->sum += owners[i].weight;
	next_phase(k, KETAMA_POINTS);
}
