// SPDX-License-Identifier: GPL-2.0
/*
 * acceptor.c - the acceptor, as shipped: any state that keeps its invariant, any input
 *
 * EVENT 0..4 (prepare, accept, learn, commit, more is durable): from any such state it leads
 * to such a state, and what it stages, parks and sends is right: so that holds after any number
 * of events. EVENT 9: K events of any kind from a new member, then a crash that keeps any
 * prefix of the records with all that is durable, then recovery: nothing that may have been
 * answered is forgotten (S1, S3).
 *
 * In place of the stage there is what stage.c proves of the real one: an append is refused, or
 * gives the next LSN. What leads, sends or fences is not the subject: what it is called with is.
 */
void proof_free(void *p);
#define free proof_free
#include "../../../kmod/core/window.c"
#include "../../../kmod/core/acceptor.c"
#include "leader.h"
#include "lease.h"

#ifndef K
#define K		3u	/* events of EVENT 9 */
#endif
#define SIZE		4u	/* of the window; shipped: 64 at least */
#define RING		(2 * SIZE)
#define RECORDS		(2 * K)	/* an event stages two at most: COMMIT and its own */
#define NMEMBERS	3u

#define ENSURE(cond, what)	__CPROVER_assert(cond, what)
#define SUPPOSE(cond)		__CPROVER_assume(cond)

u8 nondet_u8(void);
u16 nondet_u16(void);
bool nondet_bool(void);

/*
 * Slots, ballots and LSNs are compared, and slots are taken apart into differences and low
 * bits: 8 bits stand for all.
 */
static u64 any_number(void)
{
	return nondet_u8();
}

struct staged {
	u8 type;
	u8 len, noop, byte;
	u64 slot, ballot;
};

static struct pxs_group g;
static struct pxs_stage stage;
static struct pxs_slot slots[SIZE];
static struct pxs_parked parked[RING];
static struct pxs_out out;
static struct pxs_send send_one;

/* What the event at hand staged: at most one of each. */
static u64 staged_accept, staged_promise;
/* A PROMISE: is this slot, whichever it is, told of, or left for the next page? */
static u64 watched;
static bool answered, told, page_full;

#if EVENT == 9
static struct staged rec[RECORDS + 1];	/* by LSN */
#endif

/* In place of libc's: pxs_assert() ends here. */
void abort(void)
{
	ENSURE(0, "an assertion of the core");
	SUPPOSE(0);
	for (;;)
		;
}

/* The proof holds every value, too. */
void proof_free(void *p)
{
	(void)p;
	ENSURE(0, "a value is freed while it is held");
}

/* In place of libc's, which works on bytes: only slots are cleared. */
void *memset(void *p, int c, size_t n)
{
	ENSURE(!c && n == sizeof(struct pxs_slot), "something else is cleared");
	*(struct pxs_slot *)p = (struct pxs_slot){ 0 };
	return p;
}

/* In place of value.c: a value is what its length says. Objects with types, not bytes. */
static struct pxs_value value0, value1, value2, value3, value4;
static struct pxs_value *const value[SIZE + 1] = { &value0, &value1, &value2, &value3, &value4 };

bool pxs_value_equal(const struct pxs_value *a, const struct pxs_value *b)
{
	return a->len == b->len && a->noop == b->noop;
}

static struct pxs_value *any_value(u32 i)
{
	struct pxs_value *v = value[i];

	v->ref.count = 100;
	v->len = nondet_u8();
	v->noop = v->len ? 0 : nondet_bool();
	return v;
}

u64 pxs_stage_append(struct pxs_stage *s, struct pxs_record *r, const void *data)
{
	if (nondet_bool())
		return 0;
	r->lsn = ++s->last_lsn;
	if (r->type == PXS_RECORD_PROMISE) {
		ENSURE(r->ballot > g.promised, "a promise that is not higher is staged");
		staged_promise = r->ballot;
	} else if (r->type == PXS_RECORD_ACCEPT) {
		/* The promise holds when the record is made, not only afterwards. */
		ENSURE(r->ballot >= g.promised, "an accept below the promise is staged");
		staged_accept = r->ballot;
	}
#if EVENT == 9
	ENSURE(r->lsn <= RECORDS, "more records than an event may stage");
	rec[r->lsn] = (struct staged){
		.type = r->type, .len = r->len, .noop = r->flags & PXS_ENTRY_NOOP,
		.byte = r->len ? *(const u8 *)data : 0, .slot = r->slot, .ballot = r->ballot,
	};
#else
	(void)data;
#endif
	return r->lsn;
}

