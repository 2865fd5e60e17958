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
#include <linux/hash.h>
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

/* All of its bytes: the last word is port, family and protocol. */
static inline void pxs_endpoint_words(const struct pxs_endpoint *e, u64 *high, u64 *low, u32 *rest)
{
	const u8 *bytes = (const u8 *)e;

	memcpy(high, bytes, sizeof(*high));
	memcpy(low, bytes + 8, sizeof(*low));
	memcpy(rest, bytes + 16, sizeof(*rest));
}

static inline bool pxs_endpoint_equal(const struct pxs_endpoint *a, const struct pxs_endpoint *b)
{
	u64 high_a, high_b, low_a, low_b;
	u32 rest_a, rest_b;

	pxs_endpoint_words(a, &high_a, &low_a, &rest_a);
	pxs_endpoint_words(b, &high_b, &low_b, &rest_b);
	return !((high_a ^ high_b) | (low_a ^ low_b) | (rest_a ^ rest_b));
}

/*
 * For a hash table whose entries the operator chose: a packet only asks, so what it holds
 * makes no chain longer, and two multiplications do. As rhashtable_params.hashfn.
 */
static inline u32 pxs_endpoint_hash(const void *data, u32 len, u32 seed)
{
	u64 high, low, h = seed;
	u32 rest;

	pxs_endpoint_words(data, &high, &low, &rest);
	h = (h ^ high) * GOLDEN_RATIO_64;
	h ^= h >> 32;
	h = (h ^ low ^ rest) * GOLDEN_RATIO_64;
	return h >> 32;
}

#endif /* PXS_ENDPOINT_H */
