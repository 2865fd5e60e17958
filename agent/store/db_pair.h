/* SPDX-License-Identifier: GPL-2.0 */
/*
 * db_pair.h - two numbers as an LMDB key: they are in order as numbers are
 *
 * Of the tables of sessions and sagas: an owner and its rows, or a time and whose it is.
 */
#ifndef PXS_STORE_DB_PAIR_H
#define PXS_STORE_DB_PAIR_H

#include "db.h"

struct pxs_pair {
	__be64 a;
	__be64 b;
};

static inline struct pxs_pair pxs_pair(u64 a, u64 b)
{
	return (struct pxs_pair){ cpu_to_be64(a), cpu_to_be64(b) };
}

/* What stands there cannot be: the transaction fails. Return: false. */
bool pxs_db_damaged(struct pxs_db *db);

/* The first record of @table whose key is *@at or above. Return: there is one, *@at and *@v. */
bool pxs_pair_find(struct pxs_db *db, MDB_dbi table, struct pxs_pair *at, MDB_val *v);

/* Delete the records of @table whose keys are @a and 0 to @last. */
void pxs_pair_drop(struct pxs_db *db, MDB_dbi table, u64 a, u64 last);

#endif /* PXS_STORE_DB_PAIR_H */
