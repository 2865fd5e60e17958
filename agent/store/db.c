// SPDX-License-Identifier: GPL-2.0
/*
 * db.c - the state of a group's store: files, transactions, the record of the state
 */
#include "db.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../report.h"

#define FORMAT		2u
#define MARK		"written-in-boot"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define BOOT_ID_LEN	36

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
};

static int to_errno(int ret)
{
	switch (ret) {
	case MDB_SUCCESS:
		return 0;
	case MDB_MAP_FULL:
		return -EXFULL;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
	case MDB_VERSION_MISMATCH:
	case MDB_PANIC:
		return -EUCLEAN;
	default:
		return ret > 0 ? -ret : -EIO;
	}
}

bool pxs_db_ok(struct pxs_db *db, int ret)
{
	if (ret && ret != MDB_NOTFOUND && !db->err)
		db->err = to_errno(ret);
	return !ret && !db->err;
}

/* --- the mark ---------------------------------------------------------------- */

static int boot_id(char *id)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, BOOT_ID_LEN);
	int err = 0;

	if (n != BOOT_ID_LEN) {
		err = n < 0 ? -errno : -EIO;
		pxs_err("%s: %s", BOOT_ID, strerror(-err));
	}
	if (fd >= 0)
		close(fd);
	id[BOOT_ID_LEN] = 0;
	return err;
}

static int sync_dir(int dirfd)
{
	return fsync(dirfd) ? -errno : 0;
}

static int write_mark(int dirfd, const char *id)
{
	int fd = openat(dirfd, MARK, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, id, BOOT_ID_LEN) != BOOT_ID_LEN || fsync(fd))
		err = errno ? -errno : -EIO;
	close(fd);
	return err ? err : sync_dir(dirfd);
}

/* After another boot: nothing that is there is to be believed. */
static int throw_away(struct pxs_db *db, int dirfd)
{
	pxs_notice("%s: the machine stopped while the store was in use: it is made again from the log",
		   db->path);
	if (unlinkat(dirfd, "data.mdb", 0) && errno != ENOENT)
		return -errno;
	if (unlinkat(dirfd, "lock.mdb", 0) && errno != ENOENT)
		return -errno;
	return sync_dir(dirfd);
}

static int check_mark(struct pxs_db *db)
{
	char id[BOOT_ID_LEN + 1], mark[BOOT_ID_LEN + 1] = "";
	int dirfd, fd, err;

	err = boot_id(id);
	if (err)
		return err;
	dirfd = open(db->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return -errno;
	fd = openat(dirfd, MARK, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, mark, BOOT_ID_LEN) != BOOT_ID_LEN || strcmp(id, mark))
			err = throw_away(db, dirfd);
		close(fd);
	}
	if (!err)
		err = write_mark(dirfd, id);
	close(dirfd);
	return err;
}

static void drop_mark(struct pxs_db *db)
{
	int dirfd = open(db->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dirfd < 0)
		return;
	unlinkat(dirfd, MARK, 0);
	sync_dir(dirfd);
	close(dirfd);
}

/* --- the state --------------------------------------------------------------- */

static void save_state(struct pxs_db *db)
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
	};
	MDB_val k = { 1, "s" }, v = { sizeof(d), &d };

	memcpy(d.cluster, db->owner.cluster, sizeof(d.cluster));
	pxs_db_ok(db, mdb_put(db->txn, db->state_t, &k, &v, 0));
}

/* Return: 0, -ENOENT: a new store, -EKEYREJECTED: another's, -EBADMSG: of another version. */
static int load_state(struct pxs_db *db)
{
	MDB_val k = { 1, "s" }, v;
	struct db_state d;
	int ret = mdb_get(db->txn, db->state_t, &k, &v);

	memset(&db->state, 0, sizeof(db->state));
	if (ret)
		return ret == MDB_NOTFOUND ? -ENOENT : to_errno(ret);
	if (v.mv_size != sizeof(d))
		return -EBADMSG;
	memcpy(&d, v.mv_data, sizeof(d));
	if (le32_to_cpu(d.format) != FORMAT)
		return -EBADMSG;
	if (memcmp(d.cluster, db->owner.cluster, sizeof(d.cluster)) ||
	    le32_to_cpu(d.group) != db->owner.group ||
	    le64_to_cpu(d.incarnation) != db->owner.incarnation)
		return -EKEYREJECTED;
	db->state = (struct pxs_db_state){
		.applied = le64_to_cpu(d.applied),
		.time = le64_to_cpu(d.time),
		.used = le64_to_cpu(d.used),
		.keys = le64_to_cpu(d.keys),
		.expires = le64_to_cpu(d.expires),
		.next_hash = le64_to_cpu(d.next_hash),
		.foreign = le64_to_cpu(d.foreign),
	};
	return 0;
}

