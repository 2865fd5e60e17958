// SPDX-License-Identifier: GPL-2.0
/*
 * test_propose.c - when values that wait are proposed, and who goes first
 *
 * A replica without a loop: the test is the hooks' round, and the datapath.
 */
#include "unit.h"

#include <errno.h>

#include "client_proto.h"
#include "node.h"

#define VALUES	(2 * PXS_PROPOSE_MAX + 2)
#define BALLOT	0x101

struct value {
	struct pxs_proposal p;
	u8 byte;
};

static struct pxs_node node;
static struct pxs_replica r;
static struct value value[VALUES];
static u32 calls, proposed, room, ok, unknown;
static u64 next_slot;
static int refuse;

static int dp_propose(struct pxs_datapath *dp, u32 id, const struct iovec *values, u32 n,
		      u64 *first)
{
	u32 took = min(n, room);

	(void)dp;
	(void)id;
	CHECK(values && n && n <= PXS_PROPOSE_MAX);
	calls++;
	if (refuse || !took)
		return refuse ? refuse : -EAGAIN;
	*first = next_slot;
	next_slot += took;
	proposed += took;
	room -= took;
	return (int)took;
}

static const struct pxs_datapath_ops ops = { .propose = dp_propose };
static struct pxs_datapath dp = { .ops = &ops };

static void done(struct pxs_proposal *p, u32 error, u64 slot)
{
	CHECK(!error == !!slot);
	ok += !error;
	unknown += error == PXS_CLIENT_UNKNOWN;
	p->len = 0;
}

static void begin(void)
{
	memset(&node, 0, sizeof(node));
	memset(&r, 0, sizeof(r));
	node.dp = &dp;
	r.node = &node;
	r.id = 1;
	r.started = true;
	r.memory = true;
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.ballot = BALLOT;
	r.elect.next = 1;
	pxs_proposals_init(&r.proposals);
	calls = 0;
	proposed = 0;
	room = 2 * VALUES;
	ok = 0;
	unknown = 0;
	refuse = 0;
	next_slot = 1;
}

static void queue(u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		value[i].p.done = done;
		value[i].p.len = 1;
		CHECK_EQ(pxs_propose(&r, &value[i].p), 0);
	}
}

/* Node's part of a round of hooks. Return: is what it brought to be submitted now? */
static bool step(bool *did)
{
	bool part;

	node.loop.part = false;
	*did = pxs_proposals_step(&r);
	part = node.loop.part;
	node.loop.part = false;
	return part;
}

static void applied(u64 from, u64 to)
{
	for (; from <= to; from++)
		pxs_proposals_applied(&r, from, BALLOT);
}

static void one_value_is_one_call(void)
{
	bool did;

	begin();
	queue(1);
	CHECK(!step(&did));
	CHECK(did);
	CHECK_EQ(calls, 1);
	applied(1, 1);
	CHECK_EQ(ok, 1);
	CHECK(!step(&did));
	CHECK(!did);
	/* An answer of a round that had nothing to propose holds nobody up. */
	queue(1);
	CHECK(!step(&did));
	CHECK_EQ(calls, 2);
}

/* What one call led to leaves before the next is made, so that its clients work meanwhile. */
static void answers_leave_between_calls(void)
{
	bool did;

	begin();
	queue(VALUES);
	CHECK(step(&did));
	CHECK(did);
	CHECK_EQ(calls, 1);
	CHECK_EQ(proposed, PXS_PROPOSE_MAX);
	applied(1, proposed);
	CHECK_EQ(ok, PXS_PROPOSE_MAX);
	CHECK(step(&did));
	CHECK(did);
	CHECK_EQ(calls, 1);
	CHECK(step(&did));
	CHECK_EQ(calls, 2);
	/* Nobody was answered: no reason to wait. */
	CHECK(!step(&did));
	CHECK(did);
	CHECK_EQ(calls, 3);
	CHECK_EQ(proposed, VALUES);
	CHECK(!step(&did));
	CHECK(!did);
	CHECK_EQ(calls, 3);
}

/* Where the disk is waited for: the more there is in a flush, the fewer are needed. */
static void all_share_a_flush(void)
{
	bool did;

	begin();
	r.memory = false;
	queue(VALUES);
	CHECK(!step(&did));
	CHECK(did);
	CHECK_EQ(calls, 3);
	CHECK_EQ(proposed, VALUES);
	applied(1, 1);
	queue(1);
	CHECK(!step(&did));
	CHECK_EQ(calls, 4);
}

static void blocked_is_not_tried_again(void)
{
	bool did;

	begin();
	room = 3;
	queue(5);
	CHECK(step(&did));
	CHECK_EQ(proposed, 3);
	CHECK(!step(&did));
	CHECK_EQ(calls, 2);
	CHECK(r.proposals.blocked);
	CHECK(!step(&did));
	CHECK(!did);
	CHECK_EQ(calls, 2);
	room = 10;
	r.proposals.blocked = false;
	CHECK(!step(&did));
	CHECK(did);
	CHECK_EQ(proposed, 5);
}

/* What may be in the log is not proposed again; what was not tried yet is. */
static void unknown_goes_on(void)
{
	bool did;

	begin();
	queue(PXS_PROPOSE_MAX + 1);
	refuse = -EPROTO;
	CHECK(step(&did));
	CHECK(did);
	CHECK_EQ(unknown, PXS_PROPOSE_MAX);
	refuse = 0;
	CHECK(!step(&did));
	CHECK(did);
	CHECK_EQ(proposed, 1);
}

int main(void)
{
	RUN(one_value_is_one_call);
	RUN(answers_leave_between_calls);
	RUN(all_share_a_flush);
	RUN(blocked_is_not_tried_again);
	RUN(unknown_goes_on);
	return unit_done();
}
