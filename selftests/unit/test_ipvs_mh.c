// SPDX-License-Identifier: GPL-2.0
/*
 * test_ipvs_mh.c - the table of IPVS' scheduler mh, against a likeness and what was seen
 *
 * Sources: lib/tests/siphash_kunit.c of Linux for the hash (test_vectors_hsiphash, 64 bit);
 * what a running 6.1 and 7.2 kernel did with 100 servers, one of them edited from weight
 * 100 to 99 (18 got no packet); and mh as read in net/netfilter/ipvs/ip_vs_mh.c, done again
 * here in another way: whole permutations, and servers in a list to whose head they are added.
 */
#include "unit_table.h"
#include "ipvs_mh.h"

#define ROWS_MAX	131071

static struct unit_config a;

/* SipHash-1-3 of up to 7 bytes and 7 more: only the way of the bytes is as in the paper. */
static u32 siphash13(u64 k0, u64 k1, const u8 *bytes, u32 len)
{
	u64 v[4] = { k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull,
		     k0 ^ 0x6c7967656e657261ull, k1 ^ 0x7465646279746573ull };
	u64 word = (u64)len << 56;
	u32 i;

	for (i = 0; i < len; i++)
		word |= (u64)bytes[i] << (8 * i);
	v[3] ^= word;
	for (i = 0; i < 4; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = (v[1] << 13 | v[1] >> 51) ^ v[0];
		v[3] = (v[3] << 16 | v[3] >> 48) ^ v[2];
		v[0] = v[0] << 32 | v[0] >> 32;
		v[2] += v[1];
		v[0] += v[3];
		v[1] = (v[1] << 17 | v[1] >> 47) ^ v[2];
		v[3] = (v[3] << 21 | v[3] >> 43) ^ v[0];
		v[2] = v[2] << 32 | v[2] >> 32;
		if (!i) {
			v[0] ^= word;
			v[2] ^= 0xff;
		}
	}
	return (u32)(v[0] ^ v[1] ^ v[2] ^ v[3]);
}

static void hash_vectors(void)
{
	static const u8 bytes[] = { 0, 1, 2, 3, 4, 5, 6 };
	static const u32 want[] = { 0x050fc4dc, 0x7d57ca93, 0x4dc7d44d, 0xe7ddf7fb, 0x88d38328,
				    0x49533b67, 0xc59f22a7, 0x9bb11140 };
	const struct pxs_seed seed = { .k = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };
	u32 len;

	for (len = 0; len < ARRAY_SIZE(want); len++)
		CHECK_EQ(siphash13(seed.k[0], seed.k[1], bytes, len), want[len]);
	CHECK_EQ(pxs_hsiphash_u32(&seed, 0x03020100), want[4]);
}

/* A server in IPVS' list. */
struct server {
	u32 offset, skip, turns, used;
	u16 index;
};

static u32 server_hash(const struct pxs_table_backend *be, u64 key)
{
	u32 folded = 0, i, len = be->family == 6 ? 16 : 4;
	u8 bytes[4];

	for (i = 0; i < len; i += 4)
		folded ^= (u32)be->addr[i] << 24 | (u32)be->addr[i + 1] << 16 |
			  (u32)be->addr[i + 2] << 8 | be->addr[i + 3];
	folded += be->port;
	for (i = 0; i < 4; i++)
		bytes[i] = (u8)(folded >> (8 * i));
	return siphash13(key, key, bytes, 4);
}

/* Turns by weight, on a kernel whose CONFIG_IP_VS_MH_TAB_INDEX is @index. */
static u32 turns_of(const struct unit_config *c, u32 weight, u32 index)
{
	u32 i, g, most = 0, shift = 0;

	for (i = 0; i < c->cfg.nbackends; i++)
		most = max(most, c->backends[i].weight);
	for (g = most; ; g--) {
		for (i = 0; i < c->cfg.nbackends && c->backends[i].weight % g == 0; i++)
			;
		if (i == c->cfg.nbackends)
			break;
	}
	for (most /= g; most >> shift >= 1u << (index / 2); shift++)
		;
	return max(weight / g >> shift, 1u);
}

/* Backends must be in order of id, and are added in it. */
static void likeness(const struct unit_config *c, u32 nrows, u32 index, u16 *rows)
{
	struct server *list = calloc(c->cfg.nbackends, sizeof(*list)), *s = list;
	u32 i, n = 0, filled = 0, turn, row;

	for (i = c->cfg.nbackends; i-- > 0; ) {
		if (!c->backends[i].weight)
			continue;
		list[n].offset = server_hash(&c->backends[i], 2654435761u) % nrows;
		list[n].skip = server_hash(&c->backends[i], 2654446892u) % (nrows - 1) + 1;
		list[n].turns = turns_of(c, c->backends[i].weight, index);
		list[n++].index = (u16)i;
	}
	for (i = 0; i < nrows; i++)
		rows[i] = PXS_NONE;
	while (filled < nrows) {
		for (turn = 0; turn < s->turns && filled < nrows; turn++, filled++) {
			do {
				row = (u32)((s->offset + (u64)s->used++ * s->skip) % nrows);
			} while (rows[row] != PXS_NONE);
			rows[row] = s->index;
		}
		s = s + 1 < list + n ? s + 1 : list;
	}
	free(list);
}

