// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_agent.c - attributes <-> group: what the attached agent asks for
 *
 * The GROUP_* commands that only the owner of the journal may give: each is checked for
 * its port and attach epoch first. Translation only. Process context, not under
 * pxs_net.config: they must not wait for a change of configuration, and hold a reference
 * on their group instead.
 */
#include "pxs.h"

#include "core/membership.h"
#include "core/record.h"
#include "group.h"
#include "netlink.h"
#include "netlink_group.h"
#include "pernet.h"

static PXS_NLA_RANGE pxs_id_range = { .min = 1, .max = S32_MAX };

#define PXS_AGENT_POLICY							\
	[PXS_A_GROUP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_id_range),	\
	[PXS_A_GROUP_ATTACH_EPOCH] = { .type = NLA_U64 }

/* Ranges of binary attributes end at 32767: what may be longer has only a length. */
static const struct nla_policy pxs_load_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_RECORDS] = { .type = NLA_BINARY, .len = PXS_APPEND_MAX },
};

static const struct nla_policy pxs_activate_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_COMMIT] = { .type = NLA_U64 },
};

static const struct nla_policy pxs_prepare_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_BALLOT] = { .type = NLA_U64 },
	[PXS_A_GROUP_SLOT] = { .type = NLA_U64 },
	[PXS_A_GROUP_RECEIVER] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_MEMBER_ID_MAX),
};

static const struct nla_policy pxs_lead_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_BALLOT] = { .type = NLA_U64 },
	[PXS_A_GROUP_SLOT] = { .type = NLA_U64 },
	[PXS_A_GROUP_FOUND] = { .type = NLA_U64 },
};

/* RESIGN and READ: which group, and who asks. */
static const struct nla_policy pxs_plain_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
};

static const struct nla_policy pxs_transfer_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_RECEIVER] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_MEMBER_ID_MAX),
};

static const struct nla_policy pxs_propose_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_VALUE] = NLA_POLICY_RANGE(NLA_BINARY, 1, PXS_VALUE_MAX),
	[PXS_A_GROUP_NOOP] = { .type = NLA_FLAG },
	[PXS_A_GROUP_CONFIG] = NLA_POLICY_RANGE(NLA_BINARY, 1, PXS_MEMBERSHIP_BYTES),
};

static const struct nla_policy pxs_trim_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_SLOT] = { .type = NLA_U64 },
	[PXS_A_GROUP_CHECKPOINT] = { .type = NLA_FLAG },
};

static const struct nla_policy pxs_send_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_AGENT_POLICY,
	[PXS_A_GROUP_RECEIVER] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_MEMBER_ID_MAX),
	[PXS_A_GROUP_DATAGRAM] = { .type = NLA_BINARY, .len = PXS_WIRE_MAX },
};

struct pxs_kgroup *pxs_owners_group(struct genl_info *info)
{
	int err = pxs_nl_check_owner(info, PXS_A_GROUP_ATTACH_EPOCH);

	return err ? ERR_PTR(err) : pxs_nl_group(info);
}

/* --- recovery -------------------------------------------------------------- */

static int pxs_bad_record(struct genl_info *info, int fault, bool ours)
{
	const struct nlattr *records = info->attrs[PXS_A_GROUP_RECORDS];

	switch (fault) {
	case PXS_RECORD_SHORT:
		return pxs_nl_no(info, records, -EBADMSG, "RECORDS end within a record");
	case PXS_RECORD_BAD_HEADER:
		return pxs_nl_no(info, records, -EBADMSG, "RECORDS: a header is damaged");
	case PXS_RECORD_BAD_VALUE:
		return pxs_nl_no(info, records, -EBADMSG, "RECORDS: a value is damaged");
	}
	return ours ? 0 : pxs_nl_no(info, records, -EINVAL, "RECORDS: a record of another group");
}

