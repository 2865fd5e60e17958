/* SPDX-License-Identifier: GPL-2.0 */
/*
 * db_session.h - sessions: who asked what under which number, and what the answer was
 *
 * Part of the state, in the transaction of the data that the answers speak of. The rules are the
 * log's alone:
 *
 *   - a session is opened by an entry; its id is that entry's slot;
 *   - it ends when it was not used for as long as its opening entry says, in the log's time, or
 *     when there are more than the entry that opens another says: that which would
 *     end next goes first;
 *   - it keeps the answers of the PXS_SESSION_KEPT highest numbers; a number below them is
 *     too old, answered or not;
 *   - of an answer of more than PXS_ANSWER_MAX bytes it keeps that there was one.
 *
 * So a session takes PXS_SESSION_KEPT * (PXS_ANSWER_MAX + 100) bytes at most, and usually little.
 *
 * Three tables:
 *   sessions  id (be64) -> struct db_session
 *   ends      when it ends (be64), id (be64) -> nothing
 *   answers   id (be64), number (be64) -> struct db_answer, the answer as RESP3
 */
#ifndef PXS_STORE_DB_SESSION_H
#define PXS_STORE_DB_SESSION_H

#include "db.h"

#define PXS_SESSION_KEPT	64u
#define PXS_ANSWER_MAX		1024u
#define PXS_SESSION_EVICT	16u	/* that one opening takes with it at most */

struct pxs_session {
	u64 id;
	u64 highest;		/* number used */
	u64 age;		/* ms that it lives unused */
	u64 end;		/* ms of the epoch, in the log's time */
};

struct pxs_answer {
	u64 command;		/* hash of what was asked: another command is another question */
	bool exec;		/* RESP2 has another nothing there */
	bool large;		/* it was given once, and not kept */
	struct pxs_str text;
};

/* Open one by the entry at hand; @most: sessions there may be. Return: its id. */
u64 pxs_session_open(struct pxs_db *db, u64 most, u64 age);

/* Return: it is there and has not ended. */
bool pxs_session_find(struct pxs_db *db, u64 id, struct pxs_session *s);

/* It was used now: it lives on. */
void pxs_session_touch(struct pxs_db *db, struct pxs_session *s);

static inline bool pxs_session_too_old(const struct pxs_session *s, u64 number)
{
	return s->highest >= PXS_SESSION_KEPT && number <= s->highest - PXS_SESSION_KEPT;
}

/* Pointers into it last until the next change. */
bool pxs_session_answer(struct pxs_db *db, const struct pxs_session *s, u64 number,
			struct pxs_answer *a);
void pxs_session_keep(struct pxs_db *db, struct pxs_session *s, u64 number,
		      const struct pxs_answer *a);

/* Take away at most @n that have ended. */
void pxs_session_reap(struct pxs_db *db, u32 n);

u64 pxs_session_count(struct pxs_db *db);
void pxs_session_digest(struct pxs_db *db, blake2s_state *state);

#endif /* PXS_STORE_DB_SESSION_H */
