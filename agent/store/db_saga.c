// SPDX-License-Identifier: GPL-2.0
/*
 * db_saga.c - sagas in the store: what each is, how far it is, what has happened to it
 */
#include "db_saga.h"

#include "db_pair.h"

#include <linux/paxsteer.h>

/* Row 0, little endian; the id, the reason and the trouble follow. */
struct db_saga {
	__le64 position;
	__le64 begun;
	__le64 deadline;
	__le64 due;
	__le64 ended;
	__le64 keep;
	__le64 rows;		/* the next one of the history */
	__le32 steps;
	__le32 step;
	__le32 tries;
	__le32 skipped;
	__le16 id_len;
	__le16 reason_len;
	__le16 trouble_len;
	u8 state;
	u8 reserved;
};

struct db_event {
	__le64 slot;
	__le64 time;
	__le32 step;
	u8 event;
	u8 reserved[3];
};

#define ROW_SAGA	0u
#define ROW_WORDS	1u
#define ROW_HISTORY	2u
#define ROW_LAST	(ROW_HISTORY + PXS_SAGA_HISTORY_MAX - 1)

static u64 count(struct pxs_db *db, MDB_dbi table)
{
	MDB_stat st;

	return pxs_db_ok(db, mdb_stat(db->txn, table, &st)) ? st.ms_entries : 0;
}

u64 pxs_db_saga_count(struct pxs_db *db)
{
	return count(db, db->saga_ids_t);
}

u64 pxs_db_saga_live(struct pxs_db *db)
{
	return count(db, db->saga_due_t);
}

/* --- rows ------------------------------------------------------------------------ */

static bool get_row(struct pxs_db *db, u64 number, u64 row, MDB_val *v)
{
	struct pxs_pair at = pxs_pair(number, row);
	MDB_val k = { sizeof(at), &at };

	return !db->err && pxs_db_ok(db, mdb_get(db->txn, db->sagas_t, &k, v));
}

/* Room for a row; NULL: an error. */
static u8 *put_row(struct pxs_db *db, u64 number, u64 row, u64 len)
{
	struct pxs_pair at = pxs_pair(number, row);
	MDB_val k = { sizeof(at), &at }, v = { len, NULL };

	db->dirty = true;
	if (db->err || !pxs_db_ok(db, mdb_put(db->txn, db->sagas_t, &k, &v, MDB_RESERVE)))
		return NULL;
	return v.mv_data;
}

static u8 *put_bytes(u8 *to, const void *from, u32 len)
{
	if (len)
		memcpy(to, from, len);
	return to + len;
}

static void index_time(struct pxs_db *db, const struct pxs_saga *g, bool over, u64 when, bool add)
{
	MDB_dbi table = over ? db->saga_ends_t : db->saga_due_t;
	struct pxs_pair at = pxs_pair(when, g->number);
	MDB_val k = { sizeof(at), &at }, v = { 0, "" };

	if (db->err)
		return;
	if (add)
		pxs_db_ok(db, mdb_put(db->txn, table, &k, &v, 0));
	else
		pxs_db_ok(db, mdb_del(db->txn, table, &k, NULL));
}

static void file(struct pxs_db *db, struct pxs_saga *g)
{
	bool over = pxs_saga_over(g);
	u64 when = over ? g->ended + g->keep : g->due;

	db->sagas_moved = true;
	if (g->filed && g->filed_over == over && g->filed_at == when)
		return;
	if (g->filed)
		index_time(db, g, g->filed_over, g->filed_at, false);
	index_time(db, g, over, when, true);
	g->filed = true;
	g->filed_over = over;
	g->filed_at = when;
}

static bool take_reason(struct pxs_saga_reason *r, const u8 *from, u32 len)
{
	if (len > sizeof(r->text))
		return false;
	r->len = len;
	put_bytes((u8 *)r->text, from, len);
	return true;
}

