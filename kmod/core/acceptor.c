// SPDX-License-Identifier: GPL-2.0
/*
 * acceptor.c - what this member promised, accepted and learned
 *
 * Each change of state and its record are one step: if the stage has no credit the
 * state stays as it was (rule S1's other half: never promise what cannot be staged).
 * Answers are parked with the record's LSN; group.c releases them when it is durable.
 */
#include "acceptor.h"
#include "durability.h"
#include "leader.h"
#include "lease.h"
#include "membership.h"

bool pxs_parked_room(const struct pxs_group *g, u32 n)
{
	return g->parked_head - g->parked_tail + n <= 2 * (u64)g->conf.window;
}

void pxs_park(struct pxs_group *g, u64 lsn, u8 type, u64 ballot, u64 slot, u8 to)
{
	struct pxs_parked *p = &g->parked[g->parked_head++ & (2 * (u64)g->conf.window - 1)];

	p->lsn = lsn;
	p->ballot = ballot;
	p->slot = slot;
	p->type = type;
	p->to = to;
}

static u64 stage_record(struct pxs_group *g, u8 type, u64 slot, u64 ballot,
			const struct pxs_value *v)
{
	struct pxs_record r = {
		.group = g->conf.id,
		.type = type,
		.slot = slot,
		.ballot = ballot,
		.lazy = type == PXS_RECORD_COMMIT || pxs_lazy(g),
	};
	u64 lsn;

	if (v) {
		r.len = v->len;
		r.flags = pxs_value_flags(v);
	}
	lsn = pxs_stage_append(g->stage, &r, v ? v->data : NULL);
	if (!lsn)
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
	return lsn;
}

/*
 * Lazy: recovery knows the commit index to within an eighth of a window. False: it is due
 * and there is no credit, so nothing further ahead may be staged either.
 */
static bool stage_commit(struct pxs_group *g)
{
	if (g->commit - g->commit_staged < g->conf.window / 8)
		return true;
	if (!stage_record(g, PXS_RECORD_COMMIT, g->commit, 0, NULL))
		return false;
	g->commit_staged = g->commit;
	return true;
}

/*
 * Behind the records of the promise and the durability: when this is durable, those are. What says
 * who the members are goes in front of it, as all that is older may go with its segments.
 */
static u64 stage_trim(struct pxs_group *g, u64 slot)
{
	struct pxs_record r = {
		.group = g->conf.id,
		.type = PXS_RECORD_TRIM,
		.flags = g->memory_lsn ? PXS_TRIM_MEMORY : 0,
		.slot = slot,
		.ballot = g->promised,
	};
	u64 lsn = pxs_stage_append(g->stage, &r, NULL);

	if (!lsn)
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
	return lsn;
}

int pxs_group_trim(struct pxs_group *g, u64 slot)
{
	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (slot > g->commit || slot < g->trim)
		return -EINVAL;
	/* The records that proved it may go with the segments. */
	if (g->commit && !stage_record(g, PXS_RECORD_COMMIT, g->commit, 0, NULL))
		return -EAGAIN;
	g->commit_staged = g->commit;
	if (!pxs_membership_stage(g) || !stage_trim(g, slot))
		return -EAGAIN;
	g->trim = slot;
	return 0;
}

/*
 * Votes for slots up to @slot are of no use any more: all that who leads need hear of those is that
 * they are decided, and our commit index says so. The promise stays. There is no COMMIT in front:
 * alone it would claim slots of which this journal has nothing.
 */
