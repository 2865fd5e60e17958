// SPDX-License-Identifier: GPL-2.0
/*
 * queue.c - requests that are understood, but not sent yet
 *
 * Backends of one service that follow each other are added by one request, which the kernel takes
 * or refuses whole. Of one that is refused each half is tried, until it is known which line is to
 * blame: what is before it is added, as if each had gone alone.
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

/* libnl's sockets send messages of up to 64 KiB. */
#define JOINED_BYTES	60000

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

bool queue_joins(int argc, char **argv)
{
	return argc >= 2 && !strcmp(argv[0], "backend") && !strcmp(argv[1], "add");
}

static int send_one(struct cli *cli, struct queue *q)
{
	struct queued *e = &q->entry[q->sent];
	int ret;

	cli->object = e->object;
	cli->command = e->command;
	cli->line = e->line;
	nlmsg_get(e->msg);	/* nlq_do() lets go of it; its name is needed to undo it */
	ret = nlq_do(cli, e->msg);
	if (!ret)
		q->sent++;
	return ret;
}

/* The service that a request adds a backend to, by its address; NULL: it does something else. */
static const char *adds_to(const struct queued *e)
{
	struct nlattr *tb[PXS_A_BACKEND_MAX + 1];

	if (nlq_cmd(e->msg) != PXS_CMD_BACKEND_ADD)
		return NULL;
	nlq_parse(e->msg, tb, PXS_A_BACKEND_MAX);
	return tb[PXS_A_BACKEND_ADDR] ? nlq_str(tb[PXS_A_BACKEND_SERVICE]) : NULL;
}

/* At most, in a request that adds others, too. */
static size_t bytes_of(const struct queued *e)
{
	return nlmsg_hdr(e->msg)->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN + NLA_HDRLEN;
}

/* How many of those to be sent can go together? */
static size_t run_of(const struct queue *q)
{
	const struct queued *e = &q->entry[q->sent], *end = &q->entry[q->n], *next;
	const char *service = adds_to(e), *other;
	size_t bytes = bytes_of(e);

	for (next = e + 1; service && next < end; next++) {
		bytes += bytes_of(next);
		other = adds_to(next);
		if (bytes > JOINED_BYTES || !other || strcmp(service, other))
			break;
	}
	return (size_t)(next - e);
}

static void copy_attrs(struct nl_msg *to, const struct queued *from, int but)
{
	struct genlmsghdr *head = genlmsg_hdr(nlmsg_hdr(from->msg));
	struct nlattr *a;
	int left;

	nla_for_each_attr(a, genlmsg_attrdata(head, 0), genlmsg_attrlen(head, 0), left)
		if (nla_type(a) != but)
			nlq_put(to, nla_type(a), nla_data(a), (size_t)nla_len(a));
}

static struct nl_msg *join(const struct queued *e, size_t n)
{
	const size_t room = JOINED_BYTES + NLMSG_HDRLEN + GENL_HDRLEN;
	struct nl_msg *msg = nlq_msg_of(PXS_CMD_BACKEND_ADD, room);
	struct nlattr *nest;
	size_t i;

	copy_attrs(msg, &e[0], 0);
	for (i = 1; i < n; i++) {
		nest = nlq_nest(msg, PXS_A_BACKEND_ALSO);
		copy_attrs(msg, &e[i], PXS_A_BACKEND_SERVICE);
		nla_nest_end(msg, nest);
	}
	return msg;
}

static int send_together(struct cli *cli, struct queue *q, size_t n)
{
	int ret;

	if (n == 1)
		return send_one(cli, q);
	if (!nlq_try(cli, join(&q->entry[q->sent], n))) {
		q->sent += n;
		return CLI_OK;
	}
	ret = send_together(cli, q, n / 2);
	return ret ? ret : send_together(cli, q, n - n / 2);
}

int queue_send(struct cli *cli, struct queue *q)
{
	int ret = CLI_OK;

	while (q->sent < q->n && !ret)
		ret = send_together(cli, q, run_of(q));
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
