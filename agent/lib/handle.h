/* SPDX-License-Identifier: GPL-2.0 */
/*
 * handle.h - what the parts of the library share
 *
 * pxs_log_process() calls each part's step in turn; a step does what can be done now and says by
 * pxs_due() when it wants to be called again though nothing arrives.
 */
#ifndef PXS_LIB_HANDLE_H
#define PXS_LIB_HANDLE_H

#include "chunk.h"
#include "conn.h"
#include "group.h"
#include "once.h"
#include "paxsteer.h"

#define PXS_LIB_RETRY_MS	50u	/* between two attempts at a daemon */
#define PXS_LIB_ANSWER_MS	5000u	/* for what a daemon answers at once */
#define PXS_LIB_SILENT_MS	15000u	/* for a value: the daemon's patience is 10 s */
#define PXS_LIB_WORDS		160u
#define PXS_LIB_READ_BYTES	(256u << 10)	/* of one connection, then it is others' turn */

/* A socket of the list, and the connection by which it is asked who leads. */
struct pxs_peer {
	char *path;
	struct pxs_conn conn;
	enum {
		PXS_PEER_CLOSED,
		PXS_PEER_ASKED,
		PXS_PEER_IDLE,		/* answered: ask again when due */
	} state;
	u64 due;
	bool heard;		/* since the search began: it answered or could not be reached */
	bool answers;
	bool no_group;
};

/* A proposal, in one of two lists in order of their ids. */
struct pxs_flight {
	struct pxs_flight *prev, *next;
	struct pxs_flights *list;
	u64 id;			/* of the request: a counter, and its index in the table */
	u64 since;		/* it waits for a leader */
	u64 sent_at;
	u64 end;		/* of its message in the connection's stream */
	u64 unsure_since;
	bool unsure;		/* a copy may be in the log */
	bool has_request;
	struct pxs_log_id request;
	void (*done)(void *ctx, const struct pxs_log_result *result);
	void *ctx;
	u32 len;
	u8 value[];
};

struct pxs_flights {
	struct pxs_flight *first, *last;
};

#define PXS_FLIGHT_BITS	12		/* of an id: the index */

struct pxs_sub {
	bool active;		/* until its end was said */
	bool over;		/* unsubscribed in a callback */
	bool delivering;
	unsigned int flags;
	u64 from;		/* deliver from here */
	u64 next;		/* slot expected */
	u64 left;		/* slots wanted from next on; UINT64_MAX: no limit */
	void (*value)(void *ctx, const struct pxs_log_value *value);
	void (*end)(void *ctx, int error, u64 applied);
	void *ctx;
	struct pxs_once *once;
	struct pxs_join join;
	bool stepped;		/* back from the first slot, to where the value there begins */

	struct pxs_conn conn;
	u32 peer;		/* to which conn goes, or will */
	u32 failures;		/* addresses in a row that were of no use */
	u32 trimmed;		/* bit N: peer N has the next slot no more */
	u64 id;			/* of the READ */
	u64 due;		/* to connect again */
	u64 lost_at;		/* since when no daemon is of any use */
	u64 said_at;		/* from this one; or when it was asked last */
	bool asked;		/* is it still there? */
	bool greeted;		/* it has said once who it is */
	bool was_open;
};

/* One request that is answered once, on a connection of its own. */
struct pxs_call {
	bool active;
	const char *path;
	struct pxs_conn conn;
	u64 id;
	u8 wanted;		/* type of the answer */
	u64 deadline;
	int error;		/* when it is not active any more */
	u64 arg;
	char *text;		/* the body */
	u32 leader;
};

struct pxs_log {
	u32 group;
	u32 timeout_ms;
	struct pxs_io_watch watch;
	u64 now;
	u64 due;
	bool inside;		/* of pxs_log_process() */
	bool closing;
	bool kicked;		/* the alarm rings already */
	char detail[PXS_LIB_WORDS + 120];
	char words[PXS_LIB_WORDS];	/* of a daemon */

	struct pxs_peer peer[PXS_LOG_SOCKETS_MAX];
	u32 npeers;
	int leader;		/* index; -1: not known */
	u32 hint;		/* member id of the leader, by who does not lead; 0 */
	bool searching;
	bool want_leader;	/* though there is nothing to propose */
	bool want_slot;		/* any member's answer will do */

	u8 client[16];
	u64 number;
	u64 known;		/* highest slot known to be decided */
	bool slot_known;

	struct pxs_flights queued, sent;
	struct pxs_flight *flight[PXS_LOG_OUTSTANDING_MAX];
	u16 unused[PXS_LOG_OUTSTANDING_MAX];	/* indices + 1, see take_index() */
	u32 outstanding;
	u64 bytes;
	u64 next_id;
	bool draining;		/* the leader is none any more: send nothing, take its answers */

	struct pxs_sub sub;
	struct pxs_call call;
};

static inline void pxs_due(struct pxs_log *log, u64 at)
{
	log->due = min(log->due, at);
}

/* Have process() called soon: something was asked for outside of it. */
void pxs_kick(struct pxs_log *log);
/* Remember trouble: @err is -errno. */
void pxs_note(struct pxs_log *log, const char *path, int err);
/* A daemon's own words in log->words, for any terminal. */
void pxs_note_words(struct pxs_log *log, const struct pxs_answer *m);
void pxs_learn_slot(struct pxs_log *log, u64 slot);
/* The library's error for a daemon's; -1: a daemon does not say that. */
int pxs_error_of(u64 client_error);
bool pxs_slot_ok(u64 slot);

/* search.c: which of the sockets is the leader's */
void pxs_search_step(struct pxs_log *log);
/* Every address has answered or failed since the search began. */
bool pxs_search_round(const struct pxs_log *log);
/* Why there is no leader: PXS_LOG_NOT_LEADER, NO_GROUP or UNREACHABLE. */
int pxs_search_verdict(const struct pxs_log *log);
void pxs_search_lost(struct pxs_log *log, struct pxs_peer *p, int err);

/* propose.c */
void pxs_propose_step(struct pxs_log *log);
void pxs_propose_abandon(struct pxs_log *log);
/* Who leads, so far as is known, does not: when what it was sent is answered, look anew. */
void pxs_leader_doubt(struct pxs_log *log);

/* subscribe.c */
void pxs_sub_step(struct pxs_log *log);
void pxs_sub_exit(struct pxs_log *log);

/* call.c */
void pxs_call_step(struct pxs_log *log);

#endif /* PXS_LIB_HANDLE_H */
