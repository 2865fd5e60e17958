// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_voters.c - which members vote in which groups of a store, where not all do in all
 *
 * The placement is a flow of least cost: from a source to the groups, @voters each, over seats to
 * the members, and from these to a sink, as many as all members can have, and one more for as many
 * members as it takes. A seat of who does not vote yet costs more than all ranks together.
 */
#include "cluster_voters.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "group.h"	/* kmod/core: PXS_VOTERS_MAX */
#include "rank.h"

#define IDS		64u
#define DOMAIN		0x766f74657273ull	/* "voters": not the ranks of keys */
#define NEW_VOTER	(1ll << 32)
#define FAR		(1ll << 60)

/* Nodes: source, groups, members, the one more, sink. */
#define NODES		(CLUSTER_VOTERS_GROUPS + IDS + 3u)

struct flow {
	int room[NODES][NODES];
	int64_t cost[NODES][NODES];
	unsigned int nodes, more, sink;
};

static unsigned int count(uint64_t set)
{
	return (unsigned int)__builtin_popcountll(set);
}

static bool has(uint64_t set, uint64_t id)
{
	return id < IDS && set >> id & 1;
}

static uint64_t lowest(uint64_t set)
{
	return (uint64_t)__builtin_ctzll(set);
}

/* --- the placement ----------------------------------------------------------- */

static void join(struct flow *f, unsigned int from, unsigned int to, int room, int64_t cost)
{
	f->room[from][to] = room;
	f->cost[from][to] = cost;
	f->cost[to][from] = -cost;
}

static void take_member(struct flow *f, const struct cluster_seats *s, unsigned int n, uint64_t id,
			unsigned int node, int share, const struct pxs_seed *seed)
{
	struct pxs_rank_key key;
	unsigned int i;

	pxs_rank_init(&key, seed, DOMAIN, id, 1);
	for (i = 0; i < n; i++)
		join(f, 1 + i, node, 1, (has(s[i].votes, id) ? 0 : NEW_VOTER) +
		     pxs_rank(&key, (uint32_t)s[i].group & (PXS_RANKS - 1)));
	join(f, node, f->sink, share, 0);
	join(f, node, f->more, 1, 0);
}

/* Bellman and Ford: what is taken back costs less than nothing. */
static bool cheapest(const struct flow *f, unsigned int *before)
{
	int64_t far[NODES] = { 0 };
	unsigned int a, b;
	bool nearer = true;

	for (a = 1; a < f->nodes; a++)
		far[a] = FAR;
	while (nearer) {
		nearer = false;
		for (a = 0; a < f->nodes; a++)
			for (b = 0; far[a] != FAR && b < f->nodes; b++) {
				if (!f->room[a][b] || far[a] + f->cost[a][b] >= far[b])
					continue;
				far[b] = far[a] + f->cost[a][b];
				before[b] = a;
				nearer = true;
			}
	}
	return far[f->sink] != FAR;
}

static void fill(struct flow *f)
{
	unsigned int before[NODES], at;

	while (cheapest(f, before))
		for (at = f->sink; at; at = before[at]) {
			f->room[before[at]][at]--;
			f->room[at][before[at]]++;
		}
}

void cluster_voters_place(struct cluster_seats *s, unsigned int n, uint64_t members,
			  unsigned int voters, const struct pxs_seed *seed)
{
	unsigned int i, node, of = count(members), seats = n * voters;
	struct flow *f = calloc(1, sizeof(*f));
	uint64_t left;

	pxs_assert(f && n <= CLUSTER_VOTERS_GROUPS && voters <= of && !(members & 1));
	f->more = 1 + n + of;
	f->sink = f->more + 1;
	f->nodes = f->sink + 1;
	for (i = 0; i < n; i++)
		join(f, 0, 1 + i, (int)voters, 0);
	for (node = 1 + n, left = members; left; left &= left - 1)
		take_member(f, s, n, lowest(left), node++, (int)(seats / of), seed);
	join(f, f->more, f->sink, (int)(seats % of), 0);
	fill(f);
	for (i = 0; i < n; i++) {
		s[i].want = 0;
		for (node = 1 + n, left = members; left; left &= left - 1, node++)
			if (!f->room[1 + i][node])
				s[i].want |= left & -left;
	}
	free(f);
}

/* --- one step after the other -------------------------------------------------- */

static unsigned int leads(const struct cluster_seats *s, unsigned int n, uint64_t id)
{
	unsigned int i, all = 0;

	for (i = 0; i < n; i++)
		all += s[i].leader == id;
	return all;
}

