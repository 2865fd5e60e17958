// SPDX-License-Identifier: GPL-2.0
/*
 * test_lease.c - a leader answers reads by its clock (S8, kmod/core/lease.h): who grants what, from
 * when it counts and for how long, and what ends it
 */
#include "unit_group.h"
#include "lease.h"

#define OURS	0x201u		/* our ballot, as member 1 */
#define THEIRS	0x302u		/* of member 2, index 1 */
#define OTHERS	0x403u		/* of member 3, index 2 */
#define DRIFT	100u		/* per mille */
#define ASKED	1000u		/* the election time-out */
/* 998 ms by a clock that is 1.1 times as fast, and 2 of whole milliseconds */
#define LEASE	905u

static void begin_with(u32 drift)
{
	init();
	attach(0);
	g.conf.lease_drift = drift;
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	now += ASKED;		/* rule 3 */
}

static void leading(void)
{
	begin_with(DRIFT);
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	lead(OURS);
}

static int ask(u64 *round)
{
	pxs_out_done(&out);
	return pxs_group_read(&g, now, round, &out);
}

static void ack_of(u8 from, u64 ballot, u64 round, u16 granted)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_READ_ACK, .ballot = ballot,
				     .slot = g.next_slot, .arg = round, .count = granted }, NULL);
}

static void ack(u8 from, u64 round, u16 granted)
{
	ack_of(from, OURS, round, granted);
}

static void tick(void)
{
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
}

/* A round that two others grant. */
static void granted(void)
{
	u64 round;

	CHECK_EQ(ask(&round), 0);
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->count, ASKED);
	ack(1, round, ASKED);
	ack(2, round, ASKED);
	CHECK(pxs_lease_holds(&g, now));
}

/* Is a read answered at once, without a question to anybody? */
static bool at_once(u64 index)
{
	u64 before = g.stat[PXS_GROUP_STAT_LEASE_READS], round = 0;

	CHECK_EQ(ask(&round), 0);
	if (g.stat[PXS_GROUP_STAT_LEASE_READS] == before) {
		CHECK(!(out.what & PXS_OUT_READ));
		return false;
	}
	CHECK(!sent(PXS_WIRE_READ));
	CHECK(out.what & PXS_OUT_READ);
	CHECK_EQ(g.read.done, round);
	CHECK_EQ(g.read.done_index, index);
	CHECK_EQ(g.read.done_ballot, OURS);
	return true;
}

static void off_by_default(void)
{
	u64 round;
	u8 i;

	begin();
	lead(OURS);
	CHECK_EQ(ask(&round), 0);
	CHECK_EQ(sent(PXS_WIRE_READ)->count, 0);
	for (i = 1; i < 5; i++)
		ack(i, round, ASKED);
	CHECK(!at_once(0));
	end();
}

static void bound_is_checked(void)
{
	struct pxs_group_conf conf;

	begin();
	conf = g.conf;
	conf.lease_drift = PXS_LEASE_DRIFT_MAX;
	CHECK(!pxs_group_check_conf(&conf));
	conf.lease_drift++;
	CHECK(pxs_group_check_conf(&conf));
	end();
}

static void answers_at_once(void)
{
	u64 slot, rounds;

	leading();
	granted();
	CHECK_EQ(g.read.done, 1);
	rounds = g.stat[PXS_GROUP_STAT_READ_ROUNDS];
	CHECK(at_once(0));
	CHECK_EQ(propose("v", &slot), 0);
	durable();
	accepted(1, OURS, 1, 1);
	CHECK(at_once(0));
	accepted(2, OURS, 1, 1);
	CHECK(at_once(1));
	CHECK_EQ(g.stat[PXS_GROUP_STAT_READ_ROUNDS], rounds);
	CHECK_EQ(stage.last_lsn, stage.durable_lsn);
	end();
}

