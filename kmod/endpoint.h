/* SPDX-License-Identifier: GPL-2.0 */
/*
 * endpoint.h - protocol, address and port: the key of the packet path's tables
 *
 * An IPv4 address lies in the first 4 bytes of addr, the rest is zero: equal
 * endpoints are equal byte for byte, which is what the hash tables compare.
 */
#ifndef PXS_ENDPOINT_H
#define PXS_ENDPOINT_H

#include <linux/build_bug.h>
#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/types.h>

struct pxs_endpoint {
	struct in6_addr addr;
	__be16 port;
	u8 family;		/* AF_INET, AF_INET6 */
	u8 proto;		/* IPPROTO_TCP, IPPROTO_UDP */
};

static_assert(sizeof(struct pxs_endpoint) == 20);

static inline __be32 pxs_endpoint_ip4(const struct pxs_endpoint *e)
{
	return e->addr.s6_addr32[0];
}

static inline unsigned int pxs_endpoint_addrlen(const struct pxs_endpoint *e)
{
	return e->family == AF_INET ? 4 : 16;
}

static inline bool pxs_endpoint_equal(const struct pxs_endpoint *a, const struct pxs_endpoint *b)
{
	return !memcmp(a, b, sizeof(*a));
}

#endif /* PXS_ENDPOINT_H */
