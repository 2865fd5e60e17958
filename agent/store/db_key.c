// SPDX-License-Identifier: GPL-2.0
/*
 * db_key.c - keys of the store: records, expiry, scanning, the digest
 */
#include "db.h"

#include <sys/random.h>

#include "db_cross.h"
#include "db_saga.h"
#include "db_session.h"

/* In front of a key's record, little endian; the key and the value follow. */
struct db_head {
	u8 type;
	u8 reserved[3];
	__le32 key_len;
	__le64 version;
	__le64 expire;
};

/* The value of a hash. */
struct db_hash {
	__le64 hash;
	__le64 count;
	__le64 next;
};

#define ID_WHOLE	480u	/* a longer key is cut, and its digest follows */
#define ID_CUT		465u
#define DIGEST_LEN	16u

u32 pxs_db_id(u8 *id, u32 at, struct pxs_str bytes)
{
	blake2s_state digest;

	if (bytes.len <= ID_WHOLE) {
		if (bytes.len)
			memcpy(id + at, bytes.data, bytes.len);
		return at + bytes.len;
	}
	memcpy(id + at, bytes.data, ID_CUT);
	blake2s_init(&digest, DIGEST_LEN);
	blake2s_update(&digest, bytes.data, bytes.len);
	blake2s_final(&digest, id + at + ID_CUT, DIGEST_LEN);
	return at + ID_CUT + DIGEST_LEN;
}

u32 pxs_db_key_id(const struct pxs_db *db, u8 *id, struct pxs_str key)
{
	__be64 hash = cpu_to_be64(pxs_siphash(&db->seed, key.data, key.len));

	memcpy(id, &hash, sizeof(hash));
	return pxs_db_id(id, sizeof(hash), key);
}

static bool parse(struct pxs_db *db, MDB_val v, struct pxs_rec *rec)
{
	const u8 *data = v.mv_data;
	struct db_head h;
	struct db_hash d;
	u32 rest;

	memset(rec, 0, sizeof(*rec));
	if (v.mv_size < sizeof(h))
		goto damaged;
	memcpy(&h, data, sizeof(h));
	rec->type = h.type;
	rec->version = le64_to_cpu(h.version);
	rec->expire = le64_to_cpu(h.expire);
	rec->key = (struct pxs_str){ data + sizeof(h), le32_to_cpu(h.key_len) };
	if (rec->key.len > v.mv_size - sizeof(h))
		goto damaged;
	rest = (u32)(v.mv_size - sizeof(h) - rec->key.len);
	rec->value = (struct pxs_str){ rec->key.data + rec->key.len, rest };
	if (rec->type == PXS_TYPE_STRING)
		return true;
	if (rec->type != PXS_TYPE_HASH || rest != sizeof(d))
		goto damaged;
	memcpy(&d, rec->value.data, sizeof(d));
	rec->hash = le64_to_cpu(d.hash);
	rec->count = le64_to_cpu(d.count);
	rec->next = le64_to_cpu(d.next);
	return true;
damaged:
	db->err = -EUCLEAN;
	return false;
}

/* Expired or not. */
static bool get(struct pxs_db *db, const u8 *id, u32 len, struct pxs_rec *rec)
{
	MDB_val k = { len, (void *)id }, v;

	if (db->err || !pxs_db_ok(db, mdb_get(db->txn, db->keys_t, &k, &v)))
		return false;
	return parse(db, v, rec);
}

static u64 size_of(const struct pxs_rec *rec)
{
	return PXS_DB_OVERHEAD + rec->key.len + (rec->type == PXS_TYPE_STRING ? rec->value.len : 0);
}

