// SPDX-License-Identifier: GPL-2.0
/*
 * batch.c - the commands of a file, one a line, over one socket
 *
 * Ends at the first line that fails, naming it, unless forced; the exit status is that of the
 * first failure. What the lines before it did stays done.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "parse.h"
#include "queue.h"

#define WORDS_MAX 128

/* Of a file that is queued every line must become a request. */
static int queue_line(struct cli *cli, int n, char **words)
{
	size_t had = cli->queue->n;
	int ret;

	if (!queue_takes(n, words))
		return cli_usage_error(cli, "\"%s%s%s\" is not \"service add\" or \"backend add\"",
				       words[0], n > 1 ? " " : "", n > 1 ? words[1] : "");
	ret = cli_run(cli, n, words);
	if (!ret && cli->queue->n == had)
		return cli_usage_error(cli, "adds nothing");
	return ret;
}

static int run_line(struct cli *cli, char *line)
{
	char *words[WORDS_MAX];
	int n = parse_words(line, words, WORDS_MAX);

	cli->object = NULL;
	cli->command = NULL;
	if (n < 0)
		return cli_usage_error(cli, "a quote is not closed, or more than %d words",
				       WORDS_MAX);
	if (!n)
		return CLI_OK;
	return cli->queue ? queue_line(cli, n, words) : cli_run(cli, n, words);
}

int batch_read(struct cli *cli, FILE *f, const char *name, bool force)
{
	int ret, first = CLI_OK;
	char *line = NULL;
	size_t room = 0;

	cli->batch = name;
	for (cli->line = 1; getline(&line, &room, f) >= 0; cli->line++) {
		ret = run_line(cli, line);
		if (ret && !first)
			first = ret;
		if (ret && !force)
			break;
	}
	if (ferror(f)) {
		cli->object = NULL;
		first = cli_usage_error(cli, "cannot read: %s", strerror(errno));
	}
	free(line);
	cli->batch = NULL;
	return first;
}

FILE *batch_open(struct cli *cli, const char *path)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "re") : stdin;

	if (!f)
		cli_error(cli, "cannot open \"%s\": %s", path, strerror(errno));
	return f;
}

int batch_run(struct cli *cli, const char *path, bool force)
{
	FILE *f = batch_open(cli, path);
	int ret;

	if (!f)
		return CLI_USAGE;
	ret = batch_read(cli, f, f == stdin ? "stdin" : path, force);
	if (f != stdin)
		fclose(f);
	return ret;
}
