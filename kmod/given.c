// SPDX-License-Identifier: GPL-2.0
/*
 * given.c - backends that are sockets given as descriptors
 *
 * Owns struct pxs_given: one for each such backend, from BACKEND_ADD until the socket is found
 * closed or the backend is deleted. It holds a reference to the sock, not to its file: the process
 * closes it when it likes, and the kernel tells nobody. So who looks finds out: a packet that is
 * for it, which takes the backend's bit out of the plan in force and asks for another; and one
 * delayed work a namespace, once a second, which makes that the backend's health, and gives up the
 * reference: a socket keeps its namespace, which must be able to end.
 *
 * Packets find a socket in its backend or, by what sent a datagram, in pxs_services.given, under
 * RCU; both let go of it before call_rcu() drops the reference. All else is process context under
 * pxs_net.config. The work is waited for where no packet can wake it any more: see pernet.c.
 */
#include "pxs.h"

#include <linux/file.h>
#include <linux/net.h>
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <linux/sock_diag.h>
#include <net/addrconf.h>
#include <net/inet_sock.h>
#include <net/ipv6.h>
#include <net/route.h>
#include <net/tcp.h>
#include <net/udp.h>

#include "backend.h"
#include "netlink_service.h"
#include "pernet.h"
#include "service.h"
#include "given.h"

/* From one look to the next. */
#define PXS_GIVEN_TICK	HZ

struct pxs_given {
	struct sock *sk;		/* counted; key of pxs_services.given */
	u64 cookie;
	struct pxs_backend *be;		/* constant from give on */
	struct rhash_head node;		/* UDP: in pxs_services.given */
	struct rcu_head rcu;
};

static const struct rhashtable_params pxs_given_params = {
	.key_len = sizeof(struct sock *),
	.key_offset = offsetof(struct pxs_given, sk),
	.head_offset = offsetof(struct pxs_given, node),
	.automatic_shrinking = true,
};

static bool pxs_given_is_udp(const struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_UDP;
}

/* Does it take what is for nobody else? What was closed, or connected since, does so no more. */
static bool pxs_given_serves(const struct sock *sk)
{
	if (!pxs_given_is_udp(sk))
		return inet_sk_state_load(sk) == TCP_LISTEN;
	return !sock_flag(sk, SOCK_DEAD) && inet_sk_state_load(sk) == TCP_CLOSE &&
	       READ_ONCE(inet_sk(sk)->inet_num);
}

/* Does it take packets of this family? One of IPv6 may take IPv4 as well. */
static bool pxs_given_takes(const struct sock *sk, u8 family)
{
	if (sk->sk_family == AF_INET)
		return family == AF_INET;
#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6)
		return !ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr);
	return !ipv6_only_sock(sk) && (ipv6_addr_any(&sk->sk_v6_rcv_saddr) ||
				       ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr));
#else
	return false;
#endif
}

/* Return: what keeps it from being a backend of the service, or NULL. */
static const char *pxs_given_unfit(const struct sock *sk, const struct pxs_service *svc)
{
	int type = svc->at.proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;

	if (!net_eq(sock_net(sk), svc->pn->net))
		return "the socket belongs to another network namespace";
	if (sk->sk_family != AF_INET && sk->sk_family != AF_INET6)
		return "the socket is neither of IPv4 nor of IPv6";
	if (sk->sk_type != type || sk->sk_protocol != svc->at.proto)
		return "the socket's protocol is not the service's";
	if (!pxs_given_takes(sk, svc->at.family))
		return "the socket takes no packets of the service's address family";
	if (!READ_ONCE(inet_sk(sk)->inet_num))
		return "the socket is not bound to a port";
	if (pxs_given_serves(sk))
		return NULL;
	return pxs_given_is_udp(sk) ? "the socket is connected to one peer" :
				       "the socket does not listen";
}

static void pxs_given_bound(const struct sock *sk, const struct pxs_service *svc,
			    struct pxs_endpoint *at)
{
	memset(at, 0, sizeof(*at));
	at->family = svc->at.family;
	at->proto = svc->at.proto;
	at->port = htons(READ_ONCE(inet_sk(sk)->inet_num));
	if (at->family == AF_INET)
		at->addr.s6_addr32[0] = inet_sk(sk)->inet_rcv_saddr;
#if IS_ENABLED(CONFIG_IPV6)
	else
		at->addr = sk->sk_v6_rcv_saddr;
#endif
}

/* Identity by default: of the socket, so of no other director and no later socket. */
static u64 pxs_given_default_id(const struct pxs_endpoint *at, u64 cookie)
{
	u8 name[16];

	/* As an address it would be multicast: no backend's. */
	memset(name, 0xff, 8);
	memcpy(name + 8, &cookie, sizeof(cookie));
	return pxs_table_default_id(name, ntohs(at->port));
}

static struct pxs_given *pxs_given_alloc(struct sock *sk)
{
	struct pxs_given *s = kzalloc(sizeof(*s), GFP_KERNEL);
	u32 cookie[2];

