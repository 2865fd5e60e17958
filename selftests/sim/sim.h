/* SPDX-License-Identifier: GPL-2.0 */
/*
 * sim.h - whole clusters in one process, in virtual time
 *
 * Each node has two halves that crash apart, as in life: the module (the shipped groups on one
 * shipped stage; memory only) and the agent (the shipped daemon, from recovery and journal to
 * election, proposals and lessons, on a ring, a helper thread and a file system that are
 * simulated). Everything is drawn from one seed: the same seed is the same run, event by event.
 *
 *   world.c    the event heap, the random numbers, one schedule from start to end
 *   trace.c    what happened, in words
 *   net.c      datagrams: real encoding, loss, duplication, delay, cuts, bit flips
 *   module.c   the module half: what the kernel shell does with the core
 *   agent.c    the agent half: the daemon's datapath, and what reaches it
 *   life.c     ... its start and its end
 *   config.c   what its configuration file would say
 *   ring.c     what stands in for io_uring and the helper thread
 *   disk.c     a disk with a page cache: what is lost, torn, refused, rotten or misplaced
 *   posix.c    the system calls that the daemon makes, on such a disk
 *   watch.c    the eye of the observer on a disk: which records are really there
 *   fault.c    which faults a schedule has, and when they strike
 *   decay.c    what happens to disks by themselves
 *   change.c   who becomes a member, and who no longer is one
 *   check.c    the omniscient observer: what must never happen
 *   leaves.c   ... what may leave a node (book.h: what it has written down)
 *   shrink.c   a schedule that fails made smaller
 *   main.c     arguments, many schedules, rates
 */
#ifndef PXS_SIM_H
#define PXS_SIM_H

#include "group.h"	/* kmod/core */
#include "node.h"	/* agent */
#include "disk.h"

#define SIM_NODES	7
#define SIM_GROUPS	3
#define SIM_SLOTS	4096	/* a schedule stops proposing before */
#define SIM_NOOP	1ull	/* value number of a no-op */
#define SIM_CONFIG	(1ull << 40)	/* value numbers of configurations begin here */
#define SIM_GROUP	9	/* id of the first group */
#define SIM_STRIKES	256	/* of those that a shrunk schedule can leave out */
#define SIM_IOS		16	/* operations of one agent in flight */

/* Fault classes; a schedule draws which of them it has (swarm testing). */
enum sim_fault {
	F_LOSS,		/* datagrams are lost */
	F_DUP,		/* ... delivered twice */
	F_LATE,		/* ... delayed by much more than a time-out */
	F_FLIP,		/* ... damaged by one bit */
	F_CUT,		/* one-way cuts of single links */
	F_PART,		/* partitions: two sets, one-way or both ways, or partial */
	F_AGENT,	/* agents die, or end, and come back; modules live on */
	F_NODE,		/* nodes lose power */
	F_TEAR,		/* ... in the middle of a block */
	F_FLUSHED,	/* ... right after a flush, before anybody heard of it */
	F_SENT,		/* ... right after an answer left */
	F_PAUSE,	/* whole nodes stop for a while */
	F_STOP,		/* agents stop for a while (SIGSTOP) */
	F_DISK,		/* flushes take long */
	F_STALL,	/* a disk stops for a long time */
	F_FULL,		/* a disk is full for a while */
	F_FAIL,		/* a flush fails (S4) */
	F_WRITE,	/* a write fails, or is short (S4) */
	F_ROT,		/* values rot on the disks of a minority */
	F_DAMAGE,	/* ... any bit, whole blocks, blocks of elsewhere */
	F_SWAP,		/* ... a disk is replaced by an empty one (S3) */
	F_REPLY,	/* the reply to a command is lost */
	F_DROP,		/* forwarded datagrams do not reach the agent */
	F_BIG,		/* large values: pages, credits, segments */
	F_BUSY,		/* many proposals: the window is full and wraps */
	F_LAG,		/* what a module says waits in its agent's socket */
	F_ASYNC,	/* the module hears more while a command is on its way */
	F_SKEW,		/* clocks run at different rates */
	F_JUMP,		/* wall clocks are set, forward and back */
	F_HAND,		/* leaders are told to hand over */
	F_SPLIT,	/* what was linked is submitted in two parts, and runs at once */
	F_TRIM,		/* logs are trimmed, and segments removed */
	F_MEMBER,	/* members are added, promoted, demoted, removed */
	F_MAX
};

