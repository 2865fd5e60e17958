// SPDX-License-Identifier: GPL-2.0
/*
 * test_maglev_others.c - Maglev as Envoy, katran and Cilium do it
 *
 * Sources: tables that their own tests expect (Envoy maglev_lb_test.cc, Cilium
 * pkg/maglev/maglev_test.go, katran MaglevHashTest.cpp: only what is even); published
 * vectors of the hashes (xxHash and its Python binding, MurmurHash3 and its Go binding);
 * and each rule of turns done again here in the plainest way, Envoy's with doubles.
 */
#include <arpa/inet.h>

#include "unit_table.h"
#include "murmur3.h"
#include "xxhash.h"

#define ROWS_MAX	131071

static struct unit_config a;
static u16 want[ROWS_MAX];

static void xxh_vectors(void)
{
	static const struct {
		const char *text;
		u64 seed, hash;
	} v[] = {
		{ "", 0, 0xef46db3751d8e999ull },
		{ "a", 0, 0xd24ec4f1a98c6e5bull },
		{ "abc", 0, 0x44bc2cf5ad770999ull },
		{ "xxhash", 20141025, 0xb559b98d844e0635ull },
		{ "Nobody inspects the spammish repetition", 0, 0xfbcea83c8a378bf1ull },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(v); i++)
		CHECK_EQ(pxs_xxh64(v[i].text, (u32)strlen(v[i].text), v[i].seed), v[i].hash);
}

static void murmur_vectors(void)
{
	static const struct {
		const char *text;
		u32 seed;
		u64 hash[2];
	} v[] = {
		{ "", 0, { 0, 0 } },
		{ "hello", 0, { 0xcbd8a7b341bd9b02ull, 0x5b1e906a48ae1d19ull } },
		{ "hello", 1, { 0xa78ddff5adae8d10ull, 0x128900ef20900135ull } },
		{ "hello, world", 0, { 0x342fac623a5ebc8eull, 0x4cdcbc079642414dull } },
		{ "19 Jan 2038 at 3:14:07 AM", 0,
		  { 0xb89e5988b737affcull, 0x664fc2950231b2cbull } },
		{ "The quick brown fox jumps over the lazy dog", 0,
		  { 0xe34bbc7bbc071b6cull, 0x7a433ca9c49a9347ull } },
	};
	u64 hash[2];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		pxs_murmur3(v[i].text, (u32)strlen(v[i].text), v[i].seed, hash);
		CHECK_EQ(hash[0], v[i].hash[0]);
		CHECK_EQ(hash[1], v[i].hash[1]);
	}
}

/* One that takes turns. */
struct taker {
	char name[80];
	u64 offset, skip, next, id;
	u32 weight;
	u16 index;
};

static struct taker taker[UNIT_BACKENDS];

/* Names as "ADDRESS:PORT" between two texts. Return: how many with weight. */
static u32 gather(const char *before, const char *after)
{
	char addr[INET6_ADDRSTRLEN];
	u32 i, n = 0;

	for (i = 0; i < a.cfg.nbackends; i++) {
		const struct pxs_table_backend *be = &a.backends[i];
		bool six = be->family == 6;

		if (!be->weight)
			continue;
		inet_ntop(six ? AF_INET6 : AF_INET, be->addr, addr, sizeof(addr));
		snprintf(taker[n].name, sizeof(taker[n].name), "%s%s%s%s:%u%s", before,
			 six ? "[" : "", addr, six ? "]" : "", be->port, after);
		taker[n].next = 0;
		taker[n].id = be->id;
		taker[n].weight = be->weight;
		taker[n++].index = (u16)i;
	}
	return n;
}

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct taker *)x)->name, ((const struct taker *)y)->name);
}

static int by_id(const void *x, const void *y)
{
	u64 i = ((const struct taker *)x)->id, j = ((const struct taker *)y)->id;

	return i < j ? -1 : i > j;
}

static void take(struct taker *t, u32 nrows)
{
	u64 row;

	do {
		row = (t->offset + t->skip * t->next++) % nrows;
	} while (want[row] != PXS_NONE);
	want[row] = t->index;
}

static u32 sum_and_most(u32 n, u32 *most)
{
	u32 i, sum = 0;

	*most = 0;
	for (i = 0; i < n; i++) {
		sum += taker[i].weight;
		*most = max(*most, taker[i].weight);
	}
	return sum;
}

