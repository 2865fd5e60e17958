// SPDX-License-Identifier: GPL-2.0
/*
 * agent.c - the agent half of a node: the shipped daemon between a simulated disk and module
 *
 * All of the daemon but its configuration file, its sockets and its netlink: those are here. A
 * command acts within its call, as over netlink; before it, datagrams may reach the module, and
 * its reply may be lost. What the module says arrives later, in order, and dies with the agent.
 */
#include <stdlib.h>

#include "sim.h"

/* --- the datapath of agent/datapath.h ----------------------------------------------------- */

static struct sim_part *part_of(u32 group)
{
	int g = sim_group_index(world, group);

	return g >= 0 && here->part[g].there ? &here->part[g] : NULL;
}

/* A command is on its way: what the module hears meanwhile it hears first. */
static void under_way(u32 one_in)
{
	if (sim_chance(world, F_ASYNC, one_in))
		sim_deliver_early(world, here, 1 + (u32)sim_fault_below(world, F_ASYNC, 4));
}

static int answer(struct sim_part *part, struct pxs_out *out, int ret)
{
	sim_module_out(world, here, part->index, out);
	if (sim_chance(world, F_ASYNC, 16))
		sim_fault_stop(world, sim_index(world, here),
			       sim_fault_below(world, F_ASYNC, 2 * world->p.election));
	return sim_chance(world, F_REPLY, 32) ? -ETIMEDOUT : ret;
}

static int dp_group_add(struct pxs_datapath *dp, const struct pxs_group_config *g)
{
	(void)dp;
	under_way(2);
	return sim_module_group_add(world, here, &g->conf);
}

static int dp_group_del(struct pxs_datapath *dp, u32 group)
{
	int g = sim_group_index(world, group);

	(void)dp;
	under_way(2);
	if (!here->part[g].there)
		return -ENOENT;
	TRACE(world, "node %u group %d: deleted by the agent", sim_index(world, here), g);
	sim_module_group_del(here, (u32)g);
	return 0;
}

static int dp_attach(struct pxs_datapath *dp, u64 incarnation, u64 next_lsn, u64 *last_lsn)
{
	struct sim_agent *a = &here->agent;
	u32 g;
	s64 ret;

	(void)dp;
	sim_watch(world, here);	/* flushed before it is believed */
	if (next_lsn != here->watch.lsn && !here->reborn)
		sim_fail(world, "S5: node %u: recovery finds records up to %llu; on disk are %llu",
			 sim_index(world, here), U(next_lsn - 1), U(here->watch.lsn - 1));
	ret = sim_module_attach(world, here, incarnation, next_lsn);
	if (ret < 0)
		return (int)ret;
	a->epoch = (u64)ret;
	a->attached = true;
	here->up_last = world->now;
	*last_lsn = here->mod.stage.last_lsn;
	for (g = 0; g < world->p.groups; g++)
		if (here->part[g].there)
			pxs_group_attached(&here->part[g].core);
	sim_module_release(world, here);
	sim_module_tell_all(world, here);
	return 0;
}

/* Posted: it arrives when it arrives, even if we end meanwhile. */
static void dp_durable(struct pxs_datapath *dp, u64 lsn)
{
	u64 delay = sim_below(world, 2);
	struct sim_event *e;

	(void)dp;
	if (sim_has(world, F_AGENT) && !sim_fault_below(world, F_AGENT, 16))
		delay += sim_fault_below(world, F_AGENT, 2 * world->p.election);
	e = sim_post(world, world->now + delay, E_ACK, (u8)sim_index(world, here), here->mod.life);
	e->a = here->agent.epoch;
	e->b = lsn;
	if (sim_chance(world, F_FLUSHED, 24))
		sim_node_crash_soon(world, here);
}

/* Fenced, until somebody has looked at the disk. */
static void dp_fail(struct pxs_datapath *dp, const char *reason)
{
	u32 i = sim_index(world, here);

	(void)dp;
	TRACE(world, "node %u: the journal failed: %s", i, reason);
	if (!here->disk.broken)
		sim_fail(world, "node %u: the journal failed: %s; its disk did not", i, reason);
	sim_module_fail(world, here);
	sim_post(world, world->now + 1 + sim_below(world, 4 * world->p.election), E_CRASH, (u8)i,
		 here->mod.life);
}

static int dp_settle(struct pxs_datapath *dp)
{
	int err = 0;
	u32 g;

	(void)dp;
	under_way(2);
	for (g = 0; g < world->p.groups; g++)
		if (here->part[g].there)
			err = pxs_group_settle(&here->part[g].core) ?: err;
	sim_module_pump(world, here);
	return err;
}