struct sim_param {
	u32 n;			/* nodes */
	u32 groups;
	u32 window;
	u32 heartbeat;
	u32 election;
	u32 silence;		/* a disk that does not move for so long is not healthy */
	u64 faults;		/* bitmap of enum sim_fault */
	u32 loss, dup, late;	/* per 1024 datagrams */
	u32 net_ms, disk_ms;	/* typical delays */
	u32 fault_ms;		/* mean time between faults */
	u32 rest;		/* clients come in one of so many ticks */
	u32 weak;		/* bitmap of nodes whose disks rot: a minority of each group */
	u32 memory;		/* bitmap of groups: durability memory (S2) */
	u32 drift;		/* per mille: bound for the clocks of leases; 0: there are none */
	u32 cache;		/* bytes of values in an agent's memory */
	u32 segment;		/* bytes */
	enum pxs_flush flush;
	u64 heal;		/* when the faults end */
	u64 end;		/* when a schedule that has not converged has failed */
};

/* What is left out of a schedule, and how else it differs from what its seed says. */
struct sim_less {
	u64 faults;		/* bitmap: these classes */
	u32 nodes, groups;	/* at most; 0: as drawn */
	u32 strikes;		/* at most, in all; 0: as drawn */
	u64 heal;		/* ms of faults at most; 0: as drawn */
	u64 salt;		/* another run with the same parameters */
	u64 skip[SIM_STRIKES / 64];	/* bitmap: these strikes */
};

enum sim_event_type {
	E_NET,		/* a datagram reaches a module */
	E_UP,		/* a message of the module reaches its agent */
	E_TICK,		/* the module's timer */
	E_AGENT,	/* the agent's timer */
	E_IO,		/* an operation of the agent's ring is done */
	E_JOB,		/* the agent's helper thread is done */
	E_ACK,		/* JOURNAL_DURABLE reaches the module */
	E_BOOT,		/* a node comes back */
	E_START,	/* an agent comes back */
	E_OPEN,		/* ... and opens its journal */
	E_FAULT,
	E_MEND,		/* one cut ends */
	E_CRASH,	/* a node loses power */
	E_STOP,		/* an agent stops for a while */
	E_KILL,		/* an agent is killed */
	E_NONE,		/* taken out */
};

struct sim_event {
	u64 at;
	u64 seq;
	u8 type;
	u8 node;
	u8 group;	/* index */
	u8 what;	/* E_UP: PXS_CMD_EVENT_* */
	bool reborn;	/* E_NET: of a node whose disk was replaced */
	bool lazy;	/* E_UP: EVENT_APPEND's */
	u32 life;	/* of the module or agent it is meant for */
	u32 len;
	u64 a, b, c;
	u8 *data;
};

/* Where a group has its members, and those that may become one (F_MEMBER). */
struct sim_group {
	u32 id;
	u8 n;
	u8 founders;		/* the first of them: members of epoch 1 */
	u8 phase1, phase2;	/* sizes of their quorums; 0: majorities */
	u8 node[SIM_NODES];
};

/* A group on a node. */
struct sim_part {
	bool there;
	u8 index;		/* of the group */
	u8 self;
	struct pxs_group core;
	struct pxs_slot *slot;
	struct pxs_parked *parked;
	u64 counter;		/* of its datagrams */
	bool untold;		/* the agent does not know the commit index: nobody waits for it */

	/* the observer's */
	u64 commit;		/* as last seen */
	u64 promise_left;	/* highest PROMISE that left, and the newest LSN then */
	u64 promise_left_lsn;
	u64 led;		/* a ballot led here, and the commit index it told */
	u64 led_commit;
	/* highest ballot promised on disk: outlives the module; in a memory group, or there */
	u64 durable_promise;
	u64 durable_promise_lsn;
	bool open;		/* its disk says that answers may leave before records are on it */
	u64 opening;		/* LSN of the newest record that says so, or will; 0: took back */
	bool forgot;		/* ... and it stopped since: it must never vote again */
	u64 checkpoint;		/* up to here it was told to trim */
	u64 durable_trim;	/* up to here its disk says that it was */
	u64 voted;		/* highest epoch in which an answer left; outlives all */
	u64 most;		/* highest commit index that it ever had */
	u64 applied;		/* by the agent, as last seen */
	u64 beat[SIM_NODES];	/* newest heartbeat taken from each node: number of its sending */
};

