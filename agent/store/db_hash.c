// SPDX-License-Identifier: GPL-2.0
/*
 * db_hash.c - fields of a hash
 *
 * Two tables: one finds a field, the other has them in the order in which they came. The
 * latter holds the values, so that reading a whole hash is one walk.
 */
#include "db.h"

#define FIELD_ROOM	(8 + PXS_DB_ID_MAX)

static u32 field_id(u64 hash, struct pxs_str field, u8 *id)
{
	__be64 be = cpu_to_be64(hash);

	memcpy(id, &be, sizeof(be));
	return pxs_db_id(id, sizeof(be), field);
}

static void item_id(u64 hash, u64 place, __be64 id[2])
{
	id[0] = cpu_to_be64(hash);
	id[1] = cpu_to_be64(place);
}

/* The place of a field, 0: it is not there. */
static u64 place_of(struct pxs_db *db, u64 hash, struct pxs_str field)
{
	u8 id[FIELD_ROOM];
	u32 len = field_id(hash, field, id);

	return pxs_db_number(db, db->fields_t, id, len);
}

static bool parse_item(struct pxs_db *db, MDB_val v, struct pxs_str *field, struct pxs_str *value)
{
	__le32 len;

	if (v.mv_size < sizeof(len))
		goto damaged;
	memcpy(&len, v.mv_data, sizeof(len));
	*field = (struct pxs_str){ (u8 *)v.mv_data + sizeof(len), le32_to_cpu(len) };
	if (field->len > v.mv_size - sizeof(len))
		goto damaged;
	*value = (struct pxs_str){ field->data + field->len,
				   (u32)(v.mv_size - sizeof(len) - field->len) };
	return true;
damaged:
	db->err = -EUCLEAN;
	return false;
}

/* The item at @place, if there is one. */
static bool try_item(struct pxs_db *db, u64 hash, u64 place, struct pxs_str *field,
		     struct pxs_str *value)
{
	__be64 id[2];
	MDB_val k = { sizeof(id), id }, v;

	item_id(hash, place, id);
	return pxs_db_ok(db, mdb_get(db->txn, db->items_t, &k, &v)) &&
	       parse_item(db, v, field, value);
}

/* There must be one. */
static bool get_item(struct pxs_db *db, u64 hash, u64 place, struct pxs_str *field,
		     struct pxs_str *value)
{
	if (try_item(db, hash, place, field, value))
		return true;
	db->err = db->err ? db->err : -EUCLEAN;
	return false;
}

static u64 size_of(struct pxs_str field, struct pxs_str value)
{
	return PXS_DB_OVERHEAD + field.len + value.len;
}

static void put_item(struct pxs_db *db, u64 hash, u64 place, struct pxs_str field,
		     struct pxs_str value)
{
	__le32 len = cpu_to_le32(field.len);
	__be64 id[2];
	MDB_val k = { sizeof(id), id };
	MDB_val v = { sizeof(len) + field.len + value.len, NULL };
	u8 *to;

	item_id(hash, place, id);
	if (!pxs_db_ok(db, mdb_put(db->txn, db->items_t, &k, &v, MDB_RESERVE)))
		return;
	to = v.mv_data;
	memcpy(to, &len, sizeof(len));
	if (field.len)
		memcpy(to + sizeof(len), field.data, field.len);
	if (value.len)
		memcpy(to + sizeof(len) + field.len, value.data, value.len);
	db->state.used += size_of(field, value);
}

bool pxs_db_field(struct pxs_db *db, const struct pxs_rec *rec, struct pxs_str field,
		  struct pxs_str *value)
{
	u64 place = place_of(db, rec->hash, field);
	struct pxs_str same;

	return place && get_item(db, rec->hash, place, &same, value);
}

bool pxs_db_set_field(struct pxs_db *db, struct pxs_rec *rec, struct pxs_str key,
		      struct pxs_str field, struct pxs_str value)
{
	u64 place = place_of(db, rec->hash, field);
	struct pxs_str same, old;
	u8 id[FIELD_ROOM];
	MDB_val k = { 0, id }, v;
	__le64 le;

	if (place && get_item(db, rec->hash, place, &same, &old)) {
		db->state.used -= size_of(same, old);
		put_item(db, rec->hash, place, field, value);
		pxs_db_put_hash(db, key, rec);
		return false;
	}
	if (db->err)
		return false;
	le = cpu_to_le64(rec->next);
	k.mv_size = field_id(rec->hash, field, id);
	v = (MDB_val){ sizeof(le), &le };
	pxs_db_ok(db, mdb_put(db->txn, db->fields_t, &k, &v, 0));
	put_item(db, rec->hash, rec->next, field, value);
	rec->next++;
	rec->count++;
	pxs_db_put_hash(db, key, rec);
	return true;
}

