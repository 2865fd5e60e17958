// SPDX-License-Identifier: GPL-2.0
/*
 * test_rendezvous.c - the fill's promises: fair within the cap, few moves, no history
 */
#include <math.h>
#include "unit_table.h"
#include "log2.h"
#include "rank.h"

static struct unit_config a, b;

static void logarithm(void)
{
	u32 *table = malloc(PXS_LOG2_ENTRIES * sizeof(*table));
	u64 state = 1, u;
	u32 i, last;
	double exact, worst = 0;

	pxs_log2_init(table);
	for (i = 0; i < PXS_LOG2_ENTRIES; i++)
		CHECK(fabs(table[i] - log2(1 + i / 1024.0) * 16777216) <= 0.51);
	CHECK_EQ(pxs_neglog2(table, ~0ull), 0);
	CHECK_EQ(pxs_neglog2(table, 0), 64u << 24);
	CHECK_EQ(pxs_neglog2(table, (1ull << 63) - 1), 1u << 24);
	for (i = 0; i < 200000; i++) {
		u = unit_random(&state) >> (i % 64);
		exact = (64 - log2((double)u + 1)) * 16777216;
		worst = fmax(worst, fabs(pxs_neglog2(table, u) - exact));
	}
	NOTE("neglog2: at most %.2f units of 2^-24 off", worst);
	CHECK(worst < 5);
	/* never rises: across every border of table entries, near 1 and at powers of two */
	for (i = 0, last = 64u << 24; i < 4096 * 64; i++) {
		u = (u64)i << 46;
		CHECK(pxs_neglog2(table, u) <= last);
		last = pxs_neglog2(table, u);
		if (u)
			CHECK(pxs_neglog2(table, u) <= pxs_neglog2(table, u - 1));
	}
	free(table);
}

static void balance_one(u32 n, u32 cap, u32 lowest, u32 highest)
{
	struct unit_balance bal;
	struct pxs_table *t;
	u64 state = 7;
	u32 i;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, n, lowest);
	a.cfg.cap = (u16)cap;
	for (i = 0; i < n; i++)
		a.backends[i].weight = lowest + (u32)(unit_random(&state) % (highest - lowest + 1));
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	bal = unit_balance(&a, t);
	NOTE("n %u, cap %u, weights %u..%u, rows %u: max %.4f, min %.4f of fair", n, cap, lowest,
	     highest, t->nrows, bal.max, bal.min);
	CHECK_EQ(bal.over, 0);
	/* what those at the cap take too much, the others lack: few lack much */
	CHECK(n > 100 || highest > 100 || bal.min > 0.85);
	free(t);
}

static void balance(void)
{
	balance_one(1, 20, 1, 1);
	balance_one(2, 20, 1, 1);
	balance_one(3, 20, 100, 100);
	balance_one(10, 20, 1, 10);
	balance_one(100, 0, 100, 100);
	balance_one(100, 20, 100, 100);
	balance_one(100, 20, 10, 100);
	balance_one(100, 50, 100, 100);
	balance_one(100, 1000, 100, 100);
	balance_one(200, 20, 1, 1000);
}

/* With a wide cap nothing is refused, and the shares follow the weights by themselves. */
static void weights_are_exact(void)
{
	struct pxs_table *t;
	u32 rows[UNIT_BACKENDS];
	double fair;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 4, 1);
	a.cfg.cap = 1000;
	a.cfg.nrows = PXS_ROWS_MAX;
	a.backends[1].weight = 2;
	a.backends[2].weight = 7;
	a.backends[3].weight = 20;
	t = unit_build(&a);
	CHECK_FATAL(t);
	pxs_table_count(t, rows);
	for (u32 i = 0; i < 4; i++) {
		fair = t->nrows * (a.backends[i].weight / 30.0);
		/* binomial: five standard deviations */
		CHECK(fabs(rows[i] - fair) < 5 * sqrt(fair));
		NOTE("weight %u: %u rows, fair %.0f", a.backends[i].weight, rows[i], fair);
	}
	free(t);
}

