// SPDX-License-Identifier: GPL-2.0
/*
 * test_ketama.c - libmemcached's own vectors, its floats, and rings that differ
 */
#include <math.h>

#include "unit_table.h"
#include "key.h"
#include "ketama.h"
#include "md5.h"

static struct unit_config a, b;

/* RFC 1321, A.5; and lengths around a block. */
static void md5(void)
{
	static const struct {
		const char *text;
		u32 first, last;	/* words of the digest */
	} v[] = {
		{ "", 0xd98c1dd4, 0x7e42f8ec },
		{ "abc", 0x98500190, 0x727fe128 },
		{ "abcdefghijklmnopqrstuvwxyz", 0xd7d3fcc3, 0x3be16727 },
		{ "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
		  0xa2f4ed57, 0x7ab6076f },
	};
	u32 i, out[4];

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		pxs_md5(v[i].text, (u32)strlen(v[i].text), out);
		CHECK_EQ(out[0], v[i].first);
		if (i < 2)
			CHECK_EQ(out[3], v[i].last);
	}
}

/* The servers of libmemcached's test of weighted ketama. */
static void eight_servers(void)
{
	static const u32 weight[] = { 600, 300, 200, 350, 1000, 800, 950, 100 };
	u32 i;

	unit_config_init(&a, PXS_FILL_KETAMA, 8, 1);
	for (i = 0; i < 8; i++) {
		a.backends[i].weight = weight[i];
		a.backends[i].addr[2] = 1;
		a.backends[i].addr[3] = (u8)(i + 1);
	}
}

/* Key, its hash, the point it meets, the last byte of the server's address. */
static void libmemcached_vectors(void)
{
	static const struct {
		const char *key;
		u32 hash, point, server;
	} v[] = {
		{ "SVa_]_V41)", 443691461, 445379617, 7 },
		{ "*/Z;?V(.\\8", 1422915503, 1428303028, 1 },
		{ "30C1*Z*S/_", 1473165754, 1480075959, 2 },
		{ "D[HE+cFXDK", 2117036136, 2117124014, 3 },
		{ "EM75N0+[X1", 1558531507, 1559308507, 4 },
		{ "1I=cTMNTKF", 2882686667, 2885206587, 5 },
		{ "6,cEI`F_P>", 3972869246, 3974773167, 6 },
		{ "P1[Ma3=K1/", 1989324036, 1994028240, 8 },
		{ "726bW=9*a4", 4213440020, 4213950705, 7 },
		{ "8*6a;Sc*X+", 4223431086, 4230156966, 2 },
		{ "N-)88>[O`,", 50404102, 51792557, 5 },
		{ "VD6D0]ba_\\", 3842502950, 3842588691, 1 },
	};
	struct pxs_key_spec spec = {
		.rule = PXS_KEY_MEMCACHED, .hash = pxs_key_hash_of(PXS_FILL_KETAMA),
	};
	struct pxs_table *t;
	u32 i, row;
	u64 hash;

	eight_servers();
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	CHECK_EQ(t->nrows, 1264);
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		CHECK(!pxs_key_hash_given(&spec, &a.cfg.seed, v[i].key, (u32)strlen(v[i].key),
					  &hash));
		CHECK_EQ(hash >> 32, v[i].hash);
		row = pxs_table_row_of(t, hash);
		CHECK_EQ(pxs_table_points(t)[row], v[i].point);
		CHECK_EQ(t->rows[row].first, v[i].server - 1);
	}
	/* behind the last point comes the first */
	CHECK_EQ(pxs_table_row_of(t, ~0ull), 0);
	CHECK_EQ(pxs_table_row_of(t, 0), 0);
	CHECK_EQ(pxs_table_row_of(t, (u64)pxs_table_points(t)[1263] << 32), 1263);
	free(t);
}

/* As libmemcached computes it, in floats. */
static u32 points_in_floats(u32 weight, u64 sum, u32 n)
{
	volatile float share = (float)weight / (float)sum;
	volatile float exact = share * PXS_KETAMA_POINTS;

	exact = exact / 4;
	exact = exact * (float)n;
	exact = (float)(exact + 0.0000000001);
	return (u32)floorf(exact) * 4;
}

static void points_as_in_floats(void)
{
	u64 x = 99, sum, bad = 0;
	u32 i, n, weight;

	for (n = 1; n <= 1024; n++)
		for (weight = 1; weight <= 1000; weight += 111)
			bad += pxs_ketama_points(weight, (u64)weight * n, n) !=
			       points_in_floats(weight, (u64)weight * n, n);
	CHECK_EQ(bad, 0);
	for (i = 0; i < 300000; i++) {
		n = (u32)unit_random(&x) % 1024 + 1;
		weight = (u32)unit_random(&x) % (i & 1 ? 65535 : 100) + 1;
		sum = weight + unit_random(&x) % ((u64)n * 65535);
		bad += pxs_ketama_points(weight, sum, n) != points_in_floats(weight, sum, n);
	}
	CHECK_EQ(bad, 0);
	/* where the rounding shows: an equal share of 1/n, but fewer than 160 points */
	for (n = 1, i = 0; n <= 1024; n++)
		i += pxs_ketama_points(1, n, n) != PXS_KETAMA_POINTS;
	NOTE("of 1..1024 equal servers %u numbers get other than 160 points", i);
	CHECK(i > 0);
}

