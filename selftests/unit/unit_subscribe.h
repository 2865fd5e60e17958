/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_subscribe.h - a subscription of the client library, and what it has said so far
 */
#ifndef UNIT_SUBSCRIBE_H
#define UNIT_SUBSCRIBE_H

#include "unit_daemon.h"

/* What the subscription said. */
static u64 slots, next_slot, stop_at, end_applied;
static u32 repeated, with_id, noops, parts, damaged, out_of_order;
static u32 lost_slots;		/* bit N: slot N was lost */
static int ended;		/* the error; -1: not yet */
static char text[4096];

static u8 large[PXS_LOG_VALUE_MAX];

/* Its size in the text, if it is what was put in. */
static void judge_large(const struct pxs_log_value *v)
{
	char size[24];

	CHECK(v->len <= sizeof(large) && !memcmp(v->data, large, v->len));
	snprintf(size, sizeof(size), "[%zu] ", v->len);
	strcat(text, size);
}

static void on_value(void *ctx, const struct pxs_log_value *v)
{
	struct pxs_log *log = ctx;

	out_of_order += v->slot != next_slot;
	next_slot = v->slot + 1;
	slots++;
	repeated += !!(v->flags & PXS_LOG_REPEATED);
	noops += !!(v->flags & PXS_LOG_NOOP);
	parts += !!(v->flags & PXS_LOG_PART);
	damaged += !!(v->flags & PXS_LOG_LOST);
	if (v->flags & PXS_LOG_LOST && v->slot < 32)
		lost_slots |= 1u << v->slot;
	with_id += !!v->id;
	CHECK(!v->flags == !!v->data && (v->data || !v->len));
	if (!v->flags && v->len < 100)
		strcat(strncat(text, v->data, v->len), " ");
	else if (!v->flags)
		judge_large(v);
	if (v->slot == stop_at)
		pxs_log_unsubscribe(log);
}

static void on_end(void *ctx, int error, u64 applied_there)
{
	(void)ctx;
	CHECK_EQ(ended, -1);
	ended = error;
	end_applied = applied_there;
}

static bool is_over(void)
{
	return ended >= 0;
}

/* The first daemon was asked often: all others have been, each time. */
static bool asked_again(void)
{
	return ended >= 0 || daemon_[0].reads >= 4;
}

static void append_text(const char *value)
{
	add_entry(value, (u32)strlen(value), 0);
}

static int subscribe(struct pxs_log *log, u64 from, u64 count, unsigned int flags)
{
	slots = 0;
	next_slot = from;
	repeated = 0;
	noops = 0;
	parts = 0;
	damaged = 0;
	lost_slots = 0;
	with_id = 0;
	out_of_order = 0;
	ended = -1;
	stop_at = 0;
	text[0] = 0;
	return pxs_log_subscribe(log, from, count, flags, on_value, on_end, log);
}

static struct pxs_log *start(u64 entries)
{
	struct pxs_log *log = begin();
	char value[24];

	while (applied < entries) {
		snprintf(value, sizeof(value), "v%llu", (unsigned long long)applied + 1);
		append_text(value);
	}
	return log;
}

#endif /* UNIT_SUBSCRIBE_H */
