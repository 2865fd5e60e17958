// SPDX-License-Identifier: GPL-2.0
/*
 * rendezvous.c - fill: capped weighted rendezvous
 *
 * Owns nothing: all state is in the caller's scratch memory, one builder works on it,
 * in process context. A step keeps everything in there, so the caller may sleep
 * between two steps.
 *
 * Ranking a row means looking at all backends; a few best ones are remembered, and the
 * row is ranked again from where it was when they have all refused. Costs that tie
 * are decided by u, then by id (row against row: by row number), so every order of
 * work and of configuration ends in the same table.
 */
#include "rendezvous.h"

#define RDV_DOMAIN_ROW		0x72656e6401ull
#define RDV_DOMAIN_BACKEND	0x72656e6402ull

#define RDV_CHOICES		4	/* remembered of a row's ranking */
#define RDV_NO_ROW		0xffffffffu

struct rdv_backend {
	u64 hash;
	u64 unit;	/* 2^33 / weight: cost = -log2(u) * unit; below 2^63 */
	u32 heap;	/* where its rows begin in rdv.heap: a heap, dearest row on top */
	u32 held;
	u32 cap;
	u16 index;
};

/* A place in a row's ranking; smaller is better. */
struct rdv_rank {
	u64 cost;
	u64 u;		/* larger is better */
	u32 b;		/* position among the owners, that is, order of id */
};

struct rdv {
	struct pxs_seed seed;
	u32 nrows;
	u32 n;
	u32 shift;	/* nrows << shift is 2^32 */
	u32 fresh;	/* rows from here on have not proposed yet */
	u32 hand;	/* row that looks for an owner, or RDV_NO_ROW */
	u32 done;	/* rows whose second choice is settled */
	struct rdv_backend *backend;
	u64 *cost;	/* of a row with the owner that holds it, or that it asks now */
	u16 *choice;	/* RDV_CHOICES of each row, best first, positions among the owners */
	u32 *heap;
	u32 *log2;
	u8 *asked;	/* how many of its choices have refused a row */
};

void pxs_log2_init(u32 *table)
{
	u32 i, bit, sum;
	u64 x;

	for (i = 0; i < PXS_LOG2_ENTRIES - 1; i++) {
		/* x is in [1, 2) with 31 binary places: each squaring yields a digit */
		x = (u64)(PXS_LOG2_ENTRIES - 1 + i) << 19;
		sum = 0;
		for (bit = 1u << 25; bit; bit >>= 1) {
			x = (x * x) >> 31;
			if (x >> 32) {
				sum |= bit;
				x >>= 1;
			}
		}
		table[i] = (sum + 2) >> 2;
	}
	table[i] = 1u << 24;
}

u32 pxs_neglog2(const u32 *table, u64 u)
{
	u64 x = u + 1;
	u32 zeros, i, part;

	if (!x)
		return 0;
	zeros = (u32)__builtin_clzll(x);
	x <<= zeros;			/* 1.xxx: the leading 1, 12 bits of index, 16 between */
	i = (u32)(x >> 51) & 4095;
	part = (u32)(x >> 35) & 0xffff;
	part = table[i] + (((table[i + 1] - table[i]) * part) >> 16);
	return ((zeros + 1) << 24) - part;
}

/* Finalizer of splitmix64 (Steele, Lea and Flood 2014). Both inputs are keyed hashes. */
static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/*
 * A row is hashed by where it begins in the space of hashes, not by its number: the
 * even rows of a table twice the size are the rows of this one.
 */
static u64 row_hash(const struct rdv *r, u32 row)
{
	return pxs_siphash_2u64(&r->seed, RDV_DOMAIN_ROW, (u64)row << r->shift);
}

static struct rdv_rank rank_with(const struct rdv *r, u64 u, u32 b)
{
	struct rdv_rank rank = { .u = u, .b = b };

	rank.cost = pxs_neglog2(r->log2, u) * r->backend[b].unit;
	return rank;
}

