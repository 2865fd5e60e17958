// SPDX-License-Identifier: GPL-2.0
/*
 * ramp.c - slow start: the weight of a backend that has just begun to serve
 *
 * Weights are whole numbers, and most are 1: while somebody ramps, all weights of the table are
 * multiplied by one number, which changes nobody's share. Owns nothing.
 */
#include "ramp.h"

/* Steps on the way, the full weight not among them. */
static u32 steps_of(u32 seconds)
{
	return min(seconds * PXS_RAMP_PER_SECOND, (u32)PXS_RAMP_STEPS);
}

u32 pxs_ramp_interval(u32 seconds)
{
	u32 steps = steps_of(seconds);

	return (seconds * 1000 + steps - 1) / steps;
}

u32 pxs_ramp_step(u32 seconds, u64 since, u64 now)
{
	u64 step;
	u32 interval;

	if (!seconds)
		return PXS_RAMP_DONE;
	interval = pxs_ramp_interval(seconds);
	step = pxs_div64(now, interval) - pxs_div64(since, interval);
	return step < steps_of(seconds) ? (u32)step + 1 : PXS_RAMP_DONE;
}

u64 pxs_ramp_next(u32 seconds, u64 now)
{
	u32 interval = pxs_ramp_interval(seconds);

	return (pxs_div64(now, interval) + 1) * interval;
}

u32 pxs_ramp_share(u32 seconds, u32 step)
{
	u32 whole = steps_of(seconds) + 1;

	return step < whole ? (1000 * step + whole - 1) / whole : 1000;
}

u32 pxs_ramp_scale(u32 lightest, u32 heaviest)
{
	u32 scale = 1;

	if (!lightest || !heaviest || heaviest > PXS_WEIGHT_MAX)
		return 1;
	/* two for each step, so that rounding makes no two steps equal */
	if (lightest < 2 * PXS_RAMP_DONE)
		scale = (2 * PXS_RAMP_DONE + lightest - 1) / lightest;
	return min(scale, PXS_WEIGHT_MAX / heaviest);
}

u32 pxs_ramp_weight(u32 weight, u32 scale, u32 share)
{
	u32 part = (u32)pxs_div64((u64)weight * scale * share + 500, 1000);

	return weight && !part ? 1 : part;
}

bool pxs_ramp_is_seasoned(const struct pxs_ramp *r, u32 seconds, u64 now)
{
	return r->since && pxs_ramp_step(seconds, r->since, now) == PXS_RAMP_DONE;
}

bool pxs_ramp_change(struct pxs_ramp *r, bool serves, u32 seconds, bool seasoned, u64 now)
{
	bool served = r->since;

	if (serves == served)
		return false;
	r->ramps = serves && seconds && seasoned;
	r->since = serves ? now : 0;
	return serves;
}

u32 pxs_ramp_share_at(const struct pxs_ramp *r, u32 seconds, u64 now)
{
	if (!r->ramps)
		return 1000;
	return pxs_ramp_share(seconds, pxs_ramp_step(seconds, r->since, now));
}
