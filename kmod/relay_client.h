/* SPDX-License-Identifier: GPL-2.0 */
/*
 * relay_client.h - one client's connection, and those to backends on its behalf; for relay*.c alone
 *
 * Everything in struct pxs_client belongs to its work, of which one instance runs at a time.
 * Sockets' callbacks only queue the work. A client has connections of its own, one a backend,
 * opened when first needed: replies of a connection then come in the order of its requests, a
 * request that blocks (BLPOP) holds up nobody else, and what one client does to a connection no
 * other one sees.
 */
#ifndef PXS_RELAY_CLIENT_H
#define PXS_RELAY_CLIENT_H

#include <linux/list.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "core/order.h"
#include "core/request.h"
#include "endpoint.h"
#include "relay.h"

#define PXS_RELAY_BUF		PXS_REQUEST_HEAD_MAX
#define PXS_RELAY_PIECES	16
#define PXS_RELAY_TEXT		1024	/* of what is said here, waiting to be sent */
#define PXS_RELAY_CONNECT	(3 * HZ)
#define PXS_RELAY_IDLE		(60 * HZ)	/* a connection to a backend */
#define PXS_RELAY_LINGER	(5 * HZ)	/* for a client's end of the connection */

static_assert(PXS_RELAY_BUF >= PXS_REPLY_HEAD_MAX);

extern struct workqueue_struct *pxs_relay_wq;

/* A socket whose callbacks queue a work. */
struct pxs_relay_sock {
	struct socket *sock;		/* NULL: closed */
	struct work_struct *work;
	void (*data_ready)(struct sock *sk);
	void (*write_space)(struct sock *sk);
	void (*state_change)(struct sock *sk);
};

/* What was read and not used: bytes from..to. Memory is there only while there is something. */
struct pxs_relay_buf {
	u8 *p;				/* PXS_RELAY_BUF bytes, or NULL */
	u32 from, to;
};

/* Bytes to be sent, which lie in a struct pxs_relay_buf or are static: neither may move. */
struct pxs_relay_pieces {
	struct kvec v[PXS_RELAY_PIECES];
	u32 at, n;
};

/* A connection to a backend. */
struct pxs_link {
	struct list_head list;		/* pxs_client.links */
	struct list_head flush;		/* pxs_client.flush, while it has pieces; else empty */
	struct pxs_relay_sock s;
	struct pxs_endpoint at;
	u16 index;			/* of the backend */
	bool listed;			/* it is in pxs_client.by_index: new requests may come */
	bool connecting;
	bool mute;			/* sending failed; replies may still be there */
	u32 outstanding;		/* in pxs_client.order */
	unsigned long since;		/* jiffies: of connect, or of the last reply */
	struct pxs_relay_buf buf;
	struct pxs_relay_pieces out;
};

struct pxs_client {
	struct pxs_relay *relay;
	struct list_head list;		/* pxs_relay.clients or .ended, under its lock */
	struct work_struct work;
	bool stop;			/* its work does nothing any more */
	bool watch;			/* it waits for a time: tick shall queue its work */

	struct pxs_relay_sock s;
	struct pxs_relay_buf buf;
	struct pxs_relay_pieces out;
	char text[PXS_RELAY_TEXT];	/* pieces of out may lie in it */
	u32 text_len;
	bool ending;			/* no more requests: end once all is answered */
	bool closing;			/* all is answered; since when, jiffies */
	unsigned long since;
	unsigned long swept;		/* jiffies: links were looked at */
	struct pxs_cutter cutter;
	struct pxs_order order;
	struct pxs_cut cut;		/* the piece at hand */
	struct pxs_emit emit;		/* likewise */
	struct pxs_link *target;	/* where the request under way goes; NULL: to nobody */
	u32 drained;			/* pxs_relay.drained when it was last looked at */
	u8 failed;			/* connects on behalf of the request at hand */
	struct xarray by_index;		/* struct pxs_link, by index of the backend */
	struct list_head links;
	struct list_head flush;
};

/* relay_client.c. The socket is taken over if it returns 0. */
int pxs_client_new(struct pxs_relay *relay, struct socket *sock);
/* Its work runs no more and never will. Closes what is open. */
void pxs_client_free(struct pxs_client *c);

/* relay_link.c, in the client's work. */
struct pxs_link *pxs_link_get(struct pxs_client *c, const struct pxs_endpoint *at, u16 index);
void pxs_link_fail(struct pxs_client *c, struct pxs_link *link);
int pxs_link_flush(struct pxs_client *c, struct pxs_link *link);
int pxs_links_flush(struct pxs_client *c);
int pxs_link_room(struct pxs_client *c, struct pxs_link *link, u32 pieces);
void pxs_link_add(struct pxs_client *c, struct pxs_link *link, const void *p, u32 len);
void pxs_links_sweep(struct pxs_client *c);
/* Give up those to backends whose drain's deadline has passed, since it was last called. */
void pxs_links_end_drained(struct pxs_client *c);
void pxs_links_close(struct pxs_client *c);
/* Count for a backend, if it is still there. */
void pxs_link_count(struct pxs_client *c, const struct pxs_link *link, int stat, u64 n);

/* relay_sock.c */
void pxs_relay_sock_hook(struct pxs_relay_sock *s, struct socket *sock, struct work_struct *work);
/* @abort: with a reset, so that nothing of it stays with TCP. */
void pxs_relay_sock_close(struct pxs_relay_sock *s, bool abort);
/* @served: the peer is a backend, which is given up if it takes nothing for long. */
void pxs_relay_sock_tune(struct sock *sk, bool served);
/* Return: bytes, 0 at the end of the stream, -EAGAIN, -ENOMEM or the socket's error. */
int pxs_relay_recv(struct pxs_relay_sock *s, struct pxs_relay_buf *buf);
/* Return: 0 all is sent, -EAGAIN some is not, or the socket's error. */
int pxs_relay_send(struct pxs_relay_sock *s, struct pxs_relay_pieces *out);
/* There must be room, unless it goes on where the last piece ended. */
void pxs_relay_add(struct pxs_relay_pieces *out, const void *p, u32 len);
void pxs_relay_buf_release(struct pxs_relay_buf *buf);

#endif /* PXS_RELAY_CLIENT_H */
