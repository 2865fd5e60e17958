// SPDX-License-Identifier: GPL-2.0
/*
 * icmp.c - ICMP errors about steered packets, brought to those whom they concern
 *
 * About a request: it quotes a datagram to the backend, which its client never sent. What is
 * quoted is given the service's address back, whether a host behind the director, the
 * backend or this host itself made the error. About a reply: it quotes one from the service.
 * With nat nobody knows which backend that was, with local no socket is bound there; so the
 * path's MTU is taken over into the routes of this host, the service's end of the path. IPv4's
 * stack does so itself; IPv6's only for a socket that it finds. Local sockets go by it at once.
 * The kernel does not when it forwards (ip_forward_use_pmtu is off, IPv6 has no such switch), so
 * here the next large reply of a nat backend is answered. A backend that was forwarded to (dsr)
 * answers from the service's address past this host: errors about that come here, and are
 * forwarded to it like what the client sends. About what a tunnel sends: too large for some
 * router's next link, so that is the MTU of the path from now on, and the client is told of it
 * when its next packet does not fit.
 *
 * Runs in hooks under the RCU read section that netfilter opened: services and backends found
 * are good until the hook returns. No lock, no memory of its own; making a shared packet
 * writable may copy its headers (GFP_ATOMIC), as for every rewrite.
 */
#include "pxs.h"

#include <linux/icmpv6.h>
#include <linux/netdevice.h>
#include <linux/netfilter.h>
#include <net/dst.h>
#include <net/gso.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>

#include "backend.h"
#include "core/icmp.h"
#include "deliver_local.h"
#include "forward.h"
#include "icmp.h"
#include "keep.h"
#include "pernet.h"
#include "service.h"
#include "steer.h"

static bool pxs_icmp_is_v6(const struct pxs_packet *p)
{
	return p->src.family == AF_INET6;
}

/*
 * Read an error about a packet: *q is the quote's place, *of the packet. An error goes to
 * whoever sent what it quotes; one that does not is nobody's business here.
 */
static bool pxs_icmp_read(const struct sk_buff *skb, const struct pxs_packet *p,
			  struct pxs_icmp_quote *q, struct pxs_packet *of)
{
	u8 buf[PXS_ICMP_PEEK];
	const u8 *msg;
	u32 len;

	if (p->src.proto != (pxs_icmp_is_v6(p) ? IPPROTO_ICMPV6 : IPPROTO_ICMP) ||
	    skb->len <= p->thoff)
		return false;
	len = min_t(u32, skb->len - p->thoff, sizeof(buf));
	msg = skb_header_pointer(skb, p->thoff, len, buf);
	if (!msg || !pxs_icmp_parse(msg, len, pxs_icmp_is_v6(p), q))
		return false;
	memset(of, 0, sizeof(*of));
	of->src.family = p->src.family;
	of->src.proto = q->proto;
	of->dst = of->src;
	memcpy(&of->src.addr, q->src, sizeof(of->src.addr));
	memcpy(&of->dst.addr, q->dst, sizeof(of->dst.addr));
	memcpy(&of->src.port, q->sport, sizeof(of->src.port));
	memcpy(&of->dst.port, q->dport, sizeof(of->dst.port));
	return !memcmp(&of->src.addr, &p->dst.addr, sizeof(of->src.addr));
}

/* The backend said it itself: then it is the service that says it. */
static void pxs_icmp_rewrite_sender(struct sk_buff *skb, const struct pxs_packet *p,
				    const struct pxs_endpoint *as)
{
	if (pxs_icmp_is_v6(p)) {
		struct ipv6hdr *iph = (struct ipv6hdr *)skb->data;
		struct icmp6hdr *head = (struct icmp6hdr *)(skb->data + p->thoff);

		inet_proto_csum_replace16(&head->icmp6_cksum, skb, iph->saddr.s6_addr32,
					  as->addr.s6_addr32, true);
		iph->saddr = as->addr;
	} else {
		struct iphdr *iph = (struct iphdr *)skb->data;

		csum_replace4(&iph->check, iph->saddr, pxs_endpoint_ip4(as));
		iph->saddr = pxs_endpoint_ip4(as);
	}
}

/* Of this host itself: on its way out, or to a client here. Nobody else's packet comes in by lo. */
static bool pxs_icmp_is_own(const struct sk_buff *skb, const struct nf_hook_state *state)
{
	return !skb->skb_iif || (state->in && state->in->flags & IFF_LOOPBACK);
}

/*
 * Is it known that the backend can't be reached? It says so itself, or this host does, which tried:
 * a router's word could be anybody's, without a false address.
 */
