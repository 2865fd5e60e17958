// SPDX-License-Identifier: GPL-2.0
/*
 * agreed.c - the object "agreed": the group that this namespace follows; and changes for its log
 */
#include "agreed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "../change.h"
#include "nlq.h"
#include "paxsteer.h"
#include "where.h"

static const char usage[] =
	"Usage: paxsteer agreed [show]\n"
	"       paxsteer agreed leave\n"
	"Changes of services with a group go through PAXSTEER_SOCKETS, one of which must lead.\n";

/* --- a change ---------------------------------------------------------------- */

static int take_group(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];

	(void)cli;
	nlq_parse(msg, tb, PXS_A_SERVICE_MAX);
	*(uint32_t *)arg = (uint32_t)nlq_uint(tb[PXS_A_SERVICE_GROUP]);
	return CLI_OK;
}

/* Which group? An addition says it, for the rest the service does. */
static int find_group(struct cli *cli, struct nl_msg *request, uint32_t *group)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct nl_msg *msg;

	/* A service's NAME and a backend's SERVICE have one number. */
	nlq_parse(request, tb, PXS_A_SERVICE_MAX);
	if (nlq_cmd(request) == PXS_CMD_SERVICE_ADD) {
		*group = (uint32_t)nlq_uint(tb[PXS_A_SERVICE_GROUP]);
		return CLI_OK;
	}
	msg = nlq_msg(PXS_CMD_SERVICE_GET);
	nlq_put_str(msg, PXS_A_SERVICE_NAME, nlq_str(tb[PXS_A_SERVICE_NAME]));
	return nlq_get(cli, msg, take_group, group);
}

static int tell(struct cli *cli, struct pxs_log *log, const struct pxs_log_result *r)
{
	switch (r->error) {
	case PXS_LOG_OK:
		return CLI_OK;
	case PXS_LOG_UNREACHABLE:
		cli_error(cli, "a group agrees on it, and its daemon is not there: %s",
			  pxs_log_detail(log));
		return CLI_NO_KERNEL;
	case PXS_LOG_NOT_LEADER:
		if (!r->leader)
			break;
		cli_error(cli, "a group agrees on it, led by member %u: say it there, or give its socket in PAXSTEER_SOCKETS",
			  r->leader);
		return CLI_REFUSED;
	case PXS_LOG_UNKNOWN:
		cli_error(cli, "%s", r->words);
		return CLI_NO_KERNEL;
	}
	cli_error(cli, "%s", r->words);
	return CLI_REFUSED;
}

static int propose(struct cli *cli, uint32_t group, const void *change, size_t len)
{
	struct pxs_log *log = pxs_log_open(where_sockets(), group);
	struct pxs_log_result r;
	int ret;

	if (!log) {
		cli_error(cli, "%s: %s", where_sockets(), strerror(errno));
		return CLI_NO_KERNEL;
	}
	pxs_log_append(log, change, len, NULL, 0, &r);
	ret = tell(cli, log, &r);
	pxs_log_close(log);
	return ret;
}

int agreed_change(struct cli *cli, struct nl_msg *request)
{
	struct nlmsghdr *nlh = nlmsg_hdr(request);
	size_t len = (size_t)nlmsg_datalen(nlh) - GENL_HDRLEN;
	uint8_t *change = malloc(PXS_CHANGE_HDR + len);
	uint32_t group = 0;
	int ret;

	if (!change) {
		cli_error(cli, "out of memory");
		return CLI_NO_KERNEL;
	}
	ret = find_group(cli, request, &group);
	if (!ret) {
		pxs_change_begin(change, nlq_cmd(request));
		memcpy(change + PXS_CHANGE_HDR, (char *)nlmsg_data(nlh) + GENL_HDRLEN, len);
		ret = propose(cli, group, change, PXS_CHANGE_HDR + len);
	}
	free(change);
	return ret;
}

/* --- the object ---------------------------------------------------------------- */

static int show_standing(struct cli *cli, struct nl_msg *msg, void *arg)
{
	struct nlattr *tb[PXS_A_AGREED_MAX + 1];
	struct out *o = cli->out;

	(void)arg;
	nlq_parse(msg, tb, PXS_A_AGREED_MAX);
	out_object(o, NULL, NULL, OUT_PAIRS);
	if (nlq_uint(tb[PXS_A_AGREED_GROUP]))
		out_num(o, "group", "group", nlq_uint(tb[PXS_A_AGREED_GROUP]));
	else
		out_str(o, "group", "group", NULL);
	out_num(o, "held", "held", nlq_uint(tb[PXS_A_AGREED_HELD]));
	out_num(o, "slot", "slot", nlq_uint(tb[PXS_A_AGREED_SLOT]));
	out_hex(o, "digest", "digest", nlq_uint(tb[PXS_A_AGREED_DIGEST]));
	out_close(o);
	return CLI_OK;
}

static int show(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	int ret = args_end(&a);

	return ret ? ret : nlq_get(cli, nlq_msg(PXS_CMD_AGREED_GET), show_standing, NULL);
}

static int leave(struct cli *cli, int argc, char **argv)
{
	struct nl_msg *msg = nlq_msg(PXS_CMD_AGREED_SET);
	struct args a = { cli, argc, argv };

	nlq_put_u32(msg, PXS_A_AGREED_GROUP, 0);
	return args_send(cli, msg, args_end(&a));
}

int agreed_run(struct cli *cli, int argc, char **argv)
{
	static const struct cli_command commands[] = {
		{ .name = "show", .run = show },
		{ .name = "leave", .run = leave },
		{ }
	};

	return cli_dispatch(cli, commands, usage, argc, argv);
}
