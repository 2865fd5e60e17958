// SPDX-License-Identifier: GPL-2.0
/*
 * test_elect.c - the election: ballots, quorums and phase 1, each rule by hand
 */
#include "unit_elect.h"

static void stands_after_silence(void)
{
	struct pxs_elect_action a;

	begin_with(5, 0x703, 0);
	pxs_elect_tick(&e, now + E_MS - 1);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK_EQ(stand(), 0x801);	/* above what was promised, and ours */
	CHECK_EQ(next(&a), PXS_ELECT_PREPARE);
	CHECK_EQ(a.ballot, 0x801);
	CHECK_EQ(a.slot, 1);
	CHECK_EQ(a.to, 0x1f);
	CHECK_EQ(next(&a), 0);	/* one at a time */
	pxs_elect_exit(&e);
}

static void above_everything_seen(void)
{
	begin_with(5, 0x103, 0);
	pxs_elect_leader_event(&e, PXS_LEADER_LOST, 0x904, now);
	pxs_elect_seen(&e, 0x502);
	CHECK_EQ(stand(), 0xa01);
	refuse(1, 0xa01, 0x2004);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK_EQ(stand(), 0x2101);
	pxs_elect_exit(&e);
}

static void transfer(u8 from, u64 inc, u64 ballot)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_TRANSFER, .sender = from + 1, .receiver = 1, .group = 7,
		.epoch = 3, .sender_inc = inc, .receiver_inc = 100, .ballot = ballot, .slot = 1,
	};

	pxs_elect_recv(&e, &m, NULL, now);
}

/* The leader hands over: no waiting, a ballot above its own, and phase 1 as ever. */
static void stands_when_asked(void)
{
	struct pxs_elect_action a;

	begin();
	pxs_elect_leader_event(&e, PXS_LEADER_SEEN, 0x702, now);
	transfer(1, 999, 0x702);	/* of a journal that was lost */
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	transfer(1, 101, 0x702);
	CHECK_EQ(e.role, PXS_ROLE_CANDIDATE);
	CHECK_EQ(e.ballot, 0x801);
	CHECK_EQ(next_done(&a), PXS_ELECT_PREPARE);
	transfer(1, 101, 0x702);	/* again: nothing new */
	CHECK_EQ(e.ballot, 0x801);
	CHECK_EQ(next(&a), 0);
	/* The leader leads on after all. */
	pxs_elect_leader_event(&e, PXS_LEADER_SEEN, 0x702, now);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	CHECK_EQ(e.leader, 2);
	pxs_elect_exit(&e);
}

static void quorum_of_three_in_five(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin();
	b = stand();
	drain();
	promise(0, b, 1, 0, 0);
	promise(1, b, 1, 0, 0);
	promise(1, b, 1, 0, 0);	/* the same again */
	promise(1, b, 1, 0, 0);
	CHECK_EQ(next(&a), 0);
	promise(4, b, 1, 0, 0);
	CHECK_EQ(next(&a), PXS_ELECT_LEAD);
	CHECK_EQ(a.ballot, b);
	CHECK_EQ(a.slot, 1);
	CHECK_EQ(a.found, 0);
	CHECK(!pxs_elect_ready(&e));
	pxs_elect_done(&e, &a, 0, now);
	CHECK_EQ(e.role, PXS_ROLE_LEADER);
	CHECK_EQ(e.leader, 1);
	CHECK(pxs_elect_ready(&e));
	CHECK_EQ(next(&a), 0);
	pxs_elect_exit(&e);
}

/* Two sizes: four of five are a phase 1, and three have promised. Return: the ballot. */
static u64 three_of_four(void)
{
	u64 b;

	begin();
	e.conf.phase1 = 4;
	e.conf.phase2 = 2;
	b = stand();
	drain();
	promise(0, b, 1, 0, 0);
	promise(1, b, 1, 0, 0);
	promise(2, b, 1, 0, 0);
	return b;
}

/* What one of two has accepted, four of five are asked for. */
static void phase1_of_four_in_five(void)
{
	struct pxs_elect_action a;
	u64 b = three_of_four();

	CHECK_EQ(next(&a), 0);
	entry(1, 0x103, "alone", 0);
	promise(4, b, 1, 0, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	CHECK_EQ(a.found, 1);
	proposes(1, "alone");
	pxs_elect_exit(&e);
}

/* A damaged answer is none: the fourth whole one says that the slot is free. */
static void phase1_without_the_damaged(void)
{
	struct pxs_elect_action a;
	u64 b = three_of_four();

	entry(1, 0x103, NULL, PXS_ENTRY_FAULTY);
	promise(3, b, 1, 0, 0);
	CHECK_EQ(next(&a), 0);
	promise(4, b, 1, 0, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	proposes(1, NULL);
	pxs_elect_exit(&e);
}

/* S10: other ballots, epochs, incarnations, groups and strangers do not count. */
static void who_counts(void)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_PROMISE, .receiver = 1, .group = 7, .epoch = 3, .slot = 1,
	}, x;
	struct pxs_elect_action a;
	u64 b;
	u8 i;

	begin();
	b = stand();
	drain();
	m.ballot = b;
	for (i = 0; i < 5; i++) {
		m.sender = i + 1;
		m.sender_inc = 100 + i;
		x = m, x.ballot = b - 0x100;
		pxs_elect_recv(&e, &x, body, now);
		x = m, x.epoch = 2;
		pxs_elect_recv(&e, &x, body, now);
		x = m, x.sender_inc++;
		pxs_elect_recv(&e, &x, body, now);
		x = m, x.group = 8;
		pxs_elect_recv(&e, &x, body, now);
		x = m, x.sender = 6 + i;
		pxs_elect_recv(&e, &x, body, now);
	}
	CHECK_EQ(e.promised.votes, 0);
	CHECK_EQ(next(&a), 0);
	pxs_elect_exit(&e);
}

