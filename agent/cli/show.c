// SPDX-License-Identifier: GPL-2.0
/*
 * show.c - `show [NAME]`: all objects of a kind, or those that a name tells
 */
#include "show.h"

int show_run(struct cli *cli, int argc, char **argv, const struct show_kind *kind)
{
	struct nl_msg *msg = nlq_msg(kind->cmd);
	bool one = argc && kind->one;
	struct args a = { cli, argc, argv };
	int ret = CLI_OK;

	if (argc)
		ret = kind->take_name(&a, msg);
	if (!ret)
		ret = args_end(&a);
	if (ret) {
		nlmsg_free(msg);
		return ret;
	}
	out_list(cli->out, NULL, kind->style);
	ret = one ? nlq_get(cli, msg, kind->put, NULL) : nlq_dump(cli, msg, kind->put, NULL);
	if (!ret)
		out_close(cli->out);
	return ret;
}
