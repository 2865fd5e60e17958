/* SPDX-License-Identifier: GPL-2.0 */
/*
 * group.h - one member's part in one Paxos log
 *
 * The state of a group and every input that changes it. A shell (the module, the
 * agent's user datapath, the simulator) owns the memory, takes the group's lock,
 * calls one function, drops the lock, and then does what struct pxs_out says: send,
 * and tell the agent. The functions do no I/O; records go to the stage in the same
 * step (rule S1: what depends on a record is parked here until it is durable).
 *
 *   acceptor.c  promises, accepts, learns, what recovery loads, the parked answers
 *   candidate.c how a ballot is opened
 *   leader.c    slots, votes, the commit index
 *   handover.c  a leader hands over
 *   read.c      does it still lead? what a linearizable read must have applied
 *   lease.c     for how long is it known to?
 *   durability.c what an answer waits for
 *   held.c      what every member has
 *   membership.c  who the members are, and changes of that
 *   learner.c   what others have decided
 *   group.c     who may say what; dispatch; time
 *   out.c       what is to be sent and told
 *
 * Every function here is called with the group's lock held. Time is milliseconds on
 * a monotonic clock of the shell's, read before it took the lock: one call's time may be
 * a little behind that of the call before.
 */
#ifndef PXS_CORE_GROUP_H
#define PXS_CORE_GROUP_H

#include "platform.h"
#include "out.h"
#include "quorum.h"
#include "wire.h"
#include "stage.h"
#include "window.h"

#define PXS_BALLOT_ROUND_MAX	(~0ull >> 8)
#define PXS_SLOT_MAX		0x4000000000000000ull	/* refuse to wrap */

static inline u64 pxs_ballot(u64 round, u8 member)
{
	return round << 8 | member;
}

static inline u64 pxs_ballot_round(u64 ballot)
{
	return ballot >> 8;
}

static inline u8 pxs_ballot_member(u64 ballot)
{
	return ballot & 0xff;
}

struct pxs_member {
	u8 id;
	u64 incarnation;
};

struct pxs_group_conf {
	u32 id;
	u64 epoch;
	u8 cluster[PXS_CLUSTER_LEN];
	u8 nmembers;
	u8 learners;		/* the last so many members do not vote */
	u8 self;		/* index into member[] */
	u8 phase1;		/* voters that are a quorum of phase 1; 0: a majority: quorum.h */
	u8 phase2;		/* ... of phase 2; both are 0, or neither is */
	struct pxs_member member[PXS_MEMBERS_MAX];	/* voters first */
	u32 window;		/* slots, power of two */
	u32 heartbeat_ms;
	u32 election_ms;
	bool memory;		/* durability memory (S2): see durability.h */
	u32 lease_drift;	/* per mille; 0: leaders have no leases: see lease.h */
};

/* Those that the log can bring about; a configuration file begins with 3 or 5. */
#define PXS_VOTERS_MIN		2
#define PXS_VOTERS_MAX		5

/* Of pxs_group_conf.lease_drift: one clock runs twice as fast as another. */
#define PXS_LEASE_DRIFT_MAX	1000

/* Members that vote: indexes below this. All quorums are of them. */
static inline u8 pxs_group_voters(const struct pxs_group_conf *conf)
{
	return conf->nmembers - conf->learners;
}

/* Who promises a ballot, or welcomes it: one of them is in every quorum of phase 2. */
static inline struct pxs_electorate pxs_group_phase1(const struct pxs_group_conf *conf)
{
	return pxs_quorum_of(pxs_group_voters(conf), conf->phase1);
}

/* Who accepts a value, or says of a ballot that it is the newest: one of them in every phase 1. */
static inline struct pxs_electorate pxs_group_phase2(const struct pxs_group_conf *conf)
{
	return pxs_quorum_of(pxs_group_voters(conf), conf->phase2);
}

/* A learner hears and writes all, votes for nothing that counts, and never stands. */
static inline bool pxs_group_learns(const struct pxs_group_conf *conf)
{
	return conf->self >= pxs_group_voters(conf);
}

/* Why a group that was moved will not come back, for the user's eyes. */
#define PXS_REMOVED	"removed from the group by a change of members"

