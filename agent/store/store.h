/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store.h - the replicated store of one group, spoken to by the Redis protocol
 *
 *	listen.c    sockets, accepting
 *	place.c     who may come
 *	conn.c      a client's bytes in and out; requests in their order
 *	turn.c      which client is next, and for how long
 *	session.c   what a request means on its connection: who may, when, where
 *	cmd_*.c     what a command does to the data
 *	submit.c    requests into the log, and read indexes or barriers for reads
 *	checkpoint.c  the data made durable, image.c its file
 *	fresh.c     how old is what is here? ask.c asks the leader
 *	borrow.c    another member's checkpoint, when the logs begin later; lend.c gives ours
 *	drive.c     steps of sagas into the log
 *	store.c     the log into the data (apply.c, db.c), and answers to who waits
 *	eventual.h  keys that are written without the log
 *	stats.c     what was executed, for INFO
 *	set.c       several groups that are one store; route.c, spread.c: which of them are asked
 *	cross.c     a client's transaction over several of them; cross_drive.c: its steps,
 *	            settle.c: what its commands do that depend on one another's group
 *	lock_wait.c  commands whose keys such a transaction has
 *
 * A write is answered when its entry was decided by a quorum, was on their disks, and was
 * applied here. A strong read waits for a read index: a quorum says, after the read arrived, that
 * this member leads, and what was acknowledged before is in the slots up to it; once they are
 * applied here, the read is answered. Where the time matters, because a key has expired or it is
 * asked for how long one has yet, it waits for a barrier instead: an entry without commands, which
 * tells the log what time it is. One of them is under way at a time, and serves all reads that
 * waited when it began; both are called a barrier below. Other reads are answered from what is here
 * as soon as that is new enough for their level (pxs_session_readable()), or never. Everything
 * happens in the loop's thread.
 */
#ifndef PXS_STORE_STORE_H
#define PXS_STORE_STORE_H

#include "../flight.h"
#include "../node.h"
#include "../store_config.h"
#include "apply.h"
#include "ask.h"
#include "borrow.h"
#include "checkpoint.h"
#include "cross.h"
#include "cross_drive.h"
#include "drive.h"
#include "eventual.h"
#include "fresh.h"
#include "lend.h"
#include "place.h"
#include "resp_read.h"
#include "set.h"
#include "stats.h"
#include "tx_late.h"

#define PXS_CONN_OUT_MAX	(64u << 20)	/* answers that wait; the client is cut off then */
#define PXS_CONN_OUT_HIGH	(256u << 10)	/* ... nothing more of it is looked at then */
#define PXS_CONN_REQUESTS_MAX	1024u		/* requests of one client under way */
#define PXS_CONN_BYTES_MAX	(4u << 20)	/* ... and their bytes */
#define PXS_CONN_NAME_MAX	256u
#define PXS_WORD_MAX		23u	/* of "list" in "client|list" */
#define PXS_TX_COMMANDS_MAX	4096u		/* between MULTI and EXEC */
#define PXS_TX_WATCHES_MAX	1024u
#define PXS_TX_PATTERNS_MAX	1024u		/* bytes of patterns between MULTI and EXEC */

struct pxs_store;
struct pxs_conn;

enum pxs_request_state {
	PXS_REQUEST_NEW,
	PXS_REQUEST_LOCKED,	/* waits for a key that a transaction has (lock_wait.c) */
	PXS_REQUEST_PROPOSED,	/* on its way into the log */
	PXS_REQUEST_DECIDED,	/* in the log; not applied here yet */
	PXS_REQUEST_READS,	/* waits for a barrier, or until what is here is new enough */
	PXS_REQUEST_SAVES,	/* waits for a checkpoint */
	PXS_REQUEST_PARTS,	/* waits for its parts, one in each group (spread.c) */
	PXS_REQUEST_READABLE,	/* may read now, when it is its turn */
	PXS_REQUEST_DONE,
};

