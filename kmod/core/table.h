/* SPDX-License-Identifier: GPL-2.0 */
/*
 * table.h - which backend owns which hash: the immutable lookup structure
 *
 * A table is built once, in the caller's memory, and never changed; the caller
 * publishes it (RCU in the module) and frees it. Which backends serve at the moment
 * is a bitmap beside it: a failure flips a bit, the row's second choice serves, and
 * setting the bit again gives every row back.
 *
 * Building is long (milliseconds to a second) and runs in process context:
 *
 *	pxs_table_plan(&cfg, &why)			checks, sets cfg.nrows
 *	t = alloc(pxs_table_size(&cfg)); scratch = alloc(pxs_table_scratch(&cfg))
 *	pxs_table_start(&build, &cfg, t, scratch, generation, &why)
 *	while (pxs_table_step(&build, PXS_TABLE_BUDGET))
 *		cond_resched();
 *	free(scratch)
 *
 * cfg.backends must stay until the last step. The table depends on nothing but fill,
 * rows, cap, seed and the set of (id, weight): not on the order of backends, their
 * index, or, unless the fill is sticky, what was there before: rendezvous goes on from the
 * table before only to be done sooner. pxs_table_pick() is for the
 * packet path: no division, no lock, bounded.
 */
#ifndef PXS_CORE_TABLE_H
#define PXS_CORE_TABLE_H

#include "platform.h"
#include "siphash.h"
#include <linux/paxsteer.h>

#define PXS_NONE		0xffff	/* backend index: nobody */

/*
 * Part of every digest; another one whenever equal configurations may have other rows than
 * before, or equal keys other hashes: directors that would not agree must not seem to.
 * 2: keys are hashed by SipHash-1-3, rendezvous ranks by permutations (rank.h).
 * 3: of the tuple, the destination is hashed first.
 * 4: the rule by which keys are found is part of it; rows by rule are PXS_ROWS_MAX.
 */
#define PXS_TABLE_VERSION	4

/* What an index has room for; what a service may have is PXS_BACKENDS_MAX. */
#define PXS_TABLE_BACKENDS_MAX	65535

#define PXS_ROWS_MIN		256	/* rendezvous */
#define PXS_ROWS_MAX		131072	/* rendezvous; maglev: largest prime below, 131071 */
#define PXS_ROWS_MAGLEV		65537	/* the paper's small table; a prime */
#define PXS_CAP_MAX		1000	/* thousandths */
#define PXS_CAP_DEFAULT		20
#define PXS_TABLE_PROBES	8	/* rows tried after the one that was hit */
#define PXS_TABLE_BUDGET	65536	/* well below a millisecond natively */

/* One backend as the fill sees it; its place in the array is its index in the rows. */
struct pxs_table_backend {
	u64 id;		/* what is hashed; unique; equal on every director */
	u32 weight;	/* 0..PXS_WEIGHT_MAX; 0 owns no row, as first or second choice */
	/* Its name for fills that others have too (ketama...); id is all that counts elsewhere. */
	u16 port;	/* host order */
	u8 family;	/* 4, 6 */
	u8 addr[16];
};

/* What was before. Sticky begins with its rows (not of a ring), rendezvous with the table. */
struct pxs_table_past {
	const struct pxs_table *table;	/* or NULL; its indices need not mean the same now */
	const struct pxs_table_row *rows;
	u32 nrows;
	u32 nbackends;
	const u64 *ids;	/* by index: who it was */
};

struct pxs_table_config {
	u8 fill;	/* enum pxs_fill */
	u16 cap;	/* rendezvous: thousandths above the fair share that a backend may own */
	u8 proto;	/* of the service, as in an IP header: part of maglev-cilium's names */
	u32 nrows;	/* 0: by rule, see pxs_table_plan(); ketama: 0 */
	struct pxs_seed seed;
	u64 key;	/* pxs_key_word() of what is hashed, if that is a service's */
	u32 nbackends;	/* 1..PXS_TABLE_BACKENDS_MAX */
	const struct pxs_table_backend *backends;
	const struct pxs_table_past *past;	/* the table before, or NULL */
};

/*
 * A backend that owns rows: what is left of the configuration, in order of id. A build from
 * the table before needs to know of rendezvous, too, what it held and was allowed to hold.
 */
struct pxs_table_owner {
	u64 id;
	u32 weight;
	u32 cap;
	u32 rows;
	u32 last;	/* rank of its dearest row, or more; see rendezvous.c */
	u16 index;
};

struct pxs_table {
	u64 generation;	/* the caller's number of this table */
	u64 digest;	/* equal: the key's rule, fill, rows, seed and owners, by id, of all rows */
	u64 key;	/* pxs_key_word(), of the digest alone */
	u64 far;	/* rendezvous: no row costs its second choice more */
	struct pxs_seed seed;
	u32 nrows;
	u32 nbackends;	/* indices in rows are below */
	u32 nowners;	/* backends with weight, listed behind the rows in order of id */
	u8 fill;
	bool ring;	/* a row is a point of a ring, its place is listed behind the rows */
	u16 cap;
	struct pxs_table_row rows[];
};

struct pxs_pick {
	u16 backend;	/* index or PXS_NONE */
	u8 choice;	/* enum pxs_choice */
	bool spilled;	/* load.h: whoever would serve is full */
};