static void highest_ballot_wins(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0x505, 0);
	b = stand();
	drain();
	entry(1, 0x202, "old", 0);
	entry(2, 0x303, "high", 0);
	entry(5, 0x103, "alone", 0);
	promise(1, b, 1, 0, 0);
	entry(1, 0x203, "new", 0);
	entry(2, 0x202, "low", 0);
	entry(4, 0x103, NULL, PXS_ENTRY_NOOP);
	promise(0, b, 1, 0, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	CHECK(!pxs_elect_ready(&e));
	proposes(1, "new");
	proposes(2, "high");
	proposes(3, NULL);	/* a gap that a quorum says is free */
	proposes(4, NULL);
	CHECK(!pxs_elect_ready(&e));
	proposes(5, "alone");
	CHECK(pxs_elect_ready(&e));
	CHECK(!e.slot);	/* nothing is kept */
	pxs_elect_exit(&e);
}

/* A decided value wins whatever its ballot says. */
static void decided_wins(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0, 0);
	b = stand();
	drain();
	entry(1, 0x203, "accepted", 0);
	promise(1, b, 1, 0, 0);
	entry(1, 0x102, "chosen", PXS_ENTRY_DECIDED);
	promise(0, b, 1, 0, 0);
	next_done(&a);
	proposes(1, "chosen");
	pxs_elect_exit(&e);
}

static void pages(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0, 0);
	b = stand();
	drain();
	promise(0, b, 1, 0, 0);
	entry(9, 0x102, "behind a gap", 0);
	promise(1, b, 5, 0, 0);	/* slots 1..4 are not answered */
	CHECK_EQ(next(&a), 0);
	entry(1, 0x102, "one", 0);
	promise(1, b, 1, 5, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_PREPARE);	/* the next page, of that member */
	CHECK_EQ(a.slot, 5);
	CHECK_EQ(a.to, 2);
	promise(1, b, 1, 5, 0);	/* a repeat asks for nothing */
	CHECK_EQ(next(&a), 0);
	entry(9, 0x102, "nine", 0);
	promise(1, b, 5, 0, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	CHECK_EQ(a.found, 9);
	pxs_elect_exit(&e);
}

static void asks_again(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0, 0);
	b = stand();
	CHECK_EQ(next_done(&a), PXS_ELECT_PREPARE);
	CHECK_EQ(a.to, 7);
	promise(0, b, 1, 0, 0);
	now = e.repeat;
	pxs_elect_tick(&e, now);
	CHECK_EQ(next_done(&a), PXS_ELECT_PREPARE);
	CHECK_EQ(a.to, 6);
	CHECK_EQ(a.ballot, b);
	CHECK_EQ(next(&a), 0);
	pxs_elect_exit(&e);
}

/* Without an answer the ballot stays open: a higher one would only disturb. */
static void alone_keeps_its_ballot(void)
{
	u64 b;
	u32 i;

	begin_with(3, 0, 0);
	b = stand();
	for (i = 0; i < 1000; i++) {
		now += 20;
		pxs_elect_tick(&e, now);
		drain();
	}
	CHECK_EQ(e.ballot, b);
	CHECK_EQ(e.role, PXS_ROLE_CANDIDATE);
	pxs_elect_exit(&e);
}

static void catches_up_first(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0, 4);
	b = stand();
	drain();
	entry(6, 0x102, "settled", 0);
	entry(12, 0x102, "twelve", 0);
	promise(0, b, 5, 0, 4);
	entry(12, 0x103, "newer", 0);
	promise(1, b, 5, 0, 10);	/* slots 5..10 are decided, and left out */
	CHECK_EQ(next(&a), 0);
	pxs_elect_decided(&e, 9, now);
	CHECK_EQ(next(&a), 0);
	pxs_elect_decided(&e, 10, now);
	CHECK_EQ(next(&a), PXS_ELECT_LEAD);
	CHECK_EQ(a.slot, 11);
	CHECK_EQ(a.found, 12);
	pxs_elect_done(&e, &a, 0, now);
	proposes(11, NULL);
	proposes(12, "newer");
	CHECK(pxs_elect_ready(&e));
	pxs_elect_exit(&e);
}

