// SPDX-License-Identifier: GPL-2.0
/*
 * test_cluster_plan.c - what `cluster add`, `remove` and `rebalance` do next
 */
#include "unit.h"

#include "cli/cluster_plan.h"
#include "platform.h"

static char why[CLUSTER_PLAN_WORDS];

static bool says(const char *words)
{
	if (strstr(why, words))
		return true;
	NOTE("said: %s", why);
	return false;
}

/* --- add --------------------------------------------------------------------- */

/* Added, answers, has all; what differs is set by the test. */
static struct cluster_newcomer learner(void)
{
	return (struct cluster_newcomer){
		.id = 4, .incarnation = 0xa4, .there = true, .address_same = true,
		.incarnation_there = 0xa4, .heard = 1000, .epoch = 2, .commit = 1000,
		.answers = true, .answers_as = 4, .answers_incarnation = 0xa4,
		.answers_epoch = 2,
	};
}

static struct cluster_newcomer stranger(void)
{
	return (struct cluster_newcomer){
		.id = 4, .incarnation = 0xa4, .epoch = 1, .commit = 1000, .answers = true,
		.answers_as = 4, .answers_incarnation = 0xa4, .answers_epoch = 1,
	};
}

static void is(struct cluster_newcomer c, enum cluster_stage stage)
{
	*why = 0;
	if (!CHECK(cluster_plan_add(&c, why) == stage))
		NOTE("why: %s", why);
}

static void is_wrong(struct cluster_newcomer c, const char *words)
{
	is(c, CLUSTER_WRONG);
	CHECK(says(words));
}

static void from_nothing_to_a_voter(void)
{
	struct cluster_newcomer c = stranger();

	c.answers = false;
	is(c, CLUSTER_ABSENT);
	is(stranger(), CLUSTER_ADD);
	c = learner();
	c.heard = 743;
	is(c, CLUSTER_LEARNS);
	c.heard = 744;		/* it lacks 256 */
	is(c, CLUSTER_PROMOTE);
	is(learner(), CLUSTER_PROMOTE);
	c.votes = true;
	is(c, CLUSTER_DONE);
	/* Who votes need not answer just now. */
	c.answers = false;
	c.heard = 0;
	is(c, CLUSTER_DONE);
	/* The bundle is gone, and the daemon is an older one. */
	c = learner();
	c.incarnation = 0;
	c.answers_as = 0;
	c.answers_incarnation = 0;
	c.answers_epoch = 0;
	is(c, CLUSTER_PROMOTE);
}

/* In a short log it lacks little, and is not there. */
static void not_before_it_is_heard(void)
{
	struct cluster_newcomer c = learner();

	c.commit = 10;
	c.heard = 0;
	is(c, CLUSTER_LEARNS);
	c.heard = 10;
	is(c, CLUSTER_PROMOTE);
	c.answers = false;
	is(c, CLUSTER_LEARNS);
	c.answers = true;
	c.answers_epoch = 1;	/* it does not know yet that it was added */
	is(c, CLUSTER_LEARNS);
}

static void a_learner_stays_one(void)
{
	struct cluster_newcomer c = learner();

	c.learner = true;
	is(c, CLUSTER_DONE);
	c.heard = 1;
	is(c, CLUSTER_LEARNS);
	c.votes = true;
	is_wrong(c, "member 4 votes already");
}

static void another_one(void)
{
	struct cluster_newcomer c = learner();

	c.address_same = false;
	is_wrong(c, "member 4 is in the group, with another address");
	c = learner();
	c.incarnation = 0xb4;
	is_wrong(c, "with another journal than the bundle's");
	c = learner();
	c.answers_incarnation = 0xb4;
	is_wrong(c, "made of another bundle");
	c = stranger();
	c.answers_incarnation = 0xb4;
	is_wrong(c, "member 4 with incarnation 0x00000000000000b4 answers");
	c = stranger();
	c.answers_as = 2;
	is_wrong(c, "member 2 with incarnation");
}

/* What is eventual at one would go into the log at the other. An older daemon does not say. */
static void other_eventual_prefixes(void)
{
	struct cluster_newcomer c = stranger();

	c.prefixes = 3;
	is(c, CLUSTER_ADD);
	c.tells_prefixes = true;
	is_wrong(c, "member 4 has other eventual prefixes");
	c.answers_prefixes = 5;
	is_wrong(c, "write the same `eventual`");
	c.answers_prefixes = 3;
	is(c, CLUSTER_ADD);
	c = learner();
	c.tells_prefixes = true;
	c.answers_prefixes = 3;
	is_wrong(c, "other eventual prefixes");
	c.answers = false;
	is(c, CLUSTER_LEARNS);
}

