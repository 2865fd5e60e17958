// SPDX-License-Identifier: GPL-2.0
/*
 * test_read.c - a leader asks whether it still leads (S8): who counts, for which round, and what
 * a read is told
 */
#include "unit_group.h"

#define OURS	0x201u		/* our ballot, as member 1 */
#define THEIRS	0x302u		/* of member 2, index 1 */

static int ask(u64 *round)
{
	pxs_out_done(&out);
	return pxs_group_read(&g, now, round, &out);
}

/* Member index @from answers @round. */
static void ack(u8 from, u64 round)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_READ_ACK, .ballot = OURS,
				     .slot = g.next_slot, .arg = round }, NULL);
}

static void tick_of(bool healthy)
{
	pxs_out_done(&out);
	pxs_group_tick(&g, now, healthy, &out);
}

static void tick(void)
{
	tick_of(true);
}

static bool answered(u64 round, u64 index)
{
	return out.what & PXS_OUT_READ && g.read.done == round && g.read.done_index == index &&
	       g.read.done_ballot == OURS;
}

/* One more value is proposed, and chosen. */
static void choose(void)
{
	u64 slot;

	CHECK_EQ(propose("v", &slot), 0);
	durable();
	accepted(1, OURS, slot, 1);
	accepted(3, OURS, slot, 1);
	CHECK_EQ(g.commit, slot);
}

static void leading(void)
{
	begin();
	lead(OURS);
	choose();
	choose();
}

static void errors(void)
{
	u64 round = 0;

	init();
	CHECK_EQ(ask(&round), -ESHUTDOWN);
	end();
	begin();
	CHECK_EQ(ask(&round), -ENOTCONN);
	stand(OURS);
	CHECK_EQ(ask(&round), -ENOTCONN);	/* phase 1 is not leading */
	end();
	leading();
	pxs_group_fence(&g, "test");
	CHECK_EQ(ask(&round), -ESHUTDOWN);
	CHECK_EQ(round, 0);
	end();
}

static void quorum_answers(void)
{
	const struct pxs_send *s;
	u64 round;

	leading();
	CHECK_EQ(ask(&round), 0);
	s = sent(PXS_WIRE_READ);
	CHECK_FATAL(s);
	CHECK_EQ(s->to, 0x1e);
	CHECK_EQ(s->ballot, OURS);
	CHECK_EQ(s->slot, 3);
	CHECK_EQ(s->arg, round);
	CHECK_EQ(g.stat[PXS_GROUP_STAT_READ_ROUNDS], 1);
	ack(1, round);
	CHECK(!(out.what & PXS_OUT_READ));	/* two of five */
	ack(1, round);
	CHECK(!(out.what & PXS_OUT_READ));	/* the same one counts once */
	ack(4, round);
	CHECK(answered(round, 2));
	ack(2, round);
	CHECK(!(out.what & PXS_OUT_READ));	/* told once */
	CHECK_EQ(stage.last_lsn, stage.durable_lsn);	/* no record, no flush */
	end();
}

