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

static const char usage[] =
	"Usage: paxsteer stats [show]\n";

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
	if (nlq_endpoint(tb[PXS_A_BACKEND_ADDR], tb[PXS_A_BACKEND_PORT], &ep))
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

static int show(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	int ret = args_end(&a);

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
		{ "show", show }, { NULL, NULL },
	};

	return cli_dispatch(cli, commands, usage, argc, argv);
}
