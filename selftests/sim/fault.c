// SPDX-License-Identifier: GPL-2.0
/*
 * fault.c - what goes wrong in a schedule, and when it ends
 *
 * Each schedule draws its own classes of faults (swarm testing: A. Groce and others,
 * ISSTA 2012): a fault that every run has hides what only its absence would show. Each strike
 * has random numbers of its own, so that one can be left out and the others stay (shrink.c).
 */
#include "sim.h"

u64 sim_exclude;

static u64 param(struct sim *s, u64 n)
{
	return n ? sim_draw(s, R_PARAM) % n : 0;
}

static u64 hit(struct sim *s, u64 n)
{
	return n ? sim_draw(s, R_HIT) % n : 0;
}

static void draw_faults(struct sim *s)
{
	struct sim_param *p = &s->p;
	u64 kinds;

	p->faults = (u32)sim_draw(s, R_PARAM);
	kinds = param(s, 4);
	if (kinds < 2)
		p->faults &= (u32)sim_draw(s, R_PARAM);
	else if (kinds == 2)
		p->faults |= (u32)sim_draw(s, R_PARAM);
	if (param(s, 4))
		p->faults &= ~(1ull << F_BIG);
	/* These do not go together: see trim(). */
	if (p->faults >> F_TRIM & 1 && param(s, 2))
		p->faults &= ~(1ull << F_ROT | 1ull << F_DAMAGE | 1ull << F_SWAP);
	/* Large values in flight: promises of several pages. */
	if (param(s, p->faults >> F_BIG & 1 ? 2 : 4))
		p->faults &= ~(1ull << F_BUSY);
	p->faults &= ~sim_exclude & ~s->less.faults;
}

/* Members are neighbours on a ring of nodes; a single group has no others beside it. */
static void draw_groups(struct sim *s)
{
	struct sim_param *p = &s->p;
	u32 g, i, start, most = 0;
	u64 kind = param(s, 6);
	u32 nodes = (u32)param(s, SIM_NODES + 1);
	u32 cap = s->less.nodes ? s->less.nodes : SIM_NODES;

	p->groups = kind < 3 ? 1 : kind < 5 ? 2 : 3;
	for (g = 0; g < SIM_GROUPS; g++) {
		s->group[g].id = SIM_GROUP + g;
		s->group[g].n = param(s, 3) || cap < 5 ? 3 : 5;
		s->group[g].founders = s->group[g].n;
		most = g < p->groups ? max(most, s->group[g].n) : most;
	}
	p->n = p->groups == 1 ? most : max(most, nodes);
	p->n = min(p->n, max(cap, most));
	for (g = 0; g < SIM_GROUPS; g++) {
		start = g ? (u32)param(s, 5040) % p->n : 0;
		for (i = 0; i < s->group[g].n; i++)
			s->group[g].node[i] = (u8)((start + i) % p->n);
	}
	if (s->less.groups)
		p->groups = min(p->groups, s->less.groups);
}

/* Whose disks may rot: less than half of each group. */
static void draw_weak(struct sim *s)
{
	u32 tries, i, g, k, bad, weak;

	for (tries = 0; tries < 4; tries++) {
		weak = s->p.weak | 1u << param(s, s->p.n);
		for (g = 0, bad = 0; g < s->p.groups; g++) {
			for (i = 0, k = 0; i < s->group[g].n; i++)
				k += weak >> s->group[g].node[i] & 1;
			bad |= k > (s->group[g].n - 1) / 2u;
		}
		if (!bad)
			s->p.weak = weak;
	}
}

/* Members come and go; disks keep what they have, or a majority might come to be weak ones. */
static void draw_members(struct sim *s)
{
	struct sim_param *p = &s->p;
	u32 g, k, n = p->n;

	if (param(s, 2) || (sim_exclude | s->less.faults) >> F_MEMBER & 1)
		return;
	p->faults |= 1ull << F_MEMBER;
	p->faults &= ~(1ull << F_ROT | 1ull << F_DAMAGE | 1ull << F_SWAP);
	p->n = min(n + 1 + (u32)param(s, 2), (u32)SIM_NODES);
	for (g = 0; g < p->groups; g++)
		for (k = 0; k < p->n; k++)
			if (sim_part_of(s, g, k) < 0)
				s->group[g].node[s->group[g].n++] = (u8)k;
}

