// SPDX-License-Identifier: GPL-2.0
/*
 * tables.c - balance, moves, speed and size of tables, ours against others
 *
 *	tables		all sizes
 *	tables -s	short: up to 100 backends, for `make check`
 *
 * Owners are asked for at evenly spaced places of the space of hashes: exact for tables,
 * near it for rings, a sample for functions of single keys (whose balance is that of so
 * many keys). "moved" counts places whose owner differs, over the least that the shares
 * allow; "rebuild" is that of the table without one backend, after the first. Times are the least
 * of several rounds, in processor time.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "jump.h"
#include "key.h"
#include "others.h"
#include "rank.h"

#define BACKENDS	10001
#define PLACES_BITS	20
#define PLACES		(1u << PLACES_BITS)
#define PXS_ROUNDS	5
#define KEYS		4096

struct backends {
	struct pxs_table_backend be[BACKENDS];
	u32 n;
};

/* One way to spread keys: build from backends, find an owner. */
struct way {
	const char *name;
	u8 fill;	/* of the core, or 0 */
	u32 rows;
	bool weights;
	void *(*build)(const struct way *way, const struct backends *b, size_t *bytes);
	u32 (*find)(const void *state, u64 hash);
};

static struct backends base, changed;
static u32 capacity;		/* of AnchorHash, for this size */
static unsigned int ok_bars, missed_bars, tests, failed;
static u16 owner[PLACES];
static const struct pxs_seed seed = { .k = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };

/* What sticky goes on from: the table of base, while changes to it are measured. */
static struct pxs_table_past past;
static u64 past_ids[BACKENDS];

static void *build_core(const struct way *way, const struct backends *b, size_t *bytes)
{
	struct pxs_table_config cfg = {
		.fill = way->fill, .nrows = way->rows, .cap = PXS_CAP_DEFAULT, .seed = seed,
		.nbackends = b->n, .backends = b->be, .past = past.table ? &past : NULL,
	};
	struct pxs_table_build build;
	struct pxs_table *t;
	const char *why = "?";
	void *scratch;

	if (pxs_table_plan(&cfg, &why)) {
		printf("# %s, %u backends: %s\n", way->name, b->n, why);
		return NULL;
	}
	*bytes = pxs_table_size(&cfg);
	t = malloc(*bytes);
	scratch = malloc(pxs_table_scratch(&cfg));
	if (pxs_table_start(&build, &cfg, t, scratch, 1, &why))
		abort();
	while (pxs_table_step(&build, PXS_TABLE_BUDGET))
		;
	free(scratch);
	return t;
}

static u32 find_core(const void *state, u64 hash)
{
	const struct pxs_table *t = state;

	return t->rows[pxs_table_row_of(t, hash)].first;
}

static void *build_anchor(const struct way *way, const struct backends *b, size_t *bytes)
{
	struct anchor *s = anchor_build(capacity, b->n);
	u32 i;

	(void)way;
	*bytes = sizeof(*s) + 5 * (size_t)capacity * sizeof(u32);
	for (i = 0; i < b->n; i++)
		if (!b->be[i].weight)
			anchor_remove(s, i);
	return s;
}

static u32 find_anchor(const void *state, u64 hash)
{
	return anchor_find(state, hash);
}

/* Only the last of its buckets can go: what is behind a hole moves up. */
struct jumper {
	u32 n;
	u16 bucket[BACKENDS];
};

static void *build_jump(const struct way *way, const struct backends *b, size_t *bytes)
{
	struct jumper *j = malloc(sizeof(*j));
	u32 i;

	(void)way;
	j->n = 0;
	for (i = 0; i < b->n; i++)
		if (b->be[i].weight)
			j->bucket[j->n++] = (u16)i;
	*bytes = j->n * sizeof(u16);
	return j;
}

static u32 find_jump(const void *state, u64 hash)
{
	const struct jumper *j = state;

	return j->bucket[pxs_jump(hash * 0x9e3779b97f4a7c15ull, j->n)];
}