int pxs_group_skip(struct pxs_group *g, u64 slot, struct pxs_out *out)
{
	u64 lsn;

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (slot <= g->commit)
		return 0;
	if (slot > g->known_commit)
		return -EINVAL;
	if (g->lead_ballot)
		return -EISCONN;
	if (!pxs_group_needs_checkpoint(g))
		return -EAGAIN;
	if (slot + 1 < g->trimmed)
		return -ENODATA;
	lsn = pxs_membership_stage(g) ? stage_trim(g, slot) : 0;
	if (!lsn)
		return -EAGAIN;
	g->trim = slot;
	g->commit = slot;
	g->commit_staged = slot;
	g->commit_lsn = lsn;
	pxs_window_rebase(&g->window, slot + 1);
	pxs_acceptor_commit(g, out);
	out->what |= PXS_OUT_DECIDED;
	out->commit = g->commit;
	out->lsn = g->commit_lsn;
	return 0;
}

/* What the journal has, and the agent can show: a slot may leave the window (not: an answer). */
static u64 durable(const struct pxs_group *g)
{
	return READ_ONCE(g->stage->durable_lsn);
}

u64 pxs_acceptor_promise(struct pxs_group *g, u64 ballot)
{
	u64 lsn;

	pxs_assert(ballot > g->promised);
	lsn = stage_record(g, PXS_RECORD_PROMISE, 0, ballot, NULL);
	if (!lsn)
		return 0;
	g->promised = ballot;
	g->promised_lsn = lsn;
	g->stat[PXS_GROUP_STAT_PROMISES]++;
	return lsn;
}

void pxs_acceptor_prepare(struct pxs_group *g, const struct pxs_msg *m, u8 from,
			  struct pxs_out *out)
{
	u64 ballot = m->ballot, slot = m->slot;
	u64 lsn;

	if (ballot < g->promised) {
		pxs_out_refuse(g, out, from, ballot, 0, g->promised);
		return;
	}
	if (ballot == g->promised) {
		/* A repeat, or the next page. While it is not settled its answer is parked. */
		if (g->promised_lsn <= pxs_settled(g)) {
			g->stat[PXS_GROUP_STAT_REPEATS]++;
			pxs_acceptor_answer(g, ballot, slot, from, out);
		}
		return;
	}
	if (pxs_lease_bars(g, from, m->arg)) {
		g->stat[PXS_GROUP_STAT_PUT_OFF]++;
		return;
	}
	if (!pxs_parked_room(g, 1)) {
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
		return;
	}
	lsn = pxs_acceptor_promise(g, ballot);
	if (!lsn)
		return;
	pxs_leader_preempted(g, ballot, out);
	pxs_park(g, lsn, PXS_WIRE_PROMISE, ballot, slot, from);
}

static u8 entry_flags(const struct pxs_slot *s)
{
	if (s->flags & PXS_SLOT_FAULTY)
		return PXS_ENTRY_FAULTY;
	return s->flags & PXS_SLOT_DECIDED ? PXS_ENTRY_DECIDED : 0;
}

bool pxs_acceptor_answer(struct pxs_group *g, u64 ballot, u64 slot, u8 to, struct pxs_out *out)
{
	struct pxs_send *send;
	u64 s;

	/* A page wants the whole of the entries' room, so that pages are few. */
	if (out->nentry)
		return false;
	send = pxs_out_send(g, out, PXS_WIRE_PROMISE, 1ull << to, ballot, slot);
	if (!send)
		return false;
	for (s = max(slot, g->commit + 1); s <= g->window.top; s++) {
		const struct pxs_slot *at = pxs_window_at(&g->window, s);

		if (!pxs_window_holds(&g->window, s) || !(at->flags & PXS_SLOT_USED))
			continue;
		if (!pxs_out_add(out, s, at, entry_flags(at))) {
			send->arg = s;
			break;
		}
	}
	return true;
}

/*
 * Make room for @slot by forgetting decided ones. Nothing is taken further ahead of the
 * commit index than recovery could hold again: it knows that index only up to the newest
 * COMMIT record, an eighth of a window earlier (see load_commit()).
 */
static bool reach(struct pxs_group *g, u64 slot)
{
	if (slot < g->window.base || slot > g->commit + g->conf.window / 4 * 3)
		return false;
	if (!pxs_window_holds(&g->window, slot))
		pxs_window_advance(&g->window, min(g->commit, slot - g->conf.window) + 1,
				   durable(g));
	return pxs_window_holds(&g->window, slot);
}

