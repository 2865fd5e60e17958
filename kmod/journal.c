// SPDX-License-Identifier: GPL-2.0
/*
 * journal.c - the link to the agent that makes records durable
 *
 * Owns struct pxs_journal. Records are staged by the core, under a group's lock; here
 * they are sent to the agent's port in batches and kept until it says that they are on
 * disk. An agent is gone when its netlink socket is closed: what it did not confirm
 * stays and goes to the next one (S6).
 *
 *   journal->lock   who is attached and when it was heard; a leaf
 *   stage.lock      the ring; a leaf
 *   late            a timer, softirq; armed by whoever leaves something for later
 *   flushers        no lock: the first context to raise it from 0 sends, for all
 *   pxs_attached    the journals with an agent, for the notifier; its lock is outside
 *                   of journal->lock
 */
#include "pxs.h"

#include <linux/mm.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <net/genetlink.h>

#include "core/patience.h"
#include "group.h"
#include "netlink.h"
#include "pernet.h"

/*
 * Bytes of records in one message. With the headers of netlink and of the skb this is just
 * under 32 KiB, an order-3 allocation; the largest record fits twice less one.
 */
#define PXS_FLUSH_MAX	(PXS_APPEND_MAX - 512)

static LIST_HEAD(pxs_attached);
static DEFINE_SPINLOCK(pxs_attached_lock);

void pxs_journal_later(struct pxs_journal *j)
{
	/* What is left must be seen by a timer that is taken for pending here and runs just now. */
	smp_mb();
	if (!timer_pending(&j->late) && READ_ONCE(j->stage.attached))
		mod_timer(&j->late, jiffies + max(msecs_to_jiffies(PXS_STAGE_LATE_MS), 1UL));
}

static void pxs_journal_is_late(struct timer_list *t)
{
	struct pxs_journal *j = timer_container_of(j, t, late);

	pxs_stage_late(&j->stage);
	pxs_groups_tell(j->home);
	/* Something lazy behind what gathers for the next flush. */
	if (pxs_journal_left(j))
		pxs_journal_later(j);
}

void pxs_journal_init(struct pxs_journal *j, struct pxs_groups *home)
{
	j->home = home;
	spin_lock_init(&j->lock);
	INIT_LIST_HEAD(&j->attached);
	atomic_set(&j->flushers, 0);
	timer_setup(&j->late, pxs_journal_is_late, 0);
	/* Without memory it gives no credit: nobody has attached. */
	pxs_lock_init(&j->stage.lock);
}

void pxs_journal_stop(struct pxs_journal *j)
{
	timer_shutdown_sync(&j->late);
}

void pxs_journal_exit(struct pxs_journal *j)
{
	kvfree(j->ring);
	kvfree(j->length);
}

int pxs_journal_prepare(struct pxs_journal *j)
{
	if (j->ring)
		return 0;
	j->length = kvcalloc(PXS_STAGE_RECORDS, sizeof(*j->length), GFP_KERNEL);
	j->ring = kvmalloc(PXS_STAGE_BYTES, GFP_KERNEL);
	if (!j->ring || !j->length) {
		kvfree(j->ring);
		kvfree(j->length);
		j->ring = NULL;
		j->length = NULL;
		return -ENOMEM;
	}
	pxs_stage_init(&j->stage, j->ring, PXS_STAGE_BYTES, j->length);
	return 0;
}

/* --- who is attached ------------------------------------------------------- */

/*
 * No group depends on what is staged: the next agent may bring any journal. This is also how
 * a node whose flush failed, or whose journal was lost, starts anew. Under pxs_net.config, so
 * no group is on its way in or out, and with nobody attached there is no flush.
 */
static void pxs_journal_forget(struct pxs_journal *j)
{
	struct pxs_net_stats __percpu *stats = j->home->pn->stats;
	struct pxs_stage *s = &j->stage;

	/* It may still come, and take the lock that is made anew here; nobody arms it now. */
	timer_delete_sync(&j->late);
	spin_lock_bh(&j->lock);
	pxs_stat_add(stats, PXS_NET_STAT_STAGE_FULL, s->full);
	pxs_stat_add(stats, PXS_NET_STAT_STAGED, s->last_lsn - j->base_lsn);
	pxs_stat_add(stats, PXS_NET_STAT_STAGED_BYTES, s->head);
	j->former += s->epoch;
	j->base_lsn = 0;
	j->reason[0] = '\0';
	pxs_stage_init(s, j->ring, PXS_STAGE_BYTES, j->length);
	spin_unlock_bh(&j->lock);
}

void pxs_journal_gauges(struct pxs_journal *j, u64 *stats)
{
	const struct pxs_stage *s = &j->stage;

	/* Not a snapshot; but what is forgotten is counted once. */
	spin_lock_bh(&j->lock);
	stats[PXS_NET_STAT_DURABLE_LSN] = READ_ONCE(s->durable_lsn);
	stats[PXS_NET_STAT_LAST_LSN] = READ_ONCE(s->last_lsn);
	stats[PXS_NET_STAT_STAGE_FULL] += READ_ONCE(s->full);
	stats[PXS_NET_STAT_STAGED] += READ_ONCE(s->last_lsn) - j->base_lsn;
	stats[PXS_NET_STAT_STAGED_BYTES] += READ_ONCE(s->head);
	spin_unlock_bh(&j->lock);
}

