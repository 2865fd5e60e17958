// SPDX-License-Identifier: GPL-2.0
/*
 * test_watch.c - `stats`, and `stats -w`: totals and rates of what the fake kernel counts
 *
 * Times are this machine's, so no rate is known in advance; rate and interval together say how
 * much was counted, and that is.
 */
#include <math.h>

#include <jansson.h>

#include "cli/watch.h"
#include "fake_kernel.h"
#include "unit.h"

#define STEP	1000

static const char two[] =
	"service add a udp 192.0.2.1:53\n"
	"backend add a 10.0.0.1:53\n"
	"backend add a 10.0.0.2:53\n"
	"service add b tcp [2001:db8::1]:80\n"
	"backend add b [2001:db8::2]:80\n";

static void begin(void)
{
	fake_write(two);
	CHECK_EQ(run("restore", fake_file, NULL), CLI_OK);
	fake.service[1].packets = 7 * STEP;	/* not to be mistaken for the other */
	fake.step = STEP;
	fake.dumps = 0;
}

/* Of a rate and the interval that it is of: how many. */
static double counted(const json_t *line, const char *list, size_t i, const char *rate)
{
	const json_t *o = json_array_get(json_object_get(line, list), i);

	return json_real_value(json_object_get(o, rate)) *
	       json_real_value(json_object_get(line, "interval"));
}

static void check_line(const json_t *line)
{
	size_t i;

	CHECK_EQ(json_array_size(json_object_get(line, "services")), 2);
	CHECK_EQ(json_array_size(json_object_get(line, "backends")), 3);
	for (i = 0; i < 3; i++) {
		CHECK(fabs(counted(line, "backends", i, "packets_per_second") - STEP) < 0.01);
		CHECK(fabs(counted(line, "backends", i, "bytes_per_second") - 100 * STEP) < 0.01);
		CHECK(fabs(counted(line, "backends", i, "requests_per_second") - STEP / 2) < 0.01);
	}
	CHECK(fabs(counted(line, "services", 1, "packets_per_second") - STEP) < 0.01);
	CHECK_STR(json_string_value(json_object_get(json_array_get(json_object_get(line,
		"backends"), 2), "addr")), "2001:db8::2");
}

static void objects_by_line(void)
{
	char *rest, *text;
	unsigned int n = 0;
	json_t *line;

	begin();
	CHECK_EQ(run("-j", "stats", "-w", "0.1", "count", "3", NULL), CLI_OK);
	CHECK_STR(said.err, "");
	for (rest = said.out; (text = strsep(&rest, "\n")) && *text; n++) {
		line = json_loads(text, 0, NULL);
		CHECK_FATAL(line);
		CHECK(json_real_value(json_object_get(line, "interval")) > 0);
		check_line(line);
		json_decref(line);
	}
	CHECK_EQ(n, 3);
}

/* Not a terminal: no escapes, and columns that stand below their titles. */
static void text(void)
{
	const char *title, *row, *end;

	begin();
	CHECK_EQ(run("stats", "show", "-w", "0.1", "count", "1", NULL), CLI_OK);
	CHECK(!strchr(said.out, '\033'));
	title = strstr(said.out, "  SERVICE  REQUESTS/S");
	row = title ? strstr(title, "\n  a  ") : NULL;
	CHECK_FATAL(row);
	end = strchr(row + 1, '\n');
	CHECK_EQ(strchr(title, '\n') - title, end - row - 1);
	CHECK(strstr(said.out, "[2001:db8::2]:80"));
}

/* Every counter has a column, the last one too. */
static void totals(void)
{
	const char *title, *row;

	begin();
	fake.step = 0;
	CHECK_EQ(run("stats", NULL), CLI_OK);
	CHECK_STR(said.err, "");
	title = strstr(said.out, "SERVICE  BACKEND");
	CHECK_FATAL(title);
	row = strchr(title, '\n');
	CHECK_FATAL(row);
	CHECK(!strncmp(row - 7, " FAILED", 7));
	CHECK(strstr(row, "[2001:db8::2]:80"));
}

/* The signal comes while the kernel answers: the interval at hand is still shown. */
static void interrupted(void)
{
	unsigned int n = 0;
	char *p;

	begin();
	fake.interrupt_at = 5;	/* two dumps a sample: the third sample's first */
	CHECK_EQ(run("-j", "stats", "-w", "0.1", NULL), CLI_OK);
	for (p = said.out; (p = strchr(p, '\n')); p++)
		n++;
	CHECK_EQ(n, 2);
	CHECK_EQ(fake.dumps, 6);
}

/* Counters that begin anew count from 0: no negative rate, and no huge one. */
static void made_anew(void)
{
	json_t *line;

	begin();
	fake.backend[0].packets = 5000;
	fake.step = -(uint64_t)2000;	/* 3000, and then 1000 */
	CHECK_EQ(run("-j", "stats", "-w", "0.1", "count", "1", NULL), CLI_OK);
	line = json_loads(said.out, 0, NULL);
	CHECK_FATAL(line);
	CHECK(fabs(counted(line, "backends", 0, "packets_per_second") - 1000) < 0.01);
	json_decref(line);
}

static void deadlines(void)
{
	CHECK_EQ(watch_next(1000, 100, 1000), 1100);
	CHECK_EQ(watch_next(1000, 100, 1099), 1100);
	/* Too late for one, or for many: the next on the same grid. */
	CHECK_EQ(watch_next(1000, 100, 1100), 1200);
	CHECK_EQ(watch_next(1000, 100, 1101), 1200);
	CHECK_EQ(watch_next(1000, 100, 1950), 2000);
}

int main(void)
{
	RUN_FRESH(objects_by_line);
	RUN_FRESH(text);
	RUN_FRESH(totals);
	RUN_FRESH(interrupted);
	RUN_FRESH(made_anew);
	RUN_FRESH(deadlines);
	fake_end();
	return unit_done();
}
