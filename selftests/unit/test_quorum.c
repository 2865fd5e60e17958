// SPDX-License-Identifier: GPL-2.0
/*
 * test_quorum.c - counting members: by index, for one ballot, once; and how many are enough
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

static bool met(u64 votes, u8 n)
{
	return pxs_quorum_met(votes, pxs_quorum_of(n, 0));
}

/* Any two quorums of the same members share one: every pair of subsets, up to 7 members. */
static void two_quorums_meet(void)
{
	u64 a, b;
	u8 n;

	for (n = 1; n <= 7; n++)
		for (a = 0; a < 1ull << n; a++)
			for (b = 0; b < 1ull << n; b++)
				if (met(a, n) && met(b, n))
					CHECK(a & b);
}

static void met_means_a_majority(void)
{
	u64 votes;
	u8 n;

	for (n = 1; n <= 7; n++)
		for (votes = 0; votes < 1ull << n; votes++)
			CHECK_EQ(met(votes, n),
				 2 * __builtin_popcountll(votes) > n);
	CHECK(!met(~0ull, 0));
}

static void strangers_do_not_count(void)
{
	CHECK_EQ(pxs_quorum_count(~0ull, 3), 3);
	CHECK_EQ(pxs_quorum_count(~7ull, 3), 0);
	CHECK(!met(~3ull & ~4ull, 3));
}

static void once_each(void)
{
	struct pxs_quorum q;

	pxs_quorum_start(&q, pxs_quorum_of(5, 0), 0x105);
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

	pxs_quorum_start(&q, pxs_quorum_of(3, 0), 0x205);
	CHECK(!pxs_quorum_add(&q, 0, 0x105));
	CHECK(!pxs_quorum_add(&q, 1, 0x305));
	CHECK_EQ(q.votes, 0);
	CHECK(pxs_quorum_add(&q, 0, 0x205));
	CHECK(pxs_quorum_add(&q, 1, 0x205));
	CHECK(pxs_quorum_reached(&q));
	pxs_quorum_start(&q, pxs_quorum_of(3, 0), 0);
	CHECK(!pxs_quorum_reached(&q));
	CHECK(!pxs_quorum_add(&q, 0, 0));
	CHECK(!pxs_quorum_add(&q, 1, 0x205));
}

/* Is there a set of @a of @n members, and one of @b, that share none? */
static bool can_miss(u8 n, u8 a, u8 b)
{
	u64 x, y;

	for (x = 0; x < 1ull << n; x++)
		for (y = 0; y < 1ull << n; y++)
			if (pxs_quorum_met(x, pxs_quorum_of(n, a)) &&
			    pxs_quorum_met(y, pxs_quorum_of(n, b)) && !(x & y))
				return true;
	return false;
}

/* All sizes there are: what is allowed is safe, and all that is safe and of use is allowed. */
static void two_sizes(void)
{
	u8 n, phase1, phase2, half;
	bool good;

	for (n = 1; n <= 5; n++) {
		half = n / 2 + 1;
		CHECK(!pxs_quorum_check(n, 0, 0));
		for (phase1 = 0; phase1 <= 8; phase1++) {
			for (phase2 = !phase1; phase2 <= 8; phase2++) {
				good = phase1 && phase2 && phase2 <= half && phase1 >= half &&
				       phase1 <= n && !can_miss(n, phase1, phase2);
				CHECK_EQ(!pxs_quorum_check(n, phase1, phase2), good);
				CHECK_EQ(pxs_quorum_is_plain(n, phase1, phase2),
					 phase1 == half && phase2 == half);
			}
		}
		CHECK(pxs_quorum_is_plain(n, 0, 0));
	}
}

static void says(const char *words, u8 n, u8 phase1, u8 phase2)
{
	const char *why = pxs_quorum_check(n, phase1, phase2);

	CHECK(why && strstr(why, words));
}

static void sizes_are_refused_by_name(void)
{
	says("phase2 is more than a majority", 5, 4, 4);
	says("phase1 is less than a majority", 5, 2, 3);
	says("phase1 is more than there are voters", 5, 6, 1);
	says("phase1 and phase2 together", 5, 3, 2);
	says("phase1 and phase2 together", 4, 3, 1);
	says("said together", 5, 4, 0);
	says("said together", 5, 0, 2);
}

static void counts_to_its_size(void)
{
	struct pxs_quorum q;

	pxs_quorum_start(&q, pxs_quorum_of(5, 2), 0x105);
	CHECK(pxs_quorum_add(&q, 0, 0x105));
	CHECK(!pxs_quorum_reached(&q));
	CHECK(pxs_quorum_add(&q, 4, 0x105));
	CHECK(pxs_quorum_reached(&q));
	pxs_quorum_start(&q, pxs_quorum_of(5, 4), 0x105);
	CHECK(pxs_quorum_add(&q, 0, 0x105));
	CHECK(pxs_quorum_add(&q, 1, 0x105));
	CHECK(pxs_quorum_add(&q, 2, 0x105));
	CHECK(!pxs_quorum_reached(&q));
	CHECK(pxs_quorum_add(&q, 3, 0x105));
	CHECK(pxs_quorum_reached(&q));
}

int main(void)
{
	RUN(sizes);
	RUN(two_quorums_meet);
	RUN(met_means_a_majority);
	RUN(strangers_do_not_count);
	RUN(once_each);
	RUN(one_ballot);
	RUN(two_sizes);
	RUN(sizes_are_refused_by_name);
	RUN(counts_to_its_size);
	return unit_done();
}
