/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netlink_group.h - the group and journal half of the family's operations
 *
 * netlink_group.c has what an operator asks for, netlink_agent.c and netlink_journal.c
 * what the attached agent asks for. An announcement shows the group as GROUP_GET does;
 * its command is GROUP_ADD, GROUP_SET, GROUP_DEL, or GROUP_ACTIVATE when only the state changed
 * (activated, fenced).
 */
#ifndef PXS_NETLINK_GROUP_H
#define PXS_NETLINK_GROUP_H

#include <net/genetlink.h>

#include "netlink.h"

struct pxs_kgroup;
struct pxs_net;

extern const struct genl_ops pxs_group_ops[];
extern const unsigned int pxs_group_n_ops;
extern const struct genl_ops pxs_agent_ops[];
extern const unsigned int pxs_agent_n_ops;
extern const struct genl_ops pxs_journal_ops[];
extern const unsigned int pxs_journal_n_ops;

/* pxs_nl_refuse() for a request: @attr (or NULL) is to blame. Return: err. */
static inline int pxs_nl_no(struct genl_info *info, const struct nlattr *attr, int err,
			    const char *why)
{
	return pxs_nl_refuse(info->extack, attr, err, why);
}

/* Is the request from the owner of the journal, with its attach epoch in attribute @attr? */
int pxs_nl_check_owner(struct genl_info *info, int attr);

/* What the core answered to the owner, in words. Return: @err. */
int pxs_nl_result(struct genl_info *info, int err);

/* The group that GROUP_ID names, with a reference; NULL and words when there is none. */
struct pxs_kgroup *pxs_nl_group(struct genl_info *info);

/* Announce @kg as it is now. @info is the request that changed it. */
void pxs_nl_group_announce(struct pxs_kgroup *kg, struct genl_info *info, u8 cmd);

/* The group that the owner of the journal means, with a reference; or an error, said why. */
struct pxs_kgroup *pxs_owners_group(struct genl_info *info);

/* netlink_member.c: GROUP_MOVE */
extern const struct nla_policy pxs_move_policy[PXS_A_GROUP_MAX + 1];
int pxs_nl_move(struct sk_buff *skb, struct genl_info *info);

#endif /* PXS_NETLINK_GROUP_H */
