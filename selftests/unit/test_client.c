// SPDX-License-Identifier: GPL-2.0
/*
 * test_client.c - a connection of the client port: what it may keep waiting
 */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <unistd.h>

#include "unit.h"

#include "../../agent/client.h"
#include "../../agent/client_proto.h"

#define REQUESTS	(PXS_CLIENT_IN / sizeof(struct pxs_client_hdr))
#define ANSWER_MAX	(64u << 10)	/* of the STATUS here */

static struct pxs_node node;
static struct pxs_client *client;
static struct pxs_hook hook;
static struct pxs_group_config config;
static struct pxs_replica replica;
static u32 most;		/* bytes that waited in one buffer */

static bool step(struct pxs_hook *h)
{
	bool did = pxs_client_step(client);

	(void)h;
	most = max(most, max(client->out_len, client->flight.len));
	return did;
}

/* A node with a group that is gone. Return: the other end. */
static int begin(void)
{
	int fd[2];

	memset(&node, 0, sizeof(node));
	memset(&replica, 0, sizeof(replica));
	config.conf.nmembers = 1;
	replica.config = &config;
	replica.gone = true;
	replica.id = 1;
	node.replica = &replica;
	node.nreplicas = 1;
	most = 0;
	CHECK_EQ(pxs_loop_init(&node.loop), 0);
	CHECK(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
	client = pxs_client_new(&node, fd[0]);
	hook.run = step;
	pxs_loop_add_hook(&node.loop, &hook);
	return fd[1];
}

static void finish_test(int fd)
{
	close(fd);
	pxs_loop_exit(&node.loop);
	pxs_client_free(client);
}

/* What is in @in is taken off. Return: how many answers that was. */
static u32 answers(u8 *in, u32 *len)
{
	struct pxs_client_hdr h;
	u32 n = 0, pos = 0;

	while (*len - pos >= sizeof(h)) {
		memcpy(&h, in + pos, sizeof(h));
		if (*len - pos - sizeof(h) < le32_to_cpu(h.len))
			break;
		CHECK_EQ(h.type, PXS_CLIENT_STATUS_IS);
		pos += (u32)sizeof(h) + le32_to_cpu(h.len);
		n++;
	}
	memmove(in, in + pos, *len - pos);
	*len -= pos;
	return n;
}

/* One that asks much, and reads nothing for a while, costs no more than its answers may. */
static void answers_that_nobody_takes_are_bounded(void)
{
	static struct pxs_client_hdr ask[REQUESTS];
	static u8 in[4 * ANSWER_MAX];
	u64 until = pxs_clock_ms() + 60000;
	u32 len = 0, got = 0, i;
	ssize_t n;
	int fd;

	fd = begin();
	CHECK_FATAL(client);
	for (i = 0; i < REQUESTS; i++)
		ask[i] = (struct pxs_client_hdr){ .type = PXS_CLIENT_STATUS };
	CHECK_EQ(send(fd, ask, sizeof(ask), 0), sizeof(ask));
	for (i = 0; i < 50; i++)
		CHECK_EQ(pxs_loop_once(&node.loop), 0);
	CHECK(!client->dead);
	while (got < REQUESTS && !client->dead && pxs_clock_ms() < until) {
		n = recv(fd, in + len, sizeof(in) - len, 0);
		len += n > 0 ? (u32)n : 0;
		got += answers(in, &len);
		if (n <= 0)
			CHECK_EQ(pxs_loop_once(&node.loop), 0);
	}
	CHECK_EQ(got, REQUESTS);
	CHECK(most > PXS_CLIENT_OUT_HIGH);
	CHECK(most <= 4 * PXS_CLIENT_OUT_HIGH + ANSWER_MAX);
	finish_test(fd);
}

int main(void)
{
	RUN(answers_that_nobody_takes_are_bounded);
	return unit_done();
}
