// SPDX-License-Identifier: GPL-2.0
/*
 * test_mark.c - marks that are damaged: they hold no record, so no record is lost
 *
 * The writer makes a mark after each pause: of a log with little to do half of all batches
 * are marks.
 */
#include "unit_journal.h"

#include "batch.h"

/* Nothing comes for a while. Return: where the mark went. */
static u32 pause_for_mark(void)
{
	u32 at = journal.offset;
	unsigned int i;

	for (i = 0; i < ROUNDS && (journal.marked < told || !pxs_journal_idle(&journal)); i++)
		CHECK(!pxs_loop_once(&loop));
	CHECK_EQ(journal.marked, told);
	return at;
}

/* One more start of the daemon: it says again what was confirmed. */
static u32 restart_for_mark(void)
{
	close_writer();
	CHECK(!open_writer(PXS_FLUSH_FDATASYNC));
	return pause_for_mark();
}

static void one_batch(void)
{
	append(2, 100);
	CHECK_FATAL(settle());
}

/* Everything that was confirmed is there, and whole; and the journal goes on. */
static void all_is_there(u64 damaged)
{
	struct pxs_recovery r;
	u64 last = told;

	CHECK_EQ(recover(&r), 0);
	if (r.error[0])
		NOTE("%s", r.error);
	CHECK_EQ(recovered, last);
	CHECK_EQ(faulty, 0);
	CHECK_EQ(r.scan.damaged, damaged);
	CHECK_EQ(r.scan.cut_from, 0);
	pxs_recovery_close(&r);
}

/* Each bit of the header of a mark between two batches. */
static void damaged_mark_loses_nothing(void)
{
	u32 at, byte;

	new_dir("mark1");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	one_batch();
	at = pause_for_mark();
	one_batch();
	one_batch();
	close_writer();
	all_is_there(0);
	for (byte = 0; byte < PXS_BATCH_HDR_LEN; byte++) {
		spoil(1, at + byte, (u8)(1u << byte % 8));
		all_is_there(1);
		spoil(1, at + byte, (u8)(1u << byte % 8));
	}
	/* What is written behind one is found again. */
	spoil(1, at + 8, 1);
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	one_batch();
	close_writer();
	all_is_there(1);
	remove_dir();
}

/* Several in a row, as after starts of a daemon that had nothing to do. */
static void damaged_marks_in_a_row(void)
{
	u32 at[3], i;

	new_dir("mark3");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	one_batch();
	at[0] = pause_for_mark();
	at[1] = restart_for_mark();
	at[2] = restart_for_mark();
	CHECK_FATAL(at[1] == at[0] + PXS_JOURNAL_BLOCK && at[2] == at[1] + PXS_JOURNAL_BLOCK);
	one_batch();
	close_writer();
	for (i = 0; i < 3; i++) {
		spoil(1, at[i], 1);
		all_is_there(1);
	}
	spoil(1, at[1], 1);	/* mended: what stands to each side of it is not */
	all_is_there(2);
	remove_dir();
}

/* The last thing in a segment: the header of the next one follows. */
static void damaged_mark_ends_a_segment(void)
{
	u32 at;

	new_dir("marke");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	one_batch();
	while (journal.offset < SEGMENT - PXS_JOURNAL_BLOCK)
		one_batch();
	at = pause_for_mark();
	CHECK_EQ(at, SEGMENT - PXS_JOURNAL_BLOCK);
	one_batch();
	CHECK_EQ(journal.segment, 2);
	close_writer();
	spoil(1, at, 1);
	all_is_there(1);
	remove_dir();
}

/* Change the batch at @at of segment 1 to one that is intact and was never there. */
static void make_stale(u32 at)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	static u8 seg[SEGMENT];
	struct pxs_segment_info h;
	struct pxs_batch_info b;
	u32 version, size;
	int fd;

	pxs_segment_name(1, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR);
	CHECK_FATAL(fd >= 0 && pread(fd, seg, SEGMENT, 0) == SEGMENT);
	CHECK_FATAL(pxs_segment_parse(seg, &h, &version));
	CHECK_FATAL(pxs_batch_parse(seg + at, SEGMENT - at, h.salt, &b));
	b.durable--;
	size = pxs_batch_build(seg + at, &b);
	CHECK_FATAL(pwrite(fd, seg + at, size, at) == (ssize_t)size && !fsync(fd));
	close(fd);
}

/* A write was lost in front of the mark: what follows it tells, damaged as it is. */
static void stale_batch_before_a_damaged_mark(void)
{
	struct pxs_recovery r;
	u32 stale, at;

	new_dir("marks");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	one_batch();
	stale = journal.offset;
	one_batch();
	at = pause_for_mark();
	one_batch();
	close_writer();
	spoil(1, at, 1);
	all_is_there(1);
	make_stale(stale);
	CHECK(refusal(&r) == -EBADMSG);
	CHECK(strstr(r.error, "does not follow"));
	remove_dir();
}

int main(void)
{
	pxs_report_level(0);
	RUN(damaged_mark_loses_nothing);
	RUN(damaged_marks_in_a_row);
	RUN(damaged_mark_ends_a_segment);
	RUN(stale_batch_before_a_damaged_mark);
	return unit_done();
}
