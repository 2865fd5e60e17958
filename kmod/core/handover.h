/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handover.h - a leader hands over; used by group.c only (pxs_group_transfer() is in group.h)
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_HANDOVER_H
#define PXS_CORE_HANDOVER_H

#include "group.h"

/* A datagram of member @from was processed. */
void pxs_handover_heard(struct pxs_group *g, const struct pxs_msg *m, u8 from, struct pxs_out *out);

/* Before pxs_leader_tick(), while we lead. */
void pxs_handover_tick(struct pxs_group *g, u64 now, bool healthy, struct pxs_out *out);

#endif /* PXS_CORE_HANDOVER_H */