/* An answer that waits for its record (S1). */
struct pxs_parked {
	u64 lsn;
	u64 ballot;
	u64 slot;
	u8 type;		/* PXS_WIRE_PREPARE, PROMISE or ACCEPTED */
	u8 to;			/* member index */
};

/* A leader that hands over takes no proposals: until the other one has taken over, or @until. */
struct pxs_handover {
	bool on;
	u8 to;			/* member index */
	bool heard;		/* it has answered since */
	bool told;
	u64 commit;		/* what it says that it has */
	u64 until;
};

/* Rounds have numbers, which rise for as long as the group is there; a round is of one ballot. */
struct pxs_read {
	u64 given;		/* the highest number that there is */
	u64 wanted;		/* the highest one that somebody waits for */
	u64 round;		/* under way, 0: none; of ours while we lead */
	u64 index;		/* what it is to tell */
	struct pxs_quorum heard;	/* who has answered it */
	u64 asked_ms;		/* when we last asked those who have not */
	/* the newest one that was answered: all that is lower is, too, if of this ballot */
	u64 done;
	u64 done_index;
	u64 done_ballot;
};

/* A leader's right to answer reads by itself for a while: lease.h. Times are of our clock. */
struct pxs_lease {
	/* what we granted */
	u64 granted;		/* highest ballot that we granted one; 0: none */
	u64 until;
	u64 mute;		/* we restarted: no promise before, to anybody */
	/* what is ours */
	u64 round;		/* of reads; what it may bring; 0: it asked for none */
	u64 sent;		/* when it was, at the latest */
	struct pxs_quorum heard;	/* who granted it */
	u64 ballot;		/* what leads with a lease */
	u64 end;		/* ... until then */
	bool used;		/* a read was answered by it since */
	u64 given_up;		/* ballot of ours that has none any more, ever */
	u64 freed;		/* our open ballot may pass leases of this one: it was given up */
};

struct pxs_group {
	struct pxs_group_conf conf;
	u8 state;		/* enum pxs_group_state */
	const char *fence_reason;	/* static string, when fenced */
	struct pxs_stage *stage;
	struct pxs_window window;
	u64 now;		/* as of the newest datagram or tick: it is not earlier than that */

	/* acceptor */
	u64 promised;		/* ballot; nothing below it is accepted */
	u64 promised_lsn;	/* of the record that holds it */
	/* no vote before commit reaches it: recovery could not hold it all */
	u64 mute_until;
	struct pxs_parked *parked;	/* ring of conf.window * 2 entries, memory of the shell */
	u64 parked_head;	/* in LSN order */
	u64 parked_tail;

	/* durability */
	u64 memory_lsn;		/* of the record since which memory is enough; 0: it is not */
	bool ending;		/* the agent ends in order: the disk is waited for again */
	bool forgot;		/* recovery: answers were given that this journal may lack */

	/* learner */
	u64 commit;		/* every slot up to it is decided and held or applied */
	u64 commit_lsn;		/* highest LSN of a record of a slot up to it */
	u64 commit_told;	/* what the agent was told; the shell's to keep */
	u64 commit_staged;	/* what the newest COMMIT record says */
	u64 known_commit;	/* highest commit index heard of */
	u8 known_from;		/* member index that said so */
	u64 learn_ms;		/* when we last asked somebody for what we lack */
	u64 learn_slot;		/* ... from which slot on */
	u8 learn_from;		/* ... whom: member index */
	u64 trim;		/* slots up to it may be gone; the record that says so is staged */
	/* whom we asked for commit + 1 has nothing below this slot any more; 0: nobody said so */
	u64 trimmed;
	u64 has[PXS_MEMBERS_MAX];	/* commit index of each member, as heard; not ours */
	u8 wonder;		/* member index: whom we asked last, when nobody led */

	/* membership: what the newest CONFIG record says; NULL: there is none */
	struct pxs_value *config;
	u64 config_slot;	/* ... and the slot that said so */
	u64 config_lsn;
	bool over;		/* a later one is decided: nobody leads in this epoch any more */
	u64 held;		/* every member has what is decided up to it; 0: not known */
	u8 held_tell;		/* so often it is told yet */

