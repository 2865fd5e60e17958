// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_group.c - one member, and everything that can happen to it
 *
 * The input is a script: datagrams of authentic members that say anything, a journal
 * that is slow, dies and comes back, requests of an agent that knows no rules, crashes,
 * damaged records. What must hold all the same: nothing that stands for a promise or an
 * accept leaves before its record is durable (S1), a promise is never taken back, not by
 * a crash either, and what leaves is well-formed.
 */
#include "fuzz.h"
#include "group.h"

#define WINDOW	64u
#define INC	100u
#define KEPT	4096u

struct kept {
	u8 type;
	u64 slot;
	u64 ballot;
	u8 *bytes;
	u32 size;
	bool damaged;
};

static struct pxs_group g;
static struct pxs_stage stage;
static struct pxs_slot slots[WINDOW];
static struct pxs_parked parked[2 * WINDOW];
static u8 ring[2 * PXS_APPEND_MAX];
static u32 length[PXS_STAGE_RECORDS];
static struct pxs_out out;
static u64 epoch, now, counter;
/* What the agent was sent; kept[lsn - 1]. */
static struct kept kept[KEPT];
static u64 nkept;
static u64 promised;		/* highest promise durable */

static struct pxs_group_conf conf = {
	.id = 1, .epoch = 1, .nmembers = 5, .window = WINDOW, .heartbeat_ms = 100,
	.election_ms = 1000,
	.member = { { 1, INC }, { 2, INC + 1 }, { 3, INC + 2 }, { 4, INC + 3 }, { 5, INC + 4 } },
};

/* --- what leaves ------------------------------------------------------------- */

static bool durable_record(u8 type, u64 slot, u64 ballot)
{
	u64 i;

	for (i = 0; i < stage.durable_lsn; i++)
		if (kept[i].type == type && kept[i].ballot == ballot &&
		    (type == PXS_RECORD_PROMISE || kept[i].slot == slot))
			return true;
	return false;
}

/* A promise is durable when a record at its ballot, of either kind, is. */
static bool durable_promise(u64 ballot)
{
	u64 i;

	for (i = 0; i < stage.durable_lsn; i++)
		if ((kept[i].type == PXS_RECORD_PROMISE || kept[i].type == PXS_RECORD_ACCEPT) &&
		    kept[i].ballot == ballot)
			return true;
	return false;
}

static void check_send(const struct pxs_send *s)
{
	u64 self = 1ull << conf.self;
	struct pxs_msg m;
	u8 *body;
	u32 i;
	u8 to;

	FUZZ_CHECK(s->to && !(s->to & ~31ull));
	FUZZ_CHECK(s->type == PXS_WIRE_PROMISE || !(s->to & self));
	FUZZ_CHECK(s->first + s->entries <= out.nentry);
	switch (s->type) {
	case PXS_WIRE_PREPARE:
	case PXS_WIRE_PROMISE:
		FUZZ_CHECK(durable_promise(s->ballot));
		break;
	case PXS_WIRE_ACCEPTED:
		FUZZ_CHECK(s->count && s->count <= 2 * WINDOW);
		for (i = 0; i < s->count; i++)
			FUZZ_CHECK(durable_record(PXS_RECORD_ACCEPT, s->slot + i, s->ballot));
		break;
	case PXS_WIRE_TRANSFER:
		FUZZ_CHECK(s->ballot == g.lead_ballot && s->slot == s->commit + 1);
		break;
	case PXS_WIRE_READ:
		FUZZ_CHECK(s->ballot == g.lead_ballot && s->arg == g.read.round && s->arg);
		break;
	case PXS_WIRE_READ_ACK:
		FUZZ_CHECK(s->ballot >= g.promised && (!s->count || s->ballot == g.lease.granted));
		break;
	case PXS_WIRE_HELD:
		FUZZ_CHECK(s->ballot == g.lead_ballot && s->slot && s->slot <= s->commit);
		break;
	}
	to = (u8)__builtin_ctzll(s->to);
	pxs_out_msg(&g, s, to, &m);
	FUZZ_CHECK(m.len <= PXS_WIRE_BODY_MAX);
	body = malloc(m.len);
	FUZZ_CHECK(body || !m.len);
	pxs_out_body(&out, s, body);
	FUZZ_CHECK(pxs_wire_check_body(&m, body));
	free(body);
}

