// SPDX-License-Identifier: GPL-2.0
/*
 * world.c - events, random numbers, and one schedule from start to end
 */
#include "sim.h"

u64 sim_draw(struct sim *s, u32 stream)
{
	u64 *r = &s->random[stream];

	*r ^= *r << 13;
	*r ^= *r >> 7;
	*r ^= *r << 17;
	return *r * 0x2545f4914f6cdd1dull >> 11;
}

u64 sim_random(struct sim *s)
{
	return sim_draw(s, R_WORLD);
}

u64 sim_below(struct sim *s, u64 n)
{
	return n ? sim_random(s) % n : 0;
}

bool sim_has(const struct sim *s, enum sim_fault f)
{
	return !s->healed && s->p.faults >> f & 1;
}

u64 sim_fault_below(struct sim *s, enum sim_fault f, u64 n)
{
	return n ? sim_draw(s, R_FAULT + f) % n : 0;
}

void sim_count(struct sim *s, enum sim_fault f)
{
	s->stat.faults++;
	s->stat.by_fault[f]++;
}

bool sim_chance(struct sim *s, enum sim_fault f, u32 one_in)
{
	if (!sim_has(s, f) || sim_fault_below(s, f, one_in))
		return false;
	sim_count(s, f);
	return true;
}

u32 sim_index(const struct sim *s, const struct sim_node *n)
{
	return (u32)(n - s->node);
}

/* Every node's monotonic clock began at another time, and runs at its own rate. */
u64 sim_clock(const struct sim *s, const struct sim_node *n)
{
	return 100000 + 7777 * sim_index(s, n) + s->now + (u64)((s64)s->now * n->skew / 1000);
}

int sim_part_of(const struct sim *s, u32 g, u32 node)
{
	u32 i;

	for (i = 0; i < s->group[g].n; i++)
		if (s->group[g].node[i] == node)
			return (int)i;
	return -1;
}

int sim_group_index(const struct sim *s, u32 id)
{
	return id >= SIM_GROUP && id < SIM_GROUP + s->p.groups ? (int)(id - SIM_GROUP) : -1;
}

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at < b->at || (a->at == b->at && a->seq < b->seq);
}

/* The pointer is good until the next call. */
static struct sim_event *push(struct sim *s, const struct sim_event *e)
{
	u32 i = s->heap_len;

