/* SPDX-License-Identifier: GPL-2.0 */
/*
 * slots.h - what this member's journal holds of each slot of one group
 *
 * The newest record of a slot, by LSN, is what the acceptor has accepted there or
 * learned as chosen; for slots up to the commit index it is the value. 32 bytes a slot
 * in memory, for what is not trimmed.
 */
#ifndef PXS_AGENT_SLOTS_H
#define PXS_AGENT_SLOTS_H

#include "record.h"
#include "value.h"

struct pxs_slot_at {
	u64 lsn;		/* of its newest record; 0: none */
	u64 pos;		/* where that stands, and PXS_SLOTS_FAULTY; 0: not placed yet */
	u64 ballot;
	struct pxs_value *value;	/* in memory, or NULL: read it from the journal */
};

#define PXS_SLOTS_CHUNK		4096u
#define PXS_SLOTS_FAULTY	(1ull << 63)	/* in pos: the record is damaged */

struct pxs_slots {
	struct pxs_slot_at **chunk;
	u64 chunks;
	u64 last;		/* highest slot with a record */
	u64 bytes;		/* of values in memory */
	u64 cold;		/* every slot up to it has no value in memory any more */
	u64 trim;		/* there is nothing of slots up to it */
	/* Places of records that newer ones replaced: the lowest, and the LSN of the newest. */
	u64 over_pos;
	u64 over_lsn;
};

/* The entry of @slot, or NULL when nothing was ever there. */
struct pxs_slot_at *pxs_slots_at(const struct pxs_slots *s, u64 slot);

/* A newer record of its slot. @keep: hold the value in memory. Return: 0 or -ENOMEM. */
int pxs_slots_record(struct pxs_slots *s, const struct pxs_record *r, u64 pos, bool keep);

/* The record with @lsn of @slot stands at @pos. */
void pxs_slots_place(struct pxs_slots *s, u64 slot, u64 lsn, u64 pos);

/* Records up to @lsn are durable. */
void pxs_slots_durable(struct pxs_slots *s, u64 lsn);

/* Drop values of slots up to @slot, oldest first, until at most @bytes are held. */
void pxs_slots_cool(struct pxs_slots *s, u64 slot, u64 durable, u64 bytes);

/* Forget slots up to @slot. */
void pxs_slots_trim(struct pxs_slots *s, u64 slot);

/*
 * The lowest place of a record of a slot above @slot; 0: none is placed. What stands there counts
 * until what replaced it is durable: records up to @durable are.
 */
u64 pxs_slots_first_pos(const struct pxs_slots *s, u64 slot, u64 durable);

void pxs_slots_exit(struct pxs_slots *s);

#endif /* PXS_AGENT_SLOTS_H */
