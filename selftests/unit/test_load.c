// SPDX-License-Identifier: GPL-2.0
/*
 * test_load.c - bounded load: who is full, and where requests go
 */
#include "load.h"
#include "unit_table.h"

#define N	50

static struct pxs_load v[N];

static void set(u32 n, const u32 *loads, u32 weight)
{
	u32 i;

	memset(v, 0, sizeof(v));
	for (i = 0; i < n; i++) {
		v[i].load = loads[i];
		v[i].weight = weight;
	}
}

/* Four of 100 each have 1.25 times their share at 125, and not one more. */
static void bound_is_the_bound(void)
{
	static const u32 at[] = { 125, 92, 92, 91 }, above[] = { 126, 92, 91, 91 };

	set(4, at, 1);
	pxs_load_decide(v, 4, 1250);
	CHECK(!v[0].full && !v[1].full && !v[2].full && !v[3].full);
	set(4, above, 7);
	pxs_load_decide(v, 4, 1250);
	CHECK(v[0].full && !v[1].full && !v[2].full && !v[3].full);
}

/* Full until below the middle: 112 of 100. */
static void does_not_flap(void)
{
	static const u32 middle[] = { 113, 96, 96, 95 }, below[] = { 112, 96, 96, 96 };
	u32 i;

	set(4, middle, 1);
	pxs_load_decide(v, 4, 1250);
	CHECK(!v[0].full);
	v[0].full = true;
	pxs_load_decide(v, 4, 1250);
	CHECK(v[0].full);
	for (i = 0; i < 4; i++)
		v[i].load = below[i];
	pxs_load_decide(v, 4, 1250);
	CHECK(!v[0].full);
}

static void shares_go_by_weight(void)
{
	static const u32 loads[] = { 300, 100 };

	set(2, loads, 1);
	v[0].weight = 3;
	pxs_load_decide(v, 2, 1010);
	CHECK(!v[0].full && !v[1].full);
	v[0].weight = 2;
	pxs_load_decide(v, 2, 1010);
	CHECK(v[0].full && !v[1].full);
}

static void small_loads_are_none(void)
{
	static const u32 few[] = { PXS_LOAD_FLOOR, 0, 0, 0 }, more[] = { PXS_LOAD_FLOOR + 1 };

	set(4, few, 1);
	pxs_load_decide(v, 4, 1250);
	CHECK(!v[0].full);
	set(1, more, 1);
	v[1].weight = 1;
	pxs_load_decide(v, 2, 1250);
	CHECK(v[0].full);
}

/* Who is out is neither full nor counted, and who is alone is never full. */
static void outsiders_do_not_count(void)
{
	static const u32 loads[] = { 100, 1000000, 90 };

	set(3, loads, 1);
	v[1].weight = 0;
	v[1].full = true;
	pxs_load_decide(v, 3, 1250);
	CHECK(!v[0].full && !v[1].full && !v[2].full);
	v[2].weight = 0;
	v[0].load = UINT32_MAX;
	pxs_load_decide(v, 3, 1001);
	CHECK(!v[0].full);
}

/* Whatever the loads and whoever was full: somebody is not, and nobody is below the fair share. */
static void somebody_has_room(void)
{
	static const u32 bounds[] = { 1001, 1250, 2000, 10000 };
	u64 state = 5, sum, weights;
	u32 round, i, n, room, most;

	for (round = 0; round < 20000; round++) {
		n = 1 + (u32)(unit_random(&state) % N);
		most = 1u << unit_random(&state) % 32;
		memset(v, 0, sizeof(v));
		sum = 0;
		weights = 0;
		for (i = 0; i < n; i++) {
			v[i].load = (u32)unit_random(&state) % most;
			v[i].weight = (u32)(unit_random(&state) % (PXS_WEIGHT_MAX + 1));
			v[i].full = unit_random(&state) & 1;
			if (!v[i].weight)
				continue;
			sum += min(v[i].load, (u32)PXS_LOAD_MAX);
			weights += v[i].weight;
		}
		pxs_load_decide(v, n, bounds[round % 4]);
		room = 0;
		for (i = 0; i < n; i++) {
			room += v[i].weight && !v[i].full;
			if (v[i].full)
				CHECK((double)v[i].load * (double)weights >
				      (double)sum * v[i].weight);
		}
		CHECK(room || !weights);
	}
}