static void look(void)
{
	u32 i;

	FUZZ_CHECK(out.nsend <= PXS_OUT_SENDS && out.nentry <= PXS_OUT_ENTRIES);
	for (i = 0; i < out.nsend; i++)
		check_send(&out.send[i]);
	pxs_out_done(&out);
	FUZZ_CHECK(g.promised >= promised);
	FUZZ_CHECK(stage.durable_lsn <= stage.sent_lsn && stage.sent_lsn <= stage.last_lsn);
	FUZZ_CHECK(g.parked_head - g.parked_tail <= 2 * WINDOW);
	FUZZ_CHECK(g.lead_ballot <= g.promised && g.prepare_ballot <= g.promised);
	FUZZ_CHECK(!g.hand.on || g.lead_ballot);
}

/* --- the journal -------------------------------------------------------------- */

static void journal_take(void)
{
	struct pxs_batch b;
	struct pxs_record r;
	u8 *buf, *p;
	u32 i;

	if (!pxs_stage_due(&stage, PXS_APPEND_MAX, &b)) {
		pxs_stage_late(&stage);	/* then the next time */
		return;
	}
	if (nkept + b.count > KEPT)
		return;
	buf = malloc(b.bytes);
	FUZZ_CHECK(buf);
	pxs_stage_copy(&stage, &b, buf);
	FUZZ_CHECK(b.first_lsn <= nkept + 1);
	for (p = buf, i = 0; i < b.count; i++) {
		struct kept *k = &kept[b.first_lsn + i - 1];

		FUZZ_CHECK(pxs_record_get(p, (size_t)(buf + b.bytes - p), &r) == PXS_RECORD_OK);
		FUZZ_CHECK(r.lsn == b.first_lsn + i);
		if (b.first_lsn + i <= nkept) {
			/* Sent again: the same. */
			FUZZ_CHECK(k->size == pxs_record_size(r.len) &&
				   !memcmp(k->bytes, p, k->size));
		} else {
			*k = (struct kept){ .type = r.type, .slot = r.slot, .ballot = r.ballot,
					    .size = pxs_record_size(r.len) };
			k->bytes = malloc(k->size);
			FUZZ_CHECK(k->bytes);
			memcpy(k->bytes, p, k->size);
			nkept++;
		}
		p += k->size;
	}
	FUZZ_CHECK(p == buf + b.bytes);
	free(buf);
	pxs_stage_sent(&stage, &b);
}

static void count_durable(void)
{
	u64 i;

	for (i = 0; i < stage.durable_lsn; i++)
		if (kept[i].type == PXS_RECORD_PROMISE || kept[i].type == PXS_RECORD_ACCEPT)
			promised = max(promised, kept[i].ballot);
}

static void journal_durable(struct input *in)
{
	u64 room = stage.sent_lsn - stage.durable_lsn;
	u8 how = take8(in);
	u64 lsn = stage.durable_lsn + (how & 0x80 ? room : room * (how & 0x7f) / 128);
	int ret;

	ret = pxs_stage_durable(&stage, epoch - (how == 1), lsn + (how == 2 ? room + 1 : 0));
	FUZZ_CHECK(ret <= 1);
	count_durable();
	if (how & 0x40)
		pxs_group_release(&g, now, &out);
}

/* The agent dies, and another one finds so much of what was sent on the disk. */
static void agent_crash(struct input *in)
{
	u64 room = nkept - stage.durable_lsn;
	u64 have = stage.durable_lsn + (u64)take8(in) * room / 255;
	u64 inc = INC + (take8(in) == 7);
	s64 ret;

	pxs_stage_detach(&stage);
	ret = pxs_stage_attach(&stage, inc, have + 1);
	if (ret < 0) {
		FUZZ_CHECK(inc != INC || stage.failed);
		pxs_stage_attach(&stage, INC, stage.durable_lsn + 1);
		epoch = stage.epoch;
	} else {
		epoch = (u64)ret;
	}
	count_durable();
	pxs_group_release(&g, now, &out);
}

static void start(u64 records)
{
	pxs_stage_init(&stage, ring, sizeof(ring), length);
	memset(slots, 0, sizeof(slots));
	pxs_group_init(&g, &conf, &stage, slots, parked);
	epoch = (u64)pxs_stage_attach(&stage, INC, records + 1);
}