struct pxs_request {
	struct pxs_request *next;	/* of the connection */
	struct pxs_request *link;	/* in a list of the store */
	struct pxs_conn *conn;
	struct pxs_store *store;	/* whose group has its keys; any may: that of conn */
	struct pxs_request *parent;	/* it is a part of this one */
	struct pxs_request *parts;	/* ... and these are its own, by next */
	u32 waiting;			/* ... so many without an answer */
	struct pxs_cross *cross;	/* it is a transaction over several groups (cross.c) */
	bool instead;			/* a part: what it says is the answer to the whole */
	bool turn;			/* its keys are free now, and it is its turn */
	const struct pxs_command *cmd;	/* NULL: not known */
	enum pxs_request_state state;
	bool broken;			/* cannot be read: the answer is the reader's error */
	bool mute;			/* its answer does not go out (CLIENT REPLY) */
	bool loud;			/* ... but this one does */
	u64 slot;			/* DECIDED: its own */
	u64 arrived;			/* a read: ns, steady */
	u64 began;			/* ns, steady; 0: it was rejected, or not begun yet */
	bool queued;			/* between MULTI and EXEC, to be executed with that */
	struct pxs_request *late;	/* EXEC: what is executed when it is answered (tx_late.h) */
	u32 place;			/* ... of such: where among the others of its transaction */
	u64 deadline;			/* READS, LOCKED: in loop time; 0: it has not waited yet */
	struct pxs_reply out;
	u64 held;			/* bytes of out, as counted */
	struct pxs_stamp stamp;		/* of a write to eventual keys */
	u64 session;			/* PAXSTEER SESSION RUN; 0: none */
	u64 number;			/* ... in it */
	u32 bytes;
	u32 argc;
	struct pxs_str argv[];		/* the bytes follow */
};

struct pxs_request_list {
	struct pxs_request *first;
	struct pxs_request **last;
};

struct pxs_conn {
	struct pxs_conn *next;
	struct pxs_conn *ready_next;
	struct pxs_store *store;
	int fd;
	u64 id;
	char peer[64];
	char *name;
	u64 since;		/* loop time */
	u64 active;		/* ... when it began a request last */
	const char *last_command;	/* that it began, and the word behind it if it has such */
	char last_word[PXS_WORD_MAX + 1];
	bool mute;		/* CLIENT REPLY OFF */
	bool skip;		/* CLIENT REPLY SKIP: the next request */
	unsigned int ops;	/* in the ring */
	bool ready;		/* in the list of those that want a step */
	bool dead;
	bool eof;		/* it will send no more */
	bool closing;		/* nothing more is read; what was asked is answered, then it ends */
	bool member_s;		/* it has a place that is another member's (place.c) */
	bool asked;		/* ... and has asked what members ask */
	u64 memory;		/* as counted last */

	struct pxs_reader reader;
	struct pxs_op recv_op;
	bool receiving;

	struct pxs_reply out;
	struct pxs_op send_op;
	bool sending;
	struct pxs_flight flight;

	/* Requests in order; from todo on nothing was done about them yet. */
	struct pxs_request *first;
	struct pxs_request *todo;
	struct pxs_request **last;
	u32 requests;
	u32 under_way;		/* before todo: not DONE */
	u32 reads;		/* ... of them, reads that wait */
	u32 locked;		/* ... and writes that wait for a key: nothing behind them begins */
	struct pxs_store *begun;	/* where the last one was begun */
	bool eventual;		/* ... which writes eventual keys */
	u64 feed_echo;		/* what the next question of a member repeats (feed.h); 0: none */
	u64 feed_round;		/* ... and that answer's round (confirm.h) */
	u64 bytes;
	u64 held;		/* bytes of answers that wait for those before them */