struct sim_module {
	bool up;
	u32 life;
	struct pxs_stage stage;
	u8 *ring;
	u32 *length;
	u64 former;		/* attach epochs before the stage was begun anew */
	u64 heard, moved;	/* the agent, the disk; milliseconds */
	u64 moved_lsn;
	u64 watched_lsn;	/* records seen by the observer */
	u64 memory_lsn;		/* ... and counted, where memory is enough */
	bool ticking;		/* what leaves now leaves by itself, on no command */
	u64 stuck;		/* observer: since when nothing became durable; 0: nothing waits */
};

/* One operation of the agent's ring. */
struct sim_io {
	bool used;
	u8 opcode;
	int fd;
	void *buf;
	u32 len;
	u32 linked;		/* index + 1 of what follows it */
	bool dsync;
	u64 offset;
	struct pxs_op *op;
};

struct sim_agent {
	bool up;		/* the process is there */
	bool open;		/* ... and has opened its journal */
	bool attached;
	bool ending;		/* in order, and waits until all is on disk */
	u32 life;
	u64 epoch;
	struct pxs_node *node;
	struct pxs_datapath dp;
	struct sim_io io[SIM_IOS];
};

struct sim_node {
	u8 id;
	struct sim_disk disk;
	struct sim_module mod;
	struct sim_part part[SIM_GROUPS];
	struct sim_agent agent;
	u64 paused, stopped;	/* until */
	u64 up_last;		/* FIFO: when the newest message to the agent arrives */
	s64 skew;		/* of its monotonic clock, per mille */
	s64 wall;		/* of its wall clock, milliseconds */
	u64 known;		/* its incarnation, as the others know it */
	u64 incarnation;	/* ... as its own configuration says */
	bool dead;		/* fenced by a failed flush: only a restart helps */
	bool lost;		/* its journal is gone or refused: it does not come back */
	bool damaged;		/* its disk was */
	bool reborn;		/* its disk was replaced: it must not count for anything */
	struct sim_watch watch;
};

struct sim_stat {
	u64 events, faults, datagrams, decided, elections, handed, acked, refused, lost, reads,
	    leased, forgot, borrowed, changed, resized, replaced;
	u64 by_fault[F_MAX];
};

/* Independent streams: leaving one class of faults out does not change the others. */
enum sim_stream { R_PARAM, R_WORLD, R_STRIKE, R_HIT, R_FAULT, R_MAX = R_FAULT + F_MAX };

struct sim {
	u64 seed;
	u64 random[R_MAX];
	u64 now;
	u64 seq;
	struct sim_param p;
	struct sim_less less;
	struct sim_group group[SIM_GROUPS];
	struct sim_event *heap;
	u32 heap_len, heap_cap;
	struct sim_node node[SIM_NODES];
	u8 cut[SIM_NODES][SIM_NODES];	/* [from][to]: lost; counts */
	bool healed;
	u32 strikes;
	u64 sends;
	u32 stuck;		/* after healing: this node + 1 has a disk that stands still */
	u64 stuck_wrote[SIM_GROUPS];	/* when its clients last did */
	u64 heal_vid;		/* the first value proposed after healing */
	bool healed_group[SIM_GROUPS];	/* ... and one was acknowledged */
	bool healed_read[SIM_GROUPS];	/* a read that began after healing was answered */
	u64 next_vid;
	struct sim_check *check;
	struct sim_stat stat;
	u64 digest;
	bool failed;
	bool trace;
	const char *kind;	/* of failure: its format */
	char why[512];
};

