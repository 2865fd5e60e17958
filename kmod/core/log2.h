/* SPDX-License-Identifier: GPL-2.0 */
/*
 * log2.h - the logarithm of a random number, in integers
 */
#ifndef PXS_CORE_LOG2_H
#define PXS_CORE_LOG2_H

#include "platform.h"

/* log2(1 + i / 1024) in units of 2^-24, for i = 0..1024: what pxs_neglog2() interpolates. */
#define PXS_LOG2_ENTRIES	1025

void pxs_log2_init(u32 *table);

/* -log2((u + 1) / 2^64) in units of 2^-24; never rises where u rises; at most 64 << 24. */
u32 pxs_neglog2(const u32 *table, u64 u);

#endif /* PXS_CORE_LOG2_H */
