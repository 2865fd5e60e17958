// SPDX-License-Identifier: GPL-2.0
/*
 * fresh.c - how old is what this member has applied?
 *
 * Points are kept in the order of their times. Their slots need not rise with them: the one
 * that was asked for first may have been decided last.
 */
#include "fresh.h"

u64 pxs_fresh_newest(const struct pxs_fresh *f)
{
	return f->points ? f->point[f->points - 1].at : f->at;
}

void pxs_fresh_learn(struct pxs_fresh *f, u64 at, u64 slot)
{
	f->told = max(f->told, slot);
	if (at <= pxs_fresh_newest(f))
		return;
	/* When full, the newest is replaced: it says what the one before said, and more. */
	if (f->points < PXS_FRESH_POINTS)
		f->points++;
	f->point[f->points - 1].at = at;
	f->point[f->points - 1].slot = slot;
}

void pxs_fresh_applied(struct pxs_fresh *f, u64 applied)
{
	u32 n = f->points;

	while (n && f->point[n - 1].slot > applied)
		n--;
	if (!n)
		return;
	f->at = f->point[n - 1].at;
	f->points -= n;
	memmove(f->point, f->point + n, f->points * sizeof(f->point[0]));
}

bool pxs_fresh_holds(const struct pxs_fresh *f, const struct pxs_read_level *level, u64 now,
		     u64 arrived, u64 applied, u64 decided)
{
	u64 known = max(f->told, decided);

	if (!f->at)
		return false;
	if (f->at > arrived)
		return true;
	if (now - f->at > level->ms * 1000000ull)
		return false;
	return known <= applied || known - applied <= level->entries;
}
