// SPDX-License-Identifier: GPL-2.0
/*
 * test_fills.c - fills for compatibility: what others published, and each one's promises
 */
#include "unit_table.h"
#include "jump.h"
#include "key.h"
#include "redis_slots.h"

static struct unit_config a, b;

static u32 slot_of(const char *key)
{
	static const struct pxs_seed seed;
	struct pxs_key_spec spec = {
		.rule = PXS_KEY_REDIS, .hash = pxs_key_hash_of(PXS_FILL_REDIS_SLOTS),
	};
	struct pxs_table t = { .nrows = PXS_REDIS_SLOTS };
	u64 hash = 0;

	CHECK(!pxs_key_hash_given(&spec, &seed, key, (u32)strlen(key), &hash));
	return pxs_table_row_of(&t, hash);
}

/* Redis' own documentation: of the CRC, and of CLUSTER KEYSLOT. */
static void redis_keys(void)
{
	u32 slot;

	CHECK_EQ(pxs_crc16((const u8 *)"123456789", 9), 0x31c3);
	CHECK_EQ(slot_of("123456789"), 12739);
	CHECK_EQ(slot_of("foo"), 12182);
	CHECK_EQ(slot_of("bar"), 5061);
	CHECK_EQ(slot_of("somekey"), 11058);
	CHECK_EQ(slot_of("foo{hash_tag}"), 2515);
	CHECK_EQ(slot_of("bar{hash_tag}"), 2515);
	CHECK_EQ(slot_of("{user1000}.following"), slot_of("user1000"));
	for (slot = 0; slot < PXS_REDIS_SLOTS; slot++) {
		struct pxs_table t = { .nrows = PXS_REDIS_SLOTS };

		CHECK_EQ(pxs_table_row_of(&t, pxs_redis_hash(slot)), slot);
	}
}

/* What "redis-cli --cluster create" gives 3 and 6 masters. */
static void redis_ranges(void)
{
	static const u16 last3[] = { 5460, 10922, 16383 };
	static const u16 last6[] = { 2730, 5460, 8191, 10922, 13652, 16383 };
	struct pxs_table *t;
	u32 n, i, slot;

	for (n = 3; n <= 6; n += 3) {
		const u16 *last = n == 3 ? last3 : last6;

		unit_config_init(&a, PXS_FILL_REDIS_SLOTS, n, 7);
		t = unit_build(&a);
		CHECK_FATAL(t);
		unit_check_rows(&a, t);
		for (i = 0, slot = 0; slot < PXS_REDIS_SLOTS; slot++) {
			CHECK_EQ(t->rows[slot].first, i);
			i += slot == last[i];
		}
		free(t);
	}
	unit_config_init(&a, PXS_FILL_REDIS_SLOTS, 3, 1);
	a.backends[1].weight = 0;
	a.backends[2].weight = 3;
	t = unit_build_steps(&a, 1);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	CHECK_EQ(t->rows[4095].first, 0);
	CHECK_EQ(t->rows[4096].first, 2);
	free(t);
	a.cfg.nrows = 8192;
	CHECK(!unit_build(&a));
}

/* The code of the paper, with its doubles. */
static u32 jump_published(u64 key, u32 buckets)
{
	int64_t at = -1, next = 0;

	while (next < buckets) {
		at = next;
		key = key * 2862933555777941757ull + 1;
		next = (int64_t)((double)(at + 1) *
				 ((double)(1ll << 31) / (double)((key >> 33) + 1)));
	}
	return (u32)at;
}

static void jump_published_vectors(void)
{
	u64 x = 0x1234567, key;
	u32 i, n;

	/* of other implementations' tests */
	CHECK_EQ(pxs_jump(1, 1), 0);
	CHECK_EQ(pxs_jump(42, 57), 43);
	CHECK_EQ(pxs_jump(0xdead10cc, 1), 0);
	CHECK_EQ(pxs_jump(0xdead10cc, 666), 361);
	CHECK_EQ(pxs_jump(256, 1024), 520);
	for (i = 0; i < 400000; i++) {
		key = i < 1000 ? i : unit_random(&x);
		n = (u32)(unit_random(&x) >> (32 + i % 32));
		n = n ? n : 1;
		if (pxs_jump(key, n) == jump_published(key, n))
			continue;
		CHECK_EQ(pxs_jump(key, n), jump_published(key, n));
	}
}

static void jump_moves_least(void)
{
	struct unit_balance bal;
	struct pxs_table *t;
	double ratio;

	unit_config_init(&a, PXS_FILL_JUMP, 100, 1);
	t = unit_build(&a);
	CHECK_FATAL(t);
	unit_check_rows(&a, t);
	bal = unit_balance(&a, t);
	NOTE("100 equal: max %.3f, min %.3f of fair", bal.max, bal.min);
	CHECK(bal.max < 1.16 && bal.min > 0.85);
	free(t);
	unit_config_init(&b, PXS_FILL_JUMP, 101, 1);
	ratio = unit_disruption(&a, &b);
	NOTE("the last one comes: %.3f of the least possible", ratio);
	CHECK(ratio > 0.9 && ratio < 1.1);
	b = a;
	b.backends[0].weight = 0;
	NOTE("the first one goes: %.1f of the least possible", unit_disruption(&a, &b));
	unit_config_init(&a, PXS_FILL_JUMP, 3, 100);
	a.backends[1].weight = 0;
	a.backends[2].weight = 300;
	t = unit_build_steps(&a, 33);
	unit_check_rows(&a, t);
	bal = unit_balance(&a, t);
	CHECK(bal.max < 1.02 && bal.min > 0.98);
	free(t);
}

/* The same table in any order of backends, in steps of any size; the digests are for ever. */
static void order_and_golden(void)
{
	static const struct {
		u8 fill;
		u64 digest;
	} golden[] = {
		{ PXS_FILL_REDIS_SLOTS, 0x0bff0d19e53a4bb8ull },
		{ PXS_FILL_JUMP, 0x5f622b57db51e25cull },
	};
	struct pxs_table *t, *u;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		unit_config_init(&a, golden[i].fill, 7, 10);
		a.backends[4].weight = 3;
		b = a;
		for (j = 0; j < 7; j++)
			b.backends[j] = a.backends[6 - j];
		t = unit_build(&a);
		u = unit_build_steps(&b, 50);
		CHECK_FATAL(t && u);
		unit_check_rows(&a, t);
		unit_check_rows(&b, u);
		CHECK_EQ(t->digest, u->digest);
		CHECK_EQ(t->digest, golden[i].digest);
		free(t);
		free(u);
	}
}

int main(void)
{
	RUN(redis_keys);
	RUN(redis_ranges);
	RUN(jump_published_vectors);
	RUN(jump_moves_least);
	RUN(order_and_golden);
	return unit_done();
}
