/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kernel_group.h - messages about a group; its configuration, compared with the module's
 */
#ifndef PXS_AGENT_KERNEL_GROUP_H
#define PXS_AGENT_KERNEL_GROUP_H

#include <sys/uio.h>

#include "config.h"
#include "link.h"

/* A number (a u64 may lie on 4 bytes); 0 if it is not there or too short. */
u64 pxs_kernel_u64(struct nlattr *attr);
u32 pxs_kernel_u32(struct nlattr *attr);
u16 pxs_kernel_u16(struct nlattr *attr);
u8 pxs_kernel_u8(struct nlattr *attr);

/*
 * A request about @group by the agent of attach epoch @epoch, with room for one more attribute of
 * @bytes and some numbers; NULL without memory.
 */
struct nl_msg *pxs_kernel_msg(struct pxs_link *link, u8 cmd, u32 group, u64 epoch, u32 bytes);

/* GROUP_PROPOSE of @n @values (NULL: a no-op); NULL without memory. */
struct nl_msg *pxs_kernel_propose_msg(struct pxs_link *link, u32 group, u64 epoch,
				      const struct iovec *values, u32 n);

/* PROPOSE (@slot 0) or MOVE, with a configuration; NULL without memory. */
struct nl_msg *pxs_kernel_config_msg(struct pxs_link *link, u8 cmd, u32 group, u64 epoch, u64 slot,
				     const u8 *config, u32 len);

/* GROUP_ADD for @g; NULL without memory. */
struct nl_msg *pxs_kernel_add_msg(struct pxs_link *link, const struct pxs_group_config *g);

/* GROUP_SET with the keys of @g; NULL without memory. */
struct nl_msg *pxs_kernel_keys_msg(struct pxs_link *link, const struct pxs_group_config *g);

/* Is the group in the module as @g says, keys apart? Return: 0, -EEXIST (said), -errno. */
int pxs_kernel_check_same(struct pxs_link *link, const struct pxs_group_config *g);

#endif /* PXS_AGENT_KERNEL_GROUP_H */
