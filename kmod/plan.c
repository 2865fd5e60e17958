// SPDX-License-Identifier: GPL-2.0
/*
 * plan.c - build and replace what packets go by
 *
 * Owns struct pxs_plan. Built in process context under pxs_net.config, which keeps the
 * service and its backends as they are meanwhile; published by rcu_assign_pointer();
 * freed after a grace period. A backend is taken out of the published plan before it
 * is given to call_rcu(), so whoever finds one in a plan may use it until the end of
 * its RCU section. A plan may outlive its time as the one before another: it is counted.
 */
#include "pxs.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "backend.h"
#include "core/keep.h"
#include "keep.h"
#include "pernet.h"
#include "plan.h"
#include "ramp.h"
#include "service.h"
#include "trace.h"

static void pxs_plan_free(struct pxs_plan *plan)
{
	kvfree(plan->table);
	kvfree(plan->rows);
	kvfree(plan);
}

/* No packet is at it any more. Those that it held have none themselves: see pxs_plan_follow(). */
static void pxs_plan_put(struct pxs_plan *plan)
{
	if (!plan || !refcount_dec_and_test(&plan->users))
		return;
	pxs_plan_put(plan->before);
	pxs_plan_put(plan->stale);
	pxs_plan_free(plan);
}

/* It is published no more, and nobody is at what it held as stale. */
static void pxs_plan_free_rcu(struct rcu_head *rcu)
{
	struct pxs_plan *plan = container_of(rcu, struct pxs_plan, rcu);

	pxs_plan_put(plan->stale);
	plan->stale = NULL;
	pxs_plan_put(plan);
}

/* May rows have other first choices than before? Which index is whose counts, too. */
static bool pxs_plan_moves(const struct pxs_plan *old, const struct pxs_plan *new)
{
	u32 i;

	if (!old->table || !new->table || old->table->digest != new->table->digest)
		return true;
	for (i = 0; i < old->nbackends && i < new->nbackends; i++)
		if (old->backends[i] != new->backends[i])
			return true;
	return false;
}

/*
 * Where connections are kept: whose are those of old, now that new comes? At home where they were
 * before; in the middle of another change, where they were before that one. Not a chain: a plan
 * that is held as the one before holds none itself.
 */
static void pxs_plan_follow(struct pxs_plan *new, struct pxs_plan *old)
{
	struct pxs_plan *before = old->before;

	new->home_until = old->home_until;
	if (before && pxs_keep_home_is_before(old)) {
		new->before = before;
		refcount_inc(&before->users);
		if (pxs_plan_moves(old, new))
			new->home_until = pxs_keep_now() + PXS_KEEP_QUIET;
		return;
	}
	if (!old->table || !pxs_plan_moves(old, new))
		return;
	/* Packets may be at it still, as long as old is published. */
	old->stale = before;
	WRITE_ONCE(old->before, NULL);
	new->before = old;
	refcount_inc(&old->users);
	new->home_until = pxs_keep_now() + PXS_KEEP_QUIET;
}

void pxs_plan_discard(struct pxs_plan *plan)
{
	pxs_plan_free(plan);
}

/* Return: the table, NULL when nobody has weight, or ERR_PTR. */
static struct pxs_table *pxs_plan_table(struct pxs_table_config *cfg, u64 generation,
					struct pxs_refusal *no)
{
	struct pxs_table_build build;
	struct pxs_table *table;
	void *scratch;
	int err;

	err = pxs_table_plan(cfg, &no->why);
	if (err == -ENODATA) {
		no->why = NULL;
		return NULL;
	}
	if (err)
		return ERR_PTR(err);
	table = kvmalloc(pxs_table_size(cfg), GFP_KERNEL);
	scratch = kvmalloc(pxs_table_scratch(cfg), GFP_KERNEL);
	err = -ENOMEM;
	if (!table || !scratch)
		goto err_free;
	err = pxs_table_start(&build, cfg, table, scratch, generation, &no->why);
	if (err)
		goto err_free;
	err = -EINTR;
	while (pxs_table_step(&build, PXS_TABLE_BUDGET)) {
		cond_resched();
		if (fatal_signal_pending(current))
			goto err_free;
	}
	kvfree(scratch);
	return table;

err_free:
	kvfree(scratch);
	kvfree(table);
	return ERR_PTR(err);
}

/*
 * The table in force, for a fill that goes on from it. Sticky asks who was who; the backends are
 * there still: one that goes is freed only after the plan without it is published.
 * Return: false for lack of memory.
 */
static bool pxs_plan_past(const struct pxs_plan *old, u8 fill, struct pxs_table_past *past)
{
	u64 *ids;
	u32 i;

	if (!old || !old->table || old->table->ring)
		return true;
	past->table = old->table;
	if (fill != PXS_FILL_STICKY)
		return true;
	ids = kvcalloc(old->nbackends, sizeof(*ids), GFP_KERNEL);
	if (!ids)
		return false;
	for (i = 0; i < old->nbackends; i++)
		if (old->backends[i])
			ids[i] = old->backends[i]->id;
	past->rows = old->table->rows;
	past->nrows = old->table->nrows;
	past->nbackends = old->nbackends;
	past->ids = ids;
	return true;
}

