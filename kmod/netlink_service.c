// SPDX-License-Identifier: GPL-2.0
/*
 * netlink_service.c - attributes <-> service
 *
 * Translates and calls service.c; holds no logic. Ops run under pxs_net.config, dumps
 * take it for one message at a time and resume behind the last id they showed.
 */
#include "pxs.h"

#include <linux/ctype.h>
#include <linux/random.h>

#include "agreed.h"
#include "netlink.h"
#include "netlink_agreed.h"
#include "netlink_service.h"
#include "pernet.h"
#include "service.h"

static PXS_NLA_RANGE pxs_nl_rows_range = { .max = PXS_ROWS_MAX };
static PXS_NLA_RANGE pxs_nl_group_range = { .max = S32_MAX };

static const struct nla_policy pxs_nl_service_policy[PXS_A_SERVICE_PASSIVE_SECONDS + 1] = {
	[PXS_A_SERVICE_NAME] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_SERVICE_PROTO] = { .type = NLA_U8 },
	[PXS_A_SERVICE_ADDR] = NLA_POLICY_RANGE(NLA_BINARY, 4, 16),
	[PXS_A_SERVICE_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PXS_A_SERVICE_MODE] = NLA_POLICY_RANGE(NLA_U8, PXS_MODE_NAT, PXS_MODE_REQUEST),
	[PXS_A_SERVICE_FILL] = NLA_POLICY_RANGE(NLA_U8, PXS_FILL_RENDEZVOUS,
						  PXS_FILL_STICKY),
	[PXS_A_SERVICE_KEY] = NLA_POLICY_RANGE(NLA_U8, PXS_KEY_SOURCE, PXS_KEY_QUIC),
	[PXS_A_SERVICE_KEY_OFFSET] = NLA_POLICY_MAX(NLA_U16, PXS_KEY_PEEK_MAX - 1),
	[PXS_A_SERVICE_KEY_LEN] = NLA_POLICY_RANGE(NLA_U16, 1, PXS_KEY_BYTES_MAX),
	[PXS_A_SERVICE_SEED] = NLA_POLICY_EXACT_LEN(PXS_SEED_LEN),
	[PXS_A_SERVICE_ROWS] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_rows_range),
	[PXS_A_SERVICE_CAP] = NLA_POLICY_MAX(NLA_U16, PXS_CAP_MAX),
	[PXS_A_SERVICE_KEY_PREFIX] = NLA_POLICY_RANGE(NLA_U8, 1, 128),
	[PXS_A_SERVICE_SLOW_START] = NLA_POLICY_MAX(NLA_U16, PXS_SLOW_START_MAX),
	[PXS_A_SERVICE_BOUND] = NLA_POLICY_MAX(NLA_U16, PXS_BOUND_MAX),
	[PXS_A_SERVICE_TUNNEL_PORT] = NLA_POLICY_MIN(NLA_U16, 1),
	[PXS_A_SERVICE_GROUP] = NLA_POLICY_FULL_RANGE(NLA_U32, &pxs_nl_group_range),
	[PXS_A_SERVICE_AGREED] = NLA_POLICY_MIN(NLA_U64, 1),
	[PXS_A_SERVICE_PASSIVE_FAILS] = NLA_POLICY_MAX(NLA_U16, PXS_PASSIVE_FAILS_MAX),
	[PXS_A_SERVICE_PASSIVE_SECONDS] = NLA_POLICY_RANGE(NLA_U16, 1, PXS_PASSIVE_SECONDS_MAX),
};

/* DEL */
static const struct nla_policy pxs_nl_service_del_policy[PXS_A_SERVICE_AGREED + 1] = {
	[PXS_A_SERVICE_NAME] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
	[PXS_A_SERVICE_AGREED] = NLA_POLICY_MIN(NLA_U64, 1),
};

static const struct nla_policy pxs_nl_name_policy[PXS_A_SERVICE_NAME + 1] = {
	[PXS_A_SERVICE_NAME] = { .type = NLA_NUL_STRING, .len = PXS_NAME_MAX },
};

