// SPDX-License-Identifier: GPL-2.0
/*
 * icmp.c - ICMP errors that quote a UDP datagram or a TCP segment: reading them, and correcting
 * the quote of a datagram
 *
 * Offsets of fields are those of RFC 792, 791, 768, 9293, 4443 and 8200. Everything quoted was
 * written by strangers: no offset is used before it is proven below the length.
 */
#include "icmp.h"

#define ICMP_HEAD		8
#define IP4_HEAD		20
#define IP6_HEAD		40
#define UDP_HEAD		8
#define PROTO_IPV4		4
#define PROTO_TCP		6
#define PROTO_UDP		17
#define PROTO_IPV6		41

enum {
	ICMP4_UNREACHABLE = 3,
	ICMP4_QUENCH = 4,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_PARAMETER = 12,
	ICMP4_CODE_HOST = 1,		/* of unreachable */
	ICMP4_CODE_PORT = 3,
	ICMP4_CODE_TOO_BIG = 4,
	ICMP6_UNREACHABLE = 1,
	ICMP6_CODE_HOST = 3,
	ICMP6_CODE_PORT = 4,
	ICMP6_TOO_BIG = 2,
	ICMP6_PARAMETER = 4,
};

enum {
	EXT_HOPS = 0,
	EXT_ROUTING = 43,
	EXT_FRAGMENT = 44,
	EXT_AUTH = 51,
	EXT_DESTINATION = 60,
};

static bool pxs_icmp4_error(const u8 *msg, struct pxs_icmp_quote *q)
{
	switch (msg[0]) {
	case ICMP4_UNREACHABLE:
		q->too_big = msg[1] == ICMP4_CODE_TOO_BIG;
		if (q->too_big)
			q->mtu = get_unaligned_be16(msg + 6);
		q->unreachable = msg[1] == ICMP4_CODE_HOST || msg[1] == ICMP4_CODE_PORT;
		return true;
	case ICMP4_QUENCH:
	case ICMP4_TIME_EXCEEDED:
	case ICMP4_PARAMETER:
		return true;
	}
	return false;
}

static bool pxs_icmp6_error(const u8 *msg, struct pxs_icmp_quote *q)
{
	if (msg[0] < ICMP6_UNREACHABLE || msg[0] > ICMP6_PARAMETER)
		return false;
	q->unreachable = msg[0] == ICMP6_UNREACHABLE &&
			 (msg[1] == ICMP6_CODE_HOST || msg[1] == ICMP6_CODE_PORT);
	q->too_big = msg[0] == ICMP6_TOO_BIG;
	if (q->too_big)
		q->mtu = get_unaligned_be32(msg + 4);
	return true;
}

static bool pxs_icmp_has_ports(u8 proto)
{
	return proto == PROTO_UDP || proto == PROTO_TCP;
}

static bool pxs_icmp_is_ours(u8 proto)
{
	return pxs_icmp_has_ports(proto) || proto == PROTO_IPV4 || proto == PROTO_IPV6;
}

/* Return: the offset of what the quoted IP header is before, or 0. */
static u32 pxs_icmp4_quoted(const u8 *msg, u32 len, struct pxs_icmp_quote *q)
{
	const u8 *ip = msg + ICMP_HEAD;
	u32 head;

	if (len < ICMP_HEAD + IP4_HEAD || ip[0] >> 4 != 4)
		return 0;
	head = (ip[0] & 15) * 4;
	if (head < IP4_HEAD || get_unaligned_be16(ip + 2) < head + UDP_HEAD)
		return 0;
	/* Only the first fragment has ports. */
	if (get_unaligned_be16(ip + 6) & 0x1fff || !pxs_icmp_is_ours(ip[9]))
		return 0;
	q->proto = ip[9];
	memcpy(q->src, ip + 12, 4);
	memcpy(q->dst, ip + 16, 4);
	return ICMP_HEAD + head;
}

/* Return: the length of the extension header at p, of which left bytes are here, or 0. */
static u32 pxs_icmp6_ext(const u8 *p, u32 left, u8 kind)
{
	if (left < 8)
		return 0;
	switch (kind) {
	case EXT_ROUTING:
		/* On its way still: the IP header does not name the receiver. */
		if (p[3])
			return 0;
		return (p[1] + 1) * 8;
	case EXT_HOPS:
	case EXT_DESTINATION:
		return (p[1] + 1) * 8;
	case EXT_FRAGMENT:
		return get_unaligned_be16(p + 2) & 0xfff8 ? 0 : 8;
	case EXT_AUTH:
		return (p[1] + 2) * 4;
	}
	return 0;
}

