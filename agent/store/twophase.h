/* SPDX-License-Identifier: GPL-2.0 */
/*
 * twophase.h - a transaction with keys in several groups: who does what next
 *
 * docs/store-shards.md has the whole. The groups take part in the order of their ids; the first
 * one is the coordinator, and the id of a transaction is that group and the slot of its BEGIN
 * there. Nobody sends anybody anything: every member has the logs of all groups, so whoever leads
 * one sees in the data of the others what is due in his, and proposes that.
 *
 *	coordinator's log	BEGIN ----------------> COMMIT ----------------------> END
 *	                          |  locks its own keys   |  does its own part          |
 *	a participant's log	  '-> PREPARE --ready----'-> COMMIT --done------------'-> FORGET
 *
 * Who waits for a lock has some of groups before it and none behind it: nobody waits for himself.
 * An ABORT takes the coordinator's record away, and who is ready and finds none aborts likewise.
 *
 * What is decided here is a function of what stands in the data, and the log's time. Pure: no
 * store, no clock.
 */
#ifndef PXS_STORE_TWOPHASE_H
#define PXS_STORE_TWOPHASE_H

#include "command.h"
#include "shards.h"

#define PXS_TX_DECIDE_MS	2000u	/* not ready in all groups by then: it is aborted */

/* What a group's log says of a transaction. */
enum pxs_tx_state {
	PXS_TX_GONE = 0,	/* nothing: it has ended, or was not heard of */
	PXS_TX_READY = 1,	/* its keys are locked, nothing can keep it from doing its part */
	PXS_TX_DONE = 2,	/* its part is done, keys are free; the coordinator: committed */
	PXS_TX_FULL = 3,	/* a participant: no, for it adds, and the group is full */
	PXS_TX_CHANGED = 4,	/* a participant: no, for a condition does not hold (condition.h) */
};

enum pxs_tx_reason {
	PXS_TX_WAS_FULL = 1,
	PXS_TX_WAS_LATE = 2,	/* it may be tried again */
	PXS_TX_WAS_CHANGED = 3,
};

enum pxs_tx_act {
	PXS_TX_WAIT,
	PXS_TX_PREPARE,
	PXS_TX_COMMIT,
	PXS_TX_ABORT,
	PXS_TX_END,
};

/*
 * What the leader of the coordinator is to propose, whose log says @own; @other[0..n) are those of
 * the participants. @late: PXS_TX_DECIDE_MS have passed. With PXS_TX_ABORT, *reason.
 */
enum pxs_tx_act pxs_tx_coordinate(enum pxs_tx_state own, const enum pxs_tx_state *other, u32 n,
				  bool late, enum pxs_tx_reason *reason);

/*
 * What the leader of a participant is to propose, whose log says @own. @coordinator: what the
 * coordinator's data says here, if it has come as far as the transaction's slot; a member that
 * has not come there yet knows nothing, and waits. @turn: all groups before this one are ready.
 */
enum pxs_tx_act pxs_tx_participate(enum pxs_tx_state coordinator, bool turn,
				   enum pxs_tx_state own);

/*
 * An entry says: prepare @slot. @floor: every transaction of that coordinator below has ended, as
 * this log was told. Return: it may be prepared; else it comes too late, and is nothing.
 */
static inline bool pxs_tx_may_prepare(enum pxs_tx_state own, u64 slot, u64 floor)
{
	return own == PXS_TX_GONE && slot >= floor;
}

/* An entry says: it is decided, so. What the log is to say then; of a coordinator or not. */
enum pxs_tx_state pxs_tx_decide(enum pxs_tx_state own, bool commit);

/* An entry of the coordinator's says: all have done their part. */
static inline enum pxs_tx_state pxs_tx_ended(enum pxs_tx_state own)
{
	return own == PXS_TX_DONE ? PXS_TX_GONE : own;
}

/* An entry says: it has ended. A part that is still ready waits for its ABORT. */
static inline enum pxs_tx_state pxs_tx_forgotten(enum pxs_tx_state own)
{
	return own == PXS_TX_READY ? own : PXS_TX_GONE;
}

/* --- whose part is what ---------------------------------------------------------- */

/*
 * Can it be done in parts? MSET, MGET, DEL, EXISTS and what is like them; MSETNX. Not if
 * a value lacks: that is a mistake, and the group of its first key says so.
 */
bool pxs_tx_splits(const struct pxs_command *cmd, u32 argc);

/*
 * Is it done only if none of its keys is there? If these are of several groups that is a condition
 * of the whole, so it cannot be one command among others.
 */
static inline bool pxs_tx_wants_none(const struct pxs_command *cmd)
{
	return cmd->run == pxs_cmd_msetnx;
}

#define PXS_TX_DEPENDS_MAX	64u	/* such in one transaction */

/*
 * Are its keys of several groups, and must each of these know what is in another, so that it is to
 * be settled before it is proposed (settle.h)? RENAME; MSETNX @among others, which are done in any
 * case.
 */
bool pxs_tx_depends(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
		    const struct pxs_str *argv, bool among);

/*
 * The part of a command for group @index, in @to, which holds @argc words; @first: who does what
 * has no key. Return: how many words it has; 0: that group has no part in it.
 */
u32 pxs_tx_part(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
		const struct pxs_str *argv, u32 index, u32 first, struct pxs_str *to);

/*
 * The answer to a command that was split, of those to its parts: @answer has one for each group of
 * @m, empty where it had no part. Return: false: they are not what such a command answers.
 */
bool pxs_tx_join(const struct pxs_shards *m, const struct pxs_command *cmd, u32 argc,
		 const struct pxs_str *argv, const struct pxs_str *answer, struct pxs_reply *out);

/* Bytes of the first value in @s, with all that is in it; 0: it is not whole. */
u32 pxs_tx_value(struct pxs_str s);

#endif /* PXS_STORE_TWOPHASE_H */
