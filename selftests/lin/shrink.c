// SPDX-License-Identifier: GPL-2.0
/*
 * shrink.c - of a bad history of one register, the part that shows why
 *
 * Everything left out leaves a good history good, so that what remains bad proves that the
 * whole is: what was called after some time, and how what went on then ended; reads; and,
 * where there is no cas, writes that no remaining read saw. First the earliest end is
 * looked for by halving, then single operations and whole runs of them are left out.
 */
#include <stdlib.h>
#include <string.h>

#include "lin.h"

#define TRIALS	600u

struct shrink {
	struct lin_history h;	/* a copy that may be changed; as many operations */
	uint32_t *idx, n;	/* what is left, in the order of calls */
	struct lin_limits limits;
	uint32_t trials;
};

static bool is_bad(struct shrink *s, const uint32_t *idx, uint32_t n)
{
	uint64_t steps;

	return n && lin_wgl_key(&s->h, idx, n, &s->limits, &steps) == LIN_BAD;
}

static int by_call(const void *a, const void *b, void *ctx)
{
	const struct lin_op *op = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (op[x].call != op[y].call)
		return op[x].call < op[y].call ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* What somebody knew at @time. */
static uint32_t prefix(struct shrink *s, const struct lin_history *whole, const uint32_t *idx,
		       uint32_t n, uint64_t time, uint32_t *out)
{
	uint32_t len = 0, i;

	for (i = 0; i < n; i++) {
		struct lin_op *op = &s->h.op[idx[i]];

		*op = whole->op[idx[i]];
		if (op->call > time)
			continue;
		if (op->ret > time) {
			op->ret = LIN_NEVER;
			op->outcome = LIN_UNKNOWN;
		}
		out[len++] = idx[i];
	}
	return len;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void earliest_end(struct shrink *s, const struct lin_history *whole, const uint32_t *idx,
			 uint32_t n)
{
	uint64_t *ret = lin_alloc(NULL, n, sizeof(*ret));
	uint32_t low = 0, high, mid, i;

	for (i = 0, high = 0; i < n; i++)
		if (whole->op[idx[i]].ret != LIN_NEVER)
			ret[high++] = whole->op[idx[i]].ret;
	qsort(ret, high, sizeof(*ret), by_value);
	/* It is bad with all returns: ret[high - 1] is bad. */
	high--;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (is_bad(s, s->idx, prefix(s, whole, idx, n, ret[mid], s->idx)))
			high = mid;
		else
			low = mid + 1;
	}
	s->n = prefix(s, whole, idx, n, ret[high], s->idx);
	free(ret);
}

/* Leaving it out takes nothing away that others need. */
static bool may_go(const struct shrink *s, uint32_t i, bool cas, const uint64_t *read,
		   uint32_t reads)
{
	const struct lin_op *op = &s->h.op[i];

	if (op->kind == LIN_READ || op->outcome == LIN_DIFFERS || op->outcome == LIN_REFUSED)
		return true;
	return op->kind == LIN_WRITE && !cas &&
	       !bsearch(&op->arg, read, reads, sizeof(*read), by_value);
}

/* Leave out what may go of [from, from + len). Return: how many went. */
static uint32_t leave_out(struct shrink *s, uint32_t from, uint32_t len, bool writes)
{
	uint64_t *read = lin_alloc(NULL, s->n, sizeof(*read));
	uint32_t *rest = lin_alloc(NULL, s->n, sizeof(*rest));
	uint32_t reads = 0, n = 0, i;
	bool cas = false;

	for (i = 0; i < s->n; i++) {
		const struct lin_op *op = &s->h.op[s->idx[i]];

		cas |= op->kind == LIN_CAS && op->outcome != LIN_REFUSED;
		if (op->kind == LIN_READ)
			read[reads++] = op->value;
	}
	qsort(read, reads, sizeof(*read), by_value);
	for (i = 0; i < s->n; i++)
		if (i < from || i >= from + len ||
		    (lin_mutates(&s->h.op[s->idx[i]]) && !writes) ||
		    !may_go(s, s->idx[i], cas, read, reads))
			rest[n++] = s->idx[i];
	i = s->n - n;
	s->trials += i > 0;
	if (i && is_bad(s, rest, n)) {
		memcpy(s->idx, rest, n * sizeof(*rest));
		s->n = n;
	} else {
		i = 0;
	}
	free(read);
	free(rest);
	return i;
}

static void thin_out(struct shrink *s, bool writes)
{
	uint32_t len, from;

	for (len = s->n; len && s->trials < TRIALS; len /= 2)
		for (from = 0; from < s->n && s->trials < TRIALS;)
			if (!leave_out(s, from, len, writes))
				from += len;
}

uint32_t lin_shrink(const struct lin_history *h, uint32_t *idx, uint32_t n,
		    const struct lin_limits *limits)
{
	struct shrink s = { .limits = *limits };

	s.h.op = lin_alloc(NULL, h->ops, sizeof(*h->op));
	s.h.ops = h->ops;
	s.idx = lin_alloc(NULL, n, sizeof(*s.idx));
	qsort_r(idx, n, sizeof(*idx), by_call, h->op);
	earliest_end(&s, h, idx, n);
	/* Looking for a shorter one must not take longer than finding it. */
	if (s.limits.steps > 1000000)
		s.limits.steps = 1000000;
	thin_out(&s, false);
	thin_out(&s, true);
	memcpy(idx, s.idx, s.n * sizeof(*idx));
	n = s.n;
	free(s.idx);
	free(s.h.op);
	return n;
}