	if (!s)
		return NULL;
	sock_diag_save_cookie(sk, cookie);
	s->cookie = (u64)cookie[1] << 32 | cookie[0];
	s->sk = sk;
	sock_hold(sk);
	return s;
}

void pxs_given_put(struct pxs_given *s)
{
	sock_put(s->sk);
	kfree(s);
}

static void pxs_given_put_rcu(struct rcu_head *rcu)
{
	pxs_given_put(container_of(rcu, struct pxs_given, rcu));
}

u64 pxs_given_cookie(const struct pxs_given *s)
{
	return s->cookie;
}

int pxs_given_open(struct pxs_service *svc, u32 fd, struct pxs_backend_spec *spec,
		   struct pxs_refusal *no)
{
	struct socket *sock;
	const char *why;
	int err;

	if (svc->mode != PXS_MODE_LOCAL)
		return pxs_refuse(no, -EINVAL, PXS_A_BACKEND_FD,
				  "only services of mode local take sockets as descriptors");
	if (svc->group)
		return pxs_refuse(no, -EINVAL, PXS_A_BACKEND_FD,
				  "a group agrees on this service: a socket is one host's");
	sock = sockfd_lookup(fd, &err);
	if (!sock)
		return pxs_refuse(no, err, PXS_A_BACKEND_FD, err == -ENOTSOCK ?
				  "the descriptor is not a socket" :
				  "the caller has no such descriptor open");
	why = pxs_given_unfit(sock->sk, svc);
	err = why ? pxs_refuse(no, -EINVAL, PXS_A_BACKEND_FD, why) : 0;
	if (!err) {
		spec->socket = pxs_given_alloc(sock->sk);
		err = spec->socket ? 0 : -ENOMEM;
	}
	if (!err) {
		pxs_given_bound(sock->sk, svc, &spec->at);
		spec->id = pxs_given_default_id(&spec->at, spec->socket->cookie);
	}
	sockfd_put(sock);
	return err;
}

bool pxs_given_fill_fits(u8 fill)
{
	return fill != PXS_FILL_KETAMA && fill != PXS_FILL_IPVS_MH &&
	       fill != PXS_FILL_MAGLEV_ENVOY && fill != PXS_FILL_MAGLEV_CILIUM;
}

int pxs_given_check(struct pxs_service *svc, const struct pxs_given *s, struct pxs_refusal *no)
{
	struct pxs_backend *be;

	if (!pxs_given_fill_fits(svc->config.fill))
		return pxs_refuse(no, -EINVAL, PXS_A_BACKEND_FD,
				  "the service's fill tells backends apart by address: sockets may have the same");
	if (pxs_backend_find_socket(svc, s->cookie))
		return pxs_refuse(no, -EEXIST, PXS_A_BACKEND_FD, "the service has this socket");
	if (!pxs_given_is_udp(s->sk))
		return 0;
	rcu_read_lock();
	be = pxs_given_backend(svc->pn, s->sk);
	rcu_read_unlock();
	if (be)
		return pxs_refuse(no, -EADDRINUSE, PXS_A_BACKEND_FD,
				  "another service has this socket: whose reply a datagram is could not be told");
	return 0;
}

static struct pxs_given *pxs_given_of(const struct pxs_backend *be)
{
	return rcu_dereference_protected(be->given, lockdep_is_held(&be->svc->pn->config));
}

/*
 * Does this host take what is sent there, as things are? Of mode local it is meant so; that a
 * backend of nat is this host itself is said by its address alone.
 */
static bool pxs_given_is_here(const struct pxs_service *svc, const struct pxs_endpoint *at)
{
	if (svc->mode == PXS_MODE_LOCAL)
		return true;
	if (at->family == AF_INET)
		return inet_addr_type(svc->pn->net, pxs_endpoint_ip4(at)) == RTN_LOCAL;
#if IS_ENABLED(CONFIG_IPV6)
	/* Also one that is not known to be nobody else's yet. */
	return ipv6_chk_addr_and_flags(svc->pn->net, &at->addr, NULL, true, 0, 0);
#else
	return false;
#endif
}

/* Would a lookup of this address and port find the socket, which is bound to @bound? */
static bool pxs_given_meets(const struct pxs_given *s, const struct pxs_endpoint *bound,
			    const struct pxs_endpoint *at)
{
	return bound->proto == at->proto && bound->port == at->port &&
	       pxs_given_takes(s->sk, at->family) &&
	       (pxs_endpoint_equal(bound, at) || ipv6_addr_any(&bound->addr));
}

/* Would it not be told of a datagram whether the socket or the one by address sent it? */
static bool pxs_given_is_between(const struct pxs_backend_spec *spec, const struct pxs_backend *be)
{
	const struct pxs_given *s;

	if (spec->socket)
		return !be->cookie && pxs_given_meets(spec->socket, &spec->at, &be->at) &&
		       pxs_given_is_here(be->svc, &be->at);
	s = pxs_given_of(be);
	return s && pxs_given_meets(s, &be->at, &spec->at);
}

