// SPDX-License-Identifier: GPL-2.0
/*
 * test_group.c - one member as acceptor and learner, and what recovery gives back
 */
#include "unit_group.h"

/* S3 */
static void inactive_is_silent(void)
{
	init();
	attach(0);
	prepare(1, 0x102, 1);
	accept(1, 0x102, 1, "a", 0);
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(stage.last_lsn, 0);
	CHECK_EQ(g.stat[PXS_GROUP_STAT_NOT_ACTIVE], 2);
	pxs_group_tick(&g, now + 100000, true, &out);
	CHECK_EQ(out.nsend + out.what, 0);
	end();
}

static void not_our_journal(void)
{
	init();
	pxs_stage_attach(&stage, INC + 1, 1);
	CHECK_EQ(-pxs_group_activate(&g, 0, now), EKEYREJECTED);
	end();
	begin();
	CHECK_EQ(-pxs_group_activate(&g, 0, now), EALREADY);
	CHECK_EQ(-load(PXS_RECORD_PROMISE, 1, 0, 0x102, NULL, 0), EBUSY);
	end();
}

/* S1 for promises */
static void promise_waits_for_the_disk(void)
{
	begin();
	prepare(1, 0x102, 1);
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(stage.last_lsn, 1);
	prepare(1, 0x102, 1);	/* a repeat meanwhile: no answer, no record */
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(stage.last_lsn, 1);
	prepare(2, 0x003, 1);	/* a refusal may leave at once */
	CHECK_FATAL(sent(PXS_WIRE_REFUSE));
	CHECK_EQ(sent(PXS_WIRE_REFUSE)->arg, 0x102);
	durable();
	CHECK_EQ(out.nsend, 1);
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->to, 2);
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->ballot, 0x102);
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->arg, 0);
	prepare(1, 0x102, 1);	/* a repeat of something durable */
	CHECK(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(stage.last_lsn, 1);
	end();
}

/* A promise that was overtaken while it waited is refused, not given. */
static void overtaken_promise(void)
{
	begin();
	prepare(1, 0x102, 1);
	prepare(2, 0x203, 1);
	durable();
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->ballot, 0x203);
	CHECK_FATAL(sent(PXS_WIRE_REFUSE));
	CHECK_EQ(sent(PXS_WIRE_REFUSE)->ballot, 0x102);
	CHECK_EQ(sent(PXS_WIRE_REFUSE)->arg, 0x203);
	end();
}