static bool parse(struct pxs_db *db, u64 number, MDB_val v, struct pxs_saga *g)
{
	const u8 *at = (const u8 *)v.mv_data + sizeof(struct db_saga);
	u32 id, reason, trouble;
	struct db_saga d;

	if (v.mv_size < sizeof(d))
		return pxs_db_damaged(db);
	memcpy(&d, v.mv_data, sizeof(d));
	id = le16toh(d.id_len);
	reason = le16toh(d.reason_len);
	trouble = le16toh(d.trouble_len);
	if (id > PXS_SAGA_ID_MAX || v.mv_size != sizeof(d) + id + reason + trouble)
		return pxs_db_damaged(db);
	*g = (struct pxs_saga){
		.number = number, .position = le64_to_cpu(d.position),
		.begun = le64_to_cpu(d.begun), .deadline = le64_to_cpu(d.deadline),
		.due = le64_to_cpu(d.due), .ended = le64_to_cpu(d.ended),
		.keep = le64_to_cpu(d.keep), .rows = le64_to_cpu(d.rows),
		.steps = le32_to_cpu(d.steps), .step = le32_to_cpu(d.step),
		.tries = le32_to_cpu(d.tries), .skipped = le32_to_cpu(d.skipped),
		.state = d.state, .id = { at, id }, .filed = true,
	};
	g->filed_over = pxs_saga_over(g);
	g->filed_at = g->filed_over ? g->ended + g->keep : g->due;
	return (take_reason(&g->reason, at + id, reason) &&
		take_reason(&g->trouble, at + id + reason, trouble)) || pxs_db_damaged(db);
}

/* g->id must not point into the database; it does afterwards, if it can. */
static void put(struct pxs_db *db, struct pxs_saga *g)
{
	struct db_saga d = {
		.position = cpu_to_le64(g->position), .begun = cpu_to_le64(g->begun),
		.deadline = cpu_to_le64(g->deadline), .due = cpu_to_le64(g->due),
		.ended = cpu_to_le64(g->ended), .keep = cpu_to_le64(g->keep),
		.rows = cpu_to_le64(g->rows), .steps = cpu_to_le32(g->steps),
		.step = cpu_to_le32(g->step), .tries = cpu_to_le32(g->tries),
		.skipped = cpu_to_le32(g->skipped), .state = g->state,
		.id_len = htole16((u16)g->id.len), .reason_len = htole16((u16)g->reason.len),
		.trouble_len = htole16((u16)g->trouble.len),
	};
	u8 *to = put_row(db, g->number, ROW_SAGA,
			 sizeof(d) + g->id.len + g->reason.len + g->trouble.len);
	const u8 *id;

	if (!to) {
		g->id.len = 0;
		return;
	}
	to = put_bytes(to, &d, sizeof(d));
	id = to;
	to = put_bytes(to, g->id.data, g->id.len);
	g->id.data = id;
	to = put_bytes(to, g->reason.text, g->reason.len);
	put_bytes(to, g->trouble.text, g->trouble.len);
}

static void note(struct pxs_db *db, struct pxs_saga *g, enum pxs_saga_event event, u32 step,
		 struct pxs_str text)
{
	u32 len = min(text.len, PXS_SAGA_REASON_MAX);
	struct db_event e = {
		.slot = cpu_to_le64(db->slot), .time = cpu_to_le64(db->now),
		.step = cpu_to_le32(step), .event = (u8)event,
	};
	u8 *to = put_row(db, g->number, g->rows, sizeof(e) + len);

	if (!to)
		return;
	put_bytes(put_bytes(to, &e, sizeof(e)), text.data, len);
	g->rows = min(g->rows + 1, (u64)ROW_LAST);
}

/* --- one saga ----------------------------------------------------------------------- */

bool pxs_db_saga_get(struct pxs_db *db, u64 number, struct pxs_saga *g)
{
	MDB_val v;

	return get_row(db, number, ROW_SAGA, &v) && parse(db, number, v, g);
}

static bool find(struct pxs_db *db, struct pxs_str id, struct pxs_saga *g)
{
	u64 number;

	if (!id.len || id.len > PXS_SAGA_ID_MAX)
		return false;
	number = pxs_db_number(db, db->saga_ids_t, id.data, id.len);
	if (!number)
		return false;
	return pxs_db_saga_get(db, number, g) || pxs_db_damaged(db);
}

