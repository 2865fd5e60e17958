// SPDX-License-Identifier: GPL-2.0
/*
 * deliver_local.c - deliver to a socket of this host
 *
 * Runs in LOCAL_IN under RCU: the packet is whole and routed. The choice is handed to
 * the stack in skb->sk, as early demultiplexing does, with a reference and sock_edemux
 * to drop it. Not sock_pfree: a socket found so is taken from 6.12 on as a hint to
 * select anew among its SO_REUSEPORT group. A socket is looked up for each packet, so
 * none is kept that could be closed meanwhile; one that was given as a descriptor is at
 * hand, and asked for each packet whether it is (given.c).
 *
 * A TCP connection is decided once: its established (or half-open) socket is found
 * before any table is asked. With SYN cookies there is none until the last ACK, which
 * asks the table like the SYN did.
 */
#include "pxs.h"

#include <net/inet_sock.h>
#include <net/inet_timewait_sock.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "backend.h"
#include "deliver_local.h"
#include "given.h"
#include "pernet.h"
#include "service.h"
#include "steer.h"
#include "tcp_lookup.h"	/* compat: hash tables were an argument once */
#include "udp_port.h"	/* compat: the table of sockets was one for all namespaces */

static void pxs_local_assign(struct sk_buff *skb, struct sock *sk)
{
	skb_orphan(skb);
	skb->sk = sk;
	skb->destructor = sock_edemux;
}

/* Return: a UDP socket for what comes from src to dst, with a reference, or NULL. */
static struct sock *pxs_udp_find(const struct nf_hook_state *state, const struct pxs_endpoint *src,
				 const struct pxs_endpoint *dst)
{
	/* In LOCAL_OUT there is only the device that it leaves by. */
	int dif = (state->in ?: state->out)->ifindex;

	if (src->family == AF_INET)
		return udp4_lib_lookup(state->net, pxs_endpoint_ip4(src), src->port,
				       pxs_endpoint_ip4(dst), dst->port, dif);
#if IS_ENABLED(CONFIG_IPV6)
	return udp6_lib_lookup(state->net, &src->addr, src->port, &dst->addr, dst->port, dif);
#else
	return NULL;
#endif
}

/*
 * The lookup scores a full match highest: what it finds is connected to src or nothing is. It
 * costs more than all the rest of steering, and mostly no socket at all has the service's port.
 */
static struct sock *pxs_udp_find_connected(const struct nf_hook_state *state,
					   const struct pxs_packet *p)
{
	struct sock *sk;

	if (!pxs_udp_port_taken(state->net, ntohs(p->dst.port)))
		return NULL;
	sk = pxs_udp_find(state, &p->src, &p->dst);
	if (!sk)
		return NULL;
	if (sk->sk_state == TCP_ESTABLISHED && inet_sk(sk)->inet_dport == p->src.port)
		return sk;
	sock_put(sk);
	return NULL;
}

bool pxs_local_connected(const struct sk_buff *skb, const struct nf_hook_state *state,
			 const struct pxs_packet *p)
{
	struct sock *sk;

	if (skb->sk)
		return true;
	sk = pxs_udp_find_connected(state, p);
	if (!sk)
		return false;
	sock_put(sk);
	return true;
}

bool pxs_local_asked_itself(const struct nf_hook_state *state, const struct pxs_packet *p)
{
	struct sock *sk;

	if (!(state->out->flags & IFF_LOOPBACK))
		return false;
	sk = pxs_udp_find_connected(state, p);
	if (!sk)
		return false;
	sock_put(sk);
	return true;
}

/* Backends whose sockets one packet may find closed: then there is time to notice the others. */
#define PXS_LOCAL_TRIES	8

/*
 * The packet's backend has no socket. If that was given as a descriptor, and is closed, nobody is
 * steered to it from now on: may another be picked?
 */
static bool pxs_local_again(struct pxs_backend *be, unsigned int *tries)
{
	if (!be->cookie)
		return false;
	pxs_given_found_closed(be);
	return ++*tries < PXS_LOCAL_TRIES;
}

unsigned int pxs_local_udp(struct sk_buff *skb, const struct nf_hook_state *state,
			   struct pxs_service *svc, const struct pxs_packet *p)
{
	unsigned int tries = 0;
	struct pxs_backend *be;
	struct sock *sk;

	if (skb->sk)
		return NF_ACCEPT;
	/* Over loopback there is no early demultiplexing: look for ourselves. */
	sk = pxs_udp_find_connected(state, p);
	if (sk) {
		pxs_local_assign(skb, sk);
		return NF_ACCEPT;
	}
	do {
		be = pxs_steer_pick_new(svc, skb, p);
		if (!be)
			return NF_DROP;
		sk = be->cookie ? pxs_given_get(be) : pxs_udp_find(state, &p->src, &be->at);
	} while (!sk && pxs_local_again(be, &tries));
	if (!sk) {
		pxs_steer_fault(svc, be, PXS_STEER_STAT_NO_SOCKET);
		return NF_DROP;
	}
	pxs_local_assign(skb, sk);
	pxs_steer_count(be, skb, pxs_steer_requests(skb));
	return NF_ACCEPT;
}

/* Return: the connection's socket, half-open and TIME_WAIT ones included, referenced; or NULL. */
static struct sock *pxs_tcp_find(const struct nf_hook_state *state, const struct pxs_packet *p)
{
	int dif = state->in->ifindex;

	if (p->src.family == AF_INET)
		return pxs_tcp4_established(state->net, pxs_endpoint_ip4(&p->src), p->src.port,
					    pxs_endpoint_ip4(&p->dst), ntohs(p->dst.port), dif);
#if IS_ENABLED(CONFIG_IPV6)
	return pxs_tcp6_established(state->net, &p->src.addr, p->src.port, &p->dst.addr,
				    ntohs(p->dst.port), dif);
#else
	return NULL;
#endif
}

