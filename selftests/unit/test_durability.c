// SPDX-License-Identifier: GPL-2.0
/*
 * test_durability.c - a memory group (S2): what its answers wait for, and what a member that
 * forgot must not do
 */
#include "unit_group.h"
#include "durability.h"

/* With memory, which has begun: its record is on disk. */
static void begin_memory(void)
{
	begin();
	g.conf.memory = true;
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(stage.last_lsn, 1);
	durable();
}

/* The record that was staged last. */
static struct pxs_record last_record(void)
{
	static u8 buf[PXS_APPEND_MAX];
	struct pxs_record r = { 0 };
	u32 size = length[stage.last_lsn & (PXS_STAGE_RECORDS - 1)];
	u32 at = (u32)(stage.head - size) & (u32)(sizeof(ring) - 1);
	u32 i;

	for (i = 0; i < size; i++)
		buf[i] = ring[(at + i) & (sizeof(ring) - 1)];
	CHECK_EQ(pxs_record_get(buf, size, &r), PXS_RECORD_OK);
	return r;
}

static void answers_leave_at_once(void)
{
	begin_memory();
	prepare(1, 0x102, 1);
	CHECK_EQ(stage.last_lsn, 2);
	CHECK_FATAL(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->ballot, 0x102);
	prepare(1, 0x102, 1);	/* a repeat */
	CHECK(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(stage.last_lsn, 2);
	accept(1, 0x102, 1, "a", 0);
	CHECK_FATAL(sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(sent(PXS_WIRE_ACCEPTED)->count, 1);
	accept(1, 0x102, 1, "a", 0);
	CHECK(sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(stage.last_lsn, 3);
	CHECK_EQ(stage.durable_lsn, 1);	/* ... and goes to the disk, later */
	durable();
	CHECK_EQ(out.nsend, 0);
	end();
}

static void leader_commits_at_once(void)
{
	u64 slot;

	begin_memory();
	stand(0x101);
	CHECK_FATAL(sent(PXS_WIRE_PREPARE));
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, 0x101, 1, 0, now, &out), 0);
	CHECK_EQ(propose("a", &slot), 0);
	CHECK_EQ(g.commit, 0);
	accepted(1, 0x101, 1, 1);
	CHECK_EQ(g.commit, 0);
	accepted(2, 0x101, 1, 1);	/* with our own vote: three of five */
	CHECK_EQ(g.commit, 1);
	CHECK(out.what & PXS_OUT_DECIDED);
	CHECK_EQ(stage.durable_lsn, 1);
	end();
}

static bool waited_for;	/* the disk, by what send() sent */

/* How many records go to the agent now; none of them becomes durable. */
static u32 send(void)
{
	struct pxs_batch b;
	u32 n = 0;

	waited_for = false;
	while (pxs_stage_due(&stage, PXS_APPEND_MAX, &b)) {
		pxs_stage_sent(&stage, &b);
		n += b.count;
		waited_for |= !b.lazy;
	}
	return n;
}

/* The client's answer needs the agent, which needs the record: not the disk. */
static void agent_has_what_is_chosen(void)
{
	u64 slot, i;

	begin_memory();
	stand(0x101);
	CHECK_EQ(send(), 0);		/* our promise: nobody waits for it any more */
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, 0x101, 1, 0, now, &out), 0);
	for (i = 1; i <= PXS_STAGE_BATCHES + 3; i++) {
		CHECK_EQ(propose("a", &slot), 0);
		/* It waits for its votes ... */
		CHECK_EQ(send(), 0);
		accepted(1, 0x101, slot, 1);
		accepted(2, 0x101, slot, 1);
		CHECK_EQ(g.commit, slot);
		CHECK(!(out.what & PXS_OUT_LATER));
		/* ... and no longer; the disk may wait. */
		CHECK_EQ(send(), i == 1 ? 2 : 1);
		CHECK(!waited_for);
	}
	CHECK_EQ(stage.durable_lsn, 1);
	end();
}

/* Who follows has no clients: its agent is woken when it is late. */
static void followers_agents_sleep(void)
{
	u64 slot;

	begin_memory();
	for (slot = 1; slot <= PXS_STAGE_BATCHES + 3; slot++) {
		accept(1, 0x102, slot, "a", slot - 1);
		CHECK_FATAL(sent(PXS_WIRE_ACCEPTED));
		CHECK_EQ(!(out.what & PXS_OUT_DECIDED), slot == 1);
		CHECK_EQ(!(out.what & PXS_OUT_LATER), slot == 1);
		CHECK_EQ(send(), 0);
	}
	CHECK_EQ(g.commit, PXS_STAGE_BATCHES + 2);
	pxs_stage_late(&stage);
	CHECK_EQ(send(), PXS_STAGE_BATCHES + 3);
	CHECK(!waited_for);
	end();
}

