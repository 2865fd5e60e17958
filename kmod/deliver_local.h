/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deliver_local.h - deliver to a socket of this host
 */
#ifndef PXS_DELIVER_LOCAL_H
#define PXS_DELIVER_LOCAL_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "packet.h"

struct pxs_backend;
struct pxs_service;

/*
 * LOCAL_IN, a packet for a local service: give it to the connected socket if there is
 * one, else to a socket bound to the picked backend's address and port. Return: the
 * hook's verdict.
 */
unsigned int pxs_local_udp(struct sk_buff *skb, const struct nf_hook_state *state,
			   struct pxs_service *svc, const struct pxs_packet *p);
unsigned int pxs_local_tcp(struct sk_buff *skb, const struct nf_hook_state *state,
			   struct pxs_service *svc, const struct pxs_packet *p);

/* Is there a UDP socket connected to exactly this peer? Then its traffic is its own. */
bool pxs_local_connected(const struct sk_buff *skb, const struct nf_hook_state *state,
			 const struct pxs_packet *p);

/*
 * LOCAL_OUT or POST_ROUTING, a datagram of a backend on this host: is it for a socket of this
 * host that asked the backend itself (a health check), past the service? Then it must come from
 * the backend. A look at the device when it is for another host.
 */
bool pxs_local_asked_itself(const struct nf_hook_state *state, const struct pxs_packet *p);

/*
 * What waits at the backend's socket: datagrams in its queue, or connections to be accepted; 0
 * without a socket. Of several bound to its address with SO_REUSEPORT one stands for all. Process
 * context, under pxs_net.config.
 */
u32 pxs_local_waiting(const struct pxs_backend *be);

#endif /* PXS_DELIVER_LOCAL_H */
