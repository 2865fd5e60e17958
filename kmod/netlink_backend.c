// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_backend.c - attributes <-> backend
 *
 * Translates and calls backend.c; holds no logic. Ops run under pxs_net.config, dumps
 * take it for one message at a time and resume behind the last service and index.
 */
#include "pxs.h"

#include <linux/mm.h>

#include "backend.h"
#include "backend_index.h"
#include "drain.h"
#include "given.h"
#include "netlink.h"
#include "netlink_agreed.h"
#include "netlink_service.h"
#include "pernet.h"
#include "ramp.h"
#include "service.h"

static PXS_NLA_RANGE pxs_nl_weight_range = { .max = PXS_WEIGHT_MAX };
static PXS_NLA_RANGE pxs_nl_fd_range = { .max = INT_MAX };
static PXS_NLA_RANGE pxs_nl_deadline_range = { .max = PXS_DEADLINE_MAX };

/* SET */
static const struct nla_policy pxs_nl_backend_policy[PXS_A_BACKEND_DEADLINE + 1] = {
	[PXS_A_BACKEND_SERVICE] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_BACKEND_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_BACKEND_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PXS_A_BACKEND_ID] = { .type = NLA_U64 },
	[PXS_A_BACKEND_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_weight_range),
	[PXS_A_BACKEND_STATE] = NLA_POLICY_RANGE(NLA_U8, PXS_BACKEND_UP, PXS_BACKEND_DOWN),
	[PXS_A_BACKEND_HEALTH] = NLA_POLICY_RANGE(NLA_U8, PXS_HEALTH_UNCHECKED, PXS_HEALTH_BAD),
	[PXS_A_BACKEND_REASON] = { .type = NLA_NUL_STRING, .len = PXS_HEALTH_REASON_MAX },
	[PXS_A_BACKEND_AGREED] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_BACKEND_SOCKET] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_BACKEND_DEADLINE] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_deadline_range),
};

/* Of one more backend in ADD. */
static const struct nla_policy pxs_nl_backend_also_policy[PXS_A_BACKEND_DEADLINE + 1] = {
	[PXS_A_BACKEND_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_BACKEND_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PXS_A_BACKEND_ID] = { .type = NLA_U64 },
	[PXS_A_BACKEND_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_weight_range),
	[PXS_A_BACKEND_STATE] = NLA_POLICY_RANGE(NLA_U8, PXS_BACKEND_UP, PXS_BACKEND_DOWN),
	[PXS_A_BACKEND_DEADLINE] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_deadline_range),
};

static const struct nla_policy pxs_nl_backend_add_policy[PXS_A_BACKEND_ALSO + 1] = {
	[PXS_A_BACKEND_SERVICE] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_BACKEND_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_BACKEND_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PXS_A_BACKEND_ID] = { .type = NLA_U64 },
	[PXS_A_BACKEND_WEIGHT] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_weight_range),
	[PXS_A_BACKEND_STATE] = NLA_POLICY_RANGE(NLA_U8, PXS_BACKEND_UP, PXS_BACKEND_DOWN),
	[PXS_A_BACKEND_AGREED] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_BACKEND_FD] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_fd_range),
	[PXS_A_BACKEND_DEADLINE] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_deadline_range),
	[PXS_A_BACKEND_ALSO] = NLA_POLICY_NESTED(pxs_nl_backend_also_policy),
};

/* DEL names a backend, GET may narrow the dump by its service. */
static const struct nla_policy pxs_nl_backend_name_policy[PXS_A_BACKEND_SOCKET + 1] = {
	[PXS_A_BACKEND_SERVICE] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_BACKEND_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_BACKEND_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PXS_A_BACKEND_AGREED] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_BACKEND_SOCKET] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy pxs_nl_backend_dump_policy[PXS_A_BACKEND_SERVICE + 1] = {
	[PXS_A_BACKEND_SERVICE] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
};

