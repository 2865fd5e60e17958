// SPDX-License-Identifier: GPL-2.0
/*
 * fault.c - what goes wrong in a schedule, and when it ends
 *
 * Each schedule draws its own classes of faults (swarm testing: A. Groce and others,
 * ISSTA 2012): a fault that every run has hides what only its absence would show.
 */
#include "sim.h"

u32 sim_exclude;

void sim_fault_draw(struct sim *s)
{
	struct sim_param *p = &s->p;
	u32 minority;
	u64 kinds;

	p->n = sim_below(s, 3) ? 3 : 5;
	p->window = sim_below(s, 4) ? 64 : 128;
	p->heartbeat = 10 + (u32)sim_below(s, 30);
	p->election = p->heartbeat * (3 + (u32)sim_below(s, 5));
	p->faults = (u32)sim_random(s);
	kinds = sim_below(s, 4);
	if (kinds < 2)
		p->faults &= (u32)sim_random(s);
	else if (kinds == 2)
		p->faults |= (u32)sim_random(s);
	if (sim_below(s, 4))
		p->faults &= ~(1u << F_BIG);
	/* Large values in flight: promises of several pages. */
	if (sim_below(s, p->faults >> F_BIG & 1 ? 2 : 4))
		p->faults &= ~(1u << F_BUSY);
	p->faults &= ((1u << F_MAX) - 1) & ~sim_exclude;
	p->loss = (u32)sim_below(s, 250);
	p->dup = (u32)sim_below(s, 250);
	p->late = (u32)sim_below(s, 100);
	p->net_ms = 1 + (u32)sim_below(s, 6);
	p->disk_ms = 1 + (u32)sim_below(s, 10);
	p->rest = !sim_below(s, 3) ? 1 : 1 + (u32)sim_below(s, 30);
	p->fault_ms = 20 + (u32)sim_below(s, 300);
	minority = (p->n - 1) / 2;
	for (p->rot = 0; minority; minority--)
		p->rot |= 1u << sim_below(s, p->n);
	p->heal = s->now + 500 + sim_below(s, 3000);
	p->end = p->heal + 60000;
}

/* Values in the durable part lose a bit each. */
static void rot(struct sim *s, struct sim_node *n)
{
	struct sim_journal *j = &n->journal;
	u32 one_in = 1 + (u32)sim_below(s, 40);
	struct pxs_record r;
	u32 at;

	for (at = 0; at < j->durable; at += pxs_record_size(r.len)) {
		int ret = pxs_record_get(j->buf + at, j->durable - at, &r);

		if (ret != PXS_RECORD_OK && ret != PXS_RECORD_BAD_VALUE)
			return;
		if (!r.len || sim_below(s, one_in))
			continue;
		j->buf[at + PXS_RECORD_HDR_LEN + sim_below(s, r.len)] ^= 1u << sim_below(s, 8);
		s->stat.faults++;
		s->stat.by_fault[F_ROT]++;
	}
}

void sim_node_crash(struct sim *s, struct sim_node *n)
{
	u32 i = sim_index(s, n);

	if (!n->mod.up)
		return;
	TRACE(s, "node %u: power lost", i);
	sim_agent_crash(s, n);
	sim_module_crash(s, n);
	if (sim_has(s, F_ROT) && s->p.rot >> i & 1)
		rot(s, n);
	sim_post(s, s->now + 1 + sim_below(s, sim_below(s, 2) ? 3 : 3 * s->p.election), E_BOOT,
		 (u8)i, 0);
}

void sim_node_crash_soon(struct sim *s, struct sim_node *n)
{
	sim_post(s, s->now, E_CRASH, (u8)sim_index(s, n), n->mod.life);
}

/* Whoever leads is hit more often, all but one in @fair times: there a fault matters. */
static u32 victim(struct sim *s, u32 fair)
{
	u32 i;

	if (sim_below(s, fair))
		for (i = 0; i < s->p.n; i++)
			if (s->node[i].mod.up && s->node[i].mod.group.lead_ballot)
				return i;
	return (u32)sim_below(s, s->p.n);
}

