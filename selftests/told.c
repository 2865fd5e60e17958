// SPDX-License-Identifier: GPL-2.0
/*
 * told.c - a client that never fragments, and what it is told
 *
 *	told ADDR:PORT [-]SIZE...
 *
 * Each SIZE is one datagram of one connected socket. For each a line "SIZE WHAT MTU" comes out,
 * MTU being the path's as the kernel has it then; WHAT is
 *
 *	answered        by ADDR:PORT, with the same bytes at the end
 *	told ERROR by A an ICMP error from address A came, which the kernel knew for this socket's
 *	refused ERROR   nothing was sent
 *	silence         nothing came within 30 seconds, or PXS_SLOW times as many; within 3 for a
 *			SIZE with a minus, of which silence is expected
 */
#define _GNU_SOURCE
#include <errno.h>
#include <time.h>
#include <linux/errqueue.h>	/* wants struct timespec */
#include <poll.h>
#include <unistd.h>

#include "endpoint.h"

#define SIZE_MAX_UDP 65000

static char request[SIZE_MAX_UDP];

/* Either family's way to never fragment, and to hear who sent an error. */
static bool set_options(int fd, bool v6)
{
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int v = v6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO, one = 1;

	return !setsockopt(fd, level, v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &v, sizeof(v)) &&
	       !setsockopt(fd, level, v6 ? IPV6_RECVERR : IP_RECVERR, &one, sizeof(one));
}

/* Take what waits off the queue of errors. " by ADDRESS" of the last one that came by ICMP. */
static const char *error_sender(int fd)
{
	static char text[8 + INET6_ADDRSTRLEN];
	char control[512], host[INET6_ADDRSTRLEN];
	struct cmsghdr *c;

	text[0] = '\0';
	for (;;) {
		struct msghdr m = { .msg_control = control, .msg_controllen = sizeof(control) };
		const struct sock_extended_err *e;
		const struct sockaddr *from;

		if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return text;
		for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			e = (const struct sock_extended_err *)CMSG_DATA(c);
			from = SO_EE_OFFENDER(e);
			if (e->ee_origin != SO_EE_ORIGIN_ICMP && e->ee_origin != SO_EE_ORIGIN_ICMP6)
				continue;
			if (from->sa_family == AF_INET)
				inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr,
					  host, sizeof(host));
			else
				inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr,
					  host, sizeof(host));
			snprintf(text, sizeof(text), " by %s", host);
		}
	}
}

static int path_mtu(int fd, bool v6)
{
	socklen_t len = sizeof(int);
	int v = -1;

	getsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &v, &len);
	return v;
}

/* error: an errno, or 0 */
static void say(int fd, bool v6, size_t size, const char *what, int error)
{
	const char *by = error_sender(fd);

	printf("%zu %s%s%s%s %d\n", size, what, error ? " " : "",
	       error ? strerrorname_np(error) : "", by, path_mtu(fd, v6));
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
		say(fd, v6, size, "refused", errno);
		return;
	}
	if (poll(&p, 1, timeout) <= 0) {
		say(fd, v6, size, "silence", 0);
		return;
	}
	n = recv(fd, answer, sizeof(answer), 0);
	if (n < 0)
		say(fd, v6, size, "told", errno);
	else if ((size_t)n < size || memcmp(answer + (size_t)n - size, request, size))
		say(fd, v6, size, "answered wrongly", 0);
	else
		say(fd, v6, size, "answered", 0);
}

int main(int argc, char **argv)
{
	const char *slow = getenv("PXS_SLOW");
	int second = 1000 * (slow ? atoi(slow) : 1);
	struct endpoint to;
	bool v6;
	int fd, i;

	if (argc < 3 || !endpoint_parse(argv[1], &to)) {
		fprintf(stderr, "told ADDR:PORT [-]SIZE...\n");
		return 2;
	}
	v6 = to.sa.sa_family == AF_INET6;
	fd = socket(to.sa.sa_family, SOCK_DGRAM, 0);
	if (fd < 0 || !set_options(fd, v6) || connect(fd, &to.sa, to.len))
		program_error("socket");
	for (i = 2; i < argc; i++) {
		int size = abs(atoi(argv[i]));

		if (size <= SIZE_MAX_UDP)
			ask(fd, v6, (size_t)size, (*argv[i] == '-' ? 3 : 30) * second);
	}
	close(fd);
	return 0;
}
