// SPDX-License-Identifier: GPL-2.0
/*
 * world.c - events, random numbers, and one schedule from start to end
 */
#include <stdarg.h>
#include <stdio.h>
#include "sim.h"

#define TRACE_LINES	400
#define TRACE_LEN	200

static char trace_ring[TRACE_LINES][TRACE_LEN];
static u64 trace_next;

u64 sim_random(struct sim *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random * 0x2545f4914f6cdd1dull >> 11;
}

u64 sim_below(struct sim *s, u64 n)
{
	return n ? sim_random(s) % n : 0;
}

bool sim_has(const struct sim *s, enum sim_fault f)
{
	return !s->healed && s->p.faults >> f & 1;
}

bool sim_chance(struct sim *s, enum sim_fault f, u32 one_in)
{
	if (!sim_has(s, f) || sim_below(s, one_in))
		return false;
	s->stat.faults++;
	s->stat.by_fault[f]++;
	return true;
}

void sim_trace(struct sim *s, const char *fmt, ...)
{
	char *line = trace_ring[trace_next++ % TRACE_LINES];
	int n = snprintf(line, TRACE_LEN, "%7llu.%llu ", (unsigned long long)s->now,
			 (unsigned long long)s->stat.events);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, TRACE_LEN - n, fmt, ap);
	va_end(ap);
}

void sim_trace_dump(void)
{
	u64 i = trace_next > TRACE_LINES ? trace_next - TRACE_LINES : 0;

	for (; i < trace_next; i++)
		fprintf(stderr, "# %s\n", trace_ring[i % TRACE_LINES]);
	trace_next = 0;
}

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	TRACE(s, "FAILED %s", s->why);
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
		return false;
	}
	if (n->paused > s->now)
		until = n->paused;
	if ((e->type == E_UP || e->type == E_AGENT || e->type == E_FLUSH || e->type == E_DONE) &&
	    n->stopped > s->now && n->stopped > until)
		until = n->stopped;
	if (!until)
		return false;
	/* With its old number: what was in order stays in order. */
	e->at = until;
	push(s, e);
	if (e->type == E_UP && n->up_last < until)
		n->up_last = until;
	return true;
}

static void dispatch(struct sim *s, struct sim_event *e)
{
	struct sim_node *n = &s->node[e->node];

	switch (e->type) {
	case E_NET:
		sim_deliver(s, e);
		break;
	case E_UP:
		if (n->agent.up && e->life == n->agent.life)
			sim_agent_up(s, n, e);
		break;
	case E_TICK:
		if (n->mod.up && e->life == n->mod.life)
			sim_module_tick(s, n);
		break;
	case E_AGENT:
		if (n->agent.up && e->life == n->agent.life)
			sim_agent_tick(s, n);
		break;
	case E_FLUSH:
		if (n->agent.up && e->life == n->agent.life)
			sim_agent_flushed(s, n);
		break;
	case E_ACK:
		/* Of an earlier agent perhaps: only the module's own checks stop it. */
		if (n->mod.up && e->life == n->mod.life)
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
	case E_ATTACH:
		if (n->agent.up && e->life == n->agent.life)
			sim_agent_attach(s, n);
		break;
	case E_FAULT:
		sim_fault_strike(s);
		break;
	case E_MEND:
		sim_fault_mend(s, e);
		break;
	case E_DONE:
		if (n->agent.up && e->life == n->agent.life)
			sim_agent_done(s, n);
		break;
	case E_STOP:
		sim_fault_stop(s, e->node, e->a);
		break;
	case E_CRASH:
		if (n->mod.up && e->life == n->mod.life)
			sim_node_crash(s, n);
		break;
	}
}

static void init_node(struct sim *s, u32 i)
{
	struct sim_node *n = &s->node[i];

	n->id = (u8)(3 * i + 2);
	n->journal.incarnation = 0x1000 + i;
	n->counter = 1;
	sim_module_boot(s, n);
}

