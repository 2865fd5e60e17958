// SPDX-License-Identifier: GPL-2.0
/*
 * nlq.c - requests to the family "paxsteer"
 *
 * Owns the netlink socket. Turns a refusal into words: the kernel's own message from the extended
 * ack, the attribute it points at, and the range its policy has for it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/paxsteer.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "names.h"
#include "nlerror.h"
#include "nlq.h"
#include "parse.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define REQUEST_SIZE	4096	/* the largest is a group with 7 members: under 1 KiB */
#define DUMP_TRIES	8	/* a dump that a change interrupted is asked for again */

struct nlq {
	struct nl_sock *sk;
	int family;
};

/* What came back on one request. */
struct answer {
	struct cli *cli;
	struct nl_msg *request;
	struct nl_msg **msgs;		/* referenced */
	size_t n, room;
	int error;			/* 0 or -errno, as the kernel gave it */
	bool done, interrupted;
	bool agrees;			/* -EREMOTE is no complaint, a group makes the change */
	bool quiet;			/* nor is any refusal */
};

static void *need(void *p)
{
	if (p)
		return p;
	fprintf(stderr, "paxsteer: out of memory\n");
	exit(CLI_NO_KERNEL);
}

static void need_room(int err)
{
	if (err)
		abort();	/* REQUEST_SIZE is too small: a bug, not an input */
}

struct nl_msg *nlq_msg(uint8_t cmd)
{
	return nlq_msg_of(cmd, REQUEST_SIZE);
}

struct nl_msg *nlq_msg_of(uint8_t cmd, size_t size)
{
	struct nl_msg *msg = need(nlmsg_alloc_size(size));

	/* The family's number is put in when it is known, in send_request(). */
	need(genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, 0, 0, NLM_F_REQUEST, cmd,
			 PXS_GENL_VERSION));
	return msg;
}

void nlq_put(struct nl_msg *msg, int type, const void *data, size_t len)
{
	need_room(nla_put(msg, type, (int)len, data));
}

void nlq_put_u8(struct nl_msg *msg, int type, uint8_t val)
{
	need_room(nla_put_u8(msg, type, val));
}

void nlq_put_u16(struct nl_msg *msg, int type, uint16_t val)
{
	need_room(nla_put_u16(msg, type, val));
}

void nlq_put_u32(struct nl_msg *msg, int type, uint32_t val)
{
	need_room(nla_put_u32(msg, type, val));
}

void nlq_put_u64(struct nl_msg *msg, int type, uint64_t val)
{
	need_room(nla_put_u64(msg, type, val));
}

void nlq_put_str(struct nl_msg *msg, int type, const char *s)
{
	need_room(nla_put_string(msg, type, s));
}

struct nlattr *nlq_nest(struct nl_msg *msg, int type)
{
	/* Strict checking wants NLA_F_NESTED, which libnl leaves to the caller. */
	return need(nla_nest_start(msg, type | NLA_F_NESTED));
}

/* Refused for want of a capability is no fault of the request: tell it apart. */
static int status_of(int err)
{
	return err == -EPERM || err == -EACCES ? CLI_NO_KERNEL : CLI_REFUSED;
}

static struct nlq *open_link(struct cli *cli)
{
	struct nlq *q = need(calloc(1, sizeof(*q)));
	int on = 1, err, fd;

	q->sk = need(nl_socket_alloc());
	err = genl_connect(q->sk);
	if (err) {
		cli_error(cli, "cannot open a netlink socket: %s", nl_geterror(err));
		goto err_free;
	}
	/* A kernel without these still answers, with fewer words. */
	fd = nl_socket_get_fd(q->sk);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));

	q->family = genl_ctrl_resolve(q->sk, PXS_GENL_NAME);
	if (q->family == -NLE_OBJ_NOTFOUND) {
		cli_error(cli, "the module is not loaded: no netlink family \"%s\" (modprobe %s)",
			  PXS_GENL_NAME, PXS_GENL_NAME);
		goto err_free;
	}
	if (q->family < 0) {
		cli_error(cli, "cannot find the netlink family \"%s\": %s", PXS_GENL_NAME,
			  nl_geterror(q->family));
		goto err_free;
	}
	cli->nlq = q;
	return q;