static void index_expire(struct pxs_db *db, const u8 *id, u32 len, u64 when, bool add)
{
	u8 full[8 + PXS_DB_ID_ROOM];
	__be64 be = cpu_to_be64(when);
	MDB_val k = { 8 + len, full }, v = { 0, "" };

	if (!when)
		return;
	memcpy(full, &be, 8);
	memcpy(full + 8, id, len);
	if (add) {
		db->state.expires++;
		pxs_db_ok(db, mdb_put(db->txn, db->expire_t, &k, &v, 0));
	} else {
		db->state.expires--;
		pxs_db_ok(db, mdb_del(db->txn, db->expire_t, &k, NULL));
	}
}

/* Take @old out of the sums, the index and, if it is a hash, the tables of its fields. */
static void forget(struct pxs_db *db, const u8 *id, u32 len, const struct pxs_rec *old)
{
	db->dirty = true;
	db->state.used -= size_of(old);
	db->state.keys--;
	if (old->type == PXS_TYPE_HASH)
		pxs_db_drop_items(db, old);
	index_expire(db, id, len, old->expire, false);
}

/* @value must not point into the database. */
static void put(struct pxs_db *db, const u8 *id, u32 len, const struct pxs_rec *rec)
{
	struct db_head h = {
		.type = rec->type,
		.key_len = cpu_to_le32(rec->key.len),
		.version = cpu_to_le64(db->slot),
		.expire = cpu_to_le64(rec->expire),
	};
	MDB_val k = { len, (void *)id };
	MDB_val v = { sizeof(h) + rec->key.len + rec->value.len, NULL };
	u8 *to;

	db->dirty = true;
	if (db->err || !pxs_db_ok(db, mdb_put(db->txn, db->keys_t, &k, &v, MDB_RESERVE)))
		return;
	db->wrote += v.mv_size;
	to = v.mv_data;
	memcpy(to, &h, sizeof(h));
	if (rec->key.len)
		memcpy(to + sizeof(h), rec->key.data, rec->key.len);
	if (rec->value.len)
		memcpy(to + sizeof(h) + rec->key.len, rec->value.data, rec->value.len);
}

/* A key that is not there, or whose former record was forgotten. */
static void add(struct pxs_db *db, const u8 *id, u32 len, const struct pxs_rec *rec)
{
	db->state.used += size_of(rec);
	db->state.keys++;
	index_expire(db, id, len, rec->expire, true);
	put(db, id, len, rec);
}

/* --- what is gone -------------------------------------------------------------- */

/*
 * Who watches a key that is not there must learn that it came and went. To remember each deleted
 * key would take room without end; so keys whose ids begin alike share a place.
 */
#define GONE_LEN	2u

static const char gone_all[] = "*";	/* shorter than any other: FLUSHALL's place */

static void note_gone(struct pxs_db *db, const void *place, u32 len)
{
	__le64 slot = cpu_to_le64(db->slot);
	MDB_val k = { len, (void *)place }, v = { sizeof(slot), &slot };

	if (!db->err)
		pxs_db_ok(db, mdb_put(db->txn, db->gone_t, &k, &v, 0));
}

u64 pxs_db_number(struct pxs_db *db, MDB_dbi table, const void *key, u32 len)
{
	MDB_val k = { len, (void *)key }, v;
	__le64 number;

	if (db->err || !pxs_db_ok(db, mdb_get(db->txn, table, &k, &v)))
		return 0;
	if (v.mv_size != sizeof(number)) {
		db->err = -EUCLEAN;
		return 0;
	}
	memcpy(&number, v.mv_data, sizeof(number));
	return le64_to_cpu(number);
}

u64 pxs_db_gone(struct pxs_db *db, struct pxs_str key)
{
	u8 id[PXS_DB_ID_ROOM];
	u64 all = pxs_db_number(db, db->gone_t, gone_all, 1);

	pxs_db_key_id(db, id, key);
	return max(all, pxs_db_number(db, db->gone_t, id, GONE_LEN));
}

/* --- changes ------------------------------------------------------------------- */

static void erase(struct pxs_db *db, const u8 *id, u32 len, const struct pxs_rec *old)
{
	MDB_val k = { len, (void *)id };

	note_gone(db, id, GONE_LEN);
	forget(db, id, len, old);
	pxs_db_ok(db, mdb_del(db->txn, db->keys_t, &k, NULL));
}