static const struct way ways[] = {
	{ "rendezvous 2%", PXS_FILL_RENDEZVOUS, 0, true, build_core, find_core },
	{ "sticky", PXS_FILL_STICKY, 0, true, build_core, find_core },
	{ "maglev", PXS_FILL_MAGLEV, 0, true, build_core, find_core },
	{ "maglev-envoy", PXS_FILL_MAGLEV_ENVOY, 0, true, build_core, find_core },
	{ "maglev-katran", PXS_FILL_MAGLEV_KATRAN, 0, true, build_core, find_core },
	{ "maglev-cilium", PXS_FILL_MAGLEV_CILIUM, 0, true, build_core, find_core },
	{ "ketama ring", PXS_FILL_KETAMA, 0, true, build_core, find_core },
	{ "jump table", PXS_FILL_JUMP, 0, true, build_core, find_core },
	{ "jump", 0, 0, false, build_jump, find_jump },
	{ "AnchorHash", 0, 0, false, build_anchor, find_anchor },
	{ "ipvs-mh 4093", PXS_FILL_IPVS_MH, 4093, true, build_core, find_core },
	{ "ipvs-mh 65521", PXS_FILL_IPVS_MH, 65521, true, build_core, find_core },
};

static u64 place(u32 i)
{
	return (u64)i << (64 - PLACES_BITS) | 1ull << (63 - PLACES_BITS);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void check(bool good, const char *name)
{
	tests++;
	failed += !good;
	printf("%s %u - %s\n", good ? "ok" : "not ok", tests, name);
}

/* Return: it is met. */
static bool bar(const char *name, double value, double most)
{
	bool met = value <= most;

	ok_bars += met;
	missed_bars += !met;
	printf("bar: tables-%s %.4g wanted <=%.4g %s\n", name, value, most, met ? "met" : "missed");
	return met;
}

static void set_backends(struct backends *b, u32 n, u32 weight)
{
	u32 i;

	b->n = n;
	for (i = 0; i < n; i++) {
		struct pxs_table_backend *be = &b->be[i];

		memset(be, 0, sizeof(*be));
		be->weight = weight ? weight : i * 5 + 1;
		be->family = 4;
		be->port = 11211;
		be->addr[0] = 10;
		be->addr[2] = (u8)(i >> 8);
		be->addr[3] = (u8)i;
		be->id = 0x0a00000000002bcbull + ((u64)i << 32);
	}
}

static u64 sum_of(const struct backends *b)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < b->n; i++)
		sum += b->be[i].weight;
	return sum;
}

/* Greatest and least share over the fair one. */
static void balance(const struct way *way, const void *state, double *most, double *least)
{
	static u32 count[BACKENDS];
	double fair, share;
	u32 i, who;

	memset(count, 0, sizeof(count));
	for (i = 0; i < PLACES; i++) {
		who = way->find(state, place(i));
		owner[i] = (u16)who;
		count[who]++;
	}
	*most = 0;
	*least = 1e9;
	for (i = 0; i < base.n; i++) {
		fair = (double)base.be[i].weight / (double)sum_of(&base) * PLACES;
		share = count[i] / fair;
		*most = share > *most ? share : *most;
		*least = share < *least ? share : *least;
	}
}

/* The share of places that any table must give another owner. */
static double least_moves(void)
{
	double a = (double)sum_of(&base), b = (double)sum_of(&changed), moves = 0, was, is;
	u32 i;

	for (i = 0; i < max(base.n, changed.n); i++) {
		was = i < base.n ? base.be[i].weight / a : 0;
		is = i < changed.n ? changed.be[i].weight / b : 0;
		moves += is > was ? is - was : 0;
	}
	return moves;
}

static double rebuild_ms;	/* of the last change that was measured */

/* Places that move from base to changed, over the least; rebuild time by the way. */
static double moved(const struct way *way, u32 rounds)
{
	void *state = NULL;
	size_t bytes;
	u32 i, n = 0;
	double t;

	rebuild_ms = 1e9;
	for (i = 0; i < rounds; i++) {
		free(state);
		t = now_ms();
		state = way->build(way, &changed, &bytes);
		t = now_ms() - t;
		rebuild_ms = t < rebuild_ms ? t : rebuild_ms;
	}
	for (i = 0; state && i < PLACES; i++)
		n += owner[i] != way->find(state, place(i));
	free(state);
	return n / (least_moves() * PLACES);
}

