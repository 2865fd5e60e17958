// SPDX-License-Identifier: GPL-2.0
/*
 * test_trim.c - the trim point: at the acceptor, in what it answers, and after a restart (S7)
 */
#include "unit_group.h"

#include "../../agent/slots.h"

/* Slots 1 to @n are chosen, and known so here. */
static void decide_slots(u64 n)
{
	u8 body[64];
	u64 i;

	for (i = 1; i <= n; i++) {
		struct pxs_entry e = {
			.slot = i, .ballot = 0x202, .len = 1, .data = (const u8 *)"v",
			.flags = PXS_ENTRY_DECIDED,
		};
		struct pxs_msg m = { .type = PXS_WIRE_LEARN, .slot = i, .count = 1, .commit = i };

		m.len = pxs_wire_put(body, 0, &e);
		recv(1, m, body);
	}
	CHECK_EQ(g.commit, n);
	durable();
}

/* The newest record; and the one before it, in *before. */
static struct pxs_record last_two_staged(struct pxs_record *before)
{
	static u8 buf[PXS_APPEND_MAX];
	struct pxs_record r = { 0 };
	struct pxs_batch b;
	u32 pos = 0, i;

	if (!pxs_stage_due(&stage, PXS_APPEND_MAX, &b))
		return r;
	pxs_stage_copy(&stage, &b, buf);
	for (i = 0; i < b.count; i++) {
		*before = r;
		CHECK_EQ(pxs_record_get(buf + pos, b.bytes - pos, &r), PXS_RECORD_OK);
		pos += pxs_record_size(r.len);
	}
	return r;
}

static struct pxs_record last_staged(void)
{
	struct pxs_record before;

	return last_two_staged(&before);
}

/* Only what is decided, never back; its record says the promise, behind the promise's own. */
static void only_what_is_decided(void)
{
	struct pxs_record r;

	begin();
	decide_slots(5);
	CHECK(pxs_group_trim(&g, 6) == -EINVAL);
	CHECK_EQ(g.trim, 0);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_PREPARE, .ballot = 0x303, .slot = 6 }, NULL);
	CHECK_EQ(g.promised, 0x303);
	CHECK_EQ(pxs_group_trim(&g, 4), 0);
	CHECK_EQ(g.trim, 4);
	r = last_staged();
	CHECK_EQ(r.type, PXS_RECORD_TRIM);
	CHECK_EQ(r.slot, 4);
	CHECK_EQ(r.ballot, 0x303);
	CHECK(r.lsn > g.promised_lsn);
	CHECK(pxs_group_trim(&g, 3) == -EINVAL);
	CHECK_EQ(pxs_group_trim(&g, 4), 0);
	CHECK_EQ(pxs_group_trim(&g, 5), 0);
	durable();
	CHECK(sent(PXS_WIRE_PROMISE));
	end();
}

/* What else older segments said, and the journal must not lack without them. */
static void the_commit_index_is_said_again(void)
{
	struct pxs_record r, before;

	begin();
	CHECK_EQ(pxs_group_trim(&g, 0), 0);
	r = last_staged();
	CHECK_EQ(r.type, PXS_RECORD_TRIM);
	CHECK_EQ(r.slot, 0);
	CHECK_EQ(r.flags, 0);
	decide_slots(5);
	CHECK(g.commit_staged < 5);
	CHECK_EQ(pxs_group_trim(&g, 0), 0);
	CHECK_EQ(g.commit_staged, 5);
	r = last_two_staged(&before);
	CHECK_EQ(r.type, PXS_RECORD_TRIM);
	CHECK_EQ(before.type, PXS_RECORD_COMMIT);
	CHECK_EQ(before.slot, 5);
	end();
}

