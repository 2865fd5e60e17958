// SPDX-License-Identifier: GPL-2.0
/*
 * link.c - the netlink socket between the agent and the module
 *
 * NETLINK_NO_ENOBUFS: an overrun must not close the socket for everything until it is
 * empty; what was lost shows by LSN, and the module sends records again. A link with an
 * overrun() wants to know instead.
 */
#include "link.h"

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <poll.h>
#include <sys/socket.h>

#include <linux/paxsteer.h>

#include "nlerror.h"
#include "report.h"

#define LINK_BUF	(128u << 10)	/* an event is at most PXS_APPEND_MAX and headers */
#define LINK_SMALL	1024u		/* every message but those that carry values or records */
#define LINK_RCVBUF	(8 << 20)
#define LINK_RCVBUF_EVENTS (1 << 20)	/* where an overrun is mended by reading anew */
#define LINK_BURST	64
#define ANSWER_MS	10000

#define from(p, member) \
	((struct pxs_link *)((char *)(p) - offsetof(struct pxs_link, member)))

struct pxs_link_queued {
	struct pxs_link_queued *next;
	size_t len;
	u8 data[] __attribute__((aligned(8)));
};

static void break_link(struct pxs_link *l, int err)
{
	if (l->broken)
		l->broken(l->ctx, err);
}

static int receive(struct pxs_link *l, u8 *buf, size_t *len)
{
	ssize_t n = recv(l->fd, buf, LINK_BUF, MSG_DONTWAIT | MSG_TRUNC);

	if (n < 0)
		return -errno;
	if (!n || (size_t)n > LINK_BUF)
		return -EMSGSIZE;	/* truncated: larger than any message of this family */
	*len = (size_t)n;
	l->received++;
	return 0;
}

static void dispatch(struct pxs_link *l, u8 *buf, size_t len)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	int left = (int)len;

	for (; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type == NLMSG_NOOP || nlh->nlmsg_type == NLMSG_DONE)
			continue;
		l->event(l->ctx, nlh);
	}
}

static int enqueue(struct pxs_link *l, const struct nlmsghdr *nlh)
{
	struct pxs_link_queued *q = malloc(sizeof(*q) + nlh->nlmsg_len);

	if (!q)
		return -ENOMEM;
	q->next = NULL;
	q->len = nlh->nlmsg_len;
	memcpy(q->data, nlh, nlh->nlmsg_len);
	*l->queue_end = q;
	l->queue_end = &q->next;
	return 0;
}

static bool link_hook(struct pxs_hook *hook)
{
	struct pxs_link *l = from(hook, hook);
	struct pxs_link_queued *q;
	bool did = l->queue;

	while ((q = l->queue)) {
		l->queue = q->next;
		if (!l->queue)
			l->queue_end = &l->queue;
		dispatch(l, q->data, q->len);
		free(q);
	}
	return did;
}

static void listen_again(struct pxs_link *l)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(l->loop);

	io_uring_prep_poll_add(sqe, l->fd, POLLIN);
	pxs_loop_own(sqe, &l->op);
}

static void readable(struct pxs_op *op, int res)
{
	struct pxs_link *l = from(op, op);
	unsigned int i;
	size_t len = 0;
	int err;

	if (res < 0) {
		if (res != -ECANCELED)
			break_link(l, res);
		return;
	}
	link_hook(&l->hook);	/* what came before */
	for (i = 0; i < LINK_BURST; i++) {
		err = receive(l, l->event_buf, &len);
		if (err == -EAGAIN || err == -EWOULDBLOCK)
			break;
		if (err == -ENOBUFS && l->overrun)
			l->overrun(l->ctx);
		if (err == -EINTR || err == -ENOBUFS)
			continue;
		if (err) {
			break_link(l, err);
			return;
		}
		dispatch(l, l->event_buf, len);
		/* A handler that asked something has put aside what came before its answer. */
		link_hook(&l->hook);
	}
	listen_again(l);
}

struct nl_msg *pxs_link_msg(struct pxs_link *l, u8 cmd)
{
	return pxs_link_msg_of(l, cmd, 0);
}

/* libnl wipes all of it: thousands of messages a second had better be small. */
struct nl_msg *pxs_link_msg_of(struct pxs_link *l, u8 cmd, size_t bytes)
{
	struct nl_msg *msg = nlmsg_alloc_size(LINK_SMALL + bytes);

