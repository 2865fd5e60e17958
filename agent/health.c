// SPDX-License-Identifier: GPL-2.0
/*
 * health.c - is a backend well? A verdict out of single checks
 *
 * Unchecked counts as well: a backend serves until checks have failed often enough. Its
 * first good check makes it good.
 */
#include "health.h"

#include <linux/paxsteer.h>

#include "random.h"

/* 0..@below - 1; @below is small against 2^32. */
static u32 random_below(struct pxs_health_check *h, u32 below)
{
	return (u32)(((pxs_random_next(&h->random) >> 32) * below) >> 32);
}

static u32 pause_ms(struct pxs_health_check *h, const struct pxs_health_conf *conf)
{
	u32 most = conf->interval_ms / 100 * conf->jitter +
		   conf->interval_ms % 100 * conf->jitter / 100;

	return conf->interval_ms - random_below(h, most + 1);
}

void pxs_health_init(struct pxs_health_check *h, const struct pxs_health_conf *conf, u8 verdict,
		     u64 now, u64 seed)
{
	memset(h, 0, sizeof(*h));
	h->verdict = verdict;
	h->random = seed ?: 1;
	h->due = now + random_below(h, conf->interval_ms);
}

void pxs_health_adopt(struct pxs_health_check *h, u8 verdict)
{
	h->verdict = verdict;
	h->streak = 0;
}

bool pxs_health_due(const struct pxs_health_check *h, u64 now)
{
	return !h->busy && now >= h->due;
}

void pxs_health_begin(struct pxs_health_check *h, u64 now)
{
	pxs_assert(!h->busy);
	h->busy = true;
	h->begun = now;
}

bool pxs_health_late(const struct pxs_health_check *h, const struct pxs_health_conf *conf, u64 now)
{
	return h->busy && now - h->begun >= conf->timeout_ms;
}

/* Counted from the beginning, so that slow answers do not stretch the rhythm. */
static void end_check(struct pxs_health_check *h, const struct pxs_health_conf *conf, u64 now)
{
	pxs_assert(h->busy);
	h->busy = false;
	h->due = max(now, h->begun + pause_ms(h, conf));
}

bool pxs_health_result(struct pxs_health_check *h, const struct pxs_health_conf *conf, bool good,
		       u64 now)
{
	bool bad = h->verdict == PXS_HEALTH_BAD;

	end_check(h, conf, now);
	if (good != bad) {
		/* It speaks for the verdict. */
		h->streak = 0;
		if (!good || h->verdict == PXS_HEALTH_GOOD)
			return false;
		h->verdict = PXS_HEALTH_GOOD;
		return true;
	}
	h->streak++;
	if (h->streak < (bad ? conf->rise : conf->fall))
		return false;
	h->streak = 0;
	h->verdict = bad ? PXS_HEALTH_GOOD : PXS_HEALTH_BAD;
	return true;
}

void pxs_health_void(struct pxs_health_check *h, const struct pxs_health_conf *conf, u64 now)
{
	end_check(h, conf, now);
}
