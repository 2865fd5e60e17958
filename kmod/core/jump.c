// SPDX-License-Identifier: GPL-2.0
/*
 * jump.c - fill: jump consistent hash
 *
 * Owns nothing: all state is in the caller's scratch memory. The published code computes
 * (b + 1) * (2^31 / k) in doubles and cuts the result; here the same roundings, to nearest
 * and ties to even at 53 bits, are done in integers, so that the kernel gets the same
 * bucket as everybody else. Control path, process context.
 */
#include "jump.h"

#define JUMP_DOMAIN	0x6a756d7000000001ull

/* A double > 0: m * 2^e, m of 53 bits. */
struct real {
	u64 m;
	int e;
};

/* hi * 2^64 + lo, rounded as a double is; @sticky: and a little more. */
static struct real to_real(u64 hi, u64 lo, bool sticky)
{
	struct real r = { .e = 0 };
	bool half = false;

	while (hi || lo >> 53) {
		sticky |= half;
		half = lo & 1;
		lo = lo >> 1 | hi << 63;
		hi >>= 1;
		r.e++;
	}
	if (half && (sticky || lo & 1))
		lo++;
	/* 2^53 is 2^52 * 2: nothing is lost by keeping it as it is */
	r.m = lo;
	return r;
}

/* 2^31 / @k for k in 1..2^31. */
static struct real quotient(u32 k)
{
	u64 q = pxs_div64(1ull << 62, k), rest = (1ull << 62) - q * k;
	u64 more = pxs_div64(rest << 32, k);
	struct real r;

	/* 2^94 / k, as 2^32 * q + more */
	r = to_real(q >> 32, q << 32 | more, (rest << 32) - more * k > 0);
	r.e += 31 - 94;
	return r;
}

/* Whole part of n * x, n up to 2^32, the product rounded as a double is. */
static u64 times(u64 n, struct real x)
{
	u64 low = (x.m & 0xffffffff) * n, high = (x.m >> 32) * n;
	struct real r;

	r = to_real((high + (low >> 32)) >> 32, (high << 32) + low, false);
	r.e += x.e;
	if (r.e < 0)
		return r.e > -64 ? r.m >> -r.e : 0;
	return r.m << r.e;
}

u32 pxs_jump(u64 key, u32 buckets)
{
	u64 b = 0, next = 0;

	while (next < buckets) {
		b = next;
		key = key * 2862933555777941757ull + 1;
		next = times(b + 1, quotient((u32)(key >> 33) + 1));
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
