// SPDX-License-Identifier: GPL-2.0
/*
 * module.c - the module half of a node: does what the core decided
 *
 * Memory only: a crash forgets everything, and groups are made anew by the agent. Messages to
 * the agent are in order and are lost with the agent; records that were not confirmed stay in
 * the stage.
 */
#include "sim.h"

#define RING_BYTES	(4 * PXS_APPEND_MAX)

static void *zalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

void sim_module_boot(struct sim *s, struct sim_node *n)
{
	struct sim_module *mod = &n->mod;
	u32 i = sim_index(s, n);

	if (!mod->ring) {
		mod->ring = zalloc(RING_BYTES);
		mod->length = zalloc(PXS_STAGE_RECORDS * sizeof(*mod->length));
	}
	pxs_stage_init(&mod->stage, mod->ring, RING_BYTES, mod->length);
	mod->up = true;
	mod->life++;
	mod->former = 0;
	mod->watched_lsn = 0;
	mod->memory_lsn = 0;
	mod->stuck = 0;
	n->dead = false;
	TRACE(s, "node %u: boots, life %u", i, mod->life);
	sim_post(s, s->now + sim_below(s, s->p.heartbeat), E_TICK, (u8)i, mod->life);
	sim_post(s, s->now + 1 + sim_below(s, s->p.election), E_START, (u8)i, 0);
}

void sim_module_group_del(struct sim_node *n, u32 g)
{
	if (n->part[g].there)
		pxs_group_exit(&n->part[g].core);
	n->part[g].there = false;
}

static void forget_groups(struct sim_node *n)
{
	u32 g;

	for (g = 0; g < SIM_GROUPS; g++)
		sim_module_group_del(n, g);
}

void sim_module_crash(struct sim *s, struct sim_node *n)
{
	(void)s;
	forget_groups(n);
	n->mod.up = false;
}

/* GROUP_ADD. A restarted host counts on from its wall clock. */
int sim_module_group_add(struct sim *s, struct sim_node *n, const struct pxs_group_conf *conf)
{
	int g = sim_group_index(s, conf->id);
	struct sim_part *part = &n->part[g];
	const char *bad = pxs_group_check_conf(conf);

	if (bad) {
		sim_fail(s, "configuration: %s", bad);
		return -EINVAL;
	}
	if (part->there)
		return memcmp(&part->core.conf, conf, sizeof(*conf)) ? -EEXIST : 0;
	if (!part->slot) {
		part->slot = zalloc(conf->window * sizeof(*part->slot));
		part->parked = zalloc(2 * conf->window * sizeof(*part->parked));
	}
	memset(part->slot, 0, conf->window * sizeof(*part->slot));
	pxs_group_init(&part->core, conf, &n->mod.stage, part->slot, part->parked);
	part->there = true;
	part->index = (u8)g;
	part->self = conf->self;
	part->counter = (u64)((s64)s->now + n->wall + 1000000000) * 1000000;
	part->commit = 0;
	part->promise_left = 0;
	part->promise_left_lsn = 0;
	part->led = 0;
	part->led_commit = 0;
	memset(part->beat, 0, sizeof(part->beat));
	part->untold = false;
	return 0;
}

/* JOURNAL_ATTACH. Return: the epoch, or -errno. */
s64 sim_module_attach(struct sim *s, struct sim_node *n, u64 incarnation, u64 next_lsn)
{
	struct sim_module *mod = &n->mod;
	bool groups = false;
	s64 ret;
	u32 g;

	for (g = 0; g < SIM_GROUPS; g++)
		groups |= n->part[g].there;
	if (!groups && !mod->stage.attached) {
		mod->former += mod->stage.epoch;
		mod->watched_lsn = 0;
		pxs_stage_init(&mod->stage, mod->ring, RING_BYTES, mod->length);
		n->dead = false;
	}
	ret = pxs_stage_attach(&mod->stage, incarnation, next_lsn);
	if (ret < 0)
		return ret;
	mod->heard = sim_clock(s, n);
	mod->moved = mod->heard;
	mod->memory_lsn = 0;
	mod->stuck = 0;
	return (s64)mod->former + ret;
}

bool sim_would_forget(const struct sim_node *n, u32 g)
{
	u32 i;

	for (i = 0; i < SIM_GROUPS; i++)
		if ((g == i || g == SIM_GROUPS) && n->part[i].opening)
			return true;
	return false;
}

