// SPDX-License-Identifier: GPL-2.0
/*
 * trim.c - what of a log need not be kept
 *
 * Belongs to the loop.
 */
#include "trim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "client_proto.h"
#include "node.h"
#include "report.h"

#define TICK_MS	1000

/* Above this slot all is kept: a member that was restarted asks again for so much; see held.h. */
static u64 below_windows(const struct pxs_replica *r, u64 slot)
{
	u64 keep = PXS_RETAIN_WINDOWS * (u64)r->config->conf.window;

	return slot > keep ? slot - keep : 0;
}

static u64 all_have(struct pxs_replica *r)
{
	struct pxs_group_status st;
	int err = r->node->dp->ops->status(r->node->dp, r->id, &st);

	return err ? 0 : below_windows(r, st.held);
}

int pxs_trim(struct pxs_replica *r, u64 slot)
{
	struct pxs_datapath *dp = r->node->dp;

	if (r->gone || !r->started)
		return -ESHUTDOWN;
	if (slot > r->applied)
		return -EINVAL;
	if (r->stateful && slot > r->checkpoint)
		return -ERANGE;
	return dp->ops->trim(dp, r->id, slot, false);
}

/* --- asked for --------------------------------------------------------------- */

__attribute__((format(printf, 2, 3)))
static u32 refuse(char *words, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, PXS_TRIM_WORDS, fmt, ap);
	va_end(ap);
	return PXS_CLIENT_KEPT;
}

/* May it go? Return: 0, or PXS_CLIENT_KEPT, said why. */
static u32 judge(struct pxs_replica *r, u64 slot, bool force, char *words)
{
	u64 all;

	if (slot > r->applied)
		return refuse(words, "slot %" PRIu64 " is not applied here; %" PRIu64 " is", slot,
			      r->applied);
	if (r->config->tables)
		return refuse(words, "the steering tables are made again from the whole log");
	if (r->stateful && slot > r->checkpoint)
		return refuse(words, "the store's newest checkpoint is that of slot %" PRIu64,
			      r->checkpoint);
	if (slot > below_windows(r, r->applied))
		return refuse(words, "the last %u slots are kept (two windows)",
			      PXS_RETAIN_WINDOWS * r->config->conf.window);
	all = all_have(r);
	if (!force && slot > all)
		return refuse(words, "all members are known to have slot %" PRIu64 " for good; who lacks more could not get it any more: force, if that is meant",
			      all);
	return 0;
}

u32 pxs_trim_ask(struct pxs_replica *r, u64 slot, bool force, char *words,
		 void (*done)(void *ctx, u32 error), void *ctx)
{
	u32 error;
	int err;

	snprintf(words, PXS_TRIM_WORDS, "the group does not work on this node (see status)");
	if (r->gone || !r->started)
		return PXS_CLIENT_FENCED;
	if (slot <= r->trim) {
		done(ctx, 0);
		return 0;
	}
	error = judge(r, slot, force, words);
	if (error)
		return error;
	snprintf(words, PXS_TRIM_WORDS, "too much in flight, or another trim is under way");
	err = r->trim_wait.done ? -EAGAIN : pxs_trim(r, slot);
	if (err)
		return PXS_CLIENT_BUSY;
	r->trim_wait = (struct pxs_trim_wait){ .done = done, .ctx = ctx, .slot = slot };
	return 0;
}

static void answer(struct pxs_replica *r, u32 error)
{
	struct pxs_trim_wait w = r->trim_wait;

	r->trim_wait.done = NULL;
	if (w.done)
		w.done(w.ctx, error);
}

void pxs_trim_abandon(struct pxs_replica *r)
{
	answer(r, PXS_CLIENT_FENCED);
}

/* --- by itself --------------------------------------------------------------- */

/* 0: nothing worth while. The datapath is asked last: an idle group must cost next to nothing. */
static u64 due(struct pxs_replica *r)
{
	u64 retain = r->config->retain;
	u64 least = r->trim + max(retain / 16, (u64)1);
	u64 slot;

	if (!retain || r->applied <= retain)
		return 0;
	slot = r->applied - retain;
	if (r->stateful)
		slot = min(slot, r->checkpoint);
	if (slot >= least)
		slot = min(slot, all_have(r));
	return slot >= least ? slot : 0;
}

