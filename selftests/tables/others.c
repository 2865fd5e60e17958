// SPDX-License-Identifier: GPL-2.0
/*
 * others.c - how others spread keys over backends, for comparison
 */
#include "others.h"

/* SipHash-1-3 of one u32, cut to 32 bits: hsiphash() of a 64-bit kernel. */
static u32 hsiphash_u32(u32 value, u64 key)
{
	const struct pxs_seed seed = { .k = { key, key } };
	struct pxs_sipstate s;
	u64 last = 4ull << 56 | value;

	pxs_sipinit(&s, &seed);
	s.v[3] ^= last;
	pxs_sipround(&s);
	s.v[0] ^= last;
	s.v[2] ^= 0xff;
	pxs_sipround(&s);
	pxs_sipround(&s);
	pxs_sipround(&s);
	return (u32)(s.v[0] ^ s.v[1] ^ s.v[2] ^ s.v[3]);
}

static u32 mh_hash(const struct pxs_table_backend *be, u64 key)
{
	return hsiphash_u32(be->port + get_unaligned_be32(be->addr), key);
}

u32 mh_offset(const struct pxs_table_backend *be, u32 nrows)
{
	return mh_hash(be, 2654435761) % nrows;
}

static u32 gcd(u32 x, u32 y)
{
	u32 t;

	while (y) {
		t = x % y;
		x = y;
		y = t;
	}
	return x;
}

static u32 bits_of(u32 x)
{
	return x ? 32 - (u32)__builtin_clz(x) : 0;
}

/* In the order of the list, in which the last one added is first. */
struct mh *mh_build(const struct pxs_table_backend *be, u32 n, u32 nrows)
{
	struct mh *m = malloc(sizeof(*m) + nrows * sizeof(u16));
	u32 *next = malloc(n * sizeof(u32)), *skip = malloc(n * sizeof(u32));
	u32 i, j, g = 0, most = 0, shift, turns, filled = 0;

	m->nrows = nrows;
	m->nbackends = n;
	memset(m->row, 0xff, nrows * sizeof(u16));
	for (i = 0; i < n; i++) {
		g = gcd(g, be[i].weight);
		most = max(most, be[i].weight);
		next[i] = mh_offset(&be[i], nrows);
		skip[i] = mh_hash(&be[i], 2654446892) % (nrows - 1) + 1;
	}
	/* The most weight that is told apart has half as many bits as the number of rows. */
	shift = bits_of(most / g);
	shift = shift > bits_of(nrows) / 2 ? shift - bits_of(nrows) / 2 : 0;
	for (i = n - 1; filled < nrows; i = i ? i - 1 : n - 1) {
		turns = be[i].weight / g >> shift;
		turns = turns ? turns : be[i].weight > 0;
		for (j = 0; j < turns && filled < nrows; j++, filled++) {
			while (m->row[next[i]] != PXS_NONE)
				next[i] = (next[i] + skip[i]) % nrows;
			m->row[next[i]] = (u16)i;
		}
	}
	free(next);
	free(skip);
	return m;
}

static u64 mix(u64 x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/* 0..n-1 */
static u32 below(u64 hash, u32 n)
{
	return (u32)(((hash >> 32) * n) >> 32);
}

struct anchor *anchor_build(u32 size, u32 working)
{
	struct anchor *s = malloc(sizeof(*s) + 5 * (size_t)size * sizeof(u32));
	u32 b;

	s->size = size;
	s->working = size;
	s->nremoved = 0;
	s->a = s->mem;
	s->k = s->a + size;
	s->w = s->k + size;
	s->l = s->w + size;
	s->r = s->l + size;
	for (b = 0; b < size; b++) {
		s->a[b] = 0;
		s->k[b] = b;
		s->w[b] = b;
		s->l[b] = b;
	}
	for (b = size; b > working; b--)
		anchor_remove(s, b - 1);
	return s;
}

void anchor_remove(struct anchor *s, u32 bucket)
{
	u32 last;

	s->r[s->nremoved++] = bucket;
	s->working--;
	s->a[bucket] = s->working;
	last = s->w[s->working];
	s->w[s->l[bucket]] = last;
	s->k[bucket] = last;
	s->l[last] = s->l[bucket];
}

u32 anchor_add(struct anchor *s)
{
	u32 b = s->r[--s->nremoved];

	s->a[b] = 0;
	s->l[s->w[s->working]] = s->working;
	s->w[s->l[b]] = b;
	s->k[b] = b;
	s->working++;
	return b;
}

u32 anchor_find(const struct anchor *s, u64 key)
{
	u32 b = below(mix(key), s->size), h;

	while (s->a[b]) {
		h = below(mix(key ^ (b + 1) * 0x9e3779b97f4a7c15ull), s->a[b]);
		while (s->a[h] >= s->a[b])
			h = s->k[h];
		b = h;
	}
	return b;
}
