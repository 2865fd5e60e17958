// SPDX-License-Identifier: GPL-2.0
/*
 * deliver_nat.c - deliver by writing the backend's address into the packet
 *
 * UDP is stateless: every request is rewritten by itself, before connection tracking
 * sees it; a reply is known by its source alone. TCP leaves the work to nf_nat: our
 * function is asked once per connection, and conntrack keeps the answer, through
 * drain, table changes and retransmissions. Runs in hooks under RCU; no lock. The
 * counters of users are guarded by pxs_net.config.
 */
#include "pxs.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/dst_metadata.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/netfilter/nf_nat.h>
#include <net/xfrm.h>	/* compat: decoding was not told the namespace once */

#include "backend.h"
#include "deliver_nat.h"
#include "drain.h"
#include "pernet.h"
#include "service.h"
#include "steer.h"

/* One end of a datagram's headers, found after they were made writable. */
struct pxs_end {
	void *addr;
	__be16 *port;
};

static inline struct pxs_end pxs_end_of(struct sk_buff *skb, const struct pxs_packet *p, bool dst)
{
	struct udphdr *uh = (struct udphdr *)(skb->data + p->thoff);
	struct ipv6hdr *ip6h = (struct ipv6hdr *)skb->data;
	struct iphdr *iph = (struct iphdr *)skb->data;
	struct pxs_end end;

	end.port = dst ? &uh->dest : &uh->source;
	if (p->src.family == AF_INET)
		end.addr = dst ? &iph->daddr : &iph->saddr;
	else
		end.addr = dst ? &ip6h->daddr : &ip6h->saddr;
	return end;
}

/*
 * What is the checksum in this header? None (0); a whole one; or, with offload, the part of the
 * pseudo header, for who computes the rest. Offload may be of a packet inside, of a tunnel: then
 * this header's is whole all the same, unless the packet is still to be cut into pieces that have
 * one each. The kernel's functions that change a checksum look at ip_summed alone, and must take a
 * whole one for that.
 * Return: ip_summed as it is to be meanwhile.
 */
static u8 pxs_nat_summed(const struct sk_buff *skb, const struct pxs_packet *p)
{
	if (skb->ip_summed != CHECKSUM_PARTIAL || skb_checksum_start_offset(skb) == p->thoff ||
	    skb_shinfo(skb)->gso_type & SKB_GSO_UDP_TUNNEL_CSUM)
		return skb->ip_summed;
	return CHECKSUM_NONE;
}

/* skb_ensure_writable() for what mostly is: one that a router sends on is often a copy. */
static __always_inline int pxs_nat_writable(struct sk_buff *skb, unsigned int len)
{
	if (unlikely(skb_headlen(skb) < len))
		return skb_ensure_writable(skb, len);
	if (!skb_cloned(skb) || skb_clone_writable(skb, len))
		return 0;
	return pskb_expand_head(skb, 0, 0, GFP_ATOMIC);
}

/* What a sum gains when a word in it is replaced. */
static __wsum pxs_nat_gain_word(__be32 old, __be32 new)
{
	return csum_add(~(__force __wsum)old, (__force __wsum)new);
}

struct pxs_nat_gain pxs_nat_gain(const struct pxs_endpoint *from, const struct pxs_endpoint *to)
{
	const __be32 *old = from->addr.s6_addr32, *new = to->addr.s6_addr32;
	unsigned int i, words = pxs_endpoint_addrlen(from) / sizeof(*old);
	struct pxs_nat_gain gain = { .addr = pxs_nat_gain_word(old[0], new[0]) };

	for (i = 1; i < words; i++)
		gain.addr = csum_add(gain.addr, pxs_nat_gain_word(old[i], new[i]));
	gain.all = csum_add(gain.addr, csum_add(~(__force __wsum)from->port,
						(__force __wsum)to->port));
	return gain;
}

