// SPDX-License-Identifier: GPL-2.0
/*
 * db_borrow.c - the files of a store, made from another member's checkpoint
 *
 * checkpoint.peer is whole and durable. The log is told to go on behind it only then; so after a
 * crash it is either ahead of the log, and waits until it is wanted again, or the log begins
 * behind it, and the store is made from it. It goes when a checkpoint of our own is as new.
 */
#include "db.h"
#include "image.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../report.h"

void pxs_db_plan(struct pxs_db_plan *plan, const struct pxs_db *db)
{
	*plan = (struct pxs_db_plan){ .owner = db->owner, .path = db->path, .map = db->map };
}

static int open_incoming(struct pxs_db *db)
{
	if (!db->path || !db->copy)
		return -ENOMEM;
	if (mkdir(db->path, 0700) && errno != EEXIST)
		return -errno;
	db->dirfd = open(db->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (db->dirfd < 0)
		return -errno;
	/* What a try that was cut short has left. */
	if ((unlinkat(db->dirfd, "data.mdb", 0) && errno != ENOENT) ||
	    (unlinkat(db->dirfd, "lock.mdb", 0) && errno != ENOENT))
		return -errno;
	return pxs_db_open_env(db);
}

int pxs_db_make_incoming(const struct pxs_db_plan *plan, int fd)
{
	struct pxs_db db = { .dirfd = -1, .owner = plan->owner, .map = plan->map };
	int err;

	if (asprintf(&db.path, "%s/%s", plan->path, PXS_DB_INCOMING) < 0)
		db.path = NULL;
	db.copy = malloc(PXS_STRING_MAX);
	memcpy(&db.seed, db.owner.cluster, sizeof(db.seed));
	err = open_incoming(&db);
	if (!err)
		err = pxs_db_open_tables(&db);
	if (!err)
		err = pxs_db_make_room(&db, fd);
	if (!err && lseek(fd, 0, SEEK_SET))
		err = -errno;
	db.borrowed = true;
	if (!err)
		err = pxs_image_read(fd, &db);
	if (!err)
		err = pxs_db_check_counts(&db);
	pxs_db_close(&db, false);
	return err;
}

/* Room for what came; what was there before stays as it is when this fails. */
static int map_of_incoming(struct pxs_db *db)
{
	struct stat st;

	if (fstatat(db->dirfd, PXS_DB_INCOMING "/data.mdb", &st, 0))
		return -errno;
	while (db->map < 2 * (size_t)st.st_size)
		db->map *= 2;
	return 0;
}

int pxs_db_take_incoming(struct pxs_db *db)
{
	int err;

	pxs_assert(!db->txn);
	err = map_of_incoming(db);
	if (!err)
		err = pxs_db_mark(db, true);
	if (err)
		return err;
	pxs_db_close_env(db);
	db->unmapped = true;
	if (renameat(db->dirfd, PXS_DB_INCOMING "/data.mdb", db->dirfd, "data.mdb"))
		return -errno;
	if ((unlinkat(db->dirfd, "lock.mdb", 0) && errno != ENOENT) ||
	    (unlinkat(db->dirfd, PXS_DB_INCOMING "/lock.mdb", 0) && errno != ENOENT))
		return -errno;
	unlinkat(db->dirfd, PXS_DB_INCOMING, AT_REMOVEDIR);
	db->unmapped = false;
	err = pxs_db_open_files(db);
	if (!err)
		err = pxs_db_mark(db, false);
	db->unmapped = err;
	return err;
}

static int use(struct pxs_db *db, int fd)
{
	int err = 0;

	if (db->state.applied)
		err = pxs_db_open_again(db, "it lacks what a checkpoint of another member has");
	db->borrowed = true;
	if (!err)
		err = pxs_db_restore(db, fd);
	db->borrowed = false;
	return err;
}

int pxs_db_use_borrowed(struct pxs_db *db)
{
	struct pxs_db look = { .owner = db->owner, .borrowed = true };
	int fd = openat(db->dirfd, PXS_DB_BORROWED, O_RDONLY | O_CLOEXEC);
	struct pxs_image_info info;
	int err;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	err = pxs_image_info(fd, &look, &info);
	if (err == -EUCLEAN || err == -EBADMSG || err == -EKEYREJECTED) {
		pxs_warn("store %s: %s is of no use, and removed", db->path, PXS_DB_BORROWED);
		unlinkat(db->dirfd, PXS_DB_BORROWED, 0);
		err = 0;
	} else if (err) {
		/* What it has the log may have no more: another start may be able to read it. */
		pxs_err("store %s: %s: %s", db->path, PXS_DB_BORROWED, strerror(-err));
	} else if (info.applied > db->owner.last) {
		/* The log was not told yet: it is looked through again, if it is still wanted. */
		err = renameat(db->dirfd, PXS_DB_BORROWED, db->dirfd, PXS_DB_PART) ? -errno : 0;
	} else if (info.applied <= db->checkpoint) {
		pxs_db_drop_borrowed(db);
	} else {
		db->borrowed_slot = info.applied;
		if (info.applied > db->state.applied)
			err = use(db, fd);
	}
	close(fd);
	return err;
}

void pxs_db_drop_borrowed(struct pxs_db *db)
{
	unlinkat(db->dirfd, PXS_DB_BORROWED, 0);
	db->borrowed_slot = 0;
}