	/* leader; lead_ballot == 0: we do not lead */
	u64 lead_ballot;
	u64 first_slot;
	u64 found;		/* highest slot that phase 1 found, or first_slot - 1 */
	u64 next_slot;
	u64 stop;		/* we proposed a configuration for it: no slot behind it; 0: none */
	bool sick;		/* nothing became durable here for long, as of the last tick */
	u64 beat_ms;		/* when we last sent a heartbeat */
	u64 told;		/* all others were sent that slots up to it are decided */
	u64 heard_ms[PXS_MEMBERS_MAX];	/* when a member last answered our ballot */
	struct pxs_handover hand;
	struct pxs_read read;
	struct pxs_lease lease;

	/* who leads */
	struct pxs_quorum poll;	/* who would welcome poll.ballot; 0: we ask nobody */
	u64 poll_slot;		/* what its PREPARE is to ask from */
	u64 prepare_ballot;	/* our open ballot, 0 = none */
	u64 handed;		/* ballot of a leader that wants us to lead, 0 = none */
	u64 handed_ms;		/* when it said so */
	u64 leader_ballot;	/* highest ballot heard from a leader */
	u64 leader_ms;		/* when */
	bool leader_told;	/* the agent knows of leader_ballot */
	u64 lost_ms;		/* when we last told of its loss */
	/* of the newest heartbeat: older ones are replays, by ballot and then by counter */
	u64 beat_ballot[PXS_MEMBERS_MAX];
	u64 beat_counter[PXS_MEMBERS_MAX];
	/* of the newest datagram with a ballot: only what is newer shows that its sender lives */
	u64 live_ballot[PXS_MEMBERS_MAX];
	u64 live_counter[PXS_MEMBERS_MAX];

	u64 stat[__PXS_GROUP_STAT_MAX];
};

/*
 * @conf checked by pxs_group_check_conf(); slots: conf->window zeroed entries; parked:
 * 2 * conf->window entries. The group is inactive.
 */
void pxs_group_init(struct pxs_group *g, const struct pxs_group_conf *conf,
		    struct pxs_stage *stage, struct pxs_slot *slots, struct pxs_parked *parked);
void pxs_group_exit(struct pxs_group *g);	/* drops values */

/* Return: NULL, or what is wrong, for the user's eyes. */
const char *pxs_group_check_conf(const struct pxs_group_conf *conf);

/*
 * Must it not vote, because it holds less than it once accepted, or than who votes in its epoch
 * has? (Recovery lost what was damaged.)
 */
static inline bool pxs_group_mute(const struct pxs_group *g)
{
	return g->mute_until > g->commit || g->config_slot > g->commit;
}

/* May it promise, and answer a poll? */
static inline bool pxs_group_votes(const struct pxs_group *g)
{
	return !pxs_group_mute(g) && !pxs_group_learns(&g->conf) && !g->over;
}

/* All members but us, as bits by index. */
static inline u64 pxs_group_others(const struct pxs_group *g)
{
	return ((1ull << g->conf.nmembers) - 1) & ~(1ull << g->conf.self);
}

/* Index of member @id, or -1. */
int pxs_conf_member(const struct pxs_group_conf *conf, u8 id);

static inline int pxs_group_member(const struct pxs_group *g, u8 id)
{
	return pxs_conf_member(&g->conf, id);
}

/*
 * May this datagram be processed? admit: cheap, before the tag; trust: after it held.
 * Return: 0, or the PXS_GROUP_STAT_BAD_* or _REPLAY to count (the caller counts).
 */
int pxs_group_admit(const struct pxs_group *g, const struct pxs_msg *m);
int pxs_group_trust(struct pxs_group *g, const struct pxs_msg *m);

/* An authentic datagram; @body of m->len bytes is contiguous. */
void pxs_group_recv(struct pxs_group *g, const struct pxs_msg *m, const u8 *body, u64 now,
		    struct pxs_out *out);

/*
 * Call every heartbeat_ms / 2 or so, and as PXS_OUT_SOON says. @healthy: the journal is attached,
 * answers, and moves.
 */
