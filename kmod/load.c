// SPDX-License-Identifier: GPL-2.0
/*
 * load.c - bounded load: what backends have to do, and who is full
 *
 * One delayed work a namespace, in process context under pxs_net.config, looks at the backends of
 * services with a bound every PXS_LOAD_TICK_MS, and sets or clears their bits in the plan in force.
 * A packet does nothing for it: what is counted anyway is read here, a socket is looked up here. It
 * arms itself while there is such a service; the namespace's exit deletes the services first and
 * then waits for it.
 */
#include "pxs.h"

#include <linux/jiffies.h>
#include <linux/slab.h>

#include "backend.h"
#include "core/load.h"
#include "deliver_local.h"
#include "load.h"
#include "pernet.h"
#include "service.h"

/* What pxs_load_decide() multiplies: as many backends as a service with a bound may have. */
static_assert((u64)PXS_BACKENDS_MANY * PXS_LOAD_MAX <= U64_MAX / 1000 / PXS_WEIGHT_MAX);

static u64 pxs_load_requests(const struct pxs_backend *be)
{
	u64 sum[__PXS_STEER_STAT_MAX];

	pxs_steer_stats_sum(be->stats, sum);
	return sum[PXS_STEER_STAT_REQUESTS];
}

/* New requests of the last second: of the last PXS_LOAD_TICKS looks. */
static u32 pxs_load_recent(struct pxs_backend *be, u32 tick)
{
	struct pxs_backend_load *l = &be->load;
	u32 *slot = &l->recent[tick % PXS_LOAD_TICKS];
	u64 requests = pxs_load_requests(be);
	u32 new = min_t(u64, requests - l->requests, PXS_LOAD_MAX);

	l->requests = requests;
	l->sum += new - *slot;
	*slot = new;
	return l->sum;
}

/* Its bit in the plan in force, which packets see. */
static void pxs_load_show(const struct pxs_backend *be, struct pxs_plan *plan)
{
	if (be->load.full)
		set_bit(be->index, plan->full);
	else
		clear_bit(be->index, plan->full);
}

/* As the table has them: of who is in its slow start so much as counts for its rows, too. */
static void pxs_load_weights(const struct pxs_table *table, struct pxs_load *v)
{
	const struct pxs_table_owner *owners = pxs_table_owners(table);
	u32 i;

	for (i = 0; i < table->nowners; i++)
		v[owners[i].index].weight = owners[i].weight;
}

/* Without memory who is full stays so until the next look. */
static void pxs_load_look(struct pxs_service *svc)
{
	struct pxs_plan *plan = pxs_service_plan(svc);
	struct pxs_backend *be;
	struct pxs_load *v;

	if (!plan || !plan->nbackends)
		return;
	v = kvcalloc(plan->nbackends, sizeof(*v), GFP_KERNEL);
	if (!v)
		return;
	if (plan->table)
		pxs_load_weights(plan->table, v);
	list_for_each_entry(be, &svc->backends, list) {
		if (svc->mode == PXS_MODE_LOCAL)
			be->load.now = pxs_local_waiting(be);
		else
			be->load.now = pxs_load_recent(be, svc->load_tick);
		v[be->index].load = be->load.now;
		v[be->index].full = be->load.full;
		if (!pxs_backend_serves(be))
			v[be->index].weight = 0;
	}
	svc->load_tick++;
	pxs_load_decide(v, plan->nbackends, svc->config.bound);
	list_for_each_entry(be, &svc->backends, list) {
		be->load.full = v[be->index].full;
		pxs_load_show(be, plan);
	}
	kvfree(v);
}

static void pxs_load_arm(struct pxs_net *pn)
{
	lockdep_assert_held(&pn->config);
	queue_delayed_work(system_unbound_wq, &pn->load_work, msecs_to_jiffies(PXS_LOAD_TICK_MS));
}

static void pxs_load_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, load_work);
	struct pxs_service *svc;
	bool again = false;

	mutex_lock(&pn->config);
	list_for_each_entry(svc, &pn->services.list, list) {
		if (!svc->config.bound)
			continue;
		pxs_load_look(svc);
		again = true;
		cond_resched();
	}
	if (again)
		pxs_load_arm(pn);
	mutex_unlock(&pn->config);
}

void pxs_load_bound_set(struct pxs_service *svc, u16 old)
{
	struct pxs_backend *be;

	if (svc->config.bound)
		pxs_load_arm(svc->pn);
	if (!svc->config.bound == !old)
		return;
	/* What came before is not of the last second. */
	list_for_each_entry(be, &svc->backends, list)
		be->load = (struct pxs_backend_load){ .requests = pxs_load_requests(be) };
}

void pxs_loads_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->load_work, pxs_load_work);
}

void pxs_loads_net_pre_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->load_work);
}
