// SPDX-License-Identifier: GPL-2.0
/*
 * datapath_user.c - the core in this process: acceptor, leader, learner over UDP
 *
 * Does what the module's shell does, in one thread: receive, check, call the core, send what it
 * says. Byte for byte compatible with members in the kernel. What the core wants the agent to know
 * is queued and handed over by the hook, so that an event never comes from inside a request.
 */
#include "datapath.h"

#include <time.h>

#include "auth.h"
#include "note.h"
#include "patience.h"	/* kmod/core */
#include "report.h"
#include "udp.h"

struct user_group {
	struct pxs_group core;
	struct pxs_group_config config;
	struct pxs_slot *slots;
	struct pxs_parked *parked;
	struct pxs_udp *udp;
	u64 told;		/* commit index that the agent knows */
	bool read;		/* a round of reads ended that it does not know of */
	struct user_group *next;
};

struct user {
	struct pxs_datapath dp;
	struct pxs_hook hook;
	struct pxs_ticker ticker;
	struct user_group *groups;
	struct pxs_udp *sockets;
	struct pxs_notes notes;
	struct pxs_stage stage;
	u8 *ring;
	u32 *length;
	u8 *append;		/* PXS_APPEND_MAX */
	u64 epoch;
	u64 counter;		/* of datagrams */
	u64 moved;		/* when the durable point moved, or nothing was in flight */
	struct pxs_out out;
	u8 datagram[PXS_WIRE_MAX] __attribute__((aligned(8)));
	u64 net[__PXS_NET_STAT_MAX];
};

static struct user *to_user(struct pxs_datapath *dp)
{
	return (struct user *)dp;
}

static struct user_group *find(struct user *u, u32 id)
{
	struct user_group *g;

	for (g = u->groups; g && g->core.conf.id != id; g = g->next)
		;
	return g;
}

static void transmit(struct user *u, struct user_group *g, u8 to, struct pxs_msg *m)
{
	struct pxs_wire_hdr *hdr = (struct pxs_wire_hdr *)u->datagram;

	m->key_id = g->config.keys.key[0].id;
	m->counter = ++u->counter;
	pxs_wire_build(hdr, m);
	pxs_keys_sign(&g->config.keys, hdr, u->datagram + PXS_WIRE_HDR_LEN, m->len);
	if (pxs_udp_send(g->udp, &g->config.address[to], u->datagram, PXS_WIRE_HDR_LEN + m->len))
		g->core.stat[PXS_GROUP_STAT_TX_ERRORS]++;
	else
		g->core.stat[PXS_GROUP_STAT_TX]++;
}

static void send_one(struct user *u, struct user_group *g, const struct pxs_send *send)
{
	u8 *body = u->datagram + PXS_WIRE_HDR_LEN;
	struct pxs_msg m;
	u8 to;

	pxs_out_body(&u->out, send, body);
	for (to = 0; to < g->core.conf.nmembers; to++) {
		if (!(send->to & 1ull << to))
			continue;
		pxs_out_msg(&g->core, send, to, &m);
		if (to == g->core.conf.self)
			pxs_note_add(&u->notes, g->core.conf.id, 0, 0, &m, body);
		else
			transmit(u, g, to, &m);
	}
}

/* Do what the core said. */
static void act(struct user *u, struct user_group *g, const struct pxs_msg *m, const u8 *body)
{
	struct pxs_out *out = &u->out;
	u32 i;

	/* Before the sends: they reuse the buffer in which the datagram stands. */
	if (out->what & PXS_OUT_FORWARD && m)
		pxs_note_add(&u->notes, g->core.conf.id, 0, 0, m, body);
	if (out->what & PXS_OUT_LEADER)
		pxs_note_add(&u->notes, g->core.conf.id, out->leader_event, out->leader_ballot,
			     NULL, NULL);
	if (out->what & PXS_OUT_READ)
		g->read = true;
	for (i = 0; i < out->nsend; i++)
		send_one(u, g, &out->send[i]);
	pxs_out_done(out);
}

/* What a call of the core returned, and what it wants sent and told. */
static int acted(struct user *u, struct user_group *g, int err)
{
	act(u, g, NULL, NULL);
	return err;
}

