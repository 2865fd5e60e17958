// SPDX-License-Identifier: GPL-2.0
/*
 * dir.c - a state as a directory of real files, for the real recovery
 *
 * Most states differ from the one before in a block or two: what a file was last given
 * is remembered by its hash.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "state.h"

struct put {
	char name[TRACE_NAME];
	u64 hash;
	bool sure;		/* nobody changed it since */
};

static struct put put[STATE_NAMES * 2];

int __real_open(const char *name, int flags, ...);
int __real_openat(int dirfd, const char *name, int flags, ...);
ssize_t __real_pwrite(int fd, const void *buf, size_t len, off_t off);
ssize_t __real_pread(int fd, void *buf, size_t len, off_t off);
int __real_unlinkat(int dirfd, const char *name, int flags);

static struct put *find_put(const char *name)
{
	u32 i;

	for (i = 0; i < STATE_NAMES * 2; i++)
		if (put[i].name[0] && !strcmp(put[i].name, name))
			return &put[i];
	return NULL;
}

void state_touched(const char *name)
{
	struct put *p = find_put(name);
	u32 i;

	for (i = 0; !p && i < STATE_NAMES * 2; i++)
		if (!put[i].name[0])
			p = &put[i];
	pxs_assert(p);
	snprintf(p->name, TRACE_NAME, "%s", name);
	p->sure = false;
}

static void write_file(int dirfd, const char *name, const struct state_file *f)
{
	int fd = __real_openat(dirfd, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	pxs_assert(fd >= 0);
	pxs_assert(!ftruncate(fd, f->size));
	pxs_assert(__real_pwrite(fd, f->data, f->size, 0) == (ssize_t)f->size);
	close(fd);
}

void state_put(struct state_disk *d, const char *dir)
{
	int dirfd = __real_open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct state_file *f;
	struct put *p;
	u32 i;

	pxs_assert(dirfd >= 0);
	state_hash(d);
	for (i = 0; i < STATE_NAMES * 2; i++) {
		if (!put[i].name[0] || state_find(d, put[i].name))
			continue;
		__real_unlinkat(dirfd, put[i].name, 0);
		put[i].name[0] = 0;
	}
	for (i = 0; i < d->names; i++) {
		f = &d->file[d->name[i].file];
		p = find_put(d->name[i].name);
		if (p && p->sure && p->hash == f->hash)
			continue;
		write_file(dirfd, d->name[i].name, f);
		state_touched(d->name[i].name);
		p = find_put(d->name[i].name);
		p->hash = f->hash;
		p->sure = true;
	}
	close(dirfd);
}

static void load_file(struct state_disk *d, int dirfd, const char *name)
{
	int fd = __real_openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	int file = (int)d->names;
	ssize_t n;

	pxs_assert(fd >= 0 && d->names < STATE_NAMES && strlen(name) < TRACE_NAME);
	d->file[file].data = calloc(1, STATE_ROOM);
	pxs_assert(d->file[file].data);
	n = __real_pread(fd, d->file[file].data, STATE_ROOM, 0);
	pxs_assert(n >= 0);
	d->file[file].size = (u32)n;
	strcpy(d->name[d->names].name, name);
	d->name[d->names++].file = file;
	close(fd);
}

void state_load(struct state_disk *d, const char *dir)
{
	DIR *handle = opendir(dir);
	struct dirent *e;

	pxs_assert(handle);
	memset(d, 0, sizeof(*d));
	while ((e = readdir(handle)))
		if (e->d_name[0] != '.')
			load_file(d, dirfd(handle), e->d_name);
	closedir(handle);
}
