/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_status.h - how a group in the module is doing
 */
#ifndef PXS_AGENT_KERNEL_STATUS_H
#define PXS_AGENT_KERNEL_STATUS_H

#include "datapath.h"
#include "link.h"

/* Ask the module. What it does not say is 0 in @st. Return: 0; -ENOENT: no such group; -errno. */
int pxs_kernel_status(struct pxs_link *link, u32 group, struct pxs_group_status *st);

#endif /* PXS_AGENT_KERNEL_STATUS_H */