/* It runs from when the round was sent, not from its answers, and is shorter than the grant. */
static void runs_from_the_question(void)
{
	u64 round;

	leading();
	CHECK_EQ(ask(&round), 0);
	now += 300;
	ack(1, round, ASKED);
	ack(2, round, ASKED);
	now += LEASE - 300 - 1;
	CHECK(at_once(0));
	now += 1;
	CHECK(!at_once(0));
	end();
}

/* Asked again, the round is the same: who answers may have got the first question. */
static void asked_again_is_no_later(void)
{
	u64 round;

	leading();
	CHECK_EQ(ask(&round), 0);
	now += 200;
	tick();
	CHECK_FATAL(sent(PXS_WIRE_READ));
	CHECK_EQ(sent(PXS_WIRE_READ)->arg, round);
	CHECK_EQ(sent(PXS_WIRE_READ)->count, ASKED);
	ack(1, round, ASKED);
	ack(2, round, ASKED);
	now += LEASE - 200;
	CHECK(!at_once(0));
	end();
}

static void bound_sets_the_length(void)
{
	struct pxs_group_conf conf = { .election_ms = 1000, .lease_drift = 1 };
	u64 drift, at;

	CHECK_EQ(pxs_lease_ms(&conf), 995);
	conf.lease_drift = DRIFT;
	CHECK_EQ(pxs_lease_ms(&conf), LEASE);
	conf.lease_drift = PXS_LEASE_DRIFT_MAX;
	CHECK_EQ(pxs_lease_ms(&conf), 497);
	/* For no phase of the two clocks does what was granted end while it holds. */
	for (drift = 1; drift <= PXS_LEASE_DRIFT_MAX; drift += 37) {
		conf.lease_drift = (u32)drift;
		at = pxs_lease_ms(&conf) + 1;	/* ours shows up to this, less than that passed */
		CHECK(at * (1000 + drift) / 1000 + 1 <= conf.election_ms);
	}
	conf.election_ms = 30;
	CHECK(pxs_lease_ms(&conf) < 30);
}

static void needs_a_quorum_of_grants(void)
{
	u64 round;

	leading();
	CHECK_EQ(ask(&round), 0);
	ack(1, round, 0);		/* an older member, or one without leases */
	ack(2, round, ASKED - 1);	/* another time-out */
	CHECK(out.what & PXS_OUT_READ);	/* it leads, that they say */
	CHECK(!pxs_lease_holds(&g, now));
	ack(3, round, ASKED);
	ack(3, round, ASKED);
	CHECK(!pxs_lease_holds(&g, now));
	ack(4, round + 1, ASKED);
	ack_of(4, OURS - 0x100, round, ASKED);
	CHECK(!pxs_lease_holds(&g, now));
	ack(4, round, ASKED);		/* after the end of the round: it was of this one */
	CHECK(pxs_lease_holds(&g, now));
	/* Where four promise, two are enough: one of them grants. */
	now += ASKED;
	g.conf.phase1 = 4;
	g.conf.phase2 = 2;
	CHECK_EQ(ask(&round), 0);
	CHECK(!pxs_lease_holds(&g, now));
	ack(4, round, ASKED);
	CHECK(pxs_lease_holds(&g, now));
	end();
}

static void learners_do_not_count(void)
{
	u64 round;

	leading();
	g.conf.learners = 2;		/* indexes 3 and 4 */
	CHECK_EQ(ask(&round), 0);
	ack(3, round, ASKED);
	ack(4, round, ASKED);
	CHECK(!pxs_lease_holds(&g, now));
	ack(1, round, ASKED);
	CHECK(pxs_lease_holds(&g, now));
	end();
}

static void former_round_brings_nothing(void)
{
	u64 first, second;

	leading();
	CHECK_EQ(ask(&first), 0);
	ack(1, first, 0);
	ack(2, first, 0);
	now += 100;
	CHECK_EQ(ask(&second), 0);
	ack(3, first, ASKED);
	ack(4, first, ASKED);
	CHECK(!pxs_lease_holds(&g, now));
	end();
}

