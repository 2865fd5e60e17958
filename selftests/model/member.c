// SPDX-License-Identifier: GPL-2.0
/*
 * member.c - one input to one member, by the shipped code
 *
 * The shell's part is played as kmod/ plays it: call, then give records to the agent, then
 * send. Real structs are made of a struct member for each call: real.c.
 */
#include <stdio.h>
#include <setjmp.h>
#include "real.h"
#include "abort.h"

#define LATE		1000000ull	/* ms: later than any time-out */

static struct pxs_out out;
static struct member *now;	/* what this step makes */
static jmp_buf aborted;

void model_abort(const char *file, int line)
{
	model_fail("an assertion of the core: %s:%d", file, line);
	longjmp(aborted, 1);
}

static void set_sent(u32 bit)
{
	now->sent[bit / 8] |= (u8)(1 << bit % 8);
}

/* --- what leaves ------------------------------------------------------------------ */

static void promise_leaves(const struct pxs_send *send, u8 ballot)
{
	u32 code = 0, i;

	if (send->arg || send->slot != 1)
		model_fail("a PROMISE of more than one page");
	for (i = send->entries; i-- > 0;) {
		const struct pxs_out_entry *e = &out.entry[send->first + i];
		u32 n;

		if (!e->slot || e->slot > SLOTS || !e->value) {
			model_fail("a PROMISE with an unknown entry");
			return;
		}
		n = model_entry(model_ballot(e->ballot), model_value(e->value),
				e->flags & PXS_ENTRY_DECIDED);
		code += e->slot == 1 ? n : n * ENTRIES;
	}
	code += (u32)send->commit * (CODES / (SLOTS + 1));
	rules_promise(now, ballot, code);
	set_sent(SENT_PROMISE(ballot, code));
}

static void entries_leave(const struct pxs_send *send)
{
	u32 i;

	for (i = 0; i < send->entries; i++) {
		const struct pxs_out_entry *e = &out.entry[send->first + i];
		u8 b = model_ballot(e->ballot);
		u8 v = model_value(e->value);

		if (!e->slot || e->slot > SLOTS || !b || !v) {
			model_fail("a message with an unknown entry");
			return;
		}
		if (send->type == PXS_WIRE_LEARN) {
			set_sent(SENT_LEARN((u8)e->slot, b, v));
			continue;
		}
		if (e->ballot != send->ballot)
			model_fail("an ACCEPT with an entry of another ballot");
		set_sent(SENT_ACCEPT(b, (u8)e->slot, v, (u8)send->commit));
	}
}

/* Everything is remembered: one bit each. Datagrams to anybody can reach everybody. */
static void leave(void)
{
	u32 i, s;

	for (i = 0; i < out.nsend; i++) {
		const struct pxs_send *send = &out.send[i];
		u8 b = send->ballot ? model_ballot(send->ballot) : 0;

		if (send->commit > SLOTS) {
			model_fail("an unknown commit index");
			return;
		}
		switch (send->type) {
		case PXS_WIRE_PREPARE:
			rules_prepare(now, b);
			set_sent(SENT_PREPARE(b));
			break;
		case PXS_WIRE_PROMISE:
			promise_leaves(send, b);
			break;
		case PXS_WIRE_ACCEPT:
		case PXS_WIRE_LEARN:
			entries_leave(send);
			break;
		case PXS_WIRE_ACCEPTED:
			for (s = 0; s < send->count && send->slot + s <= SLOTS; s++) {
				rules_accepted(now, b, (u8)(send->slot + s));
				if (COUNT)
					set_sent(SENT_ACCEPTED(b, (u8)(send->slot + s)));
			}
			break;
		case PXS_WIRE_HEARTBEAT:
			if (LEARN)
				set_sent(SENT_BEAT(b, (u8)send->commit));
			break;
		}
	}
	if (out.what & PXS_OUT_DECIDED && out.commit != g.commit)
		model_fail("the agent is told of a commit index that is not the group's");
	pxs_out_done(&out);
}

static void release(void)
{
	bool more;

	do {
		pxs_group_release(&g, LATE, &out);
		more = out.what & PXS_OUT_MORE;
		leave();
	} while (more);
}

/* --- what arrives ----------------------------------------------------------------- */

