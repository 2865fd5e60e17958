// SPDX-License-Identifier: GPL-2.0
/*
 * steer.c - netfilter hooks: whose packet, which backend, which way
 *
 *   PRE_ROUTING  -350  UDP requests to nat services; splits what holds several requests;
 *                      all that is for services that forward, and ICMP errors about it
 *   LOCAL_OUT    -350  the same for clients on this host; replies of local backends
 *   LOCAL_IN      101  requests to local services; replies of nat backends to this host;
 *                      ICMP errors about either
 *   POST_ROUTING  101  replies of nat backends on their way to clients; ICMP errors
 *
 * -350 is before connection tracking, and behind others' defragmentation where there is one; else
 * fragments are put together here (gather.c). 101 is behind the NAT of others. Every hook runs in
 * one RCU read section that netfilter opened, in softirq or in a sender's process context; nothing
 * here locks, sleeps or allocates, except splitting, keeping fragments and making a shared packet
 * writable. Hooks are registered while the namespace has a service, those of PRE_ROUTING while one
 * wants them, under pxs_net.config.
 */
#include "pxs.h"

#include <linux/err.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/gso.h>
#include <net/inet_sock.h>

#include "backend.h"
#include "core/load.h"
#include "deliver_local.h"
#include "deliver_nat.h"
#include "forward.h"
#include "gather.h"
#include "given.h"
#include "icmp.h"
#include "keep.h"
#include "pernet.h"
#include "service.h"
#include "steer.h"
#include "trace.h"

/* Between others' defragmentation (-400) and connection tracking (-200), before raw (-300). */
#define PXS_PRI_REQUEST	(-350)
/* Just behind source NAT. */
#define PXS_PRI_REPLY	(NF_IP_PRI_NAT_SRC + 1)

void pxs_steer_fault(struct pxs_service *svc, struct pxs_backend *be, int stat)
{
	pxs_stat_inc(svc->stats, stat);
	if (be)
		pxs_stat_inc(be->stats, stat);
	trace_pxs_drop(svc->id, stat);
}

/* What a packet hashes to. By value: what is handed out by address costs a look at the stack. */
struct pxs_steer_hash {
	u64 hash;
	bool fallback;	/* the key was not readable: of the tuple instead */
};

/* Of the payload: half a KiB of stack. */
static noinline struct pxs_steer_hash
pxs_steer_hash_payload(const struct pxs_plan *plan, const struct sk_buff *skb,
		       const struct pxs_packet *p)
{
	struct pxs_flow_tuple tuple;
	struct pxs_steer_hash h;
	u8 buf[PXS_KEY_PEEK_MAX];
	const u8 *payload;
	u32 len;

	pxs_packet_tuple(p, &tuple);
	len = min3(plan->peek, p->payload_len, (u32)sizeof(buf));
	payload = len ? skb_header_pointer(skb, p->payload, len, buf) : NULL;
	h.fallback = pxs_key_hash(&plan->key, &plan->seed, &tuple, payload, payload ? len : 0,
				  &h.hash);
	return h;
}

static noinline struct pxs_steer_hash
pxs_steer_hash(const struct pxs_plan *plan, const struct sk_buff *skb, const struct pxs_packet *p)
{
	struct pxs_flow_tuple tuple;
	struct pxs_steer_hash h;

	if (plan->peek)
		return pxs_steer_hash_payload(plan, skb, p);
	pxs_packet_tuple(p, &tuple);
	h.fallback = pxs_key_hash(&plan->key, &plan->seed, &tuple, NULL, 0, &h.hash);
	return h;
}

/* Return: who is picked. */
static struct pxs_backend *pxs_steer_count_pick(struct pxs_service *svc,
						const struct pxs_plan *plan, struct pxs_pick pick,
						bool fallback)
{
	struct pxs_backend *be;
	int stat;

	if (fallback)
		pxs_stat_inc(svc->stats, PXS_STEER_STAT_FALLBACKS);
	if (pick.choice == PXS_CHOICE_NONE) {
		pxs_steer_fault(svc, NULL, PXS_STEER_STAT_NO_BACKEND);
		return NULL;
	}
	be = plan->backends[pick.backend];
	if (fallback)
		pxs_stat_inc(be->stats, PXS_STEER_STAT_FALLBACKS);
	if (pick.choice == PXS_CHOICE_FIRST)
		return be;
	stat = pick.spilled ? PXS_STEER_STAT_SPILLED : PXS_STEER_STAT_SECOND;
	pxs_stat_inc(svc->stats, stat);
	pxs_stat_inc(be->stats, stat);
	return be;
}