	/* session.c */
	u8 proto;
	bool authenticated;
	bool readonly;
	const struct pxs_read_level *fallback;	/* the listener's */
	struct pxs_read_level level;
	u64 token[PXS_SHARDS_MAX];	/* highest slot seen of each group */
	struct {
		u64 slot;	/* 0: there was none */
		u64 age;	/* ns; ~0: not known */
		u32 group;
		struct pxs_stamp stamp;	/* slot 0: of eventual keys; time 0: there was none */
	} version;		/* of the last answer on data */
	u64 seq;		/* entries proposed */
	bool multi;
	bool multi_failed;
	u32 queued_count;
	u64 queued_bytes;
	u64 queued_patterns;	/* bytes of them that are matched with (PXS_TX_PATTERNS_MAX) */
	struct pxs_request *queued;	/* of a transaction */
	struct pxs_request **queued_last;
	struct pxs_request *late;	/* tx_late.h */
	u32 watches;
	struct pxs_watch *watch;
	u64 watch_bytes;
	u64 taken_bytes;	/* of commands and watched keys that an EXEC under way has */
};

struct pxs_listener {
	struct pxs_store *store;
	struct pxs_op op;
	int fd;
	bool accepting;
	u64 pause;		/* no more is accepted before then */
	const char *text;
	const struct pxs_read_level *level;
};

/* Settings of Redis's that are remembered: cmd_config.c has their names. */
#define PXS_HINTS	6

struct pxs_store {
	struct pxs_store *next;
	struct pxs_node *node;
	struct pxs_replica *replica;
	const struct pxs_store_config *config;
	struct pxs_set *set;	/* NULL: one group */
	u64 map_slot;		/* set.c: of an entry with its map; ~0: on its way */
	struct pxs_db db;
	struct pxs_hook hook;
	struct pxs_ticker ticker;
	u64 started;
	u64 ticked;
	bool expiry_due;	/* since a tick */

	/* store.c */
	struct pxs_fetch fetch;
	u32 batch;		/* applied since the fetch began */
	u64 batch_len;		/* ... bytes of their answers */
	bool failed;		/* ... and then something went wrong */
	u64 loading;		/* until this slot is applied, it is loading */
	bool stopped;		/* cannot go on: an entry of another version, a damaged slot */
	int stalled;		/* -errno: the disk; tried again */
	u64 retry;
	bool growing;		/* the map is full: a larger one is due */
	struct pxs_op wake_op;
	bool waking;
	struct pxs_request_list decided;	/* by slot */
	struct pxs_request_list applied;	/* in the transaction at hand */

	/* checkpoint.c */
	struct pxs_checkpoint checkpoint;
	struct pxs_request_list saves;	/* wait for the next one */
	struct pxs_request_list saved;	/* wait for the one under way */

	/* submit.c */
	u64 client;		/* random: of this start of this node */
	u64 entries;
	struct pxs_request_list reads;	/* wait for the next barrier */
	struct pxs_request_list barred;	/* wait for the one under way */
	bool barrier;		/* under way */
	bool barrier_known;	/* ... and its slot is */
	bool timeless;		/* it is a read index: the log's time stands still */
	bool late;		/* the next one must be an entry */
	u64 barrier_slot;	/* read when it is applied */
	u64 barrier_since;	/* ns, steady: before it began */
	struct pxs_index_read index;
	struct pxs_request_list stale;	/* reads for which what is here is too old */
	struct pxs_fresh fresh;
	bool want_fresh;	/* somebody has use for a newer point of evidence */
	struct pxs_ask ask;
	struct pxs_drive drive;
	struct pxs_cross_drive cross;
	struct pxs_request_list crossed;	/* transactions that are in the log */
	struct pxs_request_list shares;		/* parts of such, until they are applied here */
	struct pxs_request_list locked;		/* LOCKED: they wait for keys */
	struct pxs_wanted wanted;		/* ... for these */
	struct pxs_borrow borrow;
	struct pxs_lend lend;
	struct pxs_eventual *eventual;	/* of the home of a set; NULL: no such keys */

	/* listen.c, conn.c: of the home of a set */
	struct pxs_listener listener[PXS_STORE_LISTEN_MAX];
	struct pxs_conn *conns;
	struct pxs_conn *ready, *ready_last;	/* who wants to do something, in order */
	u64 turn;		/* ends then (pxs_store_steady()); 0: it has no end */
	struct pxs_op turn_op;
	bool turn_waits;	/* others have theirs */
	u32 nconns;
	u32 nmembers;		/* ... of them, in places of other members */
	u64 http_said;		/* when it was last said that a client speaks HTTP; 0: never */
	u64 next_id;
	u64 memory;		/* of all connections */
	u64 held;		/* ... of answers that go out next; those of parts are not in it */

