/* SPDX-License-Identifier: GPL-2.0 */
/*
 * candidate.h - how a ballot is opened; used by group.c only
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_CANDIDATE_H
#define PXS_CORE_CANDIDATE_H

#include "group.h"

/* Is a ballot of member @from's welcome here? Of an earlier epoch: it lags, and hears so. */
void pxs_candidate_prevote(struct pxs_group *g, const struct pxs_msg *m, u8 from, u64 now,
			   struct pxs_out *out);

/* Member @from's answer to our poll. */
void pxs_candidate_prevote_ack(struct pxs_group *g, const struct pxs_msg *m, u8 from,
			       struct pxs_out *out);

/* PREPARE of our open ballot, whose promise is durable here. */
void pxs_candidate_ask(struct pxs_group *g, u64 to, u64 ballot, u64 slot, struct pxs_out *out);

/* The leader of m->ballot, which we follow, wants us to lead. */
void pxs_candidate_transfer(struct pxs_group *g, const struct pxs_msg *m, u64 now,
			    struct pxs_out *out);

/* A wish of long ago is none. */
void pxs_candidate_tick(struct pxs_group *g, u64 now, struct pxs_out *out);

#endif /* PXS_CORE_CANDIDATE_H */
