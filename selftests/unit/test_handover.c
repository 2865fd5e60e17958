// SPDX-License-Identifier: GPL-2.0
/*
 * test_handover.c - a leader hands over: what it waits for, what the other one may do then
 */
#include "unit_group.h"

#define OURS	0x101u		/* our ballot, as member 1 */
#define THEIRS	0x102u		/* of member 2, index 1 */

/* Member index @from answers our heartbeat and has @commit. */
static void ack(u8 from, u64 commit)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = g.lead_ballot,
				     .slot = g.next_slot, .commit = commit }, NULL);
}

static void tick(void)
{
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
}

static int transfer(u8 to)
{
	pxs_out_done(&out);
	return pxs_group_transfer(&g, to, now, &out);
}

/* Lead, with @n values decided, and begin to hand over to index 2. */
static void leave(u64 n)
{
	u64 slot;

	begin();
	lead(OURS);
	while (g.commit < n) {
		CHECK_EQ(propose("v", &slot), 0);
		durable();
		accepted(1, OURS, slot, 1);
		accepted(3, OURS, slot, 1);
	}
	CHECK_EQ(transfer(2), 0);
}

static void errors(void)
{
	begin();
	CHECK_EQ(transfer(2), -ENOTCONN);
	/* To whom it cannot go is said first, whoever is asked. */
	CHECK_EQ(transfer(0), -EINVAL);
	CHECK_EQ(transfer(0xff), -EINVAL);
	g.conf.learners = 2;
	CHECK_EQ(transfer(3), -EINVAL);
	CHECK_EQ(transfer(2), -ENOTCONN);
	g.conf.learners = 0;
	lead(OURS);
	CHECK_EQ(transfer(0), -EINVAL);
	CHECK_EQ(transfer(5), -EINVAL);
	CHECK_EQ(transfer(0xff), -EINVAL);
	CHECK_EQ(transfer(2), 0);
	CHECK_EQ(transfer(2), -EBUSY);
	CHECK_EQ(transfer(3), -EBUSY);
	pxs_group_fence(&g, "test");
	CHECK_EQ(transfer(2), -ESHUTDOWN);
	end();
}

/* What is proposed is decided first, what is not is not taken; the other one has it all. */
static void waits_for_all(void)
{
	u64 slot, none;

	begin();
	lead(OURS);
	CHECK_EQ(propose("a", &slot), 0);
	durable();
	CHECK_EQ(transfer(2), 0);
	CHECK_FATAL(sent(PXS_WIRE_HEARTBEAT));
	CHECK_EQ(propose("b", &none), -EAGAIN);
	ack(2, 0);
	CHECK(!sent(PXS_WIRE_TRANSFER));	/* slot 1 is not decided */
	accepted(1, OURS, slot, 1);
	accepted(2, OURS, slot, 1);
	CHECK_EQ(g.commit, 1);
	CHECK(!sent(PXS_WIRE_TRANSFER));	/* it does not know that */
	ack(3, 1);
	CHECK(!sent(PXS_WIRE_TRANSFER));	/* another one does */
	ack(2, 1);
	CHECK_FATAL(sent(PXS_WIRE_TRANSFER));
	CHECK_EQ(sent(PXS_WIRE_TRANSFER)->to, 1 << 2);
	CHECK_EQ(sent(PXS_WIRE_TRANSFER)->ballot, OURS);
	CHECK_EQ(sent(PXS_WIRE_TRANSFER)->slot, 2);
	CHECK_EQ(propose("b", &none), -EAGAIN);
	end();
}

/* An empty log has nothing to wait for, but an answer. */
static void waits_for_an_answer(void)
{
	leave(0);
	tick();
	CHECK(!sent(PXS_WIRE_TRANSFER));
	ack(2, 0);
	CHECK(sent(PXS_WIRE_TRANSFER));
	end();
}

/* It may get lost: once at once, then with each tick, behind a beat. */
static void repeats(void)
{
	leave(1);
	ack(2, 1);
	CHECK(sent(PXS_WIRE_TRANSFER));
	ack(2, 1);
	CHECK(!sent(PXS_WIRE_TRANSFER));
	tick();
	CHECK_FATAL(out.nsend >= 2);
	CHECK_EQ(out.send[0].type, PXS_WIRE_HEARTBEAT);
	CHECK_EQ(out.send[1].type, PXS_WIRE_TRANSFER);
	end();
}

