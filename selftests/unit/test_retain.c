// SPDX-License-Identifier: GPL-2.0
/*
 * test_retain.c - what a node trims: by itself, when it is asked to, and which segments it needs
 *
 * A replica without a loop: the test says what is applied, durable and heard, and is the datapath.
 */
#include "unit.h"

#include <errno.h>

#include "client_proto.h"
#include "node.h"

#define WINDOW	64u

static struct pxs_node node;
static struct pxs_replica r;
static struct pxs_group_config group;
static u64 held, asked, now;
static u32 answers, error, statuses;
static char words[PXS_TRIM_WORDS];

static int dp_status(struct pxs_datapath *dp, u32 id, struct pxs_group_status *st)
{
	(void)dp;
	(void)id;
	memset(st, 0, sizeof(*st));
	st->held = held;
	statuses++;
	return 0;
}

static int dp_trim(struct pxs_datapath *dp, u32 id, u64 slot, bool peers)
{
	CHECK(!peers);
	(void)dp;
	(void)id;
	asked = slot + 1;
	return 0;
}

static const struct pxs_datapath_ops ops = { .status = dp_status, .trim = dp_trim };
static struct pxs_datapath dp = { .ops = &ops };

static void begin(void)
{
	memset(&node, 0, sizeof(node));
	memset(&r, 0, sizeof(r));
	memset(&group, 0, sizeof(group));
	node.dp = &dp;
	group.conf.window = WINDOW;
	r.node = &node;
	r.config = &group;
	r.started = true;
	held = 0;
	asked = 0;
	answers = 0;
	now = 10000;
}

static void done(void *ctx, u32 e)
{
	CHECK(ctx == words);
	answers++;
	error = e;
}

/* What was asked of the datapath: a slot; ~0: nothing. */
static u64 tick(void)
{
	asked = 0;
	now += 1000;
	pxs_trim_tick(&r, now);
	return asked - 1;
}

static u32 ask(u64 slot, bool force)
{
	return pxs_trim_ask(&r, slot, force, words, done, words);
}

static void record(u64 lsn, u64 slot, u64 pos)
{
	struct pxs_record rec = {
		.type = PXS_RECORD_TRIM, .lsn = lsn, .slot = slot, .ballot = 0x101,
	};

	pxs_trim_record(&r, &rec, 0);
	pxs_trim_placed(&r, &rec, pos);
}

static void by_itself(void)
{
	begin();
	r.applied = 10000;
	held = 10000;
	/* Not without a setting. */
	CHECK_EQ(tick(), ~0ull);
	group.retain = 1000;
	CHECK_EQ(tick(), 9000);
	/* Once a second, and not for a few slots. */
	asked = 0;
	pxs_trim_tick(&r, now + 500);
	CHECK_EQ(asked, 0);
	r.trim = 9000;
	r.applied = 10061;
	held = 10061;
	statuses = 0;
	CHECK_EQ(tick(), ~0ull);
	CHECK_EQ(statuses, 0);
	r.applied = 10062;
	held = 10062;
	CHECK_EQ(tick(), 9062);
	/* Less than is to be kept. */
	r.trim = 0;
	r.applied = 1000;
	CHECK_EQ(tick(), ~0ull);
}

/* Somebody lags, or was never heard: it may ask for all that it lacks, and two windows more. */
static void not_what_a_member_may_lack(void)
{
	begin();
	group.retain = 1000;
	r.applied = 10000;
	CHECK_EQ(tick(), ~0ull);
	held = 5000;
	CHECK_EQ(tick(), 5000 - 2 * WINDOW);
	r.trim = 5000 - 2 * WINDOW;
	CHECK_EQ(tick(), ~0ull);
}

/* S7 */
static void not_above_a_checkpoint(void)
{
	begin();
	group.retain = 1000;
	r.applied = 10000;
	held = 10000;
	r.stateful = true;
	CHECK_EQ(tick(), ~0ull);
	r.checkpoint = 7000;
	CHECK_EQ(tick(), 7000);
	CHECK_EQ(-pxs_trim(&r, 7001), ERANGE);
	CHECK_EQ(ask(7001, true), PXS_CLIENT_KEPT);
	CHECK(strstr(words, "checkpoint is that of slot 7000"));
	r.checkpoint = 9999;
	CHECK_EQ(tick(), 9000);
}

