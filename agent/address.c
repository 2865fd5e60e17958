// SPDX-License-Identifier: GPL-2.0
/*
 * address.c - an address and its port, of either family
 */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>

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

void pxs_address_format(const struct pxs_address *a, char *text, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	inet_ntop(a->sa.sa_family, pxs_address_ip(a), host, sizeof(host));
	snprintf(text, size, is_v6(a) ? "[%s]:%u" : "%s:%u", host, ntohs(pxs_address_port(a)));
}
