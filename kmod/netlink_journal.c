// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_journal.c - attributes <-> journal
 *
 * JOURNAL_ATTACH makes a port the owner; JOURNAL_DURABLE, JOURNAL_FAIL and JOURNAL_SETTLE come
 * from it.
 * Translation only: journal.c acts. Process context. Only JOURNAL_ATTACH runs under
 * pxs_net.config: an acknowledgment must not wait for a change of configuration.
 */
#include "pxs.h"

#include "group.h"
#include "netlink.h"
#include "netlink_group.h"
#include "pernet.h"

static const struct nla_policy pxs_attach_policy[PXS_A_JOURNAL_MAX + 1] = {
	[PXS_A_JOURNAL_INCARNATION] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_JOURNAL_NEXT_LSN] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy pxs_durable_policy[PXS_A_JOURNAL_MAX + 1] = {
	[PXS_A_JOURNAL_ATTACH_EPOCH] = { .type = NLA_U64 },
	[PXS_A_JOURNAL_LSN] = { .type = NLA_U64 },
};

static const struct nla_policy pxs_fail_policy[PXS_A_JOURNAL_MAX + 1] = {
	[PXS_A_JOURNAL_ATTACH_EPOCH] = { .type = NLA_U64 },
	[PXS_A_JOURNAL_REASON] = { .type = NLA_NUL_STRING, .len = PXS_REASON_MAX },
};

static const struct nla_policy pxs_settle_policy[PXS_A_JOURNAL_MAX + 1] = {
	[PXS_A_JOURNAL_ATTACH_EPOCH] = { .type = NLA_U64 },
};

static struct pxs_journal *pxs_nl_journal(struct genl_info *info)
{
	return &pxs_nl_net(info)->groups->journal;
}

int pxs_nl_check_owner(struct genl_info *info, int attr)
{
	int err = pxs_nl_need(info, attr, "ATTACH_EPOCH is missing");

	if (err)
		return err;
	return pxs_journal_check(pxs_nl_journal(info), info->snd_portid,
				 nla_get_u64(info->attrs[attr]), info->extack);
}

/*
 * Groups know what they knew; a new agent does not. It did not win the ballot that a group may
 * lead with, and what it found on disk is durable: answers that waited for that may go.
 */
static void pxs_tell_all(struct pxs_groups *gs)
{
	struct pxs_kgroup *kg;
	struct pxs_out *out;
	unsigned long id = 0;

	while ((kg = pxs_kgroup_next(gs, &id))) {
		out = pxs_kgroup_enter(kg);
		if (out) {
			pxs_group_attached(&kg->core);
			pxs_event_note_all(kg);
			pxs_kgroup_leave(kg, out, NULL);
		}
		pxs_kgroup_put(kg);
		id++;
	}
	pxs_groups_release(gs);
}

