// SPDX-License-Identifier: GPL-2.0
/*
 * cluster_files.c - the files of one machine of a new cluster, all or none, and durable
 */
#include "cluster_files.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity.h"

#define DAEMON_USER	"paxsteer"
#define PATH_ROOM	4096

static int wrong(char *error, const char *path, const char *what)
{
	snprintf(error, CLUSTER_REASON_MAX, "%.300s: %.200s", path, what);
	return -1;
}

/* What was made, to be taken back. */
struct made {
	bool dir[2];
	unsigned int files;
	bool journal, parent;
};

/* --- one thing --------------------------------------------------------------- */

static int parent_of(const char *path, char *parent)
{
	char *slash;

	if (snprintf(parent, PATH_ROOM, "%s", path) >= PATH_ROOM)
		return -1;
	slash = strrchr(parent, '/');
	if (!slash)
		strcpy(parent, ".");
	else
		slash[slash == parent] = 0;
	return 0;
}

static int sync_dir(const char *dir, char *error)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = fd < 0 || fsync(fd) ? wrong(error, dir, strerror(errno)) : 0;

	if (fd >= 0)
		close(fd);
	return ret;
}

static int sync_parent(const char *path, char *error)
{
	char parent[PATH_ROOM];

	return parent_of(path, parent) ? wrong(error, path, "is too long") : sync_dir(parent, error);
}

/* Return: 1: made, 0: it was there, -1. */
static int make_dir(const char *dir, mode_t mode, char *error)
{
	if (mkdir(dir, mode))
		return errno == EEXIST ? 0 : wrong(error, dir, strerror(errno));
	if (chmod(dir, mode)) {		/* whatever the umask */
		wrong(error, dir, strerror(errno));
		rmdir(dir);
		return -1;
	}
	return sync_parent(dir, error) ? -1 : 1;
}

static int fill(int fd, const struct cluster_file *f, const struct cluster_files *all)
{
	ssize_t n = write(fd, f->text, f->len);

	if (n != (ssize_t)f->len) {
		errno = n < 0 ? errno : ENOSPC;
		return -1;
	}
	if (f->daemons && all->uid != (uid_t)-1 && fchown(fd, all->uid, all->gid))
		return -1;
	return fchmod(fd, f->mode) || fsync(fd) ? -1 : 0;
}

static int make_file(const struct cluster_file *f, const struct cluster_files *all, char *error)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return wrong(error, f->path, strerror(errno));
	ret = fill(fd, f, all);
	if (ret)
		wrong(error, f->path, strerror(errno));
	close(fd);
	if (!ret)
		ret = sync_parent(f->path, error);
	if (ret)
		unlink(f->path);
	return ret;
}

static void remove_journal(const char *dir)
{
	char path[PATH_ROOM];

	if (snprintf(path, sizeof(path), "%s/%s", dir, PXS_IDENTITY_FILE) < (int)sizeof(path))
		unlink(path);
	rmdir(dir);
}

