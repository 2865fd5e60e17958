/* SPDX-License-Identifier: GPL-2.0 */
/*
 * due.h - a work of a namespace that runs when the earliest of several times has come
 *
 * Part of struct pxs_net; guarded by its config, the work by itself. Nothing that goes cancels a
 * time: the work sets due to 0 and arms itself for who is there when it runs.
 */
#ifndef PXS_DUE_H
#define PXS_DUE_H

#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/workqueue.h>

struct pxs_due {
	struct delayed_work work;
	u64 at;		/* when it runs, as of pxs_due_now(); 0: it need not */
};

/* Milliseconds of the monotonic clock. */
static inline u64 pxs_due_now(void)
{
	return (u64)ktime_to_ms(ktime_get());
}

/* At @at, if nothing is due before. A tick more than asked for: never early. */
static inline void pxs_due_arm(struct pxs_due *d, u64 at)
{
	u64 now = pxs_due_now();

	if (d->at && d->at <= at)
		return;
	d->at = at;
	mod_delayed_work(system_unbound_wq, &d->work,
			 at > now ? msecs_to_jiffies(at - now) + 1 : 0);
}

#endif /* PXS_DUE_H */
