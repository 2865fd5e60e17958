// SPDX-License-Identifier: GPL-2.0
/*
 * probe_dns.c - a question by UDP: A of a name, class IN, recursion desired
 *
 * The answer is the datagram with our id that is an answer and, where it repeats a question,
 * repeats ours. Servers may leave the question out when they refuse or can't parse.
 */
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define HEADER		12
#define TAIL		4	/* type and class */
#define NAME_MAX_WIRE	255
#define FLAG_QR		0x80
#define OPCODE		0x78

/* Labels with their lengths. Return: bytes, 0 when @name is none. */
static u32 put_name(const char *name, u8 *to)
{
	u32 n = 0, label;

	if (!strcmp(name, ".")) {
		to[0] = 0;
		return 1;
	}
	while (*name) {
		label = (u32)strcspn(name, ".");
		if (!label || label > 63 || n + 1 + label + 1 > NAME_MAX_WIRE)
			return 0;
		to[n++] = (u8)label;
		memcpy(to + n, name, label);
		n += label;
		name += label;
		if (*name)
			name++;
	}
	if (!n)
		return 0;
	to[n++] = 0;
	return n;
}

bool pxs_probe_dns_name(const char *name)
{
	u8 wire[NAME_MAX_WIRE];

	return put_name(name, wire);
}

static u32 request(const struct pxs_probe *p, u8 *to)
{
	static const u8 tail[TAIL] = { 0, 1, 0, 1 };
	u8 header[HEADER] = { (u8)(p->id >> 8), (u8)p->id, 0x01, 0, 0, 1 };
	u32 n;

	memcpy(to, header, HEADER);
	n = put_name(p->conf->name, to + HEADER);
	memcpy(to + HEADER + n, tail, TAIL);
	return HEADER + n + TAIL;
}

static u8 lower(u8 c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* Lengths of labels are below 64: none of them looks like a letter. */
static bool same_question(const u8 *a, const u8 *b, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static enum pxs_probe_verdict judge(const struct pxs_probe *p, const u8 *a, u32 len,
				    char why[PXS_HEALTH_REASON_MAX + 1])
{
	u8 asked[PXS_PROBE_REQUEST_MAX];
	u32 n = request(p, asked);
	u16 questions, rcode;
	char text[8];

	if (len < HEADER || a[0] != asked[0] || a[1] != asked[1] || !(a[2] & FLAG_QR))
		return PXS_PROBE_MORE;
	questions = (u16)(a[4] << 8 | a[5]);
	if (questions && (len < n || !same_question(a + HEADER, asked + HEADER, n - HEADER)))
		return PXS_PROBE_MORE;
	if (questions > 1 || a[2] & OPCODE)
		return pxs_probe_bad(why, "dns: malformed answer", NULL, 0);
	rcode = a[3] & 0xf;
	if (p->conf->rcode == PXS_PROBE_ANY_RCODE || p->conf->rcode == rcode)
		return PXS_PROBE_GOOD;
	snprintf(text, sizeof(text), "%u", rcode);
	return pxs_probe_bad(why, "dns: rcode", (const u8 *)text, (u32)strlen(text));
}

const struct pxs_probe_kind pxs_probe_dns = {
	.name = "dns", .udp = true, .request = request, .judge = judge,
};
