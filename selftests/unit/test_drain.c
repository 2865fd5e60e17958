// SPDX-License-Identifier: GPL-2.0
/*
 * test_drain.c - the deadline of a drain: who may have one, when it passes, what ends it
 */
#include "drain.h"
#include "unit.h"

static const char *why;

static void belongs_to_drain(void)
{
	static const u8 others[] = { PXS_BACKEND_UP, PXS_BACKEND_DOWN };
	u32 i;

	CHECK_EQ(pxs_drain_check(PXS_BACKEND_DRAIN, 1, &why), 0);
	CHECK_EQ(pxs_drain_check(PXS_BACKEND_DRAIN, PXS_DEADLINE_MAX, &why), 0);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		why = NULL;
		CHECK_EQ(pxs_drain_check(others[i], 0, &why), 0);
		CHECK_EQ(pxs_drain_check(others[i], PXS_DRAIN_AS_IS, &why), 0);
		CHECK(!why);
		CHECK_EQ(pxs_drain_check(others[i], 1, &why), -EINVAL);
		CHECK(why);
	}
}

/* Not a millisecond before, and once. */
static void passes_once(void)
{
	struct pxs_drain d = { 0 };

	CHECK(!pxs_drain_pass(&d, UINT64_MAX));
	CHECK_EQ(pxs_drain_due(&d), 0);
	CHECK_EQ(pxs_drain_left(&d, 5), 0);
	pxs_drain_change(&d, PXS_BACKEND_DRAIN, 2, 500);
	CHECK_EQ(d.deadline, 2);
	CHECK_EQ(pxs_drain_due(&d), 2500);
	CHECK_EQ(pxs_drain_left(&d, 500), 2000);
	CHECK_EQ(pxs_drain_left(&d, 2499), 1);
	CHECK(!pxs_drain_pass(&d, 2499));
	CHECK_EQ(pxs_drain_left(&d, 2600), 1);
	CHECK(pxs_drain_pass(&d, 2500));
	CHECK(d.passed);
	CHECK(!pxs_drain_pass(&d, 2500));
	CHECK_EQ(pxs_drain_due(&d), 0);
	CHECK_EQ(pxs_drain_left(&d, 2500), 0);
	CHECK_EQ(d.deadline, 2);
}

/* Another weight, or drain said once more, is no other deadline; before or after it passed. */
static void goes_on(void)
{
	struct pxs_drain d = { 0 };

	pxs_drain_change(&d, PXS_BACKEND_DRAIN, 3, 0);
	pxs_drain_change(&d, PXS_BACKEND_DRAIN, PXS_DRAIN_AS_IS, 1000);
	CHECK_EQ(pxs_drain_due(&d), 3000);
	CHECK(pxs_drain_pass(&d, 3000));
	pxs_drain_change(&d, PXS_BACKEND_DRAIN, PXS_DRAIN_AS_IS, 4000);
	CHECK(d.passed);
	CHECK_EQ(pxs_drain_due(&d), 0);
}

/* One that is said counts from then on: earlier, later, after the last one passed, or none. */
static void is_given_anew(void)
{
	struct pxs_drain d = { 0 };

	pxs_drain_change(&d, PXS_BACKEND_DRAIN, 30, 0);
	pxs_drain_change(&d, PXS_BACKEND_DRAIN, 1, 2000);
	CHECK_EQ(pxs_drain_due(&d), 3000);
	CHECK(pxs_drain_pass(&d, 3000));
	pxs_drain_change(&d, PXS_BACKEND_DRAIN, PXS_DEADLINE_MAX, 5000);
	CHECK_EQ(pxs_drain_due(&d), 5000 + 1000ull * PXS_DEADLINE_MAX);
	CHECK_EQ(pxs_drain_left(&d, 5000), 1000u * PXS_DEADLINE_MAX);
	CHECK(!d.passed);
	pxs_drain_change(&d, PXS_BACKEND_DRAIN, 0, 6000);
	CHECK_EQ(pxs_drain_due(&d), 0);
	CHECK(!pxs_drain_pass(&d, UINT64_MAX));
}

/* Who serves again, or is down, has none; and none comes back with the state. */
static void ends_with_the_state(void)
{
	static const u8 others[] = { PXS_BACKEND_UP, PXS_BACKEND_DOWN };
	struct pxs_drain d;
	u32 i;

	for (i = 0; i < 2 * ARRAY_SIZE(others); i++) {
		d = (struct pxs_drain){ 0 };
		pxs_drain_change(&d, PXS_BACKEND_DRAIN, 1, 0);
		if (i & 1)
			CHECK(pxs_drain_pass(&d, 1000));
		pxs_drain_change(&d, others[i / 2], PXS_DRAIN_AS_IS, 1000);
		CHECK(!d.deadline && !d.passed);
		CHECK(!pxs_drain_pass(&d, UINT64_MAX));
		pxs_drain_change(&d, PXS_BACKEND_DRAIN, PXS_DRAIN_AS_IS, 2000);
		CHECK_EQ(pxs_drain_due(&d), 0);
	}
}

int main(void)
{
	RUN(belongs_to_drain);
	RUN(passes_once);
	RUN(goes_on);
	RUN(is_given_anew);
	RUN(ends_with_the_state);
	return unit_done();
}
