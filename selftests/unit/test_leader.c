// SPDX-License-Identifier: GPL-2.0
/*
 * test_leader.c - one member as candidate and leader
 */
#include "unit_group.h"

/* S11: PREPARE leaves when our own promise is on disk; LEAD needs that too. */
static void own_ballot(void)
{
	begin();
	CHECK_EQ(-pxs_group_prepare(&g, 0x102, 1, 0, &out), EINVAL);	/* not ours */
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 0, 0, &out), EINVAL);
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 1, 0x20, &out), EINVAL);
	stand(0x101);
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(-pxs_group_lead(&g, 0x101, 1, 0, now, &out), ESTALE);
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	CHECK_EQ(out.nsend, 0);
	durable();
	CHECK_FATAL(sent(PXS_WIRE_PREPARE));
	CHECK_EQ(sent(PXS_WIRE_PREPARE)->to, 0x1e);
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->to, 1);
	CHECK_EQ(-pxs_group_lead(&g, 0x101, 2, 1, now, &out), EINVAL);
	CHECK_EQ(-pxs_group_lead(&g, 0x201, 1, 0, now, &out), ESTALE);
	CHECK_EQ(pxs_group_lead(&g, 0x101, 1, 0, now, &out), 0);
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 1, 0, &out), ESTALE);	/* finished */
	end();
}

static void preempted_candidate(void)
{
	begin();
	stand(0x101);
	prepare(1, 0x202, 1);
	CHECK(out.what & PXS_OUT_LEADER);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	CHECK_EQ(out.leader_ballot, 0x202);
	durable();
	CHECK(!sent(PXS_WIRE_PREPARE));	/* it is no longer open */
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 1, 0, &out), ESTALE);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_PROMISE, .ballot = 0x101, .slot = 1 }, NULL);
	CHECK(!(out.what & PXS_OUT_FORWARD));	/* late */
	end();
}

/* A new ballot is opened when a quorum welcomes it, and not before. */
static void asks_first(void)
{
	begin();
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	CHECK_FATAL(sent(PXS_WIRE_PREVOTE));
	CHECK_EQ(sent(PXS_WIRE_PREVOTE)->to, 0x1e);
	CHECK_EQ(g.promised, 0);
	CHECK_EQ(stage.last_lsn, 0);	/* nothing to write for it */
	prevote_ack(1, 0x101, 0);
	prevote_ack(1, 0x101, 0);	/* the same again */
	prevote_ack(2, 0x001, 0);	/* another ballot */
	prevote_ack(3, 0x101, 0x005);	/* hears a leader */
	CHECK_EQ(g.promised, 0);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	CHECK_FATAL(sent(PXS_WIRE_PREVOTE));
	CHECK_EQ(sent(PXS_WIRE_PREVOTE)->to, 0x1c);
	prevote_ack(4, 0x101, 0);
	CHECK_EQ(g.promised, 0x101);
	durable();
	CHECK(sent(PXS_WIRE_PREPARE));
	end();
}

/* Higher ballots end the asking, and so does a leader that is heard. */
static void unwelcome(void)
{
	begin();
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	prevote_ack(1, 0x101, 0x702);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	CHECK_EQ(out.leader_ballot, 0x702);
	prevote_ack(2, 0x101, 0);
	prevote_ack(3, 0x101, 0);
	CHECK_EQ(g.promised, 0);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, 0x801, 1, 0, &out), 0);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x702, .slot = 1 }, NULL);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	prevote_ack(2, 0x801, 0);
	prevote_ack(3, 0x801, 0);
	CHECK_EQ(g.promised, 0);
	CHECK_EQ(stage.last_lsn, 0);
	end();
}

/* Member index 3 asks us about @ballot, and hears @way. */
static void asked(u64 ballot, u64 way)
{
	recv(3, (struct pxs_msg){ .type = PXS_WIRE_PREVOTE, .ballot = ballot, .slot = 1 }, NULL);
	CHECK_FATAL(sent(PXS_WIRE_PREVOTE_ACK));
	CHECK_EQ(sent(PXS_WIRE_PREVOTE_ACK)->to, 1 << 3);
	CHECK_EQ(sent(PXS_WIRE_PREVOTE_ACK)->ballot, ballot);
	CHECK_EQ(sent(PXS_WIRE_PREVOTE_ACK)->arg, way);
}