/* The machine dies. What was confirmed is there, and perhaps more; values may rot. */
static void machine_crash(struct input *in)
{
	u64 have = stage.durable_lsn + (u64)take8(in) * (nkept - stage.durable_lsn) / 255;
	u64 rot = take16(in), commit = g.commit, i;
	bool known = g.commit_lsn <= stage.durable_lsn && take8(in) & 1;
	bool damaged = false;
	struct pxs_record r;
	int ret;

	pxs_group_exit(&g);
	start(have);
	for (i = have; i < nkept; i++)
		free(kept[i].bytes);
	nkept = have;
	for (i = 0; i < have; i++) {
		kept[i].damaged |= i + 1 == rot;
		FUZZ_CHECK(!pxs_record_get(kept[i].bytes, kept[i].size, &r));
		if (kept[i].damaged && (r.type == PXS_RECORD_ACCEPT ||
					r.type == PXS_RECORD_DECIDED)) {
			r.flags = PXS_ENTRY_FAULTY;
			r.len = 0;
			damaged = true;
		}
		FUZZ_CHECK(!pxs_group_load(&g, &r));
	}
	count_durable();
	FUZZ_CHECK(g.promised == promised);
	now += 1000;
	ret = pxs_group_activate(&g, known ? commit : 0, now);
	FUZZ_CHECK(!ret || damaged);
}

/* --- what others and our agent say ------------------------------------------- */

static u64 take_ballot(struct input *in, u8 member)
{
	u8 how = take8(in);

	switch (how & 7) {
	case 0:
		return g.promised;
	case 1:
		return g.lead_ballot ? g.lead_ballot : g.prepare_ballot;
	case 2:
		return pxs_ballot(pxs_ballot_round(g.promised) + 1, member);
	case 3:
		return take64(in);
	default:
		return pxs_ballot(1 + (how >> 3), member);
	}
}

static u64 take_slot(struct input *in)
{
	u8 how = take8(in);

	if (how == 0xff)
		return take64(in);
	if (how == 0xfe)
		return PXS_SLOT_MAX - take8(in);
	return g.commit + 1 + how % 80 - (how >= 160 ? 8 : 0);
}

static void deliver(const struct pxs_msg *m, u8 *body)
{
	struct pxs_wire_hdr hdr;
	struct pxs_msg again;

	pxs_wire_build(&hdr, m);
	if (pxs_wire_parse(&hdr, PXS_WIRE_HDR_LEN + m->len, &again) ||
	    pxs_group_admit(&g, &again) || pxs_group_trust(&g, &again))
		return;
	pxs_group_recv(&g, &again, body, now, &out);
}

static void datagram(struct input *in)
{
	u8 from = 1 + take8(in) % 4;
	struct pxs_msg m = {
		.type = 1 + take8(in) % (__PXS_WIRE_TYPE_MAX - 1),
		.sender = from + 1, .receiver = 1, .group = 1, .epoch = 1,
		.sender_inc = INC + from, .receiver_inc = INC, .counter = ++counter,
	};
	bool full = m.type == PXS_WIRE_ACCEPT || m.type == PXS_WIRE_LEARN ||
		    m.type == PXS_WIRE_PROMISE;
	bool leads = m.type == PXS_WIRE_PREPARE || m.type == PXS_WIRE_ACCEPT ||
		     m.type == PXS_WIRE_HEARTBEAT || m.type == PXS_WIRE_PREVOTE ||
		     m.type == PXS_WIRE_TRANSFER || m.type == PXS_WIRE_READ ||
		     m.type == PXS_WIRE_HELD;
	bool learns = m.type == PXS_WIRE_LEARN_REQ || m.type == PXS_WIRE_LEARN;
	u8 *body = malloc(PXS_WIRE_BODY_MAX), *exact, how, i, fill;

	FUZZ_CHECK(body);
	m.ballot = learns ? 0 : take_ballot(in, leads ? from + 1 : 1);
	m.slot = take_slot(in);
	m.commit = take_slot(in) - 1;
	m.arg = take8(in) & 1 ? take64(in) : 0;
	if (m.type == PXS_WIRE_READ_ACK && m.arg & 1)
		m.arg = g.read.round;
	how = take8(in);
	m.count = how;
	for (i = 0; full && i < (how & 7); i++) {
		struct pxs_entry e = {
			.slot = m.slot + i, .ballot = m.ballot, .data = body + 16384,
			.len = how & 8 ? take16(in) % 2048 : take8(in) & 15,
		};

		fill = take8(in);
		memset(body + 16384, fill, e.len);
		if (m.type != PXS_WIRE_ACCEPT)
			e.ballot = take_ballot(in, 1 + (fill & 3));
		if (m.type == PXS_WIRE_LEARN)
			e.flags = PXS_ENTRY_DECIDED;
		if (!e.len && fill & 0x10)
			e.flags |= PXS_ENTRY_NOOP;
		m.len = pxs_wire_put(body, m.len, &e);
		m.count = i + 1;
	}
	exact = malloc(m.len);
	FUZZ_CHECK(exact || !m.len);
	if (m.len)
		memcpy(exact, body, m.len);
	deliver(&m, exact);
	free(exact);
	free(body);
}

