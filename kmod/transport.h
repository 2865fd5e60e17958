/* SPDX-License-Identifier: GPL-2.0 */
/*
 * transport.h - datagrams between members: sockets, tags, routes
 */
#ifndef PXS_TRANSPORT_H
#define PXS_TRANSPORT_H

#include <linux/in6.h>
#include <linux/list.h>
#include <linux/socket.h>
#include <net/dst_cache.h>

#include "core/group.h"

struct netlink_ext_ack;
struct pxs_groups;
struct pxs_kgroup;
struct socket;

struct pxs_udp_addr {
	sa_family_t family;	/* AF_INET or AF_INET6 */
	__be16 port;
	union {
		__be32 v4;
		struct in6_addr v6;
	};
};

/* A member as the transport sees it. */
struct pxs_peer {
	struct pxs_udp_addr addr;
	struct dst_cache route;
};

/* One UDP socket of the kernel's, shared by the groups with this local address and port. */
struct pxs_socket {
	struct list_head list;	/* pxs_groups.sockets */
	struct pxs_groups *home;
	struct socket *sock;
	struct pxs_udp_addr local;
	u32 users;		/* groups; pxs_net.config */
	struct rcu_head rcu;
};

/* An authentic datagram on its way through the core. */
struct pxs_datagram {
	const struct pxs_wire_hdr *hdr;
	const struct pxs_msg *msg;
	const u8 *body;		/* msg->len bytes */
};

bool pxs_udp_addr_equal(const struct pxs_udp_addr *a, const struct pxs_udp_addr *b);

/*
 * The socket bound to @local, made if there is none yet. Under pxs_net.config.
 * Return: one use of it, or an error with words in @extack.
 */
struct pxs_socket *pxs_socket_get(struct pxs_groups *gs, const struct pxs_udp_addr *local,
				  struct netlink_ext_ack *extack);

/* End a use. The last one closes the socket, once no packet can be in it. Sleeps. */
void pxs_socket_put(struct pxs_socket *s);

/* Send all that @out says; inside a step that has dropped the lock. Own copies go to the agent. */
void pxs_transport_send(struct pxs_kgroup *kg, const struct pxs_out *out);

/*
 * Sign and send one datagram to member index @to: @m as the core made it, lacking key id and
 * counter, and m->len bytes of body. Bottom halves off, RCU read side.
 */
void pxs_transport_send_msg(struct pxs_kgroup *kg, u8 to, struct pxs_msg *m, const u8 *body);

#endif /* PXS_TRANSPORT_H */