static void asked_for(void)
{
	begin();
	r.applied = 1000;
	held = 500;
	CHECK_EQ(ask(1001, true), PXS_CLIENT_KEPT);
	CHECK(strstr(words, "not applied here; 1000 is"));
	CHECK_EQ(ask(1000 - 2 * WINDOW + 1, true), PXS_CLIENT_KEPT);
	CHECK(strstr(words, "last 128 slots are kept"));
	CHECK_EQ(ask(500 - 2 * WINDOW + 1, false), PXS_CLIENT_KEPT);
	CHECK(strstr(words, "have slot 372 for good"));
	CHECK_EQ(asked, 0);
	CHECK_EQ(ask(500 - 2 * WINDOW + 1, true), 0);
	CHECK_EQ(asked - 1, 373);
	CHECK_EQ(answers, 0);
	CHECK_EQ(ask(10, true), PXS_CLIENT_BUSY);
	record(5, 373, 3ull << 32);
	CHECK(!pxs_trim_durable(&r, 4));
	CHECK_EQ(answers, 0);
	CHECK_EQ(r.trim, 0);
	CHECK(pxs_trim_durable(&r, 5));
	CHECK_EQ(r.trim, 373);
	CHECK_EQ(answers, 1);
	CHECK_EQ(error, 0);
	/* It is gone already. */
	CHECK_EQ(ask(300, false), 0);
	CHECK_EQ(answers, 2);
	CHECK_EQ(ask(400, true), 0);
	pxs_trim_abandon(&r);
	CHECK_EQ(answers, 3);
	CHECK_EQ(error, PXS_CLIENT_FENCED);
	r.gone = true;
	CHECK_EQ(ask(410, true), PXS_CLIENT_FENCED);
	pxs_slots_exit(&r.slots);
}

static void put(u64 slot, u64 lsn, u64 pos)
{
	struct pxs_record rec = {
		.type = PXS_RECORD_ACCEPT, .slot = slot, .lsn = lsn, .ballot = 0x101, .len = 1,
		.data = (const u8 *)"x",
	};

	CHECK_EQ(pxs_slots_record(&r.slots, &rec, pos, !pos), 0);
}

static u64 at(u64 segment)
{
	return pxs_pos(segment, 8192);
}

static void commit_at(u64 pos)
{
	struct pxs_record rec = { .type = PXS_RECORD_COMMIT };

	pxs_trim_placed(&r, &rec, pos);
}

/* The newest record of each slot, the TRIM, and the COMMIT in front of it. */
static void segments_that_are_needed(void)
{
	begin();
	CHECK_EQ(pxs_trim_needs(&r), ~0ull);
	r.first_pos = at(2);
	put(1, 1, at(3));
	put(2, 2, at(5));
	CHECK_EQ(pxs_trim_needs(&r), 2);
	r.applied = 2;
	record(3, 1, at(6));
	CHECK_EQ(pxs_trim_needs(&r), 2);
	CHECK(pxs_trim_durable(&r, 3));
	CHECK_EQ(pxs_trim_needs(&r), 5);
	/* A record that replaces another is not durable yet. */
	commit_at(at(6));
	record(5, 1, at(7));
	put(2, 6, 0);
	node.journal.durable = 5;
	pxs_slots_durable(&r.slots, 5);
	CHECK(pxs_trim_durable(&r, 5));
	CHECK_EQ(pxs_trim_needs(&r), 5);
	pxs_slots_place(&r.slots, 2, 6, at(9));
	/* Now it is. A COMMIT that is newer than the TRIM need not be. */
	commit_at(at(8));
	record(8, 1, at(9));
	commit_at(at(10));
	node.journal.durable = 8;
	pxs_slots_durable(&r.slots, 8);
	CHECK_EQ(pxs_trim_needs(&r), 5);
	CHECK(pxs_trim_durable(&r, 8));
	CHECK_EQ(pxs_trim_needs(&r), 8);
	pxs_slots_exit(&r.slots);
}

/* As it was found: a restart needs the same. */
static void segments_that_are_needed_after_a_restart(void)
{
	struct pxs_record commit = { .type = PXS_RECORD_COMMIT, .lsn = 1, .slot = 9 };
	struct pxs_record trim = { .type = PXS_RECORD_TRIM, .lsn = 2, .slot = 5 };

	begin();
	CHECK_EQ(pxs_replica_record(&r, &commit, at(3)), 0);
	CHECK_EQ(pxs_replica_record(&r, &trim, at(4)), 0);
	commit.lsn = 3;
	CHECK_EQ(pxs_replica_record(&r, &commit, at(6)), 0);
	CHECK_EQ(r.trim, 5);
	CHECK_EQ(r.recovered, 9);
	CHECK_EQ(pxs_trim_needs(&r), 3);
	pxs_slots_exit(&r.slots);
}

