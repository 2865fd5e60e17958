// SPDX-License-Identifier: GPL-2.0
/*
 * netlink.c - the generic netlink family
 *
 * Owns the family: who may call (CAP_NET_ADMIN in the initial user namespace, every
 * op), which namespace a call means, which lock it runs under. It holds no logic:
 * netlink_service and netlink_group translate, service and group decide. Runs in
 * process context; ops of different namespaces run in parallel, those of one
 * namespace marked PXS_OP_CONFIG one after the other.
 */
#include "pxs.h"

#include <linux/module.h>
#include <net/sock.h>

#include "netlink.h"
#include "netlink_agreed.h"
#include "netlink_group.h"
#include "netlink_service.h"
#include "pernet.h"

/* Joined at init out of the halves' arrays; const from then on. */
static struct genl_ops pxs_ops[PXS_CMD_MAX] __ro_after_init;

static int pxs_pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
			struct genl_info *info)
{
	struct pxs_net *pn = pxs_net(genl_info_net(info));

	info->user_ptr[0] = pn;
	if (ops->internal_flags & PXS_OP_CONFIG)
		mutex_lock(&pn->config);
	return 0;
}

static void pxs_post_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
			  struct genl_info *info)
{
	struct pxs_net *pn = info->user_ptr[0];

	if (ops->internal_flags & PXS_OP_CONFIG)
		mutex_unlock(&pn->config);
}

static const struct genl_multicast_group pxs_mcgrps[] = {
	[PXS_MCGRP_CONFIG_OFFSET] = {
		.name = PXS_MCGRP_CONFIG,
		.flags = GENL_MCAST_CAP_NET_ADMIN,
	},
};

/*
 * resv_start_op and validate stay unset: that is what makes parsing strict (unknown
 * attributes and flags are refused, ops without a policy refuse every attribute).
 */
struct genl_family pxs_genl_family __ro_after_init = {
	.name = PXS_GENL_NAME,
	.version = PXS_GENL_VERSION,
	.netnsok = true,
	.parallel_ops = true,
	.pre_doit = pxs_pre_doit,
	.post_doit = pxs_post_doit,
	.ops = pxs_ops,
	.mcgrps = pxs_mcgrps,
	.n_mcgrps = ARRAY_SIZE(pxs_mcgrps),
	.module = THIS_MODULE,
};

struct pxs_net *pxs_nl_dump_net(const struct sk_buff *skb)
{
	return pxs_net(sock_net(skb->sk));
}

int pxs_nl_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr, int err,
		  const char *why)
{
	if (!extack)
		return err;
	if (why)
		extack->_msg = why;
	if (attr)
		extack->bad_attr = attr;
	return err;
}

int pxs_nl_need(struct genl_info *info, int type, const char *why)
{
	if (!GENL_REQ_ATTR_CHECK(info, type))
		return 0;
	return pxs_nl_refuse(info->extack, NULL, -EINVAL, why);
}

struct sk_buff *pxs_nl_announcement(struct pxs_net *pn, struct genl_info *info)
{
	struct sk_buff *skb;

	if (!(info && nlmsg_report(info->nlhdr)) &&
	    !genl_has_listeners(&pxs_genl_family, pn->net, PXS_MCGRP_CONFIG_OFFSET))
		return NULL;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		pxs_nl_lost(pn);
	return skb;
}

void *pxs_nl_put(struct sk_buff *skb, u32 portid, u32 seq, int flags, u8 cmd)
{
	return genlmsg_put(skb, portid, seq, &pxs_genl_family, flags, cmd);
}

void pxs_nl_announce(struct pxs_net *pn, struct sk_buff *skb, struct genl_info *info)
{
	if (!skb)
		return;
	if (info) {
		genl_notify(&pxs_genl_family, skb, info, PXS_MCGRP_CONFIG_OFFSET, GFP_KERNEL);
		return;
	}
	genlmsg_multicast_netns(&pxs_genl_family, pn->net, skb, 0, PXS_MCGRP_CONFIG_OFFSET,
				GFP_KERNEL);
}

void pxs_nl_lost(struct pxs_net *pn)
{
	genl_set_err(&pxs_genl_family, pn->net, 0, PXS_MCGRP_CONFIG_OFFSET, -ENOBUFS);
}

static void __init pxs_join_ops(const struct genl_ops *ops, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (WARN_ON(pxs_genl_family.n_ops == ARRAY_SIZE(pxs_ops)))
			return;
		pxs_ops[pxs_genl_family.n_ops] = ops[i];
		pxs_ops[pxs_genl_family.n_ops].flags |= GENL_ADMIN_PERM;
		pxs_genl_family.n_ops++;
	}
}

int __init pxs_netlink_init(void)
{
	pxs_join_ops(pxs_service_ops, pxs_service_n_ops);
	pxs_join_ops(pxs_backend_ops, pxs_backend_n_ops);
	pxs_join_ops(pxs_agreed_ops, pxs_agreed_n_ops);
	pxs_join_ops(pxs_table_ops, pxs_table_n_ops);
	pxs_join_ops(pxs_group_ops, pxs_group_n_ops);
	pxs_join_ops(pxs_agent_ops, pxs_agent_n_ops);
	pxs_join_ops(pxs_journal_ops, pxs_journal_n_ops);
	return genl_register_family(&pxs_genl_family);
}

void pxs_netlink_exit(void)
{
	genl_unregister_family(&pxs_genl_family);
}
