// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - the command `paxsteer`: options, the table of objects, messages
 *
 *	paxsteer [OPTIONS] OBJECT [COMMAND] ...
 *
 * In iproute2's manner: objects and commands may be abbreviated as long as it is clear which is
 * meant, "help" is understood everywhere, results go to stdout, complaints to stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agreed.h"
#include "cli.h"
#include "nlq.h"
#include "out.h"

#ifndef PAXSTEER_VERSION
#define PAXSTEER_VERSION "0.1.0"
#endif

/* Every object: a line here and a file. Shown by help in this order. */
static const struct cli_object objects[] = {
	{ "service", service_run, "what clients address: add, set, del, show" },
	{ "backend", backend_run, "where a service's requests go: add, set, del, show" },
	{ "table", table_run, "the table in force: show, plot, diff" },
	{ "agreed", agreed_run, "the group that agrees on services here: show, leave" },
	{ "lookup", lookup_run, "which backend a key or a flow gets" },
	{ "group", group_run, "replicated logs of this host: add, set, del, show" },
	{ "stats", stats_run, "all counters" },
	{ "monitor", monitor_run, "print changes as they come" },
	{ "save", save_run, "the steering configuration as lines for restore or -batch" },
	{ "restore", restore_run, "make the steering configuration what a file says" },
	{ "import", import_run, "lines for restore from what ipvsadm -Sn prints" },
	{ "cluster", cluster_run, "a cluster with a store: init, join, status, add, remove, rebalance" },
	{ "member", member_run,
	  "who is in a group: show, add, promote, demote, set, remove, quorum" },
	{ "log", log_run,
	  "a replicated log, through its daemon: append, tail, status, read-index, transfer, trim" },
	{ "journal", journal_run, "a daemon's journal directory: init, show, verify, dump" },
};

#define N_OBJECTS (sizeof(objects) / sizeof(objects[0]))

struct options {
	bool json, pretty, stats, force;
	const char *batch, *netns;
};

static void usage(FILE *f)
{
	size_t i;

	fprintf(f, "Usage: paxsteer [OPTIONS] OBJECT { COMMAND | help }\n"
		"       paxsteer [OPTIONS] -b|-batch FILE\n"
		"OPTIONS := -j[son] | -p[retty] | -s[tatistics] | -n[etns] NAME |\n"
		"           -force | -V[ersion]\n"
		"OBJECT :=\n");
	for (i = 0; i < N_OBJECTS; i++)
		fprintf(f, "    %-10s %s\n", objects[i].name, objects[i].help);
}

static void complain(struct cli *cli, const char *fmt, va_list ap)
{
	fflush(stdout);
	fprintf(stderr, "paxsteer: ");
	if (cli->batch)
		fprintf(stderr, "%s:%u: ", cli->batch, cli->line);
	if (cli->object)
		fprintf(stderr, "%s%s%s: ", cli->object, cli->command ? " " : "",
			cli->command ? cli->command : "");
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void cli_error(struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(cli, fmt, ap);
	va_end(ap);
}

int cli_usage_error(struct cli *cli, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	complain(cli, fmt, ap);
	va_end(ap);
	return CLI_USAGE;
}

int cli_find(struct cli *cli, const char *what, const char *word, const void *table,
	     const char *(*name)(const void *table, size_t i))
{
	size_t len = strlen(word), i;
	char list[128] = "";
	int found = -1, n = 0;

	for (i = 0; name(table, i); i++) {
		if (!strcmp(word, name(table, i)))
			return (int)i;
		if (!len || strncmp(word, name(table, i), len))
			continue;
		found = (int)i;
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s", n++ ? ", " : "",
			 name(table, i));
	}
	if (n == 1)
		return found;
	if (n)
		cli_error(cli, "%s \"%s\" is ambiguous: %s", what, word, list);
	else
		cli_error(cli, "unknown %s \"%s\", try \"%s help\"", what, word,
			  cli->object ? cli->object : "paxsteer");
	return -1;
}

static const char *command_name(const void *table, size_t i)
{
	return ((const struct cli_command *)table)[i].name;
}

static const char *object_name(const void *table, size_t i)
{
	return i < N_OBJECTS ? ((const struct cli_object *)table)[i].name : NULL;
}

int cli_dispatch(struct cli *cli, const struct cli_command *commands, const char *text, int argc,
		 char **argv)
{
	const char *word = argc ? argv[0] : "show";
	int i;

	if (!strcmp(word, "help")) {
		fputs(text, stdout);
		return CLI_OK;
	}
	i = cli_find(cli, "command", word, commands, command_name);
	if (i < 0)
		return CLI_USAGE;
	cli->command = commands[i].name;
	/* Where a name may stand alone, or has words after it, it is one. */
	if (argc == 2 && !strcmp(argv[1], "help") && !commands[i].named) {
		fputs(text, stdout);
		return CLI_OK;
	}
	return commands[i].run(cli, argc ? argc - 1 : 0, argc ? argv + 1 : argv);
}