/* All records must be readable before the first one is loaded. */
static int pxs_check_records(struct genl_info *info, const u8 *buf, u32 len)
{
	u32 id = nla_get_u32(info->attrs[PXS_A_GROUP_ID]);
	struct pxs_record r;
	u32 offset = 0;
	int err;

	while (offset < len) {
		int fault = pxs_record_get(buf + offset, len - offset, &r);

		err = pxs_bad_record(info, fault, !fault && r.group == id);
		if (err)
			return err;
		offset += pxs_record_size(r.len);
	}
	return 0;
}

static int pxs_load(struct pxs_kgroup *kg, const u8 *buf, u32 len)
{
	struct pxs_out *out = pxs_kgroup_enter(kg);
	struct pxs_record r;
	u32 offset = 0;
	int err = 0;

	if (!out)
		return -ENOENT;
	while (!err && offset < len && !pxs_record_get(buf + offset, len - offset, &r)) {
		err = pxs_group_load(&kg->core, &r);
		offset += pxs_record_size(r.len);
	}
	pxs_kgroup_leave(kg, out, NULL);
	return err;
}

static int pxs_nl_load(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	const struct nlattr *records = info->attrs[PXS_A_GROUP_RECORDS];
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_RECORDS, "RECORDS is missing") ?:
	      pxs_check_records(info, nla_data(records), nla_len(records));
	if (err)
		goto out;
	err = pxs_load(kg, nla_data(records), nla_len(records));
	if (err == -EINVAL)
		pxs_nl_no(info, records, err, "RECORDS: a record makes no sense");
	else if (err == -ERANGE)
		pxs_nl_no(info, records, err,
			  "RECORDS: a slot beyond the window: WINDOW is too small");
	else
		pxs_nl_result(info, err);
out:
	pxs_kgroup_put(kg);
	return err;
}

static int pxs_nl_activate(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	struct pxs_out *out;
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_COMMIT, "COMMIT is missing");
	if (err)
		goto out;
	err = -EIO;
	if (READ_ONCE(kg->home->journal.stage.failed)) {
		pxs_nl_no(info, NULL, err, kg->home->journal.reason);
		goto out;
	}
	err = -ENOENT;
	out = pxs_kgroup_enter(kg);
	if (out) {
		err = pxs_group_activate(&kg->core, nla_get_u64(info->attrs[PXS_A_GROUP_COMMIT]),
					 pxs_now_ms());
		pxs_kgroup_leave(kg, out, NULL);
	}
	pxs_nl_result(info, err);
	if (!err || err == -ENOTRECOVERABLE)
		pxs_nl_group_announce(kg, info, PXS_CMD_GROUP_ACTIVATE);
out:
	pxs_kgroup_put(kg);
	return err;
}

/* --- leading --------------------------------------------------------------- */

static int pxs_prepare_targets(struct genl_info *info, struct pxs_kgroup *kg, u64 *to)
{
	const struct nlattr *attr = info->attrs[PXS_A_GROUP_RECEIVER];
	int i;

	*to = 0;
	if (!attr)
		return 0;
	i = pxs_group_member(&kg->core, nla_get_u8(attr));
	if (i < 0)
		return pxs_nl_no(info, attr, -EINVAL, "RECEIVER is none of the members");
	*to = BIT_ULL(i);
	return 0;
}

static int pxs_nl_prepare(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	struct pxs_out *out;
	u64 to;
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_BALLOT, "BALLOT is missing") ?:
	      pxs_nl_need(info, PXS_A_GROUP_SLOT, "SLOT is missing") ?:
	      pxs_prepare_targets(info, kg, &to);
	if (err)
		goto out;
	err = -ENOENT;
	out = pxs_kgroup_enter(kg);
	if (out) {
		err = pxs_group_prepare(&kg->core, nla_get_u64(info->attrs[PXS_A_GROUP_BALLOT]),
					nla_get_u64(info->attrs[PXS_A_GROUP_SLOT]), to, out);
		pxs_kgroup_leave(kg, out, NULL);
	}
	pxs_nl_result(info, err);
out:
	pxs_kgroup_put(kg);
	return err;
}