void pxs_group_tick(struct pxs_group *g, u64 now, bool healthy, struct pxs_out *out);

/* The durable point moved: what waited may go. Call again while out->what has PXS_OUT_MORE. */
void pxs_group_release(struct pxs_group *g, u64 now, struct pxs_out *out);

/*
 * A recovered record, in LSN order, while inactive. Return: 0, -EINVAL, -EBUSY: active, -ENOMEM.
 * Slots too far behind a damaged one to be held make the group mute: until it has learned what
 * was chosen there it follows, but gives no promise and no vote (S5).
 */
int pxs_group_load(struct pxs_group *g, const struct pxs_record *r);

/*
 * Recovery is complete, slots up to @commit are decided (and need not be in the window).
 * Return: 0, -EALREADY: active, -ESHUTDOWN: fenced, -EKEYREJECTED: the journal attached is not
 * the one this member is configured with (S3), -ERANGE: the window is too small for what was
 * loaded, and nothing was damaged, -ENOTRECOVERABLE: it forgot (durability.h) and is fenced.
 */
int pxs_group_activate(struct pxs_group *g, u64 commit, u64 now);

/*
 * Slots up to @slot are in a durable checkpoint of this member's: their records may go once that of
 * this is durable (S7). It says the commit index, the promise and the durability anew; the same
 * slot again, or 0 before there was any, is good for nothing but that.
 * Return: 0; -EINVAL: not decided yet, or below the last one; -EAGAIN: no credit; -ESHUTDOWN.
 */
int pxs_group_trim(struct pxs_group *g, u64 slot);

/*
 * This member lacks slots that are gone elsewhere, and has a peer's checkpoint up to @slot on its
 * disk: go on behind it. Slots up to it are decided, and gone here, when the record of this is
 * durable; what the agent had of them before was not what was chosen.
 * Return: 0, also when they are decided here already; -EINVAL: further than anybody said it is;
 * -EISCONN: it leads; -EAGAIN: it lacks nothing of that kind, or no credit; -ENODATA: @slot is not
 * far enough, what comes behind it is gone as well; -ESHUTDOWN.
 */
int pxs_group_skip(struct pxs_group *g, u64 slot, struct pxs_out *out);

/*
 * What the agent says to member index @to in this member's name, a LEARN_REQ or LEARN: *@m has its
 * type, slot, count, arg and len. The rest is filled in; only then can the body be judged, as by
 * who receives it: pxs_wire_check_body(), for which no lock is needed.
 * Return: 0; -ESHUTDOWN: not active; -EINVAL: another type, or to itself.
 */
int pxs_group_say(const struct pxs_group *g, u8 to, struct pxs_msg *m);

/* Do we lack slots that nobody whom we asked has any more? They are in a checkpoint of theirs. */
static inline bool pxs_group_needs_checkpoint(const struct pxs_group *g)
{
	return g->trimmed > g->commit + 1;
}

/*
 * Slot @slot, decided, holds the configuration @data of a later epoch, and the agent has applied
 * all up to it, or lacks slots that no log has any more, and was told of it by a peer that has
 * applied it: say so in the journal, and do nothing in this epoch any more, ever: MOVED. When
 * the record, *lsn, is durable the shell may make the group anew, with those members. It neither
 * votes nor leads there before it has all up to @slot (pxs_group_mute()).
 * Return: 0; -EINVAL: it is no such thing, or @slot is further than anybody said it is;
 * -EOPNOTSUPP: durability memory; -EAGAIN: no credit; -ENOMEM; -ESHUTDOWN.
 */
int pxs_group_move(struct pxs_group *g, u64 slot, const void *data, u32 len, u64 *lsn);

/* Stop answering, for good (S4). @reason is a static string. */
void pxs_group_fence(struct pxs_group *g, const char *reason);