/* S1 for accepts */
static void accept_waits_for_the_disk(void)
{
	begin();
	accept(1, 0x102, 1, "a", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	accept(1, 0x102, 1, "a", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	accept(1, 0x102, 2, "b", 0);
	CHECK_EQ(stage.last_lsn, 2);
	durable();
	CHECK_EQ(out.nsend, 1);	/* both slots in one */
	CHECK_FATAL(sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(sent(PXS_WIRE_ACCEPTED)->slot, 1);
	CHECK_EQ(sent(PXS_WIRE_ACCEPTED)->count, 2);
	accept(1, 0x102, 1, "a", 0);
	CHECK(sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(stage.last_lsn, 2);
	end();
}

static void accept_implies_its_promise(void)
{
	begin();
	accept(1, 0x302, 1, "a", 0);
	CHECK_EQ(g.promised, 0x302);
	prepare(2, 0x203, 1);
	CHECK(sent(PXS_WIRE_REFUSE));
	accept(2, 0x203, 1, "b", 0);
	CHECK(sent(PXS_WIRE_REFUSE));
	CHECK_EQ(stage.last_lsn, 1);
	end();
	init();
	attach(1);
	CHECK_EQ(load(PXS_RECORD_ACCEPT, 1, 1, 0x302, "a", 0), 0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK_EQ(g.promised, 0x302);
	accept(2, 0x203, 1, "b", 0);
	CHECK(sent(PXS_WIRE_REFUSE));
	end();
}

static void promise_tells_what_was_accepted(void)
{
	begin();
	accept(1, 0x102, 1, "a", 0);
	accept(2, 0x203, 1, "b", 0);
	accept(2, 0x203, 5, "e", 0);
	prepare(3, 0x304, 1);
	durable();
	pxs_out_done(&out);
	prepare(3, 0x304, 1);
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->count, 2);
	CHECK_EQ(out.entry[0].slot, 1);
	CHECK_EQ(out.entry[0].ballot, 0x203);
	CHECK(!memcmp(out.entry[0].value->data, "b", 1));
	CHECK_EQ(out.entry[1].slot, 5);
	prepare(3, 0x304, 2);	/* from slot 2 on */
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->count, 1);
	end();
}

/* Without credit: no vote, no answer, nothing changed; with credit again it works. */
static void no_credit(void)
{
	begin();
	stage.failed = true;
	prepare(1, 0x102, 1);
	accept(1, 0x102, 1, "a", 0);
	CHECK_EQ(g.promised, 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(slots[1].flags, 0);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	prevote_ack(1, 0x101, 0);
	prevote_ack(2, 0x101, 0);
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 1, 0, &out), EAGAIN);
	CHECK_EQ(g.prepare_ballot, 0);
	stage.failed = false;
	CHECK_EQ(pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	CHECK_EQ(g.prepare_ballot, 0x101);
	accept(1, 0x102, 1, "a", 0);
	durable();
	CHECK(sent(PXS_WIRE_ACCEPTED));
	end();
}

/* S4 */
static void fenced(void)
{
	begin();
	accept(1, 0x102, 1, "a", 0);
	pxs_group_fence(&g, "why");
	pxs_group_fence(&g, "a later reason");
	CHECK_STR(g.fence_reason, "why");
	durable();
	CHECK_EQ(out.nsend, 0);
	/* No answer, not even later, and nothing is remembered. */
	prepare(1, 0x202, 1);
	accept(1, 0x202, 2, "b", 1);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x202, .slot = 1 }, NULL);
	CHECK_EQ(out.nsend, 0);
	durable();
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(g.promised, 0x102);
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(-pxs_group_prepare(&g, 0x301, 1, 0, &out), ESHUTDOWN);
	CHECK_EQ(-pxs_group_lead(&g, 0x301, 1, 0, now, &out), ESHUTDOWN);
	CHECK_EQ(-pxs_group_activate(&g, 0, now), ESHUTDOWN);
	end();
}

/* A heartbeat that was refused does not use up a counter: the leader's next one would be old. */
static void refused_heartbeat(void)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_HEARTBEAT, .sender = 3, .receiver = 1, .group = 1, .epoch = 1,
		.sender_inc = INC + 2, .receiver_inc = INC, .counter = ~0ull, .len = 8,
		.ballot = 0x203, .slot = 1,
	};
	u8 body[8] = { 0 };

	begin();
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	pxs_group_recv(&g, &m, body, now, &out);
	CHECK_EQ(g.stat[PXS_GROUP_STAT_BAD_BODY], 1);
	m.len = 0;
	m.counter = 7;
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	pxs_group_recv(&g, &m, NULL, now, &out);
	CHECK_EQ(g.leader_ballot, 0x203);
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	m.counter++;
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	end();
}

/*
 * A restarted leader counts on from its wall clock, which may have been set back; it leads with
 * another ballot then. Found by the simulator: it was taken for a replay until its clock had
 * caught up.
 */
static void restarted_leader(void)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_HEARTBEAT, .sender = 3, .receiver = 1, .group = 1, .epoch = 1,
		.sender_inc = INC + 2, .receiver_inc = INC, .counter = 1000, .ballot = 0x203,
		.slot = 1,
	};

	begin();
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	pxs_group_recv(&g, &m, NULL, now, &out);
	m.counter = 5;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	m.ballot = 0x303;
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	pxs_group_recv(&g, &m, NULL, now, &out);
	CHECK_EQ(g.leader_ballot, 0x303);
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	/* Of before: its counter is higher, and it is old all the same. */
	m.ballot = 0x203;
	m.counter = 1001;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	end();
}