static u32 pxs_plan_indices(const struct pxs_service *svc)
{
	const struct pxs_backend *be;
	u32 n = 0;

	list_for_each_entry(be, &svc->backends, list)
		n = max_t(u32, n, be->index + 1);
	return n;
}

/* With the bitmaps behind the backends. */
static struct pxs_plan *pxs_plan_alloc(u32 n)
{
	u32 longs = BITS_TO_LONGS(n);
	struct pxs_plan *plan;

	plan = kvzalloc(struct_size(plan, backends, n) + 2 * longs * sizeof(long), GFP_KERNEL);
	if (!plan)
		return NULL;
	refcount_set(&plan->users, 1);
	plan->nbackends = n;
	plan->live = (unsigned long *)&plan->backends[n];
	plan->full = plan->live + longs;
	return plan;
}

struct pxs_plan *pxs_plan_build(const struct pxs_service *svc, struct pxs_refusal *no)
{
	struct pxs_table_config cfg = {
		.fill = svc->config.fill,
		.proto = svc->at.proto,
		.cap = svc->config.cap,
		.nrows = svc->config.rows,
		.seed = svc->config.seed,
		.key = pxs_key_word(&svc->config.key),
	};
	struct pxs_table_past past = {};
	struct pxs_table_backend *in;
	struct pxs_table *table = NULL;
	struct pxs_backend *be;
	struct pxs_plan *plan;
	u64 generation;

	lockdep_assert_held(&svc->pn->config);
	cfg.nbackends = pxs_plan_indices(svc);
	plan = pxs_plan_alloc(cfg.nbackends);
	if (!plan)
		return ERR_PTR(-ENOMEM);
	plan->rows = kvcalloc(max(cfg.nbackends, 1U), sizeof(*plan->rows), GFP_KERNEL);
	in = kvcalloc(max(cfg.nbackends, 1U), sizeof(*in), GFP_KERNEL);
	if (!plan->rows || !in) {
		table = ERR_PTR(-ENOMEM);
		goto out;
	}
	plan->key = svc->config.key;
	plan->key.hash = pxs_key_hash_of(svc->config.fill);
	plan->peek = pxs_key_peek(&plan->key);
	plan->seed = svc->config.seed;
	pxs_key_hash_to(&plan->flows, &plan->seed, svc->at.family == AF_INET, svc->at.proto,
			ntohs(svc->at.port), svc->at.addr.s6_addr);
	list_for_each_entry(be, &svc->backends, list) {
		plan->backends[be->index] = be;
		in[be->index].id = be->id;
		in[be->index].port = ntohs(be->at.port);
		in[be->index].family = be->at.family == AF_INET ? PXS_FAMILY_V4 : PXS_FAMILY_V6;
		memcpy(in[be->index].addr, &be->at.addr, sizeof(in[be->index].addr));
		/* Draining: no row any more, so no new request; what runs goes on. */
		in[be->index].weight = be->state == PXS_BACKEND_DRAIN ? 0 : be->weight;
		if (pxs_backend_serves(be))
			__set_bit(be->index, plan->live);
		if (svc->config.bound && be->load.full)
			__set_bit(be->index, plan->full);
	}
	plan->due = pxs_ramp_weights(svc, in);
	cfg.backends = in;
	if (!pxs_plan_past(pxs_service_plan(svc), cfg.fill, &past)) {
		table = ERR_PTR(-ENOMEM);
		goto out;
	}
	if (past.table)
		cfg.past = &past;
	generation = pxs_agreed_generation(&svc->pn->agreed, svc->generation);
	if (cfg.nbackends)
		table = pxs_plan_table(&cfg, generation, no);
out:
	kvfree(past.ids);
	kvfree(in);
	if (IS_ERR(table)) {
		pxs_plan_free(plan);
		return ERR_CAST(table);
	}
	plan->table = table;
	if (table)
		pxs_table_count(table, plan->rows);
	return plan;
}

void pxs_plan_publish(struct pxs_service *svc, struct pxs_plan *new)
{
	struct pxs_backend *be;
	struct pxs_plan *old;

	list_for_each_entry(be, &svc->backends, list)
		be->rows = new ? new->rows[be->index] : 0;
	if (new && new->table)
		svc->generation = new->table->generation;
	trace_pxs_publish(svc->id, new && new->table ? new->table->generation : 0,
			  new && new->table ? new->table->digest : 0, svc->nbackends);
	old = pxs_service_plan(svc);
	if (svc->keep && new && old)
		pxs_plan_follow(new, old);
	rcu_assign_pointer(svc->plan, new);
	if (old)
		call_rcu(&old->rcu, pxs_plan_free_rcu);
	if (new && new->due)
		pxs_ramp_arm(svc->pn, new->due);
}
