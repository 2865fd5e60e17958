/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sim.h - whole clusters in one process, in virtual time
 *
 * Each node has two halves that crash apart, as in life: the module (the shipped
 * group and stage; memory only) and the agent (the shipped election, a learner, a
 * journal with a durable and a volatile part). Everything is drawn from one seed:
 * the same seed is the same run, event by event.
 *
 *   world.c    the event heap, the random numbers, one schedule from start to end
 *   net.c      datagrams: real encoding, loss, duplication, delay, cuts, bit flips
 *   module.c   the module half: what the kernel shell does with the core
 *   agent.c    the agent half: recovery, journal, election, learner, clients
 *   fault.c    which faults a schedule has, and when they strike
 *   check.c    the omniscient observer: what must never happen
 *   main.c     arguments, many schedules, rates
 */
#ifndef PXS_SIM_H
#define PXS_SIM_H

#include "group.h"	/* kmod/core */
#include "elect.h"	/* agent */

#define SIM_NODES	7
#define SIM_SLOTS	4096	/* a schedule stops proposing before */
#define SIM_NOOP	1ull	/* value number of a no-op */
#define SIM_GROUP	9

/* Fault classes; a schedule draws which of them it has (swarm testing). */
enum sim_fault {
	F_LOSS,		/* datagrams are lost */
	F_DUP,		/* ... delivered twice */
	F_LATE,		/* ... delayed by much more than a time-out */
	F_FLIP,		/* ... damaged by one bit */
	F_CUT,		/* one-way cuts of single links */
	F_PART,		/* partitions: two sets, one-way or both ways, or partial */
	F_AGENT,	/* agents die and come back; modules live on */
	F_NODE,		/* nodes lose power */
	F_TEAR,		/* ... in the middle of a record */
	F_FLUSHED,	/* ... right after a flush, before anybody heard of it */
	F_SENT,		/* ... right after an answer left */
	F_PAUSE,	/* whole nodes stop for a while */
	F_STOP,		/* agents stop for a while (SIGSTOP) */
	F_DISK,		/* flushes take long */
	F_FAIL,		/* a flush fails (S4) */
	F_ROT,		/* values rot in the journals of a minority */
	F_REPLY,	/* the reply to a command is lost */
	F_DROP,		/* forwarded datagrams do not reach the agent */
	F_BIG,		/* large values: pages, credits */
	F_BUSY,		/* many proposals: the window is full and wraps */
	F_LAG,		/* what a module says waits in its agent's socket */
	F_ASYNC,	/* commands take their time, or their replies do */
	F_MAX
};

struct sim_param {
	u32 n;
	u32 window;
	u32 heartbeat;
	u32 election;
	u32 faults;		/* bitmap of enum sim_fault */
	u32 loss, dup, late;	/* per 1024 datagrams */
	u32 net_ms, disk_ms;	/* typical delays */
	u32 fault_ms;		/* mean time between faults */
	u32 rest;		/* clients come in one of so many ticks */
	u32 rot;		/* bitmap of nodes whose disk rots: a minority */
	u64 heal;		/* when the faults end */
	u64 end;		/* when a schedule that has not converged has failed */
};

enum sim_event_type {
	E_NET,		/* a datagram reaches a module */
	E_UP,		/* a message of the module reaches its agent */
	E_TICK,		/* the module's timer */
	E_AGENT,	/* the agent's timer */
	E_FLUSH,	/* the disk finished */
	E_ACK,		/* JOURNAL_DURABLE reaches the module */
	E_BOOT,		/* a node comes back */
	E_START,	/* an agent comes back */
	E_ATTACH,	/* ... and has read its journal */
	E_FAULT,
	E_MEND,		/* one cut ends */
	E_CRASH,	/* a node loses power */
	E_DONE,		/* an agent's command was executed, or is now */
	E_STOP,		/* an agent stops for a while */
};

struct sim_event {
	u64 at;
	u64 seq;
	u8 type;
	u8 node;
	u8 what;	/* E_UP: PXS_CMD_EVENT_* */
	u32 life;	/* of the module or agent it is meant for */
	u64 a, b, c;
	u32 len;
	u8 *data;
};

/* The journal of a node: it outlives both halves. */
struct sim_journal {
	u64 incarnation;
	u8 *buf;
	u32 len, cap;		/* bytes written */
	u32 durable;		/* bytes flushed */
	u64 last_lsn;		/* of the records written */
	u64 durable_lsn;
};

struct sim_module {
	bool up;
	u32 life;
	struct pxs_stage stage;
	u8 *ring;
	u32 *length;
	struct pxs_group group;
	struct pxs_slot *slot;
	struct pxs_parked *parked;
	u64 commit;		/* as the observer last saw it */
	u64 promise_left;	/* highest PROMISE that left, and the newest LSN then */
	u64 promise_left_lsn;
	u64 watched_lsn;	/* records seen by the observer */
	u64 led;		/* observer: a ballot led here, and the commit index it told */
	u64 led_commit;
};

/* What the agent knows of a slot. */
struct sim_known {
	u64 vid;		/* 0: damaged */
	u64 ballot;
	u64 lsn;
	u32 at;			/* of the record in the journal */
	bool decided;		/* by a record of its own */
};