static void receive(void *ctx, u8 *buf, size_t size)
{
	struct user *u = ctx;
	struct pxs_wire_hdr *hdr = (struct pxs_wire_hdr *)buf;
	u8 *body = buf + PXS_WIRE_HDR_LEN;
	struct user_group *g;
	struct pxs_msg m;
	int fault;

	u->net[PXS_NET_STAT_RX_DATAGRAMS]++;
	fault = pxs_wire_parse(hdr, size, &m);
	g = fault ? NULL : find(u, m.group);
	if (!g) {
		u->net[fault ? fault : PXS_NET_STAT_NO_GROUP]++;
		return;
	}
	fault = pxs_group_admit(&g->core, &m);
	if (!fault)
		fault = pxs_keys_verify(&g->config.keys, hdr, body, m.len);
	if (!fault)
		fault = pxs_group_trust(&g->core, &m);
	if (fault) {
		g->core.stat[fault]++;
		return;
	}
	pxs_out_init(&u->out);
	/* Not the loop's time: leases want that it was not read before this came (lease.h). */
	pxs_group_recv(&g->core, &m, body, pxs_clock_ms(), &u->out);
	act(u, g, &m, body);
}

static bool tell_read(struct user *u, struct user_group *g)
{
	const struct pxs_datapath_events *ev = u->dp.events;
	const struct pxs_read *r = &g->core.read;

	if (!g->read)
		return false;
	g->read = false;
	ev->read(ev->ctx, g->core.conf.id, r->done_ballot, r->done, r->done_index);
	return true;
}

static bool user_hook(struct pxs_hook *hook)
{
	struct user *u = (struct user *)((char *)hook - offsetof(struct user, hook));
	const struct pxs_datapath_events *ev = u->dp.events;
	struct user_group *g;
	struct pxs_batch b;
	bool did = u->notes.first;

	pxs_stage_late(&u->stage);	/* we are awake: a copy costs little */
	while (pxs_stage_due(&u->stage, PXS_APPEND_MAX, &b)) {
		pxs_stage_copy(&u->stage, &b, u->append);
		pxs_stage_sent(&u->stage, &b);
		ev->append(ev->ctx, b.first_lsn, b.count, u->append, b.bytes, b.lazy);
		did = true;
	}
	pxs_notes_tell(&u->notes, u->dp.events);
	for (g = u->groups; g; g = g->next) {
		did |= tell_read(u, g);
		if (g->told >= g->core.commit || g->core.state != PXS_GROUP_ACTIVE)
			continue;
		g->told = g->core.commit;
		ev->decided(ev->ctx, g->core.conf.id, g->told, g->core.commit_lsn);
		did = true;
	}
	return did;
}

/* The disk moves: something was confirmed lately, or nothing waits for it. */
static bool healthy(struct user *u, const struct user_group *g, u64 now)
{
	if (u->stage.last_lsn == u->stage.durable_lsn)
		u->moved = now;
	return !u->stage.failed && now - u->moved < pxs_patience(g->core.conf.heartbeat_ms);
}

static void user_tick(struct pxs_ticker *t, u64 now)
{
	struct user *u = (struct user *)((char *)t - offsetof(struct user, ticker));
	struct user_group *g;

	for (g = u->groups; g; g = g->next) {
		pxs_out_init(&u->out);
		pxs_group_tick(&g->core, now, healthy(u, g, now), &u->out);
		act(u, g, NULL, NULL);
	}
}

static void free_group(struct user_group *g)
{
	pxs_group_exit(&g->core);
	free(g->slots);
	free(g->parked);
	explicit_bzero(&g->config, sizeof(g->config));
	free(g);
}

static int user_group_add(struct pxs_datapath *dp, const struct pxs_group_config *config)
{
	struct user *u = to_user(dp);
	struct user_group *g;
	u32 window = config->conf.window;
	int err = -ENOMEM;

	if (find(u, config->conf.id))
		return -EEXIST;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->config = *config;
	pxs_keys_begin(&g->config.keys);
	g->slots = calloc(window, sizeof(*g->slots));
	g->parked = calloc(2 * (size_t)window, sizeof(*g->parked));
	if (!g->slots || !g->parked)
		goto fail;
	err = pxs_udp_get(&u->sockets, dp->loop, &config->address[config->conf.self], receive, u,
			  &g->udp);
	if (err)
		goto fail;
	pxs_group_init(&g->core, &config->conf, &u->stage, g->slots, g->parked);
	g->next = u->groups;
	u->groups = g;
	return 0;
fail:
	free_group(g);		/* its keys, too, leave nothing behind */
	return err;
}

static int user_group_del(struct pxs_datapath *dp, u32 group)
{
	struct user *u = to_user(dp);
	struct user_group **at, *g = find(u, group);

	if (!g)
		return -ENOENT;
	for (at = &u->groups; *at != g; at = &(*at)->next)
		;
	*at = g->next;
	free_group(g);
	return 0;
}

static int user_keys(struct pxs_datapath *dp, const struct pxs_group_config *config)
{
	struct user_group *g = find(to_user(dp), config->conf.id);
	const char *wrong;

	if (!g)
		return -ENOENT;
	wrong = pxs_keys_check_change(&g->config.keys, &config->keys);
	if (wrong) {
		pxs_err("group %u: %s", config->conf.id, wrong);
		return -EINVAL;
	}
	explicit_bzero(&g->config.keys, sizeof(g->config.keys));
	g->config.keys = config->keys;
	pxs_keys_begin(&g->config.keys);
	return 0;
}