static int own_journal(const struct cluster_files *f, char *error)
{
	int dir = open(f->journal, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = -1, fd = dir < 0 ? -1 : openat(dir, PXS_IDENTITY_FILE, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		ret = fchown(dir, f->uid, f->gid) || fchown(fd, f->uid, f->gid) || fsync(fd) ||
		      fsync(dir);
	if (ret)
		wrong(error, f->journal, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	return ret ? -1 : 0;
}

static int make_journal(const struct cluster_files *f, struct made *made, char *error)
{
	char parent[PATH_ROOM];
	int ret;

	if (parent_of(f->journal, parent))
		return wrong(error, f->journal, "is too long");
	ret = make_dir(parent, 0700, error);
	made->parent = ret > 0;
	if (ret < 0)
		return ret;
	if (made->parent && f->uid != (uid_t)-1 && chown(parent, f->uid, f->gid))
		return wrong(error, parent, strerror(errno));
	if (pxs_identity_place(f->journal, f->identity, error, CLUSTER_REASON_MAX))
		return -1;
	made->journal = true;
	return f->uid == (uid_t)-1 ? 0 : own_journal(f, error);
}

/* --- all of them ------------------------------------------------------------- */

static int there_is(const char *path, char *error)
{
	struct stat st;

	if (!lstat(path, &st))
		return wrong(error, path, "is there already: this machine is, or was, in a cluster");
	return errno == ENOENT ? 0 : wrong(error, path, strerror(errno));
}

static int check(const struct cluster_files *f, char *error)
{
	unsigned int i;

	for (i = 0; i < f->n; i++)
		if (there_is(f->file[i].path, error))
			return -1;
	return there_is(f->journal, error);
}

static void take_back(const struct cluster_files *f, const struct made *made)
{
	char parent[PATH_ROOM];
	unsigned int i;

	if (made->journal)
		remove_journal(f->journal);
	if (made->parent && !parent_of(f->journal, parent))
		rmdir(parent);
	for (i = 0; i < made->files; i++)
		unlink(f->file[i].path);
	for (i = 2; i--;)
		if (made->dir[i])
			rmdir(f->dir[i]);
}

static int make(const struct cluster_files *f, struct made *made, char *error)
{
	unsigned int i;
	int ret;

	for (i = 0; i < 2; i++) {
		ret = f->dir[i] ? make_dir(f->dir[i], 0755, error) : 0;
		if (ret < 0)
			return ret;
		made->dir[i] = ret > 0;
	}
	for (i = 0; i < f->n; i++) {
		if (i + 1 == f->n && make_journal(f, made, error))
			return -1;
		if (make_file(&f->file[i], f, error))
			return -1;
		made->files++;
	}
	return 0;
}

int cluster_files_make(const struct cluster_files *f, char *error)
{
	struct made made = { 0 };
	int ret = check(f, error);

	if (!ret) {
		ret = make(f, &made, error);
		if (ret)
			take_back(f, &made);
	}
	return ret;
}

/* --- the bundle -------------------------------------------------------------- */

int cluster_bundle_read(const char *path, char *text, size_t size, size_t *len, char *error)
{
	bool input = !strcmp(path, "-");
	/* A fifo must not stop us here. */
	int fd = input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n = 1;
	int ret = 0;

	if (fd < 0)
		return wrong(error, path, strerror(errno));
	if (!input && (fstat(fd, &st) || !S_ISREG(st.st_mode)))
		ret = wrong(error, path, "is not a file");
	else if (!input && st.st_mode & 077)
		ret = wrong(error, path, "others may read it, and it holds the cluster's key: make it 0600, and a new cluster if it was seen");
	for (*len = 0; !ret && n > 0 && *len < size; *len += (size_t)n) {
		n = read(fd, text + *len, size - *len);
		if (n < 0)
			ret = wrong(error, path, strerror(errno));
	}
	if (!input)
		close(fd);
	return ret;
}

int cluster_bundle_make(const char *path, const char *text, size_t len, char *error)
{
	const struct cluster_files owner = { .uid = (uid_t)-1 };
	const struct cluster_file f = { .path = path, .text = text, .len = len, .mode = 0600 };

	return make_file(&f, &owner, error);
}

int cluster_bundle_replace(const char *path, const char *text, size_t len, char *error)
{
	const struct cluster_files owner = { .uid = (uid_t)-1 };
	struct cluster_file f = { .text = text, .len = len, .mode = 0600 };
	char next[PATH_ROOM];

	if (snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next))
		return wrong(error, path, "is too long");
	f.path = next;
	if (make_file(&f, &owner, error))
		return -1;
	if (rename(next, path)) {
		wrong(error, path, strerror(errno));
		unlink(next);
		return -1;
	}
	return sync_parent(path, error);
}

int cluster_secret_read(const char *path, char *text, size_t *len, char *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, CLUSTER_SECRET_MAX);
	int ret = 0;

	if (n < 0)
		ret = wrong(error, path, strerror(errno));
	else if (n == CLUSTER_SECRET_MAX)
		ret = wrong(error, path, "is too large");
	*len = n > 0 && !ret ? (size_t)n : 0;
	text[*len] = 0;
	if (fd >= 0)
		close(fd);
	return ret;
}

int cluster_draw(void *bytes, size_t len, char *error)
{
	/* Up to 256 bytes come whole. */
	if (getrandom(bytes, len, 0) == (ssize_t)len)
		return 0;
	return wrong(error, "random numbers", strerror(errno));
}

int cluster_owner(const char *user, uid_t *uid, gid_t *gid, char *error)
{
	const struct passwd *p;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (!user && geteuid())
		return 0;
	errno = 0;
	p = getpwnam(user ? user : DAEMON_USER);
	if (!p) {
		snprintf(error, CLUSTER_REASON_MAX, "user: there is no user %s, as whom paxsteerd would run (`make install` makes %s)",
			 user ? user : DAEMON_USER, DAEMON_USER);
		return -1;
	}
	if (p->pw_uid == geteuid())
		return 0;
	if (geteuid()) {
		snprintf(error, CLUSTER_REASON_MAX, "user: only root can give files to %s", user);
		return -1;
	}
	*uid = p->pw_uid;
	*gid = p->pw_gid;
	return 0;
}
