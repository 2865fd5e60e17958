/* SPDX-License-Identifier: GPL-2.0 */
/*
 * passive.h - backends down by what the kernel sees
 */
#ifndef PXS_PASSIVE_H
#define PXS_PASSIVE_H

#include <linux/types.h>

struct pxs_net;
struct pxs_refusal;
struct pxs_service;

/* From one look to the next, milliseconds. */
#define PXS_PASSIVE_TICK_MS	200

void pxs_passives_net_init(struct pxs_net *pn);

/* No service is left: nobody arms it again. Sleeps; not under pxs_net.config. */
void pxs_passives_net_pre_exit(struct pxs_net *pn);

/*
 * Under pxs_net.config, when nothing can fail any more: what the service's configuration says is
 * new, it was @old failures. Looks begin, or nobody is out any more.
 */
void pxs_passive_set(struct pxs_service *svc, u16 old);

#endif /* PXS_PASSIVE_H */
