/* SPDX-License-Identifier: GPL-2.0 */
/*
 * value.h - a proposed value, shared by reference
 *
 * A value never changes once made. The window, a message on its way out and a
 * reader each hold a reference; the last one frees it, from any context.
 */
#ifndef PXS_CORE_VALUE_H
#define PXS_CORE_VALUE_H

#include "platform.h"
#include <linux/paxsteer_wire.h>

struct pxs_value {
	struct pxs_ref ref;
	u32 len;		/* 0..PXS_VALUE_MAX */
	u8 noop;		/* 1: fills a gap, len is 0 */
	u8 config;		/* 1: a configuration, see membership.h */
	u8 data[];
};

/*
 * Copy @len bytes at @data; of @flags, PXS_ENTRY_NOOP and PXS_ENTRY_CONFIG count.
 * Return: one reference, or NULL without memory. Softirq-safe.
 */
struct pxs_value *pxs_value_of(const void *data, u32 len, u8 flags);

static inline struct pxs_value *pxs_value_new(const void *data, u32 len, bool noop)
{
	return pxs_value_of(data, len, noop ? PXS_ENTRY_NOOP : 0);
}

/* What its entry or record says of it. */
static inline u8 pxs_value_flags(const struct pxs_value *v)
{
	return (v->noop ? PXS_ENTRY_NOOP : 0) | (v->config ? PXS_ENTRY_CONFIG : 0);
}

static inline struct pxs_value *pxs_value_get(struct pxs_value *v)
{
	pxs_ref_get(&v->ref);
	return v;
}

/* Drop one reference; NULL is allowed. */
static inline void pxs_value_put(struct pxs_value *v)
{
	if (v && pxs_ref_put(&v->ref))
		pxs_free(v);
}

bool pxs_value_equal(const struct pxs_value *a, const struct pxs_value *b);

#endif /* PXS_CORE_VALUE_H */