/* Whatever the key, the plan and the packet are. */
static noinline struct pxs_backend *pxs_steer_choose(struct pxs_service *svc,
						     const struct pxs_plan *plan,
						     const struct sk_buff *skb,
						     const struct pxs_packet *p, bool is_new)
{
	struct pxs_steer_hash h;
	struct pxs_pick pick;

	if (!plan || !plan->table) {
		pxs_steer_fault(svc, NULL, PXS_STEER_STAT_NO_BACKEND);
		return NULL;
	}
	h = pxs_steer_hash(plan, skb, p);
	if (is_new)
		pick = pxs_load_pick(plan->table, plan->live, plan->full, h.hash);
	else
		pick = pxs_table_pick(plan->table, plan->live, h.hash);
	trace_pxs_pick(svc->id, plan->table->generation, h.hash, pick.backend, pick.choice,
		       h.fallback);
	return pxs_steer_count_pick(svc, plan, pick, h.fallback);
}

/* What mostly is, without a call: by the tuple, to who the row is of. Else all that is above. */
static __always_inline struct pxs_backend *
pxs_steer_pick_here(struct pxs_service *svc, const struct sk_buff *skb, const struct pxs_packet *p)
{
	const struct pxs_plan *plan = rcu_dereference(svc->plan);
	u16 first;
	u64 hash;

	if (unlikely(!plan || !plan->table || plan->key.rule != PXS_KEY_TUPLE ||
		     plan->table->ring || trace_pxs_pick_enabled()))
		return pxs_steer_choose(svc, plan, skb, p, true);
	hash = pxs_key_hash_from(&plan->flows, p->src.family == AF_INET, ntohs(p->src.port),
				 p->src.addr.s6_addr);
	first = pxs_load_first(plan->table, plan->live, plan->full, hash);
	if (unlikely(first == PXS_NONE))
		return pxs_steer_choose(svc, plan, skb, p, true);
	return plan->backends[first];
}

struct pxs_backend *pxs_steer_pick_new(struct pxs_service *svc, const struct sk_buff *skb,
				       const struct pxs_packet *p)
{
	return pxs_steer_pick_here(svc, skb, p);
}

struct pxs_backend *pxs_steer_pick(struct pxs_service *svc, const struct sk_buff *skb,
				   const struct pxs_packet *p)
{
	if (p->dst.proto == IPPROTO_TCP && !p->syn)
		return pxs_steer_choose(svc, rcu_dereference(svc->plan), skb, p, false);
	return pxs_steer_pick_here(svc, skb, p);
}

/*
 * Does this skb hold several datagrams whose keys may differ? Or packets of a tunnel for one that
 * is reached by a tunnel: segmenting knows of one in one skb only.
 */
static bool pxs_steer_must_split(const struct pxs_service *svc, const struct sk_buff *skb)
{
	const struct pxs_plan *plan = rcu_dereference(svc->plan);

	if (!skb_is_gso(skb) || !plan)
		return false;
	return plan->peek || (skb->encapsulation && pxs_service_tunnels(svc));
}

/*
 * What was received still has its link header in front of it: a bridge needs it, and so do
 * rules. 0 without one; who took a tunnel's header off may have left it behind the packet's start.
 */
static unsigned int pxs_steer_link_header(const struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	if (state->hook != NF_INET_PRE_ROUTING || !skb_mac_header_was_set(skb) ||
	    skb_mac_header(skb) > skb->data)
		return 0;
	return skb->data - skb_mac_header(skb);
}

/*
 * Send each datagram of a GSO packet through this hook by itself. They enter the chain from its
 * start again; in front of us there is others' defragmentation at most. Segmenting takes for the
 * link header what is between the data's start and the network header.
 */
static unsigned int pxs_steer_split(struct pxs_service *svc, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	unsigned int link = pxs_steer_link_header(skb, state);
	struct sk_buff *segs, *seg, *next;

	__skb_push(skb, link);
	segs = __skb_gso_segment(skb, NETIF_F_SG, false);
	if (IS_ERR_OR_NULL(segs)) {
		pxs_steer_fault(svc, NULL, PXS_STEER_STAT_ERRORS);
		return NF_DROP;
	}
	consume_skb(skb);
	skb_list_walk_safe(segs, seg, next) {
		skb_mark_not_on_list(seg);
		__skb_pull(seg, link);
		NF_HOOK(state->pf, state->hook, state->net, state->sk, seg, state->in,
			state->out, state->okfn);
	}
	return NF_STOLEN;
}