/* Each quorum of phase 1 has one of those who answer: so many as accept a value. */
static void phase2_answers(void)
{
	u64 round;

	leading();
	g.conf.phase1 = 4;
	g.conf.phase2 = 2;
	CHECK_EQ(ask(&round), 0);
	CHECK(!(out.what & PXS_OUT_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->to, 0x1e);
	ack(3, round);
	CHECK(answered(round, 2));
	/* Where no other can lead without us we need not ask. */
	g.conf.phase1 = 5;
	g.conf.phase2 = 1;
	CHECK_EQ(ask(&round), 0);
	CHECK(answered(round, 2));
	CHECK_EQ(g.read.round, 0);
	CHECK_EQ(ask(&round), 0);
	CHECK(answered(round, 2));
	end();
}

/* Answers to a question that was asked before say nothing of now; nor do those of no question. */
static void only_this_round(void)
{
	u64 first, second;

	leading();
	CHECK_EQ(ask(&first), 0);
	ack(1, first);
	ack(2, first);
	CHECK(answered(first, 2));
	CHECK_EQ(ask(&second), 0);
	CHECK(second > first);
	ack(3, first);
	ack(4, first);
	ack(3, second + 1);
	ack(4, second + 1);
	ack(3, 0);
	ack(4, 0);
	CHECK(!(out.what & PXS_OUT_READ));
	CHECK_EQ(g.read.done, first);
	ack(3, second);
	ack(4, second);
	CHECK(answered(second, 2));
	end();
}

static void only_this_ballot(void)
{
	u64 round;
	u8 i;

	leading();
	CHECK_EQ(ask(&round), 0);
	for (i = 1; i < 5; i++)
		recv(i, (struct pxs_msg){ .type = PXS_WIRE_READ_ACK, .ballot = OURS - 0x100,
					  .slot = 1, .arg = round }, NULL);
	for (i = 1; i < 5; i++)
		recv(i, (struct pxs_msg){ .type = PXS_WIRE_READ_ACK, .ballot = OURS + 0x100,
					  .slot = 1, .arg = round }, NULL);
	CHECK_EQ(g.read.done, 0);
	CHECK_EQ(g.read.round, round);
	end();
}

/* Whoever asks during a round gets the next one, which begins when that ends; and all one. */
static void one_round_at_a_time(void)
{
	u64 first, second, third;

	leading();
	CHECK_EQ(ask(&first), 0);
	choose();
	CHECK_EQ(ask(&second), 0);
	CHECK(!sent(PXS_WIRE_READ));
	CHECK_EQ(ask(&third), 0);
	CHECK_EQ(second, first + 1);
	CHECK_EQ(third, second);
	ack(1, second);
	ack(2, second);
	CHECK(!(out.what & PXS_OUT_READ));	/* it has not begun */
	ack(1, first);
	ack(2, first);
	CHECK(answered(first, 2));
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->arg, second);
	CHECK_EQ(sent(PXS_WIRE_READ)->to, 0x1e);
	ack(1, second);
	CHECK(!(out.what & PXS_OUT_READ));
	ack(3, second);
	CHECK(answered(second, 3));
	CHECK(!sent(PXS_WIRE_READ));		/* nobody waits */
	CHECK_EQ(g.stat[PXS_GROUP_STAT_READ_ROUNDS], 2);
	end();
}

/* Phase 1 found something in slots 1 and 2, which may be acknowledged: they come first. */
static void found_comes_first(void)
{
	u64 round, slot;

	begin();
	stand(OURS);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, OURS, 2, 2, now, &out), -EINVAL);
	CHECK_EQ(pxs_group_lead(&g, OURS, 1, 2, now, &out), 0);
	CHECK_EQ(ask(&round), 0);
	ack(1, round);
	ack(2, round);
	CHECK(!(out.what & PXS_OUT_READ));
	CHECK_EQ(propose("a", &slot), 0);
	CHECK_EQ(propose("b", &slot), 0);
	durable();
	accepted(1, OURS, 1, 1);
	accepted(2, OURS, 1, 1);
	CHECK_EQ(g.commit, 1);
	CHECK(!(out.what & PXS_OUT_READ));
	accepted(1, OURS, 2, 1);
	accepted(2, OURS, 2, 1);
	CHECK(answered(round, 2));
	end();
}

/* The last vote that is missing may be our own disk's. */
static void found_comes_with_our_disk(void)
{
	u64 round, slot;

	begin();
	stand(OURS);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, OURS, 1, 1, now, &out), 0);
	CHECK_EQ(ask(&round), 0);
	ack(1, round);
	ack(2, round);
	CHECK_EQ(propose("a", &slot), 0);
	accepted(1, OURS, 1, 1);
	accepted(2, OURS, 1, 1);
	CHECK(!(out.what & PXS_OUT_READ));
	durable();
	CHECK(answered(round, 1));
	end();
}

