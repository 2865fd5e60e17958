// SPDX-License-Identifier: GPL-2.0
/*
 * relay_sock.c - kernel sockets whose callbacks queue a work
 *
 * sk_user_data and the callbacks are written under sk_callback_lock, and read under it by the
 * callbacks, in softirq or in a process that holds the socket: once hook is undone, no callback
 * queues the work. All else runs in that work, never sleeps for the peer, and takes the socket's
 * lock inside TCP.
 *
 * These sockets don't hold their namespace (sock_create_kern). TCP forgets the timers of such a
 * socket when it is closed, so it is closed only when nothing of it is left to be sent, or reset.
 */
#include "pxs.h"

#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tcp_states.h>

#include "relay_client.h"

#define PXS_RELAY_KEEPIDLE	60		/* seconds: then ask the peer whether it is there */
#define PXS_RELAY_KEEPINTVL	10
#define PXS_RELAY_KEEPCNT	3
#define PXS_RELAY_UNACKED	30000		/* ms without a byte taken: then a backend is not */

static void pxs_relay_wake(struct sock *sk)
{
	struct pxs_relay_sock *s;

	read_lock_bh(&sk->sk_callback_lock);
	s = sk->sk_user_data;
	if (s)
		queue_work(pxs_relay_wq, s->work);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void pxs_relay_write_space(struct sock *sk)
{
	if (!sk_stream_is_writeable(sk))
		return;
	if (sk->sk_socket)
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	pxs_relay_wake(sk);
}

void pxs_relay_sock_hook(struct pxs_relay_sock *s, struct socket *sock, struct work_struct *work)
{
	struct sock *sk = sock->sk;

	s->sock = sock;
	s->work = work;
	write_lock_bh(&sk->sk_callback_lock);
	s->data_ready = sk->sk_data_ready;
	s->write_space = sk->sk_write_space;
	s->state_change = sk->sk_state_change;
	sk->sk_user_data = s;
	sk->sk_data_ready = pxs_relay_wake;
	sk->sk_write_space = pxs_relay_write_space;
	sk->sk_state_change = pxs_relay_wake;
	write_unlock_bh(&sk->sk_callback_lock);
}

void pxs_relay_sock_close(struct pxs_relay_sock *s, bool abort)
{
	struct sock *sk;

	if (!s->sock)
		return;
	sk = s->sock->sk;
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	sk->sk_data_ready = s->data_ready;
	sk->sk_write_space = s->write_space;
	sk->sk_state_change = s->state_change;
	write_unlock_bh(&sk->sk_callback_lock);
	if (abort)
		sock_no_linger(sk);
	sock_release(s->sock);
	s->sock = NULL;
}

void pxs_relay_sock_tune(struct sock *sk, bool served)
{
	tcp_sock_set_nodelay(sk);
	sock_set_keepalive(sk);
	tcp_sock_set_keepidle(sk, PXS_RELAY_KEEPIDLE);
	tcp_sock_set_keepintvl(sk, PXS_RELAY_KEEPINTVL);
	tcp_sock_set_keepcnt(sk, PXS_RELAY_KEEPCNT);
	if (served)
		tcp_sock_set_user_timeout(sk, PXS_RELAY_UNACKED);
}

/* Room for more behind what is there. */
static int pxs_relay_buf_ready(struct pxs_relay_buf *buf)
{
	if (!buf->p) {
		buf->p = kmalloc(PXS_RELAY_BUF, GFP_KERNEL);
		if (!buf->p)
			return -ENOMEM;
		buf->from = 0;
		buf->to = 0;
	}
	if (buf->from == buf->to) {
		buf->from = 0;
		buf->to = 0;
	}
	if (buf->to < PXS_RELAY_BUF || !buf->from)
		return 0;
	memmove(buf->p, buf->p + buf->from, buf->to - buf->from);
	buf->to -= buf->from;
	buf->from = 0;
	return 0;
}

/*
 * Would a read find nothing? Most runs end by looking at sockets that have nothing yet, and TCP
 * takes the socket's lock to say so. What comes right behind this look is not missed: its callback
 * queues the work again. The end of the stream and errors change the state: TCP tells of them.
 */
static bool pxs_relay_dry(const struct sock *sk)
{
	return skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	       inet_sk_state_load(sk) == TCP_ESTABLISHED;
}

int pxs_relay_recv(struct pxs_relay_sock *s, struct pxs_relay_buf *buf)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec v;
	int ret;

	if (!s->sock)
		return -ENOTCONN;
	if (pxs_relay_dry(s->sock->sk))
		return -EAGAIN;
	ret = pxs_relay_buf_ready(buf);
	if (ret)
		return ret;
	v.iov_base = buf->p + buf->to;
	v.iov_len = PXS_RELAY_BUF - buf->to;
	/* The core asks for no more than fits. */
	if (WARN_ON_ONCE(!v.iov_len))
		return -EMSGSIZE;
	ret = kernel_recvmsg(s->sock, &msg, &v, 1, v.iov_len, MSG_DONTWAIT);
	if (ret > 0)
		buf->to += ret;
	return ret;
}

static u32 pxs_relay_pieces_len(const struct pxs_relay_pieces *out)
{
	u32 i, len = 0;

	for (i = out->at; i < out->n; i++)
		len += out->v[i].iov_len;
	return len;
}

/* @sent bytes are gone. */
static void pxs_relay_sent(struct pxs_relay_pieces *out, u32 sent)
{
	struct kvec *v;

	while (sent) {
		v = &out->v[out->at];
		if (sent < v->iov_len) {
			v->iov_base += sent;
			v->iov_len -= sent;
			return;
		}
		sent -= v->iov_len;
		out->at++;
	}
}

int pxs_relay_send(struct pxs_relay_sock *s, struct pxs_relay_pieces *out)
{
	struct msghdr msg;
	int ret;

	while (out->at < out->n) {
		msg = (struct msghdr){ .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
		if (!s->sock)
			return -ENOTCONN;
		ret = kernel_sendmsg(s->sock, &msg, &out->v[out->at], out->n - out->at,
				     pxs_relay_pieces_len(out));
		if (ret <= 0)
			return ret ?: -EPIPE;
		pxs_relay_sent(out, ret);
	}
	out->at = 0;
	out->n = 0;
	return 0;
}

void pxs_relay_add(struct pxs_relay_pieces *out, const void *p, u32 len)
{
	struct kvec *last = out->n > out->at ? &out->v[out->n - 1] : NULL;

	if (!len)
		return;
	if (last && last->iov_base + last->iov_len == p) {
		last->iov_len += len;
		return;
	}
	if (WARN_ON_ONCE(out->n == PXS_RELAY_PIECES))
		return;
	out->v[out->n].iov_base = (void *)p;
	out->v[out->n++].iov_len = len;
}

void pxs_relay_buf_release(struct pxs_relay_buf *buf)
{
	if (buf->from != buf->to)
		return;
	kfree(buf->p);
	*buf = (struct pxs_relay_buf){};
}