static void like_envoy(u32 nrows)
{
	static double target[UNIT_BACKENDS];
	u32 n = gather("", ""), i, filled = 0, round, most;
	double sum = sum_and_most(n, &most);

	qsort(taker, n, sizeof(taker[0]), by_name);
	for (i = 0; i < n; i++) {
		taker[i].offset = pxs_xxh64(taker[i].name, (u32)strlen(taker[i].name), 0) % nrows;
		taker[i].skip = pxs_xxh64(taker[i].name, (u32)strlen(taker[i].name), 1) %
				(nrows - 1) + 1;
		target[i] = 0;
	}
	for (round = 1; filled < nrows; round++)
		for (i = 0; i < n && filled < nrows; i++) {
			if (round * (taker[i].weight / sum) < target[i])
				continue;
			target[i] += most / sum;
			take(&taker[i], nrows);
			filled++;
		}
}

static void like_katran(u32 nrows)
{
	static u64 gathered[UNIT_BACKENDS];
	u32 n = gather("", ""), i, filled = 0, most;
	u64 words[2], hash[2];

	sum_and_most(n, &most);
	qsort(taker, n, sizeof(taker[0]), by_id);
	for (i = 0; i < n; i++) {
		words[0] = taker[i].id;
		words[1] = 42;
		pxs_murmur3(words, 16, 0, hash);
		taker[i].offset = hash[0] % nrows;
		words[1] = 2718281828u;
		pxs_murmur3(words, 16, 2307, hash);
		taker[i].skip = hash[0] % (nrows - 1) + 1;
		gathered[i] = 0;
	}
	while (filled < nrows)
		for (i = 0; i < n && filled < nrows; i++) {
			gathered[i] += taker[i].weight;
			if (gathered[i] < most)
				continue;
			gathered[i] -= most;
			take(&taker[i], nrows);
			filled++;
		}
}

static void like_cilium(u32 nrows, u32 seed, const char *proto)
{
	static double counter[UNIT_BACKENDS];
	char tail[32];
	u32 n, i, row, most;
	u64 sum, hash[2];

	snprintf(tail, sizeof(tail), "/%s,State:active]", proto);
	n = gather("[", tail);
	sum = sum_and_most(n, &most);
	qsort(taker, n, sizeof(taker[0]), by_name);
	for (i = 0; i < n; i++) {
		pxs_murmur3(taker[i].name, (u32)strlen(taker[i].name), seed, hash);
		taker[i].offset = hash[0] % nrows;
		taker[i].skip = hash[1] % (nrows - 1) + 1;
		counter[i] = (double)taker[i].weight / n;
	}
	for (row = 0; row < nrows; row++) {
		i = row % n;
		while (sum / n > 1 && (row + 1ull) * taker[i].weight < (u64)counter[i])
			i = (i + 1) % n;
		counter[i] += (double)sum;
		take(&taker[i], nrows);
	}
}

static void compare(u32 nrows)
{
	struct pxs_table *t;
	u32 i, wrong = 0;

	for (i = 0; i < nrows; i++)
		want[i] = PXS_NONE;
	if (a.cfg.fill == PXS_FILL_MAGLEV_ENVOY)
		like_envoy(nrows);
	else if (a.cfg.fill == PXS_FILL_MAGLEV_KATRAN)
		like_katran(nrows);
	else
		like_cilium(nrows, 0x00010203, a.cfg.proto == 17 ? "UDP" : "TCP");
	a.cfg.nrows = nrows;
	t = unit_build_steps(&a, 1000);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	for (i = 0; i < nrows; i++)
		wrong += t->rows[i].first != want[i];
	CHECK_EQ(wrong, 0);
	free(t);
}

