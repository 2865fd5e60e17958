/* SPDX-License-Identifier: GPL-2.0 */
/*
 * real.h - positive numbers that round as a double does, without a floating point unit
 *
 * Others compute tables with doubles; to get the same table the kernel must round where
 * they do: to nearest, ties to even, at 53 bits. Pure functions; control path.
 */
#ifndef PXS_CORE_REAL_H
#define PXS_CORE_REAL_H

#include "platform.h"

/* m * 2^e; m at most 2^53, of no fixed number of bits below. */
struct pxs_real {
	u64 m;
	int e;
};

/* @hi * 2^64 + @lo, rounded; @sticky: and a little more. */
struct pxs_real pxs_real_round(u64 hi, u64 lo, bool sticky);

/* @a / @b; @b > 0. */
struct pxs_real pxs_real_quotient(u32 a, u32 b);

/* @n * @x, @n up to 2^32. */
struct pxs_real pxs_real_times(u64 n, struct pxs_real x);

struct pxs_real pxs_real_sum(struct pxs_real a, struct pxs_real b);
bool pxs_real_less(struct pxs_real a, struct pxs_real b);

/* Whole part; of less than 2^64. */
u64 pxs_real_floor(struct pxs_real x);

#endif /* PXS_CORE_REAL_H */
