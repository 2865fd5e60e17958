/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rank.h - a backend's order of all rows: a keyed permutation, both ways
 *
 * Rendezvous wants a random number for each pair of row and backend. Here it is the place of
 * the row in an order of its own that every backend has: so each backend sees each number
 * once, which halves the variance of what it wins, and "which row is next on the list of this
 * backend" costs as little as "how far down is this row". Rows are places in a space of
 * PXS_RANKS, so the even rows of a table twice the size are the rows of this one.
 * Pure functions: any context.
 */
#ifndef PXS_CORE_RANK_H
#define PXS_CORE_RANK_H

#include "platform.h"
#include "siphash.h"

#define PXS_RANK_BITS	17
#define PXS_RANKS	0x20000u	/* 2 to the power of PXS_RANK_BITS */
#define PXS_RANK_ROUNDS	3

/* x ^ x >> half undoes itself: twice half is no less than the bits. */
#define PXS_RANK_HALF	((PXS_RANK_BITS + 1) / 2)

/* 32 bytes: a row is compared with all of them, one after the other. */
struct pxs_rank_key {
	u32 mul[PXS_RANK_ROUNDS];	/* odd */
	u32 add[PXS_RANK_ROUNDS - 1];
	u32 salt;
	u32 weight;
	u32 unused;
};

/* Numbers for a backend from a keyed hash of its name. */
static inline void pxs_rank_init(struct pxs_rank_key *key, const struct pxs_seed *seed,
				 u64 domain, u64 id, u32 weight)
{
	u64 hash[PXS_RANK_ROUNDS];
	u32 i;

	for (i = 0; i < PXS_RANK_ROUNDS; i++) {
		hash[i] = pxs_siphash_3u64(seed, domain, id, i);
		key->mul[i] = (u32)hash[i] | 1;
	}
	key->add[0] = (u32)(hash[0] >> 32);
	key->add[1] = (u32)(hash[1] >> 32);
	key->salt = (u32)(hash[2] >> 32);
	key->weight = weight;
	key->unused = 0;
}

/*
 * How far down the backend's list the row at @place is: 0 is what it likes best. Two rounds
 * are not enough: then the first rows of a list lie in even steps, and some backends like
 * the same ones.
 */
static inline u32 pxs_rank(const struct pxs_rank_key *key, u32 place)
{
	u32 x = (place * key->mul[0] + key->add[0]) & (PXS_RANKS - 1);

	x ^= x >> PXS_RANK_HALF;
	x = (x * key->mul[1] + key->add[1]) & (PXS_RANKS - 1);
	x ^= x >> PXS_RANK_HALF;
	return (x * key->mul[2]) & (PXS_RANKS - 1);
}

/* The inverse of an odd number modulo 2^32 (Newton: each step doubles the bits that are right). */
static inline u32 pxs_rank_inverse(u32 odd)
{
	u32 x = odd;	/* right in 3 bits */

	x *= 2 - odd * x;
	x *= 2 - odd * x;
	x *= 2 - odd * x;
	return x * (2 - odd * x);
}

/* Undoes pxs_rank(); @inverse: of each mul. */
static inline u32 pxs_rank_place(const struct pxs_rank_key *key, const u32 *inverse, u32 rank)
{
	u32 x = (rank * inverse[2]) & (PXS_RANKS - 1);

	x ^= x >> PXS_RANK_HALF;
	x = ((x - key->add[1]) * inverse[1]) & (PXS_RANKS - 1);
	x ^= x >> PXS_RANK_HALF;
	return ((x - key->add[0]) * inverse[0]) & (PXS_RANKS - 1);
}

/*
 * The random number of rendezvous, as a fraction of 2^64: the rank, greatest first, and below
 * it bits that tell backends apart which have this row at the same rank.
 */
static inline u64 pxs_rank_u(const struct pxs_rank_key *key, u32 place, u32 rank)
{
	u32 part = (place ^ key->salt) * 0x9e3779b1u;

	part ^= part >> 15;
	return (u64)(PXS_RANKS - 1 - rank) << (64 - PXS_RANK_BITS) |
	       (u64)(part * 0x85ebca6bu) << (32 - PXS_RANK_BITS);
}

#endif /* PXS_CORE_RANK_H */
