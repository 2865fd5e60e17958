// SPDX-License-Identifier: GPL-2.0
/*
 * agent.c - the agent half of a node: journal, recovery, election, learner, clients
 *
 * The election is the shipped one. The journal here is one run of records with a
 * durable and a volatile part; batches, segments and salts are the journal's own tests'
 * business. Commands to the module act at once (a netlink command runs in its caller's
 * context); what the module says arrives later, in order, and dies with the agent.
 */
#include <stdlib.h>
#include "sim.h"

#define TICK_MS	10u

u32 sim_index(const struct sim *s, const struct sim_node *n)
{
	return (u32)(n - s->node);
}

static void journal_write(struct sim_journal *j, const u8 *p, u32 len)
{
	if (j->len + len > j->cap) {
		j->cap = 2 * (j->len + len) + 4096;
		j->buf = realloc(j->buf, j->cap);
		if (!j->buf)
			abort();
	}
	memcpy(j->buf + j->len, p, len);
	j->len += len;
}

/* The learner remembers the newest record of each slot. */
static void know(struct sim *s, struct sim_node *n, const struct pxs_record *r, u32 at)
{
	struct sim_known *k;

	if (r->type == PXS_RECORD_COMMIT)
		n->agent.read_commit = max(n->agent.read_commit, r->slot);
	else if (r->type != PXS_RECORD_DECIDED && r->ballot > n->agent.read_promised)
		n->agent.read_promised = r->ballot;
	if (r->type != PXS_RECORD_ACCEPT && r->type != PXS_RECORD_DECIDED)
		return;
	if (!r->slot || r->slot >= SIM_SLOTS) {
		sim_fail(s, "node %u: record of slot %llu", sim_index(s, n),
			 (unsigned long long)r->slot);
		return;
	}
	k = &n->agent.known[r->slot];
	n->agent.last = max(n->agent.last, r->slot);
	if (n->agent.lenient && k->vid && (k->decided || r->slot <= n->agent.read_commit) &&
	    r->flags & PXS_ENTRY_FAULTY)
		return;
	k->decided |= r->type == PXS_RECORD_DECIDED && !(r->flags & PXS_ENTRY_FAULTY);
	k->vid = r->flags & PXS_ENTRY_FAULTY ? 0 :
		 sim_value_vid(r->data, r->len, r->flags & PXS_ENTRY_NOOP);
	k->ballot = r->ballot;
	k->lsn = r->lsn;
	k->at = at;
}

static void apply(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;

	if (a->want_lsn > n->journal.last_lsn)
		return;
	while (a->applied < a->want_commit && !s->failed) {
		const struct sim_known *k = &a->known[a->applied + 1];

		if (!k->vid) {
			sim_fail(s, "node %u: slot %llu is committed, but its value is not here",
				 sim_index(s, n), (unsigned long long)a->applied + 1);
			return;
		}
		a->applied++;
		sim_check_applied(s, n, a->applied, k->vid);
	}
}

static int execute(struct sim *s, struct sim_node *n, const struct pxs_elect_action *a, u64 *slot)
{
	struct pxs_group *g = &n->mod.group;
	struct pxs_out out;
	int ret = 0;

	pxs_out_init(&out);
	switch (a->type) {
	case PXS_ELECT_PREPARE:
		ret = pxs_group_prepare(g, a->ballot, a->slot, a->to, &out);
		if (!ret)
			sim_check_prepare(s, n, a->ballot);
		break;
	case PXS_ELECT_LEAD:
		ret = pxs_group_lead(g, a->ballot, a->slot, s->now, &out);
		s->stat.elections += !ret;
		if (!ret)
			sim_check_lead(s, n, a->ballot);
		break;
	case PXS_ELECT_PROPOSE:
		ret = pxs_group_propose(g, a->value, s->now, slot, &out);
		break;
	case PXS_ELECT_RESIGN:
		pxs_group_resign(g);
		break;
	}
	TRACE(s, "node %u: action %u ballot %llx slot %llu to %llx: %d", sim_index(s, n), a->type,
	      (unsigned long long)a->ballot, (unsigned long long)a->slot,
	      (unsigned long long)a->to, ret);
	sim_module_out(s, n, &out);
	if (sim_chance(s, F_REPLY, 32))
		ret = -ETIMEDOUT;
	return ret;
}

