/* SPDX-License-Identifier: GPL-2.0 */
/*
 * member.h - changes of a group's members, at this member
 *
 * kmod/core/membership.h has the rules. Here: what somebody asks for becomes the next
 * configuration and is proposed; what the log decided is gone over to. For that the datapath says
 * so in the journal and ends its group (move), the group is deleted there, and made anew with the
 * new members when that record is durable: loaded and activated as after a restart (restore.c). So
 * nothing of one epoch is ever looked at in another one but what the journal has.
 *
 * From then on the journal says who the members are, and not the configuration file, which tells
 * how it began, and, of a member that was added later, whom to ask: there it is a learner among
 * others, and stays with that until the log has a configuration that names it.
 *
 * Belongs to the loop.
 */
#ifndef PXS_AGENT_MEMBER_H
#define PXS_AGENT_MEMBER_H

#include "address.h"
#include "membership.h"	/* kmod/core */
#include "record.h"

struct pxs_node;
struct pxs_group_config;
struct pxs_replica;
struct pxs_scan;

/* A learner that lacks more slots than this is not promoted, unless forced. */
#define PXS_MEMBER_BEHIND	256u
#define PXS_MEMBER_PATIENCE_MS	20000u
#define PXS_MEMBER_WORDS	160

enum pxs_member_op {
	PXS_MEMBER_ADD = 1,	/* as a learner */
	PXS_MEMBER_PROMOTE = 2,
	PXS_MEMBER_DEMOTE = 3,	/* to a learner */
	PXS_MEMBER_REMOVE = 4,
	PXS_MEMBER_SET = 5,	/* another address; of a learner also another incarnation */
	PXS_MEMBER_QUORUM = 6,	/* of no member: sizes of quorums */
	__PXS_MEMBER_OP_MAX
};

/* A configuration, as its bytes. */
struct pxs_member_config {
	u64 epoch;		/* 0: none */
	u64 slot;		/* of the log */
	u64 lsn;		/* of the record it was found in; 0: a peer said so */
	u64 ballot;
	u32 len;
	u8 value[PXS_MEMBERSHIP_BYTES];
};

struct pxs_members {
	struct pxs_member_config accepted;	/* the newest that the log has, chosen or not */
	struct pxs_member_config next;	/* applied: to be gone over to; epoch 0: nothing is */
	struct pxs_member_config now;	/* of the newest CONFIG record; epoch 0: there is none */
	/* A CONFIG record that does not hold, and none of its epoch, or a later one, that does. */
	struct {
		u64 epoch;	/* 0: there is no such */
		u64 lsn;
		u64 pos;
	} damaged;
	u64 asked_ms;		/* when the datapath was told to move */
	bool away;		/* the datapath has the group no more, or not yet */
	bool joins;		/* in no configuration of the log yet */
	/* A learner of the file that others counted in the file's epoch, so it does not join; */
	bool counted;
	u64 named;		/* ... or where a configuration has it first; 0: none seen */
	u64 removed;		/* from the group, by this epoch: it does nothing any more; 0: no */
	/* Where it listens; elsewhere: that is not its address in the configuration in force. */
	struct pxs_address listens;
	bool elsewhere;
	struct pxs_member_left {
		u64 looked_ms;	/* when a leader was heard last, or it was looked since */
		u64 commit, others;	/* as of then, if looks: commit index, what did not count */
		bool looks;
		bool behind;	/* others talk, and none of it counts here: member_left.c */
	} left;
	bool led;		/* ... and was who proposed what is gone over to */
	/* what somebody asked for; done NULL: nothing */
	struct pxs_member_change {
		void (*done)(void *ctx, u32 error, u64 epoch);
		void *ctx;
		struct pxs_member_config config;	/* slot 0: not proposed yet */
		u64 deadline;
	} change;
};

void pxs_members_init(struct pxs_replica *r);

/* False: @c is none. */
bool pxs_member_parse(const struct pxs_member_config *c, struct pxs_membership *m);