/*
 * Leases, and the bound for the clocks that they rest on: not more than these differ. Some run at
 * very different rates, and for long: a lease that ends too late by little is seen by nobody.
 */
static void draw_leases(struct sim *s)
{
	struct sim_param *p = &s->p;
	bool wide = param(s, 2);
	s64 most = 0;
	u32 i;

	if (param(s, 2))
		return;
	p->election *= wide ? 4 : 1;
	for (i = 0; i < p->n; i++) {
		if (wide && p->faults >> F_SKEW & 1)
			s->node[i].skew = (s64)param(s, 2) * 600 - 300;
		most = max(most, max(s->node[i].skew, -s->node[i].skew));
	}
	/* The fastest clock against the slowest one, rounded up. */
	p->drift = (u32)(((1000 + most) * 1000 + 999 - most) / (1000 - most)) - 1000;
	p->drift = max(p->drift, 1u);
}

static void draw_most(struct sim *s)
{
	struct sim_param *p = &s->p;
	u32 i;

	draw_faults(s);
	draw_groups(s);
	draw_weak(s);
	p->window = param(s, 4) ? 64 : 128;
	p->heartbeat = 10 + (u32)param(s, 30);
	p->election = p->heartbeat * (3 + (u32)param(s, 5));
	/* DURABLE comes each 200 ms at least. */
	p->silence = p->election * (2 + (u32)param(s, 4)) + 250;
	p->loss = (u32)param(s, 250);
	p->dup = (u32)param(s, 250);
	p->late = (u32)param(s, 100);
	p->net_ms = 1 + (u32)param(s, 6);
	p->disk_ms = 1 + (u32)param(s, 10);
	p->rest = !param(s, 3) ? 1 : 1 + (u32)param(s, 30);
	p->fault_ms = 20 + (u32)param(s, 300);
	p->cache = param(s, 2) ? 1u << 20 : (u32)param(s, 8192);
	p->segment = PXS_SEGMENT_MIN * (1 + (u32)param(s, 2));
	p->flush = param(s, 3) ? PXS_FLUSH_FDATASYNC : PXS_FLUSH_DSYNC;
	p->heal = 500 + param(s, 3000);
	if (s->less.heal)
		p->heal = min(p->heal, s->less.heal);
	p->heal += s->now;
	p->end = p->heal + 60000;
	for (i = 0; i < p->n; i++)
		if (p->faults >> F_SKEW & 1)
			s->node[i].skew = (s64)param(s, 61) - 30;
	if (param(s, 4)) {
		draw_members(s);
		return;
	}
	p->memory = (u32)sim_draw(s, R_PARAM) & ((1u << p->groups) - 1);
	/* A fenced journal is memory that is lost. */
	if (p->memory)
		p->faults &= ~(1ull << F_FAIL | 1ull << F_WRITE);
}

/*
 * Sizes of quorums, as if all files said so: in each epoch 1, and where members change they change,
 * too. Not where a disk or a memory may lose what one member alone has accepted, or where a member
 * may be gone for good that phase 1 needs.
 */
static void draw_quorums(struct sim *s)
{
	struct sim_param *p = &s->p;
	u32 g, n, majority;

	for (g = 0; g < p->groups; g++) {
		n = s->group[g].founders;
		majority = n / 2 + 1;
		s->group[g].phase1 = 0;
		s->group[g].phase2 = 0;
		if (param(s, 2) || p->memory >> g & 1 ||
		    p->faults & (1ull << F_ROT | 1ull << F_DAMAGE | 1ull << F_SWAP))
			continue;
		s->group[g].phase2 = 1 + (u8)param(s, majority);
		s->group[g].phase1 = (u8)max(n + 1 - s->group[g].phase2, majority);
		if (s->group[g].phase1 < n && !param(s, 4))
			s->group[g].phase1++;
	}
}

void sim_fault_param(struct sim *s)
{
	draw_most(s);
	draw_leases(s);
	draw_quorums(s);
}