err_free:
	nl_socket_free(q->sk);
	free(q);
	return NULL;
}

void nlq_close(struct cli *cli)
{
	if (!cli->nlq)
		return;
	nl_socket_free(cli->nlq->sk);
	free(cli->nlq);
	cli->nlq = NULL;
}

/*
 * The attribute of the request that stands at an offset from the start of its header.
 * *member: it stands inside a nest. Return: its type, 0 if there is none.
 */
static unsigned int attr_at(struct nl_msg *request, uint32_t offset, bool *member)
{
	struct nlmsghdr *nlh = nlmsg_hdr(request);
	struct nlattr *a, *inner;
	int left, inner_left;

	*member = false;
	nla_for_each_attr(a, genlmsg_attrdata(genlmsg_hdr(nlh), 0),
			  genlmsg_attrlen(genlmsg_hdr(nlh), 0), left) {
		if ((uint32_t)((char *)a - (char *)nlh) == offset)
			return (unsigned int)nla_type(a);
		if (!(a->nla_type & NLA_F_NESTED))
			continue;
		nla_for_each_nested(inner, a, inner_left) {
			if ((uint32_t)((char *)inner - (char *)nlh) != offset)
				continue;
			*member = true;
			return (unsigned int)nla_type(inner);
		}
	}
	return 0;
}

/* " (weight)", " (missing: weight)", or nothing, from the ack's pointers into the request. */
static void blame(const struct answer *ans, struct nlattr **tb, char *buf, size_t len)
{
	uint8_t cmd = genlmsg_hdr(nlmsg_hdr(ans->request))->cmd;
	const char *name, *how = "";
	unsigned int type;
	bool member;

	buf[0] = '\0';
	if (tb[NLMSGERR_ATTR_OFFS]) {
		type = attr_at(ans->request, (uint32_t)nlq_uint(tb[NLMSGERR_ATTR_OFFS]), &member);
	} else if (tb[NLMSGERR_ATTR_MISS_TYPE]) {
		type = (unsigned int)nlq_uint(tb[NLMSGERR_ATTR_MISS_TYPE]);
		member = tb[NLMSGERR_ATTR_MISS_NEST];
		how = "missing: ";
	} else {
		return;
	}
	name = type ? name_of_attr(cmd, type, member) : NULL;
	if (name)
		snprintf(buf, len, " (%s%s)", how, name);
	else if (type)
		snprintf(buf, len, " (%sattribute %u)", how, type);
}

/* ", must be 1..5" from the policy that the kernel attached, or nothing. */
static void range(const struct nlattr *policy, char *buf, size_t len)
{
	struct nlattr *tb[NL_POLICY_TYPE_ATTR_MAX + 1];

	buf[0] = '\0';
	if (!policy)
		return;
	nlq_parse_nest(policy, tb, NL_POLICY_TYPE_ATTR_MAX);
	if (tb[NL_POLICY_TYPE_ATTR_MIN_VALUE_U] && tb[NL_POLICY_TYPE_ATTR_MAX_VALUE_U])
		snprintf(buf, len, ", must be %" PRIu64 "..%" PRIu64,
			 nlq_uint(tb[NL_POLICY_TYPE_ATTR_MIN_VALUE_U]),
			 nlq_uint(tb[NL_POLICY_TYPE_ATTR_MAX_VALUE_U]));
	else if (tb[NL_POLICY_TYPE_ATTR_MAX_LENGTH])
		snprintf(buf, len, ", at most %" PRIu64 " bytes",
			 nlq_uint(tb[NL_POLICY_TYPE_ATTR_MAX_LENGTH]));
}

