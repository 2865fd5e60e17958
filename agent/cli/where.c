// SPDX-License-Identifier: GPL-2.0
/*
 * where.c - the daemons and the group that a command is for
 */
#include "where.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "words.h"

const char *where_sockets(void)
{
	const char *sockets = getenv("PAXSTEER_SOCKETS");

	return sockets && *sockets ? sockets : PXS_DEFAULT_SOCKET;
}

int where_take(struct cli *cli, int *argc, char ***argv, struct where *w)
{
	const struct word group = {
		.name = "group", .number = &w->group, .min = 1, .max = INT32_MAX,
	};
	int ret = CLI_OK;

	*w = (struct where){ 0 };
	while (*argc && !ret) {
		const char *name = **argv;
		bool is_socket = !strcmp(name, "-S") || !strcmp(name, "socket");

		if (!is_socket && strcmp(name, "group"))
			break;
		if (*argc == 1)
			ret = cli_usage_error(cli, "%s: a value is missing", name);
		else if (is_socket ? !!w->sockets : w->group != 0)
			ret = cli_usage_error(cli, "%s: is given twice", name);
		else if (is_socket)
			w->sockets = (*argv)[1];
		else
			ret = words_take_one(cli, &group, (*argv)[1]);
		*argc -= 2;
		*argv += 2;
	}
	if (!w->group)
		w->group = 1;
	if (!w->sockets)
		w->sockets = where_sockets();
	return ret;
}

json_t *where_group(const struct where *w, json_t *status)
{
	json_t *group;
	size_t i;

	json_array_foreach(json_object_get(status, "groups"), i, group)
		if ((uint64_t)json_integer_value(json_object_get(group, "group")) == w->group)
			return group;
	return NULL;
}
