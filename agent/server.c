// SPDX-License-Identifier: GPL-2.0
/*
 * server.c - the client port
 *
 * The socket's mode is 0660: who may connect may append, read everything and see the
 * status. Its directory's owner and group decide who that is.
 */
#include "server.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "accept.h"
#include "client.h"
#include "report.h"

struct pxs_server {
	struct pxs_node *node;
	struct pxs_hook hook;
	struct pxs_op accept_op;
	struct pxs_client *clients;
	u32 nclients;
	int fd;
	char *path;
	bool accepting;
	u64 pause;		/* no more is accepted before then */
};

static void accept_next(struct pxs_server *s)
{
	struct io_uring_sqe *sqe;

	if (s->accepting || s->nclients >= PXS_CLIENTS_MAX || s->node->loop.now < s->pause)
		return;
	sqe = pxs_loop_sqe(&s->node->loop);
	io_uring_prep_accept(sqe, s->fd, NULL, NULL, SOCK_CLOEXEC);
	pxs_loop_own(sqe, &s->accept_op);
	s->accepting = true;
}

static void accepted(struct pxs_op *op, int res)
{
	struct pxs_server *s = (struct pxs_server *)((char *)op -
						     offsetof(struct pxs_server, accept_op));
	struct pxs_client *c;

	s->accepting = false;
	res = pxs_accepted(&s->node->loop, s->path, res, &s->pause);
	if (res < 0)
		return;
	c = pxs_client_new(s->node, res);
	if (!c)
		return;
	c->next = s->clients;
	s->clients = c;
	s->nclients++;
}

static bool server_hook(struct pxs_hook *hook)
{
	struct pxs_server *s = (struct pxs_server *)((char *)hook -
						     offsetof(struct pxs_server, hook));
	struct pxs_client **p = &s->clients;
	struct pxs_client *c;
	bool did = false;

	while ((c = *p)) {
		did |= pxs_client_step(c);
		if (!pxs_client_over(c)) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		pxs_client_free(c);
		s->nclients--;
	}
	accept_next(s);
	return did;
}

/* Remove what a dead daemon left; refuse what is alive, or not a socket. */
static int clear_path(const char *path, const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, err;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	err = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : -EADDRINUSE;
	close(fd);
	if (err != -ECONNREFUSED)
		return err;
	return unlink(path) ? -errno : 0;
}

static int listen_on(struct pxs_server *s)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	mode_t mask;
	int err;

	if (strlen(s->path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, s->path);
	err = clear_path(s->path, &sun);
	if (err)
		return err;
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return -errno;
	mask = umask(0117);
	err = bind(s->fd, (struct sockaddr *)&sun, sizeof(sun)) ? -errno : 0;
	umask(mask);
	if (!err && listen(s->fd, 64))
		err = -errno;
	return err;
}

int pxs_server_start(struct pxs_node *n, const char *path)
{
	struct pxs_server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->node = n;
	s->fd = -1;
	s->path = strdup(path);
	err = s->path ? listen_on(s) : -ENOMEM;
	if (err) {
		pxs_err("socket %s: %s", path, strerror(-err));
		if (s->fd >= 0)
			close(s->fd);
		free(s->path);
		free(s);
		return err;
	}
	s->accept_op.done = accepted;
	s->hook.run = server_hook;
	pxs_loop_add_hook(&n->loop, &s->hook);
	n->server = s;
	return 0;
}

void pxs_server_stop(struct pxs_node *n)
{
	struct pxs_server *s = n->server;
	struct pxs_client *c;

	if (!s)
		return;
	while ((c = s->clients)) {
		s->clients = c->next;
		pxs_client_free(c);
	}
	close(s->fd);
	unlink(s->path);
	free(s->path);
	free(s);
	n->server = NULL;
}