struct pxs_service *pxs_nl_service(struct genl_info *info, int type, int *err)
{
	struct pxs_service *svc;

	*err = pxs_nl_need(info, type, "the service's name is missing");
	if (*err)
		return NULL;
	svc = pxs_service_find(pxs_nl_net(info), nla_data(info->attrs[type]));
	if (!svc)
		*err = pxs_nl_refuse(info->extack, info->attrs[type], -ENOENT,
				     "no service has this name");
	return svc;
}

int pxs_nl_endpoint(struct netlink_ext_ack *extack, const struct nlattr *addr,
		    const struct nlattr *port, u8 proto, struct pxs_endpoint *at)
{
	memset(at, 0, sizeof(*at));
	switch (nla_len(addr)) {
	case 4:
		at->family = AF_INET;
		break;
	case 16:
		at->family = AF_INET6;
		break;
	default:
		return pxs_nl_refuse(extack, addr, -EINVAL,
				     "an address has 4 bytes (IPv4) or 16 (IPv6)");
	}
	memcpy(&at->addr, nla_data(addr), nla_len(addr));
	at->proto = proto;
	if (port)
		at->port = nla_get_be16(port);
	return 0;
}

int pxs_nl_put_endpoint(struct sk_buff *skb, const struct pxs_endpoint *at, int addr, int port)
{
	if (nla_put(skb, addr, pxs_endpoint_addrlen(at), &at->addr) ||
	    nla_put_be16(skb, port, at->port))
		return -EMSGSIZE;
	return 0;
}

static int pxs_nl_put_config(struct sk_buff *skb, const struct pxs_service_config *config)
{
	u8 seed[PXS_SEED_LEN];

	put_unaligned_le64(config->seed.k[0], seed);
	put_unaligned_le64(config->seed.k[1], seed + 8);
	if (nla_put_u8(skb, PXS_A_SERVICE_FILL, config->fill) ||
	    nla_put_u8(skb, PXS_A_SERVICE_KEY, config->key.rule) ||
	    nla_put(skb, PXS_A_SERVICE_SEED, sizeof(seed), seed) ||
	    nla_put_u32(skb, PXS_A_SERVICE_ROWS, config->rows) ||
	    nla_put_u16(skb, PXS_A_SERVICE_SLOW_START, config->slow_start) ||
	    nla_put_u16(skb, PXS_A_SERVICE_BOUND, config->bound) ||
	    nla_put_u16(skb, PXS_A_SERVICE_PASSIVE_FAILS, config->passive_fails) ||
	    nla_put_u16(skb, PXS_A_SERVICE_PASSIVE_SECONDS, config->passive_seconds))
		return -EMSGSIZE;
	if (config->key.rule == PXS_KEY_PAYLOAD &&
	    nla_put_u16(skb, PXS_A_SERVICE_KEY_OFFSET, config->key.offset))
		return -EMSGSIZE;
	if (config->key.len && nla_put_u16(skb, PXS_A_SERVICE_KEY_LEN, config->key.len))
		return -EMSGSIZE;
	if (config->key.prefix && nla_put_u8(skb, PXS_A_SERVICE_KEY_PREFIX, config->key.prefix))
		return -EMSGSIZE;
	if (config->fill == PXS_FILL_RENDEZVOUS &&
	    nla_put_u16(skb, PXS_A_SERVICE_CAP, config->cap))
		return -EMSGSIZE;
	return 0;
}