struct sim_agent {
	bool up;		/* the process is there */
	bool attached;
	u32 life;
	s64 epoch;
	struct pxs_elect elect;
	struct pxs_elect_action out;	/* a command that is not done yet */
	u64 out_slot;
	int out_ret;
	bool out_sent;		/* executed: only the reply is missing */
	bool flushing;
	u32 flush_len;		/* bytes that the flush in flight covers */
	u64 flush_lsn;
	u64 want_commit;	/* DECIDED: apply when records up to want_lsn are here */
	u64 want_lsn;
	u64 applied;
	u64 read_commit;	/* highest COMMIT record read so far */
	u64 read_promised;	/* highest ballot read so far */
	u64 last;		/* highest slot with a record */
	bool lenient;		/* a damaged record of a decided slot is no news */
	struct sim_known *known;	/* SIM_SLOTS */
};

struct sim_node {
	u8 id;
	struct sim_journal journal;
	struct sim_module mod;
	struct sim_agent agent;
	u64 paused, stopped;	/* until */
	u64 up_last;		/* FIFO: when the newest message to the agent arrives */
	u64 counter;
	u64 durable_promise;	/* observer: highest ballot promised on disk */
	bool dead;		/* fenced by a failed flush: only a restart helps */
};

struct sim_stat {
	u64 events, faults, datagrams, decided, elections, acked, by_fault[F_MAX];
};

struct sim {
	u64 seed;
	u64 random;
	u64 now;
	u64 seq;
	struct sim_param p;
	struct sim_event *heap;
	u32 heap_len, heap_cap;
	struct sim_node node[SIM_NODES];
	u8 cut[SIM_NODES][SIM_NODES];	/* [from][to]: lost; counts */
	bool healed;
	u64 heal_vid;		/* the first value proposed after healing */
	u64 healed_vid;		/* ... and acknowledged */
	u64 next_vid;
	struct sim_check *check;
	struct sim_stat stat;
	bool failed;
	bool trace;
	char why[256];
};

/* world.c */
u64 sim_random(struct sim *s);
u64 sim_below(struct sim *s, u64 n);	/* 0..n-1; 0 for n 0 */
bool sim_has(const struct sim *s, enum sim_fault f);	/* the class is on, and not healed */
bool sim_chance(struct sim *s, enum sim_fault f, u32 one_in);
struct sim_event *sim_post(struct sim *s, u64 at, u8 type, u8 node, u32 life);
void sim_run(struct sim *s, u64 seed, bool trace);
void sim_free(struct sim *s);
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace_dump(void);
#define TRACE(s, ...) do { if ((s)->trace) sim_trace(s, __VA_ARGS__); } while (0)

/* net.c */
void sim_send(struct sim *s, struct sim_node *n, const struct pxs_msg *m, const u8 *body);
void sim_deliver(struct sim *s, struct sim_event *e);

/* module.c */
void sim_module_boot(struct sim *s, struct sim_node *n);
void sim_module_crash(struct sim *s, struct sim_node *n);
void sim_module_recv(struct sim *s, struct sim_node *n, const struct pxs_msg *m, const u8 *body);
void sim_module_tick(struct sim *s, struct sim_node *n);
void sim_module_ack(struct sim *s, struct sim_node *n, u64 epoch, u64 lsn);
void sim_module_release(struct sim *s, struct sim_node *n);
void sim_module_out(struct sim *s, struct sim_node *n, struct pxs_out *out);
void sim_module_pump(struct sim *s, struct sim_node *n);

/* agent.c */
void sim_agent_start(struct sim *s, struct sim_node *n);
void sim_agent_attach(struct sim *s, struct sim_node *n);
void sim_agent_crash(struct sim *s, struct sim_node *n);
void sim_agent_up(struct sim *s, struct sim_node *n, struct sim_event *e);
void sim_agent_tick(struct sim *s, struct sim_node *n);
void sim_agent_flushed(struct sim *s, struct sim_node *n);
void sim_agent_done(struct sim *s, struct sim_node *n);
u32 sim_index(const struct sim *s, const struct sim_node *n);

/* fault.c */
extern u32 sim_exclude;	/* bitmap of enum sim_fault: never */
void sim_fault_draw(struct sim *s);
void sim_fault_strike(struct sim *s);
void sim_fault_mend(struct sim *s, struct sim_event *e);
void sim_fault_heal(struct sim *s);
void sim_fault_stop(struct sim *s, u32 node, u64 ms);
void sim_node_crash(struct sim *s, struct sim_node *n);
/* Soon: after what happens now has happened. */
void sim_node_crash_soon(struct sim *s, struct sim_node *n);

/* check.c: every call may sim_fail() */
struct sim_check *sim_check_new(void);
void sim_check_reset(struct sim_check *c);
void sim_check_free(struct sim_check *c);
/* Bytes of a value and back; 0: damaged. */
u32 sim_value_bytes(u64 vid, bool big, u8 *buf);
u64 sim_value_vid(const u8 *data, u32 len, bool noop);
void sim_check_prepare(struct sim *s, struct sim_node *n, u64 ballot);
void sim_check_lead(struct sim *s, struct sim_node *n, u64 ballot);
void sim_check_proposed(struct sim *s, struct sim_node *n, u64 ballot, u64 slot, u64 vid);
void sim_check_staged(struct sim *s, struct sim_node *n, const struct pxs_record *r);
void sim_check_durable(struct sim *s, struct sim_node *n, const struct pxs_record *r);
void sim_check_leaves(struct sim *s, struct sim_node *n, const struct pxs_msg *m, const u8 *body);
void sim_check_applied(struct sim *s, struct sim_node *n, u64 slot, u64 vid);
void sim_check_group(struct sim *s, struct sim_node *n);
u64 sim_check_chosen(const struct sim *s, u64 slot);
u64 sim_check_prefix(const struct sim *s);	/* every slot up to it is chosen */

#endif /* PXS_SIM_H */
