// SPDX-License-Identifier: GPL-2.0
/*
 * db_state.c - the record of a store's state: what was applied, and what it counts
 */
#include "db.h"

#include "db_cross.h"

#define FORMAT		3u

/* The record of the table "state", little endian. */
struct db_state {
	__le32 format;
	__le32 group;
	u8 cluster[16];
	__le64 incarnation;
	__le64 applied;
	__le64 time;
	__le64 used;
	__le64 keys;
	__le64 expires;
	__le64 next_hash;
	__le64 foreign;
	__le64 part_client;
	__le64 part_seq;
	__le32 part_next;
	__le32 parts;
};

/* The record of the map; as many groups as it is long. */
struct db_map {
	__le64 digest;
	__le32 group[PXS_SHARDS_MAX];
};

#define MAP_SIZE(n)	(offsetof(struct db_map, group) + (n) * sizeof(__le32))

static void save_map(struct pxs_db *db)
{
	const struct pxs_db_state *s = &db->state;
	struct db_map d = { .digest = cpu_to_le64(s->map.digest) };
	MDB_val k = { 1, "m" }, v = { MAP_SIZE(s->map.n), &d };
	u32 i;

	for (i = 0; i < s->map.n; i++)
		d.group[i] = cpu_to_le32(s->map.group[i]);
	pxs_db_ok(db, mdb_put(db->txn, db->state_t, &k, &v, 0));
}

static int load_map(struct pxs_db *db)
{
	MDB_val k = { 1, "m" }, v;
	struct pxs_db_state *s = &db->state;
	struct db_map d = { 0 };
	int ret = mdb_get(db->txn, db->state_t, &k, &v);
	u32 i;

	if (ret)
		return ret == MDB_NOTFOUND ? 0 : pxs_db_errno(ret);
	if (v.mv_size > sizeof(d) || v.mv_size < MAP_SIZE(2) || v.mv_size % sizeof(__le32))
		return -EUCLEAN;
	memcpy(&d, v.mv_data, v.mv_size);
	s->map.digest = le64_to_cpu(d.digest);
	s->map.n = (u32)((v.mv_size - MAP_SIZE(0)) / sizeof(__le32));
	for (i = 0; i < s->map.n; i++)
		s->map.group[i] = le32_to_cpu(d.group[i]);
	return 0;
}

void pxs_db_save_state(struct pxs_db *db)
{
	const struct pxs_db_state *s = &db->state;
	struct db_state d = {
		.format = cpu_to_le32(FORMAT),
		.group = cpu_to_le32(db->owner.group),
		.incarnation = cpu_to_le64(db->owner.incarnation),
		.applied = cpu_to_le64(s->applied),
		.time = cpu_to_le64(s->time),
		.used = cpu_to_le64(s->used),
		.keys = cpu_to_le64(s->keys),
		.expires = cpu_to_le64(s->expires),
		.next_hash = cpu_to_le64(s->next_hash),
		.foreign = cpu_to_le64(s->foreign),
		.part_client = cpu_to_le64(s->part_client),
		.part_seq = cpu_to_le64(s->part_seq),
		.part_next = cpu_to_le32(s->part_next),
		.parts = cpu_to_le32(s->parts),
	};
	MDB_val k = { 1, "s" }, v = { sizeof(d), &d };

	memcpy(d.cluster, db->owner.cluster, sizeof(d.cluster));
	pxs_db_ok(db, mdb_put(db->txn, db->state_t, &k, &v, 0));
	if (s->map.n != db->before.map.n)
		save_map(db);
}

int pxs_db_load_state(struct pxs_db *db)
{
	MDB_val k = { 1, "s" }, v;
	struct db_state d;
	int ret = mdb_get(db->txn, db->state_t, &k, &v);

	memset(&db->state, 0, sizeof(db->state));
	if (ret)
		return ret == MDB_NOTFOUND ? -ENOENT : pxs_db_errno(ret);
	if (v.mv_size != sizeof(d))
		return -EBADMSG;
	memcpy(&d, v.mv_data, sizeof(d));
	if (le32_to_cpu(d.format) != FORMAT)
		return -EBADMSG;
	if (memcmp(d.cluster, db->owner.cluster, sizeof(d.cluster)) ||
	    le32_to_cpu(d.group) != db->owner.group ||
	    (!db->borrowed && le64_to_cpu(d.incarnation) != db->owner.incarnation))
		return -EKEYREJECTED;
	db->state = (struct pxs_db_state){
		.applied = le64_to_cpu(d.applied),
		.time = le64_to_cpu(d.time),
		.used = le64_to_cpu(d.used),
		.keys = le64_to_cpu(d.keys),
		.expires = le64_to_cpu(d.expires),
		.next_hash = le64_to_cpu(d.next_hash),
		.foreign = le64_to_cpu(d.foreign),
		.part_client = le64_to_cpu(d.part_client),
		.part_seq = le64_to_cpu(d.part_seq),
		.part_next = le32_to_cpu(d.part_next),
		.parts = le32_to_cpu(d.parts),
	};
	pxs_cross_count(db);
	return db->err ? db->err : load_map(db);
}

int pxs_db_reload(struct pxs_db *db)
{
	int err = pxs_db_load_state(db);

	return err == -ENOENT ? -EUCLEAN : err;
}
