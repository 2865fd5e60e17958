/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cli.h - what the files of the command `paxsteer` share
 *
 * A file per object (service.c, backend.c, ...) offers one function, named in the
 * table of main.c. Arguments are taken apart by parse.c (pure) and args.c, requests
 * go through nlq.c, and everything shown goes through out.c once, as text or JSON.
 */
#ifndef PXS_CLI_H
#define PXS_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "out.h"

struct nl_msg;
struct nlattr;
struct nlq;
struct queue;

/* Exit statuses, documented in paxsteer(8). */
enum cli_exit {
	CLI_OK = 0,
	CLI_USAGE = 1,		/* the command line is wrong; the kernel was not asked */
	CLI_REFUSED = 2,	/* the kernel refused the request */
	CLI_NO_KERNEL = 3,	/* no module, no permission, or no answer */
};

/* One run of the program; one command of a batch after the other shares it. */
struct cli {
	struct out *out;	/* of the command that runs */
	struct nlq *nlq;	/* opened by the first request */
	struct queue *queue;	/* where changes go instead of to the kernel; NULL: they are sent */
	/* nlq_do(): a group makes the change (-EREMOTE): have it made; NULL: that is an error */
	int (*agree)(struct cli *cli, struct nl_msg *request);
	const char *object;	/* "service", for messages */
	const char *command;	/* "add", for messages; NULL before it is known */
	const char *batch;	/* file name of a batch, NULL outside */
	unsigned int line;	/* of the batch */
	bool stats;		/* -s: counters in text too (JSON always has them) */
	bool json, pretty;
};

struct cli_command {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);	/* argv starts after the command */
	bool named;		/* one word, a name, is all it needs: "help" behind it is one */
};

struct cli_object {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);	/* argv starts after the object */
	const char *help;	/* one line for `paxsteer help` */
};

/* main.c: the message goes to stderr as "paxsteer: OBJECT COMMAND: ...". Return: CLI_USAGE. */
int cli_usage_error(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void cli_error(struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Find the entry that word names, or abbreviates without doubt. name: of the i-th, NULL behind the
 * last. Return: its index; -1 and a message, of such a "what", if there is none, or more than one.
 */
int cli_find(struct cli *cli, const char *what, const char *word, const void *table,
	     const char *(*name)(const void *table, size_t i));

/*
 * Run the command that argv[0] names or abbreviates; without one the command "show"
 * where the table has it. The table ends with a NULL name. "help" prints usage.
 */
int cli_dispatch(struct cli *cli, const struct cli_command *commands, const char *usage,
		 int argc, char **argv);

/* The objects. */
int service_run(struct cli *cli, int argc, char **argv);
int backend_run(struct cli *cli, int argc, char **argv);
int table_run(struct cli *cli, int argc, char **argv);
int agreed_run(struct cli *cli, int argc, char **argv);
int lookup_run(struct cli *cli, int argc, char **argv);
int group_run(struct cli *cli, int argc, char **argv);
int stats_run(struct cli *cli, int argc, char **argv);
int monitor_run(struct cli *cli, int argc, char **argv);
int log_run(struct cli *cli, int argc, char **argv);
int member_run(struct cli *cli, int argc, char **argv);
int cluster_run(struct cli *cli, int argc, char **argv);
int journal_run(struct cli *cli, int argc, char **argv);
int save_run(struct cli *cli, int argc, char **argv);
int restore_run(struct cli *cli, int argc, char **argv);
int import_run(struct cli *cli, int argc, char **argv);

/* batch.c: run the lines of a file ("-": standard input), or of an open one of that name. */
int batch_run(struct cli *cli, const char *path, bool force);
int batch_read(struct cli *cli, FILE *f, const char *name, bool force);

/* A file to read; "-" is stdin, which is not to be closed. Return: NULL and a message if not. */
FILE *batch_open(struct cli *cli, const char *path);
int cli_run(struct cli *cli, int argc, char **argv);

/*
 * Put what GET and the multicast group say of one object into the open frame of cli->out. stats:
 * how its counters look as text. Also used by monitor.
 */
void service_put(struct cli *cli, struct nl_msg *msg, enum out_style stats);
void backend_put(struct cli *cli, struct nl_msg *msg, enum out_style stats);
void group_put(struct cli *cli, struct nl_msg *msg, enum out_style members, enum out_style stats);

/* The key of a service as `service add` takes it. tb: the service's attributes. */
void service_key_text(struct nlattr **tb, char *text, size_t len);

#endif /* PXS_CLI_H */
