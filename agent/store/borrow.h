/* SPDX-License-Identifier: GPL-2.0 */
/*
 * borrow.h - a checkpoint of another member's, for a store that lacks what the logs have no more
 *
 * Needed when the other members have trimmed slots that this member's log lacks (it was away for
 * long, or its journal is new), or when its own log is trimmed and its store is lost. It asks, as a
 * Redis client of theirs, one member after the other for the newest checkpoint (lend.h):
 *
 *	checkpoint.part	what came so far; it survives a broken connection and a restart, and is
 *			gone on with at the member that lends it as long as that has this one
 *	incoming/	LMDB's files, made of it by the helper thread, which checks all of it
 *	checkpoint.peer	it is whole and durable; until a checkpoint of our own is as new
 *
 * Only then is the log told to go on behind it (pxs_group_skip()), and when the record of that is
 * durable the files take the place of the store's. A crash at any point leaves the old store and
 * the old log, or a log that is trimmed and a checkpoint.peer that begins there (db.c).
 */
#ifndef PXS_STORE_BORROW_H
#define PXS_STORE_BORROW_H

#include "../address.h"
#include "../worker.h"
#include "db.h"
#include "loan.h"
#include "resp_write.h"

#define PXS_BORROW_LATE_MS	5000u	/* no piece for so long: connect anew */
#define PXS_BORROW_PAUSE_MS	1000u	/* between failures */
#define PXS_BORROW_TRIES	30u	/* in a row at the member that has the rest */

struct pxs_store;

enum pxs_borrow_stage {
	PXS_BORROW_IDLE,
	PXS_BORROW_CONNECT,
	PXS_BORROW_SEND,
	PXS_BORROW_RECEIVE,
	PXS_BORROW_WRITE,	/* a piece to the file */
	PXS_BORROW_REST,	/* not faster than configured */
	PXS_BORROW_LOAD,	/* the thread is at it */
	PXS_BORROW_JOIN,	/* waits until the log lets it take the store's place */
};

struct pxs_borrow {
	struct pxs_op op;	/* one at a time */
	struct pxs_job job;
	enum pxs_borrow_stage stage;
	bool cancelled;
	bool greeted;		/* the password was sent */
	int fd;			/* -1: not connected */
	int part;		/* -1: not open */
	u8 member;		/* id of who lends, or is asked next; 0: nobody yet */
	struct pxs_address to;	/* where its store listens */
	u32 answers;		/* wanted: the last one is the piece */
	u32 tries;
	u64 need;		/* slots up to it are lacking; 0: none */
	u64 looked;		/* loop time, when that was looked at */
	u64 late, pause, rest;	/* likewise: deadlines of what their names say */
	u64 began;		/* likewise: since then ... */
	u64 got;		/* ... so many bytes */
	u64 said;		/* likewise: when its progress was */
	struct pxs_loan loan;	/* the image, id 0: not known yet; its offset: so much is here */
	u64 nonce;
	/* Who the members are, as who lends says: loan.config bytes. */
	u8 config[PXS_MEMBERSHIP_BYTES];
	struct pxs_reply out;
	u32 sent;
	u8 *in;
	u32 len;
	struct pxs_db_plan plan;	/* what the thread works on, and finds */
	u64 count;		/* borrowed by this process */
};

void pxs_borrow_init(struct pxs_store *s);
void pxs_borrow_tick(struct pxs_store *s);

/* Once a round, between transactions. Return: did something. */
bool pxs_borrow_step(struct pxs_store *s);

/* After the thread has ended. */
void pxs_borrow_exit(struct pxs_store *s);

/* --- between borrow.c and borrow_get.c --- */

void pxs_borrow_happened(struct pxs_op *op, int res);
void pxs_borrow_begin(struct pxs_store *s);	/* connect to somebody */
void pxs_borrow_go_on(struct pxs_store *s);	/* ask for the next piece */
void pxs_borrow_whole(struct pxs_store *s);	/* that was the last one */
void pxs_borrow_cancel(struct pxs_store *s);	/* it took too long */
void pxs_borrow_fail(struct pxs_store *s, const char *why);	/* try again later */
void pxs_borrow_hang_up(struct pxs_borrow *b);
void pxs_borrow_close(struct pxs_borrow *b);	/* the file */

#endif /* PXS_STORE_BORROW_H */
