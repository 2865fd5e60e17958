// SPDX-License-Identifier: GPL-2.0
/*
 * ramp.c - slow start: who ramps, and when the next table is due
 *
 * Owns pxs_net.ramps: one delayed work a namespace, in process context, which takes
 * pxs_net.config as every change does. A service or backend that goes has nothing to cancel: the
 * work finds who is there when it runs. It is armed under config, by whoever publishes a plan in
 * which somebody ramps; the namespace's exit deletes the services first and then waits for it.
 */
#include "pxs.h"

#include <linux/err.h>

#include "backend.h"
#include "core/ramp.h"
#include "pernet.h"
#include "ramp.h"
#include "service.h"

static bool pxs_ramp_serves(const struct pxs_backend *be)
{
	return be->weight && pxs_backend_serves(be);
}

/* Is there somebody else who has served for as long as a slow start takes? */
static bool pxs_ramp_has_seasoned(const struct pxs_backend *newcomer, u64 now)
{
	const struct pxs_service *svc = newcomer->svc;
	const struct pxs_backend *be;

	list_for_each_entry(be, &svc->backends, list)
		if (be != newcomer && pxs_ramp_is_seasoned(&be->ramp, svc->config.slow_start, now))
			return true;
	return false;
}

bool pxs_ramp_update(struct pxs_backend *be)
{
	const struct pxs_plan *plan = pxs_service_plan(be->svc);
	u32 seconds = be->svc->config.slow_start;
	bool serves = pxs_ramp_serves(be);
	u64 now = pxs_due_now();
	bool seasoned;

	/* Only where a slow start begins need all the others be looked at. */
	seasoned = serves && !be->ramp.since && seconds && pxs_ramp_has_seasoned(be, now);
	/* Nobody asks for the rows of who is out: the table may stay as it is. */
	if (!pxs_ramp_change(&be->ramp, serves, seconds, seasoned, now))
		return false;
	return be->ramp.ramps || (plan && plan->due);
}

/* Of its weight, in thousandths. */
static u32 pxs_ramp_share_of(const struct pxs_backend *be, u64 now)
{
	return pxs_ramp_share_at(&be->ramp, be->svc->config.slow_start, now);
}

u32 pxs_ramp_effective(const struct pxs_backend *be)
{
	return be->weight * pxs_ramp_share_of(be, pxs_due_now());
}

u64 pxs_ramp_weights(const struct pxs_service *svc, struct pxs_table_backend *in)
{
	u32 lightest = 0, heaviest = 0, scale, share;
	const struct pxs_backend *be;
	u64 now = pxs_due_now();

	list_for_each_entry(be, &svc->backends, list) {
		heaviest = max(heaviest, in[be->index].weight);
		if (pxs_ramp_share_of(be, now) < 1000)
			lightest = min_not_zero(lightest, in[be->index].weight);
	}
	if (!lightest)
		return 0;
	scale = pxs_ramp_scale(lightest, heaviest);
	list_for_each_entry(be, &svc->backends, list) {
		share = pxs_ramp_share_of(be, now);
		in[be->index].weight = pxs_ramp_weight(in[be->index].weight, scale, share);
	}
	return pxs_ramp_next(svc->config.slow_start, now);
}

void pxs_ramp_arm(struct pxs_net *pn, u64 due)
{
	lockdep_assert_held(&pn->config);
	pxs_due_arm(&pn->ramps, due);
}

/* The next step of a service. Without memory the table in force stays for an interval more. */
static void pxs_ramp_go_on(struct pxs_service *svc, u64 now)
{
	struct pxs_refusal no = {};
	struct pxs_plan *plan = pxs_plan_build(svc, &no);

	if (IS_ERR(plan)) {
		pxs_service_plan(svc)->due = pxs_ramp_next(svc->config.slow_start, now);
		return;
	}
	pxs_plan_publish(svc, plan);
	svc->pn->services.seq++;
}

static void pxs_ramp_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, ramps.work);
	const struct pxs_plan *plan;
	struct pxs_service *svc;
	u64 now;

	mutex_lock(&pn->config);
	now = pxs_due_now();
	pn->ramps.at = 0;
	list_for_each_entry(svc, &pn->services.list, list) {
		plan = pxs_service_plan(svc);
		if (!plan || !plan->due)
			continue;
		if (plan->due <= now)
			pxs_ramp_go_on(svc, now);
		plan = pxs_service_plan(svc);
		if (plan->due)
			pxs_ramp_arm(pn, plan->due);
	}
	mutex_unlock(&pn->config);
}

void pxs_ramps_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->ramps.work, pxs_ramp_work);
}

void pxs_ramps_net_pre_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->ramps.work);
}
