/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ramp.h - slow start: the weight of a backend that has just begun to serve
 *
 * Whoever begins while others have served for long is cold: its weight grows in small, even steps
 * from next to nothing to what it was given. Steps lie on a grid of the director's clock, so all
 * who ramp in a service step at once, and that takes one table. Directors that saw backends begin
 * at other moments have other tables until the last ramp ends, then equal ones again. Control path.
 */
#ifndef PXS_CORE_RAMP_H
#define PXS_CORE_RAMP_H

#include "platform.h"
#include <linux/paxsteer.h>

#define PXS_RAMP_STEPS		64	/* at most; each one is a table to build */
#define PXS_RAMP_PER_SECOND	4	/* at most */

/* Step of a backend that ramps no more, or never did. */
#define PXS_RAMP_DONE		(PXS_RAMP_STEPS + 1)

/* Of a backend. All 0: it does not serve, and never did. */
struct pxs_ramp {
	u64 since;	/* serves since, milliseconds; 0: does not */
	bool ramps;	/* began in a slow start, which may be over */
};

/* Has it served at @now for as long as a slow start of @seconds takes? */
bool pxs_ramp_is_seasoned(const struct pxs_ramp *r, u32 seconds, u64 now);

/*
 * At @now (above 0), does it serve, or cease to? Who begins ramps for @seconds (0: there is no slow
 * start), but only where others are @seasoned: if all are as cold, shares are what they were.
 * Return: whether it began.
 */
bool pxs_ramp_change(struct pxs_ramp *r, bool serves, u32 seconds, bool seasoned, u64 now);

/* How many thousandths of its weight count at @now: 1..1000, as pxs_ramp_share(). */
u32 pxs_ramp_share_at(const struct pxs_ramp *r, u32 seconds, u64 now);

/* Milliseconds from one step to the next. @seconds: the service's slow start, not 0. */
u32 pxs_ramp_interval(u32 seconds);

/*
 * At @now, the step of a backend that began at @since (milliseconds of one clock): 1 at once,
 * PXS_RAMP_DONE when all intervals are over, less than one interval before @seconds are.
 * @seconds 0: always PXS_RAMP_DONE.
 */
u32 pxs_ramp_step(u32 seconds, u64 since, u64 now);

/* When the next step begins, for all of a service: after @now, at most an interval later. */
u64 pxs_ramp_next(u32 seconds, u64 now);

/* How many thousandths of its weight count at @step: 1..1000. */
u32 pxs_ramp_share(u32 seconds, u32 step);

/*
 * What all weights of a table have to be multiplied by, so that the steps of a backend of weight
 * @lightest can be told apart and none of @heaviest exceeds PXS_WEIGHT_MAX. 1 if it cannot be done.
 */
u32 pxs_ramp_scale(u32 lightest, u32 heaviest);

/*
 * The weight in the table: @weight * @scale, of which a share counts. Not 0, unless @weight is:
 * who owns no row at all would not get warm.
 */
u32 pxs_ramp_weight(u32 weight, u32 scale, u32 share);

#endif /* PXS_CORE_RAMP_H */