/* A journal whose DURABILITY record is gone must not take a member that forgot for another. */
static void the_durability_is_said_again(void)
{
	struct pxs_record trim = {
		.group = 1, .type = PXS_RECORD_TRIM, .flags = PXS_TRIM_MEMORY, .slot = 9, .lsn = 9,
	};

	begin();
	g.conf.memory = true;
	pxs_group_tick(&g, now, true, &out);
	CHECK(g.memory_lsn);
	durable();
	CHECK_EQ(pxs_group_trim(&g, 0), 0);
	CHECK_EQ(last_staged().flags, PXS_TRIM_MEMORY);
	durable();
	CHECK_EQ(pxs_group_settle(&g), 0);
	CHECK_EQ(pxs_group_trim(&g, 0), 0);
	CHECK_EQ(last_staged().flags, 0);
	end();
	init();
	attach(9);
	CHECK_EQ(pxs_group_load(&g, &trim), 0);
	CHECK(pxs_group_activate(&g, 9, now) == -ENOTRECOVERABLE);
	end();
	init();
	attach(10);
	CHECK_EQ(pxs_group_load(&g, &trim), 0);
	trim.flags = 0;
	CHECK_EQ(pxs_group_load(&g, &trim), 0);
	CHECK_EQ(pxs_group_activate(&g, 9, now), 0);
	end();
}

static void says_commit(u8 from, u64 commit)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT_ACK, .ballot = 0x101, .slot = 1,
				     .commit = commit }, NULL);
}

static const struct pxs_send *beat(void)
{
	pxs_out_done(&out);
	now += 100;
	pxs_group_tick(&g, now, true, &out);
	CHECK(sent(PXS_WIRE_HEARTBEAT));
	return sent(PXS_WIRE_HELD);
}

/* The lowest of all members' commit indexes, when all were heard; some times, against loss. */
static void what_all_have(void)
{
	u8 i;

	begin();
	decide_slots(20);
	lead(0x101);
	for (i = 1; i < 4; i++)
		says_commit(i, 10 + i);
	CHECK(!beat());
	CHECK_EQ(g.held, 0);
	says_commit(4, 17);
	CHECK(beat() && sent(PXS_WIRE_HELD)->slot == 12 && sent(PXS_WIRE_HELD)->to == 0x1e);
	CHECK(beat() && beat());
	CHECK(!beat());
	/* It lags, or was restarted: what it had it has. */
	says_commit(1, 5);
	CHECK(!beat());
	CHECK_EQ(g.held, 12);
	for (i = 1; i < 5; i++)
		says_commit(i, 30);
	CHECK(beat() && sent(PXS_WIRE_HELD)->slot == 20);
	end();
}

static void what_all_have_is_told(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_HELD, .ballot = 0x202, .slot = 7, .commit = 9 };

	begin();
	recv(1, m, NULL);
	CHECK_EQ(g.held, 7);
	/* Whoever said it, and however late: it is true. */
	m.slot = 5;
	recv(1, m, NULL);
	CHECK_EQ(g.held, 7);
	m.slot = 0;
	recv(1, m, NULL);
	m.slot = 10;
	recv(1, m, NULL);
	CHECK_EQ(g.held, 7);
	CHECK_EQ(g.stat[PXS_GROUP_STAT_BAD_BODY], 2);
	end();
}

/* Who led before knew more than is decided here: a HELD above our own commit index is malformed. */
static void what_all_have_and_we_do_not_know(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_HELD, .ballot = 0x003, .slot = 25, .commit = 30 };
	u8 i;

	begin();
	decide_slots(20);
	lead(0x101);
	for (i = 1; i < 5; i++)
		says_commit(i, 12);
	CHECK(beat() && sent(PXS_WIRE_HELD)->slot == 12);
	recv(2, m, NULL);
	CHECK_EQ(g.held, 25);
	CHECK(!beat());
	end();
}