static void pxs_nat_set_addr(void *addr, const struct pxs_packet *p, const struct pxs_endpoint *to)
{
	if (p->src.family == AF_INET)
		*(__be32 *)addr = pxs_endpoint_ip4(to);
	else
		*(struct in6_addr *)addr = to->addr;
}

/* Checksums are whole ones, and no device has summed up what changes. */
static __always_inline void pxs_nat_rewrite_whole(struct sk_buff *skb, const struct pxs_packet *p,
						  const struct pxs_end *end, struct udphdr *uh,
						  const struct pxs_endpoint *to,
						  const struct pxs_nat_gain *gain)
{
	if (p->src.family == AF_INET)
		csum_replace_by_diff(&((struct iphdr *)skb->data)->check, gain->addr);
	/* No checksum stays no checksum. */
	if (uh->check) {
		csum_replace_by_diff(&uh->check, gain->all);
		if (!uh->check)
			uh->check = CSUM_MANGLED_0;
	}
	pxs_nat_set_addr(end->addr, p, to);
	*end->port = to->port;
}

/* A device has summed up what changes, or is to. */
static noinline void pxs_nat_rewrite_offloaded(struct sk_buff *skb, const struct pxs_packet *p,
					       bool dst, const struct pxs_endpoint *to)
{
	struct udphdr *uh = (struct udphdr *)(skb->data + p->thoff);
	struct pxs_end end = pxs_end_of(skb, p, dst);
	u8 summed = skb->ip_summed;
	bool sum;

	skb->ip_summed = pxs_nat_summed(skb, p);
	/* No checksum stays no checksum. */
	sum = uh->check || (skb->ip_summed == CHECKSUM_PARTIAL &&
			    skb_checksum_start_offset(skb) == p->thoff);
	if (p->src.family == AF_INET) {
		struct iphdr *iph = (struct iphdr *)skb->data;
		__be32 old = *(__be32 *)end.addr;
		__be32 new = pxs_endpoint_ip4(to);

		csum_replace4(&iph->check, old, new);
		if (sum)
			inet_proto_csum_replace4(&uh->check, skb, old, new, true);
	} else {
		struct in6_addr old = *(struct in6_addr *)end.addr;

		if (sum)
			inet_proto_csum_replace16(&uh->check, skb, old.s6_addr32,
						  to->addr.s6_addr32, true);
	}
	if (sum) {
		inet_proto_csum_replace2(&uh->check, skb, *end.port, to->port, false);
		if (!uh->check)
			uh->check = CSUM_MANGLED_0;
	}
	skb->ip_summed = summed;
	pxs_nat_set_addr(end.addr, p, to);
	*end.port = to->port;
}

static __always_inline int pxs_nat_rewrite(struct sk_buff *skb, const struct pxs_packet *p,
					   bool dst, const struct pxs_endpoint *to,
					   const struct pxs_nat_gain *gain)
{
	struct pxs_end end;

	if (pxs_nat_writable(skb, p->thoff + sizeof(struct udphdr)))
		return -ENOMEM;
	if (skb->ip_summed != CHECKSUM_NONE && skb->ip_summed != CHECKSUM_UNNECESSARY) {
		pxs_nat_rewrite_offloaded(skb, p, dst, to);
		return 0;
	}
	end = pxs_end_of(skb, p, dst);
	pxs_nat_rewrite_whole(skb, p, &end, (struct udphdr *)(skb->data + p->thoff), to,
			      gain);
	return 0;
}

int pxs_nat_to_backend(struct sk_buff *skb, const struct pxs_packet *p,
		       const struct pxs_backend *be)
{
	return pxs_nat_rewrite(skb, p, true, &be->at, &be->gain);
}

int pxs_nat_from_service(struct sk_buff *skb, const struct pxs_packet *p,
			 const struct pxs_service *svc)
{
	struct pxs_nat_gain gain = pxs_nat_gain(&p->src, &svc->at);

	return pxs_nat_rewrite(skb, p, false, &svc->at, &gain);
}

