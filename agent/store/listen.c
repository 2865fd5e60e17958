// SPDX-License-Identifier: GPL-2.0
/*
 * listen.c - sockets of a store, accepting
 */
#include "store.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../accept.h"
#include "../report.h"

#define BACKLOG		511

static void refuse(int fd)
{
	static const char words[] = "-ERR max number of clients reached\r\n";

	/* As Redis does it: without waiting; who does not see it sees the end. */
	(void)!send(fd, words, sizeof(words) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

static void accepted(struct pxs_op *op, int res)
{
	struct pxs_listener *l = (struct pxs_listener *)((char *)op -
							 offsetof(struct pxs_listener, op));
	struct pxs_store *s = l->store;
	struct pxs_conn *c;
	int one = 1;

	l->accepting = false;
	res = pxs_accepted(&s->node->loop, l->text, res, &l->pause);
	if (res < 0)
		return;
	if (!pxs_place_free(s)) {
		s->rejected++;
		refuse(res);
		return;
	}
	setsockopt(res, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(res, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	c = pxs_conn_new(s, res, l->level);
	if (!c)
		return;
	pxs_place_take(c);
	s->accepted++;
}

void pxs_listen_step(struct pxs_store *s)
{
	struct io_uring_sqe *sqe;
	u32 i;

	for (i = 0; i < s->config->nlisten; i++) {
		struct pxs_listener *l = &s->listener[i];

		if (l->accepting || s->node->loop.now < l->pause)
			continue;
		sqe = pxs_loop_sqe(&s->node->loop);
		io_uring_prep_accept(sqe, l->fd, NULL, NULL, SOCK_CLOEXEC);
		pxs_loop_own(sqe, &l->op);
		l->accepting = true;
	}
}

static int open_socket(const struct pxs_address *a)
{
	int one = 1;
	int fd, err;

	fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (a->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (!bind(fd, &a->sa, a->len) && !listen(fd, BACKLOG))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int pxs_listen_start(struct pxs_store *s)
{
	u32 i;

	for (i = 0; i < PXS_STORE_LISTEN_MAX; i++)
		s->listener[i].fd = -1;
	for (i = 0; i < s->config->nlisten; i++) {
		struct pxs_listener *l = &s->listener[i];

		l->store = s;
		l->text = s->config->listen_text[i];
		l->level = &s->config->level[i];
		l->op.done = accepted;
		l->fd = open_socket(&s->config->listen[i]);
		if (l->fd >= 0)
			continue;
		pxs_err("group %u: store: listen %s: %s", s->replica->id, l->text, strerror(-l->fd));
		pxs_listen_stop(s);
		return -EADDRNOTAVAIL;
	}
	return 0;
}

/*
 * The ring holds a socket on which it waits, and the kernel takes a ring apart when its process is
 * gone already: who starts then would find the address in use. So listening ends here and now.
 */
void pxs_listen_stop(struct pxs_store *s)
{
	u32 i;

	for (i = 0; i < PXS_STORE_LISTEN_MAX; i++) {
		if (s->listener[i].fd < 0)
			continue;
		shutdown(s->listener[i].fd, SHUT_RDWR);
		close(s->listener[i].fd);
	}
}
