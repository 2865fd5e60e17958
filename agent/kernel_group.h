/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_group.h - the configuration of a group, to the module and compared with it
 */
#ifndef PXS_AGENT_KERNEL_GROUP_H
#define PXS_AGENT_KERNEL_GROUP_H

#include "config.h"
#include "link.h"

/* A number (a u64 may lie on 4 bytes); 0 if it is not there or too short. */
u64 pxs_kernel_u64(struct nlattr *attr);
u32 pxs_kernel_u32(struct nlattr *attr);
u16 pxs_kernel_u16(struct nlattr *attr);
u8 pxs_kernel_u8(struct nlattr *attr);

/* GROUP_ADD for @g; NULL without memory. */
struct nl_msg *pxs_kernel_add_msg(struct pxs_link *link, const struct pxs_group_config *g);

/* GROUP_SET with the keys of @g; NULL without memory. */
struct nl_msg *pxs_kernel_keys_msg(struct pxs_link *link, const struct pxs_group_config *g);

/* Is the group in the module as @g says, keys apart? Return: 0, -EEXIST (said), -errno. */
int pxs_kernel_check_same(struct pxs_link *link, const struct pxs_group_config *g);

#endif /* PXS_AGENT_KERNEL_GROUP_H */
