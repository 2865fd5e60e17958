// SPDX-License-Identifier: GPL-2.0
/*
 * logtransfer.c - `paxsteer log transfer`: let another member lead
 *
 * Asked of the leader, if one of the sockets is its; otherwise of the first daemon that is there,
 * which says who leads. Asked once: whoever wants to try again sees the outcome first.
 */
#include "logtransfer.h"

#include <poll.h>

#include "logconn.h"

static int connect_to(struct cli *cli, char *const *paths, uint32_t group, struct logconn *c)
{
	int i, err;

	if (logconn_leader(c, paths, group, 0) >= 0)
		return 0;
	for (i = 0, err = -ENOENT; err && paths[i]; i++)
		err = logconn_open(c, paths[i]);
	if (err)
		cli_error(cli, "%s: %s", paths[i - 1], strerror(-err));
	return err;
}

static int show(struct cli *cli, const struct logmsg *m)
{
	if (m->type == PXS_CLIENT_LEADS) {
		if (cli->json)
			printf("{\"group\":%u,\"leader\":%u}\n", m->group, (unsigned int)m->arg);
		else
			printf("member %u leads\n", (unsigned int)m->arg);
		return CLI_OK;
	}
	if (m->type == PXS_CLIENT_ERROR && m->arg2)
		cli_error(cli, "%.*s; leader: member %u", (int)m->len, m->body,
			  (unsigned int)m->arg2);
	else
		cli_error(cli, "%.*s", (int)m->len, m->body);
	return CLI_REFUSED;
}

int logtransfer_run(struct cli *cli, char *const *paths, uint32_t group, uint8_t to,
		    uint32_t timeout_ms)
{
	uint64_t end = logconn_now_us() + (uint64_t)timeout_ms * 1000, now;
	struct logmsg m = { 0 };
	struct logconn c;
	struct pollfd p;
	int ret;

	if (connect_to(cli, paths, group, &c))
		return CLI_NO_KERNEL;
	ret = logconn_put(&c, PXS_CLIENT_TRANSFER, 0, group, 1, to, 0, NULL, 0) ?:
	      logconn_flush(&c);
	p = (struct pollfd){ .fd = c.fd, .events = POLLIN };
	while (!ret && !logconn_next(&c, &m)) {
		now = logconn_now_us();
		if (now >= end || poll(&p, 1, (int)((end - now) / 1000) + 1) <= 0)
			ret = -ETIMEDOUT;
		else
			ret = logconn_fill(&c, false);
	}
	if (ret) {
		cli_error(cli, "no answer (%s): see who leads", strerror(-ret));
		ret = CLI_NO_KERNEL;
	} else {
		ret = show(cli, &m);
	}
	logconn_close(&c);
	return ret;
}