/* A UDP request for a nat service. Return: the verdict. */
static unsigned int pxs_steer_nat(struct pxs_service *svc, struct sk_buff *skb,
				  const struct nf_hook_state *state, const struct pxs_packet *p)
{
	struct pxs_backend *be;
	int err;

	be = pxs_steer_pick_here(svc, skb, p);
	if (!be)
		return NF_DROP;
	err = pxs_nat_to_backend(skb, p, be);
	if (!err)
		err = pxs_nat_reroute(skb, state);
	if (err) {
		pxs_steer_fault(svc, be, PXS_STEER_STAT_ERRORS);
		return NF_DROP_ERR(err);
	}
	pxs_steer_count(be, skb, pxs_steer_requests(skb));
	return NF_ACCEPT;
}

/* A packet has another source: may it go the way that it goes? */
static int pxs_steer_leave(struct sk_buff *skb, const struct nf_hook_state *state,
			   bool readdressed)
{
	if (state->hook == NF_INET_LOCAL_IN)
		return 0;
	if (state->hook == NF_INET_LOCAL_OUT && readdressed)
		return pxs_nat_reroute(skb, state);
	return pxs_nat_repolicy(skb, state);
}

/* A UDP reply of a backend: let it come from the service. Return: the verdict. */
static unsigned int pxs_steer_reply(struct pxs_backend *be, struct sk_buff *skb,
				    const struct nf_hook_state *state,
				    const struct pxs_packet *p)
{
	struct pxs_service *svc = be->svc;
	int err;

	err = pxs_nat_from_service(skb, p, svc);
	if (!err)
		err = pxs_steer_leave(skb, state, memcmp(&p->src.addr, &svc->at.addr,
							 sizeof(p->src.addr)));
	if (err) {
		pxs_steer_fault(svc, be, PXS_STEER_STAT_ERRORS);
		return NF_DROP_ERR(err);
	}
	pxs_stat_inc(svc->stats, PXS_STEER_STAT_REPLIES);
	pxs_stat_inc(be->stats, PXS_STEER_STAT_REPLIES);
	return NF_ACCEPT;
}

/* A request for a service that forwards. Return: the verdict. */
static unsigned int pxs_steer_forward(struct pxs_service *svc, struct sk_buff *skb,
				      const struct nf_hook_state *state,
				      const struct pxs_packet *p)
{
	struct pxs_backend *be;
	u32 requests;

	/* A client on this host has the service's address itself: who answered would get it. */
	if (state->in->flags & IFF_LOOPBACK)
		return NF_ACCEPT;
	be = svc->keep ? pxs_keep_backend(svc, p, false) : pxs_steer_pick(svc, skb, p);
	if (!be)
		return NF_DROP;
	requests = svc->keep ? p->syn : pxs_steer_requests(skb);
	return pxs_forward(be, skb, state, p->thoff, requests);
}

/*
 * Is it plain that nobody in senders (or NULL) has the source's port and nobody in receivers (or
 * NULL) the destination's? True for most of what is not steered.
 */
static __always_inline bool pxs_steer_passes(const struct sk_buff *skb, u8 pf,
					     const struct pxs_ports *senders,
					     const struct pxs_ports *receivers)
{
	const __be16 *ports = pxs_packet_ports(skb, pf);

	return ports && !(senders && pxs_ports_has(senders, ntohs(ports[0]))) &&
	       !(receivers && pxs_ports_has(receivers, ntohs(ports[1])));
}

static noinline unsigned int pxs_steer_pre_routing(struct pxs_net *pn, struct sk_buff *skb,
						   const struct nf_hook_state *state)
{
	struct pxs_service *svc;
	struct pxs_packet p pxs_unset;
	bool parsed;
	int err;

	if (skb->pkt_type != PACKET_HOST)
		return NF_ACCEPT;
	parsed = pxs_packet_parse(skb, state->pf, &p);
	err = pxs_gather(skb, state, &p, &parsed);
	if (err)
		return pxs_gather_verdict(err);
	if (p.dst.proto != IPPROTO_UDP && !READ_ONCE(pn->services.forwarding))
		return NF_ACCEPT;
	if (!parsed)
		return pxs_icmp_pre_routing(skb, state, &p);
	svc = pxs_service_lookup(pn, &p.dst);
	if (!svc)
		return NF_ACCEPT;
	if (p.dst.proto == IPPROTO_UDP && pxs_steer_must_split(svc, skb))
		return pxs_steer_split(svc, skb, state);
	if (pxs_service_forwards(svc))
		return pxs_steer_forward(svc, skb, state, &p);
	if (svc->mode != PXS_MODE_NAT || p.dst.proto != IPPROTO_UDP)
		return NF_ACCEPT;
	return pxs_steer_nat(svc, skb, state, &p);
}

