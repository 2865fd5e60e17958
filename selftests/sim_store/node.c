// SPDX-License-Identifier: GPL-2.0
/*
 * node.c - a node: the daemon's stores, a round of its loop, its death
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim_store.h"

#define ROUNDS_MAX	2000u	/* of the hooks, one after the other: it would never end */

struct pxs_store *ss_store(const struct ss_node *n, u32 group)
{
	struct pxs_store *s = n->node.stores;

	while (s && s->replica->id != group + 1)
		s = s->next;
	return s;
}

/* --- what its configuration says -------------------------------------------------------- */

static void fill_config(struct ss_node *n, u32 g)
{
	struct pxs_store_config *c = &n->config[g];
	char path[256];

	snprintf(path, sizeof(path), "%s/%u-%u", ss_dir, n->i, g + 1);
	*c = (struct pxs_store_config){
		.part = g, .directory = strdup(path), .read_wait = 1000, .maxclients = 100,
		.request_limit = 1 << 20, .sessions = 50, .session_age = 600, .sagas = 100,
		.saga_age = 3600, .client_memory = 1ull << 30, .checkpoint_entries = 150,
		.maxmemory = sim.full,
	};
	if (g)
		return;
	c->ngroups = SS_GROUPS;
	for (g = 0; g < SS_GROUPS; g++)
		c->group[g] = g + 1;
	ss_eventual_config(c);
}

static void fill_group(struct ss_node *n, u32 g)
{
	struct pxs_group_conf *conf = &n->group[g].conf;
	u32 i;

	memset(&n->group[g], 0, sizeof(n->group[g]));
	*conf = (struct pxs_group_conf){
		.id = g + 1, .epoch = 1, .cluster = "simulated", .nmembers = SS_NODES,
		.self = (u8)n->i, .window = 1024,
	};
	for (i = 0; i < SS_NODES; i++) {
		conf->member[i].id = (u8)(i + 1);
		conf->member[i].incarnation = i + 7;
		snprintf(n->group[g].where[i], sizeof(n->group[g].where[i]), "127.0.0.1:%u",
			 7000 + i);
	}
	n->group[g].keys = (struct pxs_keys){ .count = 1, .key[0].id = 1 };
	n->group[g].store = &n->config[g];
}

/* As recovery leaves it: the journal knows of some of what was decided. */
static void fill_replica(struct ss_node *n, u32 g)
{
	struct pxs_replica *r = &n->replica[g];

	memset(r, 0, sizeof(*r));
	r->node = &n->node;
	r->config = &n->group[g];
	r->id = g + 1;
	r->elect.conf = r->config->conf;
	r->started = true;
	r->slots.last = ~0ull;
	r->recovered = ss_random(n->known[g] + 1);
	r->applied = r->recovered;
	r->commit = r->recovered;
	pxs_proposals_init(&r->proposals);
	pxs_index_reads_init(&r->reads);
}

void ss_node_start(struct ss_node *n)
{
	u32 g;

	sim.at = n;
	n->up = true;
	memset(&n->node, 0, sizeof(n->node));
	n->node.loop.now = sim.now + 1000;
	n->node.journal.next_lsn = 1;
	n->dp.ops = &ss_datapath;
	n->node.dp = &n->dp;
	n->node.nreplicas = SS_GROUPS;
	n->node.replica = n->replica;
	for (g = 0; g < SS_GROUPS; g++) {
		fill_config(n, g);
		fill_group(n, g);
		fill_replica(n, g);
		if (!g)
			ss_members_fill(n);
		n->nrounds[g] = 0;
		n->seen[g] = ~0ull;
	}
	n->nsqes = 0;
	n->nfetches = 0;
	n->ran = false;
	n->looks = true;
	if (pxs_stores_start(&n->node))
		ss_fail("node %u does not start", n->i);
	ss_trace("node %u starts", n->i);
	if (!sim.failed)
		ss_converge_look(n);
	sim.at = NULL;
}

/* Those that were freed are known in the stores no more: this comes first. */
static void end_proposals(struct ss_node *n)
{
	u32 g;

	for (g = 0; g < SS_GROUPS; g++) {
		n->replica[g].gone = true;
		n->replica[g].elect.role = PXS_ROLE_FOLLOWER;
		pxs_proposals_abandon(&n->replica[g], PXS_CLIENT_UNKNOWN);
		pxs_index_reads_abandon(&n->replica[g], PXS_CLIENT_NOT_LEADER);
	}
}

/* The mark is of another boot: data.mdb is thrown away at the start. */
static void lose_power(struct ss_node *n)
{
	char name[300];
	FILE *f;
	u32 g;

	for (g = 0; g < SS_GROUPS; g++) {
		snprintf(name, sizeof(name), "%s/%u-%u/written-in-boot", ss_dir, n->i, g + 1);
		f = fopen(name, "w");
		if (f)
			fclose(f);
	}
	sim.stat.power++;
}

void ss_node_crash(struct ss_node *n, bool power)
{
	struct pxs_store *s;
	u32 i;

	sim.at = n;
	for (i = 0; i < SS_CLIENTS; i++)
		if (sim.client[i].node == n)
			ss_client_lost(&sim.client[i]);
	for (s = n->node.stores; s; s = s->next) {
		if (s->db.txn)
			pxs_db_abort(&s->db);
		sim.stat.committed += s->db.state.committed;
		sim.stat.aborted += s->db.state.aborted;
		s->stalled = -EIO;	/* nothing is synced, and the mark stays */
	}
	n->nfetches = 0;
	end_proposals(n);
	if (n->node.quiet)
		n->node.quiet(&n->node);
	n->node.let_go(&n->node);
	n->njobs = 0;
	n->nsqes = 0;
	for (i = 0; i < SS_GROUPS; i++) {
		free(n->config[i].directory);
		if (sim.log[i].leader == n->i)
			sim.log[i].leader = SS_NODES;
	}
	n->up = false;
	ss_wires_died(n, power);
	if (power)
		lose_power(n);
	sim.at = NULL;
}

/* --- a round -------------------------------------------------------------------------------- */

static bool step_replicas(struct ss_node *n)
{
	bool did = false;
	u32 g;

	for (g = 0; g < SS_GROUPS; g++) {
		did |= pxs_proposals_step(&n->replica[g]);
		did |= pxs_index_reads_step(&n->replica[g]);
	}
	return did;
}

static void tick(struct ss_node *n)
{
	u64 now = n->node.loop.now;
	u32 g;

	if (now - n->ticked < PXS_LOOP_TICK_MS)
		return;
	n->ticked = now;
	for (g = 0; g < SS_GROUPS; g++) {
		pxs_proposals_tick(&n->replica[g], now);
		pxs_index_reads_tick(&n->replica[g], now);
	}
	pxs_loop_run_tickers(&n->node.loop);
}

void ss_node_round(struct ss_node *n)
{
	u32 rounds = 0;
	bool did;

	sim.at = n;
	n->node.loop.now = sim.now + 1000;
	ss_log_hear(n);
	ss_shell_round(n);
	tick(n);
	do {
		did = step_replicas(n);
		did |= pxs_loop_run_hooks(&n->node.loop);
	} while (did && ++rounds < ROUNDS_MAX && !sim.failed);
	if (rounds == ROUNDS_MAX)
		ss_fail("node %u: a round does not end", n->i);
	ss_state_look(n);
	ss_converge_look(n);
	ss_members_look(n);
	sim.at = NULL;
}
