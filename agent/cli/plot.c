// SPDX-License-Identifier: GPL-2.0
/*
 * plot.c - the command "table plot": how even a table is, as a picture
 *
 * A bar for each backend is the share of rows that it owns; a mark is the share that its weight
 * asks for, among all that may own rows. The longest of them takes the whole width.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "args.h"
#include "nlq.h"
#include "plot.h"
#include "table.h"

#define WIDTH_DEFAULT	80
#define BAR_MIN		10
#define NEAR		0.02		/* of the wanted share: what the default cap allows */
#define FAR		0.10

/* Of the SVG, in pixels. */
#define SVG_WIDTH	900
#define SVG_LABEL	330
#define SVG_BAR		400
#define SVG_LINE	22
#define SVG_TOP		60

enum fit { FITS, OFF, FAR_OFF };

struct share {
	double is, wanted;
	enum fit fit;
};

/* What drains owns no row, whatever its weight. */
static uint64_t weight_of(const struct table_backend *b)
{
	return b->known && b->state != PXS_BACKEND_DRAIN ? b->weight : 0;
}

static uint64_t total_weight(const struct table *t)
{
	uint64_t sum = 0;
	unsigned int i;

	for (i = 0; i < t->end; i++)
		sum += weight_of(&t->backend[i]);
	return sum;
}

static struct share share_of(const struct table *t, unsigned int index, uint64_t total)
{
	const struct table_backend *b = &t->backend[index];
	struct share s = {
		.is = t->nrows ? (double)b->first / t->nrows : 0,
		.wanted = total ? (double)weight_of(b) / (double)total : 0,
	};
	double diff = s.is > s.wanted ? s.is - s.wanted : s.wanted - s.is;

	/* A row more or less is no fault: there is nothing smaller. */
	if (diff > FAR * s.wanted && diff * t->nrows > 1)
		s.fit = FAR_OFF;
	else if (diff > NEAR * s.wanted && diff * t->nrows > 1)
		s.fit = OFF;
	return s;
}

/* The longest bar or mark. */
static double longest(const struct table *t, uint64_t total)
{
	double most = 0;
	unsigned int i;

	for (i = 0; i < t->end; i++) {
		struct share s = share_of(t, i, total);

		most = s.is > most ? s.is : most;
		most = s.wanted > most ? s.wanted : most;
	}
	return most > 0 ? most : 1;
}

static const char *address(const struct table_backend *b, char *buf)
{
	return b->known ? format_endpoint(buf, &b->ep) : "-";
}

static const char *state(const struct table_backend *b)
{
	return b->known ? name_of(&names_backend_state, b->state) : "-";
}

static const char *health(const struct table_backend *b)
{
	return b->known ? name_of(&names_health, b->health) : "-";
}

/* A column is reached when at least half of it is. */
static unsigned int column(double share, double most, unsigned int width)
{
	return (unsigned int)(share / most * width + 0.5);
}

/* "####|": '#' as far as it is, '|' where it should end. */
static void put_bar(FILE *f, struct share s, double most, unsigned int width)
{
	unsigned int is = column(s.is, most, width), mark = column(s.wanted, most, width), c;

	/* The mark stands behind the last column that is wanted. */
	for (c = 0; c <= width && c <= (is > mark ? is : mark); c++) {
		if (c == mark)
			fputc('|', f);
		if (c < is)
			fputc('#', f);
		else if (c < mark)
			fputc('.', f);
	}
}

void plot_text(FILE *f, const struct table *t, unsigned int width, bool colour)
{
	static const char *const colours[] = {
		[FITS] = "\033[32m", [OFF] = "\033[33m", [FAR_OFF] = "\033[31m",
	};
	uint64_t total = total_weight(t);
	double most = longest(t, total);
	char buf[PARSE_ENDPOINT_LEN];
	unsigned int i, label = 7, used, bar;

	for (i = 0; i < t->end; i++)
		if (table_has(t, i) && strlen(address(&t->backend[i], buf)) > label)
			label = (unsigned int)strlen(buf);
	used = label + 2 + 5 + 2 + 9 + 2 + 6 + 2 + 7 + 2 + 7 + 2;
	bar = width > used + BAR_MIN ? width - used - 1 : BAR_MIN;	/* 1: the mark */

	fprintf(f, "%s: generation %" PRIu64 ", digest 0x%016" PRIx64 ", %s, %u rows\n", t->service,
		t->generation, t->digest, name_of(&names_fill, t->fill), t->nrows);
	fprintf(f, "%-*s  STATE  HEALTH     WEIGHT   WANTED    SHARE  # share, | wanted\n", (int)label,
		"ADDRESS");
	for (i = 0; i < t->end; i++) {
		const struct table_backend *b = &t->backend[i];
		struct share s = share_of(t, i, total);

		if (!table_has(t, i))
			continue;
		fprintf(f, "%-*s  %-5s  %-9s  %6" PRIu64 "  %6.2f%%  %6.2f%%  ",
			(int)label, address(b, buf), state(b), health(b),
			b->weight, 100 * s.wanted, 100 * s.is);
		fputs(colour ? colours[s.fit] : "", f);
		put_bar(f, s, most, bar);
		fprintf(f, "%s\n", colour ? "\033[0m" : "");
	}
}

/* Text in XML: what would be taken for markup, and what may not be there at all. */
static void put_xml(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			fputs("&amp;", f);
		else if (*s == '<')
			fputs("&lt;", f);
		else if (*s == '>')
			fputs("&gt;", f);
		else if (*s == '"')
			fputs("&quot;", f);
		else if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			fputc('?', f);
		else
			fputc(*s, f);
	}
}

