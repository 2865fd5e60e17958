// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - what happened, in words
 */
#include <stdarg.h>
#include <stdio.h>

#include "sim.h"

#define TRACE_LINES	600
#define TRACE_LEN	240

static char ring[TRACE_LINES][TRACE_LEN];
static u64 next;

static const char *const fault_name[F_MAX] = {
	[F_LOSS] = "loss", [F_DUP] = "duplicate", [F_LATE] = "late", [F_FLIP] = "bit flip",
	[F_CUT] = "link cut", [F_PART] = "partition", [F_AGENT] = "agent death",
	[F_NODE] = "power loss", [F_TEAR] = "torn block", [F_FLUSHED] = "power loss after a flush",
	[F_SENT] = "power loss after an answer", [F_PAUSE] = "node paused",
	[F_STOP] = "agent stopped", [F_DISK] = "slow flush", [F_STALL] = "disk stalled",
	[F_FULL] = "disk full", [F_FAIL] = "failed flush", [F_WRITE] = "failed write",
	[F_ROT] = "rotten value", [F_DAMAGE] = "damaged block", [F_SWAP] = "disk replaced",
	[F_REPLY] = "lost reply", [F_DROP] = "lost event", [F_BIG] = "large values",
	[F_BUSY] = "full window", [F_LAG] = "late event", [F_ASYNC] = "slow command",
	[F_SKEW] = "clock skew", [F_JUMP] = "clock jump",
	[F_HAND] = "leadership handed over", [F_SPLIT] = "split submission",
	[F_TRIM] = "log trimmed", [F_MEMBER] = "members changed",
};

static const char *const wire_name[] = {
	[PXS_WIRE_PREPARE] = "PREPARE", [PXS_WIRE_PROMISE] = "PROMISE",
	[PXS_WIRE_ACCEPT] = "ACCEPT", [PXS_WIRE_ACCEPTED] = "ACCEPTED",
	[PXS_WIRE_REFUSE] = "REFUSE", [PXS_WIRE_HEARTBEAT] = "HEARTBEAT",
	[PXS_WIRE_HEARTBEAT_ACK] = "HEARTBEAT_ACK", [PXS_WIRE_LEARN_REQ] = "LEARN_REQ",
	[PXS_WIRE_LEARN] = "LEARN", [PXS_WIRE_PREVOTE] = "PREVOTE",
	[PXS_WIRE_PREVOTE_ACK] = "PREVOTE_ACK", [PXS_WIRE_TRANSFER] = "TRANSFER",
	[PXS_WIRE_READ] = "READ", [PXS_WIRE_READ_ACK] = "READ_ACK",
	[PXS_WIRE_HELD] = "HELD",
};

const char *sim_fault_name(u32 f)
{
	return f < F_MAX ? fault_name[f] : "?";
}

const char *sim_wire_name(u32 type)
{
	return type < ARRAY_SIZE(wire_name) && wire_name[type] ? wire_name[type] : "?";
}

void sim_trace(struct sim *s, const char *fmt, ...)
{
	char *line = ring[next++ % TRACE_LINES];
	int n = snprintf(line, TRACE_LEN, "%7llu.%llu ", U(s->now), U(s->stat.events));
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + n, (size_t)(TRACE_LEN - n), fmt, ap);
	va_end(ap);
}

void sim_trace_dump(void)
{
	u64 i = next > TRACE_LINES ? next - TRACE_LINES : 0;

	for (; i < next; i++)
		fprintf(stderr, "# %s\n", ring[i % TRACE_LINES]);
	next = 0;
}

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (s->failed)
		return;
	s->failed = true;
	s->kind = fmt;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	TRACE(s, "FAILED %s", s->why);
}

static void describe(struct sim *s, const struct sim_node *n, u32 g)
{
	const struct pxs_replica *r = sim_replica(n, g);
	const struct pxs_group *core = &n->part[g].core;

	TRACE(s, "  group %u: epoch %llu state %d commit %llu known %llu promised %llx lead %llx next %llu base %llu mute %llu over %d",
	      g, U(core->conf.epoch), core->state, U(core->commit), U(core->known_commit),
	      U(core->promised), U(core->lead_ballot), U(core->next_slot), U(core->window.base),
	      U(core->mute_until), core->over);
	if (r)
		TRACE(s, "  group %u: role %d ballot %llx settled %llu applied %llu of %llu", g,
		      r->elect.role, U(r->elect.ballot), U(r->elect.settled), U(r->applied),
		      U(sim_check_prefix(s, g)));
}

/* Who is where: for a schedule that comes to nothing. */
void sim_describe(struct sim *s)
{
	u32 i, g;

	for (i = 0; i < s->p.n; i++) {
		const struct sim_node *n = &s->node[i];

		TRACE(s, "node %u: module %d agent %d open %d lost %d reborn %d dead %d, LSN %llu of %llu durable, disk has %llu, journal full %d",
		      i, n->mod.up, n->agent.up, n->agent.open, n->lost, n->reborn, n->dead,
		      U(n->mod.stage.durable_lsn), U(n->mod.stage.last_lsn), U(n->watch.lsn - 1),
		      n->agent.open && n->agent.node->journal.full);
		for (g = 0; g < s->p.groups; g++)
			if (n->part[g].there)
				describe(s, n, g);
	}
}