/* JOURNAL_FAIL */
void sim_module_fail(struct sim *s, struct sim_node *n)
{
	u32 g;

	(void)s;
	n->dead = true;
	pxs_stage_fail(&n->mod.stage);
	for (g = 0; g < SIM_GROUPS; g++)
		if (n->part[g].there)
			pxs_group_fence(&n->part[g].core, "the journal failed");
}

/* In order, after all that was sent before. */
static struct sim_event *post_up(struct sim *s, struct sim_node *n, u32 g, u8 what)
{
	u64 at = s->now + sim_below(s, 2);
	struct sim_event *e;

	if (sim_chance(s, F_LAG, 24))
		at += sim_fault_below(s, F_LAG, 2 * s->p.election);
	if (at < n->up_last)
		at = n->up_last;
	n->up_last = at;
	e = sim_post(s, at, E_UP, (u8)sim_index(s, n), n->agent.life);
	e->what = what;
	e->group = (u8)g;
	return e;
}

static void forward(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
		    const u8 *body)
{
	struct sim_event *e;
	u8 *copy;

	if (!n->agent.attached || sim_chance(s, F_DROP, 4))
		return;
	copy = malloc(sizeof(*m) + m->len);
	if (!copy)
		abort();
	memcpy(copy, m, sizeof(*m));
	if (m->len)
		memcpy(copy + sizeof(*m), body, m->len);
	e = post_up(s, n, g, PXS_CMD_EVENT_RECV);
	e->data = copy;
	e->len = (u32)sizeof(*m) + m->len;
}

static void send_one(struct sim *s, struct sim_node *n, u32 g, struct pxs_out *out,
		     const struct pxs_send *send)
{
	static u8 body[PXS_WIRE_BODY_MAX];
	struct sim_part *part = &n->part[g];
	u32 self = sim_index(s, n);
	struct pxs_msg m;
	u32 to;

	if (send->bytes > PXS_WIRE_BODY_MAX) {
		sim_fail(s, "node %u: body too large", self);
		return;
	}
	pxs_out_body(out, send, body);
	for (to = 0; to < part->core.conf.nmembers; to++) {
		if (!(send->to >> to & 1))
			continue;
		pxs_out_msg(&part->core, send, (u8)to, &m);
		sim_check_leaves(s, n, g, &m, body);
		TRACE(s, "node %u group %u: %s to %u: ballot %llx slot %llu commit %llu arg %llx count %u",
		      self, g, sim_wire_name(m.type), sim_node_of(s, m.receiver), U(m.ballot),
		      U(m.slot), U(m.commit), U(m.arg), m.count);
		if (to == part->self)
			forward(s, n, g, &m, body);
		else
			sim_send(s, n, g, &m, body);
	}
}

/* Give the agent what is staged; the observer sees each record once. */
void sim_module_pump(struct sim *s, struct sim_node *n)
{
	struct sim_module *mod = &n->mod;
	struct pxs_record r;
	struct sim_event *e;
	struct pxs_batch b;
	u32 at;

	while (n->agent.attached && pxs_stage_due(&mod->stage, PXS_APPEND_MAX, &b)) {
		u8 *buf = malloc(b.bytes);

		if (!buf)
			abort();
		pxs_stage_copy(&mod->stage, &b, buf);
		for (at = 0; at < b.bytes; at += pxs_record_size(r.len)) {
			if (pxs_record_get(buf + at, b.bytes - at, &r) != PXS_RECORD_OK) {
				sim_fail(s, "node %u: staged a broken record", sim_index(s, n));
				break;
			}
			if (r.lsn <= mod->watched_lsn)
				continue;
			mod->watched_lsn = r.lsn;
			sim_check_staged(s, n, &r);
		}
		e = post_up(s, n, 0, PXS_CMD_EVENT_APPEND);
		e->a = mod->former + b.epoch;
		e->b = b.first_lsn;
		e->c = b.count;
		e->data = buf;
		e->len = b.bytes;
		e->lazy = b.lazy;
		pxs_stage_sent(&mod->stage, &b);
		TRACE(s, "node %u: APPEND of LSN %llu to %llu, arrives at %llu", sim_index(s, n),
		      U(b.first_lsn), U(b.first_lsn + b.count - 1), U(e->at));
	}
}