/* The commit index of a leader speaks of what was accepted at its ballot, and of nothing else. */
static void commit_of_a_leader(void)
{
	begin();
	accept(1, 0x102, 1, "old", 0);
	accept(2, 0x203, 2, "b", 0);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x203, .slot = 3,
				  .commit = 2 }, NULL);
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(g.known_commit, 2);
	learn(2, 0x203, 1, "new");
	CHECK_EQ(g.commit, 2);
	learn(2, 0x203, 2, "b");
	CHECK_EQ(g.state, PXS_GROUP_ACTIVE);
	learn(2, 0x203, 1, "c");	/* far below: no news */
	CHECK_EQ(g.state, PXS_GROUP_ACTIVE);
	end();
}

static void two_values_fence(void)
{
	begin();
	learn(2, 0x203, 2, "b");
	learn(2, 0x303, 2, "c");
	CHECK_EQ(g.state, PXS_GROUP_FENCED);
	end();
	begin();
	accept(1, 0x102, 1, "a", 0);
	accept(1, 0x102, 1, "z", 0);
	CHECK_EQ(g.state, PXS_GROUP_FENCED);
	end();
}

/* What recovery gives back is answered as before the crash. */
static void recovered(void)
{
	init();
	attach(6);
	CHECK_EQ(load(PXS_RECORD_PROMISE, 1, 0, 0x402, NULL, 0), 0);
	CHECK_EQ(load(PXS_RECORD_COMMIT, 2, 3, 0, NULL, 0), 0);
	CHECK_EQ(load(PXS_RECORD_ACCEPT, 3, 3, 0x302, "c", 0), 0);
	CHECK_EQ(load(PXS_RECORD_ACCEPT, 4, 4, 0x302, "d", 0), 0);
	CHECK_EQ(load(PXS_RECORD_ACCEPT, 5, 5, 0x302, NULL, PXS_ENTRY_FAULTY), 0);
	CHECK_EQ(load(PXS_RECORD_ACCEPT, 6, 6, 0x302, NULL, PXS_ENTRY_NOOP), 0);
	CHECK_EQ(-load(PXS_RECORD_ACCEPT, 7, 0, 0x302, "z", 0), EINVAL);
	CHECK_EQ(-load(PXS_RECORD_ACCEPT, 7, 8, 0, "z", 0), EINVAL);
	CHECK_EQ(-load(99, 7, 8, 0x302, "z", 0), EINVAL);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK_EQ(g.commit, 3);
	CHECK_EQ(g.promised, 0x402);
	prepare(1, 0x402, 1);
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->commit, 3);
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->count, 3);
	CHECK_EQ(out.entry[0].slot, 4);
	CHECK_EQ(out.entry[1].flags, PXS_ENTRY_FAULTY);	/* unknown, not empty (S5) */
	CHECK_EQ(out.entry[1].ballot, 0x302);
	CHECK_EQ(out.entry[2].flags, PXS_ENTRY_NOOP);
	end();
}

/*
 * What was learned, whole or damaged, is of a ballot that this member may never have promised (the
 * simulator, seed 1074446: a late PREPARE of that ballot was answered, and no disk had it).
 */
static void learned_is_no_promise(void)
{
	init();
	attach(3);
	CHECK_EQ(load(PXS_RECORD_PROMISE, 1, 0, 0x102, NULL, 0), 0);
	CHECK_EQ(load(PXS_RECORD_DECIDED, 2, 1, 0x302, NULL, PXS_ENTRY_FAULTY), 0);
	CHECK_EQ(load(PXS_RECORD_DECIDED, 3, 2, 0x302, "b", 0), 0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK_EQ(g.promised, 0x102);
	prepare(1, 0x302, 1);
	CHECK_EQ(out.nsend, 0);
	durable();
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->count, 2);
	CHECK_EQ(out.entry[0].flags, PXS_ENTRY_FAULTY);
	end();
}

/*
 * A damaged slot more than a window before the end of the journal: what cannot be held makes
 * the member mute until it has learned it (found by the simulator, seed 21 of its first day).
 */
