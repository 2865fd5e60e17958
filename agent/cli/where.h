/* SPDX-License-Identifier: GPL-2.0 */
/*
 * where.h - the daemons and the group that a command is for
 */
#ifndef PXS_CLI_WHERE_H
#define PXS_CLI_WHERE_H

#include <jansson.h>
#include <stdint.h>

#define PXS_DEFAULT_SOCKET	"/run/paxsteer/paxsteerd.sock"

struct cli;

struct where {
	const char *sockets;	/* as pxs_log_open() takes them */
	uint64_t group;
};

/* Where daemons listen: PAXSTEER_SOCKETS, or the default. */
const char *where_sockets(void);

/*
 * Take "[-S|socket LIST] [group N]" off the front of the words of a command; what is not given is
 * where_sockets() and group 1. Return: an exit status.
 */
int where_take(struct cli *cli, int *argc, char ***argv, struct where *w);

/* The group in what a daemon says of itself, pxs_log_status(); NULL: it has none. Borrowed. */
json_t *where_group(const struct where *w, json_t *status);

#endif /* PXS_CLI_WHERE_H */
