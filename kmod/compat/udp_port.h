/* SPDX-License-Identifier: GPL-2.0 */
/*
 * udp_port.h - may a UDP socket have this port? A namespace has a table since 6.2
 */
#ifndef PXS_COMPAT_UDP_PORT_H
#define PXS_COMPAT_UDP_PORT_H

#include <linux/version.h>
#include <net/udp.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define pxs_udp_table(net)	(&udp_table)
#else
#define pxs_udp_table(net)	((net)->ipv4.udp_table)
#endif

/*
 * Any context. Each socket that is bound, to whatever address and of either family, is counted
 * where its port hashes to. True may be another port's. A socket that is bound or closed
 * meanwhile may be counted or not, as if the packet had come before or after.
 */
static inline bool pxs_udp_port_taken(struct net *net, u16 port)
{
	return READ_ONCE(udp_hashslot(pxs_udp_table(net), net, port)->count);
}

#endif /* PXS_COMPAT_UDP_PORT_H */