static int pxs_nl_put_service(struct sk_buff *skb, const struct pxs_service *svc)
{
	const struct pxs_plan *plan = pxs_service_plan(svc);
	const struct pxs_table *table = plan ? plan->table : NULL;
	u64 sum[__PXS_STEER_STAT_MAX];

	if (nla_put_string(skb, PXS_A_SERVICE_NAME, svc->name) ||
	    nla_put_u8(skb, PXS_A_SERVICE_PROTO, svc->at.proto) ||
	    pxs_nl_put_endpoint(skb, &svc->at, PXS_A_SERVICE_ADDR, PXS_A_SERVICE_PORT) ||
	    nla_put_u8(skb, PXS_A_SERVICE_MODE, svc->mode) ||
	    (svc->tunnel_port &&
	     nla_put_be16(skb, PXS_A_SERVICE_TUNNEL_PORT, svc->tunnel_port)) ||
	    pxs_nl_put_config(skb, &svc->config) ||
	    nla_put_u64_64bit(skb, PXS_A_SERVICE_GENERATION, table ? table->generation : 0,
			      PXS_A_SERVICE_PAD) ||
	    nla_put_u32(skb, PXS_A_SERVICE_NBACKENDS, svc->nbackends))
		return -EMSGSIZE;
	if (nla_put_u32(skb, PXS_A_SERVICE_GROUP, svc->group) ||
	    nla_put_u8(skb, PXS_A_SERVICE_HELD, !svc->steers))
		return -EMSGSIZE;
	if (table && nla_put_u64_64bit(skb, PXS_A_SERVICE_DIGEST, table->digest,
				       PXS_A_SERVICE_PAD))
		return -EMSGSIZE;
	pxs_steer_stats_sum(svc->stats, sum);
	return pxs_stats_put(skb, PXS_A_SERVICE_STATS, sum, PXS_STEER_STAT_MAX,
			     PXS_STEER_STAT_PAD);
}

/* One whole message. With cb it is part of a dump. */
static int pxs_nl_fill_service(struct sk_buff *skb, const struct pxs_service *svc, u32 portid,
			       u32 seq, u8 cmd, struct netlink_callback *cb)
{
	void *hdr = pxs_nl_put(skb, portid, seq, cb ? NLM_F_MULTI : 0, cmd);

	if (!hdr)
		return -EMSGSIZE;
	if (cb)
		genl_dump_check_consistent(cb, hdr);
	if (pxs_nl_put_service(skb, svc)) {
		genlmsg_cancel(skb, hdr);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return 0;
}

static struct sk_buff *pxs_nl_service_msg(const struct pxs_service *svc, struct genl_info *info)
{
	struct sk_buff *skb = pxs_nl_announcement(svc->pn, info);

	if (!skb)
		return NULL;
	if (pxs_nl_fill_service(skb, svc, info->snd_portid, info->snd_seq,
				info->genlhdr->cmd, NULL)) {
		nlmsg_free(skb);
		pxs_nl_lost(svc->pn);
		return NULL;
	}
	return skb;
}

static int pxs_nl_parse_name(struct genl_info *info, const char **name)
{
	const struct nlattr *attr;
	const char *c;
	int err;

	err = pxs_nl_need(info, PXS_A_SERVICE_NAME, "the service's name is missing");
	if (err)
		return err;
	attr = info->attrs[PXS_A_SERVICE_NAME];
	*name = nla_data(attr);
	if (!**name)
		return pxs_nl_refuse(info->extack, attr, -EINVAL, "the name is empty");
	for (c = *name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_.-", *c)))
			return pxs_nl_refuse(info->extack, attr, -EINVAL,
					     "a name consists of letters, digits, '_', '.' and '-'");
	return 0;
}

/* Attributes that go with some rules only: refused with the others. */
static int pxs_nl_key_belongs(struct genl_info *info, u8 rule)
{
	struct nlattr **tb = info->attrs;

	if (tb[PXS_A_SERVICE_KEY_OFFSET] && rule != PXS_KEY_PAYLOAD)
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_KEY_OFFSET], -EINVAL,
				     "an offset belongs to the key rule payload");
	if (tb[PXS_A_SERVICE_KEY_LEN] && rule != PXS_KEY_PAYLOAD && rule != PXS_KEY_QUIC)
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_KEY_LEN], -EINVAL,
				     "a length belongs to the key rules payload and quic");
	if (tb[PXS_A_SERVICE_KEY_PREFIX] && rule != PXS_KEY_SOURCE)
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_KEY_PREFIX], -EINVAL,
				     "a prefix belongs to the key rule source");
	return 0;
}