/* What we say when others ask: nothing is promised, and a leader that is heard is in the way. */
static void asked_by_others(void)
{
	begin();
	asked(0x104, 0);
	CHECK_EQ(g.promised, 0);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x002, .slot = 1 }, NULL);
	asked(0x104, 0x002);
	now += 999;
	asked(0x104, 0x002);
	now += 1;
	asked(0x104, 0);
	prepare(1, 0x502, 1);
	asked(0x104, 0x502);
	asked(0x504, 0);
	lead(0x601);
	asked(0x704, 0x601);
	end();
}

/* One-way loss: a leader that a quorum hears, but which hears no quorum, gives way. */
static void leader_without_answers(void)
{
	begin();
	lead(0x101);
	now += 1500;
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = 0x101, .slot = 1 },
	     NULL);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = 0x101, .slot = 1 },
	     NULL);
	now += 1999;
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(g.lead_ballot, 0x101);
	accepted(1, 0x101, 1, 1);
	now += 1;
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(g.lead_ballot, 0);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	CHECK_EQ(out.leader_ballot, 0x101);
	end();
}

static void votes(void)
{
	u64 slot = 0;

	begin();
	CHECK_EQ(-propose("a", &slot), ENOTCONN);
	lead(0x101);
	CHECK_EQ(propose("a", &slot), 0);
	CHECK_EQ(slot, 1);
	CHECK_FATAL(sent(PXS_WIRE_ACCEPT));	/* before our own record is durable */
	CHECK_EQ(sent(PXS_WIRE_ACCEPT)->to, 0x1e);
	accepted(1, 0x101, 1, 1);
	accepted(1, 0x101, 1, 1);
	accepted(1, 0x101, 1, 1);
	CHECK_EQ(g.commit, 0);
	accepted(2, 0x101, 1, 1);
	CHECK_EQ(g.commit, 0);	/* two of five: our own vote waits for the disk */
	durable();
	CHECK_EQ(g.commit, 1);
	CHECK(out.what & PXS_OUT_DECIDED);
	CHECK_EQ(out.commit, 1);
	end();
}

static void votes_that_do_not_count(void)
{
	u64 slot = 0;

	begin();
	lead(0x101);
	CHECK_EQ(propose("a", &slot), 0);
	accepted(1, 0x101, 2, 1);	/* not proposed yet */
	accepted(2, 0x101, 2, 1);
	accepted(3, 0x001, 1, 1);	/* another ballot */
	accepted(4, 0x001, 1, 1);
	durable();
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(propose("b", &slot), 0);
	durable();
	CHECK_EQ(g.commit, 0);
	accepted(1, 0x101, 1, 2);
	accepted(2, 0x101, 1, 2);
	CHECK_EQ(g.commit, 2);
	end();
}

/* Half a window in flight and no more, whatever the clients want. */
static void window_is_full(void)
{
	u64 slot = 0;
	u32 i;

	begin();
	lead(0x101);
	for (i = 1; i <= WINDOW / 2; i++)
		CHECK_EQ(propose("x", &slot), 0);
	CHECK_EQ(-propose("x", &slot), EAGAIN);
	durable();
	accepted(1, 0x101, 1, 1);
	accepted(2, 0x101, 1, 1);
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(propose("x", &slot), 0);
	CHECK_EQ(slot, WINDOW / 2 + 1);
	CHECK_EQ(-propose("x", &slot), EAGAIN);
	end();
}

