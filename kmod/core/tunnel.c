// SPDX-License-Identifier: GPL-2.0
/*
 * tunnel.c - what is put before a packet that goes to a backend through a tunnel
 */
#include "tunnel.h"

#define PROTO_IPV4	4
#define PROTO_UDP	17
#define PROTO_IPV6	41

#define IP4_HEAD	20
#define IP6_HEAD	40
#define IP4_MTU_MIN	68
#define IP6_MTU_MIN	1280

u8 pxs_tunnel_inner_proto(const struct pxs_tunnel *t)
{
	return t->inner_v6 ? PROTO_IPV6 : PROTO_IPV4;
}

u8 pxs_tunnel_outer_proto(const struct pxs_tunnel *t)
{
	return t->gue ? PROTO_UDP : pxs_tunnel_inner_proto(t);
}

u32 pxs_tunnel_shim(const struct pxs_tunnel *t)
{
	return t->gue ? PXS_TUNNEL_UDP + PXS_TUNNEL_GUE : 0;
}

u32 pxs_tunnel_overhead(const struct pxs_tunnel *t)
{
	return (t->outer_v6 ? IP6_HEAD : IP4_HEAD) + pxs_tunnel_shim(t);
}

struct pxs_tunnel_fit pxs_tunnel_fit(const struct pxs_tunnel *t, u32 path, bool df)
{
	u32 least = t->inner_v6 ? IP6_MTU_MIN : IP4_MTU_MIN;
	u32 overhead = pxs_tunnel_overhead(t);
	struct pxs_tunnel_fit fit;

	fit.mtu = path > overhead ? path - overhead : 0;
	fit.df = df && fit.mtu >= least;
	if (fit.mtu < least)
		fit.mtu = least;
	return fit;
}

void pxs_tunnel_gue(u8 *at, const struct pxs_tunnel *t)
{
	/* Variant 0, data message, no words of optional fields; then the protocol and no flags. */
	at[0] = 0;
	at[1] = pxs_tunnel_inner_proto(t);
	at[2] = 0;
	at[3] = 0;
}

u16 pxs_tunnel_sport(u32 hash)
{
	return (u16)(0xc000 | ((hash ^ hash >> 14 ^ hash >> 28) & 0x3fff));
}