/* Who was ahead went away: a new ballot, and with it another quorum. */
static void stuck_means_a_new_ballot(void)
{
	u64 b;

	begin_with(3, 0, 4);
	b = stand();
	drain();
	promise(0, b, 5, 0, 4);
	promise(1, b, 5, 0, 10);
	now = e.deadline;
	pxs_elect_tick(&e, now);
	CHECK_EQ(e.role, PXS_ROLE_CANDIDATE);
	CHECK(e.ballot > b);
	CHECK_EQ(e.promised.votes, 0);
	CHECK_EQ(e.settled, 4);
	pxs_elect_exit(&e);
}

static void damaged(u64 faulty_ballot, u64 known_ballot, bool leads)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0x900, 0);
	b = stand();
	drain();
	entry(1, faulty_ballot, NULL, PXS_ENTRY_FAULTY);
	promise(1, b, 1, 0, 0);
	if (known_ballot)
		entry(1, known_ballot, "known", 0);
	promise(0, b, 1, 0, 0);
	CHECK_EQ(next(&a), leads ? PXS_ELECT_LEAD : 0);
	if (leads) {
		CHECK_EQ(a.found, 1);
		pxs_elect_done(&e, &a, 0, now);
		proposes(1, "known");
		pxs_elect_exit(&e);
		return;
	}
	/* The third member's answer makes a quorum of undamaged ones. */
	entry(1, 0x103, "third", 0);
	promise(2, b, 1, 0, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	proposes(1, known_ballot > 0x103 ? "known" : "third");
	pxs_elect_exit(&e);
}

static void damaged_answers(void)
{
	damaged(0x203, 0, false);	/* nothing known: never a no-op */
	damaged(0x203, 0x102, false);	/* only something older */
	damaged(0x203, 0x203, true);	/* its value, from another disk */
	damaged(0x203, 0x302, true);
	damaged(0, 0x302, false);	/* not even the ballot is known */
}

static void late_promise(void)
{
	struct pxs_elect_action a;
	u64 b, second;

	begin_with(3, 0, 0);
	b = stand();
	drain();
	promise(0, b, 1, 0, 0);
	refuse(2, b, 0x802);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	promise(1, b, 1, 0, 0);	/* would have been the quorum */
	CHECK_EQ(next(&a), 0);
	CHECK_EQ(e.role, PXS_ROLE_FOLLOWER);
	second = stand();
	drain();
	promise(1, b, 1, 0, 0);
	promise(0, b, 1, 0, 0);
	CHECK_EQ(next(&a), 0);
	promise(0, second, 1, 0, 0);
	promise(1, second, 1, 0, 0);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	/* Once it leads, what a late answer says cannot change what is proposed. */
	entry(1, 0x702, "late", 0);
	promise(2, second, 1, 0, 0);
	CHECK(pxs_elect_ready(&e));
	CHECK_EQ(next(&a), 0);
	pxs_elect_exit(&e);
}

static void entries_too_far_ahead(void)
{
	struct pxs_elect_action a;
	u64 b;

	begin_with(3, 0, 0);
	b = stand();
	drain();
	entry(65, 0x102, "beyond the window", 0);
	promise(1, b, 1, 0, 0);
	CHECK_EQ(e.promised.votes, 0);
	entry(65, 0x102, "its commit index tells why", 0);
	promise(1, b, 1, 0, 1);
	CHECK_EQ(e.promised.votes, 2);
	promise(0, b, 1, 0, 0);
	CHECK_EQ(next(&a), 0);
	pxs_elect_decided(&e, 1, now);
	CHECK_EQ(next_done(&a), PXS_ELECT_LEAD);
	CHECK_EQ(e.last, 65);
	pxs_elect_exit(&e);
}

static void malformed_pages(void)
{
	u64 b, state = 3;
	u32 round;

	begin_with(3, 0, 0);
	b = stand();
	drain();
	for (round = 0; round < 100000; round++) {
		entry(1 + unit_random(&state) % 70, unit_random(&state) % 0x400, "x", 0);
		entry(1 + unit_random(&state) % 70, 0x102, NULL, PXS_ENTRY_FAULTY);
		body[unit_random(&state) % body_len] ^= 1u << unit_random(&state) % 8;
		body_len -= unit_random(&state) % 9;
		promise(1 + unit_random(&state) % 2, b, 1 + unit_random(&state) % 3,
			unit_random(&state) % 80, unit_random(&state) % 20);
	}
	CHECK_EQ(e.ballot, b);
	pxs_elect_exit(&e);
}

int main(void)
{
	RUN(stands_after_silence);
	RUN(above_everything_seen);
	RUN(stands_when_asked);
	RUN(quorum_of_three_in_five);
	RUN(phase1_of_four_in_five);
	RUN(phase1_without_the_damaged);
	RUN(who_counts);
	RUN(highest_ballot_wins);
	RUN(decided_wins);
	RUN(pages);
	RUN(asks_again);
	RUN(alone_keeps_its_ballot);
	RUN(catches_up_first);
	RUN(stuck_means_a_new_ballot);
	RUN(damaged_answers);
	RUN(late_promise);
	RUN(entries_too_far_ahead);
	RUN(malformed_pages);
	return unit_done();
}
