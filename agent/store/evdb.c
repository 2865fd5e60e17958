// SPDX-License-Identifier: GPL-2.0
/*
 * evdb.c - the table of eventual keys: files, transactions, the state
 */
#include "evdb.h"

#include <sys/random.h>
#include <sys/stat.h>

#include "db.h"

#define VERSION		1u

struct disk_peer {
	__le64 table, cursor, whole;
	u8 member;
	u8 reserved[7];
};

struct disk_state {
	__le32 version;
	__le32 group;
	u8 cluster[16];
	__le64 incarnation;
	__le64 table;
	__le64 clock;
	__le64 head;
	__le64 items;
	__le64 dead;
	__le64 used;
	__le64 list;
	struct disk_peer peer[PXS_EVDB_PEERS];
	u8 member;
	u8 reserved[7];
};

static MDB_val state_key(void)
{
	return (MDB_val){ 1, "s" };
}

/* --- the state --- */

static void encode(const struct pxs_evdb *db, struct disk_state *d)
{
	const struct pxs_evdb_state *s = &db->next;
	u32 i;

	*d = (struct disk_state){
		.version = cpu_to_le32(VERSION),
		.group = cpu_to_le32(db->owner.group),
		.incarnation = cpu_to_le64(db->owner.incarnation),
		.table = cpu_to_le64(s->table),
		.clock = cpu_to_le64(s->clock),
		.head = cpu_to_le64(s->head),
		.items = cpu_to_le64(s->items),
		.dead = cpu_to_le64(s->dead),
		.used = cpu_to_le64(s->used),
		.list = cpu_to_le64(s->list),
		.member = db->owner.member,
	};
	memcpy(d->cluster, db->owner.cluster, sizeof(d->cluster));
	for (i = 0; i < PXS_EVDB_PEERS; i++) {
		d->peer[i].table = cpu_to_le64(s->peer[i].table);
		d->peer[i].cursor = cpu_to_le64(s->peer[i].cursor);
		d->peer[i].whole = cpu_to_le64(s->peer[i].whole);
		d->peer[i].member = s->peer[i].member;
	}
}

static int decode(struct pxs_evdb *db, const struct disk_state *d)
{
	struct pxs_evdb_state *s = &db->next;
	u32 i;

	if (le32_to_cpu(d->version) != VERSION)
		return -EBADMSG;
	if (memcmp(d->cluster, db->owner.cluster, sizeof(d->cluster)) ||
	    le32_to_cpu(d->group) != db->owner.group || d->member != db->owner.member ||
	    le64_to_cpu(d->incarnation) != db->owner.incarnation)
		return -EKEYREJECTED;
	*s = (struct pxs_evdb_state){
		.table = le64_to_cpu(d->table),
		.clock = le64_to_cpu(d->clock),
		.head = le64_to_cpu(d->head),
		.items = le64_to_cpu(d->items),
		.dead = le64_to_cpu(d->dead),
		.used = le64_to_cpu(d->used),
		.list = le64_to_cpu(d->list),
	};
	for (i = 0; i < PXS_EVDB_PEERS; i++)
		s->peer[i] = (struct pxs_evdb_peer){
			.table = le64_to_cpu(d->peer[i].table),
			.cursor = le64_to_cpu(d->peer[i].cursor),
			.whole = le64_to_cpu(d->peer[i].whole),
			.member = d->peer[i].member,
		};
	return 0;
}

struct pxs_evdb_peer *pxs_evdb_peer(struct pxs_evdb_state *state, u8 id)
{
	u32 i;

	for (i = 0; id && i < PXS_EVDB_PEERS; i++)
		if (state->peer[i].member == id)
			return &state->peer[i];
	return NULL;
}

void pxs_evdb_advance(struct pxs_evtx *tx, u8 id, u64 table, u64 cursor, u64 head)
{
	struct pxs_evdb_peer *peer = pxs_evdb_peer(&tx->db->next, id);

	if (peer->table != table)
		peer->whole = 0;
	peer->table = table;
	peer->cursor = cursor;
	/* Nothing that it had then is lacking: neither what it wrote, nor what came behind. */
	if (cursor == head)
		peer->whole = head;
}

/* Those that are members now, in their order; of the others nothing is kept. */
static void set_members(struct pxs_evdb_state *s, const u8 members[PXS_EVDB_PEERS])
{
	struct pxs_evdb_state old = *s;
	const struct pxs_evdb_peer *known;
	u32 i;

	for (i = 0; i < PXS_EVDB_PEERS; i++) {
		known = pxs_evdb_peer(&old, members[i]);
		s->peer[i] = known ? *known : (struct pxs_evdb_peer){ .member = members[i] };
	}
}

