/* SPDX-License-Identifier: GPL-2.0 */
/*
 * jump.h - fill: jump consistent hash
 *
 * Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014. Each row
 * jumps to a bucket; backends have as many buckets as weight, in order of id. Perfectly
 * even and without memory, but only the last backend comes and goes with the least
 * moves: give ids in the order of arrival. Control path, resumable.
 */
#ifndef PXS_CORE_JUMP_H
#define PXS_CORE_JUMP_H

#include "table.h"

/* The published function, to the bit: bucket of @key among @buckets (at least 1). */
u32 pxs_jump(u64 key, u32 buckets);

size_t pxs_jump_scratch(u32 n);
void pxs_jump_start(void *scratch, const struct pxs_seed *seed, u32 nrows,
		    const struct pxs_table_owner *owners, u32 n);
bool pxs_jump_step(void *scratch, struct pxs_table_row *rows, u32 budget);

#endif /* PXS_CORE_JUMP_H */
