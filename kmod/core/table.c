// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - which backend owns which hash: building, and the slow half of the lookup
 *
 * A build belongs to one process-context caller until its last step; from then on the
 * table is immutable and any number of readers may use it. What differs between the
 * fills is in a file for each.
 */
#include "table.h"
#include "rendezvous.h"
#include "maglev.h"
#include "maglev_others.h"
#include "ipvs_mh.h"
#include "jump.h"
#include "ketama.h"
#include "redis_slots.h"
#include "sort.h"
#include "sticky.h"

#define TABLE_DOMAIN_OTHER	0x7461626c65000002ull

enum table_phase {
	TABLE_FILL,
	TABLE_DIGEST,
	TABLE_DONE,
};

static u32 count_owners(const struct pxs_table_config *cfg)
{
	u32 i, n = 0;

	for (i = 0; i < cfg->nbackends; i++)
		n += cfg->backends[i].weight > 0;
	return n;
}

static int refuse(const char **why, const char *text, int err)
{
	*why = text;
	return err;
}

static int plan_power_of_two(struct pxs_table_config *cfg, const char **why)
{
	if (!cfg->nrows)
		cfg->nrows = PXS_ROWS_MAX;
	if (cfg->nrows < PXS_ROWS_MIN || cfg->nrows > PXS_ROWS_MAX ||
	    cfg->nrows & (cfg->nrows - 1))
		return refuse(why, "rows is not a power of two in 256..131072", -ERANGE);
	return 0;
}

static int plan_rendezvous(struct pxs_table_config *cfg, const char **why)
{
	if (cfg->cap > PXS_CAP_MAX)
		return refuse(why, "cap is above 1000 thousandths", -ERANGE);
	return plan_power_of_two(cfg, why);
}

static int plan_maglev(struct pxs_table_config *cfg, const char **why)
{
	if (!cfg->nrows)
		cfg->nrows = PXS_ROWS_MAGLEV;
	if (cfg->nrows > PXS_ROWS_MAX || !pxs_is_prime(cfg->nrows))
		return refuse(why, "rows is not a prime up to 131071", -ERANGE);
	return 0;
}

static int plan_maglev_katran(struct pxs_table_config *cfg, const char **why)
{
	if (cfg->nrows && (cfg->nrows > PXS_ROWS_KATRAN_MAX || !pxs_is_prime(cfg->nrows)))
		return refuse(why, "rows is not a prime up to 65537", -ERANGE);
	return plan_maglev(cfg, why);
}

static int plan_size(struct pxs_table_config *cfg, u32 by_rule, const char **why)
{
	if (!cfg->nrows)
		cfg->nrows = by_rule;
	if (pxs_maglev_size(cfg->nrows) < 0)
		return refuse(why,
			      "rows is none of 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071",
			      -ERANGE);
	return 0;
}

static int plan_maglev_cilium(struct pxs_table_config *cfg, const char **why)
{
	return plan_size(cfg, PXS_ROWS_CILIUM, why);
}

static int plan_ipvs_mh(struct pxs_table_config *cfg, const char **why)
{
	return plan_size(cfg, PXS_ROWS_IPVS_MH, why);
}

static int plan_redis_slots(struct pxs_table_config *cfg, const char **why)
{
	if (cfg->nrows && cfg->nrows != PXS_REDIS_SLOTS)
		return refuse(why, "redis-slots has 16384 rows", -ERANGE);
	cfg->nrows = PXS_REDIS_SLOTS;
	return 0;
}

static int plan_ketama(struct pxs_table_config *cfg, const char **why)
{
	u32 i, n = count_owners(cfg), points = 0;
	u64 sum = 0;

	for (i = 0; i < cfg->nbackends; i++)
		sum += cfg->backends[i].weight;
	for (i = 0; i < cfg->nbackends; i++)
		points += pxs_ketama_points(cfg->backends[i].weight, sum, n);
	if (cfg->nrows && cfg->nrows != points)
		return refuse(why, "the rows of ketama follow from the backends", -ERANGE);
	cfg->nrows = points;
	return 0;
}

/* What differs between the fills. @n: backends with weight. */
struct table_fill {
	int (*plan)(struct pxs_table_config *cfg, const char **why);
	size_t (*scratch)(const struct pxs_table_config *cfg, u32 n);
	void (*start)(struct pxs_table_build *b, u32 n);
	bool (*step)(void *scratch, struct pxs_table_row *rows, u32 budget);
};

