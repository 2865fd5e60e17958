// SPDX-License-Identifier: GPL-2.0
/*
 * tsc.c - how fast this processor's time stamp counter counts, for vm/run
 *
 *	tsc
 *
 * Prints kHz. A machine that QEMU emulates reads the counter of the processor below, but has to
 * find its rate with timers that may come late when that processor is busy: it then lives by a
 * clock that is wrong by factors. It is better told. Exit status 1: there is no such counter.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#ifdef __x86_64__
#include <x86intrin.h>

#define TRIES	50
#define WAIT_NS	100000000

struct moment {
	uint64_t tsc;
	int64_t ns;
};

/* The clock between two looks at the counter: of some, those that lie closest together. */
static struct moment look(void)
{
	struct moment best = { 0 };
	uint64_t least = UINT64_MAX;
	struct timespec t;
	int i;

	for (i = 0; i < TRIES; i++) {
		uint64_t before = __rdtsc(), after;

		clock_gettime(CLOCK_MONOTONIC_RAW, &t);
		after = __rdtsc();
		if (after - before >= least)
			continue;
		least = after - before;
		best.tsc = before + least / 2;
		best.ns = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
	}
	return best;
}

int main(void)
{
	const struct timespec wait = { .tv_nsec = WAIT_NS };
	struct moment a = look(), b;

	nanosleep(&wait, NULL);
	b = look();
	if (b.ns <= a.ns || b.tsc <= a.tsc)
		return 1;
	printf("%.0f\n", (double)(b.tsc - a.tsc) * 1e6 / (double)(b.ns - a.ns));
	return 0;
}
#else
int main(void)
{
	return 1;
}
#endif
