// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_lww.c - eventual keys: clocks, which write is the last, marks, messages, prefixes
 */
#include <errno.h>
#include <stdlib.h>

#include "unit.h"

#include "../../agent/store/confirm.h"
#include "../../agent/store/feed.h"
#include "../../agent/store_prefix.h"

/* --- clocks --- */

static void a_clock_never_goes_back(void)
{
	u64 seed = 7, clock = 0, last = 0, now = 1000, time;
	u32 i;

	for (i = 0; i < 100000; i++) {
		now += unit_random(&seed) % 3;
		if (!(unit_random(&seed) % 100))
			now -= min(now, unit_random(&seed) % 50);	/* it was set */
		if (!(unit_random(&seed) % 10))
			pxs_clock_see(&clock, (now + unit_random(&seed) % 20) << 16);
		time = pxs_clock_tick(&clock, now);
		CHECK_FATAL(time > last && pxs_stamp_ms(time) >= now);
		last = time;
	}
}

static void a_clock_keeps_to_real_time(void)
{
	u64 clock = 0, time;
	u32 i;

	CHECK_EQ(pxs_clock_tick(&clock, 5), 5ull << 16);
	CHECK_EQ(pxs_clock_tick(&clock, 5), (5ull << 16) + 1);
	CHECK_EQ(pxs_clock_tick(&clock, 9), 9ull << 16);
	CHECK_EQ(pxs_clock_tick(&clock, 8), (9ull << 16) + 1);
	pxs_clock_see(&clock, (20ull << 16) + 3);
	CHECK_EQ(pxs_clock_tick(&clock, 9), (20ull << 16) + 4);
	pxs_clock_see(&clock, 7);
	CHECK_EQ(pxs_clock_tick(&clock, 9), (20ull << 16) + 5);
	/* The count overflows into the next millisecond. */
	for (i = 0; i < 65536; i++)
		time = pxs_clock_tick(&clock, 9);
	CHECK_EQ(time, (21ull << 16) + 5);
	CHECK(!pxs_clock_ahead(1060ull << 16 | 0xffff, 1000, 60));
	CHECK(pxs_clock_ahead(1061ull << 16, 1000, 60));
}

static void stamps_have_one_order(void)
{
	static const struct pxs_stamp s[] = {
		{ 1, 9, 9 }, { 2, 1, 1 }, { 2, 2, 1 }, { 2, 1, 2 }, { 3, 0, 0 },
	};
	char text[PXS_STAMP_TEXT];
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(s); i++)
		for (j = 0; j < ARRAY_SIZE(s); j++)
			CHECK((pxs_stamp_compare(&s[i], &s[j]) > 0) == (i > j) &&
			      (pxs_stamp_compare(&s[i], &s[j]) < 0) == (i < j));
	pxs_stamp_format(&(struct pxs_stamp){ (1234ull << 16) + 7, 1, 3 }, text);
	CHECK_STR(text, "1234.7@3");
}

/* --- which is the last --- */

static struct pxs_element draw(u64 *seed)
{
	static const char *const words[] = { "", "a", "b", "ab" };
	struct pxs_element e = {
		.stamp = { unit_random(seed) % 3, unit_random(seed) % 2, unit_random(seed) % 2 },
		.dead = unit_random(seed) % 2,
	};

	if (!e.dead)
		e.value = pxs_str(words[unit_random(seed) % 4]);
	e.deadline = e.dead ? 0 : unit_random(seed) % 2;
	return e;
}

static struct pxs_element merge(struct pxs_element a, struct pxs_element b)
{
	return pxs_lww_compare(&a, &b) >= 0 ? a : b;
}

static bool same(struct pxs_element a, struct pxs_element b)
{
	return !pxs_stamp_compare(&a.stamp, &b.stamp) && a.dead == b.dead &&
	       a.deadline == b.deadline && pxs_str_equal(a.value, b.value);
}

static void merging_is_a_join(void)
{
	struct pxs_element a, b, c;
	u64 seed = 3;
	u32 i;

	for (i = 0; i < 100000; i++) {
		a = draw(&seed);
		b = draw(&seed);
		c = draw(&seed);
		CHECK_FATAL(same(merge(a, b), merge(b, a)));
		CHECK_FATAL(same(merge(merge(a, b), c), merge(a, merge(b, c))));
		CHECK_FATAL(same(merge(a, a), a));
		CHECK_FATAL(same(a, b) == !pxs_lww_compare(&a, &b));
	}
}

