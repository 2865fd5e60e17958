// SPDX-License-Identifier: GPL-2.0
/*
 * forward.c - send a packet on to its backend unchanged; the replies go past this host
 *
 * What a router does to a packet, in the order in which the kernel's own does it: may it come
 * this way, does it have a hop left, does it fit; then FORWARD's rules with the two devices, and
 * out; or into a tunnel (deliver_tunnel.c). The packet is taken in PRE_ROUTING, before connection
 * tracking, to which half a conversation would look like an attack: rules see it as untracked.
 *
 * IPv4's own rules about sources (rp_filter, log_martians, accept_local) hold: the packet is
 * routed to the service's address as it would be without us, and what is refused there is
 * refused here. So the address must be one of this host, or one that it would forward to.
 * IPv6 has no such rules in the kernel.
 *
 * Runs in softirq under the RCU read section that netfilter opened. No lock; making a packet
 * writable may copy it (GFP_ATOMIC).
 */
#include "pxs.h"

#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <net/dst.h>
#include <net/icmp.h>
#include <net/inet_dscp.h>
#include <net/ip.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/xfrm.h>

#include "backend.h"
#include "deliver_tunnel.h"
#include "forward.h"
#include "icmp.h"
#include "service.h"
#include "steer.h"
#include "way.h"

/* May the packet come from where it comes, and go on? Return: 0, or the counter of why not. */
static int pxs_forward_admit4(struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);
	u8 type;

	/* Options are for routers, and for the service's address to follow: nobody is asked to. */
	if (iph->ihl > 5)
		return PXS_STEER_STAT_ERRORS;
	/* 0 in all kernels where this is good: an error once, a reason to drop later. */
	if (ip_route_input(skb, iph->daddr, iph->saddr, inet_dsfield_to_dscp(iph->tos),
			   skb->dev))
		return PXS_STEER_STAT_NO_ROUTE;
	type = skb_rtable(skb)->rt_type;
	if ((type != RTN_LOCAL && type != RTN_UNICAST) ||
	    !xfrm4_policy_check(NULL, XFRM_POLICY_FWD, skb))
		return PXS_STEER_STAT_NO_ROUTE;
	/* Asking for policies may have moved the header. */
	if (ip_hdr(skb)->ttl > 1)
		return 0;
	icmp_send(skb, ICMP_TIME_EXCEEDED, ICMP_EXC_TTL, 0);
	return PXS_STEER_STAT_NO_ROUTE;
}

#if IS_ENABLED(CONFIG_IPV6)
/* The same; a source that means something on one link only does not reach across. */
static int pxs_forward_admit6(struct sk_buff *skb)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	int type = ipv6_addr_type(&iph->saddr);

	if (type == IPV6_ADDR_ANY ||
	    type & (IPV6_ADDR_MULTICAST | IPV6_ADDR_LOOPBACK | IPV6_ADDR_LINKLOCAL) ||
	    !xfrm6_policy_check(NULL, XFRM_POLICY_FWD, skb))
		return PXS_STEER_STAT_NO_ROUTE;
	if (ipv6_hdr(skb)->hop_limit > 1)
		return 0;
	icmpv6_send(skb, ICMPV6_TIME_EXCEED, ICMPV6_EXC_HOPLIMIT, 0);
	return PXS_STEER_STAT_NO_ROUTE;
}
#else
static int pxs_forward_admit6(struct sk_buff *skb)
{
	return PXS_STEER_STAT_ERRORS;
}
#endif

static bool pxs_forward_is_local(const struct dst_entry *way, const struct pxs_backend *be)
{
	if (be->at.family == AF_INET)
		return ((const struct rtable *)way)->rt_flags & RTCF_LOCAL;
	return ((const struct rt6_info *)way)->rt6i_flags & RTF_LOCAL;
}

static unsigned int pxs_forward_mtu(const struct pxs_backend *be, const struct dst_entry *way,
				    u8 pf)
{
	if (pxs_service_tunnels(be->svc))
		return pxs_tunnel_mtu(be, way, pf);
	if (pf == NFPROTO_IPV4)
		return ip_dst_mtu_maybe_forward(way, true);
	/* Not ip6_dst_mtu_maybe_forward(), which looks at the device only: output goes by this. */
	return dst_mtu(way);
}

/*
 * One hop less, and no sum over the packet from the card that it came by. Headers move where the
 * packet was shared. Return: 0 or -ENOMEM.
 */