static size_t scratch_rendezvous(const struct pxs_table_config *cfg, u32 n)
{
	return pxs_rendezvous_scratch(cfg, n);
}

static size_t scratch_maglev(const struct pxs_table_config *cfg, u32 n)
{
	(void)cfg;
	return pxs_maglev_scratch(n);
}

static size_t scratch_maglev_named(const struct pxs_table_config *cfg, u32 n)
{
	(void)cfg;
	return pxs_maglev_named_scratch(n);
}

static size_t scratch_redis_slots(const struct pxs_table_config *cfg, u32 n)
{
	(void)cfg;
	return pxs_redis_slots_scratch(n);
}

static size_t scratch_jump(const struct pxs_table_config *cfg, u32 n)
{
	(void)cfg;
	return pxs_jump_scratch(n);
}

static size_t scratch_ketama(const struct pxs_table_config *cfg, u32 n)
{
	(void)n;
	return pxs_ketama_scratch(cfg->nrows);
}

static void start_ketama(struct pxs_table_build *b, u32 n)
{
	u32 *points = (u32 *)&b->table->rows[b->table->nrows];

	pxs_ketama_start(b->fill, b->cfg, points, b->owners, n);
}

static void start_rendezvous(struct pxs_table_build *b, u32 n)
{
	pxs_rendezvous_start(b->fill, b->cfg, b->cfg->cap, b->owners, n);
}

static void start_maglev(struct pxs_table_build *b, u32 n)
{
	pxs_maglev_start(b->fill, &b->cfg->seed, b->cfg->nrows, b->owners, n, b->table->rows);
}

static void start_maglev_envoy(struct pxs_table_build *b, u32 n)
{
	pxs_maglev_envoy_start(b->fill, b->cfg, b->owners, n, b->table->rows);
}

static void start_maglev_katran(struct pxs_table_build *b, u32 n)
{
	pxs_maglev_katran_start(b->fill, b->cfg, b->owners, n, b->table->rows);
}

static void start_maglev_cilium(struct pxs_table_build *b, u32 n)
{
	pxs_maglev_cilium_start(b->fill, b->cfg, b->owners, n, b->table->rows);
}

static void start_ipvs_mh(struct pxs_table_build *b, u32 n)
{
	pxs_ipvs_mh_start(b->fill, b->cfg, b->owners, n, b->table->rows);
}

static void start_redis_slots(struct pxs_table_build *b, u32 n)
{
	pxs_redis_slots_start(b->fill, &b->cfg->seed, b->owners, n);
}

static void start_sticky(struct pxs_table_build *b, u32 n)
{
	pxs_sticky_start(b->fill, b->cfg, b->owners, n);
}

static void start_jump(struct pxs_table_build *b, u32 n)
{
	pxs_jump_start(b->fill, &b->cfg->seed, b->cfg->nrows, b->owners, n);
}

static const struct table_fill fills[] = {
	[PXS_FILL_RENDEZVOUS] = { plan_rendezvous, scratch_rendezvous, start_rendezvous,
				  pxs_rendezvous_step },
	[PXS_FILL_MAGLEV] = { plan_maglev, scratch_maglev, start_maglev, pxs_maglev_step },
	[PXS_FILL_REDIS_SLOTS] = { plan_redis_slots, scratch_redis_slots, start_redis_slots,
				   pxs_redis_slots_step },
	[PXS_FILL_STICKY] = { plan_power_of_two, pxs_sticky_scratch, start_sticky,
			      pxs_sticky_step },
	[PXS_FILL_KETAMA] = { plan_ketama, scratch_ketama, start_ketama, pxs_ketama_step },
	[PXS_FILL_MAGLEV_ENVOY] = { plan_maglev, scratch_maglev_named, start_maglev_envoy,
				    pxs_maglev_step },
	[PXS_FILL_MAGLEV_KATRAN] = { plan_maglev_katran, scratch_maglev, start_maglev_katran,
				     pxs_maglev_step },
	[PXS_FILL_MAGLEV_CILIUM] = { plan_maglev_cilium, scratch_maglev_named,
				     start_maglev_cilium, pxs_maglev_step },
	[PXS_FILL_IPVS_MH] = { plan_ipvs_mh, scratch_maglev, start_ipvs_mh, pxs_maglev_step },
	[PXS_FILL_JUMP] = { plan_power_of_two, scratch_jump, start_jump, pxs_jump_step },
};

