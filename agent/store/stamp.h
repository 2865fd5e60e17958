/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stamp.h - versions of eventual writes: hybrid logical clocks
 *
 * As in Kulkarni and others, "Logical Physical Clocks" (2014): a time is 48 bits of milliseconds of
 * the epoch and 16 bits that count events within one. It is never before the machine's clock as
 * far as that was looked at, always behind everything that this member has written or merged,
 * and close to real time as long as the members' clocks are. Where the count overflows, the
 * milliseconds take the carry.
 *
 * Two members may draw the same time; the member and the random number of its table tell such
 * stamps apart, so that any two writes have an order, and the same one everywhere. The table's
 * number is there because a member whose disk was lost may draw a time again.
 *
 * Pure: no I/O, no clock.
 */
#ifndef PXS_STORE_STAMP_H
#define PXS_STORE_STAMP_H

#include "platform.h"

#define PXS_STAMP_COUNT_BITS	16u

struct pxs_stamp {
	u64 time;		/* 0: none */
	u64 table;		/* of the member that wrote it */
	u8 member;
};

#define PXS_STAMP_TEXT	48u	/* "MS.COUNT@MEMBER", and the end */

/* Return: below 0, 0 or above it, as @a is before @b, it, or behind it. */
int pxs_stamp_compare(const struct pxs_stamp *a, const struct pxs_stamp *b);

static inline u64 pxs_stamp_ms(u64 time)
{
	return time >> PXS_STAMP_COUNT_BITS;
}

/* The next time of the clock that stands at *@clock, at @now (ms of the epoch). */
u64 pxs_clock_tick(u64 *clock, u64 now);

/* Something of @time was seen. */
void pxs_clock_see(u64 *clock, u64 time);

/* Is @time more than @drift milliseconds ahead of @now? */
bool pxs_clock_ahead(u64 time, u64 now, u64 drift);

void pxs_stamp_format(const struct pxs_stamp *s, char text[PXS_STAMP_TEXT]);

#endif /* PXS_STORE_STAMP_H */