/* Many numbers of backends, weights from all alike to wildly different, both families. */
static void compare_many(u8 fill)
{
	static const u32 rows[] = { 251, 509, 1021, 2039, 4093, 8191, 16381, 65521 };
	u64 x = fill;
	u32 i, j, how;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (how = 0; how < 4; how++) {
			unit_config_init(&a, fill, 1 + i * i * 3, 1);
			a.cfg.proto = how % 2 ? 17 : 6;
			for (j = 0; j < a.cfg.nbackends; j++) {
				struct pxs_table_backend *be = &a.backends[j];

				be->id = unit_random(&x);
				be->port = (u16)(unit_random(&x) | 1);
				if (how == 1)
					be->weight = 1 + (u32)(unit_random(&x) % 3);
				if (how == 2)
					be->weight = j ? (u32)(unit_random(&x) % 700) : 7;
				if (how == 3)
					be->weight = 1 + (u32)(unit_random(&x) % 60000);
				if (j % 3)
					continue;
				be->family = 6;
				be->addr[1] = (u8)j;
				be->addr[15] = (u8)(j >> 8) | 1;
				be->addr[9] = (u8)(unit_random(&x) & 16);
			}
			compare(rows[i]);
		}
}

static void envoy_again(void)
{
	compare_many(PXS_FILL_MAGLEV_ENVOY);
}

static void katran_again(void)
{
	compare_many(PXS_FILL_MAGLEV_KATRAN);
}

static void cilium_again(void)
{
	compare_many(PXS_FILL_MAGLEV_CILIUM);
}

static void check_first(const u16 *first, u32 n)
{
	struct pxs_table *t = unit_build(&a);
	u32 i;

	CHECK_FATAL(t);
	CHECK_EQ(t->nrows, n);
	for (i = 0; i < n; i++)
		CHECK_EQ(t->rows[i].first, first[i]);
	free(t);
}

static void envoy_published(void)
{
	static const u16 six[] = { 2, 4, 0, 1, 5, 0, 3 };
	static const u16 two[] = { 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1 };
	static const u8 localhost[] = { 127, 0, 0, 1 };
	u32 i;

	unit_config_init(&a, PXS_FILL_MAGLEV_ENVOY, 6, 1);
	a.cfg.nrows = 7;
	for (i = 0; i < 6; i++) {
		memcpy(a.backends[i].addr, localhost, 4);
		a.backends[i].port = (u16)(90 + i);
		/* not by id */
		a.backends[i].id = 100 - i;
	}
	check_first(six, 7);
	a.cfg.nbackends = 2;
	a.cfg.nrows = 17;
	a.backends[1].weight = 2;
	check_first(two, 17);
}

/* The four of Cilium's tests: 0.0.0.1:1 and so on, over TCP, and the seed that is its default. */
static void cilium_config(u32 nrows)
{
	static const u8 seed[16] = { 0x24, 0xb7, 0xef, 0x82, 0x71, 0xdc, 0xda, 0x46, 0x92, 0x50,
				     0x56, 0x88 };
	static const u8 last[] = { 1, 3, 4, 5 };
	static const u32 weight[] = { 2, 13, 111, 10 };
	u32 i;

	unit_config_init(&a, PXS_FILL_MAGLEV_CILIUM, 4, 1);
	pxs_seed_from_bytes(&a.cfg.seed, seed);
	a.cfg.proto = 6;
	a.cfg.nrows = nrows;
	for (i = 0; i < 4; i++) {
		memset(a.backends[i].addr, 0, 4);
		a.backends[i].addr[3] = last[i];
		a.backends[i].port = last[i];
		a.backends[i].weight = weight[i];
	}
}

