// SPDX-License-Identifier: GPL-2.0
/*
 * test_quorum.c - counting members: by index, for one ballot, once
 */
#include "unit.h"
#include "quorum.h"

static void sizes(void)
{
	static const u32 size[] = { 1, 1, 2, 2, 3, 3, 4, 4 };
	u8 n;

	for (n = 1; n < ARRAY_SIZE(size); n++)
		CHECK_EQ(pxs_quorum_size(n), size[n]);
}

/* Any two quorums of the same members share one: every pair of subsets, up to 7 members. */
static void two_quorums_meet(void)
{
	u64 a, b;
	u8 n;

	for (n = 1; n <= 7; n++)
		for (a = 0; a < 1ull << n; a++)
			for (b = 0; b < 1ull << n; b++)
				if (pxs_quorum_met(a, n) && pxs_quorum_met(b, n))
					CHECK(a & b);
}

static void met_means_a_majority(void)
{
	u64 votes;
	u8 n;

	for (n = 1; n <= 7; n++)
		for (votes = 0; votes < 1ull << n; votes++)
			CHECK_EQ(pxs_quorum_met(votes, n),
				 2 * __builtin_popcountll(votes) > n);
	CHECK(!pxs_quorum_met(~0ull, 0));
}

static void strangers_do_not_count(void)
{
	CHECK_EQ(pxs_quorum_count(~0ull, 3), 3);
	CHECK_EQ(pxs_quorum_count(~7ull, 3), 0);
	CHECK(!pxs_quorum_met(~3ull & ~4ull, 3));
}

static void once_each(void)
{
	struct pxs_quorum q;

	pxs_quorum_start(&q, 5, 0x105);
	CHECK(pxs_quorum_add(&q, 0, 0x105));
	CHECK(!pxs_quorum_add(&q, 0, 0x105));
	CHECK(!pxs_quorum_add(&q, 0, 0x105));
	CHECK(pxs_quorum_add(&q, 4, 0x105));
	CHECK(!pxs_quorum_reached(&q));
	CHECK(pxs_quorum_add(&q, 2, 0x105));
	CHECK(pxs_quorum_reached(&q));
	CHECK(!pxs_quorum_add(&q, 5, 0x105));
	CHECK(!pxs_quorum_add(&q, 200, 0x105));
	CHECK_EQ(q.votes, 0x15);
}

static void one_ballot(void)
{
	struct pxs_quorum q;

	pxs_quorum_start(&q, 3, 0x205);
	CHECK(!pxs_quorum_add(&q, 0, 0x105));
	CHECK(!pxs_quorum_add(&q, 1, 0x305));
	CHECK_EQ(q.votes, 0);
	CHECK(pxs_quorum_add(&q, 0, 0x205));
	CHECK(pxs_quorum_add(&q, 1, 0x205));
	CHECK(pxs_quorum_reached(&q));
	pxs_quorum_start(&q, 3, 0);
	CHECK(!pxs_quorum_reached(&q));
	CHECK(!pxs_quorum_add(&q, 0, 0));
	CHECK(!pxs_quorum_add(&q, 1, 0x205));
}

int main(void)
{
	RUN(sizes);
	RUN(two_quorums_meet);
	RUN(met_means_a_majority);
	RUN(strangers_do_not_count);
	RUN(once_each);
	RUN(one_ballot);
	return unit_done();
}
