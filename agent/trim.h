/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trim.h - what of a log need not be kept, and segments that nobody needs
 *
 * Slots up to the trim point of a group are in a durable checkpoint of its store's, or nobody wants
 * them any more; the record that says so (PXS_RECORD_TRIM) is durable before anything of them is
 * forgotten (S7). From then on who asks for one of them is told "trimmed at". A segment goes when
 * no group has anything in it, or before it, that counts: the newest record of a slot above its
 * trim point, its newest TRIM and COMMIT, or, before there is a TRIM, whatever it has. A group
 * that this member was removed from has nothing that counts: the floor says that. What stands
 * behind is named first, in the file "floor" (floor.h), so that a journal that lacks its beginning
 * is told from one that lost it.
 *
 * A TRIM is written when an operator asks for it; when "retain" is set, by itself; and once more
 * when segments are kept for nothing but the last one, which may say slot 0: nothing is gone.
 */
#ifndef PXS_AGENT_TRIM_H
#define PXS_AGENT_TRIM_H

#include "platform.h"

struct pxs_node;
struct pxs_record;
struct pxs_replica;

#define PXS_TRIM_WORDS	160u

/* Who asked for a trim point, and waits for it. */
struct pxs_trim_wait {
	/* @error: enum pxs_client_error, 0: what is below is gone. NULL: nobody waits. */
	void (*done)(void *ctx, u32 error);
	void *ctx;
	u64 slot;
};

/*
 * Ask the datapath to trim up to @slot. Return: 0; -EINVAL: it is not applied here, or below the
 * trim point; -ERANGE: it is not in the store's checkpoint; -EAGAIN: no credit; -ESHUTDOWN.
 */
int pxs_trim(struct pxs_replica *r, u64 slot);

/*
 * An operator asks for it; @force: though a member may lack it. Return: 0, and @done will be
 * called, perhaps at once; or an enum pxs_client_error, and @words says why.
 */
u32 pxs_trim_ask(struct pxs_replica *r, u64 slot, bool force, char *words,
		 void (*done)(void *ctx, u32 error), void *ctx);

/* Once a second or so: what "retain" says, and segments that are kept for nothing. */
void pxs_trim_tick(struct pxs_replica *r, u64 now);

/* A TRIM record: recovered (@pos), or arrived (@pos 0). */
void pxs_trim_record(struct pxs_replica *r, const struct pxs_record *rec, u64 pos);

/* It, or a COMMIT record, stands at @pos, or will. */
void pxs_trim_placed(struct pxs_replica *r, const struct pxs_record *rec, u64 pos);

/* Records up to @lsn are durable. Return: segments may have become free. */
bool pxs_trim_durable(struct pxs_replica *r, u64 lsn);

/*
 * The first segment that @r needs; ~0: none. As of its newest durable TRIM: what came since stands
 * further on, and to look through the slots of all groups again and again would take long. Of a
 * group that this member was removed from: none, and the journal's next floor says why (floor.h).
 */
u64 pxs_trim_needs(struct pxs_replica *r);

/* No answer will come any more. */
void pxs_trim_abandon(struct pxs_replica *r);

#endif /* PXS_AGENT_TRIM_H */