/* What is on disk leaves the window: so that it does not fill, the disk is waited for betimes. */
static void disk_keeps_up(void)
{
	u64 slot;
	u32 n = 0;

	begin_memory();
	for (slot = 1; !n && slot <= WINDOW; slot++) {
		accept(1, 0x102, slot, "a", slot - 1);
		n = send();
	}
	CHECK_EQ(n, WINDOW / 4 + 1);
	CHECK(waited_for);
	CHECK_EQ(pxs_stage_durable(&stage, epoch, stage.last_lsn), 1);
	accept(1, 0x102, slot, "a", slot - 1);
	CHECK_EQ(send(), 0);
	end();
}

/* While answers wait for the disk, and when they do again: no record is left for later. */
static void nothing_is_lazy_that_is_waited_for(void)
{
	begin();
	g.conf.memory = true;
	accept(1, 0x102, 1, "a", 0);
	CHECK_EQ(send(), 1);
	CHECK(waited_for);
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);	/* memory begins with the disk's leave */
	CHECK_EQ(send(), 1);
	CHECK(waited_for);
	accept(1, 0x102, 2, "b", 1);
	durable();
	accept(1, 0x102, 3, "c", 2);
	CHECK_EQ(send(), 0);
	CHECK_EQ(pxs_group_settle(&g), 0);
	CHECK_EQ(send(), 2);
	CHECK(waited_for);
	durable();
	accept(1, 0x102, 4, "d", 3);
	CHECK(!(out.what & PXS_OUT_LATER));
	CHECK_EQ(send(), 1);
	CHECK(waited_for);
	end();
}

/* The commit index is only a hint: it never costs a flush of its own. */
static void commit_index_is_lazy(void)
{
	u64 slot;

	begin();
	for (slot = 1; slot <= WINDOW / 8; slot++) {
		accept(1, 0x102, slot, "a", slot - 1);
		durable();
	}
	CHECK_EQ(stage.last_lsn, slot - 1);
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x102, .slot = slot,
				  .commit = slot - 1, .arg = 1 }, NULL);
	CHECK_EQ(g.commit, slot - 1);
	CHECK_EQ(last_record().type, PXS_RECORD_COMMIT);
	CHECK_EQ(send(), 0);
	accept(1, 0x102, slot, "a", slot - 1);
	CHECK_EQ(send(), 2);
	end();
}

/* Values proposed together: our own votes are counted in the same step. */
static void own_votes_of_many(void)
{
	struct pxs_value *v[2];
	u64 first;

	begin_memory();
	stand(0x101);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, 0x101, 1, 0, now, &out), 0);
	v[0] = pxs_value_new("a", 1, false);
	v[1] = pxs_value_new("b", 1, false);
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_propose_many(&g, v, 2, now, &first, &out), 2);
	CHECK_EQ(pxs_window_at(&g.window, 1)->voters, 1);
	CHECK_EQ(pxs_window_at(&g.window, 2)->voters, 1);
	pxs_value_put(v[0]);
	pxs_value_put(v[1]);
	end();
}

