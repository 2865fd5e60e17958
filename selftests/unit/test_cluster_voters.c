// SPDX-License-Identifier: GPL-2.0
/*
 * test_cluster_voters.c - who votes where: balanced, the fewest changes, never too few on the way
 */
#include "unit.h"

#include "cli/cluster_voters.h"
#include "group.h"

#define MOST	16u	/* groups */
#define SEED	{ { 0x1122334455667788ull, 0x99aabbccddeeff00ull } }

static struct pxs_seed seed = SEED;
static u64 dice = 0x9e3779b97f4a7c15ull;

static unsigned int below(unsigned int n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return (unsigned int)(dice >> 33) % n;
}

static unsigned int count(u64 set)
{
	return (unsigned int)__builtin_popcountll(set);
}

/* Members 1 to @n. */
static u64 first(unsigned int n)
{
	return (2ull << n) - 2;
}

/* All of @members vote in all groups. */
static void begin(struct cluster_seats *s, unsigned int n, u64 members)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		s[i] = (struct cluster_seats){
			.group = i + 1, .votes = members, .ready = ~0ull, .leader = 1,
		};
}

static unsigned int load(const struct cluster_seats *s, unsigned int n, u64 id)
{
	unsigned int i, l = 0;

	for (i = 0; i < n; i++)
		l += s[i].want >> id & 1;
	return l;
}

static unsigned int promotions(const struct cluster_seats *s, unsigned int n)
{
	unsigned int i, all = 0;

	for (i = 0; i < n; i++)
		all += count(s[i].want & ~s[i].votes);
	return all;
}

static bool is_balanced(const struct cluster_seats *s, unsigned int n, u64 members,
			unsigned int voters)
{
	unsigned int share = n * voters / count(members), more = n * voters % count(members);
	unsigned int i, id, l;

	for (i = 0; i < n; i++)
		if (count(s[i].want) != voters || s[i].want & ~members)
			return false;
	for (id = 1; id < 64; id++) {
		l = load(s, n, id);
		if (!(members >> id & 1))
			continue;
		if (l < share || l > share + 1)
			return false;
		more -= l > share;
	}
	return !more;
}

/* --- the walk ---------------------------------------------------------------- */

static bool step_is_safe(const struct cluster_seats *s, unsigned int n,
			 const struct cluster_voters_step *step, unsigned int voters)
{
	const struct cluster_seats *g = &s[step->at];
	unsigned int i, votes = count(g->votes), odd = 0;

	for (i = 0; i < n; i++)
		odd += count(s[i].votes) < voters;
	if (step->how == CLUSTER_VOTERS_PROMOTE)
		return !(g->votes >> step->id & 1) && votes < PXS_VOTERS_MAX;
	if (step->how == CLUSTER_VOTERS_LEAD)
		return g->votes & g->want & 1ull << step->id && step->id != g->leader;
	/* Of five one goes first, and comes back before another group is touched. */
	return step->how == CLUSTER_VOTERS_DEMOTE && g->votes >> step->id & 1 &&
	       step->id != g->leader && !odd && (votes > voters || votes == PXS_VOTERS_MAX);
}

/* Each step is decided anew, as by a command that was killed. Return: steps; 0: one was wrong. */
static unsigned int walk(struct cluster_seats *s, unsigned int n, u64 members, unsigned int voters)
{
	unsigned int steps, left;
	struct cluster_voters_step step;

	cluster_voters_place(s, n, members, voters, &seed);
	left = promotions(s, n);
	for (steps = 1; steps < 1000; steps++) {
		cluster_voters_place(s, n, members, voters, &seed);
		if (!is_balanced(s, n, members, voters) || promotions(s, n) != left)
			return 0;
		step = cluster_voters_next(s, n, voters);
		if (step.how == CLUSTER_VOTERS_DONE)
			return left ? 0 : steps;
		if (!step_is_safe(s, n, &step, voters))
			return 0;
		left -= step.how == CLUSTER_VOTERS_PROMOTE;
		cluster_voters_do(s, &step);
	}
	return 0;
}