/* Print the refusal ans->error. tlvs: the extended ack's attributes, NULL if there are none. */
static void complain(const struct answer *ans, struct nlattr *tlvs, int len)
{
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1] = { NULL };
	const char *words;
	char where[64], limits[64];

	if (tlvs && len > 0)
		nla_parse(tb, NLMSGERR_ATTR_MAX, tlvs, len, NULL);
	blame(ans, tb, where, sizeof(where));
	range(tb[NLMSGERR_ATTR_POLICY], limits, sizeof(limits));
	words = nlq_str(tb[NLMSGERR_ATTR_MSG]);
	if (*words)
		cli_error(ans->cli, "%s%s%s: %s", words, where, limits, strerror(-ans->error));
	else
		cli_error(ans->cli, "the kernel refused%s%s: %s", where, limits, strerror(-ans->error));
	if (ans->error == -EPERM)
		cli_error(ans->cli, "CAP_NET_ADMIN in the initial user namespace is needed");
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)e - NLMSG_HDRLEN);
	bool tlvs = nlh->nlmsg_flags & NLM_F_ACK_TLVS;
	int skip = (int)NLMSG_ALIGN(sizeof(*e));
	uint32_t quoted = e->msg.nlmsg_len;
	struct answer *ans = arg;

	(void)from;
	/* Without CAP_ACKS the refused request's payload stands before the attributes. */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
		if (quoted < NLMSG_HDRLEN || quoted > (uint32_t)nlmsg_datalen(nlh))
			tlvs = false;
		else
			skip += (int)NLMSG_ALIGN(quoted) - NLMSG_HDRLEN;
	}
	ans->error = pxs_nl_errno(e->error);
	ans->done = true;
	if (ans->quiet || (ans->error == -EREMOTE && ans->agrees))
		return NL_STOP;
	if (tlvs)
		complain(ans, (struct nlattr *)((char *)e + skip), nlmsg_datalen(nlh) - skip);
	else
		complain(ans, NULL, 0);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct answer *ans = arg;

	(void)msg;
	ans->done = true;
	return NL_STOP;
}

