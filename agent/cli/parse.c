// SPDX-License-Identifier: GPL-2.0
/*
 * parse.c - words of the command line to values, and back
 *
 * Only syntax is judged here and ranges that a type imposes; what makes sense together is the
 * kernel's to say. Pure functions: see parse.h.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "parse.h"

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *val)
{
	uint64_t v = 0;
	unsigned int base = 10;
	int d;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -1;
	for (; *s; s++) {
		d = pxs_hex_digit(*s);
		if (d < 0 || (unsigned int)d >= base)
			return -1;
		if (v > (UINT64_MAX - (unsigned int)d) / base)
			return -1;
		v = v * base + (unsigned int)d;
	}
	if (v < min || v > max)
		return -1;
	*val = v;
	return 0;
}

int parse_hex_any(const char *s, uint8_t *buf, size_t max, size_t *len)
{
	size_t digits = strlen(s), i;

	if (!digits || digits % 2 || digits / 2 > max)
		return -1;
	for (i = 0; i < digits; i++)
		if (pxs_hex_digit(s[i]) < 0)
			return -1;
	for (i = 0; i < digits / 2; i++)
		buf[i] = (uint8_t)(pxs_hex_digit(s[2 * i]) << 4 | pxs_hex_digit(s[2 * i + 1]));
	*len = digits / 2;
	return 0;
}

int parse_hex(const char *s, uint8_t *buf, size_t len)
{
	size_t got;

	if (strlen(s) != 2 * len)
		return -1;
	return parse_hex_any(s, buf, len, &got);
}

int parse_uuid(const char *s, uint8_t uuid[16])
{
	char digits[33];
	size_t i, n = 0;

	if (strlen(s) == 32)
		return parse_hex(s, uuid, 16);
	if (strlen(s) != 36)
		return -1;
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (s[i] != '-')
				return -1;
			continue;
		}
		digits[n++] = s[i];
	}
	digits[n] = '\0';
	return parse_hex(digits, uuid, 16);
}

static int parse_addr(const char *s, size_t len, bool v6, struct endpoint *ep)
{
	char host[INET6_ADDRSTRLEN];

	if (!len || len >= sizeof(host))
		return -1;
	memcpy(host, s, len);
	host[len] = '\0';
	if (inet_pton(v6 ? AF_INET6 : AF_INET, host, ep->addr) != 1)
		return -1;
	ep->len = v6 ? 16 : 4;
	return 0;
}

int parse_endpoint(const char *s, bool need_port, struct endpoint *ep)
{
	struct endpoint e = { .len = 0 };
	const char *port;
	uint64_t val;
	int ret;

	if (*s == '[') {
		const char *end = strchr(s, ']');

		if (!end || (end[1] && end[1] != ':'))
			return -1;
		ret = parse_addr(s + 1, (size_t)(end - s - 1), true, &e);
		port = end[1] ? end + 2 : NULL;
	} else {
		const char *colon = strchr(s, ':');
		bool v6 = colon && strchr(colon + 1, ':');

		/* Without brackets ADDR:PORT would be ambiguous in IPv6: a bare address only. */
		if (v6 && need_port)
			return -1;
		if (v6)
			colon = NULL;
		ret = parse_addr(s, colon ? (size_t)(colon - s) : strlen(s), v6, &e);
		port = colon ? colon + 1 : NULL;
	}
	if (ret || (need_port && !port))
		return -1;
	if (port) {
		/* Hexadecimal ports are nobody's habit, and a typing error more likely. */
		if (port[0] == '0' || parse_u64(port, 1, 65535, &val))
			return -1;
		e.port = (uint16_t)val;
	}
	*ep = e;
	return 0;
}

int parse_permille(const char *s, uint64_t *val)
{
	size_t len = strlen(s), dot = 0;
	uint64_t whole, tenth = 0;
	char digits[16];

	if (!len || s[len - 1] != '%')
		return parse_u64(s, 0, 1000, val);
	if (len >= sizeof(digits))
		return -1;
	memcpy(digits, s, len - 1);
	digits[len - 1] = '\0';
	dot = strcspn(digits, ".");
	if (digits[dot]) {
		digits[dot] = '\0';
		if (strlen(digits + dot + 1) != 1 || parse_u64(digits + dot + 1, 0, 9, &tenth))
			return -1;
	}
	if (parse_u64(digits, 0, 100, &whole) || whole * 10 + tenth > 1000)
		return -1;
	*val = whole * 10 + tenth;
	return 0;
}

