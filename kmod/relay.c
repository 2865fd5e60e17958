// SPDX-License-Identifier: GPL-2.0
/*
 * relay.c - TCP by request: the listener, and who came by it
 *
 * open, listen and close run under pxs_net.config, so one at a time; the relay's work and tick in
 * process context beside them. Works never take pxs_net.config: close waits for them under it.
 * A client's work hands the client over to the relay's work by the list ended; only that one frees
 * clients, and, when it was stopped for good, close.
 */
#include "pxs.h"

#include <linux/err.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "core/request.h"
#include "pernet.h"
#include "relay.h"
#include "relay_client.h"
#include "service.h"

#define PXS_RELAY_ACCEPTS	64	/* of a run, then others have their turn */
#define PXS_RELAY_BACKLOG	4096

struct workqueue_struct *pxs_relay_wq;

/*
 * Connections that nobody has accepted yet have this callback, too, and the same user data: their
 * state tells them from the listener.
 */
static void pxs_relay_ready(struct sock *sk)
{
	struct pxs_relay *relay;

	if (sk->sk_state != TCP_LISTEN)
		return;
	read_lock_bh(&sk->sk_callback_lock);
	relay = sk->sk_user_data;
	if (relay)
		queue_work(pxs_relay_wq, &relay->work);
	read_unlock_bh(&sk->sk_callback_lock);
}

/* What it inherited from the listener. */
static void pxs_relay_disown(struct pxs_relay *relay, struct sock *sk)
{
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = relay->ready;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void pxs_relay_accept(struct pxs_relay *relay)
{
	struct socket *sock;
	int i, err;

	for (i = 0; i < PXS_RELAY_ACCEPTS; i++) {
		err = kernel_accept(relay->listener, &sock, O_NONBLOCK);
		if (err == -EAGAIN)
			return;
		if (err) {
			/* No memory: nobody says once more that somebody waits. */
			queue_delayed_work(pxs_relay_wq, &relay->tick, HZ);
			return;
		}
		pxs_relay_disown(relay, sock->sk);
		/* A limit, not a promise: ended ones are counted out a little later. */
		if (READ_ONCE(relay->n) < PXS_REQUEST_CLIENTS_MAX)
			err = pxs_client_new(relay, sock);
		else
			err = -EMFILE;
		if (err) {
			pxs_stat_inc(relay->svc->stats, PXS_STEER_STAT_CLIENTS_REFUSED);
			sock_no_linger(sock->sk);
			sock_release(sock);
			continue;
		}
		pxs_stat_inc(relay->svc->stats, PXS_STEER_STAT_CLIENTS);
		queue_delayed_work(pxs_relay_wq, &relay->tick, HZ);
	}
	queue_work(pxs_relay_wq, &relay->work);
}

/* Return: one off the list, or NULL. */
static struct pxs_client *pxs_relay_take_ended(struct pxs_relay *relay)
{
	struct pxs_client *c;

	spin_lock(&relay->lock);
	c = list_first_entry_or_null(&relay->ended, struct pxs_client, list);
	if (c)
		list_del(&c->list);
	spin_unlock(&relay->lock);
	return c;
}

static void pxs_relay_work(struct work_struct *work)
{
	struct pxs_relay *relay = container_of(work, struct pxs_relay, work);
	struct pxs_client *c;

	if (READ_ONCE(relay->closing))
		return;
	pxs_relay_accept(relay);
	while ((c = pxs_relay_take_ended(relay)))
		pxs_client_free(c);
}

static void pxs_relay_tick(struct work_struct *work)
{
	struct pxs_relay *relay = container_of(to_delayed_work(work), struct pxs_relay, tick);
	struct pxs_client *c;
	bool again;
	u32 i;

	for_each_set_bit(i, relay->out, PXS_BACKENDS_FEW)
		clear_bit(i, relay->out);
	spin_lock(&relay->lock);
	list_for_each_entry(c, &relay->clients, list)
		if (READ_ONCE(c->watch))
			queue_work(pxs_relay_wq, &c->work);
	again = !list_empty(&relay->clients);
	spin_unlock(&relay->lock);
	queue_work(pxs_relay_wq, &relay->work);
	if (again && !READ_ONCE(relay->closing))
		queue_delayed_work(pxs_relay_wq, &relay->tick, HZ);
}

static int pxs_relay_bind(struct socket *sock, const struct pxs_endpoint *at)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr = {};

	if (at->family == AF_INET) {
		addr.in.sin_family = AF_INET;
		addr.in.sin_addr.s_addr = pxs_endpoint_ip4(at);
		addr.in.sin_port = at->port;
		return kernel_bind(sock, (void *)&addr, sizeof(addr.in));
	}
	addr.in6.sin6_family = AF_INET6;
	addr.in6.sin6_addr = at->addr;
	addr.in6.sin6_port = at->port;
	return kernel_bind(sock, (void *)&addr, sizeof(addr.in6));
}

