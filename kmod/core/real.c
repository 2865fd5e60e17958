// SPDX-License-Identifier: GPL-2.0
/*
 * real.c - positive numbers that round as a double does, without a floating point unit
 *
 * Owns nothing. Nothing here comes near a double's greatest or least exponent.
 */
#include "real.h"

#define REAL_BITS	53

struct pxs_real pxs_real_round(u64 hi, u64 lo, bool sticky)
{
	struct pxs_real r = { .e = 0 };
	u64 rest, half;
	u32 drop, bits, up;

	bits = hi ? 128 - (u32)__builtin_clzll(hi) : lo ? 64 - (u32)__builtin_clzll(lo) : 0;
	r.m = lo;
	if (bits <= REAL_BITS)
		return r;
	drop = bits - REAL_BITS;
	/* first to 64 bits, what goes being only a little more, then to 53 */
	if (bits > 64) {
		up = 128 - bits;
		sticky |= lo << up > 0;
		lo = up ? hi << up | lo >> (64 - up) : hi;
		r.e = 64 - (int)up;
		drop = 64 - REAL_BITS;
	}
	rest = lo & ((1ull << drop) - 1);
	half = 1ull << (drop - 1);
	r.e += (int)drop;
	r.m = lo >> drop;
	r.m += rest > half || (rest == half && (sticky || r.m & 1));
	return r;
}

struct pxs_real pxs_real_quotient(u32 a, u32 b)
{
	u64 part[3], rest = a;
	struct pxs_real r;
	u32 i;

	for (i = 0; i < 3; i++) {
		part[i] = pxs_div64(rest << 32, b);
		rest = (rest << 32) - part[i] * b;
	}
	r = pxs_real_round(part[0], part[1] << 32 | part[2], rest > 0);
	r.e -= 96;
	return r;
}

struct pxs_real pxs_real_times(u64 n, struct pxs_real x)
{
	u64 low = (x.m & 0xffffffff) * n, high = (x.m >> 32) * n;
	struct pxs_real r;

	high += low >> 32;
	r = pxs_real_round(high >> 32, high << 32 | (low & 0xffffffff), false);
	r.e += x.e;
	return r;
}

/* With all of its 53 bits; 0 is smaller than anything. */
static struct pxs_real normal(struct pxs_real x)
{
	int shift;

	if (!x.m)
		return (struct pxs_real){ .m = 0, .e = -1000 };
	shift = __builtin_clzll(x.m) - (64 - REAL_BITS);
	if (shift < 0)
		return (struct pxs_real){ .m = x.m >> 1, .e = x.e + 1 };	/* 2^53 */
	return (struct pxs_real){ .m = x.m << shift, .e = x.e - shift };
}

struct pxs_real pxs_real_sum(struct pxs_real a, struct pxs_real b)
{
	struct pxs_real big = normal(a), small = normal(b), r;
	int shift = big.e - small.e;
	u64 lo;

	if (shift < 0)
		return pxs_real_sum(b, a);
	/* less than half of the last bit */
	if (shift > 63)
		return big;
	lo = (big.m << shift) + small.m;
	r = pxs_real_round((shift ? big.m >> (64 - shift) : 0) + (lo < small.m), lo, false);
	r.e += small.e;
	return r;
}

bool pxs_real_less(struct pxs_real a, struct pxs_real b)
{
	a = normal(a);
	b = normal(b);
	return a.e != b.e ? a.e < b.e : a.m < b.m;
}

u64 pxs_real_floor(struct pxs_real x)
{
	if (x.e < 0)
		return x.e > -64 ? x.m >> -x.e : 0;
	return x.m << x.e;
}