static bool is_as_wanted(const struct cluster_seats *s, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (s[i].votes != s[i].want || !(s[i].votes >> s[i].leader & 1))
			return false;
	return true;
}

/* --- tests --------------------------------------------------------------------- */

static void of_all_some_stay(void)
{
	struct cluster_seats s[3];

	begin(s, 3, first(5));
	cluster_voters_place(s, 3, first(5), 3, &seed);
	CHECK(is_balanced(s, 3, first(5), 3));
	CHECK_EQ(promotions(s, 3), 0);
	CHECK_EQ(walk(s, 3, first(5), 3), 8);	/* six are demoted, one hands over */
	CHECK(is_as_wanted(s, 3));
}

/* Another order, another cluster. */
static void the_seed_decides(void)
{
	struct cluster_seats a[6], b[6];
	struct pxs_seed other = { { 1, 2 } };

	begin(a, 6, first(6));
	begin(b, 6, first(6));
	cluster_voters_place(a, 6, first(6), 3, &seed);
	cluster_voters_place(b, 6, first(6), 3, &seed);
	CHECK(!memcmp(a, b, sizeof(a)));
	cluster_voters_place(b, 6, first(6), 3, &other);
	CHECK(memcmp(a, b, sizeof(a)));
}

/* Each group has the members that are nearest to it, where balance leaves a choice. */
static void ranks_decide(void)
{
	unsigned int i, n, members[8] = { 0 };
	struct cluster_seats s[1];

	for (i = 0; i < 200; i++) {
		begin(s, 1, first(5));
		s[0].group = i + 1;
		cluster_voters_place(s, 1, first(5), 2, &seed);
		for (n = 1; n <= 5; n++)
			members[n] += s[0].want >> n & 1;
	}
	for (n = 1; n <= 5; n++)
		CHECK(members[n] > 50 && members[n] < 110);
}

static void random_cluster(unsigned int *n, unsigned int *members, unsigned int *voters)
{
	*n = 1 + below(MOST);
	*members = 2 + below(PXS_MEMBERS_MAX - 1);
	*voters = 2 + below(min(*members, PXS_VOTERS_MAX) - 1);
}

/* As none did who placed voters: whoever votes, and leads. */
static void random_voters(struct cluster_seats *s, unsigned int n, unsigned int members)
{
	unsigned int i, id, votes;

	begin(s, n, 0);
	for (i = 0; i < n; i++) {
		votes = 2 + below(min(members, PXS_VOTERS_MAX) - 1);
		while (count(s[i].votes) < votes) {
			id = 1 + below(members);
			s[i].votes |= 1ull << id;
			s[i].leader = id;
		}
	}
}

static void from_anywhere(void)
{
	unsigned int i, n, members, voters;
	struct cluster_seats s[MOST];

	for (i = 0; i < 400; i++) {
		random_cluster(&n, &members, &voters);
		random_voters(s, n, members);
		if (!CHECK(walk(s, n, first(members), voters) && is_as_wanted(s, n)))
			NOTE("%u groups, %u members, %u voters", n, members, voters);
		/* and then there is nothing to do */
		CHECK_EQ(walk(s, n, first(members), voters), 1);
	}
}

/* Whom one more member relieves, and nobody else. */
static void one_more_member(void)
{
	unsigned int i, n, members, voters, got, moves;
	struct cluster_seats s[MOST];

	for (i = 0; i < 400; i++) {
		random_cluster(&n, &members, &voters);
		if (members == PXS_MEMBERS_MAX)
			continue;
		random_voters(s, n, members);
		walk(s, n, first(members), voters);
		cluster_voters_place(s, n, first(members + 1), voters, &seed);
		moves = promotions(s, n);
		got = load(s, n, members + 1);
		if (!CHECK(moves == got && got <= n * voters / (members + 1) + 1))
			NOTE("%u groups, %u members, %u voters: %u moves, %u to it", n, members,
			     voters, moves, got);
	}
}

