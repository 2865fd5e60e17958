/* SPDX-License-Identifier: GPL-2.0 */
/*
 * member.h - a member of a group, small enough to be a part of a model checker's state
 *
 * struct member is what decides how a member will ever act: the state of the shipped
 * struct pxs_group and struct pxs_stage, what its disk holds, what its agent is about to
 * propose, and all that it ever sent. member.c makes real structs of it, calls the shipped
 * function, and makes a struct member of what came out. What is abstracted:
 *
 *   ballots    round and member id <-> 1..BALLOTS, in the same order
 *   values     one byte, the number of the ballot that first proposed it; 1 is a no-op
 *   LSNs       relative to the durable point: nothing asks more of one than whether it is
 *              durable, and which comes first
 *   the disk   the group that recovery would make of it: each record is given to
 *              pxs_group_load() when it is flushed, which is what recovery will do with it.
 *              That a record is on disk and the module does not know it yet makes a
 *              difference only in a crash: there it is drawn how many are found
 *   time       a tick is always late enough for a heartbeat and for a repetition; there is
 *              no other clock. Who is asked for what was missed (known_commit...) and who is
 *              told of leaders is left out: the model asks, stands, resigns at any time
 *   messages   what was sent can arrive at any time, any number of times, or never; the
 *              counters of heartbeats, which only forbid that, are left out. A REFUSE may
 *              come at any time, sent or not. Tags are not made; encoding and the checks
 *              behind the tag are the shipped ones
 *   prevotes   a ballot is always welcome: the poll only keeps members from standing
 *   phase 1    the choice of values is the agent's (agent/elect.c): world.c has its rule
 *
 * That all else is as assumed is checked: after each call the struct member is turned back
 * into real structs, which must equal the ones that it was made from.
 */
#ifndef MODEL_MEMBER_H
#define MODEL_MEMBER_H

#include "group.h"	/* kmod/core */
#include "scope.h"

#define RECORDS		8	/* staged, not known durable; more is an error */
#define PARKED		14
#define DIGEST_CODES	16

/* An entry of a PROMISE: nothing, or ballot, value, whether known as decided. */
#define ENTRIES		(1 + 2 * BALLOTS * BALLOTS)
#if SLOTS == 1
#define CODES		((SLOTS + 1) * ENTRIES)
#else
#define CODES		((SLOTS + 1) * ENTRIES * ENTRIES)
#endif

/* Bits of member.sent. Slots and ballots count from 1. */
#define SENT_PREPARE(b)		((b) - 1)
#define SENT_ACCEPTED(b, s)	(BALLOTS + ((b) - 1) * SLOTS + (s) - 1)
#define SENT_BEAT(b, commit)	(SENT_ACCEPTED(BALLOTS, SLOTS) + 1 + \
				 ((b) - 1) * (SLOTS + 1) + (commit))
#define SENT_LEARN(s, b, v)	(SENT_BEAT(BALLOTS, SLOTS) + 1 + \
				 (((s) - 1) * BALLOTS + (b) - 1) * BALLOTS + (v) - 1)
#define SENT_ACCEPT(b, s, v, c)	(SENT_LEARN(SLOTS, BALLOTS, BALLOTS) + 1 + \
				 ((((b) - 1) * SLOTS + (s) - 1) * BALLOTS + (v) - 1) * \
				 (SLOTS + 1) + (c))
#define SENT_PROMISE(b, code)	(SENT_ACCEPT(BALLOTS, SLOTS, BALLOTS, SLOTS) + 1 + \
				 ((b) - 1) * CODES + (code))
/* No message: the mark that this ballot was led. */
#define SENT_LED(b)		(SENT_PROMISE(BALLOTS + 1, 0) + (b) - 1)
#define SENT_BITS		SENT_LED(BALLOTS + 1)

struct model_slot {
	u8 ballot, lsn, vid, flags, voters;
};

struct model_parked {
	u8 lsn, ballot, slot, type, to;
};

