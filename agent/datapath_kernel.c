// SPDX-License-Identifier: GPL-2.0
/*
 * datapath_kernel.c - phase 2 in the module, over generic netlink
 *
 * Translation only: uapi/linux/paxsteer.h is the manual. Requests are answered within
 * the call; DURABLE is posted, because it is the one that comes thousands of times.
 */
#include "datapath.h"
#include "kernel_answer.h"
#include "kernel_group.h"
#include "kernel_status.h"
#include "link.h"
#include "nlerror.h"
#include "report.h"

/* DURABLE refused as too early for so long is not a matter of timing any more. */
#define REFUSED_MS	5000

struct kernel {
	struct pxs_datapath dp;
	struct pxs_link link;
	struct pxs_ticker ticker;
	u64 epoch;		/* attach epoch */
	u64 durable;		/* LSN last told */
	u64 refused_since;	/* when DURABLE began to be refused as too early; 0: is not */
	bool gone;
	u32 nleaving;		/* groups that we deleted, and EVENT_GROUP_GONE not come */
	u32 leaving[PXS_GROUPS_MAX];
	u32 ngroups;
	struct {
		u32 id;
		u8 nmembers;
		u8 member[PXS_MEMBERS_MAX];
	} group[PXS_GROUPS_MAX];
	u8 datagram[PXS_WIRE_MAX] __attribute__((aligned(8)));
};

static struct kernel *to_kernel(struct pxs_datapath *dp)
{
	return (struct kernel *)dp;
}

static void complain(struct kernel *k, const char *what, int err)
{
	pxs_err("%s: %s%s%s%s", what, strerror(-err), k->link.words[0] ? " (" : "",
		k->link.words, k->link.words[0] ? ")" : "");
}

/* A request about a group by the attached agent. */
static struct nl_msg *group_msg(struct kernel *k, u8 cmd, u32 group)
{
	return pxs_kernel_msg(&k->link, cmd, group, k->epoch, 0);
}

static int parse(struct nlmsghdr *nlh, struct nlattr **attrs, int max)
{
	return genlmsg_parse(nlh, 0, attrs, max, NULL) ? -EBADMSG : 0;
}

/* --- events ---------------------------------------------------------------- */

static void event_append(struct kernel *k, struct nlmsghdr *nlh)
{
	struct nlattr *a[PXS_A_JOURNAL_MAX + 1];

	if (parse(nlh, a, PXS_A_JOURNAL_MAX) || !a[PXS_A_JOURNAL_RECORDS] ||
	    !a[PXS_A_JOURNAL_COUNT])
		return;
	if (pxs_kernel_u64(a[PXS_A_JOURNAL_ATTACH_EPOCH]) != k->epoch)
		return;		/* meant for a former attachment; it is sent again */
	k->dp.events->append(k->dp.events->ctx, pxs_kernel_u64(a[PXS_A_JOURNAL_FIRST_LSN]),
			     pxs_kernel_u32(a[PXS_A_JOURNAL_COUNT]),
			     nla_data(a[PXS_A_JOURNAL_RECORDS]),
			     (u32)nla_len(a[PXS_A_JOURNAL_RECORDS]), a[PXS_A_JOURNAL_LAZY]);
}

static void event_recv(struct kernel *k, u32 group, struct nlattr *datagram)
{
	const struct pxs_datapath_events *ev = k->dp.events;
	struct pxs_wire_hdr hdr;
	struct pxs_msg m;

	if (!datagram || nla_len(datagram) < (int)PXS_WIRE_HDR_LEN)
		return;
	memcpy(&hdr, nla_data(datagram), sizeof(hdr));
	if (pxs_wire_parse(&hdr, (size_t)nla_len(datagram), &m))
		return;
	ev->recv(ev->ctx, group, &m, (u8 *)nla_data(datagram) + PXS_WIRE_HDR_LEN);
}

/* Did we delete it? Then it tells us nothing. */
static bool is_leaving(struct kernel *k, u32 group)
{
	u32 i;

	for (i = 0; i < k->nleaving && k->leaving[i] != group; i++)
		;
	if (i == k->nleaving)
		return false;
	k->leaving[i] = k->leaving[--k->nleaving];
	return true;
}

