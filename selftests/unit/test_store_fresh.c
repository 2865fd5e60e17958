// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_fresh.c - how old is what is here, and what the leader said of it
 */
#include "unit.h"

#include "../../agent/store/store.h"

#define MS	1000000ull

static struct pxs_read_level within(u32 ms, u64 entries)
{
	return (struct pxs_read_level){ .kind = PXS_BOUNDED, .ms = ms, .entries = entries };
}

static bool holds(const struct pxs_fresh *f, struct pxs_read_level l, u64 now, u64 arrived,
		  u64 applied, u64 decided)
{
	return pxs_fresh_holds(f, &l, now * MS, arrived * MS, applied, decided);
}

static void who_knows_nothing_says_nothing(void)
{
	struct pxs_fresh f = { 0 };

	CHECK(!holds(&f, within(PXS_LEVEL_MS_MAX, ~0ull), 1, 1, 0, 0));
	pxs_fresh_applied(&f, 100);
	CHECK(!holds(&f, within(PXS_LEVEL_MS_MAX, ~0ull), 1, 1, 100, 100));
	CHECK_EQ(pxs_fresh_newest(&f), 0);
}

static void a_point_counts_once_it_is_applied(void)
{
	struct pxs_fresh f = { 0 };

	pxs_fresh_learn(&f, 1000 * MS, 7);
	CHECK_EQ(pxs_fresh_newest(&f), 1000 * MS);
	pxs_fresh_applied(&f, 6);
	CHECK(!holds(&f, within(100, ~0ull), 1001, 1001, 6, 7));
	pxs_fresh_applied(&f, 7);
	CHECK(holds(&f, within(100, ~0ull), 1001, 1001, 7, 7));
	CHECK(holds(&f, within(100, ~0ull), 1100, 1100, 7, 7));
	CHECK(!holds(&f, within(100, ~0ull), 1101, 1101, 7, 7));
	/* Nothing new is heard, however often something is applied. */
	pxs_fresh_applied(&f, 99);
	CHECK(!holds(&f, within(100, ~0ull), 1101, 1101, 99, 99));
}

static void entries_that_are_missing(void)
{
	struct pxs_fresh f = { 0 };

	pxs_fresh_learn(&f, 1000 * MS, 7);
	pxs_fresh_applied(&f, 7);
	CHECK(holds(&f, within(100, 5), 1001, 1001, 7, 12));
	CHECK(!holds(&f, within(100, 5), 1001, 1001, 7, 13));
	CHECK(!holds(&f, within(100, 0), 1001, 1001, 7, 8));
	CHECK(holds(&f, within(100, 0), 1001, 1001, 7, 6));
	/* The leader has named a slot that this member has not heard of otherwise. */
	pxs_fresh_learn(&f, 1001 * MS, 13);
	pxs_fresh_applied(&f, 7);
	CHECK(!holds(&f, within(100, 5), 1002, 1002, 7, 7));
	CHECK(holds(&f, within(100, 6), 1002, 1002, 7, 7));
}

/* Asked for after the read had come: as good as a strong one, however long it took. */
static void newer_than_the_question(void)
{
	struct pxs_fresh f = { 0 };

	pxs_fresh_learn(&f, 1000 * MS, 7);
	pxs_fresh_applied(&f, 7);
	CHECK(holds(&f, within(0, 0), 3000, 999, 7, 50));
	CHECK(!holds(&f, within(0, 0), 3000, 1000, 7, 7));
	CHECK(!holds(&f, within(0, 0), 3000, 1001, 7, 7));
}

static void points_in_any_order(void)
{
	struct pxs_fresh f = { 0 };
	u32 i;

	pxs_fresh_learn(&f, 10, 9);
	pxs_fresh_learn(&f, 20, 5);
	/* What was heard late says nothing new. */
	pxs_fresh_learn(&f, 15, 5);
	CHECK_EQ(f.points, 2);
	pxs_fresh_applied(&f, 5);
	CHECK_EQ(f.at, 20);
	CHECK_EQ(f.points, 0);
	/* A member that lags for long keeps the old points, which it reaches first. */
	for (i = 1; i <= 3 * PXS_FRESH_POINTS; i++)
		pxs_fresh_learn(&f, 100 * i, 10 * i);
	CHECK_EQ(f.points, PXS_FRESH_POINTS);
	pxs_fresh_applied(&f, 25);
	CHECK_EQ(f.at, 200);
	pxs_fresh_applied(&f, 10 * PXS_FRESH_POINTS);
	CHECK_EQ(f.at, 100 * (PXS_FRESH_POINTS - 1));
	pxs_fresh_applied(&f, 30 * PXS_FRESH_POINTS);
	CHECK_EQ(f.at, 300 * PXS_FRESH_POINTS);
}

static void levels_as_text(void)
{
	static const struct {
		const char *text, *again;
	} good[] = {
		{ "strong", "strong" }, { "SESSION", "session" }, { "Eventual", "eventual" },
		{ "bounded 0", "bounded 0" }, { "bounded 3600000", "bounded 3600000" },
		{ "bounded 100 0", "bounded 100 0" }, { "bounded  5  7 ", "bounded 5 7" },
	};
	static const char *const bad[] = {
		"", "weak", "bounded", "bounded x", "bounded -1", "bounded 3600001", "bounded 1 x",
		"bounded 1 2 3", "strong 1", "boundedx 1", "bounded 1x", "bounded +1",
		"bounded 99999999999999999999", "bounded 1 99999999999999999999",
	};
	struct pxs_read_level l = { .kind = PXS_SESSION };
	char text[PXS_LEVEL_TEXT_MAX];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(pxs_level_parse(bad[i], &l));
		CHECK_EQ(l.kind, PXS_SESSION);
	}
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		CHECK(!pxs_level_parse(good[i].text, &l));
		pxs_level_format(&l, text, sizeof(text));
		CHECK_STR(text, good[i].again);
	}
}

/* What the leader answers, in pieces, and what is no answer. */
static void lines(void)
{
	static const char *const bad[] = {
		"-MOVED 0 x:1\r\n", ":\r\n", ":-1\r\n", ":1x\r\n", "\r\n", "\n", ":1\n", "$2\r\n",
	};
	static const char whole[] = "+OK\r\n:12\r\n";
	bool error;
	u64 slot;
	u32 i;

	for (i = 0; i < 5; i++)
		CHECK_EQ(pxs_ask_line((const u8 *)whole, i, &slot, &error), 0);
	CHECK_EQ(pxs_ask_line((const u8 *)whole, 10, &slot, &error), 5);
	CHECK(!error && slot == ~0ull);
	CHECK_EQ(pxs_ask_line((const u8 *)whole + 5, 5, &slot, &error), 5);
	CHECK(!error && slot == 12);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK(pxs_ask_line((const u8 *)bad[i], (u32)strlen(bad[i]), &slot, &error));
		CHECK(error);
	}
}

int main(void)
{
	RUN(who_knows_nothing_says_nothing);
	RUN(a_point_counts_once_it_is_applied);
	RUN(entries_that_are_missing);
	RUN(newer_than_the_question);
	RUN(points_in_any_order);
	RUN(levels_as_text);
	RUN(lines);
	return unit_done();
}