static void pxs_attach_error(s64 err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -EBUSY:
		NL_SET_ERR_MSG(extack, "the journal has an owner: one agent a namespace");
		break;
	case -ESTALE:
		NL_SET_ERR_MSG(extack,
			       "NEXT_LSN: not a journal that continues what was durable here");
		break;
	case -EKEYREJECTED:
		NL_SET_ERR_MSG(extack, "INCARNATION: not the journal that was attached before");
		break;
	case -EIO:
		NL_SET_ERR_MSG(extack, "the journal failed: delete the groups, then attach anew");
		break;
	}
}

int pxs_journal_attach(struct pxs_journal *j, u32 portid, u64 incarnation, u64 next_lsn,
		       u64 *epoch, u64 *last, struct netlink_ext_ack *extack)
{
	int err = pxs_journal_prepare(j);
	s64 ret;

	if (err)
		return err;
	if (!j->home->count && !j->stage.attached)
		pxs_journal_forget(j);
	ret = pxs_stage_attach(&j->stage, incarnation, next_lsn);
	if (ret < 0) {
		pxs_attach_error(ret, extack);
		return ret;
	}
	spin_lock_bh(&pxs_attached_lock);
	spin_lock(&j->lock);
	if (ret == 1)
		j->base_lsn = next_lsn - 1;
	j->portid = portid;
	j->epoch = j->former + ret;
	j->heard_ms = pxs_now_ms();
	j->moved_ms = j->heard_ms;
	*epoch = j->epoch;
	*last = j->stage.last_lsn;
	spin_unlock(&j->lock);
	list_add(&j->attached, &pxs_attached);
	spin_unlock_bh(&pxs_attached_lock);
	return 0;
}

/* Under pxs_attached_lock. */
static void pxs_detach(struct pxs_journal *j)
{
	list_del_init(&j->attached);
	spin_lock(&j->lock);
	j->portid = 0;
	spin_unlock(&j->lock);
	pxs_stage_detach(&j->stage);
}

void pxs_journal_detach(struct pxs_journal *j)
{
	spin_lock_bh(&pxs_attached_lock);
	if (!list_empty(&j->attached))
		pxs_detach(j);
	spin_unlock_bh(&pxs_attached_lock);
}

/* A netlink socket was closed: was it an agent's? */
static int pxs_netlink_event(struct notifier_block *nb, unsigned long event, void *data)
{
	const struct netlink_notify *n = data;
	struct pxs_journal *j;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	spin_lock_bh(&pxs_attached_lock);
	list_for_each_entry(j, &pxs_attached, attached) {
		if (j->portid != n->portid || !net_eq(j->home->pn->net, n->net))
			continue;
		pxs_detach(j);
		break;
	}
	spin_unlock_bh(&pxs_attached_lock);
	return NOTIFY_DONE;
}

static struct notifier_block pxs_netlink_notifier = {
	.notifier_call = pxs_netlink_event,
};

int pxs_journals_init(void)
{
	return netlink_register_notifier(&pxs_netlink_notifier);
}

void pxs_journals_exit(void)
{
	netlink_unregister_notifier(&pxs_netlink_notifier);
}

bool pxs_journal_port(struct pxs_journal *j, u32 *portid, u64 *epoch)
{
	spin_lock_bh(&j->lock);
	*portid = j->portid;
	*epoch = j->epoch;
	spin_unlock_bh(&j->lock);
	return *portid;
}

int pxs_journal_check(struct pxs_journal *j, u32 portid, u64 epoch,
		      struct netlink_ext_ack *extack)
{
	u32 owner;
	u64 now;

	if (!pxs_journal_port(j, &owner, &now) || owner != portid) {
		NL_SET_ERR_MSG(extack, "only the attached agent may do this");
		return -EPERM;
	}
	if (now != epoch) {
		pxs_stat_inc(j->home->pn->stats, PXS_NET_STAT_STALE_ACKS);
		NL_SET_ERR_MSG(extack, "ATTACH_EPOCH: not the one of this attachment");
		return -ESTALE;
	}
	return 0;
}

/* --- to the agent ---------------------------------------------------------- */

static struct sk_buff *pxs_append_new(struct pxs_journal *j, u64 epoch, const struct pxs_batch *b)
{
	u32 room = 2 * nla_total_size_64bit(sizeof(u64)) + nla_total_size(sizeof(u32)) +
		   nla_total_size(b->bytes) + nla_total_size(0) + PXS_EVENT_JOIN;
	struct sk_buff *skb = genlmsg_new(room, GFP_ATOMIC | __GFP_NOWARN);
	struct nlattr *records;
	void *msg;

