// SPDX-License-Identifier: GPL-2.0
/*
 * test_ramp.c - slow start: steps, shares and weights of it, and what they do to a table
 */
#include "ramp.h"
#include "unit_table.h"

static const u32 all_seconds[] = { 1, 2, 7, 15, 16, 17, 30, 60, 61, 600, PXS_SLOW_START_MAX };

/* Who began at other moments steps at the same ones: a service needs one table for all. */
static void all_step_at_once(void)
{
	u64 since, t = 123456789, next = pxs_ramp_next(30, t);

	for (since = t - 5000; since <= t; since += 7)
		CHECK_EQ(pxs_ramp_step(30, since, next - 1), pxs_ramp_step(30, since, t));
	for (since = t - 5000; since <= t; since += 7)
		CHECK_EQ(pxs_ramp_step(30, since, next), pxs_ramp_step(30, since, t) + 1);
}

/* From next to nothing to all of it, upwards, in even steps, within the time and not before. */
static void share_grows(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(all_seconds); i++) {
		u32 s = all_seconds[i], interval = pxs_ramp_interval(s), before = 0, steps = 0;
		u32 most = 1000 / min(s * PXS_RAMP_PER_SECOND, (u32)PXS_RAMP_STEPS) + 1;
		u64 since = 1000003ull * i + 17, t;

		for (t = since; pxs_ramp_step(s, since, t) != PXS_RAMP_DONE;
		     t = pxs_ramp_next(s, t)) {
			u32 step = pxs_ramp_step(s, since, t), share = pxs_ramp_share(s, step);

			CHECK(share > before && share - before <= most);
			CHECK(pxs_ramp_next(s, t) > t && pxs_ramp_next(s, t) - t <= interval);
			CHECK_EQ(pxs_ramp_step(s, since, pxs_ramp_next(s, t) - 1), step);
			before = share;
			steps++;
		}
		CHECK(before < 1000 && 1000 - before <= most);
		CHECK(steps <= PXS_RAMP_STEPS && steps <= s * PXS_RAMP_PER_SECOND);
		CHECK(t - since > 1000ull * s - interval);
		CHECK(t - since < 1000ull * s + PXS_RAMP_STEPS);
		CHECK(interval >= 1000 / PXS_RAMP_PER_SECOND);
	}
}

static void ends_for_good(void)
{
	CHECK_EQ(pxs_ramp_step(0, 5, 5), PXS_RAMP_DONE);
	CHECK_EQ(pxs_ramp_step(1, 5, UINT64_MAX), PXS_RAMP_DONE);
	CHECK_EQ(pxs_ramp_step(PXS_SLOW_START_MAX, 0, UINT64_MAX), PXS_RAMP_DONE);
	CHECK_EQ(pxs_ramp_share(1, PXS_RAMP_DONE), 1000);
	CHECK_EQ(pxs_ramp_share(PXS_SLOW_START_MAX, PXS_RAMP_DONE), 1000);
}

/* Weights of 1 have steps too; none gets too heavy for a table; nobody ramps at 0. */
static void weights_fit(void)
{
	static const u32 weights[] = { 1, 2, 3, 64, 65, 66, 1000, 1008, 32768, PXS_WEIGHT_MAX };
	u32 i, j, step;

	for (i = 0; i < ARRAY_SIZE(weights); i++)
		for (j = i; j < ARRAY_SIZE(weights); j++) {
			u32 scale = pxs_ramp_scale(weights[i], weights[j]), before = 0;

			CHECK(scale >= 1 && (u64)scale * weights[j] <= PXS_WEIGHT_MAX);
			for (step = 1; step <= PXS_RAMP_STEPS; step++) {
				u32 share = pxs_ramp_share(600, step);
				u32 w = pxs_ramp_weight(weights[i], scale, share);

				CHECK(w >= 1 && w >= before);
				if (scale * weights[i] >= 2 * PXS_RAMP_DONE)
					CHECK(w > before);
				before = w;
			}
			CHECK_EQ(pxs_ramp_weight(weights[i], scale, 1000), scale * weights[i]);
		}
	CHECK_EQ(pxs_ramp_weight(0, 65, 16), 0);
	CHECK_EQ(pxs_ramp_weight(1, 1, 16), 1);
	CHECK_EQ(pxs_ramp_scale(0, 1), 1);
	CHECK_EQ(pxs_ramp_scale(1, PXS_WEIGHT_MAX), 1);
}