/* --- add, of three groups ----------------------------------------------------- */

/* "- a l v s": in group 1, 2...: absent, silent; absent; a learner that has little; enough; votes */
static unsigned int newcomers(const char *text, struct cluster_newcomer *c)
{
	unsigned int n;

	for (n = 0; text[n]; n++) {
		c[n] = text[n] == 'a' || text[n] == '-' ? stranger() : learner();
		c[n].group = n + 1;
		c[n].answers = text[n] != '-';
		c[n].heard = text[n] == 'l' ? 1 : c[n].heard;
		c[n].votes = text[n] == 'v';
	}
	return n;
}

static void next_is(const char *text, enum cluster_stage stage, u64 group)
{
	struct cluster_newcomer c[8];
	unsigned int next = 99;

	*why = 0;
	if (!CHECK(cluster_plan_add_all(c, newcomers(text, c), &next, why) == stage))
		NOTE("%s: %s", text, why);
	CHECK_EQ(next + 1, group);
}

static void one_group_after_the_other(void)
{
	next_is("a", CLUSTER_ADD, 1);
	next_is("v", CLUSTER_DONE, 1);
	next_is("---", CLUSTER_ABSENT, 1);
	next_is("aaa", CLUSTER_ADD, 1);
	next_is("laa", CLUSTER_ADD, 2);
	next_is("saa", CLUSTER_ADD, 2);		/* before it votes in any */
	next_is("ssa", CLUSTER_ADD, 3);
	next_is("sls", CLUSTER_LEARNS, 2);	/* and before it has enough in all */
	next_is("sss", CLUSTER_PROMOTE, 1);
	next_is("vss", CLUSTER_PROMOTE, 2);
	next_is("vsv", CLUSTER_PROMOTE, 2);
	next_is("vvv", CLUSTER_DONE, 1);
}

static void who_was_being_removed_is_not_added(void)
{
	next_is("ass", CLUSTER_WRONG, 1);
	CHECK(says("member 4 is in group 2, and not in group 1: it was being removed; `paxsteer cluster remove 4`"));
	next_is("aas", CLUSTER_WRONG, 2);
	next_is("sas", CLUSTER_WRONG, 2);
	CHECK(says("is in group 3, and not in group 2"));
}

static void another_one_in_one_of_them(void)
{
	struct cluster_newcomer c[3];
	unsigned int next = 0;

	newcomers("sss", c);
	c[1].incarnation_there = 0xb4;
	CHECK(cluster_plan_add_all(c, 3, &next, why) == CLUSTER_WRONG && next == 1);
	CHECK(says("with another journal than the bundle's"));
}

/* --- remove ------------------------------------------------------------------ */

/* "1+ 2+ 3- 4l": id, and whether it answers; l: a learner, which does. */
static unsigned int voices(const char *text, struct cluster_voice *v)
{
	unsigned int n = 0;

	for (; *text; text += text[2] ? 3 : 2)
		v[n++] = (struct cluster_voice){
			.id = (u64)(*text - '0'), .votes = text[1] != 'l',
			.answers = text[1] != '-',
		};
	return n;
}

static unsigned int phase1;	/* 0: a majority */

static void stays_whole(const char *text, u64 id)
{
	struct cluster_voice v[7];

	*why = 0;
	if (!CHECK(!cluster_plan_remove(v, voices(text, v), id, phase1, why)))
		NOTE("%s without %u: %s", text, (unsigned int)id, why);
}

static void may_not(const char *text, u64 id, const char *words)
{
	struct cluster_voice v[7];

	if (!CHECK(cluster_plan_remove(v, voices(text, v), id, phase1, why) && says(words)))
		NOTE("%s without %u", text, (unsigned int)id);
}