static void compare(u32 nrows, u32 index)
{
	static u16 want[ROWS_MAX];
	struct pxs_table *t;
	u32 i, wrong = 0;

	a.cfg.nrows = nrows;
	t = unit_build_steps(&a, 100);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	likeness(&a, nrows, index, want);
	for (i = 0; i < nrows; i++)
		wrong += t->rows[i].first != want[i];
	CHECK_EQ(wrong, 0);
	free(t);
}

static void as_the_kernel(void)
{
	static const u32 rows[] = { 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521, 131071 };
	u64 x = 99;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		unit_config_init(&a, PXS_FILL_IPVS_MH, 1 + i * i * 2, 100);
		compare(rows[i], i + 8);
		for (j = 0; j < a.cfg.nbackends; j++)
			a.backends[j].weight = 1 + (u32)(unit_random(&x) % (i % 2 ? 60000 : 9));
		compare(rows[i], i + 8);
		/* a common divisor, one without weight, and some with addresses of 16 bytes */
		for (j = 0; j < a.cfg.nbackends; j++) {
			struct pxs_table_backend *be = &a.backends[j];

			be->weight = 6 * (be->weight % 7) + 6 * (!j);
			if (j % 2)
				continue;
			be->family = 6;
			be->addr[15] = (u8)unit_random(&x);
			be->addr[8] = (u8)unit_random(&x);
		}
		compare(rows[i], i + 8);
	}
}

/* 4093 rows by rule; seen of kernels: 10.0.0.1:81 and 10.0.0.2:80 begin at row 1231. */
static void seen(void)
{
	u32 rows[UNIT_BACKENDS], i, starved = 0;
	struct pxs_table *t;

	unit_config_init(&a, PXS_FILL_IPVS_MH, 2, 1);
	a.backends[0].addr[3] = 1;
	a.backends[0].port = 81;
	a.backends[1].addr[3] = 2;
	a.backends[1].port = 80;
	t = unit_build(&a);
	CHECK_FATAL(t);
	CHECK_EQ(t->nrows, 4093);
	/* the last one added takes it; one permutation for both, so they alternate along it */
	CHECK_EQ(t->rows[1231].first, 1);
	free(t);

	unit_config_init(&a, PXS_FILL_IPVS_MH, 100, 100);
	a.backends[40].weight = 99;
	t = unit_build(&a);
	CHECK_FATAL(t);
	pxs_table_count(t, rows);
	for (i = 0; i < 100; i++)
		starved += !rows[i];
	CHECK_EQ(starved, 18);
	/* the last to come are those that the list ends with: the first added */
	for (i = 0; i < 18; i++)
		CHECK_EQ(rows[i], 0);
	free(t);
}

static void refusals(void)
{
	static const u32 bad[] = { 1, 250, 256, 4096, 65537, 131072 };
	const char *why;
	u32 i;

	unit_config_init(&a, PXS_FILL_IPVS_MH, 1, 1);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		a.cfg.nrows = bad[i];
		why = NULL;
		CHECK_EQ(-pxs_table_plan(&a.cfg, &why), ERANGE);
		CHECK(why && strstr(why, "none of 251, 509"));
	}
	unit_config_init(&a, PXS_FILL_IPVS_MH, 252, 1);
	a.cfg.nrows = 251;
	CHECK_EQ(-pxs_table_plan(&a.cfg, &why), ERANGE);
	CHECK_STR(why, "fewer rows than backends");
}

static void order_and_golden(void)
{
	static struct unit_config b;
	struct pxs_table *t, *u;
	u32 i;

	unit_config_init(&a, PXS_FILL_IPVS_MH, 7, 10);
	a.backends[4].weight = 3;
	b = a;
	for (i = 0; i < 7; i++)
		b.backends[i] = a.backends[6 - i];
	t = unit_build(&a);
	u = unit_build_steps(&b, 1);
	CHECK_FATAL(t && u);
	CHECK_EQ(t->digest, u->digest);
	CHECK_EQ(t->digest, 0x98228fda862866c9ull);
	free(t);
	free(u);
}

int main(void)
{
	RUN(hash_vectors);
	RUN(as_the_kernel);
	RUN(seen);
	RUN(refusals);
	RUN(order_and_golden);
	return unit_done();
}