static bool expired(const struct pxs_db *db, const struct pxs_rec *rec)
{
	return rec->expire && db->now > rec->expire;
}

bool pxs_db_find(struct pxs_db *db, struct pxs_str key, struct pxs_rec *rec)
{
	u8 id[PXS_DB_ID_ROOM];
	u32 len = pxs_db_key_id(db, id, key);

	if (!get(db, id, len, rec))
		return false;
	if (!expired(db, rec))
		return true;
	if (db->writing)
		erase(db, id, len, rec);
	return false;
}

void pxs_db_set_string(struct pxs_db *db, struct pxs_str key, struct pxs_str value, u64 expire)
{
	struct pxs_rec rec = {
		.type = PXS_TYPE_STRING, .expire = expire, .key = key, .value = value,
	};
	u8 id[PXS_DB_ID_ROOM];
	u32 len = pxs_db_key_id(db, id, key);
	struct pxs_rec old;

	if (get(db, id, len, &old))
		forget(db, id, len, &old);
	add(db, id, len, &rec);
}

void pxs_db_delete(struct pxs_db *db, struct pxs_str key)
{
	u8 id[PXS_DB_ID_ROOM];
	u32 len = pxs_db_key_id(db, id, key);
	struct pxs_rec old;

	if (get(db, id, len, &old))
		erase(db, id, len, &old);
}

/* What stands in the database, at a place where changes leave it alone. */
static struct pxs_str keep(struct pxs_db *db, struct pxs_str s)
{
	pxs_assert(s.len <= PXS_STRING_MAX);
	memcpy(db->copy, s.data, s.len);
	return (struct pxs_str){ db->copy, s.len };
}

void pxs_db_set_expire(struct pxs_db *db, struct pxs_str key, u64 expire)
{
	u8 id[PXS_DB_ID_ROOM];
	u32 len = pxs_db_key_id(db, id, key);
	struct pxs_rec rec;

	if (!get(db, id, len, &rec))
		return;
	rec.key = key;
	rec.value = keep(db, rec.value);
	index_expire(db, id, len, rec.expire, false);
	index_expire(db, id, len, expire, true);
	rec.expire = expire;
	put(db, id, len, &rec);
}

/* Fields of a hash are found by its number: they stay where they are. */
void pxs_db_rename(struct pxs_db *db, struct pxs_str from, struct pxs_str to)
{
	u8 id[PXS_DB_ID_ROOM];
	u32 len = pxs_db_key_id(db, id, from);
	MDB_val k = { len, id };
	struct pxs_rec rec;

	if (!get(db, id, len, &rec))
		return;
	rec.value = keep(db, rec.value);
	db->dirty = true;
	db->state.used -= size_of(&rec);
	db->state.keys--;
	index_expire(db, id, len, rec.expire, false);
	pxs_db_ok(db, mdb_del(db->txn, db->keys_t, &k, NULL));
	note_gone(db, id, GONE_LEN);
	pxs_db_delete(db, to);
	rec.key = to;
	len = pxs_db_key_id(db, id, to);
	add(db, id, len, &rec);
}

void pxs_db_put_hash(struct pxs_db *db, struct pxs_str key, const struct pxs_rec *rec)
{
	struct db_hash d = {
		.hash = cpu_to_le64(rec->hash),
		.count = cpu_to_le64(rec->count),
		.next = cpu_to_le64(rec->next),
	};
	struct pxs_rec new = *rec;
	u8 id[PXS_DB_ID_ROOM];

	new.key = key;
	new.value = (struct pxs_str){ (const u8 *)&d, sizeof(d) };
	put(db, id, pxs_db_key_id(db, id, key), &new);
}