int parse_seconds(const char *s, uint64_t min, uint64_t max, uint64_t *ms)
{
	size_t dot = strcspn(s, "."), decimals = s[dot] ? strlen(s + dot + 1) : 0, i;
	uint64_t whole, part = 0;
	char digits[16];

	if (dot >= sizeof(digits) || decimals > 3 || (s[dot] && !decimals) ||
	    strspn(s, "0123456789.") != strlen(s))
		return -1;
	memcpy(digits, s, dot);
	digits[dot] = '\0';
	if (parse_u64(digits, 0, UINT32_MAX, &whole))
		return -1;
	if (decimals && parse_u64(s + dot + 1, 0, 999, &part))
		return -1;
	for (i = decimals; i < 3; i++)
		part *= 10;
	if (whole * 1000 + part < min || whole * 1000 + part > max)
		return -1;
	*ms = whole * 1000 + part;
	return 0;
}

int parse_span(const char *s, uint16_t *offset, uint16_t *len)
{
	const char *colon = strchr(s, ':');
	uint64_t o, l;
	char head[8];

	if (!colon || (size_t)(colon - s) >= sizeof(head))
		return -1;
	memcpy(head, s, (size_t)(colon - s));
	head[colon - s] = '\0';
	if (parse_u64(head, 0, 65535, &o) || parse_u64(colon + 1, 0, 65535, &l))
		return -1;
	*offset = (uint16_t)o;
	*len = (uint16_t)l;
	return 0;
}

int parse_name(const char *s, const char *const *names, unsigned int n, uint64_t *val)
{
	unsigned int i;

	for (i = 1; i < n; i++) {
		if (names[i] && !strcmp(s, names[i])) {
			*val = i;
			return 0;
		}
	}
	return -1;
}

int parse_key(const uint8_t *buf, size_t len, uint8_t key[32])
{
	char digits[65];

	if (len == 32) {
		memcpy(key, buf, 32);
		return 0;
	}
	if (len == 65 && buf[64] == '\n')
		len = 64;
	if (len != 64 || memchr(buf, '\0', 64))
		return -1;
	memcpy(digits, buf, 64);
	digits[64] = '\0';
	return parse_hex(digits, key, 32);
}

int parse_words(char *line, char **words, int max)
{
	char *from = line, *to;
	char quote;
	int n = 0;

	for (;;) {
		from += strspn(from, " \t\r\n");
		if (!*from || *from == '#')
			return n;
		if (n == max)
			return -1;
		to = from;
		words[n++] = to;
		quote = 0;
		for (; *from; from++) {
			if (quote ? *from == quote : *from == '"' || *from == '\'') {
				quote = quote ? 0 : *from;
				continue;
			}
			if (!quote && strchr(" \t\r\n", *from))
				break;
			*to++ = *from;
		}
		if (quote)
			return -1;
		if (*from)
			from++;
		*to = '\0';
	}
}

char *format_endpoint(char *buf, const struct endpoint *ep)
{
	char host[INET6_ADDRSTRLEN];

	if (!inet_ntop(ep->len == 16 ? AF_INET6 : AF_INET, ep->addr, host, sizeof(host)))
		strcpy(host, "?");
	if (!ep->port)
		snprintf(buf, PARSE_ENDPOINT_LEN, "%s", host);
	else
		snprintf(buf, PARSE_ENDPOINT_LEN, ep->len == 16 ? "[%s]:%u" : "%s:%u", host,
			 (unsigned int)ep->port);
	if (ep->socket)
		sprintf(buf + strlen(buf), " socket %" PRIu64, ep->socket);
	return buf;
}

char *format_hex(char *buf, const uint8_t *data, size_t len)
{
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < len; i++)
		sprintf(buf + 2 * i, "%02x", (unsigned int)data[i]);
	return buf;
}

char *format_uuid(char *buf, const uint8_t uuid[16])
{
	char hex[33];

	format_hex(hex, uuid, 16);
	snprintf(buf, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return buf;
}
