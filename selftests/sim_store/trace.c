// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - what happened, in words: of the last things that did
 */
#include <stdarg.h>
#include <stdio.h>

#include "sim_store.h"

#define LINES	600u
#define WIDTH	200u

static char line[LINES][WIDTH];
static u32 lines;

void ss_trace_clear(void)
{
	lines = 0;
}

void ss_trace(const char *fmt, ...)
{
	char *to = line[lines % LINES];
	va_list ap;
	int n;

	if (!sim.tracing)
		return;
	n = snprintf(to, WIDTH, "%6llu ", U(sim.now));
	va_start(ap, fmt);
	vsnprintf(to + n, WIDTH - (u32)n, fmt, ap);
	va_end(ap);
	lines++;
}

void ss_trace_dump(void)
{
	u32 i;

	for (i = lines > LINES ? lines - LINES : 0; i < lines; i++)
		fprintf(stderr, "%s\n", line[i % LINES]);
}

void ss_fail(const char *fmt, ...)
{
	va_list ap;

	if (sim.failed)
		return;
	sim.failed = true;
	va_start(ap, fmt);
	vsnprintf(sim.why, sizeof(sim.why), fmt, ap);
	va_end(ap);
	ss_trace("FAILED: %s", sim.why);
}

void ss_note(const void *bytes, u32 len)
{
	const u8 *p = bytes;

	while (len--)
		sim.digest = (sim.digest ^ *p++) * 0x100000001b3ull;
}