void pxs_db_make_hash(struct pxs_db *db, struct pxs_str key, struct pxs_rec *rec)
{
	struct db_hash d = { .next = cpu_to_le64(1) };
	u8 id[PXS_DB_ID_ROOM];

	if (pxs_db_find(db, key, rec))
		return;
	d.hash = cpu_to_le64(db->state.next_hash);
	*rec = (struct pxs_rec){
		.type = PXS_TYPE_HASH, .hash = db->state.next_hash++, .next = 1, .key = key,
		.value = { (const u8 *)&d, sizeof(d) },
	};
	add(db, id, pxs_db_key_id(db, id, key), rec);
}

/* Once for each place that a key has. */
static void note_each_gone(struct pxs_db *db)
{
	u8 place[GONE_LEN] = { 0 };
	MDB_val k = { GONE_LEN, place }, v;
	MDB_cursor *c;
	u32 next = 0;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, db->keys_t, &c)))
		return;
	while (next < 1u << 8 * GONE_LEN && !db->err &&
	       pxs_db_ok(db, mdb_cursor_get(c, &k, &v, MDB_SET_RANGE))) {
		memcpy(place, k.mv_data, GONE_LEN);
		note_gone(db, place, GONE_LEN);
		next = ((u32)place[0] << 8 | place[1]) + 1;
		place[0] = (u8)(next >> 8);
		place[1] = (u8)next;
		k = (MDB_val){ GONE_LEN, place };
	}
	mdb_cursor_close(c);
}

/* What was gone before is told by the place of all, or by those that are there already. */
void pxs_db_flush(struct pxs_db *db)
{
	MDB_dbi tables[] = { db->keys_t, db->fields_t, db->items_t, db->expire_t, db->gone_t };
	unsigned int i, n = ARRAY_SIZE(tables);

	db->dirty = true;
	if (db->flush_notes) {
		note_each_gone(db);
		n--;
	}
	for (i = 0; i < n; i++)
		pxs_db_ok(db, mdb_drop(db->txn, tables[i], 0));
	if (!db->flush_notes)
		note_gone(db, gone_all, 1);
	db->state.used = 0;
	db->state.keys = 0;
	db->state.expires = 0;
}

/* --- expiry ------------------------------------------------------------------ */

/* A place in the index; of length 0 in front of all. */
struct expiry {
	u32 len;
	u8 key[8 + PXS_DB_ID_ROOM];	/* when (be64), id */
};

/* The next place behind @at. Return: when, 0: there is none. */
static u64 next_expiry(struct pxs_db *db, struct expiry *at)
{
	MDB_val k = { at->len, at->key }, v;
	MDB_cursor *c;
	__be64 when;
	bool found;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, db->expire_t, &c)))
		return 0;
	found = pxs_db_ok(db, mdb_cursor_get(c, &k, &v, at->len ? MDB_SET_RANGE : MDB_FIRST));
	if (found && k.mv_size == at->len && !memcmp(k.mv_data, at->key, at->len))
		found = pxs_db_ok(db, mdb_cursor_get(c, &k, &v, MDB_NEXT));
	mdb_cursor_close(c);
	if (!found || k.mv_size < 16 || k.mv_size > sizeof(at->key))
		return 0;
	at->len = (u32)k.mv_size;
	memcpy(at->key, k.mv_data, at->len);
	memcpy(&when, at->key, 8);
	return be64_to_cpu(when);
}

u64 pxs_db_next_expire(struct pxs_db *db)
{
	struct expiry first = { 0 };

	return db->state.expires ? next_expiry(db, &first) : 0;
}

u32 pxs_db_reap(struct pxs_db *db, u32 n)
{
	struct expiry at = { 0 };
	const u8 *id = at.key + 8;
	struct pxs_rec rec;
	u32 i, len;
	u64 when;

	for (i = 0; i < n && db->state.expires; i++) {
		when = next_expiry(db, &at);
		if (!when || db->now <= when)
			break;
		len = at.len - 8;
		if (pxs_cross_holds_time(db, id, len))
			continue;
		if (!get(db, id, len, &rec)) {
			db->err = db->err ? db->err : -EUCLEAN;
			break;
		}
		erase(db, id, len, &rec);
	}
	return i;
}