static bool pxs_icmp_is_sure(const struct pxs_backend *be, const struct sk_buff *skb,
			     const struct nf_hook_state *state, const struct pxs_packet *p)
{
	return pxs_icmp_is_own(skb, state) ||
	       !memcmp(&p->src.addr, &be->at.addr, sizeof(p->src.addr));
}

/* An error about a request to be, for its client. Return: the verdict. */
static unsigned int pxs_icmp_to_client(struct pxs_backend *be, struct sk_buff *skb,
				       const struct nf_hook_state *state,
				       const struct pxs_packet *p, const struct pxs_icmp_quote *q)
{
	const struct pxs_endpoint *as = &be->svc->at;

	/* A sum that a device is to compute does not see single changes: have the whole one. */
	if ((skb->ip_summed == CHECKSUM_PARTIAL && skb_checksum_help(skb)) ||
	    skb_ensure_writable(skb, p->thoff + q->udp + sizeof(struct udphdr))) {
		pxs_steer_fault(be->svc, be, PXS_STEER_STAT_ERRORS);
		return NF_DROP;
	}
	pxs_icmp_rewrite_dst(skb->data + p->thoff, q, (const u8 *)&as->addr,
			     (const u8 *)&as->port);
	if (!memcmp(&p->src.addr, &be->at.addr, sizeof(p->src.addr)))
		pxs_icmp_rewrite_sender(skb, p, as);
	pxs_stat_inc(be->svc->stats, PXS_STEER_STAT_ICMP_REQUESTS);
	pxs_stat_inc(be->stats, PXS_STEER_STAT_ICMP_REQUESTS);
	if (q->unreachable && pxs_icmp_is_sure(be, skb, state, p)) {
		pxs_stat_inc(be->svc->stats, PXS_STEER_STAT_UNREACHABLE);
		pxs_stat_inc(be->stats, PXS_STEER_STAT_UNREACHABLE);
	}
	return NF_ACCEPT;
}

unsigned int pxs_icmp_post_routing(struct sk_buff *skb, const struct nf_hook_state *state,
				   const struct pxs_packet *p)
{
	struct pxs_icmp_quote q;
	struct pxs_backend *be;
	struct pxs_packet of;

	/* For this host: LOCAL_IN knows its sockets. */
	if (state->out->flags & IFF_LOOPBACK || !pxs_icmp_read(skb, p, &q, &of) ||
	    q.proto != IPPROTO_UDP)
		return NF_ACCEPT;
	be = pxs_backend_of_reply(pxs_net(state->net), &of.dst);
	if (!be || be->svc->mode != PXS_MODE_NAT)
		return NF_ACCEPT;
	return pxs_icmp_to_client(be, skb, state, p, &q);
}

/* What is wrong, or can't be read, the stack drops and counts. */
static bool pxs_icmp_teaches_mtu(struct sk_buff *skb, const struct nf_hook_state *state,
				 const struct pxs_packet *p, const struct pxs_icmp_quote *q)
{
	return q->too_big && !nf_checksum(skb, state->hook, p->thoff, p->src.proto, state->pf) &&
	       pskb_may_pull(skb, p->thoff + q->udp);
}

/* The kernel's functions want the quoted IP header where a packet begins. */
static void pxs_icmp_learn_mtu6(struct sk_buff *skb, const struct nf_hook_state *state,
				unsigned int at, const struct pxs_icmp_quote *q)
{
#if IS_ENABLED(CONFIG_IPV6)
	__skb_pull(skb, at);
	ip6_update_pmtu(skb, state->net, htonl(q->mtu), 0, skb->mark,
			sock_net_uid(state->net, NULL));
	__skb_push(skb, at);
#endif
}

static void pxs_icmp_learn_mtu4(struct sk_buff *skb, const struct nf_hook_state *state,
				unsigned int at, const struct pxs_icmp_quote *q)
{
	__skb_pull(skb, at);
	ipv4_update_pmtu(skb, state->net, q->mtu, 0, q->proto);
	__skb_push(skb, at);
}

static void pxs_icmp_about_reply(struct pxs_service *svc, struct sk_buff *skb,
				 const struct nf_hook_state *state, const struct pxs_packet *p,
				 const struct pxs_icmp_quote *q)
{
	if (!pxs_icmp_teaches_mtu(skb, state, p, q))
		return;
	if (pxs_icmp_is_v6(p))
		pxs_icmp_learn_mtu6(skb, state, p->thoff + q->ip, q);
	pxs_stat_inc(svc->stats, PXS_STEER_STAT_ICMP_REPLIES);
}

