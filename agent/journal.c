// SPDX-License-Identifier: GPL-2.0
/*
 * journal.c - making records durable, many at a time
 *
 * Belongs to the loop; nothing here blocks. j->state says what is in flight; the hook
 * at the end of each round starts the next batch when nothing is.
 */
#include "journal.h"
#include "batch.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "report.h"

#define from(p, member) \
	((struct pxs_journal *)((char *)(p) - offsetof(struct pxs_journal, member)))

static void fail(struct pxs_journal *j, const char *what, int err)
{
	if (j->failed)
		return;
	j->failed = true;
	snprintf(j->reason, sizeof(j->reason), "%s: %s", what, strerror(-err));
	pxs_err("journal: %s at segment %016" PRIx64 " offset %u; it is fenced: this node votes no more until it was restarted and its disk was looked at",
		j->reason, j->segment, j->offset);
	j->events->failed(j->events->ctx, j->reason);
}

bool pxs_record_peek(const u8 *buf, size_t room, struct pxs_record *r)
{
	struct pxs_journal_record h;

	if (room < sizeof(h))
		return false;
	memcpy(&h, buf, sizeof(h));
	r->group = le32_to_cpu(h.group);
	r->len = le32_to_cpu(h.len);
	r->type = h.type;
	r->flags = h.flags;
	r->lsn = le64_to_cpu(h.lsn);
	r->slot = le64_to_cpu(h.slot);
	r->ballot = le64_to_cpu(h.ballot);
	r->data = buf + sizeof(h);
	return r->len <= PXS_VALUE_MAX && pxs_record_size(r->len) <= room;
}

/* The whole message is looked through before a byte of it is taken. */
static int check_records(u64 first_lsn, u32 count, const u8 *records, u32 bytes)
{
	struct pxs_record r;
	u32 pos = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		if (!pxs_record_peek(records + pos, bytes - pos, &r) || r.lsn != first_lsn + i)
			return -EBADMSG;
		pos += pxs_record_size(r.len);
	}
	return pos == bytes ? 0 : -EBADMSG;
}

int pxs_journal_append(struct pxs_journal *j, u64 first_lsn, u32 count, const u8 *records,
		       u32 bytes, bool lazy)
{
	struct pxs_record r;
	int err;

	if (j->failed)
		return -EIO;
	err = check_records(first_lsn, count, records, bytes);
	if (err)
		return err;
	if (first_lsn > j->next_lsn)
		return -ERANGE;
	while (count && first_lsn < j->next_lsn) {
		pxs_record_peek(records, bytes, &r);
		records += pxs_record_size(r.len);
		bytes -= pxs_record_size(r.len);
		first_lsn++;
		count--;
	}
	if (j->fill_bytes + bytes > PXS_JOURNAL_FILL)
		return -ENOBUFS;
	if (!j->fill_count)
		j->lazy_since = j->loop->now;
	j->wanted |= count && !lazy;
	memcpy(j->fill + PXS_BATCH_HDR_LEN + j->fill_bytes, records, bytes);
	j->fill_bytes += bytes;
	j->fill_count += count;
	j->next_lsn += count;
	return 0;
}

static void submit_sync(struct pxs_journal *j)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(j->loop);

	io_uring_prep_fsync(sqe, j->fd, IORING_FSYNC_DATASYNC);
	pxs_loop_own(sqe, &j->sync_op);
	j->pending++;
}

/* Write @len bytes of @buf at @offset, and make them durable. */
static void submit(struct pxs_journal *j, const void *buf, u32 len, u32 offset)
{
	struct io_uring_sqe *sqe;

	pxs_loop_reserve(j->loop, 2);
	sqe = pxs_loop_sqe(j->loop);
	io_uring_prep_write(sqe, j->fd, buf, len, offset);
	pxs_loop_own(sqe, &j->write_op);
	j->flight_size = len;
	j->write_res = 0;
	j->sync_res = 0;
	j->pending = 1;
	j->cut = j->loop->cut;
	if (j->flush == PXS_FLUSH_DSYNC) {
		sqe->rw_flags = RWF_DSYNC;
		return;
	}
	sqe->flags |= IOSQE_IO_LINK;
	submit_sync(j);
}

