// SPDX-License-Identifier: GPL-2.0
/*
 * db_session.c - sessions: who asked what under which number, and what the answer was
 */
#include "db_session.h"

#include "db_pair.h"

/* All little endian. */
struct db_session {
	__le64 highest;
	__le64 age;
	__le64 end;
};

struct db_answer {
	__le64 command;
	u8 exec;
	u8 large;
	u8 reserved[6];
};

u64 pxs_session_count(struct pxs_db *db)
{
	MDB_stat st;

	return pxs_db_ok(db, mdb_stat(db->txn, db->sessions_t, &st)) ? st.ms_entries : 0;
}

/* --- the record and the index of ends ------------------------------------------ */

static bool get(struct pxs_db *db, u64 id, struct pxs_session *s)
{
	__be64 be = cpu_to_be64(id);
	MDB_val k = { sizeof(be), &be }, v;
	struct db_session d;

	if (db->err || !pxs_db_ok(db, mdb_get(db->txn, db->sessions_t, &k, &v)))
		return false;
	if (v.mv_size != sizeof(d))
		return pxs_db_damaged(db);
	memcpy(&d, v.mv_data, sizeof(d));
	*s = (struct pxs_session){
		.id = id, .highest = le64_to_cpu(d.highest), .age = le64_to_cpu(d.age),
		.end = le64_to_cpu(d.end),
	};
	return true;
}

static void put(struct pxs_db *db, const struct pxs_session *s)
{
	struct db_session d = {
		.highest = cpu_to_le64(s->highest), .age = cpu_to_le64(s->age),
		.end = cpu_to_le64(s->end),
	};
	__be64 be = cpu_to_be64(s->id);
	MDB_val k = { sizeof(be), &be }, v = { sizeof(d), &d };

	db->dirty = true;
	if (!db->err)
		pxs_db_ok(db, mdb_put(db->txn, db->sessions_t, &k, &v, 0));
}

static void index_end(struct pxs_db *db, const struct pxs_session *s, bool add)
{
	struct pxs_pair at = pxs_pair(s->end, s->id);
	MDB_val k = { sizeof(at), &at }, v = { 0, "" };

	if (db->err)
		return;
	if (add)
		pxs_db_ok(db, mdb_put(db->txn, db->ends_t, &k, &v, 0));
	else
		pxs_db_ok(db, mdb_del(db->txn, db->ends_t, &k, NULL));
}

/* The session that ends first. Return: there is one. */
static bool first_end(struct pxs_db *db, struct pxs_session *s)
{
	struct pxs_pair at = pxs_pair(0, 0);
	MDB_val v;

	if (!pxs_pair_find(db, db->ends_t, &at, &v))
		return false;
	return get(db, be64_to_cpu(at.b), s) || pxs_db_damaged(db);
}

/* --- answers ------------------------------------------------------------------ */

static void end_session(struct pxs_db *db, const struct pxs_session *s)
{
	__be64 be = cpu_to_be64(s->id);
	MDB_val k = { sizeof(be), &be };

	db->dirty = true;
	pxs_pair_drop(db, db->answers_t, s->id, ~0ull);
	index_end(db, s, false);
	if (!db->err)
		pxs_db_ok(db, mdb_del(db->txn, db->sessions_t, &k, NULL));
}

bool pxs_session_answer(struct pxs_db *db, const struct pxs_session *s, u64 number,
			struct pxs_answer *a)
{
	struct pxs_pair at = pxs_pair(s->id, number);
	MDB_val k = { sizeof(at), &at }, v;
	struct db_answer d;

	if (db->err || !pxs_db_ok(db, mdb_get(db->txn, db->answers_t, &k, &v)))
		return false;
	if (v.mv_size < sizeof(d))
		return pxs_db_damaged(db);
	memcpy(&d, v.mv_data, sizeof(d));
	*a = (struct pxs_answer){
		.command = le64_to_cpu(d.command), .exec = d.exec, .large = d.large,
		.text = { (u8 *)v.mv_data + sizeof(d), (u32)(v.mv_size - sizeof(d)) },
	};
	return true;
}

void pxs_session_keep(struct pxs_db *db, struct pxs_session *s, u64 number,
		      const struct pxs_answer *a)
{
	struct db_answer d = {
		.command = cpu_to_le64(a->command), .exec = a->exec, .large = a->large,
	};
	struct pxs_pair at = pxs_pair(s->id, number);
	MDB_val k = { sizeof(at), &at };
	MDB_val v = { sizeof(d) + a->text.len, NULL };

	db->dirty = true;
	if (db->err || !pxs_db_ok(db, mdb_put(db->txn, db->answers_t, &k, &v, MDB_RESERVE)))
		return;
	memcpy(v.mv_data, &d, sizeof(d));
	if (a->text.len)
		memcpy((u8 *)v.mv_data + sizeof(d), a->text.data, a->text.len);
	if (number <= s->highest)
		return;
	s->highest = number;
	put(db, s);
	if (number > PXS_SESSION_KEPT)
		pxs_pair_drop(db, db->answers_t, s->id, number - PXS_SESSION_KEPT);
}

/* --- sessions ------------------------------------------------------------------- */

/* Where several groups are one store, it says which of them has it: route.c. */
static u64 new_id(const struct pxs_db *db)
{
	u32 i = 0;

	if (!db->state.map.n)
		return db->slot;
	while (i + 1 < db->state.map.n && db->state.map.group[i] != db->owner.group)
		i++;
	return db->slot * PXS_SHARDS_MAX + i;
}

u64 pxs_session_open(struct pxs_db *db, u64 most, u64 age)
{
	struct pxs_session s = { .id = new_id(db), .age = age, .end = db->now + age }, first;
	u32 i;

	for (i = 0; i < PXS_SESSION_EVICT && pxs_session_count(db) >= max(most, 1ull); i++)
		if (first_end(db, &first))
			end_session(db, &first);
	put(db, &s);
	index_end(db, &s, true);
	return s.id;
}

bool pxs_session_find(struct pxs_db *db, u64 id, struct pxs_session *s)
{
	return get(db, id, s) && s->end >= db->now;
}

void pxs_session_touch(struct pxs_db *db, struct pxs_session *s)
{
	index_end(db, s, false);
	s->end = db->now + s->age;
	index_end(db, s, true);
	put(db, s);
}

void pxs_session_reap(struct pxs_db *db, u32 n)
{
	struct pxs_session s;

	while (n-- && first_end(db, &s) && s.end < db->now)
		end_session(db, &s);
}

void pxs_session_digest(struct pxs_db *db, blake2s_state *state)
{
	pxs_db_digest_table(db, db->sessions_t, state);
	pxs_db_digest_table(db, db->answers_t, state);
}
