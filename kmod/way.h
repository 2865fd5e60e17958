/* SPDX-License-Identifier: GPL-2.0 */
/*
 * way.h - the route to a backend, kept for the packets to come
 */
#ifndef PXS_WAY_H
#define PXS_WAY_H

#include <linux/in6.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

struct dst_entry;
struct net;
struct pxs_backend;

/* Constant once it can be found. */
struct pxs_way {
	struct dst_entry *dst;		/* with a reference */
	u32 cookie;
	struct in6_addr from;		/* tunnels: this host's; IPv4's lies in the first word */
	struct rcu_head rcu;
};

/*
 * Packet path, under RCU: the way to the backend, for as long as that section lasts; a packet may
 * have its dst without a reference (skb_dst_set_noref()). NULL: there is none, or no memory.
 */
const struct pxs_way *pxs_way(struct net *net, struct pxs_backend *be);

/* Nobody can be at the backend any more. Any context. */
void pxs_way_free(struct pxs_way *way);

/* Devices that go take the ways over them along. Once for the module. */
int pxs_ways_init(void);
void pxs_ways_exit(void);

#endif /* PXS_WAY_H */
