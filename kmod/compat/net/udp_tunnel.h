/* SPDX-License-Identifier: GPL-2.0 */
/*
 * 7.2 sets up and releases a tunnel's struct sock, older kernels its struct socket. Both
 * functions are asked for their type, because stable kernels may take the change over.
 * udp_tunnel_xmit_skb() and its sister have control block flags from 6.17 on.
 */
#ifndef PXS_COMPAT_NET_UDP_TUNNEL_H
#define PXS_COMPAT_NET_UDP_TUNNEL_H

#include_next <net/udp_tunnel.h>
#include <linux/version.h>

/* Setting up is asked for both: the two changed in one series. */
#define pxs_udp_tunnel_by_socket \
	__builtin_types_compatible_p(typeof(&setup_udp_tunnel_sock), \
		void (*)(struct net *, struct socket *, struct udp_tunnel_sock_cfg *))
#define pxs_udp_tunnel_handle(s) \
	__builtin_choose_expr(pxs_udp_tunnel_by_socket, (s), (s)->sk)

#define pxs_udp_tunnel_setup(net, s, cfg) \
	setup_udp_tunnel_sock(net, pxs_udp_tunnel_handle(s), cfg)
#define pxs_udp_tunnel_release(s) \
	udp_tunnel_sock_release(pxs_udp_tunnel_handle(s))

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
#define pxs_udp_tunnel_xmit(...)	udp_tunnel_xmit_skb(__VA_ARGS__)
#define pxs_udp_tunnel6_xmit(...)	udp_tunnel6_xmit_skb(__VA_ARGS__)
#else
#define pxs_udp_tunnel_xmit(...)	udp_tunnel_xmit_skb(__VA_ARGS__, 0)
#define pxs_udp_tunnel6_xmit(...)	udp_tunnel6_xmit_skb(__VA_ARGS__, 0)
#endif

#endif
