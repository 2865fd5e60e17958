// SPDX-License-Identifier: GPL-2.0
/*
 * synflood.c - a flood of SYNs whose sources answer nothing
 *
 *	synflood COUNT ADDR PORT
 *
 * From random addresses in 198.18.0.0/15 or 2001:db8:f::/64, and random ports. Says how many went.
 * Only within namespaces that a test has made.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IPV6_HDRINCL
#define IPV6_HDRINCL	36
#endif

struct tcp {
	uint16_t sport, dport;
	uint32_t seq, ack;
	uint8_t offset, flags;
	uint16_t window, check, urgent;
};

static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static uint32_t sum(const void *data, unsigned int len, uint32_t so_far)
{
	const uint16_t *p = data;

	for (; len; len -= 2)
		so_far += *p++;
	return so_far;
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return (uint16_t)~s;
}

/* @src, @dst: @len bytes each. */
static void fill(struct tcp *t, const void *src, const void *dst, unsigned int len, uint16_t port)
{
	uint32_t s;

	*t = (struct tcp){
		.sport = htons((uint16_t)(1024 + draw() % 60000)), .dport = port,
		.seq = (uint32_t)draw(), .offset = sizeof(*t) / 4 << 4, .flags = 2,
		.window = htons(64000),
	};
	s = sum(src, len, sum(dst, len, htons(sizeof(*t)) + htons(IPPROTO_TCP)));
	t->check = fold(sum(t, sizeof(*t), s));
}

static unsigned int make_v4(uint8_t *p, const struct sockaddr_in *to, uint16_t port)
{
	uint32_t src = htonl(0xc6120000u | (uint32_t)(draw() & 0x1ffff));

	memset(p, 0, 20);
	p[0] = 0x45;
	p[3] = 20 + sizeof(struct tcp);
	p[8] = 64;
	p[9] = IPPROTO_TCP;
	memcpy(p + 12, &src, 4);
	memcpy(p + 16, &to->sin_addr, 4);
	fill((struct tcp *)(p + 20), p + 12, p + 16, 4, port);
	return 20 + sizeof(struct tcp);
}

static unsigned int make_v6(uint8_t *p, const struct sockaddr_in6 *to, uint16_t port)
{
	static const uint8_t net[8] = { 0x20, 1, 0x0d, 0xb8, 0, 0x0f };
	uint64_t host = draw();

	memset(p, 0, 40);
	p[0] = 0x60;
	p[5] = sizeof(struct tcp);
	p[6] = IPPROTO_TCP;
	p[7] = 64;
	memcpy(p + 8, net, 8);
	memcpy(p + 16, &host, 8);
	memcpy(p + 24, &to->sin6_addr, 16);
	fill((struct tcp *)(p + 40), p + 8, p + 24, 16, port);
	return 40 + sizeof(struct tcp);
}

int main(int argc, char **argv)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr *to = (struct sockaddr *)&v4;
	uint8_t packet[64] __attribute__((aligned(4)));
	uint64_t n, i, sent = 0;
	socklen_t len = sizeof(v4);
	unsigned int bytes;
	uint16_t port;
	int fd, one = 1;

	if (argc != 4)
		return 2;
	n = strtoull(argv[1], NULL, 10);
	port = htons((uint16_t)atoi(argv[3]));
	if (inet_pton(AF_INET6, argv[2], &v6.sin6_addr) == 1) {
		to = (struct sockaddr *)&v6;
		len = sizeof(v6);
	} else if (inet_pton(AF_INET, argv[2], &v4.sin_addr) != 1) {
		return 2;
	}
	fd = socket(to->sa_family, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0 || (to->sa_family == AF_INET6 &&
		       setsockopt(fd, IPPROTO_IPV6, IPV6_HDRINCL, &one, sizeof(one)))) {
		perror("socket");
		return 1;
	}
	for (i = 0; i < n; i++) {
		bytes = to->sa_family == AF_INET ? make_v4(packet, &v4, port) :
						   make_v6(packet, &v6, port);
		if (sendto(fd, packet, bytes, 0, to, len) == (ssize_t)bytes) {
			sent++;
		} else if (errno != ENOBUFS) {
			perror("sendto");
			return 1;
		}
	}
	printf("%llu\n", (unsigned long long)sent);
	return sent == n ? 0 : 1;
}
