/* SPDX-License-Identifier: GPL-2.0 */
/*
 * gather.h - packets that come in fragments
 */
#ifndef PXS_GATHER_H
#define PXS_GATHER_H

#include "packet.h"

struct nf_hook_state;
struct sk_buff;

/*
 * What pxs_packet_parse() has read: *parsed and *p. A fragment is kept until the others are there;
 * then the packet is whole, and read again. In PRE_ROUTING and LOCAL_IN, in softirq.
 * Return: 0: it is whole, or cannot be read for another reason; -EINPROGRESS: it was kept, and is
 * the caller's no more; else an error: to be dropped.
 */
int pxs_gather(struct sk_buff *skb, const struct nf_hook_state *state, struct pxs_packet *p,
	       bool *parsed);

/* The verdict on what pxs_gather() returned an error for. */
unsigned int pxs_gather_verdict(int err);

#endif /* PXS_GATHER_H */
