// SPDX-License-Identifier: GPL-2.0
/*
 * test_quantile.c - quantiles of the benchmarks' programs
 */
#include "../quantile.h"
#include "unit.h"

static void of_nothing_is_0(void)
{
	CHECK_EQ(quantile(NULL, 0, 50), 0);
}

static void one_is_all(void)
{
	const uint32_t one[] = { 7 };

	CHECK_EQ(quantile(one, 1, 0), 7);
	CHECK_EQ(quantile(one, 1, 50), 7);
	CHECK_EQ(quantile(one, 1, 100), 7);
}

/* As many as that are not above it, and one less would be too few. */
static void by_rank(void)
{
	uint32_t v[1000], q;
	unsigned int percent;
	size_t n, i, upto;

	for (n = 1; n <= 1000; n += n < 130 ? 1 : 87) {
		for (i = 0; i < n; i++)
			v[i] = (uint32_t)(10 * i + 5);
		for (percent = 1; percent <= 100; percent++) {
			q = quantile(v, n, percent);
			for (upto = 0; upto < n && v[upto] <= q; upto++)
				;
			CHECK(upto * 100 >= n * percent);
			CHECK((upto - 1) * 100 < n * percent);
		}
	}
}

static void p99_of_a_hundred_is_the_99th(void)
{
	uint32_t v[200];
	uint32_t i;

	for (i = 0; i < 200; i++)
		v[i] = i + 1;
	CHECK_EQ(quantile(v, 100, 99), 99);
	CHECK_EQ(quantile(v, 200, 99), 198);
	CHECK_EQ(quantile(v, 200, 50), 100);
}

static void sorts_what_is_large(void)
{
	uint32_t v[] = { UINT32_MAX, 0, 1u << 31, 5, (1u << 31) - 1 };

	quantile_sort(v, 5);
	CHECK_EQ(v[0], 0);
	CHECK_EQ(v[1], 5);
	CHECK_EQ(v[2], (1u << 31) - 1);
	CHECK_EQ(v[3], 1u << 31);
	CHECK_EQ(v[4], UINT32_MAX);
}

int main(void)
{
	RUN(of_nothing_is_0);
	RUN(one_is_all);
	RUN(by_rank);
	RUN(p99_of_a_hundred_is_the_99th);
	RUN(sorts_what_is_large);
	return unit_done();
}
