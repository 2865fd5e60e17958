// SPDX-License-Identifier: GPL-2.0
/*
 * cross_drive.c - transactions over several groups go on: who leads a group proposes what is due
 *
 * When it looks: when an entry that was applied has moved one in any of the groups, and at every
 * tick, for time makes some due, and a proposal may have failed. What it sees is what this member
 * has applied of each log, so each thing that it sees is so, if not all that is.
 */
#include "store.h"

#include "cross_run.h"

struct look {
	struct pxs_store *s;
	bool tick;
	bool did;
};

static struct pxs_store *store_of(const struct pxs_store *s, u64 group)
{
	int i = pxs_shards_index(&s->set->map, (u32)group);

	return i < 0 ? NULL : s->set->store[i];
}

/* A free place; NULL: this is under way, or too much is. */
static struct pxs_driven *place_for(struct pxs_store *s, u8 kind, u64 group, u64 slot)
{
	struct pxs_driven *d, *place = NULL;
	u32 i;

	for (i = 0; i < PXS_DRIVE_MAX; i++) {
		d = &s->cross.place[i];
		if (!d->number)
			place = d;
		else if (d->number == slot && d->group == group && d->kind == kind)
			return NULL;
	}
	return place;
}

/*
 * Has a group's data failed to be read since the look began? What was not read looks like what is
 * gone, and a transaction that is committed elsewhere must not be aborted for that.
 */
static bool unreadable(const struct pxs_store *s)
{
	u32 i = 0;

	while (i < pxs_set_count(s) && !pxs_set_at(s, i)->db.err)
		i++;
	return i < pxs_set_count(s);
}

static void propose(struct look *l, u8 kind, u64 group, u64 slot, const struct pxs_cross_part *part,
		    u64 reason)
{
	struct pxs_store *s = l->s;
	struct pxs_store_entry e = {
		.kind = kind, .client = group, .seq = slot, .time = pxs_store_clock(),
		.memory = kind == PXS_STORE_TX_ABORT ? reason : s->config->maxmemory,
		.ncommands = part ? part->ncommands : 0,
	};
	struct pxs_driven *place = place_for(s, kind, group, slot);

	if (!place || unreadable(s))
		return;
	*place = (struct pxs_driven){ .number = slot, .group = group, .kind = kind };
	if (pxs_submit_step_of(s, &e, part ? part->commands : (struct pxs_str){ NULL, 0 }, place)) {
		s->cross.steps++;
		l->did = true;
	} else {
		place->number = 0;
	}
}

/* Those whose entries have been applied may go on. */
static void free_places(struct pxs_store *s)
{
	struct pxs_driven *d;
	u32 i;

	for (i = 0; i < PXS_DRIVE_MAX; i++) {
		d = &s->cross.place[i];
		if (d->slot && d->slot <= s->db.state.applied)
			*d = (struct pxs_driven){ 0 };
	}
}

/* What the log of @group says of @rec. */
static enum pxs_tx_state state_in(struct look *l, u64 group, const struct pxs_cross_rec *rec)
{
	struct pxs_store *g = store_of(l->s, group);
	struct pxs_cross_rec own;

	if (g)
		pxs_cross_get(&g->db, rec->group, rec->slot, &own);
	return g ? own.state : PXS_TX_GONE;
}

static void coordinate(struct look *l, const struct pxs_cross_rec *rec)
{
	u64 now = max(pxs_store_clock(), l->s->db.state.time);
	enum pxs_tx_state other[PXS_SHARDS_MAX];
	enum pxs_tx_reason reason = PXS_TX_WAS_LATE;
	u32 i;

	for (i = 1; i < rec->ngroups; i++)
		other[i - 1] = state_in(l, rec->groups[i], rec);
	switch (pxs_tx_coordinate(rec->state, other, rec->ngroups - 1,
				  now >= rec->begun + PXS_TX_DECIDE_MS, &reason)) {
	case PXS_TX_COMMIT:
		propose(l, PXS_STORE_TX_COMMIT, rec->group, rec->slot, NULL, 0);
		break;
	case PXS_TX_ABORT:
		propose(l, PXS_STORE_TX_ABORT, rec->group, rec->slot, NULL, reason);
		break;
	case PXS_TX_END:
		propose(l, PXS_STORE_TX_END, rec->group, rec->slot, NULL, 0);
		break;
	default:
		break;
	}
}

/* A key that is locked is waited for: it would be nothing. So does who wants it later. */
static void prepare(struct look *l, const struct pxs_cross_rec *rec, u32 at)
{
	struct pxs_cross_part part[PXS_SHARDS_MAX];

	if (pxs_cross_parts(rec->body, part) == rec->ngroups &&
	    !pxs_cross_waits(&l->s->db, part[at].commands, &l->s->cross.wanted))
		propose(l, PXS_STORE_TX_PREPARE, rec->group, rec->slot, &part[at], 0);
}