/* ... and one fewer gives away what it had; one more moves where who has room votes already. */
static void one_member_fewer(void)
{
	unsigned int i, n, members, voters, had, moves;
	struct cluster_seats s[MOST];

	for (i = 0; i < 400; i++) {
		random_cluster(&n, &members, &voters);
		if (voters == members)
			continue;
		random_voters(s, n, members);
		walk(s, n, first(members), voters);
		had = load(s, n, members);
		cluster_voters_place(s, n, first(members - 1), voters, &seed);
		moves = promotions(s, n);
		if (!CHECK(moves == had || moves == had + 1))
			NOTE("%u groups, %u members, %u voters: %u moves, it had %u", n, members,
			     voters, moves, had);
	}
}

/* The fewest of all placements that are balanced, of three groups of two of four. */
static void nobody_finds_fewer(void)
{
	static const u64 pair[] = { 0x6, 0xa, 0x12, 0xc, 0x14, 0x18 };
	struct cluster_seats s[3], t[3];
	unsigned int i, k, best;

	for (i = 0; i < 200; i++) {
		random_voters(s, 3, 4);
		memcpy(t, s, sizeof(t));
		for (k = 0, best = 99; k < 216; k++) {
			t[0].want = pair[k % 6];
			t[1].want = pair[k / 6 % 6];
			t[2].want = pair[k / 36];
			if (is_balanced(t, 3, first(4), 2))
				best = min(best, promotions(t, 3));
		}
		cluster_voters_place(s, 3, first(4), 2, &seed);
		CHECK_EQ(promotions(s, 3), best);
	}
}

static void step_is(const struct cluster_seats *s, unsigned int n, unsigned int voters,
		    enum cluster_voters_how how, unsigned int at, u64 id)
{
	struct cluster_voters_step step = cluster_voters_next(s, n, voters);

	if (!CHECK(step.how == how && step.at == at && step.id == id))
		NOTE("step %d of group %u, member %u", (int)step.how, step.at, (unsigned int)step.id);
}

static void nobody_votes_before_it_is_ready(void)
{
	struct cluster_seats s = {
		.group = 1, .votes = 0xe, .want = 0x1c, .ready = 0xe, .leader = 1,
	};

	step_is(&s, 1, 3, CLUSTER_VOTERS_WAIT, 0, 4);
	s.ready = 0x1e;
	step_is(&s, 1, 3, CLUSTER_VOTERS_PROMOTE, 0, 4);
	s.votes = 0x1e;
	s.ready = 0xe;		/* it lacks too much again */
	step_is(&s, 1, 3, CLUSTER_VOTERS_WAIT, 0, 4);
	s.ready = 0x1e;
	step_is(&s, 1, 3, CLUSTER_VOTERS_LEAD, 0, 2);
	s.leader = 2;
	step_is(&s, 1, 3, CLUSTER_VOTERS_DEMOTE, 0, 1);
	s.ready = 0x1c;		/* who goes need not be there */
	step_is(&s, 1, 3, CLUSTER_VOTERS_DEMOTE, 0, 1);
	s.votes = 0x1c;
	step_is(&s, 1, 3, CLUSTER_VOTERS_DONE, 0, 0);
}

static void what_is_half_done_comes_first(void)
{
	struct cluster_seats s[2] = {
		{ .group = 1, .votes = 0xe, .want = 0x1c, .ready = ~0ull, .leader = 1 },
		{ .group = 2, .votes = 0x1e, .want = 0xe, .ready = ~0ull, .leader = 1 },
	};

	step_is(s, 2, 3, CLUSTER_VOTERS_DEMOTE, 1, 4);
	s[1].votes = 0xe;
	step_is(s, 2, 3, CLUSTER_VOTERS_PROMOTE, 0, 4);
	/* The one that leads the fewest leads on. */
	s[0].votes = 0x1e;
	s[1].leader = 2;
	step_is(s, 2, 3, CLUSTER_VOTERS_LEAD, 0, 3);
}

