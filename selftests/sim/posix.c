// SPDX-License-Identifier: GPL-2.0
/*
 * posix.c - the system calls that the daemon makes, on a simulated disk
 *
 * The linker gives us every call of these functions (--wrap). A descriptor of the simulator's
 * is FIRST or more; any other goes on to the C library.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim.h"

#define FIRST	100000
#define FDS	1024

struct descriptor {
	bool used;
	bool dir;
	bool direct;
	struct sim_node *node;
	struct sim_file *file;
	struct sim_file *at;	/* a directory: the next to list */
	u64 offset;
};

static struct descriptor table[FDS];

static struct descriptor *get(int fd)
{
	if (fd < FIRST || fd >= FIRST + FDS || !table[fd - FIRST].used)
		return NULL;
	return &table[fd - FIRST];
}

static int take(struct sim_file *f, int flags)
{
	u32 i;

	for (i = 0; i < FDS && table[i].used; i++)
		;
	if (i == FDS) {
		sim_fail(world, "descriptors leak");
		errno = EMFILE;
		return -1;
	}
	table[i] = (struct descriptor){ .used = true, .dir = !f, .direct = flags & O_DIRECT,
					.node = here, .file = f };
	if (f)
		f->opens++;
	return FIRST + (int)i;
}

static void release(struct descriptor *d)
{
	if (d->file)
		d->file->opens--;
	d->used = false;
}

struct sim_file *sim_fd_file(int fd)
{
	struct descriptor *d = get(fd);

	return d ? d->file : NULL;
}

/* A process ends: the kernel closes what it had open. */
void sim_fd_close_all(const struct sim_node *n)
{
	u32 i;

	for (i = 0; i < FDS; i++)
		if (table[i].used && table[i].node == n)
			release(&table[i]);
}

static int refuse(enum sim_fault f, u32 one_in, int err)
{
	if (!sim_chance(world, f, one_in))
		return 0;
	here->disk.refused = true;
	errno = err;
	return -1;
}

static bool full(void)
{
	if (here->disk.full <= world->now)
		return false;
	here->disk.refused = true;
	errno = ENOSPC;
	return true;
}

int __wrap_open(const char *path, int flags, ...);
int __real_close(int fd);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __real_write(int fd, const void *buf, size_t len);

/* Only directories are opened by path, and each node has one. */
int __wrap_open(const char *path, int flags, ...)
{
	(void)path;
	return take(NULL, flags);
}

int __wrap_openat(int dirfd, const char *name, int flags, ...);
int __wrap_openat(int dirfd, const char *name, int flags, ...)
{
	struct sim_disk *disk = &here->disk;
	struct sim_file *f;

	(void)dirfd;
	if (!strcmp(name, "."))
		return take(NULL, flags);
	f = sim_disk_find(disk, name);
	if (f && flags & O_EXCL) {
		errno = EEXIST;
		return -1;
	}
	if (!f && !(flags & O_CREAT)) {
		errno = ENOENT;
		return -1;
	}
	if (!f && full())
		return -1;
	if (!f)
		f = sim_disk_create(disk, name);
	else if (flags & O_TRUNC)
		sim_disk_truncate(f);
	return take(f, flags);
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
	struct descriptor *d = get(fd);

	if (!d)
		return fd < FIRST ? __real_close(fd) : -1;
	release(d);
	return 0;
}

int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return 0;
}

int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
	(void)how;
	return get(fd) ? 0 : -1;
}

int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_size = sim_fd_file(fd)->size;
	return 0;
}

/* Past the page cache: what is dirty there is written first, and read back. */
static const u8 *view(const struct descriptor *d, u64 offset)
{
	const struct sim_file *f = d->file;

	if (d->direct && !f->dirty[offset / SIM_BLOCK])
		return f->platter + offset;
	return f->cache + offset;
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t offset);
ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t offset)
{
	struct descriptor *d = get(fd);
	u64 at = (u64)offset, done, part;

	if (at >= d->file->size)
		return 0;
	len = min(len, (size_t)(d->file->size - at));
	for (done = 0; done < len; done += part) {
		part = SIM_BLOCK - (at + done) % SIM_BLOCK;
		part = min(part, len - done);
		memcpy((u8 *)buf + done, view(d, at + done), part);
	}
	return (ssize_t)len;
}