static bool converged(const struct sim *s)
{
	u64 prefix = sim_check_prefix(s);
	u32 i;

	if (!s->healed_vid)
		return false;
	for (i = 0; i < s->p.n; i++) {
		const struct sim_node *n = &s->node[i];

		if (!n->agent.up || n->agent.applied < prefix || n->mod.group.commit < prefix)
			return false;
	}
	return true;
}

static void describe(struct sim *s)
{
	u32 i;

	for (i = 0; i < s->p.n; i++) {
		const struct sim_node *n = &s->node[i];

		TRACE(s, "node %u: mod up %d state %d commit %llu known %llu promised %llx lead %llx next %llu base %llu credit %llu/%llu; agent up %d role %d ballot %llx settled %llu applied %llu want %llu@%llu journal %llu",
		      i, n->mod.up, n->mod.group.state, (unsigned long long)n->mod.group.commit,
		      (unsigned long long)n->mod.group.known_commit,
		      (unsigned long long)n->mod.group.promised,
		      (unsigned long long)n->mod.group.lead_ballot,
		      (unsigned long long)n->mod.group.next_slot,
		      (unsigned long long)n->mod.group.window.base,
		      (unsigned long long)n->mod.stage.durable_lsn,
		      (unsigned long long)n->mod.stage.last_lsn,
		      n->agent.up, n->agent.elect.role, (unsigned long long)n->agent.elect.ballot,
		      (unsigned long long)n->agent.elect.settled,
		      (unsigned long long)n->agent.applied,
		      (unsigned long long)n->agent.want_commit,
		      (unsigned long long)n->agent.want_lsn,
		      (unsigned long long)n->journal.durable_lsn);
	}
}

static void reset(struct sim *s, u64 seed, bool trace)
{
	struct sim_check *check = s->check;

	sim_free(s);
	sim_check_reset(check);
	s->check = check;
	s->seed = seed;
	/* splitmix64, so that neighbouring seeds have nothing in common */
	seed += 0x9e3779b97f4a7c15ull;
	seed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
	seed = (seed ^ seed >> 27) * 0x94d049bb133111ebull;
	s->random = (seed ^ seed >> 31) | 1;
	s->now = 1000;
	s->next_vid = SIM_NOOP + 1;
	s->trace = trace;
}

/* One schedule. s->failed and s->why say how it went; s->stat what happened. */
void sim_run(struct sim *s, u64 seed, bool trace)
{
	struct sim_event e;
	u32 i;

	if (!s->check)
		s->check = sim_check_new();
	reset(s, seed, trace);
	sim_fault_draw(s);
	for (i = 0; i < s->p.n; i++)
		init_node(s, i);
	sim_post(s, s->now + sim_below(s, s->p.fault_ms), E_FAULT, 0, 0);
	while (!s->failed && take(s, &e)) {
		if (e.at > s->now)
			s->now = e.at;
		s->stat.events++;
		if (!s->healed && s->now >= s->p.heal)
			sim_fault_heal(s);
		if (deferred(s, &e))
			continue;
		dispatch(s, &e);
		free(e.data);
		if (s->healed && (s->stat.events & 63) == 0 && converged(s))
			break;
		if (s->now >= s->p.end) {
			describe(s);
			sim_fail(s, "liveness: not converged %llu ms after healing",
				 (unsigned long long)(s->p.end - s->p.heal));
		}
	}
}

void sim_free(struct sim *s)
{
	u32 i;

	for (i = 0; i < s->heap_len; i++)
		free(s->heap[i].data);
	free(s->heap);
	for (i = 0; i < SIM_NODES; i++) {
		struct sim_node *n = &s->node[i];

		if (n->mod.slot)
			pxs_group_exit(&n->mod.group);
		pxs_elect_exit(&n->agent.elect);
		free(n->mod.ring);
		free(n->mod.length);
		free(n->mod.slot);
		free(n->mod.parked);
		free(n->agent.known);
		free(n->journal.buf);
	}
	memset(s, 0, sizeof(*s));
}