static unsigned int pxs_hook_pre_routing(void *priv, struct sk_buff *skb,
					 const struct nf_hook_state *state)
{
	struct pxs_net *pn = priv;

	/* What is for a socket of this host is only split here. */
	if (pxs_steer_passes(skb, state->pf, NULL, skb_is_gso(skb) ? &pn->services.at_ports :
								     &pn->services.remote_ports))
		return NF_ACCEPT;
	return pxs_steer_pre_routing(pn, skb, state);
}

/*
 * The local backend that sent this: by its socket, if that was given as a descriptor; else by the
 * packet's source or, where the server chose another source address (the one it was asked at), by
 * what its socket is bound to.
 */
static struct pxs_backend *pxs_steer_local_sender(const struct nf_hook_state *state,
						  const struct sk_buff *skb,
						  const struct pxs_packet *p)
{
	struct pxs_net *pn = pxs_net(state->net);
	struct pxs_endpoint bound = p->src;
	const struct sock *sk = skb->sk;
	struct pxs_backend *be;

	be = sk ? pxs_given_backend(pn, sk) : NULL;
	/* A socket of both families is a backend in one. */
	if (!be || be->at.family != p->src.family)
		be = pxs_backend_of_reply(pn, &p->src);
	if (be || !sk || !sk_fullsock(sk))
		return be;
	if (p->src.family == AF_INET)
		bound.addr.s6_addr32[0] = inet_sk(sk)->inet_rcv_saddr;
#if IS_ENABLED(CONFIG_IPV6)
	else if (sk->sk_family == AF_INET6)
		bound.addr = sk->sk_v6_rcv_saddr;
#endif
	if (pxs_endpoint_equal(&bound, &p->src))
		return NULL;
	return pxs_backend_of_reply(pn, &bound);
}

static noinline unsigned int pxs_steer_local_out(struct pxs_net *pn, struct sk_buff *skb,
						 const struct nf_hook_state *state)
{
	struct pxs_service *svc;
	struct pxs_backend *be;
	struct pxs_packet p pxs_unset;

	if (!pxs_packet_parse(skb, state->pf, &p) || p.dst.proto != IPPROTO_UDP)
		return NF_ACCEPT;
	svc = pxs_service_lookup(pn, &p.dst);
	if (svc && svc->mode == PXS_MODE_NAT) {
		if (pxs_steer_must_split(svc, skb))
			return pxs_steer_split(svc, skb, state);
		return pxs_steer_nat(svc, skb, state, &p);
	}
	be = pxs_steer_local_sender(state, skb, &p);
	if (!be || be->svc->mode != PXS_MODE_LOCAL || pxs_local_asked_itself(state, &p))
		return NF_ACCEPT;
	return pxs_steer_reply(be, skb, state, &p);
}

static unsigned int pxs_hook_local_out(void *priv, struct sk_buff *skb,
				       const struct nf_hook_state *state)
{
	struct pxs_net *pn = priv;

	if (pxs_steer_passes(skb, state->pf, &pn->services.return_ports, &pn->services.at_ports))
		return NF_ACCEPT;
	return pxs_steer_local_out(pn, skb, state);
}

static noinline unsigned int pxs_steer_local_in(struct pxs_net *pn, struct sk_buff *skb,
						const struct nf_hook_state *state)
{
	struct pxs_service *svc;
	struct pxs_backend *be;
	struct pxs_packet p pxs_unset;
	bool parsed;
	int err;

	if (skb->pkt_type != PACKET_HOST)
		return NF_ACCEPT;
	parsed = pxs_packet_parse(skb, state->pf, &p);
	err = pxs_gather(skb, state, &p, &parsed);
	if (err)
		return pxs_gather_verdict(err);
	if (!parsed)
		return pxs_icmp_local_in(skb, state, &p);
	svc = pxs_service_lookup(pn, &p.dst);
	if (svc && svc->mode == PXS_MODE_LOCAL) {
		if (p.dst.proto == IPPROTO_TCP)
			return pxs_local_tcp(skb, state, svc, &p);
		return pxs_local_udp(skb, state, svc, &p);
	}
	if (p.dst.proto != IPPROTO_UDP)
		return NF_ACCEPT;
	be = pxs_backend_of_reply(pn, &p.src);
	/*
	 * A socket connected to the backend itself (a health check) does not talk to the service.
	 */
	if (!be || be->svc->mode != PXS_MODE_NAT || pxs_local_connected(skb, state, &p))
		return NF_ACCEPT;
	return pxs_steer_reply(be, skb, state, &p);
}

