/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flow.h - what a new table means for flows that were there before
 *
 * Only flows in rows whose owner changed need a thought; everybody else's owner is
 * what the table says. Control path; no state.
 */
#ifndef PXS_CORE_FLOW_H
#define PXS_CORE_FLOW_H

#include "table.h"

/*
 * Set in @changed (pxs_bitmap_longs(new->nrows) longs, all written) the bit of every
 * row of @new whose first choice is another backend than in @old. An index must mean
 * the same backend in both. Tables of different size share no row: all bits are set.
 * Return: how many are set.
 */
u32 pxs_table_diff(const struct pxs_table *old, const struct pxs_table *new,
		   unsigned long *changed);

#endif /* PXS_CORE_FLOW_H */