static void not_without_credit(void)
{
	begin();
	decide_slots(2);
	pxs_stage_detach(&stage);
	stage.failed = true;
	CHECK(pxs_group_trim(&g, 1) == -EAGAIN);
	CHECK_EQ(g.trim, 0);
	pxs_group_fence(&g, "test");
	CHECK(pxs_group_trim(&g, 1) == -ESHUTDOWN);
	end();
}

/* Of the promise and of what was decided nothing else need be left. */
static void a_trim_record_is_enough(void)
{
	struct pxs_record trim = {
		.group = 1, .type = PXS_RECORD_TRIM, .slot = 1000, .ballot = 0x707, .lsn = 9,
	};

	init();
	attach(9);
	CHECK_EQ(pxs_group_load(&g, &trim), 0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK_EQ(g.trim, 1000);
	CHECK_EQ(g.commit, 1000);
	CHECK_EQ(g.promised, 0x707);
	/* An older ballot is refused, a newer one is answered from behind the trim point. */
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_PREPARE, .ballot = 0x602, .slot = 1 }, NULL);
	CHECK(sent(PXS_WIRE_REFUSE) && sent(PXS_WIRE_REFUSE)->arg == 0x707);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_PREPARE, .ballot = 0x802, .slot = 1 }, NULL);
	durable();
	CHECK(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->commit, 1000);
	/* What it is asked for is the agent's to answer: it has the trim point too. */
	pxs_out_done(&out);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 7, .count = 3 }, NULL);
	CHECK(out.what & PXS_OUT_FORWARD);
	end();
}

/*
 * A damaged slot right behind the trim point keeps the commit index there, and the window reaches
 * an eighth of itself further down. Of what was chosen there nothing is known: not that it is
 * empty, and not what a leader that was overtaken would have liked.
 */
static void what_is_gone_is_neither_taken_nor_shown(void)
{
	struct pxs_record trim = {
		.group = 1, .type = PXS_RECORD_TRIM, .slot = 10, .ballot = 0x101, .lsn = 9,
	};
	struct pxs_record faulty = {
		.group = 1, .type = PXS_RECORD_ACCEPT, .flags = PXS_ENTRY_FAULTY, .slot = 11,
		.ballot = 0x101, .lsn = 8,
	};
	u8 body[64];
	struct pxs_entry e = { .slot = 9, .ballot = 0x202, .len = 1, .data = (const u8 *)"w" };
	struct pxs_msg m = { .type = PXS_WIRE_ACCEPT, .ballot = 0x202, .slot = 9, .count = 1 };

	init();
	attach(9);
	CHECK_EQ(pxs_group_load(&g, &trim), 0);
	CHECK_EQ(pxs_group_load(&g, &faulty), 0);
	CHECK_EQ(pxs_group_activate(&g, 10, now), 0);
	CHECK_EQ(g.commit, 10);
	m.len = pxs_wire_put(body, 0, &e);
	recv(1, m, body);
	durable();
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(g.stat[PXS_GROUP_STAT_ACCEPTS], 0);
	pxs_out_done(&out);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 9, .count = 3 }, NULL);
	CHECK(out.what & PXS_OUT_FORWARD);
	CHECK(!sent(PXS_WIRE_LEARN));
	end();
}

/* A vote for a slot that is in a checkpoint: it may have been for another value. */
static void old_votes_are_not_what_was_chosen(void)
{
	struct pxs_record vote = {
		.group = 1, .type = PXS_RECORD_ACCEPT, .slot = 10, .ballot = 0x101, .lsn = 8,
		.len = 1, .data = (const u8 *)"x",
	};
	struct pxs_record trim = {
		.group = 1, .type = PXS_RECORD_TRIM, .slot = 10, .ballot = 0x101, .lsn = 9,
	};

	init();
	attach(9);
	CHECK_EQ(pxs_group_load(&g, &vote), 0);
	CHECK_EQ(pxs_group_load(&g, &trim), 0);
	CHECK_EQ(pxs_group_activate(&g, 10, now), 0);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 10, .count = 3 }, NULL);
	CHECK(out.what & PXS_OUT_FORWARD);
	CHECK(!sent(PXS_WIRE_LEARN));
	end();
}