/* --- opening ----------------------------------------------------------------- */

static int open_tables(struct pxs_db *db)
{
	struct {
		const char *name;
		MDB_dbi *table;
	} tables[] = {
		{ "state", &db->state_t }, { "keys", &db->keys_t }, { "fields", &db->fields_t },
		{ "items", &db->items_t }, { "expire", &db->expire_t }, { "gone", &db->gone_t },
		{ "sessions", &db->sessions_t }, { "ends", &db->ends_t },
		{ "answers", &db->answers_t },
	};
	unsigned int i;
	int err;

	err = pxs_db_begin(db, true);
	for (i = 0; i < ARRAY_SIZE(tables) && !err; i++)
		err = to_errno(mdb_dbi_open(db->txn, tables[i].name, MDB_CREATE, tables[i].table));
	if (!err)
		err = load_state(db);
	if (err == -ENOENT) {
		db->state.next_hash = 1;
		db->dirty = true;
		err = 0;
	}
	if (!err)
		return pxs_db_commit(db);
	pxs_db_abort(db);
	return err;
}

static int open_env(struct pxs_db *db)
{
	int ret = mdb_env_create(&db->env);

	if (!ret)
		ret = mdb_env_set_maxdbs(db->env, 16);
	if (!ret)
		ret = mdb_env_set_mapsize(db->env, db->map);
	if (!ret)
		ret = mdb_env_open(db->env, db->path, MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return to_errno(ret);
}

static const char *why(int err)
{
	switch (err) {
	case -EKEYREJECTED:
		return "is the store of another group, cluster or journal";
	case -EBADMSG:
		return "was written by another version of paxsteerd; remove it, and it is made again from the log";
	case -EUCLEAN:
		return "is damaged; remove it, and it is made again from the log";
	default:
		return strerror(-err);
	}
}

int pxs_db_open(struct pxs_db *db, const char *path, const struct pxs_db_owner *owner, size_t map)
{
	int err;

	memset(db, 0, sizeof(*db));
	db->owner = *owner;
	memcpy(&db->seed, owner->cluster, sizeof(db->seed));
	db->map = map;
	db->path = strdup(path);
	db->copy = malloc(PXS_STRING_MAX);
	err = db->path && db->copy ? 0 : -ENOMEM;
	if (!err && mkdir(path, 0700) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = check_mark(db);
	if (!err)
		err = open_env(db);
	if (!err)
		err = open_tables(db);
	if (!err)
		return 0;
	pxs_err("store %s: %s", path, why(err));
	pxs_db_close(db, false);
	return err;
}

void pxs_db_close(struct pxs_db *db, bool clean)
{
	if (db->txn)
		pxs_db_abort(db);
	if (db->env) {
		if (clean && !db->unmapped && !mdb_env_sync(db->env, 1))
			drop_mark(db);
		mdb_env_close(db->env);
	}
	free(db->path);
	free(db->copy);
	memset(db, 0, sizeof(*db));
}

/* --- transactions ------------------------------------------------------------ */

int pxs_db_begin(struct pxs_db *db, bool write)
{
	int err;

	pxs_assert(!db->txn);
	if (db->unmapped)
		return -ENOMEM;
	err = to_errno(mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &db->txn));
	if (err)
		return err;
	db->before = db->state;
	db->writing = write;
	db->dirty = false;
	db->err = 0;
	db->now = db->state.time;
	return 0;
}

/* What a failed one did to the state is undone here: to read it again could fail as well. */
static void end(struct pxs_db *db, bool failed)
{
	if (failed)
		db->state = db->before;
	db->txn = NULL;
	db->writing = false;
}

/* Also of a transaction that changed nothing: tables that it opened stay open. */
int pxs_db_commit(struct pxs_db *db)
{
	int err;

	if (db->dirty)
		save_state(db);
	if (db->err) {
		err = db->err;
		pxs_db_abort(db);
		return err;
	}
	err = to_errno(mdb_txn_commit(db->txn));
	end(db, err);
	return err;
}

void pxs_db_abort(struct pxs_db *db)
{
	mdb_txn_abort(db->txn);
	end(db, true);
}

/* LMDB takes the old map away first, and does without one when the new one cannot be had. */
int pxs_db_grow(struct pxs_db *db)
{
	int err;

	pxs_assert(!db->txn);
	err = to_errno(mdb_env_set_mapsize(db->env, 2 * db->map));
	if (err)
		db->unmapped = true;
	else
		db->map *= 2;
	return err;
}
