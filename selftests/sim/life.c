// SPDX-License-Identifier: GPL-2.0
/*
 * life.c - the agent half of a node: how it starts and how it ends
 */
#include <stdlib.h>

#include "sim.h"

struct pxs_replica *sim_replica(const struct sim_node *n, u32 g)
{
	if (!n->agent.open)
		return NULL;
	return pxs_node_replica(n->agent.node, SIM_GROUP + g);
}

void sim_agent_start(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;

	if (!n->mod.up || n->lost)
		return;
	memset(a->io, 0, sizeof(a->io));
	a->up = true;
	a->life++;
	TRACE(s, "node %u: agent starts, life %u", sim_index(s, n), a->life);
	sim_post(s, s->now + 1 + sim_below(s, 2 * s->p.disk_ms), E_OPEN, (u8)sim_index(s, n),
		 a->life);
}

/* The daemon did not come up: for a reason that we know? */
static void not_opened(struct sim *s, struct sim_node *n, int err)
{
	u32 i = sim_index(s, n);

	TRACE(s, "node %u: agent does not come up: %d", i, err);
	sim_agent_end(s, n, false);
	if (n->disk.refused || (err == -EIO && n->dead)) {
		if (!n->dead)
			sim_post(s, s->now + 1 + sim_below(s, 2 * s->p.election), E_START, (u8)i,
				 0);
		return;
	}
	if (!n->damaged && !n->reborn)
		sim_fail(s, "node %u: the agent does not come up (%d): %s", i, err,
			 sim_last_error());
	n->lost = true;
	s->stat.lost++;
}

void sim_agent_open(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	int ret;

	a->node = calloc(1, sizeof(*a->node));
	if (!a->node)
		abort();
	sim_enter(s, n);
	a->node->loop.now = sim_clock(s, n);
	n->disk.refused = false;
	sim_configure(s, n, a->node);
	ret = pxs_node_open(a->node, true);
	if (s->failed)
		return;
	if (ret) {
		not_opened(s, n, ret);
		return;
	}
	a->open = true;
	TRACE(s, "node %u: agent is up, epoch %llu, LSN %llu is next", sim_index(s, n),
	      U(a->epoch), U(a->node->journal.next_lsn));
	sim_agent_settle(s, n);
	sim_module_pump(s, n);
	sim_post(s, s->now + sim_below(s, PXS_LOOP_TICK_MS), E_AGENT, (u8)sim_index(s, n), a->life);
}

/* It ends, in order or not. In order it leaves a hint, and gives leadership back. */
void sim_agent_end(struct sim *s, struct sim_node *n, bool clean)
{
	struct sim_agent *a = &n->agent;
	struct pxs_node *node = a->node;
	u32 g;

	if (!a->up)
		return;
	TRACE(s, "node %u: agent %s", sim_index(s, n), clean ? "ends" : "dies");
	sim_enter(s, n);
	clean &= a->open;
	if (clean && !a->ending) {
		pxs_node_end(node);
		pxs_node_ended(node);
	}
	for (g = 0; node && g < node->nreplicas; g++) {
		pxs_proposals_abandon(&node->replica[g], PXS_CLIENT_UNKNOWN);
		pxs_index_reads_abandon(&node->replica[g], PXS_CLIENT_UNKNOWN);
	}
	sim_ring_killed(s, n);
	if (node) {
		node->exit_code = !clean;
		pxs_node_close(node);
		free(node->config.group);
	}
	sim_fd_close_all(n);
	free(node);
	if (a->attached)
		pxs_stage_detach(&n->mod.stage);
	a->node = NULL;
	a->up = false;
	a->open = false;
	a->ending = false;
	a->attached = false;
}
