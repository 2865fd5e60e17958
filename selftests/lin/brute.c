// SPDX-License-Identifier: GPL-2.0
/*
 * brute.c - the definitions themselves, tried out
 *
 * Slow and plain, and written without looking at the checker's ways: no event lists, no
 * memo, no running maximum. What both say alike is worth something.
 */
#include <string.h>

#include "brute.h"

struct world {
	const struct lin_history *h;
	bool slots;		/* slots count */
	bool entries;
	bool done[BRUTE_OPS];
	uint64_t cur;		/* position of the last one: 2 * slot, or one more behind it */
	uint64_t reg[BRUTE_KEYS];
	int holds[BRUTE_SLOTS + 1];	/* which operation stands there; -1 */
};

static bool takes_part(const struct lin_op *op)
{
	if (op->kind == LIN_ENTRY || op->outcome == LIN_REFUSED)
		return false;
	return op->outcome != LIN_UNKNOWN || lin_mutates(op);
}

static bool is_same(const struct lin_op *a, const struct lin_op *b)
{
	return a->arg == b->arg && a->cas == b->cas && a->old == b->old && a->key == b->key;
}

/* What the members say of a slot: -1 nothing. */
static int entry_of(const struct world *w, uint64_t slot)
{
	uint32_t i;

	for (i = 0; i < w->h->ops; i++)
		if (w->h->op[i].kind == LIN_ENTRY && w->h->op[i].slot == slot)
			return (int)i;
	return -1;
}

static bool fetched(const struct world *w, uint64_t slot, uint64_t value)
{
	uint32_t i;

	for (i = 0; i < w->h->ops; i++)
		if (w->h->op[i].kind == LIN_FETCH && w->h->op[i].outcome == LIN_DONE &&
		    w->h->op[i].arg == slot && w->h->op[i].value == value)
			return true;
	return false;
}

/* Known operations go where they say, if the members do not say otherwise. */
static bool slot_is_for(const struct world *w, const struct lin_op *op, uint64_t slot)
{
	int e = entry_of(w, slot);
	uint32_t i;

	if (op->outcome != LIN_UNKNOWN)
		return op->slot == slot && (!w->entries ||
		       (e >= 0 && is_same(op, &w->h->op[e])));
	for (i = 0; i < w->h->ops; i++)
		if (takes_part(&w->h->op[i]) && lin_mutates(&w->h->op[i]) &&
		    w->h->op[i].outcome != LIN_UNKNOWN && w->h->op[i].slot == slot)
			return false;
	if (e >= 0)
		return is_same(op, &w->h->op[e]);
	return !w->entries || fetched(w, slot, op->arg);
}

/* The result fits, and the state is changed. */
static bool apply(struct world *w, const struct lin_op *op)
{
	uint64_t *reg = &w->reg[op->key];
	bool hit;

	switch (op->kind) {
	case LIN_APPEND:
		return true;
	case LIN_WRITE:
		*reg = op->arg;
		return true;
	case LIN_READ:
		return *reg == op->value;
	case LIN_CAS:
		hit = *reg == op->old;
		if (hit)
			*reg = op->arg;
		return op->outcome == LIN_UNKNOWN || hit == (op->outcome == LIN_DONE);
	default:
		return false;
	}
}

static bool complete(const struct world *w)
{
	uint64_t s;
	uint32_t i;
	int e;

	for (i = 0; i < w->h->ops; i++)
		if (takes_part(&w->h->op[i]) && !w->done[i] &&
		    w->h->op[i].outcome != LIN_UNKNOWN)
			return false;
	for (s = 1; w->slots && s <= BRUTE_SLOTS; s++) {
		e = entry_of(w, s);
		if (e >= 0 && w->h->op[e].arg && w->holds[s] < 0)
			return false;
	}
	return true;
}

/* Nothing that returned before its call is still to come. */
static bool is_its_time(const struct world *w, uint32_t i)
{
	uint32_t k;

	if (w->done[i] || !takes_part(&w->h->op[i]))
		return false;
	for (k = 0; k < w->h->ops; k++)
		if (!w->done[k] && takes_part(&w->h->op[k]) && w->h->op[k].ret < w->h->op[i].call)
			return false;
	return true;
}

static bool go_on(struct world w);