	/* cmd_config.c */
	s64 hint[PXS_HINTS];	/* what was set, and is of no effect */
	bool hinted;		/* something was */

	struct pxs_stats stats;		/* of the home of a set */
	u64 commands;
	u64 accepted;
	u64 rejected;
	u64 evicted;
	u64 barriers;		/* entries */
	u64 indexes;		/* read indexes */
	u64 applies;
};

static inline void pxs_requests_init(struct pxs_request_list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static inline void pxs_requests_push(struct pxs_request_list *l, struct pxs_request *r)
{
	r->link = NULL;
	*l->last = r;
	l->last = &r->link;
}

static inline struct pxs_request *pxs_requests_pop(struct pxs_request_list *l)
{
	struct pxs_request *r = l->first;

	if (!r)
		return NULL;
	l->first = r->link;
	if (!l->first)
		l->last = &l->first;
	return r;
}

/* Return: it was in the list, and is no longer. */
static inline bool pxs_requests_remove(struct pxs_request_list *l, struct pxs_request *r)
{
	struct pxs_request **p = &l->first;

	while (*p && *p != r)
		p = &(*p)->link;
	if (!*p)
		return false;
	*p = r->link;
	if (l->last == &r->link)
		l->last = p;
	return true;
}

/* All of @from, to the end of @to. */
static inline void pxs_requests_join(struct pxs_request_list *to, struct pxs_request_list *from)
{
	struct pxs_request *r;

	while ((r = pxs_requests_pop(from)))
		pxs_requests_push(to, r);
}

/* --- store.c --- */

/* Stores of all groups that have one; pxs_node_close() ends them. Return: 0 or -errno, said why. */
int pxs_stores_start(struct pxs_node *n);

u64 pxs_store_clock(void);	/* milliseconds of the epoch */
u64 pxs_store_steady(void);	/* nanoseconds, not 0; goes on while the machine sleeps */

/* @r was answered: what is it an answer of? */
void pxs_store_version(struct pxs_store *s, struct pxs_request *r, u64 slot);

/* Run a request that reads, on what is applied here. It may say nothing, if all is well. */
void pxs_store_look(struct pxs_store *s, struct pxs_request *r);

/* ... and be done with it. */
void pxs_store_read(struct pxs_store *s, struct pxs_request *r);

bool pxs_store_leads(const struct pxs_store *s);

/* Where the store of the member with this index listens; NULL: not known. */
static inline const char *pxs_store_where(const struct pxs_store *s, u32 i)
{
	const char *text = s->replica->config->where[i];

	return *text ? text : NULL;
}

/* Index of the member @id, or -1: it is in the group no more. */
static inline int pxs_store_member(const struct pxs_store *s, u8 id)
{
	return pxs_conf_member(&s->replica->config->conf, id);
}

/* What a fetch from the journal has applied between the rounds is committed: it can be read. */
void pxs_store_settle(struct pxs_store *s);

/* It cannot go on behind @slot: it stands still from now on. */
void pxs_store_stop(struct pxs_store *s, u64 slot, const char *reason);

#define PXS_STORE_DAMAGED \
	"its files are damaged; restart paxsteerd, and they are made again"

/* Its files are not to be believed: it stands still, and the next start makes them again. */
void pxs_store_distrust(struct pxs_store *s, const char *reason);

/* --- submit.c --- */

/*
 * Propose an entry for @r. Return: true; r->state is PROPOSED then, else it is done, with
 * the error.
 */
bool pxs_submit(struct pxs_store *s, struct pxs_request *r, u8 kind, const struct pxs_args *command,
		u32 ncommands);

/* Propose an entry PXS_STORE_TX... that no client waits for. Return: it is under way. */
bool pxs_submit_step_of(struct pxs_store *s, const struct pxs_store_entry *e,
			struct pxs_str commands, struct pxs_driven *place);

/* @r is to be read when what is here is new enough for it. */
void pxs_store_wait(struct pxs_store *s, struct pxs_request *r);

/* @r is to be read when a barrier that begins later was applied. */
void pxs_submit_read(struct pxs_store *s, struct pxs_request *r);

/* A read index is applied; has a key expired meanwhile, of which the log must know first? */
bool pxs_submit_late(struct pxs_store *s);

/* Once a round: begin the barrier that is due. */
bool pxs_submit_step(struct pxs_store *s);

/* ns, steady: of how old is the newest evidence that there is, or that is being asked for? */
u64 pxs_submit_newest(const struct pxs_store *s);

/* Keys may have expired and nobody has said so to the log. Between transactions. */
void pxs_submit_expiry(struct pxs_store *s);

/* --- conn.c, listen.c --- */

/* @level: what its reads promise as long as it does not say so. */
struct pxs_conn *pxs_conn_new(struct pxs_store *s, int fd, const struct pxs_read_level *level);
void pxs_conn_ready(struct pxs_conn *c);	/* wants a step */
bool pxs_conn_step(struct pxs_conn *c);

/* Have the clients used up the time that they have in a row? */
bool pxs_turn_over(const struct pxs_store *s);
/* Steps of all clients that are ready, as far as the time goes. Return: something was done. */
bool pxs_turn(struct pxs_store *s);
bool pxs_conn_over(const struct pxs_conn *c);
void pxs_conn_free(struct pxs_conn *c);
void pxs_conn_kill(struct pxs_conn *c);

/* @r has its answer. */
void pxs_request_done(struct pxs_request *r);

/* Its answer is not valid, and will be made again. */
void pxs_request_unsay(struct pxs_request *r);
void pxs_request_free(struct pxs_request *r);	/* with its parts */

/* @r can be read from now on: when what stands before it has its answer, and those are taken. */
void pxs_request_readable(struct pxs_request *r);

/* How large may the answer of @r be, beside those that wait? Asked anew when it is made anew. */
void pxs_request_room(struct pxs_request *r);

/* The answer of @r has grown by @len bytes, or shrunk. */
void pxs_request_hold(struct pxs_request *r, s64 len);

int pxs_listen_start(struct pxs_store *s);
void pxs_listen_stop(struct pxs_store *s);
void pxs_listen_step(struct pxs_store *s);

/* --- session.c --- */

void pxs_session_init(struct pxs_conn *c);
void pxs_session_reset(struct pxs_conn *c);
void pxs_session_exit(struct pxs_conn *c);

/* Begin with @r, the first that nothing was done about. Return: false: later. */
bool pxs_session_begin(struct pxs_conn *c, struct pxs_request *r);

/* Execute @r, a command about the connection or the server. Return: false: it is under way. */
bool pxs_session_local(struct pxs_request *r);

/* PAXSTEER SESSION RUN ID NUMBER COMMAND...: becomes that command; PAXSTEER SAGA likewise. */
void pxs_session_unwrap(struct pxs_request *r);

/* Send @r to where it can be executed: this node cannot. */
void pxs_session_redirect(struct pxs_request *r);

/* @r, a write, has waited long enough for its keys: go on with it. */
void pxs_session_resume(struct pxs_request *r);

/* Begin with a part of a request, in part->store. */
void pxs_session_begin_part(struct pxs_request *part);

/* May its reads be answered by any member? */
bool pxs_session_reads_here(const struct pxs_conn *c);

/* Is what is here new enough for @r, a read that is not strong? */
bool pxs_session_readable(const struct pxs_request *r);

/* Return: a write may be proposed here; else the error is said. */
bool pxs_session_may_write(struct pxs_request *r);

/* --- route.c, spread.c: several groups --- */

enum pxs_route {
	PXS_ROUTE_ONE,		/* r->store is it */
	PXS_ROUTE_ALL,		/* every group, each for itself */
	PXS_ROUTE_CROSS,	/* some of them, in one transaction; r->store is the coordinator */
	PXS_ROUTE_WRONG,	/* said why */
};

enum pxs_route pxs_route(struct pxs_request *r);

/* On data, and without a key? */
bool pxs_route_keyless(const struct pxs_command *cmd);

/*
 * A walk (SCAN) goes from group to group, and its cursor says where it is: take that from the
 * request before it is run, and put it into the answer.
 */
void pxs_route_cursor_in(struct pxs_request *r);
void pxs_route_cursor_out(struct pxs_request *r);

/* Have @r answered by every group that may be asked here. Return: false: it is under way. */
bool pxs_spread(struct pxs_request *r);

/* A part of @r has its answer. */
void pxs_spread_end(struct pxs_request *r);

/* Free the parts, with what they hold. */
void pxs_spread_free(struct pxs_request *r);

/* --- lock_wait.c --- */

/* Has a transaction over several groups a key of @r, of its group, as far as is known here? */
bool pxs_lock_is_held(const struct pxs_request *r);

/*
 * Must @r, a write, wait for a key, or for others that do? Return: it does: it is begun again when
 * its keys are free; or read-wait has passed: TRYAGAIN.
 */
bool pxs_lock_wait(struct pxs_request *r);

/* Once a round, when a transaction has moved or time has passed. Return: did something. */
bool pxs_lock_step(struct pxs_store *s);

/* It was applied, and a key was locked. Return: it waits, to be begun again. */
bool pxs_lock_again(struct pxs_request *r);

/* --- tx.c --- */

void pxs_tx_multi(struct pxs_request *r);
void pxs_tx_discard(struct pxs_request *r);
void pxs_tx_watch(struct pxs_request *r);
/* Its keys that are of @s, within a transaction that reads. It says something if it cannot. */
void pxs_tx_watch_in(struct pxs_store *s, struct pxs_request *r);
void pxs_tx_unwatch(struct pxs_conn *c);
void pxs_tx_free_watches(struct pxs_watch *watch, u32 watches);
void pxs_tx_queue(struct pxs_request *r);	/* keeps a copy of it */

/* Return: false: it is under way. */
bool pxs_tx_exec(struct pxs_request *r);

/* What EXEC would write is more than one entry may, and it was said. */
bool pxs_tx_too_large(struct pxs_request *exec);

/* Commands and what is watched go from the connection, whose transaction ends, to @to. */
void pxs_tx_take(struct pxs_conn *c, struct pxs_cross *to);
void pxs_tx_drop(struct pxs_request *queued);
void pxs_tx_end(struct pxs_conn *c);

/* --- cmd_*.c: answers about the server --- */

#define PXS_COMPATIBLE	"7.0.15"	/* whose words are spoken here */

void pxs_server_hello(struct pxs_request *r);
void pxs_server_auth(struct pxs_request *r);
void pxs_server_client(struct pxs_request *r);
void pxs_server_command(struct pxs_request *r);
void pxs_server_config(struct pxs_request *r);
void pxs_server_function(struct pxs_request *r);
void pxs_server_info(struct pxs_request *r);
void pxs_server_bgsave(struct pxs_request *r);
void pxs_server_lastsave(struct pxs_request *r);
bool pxs_server_paxsteer(struct pxs_request *r);	/* false: it is under way */
void pxs_server_wait(struct pxs_request *r);
void pxs_server_cluster(struct pxs_request *r);
void pxs_server_unknown_sub(struct pxs_request *r);

/*
 * Is this subcommand @word? If so *over is set, and false is returned after the error where the
 * number of arguments is wrong.
 */
bool pxs_server_sub(struct pxs_request *r, const char *word, int arity, bool *over);

/* Is there a configured store address of any member? */
/* A client's name: whether @name may be one (said if not), and set it. */
bool pxs_client_name_holds(struct pxs_request *r, struct pxs_str name);
void pxs_client_set_name(struct pxs_conn *c, struct pxs_str name);

bool pxs_cluster_known(const struct pxs_store *s);

/* Does this member lead a group of it? */
bool pxs_server_leads_any(const struct pxs_store *s);

#endif /* PXS_STORE_STORE_H */
