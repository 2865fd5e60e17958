// SPDX-License-Identifier: GPL-2.0
/*
 * deliver_tunnel.c - deliver inside another packet, to a backend anywhere
 *
 * The backend unpacks it and has, as with dsr, the service's address. core/tunnel.c says what is
 * put before the packet and how large it may be; here it is written, as the kernel's own tunnels
 * do: segments that go as one packet (GSO) and checksums that a device computes stay so, what
 * congestion is marked by (ECN), the class of traffic and the hop limit are the packet's.
 *
 * What comes out is a packet of this host, so it passes OUTPUT, not FORWARD; untracked, for
 * conntrack would have an entry for each of gue's source ports. IPsec's policies are those for
 * the outer packet. Owns nothing, takes no lock; way.c keeps the routes.
 */
#include "pxs.h"

#include <linux/err.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ip_tunnels.h>
#include <net/ipv6.h>
#include <net/netfilter/nf_conntrack.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/xfrm.h>

#include "backend.h"
#include "core/tunnel.h"
#include "deliver_tunnel.h"
#include "service.h"

/*
 * What the outer header takes from the inner one. A packet that was put together from fragments
 * may go on in fragments, too.
 */
struct pxs_tunnel_inner {
	u8 dsfield;
	u8 hops;
	bool df;
};

static void pxs_tunnel_describe(const struct pxs_backend *be, u8 pf, struct pxs_tunnel *t)
{
	t->gue = be->svc->mode == PXS_MODE_TUNNEL_GUE;
	t->inner_v6 = pf == NFPROTO_IPV6;
	t->outer_v6 = be->at.family == AF_INET6;
}

void pxs_tunnel_outer(const struct pxs_backend *be, struct pxs_endpoint *outer)
{
	struct pxs_tunnel t;

	pxs_tunnel_describe(be, be->svc->at.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6, &t);
	*outer = be->at;
	outer->proto = pxs_tunnel_outer_proto(&t);
	outer->port = be->svc->tunnel_port;
}

/* IPsec's policies are asked for the protocol; of gue not for the ports, which differ by packet. */
static struct dst_entry *pxs_tunnel_route4(struct net *net, const struct pxs_backend *be,
					   struct in6_addr *from)
{
	struct flowi4 fl = {
		.daddr = pxs_endpoint_ip4(&be->at),
		.flowi4_proto = be->outer.proto,
	};
	struct rtable *rt;

	rt = ip_route_output_key(net, &fl);
	if (IS_ERR(rt))
		return NULL;
	from->s6_addr32[0] = fl.saddr;
	return &rt->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *pxs_tunnel_route6(struct net *net, const struct pxs_backend *be,
					   struct in6_addr *from)
{
	struct flowi6 fl = {
		.daddr = be->at.addr,
		.flowi6_proto = be->outer.proto,
	};
	struct dst_entry *dst;

