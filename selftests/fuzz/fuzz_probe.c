// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_probe.c - what a backend answers to a health check
 *
 * Input: the kind and what it asks, then the answer. A verdict must hold for every longer answer
 * of a stream, and a reason must be fit for a terminal.
 */
#include "fuzz.h"
#include "probe.h"

static const struct pxs_probe_kind *const kinds[] = {
	&pxs_probe_http, &pxs_probe_memcached, &pxs_probe_redis, &pxs_probe_dns,
};

/* A word as the configuration lets it through. */
static void take_word(struct input *in, char to[PXS_PROBE_WORD_MAX + 1])
{
	u32 i, n = take8(in);

	take(in, to, n);
	to[n] = 0;
	for (i = 0; i < n; i++)
		if (to[i] <= ' ' || to[i] > '~')
			to[i] = 'x';
}

static void take_conf(struct input *in, struct pxs_probe_conf *c)
{
	c->kind = kinds[take8(in) % ARRAY_SIZE(kinds)];
	c->status_min = take16(in) % 600;
	c->status_max = take16(in) % 600;
	c->noauth_good = take8(in) & 1;
	c->rcode = take8(in) & 1 ? PXS_PROBE_ANY_RCODE : take8(in) & 15;
	take_word(in, c->path);
	take_word(in, c->host);
	take_word(in, c->user);
	take_word(in, c->password);
	take_word(in, c->name);
	if (!pxs_probe_dns_name(c->name))
		strcpy(c->name, ".");
}

static void check_reason(const char why[PXS_HEALTH_REASON_MAX + 1])
{
	size_t i, n = strnlen(why, PXS_HEALTH_REASON_MAX + 1);

	FUZZ_CHECK(n && n <= PXS_HEALTH_REASON_MAX);
	for (i = 0; i < n; i++)
		FUZZ_CHECK(why[i] >= ' ' && why[i] <= '~');
}

/* The first @len bytes, in memory of just that size. */
static enum pxs_probe_verdict judge(const struct pxs_probe *p, const u8 *answer, size_t len)
{
	char why[PXS_HEALTH_REASON_MAX + 1] = "";
	enum pxs_probe_verdict v;
	u8 *copy = malloc(len ?: 1);

	FUZZ_CHECK(copy);
	if (len)
		memcpy(copy, answer, len);
	v = p->conf->kind->judge(p, copy, (u32)len, why);
	free(copy);
	FUZZ_CHECK(v <= PXS_PROBE_BAD);
	if (v == PXS_PROBE_BAD)
		check_reason(why);
	return v;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct pxs_probe_conf conf = { .kind = NULL };
	struct pxs_probe p = { .conf = &conf, .at = "[2001:db8::1]:65535" };
	enum pxs_probe_verdict v = PXS_PROBE_MORE, now;
	struct input in = { data, size };
	u8 request[PXS_PROBE_REQUEST_MAX];
	size_t n;
	u32 len;

	take_conf(&in, &conf);
	p.id = take16(&in);
	p.datagram = conf.kind->udp || (conf.kind == &pxs_probe_memcached && take8(&in) & 1);
	len = conf.kind->request(&p, request);
	FUZZ_CHECK(len && len <= sizeof(request));
	if (in.n > PXS_PROBE_ANSWER_MAX)
		in.n = PXS_PROBE_ANSWER_MAX;
	for (n = p.datagram ? in.n : 0; n <= in.n; n++) {
		now = judge(&p, in.p, n);
		FUZZ_CHECK(v == PXS_PROBE_MORE || v == now);
		v = now;
	}
	/* An echo answers nothing, whoever sends it. */
	FUZZ_CHECK(judge(&p, request, len) != PXS_PROBE_GOOD);
	return 0;
}
