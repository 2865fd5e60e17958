/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ketama.h - fill: the ring of libmemcached's weighted ketama
 *
 * Each backend has points on a ring of 2^32, in number by its share of the weights, each
 * the first, second... word of the MD5 of "ADDRESS-N" ("ADDRESS:PORT-N" where the port is
 * not 11211). A key is the first word of its MD5 and belongs to the next point. As
 * MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED with MEMCACHED_HASH_MD5, to the bit, provided that
 * the client names its servers by address. A row of the table is a point: it covers the
 * arc that ends there. Control path, resumable; pxs_ketama_hash() on the packet path too.
 */
#ifndef PXS_CORE_KETAMA_H
#define PXS_CORE_KETAMA_H

#include "table.h"

#define PXS_KETAMA_POINTS	160	/* of a backend with a fair share */

/* A key's hash: its place on the ring above, something else of its digest below. */
u64 pxs_ketama_hash(const u8 *key, u32 len);

/* Points of a backend of @weight, of @n that together weigh @sum. May be none. */
u32 pxs_ketama_points(u32 weight, u64 sum, u32 n);

/* "ADDRESS" or "ADDRESS:PORT" into @buf (PXS_KETAMA_NAME_MAX bytes). Return: its length. */
#define PXS_KETAMA_NAME_MAX	64
u32 pxs_ketama_name(const struct pxs_table_backend *be, char *buf);

size_t pxs_ketama_scratch(u32 nrows);

/* Begin; @points get the places of the @nrows rows. */
void pxs_ketama_start(void *scratch, const struct pxs_table_config *cfg, u32 *points,
		      const struct pxs_table_owner *owners, u32 n);
bool pxs_ketama_step(void *scratch, struct pxs_table_row *rows, u32 budget);

#endif /* PXS_CORE_KETAMA_H */
