/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - what the shipped journal does to its directory, call by call
 *
 * The agent's objects are linked with --wrap, so that each call that changes a file is
 * seen here before it is done for real. A trace is the list of them, with marks between:
 * what was handed to the journal and what it confirmed at that moment.
 */
#ifndef CRASH_TRACE_H
#define CRASH_TRACE_H

#include "platform.h"

#define TRACE_OPS	1024
#define TRACE_NAME	40
#define TRACE_FILES	64

enum trace_kind {
	TRACE_CREATE,		/* dir: name is file */
	TRACE_RENAME,		/* dir: name becomes to */
	TRACE_UNLINK,		/* dir: name goes */
	TRACE_SIZE,		/* file has size len */
	TRACE_WRITE,		/* len bytes of data at off */
	TRACE_SYNC,		/* what was done to file before is durable */
	TRACE_SYNC_WRITE,	/* the write before this is durable */
	TRACE_SYNC_DIR,		/* what was done to the directory before is durable */
	TRACE_APPEND,		/* LSN lsn, of life len, was handed over */
	TRACE_ACK,		/* LSNs up to lsn were confirmed */
	TRACE_RECOVERED,	/* recovery ended: LSNs up to lsn are there, no others */
	TRACE_BEGIN,		/* operation number len of the workload begins */
};

struct trace_op {
	enum trace_kind kind;
	int file;
	u32 len;
	u64 off;
	u64 lsn;
	u8 *data;
	char name[TRACE_NAME];
	char to[TRACE_NAME];
};

struct trace {
	u32 n;
	u32 writes;		/* TRACE_WRITE among them */
	int files;		/* file numbers given out */
	struct trace_op op[TRACE_OPS];
};

/* Record to @t from now on; NULL: do not. The names that are there must be told first. */
void trace_to(struct trace *t);
void trace_know(struct trace *t, const char *name, int file);
void trace_free(struct trace *t);
void trace_mark(enum trace_kind kind, u64 lsn, u32 len);

/* Salts and incarnations follow from this: the same in each run, never the same twice in one. */
void trace_seed(u64 seed);

/* The last write was with RWF_DSYNC. */
void trace_write_synced(void);

/* Called with the name of each file that is changed, recorded or not. */
extern void (*trace_touched)(const char *name);

/* Reads of file @name that touch [offset, offset + 4096) fail with EIO; NULL: none do. */
void trace_unreadable(const char *name, u64 offset);

ssize_t trace_pwrite(int fd, const void *buf, size_t len, s64 off);
int trace_fdatasync(int fd);

#endif /* CRASH_TRACE_H */
