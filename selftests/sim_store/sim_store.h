/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sim_store.h - the store above the logs, in one process and in virtual time
 *
 *	main.c     schedules, one seed each
 *	world.c    a schedule: steps of time, what goes wrong, the end
 *	log.c      the logs: who leads, what is decided, who knows
 *	node.c     a node: the daemon's stores, a round of its loop, its death
 *	shell.c    what the stores call: loop, helper thread, fetches, clocks
 *	wires.c    connections between nodes
 *	clients.c  what clients ask
 *	answers.c  ... and are answered
 *	sagas.c    sagas among it
 *	watches.c  transactions that keys are watched for
 *	absent.c   MSETNX
 *	moves.c    RENAME, and MSETNX among other commands
 *	eventual.c what clients ask of eventual keys, and are answered
 *	converge.c what must be so of the tables of these keys
 *	members.c  whose members come and go
 *	history.c  what must be so of all that was answered
 *	state.c    what must be so of the data
 *	trace.c    what happened, in words
 *
 * The stores, their transactions and sagas are the shipped files, from a client's bytes to LMDB,
 * and so are propose.c and readindex.c below them. What is below those is a model: ../sim proves
 * that the logs are logs. Each group's log is a row of slots; what its leader has proposed is
 * decided in order, or, when another one leads, may be kept, may be an empty slot, or gone. A
 * leader that is not one any more learns that late. Nodes hear of what is decided at their own
 * pace, stand still, are cut off, and die with all that is not in their files.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include "node.h"
#include "store/store.h"

#define SS_NODES	3u
#define SS_GROUPS	3u
#define SS_CLIENTS	6u
#define SS_STEP_MS	4u

#define SS_LISTS	6u	/* keys to which tokens are appended: two of each group */
#define SS_ACCOUNTS	6u	/* likewise, whose sum is 0 */
#define SS_TWINS	3u	/* one of each group, always written together */
#define SS_KEYS		(SS_LISTS + SS_ACCOUNTS + SS_TWINS)
#define SS_KEY_MAX	16u
#define SS_TOKEN	5u	/* bytes: "%04x." of the operation's number */
#define SS_OPS		600u
#define SS_ACCESSES	6u
#define SS_CHANGES	12u	/* of members */

/*
 * With a leader in each group, no key is locked so long after all is well (virtual ms), and the
 * difference of clocks: what is not ready after 2 s is aborted then, and the rest is steps.
 */
#define SS_ORPHAN_MS	3000u
/* ... and every client has its answer. */
#define SS_ANSWER_MS	16000u

/*
 * All members have the same eventual keys so long after all is well (virtual ms): who does not know
 * that the machine that it asks was gone asks anew after PXS_EVENTUAL_LATE_MS.
 */
#define SS_CONVERGE_MS	9000u
/* ... and no mark is left of what was deleted, and the difference of clocks. */
#define SS_MARKS_MS	16000u
/* Both, where members change: and what the others wait for the last word of who was removed. */
#define SS_PARTING_MS	10000u

#define SS_EPOCH_MS	1700000000000ull

#define U(x)		((unsigned long long)(x))

/* --- logs (log.c) -------------------------------------------------------------- */

struct ss_entry {
	u8 *data;		/* NULL: an empty slot */
	u32 len;
	u64 ballot;
	bool digested;		/* a member has been here: with this outcome */
	u8 digest[16];
};

#define SS_LOST		4u

struct ss_log {
	struct ss_entry *entry;	/* [slot - 1] */
	u32 n, room;		/* slots that have a value */
	struct ss_entry lost[SS_LOST];	/* proposed once, and not decided so far */
	u32 decided;
	u32 leader;		/* SS_NODES: none */
	u64 ballot;
	u64 since;		/* when it began, or when the leader was seen last */
};

/* --- nodes (node.c, shell.c) --------------------------------------------------- */

/* What a node's ring holds. */
struct ss_sqe {
	struct pxs_op *op;
	u8 opcode;
	u8 *to;
	u32 len;
	int fd;
	bool cancelled;
};

#define SS_SQES		128u
#define SS_JOBS		16u
#define SS_ROUNDS	8u

struct ss_round {		/* of reads */
	u64 ballot, number, index, due;
};

