/* SPDX-License-Identifier: GPL-2.0 */
/*
 * journal.h - the link to the agent that makes records durable
 *
 * One stage a namespace (core/stage.h), one agent at a time. The agent is a netlink
 * port; it is known by port and attach epoch, and gone when its socket is closed.
 */
#ifndef PXS_JOURNAL_H
#define PXS_JOURNAL_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

#include "core/stage.h"

struct netlink_ext_ack;
struct pxs_groups;
struct pxs_kgroup;

#define PXS_REASON_MAX	127	/* bytes of JOURNAL_FAIL's REASON */

struct pxs_journal {
	struct pxs_groups *home;
	struct pxs_stage stage;		/* has its own lock */
	u8 *ring;			/* NULL until the first group or agent; pxs_net.config */
	u32 *length;

	spinlock_t lock;		/* guards what follows; bottom halves off; a leaf */
	u32 portid;			/* of the attached agent; 0: none */
	u64 epoch;			/* attach epoch, as the agent knows it */
	u64 former;			/* attach epochs of stages before this one */
	u64 base_lsn;			/* last LSN before the first one staged here */
	u64 heard_ms;			/* when the agent last acknowledged something */
	u64 moved_ms;			/* when nothing waited, or the durable point last moved */
	u64 moved_lsn;
	char reason[PXS_REASON_MAX + 1];	/* why the flush failed; written once a stage */

	struct list_head attached;	/* in journal.c's list, while portid is not 0 */
	atomic_t flushers;		/* contexts that want a flush; the first one does it */
	struct timer_list late;		/* runs while something waits that is not worth a wake-up */
};

int pxs_journals_init(void);
void pxs_journals_exit(void);

void pxs_journal_init(struct pxs_journal *j, struct pxs_groups *home);
void pxs_journal_stop(struct pxs_journal *j);	/* no step begins any more */
void pxs_journal_exit(struct pxs_journal *j);

/* Have memory for the stage. Under pxs_net.config. */
int pxs_journal_prepare(struct pxs_journal *j);

/*
 * Port @portid becomes the owner. Under pxs_net.config. *epoch: its attach epoch, *last: the
 * last LSN staged. Return: 0, or an error with words: see pxs_stage_attach().
 */
int pxs_journal_attach(struct pxs_journal *j, u32 portid, u64 incarnation, u64 next_lsn,
		       u64 *epoch, u64 *last, struct netlink_ext_ack *extack);
void pxs_journal_detach(struct pxs_journal *j);

/* Is @portid the owner, and @epoch its attach epoch? -EPERM, -ESTALE, with words. */
int pxs_journal_check(struct pxs_journal *j, u32 portid, u64 epoch,
		      struct netlink_ext_ack *extack);

/* Where events go. False: no agent is attached. */
bool pxs_journal_port(struct pxs_journal *j, u32 *portid, u64 *epoch);

/*
 * Everything up to @lsn is on disk, says the agent of @epoch. Parked answers go out, and what
 * gathered meanwhile goes to the agent. Process context. Return: 0 or pxs_stage_durable()'s errors.
 */
int pxs_journal_durable(struct pxs_journal *j, u64 epoch, u64 lsn,
			struct netlink_ext_ack *extack);

/*
 * The flush failed (S4): from now on nothing is staged and no DURABLE counts.
 * Return: the reason as it is kept: the first one stays.
 */
const char *pxs_journal_fail(struct pxs_journal *j, const char *reason);

/*
 * Send what is due. @kg: a group, or NULL, whose EVENT_DECIDED goes along with records that go.
 * Any context, bottom halves off, RCU read side or a reference on a group.
 */
void pxs_journal_flush(struct pxs_journal *j, struct pxs_kgroup *kg);

/* Is anything staged and not sent? */
static inline bool pxs_journal_left(const struct pxs_journal *j)
{
	return READ_ONCE(j->stage.sent_lsn) != READ_ONCE(j->stage.last_lsn);
}

/*
 * After a step: what was left for later, because nobody waits for it, goes in PXS_STAGE_LATE_MS.
 * Any context, bottom halves off.
 */
void pxs_journal_later(struct pxs_journal *j);

/* Add what the stage counts to stats[__PXS_NET_STAT_MAX]. */
void pxs_journal_gauges(struct pxs_journal *j, u64 *stats);

/* Does the agent answer, and does its durable point move? */
bool pxs_journal_healthy(struct pxs_journal *j, u64 now, u32 heartbeat_ms);

#endif /* PXS_JOURNAL_H */