int pxs_nat_find_way(struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (state->hook == NF_INET_LOCAL_OUT) {
		if (state->pf == NFPROTO_IPV4)
			return ip_route_me_harder(state->net, state->sk, skb, RTN_UNSPEC);
		return nf_ip6_route_me_harder(state->net, state->sk, skb);
	}
	/* Over lo it comes with the route and the connection of the address before. */
	if (skb_valid_dst(skb)) {
		skb_dst_drop(skb);
		nf_reset_ct(skb);
	}
	return 0;
}

#ifdef CONFIG_XFRM
/* Is it what IPsec made already? Policies were for what is inside. */
static bool pxs_nat_transformed(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (state->pf == NFPROTO_IPV4)
		return IPCB(skb)->flags & IPSKB_XFRM_TRANSFORMED;
	return IP6CB(skb)->flags & IP6SKB_XFRM_TRANSFORMED;
}

/* The stack goes on with the route that the skb has then, through IPsec where it says so. */
int pxs_nat_repolicy(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct dst_entry *dst = skb_dst(skb);
	const struct sock *sk = skb->sk;
	struct flowi fl;
	int err;

	if (!state->net->xfrm.policy_count[XFRM_POLICY_OUT] || pxs_nat_transformed(skb, state))
		return 0;
	err = pxs_xfrm_decode(state->net, skb, &fl, state->pf);
	if (err < 0)
		return err;
	/* Not the one that the source before was given. */
	if (dst->xfrm)
		dst = ((struct xfrm_dst *)dst)->route;
	if (!dst_hold_safe(dst))
		return -EHOSTUNREACH;
	if (sk && !net_eq(sock_net(sk), state->net))
		sk = NULL;
	dst = xfrm_lookup(state->net, dst, &fl, sk, 0);
	if (IS_ERR(dst))
		return PTR_ERR(dst);
	skb_dst_drop(skb);
	skb_dst_set(skb, dst);
	return 0;
}
#else
int pxs_nat_repolicy(struct sk_buff *skb, const struct nf_hook_state *state)
{
	return 0;
}
#endif

/* nf_nat asks: where does this new connection go? Once per connection and direction. */
static unsigned int pxs_nat_core_fn(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	struct nf_nat_range2 range = {
		.flags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED,
	};
	enum ip_conntrack_info ctinfo;
	struct pxs_service *svc;
	struct pxs_backend *be;
	struct pxs_packet p;
	struct nf_conn *ct;
	unsigned int ret;

	ct = nf_ct_get(skb, &ctinfo);
	if (!ct || nf_nat_initialized(ct, NF_NAT_MANIP_DST))
		return NF_ACCEPT;
	if (!pxs_packet_parse(skb, state->pf, &p) || p.dst.proto != IPPROTO_TCP)
		return NF_ACCEPT;
	svc = pxs_service_lookup(pxs_net(state->net), &p.dst);
	if (!svc || svc->mode != PXS_MODE_NAT)
		return NF_ACCEPT;
	be = pxs_steer_pick(svc, skb, &p);
	if (!be)
		return NF_DROP;
	memcpy(&range.min_addr, &be->at.addr, sizeof(be->at.addr));
	range.max_addr = range.min_addr;
	range.min_proto.tcp.port = be->at.port;
	range.max_proto = range.min_proto;
	ret = nf_nat_setup_info(ct, &range, NF_NAT_MANIP_DST);
	if (ret != NF_ACCEPT) {
		pxs_steer_fault(svc, be, PXS_STEER_STAT_ERRORS);
		return ret;
	}
	pxs_steer_count(be, skb, 1);
	return NF_ACCEPT;
}

/* Just before the rules of iptables and nftables: what is configured here is not theirs. */
#define PXS_PRI_NAT_CORE	(NF_IP_PRI_NAT_DST - 1)

static const struct nf_hook_ops pxs_nat_core_ops[] = {
	{
		.hook = pxs_nat_core_fn,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = PXS_PRI_NAT_CORE,
	},
	{
		.hook = pxs_nat_core_fn,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = PXS_PRI_NAT_CORE,
	},
	{
		.hook = pxs_nat_core_fn,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = PXS_PRI_NAT_CORE,
	},
	{
		.hook = pxs_nat_core_fn,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = PXS_PRI_NAT_CORE,
	},
};