/*
 * One of ten comes in a minute: what each step moves, and that the last table is the one that
 * there would be without.
 */
static void table_follows(void)
{
	static struct unit_config c;
	struct pxs_table *before, *t;
	u32 step, i, rows[UNIT_BACKENDS], last = 0, moved = 0, most = 0;
	unsigned long *changed;

	unit_config_init(&c, PXS_FILL_RENDEZVOUS, 10, 1);
	c.cfg.nrows = 16384;
	changed = malloc(pxs_bitmap_longs(c.cfg.nrows) * sizeof(*changed));
	c.backends[9].weight = 0;
	before = unit_build(&c);
	for (step = 1; step <= PXS_RAMP_DONE; step++) {
		u32 scale = step < PXS_RAMP_DONE ? pxs_ramp_scale(1, 1) : 1;

		for (i = 0; i < 10; i++)
			c.backends[i].weight = scale;
		c.backends[9].weight = pxs_ramp_weight(1, scale, pxs_ramp_share(60, step));
		t = unit_build(&c);
		pxs_table_count(t, rows);
		CHECK(rows[9] >= last);
		CHECK(rows[9] <= (u64)16384 * step / 450);
		last = rows[9];
		i = unit_diff(before, t, changed);
		moved += i;
		most = max(most, i);
		free(before);
		before = t;
	}
	unit_config_init(&c, PXS_FILL_RENDEZVOUS, 10, 1);
	c.cfg.nrows = 16384;
	t = unit_build(&c);
	CHECK_EQ(t->digest, before->digest);
	NOTE("%u rows moved for %u, at most %u in a step", moved, last, most);
	CHECK(moved <= 2 * last);
	CHECK(most <= 16384 / 100);
	free(t);
	free(before);
	free(changed);
}

/* Who begins ramps where others are warm, and only then; how it ends is no matter. */
static void who_is_new_among_the_warm_ramps(void)
{
	struct pxs_ramp r = {};

	CHECK(!pxs_ramp_is_seasoned(&r, 60, 1000000));
	CHECK(!pxs_ramp_change(&r, false, 60, true, 1000));
	CHECK(pxs_ramp_change(&r, true, 60, false, 1000));
	CHECK(!r.ramps && r.since == 1000);
	CHECK_EQ(pxs_ramp_share_at(&r, 60, 1000), 1000);
	/* It serves, and did before: nothing begins. */
	CHECK(!pxs_ramp_change(&r, true, 60, true, 2000));
	CHECK(!r.ramps && r.since == 1000);
	CHECK(!pxs_ramp_change(&r, false, 60, true, 3000));
	CHECK_EQ(r.since, 0);
	CHECK(pxs_ramp_change(&r, true, 60, true, 4000));
	CHECK(r.ramps && r.since == 4000);
	CHECK_EQ(pxs_ramp_share_at(&r, 60, 4000), pxs_ramp_share(60, 1));
	CHECK_EQ(pxs_ramp_share_at(&r, 60, 64000), 1000);
	CHECK(!pxs_ramp_change(&r, false, 60, true, 5000));
	CHECK(!r.ramps);
	CHECK(pxs_ramp_change(&r, true, 0, true, 6000));
	CHECK(!r.ramps);
	CHECK_EQ(pxs_ramp_share_at(&r, 0, 6000), 1000);
}

static void warm_is_who_has_served_for_long(void)
{
	struct pxs_ramp r = {};

	pxs_ramp_change(&r, true, 8, false, 1000);
	CHECK(!pxs_ramp_is_seasoned(&r, 8, 1000));
	CHECK(!pxs_ramp_is_seasoned(&r, 8, 8000));
	CHECK(pxs_ramp_is_seasoned(&r, 8, 9000));
	CHECK(pxs_ramp_is_seasoned(&r, 0, 1000));
	pxs_ramp_change(&r, false, 8, false, 10000);
	CHECK(!pxs_ramp_is_seasoned(&r, 8, 20000));
}

int main(void)
{
	RUN(who_is_new_among_the_warm_ramps);
	RUN(warm_is_who_has_served_for_long);
	RUN(all_step_at_once);
	RUN(share_grows);
	RUN(ends_for_good);
	RUN(weights_fit);
	RUN(table_follows);
	return unit_done();
}
