/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deliver_nat.h - deliver by writing the backend's address into the packet
 */
#ifndef PXS_DELIVER_NAT_H
#define PXS_DELIVER_NAT_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "packet.h"

struct pxs_net;

/*
 * UDP: write endpoint to into skb as its destination (or source). May move the
 * packet's headers; p's offsets stay right. Return: 0 or -ENOMEM.
 */
int pxs_nat_rewrite_dst(struct sk_buff *skb, const struct pxs_packet *p,
			const struct pxs_endpoint *to);
int pxs_nat_rewrite_src(struct sk_buff *skb, const struct pxs_packet *p,
			const struct pxs_endpoint *to);

/*
 * A packet got another address: find its way anew, in LOCAL_OUT at once, elsewhere where the stack
 * does. Return: 0 or an error.
 */
int pxs_nat_reroute(struct sk_buff *skb, const struct nf_hook_state *state);

/*
 * A packet leaves with another source, for whose policies nobody looked: LOCAL_OUT without
 * pxs_nat_reroute(), and POST_ROUTING. Return: 0 or an error: it may not leave.
 */
int pxs_nat_repolicy(struct sk_buff *skb, const struct nf_hook_state *state);

/*
 * TCP: the kernel's own NAT does it, per connection. On with the namespace's first
 * TCP nat service of a family, off with its last. Under pxs_net.config.
 */
int pxs_nat_core_get(struct pxs_net *pn, u8 family);
void pxs_nat_core_put(struct pxs_net *pn, u8 family);

#endif /* PXS_DELIVER_NAT_H */