static void name_is(u8 family, const char *addr, u16 port, const char *want)
{
	struct pxs_table_backend be = { .family = family, .port = port };
	char buf[PXS_KETAMA_NAME_MAX + 1];

	memcpy(be.addr, addr, family == 4 ? 4 : 16);
	buf[pxs_ketama_name(&be, buf)] = 0;
	CHECK_STR(buf, want);
}

static void names(void)
{
	name_is(4, "\x0a\0\1\xff", 11211, "10.0.1.255");
	name_is(4, "\x7f\0\0\1", 90, "127.0.0.1:90");
	name_is(6, "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 11211, "2001:db8::1");
	name_is(6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 65535, ":::65535");
	name_is(6, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 11211, "::1");
	name_is(6, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 11211, "fe80::");
	name_is(6, "\x20\1\xd\xb8\0\0\0\1\0\1\0\1\0\1\0\1", 11211, "2001:db8:0:1:1:1:1:1");
	name_is(6, "\x20\1\0\0\0\0\0\1\0\0\0\0\0\0\0\1", 11211, "2001:0:0:1::1");
	name_is(6, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 65535,
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:65535");
}

static void shares(void)
{
	struct pxs_table *t;
	u32 rows[UNIT_BACKENDS], i, sum = 0;

	eight_servers();
	t = unit_build_steps(&a, 7);
	CHECK_FATAL(t);
	pxs_table_count(t, rows);
	for (i = 0; i < 8; i++)
		sum += rows[i];
	CHECK(sum > t->nrows - 8 && sum <= t->nrows);
	CHECK(rows[4] > rows[2] && rows[2] > 0);
	for (i = 1; i < t->nrows; i++)
		CHECK(pxs_table_points(t)[i - 1] <= pxs_table_points(t)[i]);
	free(t);
	unit_config_init(&a, PXS_FILL_KETAMA, 1, 5);
	t = unit_build(&a);
	pxs_table_count(t, rows);
	CHECK_EQ(rows[0], 160);
	free(t);
	/* Too little weight for a point: the other one has the whole ring. */
	unit_config_init(&a, PXS_FILL_KETAMA, 2, 1);
	a.backends[1].weight = 100;
	t = unit_build(&a);
	pxs_table_count(t, rows);
	CHECK_EQ(rows[0], 0);
	CHECK_EQ(rows[1], t->nrows);
	free(t);
	unit_config_init(&a, PXS_FILL_KETAMA, 1, 5);
	a.cfg.nrows = 7;
	CHECK(!unit_build(&a));
}

/* By asking for the owner at both ends and all old points of each arc. */
static bool arc_changed(const struct pxs_table *old, const struct pxs_table *new, u32 row)
{
	u32 to = pxs_table_points(new)[row], i, p;
	u32 from = pxs_table_points(new)[row ? row - 1 : new->nrows - 1] + 1;
	u16 owner = new->rows[row].first;

	if (old->rows[pxs_table_row_of(old, (u64)from << 32)].first != owner ||
	    old->rows[pxs_table_row_of(old, (u64)to << 32)].first != owner)
		return true;
	for (i = 0; i < old->nrows; i++) {
		p = pxs_table_points(old)[i];
		if (p - from < to - from && old->rows[i].first != owner)
			return true;
	}
	return !row && old->rows[0].first != owner;
}

static void differences(void)
{
	unsigned long *changed;
	struct pxs_table *t, *u;
	u32 i, n, moved, turn;

	for (turn = 0; turn < 3; turn++) {
		unit_config_init(&a, PXS_FILL_KETAMA, 6, 10);
		b = a;
		if (turn == 1)
			b.backends[2].weight = 0;
		if (turn == 2)
			b.backends[2].weight = 13;
		t = unit_build(&a);
		u = unit_build(&b);
		changed = malloc(pxs_bitmap_longs(u->nrows) * sizeof(*changed));
		moved = unit_diff(t, u, changed);
		for (i = 0, n = 0; i < u->nrows; i++) {
			CHECK_EQ(pxs_live(changed, i), arc_changed(t, u, i));
			n += pxs_live(changed, i);
		}
		CHECK_EQ(moved, n);
		CHECK_EQ(!moved, !turn);
		free(changed);
		free(t);
		free(u);
	}
}

static void golden(void)
{
	struct pxs_table *t, *u;

	eight_servers();
	t = unit_build(&a);
	CHECK_EQ(t->digest, 0x87ccfe063ad81874ull);
	/* the same owners of rows elsewhere on the ring are another table */
	b = a;
	b.backends[0].port = 11212;
	u = unit_build(&b);
	CHECK(u->digest != t->digest);
	free(t);
	free(u);
}

int main(void)
{
	RUN(md5);
	RUN(libmemcached_vectors);
	RUN(points_as_in_floats);
	RUN(names);
	RUN(shares);
	RUN(differences);
	RUN(golden);
	return unit_done();
}
