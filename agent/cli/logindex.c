// SPDX-License-Identifier: GPL-2.0
/*
 * logindex.c - `paxsteer log read-index`: how far must one read, to see what is true now?
 */
#include "logindex.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "paxsteer.h"

static int refused(struct cli *cli, struct pxs_log *log, int error)
{
	switch (error) {
	case PXS_LOG_UNREACHABLE:
		cli_error(cli, "%s", pxs_log_detail(log));
		return CLI_NO_KERNEL;
	case PXS_LOG_NOT_LEADER:
		cli_error(cli, "no leader at these sockets");
		return CLI_REFUSED;
	case PXS_LOG_BUSY:
		cli_error(cli, "no quorum says in time who leads");
		return CLI_REFUSED;
	case PXS_LOG_FENCED:
		cli_error(cli, "the group does not work on that node");
		return CLI_REFUSED;
	default:
		cli_error(cli, "%s", pxs_log_strerror(error));
		return CLI_REFUSED;
	}
}

int logindex_run(struct cli *cli, const char *sockets, uint32_t group, uint32_t timeout_ms)
{
	struct pxs_log *log = pxs_log_open(sockets, group);
	uint64_t slot;
	int ret;

	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return CLI_NO_KERNEL;
	}
	pxs_log_set_timeout(log, timeout_ms);
	ret = pxs_log_read_index(log, &slot);
	if (ret) {
		ret = refused(cli, log, ret);
	} else if (cli->json) {
		out_object(cli->out, NULL, NULL, OUT_LINE);
		out_num(cli->out, "group", NULL, group);
		out_num(cli->out, "slot", NULL, slot);
		out_close(cli->out);
	} else {
		printf("%" PRIu64 "\n", slot);
	}
	pxs_log_close(log);
	return ret;
}
