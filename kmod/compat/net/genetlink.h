/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Before 6.3 pre_doit and post_doit were given struct genl_ops; before 6.6 a dump
 * had its attributes in another place.
 */
#ifndef PXS_COMPAT_NET_GENETLINK_H
#define PXS_COMPAT_NET_GENETLINK_H

#include_next <net/genetlink.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define genl_split_ops	genl_ops
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
static inline struct nlattr **pxs_dump_attrs(struct netlink_callback *cb)
{
	return genl_dumpit_info(cb)->attrs;
}
#else
static inline struct nlattr **pxs_dump_attrs(struct netlink_callback *cb)
{
	return genl_info_dump(cb)->attrs;
}
#endif

#endif