static void mend_later(struct sim *s, u32 from, u32 to, u64 ms)
{
	struct sim_event *e = sim_post(s, s->now + ms, E_MEND, 0, 0);

	s->cut[from][to]++;
	e->a = from;
	e->b = to;
}

static void cut_link(struct sim *s)
{
	u32 from = victim(s, 2);
	u32 to = (u32)sim_below(s, s->p.n);

	mend_later(s, from, to, 1 + sim_below(s, 4 * s->p.election));
	if (sim_below(s, 2))
		mend_later(s, to, from, 1 + sim_below(s, 4 * s->p.election));
}

void sim_fault_stop(struct sim *s, u32 i, u64 ms)
{
	if (!s->healed)
		s->node[i].stopped = max(s->node[i].stopped, s->now + ms);
}

static void stop_later(struct sim *s, u32 i, u64 ms)
{
	struct sim_event *e = sim_post(s, s->now + sim_below(s, ms), E_STOP, (u8)i, 0);

	e->a = ms + sim_below(s, 2 * s->p.election);
}

/* Two sets that do not reach each other; a third of the nodes may reach both. */
static void partition(struct sim *s)
{
	u64 ms = 1 + sim_below(s, 6 * s->p.election);
	bool one_way = !sim_below(s, 3);
	u32 both = sim_below(s, 3) ? 0 : 1u << sim_below(s, s->p.n);
	u32 side = (u32)sim_random(s);
	u32 alone = victim(s, 4);
	u32 i, j;

	/*
	 * One against all. Its agent may fall asleep meanwhile, with values proposed that nobody
	 * else has, and sleep on when the others can be heard again.
	 */
	if (sim_below(s, 2)) {
		side = 1u << alone;
		both &= ~side;
		if (sim_chance(s, F_STOP, 1))
			stop_later(s, alone, ms);
	}

	for (i = 0; i < s->p.n; i++) {
		for (j = 0; j < s->p.n; j++) {
			if ((both >> i & 1) || (both >> j & 1))
				continue;
			if ((side >> i & 1) && !(side >> j & 1)) {
				mend_later(s, i, j, ms);
				if (!one_way)
					mend_later(s, j, i, ms);
			}
		}
	}
}

static void strike(struct sim *s, enum sim_fault f)
{
	u32 i = victim(s, 2);
	struct sim_node *n = &s->node[i];

	switch (f) {
	case F_CUT:
		cut_link(s);
		break;
	case F_PART:
		partition(s);
		break;
	case F_AGENT:
		if (!n->agent.up || n->dead)
			return;
		sim_agent_crash(s, n);
		sim_post(s, s->now + 1 + sim_below(s, sim_below(s, 2) ? 3 : 3 * s->p.election),
			 E_START, (u8)i, 0);
		break;
	case F_NODE:
		sim_node_crash(s, n);
		break;
	case F_PAUSE:
		n->paused = max(n->paused, s->now + 1 + sim_below(s, 4 * s->p.election));
		break;
	case F_STOP:
		sim_fault_stop(s, i, 1 + sim_below(s, 4 * s->p.election));
		break;
	default:
		return;
	}
	TRACE(s, "fault %u at node %u", f, i);
	s->stat.faults++;
	s->stat.by_fault[f]++;
}

void sim_fault_strike(struct sim *s)
{
	static const u8 kind[] = { F_CUT, F_PART, F_AGENT, F_NODE, F_PAUSE, F_STOP };
	enum sim_fault f = kind[sim_below(s, ARRAY_SIZE(kind))];

	if (s->healed)
		return;
	if (sim_has(s, f))
		strike(s, f);
	sim_post(s, s->now + 1 + sim_below(s, 2 * s->p.fault_ms), E_FAULT, 0, 0);
}

void sim_fault_mend(struct sim *s, struct sim_event *e)
{
	s->cut[e->a][e->b]--;
}

/* From here on nothing fails: whatever is down comes back, and the cluster must too. */
void sim_fault_heal(struct sim *s)
{
	s->healed = true;	/* what is stopped goes on when its time has come */
	s->heal_vid = s->next_vid;
	TRACE(s, "healed");
}