static bool forgotten(const struct pxs_db *db, const struct pxs_saga *g)
{
	return pxs_saga_over(g) && db->now > g->ended + g->keep;
}

bool pxs_db_saga_find(struct pxs_db *db, struct pxs_str id, struct pxs_saga *g)
{
	return find(db, id, g) && !forgotten(db, g);
}

void pxs_db_saga_put(struct pxs_db *db, struct pxs_saga *g, enum pxs_saga_event event, u32 step,
		     struct pxs_str text)
{
	u8 id[PXS_SAGA_ID_MAX];

	pxs_assert(g->id.len <= sizeof(id));
	put_bytes(id, g->id.data, g->id.len);
	g->id.data = id;
	note(db, g, event, step, text);
	file(db, g);
	put(db, g);
}

void pxs_db_saga_add(struct pxs_db *db, struct pxs_saga *g, u32 argc, const struct pxs_str *argv)
{
	MDB_val k = { g->id.len, (void *)g->id.data };
	__le64 number = cpu_to_le64(g->number);
	MDB_val v = { sizeof(number), &number };
	u64 size = 0;
	__le32 len;
	u8 *to;
	u32 i;

	if (!db->err)
		pxs_db_ok(db, mdb_put(db->txn, db->saga_ids_t, &k, &v, 0));
	for (i = 0; i < argc; i++)
		size += sizeof(len) + argv[i].len;
	to = put_row(db, g->number, ROW_WORDS, size);
	for (i = 0; i < argc && to; i++) {
		len = cpu_to_le32(argv[i].len);
		to = put_bytes(put_bytes(to, &len, sizeof(len)), argv[i].data, argv[i].len);
	}
	g->rows = ROW_HISTORY;
	pxs_db_saga_put(db, g, PXS_EVENT_BEGUN, 0, (struct pxs_str){ NULL, 0 });
}

u32 pxs_db_saga_words(struct pxs_db *db, const struct pxs_saga *g, const struct pxs_str **argv)
{
	static struct pxs_str words[PXS_VALUE_MAX / 4];
	static u8 bytes[PXS_VALUE_MAX];
	u32 at = 0, n = 0, len;
	__le32 le;
	MDB_val v;

	*argv = words;
	if (!get_row(db, g->number, ROW_WORDS, &v) || v.mv_size > sizeof(bytes))
		return pxs_db_damaged(db);
	len = (u32)v.mv_size;
	memcpy(bytes, v.mv_data, len);
	while (at < len) {
		if (len - at < sizeof(le))
			return pxs_db_damaged(db);
		memcpy(&le, bytes + at, sizeof(le));
		at += (u32)sizeof(le);
		if (le32_to_cpu(le) > len - at)
			return pxs_db_damaged(db);
		words[n++] = (struct pxs_str){ bytes + at, le32_to_cpu(le) };
		at += le32_to_cpu(le);
	}
	return n;
}

/* --- those that are over ----------------------------------------------------------- */

static void forget(struct pxs_db *db, const struct pxs_saga *g)
{
	u8 id[PXS_SAGA_ID_MAX];
	MDB_val k = { g->id.len, id };

	pxs_assert(g->id.len <= sizeof(id));
	put_bytes(id, g->id.data, g->id.len);
	db->dirty = true;
	if (!db->err)
		pxs_db_ok(db, mdb_del(db->txn, db->saga_ids_t, &k, NULL));
	index_time(db, g, g->filed_over, g->filed_at, false);
	pxs_pair_drop(db, db->sagas_t, g->number, ~0ull);
}

/* The first of an index. Return: there is one, at *when. */
static bool first(struct pxs_db *db, MDB_dbi table, struct pxs_saga *g, u64 *when)
{
	struct pxs_pair at = pxs_pair(0, 0);
	MDB_val v;

	if (!pxs_pair_find(db, table, &at, &v))
		return false;
	*when = be64_to_cpu(at.a);
	return pxs_db_saga_get(db, be64_to_cpu(at.b), g) || pxs_db_damaged(db);
}

void pxs_db_saga_reap(struct pxs_db *db, u32 n)
{
	struct pxs_saga g;
	u64 when;

	while (n-- && first(db, db->saga_ends_t, &g, &when) && db->now > when)
		forget(db, &g);
}