static void mute_behind_damage(void)
{
	u64 slot;

	init();
	attach(102);
	CHECK_EQ(load(PXS_RECORD_PROMISE, 1, 0, 0x302, NULL, 0), 0);
	for (slot = 1; slot <= 100; slot++)
		CHECK_EQ(load(PXS_RECORD_ACCEPT, 1 + slot, slot, 0x302, slot == 7 ? NULL : "x",
			      slot == 7 ? PXS_ENTRY_FAULTY : 0), 0);
	CHECK_EQ(load(PXS_RECORD_COMMIT, 102, 90, 0, NULL, 0), 0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK_EQ(g.commit, 6);
	CHECK(pxs_group_mute(&g));
	accept(1, 0x202, 101, "y", 100);
	CHECK(!g.leader_told);		/* below the promise: of a former leader */
	prepare(1, 0x502, 1);
	accept(1, 0x502, 101, "y", 100);
	CHECK_EQ(-pxs_group_prepare(&g, 0x901, 7, 0, &out), EAGAIN);
	durable();
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(g.promised, 0x302);
	for (slot = 7; slot <= 100; slot++) {
		CHECK(pxs_group_mute(&g));
		learn(1, 0x302, slot, "x");
		durable();
	}
	CHECK_EQ(g.commit, 100);
	CHECK(!pxs_group_mute(&g));
	prepare(1, 0x502, 1);
	durable();
	CHECK(sent(PXS_WIRE_PROMISE));
	end();
}

/* Without damage what does not fit is the operator's mistake, and is said. */
static void window_shrank(void)
{
	u64 slot;

	init();
	attach(0);
	for (slot = 1; slot <= 100; slot++)
		CHECK_EQ(load(PXS_RECORD_ACCEPT, slot, slot, 0x302, "x", 0), 0);
	CHECK_EQ(-pxs_group_activate(&g, 0, now), ERANGE);
	end();
}

static void bad_configurations(void)
{
	struct pxs_group_conf good, c;

	init();
	good = g.conf;
	CHECK(!pxs_group_check_conf(&good));
	c = good, c.id = 0;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.epoch = 0;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.nmembers = 4;
	CHECK(!pxs_group_check_conf(&c));	/* on the way from 3 to 5 */
	c = good, c.nmembers = 8;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.learners = 4;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.learners = 5;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.self = 5;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.phase1 = 4, c.phase2 = 2;
	CHECK(!pxs_group_check_conf(&c));
	c.phase2 = 1;
	CHECK_STR(pxs_group_check_conf(&c),
		  "phase1 and phase2 together must be more than there are voters");
	c.learners = 1;
	CHECK(!pxs_group_check_conf(&c));
	c = good, c.phase2 = 3;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.window = 96;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.window = 32;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.window = 131072;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.heartbeat_ms = 9;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.election_ms = 299;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.election_ms = 60001;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.member[1].id = 1;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.member[1].id = 64;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.member[1].incarnation = 0;
	CHECK(pxs_group_check_conf(&c));
	c = good, c.member[1].incarnation = INC;
	CHECK(pxs_group_check_conf(&c));
	end();
}

/*
 * Whoever told of the newest decisions may be unable to show older ones: damaged in its journal.
 * Found by the simulator: the follower asked it for ever, and nobody else.
 */
static void learns_from_another(void)
{
	u32 asked = 0, i;

	begin();
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x203, .slot = 1,
				  .commit = 9 }, NULL);
	CHECK_EQ(g.known_from, 2);
	for (i = 0; i < 4; i++) {
		now += 100;
		pxs_out_done(&out);
		pxs_group_tick(&g, now, true, &out);
		CHECK(sent(PXS_WIRE_LEARN_REQ));
		if (!i)
			CHECK_EQ(sent(PXS_WIRE_LEARN_REQ)->to, 1ull << 2);
		asked |= (u32)sent(PXS_WIRE_LEARN_REQ)->to;
	}
	CHECK_EQ(asked, 0x1e);	/* everybody but ourselves */
	/* Who answers is asked for the rest at once. */
	learn(4, 0x203, 1, "a");
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(sent(PXS_WIRE_LEARN_REQ)->to, 1ull << 4);
	CHECK_EQ(sent(PXS_WIRE_LEARN_REQ)->slot, 2);
	end();
}

