// SPDX-License-Identifier: GPL-2.0
/*
 * db.c - the state of a group's store: files and transactions
 */
#include "db.h"
#include "image.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../report.h"

#define MARK		"written-in-boot"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"
#define MARK_RESTORING	"being-made"	/* the files are being filled from the checkpoint */
#define MARK_DAMAGED	"damaged"

/* In the order of an image. Their numbers are part of its format. */
static const struct {
	const char *name;
	size_t at;
} tables[PXS_DB_TABLES] = {
	{ "keys", offsetof(struct pxs_db, keys_t) },
	{ "fields", offsetof(struct pxs_db, fields_t) },
	{ "items", offsetof(struct pxs_db, items_t) },
	{ "expire", offsetof(struct pxs_db, expire_t) },
	{ "gone", offsetof(struct pxs_db, gone_t) },
	{ "sessions", offsetof(struct pxs_db, sessions_t) },
	{ "ends", offsetof(struct pxs_db, ends_t) },
	{ "answers", offsetof(struct pxs_db, answers_t) },
	{ "saga_ids", offsetof(struct pxs_db, saga_ids_t) },
	{ "sagas", offsetof(struct pxs_db, sagas_t) },
	{ "saga_due", offsetof(struct pxs_db, saga_due_t) },
	{ "saga_ends", offsetof(struct pxs_db, saga_ends_t) },
	{ "parts", offsetof(struct pxs_db, parts_t) },
	{ "state", offsetof(struct pxs_db, state_t) },
	{ "crosses", offsetof(struct pxs_db, crosses_t) },
	{ "locks", offsetof(struct pxs_db, locks_t) },
	{ "floors", offsetof(struct pxs_db, floors_t) },
};

MDB_dbi pxs_db_table(const struct pxs_db *db, u32 i)
{
	return *(const MDB_dbi *)((const char *)db + tables[i].at);
}

int pxs_db_errno(int ret)
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
		db->err = pxs_db_errno(ret);
	return !ret && !db->err;
}

/* --- the mark ---------------------------------------------------------------- */

static int read_boot(char *id)
{
	int fd = open(BOOT_ID, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, id, PXS_DB_BOOT_LEN);
	int err = 0;

	if (n != PXS_DB_BOOT_LEN) {
		err = n < 0 ? -errno : -EIO;
		pxs_err("%s: %s", BOOT_ID, strerror(-err));
	}
	if (fd >= 0)
		close(fd);
	id[PXS_DB_BOOT_LEN] = 0;
	return err;
}

static int sync_dir(int dirfd)
{
	return fsync(dirfd) ? -errno : 0;
}

static int write_mark(const struct pxs_db *db, const char *text)
{
	int fd = openat(db->dirfd, MARK, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ssize_t len = (ssize_t)strlen(text);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, (size_t)len) != len || fsync(fd))
		err = errno ? -errno : -EIO;
	close(fd);
	return err ? err : sync_dir(db->dirfd);
}

int pxs_db_mark(const struct pxs_db *db, bool making)
{
	return write_mark(db, making ? MARK_RESTORING : db->boot);
}

/* What is there is not to be believed. */
static int throw_away(struct pxs_db *db, const char *reason)
{
	pxs_warn("%s: %s: it is made again from the log, or from a checkpoint and the log behind it",
		 db->path, reason);
	if (unlinkat(db->dirfd, "data.mdb", 0) && errno != ENOENT)
		return -errno;
	if (unlinkat(db->dirfd, "lock.mdb", 0) && errno != ENOENT)
		return -errno;
	return sync_dir(db->dirfd);
}

static const char *why_not(const char *mark)
{
	if (!strcmp(mark, MARK_RESTORING))
		return "the daemon stopped while the store was being made";
	if (!strcmp(mark, MARK_DAMAGED))
		return "the store was damaged";
	return "the machine stopped while the store was in use";
}

static int check_mark(struct pxs_db *db)
{
	char mark[PXS_DB_BOOT_LEN + 1] = "";
	int fd, err = 0;

	fd = openat(db->dirfd, MARK, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, mark, PXS_DB_BOOT_LEN) < 0 || strcmp(db->boot, mark))
			err = throw_away(db, why_not(mark));
		close(fd);
	}
	return err ? err : write_mark(db, db->boot);
}

static void drop_mark(struct pxs_db *db)
{
	unlinkat(db->dirfd, MARK, 0);
	sync_dir(db->dirfd);
}

void pxs_db_distrust(struct pxs_db *db)
{
	int err = write_mark(db, MARK_DAMAGED);

	db->distrusted = true;
	if (err)
		pxs_err("%s/%s: %s", db->path, MARK, strerror(-err));
}

