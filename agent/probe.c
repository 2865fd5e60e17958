// SPDX-License-Identifier: GPL-2.0
/*
 * probe.c - the kinds of checks, and what their judges share
 */
#include "probe.h"

#include <stdio.h>
#include <string.h>

static u32 nothing(const struct pxs_probe *p, u8 *to)
{
	(void)p;
	(void)to;
	return 0;
}

/* A connection is all that is asked for. */
const struct pxs_probe_kind pxs_probe_tcp = { .name = "tcp", .request = nothing };

static const struct pxs_probe_kind *const kinds[] = {
	&pxs_probe_tcp, &pxs_probe_http, &pxs_probe_memcached, &pxs_probe_redis, &pxs_probe_dns,
};

const struct pxs_probe_kind *pxs_probe_kind(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i]->name, name))
			return kinds[i];
	return NULL;
}

enum pxs_probe_verdict pxs_probe_begins(const u8 *answer, u32 len, const char *with)
{
	u32 want = (u32)strlen(with);

	if (memcmp(answer, with, min(len, want)))
		return PXS_PROBE_BAD;
	return len >= want ? PXS_PROBE_GOOD : PXS_PROBE_MORE;
}

enum pxs_probe_verdict pxs_probe_bad(char why[PXS_HEALTH_REASON_MAX + 1], const char *what,
				     const u8 *answer, u32 len)
{
	int at = snprintf(why, PXS_HEALTH_REASON_MAX + 1, "%s%s", what, len ? ": " : "");
	u32 n = min((u32)at, PXS_HEALTH_REASON_MAX);
	u32 i;

	for (i = 0; i < len && n < PXS_HEALTH_REASON_MAX; i++) {
		if (answer[i] == '\r' || answer[i] == '\n')
			break;
		why[n++] = answer[i] < ' ' || answer[i] > '~' ? '?' : (char)answer[i];
	}
	why[n] = 0;
	return PXS_PROBE_BAD;
}
