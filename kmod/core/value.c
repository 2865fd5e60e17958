// SPDX-License-Identifier: GPL-2.0
/*
 * value.c - making and comparing values; see value.h for who holds them
 */
#include "value.h"

struct pxs_value *pxs_value_of(const void *data, u32 len, u8 flags)
{
	struct pxs_value *v = pxs_alloc(sizeof(*v) + len);

	if (!v)
		return NULL;
	pxs_ref_init(&v->ref);
	v->len = len;
	v->noop = !!(flags & PXS_ENTRY_NOOP);
	v->config = !!(flags & PXS_ENTRY_CONFIG);
	if (len)
		memcpy(v->data, data, len);
	return v;
}

bool pxs_value_equal(const struct pxs_value *a, const struct pxs_value *b)
{
	return a->len == b->len && pxs_value_flags(a) == pxs_value_flags(b) &&
	       !memcmp(a->data, b->data, a->len);
}
