/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit.h - what a unit test needs: checks, a name for each test, TAP on stdout
 *
 * A program is a list of functions; each is one TAP test and fails when one of its
 * checks does. A check that fails says where and goes on; CHECK_FATAL leaves the test.
 *
 *	static void adds_up(void)
 *	{
 *		CHECK_EQ(1 + 1, 2);
 *	}
 *
 *	int main(void)
 *	{
 *		RUN(adds_up);
 *		return unit_done();
 *	}
 */
#ifndef UNIT_H
#define UNIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int unit_tests, unit_failed, unit_faults;

/* Details for a reader, not for the harness. */
#define NOTE(fmt, ...)	printf("# " fmt "\n", ##__VA_ARGS__)

#define CHECK(cond) unit_check(!!(cond), #cond, __FILE__, __LINE__)

#define CHECK_FATAL(cond)						\
	do {								\
		if (!CHECK(cond))					\
			return;						\
	} while (0)

/* Unsigned or non-negative integers. */
#define CHECK_EQ(a, b)							\
	do {								\
		unsigned long long a_ = (a), b_ = (b);			\
									\
		if (!unit_check(a_ == b_, #a " == " #b, __FILE__, __LINE__))	\
			printf("#   %llu (0x%llx), %llu (0x%llx)\n", a_, a_, b_, b_);	\
	} while (0)

#define CHECK_STR(a, b)							\
	do {								\
		const char *a_ = (a), *b_ = (b);			\
									\
		if (!unit_check(a_ && b_ && !strcmp(a_, b_), #a " is " #b, __FILE__, __LINE__)) \
			printf("#   \"%s\", \"%s\"\n", a_ ? a_ : "(null)", b_ ? b_ : "(null)"); \
	} while (0)

#define RUN(test) unit_run(test, #test)

static inline bool unit_check(bool ok, const char *what, const char *file, int line)
{
	if (ok)
		return true;
	unit_faults++;
	if (unit_faults <= 20)
		printf("# %s:%d: not true: %s\n", file, line, what);
	return false;
}

static inline void unit_run(void (*test)(void), const char *name)
{
	unit_faults = 0;
	test();
	unit_tests++;
	if (unit_faults)
		unit_failed++;
	printf("%s %d - %s\n", unit_faults ? "not ok" : "ok", unit_tests, name);
	fflush(stdout);
}

static inline int unit_done(void)
{
	printf("1..%d\n", unit_tests);
	return unit_failed || !unit_tests;
}

/* The same numbers in every run and on every machine: xorshift64*, Vigna 2016. */
static inline uint64_t unit_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* Processor time in milliseconds, for notes. */
static inline double unit_ms(void)
{
	return (double)clock() * 1000 / CLOCKS_PER_SEC;
}

#endif /* UNIT_H */
