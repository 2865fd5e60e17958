/* SPDX-License-Identifier: GPL-2.0 */
/*
 * set.h - the groups of one store, where it has several (see docs/store-shards.md)
 *
 * Each group has a struct pxs_store of its own: log, data, checkpoints, freshness, sagas. One of
 * them, the home, has the listeners and the clients, and its section "store" is that of all. Which
 * group has which keys stands in each group's log and data (an entry PXS_STORE_MAP), proposed by
 * its leader before anything else: a member whose configuration says otherwise stands still, and
 * does not start.
 */
#ifndef PXS_STORE_SET_H
#define PXS_STORE_SET_H

#include "db.h"
#include "shards.h"

struct pxs_node;
struct pxs_store;

struct pxs_set {
	struct pxs_shards map;
	u64 digest;
	struct pxs_store *home;
	struct pxs_store *store[PXS_SHARDS_MAX];	/* by the map's index */
	u64 moved;		/* counts: a transaction over several of them has (cross_drive.c) */
	u64 round;		/* random: for what is to be spread evenly */
};

/* Sets of the stores that n->stores has. Return: 0 or -errno, said why. */
int pxs_sets_make(struct pxs_node *n);
void pxs_set_free(struct pxs_store *s);

/* The store with the clients and the settings. */
struct pxs_store *pxs_set_home(const struct pxs_store *s);

/* How many groups, and the one with index @i. */
u32 pxs_set_count(const struct pxs_store *s);
struct pxs_store *pxs_set_at(const struct pxs_store *s, u32 i);

/* The store of group @id, of those that @s is one of; NULL: there is none. */
struct pxs_store *pxs_set_find(struct pxs_store *s, u64 id);

/* Its group's index. */
u32 pxs_set_index(const struct pxs_store *s);

/* The store that has @key, of those that @s is one of. */
struct pxs_store *pxs_set_of_key(const struct pxs_store *s, struct pxs_str key);

/* NULL: what its data says about who has which keys is what @s is configured for, or nothing. */
const char *pxs_set_wrong(const struct pxs_store *s);

/* Is the data of all of them there, and known to be shared as configured? */
bool pxs_set_ready(const struct pxs_store *s);

/* Was this member removed from one of them? Its data of that one stays as it was then. */
bool pxs_set_removed(const struct pxs_store *s);

/* Once a round: the leader of a group that has no map proposes it. Return: did something. */
bool pxs_set_step(struct pxs_store *s);

#endif /* PXS_STORE_SET_H */
