// SPDX-License-Identifier: GPL-2.0
/*
 * test_recover.c - a journal directory, written by the real writer and opened again
 *
 * Each test has a directory of its own below $TMPDIR. The writer runs in the real loop,
 * with the helper thread; what it confirmed is compared with what recovery reports.
 */
#define _GNU_SOURCE
#include "unit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../agent/journal.h"
#include "../../agent/report.h"

#define SEGMENT	PXS_SEGMENT_MIN
#define ROUNDS	4000		/* of the loop, each at most a tick: more than any test needs */

static char dir[4096];
static struct pxs_loop loop;
static struct pxs_worker worker;
static struct pxs_journal journal;
static u64 told;		/* highest LSN confirmed */
static u64 recovered;		/* last LSN reported by recovery */
static u64 faulty;
static bool failed;

static u32 make(u8 *buf, u64 lsn, u32 len)
{
	u8 value[PXS_VALUE_MAX];
	struct pxs_record r = {
		.group = 1, .lsn = lsn, .slot = lsn, .ballot = 0x101, .len = len,
		.type = PXS_RECORD_ACCEPT,
	};

	memset(value, (int)lsn, len);
	return pxs_record_put(buf, &r, value);
}

static void on_placed(void *ctx, const struct pxs_record *r, u64 pos)
{
	(void)ctx;
	(void)r;
	CHECK(pos);
}

static void on_durable(void *ctx, u64 lsn)
{
	(void)ctx;
	CHECK(lsn > told);
	told = lsn;
}

static void on_failed(void *ctx, const char *reason)
{
	(void)ctx;
	(void)reason;
	failed = true;
}

static const struct pxs_journal_events events = {
	.placed = on_placed, .durable = on_durable, .failed = on_failed,
};

static int on_record(void *ctx, const struct pxs_record *r, u64 pos)
{
	(void)ctx;
	(void)pos;
	CHECK_EQ(r->lsn, recovered + 1);
	recovered = r->lsn;
	if (r->flags & PXS_ENTRY_FAULTY)
		faulty++;
	else if (r->len)
		CHECK(r->data[0] == (u8)r->lsn && r->data[r->len - 1] == (u8)r->lsn);
	return 0;
}

static const struct pxs_scan_sink sink = { .record = on_record };

static void new_dir(const char *name)
{
	struct pxs_identity id = { .member = 2, .segment_size = SEGMENT, .cluster = "cluster" };
	const char *base = getenv("TMPDIR");
	char error[512];

	snprintf(dir, sizeof(dir), "%s/pxs-%s-%d", base ? base : "/tmp", name, getpid());
	CHECK_EQ(pxs_identity_create(dir, &id, error, sizeof(error)), 0);
	CHECK(id.incarnation);
}

static void remove_dir(void)
{
	char command[4200];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	CHECK_EQ(system(command), 0);
}

/* Waits, as the daemon does: a ring that was closed lets go of its files a moment later. */
static int recover(struct pxs_recovery *r)
{
	recovered = 0;
	faulty = 0;
	return pxs_recover(r, dir, true, &sink);
}

static int open_writer(enum pxs_flush flush)
{
	struct pxs_recovery r;
	int err;

	told = 0;
	failed = false;
	err = recover(&r);
	if (err) {
		NOTE("%s", r.error);
		return err;
	}
	told = r.scan.next_lsn - 1;
	CHECK_EQ(pxs_loop_init(&loop), 0);
	CHECK_EQ(pxs_worker_start(&worker, &loop), 0);
	return pxs_journal_open(&journal, &loop, &worker, &r, flush, &events);
}

static void close_writer(void)
{
	pxs_worker_stop(&worker);
	pxs_loop_exit(&loop);
	pxs_journal_close(&journal);
}

static void append(u64 count, u32 len)
{
	static u8 buf[PXS_APPEND_MAX];
	u32 size = make(buf, journal.next_lsn, len);

	while (count--) {
		make(buf, journal.next_lsn, len);
		CHECK_EQ(pxs_journal_append(&journal, journal.next_lsn, 1, buf, size), 0);
	}
}

