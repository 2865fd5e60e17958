// SPDX-License-Identifier: GPL-2.0
/*
 * spare.c - the segment that will be needed next
 *
 * make_spare() runs in the helper thread and reads only what does not change while
 * the job is out (dirfd, size, direct, number); everything else belongs to the loop.
 */
#include "spare.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "identity.h"
#include "recover.h"
#include "report.h"

#define CHUNK	(256u << 10)

static struct pxs_spare *from_job(struct pxs_job *job)
{
	return (struct pxs_spare *)((char *)job - offsetof(struct pxs_spare, job));
}

static int fill_zero(int fd, u32 size)
{
	u32 done, part;
	void *zero;
	ssize_t n;
	int err;

	err = posix_fallocate(fd, 0, size);
	if (err)
		return -err;
	if (posix_memalign(&zero, PXS_JOURNAL_BLOCK, CHUNK))
		return -ENOMEM;
	memset(zero, 0, CHUNK);
	for (done = 0; done < size && !err; done += part) {
		part = min(size - done, CHUNK);
		n = pwrite(fd, zero, part, done);
		if (n != (ssize_t)part)
			err = n < 0 ? -errno : -ENOSPC;
	}
	free(zero);
	if (!err && fsync(fd))
		err = -errno;
	return err;
}

/* O_DIRECT is a wish: tmpfs refused it before 6.6. */
static int open_new(struct pxs_spare *s, const char *name)
{
	int flags = O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC;
	int fd;

	fd = openat(s->dirfd, name, flags | (s->direct ? O_DIRECT : 0), 0600);
	if (fd < 0 && errno == EINVAL && s->direct)
		fd = openat(s->dirfd, name, flags, 0600);
	return fd < 0 ? -errno : fd;
}

/* Named "*.new" until it is whole: recovery does not look at such a file. */
static int make_spare(struct pxs_job *job)
{
	struct pxs_spare *s = from_job(job);
	char name[PXS_SEGMENT_NAME_LEN];
	char temp[PXS_SEGMENT_NAME_LEN + 8];
	int fd, err;

	pxs_segment_name(s->number, name);
	snprintf(temp, sizeof(temp), "%s.new", name);
	fd = open_new(s, temp);
	if (fd < 0)
		return fd;
	err = pxs_own_file(fd, temp, true);
	if (!err)
		err = fill_zero(fd, s->size);
	if (!err && renameat(s->dirfd, temp, s->dirfd, name))
		err = -errno;
	if (!err && fsync(s->dirfd))
		err = -errno;
	if (err) {
		unlinkat(s->dirfd, temp, 0);
		close(fd);
		return err;
	}
	s->made = fd;
	return 0;
}

static void spare_made(struct pxs_job *job, int res)
{
	struct pxs_spare *s = from_job(job);
	int was = s->error;

	s->error = res;
	if (!res) {
		s->fd = s->made;
		s->made = -1;
		if (was)
			pxs_notice("the next journal segment is ready: the journal goes on");
	} else {
		s->retry = s->worker->loop->now + PXS_SPARE_RETRY_MS;
		if (was != res)
			pxs_warn("cannot prepare the next journal segment: %s; when the current one is full, nothing is acknowledged until this works (tried every %u ms)",
				 strerror(-res), PXS_SPARE_RETRY_MS);
	}
	s->ready(s->ctx);
}

void pxs_spare_init(struct pxs_spare *s, struct pxs_worker *worker, int dirfd, u32 size,
		    bool direct)
{
	memset(s, 0, sizeof(*s));
	s->worker = worker;
	s->dirfd = dirfd;
	s->size = size;
	s->direct = direct;
	s->fd = -1;
	s->made = -1;
	s->job.run = make_spare;
	s->job.done = spare_made;
}

void pxs_spare_want(struct pxs_spare *s, u64 number, int fd)
{
	s->number = number;
	s->fd = fd;
	s->error = 0;
	if (fd < 0)
		pxs_worker_give(s->worker, &s->job);
}

int pxs_spare_take(struct pxs_spare *s)
{
	int fd = s->fd;

	s->fd = -1;
	return fd;
}

void pxs_spare_tick(struct pxs_spare *s, u64 now)
{
	if (s->error && !s->job.busy && now >= s->retry)
		pxs_worker_give(s->worker, &s->job);
}

void pxs_spare_exit(struct pxs_spare *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->made >= 0)
		close(s->made);
	s->fd = -1;
	s->made = -1;
}
