// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_group.c - messages about a group; its configuration, compared with the module's
 */
#include "kernel_group.h"

#include "report.h"

u64 pxs_kernel_u64(struct nlattr *attr)
{
	return attr && nla_len(attr) >= (int)sizeof(u64) ? nla_get_u64(attr) : 0;
}

u32 pxs_kernel_u32(struct nlattr *attr)
{
	return attr && nla_len(attr) >= (int)sizeof(u32) ? nla_get_u32(attr) : 0;
}

u16 pxs_kernel_u16(struct nlattr *attr)
{
	return attr && nla_len(attr) >= (int)sizeof(u16) ? nla_get_u16(attr) : 0;
}

u8 pxs_kernel_u8(struct nlattr *attr)
{
	return attr && nla_len(attr) >= (int)sizeof(u8) ? nla_get_u8(attr) : 0;
}

struct nl_msg *pxs_kernel_msg(struct pxs_link *link, u8 cmd, u32 group, u64 epoch, u32 bytes)
{
	struct nl_msg *msg = pxs_link_msg_of(link, cmd, (size_t)nla_total_size((int)bytes));

	if (!msg || nla_put_u32(msg, PXS_A_GROUP_ID, group) ||
	    nla_put_u64(msg, PXS_A_GROUP_ATTACH_EPOCH, epoch)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_values(struct nl_msg *msg, const struct iovec *values, u32 n)
{
	u32 i;

	if (!values)
		return nla_put_flag(msg, PXS_A_GROUP_NOOP);
	for (i = 0; i < n; i++)
		if (nla_put(msg, PXS_A_GROUP_VALUE, (int)values[i].iov_len, values[i].iov_base))
			return -EMSGSIZE;
	return 0;
}

struct nl_msg *pxs_kernel_propose_msg(struct pxs_link *link, u32 group, u64 epoch,
				      const struct iovec *values, u32 n)
{
	struct nl_msg *msg;
	u32 bytes = 0;
	u32 i;

	for (i = 0; values && i < n; i++)
		bytes += (u32)nla_total_size((int)values[i].iov_len);
	msg = pxs_kernel_msg(link, PXS_CMD_GROUP_PROPOSE, group, epoch, bytes);
	if (msg && put_values(msg, values, n)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

struct nl_msg *pxs_kernel_config_msg(struct pxs_link *link, u8 cmd, u32 group, u64 epoch, u64 slot,
				     const u8 *config, u32 len)
{
	struct nl_msg *msg = pxs_kernel_msg(link, cmd, group, epoch, len);

	if (msg && ((slot && nla_put_u64(msg, PXS_A_GROUP_SLOT, slot)) ||
		    nla_put(msg, PXS_A_GROUP_CONFIG, (int)len, config))) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int put_member(struct nl_msg *msg, const struct pxs_group_config *g, u8 i)
{
	const struct pxs_address *at = &g->address[i];
	struct nlattr *nest = nla_nest_start(msg, PXS_A_GROUP_MEMBER);

	if (!nest || nla_put_u8(msg, PXS_A_MEMBER_ID, g->conf.member[i].id) ||
	    nla_put_u64(msg, PXS_A_MEMBER_INCARNATION, g->conf.member[i].incarnation) ||
	    nla_put_u16(msg, PXS_A_MEMBER_PORT, pxs_address_port(at)) ||
	    nla_put(msg, PXS_A_MEMBER_ADDR, pxs_address_ip_len(at), pxs_address_ip(at)))
		return -EMSGSIZE;
	if (i >= pxs_group_voters(&g->conf) && nla_put_flag(msg, PXS_A_MEMBER_LEARNER))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_keys(struct nl_msg *msg, const struct pxs_keys *keys)
{
	if (nla_put(msg, PXS_A_GROUP_KEY, PXS_KEY_LEN, keys->key[0].bytes) ||
	    nla_put_u8(msg, PXS_A_GROUP_KEY_ID, keys->key[0].id))
		return -EMSGSIZE;
	if (keys->count < 2)
		return 0;
	if (nla_put(msg, PXS_A_GROUP_ALSO_KEY, PXS_KEY_LEN, keys->key[1].bytes) ||
	    nla_put_u8(msg, PXS_A_GROUP_ALSO_KEY_ID, keys->key[1].id))
		return -EMSGSIZE;
	return 0;
}

struct nl_msg *pxs_kernel_keys_msg(struct pxs_link *link, const struct pxs_group_config *g)
{
	struct nl_msg *msg = pxs_link_msg(link, PXS_CMD_GROUP_SET);

	if (msg && !nla_put_u32(msg, PXS_A_GROUP_ID, g->conf.id) && !put_keys(msg, &g->keys))
		return msg;
	nlmsg_free(msg);
	return NULL;
}

struct nl_msg *pxs_kernel_add_msg(struct pxs_link *link, const struct pxs_group_config *g)
{
	const struct pxs_group_conf *conf = &g->conf;
	struct nl_msg *msg = pxs_link_msg(link, PXS_CMD_GROUP_ADD);
	bool bad;
	u8 i;

	if (!msg)
		return NULL;
	bad = nla_put_u32(msg, PXS_A_GROUP_ID, conf->id) ||
	      nla_put(msg, PXS_A_GROUP_CLUSTER, PXS_CLUSTER_LEN, conf->cluster) ||
	      put_keys(msg, &g->keys) ||
	      nla_put_u64(msg, PXS_A_GROUP_EPOCH, conf->epoch) ||
	      nla_put_u8(msg, PXS_A_GROUP_SELF, conf->member[conf->self].id) ||
	      nla_put_u8(msg, PXS_A_GROUP_DURABILITY,
			 conf->memory ? PXS_DURABILITY_MEMORY : PXS_DURABILITY_DISK) ||
	      nla_put_u32(msg, PXS_A_GROUP_WINDOW, conf->window) ||
	      nla_put_u32(msg, PXS_A_GROUP_HEARTBEAT_MS, conf->heartbeat_ms) ||
	      nla_put_u32(msg, PXS_A_GROUP_ELECTION_MS, conf->election_ms) ||
	      /* A module that does not know them refuses the attributes. */
	      (conf->lease_drift &&
	       nla_put_u32(msg, PXS_A_GROUP_LEASE_DRIFT, conf->lease_drift)) ||
	      (conf->phase1 && (nla_put_u8(msg, PXS_A_GROUP_PHASE1, conf->phase1) ||
				nla_put_u8(msg, PXS_A_GROUP_PHASE2, conf->phase2)));
	for (i = 0; i < conf->nmembers && !bad; i++)
		bad = put_member(msg, g, i);
	if (!bad)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

struct compare {
	const struct pxs_group_config *g;
	const char *differs;
};

static const char *member_differs(const struct pxs_group_config *g, struct nlattr *nest)
{
	struct nlattr *a[PXS_A_MEMBER_MAX + 1];
	const struct pxs_address *at;
	bool votes;
	u8 i;

	if (nla_parse_nested(a, PXS_A_MEMBER_MAX, nest, NULL) || !a[PXS_A_MEMBER_ID] ||
	    !a[PXS_A_MEMBER_ADDR] || !a[PXS_A_MEMBER_PORT])
		return "member";
	for (i = 0; i < g->conf.nmembers; i++)
		if (g->conf.member[i].id == pxs_kernel_u8(a[PXS_A_MEMBER_ID]))
			break;
	if (i == g->conf.nmembers)
		return "the members";
	if (pxs_kernel_u64(a[PXS_A_MEMBER_INCARNATION]) != g->conf.member[i].incarnation)
		return "a member's incarnation";
	votes = i < pxs_group_voters(&g->conf);
	if (votes == !!a[PXS_A_MEMBER_LEARNER])
		return "a member's role";
	at = &g->address[i];
	if (pxs_kernel_u16(a[PXS_A_MEMBER_PORT]) != pxs_address_port(at) ||
	    nla_len(a[PXS_A_MEMBER_ADDR]) != pxs_address_ip_len(at) ||
	    memcmp(nla_data(a[PXS_A_MEMBER_ADDR]), pxs_address_ip(at),
		   (size_t)pxs_address_ip_len(at)))
		return "a member's address";
	return NULL;
}

/* A module that is older than these shows none: it goes by majorities. */
static bool quorums_differ(const struct pxs_group_conf *conf, struct nlattr *const *a)
{
	u8 majority = (u8)pxs_quorum_size(pxs_group_voters(conf));
	struct nlattr *one = a[PXS_A_GROUP_PHASE1], *two = a[PXS_A_GROUP_PHASE2];

	return (one ? pxs_kernel_u8(one) : majority) != pxs_group_phase1(conf).enough ||
	       (two ? pxs_kernel_u8(two) : majority) != pxs_group_phase2(conf).enough;
}

/* Is the group in the module the one of the configuration? Keys are not compared, but set. */
static void compare_group(void *ctx, struct nlmsghdr *nlh)
{
	struct compare *c = ctx;
	const struct pxs_group_conf *conf = &c->g->conf;
	u8 durability = conf->memory ? PXS_DURABILITY_MEMORY : PXS_DURABILITY_DISK;
	struct nlattr *a[PXS_A_GROUP_MAX + 1];
	struct nlattr *attr;
	unsigned int n = 0;
	int rem;

	if (genlmsg_parse(nlh, 0, a, PXS_A_GROUP_MAX, NULL) ||
	    !a[PXS_A_GROUP_CLUSTER] ||
	    !a[PXS_A_GROUP_SELF] || !a[PXS_A_GROUP_WINDOW] || !a[PXS_A_GROUP_HEARTBEAT_MS] ||
	    !a[PXS_A_GROUP_ELECTION_MS])
		c->differs = "an attribute is missing";
	else if (nla_len(a[PXS_A_GROUP_CLUSTER]) != PXS_CLUSTER_LEN ||
		 memcmp(nla_data(a[PXS_A_GROUP_CLUSTER]), conf->cluster, PXS_CLUSTER_LEN))
		c->differs = "cluster";
	else if (pxs_kernel_u64(a[PXS_A_GROUP_EPOCH]) != conf->epoch)
		c->differs = "epoch";
	else if (pxs_kernel_u8(a[PXS_A_GROUP_SELF]) != conf->member[conf->self].id)
		c->differs = "self";
	else if (pxs_kernel_u8(a[PXS_A_GROUP_DURABILITY]) != durability)
		c->differs = "durability";
	else if (pxs_kernel_u32(a[PXS_A_GROUP_WINDOW]) != conf->window)
		c->differs = "window";
	else if (pxs_kernel_u32(a[PXS_A_GROUP_HEARTBEAT_MS]) != conf->heartbeat_ms)
		c->differs = "heartbeat";
	else if (pxs_kernel_u32(a[PXS_A_GROUP_ELECTION_MS]) != conf->election_ms)
		c->differs = "election";
	else if ((a[PXS_A_GROUP_LEASE_DRIFT] ? pxs_kernel_u32(a[PXS_A_GROUP_LEASE_DRIFT]) : 0) !=
		 conf->lease_drift)
		c->differs = "lease-drift";
	else if (quorums_differ(conf, a))
		c->differs = "the sizes of quorums";
	if (c->differs)
		return;
	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) != PXS_A_GROUP_MEMBER)
			continue;
		n++;
		if (!c->differs)
			c->differs = member_differs(c->g, attr);
	}
	if (!c->differs && n != conf->nmembers)
		c->differs = "the number of members";
}

int pxs_kernel_check_same(struct pxs_link *link, const struct pxs_group_config *g)
{
	struct compare c = { .g = g };
	struct nl_msg *msg = pxs_link_msg(link, PXS_CMD_GROUP_GET);
	int err;

	if (!msg || nla_put_u32(msg, PXS_A_GROUP_ID, g->conf.id)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	err = pxs_link_call(link, msg, compare_group, &c);
	if (err || !c.differs)
		return err;
	pxs_err("group %u is in the module with another configuration (%s): paxsteer group del %u, or correct the file",
		g->conf.id, c.differs, g->conf.id);
	return -EEXIST;
}
