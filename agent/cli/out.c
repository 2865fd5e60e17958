// SPDX-License-Identifier: GPL-2.0
/*
 * out.c - everything that is shown, once, as text or JSON
 *
 * A stack of frames. In JSON mode a frame is a jansson node. In text mode a list or a block of
 * pairs gathers its cells until it closes, because only then the widths of columns are known.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "cli.h"
#include "names.h"
#include "nlq.h"
#include "out.h"
#include "parse.h"

#define DEPTH		8
#define COLUMNS		32
#define TITLE_MAX	24
#define STATS_MAX	64	/* counters of an object, room to grow */
#define GAP		2	/* blanks between columns */
#define INDENT		2

/* A row of `stats`: a service, a backend of it, and every counter. */
_Static_assert(PXS_STEER_STAT_MAX + 2 <= COLUMNS, "a table has room for all counters");

struct cell {
	char *text;
	bool right;		/* numbers stand at the right of their column */
};

struct line {
	struct cell cell[COLUMNS];
	char *detail;		/* printed below, indented */
};

/* Cells of a table, or of pairs (two columns without titles). */
struct grid {
	const char *title[COLUMNS];
	struct line *line;
	size_t n, room;
	unsigned int columns;
	bool titled;
};

struct frame {
	json_t *node;
	enum out_style style;
	struct grid grid;	/* of OUT_TABLE, OUT_PAIRS */
	unsigned int indent;
	size_t count;		/* of children, OUT_BLOCKS and OUT_LINE */
};

struct out {
	FILE *f;
	bool json, pretty;
	unsigned int depth;
	struct frame frame[DEPTH];
};

static void *need(void *p)
{
	if (p)
		return p;
	fprintf(stderr, "paxsteer: out of memory\n");
	exit(CLI_NO_KERNEL);
}

struct out *out_new(FILE *f, bool json, bool pretty)
{
	struct out *o = need(calloc(1, sizeof(*o)));

	o->f = f;
	o->json = json;
	o->pretty = pretty;
	return o;
}

static struct frame *top(struct out *o)
{
	if (!o->depth)
		abort();	/* a value outside of any frame: a bug */
	return &o->frame[o->depth - 1];
}

static struct line *add_line(struct grid *g)
{
	if (g->n == g->room) {
		g->room = g->room ? 2 * g->room : 16;
		g->line = need(realloc(g->line, g->room * sizeof(*g->line)));
	}
	memset(&g->line[g->n], 0, sizeof(*g->line));
	return &g->line[g->n++];
}

static void free_grid(struct grid *g)
{
	unsigned int c;
	size_t i;

	for (i = 0; i < g->n; i++) {
		for (c = 0; c < g->columns; c++)
			free(g->line[i].cell[c].text);
		free(g->line[i].detail);
	}
	free(g->line);
	memset(g, 0, sizeof(*g));
}

static void print_cell(FILE *f, const char *text, bool right, unsigned int width, bool last)
{
	unsigned int len = (unsigned int)strlen(text);
	int pad = len < width ? (int)(width - len) : 0;

	if (right)
		fprintf(f, "%*s%s", pad, "", text);
	else if (last)
		fputs(text, f);		/* no blanks at the end of a line */
	else
		fprintf(f, "%s%*s", text, pad, "");
	if (!last)
		fprintf(f, "%*s", GAP, "");
}

static void print_line(FILE *f, const struct grid *g, const struct line *l, unsigned int indent,
		       const unsigned int *width)
{
	unsigned int c, last = g->columns;

	while (last && !l->cell[last - 1].text)
		last--;
	fprintf(f, "%*s", (int)indent, "");
	for (c = 0; c < last; c++)
		print_cell(f, l->cell[c].text ? l->cell[c].text : "", l->cell[c].right, width[c],
			   c + 1 == last);
	fputc('\n', f);
	if (l->detail)
		fprintf(f, "%*s%s\n", (int)indent + 2 * INDENT, "", l->detail);
}

/* Titles of columns are in capitals; everywhere else they are words like any other. */
static void print_titles(FILE *f, const struct grid *g, unsigned int indent,
			 const unsigned int *width)
{
	struct line titles = { .detail = NULL };
	char text[COLUMNS][TITLE_MAX];
	unsigned int c, i;

	for (c = 0; c < g->columns; c++) {
		for (i = 0; g->title[c][i] && i + 1 < TITLE_MAX; i++)
			text[c][i] = (char)toupper((unsigned char)g->title[c][i]);
		text[c][i] = '\0';
		titles.cell[c].text = text[c];
		titles.cell[c].right = g->line[0].cell[c].right;
	}
	print_line(f, g, &titles, indent, width);
}

static void print_grid(FILE *f, struct grid *g, unsigned int indent)
{
	unsigned int width[COLUMNS] = { 0 }, c;
	size_t i;

	for (c = 0; c < g->columns; c++) {
		width[c] = g->titled ? (unsigned int)strlen(g->title[c]) : 0;
		for (i = 0; i < g->n; i++) {
			const char *text = g->line[i].cell[c].text;

			if (text && strlen(text) > width[c])
				width[c] = (unsigned int)strlen(text);
		}
	}
	if (g->titled && g->n)
		print_titles(f, g, indent, width);
	for (i = 0; i < g->n; i++)
		print_line(f, g, &g->line[i], indent, width);
	free_grid(g);
}

