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

#define WORDS_MAX 128

static int run_line(struct cli *cli, char *line)
{
	char *words[WORDS_MAX];
	int n = parse_words(line, words, WORDS_MAX);

	cli->object = NULL;
	cli->command = NULL;
	if (n < 0)
		return cli_usage_error(cli, "a quote is not closed, or more than %d words",
				       WORDS_MAX);
	return n ? cli_run(cli, n, words) : CLI_OK;
}

int batch_run(struct cli *cli, const char *path, bool force)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	int ret, first = CLI_OK;
	char *line = NULL;
	size_t room = 0;

	if (!f)
		return cli_usage_error(cli, "cannot open batch file \"%s\": %s", path,
				       strerror(errno));
	cli->batch = is_stdin ? "stdin" : path;
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
	if (!is_stdin)
		fclose(f);
	cli->batch = NULL;
	return first;
}
