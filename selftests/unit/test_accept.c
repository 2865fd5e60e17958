// SPDX-License-Identifier: GPL-2.0
/*
 * test_accept.c - the client port when descriptors are short
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "unit.h"

#include "../../agent/accept.h"
#include "../../agent/client_proto.h"
#include "../../agent/node.h"
#include "../../agent/report.h"
#include "../../agent/server.h"
#include "../../agent/store_config.h"

#define FILES	128	/* that there may be, */
#define CLIENTS	180	/* that want to come; theirs are above */
#define LATER	40	/* files that the daemon opens then */

static struct pxs_node node;
static int client[CLIENTS];
static unsigned int ticks;

static void tick(struct pxs_ticker *t, u64 now)
{
	(void)t;
	(void)now;
	ticks++;
}

/* The other end is in this process, but not among the descriptors that are counted. */
static int high_socket(void)
{
	int low = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int fd = fcntl(low, F_DUPFD, 2 * FILES);

	close(low);
	return fd;
}

static rlim_t limit_files(rlim_t n)
{
	struct rlimit limit;
	rlim_t was;

	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	was = limit.rlim_cur;
	limit.rlim_cur = n;
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	return was;
}

/* So many ticks. Return: rounds that the loop went. */
static unsigned int go(unsigned int n)
{
	unsigned int rounds = 0, end = ticks + n;

	for (; ticks < end; rounds++)
		CHECK_EQ(pxs_loop_once(&node.loop), 0);
	return rounds;
}

/* Return: how many files could be opened. */
static unsigned int files_left(void)
{
	int fd[LATER];
	unsigned int i, n = 0;

	while (n < LATER && (fd[n] = open("/dev/null", O_RDONLY)) >= 0)
		n++;
	for (i = 0; i < n; i++)
		close(fd[i]);
	return n;
}

static void close_clients(unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		close(client[from]);
}

static bool is_answered(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT) == 1;
}

/* Connects one after the other, until too many wait. Return: how many came. */
static unsigned int come(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	unsigned int n;

	strcpy(sun.sun_path, path);
	for (n = 0; n < CLIENTS && !connect(client[n], (void *)&sun, sizeof(sun)); n++)
		go(1);
	return n;
}

static void the_last_descriptors_are_no_clients(void)
{
	const struct pxs_client_hdr ask = { .type = PXS_CLIENT_STATUS };
	struct pxs_ticker ticker = { .tick = tick };
	unsigned int i, n, end;
	char path[64];
	rlim_t was;

	snprintf(path, sizeof(path), "/tmp/pxs-accept-%d.sock", (int)getpid());
	was = limit_files(4 * FILES);
	for (i = 0; i < CLIENTS; i++)
		client[i] = high_socket();
	limit_files(FILES);
	CHECK_EQ(pxs_loop_init(&node.loop), 0);
	pxs_loop_add_ticker(&node.loop, &ticker);
	CHECK_FATAL(!pxs_server_start(&node, path));
	n = come(path);
	CHECK(n > FILES - FILES / 4);
	/* A round a tick, and few more: what fails is not tried again at once. */
	CHECK(go(50) < 100);
	i = files_left();
	CHECK(i >= FILES / 4 && i < LATER);
	/* Some go: who waits is served. */
	CHECK_EQ(send(client[n - 1], &ask, sizeof(ask), MSG_NOSIGNAL), sizeof(ask));
	close_clients(0, n / 2);
	for (end = ticks + 3000; !is_answered(client[n - 1]) && ticks < end;)
		go(1);
	CHECK(ticks < end);
	close_clients(n / 2, CLIENTS);
	pxs_loop_exit(&node.loop);
	pxs_server_stop(&node);
	limit_files(was);
}

/* Of several stores the clients add up; of one with several groups they do not. */
static void all_stores_are_asked_for(void)
{
	struct pxs_store_config a = { .maxclients = 1000 }, b = { .maxclients = 2000 };
	struct pxs_store_config part = { .maxclients = 2000, .part = true };
	struct pxs_group_config group[4] = {
		{ .store = &a }, { .store = &b }, { .store = &part }, { .store = NULL },
	};
	struct pxs_config config = { .group = group, .ngroups = 4 };
	struct rlimit limit;
	rlim_t was = limit_files(FILES);

	pxs_accept_limit(&config);
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	CHECK(limit.rlim_cur >= min((rlim_t)3000 + 2 * PXS_CLIENTS_MAX, limit.rlim_max));
	CHECK(limit.rlim_cur < 3000 + part.maxclients);
	limit_files(was);
}

int main(void)
{
	pxs_report_level(0);
	RUN(the_last_descriptors_are_no_clients);
	RUN(all_stores_are_asked_for);
	return unit_done();
}
