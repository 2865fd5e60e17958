/* SPDX-License-Identifier: GPL-2.0 */
/*
 * steer.h - the netfilter hooks and the choice of a backend
 */
#ifndef PXS_STEER_H
#define PXS_STEER_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

#include "backend.h"
#include "packet.h"
#include "service.h"
#include "stats.h"

struct pxs_net;

#define PXS_HOOKS	8

/*
 * Hooks of a namespace: on with its first service, off after its last; the early ones with the
 * first that wants to see packets before they are routed.
 * Process context, under pxs_net.config. 0 is returned, or what registering said, with
 * nothing left on.
 */
void pxs_steer_net_init(struct pxs_net *pn);
int pxs_steer_on(struct pxs_net *pn);
void pxs_steer_off(struct pxs_net *pn);
int pxs_steer_early_on(struct pxs_net *pn);
void pxs_steer_early_off(struct pxs_net *pn);

/*
 * The backend for a packet of the service, or NULL when nobody can serve it (counted,
 * to be dropped). Under RCU; the backend is good until the end of the RCU section.
 * What is new spills from who is full: datagrams and SYNs, other TCP packets not.
 */
struct pxs_backend *pxs_steer_pick(struct pxs_service *svc, const struct sk_buff *skb,
				   const struct pxs_packet *p);

/* The same, whatever the packet is: where its SYN would go now. */
struct pxs_backend *pxs_steer_pick_new(struct pxs_service *svc, const struct sk_buff *skb,
				       const struct pxs_packet *p);

/* How many requests are in it? UDP: each datagram is one. */
static inline u32 pxs_steer_requests(const struct sk_buff *skb)
{
	return max_t(u32, 1, skb_shinfo(skb)->gso_segs);
}

/* Count a packet on its way to be, and the decision it took. Every packet: a call is too much. */
static inline void pxs_steer_count(struct pxs_backend *be, const struct sk_buff *skb, u32 requests)
{
	struct pxs_steer_stats __percpu *svc = be->svc->stats;

	pxs_stat_inc(svc, PXS_STEER_STAT_PACKETS);
	pxs_stat_add(svc, PXS_STEER_STAT_BYTES, skb->len);
	pxs_stat_add(svc, PXS_STEER_STAT_REQUESTS, requests);
	pxs_stat_inc(be->stats, PXS_STEER_STAT_PACKETS);
	pxs_stat_add(be->stats, PXS_STEER_STAT_BYTES, skb->len);
	pxs_stat_add(be->stats, PXS_STEER_STAT_REQUESTS, requests);
}

/* Count a fault of the service, and of the backend if there is one. */
void pxs_steer_fault(struct pxs_service *svc, struct pxs_backend *be, int stat);

#endif /* PXS_STEER_H */
