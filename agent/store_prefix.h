/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store_prefix.h - which keys of a store are eventual ones; paxsteerd.conf(5) is its manual
 */
#ifndef PXS_AGENT_STORE_PREFIX_H
#define PXS_AGENT_STORE_PREFIX_H

#include "platform.h"

#define PXS_PREFIXES_MAX	16u
#define PXS_PREFIX_MAX		32u	/* bytes of one: letters, digits, punctuation */
#define PXS_PREFIXES_TEXT	(PXS_PREFIXES_MAX * (PXS_PREFIX_MAX + 1u))

/* Sorted; none begins with another. */
struct pxs_prefixes {
	u32 n;
	char text[PXS_PREFIXES_MAX][PXS_PREFIX_MAX + 1];
	u64 digest;		/* not 0 where n is not: equal lists have equal ones */
};

/* Add one. Return: NULL, or what is wrong with it. */
const char *pxs_prefix_add(struct pxs_prefixes *p, const char *text);

/* When all were added. */
void pxs_prefixes_seal(struct pxs_prefixes *p);

/* The one that @key begins with, NULL: none. */
const char *pxs_prefix_of(const struct pxs_prefixes *p, const u8 *key, u32 len);

/* All of them, with a blank between. */
void pxs_prefixes_format(const struct pxs_prefixes *p, char text[PXS_PREFIXES_TEXT]);

#endif /* PXS_AGENT_STORE_PREFIX_H */