static struct rdv_rank rank_of(const struct rdv *r, u64 row_hash, u32 b)
{
	return rank_with(r, mix(row_hash ^ r->backend[b].hash), b);
}

/* Worse than @last without a logarithm: a smaller u, and no more weight. */
static bool plainly_worse(const struct rdv *r, u64 u, u32 b, const struct rdv_rank *last)
{
	return u < last->u && r->backend[b].unit >= r->backend[last->b].unit;
}

static bool better(const struct rdv_rank *a, const struct rdv_rank *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a->u != b->u)
		return a->u > b->u;
	return a->b < b->b;
}

/* Insert into a sorted list of at most RDV_CHOICES. Return: its new length. */
static u32 insert(struct rdv_rank *list, u32 len, const struct rdv_rank *rank)
{
	u32 i;

	if (len == RDV_CHOICES) {
		if (!better(rank, &list[len - 1]))
			return len;
		len--;
	}
	for (i = len; i > 0 && better(rank, &list[i - 1]); i--)
		list[i] = list[i - 1];
	list[i] = *rank;
	return len + 1;
}

/* Remember the best choices of @row; with @again those that come after the last one known. */
static void rank_row(struct rdv *r, u32 row, bool again)
{
	u16 *choice = &r->choice[row * RDV_CHOICES];
	struct rdv_rank list[RDV_CHOICES], rank, last;
	u64 hash = row_hash(r, row);
	u32 b, len = 0;
	u64 u;

	if (again)
		last = rank_of(r, hash, choice[RDV_CHOICES - 1]);
	for (b = 0; b < r->n; b++) {
		u = mix(hash ^ r->backend[b].hash);
		if (len == RDV_CHOICES && plainly_worse(r, u, b, &list[len - 1]))
			continue;
		rank = rank_with(r, u, b);
		if (again && !better(&last, &rank))
			continue;
		len = insert(list, len, &rank);
	}
	for (b = 0; b < RDV_CHOICES; b++)
		choice[b] = b < len ? (u16)list[b].b : PXS_NONE;
	r->asked[row] = 0;
	r->cost[row] = len ? list[0].cost : 0;
}

/* Does row @a cost its owner more than row @b does? */
static bool dearer(const struct rdv *r, u32 a, u32 b)
{
	if (r->cost[a] != r->cost[b])
		return r->cost[a] > r->cost[b];
	return a > b;
}

static void heap_push(struct rdv *r, struct rdv_backend *be, u32 row)
{
	u32 *heap = r->heap + be->heap;
	u32 i = be->held++;

	while (i && dearer(r, row, heap[(i - 1) / 2])) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = row;
}

/* Put @row in the place of the dearest. */
static void heap_replace(struct rdv *r, struct rdv_backend *be, u32 row)
{
	u32 *heap = r->heap + be->heap;
	u32 i = 0, child;

	while ((child = 2 * i + 1) < be->held) {
		if (child + 1 < be->held && dearer(r, heap[child + 1], heap[child]))
			child++;
		if (!dearer(r, heap[child], row))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = row;
}

/*
 * The row in hand asks the next backend on its list; whom that turns away, if anybody,
 * is in hand afterwards. Return: steps that this took.
 */
static u32 propose(struct rdv *r, struct pxs_table_row *rows)
{
	u32 row = r->hand, loser, pos = r->choice[row * RDV_CHOICES + r->asked[row]];
	struct rdv_backend *be;

	if (pos == PXS_NONE) {
		/* all refused: impossible, for together they take more rows than there are */
		pxs_assert(false);
		rows[row].first = rows[row].second;
		r->hand = RDV_NO_ROW;
		return 1;
	}
	be = &r->backend[pos];
	if (be->held < be->cap) {
		heap_push(r, be, row);
		rows[row].first = be->index;
		r->hand = RDV_NO_ROW;
		return 1;
	}
	loser = r->heap[be->heap];
	if (dearer(r, loser, row)) {
		heap_replace(r, be, row);
		rows[row].first = be->index;
		r->hand = loser;
	} else {
		loser = row;
	}
	if (++r->asked[loser] == RDV_CHOICES) {
		rank_row(r, loser, true);
		return r->n;
	}
	pos = r->choice[loser * RDV_CHOICES + r->asked[loser]];
	if (pos != PXS_NONE)
		r->cost[loser] = rank_of(r, row_hash(r, loser), pos).cost;
	return 8;
}

/*
 * Second choice: the best-ranked backend that is not the first choice. Until here
 * rows[].second held the best-ranked one; if that is the owner, the row was never ranked again.
 */
static void settle_second(struct rdv *r, struct pxs_table_row *rows, u32 row)
{
	u16 next = r->choice[row * RDV_CHOICES + 1];

	if (rows[row].second != rows[row].first)
		return;
	rows[row].second = next == PXS_NONE ? PXS_NONE : r->backend[next].index;
}

bool pxs_rendezvous_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct rdv *r = scratch;
	u32 cost;

	while (r->done < r->nrows) {
		if (r->hand != RDV_NO_ROW) {
			cost = propose(r, rows);
		} else if (r->fresh < r->nrows) {
			r->hand = r->fresh++;
			rank_row(r, r->hand, false);
			rows[r->hand].second =
				r->backend[r->choice[r->hand * RDV_CHOICES]].index;
			cost = r->n;
		} else {
			settle_second(r, rows, r->done++);
			cost = 1;
		}
		if (budget <= cost)
			return r->done < r->nrows;
		budget -= cost;
	}
	return false;
}

