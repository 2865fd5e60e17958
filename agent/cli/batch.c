// SPDX-License-Identifier: GPL-2.0
/*
 * batch.c - the commands of a file, one a line, over one socket
 *
 * Lines that add backends wait for each other, as long as there is more to read, and go to the
 * kernel together: it builds one table for them.
 *
 * Ends at the first line that fails, naming it, unless forced; the exit status is that of the
 * first failure. What the lines before it did stays done.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "parse.h"
#include "queue.h"

#define WORDS_MAX	128
#define WAITING_MAX	65536	/* lines */

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

/* What waits is sent. Return: the status of the first that is refused; force: go on behind it. */
static int send_waiting(struct cli *cli, struct queue *waiting, bool force)
{
	unsigned int line = cli->line;
	int ret, first = CLI_OK;

	while (waiting->sent < waiting->n) {
		ret = queue_send(cli, waiting);
		if (!first)
			first = ret;
		if (!ret || !force)
			break;
		waiting->sent++;
	}
	queue_free(waiting);
	cli->line = line;
	return first;
}

/* A line that can wait does, behind those that wait; before another one they are sent. */
static int run_now_or_later(struct cli *cli, struct queue *waiting, int n, char **words, bool force)
{
	int ret, sent;

	if (queue_joins(n, words)) {
		cli->queue = waiting;
		ret = cli_run(cli, n, words);
		cli->queue = NULL;
		if (!ret)
			return CLI_OK;
		/* It said what is wrong with it; what is before it counts first. */
		sent = send_waiting(cli, waiting, force);
		return sent ? sent : ret;
	}
	sent = send_waiting(cli, waiting, force);
	if (sent && !force)
		return sent;
	ret = cli_run(cli, n, words);
	return sent ? sent : ret;
}

/* Is there nothing to read at the moment? What the stream has read already may be there still. */
static bool pauses(FILE *f)
{
	struct pollfd p = { .fd = fileno(f), .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

static int run_line(struct cli *cli, char *line, struct queue *waiting, bool force)
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
	return cli->queue ? queue_line(cli, n, words) :
			    run_now_or_later(cli, waiting, n, words, force);
}

int batch_read(struct cli *cli, FILE *f, const char *name, bool force)
{
	struct queue waiting = { .entry = NULL };
	int ret, first = CLI_OK;
	char *line = NULL;
	size_t room = 0;

	cli->batch = name;
	for (cli->line = 1; getline(&line, &room, f) >= 0; cli->line++) {
		ret = run_line(cli, line, &waiting, force);
		if (!ret && (waiting.n == WAITING_MAX || (waiting.n && pauses(f))))
			ret = send_waiting(cli, &waiting, force);
		if (ret && !first)
			first = ret;
		if (ret && !force)
			break;
	}
	ret = send_waiting(cli, &waiting, force);
	if (ret && !first)
		first = ret;
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
