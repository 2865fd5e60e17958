// SPDX-License-Identifier: GPL-2.0
/*
 * test_kernel_status.c - what the module says of a group, as the agent takes it
 *
 * The test is the netlink socket: link.c is not linked.
 */
#include "unit.h"

#include <netlink/genl/genl.h>

#include "kernel_status.h"

static struct nl_msg *message(u8 cmd)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg)
		genlmsg_put(msg, 0, 0, NLMSG_MIN_TYPE, 0, 0, cmd, 1);
	return msg;
}

static int put_member(struct nl_msg *msg, u8 id, u64 commit)
{
	struct nlattr *nest = nla_nest_start(msg, PXS_A_GROUP_MEMBER);

	if (!nest || nla_put_u8(msg, PXS_A_MEMBER_ID, id) ||
	    nla_put(msg, PXS_A_MEMBER_COMMIT, sizeof(commit), &commit))
		return -1;
	nla_nest_end(msg, nest);
	return 0;
}

/* --- what kernel_status.c calls --- */

struct nl_msg *pxs_link_msg(struct pxs_link *l, u8 cmd)
{
	(void)l;
	return message(cmd);
}

struct nl_msg *pxs_link_msg_of(struct pxs_link *l, u8 cmd, size_t bytes)
{
	(void)l;
	(void)bytes;
	return message(cmd);
}

int pxs_link_call(struct pxs_link *l, struct nl_msg *msg,
		  void (*reply)(void *ctx, struct nlmsghdr *nlh), void *ctx)
{
	struct nl_msg *answer = message(PXS_CMD_GROUP_GET);
	u64 commit = 70;

	(void)l;
	nlmsg_free(msg);
	CHECK(answer && !nla_put_u8(answer, PXS_A_GROUP_STATE, PXS_GROUP_ACTIVE) &&
	      !nla_put_u8(answer, PXS_A_GROUP_ROLE, PXS_ROLE_LEADER) &&
	      !nla_put(answer, PXS_A_GROUP_COMMIT, sizeof(commit), &commit) &&
	      !put_member(answer, 3, 50) && !put_member(answer, 1, 70) &&
	      !put_member(answer, 2, 60));
	reply(ctx, nlmsg_hdr(answer));
	nlmsg_free(answer);
	return 0;
}

/* The module's order is that in which the group was added, perhaps from another file. */
static void each_has_its_own(void)
{
	struct pxs_group_status st;

	CHECK_EQ(pxs_kernel_status(NULL, 1, &st), 0);
	CHECK_EQ(st.state, PXS_GROUP_ACTIVE);
	CHECK_EQ(st.commit, 70);
	CHECK_EQ(pxs_group_status_has(&st, 1), 70);
	CHECK_EQ(pxs_group_status_has(&st, 2), 60);
	CHECK_EQ(pxs_group_status_has(&st, 3), 50);
	CHECK_EQ(pxs_group_status_has(&st, 4), 0);
}

int main(void)
{
	RUN(each_has_its_own);
	return unit_done();
}
