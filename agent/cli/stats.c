// SPDX-License-Identifier: GPL-2.0
/*
 * stats.c - the object "stats": all counters of the network namespace
 *
 * The namespace's own, then those of each service, backend and group. Counters only rise; those
 * that the header calls gauges are the exception.
 */
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"
#include "parse.h"
#include "watch.h"

static const char usage[] =
	"Usage: paxsteer stats [show]\n"
	"       paxsteer stats [show] -w SECONDS [count N]\n"
	"SECONDS := 0.1 .. 86400: rates of each such interval, until interrupted, or N of them\n";

#define INTERVAL_MIN	100		/* ms: the kernel adds up all CPUs' counters each time */
#define INTERVAL_MAX	86400000

static int on_net(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_STATS_MAX + 1];

	(void)arg;
	nlq_parse(msg, tb, PXS_A_STATS_MAX);
	out_stats(cli->out, "namespace", "namespace", OUT_PAIRS, tb[PXS_A_STATS_NET],
		  &names_net_stat);
	return CLI_OK;
}

static int on_service(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];

	(void)arg;
	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	out_object(cli->out, NULL, NULL, OUT_ROW);
	out_str(cli->out, "name", "service", nlq_str(tb[PXS_A_SERVICE_NAME]));
	out_stats(cli->out, "stats", NULL, OUT_CELLS, tb[PXS_A_SERVICE_STATS], &names_steer_stat);
	out_close(cli->out);
	return CLI_OK;
}

static int on_backend(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];
	struct endpoint ep;

	(void)arg;
	nlq_parse(msg, tb, PXS_A_BACKEND_MAX);
	out_object(cli->out, NULL, NULL, OUT_ROW);
	out_str(cli->out, "service", "service", nlq_str(tb[PXS_A_BACKEND_SERVICE]));
	if (nlq_backend(tb, &ep))
		out_endpoint(cli->out, "backend", &ep);
	out_stats(cli->out, "stats", NULL, OUT_CELLS, tb[PXS_A_BACKEND_STATS], &names_steer_stat);
	out_close(cli->out);
	return CLI_OK;
}

static int on_group(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_GROUP_MAX + 1];

	(void)arg;
	nlq_parse(msg, tb, PXS_A_GROUP_MAX);
	out_object(cli->out, NULL, NULL, OUT_PAIRS);
	out_num(cli->out, "id", "group", nlq_uint(tb[PXS_A_GROUP_ID]));
	out_stats(cli->out, "stats", NULL, OUT_PAIRS, tb[PXS_A_GROUP_STATS], &names_group_stat);
	out_close(cli->out);
	return CLI_OK;
}

static int dump(struct cli *cli, uint8_t cmd, const char *key, enum out_style style, nlq_fn *fn)
{
	int ret;

	out_list(cli->out, key, style);
	ret = nlq_dump(cli, nlq_msg(cmd), fn, NULL);
	if (!ret)
		out_close(cli->out);
	return ret;
}

/* Behind "-w". */
static int watch(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	const char *word = args_next(&a, "-w: SECONDS");
	uint64_t ms, count = 0;
	int ret = CLI_OK;

	if (!word)
		return CLI_USAGE;
	if (parse_seconds(word, INTERVAL_MIN, INTERVAL_MAX, &ms))
		return cli_usage_error(cli, "-w: \"%s\" is not a number of seconds of 0.1..86400",
				       word);
	if (a.argc && !strcmp(a.argv[0], "count")) {
		args_next(&a, "count");
		ret = args_u64(&a, "count", 1, UINT64_MAX, &count);
	}
	if (!ret)
		ret = args_end(&a);
	return ret ? ret : watch_run(cli, ms, count);
}

static int show(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	int ret;

	if (argc && !strcmp(argv[0], "-w"))
		return watch(cli, argc - 1, argv + 1);
	ret = args_end(&a);
	if (ret)
		return ret;
	out_object(cli->out, NULL, NULL, OUT_PAIRS);
	ret = nlq_dump(cli, nlq_msg(PXS_CMD_STATS_GET), on_net, NULL);
	if (!ret)
		ret = dump(cli, PXS_CMD_SERVICE_GET, "services", OUT_TABLE, on_service);
	if (!ret)
		ret = dump(cli, PXS_CMD_BACKEND_GET, "backends", OUT_TABLE, on_backend);
	if (!ret)
		ret = dump(cli, PXS_CMD_GROUP_GET, "groups", OUT_BLOCKS, on_group);
	if (!ret)
		out_close(cli->out);
	return ret;
}

int stats_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "show", .run = show },
		{ }
	};

	if (argc && !strcmp(argv[0], "-w"))
		return show(cli, argc, argv);
	return cli_dispatch(cli, commands, usage, argc, argv);
}
