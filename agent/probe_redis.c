// SPDX-License-Identifier: GPL-2.0
/*
 * probe_redis.c - PING, after AUTH where there is a password
 *
 * Sent at once; Redis answers in order, each answer a line. -NOAUTH says that somebody is there
 * who wants a password: good only where the configuration says so. -LOADING and -MASTERDOWN are
 * bad: who is sent there is refused.
 */
#include <stdio.h>
#include <string.h>

#include "probe.h"

/* One more argument of a command, with its length in front: it may hold anything. */
static int argument(u8 *to, const char *s)
{
	return snprintf((char *)to, PXS_PROBE_REQUEST_MAX, "$%zu\r\n%s\r\n", strlen(s), s);
}

static u32 request(const struct pxs_probe *p, u8 *to)
{
	const struct pxs_probe_conf *c = p->conf;
	int n = 0;

	if (*c->password) {
		n += sprintf((char *)to, "*%d\r\n$4\r\nAUTH\r\n", *c->user ? 3 : 2);
		if (*c->user)
			n += argument(to + n, c->user);
		n += argument(to + n, c->password);
	}
	n += sprintf((char *)to + n, "*1\r\n$4\r\nPING\r\n");
	return (u32)n;
}

/* The code of an error. The rest may quote what was sent: a password is no part of a reason. */
static u32 first_word(const u8 *a, u32 len)
{
	const u8 *space = memchr(a, ' ', len);

	return space ? (u32)(space - a) : len;
}

static enum pxs_probe_verdict judge(const struct pxs_probe *p, const u8 *a, u32 len,
				    char why[PXS_HEALTH_REASON_MAX + 1])
{
	static const char ok[] = "+OK\r\n";
	enum pxs_probe_verdict v;

	if (*p->conf->password) {
		v = pxs_probe_begins(a, len, ok);
		if (v == PXS_PROBE_BAD)
			return pxs_probe_bad(why, "redis: AUTH", a, first_word(a, len));
		if (v == PXS_PROBE_MORE)
			return v;
		a += sizeof(ok) - 1;
		len -= sizeof(ok) - 1;
	}
	v = pxs_probe_begins(a, len, "+PONG\r\n");
	if (v != PXS_PROBE_BAD)
		return v;
	v = pxs_probe_begins(a, len, "-NOAUTH");
	if (v != PXS_PROBE_BAD && p->conf->noauth_good)
		return v;
	return pxs_probe_bad(why, "redis: PING", a, len);
}

const struct pxs_probe_kind pxs_probe_redis = {
	.name = "redis", .request = request, .judge = judge,
};
