// SPDX-License-Identifier: GPL-2.0
/*
 * test_plot.c - the picture of a table: bars, marks, colours, and an SVG that is XML
 */
#include "cli/names.h"
#include "cli/plot.h"
#include "cli/table.h"
#include "fake_kernel.h"
#include "unit.h"

static struct table_backend backends[TABLE_NOBODY];
static struct table t;

static void add(unsigned int index, uint64_t weight, unsigned int state, uint64_t first)
{
	struct table_backend *b = &backends[index];

	*b = (struct table_backend){ .ep = { { 10, 0, 0, (uint8_t)index }, 4, 53 },
		.weight = weight, .state = state, .health = PXS_HEALTH_GOOD,
		.first = first, .known = true };
	if (t.end <= index)
		t.end = index + 1;
}

/* 100 rows: as wanted, too many, too few, draining, without weight, deleted but still named. */
static void make_table(void)
{
	memset(backends, 0, sizeof(backends));
	t = (struct table){ .service = "a", .generation = 7, .digest = 1,
		.fill = PXS_FILL_RENDEZVOUS, .nrows = 100, .backend = backends };
	add(1, 4, PXS_BACKEND_UP, 40);
	add(2, 2, PXS_BACKEND_UP, 30);
	add(3, 4, PXS_BACKEND_DOWN, 20);
	add(4, 65535, PXS_BACKEND_DRAIN, 0);
	add(5, 0, PXS_BACKEND_UP, 0);
	backends[9].first = 10;
	t.end = 10;
}

static char *drawn(unsigned int width, bool colour, bool svg)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		abort();
	if (svg)
		plot_svg(f, &t);
	else
		plot_text(f, &t, width, colour);
	fclose(f);
	return text;
}

static void text(void)
{
	char *s;

	make_table();
	backends[2].health = PXS_HEALTH_BAD;
	s = drawn(86, false, false);
	CHECK_STR(s,
		  "a: generation 7, digest 0x0000000000000001, rendezvous, 100 rows\n"
		  "ADDRESS      STATE  HEALTH     WEIGHT   WANTED    SHARE  # share, | wanted\n"
		  "10.0.0.1:53  up     good            4   40.00%   40.00%  ############################|\n"
		  "10.0.0.2:53  up     bad             2   20.00%   30.00%  ##############|#######\n"
		  "10.0.0.3:53  down   good            4   40.00%   20.00%  ##############..............|\n"
		  "10.0.0.4:53  drain  good        65535    0.00%    0.00%  |\n"
		  "10.0.0.5:53  up     good            0    0.00%    0.00%  |\n"
		  "-            -      -               0    0.00%   10.00%  |#######\n");
	free(s);
}

static size_t longest_line(const char *s)
{
	size_t most = 0, len;

	for (; *s; s += len + (s[len] == '\n')) {
		len = strcspn(s, "\n");
		most = len > most ? len : most;
	}
	return most;
}

static void widths(void)
{
	unsigned int width;
	char *s;

	make_table();
	for (width = 81; width < 300; width++) {
		s = drawn(width, false, false);
		CHECK_EQ(longest_line(s), width);
		free(s);
	}
	s = drawn(1, false, false);	/* no terminal is that narrow: a bar all the same */
	CHECK(strstr(s, "##########|\n"));
	free(s);
}

static void colours(void)
{
	char *s;

	make_table();
	s = drawn(86, true, false);
	CHECK(strstr(s, "40.00%  \033[32m####"));
	CHECK(strstr(s, "30.00%  \033[31m####"));
	CHECK(strstr(s, "|\033[0m\n"));
	free(s);
	backends[1].first = 41;
	backends[2].first = 29;
	t.nrows = 1000;
	add(1, 4, PXS_BACKEND_UP, 390);
	s = drawn(86, true, false);
	CHECK(strstr(s, "39.00%  \033[33m####"));
	free(s);
}

