// SPDX-License-Identifier: GPL-2.0
/*
 * module.c - the module half of a node: does what the core decided
 *
 * Memory only: a crash forgets everything. Messages to the agent are in order and
 * are lost with the agent; records that were not confirmed stay in the stage.
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
	struct pxs_group_conf conf = {
		.id = SIM_GROUP, .epoch = 1, .cluster = "simulated", .nmembers = (u8)s->p.n,
		.self = (u8)sim_index(s, n), .window = s->p.window,
		.heartbeat_ms = s->p.heartbeat, .election_ms = s->p.election,
	};
	struct sim_module *mod = &n->mod;
	const char *bad;
	u32 i;

	for (i = 0; i < s->p.n; i++) {
		conf.member[i].id = s->node[i].id ? s->node[i].id : (u8)(3 * i + 2);
		conf.member[i].incarnation = 0x1000 + i;
	}
	bad = pxs_group_check_conf(&conf);
	if (bad)
		sim_fail(s, "configuration: %s", bad);
	if (!mod->ring) {
		mod->ring = zalloc(RING_BYTES);
		mod->length = zalloc(PXS_STAGE_RECORDS * sizeof(*mod->length));
		mod->slot = zalloc(conf.window * sizeof(*mod->slot));
		mod->parked = zalloc(2 * conf.window * sizeof(*mod->parked));
	}
	memset(mod->slot, 0, conf.window * sizeof(*mod->slot));
	pxs_stage_init(&mod->stage, mod->ring, RING_BYTES, mod->length);
	pxs_group_init(&mod->group, &conf, &mod->stage, mod->slot, mod->parked);
	mod->up = true;
	mod->life++;
	mod->commit = 0;
	mod->promise_left = 0;
	mod->promise_left_lsn = 0;
	mod->watched_lsn = 0;
	mod->led = 0;
	mod->led_commit = 0;
	n->dead = false;
	TRACE(s, "node %u: boots, life %u", sim_index(s, n), mod->life);
	sim_post(s, s->now + sim_below(s, s->p.heartbeat), E_TICK, (u8)sim_index(s, n), mod->life);
	sim_post(s, s->now + 1 + sim_below(s, s->p.election), E_START, (u8)sim_index(s, n), 0);
}

void sim_module_crash(struct sim *s, struct sim_node *n)
{
	(void)s;
	if (!n->mod.up)
		return;
	pxs_group_exit(&n->mod.group);
	n->mod.up = false;
}

/* In order, after all that was sent before. */
static struct sim_event *post_up(struct sim *s, struct sim_node *n, u8 what)
{
	u64 at = s->now + sim_below(s, 2);
	struct sim_event *e;

	if (sim_chance(s, F_LAG, 24))
		at += sim_below(s, 2 * s->p.election);
	if (at < n->up_last)
		at = n->up_last;
	n->up_last = at;
	e = sim_post(s, at, E_UP, (u8)sim_index(s, n), n->agent.life);
	e->what = what;
	return e;
}

static void forward(struct sim *s, struct sim_node *n, const struct pxs_msg *m, const u8 *body)
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
	e = post_up(s, n, PXS_CMD_EVENT_RECV);
	e->data = copy;
	e->len = (u32)sizeof(*m) + m->len;
}