static unsigned int pxs_hook_local_in(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	struct pxs_net *pn = priv;

	if (pxs_steer_passes(skb, state->pf, &pn->services.return_ports, &pn->services.at_ports))
		return NF_ACCEPT;
	return pxs_steer_local_in(pn, skb, state);
}

static noinline unsigned int pxs_steer_post_routing(struct pxs_net *pn, struct sk_buff *skb,
						    const struct nf_hook_state *state)
{
	struct pxs_backend *be;
	struct pxs_packet p pxs_unset;

	if (!pxs_packet_parse(skb, state->pf, &p))
		return pxs_icmp_post_routing(skb, state, &p);
	if (p.src.proto != IPPROTO_UDP)
		return NF_ACCEPT;
	be = pxs_backend_of_reply(pn, &p.src);
	/* A backend on this host may be asked past the service, too: see pxs_steer_local_in(). */
	if (!be || be->svc->mode != PXS_MODE_NAT || pxs_local_asked_itself(state, &p))
		return NF_ACCEPT;
	if (pxs_icmp_reply_too_big(be, skb, state->pf))
		return NF_DROP;
	return pxs_steer_reply(be, skb, state, &p);
}

static unsigned int pxs_hook_post_routing(void *priv, struct sk_buff *skb,
					  const struct nf_hook_state *state)
{
	struct pxs_net *pn = priv;

	if (pxs_steer_passes(skb, state->pf, &pn->services.return_ports, NULL))
		return NF_ACCEPT;
	return pxs_steer_post_routing(pn, skb, state);
}

#define PXS_HOOK(fn, family, point, prio) \
	{ .hook = (fn), .pf = (family), .hooknum = (point), .priority = (prio) }

static const struct nf_hook_ops pxs_hooks[] = {
	PXS_HOOK(pxs_hook_pre_routing, NFPROTO_IPV4, NF_INET_PRE_ROUTING, PXS_PRI_REQUEST),
	PXS_HOOK(pxs_hook_pre_routing, NFPROTO_IPV6, NF_INET_PRE_ROUTING, PXS_PRI_REQUEST),
	PXS_HOOK(pxs_hook_local_out, NFPROTO_IPV4, NF_INET_LOCAL_OUT, PXS_PRI_REQUEST),
	PXS_HOOK(pxs_hook_local_in, NFPROTO_IPV4, NF_INET_LOCAL_IN, PXS_PRI_REPLY),
	PXS_HOOK(pxs_hook_post_routing, NFPROTO_IPV4, NF_INET_POST_ROUTING, PXS_PRI_REPLY),
	PXS_HOOK(pxs_hook_local_out, NFPROTO_IPV6, NF_INET_LOCAL_OUT, PXS_PRI_REQUEST),
	PXS_HOOK(pxs_hook_local_in, NFPROTO_IPV6, NF_INET_LOCAL_IN, PXS_PRI_REPLY),
	PXS_HOOK(pxs_hook_post_routing, NFPROTO_IPV6, NF_INET_POST_ROUTING, PXS_PRI_REPLY),
};

static_assert(ARRAY_SIZE(pxs_hooks) == PXS_HOOKS);

/* The first ones are for who wants to see packets before they are routed. */
#define PXS_HOOKS_EARLY	2

/* Each hook is told its namespace: to look that up costs as much as to let a packet pass. */
void pxs_steer_net_init(struct pxs_net *pn)
{
	unsigned int i;

	memcpy(pn->hooks, pxs_hooks, sizeof(pxs_hooks));
	for (i = 0; i < PXS_HOOKS; i++)
		pn->hooks[i].priv = pn;
}

int pxs_steer_on(struct pxs_net *pn)
{
	return nf_register_net_hooks(pn->net, pn->hooks + PXS_HOOKS_EARLY,
				     PXS_HOOKS - PXS_HOOKS_EARLY);
}

void pxs_steer_off(struct pxs_net *pn)
{
	nf_unregister_net_hooks(pn->net, pn->hooks + PXS_HOOKS_EARLY, PXS_HOOKS - PXS_HOOKS_EARLY);
}

int pxs_steer_early_on(struct pxs_net *pn)
{
	return nf_register_net_hooks(pn->net, pn->hooks, PXS_HOOKS_EARLY);
}

void pxs_steer_early_off(struct pxs_net *pn)
{
	nf_unregister_net_hooks(pn->net, pn->hooks, PXS_HOOKS_EARLY);
}