static int pxs_relay_open_listener(struct pxs_relay *relay, struct pxs_refusal *no)
{
	const struct pxs_endpoint *at = &relay->svc->at;
	struct socket *sock;
	int err;

	err = sock_create_kern(relay->svc->pn->net, at->family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return pxs_refuse(no, err, PXS_A_SERVICE_ADDR,
				  "this address family is not available here");
	sock_set_reuseaddr(sock->sk);
	/* An address that moves between hosts may come later. */
	ip_sock_set_freebind(sock->sk);
	err = pxs_relay_bind(sock, at);
	if (err) {
		sock_release(sock);
		return pxs_refuse(no, err, PXS_A_SERVICE_ADDR, PXS_RELAY_TAKEN);
	}
	relay->listener = sock;
	relay->ready = sock->sk->sk_data_ready;
	write_lock_bh(&sock->sk->sk_callback_lock);
	sock->sk->sk_user_data = relay;
	sock->sk->sk_data_ready = pxs_relay_ready;
	write_unlock_bh(&sock->sk->sk_callback_lock);
	return 0;
}

struct pxs_relay *pxs_relay_open(struct pxs_service *svc, struct pxs_refusal *no)
{
	struct pxs_relay *relay;
	int err;

	relay = kzalloc(sizeof(*relay), GFP_KERNEL);
	if (!relay)
		return ERR_PTR(-ENOMEM);
	relay->svc = svc;
	relay->proto = svc->config.key.rule == PXS_KEY_REDIS ? PXS_REQUEST_REDIS :
							      PXS_REQUEST_MEMCACHED;
	INIT_WORK(&relay->work, pxs_relay_work);
	INIT_DELAYED_WORK(&relay->tick, pxs_relay_tick);
	spin_lock_init(&relay->lock);
	INIT_LIST_HEAD(&relay->clients);
	INIT_LIST_HEAD(&relay->ended);
	err = pxs_relay_open_listener(relay, no);
	if (err) {
		kfree(relay);
		return ERR_PTR(err);
	}
	return relay;
}

int pxs_relay_listen(struct pxs_relay *relay)
{
	return kernel_listen(relay->listener, PXS_RELAY_BACKLOG);
}

static void pxs_relay_close_listener(struct pxs_relay *relay)
{
	pxs_relay_disown(relay, relay->listener->sk);
	cancel_work_sync(&relay->work);
	cancel_delayed_work_sync(&relay->tick);
	sock_release(relay->listener);
}

/* All at once: as long as others run, there is little time for who waits for one of them. */
static void pxs_relay_stop_clients(struct pxs_relay *relay)
{
	struct pxs_client *c;

	spin_lock(&relay->lock);
	list_for_each_entry(c, &relay->clients, list)
		WRITE_ONCE(c->stop, true);
	spin_unlock(&relay->lock);
}

/* Works may move a client to ended meanwhile, but nobody else frees one any more. */
static struct pxs_client *pxs_relay_any(struct pxs_relay *relay)
{
	struct pxs_client *c;

	spin_lock(&relay->lock);
	c = list_first_entry_or_null(&relay->clients, struct pxs_client, list) ?:
	    list_first_entry_or_null(&relay->ended, struct pxs_client, list);
	spin_unlock(&relay->lock);
	return c;
}

void pxs_relay_close(struct pxs_relay *relay)
{
	struct pxs_client *c;

	WRITE_ONCE(relay->closing, true);
	pxs_relay_close_listener(relay);
	pxs_relay_stop_clients(relay);
	while ((c = pxs_relay_any(relay))) {
		cancel_work_sync(&c->work);
		spin_lock(&relay->lock);
		list_del(&c->list);
		spin_unlock(&relay->lock);
		pxs_client_free(c);
	}
	/* The last ones queued it when they ended. */
	cancel_work_sync(&relay->work);
	kfree(relay);
}

void pxs_relay_end(struct pxs_relay *relay)
{
	struct pxs_client *c;

	spin_lock(&relay->lock);
	/* Who sees the new number sees whose deadline has passed: pxs_links_end_drained(). */
	smp_store_release(&relay->drained, relay->drained + 1);
	list_for_each_entry(c, &relay->clients, list)
		queue_work(pxs_relay_wq, &c->work);
	spin_unlock(&relay->lock);
}

int pxs_relays_init(void)
{
	pxs_relay_wq = alloc_workqueue("paxsteer_relay", WQ_UNBOUND, 0);
	return pxs_relay_wq ? 0 : -ENOMEM;
}

void pxs_relays_exit(void)
{
	destroy_workqueue(pxs_relay_wq);
}