static enum pxs_accept_result repeat(struct pxs_group *g, const struct pxs_slot *s)
{
	g->stat[PXS_GROUP_STAT_REPEATS]++;
	return s->lsn <= pxs_settled(g) ? PXS_ACCEPT_DURABLE : PXS_ACCEPT_PENDING;
}

enum pxs_accept_result pxs_acceptor_accept(struct pxs_group *g, u64 ballot, u64 slot,
					   struct pxs_value *v, u8 to, u64 *higher,
					   struct pxs_out *out)
{
	struct pxs_slot *s;
	u8 keep;
	u64 lsn;

	if (ballot < g->promised) {
		*higher = g->promised;
		return PXS_ACCEPT_REFUSED;
	}
	if (!reach(g, slot)) {
		g->stat[PXS_GROUP_STAT_OUT_OF_WINDOW]++;
		return PXS_ACCEPT_DROPPED;
	}
	s = pxs_window_at(&g->window, slot);
	/* Learned as chosen at a higher ballot than its sender knows of: it no longer leads. */
	if (s->ballot > ballot) {
		*higher = s->ballot;
		return PXS_ACCEPT_REFUSED;
	}
	/*
	 * Another value is chosen here: the sender was overtaken and does not know it yet. It
	 * will, because our commit index tells it that there is something to learn.
	 */
	if (s->flags & PXS_SLOT_DECIDED && !pxs_value_equal(s->value, v))
		return PXS_ACCEPT_DROPPED;
	/* What was only learned was never accepted; what is damaged is welcome again. */
	if (s->ballot == ballot && s->flags & PXS_SLOT_ACCEPTED && s->value) {
		if (pxs_value_equal(s->value, v))
			return repeat(g, s);
		pxs_group_fence(g, "two values for one slot at one ballot");
		return PXS_ACCEPT_DROPPED;
	}
	if (!pxs_parked_room(g, 1)) {
		g->stat[PXS_GROUP_STAT_NO_CREDIT]++;
		return PXS_ACCEPT_DROPPED;
	}
	if (!stage_commit(g))
		return PXS_ACCEPT_DROPPED;
	lsn = stage_record(g, PXS_RECORD_ACCEPT, slot, ballot, v);
	if (!lsn)
		return PXS_ACCEPT_DROPPED;
	if (ballot > g->promised) {
		/* An accept implies its promise, and its record is the promise's too. */
		g->promised = ballot;
		g->promised_lsn = lsn;
		pxs_leader_preempted(g, ballot, out);
	}
	keep = s->flags & PXS_SLOT_DECIDED;
	pxs_window_set(&g->window, slot, ballot, lsn, v, PXS_SLOT_ACCEPTED | keep);
	g->stat[PXS_GROUP_STAT_ACCEPTS]++;
	pxs_park(g, lsn, PXS_WIRE_ACCEPTED, ballot, slot, to);
	return PXS_ACCEPT_NEW;
}

bool pxs_acceptor_learn(struct pxs_group *g, u64 slot, u64 ballot, struct pxs_value *v,
			struct pxs_out *out)
{
	struct pxs_slot *s;
	bool known;
	u64 lsn;

