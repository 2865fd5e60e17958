// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_table.c - tables, lookup and the namespace's counters, to look at
 *
 * Changes nothing. TABLE_GET and LOOKUP run under pxs_net.config, so that what they
 * show is of one moment; LOOKUP asks the same functions as a packet does.
 */
#include "pxs.h"

#include "backend.h"
#include "core/load.h"
#include "group.h"
#include "netlink.h"
#include "netlink_service.h"
#include "pernet.h"
#include "service.h"

#define PXS_NL_PAGE_ROWS	4096
/* Room for everything in a message but its rows. */
#define PXS_NL_SMALL		512

static const struct nla_policy pxs_nl_table_policy[PXS_A_TABLE_FIRST_ROW + 1] = {
	[PXS_A_TABLE_SERVICE] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_TABLE_FIRST_ROW] = { .type = NLA_U32 },
};

static const struct nla_policy pxs_nl_lookup_policy[PXS_A_LOOKUP_SPORT + 1] = {
	[PXS_A_LOOKUP_SERVICE] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_LOOKUP_KEY] = NLA_POLICY_RANGE(NLA_BINARY, 1, PXS_LOOKUP_KEY_MAX),
	[PXS_A_LOOKUP_SADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_LOOKUP_SPORT] = { .type = NLA_U16 },
};

/* The plan with a table of the service that attribute type names, or NULL and *err. */
static const struct pxs_plan *pxs_nl_plan(struct genl_info *info, int type,
					  struct pxs_service **svc, int *err)
{
	const struct pxs_plan *plan;

	*svc = pxs_nl_service(info, type, err);
	if (!*svc)
		return NULL;
	plan = pxs_service_plan(*svc);
	if (plan && plan->table)
		return plan;
	*err = pxs_nl_refuse(info->extack, info->attrs[type], -ENODATA,
			     "the service has no table: no backend has weight");
	return NULL;
}

static int pxs_nl_put_page(struct sk_buff *msg, const struct pxs_service *svc,
			   const struct pxs_table *t, u32 first)
{
	u32 n = min_t(u32, t->nrows - first, PXS_NL_PAGE_ROWS);

	if (nla_put_string(msg, PXS_A_TABLE_SERVICE, svc->name) ||
	    nla_put_u32(msg, PXS_A_TABLE_FIRST_ROW, first) ||
	    nla_put_u64_64bit(msg, PXS_A_TABLE_GENERATION, t->generation, PXS_A_TABLE_PAD) ||
	    nla_put_u64_64bit(msg, PXS_A_TABLE_DIGEST, t->digest, PXS_A_TABLE_PAD) ||
	    nla_put_u8(msg, PXS_A_TABLE_FILL, t->fill) ||
	    nla_put_u32(msg, PXS_A_TABLE_NROWS, t->nrows) ||
	    nla_put(msg, PXS_A_TABLE_ROWS, n * sizeof(*t->rows), t->rows + first))
		return -EMSGSIZE;
	return 0;
}