/* On disk with the next commit; and after a restart those are given that it is opened with. */
void pxs_evdb_members(struct pxs_evdb *db, const u8 members[PXS_EVDB_PEERS])
{
	set_members(&db->state, members);
}

static int load(struct pxs_evtx *tx)
{
	MDB_val k = state_key(), v;
	struct disk_state d;
	int ret = mdb_get(tx->txn, tx->db->state_t, &k, &v);

	if (!ret && v.mv_size != sizeof(d))
		return -EBADMSG;
	if (!ret) {
		memcpy(&d, v.mv_data, sizeof(d));
		return decode(tx->db, &d);
	}
	if (ret != MDB_NOTFOUND)
		return pxs_db_errno(ret);
	tx->db->next = (struct pxs_evdb_state){ 0 };
	if (getrandom(&tx->db->next.table, sizeof(u64), 0) != sizeof(u64))
		return -EIO;
	tx->db->next.table |= 1;
	return 0;
}

static void save(struct pxs_evtx *tx)
{
	MDB_val k = state_key(), v;
	struct disk_state d;

	encode(tx->db, &d);
	v = (MDB_val){ sizeof(d), &d };
	if (!tx->err)
		tx->err = pxs_db_errno(mdb_put(tx->txn, tx->db->state_t, &k, &v, 0));
}

/* --- files --- */

static int open_tables(struct pxs_evdb *db, const u8 members[PXS_EVDB_PEERS])
{
	const struct {
		const char *name;
		MDB_dbi *table;
	} tables[] = {
		{ "items", &db->items_t }, { "order", &db->order_t }, { "dead", &db->dead_t },
		{ "due", &db->due_t }, { "state", &db->state_t },
	};
	struct pxs_evtx tx;
	int err = pxs_evdb_begin(db, &tx, true);
	u32 i;

	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(tables) && !tx.err; i++)
		tx.err = pxs_db_errno(mdb_dbi_open(tx.txn, tables[i].name, MDB_CREATE,
						   tables[i].table));
	if (!tx.err)
		tx.err = load(&tx);
	set_members(&db->next, members);
	err = pxs_evdb_commit(&tx);
	if (!err)
		pxs_evdb_publish(db);
	return err;
}

int pxs_evdb_open(struct pxs_evdb *db, const char *path, const struct pxs_evdb_owner *owner,
		  const u8 members[PXS_EVDB_PEERS], bool sync, size_t map)
{
	int err = 0;

	memset(db, 0, sizeof(*db));
	db->owner = *owner;
	db->map = map;
	db->copy = malloc(PXS_LWW_KEY_MAX);
	if (!db->copy)
		return -ENOMEM;
	if (mkdir(path, 0700) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = pxs_db_errno(mdb_env_create(&db->env));
	if (!err)
		err = pxs_db_errno(mdb_env_set_maxdbs(db->env, 8));
	if (!err)
		err = pxs_db_errno(mdb_env_set_mapsize(db->env, db->map));
	if (!err)
		err = pxs_db_errno(mdb_env_open(db->env, path,
						MDB_NOTLS | MDB_NORDAHEAD | (sync ? 0 : MDB_NOSYNC),
						0600));
	if (!err)
		err = open_tables(db, members);
	if (err)
		pxs_evdb_close(db);
	return err;
}

void pxs_evdb_close(struct pxs_evdb *db)
{
	if (db->env)
		mdb_env_close(db->env);
	free(db->copy);
	memset(db, 0, sizeof(*db));
}

/* --- transactions --- */

int pxs_evdb_begin(struct pxs_evdb *db, struct pxs_evtx *tx, bool write)
{
	*tx = (struct pxs_evtx){ .db = db, .write = write };
	if (db->unmapped)
		return -ENOMEM;
	if (write)
		db->next = db->state;
	return pxs_db_errno(mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &tx->txn));
}

int pxs_evdb_commit(struct pxs_evtx *tx)
{
	save(tx);
	if (tx->err)
		pxs_evdb_abort(tx);
	else
		tx->err = pxs_db_errno(mdb_txn_commit(tx->txn));
	return tx->err;
}

void pxs_evdb_abort(struct pxs_evtx *tx)
{
	mdb_txn_abort(tx->txn);
	tx->txn = NULL;
}

void pxs_evdb_publish(struct pxs_evdb *db)
{
	db->state = db->next;
}

int pxs_evdb_grow(struct pxs_evdb *db)
{
	int err = pxs_db_errno(mdb_env_set_mapsize(db->env, 2 * db->map));

	if (err)
		db->unmapped = true;
	else
		db->map *= 2;
	return err;
}
