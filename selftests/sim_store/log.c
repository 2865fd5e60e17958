// SPDX-License-Identifier: GPL-2.0
/*
 * log.c - the logs: who leads, what is decided, who knows
 */
#include <stdlib.h>
#include <string.h>

#include "sim_store.h"

#define ELECTION_MS	40u

bool ss_hears(const struct ss_node *n)
{
	return n->up && sim.now >= n->cut && sim.now >= n->asleep;
}

static bool quorum(void)
{
	u32 i, n = 0;

	for (i = 0; i < SS_NODES; i++)
		n += ss_hears(&sim.node[i]);
	return 2 * n > SS_NODES;
}

static struct ss_entry *add(struct ss_log *l)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 256;
		l->entry = realloc(l->entry, l->room * sizeof(*l->entry));
		if (!l->entry)
			abort();
	}
	l->entry[l->n] = (struct ss_entry){ .ballot = l->ballot };
	return &l->entry[l->n++];
}

static void put(struct ss_log *l, const void *data, u32 len)
{
	struct ss_entry *e = add(l);

	e->data = malloc(len);
	if (!e->data)
		abort();
	memcpy(e->data, data, len);
	e->len = len;
	sim.stat.slots++;
}

/* It may be somewhere, and found much later. */
static void drop(struct ss_log *l, struct ss_entry *e)
{
	struct ss_entry *lost = &l->lost[ss_random(SS_LOST)];

	if (e->data && ss_chance(500)) {
		free(lost->data);
		*lost = *e;
	} else {
		free(e->data);
	}
	e->data = NULL;
	e->len = 0;
}

/* Whoever leads now finds one that was given up. */
static void find_lost(struct ss_log *l)
{
	struct ss_entry *lost = &l->lost[ss_random(SS_LOST)];

	if (!lost->data)
		return;
	*add(l) = (struct ss_entry){ .data = lost->data, .len = lost->len, .ballot = l->ballot };
	lost->data = NULL;
}

/* What was proposed and not decided: some is found, with holes, and the end is not. */
static void take_over(struct ss_log *l, u32 leader)
{
	u32 g = (u32)(l - sim.log), i, keep;

	keep = l->decided + (u32)ss_random(l->n - l->decided + 1);
	while (l->n > keep)
		drop(l, &l->entry[--l->n]);
	l->leader = leader;
	l->ballot++;
	for (i = l->decided; i < l->n; i++) {
		if (ss_chance(200))
			drop(l, &l->entry[i]);
		l->entry[i].ballot = l->ballot;
	}
	if (ss_chance(200))
		find_lost(l);
	l->since = sim.now;
	sim.stat.leaders++;
	ss_trace("group %u: node %u leads, ballot %llu, slots %u, %u not decided", g + 1, leader,
		 U(l->ballot), l->n, l->n - l->decided);
}

static void elect(struct ss_log *l)
{
	u32 i = (u32)ss_random(SS_NODES);

	if (!quorum() || !ss_hears(&sim.node[i]))
		return;
	if (i != l->leader)
		take_over(l, i);
}

static void step(struct ss_log *l)
{
	if (l->leader < SS_NODES && ss_hears(&sim.node[l->leader]) && quorum()) {
		l->since = sim.now;
		if (l->n > l->decided && ss_chance(sim.calm ? 900 : 600))
			l->decided += 1 + (u32)ss_random(l->n - l->decided);
	} else if (sim.now > l->since + ELECTION_MS && ss_chance(100)) {
		elect(l);
	}
	if (!sim.calm && ss_chance(sim.wild / 4))
		elect(l);
}

void ss_log_step(void)
{
	u32 g;

	for (g = 0; g < SS_GROUPS; g++)
		step(&sim.log[g]);
}

/* --- what a node hears -------------------------------------------------------------- */

static void hear_leader(struct ss_node *n, u32 g)
{
	struct pxs_replica *r = &n->replica[g];
	const struct ss_log *l = &sim.log[g];
	bool us = l->leader == n->i;

	if (r->elect.ballot == l->ballot || !ss_chance(sim.calm ? 800 : 150))
		return;
	r->elect.ballot = l->ballot;
	r->elect.role = us ? PXS_ROLE_LEADER : PXS_ROLE_FOLLOWER;
	r->elect.leader = (u8)(l->leader + 1);
	r->elect.last = 0;
	r->elect.next = 1;
	n->nrounds[g] = 0;
}

