/* SPDX-License-Identifier: GPL-2.0 */
/*
 * drain.h - the deadlines of backends that drain: who keeps the time, and what ends then
 */
#ifndef PXS_DRAIN_H
#define PXS_DRAIN_H

#include <linux/hash.h>
#include <linux/list.h>
#include <linux/types.h>

#include "endpoint.h"

struct pxs_backend;
struct pxs_net;

/* A few of those that end at a time are found at once. */
#define PXS_DRAIN_ENDS_BITS	6

/*
 * Backends whose deadlines have passed together, by where they are: some of what ends takes as long
 * for one as for all of them. Guarded by pxs_net.config, which nobody lets go meanwhile.
 */
struct pxs_drain_ends {
	struct hlist_head by_at[1 << PXS_DRAIN_ENDS_BITS];	/* by pxs_backend.ends */
	bool tracked;	/* connection tracking may know connections of some */
	bool kept;	/* and there may be notes of some */
};

static inline struct hlist_head *pxs_drain_ends_at(struct pxs_drain_ends *ends,
						   const struct pxs_endpoint *at)
{
	u32 hash = pxs_endpoint_hash(at, sizeof(*at), 0);

	return &ends->by_at[hash_32(hash, PXS_DRAIN_ENDS_BITS)];
}

void pxs_drains_net_init(struct pxs_net *pn);

/* No service is left: nobody arms it again. Sleeps; not under pxs_net.config. */
void pxs_drains_net_pre_exit(struct pxs_net *pn);

/* The rest under pxs_net.config. */

/* The backend has its state, and pxs_drain_check() let @deadline by. */
void pxs_drain_begin(struct pxs_backend *be, u32 deadline);

/* pxs_drain_left(), now. */
u32 pxs_drain_left_of(const struct pxs_backend *be);

#endif /* PXS_DRAIN_H */