	if (slot <= g->commit)
		return true;
	if (!reach(g, slot)) {
		g->stat[PXS_GROUP_STAT_OUT_OF_WINDOW]++;
		return false;
	}
	s = pxs_window_at(&g->window, slot);
	/*
	 * What is decided is kept at no lower ballot than it was chosen at: its ballot then tells
	 * who accepted something there at that ballot, or above, that this is the value (S5).
	 */
	known = s->value && s->ballot >= ballot;
	if (known || s->flags & PXS_SLOT_DECIDED) {
		/*
		 * Two values for one slot: the protocol is broken, or a member is not what it
		 * says. Whatever we did next could spread it.
		 */
		if (!s->value || !pxs_value_equal(s->value, v)) {
			pxs_group_fence(g, "two values for one decided slot");
			return false;
		}
		if (s->flags & PXS_SLOT_DECIDED)
			return true;
	}
	/*
	 * What was chosen is not what we proposed: somebody with a higher ballot leads. This must
	 * come before the commit index moves, because followers take "up to commit" at our ballot
	 * to mean the values that they accepted at our ballot.
	 */
	if (g->lead_ballot && !(known && s->ballot == g->lead_ballot))
		pxs_leader_preempted(g, max(ballot, g->lead_ballot), out);
	if (known) {
		s->flags |= PXS_SLOT_DECIDED;	/* its record is staged already */
	} else {
		if (!stage_commit(g))
			return false;
		lsn = stage_record(g, PXS_RECORD_DECIDED, slot, ballot, v);
		if (!lsn)
			return false;
		pxs_window_set(&g->window, slot, ballot, lsn, v, PXS_SLOT_DECIDED);
	}
	g->stat[PXS_GROUP_STAT_DECIDED]++;
	return true;
}

/*
 * What was chosen at a ballot is the value of every higher one (L. Lamport, Paxos Made Simple,
 * 2001, section 2.2, P2b), and a ballot has one value for a slot.
 */
bool pxs_acceptor_learn_ballot(struct pxs_group *g, u64 slot, u64 ballot, struct pxs_out *out)
{
	struct pxs_slot *s = pxs_window_at(&g->window, slot);

	if (slot <= g->commit)
		return true;
	if (!pxs_window_holds(&g->window, slot) || !s->value || s->ballot < ballot)
		return false;
	return pxs_acceptor_learn(g, slot, ballot, s->value, out);
}

void pxs_acceptor_commit(struct pxs_group *g, struct pxs_out *out)
{
	u64 before = g->commit;
	u64 keep = g->conf.window / 2;

	while (pxs_window_holds(&g->window, g->commit + 1)) {
		const struct pxs_slot *s = pxs_window_at(&g->window, g->commit + 1);

		if (!(s->flags & PXS_SLOT_DECIDED))
			break;
		g->commit++;
		if (s->lsn > g->commit_lsn)
			g->commit_lsn = s->lsn;
		if (s->value && s->value->config)
			pxs_membership_decided(g, s->value, out);
	}
	if (g->commit == before)
		return;
	stage_commit(g);
	if (g->window.bytes > PXS_WINDOW_BYTES)
		keep = 0;
	if (g->commit > keep)
		pxs_window_advance(&g->window, g->commit + 1 - keep, durable(g));
	out->what |= PXS_OUT_DECIDED;
	/* Its clients wait for this; elsewhere nobody does, and batches may be large. */
	if (g->memory_lsn && g->lead_ballot)
		pxs_stage_hurry(g->stage, g->commit_lsn);
	else if (g->memory_lsn)
		out->what |= PXS_OUT_LATER;
	out->commit = g->commit;
	out->lsn = g->commit_lsn;
	if (pxs_leader_untold(g))
		out->what |= PXS_OUT_SOON;
}

/* A recovered COMMIT: what it covers is decided, as far as its records are whole. */
static void load_commit(struct pxs_group *g, u64 slot)
{
	u64 s;

	for (s = max(g->commit + 1, g->window.base); s <= slot; s++) {
		struct pxs_slot *at = pxs_window_at(&g->window, s);

		if (!pxs_window_holds(&g->window, s)) {
			if (s <= g->mute_until)
				return;
			break;
		}
		/* Damaged, or read while there was no room for it behind a damaged one. */
		if (at->flags & PXS_SLOT_FAULTY || (s <= g->mute_until && !at->value))
			return;
		at->flags |= PXS_SLOT_DECIDED;
		g->commit = s;
	}
	if (slot > g->commit)
		g->commit = slot;
	/* Records that follow are at most 7/8 of a window ahead: see reach() and stage_commit(). */
	if (g->commit + 1 > g->window.base + g->conf.window / 8)
		pxs_window_rebase(&g->window, g->commit + 1 - g->conf.window / 8);
}

