/* SPDX-License-Identifier: GPL-2.0 */
/*
 * siphash.h - SipHash-2-4 and SipHash-1-3, 64-bit result, 128-bit key
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012. Words are read as
 * little endian, so every machine computes the same number; the kernel's hsiphash
 * does not promise that. Pure functions: any context.
 *
 * 2-4 is what builds and signs: tables, digests, what must stay a PRF with a margin. 1-3 is
 * for the key of a request, once a packet: its authors' own choice for hash tables, what
 * the kernel's hsiphash, Rust and Python use for keys that an attacker chooses. Who does not
 * see the hash itself, but only which of a few backends answers, has no known way to aim.
 */
#ifndef PXS_CORE_SIPHASH_H
#define PXS_CORE_SIPHASH_H

#include "platform.h"

/* A service's secret: outsiders can't aim at a row, directors that share it agree. */
struct pxs_seed {
	u64 k[2];
};

/* The key from its 16 bytes, as configured: k[0] is the first eight, little endian. */
static inline void pxs_seed_from_bytes(struct pxs_seed *seed, const u8 *bytes)
{
	seed->k[0] = get_unaligned_le64(bytes);
	seed->k[1] = get_unaligned_le64(bytes + 8);
}

/* Hash of @len bytes at @data, aligned or not. Equals the reference code's result. */
u64 pxs_siphash(const struct pxs_seed *seed, const void *data, size_t len);

struct pxs_sipstate {
	u64 v[4];
};

static inline u64 pxs_rotl64(u64 x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static pxs_always_inline void pxs_sipround(struct pxs_sipstate *s)
{
	s->v[0] += s->v[1];
	s->v[1] = pxs_rotl64(s->v[1], 13) ^ s->v[0];
	s->v[0] = pxs_rotl64(s->v[0], 32);
	s->v[2] += s->v[3];
	s->v[3] = pxs_rotl64(s->v[3], 16) ^ s->v[2];
	s->v[0] += s->v[3];
	s->v[3] = pxs_rotl64(s->v[3], 21) ^ s->v[0];
	s->v[2] += s->v[1];
	s->v[1] = pxs_rotl64(s->v[1], 17) ^ s->v[2];
	s->v[2] = pxs_rotl64(s->v[2], 32);
}

static inline void pxs_sipinit(struct pxs_sipstate *s, const struct pxs_seed *seed)
{
	s->v[0] = seed->k[0] ^ 0x736f6d6570736575ull;
	s->v[1] = seed->k[1] ^ 0x646f72616e646f6dull;
	s->v[2] = seed->k[0] ^ 0x6c7967656e657261ull;
	s->v[3] = seed->k[1] ^ 0x7465646279746573ull;
}

static inline void pxs_sipword(struct pxs_sipstate *s, u64 word)
{
	s->v[3] ^= word;
	pxs_sipround(s);
	pxs_sipround(s);
	s->v[0] ^= word;
}

/* @last: the length in the top byte, the bytes that fill no word below. */
static inline u64 pxs_sipfinal(struct pxs_sipstate *s, u64 last)
{
	pxs_sipword(s, last);
	s->v[2] ^= 0xff;
	pxs_sipround(s);
	pxs_sipround(s);
	pxs_sipround(s);
	pxs_sipround(s);
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

/* The length in the top byte, below it the bytes that fill no word. */
static inline u64 pxs_siplast(const u8 *p, size_t len)
{
	u64 last = (u64)len << 56;
	size_t i;

	for (i = 0; i < (len & 7); i++)
		last |= (u64)p[(len & ~(size_t)7) + i] << (8 * i);
	return last;
}

/*
 * SipHash-1-3, for the keys of requests: one round a word, three at the end. Always inline: a call
 * would have the state in memory.
 */
static pxs_always_inline void pxs_sip13word(struct pxs_sipstate *s, u64 word)
{
	s->v[3] ^= word;
	pxs_sipround(s);
	s->v[0] ^= word;
}

static pxs_always_inline u64 pxs_sip13final(struct pxs_sipstate *s, u64 last)
{
	pxs_sip13word(s, last);
	s->v[2] ^= 0xff;
	pxs_sipround(s);
	pxs_sipround(s);
	pxs_sipround(s);
	return s->v[0] ^ s->v[1] ^ s->v[2] ^ s->v[3];
}

/* Hash of @len bytes at @data, aligned or not. Inline: half of its time would be the call. */
static inline u64 pxs_siphash13(const struct pxs_seed *seed, const void *data, size_t len)
{
	const u8 *p = data;
	const u8 *end = p + (len & ~(size_t)7);
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	for (; p != end; p += 8)
		pxs_sip13word(&s, get_unaligned_le64(p));
	return pxs_sip13final(&s, pxs_siplast(data, len));
}

/* The same as pxs_siphash13() over the words' little endian bytes. */
static inline u64 pxs_siphash13_2u64(const struct pxs_seed *seed, u64 a, u64 b)
{
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	pxs_sip13word(&s, a);
	pxs_sip13word(&s, b);
	return pxs_sip13final(&s, 16ull << 56);
}

static inline u64 pxs_siphash13_3u64(const struct pxs_seed *seed, u64 a, u64 b, u64 c)
{
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	pxs_sip13word(&s, a);
	pxs_sip13word(&s, b);
	pxs_sip13word(&s, c);
	return pxs_sip13final(&s, 24ull << 56);
}

/* The same as pxs_siphash() over the words' little endian bytes, one after the other. */
static inline u64 pxs_siphash_2u64(const struct pxs_seed *seed, u64 a, u64 b)
{
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	pxs_sipword(&s, a);
	pxs_sipword(&s, b);
	return pxs_sipfinal(&s, 16ull << 56);
}

static inline u64 pxs_siphash_3u64(const struct pxs_seed *seed, u64 a, u64 b, u64 c)
{
	struct pxs_sipstate s;

	pxs_sipinit(&s, seed);
	pxs_sipword(&s, a);
	pxs_sipword(&s, b);
	pxs_sipword(&s, c);
	return pxs_sipfinal(&s, 24ull << 56);
}

#endif /* PXS_CORE_SIPHASH_H */