	dst = ip6_route_output(net, NULL, &fl);
	if (dst->error)
		goto err_release;
	if (ipv6_addr_any(&fl.saddr) &&
	    ipv6_dev_get_saddr(net, ip6_dst_idev(dst)->dev, &fl.daddr, 0, &fl.saddr))
		goto err_release;
	*from = fl.saddr;
	dst = xfrm_lookup(net, dst, flowi6_to_flowi(&fl), NULL, 0);
	return IS_ERR(dst) ? NULL : dst;

err_release:
	dst_release(dst);
	return NULL;
}
#endif

struct dst_entry *pxs_tunnel_route(struct net *net, const struct pxs_backend *be,
				   struct in6_addr *from)
{
	memset(from, 0, sizeof(*from));
	if (be->at.family == AF_INET)
		return pxs_tunnel_route4(net, be, from);
#if IS_ENABLED(CONFIG_IPV6)
	return pxs_tunnel_route6(net, be, from);
#else
	return NULL;
#endif
}

unsigned int pxs_tunnel_mtu(const struct pxs_backend *be, const struct dst_entry *way, u8 pf)
{
	struct pxs_tunnel t;

	pxs_tunnel_describe(be, pf, &t);
	return pxs_tunnel_fit(&t, dst_mtu(way), true).mtu;
}

unsigned int pxs_tunnel_headroom(const struct pxs_backend *be, u8 pf)
{
	struct pxs_tunnel t;

	pxs_tunnel_describe(be, pf, &t);
	return pxs_tunnel_overhead(&t);
}

static void pxs_tunnel_read(const struct sk_buff *skb, u8 pf, struct pxs_tunnel_inner *inner)
{
	if (pf == NFPROTO_IPV4) {
		inner->dsfield = ipv4_get_dsfield(ip_hdr(skb));
		inner->hops = ip_hdr(skb)->ttl;
		inner->df = !skb->ignore_df && ip_hdr(skb)->frag_off & htons(IP_DF);
	} else {
		inner->dsfield = ipv6_get_dsfield(ipv6_hdr(skb));
		inner->hops = ipv6_hdr(skb)->hop_limit;
		inner->df = !skb->ignore_df;
	}
	inner->dsfield = INET_ECN_encapsulate(inner->dsfield, inner->dsfield);
}

/* A sum to be computed is in a header inside, which the outer sum counts as computed: see it. */
static bool pxs_tunnel_may_sum(struct sk_buff *skb)
{
	int start;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return true;
	start = skb_checksum_start_offset(skb);
	/* Who made the packet says where, and a header may have been taken away since. */
	return start >= 0 && pskb_may_pull(skb, start + skb->csum_offset + sizeof(__sum16));
}

/* Return: what a packet of several segments is, besides what it was. */
static int pxs_tunnel_gso(const struct pxs_tunnel *t)
{
	return (t->outer_v6 ? SKB_GSO_IPXIP6 : SKB_GSO_IPXIP4) |
	       (t->gue ? SKB_GSO_UDP_TUNNEL_CSUM : 0);
}

/* GUE header, and UDP header without the sum, which needs the outer addresses. */
static void pxs_tunnel_push_gue(struct sk_buff *skb, const struct pxs_tunnel *t, __be16 port)
{
	struct udphdr *uh;

	pxs_tunnel_gue(__skb_push(skb, PXS_TUNNEL_GUE), t);
	uh = (struct udphdr *)__skb_push(skb, sizeof(*uh));
	skb_reset_transport_header(skb);
	uh->source = htons(pxs_tunnel_sport(skb_get_hash(skb)));
	uh->dest = port;
	uh->len = htons(skb->len);
	skb_set_inner_ipproto(skb, pxs_tunnel_inner_proto(t));
}

static void pxs_tunnel_push4(struct net *net, struct sk_buff *skb, const struct pxs_backend *be,
			     const struct pxs_tunnel *t, const struct pxs_tunnel_inner *inner,
			     const struct in6_addr *from)
{
	__be32 saddr = from->s6_addr32[0], daddr = pxs_endpoint_ip4(&be->at);
	struct iphdr *iph;

	if (t->gue)
		udp_set_csum(false, skb, saddr, daddr, skb->len);
	iph = (struct iphdr *)__skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	*iph = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*iph) / 4,
		.tos = inner->dsfield,
		.frag_off = inner->df ? htons(IP_DF) : 0,
		.ttl = inner->hops,
		.protocol = pxs_tunnel_outer_proto(t),
		.saddr = saddr,
		.daddr = daddr,
	};
	ip_select_ident_segs(net, skb, NULL, max_t(u16, 1, skb_shinfo(skb)->gso_segs));
	skb->protocol = htons(ETH_P_IP);
}

#if IS_ENABLED(CONFIG_IPV6)
static void pxs_tunnel_push6(struct sk_buff *skb, const struct pxs_backend *be,
			     const struct pxs_tunnel *t, const struct pxs_tunnel_inner *inner,
			     const struct in6_addr *from)
{
	struct ipv6hdr *iph;

	if (t->gue)
		udp6_set_csum(false, skb, from, &be->at.addr, skb->len);
	iph = (struct ipv6hdr *)__skb_push(skb, sizeof(*iph));
	skb_reset_network_header(skb);
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	ip6_flow_hdr(iph, inner->dsfield, 0);
	iph->nexthdr = pxs_tunnel_outer_proto(t);
	iph->hop_limit = inner->hops;
	iph->saddr = *from;
	iph->daddr = be->at.addr;
	/* Who may fragment an IPv6 packet is who sends it. */
	skb->ignore_df = !inner->df;
	skb->protocol = htons(ETH_P_IPV6);
}
#endif

int pxs_tunnel_send(struct net *net, struct pxs_backend *be, struct sk_buff *skb, u8 pf,
		    struct dst_entry *way, const struct in6_addr *from)
{
	struct pxs_tunnel_inner inner;
	struct pxs_tunnel t;

	pxs_tunnel_describe(be, pf, &t);
	pxs_tunnel_read(skb, pf, &inner);
	inner.df = pxs_tunnel_fit(&t, dst_mtu(way), inner.df).df;
	if (!pxs_tunnel_may_sum(skb))
		return -ENOMEM;
	/* What an inner tunnel's headers are is no business of whoever sends this. */
	if (!skb_is_gso(skb))
		skb->encapsulation = 0;
	if (iptunnel_handle_offloads(skb, pxs_tunnel_gso(&t)))
		return -ENOMEM;
	/* The link's header that it came with is not part of what goes into the tunnel. */
	skb_set_inner_mac_header(skb, 0);
	skb_set_transport_header(skb, 0);
	skb_scrub_packet(skb, false);
	skb_clear_tstamp(skb);
	skb_dst_set_noref(skb, way);
	nf_ct_set(skb, NULL, IP_CT_UNTRACKED);
	if (t.gue)
		pxs_tunnel_push_gue(skb, &t, be->svc->tunnel_port);
#if IS_ENABLED(CONFIG_IPV6)
	if (t.outer_v6) {
		pxs_tunnel_push6(skb, be, &t, &inner, from);
		ip6_local_out(net, NULL, skb);
		return 0;
	}
#endif
	pxs_tunnel_push4(net, skb, be, &t, &inner, from);
	ip_local_out(net, NULL, skb);
	return 0;
}