/* The end of a dump carries its error, and the extended ack after it. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct answer *ans = arg;
	int err = 0;

	ans->done = true;
	if (nlmsg_datalen(nlh) < (int)sizeof(err))
		return NL_OK;
	memcpy(&err, nlmsg_data(nlh), sizeof(err));
	if (err >= 0)
		return NL_OK;
	ans->error = pxs_nl_errno(err);
	complain(ans, (struct nlattr *)((char *)nlmsg_data(nlh) + sizeof(err)),
		 nlh->nlmsg_flags & NLM_F_ACK_TLVS ? nlmsg_datalen(nlh) - (int)sizeof(err) : 0);
	return NL_OK;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	struct answer *ans = arg;

	(void)msg;
	ans->interrupted = true;
	return NL_OK;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct answer *ans = arg;

	if (ans->n == ans->room) {
		ans->room = ans->room ? 2 * ans->room : 16;
		ans->msgs = need(realloc(ans->msgs, ans->room * sizeof(*ans->msgs)));
	}
	nlmsg_get(msg);
	ans->msgs[ans->n++] = msg;
	return NL_OK;
}

static void forget(struct answer *ans)
{
	while (ans->n)
		nlmsg_free(ans->msgs[--ans->n]);
	ans->interrupted = false;
	ans->done = false;
}

static int exchange(struct cli *cli, struct answer *ans, int flags)
{
	struct nlmsghdr *nlh = nlmsg_hdr(ans->request);
	struct nl_cb *cb;
	int err;

	nlh->nlmsg_type = (uint16_t)cli->nlq->family;
	nlh->nlmsg_flags |= (uint16_t)flags;
	nlh->nlmsg_seq = NL_AUTO_SEQ;
	err = nl_send_auto(cli->nlq->sk, ans->request);
	if (err < 0) {
		cli_error(cli, "cannot send to the kernel: %s", nl_geterror(err));
		return CLI_NO_KERNEL;
	}
	cb = need(nl_cb_alloc(NL_CB_DEFAULT));
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, ans);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, ans);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, ans);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, ans);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, ans);
	for (err = 0; !ans->done && err >= 0;)
		err = nl_recvmsgs(cli->nlq->sk, cb);
	nl_cb_put(cb);
	if (ans->error)
		return status_of(ans->error);
	if (!ans->done) {
		cli_error(cli, "no answer from the kernel: %s", nl_geterror(err));
		return CLI_NO_KERNEL;
	}
	return CLI_OK;
}

static int request(struct cli *cli, struct nl_msg *msg, int flags, struct answer *ans)
{
	int tries = 0, ret;

	ans->cli = cli;
	ans->request = msg;
	if (!cli->nlq && !open_link(cli))
		return CLI_NO_KERNEL;
	do {
		forget(ans);
		ret = exchange(cli, ans, flags);
	} while (!ret && ans->interrupted && ++tries < DUMP_TRIES);
	if (!ret && ans->interrupted) {
		cli_error(cli, "the configuration changes too fast for a consistent dump");
		ret = CLI_NO_KERNEL;
	}
	return ret;
}

static int walk(struct answer *ans, nlq_fn *fn, void *arg)
{
	int ret = CLI_OK;
	size_t i;

	for (i = 0; i < ans->n && !ret; i++)
		ret = fn(ans->cli, ans->msgs[i], arg);
	return ret;
}

static void done_with(struct answer *ans)
{
	forget(ans);
	free(ans->msgs);
	nlmsg_free(ans->request);
}

int nlq_do(struct cli *cli, struct nl_msg *msg)
{
	struct answer ans = { .agrees = cli->agree };
	int ret = request(cli, msg, 0, &ans);

	if (ret && ans.error == -EREMOTE)
		ret = cli->agree(cli, msg);
	done_with(&ans);
	return ret;
}

int nlq_try(struct cli *cli, struct nl_msg *msg)
{
	struct answer ans = { .quiet = true };
	int ret = request(cli, msg, 0, &ans);

	done_with(&ans);
	return ret;
}

int nlq_get(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg)
{
	struct answer ans = { .agrees = false };
	int ret = request(cli, msg, 0, &ans);

	if (!ret && !ans.n) {
		cli_error(cli, "the kernel acknowledged without an answer");
		ret = CLI_NO_KERNEL;
	}
	if (!ret)
		ret = walk(&ans, fn, arg);
	done_with(&ans);
	return ret;
}

int nlq_dump(struct cli *cli, struct nl_msg *msg, nlq_fn *fn, void *arg)
{
	struct answer ans = { .agrees = false };
	int ret = request(cli, msg, NLM_F_DUMP, &ans);

	if (!ret)
		ret = walk(&ans, fn, arg);
	done_with(&ans);
	return ret;
}

struct listener {
	struct cli *cli;
	nlq_fn *fn;
	void *arg;
	int ret;
};

/* The family's end comes from the controller, on the same socket. */
static bool is_farewell(struct nl_msg *msg)
{
	struct nlattr *tb[CTRL_ATTR_MAX + 1];

	if (nlmsg_hdr(msg)->nlmsg_type != GENL_ID_CTRL || nlq_cmd(msg) != CTRL_CMD_DELFAMILY)
		return false;
	nlq_parse(msg, tb, CTRL_ATTR_MAX);
	return !strcmp(nlq_str(tb[CTRL_ATTR_FAMILY_NAME]), PXS_GENL_NAME);
}

static int on_event(struct nl_msg *msg, void *arg)
{
	struct listener *l = arg;

	if (is_farewell(msg)) {
		cli_error(l->cli, "the module was unloaded");
		l->ret = CLI_NO_KERNEL;
	} else if (nlmsg_hdr(msg)->nlmsg_type == l->cli->nlq->family) {
		l->ret = l->fn(l->cli, msg, l->arg);
	}
	return l->ret ? NL_STOP : NL_OK;
}

