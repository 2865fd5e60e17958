/* SPDX-License-Identifier: GPL-2.0 */
/*
 * keep.h - connections stay where they are though the director sees one direction only
 */
#ifndef PXS_KMOD_KEEP_H
#define PXS_KMOD_KEEP_H

#include "packet.h"

struct pxs_backend;
struct pxs_keep;
struct pxs_plan;
struct pxs_service;

/* Memory for a service's connections: 512 KiB. NULL when there is none. Process context. */
struct pxs_keep *pxs_keep_alloc(void);

/* Seconds, as the notes and the homes before count them. Any context. */
u32 pxs_keep_now(void);

/* Is the table in force before plan still the home of connections? plan->before is not NULL. */
bool pxs_keep_home_is_before(const struct pxs_plan *plan);

/*
 * As pxs_steer_pick(), for a TCP segment of a service with pxs_service.keep. peek: it is asked
 * on behalf of another packet, about which nothing is to be remembered.
 */
struct pxs_backend *pxs_keep_backend(struct pxs_service *svc, const struct pxs_packet *p,
				     bool peek);

#endif /* PXS_KMOD_KEEP_H */
