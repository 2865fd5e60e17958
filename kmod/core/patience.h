/* SPDX-License-Identifier: GPL-2.0 */
/*
 * patience.h - how long a disk may stand still
 *
 * An agent that was not heard for so long, or whose durable point did not move for so long while
 * records wait, leads no more: its groups send no heartbeats. Long enough for a disk's hiccup, and
 * never less than what four heartbeats of a slow group take.
 */
#ifndef PXS_CORE_PATIENCE_H
#define PXS_CORE_PATIENCE_H

#include "platform.h"

#define PXS_PATIENCE_MS	2000u

/* In ms, of a group with this heartbeat. */
static inline u64 pxs_patience(u32 heartbeat_ms)
{
	return max((u64)PXS_PATIENCE_MS, 4 * (u64)heartbeat_ms);
}

#endif /* PXS_CORE_PATIENCE_H */
