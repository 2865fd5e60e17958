// SPDX-License-Identifier: GPL-2.0
/*
 * drain.c - the deadlines of backends that drain: who keeps the time, and what ends then
 *
 * Owns struct pxs_drains: one delayed work a namespace, in process context, which takes
 * pxs_net.config as every change does. As in ramp.c, a service or backend that goes has nothing to
 * cancel: the work finds who is there when it runs; the namespace's exit deletes the services first
 * and then waits for it. Packets look at nothing here: no table changes, since who drains has no
 * row before or after; what leads packets to it (notes, the rows' former homes, connection
 * tracking, a relay's connections) is taken away.
 */
#include "pxs.h"

#include <linux/jiffies.h>
#include <linux/ktime.h>

#include "backend.h"
#include "core/drain.h"
#include "deliver_nat.h"
#include "drain.h"
#include "netlink_service.h"
#include "pernet.h"
#include "relay.h"
#include "service.h"

static u64 pxs_drain_now(void)
{
	return (u64)ktime_to_ms(ktime_get());
}

static void pxs_drain_arm(struct pxs_net *pn, u64 due)
{
	u64 now = pxs_drain_now();

	lockdep_assert_held(&pn->config);
	if (!due || (pn->drains.due && pn->drains.due <= due))
		return;
	pn->drains.due = due;
	/* A tick more than asked for: never early. */
	mod_delayed_work(system_unbound_wq, &pn->drains.work,
			 due > now ? msecs_to_jiffies(due - now) + 1 : 0);
}

void pxs_drain_begin(struct pxs_backend *be, u32 deadline)
{
	pxs_drain_change(&be->drain, be->state, deadline, pxs_drain_now());
	pxs_drain_arm(be->svc->pn, pxs_drain_due(&be->drain));
}

u32 pxs_drain_left_of(const struct pxs_backend *be)
{
	return pxs_drain_left(&be->drain, pxs_drain_now());
}

/* A packet that found its connection's home there just before may have noted it since. */
static void pxs_drain_evict(struct pxs_backend *be)
{
	pxs_backend_evict(be);
	synchronize_rcu();
	pxs_backend_evict(be);
}

/* What it still has is to be steered anew; of mode local a connection is its socket's. */
static void pxs_drain_end(struct pxs_backend *be)
{
	struct pxs_service *svc = be->svc;

	if (svc->keep)
		pxs_drain_evict(be);
	else if (svc->mode == PXS_MODE_NAT && svc->at.proto == IPPROTO_TCP)
		pxs_nat_end(be);
	else if (svc->relay)
		pxs_relay_end(svc->relay);
	svc->pn->services.seq++;
	pxs_nl_backend_changed(be);
}

static void pxs_drain_look(struct pxs_service *svc)
{
	struct pxs_backend *be;

	list_for_each_entry(be, &svc->backends, list) {
		if (pxs_drain_pass(&be->drain, pxs_drain_now()))
			pxs_drain_end(be);
		pxs_drain_arm(svc->pn, pxs_drain_due(&be->drain));
	}
}

static void pxs_drain_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, drains.work);
	struct pxs_service *svc;

	mutex_lock(&pn->config);
	pn->drains.due = 0;
	list_for_each_entry(svc, &pn->services.list, list) {
		pxs_drain_look(svc);
		cond_resched();
	}
	mutex_unlock(&pn->config);
}

void pxs_drains_net_init(struct pxs_net *pn)
{
	INIT_DELAYED_WORK(&pn->drains.work, pxs_drain_work);
}

void pxs_drains_net_pre_exit(struct pxs_net *pn)
{
	cancel_delayed_work_sync(&pn->drains.work);
}
