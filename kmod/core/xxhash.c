// SPDX-License-Identifier: GPL-2.0
/*
 * xxhash.c - XXH64, Yann Collet's hash of bytes
 *
 * Steps and primes as in xxHash's specification: lanes of 8 bytes, four at a time while
 * there are 32 bytes, then what is left, then the avalanche. Pure: any context.
 */
#include "xxhash.h"
#include "siphash.h"

#define XXH_P1	0x9e3779b185ebca87ull
#define XXH_P2	0xc2b2ae3d27d4eb4full
#define XXH_P3	0x165667b19e3779f9ull
#define XXH_P4	0x85ebca77c2b2ae63ull
#define XXH_P5	0x27d4eb2f165667c5ull

static u64 xxh_lane(u64 acc, u64 word)
{
	return pxs_rotl64(acc + word * XXH_P2, 31) * XXH_P1;
}

/* All stripes of 32 bytes. */
static u64 xxh_stripes(const u8 *p, u32 len, u64 seed)
{
	u64 acc[4] = { seed + XXH_P1 + XXH_P2, seed + XXH_P2, seed, seed - XXH_P1 };
	u64 h;
	u32 i;

	for (; len >= 32; len -= 32)
		for (i = 0; i < 4; i++, p += 8)
			acc[i] = xxh_lane(acc[i], get_unaligned_le64(p));
	h = pxs_rotl64(acc[0], 1) + pxs_rotl64(acc[1], 7) + pxs_rotl64(acc[2], 12) +
	    pxs_rotl64(acc[3], 18);
	for (i = 0; i < 4; i++)
		h = (h ^ xxh_lane(0, acc[i])) * XXH_P1 + XXH_P4;
	return h;
}

/* Fewer than 32 bytes, the last ones. */
static u64 xxh_rest(const u8 *p, u32 len, u64 h)
{
	u64 word;

	for (; len >= 8; p += 8, len -= 8)
		h = pxs_rotl64(h ^ xxh_lane(0, get_unaligned_le64(p)), 27) * XXH_P1 + XXH_P4;
	if (len >= 4) {
		word = (u64)p[3] << 24 | (u64)p[2] << 16 | (u64)p[1] << 8 | p[0];
		h = pxs_rotl64(h ^ word * XXH_P1, 23) * XXH_P2 + XXH_P3;
		p += 4;
		len -= 4;
	}
	for (; len; p++, len--)
		h = pxs_rotl64(h ^ *p * XXH_P5, 11) * XXH_P1;
	return h;
}

u64 pxs_xxh64(const void *data, u32 len, u64 seed)
{
	const u8 *p = data;
	u64 h = len < 32 ? seed + XXH_P5 : xxh_stripes(p, len, seed);

	h = xxh_rest(p + (len & ~31u), len & 31, h + len);
	h = (h ^ h >> 33) * XXH_P2;
	h = (h ^ h >> 29) * XXH_P3;
	return h ^ h >> 32;
}