struct ss_node {
	u32 i;
	struct pxs_datapath dp;
	struct pxs_node node;
	struct pxs_replica replica[SS_GROUPS];
	struct pxs_group_config group[SS_GROUPS];
	struct pxs_store_config config[SS_GROUPS];
	bool up;
	u64 up_at;		/* down until then */
	u64 cut;		/* cut off from the others until then */
	u64 asleep;		/* runs nothing until then */
	u64 epoch;		/* of the members that it goes by */
	u64 removed;		/* it was, and knows it, of this epoch; 0: no */
	bool deaf_to_it;	/* it will not hear that it was */
	u64 deaf[SS_GROUPS];	/* hears nothing of what is decided there until then */
	u64 ticked;
	s64 skew;		/* of its clock, ms */
	u32 known[SS_GROUPS];	/* slots that it knows to be decided; its journal remembers them */
	u64 given[SS_GROUPS];	/* slot that it gave last, as a leader or one that believed so */
	u64 rounds;
	struct ss_round round[SS_GROUPS][SS_ROUNDS];
	u32 nrounds[SS_GROUPS];
	struct ss_sqe sqe[SS_SQES];
	u32 nsqes;
	struct pxs_job *job[SS_JOBS];
	u32 njobs;
	bool looks;		/* something may have changed in its eventual keys */
	bool ran;		/* the first of them has, and the loop has not heard of it */
	struct pxs_fetch *fetch[SS_GROUPS];	/* that goes on in a later round */
	u32 nfetches;
	u64 seen[SS_GROUPS];	/* applied when its data was looked at last */
};

/* --- what clients did (clients.c) ------------------------------------------------ */

enum ss_kind {
	SS_APPENDS,		/* EXEC or a single command of APPEND and GET */
	SS_ONCE,		/* one APPEND by PAXSTEER SESSION RUN, until it is answered */
	SS_TRANSFER,		/* EXEC of two INCRBY */
	SS_AUDIT,		/* MGET of all accounts */
	SS_WRITE_TWINS,
	SS_READ_TWINS,
	SS_READS,		/* GETs in a pipeline: the next ones are of SS_APPENDS */
	SS_WATCH,		/* WATCH and GET, then EXEC of APPENDs to these keys or others */
	SS_ABSENT,		/* MSETNX of keys that nobody deletes */
	SS_MOVES,		/* what is at a key is moved to another */
	SS_OTHER,		/* keys that expire, sessions that begin */
	SS_SAGA,		/* PAXSTEER SAGA BEGIN, until it is answered */
	SS_KINDS
};

enum ss_outcome { SS_PENDING, SS_DONE, SS_NOT_DONE, SS_UNKNOWN };

struct ss_access {
	u32 key;
	bool append;
	u32 at;			/* append: tokens then, with its own; 0: not known */
	char *text;		/* read */
};

struct ss_op {
	enum ss_kind kind;
	enum ss_outcome outcome;
	u64 begun, ended;	/* in the order of all that clients did */
	u32 client;
	u32 n;
	struct ss_access access[SS_ACCESSES];
	bool exec;
	u32 follows;		/* its number behind the operation in front of it in a pipeline */
	u32 pool, wants;	/* SS_ABSENT: which keys; a bit for each group's */
	u32 took;		/* ... they were its */
	u32 verb, from, to;	/* SS_MOVES: what, to which groups' keys of the pool */
	u32 saw[SS_GROUPS];	/* ... what was read */
};

struct ss_client {
	u32 i;
	struct ss_node *node;
	struct pxs_conn *conn;	/* NULL: none */
	struct pxs_reply in;	/* answers so far, as bytes */
	u8 *out;		/* to be received by the node */
	u32 out_len, out_room;
	u32 want;		/* answers to what is under way; 0: nothing is */
	struct ss_op *op;
	u64 next;		/* when it asks something */
	int there;		/* node that it shall ask; -1: any */
	u64 session, number;	/* in group session_group; 0: none */
	u32 session_key;	/* list whose group it is of */
	u32 tries;
	bool watching;		/* SS_WATCH: its EXEC is to follow */
	bool weak;		/* ... and it asks this node for old versions and values */
	u32 extra;		/* ... so many answers in front of those of the GETs */
	u32 reads;		/* SS_READS: so many operations, from op on */
};

/* --- all of it ------------------------------------------------------------------- */

