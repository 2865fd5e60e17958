// SPDX-License-Identifier: GPL-2.0
/*
 * identity.c - the identity of a journal directory
 *
 * Files are small and this runs before the loop: plain blocking calls. Locks are
 * flock(2) locks, which belong to the open file description: a write that io_uring
 * still has in flight holds the description, and so the lock, even after the process
 * was killed (S6).
 */
#include "identity.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/paxsteer_journal.h>

#include "crc32c.h"
#include "hex.h"
#include "report.h"

int pxs_uuid_parse(const char *text, u8 uuid[PXS_CLUSTER_LEN])
{
	unsigned int i, n = 0;
	int digit;

	if (strlen(text) != 36)
		return -EINVAL;
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return -EINVAL;
			continue;
		}
		digit = pxs_hex_digit(text[i]);
		if (digit < 0)
			return -EINVAL;
		uuid[n / 2] = (u8)(n % 2 ? uuid[n / 2] | digit : digit << 4);
		n++;
	}
	return 0;
}

void pxs_uuid_format(const u8 uuid[PXS_CLUSTER_LEN], char text[37])
{
	unsigned int i;
	char *p = text;

	for (i = 0; i < PXS_CLUSTER_LEN; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", uuid[i]);
	}
}

int pxs_own_file(int fd, const char *name, bool wait)
{
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	if (!wait)
		return -EWOULDBLOCK;
	pxs_notice("%s is owned by another process, or a write of a former owner is still in flight: waiting",
		   name);
	while (flock(fd, LOCK_EX))
		if (errno != EINTR)
			return -errno;
	return 0;
}

static int fail(char *error, size_t room, int err, const char *dir, const char *what)
{
	snprintf(error, room, "%s: %s: %s", dir, what, strerror(-err));
	return err;
}

static bool dir_is_empty(int dirfd)
{
	struct dirent *e;
	bool empty = true;
	DIR *d;
	int fd;

	fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	for (errno = 0; empty && (e = readdir(d)); errno = 0)
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	empty &= !errno;	/* it was read to its end */
	closedir(d);
	return empty;
}

/* A file system lists a new directory durably only after its parent was synced. */
static int sync_parent(const char *dir)
{
	char path[4096];
	size_t len;
	char *slash;
	int fd, err = 0;

	if (snprintf(path, sizeof(path), "%s", dir) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	for (len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = 0;
	slash = strrchr(path, '/');
	if (!slash)
		strcpy(path, ".");
	else
		slash[slash == path] = 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fsync(fd))
		err = -errno;
	close(fd);
	return err;
}

static int write_identity(int dirfd, const struct pxs_identity *id)
{
	struct pxs_journal_identity j = {
		.magic = cpu_to_le64(PXS_JOURNAL_ID_MAGIC),
		.version = cpu_to_le32(PXS_JOURNAL_VERSION),
		.incarnation = cpu_to_le64(id->incarnation),
		.member = cpu_to_le32(id->member),
		.segment_size = cpu_to_le32(id->segment_size),
	};
	ssize_t n;
	int fd, err = 0;

	memcpy(j.cluster, id->cluster, sizeof(j.cluster));
	j.crc = cpu_to_le32(pxs_crc32c(0, &j, sizeof(j)));
	fd = openat(dirfd, PXS_IDENTITY_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	n = write(fd, &j, sizeof(j));
	if (n != (ssize_t)sizeof(j))
		err = n < 0 ? -errno : -ENOSPC;
	else if (fsync(fd) || fsync(dirfd))
		err = -errno;
	close(fd);
	if (err)
		unlinkat(dirfd, PXS_IDENTITY_FILE, 0);
	return err;
}

int pxs_identity_place(const char *dir, const struct pxs_identity *id, char *error, size_t room)
{
	int dirfd, err;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return fail(error, room, -errno, dir, "cannot make the directory");
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return fail(error, room, -errno, dir, "cannot open the directory");
	err = -ENOTEMPTY;
	if (!dir_is_empty(dirfd)) {
		fail(error, room, err, dir, "a journal is made in a new or empty directory only");
		goto out;
	}
	err = write_identity(dirfd, id);
	if (!err)
		err = sync_parent(dir);
	if (err)
		fail(error, room, err, dir, "cannot write the identity");
out:
	close(dirfd);
	return err;
}

int pxs_identity_create(const char *dir, struct pxs_identity *id, char *error, size_t room)
{
	do {
		if (getrandom(&id->incarnation, sizeof(id->incarnation), 0) !=
		    (ssize_t)sizeof(id->incarnation))
			return fail(error, room, -EIO, dir, "no random incarnation");
	} while (!id->incarnation);
	return pxs_identity_place(dir, id, error, room);
}

static int check_identity(struct pxs_journal_identity *j, ssize_t n, char *error, size_t room)
{
	u32 crc = le32_to_cpu(j->crc);
	u32 version = le32_to_cpu(j->version);

	if (n != (ssize_t)sizeof(*j) || le64_to_cpu(j->magic) != PXS_JOURNAL_ID_MAGIC) {
		snprintf(error, room, "the file identity is not that of a paxsteer journal");
		return -EBADMSG;
	}
	j->crc = 0;
	if (pxs_crc32c(0, j, sizeof(*j)) != crc) {
		snprintf(error, room, "the file identity is damaged (wrong sum)");
		return -EBADMSG;
	}
	if (version != PXS_JOURNAL_VERSION) {
		snprintf(error, room, "the journal has version %u, this program reads version %u",
			 version, PXS_JOURNAL_VERSION);
		return -EKEYREJECTED;
	}
	return 0;
}

int pxs_identity_read(int dirfd, struct pxs_identity *id, char *error, size_t room)
{
	struct pxs_journal_identity j = { 0 };
	ssize_t n;
	int fd, err;

	fd = openat(dirfd, PXS_IDENTITY_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		if (err == -ENOENT)
			snprintf(error, room, "there is no journal here (no file identity); `paxsteer journal init` makes one");
		else
			snprintf(error, room, "identity: %s", strerror(-err));
		return err;
	}
	n = read(fd, &j, sizeof(j));
	err = n < 0 ? -errno : 0;
	close(fd);
	if (err) {
		snprintf(error, room, "identity: %s", strerror(-err));
		return err;
	}
	err = check_identity(&j, n, error, room);
	if (err)
		return err;
	id->incarnation = le64_to_cpu(j.incarnation);
	memcpy(id->cluster, j.cluster, sizeof(id->cluster));
	id->member = le32_to_cpu(j.member);
	id->segment_size = le32_to_cpu(j.segment_size);
	return 0;
}