/*
 * Who knows a slot as decided may be unable to show its value any more, and those who accepted it
 * not know that it is decided. Its ballot tells them. Found by the simulator.
 */
static void learns_by_ballot(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_LEARN, .slot = 1, .count = 1, .commit = 2 };
	struct pxs_entry e = { .slot = 1, .ballot = 0x303, .flags = PXS_ENTRY_FAULTY };
	u8 body[64];

	begin();
	accept(1, 0x202, 1, "a", 0);
	accept(1, 0x202, 2, "b", 0);
	durable();
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 0);		/* a lower ballot may have had another value */
	e.ballot = 0x202;
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(pxs_window_at(&g.window, 1)->value->data[0], 'a');
	e.slot = 3;			/* nothing was accepted there */
	m.slot = 3;
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 1);
	CHECK(!pxs_window_at(&g.window, 3)->value);
	/* Chosen at 101, so every later ballot has it: P2b. */
	e.ballot = 0x101;
	e.slot = 2;
	m.slot = 2;
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 2);
	CHECK_EQ(pxs_window_at(&g.window, 2)->ballot, 0x202);
	end();
}

/*
 * Chosen at a higher ballot than it was accepted at here: the record must say so. A record of
 * the older ballot, once its value is rotten, would vouch for what others accepted in between.
 */
static void learned_ballot_is_recorded(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_LEARN, .slot = 1, .count = 1, .commit = 2 };
	struct pxs_entry e = {
		.slot = 1, .ballot = 0x404, .flags = PXS_ENTRY_DECIDED, .len = 1, .data = (u8 *)"a",
	};
	u8 body[64];
	u64 lsn;

	begin();
	accept(1, 0x202, 1, "a", 0);
	accept(1, 0x202, 2, "b", 0);
	durable();
	lsn = pxs_window_at(&g.window, 1)->lsn;
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 1);
	CHECK_EQ(pxs_window_at(&g.window, 1)->ballot, 0x404);
	CHECK(pxs_window_at(&g.window, 1)->lsn > lsn);
	/* Not above what it was accepted at: the record that is there says enough. */
	lsn = pxs_window_at(&g.window, 2)->lsn;
	e = (struct pxs_entry){
		.slot = 2, .ballot = 0x101, .flags = PXS_ENTRY_DECIDED, .len = 1, .data = (u8 *)"b",
	};
	m.slot = 2;
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 2);
	CHECK_EQ(pxs_window_at(&g.window, 2)->ballot, 0x202);
	CHECK_EQ(pxs_window_at(&g.window, 2)->lsn, lsn);
	end();
}

/* What was accepted above a ballot at which something was chosen is that: or all is lost. */
static void overtaken_choice_fences(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_LEARN, .slot = 1, .count = 1, .commit = 1 };
	struct pxs_entry e = {
		.slot = 1, .ballot = 0x101, .flags = PXS_ENTRY_DECIDED, .len = 1, .data = (u8 *)"x",
	};
	u8 body[64];

	begin();
	accept(1, 0x202, 1, "a", 0);
	m.len = pxs_wire_put(body, 0, &e);
	recv(2, m, body);
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(g.state, PXS_GROUP_FENCED);
	end();
}

int main(void)
{
	RUN(inactive_is_silent);
	RUN(not_our_journal);
	RUN(promise_waits_for_the_disk);
	RUN(overtaken_promise);
	RUN(accept_waits_for_the_disk);
	RUN(accept_implies_its_promise);
	RUN(promise_tells_what_was_accepted);
	RUN(no_credit);
	RUN(fenced);
	RUN(refused_heartbeat);
	RUN(restarted_leader);
	RUN(learns_from_another);
	RUN(learns_by_ballot);
	RUN(learned_ballot_is_recorded);
	RUN(overtaken_choice_fences);
	RUN(commit_of_a_leader);
	RUN(two_values_fence);
	RUN(recovered);
	RUN(learned_is_no_promise);
	RUN(mute_behind_damage);
	RUN(window_shrank);
	RUN(bad_configurations);
	return unit_done();
}
