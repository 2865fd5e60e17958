// SPDX-License-Identifier: GPL-2.0
/*
 * test_icmp.c - quotes in ICMP errors: read only when whole, rewritten with right sums
 *
 * Messages are built here field by field and summed by a plain sum of RFC 1071; each lies in
 * memory of its exact size, for ASan to guard.
 */
#include "unit.h"
#include "icmp.h"

#define ROOM 256

struct message {
	u8 b[ROOM];
	u32 len;	/* all of it */
	u32 ip, udp;	/* where they are, as the maker knows */
	bool v6;
};

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static u32 get16(const u8 *p)
{
	return (u32)p[0] << 8 | p[1];
}

/* Not folded into 16 bits yet, so that pieces can be added. */
static u32 sum(const u8 *p, u32 len)
{
	u32 s = 0, i;

	for (i = 0; i < len; i++)
		s += i & 1 ? p[i] : (u32)p[i] << 8;
	return s;
}

static u32 fold(u32 s)
{
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* Of the quoted datagram, pseudo header included; whole as its maker saw it. */
static u32 udp_sum(const struct message *m)
{
	const u8 *ip = m->b + m->ip;
	u32 len = m->len - m->udp, s = 17 + len;

	s += m->v6 ? sum(ip + 8, 32) : sum(ip + 12, 8);
	return fold(s + sum(m->b + m->udp, len));
}

static void seal_outer(struct message *m)
{
	put16(m->b + 2, 0);
	put16(m->b + 2, ~fold(sum(m->b, m->len)) & 0xffff);
}

/* Sums from the innermost out. */
static void seal(struct message *m)
{
	u8 *ip = m->b + m->ip, *udp = m->b + m->udp;

	put16(udp + 6, 0);
	put16(udp + 6, ~udp_sum(m) & 0xffff);
	if (!m->v6) {
		put16(ip + 10, 0);
		put16(ip + 10, ~fold(sum(ip, m->udp - m->ip)) & 0xffff);
	}
	seal_outer(m);
}

static void make_udp(struct message *m, u32 payload)
{
	u8 *udp = m->b + m->udp;
	u32 i;

	put16(udp, 40001);
	put16(udp + 2, 7000);
	put16(udp + 4, 8 + payload);
	for (i = 0; i < payload; i++)
		udp[8 + i] = (u8)(i * 7 + 1);
	m->len = m->udp + 8 + payload;
}

/* 10.1.0.2:40001 to 10.2.1.2:7000; options: words behind the IP header. */
static void make4(struct message *m, u8 type, u8 code, u32 options, u32 payload)
{
	u8 *ip = m->b + 8;

	memset(m, 0, sizeof(*m));
	m->ip = 8;
	m->udp = 8 + 20 + 4 * options;
	m->b[0] = type;
	m->b[1] = code;
	put16(m->b + 6, 1300);
	ip[0] = (u8)(0x45 + options);
	put16(ip + 2, 20 + 4 * options + 8 + payload);
	put16(ip + 6, 0x4000);
	ip[8] = 63;
	ip[9] = 17;
	memcpy(ip + 12, "\x0a\x01\x00\x02\x0a\x02\x01\x02", 8);
	memset(ip + 20, 1, 4 * options);
	make_udp(m, payload);
	seal(m);
}

/* fd01::2 to fd02:1::2; ext: kinds of extension headers, one of 8 bytes each, "" for none. */
static void make6(struct message *m, u8 type, const char *ext, u32 payload)
{
	u8 *ip = m->b + 8, *next = ip + 6;
	u32 n = (u32)strlen(ext), i;

	memset(m, 0, sizeof(*m));
	m->v6 = true;
	m->ip = 8;
	m->udp = 48 + 8 * n;
	m->b[0] = type;
	put16(m->b + 6, 1300);
	ip[0] = 0x60;
	put16(ip + 4, 8 * n + 8 + payload);
	ip[7] = 63;
	memcpy(ip + 8, "\xfd\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
	memcpy(ip + 24, "\xfd\x02\0\x01\0\0\0\0\0\0\0\0\0\0\0\x02", 16);
	for (i = 0; i < n; i++) {
		*next = ext[i] == 'h' ? 0 : (u8)ext[i];
		next = ip + 40 + 8 * i;
	}
	*next = 17;
	make_udp(m, payload);
	seal(m);
}

/* Parse the first len bytes, alone in memory. */
static bool parse(const struct message *m, u32 len, struct pxs_icmp_quote *q)
{
	u8 *copy = malloc(len);
	bool ret;

	memcpy(copy, m->b, len);
	ret = pxs_icmp_parse(copy, len, m->v6, q);
	free(copy);
	return ret;
}

static void reads_v4(void)
{
	struct pxs_icmp_quote q;
	struct message m;

	make4(&m, 3, 4, 0, 20);
	CHECK_FATAL(parse(&m, m.len, &q));
	CHECK(!q.v6);
	CHECK_EQ(q.ip, 8);
	CHECK_EQ(q.udp, 28);
	CHECK(q.too_big);
	CHECK_EQ(q.mtu, 1300);
	CHECK(!memcmp(q.src, "\x0a\x01\x00\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	CHECK(!memcmp(q.dst, "\x0a\x02\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16));
	CHECK_EQ(get16(q.sport), 40001);
	CHECK_EQ(get16(q.dport), 7000);
	make4(&m, 3, 3, 10, 0);
	CHECK_FATAL(parse(&m, m.len, &q));
	CHECK_EQ(q.udp, 68);
	CHECK(!q.too_big);
	CHECK_EQ(q.mtu, 0);
}

static void reads_v6(void)
{
	struct pxs_icmp_quote q;
	struct message m;

	make6(&m, 2, "", 20);
	put16(m.b + 4, 1);
	CHECK_FATAL(parse(&m, m.len, &q));
	CHECK(q.v6);
	CHECK_EQ(q.ip, 8);
	CHECK_EQ(q.udp, 48);
	CHECK(q.too_big);
	CHECK_EQ(q.mtu, 65536 + 1300);
	CHECK(!memcmp(q.src, m.b + 16, 16));
	CHECK(!memcmp(q.dst, m.b + 32, 16));
	CHECK_EQ(get16(q.sport), 40001);
	CHECK_EQ(get16(q.dport), 7000);
	/* hop-by-hop, destination, routing, fragment */
	make6(&m, 1, "h\x3c\x2b\x2c", 20);
	CHECK_FATAL(parse(&m, m.len, &q));
	CHECK_EQ(q.udp, 48 + 32);
	CHECK(!q.too_big);
	/* authentication counts in words of 4 */
	make6(&m, 1, "\x33", 20);
	CHECK_FATAL(parse(&m, m.len, &q));
	CHECK_EQ(q.udp, 56);
}

/* Errors alone, and not the redirect; a request or an answer quotes nothing. */
static void types(void)
{
	struct pxs_icmp_quote q;
	struct message m;
	u32 t;

	for (t = 0; t < 256; t++) {
		make4(&m, (u8)t, 0, 0, 8);
		CHECK_EQ(parse(&m, m.len, &q), t == 3 || t == 4 || t == 11 || t == 12);
		make6(&m, (u8)t, "", 8);
		CHECK_EQ(parse(&m, m.len, &q), t >= 1 && t <= 4);
	}
	/* Only "does not fit" says an MTU; host and port are what a server may lack. */
	for (t = 0; t < 16; t++) {
		make4(&m, 3, (u8)t, 0, 8);
		CHECK(parse(&m, m.len, &q));
		CHECK_EQ(q.too_big, t == 4);
		CHECK_EQ(q.unreachable, t == 1 || t == 3);
		make6(&m, 1, "", 8);
		m.b[1] = (u8)t;
		CHECK(parse(&m, m.len, &q));
		CHECK_EQ(q.unreachable, t == 3 || t == 4);
	}
}

/* Routers quote 8 bytes of the datagram at least (RFC 792): those suffice, less does not. */
static void cut_anywhere(void)
{
	static const char *const exts[] = { "", "h", "\x3c\x2b", "h\x3c\x2c", "\x33\x33" };
	struct pxs_icmp_quote q;
	struct message m;
	u32 len, i;

	for (i = 0; i <= 10; i++) {
		make4(&m, 3, 4, i, 100);
		for (len = 0; len <= m.len; len++)
			CHECK_EQ(parse(&m, len, &q), len >= m.udp + 8);
	}
	for (i = 0; i < ARRAY_SIZE(exts); i++) {
		make6(&m, 2, exts[i], 100);
		for (len = 0; len <= m.len; len++)
			CHECK_EQ(parse(&m, len, &q), len >= m.udp + 8);
	}
	/* As far as is looked, and no further. */
	make6(&m, 2, "hhhhhhhhh", 8);
	CHECK_EQ(m.udp + 8, PXS_ICMP_PEEK);
	CHECK(parse(&m, m.len, &q));
	make6(&m, 2, "hhhhhhhhhh", 8);
	CHECK(!parse(&m, m.len, &q));
}

static void lying_lengths_v4(void)
{
	struct pxs_icmp_quote q;
	struct message m;
	u32 i;

	for (i = 0; i < 5; i++) {
		make4(&m, 3, 3, 0, 8);
		m.b[8] = (u8)(0x40 + i);
		CHECK(!parse(&m, m.len, &q));
	}
	/* A header longer than what is here. */
	for (i = 9; i < 16; i++) {
		make4(&m, 3, 3, 0, 8);
		m.b[8] = (u8)(0x40 + i);
		CHECK(!parse(&m, m.len, &q));
	}
	for (i = 0; i < 64; i++) {
		make4(&m, 3, 3, 0, 8);
		put16(m.b + 10, i);
		CHECK_EQ(parse(&m, m.len, &q), i >= 28);
		make4(&m, 3, 3, 0, 8);
		put16(m.b + m.udp + 4, i);
		CHECK_EQ(parse(&m, m.len, &q), i >= 8);
	}
	for (i = 0; i < 16; i++) {
		make4(&m, 3, 3, 0, 8);
		m.b[8] = (u8)(i << 4 | 5);
		CHECK_EQ(parse(&m, m.len, &q), i == 4);
	}
}

static void lying_lengths_v6(void)
{
	struct pxs_icmp_quote q;
	struct message m;
	u32 i;

	/* Any length of an extension header, most of them far behind the end. */
	for (i = 1; i < 256; i++) {
		make6(&m, 1, "\x3c", 0);
		m.b[49] = (u8)i;
		CHECK(!parse(&m, m.len, &q));
		make6(&m, 1, "\x33", 0);
		m.b[49] = (u8)i;
		CHECK(!parse(&m, m.len, &q));
	}
	for (i = 0; i < 64; i++) {
		make6(&m, 1, "\x3c", 8);
		put16(m.b + 12, i);
		CHECK_EQ(parse(&m, m.len, &q), i >= 16);
	}
	for (i = 0; i < 16; i++) {
		make6(&m, 1, "", 8);
		m.b[8] = (u8)(i << 4);
		CHECK_EQ(parse(&m, m.len, &q), i == 6);
	}
}

/* Only the first fragment has ports; a routed packet's receiver is another than it says. */
static void not_named(void)
{
	struct pxs_icmp_quote q;
	struct message m;

	make4(&m, 3, 3, 0, 8);
	put16(m.b + 14, 0x2000);
	CHECK(parse(&m, m.len, &q));
	put16(m.b + 14, 0x2001);
	CHECK(!parse(&m, m.len, &q));
	put16(m.b + 14, 0x1000);
	CHECK(!parse(&m, m.len, &q));
	make6(&m, 1, "\x2c", 8);
	put16(m.b + 50, 1);
	CHECK(parse(&m, m.len, &q));
	put16(m.b + 50, 8);
	CHECK(!parse(&m, m.len, &q));
	put16(m.b + 50, 0x8000);
	CHECK(!parse(&m, m.len, &q));
	make6(&m, 1, "\x2b", 8);
	m.b[51] = 1;
	CHECK(!parse(&m, m.len, &q));
}

static bool is_read(u32 proto)
{
	return proto == 17 || proto == 6 || proto == 4 || proto == 41;
}

/*
 * Nothing but UDP, TCP and IP in a tunnel: no error about an error, no other protocol, in either
 * family. In a tunnel there are no ports.
 */
static void nested(void)
{
	struct pxs_icmp_quote q;
	struct message m;
	u32 proto;

	for (proto = 0; proto < 256; proto++) {
		make4(&m, 3, 3, 0, 40);
		m.b[17] = (u8)proto;
		CHECK_EQ(parse(&m, m.len, &q), is_read(proto));
		CHECK(!q.udp || q.proto == proto);
		CHECK(!q.udp || !q.dport[1] == (proto == 4 || proto == 41));
		/* Behind an extension header; the filled-in payload ends no chain at 17. */
		make6(&m, 1, "\x3c", 0);
		m.b[48] = (u8)proto;
		CHECK_EQ(parse(&m, m.len, &q), is_read(proto));
		CHECK(!q.udp || q.proto == proto);
		CHECK(!q.udp || !q.dport[1] == (proto == 4 || proto == 41));
	}
	/* An error about an error, whose own quote would be fine. */
	make4(&m, 3, 3, 0, 40);
	m.b[17] = 1;
	m.b[28] = 3;
	memcpy(m.b + 36, m.b + 8, 28);
	CHECK(!parse(&m, m.len, &q));
	/* The families do not mix. */
	make4(&m, 3, 3, 0, 40);
	m.v6 = true;
	CHECK(!parse(&m, m.len, &q));
	make6(&m, 3, "", 40);
	m.v6 = false;
	CHECK(!parse(&m, m.len, &q));
}

/* Strangers' bytes: whatever comes, nothing is read outside (ASan), and offsets are inside. */
static void noise(void)
{
	struct pxs_icmp_quote q;
	u64 state = 1, taken = 0;
	struct message m;
	u32 i, flips, len;

	for (i = 0; i < 200000; i++) {
		if (unit_random(&state) & 1)
			make4(&m, 3, 4, unit_random(&state) % 11, 30);
		else
			make6(&m, 2, unit_random(&state) & 1 ? "h\x3c\x33" : "\x2c\x2b", 30);
		for (flips = unit_random(&state) % 4; flips; flips--)
			m.b[unit_random(&state) % 64] = (u8)unit_random(&state);
		len = unit_random(&state) % (m.len + 1);
		if (!parse(&m, len, &q))
			continue;
		taken++;
		CHECK(q.udp + 8u <= len);
		CHECK(q.ip + (m.v6 ? 40u : 20u) <= q.udp);
	}
	CHECK(taken > 1000);
}

static const u8 vip4[16] = { 192, 0, 2, 1 };
static const u8 vip6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

/* Rewrite the first len bytes of a message, alone in memory, and bring them back. */
static void rewrite(struct message *m, u32 len, u32 port)
{
	struct pxs_icmp_quote q;
	u8 to[2], *copy;

	put16(to, port);
	CHECK_FATAL(parse(m, len, &q));
	copy = malloc(len);
	memcpy(copy, m->b, len);
	pxs_icmp_rewrite_dst(copy, &q, m->v6 ? vip6 : vip4, to);
	memcpy(m->b, copy, len);
	free(copy);
}

/* All sums hold, and what is not destination or sum is as it was. */
static void check_rewritten(const struct message *m, const struct message *was, u32 port)
{
	struct message plain = *m;
	u32 dst = m->v6 ? m->ip + 24 : m->ip + 16, alen = m->v6 ? 16 : 4;

	CHECK_EQ(fold(sum(m->b, m->len)), 0xffff);
	if (!m->v6)
		CHECK_EQ(fold(sum(m->b + m->ip, m->udp - m->ip)), 0xffff);
	CHECK(!memcmp(m->b + dst, m->v6 ? vip6 : vip4, alen));
	CHECK_EQ(get16(m->b + m->udp + 2), port);
	memcpy(plain.b + dst, was->b + dst, alen);
	memcpy(plain.b + m->udp + 2, was->b + m->udp + 2, 2);
	memcpy(plain.b + m->udp + 6, was->b + m->udp + 6, 2);
	memcpy(plain.b + 2, was->b + 2, 2);
	if (!m->v6)
		memcpy(plain.b + m->ip + 10, was->b + m->ip + 10, 2);
	CHECK(!memcmp(plain.b, was->b, m->len));
}

static void rewrites(void)
{
	struct message m, was;
	u32 port;

	for (port = 0; port < 65536; port += port < 1000 ? 1 : 97) {
		make4(&m, 3, 4, port % 11, 21);
		was = m;
		rewrite(&m, m.len, port);
		check_rewritten(&m, &was, port);
		CHECK_EQ(udp_sum(&m), 0xffff);
		make6(&m, 2, port & 1 ? "h" : "", 21);
		was = m;
		rewrite(&m, m.len, port);
		check_rewritten(&m, &was, port);
		CHECK_EQ(udp_sum(&m), 0xffff);
	}
}

/* Without a sum it stays without; one that becomes 0 is written as its other form. */
static void udp_without_sum(void)
{
	struct message m, was;
	bool mangled = false;
	u32 port;

	make4(&m, 3, 4, 0, 20);
	put16(m.b + m.udp + 6, 0);
	seal_outer(&m);
	was = m;
	rewrite(&m, m.len, 53);
	check_rewritten(&m, &was, 53);
	CHECK_EQ(get16(m.b + m.udp + 6), 0);
	for (port = 0; port < 65536; port++) {
		make4(&m, 3, 4, 0, 20);
		was = m;
		rewrite(&m, m.len, port);
		CHECK(get16(m.b + m.udp + 6) != 0);
		mangled |= get16(m.b + m.udp + 6) == 0xffff;
		CHECK_EQ(fold(sum(m.b, m.len)), 0xffff);
	}
	CHECK(mangled);
}

/* What was wrong stays wrong, by as much: nobody is given a good sum for bad bytes. */
static void wrong_stays_wrong(void)
{
	struct message m;

	make4(&m, 3, 4, 0, 20);
	put16(m.b + 2, get16(m.b + 2) ^ 0x0100);
	rewrite(&m, m.len, 53);
	CHECK(fold(sum(m.b, m.len)) != 0xffff);
	make4(&m, 3, 4, 0, 20);
	put16(m.b + 18, get16(m.b + 18) ^ 0x0100);
	seal_outer(&m);
	rewrite(&m, m.len, 53);
	CHECK_EQ(fold(sum(m.b, m.len)), 0xffff);
	CHECK(fold(sum(m.b + 8, 20)) != 0xffff);
}

/* A quote of 8 bytes of UDP: sums cover what is there. */
static void rewrites_cut(void)
{
	struct message m, was;

	make4(&m, 3, 4, 3, 100);
	m.len = m.udp + 8;
	seal_outer(&m);
	was = m;
	rewrite(&m, m.len, 53);
	check_rewritten(&m, &was, 53);
	make6(&m, 2, "h", 100);
	m.len = m.udp + 8;
	seal_outer(&m);
	was = m;
	rewrite(&m, m.len, 53);
	check_rewritten(&m, &was, 53);
}

int main(void)
{
	RUN(reads_v4);
	RUN(reads_v6);
	RUN(types);
	RUN(cut_anywhere);
	RUN(lying_lengths_v4);
	RUN(lying_lengths_v6);
	RUN(not_named);
	RUN(nested);
	RUN(noise);
	RUN(rewrites);
	RUN(udp_without_sum);
	RUN(wrong_stays_wrong);
	RUN(rewrites_cut);
	return unit_done();
}
