// SPDX-License-Identifier: GPL-2.0
/*
 * passive.c - who is taken out for a while, because what it was sent came to nothing
 *
 * Owns nothing. Control path, process context.
 */
#include "passive.h"

bool pxs_passive_sees(bool udp, u8 mode)
{
	return mode == PXS_MODE_LOCAL || mode == PXS_MODE_REQUEST || (mode == PXS_MODE_NAT && udp);
}

int pxs_passive_failures(u8 mode)
{
	if (mode == PXS_MODE_LOCAL)
		return PXS_STEER_STAT_NO_SOCKET;
	if (mode == PXS_MODE_REQUEST)
		return PXS_STEER_STAT_CONNECT_FAILED;
	return PXS_STEER_STAT_UNREACHABLE;
}

struct pxs_passive_seen pxs_passive_seen(u8 mode, u64 requests, u64 replies, u64 failures)
{
	struct pxs_passive_seen seen = { requests, failures, replies };

	/* What a socket took is all that there is to see of an answer. */
	if (mode == PXS_MODE_LOCAL)
		seen.successes = requests;
	/* Counted is a request that reached somebody; nat sends it, and hears of it later. */
	if (mode != PXS_MODE_NAT)
		seen.requests += failures;
	return seen;
}

static void begin(struct pxs_passive_look *l, u64 now)
{
	l->p->since = l->seen;
	l->p->begun = now;
}

/* Bring back who has been out for long enough, or serves nobody anyway; a success begins anew. */
static void go_on(struct pxs_passive_look *l, u64 now)
{
	struct pxs_passive *p = l->p;

	if (p->until && p->until > now && l->serves)
		return;
	if (p->until || !p->begun || !l->serves || l->seen.successes != p->since.successes)
		begin(l, now);
	p->until = 0;
}

static bool failed(const struct pxs_passive_look *l, u32 fails)
{
	const struct pxs_passive_seen *since = &l->p->since;

	return !l->p->until && l->serves && l->seen.failures - since->failures >= fails &&
	       l->seen.requests - since->requests >= fails;
}

/* The one that has been out for longest. */
static struct pxs_passive_look *oldest(struct pxs_passive_look *v, u32 n)
{
	struct pxs_passive_look *l = NULL;
	u32 i;

	for (i = 0; i < n; i++)
		if (v[i].p->until && (!l || v[i].p->until < l->p->until))
			l = &v[i];
	return l;
}

void pxs_passive_decide(struct pxs_passive_look *v, u32 n, u32 fails, u32 seconds, u64 now)
{
	u32 serve = 0, out = 0, i;

	for (i = 0; i < n; i++) {
		go_on(&v[i], now);
		serve += v[i].serves;
		out += !!v[i].p->until;
	}
	/* Others that served do so no more: who is out is needed again. */
	for (; 2 * out > serve; out--) {
		struct pxs_passive_look *l = oldest(v, n);

		begin(l, now);
		l->p->until = 0;
	}
	for (i = 0; i < n && 2 * (out + 1) <= serve; i++) {
		if (!failed(&v[i], fails))
			continue;
		v[i].p->until = now + (u64)seconds * 1000;
		out++;
	}
	/* Only now: what came since the last look is of the window that ends with this one. */
	for (i = 0; i < n; i++)
		if (now - v[i].p->begun > (u64)seconds * 1000)
			begin(&v[i], now);
}
