// SPDX-License-Identifier: GPL-2.0
/*
 * monitor.c - the object "monitor": changes of the configuration as they come
 *
 * One line a change, flushed at once, until interrupted or until the module goes away. When more
 * changes came than were read, it says so: what was lost can be had from `show`.
 */
#include <string.h>

#include <linux/paxsteer.h>

#include "args.h"
#include "nlq.h"

static const char usage[] =
	"Usage: paxsteer monitor\n";

static void begin(struct cli *cli, const char *event)
{
	out_object(cli->out, NULL, NULL, OUT_LINE);
	out_now(cli->out, "time", "");
	out_str(cli->out, "event", "", event);
}

static void end(struct cli *cli)
{
	out_close(cli->out);
	fflush(stdout);
}

static void lost(struct cli *cli)
{
	begin(cli, "lost");
	end(cli);
}

/* The object under its own key, so that a reader knows its shape without the event's name. */
static void put_object(struct cli *cli, struct nl_msg *msg, const char *key)
{
	/* Counters are part of what GET shows; as text they would only hide the change. */
	enum out_style stats = cli->stats ? OUT_LINE : OUT_NONE;

	out_object(cli->out, key, NULL, OUT_LINE);
	if (*key == 's')
		service_put(cli, msg, stats);
	else if (*key == 'b')
		backend_put(cli, msg, stats);
	else
		group_put(cli, msg, OUT_NONE, stats);
	out_close(cli->out);
}

static int on_change(struct cli *cli, struct nl_msg *msg, void *arg)
{
	uint8_t cmd = nlq_cmd(msg);

	(void)arg;
	begin(cli, name_of(&names_command, cmd));
	if (cmd >= PXS_CMD_SERVICE_ADD && cmd <= PXS_CMD_SERVICE_DEL)
		put_object(cli, msg, "service");
	else if (cmd >= PXS_CMD_BACKEND_ADD && cmd <= PXS_CMD_BACKEND_DEL)
		put_object(cli, msg, "backend");
	else if (cmd == PXS_CMD_GROUP_ADD || cmd == PXS_CMD_GROUP_SET || cmd == PXS_CMD_GROUP_DEL)
		put_object(cli, msg, "group");
	end(cli);
	/* Nobody reads any more. */
	return ferror(stdout) ? CLI_USAGE : CLI_OK;
}

int monitor_run(struct cli *cli, int argc, char **argv)
{
	struct args a = { cli, argc, argv };
	int ret;

	if (argc == 1 && !strcmp(argv[0], "help")) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	ret = args_end(&a);
	return ret ? ret : nlq_listen(cli, on_change, lost, NULL);
}