/*
 * Open @ballot, or ask again: first ask the others whether it is welcome (PREVOTE) and, when a
 * quorum says so, promise it ourselves and, once that is durable, send PREPARE from @slot on to
 * the members in @to (bitmap of indexes; 0: all; a new ballot asks all). Asking again with the
 * same ballot is how lost datagrams are repeated and further pages fetched.
 * A member that was cut off thus disturbs nobody (D. Ongaro, Consensus, 2014, section 9.6).
 * Return: 0, -EINVAL: not our ballot or slot 0, -ESTALE: a higher one is promised, or this one is
 * no longer open, -EAGAIN: no credit, or mute, -ESHUTDOWN: not active.
 * PREPARE leaves only after the promise is durable: a ballot is never used twice (S11).
 */
int pxs_group_prepare(struct pxs_group *g, u64 ballot, u64 slot, u64 to, struct pxs_out *out);

/*
 * Phase 1 of @ballot is won; slots from @first on are ours to fill. @found: the highest slot for
 * which a promise had an entry, whatever it was; @first - 1: none did. No read is answered before
 * it is decided.
 * Return: 0, -ESTALE: the ballot is not the one promised and open, -EINVAL: @first is not
 * the slot right behind the commit index, or @found is lower, -ESHUTDOWN.
 */
int pxs_group_lead(struct pxs_group *g, u64 ballot, u64 first, u64 found, u64 now,
		   struct pxs_out *out);
void pxs_group_resign(struct pxs_group *g);

/*
 * The agent ends in order, the group stays: from here on every answer waits for the disk, until
 * another has taken the group over, so that nothing is forgotten if the machine stops before the
 * next agent comes. That has happened when all that is staged is durable.
 * Return: 0, -EAGAIN: no credit, say it again.
 */
int pxs_group_settle(struct pxs_group *g);

/* An agent attached. It did not win the ballot that we may lead with. */
void pxs_group_attached(struct pxs_group *g);

/*
 * GROUP_RESIGN: the agent knows the group, and leads with nothing. What it says first, when it has
 * come up: from here on memory may be enough again.
 */
void pxs_group_taken_over(struct pxs_group *g);

/*
 * Hand leadership over to member index @to, as of pxs_group_member(); (u8)-1: of nobody. Propose
 * nothing more, wait until it has everything, then tell it to stand (TRANSFER). It takes over by
 * phase 1, like anybody. Where it has not within an election time-out we go on leading:
 * PXS_LEADER_RESUMED.
 * Return: 0; -ENOTCONN: we do not lead, -EINVAL: no other voter, -EBUSY: under way, -ESHUTDOWN.
 */
int pxs_group_transfer(struct pxs_group *g, u8 to, u64 now, struct pxs_out *out);

/*
 * Propose: assign the next slot, accept it here, send it. Takes its own reference.
 * Return: 0 and *slot; -ENOTCONN: we do not lead, -EAGAIN: the window is full or there is no
 * credit, nothing becomes durable here as of the last tick (another may take over), we hand over,
 * or a configuration was proposed: try again later; -ESHUTDOWN. Of a configuration also what
 * pxs_membership_may() says (membership.h).
 */
int pxs_group_propose(struct pxs_group *g, struct pxs_value *v, u64 now, u64 *slot,
		      struct pxs_out *out);

/*
 * Propose the @n values of @v, in order, as many as there is room for: they get the slots from
 * *first on, without a gap, at one ballot. Return: how many (at least 1 of @n > 0), or as above.
 */
int pxs_group_propose_many(struct pxs_group *g, struct pxs_value *const *v, u32 n, u64 now,
			   u64 *first, struct pxs_out *out);

/*
 * Ask for a read index, by a round in which a quorum says that we still lead. *round: its number.
 * While we hold a lease (lease.h) it is answered at once. @now: read after the reader asked.
 * When it ends, PXS_OUT_READ: who was given this number at g->read.done_ballot, or a lower one, may
 * read what is applied up to g->read.done_index. While we are not deposed, nobody is left without
 * an answer but by a quorum that does not answer, or that is not asked, as nothing becomes durable
 * here. When we are, nothing comes: the agent knows that the ballot is over.
 * Return: 0, -ENOTCONN: we do not lead, -ESHUTDOWN.
 */
int pxs_group_read(struct pxs_group *g, u64 now, u64 *round, struct pxs_out *out);

#endif /* PXS_CORE_GROUP_H */