static void hear_slots(struct ss_node *n, u32 g)
{
	struct pxs_replica *r = &n->replica[g];
	const struct ss_log *l = &sim.log[g];

	/* A quorum has its slots on disk: this one need not. */
	if (sim.now >= n->deaf[g] && n->known[g] < l->decided && ss_chance(sim.calm ? 900 : 350))
		n->known[g] += 1 + (u32)ss_random(l->decided - n->known[g]);
	while (r->applied < n->known[g]) {
		r->commit = max(r->commit, (u64)n->known[g]);
		r->applied++;
		pxs_proposals_applied(r, r->applied, l->entry[r->applied - 1].ballot);
	}
}

/* A quorum has said that we lead: what was decided when they were asked is seen. */
static void hear_reads(struct ss_node *n, u32 g)
{
	struct pxs_replica *r = &n->replica[g];
	const struct ss_log *l = &sim.log[g];
	struct ss_round *round = n->round[g];

	if (!n->nrounds[g] || sim.now < round->due || l->leader != n->i ||
	    l->ballot != round->ballot || !quorum())
		return;
	pxs_index_reads_answered(r, round->ballot, round->number, round->index);
	n->nrounds[g]--;
	memmove(round, round + 1, n->nrounds[g] * sizeof(*round));
}

void ss_log_hear(struct ss_node *n)
{
	u32 g;

	if (sim.now < n->cut)
		return;
	for (g = 0; g < SS_GROUPS; g++) {
		hear_leader(n, g);
		hear_slots(n, g);
		hear_reads(n, g);
	}
}

/* --- what it says -------------------------------------------------------------------- */

static struct ss_node *node_of(struct pxs_datapath *dp)
{
	return (struct ss_node *)((char *)dp - offsetof(struct ss_node, dp));
}

/* Nobody will ever have these: it leads no more. */
static int dream(struct ss_node *n, u32 g, u32 count, u64 *first)
{
	n->given[g] = max(n->given[g], (u64)sim.log[g].n);
	*first = n->given[g] + 1;
	n->given[g] += count;
	return (int)count;
}

static int propose(struct pxs_datapath *dp, u32 group, const struct iovec *values, u32 n,
		   u64 *first)
{
	struct ss_node *node = node_of(dp);
	struct ss_log *l = &sim.log[group - 1];
	u32 i;

	if (l->leader != node->i || l->ballot != node->replica[group - 1].elect.ballot)
		return dream(node, group - 1, n, first);
	if (!sim.calm && ss_chance(20))
		return -EAGAIN;
	n = 1 + (u32)ss_random(n);
	*first = l->n + 1;
	for (i = 0; i < n; i++)
		put(l, values[i].iov_base, (u32)values[i].iov_len);
	node->given[group - 1] = l->n;
	if (sim.calm || !ss_chance(15))
		return (int)n;
	/* The answer gets lost on the way to the agent, and more with it: it is tried again. */
	node->deaf[group - 1] = sim.now + ss_random(300);
	return -ETIMEDOUT;
}

static int begin_read(struct pxs_datapath *dp, u32 group, u64 *ballot, u64 *number)
{
	struct ss_node *n = node_of(dp);
	u32 g = group - 1;
	struct ss_round *r = &n->round[g][n->nrounds[g]];

	if (n->nrounds[g] == SS_ROUNDS)
		return -EAGAIN;
	*ballot = n->replica[g].elect.ballot;
	*number = ++n->rounds;
	*r = (struct ss_round){ *ballot, *number, sim.log[g].decided,
				sim.now + ss_random(3 * SS_STEP_MS) };
	n->nrounds[g]++;
	return 0;
}

/* Nothing is ever trimmed. */
static int status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	const struct ss_node *n = node_of(dp);

	*st = (struct pxs_group_status){
		.role = n->replica[group - 1].elect.role, .commit = n->known[group - 1],
		.known = n->known[group - 1],
	};
	return 0;
}

const struct pxs_datapath_ops ss_datapath = {
	.name = "simulated", .propose = propose, .read = begin_read, .status = status,
};

/* --- making and ending ---------------------------------------------------------------- */

void ss_log_init(void)
{
	u32 g;

	for (g = 0; g < SS_GROUPS; g++)
		sim.log[g] = (struct ss_log){
			.leader = (u32)ss_random(SS_NODES), .ballot = 1, .since = sim.now,
		};
}

void ss_log_free(void)
{
	u32 g, i;

	for (g = 0; g < SS_GROUPS; g++) {
		for (i = 0; i < sim.log[g].n; i++)
			free(sim.log[g].entry[i].data);
		for (i = 0; i < SS_LOST; i++)
			free(sim.log[g].lost[i].data);
		free(sim.log[g].entry);
		sim.log[g] = (struct ss_log){ 0 };
	}
}