static void add_json(struct out *o, const char *key, json_t *val)
{
	struct frame *p = top(o);

	if (!val || (json_is_array(p->node) ? json_array_append_new(p->node, val)
					    : json_object_set_new(p->node, key, val)))
		need(NULL);
}

static void push(struct out *o, const char *key, enum out_style style, json_t *(*make)(void))
{
	struct frame *p = o->depth ? top(o) : NULL;
	struct frame *f;

	if (o->depth == DEPTH)
		abort();
	f = &o->frame[o->depth];
	memset(f, 0, sizeof(*f));
	f->style = p && p->style == OUT_NONE ? OUT_NONE : style;
	f->indent = p ? p->indent : 0;
	f->grid.titled = style == OUT_TABLE;
	/* An object within a line goes on with that line. */
	f->count = p && p->style == OUT_LINE ? p->count : 0;
	if (o->json) {
		f->node = need(make());
		/* The outermost frame, or one without a key in an object, has no parent. */
		if (p && (key || json_is_array(p->node)))
			add_json(o, key, json_incref(f->node));
	}
	o->depth++;
}

void out_list(struct out *o, const char *key, enum out_style style)
{
	struct frame *p = o->depth ? top(o) : NULL;

	/* What was gathered of the surrounding pairs stands above the list. */
	if (!o->json && p && p->style == OUT_PAIRS && style != OUT_NONE)
		print_grid(o->f, &p->grid, p->indent);
	push(o, key, style, json_array);
	if (p && p->style == OUT_PAIRS)
		top(o)->indent += INDENT;
}

void out_object(struct out *o, const char *key, const char *title, enum out_style style)
{
	struct frame *p = o->depth ? top(o) : NULL;

	if (!o->json && p && p->style == OUT_PAIRS && style != OUT_NONE)
		print_grid(o->f, &p->grid, p->indent);
	if (!o->json && p && p->style == OUT_BLOCKS && p->count++)
		fputc('\n', o->f);
	push(o, key, style, json_object);
	if (o->json || top(o)->style == OUT_NONE)
		return;
	if (style == OUT_ROW)
		add_line(&p->grid);
	if (style == OUT_PAIRS && title)
		fprintf(o->f, "%*s%s\n", (int)top(o)->indent, "", title);
	if (style == OUT_PAIRS && p && p->style == OUT_PAIRS)
		top(o)->indent += INDENT;
}

void out_whole(struct out *o, const json_t *val)
{
	json_dumpf(val, o->f, o->pretty ? JSON_INDENT(2) : JSON_COMPACT);
	fputc('\n', o->f);
}

static void finish(struct out *o, struct frame *f)
{
	if (o->json) {
		if (!o->depth)
			out_whole(o, f->node);
		json_decref(f->node);
		return;
	}
	if (f->style == OUT_TABLE || f->style == OUT_PAIRS)
		print_grid(o->f, &f->grid, f->indent);
	if (f->style == OUT_LINE && !o->depth)
		fputc('\n', o->f);
	else if (f->style == OUT_LINE)
		top(o)->count = f->count;
	free_grid(&f->grid);
}

void out_close(struct out *o)
{
	struct frame *f = top(o);

	o->depth--;
	finish(o, f);
}

void out_free(struct out *o)
{
	/* Frames left open belong to a command that failed half way: nothing of it is shown. */
	while (o->depth) {
		struct frame *f = top(o);

		o->depth--;
		json_decref(f->node);
		free_grid(&f->grid);
	}
	free(o);
}

static unsigned int column(struct grid *g, const char *title)
{
	unsigned int c;

	for (c = 0; c < g->columns; c++)
		if (!strcmp(g->title[c], title))
			return c;
	if (c == COLUMNS)
		abort();
	g->title[g->columns++] = title;
	return c;
}

static void put_cell(struct grid *g, const char *title, const char *val, bool right)
{
	struct cell *cell = &g->line[g->n - 1].cell[column(g, title)];

	free(cell->text);
	cell->text = need(strdup(val));
	cell->right = right;
}

static void put_pair(struct grid *g, const char *title, const char *val)
{
	struct line *l = add_line(g);

	g->columns = 2;
	l->cell[0].text = need(strdup(title));
	l->cell[1].text = need(strdup(val));
}

static void put_detail(struct line *l, const char *title, const char *val)
{
	size_t had = l->detail ? strlen(l->detail) : 0;
	size_t more = strlen(title) + strlen(val) + 3;

	l->detail = need(realloc(l->detail, had + more));
	snprintf(l->detail + had, more, "%s%s %s", had ? " " : "", title, val);
}

/* The table that an object's row stands in: the nearest one below in the stack. */
static struct grid *table_of(struct out *o)
{
	unsigned int i = o->depth;

	while (i-- > 0)
		if (o->frame[i].style == OUT_TABLE)
			return &o->frame[i].grid;
	abort();
}