/* Rows that a backend may hold; rounded up, so that together they hold all. */
static u32 cap_of(u32 nrows, u32 cap, u32 weight, u64 sum)
{
	u64 fair = (u64)nrows * (1000 + cap) * weight;
	u64 rows = pxs_div64(fair + 1000 * sum - 1, 1000 * sum);

	return rows < nrows ? (u32)rows : nrows;
}

/* Entries of all heaps: each cap is at most one above its exact share. */
static size_t heap_entries(u32 nrows, u32 cap, u32 n)
{
	return (size_t)pxs_div64((u64)nrows * (1000 + cap), 1000) + n;
}

size_t pxs_rendezvous_scratch(u32 nrows, u32 cap, u32 n)
{
	return sizeof(struct rdv) + n * sizeof(struct rdv_backend) +
	       nrows * (sizeof(u64) + RDV_CHOICES * sizeof(u16) + sizeof(u8)) +
	       (heap_entries(nrows, cap, n) + PXS_LOG2_ENTRIES) * sizeof(u32);
}

void pxs_rendezvous_start(void *scratch, const struct pxs_seed *seed, u32 nrows, u32 cap,
			  const struct pxs_table_owner *owners, u32 n)
{
	struct rdv *r = scratch;
	u32 i, heap = 0;
	u64 sum = 0;

	r->seed = *seed;
	r->nrows = nrows;
	r->n = n;
	r->shift = (u32)__builtin_clz(nrows) + 1;
	r->fresh = 0;
	r->hand = RDV_NO_ROW;
	r->done = 0;
	r->backend = (struct rdv_backend *)(r + 1);
	r->cost = (u64 *)(r->backend + n);
	r->choice = (u16 *)(r->cost + nrows);
	r->heap = (u32 *)(r->choice + (size_t)nrows * RDV_CHOICES);
	r->log2 = r->heap + heap_entries(nrows, cap, n);
	r->asked = (u8 *)(r->log2 + PXS_LOG2_ENTRIES);
	pxs_log2_init(r->log2);
	for (i = 0; i < n; i++)
		sum += owners[i].weight;
	for (i = 0; i < n; i++) {
		struct rdv_backend *be = &r->backend[i];

		be->hash = pxs_siphash_2u64(seed, RDV_DOMAIN_BACKEND, owners[i].id);
		be->unit = pxs_div64((1ull << 33) + owners[i].weight / 2, owners[i].weight);
		be->cap = cap_of(nrows, cap, owners[i].weight, sum);
		be->heap = heap;
		be->held = 0;
		be->index = owners[i].index;
		heap += be->cap;
	}
}
