// SPDX-License-Identifier: GPL-2.0
/*
 * backend.c - the object "backend": where a service's requests go
 */
#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "show.h"

static const char usage[] =
	"Usage: paxsteer backend add SERVICE { ADDR:PORT | fd FD } [weight N] [id N] [state STATE]\n"
	"                            [deadline SECONDS]\n"
	"       paxsteer backend set SERVICE NAME [weight N] [state STATE] [deadline SECONDS]\n"
	"                            [health HEALTH]\n"
	"       paxsteer backend del SERVICE NAME\n"
	"       paxsteer backend [show [SERVICE]]\n"
	"NAME := { ADDR:PORT | socket N }\n"
	"STATE := { up | drain | down }\n"
	"deadline: only with state drain; 0: none\n"
	"HEALTH := { unchecked | good | bad }\n";

#define SET_KEYWORDS \
	{ "weight", PXS_A_BACKEND_WEIGHT, .bytes = 4, .max = PXS_WEIGHT_MAX }, \
	{ "state", PXS_A_BACKEND_STATE, .names = &names_backend_state }, \
	{ "deadline", PXS_A_BACKEND_DEADLINE, .bytes = 4, .max = PXS_DEADLINE_MAX }

static const struct arg add_keywords[] = {
	SET_KEYWORDS,
	{ "id", PXS_A_BACKEND_ID, .bytes = 8 },
	{ NULL },
};

static const struct arg set_keywords[] = {
	SET_KEYWORDS,
	{ "health", PXS_A_BACKEND_HEALTH, .names = &names_health },
	{ NULL },
};

/*
 * Every change begins with the backend's name: its service, address and port. Or what it is in
 * place of them: a descriptor that this program inherited, when it is added, later a socket.
 */
static int begin(struct args *a, struct nl_msg *msg, const char *instead)
{
	bool is_new = !strcmp(instead, "fd");
	uint64_t val;
	int ret;

	ret = args_service(a, msg, PXS_A_BACKEND_SERVICE);
	if (ret)
		return ret;
	if (a->argc && !strcmp(a->argv[0], instead)) {
		args_next(a, instead);
		if (args_u64(a, instead, !is_new, is_new ? INT32_MAX : UINT64_MAX, &val))
			return CLI_USAGE;
		if (is_new)
			nlq_put_u32(msg, PXS_A_BACKEND_FD, (uint32_t)val);
		else
			nlq_put_u64(msg, PXS_A_BACKEND_SOCKET, val);
		return CLI_OK;
	}
	return args_endpoint(a, msg, "ADDR:PORT", PXS_A_BACKEND_ADDR, PXS_A_BACKEND_PORT);
}

static int add(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_ADD);
	struct args a = { cli, argc, argv };
	int ret = begin(&a, msg, "fd");

	if (!ret)
		ret = args_keywords(&a, add_keywords, msg);
	return args_send(cli, msg, ret);
}

static int set(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_SET);
	struct args a = { cli, argc, argv };
	int ret = begin(&a, msg, "socket");

	if (!ret && !a.argc)
		ret = cli_usage_error(cli, "nothing to set, expected weight, state, deadline or health");
	if (!ret)
		ret = args_keywords(&a, set_keywords, msg);
	return args_send(cli, msg, ret);
}

static int del(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_BACKEND_DEL);
	struct args a = { cli, argc, argv };
	int ret = begin(&a, msg, "socket");

	if (!ret)
		ret = args_end(&a);
	return args_send(cli, msg, ret);
}

/* Of a drain: what was given, and what is left of it; 0: it has passed. */
static void put_deadline(struct out *o, struct nlattr **tb)
{
	if (!tb[PXS_A_BACKEND_LEFT]) {
		out_str(o, "deadline", NULL, NULL);
		out_str(o, "left", "left", NULL);
		return;
	}
	out_num(o, "deadline", NULL, nlq_uint(tb[PXS_A_BACKEND_DEADLINE]));
	out_milli(o, "left", "left", nlq_uint(tb[PXS_A_BACKEND_LEFT]));
}

void backend_put(struct cli *cli, struct nl_msg *msg, enum out_style stats)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	struct out *o = cli->out;
	struct endpoint ep;

	nlq_parse(msg, tb, PXS_A_BACKEND_MAX);
	out_str(o, "service", "service", nlq_str(tb[PXS_A_BACKEND_SERVICE]));
	if (nlq_backend(tb, &ep))
		out_endpoint(o, "address", &ep);
	out_str(o, "state", "state",
		name_of(&names_backend_state, (unsigned int)nlq_uint(tb[PXS_A_BACKEND_STATE])));
	out_str(o, "health", "health",
		name_of(&names_health, (unsigned int)nlq_uint(tb[PXS_A_BACKEND_HEALTH])));
	out_num(o, "weight", "weight", nlq_uint(tb[PXS_A_BACKEND_WEIGHT]));
	/* In a slow start less than the weight. */
	if (tb[PXS_A_BACKEND_EFFECTIVE])
		out_milli(o, "effective_weight", "effective",
			  nlq_uint(tb[PXS_A_BACKEND_EFFECTIVE]));
	if (tb[PXS_A_BACKEND_LOAD])
		out_num(o, "load", "load", nlq_uint(tb[PXS_A_BACKEND_LOAD]));
	if (tb[PXS_A_BACKEND_FULL])
		out_num(o, "full", "full", nlq_uint(tb[PXS_A_BACKEND_FULL]));
	/* While it is out by what the kernel saw. */
	if (nlq_uint(tb[PXS_A_BACKEND_FAILED]))
		out_num(o, "failed", "failed", 1);
	out_num(o, "index", "index", nlq_uint(tb[PXS_A_BACKEND_INDEX]));
	out_num(o, "rows", "rows", nlq_uint(tb[PXS_A_BACKEND_ROWS]));
	out_hex(o, "id", "id", nlq_uint(tb[PXS_A_BACKEND_ID]));
	put_deadline(o, tb);
	out_str(o, "reason", "reason",
		tb[PXS_A_BACKEND_REASON] ? nlq_str(tb[PXS_A_BACKEND_REASON]) : NULL);
	if (tb[PXS_A_BACKEND_STATS])
		out_stats(o, "stats", NULL, stats, tb[PXS_A_BACKEND_STATS], &names_steer_stat);
}

static int show_one(struct cli *cli, struct nl_msg *msg, void *arg)
{
	(void)arg;
	out_object(cli->out, NULL, NULL, OUT_ROW);
	backend_put(cli, msg, cli->stats ? OUT_DETAIL : OUT_NONE);
	out_close(cli->out);
	return CLI_OK;
}

static int take_service(struct args *a, struct nl_msg *msg)
{
	return args_service(a, msg, PXS_A_BACKEND_SERVICE);
}

static int show(struct cli *cli, int argc, char **argv)
{
	static const struct show_kind kind = {
		.cmd = PXS_CMD_BACKEND_GET,
		.style = OUT_TABLE,
		.take_name = take_service,
		.put = show_one,
	};

	return show_run(cli, argc, argv, &kind);
}

int backend_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "add", .run = add },
		{ .name = "set", .run = set },
		{ .name = "del", .run = del },
		{ .name = "show", .run = show, .named = true },
		{ }
	};

	return cli_dispatch(cli, commands, usage, argc, argv);
}