static void event_group(struct kernel *k, struct nlmsghdr *nlh, u8 cmd)
{
	const struct pxs_datapath_events *ev = k->dp.events;
	struct nlattr *a[PXS_A_GROUP_MAX + 1];
	u32 group;

	if (parse(nlh, a, PXS_A_GROUP_MAX) || !a[PXS_A_GROUP_ID])
		return;
	group = pxs_kernel_u32(a[PXS_A_GROUP_ID]);
	if (!group)
		return;		/* to the owner 0 means the whole datapath */
	switch (cmd) {
	case PXS_CMD_EVENT_DECIDED:
		ev->decided(ev->ctx, group, pxs_kernel_u64(a[PXS_A_GROUP_COMMIT]),
			    pxs_kernel_u64(a[PXS_A_GROUP_LSN]));
		break;
	case PXS_CMD_EVENT_RECV:
		event_recv(k, group, a[PXS_A_GROUP_DATAGRAM]);
		break;
	case PXS_CMD_EVENT_LEADER:
		if (a[PXS_A_GROUP_EVENT])
			ev->leader(ev->ctx, group, pxs_kernel_u8(a[PXS_A_GROUP_EVENT]),
				   pxs_kernel_u64(a[PXS_A_GROUP_BALLOT]));
		break;
	case PXS_CMD_EVENT_READ:
		ev->read(ev->ctx, group, pxs_kernel_u64(a[PXS_A_GROUP_BALLOT]),
			 pxs_kernel_u64(a[PXS_A_GROUP_ROUND]), pxs_kernel_u64(a[PXS_A_GROUP_SLOT]));
		break;
	case PXS_CMD_EVENT_GROUP_GONE:
		if (!is_leaving(k, group))
			ev->gone(ev->ctx, group);
		break;
	}
}

static void link_gone(void *ctx, int err)
{
	struct kernel *k = ctx;

	if (k->gone)
		return;
	k->gone = true;
	pxs_err("netlink: %s", strerror(-err));
	k->dp.events->gone(k->dp.events->ctx, 0);
}

static struct nl_msg *durable_msg(struct kernel *k)
{
	struct nl_msg *msg = pxs_link_msg(&k->link, PXS_CMD_JOURNAL_DURABLE);

