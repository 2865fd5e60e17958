// SPDX-License-Identifier: GPL-2.0
/*
 * ending.c - the daemon ends in order
 *
 * What arrived becomes durable, so that the next start has less to ask for, and a memory group has
 * forgotten nothing (S2). The other members go on meanwhile: what they send must not keep us here.
 *
 * Belongs to the loop.
 */
#include "node.h"

void pxs_node_end(struct pxs_node *n)
{
	u32 i;

	for (i = 0; i < n->nreplicas; i++) {
		struct pxs_replica *r = &n->replica[i];

		if (!r->gone && r->elect.role == PXS_ROLE_LEADER)
			n->dp->ops->resign(n->dp, r->id);
		/* One that is fenced, deleted, or not active yet can settle nothing. */
		r->settling = !r->gone && r->started && r->config->conf.memory;
		pxs_replica_stop(r);
	}
	n->unsettled = n->opened;
}

static void settle(struct pxs_node *n)
{
	int err = n->dp->ops->settle(n->dp);
	u32 i;

	n->unsettled = err == -EAGAIN || err == -ENOMEM;
	if (!err || n->unsettled)
		return;
	/* The datapath is gone, or another agent's. */
	for (i = 0; i < n->nreplicas; i++)
		n->replica[i].settling = false;
}

/* Has the word of each memory group that its answers wait for the disk arrived, and up to @lsn? */
static bool settled(const struct pxs_node *n, u64 lsn)
{
	u32 i;

	for (i = 0; i < n->nreplicas; i++) {
		const struct pxs_replica *r = &n->replica[i];

		if (r->settling && (r->memory || r->memory_lsn > lsn))
			return false;
	}
	return true;
}

bool pxs_node_ended(struct pxs_node *n)
{
	const struct pxs_journal *j = &n->journal;

	if (!n->opened || j->failed || n->deaf)
		return true;
	if (n->unsettled)
		settle(n);
	if (n->unsettled || !settled(n, ~0ull))
		return false;
	/* All that answers rest on has arrived; what comes behind it is the next agent's. */
	n->sealed = true;
	/* Without room on the disk the rest may wait for ever, and no answer rests on it. */
	return settled(n, j->durable) && (pxs_journal_idle(j) || (j->full && j->spare.error));
}
