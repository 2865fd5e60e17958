// SPDX-License-Identifier: GPL-2.0
/*
 * deliver_dsr.c - deliver unchanged, to the backend's link-layer address
 *
 * The backend has the service's address, too, and answers the client itself. All that this host
 * chooses is the neighbour: a route of its own, not of a kind that others share, says who that is
 * whatever the packet's destination (FLOWI_FLAG_KNOWN_NH). Owns nothing, takes no lock; way.c
 * keeps what is found.
 */
#include "pxs.h"

#include <linux/err.h>
#include <net/ip6_route.h>
#include <net/route.h>

#include "backend.h"
#include "deliver_dsr.h"

static struct dst_entry *pxs_dsr_route4(struct net *net, const struct pxs_backend *be)
{
	struct flowi4 fl = {
		.daddr = pxs_endpoint_ip4(&be->at),
		.flowi4_flags = FLOWI_FLAG_KNOWN_NH,
	};
	struct rtable *rt;

	rt = ip_route_output_key(net, &fl);
	if (IS_ERR(rt))
		return NULL;
	if (rt->rt_uses_gateway) {
		ip_rt_put(rt);
		return NULL;
	}
	return &rt->dst;
}

#if IS_ENABLED(CONFIG_IPV6)
static struct dst_entry *pxs_dsr_route6(struct net *net, const struct pxs_backend *be)
{
	struct flowi6 fl = {
		.daddr = be->at.addr,
		.flowi6_flags = FLOWI_FLAG_KNOWN_NH,
	};
	struct dst_entry *dst;

	dst = ip6_route_output(net, NULL, &fl);
	if (dst->error || ((struct rt6_info *)dst)->rt6i_flags & RTF_GATEWAY) {
		dst_release(dst);
		return NULL;
	}
	return dst;
}
#endif

struct dst_entry *pxs_dsr_route(struct net *net, const struct pxs_backend *be)
{
	if (be->at.family == AF_INET)
		return pxs_dsr_route4(net, be);
#if IS_ENABLED(CONFIG_IPV6)
	return pxs_dsr_route6(net, be);
#else
	return NULL;
#endif
}
