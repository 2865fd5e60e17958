/* SPDX-License-Identifier: GPL-2.0 */
/*
 * read.h - does this leader still lead? used by group.c and leader.c only
 * (pxs_group_read() is in group.h)
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_READ_H
#define PXS_CORE_READ_H

#include "group.h"

/* A leader of a ballot that is not below our promise asks: say that it may still lead. */
void pxs_read_answer(struct pxs_group *g, const struct pxs_msg *m, u8 from, bool alive,
		     struct pxs_out *out);

/* Member index @from has answered. Idempotent (S10). */
void pxs_read_answered(struct pxs_group *g, const struct pxs_msg *m, u8 from);

/* After each input: is the round under way over? Then the next one begins, if it is due. */
void pxs_read_step(struct pxs_group *g, u64 now, struct pxs_out *out);

/* While we lead: ask those again who have not answered, and before a lease runs out. */
void pxs_read_tick(struct pxs_group *g, u64 now, struct pxs_out *out);

/* We lead no more: what was asked gets no answer. */
void pxs_read_forget(struct pxs_group *g);

#endif /* PXS_CORE_READ_H */