ssize_t __wrap_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	struct descriptor *d = get(fd);
	ssize_t n;

	if (!d)
		return __real_read(fd, buf, len);
	n = __wrap_pread(fd, buf, len, (off_t)d->offset);
	d->offset += (u64)n;
	return n;
}

ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t len, off_t offset)
{
	struct sim_file *f = sim_fd_file(fd);

	if (refuse(F_WRITE, 512, EIO))
		return -1;
	if ((u64)offset + len > f->size && full())
		return -1;
	sim_disk_write(f, (u64)offset, buf, (u32)len);
	return (ssize_t)len;
}

ssize_t __wrap_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	struct descriptor *d = get(fd);
	ssize_t n;

	if (!d)
		return __real_write(fd, buf, len);
	n = __wrap_pwrite(fd, buf, len, (off_t)d->offset);
	if (n > 0)
		d->offset += (u64)n;
	return n;
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct descriptor *d = get(fd);

	if (refuse(F_FAIL, d->dir ? 32 : 256, EIO)) {
		if (d->file)
			sim_disk_flush_fails(world, d->file);
		else if (sim_has(world, F_AGENT))
			sim_fault_kill_soon(world, here, sim_fault_below(world, F_AGENT, 1000));
		return -1;
	}
	if (d->dir)
		sim_disk_flush_names(&here->disk);
	else
		sim_disk_flush(d->file);
	return 0;
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd)
{
	return __wrap_fsync(fd);
}

int __wrap_posix_fallocate(int fd, off_t offset, off_t len);
int __wrap_posix_fallocate(int fd, off_t offset, off_t len)
{
	static const u8 zero[SIM_BLOCK];
	struct sim_file *f = sim_fd_file(fd);

	if (full())
		return errno;	/* not through errno, says POSIX; a positive number */
	sim_disk_room(f, (u32)(offset + len));
	for (; len > 0; offset += SIM_BLOCK, len -= SIM_BLOCK)
		if ((u64)offset >= f->size)
			sim_disk_write(f, (u64)offset, zero, SIM_BLOCK);
	return 0;
}

int __wrap_posix_fadvise(int fd, off_t offset, off_t len, int advice);
int __wrap_posix_fadvise(int fd, off_t offset, off_t len, int advice)
{
	(void)offset;
	(void)len;
	if (advice == POSIX_FADV_DONTNEED)
		sim_disk_drop_cache(sim_fd_file(fd));
	return 0;
}

int __wrap_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name)
{
	struct sim_file *f = sim_disk_find(&here->disk, old);

	(void)from;
	(void)to;
	if (!f) {
		errno = ENOENT;
		return -1;
	}
	sim_disk_rename(&here->disk, f, name);
	return 0;
}

int __wrap_unlinkat(int dirfd, const char *name, int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
	struct sim_file *f = sim_disk_find(&here->disk, name);

	(void)dirfd;
	(void)flags;
	if (!f) {
		errno = ENOENT;
		return -1;
	}
	sim_disk_unlink(&here->disk, f);
	return 0;
}

struct __dirstream *__wrap_fdopendir(int fd);
struct __dirstream *__wrap_fdopendir(int fd)
{
	struct descriptor *d = get(fd);

	d->at = here->disk.files;
	return (struct __dirstream *)d;
}

struct dirent *__wrap_readdir(struct __dirstream *dir);
struct dirent *__wrap_readdir(struct __dirstream *dir)
{
	struct descriptor *d = (struct descriptor *)dir;
	static struct dirent e;

	while (d->at && !d->at->name[0])
		d->at = d->at->next;
	if (!d->at)
		return NULL;
	memcpy(e.d_name, d->at->name, SIM_NAME);
	d->at = d->at->next;
	return &e;
}

int __wrap_closedir(struct __dirstream *dir);
int __wrap_closedir(struct __dirstream *dir)
{
	release((struct descriptor *)dir);
	return 0;
}

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	u64 r = sim_random(world) ^ sim_random(world) << 32;

	(void)flags;
	if (len > sizeof(r))
		return -1;
	memcpy(buf, &r, len);
	return (ssize_t)len;
}
