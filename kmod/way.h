/* SPDX-License-Identifier: GPL-2.0 */
/*
 * way.h - the route to a backend, kept for the packets to come
 */
#ifndef PXS_WAY_H
#define PXS_WAY_H

#include <linux/types.h>

struct dst_entry;
struct net;
struct pxs_backend;
struct pxs_way;

/*
 * Packet path, under RCU: the way to the backend, for as long as that section lasts; a packet may
 * have it without a reference (skb_dst_set_noref()). NULL: there is none, or no memory.
 */
struct dst_entry *pxs_way(struct net *net, struct pxs_backend *be);

/* Nobody can be at the backend any more. Any context. */
void pxs_way_free(struct pxs_way *way);

/* Devices that go take the ways over them along. Once for the module. */
int pxs_ways_init(void);
void pxs_ways_exit(void);

#endif /* PXS_WAY_H */