static void executed(struct sim *s, struct sim_node *n, const struct pxs_elect_action *a, u64 slot,
		     int ret)
{
	struct pxs_elect *e = &n->agent.elect;

	if (ret == -ESTALE && sim_below(s, 2))
		pxs_elect_seen(e, n->mod.group.promised);
	if (ret)
		pxs_elect_failed(e, a, ret, s->now);
	else
		pxs_elect_done(e, a, slot, s->now);
}

/* The command, or only its reply, takes a while; other things happen meanwhile. */
static bool put_off(struct sim *s, struct sim_node *n, const struct pxs_elect_action *a)
{
	struct sim_agent *g = &n->agent;

	if (!sim_chance(s, F_ASYNC, a->type == PXS_ELECT_LEAD ? 2 : 16))
		return false;
	g->out = *a;
	g->out_slot = 0;
	g->out_sent = sim_below(s, 2);
	if (g->out_sent)
		g->out_ret = execute(s, n, a, &g->out_slot);
	sim_post(s, s->now + 1 + sim_below(s, 2 * s->p.election), E_DONE, (u8)sim_index(s, n),
		 g->life);
	return true;
}

/* Let the election do what it wants to do. */
static void drive(struct sim *s, struct sim_node *n)
{
	struct pxs_elect *e = &n->agent.elect;
	struct pxs_elect_action a;
	u32 steps = 0;
	u64 slot;
	int ret;

	while (!s->failed && pxs_elect_next(e, &a)) {
		if (put_off(s, n, &a))
			return;
		slot = 0;
		ret = execute(s, n, &a, &slot);
		executed(s, n, &a, slot, ret);
		if (++steps > 4 * s->p.window + 64)
			sim_fail(s, "node %u: the election does not come to rest",
				 sim_index(s, n));
	}
}

void sim_agent_done(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;

	if (!a->out_sent)
		a->out_ret = execute(s, n, &a->out, &a->out_slot);
	executed(s, n, &a->out, a->out_slot, a->out_ret);
	drive(s, n);
}

static void flush(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	u64 ms = 1 + sim_below(s, s->p.disk_ms);

	if (a->flushing || n->journal.len == n->journal.durable)
		return;
	if (sim_chance(s, F_DISK, 16))
		ms += sim_below(s, 3 * s->p.election);
	a->flushing = true;
	a->flush_len = n->journal.len;
	a->flush_lsn = n->journal.last_lsn;
	sim_post(s, s->now + ms, E_FLUSH, (u8)sim_index(s, n), a->life);
}

/* What was written is durable up to @len: tell the observer of each record. */
static void now_durable(struct sim *s, struct sim_node *n, u32 len)
{
	struct sim_journal *j = &n->journal;
	struct pxs_record r;

	while (j->durable < len) {
		int ret = pxs_record_get(j->buf + j->durable, len - j->durable, &r);

		if (ret != PXS_RECORD_OK && ret != PXS_RECORD_BAD_VALUE) {
			sim_fail(s, "node %u: flushed a broken record", sim_index(s, n));
			return;
		}
		j->durable += pxs_record_size(r.len);
		j->durable_lsn = r.lsn;
		if (ret == PXS_RECORD_OK)
			sim_check_durable(s, n, &r);
	}
}

/* The flush failed: fence, and end (S4). */
static void flush_failed(struct sim *s, struct sim_node *n)
{
	TRACE(s, "node %u: flush failed", sim_index(s, n));
	n->dead = true;
	pxs_stage_fail(&n->mod.stage);
	pxs_group_fence(&n->mod.group, "flush failed");
	sim_agent_crash(s, n);
	sim_post(s, s->now + 1 + sim_below(s, 4 * s->p.election), E_CRASH, (u8)sim_index(s, n),
		 n->mod.life);
}

void sim_agent_flushed(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	struct sim_event *e;
	u64 delay = sim_below(s, 2);

	if (sim_chance(s, F_FAIL, 64)) {
		flush_failed(s, n);
		return;
	}
	a->flushing = false;
	now_durable(s, n, a->flush_len);
	if (sim_has(s, F_AGENT) && !sim_below(s, 16))
		delay += sim_below(s, 2 * s->p.election);
	e = sim_post(s, s->now + delay, E_ACK, (u8)sim_index(s, n), n->mod.life);
	e->a = (u64)a->epoch;
	e->b = a->flush_lsn;
	if (sim_chance(s, F_FLUSHED, 24))
		sim_node_crash_soon(s, n);
	flush(s, n);
}

