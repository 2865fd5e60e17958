/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packet.h - what steering wants to know of an skb
 */
#ifndef PXS_PACKET_H
#define PXS_PACKET_H

#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/skbuff.h>
#include <net/ip.h>

#include "endpoint.h"

/*
 * Values, not pointers: they stay right when headers move. Offsets count from
 * skb->data, which is the network header in every hook that steers.
 */
struct pxs_packet {
	struct pxs_endpoint src;
	struct pxs_endpoint dst;
	unsigned int thoff;		/* transport header */
	unsigned int payload;		/* what follows it */
	unsigned int payload_len;	/* bytes there; 0 for a GSO packet with several datagrams */
	bool syn;			/* TCP: SYN without ACK and RST */
	bool end;			/* TCP: FIN or RST */
};

/*
 * A local one that pxs_packet_parse() fills in. The kernel is built to clear all locals first,
 * which costs a sixth of the reading: whoever says this looks at nothing but what that promises.
 */
#if __has_attribute(uninitialized)
#define pxs_unset	__attribute__((uninitialized))
#else
#define pxs_unset
#endif

struct pxs_flow_tuple;

/* The same as kmod/core wants it. */
void pxs_packet_tuple(const struct pxs_packet *p, struct pxs_flow_tuple *t);

/*
 * Read skb of family pf (NFPROTO_IPV4, NFPROTO_IPV6) without changing it.
 * Return: false for what is not steered: not TCP or UDP, a fragment, cut short,
 * multicast or broadcast. If only the protocol is another one, p says which, from where
 * to where and what its thoff is; otherwise p's protocol may be 0. Of what is left, only the
 * family is set then.
 */
bool pxs_packet_parse(const struct sk_buff *skb, u8 pf, struct pxs_packet *p);

/*
 * Source and destination port of TCP or UDP right behind an IP header without options, all of
 * it linear, and no fragment. Return: NULL for all other packets.
 */
static inline const __be16 *pxs_packet_ports(const struct sk_buff *skb, u8 pf)
{
	const struct ipv6hdr *ip6h = (const struct ipv6hdr *)skb->data;
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	unsigned int len = pf == NFPROTO_IPV4 ? sizeof(*iph) : sizeof(*ip6h);
	u8 proto;

	if (skb_headlen(skb) < len + 2 * sizeof(__be16))
		return NULL;
	if (pf == NFPROTO_IPV4 && (iph->ihl != sizeof(*iph) / 4 || ip_is_fragment(iph)))
		return NULL;
	proto = pf == NFPROTO_IPV4 ? iph->protocol : ip6h->nexthdr;
	if (proto != IPPROTO_UDP && proto != IPPROTO_TCP)
		return NULL;
	return (const __be16 *)(skb->data + len);
}

#endif /* PXS_PACKET_H */
