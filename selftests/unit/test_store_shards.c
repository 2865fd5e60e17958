// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_shards.c - which group has a key, and what the log says about it
 */
#include "unit_store.h"

#include "../../agent/store/shards.h"

static const struct pxs_seed seed = { { 1, 2 } };

static void fill(struct pxs_shards *m, u32 n)
{
	u32 group[PXS_SHARDS_MAX], i;

	for (i = 0; i < n; i++)
		group[i] = 10 * (n - i);
	CHECK_EQ(pxs_shards_fill(m, group, n, &seed), 0);
}

static u32 rows_of(const struct pxs_shards *m, u32 index)
{
	u32 i, n = 0;

	for (i = 0; i < PXS_SHARD_ROWS; i++)
		n += m->row[i] == index;
	return n;
}

static void every_group_has_its_share(void)
{
	struct pxs_shards m;
	u32 n, i;

	for (n = 1; n <= PXS_SHARDS_MAX; n++) {
		fill(&m, n);
		for (i = 0; i < n; i++) {
			CHECK_EQ(m.group[i], 10 * (i + 1));
			/* The cap is above the fair share; somebody may have less. */
			CHECK(rows_of(&m, i) >= PXS_SHARD_ROWS / n / 2);
			CHECK(rows_of(&m, i) <= PXS_SHARD_ROWS * 51 / (50 * n) + 1);
		}
	}
}

static void the_order_of_the_groups_does_not_matter(void)
{
	static const u32 up[] = { 3, 5, 9 }, down[] = { 9, 3, 5 };
	struct pxs_shards a, b;

	CHECK_EQ(pxs_shards_fill(&a, up, 3, &seed), 0);
	CHECK_EQ(pxs_shards_fill(&b, down, 3, &seed), 0);
	CHECK(!memcmp(&a, &b, sizeof(a)));
	CHECK_EQ(pxs_shards_digest(&a), pxs_shards_digest(&b));
}

/* A store's data is where this says: it must not change, on any machine, in any version. */
static void the_map_is_what_it_always_was(void)
{
	static const u32 group[] = { 1, 2, 3 };
	struct pxs_shards m;

	CHECK_EQ(pxs_shards_fill(&m, group, 3, &seed), 0);
	CHECK_EQ(pxs_shards_digest(&m), 0x3dae4627c32d6e95ull);
}

static void one_more_moves_only_what_it_gets(void)
{
	struct pxs_shards a, b;
	u32 i, moved = 0, got = 0;

	fill(&a, 4);
	fill(&b, 5);
	for (i = 0; i < PXS_SHARD_ROWS; i++) {
		moved += a.group[a.row[i]] != b.group[b.row[i]];
		got += b.group[b.row[i]] == 50;
	}
	CHECK(moved >= got);
	CHECK(moved <= got + PXS_SHARD_ROWS / 10);
}

static void ranges_are_all_slots_once(void)
{
	static u8 seen[PXS_KEYSLOTS];
	struct pxs_shards m;
	u32 i, from, last, slot;

	fill(&m, 3);
	for (i = 0; i < 3; i++) {
		for (from = 0; pxs_shards_range(&m, i, &from, &last); from = last + 1) {
			CHECK(from <= last && last < PXS_KEYSLOTS);
			for (slot = from; slot <= last; slot++) {
				CHECK_EQ(pxs_shards_of(&m, slot), i);
				seen[slot]++;
			}
		}
	}
	for (slot = 0; slot < PXS_KEYSLOTS; slot++)
		CHECK_EQ(seen[slot], 1);
}

static void a_tag_keeps_keys_together(void)
{
	struct pxs_shards m;
	char text[32];
	u32 i;

	fill(&m, 16);
	for (i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "account%u{tag}", i);
		CHECK_EQ(pxs_shards_of_key(&m, pxs_str(text)),
			 pxs_shards_of_key(&m, pxs_str("tag")));
	}
	CHECK_EQ(pxs_shards_index(&m, 30), 2);
	CHECK_EQ(pxs_shards_index(&m, 31), -1);
}

