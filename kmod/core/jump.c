// SPDX-License-Identifier: GPL-2.0
/*
 * jump.c - fill: jump consistent hash
 *
 * Owns nothing: all state is in the caller's scratch memory. The published code computes
 * (b + 1) * (2^31 / k) in doubles and cuts the result; so does this, with real.c's, and the
 * kernel gets the same bucket as everybody else. Control path, process context.
 */
#include "jump.h"
#include "real.h"

#define JUMP_DOMAIN	0x6a756d7000000001ull

u32 pxs_jump(u64 key, u32 buckets)
{
	u64 b = 0, next = 0;
	struct pxs_real x;

	while (next < buckets) {
		b = next;
		key = key * 2862933555777941757ull + 1;
		x = pxs_real_quotient(1u << 31, (u32)(key >> 33) + 1);
		next = pxs_real_floor(pxs_real_times(b + 1, x));
	}
	return (u32)b;
}

struct jump {
	struct pxs_seed seed;
	const struct pxs_table_owner *owners;
	u32 nrows;
	u32 row;
	u32 n;
	u32 end[];	/* of each owner's buckets */
};

size_t pxs_jump_scratch(u32 n)
{
	return sizeof(struct jump) + n * sizeof(u32);
}

void pxs_jump_start(void *scratch, const struct pxs_seed *seed, u32 nrows,
		    const struct pxs_table_owner *owners, u32 n)
{
	struct jump *j = scratch;
	u32 i, end = 0;

	j->seed = *seed;
	j->owners = owners;
	j->nrows = nrows;
	j->row = 0;
	j->n = n;
	for (i = 0; i < n; i++) {
		end += owners[i].weight;
		j->end[i] = end;
	}
}

/* The owner that has @bucket. */
static u32 find_owner(const struct jump *j, u32 bucket)
{
	u32 lo = 0, hi = j->n - 1, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (j->end[mid] > bucket)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

bool pxs_jump_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct jump *j = scratch;
	u64 hash;
	u32 at;

	for (; j->row < j->nrows; j->row++) {
		if (budget < 32)
			return true;
		budget -= 32;
		hash = pxs_siphash_2u64(&j->seed, JUMP_DOMAIN, j->row);
		at = find_owner(j, pxs_jump(hash, j->end[j->n - 1]));
		rows[j->row].first = j->owners[at].index;
		rows[j->row].second = pxs_table_other(&j->seed, j->owners, j->n, at, j->row);
	}
	return false;
}