int pxs_table_plan(struct pxs_table_config *cfg, const char **why)
{
	u32 i, nowners;
	int err;

	if (cfg->nbackends > PXS_TABLE_BACKENDS_MAX)
		return refuse(why, "more than 65535 backends", -E2BIG);
	for (i = 0; i < cfg->nbackends; i++)
		if (cfg->backends[i].weight > PXS_WEIGHT_MAX)
			return refuse(why, "weight is above 65535", -ERANGE);
	nowners = count_owners(cfg);
	if (!nowners)
		return refuse(why, "no backend has weight", -ENODATA);
	if (cfg->fill >= ARRAY_SIZE(fills) || !fills[cfg->fill].plan)
		return refuse(why, "unknown fill", -EINVAL);
	err = fills[cfg->fill].plan(cfg, why);
	if (!err && cfg->nrows < nowners && cfg->fill != PXS_FILL_KETAMA)
		return refuse(why, "fewer rows than backends", -ERANGE);
	return err;
}

u64 pxs_table_default_id(const u8 *addr, u16 port)
{
	static const struct pxs_seed seed = { .k = { 0x7061787374656572ull, 1 } };
	u8 bytes[18];

	memcpy(bytes, addr, 16);
	bytes[16] = (u8)(port >> 8);
	bytes[17] = (u8)port;
	return pxs_siphash(&seed, bytes, sizeof(bytes));
}

size_t pxs_table_size(const struct pxs_table_config *cfg)
{
	return sizeof(struct pxs_table) + cfg->nrows * sizeof(struct pxs_table_row) +
	       (cfg->fill == PXS_FILL_KETAMA ? cfg->nrows * sizeof(u32) : 0) +
	       sizeof(u32) /* what is behind is aligned */ +
	       count_owners(cfg) * sizeof(struct pxs_table_owner) + cfg->nbackends * sizeof(u16);
}

static u32 past_indices(const struct pxs_table_config *cfg)
{
	return cfg->past && cfg->past->table ? cfg->past->table->nbackends : 0;
}

size_t pxs_table_scratch(const struct pxs_table_config *cfg)
{
	u32 n = count_owners(cfg);

	return past_indices(cfg) * sizeof(u64) + fills[cfg->fill].scratch(cfg, n);
}

/* Of the table without its rows. */
static u64 digest_of_none(const struct pxs_table *t)
{
	return pxs_siphash_3u64(&t->seed, (u64)PXS_TABLE_VERSION << 32 | t->fill,
				(u64)t->nrows << 32 | t->nowners, t->key);
}

static bool has_lower_id(const void *a, const void *b)
{
	const struct pxs_table_owner *x = a, *y = b;

	return x->id < y->id;
}

static void set_places(struct pxs_table *t)
{
	const struct pxs_table_owner *owners = pxs_table_owners(t);
	u16 *places = (u16 *)pxs_table_places(t);
	u32 i;

	for (i = 0; i < t->nbackends; i++)
		places[i] = PXS_NONE;
	for (i = 0; i < t->nowners; i++)
		places[owners[i].index] = (u16)i;
}

int pxs_table_start(struct pxs_table_build *b, const struct pxs_table_config *cfg,
		    struct pxs_table *table, void *scratch, u64 generation, const char **why)
{
	struct pxs_table_owner *owners;
	u32 i, n = 0;

	table->generation = generation;
	table->nrows = cfg->nrows;
	table->nbackends = cfg->nbackends;
	table->fill = cfg->fill;
	table->ring = cfg->fill == PXS_FILL_KETAMA;
	table->cap = cfg->cap;
	table->key = cfg->key;
	table->seed = cfg->seed;
	table->far = 0;
	owners = (struct pxs_table_owner *)pxs_table_owners(table);
	for (i = 0; i < cfg->nbackends; i++) {
		if (!cfg->backends[i].weight)
			continue;
		owners[n] = (struct pxs_table_owner){
			.id = cfg->backends[i].id,
			.weight = cfg->backends[i].weight,
			.index = (u16)i,
		};
		n++;
	}
	pxs_sort(owners, n, sizeof(*owners), has_lower_id);
	for (i = 1; i < n; i++)
		if (owners[i].id == owners[i - 1].id)
			return refuse(why, "two backends have the same id", -EEXIST);
	table->nowners = n;
	set_places(table);
	table->digest = digest_of_none(table);