static int pxs_nl_table_get(struct sk_buff *skb, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PXS_A_TABLE_FIRST_ROW];
	u32 first = attr ? nla_get_u32(attr) : 0;
	const struct pxs_plan *plan;
	struct pxs_service *svc;
	struct sk_buff *msg;
	void *hdr;
	int err;

	plan = pxs_nl_plan(info, PXS_A_TABLE_SERVICE, &svc, &err);
	if (!plan)
		return err;
	if (first >= plan->table->nrows)
		return pxs_nl_refuse(info->extack, attr, -ERANGE, "the table has fewer rows");
	msg = genlmsg_new(PXS_NL_SMALL + PXS_NL_PAGE_ROWS * sizeof(*plan->table->rows),
			  GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = pxs_nl_put(msg, info->snd_portid, info->snd_seq, 0, PXS_CMD_TABLE_GET);
	if (!hdr || pxs_nl_put_page(msg, svc, plan->table, first)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* The flow tuple that the question describes. */
static int pxs_nl_lookup_tuple(struct genl_info *info, const struct pxs_service *svc,
			       bool need_port, struct pxs_flow_tuple *tuple)
{
	struct nlattr **tb = info->attrs;
	struct pxs_endpoint from;
	int err;

	err = pxs_nl_need(info, PXS_A_LOOKUP_SADDR, "the source address is missing");
	if (!err && need_port)
		err = pxs_nl_need(info, PXS_A_LOOKUP_SPORT, "the source port is missing");
	if (!err)
		err = pxs_nl_endpoint(info->extack, tb[PXS_A_LOOKUP_SADDR],
				      tb[PXS_A_LOOKUP_SPORT], svc->at.proto, &from);
	if (err)
		return err;
	if (from.family != svc->at.family)
		return pxs_nl_refuse(info->extack, tb[PXS_A_LOOKUP_SADDR], -EINVAL,
				     "address is of another family than the service's");
	memset(tuple, 0, sizeof(*tuple));
	tuple->family = from.family == AF_INET ? PXS_FAMILY_V4 : PXS_FAMILY_V6;
	tuple->proto = svc->at.proto;
	tuple->sport = ntohs(from.port);
	tuple->dport = ntohs(svc->at.port);
	memcpy(tuple->saddr, &from.addr, sizeof(tuple->saddr));
	memcpy(tuple->daddr, &svc->at.addr, sizeof(tuple->daddr));
	return 0;
}

static int pxs_nl_lookup_hash(struct genl_info *info, const struct pxs_service *svc,
			      const struct pxs_plan *plan, u64 *hash)
{
	const struct nlattr *key = info->attrs[PXS_A_LOOKUP_KEY];
	struct pxs_flow_tuple tuple;
	const char *why;
	int err;

	if (pxs_key_peek(&plan->key)) {
		err = pxs_nl_need(info, PXS_A_LOOKUP_KEY, "the service hashes keys: give one");
		if (err)
			return err;
		why = pxs_key_hash_given(&plan->key, &plan->seed, nla_data(key), nla_len(key),
					 hash);
		return why ? pxs_nl_refuse(info->extack, key, -EINVAL, why) : 0;
	}
	if (key)
		return pxs_nl_refuse(info->extack, key, -EINVAL,
				     "the service hashes addresses, not keys");
	err = pxs_nl_lookup_tuple(info, svc, plan->key.rule == PXS_KEY_TUPLE, &tuple);
	if (err)
		return err;
	pxs_key_hash(&plan->key, &plan->seed, &tuple, NULL, 0, hash);
	return 0;
}

/* Of the backend at @index or PXS_NONE: why it is passed over, if it is. */
static int pxs_nl_put_unfit(struct sk_buff *msg, const struct pxs_plan *plan, u16 index, int type)
{
	const struct pxs_backend *be;
	u8 unfit;

	if (index == PXS_NONE)
		return 0;
	be = plan->backends[index];
	unfit = pxs_unfit(be->state, be->health, be->failed);
	if (!unfit && be->load.full)
		unfit = PXS_UNFIT_FULL;
	return unfit ? nla_put_u8(msg, type, unfit) : 0;
}

/* Why the chosen one is chosen: what a packet would take, and what bars those before it. */
static int pxs_nl_put_why(struct sk_buff *msg, const struct pxs_plan *plan,
			  const struct pxs_table_row *row, u8 choice)
{
	if (nla_put_u8(msg, PXS_A_LOOKUP_CHOICE, choice) ||
	    pxs_nl_put_unfit(msg, plan, row->first, PXS_A_LOOKUP_FIRST_UNFIT) ||
	    pxs_nl_put_unfit(msg, plan, row->second, PXS_A_LOOKUP_SECOND_UNFIT))
		return -EMSGSIZE;
	return 0;
}

static int pxs_nl_put_answer(struct sk_buff *msg, const struct pxs_service *svc,
			     const struct pxs_plan *plan, u64 hash)
{
	const struct pxs_table *t = plan->table;
	u32 row = pxs_table_row_of(t, hash);
	const struct pxs_backend *be;
	struct pxs_pick pick;

	pick = pxs_load_pick(t, plan->live, plan->full, hash);
	if (nla_put_string(msg, PXS_A_LOOKUP_SERVICE, svc->name) ||
	    nla_put_u64_64bit(msg, PXS_A_LOOKUP_HASH, hash, PXS_A_LOOKUP_PAD) ||
	    nla_put_u32(msg, PXS_A_LOOKUP_ROW, row) ||
	    nla_put_u16(msg, PXS_A_LOOKUP_FIRST, t->rows[row].first) ||
	    nla_put_u16(msg, PXS_A_LOOKUP_SECOND, t->rows[row].second) ||
	    nla_put_u64_64bit(msg, PXS_A_LOOKUP_GENERATION, t->generation, PXS_A_LOOKUP_PAD) ||
	    pxs_nl_put_why(msg, plan, &t->rows[row], pick.choice))
		return -EMSGSIZE;
	if (pick.choice == PXS_CHOICE_NONE)
		return 0;
	be = plan->backends[pick.backend];
	if (nla_put_u16(msg, PXS_A_LOOKUP_CHOSEN, pick.backend) ||
	    (be->cookie &&
	     nla_put_u64_64bit(msg, PXS_A_LOOKUP_SOCKET, be->cookie, PXS_A_LOOKUP_PAD)))
		return -EMSGSIZE;
	return pxs_nl_put_endpoint(msg, &be->at, PXS_A_LOOKUP_ADDR, PXS_A_LOOKUP_PORT);
}

static int pxs_nl_lookup(struct sk_buff *skb, struct genl_info *info)
{
	const struct pxs_plan *plan;
	struct pxs_service *svc;
	struct sk_buff *msg;
	u64 hash = 0;
	void *hdr;
	int err;

	plan = pxs_nl_plan(info, PXS_A_LOOKUP_SERVICE, &svc, &err);
	if (!plan)
		return err;
	err = pxs_nl_lookup_hash(info, svc, plan, &hash);
	if (err)
		return err;
	msg = genlmsg_new(PXS_NL_SMALL, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	hdr = pxs_nl_put(msg, info->snd_portid, info->snd_seq, 0, PXS_CMD_LOOKUP);
	if (!hdr || pxs_nl_put_answer(msg, svc, plan, hash)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

/* cb->args[0]: the one message was sent. */
static int pxs_nl_stats_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pxs_net *pn = pxs_nl_dump_net(skb);
	u64 sum[__PXS_NET_STAT_MAX];
	void *hdr;

	if (cb->args[0])
		return 0;
	hdr = pxs_nl_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
			 PXS_CMD_STATS_GET);
	if (!hdr)
		return -EMSGSIZE;
	pxs_net_stats_sum(pn->stats, sum);
	pxs_groups_gauges(pn, sum);
	if (pxs_stats_put(skb, PXS_A_STATS_NET, sum, PXS_NET_STAT_MAX, PXS_NET_STAT_PAD)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	cb->args[0] = 1;
	return skb->len;
}

const struct genl_ops pxs_table_ops[] = {
	{
		.cmd = PXS_CMD_TABLE_GET,
		.doit = pxs_nl_table_get,
		.policy = pxs_nl_table_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_table_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_LOOKUP,
		.doit = pxs_nl_lookup,
		.policy = pxs_nl_lookup_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_lookup_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_STATS_GET,
		.dumpit = pxs_nl_stats_dump,
	},
};

const unsigned int pxs_table_n_ops = ARRAY_SIZE(pxs_table_ops);