static void pxs_nat_core_unhook(struct net *net, const struct nf_hook_ops *ops)
{
	if (ops->pf == NFPROTO_IPV4)
		nf_nat_ipv4_unregister_fn(net, ops);
	else
		nf_nat_ipv6_unregister_fn(net, ops);
}

static int pxs_nat_core_hook(struct net *net, const struct nf_hook_ops *ops)
{
	if (ops->pf == NFPROTO_IPV4)
		return nf_nat_ipv4_register_fn(net, ops);
	return nf_nat_ipv6_register_fn(net, ops);
}

int pxs_nat_core_get(struct pxs_net *pn, u8 family)
{
	const struct nf_hook_ops *ops = &pxs_nat_core_ops[family == AF_INET ? 0 : 2];
	u32 *users = &pn->nat_core_users[family == AF_INET ? 0 : 1];
	int err;

	if (*users) {
		(*users)++;
		return 0;
	}
	err = nf_ct_netns_get(pn->net, ops->pf);
	if (err)
		return err;
	err = pxs_nat_core_hook(pn->net, &ops[0]);
	if (err)
		goto err_ct;
	err = pxs_nat_core_hook(pn->net, &ops[1]);
	if (err)
		goto err_hook;
	*users = 1;
	return 0;

err_hook:
	pxs_nat_core_unhook(pn->net, &ops[0]);
err_ct:
	nf_ct_netns_put(pn->net, ops->pf);
	return err;
}

void pxs_nat_core_put(struct pxs_net *pn, u8 family)
{
	const struct nf_hook_ops *ops = &pxs_nat_core_ops[family == AF_INET ? 0 : 2];
	u32 *users = &pn->nat_core_users[family == AF_INET ? 0 : 1];

	if (--*users)
		return;
	pxs_nat_core_unhook(pn->net, &ops[1]);
	pxs_nat_core_unhook(pn->net, &ops[0]);
	nf_ct_netns_put(pn->net, ops->pf);
}

static void pxs_nat_tracked(struct pxs_endpoint *at, const struct nf_conn *ct,
			    const union nf_inet_addr *addr, __be16 port)
{
	memset(at, 0, sizeof(*at));
	at->family = nf_ct_l3num(ct);
	at->proto = nf_ct_protonum(ct);
	at->port = port;
	memcpy(&at->addr, addr, pxs_endpoint_addrlen(at));
}

/* Return: 1 if it is one of a backend's that ends, which ends it. */
static int pxs_nat_is_of(struct nf_conn *ct, void *data)
{
	const struct nf_conntrack_tuple *reply = &ct->tuplehash[IP_CT_DIR_REPLY].tuple;
	const struct nf_conntrack_tuple *orig = &ct->tuplehash[IP_CT_DIR_ORIGINAL].tuple;
	const struct pxs_backend *be;
	struct pxs_endpoint at, to;

	if (nf_ct_protonum(ct) != IPPROTO_TCP)
		return 0;
	pxs_nat_tracked(&at, ct, &reply->src.u3, reply->src.u.tcp.port);
	pxs_nat_tracked(&to, ct, &orig->dst.u3, orig->dst.u.tcp.port);
	hlist_for_each_entry(be, pxs_drain_ends_at(data, &at), ends)
		if (be->svc->mode == PXS_MODE_NAT && pxs_endpoint_equal(&be->at, &at) &&
		    pxs_endpoint_equal(&be->svc->at, &to))
			return 1;
	return 0;
}

void pxs_nat_end(struct pxs_net *pn, struct pxs_drain_ends *ends)
{
	struct nf_ct_iter_data of = { .net = pn->net, .data = ends };

	nf_ct_iterate_cleanup_net(pxs_nat_is_of, &of);
}