static int pxs_nl_put_backend(struct sk_buff *skb, const struct pxs_backend *be)
{
	u64 sum[__PXS_STEER_STAT_MAX];

	if (nla_put_string(skb, PXS_A_BACKEND_SERVICE, be->svc->name) ||
	    pxs_nl_put_endpoint(skb, &be->at, PXS_A_BACKEND_ADDR, PXS_A_BACKEND_PORT) ||
	    nla_put_u64_64bit(skb, PXS_A_BACKEND_ID, be->id, PXS_A_BACKEND_PAD) ||
	    nla_put_u32(skb, PXS_A_BACKEND_WEIGHT, be->weight) ||
	    nla_put_u8(skb, PXS_A_BACKEND_STATE, be->state) ||
	    nla_put_u8(skb, PXS_A_BACKEND_HEALTH, be->health) ||
	    (*be->reason && nla_put_string(skb, PXS_A_BACKEND_REASON, be->reason)) ||
	    nla_put_u16(skb, PXS_A_BACKEND_INDEX, be->index) ||
	    nla_put_u32(skb, PXS_A_BACKEND_ROWS, be->rows) ||
	    nla_put_u32(skb, PXS_A_BACKEND_EFFECTIVE, pxs_ramp_effective(be)) ||
	    nla_put_u32(skb, PXS_A_BACKEND_LOAD, be->load.now) ||
	    nla_put_u8(skb, PXS_A_BACKEND_FULL, be->load.full) ||
	    nla_put_u8(skb, PXS_A_BACKEND_FAILED, be->failed) ||
	    (be->cookie &&
	     nla_put_u64_64bit(skb, PXS_A_BACKEND_SOCKET, be->cookie, PXS_A_BACKEND_PAD)))
		return -EMSGSIZE;
	if (be->drain.deadline &&
	    (nla_put_u32(skb, PXS_A_BACKEND_DEADLINE, be->drain.deadline) ||
	     nla_put_u32(skb, PXS_A_BACKEND_LEFT, pxs_drain_left_of(be))))
		return -EMSGSIZE;
	pxs_steer_stats_sum(be->stats, sum);
	return pxs_stats_put(skb, PXS_A_BACKEND_STATS, sum, PXS_STEER_STAT_MAX,
			     PXS_STEER_STAT_PAD);
}

