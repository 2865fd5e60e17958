// SPDX-License-Identifier: GPL-2.0
/*
 * flow.c - what a new table means for flows that were there before
 *
 * Reads two immutable tables, writes the caller's bitmap. No state; control path.
 */
#include "flow.h"

u32 pxs_table_diff(const struct pxs_table *old, const struct pxs_table *new,
		   unsigned long *changed)
{
	const u32 bits = 8 * sizeof(*changed);
	u32 row, moved = 0;

	memset(changed, 0, pxs_bitmap_longs(new->nrows) * sizeof(*changed));
	for (row = 0; row < new->nrows; row++) {
		if (old->nrows == new->nrows && old->rows[row].first == new->rows[row].first)
			continue;
		changed[row / bits] |= 1ul << (row % bits);
		moved++;
	}
	return moved;
}
