// SPDX-License-Identifier: GPL-2.0
/*
 * udp.c - the sockets of the user datapath
 *
 * The ring says when a socket has something; then it is read until it is empty, at
 * most BURST datagrams a round, so that timers and clients get their turn.
 */
#include "udp.h"

#include <poll.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

#define BURST	64
#define BUFFER	(4 << 20)

static void listen_again(struct pxs_udp *udp)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(udp->loop);

	io_uring_prep_poll_add(sqe, udp->fd, POLLIN);
	pxs_loop_own(sqe, &udp->op);
}

static void readable(struct pxs_op *op, int res)
{
	struct pxs_udp *udp = (struct pxs_udp *)((char *)op - offsetof(struct pxs_udp, op));
	unsigned int i;
	ssize_t n;

	if (res == -ECANCELED)
		return;
	for (i = 0; i < BURST; i++) {
		/* MSG_TRUNC: the true size, so that what is too long is seen to be. */
		n = recv(udp->fd, udp->buf, PXS_WIRE_MAX, MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n < 0)
			continue;	/* an ICMP error of an earlier send */
		if ((size_t)n <= PXS_WIRE_MAX)
			udp->receive(udp->ctx, udp->buf, (size_t)n);
	}
	listen_again(udp);
}

static int bind_socket(struct pxs_udp *udp)
{
	int size = BUFFER, on = 1;

	udp->fd = socket(udp->address.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (udp->fd < 0)
		return -errno;
	if (setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(udp->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(udp->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		setsockopt(udp->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (udp->address.sa.sa_family == AF_INET6 &&
	    setsockopt(udp->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)))
		return -errno;
	if (bind(udp->fd, &udp->address.sa, udp->address.len))
		return -errno;
	return 0;
}

int pxs_udp_get(struct pxs_udp **list, struct pxs_loop *loop, const struct pxs_address *address,
		void (*receive)(void *ctx, u8 *buf, size_t size), void *ctx,
		struct pxs_udp **udp)
{
	struct pxs_udp *u;
	int err;

	for (u = *list; u; u = u->next) {
		if (u->address.len == address->len &&
		    !memcmp(&u->address.storage, &address->storage, address->len)) {
			*udp = u;
			return 0;
		}
	}
	u = calloc(1, sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->buf = malloc(PXS_WIRE_MAX);
	u->loop = loop;
	u->address = *address;
	u->receive = receive;
	u->ctx = ctx;
	u->op.done = readable;
	err = u->buf ? bind_socket(u) : -ENOMEM;
	if (err) {
		if (u->fd > 0)
			close(u->fd);
		free(u->buf);
		free(u);
		return err;
	}
	u->next = *list;
	*list = u;
	*udp = u;
	listen_again(u);
	return 0;
}

int pxs_udp_send(struct pxs_udp *udp, const struct pxs_address *to, const void *buf, size_t size)
{
	ssize_t n = sendto(udp->fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL, &to->sa, to->len);

	return n == (ssize_t)size ? 0 : -errno;
}

void pxs_udp_close_all(struct pxs_udp **list)
{
	struct pxs_udp *u;

	while ((u = *list)) {
		*list = u->next;
		close(u->fd);
		free(u->buf);
		free(u);
	}
}