/* One whole message. With cb it is part of a dump. */
static int pxs_nl_fill_backend(struct sk_buff *skb, const struct pxs_backend *be, u32 portid,
			       u32 seq, u8 cmd, struct netlink_callback *cb)
{
	void *hdr = pxs_nl_put(skb, portid, seq, cb ? NLM_F_MULTI : 0, cmd);

	if (!hdr)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, hdr);
	if (pxs_nl_put_backend(skb, be)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static struct sk_buff *pxs_nl_backend_msg(const struct pxs_backend *be, struct genl_info *info)
{
	struct pxs_net *pn = be->svc->pn;
	struct sk_buff *skb = pxs_nl_announcement(pn, info);

	if (!skb)
		return NULL;
	if (pxs_nl_fill_backend(skb, be, info->snd_portid, info->snd_seq, info->genlhdr->cmd,
				NULL)) {
		nlmsg_free(skb);
		pxs_nl_lost(pn);
		return NULL;
	}
	return skb;
}

void pxs_nl_backend_changed(const struct pxs_backend *be)
{
	struct pxs_net *pn = be->svc->pn;
	struct sk_buff *skb = pxs_nl_announcement(pn, NULL);

	if (!skb)
		return;
	if (pxs_nl_fill_backend(skb, be, 0, 0, PXS_CMD_BACKEND_SET, NULL)) {
		nlmsg_free(skb);
		pxs_nl_lost(pn);
		return;
	}
	pxs_nl_announce(pn, skb, NULL);
}

static int pxs_nl_parse_backend_at(struct genl_info *info, const struct pxs_service *svc,
				   struct pxs_endpoint *at)
{
	int err;

	err = pxs_nl_need(info, PXS_A_BACKEND_ADDR, "the backend's address is missing") ?:
	      pxs_nl_need(info, PXS_A_BACKEND_PORT, "the backend's port is missing");
	if (err)
		return err;
	return pxs_nl_endpoint(info->extack, info->attrs[PXS_A_BACKEND_ADDR],
			       info->attrs[PXS_A_BACKEND_PORT], svc->at.proto, at);
}

/* A backend is named, or given, in one of two ways. Return: 0, unless both are there. */
static int pxs_nl_check_one_way(struct genl_info *info, int type, const char *why)
{
	struct nlattr **tb = info->attrs;
	struct nlattr *at = tb[PXS_A_BACKEND_ADDR] ?: tb[PXS_A_BACKEND_PORT];

	return tb[type] && at ? pxs_nl_refuse(info->extack, at, -EINVAL, why) : 0;
}

/* The backend that SERVICE and SOCKET name, or NULL and *err. */
static struct pxs_backend *pxs_nl_backend_by_socket(struct genl_info *info,
						    const struct pxs_service *svc, int *err)
{
	const struct nlattr *socket = info->attrs[PXS_A_BACKEND_SOCKET];
	struct pxs_backend *be;

	*err = pxs_nl_check_one_way(info, PXS_A_BACKEND_SOCKET,
				    "a backend is named by its socket or by its address, not both");
	if (*err)
		return NULL;
	be = pxs_backend_find_socket(svc, nla_get_u64(socket));
	if (!be)
		*err = pxs_nl_refuse(info->extack, socket, -ENOENT,
				     "the service has no backend that is this socket");
	return be;
}

/* The backend that SERVICE and SOCKET, or SERVICE, ADDR and PORT name, or NULL and *err. */
static struct pxs_backend *pxs_nl_backend(struct genl_info *info, int *err)
{
	struct pxs_endpoint at;
	struct pxs_service *svc;
	struct pxs_backend *be;

	svc = pxs_nl_service(info, PXS_A_BACKEND_SERVICE, err);
	if (!svc)
		return NULL;
	if (info->attrs[PXS_A_BACKEND_SOCKET])
		return pxs_nl_backend_by_socket(info, svc, err);
	*err = pxs_nl_parse_backend_at(info, svc, &at);
	if (*err)
		return NULL;
	be = pxs_backend_find(svc, &at);
	if (!be)
		*err = pxs_nl_refuse(info->extack, info->attrs[PXS_A_BACKEND_ADDR], -ENOENT,
				     "the service has no backend with this address and port");
	return be;
}

/* A socket that the caller has open; the op runs in the caller's context. */
static int pxs_nl_parse_fd(struct genl_info *info, struct pxs_service *svc,
			   struct pxs_backend_spec *spec, struct pxs_refusal *no)
{
	struct nlattr **tb = info->attrs;
	int err;

	err = pxs_nl_check_one_way(info, PXS_A_BACKEND_FD,
				   "a backend is a descriptor's socket or an address, not both");
	if (!err && tb[PXS_A_BACKEND_AGREED])
		err = pxs_nl_refuse(info->extack, tb[PXS_A_BACKEND_FD], -EINVAL,
				    "a socket is one host's: nothing to agree on");
	return err ?: pxs_given_open(svc, nla_get_u32(tb[PXS_A_BACKEND_FD]), spec, no);
}

/* What a backend shall be, but for where. */
static void pxs_nl_parse_spec(struct nlattr **tb, struct pxs_backend_spec *spec)
{
	if (tb[PXS_A_BACKEND_ID])
		spec->id = nla_get_u64(tb[PXS_A_BACKEND_ID]);
	spec->weight = tb[PXS_A_BACKEND_WEIGHT] ? nla_get_u32(tb[PXS_A_BACKEND_WEIGHT]) : 1;
	spec->state = tb[PXS_A_BACKEND_STATE] ? nla_get_u8(tb[PXS_A_BACKEND_STATE]) :
						PXS_BACKEND_UP;
	if (tb[PXS_A_BACKEND_DEADLINE])
		spec->deadline = nla_get_u32(tb[PXS_A_BACKEND_DEADLINE]);
}

static int pxs_nl_parse_also(struct genl_info *info, const struct pxs_service *svc,
			     const struct nlattr *nest, struct pxs_backend_spec *spec)
{
	struct nlattr *tb[ARRAY_SIZE(pxs_nl_backend_also_policy)];
	int err;

	err = nla_parse_nested(tb, ARRAY_SIZE(tb) - 1, nest, pxs_nl_backend_also_policy,
			       info->extack);
	if (err)
		return err;
	if (!tb[PXS_A_BACKEND_ADDR] || !tb[PXS_A_BACKEND_PORT])
		return pxs_nl_refuse(info->extack, nest, -EINVAL,
				     "the backend's address or port is missing");
	err = pxs_nl_endpoint(info->extack, tb[PXS_A_BACKEND_ADDR], tb[PXS_A_BACKEND_PORT],
			      svc->at.proto, &spec->at);
	if (err)
		return err;
	spec->id = pxs_backend_default_id(&spec->at);
	pxs_nl_parse_spec(tb, spec);
	return 0;
}

static const struct nlattr *pxs_nl_attrs(const struct genl_info *info)
{
	return (const struct nlattr *)((const u8 *)info->genlhdr + GENL_HDRLEN);
}

static int pxs_nl_attrs_len(const struct genl_info *info)
{
	return nlmsg_len(info->nlhdr) - GENL_HDRLEN;
}

/* The i-th backend beside the first, from 1. */
static const struct nlattr *pxs_nl_also(const struct genl_info *info, u32 i)
{
	const struct nlattr *pos;
	int rem;

	nla_for_each_attr(pos, pxs_nl_attrs(info), pxs_nl_attrs_len(info), rem)
		if (nla_type(pos) == PXS_A_BACKEND_ALSO && !--i)
			return pos;
	return NULL;
}

/* Return: how many backends the request adds; 0: it says so wrongly, which is refused with *err. */
static u32 pxs_nl_count_adds(struct genl_info *info, int *err)
{
	struct nlattr **tb = info->attrs;
	const struct nlattr *pos;
	u32 n = 1;
	int rem;

	*err = 0;
	if (!tb[PXS_A_BACKEND_ALSO])
		return n;
	if (tb[PXS_A_BACKEND_FD] || tb[PXS_A_BACKEND_AGREED]) {
		*err = pxs_nl_refuse(info->extack, tb[PXS_A_BACKEND_ALSO], -EINVAL,
				     "a socket, or what a group agreed on, is added alone");
		return 0;
	}
	nla_for_each_attr(pos, pxs_nl_attrs(info), pxs_nl_attrs_len(info), rem)
		n += nla_type(pos) == PXS_A_BACKEND_ALSO;
	return n;
}

static int pxs_nl_parse_adds(struct genl_info *info, struct pxs_service *svc,
			     struct pxs_backend_spec *spec, struct pxs_refusal *no)
{
	const struct nlattr *pos;
	int rem, err;

	if (info->attrs[PXS_A_BACKEND_FD])
		err = pxs_nl_parse_fd(info, svc, spec, no);
	else
		err = pxs_nl_parse_backend_at(info, svc, &spec->at);
	if (err)
		return err;
	if (!info->attrs[PXS_A_BACKEND_FD])
		spec->id = pxs_backend_default_id(&spec->at);
	pxs_nl_parse_spec(info->attrs, spec);
	nla_for_each_attr(pos, pxs_nl_attrs(info), pxs_nl_attrs_len(info), rem) {
		if (nla_type(pos) != PXS_A_BACKEND_ALSO)
			continue;
		err = pxs_nl_parse_also(info, svc, pos, ++spec);
		if (err)
			return err;
	}
	return 0;
}

/* The attribute of the backend at, from 0, that is to blame. */
static const struct nlattr *pxs_nl_blame(const struct genl_info *info, u32 at, int attr)
{
	const struct nlattr *nest = at ? pxs_nl_also(info, at) : NULL;

	if (!nest)
		return info->attrs[attr];
	return (attr ? nla_find_nested(nest, attr) : NULL) ?: nest;
}

static int pxs_nl_backend_do_add(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_backend_spec *spec;
	struct pxs_refusal no = {};
	struct pxs_service *svc;
	u32 n, at = 0, i;
	int err;

	svc = pxs_nl_service(info, PXS_A_BACKEND_SERVICE, &err);
	if (!svc)
		return err;
	n = pxs_nl_count_adds(info, &err);
	if (!n)
		return err;
	spec = kvcalloc(n, sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	err = pxs_nl_parse_adds(info, svc, spec, &no);
	if (!err)
		err = pxs_backends_add(svc, spec, n, &no, &at);
	if (err && spec->socket)
		pxs_given_put(spec->socket);
	for (i = 0; !err && i < n; i++)
		pxs_nl_announce(svc->pn, pxs_nl_backend_msg(spec[i].be, info), info);
	kvfree(spec);
	if (!err)
		return 0;
	return no.why ? pxs_nl_refuse(info->extack, pxs_nl_blame(info, at, no.attr), err, no.why) :
			err;
}

/* Return: 0 when HEALTH and REASON, as far as they are there, go together. */
static int pxs_nl_check_health(struct genl_info *info)
{
	struct nlattr *health = info->attrs[PXS_A_BACKEND_HEALTH];
	struct nlattr *reason = info->attrs[PXS_A_BACKEND_REASON];
	const char *c;

	if (!reason)
		return 0;
	if (!health || nla_get_u8(health) != PXS_HEALTH_BAD)
		return pxs_nl_refuse(info->extack, reason, -EINVAL,
				     "a reason belongs to health bad");
	/* It ends up on terminals. */
	for (c = nla_data(reason); *c; c++)
		if (*c < ' ' || *c > '~')
			return pxs_nl_refuse(info->extack, reason, -EINVAL,
					     "the reason is not printable ASCII");
	return 0;
}

static int pxs_nl_backend_do_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct pxs_backend_change to = { .deadline = PXS_DRAIN_AS_IS };
	struct pxs_refusal no = {};
	struct pxs_backend *be;
	int err;

	be = pxs_nl_backend(info, &err);
	if (!be)
		return err;
	if (tb[PXS_A_BACKEND_ID])
		return pxs_nl_refuse(info->extack, tb[PXS_A_BACKEND_ID], -EINVAL,
				     "the id is fixed: delete and add the backend");
	if (tb[PXS_A_BACKEND_HEALTH] && tb[PXS_A_BACKEND_AGREED])
		return pxs_nl_refuse(info->extack, tb[PXS_A_BACKEND_HEALTH], -EINVAL,
				     "health is what one host sees: nothing to agree on");
	if (tb[PXS_A_BACKEND_HEALTH] && be->closed)
		return pxs_nl_refuse(info->extack, tb[PXS_A_BACKEND_HEALTH], -EINVAL,
				     "the backend's socket is closed for good: delete it");
	err = pxs_nl_check_health(info);
	if (err)
		return err;
	to.weight = tb[PXS_A_BACKEND_WEIGHT] ? nla_get_u32(tb[PXS_A_BACKEND_WEIGHT]) : be->weight;
	to.state = tb[PXS_A_BACKEND_STATE] ? nla_get_u8(tb[PXS_A_BACKEND_STATE]) : be->state;
	if (tb[PXS_A_BACKEND_DEADLINE])
		to.deadline = nla_get_u32(tb[PXS_A_BACKEND_DEADLINE]);
	to.health = be->health;
	to.failed = be->failed;
	if (tb[PXS_A_BACKEND_HEALTH]) {
		to.health = nla_get_u8(tb[PXS_A_BACKEND_HEALTH]);
		to.reason = tb[PXS_A_BACKEND_REASON] ? nla_data(tb[PXS_A_BACKEND_REASON]) : "";
	}
	err = pxs_backend_set(be, &to, &no);
	if (err)
		return pxs_nl_refuse(info->extack, tb[no.attr], err, no.why);
	pxs_nl_announce(pxs_nl_net(info), pxs_nl_backend_msg(be, info), info);
	return 0;
}

static int pxs_nl_backend_do_del(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_refusal no = {};
	struct pxs_backend *be;
	struct sk_buff *msg;
	int err;

	be = pxs_nl_backend(info, &err);
	if (!be)
		return err;
	msg = pxs_nl_backend_msg(be, info);
	err = pxs_backend_del(be, &no);
	if (err) {
		nlmsg_free(msg);
		return pxs_nl_refuse(info->extack, NULL, err, no.why);
	}
	pxs_nl_announce(pxs_nl_net(info), msg, info);
	return 0;
}

/* cb->args[1]: index of the backend of service cb->args[0] at which to go on. */
static int pxs_nl_backend_dump_service(struct sk_buff *skb, struct netlink_callback *cb,
				       struct pxs_service *svc)
{
	struct pxs_backend *be;
	unsigned long index;
	int err;

	xa_for_each_start(&svc->by_index, index, be, cb->args[1]) {
		err = pxs_nl_fill_backend(skb, be, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					  PXS_CMD_BACKEND_GET, cb);
		if (err)
			return err;
		cb->args[1] = index + 1;
	}
	return 0;
}

/* cb->args[0]: id of the service at which to go on. */
static int pxs_nl_backend_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct nlattr *name = pxs_dump_attrs(cb)[PXS_A_BACKEND_SERVICE];
	struct pxs_net *pn = pxs_nl_dump_net(skb);
	struct pxs_service *svc;
	int err = 0;

	mutex_lock(&pn->config);
	cb->seq = pn->services.seq;
	if (name && !pxs_service_find(pn, nla_data(name))) {
		err = pxs_nl_refuse(cb->extack, name, -ENOENT, "no service has this name");
		goto out;
	}
	list_for_each_entry(svc, &pn->services.list, list) {
		if (svc->id < (u32)cb->args[0] || (name && nla_strcmp(name, svc->name)))
			continue;
		if (svc->id > (u32)cb->args[0]) {
			cb->args[0] = svc->id;
			cb->args[1] = 0;
		}
		err = pxs_nl_backend_dump_service(skb, cb, svc);
		if (err)
			break;
	}
out:
	mutex_unlock(&pn->config);
	return skb->len ?: err;
}