/* Run the loop until everything is confirmed. Return: it is. */
static bool settle(void)
{
	unsigned int i;

	for (i = 0; i < ROUNDS && !pxs_journal_idle(&journal) && !failed; i++) {
		/* The keepalive repeats journal.durable: it may never run ahead of the disk. */
		CHECK_EQ(journal.durable, told);
		if (pxs_loop_once(&loop))
			return false;
		CHECK_EQ(journal.durable, told);
	}
	return told == journal.next_lsn - 1;
}

/* Change one byte of a segment. */
static void spoil(u64 segment, u32 offset, u8 mask)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	u8 byte;
	int fd;

	pxs_segment_name(segment, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK(fd >= 0);
	CHECK(pread(fd, &byte, 1, offset) == 1);
	byte ^= mask;
	CHECK(pwrite(fd, &byte, 1, offset) == 1);
	CHECK(!fsync(fd));
	close(fd);
}

static void write_and_recover_with(enum pxs_flush flush)
{
	struct pxs_recovery r;
	unsigned int i;

	new_dir("write");
	CHECK_FATAL(!open_writer(flush));
	for (i = 0; i < 20; i++) {
		append(1 + i * 3, 100 + i * 50);
		CHECK(settle());
	}
	CHECK(journal.segment > 3);
	CHECK(journal.records > journal.flushes);
	close_writer();
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, told);
	CHECK_EQ(r.scan.cut_from, 0);
	CHECK_EQ(faulty, 0);
	pxs_recovery_close(&r);
	/* Go on where it ended. */
	CHECK_FATAL(!open_writer(flush));
	append(50, 200);
	CHECK(settle());
	close_writer();
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, told);
	pxs_recovery_close(&r);
	remove_dir();
}

static void write_and_recover(void)
{
	write_and_recover_with(PXS_FLUSH_FDATASYNC);
}

static void write_and_recover_dsync(void)
{
	write_and_recover_with(PXS_FLUSH_DSYNC);
}

static void repeats_gaps_and_rubbish(void)
{
	u8 buf[8192];
	u32 size;

	new_dir("lsn");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(5, 10);
	size = make(buf, 4, 10);
	size += make(buf + size, 5, 10);
	size += make(buf + size, 6, 10);
	CHECK_EQ(pxs_journal_append(&journal, 4, 3, buf, size), 0);
	CHECK_EQ(journal.next_lsn, 7);
	size = make(buf, 9, 10);
	CHECK(pxs_journal_append(&journal, 9, 1, buf, size) == -ERANGE);
	size = make(buf, 7, 10);
	CHECK(pxs_journal_append(&journal, 7, 1, buf, size - 8) == -EBADMSG);
	CHECK(pxs_journal_append(&journal, 7, 2, buf, size) == -EBADMSG);
	CHECK(pxs_journal_append(&journal, 8, 1, buf, size) == -EBADMSG);
	CHECK_EQ(journal.next_lsn, 7);
	CHECK(settle());
	CHECK_EQ(told, 6);
	close_writer();
	remove_dir();
}

/* The tail is torn: it is cut, durably, and what is written next is found again. */
static void torn_tail_is_cut_and_written_over(void)
{
	struct pxs_recovery r;
	u32 offset;
	u64 first;

	new_dir("torn");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(3, 500);
	CHECK(settle());
	first = journal.next_lsn;
	offset = journal.offset;
	append(9, 1000);
	CHECK(settle());
	close_writer();
	spoil(1, offset + 600, 0x10);
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	CHECK_EQ(recovered, first - 1);
	CHECK_EQ(journal.next_lsn, first);
	append(1, 30);		/* shorter than what was cut */
	CHECK(settle());
	close_writer();
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, first);
	CHECK_EQ(r.scan.cut_from, 0);
	pxs_recovery_close(&r);
	remove_dir();
}

/* The same, but the hint says that it had been confirmed: refused, and not touched. */
static void confirmed_tail_is_refused(void)
{
	struct pxs_recovery r;
	struct pxs_hint hint = { 0 };
	u32 offset;
	int i;

	new_dir("hint");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(3, 500);
	CHECK(settle());
	offset = journal.offset;
	append(1, 500);
	CHECK(settle());
	hint.incarnation = journal.id.incarnation;
	hint.lsn = told;
	CHECK_EQ(pxs_hint_write(journal.dirfd, &hint), 0);
	close_writer();
	spoil(1, offset + 8, 1);
	for (i = 0; i < 2; i++) {
		CHECK(recover(&r) == -EBADMSG);
		CHECK(strstr(r.error, "had been confirmed"));
	}
	/* A damaged hint is no hint. */
	snprintf(dir + strlen(dir), 8, "/hint");
	i = open(dir, O_WRONLY);
	CHECK(i >= 0 && pwrite(i, "x", 1, 20) == 1);
	close(i);
	*strrchr(dir, '/') = 0;
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(r.hint_error, -EBADMSG);
	CHECK_EQ(recovered, 3);
	pxs_recovery_close(&r);
	remove_dir();
}

