// SPDX-License-Identifier: GPL-2.0
/*
 * gather.c - packets that come in fragments are put together before they are steered
 *
 * Only the first one has ports, and mostly not all that a key may be in. The kernel has hooks for
 * that (nf_defrag_ipv4 and _ipv6), in front of ours, which would look at each packet of the
 * namespace. Few are fragments: here only what could not be read is asked whether it is one. Where
 * somebody has enabled those hooks, as connection tracking does, none comes here.
 *
 * What is for this host comes to LOCAL_IN whole with IPv4, and in fragments with IPv6. What goes on
 * to another one does so in fragments again, no larger than they came. Fragments are gathered with
 * those of the same user alone: it is the one that the kernel's hooks would have, which never see
 * what we do.
 *
 * Runs in hooks, in softirq under RCU. The kernel's queues have their own locks, limits, time-outs.
 */
#include "pxs.h"

#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <net/ip.h>
#include <net/ipv6_frag.h>
#include <net/netfilter/ipv6/nf_defrag_ipv6.h>

#include "gather.h"

static int pxs_gather4(struct sk_buff *skb, const struct nf_hook_state *state)
{
	u32 user = nf_bridge_in_prerouting(skb) ? IP_DEFRAG_CONNTRACK_BRIDGE_IN :
						  IP_DEFRAG_CONNTRACK_IN;

	if (skb_headlen(skb) < sizeof(struct iphdr) || !ip_is_fragment(ip_hdr(skb)))
		return 0;
	/* Kept or broken, it is not the caller's any more. */
	if (ip_defrag(state->net, skb, user))
		return -EINPROGRESS;
	skb->ignore_df = 1;
	return 0;
}

static int pxs_gather6(struct sk_buff *skb, const struct nf_hook_state *state)
{
	u32 user = IP6_DEFRAG_CONNTRACK_IN;

	if (state->hook == NF_INET_LOCAL_IN)
		user = IP6_DEFRAG_LOCAL_DELIVER;
	else if (nf_bridge_in_prerouting(skb))
		user = IP6_DEFRAG_CONNTRACK_BRIDGE_IN;
	return nf_ct_frag6_gather(state->net, skb, user);
}

int pxs_gather(struct sk_buff *skb, const struct nf_hook_state *state, struct pxs_packet *p,
	       bool *parsed)
{
	int err;

	/* Of a fragment not even the protocol was read. */
	if (*parsed || p->dst.proto)
		return 0;
	if (state->pf == NFPROTO_IPV4)
		err = pxs_gather4(skb, state);
	else
		err = pxs_gather6(skb, state);
	if (!err)
		*parsed = pxs_packet_parse(skb, state->pf, p);
	return err;
}

unsigned int pxs_gather_verdict(int err)
{
	return err == -EINPROGRESS ? NF_STOLEN : NF_DROP;
}