bool pxs_given_clashes(const struct pxs_service *of, const struct pxs_backend_spec *spec)
{
	const struct pxs_service *svc;
	const struct pxs_backend *be;

	if (!spec->socket && (!of->pn->services.ngiven || !pxs_given_is_here(of, &spec->at)))
		return false;
	list_for_each_entry(svc, &of->pn->services.list, list) {
		if (pxs_service_forwards(svc))
			continue;
		list_for_each_entry(be, &svc->backends, list)
			if (pxs_given_is_between(spec, be))
				return true;
	}
	return false;
}

/* Only datagrams come by here on their way back. */
static bool pxs_given_returns(const struct pxs_backend *be)
{
	return be->at.proto == IPPROTO_UDP;
}

int pxs_given_give(struct pxs_backend *be, struct pxs_given *s)
{
	struct pxs_net *pn = be->svc->pn;
	int err;

	s->be = be;
	if (pxs_given_returns(be)) {
		pxs_ports_add(&pn->services.return_ports, ntohs(be->at.port));
		err = rhashtable_insert_fast(&pn->services.given, &s->node,
					     pxs_given_params);
		if (err) {
			pxs_ports_del(&pn->services.return_ports, ntohs(be->at.port));
			return err;
		}
	}
	WRITE_ONCE(pn->services.ngiven, pn->services.ngiven + 1);
	rcu_assign_pointer(be->given, s);
	queue_delayed_work(system_unbound_wq, &pn->given_work, PXS_GIVEN_TICK);
	return 0;
}

void pxs_given_take(struct pxs_backend *be)
{
	struct pxs_net *pn = be->svc->pn;
	struct pxs_given *s = pxs_given_of(be);

	if (!s)
		return;
	RCU_INIT_POINTER(be->given, NULL);
	WRITE_ONCE(pn->services.ngiven, pn->services.ngiven - 1);
	if (pxs_given_returns(be)) {
		rhashtable_remove_fast(&pn->services.given, &s->node, pxs_given_params);
		pxs_ports_del(&pn->services.return_ports, ntohs(be->at.port));
	}
	call_rcu(&s->rcu, pxs_given_put_rcu);
}

u32 pxs_given_waiting(const struct pxs_backend *be)
{
	const struct pxs_given *s = pxs_given_of(be);

	if (!s)
		return 0;
	if (!pxs_given_is_udp(s->sk))
		return READ_ONCE(s->sk->sk_ack_backlog);
	return skb_queue_len_lockless(&s->sk->sk_receive_queue) +
	       skb_queue_len_lockless(&udp_sk(s->sk)->reader_queue);
}

struct pxs_backend *pxs_given_backend(struct pxs_net *pn, const struct sock *sk)
{
	struct pxs_given *s;

	if (!READ_ONCE(pn->services.ngiven))
		return NULL;
	s = rhashtable_lookup(&pn->services.given, &sk, pxs_given_params);
	return s ? s->be : NULL;
}

struct sock *pxs_given_get(const struct pxs_backend *be)
{
	struct pxs_given *s = rcu_dereference(be->given);

	if (!s || !pxs_given_serves(s->sk))
		return NULL;
	sock_hold(s->sk);
	return s->sk;
}

void pxs_given_found_closed(struct pxs_backend *be)
{
	struct pxs_plan *plan = rcu_dereference(be->svc->plan);

	if (plan && be->index < plan->nbackends && plan->backends[be->index] == be)
		clear_bit(be->index, plan->live);
	mod_delayed_work(system_unbound_wq, &be->svc->pn->given_work, 0);
}

/* What packets noticed at once is the backend's health from now on: it serves nobody any more. */
static void pxs_given_look(struct pxs_backend *be)
{
	struct pxs_backend_change to = {
		.weight = be->weight,
		.state = be->state,
		.health = PXS_HEALTH_BAD,
		.failed = be->failed,
		.deadline = PXS_DRAIN_AS_IS,
		.reason = PXS_GIVEN_CLOSED,
	};
	struct pxs_given *s = pxs_given_of(be);
	struct pxs_refusal no = {};

	if (!be->cookie || be->closed || (s && pxs_given_serves(s->sk)))
		return;
	pxs_given_take(be);
	/* Without memory for a table it is looked at again. */
	if (pxs_backend_set(be, &to, &no))
		return;
	be->closed = true;
	pxs_nl_backend_changed(be);
}

static void pxs_given_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, given_work);
	struct pxs_service *svc;
	struct pxs_backend *be;
	bool again = false;

	mutex_lock(&pn->config);
	list_for_each_entry(svc, &pn->services.list, list) {
		if (svc->mode != PXS_MODE_LOCAL)
			continue;
		list_for_each_entry(be, &svc->backends, list) {
			pxs_given_look(be);
			again |= be->cookie && !be->closed;
		}
		cond_resched();
	}
	if (again)
		queue_delayed_work(system_unbound_wq, &pn->given_work, PXS_GIVEN_TICK);
	mutex_unlock(&pn->config);
}

int pxs_given_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->given_work, pxs_given_work);
	return rhashtable_init(&pn->services.given, &pxs_given_params);
}

void pxs_given_net_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->given_work);
	rhashtable_destroy(&pn->services.given);
}
