/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order.h - does the order of positions respect real time? While it happens, O(1) a step
 *
 * An operation whose effect has a position in a log is linearizable when, for each pair, "a
 * returned before b was called" implies "a does not stand behind b". It is enough to know
 * the highest position of everything that has returned:
 *
 *	struct lin_order o = { 0 };
 *	struct lin_floor f = lin_order_call(&o);		when b is called
 *	...
 *	if (!lin_order_fits(&f, lin_at(slot)))			when its slot is known
 *		f.who returned before b was called, and stands at f.pos
 *	lin_order_return(&o, lin_at(slot), b);			when b returns
 *
 * Calls and returns are told in the order of their times. What never returns is judged
 * by lin_order_fits() as soon as its slot is known.
 */
#ifndef LIN_ORDER_H
#define LIN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/* Positions: a write in slot s is at 2s, what has seen it, and not the next, at 2s + 1. */
struct lin_span {
	uint64_t low, high;
};

struct lin_floor {
	uint64_t pos;
	uint64_t who;
};

struct lin_order {
	struct lin_floor top;
};

/* A write in slot @slot. */
static inline struct lin_span lin_at(uint64_t slot)
{
	return (struct lin_span){ 2 * slot, 2 * slot };
}

/* A read of the state as of @slot. */
static inline struct lin_span lin_as_of(uint64_t slot)
{
	return (struct lin_span){ 2 * slot + 1, 2 * slot + 1 };
}

/* A read that saw slot @slot filled: then, or any time later. */
static inline struct lin_span lin_since(uint64_t slot)
{
	return (struct lin_span){ 2 * slot + 1, UINT64_MAX };
}

/* A read that saw slot @slot empty. */
static inline struct lin_span lin_before(uint64_t slot)
{
	return (struct lin_span){ 0, 2 * slot - 1 };
}

static inline struct lin_floor lin_order_call(const struct lin_order *o)
{
	return o->top;
}

static inline bool lin_order_fits(const struct lin_floor *f, struct lin_span s)
{
	return f->pos <= s.high;
}

static inline void lin_order_return(struct lin_order *o, struct lin_span s, uint64_t who)
{
	if (s.low <= o->top.pos)
		return;
	o->top.pos = s.low;
	o->top.who = who;
}

#endif /* LIN_ORDER_H */