/* As many waiting records as fit @room bytes of batch: to j->flight. Return: how many. */
static u32 take_records(struct pxs_journal *j, u32 room, u32 *bytes)
{
	const u8 *records = j->fill + PXS_BATCH_HDR_LEN;
	u32 max_bytes = min(room, PXS_JOURNAL_FLIGHT) - PXS_BATCH_HDR_LEN;
	struct pxs_record r;
	u32 count = 0;

	*bytes = 0;
	while (count < j->fill_count) {
		pxs_record_peek(records + *bytes, j->fill_bytes - *bytes, &r);
		if (*bytes + pxs_record_size(r.len) > max_bytes)
			break;
		*bytes += pxs_record_size(r.len);
		count++;
	}
	memcpy(j->flight + PXS_BATCH_HDR_LEN, records, *bytes);
	memmove(j->fill + PXS_BATCH_HDR_LEN, records + *bytes, j->fill_bytes - *bytes);
	j->fill_bytes -= *bytes;
	j->fill_count -= count;
	j->wanted = j->wanted && j->fill_count;
	return count;
}

static void place_records(struct pxs_journal *j, u32 bytes)
{
	struct pxs_record r;
	u32 pos = 0;

	while (pos < bytes) {
		pxs_record_peek(j->flight + PXS_BATCH_HDR_LEN + pos, bytes - pos, &r);
		j->events->placed(j->events->ctx, &r,
				  pxs_pos(j->segment, j->offset + PXS_BATCH_HDR_LEN + pos));
		pos += pxs_record_size(r.len);
	}
}

static void start_batch(struct pxs_journal *j, u32 count, u32 bytes)
{
	struct pxs_batch_info info = {
		.bytes = bytes,
		.count = count,
		.salt = j->salt,
		.seq = j->seq,
		.first_lsn = j->flight_lsn + 1,
		.durable = j->durable,
		.prev = j->prev,
	};
	u32 size = pxs_batch_build(j->flight, &info);

	place_records(j, bytes);
	j->flight_lsn += count;
	j->flight_count = count;
	j->flight_mark = info.durable;
	j->prev = info.crc;
	j->seq++;
	j->state = PXS_JOURNAL_BATCH;
	submit(j, j->flight, size, j->offset);
}

/* The current segment is full, or there is none yet: begin the spare one. */
static bool roll(struct pxs_journal *j)
{
	struct pxs_segment_info info = {
		.incarnation = j->id.incarnation,
		.segment = j->segment + 1,
		.first_seq = j->seq,
		.first_lsn = j->flight_lsn + 1,
		.prev = j->prev,
		.size = j->id.segment_size,
	};
	int fd = pxs_spare_take(&j->spare);

	j->full = fd < 0;
	if (fd < 0)
		return false;
	if (getrandom(&j->roll_salt, sizeof(j->roll_salt), 0) != (ssize_t)sizeof(j->roll_salt)) {
		close(fd);
		fail(j, "getrandom", -EIO);
		return false;
	}
	if (j->fd >= 0)
		close(j->fd);
	j->fd = fd;
	j->segment++;
	j->offset = 0;
	j->salt = j->roll_salt;
	info.salt = j->salt;
	pxs_segment_build(j->block, &info);
	j->state = PXS_JOURNAL_HEADER;
	/* Durable before its first batch: a header that does not hold is never a torn batch's. */
	submit(j, j->block, PXS_JOURNAL_BLOCK, 0);
	return true;
}

static bool journal_hook(struct pxs_hook *hook)
{
	struct pxs_journal *j = from(hook, hook);
	u32 bytes, count = 0;

	if (j->failed || j->state != PXS_JOURNAL_IDLE || !j->wanted)
		return false;
	if (j->fd >= 0 && j->offset < j->id.segment_size)
		count = take_records(j, j->id.segment_size - j->offset, &bytes);
	if (!count)
		return roll(j);
	start_batch(j, count, bytes);
	return true;
}