static void tell_decided(struct sim *s, struct sim_node *n, u32 g, u64 commit, u64 lsn)
{
	struct sim_event *e = post_up(s, n, g, PXS_CMD_EVENT_DECIDED);

	e->a = commit;
	e->b = lsn;
}

static void tell_leader(struct sim *s, struct sim_node *n, u32 g, u64 ballot, u8 event)
{
	struct sim_event *e = post_up(s, n, g, PXS_CMD_EVENT_LEADER);

	e->a = ballot;
	e->b = event;
}

static void tell_read(struct sim *s, struct sim_node *n, u32 g)
{
	const struct pxs_read *r = &n->part[g].core.read;
	struct sim_event *e = post_up(s, n, g, PXS_CMD_EVENT_READ);

	e->a = r->done_ballot;
	e->b = r->done;
	e->c = r->done_index;
	TRACE(s, "node %u group %u: round %llu of ballot %llx ends, index %llu", sim_index(s, n), g,
	      U(r->done), U(r->done_ballot), U(r->done_index));
}

/* A new agent is told what its predecessor knew: pxs_event_note_all() of kmod/event.c. */
void sim_module_tell_all(struct sim *s, struct sim_node *n)
{
	const struct pxs_group *core;
	u32 g;

	for (g = 0; g < s->p.groups; g++) {
		core = &n->part[g].core;
		if (!n->part[g].there || core->state != PXS_GROUP_ACTIVE)
			continue;
		if (core->leader_told)
			tell_leader(s, n, g, core->leader_ballot, PXS_LEADER_SEEN);
		tell_decided(s, n, g, core->commit, core->commit_lsn);
	}
}

/*
 * Where memory is enough, a record counts when it is staged: before anything leaves that rests on
 * it. Not behind one that says that the disk is waited for again.
 */
static void look_at_memory(struct sim *s, struct sim_node *n)
{
	struct pxs_stage *st = &n->mod.stage;
	bool on[SIM_GROUPS];
	struct pxs_record r;
	u64 pos = st->tail;
	u64 lsn;
	u32 g, i, size;

	for (g = 0; g < SIM_GROUPS; g++)
		on[g] = n->part[g].open;
	for (lsn = st->durable_lsn + 1; lsn <= st->last_lsn && !s->failed; lsn++) {
		static u8 buf[PXS_APPEND_MAX];

		size = st->length[lsn & (PXS_STAGE_RECORDS - 1)];
		for (i = 0; i < size; i++)
			buf[i] = st->ring[(pos + i) & (st->size - 1)];
		pos += size;
		if (pxs_record_get(buf, size, &r) != PXS_RECORD_OK) {
			sim_fail(s, "node %u: staged a broken record", sim_index(s, n));
			return;
		}
		g = (u32)sim_group_index(s, r.group) % SIM_GROUPS;
		if (r.type == PXS_RECORD_DURABILITY && r.slot == PXS_DURABILITY_DISK)
			on[g] = false;
		else if (r.type == PXS_RECORD_DURABILITY)
			n->part[g].opening = max(n->part[g].opening, lsn);
		if (on[g] && lsn > n->mod.memory_lsn)
			sim_check_memory(s, n, &r);
	}
	n->mod.memory_lsn = st->last_lsn;
}

/* What the shell does after each call into the core. */
void sim_module_out(struct sim *s, struct sim_node *n, u32 g, struct pxs_out *out)
{
	u32 i;

	if (s->p.memory)
		look_at_memory(s, n);
	for (i = 0; i < out->nsend && !s->failed; i++)
		send_one(s, n, g, out, &out->send[i]);
	if (n->agent.attached) {
		sim_module_pump(s, n);
		if (out->what & PXS_OUT_LATER)
			n->part[g].untold = true;
		else if (out->what & PXS_OUT_DECIDED)
			tell_decided(s, n, g, out->commit, out->lsn);
		if (out->what & PXS_OUT_READ)
			tell_read(s, n, g);
		if (out->what & PXS_OUT_LEADER) {
			tell_leader(s, n, g, out->leader_ballot, out->leader_event);
			TRACE(s, "node %u group %u: leader of %llx %s", sim_index(s, n), g,
			      U(out->leader_ballot),
			      out->leader_event == PXS_LEADER_LOST ? "is lost" : "is seen, or we lost");
		}
	}
	pxs_out_done(out);
	sim_check_part(s, n, g);
	if (n->mod.stage.last_lsn == n->mod.stage.durable_lsn)
		n->mod.stuck = 0;
}

