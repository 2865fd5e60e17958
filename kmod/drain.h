/* SPDX-License-Identifier: GPL-2.0 */
/*
 * drain.h - the deadlines of backends that drain: who keeps the time, and what ends then
 */
#ifndef PXS_DRAIN_H
#define PXS_DRAIN_H

#include <linux/types.h>

struct pxs_backend;
struct pxs_net;

void pxs_drains_net_init(struct pxs_net *pn);

/* No service is left: nobody arms it again. Sleeps; not under pxs_net.config. */
void pxs_drains_net_pre_exit(struct pxs_net *pn);

/* The rest under pxs_net.config. */

/* The backend has its state, and pxs_drain_check() let @deadline by. */
void pxs_drain_begin(struct pxs_backend *be, u32 deadline);

/* pxs_drain_left(), now. */
u32 pxs_drain_left_of(const struct pxs_backend *be);

#endif /* PXS_DRAIN_H */
