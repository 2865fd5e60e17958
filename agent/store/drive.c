// SPDX-License-Identifier: GPL-2.0
/*
 * drive.c - sagas go on: whoever leads proposes an entry for each that is due
 *
 * When they are looked at: when an entry that was applied has changed one, and at every tick, for
 * time makes some due, and a proposal may have failed.
 */
#include "store.h"

#include "db_saga.h"

/* One proposal. p.value follows, so it is last. */
struct push {
	struct pxs_driven *place;
	struct pxs_proposal p;
};

/* The next tick tries again; what is decided must be applied first. */
void pxs_driven_over(struct pxs_driven *place, u32 error, u64 slot)
{
	if (error)
		place->number = 0;
	else
		place->slot = slot;
}

static void push_done(struct pxs_proposal *p, u32 error, u64 slot)
{
	struct push *push = (struct push *)((char *)p - offsetof(struct push, p));

	pxs_driven_over(push->place, error, slot);
	free(push);
}

static bool propose(struct pxs_store *s, struct pxs_driven *place, u64 number, u64 position)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SAGA_STEP, .client = number, .seq = position,
		.time = pxs_store_clock(), .memory = s->config->maxmemory,
	};
	u32 size = (u32)pxs_store_entry_size(NULL, 0, NULL, 0);
	struct push *push = malloc(sizeof(*push) + size);

	if (!push)
		return false;
	push->place = place;
	push->p.done = push_done;
	push->p.len = size;
	pxs_store_entry_put(push->p.value, &e, NULL, NULL);
	*place = (struct pxs_driven){ .number = number };
	if (!pxs_propose(s->replica, &push->p)) {
		s->drive.steps++;
		return true;
	}
	place->number = 0;
	free(push);
	return false;
}

struct look {
	struct pxs_store *store;
	bool did;
};

static bool see(void *ctx, const struct pxs_saga *g)
{
	struct look *l = ctx;
	struct pxs_drive *d = &l->store->drive;
	struct pxs_driven *place = NULL;
	u32 i;

	for (i = 0; i < PXS_DRIVE_MAX; i++) {
		if (d->saga[i].number == g->number)
			return true;
		if (!d->saga[i].number)
			place = &d->saga[i];
	}
	if (!place || !propose(l->store, place, g->number, g->position))
		return false;
	l->did = true;
	return true;
}

/* Those whose entries have been applied may go on. */
static void free_places(struct pxs_store *s)
{
	struct pxs_driven *d;
	u32 i;

	for (i = 0; i < PXS_DRIVE_MAX; i++) {
		d = &s->drive.saga[i];
		if (d->slot && d->slot <= s->db.state.applied)
			*d = (struct pxs_driven){ 0 };
	}
}

bool pxs_drive_step(struct pxs_store *s)
{
	struct look l = { .store = s };

	if (!s->drive.due && !s->db.sagas_moved)
		return false;
	s->drive.due = false;
	s->db.sagas_moved = false;
	free_places(s);
	if (s->loading || s->stopped || s->stalled || !pxs_store_leads(s) ||
	    pxs_db_begin(&s->db, false))
		return false;
	pxs_db_saga_due(&s->db, max(pxs_store_clock(), s->db.state.time), see, &l);
	pxs_db_abort(&s->db);
	return l.did;
}