static void found_is_not_below(void)
{
	begin();
	lead(OURS);
	choose();
	pxs_group_resign(&g);
	stand(OURS + 0x100);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, OURS + 0x100, 2, 0, now, &out), -EINVAL);
	CHECK_EQ(pxs_group_lead(&g, OURS + 0x100, 2, 1, now, &out), 0);
	end();
}

/* Deposed: nothing is told any more, and what comes late changes nothing. */
static void deposed(void)
{
	u64 round, again;

	leading();
	CHECK_EQ(ask(&round), 0);
	ack(1, round);
	prepare(2, THEIRS + 1, 3);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	ack(2, round);
	ack(3, round);
	CHECK(!(out.what & PXS_OUT_READ));
	CHECK_EQ(ask(&again), -ENOTCONN);
	now += 100;
	tick();
	CHECK(!sent(PXS_WIRE_READ));
	end();
}

static void refused(void)
{
	u64 round;

	leading();
	CHECK_EQ(ask(&round), 0);
	ack(1, round);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_REFUSE, .ballot = OURS, .arg = THEIRS }, NULL);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	ack(3, round);
	ack(4, round);
	CHECK(!(out.what & PXS_OUT_READ));
	end();
}

/* A new leadership of ours answers only what was asked of it. */
static void numbers_rise(void)
{
	u64 before, after;

	leading();
	CHECK_EQ(ask(&before), 0);
	pxs_group_resign(&g);
	stand(OURS + 0x100);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, OURS + 0x100, 3, 2, now, &out), 0);
	CHECK(!sent(PXS_WIRE_READ));
	CHECK_EQ(ask(&after), 0);
	CHECK(after > before);
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->ballot, OURS + 0x100);
	end();
}

static void asks_again(void)
{
	u64 round;

	leading();
	CHECK_EQ(ask(&round), 0);
	ack(3, round);
	now += 99;
	tick();
	CHECK(!sent(PXS_WIRE_READ));
	now += 1;
	tick();
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->to, 0x16);	/* not the one that answered */
	CHECK_EQ(sent(PXS_WIRE_READ)->arg, round);
	now += 50;
	tick();
	CHECK(!sent(PXS_WIRE_READ));
	ack(1, round);
	CHECK(answered(round, 2));
	now += 100;
	tick();
	CHECK(!sent(PXS_WIRE_READ));
	end();
}

/*
 * READ is as good as a heartbeat to who gets it: while nothing becomes durable here none leaves, or
 * nobody would take over for as long as somebody reads.
 */
static void sick_leader_asks_nobody(void)
{
	u64 first, second;

	leading();
	CHECK_EQ(ask(&first), 0);
	CHECK(sent(PXS_WIRE_READ));
	now += 100;
	tick_of(false);
	CHECK_EQ(out.nsend, 0);		/* nor again */
	CHECK_EQ(ask(&second), 0);
	CHECK_EQ(out.nsend, 0);
	ack(1, first);
	ack(2, first);
	CHECK(answered(first, 2));
	CHECK(!sent(PXS_WIRE_READ));	/* the next one has to wait */
	CHECK_EQ(ask(&first), 0);
	CHECK_EQ(first, second);	/* and serves all who come meanwhile */
	CHECK_EQ(out.nsend, 0);
	now += 100;
	tick_of(false);
	CHECK_EQ(out.nsend, 0);
	now += 100;
	tick();
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->arg, second);
	ack(3, second);
	ack(4, second);
	CHECK(answered(second, 2));
	now += 100;
	tick();
	CHECK(!sent(PXS_WIRE_READ));	/* nobody waits */
	end();
}

