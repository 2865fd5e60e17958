// SPDX-License-Identifier: GPL-2.0
/*
 * relay_link.c - a client's connections to backends
 *
 * All of it runs in the client's work, or when that runs no more. A connection ends with a reset:
 * nobody waits for its end, what it was asked has been answered or will not be, and no port stays
 * behind. One that ended stays in the client's list while replies of it are awaited: errors go in
 * their place.
 */
#include "pxs.h"

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "backend.h"
#include "pernet.h"
#include "relay_client.h"
#include "service.h"

/* Under RCU: its backend, or NULL when that is gone. */
static struct pxs_backend *pxs_link_backend(const struct pxs_client *c, const struct pxs_link *link)
{
	const struct pxs_plan *plan = rcu_dereference(c->relay->svc->plan);
	struct pxs_backend *be;

	be = plan && link->index < plan->nbackends ? plan->backends[link->index] : NULL;
	return be && pxs_endpoint_equal(&be->at, &link->at) ? be : NULL;
}

void pxs_link_count(struct pxs_client *c, const struct pxs_link *link, int stat, u64 n)
{
	struct pxs_backend *be;

	pxs_stat_add(c->relay->svc->stats, stat, n);
	rcu_read_lock();
	be = pxs_link_backend(c, link);
	if (be)
		pxs_stat_add(be->stats, stat, n);
	rcu_read_unlock();
}

/* No new request goes by it. */
static void pxs_link_unlist(struct pxs_client *c, struct pxs_link *link)
{
	if (!link->listed)
		return;
	link->listed = false;
	xa_erase(&c->by_index, link->index);
}

static void pxs_link_drop_pieces(struct pxs_link *link)
{
	link->out.at = 0;
	link->out.n = 0;
	list_del_init(&link->flush);
}

/* What was read of it can be used still. */
static void pxs_link_shut(struct pxs_client *c, struct pxs_link *link)
{
	pxs_link_unlist(c, link);
	pxs_link_drop_pieces(link);
	pxs_relay_sock_close(&link->s, true);
	link->connecting = false;
}

void pxs_link_fail(struct pxs_client *c, struct pxs_link *link)
{
	if (!link->s.sock)
		return;
	if (link->outstanding)
		pxs_link_count(c, link, PXS_STEER_STAT_LOST, link->outstanding);
	pxs_link_shut(c, link);
}

/* No piece that is to be sent to the client may lie in its buffer. */
static void pxs_link_free(struct pxs_client *c, struct pxs_link *link)
{
	pxs_link_shut(c, link);
	if (c->target == link)
		c->target = NULL;
	list_del(&link->list);
	kfree(link->buf.p);
	kfree(link);
}

static int pxs_link_connect(struct pxs_link *link, struct socket *sock)
{
	union {
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} to = {};
	int len = sizeof(to.in), err;

	if (link->at.family == AF_INET) {
		to.in.sin_family = AF_INET;
		to.in.sin_addr.s_addr = pxs_endpoint_ip4(&link->at);
		to.in.sin_port = link->at.port;
	} else {
		len = sizeof(to.in6);
		to.in6.sin6_family = AF_INET6;
		to.in6.sin6_addr = link->at.addr;
		to.in6.sin6_port = link->at.port;
	}
	/* Its type has changed its name. */
	err = kernel_connect(sock, (void *)&to, len, O_NONBLOCK);
	return err == -EINPROGRESS ? 0 : err;
}

/* Does it speak of the backend or the way there, not of what this host lacks or forbids? */
static bool pxs_link_blames(int err)
{
	return err == -ECONNREFUSED || err == -ETIMEDOUT || err == -EHOSTUNREACH ||
	       err == -ENETUNREACH;
}

/* What is counted of the backend may take it out: passive.c. It is passed over in any case. */
static void pxs_link_refused(struct pxs_client *c, struct pxs_link *link, int err)
{
	if (pxs_link_blames(err))
		pxs_link_count(c, link, PXS_STEER_STAT_CONNECT_FAILED, 1);
	else
		pxs_stat_inc(c->relay->svc->stats, PXS_STEER_STAT_CONNECT_FAILED);
	set_bit(link->index, c->relay->out);
}

static struct pxs_link *pxs_link_new(struct pxs_client *c, const struct pxs_endpoint *at, u16 index)
{
	struct pxs_link *link;
	struct socket *sock;
	int err;

	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		return ERR_PTR(-ENOMEM);
	link->at = *at;
	link->index = index;
	INIT_LIST_HEAD(&link->flush);
	err = sock_create_kern(c->relay->svc->pn->net, at->family, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		goto err_free;
	pxs_relay_sock_tune(sock->sk, true);
	pxs_relay_sock_hook(&link->s, sock, &c->work);
	err = xa_err(xa_store(&c->by_index, index, link, GFP_KERNEL));
	if (err)
		goto err_close;
	link->listed = true;
	list_add_tail(&link->list, &c->links);
	link->connecting = true;
	link->since = jiffies;
	err = pxs_link_connect(link, sock);
	if (!err)
		return link;
	pxs_link_refused(c, link, err);
	pxs_link_free(c, link);
	return ERR_PTR(err);

err_close:
	pxs_relay_sock_close(&link->s, true);
err_free:
	kfree(link);
	return ERR_PTR(err);
}

/* 0, -EAGAIN: not yet, or why not. */
static int pxs_link_connected(struct pxs_link *link)
{
	switch (inet_sk_state_load(link->s.sock->sk)) {
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return time_after(jiffies, link->since + PXS_RELAY_CONNECT) ? -ETIMEDOUT : -EAGAIN;
	case TCP_ESTABLISHED:
	case TCP_CLOSE_WAIT:
		link->connecting = false;
		return 0;
	default:
		return -ECONNREFUSED;
	}
}

/* The backend has said that it sends or takes no more. Lock-free; true may come too late. */
static bool pxs_link_ended(const struct pxs_link *link)
{
	return inet_sk_state_load(link->s.sock->sk) != TCP_ESTABLISHED;
}

/* Nothing was asked: did it end, or speak unasked? Likewise. */
static bool pxs_link_stale(const struct pxs_link *link)
{
	return pxs_link_ended(link) || link->buf.from != link->buf.to ||
	       !skb_queue_empty_lockless(&link->s.sock->sk->sk_receive_queue);
}

static bool pxs_link_rests(const struct pxs_link *link)
{
	return !link->outstanding && list_empty(&link->flush);
}

/*
 * One that is ready for a request. Return: it, or ERR_PTR: -EAGAIN: the work is queued once there
 * is news; others: it can't be had.
 */
struct pxs_link *pxs_link_get(struct pxs_client *c, const struct pxs_endpoint *at, u16 index)
{
	struct pxs_link *link = xa_load(&c->by_index, index);
	int err;

