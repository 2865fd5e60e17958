// SPDX-License-Identifier: GPL-2.0
/*
 * test_health.c - a verdict out of single checks: counts, rhythm, boundaries
 */
#include <linux/paxsteer.h>

#include "../../agent/health.h"
#include "unit.h"

static const struct pxs_health_conf conf = {
	.interval_ms = 1000, .timeout_ms = 400, .rise = 2, .fall = 3,
};

static struct pxs_health_check h;
static u64 now;

static void start(u8 verdict)
{
	now = 5000;
	pxs_health_init(&h, &conf, verdict, now, 1);
	now = h.due;
}

/* One check: it begins when it is due, and ends @after ms later. Return: did the verdict change? */
static bool check(bool good, u32 after)
{
	now = max(now, h.due);
	CHECK(pxs_health_due(&h, now));
	pxs_health_begin(&h, now);
	now += after;
	return pxs_health_result(&h, &conf, good, now);
}

/* Checks as letters: g(ood), b(ad), v(oid); the verdicts after each: + good, - bad, u(nchecked). */
static void history(u8 verdict, const char *checks, const char *want)
{
	char got[64] = "";
	u32 i;

	start(verdict);
	for (i = 0; checks[i]; i++) {
		if (checks[i] == 'v') {
			now = max(now, h.due);
			pxs_health_begin(&h, now);
			pxs_health_void(&h, &conf, now);
		} else {
			u8 was = h.verdict;

			CHECK_EQ(check(checks[i] == 'g', 1), h.verdict != was);
		}
		got[i] = "xu+-"[h.verdict];
	}
	CHECK_STR(got, want);
}

static void falls(void)
{
	history(PXS_HEALTH_GOOD, "bbb", "++-");
	history(PXS_HEALTH_GOOD, "bbgbbb", "+++++-");
	history(PXS_HEALTH_UNCHECKED, "bbb", "uu-");
}

static void rises(void)
{
	history(PXS_HEALTH_BAD, "gg", "-+");
	history(PXS_HEALTH_BAD, "gbgg", "---+");
	history(PXS_HEALTH_UNCHECKED, "g", "+");
	history(PXS_HEALTH_UNCHECKED, "bbgbb", "uu+++");
}

/* Who alternates keeps the verdict that it has, whichever that is. */
static void flaps(void)
{
	history(PXS_HEALTH_GOOD, "bbgbbgbbgbg", "+++++++++++");
	history(PXS_HEALTH_BAD, "gbgbgbgbgb", "----------");
	history(PXS_HEALTH_GOOD, "bbbgbgggbbb", "++----++++-");
}

static void never_up(void)
{
	u32 i, changes = 0;

	start(PXS_HEALTH_BAD);
	for (i = 0; i < 10000; i++)
		changes += check(false, i % 400);
	CHECK_EQ(changes, 0);
	CHECK_EQ(h.verdict, PXS_HEALTH_BAD);
	start(PXS_HEALTH_UNCHECKED);
	for (i = 0; i < 10000; i++)
		changes += check(false, 1);
	CHECK_EQ(changes, 1);
	CHECK_EQ(h.verdict, PXS_HEALTH_BAD);
}

static void void_counts_for_nothing(void)
{
	history(PXS_HEALTH_GOOD, "bbvvvb", "+++++-");
	history(PXS_HEALTH_BAD, "gvg", "--+");
	history(PXS_HEALTH_UNCHECKED, "vvvv", "uuuu");
}

static void adopts(void)
{
	start(PXS_HEALTH_GOOD);
	check(false, 1);
	check(false, 1);
	pxs_health_adopt(&h, PXS_HEALTH_GOOD);	/* an operator overrules */
	CHECK(!check(false, 1));
	CHECK(!check(false, 1));
	CHECK(check(false, 1));
	check(true, 1);
	pxs_health_adopt(&h, PXS_HEALTH_UNCHECKED);
	CHECK(check(true, 1));
	CHECK_EQ(h.verdict, PXS_HEALTH_GOOD);
	/* While a check runs. */
	pxs_health_begin(&h, h.due);
	pxs_health_adopt(&h, PXS_HEALTH_BAD);
	CHECK(!pxs_health_result(&h, &conf, true, h.begun + 1));
	CHECK(check(true, 1));
}

