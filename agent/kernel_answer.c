// SPDX-License-Identifier: GPL-2.0
/*
 * kernel_answer.c - what the module replies to requests of the kernel datapath
 */
#include "kernel_answer.h"

#include "kernel_group.h"

static bool parse(struct nlmsghdr *nlh, struct nlattr **attrs, int max)
{
	return !genlmsg_parse(nlh, 0, attrs, max, NULL);
}

void pxs_kernel_attached(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a[PXS_A_JOURNAL_MAX + 1];
	struct pxs_kernel_attached *at = ctx;

	if (!parse(nlh, a, PXS_A_JOURNAL_MAX))
		return;
	at->epoch = pxs_kernel_u64(a[PXS_A_JOURNAL_ATTACH_EPOCH]);
	at->last_lsn = pxs_kernel_u64(a[PXS_A_JOURNAL_LSN]);
}

void pxs_kernel_proposed(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a[PXS_A_GROUP_MAX + 1];
	struct pxs_kernel_proposed *p = ctx;

	if (!parse(nlh, a, PXS_A_GROUP_MAX))
		return;
	p->first = pxs_kernel_u64(a[PXS_A_GROUP_SLOT]);
	p->count = pxs_kernel_u32(a[PXS_A_GROUP_COUNT]);
}

void pxs_kernel_round(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a[PXS_A_GROUP_MAX + 1];
	struct pxs_kernel_round *r = ctx;

	if (!parse(nlh, a, PXS_A_GROUP_MAX))
		return;
	r->ballot = pxs_kernel_u64(a[PXS_A_GROUP_BALLOT]);
	r->number = pxs_kernel_u64(a[PXS_A_GROUP_ROUND]);
}
