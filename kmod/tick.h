/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tick.h - a work of a namespace that looks at its services now and then, while it has a reason to
 *
 * Whoever gives it a reason arms it. Nothing that goes cancels a look: it finds who is there. The
 * namespace's exit deletes the services first, and then waits for the work.
 */
#ifndef PXS_TICK_H
#define PXS_TICK_H

#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "pernet.h"
#include "service.h"

/* Under pxs_net.config: a look @ms milliseconds from now, if none is to come before. */
static inline void pxs_tick_arm(struct delayed_work *work, u32 ms)
{
	queue_delayed_work(system_unbound_wq, work, msecs_to_jiffies(ms));
}

/* The work: @look at all services, and again after @ms if it says of one that there is a reason. */
static inline void pxs_tick(struct pxs_net *pn, struct delayed_work *work, u32 ms,
			    bool (*look)(struct pxs_service *svc))
{
	struct pxs_service *svc;
	bool again = false;

	mutex_lock(&pn->config);
	list_for_each_entry(svc, &pn->services.list, list) {
		again |= look(svc);
		cond_resched();
	}
	if (again)
		pxs_tick_arm(work, ms);
	mutex_unlock(&pn->config);
}

#endif /* PXS_TICK_H */