static void extreme_weights(void)
{
	struct unit_balance bal;
	struct pxs_table *t;
	u32 rows[UNIT_BACKENDS];

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 3, PXS_WEIGHT_MAX);
	a.backends[1].weight = 1;
	a.backends[2].weight = 0;
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	pxs_table_count(t, rows);
	NOTE("weights 65535, 1, 0: rows %u, %u, %u", rows[0], rows[1], rows[2]);
	CHECK_EQ(rows[2], 0);
	CHECK_EQ(t->nowners, 2);
	CHECK(rows[1] <= 2);
	free(t);

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 1024, PXS_WEIGHT_MAX);
	a.cfg.nrows = 1024;
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	bal = unit_balance(&a, t);
	CHECK_EQ(bal.over, 0);
	free(t);
}

/* Not slack anywhere: every row is owned, at cap 0 every backend has its exact quota. */
static void cap_zero(void)
{
	struct pxs_table *t;
	u32 rows[UNIT_BACKENDS], i;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 64, 5);
	a.cfg.nrows = 4096;
	a.cfg.cap = 0;
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	pxs_table_count(t, rows);
	for (i = 0; i < 64; i++)
		CHECK_EQ(rows[i], 64);
	free(t);
}

static void disrupt(const char *what, double limit)
{
	double ratio = unit_disruption(&a, &b);

	NOTE("%s: %.3f of the least possible", what, ratio);
	CHECK(ratio <= limit);
	CHECK(ratio >= 0.9);	/* else the measure is wrong */
}

static void disruption(void)
{
	u32 i;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 100, 100);
	b = a;
	b.backends[42].weight = 0;
	disrupt("remove 1 of 100", 1.15);
	b = a;
	unit_config_init(&b, PXS_FILL_RENDEZVOUS, 101, 100);
	disrupt("add 1 to 100", 1.15);
	b = a;
	for (i = 0; i < 10; i++)
		b.backends[i * 7].weight = 0;
	disrupt("remove 10 of 100", 1.05);
	b = a;
	b.backends[42].weight = 50;
	disrupt("halve a weight of 100", 1.25);
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 3, 1);
	unit_config_init(&b, PXS_FILL_RENDEZVOUS, 4, 1);
	disrupt("add 1 to 3", 1.05);
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 16, 1);
	unit_config_init(&b, PXS_FILL_RENDEZVOUS, 17, 1);
	disrupt("add 1 to 16, default size", 1.15);
	/* a slow start must not change the size, hence everything */
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 10, 100);
	b = a;
	a.backends[3].weight = 1;
	disrupt("ramp 1 of 10 from 1 to 100", 1.15);
}

/* At no number of backends does one more move more than its part: the size stays. */
static void one_more(void)
{
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 257, 1);
	b = a;
	b.cfg.nbackends = 256;
	disrupt("the 257th backend", 1.25);
}

static void small_step(void)
{
	struct pxs_table *x, *y;
	unsigned long changed[PXS_ROWS_MAX / 64];
	u32 moved;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 100, 100);
	b = a;
	b.backends[42].weight = 99;
	x = unit_build(&a);
	y = unit_build(&b);
	moved = unit_diff(x, y, changed);
	NOTE("one weight of 100 from 100 to 99: %u of %u rows moved (ideal 6.5)", moved, x->nrows);
	CHECK(moved < 40);
	free(x);
	free(y);
}

/* Twice the rows: every even row of the new table is a row of the old one. */
static void resize(void)
{
	struct pxs_table *x, *y;
	u32 i, same = 0;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 10, 1);
	a.cfg.nrows = 4096;
	a.cfg.cap = 1000;
	b = a;
	b.cfg.nrows = 8192;
	x = unit_build(&a);
	y = unit_build(&b);
	for (i = 0; i < 4096; i++)
		same += x->rows[i].first == y->rows[2 * i].first;
	CHECK_EQ(same, 4096);
	free(x);
	free(y);
}

/* A reference that shares no code: all pairs, cheapest first, each taken if it still can be. */
struct pair {
	double cost;
	u32 row;
	u32 backend;
};

static int by_cost(const void *p, const void *q)
{
	const struct pair *x = p, *y = q;

	return (x->cost > y->cost) - (x->cost < y->cost);
}