/* Nobody could tell later that this member forgot: so it waits. */
static void not_before_the_disk_knows(void)
{
	begin();
	g.conf.memory = true;
	accept(1, 0x102, 1, "a", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	pxs_out_done(&out);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(last_record().type, PXS_RECORD_DURABILITY);
	CHECK_EQ(last_record().slot, PXS_DURABILITY_MEMORY);
	accept(1, 0x102, 2, "b", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	pxs_group_tick(&g, now, true, &out);	/* once is enough */
	CHECK_EQ(stage.last_lsn, 3);
	durable();
	CHECK_FATAL(sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(sent(PXS_WIRE_ACCEPTED)->count, 2);
	end();
}

static void not_without_an_agent(void)
{
	begin();
	g.conf.memory = true;
	pxs_group_tick(&g, now, false, &out);
	CHECK_EQ(stage.last_lsn, 0);
	end();
}

/* S1 for a group that did not ask for anything else, on the same stage. */
static void disk_groups_wait(void)
{
	begin();
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(stage.last_lsn, 0);
	accept(1, 0x102, 1, "a", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	pxs_group_tick(&g, now, true, &out);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	durable();
	CHECK(sent(PXS_WIRE_ACCEPTED));
	end();
}

/* What has no room is neither held nor answered. */
static void no_credit(void)
{
	u64 slot;

	begin_memory();
	stage.last_lsn = stage.durable_lsn + PXS_STAGE_RECORDS;	/* all credits are used */
	prepare(1, 0x102, 1);
	accept(1, 0x102, 1, "a", 0);
	CHECK_EQ(out.nsend, 0);
	CHECK_EQ(g.promised, 0);
	CHECK_EQ(-pxs_group_prepare(&g, 0x101, 1, 0, &out), 0);
	prevote_ack(1, 0x101, 0);
	prevote_ack(2, 0x101, 0);
	CHECK_EQ(g.prepare_ballot, 0);
	CHECK_EQ(-propose("a", &slot), ENOTCONN);
	CHECK_EQ(-pxs_group_settle(&g), EAGAIN);
	CHECK(g.memory_lsn);
	end();
}

/* An agent that ends in order: from then on the disk is waited for, until another takes over. */
static void settles(void)
{
	begin_memory();
	accept(1, 0x102, 1, "a", 0);
	CHECK(sent(PXS_WIRE_ACCEPTED));
	CHECK_EQ(pxs_group_settle(&g), 0);
	CHECK_EQ(last_record().type, PXS_RECORD_DURABILITY);
	CHECK_EQ(last_record().slot, PXS_DURABILITY_DISK);
	CHECK_EQ(pxs_group_settle(&g), 0);	/* once is enough */
	CHECK_EQ(stage.last_lsn, 3);
	accept(1, 0x102, 2, "b", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(stage.last_lsn, 4);		/* does not begin again by itself */
	durable();
	CHECK(sent(PXS_WIRE_ACCEPTED));
	pxs_group_attached(&g);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(stage.last_lsn, 4);		/* its start may fail: nobody would settle then */
	accept(1, 0x102, 3, "c", 0);
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	durable();
	CHECK(sent(PXS_WIRE_ACCEPTED));
	pxs_group_taken_over(&g);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(last_record().type, PXS_RECORD_DURABILITY);
	CHECK_EQ(last_record().slot, PXS_DURABILITY_MEMORY);
	end();
}

static void settle_before_it_began(void)
{
	init();
	attach(0);
	CHECK_EQ(pxs_group_settle(&g), 0);	/* inactive */
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	g.conf.memory = true;
	CHECK_EQ(pxs_group_settle(&g), 0);
	CHECK_EQ(stage.last_lsn, 0);
	pxs_group_tick(&g, now, true, &out);
	CHECK_EQ(stage.last_lsn, 0);
	end();
}

/* S2, S3: whatever the configuration says now. */
static void who_forgot_never_votes(void)
{
	u32 memory;

	for (memory = 0; memory < 2; memory++) {
		init();
		attach(2);
		g.conf.memory = memory;
		CHECK_EQ(load(PXS_RECORD_DURABILITY, 1, PXS_DURABILITY_MEMORY, 0, NULL, 0), 0);
		CHECK_EQ(load(PXS_RECORD_PROMISE, 2, 0, 0x102, NULL, 0), 0);
		CHECK_EQ(-pxs_group_activate(&g, 0, now), ENOTRECOVERABLE);
		CHECK_EQ(g.state, PXS_GROUP_FENCED);
		CHECK_FATAL(g.fence_reason);
		CHECK(!strcmp(g.fence_reason, PXS_FORGOT));
		prepare(1, 0x302, 1);
		accept(1, 0x302, 1, "a", 0);
		CHECK_EQ(out.nsend, 0);
		pxs_group_tick(&g, now + 100000, true, &out);
		CHECK_EQ(out.nsend, 0);
		CHECK_EQ(-pxs_group_prepare(&g, 0x401, 1, 0, &out), ESHUTDOWN);
		CHECK_EQ(-pxs_group_activate(&g, 0, now), ESHUTDOWN);
		CHECK_EQ(stage.last_lsn, 2);
		end();
	}
}

static void who_ended_in_order_votes(void)
{
	init();
	attach(3);
	g.conf.memory = true;
	CHECK_EQ(load(PXS_RECORD_DURABILITY, 1, PXS_DURABILITY_MEMORY, 0, NULL, 0), 0);
	CHECK_EQ(load(PXS_RECORD_PROMISE, 2, 0, 0x102, NULL, 0), 0);
	CHECK_EQ(load(PXS_RECORD_DURABILITY, 3, PXS_DURABILITY_DISK, 0, NULL, 0), 0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	accept(1, 0x102, 1, "a", 0);	/* what began before does not hold now */
	CHECK(!sent(PXS_WIRE_ACCEPTED));
	end();
}

static void bad_record(void)
{
	init();
	attach(1);
	CHECK_EQ(-load(PXS_RECORD_DURABILITY, 1, 0, 0, NULL, 0), EINVAL);
	CHECK_EQ(-load(PXS_RECORD_DURABILITY, 1, 3, 0, NULL, 0), EINVAL);
	CHECK_EQ(-load(PXS_RECORD_DURABILITY, 1, 1ull << 32 | 2, 0, NULL, 0), EINVAL);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	end();
}

int main(void)
{
	RUN(answers_leave_at_once);
	RUN(leader_commits_at_once);
	RUN(agent_has_what_is_chosen);
	RUN(followers_agents_sleep);
	RUN(disk_keeps_up);
	RUN(nothing_is_lazy_that_is_waited_for);
	RUN(commit_index_is_lazy);
	RUN(own_votes_of_many);
	RUN(not_before_the_disk_knows);
	RUN(not_without_an_agent);
	RUN(disk_groups_wait);
	RUN(no_credit);
	RUN(settles);
	RUN(settle_before_it_began);
	RUN(who_forgot_never_votes);
	RUN(who_ended_in_order_votes);
	RUN(bad_record);
	return unit_done();
}
