// SPDX-License-Identifier: GPL-2.0
/*
 * test_link.c - the netlink socket's messages are handed over in the order they came in
 *
 * The test is the kernel: what recv() gives, and what it sends as an answer to a request.
 */
#include "unit.h"

#include <errno.h>
#include <netlink/genl/ctrl.h>
#include <poll.h>
#include <sys/socket.h>

#include <linux/paxsteer.h>

#include "link.h"

#define MESSAGES	16u

static struct nlmsghdr mail[MESSAGES];	/* no body: a message is known by its number */
static u32 in, taken;
static u32 order[MESSAGES], seen;
static u32 behind;			/* comes with the answer to the next request */
static bool unanswered;			/* the answer is lost, and events go on coming */
static u64 clock_ms;
static struct pxs_link l;
static struct io_uring_sqe sqe;

static void comes(u32 number, u32 type)
{
	mail[in++] = (struct nlmsghdr){ .nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = (u16)type,
					.nlmsg_seq = number };
}

/* --- what link.c calls --- */

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	(void)fd;
	(void)len;
	(void)flags;
	if (unanswered) {
		if (clock_ms >= 20000) {
			errno = ECONNRESET;
			return -1;
		}
		mail[0].nlmsg_seq = 1000000;
		memcpy(buf, &mail[0], sizeof(mail[0]));
		clock_ms += 1000;
		return sizeof(mail[0]);
	}
	if (taken == in) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buf, &mail[taken], sizeof(mail[0]));
	taken++;
	return sizeof(mail[0]);
}

int nl_sendto(struct nl_sock *sock, void *buf, size_t size)
{
	struct nlmsghdr *nlh = buf;

	(void)sock;
	/* One came before the kernel took the request, its answer, and one more. */
	comes(behind, NLMSG_MIN_TYPE);
	comes(nlh->nlmsg_seq, NLMSG_MIN_TYPE);
	comes(behind + 1, NLMSG_MIN_TYPE);
	return (int)size;
}

u64 pxs_clock_ms(void)
{
	return clock_ms;
}

int genl_connect(struct nl_sock *sock)
{
	(void)sock;
	return 0;
}

int genl_ctrl_resolve(struct nl_sock *sock, const char *name)
{
	(void)sock;
	(void)name;
	return NLMSG_MIN_TYPE;
}

struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *loop)
{
	(void)loop;
	return &sqe;
}

void pxs_loop_own(struct io_uring_sqe *e, struct pxs_op *op)
{
	(void)e;
	(void)op;
}

void pxs_loop_add_hook(struct pxs_loop *loop, struct pxs_hook *hook)
{
	(void)loop;
	(void)hook;
}

/* --- what it calls back --- */

static void no_reply(void *ctx, struct nlmsghdr *nlh)
{
	(void)ctx;
	(void)nlh;
}

/* The first event makes its handler ask for something, as a lesson does. */
static void event(void *ctx, struct nlmsghdr *nlh)
{
	(void)ctx;
	order[seen++] = nlh->nlmsg_seq;
	if (nlh->nlmsg_seq == 1)
		CHECK_EQ(pxs_link_call(&l, pxs_link_msg(&l, PXS_CMD_GROUP_SEND), no_reply, NULL),
			 0);
}

static void in_the_order_they_came(void)
{
	u32 i;

	l.event = event;
	CHECK_EQ(pxs_link_open(&l, NULL), 0);
	comes(1, NLMSG_MIN_TYPE);
	behind = 2;
	l.op.done(&l.op, POLLIN);
	l.hook.run(&l.hook);
	CHECK_EQ(seen, 3);
	for (i = 0; i < seen; i++)
		CHECK_EQ(order[i], i + 1);
	pxs_link_close(&l);
}

static void events_do_not_put_off_the_end(void)
{
	l.event = no_reply;
	CHECK_EQ(pxs_link_open(&l, NULL), 0);
	in = 0;
	taken = 0;
	unanswered = true;
	CHECK_EQ(pxs_link_call(&l, pxs_link_msg(&l, PXS_CMD_GROUP_SEND), no_reply, NULL),
		 -ETIMEDOUT);
	CHECK_EQ(clock_ms, 10000);
	unanswered = false;
	pxs_link_close(&l);
}

int main(void)
{
	RUN(in_the_order_they_came);
	RUN(events_do_not_put_off_the_end);
	return unit_done();
}