static int pxs_nl_parse_key(struct genl_info *info, const struct pxs_endpoint *at,
			    struct pxs_key_spec *key)
{
	struct nlattr **tb = info->attrs;
	u8 old = key->rule;
	int err;

	if (tb[PXS_A_SERVICE_KEY]) {
		key->rule = nla_get_u8(tb[PXS_A_SERVICE_KEY]);
		/* Whoever names the rule says all of it, except payload's span that stays. */
		if (key->rule != PXS_KEY_PAYLOAD || old != PXS_KEY_PAYLOAD) {
			key->offset = 0;
			key->len = key->rule == PXS_KEY_QUIC ? PXS_QUIC_ID_DEFAULT : 0;
		}
		key->prefix = 0;
	}
	key->frame = key->rule == PXS_KEY_MEMCACHED && at->proto == IPPROTO_UDP;
	err = pxs_nl_key_belongs(info, key->rule);
	if (err)
		return err;
	if (tb[PXS_A_SERVICE_KEY_OFFSET])
		key->offset = nla_get_u16(tb[PXS_A_SERVICE_KEY_OFFSET]);
	if (tb[PXS_A_SERVICE_KEY_LEN])
		key->len = nla_get_u16(tb[PXS_A_SERVICE_KEY_LEN]);
	if (tb[PXS_A_SERVICE_KEY_PREFIX])
		key->prefix = nla_get_u8(tb[PXS_A_SERVICE_KEY_PREFIX]);
	if (key->prefix > 8 * pxs_endpoint_addrlen(at))
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_KEY_PREFIX], -ERANGE,
				     "the prefix is longer than an IPv4 address");
	if (key->rule == PXS_KEY_QUIC && key->len > PXS_QUIC_ID_MAX)
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_KEY_LEN], -ERANGE,
				     "a connection id has at most 20 bytes");
	if (key->rule != PXS_KEY_PAYLOAD)
		return 0;
	if (!key->len)
		return pxs_nl_need(info, PXS_A_SERVICE_KEY_LEN,
				   "the key rule payload needs a length");
	if (key->offset + key->len > PXS_KEY_PEEK_MAX)
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_KEY_LEN] ?:
				     tb[PXS_A_SERVICE_KEY_OFFSET], -ERANGE,
				     "offset + length of the key exceeds 512");
	return 0;
}

/* What the request says into *config, which holds what applies where it says nothing. */
static int pxs_nl_parse_config(struct genl_info *info, const struct pxs_endpoint *at,
			       struct pxs_service_config *config)
{
	struct nlattr **tb = info->attrs;

	if (tb[PXS_A_SERVICE_FILL])
		config->fill = nla_get_u8(tb[PXS_A_SERVICE_FILL]);
	if (tb[PXS_A_SERVICE_ROWS])
		config->rows = nla_get_u32(tb[PXS_A_SERVICE_ROWS]);
	if (tb[PXS_A_SERVICE_SLOW_START])
		config->slow_start = nla_get_u16(tb[PXS_A_SERVICE_SLOW_START]);
	if (tb[PXS_A_SERVICE_BOUND])
		config->bound = nla_get_u16(tb[PXS_A_SERVICE_BOUND]);
	if (tb[PXS_A_SERVICE_PASSIVE_FAILS])
		config->passive_fails = nla_get_u16(tb[PXS_A_SERVICE_PASSIVE_FAILS]);
	if (tb[PXS_A_SERVICE_PASSIVE_SECONDS])
		config->passive_seconds = nla_get_u16(tb[PXS_A_SERVICE_PASSIVE_SECONDS]);
	if (tb[PXS_A_SERVICE_SEED])
		pxs_seed_from_bytes(&config->seed, nla_data(tb[PXS_A_SERVICE_SEED]));
	if (tb[PXS_A_SERVICE_CAP]) {
		if (config->fill != PXS_FILL_RENDEZVOUS)
			return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_CAP], -EINVAL,
					     "a cap belongs to the fill rendezvous");
		config->cap = nla_get_u16(tb[PXS_A_SERVICE_CAP]);
	}
	return pxs_nl_parse_key(info, at, &config->key);
}

