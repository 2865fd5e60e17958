/* SPDX-License-Identifier: GPL-2.0 */
/*
 * saga_run.h - sagas go on: checks and commands of a step
 */
#ifndef PXS_STORE_SAGA_RUN_H
#define PXS_STORE_SAGA_RUN_H

#include "db_saga.h"
#include "entry.h"

/* An entry PXS_STORE_SAGA_STEP: a saga goes on by one step. */
void pxs_saga_step(struct pxs_db *db, const struct pxs_store_entry *e);

/*
 * The definition of one that is not over, and the words that it points into, which last until
 * the next call. Return: false: db->err says why.
 */
bool pxs_saga_load(struct pxs_db *db, const struct pxs_saga *g, struct pxs_saga_def *def,
		   const struct pxs_str **argv);

/* What was done is to be undone, for this reason. */
void pxs_saga_turn_around(struct pxs_db *db, struct pxs_saga *g, enum pxs_saga_event event,
			  struct pxs_str why);

static inline struct pxs_str pxs_saga_words(const struct pxs_saga_reason *r)
{
	return (struct pxs_str){ (const u8 *)r->text, r->len };
}

/* Commands that add are refused: more is used than the entry says there may be. */
static inline bool pxs_store_full(const struct pxs_db *db, const struct pxs_store_entry *e)
{
	return e->memory && db->state.used > e->memory;
}

#endif /* PXS_STORE_SAGA_RUN_H */