/*
 * Has all that was printed gone out? What an earlier flush could not write is dropped by then: only
 * the stream tells. Return: ret, or CLI_USAGE and a message.
 */
static int written(struct cli *cli, int ret)
{
	int err = fflush(stdout) ? errno : 0;

	if (ret || (!err && !ferror(stdout)))
		return ret;
	return cli_usage_error(cli, "cannot write the output%s%s", err ? ": " : "",
			       err ? strerror(err) : "");
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	int i, ret;

	cli->object = NULL;
	cli->command = NULL;
	if (!strcmp(argv[0], "help")) {
		usage(stdout);
		return written(cli, CLI_OK);
	}
	i = cli_find(cli, "object", argv[0], objects, object_name);
	if (i < 0)
		return CLI_USAGE;
	cli->object = objects[i].name;
	cli->out = out_new(stdout, cli->json, cli->pretty);
	ret = objects[i].run(cli, argc - 1, argv + 1);
	out_free(cli->out);
	return written(cli, ret);
}

/* Is arg the option, written -x, -long or --long? */
static bool is(const char *arg, const char *brief, const char *full)
{
	if (*arg++ != '-')
		return false;
	if (brief && !strcmp(arg, brief))
		return true;
	if (*arg == '-')
		arg++;
	return !strcmp(arg, full);
}

/* Return: how many words were options, -1 and a message on a wrong one. */
static int parse_options(struct cli *cli, struct options *opt, int argc, char **argv)
{
	const char **value;
	int i;

	for (i = 0; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		value = NULL;
		if (is(argv[i], "j", "json"))
			opt->json = true;
		else if (is(argv[i], "p", "pretty"))
			opt->pretty = true;
		else if (is(argv[i], "s", "statistics") || is(argv[i], NULL, "stats"))
			opt->stats = true;
		else if (is(argv[i], NULL, "force"))
			opt->force = true;
		else if (is(argv[i], "b", "batch"))
			value = &opt->batch;
		else if (is(argv[i], "n", "netns"))
			value = &opt->netns;
		else if (is(argv[i], "V", "Version") || is(argv[i], NULL, "version"))
			exit((printf("paxsteer %s\n", PAXSTEER_VERSION), written(cli, CLI_OK)));
		else if (is(argv[i], "h", "help"))
			exit((usage(stdout), written(cli, CLI_OK)));
		else
			return -cli_usage_error(cli, "unknown option \"%s\", try \"paxsteer help\"",
						argv[i]);
		if (!value)
			continue;
		if (i + 1 == argc)
			return -cli_usage_error(cli, "option %s: a value is missing", argv[i]);
		*value = argv[++i];
	}
	return i;
}

/* Move into a namespace as `ip netns` names them, before the socket is opened. */
static int enter_netns(struct cli *cli, const char *name)
{
	char path[256];
	int fd, err;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	if (!*name || strchr(name, '/')) {
		cli_error(cli, "network namespace \"%s\": not a name", name);
		return CLI_USAGE;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		cli_error(cli, "network namespace \"%s\": %s: %s", name, path, strerror(errno));
		return CLI_USAGE;
	}
	err = setns(fd, CLONE_NEWNET) ? errno : 0;
	close(fd);
	if (err) {
		cli_error(cli, "cannot enter network namespace \"%s\": %s", name, strerror(err));
		return err == EPERM ? CLI_NO_KERNEL : CLI_USAGE;
	}
	return CLI_OK;
}

int main(int argc, char **argv)
{
	struct options opt = { .json = false };
	struct cli cli = { .agree = agreed_change };
	int used, ret;

	used = parse_options(&cli, &opt, argc - 1, argv + 1);
	if (used < 0)
		return CLI_USAGE;
	argc -= 1 + used;
	argv += 1 + used;
	if (!argc && !opt.batch) {
		usage(stderr);
		return CLI_USAGE;
	}
	if (argc && opt.batch)
		return cli_usage_error(&cli, "unexpected \"%s\" after -batch", argv[0]);
	cli.stats = opt.stats;
	cli.json = opt.json;
	cli.pretty = opt.pretty;
	if (opt.netns) {
		ret = enter_netns(&cli, opt.netns);
		if (ret)
			return ret;
	}
	ret = opt.batch ? batch_run(&cli, opt.batch, opt.force) : cli_run(&cli, argc, argv);
	nlq_close(&cli);
	return ret;
}
