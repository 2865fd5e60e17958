// SPDX-License-Identifier: GPL-2.0
/*
 * probe_http.c - GET a path; the status line is the answer
 *
 * What follows the status is not read: a server that has sent it is alive, and its page may be
 * long.
 */
#include <stdio.h>
#include <string.h>

#include "probe.h"

#define VERSION		"HTTP/1."
#define STATUS_AT	9	/* "HTTP/1.1 200" */

static u32 request(const struct pxs_probe *p, u8 *to)
{
	const struct pxs_probe_conf *c = p->conf;

	return (u32)snprintf((char *)to, PXS_PROBE_REQUEST_MAX,
			     "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: paxsteerd\r\n"
			     "Accept: */*\r\nConnection: close\r\n\r\n",
			     c->path, *c->host ? c->host : p->at);
}

static bool digit(u8 c)
{
	return c >= '0' && c <= '9';
}

/* Is what came of the status line as it must be? */
static bool well_formed(const u8 *a, u32 len)
{
	u32 i;

	if (pxs_probe_begins(a, len, VERSION) == PXS_PROBE_BAD)
		return false;
	for (i = strlen(VERSION); i < min(len, STATUS_AT + 4); i++) {
		if (i == STATUS_AT - 1 ? a[i] != ' ' :
		    i == STATUS_AT + 3 ? a[i] != ' ' && a[i] != '\r' && a[i] != '\n' :
		    !digit(a[i]))
			return false;
	}
	return true;
}

static enum pxs_probe_verdict judge(const struct pxs_probe *p, const u8 *a, u32 len,
				    char why[PXS_HEALTH_REASON_MAX + 1])
{
	u32 status;

	if (!well_formed(a, len))
		return pxs_probe_bad(why, "http: not an answer", a, len);
	if (len < STATUS_AT + 4)
		return PXS_PROBE_MORE;
	status = (u32)(a[STATUS_AT] - '0') * 100 + (u32)(a[STATUS_AT + 1] - '0') * 10 +
		 (u32)(a[STATUS_AT + 2] - '0');
	if (status >= p->conf->status_min && status <= p->conf->status_max)
		return PXS_PROBE_GOOD;
	return pxs_probe_bad(why, "http: status", a + STATUS_AT, 3);
}

const struct pxs_probe_kind pxs_probe_http = {
	.name = "http", .request = request, .judge = judge,
};
