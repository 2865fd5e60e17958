// SPDX-License-Identifier: GPL-2.0
/*
 * unfit.c - why a backend is passed over
 *
 * The bit that packets see of a backend and the reason that LOOKUP gives for it come from this one
 * function, so they cannot differ. Pure: any context.
 */
#include "unfit.h"

u8 pxs_unfit(u8 state, u8 health, bool failed)
{
	if (state == PXS_BACKEND_DOWN)
		return PXS_UNFIT_DOWN;
	if (state == PXS_BACKEND_DRAIN)
		return PXS_UNFIT_DRAIN;
	if (health == PXS_HEALTH_BAD)
		return PXS_UNFIT_BAD;
	return failed ? PXS_UNFIT_FAILED : 0;
}
