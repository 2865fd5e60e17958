/* SPDX-License-Identifier: GPL-2.0 */
/*
 * eventual.h - eventual keys: written at any member without a quorum (docs/eventual.md)
 *
 *	eventual.c	the table, and the helper thread that commits to it: many writes at a time
 *	eventual_rule.c	which requests are about such keys, and what is refused
 *	eventual_cmd.c	what a command does
 *	eventual_members.c  who the others are, as members change
 *	eventual_pull.c	asking another member for what has changed there
 *	eventual_serve.c  answering such questions
 *	eventual_show.c	INFO, PAXSTEER EVENTUAL
 *	evdb.h lww.h stamp.h confirm.h feed.h	the table, merging, versions, marks, messages
 *
 * A write is answered when it is committed here, on this member's disk. Each member asks every
 * other one for what is behind a place of its stream; the question waits there until there is
 * something, a second at most. The same questions find what a member has missed, for however long,
 * and fill an empty table. What another member sends is merged and committed before the next
 * question says so.
 *
 * The loop has all of this but what eventual_commit() and what it calls touches: the requests and
 * answers that it was given, evdb's next and copy. That is the thread's while the job is busy.
 */
#ifndef PXS_STORE_EVENTUAL_H
#define PXS_STORE_EVENTUAL_H

#include "../node.h"
#include "eventual_cmd.h"
#include "resp_write.h"

#define PXS_EVENTUAL_BATCH	1024u	/* requests of one commit */
#define PXS_EVENTUAL_TIDY	2000u	/* deadlines and marks of one commit */
#define PXS_EVENTUAL_WAIT_MS	1000u	/* a question waits so long for something new */
#define PXS_EVENTUAL_LATE_MS	5000u	/* no answer for so long: connect anew */
#define PXS_EVENTUAL_PAUSE_MS	500u	/* between failures */

struct pxs_store;
struct pxs_conn;
struct pxs_request;

enum pxs_pull_stage {
	PXS_PULL_IDLE,
	PXS_PULL_CONNECT,
	PXS_PULL_SEND,
	PXS_PULL_RECEIVE,
	PXS_PULL_MERGE,		/* an answer waits for the thread, or is with it */
	PXS_PULL_REST,		/* not faster than configured */
};

/* Asking one other member. */
struct pxs_pull {
	struct pxs_store *store;
	char text[PXS_WHERE_TEXT];	/* its store's address; "": not known */
	u8 id;
	u64 incarnation;
	u32 answers;		/* wanted: the last one is that to the question */
	enum pxs_pull_stage stage;
	struct pxs_op op;	/* one at a time */
	bool cancelled;
	bool greeted;		/* the password was sent */
	bool given;		/* the answer is with the thread */
	int fd;			/* -1: not connected */
	u64 late, pause, rest;	/* loop time: deadlines of what their names say */
	u64 asked;		/* loop time: the question at hand */
	struct pxs_address address;
	u64 nonce, echo;
	u32 hellos;		/* in a row */
	struct pxs_reply out;
	u32 sent;
	u8 *in;
	u32 len, room;
	struct pxs_feed answer;	/* MERGE: and its items, in *in */
	const u8 *body;
	u32 items;
	u64 head;		/* where its stream ended, as heard last */
	u64 heard;		/* loop time: when; 0: never */
	bool over;		/* it was removed, and has told all that it had */
	const char *wrong;	/* what came in the way last; NULL: nothing since */
	u64 said;		/* loop time: progress was, last */
	u64 merged, bytes;	/* items, since the start */
};

/* The question of one other member that waits here. */
struct pxs_served {
	struct pxs_request *request;	/* NULL: none does */
	struct pxs_feed ask;
	struct pxs_feed_has has[PXS_EVDB_PEERS + 1];
	u32 nhas;
	u64 at;			/* looked through up to this place */
	u64 until;		/* loop time */
};

struct pxs_eventual {
	struct pxs_evdb db;
	struct pxs_worker worker;
	struct pxs_job job;
	struct pxs_store *store;
	u8 self;		/* id of this member */
	u64 epoch;		/* whose members are asked and answered */
	u64 parting;		/* loop time: since when a later one is known; 0: none is */
	bool closing;		/* ... and who goes was heard: all that is under way ends */
	bool late;		/* it was removed before it started: it has no say any more */
	u64 list;		/* digest of the prefixes */

	/* Of the job. */
	struct pxs_request *todo, **todo_last;	/* wait for the next, by link */
	struct pxs_request *doing;		/* are in this one */
	u64 wall;
	u64 horizon;
	bool tidying;
	u32 reaping, sweeping;	/* so many */