static void bad_trim_records(void)
{
	struct pxs_record trim = { .group = 1, .type = PXS_RECORD_TRIM, .lsn = 9 };

	init();
	attach(9);
	trim.slot = PXS_SLOT_MAX + 1;
	CHECK(pxs_group_load(&g, &trim) == -EINVAL);
	end();
}

/* "Trimmed at" is neither silence nor "nothing accepted": it is remembered, and others are asked. */
static void trimmed_elsewhere(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_LEARN, .slot = 1, .arg = 51, .commit = 90 };
	u32 asked = 0, i;

	begin();
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x203, .slot = 91,
				  .commit = 90 }, NULL);
	CHECK(!pxs_group_needs_checkpoint(&g));
	recv(2, m, NULL);
	CHECK(pxs_group_needs_checkpoint(&g));
	CHECK_EQ(g.trimmed, 51);
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(g.stat[PXS_GROUP_STAT_TRIMMED], 1);
	/* Of another slot than we asked for; of one who has more. */
	m.slot = 3;
	m.arg = 5;
	recv(3, m, NULL);
	CHECK_EQ(g.trimmed, 51);
	m.slot = 1;
	m.arg = 61;
	recv(3, m, NULL);
	CHECK_EQ(g.trimmed, 51);
	m.arg = 21;
	recv(3, m, NULL);
	CHECK_EQ(g.trimmed, 21);
	for (i = 0; i < 5; i++) {
		now += 100;
		pxs_out_done(&out);
		pxs_group_tick(&g, now, true, &out);
		CHECK(sent(PXS_WIRE_LEARN_REQ));
		if (sent(PXS_WIRE_LEARN_REQ))
			asked |= (u32)sent(PXS_WIRE_LEARN_REQ)->to;
	}
	CHECK_EQ(asked, 0x1e);
	/* One of them has it all the same. */
	pxs_out_done(&out);
	decide_slots(20);
	CHECK(!pxs_group_needs_checkpoint(&g));
	end();
}

static bool well_formed(u64 slot, u64 arg, u64 commit, u32 len)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_LEARN, .slot = slot, .arg = arg, .commit = commit, .len = len,
	};
	u8 body[64] = { 0 };

	return pxs_wire_check_body(&m, body);
}

static void what_trimmed_at_may_say(void)
{
	CHECK(well_formed(1, 2, 1, 0));
	CHECK(well_formed(1, 51, 90, 0));
	CHECK(!well_formed(0, 2, 5, 0));
	CHECK(!well_formed(2, 2, 5, 0));
	CHECK(!well_formed(3, 2, 5, 0));
	CHECK(!well_formed(1, 0, 5, 0));
	CHECK(!well_formed(1, 7, 5, 0));	/* there is no such slot yet */
	CHECK(!well_formed(1, 2, 5, 24));
}

/* --- what the agent knows of slots --- */

static void add(struct pxs_slots *s, u64 slot, u64 lsn, u64 pos)
{
	struct pxs_record r = {
		.type = PXS_RECORD_ACCEPT, .slot = slot, .lsn = lsn, .ballot = 0x101, .len = 1,
		.data = (const u8 *)"x",
	};

	CHECK_EQ(pxs_slots_record(s, &r, pos, !pos), 0);
}

