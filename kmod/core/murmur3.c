// SPDX-License-Identifier: GPL-2.0
/*
 * murmur3.c - MurmurHash3_x64_128, Austin Appleby's hash of bytes
 *
 * Blocks of 16 bytes, the last one filled up with zeroes and not mixed into the other
 * half as the full ones are. Words are little endian. Pure: any context.
 */
#include "murmur3.h"
#include "siphash.h"

#define MURMUR_C1	0x87c37b91114253d5ull
#define MURMUR_C2	0x4cf5ad432745937full

static u64 first_word(u64 k)
{
	return pxs_rotl64(k * MURMUR_C1, 31) * MURMUR_C2;
}

static u64 second_word(u64 k)
{
	return pxs_rotl64(k * MURMUR_C2, 33) * MURMUR_C1;
}

static u64 avalanche(u64 h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdull;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53ull;
	return h ^ h >> 33;
}

void pxs_murmur3(const void *data, u32 len, u32 seed, u64 hash[2])
{
	const u8 *p = data;
	u64 h1 = seed, h2 = seed;
	u8 last[16] = { 0 };
	u32 left;

	for (left = len; left >= 16; p += 16, left -= 16) {
		h1 ^= first_word(get_unaligned_le64(p));
		h1 = (pxs_rotl64(h1, 27) + h2) * 5 + 0x52dce729;
		h2 ^= second_word(get_unaligned_le64(p + 8));
		h2 = (pxs_rotl64(h2, 31) + h1) * 5 + 0x38495ab5;
	}
	memcpy(last, p, left);
	h1 ^= first_word(get_unaligned_le64(last)) ^ len;
	h2 ^= second_word(get_unaligned_le64(last + 8)) ^ len;
	h1 += h2;
	h2 += h1;
	h1 = avalanche(h1);
	h2 = avalanche(h2);
	hash[0] = h1 + h2;
	hash[1] = h2 + hash[0];
}
