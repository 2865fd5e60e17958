// SPDX-License-Identifier: GPL-2.0
/*
 * stuck.c - when all is well again, the disk of one that leads stands still on
 *
 * Its clients read on, and one comes now and then that writes. It must be replaced all the same,
 * wherever the others are enough to do so; then its disk moves again. Nothing is drawn: which
 * schedules have this, and what happens in them before, is as it would be without.
 */
#include "sim.h"

bool sim_leads(const struct sim_node *n)
{
	u32 g;

	for (g = 0; g < SIM_GROUPS; g++)
		if (n->part[g].there && n->part[g].core.lead_ballot)
			return true;
	return false;
}

/* May all groups of node @but choose another leader, and does none of them wait for it alone? */
static bool is_replaceable(const struct sim *s, u32 but)
{
	const struct sim_group *sg;
	const struct sim_node *n;
	u32 g, i, others;

	for (g = 0; g < s->p.groups; g++) {
		if (sim_part_of(s, g, but) < 0)
			continue;
		sg = &s->group[g];
		for (i = 0, others = 0; i < sg->n; i++) {
			n = &s->node[sg->node[i]];
			others += sg->node[i] != but && !n->lost && !n->reborn;
		}
		if (others < (sg->phase1 ? sg->phase1 : sg->n / 2u + 1))
			return false;
	}
	return true;
}

void sim_stuck_begin(struct sim *s)
{
	u32 i;

	/* Who votes, and who may have to learn first, is plain without these. */
	if (!(s->p.faults >> F_STALL & 1) || s->p.memory ||
	    s->p.faults & (1ull << F_ROT | 1ull << F_DAMAGE | 1ull << F_SWAP | 1ull << F_MEMBER))
		return;
	for (i = 0; i < s->p.n && !s->stuck; i++)
		if (sim_leads(&s->node[i]) && is_replaceable(s, i))
			s->stuck = i + 1;
	if (s->stuck)
		TRACE(s, "node %u: disk stuck while it leads", s->stuck - 1);
}

void sim_stuck_step(struct sim *s)
{
	if (!s->stuck || sim_leads(&s->node[s->stuck - 1]))
		return;
	TRACE(s, "node %u: leads no more, its disk moves again", s->stuck - 1);
	s->stuck = 0;
	s->stat.replaced++;
	s->p.end = s->now + 60000;
}

bool sim_is_stuck(const struct sim *s, const struct sim_node *n)
{
	return s->stuck == sim_index(s, n) + 1;
}

/* More often than an election time-out: as good as beats, until the window is full. */
bool sim_stuck_writes(struct sim *s, const struct sim_node *n, u32 g)
{
	if (!sim_is_stuck(s, n) || s->now < s->stuck_wrote[g] + s->p.election / 2)
		return false;
	s->stuck_wrote[g] = s->now;
	return true;
}