static void slots_are_forgotten(void)
{
	struct pxs_slots s = { 0 };
	u64 i, n = 3 * PXS_SLOTS_CHUNK;

	for (i = 1; i <= n; i++)
		add(&s, i, i, i % 2 ? i << 4 : 0);
	CHECK_EQ(s.bytes, n / 2);
	CHECK_EQ(pxs_slots_first_pos(&s, 0, ~0ull), 1 << 4);
	pxs_slots_trim(&s, PXS_SLOTS_CHUNK + 7);
	CHECK(!s.chunk[0] && s.chunk[1]);
	CHECK(!pxs_slots_at(&s, 1));
	CHECK(!pxs_slots_at(&s, PXS_SLOTS_CHUNK + 7));
	CHECK(pxs_slots_at(&s, PXS_SLOTS_CHUNK + 8));
	CHECK_EQ(pxs_slots_first_pos(&s, s.trim, ~0ull), (PXS_SLOTS_CHUNK + 9) << 4);
	CHECK_EQ(s.bytes, n / 2 - (PXS_SLOTS_CHUNK + 7) / 2);
	/* A record that comes late is of no use any more. */
	add(&s, 5, n + 1, 77);
	CHECK(!s.chunk[0] && !pxs_slots_at(&s, 5));
	/* An older slot, written again, holds an older segment no longer. */
	add(&s, PXS_SLOTS_CHUNK + 9, n + 2, 1 << 20);
	CHECK_EQ(pxs_slots_first_pos(&s, s.trim, ~0ull), (PXS_SLOTS_CHUNK + 11) << 4);
	/* All of it, exactly to a chunk's end; and beyond. */
	pxs_slots_trim(&s, 2 * PXS_SLOTS_CHUNK);
	CHECK(!s.chunk[1] && s.chunk[2]);
	pxs_slots_trim(&s, n + 5000);
	CHECK(!s.chunk[2]);
	CHECK_EQ(s.bytes, 0);
	CHECK_EQ(s.trim, n + 5000);
	CHECK_EQ(pxs_slots_first_pos(&s, s.trim, ~0ull), 0);
	add(&s, n + 5001, n + 9, 123);
	CHECK(pxs_slots_at(&s, n + 5001));
	CHECK_EQ(pxs_slots_first_pos(&s, s.trim, ~0ull), 123);
	pxs_slots_exit(&s);
}

/* The disk has an older record of the slot until the newer one is on it, too. */
static void what_was_replaced_counts_for_a_while(void)
{
	struct pxs_slots s = { 0 };

	add(&s, 1, 1, 1 << 4);
	add(&s, 2, 2, 2 << 4);
	pxs_slots_trim(&s, 1);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 2), 2 << 4);
	add(&s, 2, 3, 0);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 2), 2 << 4);
	pxs_slots_place(&s, 2, 3, 9 << 4);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 2), 2 << 4);
	pxs_slots_durable(&s, 2);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 2), 2 << 4);
	pxs_slots_durable(&s, 3);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 3), 9 << 4);
	add(&s, 2, 4, 0);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 3), 9 << 4);
	/* It was replaced before it had a place. */
	add(&s, 2, 5, 0);
	pxs_slots_durable(&s, 4);
	add(&s, 2, 6, 0);
	pxs_slots_place(&s, 2, 5, 10 << 4);
	pxs_slots_place(&s, 2, 6, 20 << 4);
	pxs_slots_durable(&s, 5);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 5), 10 << 4);
	pxs_slots_durable(&s, 6);
	CHECK_EQ(pxs_slots_first_pos(&s, 1, 6), 20 << 4);
	pxs_slots_exit(&s);
}

int main(void)
{
	RUN(only_what_is_decided);
	RUN(the_commit_index_is_said_again);
	RUN(the_durability_is_said_again);
	RUN(what_all_have);
	RUN(what_all_have_is_told);
	RUN(what_all_have_and_we_do_not_know);
	RUN(not_without_credit);
	RUN(a_trim_record_is_enough);
	RUN(what_is_gone_is_neither_taken_nor_shown);
	RUN(old_votes_are_not_what_was_chosen);
	RUN(bad_trim_records);
	RUN(trimmed_elsewhere);
	RUN(what_trimmed_at_may_say);
	RUN(slots_are_forgotten);
	RUN(what_was_replaced_counts_for_a_while);
	return unit_done();
}
