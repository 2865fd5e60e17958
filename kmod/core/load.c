// SPDX-License-Identifier: GPL-2.0
/*
 * load.c - bounded load: who is full, and where its requests go meanwhile
 *
 * Owns nothing. Deciding is control path, process context; the pick is packet path: no division,
 * no lock.
 */
#include "load.h"

void pxs_load_begin(struct pxs_load_second *s, u64 requests)
{
	memset(s, 0, sizeof(*s));
	s->requests = requests;
}

u32 pxs_load_recent(struct pxs_load_second *s, u32 tick, u64 requests)
{
	u32 *slot = &s->recent[tick % PXS_LOAD_TICKS];
	u32 new = (u32)min(requests - s->requests, (u64)PXS_LOAD_MAX);

	s->requests = requests;
	s->sum += new - *slot;
	*slot = new;
	return s->sum;
}

static u32 load_of(const struct pxs_load *v)
{
	return min(v->load, PXS_LOAD_MAX);
}

/* Thousandths of a request that @times thousandths of the fair share @fair are, rounded up. */
static u64 limit(u64 fair, u32 times)
{
	return max(pxs_div64(fair * times + 999, 1000), (u64)PXS_LOAD_FLOOR * 1000);
}

void pxs_load_decide(struct pxs_load *v, u32 n, u32 bound)
{
	u64 total = 0, weights = 0, fair;
	u32 i, times;

	for (i = 0; i < n; i++) {
		if (!v[i].weight)
			continue;
		total += load_of(&v[i]);
		weights += v[i].weight;
	}
	for (i = 0; i < n; i++) {
		if (!v[i].weight) {
			v[i].full = false;
			continue;
		}
		/* Rounded up: together no less than all there is, so not all can be above. */
		fair = pxs_div64(total * 1000 * v[i].weight + weights - 1, weights);
		times = v[i].full ? (1000 + bound) / 2 : bound;
		v[i].full = (u64)load_of(&v[i]) * 1000 > limit(fair, times);
	}
}

struct pxs_pick pxs_load_pick_slow(const struct pxs_table *t, const unsigned long *live,
				   const unsigned long *full, u64 hash)
{
	struct pxs_pick pick = pxs_table_pick(t, live, hash), spill;

	if (pick.choice == PXS_CHOICE_NONE || !pxs_live(full, pick.backend))
		return pick;
	spill = pxs_table_pick_slow(t, live, full, hash);
	if (spill.choice == PXS_CHOICE_NONE)
		return pick;
	spill.spilled = true;
	return spill;
}
