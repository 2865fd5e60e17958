// SPDX-License-Identifier: GPL-2.0
/*
 * test_floor.c - a journal without its first segments, and one that has lost them
 */
#include "unit_journal.h"

#include "../../agent/floor.h"

/* Records until segment @to is being written. */
static void fill_to(u64 to)
{
	u32 i;

	for (i = 0; i < 10000 && journal.segment < to; i++) {
		append(1, 8000);
		CHECK(settle());
	}
	CHECK_EQ(journal.segment, to);
}

static void remove_to(u64 segment)
{
	pxs_journal_remove(&journal, segment);
	while (journal.floor_job.busy)
		pxs_loop_once(&loop);
}

static bool there(const char *name)
{
	char path[4200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return !stat(path, &st);
}

static bool segment_there(u64 number)
{
	char name[PXS_SEGMENT_NAME_LEN];

	pxs_segment_name(number, name);
	return there(name);
}

static void unlink_file(const char *name)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK_EQ(unlink(path), 0);
}

static u64 first_seen;

static int see_first(void *ctx, const struct pxs_record *r, u64 pos)
{
	(void)ctx;
	(void)pos;
	if (!first_seen)
		first_seen = r->lsn;
	recovered = r->lsn;
	return 0;
}

static int recover_from_floor(struct pxs_recovery *r)
{
	static const struct pxs_scan_sink first = { .record = see_first };
	int err;

	first_seen = 0;
	err = pxs_recover(r, dir, true, &first);
	if (!err)
		pxs_recovery_close(r);
	return err;
}

static void segments_go(void)
{
	struct pxs_recovery r;
	u64 last, first;

	new_dir("floor");
	CHECK_EQ(open_writer(PXS_FLUSH_FDATASYNC), 0);
	fill_to(6);
	last = journal.next_lsn - 1;
	remove_to(4);
	CHECK(!segment_there(1) && !segment_there(3) && segment_there(4));
	CHECK_EQ(journal.floor.segment, 4);
	CHECK_EQ(journal.removed, 3);
	first = journal.floor.first_lsn;
	/* Never the one that is being written, and never back. */
	remove_to(2);
	CHECK_EQ(journal.floor.segment, 4);
	remove_to(100);
	CHECK_EQ(journal.floor.segment, 6);
	CHECK(journal.floor.first_lsn > first);
	first = journal.floor.first_lsn;
	close_writer();
	CHECK_EQ(recover_from_floor(&r), 0);
	CHECK_EQ(first_seen, first);
	CHECK_EQ(recovered, last);
	remove_dir();
}

/* A segment that the floor names must be there, and begin as it says. */
static void what_is_lost_is_missed(void)
{
	struct pxs_recovery r;
	struct pxs_floor f;
	int dirfd;

	new_dir("lost");
	CHECK_EQ(open_writer(PXS_FLUSH_FDATASYNC), 0);
	fill_to(5);
	remove_to(3);
	f = journal.floor;
	close_writer();
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	f.first_lsn++;
	CHECK_EQ(pxs_floor_write(dirfd, &f), 0);
	CHECK(recover_from_floor(&r) == -EBADMSG);
	f.first_lsn--;
	f.prev++;
	CHECK_EQ(pxs_floor_write(dirfd, &f), 0);
	CHECK(recover_from_floor(&r) == -EBADMSG);
	f.prev--;
	CHECK_EQ(pxs_floor_write(dirfd, &f), 0);
	CHECK_EQ(recover_from_floor(&r), 0);
	/* Without the file it lacks its beginning. */
	unlink_file(PXS_FLOOR_FILE);
	CHECK(recover_from_floor(&r) == -EBADMSG);
	CHECK(strstr(r.error, "is missing"));
	CHECK_EQ(pxs_floor_write(dirfd, &f), 0);
	unlink_file("0000000000000003.pxs");
	CHECK(recover_from_floor(&r) == -EBADMSG);
	CHECK(strstr(r.error, "0000000000000003 is missing"));
	close(dirfd);
	remove_dir();
}

/* The machine stopped between the floor and the last unlink. */
static void leftovers_go(void)
{
	struct pxs_recovery r;
	int dirfd, fd;

	new_dir("left");
	CHECK_EQ(open_writer(PXS_FLUSH_FDATASYNC), 0);
	fill_to(5);
	remove_to(3);
	fill_to(8);
	remove_to(6);
	close_writer();
	/* As if segments 3 to 5 were not gone yet: the floor is 6. */
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	fd = openat(dirfd, "0000000000000005.pxs", O_WRONLY | O_CREAT, 0600);
	CHECK(fd >= 0);
	close(fd);
	CHECK_EQ(recover_from_floor(&r), 0);
	CHECK(!segment_there(5));
	close(dirfd);
	remove_dir();
}

