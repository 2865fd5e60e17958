/* SPDX-License-Identifier: GPL-2.0 */
/*
 * saga.h - flexible transactions: steps that are done one by one, or undone
 *
 * A saga is a row of steps. Each has checks, commands that do it, and commands that undo it. Each
 * step is one entry of the log: its checks and commands happen at once or not at all, and
 * between two steps everybody sees what has been done so far. If a step cannot be done, what was
 * done before is undone, last step first. So a saga ends all done or all undone.
 *
 * What is decided here is a function of the saga, what came of its step, and the log's time:
 * no store, no clock. db_saga.h keeps sagas, cmd_saga.c runs their commands, drive.h (at the
 * leader) has entries proposed.
 *
 *	          BEGIN               last step done
 *	            |       .--------------------------> DONE
 *	            v      /
 *	         RUNNING ----- step with WAIT -----> WAITING
 *	            |   <----------- DONE ------------'  |
 *	            | a step fails, ABORT, deadline       | FAIL, ABORT, deadline
 *	            v                                    |
 *	         UNDOING <-------------------------------'
 *	          ^  |  \
 *	    RETRY |  |   '--- first step undone, or nothing was done ---> UNDONE
 *	          |  v undoing a step has failed PXS_SAGA_TRIES times
 *	         STUCK
 */
#ifndef PXS_STORE_SAGA_H
#define PXS_STORE_SAGA_H

#include "command.h"

#define PXS_SAGA_ID_MAX		128u
#define PXS_SAGA_NAME_MAX	64u	/* of a step */
#define PXS_SAGA_STEPS_MAX	64u
#define PXS_SAGA_REASON_MAX	200u	/* longer ones are cut */
#define PXS_SAGA_TIMEOUT_MAX	31536000000ull	/* ms: a year */
#define PXS_SAGA_KEEP_MAX	31536000000ull

/* Undoing a step is tried so often, with pauses that double; then it is an operator's matter. */
#define PXS_SAGA_TRIES		5u
#define PXS_SAGA_PAUSE_MS	100u

#define PXS_SAGA_NEVER		(~0ull)

/* --- what a saga is ------------------------------------------------------------ */

enum pxs_saga_test {
	PXS_TEST_EXISTS,
	PXS_TEST_MISSING,
	PXS_TEST_EQUALS,
	PXS_TEST_MIN,
	PXS_TEST_MAX,
	PXS_TEST_TYPE,
	PXS_TEST_HEXISTS,
	PXS_TEST_HMISSING,
	PXS_TEST_HEQUALS,
	PXS_TEST_HMIN,
	PXS_TEST_HMAX,
};

struct pxs_saga_check {
	const char *word;
	enum pxs_saga_test test;
	u8 words;		/* behind the word: key, field, value */
	bool field;
	bool number;		/* the last word is one */
};

enum pxs_saga_part_kind {
	PXS_PART_TIMEOUT,	/* MS, in front of the steps */
	PXS_PART_STEP,		/* NAME */
	PXS_PART_WAIT,
	PXS_PART_CHECK,		/* TEST KEY ... */
	PXS_PART_DO,		/* N, N words */
	PXS_PART_UNDO,		/* likewise */
};

struct pxs_saga_part {
	enum pxs_saga_part_kind kind;
	const struct pxs_saga_check *check;
	const struct pxs_command *cmd;	/* DO, UNDO */
	u32 argc;			/* the words of the command, of the check, the name */
	const struct pxs_str *argv;
};

/* The part at argv[*at], *at goes behind it. Return: NULL, or what is wrong with it. */
const char *pxs_saga_part(u32 argc, const struct pxs_str *argv, u32 *at, struct pxs_saga_part *p);

struct pxs_saga_step {
	struct pxs_str name;
	bool wait;		/* somebody outside says how it went */
	u32 from;		/* its words: argv[from..to) */
	u32 to;
};