/* A build in progress. Private to table.c. */
struct pxs_table_build {
	const struct pxs_table_config *cfg;
	struct pxs_table *table;
	struct pxs_table_owner *owners;
	void *fill;
	u64 *past_id;	/* by index in the table before, where the build went on from it */
	const unsigned long *touched;	/* rows that may differ from it; NULL: all */
	u32 row;
	u8 phase;
};

/*
 * Check a configuration and settle its size. Rows by rule: rendezvous, sticky and jump 131072;
 * maglev 65537, as Cilium 16381; ipvs-mh 4093; redis-slots 16384; ketama as many as there are
 * points. But for ketama the size follows neither weights nor the number of backends: another
 * size means another owner for half of the rows or more, and neither a weight that is ramped up
 * from 1 nor one more backend may cause that.
 * Balance wants 100 * sum(weights) / min(weight) rows; ask for them where it matters.
 * Return: 0, or -EINVAL, -ERANGE, -E2BIG (too many backends), -ENODATA (no backend has
 * weight) with *why a sentence for the operator.
 */
int pxs_table_plan(struct pxs_table_config *cfg, const char **why);

/* The id of a backend that was given none: of its address (IPv4: 4 bytes, then 0) and port. */
u64 pxs_table_default_id(const u8 *addr, u16 port);

/* Bytes of a table and of the scratch memory of its build. After pxs_table_plan(). */
size_t pxs_table_size(const struct pxs_table_config *cfg);
size_t pxs_table_scratch(const struct pxs_table_config *cfg);

/*
 * Begin to build. Neither memory needs to be zeroed; both aligned for u64.
 * Return: 0, or -EEXIST and *why when two backends have one id.
 */
int pxs_table_start(struct pxs_table_build *b, const struct pxs_table_config *cfg,
		    struct pxs_table *table, void *scratch, u64 generation, const char **why);

/* Do about @budget elementary steps. Return: true while there is more to do. */
bool pxs_table_step(struct pxs_table_build *b, u32 budget);

/*
 * Second choice of @row, whose owner is the one @at: any other, evenly, as the seed says.
 * For fills whose rows lie in no useful order. Return: its index or PXS_NONE.
 */
u16 pxs_table_other(const struct pxs_seed *seed, const struct pxs_table_owner *owners, u32 n,
		    u32 at, u32 row);

/* Second choice of each row: the owner of the next row that another one owns. */
void pxs_table_second_is_next(struct pxs_table_row *rows, u32 nrows);

/* Places of the rows of a ring. */
static inline const u32 *pxs_table_points(const struct pxs_table *t)
{
	return (const u32 *)&t->rows[t->nrows];
}

/* The backends with weight in order of id, behind the rows and the points. */
static inline const struct pxs_table_owner *pxs_table_owners(const struct pxs_table *t)
{
	size_t bytes = t->nrows * sizeof(u32) * (t->ring ? 2 : 1);

	return (const void *)((const u8 *)t->rows + ((bytes + 7) & ~(size_t)7));
}

/* By index: its place among the owners, behind which this is listed; PXS_NONE: it is none. */
static inline const u16 *pxs_table_places(const struct pxs_table *t)
{
	return (const u16 *)(pxs_table_owners(t) + t->nowners);
}

/* On a ring: the first point that is not below the hash's high half, else the first of all. */
u32 pxs_table_row_on_ring(const struct pxs_table *t, u64 hash);

/* Row of a hash: its high half, scaled. */
static inline u32 pxs_table_row_of(const struct pxs_table *t, u64 hash)
{
	if (unlikely(t->ring))
		return pxs_table_row_on_ring(t, hash);
	return (u32)(((hash >> 32) * t->nrows) >> 32);
}

static inline bool pxs_live(const unsigned long *live, u32 index)
{
	const u32 bits = 8 * sizeof(*live);

	return READ_ONCE(live[index / bits]) >> (index % bits) & 1;
}

/* Longs that a bitmap of @n bits takes: of backends (live) or of rows. */
static inline u32 pxs_bitmap_longs(u32 n)
{
	const u32 bits = 8 * sizeof(unsigned long);

	return (n + bits - 1) / bits;
}

/*
 * pxs_table_pick() for a hash whose first choice is out. With @full (or NULL), whoever has a bit
 * there is out, too.
 */
struct pxs_pick pxs_table_pick_slow(const struct pxs_table *t, const unsigned long *live,
				    const unsigned long *full, u64 hash);

/*
 * Who serves @hash. @live has a bit for each backend index below t->nbackends and may
 * change at any time. First choice, else second, else those of a few more rows, else
 * the next live one in order of id: nobody only if no backend with weight is live.
 * Directors with equal tables and equal live backends agree.
 */
static inline struct pxs_pick pxs_table_pick(const struct pxs_table *t,
					     const unsigned long *live, u64 hash)
{
	u16 first = t->rows[pxs_table_row_of(t, hash)].first;
	struct pxs_pick pick = { .backend = first, .choice = PXS_CHOICE_FIRST };

	if (likely(pxs_live(live, first)))
		return pick;
	return pxs_table_pick_slow(t, live, NULL, hash);
}

/*
 * Count the rows whose first choice is each backend into @rows[0..t->nbackends). Rows of a
 * ring are not alike: there it is nrows times the share of the ring.
 */
void pxs_table_count(const struct pxs_table *t, u32 *rows);

#endif /* PXS_CORE_TABLE_H */