static int dp_load(struct pxs_datapath *dp, u32 group, const u8 *records, u32 bytes)
{
	struct sim_part *part = part_of(group);
	struct pxs_record r;
	u32 pos = 0;
	int ret;

	(void)dp;
	while (part && pos < bytes) {
		if (pxs_record_get(records + pos, bytes - pos, &r) != PXS_RECORD_OK)
			return -EBADMSG;
		ret = pxs_group_load(&part->core, &r);
		if (ret) {
			sim_fail(world, "node %u group %u: LOAD of type %u slot %llu: %d",
				 sim_index(world, here), part->index, r.type, U(r.slot), ret);
			return ret;
		}
		pos += pxs_record_size(r.len);
	}
	return part ? 0 : -ENOENT;
}

static int dp_activate(struct pxs_datapath *dp, u32 group, u64 commit)
{
	struct sim_part *part = part_of(group);
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	ret = pxs_group_activate(&part->core, commit, sim_clock(world, here));
	/* Of another disk the observer keeps no book: nobody hears its member anyway. */
	if (ret == -ENOTRECOVERABLE && here->reborn)
		return ret;
	if (part->open && !here->reborn) {
		if (ret != -ENOTRECOVERABLE || part->core.state != PXS_GROUP_FENCED)
			sim_fail(world, "S2: node %u group %u is active again; it forgot what it answered",
				 sim_index(world, here), part->index);
		world->stat.forgot += !part->forgot;
		part->forgot = true;
		return ret;
	}
	if (ret)
		sim_fail(world, "node %u group %u: ACTIVATE: %d", sim_index(world, here),
			 part->index, ret);
	/* Lower, and it could promise or accept what it had refused. */
	if (part->core.promised < part->durable_promise && !here->reborn)
		sim_fail(world, "node %u group %u: recovery loses the promise of %llx",
			 sim_index(world, here), part->index, U(part->durable_promise));
	if (here->reborn && part->core.conf.member[part->self].incarnation == here->known)
		sim_fail(world, "S3: node %u group %u is active with another disk than it is known by",
			 sim_index(world, here), part->index);
	if (part->core.conf.epoch < part->voted)
		sim_fail(world, "S9: node %u group %u is active in epoch %llu; it answered in epoch %llu",
			 sim_index(world, here), part->index, U(part->core.conf.epoch),
			 U(part->voted));
	sim_check_part(world, here, part->index);
	return ret;
}

static int dp_prepare(struct pxs_datapath *dp, u32 group, u64 ballot, u64 slot, u64 to)
{
	struct sim_part *part = part_of(group);
	struct pxs_out out;
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(8);
	pxs_out_init(&out);
	ret = pxs_group_prepare(&part->core, ballot, slot, to, &out);
	TRACE(world, "node %u group %u: PREPARE command ballot %llx slot %llu: %d",
	      sim_index(world, here), part->index, U(ballot), U(slot), ret);
	if (!ret)
		sim_check_prepare(world, here, part->index, ballot);
	return answer(part, &out, ret);
}

static int dp_lead(struct pxs_datapath *dp, u32 group, u64 ballot, u64 first, u64 found)
{
	struct sim_part *part = part_of(group);
	struct pxs_out out;
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(8);
	pxs_out_init(&out);
	ret = pxs_group_lead(&part->core, ballot, first, found, sim_clock(world, here), &out);
	TRACE(world, "node %u group %u: LEAD command ballot %llx slot %llu: %d",
	      sim_index(world, here), part->index, U(ballot), U(first), ret);
	world->stat.elections += !ret;
	if (!ret)
		sim_check_lead(world, here, part->index, ballot);
	return answer(part, &out, ret);
}

static int dp_resign(struct pxs_datapath *dp, u32 group)
{
	struct sim_part *part = part_of(group);

	(void)dp;
	if (!part)
		return -ENOENT;
	pxs_group_taken_over(&part->core);
	return 0;
}

static int dp_transfer(struct pxs_datapath *dp, u32 group, u8 member)
{
	struct sim_part *part = part_of(group);
	struct pxs_out out;
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(8);
	pxs_out_init(&out);
	ret = pxs_group_transfer(&part->core, (u8)pxs_group_member(&part->core, member),
				 sim_clock(world, here), &out);
	TRACE(world, "node %u group %u: TRANSFER command to member %u: %d",
	      sim_index(world, here), part->index, member, ret);
	return answer(part, &out, ret);
}

static int dp_trim(struct pxs_datapath *dp, u32 group, u64 slot, bool peers)
{
	struct sim_part *part = part_of(group);
	struct pxs_out out;
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(8);
	pxs_out_init(&out);
	ret = peers ? pxs_group_skip(&part->core, slot, &out) :
		      pxs_group_trim(&part->core, slot);
	TRACE(world, "node %u group %u: TRIM command to slot %llu: %d", sim_index(world, here),
	      part->index, (unsigned long long)slot, ret);
	return answer(part, &out, ret);
}

