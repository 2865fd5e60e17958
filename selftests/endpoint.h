/* SPDX-License-Identifier: GPL-2.0 */
/*
 * endpoint.h - ADDR:PORT as text and as a socket address, for the tests' programs
 *
 * IPv6 addresses stand in brackets, as the command `paxsteer` writes them, so that the two
 * can be compared as text.
 */
#ifndef SELFTESTS_ENDPOINT_H
#define SELFTESTS_ENDPOINT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ENDPOINT_TEXT 64

struct endpoint {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

static inline bool endpoint_parse(const char *text, struct endpoint *ep)
{
	char host[ENDPOINT_TEXT];
	const char *colon = strrchr(text, ':');
	size_t n;

	memset(ep, 0, sizeof(*ep));
	if (!colon || colon == text || (size_t)(colon - text) >= sizeof(host))
		return false;
	n = (size_t)(colon - text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		ep->in6.sin6_family = AF_INET6;
		ep->in6.sin6_port = htons((uint16_t)atoi(colon + 1));
		ep->len = sizeof(ep->in6);
		return inet_pton(AF_INET6, host + 1, &ep->in6.sin6_addr) == 1;
	}
	ep->in.sin_family = AF_INET;
	ep->in.sin_port = htons((uint16_t)atoi(colon + 1));
	ep->len = sizeof(ep->in);
	return inet_pton(AF_INET, host, &ep->in.sin_addr) == 1;
}

static inline const char *endpoint_text(const struct endpoint *ep, char text[ENDPOINT_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	if (ep->sa.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &ep->in6.sin6_addr, host, sizeof(host));
		snprintf(text, ENDPOINT_TEXT, "[%s]:%u", host, ntohs(ep->in6.sin6_port));
	} else {
		inet_ntop(AF_INET, &ep->in.sin_addr, host, sizeof(host));
		snprintf(text, ENDPOINT_TEXT, "%s:%u", host, ntohs(ep->in.sin_port));
	}
	return text;
}

static inline bool endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof(a->in6.sin6_addr));
}

static inline const char *program_error(const char *what)
{
	perror(what);
	exit(2);
}

#endif
