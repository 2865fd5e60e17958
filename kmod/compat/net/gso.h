/* SPDX-License-Identifier: GPL-2.0 */
/* __skb_gso_segment() was declared in linux/netdevice.h before 6.5. */
#ifndef PXS_COMPAT_NET_GSO_H
#define PXS_COMPAT_NET_GSO_H

#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include_next <net/gso.h>
#else
#include <linux/netdevice.h>
#endif

#endif
