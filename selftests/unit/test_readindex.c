// SPDX-License-Identifier: GPL-2.0
/*
 * test_readindex.c - reads of one group on a node: when the datapath is asked, who is answered
 *
 * A replica without a loop: the test says who leads and what is applied, and is the datapath.
 */
#include "unit.h"

#include <errno.h>

#include "node.h"

static struct pxs_node node;
static struct pxs_replica r;
static struct pxs_group_config group;

/* What the datapath says, and how often it was asked. */
static u64 ballot, number;
static int result;
static u32 asked;

struct reader {
	struct pxs_index_read q;
	u32 answers, error;
	u64 index;
};

static struct reader reader[8];

static int dp_read(struct pxs_datapath *dp, u32 id, u64 *b, u64 *n)
{
	(void)dp;
	CHECK_EQ(id, 7);
	asked++;
	*b = ballot;
	*n = number;
	return result;
}

static const struct pxs_datapath_ops ops = { .read = dp_read };
static struct pxs_datapath dp = { .ops = &ops };

static void done(struct pxs_index_read *q, u32 error, u64 index)
{
	struct reader *who = (struct reader *)q;

	who->answers++;
	who->error = error;
	who->index = index;
}

static void begin(void)
{
	memset(&node, 0, sizeof(node));
	memset(&r, 0, sizeof(r));
	memset(reader, 0, sizeof(reader));
	node.dp = &dp;
	node.loop.now = 5000;
	r.node = &node;
	r.config = &group;
	r.id = 7;
	r.elect.role = PXS_ROLE_LEADER;
	r.elect.ballot = 0x201;
	pxs_index_reads_init(&r.reads);
	ballot = 0x201;
	number = 1;
	result = 0;
	asked = 0;
}

static u32 ask(u32 i)
{
	reader[i].q.done = done;
	return pxs_replica_read(&r, &reader[i].q);
}

static void step(void)
{
	while (pxs_index_reads_step(&r))
		;
}

static bool answered(u32 i, u32 error, u64 index)
{
	return reader[i].answers == 1 && reader[i].error == error &&
	       (error || reader[i].index == index);
}

static void one_call_for_all(void)
{
	begin();
	r.applied = 9;
	CHECK_EQ(ask(0), 0);
	CHECK_EQ(ask(1), 0);
	CHECK_EQ(asked, 0);
	step();
	CHECK_EQ(asked, 1);
	CHECK_EQ(reader[0].answers, 0);
	pxs_index_reads_answered(&r, 0x201, 1, 9);
	step();
	CHECK(answered(0, 0, 9));
	CHECK(answered(1, 0, 9));
	CHECK_EQ(asked, 1);
}

/* Who comes when a round is under way and one is to follow waits, and gets a number then. */
static void two_rounds_at_most(void)
{
	begin();
	CHECK_EQ(ask(0), 0);
	step();
	number = 2;
	CHECK_EQ(ask(1), 0);
	step();
	CHECK_EQ(ask(2), 0);
	step();
	CHECK_EQ(asked, 2);
	pxs_index_reads_answered(&r, 0x201, 1, 0);
	number = 3;
	step();
	CHECK(answered(0, 0, 0));
	CHECK_EQ(asked, 3);
	CHECK_EQ(reader[1].answers, 0);
	pxs_index_reads_answered(&r, 0x201, 2, 0);
	step();
	CHECK(answered(1, 0, 0));
	CHECK_EQ(reader[2].answers, 0);
	pxs_index_reads_answered(&r, 0x201, 3, 0);
	step();
	CHECK(answered(2, 0, 0));
}

static void waits_until_applied(void)
{
	begin();
	r.applied = 4;
	CHECK_EQ(ask(0), 0);
	step();
	pxs_index_reads_answered(&r, 0x201, 1, 6);
	step();
	CHECK_EQ(reader[0].answers, 0);
	r.applied = 5;
	step();
	CHECK_EQ(reader[0].answers, 0);
	r.applied = 6;
	/* A quorum has said so: it is true even when we lead no more. */
	r.elect.role = PXS_ROLE_FOLLOWER;
	step();
	CHECK(answered(0, 0, 6));
}