struct ss_stat {
	u64 steps, slots, commits, leaders, lost;
	u64 crashes, power, cuts, sleeps, deaf, jumps;
	u64 ops, done, not_done, unknown, again;
	u64 committed, aborted, sagas, undone, orphan_ms;
	u64 watched, changed, taken, there, moved, unmoved;
	u64 removed, parted;
	u64 evwrites, evreads, tables, pulled, swept, converge_ms, marks_ms;
};

struct ss {
	u64 rng, now, seed;
	struct ss_log log[SS_GROUPS];
	struct ss_node node[SS_NODES];
	struct ss_client client[SS_CLIENTS];
	struct ss_op op[SS_OPS];
	u32 nops;
	u64 order;		/* counts what clients do */
	struct ss_node *at;	/* whose code runs; NULL: ours */
	char key[SS_KEYS][SS_KEY_MAX];
	char saga_key[SS_GROUPS][SS_KEY_MAX];
	u32 sagas;
	u32 absent, moves;	/* operations of that kind */
	bool calm;		/* nothing goes wrong any more */
	bool last;		/* clients ask nothing new */
	u32 lists;		/* that are used: few are met by many */
	u32 full;		/* maxmemory, when it is small; 0: there is none */
	u64 skew;		/* of clocks at most, ms */
	u32 pieces;		/* per mille of values behind which a fetch waits */
	bool eventual;		/* there are eventual keys */
	bool changes;		/* ... and members come and go */
	u64 epoch;		/* the last one that was decided */
	u8 left[SS_CHANGES];	/* node that epoch 2, 4 ... is without, by half of that */
	u32 wild;		/* per mille of steps in which something goes wrong */
	bool failed;
	char why[256];
	bool tracing;
	u64 digest;		/* of everything that clients were told */
	struct ss_stat stat;
};

extern struct ss sim;
extern const char *ss_dir;

u64 ss_random(u64 below);
static inline bool ss_chance(u32 permille) { return ss_random(1000) < permille; }

