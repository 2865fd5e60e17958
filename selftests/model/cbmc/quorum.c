// SPDX-License-Identifier: GPL-2.0
/*
 * quorum.c - quorums of all sizes that are allowed share a member; counting is exact and idempotent
 */
#include "quorum.h"

u8 nondet_u8(void);
u64 nondet_u64(void);

int main(void)
{
	u64 a = nondet_u64(), b = nondet_u64(), members;
	u8 n = nondet_u8(), member = nondet_u8();
	u8 phase1 = nondet_u8(), phase2 = nondet_u8();
	struct pxs_electorate one, two;
	u64 ballot = nondet_u64();
	struct pxs_quorum q;
	u64 before;
	bool news;

	__CPROVER_assume(n <= 7);	/* PXS_MEMBERS_MAX */
	members = (1ull << n) - 1;
	__CPROVER_assume(!pxs_quorum_check(n, phase1, phase2));
	one = pxs_quorum_of(n, phase1);
	two = pxs_quorum_of(n, phase2);
	if (pxs_quorum_met(a, one) && (pxs_quorum_met(b, two) || pxs_quorum_met(b, one)))
		__CPROVER_assert(a & b & members, "two quorums share a member");
	__CPROVER_assert(!n || (pxs_quorum_met(members, one) && pxs_quorum_met(members, two)),
			 "all members are a quorum");
	__CPROVER_assert(pxs_quorum_count(a, n) <= n, "no more votes than members");

	/* From any state of counting. */
	q.ballot = nondet_u64();
	q.votes = nondet_u64();
	q.nmembers = n;
	__CPROVER_assume(!(q.votes & ~members));
	before = q.votes;
	news = pxs_quorum_add(&q, member, ballot);
	__CPROVER_assert(!(q.votes & ~members), "only members are counted");
	__CPROVER_assert((q.votes & before) == before, "no vote is lost");
	__CPROVER_assert(news == (q.votes != before), "a repeat is no news");
	__CPROVER_assert(q.votes == before ||
			 (ballot == q.ballot && q.votes == (before | 1ull << member)),
			 "one vote, for this ballot");
	return 0;
}
