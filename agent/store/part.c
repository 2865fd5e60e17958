// SPDX-License-Identifier: GPL-2.0
/*
 * part.c - entries that are larger than a value of the log
 */
#include "part.h"

#include <endian.h>
#include <stdlib.h>

void pxs_part_abandon(struct pxs_db *db)
{
	struct pxs_db_state *s = &db->state;

	if (!s->parts)
		return;
	s->part_client = 0;
	s->part_seq = 0;
	s->part_next = 0;
	s->parts = 0;
	db->dirty = true;
	pxs_db_ok(db, mdb_drop(db->txn, db->parts_t, 0));
}

static bool continues(const struct pxs_db_state *s, const struct pxs_store_entry *e)
{
	return s->parts == e->parts && s->part_next == e->part && s->part_client == e->client &&
	       s->part_seq == e->seq;
}

enum pxs_part pxs_part_add(struct pxs_db *db, const struct pxs_store_entry *e,
			   struct pxs_str bytes)
{
	struct pxs_db_state *s = &db->state;
	u32 key = htobe32(e->part);
	MDB_val k = { sizeof(key), &key }, v = { bytes.len, (void *)bytes.data };

	if (!continues(s, e)) {
		pxs_part_abandon(db);
		if (e->part)
			return PXS_PART_LOST;
		s->part_client = e->client;
		s->part_seq = e->seq;
		s->parts = e->parts;
	}
	s->part_next = e->part + 1;
	db->dirty = true;
	pxs_db_ok(db, mdb_put(db->txn, db->parts_t, &k, &v, MDB_APPEND));
	return s->part_next == s->parts ? PXS_PART_WHOLE : PXS_PART_MORE;
}

static bool collect(struct pxs_db *db, u8 *to, u32 *len)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	int ret;

	*len = 0;
	if (!pxs_db_ok(db, mdb_cursor_open(db->txn, db->parts_t, &cursor)))
		return false;
	while (!(ret = mdb_cursor_get(cursor, &k, &v, MDB_NEXT))) {
		memcpy(to + *len, v.mv_data, v.mv_size);
		*len += (u32)v.mv_size;
	}
	mdb_cursor_close(cursor);
	pxs_db_ok(db, ret);
	return !db->err;
}

u8 *pxs_part_take(struct pxs_db *db, u32 *len)
{
	u8 *whole = malloc((u64)db->state.parts * PXS_STORE_PART_BYTES);

	if (!whole)
		db->err = -ENOMEM;
	else if (collect(db, whole, len))
		pxs_part_abandon(db);
	if (!db->err)
		return whole;
	free(whole);
	return NULL;
}
