/* SPDX-License-Identifier: GPL-2.0 */
/*
 * netlink_agreed.h - changes that a group agreed on
 */
#ifndef PXS_NETLINK_AGREED_H
#define PXS_NETLINK_AGREED_H

#include <net/genetlink.h>

extern const struct genl_ops pxs_agreed_ops[];
extern const unsigned int pxs_agreed_n_ops;

/*
 * Run doit, an operation on services: as the operator's, or, where attribute slot is there, as
 * what was agreed in that slot. name: the attribute that names the service.
 */
int pxs_nl_agree(struct sk_buff *skb, struct genl_info *info, int slot, int name,
		 int (*doit)(struct sk_buff *skb, struct genl_info *info));

#endif /* PXS_NETLINK_AGREED_H */