static int pxs_nl_parse_at(struct genl_info *info, struct pxs_endpoint *at)
{
	struct nlattr **tb = info->attrs;
	u8 proto;
	int err;

	err = pxs_nl_need(info, PXS_A_SERVICE_PROTO, "the service's protocol is missing") ?:
	      pxs_nl_need(info, PXS_A_SERVICE_ADDR, "the service's address is missing") ?:
	      pxs_nl_need(info, PXS_A_SERVICE_PORT, "the service's port is missing");
	if (err)
		return err;
	proto = nla_get_u8(tb[PXS_A_SERVICE_PROTO]);
	if (proto != IPPROTO_TCP && proto != IPPROTO_UDP)
		return pxs_nl_refuse(info->extack, tb[PXS_A_SERVICE_PROTO], -EPROTONOSUPPORT,
				     "the protocol is neither TCP nor UDP");
	return pxs_nl_endpoint(info->extack, tb[PXS_A_SERVICE_ADDR], tb[PXS_A_SERVICE_PORT], proto,
			       at);
}

static int pxs_nl_service_do_add(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_service_spec spec = {
		.mode = PXS_MODE_NAT,
		.config.fill = PXS_FILL_RENDEZVOUS,
		.config.cap = PXS_CAP_DEFAULT,
		.config.passive_seconds = PXS_PASSIVE_SECONDS_DEFAULT,
		.config.key.rule = PXS_KEY_TUPLE,
	};
	struct pxs_refusal no = {};
	struct pxs_service *svc;
	int err;

	err = pxs_nl_parse_name(info, &spec.name) ?: pxs_nl_parse_at(info, &spec.at);
	if (err)
		return err;
	if (info->attrs[PXS_A_SERVICE_MODE])
		spec.mode = nla_get_u8(info->attrs[PXS_A_SERVICE_MODE]);
	if (info->attrs[PXS_A_SERVICE_TUNNEL_PORT])
		spec.tunnel_port = nla_get_be16(info->attrs[PXS_A_SERVICE_TUNNEL_PORT]);
	if (info->attrs[PXS_A_SERVICE_GROUP])
		spec.group = nla_get_u32(info->attrs[PXS_A_SERVICE_GROUP]);
	get_random_bytes(&spec.config.seed, sizeof(spec.config.seed));
	err = pxs_nl_parse_config(info, &spec.at, &spec.config);
	if (err)
		return err;
	svc = pxs_service_add(pxs_nl_net(info), &spec, &no);
	if (IS_ERR(svc))
		return pxs_nl_refuse(info->extack, info->attrs[no.attr], PTR_ERR(svc), no.why);
	pxs_nl_announce(svc->pn, pxs_nl_service_msg(svc, info), info);
	return 0;
}

static int pxs_nl_service_do_set(struct sk_buff *skb, struct genl_info *info)
{
	static const int fixed[] = { PXS_A_SERVICE_PROTO, PXS_A_SERVICE_ADDR, PXS_A_SERVICE_PORT,
				     PXS_A_SERVICE_MODE, PXS_A_SERVICE_TUNNEL_PORT,
				     PXS_A_SERVICE_GROUP };
	struct pxs_service_config config;
	struct pxs_refusal no = {};
	struct pxs_service *svc;
	int err, i;

	svc = pxs_nl_service(info, PXS_A_SERVICE_NAME, &err);
	if (!svc)
		return err;
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		if (info->attrs[fixed[i]])
			return pxs_nl_refuse(info->extack, info->attrs[fixed[i]], -EINVAL,
					     "protocol, address, ports, mode and group are fixed: delete and add the service");
	config = svc->config;
	err = pxs_nl_parse_config(info, &svc->at, &config);
	if (err)
		return err;
	err = pxs_service_set(svc, &config, &no);
	if (err)
		return pxs_nl_refuse(info->extack, info->attrs[no.attr], err, no.why);
	pxs_nl_announce(svc->pn, pxs_nl_service_msg(svc, info), info);
	return 0;
}

