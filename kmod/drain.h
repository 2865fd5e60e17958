/* SPDX-License-Identifier: GPL-2.0 */
/*
 * drain.h - the deadlines of backends that drain: who keeps the time, and what ends then
 */
#ifndef PXS_DRAIN_H
#define PXS_DRAIN_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct pxs_backend;
struct pxs_net;

/* Part of struct pxs_net; guarded by its config, the work by itself. */
struct pxs_drains {
	struct delayed_work work;
	u64 due;	/* when it runs, in milliseconds of the monotonic clock; 0: it need not */
};

void pxs_drains_net_init(struct pxs_net *pn);

/* No service is left: nobody arms it again. Sleeps; not under pxs_net.config. */
void pxs_drains_net_pre_exit(struct pxs_net *pn);

/* The rest under pxs_net.config. */

/* The backend has its state, and pxs_drain_check() let @deadline by. */
void pxs_drain_begin(struct pxs_backend *be, u32 deadline);

/* pxs_drain_left(), now. */
u32 pxs_drain_left_of(const struct pxs_backend *be);

#endif /* PXS_DRAIN_H */
