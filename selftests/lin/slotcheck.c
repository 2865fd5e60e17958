// SPDX-License-Identifier: GPL-2.0
/*
 * slotcheck.c - histories whose replies carry slots, in O(n log n)
 *
 * Linearizable means then: (1) the log has one value in each slot, and replayed in the
 * order of slots it gives the results that were seen; (2) the order of slots respects real
 * time (order.h). Operations of unknown outcome are looked up in the log: what stands there
 * took effect, what does not had none.
 *
 * Each log by itself, in four steps: who claims which slot; what members and fetches say
 * stands there; replay; order. Weaker reads differ in the last one only: in what must
 * not stand before them.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "slotlog.h"

static bool tells_place(const struct lin_op *op)
{
	return op->slot || op->empty || op->kind == LIN_FETCH;
}

uint32_t lin_slotless(const struct lin_history *h, bool registers)
{
	uint32_t top = 0, n = 0, i;
	bool *has;

	for (i = 0; i < h->ops; i++)
		if (h->op[i].log > top)
			top = h->op[i].log;
	has = calloc(top + 1, sizeof(*has));
	if (!has)
		abort();
	for (i = 0; i < h->ops; i++)
		has[h->op[i].log] |= tells_place(&h->op[i]);
	for (i = 0; i < h->ops; i++)
		n += !has[h->op[i].log] && h->op[i].kind != LIN_ENTRY &&
		     (registers || !lin_is_register(&h->op[i]));
	free(has);
	return n;
}

/* Every result that somebody knows must come with its place. */
static bool all_placed(struct slotlog *l, struct lin_verdict *v)
{
	const struct lin_op *op;
	uint32_t i;

	for (i = 0; i < l->n; i++) {
		op = &l->h->op[l->idx[i]];
		if (tells_place(op) || op->outcome == LIN_REFUSED || op->outcome == LIN_UNKNOWN)
			continue;
		lin_set(v, LIN_UNDECIDED, "an operation does not tell its slot");
		lin_witness(v, l->idx[i]);
		return false;
	}
	return true;
}

static bool check_log(struct slotlog *l, struct lin_verdict *v)
{
	return all_placed(l, v) && slotlog_claims(l, v) && slotlog_evidence(l, v) &&
	       slotlog_resolve(l, v) && slotlog_replay(l, v) && slotlog_order(l, v);
}

static int by_log(const void *a, const void *b, void *ctx)
{
	const struct lin_history *h = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (h->op[x].log != h->op[y].log)
		return h->op[x].log < h->op[y].log ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool has_slots(const struct slotlog *l)
{
	uint32_t i;

	for (i = 0; i < l->n; i++)
		if (tells_place(&l->h->op[l->idx[i]]))
			return true;
	return false;
}

void lin_slotcheck(const struct lin_history *h, struct lin_verdict *v)
{
	uint32_t *idx = lin_alloc(NULL, h->ops, sizeof(*idx));
	uint64_t *pos = lin_alloc(NULL, h->ops, sizeof(*pos));
	uint32_t i, first;
	bool good = true;

	memset(v, 0, sizeof(*v));
	for (i = 0; i < h->ops; i++) {
		idx[i] = i;
		pos[i] = h->op[i].slot;
	}
	qsort_r(idx, h->ops, sizeof(*idx), by_log, (void *)h);
	for (first = 0; good && first < h->ops; first = i) {
		struct slotlog l = { .h = h, .idx = idx + first, .slot = pos };

		for (i = first; i < h->ops && h->op[idx[i]].log == h->op[idx[first]].log; i++)
			l.n++;
		if (has_slots(&l))
			good = check_log(&l, v);
		slotlog_free(&l);
	}
	free(idx);
	free(pos);
}

static int by_entry(const void *a, const void *b, void *ctx)
{
	const struct lin_history *h = ctx;
	const struct lin_op *x = &h->op[*(const uint32_t *)a], *y = &h->op[*(const uint32_t *)b];

	if (x->log != y->log)
		return x->log < y->log ? -1 : 1;
	if (x->client != y->client)
		return x->client < y->client ? -1 : 1;
	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Two members' entries, side by side. Return: the one that only one of them has, or none. */
static uint32_t only_one_has(const struct lin_history *h, const uint32_t *a, uint32_t na,
			     const uint32_t *b, uint32_t nb)
{
	uint32_t i = 0, k = 0;

	while (i < na && k < nb) {
		if (h->op[a[i]].slot != h->op[b[k]].slot)
			return h->op[a[i]].slot < h->op[b[k]].slot ? a[i] : b[k];
		i++;
		k++;
	}
	return i < na ? a[i] : k < nb ? b[k] : UINT32_MAX;
}

void lin_converged(const struct lin_history *h, struct lin_verdict *v)
{
	uint32_t *idx = lin_alloc(NULL, h->ops, sizeof(*idx));
	uint32_t n = 0, first = 0, len, before = 0, i, odd;

	memset(v, 0, sizeof(*v));
	for (i = 0; i < h->ops; i++)
		if (h->op[i].kind == LIN_ENTRY)
			idx[n++] = i;
	qsort_r(idx, n, sizeof(*idx), by_entry, (void *)h);
	for (i = 0; i < n && v->result == LIN_OK; i += len) {
		const struct lin_op *op = &h->op[idx[i]];

		for (len = 1; i + len < n && h->op[idx[i + len]].log == op->log &&
		     h->op[idx[i + len]].client == op->client;)
			len++;
		if (i && h->op[idx[first]].log == op->log) {
			odd = only_one_has(h, idx + first, before, idx + i, len);
			if (odd != UINT32_MAX) {
				lin_set(v, LIN_BAD, "not all members have this slot at the end");
				lin_witness(v, odd);
			}
			continue;
		}
		first = i;
		before = len;
	}
	free(idx);
}
