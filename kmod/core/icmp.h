/* SPDX-License-Identifier: GPL-2.0 */
/*
 * icmp.h - ICMP errors that quote a UDP datagram or a TCP segment: reading them, and correcting
 * the quote of a datagram
 *
 * An error names what it is about by quoting the packet's first bytes. A director that
 * rewrites packets must rewrite what is quoted, or its receiver does not know it for its own.
 */
#ifndef PXS_CORE_ICMP_H
#define PXS_CORE_ICMP_H

#include "platform.h"

/* So much from the ICMP header on is looked at: IPv6 with extension headers may need it. */
#define PXS_ICMP_PEEK	128

/* Offsets count from the ICMP header; what was read lies below the length that was given. */
struct pxs_icmp_quote {
	bool v6;
	u8 ip;			/* quoted IP header */
	u8 udp;			/* quoted UDP or TCP header, at least 8 bytes; or inner IP header */
	u8 proto;		/* of it, as in an IP header */
	bool unreachable;	/* its host or its port can't be reached */
	bool too_big;		/* the datagram did not fit: mtu is set */
	u32 mtu;		/* what does fit, as the router says; old ones say 0 */
	/* Addresses as struct pxs_endpoint has them: IPv4's lies in the first 4 bytes. */
	u8 src[16];
	u8 dst[16];
	u8 sport[2];		/* 0 for a packet in a tunnel */
	u8 dport[2];
};

/*
 * Read an ICMP (or, with v6, ICMPv6) message of which len bytes are here, trusting no length
 * in it. Return: true for an error about a UDP datagram or a TCP segment that the quote names
 * completely, or about an IP packet in another one. Not for redirects, which speak of an address
 * and not of the datagram, nor for a quoted fragment without ports.
 */
bool pxs_icmp_parse(const u8 *msg, u32 len, bool v6, struct pxs_icmp_quote *q);

/*
 * Let the datagram quoted in msg be one to another address and port, with all checksums
 * inside msg by difference: what was wrong stays wrong. q is what pxs_icmp_parse() said of msg,
 * and of UDP.
 */
void pxs_icmp_rewrite_dst(u8 *msg, const struct pxs_icmp_quote *q, const u8 *addr,
			  const u8 *port);

#endif /* PXS_CORE_ICMP_H */
