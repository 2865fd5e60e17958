/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ramp.h - slow start: who ramps, and when the next table is due
 */
#ifndef PXS_RAMP_H
#define PXS_RAMP_H

#include <linux/types.h>

struct pxs_backend;
struct pxs_net;
struct pxs_service;
struct pxs_table_backend;

void pxs_ramps_net_init(struct pxs_net *pn);

/* No service is left: nobody arms it again. Sleeps; not under pxs_net.config. */
void pxs_ramps_net_pre_exit(struct pxs_net *pn);

/* The rest under pxs_net.config. */

/*
 * State, health or weight changed: does the backend begin to serve, or cease? Before the next
 * plan is built. Return: true when the table in force has another weight for it than it counts.
 */
bool pxs_ramp_update(struct pxs_backend *be);

/* What of its weight counts at the moment, in thousandths of a weight of 1. */
u32 pxs_ramp_effective(const struct pxs_backend *be);

/*
 * Turn the weights of the service's backends, by index, into those that count now. Return: when
 * they have to be asked for again, 0: never.
 */
u64 pxs_ramp_weights(const struct pxs_service *svc, struct pxs_table_backend *in);

/* A plan was published that has to be built anew at @due. */
void pxs_ramp_arm(struct pxs_net *pn, u64 due);

#endif /* PXS_RAMP_H */
