// SPDX-License-Identifier: GPL-2.0
/*
 * proof.c - an arbitrary event, and what may follow from it
 */
#include "proof.h"

struct pxs_group g;
struct pxs_stage stage;
struct pxs_slot slots[SIZE];
struct pxs_parked parked[2 * SIZE];
struct pxs_out out;
struct pxs_record promise_staged, accept_staged;

static struct pxs_group was;
static struct pxs_slot was_slots[SIZE];

/* In place of libc's: pxs_assert() ends here. */
void abort(void)
{
	ENSURE(0, "an assertion of the core");
	SUPPOSE(0);
	for (;;)
		;
}

/* In place of stage.c: see its own proof. */
u64 pxs_stage_append(struct pxs_stage *s, struct pxs_record *r, const void *data)
{
	if (nondet_bool() || s->last_lsn >= LAST_LSN)
		return 0;
	r->lsn = ++s->last_lsn;
	proof_staged(r, data);
	if (r->type == PXS_RECORD_PROMISE)
		promise_staged = *r;
	if (r->type == PXS_RECORD_ACCEPT) {
		/* The promise holds when the record is made, not only afterwards. */
		ENSURE(r->ballot >= g.promised, "an accept below the promise is staged");
		accept_staged = *r;
	}
	return r->lsn;
}

void proof_conf(struct pxs_group_conf *conf)
{
	u8 i;

	memset(conf, 0, sizeof(*conf));
	conf->id = 1;
	conf->epoch = 1;
	conf->nmembers = NMEMBERS;
	conf->self = SELF;
	conf->window = SIZE;
	conf->heartbeat_ms = 100;
	conf->election_ms = 1000;
	for (i = 0; i < NMEMBERS; i++) {
		conf->member[i].id = i + 1;
		conf->member[i].incarnation = 100u + i;
	}
}

/* --- what may leave -------------------------------------------------------------------- */

static bool was_parked(u8 type, u64 ballot, u64 slot)
{
	u64 i;

	for (i = was.parked_tail; i != was.parked_head; i++) {
		const struct pxs_parked *p = &parked[i & (2 * SIZE - 1)];

		if (p->type == type && p->ballot == ballot && p->slot == slot &&
		    p->lsn <= stage.durable_lsn)
			return true;
	}
	return false;
}

/* S1: the record of what it says is durable. */
static void check_accepted(const struct pxs_send *send, u64 slot)
{
	const struct pxs_slot *s = pxs_window_at(&g.window, slot);

	if (was_parked(PXS_WIRE_ACCEPTED, send->ballot, slot))
		return;
	ENSURE(pxs_window_holds(&g.window, slot), "ACCEPTED for a slot that is not held");
	ENSURE(s->flags & PXS_SLOT_ACCEPTED && s->ballot == send->ballot,
	       "ACCEPTED for what was not accepted");
	ENSURE(s->lsn <= stage.durable_lsn, "ACCEPTED before it is durable");
}

static void check_send(const struct pxs_send *send)
{
	u16 i;

	switch (send->type) {
	case PXS_WIRE_PROMISE:
		ENSURE(send->ballot == g.promised, "PROMISE for another ballot than the promised");
		ENSURE(g.promised_lsn <= stage.durable_lsn, "PROMISE before it is durable");
		break;
	case PXS_WIRE_PREPARE:
		ENSURE(send->ballot == g.promised && send->ballot == g.prepare_ballot,
		       "PREPARE for a ballot that is not open");
		ENSURE(g.promised_lsn <= stage.durable_lsn, "PREPARE before it is durable");
		break;
	case PXS_WIRE_ACCEPTED:
		ENSURE(send->count && send->count <= 2 * SIZE, "ACCEPTED for strange slots");
		for (i = 0; i < send->count; i++)
			check_accepted(send, send->slot + i);
		break;
	case PXS_WIRE_REFUSE:
		ENSURE(send->arg > send->ballot, "REFUSE of what is not lower");
		break;
	case PXS_WIRE_ACCEPT:
		ENSURE(was.lead_ballot && send->ballot == was.lead_ballot,
		       "ACCEPT from one who does not lead");
		break;
	case PXS_WIRE_HEARTBEAT:
		ENSURE(g.lead_ballot && send->ballot == g.lead_ballot,
		       "HEARTBEAT from one who does not lead");
		break;
	}
}

static void check_slot(u32 i)
{
	const struct pxs_slot *a = &was_slots[i], *s = &slots[i];

	/* The same slot still: what is accepted or decided is not taken back. */
	if (was.window.base != g.window.base)
		return;
	ENSURE(!(a->flags & PXS_SLOT_DECIDED) || s->flags & PXS_SLOT_DECIDED,
	       "a decision is taken back");
	ENSURE(!(a->flags & PXS_SLOT_DECIDED) || !a->value || s->value,
	       "a decided value is lost");
	ENSURE(!(a->flags & PXS_SLOT_ACCEPTED) || s->flags & PXS_SLOT_DECIDED ||
	       s->ballot >= a->ballot, "an accepted ballot sinks");
}