/* Its groups are deleted and its agent restarted: what an operator does after a failed flush. */
static void start_anew(struct sim *s, struct sim_node *n)
{
	sim_agent_end(s, n, false);
	sim_module_crash(s, n);
	n->mod.up = true;
	n->dead = false;
	sim_post(s, s->now + 1 + sim_below(s, 20), E_START, (u8)sim_index(s, n), 0);
}

void sim_node_crash(struct sim *s, struct sim_node *n)
{
	u32 i = sim_index(s, n);

	if (!n->mod.up)
		return;
	/* Who forgets votes no more: a minority at most, or nothing would be decided ever again. */
	if (sim_would_forget(n, SIM_GROUPS) && !(s->p.weak >> i & 1))
		return;
	if (n->dead && sim_below(s, 2)) {
		TRACE(s, "node %u: groups deleted, agent restarted", i);
		start_anew(s, n);
		return;
	}
	TRACE(s, "node %u: power lost", i);
	sim_agent_end(s, n, false);
	sim_module_crash(s, n);
	sim_disk_power_loss(s, &n->disk);
	if (s->p.weak >> i & 1 && sim_chance(s, F_ROT, 2))
		sim_rot(s, n);
	sim_post(s, s->now + 1 + sim_below(s, sim_below(s, 2) ? 3 : 3 * s->p.election), E_BOOT,
		 (u8)i, 0);
}

void sim_node_crash_soon(struct sim *s, struct sim_node *n)
{
	sim_post(s, s->now, E_CRASH, (u8)sim_index(s, n), n->mod.life);
}

void sim_fault_kill_soon(struct sim *s, struct sim_node *n, u64 ms)
{
	sim_post(s, s->now + ms, E_KILL, (u8)sim_index(s, n), n->agent.life);
}

/* Whoever leads is hit more often, all but one in @fair times: there a fault matters. */
static u32 victim(struct sim *s, u32 fair)
{
	u32 any = (u32)hit(s, s->p.n);
	u32 i;

	if (hit(s, fair))
		for (i = 0; i < s->p.n; i++)
			if (sim_leads(&s->node[(any + i) % s->p.n]))
				return (any + i) % s->p.n;
	return any;
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
	u32 to = (u32)hit(s, s->p.n);

	mend_later(s, from, to, 1 + hit(s, 4 * s->p.election));
	if (hit(s, 2))
		mend_later(s, to, from, 1 + hit(s, 4 * s->p.election));
}

void sim_fault_stop(struct sim *s, u32 i, u64 ms)
{
	if (!s->healed)
		s->node[i].stopped = max(s->node[i].stopped, s->now + ms);
}

static void stop_later(struct sim *s, u32 i, u64 ms)
{
	struct sim_event *e = sim_post(s, s->now + hit(s, ms), E_STOP, (u8)i, 0);

	e->a = ms + hit(s, 2 * s->p.election);
}

