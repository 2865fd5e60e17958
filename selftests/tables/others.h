/* SPDX-License-Identifier: GPL-2.0 */
/*
 * others.h - how others spread keys over backends, for comparison
 *
 * Made from descriptions, not from anybody's code. They share the core's idea of a
 * backend; one with weight 0 is not there.
 */
#ifndef OTHERS_H
#define OTHERS_H

#include "table.h"

/*
 * IPVS' scheduler mh (net/netfilter/ipvs/ip_vs_mh.c): Maglev's permutations from a fixed
 * hash of port + address, and turns of several rows by weight. Rows: a prime; 4093 is what
 * Debian's kernels have.
 */
struct mh {
	u32 nrows, nbackends;
	u16 row[];
};

struct mh *mh_build(const struct pxs_table_backend *be, u32 n, u32 nrows);
u32 mh_offset(const struct pxs_table_backend *be, u32 nrows);

/*
 * AnchorHash (Mendelson, Vargaftik, Barabash, Lorenz, Keslassy and Orda, 2020), with the
 * stack of removed buckets and without wrapping; no weights.
 */
struct anchor {
	u32 size, working, nremoved;
	u32 *a, *k, *w, *l, *r;
	u32 mem[];
};

struct anchor *anchor_build(u32 size, u32 working);
void anchor_remove(struct anchor *s, u32 bucket);
u32 anchor_add(struct anchor *s);
u32 anchor_find(const struct anchor *s, u64 key);

#endif /* OTHERS_H */
