// SPDX-License-Identifier: GPL-2.0
/*
 * crc.c - CRC-32C eight bytes at a time, in place of the core's by nibbles
 *
 * Same results (the unit tests hold the core's to RFC 3720), many times the speed: in a
 * simulation sums are most of the work. With the processor's instruction where it has one;
 * else M. Kounavis and F. Berry, slicing-by-8, 2005.
 */
#include "crc32c.h"

static u32 table[8][256];
static bool fast;

#ifdef __x86_64__
__attribute__((target("sse4.2")))
static u32 by_instruction(u32 crc, const u8 *p, size_t len)
{
	u64 c = ~crc;

	for (; len >= 8; len -= 8, p += 8)
		c = __builtin_ia32_crc32di(c, get_unaligned_le64(p));
	while (len--)
		c = __builtin_ia32_crc32qi((u32)c, *p++);
	return ~(u32)c;
}
#else
static u32 by_instruction(u32 crc, const u8 *p, size_t len)
{
	(void)p;
	(void)len;
	return crc;
}
#endif

u32 pxs_crc32c(u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

	if (fast)
		return by_instruction(crc, p, len);
	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8) {
		u64 w = get_unaligned_le64(p) ^ crc;

		crc = table[7][w & 255] ^ table[6][w >> 8 & 255] ^ table[5][w >> 16 & 255] ^
		      table[4][w >> 24 & 255] ^ table[3][w >> 32 & 255] ^
		      table[2][w >> 40 & 255] ^ table[1][w >> 48 & 255] ^ table[0][w >> 56];
	}
	while (len--)
		crc = crc >> 8 ^ table[0][(crc ^ *p++) & 255];
	return ~crc;
}

__attribute__((constructor))
static void make_table(void)
{
	u32 i, k, c;

	for (i = 0; i < 256; i++) {
		for (c = i, k = 0; k < 8; k++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78 : 0);
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < 8; k++)
			table[k][i] = table[k - 1][i] >> 8 ^ table[0][table[k - 1][i] & 255];
	pxs_assert(pxs_crc32c(0, "123456789", 9) == 0xe3069283);
#ifdef __x86_64__
	fast = __builtin_cpu_supports("sse4.2");
	pxs_assert(pxs_crc32c(0, "123456789", 9) == 0xe3069283);
#endif
}