	if (s->heap_len == s->heap_cap) {
		s->heap_cap = s->heap_cap ? 2 * s->heap_cap : 1024;
		s->heap = realloc(s->heap, s->heap_cap * sizeof(*s->heap));
		if (!s->heap)
			abort();
	}
	s->heap_len++;
	while (i && before(e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = *e;
	return &s->heap[i];
}

struct sim_event *sim_post(struct sim *s, u64 at, u8 type, u8 node, u32 life)
{
	struct sim_event e = { .at = at, .seq = s->seq++, .type = type, .node = node,
			       .life = life };

	return push(s, &e);
}

static bool take(struct sim *s, struct sim_event *e)
{
	struct sim_event last;
	u32 i = 0;

	if (!s->heap_len)
		return false;
	*e = s->heap[0];
	last = s->heap[--s->heap_len];
	for (;;) {
		u32 c = 2 * i + 1;

		if (c >= s->heap_len)
			break;
		if (c + 1 < s->heap_len && before(&s->heap[c + 1], &s->heap[c]))
			c++;
		if (!before(&s->heap[c], &last))
			break;
		s->heap[i] = s->heap[c];
		i = c;
	}
	if (s->heap_len)
		s->heap[i] = last;
	return true;
}

/* A node or an agent that is stopped gets its events when it goes on. */
static bool deferred(struct sim *s, struct sim_event *e)
{
	struct sim_node *n = &s->node[e->node];
	u64 until = 0;

	switch (e->type) {
	case E_FAULT:
	case E_MEND:
	case E_BOOT:
	case E_CRASH:
	case E_STOP:
	case E_KILL:
	case E_NONE:
		return false;
	}
	if (n->paused > s->now)
		until = n->paused;
	if ((e->type == E_UP || e->type == E_AGENT || e->type == E_IO || e->type == E_JOB) &&
	    n->stopped > s->now && n->stopped > until)
		until = n->stopped;
	if ((e->type == E_IO || e->type == E_JOB) && sim_is_stuck(s, n))
		until = max(until, s->now + s->p.heartbeat);
	if (!until)
		return false;
	/* With its old number: what was in order stays in order. */
	e->at = until;
	push(s, e);
	if (e->type == E_UP && n->up_last < until)
		n->up_last = until;
	return true;
}

static void to_agent(struct sim *s, struct sim_node *n, struct sim_event *e)
{
	if (!n->agent.up || e->life != n->agent.life)
		return;
	if (e->type == E_OPEN) {
		sim_agent_open(s, n);
		return;
	}
	if (!n->agent.open)
		return;
	switch (e->type) {
	case E_UP:
		sim_agent_up(s, n, e);
		break;
	case E_AGENT:
		sim_agent_tick(s, n);
		break;
	case E_IO:
		sim_enter(s, n);
		sim_ring_done(s, n, e);
		sim_agent_settle(s, n);
		break;
	case E_JOB:
		sim_enter(s, n);
		sim_ring_job(s, n, e);
		sim_agent_settle(s, n);
		break;
	}
}

static void dispatch(struct sim *s, struct sim_event *e)
{
	struct sim_node *n = &s->node[e->node];
	bool module = n->mod.up && e->life == n->mod.life;

	switch (e->type) {
	case E_NET:
		sim_deliver(s, e);
		break;
	case E_UP:
	case E_AGENT:
	case E_IO:
	case E_JOB:
	case E_OPEN:
		to_agent(s, n, e);
		break;
	case E_TICK:
		if (module)
			sim_module_tick(s, n);
		break;
	case E_ACK:
		/* Of an earlier agent perhaps: only the module's own checks stop it. */
		if (module)
			sim_module_ack(s, n, e->a, e->b);
		break;
	case E_BOOT:
		if (!n->mod.up)
			sim_module_boot(s, n);
		break;
	case E_START:
		if (!n->agent.up)
			sim_agent_start(s, n);
		break;
	case E_FAULT:
		sim_fault_strike(s);
		break;
	case E_MEND:
		sim_fault_mend(s, e);
		break;
	case E_STOP:
		sim_fault_stop(s, e->node, e->a);
		break;
	case E_KILL:
		/* What has begun to end goes on with that. */
		if ((!s->healed || n->agent.ending) && e->life == n->agent.life)
			sim_fault_end_agent(s, n);
		break;
	case E_CRASH:
		if (module)
			sim_node_crash(s, n);
		break;
	}
}

/* A journal of its own, made by the shipped code. */
static void init_node(struct sim *s, u32 i)
{
	struct pxs_identity id = { .cluster = "simulated", .segment_size = s->p.segment };
	struct sim_node *n = &s->node[i];
	char error[256];

	n->id = (u8)(3 * i + 2);
	id.member = n->id;
	sim_enter(s, n);
	s->healed = true;
	if (pxs_identity_create("journal", &id, error, sizeof(error)))
		sim_fail(s, "node %u: %s", i, error);
	s->healed = false;
	n->incarnation = id.incarnation;
	n->known = id.incarnation;
	sim_module_boot(s, n);
}

static bool node_converged(const struct sim *s, const struct sim_node *n, u32 g)
{
	const struct pxs_replica *r = sim_replica(n, g);
	u64 prefix = sim_check_prefix(s, g);

	/* Who asked for another leader has an answer by then. */
	return r && !r->transfer.done && r->applied >= prefix && n->part[g].there &&
	       n->part[g].core.commit >= prefix && sim_is_current(s, g, n);
}

static bool converged(const struct sim *s)
{
	u32 g, i;

	if (s->stuck)
		return false;
	for (g = 0; g < s->p.groups; g++) {
		if (!s->healed_group[g] || !s->healed_read[g])
			return false;
		for (i = 0; i < s->group[g].n; i++) {
			const struct sim_node *n = &s->node[s->group[g].node[i]];

			if (!n->lost && !n->reborn && !n->part[g].forgot &&
			    sim_is_member(s, g, n) &&
			    !node_converged(s, n, g))
				return false;
		}
	}
	return true;
}

/* splitmix64, so that neighbouring seeds have nothing in common */
static u64 mix(u64 seed)
{
	seed += 0x9e3779b97f4a7c15ull;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111ebull;
	return (seed ^ seed >> 31) | 1;
}

static void reset(struct sim *s, u64 seed, const struct sim_less *less, bool trace)
{
	struct sim_check *check = s->check;
	u32 i;

	sim_free(s);
	sim_check_reset(check);
	s->check = check;
	s->seed = seed;
	if (less)
		s->less = *less;
	for (i = 0; i < R_MAX; i++)
		s->random[i] = mix(mix(seed) + i + (i == R_PARAM ? 0 : s->less.salt << 32));
	s->now = 1000;
	s->next_vid = SIM_NOOP + 1;
	s->trace = trace;
}

static void digest(struct sim *s, const struct sim_event *e)
{
	s->digest = (s->digest ^ e->at ^ (u64)e->type << 56 ^ (u64)e->node << 48 ^ e->a << 20 ^
		     e->b << 8 ^ (u64)e->len << 32) * 0x9fb21c651e98df25ull;
	s->digest ^= s->digest >> 29;
}

static void step(struct sim *s, struct sim_event *e)
{
	if (e->at > s->now)
		s->now = e->at;
	s->stat.events++;
	digest(s, e);
	if (!s->healed && s->now >= s->p.heal)
		sim_fault_heal(s);
	sim_stuck_step(s);
	if (deferred(s, e))
		return;
	dispatch(s, e);
	free(e->data);
}

/* One schedule. s->failed and s->why say how it went; s->stat what happened. */
void sim_run(struct sim *s, u64 seed, const struct sim_less *less, bool trace)
{
	struct sim_event e;
	u32 i;

	if (!s->check)
		s->check = sim_check_new();
	reset(s, seed, less, trace);
	sim_fault_param(s);
	for (i = 0; i < s->p.n; i++)
		init_node(s, i);
	sim_post(s, s->now + sim_below(s, s->p.fault_ms), E_FAULT, 0, 0);
	while (!s->failed && take(s, &e)) {
		step(s, &e);
		if (s->healed && (s->stat.events & 63) == 0 && converged(s))
			break;
		if (s->now >= s->p.end) {
			sim_describe(s);
			sim_fail(s, "liveness: not converged %llu ms after healing",
				 U(s->p.end - s->p.heal));
		}
	}
}

static void free_node(struct sim *s, struct sim_node *n)
{
	u32 g;

	sim_agent_end(s, n, false);
	sim_module_crash(s, n);
	for (g = 0; g < SIM_GROUPS; g++) {
		free(n->part[g].slot);
		free(n->part[g].parked);
	}
	free(n->mod.ring);
	free(n->mod.length);
	sim_disk_wipe(&n->disk);
}

void sim_free(struct sim *s)
{
	u32 i;

	for (i = 0; i < s->heap_len; i++)
		free(s->heap[i].data);
	free(s->heap);
	for (i = 0; i < SIM_NODES; i++)
		free_node(s, &s->node[i]);
	memset(s, 0, sizeof(*s));
}
