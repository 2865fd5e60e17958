/* SPDX-License-Identifier: GPL-2.0 */
/*
 * load.h - bounded load: what backends have to do, and who is full
 */
#ifndef PXS_LOAD_H
#define PXS_LOAD_H

#include <linux/types.h>
#include <linux/workqueue.h>

#include "core/load.h"

struct pxs_backend;
struct pxs_net;
struct pxs_service;

/* From one look to the next, milliseconds. */
#define PXS_LOAD_TICK_MS	(1000 / PXS_LOAD_TICKS)

/* Part of struct pxs_backend; under pxs_net.config, but for what a plan shows of full. */
struct pxs_backend_load {
	struct pxs_load_second second;
	u32 now;			/* what was found at the last look */
	bool full;
};

void pxs_loads_net_init(struct pxs_net *pn);

/* No service is left: nobody arms it again. Sleeps; not under pxs_net.config. */
void pxs_loads_net_pre_exit(struct pxs_net *pn);

/*
 * Under pxs_net.config, when nothing can fail any more: the service's bound was @old, and is what
 * its configuration says. Looks begin, or nobody is full any more.
 */
void pxs_load_bound_set(struct pxs_service *svc, u16 old);

#endif /* PXS_LOAD_H */