static int pxs_nl_attach(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_journal *j = pxs_nl_journal(info);
	struct sk_buff *reply;
	u64 epoch, last;
	void *hdr;
	int err;

	err = pxs_nl_need(info, PXS_A_JOURNAL_INCARNATION, "INCARNATION is missing") ?:
	      pxs_nl_need(info, PXS_A_JOURNAL_NEXT_LSN, "NEXT_LSN is missing");
	if (err)
		return err;
	reply = genlmsg_new(3 * nla_total_size_64bit(sizeof(u64)), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	err = pxs_journal_attach(j, info->snd_portid,
				 nla_get_u64(info->attrs[PXS_A_JOURNAL_INCARNATION]),
				 nla_get_u64(info->attrs[PXS_A_JOURNAL_NEXT_LSN]), &epoch, &last,
				 info->extack);
	if (err)
		goto err_reply;
	err = -EMSGSIZE;
	hdr = pxs_nl_put(reply, info->snd_portid, info->snd_seq, 0, PXS_CMD_JOURNAL_ATTACH);
	if (!hdr ||
	    nla_put_u64_64bit(reply, PXS_A_JOURNAL_ATTACH_EPOCH, epoch, PXS_A_JOURNAL_PAD) ||
	    nla_put_u64_64bit(reply, PXS_A_JOURNAL_LSN, last, PXS_A_JOURNAL_PAD))
		goto err_attached;
	genlmsg_end(reply, hdr);
	err = genlmsg_reply(reply, info);
	if (err) {
		pxs_journal_detach(j);
		return err;
	}
	pxs_tell_all(pxs_nl_net(info)->groups);
	return 0;

err_attached:
	pxs_journal_detach(j);
err_reply:
	nlmsg_free(reply);
	return err;
}

static int pxs_nl_durable(struct sk_buff *skb, struct genl_info *info)
{
	int err = pxs_nl_check_owner(info, PXS_A_JOURNAL_ATTACH_EPOCH) ?:
		  pxs_nl_need(info, PXS_A_JOURNAL_LSN, "LSN is missing");

	if (err)
		return err;
	return pxs_journal_durable(pxs_nl_journal(info),
				   nla_get_u64(info->attrs[PXS_A_JOURNAL_ATTACH_EPOCH]),
				   nla_get_u64(info->attrs[PXS_A_JOURNAL_LSN]), info->extack);
}

static int pxs_nl_fail(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_groups *gs = pxs_nl_net(info)->groups;
	const char *reason;
	struct pxs_kgroup *kg;
	struct pxs_out *out;
	unsigned long id = 0;
	int err;

	err = pxs_nl_check_owner(info, PXS_A_JOURNAL_ATTACH_EPOCH) ?:
	      pxs_nl_need(info, PXS_A_JOURNAL_REASON, "REASON is missing");
	if (err)
		return err;
	reason = pxs_journal_fail(&gs->journal, nla_data(info->attrs[PXS_A_JOURNAL_REASON]));
	while ((kg = pxs_kgroup_next(gs, &id))) {
		out = pxs_kgroup_enter(kg);
		if (out) {
			pxs_group_fence(&kg->core, reason);
			pxs_kgroup_leave(kg, out, NULL);
			pxs_nl_group_announce(kg, info, PXS_CMD_GROUP_ACTIVATE);
		}
		pxs_kgroup_put(kg);
		id++;
	}
	return 0;
}

/* Every group is tried, whatever becomes of another: what is settled stays settled. */
static int pxs_nl_settle(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_groups *gs = pxs_nl_net(info)->groups;
	struct pxs_kgroup *kg;
	struct pxs_out *out;
	unsigned long id = 0;
	int err, ret;

	ret = pxs_nl_check_owner(info, PXS_A_JOURNAL_ATTACH_EPOCH);
	if (ret)
		return ret;
	while ((kg = pxs_kgroup_next(gs, &id))) {
		out = pxs_kgroup_enter(kg);
		if (out) {
			err = pxs_group_settle(&kg->core);
			pxs_kgroup_leave(kg, out, NULL);
			ret = ret ?: err;
		}
		pxs_kgroup_put(kg);
		id++;
	}
	return ret ? pxs_nl_no(info, NULL, ret, "no room for another record: say it again") : 0;
}

const struct genl_ops pxs_journal_ops[] = {
	{
		.cmd = PXS_CMD_JOURNAL_ATTACH,
		.doit = pxs_nl_attach,
		.policy = pxs_attach_policy,
		.maxattr = PXS_A_JOURNAL_MAX,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_JOURNAL_DURABLE,
		.doit = pxs_nl_durable,
		.policy = pxs_durable_policy,
		.maxattr = PXS_A_JOURNAL_MAX,
	}, {
		.cmd = PXS_CMD_JOURNAL_FAIL,
		.doit = pxs_nl_fail,
		.policy = pxs_fail_policy,
		.maxattr = PXS_A_JOURNAL_MAX,
	}, {
		.cmd = PXS_CMD_JOURNAL_SETTLE,
		.doit = pxs_nl_settle,
		.policy = pxs_settle_policy,
		.maxattr = PXS_A_JOURNAL_MAX,
	},
};

const unsigned int pxs_journal_n_ops = ARRAY_SIZE(pxs_journal_ops);
