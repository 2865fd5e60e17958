// SPDX-License-Identifier: GPL-2.0
/*
 * drain.c - until when a backend that drains keeps what it has
 */
#include "drain.h"

int pxs_drain_check(u8 state, u32 deadline, const char **why)
{
	if (!deadline || deadline == PXS_DRAIN_AS_IS || state == PXS_BACKEND_DRAIN)
		return 0;
	*why = "a deadline belongs to state drain";
	return -EINVAL;
}

void pxs_drain_change(struct pxs_drain *d, u8 state, u32 deadline, u64 now)
{
	if (state != PXS_BACKEND_DRAIN)
		deadline = 0;
	if (deadline == PXS_DRAIN_AS_IS)
		return;
	d->deadline = deadline;
	d->until = now + 1000ull * deadline;
	WRITE_ONCE(d->passed, false);
}

u64 pxs_drain_due(const struct pxs_drain *d)
{
	return d->deadline && !d->passed ? d->until : 0;
}

bool pxs_drain_pass(struct pxs_drain *d, u64 now)
{
	if (!d->deadline || d->passed || now < d->until)
		return false;
	WRITE_ONCE(d->passed, true);	/* a relay's works read it, without a lock */
	return true;
}

u32 pxs_drain_left(const struct pxs_drain *d, u64 now)
{
	if (!d->deadline || d->passed)
		return 0;
	/* It is over when what was left of it was ended, not a moment before. */
	return now < d->until ? (u32)(d->until - now) : 1;
}
