// SPDX-License-Identifier: GPL-2.0
/*
 * test_elect_stop.c - phase 1 finds a change of members: rule 2 of kmod/core/membership.h
 */
#include "unit_elect.h"

static u64 ballot;

/* Two others answer: @what() is what the first of them has. */
static void lead_with(void (*what)(void))
{
	struct pxs_elect_action a;

	begin();
	ballot = stand();
	drain();
	promise(0, ballot, 1, 0, 0);
	what();
	promise(1, ballot, 1, 0, 0);
	promise(2, ballot, 1, 0, 0);
	CHECK_EQ(next(&a), PXS_ELECT_LEAD);
	pxs_elect_done(&e, &a, 0, now);
}

static void config(u64 slot, u64 at)
{
	entry(slot, at, "config", PXS_ENTRY_CONFIG);
}

static void nothing_behind(void)
{
	entry(1, 0x101, "a", 0);
	config(2, 0x102);
	entry(3, 0x101, "b", 0);
}

/* What is behind it has lower ballots: it was not chosen, and is not proposed. */
static void stands(void)
{
	struct pxs_elect_action a;

	lead_with(nothing_behind);
	CHECK_EQ(e.last, 2);
	proposes(1, "a");
	CHECK_EQ(next(&a), PXS_ELECT_PROPOSE);
	CHECK_EQ(a.slot, 2);
	CHECK(a.value->config);
	pxs_elect_done(&e, &a, 2, now);
	CHECK_EQ(next(&a), 0);
	CHECK(pxs_elect_ready(&e));
	pxs_elect_exit(&e);
}

static void higher_behind(void)
{
	config(2, 0x102);
	entry(4, 0x103, "b", 0);
}

/* Something behind it has a higher ballot: it was not chosen, and makes room. */
static void falls(void)
{
	lead_with(higher_behind);
	CHECK_EQ(e.last, 4);
	proposes(1, NULL);
	proposes(2, NULL);
	proposes(3, NULL);
	proposes(4, "b");
	pxs_elect_exit(&e);
}

static void decided_behind(void)
{
	config(2, 0x105);
	entry(3, 0x103, "b", PXS_ENTRY_DECIDED);
}

static void falls_before_what_is_chosen(void)
{
	lead_with(decided_behind);
	CHECK_EQ(e.last, 3);
	proposes(1, NULL);
	proposes(2, NULL);
	proposes(3, "b");
	pxs_elect_exit(&e);
}

/* A learner never stands. */
static void learner_stays(void)
{
	struct pxs_group_conf conf;
	u32 i;

	begin();
	conf = e.conf;
	conf.learners = 2;
	conf.self = 4;
	pxs_elect_conf(&e, &conf);
	pxs_elect_start(&e, 0, 0, now);
	for (i = 0; i < 100; i++) {
		now += 20;
		pxs_elect_tick(&e, now);
		CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	}
	pxs_elect_exit(&e);
}

int main(void)
{
	RUN(stands);
	RUN(falls);
	RUN(falls_before_what_is_chosen);
	RUN(learner_stays);
	return unit_done();
}