/* --- all keys ---------------------------------------------------------------- */

static u64 hash_of(const MDB_val *k)
{
	__be64 be;

	memcpy(&be, k->mv_data, sizeof(be));
	return be64_to_cpu(be);
}

u64 pxs_db_random(struct pxs_db *db)
{
	u64 draw[2] = { cpu_to_le64(db->slot), cpu_to_le64(db->draws) };

	if (db->writing)
		db->draws++;
	else if (getrandom(draw, sizeof(draw), GRND_NONBLOCK) != (ssize_t)sizeof(draw))
		draw[0] = 0;
	return pxs_siphash(&db->seed, draw, sizeof(draw));
}

u64 pxs_db_scan(struct pxs_db *db, u64 cursor, pxs_db_see_t see, void *ctx)
{
	__be64 from = cpu_to_be64(cursor);
	MDB_val k = { sizeof(from), &from }, v;
	bool more = true;
	struct pxs_rec rec;
	u64 hash, next = 0;
	MDB_cursor *c;
	int op = MDB_SET_RANGE;
	u64 last = 0;

	if (!pxs_db_ok(db, mdb_cursor_open(db->txn, db->keys_t, &c)))
		return 0;
	for (; pxs_db_ok(db, mdb_cursor_get(c, &k, &v, op)); op = MDB_NEXT) {
		hash = hash_of(&k);
		if (!more && hash != last) {
			next = hash;
			break;
		}
		last = hash;
		if (!parse(db, v, &rec))
			break;
		if (!expired(db, &rec))
			more &= see(ctx, &rec);
	}
	mdb_cursor_close(c);
	return next;
}

struct digest {
	struct pxs_db *db;
	blake2s_state state;
};

static void digest_str(struct digest *d, struct pxs_str s)
{
	__le32 len = cpu_to_le32(s.len);

	blake2s_update(&d->state, (const u8 *)&len, sizeof(len));
	blake2s_update(&d->state, s.data, s.len);
}

static bool digest_item(void *ctx, struct pxs_str field, struct pxs_str value)
{
	digest_str(ctx, field);
	digest_str(ctx, value);
	return true;
}

static bool digest_key(void *ctx, const struct pxs_rec *rec)
{
	__le64 head[4] = { rec->type, cpu_to_le64(rec->version), cpu_to_le64(rec->expire),
			   cpu_to_le64(rec->count) };
	struct digest *d = ctx;

	blake2s_update(&d->state, (const u8 *)head, sizeof(head));
	digest_str(d, rec->key);
	if (rec->type == PXS_TYPE_STRING)
		digest_str(d, rec->value);
	else
		pxs_db_items(d->db, rec, 0, digest_item, d);
	return true;
}

void pxs_db_digest_table(struct pxs_db *db, MDB_dbi table, blake2s_state *state)
{
	MDB_cursor *c;
	MDB_val k, v;
	__le64 len;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, table, &c)))
		return;
	while (pxs_db_ok(db, mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		len = cpu_to_le64(k.mv_size << 32 | v.mv_size);
		blake2s_update(state, (const u8 *)&len, sizeof(len));
		blake2s_update(state, k.mv_data, k.mv_size);
		blake2s_update(state, v.mv_data, v.mv_size);
	}
	mdb_cursor_close(c);
}

void pxs_db_digest(struct pxs_db *db, u8 digest[16])
{
	struct digest d = { .db = db };

	blake2s_init(&d.state, 16);
	pxs_db_scan(db, 0, digest_key, &d);
	pxs_db_digest_table(db, db->gone_t, &d.state);
	pxs_session_digest(db, &d.state);
	pxs_db_saga_digest(db, &d.state);
	pxs_cross_digest(db, &d.state);
	blake2s_final(&d.state, digest, 16);
}
