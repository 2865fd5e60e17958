// SPDX-License-Identifier: GPL-2.0
/*
 * logtransfer.c - `paxsteer log transfer`: let another member lead
 *
 * Asked once: whoever wants to try again sees the outcome first.
 */
#include "logtransfer.h"

#include <errno.h>
#include <string.h>

#include "paxsteer.h"

static void show(struct cli *cli, uint32_t group, uint8_t leader)
{
	if (!cli->json) {
		printf("member %u leads\n", leader);
		return;
	}
	out_object(cli->out, NULL, NULL, OUT_LINE);
	out_num(cli->out, "group", NULL, group);
	out_num(cli->out, "leader", NULL, leader);
	out_close(cli->out);
}

int logtransfer_run(struct cli *cli, const char *sockets, uint32_t group, uint8_t to,
		    uint32_t timeout_ms)
{
	struct pxs_log *log = pxs_log_open(sockets, group);
	struct pxs_log_result r;
	int ret = CLI_REFUSED;

	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return CLI_NO_KERNEL;
	}
	pxs_log_set_timeout(log, timeout_ms);
	if (!pxs_log_transfer(log, to, &r)) {
		show(cli, group, to);
		ret = CLI_OK;
	} else if (r.error == PXS_LOG_UNREACHABLE) {
		cli_error(cli, "%s", pxs_log_detail(log));
		ret = CLI_NO_KERNEL;
	} else if (r.error == PXS_LOG_NOT_LEADER && r.leader) {
		cli_error(cli, "who was asked does not lead; leader: member %u", r.leader);
	} else {
		cli_error(cli, "%s", r.error == PXS_LOG_NOT_LEADER ? "nobody leads" : r.words);
		ret = r.error == PXS_LOG_UNKNOWN ? CLI_NO_KERNEL : CLI_REFUSED;
	}
	pxs_log_close(log);
	return ret;
}