	if (!msg || nla_put_u64(msg, PXS_A_JOURNAL_ATTACH_EPOCH, k->epoch) ||
	    nla_put_u64(msg, PXS_A_JOURNAL_LSN, k->durable)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

/*
 * DURABLE was refused. -EINVAL: the disk was faster than the module's note that the batch
 * was sent, which it makes after handing it over; so it is said again, and this time the
 * answer is waited for. Anything else means that we own the journal no more.
 */
static void durable_refused(struct kernel *k, int err)
{
	u64 now = k->dp.loop->now;

	if (err == -EINVAL)
		err = pxs_link_call(&k->link, durable_msg(k), NULL, NULL);
	if (!err) {
		k->refused_since = 0;
		return;
	}
	if (!k->refused_since)
		k->refused_since = now;
	if ((err != -EINVAL && err != -ENOMEM) || now - k->refused_since > REFUSED_MS)
		link_gone(k, err);
}

static void link_event(void *ctx, struct nlmsghdr *nlh)
{
	struct kernel *k = ctx;
	struct nlmsgerr *e = nlmsg_data(nlh);
	struct genlmsghdr *g = nlmsg_data(nlh);

	if (nlh->nlmsg_type == NLMSG_ERROR) {
		if (nlmsg_datalen(nlh) >= (int)sizeof(*e) && e->error)
			durable_refused(k, pxs_nl_errno(e->error));
		return;
	}
	if (nlh->nlmsg_type != k->link.family || nlmsg_datalen(nlh) < (int)sizeof(*g))
		return;
	if (g->cmd == PXS_CMD_EVENT_APPEND)
		event_append(k, nlh);
	else
		event_group(k, nlh, g->cmd);
}

/* --- groups and the journal ----------------------------------------------- */

static int kernel_keys(struct pxs_datapath *dp, const struct pxs_group_config *g)
{
	struct kernel *k = to_kernel(dp);
	int err = pxs_link_call(&k->link, pxs_kernel_keys_msg(&k->link, g), NULL, NULL);

	if (err)
		complain(k, "GROUP_SET", err);
	return err;
}

static int kernel_group_add(struct pxs_datapath *dp, const struct pxs_group_config *g)
{
	struct kernel *k = to_kernel(dp);
	int err;
	u8 i;

	if (k->ngroups == PXS_GROUPS_MAX)
		return -E2BIG;
	err = pxs_link_call(&k->link, pxs_kernel_add_msg(&k->link, g), NULL, NULL);
	if (err == -EEXIST)
		err = pxs_kernel_check_same(&k->link, g) ?: kernel_keys(dp, g);
	else if (err)
		complain(k, "GROUP_ADD", err);
	if (err)
		return err;
	k->group[k->ngroups].id = g->conf.id;
	k->group[k->ngroups].nmembers = g->conf.nmembers;
	for (i = 0; i < g->conf.nmembers; i++)
		k->group[k->ngroups].member[i] = g->conf.member[i].id;
	k->ngroups++;
	return 0;
}

static int kernel_group_del(struct pxs_datapath *dp, u32 group)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = pxs_link_msg(&k->link, PXS_CMD_GROUP_DEL);
	u32 i;
	int err;

	if (!msg || nla_put_u32(msg, PXS_A_GROUP_ID, group)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	if (k->nleaving == PXS_GROUPS_MAX) {
		nlmsg_free(msg);
		return -EAGAIN;
	}
	err = pxs_link_call(&k->link, msg, NULL, NULL);
	if (err && err != -ENOENT)
		complain(k, "GROUP_DEL", err);
	if (err)
		return err;
	k->leaving[k->nleaving++] = group;
	for (i = 0; i < k->ngroups && k->group[i].id != group; i++)
		;
	if (i < k->ngroups)
		k->group[i] = k->group[--k->ngroups];
	return 0;
}

static int kernel_attach(struct pxs_datapath *dp, u64 incarnation, u64 next_lsn, u64 *last_lsn)
{
	struct kernel *k = to_kernel(dp);
	struct pxs_kernel_attached at = { 0 };
	struct nl_msg *msg = pxs_link_msg(&k->link, PXS_CMD_JOURNAL_ATTACH);
	int err;

	if (!msg || nla_put_u64(msg, PXS_A_JOURNAL_INCARNATION, incarnation) ||
	    nla_put_u64(msg, PXS_A_JOURNAL_NEXT_LSN, next_lsn)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = pxs_link_call(&k->link, msg, pxs_kernel_attached, &at);
	if (err && err != -EBUSY)
		complain(k, "JOURNAL_ATTACH", err);
	if (err)
		return err;
	k->epoch = at.epoch;
	*last_lsn = at.last_lsn;
	return 0;
}

static void kernel_durable(struct pxs_datapath *dp, u64 lsn)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg;
	int err;

	k->durable = lsn;
	msg = durable_msg(k);
	if (!msg)
		return;		/* the next one, within 200 ms, says it too */
	err = pxs_link_post(&k->link, msg);
	if (err && err != -EAGAIN && err != -ENOMEM)
		link_gone(k, err);
}

static void kernel_tick(struct pxs_ticker *t, u64 now)
{
	struct kernel *k = (struct kernel *)((char *)t - offsetof(struct kernel, ticker));

	(void)now;
	if (k->refused_since && !k->gone)
		durable_refused(k, -EINVAL);
}

static void kernel_fail(struct pxs_datapath *dp, const char *reason)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = pxs_link_msg(&k->link, PXS_CMD_JOURNAL_FAIL);
	int err;

	if (!msg || nla_put_u64(msg, PXS_A_JOURNAL_ATTACH_EPOCH, k->epoch) ||
	    nla_put_string(msg, PXS_A_JOURNAL_REASON, reason)) {
		nlmsg_free(msg);
		return;		/* then it never confirms anything again, which is as good */
	}
	err = pxs_link_call(&k->link, msg, NULL, NULL);
	if (err)
		complain(k, "JOURNAL_FAIL", err);
}

static int kernel_settle(struct pxs_datapath *dp)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = pxs_link_msg(&k->link, PXS_CMD_JOURNAL_SETTLE);
	int err;

	if (!msg || nla_put_u64(msg, PXS_A_JOURNAL_ATTACH_EPOCH, k->epoch)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = pxs_link_call(&k->link, msg, NULL, NULL);
	if (err && err != -EAGAIN)
		complain(k, "JOURNAL_SETTLE", err);
	return err;
}

static int kernel_load(struct pxs_datapath *dp, u32 group, const u8 *records, u32 bytes)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = pxs_kernel_msg(&k->link, PXS_CMD_GROUP_LOAD, group, k->epoch, bytes);
	int err;

