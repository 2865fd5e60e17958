/* SPDX-License-Identifier: GPL-2.0 */
/*
 * queue.h - requests that are understood, but not sent yet
 *
 * While cli->queue is set, a command that would change something puts its request here, so that
 * a whole file is known to be good before the kernel hears of its first line.
 */
#ifndef PXS_CLI_QUEUE_H
#define PXS_CLI_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct cli;
struct nl_msg;

struct queued {
	struct nl_msg *msg;
	const char *object, *command;	/* for messages, with the line it stood in */
	unsigned int line;
};

struct queue {
	struct queued *entry;
	size_t n, room;
	size_t sent;			/* so many of the first were sent, and taken */
};

/* Frees the message. Return: an exit status. */
int queue_add(struct cli *cli, struct nl_msg *msg);

/* Is it configuration that can be queued: `service add` or `backend add`, spelled out? */
bool queue_takes(int argc, char **argv);

/* Is it `backend add`, spelled out? Those that follow each other go in one request. */
bool queue_joins(int argc, char **argv);

/*
 * Send those behind the first `sent`, until one is refused. Additions of backends to one service go
 * together, so that the kernel builds one table for them. Return: an exit status.
 */
int queue_send(struct cli *cli, struct queue *q);

/*
 * Delete the services that entries before `end` add, and with them their backends; one that is
 * gone already is said, and is no failure. Return: CLI_OK or CLI_NO_KERNEL.
 */
int queue_undo(struct cli *cli, const struct queue *q, size_t end);

void queue_free(struct queue *q);

#endif /* PXS_CLI_QUEUE_H */
