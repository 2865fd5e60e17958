// SPDX-License-Identifier: GPL-2.0
/*
 * test_skip.c - a member that lacks what is gone elsewhere goes on behind a peer's checkpoint (S7)
 */
#include "unit_group.h"

#include <errno.h>

/* Member 2 says that it knows so many slots, and of the next that we want: gone below @first. */
static void hears(u64 commit, u64 first)
{
	recv(1, (struct pxs_msg){ .type = PXS_WIRE_HEARTBEAT, .ballot = 0x202, .slot = commit + 1,
				  .commit = commit }, NULL);
	if (first)
		recv(1, (struct pxs_msg){ .type = PXS_WIRE_LEARN, .slot = g.commit + 1,
					  .arg = first, .commit = commit }, NULL);
	durable();
	pxs_out_done(&out);
}

/* What is staged and not on disk yet: one record. */
static struct pxs_record staged(void)
{
	static u8 buf[PXS_APPEND_MAX];
	struct pxs_record r = { 0 };
	struct pxs_batch b;

	if (!pxs_stage_due(&stage, PXS_APPEND_MAX, &b))
		return r;
	CHECK_EQ(b.count, 1);
	pxs_stage_copy(&stage, &b, buf);
	CHECK_EQ(pxs_record_get(buf, b.bytes, &r), PXS_RECORD_OK);
	return r;
}

static int skip(u64 slot)
{
	pxs_out_done(&out);
	return pxs_group_skip(&g, slot, &out);
}

static void only_where_something_is_gone(void)
{
	begin();
	CHECK_EQ(-skip(5), EINVAL);	/* nobody said that it is decided */
	hears(20, 0);
	CHECK_EQ(-skip(12), EAGAIN);	/* they may have it all */
	hears(20, 11);
	CHECK(pxs_group_needs_checkpoint(&g));
	CHECK_EQ(-skip(21), EINVAL);
	CHECK_EQ(-skip(9), ENODATA);	/* slot 10 would still be lacking */
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(staged().type, 0);
	CHECK_EQ(skip(10), 0);
	CHECK_EQ(g.commit, 10);
	CHECK(!pxs_group_needs_checkpoint(&g));
	/* And not twice. */
	durable();
	CHECK_EQ(skip(10), 0);
	CHECK_EQ(skip(3), 0);
	CHECK_EQ(staged().type, 0);
	pxs_group_fence(&g, "test");
	CHECK_EQ(-skip(15), ESHUTDOWN);
	end();
}

static void what_its_record_says(void)
{
	struct pxs_record r;

	begin();
	prepare(2, 0x303, 1);
	hears(20, 11);
	CHECK_EQ(skip(12), 0);
	CHECK(out.what & PXS_OUT_DECIDED);
	CHECK_EQ(out.commit, 12);
	r = staged();
	CHECK_EQ(r.type, PXS_RECORD_TRIM);
	CHECK_EQ(r.slot, 12);
	CHECK_EQ(r.ballot, 0x303);
	CHECK_EQ(out.lsn, r.lsn);
	CHECK_EQ(g.trim, 12);
	end();
}

/* What was accepted behind the checkpoint is still accepted, what is in it is gone. */
static void votes_behind_it_stay(void)
{
	begin();
	accept(1, 0x102, 5, "five", 0);
	accept(1, 0x102, 14, "fourteen", 0);
	hears(20, 11);
	CHECK_EQ(skip(12), 0);
	durable();
	CHECK(!pxs_window_holds(&g.window, 5));
	CHECK(pxs_window_holds(&g.window, 14));
	prepare(2, 0x303, 1);
	durable();
	CHECK(sent(PXS_WIRE_PROMISE));
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->entries, 1);
	CHECK_EQ(sent(PXS_WIRE_PROMISE)->commit, 12);
	CHECK_EQ(out.entry[0].slot, 14);
	/* Who asks is told by the agent, and what comes next is learned. */
	pxs_out_done(&out);
	recv(2, (struct pxs_msg){ .type = PXS_WIRE_LEARN_REQ, .slot = 5, .count = 3 }, NULL);
	CHECK(out.what & PXS_OUT_FORWARD);
	learn(1, 0x202, 13, "thirteen");
	CHECK_EQ(g.commit, 13);
	end();
}