void pxs_stage_hurry(struct pxs_stage *s, u64 lsn)
{
	ENSURE(g.memory_lsn && lsn <= s->last_lsn, "a disk group hurries, or for no record");
}

void pxs_leader_preempted(struct pxs_group *group, u64 higher, struct pxs_out *o)
{
	(void)o;
	ENSURE(higher >= group->lead_ballot, "preempted by a lower ballot");
	group->lead_ballot = 0;
	group->prepare_ballot = 0;
}

void pxs_group_fence(struct pxs_group *group, const char *reason)
{
	group->state = PXS_GROUP_FENCED;
	group->fence_reason = reason;
}

void pxs_out_refuse(struct pxs_group *group, struct pxs_out *o, u8 to, u64 ballot, u64 slot,
		    u64 higher)
{
	(void)group;
	(void)o;
	(void)slot;
	ENSURE(to < NMEMBERS, "a refusal to nobody");
	ENSURE(higher > ballot, "a refusal of what is not lower");
}

struct pxs_send *pxs_out_send(struct pxs_group *group, struct pxs_out *o, u8 type, u64 to,
			      u64 ballot, u64 slot)
{
	(void)o;
	(void)slot;
	ENSURE(type == PXS_WIRE_PROMISE && to, "an answer of another kind");
	ENSURE(ballot == group->promised, "PROMISE for another ballot than the promised");
	ENSURE(group->promised_lsn <= stage.durable_lsn, "PROMISE before it is durable");
	answered = nondet_bool();
	return answered ? &send_one : NULL;
}

bool pxs_out_add(struct pxs_out *o, u64 slot, const struct pxs_slot *s, u8 flags)
{
	(void)o;
	ENSURE(pxs_window_at(&g.window, slot) == s, "an entry of another slot");
	ENSURE(!(flags & PXS_ENTRY_FAULTY) == !!s->value, "damage is not named");
	if (nondet_bool()) {
		page_full = true;
		return false;
	}
	told |= slot == watched;
	return true;
}

/* --- the invariant --------------------------------------------------------------------- */

/* By place in the ring, not by number: so the solver need not guess which place that is. */
static bool slot_ok(u32 i)
{
	u64 slot = g.window.base + ((i - g.window.base) & (SIZE - 1));
	const struct pxs_slot *s = &slots[i];

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
	/* An accept implies its promise. */
	if (s->flags & PXS_SLOT_ACCEPTED && s->ballot > g.promised)
		return false;
	return !(s->flags & PXS_SLOT_ACCEPTED && s->ballot == g.promised &&
		 s->lsn < g.promised_lsn);
}

static bool parked_ok(u32 i)
{
	const struct pxs_parked *p = &parked[i];

	if (((i - g.parked_tail) & (RING - 1)) >= g.parked_head - g.parked_tail)
		return true;
	if (p->lsn > stage.last_lsn || p->to >= NMEMBERS || !p->ballot || !p->slot ||
	    p->slot > PXS_SLOT_MAX || p->ballot > g.promised)
		return false;
	/* Its record is the promise's, or a later one. */
	if (p->ballot == g.promised && p->lsn < g.promised_lsn)
		return false;
	return p->type == PXS_WIRE_ACCEPTED || p->type == PXS_WIRE_PROMISE;
}

static bool invariant(void)
{
	u32 i;

	if (g.promised_lsn > stage.last_lsn || stage.durable_lsn > stage.last_lsn)
		return false;
	if (!g.window.base || g.window.base > g.commit + 1 || g.commit_staged > g.commit ||
	    g.window.top >= g.window.base + SIZE)
		return false;
	for (i = 0; i < SIZE; i++)
		if (!slot_ok(i))
			return false;
	if (g.parked_tail > g.parked_head || g.parked_head - g.parked_tail > RING)
		return false;
	for (i = 0; i < RING; i++)
		if (!parked_ok(i))
			return false;
	return !g.lead_ballot || g.lead_ballot == g.promised;
}

static void new_group(struct pxs_group *n, struct pxs_slot *window)
{
	n->conf.id = 1;
	n->conf.nmembers = NMEMBERS;
	n->conf.window = SIZE;
	n->stage = &stage;
	n->parked = parked;
	pxs_window_init(&n->window, window, SIZE);
}

