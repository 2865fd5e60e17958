// SPDX-License-Identifier: GPL-2.0
/*
 * passive.c - backends down by what the kernel sees
 *
 * Packets do nothing for it: what is counted anyway is read here. A tick of the namespace, in
 * process context under pxs_net.config, looks at the backends of services that want it every
 * PXS_PASSIVE_TICK_MS. Who is out is so beside its state and its health, which are the operator's
 * and the checks'.
 */
#include "pxs.h"

#include <linux/slab.h>

#include "backend.h"
#include "core/passive.h"
#include "netlink_service.h"
#include "passive.h"
#include "pernet.h"
#include "service.h"
#include "tick.h"

static struct pxs_passive_seen pxs_passive_seen_of(const struct pxs_backend *be)
{
	u8 mode = be->svc->mode;

	return pxs_passive_seen(mode, pxs_steer_stat_sum(be->stats, PXS_STEER_STAT_REQUESTS),
				pxs_steer_stat_sum(be->stats, PXS_STEER_STAT_REPLIES),
				pxs_steer_stat_sum(be->stats, pxs_passive_failures(mode)));
}

/* Without memory for a table, where one is needed, it is tried again. */
static void pxs_passive_show(struct pxs_backend *be)
{
	struct pxs_backend_change to = {
		.weight = be->weight,
		.state = be->state,
		.health = be->health,
		.failed = be->passive.until,
		.deadline = PXS_DRAIN_AS_IS,
	};
	struct pxs_refusal no = {};

	if (be->failed == to.failed || pxs_backend_set(be, &to, &no))
		return;
	if (be->failed) {
		pxs_stat_inc(be->svc->stats, PXS_STEER_STAT_FAILED);
		pxs_stat_inc(be->stats, PXS_STEER_STAT_FAILED);
	}
	pxs_nl_backend_changed(be);
}

/* Without memory all stays as it is until the next look. */
static void pxs_passive_judge(struct pxs_service *svc)
{
	struct pxs_passive_look *v;
	struct pxs_backend *be;
	u32 n = 0;

	v = kvmalloc_array(max(svc->nbackends, 1U), sizeof(*v), GFP_KERNEL);
	if (!v)
		return;
	list_for_each_entry(be, &svc->backends, list) {
		v[n].p = &be->passive;
		v[n].seen = pxs_passive_seen_of(be);
		v[n++].serves = be->weight && !pxs_unfit(be->state, be->health, false);
	}
	pxs_passive_decide(v, n, svc->config.passive_fails, svc->config.passive_seconds,
			   pxs_due_now() + 1);
	kvfree(v);
}

/* Return: whether to look again. There is no need to when it is off, and nobody is out. */
static bool pxs_passive_look(struct pxs_service *svc)
{
	struct pxs_backend *be;
	bool out = false;

	if (!svc->passive)
		return false;
	if (svc->config.passive_fails)
		pxs_passive_judge(svc);
	list_for_each_entry(be, &svc->backends, list) {
		if (!svc->config.passive_fails)
			be->passive = (struct pxs_passive){};
		pxs_passive_show(be);
		out |= be->failed;
	}
	svc->passive = out || svc->config.passive_fails;
	return svc->passive;
}

static void pxs_passive_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, passive_work);

	pxs_tick(pn, &pn->passive_work, PXS_PASSIVE_TICK_MS, pxs_passive_look);
}

/* What was counted before is not looked at. */
void pxs_passive_set(struct pxs_service *svc, u16 old)
{
	if (!svc->config.passive_fails && !old)
		return;
	svc->passive = true;
	if (pxs_passive_look(svc))
		pxs_tick_arm(&svc->pn->passive_work, PXS_PASSIVE_TICK_MS);
}

void pxs_passives_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->passive_work, pxs_passive_work);
}

void pxs_passives_net_pre_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->passive_work);
}