static void damaged_value_keeps_its_slot(void)
{
	struct pxs_recovery r;

	new_dir("faulty");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(1, 500);
	CHECK(settle());
	append(1, 500);
	CHECK(settle());
	close_writer();
	spoil(1, PXS_JOURNAL_BLOCK + PXS_BATCH_HDR_LEN + PXS_RECORD_HDR_LEN + 7, 4);
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, 2);
	CHECK_EQ(faulty, 1);
	pxs_recovery_close(&r);
	remove_dir();
}

/* S6: one owner at a time. The lock belongs to the open file, so the same process counts. */
static void second_owner_is_refused(void)
{
	struct pxs_recovery first, second;

	new_dir("lock");
	CHECK_EQ(recover(&first), 0);
	CHECK(pxs_recover(&second, dir, false, &sink) == -EWOULDBLOCK);
	CHECK(strstr(second.error, "owned by another process"));
	pxs_recovery_close(&first);
	CHECK_EQ(recover(&second), 0);
	pxs_recovery_close(&second);
	remove_dir();
}

/* A segment alone, as a write in flight would hold it after its process died. */
static void locked_segment_is_refused(void)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	struct pxs_recovery r;
	int fd;

	new_dir("seglock");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(1, 10);
	CHECK(settle());
	close_writer();
	pxs_segment_name(1, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK_EQ(pxs_own_file(fd, name, true), 0);
	CHECK(pxs_recover(&r, dir, false, &sink) == -EWOULDBLOCK);
	CHECK(strstr(r.error, name));
	close(fd);
	CHECK_EQ(recover(&r), 0);
	pxs_recovery_close(&r);
	remove_dir();
}

/* Is it refused while somebody has segment @number locked? */
static bool refused_while_locked(u64 number)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	struct pxs_recovery r;
	int fd, err;

	pxs_segment_name(number, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK_EQ(pxs_own_file(fd, name, true), 0);
	recovered = 0;
	err = pxs_recover(&r, dir, false, &sink);
	pxs_recovery_close(&r);
	close(fd);
	return err == -EWOULDBLOCK && strstr(r.error, name);
}

/* A long journal has more segments than a process may have open files. */
static void more_segments_than_files(void)
{
	struct rlimit limit, few;
	struct pxs_recovery r;

	new_dir("many");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	while (journal.segment <= 100 && !failed) {
		append(4, 15000);
		CHECK_FATAL(settle());
	}
	close_writer();
	CHECK(!getrlimit(RLIMIT_NOFILE, &limit));
	few = (struct rlimit){ .rlim_cur = 64, .rlim_max = limit.rlim_max };
	CHECK(!setrlimit(RLIMIT_NOFILE, &few));
	CHECK_EQ(recover(&r), 0);
	CHECK_EQ(recovered, told);
	CHECK(r.fd >= 0);
	pxs_recovery_close(&r);
	recovered = 0;
	CHECK_EQ(pxs_recover_look(&r, dir, &sink), 0);
	CHECK_EQ(recovered, told);
	pxs_recovery_close(&r);
	/* Where a write may be in flight nothing is read before that ended. */
	CHECK(refused_while_locked(journal.segment));
	CHECK_EQ(recovered, 0);
	CHECK(refused_while_locked(journal.segment - 1));
	CHECK(refused_while_locked(journal.segment / 2));
	CHECK(!setrlimit(RLIMIT_NOFILE, &limit));
	remove_dir();
}

