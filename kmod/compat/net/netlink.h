/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A policy's range was a pointer to non-const before 6.8. Formatted extended acks
 * came with 6.3: older kernels get the text without its numbers.
 */
#ifndef PXS_COMPAT_NET_NETLINK_H
#define PXS_COMPAT_NET_NETLINK_H

#include_next <net/netlink.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define PXS_NLA_RANGE	struct netlink_range_validation
#else
#define PXS_NLA_RANGE	const struct netlink_range_validation
#endif

#endif