static void note_proposed(struct sim_part *part, u64 slot, const struct pxs_value *v, int ret)
{
	u64 vid = sim_value_vid(v->data, v->len, pxs_value_flags(v));

	TRACE(world, "node %u group %u: PROPOSE command value %llu to slot %llu: %d",
	      sim_index(world, here), part->index, U(vid), U(slot), ret);
	if (ret > 0)
		sim_check_proposed(world, here, part->index, part->core.lead_ballot, slot, vid);
}

static int dp_propose(struct pxs_datapath *dp, u32 group, const struct iovec *values, u32 n,
		      u64 *first)
{
	struct sim_part *part = part_of(group);
	struct pxs_value *v[PXS_PROPOSE_MAX];
	struct pxs_out out;
	int ret, lost;
	u32 i;

	(void)dp;
	if (!part)
		return -ENOENT;
	n = min(n, PXS_PROPOSE_MAX);
	for (i = 0; i < n; i++) {
		v[i] = values ? pxs_value_new(values[i].iov_base, (u32)values[i].iov_len, false) :
				pxs_value_new(NULL, 0, true);
		if (!v[i])
			abort();
	}
	under_way(8);
	pxs_out_init(&out);
	*first = 0;
	ret = pxs_group_propose_many(&part->core, v, n, sim_clock(world, here), first, &out);
	for (i = 0; i < n; i++) {
		note_proposed(part, *first + i, v[i], ret - (int)i);
		pxs_value_put(v[i]);
	}
	lost = answer(part, &out, 0);
	return lost ? lost : ret;
}

static int dp_configure(struct pxs_datapath *dp, u32 group, const u8 *value, u32 len, u64 *slot)
{
	struct sim_part *part = part_of(group);
	struct pxs_value *v;
	struct pxs_out out;
	int ret, lost;

	(void)dp;
	if (!part)
		return -ENOENT;
	v = pxs_value_of(value, len, PXS_ENTRY_CONFIG);
	if (!v)
		abort();
	under_way(8);
	pxs_out_init(&out);
	*slot = 0;
	ret = pxs_group_propose_many(&part->core, &v, 1, sim_clock(world, here), slot, &out);
	note_proposed(part, *slot, v, ret);
	pxs_value_put(v);
	lost = answer(part, &out, 0);
	return lost ? lost : min(ret, 0);
}

static int dp_move(struct pxs_datapath *dp, u32 group, u64 slot, const u8 *value, u32 len)
{
	struct sim_part *part = part_of(group);
	struct pxs_out out;
	u64 lsn = 0;
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(8);
	pxs_out_init(&out);
	ret = pxs_group_move(&part->core, slot, value, len, &lsn);
	TRACE(world, "node %u group %u: MOVE command, slot %llu: %d, LSN %llu",
	      sim_index(world, here), part->index, U(slot), ret, U(lsn));
	return answer(part, &out, ret);
}

static int dp_read(struct pxs_datapath *dp, u32 group, u64 *ballot, u64 *round)
{
	struct sim_part *part = part_of(group);
	struct pxs_out out;
	u64 leased;
	int ret;

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(8);
	pxs_out_init(&out);
	*ballot = part->core.lead_ballot;
	leased = part->core.stat[PXS_GROUP_STAT_LEASE_READS];
	ret = pxs_group_read(&part->core, sim_clock(world, here), round, &out);
	TRACE(world, "node %u group %u: READ command ballot %llx round %llu: %d",
	      sim_index(world, here), part->index, U(*ballot), ret ? 0 : U(*round), ret);
	world->stat.leased += part->core.stat[PXS_GROUP_STAT_LEASE_READS] - leased;
	return answer(part, &out, ret);
}

static int dp_send(struct pxs_datapath *dp, u32 group, const struct pxs_msg *in, const u8 *body)
{
	struct sim_part *part = part_of(group);
	struct pxs_msg m = *in;
	int to, err;

	(void)dp;
	if (!part)
		return -ESHUTDOWN;
	to = pxs_group_member(&part->core, in->receiver);
	if (to < 0)
		return -EINVAL;		/* it was removed since it asked */
	err = pxs_group_say(&part->core, (u8)to, &m);
	if (err)
		return err;
	if (!pxs_wire_check_body(&m, body))
		sim_fail(world, "node %u group %u: the agent says what nobody takes: type %u slot %llu",
			 sim_index(world, here), part->index, in->type,
			 (unsigned long long)in->slot);
	sim_check_leaves(world, here, part->index, &m, body);
	sim_send(world, here, part->index, &m, body);
	return 0;
}

static int dp_status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	struct sim_part *part = part_of(group);

	(void)dp;
	if (!part)
		return -ENOENT;
	under_way(2);
	pxs_group_status_of(&part->core, st);
	return 0;
}