/* Segments that are kept for nothing but the newest TRIM. */
static bool restage_due(struct pxs_replica *r)
{
	u64 first = pxs_pos_segment(r->trim_pos ? r->trim_pos : r->first_pos);
	u64 current = r->node->journal.segment;
	const struct pxs_slot_at *at;

	if (r->trim_looked == current)
		return false;
	r->trim_looked = current;
	if (!first || first + 1 >= current)
		return false;
	if (!r->slots.last || r->slots.last == r->trim)
		return true;
	/* Mostly the first slot keeps it, too; the others need not be looked through then. */
	at = pxs_slots_at(&r->slots, r->trim + 1);
	if (at && at->pos && pxs_pos_segment(at->pos & ~PXS_SLOTS_FAULTY) <= first)
		return false;
	return pxs_pos_segment(pxs_slots_first_pos(&r->slots, r->trim, 0)) > first;
}

void pxs_trim_tick(struct pxs_replica *r, u64 now)
{
	u64 slot;

	if (now - r->trim_ticked < TICK_MS || r->trimming.lsn)
		return;
	r->trim_ticked = now;
	slot = due(r);
	if (slot)
		pxs_trim(r, slot);
	else if (restage_due(r))
		pxs_trim(r, r->trim);
}

/* --- records ----------------------------------------------------------------- */

/* Its record is durable: nothing up to @slot is looked for in this journal any more. */
static void forget(struct pxs_replica *r, u64 slot)
{
	r->trim = max(r->trim, slot);
	pxs_slots_trim(&r->slots, r->trim);
	r->recovered = max(r->recovered, r->trim);
	r->applied = max(r->applied, r->trim);
}

/*
 * A TRIM has a COMMIT in front of it, unless nothing was decided yet; a newer COMMIT may not be
 * durable. Without one a restart would find too much beyond its commit index, and be mute.
 */
static u64 with_commit(const struct pxs_replica *r, u64 pos)
{
	return r->commit_pos ? r->commit_pos : pos;
}

void pxs_trim_record(struct pxs_replica *r, const struct pxs_record *rec, u64 pos)
{
	/* It says these, too: their own records may be gone. */
	if (rec->ballot > r->promised) {
		r->promised = rec->ballot;
		r->promised_lsn = rec->lsn;
	}
	r->memory = rec->flags & PXS_TRIM_MEMORY;
	r->memory_lsn = rec->lsn;
	if (pos) {
		r->trim_pos = with_commit(r, pos);
		forget(r, rec->slot);
		return;
	}
	r->trimming.slot = rec->slot;
	r->trimming.lsn = rec->lsn;
	r->trimming.pos = 0;
}

void pxs_trim_placed(struct pxs_replica *r, const struct pxs_record *rec, u64 pos)
{
	if (rec->type == PXS_RECORD_COMMIT)
		r->commit_pos = pos;
	else if (rec->lsn == r->trimming.lsn)
		r->trimming.pos = with_commit(r, pos);
}

bool pxs_trim_durable(struct pxs_replica *r, u64 lsn)
{
	if (!r->trimming.lsn || lsn < r->trimming.lsn)
		return false;
	r->trim_pos = r->trimming.pos;
	r->trim_needs = 0;
	r->trimming.lsn = 0;
	if (r->trimming.slot > r->trim)
		pxs_info("group %u: trimmed: it begins with slot %" PRIu64, r->id,
			 r->trimming.slot + 1);
	forget(r, r->trimming.slot);
	if (r->trim_wait.done && r->trim >= r->trim_wait.slot)
		answer(r, 0);
	return true;
}

/*
 * Who was removed says nothing any more that a record of it could be missed for, as soon as it
 * cannot forget that. But its store may have something to apply yet.
 */
static bool needs_nothing(struct pxs_replica *r)
{
	if (!r->members.removed || (r->started && r->stateful && r->checkpoint < r->applied))
		return false;
	return pxs_floor_leave(&r->node->journal.floor, r->id, r->members.removed);
}

u64 pxs_trim_needs(struct pxs_replica *r)
{
	u64 pos;

	if (needs_nothing(r))
		return ~0ull;
	/* Without a TRIM its first promise, or anything, may stand anywhere. */
	if (!r->trim_pos)
		return r->first_pos ? pxs_pos_segment(r->first_pos) : ~0ull;
	if (r->trim_needs)
		return r->trim_needs;
	r->trim_needs = pxs_pos_segment(r->trim_pos);
	pos = pxs_slots_first_pos(&r->slots, r->trim, r->node->journal.durable);
	if (pos)
		r->trim_needs = min(r->trim_needs, pxs_pos_segment(pos));
	return r->trim_needs;
}