static void batch_done(struct pxs_journal *j)
{
	j->offset += j->flight_size;
	j->flushes++;
	j->records += j->flight_count;
	j->bytes += j->flight_size;
	j->marked = j->flight_mark;
	j->landed = j->loop->now;
	if (!j->flight_count)
		return;
	j->durable = j->flight_lsn;
	j->events->durable(j->events->ctx, j->durable);
}

static void flight_landed(struct pxs_journal *j)
{
	enum pxs_journal_state state = j->state;

	/* The flush may have run before the write, for nothing: once more, now that it landed. */
	if (j->flush == PXS_FLUSH_FDATASYNC && j->cut != j->loop->cut && j->write_res > 0 &&
	    !j->sync_res) {
		j->cut = j->loop->cut;
		submit_sync(j);
		return;
	}
	j->state = PXS_JOURNAL_IDLE;
	if (j->write_res < 0)
		fail(j, "write failed", j->write_res);
	else if ((u32)j->write_res != j->flight_size)
		fail(j, "short write", -EIO);
	else if (j->sync_res)
		fail(j, "flush failed", j->sync_res);
	if (j->failed)
		return;
	if (state == PXS_JOURNAL_BATCH) {
		batch_done(j);
		return;
	}
	j->offset = PXS_JOURNAL_BLOCK;
	j->marked = j->durable;		/* by the header's first_lsn */
	pxs_spare_want(&j->spare, j->segment + 1, -1);
}

static void write_done(struct pxs_op *op, int res)
{
	struct pxs_journal *j = from(op, write_op);

	j->write_res = res;
	if (!--j->pending)
		flight_landed(j);
}

static void sync_done(struct pxs_op *op, int res)
{
	struct pxs_journal *j = from(op, sync_op);

	j->sync_res = res;
	if (!--j->pending)
		flight_landed(j);
}

static void spare_ready(void *ctx)
{
	struct pxs_journal *j = ctx;

	if (j->spare.fd >= 0)
		j->full = false;	/* the hook goes on */
}

/* Nothing was written for a while: say what was confirmed while there is time. */
static void mark(struct pxs_journal *j, u64 now)
{
	if (now - j->landed < PXS_JOURNAL_MARK_MS || j->failed || j->state != PXS_JOURNAL_IDLE ||
	    j->fill_count || j->fd < 0 || j->marked == j->durable)
		return;
	if (j->offset < j->id.segment_size)
		start_batch(j, 0, 0);
	else if (j->spare.fd >= 0)
		roll(j);
}

static void journal_tick(struct pxs_ticker *t, u64 now)
{
	struct pxs_journal *j = from(t, ticker);

	pxs_spare_tick(&j->spare, now);
	if (j->fill_count && now - j->lazy_since >= PXS_JOURNAL_LAZY_MS)
		j->wanted = true;
	mark(j, now);
}

/* --- the beginning ----------------------------------------------------------- */

/* How does segment @number begin? */
static int read_header(const struct pxs_journal *j, u64 number, struct pxs_floor *f)
{
	int fd = pxs_journal_open_segment(j, number);
	u8 block[PXS_JOURNAL_BLOCK];
	struct pxs_segment_info h;
	u32 version;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, block, sizeof(block));
	close(fd);
	if (n != (ssize_t)sizeof(block))
		return n < 0 ? -errno : -EIO;
	if (!pxs_segment_parse(block, &h, &version) || h.segment != number ||
	    h.incarnation != j->id.incarnation)
		return -EBADMSG;
	f->incarnation = h.incarnation;
	f->segment = number;
	f->first_seq = h.first_seq;
	f->first_lsn = h.first_lsn;
	f->prev = h.prev;
	return 0;
}

/*
 * In the helper thread: reads of @j only what does not change while the job is out. The floor is
 * durable before the first name goes.
 */
static int remove_run(struct pxs_job *job)
{
	struct pxs_journal *j = from(job, floor_job);
	char name[PXS_SEGMENT_NAME_LEN];
	u64 i;
	int err;

	err = read_header(j, j->floor_next, &j->floor_new);
	if (!err)
		err = pxs_floor_write(j->dirfd, &j->floor_new);
	for (i = j->floor.segment; i < j->floor_next && !err; i++) {
		pxs_segment_name(i, name);
		if (unlinkat(j->dirfd, name, 0) && errno != ENOENT)
			err = -errno;
	}
	return err;
}