void sim_agent_start(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	u32 life = a->life + 1;
	struct sim_known *known = a->known;

	if (!n->mod.up)
		return;
	if (!known)
		known = calloc(SIM_SLOTS, sizeof(*known));
	if (!known)
		abort();
	memset(known, 0, SIM_SLOTS * sizeof(*known));
	memset(a, 0, sizeof(*a));
	a->known = known;
	a->up = true;
	a->life = life;
	TRACE(s, "node %u: agent starts, life %u", sim_index(s, n), life);
	sim_post(s, s->now + 1 + sim_below(s, 2 * s->p.disk_ms), E_ATTACH, (u8)sim_index(s, n),
		 life);
}

/* One record of the journal. Return: bytes, 0 at the end or at a torn tail. */
static u32 read_record(struct sim *s, struct sim_node *n, u32 at, struct pxs_record *r)
{
	struct sim_journal *j = &n->journal;
	int ret = pxs_record_get(j->buf + at, j->len - at, r);
	u32 size;

	if (at >= j->len)
		return 0;
	if (ret == PXS_RECORD_SHORT || ret == PXS_RECORD_BAD_HEADER) {
		if (at < j->durable)
			sim_fail(s, "node %u: a durable record is broken", sim_index(s, n));
		j->len = at;	/* torn: it was never confirmed */
		return 0;
	}
	size = pxs_record_size(r->len);
	if (ret == PXS_RECORD_BAD_VALUE) {
		r->flags |= PXS_ENTRY_FAULTY;
		r->len = 0;
		r->data = NULL;
	}
	return size;
}

static void load(struct sim *s, struct sim_node *n, const struct pxs_record *r)
{
	int ret = pxs_group_load(&n->mod.group, r);

	if (ret)
		sim_fail(s, "node %u: LOAD of type %u slot %llu lsn %llu: %d", sim_index(s, n),
			 r->type, (unsigned long long)r->slot, (unsigned long long)r->lsn, ret);
}

/* Every record, as it was written. */
static void load_all(struct sim *s, struct sim_node *n)
{
	struct pxs_record r;
	u32 at, size;

	for (at = 0; (size = read_record(s, n, at, &r)) && !s->failed; at += size)
		load(s, n, &r);
}

static void load_commit(struct sim *s, struct sim_node *n, u64 slot)
{
	struct pxs_record r = { .group = SIM_GROUP, .type = PXS_RECORD_COMMIT, .slot = slot };

	if (slot)
		load(s, n, &r);
}

static int by_lsn(const void *a, const void *b)
{
	const struct sim_known *const *x = a, *const *y = b;

	return (*x)->lsn < (*y)->lsn ? -1 : (*x)->lsn > (*y)->lsn;
}

/* The newest record of a slot. */
static void load_slot(struct sim *s, struct sim_node *n, const struct sim_known *k, u64 start)
{
	struct pxs_record r;

	if (!read_record(s, n, k->at, &r))
		return;
	r.type = !r.flags || r.flags == PXS_ENTRY_NOOP ? r.type : PXS_RECORD_ACCEPT;
	if (!(r.flags & PXS_ENTRY_FAULTY) && r.slot <= start)
		r.type = PXS_RECORD_DECIDED;
	load(s, n, &r);
}

/*
 * What the agent gives (agent/restore.c): the highest ballot; the commit index, but below the
 * first damaged slot; from an eighth of a window before it the newest record of each slot, by
 * LSN; the commit index.
 */
static void load_some(struct sim *s, struct sim_node *n)
{
	const struct sim_known *list[SIM_SLOTS], *k = n->agent.known;
	struct pxs_record r = {
		.group = SIM_GROUP, .type = PXS_RECORD_PROMISE, .ballot = n->agent.read_promised,
	};
	u64 start = n->agent.read_commit;
	u64 slot, end;
	u32 i, len = 0;

	if (r.ballot)
		load(s, n, &r);
	for (slot = 1; slot <= start; slot++)
		if (!k[slot].vid)
			start = slot - 1;
	load_commit(s, n, start);
	slot = start > s->p.window / 8 ? start - s->p.window / 8 : 0;
	end = min(n->agent.last, slot + 2 * s->p.window);
	while (slot++ < end)
		if (k[slot].lsn)
			list[len++] = &k[slot];
	if (end < n->agent.last)
		list[len++] = &k[n->agent.last];
	qsort(list, len, sizeof(list[0]), by_lsn);
	for (i = 0; i < len && !s->failed; i++)
		load_slot(s, n, list[i], start);
	load_commit(s, n, n->agent.read_commit);
}

