// SPDX-License-Identifier: GPL-2.0
/*
 * held.c - up to which slot every member has what was decided
 */
#include "held.h"

#define TELL_TIMES	3	/* a datagram may be lost, and then nothing new may come for long */

static u64 lowest(const struct pxs_group *g)
{
	u64 low = g->commit;
	u8 i;

	for (i = 0; i < g->conf.nmembers; i++)
		if (i != g->conf.self)
			low = min(low, g->has[i]);
	return low;
}

void pxs_held_beat(struct pxs_group *g, struct pxs_out *out)
{
	u64 all = pxs_group_others(g);
	u64 low = lowest(g);

	if (low > g->held) {
		g->held = low;
		g->held_tell = TELL_TIMES;
	}
	/* Who led before us may have told us of more than we know to be decided. */
	if (g->held > g->commit)
		return;
	if (g->held_tell && pxs_out_send(g, out, PXS_WIRE_HELD, all, g->lead_ballot, g->held))
		g->held_tell--;
}