static void the_last_write_says_what_a_key_is(void)
{
	struct pxs_element whole = { .stamp = { 5, 1, 1 } };
	struct pxs_element before = { .stamp = { 4, 1, 2 }, .kind = PXS_LWW_FIELD };
	struct pxs_element after = { .stamp = { 5, 1, 2 }, .kind = PXS_LWW_FIELD };

	CHECK(pxs_lww_covers(&whole, &before) && !pxs_lww_covers(&whole, &after));
	CHECK(!pxs_lww_ends(&before, &whole) && pxs_lww_ends(&after, &whole));
	after.dead = true;
	CHECK(pxs_lww_ends(&after, &whole));
	pxs_lww_kill(&whole);
	CHECK(!pxs_lww_ends(&after, &whole) && pxs_lww_covers(&whole, &before));
}

static void a_deadline_is_a_death(void)
{
	struct pxs_element e = { .deadline = 100, .value = pxs_str("v") }, dead = e;

	CHECK(pxs_lww_alive(&e, 100) && !pxs_lww_alive(&e, 101));
	pxs_lww_kill(&dead);
	CHECK(!pxs_lww_alive(&dead, 0) && !dead.value.len && !dead.deadline);
	CHECK(pxs_lww_compare(&dead, &e) > 0);
	e.deadline = 0;
	CHECK(pxs_lww_alive(&e, ~0ull));
}

/* --- marks --- */

static void a_mark_goes_when_all_was_heard(void)
{
	struct pxs_confirm c = { 0 };

	pxs_confirm_merged(&c, 1, 100);
	CHECK_EQ(c.safe, 0);
	pxs_confirm_asked(&c, 1, 0, 10, 50);
	CHECK_EQ(c.safe, 0);
	pxs_confirm_merged(&c, 1, 49);		/* it may have told something old behind that */
	CHECK_EQ(c.safe, 0);
	pxs_confirm_asked(&c, 1, 0, 20, 70);	/* the first is still open */
	pxs_confirm_merged(&c, 1, 50);
	CHECK_EQ(c.safe, 10);
	pxs_confirm_merged(&c, 1, 1000);
	CHECK_EQ(c.safe, 10);
	pxs_confirm_asked(&c, 1, 0, 20, 70);
	pxs_confirm_merged(&c, 2, 1000);	/* of another table */
	CHECK_EQ(c.safe, 10);
	pxs_confirm_merged(&c, 1, 70);
	CHECK_EQ(c.safe, 20);
	pxs_confirm_asked(&c, 1, 0, 5, 90);	/* less than is known */
	CHECK(!c.pending);
	pxs_confirm_asked(&c, 2, 0, 3, 4);		/* its disk was lost */
	CHECK_EQ(c.safe, 0);
	pxs_confirm_merged(&c, 2, 4);
	CHECK_EQ(c.safe, 3);
}

static void says(struct pxs_confirm *c, u64 table, u64 round, u64 cursor)
{
	pxs_confirm_asked(c, table, round, cursor, 1);
	pxs_confirm_merged(c, table, 1);
}

/* Who has said so may have lost its disk at once: with the same tables, once more. */
static void a_mark_goes_when_all_have_asked_again(void)
{
	struct pxs_confirm c[2] = { 0 };
	struct pxs_horizon h = { 0 };

	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 0);
	says(&c[0], 1, h.round, 10);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 0);
	says(&c[1], 2, h.round, 20);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 0);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 0);
	says(&c[0], 1, h.round - 1, 50);	/* behind an answer from before that */
	says(&c[1], 2, h.round, 60);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 0);
	says(&c[0], 1, h.round, 50);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 10);
	says(&c[0], 1, h.round, 50);
	says(&c[1], 3, h.round, 5);		/* its disk was lost */
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 10);
	says(&c[0], 1, h.round, 50);
	says(&c[1], 3, h.round, 70);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 10);
	says(&c[0], 1, h.round, 50);
	says(&c[1], 3, h.round, 70);
	CHECK_EQ(pxs_confirm_horizon(&h, c, 2, 100), 50);
}

/* --- messages --- */

static const u8 cluster[16] = "a cluster";
static struct pxs_keys keys = {
	.count = 2, .key = { { .id = 1, .bytes = "one" }, { .id = 2, .bytes = "two" } },
};
static union {
	struct pxs_feed_head head;
	u8 bytes[1024];
} room;

static u32 seal(const struct pxs_keys *by)
{
	struct pxs_feed f = {
		.list = 1, .nonce = 2, .echo = 3, .table = 4, .of = 5, .cursor = 6, .head = 7,
		.group = 8, .kind = PXS_FEED_ASK, .from = 9, .to = 10, .len = 48,
	};

	memset(&room, 'x', sizeof(room));
	pxs_feed_seal(by, cluster, &f, &room.head);
	return (u32)sizeof(room.head) + f.len;
}

