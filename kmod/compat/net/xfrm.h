/* SPDX-License-Identifier: GPL-2.0 */
/* xfrm_decode_session() is told the namespace from 6.7 on. */
#ifndef PXS_COMPAT_NET_XFRM_H
#define PXS_COMPAT_NET_XFRM_H

#include_next <net/xfrm.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define pxs_xfrm_decode(net, skb, fl, family)	xfrm_decode_session(skb, fl, family)
#else
#define pxs_xfrm_decode(net, skb, fl, family)	xfrm_decode_session(net, skb, fl, family)
#endif

#endif