static void send_all(struct sim *s, struct sim_node *n, struct pxs_out *out)
{
	static u8 body[PXS_WIRE_BODY_MAX];
	u32 self = sim_index(s, n);
	struct pxs_msg m;
	u32 i, to;

	for (i = 0; i < out->nsend && !s->failed; i++) {
		const struct pxs_send *send = &out->send[i];

		if (pxs_out_body_size(out, send) > PXS_WIRE_BODY_MAX) {
			sim_fail(s, "node %u: body too large", self);
			return;
		}
		pxs_out_body(out, send, body);
		for (to = 0; to < s->p.n; to++) {
			if (!(send->to >> to & 1))
				continue;
			pxs_out_msg(&n->mod.group, out, send, (u8)to, &m);
			sim_check_leaves(s, n, &m, body);
			TRACE(s, "node %u: type %u to %u ballot %llx slot %llu commit %llu arg %llx count %u",
			      self, m.type, to, (unsigned long long)m.ballot,
			      (unsigned long long)m.slot, (unsigned long long)m.commit,
			      (unsigned long long)m.arg, m.count);
			if (to == self)
				forward(s, n, &m, body);
			else
				sim_send(s, n, &m, body);
		}
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
		e = post_up(s, n, PXS_CMD_EVENT_APPEND);
		e->a = b.epoch;
		e->data = buf;
		e->len = b.bytes;
		pxs_stage_sent(&mod->stage, &b);
	}
}

/* What the shell does after each call into the core. */
void sim_module_out(struct sim *s, struct sim_node *n, struct pxs_out *out)
{
	struct sim_event *e;

	send_all(s, n, out);
	if (n->agent.attached) {
		sim_module_pump(s, n);
		if (out->what & PXS_OUT_DECIDED) {
			e = post_up(s, n, PXS_CMD_EVENT_DECIDED);
			e->a = out->commit;
			e->b = out->lsn;
		}
		if (out->what & PXS_OUT_LEADER) {
			e = post_up(s, n, PXS_CMD_EVENT_LEADER);
			e->a = out->leader_ballot;
			e->b = out->leader_event;
			TRACE(s, "node %u: leader event %u ballot %llx", sim_index(s, n),
			      out->leader_event, (unsigned long long)out->leader_ballot);
		}
	}
	pxs_out_done(out);
	sim_check_group(s, n);
}

void sim_module_recv(struct sim *s, struct sim_node *n, const struct pxs_msg *m, const u8 *body)
{
	struct pxs_out out;

	TRACE(s, "node %u: got type %u from %u ballot %llx slot %llu commit %llu count %u",
	      sim_index(s, n), m->type, m->sender / 3, (unsigned long long)m->ballot,
	      (unsigned long long)m->slot, (unsigned long long)m->commit, m->count);
	pxs_out_init(&out);
	pxs_group_recv(&n->mod.group, m, body, s->now, &out);
	if (out.what & PXS_OUT_FORWARD)
		forward(s, n, m, body);
	sim_module_out(s, n, &out);
}

void sim_module_tick(struct sim *s, struct sim_node *n)
{
	struct pxs_out out;

	pxs_out_init(&out);
	pxs_group_tick(&n->mod.group, s->now, n->agent.attached, &out);
	sim_module_out(s, n, &out);
	sim_post(s, s->now + s->p.heartbeat / 2, E_TICK, (u8)sim_index(s, n), n->mod.life);
}

/* What waited for records that are durable now may go. */
void sim_module_release(struct sim *s, struct sim_node *n)
{
	struct pxs_out out;
	bool more;

	do {
		pxs_out_init(&out);
		pxs_group_release(&n->mod.group, s->now, &out);
		more = out.what & PXS_OUT_MORE;
		sim_module_out(s, n, &out);
	} while (more && n->mod.up && !s->failed);
}

void sim_module_ack(struct sim *s, struct sim_node *n, u64 epoch, u64 lsn)
{
	int ret = pxs_stage_durable(&n->mod.stage, epoch, lsn);

	TRACE(s, "node %u: DURABLE %llu epoch %llu: %d", sim_index(s, n), (unsigned long long)lsn,
	      (unsigned long long)epoch, ret);
	if (ret >= 0 && epoch != n->mod.stage.epoch)
		sim_fail(s, "S6: node %u takes an acknowledgement of a former agent",
			 sim_index(s, n));
	if (ret == -EINVAL)
		sim_fail(s, "node %u: the agent confirmed what was not sent", sim_index(s, n));
	if (ret == 1)
		sim_module_release(s, n);
}
