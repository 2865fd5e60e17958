// SPDX-License-Identifier: GPL-2.0
/*
 * oneway.c - what one UDP request costs on its way to a socket, for bench_steer.sh
 *
 *	oneway [-n N] CLIENT-NETNS SERVER-NETNS TO SOCKET...
 *
 * Opens a server socket at each SOCKET (ADDR:PORT; one address given several times: a group
 * by SO_REUSEPORT) and one client socket, each in its namespace (a name of ip-netns). Sends N
 * requests (1000) of 64 bytes to TO and takes each from the socket that has got the first one:
 * the same request from the same port goes the same way. One process does both, so that nobody
 * sleeps and nobody is woken up. Prints "NANOSECONDS SOCKETS-INDEX": of one request, with the
 * two system calls. Exit status 1 when a request did not come.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "endpoint.h"

#define SOCKETS_MAX 16
#define REQUEST 64
#define WAIT_MS 5000

static struct pollfd servers[SOCKETS_MAX];
static nfds_t nservers;

static void enter(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		program_error(path);
	close(fd);
}

static int open_socket(int family)
{
	struct timeval wait = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)))
		program_error("socket");
	return fd;
}

static void serve(const char *text, bool shared)
{
	struct endpoint at;
	int fd, one = 1;

	if (!endpoint_parse(text, &at) || nservers == SOCKETS_MAX) {
		fprintf(stderr, "oneway: %s?\n", text);
		exit(2);
	}
	fd = open_socket(at.sa.sa_family);
	/* Not of a socket alone: a group of one is asked like one of many. */
	if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)))
		program_error("SO_REUSEPORT");
	if (bind(fd, &at.sa, at.len))
		program_error("bind");
	servers[nservers].fd = fd;
	servers[nservers].events = POLLIN;
	nservers++;
}

/* One request, to whoever gets it. Return: the index of its socket. */
static nfds_t first(int client)
{
	char buf[REQUEST] = "";
	nfds_t i;

	if (send(client, buf, sizeof(buf), 0) != sizeof(buf))
		program_error("send");
	if (poll(servers, nservers, WAIT_MS) < 1) {
		fprintf(stderr, "oneway: nobody got the request\n");
		exit(1);
	}
	for (i = 0; !servers[i].revents; i++)
		;
	if (recv(servers[i].fd, buf, sizeof(buf), 0) != sizeof(buf))
		program_error("recv");
	return i;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static double measure(int client, int server, unsigned long n)
{
	uint64_t start = now_ns();
	char buf[REQUEST] = "";
	unsigned long i;

	for (i = 0; i < n; i++) {
		if (send(client, buf, sizeof(buf), 0) != sizeof(buf))
			program_error("send");
		/* It is there when send() returns: over veth its processor carries it. */
		if (recv(server, buf, sizeof(buf), 0) != sizeof(buf))
			program_error("recv");
	}
	return (double)(now_ns() - start) / (double)n;
}

int main(int argc, char **argv)
{
	unsigned long n = 1000;
	struct endpoint to;
	int opt, i, client;
	nfds_t got;

	while ((opt = getopt(argc, argv, "n:")) != -1) {
		if (opt != 'n')
			return 2;
		n = strtoul(optarg, NULL, 10);
	}
	argv += optind;
	argc -= optind;
	if (argc < 4 || !n || !endpoint_parse(argv[2], &to)) {
		fprintf(stderr, "usage: oneway [-n N] CLIENT-NETNS SERVER-NETNS TO SOCKET...\n");
		return 2;
	}
	enter(argv[0]);
	client = open_socket(to.sa.sa_family);
	if (connect(client, &to.sa, to.len))
		program_error("connect");
	enter(argv[1]);
	for (i = 3; i < argc; i++)
		serve(argv[i], argc > 4 && !strcmp(argv[3], argv[4]));
	got = first(client);
	first(client);
	printf("%.1f", measure(client, servers[got].fd, n));
	printf(" %u\n", (unsigned int)got);
	return 0;
}
