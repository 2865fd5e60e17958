/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state.h - what a disk may hold after power failed
 *
 * For each prefix of a trace: what a sync made durable is there. Of the rest everything
 * may be there, or nothing, or all but one write, or one write in part: its beginning,
 * its end, or all but one sector or block of it. Names (create, rename, unlink) come in
 * order, as in a journaling file system, but with no regard to data that was not synced.
 */
#ifndef CRASH_STATE_H
#define CRASH_STATE_H

#include "trace.h"

#define STATE_NAMES	24
#define STATE_ROOM	65536u		/* the largest file */

struct state_file {
	u8 *data;
	u32 size;
	u64 hash;
	bool hashed;
};

struct state_name {
	char name[TRACE_NAME];
	int file;
};

struct state_disk {
	struct state_file file[TRACE_FILES];
	struct state_name name[STATE_NAMES];
	u32 names;
};

/* How the state came about: the columns of the table. */
enum state_kind {
	STATE_WHOLE,		/* everything that was written is there */
	STATE_DROPPED,		/* something that was written is not */
	STATE_TORN,		/* a write is there in part */
	STATE_KINDS
};

struct state_walk {
	const struct trace *trace;
	bool coarse;		/* no torn writes, and only the first and last pending dropped */
	void *ctx;
	/* Called for each op, before the states behind it. Return: are they wanted? */
	bool (*op)(void *ctx, const struct trace_op *op);
	void (*state)(void *ctx, struct state_disk *disk, enum state_kind kind);
};

/* All states of @walk's trace, begun on @base. */
void state_all(const struct state_walk *walk, const struct state_disk *base);

/* A disk with the files of directory @dir. */
void state_load(struct state_disk *d, const char *dir);

/*
 * Make directory @dir hold just @d. Files that were put there before and not touched are
 * left alone: state_touched() must hear of all changes by others.
 */
void state_put(struct state_disk *d, const char *dir);
void state_touched(const char *name);

void state_copy(struct state_disk *to, const struct state_disk *from);
u64 state_hash(struct state_disk *d);
struct state_file *state_find(struct state_disk *d, const char *name);
void state_free(struct state_disk *d);

#endif /* CRASH_STATE_H */
