// SPDX-License-Identifier: GPL-2.0
/*
 * history.c - operations, and verdicts on them
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "names.h"

void *lin_alloc(void *old, size_t n, size_t size)
{
	void *p;

	if (n > SIZE_MAX / size - 1)
		abort();
	p = realloc(old, n * size + 1);
	if (!p)
		abort();
	return p;
}

void lin_init(struct lin_history *h)
{
	memset(h, 0, sizeof(*h));
}

void lin_free(struct lin_history *h)
{
	free(h->op);
	lin_names_free(h->names);
	lin_init(h);
}

void lin_add(struct lin_history *h, const struct lin_op *op)
{
	if (h->ops == h->room) {
		h->room = h->room ? 2 * h->room : 64;
		h->op = lin_alloc(h->op, h->room, sizeof(*h->op));
	}
	h->op[h->ops++] = *op;
}

/* Takes a slot of the log. A cas that found another value does, and leaves no trace. */
bool lin_mutates(const struct lin_op *op)
{
	return op->kind == LIN_APPEND || op->kind == LIN_WRITE || op->kind == LIN_CAS;
}

bool lin_is_register(const struct lin_op *op)
{
	return op->kind == LIN_WRITE || op->kind == LIN_READ || op->kind == LIN_CAS;
}

void lin_set(struct lin_verdict *v, enum lin_result result, const char *fmt, ...)
{
	va_list ap;

	v->result = result;
	va_start(ap, fmt);
	vsnprintf(v->why, sizeof(v->why), fmt, ap);
	va_end(ap);
}

void lin_witness(struct lin_verdict *v, uint32_t op)
{
	v->op = lin_alloc(v->op, v->ops + 1, sizeof(*v->op));
	v->op[v->ops++] = op;
}

void lin_verdict_free(struct lin_verdict *v)
{
	free(v->op);
	memset(v, 0, sizeof(*v));
}