static void identity_is_checked(void)
{
	struct pxs_identity id = { .member = 1, .segment_size = SEGMENT };
	struct pxs_recovery r;
	char error[512], path[4200], byte;
	int fd;

	new_dir("identity");
	CHECK(pxs_identity_create(dir, &id, error, sizeof(error)) == -ENOTEMPTY);
	snprintf(path, sizeof(path), "%s/identity", dir);
	fd = open(path, O_RDWR);
	CHECK(pread(fd, &byte, 1, 20) == 1);
	byte ^= 0x7f;
	CHECK(pwrite(fd, &byte, 1, 20) == 1);
	CHECK(recover(&r) == -EBADMSG);
	CHECK(strstr(r.error, "damaged"));
	CHECK(!ftruncate(fd, 10));
	CHECK(recover(&r) == -EBADMSG);
	close(fd);
	CHECK(!unlink(path));
	CHECK(recover(&r) == -ENOENT);
	CHECK(strstr(r.error, "journal init"));
	remove_dir();
}

/*
 * Nothing follows the last batch: after a pause a mark does, and then damage to the batch
 * is not taken for a torn tail. Without the pause it must be: nothing says otherwise.
 */
static void last_batch_with_mark(bool pause)
{
	struct pxs_recovery r;
	unsigned int i;
	u32 offset;

	new_dir("mark");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(3, 100);
	CHECK(settle());
	append(1, 100);
	CHECK(settle());
	offset = journal.offset - PXS_JOURNAL_BLOCK;
	CHECK(journal.marked == 3);
	for (i = 0; i < ROUNDS && pause && journal.marked < 4; i++)
		pxs_loop_once(&loop);
	if (pause) {
		CHECK_EQ(journal.marked, 4);
		CHECK_EQ(journal.offset, offset + 2 * PXS_JOURNAL_BLOCK);
		/* Once: nothing is written while there is nothing to say. */
		for (i = 0; i < 10; i++)
			pxs_loop_once(&loop);
		CHECK_EQ(journal.offset, offset + 2 * PXS_JOURNAL_BLOCK);
	}
	CHECK_EQ(told, 4);
	close_writer();
	spoil(1, offset + PXS_BATCH_HDR_LEN + 20, 1);
	CHECK(recover(&r) == (pause ? -EBADMSG : 0));
	if (pause)
		CHECK(strstr(r.error, "LSN 4 to 4"));
	else
		CHECK_EQ(recovered, 3);
	pxs_recovery_close(&r);
	remove_dir();
}

static void last_batch_is_marked(void)
{
	last_batch_with_mark(true);
	last_batch_with_mark(false);
}

/* A write that fails fences the journal: nothing is confirmed any more, ever (S4). */
static void failed_write_fences_with(enum pxs_flush flush)
{
	u64 before;
	int fd;

	new_dir("fence");
	CHECK_FATAL(!open_writer(flush));
	append(2, 100);
	CHECK(settle());
	before = told;
	fd = open("/dev/full", O_WRONLY);
	CHECK_FATAL(fd >= 0);
	CHECK(dup2(fd, journal.fd) == journal.fd);
	close(fd);
	append(1, 100);
	CHECK(!settle());
	CHECK(failed && journal.failed);
	CHECK_EQ(told, before);
	CHECK(strstr(journal.reason, "failed"));
	CHECK(pxs_journal_append(&journal, journal.next_lsn, 0, NULL, 0) == -EIO);
	close_writer();
	remove_dir();
}

static void failed_write_fences(void)
{
	failed_write_fences_with(PXS_FLUSH_FDATASYNC);
}

/* Here no cancelled fsync betrays it: the write's own result must. */
static void failed_write_fences_dsync(void)
{
	failed_write_fences_with(PXS_FLUSH_DSYNC);
}

static bool split;		/* the next submission ends at the first link */
static unsigned int flushes;	/* submitted */

/* In place of liburing's: what it does when the kernel has no memory for a request. */
int io_uring_submit_and_wait(struct io_uring *ring, unsigned int wait)
{
	int (*real)(struct io_uring *ring, unsigned int wait) =
		dlsym(RTLD_NEXT, "io_uring_submit_and_wait");
	unsigned int mask = ring->sq.ring_entries - 1, tail = ring->sq.sqe_tail, i;
	int ret;

	for (i = ring->sq.sqe_head; i != tail; i++) {
		flushes += ring->sq.sqes[i & mask].opcode == IORING_OP_FSYNC;
		if (split && ring->sq.sqes[i & mask].flags & IOSQE_IO_LINK) {
			split = false;
			wait = 0;
			ring->sq.sqe_tail = i + 1;
			break;
		}
	}
	ret = real(ring, wait);
	ring->sq.sqe_tail = tail;
	return ret;
}