static void not_leading(void)
{
	begin();
	r.elect.role = PXS_ROLE_FOLLOWER;
	CHECK_EQ(ask(0), PXS_CLIENT_NOT_LEADER);
	r.elect.role = PXS_ROLE_CANDIDATE;
	CHECK_EQ(ask(0), PXS_CLIENT_NOT_LEADER);
	r.gone = true;
	CHECK_EQ(ask(0), PXS_CLIENT_FENCED);
	r.gone = false;
	node.journal.failed = true;
	CHECK_EQ(ask(0), PXS_CLIENT_FENCED);
	CHECK_EQ(reader[0].answers, 0);
}

static void deposed(void)
{
	begin();
	CHECK_EQ(ask(0), 0);
	step();
	CHECK_EQ(ask(1), 0);
	r.elect.role = PXS_ROLE_FOLLOWER;
	step();
	CHECK(answered(0, PXS_CLIENT_NOT_LEADER, 0));
	CHECK(answered(1, PXS_CLIENT_NOT_LEADER, 0));
	pxs_index_reads_answered(&r, 0x201, 1, 0);
	step();
	CHECK_EQ(reader[0].answers, 1);
}

/* Deposed, and leading again before anybody looked: the rounds are those of another ballot. */
static void another_ballot(void)
{
	begin();
	CHECK_EQ(ask(0), 0);
	step();
	r.elect.ballot = 0x401;
	ballot = 0x401;
	pxs_index_reads_answered(&r, 0x401, 2, 5);
	step();
	CHECK(answered(0, PXS_CLIENT_NOT_LEADER, 0));
	number = 3;
	CHECK_EQ(ask(1), 0);
	step();
	pxs_index_reads_answered(&r, 0x201, 3, 0);	/* late, of the former one */
	step();
	CHECK_EQ(reader[1].answers, 0);
	pxs_index_reads_answered(&r, 0x401, 2, 0);	/* an older round */
	step();
	CHECK_EQ(reader[1].answers, 0);
	pxs_index_reads_answered(&r, 0x401, 3, 0);
	step();
	CHECK(answered(1, 0, 0));
}

/* The datapath refuses, or its answer is lost: asked again at the next tick, until it is late. */
static void refused(void)
{
	begin();
	result = -ETIMEDOUT;
	CHECK_EQ(ask(0), 0);
	step();
	step();
	CHECK_EQ(asked, 1);
	pxs_index_reads_tick(&r, 5020);
	step();
	CHECK_EQ(asked, 2);
	result = 0;
	ballot = 0x101;		/* not the one that we lead with */
	pxs_index_reads_tick(&r, 5040);
	step();
	CHECK_EQ(asked, 3);
	CHECK_EQ(reader[0].answers, 0);
	pxs_index_reads_answered(&r, 0x101, 1, 0);
	step();
	CHECK_EQ(reader[0].answers, 0);
	pxs_index_reads_tick(&r, 5000 + PXS_PATIENCE_MS);
	CHECK(answered(0, PXS_CLIENT_BUSY, 0));
}

static void no_quorum(void)
{
	begin();
	CHECK_EQ(ask(0), 0);
	step();
	pxs_index_reads_tick(&r, 5000 + PXS_PATIENCE_MS - 1);
	CHECK_EQ(reader[0].answers, 0);
	pxs_index_reads_tick(&r, 5000 + PXS_PATIENCE_MS);
	CHECK(answered(0, PXS_CLIENT_BUSY, 0));
	CHECK_EQ(r.reads.refused, 1);
}

static void abandoned(void)
{
	begin();
	CHECK_EQ(ask(0), 0);
	step();
	number = 2;
	CHECK_EQ(ask(1), 0);
	step();
	pxs_index_reads_answered(&r, 0x201, 1, 5);
	CHECK_EQ(ask(2), 0);
	pxs_index_reads_abandon(&r, PXS_CLIENT_FENCED);
	CHECK(answered(0, PXS_CLIENT_FENCED, 0));
	CHECK(answered(1, PXS_CLIENT_FENCED, 0));
	CHECK(answered(2, PXS_CLIENT_FENCED, 0));
}

int main(void)
{
	RUN(one_call_for_all);
	RUN(two_rounds_at_most);
	RUN(waits_until_applied);
	RUN(not_leading);
	RUN(deposed);
	RUN(another_ballot);
	RUN(refused);
	RUN(no_quorum);
	RUN(abandoned);
	return unit_done();
}
