// SPDX-License-Identifier: GPL-2.0
/*
 * step.c - from any state that keeps the invariant, any event leads to such a state
 *
 * So what proof.c checks of an event holds after any number of them. The invariant is
 * below; -DFIRST proves that a new member keeps it.
 */
#include "proof.h"

/* EVENT says which (proof.c); FIRST: that a new member keeps the invariant. */

void proof_staged(const struct pxs_record *r, const u8 *data)
{
	(void)r;
	(void)data;
}

static struct pxs_value *any_value(void)
{
	u32 len = nondet_bool();
	struct pxs_value *v = malloc(sizeof(*v) + 1);

	SUPPOSE(v);
	v->ref.count = 100;	/* the model holds it, too: nothing is freed under it */
	v->len = len;
	v->noop = len ? 0 : nondet_bool();
	v->data[0] = nondet_u8();
	return v;
}

static bool slot_ok(u64 slot)
{
	const struct pxs_slot *s = pxs_window_at(&g.window, slot);

	if (!s->flags)
		return !s->ballot && !s->value && !s->lsn;
	if (s->flags & ~(PXS_SLOT_USED | PXS_SLOT_DECIDED | PXS_SLOT_FAULTY | PXS_SLOT_ACCEPTED))
		return false;
	if (!(s->flags & PXS_SLOT_USED) || slot > g.window.top || !s->ballot ||
	    s->lsn > stage.last_lsn)
		return false;
	if (!(s->flags & (PXS_SLOT_DECIDED | PXS_SLOT_ACCEPTED)))
		return false;
	/* Known without a value: a damaged record, and then it is not decided (S5). */
	if (!s->value != !!(s->flags & PXS_SLOT_FAULTY))
		return false;
	if (s->flags & PXS_SLOT_FAULTY && s->flags & PXS_SLOT_DECIDED)
		return false;
	/* An accept implies its promise; a commit index implies decisions. */
	if (s->flags & PXS_SLOT_ACCEPTED && s->ballot > g.promised)
		return false;
	if (s->flags & PXS_SLOT_ACCEPTED && s->ballot == g.promised && s->lsn < g.promised_lsn)
		return false;
	return true;
}

static bool parked_ok(u64 i)
{
	const struct pxs_parked *p = &parked[i & (2 * SIZE - 1)];

	if (p->lsn > stage.last_lsn || p->to >= NMEMBERS || !p->ballot || !p->slot ||
	    p->slot > PXS_SLOT_MAX || p->ballot > g.promised)
		return false;
	/* Its record is the promise's, or a later one. */
	if (p->ballot == g.promised && p->lsn < g.promised_lsn)
		return false;
	if (p->type == PXS_WIRE_ACCEPTED)
		return true;
	if (p->type == PXS_WIRE_PREPARE)
		return p->to == SELF && pxs_ballot_member(p->ballot) == SELF + 1;
	return p->type == PXS_WIRE_PROMISE;
}

static bool leader_ok(void)
{
	if (g.prepare_ballot && (g.lead_ballot || g.prepare_ballot != g.promised ||
				 pxs_ballot_member(g.prepare_ballot) != SELF + 1))
		return false;
	if (!g.lead_ballot)
		return true;
	return g.lead_ballot == g.promised && g.promised_lsn <= stage.durable_lsn &&
	       pxs_ballot_member(g.lead_ballot) == SELF + 1 && g.first_slot &&
	       g.next_slot >= g.first_slot && g.next_slot <= g.commit + SIZE / 2 + 1;
}

static bool invariant(void)
{
	u64 i;

	if (g.state == PXS_GROUP_FENCED)
		return !g.lead_ballot && !g.prepare_ballot && g.parked_head == g.parked_tail;
	if (g.promised_lsn > stage.last_lsn || stage.durable_lsn > stage.last_lsn ||
	    stage.last_lsn > FAR)
		return false;
	if (!g.window.base || g.window.base > g.commit + 1 || g.commit > FAR ||
	    g.commit_staged > g.commit || g.mute_until > FAR || g.known_from >= NMEMBERS ||
	    g.known_commit > PXS_SLOT_MAX)
		return false;
	if (g.window.top >= g.window.base + SIZE || g.window.bytes > SIZE * 16384ull)
		return false;
	for (i = g.window.base; i < g.window.base + SIZE; i++)
		if (!slot_ok(i))
			return false;
	if (g.parked_head - g.parked_tail > PARKED || g.parked_head > FAR ||
	    g.parked_tail > g.parked_head)
		return false;
	for (i = g.parked_tail; i != g.parked_head; i++)
		if (!parked_ok(i))
			return false;
	return leader_ok();
}

/* Any group at all; what it was made with stays. */
static void any_group(void)
{
	struct pxs_group_conf conf;
	u32 i;

	proof_conf(&conf);
	__CPROVER_havoc_object(&g);
	__CPROVER_havoc_object(&stage);
	__CPROVER_havoc_object(parked);
	g.conf = conf;
	g.state = PXS_GROUP_ACTIVE;
	g.stage = &stage;
	g.parked = parked;
	g.window.slot = slots;
	g.window.size = SIZE;
	g.window.bytes = 0;
	for (i = 0; i < SIZE; i++) {
		slots[i].ballot = nondet_u64();
		slots[i].lsn = nondet_u64();
		slots[i].voters = nondet_u64();
		slots[i].sent_ms = nondet_u64();
		slots[i].flags = nondet_u8();
		slots[i].value = nondet_bool() ? any_value() : NULL;
		if (slots[i].value)
			g.window.bytes += slots[i].value->len;
	}
}

int main(void)
{
#ifdef FIRST
	struct pxs_group_conf conf;

	proof_conf(&conf);
	memset(&stage, 0, sizeof(stage));
	stage.incarnation = 100;
	pxs_group_init(&g, &conf, &stage, slots, parked);
	SUPPOSE(!pxs_group_activate(&g, 0, nondet_u64()));
	ENSURE(invariant(), "a new member keeps the invariant");
#else
	any_group();
	SUPPOSE(g.parked_head - g.parked_tail <= PARKED - 2 && g.parked_head < FAR - 2);
	SUPPOSE(invariant());
	proof_event();
	ENSURE(invariant(), "the invariant is kept");
#endif
	return 0;
}