/* What others granted keeps them from taking our place: what we hold ends, and is not renewed. */
static void sick_leader_renews_no_lease(void)
{
	u64 round;
	u8 i;

	leading();
	g.conf.lease_drift = 100;
	CHECK_EQ(ask(&round), 0);
	for (i = 1; i <= 2; i++)
		recv(i, (struct pxs_msg){ .type = PXS_WIRE_READ_ACK, .ballot = OURS, .slot = 3,
					  .arg = round, .count = 1000 }, NULL);
	now += 800;
	CHECK_EQ(ask(&round), 0);
	CHECK(answered(round, 2));	/* by the lease */
	tick_of(false);
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(ask(&round), 0);
	CHECK(answered(round, 2));
	now += 200;
	CHECK_EQ(ask(&round), 0);
	CHECK(!(out.what & PXS_OUT_READ));
	CHECK_EQ(out.nsend, 0);
	tick();
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->count, 1000);
	end();
}

/* Whom nobody could replace answers on: it asks nobody. */
static void sick_leader_that_is_enough(void)
{
	u64 round;

	leading();
	g.conf.phase1 = 5;
	g.conf.phase2 = 1;
	tick_of(false);
	CHECK_EQ(ask(&round), 0);
	CHECK(answered(round, 2));
	end();
}

static void question(u8 from, u64 ballot, u64 round)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_READ, .ballot = ballot, .slot = 1,
				     .arg = round }, NULL);
}

static void acceptor_answers(void)
{
	const struct pxs_send *s;

	begin();
	question(1, THEIRS, 7);
	s = sent(PXS_WIRE_READ_ACK);
	CHECK_FATAL(s);
	CHECK_EQ(s->to, 1 << 1);
	CHECK_EQ(s->ballot, THEIRS);
	CHECK_EQ(s->arg, 7);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	CHECK_EQ(stage.last_lsn, 0);	/* nothing is promised, nothing written */
	question(1, THEIRS, 7);
	CHECK(sent(PXS_WIRE_READ_ACK));	/* it may have been lost */
	end();
}

/* Promised to somebody else, durable or not: no answer, but a refusal. */
static void acceptor_promised_higher(void)
{
	begin();
	prepare(2, THEIRS + 0x101, 1);
	question(1, THEIRS, 7);
	CHECK(!sent(PXS_WIRE_READ_ACK));
	CHECK_FATAL(sent(PXS_WIRE_REFUSE));
	CHECK_EQ(sent(PXS_WIRE_REFUSE)->ballot, THEIRS);
	CHECK_EQ(sent(PXS_WIRE_REFUSE)->arg, THEIRS + 0x101);
	durable();
	question(1, THEIRS, 7);
	CHECK(!sent(PXS_WIRE_READ_ACK));
	question(2, THEIRS + 0x101, 1);
	CHECK(sent(PXS_WIRE_READ_ACK));
	end();
}

/* READ speaks of its sender's ballot, READ_ACK of its receiver's. */
static void whose_ballot(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_READ, .sender = 3, .receiver = 1, .group = 1,
			     .epoch = 1, .sender_inc = INC + 2, .receiver_inc = INC,
			     .ballot = THEIRS, .arg = 1 };

	begin();
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_BODY);
	m.type = PXS_WIRE_READ_ACK;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_BODY);
	m.ballot = OURS;
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	m.epoch = 2;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_EPOCH);
	m.epoch = 1;
	m.sender_inc++;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_INCARNATION);
	end();
}

int main(void)
{
	RUN(errors);
	RUN(quorum_answers);
	RUN(phase2_answers);
	RUN(only_this_round);
	RUN(only_this_ballot);
	RUN(one_round_at_a_time);
	RUN(found_comes_first);
	RUN(found_comes_with_our_disk);
	RUN(found_is_not_below);
	RUN(deposed);
	RUN(refused);
	RUN(sick_leader_asks_nobody);
	RUN(sick_leader_renews_no_lease);
	RUN(sick_leader_that_is_enough);
	RUN(numbers_rise);
	RUN(asks_again);
	RUN(acceptor_answers);
	RUN(acceptor_promised_higher);
	RUN(whose_ballot);
	return unit_done();
}