/* A hash of 16 bytes and a lookup, or (way NULL) the hash alone, in ns. */
static double lookup_ns(const struct way *way, const void *state)
{
	static u64 key[KEYS][2];
	static unsigned long live[BACKENDS / 64 + 1];
	double best = 1e9, t;
	u64 hash, x = 0;
	u32 i, r, turn;

	memset(live, 0xff, sizeof(live));
	for (i = 0; i < KEYS; i++)
		key[i][0] = i * 0x9e3779b97f4a7c15ull;
	for (r = 0; r < PXS_ROUNDS; r++) {
		t = now_ms();
		for (turn = 0; turn < 50; turn++)
			for (i = 0; i < KEYS; i++) {
				hash = pxs_key_hash_bytes(&seed, key[i], sizeof(key[i]));
				if (!way)
					x += hash;
				else if (way->fill)
					x += pxs_table_pick(state, live, hash).backend;
				else
					x += way->find(state, hash);
			}
		t = (now_ms() - t) * 1e6 / (50 * KEYS);
		best = t < best ? t : best;
	}
	/* what is not used is not computed */
	__asm__ volatile("" : : "r"(x));
	return best;
}

struct result {
	double most, least, remove, add, step, tenth, build, rebuild, lookup;
	size_t bytes;
	u32 lost;	/* rows that have the one which goes as a choice */
};

/* A row is compared with one backend, in ns. */
static double rank_ns(void)
{
	static struct pxs_rank_key key[1000];
	u32 i, r, least = ~0u;
	double t;

	for (i = 0; i < ARRAY_SIZE(key); i++)
		pxs_rank_init(&key[i], &seed, 1, i, 100);
	t = now_ms();
	for (r = 0; r < 1000; r++)
		for (i = 0; i < ARRAY_SIZE(key); i++)
			least = min(least, pxs_rank(&key[i], r));
	__asm__ volatile("" : : "r"(least));
	return now_ms() - t;
}

static u32 rows_of(const struct pxs_table *t, u32 index)
{
	u32 i, n = 0;

	for (i = 0; t && i < t->nrows; i++)
		n += t->rows[i].first == index || t->rows[i].second == index;
	return n;
}

static void changes(const struct way *way, struct result *r)
{
	u32 i, victim = base.n * 2 / 5;

	r->lost = rows_of(past.table, victim);
	changed = base;
	changed.be[victim].weight = 0;
	r->remove = moved(way, past.table ? PXS_ROUNDS : 1);
	r->rebuild = rebuild_ms;
	set_backends(&changed, base.n + 1, 100);
	for (i = 0; i < base.n; i++)
		changed.be[i] = base.be[i];
	r->add = moved(way, 1);
	changed = base;
	changed.be[victim].weight--;
	r->step = way->weights ? moved(way, 1) : -1;
	changed = base;
	for (i = 3; i < base.n; i += 10)
		changed.be[i].weight = 0;
	r->tenth = moved(way, 1);
}

static void set_past(const struct pxs_table *t)
{
	u32 i;

	past.table = t;
	past.rows = t ? t->rows : NULL;
	past.nrows = t ? t->nrows : 0;
	past.nbackends = base.n;
	past.ids = past_ids;
	for (i = 0; i < base.n; i++)
		past_ids[i] = base.be[i].id;
}

static bool measure(const struct way *way, bool equal, struct result *r)
{
	double t;
	void *state;
	u32 i;

	memset(r, 0, sizeof(*r));
	if (!equal && !way->weights)
		return false;
	r->build = 1e9;
	for (i = 0; i < (base.n < 1000 ? PXS_ROUNDS : 1); i++) {
		t = now_ms();
		state = way->build(way, &base, &r->bytes);
		if (!state)
			return false;
		t = now_ms() - t;
		r->build = t < r->build ? t : r->build;
		if (i + 1 < (base.n < 1000 ? PXS_ROUNDS : 1))
			free(state);
	}
	balance(way, state, &r->most, &r->least);
	r->lookup = lookup_ns(way, state);
	if (way->fill == PXS_FILL_STICKY || way->fill == PXS_FILL_RENDEZVOUS)
		set_past(state);
	changes(way, r);
	set_past(NULL);
	free(state);
	return true;
}

