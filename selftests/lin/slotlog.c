// SPDX-License-Identifier: GPL-2.0
/*
 * slotlog.c - what stands in a log, and does its replay give what was seen?
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "slotlog.h"

static uint64_t slot_of(const struct lin_op *op)
{
	return op->kind == LIN_FETCH ? op->arg : op->slot;
}

/* What a slot holds, as entries, fetches and operations tell it: cmp() orders by it. */
static uint64_t content(const struct lin_op *op)
{
	return op->kind == LIN_FETCH ? op->value : op->arg;
}

static bool is_noop(const struct lin_op *op)
{
	return op->kind == LIN_ENTRY && !op->arg;
}

#define ORDER(x, y)				\
	do {					\
		if ((x) != (y))			\
			return (x) < (y) ? -1 : 1;	\
	} while (0)

static int cmp(const struct lin_op *x, const struct lin_op *y)
{
	ORDER(content(x), content(y));
	ORDER(x->old, y->old);
	ORDER(x->cas, y->cas);
	if (is_noop(x))
		return 0;
	ORDER(x->key, y->key);
	return 0;
}

static int by_slot(const void *a, const void *b, void *ctx)
{
	const struct lin_history *h = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	ORDER(slot_of(&h->op[x]), slot_of(&h->op[y]));
	return x < y ? -1 : x > y;
}

static void two(struct lin_verdict *v, uint32_t a, uint32_t b)
{
	lin_witness(v, a);
	lin_witness(v, b);
}

bool slotlog_claims(struct slotlog *l, struct lin_verdict *v)
{
	const struct lin_op *op = l->h->op;
	uint32_t i;

	l->claim = lin_alloc(NULL, l->n, sizeof(*l->claim));
	for (i = 0; i < l->n; i++)
		if (lin_mutates(&op[l->idx[i]]) && op[l->idx[i]].slot &&
		    op[l->idx[i]].outcome != LIN_REFUSED)
			l->claim[l->claims++] = l->idx[i];
	qsort_r(l->claim, l->claims, sizeof(*l->claim), by_slot, (void *)l->h);
	for (i = 1; i < l->claims; i++) {
		if (op[l->claim[i]].slot != op[l->claim[i - 1]].slot)
			continue;
		lin_set(v, LIN_BAD, "two operations are told to have slot %" PRIu64,
			op[l->claim[i]].slot);
		two(v, l->claim[i - 1], l->claim[i]);
		return false;
	}
	return true;
}

/* Who looked at the same slot saw the same. */
static bool agree(struct slotlog *l, struct lin_verdict *v)
{
	const struct lin_op *op = l->h->op;
	uint32_t i;

	for (i = 1; i < l->seens; i++) {
		const struct lin_op *x = &op[l->seen[i - 1]], *y = &op[l->seen[i]];

		if (slot_of(x) != slot_of(y) || !cmp(x, y))
			continue;
		lin_set(v, LIN_BAD, "slot %" PRIu64 " holds two different things", slot_of(x));
		two(v, l->seen[i - 1], l->seen[i]);
		return false;
	}
	return true;
}

bool slotlog_evidence(struct slotlog *l, struct lin_verdict *v)
{
	const struct lin_op *op = l->h->op;
	uint32_t i, k = 0;

	l->seen = lin_alloc(NULL, l->n, sizeof(*l->seen));
	for (i = 0; i < l->n; i++) {
		const struct lin_op *o = &op[l->idx[i]];

		if (o->kind != LIN_ENTRY &&
		    (o->kind != LIN_FETCH || !o->value || o->outcome != LIN_DONE))
			continue;
		l->seen[l->seens++] = l->idx[i];
		l->entries |= o->kind == LIN_ENTRY;
	}
	qsort_r(l->seen, l->seens, sizeof(*l->seen), by_slot, (void *)l->h);
	if (!agree(l, v))
		return false;
	for (i = 0; i < l->claims; i++) {
		uint32_t c = l->claim[i];

		while (k < l->seens && slot_of(&op[l->seen[k]]) < op[c].slot)
			k++;
		if (k < l->seens && slot_of(&op[l->seen[k]]) == op[c].slot) {
			if (!cmp(&op[l->seen[k]], &op[c]))
				continue;
			lin_set(v, LIN_BAD, "acknowledged, but something else stands in its slot");
			two(v, c, l->seen[k]);
			return false;
		}
		if (!l->entries)
			continue;
		lin_set(v, LIN_BAD, "acknowledged, and lost: it is not in the log at the end");
		lin_witness(v, c);
		return false;
	}
	return true;
}

static int by_content(const void *a, const void *b, void *ctx)
{
	const struct lin_history *h = ctx;
	const struct lin_op *x = &h->op[*(const uint32_t *)a], *y = &h->op[*(const uint32_t *)b];
	int c = cmp(x, y);

	if (c)
		return c;
	if (lin_mutates(x))
		ORDER(x->call, y->call);
	else
		ORDER(slot_of(x), slot_of(y));
	return 0;
}

/* Things that stand in slots that nobody claims. */
static uint32_t unclaimed(struct slotlog *l, uint32_t *list)
{
	const struct lin_op *op = l->h->op;
	uint32_t n = 0, k = 0, i;

	for (i = 0; i < l->seens; i++) {
		uint64_t slot = slot_of(&op[l->seen[i]]);

		if (is_noop(&op[l->seen[i]]) || (i && slot_of(&op[l->seen[i - 1]]) == slot))
			continue;
		while (k < l->claims && op[l->claim[k]].slot < slot)
			k++;
		if (k == l->claims || op[l->claim[k]].slot != slot)
			list[n++] = l->seen[i];
	}
	qsort_r(list, n, sizeof(*list), by_content, (void *)l->h);
	return n;
}

