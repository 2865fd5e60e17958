/* SPDX-License-Identifier: GPL-2.0 */
/*
 * db_saga.h - sagas in the store: what each is, how far it is, what has happened to it
 *
 * Part of the state, in the transaction of the data that the steps change. The rules are the
 * log's alone:
 *
 *   - a saga's number is the slot of the entry that began it;
 *   - there are as many as the entry that begins one says, live ones and those that are over; the
 *     one whose time is up first, of those that are over, makes room for a new one;
 *   - one that is over is remembered for as long as the entry that began it says, in the log's
 *     time.
 *
 * A saga takes what its definition takes (one entry: 16 KiB at most) and less than 300 bytes for
 * each thing that has happened to it, of which PXS_SAGA_HISTORY_MAX are kept: the last one has
 * no room of its own then.
 *
 * Four tables:
 *   saga_ids   id -> number (le64)
 *   sagas      number (be64), row (be64) -> row 0: struct db_saga, id, reasons; row 1: the words
 *              that define it, each with its length (le32) in front; from 2 on: struct db_event,
 *              text
 *   saga_due   when it goes on (be64), number (be64) -> nothing: of those that are not over
 *   saga_ends  when it is forgotten (be64), number (be64) -> nothing: of those that are
 */
#ifndef PXS_STORE_DB_SAGA_H
#define PXS_STORE_DB_SAGA_H

#include "saga.h"

#define PXS_SAGA_HISTORY_MAX	1000u
#define PXS_SAGA_EVICT		16u	/* that one BEGIN takes with it at most */

enum pxs_saga_event {
	PXS_EVENT_BEGUN = 1,
	PXS_EVENT_DID = 2,
	PXS_EVENT_WAITS = 3,
	PXS_EVENT_FAILED = 4,
	PXS_EVENT_ABORTED = 5,
	PXS_EVENT_EXPIRED = 6,
	PXS_EVENT_UNDID = 7,
	PXS_EVENT_NOT_UNDONE = 8,
	PXS_EVENT_RETRIED = 9,
	PXS_EVENT_SKIPPED = 10,
};

/* Something that happened; pointers last until the next change. */
struct pxs_saga_note {
	u64 slot;
	u64 time;		/* ms of the epoch, in the log's time */
	u32 step;
	u8 event;
	struct pxs_str text;
};

/* Return: there is one, not yet to be forgotten. */
bool pxs_db_saga_find(struct pxs_db *db, struct pxs_str id, struct pxs_saga *g);
bool pxs_db_saga_get(struct pxs_db *db, u64 number, struct pxs_saga *g);

/* A new one, with the words that define it. */
void pxs_db_saga_add(struct pxs_db *db, struct pxs_saga *g, u32 argc, const struct pxs_str *argv);

/* It has changed: write it, and note what has happened, at which step of it, in which words. */
void pxs_db_saga_put(struct pxs_db *db, struct pxs_saga *g, enum pxs_saga_event event, u32 step,
		     struct pxs_str text);

/* The words that define it, copied to where changes leave them alone. Return: how many. */
u32 pxs_db_saga_words(struct pxs_db *db, const struct pxs_saga *g, const struct pxs_str **argv);

/* Room for another one, of @most. Return: there is some. */
bool pxs_db_saga_room(struct pxs_db *db, u64 most);

/* Forget at most @n whose time is up; the one with this id, if its time is. */
void pxs_db_saga_reap(struct pxs_db *db, u32 n);
void pxs_db_saga_forget_old(struct pxs_db *db, struct pxs_str id);

/* The first one whose number is at least @number. Return: there is one. */
bool pxs_db_saga_from(struct pxs_db *db, u64 number, struct pxs_saga *g);

/* What has happened to it, in order; see() says whether to go on. */
typedef bool (*pxs_saga_see_t)(void *ctx, const struct pxs_saga_note *note);
void pxs_db_saga_history(struct pxs_db *db, u64 number, pxs_saga_see_t see, void *ctx);

/* Those that are due at @now, longest first; see() says whether to go on. */
typedef bool (*pxs_saga_due_t)(void *ctx, const struct pxs_saga *g);
void pxs_db_saga_due(struct pxs_db *db, u64 now, pxs_saga_due_t see, void *ctx);

u64 pxs_db_saga_count(struct pxs_db *db);
u64 pxs_db_saga_live(struct pxs_db *db);
void pxs_db_saga_digest(struct pxs_db *db, blake2s_state *state);

/*
 * A part of the transaction that can be taken back by itself. Between the two, pointers into the
 * database from before must not be used.
 */
struct pxs_db_part {
	MDB_txn *outer;
	struct pxs_db_state state;
};

bool pxs_db_part_begin(struct pxs_db *db, struct pxs_db_part *part);
void pxs_db_part_end(struct pxs_db *db, struct pxs_db_part *part, bool keep);

#endif /* PXS_STORE_DB_SAGA_H */