/* First choice, then those in line: the same as if the full ones were down; back with room. */
static void spills_and_comes_back(void)
{
	static struct unit_config c;
	unsigned long *live, *full, *none, *open;
	u64 state = 9, hash;
	struct pxs_table *t;
	u32 i, spilled = 0;

	unit_config_init(&c, PXS_FILL_RENDEZVOUS, 20, 1);
	c.cfg.nrows = 4096;
	t = unit_build(&c);
	live = unit_all_live(20);
	open = unit_all_live(20);
	full = calloc(1, sizeof(*full));
	none = calloc(1, sizeof(*none));
	live[0] &= ~0x18ul;
	full[0] = 0x0f;
	open[0] &= ~0x1ful;
	for (i = 0; i < 20000; i++) {
		struct pxs_pick by_live, p, as_down;

		hash = unit_random(&state);
		by_live = pxs_table_pick(t, live, hash);
		p = pxs_load_pick(t, live, full, hash);
		as_down = pxs_table_pick(t, open, hash);
		CHECK_EQ(p.backend, as_down.backend);
		CHECK_EQ(p.choice, as_down.choice);
		CHECK_EQ(p.spilled, by_live.backend != p.backend);
		spilled += p.spilled;
		p = pxs_load_pick(t, live, none, hash);
		CHECK_EQ(p.backend, by_live.backend);
		CHECK_EQ(p.choice, by_live.choice);
		CHECK(!p.spilled);
	}
	CHECK(spilled > 20000 / 10 && spilled < 20000 / 4);
	free(none);
	free(open);
	free(full);
	free(live);
	free(t);
}

/* The bitmaps change one by one: all that are live may be full for a moment. */
static void all_full_is_none_full(void)
{
	static struct unit_config c;
	unsigned long live = 0x3, full = 0xff;
	u64 state = 3, hash;
	struct pxs_table *t;
	u32 i;

	unit_config_init(&c, PXS_FILL_RENDEZVOUS, 8, 1);
	c.cfg.nrows = 1024;
	t = unit_build(&c);
	for (i = 0; i < 2000; i++) {
		struct pxs_pick p;

		hash = unit_random(&state);
		p = pxs_load_pick(t, &live, &full, hash);
		CHECK(!p.spilled && p.backend == pxs_table_pick(t, &live, hash).backend);
	}
	live = 0;
	CHECK_EQ(pxs_load_pick(t, &live, &full, 1).choice, PXS_CHOICE_NONE);
	free(t);
}

static void a_second_slides(void)
{
	u32 tick = 3, i;
	struct pxs_load_second s;
	u64 requests = 1000;

	/* What was counted before is none of the last second. */
	pxs_load_begin(&s, requests);
	CHECK_EQ(pxs_load_recent(&s, tick++, requests), 0);
	requests += 7;
	CHECK_EQ(pxs_load_recent(&s, tick++, requests), 7);
	for (i = 2; i <= PXS_LOAD_TICKS; i++)
		CHECK_EQ(pxs_load_recent(&s, tick++, requests += 2), 7 + 2 * (i - 1));
	CHECK_EQ(pxs_load_recent(&s, tick++, requests), 2 * (PXS_LOAD_TICKS - 1));
	for (i = 1; i < PXS_LOAD_TICKS; i++)
		CHECK_EQ(pxs_load_recent(&s, tick++, requests),
			 2 * (PXS_LOAD_TICKS - 1 - i));
	pxs_load_begin(&s, requests + 5);
	CHECK_EQ(pxs_load_recent(&s, tick++, requests + 5), 0);
}

static void more_than_counts_is_the_most(void)
{
	struct pxs_load_second s;
	u64 requests = 0;
	u32 i;

	pxs_load_begin(&s, requests);
	for (i = 0; i < 2 * PXS_LOAD_TICKS; i++)
		pxs_load_recent(&s, i, requests += 1ull << 40);
	CHECK_EQ(pxs_load_recent(&s, i++, requests), (PXS_LOAD_TICKS - 1) * PXS_LOAD_MAX);
	while (i < 3 * PXS_LOAD_TICKS)
		pxs_load_recent(&s, i++, requests);
	CHECK_EQ(pxs_load_recent(&s, i, requests), 0);
}

int main(void)
{
	RUN(a_second_slides);
	RUN(more_than_counts_is_the_most);
	RUN(bound_is_the_bound);
	RUN(does_not_flap);
	RUN(shares_go_by_weight);
	RUN(small_loads_are_none);
	RUN(outsiders_do_not_count);
	RUN(somebody_has_room);
	RUN(spills_and_comes_back);
	RUN(all_full_is_none_full);
	return unit_done();
}
