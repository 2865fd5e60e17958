/* SPDX-License-Identifier: GPL-2.0 */
/*
 * args.h - positional words and "keyword value" pairs of a command
 *
 * A command lists its keywords in a table; args_keywords() turns what was typed into attributes
 * of a request. Keywords are never abbreviated: a new one must not change what an old script says.
 */
#ifndef PXS_CLI_ARGS_H
#define PXS_CLI_ARGS_H

#include "cli.h"
#include "names.h"

struct args {
	struct cli *cli;
	int argc;
	char **argv;
};

struct arg {
	const char *name;		/* NULL ends the table */
	int attr;
	unsigned int bytes;		/* of the number: 1, 2, 4, 8 */
	uint64_t min, max;		/* max 0: whatever the bytes hold */
	const struct names *names;	/* a word instead of a number, put as u8 */
	bool required, repeat;
	/* Neither number nor word: takes its values itself. Return: an exit status. */
	int (*take)(struct args *a, struct nl_msg *msg, const struct arg *arg);
};

/* The next word, or NULL and a message that `what` is missing. */
char *args_next(struct args *a, const char *what);

/* CLI_OK if no word is left, otherwise a message. */
int args_end(struct args *a);

int args_keywords(struct args *a, const struct arg *table, struct nl_msg *msg);

/* The next word as a service's name, or an address with port. Return: an exit status. */
int args_service(struct args *a, struct nl_msg *msg, int attr);
int args_endpoint(struct args *a, struct nl_msg *msg, const char *what, int addr, int port);

/* The next word as one of arg->names, put as u8. Return: an exit status. */
int args_name(struct args *a, struct nl_msg *msg, const struct arg *arg);

/*
 * Send a request if ret is CLI_OK, or queue it where requests are queued; otherwise only free it.
 * Return: an exit status.
 */
int args_send(struct cli *cli, struct nl_msg *msg, int ret);

/* The next word as a number of min..max. Return: an exit status. */
int args_u64(struct args *a, const char *what, uint64_t min, uint64_t max, uint64_t *val);

#endif /* PXS_CLI_ARGS_H */
