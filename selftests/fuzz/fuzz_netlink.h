/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fuzz_netlink.h - link.c on a script instead of a socket, for targets that include it
 *
 * A script is netlink datagrams, 16 bits of length before each and a byte of how.
 */
#ifndef PXS_FUZZ_NETLINK_H
#define PXS_FUZZ_NETLINK_H

#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "fuzz.h"

static ssize_t fuzz_recv(int fd, void *buf, size_t len, int flags);
static int fuzz_poll(struct pollfd *p, nfds_t n, int timeout);
static u32 asked;

#define recv		fuzz_recv
#define poll		fuzz_poll
#define nl_sendto(sock, buf, size)	((void)(sock), (void)(buf), (int)(size))
/* Requests are numbered by us, so that an input means the same each time. */
#define nl_complete_msg(sock, msg)	((void)(sock), (void)(nlmsg_hdr(msg)->nlmsg_seq = ++asked))
#include "link.c"
#undef from

#define FAMILY	29

static struct input script;

static ssize_t fuzz_recv(int fd, void *buf, size_t len, int flags)
{
	size_t n = take16(&script);
	u8 how;

	(void)fd;
	(void)flags;
	if (!script.n) {
		errno = EAGAIN;
		return -1;
	}
	how = take8(&script);
	if (how == 0xff) {
		errno = take8(&script);
		return -1;
	}
	n = min(n, min(len, script.n));
	take(&script, buf, n);
	/* Mostly for us, of our family, and an answer to what was asked. */
	if (!(how & 1) && n >= sizeof(struct nlmsghdr)) {
		struct nlmsghdr *nlh = buf;

		nlh->nlmsg_len = (u32)n;
		nlh->nlmsg_type = how & 2 ? NLMSG_ERROR : FAMILY;
		if (how & 4)
			nlh->nlmsg_seq = asked - (how >> 6);
	}
	/* What is behind the message is no part of it. */
	memset((u8 *)buf + n, 0xa5, len - n);
	return (ssize_t)n;
}

static int fuzz_poll(struct pollfd *p, nfds_t n, int timeout)
{
	(void)p;
	(void)n;
	(void)timeout;
	return 0;	/* nothing will come any more */
}

/* A socket that is none; once. */
static void open_link(struct pxs_link *l)
{
	l->sock = nl_socket_alloc();
	l->event_buf = malloc(LINK_BUF);
	l->call_buf = malloc(LINK_BUF);
	FUZZ_CHECK(l->sock && l->event_buf && l->call_buf);
	l->queue_end = &l->queue;
	l->family = FAMILY;
}

/* Events as readable() hands them over, without the ring. */
static void drain_events(struct pxs_link *l, u32 n)
{
	size_t len = 0;

	while (n-- && !receive(l, l->event_buf, &len)) {
		/* Exactly as long, so that one byte too far is seen. */
		u8 *exact = malloc(len);

		FUZZ_CHECK(exact);
		memcpy(exact, l->event_buf, len);
		dispatch(l, exact, len);
		free(exact);
	}
	link_hook(&l->hook);
}

#endif /* PXS_FUZZ_NETLINK_H */
