/* SPDX-License-Identifier: GPL-2.0 */
/*
 * deliver_tunnel.h - deliver inside another packet, to a backend anywhere
 */
#ifndef PXS_DELIVER_TUNNEL_H
#define PXS_DELIVER_TUNNEL_H

#include <linux/in6.h>
#include <linux/skbuff.h>
#include <net/dst.h>

struct net;
struct pxs_backend;
struct pxs_endpoint;

/* Where the outer packets for be go: its address, their protocol, and gue's port or 0. */
void pxs_tunnel_outer(const struct pxs_backend *be, struct pxs_endpoint *outer);

/*
 * Look up the route to a backend, and from which address of this host (IPv4's lies in the first
 * word). A reference is the caller's. Any context. Return: NULL when there is none.
 */
struct dst_entry *pxs_tunnel_route(struct net *net, const struct pxs_backend *be,
				   struct in6_addr *from);

/* What a packet of family pf may have to reach be by way without fragments. */
unsigned int pxs_tunnel_mtu(const struct pxs_backend *be, const struct dst_entry *way, u8 pf);

/* Bytes before the packet, the link's not counted. */
unsigned int pxs_tunnel_headroom(const struct pxs_backend *be, u8 pf);

/*
 * Under RCU, which guards way: put the headers before skb, of family pf, whose own are writable,
 * whose transport header is set and before which is headroom; and send it off, as a packet of
 * this host. It is consumed. Return: 0, or -ENOMEM: it is the caller's still, to be dropped.
 */
int pxs_tunnel_send(struct net *net, struct pxs_backend *be, struct sk_buff *skb, u8 pf,
		    struct dst_entry *way, const struct in6_addr *from);

#endif /* PXS_DELIVER_TUNNEL_H */
