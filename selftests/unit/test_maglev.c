// SPDX-License-Identifier: GPL-2.0
/*
 * test_maglev.c - the published example, Envoy's tables, and the fill's promises
 */
#include "unit_table.h"
#include "maglev.h"

static struct unit_config a, b;

/* Fill @nrows from given offsets, skips and weights. */
static void fill(u32 nrows, u32 n, const u32 *offset, const u32 *skip, const u32 *weight,
		 struct pxs_table_row *rows)
{
	struct pxs_maglev *m = malloc(pxs_maglev_scratch(n));
	u32 i;

	m->n = n;
	m->nrows = nrows;
	for (i = 0; i < n; i++) {
		m->walk[i].next = offset[i];
		m->walk[i].skip = skip[i];
		m->walk[i].weight = weight ? weight[i] : 1;
		m->walk[i].index = (u16)i;
	}
	pxs_maglev_begin(m, PXS_TURNS_SHARE, rows);
	while (pxs_maglev_step(m, rows, 1))
		;
	free(m);
}

static void check_first(const struct pxs_table_row *rows, const u16 *want, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		CHECK_EQ(rows[i].first, want[i]);
}

/* NSDI 2016, table 1: permutations 3 0 4 1 5 2 6, 0 2 4 6 1 3 5, 3 4 5 6 0 1 2 */
static void published(void)
{
	static const u32 offset[] = { 3, 0, 3 }, skip[] = { 4, 2, 1 };
	static const u32 offset_02[] = { 3, 3 }, skip_02[] = { 4, 1 };
	static const u16 before[] = { 1, 0, 1, 0, 2, 2, 0 };
	static const u16 second[] = { 0, 1, 0, 2, 0, 0, 1 };
	static const u16 after[] = { 0, 0, 0, 0, 1, 1, 1 };	/* 1 stands for B2 here */
	struct pxs_table_row *rows = malloc(7 * sizeof(*rows));
	u32 i;

	fill(7, 3, offset, skip, NULL, rows);
	check_first(rows, before, 7);
	for (i = 0; i < 7; i++)
		CHECK_EQ(rows[i].second, second[i]);
	fill(7, 2, offset_02, skip_02, NULL, rows);
	check_first(rows, after, 7);
	free(rows);
}

/* XXH64 of less than 32 bytes, which is what Envoy hashes its keys with. */
static u64 xxh_round(u64 acc, u64 word)
{
	return pxs_rotl64(acc + word * 0xc2b2ae3d27d4eb4full, 31) * 0x9e3779b185ebca87ull;
}

static u64 xxh64(const char *text, u64 seed)
{
	const u8 *p = (const u8 *)text;
	size_t len = strlen(text);
	u64 h = seed + 0x27d4eb2f165667c5ull + len;

	for (; len >= 8; p += 8, len -= 8) {
		h ^= xxh_round(0, get_unaligned_le64(p));
		h = pxs_rotl64(h, 27) * 0x9e3779b185ebca87ull + 0x85ebca77c2b2ae63ull;
	}
	if (len >= 4) {
		u32 w = (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;

		h ^= w * 0x9e3779b185ebca87ull;
		h = pxs_rotl64(h, 23) * 0xc2b2ae3d27d4eb4full + 0x165667b19e3779f9ull;
		p += 4;
		len -= 4;
	}
	for (; len; p++, len--) {
		h ^= *p * 0x27d4eb2f165667c5ull;
		h = pxs_rotl64(h, 11) * 0x9e3779b185ebca87ull;
	}
	h = (h ^ h >> 33) * 0xc2b2ae3d27d4eb4full;
	h = (h ^ h >> 29) * 0x165667b19e3779f9ull;
	return h ^ h >> 32;
}

static void envoy_one(u32 nrows, u32 n, const char *const *key, const u32 *weight, const u16 *want)
{
	u32 offset[8], skip[8], i;
	struct pxs_table_row *rows = malloc(nrows * sizeof(*rows));

	for (i = 0; i < n; i++) {
		offset[i] = (u32)(xxh64(key[i], 0) % nrows);
		skip[i] = (u32)(xxh64(key[i], 1) % (nrows - 1)) + 1;
	}
	fill(nrows, n, offset, skip, weight, rows);
	check_first(rows, want, nrows);
	free(rows);
}

/* The tables that Envoy's maglev_lb_test.cc expects: an implementation by other hands. */
static void envoy(void)
{
	static const char *const addr[] = { "127.0.0.1:90", "127.0.0.1:91", "127.0.0.1:92",
					    "127.0.0.1:93", "127.0.0.1:94", "127.0.0.1:95" };
	static const char *const host[] = { "90", "91", "92", "93", "94", "95" };
	static const u16 by_addr[] = { 2, 4, 0, 1, 5, 0, 3 };
	static const u16 by_host[] = { 2, 5, 0, 3, 4, 1, 0 };
	static const u32 weight[] = { 1, 2 };
	static const u16 weighted[] = { 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1 };

	CHECK_EQ(xxh64("", 0), 0xef46db3751d8e999ull);
	envoy_one(7, 6, addr, NULL, by_addr);
	envoy_one(7, 6, host, NULL, by_host);
	envoy_one(17, 2, addr, weight, weighted);
}

static void primes(void)
{
	static const u32 yes[] = { 2, 3, 5, 7, 251, 65521, 65537, 131071 };
	static const u32 no[] = { 0, 1, 4, 9, 65535, 65536, 131069, 131072, 65537u * 65521u };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(yes); i++)
		CHECK(pxs_is_prime(yes[i]));
	for (i = 0; i < ARRAY_SIZE(no); i++)
		CHECK(!pxs_is_prime(no[i]));
}