/* Who reads at times is not kept waiting; who does not costs nothing. */
static void renewed_while_used(void)
{
	u64 round;

	leading();
	granted();
	now += 600;
	tick();
	CHECK(!sent(PXS_WIRE_READ));
	CHECK(at_once(0));
	tick();
	CHECK_FATAL(sent(PXS_WIRE_READ));
	round = sent(PXS_WIRE_READ)->arg;
	CHECK_EQ(round, g.read.round);
	CHECK(at_once(0));		/* meanwhile */
	ack(1, round, ASKED);
	CHECK(!(out.what & PXS_OUT_READ));
	ack(2, round, ASKED);
	CHECK(!(out.what & PXS_OUT_READ));	/* nobody waits */
	CHECK(!g.read.round);
	now += LEASE - 1;
	CHECK(at_once(0));
	now += 1;
	CHECK(!at_once(0));
	end();
}

/* Numbers rise, whoever answers: by a lease, by a round under way, by the next one. */
static void numbers_rise(void)
{
	u64 first, second, third, fourth;

	leading();
	CHECK_EQ(ask(&first), 0);
	CHECK_EQ(ask(&second), 0);
	CHECK(second > first);
	ack(1, first, ASKED);
	ack(2, first, ASKED);
	CHECK_EQ(g.read.done, first);
	CHECK_EQ(g.read.round, second);
	CHECK_EQ(ask(&third), 0);	/* by the lease: it answers the second too */
	CHECK(third > second);
	CHECK_EQ(g.read.done, third);
	ack(1, second, ASKED);
	ack(2, second, ASKED);
	CHECK(!(out.what & PXS_OUT_READ));
	CHECK_EQ(g.read.done, third);
	CHECK(!g.read.round);
	now += 2 * LEASE;
	CHECK_EQ(ask(&fourth), 0);
	CHECK(fourth > third);
	CHECK_EQ(g.read.round, fourth);
	ack(3, fourth, 0);
	ack(4, fourth, 0);
	CHECK_EQ(g.read.done, fourth);
	CHECK(out.what & PXS_OUT_READ);
	end();
}

/* What phase 1 found may be acknowledged: it is decided first. */
static void found_comes_first(void)
{
	u64 slot;

	begin_with(DRIFT);
	tick();
	stand(OURS);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, OURS, 1, 1, now, &out), 0);
	granted();
	CHECK(!at_once(0));
	CHECK_EQ(propose("a", &slot), 0);
	durable();
	accepted(1, OURS, 1, 1);
	accepted(2, OURS, 1, 1);
	CHECK(at_once(1));
	end();
}

static void deposed(void)
{
	u64 round;

	leading();
	granted();
	prepare(2, OTHERS, 1);		/* we granted nobody anything */
	CHECK_EQ(g.lead_ballot, 0);
	CHECK_EQ(ask(&round), -ENOTCONN);
	CHECK(!pxs_lease_holds(&g, now));
	/* Nor is it worth anything for the next ballot of ours. */
	durable();
	stand(OURS + 0x300);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, OURS + 0x300, 1, 0, now, &out), 0);
	CHECK(!pxs_lease_holds(&g, now));
	end();
}

/* Who hands over has no lease from then on, also if the other one does not take over. */
static void handed_over(void)
{
	u64 round;

	leading();
	granted();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_transfer(&g, 1, now, &out), 0);
	CHECK(at_once(0));		/* it has not been told yet */
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = OURS, .slot = 1 },
	     NULL);
	CHECK_FATAL(sent(PXS_WIRE_TRANSFER));
	CHECK(!at_once(0));
	now += ASKED;
	tick();
	CHECK_EQ(out.leader_event, PXS_LEADER_RESUMED);
	round = g.read.round;
	ack(1, round, ASKED);
	ack(2, round, ASKED);
	CHECK_EQ(g.read.done, round);
	CHECK(!at_once(0));
	CHECK_EQ(sent(PXS_WIRE_READ)->count, 0);
	end();
}