static int open_it(u32 bytes, struct pxs_feed *f)
{
	return -pxs_feed_open(&keys, cluster, &room, bytes, f);
}

static void a_message_arrives(void)
{
	struct pxs_keys second = { .count = 1, .key = { keys.key[1] } };
	struct pxs_feed f;
	u32 bytes = seal(&keys);

	CHECK_EQ(open_it(bytes, &f), 0);
	CHECK(f.list == 1 && f.nonce == 2 && f.echo == 3 && f.table == 4 && f.of == 5);
	CHECK(f.cursor == 6 && f.head == 7 && f.group == 8 && f.kind == PXS_FEED_ASK);
	CHECK(f.from == 9 && f.to == 10 && f.len == 48);
	seal(&second);
	CHECK_EQ(open_it(bytes, &f), 0);
}

static void any_bit_of_a_message_counts(void)
{
	u32 i, bytes = seal(&keys);
	struct pxs_feed f;

	for (i = 0; i < bytes * 8; i++) {
		seal(&keys);
		room.bytes[i / 8] ^= (u8)(1 << i % 8);
		CHECK(open_it(bytes, &f));
	}
	for (i = 0; i < bytes; i++) {
		seal(&keys);
		CHECK(open_it(i, &f));
	}
	seal(&keys);
	CHECK_EQ(open_it(bytes + 1, &f), EBADMSG);
}

static void who_may_not_say_it(void)
{
	struct pxs_keys other = { .count = 1, .key = { { .id = 1, .bytes = "three" } } };
	static const u8 elsewhere[16] = "another cluster";
	u32 bytes = seal(&other);
	struct pxs_feed f;

	CHECK_EQ(open_it(bytes, &f), EKEYREJECTED);
	other.key[0].id = 3;
	seal(&other);
	CHECK_EQ(open_it(bytes, &f), EKEYREJECTED);
	seal(&keys);
	CHECK_EQ(-pxs_feed_open(&keys, elsewhere, &room, bytes, &f), EKEYREJECTED);
}

static struct pxs_element a_field(void)
{
	return (struct pxs_element){
		.stamp = { 77, 88, 3 }, .origin = 99, .kind = PXS_LWW_FIELD,
		.key = pxs_str("key"), .field = pxs_str("field"), .value = pxs_str("value"),
	};
}

static void items_come_as_they_went(void)
{
	struct pxs_element a = a_field(), b = a, c = a, got;
	u32 len, pos = 0;
	u8 buf[512];

	b.kind = PXS_LWW_WHOLE;
	b.field.len = 0;
	b.deadline = 12345;
	c.dead = true;
	c.value.len = 0;
	len = pxs_feed_put(buf, &a);
	len += pxs_feed_put(buf + len, &b);
	len += pxs_feed_put(buf + len, &c);
	CHECK_EQ(pxs_feed_next(buf, len, &pos, &got), 1);
	CHECK(same(a, got) && got.origin == 99 && got.kind == PXS_LWW_FIELD &&
	      pxs_str_equal(got.key, a.key) && pxs_str_equal(got.field, a.field));
	CHECK_EQ(pxs_feed_next(buf, len, &pos, &got), 1);
	CHECK(same(b, got) && !got.field.len);
	CHECK_EQ(pxs_feed_next(buf, len, &pos, &got), 1);
	CHECK(same(c, got));
	CHECK_EQ(pxs_feed_next(buf, len, &pos, &got), 0);
}

static void bad_item(void (*spoil)(struct pxs_feed_item *item))
{
	struct pxs_element e = a_field(), got;
	struct pxs_feed_item item;
	u8 buf[512];
	u32 len = pxs_feed_put(buf, &e), pos = 0;

	memcpy(&item, buf, sizeof(item));
	spoil(&item);
	memcpy(buf, &item, sizeof(item));
	CHECK_EQ(-pxs_feed_next(buf, len, &pos, &got), EBADMSG);
	CHECK_EQ(pos, 0);
}

static void no_time(struct pxs_feed_item *item)
{
	item->time = 0;
}

static void no_key(struct pxs_feed_item *item)
{
	item->key_len = 0;
}

static void long_key(struct pxs_feed_item *item)
{
	item->key_len = cpu_to_le32(65537);
}

static void long_field(struct pxs_feed_item *item)
{
	item->field_len = cpu_to_le32(~0u);
}

static void long_value(struct pxs_feed_item *item)
{
	item->value_len = cpu_to_le32(6);
}

static void other_kind(struct pxs_feed_item *item)
{
	item->kind = 2;
}

static void whole_field(struct pxs_feed_item *item)
{
	item->kind = PXS_LWW_WHOLE;
}

