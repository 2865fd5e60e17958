/* SPDX-License-Identifier: GPL-2.0 */
/*
 * forward.h - send a packet on to its backend unchanged; the replies go past this host
 */
#ifndef PXS_FORWARD_H
#define PXS_FORWARD_H

#include <linux/netfilter.h>
#include <linux/skbuff.h>

struct pxs_backend;

/*
 * PRE_ROUTING: give skb, a packet for a service whose mode forwards (or an ICMP error about a
 * reply of its), to be. thoff: where its transport header is. requests: how many decisions it
 * stands for, to be counted. Return: the
 * hook's verdict; NF_ACCEPT where the backend is this host itself, or nobody may take the packet
 * from who has it.
 */
unsigned int pxs_forward(struct pxs_backend *be, struct sk_buff *skb,
			 const struct nf_hook_state *state, unsigned int thoff, u32 requests);

#endif /* PXS_FORWARD_H */
