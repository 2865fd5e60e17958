/* SPDX-License-Identifier: GPL-2.0 */
/*
 * window.h - the slots that a member holds in memory
 *
 * A ring of size slots, [base, base + size). base moves up only past slots that are
 * decided and whose record is durable here, so nothing an answer may depend on is ever
 * overwritten: a full window refuses instead. Guarded by the group's lock.
 */
#ifndef PXS_CORE_WINDOW_H
#define PXS_CORE_WINDOW_H

#include "platform.h"
#include "value.h"

#define PXS_SLOT_USED		0x01	/* something was accepted, learned or loaded */
#define PXS_SLOT_DECIDED	0x02
#define PXS_SLOT_FAULTY		0x04	/* record damaged: ballot known, value not (S5) */
#define PXS_SLOT_ACCEPTED	0x08	/* accepted at ballot; else only learned as chosen */

struct pxs_slot {
	u64 ballot;		/* accepted, or known chosen, at */
	u64 lsn;		/* of its record */
	u64 voters;		/* leader: bit i = member index i accepted durably at ballot */
	u64 sent_ms;		/* leader: when its accept was last sent */
	struct pxs_value *value;
	u8 flags;		/* PXS_SLOT_* */
};

struct pxs_window {
	u64 base;		/* lowest slot held; slots count from 1 */
	u64 top;		/* highest slot ever set */
	u32 size;		/* power of two */
	u64 bytes;		/* of values held */
	struct pxs_slot *slot;	/* memory of the shell, zeroed */
};

void pxs_window_init(struct pxs_window *w, struct pxs_slot *slot, u32 size);
void pxs_window_clear(struct pxs_window *w);	/* drops all values */

static inline bool pxs_window_holds(const struct pxs_window *w, u64 slot)
{
	return slot >= w->base && slot - w->base < w->size;
}

static inline struct pxs_slot *pxs_window_at(const struct pxs_window *w, u64 slot)
{
	return &w->slot[slot & (w->size - 1)];
}

/* Put a value (one reference is taken) into a slot that the window holds. */
void pxs_window_set(struct pxs_window *w, u64 slot, u64 ballot, u64 lsn, struct pxs_value *v,
		    u8 flags);

/*
 * Move base up to at most @to, past decided slots with records <= @durable.
 * Return: the new base.
 */
u64 pxs_window_advance(struct pxs_window *w, u64 to, u64 durable);

/* Recovery: forget everything below @base, which must not be below the present one. */
void pxs_window_rebase(struct pxs_window *w, u64 base);

#endif /* PXS_CORE_WINDOW_H */