/* Values of one step travel in one datagram, in slot order, and are counted one by one. */
static void many_at_once(void)
{
	struct pxs_value *v[WINDOW];
	u64 first = 0;
	u32 i;

	begin();
	for (i = 0; i < WINDOW; i++)
		v[i] = pxs_value_new(&i, sizeof(i), false);
	CHECK_EQ(-pxs_group_propose_many(&g, v, 3, now, &first, &out), ENOTCONN);
	lead(0x101);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_propose_many(&g, v, 3, now, &first, &out), 3);
	CHECK_EQ(first, 1);
	CHECK_EQ(out.nsend, 1);
	CHECK_EQ(out.send[0].type, PXS_WIRE_ACCEPT);
	CHECK_EQ(out.send[0].count, 3);
	for (i = 0; i < 3; i++) {
		CHECK_EQ(out.entry[i].slot, 1 + i);
		CHECK(out.entry[i].value == v[i]);
	}
	durable();
	accepted(1, 0x101, 1, 2);
	accepted(2, 0x101, 1, 2);
	CHECK_EQ(g.commit, 2);
	/* As many as the window holds: the caller keeps the rest. */
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_propose_many(&g, v, WINDOW, now, &first, &out), WINDOW / 2 - 1);
	CHECK_EQ(first, 4);
	CHECK_EQ(-pxs_group_propose_many(&g, v, 1, now, &first, &out), EAGAIN);
	for (i = 0; i < WINDOW; i++)
		pxs_value_put(v[i]);
	end();
}

/* What its entries take, summed up anew. */
static u32 body_size(const struct pxs_send *send)
{
	u32 i, size = 0;

	for (i = 0; i < send->entries; i++)
		size += pxs_wire_entry_size(out.entry[send->first + i].value->len);
	return size;
}

/* Large ones need several datagrams; none is left out, and none is proposed without one. */
static void many_large_ones(void)
{
	/* Two of the second size would fit the longest body, but not one that is filled. */
	static const u32 size[] = { 100, 16200, 16200, PXS_VALUE_MAX };
	static u8 big[PXS_VALUE_MAX];
	struct pxs_value *v[40];
	u32 i, done = 0;
	u64 first = 0;
	int ret;

	begin();
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		big[0] = (u8)i;
		v[i] = pxs_value_new(big, size[i % ARRAY_SIZE(size)], false);
	}
	lead(0x101);
	for (;;) {
		u32 sent_here = 0;

		pxs_out_done(&out);
		ret = pxs_group_propose_many(&g, v + done, (u32)ARRAY_SIZE(v) - done, now, &first,
					     &out);
		if (ret <= 0)
			break;
		CHECK_EQ(first, 1 + done);
		for (i = 0; i < out.nsend; i++) {
			CHECK(out.send[i].count);
			CHECK(out.send[i].bytes <= PXS_WIRE_BODY_FULL);
			CHECK_EQ(out.send[i].bytes, body_size(&out.send[i]));
			CHECK_EQ(out.send[i].slot, 1 + done + sent_here);
			sent_here += out.send[i].count;
		}
		CHECK_EQ(sent_here, (u32)ret);
		done += (u32)ret;
		durable();
		pxs_out_done(&out);
		accepted(1, 0x101, 1, (u16)done);
		accepted(2, 0x101, 1, (u16)done);
	}
	CHECK_EQ(done, ARRAY_SIZE(v));
	CHECK_EQ(ret, 0);
	for (i = 0; i < ARRAY_SIZE(v); i++)
		pxs_value_put(v[i]);
	end();
}

static void stale_leader(void)
{
	u64 slot = 0;

	begin();
	lead(0x101);
	CHECK_EQ(propose("mine", &slot), 0);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_REFUSE, .ballot = 0x001, .arg = 0x902 }, NULL);
	CHECK_EQ(g.lead_ballot, 0x101);	/* of a ballot long gone */
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_REFUSE, .ballot = 0x101, .arg = 0x902 }, NULL);
	CHECK_EQ(g.lead_ballot, 0);
	CHECK_EQ(out.leader_event, PXS_LEADER_PREEMPTED);
	CHECK_EQ(out.leader_ballot, 0x902);
	CHECK_EQ(-propose("b", &slot), ENOTCONN);
	end();
}

/*
 * A leader that learns something else than it proposed leads no more: its followers would take
 * its commit index to mean what it proposed. So does one that learns its own value as chosen at
 * a higher ballot: they would keep it at ours (see pxs_acceptor_learn()).
 */
