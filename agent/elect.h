/* SPDX-License-Identifier: GPL-2.0 */
/*
 * elect.h - who leads a group: ballots, time-outs and phase 1
 *
 * Pure: no I/O and no clock; events go in, actions come out, one at a time. One
 * struct pxs_elect for one group, used by one thread. The caller executes an action
 * on its datapath (netlink or the core in the process) and then says how it went,
 * with pxs_elect_done() or pxs_elect_failed(); only then comes the next action. That
 * order is what keeps a re-proposed value in its own slot: do not pipeline actions.
 *
 *	pxs_elect_recv(e, m, body, now);	(any input)
 *	while (pxs_elect_next(e, &a)) {
 *		err = execute(&a, &slot);	(may be asynchronous: next() is false meanwhile)
 *		if (err) pxs_elect_failed(e, &a, err, now);
 *		else pxs_elect_done(e, &a, slot, now);
 *	}
 *
 * Rules kept here (S11, S10, S5): a ballot is higher than everything promised, seen or
 * refused; members are counted once, for one ballot, by index; a late promise changes
 * nothing of a ballot that is finished; a slot gets a fresh value only where a quorum
 * of complete and undamaged answers says that it is free.
 *
 * Time is milliseconds of one monotonic clock.
 */
#ifndef PXS_AGENT_ELECT_H
#define PXS_AGENT_ELECT_H

#include "group.h"	/* kmod/core */
#include "quorum.h"

enum pxs_elect_type {
	PXS_ELECT_PREPARE = 1,	/* GROUP_PREPARE: ballot, slot, to */
	PXS_ELECT_LEAD,		/* GROUP_LEAD: ballot, slot is the first one, found */
	PXS_ELECT_PROPOSE,	/* GROUP_PROPOSE: value; the reply must say slot */
	PXS_ELECT_RESIGN,	/* GROUP_RESIGN */
};

struct pxs_elect_action {
	u8 type;		/* enum pxs_elect_type */
	u64 ballot;
	u64 slot;		/* PREPARE: ask from; LEAD: first; PROPOSE: where it must go */
	u64 found;		/* LEAD: highest slot that phase 1 found, or slot - 1 */
	u64 to;			/* PREPARE: bit i: member index i; never 0 */
	struct pxs_value *value;	/* PROPOSE: maybe a no-op; valid until done() or failed() */
};

/* What phase 1 has learned of one slot. */
struct pxs_elect_slot {
	struct pxs_value *value;	/* of the highest ballot seen; NULL: none */
	u64 ballot;
	u64 faulty_ballot;	/* highest ballot of a damaged answer; ~0: not even that is known */
	u8 faulty;		/* bit i: member index i has only a damaged record */
	bool decided;		/* value is known to be chosen */
};

struct pxs_elect {
	struct pxs_group_conf conf;
	u64 random;		/* xorshift64 */
	bool started;
	u8 role;		/* enum pxs_role; read by status */
	u8 leader;		/* member id of who leads, 0: nobody known; read by status */
	u64 ballot;		/* ours: open (candidate) or won (leader); 0 */
	u64 seen;		/* highest ballot promised, heard or refused */
	u64 commit;
	u64 deadline;		/* follower: stand; candidate: give up; 0: none */
	u64 repeat;		/* candidate: ask again who did not answer */
	u8 backoff;		/* lost candidacies in a row */
	u8 stale;		/* PREPARE refused as stale in a row */

	/* candidate: phase 1 */
	u64 settled;		/* slots up to it are decided; highest commit index heard */
	u64 last;		/* highest slot with an entry */
	u64 cover[PXS_MEMBERS_MAX];	/* first slot not answered; ~0: all is */
	struct pxs_quorum promised;	/* answered at all */
	struct pxs_quorum complete;	/* answered everything */
	struct pxs_elect_slot *slot;	/* ring of conf.window, (settled, settled + window] */
	u64 ask;		/* bit i: PREPARE is due to member index i */

	/* leader: slots still to be proposed again; next > last: ready. See pxs_elect_stop_at() */
	u64 next;
	bool resign;		/* RESIGN is due */

	bool wait;		/* the datapath had no room, or knows more: next tick */
	u8 busy;		/* the action that is out, not yet done or failed; 0: none */
	struct pxs_value *busy_value;	/* of it */
};

/* @conf is copied; @seed is any number, better different on each member and each start. */
void pxs_elect_init(struct pxs_elect *e, const struct pxs_group_conf *conf, u64 seed);
void pxs_elect_exit(struct pxs_elect *e);	/* frees what phase 1 holds */

/*
 * The group was activated, or found active by an agent that attached again.
 * @promised: highest ballot in the journal or in the datapath's state. A leadership that
 * a former agent left behind in the datapath is resigned first: it may be half re-proposed.
 */
void pxs_elect_start(struct pxs_elect *e, u64 promised, u64 commit, u64 now);

/* The group is fenced or gone: no more actions, not even RESIGN. */
void pxs_elect_stop(struct pxs_elect *e);

/* EVENT_LEADER */
void pxs_elect_leader_event(struct pxs_elect *e, u8 event, u64 ballot, u64 now);

/* A forwarded PROMISE, REFUSE or TRANSFER, our own PROMISE too; other types are ignored. */
void pxs_elect_recv(struct pxs_elect *e, const struct pxs_msg *m, const u8 *body, u64 now);

/* EVENT_DECIDED was processed. A lower @commit than before is ignored. */
void pxs_elect_decided(struct pxs_elect *e, u64 commit, u64 now);

/* A ballot was seen elsewhere (the group's PROMISED as GROUP_GET shows it, after -ESTALE). */
void pxs_elect_seen(struct pxs_elect *e, u64 ballot);

/* Call about every 20 ms. */
void pxs_elect_tick(struct pxs_elect *e, u64 now);

/*
 * What to do next. Return: false when there is nothing, or an action is still out.
 */
bool pxs_elect_next(struct pxs_elect *e, struct pxs_elect_action *a);

/* The datapath did @a. @slot: what PROPOSE's reply said, else 0. */
void pxs_elect_done(struct pxs_elect *e, const struct pxs_elect_action *a, u64 slot, u64 now);

/* The datapath refused @a, or nobody knows what became of it (-ETIMEDOUT). @err < 0. */
void pxs_elect_failed(struct pxs_elect *e, const struct pxs_elect_action *a, int err, u64 now);

/* The members have changed: go on with @conf. The group is stopped. */
void pxs_elect_conf(struct pxs_elect *e, const struct pxs_group_conf *conf);

/* We led until the members changed: stand at once. */
void pxs_elect_hurry(struct pxs_elect *e, u64 now);

/* What phase 1 has of a slot. For elect.c and elect_stop.c. */
static inline struct pxs_elect_slot *pxs_elect_slot_at(const struct pxs_elect *e, u64 slot)
{
	return &e->slot[slot & (e->conf.window - 1)];
}

static inline void pxs_elect_slot_clear(struct pxs_elect_slot *s)
{
	pxs_value_put(s->value);
	memset(s, 0, sizeof(*s));
}

/* elect_stop.c: we are about to lead: nothing is proposed behind the last slot of the epoch. */
void pxs_elect_stop_at(struct pxs_elect *e);

/* We lead and every slot that phase 1 found has been proposed again: client values may follow. */
static inline bool pxs_elect_ready(const struct pxs_elect *e)
{
	return e->role == PXS_ROLE_LEADER && e->next > e->last && !e->resign;
}

#endif /* PXS_AGENT_ELECT_H */
