// SPDX-License-Identifier: GPL-2.0
/*
 * words.c - words of commands that do not speak to the kernel
 */
#include "words.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

int words_take_one(struct cli *cli, const struct word *w, const char *value)
{
	char *end;

	if (w->text) {
		*w->text = value;
		return CLI_OK;
	}
	errno = 0;
	*w->number = strtoull(value, &end, 10);
	if (*end || *value < '0' || *value > '9')
		return cli_usage_error(cli, "%s: \"%s\" is not a number", w->name, value);
	if (errno || *w->number < w->min || (w->max && *w->number > w->max))
		return cli_usage_error(cli, "%s: must be %" PRIu64 "..%" PRIu64, w->name, w->min,
				       w->max ? w->max : UINT64_MAX);
	return CLI_OK;
}

int words_take(struct cli *cli, const struct word *words, int argc, char **argv,
	       const char **value)
{
	const struct word *w;
	const char *name, *eq;
	unsigned int given = 0;
	size_t len;
	int i, ret;

	for (i = 0; i < argc; i++) {
		name = argv[i] + (strncmp(argv[i], "--", 2) ? 0 : 2);
		eq = name == argv[i] ? NULL : strchr(name, '=');
		len = eq ? (size_t)(eq - name) : strlen(name);
		for (w = words; w->name; w++)
			if (strlen(w->name) == len && !strncmp(w->name, name, len))
				break;
		if (!w->name) {
			if (!value || *value || name != argv[i])
				return cli_usage_error(cli, "\"%s\" is not understood", argv[i]);
			*value = argv[i];
			continue;
		}
		if (given >> (w - words) & 1)
			return cli_usage_error(cli, "%s: is given twice", w->name);
		given |= 1u << (w - words);
		if (w->flag && eq)
			return cli_usage_error(cli, "%s: takes no value", w->name);
		if (w->flag) {
			*w->flag = true;
			continue;
		}
		if (!eq && ++i == argc)
			return cli_usage_error(cli, "%s: a value is missing", w->name);
		ret = words_take_one(cli, w, eq ? eq + 1 : argv[i]);
		if (ret)
			return ret;
	}
	return CLI_OK;
}
