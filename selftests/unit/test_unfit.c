// SPDX-License-Identifier: GPL-2.0
/*
 * test_unfit.c - why a backend is passed over: every state with every health
 */
#include "unfit.h"
#include "unit.h"

/* What failed is out; if somebody else wants it out, that is why. */
static void it_must_not_have_failed(void)
{
	CHECK_EQ(pxs_unfit(PXS_BACKEND_UP, PXS_HEALTH_GOOD, true), PXS_UNFIT_FAILED);
	CHECK_EQ(pxs_unfit(PXS_BACKEND_UP, PXS_HEALTH_BAD, true), PXS_UNFIT_BAD);
	CHECK_EQ(pxs_unfit(PXS_BACKEND_DOWN, PXS_HEALTH_GOOD, true), PXS_UNFIT_DOWN);
}

static void state_and_health_must_want_it(void)
{
	static const struct {
		u8 state, health, unfit;
	} cases[] = {
		{ PXS_BACKEND_UP, PXS_HEALTH_UNCHECKED, 0 },
		{ PXS_BACKEND_UP, PXS_HEALTH_GOOD, 0 },
		{ PXS_BACKEND_UP, PXS_HEALTH_BAD, PXS_UNFIT_BAD },
		{ PXS_BACKEND_DRAIN, PXS_HEALTH_UNCHECKED, PXS_UNFIT_DRAIN },
		{ PXS_BACKEND_DRAIN, PXS_HEALTH_GOOD, PXS_UNFIT_DRAIN },
		{ PXS_BACKEND_DRAIN, PXS_HEALTH_BAD, PXS_UNFIT_DRAIN },
		{ PXS_BACKEND_DOWN, PXS_HEALTH_UNCHECKED, PXS_UNFIT_DOWN },
		{ PXS_BACKEND_DOWN, PXS_HEALTH_GOOD, PXS_UNFIT_DOWN },
		{ PXS_BACKEND_DOWN, PXS_HEALTH_BAD, PXS_UNFIT_DOWN },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		CHECK_EQ(pxs_unfit(cases[i].state, cases[i].health, false), cases[i].unfit);
}

int main(void)
{
	RUN(state_and_health_must_want_it);
	RUN(it_must_not_have_failed);
	return unit_done();
}
