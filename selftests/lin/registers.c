// SPDX-License-Identifier: GPL-2.0
/*
 * registers.c - all registers of a history as black boxes, each for itself
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lin.h"

static int by_key(const void *a, const void *b, void *ctx)
{
	const struct lin_history *h = ctx;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	if (h->op[x].key != h->op[y].key)
		return h->op[x].key < h->op[y].key ? -1 : 1;
	return x < y ? -1 : x > y;
}

static void explain(const struct lin_history *h, uint32_t *idx, uint32_t n,
		    const struct lin_limits *limits, struct lin_verdict *v)
{
	char key[64];
	uint32_t i;

	n = lin_shrink(h, idx, n, limits);
	lin_set(v, LIN_BAD, "key %.60s: no order of these %u operations explains what they saw",
		lin_key_name(h, h->op[idx[0]].key, key, sizeof(key)), n);
	for (i = 0; i < n; i++)
		lin_witness(v, idx[i]);
}

/* A violation is worth more than what was left undecided. */
void lin_wgl(const struct lin_history *h, const struct lin_limits *limits, struct lin_verdict *v)
{
	uint32_t *idx = lin_alloc(NULL, h->ops, sizeof(*idx));
	enum lin_result result = LIN_OK;
	uint32_t n = 0, first, i;
	uint64_t steps;
	char key[64];

	memset(v, 0, sizeof(*v));
	for (i = 0; i < h->ops; i++)
		if (lin_is_register(&h->op[i]))
			idx[n++] = i;
	qsort_r(idx, n, sizeof(*idx), by_key, (void *)h);
	for (first = 0; result != LIN_BAD && first < n; first = i) {
		for (i = first; i < n && h->op[idx[i]].key == h->op[idx[first]].key;)
			i++;
		result = lin_wgl_key(h, idx + first, i - first, limits, &steps);
		if (result == LIN_UNDECIDED && v->result == LIN_OK)
			lin_set(v, LIN_UNDECIDED, "key %.60s: the search of %u operations ended at its limit after %" PRIu64 " steps",
				lin_key_name(h, h->op[idx[first]].key, key, sizeof(key)),
				i - first, steps);
		else if (result == LIN_BAD)
			explain(h, idx + first, i - first, limits, v);
	}
	free(idx);
}
