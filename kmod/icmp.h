/* SPDX-License-Identifier: GPL-2.0 */
/*
 * icmp.h - ICMP errors about steered packets, brought to those whom they concern
 */
#ifndef PXS_ICMP_H
#define PXS_ICMP_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "packet.h"

struct pxs_backend;

/*
 * What is neither TCP nor UDP, as far as pxs_packet_parse() read it: an error about a request
 * goes to the client as one about what it sent to the service; one about a reply teaches this
 * host the path's MTU. Return: the hook's verdict.
 */
unsigned int pxs_icmp_post_routing(struct sk_buff *skb, const struct nf_hook_state *state,
				   const struct pxs_packet *p);
unsigned int pxs_icmp_local_in(struct sk_buff *skb, const struct nf_hook_state *state,
			       const struct pxs_packet *p);

/*
 * PRE_ROUTING: an error about a reply that a backend sent past this host comes here, to the
 * service's address, and goes on to that backend.
 */
unsigned int pxs_icmp_pre_routing(struct sk_buff *skb, const struct nf_hook_state *state,
				  const struct pxs_packet *p);

/*
 * May a packet that came in, of family pf, not leave as it is by a path with this MTU? Then who
 * sent it has been told, and it is to be dropped.
 */
bool pxs_icmp_too_big(struct sk_buff *skb, u8 pf, unsigned int mtu);

/*
 * A reply of a nat backend, forwarded, not rewritten yet: does it not fit the path to the client,
 * and may not be fragmented? Then the backend has been told, and the reply is to be dropped.
 */
bool pxs_icmp_reply_too_big(struct pxs_backend *be, struct sk_buff *skb, u8 pf);

#endif /* PXS_ICMP_H */
