// SPDX-License-Identifier: GPL-2.0
/*
 * test_leader_news.c - an agent that does not listen for long: what of the news of who leads is
 * kept for it, and in which order
 */
#include <linux/paxsteer.h>

#include "unit.h"
#include "leader_news.h"

#define LOST		PXS_LEADER_LOST
#define SEEN		PXS_LEADER_SEEN
#define PREEMPTED	PXS_LEADER_PREEMPTED
#define RESUMED		PXS_LEADER_RESUMED

static struct pxs_leader_news news;

static bool is(u8 i, u8 event, u64 ballot)
{
	return i < news.n && news.at[i].event == event && news.at[i].ballot == ballot;
}

static void in_order(void)
{
	memset(&news, 0, sizeof(news));
	pxs_leader_news_add(&news, SEEN, 0x102);
	pxs_leader_news_add(&news, LOST, 0x102);
	pxs_leader_news_add(&news, SEEN, 0x203);
	pxs_leader_news_add(&news, LOST, 0x203);
	CHECK_EQ(news.n, 4);
	CHECK(is(0, SEEN, 0x102));
	CHECK(is(1, LOST, 0x102));
	pxs_leader_news_drop(&news, 0);		/* it was told */
	CHECK_EQ(news.n, 3);
	CHECK(is(0, LOST, 0x102));
	CHECK(is(1, SEEN, 0x203));
	CHECK(is(2, LOST, 0x203));
}

/* It led, and leads no more: said once. That nobody leads is said again and again. */
static void what_is_said_once_stays(void)
{
	u64 i;

	memset(&news, 0, sizeof(news));
	pxs_leader_news_add(&news, PREEMPTED, 0x101);
	for (i = 0; i < 20; i++)
		pxs_leader_news_add(&news, LOST, 0x101 + i);
	CHECK_EQ(news.n, PXS_LEADER_NEWS);
	CHECK(is(0, PREEMPTED, 0x101));
	CHECK(is(1, LOST, 0x101 + 17));
	CHECK(is(2, LOST, 0x101 + 18));
	CHECK(is(3, LOST, 0x101 + 19));
}

/* Of each kind the newest is there, whatever comes; and the newest of all is the last one. */
static void newest_of_each_kind(void)
{
	u64 newest[RESUMED + 1] = { 0 };
	u64 draw = 1, i;
	u8 event, k, at;

	memset(&news, 0, sizeof(news));
	for (i = 1; i < 1000; i++) {
		draw = draw * 6364136223846793005ull + 1442695040888963407ull;
		event = (u8)(LOST + (draw >> 33) % 4);
		pxs_leader_news_add(&news, event, i);
		newest[event] = i;
		CHECK(is(news.n - 1, event, i));
		for (k = LOST; k <= RESUMED; k++) {
			for (at = news.n; at && !is(at - 1, k, newest[k]);)
				at--;
			CHECK(at || !newest[k]);
		}
		for (at = 1; at < news.n; at++)
			CHECK(news.at[at - 1].ballot < news.at[at].ballot);
	}
}

int main(void)
{
	RUN(in_order);
	RUN(what_is_said_once_stays);
	RUN(newest_of_each_kind);
	return unit_done();
}