static int pxs_nl_lead(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	struct pxs_out *out;
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_BALLOT, "BALLOT is missing") ?:
	      pxs_nl_need(info, PXS_A_GROUP_SLOT, "SLOT is missing") ?:
	      pxs_nl_need(info, PXS_A_GROUP_FOUND, "FOUND is missing");
	if (err)
		goto out;
	err = -ENOENT;
	out = pxs_kgroup_enter(kg);
	if (out) {
		err = pxs_group_lead(&kg->core, nla_get_u64(info->attrs[PXS_A_GROUP_BALLOT]),
				     nla_get_u64(info->attrs[PXS_A_GROUP_SLOT]),
				     nla_get_u64(info->attrs[PXS_A_GROUP_FOUND]), pxs_now_ms(),
				     out);
		pxs_kgroup_leave(kg, out, NULL);
	}
	pxs_nl_result(info, err);
out:
	pxs_kgroup_put(kg);
	return err;
}

static int pxs_nl_resign(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	struct pxs_out *out;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	out = pxs_kgroup_enter(kg);
	if (out) {
		pxs_group_taken_over(&kg->core);
		pxs_kgroup_leave(kg, out, NULL);
	}
	pxs_kgroup_put(kg);
	return 0;
}

static int pxs_transfer(struct pxs_kgroup *kg, u8 to)
{
	struct pxs_out *out = pxs_kgroup_enter(kg);
	int err;

	if (!out)
		return -ENOENT;
	err = pxs_group_transfer(&kg->core, to, pxs_now_ms(), out);
	pxs_kgroup_leave(kg, out, NULL);
	return err;
}

static int pxs_nl_trim(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	const struct nlattr *slot = info->attrs[PXS_A_GROUP_SLOT];
	struct pxs_out *out;
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_SLOT, "SLOT is missing");
	out = err ? NULL : pxs_kgroup_enter(kg);
	err = err ? err : -ENOENT;
	if (out) {
		err = info->attrs[PXS_A_GROUP_CHECKPOINT] ?
			      pxs_group_skip(&kg->core, nla_get_u64(slot), out) :
			      pxs_group_trim(&kg->core, nla_get_u64(slot));
		err = pxs_nl_result(info, err);
		pxs_kgroup_leave(kg, out, NULL);
	}
	pxs_kgroup_put(kg);
	return err;
}

static int pxs_nl_transfer(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	const struct nlattr *attr = info->attrs[PXS_A_GROUP_RECEIVER];
	int err;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_RECEIVER, "RECEIVER is missing");
	if (err)
		goto out;
	err = pxs_transfer(kg, pxs_group_member(&kg->core, nla_get_u8(attr)));
	if (err == -EINVAL)
		pxs_nl_no(info, attr, err, "RECEIVER is none of the other members that vote");
	else if (err == -EBUSY)
		pxs_nl_no(info, NULL, err, "leadership is being handed over already");
	else
		pxs_nl_result(info, err);
out:
	pxs_kgroup_put(kg);
	return err;
}

static void pxs_put_values(struct pxs_value **v, u32 n)
{
	while (n)
		pxs_value_put(v[--n]);
}

/* Return: how many values are in @v, PXS_WIRE_ENTRIES_MAX at most, or -errno. */
static int pxs_parse_values(struct genl_info *info, struct pxs_value **v)
{
	const struct nlattr *config = info->attrs[PXS_A_GROUP_CONFIG];
	const struct nlattr *attr;
	int rem, n = 0;

	if (!!info->attrs[PXS_A_GROUP_VALUE] + !!info->attrs[PXS_A_GROUP_NOOP] + !!config != 1)
		return pxs_nl_no(info, NULL, -EINVAL, "one of VALUE, NOOP and CONFIG is needed");
	if (config) {
		v[0] = pxs_value_of(nla_data(config), nla_len(config), PXS_ENTRY_CONFIG);
		return v[0] ? 1 : -ENOMEM;
	}
	if (info->attrs[PXS_A_GROUP_NOOP]) {
		v[0] = pxs_value_new(NULL, 0, true);
		return v[0] ? 1 : -ENOMEM;
	}
	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != PXS_A_GROUP_VALUE)
			continue;
		if (n == PXS_WIRE_ENTRIES_MAX) {
			pxs_put_values(v, n);
			return pxs_nl_no(info, attr, -E2BIG, "VALUE is given more than 64 times");
		}
		v[n] = pxs_value_new(nla_data(attr), nla_len(attr), false);
		if (!v[n]) {
			pxs_put_values(v, n);
			return -ENOMEM;
		}
		n++;
	}
	return n;
}