/* Return: the backend's socket, or one that listens at its address and port, held; or NULL. */
static struct sock *pxs_tcp_find_listener(struct sk_buff *skb, const struct nf_hook_state *state,
					  const struct pxs_packet *p,
					  const struct pxs_backend *be)
{
	int dif = state->in->ifindex;
	struct sock *sk = NULL;

	if (be->cookie)
		return pxs_given_get(be);
	if (p->src.family == AF_INET)
		sk = pxs_tcp4_listener(state->net, skb, p->payload, pxs_endpoint_ip4(&p->src),
				       p->src.port, pxs_endpoint_ip4(&be->at),
				       ntohs(be->at.port), dif);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk = pxs_tcp6_listener(state->net, skb, p->payload, &p->src.addr, p->src.port,
				       &be->at.addr, ntohs(be->at.port), dif);
#endif
	if (sk && !refcount_inc_not_zero(&sk->sk_refcnt))
		sk = NULL;
	return sk;
}

/*
 * The ACK that ends a handshake with SYN cookies finds no socket. Its SYN went to the listener that
 * made the cookie, and remembers that it made some: the first choice's or, if it was full then, the
 * one that new connections spill to. Takes over the reference to @sk, returns one.
 */
static struct sock *pxs_tcp_cookie_listener(struct sk_buff *skb, const struct nf_hook_state *state,
					    struct pxs_service *svc, const struct pxs_packet *p,
					    struct sock *sk, struct pxs_backend **be)
{
	struct pxs_backend *spill;
	struct sock *other;

	if (p->syn || !tcp_synq_no_recent_overflow(sk))
		return sk;
	spill = pxs_steer_pick_new(svc, skb, p);
	if (!spill || spill == *be)
		return sk;
	other = pxs_tcp_find_listener(skb, state, p, spill);
	if (!other)
		return sk;
	sock_put(sk);
	*be = spill;
	return other;
}

/*
 * A SYN meets the rest of an earlier connection from the same port: end that, as
 * TPROXY does, or the listener would be asked only after a challenge and a timeout.
 */
static void pxs_tcp_end_timewait(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;

	skb->sk = NULL;
	skb->destructor = NULL;
	inet_twsk_deschedule_put(inet_twsk(sk));
}

unsigned int pxs_local_tcp(struct sk_buff *skb, const struct nf_hook_state *state,
			   struct pxs_service *svc, const struct pxs_packet *p)
{
	unsigned int tries = 0;
	struct pxs_backend *be;
	struct sock *sk;

	if (!skb->sk) {
		sk = pxs_tcp_find(state, p);
		if (sk)
			pxs_local_assign(skb, sk);
	}
	if (skb->sk && !(p->syn && skb->sk->sk_state == TCP_TIME_WAIT))
		return NF_ACCEPT;
	do {
		be = pxs_steer_pick(svc, skb, p);
		if (!be)
			return NF_DROP;
		sk = pxs_tcp_find_listener(skb, state, p, be);
	} while (!sk && pxs_local_again(be, &tries));
	if (!sk) {
		pxs_steer_fault(svc, be, PXS_STEER_STAT_NO_SOCKET);
		return NF_DROP;
	}
	sk = pxs_tcp_cookie_listener(skb, state, svc, p, sk, &be);
	if (skb->sk)
		pxs_tcp_end_timewait(skb);
	pxs_local_assign(skb, sk);
	pxs_steer_count(be, skb, p->syn);
	return NF_ACCEPT;
}

/* Datagrams that nobody has read yet. */
static u32 pxs_udp_waiting(struct net *net, const struct pxs_endpoint *at)
{
	struct sock *sk = NULL;
	u32 n;

	if (at->family == AF_INET)
		sk = udp4_lib_lookup(net, 0, 0, pxs_endpoint_ip4(at), at->port, 0);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk = udp6_lib_lookup(net, &in6addr_any, 0, &at->addr, at->port, 0);
#endif
	if (!sk)
		return 0;
	n = skb_queue_len_lockless(&sk->sk_receive_queue) +
	    skb_queue_len_lockless(&udp_sk(sk)->reader_queue);
	sock_put(sk);
	return n;
}

/* Connections that nobody has accepted yet. A listener is freed only after a grace period. */
static u32 pxs_tcp_waiting(struct net *net, const struct pxs_endpoint *at)
{
	u16 port = ntohs(at->port);
	struct sock *sk = NULL;

	if (at->family == AF_INET)
		sk = pxs_tcp4_listener(net, NULL, 0, 0, 0, pxs_endpoint_ip4(at), port, 0);
#if IS_ENABLED(CONFIG_IPV6)
	else
		sk = pxs_tcp6_listener(net, NULL, 0, &in6addr_any, 0, &at->addr, port, 0);
#endif
	return sk ? READ_ONCE(sk->sk_ack_backlog) : 0;
}

u32 pxs_local_waiting(const struct pxs_backend *be)
{
	const struct pxs_endpoint *at = &be->at;
	struct net *net = be->svc->pn->net;
	u32 n;

	if (be->cookie)
		return pxs_given_waiting(be);
	/* Both lookups ask for bottom halves to be off, as they are in the receive path. */
	local_bh_disable();
	rcu_read_lock();
	n = at->proto == IPPROTO_TCP ? pxs_tcp_waiting(net, at) : pxs_udp_waiting(net, at);
	rcu_read_unlock();
	local_bh_enable();
	return n;
}