/* rank.h said again, with division and remainder. */
static u64 reference_hash(u64 id, u32 i)
{
	return pxs_siphash_3u64(&a.cfg.seed, 0x72656e6402ull, id, i);
}

static double reference_u(u64 id, u32 place)
{
	u64 x = place, h, part;
	u32 i;

	for (i = 0; i < 3; i++) {
		h = reference_hash(id, i);
		x = x * (h % 4294967296ull | 1) % 131072;
		if (i == 2)
			break;
		x = (x + h / 4294967296ull) % 131072;
		x ^= x / 512;
	}
	part = ((place ^ h / 4294967296ull) * 0x9e3779b1ull) % 4294967296ull;
	part = (part ^ part / 32768) * 0x85ebca6bull % 4294967296ull;
	return ((double)(131071 - x) + (double)part / 4294967296.0) / 131072;
}

/* Rounded up; with a row to spare up or down by chance. */
static u32 reference_quota(u32 j, double exact, double spare)
{
	u64 salt = reference_hash(a.backends[j].id, 2) >> 32;

	if (spare >= 1)
		return (u32)floor(exact + (double)(salt % 1024) / 1024);
	return (u32)ceil(exact - 1.0 / (1 << 30));
}

static void greedy_reference(void)
{
	enum { N = 7, M = 1024 };
	u32 quota[N], owner[M], best[M], i, j, n = 0, wrong = 0, wrong_second = 0;
	struct pair *pairs = malloc(N * M * sizeof(*pairs));
	struct pxs_table *t;
	double sum;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, N, 3);
	a.backends[2].weight = 11;
	a.backends[5].weight = 1;
	a.cfg.nrows = M;
	a.cfg.cap = 10;
	sum = (double)unit_sum(&a);
	for (j = 0; j < N; j++)
		quota[j] = reference_quota(j, M * 1.01 * a.backends[j].weight / sum,
					   M * 0.01 * a.backends[j].weight / sum);
	for (i = 0; i < M; i++) {
		owner[i] = PXS_NONE;
		best[i] = PXS_NONE;
		for (j = 0; j < N; j++) {
			double u = reference_u(a.backends[j].id, i * (131072 / M));

			pairs[n].cost = -log2(u) / a.backends[j].weight;
			pairs[n].row = i;
			pairs[n++].backend = j;
		}
	}
	qsort(pairs, n, sizeof(*pairs), by_cost);
	for (i = 0; i < n; i++) {
		if (owner[pairs[i].row] != PXS_NONE || !quota[pairs[i].backend])
			continue;
		owner[pairs[i].row] = pairs[i].backend;
		quota[pairs[i].backend]--;
	}
	for (i = 0; i < n; i++)
		if (best[pairs[i].row] == PXS_NONE && owner[pairs[i].row] != pairs[i].backend)
			best[pairs[i].row] = pairs[i].backend;
	t = unit_build(&a);
	for (i = 0; i < M; i++) {
		wrong += t->rows[i].first != owner[i];
		wrong_second += t->rows[i].second != best[i];
	}
	CHECK_EQ(wrong, 0);
	CHECK_EQ(wrong_second, 0);
	free(t);
	free(pairs);
}

/*
 * Of sizes that the reference is too slow for: no row and backend would rather have each other, of
 * which there is one table only; and second choices are the best that are not the first.
 */
struct stable {
	u32 log2[PXS_LOG2_ENTRIES];
	struct pxs_rank_key key[UNIT_BACKENDS];
	struct stable_pair {
		u64 cost;
		u64 u;
	} dearest[UNIT_BACKENDS];
};

static struct stable_pair pair_of(const struct stable *s, const struct pxs_table *t, u32 b, u32 row)
{
	u32 place = row * (PXS_RANKS / t->nrows), weight = a.backends[b].weight;
	struct stable_pair p;

	p.u = pxs_rank_u(&s->key[b], place, pxs_rank(&s->key[b], place));
	p.cost = pxs_neglog2(s->log2, p.u) * (((1ull << 33) + weight / 2) / weight);
	return p;
}

