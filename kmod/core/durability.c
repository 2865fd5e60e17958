// SPDX-License-Identifier: GPL-2.0
/*
 * durability.c - when answers begin to wait for memory only, and when they no longer do
 *
 * See durability.h for the rule. Without credit nothing changes: the next tick, or the agent,
 * tries again.
 */
#include "durability.h"

static u64 stage_durability(struct pxs_group *g, enum pxs_durability durability)
{
	struct pxs_record r = {
		.group = g->conf.id,
		.type = PXS_RECORD_DURABILITY,
		.slot = durability,
	};
	u64 lsn = pxs_stage_append(g->stage, &r, NULL);

	if (!lsn)
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
	return lsn;
}

void pxs_durability_tick(struct pxs_group *g)
{
	if (g->conf.memory && !g->memory_lsn && !g->ending)
		g->memory_lsn = stage_durability(g, PXS_DURABILITY_MEMORY);
}

int pxs_group_settle(struct pxs_group *g)
{
	if (g->state != PXS_GROUP_ACTIVE)
		return 0;
	g->ending = true;
	if (!g->memory_lsn)
		return 0;
	if (!stage_durability(g, PXS_DURABILITY_DISK))
		return -EAGAIN;
	g->memory_lsn = 0;
	return 0;
}

/* It may yet find that it cannot start: what waits for the disk goes on to do so. */
void pxs_group_attached(struct pxs_group *g)
{
	pxs_group_resign(g);
}

void pxs_group_taken_over(struct pxs_group *g)
{
	g->ending = false;
	pxs_group_resign(g);
}
