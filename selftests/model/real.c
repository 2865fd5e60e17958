// SPDX-License-Identifier: GPL-2.0
/*
 * real.c - real structs made of a struct member, and a struct member made of real structs
 *
 * See member.h for what this leaves out, and real_check() for how that is watched.
 */
#include <stdio.h>
#include "acceptor.h"	/* pxs_park() */
#include "real.h"
#include "abort.h"

#define RING_AT		(REAL_RING - 80)	/* so that records wrap around its end */

struct pxs_group g;
struct pxs_stage stage;
static struct pxs_slot slots[WINDOW];
static struct pxs_parked parked[2 * WINDOW];
static u32 length[PXS_STAGE_RECORDS];
static u8 ring[REAL_RING];

/* --- numbers ------------------------------------------------------------------ */

u64 real_ballot(u8 b)
{
	return b ? pxs_ballot(b, (u8)(OWNER(b) + 1)) : 0;
}

u8 model_ballot(u64 ballot)
{
	u64 b = pxs_ballot_round(ballot);

	if (b > BALLOTS || ballot != real_ballot((u8)b)) {
		model_fail("an unknown ballot %llx", (unsigned long long)ballot);
		return 0;
	}
	return (u8)b;
}

struct pxs_value *real_value(u8 vid)
{
	struct pxs_value *v = pxs_value_new(&vid, vid != 1, vid == 1);

	if (!v)
		model_abort("no memory", 0);
	return v;
}

u8 model_vid(const u8 *data, u32 len, bool noop)
{
	u8 vid = noop ? 1 : len ? data[0] : 0;

	if (len != !noop || !vid || vid > BALLOTS) {
		model_fail("an unknown value of %u bytes", len);
		return 1;
	}
	return vid;
}

u8 model_value(const struct pxs_value *v)
{
	return v ? model_vid(v->data, v->len, v->noop) : 0;
}

static u8 small(u64 n)
{
	if (n > 250)
		model_fail("a number that the model can't hold: %llu", (unsigned long long)n);
	return (u8)n;
}

/* 0: durable. */
static u8 lsn_in(u64 lsn)
{
	return lsn > stage.durable_lsn ? small(lsn - stage.durable_lsn) : 0;
}

/* --- real structs, and back ----------------------------------------------------- */

void real_wipe(void)
{
	memset(slots, 0, sizeof(slots));
}

struct pxs_record real_record(const struct model_record *r, struct pxs_value *v)
{
	return (struct pxs_record){
		.group = REAL_GROUP, .type = r->type, .slot = r->slot,
		.ballot = real_ballot(r->ballot),
		.len = v ? v->len : 0, .flags = v && v->noop ? PXS_ENTRY_NOOP : 0,
		.data = v ? v->data : NULL,
	};
}

/* As the shell does: what is staged goes to the agent at once. Records that are new to @m. */
void real_pump(struct member *m, u64 known)
{
	static u8 buf[REAL_RING];
	struct pxs_batch b;
	struct pxs_record r;
	u32 at;

	pxs_stage_late(&stage);
	while (pxs_stage_due(&stage, REAL_RING, &b)) {
		pxs_stage_copy(&stage, &b, buf);
		pxs_stage_sent(&stage, &b);
		for (at = 0; at < b.bytes; at += pxs_record_size(r.len)) {
			if (pxs_record_get(buf + at, b.bytes - at, &r) != PXS_RECORD_OK ||
			    r.group != REAL_GROUP || r.slot > SLOTS) {
				model_fail("a broken record is staged");
				return;
			}
			if (r.lsn <= known)
				continue;
			if (m->nrecords == RECORDS) {
				model_fail("RECORDS is too small");
				return;
			}
			m->record[m->nrecords++] = (struct model_record){
				.type = r.type, .slot = (u8)r.slot,
				.ballot = model_ballot(r.ballot),
				.vid = r.type == PXS_RECORD_ACCEPT || r.type == PXS_RECORD_DECIDED ?
				       model_vid(r.data, r.len, r.flags & PXS_ENTRY_NOOP) : 0,
			};
		}
	}
}

void real_stage(const struct member *m)
{
	struct pxs_batch b;
	u8 i;

	pxs_stage_init(&stage, ring, REAL_RING, length);
	stage.head = RING_AT;
	stage.sent = RING_AT;
	stage.tail = RING_AT;
	if (pxs_stage_attach(&stage, REAL_INC + m->self, REAL_LSN0 + 1) < 0)
		model_fail("a journal is refused");
	for (i = 0; i < m->nrecords; i++) {
		struct pxs_value *v = m->record[i].vid ? real_value(m->record[i].vid) : NULL;
		struct pxs_record r = real_record(&m->record[i], v);

		if (pxs_stage_append(&stage, &r, r.data) != REAL_LSN0 + 1 + i)
			model_fail("the stage gave another LSN");
		pxs_value_put(v);
	}
	while (pxs_stage_due(&stage, REAL_RING, &b))
		pxs_stage_sent(&stage, &b);
	memset(stage.batch_end, 0, sizeof(stage.batch_end));
}