static void recv(u8 from, struct pxs_msg m, const u8 *body)
{
	m.sender = from + 1;
	m.receiver = g.conf.self + 1;
	m.group = REAL_GROUP;
	memcpy(m.cluster, g.conf.cluster, sizeof(m.cluster));
	m.epoch = 1;
	m.sender_inc = REAL_INC + from;
	m.receiver_inc = REAL_INC + g.conf.self;
	m.counter = 1;
	if (pxs_group_admit(&g, &m) || pxs_group_trust(&g, &m))
		model_fail("an honest datagram of type %u is dropped", m.type);
	pxs_group_recv(&g, &m, body, LATE, &out);
	if (g.stat[PXS_GROUP_STAT_BAD_BODY])
		model_fail("an honest datagram of type %u is malformed", m.type);
}

static void recv_entry(u8 from, u8 type, u8 ballot, u8 slot, u8 vid, u8 commit)
{
	struct pxs_value *v = real_value(vid);
	struct pxs_entry e = {
		.slot = slot, .ballot = real_ballot(ballot), .len = v->len, .data = v->data,
		.flags = (v->noop ? PXS_ENTRY_NOOP : 0) |
			 (type == PXS_WIRE_LEARN ? PXS_ENTRY_DECIDED : 0),
	};
	struct pxs_msg m = { .type = type, .slot = slot, .count = 1, .commit = commit };
	u8 body[128];

	if (type == PXS_WIRE_ACCEPT)
		m.ballot = e.ballot;
	m.len = pxs_wire_put(body, 0, &e);
	recv(from, m, body);
	pxs_value_put(v);
}

static void arrive(const struct input *in)
{
	struct pxs_msg m = { .ballot = real_ballot(in->a) };

	switch (in->type) {
	case IN_PREPARE:
		m.type = PXS_WIRE_PREPARE;
		m.slot = 1;
		break;
	case IN_ACCEPT:
		recv_entry(in->from, PXS_WIRE_ACCEPT, in->a, in->b, in->c, in->d);
		return;
	case IN_LEARN:
		recv_entry(in->from, PXS_WIRE_LEARN, in->b, in->a, in->c, in->a);
		return;
	case IN_ACCEPTED:
		m.type = PXS_WIRE_ACCEPTED;
		m.slot = in->b;
		m.count = 1;
		break;
	case IN_REFUSE:
		m.type = PXS_WIRE_REFUSE;
		m.arg = real_ballot(in->b);
		break;
	case IN_BEAT:
		m.type = PXS_WIRE_HEARTBEAT;
		m.slot = in->b + 1;
		m.commit = in->b;
		break;
	default:
		m.type = PXS_WIRE_LEARN_REQ;
		m.ballot = 0;
		m.slot = in->a;
		m.count = 1;
	}
	recv(in->from, m, NULL);
}

/* --- the agent and the disk ------------------------------------------------------- */

static void lead(const struct input *in)
{
	u32 plan = in->b, i;

	if (pxs_group_lead(&g, real_ballot(in->a), g.commit + 1, g.commit, LATE, &out))
		return;
	for (i = 0; i < SLOTS; i++) {
		now->plan[i] = plan % (BALLOTS + 1);
		plan /= BALLOTS + 1;
	}
	if (model_sent(now, SENT_LED(in->a)))
		model_fail("S11: ballot %u leads twice", in->a);
	set_sent(SENT_LED(in->a));
}

static void propose(const struct input *in)
{
	struct pxs_value *v;
	u64 slot;

	if (g.lead_ballot != real_ballot(in->a) || g.next_slot > SLOTS)
		return;
	v = real_value(now->plan[g.next_slot - 1] ? now->plan[g.next_slot - 1] : in->a);
	if (!pxs_group_propose(&g, v, LATE, &slot, &out))
		now->plan[slot - 1] = 0;
	pxs_value_put(v);
}

/* The rest moves to the front. */
static void forget_record(void)
{
	memmove(now->record, now->record + 1, (RECORDS - 1) * sizeof(now->record[0]));
	memset(&now->record[RECORDS - 1], 0, sizeof(now->record[0]));
	now->nrecords--;
}

/* The oldest record gets to the disk. */
static void flush(void)
{
	const struct model_record *mr = &now->record[0];
	struct pxs_value *v = mr->vid ? real_value(mr->vid) : NULL;
	struct pxs_record r = real_record(mr, v);

	r.lsn = REAL_LSN0;
	real_group(&now->disk, now->self, PXS_GROUP_INACTIVE);
	if (pxs_group_load(&g, &r))
		model_fail("recovery refuses a record of type %u", r.type);
	model_of_group(&now->disk);
	pxs_group_exit(&g);
	pxs_value_put(v);
	real_wipe();
	if (mr->type == PXS_RECORD_ACCEPT)
		now->vote[mr->slot - 1][mr->ballot - 1] = mr->vid;
	forget_record();
}