static void cilium_published(void)
{
	/* TestReproducible: owner, rows */
	static const u8 runs[][2] = {
		{ 2, 5 }, { 3, 1 }, { 2, 3 }, { 1, 1 }, { 2, 2 }, { 0, 1 }, { 2, 1 }, { 3, 1 },
		{ 2, 1 }, { 3, 1 }, { 2, 1 }, { 1, 1 }, { 2, 7 }, { 1, 1 }, { 2, 14 }, { 3, 1 },
		{ 2, 1 }, { 1, 2 }, { 2, 12 }, { 3, 1 }, { 2, 3 }, { 1, 1 }, { 2, 4 }, { 3, 1 },
		{ 2, 8 }, { 3, 1 }, { 2, 2 }, { 1, 1 }, { 2, 16 }, { 1, 2 }, { 2, 3 }, { 3, 1 },
		{ 2, 11 }, { 1, 2 }, { 2, 4 }, { 3, 1 }, { 2, 3 }, { 1, 1 }, { 2, 4 }, { 3, 1 },
		{ 2, 1 }, { 0, 1 }, { 1, 1 }, { 2, 8 }, { 1, 1 }, { 2, 7 }, { 1, 1 }, { 2, 4 },
		{ 3, 1 }, { 2, 1 }, { 3, 1 }, { 2, 9 }, { 1, 2 }, { 2, 5 }, { 1, 1 }, { 2, 7 },
		{ 3, 1 }, { 2, 1 }, { 3, 1 }, { 1, 1 }, { 2, 8 }, { 1, 1 }, { 2, 4 }, { 0, 1 },
		{ 2, 1 }, { 1, 1 }, { 2, 5 }, { 3, 1 }, { 2, 3 }, { 1, 1 }, { 2, 4 }, { 3, 1 },
		{ 2, 3 }, { 1, 1 }, { 2, 12 }, { 0, 1 }, { 3, 1 }, { 2, 3 }, { 3, 1 }, { 2, 4 },
		{ 3, 1 }, { 2, 2 }, { 1, 1 }, { 2, 7 },
	};
	/* TestWeightedBackendWithRemoval */
	static const u32 counts[] = { 16, 98, 832, 75 };
	u32 rows[UNIT_BACKENDS], i, j, n = 0;
	struct pxs_table *t;

	for (i = 0; i < ARRAY_SIZE(runs); i++)
		for (j = 0; j < runs[i][1]; j++)
			want[n++] = runs[i][0];
	cilium_config(251);
	check_first(want, 251);
	cilium_config(1021);
	t = unit_build(&a);
	CHECK_FATAL(t);
	pxs_table_count(t, rows);
	for (i = 0; i < 4; i++)
		CHECK_EQ(rows[i], counts[i]);
	free(t);
}

/* As katran's own test: 400 alike differ by a row; of 2, 1, 1 the spread is a quarter. */
static void katran_even(void)
{
	u32 rows[UNIT_BACKENDS], i, lo = ~0u, hi = 0;
	struct pxs_table *t;

	unit_config_init(&a, PXS_FILL_MAGLEV_KATRAN, 400, 1);
	t = unit_build(&a);
	CHECK_FATAL(t);
	CHECK_EQ(t->nrows, 65537);
	pxs_table_count(t, rows);
	for (i = 0; i < 400; i++) {
		lo = min(lo, rows[i]);
		hi = max(hi, rows[i]);
	}
	CHECK_EQ(hi - lo, 1);
	free(t);
	unit_config_init(&a, PXS_FILL_MAGLEV_KATRAN, 3, 1);
	a.backends[0].weight = 2;
	t = unit_build(&a);
	CHECK_FATAL(t);
	pxs_table_count(t, rows);
	CHECK(rows[0] - min(rows[1], rows[2]) - 16384 <= 1);
	free(t);
}

static void sizes(void)
{
	static const struct {
		u8 fill;
		u32 rows, by_rule;
		const char *why;
	} s[] = {
		{ PXS_FILL_MAGLEV_ENVOY, 65536, 65537, "rows is not a prime up to 131071" },
		{ PXS_FILL_MAGLEV_KATRAN, 65539, 65537, "rows is not a prime up to 65537" },
		{ PXS_FILL_MAGLEV_KATRAN, 65535, 65537, "rows is not a prime up to 65537" },
		{ PXS_FILL_MAGLEV_CILIUM, 65537, 16381, "rows is none of 251, 509, 1021, 2039, "
		  "4093, 8191, 16381, 32749, 65521, 131071" },
	};
	const char *why;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(s); i++) {
		unit_config_init(&a, s[i].fill, 3, 1);
		CHECK_EQ(pxs_table_plan(&a.cfg, &why), 0);
		CHECK_EQ(a.cfg.nrows, s[i].by_rule);
		a.cfg.nrows = s[i].rows;
		why = NULL;
		CHECK_EQ(-pxs_table_plan(&a.cfg, &why), ERANGE);
		CHECK_STR(why, s[i].why);
	}
}

int main(void)
{
	RUN(xxh_vectors);
	RUN(murmur_vectors);
	RUN(envoy_published);
	RUN(cilium_published);
	RUN(katran_even);
	RUN(envoy_again);
	RUN(katran_again);
	RUN(cilium_again);
	RUN(sizes);
	return unit_done();
}
