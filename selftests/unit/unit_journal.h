/* SPDX-License-Identifier: GPL-2.0 */
/*
 * unit_journal.h - a journal directory, written by the real writer
 *
 * Each test has a directory of its own below $TMPDIR. The writer runs in the real loop,
 * with the helper thread; what it confirmed is compared with what recovery reports.
 */
#ifndef UNIT_JOURNAL_H
#define UNIT_JOURNAL_H

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

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

/* Return: the error. If there is none nothing stays locked, that the next one would wait for. */
static inline int refusal(struct pxs_recovery *r)
{
	int err = recover(r);

	if (!err)
		pxs_recovery_close(r);
	return err;
}

static inline int open_writer(enum pxs_flush flush)
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

static inline void close_writer(void)
{
	pxs_worker_stop(&worker);
	pxs_loop_exit(&loop);
	pxs_journal_close(&journal);
}

static inline void append(u64 count, u32 len)
{
	static u8 buf[PXS_APPEND_MAX];
	u32 size = make(buf, journal.next_lsn, len);

	while (count--) {
		make(buf, journal.next_lsn, len);
		CHECK_EQ(pxs_journal_append(&journal, journal.next_lsn, 1, buf, size, false), 0);
	}
}

/* Run the loop until everything is confirmed. Return: it is. */
static inline bool settle(void)
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
static inline void spoil(u64 segment, u32 offset, u8 mask)
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

#endif /* UNIT_JOURNAL_H */