/* Write and flush went out apart, so the flush may have run first: it is asked for again. */
static void split_submission_is_flushed_again(void)
{
	new_dir("split");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(1, 100);
	CHECK(settle());
	flushes = 0;
	append(1, 100);
	CHECK(settle());
	CHECK_EQ(flushes, 1);
	split = true;
	append(1, 100);
	CHECK(settle());
	CHECK(!split);
	CHECK_EQ(flushes, 3);
	CHECK_EQ(told, 3);
	close_writer();
	remove_dir();
}

/* In a child with mounts of its own. Return: exit status. */
static int full_disk_child(void)
{
	unsigned int i;
	u64 stuck;

	if ((unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("pxs", "/mnt", "tmpfs", 0, "size=200k"))
		return 4;
	setenv("TMPDIR", "/mnt", 1);
	new_dir("full");
	if (open_writer(PXS_FLUSH_FDATASYNC))
		return 1;
	/* Room for three segments of 64 KiB, not for four. */
	append(300, 1000);
	/* Full for a moment only means that the next segment is still being made. */
	for (i = 0; i < ROUNDS && !(journal.full && journal.spare.error); i++)
		pxs_loop_once(&loop);
	CHECK(journal.full);
	CHECK(!journal.failed);
	stuck = told;
	CHECK(stuck && stuck < 300);
	for (i = 0; i < 20; i++)
		pxs_loop_once(&loop);
	CHECK_EQ(told, stuck);
	CHECK_EQ(journal.spare.error, -ENOSPC);
	/* Room comes, and it goes on by itself. */
	CHECK(!mount(NULL, "/mnt", NULL, MS_REMOUNT, "size=8m"));
	CHECK(settle());
	CHECK_EQ(told, 300);
	CHECK(!journal.full);
	close_writer();
	return unit_faults ? 1 : 0;
}

static void full_disk_stops_and_goes_on(void)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(full_disk_child());
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	if (WEXITSTATUS(status) == 4)
		NOTE("not allowed to mount a tmpfs here: run it as root");
	CHECK_EQ(WEXITSTATUS(status), 0);
}

static bool no_dir_sync;
static unsigned int dir_syncs;

int fsync(int fd);

/* In place of libc's: a directory that cannot be synced. */
int fsync(int fd)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		dir_syncs++;
		if (no_dir_sync) {
			errno = EIO;
			return -1;
		}
	}
	return (int)syscall(SYS_fsync, fd);
}

/* What lies in a segment whose name is not durable would vanish with it in a power cut. */
static void names_are_synced_before_they_are_believed(void)
{
	struct pxs_recovery r;

	new_dir("names");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(3, 100);
	CHECK(settle());
	close_writer();
	no_dir_sync = true;
	if (!recover(&r)) {
		CHECK(!"a directory that cannot be synced was believed");
		pxs_recovery_close(&r);
	}
	CHECK(strstr(r.error, "fsync of the directory"));
	/* Who only looks changes nothing, and promises nothing. */
	recovered = 0;
	CHECK_EQ(pxs_recover_look(&r, dir, &sink), 0);
	pxs_recovery_close(&r);
	no_dir_sync = false;
	dir_syncs = 0;
	CHECK_EQ(recover(&r), 0);
	CHECK(dir_syncs);
	CHECK_EQ(recovered, told);
	pxs_recovery_close(&r);
	remove_dir();
}

int main(void)
{
	pxs_report_level(0);	/* what is provoked here is not worth reading */
	RUN(write_and_recover);
	RUN(write_and_recover_dsync);
	RUN(repeats_gaps_and_rubbish);
	RUN(names_are_synced_before_they_are_believed);
	RUN(torn_tail_is_cut_and_written_over);
	RUN(confirmed_tail_is_refused);
	RUN(damaged_value_keeps_its_slot);
	RUN(second_owner_is_refused);
	RUN(locked_segment_is_refused);
	RUN(more_segments_than_files);
	RUN(identity_is_checked);
	RUN(last_batch_is_marked);
	RUN(failed_write_fences);
	RUN(failed_write_fences_dsync);
	RUN(split_submission_is_flushed_again);
	RUN(full_disk_stops_and_goes_on);
	return unit_done();
}