/* --- in the log -------------------------------------------------------------------- */

static struct unit_store s;

static void say_map(u64 digest, const char *words)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_MAP, .ncommands = 1, .client = digest, .time = 1,
	};
	struct pxs_str argv[STORE_WORDS];
	struct pxs_args args = { 0, argv };
	char *text = strdup(words);
	u8 value[512];

	args.argc = store_words(text, argv);
	pxs_store_entry_put(value, &e, NULL, &args);
	CHECK_EQ(value[4], 5);		/* programs before it must not skip it */
	CHECK_EQ(store_apply(&s, value, (u32)pxs_store_entry_size(NULL, 0, &args, 1)), 0);
	free(text);
}

static void reopen(void)
{
	pxs_db_close(&s.db, true);
	store_open(&s);
}

static void a_map_is_taken_once(void)
{
	store_make(&s);
	CHECK_EQ(s.db.state.map.n, 0);
	say_map(77, "1 2 30");
	say_map(78, "1 2");
	CHECK_EQ(s.db.state.map.n, 3);
	CHECK_EQ(s.db.state.map.digest, 77);
	CHECK_EQ(s.db.state.map.group[2], 30);
	store_say(&s, "SET a 1");
	reopen();
	CHECK_EQ(s.db.state.map.n, 3);
	CHECK_EQ(s.db.state.map.digest, 77);
	CHECK_EQ(s.db.state.map.group[2], 30);
	CHECK_EQ(s.db.state.keys, 1);
	store_remove(&s);
}

static void a_bad_map_is_foreign(void)
{
	static const char *const bad[] = {
		"1", "1 1", "2 1", "0 1", "1 x", "1 2147483648",
		"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
	};
	u32 i;

	store_make(&s);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		say_map(1, bad[i]);
		CHECK_EQ(s.db.state.foreign, i + 1);
		CHECK_EQ(s.db.state.map.n, 0);
	}
	store_remove(&s);
}

/* It may be another group's by the map. */
static void data_from_before_keeps_a_map_out(void)
{
	store_make(&s);
	store_say(&s, "SET a 1");
	say_map(1, "1 2");
	CHECK_EQ(s.db.state.map.n, 0);
	store_say(&s, "DEL a");
	say_map(1, "1 2");
	CHECK_EQ(s.db.state.map.n, 2);
	store_remove(&s);
}

static void a_map_that_was_not_committed_is_not_there(void)
{
	store_make(&s);
	CHECK_EQ(pxs_db_begin(&s.db, true), 0);
	s.db.state.map.n = 2;
	pxs_db_abort(&s.db);
	CHECK_EQ(s.db.state.map.n, 0);
	store_remove(&s);
}

static u64 open_session(void)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SESSION, .time = 1, .client = 10, .seq = 1000,
	};
	u8 buf[sizeof(struct pxs_store_entry_hdr)];

	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(store_apply(&s, buf, sizeof(buf)), 0);
	return strtoull(s.answer + 1, NULL, 10);
}

static void a_session_says_whose_it_is(void)
{
	store_make(&s);
	CHECK_EQ(open_session(), s.db.state.applied);
	store_remove(&s);

	store_make(&s);
	s.db.owner.group = 2;
	say_map(1, "1 2 3");
	CHECK_EQ(open_session(), s.db.state.applied * PXS_SHARDS_MAX + 1);
	store_remove(&s);
}

int main(void)
{
	RUN(every_group_has_its_share);
	RUN(the_order_of_the_groups_does_not_matter);
	RUN(the_map_is_what_it_always_was);
	RUN(one_more_moves_only_what_it_gets);
	RUN(ranges_are_all_slots_once);
	RUN(a_tag_keeps_keys_together);
	RUN(a_map_is_taken_once);
	RUN(a_bad_map_is_foreign);
	RUN(data_from_before_keeps_a_map_out);
	RUN(a_map_that_was_not_committed_is_not_there);
	RUN(a_session_says_whose_it_is);
	return unit_done();
}