static void print_row(const char *name, const struct result *r)
{
	char step[16] = "-";

	if (r->step >= 0)
		snprintf(step, sizeof(step), "%.2f", r->step);
	printf("%-14s %8.3f %8.3f %8.2f %8.2f %8s %8.2f %9.1f %9.3f %9.3f %9zu\n", name,
	       r->most, r->least, r->remove, r->add, step, r->tenth, r->lookup, r->build,
	       r->rebuild, r->bytes);
}

/* The bounds of the default fill. */
static void bars(const char *label, bool equal, const struct result *r, u32 rows)
{
	double fair_rows = (double)rows / (double)sum_of(&base) * (equal ? 100 : 1);
	double rank = rank_ns();
	char name[64];

	/* a cap is rounded up to a row */
	snprintf(name, sizeof(name), "%s-balance", label);
	bar(name, r->most, 1.02 + 1 / fair_rows);
	if (base.n == 100) {
		bar("n100-moved-remove", r->remove, 1.15);
		bar("n100-moved-add", r->add, 1.15);
		changed = base;
		changed.be[base.n * 2 / 5].weight--;
		if (!bar("n100-moved-step", r->step, 1.15))
			printf("#   %.0f rows moved; %.0f are the least: a step of 1 is no more\n",
			       r->step * least_moves() * rows, least_moves() * rows);
		bar("n100-moved-tenth", r->tenth, 1.15);
	}
	if (base.n == 1000 && !bar("n1000-rebuild-ms", r->rebuild, 1))
		printf("#   %u rows have it as a choice: to compare each with %u others is %.2f ms\n"
		       "#   (%.1f ns each); the rest: who has room again looks for rows, and a copy\n",
		       r->lost, base.n - 1, r->lost * (base.n - 1) * rank / 1e6, rank);
	if (equal) {
		snprintf(name, sizeof(name), "%s-lookup-ns", label);
		if (!bar(name, r->lookup, 10))
			printf("#   the hash, keyed, is %.1f ns of that\n",
			       lookup_ns(NULL, NULL));
	}
}

/* Even to the row, and as few rows moved as may be, a row being what moves at least. */
static void sticky_bars(const char *label, bool equal, const struct result *r, u32 rows)
{
	double fair_rows = (double)rows / (double)sum_of(&base) * (equal ? 100 : 1);
	char name[64];

	snprintf(name, sizeof(name), "sticky-%s-balance", label);
	bar(name, r->most, 1 + 1 / fair_rows);
	snprintf(name, sizeof(name), "sticky-%s-moved-remove", label);
	bar(name, r->remove, 1.01);
	snprintf(name, sizeof(name), "sticky-%s-moved-add", label);
	bar(name, r->add, 1.01);
	snprintf(name, sizeof(name), "sticky-%s-moved-tenth", label);
	bar(name, r->tenth, 1.01);
	snprintf(name, sizeof(name), "sticky-%s-moved-step-rows", label);
	changed = base;
	changed.be[base.n * 2 / 5].weight--;
	bar(name, r->step * least_moves() * rows, least_moves() * rows + 1);
}

static void compare(const char *label, u32 n, u32 weight)
{
	struct result r;
	u32 i, rows = PXS_ROWS_MAX;

	set_backends(&base, n, weight);
	capacity = n + n / 4 + 2;
	printf("\n%s: %u backends, weights %s\n", label, n, weight ? "100" : "1, 6, 11...");
	printf("%-14s %8s %8s %8s %8s %8s %8s %9s %9s %9s %9s\n", "", "max/mean",
	       "min/mean", "remove", "add", "step", "10% off", "lookup ns", "build ms", "rebuild",
	       "bytes");
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		if (!measure(&ways[i], weight, &r))
			continue;
		print_row(ways[i].name, &r);
		fflush(stdout);
		if (ways[i].fill == PXS_FILL_RENDEZVOUS)
			bars(label, weight, &r, rows);
		if (ways[i].fill == PXS_FILL_STICKY)
			sticky_bars(label, weight, &r, rows);
	}
}

/* Does the core's fill give the rows of the likeness, for the backends of base? */
static bool same_as_core(const struct mh *likeness, u32 rows)
{
	const struct way way = { .name = "ipvs-mh", .fill = PXS_FILL_IPVS_MH, .rows = rows };
	struct pxs_table *t;
	bool same = true;
	size_t bytes;
	u32 i;

	t = build_core(&way, &base, &bytes);
	for (i = 0; i < rows; i++)
		same &= t->rows[i].first == likeness->row[i];
	free(t);
	return same;
}