	bool growing;		/* the map is full: a larger one is due, and the job again */
	bool tidy;		/* deadlines or marks are due */
	const char *fenced;	/* it stands still, for this reason */
	u64 retry;		/* loop time: after a full disk */
	int stalled;		/* -errno: that */
	u64 looked;		/* loop time: whether something is due */
	u64 told;		/* highest place that anybody was told of */

	u32 peers;
	struct pxs_pull pull[PXS_EVDB_PEERS];
	struct pxs_served served[PXS_EVDB_PEERS];	/* by the same index */
	struct pxs_confirm confirm[PXS_EVDB_PEERS];
	struct pxs_horizon marks;
	u8 *buf;		/* of an answer */
	u32 len, room;

	u64 writes, reads, refused;	/* requests */
	u64 commits;
	u64 ahead;		/* answers refused: written in the future */
	u64 differs;		/* messages refused: of other prefixes */
	u64 forged;		/* ... of a wrong tag, or none at all */
	u64 sent;		/* items */
	u64 reaped, swept;
};

/* --- eventual.c --- */

/* After the store's own. Return: 0 or -errno, said why; s->eventual is NULL where there is none. */
int pxs_eventual_start(struct pxs_store *s);
void pxs_eventual_quiet(struct pxs_store *s);	/* before the ring ends */
void pxs_eventual_exit(struct pxs_store *s);
bool pxs_eventual_step(struct pxs_store *s);	/* once a round */
void pxs_eventual_tick(struct pxs_store *s);

/* @r, a write, in the next commit. */
void pxs_eventual_write(struct pxs_eventual *ev, struct pxs_request *r);

/* @r reads: its answer, at once. */
void pxs_eventual_read(struct pxs_eventual *ev, struct pxs_request *r);

/* It stands still from now on. */
void pxs_eventual_fence(struct pxs_eventual *ev, const char *reason);

/*
 * Member @member has merged our stream up to @place. Does it end before that? Then the files are
 * older than what we have told, and it stands still: what was told is not to be told anew.
 */
bool pxs_eventual_went_back(struct pxs_eventual *ev, u8 member, u64 place);

/* ms: the hybrid clock. */
u64 pxs_eventual_now(const struct pxs_eventual *ev);

/* Marks up to there may go. */
u64 pxs_eventual_horizon(struct pxs_eventual *ev);

/* --- eventual_rule.c --- */

enum pxs_claim {
	PXS_CLAIM_NONE,		/* it is not about eventual keys */
	PXS_CLAIM_OURS,
	PXS_CLAIM_REFUSED,	/* said why */
};

enum pxs_claim pxs_eventual_claim(struct pxs_request *r);

/* --- eventual_members.c --- */

/* Ids of the group's other members, 0 behind them. */
void pxs_eventual_others(struct pxs_store *s, u8 members[PXS_EVDB_PEERS]);

/* Begin in the epoch that the group is in. */
void pxs_eventual_enter(struct pxs_eventual *ev);

/* Once a round, while no commit is under way: go over to it. Return: it has. */
bool pxs_eventual_follow(struct pxs_eventual *ev);

/* It is no member yet, as far as it knows: it takes no writes, or an old one could come back. */
bool pxs_eventual_joins(const struct pxs_eventual *ev);

/* It was removed: it takes no writes, and tells what it has. */
bool pxs_eventual_parts(const struct pxs_eventual *ev);

void pxs_eventual_tick_pulls(struct pxs_eventual *ev);

/* --- eventual_pull.c --- */

void pxs_pull_init(struct pxs_pull *p, struct pxs_store *s, u8 id, u64 incarnation,
		   const char *address);
void pxs_pull_exit(struct pxs_pull *p);
void pxs_pull_tick(struct pxs_pull *p);

/* Nothing is to be under way any more, nor merged. Return: so it is; else ask again. */
bool pxs_pull_stop(struct pxs_pull *p);

/* What it had for the thread is committed, or (@err) is not. */
void pxs_pull_merged(struct pxs_pull *p, int err);

/* --- eventual_serve.c --- */

/* PAXSTEER FEED ASK. Return: false: it waits. */
bool pxs_eventual_serve(struct pxs_request *r);

/* Something is committed, or time has passed: answers to who waits for that. */
void pxs_eventual_serve_all(struct pxs_eventual *ev);

/* Who waits is told that its epoch is another one. */
void pxs_eventual_serve_none(struct pxs_eventual *ev);

/* --- eventual_show.c --- */

/* INFO's section. Return: bytes. */
u32 pxs_eventual_info(struct pxs_store *s, char *to);
void pxs_eventual_command(struct pxs_request *r);	/* PAXSTEER EVENTUAL */

#endif /* PXS_STORE_EVENTUAL_H */