static void svg_text(FILE *f, int x, int y, const char *text)
{
	fprintf(f, "<text x=\"%d\" y=\"%d\">", x, y);
	put_xml(f, text);
	fputs("</text>\n", f);
}

static void svg_backend(FILE *f, const struct table_backend *b, struct share s, double most, int y)
{
	static const char *const colours[] = {
		[FITS] = "#4a9", [OFF] = "#db3", [FAR_OFF] = "#d54",
	};
	double mark = SVG_LABEL + s.wanted / most * SVG_BAR;
	char buf[PARSE_ENDPOINT_LEN], text[2 * PARSE_ENDPOINT_LEN];

	snprintf(text, sizeof(text), "%s %s%s, weight %" PRIu64, address(b, buf), state(b),
		 b->known && b->health == PXS_HEALTH_BAD ? ", health bad" : "", b->weight);
	svg_text(f, 10, y + 15, text);
	fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"%s\"/>\n", SVG_LABEL,
		y + 3, s.is / most * SVG_BAR, SVG_LINE - 6, colours[s.fit]);
	fprintf(f, "<line x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\" stroke=\"black\"/>\n", mark, y,
		mark, y + SVG_LINE);
	snprintf(text, sizeof(text), "%.2f%% of %.2f%%", 100 * s.is, 100 * s.wanted);
	svg_text(f, SVG_LABEL + SVG_BAR + 10, y + 15, text);
}

void plot_svg(FILE *f, const struct table *t)
{
	uint64_t total = total_weight(t);
	double most = longest(t, total);
	unsigned int i, n = 0;
	char text[160];
	int y = SVG_TOP;

	for (i = 0; i < t->end; i++)
		n += table_has(t, i);
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%u\"", SVG_WIDTH,
		SVG_TOP + n * SVG_LINE + 10);
	fprintf(f, " font-family=\"sans-serif\" font-size=\"12\">\n");
	fprintf(f, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n");
	snprintf(text, sizeof(text), "%s: share of rows (bar) and what the weight asks for (line)",
		 t->service);
	svg_text(f, 10, 20, text);
	snprintf(text, sizeof(text), "generation %" PRIu64 ", digest 0x%016" PRIx64 ", %s, %u rows",
		 t->generation, t->digest, name_of(&names_fill, t->fill), t->nrows);
	svg_text(f, 10, 40, text);
	for (i = 0; i < t->end; i++) {
		if (!table_has(t, i))
			continue;
		svg_backend(f, &t->backend[i], share_of(t, i, total), most, y);
		y += SVG_LINE;
	}
	fprintf(f, "</svg>\n");
}

static void put_json(struct out *o, const struct table *t)
{
	uint64_t total = total_weight(t);
	unsigned int i;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_str(o, "service", NULL, t->service);
	out_num(o, "generation", NULL, t->generation);
	out_hex(o, "digest", NULL, t->digest);
	out_str(o, "fill", NULL, name_of(&names_fill, t->fill));
	out_num(o, "rows", NULL, t->nrows);
	out_list(o, "backends", OUT_TABLE);
	for (i = 0; i < t->end; i++) {
		const struct table_backend *b = &t->backend[i];

		if (!table_has(t, i))
			continue;
		out_object(o, NULL, NULL, OUT_ROW);
		out_num(o, "index", NULL, i);
		if (b->known)
			out_endpoint(o, NULL, &b->ep);
		out_str(o, "state", NULL, b->known ? state(b) : NULL);
		out_str(o, "health", NULL, b->known ? health(b) : NULL);
		out_num(o, "weight", NULL, b->weight);
		out_share(o, "wanted", NULL, weight_of(b), total);
		out_share(o, "share", NULL, b->first, t->nrows);
		out_close(o);
	}
	out_close(o);
	out_close(o);
}

static int write_svg(struct cli *cli, const struct table *t, const char *path)
{
	bool is_stdout = !strcmp(path, "-");
	FILE *f = is_stdout ? stdout : fopen(path, "we");
	bool bad;

	if (f) {
		plot_svg(f, t);
		bad = is_stdout ? fflush(f) || ferror(f) : ferror(f) | fclose(f);
		if (!bad)
			return CLI_OK;
	}
	return cli_usage_error(cli, "cannot write \"%s\": %s", path, strerror(errno));
}

static void print(struct cli *cli, const struct table *t)
{
	bool screen = isatty(fileno(stdout));
	struct winsize size = { .ws_col = 0 };
	const char *none = getenv("NO_COLOR");

	if (cli->json) {
		put_json(cli->out, t);
		return;
	}
	if (!screen || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_col)
		size.ws_col = WIDTH_DEFAULT;
	plot_text(stdout, t, size.ws_col, screen && !(none && *none));
}

int table_plot(struct cli *cli, int argc, char **argv)
{
	struct table t = { .service = argc ? argv[0] : NULL };
	struct nl_msg *check = nlq_msg(PXS_CMD_TABLE_GET);
	struct args a = { cli, argc, argv };
	const char *svg = NULL;
	int ret;

	ret = args_service(&a, check, PXS_A_TABLE_SERVICE);
	nlmsg_free(check);
	if (!ret && a.argc && strcmp(args_next(&a, "svg"), "svg"))
		ret = cli_usage_error(cli, "unknown keyword \"%s\", expected svg", argv[1]);
	else if (!ret && argc > 1)
		svg = args_next(&a, "svg: FILE");
	if (!ret && argc > 1 && !svg)
		ret = CLI_USAGE;
	if (!ret)
		ret = args_end(&a);
	if (!ret)
		ret = table_read(cli, &t);
	if (!ret && svg)
		ret = write_svg(cli, &t, svg);
	else if (!ret)
		print(cli, &t);
	table_free(&t);
	return ret;
}
