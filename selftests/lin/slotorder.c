// SPDX-License-Identifier: GPL-2.0
/*
 * slotorder.c - the order of slots respects real time; how far weaker reads may lag
 *
 * All calls and returns in the order of their times go through order.h. What must not
 * stand before an operation is looked up once: when it is called, or for a read that may
 * be some time behind, that much earlier.
 */
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "order.h"
#include "slotlog.h"

struct event {
	uint64_t time;
	uint32_t op;
	bool returns;
};

/* "Returned before": at the same time is not before. */
static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	return (int)x->returns - (int)y->returns;
}

/* Return: it has a place in the log. */
static bool span_of(const struct slotlog *l, uint32_t i, struct lin_span *s)
{
	const struct lin_op *op = &l->h->op[i];

	if (op->kind == LIN_ENTRY || op->outcome == LIN_REFUSED)
		return false;
	if (lin_mutates(op)) {
		*s = lin_at(l->slot[i]);
		return l->slot[i];
	}
	if (op->outcome == LIN_UNKNOWN)
		return false;
	if (op->kind == LIN_READ)
		*s = lin_as_of(op->slot);
	else
		*s = op->value ? lin_since(op->arg) : lin_before(op->arg);
	return true;
}

static struct event *events(const struct slotlog *l, uint32_t *n)
{
	struct event *e = lin_alloc(NULL, 2 * (size_t)l->n, sizeof(*e));
	struct lin_span s;
	uint32_t i;

	*n = 0;
	for (i = 0; i < l->n; i++) {
		const struct lin_op *op = &l->h->op[l->idx[i]];
		uint64_t back = op->level == LIN_RECENT ? op->bound : 0;

		if (!span_of(l, l->idx[i], &s))
			continue;
		e[(*n)++] = (struct event){ op->call > back ? op->call - back : 0, l->idx[i],
					    false };
		if (op->ret != LIN_NEVER)
			e[(*n)++] = (struct event){ op->ret, l->idx[i], true };
	}
	qsort(e, *n, sizeof(*e), by_time);
	return e;
}

static struct lin_order *clients(const struct slotlog *l)
{
	struct lin_order *o;
	uint32_t top = 0, i;

	for (i = 0; i < l->n; i++)
		if (l->h->op[l->idx[i]].client > top)
			top = l->h->op[l->idx[i]].client;
	o = lin_alloc(NULL, top + 1, sizeof(*o));
	memset(o, 0, (top + 1) * sizeof(*o));
	return o;
}

/* What must not stand behind the operation. */
static struct lin_floor floor_of(const struct lin_op *op, const struct lin_order *all,
				 const struct lin_order *own)
{
	struct lin_floor f = { 0 };

	switch (op->level) {
	case LIN_NEAR:
		f = lin_order_call(all);
		f.pos -= f.pos / 2 < op->bound ? f.pos : 2 * op->bound;
		return f;
	case LIN_SESSION:
		return lin_order_call(own);
	case LIN_EVENTUAL:
		return f;
	default:
		return lin_order_call(all);
	}
}

static const char *words(const struct lin_op *op)
{
	switch (op->level) {
	case LIN_RECENT:
	case LIN_NEAR:
		return "the read is further behind than it may be";
	case LIN_SESSION:
		return "the client has already seen a later state";
	default:
		return "the first returned before the second was called, and stands behind it in the log";
	}
}

bool slotlog_order(struct slotlog *l, struct lin_verdict *v)
{
	struct lin_order all = { 0 }, *own = clients(l);
	struct lin_span s;
	bool good = true;
	struct event *e;
	uint32_t n, i;

	e = events(l, &n);
	for (i = 0; i < n && good; i++) {
		const struct lin_op *op = &l->h->op[e[i].op];
		struct lin_floor f;

		span_of(l, e[i].op, &s);
		if (e[i].returns) {
			lin_order_return(&all, s, e[i].op);
			lin_order_return(&own[op->client], s, e[i].op);
			continue;
		}
		f = floor_of(op, &all, &own[op->client]);
		good = lin_order_fits(&f, s);
		if (good)
			continue;
		lin_set(v, LIN_BAD, "%s", words(op));
		lin_witness(v, (uint32_t)f.who);
		lin_witness(v, e[i].op);
	}
	free(own);
	free(e);
	return good;
}