void sim_module_recv(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
		     const u8 *body)
{
	struct pxs_out out;

	TRACE(s, "node %u group %u: got %s from %u: ballot %llx slot %llu commit %llu count %u",
	      sim_index(s, n), g, sim_wire_name(m->type), m->sender / 3, U(m->ballot),
	      U(m->slot), U(m->commit), m->count);
	pxs_out_init(&out);
	pxs_group_recv(&n->part[g].core, m, body, sim_clock(s, n), &out);
	if (out.what & PXS_OUT_FORWARD)
		forward(s, n, g, m, body);
	sim_module_out(s, n, g, &out);
}

/* As kmod/journal.c: an agent that answers, and a disk that moves. */
static bool healthy(struct sim *s, struct sim_node *n, u64 now)
{
	struct sim_module *mod = &n->mod;
	u64 durable = mod->stage.durable_lsn;

	if (durable == mod->stage.last_lsn || durable != mod->moved_lsn) {
		mod->moved_lsn = durable;
		mod->moved = now;
	}
	return mod->stage.attached && !mod->stage.failed && now - mod->heard < s->p.silence &&
	       now - mod->moved < s->p.silence;
}

/* As the timer of kmod/journal.c: what nobody waited for. */
static void late(struct sim *s, struct sim_node *n)
{
	struct sim_part *part;
	u32 g;

	pxs_stage_late(&n->mod.stage);
	sim_module_pump(s, n);
	for (g = 0; g < s->p.groups; g++) {
		part = &n->part[g];
		if (part->there && part->untold)
			tell_decided(s, n, g, part->core.commit, part->core.commit_lsn);
		part->untold = false;
	}
}

void sim_module_tick(struct sim *s, struct sim_node *n)
{
	struct pxs_out out;
	u64 now = sim_clock(s, n);
	u32 g;

	/* Since a tick, not since the append: the whole node may have been paused meanwhile. */
	if (!n->mod.stuck && n->mod.stage.last_lsn != n->mod.stage.durable_lsn)
		n->mod.stuck = now;
	for (g = 0; g < s->p.groups && !s->failed; g++) {
		if (!n->part[g].there)
			continue;
		pxs_out_init(&out);
		pxs_group_tick(&n->part[g].core, now, healthy(s, n, now), &out);
		n->mod.ticking = true;
		sim_module_out(s, n, g, &out);
		n->mod.ticking = false;
	}
	if (n->agent.attached && !s->failed)
		late(s, n);
	sim_post(s, s->now + s->p.heartbeat / 2, E_TICK, (u8)sim_index(s, n), n->mod.life);
}

/* What waited for records that are durable now may go. */
void sim_module_release(struct sim *s, struct sim_node *n)
{
	struct pxs_out out;
	bool more;
	u32 g;

	for (g = 0; g < s->p.groups; g++) {
		if (!n->part[g].there)
			continue;
		do {
			pxs_out_init(&out);
			pxs_group_release(&n->part[g].core, sim_clock(s, n), &out);
			more = out.what & PXS_OUT_MORE;
			sim_module_out(s, n, g, &out);
		} while (more && n->mod.up && !s->failed);
	}
}

void sim_module_ack(struct sim *s, struct sim_node *n, u64 epoch, u64 lsn)
{
	struct sim_module *mod = &n->mod;
	int ret = pxs_stage_durable(&mod->stage, epoch - mod->former, lsn);

	TRACE(s, "node %u: DURABLE %llu epoch %llu: %d", sim_index(s, n), U(lsn), U(epoch), ret);
	if (ret >= 0 && epoch != mod->former + mod->stage.epoch)
		sim_fail(s, "S6: node %u takes an acknowledgement of a former agent",
			 sim_index(s, n));
	if (ret >= 0 && lsn >= n->watch.lsn && !n->reborn)
		sim_fail(s, "S1: node %u is told that LSN %llu is durable; its disk ends at %llu",
			 sim_index(s, n), U(lsn), U(n->watch.lsn - 1));
	if (ret == -EINVAL)
		sim_fail(s, "node %u: the agent confirmed what was not sent", sim_index(s, n));
	if (ret < 0)
		return;
	mod->heard = sim_clock(s, n);
	if (ret) {
		mod->stuck = 0;
		mod->memory_lsn = 0;	/* that memory is enough may be durable now */
		sim_module_release(s, n);
	}
	sim_module_pump(s, n);
}