	b->cfg = cfg;
	b->table = table;
	b->owners = owners;
	b->past_id = scratch;
	b->fill = b->past_id + past_indices(cfg);
	b->touched = NULL;
	b->row = 0;
	b->phase = TABLE_FILL;
	fills[cfg->fill].start(b, n);
	return 0;
}

u16 pxs_table_other(const struct pxs_seed *seed, const struct pxs_table_owner *owners, u32 n,
		    u32 at, u32 row)
{
	u64 hash = pxs_siphash_2u64(seed, TABLE_DOMAIN_OTHER, row);

	if (n == 1)
		return PXS_NONE;
	at += 1 + (u32)(((hash >> 32) * (n - 1)) >> 32);
	return owners[at < n ? at : at - n].index;
}

/*
 * What a row adds to the digest: a sum, so that what a change leaves alone need not be looked
 * at again. By id, not by index: an index is where a director happens to keep a backend.
 */
static u64 digest_of_row(const struct pxs_table *t, u32 row, u64 first, u64 second)
{
	u64 place = t->ring ? pxs_table_points(t)[row] : 0;

	return pxs_siphash_3u64(&t->seed, place << 32 | row, first, second);
}

static bool digest_step(struct pxs_table_build *b, u32 budget)
{
	const u32 bits = 8 * sizeof(*b->touched);
	struct pxs_table *t = b->table;
	const struct pxs_table_backend *be = b->cfg->backends;

	for (; b->row < t->nrows && budget; b->row++, budget--) {
		const struct pxs_table_row *row = &t->rows[b->row];
		u64 second = row->second == PXS_NONE ? 0 : be[row->second].id;

		if (b->touched && !pxs_live(b->touched, b->row)) {
			/* whole words of rows that were not: that is most of them */
			if (!(b->row % bits) && !b->touched[b->row / bits])
				b->row += bits - 1;
			continue;
		}
		t->digest += digest_of_row(t, b->row, be[row->first].id, second);
		if (!b->touched)
			continue;
		row = &b->cfg->past->table->rows[b->row];
		t->digest -= digest_of_row(t, b->row, b->past_id[row->first],
					   b->past_id[row->second]);
	}
	return b->row < t->nrows;
}

/* The fill is done: is there a digest to go on from? */
static void begin_digest(struct pxs_table_build *b)
{
	const struct pxs_table_owner *owners;
	const struct pxs_table *past;
	u32 i;

	b->phase = TABLE_DIGEST;
	if (b->cfg->fill != PXS_FILL_RENDEZVOUS)
		return;
	b->table->far = pxs_rendezvous_far(b->fill);
	b->touched = pxs_rendezvous_touched(b->fill);
	if (!b->touched)
		return;
	past = b->cfg->past->table;
	owners = pxs_table_owners(past);
	for (i = 0; i < past->nowners; i++)
		b->past_id[owners[i].index] = owners[i].id;
	b->table->digest += past->digest - digest_of_none(past);
}

bool pxs_table_step(struct pxs_table_build *b, u32 budget)
{
	switch (b->phase) {
	case TABLE_FILL:
		if (!fills[b->cfg->fill].step(b->fill, b->table->rows, budget))
			begin_digest(b);
		return true;
	case TABLE_DIGEST:
		if (digest_step(b, b->touched ? budget : budget / 8 + 1))
			return true;
		b->phase = TABLE_DONE;
		return false;
	default:
		return false;
	}
}

/* Further rows of a hash: the high half of this generator's numbers is good (Knuth's MMIX). */
static u64 next_probe(u64 hash)
{
	return hash * 6364136223846793005ull + 1442695040888963407ull;
}

static bool serves(const unsigned long *live, const unsigned long *full, u32 index)
{
	return pxs_live(live, index) && !(full && pxs_live(full, index));
}

/* Owners of which each is looked at; then who is live is looked through, many in a word. */
#define NEAR	64

