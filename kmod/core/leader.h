/* SPDX-License-Identifier: GPL-2.0 */
/*
 * leader.h - slots, votes and heartbeats of a leader; used by group.c only
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_LEADER_H
#define PXS_CORE_LEADER_H

#include "group.h"

/* Member index @from has [slot, slot + count) durably at @ballot. Idempotent (S10). */
void pxs_leader_accepted(struct pxs_group *g, u64 ballot, u64 slot, u32 count, u8 from,
			 struct pxs_out *out);

/* Heartbeats, and accepts that nobody or too few answered. */
void pxs_leader_tick(struct pxs_group *g, u64 now, struct pxs_out *out);

/* A heartbeat, now. */
void pxs_leader_beat(struct pxs_group *g, u64 now, struct pxs_out *out);

/*
 * Is something decided that the others were not told, and that nothing in flight will tell? They
 * hear of it at the next tick: followers apply it, and their readers see it, without a heartbeat's
 * wait.
 */
static inline bool pxs_leader_untold(const struct pxs_group *g)
{
	return g->lead_ballot && g->told < g->commit && g->next_slot == g->commit + 1;
}

/* Has a quorum answered our ballot within two election time-outs? */
bool pxs_leader_heard(const struct pxs_group *g, u64 now);

/*
 * A higher ballot is about, or (@higher is ours) nobody answers any more: stop leading, and
 * asking, and tell the agent.
 */
void pxs_leader_preempted(struct pxs_group *g, u64 higher, struct pxs_out *out);

#endif /* PXS_CORE_LEADER_H */