static int pxs_reply_slot(struct genl_info *info, u64 slot, u64 ballot, u32 count)
{
	struct sk_buff *reply = genlmsg_new(2 * nla_total_size(sizeof(u32)) +
					    2 * nla_total_size_64bit(sizeof(u64)), GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = pxs_nl_put(reply, info->snd_portid, info->snd_seq, 0, PXS_CMD_GROUP_PROPOSE);
	if (!hdr ||
	    nla_put_u32(reply, PXS_A_GROUP_ID, nla_get_u32(info->attrs[PXS_A_GROUP_ID])) ||
	    nla_put_u64_64bit(reply, PXS_A_GROUP_SLOT, slot, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(reply, PXS_A_GROUP_BALLOT, ballot, PXS_A_GROUP_PAD) ||
	    nla_put_u32(reply, PXS_A_GROUP_COUNT, count)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	/* Not as it is: the agent takes -EAGAIN for "nothing was proposed", and proposes again. */
	return genlmsg_reply(reply, info) ? -ENOBUFS : 0;
}

/* Return: how many of the @n values were proposed, from slot *first on at *ballot; or -errno. */
static int pxs_propose(struct pxs_kgroup *kg, struct pxs_value *const *v, u32 n, u64 *first,
		       u64 *ballot)
{
	struct pxs_out *out = pxs_kgroup_enter(kg);
	int ret;

	if (!out)
		return -ENOENT;
	*ballot = kg->core.lead_ballot;
	ret = pxs_group_propose_many(&kg->core, v, n, pxs_now_ms(), first, out);
	pxs_kgroup_leave(kg, out, NULL);
	return ret;
}

static int pxs_nl_propose(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	struct pxs_value *v[PXS_WIRE_ENTRIES_MAX];
	u64 first = 0, ballot = 0;
	int n, done;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	n = pxs_parse_values(info, v);
	done = n;
	if (n > 0) {
		done = pxs_propose(kg, v, n, &first, &ballot);
		pxs_put_values(v, n);
		pxs_nl_result(info, min(done, 0));
	}
	pxs_kgroup_put(kg);
	/* A reply that cannot be sent leaves the outcome unknown: the agent learns it decided. */
	return done < 0 ? done : pxs_reply_slot(info, first, ballot, done);
}

/* --- reading --------------------------------------------------------------- */

static int pxs_reply_round(struct genl_info *info, u64 ballot, u64 round)
{
	struct sk_buff *reply = genlmsg_new(nla_total_size(sizeof(u32)) +
					    2 * nla_total_size_64bit(sizeof(u64)), GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = pxs_nl_put(reply, info->snd_portid, info->snd_seq, 0, PXS_CMD_GROUP_READ);
	if (!hdr ||
	    nla_put_u32(reply, PXS_A_GROUP_ID, nla_get_u32(info->attrs[PXS_A_GROUP_ID])) ||
	    nla_put_u64_64bit(reply, PXS_A_GROUP_BALLOT, ballot, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(reply, PXS_A_GROUP_ROUND, round, PXS_A_GROUP_PAD)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static int pxs_nl_read(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	u64 ballot = 0, round = 0;
	struct pxs_out *out;
	int err = -ENOENT;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	out = pxs_kgroup_enter(kg);
	if (out) {
		ballot = kg->core.lead_ballot;
		err = pxs_group_read(&kg->core, pxs_now_ms(), &round, out);
		pxs_kgroup_leave(kg, out, NULL);
	}
	pxs_nl_result(info, err);
	pxs_kgroup_put(kg);
	/* A reply that cannot be sent costs a round that nobody waits for. */
	return err ?: pxs_reply_round(info, ballot, round);
}

/* --- learning -------------------------------------------------------------- */

/* Take from the agent's datagram what it may say: pxs_group_say() fills in the rest. */
static int pxs_parse_datagram(struct genl_info *info, struct pxs_msg *m, const u8 **body)
{
	const struct nlattr *attr = info->attrs[PXS_A_GROUP_DATAGRAM];
	struct pxs_wire_hdr hdr;

	if (nla_len(attr) < PXS_WIRE_HDR_LEN)
		return pxs_nl_no(info, attr, -EINVAL, "DATAGRAM is shorter than a header");
	memcpy(&hdr, nla_data(attr), sizeof(hdr));
	if (pxs_wire_parse(&hdr, nla_len(attr), m) || m->ballot)
		return pxs_nl_no(info, attr, -EBADMSG, "DATAGRAM: the header is malformed");
	*body = nla_data(attr) + PXS_WIRE_HDR_LEN;
	return 0;
}

static int pxs_send(struct genl_info *info, struct pxs_kgroup *kg, u8 to)
{
	const struct nlattr *attr = info->attrs[PXS_A_GROUP_DATAGRAM];
	const u8 *body;
	struct pxs_out *out;
	struct pxs_msg m;
	int err;

	err = pxs_parse_datagram(info, &m, &body);
	if (err)
		return err;
	out = pxs_kgroup_enter(kg);
	if (!out)
		return pxs_nl_result(info, -ENOENT);
	err = pxs_group_say(&kg->core, to, &m);
	pxs_kgroup_leave(kg, out, NULL);
	if (err == -EINVAL)
		return pxs_nl_no(info, attr, err,
				 "DATAGRAM must be a LEARN_REQ or LEARN to another member");
	if (err)
		return pxs_nl_result(info, err);
	/* Without the group's lock, which softirqs wait for: it may have 64 KiB of entries. */
	if (!pxs_wire_check_body(&m, body))
		return pxs_nl_no(info, attr, -EBADMSG, "DATAGRAM: the body is malformed");
	local_bh_disable();
	rcu_read_lock();
	pxs_transport_send_msg(kg, to, &m, body);
	rcu_read_unlock();
	local_bh_enable();
	return 0;
}

static int pxs_nl_send(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_owners_group(info);
	int err, to;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	err = pxs_nl_need(info, PXS_A_GROUP_RECEIVER, "RECEIVER is missing") ?:
	      pxs_nl_need(info, PXS_A_GROUP_DATAGRAM, "DATAGRAM is missing");
	if (err)
		goto out;
	to = pxs_group_member(&kg->core, nla_get_u8(info->attrs[PXS_A_GROUP_RECEIVER]));
	if (to < 0 || to == kg->core.conf.self)
		err = pxs_nl_no(info, info->attrs[PXS_A_GROUP_RECEIVER], -EINVAL,
				"RECEIVER is none of the other members");
	else
		err = pxs_send(info, kg, to);
out:
	pxs_kgroup_put(kg);
	return err;
}

#define PXS_AGENT_OP(name, handler, pol)	\
	{ .cmd = name, .doit = handler, .policy = pol, .maxattr = PXS_A_GROUP_MAX }

const struct genl_ops pxs_agent_ops[] = {
	PXS_AGENT_OP(PXS_CMD_GROUP_LOAD, pxs_nl_load, pxs_load_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_ACTIVATE, pxs_nl_activate, pxs_activate_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_PREPARE, pxs_nl_prepare, pxs_prepare_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_LEAD, pxs_nl_lead, pxs_lead_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_RESIGN, pxs_nl_resign, pxs_plain_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_TRANSFER, pxs_nl_transfer, pxs_transfer_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_TRIM, pxs_nl_trim, pxs_trim_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_MOVE, pxs_nl_move, pxs_move_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_PROPOSE, pxs_nl_propose, pxs_propose_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_READ, pxs_nl_read, pxs_plain_policy),
	PXS_AGENT_OP(PXS_CMD_GROUP_SEND, pxs_nl_send, pxs_send_policy),
};

const unsigned int pxs_agent_n_ops = ARRAY_SIZE(pxs_agent_ops);
