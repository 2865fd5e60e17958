// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - the object "table": the lookup table in force
 *
 * A table comes in pages, and the backends that its rows name come in a dump of their own. All of
 * it must belong to one generation, so it is read again when the table was replaced meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "table.h"

#define TRIES		8

static const char usage[] =
	"Usage: paxsteer table show SERVICE [rows]\n"
	"       paxsteer table plot SERVICE [svg FILE]\n"
	"       paxsteer table diff SERVICE CHANGE...\n"
	"CHANGE := backend add ADDR:PORT [weight N] [id N] [state STATE] [deadline SECONDS]\n"
	"        | backend set NAME [weight N] [state STATE] [deadline SECONDS] [health HEALTH]\n"
	"        | backend del NAME\n"
	"        | fill FILL | rows N | cap CAP | seed HEX32\n"
	"NAME := ADDR:PORT | socket N\n";

static int on_page(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_TABLE_MAX + 1];
	struct table *t = arg;
	struct pxs_table_row *grown;
	uint32_t n;

	nlq_parse(msg, tb, PXS_A_TABLE_MAX);
	n = tb[PXS_A_TABLE_ROWS] ? (uint32_t)nla_len(tb[PXS_A_TABLE_ROWS]) / sizeof(*t->row) : 0;
	if (!t->have) {
		t->generation = nlq_uint(tb[PXS_A_TABLE_GENERATION]);
		t->digest = nlq_uint(tb[PXS_A_TABLE_DIGEST]);
		t->fill = (unsigned int)nlq_uint(tb[PXS_A_TABLE_FILL]);
		t->nrows = (uint32_t)nlq_uint(tb[PXS_A_TABLE_NROWS]);
	} else if (t->generation != nlq_uint(tb[PXS_A_TABLE_GENERATION])) {
		t->changed = true;
		return CLI_OK;
	}
	if (nlq_uint(tb[PXS_A_TABLE_FIRST_ROW]) != t->have || n > t->nrows - t->have ||
	    (!n && t->have < t->nrows)) {
		cli_error(cli, "the kernel's page does not continue at row %u", t->have);
		return CLI_NO_KERNEL;
	}
	if (!n)
		return CLI_OK;
	/* Room for what came, never for what is announced. */
	grown = realloc(t->row, ((size_t)t->have + n) * sizeof(*t->row));
	if (!grown) {
		cli_error(cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	t->row = grown;
	memcpy(t->row + t->have, nla_data(tb[PXS_A_TABLE_ROWS]), n * sizeof(*t->row));
	t->have += n;
	return CLI_OK;
}

static int ask_page(struct cli *cli, struct table *t)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_TABLE_GET);

	nlq_put_str(msg, PXS_A_TABLE_SERVICE, t->service);
	nlq_put_u32(msg, PXS_A_TABLE_FIRST_ROW, t->have);
	return nlq_get(cli, msg, on_page, t);
}

static int on_backend(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	struct table *t = arg;
	struct table_backend *b;
	uint64_t index;

	(void)cli;
	nlq_parse(msg, tb, PXS_A_BACKEND_MAX);
	index = nlq_uint(tb[PXS_A_BACKEND_INDEX]);
	if (!tb[PXS_A_BACKEND_INDEX] || index >= TABLE_NOBODY)
		return CLI_OK;
	b = &t->backend[index];
	b->known = nlq_backend(tb, &b->ep);
	b->weight = nlq_uint(tb[PXS_A_BACKEND_WEIGHT]);
	b->effective = tb[PXS_A_BACKEND_EFFECTIVE] ? nlq_uint(tb[PXS_A_BACKEND_EFFECTIVE]) :
						     b->weight * 1000;
	b->id = nlq_uint(tb[PXS_A_BACKEND_ID]);
	b->state = (unsigned int)nlq_uint(tb[PXS_A_BACKEND_STATE]);
	b->health = tb[PXS_A_BACKEND_HEALTH] ?
		    (unsigned int)nlq_uint(tb[PXS_A_BACKEND_HEALTH]) : PXS_HEALTH_UNCHECKED;
	b->failed = nlq_uint(tb[PXS_A_BACKEND_FAILED]);
	/* Rows of a ring are not alike: the kernel knows what they amount to. */
	if (t->fill == PXS_FILL_KETAMA)
		b->first = nlq_uint(tb[PXS_A_BACKEND_ROWS]);
	return CLI_OK;
}

static int ask_generation(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct table *t = arg;

	(void)cli;
	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	t->changed = t->generation != nlq_uint(tb[PXS_A_SERVICE_GENERATION]);
	return CLI_OK;
}

/* One try: pages, backends, and whether the table is still the same. */
static int read_once(struct cli *cli, struct table *t)
{
	struct nl_msg *msg;
	int ret;

	t->have = 0;
	t->changed = false;
	memset(t->backend, 0, TABLE_NOBODY * sizeof(*t->backend));
	do {
		ret = ask_page(cli, t);
	} while (!ret && !t->changed && t->have < t->nrows);
	if (ret || t->changed)
		return ret;

	msg = nlq_msg(PXS_CMD_BACKEND_GET);
	nlq_put_str(msg, PXS_A_BACKEND_SERVICE, t->service);
	ret = nlq_dump(cli, msg, on_backend, t);
	if (ret)
		return ret;
	msg = nlq_msg(PXS_CMD_SERVICE_GET);
	nlq_put_str(msg, PXS_A_SERVICE_NAME, t->service);
	return nlq_get(cli, msg, ask_generation, t);
}