/* @rec is the coordinator's; are we among its participants? */
static void participate(struct look *l, const struct pxs_cross_rec *rec)
{
	u64 self = l->s->replica->id;
	bool turn = true;
	u32 i;

	for (i = 1; i < rec->ngroups && rec->groups[i] != self; i++)
		turn &= state_in(l, rec->groups[i], rec) == PXS_TX_READY;
	if (i >= rec->ngroups)
		return;
	switch (pxs_tx_participate(rec->state, turn, state_in(l, self, rec))) {
	case PXS_TX_PREPARE:
		prepare(l, rec, i);
		break;
	case PXS_TX_COMMIT:
		propose(l, PXS_STORE_TX_COMMIT, rec->group, rec->slot, NULL, 0);
		break;
	default:
		break;
	}
}

/* What is here of a coordinator whose data has come as far, and says nothing of it any more. */
static void clean(struct look *l, struct pxs_store *from, u64 floor)
{
	u64 group = from->replica->id, slot;
	struct pxs_cross_rec rec, there;

	for (slot = 1; pxs_cross_from(&l->s->db, group, slot, &rec); slot = rec.slot + 1) {
		if (rec.slot > from->db.state.applied)
			break;
		if (pxs_cross_get(&from->db, group, rec.slot, &there))
			continue;
		if (pxs_tx_participate(PXS_TX_GONE, true, rec.state) == PXS_TX_ABORT)
			propose(l, PXS_STORE_TX_ABORT, group, rec.slot, NULL, PXS_TX_WAS_LATE);
	}
	/* Many at once: it is in no hurry. */
	if (l->tick && pxs_cross_ended(&l->s->db, group, &rec) && rec.slot < floor)
		propose(l, PXS_STORE_TX_FORGET, group, floor, NULL, 0);
}

/* Transactions that @from coordinates, where another group may take part: this one. */
static void follow(struct look *l, struct pxs_store *from)
{
	u64 floor = from->db.state.applied + 1, slot;
	struct pxs_cross_rec rec;

	for (slot = 1; pxs_cross_from(&from->db, from->replica->id, slot, &rec);
	     slot = rec.slot + 1) {
		floor = min(floor, rec.slot);
		participate(l, &rec);
	}
	clean(l, from, floor);
}

static void look_at_all(struct look *l)
{
	struct pxs_store *s = l->s, *g;
	struct pxs_cross_rec rec;
	u64 slot;
	u32 i;

	for (slot = 1; pxs_cross_from(&s->db, s->replica->id, slot, &rec); slot = rec.slot + 1)
		coordinate(l, &rec);
	for (i = 0; i < pxs_set_count(s); i++) {
		g = pxs_set_at(s, i);
		if (g != s)
			follow(l, g);
	}
}

/* The data of all groups, for reading. Return: it can be read. */
static bool begin_all(struct pxs_store *s)
{
	struct pxs_store *g;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++) {
		g = pxs_set_at(s, i);
		pxs_store_settle(g);
		if (pxs_db_begin(&g->db, false))
			break;
	}
	if (i == pxs_set_count(s))
		return true;
	while (i--)
		pxs_db_abort(&pxs_set_at(s, i)->db);
	return false;
}

static void end_all(struct pxs_store *s)
{
	struct pxs_store *g;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++) {
		g = pxs_set_at(s, i);
		pxs_db_abort(&g->db);
		if (g->db.err == -EUCLEAN)
			pxs_store_distrust(g, PXS_STORE_DAMAGED);
	}
}

static bool any(const struct pxs_store *s)
{
	u32 i = 0;

	while (i < pxs_set_count(s) && !pxs_set_at(s, i)->db.state.crosses)
		i++;
	return i < pxs_set_count(s);
}

static bool drive(struct pxs_store *s, bool tick)
{
	struct look l = { .s = s, .tick = tick };

	free_places(s);
	pxs_wanted_none(&s->cross.wanted);
	if (!any(s) || s->loading || s->stopped || s->stalled || !pxs_store_leads(s) ||
	    s->db.state.applied < s->replica->applied || !begin_all(s))
		return false;
	look_at_all(&l);
	end_all(s);
	return l.did;
}

bool pxs_cross_step(struct pxs_store *s)
{
	bool tick = s->cross.due, did = false;

	if (!s->set)
		return false;
	if (s->db.cross_moved) {
		s->db.cross_moved = false;
		s->set->moved++;
		did = true;	/* the other groups look again */
	}
	if (!tick && s->cross.seen == s->set->moved)
		return did;
	s->cross.due = false;
	/* Until all is applied that is known here, it waits with looking. */
	if (s->db.state.applied >= s->replica->applied)
		s->cross.seen = s->set->moved;
	did |= drive(s, tick);
	did |= pxs_lock_step(s);
	if (tick)
		pxs_cross_tick(s);
	return did;
}
