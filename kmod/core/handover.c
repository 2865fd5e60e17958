// SPDX-License-Identifier: GPL-2.0
/*
 * handover.c - a leader hands over
 *
 * As TimeoutNow in Raft (D. Ongaro, Consensus, 2014, section 3.10): no new slots; when the other
 * one has all that there are, it is told to stand at once. Nothing rests on any of this: whoever
 * stands wins phase 1 or not, and a leader that waits in vain goes on with the ballot it has. So
 * TRANSFER may be lost, repeated, or come when we lead on: at worst it costs an election. A lease
 * does rest on who may stand: with this ballot we have none any more (lease.h).
 */
#include "handover.h"
#include "leader.h"
#include "lease.h"

int pxs_group_transfer(struct pxs_group *g, u8 to, u64 now, struct pxs_out *out)
{
	if (to >= pxs_group_voters(&g->conf) || to == g->conf.self)
		return -EINVAL;
	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (!g->lead_ballot)
		return -ENOTCONN;
	if (g->hand.on)
		return -EBUSY;
	g->hand = (struct pxs_handover){
		.on = true, .to = to, .until = now + g->conf.election_ms,
	};
	/* Its answer says what it has. */
	pxs_leader_beat(g, now, out);
	return 0;
}

/* Does the other one have every slot? Then it may stand. */
static bool is_ready(const struct pxs_group *g)
{
	return g->hand.on && g->hand.heard && g->commit + 1 == g->next_slot &&
	       g->hand.commit >= g->commit;
}

static void tell(struct pxs_group *g, struct pxs_out *out)
{
	/* Before it leaves: who hears it passes by those who granted us one. */
	pxs_lease_give_up(g);
	if (pxs_out_send(g, out, PXS_WIRE_TRANSFER, 1ull << g->hand.to, g->lead_ballot,
			 g->next_slot))
		g->hand.told = true;
}

void pxs_handover_heard(struct pxs_group *g, const struct pxs_msg *m, u8 from, struct pxs_out *out)
{
	if (!g->hand.on || from != g->hand.to || m->ballot != g->lead_ballot)
		return;
	g->hand.heard = true;
	g->hand.commit = max(g->hand.commit, m->commit);
	if (!g->hand.told && is_ready(g))
		tell(g, out);
}

void pxs_handover_tick(struct pxs_group *g, u64 now, bool healthy, struct pxs_out *out)
{
	if (!g->hand.on)
		return;
	if (now >= g->hand.until) {
		g->hand.on = false;
		pxs_out_leader(out, PXS_LEADER_RESUMED, g->lead_ballot);
		return;
	}
	/* The beat goes first: who hears it later than TRANSFER takes it for a replay. */
	if (healthy)
		pxs_leader_beat(g, now, out);
	if (is_ready(g))
		tell(g, out);
}
