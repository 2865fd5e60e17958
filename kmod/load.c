// SPDX-License-Identifier: GPL-2.0
/*
 * load.c - bounded load: what backends have to do, and who is full
 *
 * A tick of the namespace, in process context under pxs_net.config, looks at the backends of
 * services with a bound every PXS_LOAD_TICK_MS, and sets or clears their bits in the plan in force.
 * A packet does nothing for it: what is counted anyway is read here, a socket is looked up here.
 */
#include "pxs.h"

#include <linux/slab.h>

#include "backend.h"
#include "deliver_local.h"
#include "load.h"
#include "pernet.h"
#include "service.h"
#include "tick.h"

/* What pxs_load_decide() multiplies: as many backends as a service with a bound may have. */
static_assert((u64)PXS_BACKENDS_MANY * PXS_LOAD_MAX <= U64_MAX / 1000 / PXS_WEIGHT_MAX);

static u64 pxs_load_requests(const struct pxs_backend *be)
{
	return pxs_steer_stat_sum(be->stats, PXS_STEER_STAT_REQUESTS);
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
static void pxs_load_judge(struct pxs_service *svc)
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
			be->load.now = pxs_load_recent(&be->load.second, svc->load_tick,
						       pxs_load_requests(be));
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

static bool pxs_load_look(struct pxs_service *svc)
{
	if (svc->config.bound)
		pxs_load_judge(svc);
	return svc->config.bound;
}

static void pxs_load_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, load_work);

	pxs_tick(pn, &pn->load_work, PXS_LOAD_TICK_MS, pxs_load_look);
}

void pxs_load_bound_set(struct pxs_service *svc, u16 old)
{
	struct pxs_backend *be;

	if (svc->config.bound)
		pxs_tick_arm(&svc->pn->load_work, PXS_LOAD_TICK_MS);
	if (!svc->config.bound == !old)
		return;
	list_for_each_entry(be, &svc->backends, list) {
		be->load = (struct pxs_backend_load){};
		pxs_load_begin(&be->load.second, pxs_load_requests(be));
	}
}

void pxs_loads_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->load_work, pxs_load_work);
}

void pxs_loads_net_pre_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->load_work);
}