	if (msg && !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, l->family, 0, NLM_F_REQUEST, cmd,
				PXS_GENL_VERSION)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

static int send_msg(struct pxs_link *l, struct nl_msg *msg, int flags, u32 *seq)
{
	struct nlmsghdr *nlh;
	int err;

	if (!msg)
		return -ENOMEM;
	nlh = nlmsg_hdr(msg);
	nlh->nlmsg_flags |= flags;
	nl_complete_msg(l->sock, msg);
	nlh->nlmsg_flags &= ~NLM_F_ACK;
	nlh->nlmsg_flags |= flags;
	*seq = nlh->nlmsg_seq;
	err = nl_sendto(l->sock, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
	nlmsg_free(msg);
	l->sent += !err;
	return err;
}

/* The kernel's own words stand behind the error, as attributes. */
static void take_words(struct pxs_link *l, struct nlmsghdr *nlh)
{
	struct nlmsgerr *e = nlmsg_data(nlh);
	u32 quoted = e->msg.nlmsg_len;
	struct nlattr *attr;
	size_t skip = sizeof(*e);
	int left;

	l->words[0] = 0;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED)) {
		if (quoted < NLMSG_HDRLEN || quoted > (u32)nlmsg_datalen(nlh))
			return;
		skip += quoted - NLMSG_HDRLEN;
	}
	skip = NLMSG_ALIGN(skip);
	left = nlmsg_datalen(nlh) - (int)skip;
	if (left <= 0)
		return;
	attr = nla_find((struct nlattr *)((char *)e + skip), left, NLMSGERR_ATTR_MSG);
	if (attr)
		nla_strlcpy(l->words, attr, sizeof(l->words));
}

/* A question that waits for its answer. */
struct link_question {
	u32 seq;
	u64 until;	/* a part of the answer is due by then; events are none */
	bool dump;
	bool torn;	/* it changed while it was dumped */
	void (*reply)(void *ctx, struct nlmsghdr *nlh);
	void *ctx;
};

/* The end of a dump. Return: 1, or -errno. */
static int take_done(struct link_question *q, struct nlmsghdr *nlh, int *err)
{
	if (nlmsg_datalen(nlh) < (int)sizeof(int))
		return -EBADMSG;
	*err = pxs_nl_errno(*(int *)nlmsg_data(nlh));
	if (!*err && q->torn)
		*err = -EINTR;
	return 1;
}

/* Return: 1 answered (*err), 0 not the answer (queued) or not the end of it, -errno. */
static int take_answer(struct pxs_link *l, struct nlmsghdr *nlh, struct link_question *q, int *err)
{
	struct nlmsgerr *e = nlmsg_data(nlh);

	if (nlh->nlmsg_seq != q->seq)
		return enqueue(l, nlh);
	q->until = pxs_clock_ms() + ANSWER_MS;
	q->torn |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
	if (q->dump && nlh->nlmsg_type == NLMSG_DONE)
		return take_done(q, nlh, err);
	if (nlh->nlmsg_type != NLMSG_ERROR) {
		if (q->reply)
			q->reply(q->ctx, nlh);
		*err = 0;
		return !q->dump;
	}
	if (nlmsg_datalen(nlh) < (int)sizeof(*e))
		return -EBADMSG;
	*err = pxs_nl_errno(e->error);
	if (*err)
		take_words(l, nlh);
	return 1;
}

static int question(struct pxs_link *l, struct nl_msg *msg, int flags, struct link_question *q)
{
	struct pollfd p = { .fd = l->fd, .events = POLLIN };
	struct nlmsghdr *nlh;
	int err, left, answer, got = 0;
	size_t len = 0;
	u64 now;

	l->words[0] = 0;
	err = send_msg(l, msg, flags, &q->seq);
	if (err)
		return err;
	q->until = pxs_clock_ms() + ANSWER_MS;
	while (!got) {
		now = pxs_clock_ms();
		if (now >= q->until)
			return -ETIMEDOUT;
		err = receive(l, l->call_buf, &len);
		if (err == -EAGAIN || err == -EWOULDBLOCK) {
			if (poll(&p, 1, (int)(q->until - now)) <= 0)
				return -ETIMEDOUT;
			continue;
		}
		if (err == -EINTR || err == -ENOBUFS)
			continue;
		if (err)
			return err;
		nlh = (struct nlmsghdr *)l->call_buf;
		for (left = (int)len; nlmsg_ok(nlh, left); nlh = nlmsg_next(nlh, &left)) {
			answer = take_answer(l, nlh, q, &err);
			if (answer < 0)
				return answer;
			got |= answer;
		}
	}
	return err;
}

