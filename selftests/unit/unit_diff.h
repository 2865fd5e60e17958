/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_diff.h - what a new table means for flows that were there before
 */
#ifndef UNIT_DIFF_H
#define UNIT_DIFF_H

#include "table.h"

static inline void unit_set_changed(unsigned long *changed, u32 row)
{
	const u32 bits = 8 * sizeof(*changed);

	changed[row / bits] |= 1ul << (row % bits);
}

/*
 * Has all of the arc that ends at @row one owner, the same, in the old ring? Both are walked
 * together: *at is the old row of the arc's first place.
 */
static inline bool unit_same_on_ring(const struct pxs_table *old, const struct pxs_table *new,
				     u32 row, u32 *at)
{
	const u32 *was = pxs_table_points(old), *is = pxs_table_points(new);
	u16 owner = new->rows[row].first;

	/* up to this arc's end, or the end of the ring, where the first row goes on */
	for (; *at < old->nrows && was[*at] < is[row]; (*at)++)
		if (old->rows[*at].first != owner)
			return false;
	return old->rows[*at < old->nrows ? *at : 0].first == owner;
}

static inline u32 unit_diff_rings(const struct pxs_table *old, const struct pxs_table *new,
				  unsigned long *changed)
{
	u32 last = pxs_table_points(new)[new->nrows - 1], row, at = 0, moved = 0, i;
	bool same;

	for (row = 0; row < new->nrows; row++) {
		same = unit_same_on_ring(old, new, row, &at);
		/* what ends in this arc, or with it, is not part of the next */
		while (at < old->nrows && pxs_table_points(old)[at] <= pxs_table_points(new)[row])
			at++;
		/* the first arc begins behind the last point */
		for (i = old->nrows; !row && i-- > 0 && pxs_table_points(old)[i] > last; )
			same &= old->rows[i].first == new->rows[0].first;
		if (!row)
			same &= old->rows[0].first == new->rows[0].first;
		if (same)
			continue;
		unit_set_changed(changed, row);
		moved++;
	}
	return moved;
}

/*
 * Set in @changed (pxs_bitmap_longs(new->nrows) longs, all written) the bit of every
 * row of @new whose first choice is another backend than in @old. An index must mean
 * the same backend in both. Tables of different size share no row: all bits are set.
 * Return: how many are set.
 */
static inline u32 unit_diff(const struct pxs_table *old, const struct pxs_table *new,
			    unsigned long *changed)
{
	bool alike = old->nrows == new->nrows && old->ring == new->ring;
	u32 row, moved = 0;

	memset(changed, 0, pxs_bitmap_longs(new->nrows) * sizeof(*changed));
	if (old->ring && new->ring)
		return unit_diff_rings(old, new, changed);
	for (row = 0; row < new->nrows; row++) {
		if (alike && old->rows[row].first == new->rows[row].first)
			continue;
		unit_set_changed(changed, row);
		moved++;
	}
	return moved;
}

#endif /* UNIT_DIFF_H */