static void balance(void)
{
	struct unit_balance bal;
	struct pxs_table *t;
	u32 rows[UNIT_BACKENDS], i, lo = ~0u, hi = 0;

	unit_config_init(&a, PXS_FILL_MAGLEV, 100, 7);
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	pxs_table_count(t, rows);
	for (i = 0; i < 100; i++) {
		lo = min(lo, rows[i]);
		hi = max(hi, rows[i]);
	}
	CHECK_EQ(t->nrows, 65537);
	CHECK_EQ(lo, 655);
	CHECK_EQ(hi, 656);
	free(t);

	for (i = 0; i < 100; i++)
		a.backends[i].weight = 10 + i;
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	bal = unit_balance(&a, t);
	NOTE("weights 10..109: max %.4f, min %.4f of fair", bal.max, bal.min);
	CHECK(bal.max < 1.02 && bal.min > 0.98);
	free(t);
}

static void extremes(void)
{
	struct pxs_table *t;
	u32 rows[UNIT_BACKENDS];

	unit_config_init(&a, PXS_FILL_MAGLEV, 1, 1);
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	free(t);

	unit_config_init(&a, PXS_FILL_MAGLEV, 3, PXS_WEIGHT_MAX);
	a.backends[0].weight = 1;
	a.backends[1].weight = 0;
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	pxs_table_count(t, rows);
	CHECK(rows[0] >= 1 && rows[0] <= 2);
	CHECK_EQ(rows[1], 0);
	free(t);

	unit_config_init(&a, PXS_FILL_MAGLEV, 2, 1);
	a.cfg.nrows = 2;
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	free(t);
}

static void disruption(void)
{
	double ratio;

	unit_config_init(&a, PXS_FILL_MAGLEV, 100, 1);
	b = a;
	b.backends[42].weight = 0;
	ratio = unit_disruption(&a, &b);
	NOTE("remove 1 of 100: %.3f of the least possible (others measured 1.56)", ratio);
	CHECK(ratio >= 1 && ratio < 1.8);
}

/* Not one neighbour, everybody takes over what a dead backend owned. */
static void second_spreads(void)
{
	struct pxs_table *t;
	u32 takes[50] = { 0 }, i, own = 0, most = 0;

	unit_config_init(&a, PXS_FILL_MAGLEV, 50, 1);
	t = unit_build(&a);
	CHECK_FATAL(t);
	for (i = 0; i < t->nrows; i++) {
		if (t->rows[i].first != 17)
			continue;
		own++;
		takes[t->rows[i].second]++;
	}
	for (i = 0; i < 50; i++)
		most = max(most, takes[i]);
	NOTE("one of 50 dead: %u rows, the most loaded survivor takes %u", own, most);
	CHECK(most < 3 * own / 49);
	free(t);
}

static void thousand(void)
{
	struct pxs_table *t;
	double ms = unit_ms();

	unit_config_init(&a, PXS_FILL_MAGLEV, 1000, 1);
	t = unit_build(&a);
	NOTE("1000 backends: %.0f ms under sanitizers", unit_ms() - ms);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	free(t);
}

static void golden(void)
{
	struct pxs_table *t;

	unit_config_init(&a, PXS_FILL_MAGLEV, 5, 10);
	a.backends[4].weight = 3;
	a.cfg.nrows = 1021;
	t = unit_build(&a);
	CHECK_EQ(t->digest, 0x4d1850c866d9f6ddull);
	free(t);
}

int main(void)
{
	RUN(published);
	RUN(envoy);
	RUN(primes);
	RUN(balance);
	RUN(extremes);
	RUN(disruption);
	RUN(second_spreads);
	RUN(golden);
	RUN(thousand);
	return unit_done();
}
