// SPDX-License-Identifier: GPL-2.0
/*
 * trace.c - calls of the agent's objects, seen through the linker's --wrap
 *
 * Only what is relative to a directory descriptor is the journal's: the identity, the
 * hint and the segments. Everything is done for real as well, on a real file system.
 */
#include "trace.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#define FDS	256

struct known {
	char name[TRACE_NAME];
	int file;
};

static struct trace *tracing;
static struct known known[TRACE_FILES];
static char fd_name[FDS][TRACE_NAME];	/* as opened */
static int fd_file[FDS];
static bool fd_dir[FDS];
static char bad_name[TRACE_NAME];
static u64 bad_offset;
static u64 random_state = 1;

void (*trace_touched)(const char *name);

static struct known *find(const char *name)
{
	u32 i;

	for (i = 0; i < TRACE_FILES; i++)
		if (known[i].name[0] && !strcmp(known[i].name, name))
			return &known[i];
	return NULL;
}

static void set_name(const char *name, int file)
{
	struct known *k = find(name);
	u32 i;

	for (i = 0; !k && i < TRACE_FILES; i++)
		if (!known[i].name[0])
			k = &known[i];
	pxs_assert(k && strlen(name) < TRACE_NAME);
	strcpy(k->name, name);
	k->file = file;
}

static struct trace_op *add(enum trace_kind kind, int file, const char *name)
{
	struct trace_op *op;

	if (!tracing)
		return NULL;
	pxs_assert(tracing->n < TRACE_OPS);
	op = &tracing->op[tracing->n++];
	memset(op, 0, sizeof(*op));
	op->kind = kind;
	op->file = file;
	if (name)
		snprintf(op->name, sizeof(op->name), "%s", name);
	return op;
}

static void touch(const char *name)
{
	if (trace_touched && name[0])
		trace_touched(name);
}

void trace_to(struct trace *t)
{
	tracing = t;
	if (!t)
		return;
	memset(known, 0, sizeof(known));
	t->n = 0;
	t->writes = 0;
	t->files = 0;
}

void trace_know(struct trace *t, const char *name, int file)
{
	set_name(name, file);
	if (file >= t->files)
		t->files = file + 1;
}

void trace_free(struct trace *t)
{
	u32 i;

	for (i = 0; i < t->n; i++)
		free(t->op[i].data);
	t->n = 0;
}

void trace_seed(u64 seed)
{
	random_state = seed;
}

void trace_mark(enum trace_kind kind, u64 lsn, u32 len)
{
	struct trace_op *op = add(kind, -1, NULL);

	if (!op)
		return;
	op->lsn = lsn;
	op->len = len;
}

void trace_write_synced(void)
{
	add(TRACE_SYNC_WRITE, -1, NULL);
}

void trace_unreadable(const char *name, u64 offset)
{
	snprintf(bad_name, sizeof(bad_name), "%s", name ? name : "");
	bad_offset = offset;
}

static bool unreadable(int fd, u64 offset, size_t len)
{
	return bad_name[0] && fd >= 0 && fd < FDS && !strcmp(fd_name[fd], bad_name) &&
	       offset < bad_offset + 4096 && offset + len > bad_offset;
}

/* A file of the journal was opened for writing: which one is it? */
static int file_of(const char *name, int flags, bool existed)
{
	struct known *k = find(name);
	struct trace_op *op;

	if (!tracing)
		return -1;
	if (!existed || !k) {
		set_name(name, tracing->files++);
		k = find(name);
		add(TRACE_CREATE, k->file, name);
	} else if (flags & O_TRUNC) {
		op = add(TRACE_SIZE, k->file, name);
		op->len = 0;
	}
	return k->file;
}

int __real_openat(int dirfd, const char *name, int flags, ...);
int __wrap_openat(int dirfd, const char *name, int flags, ...);
int __wrap_openat(int dirfd, const char *name, int flags, ...)
{
	bool existed = !faccessat(dirfd, name, F_OK, 0);
	va_list ap;
	int mode;
	int fd;

	va_start(ap, flags);
	mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	fd = __real_openat(dirfd, name, flags, mode);
	if (fd < 0 || fd >= FDS)
		return fd;
	fd_dir[fd] = flags & O_DIRECTORY;
	fd_file[fd] = -1;
	fd_name[fd][0] = 0;
	if (fd_dir[fd])
		return fd;
	snprintf(fd_name[fd], TRACE_NAME, "%s", name);
	if ((flags & O_ACCMODE) != O_RDONLY) {
		if (!existed || flags & O_TRUNC)
			touch(name);
		fd_file[fd] = file_of(name, flags, existed);
	}
	return fd;
}

