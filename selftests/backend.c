// SPDX-License-Identifier: GPL-2.0
/*
 * backend.c - servers that say who they are
 *
 *	backend [-r SOCKETS] [-n NAME] { udp | tcp } ADDR:PORT...
 *
 * Each ADDR:PORT is one server; its name is that text, or NAME. A datagram is answered by
 * "NAME|" and the datagram; a connection is greeted by the line "NAME", then everything
 * is echoed. With -r each server has so many sockets of one SO_REUSEPORT group. "ready"
 * is printed when all listen; on SIGTERM a line "NAME COUNT" for each server that got
 * anything: datagrams, or connections.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "endpoint.h"

#define SERVERS_MAX 64
#define FDS_MAX 4096

struct server {
	char name[ENDPOINT_TEXT];
	unsigned long count;
};

static struct server servers[SERVERS_MAX];
/* Which server a descriptor belongs to; listening ones are below zero: -1 - server. */
static int owner[FDS_MAX];

static void watch(int epfd, int fd, int who)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

	if (fd >= FDS_MAX) {
		close(fd);
		return;
	}
	owner[fd] = who;
	if (epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &ev))
		program_error("epoll_ctl");
}

static int open_socket(const struct endpoint *at, bool tcp, bool reuse)
{
	int one = 1, big = 4 << 20, fd;

	fd = socket(at->sa.sa_family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK, 0);
	if (fd < 0)
		program_error("socket");
	if (tcp || reuse)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (reuse && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		program_error("SO_REUSEPORT");
	if (at->sa.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	if (bind(fd, &at->sa, at->len))
		program_error("bind");
	if (tcp && listen(fd, 512))
		program_error("listen");
	return fd;
}

static void answer_datagrams(int fd, struct server *server)
{
	static char buf[ENDPOINT_TEXT + 65536];
	size_t name = strlen(server->name);
	struct endpoint from;
	ssize_t n;

	memcpy(buf, server->name, name);
	buf[name++] = '|';
	for (;;) {
		from.len = sizeof(from.in6);
		n = recvfrom(fd, buf + name, 65536, 0, &from.sa, &from.len);
		if (n < 0)
			return;
		server->count++;
		if (sendto(fd, buf, name + (size_t)n, 0, &from.sa, from.len) < 0)
			perror("sendto");
	}
}

static void greet(int epfd, int fd, int who)
{
	char line[ENDPOINT_TEXT + 1];
	int one = 1, conn, n;

	conn = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	if (conn < 0)
		return;
	setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	servers[who].count++;
	n = snprintf(line, sizeof(line), "%s\n", servers[who].name);
	if (send(conn, line, (size_t)n, MSG_NOSIGNAL) != n)
		perror("greet");
	watch(epfd, conn, who);
}

static void echo(int fd)
{
	char buf[4096];
	ssize_t n;

	n = recv(fd, buf, sizeof(buf), 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		close(fd);
}

/* Return: false when SIGTERM came. */
static bool serve(int epfd, int sigfd, bool tcp)
{
	struct epoll_event ev[64];
	int i, n, fd;

	n = epoll_wait(epfd, ev, 64, -1);
	for (i = 0; i < n; i++) {
		fd = ev[i].data.fd;
		if (fd == sigfd)
			return false;
		if (!tcp)
			answer_datagrams(fd, &servers[-1 - owner[fd]]);
		else if (owner[fd] < 0)
			greet(epfd, fd, -1 - owner[fd]);
		else
			echo(fd);
	}
	return true;
}

static int open_sigterm(void)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	return signalfd(-1, &term, 0);
}

int main(int argc, char **argv)
{
	int epfd = epoll_create1(0), sigfd = open_sigterm(), sockets = 1, i, j, opt;
	const char *name = NULL;
	struct endpoint at;
	bool tcp;

	while ((opt = getopt(argc, argv, "r:n:")) == 'r' || opt == 'n') {
		if (opt == 'n')
			name = optarg;
		else
			sockets = atoi(optarg);
	}
	if (opt != -1 || argc - optind < 2 || argc - optind > SERVERS_MAX) {
		fprintf(stderr, "usage: backend [-r SOCKETS] [-n NAME] { udp | tcp } ADDR:PORT...\n");
		return 2;
	}
	watch(epfd, sigfd, 0);
	tcp = !strcmp(argv[optind++], "tcp");
	for (i = optind; i < argc; i++) {
		if (!endpoint_parse(argv[i], &at)) {
			fprintf(stderr, "backend: not an address and port: %s\n", argv[i]);
			return 2;
		}
		snprintf(servers[i - optind].name, ENDPOINT_TEXT, "%s", name ?: argv[i]);
		for (j = 0; j < sockets; j++)
			watch(epfd, open_socket(&at, tcp, sockets > 1), -1 - (i - optind));
	}
	printf("ready\n");
	fflush(stdout);
	while (serve(epfd, sigfd, tcp))
		;
	for (i = 0; i < argc - optind; i++)
		if (servers[i].count)
			printf("%s %lu\n", servers[i].name, servers[i].count);
	return 0;
}