__attribute__((format(printf, 1, 2))) void ss_fail(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void ss_trace(const char *fmt, ...);
void ss_trace_dump(void);
void ss_trace_clear(void);
void ss_note(const void *bytes, u32 len);	/* into sim.digest */

/* --- world.c --- */
void ss_run(u64 seed, bool tracing);

/* --- log.c --- */
void ss_log_init(void);
void ss_log_free(void);
void ss_log_step(void);			/* leaders change, slots are decided */
void ss_log_hear(struct ss_node *n);	/* what this node learns of it in a round */
bool ss_hears(const struct ss_node *n);	/* up, awake, not cut off */
extern const struct pxs_datapath_ops ss_datapath;

/* --- node.c --- */
void ss_node_start(struct ss_node *n);
void ss_node_round(struct ss_node *n);
/* @power: the machine, so its files are not to be believed. */
void ss_node_crash(struct ss_node *n, bool power);
struct pxs_store *ss_store(const struct ss_node *n, u32 group);

/* --- shell.c --- */
void ss_shell_round(struct ss_node *n);
void ss_remove(const char *path);

/* --- wires.c --- */
struct ss_wire;
bool ss_wire_op(const struct ss_sqe *q, int *res);	/* true: it has ended */
struct ss_wire *ss_wire_open(struct ss_node *n);	/* of a client */
void ss_wire_put(struct ss_wire *w, const void *bytes, u32 len);
u32 ss_wire_get(struct ss_wire *w, void *to, u32 room);
bool ss_wire_over(const struct ss_wire *w);	/* nothing comes any more */
void ss_wire_close(struct ss_wire *w);
void ss_wires_freed(const struct pxs_conn *conn);
void ss_wires_died(const struct ss_node *n, bool power);
void ss_wires_heal(void);
void ss_wires_free(void);

/* --- eventual.c --- */

#define SS_EV_KEYS	4u
#define SS_EV_FIELDS	3u
/* Of each key the whole, then its fields. */
#define SS_EV_OF_KEY	(1 + SS_EV_FIELDS)
#define SS_EV_ELEMENTS	(SS_EV_KEYS * SS_EV_OF_KEY)

void ss_eventual_init(void);
void ss_eventual_config(struct pxs_store_config *c);
void ss_eventual_step(void);
bool ss_eventual_idle(void);
bool ss_eventual_loses(void);			/* a table is lost with its member's death */
void ss_eventual_lost(const struct ss_node *n);	/* its table is */
void ss_eventual_end(void);			/* ask all for their digests */
void ss_eventual_free(void);
u32 ss_eventual_element(struct pxs_str key, struct pxs_str field, bool whole);

/* --- converge.c --- */
struct ss_kept {		/* of an element; nothing: time is 0 */
	struct pxs_stamp stamp;
	u64 deadline;
	u32 op;			/* that wrote it */
	bool dead;
	bool here;		/* now, too */
};

void ss_converge_init(void);
void ss_converge_look(struct ss_node *n);
void ss_converge_lost(const struct ss_node *n);
void ss_converge_gone(void);		/* a member was removed */
/* @by, which was removed, has told @n all that it had. */
void ss_converge_told(const struct ss_node *n, const struct ss_node *by);
/* What @n has, or had last, of each element. */
const struct ss_kept *ss_converge_kept(const struct ss_node *n);
bool ss_converge_same(void);		/* all members have the same */
bool ss_converge_clean(void);		/* ... and no marks, nor deadlines */
void ss_converge_end(void);

/* --- members.c --- */
void ss_members_fill(struct ss_node *n);	/* as of n->epoch */
bool ss_members_gone(const struct ss_node *n);	/* its table has no future */
void ss_members_change(void);
void ss_members_heal(void);			/* nobody is away */
void ss_members_hear(struct ss_node *n);
void ss_members_look(const struct ss_node *n);	/* after a round */

/* --- clients.c, answers.c --- */
/* A command as a client sends it, to pxs_reply_free(). */
struct pxs_reply ss_command(u32 argc, const char *const *argv);
void ss_clients_init(void);
void ss_clients_step(void);
void ss_clients_free(void);
bool ss_clients_idle(void);
void ss_client_lost(struct ss_client *c);	/* its connection is */
void ss_client_got(struct ss_client *c, const u8 *bytes, u32 len);
void ss_client_say(struct ss_client *c, u32 argc, const char *const *argv);
u32 ss_list(void);			/* one at random */
const char *ss_token(const struct ss_op *op);
void ss_op_end(struct ss_client *c, enum ss_outcome outcome);
void ss_answered(struct ss_client *c);	/* all answers are in c->in */

/* "-MOVED ...": it asks there the next time. Return: it says so. */
bool ss_go_there(struct ss_client *c, const char *answer);
void ss_ask_again(struct ss_client *c);		/* the same, where it is to be asked */
char *ss_take(struct ss_client *c, u32 *at, s64 *number);
u32 ss_first_of_array(struct ss_client *c, u32 at);
#define SS_TRIES	3u

/* --- watches.c --- */
void ss_watch_begin(struct ss_client *c);
void ss_watch_say(struct ss_client *c);
bool ss_watch_answered(struct ss_client *c);	/* of WATCH and GET; false: refused, and over */
void ss_watch_done(struct ss_client *c, u32 at);

/* --- absent.c --- */
void ss_absent_begin(struct ss_client *c);
void ss_absent_say(struct ss_client *c);
void ss_absent_answered(struct ss_client *c, s64 number);
bool ss_absent_look(u32 id);	/* Return: it is one that took effect, or was told why not */
void ss_absent_orders(void (*before)(u32 a, u32 b));

/* --- moves.c --- */
void ss_move_begin(struct ss_client *c);
void ss_move_say(struct ss_client *c);
void ss_move_answered(struct ss_client *c, u32 at);
void ss_moves_check(void);

/* --- sagas.c --- */
void ss_saga_begin(struct ss_client *c);
bool ss_saga_answered(struct ss_client *c, u64 number);	/* false: it is asked once more */
bool ss_sagas_over(struct ss_node *n);
void ss_sagas_check(struct ss_node *n);

/* --- history.c, state.c --- */
void ss_history_check(void);
void ss_state_look(struct ss_node *n);	/* after a round */
bool ss_state_quiet(bool all);		/* no key is locked; @all: nothing is under way */
void ss_state_end(void);
char *ss_state_value(struct ss_node *n, const char *key);	/* to free(); NULL: none */
u32 ss_key_group(const char *key);

#endif /* SIM_STORE_H */