/* Who shall lead instead: one that stays, and leads the fewest groups. */
static uint64_t heir(const struct cluster_seats *s, unsigned int n, unsigned int at)
{
	uint64_t left = s[at].want & s[at].votes, best = 0;

	for (; left; left &= left - 1)
		if (!best || leads(s, n, lowest(left)) < leads(s, n, best))
			best = lowest(left);
	return best;
}

static struct cluster_voters_step wait_for(unsigned int at, uint64_t set)
{
	return (struct cluster_voters_step){ CLUSTER_VOTERS_WAIT, at, lowest(set) };
}

/* Those that stay must be able to go on without it; who leads hands over first. */
static struct cluster_voters_step demote(const struct cluster_seats *s, unsigned int n,
					 unsigned int at)
{
	uint64_t gone = s[at].votes & ~s[at].want, stay = s[at].votes & s[at].want;
	uint64_t follow = gone;

	if (stay & ~s[at].ready)
		return wait_for(at, stay & ~s[at].ready);
	if (has(gone, s[at].leader))
		follow &= ~(1ull << s[at].leader);
	if (follow)
		return (struct cluster_voters_step){ CLUSTER_VOTERS_DEMOTE, at, lowest(follow) };
	return (struct cluster_voters_step){ CLUSTER_VOTERS_LEAD, at, heir(s, n, at) };
}

static struct cluster_voters_step step_in(const struct cluster_seats *s, unsigned int n,
					  unsigned int at, unsigned int voters)
{
	uint64_t new = s[at].want & ~s[at].votes, may = new & s[at].ready;

	if (count(s[at].votes) > voters || (new && count(s[at].votes) == PXS_VOTERS_MAX))
		return demote(s, n, at);
	if (!new)
		return (struct cluster_voters_step){ CLUSTER_VOTERS_DONE, at, 0 };
	if (!may)
		return wait_for(at, new);
	return (struct cluster_voters_step){ CLUSTER_VOTERS_PROMOTE, at, lowest(may) };
}

struct cluster_voters_step cluster_voters_next(const struct cluster_seats *s, unsigned int n,
					       unsigned int voters)
{
	struct cluster_voters_step step = { CLUSTER_VOTERS_DONE, 0, 0 };
	unsigned int i;

	/* What is half done comes first, and of that where too few vote. */
	for (i = 0; i < n && step.how == CLUSTER_VOTERS_DONE; i++)
		if (count(s[i].votes) < voters)
			step = step_in(s, n, i, voters);
	for (i = 0; i < n && step.how == CLUSTER_VOTERS_DONE; i++)
		if (count(s[i].votes) > voters)
			step = step_in(s, n, i, voters);
	for (i = 0; i < n && step.how == CLUSTER_VOTERS_DONE; i++)
		step = step_in(s, n, i, voters);
	return step;
}

void cluster_voters_do(struct cluster_seats *s, const struct cluster_voters_step *step)
{
	struct cluster_seats *g = &s[step->at];

	if (step->how == CLUSTER_VOTERS_PROMOTE)
		g->votes |= 1ull << step->id;
	else if (step->how == CLUSTER_VOTERS_DEMOTE)
		g->votes &= ~(1ull << step->id);
	else if (step->how == CLUSTER_VOTERS_LEAD)
		g->leader = step->id;
}

uint64_t cluster_voters_relief(struct cluster_seats *s, unsigned int n, unsigned int at,
			       uint64_t members, unsigned int voters, uint64_t id,
			       const struct pxs_seed *seed)
{
	uint64_t gone = 1ull << id, new;
	unsigned int i;

	voters = min(voters, count(members));
	if (!has(s[at].votes, id) || count(s[at].votes & ~gone) >= voters ||
	    count(s[at].votes) == PXS_VOTERS_MAX)
		return 0;
	for (i = 0; i < n; i++)
		s[i].votes &= ~gone;
	cluster_voters_place(s, n, members, voters, seed);
	new = s[at].want & ~s[at].votes;
	return lowest(new & s[at].ready ? new & s[at].ready : new);
}

/* --- what there is --------------------------------------------------------------- */

int cluster_voters_placed(const struct cluster_seats *s, unsigned int n, uint64_t members,
			  uint64_t but)
{
	uint64_t some = 0, all = ~0ull;
	unsigned int i;

	for (i = 0; i < n; i++) {
		some |= s[i].votes;
		all &= s[i].votes;
	}
	return !!(some & ~all & members & ~(but ? 1ull << but : 0));
}

unsigned int cluster_voters_least(const struct cluster_seats *s, unsigned int n)
{
	unsigned int i, least = n ? count(s[0].votes) : 0;

	for (i = 1; i < n; i++)
		least = min(least, count(s[i].votes));
	return least;
}