/* A table of few rows can't be nearer than a row. */
static void one_row(void)
{
	char *s;

	make_table();
	memset(backends, 0, sizeof(backends));
	t.nrows = 3;
	add(1, 1, PXS_BACKEND_UP, 2);
	add(2, 1, PXS_BACKEND_UP, 1);
	s = drawn(86, true, false);
	CHECK(!strstr(s, "\033[31m") && !strstr(s, "\033[33m"));
	free(s);
}

static int is_xml(const char *path)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd), "/usr/bin/python3 -c 'import sys, xml.dom.minidom as m; "
		 "d = m.parse(sys.argv[1]); n = d.getElementsByTagName; sys.exit(not (len(n(\"line\"))"
		 " == 6 and len(n(\"rect\")) == 7))' %s", path);
	return system(cmd);
}

static void svg(void)
{
	char *s;

	make_table();
	t.service = "a<&\">\x01\xff";	/* the kernel has no such names; XML may not depend on it */
	s = drawn(0, false, true);
	CHECK(strstr(s, ">a&lt;&amp;&quot;&gt;??: share"));
	CHECK(strstr(s, "width=\"400.00\" height=\"16\" fill=\"#4a9\""));
	CHECK(strstr(s, "width=\"300.00\" height=\"16\" fill=\"#d54\""));
	fake_write(s);
	CHECK_EQ(is_xml(fake_file), 0);
	free(s);
}

/* The whole command, with a table of four rows. */
static void command(void)
{
	struct pxs_table_row rows[] = { { 0, 1 }, { 1, 0 }, { 1, 0 }, { 0, 1 } };

	fake_write("service add a udp 192.0.2.1:53\n"
		   "backend add a 10.0.0.1:53 weight 1 state up\n"
		   "backend add a 10.0.0.2:53 weight 1 state down\n");
	CHECK_EQ(run("restore", fake_file, NULL), CLI_OK);
	fake.generation = 3;
	fake.page = nlq_msg(PXS_CMD_TABLE_GET);
	nlq_put_u64(fake.page, PXS_A_TABLE_GENERATION, 3);
	nlq_put_u8(fake.page, PXS_A_TABLE_FILL, PXS_FILL_RENDEZVOUS);
	nlq_put_u32(fake.page, PXS_A_TABLE_NROWS, 4);
	nlq_put(fake.page, PXS_A_TABLE_ROWS, rows, sizeof(rows));

	CHECK_EQ(run("table", "plot", "a", NULL), CLI_OK);
	CHECK(!strchr(said.out, '\033'));
	CHECK(strstr(said.out, "10.0.0.2:53  down   unchecked       1   50.00%   50.00%  ####"));
	CHECK_EQ(longest_line(said.out), 80);
	CHECK_EQ(run("-j", "table", "plot", "a", NULL), CLI_OK);
	CHECK(strstr(said.out, "\"addr\":\"10.0.0.2\",\"port\":53,\"state\":\"down\",\"health\":\"unchecked\",\"weight\":1,"
		     "\"wanted\":0.5,\"share\":0.5}"));
	CHECK_EQ(run("table", "plot", "a", "svg", "-", NULL), CLI_OK);
	CHECK(strstr(said.out, "</svg>\n"));
	CHECK_EQ(run("table", "plot", "a", "svg", fake_file, NULL), CLI_OK);
	CHECK_STR(said.out, "");
	CHECK_EQ(run("table", "plot", "a", "svg", "/dev/full", NULL), CLI_USAGE);
	CHECK(strstr(said.err, "cannot write \"/dev/full\": No space"));
	CHECK_EQ(run("table", "plot", "a", "svg", "/nonexistent/x", NULL), CLI_USAGE);
	CHECK_EQ(run("table", "plot", "none", NULL), CLI_REFUSED);
	CHECK_STR(said.out, "");
	nlmsg_free(fake.page);
}

int main(void)
{
	RUN_FRESH(text);
	RUN_FRESH(widths);
	RUN_FRESH(colours);
	RUN_FRESH(one_row);
	RUN_FRESH(svg);
	RUN_FRESH(command);
	fake_end();
	return unit_done();
}
