// SPDX-License-Identifier: GPL-2.0
/*
 * stamp.c - versions of eventual writes: hybrid logical clocks
 */
#include "stamp.h"

#include <inttypes.h>
#include <stdio.h>

static int order(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

int pxs_stamp_compare(const struct pxs_stamp *a, const struct pxs_stamp *b)
{
	int o = order(a->time, b->time);

	if (!o)
		o = order(a->member, b->member);
	return o ? o : order(a->table, b->table);
}

u64 pxs_clock_tick(u64 *clock, u64 now)
{
	*clock = max(*clock + 1, now << PXS_STAMP_COUNT_BITS);
	return *clock;
}

void pxs_clock_see(u64 *clock, u64 time)
{
	*clock = max(*clock, time);
}

bool pxs_clock_ahead(u64 time, u64 now, u64 drift)
{
	return pxs_stamp_ms(time) > now + drift;
}

void pxs_stamp_format(const struct pxs_stamp *s, char text[PXS_STAMP_TEXT])
{
	snprintf(text, PXS_STAMP_TEXT, "%" PRIu64 ".%u@%u", pxs_stamp_ms(s->time),
		 (u32)(s->time & ((1u << PXS_STAMP_COUNT_BITS) - 1)), s->member);
}