/* Read the journal, and give it to the group if that has to be loaded. */
static void recover(struct sim *s, struct sim_node *n, bool give)
{
	struct pxs_record r;
	u32 at, size;

	n->journal.last_lsn = 0;
	n->agent.lenient = s->seed % 4 == 0;
	for (at = 0; (size = read_record(s, n, at, &r)) && !s->failed; at += size) {
		n->journal.last_lsn = r.lsn;
		know(s, n, &r, at);
	}
	if (give && n->agent.lenient)
		load_all(s, n);
	else if (give)
		load_some(s, n);
	/* Lower, and it could promise or accept what it had refused. */
	if (give && n->mod.group.promised < n->durable_promise)
		sim_fail(s, "node %u: recovery loses the promise of %llx", sim_index(s, n),
			 (unsigned long long)n->durable_promise);
}

void sim_agent_attach(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	struct pxs_group *g = &n->mod.group;
	bool fresh = g->state == PXS_GROUP_INACTIVE;
	int ret;

	recover(s, n, fresh);
	now_durable(s, n, n->journal.len);	/* flushed before it is believed */
	a->epoch = pxs_stage_attach(&n->mod.stage, n->journal.incarnation,
				    n->journal.last_lsn + 1);
	if (a->epoch < 0) {
		if (!n->dead)
			sim_fail(s, "node %u: ATTACH: %lld", sim_index(s, n), (long long)a->epoch);
		a->up = false;
		return;
	}
	a->attached = true;
	n->up_last = s->now;
	pxs_group_resign(g);
	sim_module_release(s, n);
	if (fresh) {
		ret = pxs_group_activate(g, 0, s->now);
		if (ret)
			sim_fail(s, "node %u: ACTIVATE: %d", sim_index(s, n), ret);
	}
	TRACE(s, "node %u: attached, epoch %lld, next lsn %llu, loaded %d, commit %llu promised %llx",
	      sim_index(s, n), (long long)a->epoch, (unsigned long long)n->journal.last_lsn + 1,
	      fresh, (unsigned long long)g->commit, (unsigned long long)g->promised);
	pxs_elect_init(&a->elect, &g->conf, sim_random(s));
	pxs_elect_start(&a->elect, g->promised, g->commit, s->now);
	a->want_commit = g->commit;
	a->want_lsn = n->mod.stage.last_lsn;
	sim_check_group(s, n);
	drive(s, n);
	sim_module_pump(s, n);
	apply(s, n);
	sim_post(s, s->now + sim_below(s, TICK_MS), E_AGENT, (u8)sim_index(s, n), a->life);
}

void sim_agent_crash(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	struct sim_journal *j = &n->journal;
	struct pxs_record r;
	u32 at = j->durable;
	u32 keep;

	if (!a->up)
		return;
	TRACE(s, "node %u: agent dies", sim_index(s, n));
	if (a->attached)
		pxs_stage_detach(&n->mod.stage);
	pxs_elect_exit(&a->elect);
	memset(&a->elect, 0, sizeof(a->elect));
	a->up = false;
	a->attached = false;
	/* Of what was not flushed any run from the front may have reached the disk. */
	keep = j->durable + (u32)sim_below(s, j->len - j->durable + 1);
	while (at < keep && pxs_record_get(j->buf + at, j->len - at, &r) == PXS_RECORD_OK &&
	       at + pxs_record_size(r.len) <= keep)
		at += pxs_record_size(r.len);
	j->len = sim_has(s, F_TEAR) ? keep : at;
}

static void up_append(struct sim *s, struct sim_node *n, struct sim_event *e)
{
	struct sim_journal *j = &n->journal;
	struct pxs_record r;
	u32 at;

	if ((s64)e->a != n->agent.epoch)
		return;
	for (at = 0; at < e->len; at += pxs_record_size(r.len)) {
		if (pxs_record_get(e->data + at, e->len - at, &r) != PXS_RECORD_OK ||
		    r.lsn != j->last_lsn + 1) {
			sim_fail(s, "node %u: APPEND with a gap behind lsn %llu", sim_index(s, n),
				 (unsigned long long)j->last_lsn);
			return;
		}
		j->last_lsn = r.lsn;
		know(s, n, &r, j->len + at);
	}
	journal_write(j, e->data, e->len);
	flush(s, n);
}