/* What was seen of IPVS' own kernel code must come out of its likeness here. */
static void likeness(void)
{
	struct pxs_table_backend one = { .family = 4, .addr = { 10, 0, 0, 1 }, .port = 81 };
	struct pxs_table_backend two = { .family = 4, .addr = { 10, 0, 0, 2 }, .port = 80 };
	u32 rows[100] = { 0 }, i, starved = 0, differ = 0;
	struct mh *before, *after;

	check(mh_offset(&one, 4093) == 1231 && mh_offset(&two, 4093) == 1231,
	      "ipvs-mh: 10.0.0.1:81 and 10.0.0.2:80 are one, with offset 1231");
	set_backends(&base, 100, 100);
	before = mh_build(base.be, 100, 4093);
	base.be[0].weight = 99;
	after = mh_build(base.be, 100, 4093);
	for (i = 0; i < 4093; i++) {
		rows[after->row[i]]++;
		differ += before->row[i] != after->row[i];
	}
	for (i = 0; i < 100; i++)
		starved += !rows[i];
	check(starved == 18, "ipvs-mh: one weight of 100 from 100 to 99 starves 18");
	check(same_as_core(after, 4093), "ipvs-mh: the core fills all rows in the same way");
	printf("# and moves %.1f %% of the rows\n", differ * 100.0 / 4093);
	check(differ > 4093 / 2, "ipvs-mh: and moves more than half of the rows");
	free(before);
	free(after);
}

static void anchors(void)
{
	struct anchor *s = anchor_build(40, 30);
	u32 i, b, wrong = 0, went = 0;
	static u32 was[20000];

	for (i = 0; i < ARRAY_SIZE(was); i++)
		was[i] = anchor_find(s, i);
	anchor_remove(s, 7);
	anchor_remove(s, 29);
	for (i = 0; i < ARRAY_SIZE(was); i++) {
		b = anchor_find(s, i);
		wrong += b == 7 || b == 29 || b >= 30;
		wrong += b != was[i] && was[i] != 7 && was[i] != 29;
		went += b != was[i];
	}
	check(!wrong && went, "AnchorHash: only keys of removed buckets move");
	check(anchor_add(s) == 29 && anchor_add(s) == 7, "AnchorHash: the last removed comes first");
	for (i = 0; i < ARRAY_SIZE(was); i++)
		wrong += anchor_find(s, i) != was[i];
	check(!wrong, "AnchorHash: and all is as before");
	free(s);
}

/* Nothing changed, nothing moves; and every owner is one that is there. */
static void measures(void)
{
	double most, least;
	bool good = true;
	size_t bytes;
	void *state;
	u32 i, j;

	set_backends(&base, 20, 100);
	base.be[4].weight = 0;
	capacity = 27;
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		state = ways[i].build(&ways[i], &base, &bytes);
		balance(&ways[i], state, &most, &least);
		free(state);
		for (j = 0; j < PLACES; j++)
			good &= owner[j] < 20 && owner[j] != 4;
		changed = base;
		state = ways[i].build(&ways[i], &changed, &bytes);
		for (j = 0; j < PLACES; j++)
			good &= owner[j] == ways[i].find(state, place(j));
		free(state);
	}
	check(good, "every way: owners have weight, and stay where nothing changes");
}

int main(int argc, char **argv)
{
	bool all = argc < 2 || strcmp(argv[1], "-s");

	printf("# places %u, hash: SipHash-1-3 of 16 bytes (%.1f ns), one thread, -O2, "
	       "processor time, best of %d (building from 1000 backends on: one)\n", PLACES,
	       lookup_ns(NULL, NULL), PXS_ROUNDS);
	likeness();
	anchors();
	measures();
	printf("1..%u\n", tests);
	compare("n10", 10, 100);
	compare("n100", 100, 100);
	if (all) {
		compare("skewed", 200, 0);
		compare("n1000", 1000, 100);
		compare("n10000", 10000, 100);
	}
	printf("\n%u bars met, %u missed\n", ok_bars, missed_bars);
	printf("%u passed, %u failed, 0 skipped\n", tests - failed, failed);
	return failed > 0;
}