static void leads_on(void)
{
	u64 slot;

	leave(1);
	ack(2, 0);	/* it answers and lacks something, to the end */
	now += 999;
	ack(1, 1);
	ack(3, 1);
	tick();
	CHECK(!(out.what & PXS_OUT_LEADER));
	CHECK_EQ(propose("b", &slot), -EAGAIN);
	now += 1;
	tick();
	CHECK(out.what & PXS_OUT_LEADER);
	CHECK_EQ(out.leader_event, PXS_LEADER_RESUMED);
	CHECK_EQ(out.leader_ballot, OURS);
	CHECK(!sent(PXS_WIRE_TRANSFER));
	CHECK_EQ(propose("b", &slot), 0);
	ack(2, 1);
	CHECK(!sent(PXS_WIRE_TRANSFER));	/* too late */
	CHECK_EQ(transfer(2), 0);
	end();
}

/* Overtaken: there is nothing to go back to, and the next time is a new one. */
static void taken_over(void)
{
	leave(1);
	ack(2, 1);
	prepare(2, 0x203, 2);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	CHECK_EQ(g.lead_ballot, 0);
	now += 1000;
	tick();
	CHECK(!(out.what & PXS_OUT_LEADER) || out.leader_event != PXS_LEADER_RESUMED);
	lead(0x301);
	CHECK(!g.hand.on);
	end();
}

/* --- at the other one ------------------------------------------------------ */

static void heartbeat(u8 from, u64 ballot)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = ballot, .slot = 1 },
	     NULL);
}

static void chosen(u8 from, u64 ballot, u64 slot)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_TRANSFER, .ballot = ballot, .slot = slot },
	     NULL);
}

static bool polls(u64 ballot)
{
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, ballot, g.commit + 1, 0, &out), 0);
	return sent(PXS_WIRE_PREVOTE);
}

/* No poll; but the promise is on disk before PREPARE leaves (S11), and phase 1 is the same. */
static void stands_at_once(void)
{
	begin();
	heartbeat(1, THEIRS);
	CHECK(polls(0x201));
	chosen(1, THEIRS, 1);
	CHECK(out.what & PXS_OUT_FORWARD);
	CHECK(!polls(0x301));
	CHECK(!sent(PXS_WIRE_PREPARE));
	CHECK_EQ(g.prepare_ballot, 0x301);
	CHECK_EQ(pxs_group_lead(&g, 0x301, 1, 0, now, &out), -ESTALE);
	durable();
	CHECK_FATAL(sent(PXS_WIRE_PREPARE));
	CHECK_EQ(sent(PXS_WIRE_PREPARE)->to, 0x1e);
	/* The former leader is told at once that it is over. */
	heartbeat(1, THEIRS);
	CHECK(sent(PXS_WIRE_REFUSE));
	chosen(1, THEIRS, 1);
	CHECK(sent(PXS_WIRE_REFUSE));
	CHECK(!(out.what & PXS_OUT_FORWARD));
	end();
}

static void only_once(void)
{
	begin();
	chosen(1, THEIRS, 1);
	CHECK(polls(OURS));	/* below the leader's: of no use to anybody */
	CHECK(!polls(0x201));
	CHECK(polls(0x301));
	end();
}

static void lacks_something(void)
{
	begin();
	chosen(1, THEIRS, 2);
	CHECK(!(out.what & PXS_OUT_FORWARD));
	CHECK(polls(0x201));
	end();
}

/* The wish of a leader that was overtaken is worth nothing. */
static void another_leads(void)
{
	begin();
	chosen(1, THEIRS, 1);
	heartbeat(2, 0x203);
	CHECK(polls(0x301));
	end();
	begin();
	chosen(1, THEIRS, 1);
	prepare(2, 0x203, 1);
	CHECK(polls(0x301));
	end();
	begin();
	prepare(2, 0x203, 1);
	chosen(1, THEIRS, 1);
	CHECK_FATAL(sent(PXS_WIRE_REFUSE));
	CHECK_EQ(sent(PXS_WIRE_REFUSE)->arg, 0x203);
	CHECK(!(out.what & PXS_OUT_FORWARD));
	CHECK(polls(0x301));
	end();
}