/* Once: the smallest counts there are. And the largest. */
static void boundaries(void)
{
	struct pxs_health_conf c = { .interval_ms = PXS_HEALTH_INTERVAL_MIN, .rise = 1, .fall = 1,
		.timeout_ms = PXS_HEALTH_INTERVAL_MIN };
	u32 i;

	pxs_health_init(&h, &c, PXS_HEALTH_GOOD, 0, 0);
	for (i = 0; i < 10; i++) {
		pxs_health_begin(&h, h.due);
		CHECK(pxs_health_result(&h, &c, i % 2, h.begun));
		CHECK_EQ(h.verdict, i % 2 ? PXS_HEALTH_GOOD : PXS_HEALTH_BAD);
	}
	c.rise = PXS_HEALTH_COUNT_MAX;
	c.fall = PXS_HEALTH_COUNT_MAX;
	pxs_health_init(&h, &c, PXS_HEALTH_GOOD, 0, 0);
	for (i = 1; i <= PXS_HEALTH_COUNT_MAX; i++) {
		pxs_health_begin(&h, h.due);
		CHECK_EQ(pxs_health_result(&h, &c, false, h.begun), i == PXS_HEALTH_COUNT_MAX);
	}
}

static void rhythm(void)
{
	u64 begun;

	start(PXS_HEALTH_GOOD);
	begun = now;
	CHECK(pxs_health_due(&h, now));
	pxs_health_begin(&h, now);
	CHECK(!pxs_health_due(&h, now + 100000));
	CHECK(!pxs_health_late(&h, &conf, begun + 399));
	CHECK(pxs_health_late(&h, &conf, begun + 400));
	pxs_health_result(&h, &conf, false, begun + 400);
	CHECK(!pxs_health_late(&h, &conf, begun + 500));
	/* From its beginning, not from its end. */
	CHECK_EQ(h.due, begun + 1000);
	CHECK(!pxs_health_due(&h, begun + 999));
	CHECK(pxs_health_due(&h, begun + 1000));
	/* One that came late, because we did, is not made up for. */
	pxs_health_begin(&h, begun + 1000);
	pxs_health_result(&h, &conf, true, begun + 9000);
	CHECK_EQ(h.due, begun + 9000);
}

/* However it is jittered: down no later than fall * interval + timeout after the last good one. */
static void within_bound(void)
{
	struct pxs_health_conf c = conf;
	u64 seed, last_good, shortest = c.interval_ms, longest = 0, was;
	u32 i;

	c.jitter = PXS_HEALTH_JITTER_MAX;
	for (seed = 1; seed < 2000; seed++) {
		pxs_health_init(&h, &c, PXS_HEALTH_GOOD, 100, seed);
		CHECK(h.due >= 100 && h.due < 100 + c.interval_ms);
		pxs_health_begin(&h, h.due);
		last_good = h.begun;
		pxs_health_result(&h, &c, true, h.begun);
		for (i = 0, was = last_good; h.verdict == PXS_HEALTH_GOOD; i++, was = h.begun) {
			shortest = min(shortest, h.due - was);
			longest = max(longest, h.due - was);
			pxs_health_begin(&h, h.due);
			pxs_health_result(&h, &c, false, h.begun + c.timeout_ms);
		}
		CHECK_EQ(i, c.fall);
		CHECK(h.begun + c.timeout_ms <= last_good + c.fall * c.interval_ms + c.timeout_ms);
	}
	CHECK_EQ(longest, c.interval_ms);
	CHECK_EQ(shortest, c.interval_ms / 2);
}

/* First checks are spread over an interval, also for the longest. */
static void spread(void)
{
	struct pxs_health_conf c = conf;
	u32 quarter[4] = { 0 }, i;

	c.interval_ms = PXS_HEALTH_INTERVAL_MAX;
	c.jitter = PXS_HEALTH_JITTER_MAX;
	for (i = 0; i < 4000; i++) {
		pxs_health_init(&h, &c, PXS_HEALTH_GOOD, 0, i * 0x9e3779b97f4a7c15ull + 1);
		CHECK(h.due < c.interval_ms);
		quarter[h.due * 4 / c.interval_ms]++;
		pxs_health_begin(&h, h.due);
		pxs_health_result(&h, &c, true, h.begun);
		CHECK(h.due >= h.begun + c.interval_ms / 2 && h.due <= h.begun + c.interval_ms);
	}
	for (i = 0; i < 4; i++)
		CHECK(quarter[i] > 800 && quarter[i] < 1200);
}

int main(void)
{
	RUN(falls);
	RUN(rises);
	RUN(flaps);
	RUN(never_up);
	RUN(void_counts_for_nothing);
	RUN(adopts);
	RUN(boundaries);
	RUN(rhythm);
	RUN(within_bound);
	RUN(spread);
	return unit_done();
}