/* Who serves, of any place: the first in order of id from @at on, round and round; or PXS_NONE. */
static u16 next_of_bits(const struct pxs_table *t, const unsigned long *live,
			const unsigned long *full, u32 at)
{
	const u32 bits = 8 * sizeof(*live);
	const u16 *places = pxs_table_places(t);
	u32 w, index, way, least = t->nowners;
	u16 next = PXS_NONE;
	unsigned long word;

	for (w = 0; w < pxs_bitmap_longs(t->nbackends); w++) {
		word = READ_ONCE(live[w]) & (full ? ~READ_ONCE(full[w]) : ~0ul);
		for (; word; word &= word - 1) {
			index = w * bits + (u32)__builtin_ctzl(word);
			if (index >= t->nbackends || places[index] == PXS_NONE)
				continue;
			way = places[index] + (places[index] < at ? t->nowners : 0) - at;
			if (way >= least)
				continue;
			least = way;
			next = (u16)index;
		}
	}
	return next;
}

static u16 next_live(const struct pxs_table *t, const unsigned long *live,
		     const unsigned long *full, u32 at)
{
	const struct pxs_table_owner *owners = pxs_table_owners(t);
	u32 i, place = at;

	for (i = 0; i < NEAR && i < t->nowners; i++) {
		if (serves(live, full, owners[place].index))
			return owners[place].index;
		if (++place == t->nowners)
			place = 0;
	}
	return i < t->nowners ? next_of_bits(t, live, full, at) : PXS_NONE;
}

struct pxs_pick pxs_table_pick_slow(const struct pxs_table *t, const unsigned long *live,
				    const unsigned long *full, u64 hash)
{
	const struct pxs_table_row *row = &t->rows[pxs_table_row_of(t, hash)];
	struct pxs_pick pick = { .backend = row->second, .choice = PXS_CHOICE_SECOND };
	u64 probe = hash;
	u32 i;

	if (row->second != PXS_NONE && serves(live, full, row->second))
		return pick;
	pick.choice = PXS_CHOICE_PROBE;
	for (i = 0; i < PXS_TABLE_PROBES && row->second != PXS_NONE; i++) {
		probe = next_probe(probe);
		row = &t->rows[pxs_table_row_of(t, probe)];
		pick.backend = row->first;
		if (serves(live, full, row->first))
			return pick;
		pick.backend = row->second;
		if (serves(live, full, row->second))
			return pick;
	}
	/* few live among many dead: from a place that the hash chooses, the next live one */
	pick.backend = next_live(t, live, full, (u32)(((hash & 0xffffffff) * t->nowners) >> 32));
	if (pick.backend == PXS_NONE)
		pick.choice = PXS_CHOICE_NONE;
	return pick;
}

void pxs_table_second_is_next(struct pxs_table_row *rows, u32 nrows)
{
	u16 last = rows[nrows - 1].first;
	u16 owner = last, other = PXS_NONE;
	u32 row;

	for (row = 0; row < nrows && rows[row].first == last; row++)
		;
	if (row < nrows)
		other = rows[row].first;
	for (row = nrows; row-- > 0; ) {
		if (rows[row].first != owner) {
			other = owner;
			owner = rows[row].first;
		}
		rows[row].second = other;
	}
}

u32 pxs_table_row_on_ring(const struct pxs_table *t, u64 hash)
{
	const u32 *points = pxs_table_points(t);
	u32 lo = 0, hi = t->nrows, at = (u32)(hash >> 32), mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (points[mid] < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < t->nrows ? lo : 0;
}

static void count_ring(const struct pxs_table *t, u32 *rows)
{
	const u32 *points = pxs_table_points(t);
	u32 i, before = points[t->nrows - 1], whole = 0;
	bool one = true;

	for (i = 0; i < t->nrows; i++) {
		rows[t->rows[i].first] += points[i] - before;
		whole += points[i] - before;
		before = points[i];
		one &= t->rows[i].first == t->rows[0].first;
	}
	/* one owner of all, though others may have too little weight for a point: 2^32 is 0 */
	pxs_assert(!whole);
	for (i = 0; i < t->nbackends; i++)
		rows[i] = (u32)((u64)rows[i] * t->nrows >> 32);
	if (one)
		rows[t->rows[0].first] = t->nrows;
}

void pxs_table_count(const struct pxs_table *t, u32 *rows)
{
	u32 i;

	memset(rows, 0, t->nbackends * sizeof(*rows));
	if (t->ring) {
		count_ring(t, rows);
		return;
	}
	for (i = 0; i < t->nrows; i++)
		rows[t->rows[i].first]++;
}