void pxs_db_saga_forget_old(struct pxs_db *db, struct pxs_str id)
{
	struct pxs_saga g;

	if (find(db, id, &g) && forgotten(db, &g))
		forget(db, &g);
}

bool pxs_db_saga_room(struct pxs_db *db, u64 most)
{
	struct pxs_saga g;
	u64 when;
	u32 i;

	for (i = 0; i < PXS_SAGA_EVICT && pxs_db_saga_count(db) >= most; i++)
		if (first(db, db->saga_ends_t, &g, &when))
			forget(db, &g);
	return pxs_db_saga_count(db) < most;
}

/* --- many ---------------------------------------------------------------------------- */

bool pxs_db_saga_from(struct pxs_db *db, u64 number, struct pxs_saga *g)
{
	struct pxs_pair at = pxs_pair(number, ROW_SAGA);
	MDB_val v;

	if (!pxs_pair_find(db, db->sagas_t, &at, &v))
		return false;
	if (be64_to_cpu(at.b) != ROW_SAGA)
		return pxs_db_damaged(db);
	return parse(db, be64_to_cpu(at.a), v, g);
}

void pxs_db_saga_history(struct pxs_db *db, u64 number, pxs_saga_see_t see, void *ctx)
{
	struct pxs_saga_note n;
	struct db_event e;
	MDB_val v;
	u64 row;

	for (row = ROW_HISTORY; row <= ROW_LAST && get_row(db, number, row, &v); row++) {
		if (v.mv_size < sizeof(e)) {
			pxs_db_damaged(db);
			return;
		}
		memcpy(&e, v.mv_data, sizeof(e));
		n = (struct pxs_saga_note){
			.slot = le64_to_cpu(e.slot), .time = le64_to_cpu(e.time),
			.step = le32_to_cpu(e.step), .event = e.event,
			.text = { (u8 *)v.mv_data + sizeof(e), (u32)(v.mv_size - sizeof(e)) },
		};
		if (!see(ctx, &n))
			return;
	}
}

void pxs_db_saga_due(struct pxs_db *db, u64 now, pxs_saga_due_t see, void *ctx)
{
	struct pxs_saga g;
	struct pxs_pair at;
	MDB_cursor *c;
	MDB_val k, v;

	if (db->err || !pxs_db_ok(db, mdb_cursor_open(db->txn, db->saga_due_t, &c)))
		return;
	while (pxs_db_ok(db, mdb_cursor_get(c, &k, &v, MDB_NEXT))) {
		if (k.mv_size != sizeof(at)) {
			pxs_db_damaged(db);
			break;
		}
		memcpy(&at, k.mv_data, sizeof(at));
		if (be64_to_cpu(at.a) > min(now, PXS_SAGA_NEVER - 1) ||
		    !pxs_db_saga_get(db, be64_to_cpu(at.b), &g) || !see(ctx, &g))
			break;
	}
	mdb_cursor_close(c);
}

void pxs_db_saga_digest(struct pxs_db *db, blake2s_state *state)
{
	pxs_db_digest_table(db, db->saga_ids_t, state);
	pxs_db_digest_table(db, db->sagas_t, state);
	pxs_db_digest_table(db, db->saga_due_t, state);
	pxs_db_digest_table(db, db->saga_ends_t, state);
}

/* --- a part of a transaction ---------------------------------------------------------- */

bool pxs_db_part_begin(struct pxs_db *db, struct pxs_db_part *part)
{
	part->outer = db->txn;
	part->state = db->state;
	if (db->err || !pxs_db_ok(db, mdb_txn_begin(db->env, part->outer, 0, &db->txn))) {
		db->txn = part->outer;
		return false;
	}
	return true;
}

void pxs_db_part_end(struct pxs_db *db, struct pxs_db_part *part, bool keep)
{
	MDB_txn *inner = db->txn;

	db->txn = part->outer;
	if (keep && !db->err) {
		pxs_db_ok(db, mdb_txn_commit(inner));
		return;
	}
	mdb_txn_abort(inner);
	db->state = part->state;
}