	if (!skb)
		return NULL;
	msg = pxs_nl_put(skb, 0, 0, 0, PXS_CMD_EVENT_APPEND);
	if (!msg ||
	    nla_put_u64_64bit(skb, PXS_A_JOURNAL_ATTACH_EPOCH, epoch, PXS_A_JOURNAL_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_JOURNAL_FIRST_LSN, b->first_lsn, PXS_A_JOURNAL_PAD) ||
	    nla_put_u32(skb, PXS_A_JOURNAL_COUNT, b->count) ||
	    (b->lazy && nla_put_flag(skb, PXS_A_JOURNAL_LAZY)))
		goto err;
	records = nla_reserve(skb, PXS_A_JOURNAL_RECORDS, b->bytes);
	if (!records)
		goto err;
	pxs_stage_copy(&j->stage, b, nla_data(records));
	genlmsg_end(skb, msg);
	return skb;
err:
	nlmsg_free(skb);
	return NULL;
}

/* Takes @skb, with the records of @b. @kg: a group, or NULL, whose news goes along. */
static bool pxs_append_send(struct pxs_journal *j, struct pxs_kgroup *kg, struct sk_buff *skb,
			    u32 portid, const struct pxs_batch *b)
{
	u64 commit;
	bool joined = kg && pxs_event_join(kg, skb, &commit);
	bool sent = !genlmsg_unicast(j->home->pn->net, skb, portid);

	if (sent)
		pxs_stage_sent(&j->stage, b);
	if (joined)
		pxs_event_joined(kg, commit, sent);
	return sent;
}

/* Return: true when there may be more to send. */
static bool pxs_flush_one(struct pxs_journal *j, struct pxs_kgroup *kg)
{
	struct pxs_net *pn = j->home->pn;
	struct pxs_batch b;
	struct sk_buff *skb;
	u32 portid;
	u64 epoch;

	if (!pxs_stage_due(&j->stage, PXS_FLUSH_MAX, &b))
		return false;
	if (!pxs_journal_port(j, &portid, &epoch))
		return false;
	if (epoch != j->former + b.epoch)
		return true;	/* another agent attached just now: look again */
	skb = pxs_append_new(j, epoch, &b);
	if (!skb || !pxs_append_send(j, kg, skb, portid, &b)) {
		/* Unsent it stays; the next DURABLE or tick comes by. */
		pxs_stat_inc(pn->stats, PXS_NET_STAT_APPEND_ERRORS);
		return false;
	}
	pxs_stat_inc(pn->stats, PXS_NET_STAT_APPENDS);
	return true;
}

void pxs_journal_flush(struct pxs_journal *j, struct pxs_kgroup *kg)
{
	int seen;

	/* What this context staged, it sees; what others staged, they will flush. */
	if (!pxs_journal_left(j))
		return;
	if (atomic_inc_return(&j->flushers) > 1)
		return;
	do {
		seen = atomic_read(&j->flushers);
		while (pxs_flush_one(j, kg))
			;
	} while (atomic_cmpxchg(&j->flushers, seen, 0) != seen);
}

/* --- from the agent -------------------------------------------------------- */

static void pxs_durable_error(int err, struct netlink_ext_ack *extack)
{
	switch (err) {
	case -ESTALE:
		NL_SET_ERR_MSG(extack, "ATTACH_EPOCH: not the one of this attachment");
		break;
	case -EINVAL:
		NL_SET_ERR_MSG(extack, "LSN: beyond what was sent");
		break;
	case -EIO:
		NL_SET_ERR_MSG(extack, "the journal failed: nothing counts as durable any more");
		break;
	}
}

int pxs_journal_durable(struct pxs_journal *j, u64 epoch, u64 lsn,
			struct netlink_ext_ack *extack)
{
	int moved = pxs_stage_durable(&j->stage, epoch - j->former, lsn);

	if (moved < 0) {
		pxs_durable_error(moved, extack);
		return moved;
	}
	spin_lock_bh(&j->lock);
	j->heard_ms = pxs_now_ms();
	spin_unlock_bh(&j->lock);
	if (moved)
		pxs_groups_release(j->home);
	local_bh_disable();
	pxs_journal_flush(j, NULL);
	local_bh_enable();
	return 0;
}

const char *pxs_journal_fail(struct pxs_journal *j, const char *reason)
{
	pxs_stage_fail(&j->stage);
	spin_lock_bh(&j->lock);
	if (!j->reason[0])
		strscpy(j->reason, reason, sizeof(j->reason));
	spin_unlock_bh(&j->lock);
	return j->reason;
}

bool pxs_journal_healthy(struct pxs_journal *j, u64 now, u32 heartbeat_ms)
{
	u64 limit = pxs_patience(heartbeat_ms);
	u64 durable = READ_ONCE(j->stage.durable_lsn);
	bool healthy;

	spin_lock_bh(&j->lock);
	if (durable == READ_ONCE(j->stage.last_lsn) || durable != j->moved_lsn) {
		j->moved_lsn = durable;
		j->moved_ms = now;
	}
	/* Clocks are read before locks are taken: now may be a little behind. */
	healthy = j->portid && !READ_ONCE(j->stage.failed) &&
		  (now < j->heard_ms || now - j->heard_ms < limit) &&
		  (now < j->moved_ms || now - j->moved_ms < limit);
	spin_unlock_bh(&j->lock);
	return healthy;
}
