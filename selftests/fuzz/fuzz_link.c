// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_link.c - what the module says to the agent, or what somebody says in its place
 *
 * Input: first what to ask, then netlink datagrams, 16 bits of length before each. The
 * first half of them comes as events, the rest while answers are waited for.
 */
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
#include "kernel_group.c"
#include "datapath_kernel.c"

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

static u32 sum;

static void on_append(void *ctx, u64 first, u32 count, const u8 *records, u32 bytes)
{
	u32 i;

	(void)ctx;
	(void)first;
	(void)count;
	for (i = 0; i < bytes; i++)
		sum += records[i];
}

static void on_decided(void *ctx, u32 group, u64 commit, u64 lsn)
{
	(void)ctx;
	sum += group + (u32)commit + (u32)lsn;
}

static void on_recv(void *ctx, u32 group, const struct pxs_msg *m, const u8 *body)
{
	struct pxs_entry e;
	u32 offset = 0;

	(void)ctx;
	(void)group;
	if (!pxs_wire_check_body(m, body))
		return;
	while (pxs_wire_next(body, m->len, &offset, &e) > 0)
		sum += e.len ? e.data[e.len - 1] : 0;
}

static void on_leader(void *ctx, u32 group, u8 event, u64 ballot)
{
	(void)ctx;
	sum += group + event + (u32)ballot;
}

static void on_gone(void *ctx, u32 group)
{
	(void)ctx;
	sum += group;
}

static const struct pxs_datapath_events events = {
	.append = on_append, .decided = on_decided, .recv = on_recv, .leader = on_leader,
	.gone = on_gone,
};

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

static void ask(struct pxs_datapath *dp, const struct pxs_group_config *config, u8 what)
{
	struct iovec value = { .iov_base = "x", .iov_len = 1 };
	struct pxs_group_status st;
	u64 v;

	switch (what % 6) {
	case 0:
		kernel_status(dp, 1, &st);
		break;
	case 1:
		kernel_attach(dp, 1, 1, &v);
		break;
	case 2:
		kernel_group_add(dp, config);
		break;
	case 3:
		pxs_kernel_check_same(&to_kernel(dp)->link, config);
		break;
	case 4:
		kernel_propose(dp, 1, &value, 1, &v);
		break;
	default:
		kernel_prepare(dp, 1, 257, 1, 0);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	pxs_report_level((enum pxs_level)0);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct pxs_group_config config = {
		.conf = { .id = 1, .epoch = 1, .nmembers = 3, .window = 64, .heartbeat_ms = 100,
			  .election_ms = 1000, .member = { { 1, 1 }, { 2, 2 }, { 3, 3 } } },
	};
	static struct kernel *k;
	static struct pxs_loop loop;
	u32 i, n;
	u8 what;

	if (!k) {
		k = calloc(1, sizeof(*k));
		FUZZ_CHECK(k);
		k->link.sock = nl_socket_alloc();
		k->link.event_buf = malloc(LINK_BUF);
		k->link.call_buf = malloc(LINK_BUF);
		FUZZ_CHECK(k->link.sock && k->link.event_buf && k->link.call_buf);
	}
	script = (struct input){ data, min(size, (size_t)65536) };
	k->dp.ops = &kernel_ops;
	k->dp.events = &events;
	k->dp.loop = &loop;
	k->link.event = link_event;
	k->link.broken = link_gone;
	k->link.ctx = k;
	k->link.loop = &loop;
	k->link.queue = NULL;
	k->link.queue_end = &k->link.queue;
	k->link.family = FAMILY;
	k->gone = false;
	k->epoch = 1;
	k->ngroups = 0;
	k->refused_since = 0;
	asked = 0;
	what = take8(&script);
	n = take8(&script);
	drain_events(&k->link, n % 8);
	for (i = 0; i < 4; i++)
		ask(&k->dp, &config, (u8)(what + i));
	link_hook(&k->link.hook);
	while (k->link.queue) {
		struct pxs_link_queued *q = k->link.queue;

		k->link.queue = q->next;
		free(q);
	}
	return 0;
}