static int load_slot(struct pxs_group *g, const struct pxs_record *r)
{
	bool faulty = r->flags & PXS_ENTRY_FAULTY;
	u8 flags = r->type == PXS_RECORD_DECIDED ? PXS_SLOT_DECIDED : PXS_SLOT_ACCEPTED;
	struct pxs_value *v = NULL;
	struct pxs_slot *s;

	if (!r->slot || r->slot > PXS_SLOT_MAX)
		return -EINVAL;
	if (r->slot < g->window.base)
		return 0;
	if (!pxs_window_holds(&g->window, r->slot)) {
		g->mute_until = max(g->mute_until, r->slot);
		return 0;
	}
	s = pxs_window_at(&g->window, r->slot);
	/* Known as chosen, or accepted again at that ballot: a damaged copy tells nothing new. */
	if (s->value && s->flags & PXS_SLOT_DECIDED && (faulty || r->ballot < s->ballot))
		return 0;
	if (!faulty) {
		v = pxs_value_of(r->data, r->len, r->flags);
		if (!v)
			return -ENOMEM;
	} else {
		g->stat[PXS_GROUP_STAT_FAULTY]++;
		flags = PXS_SLOT_ACCEPTED | PXS_SLOT_FAULTY;
	}
	pxs_window_set(&g->window, r->slot, r->ballot, r->lsn, v,
		       flags | (faulty ? 0 : s->flags & PXS_SLOT_DECIDED));
	pxs_value_put(v);
	return 0;
}

static int load_trim(struct pxs_group *g, const struct pxs_record *r)
{
	if (r->slot > PXS_SLOT_MAX)
		return -EINVAL;
	if (r->ballot > g->promised) {
		g->promised = r->ballot;
		g->promised_lsn = r->lsn;
	}
	g->forgot = r->flags & PXS_TRIM_MEMORY;
	g->trim = max(g->trim, r->slot);
	/* Nothing of what is below may be taken for what was chosen: it was skipped, perhaps. */
	if (r->slot >= g->window.base)
		pxs_window_rebase(&g->window, r->slot + 1);
	g->commit = max(g->commit, r->slot);
	return 0;
}

int pxs_group_load(struct pxs_group *g, const struct pxs_record *r)
{
	if (g->state != PXS_GROUP_INACTIVE)
		return -EBUSY;
	if (r->group != g->conf.id)
		return -EINVAL;
	switch (r->type) {
	case PXS_RECORD_PROMISE:
	case PXS_RECORD_ACCEPT:
		if (!r->ballot)
			return -EINVAL;
		if (r->ballot > g->promised) {
			g->promised = r->ballot;
			g->promised_lsn = r->lsn;
		}
		return r->type == PXS_RECORD_ACCEPT ? load_slot(g, r) : 0;
	case PXS_RECORD_DECIDED:
		return r->ballot ? load_slot(g, r) : -EINVAL;
	case PXS_RECORD_COMMIT:
		if (r->slot > PXS_SLOT_MAX)
			return -EINVAL;
		load_commit(g, r->slot);
		g->commit_staged = g->commit;
		return 0;
	case PXS_RECORD_TRIM:
		return load_trim(g, r);
	case PXS_RECORD_CONFIG:
		return pxs_membership_load(g, r);
	case PXS_RECORD_DURABILITY:
		if (r->slot != PXS_DURABILITY_DISK && r->slot != PXS_DURABILITY_MEMORY)
			return -EINVAL;
		g->forgot = r->slot == PXS_DURABILITY_MEMORY;
		return 0;
	default:
		return -EINVAL;
	}
}