/* Two sets that do not reach each other; a third of the nodes may reach both. */
static void partition(struct sim *s)
{
	u64 ms = 1 + hit(s, 6 * s->p.election);
	bool one_way = !hit(s, 3);
	u32 both = hit(s, 3) ? 0 : 1u << hit(s, s->p.n);
	u32 side = (u32)sim_draw(s, R_HIT);
	u32 alone = victim(s, 4);
	u32 i, j;

	/*
	 * One against all. Its agent may fall asleep meanwhile, with values proposed that nobody
	 * else has, and sleep on when the others can be heard again.
	 */
	if (hit(s, 2)) {
		side = 1u << alone;
		both &= ~side;
		if (sim_chance(s, F_STOP, 1))
			stop_later(s, alone, ms);
	}
	TRACE(s, "partition of %x, %x reach both, for %llu ms", side & ((1u << s->p.n) - 1), both,
	      U(ms));
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

/* GROUP_DEL, where there are others: what is staged of it stays. The next agent adds it again. */
static void delete_group(struct sim *s, struct sim_node *n, u32 g)
{
	u32 i, there = 0;

	for (i = 0; i < s->p.groups; i++)
		there += n->part[i].there;
	if (there < 2 || !n->part[g].there)
		return;
	if (sim_would_forget(n, g) && !(s->p.weak >> sim_index(s, n) & 1))
		return;
	TRACE(s, "node %u group %u: deleted", sim_index(s, n), g);
	sim_module_group_del(n, g);
}

/* It begins to end in order: what its groups answered in memory goes to disk. */
static void begin_to_end(struct sim *s, struct sim_node *n)
{
	TRACE(s, "node %u: agent begins to end", sim_index(s, n));
	sim_enter(s, n);
	n->agent.ending = true;
	pxs_node_end(n->agent.node);
	pxs_node_ended(n->agent.node);
	sim_agent_settle(s, n);
}

bool sim_fault_end_agent(struct sim *s, struct sim_node *n)
{
	bool waited = n->agent.ending;

	if (!n->agent.up || n->dead)
		return false;
	if (s->p.memory && n->agent.open && !waited && !hit(s, 2)) {
		begin_to_end(s, n);
		sim_fault_kill_soon(s, n, 1 + hit(s, 8 * s->p.disk_ms));
		return true;
	}
	sim_agent_end(s, n, waited || !hit(s, 3));
	/* The machine is shut down in order: nothing is forgotten if all came to disk in time. */
	if (waited && !s->healed && hit(s, 2)) {
		sim_node_crash(s, n);
		if (!n->mod.up)
			return true;
	}
	if (!hit(s, 4))
		delete_group(s, n, (u32)hit(s, s->p.groups));
	sim_post(s, s->now + 1 + hit(s, hit(s, 2) ? 3 : 3 * s->p.election), E_START,
		 (u8)sim_index(s, n), 0);
	return true;
}

/* On disks. Return: whether there was anything to strike. */
static bool strike_disk(struct sim *s, enum sim_fault f, struct sim_node *n)
{
	bool weak = s->p.weak >> sim_index(s, n) & 1;

	switch (f) {
	case F_STALL:
		n->disk.stall = s->now + hit(s, 4 * s->p.silence);
		return true;
	case F_FULL:
		n->disk.full = s->now + hit(s, hit(s, 2) ? 1000 : 10000);
		return true;
	case F_ROT:
		if (weak)
			sim_rot(s, n);
		return weak;
	case F_DAMAGE:
		if (weak)
			sim_damage(s, n);
		return weak;
	case F_SWAP:
		if (!weak || n->reborn || n->lost || hit(s, 4))
			return false;
		sim_swap(s, n);
		return true;
	default:
		return false;
	}
}

/* A leader hands over, and perhaps something else hits it, or the other one, just then. */
static bool hand_over(struct sim *s, struct sim_node *n)
{
	u32 g = (u32)hit(s, s->p.groups), to;

	if (!n->part[g].there || n->paused > s->now || n->stopped > s->now)
		return false;
	to = s->group[g].node[hit(s, s->group[g].n)];
	if (!sim_hand_over(s, n, g, s->node[to].id))
		return false;
	if (!hit(s, 4))
		sim_node_crash_soon(s, hit(s, 2) ? n : &s->node[to]);
	return true;
}

/* All members of the group at once, or one, and perhaps a crash in the middle of it. */
static bool trim(struct sim *s, struct sim_node *n)
{
	u32 g = (u32)hit(s, s->p.groups), i;
	bool all = hit(s, 2), but = hit(s, 2), did = false;

	/* What is rotten must be learned again: there must be somebody who has it. */
	if (sim_has(s, F_ROT) || sim_has(s, F_DAMAGE) || sim_has(s, F_SWAP))
		return false;
	for (i = 0; i < s->group[g].n; i++)
		if (all || &s->node[s->group[g].node[i]] == n)
			did |= sim_trim(s, &s->node[s->group[g].node[i]], g, but);
	if (did && !hit(s, 3))
		sim_node_crash_soon(s, n);
	return did;
}

/* @node is heard by @but alone, if by anybody, for about as long as an election takes. */
static void cut_off(struct sim *s, u32 node, u32 but)
{
	u64 ms = s->p.election + hit(s, 3 * s->p.election);
	u32 i;

	for (i = 0; i < s->p.n; i++)
		if (i != node && i != but)
			mend_later(s, node, i, ms);
}

/* Not of a leader only: others must refuse. And perhaps somebody dies of it. */
static bool change(struct sim *s, struct sim_node *n)
{
	u32 g = (u32)hit(s, s->p.groups), kind = (u32)hit(s, 7), any = (u32)hit(s, 5040);

	if (!n->part[g].there || n->paused > s->now || n->stopped > s->now)
		return false;
	if (!sim_change(s, n, g, kind, any))
		return false;
	/* It reaches few or nobody; who leads next may not see it, and who leads then does. */
	if (hit(s, 2))
		cut_off(s, sim_index(s, n), (u32)hit(s, s->p.n));
	else if (!hit(s, 3))
		sim_node_crash_soon(s, hit(s, 2) ? n : &s->node[hit(s, s->p.n)]);
	else if (!hit(s, 3))
		sim_fault_kill_soon(s, n, hit(s, 8 * s->p.disk_ms));
	else if (!hit(s, 3))
		cut_link(s);
	return true;
}

static bool strike(struct sim *s, enum sim_fault f, u32 i)
{
	struct sim_node *n = &s->node[i];
	u64 until;

	switch (f) {
	case F_CUT:
		cut_link(s);
		return true;
	case F_PART:
		partition(s);
		return true;
	case F_AGENT:
		return sim_fault_end_agent(s, n);
	case F_NODE:
		sim_node_crash(s, n);
		return true;
	case F_PAUSE:
		until = s->now + 1 + hit(s, 4 * s->p.election);
		n->paused = max(n->paused, until);	/* max() asks twice */
		return true;
	case F_STOP:
		sim_fault_stop(s, i, 1 + hit(s, 4 * s->p.election));
		return true;
	case F_HAND:
		return hand_over(s, n);
	case F_TRIM:
		return trim(s, n);
	case F_MEMBER:
		return change(s, n);
	case F_JUMP:
		n->wall += (s64)hit(s, 200000) - 100000;
		return true;
	default:
		return strike_disk(s, f, n);
	}
}

static bool left_out(const struct sim *s, u32 k)
{
	if (s->less.strikes && k >= s->less.strikes)
		return true;
	return k < SIM_STRIKES && s->less.skip[k / 64] >> k % 64 & 1;
}

void sim_fault_strike(struct sim *s)
{
	static const u8 kind[] = {
		F_CUT, F_PART, F_AGENT, F_AGENT, F_NODE, F_PAUSE, F_STOP, F_JUMP, F_STALL, F_FULL,
		F_ROT, F_DAMAGE, F_SWAP, F_HAND, F_HAND, F_TRIM, F_TRIM, F_TRIM, F_TRIM,
	};
	enum sim_fault f = kind[sim_draw(s, R_STRIKE) % ARRAY_SIZE(kind)];
	u32 k = s->strikes++;
	u32 i;

	if (s->healed)
		return;
	s->random[R_HIT] = sim_draw(s, R_STRIKE) | 1;
	/* In its own stream, so that the others are what they are without it. */
	if (sim_has(s, F_MEMBER) && sim_fault_below(s, F_MEMBER, 2))
		f = F_MEMBER;
	if (sim_has(s, f) && !left_out(s, k)) {
		i = victim(s, 2);
		TRACE(s, "strike %u: %s at node %u", k, sim_fault_name(f), i);
		if (strike(s, f, i))
			sim_count(s, f);
	}
	sim_post(s, s->now + 1 + sim_draw(s, R_STRIKE) % (2 * s->p.fault_ms), E_FAULT, 0, 0);
}

void sim_fault_mend(struct sim *s, struct sim_event *e)
{
	s->cut[e->a][e->b]--;
}

/* From here on nothing fails but a disk (stuck.c): what is down comes back, the cluster must. */
void sim_fault_heal(struct sim *s)
{
	u32 i;

	s->healed = true;	/* what is stopped goes on when its time has come */
	s->heal_vid = s->next_vid;
	for (i = 0; i < s->p.n; i++) {
		s->node[i].disk.full = 0;
		s->node[i].disk.stall = 0;
	}
	TRACE(s, "healed");
	sim_stuck_begin(s);
}
