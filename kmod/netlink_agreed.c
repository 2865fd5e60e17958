// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_agreed.c - attributes <-> the group that a namespace follows
 *
 * Translates and calls core/agreed.c and agreed.c. Runs under pxs_net.config.
 */
#include "pxs.h"

#include "agreed.h"
#include "netlink.h"
#include "netlink_agreed.h"
#include "pernet.h"
#include "service.h"

static PXS_NLA_RANGE pxs_nl_group_range = { .max = S32_MAX };

static const struct nla_policy pxs_nl_agreed_policy[PXS_A_AGREED_HELD + 1] = {
	[PXS_A_AGREED_GROUP] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_group_range),
	[PXS_A_AGREED_HELD] = NLA_POLICY_MAX(NLA_U8, 1),
};

static u64 pxs_nl_digest_of(struct pxs_net *pn, const struct nlattr *name)
{
	struct pxs_service *svc = name ? pxs_service_find(pn, nla_data(name)) : NULL;
	const struct pxs_plan *plan = svc ? pxs_service_plan(svc) : NULL;

	return plan && plan->table ? plan->table->digest : 0;
}

int pxs_nl_agree(struct sk_buff *skb, struct genl_info *info, int slot, int name,
		 int (*doit)(struct sk_buff *skb, struct genl_info *info))
{
	const struct nlattr *attr = info->attrs[slot];
	struct pxs_net *pn = pxs_nl_net(info);
	const char *why;
	int err;

	if (!attr)
		return doit(skb, info);
	err = pxs_agreed_begin(&pn->agreed, nla_get_u64(attr), &why);
	if (err)
		return pxs_nl_refuse(info->extack, attr, err, why);
	err = doit(skb, info);
	pxs_agreed_end(&pn->agreed, err, pxs_nl_digest_of(pn, info->attrs[name]));
	return err;
}

static int pxs_nl_agreed_set(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **tb = info->attrs;
	struct pxs_refusal no = {};
	int err;

	err = pxs_nl_need(info, PXS_A_AGREED_GROUP, "the group is missing");
	if (err)
		return err;
	err = pxs_agreed_set(pxs_nl_net(info), nla_get_u32(tb[PXS_A_AGREED_GROUP]),
			     tb[PXS_A_AGREED_HELD] && nla_get_u8(tb[PXS_A_AGREED_HELD]), &no);
	if (err)
		return pxs_nl_refuse(info->extack, tb[PXS_A_AGREED_GROUP], err, no.why);
	return 0;
}

static int pxs_nl_agreed_get(struct sk_buff *skb, struct genl_info *info)
{
	const struct pxs_agreed *a = &pxs_nl_net(info)->agreed;
	struct sk_buff *msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!msg)
		return -ENOMEM;
	hdr = pxs_nl_put(msg, info->snd_portid, info->snd_seq, 0, PXS_CMD_AGREED_GET);
	if (!hdr || nla_put_u32(msg, PXS_A_AGREED_GROUP, a->group) ||
	    nla_put_u8(msg, PXS_A_AGREED_HELD, a->held) ||
	    nla_put_u64_64bit(msg, PXS_A_AGREED_SLOT, a->slot, PXS_A_AGREED_PAD) ||
	    nla_put_u64_64bit(msg, PXS_A_AGREED_DIGEST, a->digest, PXS_A_AGREED_PAD)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	genlmsg_end(msg, hdr);
	return genlmsg_reply(msg, info);
}

const struct genl_ops pxs_agreed_ops[] = {
	{
		.cmd = PXS_CMD_AGREED_SET,
		.doit = pxs_nl_agreed_set,
		.policy = pxs_nl_agreed_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_agreed_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_AGREED_GET,
		.doit = pxs_nl_agreed_get,
		.internal_flags = PXS_OP_CONFIG,
	},
};

const unsigned int pxs_agreed_n_ops = ARRAY_SIZE(pxs_agreed_ops);
