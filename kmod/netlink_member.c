// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_member.c - attributes <-> group: the end of a configuration epoch
 *
 * GROUP_MOVE, for the owner of the journal as in netlink_agent.c. A group's configuration never
 * changes while it is there: the agent deletes the group, and adds one with the next members.
 * Translation only. Process context, not under pxs_net.config.
 */
#include "pxs.h"

#include "core/membership.h"
#include "group.h"
#include "netlink.h"
#include "netlink_group.h"
#include "pernet.h"

static PXS_NLA_RANGE pxs_id_range = { .min = 1, .max = S32_MAX };

const struct nla_policy pxs_move_policy[PXS_A_GROUP_MAX + 1] = {
	[PXS_A_GROUP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_id_range),
	[PXS_A_GROUP_ATTACH_EPOCH] = { .type = NLA_U64 },
	[PXS_A_GROUP_SLOT] = { .type = NLA_U64 },
	[PXS_A_GROUP_CONFIG] = { .type = NLA_BINARY, .len = PXS_MEMBERSHIP_BYTES },
};

static int pxs_move(struct genl_info *info, struct pxs_kgroup *kg)
{
	const struct nlattr *config = info->attrs[PXS_A_GROUP_CONFIG];
	struct pxs_membership m;
	const char *wrong;
	struct pxs_out *out;
	u64 lsn;
	int err;

	wrong = pxs_membership_parse(nla_data(config), nla_len(config), &m);
	if (wrong)
		return pxs_nl_no(info, config, -EINVAL, wrong);
	out = pxs_kgroup_enter(kg);
	if (!out)
		return pxs_nl_result(info, -ENOENT);
	err = pxs_group_move(&kg->core, nla_get_u64(info->attrs[PXS_A_GROUP_SLOT]),
			     nla_data(config), nla_len(config), &lsn);
	pxs_kgroup_leave(kg, out, NULL);
	if (err == -EINVAL)
		return pxs_nl_no(info, config, err,
				 "SLOT is not decided, or CONFIG is not of a later epoch");
	if (err == -EOPNOTSUPP)
		return pxs_nl_no(info, NULL, err, "not with durability memory");
	return pxs_nl_result(info, err);
}

int pxs_nl_move(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_SLOT, "SLOT is missing") ?:
	      pxs_nl_need(info, PXS_A_GROUP_CONFIG, "CONFIG is missing") ?:
	      pxs_move(info, kg);
	pxs_kgroup_put(kg);
	return err;
}
