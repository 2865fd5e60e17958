// SPDX-License-Identifier: GPL-2.0
/*
 * recover.c - opening a journal directory
 *
 * Before the loop runs, so with plain blocking calls. The directory is synced before its names
 * are believed, every segment before it is read, and read past the page cache where the file
 * system allows: what a former agent wrote, and a failed flush dropped, must not be taken for
 * durable.
 *
 * A former owner's write may still be in flight in the last two segments only: there is one
 * write at a time, and a segment is begun when all before it was confirmed. These two are locked,
 * which waits for that write, before anything is read, and stay open. The others are opened in
 * their turn and closed again: there may be more of them than a process may have open files.
 */
#include "recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"

struct segment_file {
	u64 number;
	u64 size;
	int fd;
};

struct segment_dir {
	struct pxs_recovery *r;
	bool wait;		/* for who owns it */
	struct segment_file *file;
	u32 count;
	u8 *bounce;		/* aligned, for O_DIRECT */
};

#define BOUNCE_SIZE	(1u << 20)

__attribute__((format(printf, 3, 4)))
static int complain(struct pxs_recovery *r, int err, const char *fmt, ...)
{
	int n = snprintf(r->error, sizeof(r->error), "%s: ", r->dir);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->error + n, sizeof(r->error) - (size_t)n, fmt, ap);
	va_end(ap);
	return err;
}

void pxs_segment_name(u64 number, char name[PXS_SEGMENT_NAME_LEN])
{
	snprintf(name, PXS_SEGMENT_NAME_LEN, "%016" PRIx64 ".pxs", number);
}

static bool parse_name(const char *name, u64 *number)
{
	char *end;

	if (strlen(name) != PXS_SEGMENT_NAME_LEN - 1 || strcmp(name + 16, ".pxs") ||
	    strspn(name, "0123456789abcdef") != 16)
		return false;
	*number = strtoull(name, &end, 16);
	return *number && *number <= UINT32_MAX;
}

static int by_number(const void *a, const void *b)
{
	const struct segment_file *x = a, *y = b;

	return x->number < y->number ? -1 : x->number > y->number;
}