/* Each header takes 8 bytes at least, so the length bounds how many are looked at. */
static u32 pxs_icmp6_quoted(const u8 *msg, u32 len, struct pxs_icmp_quote *q)
{
	const u8 *ip = msg + ICMP_HEAD;
	u32 at = ICMP_HEAD + IP6_HEAD, step;
	u8 next;

	if (len < at || ip[0] >> 4 != 6)
		return 0;
	for (next = ip[6]; !pxs_icmp_is_ours(next); next = msg[at], at += step) {
		step = pxs_icmp6_ext(msg + at, len - at, next);
		if (!step || step > len - at)
			return 0;
	}
	if (get_unaligned_be16(ip + 4) < at - ICMP_HEAD - IP6_HEAD + UDP_HEAD)
		return 0;
	q->proto = next;
	memcpy(q->src, ip + 8, 16);
	memcpy(q->dst, ip + 24, 16);
	return at;
}

bool pxs_icmp_parse(const u8 *msg, u32 len, bool v6, struct pxs_icmp_quote *q)
{
	u32 udp;

	memset(q, 0, sizeof(*q));
	if (len < ICMP_HEAD)
		return false;
	if (len > PXS_ICMP_PEEK)
		len = PXS_ICMP_PEEK;
	q->v6 = v6;
	if (v6 ? !pxs_icmp6_error(msg, q) : !pxs_icmp4_error(msg, q))
		return false;
	udp = v6 ? pxs_icmp6_quoted(msg, len, q) : pxs_icmp4_quoted(msg, len, q);
	if (!udp || len < udp + UDP_HEAD)
		return false;
	if (q->proto == PROTO_UDP && get_unaligned_be16(msg + udp + 4) < UDP_HEAD)
		return false;
	q->ip = ICMP_HEAD;
	q->udp = (u8)udp;
	if (!pxs_icmp_has_ports(q->proto))
		return true;
	memcpy(q->sport, msg + udp, 2);
	memcpy(q->dport, msg + udp + 2, 2);
	return true;
}

/* A word below the checksum at sum changes: RFC 1624. */
static void pxs_sum_replace(u8 *sum, u16 was, u16 is)
{
	u32 s = (u16)~get_unaligned_be16(sum) + (u32)(u16)~was + is;

	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	sum[0] = (u8)~(s >> 8);
	sum[1] = (u8)~s;
}

/* Write the words of with there; each of the sums that is not NULL covers them. */
static void pxs_icmp_put(u8 *at, const u8 *with, u32 len, u8 *icmp_sum, u8 *ip_sum, u8 *udp_sum)
{
	u16 was, is;
	u32 i;

	for (i = 0; i < len; i += 2) {
		was = get_unaligned_be16(at + i);
		is = get_unaligned_be16(with + i);
		pxs_sum_replace(icmp_sum, was, is);
		if (ip_sum)
			pxs_sum_replace(ip_sum, was, is);
		if (udp_sum)
			pxs_sum_replace(udp_sum, was, is);
		memcpy(at + i, with + i, 2);
	}
}

void pxs_icmp_rewrite_dst(u8 *msg, const struct pxs_icmp_quote *q, const u8 *addr,
			  const u8 *port)
{
	u8 *ip = msg + q->ip, *udp = msg + q->udp, *sum = msg + 2;
	u8 ip_sum[2], udp_sum[2];
	bool summed;

	/* The sums inside are under the outer one too: computed aside, then written as words. */
	memcpy(ip_sum, ip + 10, 2);
	memcpy(udp_sum, udp + 6, 2);
	summed = udp_sum[0] || udp_sum[1];
	if (q->v6)
		pxs_icmp_put(ip + 24, addr, 16, sum, NULL, summed ? udp_sum : NULL);
	else
		pxs_icmp_put(ip + 16, addr, 4, sum, ip_sum, summed ? udp_sum : NULL);
	pxs_icmp_put(udp + 2, port, 2, sum, NULL, summed ? udp_sum : NULL);
	if (!q->v6)
		pxs_icmp_put(ip + 10, ip_sum, 2, sum, NULL, NULL);
	if (!summed)
		return;
	/* To UDP, 0 means none. */
	if (!udp_sum[0] && !udp_sum[1])
		memset(udp_sum, 0xff, 2);
	pxs_icmp_put(udp + 6, udp_sum, 2, sum, NULL, NULL);
}
