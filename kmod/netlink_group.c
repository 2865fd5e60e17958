// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_group.c - attributes <-> group: what an operator asks for
 *
 * GROUP_ADD, GROUP_SET, GROUP_DEL and GROUP_GET. Translation only: group.c acts. Process context;
 * all but GET under pxs_net.config, GET without: it holds a reference on the group.
 */
#include "pxs.h"

#include <net/ipv6.h>

#include "group.h"
#include "netlink.h"
#include "netlink_group.h"
#include "pernet.h"

#define PXS_DEFAULT_KEY_ID	1
#define PXS_DEFAULT_EPOCH	1
#define PXS_DEFAULT_WINDOW	4096
#define PXS_DEFAULT_HEARTBEAT	100
#define PXS_DEFAULT_ELECTION	1000

static PXS_NLA_RANGE pxs_group_id_range = { .min = 1, .max = S32_MAX };
static PXS_NLA_RANGE pxs_window_range = { .min = 64, .max = 65536 };
static PXS_NLA_RANGE pxs_heartbeat_range = { .min = 10, .max = 10000 };
static PXS_NLA_RANGE pxs_election_range = { .min = 30, .max = 60000 };
static PXS_NLA_RANGE pxs_drift_range = { .min = 0, .max = PXS_LEASE_DRIFT_MAX };

static const struct nla_policy pxs_member_policy[PXS_A_MEMBER_MAX + 1] = {
	[PXS_A_MEMBER_ID] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_MEMBER_ID_MAX),
	[PXS_A_MEMBER_INCARNATION] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_MEMBER_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_MEMBER_PORT] = { .type = NLA_U16 },
	[PXS_A_MEMBER_LEARNER] = { .type = NLA_FLAG },
};

#define PXS_KEYS_POLICY								\
	[PXS_A_GROUP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_group_id_range),	\
	[PXS_A_GROUP_KEY] = NLA_POLICY_EXACT_LEN(PXS_KEY_LEN),			\
	[PXS_A_GROUP_KEY_ID] = { .type = NLA_U8 },				\
	[PXS_A_GROUP_ALSO_KEY] = NLA_POLICY_EXACT_LEN(PXS_KEY_LEN),		\
	[PXS_A_GROUP_ALSO_KEY_ID] = { .type = NLA_U8 }

static const struct nla_policy pxs_group_add_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_KEYS_POLICY,
	[PXS_A_GROUP_CLUSTER] = NLA_POLICY_EXACT_LEN(PXS_CLUSTER_LEN),
	[PXS_A_GROUP_EPOCH] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_GROUP_SELF] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_MEMBER_ID_MAX),
	[PXS_A_GROUP_MEMBER] = NLA_POLICY_NESTED(pxs_member_policy),
	[PXS_A_GROUP_DURABILITY] = { .type = NLA_U8 },
	[PXS_A_GROUP_WINDOW] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_window_range),
	[PXS_A_GROUP_HEARTBEAT_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_heartbeat_range),
	[PXS_A_GROUP_ELECTION_MS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_election_range),
	[PXS_A_GROUP_LEASE_DRIFT] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_drift_range),
	[PXS_A_GROUP_PHASE1] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_VOTERS_MAX),
	[PXS_A_GROUP_PHASE2] = NLA_POLICY_RANGE(NLA_U8, 1, PXS_VOTERS_MAX),
};

static const struct nla_policy pxs_group_set_policy[PXS_A_GROUP_MAX + 1] = {
	PXS_KEYS_POLICY,
};

static const struct nla_policy pxs_group_id_policy[PXS_A_GROUP_MAX + 1] = {
	[PXS_A_GROUP_ID] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_group_id_range),
};