static void stale_leader_learns(void)
{
	u64 slot = 0;

	begin();
	lead(0x501);
	CHECK_EQ(propose("mine", &slot), 0);
	durable();
	learn(1, 0x602, 1, "theirs");
	CHECK_EQ(g.lead_ballot, 0);
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(g.state, PXS_GROUP_ACTIVE);
	end();

	begin();
	lead(0x501);
	CHECK_EQ(propose("mine", &slot), 0);
	durable();
	learn(1, 0x602, 1, "mine");
	CHECK_EQ(g.lead_ballot, 0);
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(pxs_window_at(&g.window, 1)->ballot, 0x602);
	end();
}

static void leader_is_heard_and_lost(void)
{
	begin();
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x203, .slot = 1 }, NULL);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	CHECK_FATAL(sent(PXS_WIRE_HEARTBEAT_ACK));
	CHECK_EQ(sent(PXS_WIRE_HEARTBEAT_ACK)->arg, counter);
	pxs_out_done(&out);
	pxs_group_tick(&g, now + 999, true, &out);
	CHECK(!(out.what & PXS_OUT_LEADER));
	pxs_group_tick(&g, now + 1000, true, &out);
	CHECK(out.what & PXS_OUT_LEADER);
	CHECK_EQ(out.leader_event, PXS_LEADER_LOST);
	CHECK_EQ(out.leader_ballot, 0x203);
	prepare(1, 0x502, 1);
	now += 2000;
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x203, .slot = 1 }, NULL);
	CHECK(sent(PXS_WIRE_REFUSE));	/* its ballot is over */
	CHECK(!(out.what & PXS_OUT_LEADER));
	end();
}

/* Somebody without the key repeats what a leader said before it died, word for word. */
static void repeated_words_are_no_life(void)
{
	begin();
	accept(2, 0x203, 1, "a", 0);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	durable();
	now += 999;
	counter--;
	accept(2, 0x203, 1, "a", 0);
	CHECK(sent(PXS_WIRE_ACCEPTED));	/* an answer may have been lost: it is repeated, too */
	now++;
	asked(0x304, 0);
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK(out.what & PXS_OUT_LEADER);
	CHECK_EQ(out.leader_event, PXS_LEADER_LOST);
	/* What was under way for long is new all the same, and so is what comes after it. */
	accept(2, 0x203, 2, "b", 0);
	CHECK(out.what & PXS_OUT_LEADER);
	CHECK_EQ(out.leader_event, PXS_LEADER_SEEN);
	end();
}

/* The same with answers: a leader that is cut off must not go on leading by old ones. */
static void repeated_answers_are_no_quorum(void)
{
	u32 i;

	begin();
	lead(0x101);
	for (i = 0; i < 5; i++) {
		now += 500;
		counter -= 2;
		accepted(1, 0x101, 1, 1);
		accepted(2, 0x101, 1, 1);
	}
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(g.lead_ballot, 0);
	end();
}

/* A tick reads its clock before it gets the lock: what was heard meanwhile is ahead of it. */
static void clock_a_little_behind(void)
{
	begin();
	now += 5000;
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x203, .slot = 1 }, NULL);
	pxs_out_done(&out);
	pxs_group_tick(&g, now - 1, true, &out);
	CHECK(!(out.what & PXS_OUT_LEADER));
	now--;
	asked(0x304, 0x203);
	now++;
	lead(0x401);
	now += 5000;
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = 0x401, .slot = 1 },
	     NULL);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = 0x401, .slot = 1 },
	     NULL);
	pxs_out_done(&out);
	pxs_group_tick(&g, now - 1, true, &out);
	CHECK_EQ(g.lead_ballot, 0x401);
	end();
}

