/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_group.h - one member of five; the test plays the disk and the others
 *
 * Member ids are 1..5, we are index 0. The test says what arrives and what is durable,
 * and looks at what leaves.
 */
#ifndef UNIT_GROUP_H
#define UNIT_GROUP_H
#include "unit.h"
#include "group.h"

#define WINDOW	64u
#define INC	100u

static struct pxs_group g;
static struct pxs_stage stage;
static struct pxs_slot slots[WINDOW];
static struct pxs_parked parked[2 * WINDOW];
static u8 ring[2 * PXS_APPEND_MAX];
static u32 length[PXS_STAGE_RECORDS];
static struct pxs_out out;
static u64 epoch, now, counter;

static inline void init(void)
{
	struct pxs_group_conf conf = {
		.id = 1, .epoch = 1, .nmembers = 5, .window = WINDOW, .heartbeat_ms = 100,
		.election_ms = 1000,
	};
	u8 i;

	for (i = 0; i < 5; i++)
		conf.member[i] = (struct pxs_member){ .id = i + 1, .incarnation = INC + i };
	CHECK(!pxs_group_check_conf(&conf));
	pxs_stage_init(&stage, ring, sizeof(ring), length);
	memset(slots, 0, sizeof(slots));
	pxs_group_init(&g, &conf, &stage, slots, parked);
	pxs_out_init(&out);
	now = 10000;
}

/* With a journal of @records records. */
static inline void attach(u64 records)
{
	epoch = (u64)pxs_stage_attach(&stage, INC, records + 1);
}

static inline void begin(void)
{
	init();
	attach(0);
	CHECK_EQ(pxs_group_activate(&g, 0, now), 0);
}

static inline void end(void)
{
	pxs_out_done(&out);
	pxs_group_exit(&g);
}

/* All that is staged is on disk now; what it allows is in out. */
static inline void durable(void)
{
	struct pxs_batch b;

	pxs_out_done(&out);
	pxs_stage_durable(&stage, epoch, stage.sent_lsn);
	pxs_stage_late(&stage);
	/* Batch by batch: while enough is in flight there is no next one. */
	while (pxs_stage_due(&stage, PXS_APPEND_MAX, &b)) {
		pxs_stage_sent(&stage, &b);
		pxs_stage_durable(&stage, epoch, b.first_lsn + b.count - 1);
	}
	CHECK_EQ(stage.durable_lsn, stage.last_lsn);
	pxs_group_release(&g, now, &out);
}

static inline void recv(u8 from, struct pxs_msg m, const u8 *body)
{
	m.sender = from + 1;
	m.receiver = 1;
	m.group = 1;
	m.epoch = 1;
	m.sender_inc = INC + from;
	m.receiver_inc = INC;
	m.counter = ++counter;
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_admit(&g, &m), 0);
	CHECK_EQ(pxs_group_trust(&g, &m), 0);
	pxs_group_recv(&g, &m, body, now, &out);
}

static inline void prepare(u8 from, u64 ballot, u64 slot)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_PREPARE, .ballot = ballot, .slot = slot },
	     NULL);
}

static inline void entries(u8 type, u8 from, u64 ballot, u64 slot, const char *value, u64 commit)
{
	struct pxs_msg m = { .type = type, .slot = slot, .count = 1, .commit = commit };
	struct pxs_entry e = { .slot = slot, .ballot = ballot, .len = (u32)strlen(value),
			       .data = (const u8 *)value };
	u8 body[256];

	if (type == PXS_WIRE_LEARN)
		e.flags = PXS_ENTRY_DECIDED;
	else
		m.ballot = ballot;
	m.len = pxs_wire_put(body, 0, &e);
	recv(from, m, body);
}

static inline void accept(u8 from, u64 ballot, u64 slot, const char *value, u64 commit)
{
	entries(PXS_WIRE_ACCEPT, from, ballot, slot, value, commit);
}

static inline void learn(u8 from, u64 ballot, u64 slot, const char *value)
{
	entries(PXS_WIRE_LEARN, from, ballot, slot, value, slot);
}

static inline void accepted(u8 from, u64 ballot, u64 slot, u16 count)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_ACCEPTED, .ballot = ballot, .slot = slot,
				     .count = count }, NULL);
}

/* The one datagram of @type in out, NULL: none. */
static inline const struct pxs_send *sent(u8 type)
{
	u32 i;

	for (i = 0; i < out.nsend; i++)
		if (out.send[i].type == type)
			return &out.send[i];
	return NULL;
}

static inline int propose(const char *value, u64 *slot)
{
	struct pxs_value *v = pxs_value_new(value, (u32)strlen(value), false);
	int ret;

	pxs_out_done(&out);
	ret = pxs_group_propose(&g, v, now, slot, &out);
	pxs_value_put(v);
	return ret;
}

/* Member index @from says of our @ballot: welcome (@way 0), or what is in its way. */
static inline void prevote_ack(u8 from, u64 ballot, u64 way)
{
	recv(from, (struct pxs_msg){ .type = PXS_WIRE_PREVOTE_ACK, .ballot = ballot, .slot = 1,
				     .arg = way }, NULL);
}

/* Ask to open @ballot; two others welcome it. */
static inline void stand(u64 ballot)
{
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_prepare(&g, ballot, g.commit + 1, 0, &out), 0);
	prevote_ack(1, ballot, 0);
	prevote_ack(2, ballot, 0);
	CHECK_EQ(g.prepare_ballot, ballot);
}

static inline void lead(u64 ballot)
{
	stand(ballot);
	durable();
	pxs_out_done(&out);
	CHECK_EQ(pxs_group_lead(&g, ballot, g.commit + 1, g.commit, now, &out), 0);
}

static inline int load(u8 type, u64 lsn, u64 slot, u64 ballot, const char *value, u8 flags)
{
	struct pxs_record r = { .group = 1, .type = type, .lsn = lsn, .slot = slot,
				.ballot = ballot, .flags = flags,
				.len = value ? (u32)strlen(value) : 0, .data = (const u8 *)value };

	return pxs_group_load(&g, &r);
}

#endif /* UNIT_GROUP_H */