void real_group(const struct model_group *e, u8 self, u8 state)
{
	struct pxs_group_conf conf = {
		.id = REAL_GROUP, .epoch = 1, .cluster = "model", .nmembers = MEMBERS, .self = self,
		.phase1 = CONF_PHASE1, .phase2 = CONF_PHASE2,
		.window = WINDOW, .heartbeat_ms = 100, .election_ms = 1000,
	};
	u8 i;

	for (i = 0; i < MEMBERS; i++)
		conf.member[i] = (struct pxs_member){ .id = i + 1, .incarnation = REAL_INC + i };
	pxs_group_init(&g, &conf, &stage, slots, parked);
	g.state = state;
	g.promised = real_ballot(e->promised);
	g.promised_lsn = REAL_LSN0 + e->promised_lsn;
	g.lead_ballot = real_ballot(e->lead);
	g.prepare_ballot = real_ballot(e->prepare);
	g.first_slot = e->first;
	g.next_slot = e->next;
	g.commit = e->commit;
	g.commit_lsn = REAL_LSN0 + e->commit_lsn;
	g.commit_staged = e->staged;
	g.mute_until = e->mute;
	g.known_commit = e->commit;
	g.window.base = e->base;
	for (i = 1; i <= SLOTS; i++) {
		const struct model_slot *s = &e->slot[i - 1];
		struct pxs_value *v;

		if (!s->flags)
			continue;
		v = s->vid ? real_value(s->vid) : NULL;
		pxs_window_set(&g.window, i, real_ballot(s->ballot), REAL_LSN0 + s->lsn, v,
			       s->flags);
		slots[i & (WINDOW - 1)].voters = s->voters;
		pxs_value_put(v);
	}
	g.window.top = e->top;
	for (i = 0; i < e->nparked; i++) {
		const struct model_parked *p = &e->parked[i];

		pxs_park(&g, REAL_LSN0 + p->lsn, p->type, real_ballot(p->ballot), p->slot, p->to);
	}
}

void model_of_group(struct model_group *e)
{
	u64 i;

	memset(e, 0, sizeof(*e));
	e->promised = model_ballot(g.promised);
	e->promised_lsn = lsn_in(g.promised_lsn);
	e->lead = model_ballot(g.lead_ballot);
	e->prepare = model_ballot(g.prepare_ballot);
	/* Meaningless in one who does not lead. */
	e->first = g.lead_ballot ? small(g.first_slot) : 0;
	e->next = g.lead_ballot ? small(g.next_slot) : 0;
	e->commit = small(g.commit);
	e->commit_lsn = lsn_in(g.commit_lsn);
	e->staged = small(g.commit_staged);
	e->mute = small(g.mute_until);
	e->base = small(g.window.base);
	e->top = small(g.window.top);
	if (g.window.top > SLOTS || g.commit > SLOTS)
		model_fail("a slot that nobody proposed");
	for (i = 1; i <= SLOTS; i++) {
		const struct pxs_slot *s = pxs_window_at(&g.window, i);

		if (!pxs_window_holds(&g.window, i) || !s->flags)
			continue;
		e->slot[i - 1] = (struct model_slot){
			.ballot = model_ballot(s->ballot), .lsn = lsn_in(s->lsn),
			.vid = model_value(s->value), .flags = s->flags,
			.voters = COUNT ? (u8)s->voters : 0,
		};
	}
	for (i = g.parked_tail; i != g.parked_head; i++) {
		const struct pxs_parked *p = &parked[i & (2 * WINDOW - 1)];

		if (e->nparked == PARKED) {
			model_fail("PARKED is too small");
			return;
		}
		e->parked[e->nparked++] = (struct model_parked){
			.lsn = lsn_in(p->lsn), .ballot = model_ballot(p->ballot),
			.slot = small(p->slot), .type = p->type, .to = p->to,
		};
	}
	if (g.state == PXS_GROUP_FENCED)
		model_fail("a member is fenced: %s", g.fence_reason);
}

/*
 * Nothing that matters was lost on the way into the struct member: the way out and in again
 * leads to the same, and the real structs hold nothing else than what the way out makes.
 */
void real_check(const struct member *m)
{
	static struct pxs_group was;
	static struct pxs_slot was_slots[WINDOW];
	struct model_group again;
	u64 base = stage.durable_lsn - REAL_LSN0;
	u32 i;

	was = g;
	memcpy(was_slots, slots, sizeof(slots));
	memset(slots, 0, sizeof(slots));
	real_stage(m);
	real_group(&m->group, m->self, PXS_GROUP_ACTIVE);
	for (i = 0; i < WINDOW; i++) {
		const struct pxs_slot *a = &was_slots[i], *b = &slots[i];

		if (a->ballot != b->ballot || a->flags != b->flags ||
		    (COUNT && a->voters != b->voters) ||
		    !a->value != !b->value ||
		    (a->value && !pxs_value_equal(a->value, b->value)) ||
		    (a->lsn > REAL_LSN0 + base && a->lsn - base != b->lsn))
			model_fail("slot %u is not what the model makes of it", i);
	}
	if (was.promised != g.promised || was.lead_ballot != g.lead_ballot ||
	    was.prepare_ballot != g.prepare_ballot || was.commit != g.commit ||
	    was.commit_staged != g.commit_staged || was.mute_until != g.mute_until ||
	    was.window.base != g.window.base || was.window.top != g.window.top ||
	    was.window.bytes != g.window.bytes || was.state != g.state ||
	    was.parked_head - was.parked_tail != g.parked_head - g.parked_tail)
		model_fail("a group is not what the model makes of it");
	model_of_group(&again);
	if (memcmp(&again, &m->group, sizeof(again)))
		model_fail("a member is not what the model makes of it");
	pxs_group_exit(&g);
	g = was;
	memcpy(slots, was_slots, sizeof(slots));
}