static uint32_t unknowns(struct slotlog *l, uint32_t *list)
{
	const struct lin_op *op = l->h->op;
	uint32_t n = 0, i;

	for (i = 0; i < l->n; i++)
		if (lin_mutates(&op[l->idx[i]]) && op[l->idx[i]].outcome == LIN_UNKNOWN &&
		    !op[l->idx[i]].slot)
			list[n++] = l->idx[i];
	qsort_r(list, n, sizeof(*list), by_content, (void *)l->h);
	return n;
}

/* Nobody's, refused, or once too often? */
static void stranger(struct slotlog *l, uint32_t seen, struct lin_verdict *v)
{
	const struct lin_op *op = l->h->op;
	uint32_t refused = UINT32_MAX, again = UINT32_MAX, i;

	for (i = 0; i < l->n; i++) {
		if (!lin_mutates(&op[l->idx[i]]) || cmp(&op[l->idx[i]], &op[seen]))
			continue;
		if (op[l->idx[i]].outcome == LIN_REFUSED)
			refused = l->idx[i];
		else
			again = l->idx[i];
	}
	lin_set(v, LIN_BAD, refused != UINT32_MAX ? "refused, and yet in the log" :
		again != UINT32_MAX ? "took effect more often than it was asked for" :
		"stands in the log, and nobody put it there");
	if (refused != UINT32_MAX || again != UINT32_MAX)
		lin_witness(v, refused != UINT32_MAX ? refused : again);
	lin_witness(v, seen);
}

/*
 * Of equal things, the first slot is that of the first call: every other choice is
 * possible only if this one is.
 */
bool slotlog_resolve(struct slotlog *l, struct lin_verdict *v)
{
	const struct lin_op *op = l->h->op;
	uint32_t *there = lin_alloc(NULL, l->seens, sizeof(*there));
	uint32_t *asked = lin_alloc(NULL, l->n, sizeof(*asked));
	uint32_t n = unclaimed(l, there), m = unknowns(l, asked), i, k = 0, matched = 0;
	bool good = true;

	for (i = 0; i < n && good; i++) {
		while (k < m && cmp(&op[asked[k]], &op[there[i]]) < 0)
			k++;
		good = k < m && !cmp(&op[asked[k]], &op[there[i]]);
		if (good)
			l->slot[asked[k++]] = slot_of(&op[there[i]]);
		else
			stranger(l, there[i], v);
		matched++;
	}
	l->loose = !l->entries && matched < m;
	free(there);
	free(asked);
	return good;
}

struct at {
	uint64_t pos;
	uint32_t op;
};

static int by_pos(const void *a, const void *b, void *ctx)
{
	const struct lin_history *h = ctx;
	const struct at *x = a, *y = b;

	ORDER(h->op[x->op].key, h->op[y->op].key);
	ORDER(x->pos, y->pos);
	return 0;
}

static uint32_t registers(struct slotlog *l, struct at *at)
{
	uint32_t n = 0, i;

	for (i = 0; i < l->n; i++) {
		const struct lin_op *op = &l->h->op[l->idx[i]];
		uint64_t slot = l->slot[l->idx[i]];

		if (!lin_is_register(op) || (op->outcome == LIN_UNKNOWN && !slot) ||
		    op->outcome == LIN_REFUSED || (op->kind == LIN_READ && !op->outcome))
			continue;
		at[n].op = l->idx[i];
		at[n++].pos = 2 * slot + (op->kind == LIN_READ);
	}
	qsort_r(at, n, sizeof(*at), by_pos, (void *)l->h);
	return n;
}

/* Return: the operation may stand here; *state: the register before and after it. */
static bool step(const struct lin_op *op, uint64_t *state)
{
	uint64_t before = *state;

	if (op->kind == LIN_READ)
		return op->value == before;
	if (op->kind == LIN_WRITE || before == op->old)
		*state = op->arg;
	if (op->kind == LIN_WRITE || op->outcome == LIN_UNKNOWN)
		return true;
	return (before == op->old) == (op->outcome == LIN_DONE);
}

bool slotlog_replay(struct slotlog *l, struct lin_verdict *v)
{
	struct at *at = lin_alloc(NULL, l->n, sizeof(*at));
	uint32_t n = registers(l, at), wrote = UINT32_MAX, i;
	const struct lin_op *op = l->h->op;
	uint64_t state = 0, before;
	bool good = true;

	for (i = 0; i < n && good; i++) {
		if (!i || op[at[i].op].key != op[at[i - 1].op].key) {
			state = 0;
			wrote = UINT32_MAX;
		}
		before = state;
		good = step(&op[at[i].op], &state);
		if (!good && l->loose) {
			lin_set(v, LIN_UNDECIDED,
				"what this saw may come from an operation of unknown outcome: give entries");
			lin_witness(v, at[i].op);
		} else if (!good) {
			lin_set(v, LIN_BAD, wrote == UINT32_MAX ?
				"the log up to its slot holds no write of this key" :
				"this is not what the last write before its slot left there");
			if (wrote != UINT32_MAX)
				lin_witness(v, wrote);
			lin_witness(v, at[i].op);
		}
		if (op[at[i].op].kind == LIN_WRITE || state != before)
			wrote = at[i].op;
	}
	free(at);
	return good;
}

void slotlog_free(struct slotlog *l)
{
	free(l->claim);
	free(l->seen);
}