bool table_has(const struct table *t, unsigned int index)
{
	const struct table_backend *b = &t->backend[index];

	return b->known || b->first || b->second;
}

bool table_serves(const struct table_backend *b)
{
	return b->state != PXS_BACKEND_DOWN && b->health != PXS_HEALTH_BAD && !b->failed;
}

int table_read(struct cli *cli, struct table *t)
{
	uint32_t i;
	int tries, ret;

	t->backend = calloc(TABLE_NOBODY, sizeof(*t->backend));
	if (!t->backend) {
		cli_error(cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	for (tries = 0; tries < TRIES; tries++) {
		ret = read_once(cli, t);
		if (ret)
			return ret;
		if (!t->changed)
			break;
	}
	if (t->changed) {
		cli_error(cli, "the table changes too fast to be read");
		return CLI_NO_KERNEL;
	}
	for (i = 0; i < t->nrows; i++) {
		if (t->row[i].first < TABLE_NOBODY && t->fill != PXS_FILL_KETAMA)
			t->backend[t->row[i].first].first++;
		if (t->row[i].second < TABLE_NOBODY)
			t->backend[t->row[i].second].second++;
	}
	for (t->end = TABLE_NOBODY; t->end && !table_has(t, t->end - 1);)
		t->end--;
	return CLI_OK;
}

void table_free(struct table *t)
{
	free(t->row);
	free(t->backend);
}

/* By what the table goes. */
static uint64_t weight_of(const struct table_backend *b)
{
	return b->known && b->state != PXS_BACKEND_DRAIN ? b->effective : 0;
}

/* The most that any backend has, in thousandths of what its weight asks for. */
static uint64_t most_of_fair(const struct table *t)
{
	double sum = 0, most = 0, part;
	unsigned int i;

	for (i = 0; i < t->end; i++)
		sum += (double)weight_of(&t->backend[i]);
	for (i = 0; i < t->end; i++) {
		if (!weight_of(&t->backend[i]))
			continue;
		part = (double)t->backend[i].first / t->nrows /
		       ((double)weight_of(&t->backend[i]) / sum);
		most = part > most ? part : most;
	}
	return (uint64_t)(1000 * most + 0.5);
}

static void put_backends(struct out *o, const struct table *t)
{
	unsigned int i;

	out_list(o, "backends", OUT_TABLE);
	for (i = 0; i < t->end; i++) {
		const struct table_backend *b = &t->backend[i];

		if (!table_has(t, i))
			continue;
		out_object(o, NULL, NULL, OUT_ROW);
		out_num(o, "index", "index", i);
		if (b->known) {
			out_endpoint(o, "address", &b->ep);
			out_str(o, "state", "state", name_of(&names_backend_state, b->state));
			out_str(o, "health", "health", name_of(&names_health, b->health));
			out_num(o, "weight", "weight", b->weight);
		} else {
			/* Deleted, and the table without it not yet in force. */
			out_str(o, "addr", "address", NULL);
		}
		out_num(o, "rows", "rows", b->first);
		out_share(o, "share", "share", b->first, t->nrows);
		out_num(o, "second", "second", b->second);
		out_close(o);
	}
	out_close(o);
}

static void put_choice(struct out *o, const char *key, const char *title, unsigned int index)
{
	if (index == TABLE_NOBODY)
		out_str(o, key, title, NULL);
	else
		out_num(o, key, title, index);
}

static void put_rows(struct out *o, const struct table *t)
{
	uint32_t i;

	out_list(o, "table", OUT_TABLE);
	for (i = 0; i < t->nrows; i++) {
		out_object(o, NULL, NULL, OUT_ROW);
		out_num(o, "row", "row", i);
		put_choice(o, "first", "first", t->row[i].first);
		put_choice(o, "second", "second", t->row[i].second);
		out_close(o);
	}
	out_close(o);
}

static int show(struct cli *cli, int argc, char **argv)
{
	struct table t = { .service = argc ? argv[0] : NULL };
	struct nl_msg *check = nlq_msg(PXS_CMD_TABLE_GET);
	struct args a = { cli, argc, argv };
	bool rows = argc > 1 && !strcmp(argv[1], "rows");
	struct out *o = cli->out;
	int ret;

	ret = args_service(&a, check, PXS_A_TABLE_SERVICE);
	nlmsg_free(check);
	if (!ret && a.argc && !rows)
		ret = cli_usage_error(cli, "unknown keyword \"%s\", expected rows", a.argv[0]);
	if (!ret && a.argc > 1)
		ret = cli_usage_error(cli, "unexpected \"%s\"", a.argv[1]);
	if (ret)
		return ret;
	ret = table_read(cli, &t);
	if (ret)
		goto out_free;

	out_object(o, NULL, NULL, OUT_PAIRS);
	out_str(o, "service", "service", t.service);
	out_num(o, "generation", "generation", t.generation);
	out_hex(o, "digest", "digest", t.digest);
	out_str(o, "fill", "fill", t.fill ? name_of(&names_fill, t.fill) : NULL);
	out_num(o, "rows", "rows", t.nrows);
	out_milli(o, "most_of_fair", "most of fair", most_of_fair(&t));
	put_backends(o, &t);
	if (rows)
		put_rows(o, &t);
	out_close(o);

out_free:
	table_free(&t);
	return ret;
}

int table_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "show", .run = show, .named = true },
		{ .name = "plot", .run = table_plot, .named = true },
		{ .name = "diff", .run = table_diff },
		{ }
	};

	return cli_dispatch(cli, commands, usage, argc, argv);
}
