/* SPDX-License-Identifier: GPL-2.0 */
/*
 * address.h - an address and its port, of either family
 */
#ifndef PXS_AGENT_ADDRESS_H
#define PXS_AGENT_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "platform.h"

/* The family is AF_INET or AF_INET6. */
struct pxs_address {
	union {
		struct sockaddr sa;
		struct sockaddr_storage storage;
	};
	socklen_t len;
};

/* The bytes of the address alone, as netlink wants them. */
const void *pxs_address_ip(const struct pxs_address *a);
int pxs_address_ip_len(const struct pxs_address *a);
u16 pxs_address_port(const struct pxs_address *a);	/* in network order */
void pxs_address_set_port(struct pxs_address *a, u16 port);	/* likewise */

/* ADDRESS:PORT, an IPv6 address in brackets. */
void pxs_address_format(const struct pxs_address *a, char *text, size_t size);

/* "10.0.0.1:7400", "[fd00::1]:7400". Return: 0 or -EINVAL. */
int pxs_address_parse(const char *text, struct pxs_address *a);

#endif /* PXS_AGENT_ADDRESS_H */
