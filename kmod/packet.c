// SPDX-License-Identifier: GPL-2.0
/*
 * packet.c - reading IPv4, IPv6, TCP and UDP headers
 *
 * Owns nothing, takes no lock, changes no skb: what does not lie in its linear part is
 * read through skb_header_pointer() into the stack. Runs in hooks, before or after the
 * stack has checked the headers, so it trusts no length.
 */
#include "pxs.h"

#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "core/key.h"
#include "packet.h"

static inline void pxs_set_proto(struct pxs_packet *p, u8 proto)
{
	p->src.proto = proto;
	p->dst.proto = proto;
}

static inline bool pxs_read_udp(const struct sk_buff *skb, struct pxs_packet *p,
				const struct udphdr *uh, unsigned int thoff)
{
	unsigned int len = ntohs(uh->len);

	p->src.port = uh->source;
	p->dst.port = uh->dest;
	p->payload = thoff + sizeof(*uh);
	p->payload_len = 0;
	p->syn = false;
	p->end = false;
	if (skb_is_gso(skb))
		return true;
	if (len < sizeof(*uh) || thoff + len > skb->len)
		return false;
	p->payload_len = len - sizeof(*uh);
	return true;
}

static inline bool pxs_read_tcp(struct pxs_packet *p, const struct tcphdr *th)
{
	if (th->doff < 5)
		return false;
	p->src.port = th->source;
	p->dst.port = th->dest;
	p->payload = p->thoff + th->doff * 4;
	p->payload_len = 0;
	p->syn = th->syn && !th->ack && !th->rst;
	p->end = th->fin || th->rst;
	return true;
}

/* The header of the transport is not, or not wholly, in the linear part. */
static noinline bool pxs_parse_paged(const struct sk_buff *skb, struct pxs_packet *p)
{
	const void *header;
	union {
		struct udphdr udp;
		struct tcphdr tcp;
	} buf;

	if (p->src.proto == IPPROTO_UDP) {
		header = skb_header_pointer(skb, p->thoff, sizeof(buf.udp), &buf);
		return header && pxs_read_udp(skb, p, header, p->thoff);
	}
	header = skb_header_pointer(skb, p->thoff, sizeof(buf.tcp), &buf);
	return header && pxs_read_tcp(p, header);
}

/* The rest, when the addresses are read. */
static __always_inline bool pxs_parse_transport(const struct sk_buff *skb, struct pxs_packet *p,
						u8 proto, unsigned int thoff)
{
	const void *header = skb->data + thoff;
	unsigned int linear = skb_headlen(skb);

	p->thoff = thoff;
	pxs_set_proto(p, proto);
	if (proto == IPPROTO_UDP && linear >= thoff + sizeof(struct udphdr))
		return pxs_read_udp(skb, p, header, thoff);
	if (proto == IPPROTO_TCP && linear >= thoff + sizeof(struct tcphdr))
		return pxs_read_tcp(p, header);
	if (proto == IPPROTO_UDP || proto == IPPROTO_TCP)
		return pxs_parse_paged(skb, p);
	return false;
}

/* In every hook the stack has an IP header, without what may follow it, in one piece. */
static __always_inline bool pxs_parse_ip4(const struct sk_buff *skb, struct pxs_packet *p)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	unsigned int thoff;
	u8 proto;

	pxs_set_proto(p, 0);
	if (skb_headlen(skb) < sizeof(*iph))
		return false;
	if (iph->version != 4 || iph->ihl < 5 || ip_is_fragment(iph))
		return false;
	thoff = iph->ihl * 4;
	proto = iph->protocol;
	if (ipv4_is_multicast(iph->daddr) || ipv4_is_lbcast(iph->daddr))
		return false;
	p->src.addr = (struct in6_addr){ .s6_addr32 = { iph->saddr } };
	p->dst.addr = (struct in6_addr){ .s6_addr32 = { iph->daddr } };
	return pxs_parse_transport(skb, p, proto, thoff);
}

/* What follows extension headers, if any of it is there. */
static noinline bool pxs_skip_ip6(const struct sk_buff *skb, u8 nexthdr, struct pxs_packet *p)
{
	__be16 frag_off = 0;
	int off;

	off = ipv6_skip_exthdr(skb, sizeof(struct ipv6hdr), &nexthdr, &frag_off);
	/* See gather.h. */
	if (off < 0 || frag_off)
		return false;
	return pxs_parse_transport(skb, p, nexthdr, off);
}

static __always_inline bool pxs_parse_ip6(const struct sk_buff *skb, struct pxs_packet *p)
{
	const struct ipv6hdr *iph = (const struct ipv6hdr *)skb->data;

	pxs_set_proto(p, 0);
	if (skb_headlen(skb) < sizeof(*iph))
		return false;
	if (iph->version != 6 || ipv6_addr_is_multicast(&iph->daddr))
		return false;
	p->src.addr = iph->saddr;
	p->dst.addr = iph->daddr;
	if (iph->nexthdr != IPPROTO_UDP && iph->nexthdr != IPPROTO_TCP)
		return pxs_skip_ip6(skb, iph->nexthdr, p);
	return pxs_parse_transport(skb, p, iph->nexthdr, sizeof(*iph));
}

bool pxs_packet_parse(const struct sk_buff *skb, u8 pf, struct pxs_packet *p)
{
	static_assert(NFPROTO_IPV4 == AF_INET && NFPROTO_IPV6 == AF_INET6);
	p->src.family = pf;
	p->dst.family = pf;
	return pf == NFPROTO_IPV4 ? pxs_parse_ip4(skb, p) : pxs_parse_ip6(skb, p);
}

void pxs_packet_tuple(const struct pxs_packet *p, struct pxs_flow_tuple *t)
{
	memset(t, 0, sizeof(*t));
	t->family = p->src.family == AF_INET ? PXS_FAMILY_V4 : PXS_FAMILY_V6;
	t->proto = p->src.proto;
	t->sport = ntohs(p->src.port);
	t->dport = ntohs(p->dst.port);
	memcpy(t->saddr, &p->src.addr, sizeof(t->saddr));
	memcpy(t->daddr, &p->dst.addr, sizeof(t->daddr));
}