static int pxs_nl_backend_add(struct sk_buff *skb, struct genl_info *info)
{
	return pxs_nl_agree(skb, info, PXS_A_BACKEND_AGREED, PXS_A_BACKEND_SERVICE,
			    pxs_nl_backend_do_add);
}

static int pxs_nl_backend_set(struct sk_buff *skb, struct genl_info *info)
{
	return pxs_nl_agree(skb, info, PXS_A_BACKEND_AGREED, PXS_A_BACKEND_SERVICE,
			    pxs_nl_backend_do_set);
}

static int pxs_nl_backend_del(struct sk_buff *skb, struct genl_info *info)
{
	return pxs_nl_agree(skb, info, PXS_A_BACKEND_AGREED, PXS_A_BACKEND_SERVICE,
			    pxs_nl_backend_do_del);
}

const struct genl_ops pxs_backend_ops[] = {
	{
		.cmd = PXS_CMD_BACKEND_ADD,
		.doit = pxs_nl_backend_add,
		.policy = pxs_nl_backend_add_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_backend_add_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_BACKEND_SET,
		.doit = pxs_nl_backend_set,
		.policy = pxs_nl_backend_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_backend_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_BACKEND_DEL,
		.doit = pxs_nl_backend_del,
		.policy = pxs_nl_backend_name_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_backend_name_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_BACKEND_GET,
		.dumpit = pxs_nl_backend_dump,
		.policy = pxs_nl_backend_dump_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_backend_dump_policy) - 1,
	},
};

const unsigned int pxs_backend_n_ops = ARRAY_SIZE(pxs_backend_ops);