/* world.c */
u64 sim_draw(struct sim *s, u32 stream);
u64 sim_random(struct sim *s);
u64 sim_below(struct sim *s, u64 n);	/* 0..n-1; 0 for n 0 */
bool sim_has(const struct sim *s, enum sim_fault f);	/* the class is on, and not healed */
bool sim_chance(struct sim *s, enum sim_fault f, u32 one_in);
u64 sim_fault_below(struct sim *s, enum sim_fault f, u64 n);	/* of the class's own stream */
void sim_count(struct sim *s, enum sim_fault f);
u64 sim_clock(const struct sim *s, const struct sim_node *n);	/* monotonic, ms */
struct sim_event *sim_post(struct sim *s, u64 at, u8 type, u8 node, u32 life);
void sim_run(struct sim *s, u64 seed, const struct sim_less *less, bool trace);
void sim_free(struct sim *s);
u32 sim_index(const struct sim *s, const struct sim_node *n);

/* trace.c */
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace_dump(void);
void sim_describe(struct sim *s);
const char *sim_fault_name(u32 f);
const char *sim_wire_name(u32 type);
#define TRACE(s, ...) do { if ((s)->trace) sim_trace(s, __VA_ARGS__); } while (0)
#define U(x)	((unsigned long long)(x))

/* net.c */
void sim_send(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m, const u8 *body);
void sim_deliver(struct sim *s, struct sim_event *e);
/* Up to @max datagrams on their way to @n arrive now. */
void sim_deliver_early(struct sim *s, struct sim_node *n, u32 max);

/* module.c */
void sim_module_boot(struct sim *s, struct sim_node *n);
void sim_module_crash(struct sim *s, struct sim_node *n);
void sim_module_recv(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
		     const u8 *body);
void sim_module_tick(struct sim *s, struct sim_node *n);
void sim_module_ack(struct sim *s, struct sim_node *n, u64 epoch, u64 lsn);
void sim_module_release(struct sim *s, struct sim_node *n);
void sim_module_group_del(struct sim_node *n, u32 g);
void sim_module_tell_all(struct sim *s, struct sim_node *n);
void sim_module_out(struct sim *s, struct sim_node *n, u32 g, struct pxs_out *out);
void sim_module_pump(struct sim *s, struct sim_node *n);
s64 sim_module_attach(struct sim *s, struct sim_node *n, u64 incarnation, u64 next_lsn);
int sim_module_group_add(struct sim *s, struct sim_node *n, const struct pxs_group_conf *conf);
void sim_module_fail(struct sim *s, struct sim_node *n);

/* agent.c */
/* The configuration of the daemon of @n. */
void sim_configure(const struct sim *s, const struct sim_node *n, struct pxs_node *node);
void sim_agent_start(struct sim *s, struct sim_node *n);
void sim_agent_open(struct sim *s, struct sim_node *n);
void sim_agent_end(struct sim *s, struct sim_node *n, bool clean);
void sim_agent_up(struct sim *s, struct sim_node *n, struct sim_event *e);
void sim_agent_tick(struct sim *s, struct sim_node *n);
void sim_agent_settle(struct sim *s, struct sim_node *n);

/* clients.c */
void sim_clients(struct sim *s, struct sim_node *n, u32 g);
/* Return: the leader has begun to. */
bool sim_hand_over(struct sim *s, struct sim_node *n, u32 g, u8 member);
/* Return: its log is being trimmed, below what everybody has, or with @but all others. */
bool sim_trim(struct sim *s, struct sim_node *n, u32 g, bool but);
struct pxs_replica *sim_replica(const struct sim_node *n, u32 g);
int sim_part_of(const struct sim *s, u32 g, u32 node);	/* index in its node[], or -1 */
int sim_group_index(const struct sim *s, u32 id);
/* Would a group (all: SIM_GROUPS) forget what it answered, if memory were lost now? */
bool sim_would_forget(const struct sim_node *n, u32 g);

/* ring.c */
extern struct sim *world;	/* whose code runs: the daemon has no other way to ask */
extern struct sim_node *here;
void sim_enter(struct sim *s, struct sim_node *n);
void sim_ring_hooks(struct pxs_loop *l);
void sim_ring_submit(struct sim *s, struct sim_node *n);
void sim_ring_done(struct sim *s, struct sim_node *n, struct sim_event *e);
void sim_ring_job(struct sim *s, struct sim_node *n, struct sim_event *e);
void sim_ring_killed(struct sim *s, struct sim_node *n);	/* what is in flight may yet land */
const char *sim_last_error(void);

/* posix.c */
struct sim_file *sim_fd_file(int fd);
void sim_fd_close_all(const struct sim_node *n);

