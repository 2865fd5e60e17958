/* SPDX-License-Identifier: GPL-2.0 */
/*
 * learner.h - asking others for what was decided, and showing it to those who ask; used by
 * group.c only
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_LEARNER_H
#define PXS_CORE_LEARNER_H

#include "group.h"

/* If somebody has more than we have: ask for it. */
void pxs_learner_ask(struct pxs_group *g, u64 now, struct pxs_out *out);

/* A LEARN_REQ: answer from the window, or let the agent answer from the journal. */
void pxs_learner_show(struct pxs_group *g, const struct pxs_msg *m, u8 from, struct pxs_out *out);

/* A LEARN with a body that holds. */
void pxs_learner_take(struct pxs_group *g, const struct pxs_msg *m, const u8 *body, u64 now,
		      struct pxs_out *out);

/* Nobody leads, for long: has it gone on without us? Ask the others, one after the other. */
void pxs_learner_wonder(struct pxs_group *g, struct pxs_out *out);

#endif /* PXS_CORE_LEARNER_H */