int pxs_nl_result(struct genl_info *info, int err)
{
	static const struct {
		int err;
		const char *why;
	} words[] = {
		{ -ESHUTDOWN, "the group is not active" },
		{ -EALREADY, "the group is active already" },
		{ -EBUSY, "the group is not inactive: nothing is loaded" },
		{ -EKEYREJECTED, "the journal's incarnation is not the one of SELF" },
		{ -ESTALE, "BALLOT is not open, or a higher one is promised" },
		{ -EAGAIN, "no room in the window or the journal: try again" },
		{ -ENOTCONN, "this member does not lead the group" },
		{ -EISCONN, "this member leads the group" },
		{ -ENOENT, "the group was deleted" },
		{ -ENOTRECOVERABLE, "the member forgot what it had answered: fenced" },
		{ -ENODATA, "what comes behind SLOT is gone at the others" },
		{ -EINVAL, "BALLOT, SLOT, FOUND or COMMIT does not fit the group's state" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (words[i].err == err)
			return pxs_nl_no(info, NULL, err, words[i].why);
	return err;
}

struct pxs_kgroup *pxs_nl_group(struct genl_info *info)
{
	const struct nlattr *id = info->attrs[PXS_A_GROUP_ID];
	struct pxs_kgroup *kg;
	int err = pxs_nl_need(info, PXS_A_GROUP_ID, "GROUP_ID is missing");

	if (err)
		return ERR_PTR(err);
	kg = pxs_kgroup_find(pxs_nl_net(info)->groups, nla_get_u32(id));
	if (!kg) {
		pxs_nl_no(info, id, 0, "no group with this id here");
		return ERR_PTR(-ENOENT);
	}
	return kg;
}

/* --- adding ---------------------------------------------------------------- */

static int pxs_parse_addr(const struct nlattr *attr, struct pxs_udp_addr *addr,
			  struct genl_info *info)
{
	switch (nla_len(attr)) {
	case 4:
		addr->family = AF_INET;
		addr->v4 = nla_get_in_addr(attr);
		if (ipv4_is_multicast(addr->v4) || ipv4_is_zeronet(addr->v4) ||
		    ipv4_is_lbcast(addr->v4))
			break;
		return 0;
	case 16:
		addr->family = AF_INET6;
		addr->v6 = nla_get_in6_addr(attr);
		if (ipv6_addr_any(&addr->v6) || ipv6_addr_is_multicast(&addr->v6) ||
		    ipv6_addr_v4mapped(&addr->v6))
			break;
		if (ipv6_addr_type(&addr->v6) & IPV6_ADDR_LINKLOCAL)
			return pxs_nl_no(info, attr, -EINVAL,
					 "MEMBER_ADDR: link-local addresses are not supported");
		return 0;
	default:
		return pxs_nl_no(info, attr, -EINVAL, "MEMBER_ADDR must have 4 or 16 bytes");
	}
	return pxs_nl_no(info, attr, -EINVAL, "MEMBER_ADDR must be the address of one host");
}

/* Add the member in @attr to @spec. */
static int pxs_parse_member(const struct nlattr *attr, struct pxs_group_spec *spec,
			    struct genl_info *info)
{
	struct nlattr *tb[PXS_A_MEMBER_MAX + 1];
	u8 i = spec->conf.nmembers, j;
	struct pxs_udp_addr *addr = &spec->addr[i];
	int err;

	if (i == PXS_MEMBERS_MAX)
		return pxs_nl_no(info, attr, -E2BIG, "MEMBER: a group has 7 members at most");
	err = nla_parse_nested(tb, PXS_A_MEMBER_MAX, attr, pxs_member_policy, info->extack);
	if (err)
		return err;
	if (!tb[PXS_A_MEMBER_ID] || !tb[PXS_A_MEMBER_INCARNATION] || !tb[PXS_A_MEMBER_ADDR] ||
	    !tb[PXS_A_MEMBER_PORT])
		return pxs_nl_no(info, attr, -EINVAL,
				 "MEMBER needs MEMBER_ID, _INCARNATION, _ADDR and _PORT");
	spec->conf.member[i].id = nla_get_u8(tb[PXS_A_MEMBER_ID]);
	spec->conf.member[i].incarnation = nla_get_u64(tb[PXS_A_MEMBER_INCARNATION]);
	addr->port = nla_get_be16(tb[PXS_A_MEMBER_PORT]);
	if (!addr->port)
		return pxs_nl_no(info, tb[PXS_A_MEMBER_PORT], -ERANGE,
				 "MEMBER_PORT must be 1..65535");
	err = pxs_parse_addr(tb[PXS_A_MEMBER_ADDR], addr, info);
	if (err)
		return err;
	if (addr->family != spec->addr[0].family)
		return pxs_nl_no(info, tb[PXS_A_MEMBER_ADDR], -EINVAL,
				 "MEMBER_ADDR: all members must have the same address family");
	for (j = 0; j < i; j++)
		if (pxs_udp_addr_equal(&spec->addr[j], addr))
			return pxs_nl_no(info, attr, -EINVAL,
					 "MEMBER: two members have the same address and port");
	if (tb[PXS_A_MEMBER_LEARNER])
		spec->conf.learners++;
	else if (spec->conf.learners)
		return pxs_nl_no(info, attr, -EINVAL, "MEMBER: learners come last");
	spec->conf.nmembers++;
	return 0;
}

static int pxs_parse_members(struct pxs_group_spec *spec, struct genl_info *info)
{
	const struct nlattr *attr;
	u8 self, i;
	int err, rem;

	nlmsg_for_each_attr(attr, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(attr) != PXS_A_GROUP_MEMBER)
			continue;
		err = pxs_parse_member(attr, spec, info);
		if (err)
			return err;
	}
	self = nla_get_u8(info->attrs[PXS_A_GROUP_SELF]);
	for (i = 0; i < spec->conf.nmembers; i++)
		if (spec->conf.member[i].id == self)
			break;
	spec->conf.self = i;
	if (i == spec->conf.nmembers)
		return pxs_nl_no(info, info->attrs[PXS_A_GROUP_SELF], -EINVAL,
				 "SELF is none of the members");
	return 0;
}

static u32 pxs_u32_or(const struct nlattr *attr, u32 value)
{
	return attr ? nla_get_u32(attr) : value;
}

static int pxs_parse_needed(struct genl_info *info)
{
	return pxs_nl_need(info, PXS_A_GROUP_ID, "GROUP_ID is missing") ?:
	       pxs_nl_need(info, PXS_A_GROUP_CLUSTER, "CLUSTER is missing") ?:
	       pxs_nl_need(info, PXS_A_GROUP_KEY, "KEY is missing") ?:
	       pxs_nl_need(info, PXS_A_GROUP_SELF, "SELF is missing") ?:
	       pxs_nl_need(info, PXS_A_GROUP_MEMBER, "MEMBER is missing");
}

static int pxs_parse_durability(struct pxs_group_conf *conf, struct genl_info *info)
{
	const struct nlattr *attr = info->attrs[PXS_A_GROUP_DURABILITY];
	u8 durability = attr ? nla_get_u8(attr) : PXS_DURABILITY_DISK;

	if (durability != PXS_DURABILITY_DISK && durability != PXS_DURABILITY_MEMORY)
		return pxs_nl_no(info, attr, -EINVAL, "DURABILITY must be disk or memory");
	conf->memory = durability == PXS_DURABILITY_MEMORY;
	return 0;
}

/* Behind the members: how many of them vote is known. */
static int pxs_parse_quorums(struct pxs_group_conf *conf, struct genl_info *info)
{
	const struct nlattr *one = info->attrs[PXS_A_GROUP_PHASE1];
	const struct nlattr *two = info->attrs[PXS_A_GROUP_PHASE2];
	u8 phase1 = one ? nla_get_u8(one) : 0, phase2 = two ? nla_get_u8(two) : 0;
	const char *wrong = pxs_quorum_check(pxs_group_voters(conf), phase1, phase2);

	if (wrong)
		return pxs_nl_no(info, two ?: one, -EINVAL, wrong);
	if (pxs_quorum_is_plain(pxs_group_voters(conf), phase1, phase2))
		return 0;
	conf->phase1 = phase1;
	conf->phase2 = phase2;
	return 0;
}

static void pxs_take_key(struct pxs_keys *keys, const struct nlattr *key, const struct nlattr *id)
{
	struct pxs_key *k = &keys->key[keys->count++];

	nla_memcpy(k->bytes, key, sizeof(k->bytes));
	k->id = id ? nla_get_u8(id) : PXS_DEFAULT_KEY_ID;
}

static int pxs_parse_keys(struct pxs_keys *keys, struct genl_info *info)
{
	struct nlattr **a = info->attrs;
	const char *wrong;

	pxs_take_key(keys, a[PXS_A_GROUP_KEY], a[PXS_A_GROUP_KEY_ID]);
	if (!a[PXS_A_GROUP_ALSO_KEY] != !a[PXS_A_GROUP_ALSO_KEY_ID])
		return pxs_nl_no(info, a[PXS_A_GROUP_ALSO_KEY] ?: a[PXS_A_GROUP_ALSO_KEY_ID],
				 -EINVAL, "ALSO_KEY and ALSO_KEY_ID go together");
	if (a[PXS_A_GROUP_ALSO_KEY])
		pxs_take_key(keys, a[PXS_A_GROUP_ALSO_KEY], a[PXS_A_GROUP_ALSO_KEY_ID]);
	wrong = pxs_keys_check(keys);
	return wrong ? pxs_nl_no(info, a[PXS_A_GROUP_ALSO_KEY_ID], -EINVAL, wrong) : 0;
}

/* The request lives on in a buffer, and in the answer to a refused one: without its keys. */
static void pxs_wipe_keys(struct genl_info *info)
{
	struct nlattr *key = info->attrs[PXS_A_GROUP_KEY];
	struct nlattr *also = info->attrs[PXS_A_GROUP_ALSO_KEY];

	if (key)
		memzero_explicit(nla_data(key), nla_len(key));
	if (also)
		memzero_explicit(nla_data(also), nla_len(also));
}

static int pxs_parse_spec(struct pxs_group_spec *spec, struct genl_info *info)
{
	struct pxs_group_conf *conf = &spec->conf;
	struct nlattr **a = info->attrs;
	const char *wrong;
	int err;

	err = pxs_parse_needed(info);
	if (err)
		return err;
	conf->id = nla_get_u32(a[PXS_A_GROUP_ID]);
	nla_memcpy(conf->cluster, a[PXS_A_GROUP_CLUSTER], sizeof(conf->cluster));
	conf->epoch = a[PXS_A_GROUP_EPOCH] ? nla_get_u64(a[PXS_A_GROUP_EPOCH]) : PXS_DEFAULT_EPOCH;
	conf->window = pxs_u32_or(a[PXS_A_GROUP_WINDOW], PXS_DEFAULT_WINDOW);
	conf->heartbeat_ms = pxs_u32_or(a[PXS_A_GROUP_HEARTBEAT_MS], PXS_DEFAULT_HEARTBEAT);
	conf->election_ms = pxs_u32_or(a[PXS_A_GROUP_ELECTION_MS], PXS_DEFAULT_ELECTION);
	conf->lease_drift = pxs_u32_or(a[PXS_A_GROUP_LEASE_DRIFT], 0);
	err = pxs_parse_keys(&spec->keys, info) ?: pxs_parse_durability(conf, info) ?:
	      pxs_parse_members(spec, info) ?: pxs_parse_quorums(conf, info);
	if (err)
		return err;
	wrong = pxs_group_check_conf(conf);
	return wrong ? pxs_nl_no(info, NULL, -EINVAL, wrong) : 0;
}

static int pxs_nl_group_add(struct sk_buff *skb, struct genl_info *info)
{
	/* Too much for the stack, with KASAN at least. */
	struct pxs_group_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	struct pxs_kgroup *kg;
	int err;

	err = spec ? pxs_parse_spec(spec, info) : -ENOMEM;
	if (!err) {
		kg = pxs_kgroup_add(pxs_nl_net(info)->groups, spec, info->extack);
		if (IS_ERR(kg))
			err = PTR_ERR(kg);
		else
			pxs_nl_group_announce(kg, info, PXS_CMD_GROUP_ADD);
	}
	kfree_sensitive(spec);
	pxs_wipe_keys(info);
	return err;
}

static int pxs_nl_group_set(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_nl_group(info);
	struct pxs_keys keys = {};
	int err;

	if (IS_ERR(kg)) {
		pxs_wipe_keys(info);
		return PTR_ERR(kg);
	}
	err = pxs_nl_need(info, PXS_A_GROUP_KEY, "KEY is missing") ?:
	      pxs_nl_need(info, PXS_A_GROUP_KEY_ID, "KEY_ID is missing") ?:
	      pxs_parse_keys(&keys, info) ?:
	      pxs_kgroup_set_keys(kg, &keys, info->extack);
	if (!err)
		pxs_nl_group_announce(kg, info, PXS_CMD_GROUP_SET);
	memzero_explicit(&keys, sizeof(keys));
	pxs_wipe_keys(info);
	pxs_kgroup_put(kg);
	return err;
}

static int pxs_nl_group_del(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_nl_group(info);

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	pxs_kgroup_del(kg);
	pxs_nl_group_announce(kg, info, PXS_CMD_GROUP_DEL);
	pxs_kgroup_put(kg);
	return 0;
}

/* --- showing --------------------------------------------------------------- */

static int pxs_fill_member(struct sk_buff *skb, const struct pxs_kgroup *kg, u8 i, u64 has)
{
	const struct pxs_member *member = &kg->core.conf.member[i];
	const struct pxs_udp_addr *addr = &kg->peer[i].addr;
	struct nlattr *nest = nla_nest_start(skb, PXS_A_GROUP_MEMBER);
	int err;

	if (!nest)
		return -EMSGSIZE;
	/* A member has no pad attribute: its u64 may lie on 4 bytes, and readers copy it. */
	if (nla_put_u8(skb, PXS_A_MEMBER_ID, member->id) ||
	    nla_put(skb, PXS_A_MEMBER_INCARNATION, sizeof(u64), &member->incarnation) ||
	    nla_put(skb, PXS_A_MEMBER_COMMIT, sizeof(u64), &has) ||
	    (i >= pxs_group_voters(&kg->core.conf) &&
	     nla_put_flag(skb, PXS_A_MEMBER_LEARNER)) ||
	    nla_put_be16(skb, PXS_A_MEMBER_PORT, addr->port))
		return -EMSGSIZE;
	if (addr->family == AF_INET)
		err = nla_put_in_addr(skb, PXS_A_MEMBER_ADDR, addr->v4);
	else
		err = nla_put_in6_addr(skb, PXS_A_MEMBER_ADDR, &addr->v6);
	nla_nest_end(skb, nest);
	return err;
}

/* Which keys are valid; never the keys. */
static int pxs_fill_key_ids(struct sk_buff *skb, const struct pxs_kgroup *kg)
{
	const struct pxs_keys *keys;
	u8 count, id, also;

	rcu_read_lock();
	keys = &rcu_dereference(kg->keys)->keys;
	count = keys->count;
	id = keys->key[0].id;
	also = keys->key[1].id;
	rcu_read_unlock();
	if (nla_put_u8(skb, PXS_A_GROUP_KEY_ID, id))
		return -EMSGSIZE;
	return count > 1 ? nla_put_u8(skb, PXS_A_GROUP_ALSO_KEY_ID, also) : 0;
}

static int pxs_fill_conf(struct sk_buff *skb, const struct pxs_kgroup *kg, const u64 *has)
{
	const struct pxs_group_conf *conf = &kg->core.conf;
	u8 i;

	if (nla_put_u32(skb, PXS_A_GROUP_ID, conf->id) ||
	    nla_put(skb, PXS_A_GROUP_CLUSTER, sizeof(conf->cluster), conf->cluster) ||
	    pxs_fill_key_ids(skb, kg) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_EPOCH, conf->epoch, PXS_A_GROUP_PAD) ||
	    nla_put_u8(skb, PXS_A_GROUP_SELF, conf->member[conf->self].id) ||
	    nla_put_u8(skb, PXS_A_GROUP_DURABILITY,
		       conf->memory ? PXS_DURABILITY_MEMORY : PXS_DURABILITY_DISK) ||
	    nla_put_u32(skb, PXS_A_GROUP_WINDOW, conf->window) ||
	    nla_put_u32(skb, PXS_A_GROUP_HEARTBEAT_MS, conf->heartbeat_ms) ||
	    nla_put_u32(skb, PXS_A_GROUP_ELECTION_MS, conf->election_ms) ||
	    nla_put_u32(skb, PXS_A_GROUP_LEASE_DRIFT, conf->lease_drift) ||
	    nla_put_u8(skb, PXS_A_GROUP_PHASE1, pxs_group_phase1(conf).enough) ||
	    nla_put_u8(skb, PXS_A_GROUP_PHASE2, pxs_group_phase2(conf).enough))
		return -EMSGSIZE;
	for (i = 0; i < conf->nmembers; i++)
		if (pxs_fill_member(skb, kg, i, has[i]))
			return -EMSGSIZE;
	return 0;
}