/* Our index in @m, or -1: another journal is another member (S3). */
int pxs_member_index(const struct pxs_replica *r, const struct pxs_membership *m);

/* A record that says something of members; found at @pos, or 0: it has just come. */
void pxs_member_record(struct pxs_replica *r, const struct pxs_record *rec, u64 pos);

/*
 * A journal was read, and is not changed yet: does it say of each group of node @ctx who the
 * members are? As struct pxs_scan_sink's ended().
 */
int pxs_members_recovered(void *ctx, struct pxs_scan *s);

/* Slot @slot was applied, its newest record is @lsn of @ballot. Return: stop here, and go over. */
bool pxs_member_applied(struct pxs_replica *r, u64 slot, u64 lsn, u64 ballot);

/*
 * The newest configuration that is chosen for all this member knows; epoch 0: the file's is. It
 * covers what is applied here, unless this member is in none yet (members.joins).
 */
const struct pxs_member_config *pxs_member_newest(const struct pxs_replica *r);

/*
 * A peer's checkpoint is to be taken, and the peer says that @slot holds the newest configuration
 * (@len 0: there is none). It is gone over to first: with the checkpoint this member would be
 * beyond the end of its epoch without knowing it (rule 5 of membership.h). Return: it was, or need
 * not be: take the checkpoint.
 */
bool pxs_member_hear(struct pxs_replica *r, u64 slot, const u8 *value, u32 len);

/* Is there something to be gone over to? Nothing else is done then. */
bool pxs_member_moves(const struct pxs_replica *r);

/* Is a change to be proposed? Nothing else is proposed meanwhile. */
bool pxs_member_waits(const struct pxs_replica *r);

/* Once a round. Return: did something. */
bool pxs_member_step(struct pxs_replica *r);
void pxs_member_tick(struct pxs_replica *r, u64 now);
void pxs_member_left_tick(struct pxs_replica *r, u64 now);

/* After recovery: the journal's members are those in force. */
void pxs_member_adopt(struct pxs_replica *r);

/*
 * Before the group is loaded: has the datapath the one with the newest members? Make it so.
 * Return: 0; -ENOENT: this member is none of them; or why not.
 */
int pxs_member_enter(struct pxs_replica *r);

/*
 * Give the datapath the group. Where its address cannot be had, it listens where it did before, or
 * as the file says (member_listen.c). Return: 0, or why not, which is said.
 */
int pxs_member_add(struct pxs_replica *r);

/* It is active: go on as who led before, if we did. */
void pxs_member_entered(struct pxs_replica *r);

/*
 * A store of several groups: does a change of @m in this one have to wait for one in another?
 * Return: it does, said why in @words of PXS_MEMBER_WORDS bytes. (member_shared.c)
 */
bool pxs_member_shared(const struct pxs_replica *r, enum pxs_member_op op,
		       const struct pxs_wire_member *m, char *words);

/* Why the members of such a group never change; NULL: they may. */
const char *pxs_member_kept(const struct pxs_group_config *g);

/*
 * Change member @id. @to: its address and incarnation (ADD, SET). Return: 0, then @done will be
 * called, when this member has gone over; or an enum pxs_client_error, with the reason in @words of
 * PXS_MEMBER_WORDS bytes.
 */
u32 pxs_member_change(struct pxs_replica *r, enum pxs_member_op op, u8 id,
		      const struct pxs_wire_member *to, bool force, char *words,
		      void (*done)(void *ctx, u32 error, u64 epoch), void *ctx);

/*
 * Change the sizes of quorums; both 0, or what majorities are: majorities. Else they stay as they
 * are when members change, which is refused where they would not do. As pxs_member_change().
 */
u32 pxs_member_quorum(struct pxs_replica *r, u8 phase1, u8 phase2, char *words,
		      void (*done)(void *ctx, u32 error, u64 epoch), void *ctx);

void pxs_member_abandon(struct pxs_replica *r, u32 error);

#endif /* PXS_AGENT_MEMBER_H */