/* A group that this member was removed from keeps nothing but that it was. */
static void who_was_removed_needs_nothing(void)
{
	struct pxs_floor *floor = &node.journal.floor;
	u32 i;

	begin();
	r.id = 7;
	r.first_pos = at(2);
	put(1, 1, at(3));
	CHECK_EQ(pxs_trim_needs(&r), 2);
	CHECK_EQ(floor->left.count, 0);
	r.members.removed = 5;
	CHECK_EQ(pxs_trim_needs(&r), ~0ull);
	CHECK_EQ(pxs_floor_left(floor, 7), 5);
	CHECK_EQ(pxs_trim_needs(&r), ~0ull);
	CHECK_EQ(floor->left.count, 1);
	/* Its store has something to apply yet. */
	floor->left.count = 0;
	r.stateful = true;
	r.applied = 1;
	CHECK_EQ(pxs_trim_needs(&r), 2);
	CHECK_EQ(pxs_floor_left(floor, 7), 0);
	r.checkpoint = 1;
	CHECK_EQ(pxs_trim_needs(&r), ~0ull);
	/* After a restart there is nothing that would be applied. */
	r.checkpoint = 0;
	r.started = false;
	CHECK_EQ(pxs_trim_needs(&r), ~0ull);
	/* Where it cannot be said, nothing goes. */
	floor->left.count = 0;
	for (i = 0; i < PXS_GROUPS_MAX; i++)
		CHECK(pxs_floor_leave(floor, 100 + i, 1));
	CHECK_EQ(pxs_trim_needs(&r), 2);
	pxs_slots_exit(&r.slots);
}

/* Nothing is gone, or nothing more, but the record that says so keeps segments for nothing. */
static void said_again(void)
{
	begin();
	r.first_pos = at(1);
	node.journal.segment = 2;
	CHECK_EQ(tick(), ~0ull);
	node.journal.segment = 3;
	CHECK_EQ(tick(), 0);
	/* Once a segment. */
	CHECK_EQ(tick(), ~0ull);
	record(9, 0, at(3));
	CHECK(pxs_trim_durable(&r, 9));
	CHECK_EQ(pxs_trim_needs(&r), 3);
	node.journal.segment = 4;
	CHECK_EQ(tick(), ~0ull);
	/* A slot keeps it, too: it would be of no use. */
	put(1, 10, at(3));
	node.journal.segment = 5;
	CHECK_EQ(tick(), ~0ull);
	put(1, 12, at(5));
	put(2, 11, at(3));
	node.journal.segment = 6;
	CHECK_EQ(tick(), ~0ull);
	put(2, 13, at(5));
	node.journal.segment = 7;
	CHECK_EQ(tick(), 0);
	pxs_slots_exit(&r.slots);
}

/*
 * A checkpoint of another member's took the place of slots 1 to 50. What this journal has of them
 * was accepted, not chosen: it must not be applied, neither before the record is durable nor after.
 */
static void skipped_slots_are_not_applied(void)
{
	begin();
	CHECK_EQ(pxs_replica_init(&r, &node, &group), 0);
	r.started = true;
	put(1, 1, 0);
	put(2, 2, 0);
	put(51, 3, 0);
	node.journal.next_lsn = 10;
	record(9, 50, at(3));
	pxs_replica_decided(&r, 51, 9);
	pxs_replica_step(&r);
	CHECK_EQ(r.commit, 51);
	CHECK_EQ(r.applied, 0);
	CHECK(pxs_trim_durable(&r, 9));
	CHECK_EQ(r.applied, 50);
	/* What is behind it is not left until somebody writes again. */
	CHECK(pxs_replica_step(&r));
	CHECK_EQ(r.applied, 51);
	CHECK(!pxs_replica_step(&r));
	pxs_replica_decided(&r, 52, 9);
	put(52, 10, 0);
	pxs_replica_step(&r);
	CHECK_EQ(r.applied, 52);
	pxs_replica_exit(&r);
}

int main(void)
{
	RUN(by_itself);
	RUN(not_what_a_member_may_lack);
	RUN(not_above_a_checkpoint);
	RUN(asked_for);
	RUN(segments_that_are_needed);
	RUN(segments_that_are_needed_after_a_restart);
	RUN(who_was_removed_needs_nothing);
	RUN(said_again);
	RUN(skipped_slots_are_not_applied);
	return unit_done();
}
