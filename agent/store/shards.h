/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shards.h - which group has a key, where a store has several
 *
 * A key has one of PXS_KEYSLOTS slots, as in a Redis Cluster ({tag} and CRC16). Slots of a row,
 * PXS_SHARD_SLOTS of them, one after the other, are of one group: rows, not slots, so that a
 * cluster client is told a few hundred ranges and not eleven thousand. Which row is of which group
 * is the module's table, filled by capped rendezvous, of the groups with equal weights and with the
 * cluster's id as the seed: a function of the set of groups, the same at every member. A group
 * more or less moves the rows that it gets or had, and few others.
 *
 * Pure: no I/O, no clock.
 */
#ifndef PXS_STORE_SHARDS_H
#define PXS_STORE_SHARDS_H

#include "siphash.h"
#include "str.h"

#define PXS_SHARDS_MAX	16u	/* groups of a store; a cursor has 4 bits for them (route.c) */
#define PXS_SHARD_ROWS	256u
#define PXS_SHARD_SLOTS	(PXS_KEYSLOTS / PXS_SHARD_ROWS)

struct pxs_shards {
	u32 n;
	u32 group[PXS_SHARDS_MAX];	/* ids, rising */
	u8 row[PXS_SHARD_ROWS];		/* index of the group */
};

/* @group: @n different ids, 1..PXS_SHARDS_MAX of them, in any order. Return: 0 or -ENOMEM. */
int pxs_shards_fill(struct pxs_shards *m, const u32 *group, u32 n, const struct pxs_seed *seed);

/* Equal ones: the same groups have the same keys. Not 0. */
u64 pxs_shards_digest(const struct pxs_shards *m);

/* Index of the group that has @slot. */
static inline u32 pxs_shards_of(const struct pxs_shards *m, u32 slot)
{
	return m->row[slot / PXS_SHARD_SLOTS];
}

static inline u32 pxs_shards_of_key(const struct pxs_shards *m, struct pxs_str key)
{
	return pxs_shards_of(m, pxs_keyslot(key));
}

/* Index of group @id, -1: it is none of them. */
int pxs_shards_index(const struct pxs_shards *m, u32 id);

/* The slots from @*from on that are of group @index, up to *@last. Return: there are some. */
bool pxs_shards_range(const struct pxs_shards *m, u32 index, u32 *from, u32 *last);

#endif /* PXS_STORE_SHARDS_H */