/* A promise may wait for any reason, and for any time. */
bool pxs_lease_bars(const struct pxs_group *n, u8 from, u64 given_up)
{
	(void)n;
	(void)from;
	(void)given_up;
	return nondet_bool();
}

/* --- one event ------------------------------------------------------------------------- */

static void prepare(void)
{
	struct pxs_msg m = { .ballot = any_number(), .slot = any_number(), .arg = any_number() };
	const struct pxs_slot *s;
	u8 from = nondet_u8();

	SUPPOSE(m.ballot && m.slot && m.slot <= PXS_SLOT_MAX && from < NMEMBERS);
	watched = any_number();
	SUPPOSE(pxs_window_holds(&g.window, watched));
	s = pxs_window_at(&g.window, watched);
	answered = false;
	told = false;
	page_full = false;
	out.nentry = 0;
	pxs_acceptor_prepare(&g, &m, from, &out);
	ENSURE(!answered || page_full || told || !(s->flags & PXS_SLOT_USED) ||
	       watched < m.slot || watched <= g.commit, "a PROMISE conceals an accept");
}

static void accept(void)
{
	u64 ballot = any_number(), slot = any_number(), higher = 0;
	struct pxs_value *v = any_value(SIZE);
	enum pxs_accept_result ret;
	const struct pxs_slot *s;
	u8 to = nondet_u8();

	SUPPOSE(ballot && slot && slot <= PXS_SLOT_MAX && to < NMEMBERS);
	ret = pxs_acceptor_accept(&g, ballot, slot, v, to, &higher, &out);
	s = pxs_window_at(&g.window, slot);
	ENSURE(ret != PXS_ACCEPT_REFUSED || higher > ballot, "refused by what is not higher");
	ENSURE((ret == PXS_ACCEPT_NEW) == !!staged_accept, "a record without an accept, or so");
	ENSURE(ret != PXS_ACCEPT_NEW ||
	       (staged_accept == ballot && s->ballot == ballot && s->lsn == stage.last_lsn &&
		s->value == v && g.promised == ballot), "accepted is what the record says");
	ENSURE(ret != PXS_ACCEPT_NEW ||
	       (parked[(g.parked_head - 1) & (RING - 1)].lsn == stage.last_lsn &&
		parked[(g.parked_head - 1) & (RING - 1)].slot == slot),
	       "the answer waits for the record");
	ENSURE(ret != PXS_ACCEPT_DURABLE ||
	       (s->ballot == ballot && s->lsn <= stage.durable_lsn &&
		pxs_value_equal(s->value, v)), "a repeat that is not durable, or another value");
}

static void learn(void)
{
	u64 ballot = any_number(), slot = any_number();
	struct pxs_value *v = any_value(SIZE);
	bool known;

	SUPPOSE(ballot && slot && slot <= PXS_SLOT_MAX);
	known = pxs_window_at(&g.window, slot)->flags & PXS_SLOT_DECIDED;
	if (!pxs_acceptor_learn(&g, slot, ballot, v, &out) || g.state == PXS_GROUP_FENCED ||
	    slot <= g.commit)
		return;
	ENSURE(pxs_window_at(&g.window, slot)->flags & PXS_SLOT_DECIDED, "learned and not decided");
	ENSURE(pxs_value_equal(pxs_window_at(&g.window, slot)->value, v), "another is decided");
	ENSURE(pxs_window_at(&g.window, slot)->ballot >= ballot || known,
	       "decided at a lower ballot than it was chosen at");
}

static void commit(void)
{
	u64 before = g.commit;
	bool decided;

	watched = any_number();
	SUPPOSE(watched > before && pxs_window_holds(&g.window, watched));
	decided = pxs_window_at(&g.window, watched)->flags & PXS_SLOT_DECIDED;
	pxs_acceptor_commit(&g, &out);
	ENSURE(watched > g.commit || decided, "the commit index passes what is not decided");
}

static void more_durable(void)
{
	u64 lsn = any_number();

	SUPPOSE(lsn >= stage.durable_lsn && lsn <= stage.last_lsn);
	stage.durable_lsn = lsn;
}

static void event(u8 what)
{
	staged_accept = 0;
	staged_promise = 0;
	switch (what) {
	case 0:
		prepare();
		break;
	case 1:
		accept();
		break;
	case 2:
		learn();
		break;
	case 3:
		commit();
		break;
	default:
		more_durable();
	}
}

