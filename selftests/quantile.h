/* SPDX-License-Identifier: GPL-2.0 */
/*
 * quantile.h - quantiles of measured times, for the programs of the benchmarks
 */
#ifndef QUANTILE_H
#define QUANTILE_H

#include <stdint.h>
#include <stdlib.h>

static inline int quantile_order(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static inline void quantile_sort(uint32_t *sample, size_t n)
{
	qsort(sample, n, sizeof(*sample), quantile_order);
}

/*
 * Of @n sorted samples, the least that @percent (0..100) per cent of them do not exceed: by rank,
 * nothing is made up between two samples. 0 without samples.
 */
static inline uint32_t quantile(const uint32_t *sorted, size_t n, unsigned int percent)
{
	size_t rank = (n * percent + 99) / 100;

	if (!n)
		return 0;
	return sorted[rank ? rank - 1 : 0];
}

#endif /* QUANTILE_H */
