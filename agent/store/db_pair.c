// SPDX-License-Identifier: GPL-2.0
/*
 * db_pair.c - two numbers as an LMDB key
 */
#include "db_pair.h"

bool pxs_db_damaged(struct pxs_db *db)
{
	if (!db->err)
		db->err = -EUCLEAN;
	return false;
}

bool pxs_pair_find(struct pxs_db *db, MDB_dbi table, struct pxs_pair *at, MDB_val *v)
{
	MDB_val k = { sizeof(*at), at };
	MDB_cursor *c;
	bool found;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, table, &c)))
		return false;
	found = pxs_db_ok(db, mdb_cursor_get(c, &k, v, MDB_SET_RANGE));
	if (found && k.mv_size == sizeof(*at))
		memcpy(at, k.mv_data, sizeof(*at));
	else if (found)
		found = pxs_db_damaged(db);
	mdb_cursor_close(c);
	return found;
}

void pxs_pair_drop(struct pxs_db *db, MDB_dbi table, u64 a, u64 last)
{
	struct pxs_pair at, from = pxs_pair(a, 0);
	MDB_cursor *c;
	MDB_val k, v;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, table, &c)))
		return;
	for (;;) {
		k = (MDB_val){ sizeof(from), &from };
		if (!pxs_db_ok(db, mdb_cursor_get(c, &k, &v, MDB_SET_RANGE)) ||
		    k.mv_size != sizeof(at))
			break;
		memcpy(&at, k.mv_data, sizeof(at));
		if (at.a != from.a || be64_to_cpu(at.b) > last ||
		    !pxs_db_ok(db, mdb_cursor_del(c, 0)))
			break;
	}
	mdb_cursor_close(c);
}
