/* SPDX-License-Identifier: GPL-2.0 */
/*
 * packet.h - what steering wants to know of an skb
 */
#ifndef PXS_PACKET_H
#define PXS_PACKET_H

#include <linux/skbuff.h>

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

#endif /* PXS_PACKET_H */
