// SPDX-License-Identifier: GPL-2.0
/*
 * test_elect_lead.c - the election: leading, stepping down, actions that go wrong
 */
#include "unit_elect.h"

static void lead_three(struct pxs_elect_action *a, const char *value)
{
	u64 b;

	begin_with(3, 0x500, 0);
	b = stand();
	drain();
	if (value)
		entry(1, 0x102, value, 0);
	promise(0, b, 1, 0, 0);
	promise(1, b, 1, 0, 0);
	CHECK_EQ(next(a), PXS_ELECT_LEAD);
}

static void steps_down(void)
{
	struct pxs_elect_action a;

	lead_three(&a, NULL);
	pxs_elect_done(&e, &a, 0, now);
	pxs_elect_leader_event(&e, PXS_LEADER_SEEN, 0x102, now);	/* older: ignored */
	CHECK_EQ(e.role, PXS_ROLE_LEADER);
	pxs_elect_leader_event(&e, PXS_LEADER_SEEN, e.ballot, now);	/* ourselves */
	CHECK_EQ(e.role, PXS_ROLE_LEADER);
	pxs_elect_leader_event(&e, PXS_LEADER_PREEMPTED, 0x902, now);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK(!pxs_elect_ready(&e));
	CHECK_EQ(next_done(&a), PXS_ELECT_RESIGN);
	CHECK_EQ(next(&a), 0);
	pxs_elect_leader_event(&e, PXS_LEADER_SEEN, 0x902, now);
	CHECK_EQ(e.leader, 2);
	pxs_elect_tick(&e, now + 1000 * E_MS);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);	/* a leader is there: no time-out of our own */
	pxs_elect_leader_event(&e, PXS_LEADER_LOST, 0x902, now);
	CHECK_EQ(e.leader, 0);
	CHECK_EQ(stand(), 0xa01);
	pxs_elect_exit(&e);
}

/* Stepping down while LEAD is out: the datapath may lead, and has to be told. */
static void lead_in_flight(void)
{
	struct pxs_elect_action a;

	lead_three(&a, "one");
	pxs_elect_leader_event(&e, PXS_LEADER_PREEMPTED, 0x902, now);
	CHECK_EQ(next(&a), 0);
	a.type = PXS_ELECT_LEAD;
	pxs_elect_done(&e, &a, 0, now);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK_EQ(next_done(&a), PXS_ELECT_RESIGN);
	CHECK_EQ(next(&a), 0);
	pxs_elect_exit(&e);
}

/* What arrives while LEAD is out must not take from the phase 1 that LEAD stands on. */
static void late_for_lead(bool promised)
{
	struct pxs_elect_action a;

	lead_three(&a, "one");
	if (promised)
		promise(2, e.ballot, 1, 0, 1);	/* there, slot 1 is known to be decided */
	else
		pxs_elect_decided(&e, 1, now);
	pxs_elect_done(&e, &a, 0, now);
	CHECK_EQ(e.role, PXS_ROLE_LEADER);
	proposes(1, "one");
	CHECK(pxs_elect_ready(&e));
	pxs_elect_exit(&e);
}

static void late_promise_for_lead(void)
{
	late_for_lead(true);
}

static void decided_before_lead(void)
{
	struct pxs_elect_action a;

	late_for_lead(false);
	/* The datapath may have refused it for that very reason. */
	lead_three(&a, "one");
	pxs_elect_decided(&e, 1, now);
	pxs_elect_failed(&e, &a, -EINVAL, now);
	pxs_elect_tick(&e, now);
	CHECK_EQ(next(&a), PXS_ELECT_LEAD);
	CHECK_EQ(a.slot, 2);
	pxs_elect_done(&e, &a, 0, now);
	CHECK(pxs_elect_ready(&e));
	pxs_elect_exit(&e);
}

