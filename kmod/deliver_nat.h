/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deliver_nat.h - deliver by writing the backend's address into the packet
 */
#ifndef PXS_DELIVER_NAT_H
#define PXS_DELIVER_NAT_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "backend.h"
#include "packet.h"

struct pxs_drain_ends;
struct pxs_net;
struct pxs_service;

/* Both ends are of one family. */
struct pxs_nat_gain pxs_nat_gain(const struct pxs_endpoint *from, const struct pxs_endpoint *to);

/*
 * UDP: write the backend into skb, a packet for its service, as its destination; or write the
 * service as its source, into the reply of a backend. May move the packet's headers; p's offsets
 * stay right. Return: 0 or -ENOMEM.
 */
int pxs_nat_to_backend(struct sk_buff *skb, const struct pxs_packet *p,
		       const struct pxs_backend *be);
int pxs_nat_from_service(struct sk_buff *skb, const struct pxs_packet *p,
			 const struct pxs_service *svc);

/* All that pxs_nat_reroute() does not do in place. */
int pxs_nat_find_way(struct sk_buff *skb, const struct nf_hook_state *state);

/*
 * A packet got another address: find its way anew, in LOCAL_OUT at once, elsewhere where the stack
 * does. Return: 0 or an error.
 */
static inline int pxs_nat_reroute(struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (likely(state->hook == NF_INET_PRE_ROUTING && !skb_dst(skb)))
		return 0;
	return pxs_nat_find_way(skb, state);
}

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

/*
 * Let connection tracking forget the TCP connections to those of mode nat among them: what comes of
 * one is steered like the first packet of a connection. Reads all of the host's, so it is once for
 * all of them; sleeps.
 */
void pxs_nat_end(struct pxs_net *pn, struct pxs_drain_ends *ends);

#endif /* PXS_DELIVER_NAT_H */
