// SPDX-License-Identifier: GPL-2.0
/*
 * log2.c - the logarithm of a random number, in integers
 *
 * The table is in the caller's memory and made anew for every build: 1025 entries are made
 * in microseconds. Pure functions: any context.
 */
#include "log2.h"

void pxs_log2_init(u32 *table)
{
	u32 i, bit, carry, sum;
	u64 x;

	for (i = 0; i < PXS_LOG2_ENTRIES - 1; i++) {
		/* x is in [1, 2) with 31 binary places: each squaring yields a digit */
		x = (u64)(PXS_LOG2_ENTRIES - 1 + i) << 21;
		sum = 0;
		for (bit = 0; bit < 26; bit++) {
			x = (x * x) >> 31;
			carry = (u32)(x >> 32);
			x >>= carry;
			sum = sum << 1 | carry;
		}
		table[i] = (sum + 2) >> 2;
	}
	table[i] = 1u << 24;
}

u32 pxs_neglog2(const u32 *table, u64 u)
{
	u64 x = u + 1;
	u32 zeros, i, part;

	if (!x)
		return 0;
	zeros = (u32)__builtin_clzll(x);
	x <<= zeros;			/* 1.xxx: the leading 1, 10 bits of index, 16 between */
	i = (u32)(x >> 53) & 1023;
	part = (u32)(x >> 37) & 0xffff;
	part = table[i] + (((table[i + 1] - table[i]) * part) >> 16);
	return ((zeros + 1) << 24) - part;
}