/* It may be decided here already what is next to it. */
static void it_goes_on_at_once(void)
{
	begin();
	learn(1, 0x202, 13, "thirteen");
	CHECK_EQ(g.commit, 0);
	hears(20, 11);
	CHECK_EQ(skip(12), 0);
	CHECK_EQ(g.commit, 13);
	CHECK_EQ(out.commit, 13);
	end();
}

static void not_without_credit_or_as_leader(void)
{
	begin();
	hears(20, 11);
	pxs_stage_detach(&stage);
	stage.failed = true;
	CHECK_EQ(-skip(12), EAGAIN);
	CHECK_EQ(g.commit, 0);
	CHECK_EQ(g.trim, 0);
	end();
	begin();
	lead(0x101);
	hears(20, 11);
	if (g.lead_ballot)
		CHECK_EQ(-skip(12), EISCONN);
	CHECK_EQ(g.commit, 0);
	end();
}

/* S5: it was mute until it had learned what is damaged; a checkpoint has that too. */
static void a_mute_member_speaks_again(void)
{
	struct pxs_record faulty = {
		.group = 1, .type = PXS_RECORD_ACCEPT, .flags = PXS_ENTRY_FAULTY, .slot = 1,
		.ballot = 0x101, .lsn = 1,
	};
	struct pxs_record far = {
		.group = 1, .type = PXS_RECORD_ACCEPT, .slot = 90, .ballot = 0x101, .lsn = 2,
		.len = 1, .data = (const u8 *)"x",
	};

	init();
	attach(2);
	CHECK_EQ(pxs_group_load(&g, &faulty), 0);
	CHECK_EQ(pxs_group_load(&g, &far), 0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
	CHECK(pxs_group_mute(&g));
	hears(120, 81);
	CHECK_EQ(skip(95), 0);
	CHECK(!pxs_group_mute(&g));
	end();
}

static int say(u8 to, struct pxs_msg *m)
{
	int err;

	m->commit = 0;		/* as the agent leaves it */
	err = pxs_group_say(&g, to, m);
	if (err)
		return err;
	return pxs_wire_check_body(m, NULL) ? 0 : -EBADMSG;
}

/* "Trimmed at" is judged by the commit index, which the agent leaves to the group. */
static void said_for_the_agent(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_LEARN, .slot = 3, .arg = 11 };

	begin();
	CHECK_EQ(-say(1, &m), EBADMSG);		/* no slot is decided here */
	hears(20, 21);
	CHECK_EQ(skip(20), 0);
	durable();
	CHECK_EQ(g.commit, 20);
	m = (struct pxs_msg){ .type = PXS_WIRE_LEARN, .slot = 3, .arg = 11 };
	CHECK_EQ(say(1, &m), 0);
	CHECK_EQ(m.commit, 20);
	CHECK_EQ(m.arg, 11);
	CHECK_EQ(m.sender, 1);
	CHECK_EQ(m.receiver, 2);
	CHECK_EQ(m.receiver_inc, INC + 1);
	CHECK_EQ(m.epoch, 1);
	m.arg = 22;
	CHECK_EQ(-say(1, &m), EBADMSG);		/* more than is decided */
	m.arg = 3;
	CHECK_EQ(-say(1, &m), EBADMSG);		/* not gone */
	m.arg = 11;
	CHECK_EQ(-say(0, &m), EINVAL);		/* to ourselves */
	m.type = PXS_WIRE_ACCEPT;
	CHECK_EQ(-say(1, &m), EINVAL);
	g.state = PXS_GROUP_FENCED;
	CHECK_EQ(-say(1, &m), ESHUTDOWN);
}

int main(void)
{
	RUN(only_where_something_is_gone);
	RUN(what_its_record_says);
	RUN(votes_behind_it_stay);
	RUN(it_goes_on_at_once);
	RUN(not_without_credit_or_as_leader);
	RUN(a_mute_member_speaks_again);
	RUN(said_for_the_agent);
	return unit_done();
}