struct model_group {
	u8 promised, promised_lsn;
	u8 lead, prepare, first, next;
	u8 commit, commit_lsn, staged, mute;
	u8 base, top;
	u8 nparked;
	struct model_slot slot[SLOTS];
	struct model_parked parked[PARKED];
};

struct model_record {
	u8 type, ballot, slot, vid;
};

struct member {
	u8 self;
	u8 nrecords;		/* staged, not known durable */
	u8 plan[SLOTS];		/* what a leader shall propose: vid, 0: it may choose */
	u8 vote[SLOTS][BALLOTS];	/* accepts on disk: vid */
	struct model_record record[RECORDS];
	struct model_group group;	/* the module's memory */
	struct model_group disk;	/* what it would be after a crash */
	u8 sent[(SENT_BITS + 7) / 8];
};

/* Of a struct member, what concerns the others: worked out once. */
struct digest {
	u8 vote[SLOTS][BALLOTS];
	u8 claims[SLOTS];	/* bit v - 1: v is decided, it says */
	bool committed[SLOTS];
	u8 promised, prepare, disk_promised;
	u8 ncodes[BALLOTS];
	u16 code[BALLOTS][DIGEST_CODES];	/* PROMISEs that it sent */
};

enum input_type {
	IN_STAND,	/* the agent opens ballot a, or asks again */
	IN_LEAD,	/* ... has won ballot a; b: values to propose, a digit for each slot */
	IN_PROPOSE,	/* ... proposes for the next slot of ballot a */
	IN_PREPARE,	/* ballot a */
	IN_ACCEPT,	/* ballot a, slot b, value c, commit index d */
	IN_ACCEPTED,	/* ballot a, slot b */
	IN_REFUSE,	/* ballot a, promised b */
	IN_BEAT,	/* ballot a, commit index b */
	IN_LEARN,	/* slot a, ballot b, value c */
	IN_LEARN_REQ,	/* slot a */
	IN_TICK,
	IN_DURABLE,	/* one more record is on disk, and the module hears of it */
	IN_CRASH,	/* the node dies and comes back; a records more were on disk */
	IN_AGENT,	/* the agent alone; a: 0: no record more was on disk, 1: all were */
	INPUTS
};

struct input {
	u8 type, from, a, b, c, d;
};

static inline bool model_sent(const struct member *m, u32 bit)
{
	return m->sent[bit / 8] >> (bit % 8) & 1;
}

/* member.c: what the member is after this input. Breaches are reported by model_fail(). */
void member_init(struct member *m, u8 self);
void member_step(const struct member *before, const struct input *in, struct member *after);

/* rules.c: what must hold of one member, whatever the others did; and of all. */
void rules_step(const struct member *before, const struct input *in, const struct member *after);
void rules_promise(const struct member *m, u8 ballot, u32 code);
void rules_prepare(const struct member *m, u8 ballot);
void rules_accepted(const struct member *m, u8 ballot, u8 slot);
void rules_digest(const struct member *m, struct digest *d);
void rules_world(const struct digest *const d[MEMBERS]);

/* world.c: the first reason counts. */
void model_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* An entry within a PROMISE's code, and back. */
static inline u32 model_entry(u8 ballot, u8 vid, bool decided)
{
	return 1 + ((ballot - 1u) * BALLOTS + vid - 1u) * 2 + decided;
}

static inline u8 entry_ballot(u32 e)
{
	return e ? (u8)((e - 1) / 2 / BALLOTS + 1) : 0;
}

static inline u8 entry_vid(u32 e)
{
	return e ? (u8)((e - 1) / 2 % BALLOTS + 1) : 0;
}

static inline bool entry_decided(u32 e)
{
	return e && (e - 1) % 2;
}

/* What a PROMISE's code says of @slot, and its commit index. */
static inline u32 code_entry(u32 code, u8 slot)
{
	return slot == 1 ? code % ENTRIES : code / ENTRIES % ENTRIES;
}

static inline u8 code_commit(u32 code)
{
	return (u8)(code / (CODES / (SLOTS + 1)));
}

#endif /* MODEL_MEMBER_H */
