// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_link.c - what the module says to the agent, or what somebody says in its place
 *
 * Input: first what to ask, then netlink datagrams, 16 bits of length before each. The
 * first half of them comes as events, the rest while answers are waited for.
 */
#include "fuzz_netlink.h"
#include "kernel_group.c"
#include "datapath_kernel.c"

static u32 sum;

static void on_append(void *ctx, u64 first, u32 count, const u8 *records, u32 bytes, bool lazy)
{
	u32 i;

	(void)ctx;
	(void)first;
	(void)count;
	sum += lazy;
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

static void on_read(void *ctx, u32 group, u64 ballot, u64 round, u64 index)
{
	(void)ctx;
	sum += group + (u32)(ballot + round + index);
}

static void on_gone(void *ctx, u32 group)
{
	(void)ctx;
	sum += group;
}

static const struct pxs_datapath_events events = {
	.append = on_append, .decided = on_decided, .recv = on_recv, .leader = on_leader,
	.read = on_read, .gone = on_gone,
};

static void ask(struct pxs_datapath *dp, const struct pxs_group_config *config, u8 what)
{
	struct iovec value = { .iov_base = "x", .iov_len = 1 };
	struct pxs_group_status st;
	u64 v, w;

	switch (what % 7) {
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
	case 5:
		kernel_read(dp, 1, &v, &w);
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
		open_link(&k->link);
	}
	script = (struct input){ data, min(size, (size_t)65536) };
	k->dp.ops = &kernel_ops;
	k->dp.events = &events;
	k->dp.loop = &loop;
	k->link.event = link_event;
	k->link.broken = link_gone;
	k->link.ctx = k;
	k->link.loop = &loop;
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
	forget_queue(&k->link);
	return 0;
}