static void remove_done(struct pxs_job *job, int res)
{
	struct pxs_journal *j = from(job, floor_job);

	if (res) {
		pxs_warn("journal: removing segments before %016" PRIx64 ": %s", j->floor_next,
			 strerror(-res));
		return;
	}
	j->removed += j->floor_new.segment - j->floor.segment;
	/* Groups may have come in meanwhile: they are in the next one. */
	j->floor_new.left = j->floor.left;
	j->floor = j->floor_new;
}

void pxs_journal_remove(struct pxs_journal *j, u64 segment)
{
	segment = min(segment, j->segment);
	if (j->failed || j->floor_job.busy || segment <= j->floor.segment)
		return;
	j->floor_next = segment;
	j->floor_new.left = j->floor.left;
	pxs_worker_give(j->spare.worker, &j->floor_job);
}

static int alloc_buffers(struct pxs_journal *j)
{
	j->fill = malloc(PXS_BATCH_HDR_LEN + PXS_JOURNAL_FILL);
	if (!j->fill ||
	    posix_memalign((void **)&j->flight, PXS_JOURNAL_BLOCK, PXS_JOURNAL_FLIGHT) ||
	    posix_memalign((void **)&j->block, PXS_JOURNAL_BLOCK, PXS_JOURNAL_BLOCK))
		return -ENOMEM;
	return 0;
}

int pxs_journal_open(struct pxs_journal *j, struct pxs_loop *loop, struct pxs_worker *worker,
		     struct pxs_recovery *r, enum pxs_flush flush,
		     const struct pxs_journal_events *events)
{
	memset(j, 0, sizeof(*j));
	if (alloc_buffers(j))
		return -ENOMEM;
	j->loop = loop;
	j->events = events;
	j->flush = flush;
	j->id = r->id;
	j->dirfd = r->dirfd;
	j->lockfd = r->lockfd;
	j->fd = r->fd;
	j->segment = r->scan.segment;
	j->salt = r->scan.salt;
	j->offset = r->scan.offset;
	j->seq = r->scan.next_seq;
	j->prev = r->scan.prev;
	j->next_lsn = r->scan.next_lsn;
	j->flight_lsn = j->next_lsn - 1;
	j->durable = j->next_lsn - 1;
	j->marked = j->fd < 0 ? j->durable : 0;
	j->floor = r->scan.floor;
	j->floor.segment = max(j->floor.segment, (u64)1);
	j->floor_job.run = remove_run;
	j->floor_job.done = remove_done;
	j->write_op.done = write_done;
	j->sync_op.done = sync_done;
	pxs_spare_init(&j->spare, worker, j->dirfd, j->id.segment_size, r->direct);
	j->spare.ready = spare_ready;
	j->spare.ctx = j;
	pxs_spare_want(&j->spare, j->segment + 1, r->spare_fd);
	r->dirfd = -1;
	r->lockfd = -1;
	r->fd = -1;
	r->spare_fd = -1;
	j->hook.run = journal_hook;
	pxs_loop_add_hook(loop, &j->hook);
	j->ticker.tick = journal_tick;
	pxs_loop_add_ticker(loop, &j->ticker);
	return 0;
}

void pxs_journal_close(struct pxs_journal *j)
{
	pxs_spare_exit(&j->spare);
	if (j->fd >= 0)
		close(j->fd);
	close(j->lockfd);
	close(j->dirfd);
	free(j->fill);
	free(j->flight);
	free(j->block);
}

bool pxs_journal_idle(const struct pxs_journal *j)
{
	return j->failed || (j->state == PXS_JOURNAL_IDLE && !j->fill_count);
}

int pxs_journal_open_segment(const struct pxs_journal *j, u64 segment)
{
	char name[PXS_SEGMENT_NAME_LEN];
	int fd;

	pxs_segment_name(segment, name);
	fd = openat(j->dirfd, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
