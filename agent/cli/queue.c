// SPDX-License-Identifier: GPL-2.0
/*
 * queue.c - requests that are understood, but not sent yet
 *
 * A service's deletion takes its backends along, so what a queue of additions did is undone by
 * the names of its services alone.
 */
#include <stdlib.h>
#include <string.h>

#include <linux/paxsteer.h>

#include "cli.h"
#include "nlq.h"
#include "queue.h"

int queue_add(struct cli *cli, struct nl_msg *msg)
{
	struct queue *q = cli->queue;
	struct queued *grown;

	if (q->n == q->room) {
		size_t room = q->room ? 2 * q->room : 64;

		grown = realloc(q->entry, room * sizeof(*grown));
		if (!grown)
			goto err_memory;
		q->entry = grown;
		q->room = room;
	}
	/* A copy of its own size: a request is made in a buffer that holds the largest. */
	q->entry[q->n] = (struct queued){ .msg = nlmsg_convert(nlmsg_hdr(msg)),
		.object = cli->object, .command = cli->command, .line = cli->line };
	if (!q->entry[q->n].msg)
		goto err_memory;
	q->n++;
	nlmsg_free(msg);
	return CLI_OK;

err_memory:
	nlmsg_free(msg);
	cli_error(cli, "out of memory");
	return CLI_NO_KERNEL;
}

bool queue_takes(int argc, char **argv)
{
	if (argc < 2 || strcmp(argv[1], "add"))
		return false;
	return !strcmp(argv[0], "service") || !strcmp(argv[0], "backend");
}

int queue_send(struct cli *cli, struct queue *q)
{
	int ret = CLI_OK;

	for (q->sent = 0; q->sent < q->n; q->sent++) {
		struct queued *e = &q->entry[q->sent];

		cli->object = e->object;
		cli->command = e->command;
		cli->line = e->line;
		nlmsg_get(e->msg);	/* nlq_do() lets go of it; its name is needed to undo it */
		ret = nlq_do(cli, e->msg);
		if (ret)
			break;
	}
	return ret;
}

int queue_undo(struct cli *cli, const struct queue *q, size_t end)
{
	struct nlattr *tb[PXS_A_SERVICE_MAX + 1];
	struct nl_msg *msg;
	size_t i;

	for (i = 0; i < end; i++) {
		if (nlq_cmd(q->entry[i].msg) != PXS_CMD_SERVICE_ADD)
			continue;
		nlq_parse(q->entry[i].msg, tb, PXS_A_SERVICE_MAX);
		msg = nlq_msg(PXS_CMD_SERVICE_DEL);
		nlq_put_str(msg, PXS_A_SERVICE_NAME, nlq_str(tb[PXS_A_SERVICE_NAME]));
		/* Refused: somebody else deleted it, which is as good. */
		if (nlq_do(cli, msg) == CLI_NO_KERNEL)
			return CLI_NO_KERNEL;
	}
	return CLI_OK;
}

void queue_free(struct queue *q)
{
	size_t i;

	for (i = 0; i < q->n; i++)
		nlmsg_free(q->entry[i].msg);
	free(q->entry);
	*q = (struct queue){ .entry = NULL };
}