static void of_five_one_goes_first(void)
{
	struct cluster_seats s = {
		.group = 1, .votes = 0x3e, .want = 0x7c, .ready = ~0ull, .leader = 2,
	};

	step_is(&s, 1, 5, CLUSTER_VOTERS_DEMOTE, 0, 1);
	s.votes = 0x3c;
	step_is(&s, 1, 5, CLUSTER_VOTERS_PROMOTE, 0, 6);
}

static u64 relief(const struct cluster_seats *s, unsigned int n, unsigned int at,
		  unsigned int voters, u64 id)
{
	struct cluster_seats copy[MOST];

	memcpy(copy, s, n * sizeof(*s));
	return cluster_voters_relief(copy, n, at, first(6) & ~(1ull << id), voters, id, &seed);
}

/* Group after group, as `cluster remove` does: another one votes before it is demoted. */
static void who_goes_is_relieved(void)
{
	struct cluster_seats s[6];
	unsigned int i, before;
	u64 id, new;

	begin(s, 6, first(6));
	walk(s, 6, first(6), 3);
	for (id = 1, i = 0, before = 0; i < 6; i++) {
		CHECK(!relief(s, 6, i, 3, 7));
		before += s[i].votes >> id & 1;
		if (!(s[i].votes >> id & 1)) {
			CHECK(!relief(s, 6, i, 3, id));
			continue;
		}
		new = relief(s, 6, i, 3, id);
		CHECK(new && new != id && !(s[i].votes >> new & 1));
		CHECK(!relief(s, 6, i, 2, id));		/* two others stay */
		s[i].votes |= 1ull << new;
		CHECK(!relief(s, 6, i, 3, id));		/* three */
		s[i].votes &= ~(1ull << id);
	}
	CHECK_EQ(before, 3);
	cluster_voters_place(s, 6, first(6) & ~2ull, 3, &seed);
	CHECK(promotions(s, 6) <= 1);
	/* Of five one goes first; and where there is nobody else it just goes. */
	begin(s, 1, first(5));
	CHECK(!relief(s, 1, 0, 5, 1));
	begin(s, 1, first(3));
	CHECK(!cluster_voters_relief(s, 1, 0, 0xc, 3, 1, &seed));
}

static void seen_that_voters_are_placed(void)
{
	struct cluster_seats s[2];

	begin(s, 2, first(3));
	CHECK(!cluster_voters_placed(s, 2, first(4), 0));
	CHECK_EQ(cluster_voters_least(s, 2), 3);
	s[1].votes |= 1 << 4;	/* being added */
	CHECK(!cluster_voters_placed(s, 2, first(4), 4));
	CHECK(cluster_voters_placed(s, 2, first(4), 0));
	s[1].votes &= ~(1ull << 2);
	CHECK(cluster_voters_placed(s, 2, first(4), 4));
	CHECK_EQ(cluster_voters_least(s, 2), 3);
	s[0].votes = first(4);
	CHECK_EQ(cluster_voters_least(s, 2), 3);
	CHECK_EQ(cluster_voters_least(s, 0), 0);
}

int main(void)
{
	RUN(of_all_some_stay);
	RUN(the_seed_decides);
	RUN(ranks_decide);
	RUN(from_anywhere);
	RUN(one_more_member);
	RUN(one_member_fewer);
	RUN(nobody_finds_fewer);
	RUN(nobody_votes_before_it_is_ready);
	RUN(what_is_half_done_comes_first);
	RUN(of_five_one_goes_first);
	RUN(who_goes_is_relieved);
	RUN(seen_that_voters_are_placed);
	return unit_done();
}