static bool is_better(const struct stable_pair *x, const struct stable_pair *y)
{
	return x->cost != y->cost ? x->cost < y->cost : x->u > y->u;
}

/* What is wrong about this row? The backends' ids are in order of index. */
static u32 unstable(const struct stable *s, const struct pxs_table *t, u32 row)
{
	const struct pxs_table_owner *owners = pxs_table_owners(t);
	u16 first = t->rows[row].first, best = PXS_NONE;
	struct stable_pair mine = pair_of(s, t, first, row), second = { 0 }, p;
	u32 b, wrong = 0;

	for (b = 0; b < t->nbackends; b++) {
		if (b == first)
			continue;
		p = pair_of(s, t, b, row);
		if (best == PXS_NONE || is_better(&p, &second)) {
			best = (u16)b;
			second = p;
		}
		wrong += is_better(&p, &mine) && (owners[b].rows < owners[b].cap ||
						  is_better(&p, &s->dearest[b]));
	}
	return wrong + (best != t->rows[row].second);
}

static void check_stable(u32 n, u32 rows, u32 cap, u32 heaviest)
{
	struct stable *s = calloc(1, sizeof(*s));
	u32 i, counts[UNIT_BACKENDS], wrong = 0;
	u64 state = n + rows + cap + heaviest;
	struct stable_pair p;
	struct pxs_table *t;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, n, heaviest);
	a.cfg.nrows = rows;
	a.cfg.cap = (u16)cap;
	pxs_log2_init(s->log2);
	for (i = 0; i < n; i++) {
		a.backends[i].weight = 1 + (u32)(unit_random(&state) % heaviest);
		pxs_rank_init(&s->key[i], &a.cfg.seed, 0x72656e6402ull, a.backends[i].id, 1);
	}
	t = unit_build(&a);
	CHECK_FATAL(t);
	pxs_table_count(t, counts);
	for (i = 0; i < n; i++)
		wrong += counts[i] > pxs_table_owners(t)[i].cap ||
			 counts[i] != pxs_table_owners(t)[i].rows;
	for (i = 0; i < rows; i++) {
		p = pair_of(s, t, t->rows[i].first, i);
		if (!is_better(&p, &s->dearest[t->rows[i].first]))
			s->dearest[t->rows[i].first] = p;
	}
	for (i = 0; i < rows; i++)
		wrong += unstable(s, t, i);
	CHECK_EQ(wrong, 0);
	free(t);
	free(s);
}

static void stable(void)
{
	check_stable(60, PXS_ROWS_MAX, 20, 1);
	check_stable(40, PXS_ROWS_MAX, 20, PXS_WEIGHT_MAX);
	check_stable(300, 16384, 20, 100);
	check_stable(300, 16384, 0, 1);
	check_stable(300, 16384, 1000, 3);
	check_stable(1024, 4096, 20, 1);
	check_stable(1024, 4096, 0, 1);
}

/* One to three backends come, go or weigh something else, or two change places. */
static void change_something(u64 *state, u32 heaviest)
{
	u32 i, k, changes = 1 + (u32)(unit_random(state) % 3);
	struct pxs_table_backend swap;

	for (k = 0; k < changes; k++) {
		i = (u32)(unit_random(state) % a.cfg.nbackends);
		switch (unit_random(state) % 5) {
		case 0:
			a.backends[i].weight = 0;
			break;
		case 1:
			a.backends[i].id = unit_random(state);
			break;
		case 2:
			swap = a.backends[i];
			a.backends[i] = a.backends[0];
			a.backends[0] = swap;
			break;
		case 3:
			a.backends[i].weight += a.backends[i].weight < heaviest;
			break;
		default:
			a.backends[i].weight = (u32)(unit_random(state) % (heaviest + 1));
			break;
		}
	}
}