static void check_event(void)
{
	u32 i;

	ENSURE(g.promised >= was.promised, "the promise sinks");
	ENSURE(g.promised == was.promised || g.promised_lsn > was.promised_lsn ||
	       !was.promised_lsn, "a higher promise with an older record");
	ENSURE(g.commit >= was.commit, "the commit index sinks");
	ENSURE(!accept_staged.lsn || g.promised >= accept_staged.ballot,
	       "an accept that does not raise the promise");
	ENSURE(!promise_staged.lsn || g.promised >= promise_staged.ballot,
	       "a promise that is not kept");
	ENSURE(g.promised == was.promised ||
	       (accept_staged.lsn && g.promised == accept_staged.ballot) ||
	       (promise_staged.lsn && g.promised == promise_staged.ballot),
	       "a promise without a record");
	for (i = 0; i < SIZE; i++)
		check_slot(i);
	for (i = 0; i < out.nsend; i++)
		check_send(&out.send[i]);
}

/* --- what may happen ------------------------------------------------------------------- */

static void datagram(u8 type, u64 now)
{
	static u8 body[BODY];
	struct pxs_msg m;

	m.type = type;
	SUPPOSE(m.len <= BODY);
	__CPROVER_havoc_object(body);
	if (pxs_group_admit(&g, &m) || pxs_group_trust(&g, &m))
		return;
	pxs_group_recv(&g, &m, body, now, &out);
}

static void more_durable(void)
{
	u64 lsn = nondet_u64();

	SUPPOSE(lsn >= stage.durable_lsn && lsn <= stage.last_lsn);
	stage.durable_lsn = lsn;
	pxs_group_release(&g, nondet_u64(), &out);
}

static void propose(u64 now)
{
	u8 byte = nondet_u8();
	struct pxs_value *v = pxs_value_new(&byte, nondet_bool(), false);
	u64 slot;

	if (v)
		pxs_group_propose(&g, v, now, &slot, &out);
}

/* What recv_accept() does for an entry; the way through the body is left out. */
static void accept_one(void)
{
	u8 byte = nondet_u8(), to = nondet_u8();
	u64 ballot = nondet_u64(), slot = nondet_u64(), higher = 0;
	struct pxs_value *v = pxs_value_new(&byte, nondet_bool(), false);
	enum pxs_accept_result ret;

	SUPPOSE(v && ballot && slot <= PXS_SLOT_MAX && to && to < NMEMBERS && !pxs_group_mute(&g));
	ret = pxs_acceptor_accept(&g, ballot, slot, v, to, &higher, &out);
	ENSURE(ret != PXS_ACCEPT_REFUSED || higher > ballot, "refused by what is not higher");
	ENSURE(ret != PXS_ACCEPT_NEW || (accept_staged.lsn && accept_staged.ballot == ballot &&
	       accept_staged.slot == slot), "an accept without a record");
	ENSURE(ret != PXS_ACCEPT_DURABLE ||
	       (pxs_window_at(&g.window, slot)->ballot == ballot &&
		pxs_window_at(&g.window, slot)->lsn <= stage.durable_lsn &&
		pxs_value_equal(pxs_window_at(&g.window, slot)->value, v)),
	       "a repeat that is not durable, or of another value");
	pxs_value_put(v);
}

static void happens(u8 event)
{
	u64 now = nondet_u64();

	switch (event) {
	case 10:
		more_durable();
		break;
	case 11:
		pxs_group_tick(&g, now, nondet_bool(), &out);
		break;
	case 12:
		pxs_group_prepare(&g, nondet_u64(), nondet_u64(), nondet_u64(), &out);
		break;
	case 13:
		pxs_group_lead(&g, nondet_u64(), nondet_u64(), now, &out);
		break;
	case 14:
		propose(now);
		break;
	case 15:
		pxs_group_resign(&g);
		break;
	case 16:
		accept_one();
		break;
	default:
		datagram(event, now);
	}
}

void proof_event(void)
{
#if !EVENT
	u8 event;
#endif
	u32 i;

	memset(&promise_staged, 0, sizeof(promise_staged));
	memset(&accept_staged, 0, sizeof(accept_staged));
	pxs_out_init(&out);
	was = g;
	for (i = 0; i < SIZE; i++)
		was_slots[i] = slots[i];
#if EVENT
	happens(EVENT);
#else
	event = nondet_u8();
	SUPPOSE(MAY_HAPPEN(event));
	happens(event);
#endif
	check_event();
}