struct pxs_saga_def {
	u64 timeout;		/* ms; 0: none */
	u32 nsteps;
	struct pxs_saga_step step[PXS_SAGA_STEPS_MAX];
};

/*
 * The words behind "BEGIN ID". Names point into @argv. Return: NULL, or what is wrong, for the
 * user's eyes; *at is the word at which it is.
 */
const char *pxs_saga_parse(u32 argc, const struct pxs_str *argv, struct pxs_saga_def *def, u32 *at);

/* --- how far it is --------------------------------------------------------------- */

enum pxs_saga_state {
	PXS_SAGA_RUNNING = 1,	/* step @step is to be done */
	PXS_SAGA_WAITING = 2,	/* its commands were executed; the rest happens outside */
	PXS_SAGA_UNDOING = 3,	/* step @step is to be undone */
	PXS_SAGA_STUCK = 4,	/* that has failed too often */
	PXS_SAGA_DONE = 5,
	PXS_SAGA_UNDONE = 6,
};

struct pxs_saga_reason {
	u32 len;
	char text[PXS_SAGA_REASON_MAX];
};

/* Times are milliseconds of the epoch, in the log's time. */
struct pxs_saga {
	u64 number;		/* slot of its BEGIN */
	u64 position;		/* counts what has happened to it */
	u64 begun;
	u64 deadline;		/* not forward any more after it; 0: none */
	u64 due;		/* when it goes on by itself, PXS_SAGA_NEVER: it does not */
	u64 ended;		/* 0: not yet */
	u64 keep;		/* ms that it is remembered from then on */
	u32 steps;
	u32 step;
	u32 tries;		/* at undoing this step, that failed */
	u32 skipped;		/* steps that an operator has undone, he says */
	u8 state;
	struct pxs_str id;	/* lasts until the next change of the database */
	struct pxs_saga_reason reason;	/* why it turned around */
	struct pxs_saga_reason trouble;	/* why the last undoing failed */
	u64 rows;		/* db_saga.c: where its history goes on */
	bool filed;		/* ... it stands in the index ... */
	bool filed_over;	/* ... of those that are over */
	u64 filed_at;		/* ... at this time */
};

enum pxs_saga_act {
	PXS_ACT_NOTHING,
	PXS_ACT_DO,
	PXS_ACT_UNDO,
	PXS_ACT_EXPIRE,		/* the deadline has passed: turn around */
};

/* A new one. */
void pxs_saga_begin(struct pxs_saga *g, u64 number, const struct pxs_saga_def *def, u64 keep,
		    u64 now);

static inline bool pxs_saga_over(const struct pxs_saga *g)
{
	return g->state == PXS_SAGA_DONE || g->state == PXS_SAGA_UNDONE;
}

static inline bool pxs_saga_forward(const struct pxs_saga *g)
{
	return g->state == PXS_SAGA_RUNNING || g->state == PXS_SAGA_WAITING;
}

/* Its deadline has passed while it went forward. */
bool pxs_saga_expired(const struct pxs_saga *g, u64 now);

/*
 * An entry says: go on from @position. From another one it has gone on already, whoever proposed
 * that: nothing is to be done.
 */
enum pxs_saga_act pxs_saga_next(const struct pxs_saga *g, u64 position, u64 now);

/* The commands of the step at hand were executed; @wait: the rest is outside. */
void pxs_saga_did(struct pxs_saga *g, bool wait, u64 now);

/* The step at hand was not done, or shall not be: undo those before it, and it if it waits. */
void pxs_saga_turn(struct pxs_saga *g, u64 now);

/* The step at hand was undone. */
void pxs_saga_undid(struct pxs_saga *g, u64 now);

/* ... could not be undone. */
void pxs_saga_undo_failed(struct pxs_saga *g, u64 now);

/* Somebody says that it may be tried again. */
void pxs_saga_retry(struct pxs_saga *g, u64 now);

const char *pxs_saga_state_word(u8 state);

#endif /* PXS_STORE_SAGA_H */