/* --- who follows ---------------------------------------------------------- */

static u16 question(u8 from, u64 ballot, u64 round, u16 asked)
{
	const struct pxs_send *s;

	recv(from, (struct pxs_msg){ .type = PXS_WIRE_READ, .ballot = ballot, .slot = 1,
				     .arg = round, .count = asked }, NULL);
	s = sent(PXS_WIRE_READ_ACK);
	CHECK(s && s->arg == round);
	return s ? s->count : 0;
}

static bool promised(u8 from, u64 ballot, u64 given_up)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_PREPARE, .ballot = ballot, .slot = 1,
				     .arg = given_up }, NULL);
	CHECK(!sent(PXS_WIRE_REFUSE) || ballot < g.promised);
	return g.promised == ballot;
}

static bool welcomed(u8 from, u64 ballot)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_PREVOTE, .ballot = ballot, .slot = 1 }, NULL);
	return sent(PXS_WIRE_PREVOTE_ACK) && !sent(PXS_WIRE_PREVOTE_ACK)->arg;
}

static void grants(void)
{
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	CHECK(!promised(2, OTHERS, 0));
	CHECK_EQ(g.stat[PXS_GROUP_STAT_PUT_OFF], 1);
	CHECK_EQ(stage.last_lsn, 0);
	now += ASKED - 1;
	CHECK(!promised(2, OTHERS, 0));
	CHECK(!welcomed(2, OTHERS));
	now += 1;
	CHECK(welcomed(2, OTHERS));
	CHECK(promised(2, OTHERS, 0));
	end();
}

static void grants_nothing(void)
{
	struct pxs_msg copy = { .type = PXS_WIRE_READ, .ballot = THEIRS, .slot = 1, .arg = 7,
				.count = ASKED, .sender = 2, .receiver = 1, .group = 1, .epoch = 1,
				.sender_inc = INC + 1, .receiver_inc = INC };

	begin_with(0);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), 0);	/* it has no leases */
	CHECK(promised(2, OTHERS, 0));
	end();
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, 0), 0);		/* nobody asks for one */
	CHECK_EQ(question(1, THEIRS, 7, ASKED + 1), 0);	/* longer than it would know of later */
	g.conf.learners = 1;
	g.conf.self = 4;
	CHECK_EQ(pxs_lease_grant(&g, &copy), 0);
	g.conf.learners = 0;
	g.conf.self = 0;
	g.mute_until = 9;				/* S5 */
	CHECK_EQ(question(1, THEIRS, 7, ASKED), 0);
	g.mute_until = 0;
	g.over = true;					/* S9 */
	CHECK_EQ(question(1, THEIRS, 7, ASKED), 0);
	g.over = false;
	/* A copy of what was said before is no question of now. */
	copy.counter = counter;
	pxs_out_done(&out);
	pxs_group_recv(&g, &copy, NULL, now, &out);
	CHECK_FATAL(sent(PXS_WIRE_READ_ACK));
	CHECK_EQ(sent(PXS_WIRE_READ_ACK)->count, 0);
	CHECK(promised(2, OTHERS, 0));
	end();
}

/* Of two leaders only the one with the higher ballot may have a lease. */
static void grants_the_higher_one(void)
{
	begin_with(DRIFT);
	CHECK_EQ(question(2, OTHERS, 7, ASKED), ASKED);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), 0);
	CHECK(!promised(1, THEIRS + 0x200, 0));
	CHECK(promised(2, OTHERS + 0x100, 0));
	end();
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	CHECK_EQ(question(2, OTHERS, 7, ASKED), ASKED);
	CHECK(!promised(1, THEIRS + 0x200, 0));
	CHECK(!promised(1, THEIRS + 0x200, THEIRS));	/* that is not what we granted last */
	CHECK(promised(1, THEIRS + 0x200, OTHERS));
	end();
}

