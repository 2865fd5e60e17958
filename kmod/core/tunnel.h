/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tunnel.h - what is put before a packet that goes to a backend through a tunnel
 *
 *   ipip   outer IP header, packet: RFC 2003, 2473, 4213; any family in any
 *   gue    outer IP header, UDP, GUE header, packet: draft-ietf-intarea-gue, variant 0,
 *          no optional fields, so 4 bytes
 *
 * Everything about layout and size is decided here; who sends writes the outer IP and UDP
 * headers from it, as those are the kernel's structures.
 */
#ifndef PXS_CORE_TUNNEL_H
#define PXS_CORE_TUNNEL_H

#include "platform.h"

#define PXS_TUNNEL_UDP	8	/* bytes of gue's UDP header */
#define PXS_TUNNEL_GUE	4	/* bytes of its GUE header */

/* A tunnel to one backend, seen by packets of one family. */
struct pxs_tunnel {
	bool gue;		/* ipip otherwise */
	bool inner_v6;		/* the packet; else IPv4 */
	bool outer_v6;		/* the backend's address; else IPv4 */
};

/* How a packet goes. */
struct pxs_tunnel_fit {
	u32 mtu;		/* largest packet that goes in one piece; what its sender is told */
	bool df;		/* the outer packet must not be fragmented */
};

/* The protocol that the packet is to whom it is unpacked by: 4 (IPv4) or 41 (IPv6). */
u8 pxs_tunnel_inner_proto(const struct pxs_tunnel *t);

/* The outer IP header's: that, or 17 (UDP). */
u8 pxs_tunnel_outer_proto(const struct pxs_tunnel *t);

/* Bytes between the outer IP header and the packet. */
u32 pxs_tunnel_shim(const struct pxs_tunnel *t);

/* Bytes before the packet in all: 20..52. */
u32 pxs_tunnel_overhead(const struct pxs_tunnel *t);

/*
 * @path: MTU of the way to the backend. @df: the packet must not be fragmented. No sender is told
 * less than its protocol's least MTU (68, 1280): what still does not fit goes in fragments of the
 * outer packet.
 */
struct pxs_tunnel_fit pxs_tunnel_fit(const struct pxs_tunnel *t, u32 path, bool df);

/* Write gue's GUE header, PXS_TUNNEL_GUE bytes. */
void pxs_tunnel_gue(u8 *at, const struct pxs_tunnel *t);

/*
 * gue's UDP source port for a flow's hash: one flow has one, and different ones tell routers and
 * network cards that packets may go different ways. 49152..65535, as the draft wants.
 */
u16 pxs_tunnel_sport(u32 hash);

#endif /* PXS_CORE_TUNNEL_H */
