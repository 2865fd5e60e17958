/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_answer.h - what the module replies to requests of the kernel datapath
 */
#ifndef PXS_AGENT_KERNEL_ANSWER_H
#define PXS_AGENT_KERNEL_ANSWER_H

#include "link.h"

/* JOURNAL_ATTACH */
struct pxs_kernel_attached {
	u64 epoch;
	u64 last_lsn;
};

/* GROUP_PROPOSE */
struct pxs_kernel_proposed {
	u64 first;
	u32 count;
};

/* GROUP_READ */
struct pxs_kernel_round {
	u64 ballot, number;
};

/* For pxs_link_call(), with one of those as @ctx; what is malformed leaves it as it was. */
void pxs_kernel_attached(void *ctx, struct nlmsghdr *nlh);
void pxs_kernel_proposed(void *ctx, struct nlmsghdr *nlh);
void pxs_kernel_round(void *ctx, struct nlmsghdr *nlh);

#endif /* PXS_AGENT_KERNEL_ANSWER_H */
