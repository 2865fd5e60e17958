// SPDX-License-Identifier: GPL-2.0
/*
 * passive.c - backends down by what the kernel sees
 *
 * Packets do nothing for it: what is counted anyway is read here. One delayed work a namespace, in
 * process context under pxs_net.config, looks at the backends of services that want it every
 * PXS_PASSIVE_TICK_MS. Who is out is so beside its state and its health, which are the operator's
 * and the checks'. The work arms itself while there is such a service; the namespace's exit deletes
 * the services first and then waits for it.
 *
 * What counts as a failure, and what makes up for it:
 *   nat, UDP   ICMP said that port or host can't be reached; a reply came
 *   local      no socket is there; one took a packet
 *   request    no connection was made; a reply came
 * With dsr and tunnels no reply passes here, so nothing would make up for what strangers forge.
 */
#include "pxs.h"

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "backend.h"
#include "core/passive.h"
#include "netlink_service.h"
#include "passive.h"
#include "pernet.h"
#include "service.h"

bool pxs_passive_sees(u8 proto, u8 mode)
{
	return mode == PXS_MODE_LOCAL || mode == PXS_MODE_REQUEST ||
	       (mode == PXS_MODE_NAT && proto == IPPROTO_UDP);
}

static struct pxs_passive_seen pxs_passive_seen(const struct pxs_backend *be)
{
	u64 sum[__PXS_STEER_STAT_MAX];
	struct pxs_passive_seen seen;

	pxs_steer_stats_sum(be->stats, sum);
	seen.requests = sum[PXS_STEER_STAT_REQUESTS];
	seen.successes = sum[PXS_STEER_STAT_REPLIES];
	switch (be->svc->mode) {
	case PXS_MODE_LOCAL:
		seen.successes = seen.requests;
		seen.failures = sum[PXS_STEER_STAT_NO_SOCKET];
		seen.requests += seen.failures;
		break;
	case PXS_MODE_REQUEST:
		seen.failures = sum[PXS_STEER_STAT_CONNECT_FAILED];
		seen.requests += seen.failures;
		break;
	default:
		seen.failures = sum[PXS_STEER_STAT_UNREACHABLE];
		break;
	}
	return seen;
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
		v[n].seen = pxs_passive_seen(be);
		v[n++].serves = be->weight && !pxs_unfit(be->state, be->health, false);
	}
	pxs_passive_decide(v, n, svc->config.passive_fails, svc->config.passive_seconds,
			   ktime_get_ns() / NSEC_PER_MSEC + 1);
	kvfree(v);
}

/* It is off, and nobody is out any more: then it need not be looked at again. */
static void pxs_passive_look(struct pxs_service *svc)
{
	struct pxs_backend *be;

	svc->passive = svc->config.passive_fails;
	if (svc->passive)
		pxs_passive_judge(svc);
	list_for_each_entry(be, &svc->backends, list) {
		if (!svc->config.passive_fails)
			be->passive = (struct pxs_passive){};
		pxs_passive_show(be);
		svc->passive |= be->failed;
	}
}

static void pxs_passive_arm(struct pxs_net *pn)
{
	lockdep_assert_held(&pn->config);
	queue_delayed_work(system_unbound_wq, &pn->passive_work,
			   msecs_to_jiffies(PXS_PASSIVE_TICK_MS));
}

static void pxs_passive_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, passive_work);
	struct pxs_service *svc;
	bool again = false;

	mutex_lock(&pn->config);
	list_for_each_entry(svc, &pn->services.list, list) {
		if (!svc->passive)
			continue;
		pxs_passive_look(svc);
		again |= svc->passive;
		cond_resched();
	}
	if (again)
		pxs_passive_arm(pn);
	mutex_unlock(&pn->config);
}

/* What was counted before is not looked at. */
void pxs_passive_set(struct pxs_service *svc, u16 old)
{
	if (!svc->config.passive_fails && !old)
		return;
	pxs_passive_look(svc);
	if (svc->passive)
		pxs_passive_arm(svc->pn);
}

void pxs_passives_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->passive_work, pxs_passive_work);
}

void pxs_passives_net_pre_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->passive_work);
}
