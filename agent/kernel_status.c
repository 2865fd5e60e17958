// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_status.c - how a group in the module is doing
 */
#include "kernel_status.h"

#include "kernel_group.h"

static void take_has(struct nlmsghdr *nlh, struct pxs_group_status *st)
{
	struct nlattr *m[PXS_A_MEMBER_MAX + 1], *attr;
	u32 n = 0;
	int rem;

	nlmsg_for_each_attr(attr, nlh, GENL_HDRLEN, rem) {
		if (nla_type(attr) != PXS_A_GROUP_MEMBER || n == PXS_MEMBERS_MAX ||
		    nla_parse_nested(m, PXS_A_MEMBER_MAX, attr, NULL))
			continue;
		st->has[n].id = pxs_kernel_u8(m[PXS_A_MEMBER_ID]);
		st->has[n++].commit = pxs_kernel_u64(m[PXS_A_MEMBER_COMMIT]);
	}
}

static void take_status(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a[PXS_A_GROUP_MAX + 1], *s[PXS_GROUP_STAT_MAX + 1];
	struct pxs_group_status *st = ctx;
	int i;

	if (genlmsg_parse(nlh, 0, a, PXS_A_GROUP_MAX, NULL) || !a[PXS_A_GROUP_STATE] ||
	    !a[PXS_A_GROUP_ROLE])
		return;
	st->state = pxs_kernel_u8(a[PXS_A_GROUP_STATE]);
	st->role = pxs_kernel_u8(a[PXS_A_GROUP_ROLE]);
	st->epoch = pxs_kernel_u64(a[PXS_A_GROUP_EPOCH]);
	st->promised = pxs_kernel_u64(a[PXS_A_GROUP_PROMISED]);
	st->commit = pxs_kernel_u64(a[PXS_A_GROUP_COMMIT]);
	st->known = pxs_kernel_u64(a[PXS_A_GROUP_KNOWN]);
	st->next_slot = pxs_kernel_u64(a[PXS_A_GROUP_NEXT_SLOT]);
	st->trim = pxs_kernel_u64(a[PXS_A_GROUP_TRIM]);
	st->trimmed = pxs_kernel_u64(a[PXS_A_GROUP_TRIMMED]);
	st->held = pxs_kernel_u64(a[PXS_A_GROUP_HELD]);
	take_has(nlh, st);
	if (!a[PXS_A_GROUP_STATS] ||
	    nla_parse_nested(s, PXS_GROUP_STAT_MAX, a[PXS_A_GROUP_STATS], NULL))
		return;
	for (i = 1; i <= PXS_GROUP_STAT_MAX; i++)
		st->stat[i] = pxs_kernel_u64(s[i]);
}

int pxs_kernel_status(struct pxs_link *link, u32 group, struct pxs_group_status *st)
{
	struct nl_msg *msg = pxs_link_msg(link, PXS_CMD_GROUP_GET);

	memset(st, 0, sizeof(*st));
	if (!msg || nla_put_u32(msg, PXS_A_GROUP_ID, group)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	return pxs_link_call(link, msg, take_status, st);
}
