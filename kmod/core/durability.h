/* SPDX-License-Identifier: GPL-2.0 */
/*
 * durability.h - what an answer has to wait for: the disk (S1), or memory alone (S2)
 *
 * In a memory group an answer leaves as soon as its record is staged. The record goes to the
 * journal all the same, a little later: no agent is woken for it alone, no disk flushed (stage.h).
 * So all is lost that was answered and not yet written when the memory is lost: the module's when
 * its machine stops, or the agent's (user datapath) when that dies. A member that forgot may have
 * promised or accepted anything: if it voted again, two values could be chosen for one slot. It
 * must not, ever, under this incarnation (S3, S10).
 *
 * How it knows: by DURABILITY records in its own journal.
 *
 *   memory   from here on answers may leave before their records are on disk. None does before
 *            this record itself is on disk.
 *   disk     from here on they don't: staged by an agent that ends in order.
 *
 * A journal whose last such record says memory is that of a member that forgot: recovery fences the
 * group. One that says disk holds everything that ever was answered. The configuration does not
 * count here: the journal knows what was done.
 *
 * Called with the group's lock held.
 */
#ifndef PXS_CORE_DURABILITY_H
#define PXS_CORE_DURABILITY_H

#include "group.h"

/* Why such a member is fenced, for the user's eyes. */
#define PXS_FORGOT	"durability memory: this member stopped without writing down what it had answered: it must not vote again; give it a new journal, as after the loss of a disk"

/*
 * Answers may leave whose records have LSNs up to this. What has an LSN is staged, so in memory
 * that is all of them: but only once the disk knows that it may lack some.
 */
static inline u64 pxs_settled(const struct pxs_group *g)
{
	u64 durable = READ_ONCE(g->stage->durable_lsn);

	return g->memory_lsn && g->memory_lsn <= durable ? ~0ull : durable;
}

/*
 * Does nobody wait for the disk to have the next record? In memory nobody does: but slots leave the
 * window only when they are on disk, so now and then one is waited for, long before it is full.
 */
static inline bool pxs_lazy(const struct pxs_group *g)
{
	u64 behind = READ_ONCE(g->stage->last_lsn) - READ_ONCE(g->stage->durable_lsn);

	return pxs_settled(g) == ~0ull && behind < g->conf.window / 4;
}

/* In memory, what a step staged is settled. What @out has no room for, the next step lets go. */
static inline void pxs_release_settled(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	if (g->memory_lsn)
		pxs_group_release(g, now, out);
}

/* A healthy group's tick: begin with memory, if that is wanted and has not begun. */
void pxs_durability_tick(struct pxs_group *g);

#endif /* PXS_CORE_DURABILITY_H */