/* Names only; "*.new" is what spare.c had not finished, and is removed by it. */
static int take_names(struct segment_dir *d, DIR *dir)
{
	struct segment_file *grown;
	struct dirent *e;
	u64 number;

	/* What cannot be read is not the end: segments would be missing. */
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		if (!parse_name(e->d_name, &number))
			continue;
		grown = realloc(d->file, (d->count + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		d->file = grown;
		d->file[d->count++] = (struct segment_file){ .number = number, .fd = -1 };
	}
	return -errno;
}

/*
 * A former agent may have died, or failed, between giving a segment its name and syncing the
 * directory: what will be written to that segment must not vanish with its name.
 */
static int list_segments(struct segment_dir *d)
{
	DIR *dir;
	int fd, err;

	if (!d->r->readonly && fsync(d->r->dirfd))
		return complain(d->r, -errno, "fsync of the directory: %s", strerror(errno));
	fd = openat(d->r->dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return complain(d->r, -errno, "%s", strerror(errno));
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return complain(d->r, -ENOMEM, "%s", strerror(ENOMEM));
	}
	err = take_names(d, dir);
	closedir(dir);
	if (err)
		return complain(d->r, err, "reading the directory: %s", strerror(-err));
	if (d->count)
		qsort(d->file, d->count, sizeof(*d->file), by_number);
	return 0;
}

/* O_DIRECT is a wish: some file systems refuse it. */
static int open_segment(struct pxs_recovery *r, const char *name)
{
	int flags = (r->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC;
	int fd;

	if (r->direct) {
		fd = openat(r->dirfd, name, flags | O_DIRECT);
		if (fd >= 0 || errno != EINVAL)
			return fd;
		r->direct = false;
	}
	return openat(r->dirfd, name, flags);
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static int open_one(struct segment_dir *d, u32 i)
{
	char name[PXS_SEGMENT_NAME_LEN];
	struct pxs_recovery *r = d->r;
	struct stat st;
	int err;

	pxs_segment_name(d->file[i].number, name);
	d->file[i].fd = open_segment(r, name);
	if (d->file[i].fd < 0 || fstat(d->file[i].fd, &st))
		return complain(r, -errno, "%s: %s", name, strerror(errno));
	d->file[i].size = (u64)st.st_size;
	if (r->readonly)
		return 0;
	err = pxs_own_file(d->file[i].fd, name, d->wait);
	if (err == -EWOULDBLOCK)
		return complain(r, err, "%s is owned by another process", name);
	if (err)
		return complain(r, err, "%s: lock: %s", name, strerror(-err));
	if (fsync(d->file[i].fd))
		return complain(r, -errno, "%s: fsync: %s", name, strerror(errno));
	return 0;
}

static bool stays_open(const struct segment_dir *d, u32 i)
{
	return i + 2 >= d->count;
}

/* Those that stay, and the one that is read first. */
static int open_ends(struct segment_dir *d)
{
	u32 i;
	int err = 0;

	for (i = d->count; i > 0 && stays_open(d, i - 1) && !err; i--)
		err = open_one(d, i - 1);
	if (!err && d->count && d->file[0].fd < 0)
		err = open_one(d, 0);
	return err;
}

/* Segment @i is read now, and so is nothing before it any more. */
static int turn_to(struct segment_dir *d, u32 i)
{
	if (i && !stays_open(d, i - 1))
		close_fd(&d->file[i - 1].fd);
	return d->file[i].fd < 0 ? open_one(d, i) : 0;
}

static u64 file_number(void *ctx, u32 i)
{
	return ((struct segment_dir *)ctx)->file[i].number;
}

static u64 file_size(void *ctx, u32 i)
{
	return ((struct segment_dir *)ctx)->file[i].size;
}

static int file_read(void *ctx, u32 i, u64 offset, void *buf, u32 len)
{
	struct segment_dir *d = ctx;
	u32 done, part;
	ssize_t n;
	int err = turn_to(d, i);

	if (err)
		return err;
	if (!d->r->direct)
		posix_fadvise(d->file[i].fd, 0, 0, POSIX_FADV_DONTNEED);
	for (done = 0; done < len; done += part) {
		part = min(len - done, BOUNCE_SIZE);
		n = pread(d->file[i].fd, d->bounce, part, (off_t)(offset + done));
		if (n < 0 && errno == EINTR) {
			part = 0;
			continue;
		}
		if (n != (ssize_t)part)
			return n < 0 ? -errno : -EIO;
		memcpy((u8 *)buf + done, d->bounce, part);
	}
	return 0;
}

/* Write zeroes over [offset, end) of an open segment where it is not zero already. */
static int zero_range(struct segment_dir *d, int fd, u32 offset, u32 end)
{
	u32 at, i;
	ssize_t n;

	for (at = offset; at < end; at += PXS_JOURNAL_BLOCK) {
		n = pread(fd, d->bounce, PXS_JOURNAL_BLOCK, at);
		if (n != PXS_JOURNAL_BLOCK)
			return n < 0 ? -errno : -EIO;
		for (i = 0; i < PXS_JOURNAL_BLOCK && !d->bounce[i]; i++)
			;
		if (i == PXS_JOURNAL_BLOCK)
			continue;
		memset(d->bounce, 0, PXS_JOURNAL_BLOCK);
		n = pwrite(fd, d->bounce, PXS_JOURNAL_BLOCK, at);
		if (n != PXS_JOURNAL_BLOCK)
			return n < 0 ? -errno : -EIO;
	}
	return fdatasync(fd) ? -errno : 0;
}

static int mend(struct segment_dir *d, int last, int spare)
{
	struct pxs_recovery *r = d->r;
	struct pxs_scan *s = &r->scan;
	int err = 0;

	if (s->cut_from) {
		pxs_notice("%s: torn tail at segment %016" PRIx64 " offset %u: cut; the journal ends with LSN %" PRIu64,
			   r->dir, pxs_pos_segment(s->cut_from), pxs_pos_offset(s->cut_from),
			   s->next_lsn - 1);
		err = zero_range(d, d->file[last].fd, pxs_pos_offset(s->cut_from),
				 s->segment_size);
	}
	if (!err && s->cut_spare)
		err = zero_range(d, d->file[spare].fd, 0, s->segment_size);
	if (err)
		return complain(r, err, "cutting the torn tail: %s", strerror(-err));
	return 0;
}

/* Keep the segments that will be written, close the others. */
static int keep_segments(struct segment_dir *d)
{
	struct pxs_recovery *r = d->r;
	int last = -1, spare = -1;
	int i, err;

	for (i = 0; i < (int)d->count; i++) {
		if (d->file[i].number == r->scan.segment)
			last = i;
		if (r->scan.spare && d->file[i].number == r->scan.spare)
			spare = i;
	}
	err = r->readonly ? 0 : mend(d, last, spare);
	if (err || r->readonly)
		return err;
	if (last >= 0) {
		r->fd = d->file[last].fd;
		d->file[last].fd = -1;
	}
	if (spare >= 0) {
		r->spare_fd = d->file[spare].fd;
		d->file[spare].fd = -1;
	}
	return 0;
}

/* What was removed but for its name. */
static int drop_below_floor(struct segment_dir *d)
{
	u64 first = d->r->scan.floor.segment;
	char name[PXS_SEGMENT_NAME_LEN];
	u32 i, n = 0;

	while (n < d->count && d->file[n].number < first)
		n++;
	for (i = 0; i < n && !d->r->readonly; i++) {
		pxs_segment_name(d->file[i].number, name);
		if (unlinkat(d->r->dirfd, name, 0) && errno != ENOENT)
			return complain(d->r, -errno, "%s: %s", name, strerror(errno));
	}
	if (n)
		memmove(d->file, d->file + n, (d->count - n) * sizeof(*d->file));
	d->count -= n;
	return 0;
}

static int scan_dir(struct pxs_recovery *r, bool wait, const struct pxs_scan_sink *sink)
{
	struct segment_dir d = { .r = r, .wait = wait };
	struct pxs_scan_source src = {
		.ctx = &d,
		.number = file_number,
		.size = file_size,
		.read = file_read,
	};
	u32 i;
	int err;

	if (posix_memalign((void **)&d.bounce, PXS_JOURNAL_BLOCK, BOUNCE_SIZE))
		return complain(r, -ENOMEM, "%s", strerror(ENOMEM));
	err = pxs_floor_read(r->dirfd, r->id.incarnation, &r->scan.floor);
	if (err)
		complain(r, err, "%s: %s", PXS_FLOOR_FILE, err == -EBADMSG ?
			 "is damaged, or of another journal" : strerror(-err));
	if (!err)
		err = list_segments(&d);
	if (!err)
		err = drop_below_floor(&d);
	if (!err)
		err = open_ends(&d);
	if (!err) {
		src.count = d.count;
		r->scan.incarnation = r->id.incarnation;
		r->scan.segment_size = r->id.segment_size;
		r->hint_error = pxs_hint_read(r->dirfd, r->id.incarnation, &r->hint);
		r->scan.confirmed = r->hint.lsn;
		err = pxs_scan(&r->scan, &src, sink);
		/* Where a segment could not be opened, that is said already. */
		if (err && !r->error[0])
			complain(r, err, "%s", r->scan.error[0] ? r->scan.error : strerror(-err));
	}
	if (!err)
		err = keep_segments(&d);
	for (i = 0; i < d.count; i++)
		close_fd(&d.file[i].fd);
	free(d.file);
	free(d.bounce);
	return err;
}

static int open_dir(struct pxs_recovery *r, const char *dir)
{
	int err, n;

	memset(r, 0, sizeof(*r));
	r->dir = dir;
	r->dirfd = -1;
	r->lockfd = -1;
	r->fd = -1;
	r->spare_fd = -1;
	r->direct = true;
	r->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->dirfd < 0)
		return complain(r, -errno, "%s", strerror(errno));
	n = snprintf(r->error, sizeof(r->error), "%s: ", dir);
	err = pxs_identity_read(r->dirfd, &r->id, r->error + n, sizeof(r->error) - (size_t)n);
	if (!err)
		r->error[0] = 0;
	return err;
}

int pxs_recover_look_identity(const char *dir, struct pxs_recovery *r)
{
	int err = open_dir(r, dir);

	pxs_recovery_close(r);
	return err;
}

int pxs_recover(struct pxs_recovery *r, const char *dir, bool wait,
		const struct pxs_scan_sink *sink)
{
	int err;

	err = open_dir(r, dir);
	if (err)
		goto out;
	r->lockfd = openat(r->dirfd, PXS_IDENTITY_FILE, O_RDONLY | O_CLOEXEC);
	if (r->lockfd < 0) {
		err = complain(r, -errno, "identity: %s", strerror(errno));
		goto out;
	}
	err = pxs_own_file(r->lockfd, dir, wait);
	if (err == -EWOULDBLOCK)
		complain(r, err, "the journal is owned by another process");
	else if (err)
		complain(r, err, "identity: lock: %s", strerror(-err));
	else
		err = scan_dir(r, wait, sink);
out:
	if (err)
		pxs_recovery_close(r);
	return err;
}

int pxs_recover_look(struct pxs_recovery *r, const char *dir, const struct pxs_scan_sink *sink)
{
	int err;

	err = open_dir(r, dir);
	r->readonly = true;
	if (!err)
		err = scan_dir(r, false, sink);
	if (err)
		pxs_recovery_close(r);
	return err;
}

void pxs_recovery_close(struct pxs_recovery *r)
{
	close_fd(&r->fd);
	close_fd(&r->spare_fd);
	close_fd(&r->lockfd);
	close_fd(&r->dirfd);
}