/* watch.c */
void sim_watch(struct sim *s, struct sim_node *n);

/* fault.c */
extern u64 sim_exclude;	/* bitmap of enum sim_fault: never */
void sim_fault_param(struct sim *s);
void sim_fault_strike(struct sim *s);
void sim_fault_mend(struct sim *s, struct sim_event *e);
void sim_fault_heal(struct sim *s);
void sim_fault_stop(struct sim *s, u32 node, u64 ms);
void sim_node_crash(struct sim *s, struct sim_node *n);
/* Soon: after what happens now has happened. */
void sim_node_crash_soon(struct sim *s, struct sim_node *n);
/* Return: whether it ran. It comes back by itself. */
bool sim_fault_end_agent(struct sim *s, struct sim_node *n);
/* The agent that runs now dies in @ms. */
void sim_fault_kill_soon(struct sim *s, struct sim_node *n, u64 ms);

/* stuck.c */
bool sim_leads(const struct sim_node *n);	/* in any of its groups */
void sim_stuck_begin(struct sim *s);
void sim_stuck_step(struct sim *s);
bool sim_is_stuck(const struct sim *s, const struct sim_node *n);
bool sim_stuck_writes(struct sim *s, const struct sim_node *n, u32 g);	/* a client does, now */

/* decay.c: what is on the disks of a minority changes by itself */
void sim_rot(struct sim *s, struct sim_node *n);
void sim_damage(struct sim *s, struct sim_node *n);
void sim_swap(struct sim *s, struct sim_node *n);

/* shrink.c */
void sim_shrink(struct sim *s, u64 seed, struct sim_less *less, u32 runs);
void sim_less_print(const struct sim_less *less, char *text, size_t room);
bool sim_less_parse(const char *text, struct sim_less *less);

/* check.c: every call may sim_fail() */
struct sim_check *sim_check_new(void);
void sim_check_reset(struct sim_check *c);
void sim_check_free(struct sim_check *c);
/* Bytes of a value and back; 0: damaged. */
u32 sim_value_bytes(u64 vid, bool big, u8 *buf);
u64 sim_value_vid(const u8 *data, u32 len, u8 flags);	/* PXS_ENTRY_* */
void sim_check_prepare(struct sim *s, struct sim_node *n, u32 g, u64 ballot);
void sim_check_lead(struct sim *s, struct sim_node *n, u32 g, u64 ballot);
void sim_check_proposed(struct sim *s, struct sim_node *n, u32 g, u64 ballot, u64 slot, u64 vid);
void sim_check_staged(struct sim *s, struct sim_node *n, const struct pxs_record *r);
void sim_check_durable(struct sim *s, struct sim_node *n, const struct pxs_record *r);
/* ... the same for one that is staged, where memory is enough. */
void sim_check_memory(struct sim *s, struct sim_node *n, const struct pxs_record *r);
void sim_check_applied(struct sim *s, struct sim_node *n, u32 g, u64 slot, u64 vid);
/* What a client was told: @error 0, and @slot; or why not. */
void sim_check_answer(struct sim *s, u32 g, u64 vid, u32 error, u64 slot);
/* Highest slot that anybody was told of: acknowledged, applied, or the index of a read. */
u64 sim_check_seen(const struct sim *s, u32 g);
/* A read that began when @seen was the highest is told @index. */
void sim_check_read(struct sim *s, struct sim_node *n, u32 g, u64 seen, u64 index);
void sim_check_part(struct sim *s, struct sim_node *n, u32 g);
u64 sim_check_chosen(const struct sim *s, u32 g, u64 slot);
u64 sim_check_prefix(const struct sim *s, u32 g);	/* every slot up to it is chosen */

/* change.c: members change */
u64 sim_config_vid(const u8 *data, u32 len);
u32 sim_node_of(const struct sim *s, u8 id);
bool sim_is_member(const struct sim *s, u32 g, const struct sim_node *n);	/* at last */
bool sim_is_current(const struct sim *s, u32 g, const struct sim_node *n);
bool sim_change(struct sim *s, struct sim_node *n, u32 g, u32 kind, u32 any);

/* leaves.c: a datagram leaves */
void sim_check_leaves(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
		      const u8 *body);

#endif /* PXS_SIM_H */
