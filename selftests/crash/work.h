/* SPDX-License-Identifier: GPL-2.0 */
/*
 * work.h - a journal at work, and what recovery must say of it
 *
 * The writer is the agent's own. Every record follows from its LSN and the life of the
 * writer that made it, so that a record from elsewhere, or from a life that was cut off,
 * is known when it is seen.
 */
#ifndef CRASH_WORK_H
#define CRASH_WORK_H

#include "journal.h"
#include "ring.h"

#define WORK_LSNS	512

/* What holds at one moment. */
struct work_expect {
	u64 acked;		/* everything up to here is there */
	u64 last;		/* and nothing behind here */
	u8 life[WORK_LSNS];	/* who wrote it */
};

struct work {
	const char *dir;
	enum pxs_flush flush;
	struct pxs_loop loop;
	struct pxs_worker worker;
	struct pxs_journal journal;
	u8 life;
	u64 acked;
	struct work_expect expect;
};

/* What recovery made of a directory. */
struct work_verdict {
	int err;		/* refused */
	bool cut;		/* a torn tail was cut */
	u64 last;		/* last LSN reported */
	u64 faulty;		/* records told as damaged */
	u64 wrong;		/* LSN of the first record that was not written so */
	bool dirty;		/* what is behind the end is not zero */
	struct pxs_identity id;
	char error[512];
};

void work_create(const char *dir);
int work_open(struct work *w);
void work_close(struct work *w);
/* Hand over @count records with @len bytes of value each. */
void work_append(struct work *w, u32 count, u32 len);
void work_hint(struct work *w);
/* Nothing is appended for as long as makes the journal mark its last batch. */
void work_pause(struct work *w);

/* Recover w->dir for writing and compare with @e. The journal is closed again. */
void work_recover(const char *dir, const struct work_expect *e, struct work_verdict *v);

/* After that: it can be written on, and what is written then is there. NULL, or why not. */
const char *work_go_on(const char *dir, const struct work_verdict *v,
		       const struct work_expect *e);

#endif /* CRASH_WORK_H */
