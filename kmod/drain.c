// SPDX-License-Identifier: GPL-2.0
/*
 * drain.c - the deadlines of backends that drain: who keeps the time, and what ends then
 *
 * Owns pxs_net.drains: one delayed work a namespace, in process context, which takes
 * pxs_net.config as every change does. As in ramp.c, a service or backend that goes has nothing to
 * cancel: the work finds who is there when it runs; the namespace's exit deletes the services first
 * and then waits for it. Packets look at nothing here: no table changes, since who drains has no
 * row before or after; what leads packets to it (notes, the rows' former homes, connection
 * tracking, a relay's connections) is taken away.
 */
#include "pxs.h"

#include "backend.h"
#include "core/drain.h"
#include "deliver_nat.h"
#include "drain.h"
#include "netlink_service.h"
#include "pernet.h"
#include "relay.h"
#include "service.h"

static void pxs_drain_arm(const struct pxs_backend *be)
{
	struct pxs_net *pn = be->svc->pn;
	u64 due = pxs_drain_due(&be->drain);

	lockdep_assert_held(&pn->config);
	if (due)
		pxs_due_arm(&pn->drains, due);
}

void pxs_drain_begin(struct pxs_backend *be, u32 deadline)
{
	pxs_drain_change(&be->drain, be->state, deadline, pxs_due_now());
	pxs_drain_arm(be);
}

u32 pxs_drain_left_of(const struct pxs_backend *be)
{
	return pxs_drain_left(&be->drain, pxs_due_now());
}

/* What it still has is to be steered anew; of mode local a connection is its socket's. */
static void pxs_drain_end(struct pxs_backend *be, struct pxs_drain_ends *ends)
{
	struct pxs_service *svc = be->svc;

	hlist_add_head(&be->ends, pxs_drain_ends_at(ends, &be->at));
	if (svc->keep)
		pxs_backend_evict(be);
	else if (svc->relay)
		pxs_relay_end(svc->relay);
	ends->kept |= !!svc->keep;
	ends->tracked |= svc->mode == PXS_MODE_NAT && svc->at.proto == IPPROTO_TCP;
	svc->pn->services.seq++;
}

static void pxs_drain_look(struct pxs_service *svc, struct pxs_drain_ends *ends)
{
	struct pxs_backend *be;

	list_for_each_entry(be, &svc->backends, list) {
		if (pxs_drain_pass(&be->drain, pxs_due_now()))
			pxs_drain_end(be, ends);
		pxs_drain_arm(be);
		cond_resched();
	}
}

/* What ends for all of them at once; and nothing is said before nothing is left. */
static void pxs_drain_end_all(struct pxs_net *pn, struct pxs_drain_ends *ends)
{
	struct pxs_backend *be;
	unsigned int i;

	if (ends->tracked)
		pxs_nat_end(pn, ends);
	/* A packet that found its connection's home there just before may have noted it since. */
	if (ends->kept)
		synchronize_rcu();
	for (i = 0; i < ARRAY_SIZE(ends->by_at); i++)
		hlist_for_each_entry(be, &ends->by_at[i], ends) {
			pxs_backend_evict(be);
			pxs_nl_backend_changed(be);
			cond_resched();
		}
}

static void pxs_drain_work(struct work_struct *work)
{
	struct pxs_net *pn = container_of(to_delayed_work(work), struct pxs_net, drains.work);
	struct pxs_drain_ends ends = {};
	struct pxs_service *svc;

	mutex_lock(&pn->config);
	pn->drains.at = 0;
	list_for_each_entry(svc, &pn->services.list, list) {
		pxs_drain_look(svc, &ends);
		cond_resched();
	}
	pxs_drain_end_all(pn, &ends);
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