#if EVENT == 9
/* --- K events, a crash, recovery ------------------------------------------------------- */

static struct pxs_group again;
static struct pxs_slot again_slots[SIZE];

static void recover(u64 upto)
{
	u64 lsn;

	new_group(&again, again_slots);
	for (lsn = 1; lsn <= RECORDS; lsn++) {
		struct pxs_record r = {
			.group = 1, .lsn = lsn, .type = rec[lsn].type, .slot = rec[lsn].slot,
			.ballot = rec[lsn].ballot, .len = rec[lsn].len,
			.flags = rec[lsn].noop ? PXS_ENTRY_NOOP : 0, .data = &rec[lsn].byte,
		};
		int ret;

		if (lsn > upto)
			break;
		ret = pxs_group_load(&again, &r);
		SUPPOSE(ret != -ENOMEM);
		ENSURE(!ret, "recovery refuses what was staged");
	}
}

static void check_recovered(u64 upto)
{
	u64 lsn;

	for (lsn = 1; lsn <= RECORDS; lsn++) {
		const struct staged *r = &rec[lsn];
		const struct pxs_slot *s = pxs_window_at(&again.window, r->slot);

		if (lsn > upto)
			break;
		if (r->type == PXS_RECORD_PROMISE || r->type == PXS_RECORD_ACCEPT)
			ENSURE(again.promised >= r->ballot, "recovery forgets a promise");
		if (r->type != PXS_RECORD_ACCEPT || r->slot < again.window.base)
			continue;
		if (!pxs_window_holds(&again.window, r->slot)) {
			ENSURE(again.mute_until >= r->slot, "it votes without what it accepted");
			continue;
		}
		ENSURE(s->flags & PXS_SLOT_USED && s->value, "recovery forgets an accept");
		ENSURE(s->flags & PXS_SLOT_DECIDED || s->ballot >= r->ballot,
		       "recovery goes back to an older accept");
	}
}

int main(void)
{
	u64 upto;
	u32 i;

	new_group(&g, slots);
	g.state = PXS_GROUP_ACTIVE;
	for (i = 0; i < K; i++) {
		event(nondet_u8());
		if (g.state == PXS_GROUP_FENCED)
			break;
		ENSURE(invariant(), "the invariant is kept");
	}
	upto = any_number();
	SUPPOSE(upto >= stage.durable_lsn && upto <= stage.last_lsn);
	recover(upto);
	check_recovered(upto);
	return 0;
}
#else
/* --- one event from any state ---------------------------------------------------------- */

static void any_group(void)
{
	u32 i;

	new_group(&g, slots);
	g.state = PXS_GROUP_ACTIVE;
	g.promised = any_number();
	g.promised_lsn = any_number();
	g.commit = any_number();
	g.commit_lsn = any_number();
	g.commit_staged = any_number();
	g.lead_ballot = any_number();
	g.prepare_ballot = any_number();
	g.parked_head = any_number();
	g.parked_tail = any_number();
	stage.durable_lsn = any_number();
	stage.last_lsn = any_number();
	g.window.base = any_number();
	g.window.top = any_number();
	g.window.bytes = any_number();
	for (i = 0; i < RING; i++) {
		parked[i].lsn = any_number();
		parked[i].ballot = any_number();
		parked[i].slot = any_number();
		parked[i].type = nondet_u8();
		parked[i].to = nondet_u8();
	}
	for (i = 0; i < SIZE; i++) {
		slots[i].ballot = any_number();
		slots[i].lsn = any_number();
		slots[i].flags = nondet_u8();
		slots[i].value = nondet_bool() ? any_value(i) : NULL;
	}
}

int main(void)
{
	u64 promised, commit;

	any_group();
	SUPPOSE(invariant());
	promised = g.promised;
	commit = g.commit;
	event(EVENT);
	if (g.state == PXS_GROUP_FENCED)
		return 0;
	ENSURE(g.promised >= promised, "the promise sinks");
	ENSURE(g.promised == promised || g.promised == staged_accept ||
	       g.promised == staged_promise, "a promise without a record");
	ENSURE(g.promised == promised || g.promised_lsn == stage.last_lsn,
	       "a promise that does not wait for its record");
	ENSURE(g.commit >= commit, "the commit index sinks");
	ENSURE(invariant(), "the invariant is kept");
	return 0;
}
#endif