/* Memory is gone; recovery loads what the disk has. Until it is complete nothing is answered. */
static void crash(void)
{
	struct pxs_msg m = { .type = PXS_WIRE_PREPARE, .ballot = real_ballot(BALLOTS), .slot = 1 };

	memset(now->record, 0, sizeof(now->record));
	memset(now->plan, 0, sizeof(now->plan));
	now->nrecords = 0;
	real_stage(now);
	real_group(&now->disk, now->self, PXS_GROUP_INACTIVE);
	if (OWNER(BALLOTS) != now->self) {
		recv(OWNER(BALLOTS), m, NULL);
		if (out.nsend || out.what || g.parked_head || stage.last_lsn != REAL_LSN0)
			model_fail("S3: a member that is not active answers");
	}
	if (pxs_group_activate(&g, 0, LATE))
		model_fail("a recovered member can't be activated");
}

/* Another agent: it reads what is on disk, @n more records, and gets again what is not. */
static void new_agent(u8 n)
{
	struct member twin = *now;

	pxs_stage_detach(&stage);
	if (pxs_stage_attach(&stage, REAL_INC + now->self, REAL_LSN0 + 1 + n) < 0)
		model_fail("a journal is refused");
	twin.nrecords = 0;
	memset(twin.record, 0, sizeof(twin.record));
	real_pump(&twin, REAL_LSN0 + n);
	if (memcmp(&twin, now, sizeof(twin)))
		model_fail("S6: the next agent gets other records");
	pxs_group_resign(&g);
	memset(now->plan, 0, sizeof(now->plan));
}

/* Whoever asks whether its ballot would be welcome is told so at once: see member.h. */
static void stand(const struct input *in)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_PREVOTE_ACK, .ballot = real_ballot(in->a), .slot = 1,
	};

	u8 i;

	pxs_group_prepare(&g, m.ballot, 1, 0, &out);
	for (i = 1; i < PHASE1 && g.poll.ballot; i++)
		recv((now->self + i) % MEMBERS, m, NULL);
	pxs_quorum_start(&g.poll, pxs_group_phase1(&g.conf), 0);
}

/* @n: how many records reached the disk. */
static void act(const struct input *in, u64 n)
{
	u64 epoch = stage.epoch;

	switch (in->type) {
	case IN_STAND:
		stand(in);
		break;
	case IN_LEAD:
		lead(in);
		break;
	case IN_PROPOSE:
		propose(in);
		break;
	case IN_TICK:
		pxs_group_tick(&g, LATE, true, &out);
		break;
	case IN_DURABLE:
		if (pxs_stage_durable(&stage, epoch, REAL_LSN0 + 1) != 1)
			model_fail("an acknowledgement is refused");
		break;
	case IN_CRASH:
		pxs_group_exit(&g);
		real_wipe();
		crash();
		break;
	case IN_AGENT:
		new_agent((u8)n);
		break;
	default:
		arrive(in);
	}
}

void member_init(struct member *m, u8 self)
{
	memset(m, 0, sizeof(*m));
	m->self = self;
	real_wipe();
	now = m;
	real_stage(m);
	real_group(&(struct model_group){ .base = 1 }, self, PXS_GROUP_INACTIVE);
	model_of_group(&m->disk);
	if (pxs_group_activate(&g, 0, LATE))
		model_fail("a new member can't be activated");
	model_of_group(&m->group);
	pxs_group_exit(&g);
}

/* How many records reach the disk by @in. */
static u8 flushed_by(const struct member *m, const struct input *in)
{
	switch (in->type) {
	case IN_DURABLE:
		return 1;
	case IN_CRASH:
		return in->a;
	case IN_AGENT:
		return in->a ? m->nrecords : 0;
	default:
		return 0;
	}
}

static void do_step(const struct member *before, const struct input *in, struct member *after)
{
	u8 n = flushed_by(before, in), i;
	u64 last;

	real_stage(before);
	last = stage.last_lsn;
	for (i = 0; i < n; i++)
		flush();
	real_group(&before->group, before->self, PXS_GROUP_ACTIVE);
	act(in, n);
	if (stage.durable_lsn > REAL_LSN0)
		release();
	leave();
	if (in->type != IN_CRASH)
		real_pump(after, last);
	model_of_group(&after->group);
	/* A plan dies with the ballot that it was for. */
	if (!after->group.lead)
		memset(after->plan, 0, sizeof(after->plan));
	real_check(after);
	pxs_group_exit(&g);
	rules_step(before, in, after);
}

void member_step(const struct member *before, const struct input *in, struct member *after)
{
	*after = *before;
	now = after;
	real_wipe();
	pxs_out_init(&out);
	if (!setjmp(aborted))
		do_step(before, in, after);
}