static int pxs_nl_service_do_del(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_net *pn = pxs_nl_net(info);
	struct pxs_refusal no = {};
	struct pxs_service *svc;
	struct sk_buff *msg;
	int err;

	svc = pxs_nl_service(info, PXS_A_SERVICE_NAME, &err);
	if (!svc)
		return err;
	err = pxs_agreed_service(svc, &no);
	if (err)
		return pxs_nl_refuse(info->extack, NULL, err, no.why);
	msg = pxs_nl_service_msg(svc, info);
	pxs_service_del(svc);
	pxs_nl_announce(pn, msg, info);
	return 0;
}

static int pxs_nl_service_get(struct sk_buff *skb, struct genl_info *info)
{
	struct pxs_service *svc;
	struct sk_buff *msg;
	int err;

	svc = pxs_nl_service(info, PXS_A_SERVICE_NAME, &err);
	if (!svc)
		return err;
	msg = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = pxs_nl_fill_service(msg, svc, info->snd_portid, info->snd_seq,
				  PXS_CMD_SERVICE_GET, NULL);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

/* cb->args[0]: id of the last service shown. */
static int pxs_nl_service_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct pxs_net *pn = pxs_nl_dump_net(skb);
	struct pxs_service *svc;
	int err = 0;

	mutex_lock(&pn->config);
	cb->seq = pn->services.seq;
	list_for_each_entry(svc, &pn->services.list, list) {
		if (svc->id <= (u32)cb->args[0])
			continue;
		err = pxs_nl_fill_service(skb, svc, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq,
					  PXS_CMD_SERVICE_GET, cb);
		if (err)
			break;
		cb->args[0] = svc->id;
	}
	mutex_unlock(&pn->config);
	return skb->len ?: err;
}

static int pxs_nl_service_add(struct sk_buff *skb, struct genl_info *info)
{
	return pxs_nl_agree(skb, info, PXS_A_SERVICE_AGREED, PXS_A_SERVICE_NAME,
			    pxs_nl_service_do_add);
}

static int pxs_nl_service_set(struct sk_buff *skb, struct genl_info *info)
{
	return pxs_nl_agree(skb, info, PXS_A_SERVICE_AGREED, PXS_A_SERVICE_NAME,
			    pxs_nl_service_do_set);
}

static int pxs_nl_service_del(struct sk_buff *skb, struct genl_info *info)
{
	return pxs_nl_agree(skb, info, PXS_A_SERVICE_AGREED, PXS_A_SERVICE_NAME,
			    pxs_nl_service_do_del);
}

const struct genl_ops pxs_service_ops[] = {
	{
		.cmd = PXS_CMD_SERVICE_ADD,
		.doit = pxs_nl_service_add,
		.policy = pxs_nl_service_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_service_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_SERVICE_SET,
		.doit = pxs_nl_service_set,
		.policy = pxs_nl_service_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_service_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_SERVICE_DEL,
		.doit = pxs_nl_service_del,
		.policy = pxs_nl_service_del_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_service_del_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	}, {
		.cmd = PXS_CMD_SERVICE_GET,
		.doit = pxs_nl_service_get,
		.dumpit = pxs_nl_service_dump,
		.policy = pxs_nl_name_policy,
		.maxattr = ARRAY_SIZE(pxs_nl_name_policy) - 1,
		.internal_flags = PXS_OP_CONFIG,
	},
};

const unsigned int pxs_service_n_ops = ARRAY_SIZE(pxs_service_ops);
