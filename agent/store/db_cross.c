// SPDX-License-Identifier: GPL-2.0
/*
 * db_cross.c - transactions over several groups in the store: how far each is, who has which key
 */
#include "db_cross.h"

#include "db_pair.h"

struct db_cross {
	__le64 begun;
	u8 state;
	u8 groups;
	u8 reserved[6];
};

#define ENDED	(1ull << 63)	/* in a key, beside the coordinator */

/*
 * In the state, of one that is ready: programs that do not know conditions must not do what they
 * find, and to them this is no state.
 */
#define CONDITIONAL	0x80u

static u64 entries(struct pxs_db *db, MDB_dbi table)
{
	MDB_stat st;

	return pxs_db_ok(db, mdb_stat(db->txn, table, &st)) ? st.ms_entries : 0;
}

void pxs_cross_count(struct pxs_db *db)
{
	db->state.crosses = entries(db, db->crosses_t);
	db->state.locks = entries(db, db->locks_t);
}

static void moved(struct pxs_db *db)
{
	db->dirty = true;
	db->cross_moved = true;
	pxs_cross_count(db);
}

/* --- records ----------------------------------------------------------------------- */

static bool parse(struct pxs_db *db, const struct pxs_pair *at, MDB_val v,
		  struct pxs_cross_rec *rec)
{
	const u8 *data = v.mv_data;
	struct db_cross d;
	__le32 group;
	u32 i, state;

	if (v.mv_size < sizeof(d))
		return pxs_db_damaged(db);
	memcpy(&d, data, sizeof(d));
	state = d.state & ~CONDITIONAL;
	if (d.groups > PXS_SHARDS_MAX || v.mv_size - sizeof(d) < d.groups * sizeof(group) ||
	    state <= PXS_TX_GONE || state > PXS_TX_CHANGED)
		return pxs_db_damaged(db);
	*rec = (struct pxs_cross_rec){
		.group = be64_to_cpu(at->a) & ~ENDED, .slot = be64_to_cpu(at->b),
		.state = (enum pxs_tx_state)state, .conditional = d.state & CONDITIONAL,
		.begun = le64_to_cpu(d.begun),
		.ngroups = d.groups,
	};
	data += sizeof(d);
	for (i = 0; i < rec->ngroups; i++, data += sizeof(group)) {
		memcpy(&group, data, sizeof(group));
		rec->groups[i] = le32_to_cpu(group);
	}
	rec->body = (struct pxs_str){ data, (u32)(v.mv_size - sizeof(d)) - d.groups * 4u };
	return true;
}

static bool get(struct pxs_db *db, u64 group, u64 slot, struct pxs_cross_rec *rec)
{
	struct pxs_pair at = pxs_pair(group, slot);
	MDB_val k = { sizeof(at), &at }, v;

	return !db->err && pxs_db_ok(db, mdb_get(db->txn, db->crosses_t, &k, &v)) &&
	       parse(db, &at, v, rec);
}

bool pxs_cross_get(struct pxs_db *db, u64 group, u64 slot, struct pxs_cross_rec *rec)
{
	*rec = (struct pxs_cross_rec){ .group = group, .slot = slot };
	return db->state.crosses &&
	       (get(db, group, slot, rec) || get(db, group | ENDED, slot, rec));
}

static bool from(struct pxs_db *db, u64 group, u64 slot, struct pxs_cross_rec *rec)
{
	struct pxs_pair at = pxs_pair(group, slot);
	MDB_val v;

	return db->state.crosses && pxs_pair_find(db, db->crosses_t, &at, &v) &&
	       be64_to_cpu(at.a) == group && parse(db, &at, v, rec);
}

bool pxs_cross_from(struct pxs_db *db, u64 group, u64 slot, struct pxs_cross_rec *rec)
{
	return from(db, group, slot, rec);
}

bool pxs_cross_ended(struct pxs_db *db, u64 group, struct pxs_cross_rec *rec)
{
	return from(db, group | ENDED, 0, rec);
}

static void drop(struct pxs_db *db, u64 group, u64 slot)
{
	struct pxs_pair at = pxs_pair(group, slot);
	MDB_val k = { sizeof(at), &at };

	if (!db->err)
		pxs_db_ok(db, mdb_del(db->txn, db->crosses_t, &k, NULL));
}