/* What begins with the table before is, to the bit, what begins with nothing. */
static void change_by_change(u32 n, u32 rows, u32 cap, u32 heaviest, u32 turns)
{
	u32 i, k, differ = 0, counts = 0, went_on = 0;
	struct pxs_table *before = NULL, *t, *whole;
	struct pxs_table_past past = { 0 };
	u64 state = n + cap;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, n, heaviest);
	a.cfg.nrows = rows;
	a.cfg.cap = (u16)cap;
	for (k = 0; k < turns; k++) {
		past.table = before;
		a.cfg.past = before ? &past : NULL;
		t = unit_build_steps(&a, k % 3 ? PXS_TABLE_BUDGET : 100);
		went_on += unit_went_on;
		a.cfg.past = NULL;
		whole = unit_build(&a);
		CHECK_FATAL(t && whole && !unit_went_on);
		differ += !!memcmp(t->rows, whole->rows, rows * sizeof(t->rows[0]));
		differ += t->digest != whole->digest;
		for (i = 0; i < t->nowners; i++)
			counts += pxs_table_owners(t)[i].rows != pxs_table_owners(whole)[i].rows;
		free(before);
		free(whole);
		before = t;
		do
			change_something(&state, heaviest);
		while (unit_sum(&a) < n * heaviest / 8);
	}
	NOTE("n %u, rows %u, cap %u: %u of %u builds went on from the table before", n, rows, cap,
	     went_on, turns);
	CHECK_EQ(differ, 0);
	CHECK_EQ(counts, 0);
	CHECK(went_on > turns / 8);
	free(before);
}

static void incremental(void)
{
	change_by_change(5, 256, 20, 3, 150);
	change_by_change(30, 1024, 20, 100, 150);
	change_by_change(40, 1024, 0, 4, 80);
	change_by_change(40, 2048, 200, 1, 80);
	change_by_change(100, 2048, 1000, PXS_WEIGHT_MAX, 60);
	change_by_change(200, 16384, 20, 100, 8);
}

/* Another seed, cap, size or fill: then it does not. */
static void begins_anew(void)
{
	struct pxs_table_past past = { 0 };
	u32 i;

	for (i = 0; i < 6; i++) {
		unit_config_init(&a, PXS_FILL_RENDEZVOUS, 20, 10);
		a.cfg.nrows = 1024;
		past.table = unit_build(&a);
		a.backends[3].weight = 9;
		a.cfg.cap += i == 1;
		a.cfg.nrows *= i == 2 ? 2 : 1;
		a.cfg.seed.k[0] ^= i == 3;
		a.cfg.seed.k[1] ^= i == 4;
		a.cfg.fill = i == 5 ? PXS_FILL_JUMP : PXS_FILL_RENDEZVOUS;
		a.cfg.past = &past;
		free(unit_build(&a));
		CHECK_EQ(unit_went_on, i == 0);
		free((void *)past.table);
	}
	/* what is left when nearly all go is not what was looked after */
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 20, 10);
	past.table = unit_build(&a);
	for (i = 0; i < 18; i++)
		a.backends[i].weight = 0;
	a.cfg.past = &past;
	free(unit_build(&a));
	CHECK(!unit_went_on);
	free((void *)past.table);
}

/* The same numbers on every machine, in the module as here: pinned. */
static void golden(void)
{
	struct pxs_table *t;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 5, 10);
	a.backends[4].weight = 3;
	a.cfg.nrows = 1024;
	t = unit_build(&a);
	CHECK_EQ(t->digest, 0x440c866f708f07ecull);
	free(t);
}

static void thousand(void)
{
	struct unit_balance bal;
	struct pxs_table *t;
	double ms = unit_ms();

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 1000, 100);
	t = unit_build(&a);
	ms = unit_ms() - ms;
	CHECK_FATAL(t);
	bal = unit_balance(&a, t);
	NOTE("1000 backends, %u rows: %.0f ms under sanitizers, max %.3f, min %.3f", t->nrows, ms,
	     bal.max, bal.min);
	CHECK_EQ(bal.over, 0);
	unit_check_rows(&a, t);
	free(t);
}

int main(void)
{
	RUN(logarithm);
	RUN(balance);
	RUN(weights_are_exact);
	RUN(extreme_weights);
	RUN(cap_zero);
	RUN(disruption);
	RUN(one_more);
	RUN(small_step);
	RUN(resize);
	RUN(greedy_reference);
	RUN(stable);
	RUN(incremental);
	RUN(begins_anew);
	RUN(golden);
	RUN(thousand);
	return unit_done();
}