static int pxs_fill_view(struct sk_buff *skb, const struct pxs_group_view *v)
{
	if (nla_put_u8(skb, PXS_A_GROUP_STATE, v->state) ||
	    nla_put_u8(skb, PXS_A_GROUP_ROLE, v->role) ||
	    nla_put_u8(skb, PXS_A_GROUP_LEADER, v->leader) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_BALLOT, v->ballot, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_PROMISED, v->promised, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_COMMIT, v->commit, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_NEXT_SLOT, v->next_slot, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_KNOWN, v->known, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_TRIM, v->trim, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_TRIMMED, v->trimmed, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_HELD, v->held, PXS_A_GROUP_PAD))
		return -EMSGSIZE;
	if (v->reason && nla_put_string(skb, PXS_A_GROUP_REASON, v->reason))
		return -EMSGSIZE;
	return pxs_stats_put(skb, PXS_A_GROUP_STATS, v->stat, PXS_GROUP_STAT_MAX,
			     PXS_GROUP_STAT_PAD);
}

static int pxs_fill_group(struct sk_buff *skb, struct pxs_kgroup *kg, void *hdr)
{
	struct pxs_group_view view;

	pxs_kgroup_view(kg, &view);
	if (pxs_fill_conf(skb, kg, view.has) || pxs_fill_view(skb, &view)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

/* Takes skb, and frees it when it is too small. */
static struct sk_buff *pxs_group_message(struct pxs_kgroup *kg, struct sk_buff *skb, u32 portid,
					 u32 seq, u8 cmd)
{
	void *hdr;

	if (!skb)
		return NULL;
	hdr = pxs_nl_put(skb, portid, seq, 0, cmd);
	if (!hdr || pxs_fill_group(skb, kg, hdr)) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

void pxs_nl_group_announce(struct pxs_kgroup *kg, struct genl_info *info, u8 cmd)
{
	struct pxs_net *pn = kg->home->pn;
	struct sk_buff *skb = pxs_nl_announcement(pn, info);

	pxs_nl_announce(pn, pxs_group_message(kg, skb, 0, 0, cmd), info);
}

static int pxs_nl_group_get(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_kgroup *kg = pxs_nl_group(info);
	struct sk_buff *reply;

	if (IS_ERR(kg))
		return PTR_ERR(kg);
	reply = pxs_group_message(kg, genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL),
				  info->snd_portid, info->snd_seq, PXS_CMD_GROUP_GET);
	pxs_kgroup_put(kg);
	if (!reply)
		return -ENOMEM;
	return genlmsg_reply(reply, info);
}

static int pxs_nl_group_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pxs_groups *gs = pxs_nl_dump_net(skb)->groups;
	unsigned long id = cb->args[0];
	struct pxs_kgroup *kg;
	void *hdr;
	int err = 0;

	cb->seq = READ_ONCE(gs->generation) + 1;
	while (!err && (kg = pxs_kgroup_next(gs, &id))) {
		hdr = pxs_nl_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, NLM_F_MULTI,
				 PXS_CMD_GROUP_GET);
		err = -EMSGSIZE;
		if (hdr) {
			genl_dump_check_consistent(cb, hdr);
			err = pxs_fill_group(skb, kg, hdr);
		}
		pxs_kgroup_put(kg);
		if (!err)
			id++;
	}
	cb->args[0] = id;
	return skb->len ? skb->len : err;
}

const struct genl_ops pxs_group_ops[] = {
	{
		.cmd = PXS_CMD_GROUP_ADD,
		.doit = pxs_nl_group_add,
		.policy = pxs_group_add_policy,
		.maxattr = PXS_A_GROUP_MAX,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_GROUP_SET,
		.doit = pxs_nl_group_set,
		.policy = pxs_group_set_policy,
		.maxattr = PXS_A_GROUP_MAX,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_GROUP_DEL,
		.doit = pxs_nl_group_del,
		.policy = pxs_group_id_policy,
		.maxattr = PXS_A_GROUP_MAX,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_GROUP_GET,
		.doit = pxs_nl_group_get,
		.dumpit = pxs_nl_group_dump,
		.policy = pxs_group_id_policy,
		.maxattr = PXS_A_GROUP_MAX,
	},
};

const unsigned int pxs_group_n_ops = ARRAY_SIZE(pxs_group_ops);
