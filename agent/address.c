// SPDX-License-Identifier: GPL-2.0
/*
 * address.c - an address and its port, of either family
 */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct sockaddr_in6 *v6(const struct pxs_address *a)
{
	return (const struct sockaddr_in6 *)&a->storage;
}

static const struct sockaddr_in *v4(const struct pxs_address *a)
{
	return (const struct sockaddr_in *)&a->storage;
}

static bool is_v6(const struct pxs_address *a)
{
	return a->sa.sa_family == AF_INET6;
}

const void *pxs_address_ip(const struct pxs_address *a)
{
	return is_v6(a) ? (const void *)&v6(a)->sin6_addr : &v4(a)->sin_addr;
}

int pxs_address_ip_len(const struct pxs_address *a)
{
	return is_v6(a) ? sizeof(struct in6_addr) : sizeof(struct in_addr);
}

u16 pxs_address_port(const struct pxs_address *a)
{
	return is_v6(a) ? v6(a)->sin6_port : v4(a)->sin_port;
}

void pxs_address_set_port(struct pxs_address *a, u16 port)
{
	if (is_v6(a))
		((struct sockaddr_in6 *)&a->storage)->sin6_port = port;
	else
		((struct sockaddr_in *)&a->storage)->sin_port = port;
}

void pxs_address_format(const struct pxs_address *a, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	inet_ntop(a->sa.sa_family, pxs_address_ip(a), host, sizeof(host));
	snprintf(text, size, is_v6(a) ? "[%s]:%u" : "%s:%u", host, ntohs(pxs_address_port(a)));
}

int pxs_address_parse(const char *text, struct pxs_address *a)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a->storage;
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a->storage;
	char host[INET6_ADDRSTRLEN + 2];
	const char *colon = strrchr(text, ':');
	unsigned long port;
	size_t len;
	char *end;

	memset(a, 0, sizeof(*a));
	if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1))
		return -EINVAL;
	port = strtoul(colon + 1, &end, 10);
	len = (size_t)(colon - text);
	if (!port || port > 65535 || len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = 0;
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = 0;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((u16)port);
		a->len = sizeof(*v6);
		return inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1 ? 0 : -EINVAL;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((u16)port);
	a->len = sizeof(*v4);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : -EINVAL;
}