/* --- opening ----------------------------------------------------------------- */

int pxs_db_open_tables(struct pxs_db *db)
{
	unsigned int i;
	int err;

	err = pxs_db_begin(db, true);
	for (i = 0; i < PXS_DB_TABLES && !err; i++)
		err = pxs_db_errno(mdb_dbi_open(db->txn, tables[i].name, MDB_CREATE,
						(MDB_dbi *)((char *)db + tables[i].at)));
	if (!err)
		err = pxs_db_load_state(db);
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

int pxs_db_open_env(struct pxs_db *db)
{
	int ret = mdb_env_create(&db->env);

	if (!ret)
		ret = mdb_env_set_maxdbs(db->env, 32);
	if (!ret)
		ret = mdb_env_set_mapsize(db->env, db->map);
	if (!ret)
		ret = mdb_env_open(db->env, db->path, MDB_NOSYNC | MDB_NOTLS | MDB_NORDAHEAD, 0600);
	return pxs_db_errno(ret);
}

void pxs_db_close_env(struct pxs_db *db)
{
	if (db->txn)
		pxs_db_abort(db);
	if (db->env)
		mdb_env_close(db->env);
	db->env = NULL;
	db->covered = 0;
}

/* How long the file is with all of its pages. */
static u64 length(struct pxs_db *db)
{
	MDB_envinfo info;
	MDB_stat stat;

	mdb_env_info(db->env, &info);
	mdb_env_stat(db->env, &stat);
	return ((u64)info.me_last_pgno + 1) * stat.ms_psize;
}

/* A file that was cut off would be found out by a SIGBUS. */
static int check_length(struct pxs_db *db)
{
	struct stat st;

	if (fstatat(db->dirfd, "data.mdb", &st, 0))
		return -errno;
	return (u64)st.st_size >= length(db) ? 0 : -EUCLEAN;
}

/*
 * LMDB writes no page that was taken and given back in one transaction: where such are the last
 * ones the file ends before them, and would be taken for one that was cut off. A failure costs no
 * more than that it is made again.
 */
static void cover(struct pxs_db *db)
{
	u64 need = length(db);
	struct stat st;
	int fd;

	if (need == db->covered)
		return;
	db->covered = need;
	mdb_env_get_fd(db->env, &fd);
	if (fstat(fd, &st) || ((u64)st.st_size < need && ftruncate(fd, (off_t)need)))
		pxs_warn("store %s: its file cannot be made longer: %s", db->path, strerror(errno));
}

static u64 entries(struct pxs_db *db, MDB_dbi table)
{
	MDB_stat st;

	return pxs_db_ok(db, mdb_stat(db->txn, table, &st)) ? st.ms_entries : 0;
}

/* What the state says of the tables must be so. */
int pxs_db_check_counts(struct pxs_db *db)
{
	int err = pxs_db_begin(db, false);
	bool ok;

	if (err)
		return err;
	ok = entries(db, db->keys_t) == db->state.keys &&
	     entries(db, db->expire_t) == db->state.expires &&
	     entries(db, db->fields_t) == entries(db, db->items_t);
	err = db->err ? db->err : ok ? 0 : -EUCLEAN;
	pxs_db_abort(db);
	return err;
}

/* Return: 0; -EOVERFLOW: of slots that the log does not have; or as pxs_db_load_state(). */
int pxs_db_open_files(struct pxs_db *db)
{
	struct stat st;
	bool there = !fstatat(db->dirfd, "data.mdb", &st, 0) && st.st_size;
	int err = pxs_db_open_env(db);

	if (!err && there)
		err = check_length(db);
	if (!err)
		err = pxs_db_open_tables(db);
	if (!err)
		err = pxs_db_check_counts(db);
	if (!err && db->state.applied > db->owner.last)
		err = -EOVERFLOW;
	return err;
}

int pxs_db_open_again(struct pxs_db *db, const char *reason)
{
	int err;

	pxs_db_close_env(db);
	err = throw_away(db, reason);
	return err ? err : pxs_db_open_files(db);
}

static const char *why(int err)
{
	switch (err) {
	case -EKEYREJECTED:
		return "is the store of another group, cluster or journal";
	case -EBADMSG:
		return "was written by another version of paxsteerd; remove it, and it is made again from the log";
	case -EUCLEAN:
		return "is damaged";
	case -EOVERFLOW:
		return "is of slots that the journal does not have";
	default:
		return strerror(-err);
	}
}

/* --- the checkpoint ---------------------------------------------------------- */

/* Return: 0; *fd is -1 when there is none that can be used, and it was said why. */
static int look_checkpoint(struct pxs_db *db, struct pxs_image_info *info, int *fd)
{
	int err;

	*fd = openat(db->dirfd, PXS_DB_CHECKPOINT, O_RDONLY | O_CLOEXEC);
	if (*fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = pxs_image_info(*fd, db, info);
	if (!err && info->applied > db->owner.last)
		err = -EOVERFLOW;
	if (!err)
		return 0;
	pxs_err("store %s: its checkpoint %s", db->path, why(err));
	close(*fd);
	*fd = -1;
	return err == -EUCLEAN || err == -EOVERFLOW ? 0 : err;
}

/* Records of one page half full, and a little: four times the image is room for all of it. */
int pxs_db_make_room(struct pxs_db *db, int fd)
{
	struct stat st;
	size_t need;

	if (fstat(fd, &st))
		return -errno;
	need = 4 * (size_t)st.st_size + (16u << 20);
	if (need <= db->map)
		return 0;
	db->map = need;
	return pxs_db_errno(mdb_env_set_mapsize(db->env, need));
}

int pxs_db_restore(struct pxs_db *db, int fd)
{
	int err = write_mark(db, MARK_RESTORING);

	if (!err)
		err = pxs_db_make_room(db, fd);
	if (!err && lseek(fd, 0, SEEK_SET))
		err = -errno;
	if (!err)
		err = pxs_image_read(fd, db);
	if (!err)
		err = pxs_db_check_counts(db);
	if (!err) {
		pxs_notice("store %s: restored from the checkpoint of slot %" PRIu64 ", %" PRIu64 " keys",
			   db->path, db->state.applied, db->state.keys);
		return write_mark(db, db->boot);
	}
	if (err != -EUCLEAN)
		return err;
	pxs_err("store %s: its checkpoint %s", db->path, why(err));
	err = pxs_db_open_again(db, "the checkpoint cannot be used");
	return err ? err : write_mark(db, db->boot);
}

/* An empty store is filled from the checkpoint, if there is one. */
static int use_checkpoint(struct pxs_db *db)
{
	struct pxs_image_info info = { 0 };
	int fd, err;

	err = look_checkpoint(db, &info, &fd);
	if (err || fd < 0)
		return err;
	if (!db->state.applied && info.applied) {
		err = pxs_db_restore(db, fd);
		if (!db->state.applied)
			info = (struct pxs_image_info){ 0 };
	}
	close(fd);
	db->checkpoint = info.applied;
	db->checkpoint_made = info.made;
	return err;
}

static int open_all(struct pxs_db *db)
{
	int err;

	err = read_boot(db->boot);
	if (err)
		return err;
	db->dirfd = open(db->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (db->dirfd < 0)
		return -errno;
	err = check_mark(db);
	if (!err)
		err = pxs_db_open_files(db);
	if (err == -EUCLEAN || err == -EOVERFLOW)
		err = pxs_db_open_again(db, err == -EUCLEAN ? "the store is damaged" :
						       "the store is ahead of the journal");
	if (!err)
		err = use_checkpoint(db);
	if (!err)
		err = pxs_db_use_borrowed(db);
	db->opened = db->state.applied;
	return err;
}

int pxs_db_open(struct pxs_db *db, const char *path, const struct pxs_db_owner *owner, size_t map)
{
	int err;

	memset(db, 0, sizeof(*db));
	db->dirfd = -1;
	db->owner = *owner;
	memcpy(&db->seed, owner->cluster, sizeof(db->seed));
	db->map = map;
	db->path = strdup(path);
	db->copy = malloc(PXS_STRING_MAX);
	err = db->path && db->copy ? 0 : -ENOMEM;
	if (!err && mkdir(path, 0700) && errno != EEXIST)
		err = -errno;
	if (!err)
		err = open_all(db);
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
	if (db->env && clean && !db->unmapped && !db->distrusted && !mdb_env_sync(db->env, 1))
		drop_mark(db);
	pxs_db_close_env(db);
	if (db->path && db->dirfd >= 0)
		close(db->dirfd);
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
	err = pxs_db_errno(mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, &db->txn));
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
	db->wrote = 0;
}

/* Also of a transaction that changed nothing: tables that it opened stay open. */
int pxs_db_commit(struct pxs_db *db)
{
	int err;

	if (db->dirty)
		pxs_db_save_state(db);
	if (db->err) {
		err = db->err;
		pxs_db_abort(db);
		return err;
	}
	err = pxs_db_errno(mdb_txn_commit(db->txn));
	if (!err && db->writing)
		cover(db);
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
	err = pxs_db_errno(mdb_env_set_mapsize(db->env, 2 * db->map));
	if (err)
		db->unmapped = true;
	else
		db->map *= 2;
	return err;
}