/* For an election time-out, and then the agent hears again who leads. */
static void not_for_ever(void)
{
	begin();
	heartbeat(1, THEIRS);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	chosen(1, THEIRS, 1);
	now += 999;
	tick();
	CHECK(!(out.what & PXS_OUT_LEADER));
	heartbeat(1, THEIRS);
	now += 1;
	tick();
	CHECK(out.what & PXS_OUT_LEADER);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	CHECK_EQ(out.leader_ballot, THEIRS);
	CHECK(polls(0x201));
	tick();
	CHECK(!(out.what & PXS_OUT_LEADER));	/* said once */
	end();
	/* Up to the last moment; and of a leader that is gone nothing is said. */
	begin();
	chosen(1, THEIRS, 1);
	now += 999;
	tick();
	CHECK(!polls(0x201));
	end();
	begin();
	chosen(1, THEIRS, 1);
	now += 1000;
	tick();
	CHECK_EQ(out.leader_event, PXS_LEADER_LOST);
	end();
}

/* Others still ask: whoever was not chosen is in the leader's way as before. */
static void guards_against_others(void)
{
	begin();
	heartbeat(1, THEIRS);
	chosen(1, THEIRS, 1);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_PREVOTE, .ballot = 0x303, .slot = 1 }, NULL);
	CHECK_FATAL(sent(PXS_WIRE_PREVOTE_ACK));
	CHECK_EQ(sent(PXS_WIRE_PREVOTE_ACK)->arg, THEIRS);
	now += 999;
	heartbeat(1, THEIRS);
	now += 1;
	tick();
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_PREVOTE, .ballot = 0x303, .slot = 1 }, NULL);
	CHECK_FATAL(sent(PXS_WIRE_PREVOTE_ACK));
	CHECK_EQ(sent(PXS_WIRE_PREVOTE_ACK)->arg, THEIRS);
	end();
}

/* A fenced member neither stands nor says a word; one that is no member is not heard. */
static void not_for_strangers(void)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_TRANSFER, .sender = 9, .receiver = 1, .group = 1, .epoch = 1,
		.sender_inc = INC + 1, .receiver_inc = INC, .ballot = 0x109, .slot = 1,
		.counter = 1,
	};

	begin();
	memcpy(m.cluster, g.conf.cluster, sizeof(m.cluster));
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_SENDER);
	m.sender = 1;	/* ourselves */
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_SENDER);
	m.sender = 2;
	m.receiver = 3;	/* another member is to stand */
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_RECEIVER);
	m.receiver = 1;
	m.ballot = THEIRS;
	m.epoch = 2;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_EPOCH);
	m.epoch = 1;
	m.sender_inc++;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_INCARNATION);
	pxs_group_fence(&g, "test");
	chosen(1, THEIRS, 1);
	CHECK(!(out.what & PXS_OUT_FORWARD));
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(pxs_group_prepare(&g, 0x201, 1, 0, &out), -ESHUTDOWN);
	end();
}

/* Behind a heartbeat, sent before it: a replay. Of the wrong member: malformed. */
static void replayed(void)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_TRANSFER, .sender = 2, .receiver = 1, .group = 1, .epoch = 1,
		.sender_inc = INC + 1, .receiver_inc = INC, .ballot = THEIRS, .slot = 1,
	};

	begin();
	heartbeat(1, THEIRS);
	m.counter = counter;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	m.counter++;
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	m.ballot = 0x103;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_BODY);
	/* And itself, the second time. */
	chosen(1, THEIRS, 1);
	m.ballot = THEIRS;
	m.counter = counter;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	end();
}

/* A member that holds less than it once accepted gives no promise, and does not stand. */
static void mute(void)
{
	begin();
	g.mute_until = 5;
	chosen(1, THEIRS, 1);
	CHECK(!(out.what & PXS_OUT_FORWARD));
	g.mute_until = 0;
	end();
}

int main(void)
{
	RUN(errors);
	RUN(waits_for_all);
	RUN(waits_for_an_answer);
	RUN(repeats);
	RUN(leads_on);
	RUN(taken_over);
	RUN(stands_at_once);
	RUN(only_once);
	RUN(lacks_something);
	RUN(another_leads);
	RUN(not_for_ever);
	RUN(guards_against_others);
	RUN(not_for_strangers);
	RUN(replayed);
	RUN(mute);
	return unit_done();
}
