// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_plan.c - what `cluster add`, `remove` and `rebalance` do next, by what is seen
 */
#include "cluster_plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "member.h"	/* PXS_MEMBER_BEHIND */
#include <linux/paxsteer.h>

static int __attribute__((format(printf, 2, 3))) wrong(char *why, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CLUSTER_PLAN_WORDS, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- add --------------------------------------------------------------------- */

/* It is in the group: is it the one that is meant? */
static int check_there(const struct cluster_newcomer *c, char *why)
{
	if (!c->address_same)
		return wrong(why, "member %" PRIu64 " is in the group, with another address", c->id);
	if (c->incarnation && c->incarnation != c->incarnation_there)
		return wrong(why, "member %" PRIu64 " is in the group with another journal than the bundle's: remove the member first, or the bundle",
			     c->id);
	if (c->votes && c->learner)
		return wrong(why, "member %" PRIu64 " votes already: `paxsteer member demote` makes a learner of it",
			     c->id);
	return 0;
}

/* Who answers must be who is awaited: another's votes would be counted as its own. */
static int check_answer(const struct cluster_newcomer *c, char *why)
{
	uint64_t want = c->there ? c->incarnation_there : c->incarnation;

	if (c->answers && ((c->answers_as && c->answers_as != c->id) ||
			   (c->answers_incarnation && c->answers_incarnation != want)))
		return wrong(why, "where its store should be member %" PRIu64 " with incarnation 0x%016"
			     PRIx64 " answers, and not member %" PRIu64 " with 0x%016" PRIx64
			     ": it was made of another bundle", c->answers_as,
			     c->answers_incarnation, c->id, want);
	/* What is eventual here would go into the log there. */
	if (c->answers && c->tells_prefixes && c->answers_prefixes != c->prefixes)
		return wrong(why, "the store of member %" PRIu64 " has other eventual prefixes than this one: write the same `eventual` to its configuration file, and restart it",
			     c->id);
	return 0;
}

/* The leader would let one vote of which nothing was heard, in a log that is short. */
static bool has_enough(const struct cluster_newcomer *c)
{
	bool present = c->answers && (!c->answers_epoch || c->answers_epoch >= c->epoch);

	return present && c->heard && c->heard + PXS_MEMBER_BEHIND >= c->commit;
}

enum cluster_stage cluster_plan_add(const struct cluster_newcomer *c, char *why)
{
	if (c->there && check_there(c, why))
		return CLUSTER_WRONG;
	if (c->there && c->votes)
		return CLUSTER_DONE;
	if (check_answer(c, why))
		return CLUSTER_WRONG;
	if (!c->there)
		return c->answers ? CLUSTER_ADD : CLUSTER_ABSENT;
	if (!has_enough(c))
		return CLUSTER_LEARNS;
	return c->learner ? CLUSTER_DONE : CLUSTER_PROMOTE;
}

/* Those that it is in are the first ones: `remove` leaves the last ones. */
static int check_order(const struct cluster_newcomer *c, unsigned int n, unsigned int *next,
		       char *why)
{
	unsigned int i;

	for (i = 1; i < n && (c[i - 1].there || !c[i].there); i++)
		;
	if (i >= n)
		return 0;
	*next = i - 1;
	return wrong(why, "member %" PRIu64 " is in group %" PRIu64 ", and not in group %" PRIu64
		     ": it was being removed; `paxsteer cluster remove %" PRIu64 "` ends that",
		     c->id, c[i].group, c[i - 1].group, c->id);
}

enum cluster_stage cluster_plan_add_all(const struct cluster_newcomer *c, unsigned int n,
					unsigned int *next, char *why)
{
	enum cluster_stage least = CLUSTER_DONE, stage;
	unsigned int i;

	*next = 0;
	if (check_order(c, n, next, why))
		return CLUSTER_WRONG;
	for (i = 0; i < n; i++) {
		stage = cluster_plan_add(&c[i], why);
		if (stage >= least)
			continue;
		least = stage;
		*next = i;
		if (stage == CLUSTER_WRONG)
			break;
	}
	return least;
}

/* --- remove ------------------------------------------------------------------ */

static void list(char *text, size_t size, uint64_t id)
{
	size_t len = strlen(text);

	snprintf(text + len, size - len, "%s%" PRIu64, len ? ", " : "", id);
}

int cluster_plan_remove(const struct cluster_voice *voice, unsigned int n, uint64_t id,
			unsigned int phase1, char *why)
{
	unsigned int i, voters = 0, answer = 0;
	char all[128] = "", silent[128] = "";
	const struct cluster_voice *gone = NULL;

	for (i = 0; i < n; i++) {
		list(all, sizeof(all), voice[i].id);
		if (voice[i].id == id) {
			gone = &voice[i];
			continue;
		}
		if (!voice[i].votes)
			continue;
		voters++;
		answer += voice[i].answers;
		if (!voice[i].answers)
			list(silent, sizeof(silent), voice[i].id);
	}
	if (!gone)
		return wrong(why, "no member %" PRIu64 " is in the group, which has %s", id, all);
	if (voters < PXS_VOTERS_MIN)
		return wrong(why, "%u members vote, and there must be %u: add another one first",
			     voters + gone->votes, PXS_VOTERS_MIN);
	if (phase1 > voters)
		return wrong(why, "%u votes are needed to lead, and %u members would vote: `paxsteer member quorum` first",
			     phase1, voters);
	if (phase1 && answer < phase1)
		return wrong(why, "of the %u members that would vote %u answer, and %u are needed to lead: not reached: %s",
			     voters, answer, phase1, silent);
	if (!phase1 && answer * 2 <= voters)
		return wrong(why, "of the %u members that would vote %u answer, which is no majority: not reached: %s",
			     voters, answer, silent);
	return 0;
}

enum cluster_leave cluster_plan_leave(const struct cluster_place *p, unsigned int n,
				      unsigned int *next)
{
	unsigned int first;

	for (first = 0; first < n && !p[first].there; first++)
		;
	*next = first;
	if (first == n)
		return CLUSTER_GONE;
	while (--n > first) {
		if (!p[n].votes)
			continue;
		*next = n;
		return CLUSTER_DEMOTE;
	}
	return CLUSTER_REMOVE;
}

/* --- rebalance --------------------------------------------------------------- */

/* The one of those who may lead @l that leads the fewest. */
static unsigned int least(const struct cluster_lead *l, const unsigned int *load)
{
	unsigned int id, best = 0;

	for (id = 1; id < CLUSTER_PLAN_IDS; id++)
		if (l->may >> id & 1 && (!best || load[id] < load[best]))
			best = id;
	return best;
}

unsigned int cluster_plan_spread(struct cluster_lead *lead, unsigned int n)
{
	unsigned int load[CLUSTER_PLAN_IDS] = { 0 }, i, to, moves = 0;
	bool moved;

	for (i = 0; i < n; i++) {
		if (lead[i].leader >= CLUSTER_PLAN_IDS)
			lead[i].leader = 0;
		lead[i].next = lead[i].leader;
		load[lead[i].next] += !!lead[i].next;
	}
	/* Each move makes the sum of the squares of the loads less: it ends. */
	do {
		moved = false;
		for (i = 0; i < n; i++) {
			to = lead[i].next ? least(&lead[i], load) : 0;
			if (!to || load[lead[i].next] < load[to] + 2)
				continue;
			load[lead[i].next]--;
			load[to]++;
			lead[i].next = to;
			moved = true;
		}
	} while (moved);
	for (i = 0; i < n; i++)
		moves += lead[i].next != lead[i].leader;
	return moves;
}
