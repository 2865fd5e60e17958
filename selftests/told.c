// SPDX-License-Identifier: GPL-2.0
/*
 * told.c - a client that never fragments, and what it is told
 *
 *	told ADDR:PORT SIZE...
 *
 * Each SIZE is one datagram of one connected socket. For each a line "SIZE WHAT MTU" comes out,
 * MTU being the path's as the kernel has it then; WHAT is
 *
 *	answered        by ADDR:PORT, with the same bytes at the end
 *	told ERROR      an ICMP error came that the kernel knew to be about this socket
 *	refused ERROR   nothing was sent
 *	silence         nothing came within 3 seconds, or PXS_SLOW times as many
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "endpoint.h"

#define SIZE_MAX_UDP 65000

static char request[SIZE_MAX_UDP];

/* The options of either family that never fragment, and that show the path's MTU. */
static bool never_fragment(int fd, bool v6)
{
	int v = v6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO;

	return !setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			   v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &v, sizeof(v));
}

static int path_mtu(int fd, bool v6)
{
	socklen_t len = sizeof(int);
	int v = -1;

	getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &v, &len);
	return v;
}

static void say(size_t size, const char *what, const char *error, int mtu)
{
	printf("%zu %s%s%s %d\n", size, what, *error ? " " : "", error, mtu);
	fflush(stdout);
}

static void ask(int fd, bool v6, size_t size, int timeout)
{
	static char answer[SIZE_MAX_UDP + ENDPOINT_TEXT];
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t i;
	ssize_t n;

	for (i = 0; i < size; i++)
		request[i] = (char)(i * 7 + size);
	if (send(fd, request, size, 0) < 0) {
		say(size, "refused", strerrorname_np(errno), path_mtu(fd, v6));
		return;
	}
	if (poll(&p, 1, timeout) <= 0) {
		say(size, "silence", "", path_mtu(fd, v6));
		return;
	}
	n = recv(fd, answer, sizeof(answer), 0);
	if (n < 0)
		say(size, "told", strerrorname_np(errno), path_mtu(fd, v6));
	else if ((size_t)n < size || memcmp(answer + (size_t)n - size, request, size))
		say(size, "answered wrongly", "", path_mtu(fd, v6));
	else
		say(size, "answered", "", path_mtu(fd, v6));
}

int main(int argc, char **argv)
{
	const char *slow = getenv("PXS_SLOW");
	int timeout = 3000 * (slow ? atoi(slow) : 1);
	struct endpoint to;
	bool v6;
	int fd, i;

	if (argc < 3 || !endpoint_parse(argv[1], &to)) {
		fprintf(stderr, "told ADDR:PORT SIZE...\n");
		return 2;
	}
	v6 = to.sa.sa_family == AF_INET6;
	fd = socket(to.sa.sa_family, SOCK_DGRAM, 0);
	if (fd < 0 || !never_fragment(fd, v6) || connect(fd, &to.sa, to.len))
		program_error("socket");
	for (i = 2; i < argc; i++) {
		size_t size = (size_t)atoi(argv[i]);

		if (size <= SIZE_MAX_UDP)
			ask(fd, v6, size, timeout);
	}
	close(fd);
	return 0;
}
