// SPDX-License-Identifier: GPL-2.0
/*
 * evdb_item.c - the table of eventual keys: elements
 */
#include "evdb.h"

#include <blake2.h>

#include "db.h"

struct id {
	u8 bytes[PXS_EVDB_ID_MAX];
	u32 len;
};

/* --- ids and records --- */

static void digest_of(struct pxs_str s, u8 *to)
{
	blake2s_state b;

	blake2s_init(&b, PXS_EVDB_HASH);
	blake2s_update(&b, s.data, s.len);
	blake2s_final(&b, to, PXS_EVDB_HASH);
}

static struct id id_of(struct pxs_str key, const struct pxs_str *field)
{
	struct id id = { .len = PXS_EVDB_HASH + 1 };

	digest_of(key, id.bytes);
	id.bytes[PXS_EVDB_HASH] = field ? PXS_LWW_FIELD : PXS_LWW_WHOLE;
	if (!field)
		return id;
	digest_of(*field, id.bytes + id.len);
	id.len += PXS_EVDB_HASH;
	return id;
}

static struct id id_of_element(const struct pxs_element *e)
{
	return id_of(e->key, e->kind == PXS_LWW_FIELD ? &e->field : NULL);
}

static bool ok(struct pxs_evtx *tx, int ret)
{
	if (ret && ret != MDB_NOTFOUND && !tx->err)
		tx->err = pxs_db_errno(ret);
	return !ret && !tx->err;
}

static bool parse(struct pxs_evtx *tx, MDB_val v, struct pxs_element *e)
{
	__le64 seq;
	u32 pos = 0;

	if (v.mv_size > sizeof(seq) && v.mv_size < PXS_FEED_MAX) {
		memcpy(&seq, v.mv_data, sizeof(seq));
		if (pxs_feed_next((u8 *)v.mv_data + sizeof(seq),
				  (u32)(v.mv_size - sizeof(seq)), &pos, e) == 1 &&
		    pos == v.mv_size - sizeof(seq)) {
			e->seq = le64_to_cpu(seq);
			return true;
		}
	}
	if (!tx->err)
		tx->err = -EUCLEAN;
	return false;
}

static bool get(struct pxs_evtx *tx, const struct id *id, struct pxs_element *e)
{
	MDB_val k = { id->len, (void *)id->bytes }, v;

	if (tx->err || !ok(tx, mdb_get(tx->txn, tx->db->items_t, &k, &v)))
		return false;
	return parse(tx, v, e);
}

bool pxs_evdb_get(struct pxs_evtx *tx, struct pxs_str key, const struct pxs_str *field,
		  struct pxs_element *e)
{
	struct id id = id_of(key, field);

	return get(tx, &id, e);
}

/* --- tables beside that of the items --- */

static u64 size_of(const struct pxs_element *e)
{
	return PXS_EVDB_OVERHEAD + e->key.len + e->field.len + e->value.len;
}

static void set_number(struct pxs_evtx *tx, MDB_dbi table, u64 number, const struct id *id)
{
	__be64 be = cpu_to_be64(number);
	MDB_val k = { sizeof(be), &be }, v = { id->len, (void *)id->bytes };

	if (!tx->err)
		ok(tx, mdb_put(tx->txn, table, &k, &v, 0));
}

static void drop_number(struct pxs_evtx *tx, MDB_dbi table, u64 number)
{
	__be64 be = cpu_to_be64(number);
	MDB_val k = { sizeof(be), &be };

	if (!tx->err)
		ok(tx, mdb_del(tx->txn, table, &k, NULL));
}

static void set_due(struct pxs_evtx *tx, u64 deadline, const struct id *id, bool add)
{
	u8 full[8 + PXS_EVDB_HASH];
	__be64 be = cpu_to_be64(deadline);
	MDB_val k = { sizeof(full), full }, v = { 0, "" };

	if (!deadline || tx->err)
		return;
	memcpy(full, &be, sizeof(be));
	memcpy(full + sizeof(be), id->bytes, PXS_EVDB_HASH);
	ok(tx, add ? mdb_put(tx->txn, tx->db->due_t, &k, &v, 0) :
		     mdb_del(tx->txn, tx->db->due_t, &k, NULL));
}