static bool place(struct world w, uint32_t i, uint64_t slot)
{
	const struct lin_op *op = &w.h->op[i];

	if (lin_mutates(op)) {
		if (2 * slot <= w.cur || !slot_is_for(&w, op, slot))
			return false;
		w.cur = 2 * slot;
		w.holds[slot] = (int)i;
	} else if (op->kind == LIN_READ) {
		if (2 * slot + 1 < w.cur)
			return false;
		w.cur = 2 * slot + 1;
	} else if (!op->value) {
		if (w.cur > 2 * slot - 1)
			return false;
	} else {
		if (w.holds[slot] < 0 || w.h->op[w.holds[slot]].arg != op->value)
			return false;
		if (w.cur < 2 * slot + 1)
			w.cur = 2 * slot + 1;
	}
	if (op->kind != LIN_FETCH && !apply(&w, op))
		return false;
	w.done[i] = true;
	return go_on(w);
}

static bool go_on(struct world w)
{
	uint32_t i;
	uint64_t s;

	if (complete(&w))
		return true;
	for (i = 0; i < w.h->ops; i++) {
		const struct lin_op *op = &w.h->op[i];
		struct world next = w;

		if (!is_its_time(&w, i))
			continue;
		if (!w.slots) {
			next.done[i] = true;
			if (apply(&next, op) && go_on(next))
				return true;
		} else if (op->outcome != LIN_UNKNOWN) {
			if (place(w, i, op->kind == LIN_FETCH ? op->arg : op->slot))
				return true;
		} else {
			for (s = 1; s <= BRUTE_SLOTS; s++)
				if (place(w, i, s))
					return true;
		}
	}
	return false;
}

static struct world begin(const struct lin_history *h, bool slots)
{
	struct world w = { .h = h, .slots = slots };
	uint32_t i;

	for (i = 0; i <= BRUTE_SLOTS; i++)
		w.holds[i] = -1;
	for (i = 0; i < h->ops; i++)
		w.entries |= h->op[i].kind == LIN_ENTRY;
	return w;
}

bool brute_search(const struct lin_history *h)
{
	return go_on(begin(h, false));
}

bool brute_slots(const struct lin_history *h)
{
	uint32_t i, k;

	for (i = 0; i < h->ops; i++)
		for (k = 0; k < h->ops; k++)
			if (h->op[i].kind == LIN_ENTRY && h->op[k].kind == LIN_ENTRY &&
			    h->op[i].slot == h->op[k].slot && !is_same(&h->op[i], &h->op[k]))
				return false;
	return go_on(begin(h, true));
}

/* May @b stand before @a? */
static bool pair_is_good(const struct lin_op *a, const struct lin_op *b)
{
	uint64_t slack = 0;

	if (b->level == LIN_EVENTUAL || (b->level == LIN_SESSION && a->client != b->client))
		return true;
	if (b->level == LIN_RECENT) {
		if (b->call < b->bound || a->ret >= b->call - b->bound)
			return true;
	} else if (a->ret >= b->call) {
		return true;
	}
	if (b->level == LIN_NEAR)
		slack = b->bound;
	if (lin_mutates(b) && a->kind == LIN_READ)
		return a->slot < b->slot + slack;
	return a->slot <= b->slot + slack;
}

static bool read_is_good(const struct lin_history *h, const struct lin_op *r)
{
	uint64_t best = 0, value = 0;
	uint32_t i;

	for (i = 0; i < h->ops; i++) {
		const struct lin_op *w = &h->op[i];

		if (w->kind != LIN_WRITE || w->key != r->key || w->slot > r->slot ||
		    w->slot < best)
			continue;
		best = w->slot;
		value = w->arg;
	}
	return value == r->value;
}

bool brute_pairs(const struct lin_history *h)
{
	uint32_t i, k;

	for (i = 0; i < h->ops; i++) {
		if (h->op[i].kind == LIN_READ && !read_is_good(h, &h->op[i]))
			return false;
		for (k = 0; k < h->ops; k++) {
			if (i != k && !pair_is_good(&h->op[k], &h->op[i]))
				return false;
			if (i != k && lin_mutates(&h->op[i]) && lin_mutates(&h->op[k]) &&
			    h->op[i].slot == h->op[k].slot)
				return false;
		}
	}
	return true;
}
