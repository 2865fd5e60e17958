// SPDX-License-Identifier: GPL-2.0
/*
 * members.c - members of the first group, by which eventual keys go, leave and come back as others
 *
 * Who leaves may hear of it late, or never: it goes on as before, with whoever has not heard of it
 * either. Who comes in its place, under its id, has a new journal, and no table. Each of the others
 * goes over to the next epoch when it hears of that. The logs themselves go by all nodes, always:
 * ../sim has changes of theirs.
 */
#include <stdio.h>

#include "sim_store.h"

#define HEARS		60u	/* per mille of steps */
#define LEARNS		500u	/* likewise of those who leave: they hear of it at all */

/* Of odd epochs all nodes are members. Who comes back is another one then. */
static u64 incarnation(const struct ss_node *n, u64 epoch)
{
	u64 e, came = 0;

	for (e = 2; e <= epoch; e += 2)
		came += sim.left[e / 2] == n->i;
	return n->i + 7 + 100 * came;
}

void ss_members_fill(struct ss_node *n)
{
	struct pxs_group_config *g = &n->group[0];
	struct pxs_group_conf *conf = &g->conf;
	u32 i, k = 0;

	for (i = 0; i < SS_NODES; i++) {
		if (!(n->epoch % 2) && sim.left[n->epoch / 2] == i)
			continue;
		if (i == n->i)
			conf->self = (u8)k;
		conf->member[k].id = (u8)(i + 1);
		conf->member[k].incarnation = incarnation(&sim.node[i], n->epoch);
		snprintf(g->where[k++], sizeof(g->where[k]), "127.0.0.1:%u", 7000 + i);
	}
	conf->nmembers = (u8)k;
	conf->epoch = n->epoch;
	n->replica[0].members.removed = n->removed;
}

bool ss_members_gone(const struct ss_node *n)
{
	return !(sim.epoch % 2) && sim.left[sim.epoch / 2] == n->i;
}

static void leave(struct ss_node *n)
{
	sim.left[++sim.epoch / 2] = (u8)n->i;
	n->deaf_to_it = !ss_chance(LEARNS);
	ss_trace("node %u is removed, epoch %llu", n->i, U(sim.epoch));
	ss_converge_gone();
	sim.stat.removed++;
}

/* Its machine is another one. */
static void come(struct ss_node *n)
{
	char path[300];

	ss_trace("another node %u comes, epoch %llu", n->i, U(sim.epoch + 1));
	if (n->up)
		ss_node_crash(n, false);
	n->up_at = sim.now;
	snprintf(path, sizeof(path), "%s/%u-1", ss_dir, n->i);
	ss_remove(path);
	ss_eventual_lost(n);
	ss_converge_lost(n);
	n->epoch = ++sim.epoch;
	n->removed = 0;
}

void ss_members_change(void)
{
	if (sim.epoch % 2 && sim.epoch / 2 + 1 < SS_CHANGES)
		leave(&sim.node[ss_random(SS_NODES)]);
	else
		ss_members_heal();
}

void ss_members_heal(void)
{
	if (!(sim.epoch % 2))
		come(&sim.node[sim.left[sim.epoch / 2]]);
}

void ss_members_hear(struct ss_node *n)
{
	if (n->epoch == sim.epoch || n->removed || !ss_hears(n) || !ss_chance(HEARS))
		return;
	if (!((n->epoch + 1) % 2) && sim.left[(n->epoch + 1) / 2] == n->i) {
		if (!n->deaf_to_it)
			n->removed = n->epoch + 1;
	} else {
		n->epoch++;
	}
	ss_trace("node %u is in epoch %llu%s", n->i, U(n->epoch), n->removed ? ", and removed" : "");
	ss_members_fill(n);
}

void ss_members_look(const struct ss_node *n)
{
	const struct pxs_eventual *ev = ss_store(n, 0)->eventual;
	const struct ss_node *by;
	u32 i;

	for (i = 0; sim.changes && i < ev->peers && !sim.failed; i++) {
		by = &sim.node[ev->pull[i].id - 1];
		if (!ev->pull[i].over || !by->removed)
			continue;
		sim.stat.parted++;
		ss_converge_told(n, by);
	}
}