static void dp_close(struct pxs_datapath *dp)
{
	(void)dp;
	if (here->agent.attached)
		pxs_stage_detach(&here->mod.stage);
	here->agent.attached = false;
}

static const struct pxs_datapath_ops dp_ops = {
	.name = "simulated", .group_add = dp_group_add,
	.group_del = dp_group_del, .configure = dp_configure, .move = dp_move, .attach = dp_attach,
	.durable = dp_durable, .fail = dp_fail, .load = dp_load, .activate = dp_activate,
	.settle = dp_settle,
	.prepare = dp_prepare, .lead = dp_lead, .resign = dp_resign,
	.transfer = dp_transfer, .trim = dp_trim, .propose = dp_propose, .read = dp_read,
	.send = dp_send, .status = dp_status, .close = dp_close,
};

int pxs_datapath_kernel(struct pxs_loop *loop, const struct pxs_datapath_events *events,
			struct pxs_datapath **dp)
{
	here->agent.dp = (struct pxs_datapath){ .ops = &dp_ops, .events = events, .loop = loop };
	*dp = &here->agent.dp;
	return 0;
}

int pxs_datapath_user(struct pxs_loop *loop, const struct pxs_datapath_events *events,
		      struct pxs_datapath **dp)
{
	return pxs_datapath_kernel(loop, events, dp);
}

/* --- going round ---------------------------------------------------------------------------- */

/* What the learner takes for final now: is it? */
static void look_at_applied(struct sim *s, struct sim_node *n, u32 g)
{
	struct pxs_replica *r = sim_replica(n, g);
	struct sim_part *part = &n->part[g];
	const struct pxs_slot_at *at;

	if (!r || n->reborn)
		return;
	if (r->stuck)
		sim_fail(s, "node %u group %u: slot %llu is committed, but its value is not here",
			 sim_index(s, n), g, U(r->stuck));
	if (r->applied < part->applied)
		part->applied = r->applied;	/* a new agent */
	while (part->applied < r->applied && !s->failed) {
		at = pxs_slots_at(&r->slots, ++part->applied);
		if (at && at->value)
			sim_check_applied(s, n, g, part->applied,
					  sim_value_vid(at->value->data, at->value->len,
							pxs_value_flags(at->value)));
	}
}

/* After each thing that reached the agent. */
void sim_agent_settle(struct sim *s, struct sim_node *n)
{
	u32 g;

	sim_ring_hooks(&n->agent.node->loop);
	sim_ring_submit(s, n);
	for (g = 0; g < s->p.groups && !s->failed; g++)
		look_at_applied(s, n, g);
	if (n->agent.node->loop.stop)
		sim_fail(s, "node %u: the agent gives up: %s", sim_index(s, n), sim_last_error());
}

static void up(struct sim_node *n, struct sim_event *e)
{
	const struct pxs_datapath_events *ev = n->agent.dp.events;
	u32 group = SIM_GROUP + e->group;
	struct pxs_msg m;

	switch (e->what) {
	case PXS_CMD_EVENT_APPEND:
		TRACE(world, "node %u: agent gets APPEND of LSN %llu",
		      sim_index(world, n), U(e->b));
		if (e->a == n->agent.epoch)
			ev->append(ev->ctx, e->b, (u32)e->c, e->data, e->len, e->lazy);
		break;
	case PXS_CMD_EVENT_DECIDED:
		ev->decided(ev->ctx, group, e->a, e->b);
		break;
	case PXS_CMD_EVENT_LEADER:
		ev->leader(ev->ctx, group, (u8)e->b, e->a);
		break;
	case PXS_CMD_EVENT_READ:
		ev->read(ev->ctx, group, e->a, e->b, e->c);
		break;
	case PXS_CMD_EVENT_RECV:
		memcpy(&m, e->data, sizeof(m));
		ev->recv(ev->ctx, group, &m, e->data + sizeof(m));
		break;
	}
}

void sim_agent_up(struct sim *s, struct sim_node *n, struct sim_event *e)
{
	sim_enter(s, n);
	up(n, e);
	sim_agent_settle(s, n);
}

void sim_agent_tick(struct sim *s, struct sim_node *n)
{
	u32 g;

	sim_enter(s, n);
	pxs_loop_run_tickers(&n->agent.node->loop);
	for (g = 0; g < s->p.groups && !s->failed; g++)
		if (n->part[g].there)
			sim_clients(s, n, g);
	sim_agent_settle(s, n);
	sim_post(s, s->now + PXS_LOOP_TICK_MS, E_AGENT, (u8)sim_index(s, n), n->agent.life);
}

/* Of agent/director.c: no group makes tables here. */
void pxs_directors_stop(struct pxs_node *n)
{
	(void)n;
}
