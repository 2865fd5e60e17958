/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sort.h - arrays in order
 *
 * Control path, process context.
 */
#ifndef PXS_CORE_SORT_H
#define PXS_CORE_SORT_H

#include "platform.h"

#define PXS_SORT_SIZE_MAX	128	/* bytes of an element */

/*
 * Sort @n elements of @size bytes, aligned for u64 at most; @before: does @a come before @b?
 * Not stable. No recursion, no memory.
 */
void pxs_sort(void *base, u32 n, u32 size, bool (*before)(const void *a, const void *b));

#endif /* PXS_CORE_SORT_H */
