/* SPDX-License-Identifier: GPL-2.0 */
/*
 * plan.h - what one packet needs to know of its service, all of one moment
 *
 * A plan is built aside and published whole through pxs_service.plan: a packet that
 * took it sees key rule, seed, table and backends that belong together. Only the
 * bitmaps of live and of full backends change in place (neither must wait for a rebuild);
 * and where connections are kept, a backend that is removed becomes NULL in the plan before,
 * at once, while that may still be the one that a packet took. So whoever looks at backends of
 * a service that keeps (pxs_service.keep) reads an entry once and asks whether it is NULL.
 */
#ifndef PXS_PLAN_H
#define PXS_PLAN_H

#include <linux/bitmap.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>

#include "core/key.h"
#include "core/table.h"

struct pxs_backend;
struct pxs_refusal;
struct pxs_service;

struct pxs_plan {
	struct pxs_key_spec key;
	u32 peek;			/* bytes of the payload that may hold a key; 0: none */
	struct pxs_seed seed;
	struct pxs_sipstate flows;	/* key rule tuple: hashed as far as the service's address */
	struct pxs_table *table;	/* NULL: no backend has weight */
	u32 *rows;			/* how many each backend owns, for GET */
	unsigned long *live;		/* nbackends bits, by index; set and cleared atomically */
	unsigned long *full;		/* likewise, see load.h; both are behind backends */
	struct rcu_head rcu;
	u64 due;			/* ramp: to be built anew, 0: never; under config */
	/*
	 * Only where connections are kept (pxs_service.keep): the plan whose first choices are the
	 * homes of connections, until then. Held by users; consulted for table, key, seed and
	 * backends, of which those that were removed since are NULL.
	 */
	struct pxs_plan *before;	/* or NULL; it has a table */
	struct pxs_plan *stale;		/* the former before, still to be given up */
	u32 home_until;			/* pxs_keep_now(); as long as it likes without a table */
	refcount_t users;		/* being published, and being a before or stale */
	u32 nbackends;			/* size of the next: greatest index + 1 */
	struct pxs_backend *backends[];	/* by index; NULL where an index is unused */
};

/*
 * Build a plan from the service's configuration and list of backends as they are
 * now. Long, sleeps; under pxs_net.config. Return: the plan, or ERR_PTR with *no
 * filled in where there is something to say.
 */
struct pxs_plan *pxs_plan_build(const struct pxs_service *svc, struct pxs_refusal *no);

/* Publish new (or NULL) in place of the present one, which is freed after a grace period. */
void pxs_plan_publish(struct pxs_service *svc, struct pxs_plan *new);

/* Free one that was never published. */
void pxs_plan_discard(struct pxs_plan *plan);

#endif /* PXS_PLAN_H */