static void drop_item(struct pxs_db *db, u64 hash, u64 place, struct pxs_str field)
{
	u8 id[FIELD_ROOM];
	MDB_val k = { field_id(hash, field, id), id };
	__be64 item[2];

	pxs_db_ok(db, mdb_del(db->txn, db->fields_t, &k, NULL));
	item_id(hash, place, item);
	k = (MDB_val){ sizeof(item), item };
	pxs_db_ok(db, mdb_del(db->txn, db->items_t, &k, NULL));
}

bool pxs_db_delete_field(struct pxs_db *db, struct pxs_rec *rec, struct pxs_str key,
			 struct pxs_str field)
{
	u64 place = place_of(db, rec->hash, field);
	struct pxs_str same, value;

	if (!place || !get_item(db, rec->hash, place, &same, &value))
		return false;
	db->state.used -= size_of(same, value);
	drop_item(db, rec->hash, place, field);
	rec->count--;
	pxs_db_put_hash(db, key, rec);
	if (!rec->count)
		pxs_db_delete(db, key);
	return true;
}

/* One item at a time: what a cursor points at moves with each deletion. */
void pxs_db_drop_items(struct pxs_db *db, const struct pxs_rec *rec)
{
	u64 hash = rec->hash;
	struct pxs_str field, value;
	u8 copy[FIELD_ROOM];
	MDB_val k, v;
	MDB_cursor *c;
	__be64 id[2];
	u32 len;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, db->items_t, &c)))
		return;
	for (;;) {
		item_id(hash, 0, id);
		k = (MDB_val){ sizeof(id), id };
		if (!pxs_db_ok(db, mdb_cursor_get(c, &k, &v, MDB_SET_RANGE)) ||
		    k.mv_size != sizeof(id) || memcmp(k.mv_data, id, 8) ||
		    !parse_item(db, v, &field, &value))
			break;
		db->state.used -= size_of(field, value);
		len = field_id(hash, field, copy);
		if (!pxs_db_ok(db, mdb_cursor_del(c, 0)))
			break;
		k = (MDB_val){ len, copy };
		if (!pxs_db_ok(db, mdb_del(db->txn, db->fields_t, &k, NULL)))
			break;
	}
	mdb_cursor_close(c);
}

u64 pxs_db_items(struct pxs_db *db, const struct pxs_rec *rec, u64 place, pxs_db_item_t see,
		 void *ctx)
{
	struct pxs_str field, value;
	MDB_val k, v;
	MDB_cursor *c;
	bool more = true;
	u64 next = 0;
	__be64 id[2];
	int op = MDB_SET_RANGE;
	__be64 at;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, db->items_t, &c)))
		return 0;
	item_id(rec->hash, place, id);
	k = (MDB_val){ sizeof(id), id };
	for (; pxs_db_ok(db, mdb_cursor_get(c, &k, &v, op)); op = MDB_NEXT) {
		if (k.mv_size != sizeof(id) || memcmp(k.mv_data, id, 8))
			break;
		if (!more) {
			memcpy(&at, (u8 *)k.mv_data + 8, 8);
			next = be64_to_cpu(at);
			break;
		}
		if (!parse_item(db, v, &field, &value))
			break;
		more = see(ctx, field, value);
	}
	mdb_cursor_close(c);
	return next;
}

/* --- one of them ------------------------------------------------------------- */

#define DRAWS	64u	/* of places, of which most may be empty */

struct nth {
	u64 left;
	bool found;
	struct pxs_str *field;
};

static bool pass(void *ctx, struct pxs_str field, struct pxs_str value)
{
	struct nth *n = ctx;

	(void)value;
	if (n->left--)
		return true;
	*n->field = field;
	n->found = true;
	return false;
}

bool pxs_db_some_field(struct pxs_db *db, const struct pxs_rec *rec, struct pxs_str *field)
{
	struct nth n = { .field = field };
	struct pxs_str value;
	u32 i;

	if (!rec->count || rec->count >= rec->next) {
		db->err = db->err ? db->err : -EUCLEAN;
		return false;
	}
	n.left = pxs_db_random(db) % rec->count;
	/* Nothing was ever deleted. */
	if (rec->count == rec->next - 1)
		return get_item(db, rec->hash, n.left + 1, field, &value);
	/* What is drawn from the log is the n-th field, for what was once answered is kept. */
	for (i = 0; i < DRAWS && !db->writing && !db->err; i++)
		if (try_item(db, rec->hash, 1 + pxs_db_random(db) % (rec->next - 1), field,
			     &value))
			return true;
	pxs_db_items(db, rec, 0, pass, &n);
	if (!n.found && !db->err)
		db->err = -EUCLEAN;
	return n.found;
}