/* An agent or a disk that stopped: no heartbeats, so that another is chosen. */
static void unhealthy_leader_is_quiet(void)
{
	u64 slot;

	begin();
	lead(0x101);
	now += 1000;
	pxs_out_done(&out);
	pxs_group_tick(&g, now, false, &out);
	CHECK_EQ(out.nsend, 0);
	/* The others would decide it, and take it for a beat: one a second, and we stay. */
	CHECK_EQ(-propose("x", &slot), EAGAIN);
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(g.next_slot, 1);
	pxs_group_tick(&g, now, true, &out);
	CHECK(sent(PXS_WIRE_HEARTBEAT));
	CHECK_EQ(propose("x", &slot), 0);
	CHECK(sent(PXS_WIRE_ACCEPT));
	end();
}

/* What is decided and rides on nothing is told at the next tick, once, without being a beat. */
static void decided_is_told_soon(void)
{
	u64 slot = 0;

	begin();
	lead(0x101);
	now += 10;
	CHECK_EQ(propose("a", &slot), 0);
	CHECK_EQ(propose("b", &slot), 0);
	durable();
	accepted(1, 0x101, 1, 1);
	pxs_out_done(&out);
	accepted(2, 0x101, 1, 1);
	CHECK_EQ(g.commit, 1);
	CHECK(!(out.what & PXS_OUT_SOON));	/* slot 2 is in flight */
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(out.nsend, 0);
	accepted(1, 0x101, 2, 1);
	accepted(2, 0x101, 2, 1);
	CHECK_EQ(g.commit, 2);
	CHECK(out.what & PXS_OUT_SOON);
	pxs_out_done(&out);
	pxs_group_tick(&g, now, false, &out);
	CHECK_EQ(out.nsend, 0);			/* its disk does not move */
	pxs_group_tick(&g, now, true, &out);
	CHECK_FATAL(sent(PXS_WIRE_HEARTBEAT));
	CHECK_EQ(sent(PXS_WIRE_HEARTBEAT)->commit, 2);
	CHECK_EQ(g.beat_ms, now - 10);
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(out.nsend, 0);
	/* The next proposal tells of what was decided before it. */
	CHECK_EQ(propose("c", &slot), 0);
	durable();
	accepted(1, 0x101, 3, 1);
	accepted(2, 0x101, 3, 1);
	CHECK_EQ(g.commit, 3);
	CHECK_EQ(propose("d", &slot), 0);
	CHECK_EQ(sent(PXS_WIRE_ACCEPT)->commit, 3);
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(out.nsend, 0);
	end();
}

static void learning(void)
{
	u64 slot = 0;
	u32 i;

	begin();
	recv(3, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 1, .count = 64 }, NULL);
	CHECK_EQ(out.nsend, 0);	/* nothing is decided */
	lead(0x101);
	for (i = 1; i <= 100; i++) {
		CHECK_EQ(propose("x", &slot), 0);
		durable();
		accepted(1, 0x101, slot, 1);
		accepted(2, 0x101, slot, 1);
	}
	CHECK_EQ(g.commit, 100);
	recv(3, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 99, .count = 64 }, NULL);
	CHECK_FATAL(sent(PXS_WIRE_LEARN));
	CHECK_EQ(sent(PXS_WIRE_LEARN)->count, 2);
	CHECK_EQ(out.entry[0].flags, PXS_ENTRY_DECIDED);
	recv(3, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 1, .count = 64 }, NULL);
	CHECK_EQ(out.nsend, 0);
	CHECK(out.what & PXS_OUT_FORWARD);	/* the agent has it */
	end();
}

int main(void)
{
	RUN(own_ballot);
	RUN(preempted_candidate);
	RUN(asks_first);
	RUN(unwelcome);
	RUN(asked_by_others);
	RUN(leader_without_answers);
	RUN(votes);
	RUN(votes_that_do_not_count);
	RUN(window_is_full);
	RUN(many_at_once);
	RUN(many_large_ones);
	RUN(stale_leader);
	RUN(stale_leader_learns);
	RUN(leader_is_heard_and_lost);
	RUN(repeated_words_are_no_life);
	RUN(repeated_answers_are_no_quorum);
	RUN(clock_a_little_behind);
	RUN(unhealthy_leader_is_quiet);
	RUN(decided_is_told_soon);
	RUN(learning);
	return unit_done();
}
