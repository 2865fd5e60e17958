// SPDX-License-Identifier: GPL-2.0
/*
 * sort.c - arrays in order
 *
 * Shell's sort with Ciura's gaps, continued. Owns nothing.
 */
#include "sort.h"

void pxs_sort(void *base, u32 n, u32 size, bool (*before)(const void *a, const void *b))
{
	static const u32 gaps[] = { 44842, 19930, 8858, 3937, 1750, 701, 301, 132, 57, 23, 10, 4,
				    1 };
	u64 x[PXS_SORT_SIZE_MAX / sizeof(u64)];
	size_t gap, at;
	u8 *p = base;
	u32 g, i;

	pxs_assert(size <= sizeof(x));
	if (size > sizeof(x))
		return;
	for (g = 0; g < ARRAY_SIZE(gaps); g++) {
		gap = (size_t)gaps[g] * size;
		for (i = gaps[g]; i < n; i++) {
			at = (size_t)i * size;
			/* What is in order already is nearly free. */
			if (!before(p + at, p + at - gap))
				continue;
			memcpy(x, p + at, size);
			for (; at >= gap && before(x, p + at - gap); at -= gap)
				memcpy(p + at, p + at - gap, size);
			memcpy(p + at, x, size);
		}
	}
}