/* A peer lags behind our module's window: LEARN from the journal. */
static void answer_learn(struct sim *s, struct sim_node *n, const struct pxs_msg *req)
{
	static u8 body[PXS_WIRE_BODY_MAX];
	struct pxs_group *g = &n->mod.group;
	struct pxs_out out = { .nsend = 1 };
	struct sim_journal *j = &n->journal;
	struct pxs_msg m;
	u64 slot;

	out.send[0] = (struct pxs_send){ .type = PXS_WIRE_LEARN, .slot = req->slot,
					 .commit = g->commit };
	pxs_out_msg(g, &out, &out.send[0], (u8)pxs_group_member(g, req->sender), &m);
	for (slot = req->slot; slot <= n->agent.applied && m.count < req->count; slot++) {
		const struct sim_known *k = &n->agent.known[slot];
		struct pxs_record r;
		struct pxs_entry en;

		if (!k->vid || pxs_record_get(j->buf + k->at, j->len - k->at, &r) != PXS_RECORD_OK)
			break;
		if (m.count == PXS_WIRE_ENTRIES_MAX ||
		    m.len + pxs_wire_entry_size(r.len) > sizeof(body))
			break;
		en = (struct pxs_entry){ .slot = slot, .ballot = r.ballot, .len = r.len,
					 .flags = (r.flags & PXS_ENTRY_NOOP) | PXS_ENTRY_DECIDED,
					 .data = r.data };
		m.len = pxs_wire_put(body, m.len, &en);
		m.count++;
	}
	if (!m.count)
		return;
	sim_check_leaves(s, n, &m, body);
	sim_send(s, n, &m, body);
}

void sim_agent_up(struct sim *s, struct sim_node *n, struct sim_event *e)
{
	struct sim_agent *a = &n->agent;
	struct pxs_msg m;

	switch (e->what) {
	case PXS_CMD_EVENT_APPEND:
		up_append(s, n, e);
		break;
	case PXS_CMD_EVENT_DECIDED:
		if (e->a > a->want_commit) {
			a->want_commit = e->a;
			a->want_lsn = max(a->want_lsn, e->b);
		}
		break;
	case PXS_CMD_EVENT_LEADER:
		pxs_elect_leader_event(&a->elect, (u8)e->b, e->a, s->now);
		break;
	case PXS_CMD_EVENT_RECV:
		memcpy(&m, e->data, sizeof(m));
		if (m.type == PXS_WIRE_LEARN_REQ)
			answer_learn(s, n, &m);
		else
			pxs_elect_recv(&a->elect, &m, e->data + sizeof(m), s->now);
		break;
	}
	apply(s, n);
	pxs_elect_decided(&a->elect, a->applied, s->now);
	drive(s, n);
}

/* One client's proposal. Return: false when there is no room for more. */
static bool propose(struct sim *s, struct sim_node *n)
{
	static u8 buf[PXS_VALUE_MAX];
	u64 vid = s->next_vid;
	struct pxs_value *v;
	struct pxs_out out;
	u64 slot = 0;
	int ret;

	v = pxs_value_new(buf, sim_value_bytes(vid, sim_has(s, F_BIG) && sim_below(s, 8), buf),
			  false);
	if (!v)
		abort();
	pxs_out_init(&out);
	ret = pxs_group_propose(&n->mod.group, v, s->now, &slot, &out);
	pxs_value_put(v);
	if (!ret) {
		s->next_vid++;
		TRACE(s, "node %u: value %llu to slot %llu", sim_index(s, n),
		      (unsigned long long)vid, (unsigned long long)slot);
		sim_check_proposed(s, n, n->mod.group.lead_ballot, slot, vid);
	}
	sim_module_out(s, n, &out);
	return !ret;
}

void sim_agent_tick(struct sim *s, struct sim_node *n)
{
	struct sim_agent *a = &n->agent;
	u64 want = sim_below(s, sim_has(s, F_BUSY) ? s->p.window : 3);

	pxs_elect_tick(&a->elect, s->now);
	drive(s, n);
	if (s->healed)
		want = !s->healed_vid;
	else if (sim_below(s, s->p.rest))
		want = 0;
	while (want-- && pxs_elect_ready(&a->elect) && !s->failed) {
		if (n->mod.group.next_slot + 4 * s->p.window > SIM_SLOTS && !s->healed)
			break;
		if (!propose(s, n))
			break;
	}
	sim_post(s, s->now + TICK_MS, E_AGENT, (u8)sim_index(s, n), a->life);
}
