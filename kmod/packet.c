// SPDX-License-Identifier: GPL-2.0
/*
 * packet.c - reading IPv4, IPv6, TCP and UDP headers
 *
 * Owns nothing, takes no lock, changes no skb: headers are read through
 * skb_header_pointer() into the stack. Runs in hooks, before or after the stack has
 * checked the headers, so it trusts no length.
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

static bool pxs_parse_ip4(const struct sk_buff *skb, struct pxs_packet *p)
{
	const struct iphdr *iph;
	struct iphdr buf;

	iph = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!iph || iph->version != 4 || iph->ihl < 5 || ip_is_fragment(iph))
		return false;
	if (ipv4_is_multicast(iph->daddr) || ipv4_is_lbcast(iph->daddr))
		return false;
	p->src.family = AF_INET;
	p->dst.family = AF_INET;
	p->src.addr.s6_addr32[0] = iph->saddr;
	p->dst.addr.s6_addr32[0] = iph->daddr;
	p->src.proto = iph->protocol;
	p->thoff = iph->ihl * 4;
	return true;
}

static bool pxs_parse_ip6(const struct sk_buff *skb, struct pxs_packet *p)
{
	const struct ipv6hdr *iph;
	struct ipv6hdr buf;
	__be16 frag_off = 0;
	u8 nexthdr;
	int off;

	iph = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!iph || iph->version != 6 || ipv6_addr_is_multicast(&iph->daddr))
		return false;
	nexthdr = iph->nexthdr;
	p->src.family = AF_INET6;
	p->dst.family = AF_INET6;
	p->src.addr = iph->saddr;
	p->dst.addr = iph->daddr;
	off = ipv6_skip_exthdr(skb, sizeof(*iph), &nexthdr, &frag_off);
	/* Defragmentation came first: what is still a fragment is not ours to judge. */
	if (off < 0 || frag_off)
		return false;
	p->src.proto = nexthdr;
	p->thoff = off;
	return true;
}

static bool pxs_parse_udp(const struct sk_buff *skb, struct pxs_packet *p)
{
	const struct udphdr *uh;
	struct udphdr buf;
	unsigned int len;

	uh = skb_header_pointer(skb, p->thoff, sizeof(buf), &buf);
	if (!uh)
		return false;
	p->src.port = uh->source;
	p->dst.port = uh->dest;
	p->payload = p->thoff + sizeof(*uh);
	if (skb_is_gso(skb))
		return true;
	len = ntohs(uh->len);
	if (len < sizeof(*uh) || p->thoff + len > skb->len)
		return false;
	p->payload_len = len - sizeof(*uh);
	return true;
}

static bool pxs_parse_tcp(const struct sk_buff *skb, struct pxs_packet *p)
{
	const struct tcphdr *th;
	struct tcphdr buf;

	th = skb_header_pointer(skb, p->thoff, sizeof(buf), &buf);
	if (!th || th->doff < 5)
		return false;
	p->src.port = th->source;
	p->dst.port = th->dest;
	p->payload = p->thoff + th->doff * 4;
	p->syn = th->syn && !th->ack && !th->rst;
	p->end = th->fin || th->rst;
	return true;
}

bool pxs_packet_parse(const struct sk_buff *skb, u8 pf, struct pxs_packet *p)
{
	memset(p, 0, sizeof(*p));
	if (pf == NFPROTO_IPV4 ? !pxs_parse_ip4(skb, p) : !pxs_parse_ip6(skb, p))
		return false;
	p->dst.proto = p->src.proto;
	if (p->src.proto == IPPROTO_UDP)
		return pxs_parse_udp(skb, p);
	if (p->src.proto == IPPROTO_TCP)
		return pxs_parse_tcp(skb, p);
	return false;
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