static void open_from_floor(void)
{
	static const struct pxs_scan_sink first = { .record = see_first };
	struct pxs_recovery r;

	CHECK_EQ(pxs_recover(&r, dir, true, &first), 0);
	told = r.scan.next_lsn - 1;
	CHECK_EQ(pxs_loop_init(&loop), 0);
	CHECK_EQ(pxs_worker_start(&worker, &loop), 0);
	CHECK_EQ(pxs_journal_open(&journal, &loop, &worker, &r, PXS_FLUSH_FDATASYNC, &events), 0);
}

/* Groups that this member was removed from are named before the segment that said so goes. */
static void groups_that_were_left(void)
{
	struct pxs_recovery r;

	new_dir("groups");
	CHECK_EQ(open_writer(PXS_FLUSH_FDATASYNC), 0);
	fill_to(4);
	CHECK(pxs_floor_leave(&journal.floor, 7, 3));
	CHECK(pxs_floor_leave(&journal.floor, 7, 4));
	pxs_journal_remove(&journal, 2);
	CHECK(journal.floor_job.busy);
	/* While that is under way: it is in the next one. */
	CHECK(pxs_floor_leave(&journal.floor, 2147483647, ~0ull));
	while (journal.floor_job.busy)
		pxs_loop_once(&loop);
	CHECK_EQ(journal.floor.segment, 2);
	CHECK_EQ(journal.floor.left.count, 2);
	close_writer();
	open_from_floor();
	CHECK_EQ(journal.floor.left.count, 1);
	CHECK_EQ(pxs_floor_left(&journal.floor, 7), 3);
	CHECK_EQ(pxs_floor_left(&journal.floor, 1), 0);
	CHECK(pxs_floor_leave(&journal.floor, 2147483647, ~0ull));
	remove_to(4);
	close_writer();
	CHECK_EQ(recover_from_floor(&r), 0);
	CHECK_EQ(r.scan.floor.left.count, 2);
	CHECK_EQ(pxs_floor_left(&r.scan.floor, 7), 3);
	CHECK_EQ(pxs_floor_left(&r.scan.floor, 2147483647), ~0ull);
	remove_dir();
}

static void a_floor_that_is_damaged(void)
{
	struct pxs_floor f = {
		.incarnation = 5, .segment = 3, .first_seq = 9, .first_lsn = 10, .prev = 0xabcdef,
		.left = { .count = 2, .group = { { 3, 9 }, { 8, 1 } } },
	}, g;
	char text[600], path[4200];
	ssize_t len;
	int dirfd, fd;
	u32 i;

	new_dir("bad");
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	CHECK_EQ(pxs_floor_read(dirfd, 5, &g), 0);
	CHECK_EQ(g.segment, 1);
	CHECK_EQ(pxs_floor_write(dirfd, &f), 0);
	CHECK_EQ(pxs_floor_read(dirfd, 5, &g), 0);
	CHECK(!memcmp(&f, &g, sizeof(f)));
	CHECK(pxs_floor_read(dirfd, 6, &g) == -EBADMSG);
	snprintf(path, sizeof(path), "%s/%s", dir, PXS_FLOOR_FILE);
	fd = open(path, O_RDWR);
	len = read(fd, text, sizeof(text));
	CHECK(len > 50 && len < 512);
	for (i = 0; i < (u32)len; i++) {
		text[i] ^= 1;
		CHECK(pwrite(fd, text, (size_t)len, 0) == len);
		CHECK(pxs_floor_read(dirfd, 5, &g) == -EBADMSG);
		text[i] ^= 1;
	}
	CHECK(pwrite(fd, text, (size_t)len, 0) == len);
	CHECK_EQ(ftruncate(fd, len - 1), 0);
	CHECK(pxs_floor_read(dirfd, 5, &g) == -EBADMSG);
	close(fd);
	close(dirfd);
	remove_dir();
}

int main(void)
{
	RUN(segments_go);
	RUN(what_is_lost_is_missed);
	RUN(leftovers_go);
	RUN(groups_that_were_left);
	RUN(a_floor_that_is_damaged);
	return unit_done();
}
