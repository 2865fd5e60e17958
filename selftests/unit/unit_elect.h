/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_elect.h - an election without a datapath: the test plays that and the members
 *
 * Members with ids 1, 2 ...; we are member index 0. Time stands still except where a
 * test moves it.
 */
#ifndef UNIT_ELECT_H
#define UNIT_ELECT_H
#include "unit.h"
#include "../../agent/elect.h"

#define NOW	1000u
#define E_MS	100u	/* election_ms */

static struct pxs_elect e;
static u64 now;
static u8 body[PXS_WIRE_BODY_MAX];
static u32 body_len;
static u16 body_count;

static inline void begin_with(u8 nmembers, u64 promised, u64 commit)
{
	struct pxs_group_conf conf = {
		.id = 7, .epoch = 3, .nmembers = nmembers, .self = 0, .window = 64,
		.heartbeat_ms = 20, .election_ms = E_MS,
	};
	struct pxs_elect_action a;
	u8 i;

	for (i = 0; i < nmembers; i++) {
		conf.member[i].id = i + 1;
		conf.member[i].incarnation = 100 + i;
	}
	now = NOW;
	pxs_elect_init(&e, &conf, 42);
	pxs_elect_start(&e, promised, commit, now);
	CHECK(pxs_elect_next(&e, &a));
	CHECK_EQ(a.type, PXS_ELECT_RESIGN);
	pxs_elect_done(&e, &a, 0, now);
	body_len = 0;
	body_count = 0;
}

/* Take the next action; 0: there is none. It is left open. */
static inline u8 next(struct pxs_elect_action *a)
{
	return pxs_elect_next(&e, a) ? a->type : 0;
}

static inline u8 next_done(struct pxs_elect_action *a)
{
	u8 type = next(a);

	if (type)
		pxs_elect_done(&e, a, type == PXS_ELECT_PROPOSE ? a->slot : 0, now);
	return type;
}

static inline void drain(void)
{
	struct pxs_elect_action a;

	while (next_done(&a))
		;
}

/* Let time pass until we stand. Return: the ballot. */
static inline u64 stand(void)
{
	u32 i;

	for (i = 0; i < 1000 && e.role != PXS_ROLE_CANDIDATE; i++) {
		now += 20;
		pxs_elect_tick(&e, now);
	}
	CHECK_EQ(e.role, PXS_ROLE_CANDIDATE);
	return e.ballot;
}

static inline void begin(void)
{
	begin_with(5, 0, 0);
}

static inline void entry(u64 slot, u64 ballot, const char *value, u8 flags)
{
	struct pxs_entry en = { .slot = slot, .ballot = ballot, .flags = flags,
				.len = value ? (u32)strlen(value) : 0, .data = (const u8 *)value };

	body_len = pxs_wire_put(body, body_len, &en);
	body_count++;
}

/* Member index @from answers with the entries gathered so far. */
static inline void promise(u8 from, u64 ballot, u64 slot, u64 arg, u64 commit)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_PROMISE, .sender = from + 1, .receiver = 1, .group = 7, .epoch = 3,
		.sender_inc = 100 + from, .receiver_inc = 100, .ballot = ballot, .slot = slot,
		.arg = arg, .commit = commit, .len = body_len, .count = body_count,
	};

	pxs_elect_recv(&e, &m, body, now);
	body_len = 0;
	body_count = 0;
}

static inline void refuse(u8 from, u64 ballot, u64 higher)
{
	struct pxs_msg m = {
		.type = PXS_WIRE_REFUSE, .sender = from + 1, .receiver = 1, .group = 7, .epoch = 3,
		.sender_inc = 100 + from, .receiver_inc = 100, .ballot = ballot, .arg = higher,
	};

	pxs_elect_recv(&e, &m, NULL, now);
}

static inline void expect_value(const struct pxs_elect_action *a, u64 slot, const char *value)
{
	CHECK_EQ(a->type, PXS_ELECT_PROPOSE);
	CHECK_EQ(a->slot, slot);
	CHECK_FATAL(a->value);
	CHECK_EQ(a->value->noop, !value);
	CHECK_EQ(a->value->len, value ? strlen(value) : 0);
	if (value)
		CHECK(!memcmp(a->value->data, value, a->value->len));
}

/* The next action proposes @value (NULL: a no-op) in @slot; it is done. */
static inline void proposes(u64 slot, const char *value)
{
	struct pxs_elect_action a;

	next(&a);
	expect_value(&a, slot, value);
	pxs_elect_done(&e, &a, slot, now);
}

#endif /* UNIT_ELECT_H */