/* Take @old out of the sums and the other tables. */
static void forget(struct pxs_evtx *tx, const struct id *id, const struct pxs_element *old)
{
	struct pxs_evdb_state *s = &tx->db->next;

	s->items--;
	s->dead -= old->dead;
	s->used -= size_of(old);
	drop_number(tx, tx->db->order_t, old->seq);
	if (old->dead)
		drop_number(tx, tx->db->dead_t, old->seq);
	set_due(tx, old->deadline, id, false);
}

/* At the next place. What it points to must not be in the database. */
static void store(struct pxs_evtx *tx, const struct id *id, const struct pxs_element *e)
{
	struct pxs_evdb_state *s = &tx->db->next;
	MDB_val k = { id->len, (void *)id->bytes };
	MDB_val v = { sizeof(__le64) + pxs_feed_size(e), NULL };
	u64 seq = ++s->head;
	__le64 le = cpu_to_le64(seq);

	s->items++;
	s->dead += e->dead;
	s->used += size_of(e);
	set_number(tx, tx->db->order_t, seq, id);
	if (e->dead)
		set_number(tx, tx->db->dead_t, seq, id);
	set_due(tx, e->deadline, id, true);
	if (tx->err || !ok(tx, mdb_put(tx->txn, tx->db->items_t, &k, &v, MDB_RESERVE)))
		return;
	memcpy(v.mv_data, &le, sizeof(le));
	pxs_feed_put((u8 *)v.mv_data + sizeof(le), e);
}

static void erase(struct pxs_evtx *tx, const struct id *id, const struct pxs_element *old)
{
	MDB_val k = { id->len, (void *)id->bytes };

	forget(tx, id, old);
	if (!tx->err)
		ok(tx, mdb_del(tx->txn, tx->db->items_t, &k, NULL));
}

/* The value goes; the key, @key, is not in the database. */
static void kill(struct pxs_evtx *tx, const struct id *id, const struct pxs_element *old,
		 struct pxs_str key)
{
	struct pxs_element e = *old;

	forget(tx, id, old);
	e.key = key;
	pxs_lww_kill(&e);
	store(tx, id, &e);
}

/* --- fields --- */

/* The first element of the key of @id, behind *id, which becomes its id. */
static bool next_of_key(struct pxs_evtx *tx, MDB_cursor *c, struct id *id, struct pxs_element *e)
{
	u8 from[PXS_EVDB_ID_MAX + 1];
	MDB_val k = { id->len + 1, from }, v;

	memcpy(from, id->bytes, id->len);
	from[id->len] = 0;
	if (!ok(tx, mdb_cursor_get(c, &k, &v, MDB_SET_RANGE)) || k.mv_size > PXS_EVDB_ID_MAX ||
	    k.mv_size <= PXS_EVDB_HASH || memcmp(k.mv_data, id->bytes, PXS_EVDB_HASH))
		return false;
	memcpy(id->bytes, k.mv_data, k.mv_size);
	id->len = (u32)k.mv_size;
	return parse(tx, v, e);
}

/* Fields that @whole covers go. Return: one is left. */
static bool cover(struct pxs_evtx *tx, const struct pxs_element *whole)
{
	struct id id = id_of(whole->key, NULL);
	struct pxs_element e;
	MDB_cursor *c;
	bool left = false;

	if (tx->err || !ok(tx, mdb_cursor_open(tx->txn, tx->db->items_t, &c)))
		return false;
	while (next_of_key(tx, c, &id, &e)) {
		if (pxs_lww_covers(whole, &e))
			erase(tx, &id, &e);
		else
			left = true;
	}
	mdb_cursor_close(c);
	return left;
}

void pxs_evdb_fields(struct pxs_evtx *tx, struct pxs_str key, pxs_evdb_see_t see, void *ctx)
{
	struct id id = id_of(key, NULL);
	struct pxs_element e;
	MDB_cursor *c;

	if (tx->err || !ok(tx, mdb_cursor_open(tx->txn, tx->db->items_t, &c)))
		return;
	while (next_of_key(tx, c, &id, &e) && see(ctx, &e))
		;
	mdb_cursor_close(c);
}

/* --- merging --- */