	if (msg && nla_put(msg, PXS_A_GROUP_RECORDS, (int)bytes, records)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	err = pxs_link_call(&k->link, msg, NULL, NULL);
	if (err)
		complain(k, "GROUP_LOAD", err);
	return err;
}

/* --- leading --------------------------------------------------------------- */

/* A request about a group with up to two numbers (attribute 0: none). */
static int simple(struct kernel *k, u8 cmd, u32 group, int attr, u64 value, int attr2, u64 value2,
		  u8 receiver)
{
	struct nl_msg *msg = group_msg(k, cmd, group);

	if (msg && ((attr && nla_put_u64(msg, attr, value)) ||
		    (attr2 && nla_put_u64(msg, attr2, value2)) ||
		    (receiver && nla_put_u8(msg, PXS_A_GROUP_RECEIVER, receiver)))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return pxs_link_call(&k->link, msg, NULL, NULL);
}

static int kernel_activate(struct pxs_datapath *dp, u32 group, u64 commit)
{
	struct kernel *k = to_kernel(dp);
	int err = simple(k, PXS_CMD_GROUP_ACTIVATE, group, PXS_A_GROUP_COMMIT, commit, 0, 0, 0);

	if (err && err != -ENOTRECOVERABLE)
		complain(k, "GROUP_ACTIVATE", err);
	return err;
}

static int kernel_prepare(struct pxs_datapath *dp, u32 group, u64 ballot, u64 slot, u64 to)
{
	struct kernel *k = to_kernel(dp);
	int err = 0;
	u32 i;
	u8 m;

	for (i = 0; i < k->ngroups && k->group[i].id != group; i++)
		;
	if (i == k->ngroups)
		return -ENOENT;
	if (!to || to == (1ull << k->group[i].nmembers) - 1)
		return simple(k, PXS_CMD_GROUP_PREPARE, group, PXS_A_GROUP_BALLOT, ballot,
			      PXS_A_GROUP_SLOT, slot, 0);
	for (m = 0; m < k->group[i].nmembers && !err; m++)
		if (to & 1ull << m)
			err = simple(k, PXS_CMD_GROUP_PREPARE, group, PXS_A_GROUP_BALLOT, ballot,
				     PXS_A_GROUP_SLOT, slot, k->group[i].member[m]);
	return err;
}

static int kernel_lead(struct pxs_datapath *dp, u32 group, u64 ballot, u64 first, u64 found)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = group_msg(k, PXS_CMD_GROUP_LEAD, group);

	if (msg && (nla_put_u64(msg, PXS_A_GROUP_BALLOT, ballot) ||
		    nla_put_u64(msg, PXS_A_GROUP_SLOT, first) ||
		    nla_put_u64(msg, PXS_A_GROUP_FOUND, found))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return pxs_link_call(&k->link, msg, NULL, NULL);
}

static int kernel_resign(struct pxs_datapath *dp, u32 group)
{
	return simple(to_kernel(dp), PXS_CMD_GROUP_RESIGN, group, 0, 0, 0, 0, 0);
}

static int kernel_transfer(struct pxs_datapath *dp, u32 group, u8 member)
{
	return simple(to_kernel(dp), PXS_CMD_GROUP_TRANSFER, group, 0, 0, 0, 0, member);
}

static int kernel_trim(struct pxs_datapath *dp, u32 group, u64 slot, bool peers)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = group_msg(k, PXS_CMD_GROUP_TRIM, group);

	if (msg && (nla_put_u64(msg, PXS_A_GROUP_SLOT, slot) ||
		    (peers && nla_put_flag(msg, PXS_A_GROUP_CHECKPOINT)))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return pxs_link_call(&k->link, msg, NULL, NULL);
}

static int kernel_propose(struct pxs_datapath *dp, u32 group, const struct iovec *values, u32 n,
			  u64 *first)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = pxs_kernel_propose_msg(&k->link, group, k->epoch, values, n);
	struct pxs_kernel_proposed p = { 0 };
	int err;

	err = pxs_link_call(&k->link, msg, pxs_kernel_proposed, &p);
	if (err)
		return err;
	/* An answer that makes no sense says nothing of what was proposed. */
	if (!p.first || !p.count || p.count > n)
		return -EPROTO;
	*first = p.first;
	return (int)p.count;
}

static int kernel_configure(struct pxs_datapath *dp, u32 group, const u8 *value, u32 len, u64 *slot)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg = pxs_kernel_config_msg(&k->link, PXS_CMD_GROUP_PROPOSE, group,
						   k->epoch, 0, value, len);
	struct pxs_kernel_proposed p = { 0 };
	int err = pxs_link_call(&k->link, msg, pxs_kernel_proposed, &p);