static void put_text(struct out *o, const char *title, const char *val, bool right)
{
	struct frame *f = top(o);
	struct grid *g;

	if (!title)
		return;
	switch (f->style) {
	case OUT_ROW:
	case OUT_CELLS:
		put_cell(table_of(o), title, val, right);
		break;
	case OUT_DETAIL:
		g = table_of(o);
		put_detail(&g->line[g->n - 1], title, val);
		break;
	case OUT_PAIRS:
		put_pair(&f->grid, title, val);
		break;
	case OUT_LINE:
		/* An empty title belongs to a value that explains itself. */
		fprintf(o->f, "%s%s%s%s", f->count++ ? " " : "", title, *title ? " " : "", val);
		break;
	default:
		break;
	}
}

/* JSON wants UTF-8; a string of the kernel that isn't is shown with its bytes replaced. */
static json_t *json_text(const char *s)
{
	json_t *val = json_string(s);
	char *copy, *p;

	if (val)
		return val;
	copy = need(strdup(s));
	for (p = copy; *p; p++)
		if (*p & 0x80)
			*p = '?';
	val = json_string(copy);
	free(copy);
	return val;
}

void out_str(struct out *o, const char *key, const char *title, const char *val)
{
	if (!o->json)
		put_text(o, title, val ? val : "-", false);
	else if (key)
		add_json(o, key, val ? json_text(val) : json_null());
}

void out_num(struct out *o, const char *key, const char *title, uint64_t val)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%" PRIu64, val);
	if (!o->json)
		put_text(o, title, buf, true);
	else if (key)
		/* JSON's integers are signed here; a number beyond them stays exact as a string. */
		add_json(o, key, val <= INT64_MAX ? json_integer((json_int_t)val)
						  : json_string(buf));
}

void out_hex(struct out *o, const char *key, const char *title, uint64_t val)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "0x%016" PRIx64, val);
	out_str(o, key, title, buf);
}

void out_share(struct out *o, const char *key, const char *title, uint64_t part, uint64_t whole)
{
	double share = whole ? (double)part / (double)whole : 0;
	char buf[16];

	snprintf(buf, sizeof(buf), "%.2f%%", 100 * share);
	if (!o->json)
		put_text(o, title, buf, true);
	else if (key)
		add_json(o, key, json_real(share));
}

/* A quantity that is no whole number. */
static void put_real(struct out *o, const char *key, const char *title, double val,
		     unsigned int digits)
{
	char buf[64];

	snprintf(buf, sizeof(buf), "%.*f", (int)digits, val);
	if (!o->json)
		put_text(o, title, buf, true);
	else if (key)
		add_json(o, key, json_real(val));
}

void out_rate(struct out *o, const char *key, const char *title, uint64_t count, uint64_t ns)
{
	put_real(o, key, title, ns ? (double)count * 1e9 / (double)ns : 0, 1);
}

void out_milli(struct out *o, const char *key, const char *title, uint64_t val)
{
	put_real(o, key, title, (double)val / 1e3, 3);
}

void out_seconds(struct out *o, const char *key, const char *title, uint64_t ns)
{
	put_real(o, key, title, (double)ns / 1e9, 3);
}

void out_now(struct out *o, const char *key, const char *title)
{
	char day[32], text[48];
	struct timespec now;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%06uZ", day, (unsigned int)(now.tv_nsec / 1000));
	out_str(o, key, title, text);
}

void out_endpoint(struct out *o, const char *title, const struct endpoint *ep)
{
	struct endpoint host = *ep;
	char buf[PARSE_ENDPOINT_LEN];

	if (!o->json) {
		put_text(o, title, format_endpoint(buf, ep), false);
		return;
	}
	host.port = 0;
	host.socket = 0;
	out_str(o, "addr", NULL, format_endpoint(buf, &host));
	if (ep->port)
		out_num(o, "port", NULL, ep->port);
	if (ep->socket)
		out_num(o, "socket", NULL, ep->socket);
}

void out_ballot(struct out *o, const char *key, const char *title, uint64_t ballot)
{
	char buf[32];

	if (o->json) {
		add_json(o, key, !ballot ? json_null() :
			 json_pack("{s:I, s:i}", "round", (json_int_t)(ballot >> 8),
				   "member", (int)(ballot & 0xff)));
		return;
	}
	snprintf(buf, sizeof(buf), "%" PRIu64 ".%u", ballot >> 8, (unsigned int)(ballot & 0xff));
	put_text(o, title, ballot ? buf : "-", false);
}

void out_stats(struct out *o, const char *key, const char *title, enum out_style style,
	       const struct nlattr *nest, const struct names *names)
{
	struct nlattr *tb[STATS_MAX];
	unsigned int i;

	if (names->n > STATS_MAX)
		abort();
	nlq_parse_nest(nest, tb, (int)names->n - 1);
	out_object(o, key, title, style);
	for (i = 1; i < names->n; i++)
		if (names->name[i])
			out_num(o, names->name[i], names->name[i], nlq_uint(tb[i]));
	out_close(o);
}
