// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_evmembers.c - of whom eventual keys are asked, as members come and go
 *
 * ../sim_store has who talks to whom; here is what one member goes by.
 */
#include "unit_reads.h"

#include <unistd.h>

static struct pxs_eventual ev;

static void member(u32 i, u8 id, u64 incarnation)
{
	group.conf.member[i].id = id;
	group.conf.member[i].incarnation = incarnation;
	snprintf(group.where[i], sizeof(group.where[i]), "127.0.0.1:%u", 7000u + id);
}

/* Members 1, which is this one, 2 and 3; a table that knows of both of the others. */
static void begin(void)
{
	const u8 others[PXS_EVDB_PEERS] = { 2, 3 };
	u32 i;

	setup(true);
	memset(&ev, 0, sizeof(ev));
	CHECK(!pxs_prefix_add(&config.eventual, "e:"));
	pxs_prefixes_seal(&config.eventual);
	group.conf.epoch = 1;
	group.conf.self = 0;
	for (i = 0; i < 3; i++)
		member(i, (u8)(i + 1), 11 + i);
	ev.store = &s;
	ev.todo_last = &ev.todo;
	s.eventual = &ev;
	pxs_eventual_enter(&ev);
	pxs_evdb_members(&ev.db, others);
	for (i = 0; i < 2; i++)
		ev.db.state.peer[i].table = 100 + i;
	CHECK_EQ(ev.peers, 2);
	CHECK_STR(ev.pull[1].text, "127.0.0.1:7003");
}

static void end(void)
{
	u32 i;

	for (i = 0; i < ev.peers; i++)
		pxs_pull_exit(&ev.pull[i]);
	s.eventual = NULL;
	teardown();
}

/* It talks to us, and may have more to tell. */
static struct pxs_pull *talks(u32 i)
{
	ev.pull[i].fd = dup(0);
	ev.pull[i].heard = node.loop.now;
	ev.pull[i].stage = PXS_PULL_REST;
	return &ev.pull[i];
}

static void goes_by_the_next_ones(void)
{
	begin();
	ev.marks = (struct pxs_horizon){ .at = 7, .next = 9, .round = 4 };
	ev.confirm[0] = (struct pxs_confirm){ .table = 100, .safe = 9, .round = 4 };
	CHECK(!pxs_eventual_follow(&ev));
	group.conf.epoch = 2;
	member(2, 4, 99);
	ev.pull[1].over = true;
	CHECK(pxs_eventual_follow(&ev));
	CHECK(!pxs_eventual_follow(&ev));
	CHECK_EQ(ev.epoch, 2);
	CHECK_EQ(ev.peers, 2);
	CHECK_EQ(ev.pull[1].id, 4);
	CHECK_EQ(ev.pull[1].incarnation, 99);
	CHECK_STR(ev.pull[1].text, "127.0.0.1:7004");
	/* Of whom is there still, what is merged stays known; of the other nothing. */
	CHECK_EQ(pxs_evdb_peer(&ev.db.state, 2)->table, 100);
	CHECK(!pxs_evdb_peer(&ev.db.state, 3));
	CHECK_EQ(pxs_evdb_peer(&ev.db.state, 4)->table, 0);
	/* What was confirmed counts no more, and answers of before are of no round. */
	CHECK_EQ(ev.marks.at, 0);
	CHECK_EQ(ev.marks.next, 0);
	CHECK_EQ(ev.marks.round, 5);
	CHECK_EQ(ev.confirm[0].safe, 0);
	end();
}

static void who_goes_is_heard_to_the_end(void)
{
	struct pxs_pull *p;

	begin();
	group.conf.epoch = 2;
	group.conf.nmembers = 2;
	p = talks(1);
	CHECK(!pxs_eventual_follow(&ev));
	CHECK(!ev.closing);
	p->over = true;
	CHECK(pxs_eventual_follow(&ev));
	CHECK_EQ(ev.peers, 1);
	end();
	/* Another one under its id is not it. */
	begin();
	group.conf.epoch = 2;
	member(2, 3, 99);
	p = talks(1);
	CHECK(!pxs_eventual_follow(&ev));
	/* It does not talk right now, and may take writes all the same. */
	p->wrong = "it is away";
	CHECK(!pxs_eventual_follow(&ev));
	end();
	/* Nor was it heard in this epoch yet: it lags, and takes writes in the one before. */
	begin();
	group.conf.epoch = 2;
	group.conf.nmembers = 2;
	CHECK(!pxs_eventual_follow(&ev));
	p = talks(1);
	p->over = true;
	CHECK(pxs_eventual_follow(&ev));
	end();
	/* Who stays is not waited for; nor is who goes for ever. */
	begin();
	group.conf.epoch = 2;
	group.conf.nmembers = 2;
	talks(0);
	talks(1);
	CHECK(!pxs_eventual_follow(&ev));
	node.loop.now += 9999;
	CHECK(!pxs_eventual_follow(&ev));
	node.loop.now++;
	CHECK(pxs_eventual_follow(&ev));
	end();
}

/* What the thread has is not taken from it. */
static void what_is_merged_right_now(void)
{
	begin();
	group.conf.epoch = 2;
	talks(0)->stage = PXS_PULL_MERGE;
	ev.pull[0].given = true;
	CHECK(!pxs_eventual_follow(&ev));
	CHECK(ev.closing);
	CHECK_EQ(ev.pull[0].stage, PXS_PULL_MERGE);
	ev.pull[0].given = false;
	CHECK(pxs_eventual_follow(&ev));
	CHECK(!ev.closing);
	end();
}

static void who_is_no_member_takes_no_writes(void)
{
	static const char early[] =
		"-CLUSTERDOWN this member is not in the group yet: ask another one\r\n";

	begin();
	ev.db.state.peer[0].table = 0;
	ev.db.state.peer[1].table = 0;
	replica.members.joins = true;
	CHECK_STR(say("SET e:a 1\r\n"), early);
	/* Others count it, or have answered it. */
	CHECK(pxs_eventual_joins(&ev));
	replica.members.counted = true;
	CHECK(!pxs_eventual_joins(&ev));
	replica.members.counted = false;
	ev.db.state.peer[1].table = 5;
	CHECK(!pxs_eventual_joins(&ev));
	end();
}

int main(void)
{
	RUN(goes_by_the_next_ones);
	RUN(who_goes_is_heard_to_the_end);
	RUN(what_is_merged_right_now);
	RUN(who_is_no_member_takes_no_writes);
	return unit_done();
}