static int join(struct cli *cli, const char *family, const char *group)
{
	struct nl_sock *sk = cli->nlq->sk;
	int id = genl_ctrl_resolve_grp(sk, family, group);
	int err = id < 0 ? id : nl_socket_add_membership(sk, id);

	if (!err)
		return CLI_OK;
	cli_error(cli, "cannot join the multicast group \"%s\" of \"%s\": %s", group, family,
		  nl_geterror(err));
	return CLI_NO_KERNEL;
}

int nlq_listen(struct cli *cli, nlq_fn *fn, void (*lost)(struct cli *cli), void *arg)
{
	struct listener l = { .cli = cli, .fn = fn, .arg = arg };
	struct nl_sock *sk;
	int err;

	if (!cli->nlq && !open_link(cli))
		return CLI_NO_KERNEL;
	sk = cli->nlq->sk;
	if (join(cli, "nlctrl", "notify") || join(cli, PXS_GENL_NAME, PXS_MCGRP_CONFIG))
		return CLI_NO_KERNEL;
	nl_socket_disable_seq_check(sk);
	nl_socket_modify_cb(sk, NL_CB_VALID, NL_CB_CUSTOM, on_event, &l);
	while (!l.ret) {
		err = nl_recvmsgs_default(sk);
		if (err == -NLE_NOMEM) {	/* libnl's word for ENOBUFS: we read too slowly */
			lost(cli);
		} else if (err < 0) {
			cli_error(cli, "cannot read from the kernel: %s", nl_geterror(err));
			return CLI_NO_KERNEL;
		}
	}
	return l.ret;
}

void nlq_parse(struct nl_msg *msg, struct nlattr **tb, int max)
{
	struct genlmsghdr *g = genlmsg_hdr(nlmsg_hdr(msg));

	memset(tb, 0, (size_t)(max + 1) * sizeof(*tb));
	nla_parse(tb, max, genlmsg_attrdata(g, 0), genlmsg_attrlen(g, 0), NULL);
}

void nlq_parse_nest(const struct nlattr *nest, struct nlattr **tb, int max)
{
	memset(tb, 0, (size_t)(max + 1) * sizeof(*tb));
	if (nest)
		nla_parse(tb, max, nla_data(nest), nla_len(nest), NULL);
}

uint8_t nlq_cmd(struct nl_msg *msg)
{
	return genlmsg_hdr(nlmsg_hdr(msg))->cmd;
}

uint64_t nlq_uint(const struct nlattr *a)
{
	uint64_t v = 0;

	switch (a ? nla_len(a) : 0) {
	case 1:
		return nla_get_u8(a);
	case 2:
		return nla_get_u16(a);
	case 4:
		return nla_get_u32(a);
	case 8:
		memcpy(&v, nla_data(a), sizeof(v));
		return v;
	default:
		return 0;
	}
}

const char *nlq_str(const struct nlattr *a)
{
	if (!a || nla_len(a) < 1 || !memchr(nla_data(a), '\0', (size_t)nla_len(a)))
		return "";
	return nla_data(a);
}

bool nlq_endpoint(const struct nlattr *addr, const struct nlattr *port, struct endpoint *ep)
{
	*ep = (struct endpoint){ .len = 4 };
	if (!addr || (nla_len(addr) != 4 && nla_len(addr) != 16))
		return false;
	ep->len = (uint8_t)nla_len(addr);
	memcpy(ep->addr, nla_data(addr), ep->len);
	ep->port = ntohs((uint16_t)nlq_uint(port));
	return true;
}

bool nlq_backend(struct nlattr **tb, struct endpoint *ep)
{
	bool is = nlq_endpoint(tb[PXS_A_BACKEND_ADDR], tb[PXS_A_BACKEND_PORT], ep);

	ep->socket = nlq_uint(tb[PXS_A_BACKEND_SOCKET]);
	return is;
}