static int user_attach(struct pxs_datapath *dp, u64 incarnation, u64 next_lsn, u64 *last_lsn)
{
	struct user *u = to_user(dp);
	s64 epoch = pxs_stage_attach(&u->stage, incarnation, next_lsn);

	if (epoch < 0)
		return (int)epoch;
	u->epoch = (u64)epoch;
	*last_lsn = u->stage.last_lsn;
	return 0;
}

static void user_durable(struct pxs_datapath *dp, u64 lsn)
{
	struct user *u = to_user(dp);
	struct user_group *g;
	bool more;

	if (pxs_stage_durable(&u->stage, u->epoch, lsn) <= 0)
		return;
	u->moved = dp->loop->now;
	for (g = u->groups; g; g = g->next) {
		do {
			pxs_out_init(&u->out);
			pxs_group_release(&g->core, dp->loop->now, &u->out);
			more = u->out.what & PXS_OUT_MORE;
			act(u, g, NULL, NULL);
		} while (more);
	}
}

static void user_fail(struct pxs_datapath *dp, const char *reason)
{
	struct user *u = to_user(dp);
	struct user_group *g;

	(void)reason;
	pxs_stage_fail(&u->stage);
	for (g = u->groups; g; g = g->next)
		pxs_group_fence(&g->core, "the journal failed");
}

static int user_settle(struct pxs_datapath *dp)
{
	struct user_group *g;
	int err = 0, ret;

	for (g = to_user(dp)->groups; g; g = g->next) {
		ret = pxs_group_settle(&g->core);
		err = ret ? ret : err;
	}
	return err;
}

static int user_load(struct pxs_datapath *dp, u32 group, const u8 *records, u32 bytes)
{
	struct user_group *g = find(to_user(dp), group);
	struct pxs_record r;
	u32 pos = 0;
	int err;

	if (!g)
		return -ENOENT;
	while (pos < bytes) {
		if (pxs_record_get(records + pos, bytes - pos, &r) != PXS_RECORD_OK)
			return -EBADMSG;
		err = pxs_group_load(&g->core, &r);
		if (err)
			return err;
		pos += pxs_record_size(r.len);
	}
	return 0;
}

static int user_activate(struct pxs_datapath *dp, u32 group, u64 commit)
{
	struct user_group *g = find(to_user(dp), group);
	int err;

	if (!g)
		return -ENOENT;
	err = pxs_group_activate(&g->core, commit, pxs_clock_ms());
	if (!err)
		g->told = commit;
	return err;
}

static int user_prepare(struct pxs_datapath *dp, u32 group, u64 ballot, u64 slot, u64 to)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);

	if (!g)
		return -ENOENT;
	pxs_out_init(&u->out);
	return acted(u, g, pxs_group_prepare(&g->core, ballot, slot, to, &u->out));
}

static int user_lead(struct pxs_datapath *dp, u32 group, u64 ballot, u64 first, u64 found)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);

	if (!g)
		return -ENOENT;
	pxs_out_init(&u->out);
	return acted(u, g, pxs_group_lead(&g->core, ballot, first, found, dp->loop->now, &u->out));
}

static int user_resign(struct pxs_datapath *dp, u32 group)
{
	struct user_group *g = find(to_user(dp), group);

	if (g)
		pxs_group_taken_over(&g->core);
	return g ? 0 : -ENOENT;
}

static int user_transfer(struct pxs_datapath *dp, u32 group, u8 member)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);

	if (!g)
		return -ENOENT;
	pxs_out_init(&u->out);
	return acted(u, g, pxs_group_transfer(&g->core, (u8)pxs_group_member(&g->core, member),
					      dp->loop->now, &u->out));
}

static int user_trim(struct pxs_datapath *dp, u32 group, u64 slot, bool peers)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);

	if (!g)
		return -ENOENT;
	pxs_out_init(&u->out);
	return acted(u, g, peers ? pxs_group_skip(&g->core, slot, &u->out) :
				   pxs_group_trim(&g->core, slot));
}

static int user_propose(struct pxs_datapath *dp, u32 group, const struct iovec *values, u32 n,
			u64 *first)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);
	struct pxs_value *v[PXS_PROPOSE_MAX];
	u32 have = 0;
	int ret = -ENOMEM;

	if (!g)
		return -ENOENT;
	while (have < min(n, PXS_PROPOSE_MAX)) {
		const struct iovec *iov = values ? &values[have] : NULL;

		v[have] = iov ? pxs_value_new(iov->iov_base, (u32)iov->iov_len, false) :
				pxs_value_new(NULL, 0, true);
		if (!v[have])
			goto out;
		have++;
	}
	pxs_out_init(&u->out);
	ret = pxs_group_propose_many(&g->core, v, have, dp->loop->now, first, &u->out);
	act(u, g, NULL, NULL);
