// SPDX-License-Identifier: GPL-2.0
/*
 * keep.c - connections stay where they are though the director sees one direction only
 *
 * Gathers for core/keep.c what it decides from: the plan, and the plan before it, whose first
 * choices are the rows' homes for some time after a change. Runs in PRE_ROUTING under RCU, which
 * holds both plans and the backends in them; notes are words that are swapped, without a lock.
 * A pointer in the plan before is NULL once its backend is removed (pxs_backend_destroy()), so
 * an index that is given anew does not mean the old one's connections.
 */
#include "pxs.h"

#include <linux/mm.h>
#include <linux/once.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "backend.h"
#include "core/keep.h"
#include "keep.h"
#include "plan.h"
#include "service.h"
#include "steer.h"
#include "trace.h"

struct pxs_keep *pxs_keep_alloc(void)
{
	return kvzalloc(sizeof(struct pxs_keep), GFP_KERNEL);
}

u32 pxs_keep_now(void)
{
	return (u32)ktime_get_seconds();
}

bool pxs_keep_home_is_before(const struct pxs_plan *plan)
{
	return !plan->table || (s32)(READ_ONCE(plan->home_until) - pxs_keep_now()) > 0;
}

/* Secret, and of no service: a service's seed is known to whoever may show it. */
static u64 pxs_keep_flow(const struct pxs_flow_tuple *tuple)
{
	static struct pxs_seed secret __read_mostly;

	net_get_random_once(&secret, sizeof(secret));
	return pxs_key_hash_tuple(&secret, tuple);
}

static u16 pxs_keep_first(const struct pxs_plan *plan, u64 hash)
{
	return plan->table->rows[pxs_table_row_of(plan->table, hash)].first;
}

/* Whose are the row's connections of which there is no note? */
static u16 pxs_keep_home(const struct pxs_plan *plan, const struct pxs_flow_tuple *tuple, u64 hash)
{
	const struct pxs_plan *before = READ_ONCE(plan->before);
	u16 home;

	if (!before || !pxs_keep_home_is_before(plan))
		return plan->table ? pxs_keep_first(plan, hash) : PXS_NONE;
	pxs_key_hash(&before->key, &before->seed, tuple, NULL, 0, &hash);
	home = pxs_keep_first(before, hash);
	if (home < plan->nbackends && READ_ONCE(before->backends[home]) &&
	    READ_ONCE(before->backends[home]) == READ_ONCE(plan->backends[home]))
		return home;
	return PXS_NONE;
}

static struct pxs_backend *pxs_keep_count_pick(struct pxs_service *svc, struct pxs_backend *be,
					       const struct pxs_keep_pick *pick)
{
	if (pick->kept) {
		pxs_stat_inc(svc->stats, PXS_STEER_STAT_KEPT);
		pxs_stat_inc(be->stats, PXS_STEER_STAT_KEPT);
	}
	if (pick->no_room) {
		pxs_stat_inc(svc->stats, PXS_STEER_STAT_NOT_KEPT);
		pxs_stat_inc(be->stats, PXS_STEER_STAT_NOT_KEPT);
	}
	if (pick->choice != PXS_CHOICE_FIRST) {
		int stat = pick->spilled ? PXS_STEER_STAT_SPILLED : PXS_STEER_STAT_SECOND;

		pxs_stat_inc(svc->stats, stat);
		pxs_stat_inc(be->stats, stat);
	}
	return be;
}

struct pxs_backend *pxs_keep_backend(struct pxs_service *svc, const struct pxs_packet *p,
				     bool peek)
{
	const struct pxs_plan *plan = rcu_dereference(svc->plan);
	struct pxs_flow_tuple tuple;
	struct pxs_keep_pick pick;
	struct pxs_keep_ask ask;
	struct pxs_backend *be;

	if (!plan)
		goto nobody;
	pxs_packet_tuple(p, &tuple);
	ask = (struct pxs_keep_ask){
		.table = plan->table,
		.live = plan->live,
		.full = plan->full,
		.nbackends = plan->nbackends,
		.flow = pxs_keep_flow(&tuple),
		.now = pxs_keep_now(),
		.syn = p->syn,
		.end = p->end,
		.peek = peek,
	};
	/* Of TCP the rules source and tuple are all there are: they can always be read. */
	pxs_key_hash(&plan->key, &plan->seed, &tuple, NULL, 0, &ask.hash);
	ask.home = pxs_keep_home(plan, &tuple, ask.hash);
	pick = pxs_keep_pick(svc->keep, &ask);
	trace_pxs_pick(svc->id, plan->table ? plan->table->generation : 0, ask.hash, pick.backend,
		       pick.choice, false);
	/* A note may be of one that has just been removed. */
	be = pick.backend < plan->nbackends ? READ_ONCE(plan->backends[pick.backend]) : NULL;
	if (be)
		return pxs_keep_count_pick(svc, be, &pick);
nobody:
	pxs_steer_fault(svc, NULL, PXS_STEER_STAT_NO_BACKEND);
	return NULL;
}
