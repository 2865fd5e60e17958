// SPDX-License-Identifier: GPL-2.0
/*
 * lease.c - a leader that answers reads by its clock, without asking anybody
 *
 * See lease.h for the rules, and why they are enough. What is granted is in memory only: a member
 * that forgot it promises nothing until it must be over.
 */
#include "lease.h"
#include "quorum.h"

/* --- who follows ------------------------------------------------------------ */

void pxs_lease_restart(struct pxs_group *g)
{
	if (g->conf.lease_drift)
		g->lease.mute = g->now + g->conf.election_ms;
}

u16 pxs_lease_grant(struct pxs_group *g, const struct pxs_msg *m)
{
	struct pxs_lease *l = &g->lease;

	if (!g->conf.lease_drift || !m->count || m->count > g->conf.election_ms ||
	    !pxs_group_votes(g))
		return 0;
	/* Who leads with a higher one may have a lease: it is the only one that we know of. */
	if (m->ballot < l->granted)
		return 0;
	l->granted = m->ballot;
	l->until = max(l->until, g->now + m->count);
	return m->count;
}

bool pxs_lease_bars(const struct pxs_group *g, u8 from, u64 given_up)
{
	const struct pxs_lease *l = &g->lease;

	if (g->now < l->mute)
		return true;
	if (g->now >= l->until || pxs_ballot_member(l->granted) == g->conf.member[from].id)
		return false;
	return given_up < l->granted;
}

/* --- who leads -------------------------------------------------------------- */

void pxs_lease_round(struct pxs_group *g, u64 now)
{
	struct pxs_lease *l = &g->lease;

	l->used = false;
	l->round = 0;
	if (!g->conf.lease_drift || l->given_up == g->lead_ballot)
		return;
	l->round = g->read.round;
	l->sent = now;
	pxs_quorum_start(&l->heard, pxs_group_phase2(&g->conf), g->lead_ballot);
	pxs_quorum_add(&l->heard, g->conf.self, g->lead_ballot);
}

u16 pxs_lease_wish(const struct pxs_group *g)
{
	return g->lease.round ? (u16)g->conf.election_ms : 0;
}

void pxs_lease_answered(struct pxs_group *g, const struct pxs_msg *m, u8 from)
{
	struct pxs_lease *l = &g->lease;

	if (!l->round || m->arg != l->round || m->count != g->conf.election_ms)
		return;
	if (!pxs_quorum_add(&l->heard, from, m->ballot) || !pxs_quorum_reached(&l->heard))
		return;
	l->ballot = m->ballot;
	l->end = l->sent + pxs_lease_ms(&g->conf);
}

bool pxs_lease_holds(const struct pxs_group *g, u64 now)
{
	const struct pxs_lease *l = &g->lease;

	return g->lead_ballot && l->ballot == g->lead_ballot && l->given_up != g->lead_ballot &&
	       now < l->end;
}

bool pxs_lease_wanes(const struct pxs_group *g, u64 now)
{
	const struct pxs_lease *l = &g->lease;

	return l->used && l->ballot == g->lead_ballot && l->given_up != g->lead_ballot &&
	       now + pxs_lease_ms(&g->conf) / 2 >= l->end;
}

void pxs_lease_give_up(struct pxs_group *g)
{
	g->lease.given_up = g->lead_ballot;
	g->lease.round = 0;
}