bool pxs_evdb_merge(struct pxs_evtx *tx, const struct pxs_element *e)
{
	struct id id = id_of_element(e), whole_id = id_of(e->key, NULL);
	bool field = e->kind == PXS_LWW_FIELD;
	struct pxs_element whole, old, new = *e;
	bool known;

	pxs_clock_see(&tx->db->next.clock, e->stamp.time);
	if (field && get(tx, &whole_id, &whole)) {
		if (pxs_lww_covers(&whole, e))
			return false;
		if (pxs_lww_ends(e, &whole))
			kill(tx, &whole_id, &whole, e->key);
	}
	known = get(tx, &id, &old);
	if (tx->err || (known && pxs_lww_compare(e, &old) <= 0))
		return false;
	if (known)
		forget(tx, &id, &old);
	if (!field && cover(tx, e) && !new.dead)
		pxs_lww_kill(&new);
	store(tx, &id, &new);
	return !tx->err;
}

bool pxs_evdb_merge_told(struct pxs_evtx *tx, const struct pxs_element *e, u64 now)
{
	struct pxs_element old;

	/* The same write: a deadline has ended it there, or a field, which comes itself. */
	if (e->kind == PXS_LWW_WHOLE && e->dead && pxs_evdb_get(tx, e->key, NULL, &old) &&
	    !old.dead && old.deadline > now && !pxs_stamp_compare(&e->stamp, &old.stamp))
		return false;
	return pxs_evdb_merge(tx, e);
}

void pxs_evdb_write(struct pxs_evtx *tx, struct pxs_element *e, u64 now)
{
	struct pxs_evdb_state *s = &tx->db->next;

	e->stamp.time = pxs_clock_tick(&s->clock, now);
	e->stamp.table = s->table;
	e->stamp.member = tx->db->owner.member;
	/* The place that it will get, or one before that: a string may end first. */
	e->origin = s->head + 1;
	pxs_evdb_merge(tx, e);
}

/* --- the stream --- */

static bool at_number(struct pxs_evtx *tx, MDB_val v, struct id *id, struct pxs_element *e)
{
	if (v.mv_size > PXS_EVDB_ID_MAX || v.mv_size <= PXS_EVDB_HASH) {
		tx->err = -EUCLEAN;
		return false;
	}
	memcpy(id->bytes, v.mv_data, v.mv_size);
	id->len = (u32)v.mv_size;
	if (get(tx, id, e))
		return true;
	if (!tx->err)
		tx->err = -EUCLEAN;
	return false;
}

bool pxs_evdb_changes(struct pxs_evtx *tx, u64 after, pxs_evdb_see_t see, void *ctx)
{
	__be64 be = cpu_to_be64(after + 1);
	MDB_val k = { sizeof(be), &be }, v;
	int op = MDB_SET_RANGE;
	struct pxs_element e;
	MDB_cursor *c;
	struct id id;
	bool more = true;

	if (tx->err || !ok(tx, mdb_cursor_open(tx->txn, tx->db->order_t, &c)))
		return false;
	for (; more && ok(tx, mdb_cursor_get(c, &k, &v, op)); op = MDB_NEXT)
		more = at_number(tx, v, &id, &e) && see(ctx, &e);
	mdb_cursor_close(c);
	return more && !tx->err;
}

/* The first record of a table. */
static bool first(struct pxs_evtx *tx, MDB_dbi table, MDB_val *k, MDB_val *v)
{
	MDB_cursor *c;
	bool found;

	if (tx->err || !ok(tx, mdb_cursor_open(tx->txn, table, &c)))
		return false;
	found = ok(tx, mdb_cursor_get(c, k, v, MDB_FIRST));
	mdb_cursor_close(c);
	return found;
}

/* The number that the first record of @table begins with. */
static u64 first_number(struct pxs_evtx *tx, MDB_dbi table)
{
	MDB_val k, v;
	__be64 be;

	if (!first(tx, table, &k, &v) || k.mv_size < sizeof(be))
		return 0;
	memcpy(&be, k.mv_data, sizeof(be));
	return be64_to_cpu(be);
}

u64 pxs_evdb_first_due(struct pxs_evtx *tx)
{
	return first_number(tx, tx->db->due_t);
}

u64 pxs_evdb_first_dead(struct pxs_evtx *tx)
{
	return first_number(tx, tx->db->dead_t);
}

