// SPDX-License-Identifier: GPL-2.0
/*
 * test_real.c - numbers that round as a double does, against this machine's doubles
 */
#include <math.h>

#include "unit.h"
#include "real.h"

static double value(struct pxs_real x)
{
	/* exact: at most 2^53 */
	CHECK(x.m <= 1ull << 53);
	return ldexp((double)x.m, x.e);
}

static void same(double got, double want)
{
	if (got == want)
		return;
	CHECK(got == want);
	printf("#   %a, %a\n", got, want);
}

static u32 number(u64 *x)
{
	u64 r = unit_random(x);
	u32 n = (u32)(r >> 32) >> (r % 32);

	return n ? n : 1;
}

static void one(u64 *x)
{
	u32 a = number(x), b = number(x), c = number(x), d = number(x);
	struct pxs_real p = pxs_real_quotient(a, b), q = pxs_real_quotient(c, d);
	double dp = (double)a / (double)b, dq = (double)c / (double)d;

	same(value(p), dp);
	same(value(pxs_real_times(c, p)), (double)c * dp);
	same(value(pxs_real_sum(p, q)), dp + dq);
	same(value(pxs_real_sum(q, pxs_real_times(d, p))), dq + (double)d * dp);
	CHECK_EQ(pxs_real_less(p, q), dp < dq);
	CHECK_EQ(pxs_real_floor(p), (u64)dp);
}

static void random_ones(void)
{
	u64 x = 7;
	u32 i;

	for (i = 0; i < 300000; i++)
		one(&x);
}

/* Ties go to the even neighbour, unless there is a little more. */
static void ties(void)
{
	struct pxs_real r;

	r = pxs_real_round(0, (1ull << 54) + 2, false);
	same(value(r), 0x1p54);
	r = pxs_real_round(0, (1ull << 54) + 2, true);
	same(value(r), 0x1p54 + 4);
	r = pxs_real_round(0, (1ull << 54) + 6, false);
	same(value(r), 0x1p54 + 8);
	r = pxs_real_round(1, 1ull << 11, false);
	same(value(r), 0x1p64);
	r = pxs_real_round(1, (1ull << 11) + 1, false);
	same(value(r), 0x1p64 + 0x1p12);
	r = pxs_real_round(~0ull, ~0ull, false);
	same(value(r), 0x1p128);
	r = pxs_real_round(0, 0, false);
	same(value(r), 0);
	r = pxs_real_sum(r, pxs_real_quotient(1, 3));
	same(value(r), 1.0 / 3.0);
	CHECK(pxs_real_less(pxs_real_round(0, 0, false), r));
	CHECK(!pxs_real_less(r, r));
}

/* Adding up, as others do. */
static void sums(void)
{
	struct pxs_real third = pxs_real_quotient(3, 10), sum = { 0, 0 };
	double want = 0;
	u32 i;

	for (i = 0; i < 200000; i++) {
		sum = pxs_real_sum(sum, third);
		want += 3.0 / 10.0;
		same(value(sum), want);
	}
}

int main(void)
{
	RUN(random_ones);
	RUN(ties);
	RUN(sums);
	return unit_done();
}