int pxs_link_call(struct pxs_link *l, struct nl_msg *msg,
		  void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	struct link_question q = { .reply = reply, .ctx = ctx };

	return question(l, msg, reply ? 0 : NLM_F_ACK, &q);
}

int pxs_link_dump(struct pxs_link *l, struct nl_msg *msg,
		  void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	struct link_question q = { .dump = true, .reply = reply, .ctx = ctx };

	return question(l, msg, NLM_F_DUMP, &q);
}

int pxs_link_resolve(const char *family)
{
	struct nl_sock *sock = nl_socket_alloc();
	int id = -NLE_FAILURE;

	/* On another socket, as below. */
	if (sock && !genl_connect(sock))
		id = genl_ctrl_resolve(sock, family);
	nl_socket_free(sock);
	if (id >= 0)
		return id;
	return id == -NLE_OBJ_NOTFOUND ? -ENOENT : -EIO;
}

int pxs_link_join(struct pxs_link *l, const char *family, const char *group)
{
	struct nl_sock *sock = nl_socket_alloc();
	int id = -ENOMEM;

	/* Asked on another socket: this one may hear of changes already. */
	if (sock && !genl_connect(sock))
		id = genl_ctrl_resolve_grp(sock, family, group);
	nl_socket_free(sock);
	if (id < 0 || nl_socket_add_membership(l->sock, id)) {
		pxs_err("netlink: cannot listen to %s/%s", family, group);
		return -ENOENT;
	}
	return 0;
}

int pxs_link_post(struct pxs_link *l, struct nl_msg *msg)
{
	u32 seq;

	return send_msg(l, msg, 0, &seq);
}

static void set_options(struct pxs_link *l)
{
	int on = 1, size = l->overrun ? LINK_RCVBUF_EVENTS : LINK_RCVBUF;

	/* A proposal, or a load of records, of the largest size must fit. */
	setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (!l->overrun)
		setsockopt(l->fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on));
	setsockopt(l->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(l->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (!setsockopt(l->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		return;
	setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	pxs_notice("netlink: SO_RCVBUFFORCE is not allowed here: bursts may be sent twice");
}

int pxs_link_open(struct pxs_link *l, struct pxs_loop *loop)
{
	int err;

	l->loop = loop;
	l->queue = NULL;
	l->queue_end = &l->queue;
	l->sock = nl_socket_alloc();
	l->event_buf = malloc(LINK_BUF);
	l->call_buf = malloc(LINK_BUF);
	if (!l->sock || !l->event_buf || !l->call_buf)
		return -ENOMEM;
	err = genl_connect(l->sock);
	if (err) {
		pxs_err("netlink: %s", nl_geterror(err));
		return -ECONNREFUSED;
	}
	l->family = genl_ctrl_resolve(l->sock, PXS_GENL_NAME);
	if (l->family < 0 && !l->later) {
		pxs_err("the kernel does not know \"%s\": is the module loaded? (modprobe paxsteer; or datapath = \"user\")",
			PXS_GENL_NAME);
		return -ENOENT;
	}
	nl_socket_disable_auto_ack(l->sock);
	nl_socket_disable_seq_check(l->sock);
	l->fd = nl_socket_get_fd(l->sock);
	set_options(l);
	l->op.done = readable;
	listen_again(l);
	l->hook.run = link_hook;
	pxs_loop_add_hook(loop, &l->hook);
	return 0;
}

static void forget_queue(struct pxs_link *l)
{
	struct pxs_link_queued *q;

	while ((q = l->queue)) {
		l->queue = q->next;
		free(q);
	}
	l->queue_end = &l->queue;
}

void pxs_link_drain(struct pxs_link *l)
{
	size_t len;
	int err;

	forget_queue(l);
	do
		err = receive(l, l->event_buf, &len);
	while (!err || err == -ENOBUFS || err == -EINTR);
}

void pxs_link_close(struct pxs_link *l)
{
	forget_queue(l);
	if (l->sock)
		nl_socket_free(l->sock);
	free(l->event_buf);
	free(l->call_buf);
}