static void who_may_go(void)
{
	stays_whole("1+ 2+ 3+", 3);
	stays_whole("1+ 2+ 3-", 3);
	stays_whole("1+ 2+ 3- 4+", 3);
	stays_whole("1+ 2+ 3- 4- 5+", 4);
	stays_whole("1+ 2+ 3l", 3);
	stays_whole("1+ 2+ 3+ 4l", 1);
	may_not("1+ 2+ 3-", 2, "of the 2 members that would vote 1 answer, which is no majority: not reached: 3");
	may_not("1+ 2+ 3- 4-", 2, "of the 3 members that would vote 1 answer, which is no majority: not reached: 3, 4");
	may_not("1+ 2+ 3- 4- 5+", 5, "of the 4 members that would vote 2 answer");
	may_not("1+ 2+", 2, "2 members vote, and there must be 2");
	may_not("1+ 2+ 3l", 1, "2 members vote, and there must be 2");
	may_not("1+ 2- 3l", 3, "no majority");	/* nothing can be decided at all */
	may_not("1+ 2+ 3+", 4, "no member 4 is in the group, which has 1, 2, 3");
	phase1 = 3;
	stays_whole("1+ 2+ 3+ 4+", 4);
	stays_whole("1+ 2+ 3+ 4+ 5-", 4);
	stays_whole("1+ 2+ 3+ 4l", 4);
	may_not("1+ 2+ 3- 4+ 5-", 4, "of the 4 members that would vote 2 answer, and 3 are needed to lead: not reached: 3, 5");
	may_not("1+ 2+ 3+", 3, "3 votes are needed to lead, and 2 members would vote: `paxsteer member quorum` first");
	phase1 = 0;
}

/* "- l v": in group 1, 2...: gone, a learner, votes */
static void leaves(const char *text, enum cluster_leave how, u64 group)
{
	struct cluster_place p[8] = { 0 };
	unsigned int n, next = 99;

	for (n = 0; text[n]; n++)
		p[n] = (struct cluster_place){ text[n] != '-', text[n] == 'v' };
	if (!CHECK(cluster_plan_leave(p, n, &next) == how && next + 1 == group))
		NOTE("%s", text);
}

static void out_of_all_groups(void)
{
	leaves("v", CLUSTER_REMOVE, 1);
	leaves("l", CLUSTER_REMOVE, 1);
	leaves("-", CLUSTER_GONE, 2);
	leaves("vvv", CLUSTER_DEMOTE, 3);
	leaves("vvl", CLUSTER_DEMOTE, 2);
	leaves("vll", CLUSTER_REMOVE, 1);	/* it votes in no other */
	leaves("lvl", CLUSTER_DEMOTE, 2);
	leaves("lll", CLUSTER_REMOVE, 1);
	leaves("-ll", CLUSTER_REMOVE, 2);
	leaves("-vv", CLUSTER_DEMOTE, 3);
	leaves("--l", CLUSTER_REMOVE, 3);
	leaves("l--", CLUSTER_REMOVE, 1);	/* it was added to one only */
	leaves("---", CLUSTER_GONE, 4);
}

/* --- rebalance --------------------------------------------------------------- */

#define ALL	0xeull	/* members 1, 2, 3 */

static void spread(const unsigned int *leader, unsigned int n, u64 answers, unsigned int moves,
		   unsigned int most)
{
	struct cluster_lead l[8] = { 0 };
	unsigned int i, load[CLUSTER_PLAN_IDS] = { 0 };

	for (i = 0; i < n; i++)
		l[i] = (struct cluster_lead){ .group = i + 1, .leader = leader[i], .may = answers };
	CHECK_EQ(cluster_plan_spread(l, n), moves);
	for (i = 0; i < n; i++) {
		CHECK(!leader[i] ? !l[i].next : answers >> l[i].next & 1);
		if (l[i].next)
			CHECK(++load[l[i].next] <= most);
	}
}

static void leaders_are_spread(void)
{
	spread((unsigned int []){ 1 }, 1, ALL, 0, 1);
	spread((unsigned int []){ 1, 2, 3 }, 3, ALL, 0, 1);
	spread((unsigned int []){ 1, 1, 1 }, 3, ALL, 2, 1);
	spread((unsigned int []){ 2, 2, 3, 2 }, 4, ALL, 1, 2);
	spread((unsigned int []){ 3, 3, 3, 3, 3, 3 }, 6, ALL, 4, 2);
	spread((unsigned int []){ 1, 2, 3, 1 }, 4, ALL, 0, 2);
	/* not to who does not answer, and not who has no leader */
	spread((unsigned int []){ 1, 1, 1, 1 }, 4, 0x6, 2, 2);
	spread((unsigned int []){ 1, 0, 1 }, 3, 0x6, 1, 1);
	spread((unsigned int []){ 1, 1, 1 }, 3, 0x2, 0, 3);
}

int main(void)
{
	RUN(from_nothing_to_a_voter);
	RUN(not_before_it_is_heard);
	RUN(a_learner_stays_one);
	RUN(another_one);
	RUN(other_eventual_prefixes);
	RUN(one_group_after_the_other);
	RUN(who_was_being_removed_is_not_added);
	RUN(another_one_in_one_of_them);
	RUN(who_may_go);
	RUN(out_of_all_groups);
	RUN(leaders_are_spread);
	return unit_done();
}
