/* SPDX-License-Identifier: GPL-2.0 */
/*
 * maglev.h - fill: Maglev as published
 *
 * Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI
 * 2016, section 3.4: each backend has a permutation of the rows, (offset + j * skip)
 * mod M, and they take turns to claim their next free row. Weights by turns, as Envoy
 * does it: a backend with half the greatest weight sits out every second turn.
 * Backends take turns in order of id. Control path, resumable.
 */
#ifndef PXS_CORE_MAGLEV_H
#define PXS_CORE_MAGLEV_H

#include "real.h"
#include "table.h"

/* Whose turn it is to claim a row. */
enum pxs_maglev_turns {
	/* all in order, round by round; less than the greatest weight sits some rounds out */
	PXS_TURNS_SHARE,
	/* all in order, weight rows at a time */
	PXS_TURNS_RUN,
	/* as SHARE, but shares are doubles, whose roundings decide who comes in which round */
	PXS_TURNS_ENVOY,
	/* as SHARE, but a round later: the first row is for whoever has gathered enough */
	PXS_TURNS_KATRAN,
	/* row after row, whoever comes next in order and has less than its share of rows */
	PXS_TURNS_CILIUM,
};

/* One backend's walk through its permutation. */
struct pxs_maglev_walk {
	u64 target;	/* turns are due while round * weight reaches it */
	u32 next;	/* row it claims next, if that is free */
	u32 skip;	/* 1..M-1 */
	u32 weight;	/* 1..PXS_WEIGHT_MAX */
	u16 index;	/* what is written into the row */
	struct pxs_real share;	/* ENVOY: weight, of all weights */
	struct pxs_real due;	/* ENVOY: turns are due while round * share reaches it */
};

struct pxs_maglev {
	u64 round;
	u32 nrows;	/* M, a prime */
	u32 nfilled;
	u32 n;
	u32 turn;	/* whose turn it is */
	u32 run;	/* rows it has claimed in this turn */
	u32 max_weight;
	u64 sum;	/* of weights */
	struct pxs_real max_share;
	u8 turns;	/* enum pxs_maglev_turns */
	struct pxs_maglev_walk walk[];
};

bool pxs_is_prime(u32 n);

/* One of the ten primes that IPVS and Cilium have: 251, 509... 131071. Its place, or -1. */
int pxs_maglev_size(u32 nrows);

size_t pxs_maglev_scratch(u32 n);

/* Begin; @owners sorted by id, n <= nrows. @scratch aligned for u64. */
void pxs_maglev_start(void *scratch, const struct pxs_seed *seed, u32 nrows,
		      const struct pxs_table_owner *owners, u32 n, struct pxs_table_row *rows);

/* The same once n, nrows and next (the offset), skip, weight, index of each walk are set. */
void pxs_maglev_begin(struct pxs_maglev *m, u8 turns, struct pxs_table_row *rows);

/* Work about @budget steps on @rows. Return: true while there is more to do. */
bool pxs_maglev_step(void *scratch, struct pxs_table_row *rows, u32 budget);

#endif /* PXS_CORE_MAGLEV_H */