int __real_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...);
int __wrap_open(const char *name, int flags, ...)
{
	int fd = __real_open(name, flags, 0600);

	if (fd >= 0 && fd < FDS) {
		fd_dir[fd] = flags & O_DIRECTORY;
		fd_file[fd] = -1;
		fd_name[fd][0] = 0;
	}
	return fd;
}

static void wrote(int fd, const void *buf, ssize_t len, u64 off)
{
	struct trace_op *op;

	if (len <= 0 || fd >= FDS)
		return;
	touch(fd_name[fd]);
	op = fd_file[fd] < 0 ? NULL : add(TRACE_WRITE, fd_file[fd], NULL);
	if (!op)
		return;
	tracing->writes++;
	op->off = off;
	op->len = (u32)len;
	op->data = malloc((size_t)len);
	pxs_assert(op->data);
	memcpy(op->data, buf, (size_t)len);
}

ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t off)
{
	ssize_t n = __real_pwrite(fd, buf, len, off);

	wrote(fd, buf, n, (u64)off);
	return n;
}

/* The agent writes small files with one write() from their beginning. */
ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	ssize_t n = __real_write(fd, buf, len);

	if (fd >= 0 && fd < FDS && fd_file[fd] >= 0)
		wrote(fd, buf, n, 0);
	return n;
}

ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t off)
{
	if (unreadable(fd, (u64)off, len)) {
		errno = EIO;
		return -1;
	}
	return __real_pread(fd, buf, len, off);
}

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	if (unreadable(fd, 0, len)) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, buf, len);
}

static void synced(int fd)
{
	if (fd >= FDS)
		return;
	if (fd_dir[fd])
		add(TRACE_SYNC_DIR, -1, NULL);
	else if (fd_file[fd] >= 0)
		add(TRACE_SYNC, fd_file[fd], NULL);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	synced(fd);
	return 0;
}

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	synced(fd);
	return 0;
}

int __real_posix_fallocate(int fd, off_t off, off_t len);
int __wrap_posix_fallocate(int fd, off_t off, off_t len);
int __wrap_posix_fallocate(int fd, off_t off, off_t len)
{
	struct trace_op *op = fd < FDS && fd_file[fd] >= 0 ? add(TRACE_SIZE, fd_file[fd], NULL) :
							     NULL;

	if (op)
		op->len = (u32)(off + len);
	touch(fd_name[fd]);
	return __real_posix_fallocate(fd, off, len);
}

int __real_renameat(int from, const char *name, int to, const char *name_to);
int __wrap_renameat(int from, const char *name, int to, const char *name_to);
int __wrap_renameat(int from, const char *name, int to, const char *name_to)
{
	int ret = __real_renameat(from, name, to, name_to);
	struct trace_op *op;
	struct known *k = find(name);

	if (ret)
		return ret;
	touch(name);
	touch(name_to);
	op = add(TRACE_RENAME, k ? k->file : -1, name);
	if (!op || !k)
		return 0;
	snprintf(op->to, sizeof(op->to), "%s", name_to);
	set_name(name_to, k->file);
	find(name)->name[0] = 0;
	return 0;
}

int __real_unlinkat(int dirfd, const char *name, int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
	int ret = __real_unlinkat(dirfd, name, flags);
	struct known *k = find(name);

	if (ret)
		return ret;
	touch(name);
	if (k && tracing) {
		add(TRACE_UNLINK, k->file, name);
		k->name[0] = 0;
	}
	return 0;
}

ssize_t __real_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	u8 *p = buf;
	size_t i;

	(void)flags;
	for (i = 0; i < len; i++) {
		random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
		p[i] = (u8)(random_state >> 56);
	}
	return (ssize_t)len;
}

ssize_t trace_pwrite(int fd, const void *buf, size_t len, s64 off)
{
	return __wrap_pwrite(fd, buf, len, off);
}

int trace_fdatasync(int fd)
{
	return __wrap_fdatasync(fd);
}
