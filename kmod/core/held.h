/* SPDX-License-Identifier: GPL-2.0 */
/*
 * held.h - up to which slot every member has what was decided
 *
 * A leader hears each member's commit index, in all that it says; the lowest of them it tells the
 * others (HELD). What one member has had every one of its lives has, but for the last two windows:
 * what leaves the window is durable, and of what is durable a restart finds the commit index to
 * within seven eighths of one (an accept is at most three quarters ahead of it, and its newest
 * record an eighth behind). So who trims two windows below leaves no member without what it will
 * ask for. One whose disk was lost is another member.
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_HELD_H
#define PXS_CORE_HELD_H

#include "group.h"

/* Member index @from says that it has slots up to @commit. */
static inline void pxs_held_heard(struct pxs_group *g, u8 from, u64 commit)
{
	g->has[from] = max(g->has[from], commit);
}

/* A leader said that every member has slots up to @slot: that stays true, whoever leads. */
static inline void pxs_held_told(struct pxs_group *g, u64 slot)
{
	g->held = max(g->held, slot);
}

/* With a leader's heartbeat: tell the others, if there is news. */
void pxs_held_beat(struct pxs_group *g, struct pxs_out *out);

#endif /* PXS_CORE_HELD_H */