out:
	while (have)
		pxs_value_put(v[--have]);
	return ret;
}

static int user_configure(struct pxs_datapath *dp, u32 group, const u8 *value, u32 len, u64 *slot)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);
	struct pxs_value *v = g ? pxs_value_of(value, len, PXS_ENTRY_CONFIG) : NULL;
	int ret;

	if (!v)
		return g ? -EAGAIN : -ENOENT;
	pxs_out_init(&u->out);
	ret = pxs_group_propose_many(&g->core, &v, 1, dp->loop->now, slot, &u->out);
	act(u, g, NULL, NULL);
	pxs_value_put(v);
	return min(ret, 0);
}

static int user_move(struct pxs_datapath *dp, u32 group, u64 slot, const u8 *value, u32 len)
{
	struct user_group *g = find(to_user(dp), group);
	u64 lsn;

	return g ? pxs_group_move(&g->core, slot, value, len, &lsn) : -ENOENT;
}

static int user_read(struct pxs_datapath *dp, u32 group, u64 *ballot, u64 *round)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);

	if (!g)
		return -ENOENT;
	*ballot = g->core.lead_ballot;
	pxs_out_init(&u->out);
	return acted(u, g, pxs_group_read(&g->core, pxs_clock_ms(), round, &u->out));
}

static int user_send(struct pxs_datapath *dp, u32 group, const struct pxs_msg *in, const u8 *body)
{
	struct user *u = to_user(dp);
	struct user_group *g = find(u, group);
	struct pxs_msg m = *in;
	int to, err;

	if (!g)
		return -ENOENT;
	to = pxs_group_member(&g->core, in->receiver);
	if (to < 0 || in->len > PXS_WIRE_BODY_MAX)
		return -EINVAL;
	err = pxs_group_say(&g->core, (u8)to, &m);
	if (err)
		return err;
	if (!pxs_wire_check_body(&m, body))
		return -EBADMSG;
	if (in->len)
		memcpy(u->datagram + PXS_WIRE_HDR_LEN, body, in->len);
	transmit(u, g, (u8)to, &m);
	return 0;
}

static int user_status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	struct user_group *g = find(to_user(dp), group);

	if (g)
		pxs_group_status_of(&g->core, st);
	return g ? 0 : -ENOENT;
}

static void user_close(struct pxs_datapath *dp)
{
	struct user *u = to_user(dp);
	struct user_group *g;

	pxs_notes_tell(&u->notes, u->dp.events);
	for (; (g = u->groups); free_group(g))
		u->groups = g->next;
	pxs_udp_close_all(&u->sockets);
	free(u->ring);
	free(u->length);
	free(u->append);
	free(u);
}

static const struct pxs_datapath_ops user_ops = {
	.name = "user",
	.group_add = user_group_add,
	.group_del = user_group_del,
	.keys = user_keys,
	.attach = user_attach,
	.durable = user_durable,
	.fail = user_fail,
	.settle = user_settle,
	.load = user_load,
	.activate = user_activate,
	.prepare = user_prepare,
	.lead = user_lead,
	.resign = user_resign,
	.transfer = user_transfer,
	.trim = user_trim,
	.propose = user_propose,
	.configure = user_configure,
	.move = user_move,
	.read = user_read,
	.send = user_send,
	.status = user_status,
	.close = user_close,
};

int pxs_datapath_user(struct pxs_loop *loop, const struct pxs_datapath_events *events,
		      struct pxs_datapath **dp)
{
	struct user *u = calloc(1, sizeof(*u));
	struct timespec ts;

	if (!u)
		return -ENOMEM;
	u->dp.ops = &user_ops;
	u->dp.events = events;
	u->dp.loop = loop;
	pxs_notes_init(&u->notes);
	u->ring = malloc(PXS_STAGE_BYTES);
	u->length = calloc(PXS_STAGE_RECORDS, sizeof(*u->length));
	u->append = malloc(PXS_APPEND_MAX);
	if (!u->ring || !u->length || !u->append) {
		user_close(&u->dp);
		return -ENOMEM;
	}
	/* Rises across restarts, as long as the clock is not set back by more than we ran. */
	clock_gettime(CLOCK_REALTIME, &ts);
	u->counter = (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec;
	pxs_stage_init(&u->stage, u->ring, PXS_STAGE_BYTES, u->length);
	u->hook.run = user_hook;
	pxs_loop_add_hook(loop, &u->hook);
	u->ticker.tick = user_tick;
	pxs_loop_add_ticker(loop, &u->ticker);
	*dp = &u->dp;
	return 0;
}