void pxs_cross_put(struct pxs_db *db, const struct pxs_cross_rec *rec)
{
	bool ended = rec->group != db->owner.group && rec->state != PXS_TX_READY;
	struct pxs_pair at = pxs_pair(ended ? rec->group | ENDED : rec->group, rec->slot);
	struct db_cross d = {
		.begun = cpu_to_le64(rec->begun), .groups = (u8)rec->ngroups,
		.state = (u8)(rec->state | (rec->conditional ? CONDITIONAL : 0)),
	};
	MDB_val k = { sizeof(at), &at };
	MDB_val v = { sizeof(d) + rec->ngroups * 4u + rec->body.len, NULL };
	__le32 group;
	u32 i;
	u8 *to;

	if (db->err)
		return;
	if (ended)
		drop(db, rec->group, rec->slot);
	if (rec->state == PXS_TX_GONE) {
		drop(db, ended ? rec->group | ENDED : rec->group, rec->slot);
		moved(db);
		return;
	}
	if (!pxs_db_ok(db, mdb_put(db->txn, db->crosses_t, &k, &v, MDB_RESERVE)))
		return;
	to = v.mv_data;
	memcpy(to, &d, sizeof(d));
	to += sizeof(d);
	for (i = 0; i < rec->ngroups; i++, to += sizeof(group)) {
		group = cpu_to_le32(rec->groups[i]);
		memcpy(to, &group, sizeof(group));
	}
	if (rec->body.len)
		memcpy(to, rec->body.data, rec->body.len);
	moved(db);
}

u64 pxs_cross_floor(struct pxs_db *db, u64 group)
{
	__be64 key = cpu_to_be64(group);

	return pxs_db_number(db, db->floors_t, &key, sizeof(key));
}

void pxs_cross_set_floor(struct pxs_db *db, u64 group, u64 slot)
{
	__be64 key = cpu_to_be64(group);
	__le64 floor = cpu_to_le64(slot);
	MDB_val k = { sizeof(key), &key }, v = { sizeof(floor), &floor };

	if (!db->err)
		pxs_db_ok(db, mdb_put(db->txn, db->floors_t, &k, &v, 0));
	moved(db);
}

/* --- locks ------------------------------------------------------------------------- */

bool pxs_cross_locked_key(struct pxs_db *db, struct pxs_str key)
{
	u8 id[PXS_DB_ID_ROOM];
	MDB_val k = { 0, id }, v;

	if (!db->state.locks || db->err)
		return false;
	k.mv_size = pxs_db_key_id(db, id, key);
	return pxs_db_ok(db, mdb_get(db->txn, db->locks_t, &k, &v));
}

bool pxs_cross_holds_time(struct pxs_db *db, const u8 *id, u32 len)
{
	MDB_val k = { len, (void *)id }, v;
	struct pxs_cross_rec rec;
	struct pxs_pair who;

	if (!db->state.locks || db->err || !pxs_db_ok(db, mdb_get(db->txn, db->locks_t, &k, &v)))
		return false;
	if (v.mv_size != sizeof(who))
		return pxs_db_damaged(db);
	memcpy(&who, v.mv_data, sizeof(who));
	return pxs_cross_get(db, be64_to_cpu(who.a), be64_to_cpu(who.b), &rec) && rec.conditional;
}

bool pxs_cross_locked(struct pxs_db *db, const struct pxs_command *cmd, u32 argc,
		      const struct pxs_str *argv)
{
	u32 i = 0;

	if (!db->state.locks || !cmd)
		return false;
	if (!cmd->first)
		return cmd->flags & PXS_CF_WRITE && !(cmd->flags & PXS_CF_SAGA);
	while ((i = pxs_cmd_next_key(cmd, argc, i)))
		if (pxs_cross_locked_key(db, argv[i]))
			return true;
	return false;
}

void pxs_cross_lock(struct pxs_db *db, const struct pxs_cross_rec *rec,
		    const struct pxs_command *cmd, u32 argc, const struct pxs_str *argv)
{
	struct pxs_pair who = pxs_pair(rec->group, rec->slot);
	u8 id[PXS_DB_ID_ROOM];
	MDB_val k = { 0, id }, v = { sizeof(who), &who };
	u32 i = 0;

	while (!db->err && (i = pxs_cmd_next_key(cmd, argc, i))) {
		k.mv_size = pxs_db_key_id(db, id, argv[i]);
		pxs_db_ok(db, mdb_put(db->txn, db->locks_t, &k, &v, 0));
	}
	moved(db);
}

void pxs_cross_unlock(struct pxs_db *db, const struct pxs_command *cmd, u32 argc,
		      const struct pxs_str *argv)
{
	u8 id[PXS_DB_ID_ROOM];
	MDB_val k = { 0, id };
	u32 i = 0;

	while (!db->err && (i = pxs_cmd_next_key(cmd, argc, i))) {
		k.mv_size = pxs_db_key_id(db, id, argv[i]);
		pxs_db_ok(db, mdb_del(db->txn, db->locks_t, &k, NULL));
	}
	moved(db);
}

void pxs_cross_digest(struct pxs_db *db, blake2s_state *state)
{
	pxs_db_digest_table(db, db->crosses_t, state);
	pxs_db_digest_table(db, db->locks_t, state);
	pxs_db_digest_table(db, db->floors_t, state);
}