static void pxs_icmp_about_tunnel(struct sk_buff *skb, const struct nf_hook_state *state,
				  const struct pxs_packet *p, const struct pxs_icmp_quote *q)
{
	if (!pxs_icmp_teaches_mtu(skb, state, p, q))
		return;
	if (pxs_icmp_is_v6(p))
		pxs_icmp_learn_mtu6(skb, state, p->thoff + q->ip, q);
	else
		pxs_icmp_learn_mtu4(skb, state, p->thoff + q->ip, q);
}

unsigned int pxs_icmp_local_in(struct sk_buff *skb, const struct nf_hook_state *state,
			       const struct pxs_packet *p)
{
	struct pxs_net *pn = pxs_net(state->net);
	struct pxs_icmp_quote q;
	struct pxs_packet of, answer;
	struct pxs_service *svc;
	struct pxs_backend *be;

	if (!pxs_icmp_read(skb, p, &q, &of))
		return NF_ACCEPT;
	if (pxs_backend_has_tunnel(pn, &of.dst)) {
		pxs_icmp_about_tunnel(skb, state, p, &q);
		return NF_ACCEPT;
	}
	if (q.proto != IPPROTO_UDP)
		return NF_ACCEPT;
	be = pxs_backend_of_reply(pn, &of.dst);
	if (be && be->svc->mode == PXS_MODE_NAT) {
		/* A socket that asked the backend itself (a health check) hears of the backend. */
		answer = of;
		swap(answer.src, answer.dst);
		if (pxs_local_connected(skb, state, &answer))
			return NF_ACCEPT;
		return pxs_icmp_to_client(be, skb, state, p, &q);
	}
	svc = pxs_service_lookup(pn, &of.src);
	if (svc)
		pxs_icmp_about_reply(svc, skb, state, p, &q);
	return NF_ACCEPT;
}

/*
 * About a reply: whose it was follows from the client, as for what the client sends; unless that
 * is told apart by its contents, of which the quote says nothing.
 */
unsigned int pxs_icmp_pre_routing(struct sk_buff *skb, const struct nf_hook_state *state,
				  const struct pxs_packet *p)
{
	const struct pxs_plan *plan;
	struct pxs_packet of, asked;
	struct pxs_icmp_quote q;
	struct pxs_service *svc;
	struct pxs_backend *be;

	/* About what a socket of this host sent to this host: see pxs_steer_forward(). */
	if (state->in->flags & IFF_LOOPBACK || !pxs_icmp_read(skb, p, &q, &of))
		return NF_ACCEPT;
	svc = pxs_service_lookup(pxs_net(state->net), &of.src);
	if (!svc || !pxs_service_forwards(svc))
		return NF_ACCEPT;
	plan = rcu_dereference(svc->plan);
	if (plan && pxs_key_peek(&plan->key))
		return NF_ACCEPT;
	asked = of;
	swap(asked.src, asked.dst);
	be = svc->keep ? pxs_keep_backend(svc, &asked, true) : pxs_steer_pick(svc, skb, &asked);
	if (!be)
		return NF_DROP;
	pxs_stat_inc(svc->stats, PXS_STEER_STAT_ICMP_REPLIES);
	pxs_stat_inc(be->stats, PXS_STEER_STAT_ICMP_REPLIES);
	return pxs_forward(be, skb, state, p->thoff, 0);
}

/* As ip_forward() and ip6_forward() judge, by the path's MTU instead of the device's. */
static bool pxs_icmp_is_too_big(const struct sk_buff *skb, u8 pf, unsigned int mtu)
{
	bool v4 = pf == NFPROTO_IPV4;

	/* A socket of this host has made its own packets fit; they came in by no device. */
	if (skb->len <= mtu || !skb->skb_iif)
		return false;
	if (v4 && !(ip_hdr(skb)->frag_off & htons(IP_DF)))
		return false;
	/* Put together from fragments, the largest of which is sent on as it was. */
	if ((v4 ? IPCB(skb)->frag_max_size : IP6CB(skb)->frag_max_size) > mtu)
		return true;
	return !skb->ignore_df && !(skb_is_gso(skb) && skb_gso_validate_network_len(skb, mtu));
}

bool pxs_icmp_too_big(struct sk_buff *skb, u8 pf, unsigned int mtu)
{
	if (!pxs_icmp_is_too_big(skb, pf, mtu))
		return false;
	if (pf == NFPROTO_IPV4)
		icmp_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, htonl(mtu));
	else
		icmpv6_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
	return true;
}

bool pxs_icmp_reply_too_big(struct pxs_backend *be, struct sk_buff *skb, u8 pf)
{
	if (!pxs_icmp_too_big(skb, pf, dst_mtu(skb_dst(skb))))
		return false;
	pxs_stat_inc(be->stats, PXS_STEER_STAT_ICMP_REPLIES);
	return true;
}