static void half_dead(struct pxs_feed_item *item)
{
	item->dead = 2;
}

static void dead_value(struct pxs_feed_item *item)
{
	item->dead = 1;
}

static void field_deadline(struct pxs_feed_item *item)
{
	item->deadline = 1;
}

static void what_is_no_item(void)
{
	struct pxs_element e = a_field(), got;
	u8 buf[512];
	u32 i, len = pxs_feed_put(buf, &e), pos;

	bad_item(no_time);
	bad_item(no_key);
	bad_item(long_key);
	bad_item(long_field);
	bad_item(long_value);
	bad_item(other_kind);
	bad_item(whole_field);
	bad_item(half_dead);
	bad_item(dead_value);
	bad_item(field_deadline);
	for (i = 1; i < len; i++) {
		pos = 0;
		CHECK_EQ(-pxs_feed_next(buf, i, &pos, &got), EBADMSG);
	}
}

static void what_need_not_be_told(void)
{
	struct pxs_feed_has has[] = {
		{ .table = cpu_to_le64(88), .origin = cpu_to_le64(99), .member = 3 },
	};
	struct pxs_element e = a_field();

	CHECK(pxs_feed_knows(has, 1, &e));
	CHECK(!pxs_feed_knows(has, 0, &e));
	e.origin = 100;
	CHECK(!pxs_feed_knows(has, 1, &e));
	e.origin = 1;
	e.stamp.table = 89;
	CHECK(!pxs_feed_knows(has, 1, &e));
	e.stamp.table = 88;
	e.stamp.member = 4;
	CHECK(!pxs_feed_knows(has, 1, &e));
}

/* --- prefixes --- */

static void prefixes_are_a_set(void)
{
	struct pxs_prefixes a = { 0 }, b = { 0 }, c = { 0 };
	char text[PXS_PREFIXES_TEXT];

	CHECK(!pxs_prefix_add(&a, "seen:") && !pxs_prefix_add(&a, "cache:"));
	CHECK(!pxs_prefix_add(&b, "cache:") && !pxs_prefix_add(&b, "seen:"));
	CHECK(!pxs_prefix_add(&c, "cache:seen:"));
	pxs_prefixes_seal(&a);
	pxs_prefixes_seal(&b);
	pxs_prefixes_seal(&c);
	CHECK(a.digest && a.digest == b.digest && a.digest != c.digest);
	pxs_prefixes_format(&a, text);
	CHECK_STR(text, "cache: seen:");
	CHECK_STR(pxs_prefix_of(&a, (const u8 *)"cache:1", 7), "cache:");
	CHECK(!pxs_prefix_of(&a, (const u8 *)"cache", 5) && !pxs_prefix_of(&a, NULL, 0));
	CHECK(!pxs_prefix_of(&a, (const u8 *)"xcache:", 7));
}

static void what_is_no_prefix(void)
{
	struct pxs_prefixes p = { 0 };
	char text[PXS_PREFIX_MAX + 2] = "";
	u32 i;

	CHECK(pxs_prefix_add(&p, ""));
	CHECK(pxs_prefix_add(&p, "a b") && pxs_prefix_add(&p, "a\n") && pxs_prefix_add(&p, "\xc3"));
	memset(text, 'x', PXS_PREFIX_MAX + 1);
	CHECK(pxs_prefix_add(&p, text));
	text[PXS_PREFIX_MAX] = 0;
	CHECK(!pxs_prefix_add(&p, text));
	CHECK(pxs_prefix_add(&p, text) && pxs_prefix_add(&p, "x"));
	p.n = 0;
	for (i = 0; i < PXS_PREFIXES_MAX; i++) {
		snprintf(text, sizeof(text), "p%c:", 'a' + i);
		CHECK(!pxs_prefix_add(&p, text));
	}
	CHECK(pxs_prefix_add(&p, "one"));
}

int main(void)
{
	RUN(a_clock_never_goes_back);
	RUN(a_clock_keeps_to_real_time);
	RUN(stamps_have_one_order);
	RUN(merging_is_a_join);
	RUN(the_last_write_says_what_a_key_is);
	RUN(a_deadline_is_a_death);
	RUN(a_mark_goes_when_all_was_heard);
	RUN(a_mark_goes_when_all_have_asked_again);
	RUN(a_message_arrives);
	RUN(any_bit_of_a_message_counts);
	RUN(who_may_not_say_it);
	RUN(items_come_as_they_went);
	RUN(what_is_no_item);
	RUN(what_need_not_be_told);
	RUN(prefixes_are_a_set);
	RUN(what_is_no_prefix);
	return unit_done();
}