	if (err)
		return err;
	*slot = p.first;
	return p.first ? 0 : -EPROTO;
}

static int kernel_move(struct pxs_datapath *dp, u32 group, u64 slot, const u8 *value, u32 len)
{
	struct kernel *k = to_kernel(dp);

	return pxs_link_call(&k->link,
			     pxs_kernel_config_msg(&k->link, PXS_CMD_GROUP_MOVE, group, k->epoch,
						   slot, value, len), NULL, NULL);
}

static int kernel_read(struct pxs_datapath *dp, u32 group, u64 *ballot, u64 *round)
{
	struct kernel *k = to_kernel(dp);
	struct pxs_kernel_round r = { 0 };
	int err;

	err = pxs_link_call(&k->link, group_msg(k, PXS_CMD_GROUP_READ, group), pxs_kernel_round,
			    &r);
	if (err)
		return err;
	*ballot = r.ballot;
	*round = r.number;
	return r.ballot && r.number ? 0 : -EPROTO;
}

static int kernel_send(struct pxs_datapath *dp, u32 group, const struct pxs_msg *m, const u8 *body)
{
	struct kernel *k = to_kernel(dp);
	struct nl_msg *msg;

	if (m->len > PXS_WIRE_BODY_MAX)
		return -EMSGSIZE;
	pxs_wire_build((struct pxs_wire_hdr *)k->datagram, m);
	memcpy(k->datagram + PXS_WIRE_HDR_LEN, body, m->len);
	msg = pxs_kernel_msg(&k->link, PXS_CMD_GROUP_SEND, group, k->epoch,
			     PXS_WIRE_HDR_LEN + m->len);
	if (msg && (nla_put_u8(msg, PXS_A_GROUP_RECEIVER, m->receiver) ||
		    nla_put(msg, PXS_A_GROUP_DATAGRAM, (int)(PXS_WIRE_HDR_LEN + m->len),
			    k->datagram))) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return pxs_link_call(&k->link, msg, NULL, NULL);
}

static int kernel_status(struct pxs_datapath *dp, u32 group, struct pxs_group_status *st)
{
	struct kernel *k = to_kernel(dp);

	dp->sent = k->link.sent;
	dp->received = k->link.received;
	return pxs_kernel_status(&k->link, group, st);
}

static void kernel_close(struct pxs_datapath *dp)
{
	struct kernel *k = to_kernel(dp);

	pxs_link_close(&k->link);
	free(k);
}

static const struct pxs_datapath_ops kernel_ops = {
	.name = "kernel",
	.group_add = kernel_group_add,
	.group_del = kernel_group_del,
	.keys = kernel_keys,
	.attach = kernel_attach,
	.durable = kernel_durable,
	.fail = kernel_fail,
	.settle = kernel_settle,
	.load = kernel_load,
	.activate = kernel_activate,
	.prepare = kernel_prepare,
	.lead = kernel_lead,
	.resign = kernel_resign,
	.transfer = kernel_transfer,
	.trim = kernel_trim,
	.propose = kernel_propose,
	.configure = kernel_configure,
	.move = kernel_move,
	.read = kernel_read,
	.send = kernel_send,
	.status = kernel_status,
	.close = kernel_close,
};

int pxs_datapath_kernel(struct pxs_loop *loop, const struct pxs_datapath_events *events,
			struct pxs_datapath **dp)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->dp.ops = &kernel_ops;
	k->dp.events = events;
	k->dp.loop = loop;
	k->link.event = link_event;
	k->link.broken = link_gone;
	k->link.ctx = k;
	err = pxs_link_open(&k->link, loop);
	if (err) {
		kernel_close(&k->dp);
		return err;
	}
	k->ticker.tick = kernel_tick;
	pxs_loop_add_ticker(loop, &k->ticker);
	*dp = &k->dp;
	return 0;
}