	/* Another backend had this index. What it was asked it may answer. */
	if (link && !pxs_endpoint_equal(&link->at, at)) {
		pxs_link_unlist(c, link);
		link = NULL;
	}
	if (link && !link->connecting && pxs_link_rests(link) && pxs_link_stale(link)) {
		pxs_link_shut(c, link);
		link = NULL;
	} else if (link && !link->connecting && pxs_link_ended(link)) {
		/* Replies may still be there. */
		pxs_link_unlist(c, link);
		link = NULL;
	}
	if (!link)
		link = pxs_link_new(c, at, index);
	if (IS_ERR(link) || !link->connecting)
		return link;
	err = pxs_link_connected(link);
	if (!err)
		return link;
	if (err == -EAGAIN) {
		c->watch = true;
		return ERR_PTR(err);
	}
	pxs_link_refused(c, link, err);
	pxs_link_free(c, link);
	return ERR_PTR(err);
}

/* 0, or -EAGAIN. An error is the connection's: what it says still may be a reply. */
int pxs_link_flush(struct pxs_client *c, struct pxs_link *link)
{
	int err;

	if (list_empty(&link->flush))
		return 0;
	err = pxs_relay_send(&link->s, &link->out);
	if (err == -EAGAIN)
		return err;
	if (err) {
		link->mute = true;
		pxs_link_unlist(c, link);
	}
	pxs_link_drop_pieces(link);
	return 0;
}

int pxs_links_flush(struct pxs_client *c)
{
	struct pxs_link *link, *next;
	int err = 0;

	list_for_each_entry_safe(link, next, &c->flush, flush)
		err = pxs_link_flush(c, link) ?: err;
	return err;
}

int pxs_link_room(struct pxs_client *c, struct pxs_link *link, u32 pieces)
{
	if (link->out.n + pieces <= PXS_RELAY_PIECES)
		return 0;
	return pxs_link_flush(c, link);
}

void pxs_link_add(struct pxs_client *c, struct pxs_link *link, const void *p, u32 len)
{
	if (!link->s.sock || link->mute)
		return;
	pxs_relay_add(&link->out, p, len);
	if (link->out.n && list_empty(&link->flush))
		list_add_tail(&link->flush, &c->flush);
}

static bool pxs_link_is_of_plan(struct pxs_client *c, const struct pxs_link *link)
{
	bool is;

	rcu_read_lock();
	is = pxs_link_backend(c, link);
	rcu_read_unlock();
	return is;
}

static bool pxs_link_is_drained(const struct pxs_client *c, const struct pxs_link *link)
{
	const struct pxs_backend *be;
	bool is;

	rcu_read_lock();
	be = pxs_link_backend(c, link);
	is = be && READ_ONCE(be->drain.passed);
	rcu_read_unlock();
	return is;
}

void pxs_links_end_drained(struct pxs_client *c)
{
	/* Before any drain.passed: what is not seen here the work queued behind looks for. */
	u32 drained = smp_load_acquire(&c->relay->drained);
	struct pxs_link *link;

	if (likely(drained == c->drained))
		return;
	c->drained = drained;
	list_for_each_entry(link, &c->links, list)
		if (pxs_link_is_drained(c, link))
			pxs_link_fail(c, link);
}

/* Give up those that nobody needs. Not while there are pieces for the client. */
void pxs_links_sweep(struct pxs_client *c)
{
	struct pxs_link *link, *next;

	list_for_each_entry_safe(link, next, &c->links, list) {
		if (!pxs_link_rests(link) || link == c->target)
			continue;
		pxs_relay_buf_release(&link->buf);
		if (!link->s.sock || !link->listed) {
			pxs_link_free(c, link);
			continue;
		}
		/* Who asked for it tells sooner that it failed, if he still does. */
		if (link->connecting && time_before(jiffies, link->since + 2 * PXS_RELAY_CONNECT))
			continue;
		if (pxs_link_stale(link) || time_after(jiffies, link->since + PXS_RELAY_IDLE) ||
		    !pxs_link_is_of_plan(c, link))
			pxs_link_free(c, link);
	}
}

void pxs_links_close(struct pxs_client *c)
{
	struct pxs_link *link, *next;

	list_for_each_entry_safe(link, next, &c->links, list)
		pxs_link_free(c, link);
}
