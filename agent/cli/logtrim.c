// SPDX-License-Identifier: GPL-2.0
/*
 * logtrim.c - `paxsteer log trim`: members forget what is wanted no more
 *
 * Each member has its own log to trim, so each is asked, also when one before it refuses.
 */
#include "logtrim.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "paxsteer.h"

static void show(struct cli *cli, const char *path, uint32_t group, uint64_t first)
{
	if (!cli->json) {
		printf("%s: the first slot is %" PRIu64 "\n", path, first);
		return;
	}
	out_object(cli->out, NULL, NULL, OUT_LINE);
	out_num(cli->out, "group", NULL, group);
	out_str(cli->out, "socket", NULL, path);
	out_num(cli->out, "first_slot", NULL, first);
	out_close(cli->out);
}

static int trim_one(struct cli *cli, const char *path, uint32_t group, uint64_t slot, bool force,
		    uint32_t timeout_ms)
{
	struct pxs_log *log = pxs_log_open(path, group);
	struct pxs_log_result r;
	int ret = CLI_REFUSED;

	if (!log) {
		cli_error(cli, "%s", strerror(errno));
		return CLI_NO_KERNEL;
	}
	pxs_log_set_timeout(log, timeout_ms);
	if (!pxs_log_trim(log, 0, slot, force ? PXS_LOG_FORCE : 0, &r)) {
		show(cli, path, group, r.slot);
		ret = CLI_OK;
	} else if (r.error == PXS_LOG_UNREACHABLE) {
		cli_error(cli, "%s", pxs_log_detail(log));
		ret = CLI_NO_KERNEL;
	} else {
		cli_error(cli, "%s: %s", path, r.words);
		ret = r.error == PXS_LOG_UNKNOWN ? CLI_NO_KERNEL : CLI_REFUSED;
	}
	pxs_log_close(log);
	return ret;
}

int logtrim_run(struct cli *cli, char *const *paths, uint32_t group, uint64_t slot, bool force,
		uint32_t timeout_ms)
{
	int ret = CLI_OK, one;

	for (; *paths; paths++) {
		one = trim_one(cli, *paths, group, slot, force, timeout_ms);
		if (one)
			ret = one;
	}
	return ret;
}
