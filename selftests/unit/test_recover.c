// SPDX-License-Identifier: GPL-2.0
/*
 * test_recover.c - a journal directory, written by the real writer and opened again
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "unit_journal.h"

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
	CHECK_EQ(pxs_journal_append(&journal, 4, 3, buf, size, false), 0);
	CHECK_EQ(journal.next_lsn, 7);
	size = make(buf, 9, 10);
	CHECK(pxs_journal_append(&journal, 9, 1, buf, size, false) == -ERANGE);
	size = make(buf, 7, 10);
	CHECK(pxs_journal_append(&journal, 7, 1, buf, size - 8, false) == -EBADMSG);
	CHECK(pxs_journal_append(&journal, 7, 2, buf, size, false) == -EBADMSG);
	CHECK(pxs_journal_append(&journal, 8, 1, buf, size, false) == -EBADMSG);
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
		CHECK(refusal(&r) == -EBADMSG);
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

/* What nobody waits for lets the disk sleep, for a while; who waits takes it along. */
static void lazy_records(void)
{
	u8 buf[8192];
	unsigned int i;
	u32 size;
	u64 since;

	new_dir("lazy");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(1, 100);
	CHECK(settle());
	size = make(buf, 2, 10);
	CHECK_EQ(pxs_journal_append(&journal, 2, 1, buf, size, true), 0);
	CHECK(!journal.hook.run(&journal.hook));
	CHECK_EQ(journal.state, PXS_JOURNAL_IDLE);
	append(1, 10);
	CHECK(journal.hook.run(&journal.hook));
	CHECK_EQ(journal.flight_count, 2);
	CHECK(settle());
	CHECK_EQ(told, 3);
	size = make(buf, 4, 10);
	since = loop.now;
	CHECK_EQ(pxs_journal_append(&journal, 4, 1, buf, size, true), 0);
	CHECK(!pxs_journal_idle(&journal));
	for (i = 0; i < ROUNDS && journal.state == PXS_JOURNAL_IDLE && told < 4; i++)
		pxs_loop_once(&loop);
	CHECK(loop.now - since >= PXS_JOURNAL_LAZY_MS);
	CHECK(settle());
	CHECK_EQ(told, 4);
	close_writer();
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
	u64 since;

	new_dir("mark");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(3, 100);
	CHECK(settle());
	append(1, 100);
	CHECK(settle());
	offset = journal.offset - PXS_JOURNAL_BLOCK;
	CHECK(journal.marked == 3);
	since = loop.now;
	for (i = 0; i < ROUNDS && pause && journal.marked < 4; i++)
		pxs_loop_once(&loop);
	if (pause) {
		CHECK_EQ(journal.marked, 4);
		CHECK(loop.now - since >= PXS_JOURNAL_MARK_MS - 2 * PXS_LOOP_TICK_MS);
		CHECK_EQ(journal.offset, offset + 2 * PXS_JOURNAL_BLOCK);
		/* Once: nothing is written while there is nothing to say. */
		for (i = 0; i < 2 * PXS_JOURNAL_MARK_MS / PXS_LOOP_TICK_MS; i++)
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
	CHECK(pxs_journal_append(&journal, journal.next_lsn, 0, NULL, 0, false) == -EIO);
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
	RUN(lazy_records);
	RUN(last_batch_is_marked);
	RUN(failed_write_fences);
	RUN(failed_write_fences_dsync);
	RUN(split_submission_is_flushed_again);
	RUN(full_disk_stops_and_goes_on);
	return unit_done();
}
