// SPDX-License-Identifier: GPL-2.0
/*
 * restore.c - the object "restore": make the steering configuration what a file says
 *
 * All lines are understood before the first is sent. What is there already is only replaced when
 * told so, and is kept as a queue of its own meanwhile: if the kernel refuses a line, what was
 * added goes again and what was there comes back.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "nlq.h"
#include "queue.h"
#include "save.h"

#define FORMER	"the former configuration"	/* where messages have a file */

static const char usage[] =
	"Usage: paxsteer restore [FILE] [flush]\n"
	"FILE: the lines that save prints; - (default) is standard input\n"
	"flush: replace the services that are there; without it there must be none\n";

struct restoring {
	struct queue old, new;
	size_t sockets;			/* backends that old can't make again */
};

/* What is there now, as a queue that makes it again. */
static int remember(struct cli *cli, struct restoring *r)
{
	struct cli inner = *cli;
	char *text = NULL;
	FILE *f = NULL;
	int ret = save_text(cli, NULL, &text, &r->sockets);

	inner.queue = &r->old;
	if (!ret && *text) {
		f = fmemopen(text, strlen(text), "r");
		if (f)
			ret = batch_read(&inner, f, FORMER, false);
		else
			cli_error(cli, "out of memory");
	}
	if (f)
		fclose(f);
	else if (text && *text)
		ret = CLI_NO_KERNEL;
	free(text);
	return ret;
}

/* After a refusal. Return: an exit status, CLI_OK if all is as before. */
static int put_back(struct cli *cli, struct restoring *r)
{
	struct cli inner = *cli;
	int ret = queue_undo(cli, &r->new, r->new.sent);

	inner.batch = FORMER;
	if (ret != CLI_NO_KERNEL)
		ret = queue_send(&inner, &r->old);
	return ret;
}

static int apply(struct cli *cli, struct restoring *r, const char *file)
{
	struct cli inner = *cli;
	int ret = queue_undo(cli, &r->old, r->old.n);

	if (ret == CLI_NO_KERNEL)
		return ret;
	inner.batch = file;
	ret = queue_send(&inner, &r->new);
	if (!ret)
		return CLI_OK;
	if (put_back(cli, r))
		cli_error(cli, "the configuration could not be put back as it was");
	else if (r->sockets)
		cli_error(cli, "the configuration is put back, but for %zu socket%s that processes gave: %s",
			  r->sockets, r->sockets == 1 ? "" : "s", "they have to give them again");
	else
		cli_error(cli, "nothing is changed: the configuration is put back as it was");
	return ret;
}

static int may(struct cli *cli, const struct restoring *r, bool flush)
{
	if (!r->old.n)
		return CLI_OK;
	if (!flush) {
		cli_error(cli, "there are services already: say flush to replace them, or add with -batch");
		return CLI_REFUSED;
	}
	/* More likely the end of a pipe whose beginning failed than somebody's wish. */
	if (!r->new.n) {
		cli_error(cli, "no service to restore: nothing is flushed");
		return CLI_REFUSED;
	}
	return CLI_OK;
}

static int restore(struct cli *cli, const char *file, bool flush)
{
	struct restoring r = { .old = { .entry = NULL } };
	struct cli inner = *cli;
	sighandler_t pipe;
	sigset_t stop, before;
	int ret;

	inner.queue = &r.new;
	ret = batch_run(&inner, file, false);
	if (!ret)
		ret = remember(cli, &r);
	if (!ret)
		ret = may(cli, &r, flush);
	if (ret)
		goto out;

	/* Half of it is worse than a moment's wait, or than words that nobody reads. */
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGHUP);
	sigprocmask(SIG_BLOCK, &stop, &before);
	pipe = signal(SIGPIPE, SIG_IGN);
	ret = apply(cli, &r, strcmp(file, "-") ? file : "stdin");
	signal(SIGPIPE, pipe);
	sigprocmask(SIG_SETMASK, &before, NULL);
out:
	queue_free(&r.old);
	queue_free(&r.new);
	return ret;
}

int restore_run(struct cli *cli, int argc, char **argv)
{
	bool flush = argc && !strcmp(argv[argc - 1], "flush");
	struct args a = { cli, argc - flush, argv };
	const char *file = "-";
	int ret;

	if (argc == 1 && !strcmp(argv[0], "help")) {
		fputs(usage, stdout);
		return CLI_OK;
	}
	if (a.argc)
		file = args_next(&a, "FILE");
	ret = args_end(&a);
	return ret ? ret : restore(cli, file, flush);
}