u32 pxs_evdb_reap(struct pxs_evtx *tx, u64 now, u32 n)
{
	struct pxs_element e;
	struct id id = { .len = PXS_EVDB_HASH + 1 };
	MDB_val k, v;
	__be64 be;
	u32 i;

	for (i = 0; i < n && first(tx, tx->db->due_t, &k, &v); i++) {
		if (k.mv_size != sizeof(be) + PXS_EVDB_HASH) {
			tx->err = -EUCLEAN;
			break;
		}
		memcpy(&be, k.mv_data, sizeof(be));
		if (now <= be64_to_cpu(be))
			break;
		memcpy(id.bytes, (u8 *)k.mv_data + sizeof(be), PXS_EVDB_HASH);
		id.bytes[PXS_EVDB_HASH] = PXS_LWW_WHOLE;
		if (!get(tx, &id, &e)) {
			tx->err = tx->err ? tx->err : -EUCLEAN;
			break;
		}
		memcpy(tx->db->copy, e.key.data, e.key.len);
		kill(tx, &id, &e, (struct pxs_str){ tx->db->copy, e.key.len });
	}
	return i;
}

u32 pxs_evdb_sweep(struct pxs_evtx *tx, u64 horizon, u32 n)
{
	struct pxs_element e;
	struct id id;
	MDB_val k, v;
	__be64 be;
	u32 i;

	for (i = 0; i < n && first(tx, tx->db->dead_t, &k, &v); i++) {
		memcpy(&be, k.mv_data, sizeof(be));
		if (be64_to_cpu(be) > horizon || !at_number(tx, v, &id, &e))
			break;
		erase(tx, &id, &e);
	}
	return i;
}

/* --- all of it --- */

u64 pxs_evdb_scan(struct pxs_evtx *tx, u64 cursor, u64 now, pxs_evdb_see_t see, void *ctx)
{
	__be64 be = cpu_to_be64(cursor);
	MDB_val k = { sizeof(be), &be }, v;
	u8 seen[PXS_EVDB_HASH] = { 0 };
	int op = MDB_SET_RANGE;
	struct pxs_element e;
	MDB_cursor *c;
	bool more = true;
	u64 at = 0, last = 0, next = 0;

	if (tx->err || !ok(tx, mdb_cursor_open(tx->txn, tx->db->items_t, &c)))
		return 0;
	for (; ok(tx, mdb_cursor_get(c, &k, &v, op)) && parse(tx, v, &e); op = MDB_NEXT) {
		memcpy(&be, k.mv_data, sizeof(be));
		at = be64_to_cpu(be);
		/* Keys whose ids begin alike are never parted. */
		if (!more && at != last) {
			next = at;
			break;
		}
		last = at;
		if (!pxs_lww_alive(&e, now) || !memcmp(seen, k.mv_data, sizeof(seen)))
			continue;
		memcpy(seen, k.mv_data, sizeof(seen));
		more &= see(ctx, &e);
	}
	mdb_cursor_close(c);
	return next;
}

u64 pxs_evdb_digest(struct pxs_evtx *tx, u64 now, u8 digest[16])
{
	struct pxs_element e;
	blake2s_state b;
	MDB_cursor *c;
	MDB_val k, v;
	__le64 head[5];
	u64 n = 0;

	blake2s_init(&b, 16);
	if (!tx->err && ok(tx, mdb_cursor_open(tx->txn, tx->db->items_t, &c))) {
		while (ok(tx, mdb_cursor_get(c, &k, &v, MDB_NEXT)) && parse(tx, v, &e)) {
			if (!pxs_lww_alive(&e, now))
				continue;
			head[0] = cpu_to_le64(e.stamp.time);
			head[1] = cpu_to_le64(e.stamp.table);
			head[2] = cpu_to_le64(e.stamp.member);
			head[3] = cpu_to_le64(e.deadline);
			head[4] = cpu_to_le64(e.value.len);
			blake2s_update(&b, k.mv_data, k.mv_size);
			blake2s_update(&b, (u8 *)head, sizeof(head));
			blake2s_update(&b, e.value.data, e.value.len);
			n++;
		}
		mdb_cursor_close(c);
	}
	blake2s_final(&b, digest, 16);
	return n;
}