/* Any bytes that bear the right names. */
static void raw_datagram(struct input *in)
{
	size_t len = take16(in) % 512;
	u8 from = 1 + take8(in) % 4;
	struct pxs_msg m = {
		.type = take8(in), .sender = from + 1, .receiver = 1, .group = 1, .epoch = 1,
		.sender_inc = INC + from, .receiver_inc = INC, .counter = take64(in),
		.ballot = take64(in), .slot = take64(in), .commit = take64(in), .arg = take64(in),
		.count = take16(in),
	};
	u8 *body = take_copy(in, &len);

	m.len = (u32)len;
	deliver(&m, body);
	free(body);
}

static void agent_request(struct input *in, u8 op)
{
	u8 text[256];
	struct pxs_value *v;
	u64 ballot = take_ballot(in, 1), slot;
	u8 len;

	switch (op) {
	case 0:
		pxs_group_prepare(&g, ballot, take_slot(in), take8(in) & 31, &out);
		break;
	case 1:
		slot = take_slot(in);
		pxs_group_lead(&g, ballot, slot, slot - 1 + (ballot & 2), now, &out);
		break;
	case 2:
		pxs_group_resign(&g);
		break;
	default:
		len = take8(in);
		memset(text, len, sizeof(text));
		v = pxs_value_new(text, len, !len);
		FUZZ_CHECK(v);
		pxs_group_propose(&g, v, now, &slot, &out);
		pxs_value_put(v);
	}
}

/* A checkpoint of ours, or of a peer's. */
static void trim(struct input *in, bool peers)
{
	u64 commit = g.commit, before = g.trim, slot = take_slot(in);
	int ret;

	slot -= min(slot, (u64)(peers ? 0 : take8(in) % 64));
	ret = peers ? pxs_group_skip(&g, slot, &out) : pxs_group_trim(&g, slot);
	FUZZ_CHECK(g.commit >= commit && g.trim >= before && g.trim <= g.commit);
	FUZZ_CHECK(ret || g.commit >= slot);
	FUZZ_CHECK(!ret || (g.commit == commit && g.trim == before));
	FUZZ_CHECK(ret || peers || g.trim == slot);
}

static void step(struct input *in)
{
	u8 op = take8(in);
	u64 round;

	switch (op & 15) {
	case 0: case 1: case 2: case 3:
		datagram(in);
		break;
	case 4:
		raw_datagram(in);
		break;
	case 5: case 6:
		journal_take();
		break;
	case 7: case 8:
		journal_durable(in);
		break;
	case 9:
		pxs_group_release(&g, now, &out);
		break;
	case 10:
		now += take16(in);
		pxs_group_tick(&g, now, op & 0x80, &out);
		break;
	case 11: case 12:
		agent_request(in, op >> 4 & 3);
		break;
	case 13:
		agent_crash(in);
		break;
	case 14:
		machine_crash(in);
		break;
	case 15:
		if (op == 0xff)
			pxs_stage_fail(&stage);
		else if (op == 0xef)
			pxs_group_fence(&g, "fuzz");
		else if (op == 0x4f || op == 0x5f)
			trim(in, op == 0x5f);
		else if (op & 0x80)
			pxs_group_read(&g, now, &round, &out);
		else
			pxs_group_transfer(&g, op >> 4, now, &out);
		break;
	}
	look();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, min(size, (size_t)4096) };
	u64 i;

	epoch = 0;
	counter = 0;
	nkept = 0;
	promised = 0;
	now = 10000;
	conf.lease_drift = size & 1 ? 100 : 0;
	conf.phase1 = size & 2 ? 4 : 0;
	conf.phase2 = size & 2 ? 2 : 0;
	pxs_out_init(&out);
	start(0);
	FUZZ_CHECK(!pxs_group_activate(&g, 0, now));
	while (in.n)
		step(&in);
	pxs_group_exit(&g);
	for (i = 0; i < nkept; i++)
		free(kept[i].bytes);
	return 0;
}