static void refused_actions(void)
{
	struct pxs_elect_action a;
	u64 b;

	lead_three(&a, "one");
	b = e.ballot;
	pxs_elect_failed(&e, &a, -EINVAL, now);	/* its commit index is ahead of ours */
	CHECK_EQ(next(&a), 0);
	pxs_elect_tick(&e, now);
	CHECK_EQ(next(&a), PXS_ELECT_LEAD);
	pxs_elect_done(&e, &a, 0, now);
	CHECK_EQ(next(&a), PXS_ELECT_PROPOSE);
	pxs_elect_failed(&e, &a, -EAGAIN, now);	/* no room: the same again, later */
	CHECK_EQ(next(&a), 0);
	pxs_elect_tick(&e, now);
	CHECK_EQ(next(&a), PXS_ELECT_PROPOSE);
	expect_value(&a, 1, "one");
	pxs_elect_failed(&e, &a, -ETIMEDOUT, now);	/* perhaps done, perhaps not */
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK_EQ(next_done(&a), PXS_ELECT_RESIGN);
	CHECK(stand() > b);
	CHECK_EQ(next(&a), PXS_ELECT_PREPARE);
	b = e.ballot;
	pxs_elect_failed(&e, &a, -ESTALE, now);	/* and nobody said what is in the way */
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK(stand() > b);
	pxs_elect_exit(&e);
}

static void wrong_slot(void)
{
	struct pxs_elect_action a;

	lead_three(&a, "one");
	pxs_elect_done(&e, &a, 0, now);
	CHECK_EQ(next(&a), PXS_ELECT_PROPOSE);
	pxs_elect_done(&e, &a, 2, now);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK_EQ(next(&a), PXS_ELECT_RESIGN);
	pxs_elect_exit(&e);
}

/* The datapath leads on until it hears it: without memory, too, it is told again. */
static void resigns_in_the_end(void)
{
	static const int passes[] = { -EAGAIN, -ETIMEDOUT, -ENOMEM, -ENOBUFS };
	static const int final[] = { -ENOENT, -ESHUTDOWN, -EPERM, -ESTALE };
	struct pxs_elect_action a;
	u32 i;

	begin_with(3, 0, 0);
	pxs_elect_start(&e, 0, 0, now);
	for (i = 0; i < ARRAY_SIZE(passes); i++) {
		CHECK_EQ(next(&a), PXS_ELECT_RESIGN);
		pxs_elect_failed(&e, &a, passes[i], now);
		CHECK_EQ(next(&a), 0);		/* not before the next tick */
		pxs_elect_tick(&e, now);
	}
	for (i = 0; i < ARRAY_SIZE(final); i++) {
		CHECK_EQ(next(&a), PXS_ELECT_RESIGN);
		pxs_elect_failed(&e, &a, final[i], now);
		pxs_elect_tick(&e, now);
		CHECK_EQ(next(&a), 0);
		pxs_elect_start(&e, 0, 0, now);
	}
	pxs_elect_exit(&e);
}

/* The waits grow, are random, and are forgotten when a leader is seen. */
static void backs_off(void)
{
	u64 wait, longest = 0, b;
	u32 i;

	begin_with(3, 0, 0);
	for (i = 0; i < 12; i++) {
		b = stand();
		refuse(1, b, b + 0x100);
		wait = e.deadline - now;
		CHECK(wait >= E_MS / 2);
		CHECK(wait <= 24 * E_MS);
		longest = max(longest, wait);
	}
	CHECK(longest > 8 * E_MS);
	pxs_elect_leader_event(&e, PXS_LEADER_SEEN, e.seen + 0x101, now);
	CHECK_EQ(e.backoff, 0);
	pxs_elect_exit(&e);
}

static void rounds_run_out(void)
{
	u32 i;

	begin_with(3, pxs_ballot(PXS_BALLOT_ROUND_MAX, 2), 0);
	for (i = 0; i < 1000; i++) {
		now += 20;
		pxs_elect_tick(&e, now);
	}
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	pxs_elect_exit(&e);
}

static void stopped(void)
{
	struct pxs_elect_action a;

	lead_three(&a, "one");
	pxs_elect_done(&e, &a, 0, now);
	pxs_elect_stop(&e);
	pxs_elect_tick(&e, now + 100 * E_MS);
	pxs_elect_leader_event(&e, PXS_LEADER_LOST, 0x102, now);
	CHECK_EQ(next(&a), 0);
	CHECK(!pxs_elect_ready(&e));
	pxs_elect_exit(&e);
}

int main(void)
{
	RUN(steps_down);
	RUN(lead_in_flight);
	RUN(late_promise_for_lead);
	RUN(decided_before_lead);
	RUN(refused_actions);
	RUN(wrong_slot);
	RUN(resigns_in_the_end);
	RUN(backs_off);
	RUN(rounds_run_out);
	RUN(stopped);
	return unit_done();
}