static int pxs_forward_hop(struct sk_buff *skb, u8 pf, unsigned int headroom)
{
	if (skb_cow(skb, headroom))
		return -ENOMEM;
	skb_forward_csum(skb);
	if (pf == NFPROTO_IPV4) {
		ip_decrease_ttl(ip_hdr(skb));
		IPCB(skb)->flags |= IPSKB_FORWARDED;
	} else {
		ipv6_hdr(skb)->hop_limit--;
		IP6CB(skb)->flags |= IP6SKB_FORWARDED;
	}
	return 0;
}

static bool pxs_forward_route(struct sk_buff *skb, u8 pf, struct dst_entry *way)
{
	skb_dst_drop(skb);
	skb_dst_set_noref(skb, way);
	return pf == NFPROTO_IPV4 ? xfrm4_route_forward(skb) : xfrm6_route_forward(skb);
}

static unsigned int pxs_forward_drop(struct pxs_backend *be, int stat)
{
	pxs_steer_fault(be->svc, be, stat);
	return NF_DROP;
}

/* As a packet inside another one, of this host. */
static unsigned int pxs_forward_tunnel(struct pxs_backend *be, struct sk_buff *skb,
				       const struct nf_hook_state *state,
				       const struct pxs_way *way, u32 requests)
{
	unsigned int headroom = pxs_tunnel_headroom(be, state->pf);

	/* Of one that is cut into segments before it is sent no length counts yet. */
	if ((!skb_is_gso(skb) && skb->len + headroom > IP_MAX_MTU) ||
	    pxs_forward_hop(skb, state->pf, headroom + way->dst->header_len +
			    LL_RESERVED_SPACE(way->dst->dev)))
		return pxs_forward_drop(be, PXS_STEER_STAT_ERRORS);
	pxs_steer_count(be, skb, requests);
	if (pxs_tunnel_send(state->net, be, skb, state->pf, way->dst, &way->from))
		return pxs_forward_drop(be, PXS_STEER_STAT_ERRORS);
	return NF_STOLEN;
}

/* As it is, to the neighbour who is where way leads. */
static unsigned int pxs_forward_as_it_is(struct pxs_backend *be, struct sk_buff *skb,
					 const struct nf_hook_state *state, struct dst_entry *way,
					 u32 requests)
{
	if (!pxs_forward_route(skb, state->pf, way))
		return pxs_forward_drop(be, PXS_STEER_STAT_NO_ROUTE);
	way = skb_dst(skb);
	if (pxs_forward_hop(skb, state->pf, LL_RESERVED_SPACE(skb_dst_dev(skb)) + way->header_len))
		return pxs_forward_drop(be, PXS_STEER_STAT_ERRORS);
	skb_clear_tstamp(skb);
	nf_reset_ct(skb);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	pxs_steer_count(be, skb, requests);
	/* No function of ours: a packet that a rule queues may wait for longer than we are. */
	NF_HOOK(state->pf, NF_INET_FORWARD, state->net, NULL, skb, state->in, skb_dst_dev(skb),
		skb_dst(skb)->output);
	return NF_STOLEN;
}

unsigned int pxs_forward(struct pxs_backend *be, struct sk_buff *skb,
			 const struct nf_hook_state *state, unsigned int thoff, u32 requests)
{
	const struct pxs_way *way;
	int why;

	/* A BPF program gave it to a socket. */
	if (skb->sk)
		return NF_ACCEPT;
	way = pxs_way(state->net, be);
	if (!way)
		return pxs_forward_drop(be, PXS_STEER_STAT_NO_ROUTE);
	if (pxs_forward_is_local(way->dst, be)) {
		pxs_steer_count(be, skb, requests);
		return NF_ACCEPT;
	}
	/* Several packets that a card made one (LRO) can't be sent on: as ip_forward() judges. */
	if (skb_warn_if_lro(skb))
		return pxs_forward_drop(be, PXS_STEER_STAT_ERRORS);
	/* Where IPv6 has extension headers, it is at the first of them. */
	skb_set_transport_header(skb, thoff);
	why = state->pf == NFPROTO_IPV4 ? pxs_forward_admit4(skb) : pxs_forward_admit6(skb);
	if (!why && pxs_icmp_too_big(skb, state->pf, pxs_forward_mtu(be, way->dst, state->pf)))
		why = PXS_STEER_STAT_TOO_BIG;
	if (why)
		return pxs_forward_drop(be, why);
	if (pxs_service_tunnels(be->svc))
		return pxs_forward_tunnel(be, skb, state, way, requests);
	return pxs_forward_as_it_is(be, skb, state, way->dst, requests);
}