/* Our own ballot waits as well, whoever welcomes it. */
static void binds_ourselves(void)
{
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, OURS + 0x300, 1, 0, &out), 0);
	prevote_ack(3, OURS + 0x300, 0);
	prevote_ack(4, OURS + 0x300, 0);
	CHECK_EQ(g.promised, 0);
	CHECK_EQ(pxs_group_prepare(&g, OURS + 0x300, 1, 0, &out), -EAGAIN);
	now += ASKED;
	tick();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, OURS + 0x300, 1, 0, &out), 0);
	CHECK_EQ(g.promised, OURS + 0x300);
	durable();
	CHECK_EQ(sent(PXS_WIRE_PREPARE)->arg, 0);
	end();
}

/* The holder wants us to lead: it has given its lease up, and the others are told so. */
static void told_to_stand(void)
{
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_TRANSFER, .ballot = THEIRS, .slot = 1 }, NULL);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, OURS + 0x300, 1, 0, &out), 0);
	CHECK_EQ(g.promised, OURS + 0x300);
	durable();
	CHECK_FATAL(sent(PXS_WIRE_PREPARE));
	CHECK_EQ(sent(PXS_WIRE_PREPARE)->arg, THEIRS);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, OURS + 0x300, 1, 0x1e, &out), 0);
	CHECK_EQ(sent(PXS_WIRE_PREPARE)->arg, THEIRS);	/* asked again */
	end();
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	CHECK(!promised(2, OTHERS, THEIRS - 0x100));	/* of a former ballot */
	CHECK(promised(2, OTHERS, THEIRS));
	end();
}

/* A promise of old is no new one, and is said again. */
static void promised_before(void)
{
	begin_with(DRIFT);
	CHECK(promised(1, THEIRS, 0));
	durable();
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	prepare(1, THEIRS, 1);
	CHECK(sent(PXS_WIRE_PROMISE));
	end();
}

/* We do not know what we granted before we restarted: for so long we promise nothing to anybody. */
static void restarted(void)
{
	init();
	attach(0);
	g.conf.lease_drift = DRIFT;
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK(!promised(2, OTHERS, 0));
	CHECK(!promised(2, OTHERS, THEIRS));	/* of whom it was we do not know either */
	CHECK(!welcomed(2, OTHERS));
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, OURS, 1, 0, &out), 0);
	prevote_ack(1, OURS, 0);
	prevote_ack(2, OURS, 0);
	CHECK_EQ(g.promised, 0);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);	/* granting takes nothing back */
	now += ASKED - 1;
	CHECK(!promised(2, OTHERS, THEIRS));
	now += 1;
	CHECK(promised(2, OTHERS, 0));
	end();
	init();					/* without leases nobody waits */
	attach(0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK(promised(2, OTHERS, 0));
	end();
}

/* A clock that was read before another one's step is a little behind. */
static void time_does_not_go_back(void)
{
	begin_with(DRIFT);
	CHECK_EQ(question(1, THEIRS, 7, ASKED), ASKED);
	now -= 50;
	CHECK_EQ(question(1, THEIRS, 8, ASKED), ASKED);
	now += 50 + ASKED - 1;
	CHECK(!promised(2, OTHERS, 0));
	now += 1;
	CHECK(promised(2, OTHERS, 0));
	end();
}

int main(void)
{
	RUN(off_by_default);
	RUN(bound_is_checked);
	RUN(answers_at_once);
	RUN(runs_from_the_question);
	RUN(asked_again_is_no_later);
	RUN(bound_sets_the_length);
	RUN(needs_a_quorum_of_grants);
	RUN(learners_do_not_count);
	RUN(former_round_brings_nothing);
	RUN(renewed_while_used);
	RUN(numbers_rise);
	RUN(found_comes_first);
	RUN(deposed);
	RUN(handed_over);
	RUN(grants);
	RUN(grants_nothing);
	RUN(grants_the_higher_one);
	RUN(binds_ourselves);
	RUN(told_to_stand);
	RUN(promised_before);
	RUN(restarted);
	RUN(time_does_not_go_back);
	return unit_done();
}
