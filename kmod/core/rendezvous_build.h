/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rendezvous_build.h - a build of rendezvous in progress
 *
 * Only for rendezvous.c, which does the work, and rendezvous_begin.c, which sets it up.
 */
#ifndef PXS_CORE_RENDEZVOUS_BUILD_H
#define PXS_CORE_RENDEZVOUS_BUILD_H

#include "log2.h"
#include "rank.h"
#include "table.h"

enum rdv_phase {
	RDV_BEGIN,	/* from nothing: no row has an owner */
	RDV_TAKE_OVER,	/* the rows of the table before */
	RDV_EJECT,
	RDV_VACANT,
	RDV_HOME,
	RDV_SECOND_NEW,	/* second choices that new backends are */
	RDV_SECOND,	/* and those that have to be looked for */
	RDV_DONE,
};

struct rdv_backend {
	u32 inverse[PXS_RANK_ROUNDS];
	u32 held;
	u32 cap;
	u32 last;	/* no row that it holds is further down its list */
	u32 walk;	/* rows further up do not prefer it */
	u16 index;
	bool is_new;	/* or weighs something else: holds nothing of the table before */
	bool was_full;
	bool queued;
};

struct rdv {
	const struct pxs_table_config *cfg;
	const struct pxs_table *past;	/* goes on from it; or NULL */
	struct pxs_table_owner *owners;
	struct pxs_rank_key *key;
	struct rdv_backend *backend;
	u64 *unit;	/* of each: 2^33 / weight: cost = -log2(u) * unit; below 2^63 */
	u64 worst;	/* no row costs the owner that it has more */
	u64 far;	/* no row costs its second choice more */
	unsigned long *dirty;	/* rows whose second choice has to be looked for */
	unsigned long *touched;
	u32 *log2;
	u16 *at;	/* position of an index among the owners */
	u16 *now;	/* index now of an index in the table before, or PXS_NONE */
	u16 *queue;	/* backends that look for rows */
	u32 nqueue;
	u32 n;
	u32 nrows;
	u32 shift;	/* nrows << shift is PXS_RANKS */
	u32 done;	/* rows or backends, in this phase */
	u32 hand;	/* row that was pushed out, or nrows */
	unsigned long *homeless;	/* rows without an owner */
	u32 walk;	/* of this backend's list, in RDV_SECOND_NEW */
	u8 phase;
};

static inline size_t bitmap_bytes(u32 nrows)
{
	return pxs_bitmap_longs(nrows) * sizeof(unsigned long);
}

#endif /* PXS_CORE_RENDEZVOUS_BUILD_H */
