// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - what the module tells the attached agent about a group
 *
 * Netlink messages to one port, without waiting. Notes are made under the group's lock
 * and sent after it was dropped, by one context at a time so that they arrive in order:
 * who finds another at it leaves a mark and goes. What is decided travels with records where
 * there are some: one message queued for two. Softirq and process context.
 */
#include "pxs.h"

#include <net/genetlink.h>

#include "group.h"
#include "netlink.h"
#include "pernet.h"

static struct sk_buff *pxs_event_new(struct pxs_kgroup *kg, u32 size, u8 cmd, void **msg)
{
	u32 room = nla_total_size(sizeof(u32)) + size;
	struct sk_buff *skb = genlmsg_new(room, GFP_ATOMIC | __GFP_NOWARN);

	if (!skb)
		return NULL;
	*msg = pxs_nl_put(skb, 0, 0, 0, cmd);
	if (!*msg || nla_put_u32(skb, PXS_A_GROUP_ID, kg->core.conf.id)) {
		nlmsg_free(skb);
		return NULL;
	}
	return skb;
}

static bool pxs_event_send(struct pxs_kgroup *kg, u32 portid, struct sk_buff *skb, void *msg)
{
	genlmsg_end(skb, msg);
	return !genlmsg_unicast(kg->home->pn->net, skb, portid);
}

/* --- what must be known ---------------------------------------------------- */

void pxs_event_note(struct pxs_kgroup *kg, const struct pxs_out *out)
{
	if (out->what & PXS_OUT_DECIDED) {
		/* Who waits goes on waiting, whatever is decided behind it. */
		kg->tell.later = out->what & PXS_OUT_LATER && (kg->tell.later || !kg->tell.decided);
		kg->tell.decided = true;
	}
	if (out->what & PXS_OUT_READ)
		kg->tell.read = true;
	if (out->what & PXS_OUT_LEADER)
		pxs_leader_news_add(&kg->tell.leader, out->leader_event, out->leader_ballot);
}

void pxs_event_note_all(struct pxs_kgroup *kg)
{
	if (kg->core.state != PXS_GROUP_ACTIVE)
		return;
	/* What was noted was meant for the former agent. */
	kg->tell.leader.n = 0;
	kg->tell.read = false;
	kg->tell.decided = true;
	kg->tell.later = false;
	if (kg->core.leader_told)
		pxs_leader_news_add(&kg->tell.leader, PXS_LEADER_SEEN, kg->core.leader_ballot);
}

/* EVENT_DECIDED of what is decided by now, as the next message of @skb. False: no room in it. */
static bool pxs_put_decided(struct pxs_kgroup *kg, struct sk_buff *skb, u64 *commit)
{
	void *msg = pxs_nl_put(skb, 0, 0, 0, PXS_CMD_EVENT_DECIDED);
	struct pxs_group *g = &kg->core;
	u64 lsn;

	spin_lock(&kg->lock);
	*commit = g->commit;
	lsn = g->commit_lsn;
	kg->tell.decided = false;
	spin_unlock(&kg->lock);
	if (!msg || nla_put_u32(skb, PXS_A_GROUP_ID, g->conf.id) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_COMMIT, *commit, PXS_A_GROUP_PAD) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_LSN, lsn, PXS_A_GROUP_PAD)) {
		genlmsg_cancel(skb, msg);
		return false;
	}
	genlmsg_end(skb, msg);
	return true;
}

static void pxs_told_decided(struct pxs_kgroup *kg, u64 commit, bool ok)
{
	spin_lock(&kg->lock);
	if (ok)
		kg->core.commit_told = max(kg->core.commit_told, commit);
	else
		kg->tell.decided = true;	/* the next tick tries again */
	spin_unlock(&kg->lock);
}

static bool pxs_tell_decided(struct pxs_kgroup *kg, u32 portid)
{
	struct sk_buff *skb = genlmsg_new(PXS_EVENT_DECIDED_SIZE, GFP_ATOMIC | __GFP_NOWARN);
	u64 commit;
	bool ok;

	if (!skb)
		return false;
	ok = pxs_put_decided(kg, skb, &commit);
	if (ok)
		ok = !genlmsg_unicast(kg->home->pn->net, skb, portid);
	else
		kfree_skb(skb);
	pxs_told_decided(kg, commit, ok);
	return ok;
}

static bool pxs_tell_leader(struct pxs_kgroup *kg, u32 portid)
{
	struct pxs_leader_news *news = &kg->tell.leader;
	struct sk_buff *skb;
	u64 ballot;
	void *msg;
	u8 event;

	spin_lock(&kg->lock);
	event = news->at[0].event;
	ballot = news->at[0].ballot;
	spin_unlock(&kg->lock);
	skb = pxs_event_new(kg, nla_total_size(sizeof(u8)) + nla_total_size_64bit(sizeof(u64)),
			    PXS_CMD_EVENT_LEADER, &msg);
	if (!skb)
		return false;
	if (nla_put_u8(skb, PXS_A_GROUP_EVENT, event) ||
	    nla_put_u64_64bit(skb, PXS_A_GROUP_BALLOT, ballot, PXS_A_GROUP_PAD)) {
		kfree_skb(skb);
		return false;
	}
	if (!pxs_event_send(kg, portid, skb, msg))
		return false;
	spin_lock(&kg->lock);
	/* Unless newer news pushed it out meanwhile. */
	if (news->n && news->at[0].event == event && news->at[0].ballot == ballot)
		pxs_leader_news_drop(news, 0);
	spin_unlock(&kg->lock);
	return true;
}

static bool pxs_tell_read(struct pxs_kgroup *kg, u32 portid)
{
	struct sk_buff *skb;
	struct pxs_read r;
	void *msg;

	spin_lock(&kg->lock);
	r = kg->core.read;
	kg->tell.read = false;
	spin_unlock(&kg->lock);
	skb = pxs_event_new(kg, 3 * nla_total_size_64bit(sizeof(u64)), PXS_CMD_EVENT_READ, &msg);
	if (skb && !nla_put_u64_64bit(skb, PXS_A_GROUP_BALLOT, r.done_ballot, PXS_A_GROUP_PAD) &&
	    !nla_put_u64_64bit(skb, PXS_A_GROUP_ROUND, r.done, PXS_A_GROUP_PAD) &&
	    !nla_put_u64_64bit(skb, PXS_A_GROUP_SLOT, r.done_index, PXS_A_GROUP_PAD)) {
		if (pxs_event_send(kg, portid, skb, msg))
			return true;
	} else {
		kfree_skb(skb);
	}
	spin_lock(&kg->lock);
	kg->tell.read = true;	/* the next tick tries again */
	spin_unlock(&kg->lock);
	return false;
}

static bool pxs_tell_one(struct pxs_kgroup *kg)
{
	bool decided, leader, read;
	u32 portid;
	u64 epoch;

	spin_lock(&kg->lock);
	decided = kg->tell.decided;
	leader = kg->tell.leader.n;
	read = kg->tell.read;
	spin_unlock(&kg->lock);
	if (!decided && !leader && !read)
		return false;
	if (!pxs_journal_port(&kg->home->journal, &portid, &epoch))
		return false;
	if (leader)
		return pxs_tell_leader(kg, portid);
	return decided ? pxs_tell_decided(kg, portid) : pxs_tell_read(kg, portid);
}

/* Whoever wanted to tell meanwhile has left it to us. */
static void pxs_tell_on(struct pxs_kgroup *kg)
{
	int seen;

	do {
		seen = atomic_read(&kg->tell.want);
		while (pxs_tell_one(kg))
			;
	} while (atomic_cmpxchg(&kg->tell.want, seen, 0) != seen);
}

static void pxs_tell(struct pxs_kgroup *kg)
{
	if (atomic_inc_return(&kg->tell.want) == 1)
		pxs_tell_on(kg);
}

bool pxs_event_join(struct pxs_kgroup *kg, struct sk_buff *skb, u64 *commit)
{
	const struct pxs_tell *t = &kg->tell;

	/* Other news goes first, as always. */
	if (!READ_ONCE(t->decided) || READ_ONCE(t->leader.n) || READ_ONCE(t->read))
		return false;
	if (atomic_cmpxchg(&kg->tell.want, 0, 1))
		return false;
	if (pxs_put_decided(kg, skb, commit))
		return true;
	pxs_event_joined(kg, *commit, false);
	return false;
}

void pxs_event_joined(struct pxs_kgroup *kg, u64 commit, bool sent)
{
	pxs_told_decided(kg, commit, sent);
	if (atomic_cmpxchg(&kg->tell.want, 1, 0) != 1)
		pxs_tell_on(kg);
}

void pxs_event_tell(struct pxs_kgroup *kg)
{
	const struct pxs_tell *t = &kg->tell;

	/* A step that noted something sees it here: it held the lock just before. */
	if ((READ_ONCE(t->decided) && !READ_ONCE(t->later)) || READ_ONCE(t->leader.n) ||
	    READ_ONCE(t->read))
		pxs_tell(kg);
}

void pxs_event_tell_late(struct pxs_kgroup *kg)
{
	if (pxs_event_left(&kg->tell))
		pxs_tell(kg);
}

/* --- datagrams ------------------------------------------------------------- */

/* A message with room for a datagram. *room: where its PXS_WIRE_HDR_LEN + len bytes go. */
static struct sk_buff *pxs_recv_new(struct pxs_kgroup *kg, u32 len, void **msg, u8 **room)
{
	u32 size = PXS_WIRE_HDR_LEN + len;
	struct nlattr *attr = NULL;
	struct sk_buff *skb;

	skb = pxs_event_new(kg, nla_total_size(size), PXS_CMD_EVENT_RECV, msg);
	if (skb)
		attr = nla_reserve(skb, PXS_A_GROUP_DATAGRAM, size);
	if (!attr) {
		kfree_skb(skb);
		pxs_kgroup_count(kg, PXS_GROUP_STAT_NO_MEMORY);
		return NULL;
	}
	*room = nla_data(attr);
	return skb;
}

void pxs_event_recv(struct pxs_kgroup *kg, const struct pxs_datagram *rx)
{
	struct sk_buff *skb;
	u32 portid;
	u64 epoch;
	void *msg;
	u8 *room;

	if (!pxs_journal_port(&kg->home->journal, &portid, &epoch))
		return;
	skb = pxs_recv_new(kg, rx->msg->len, &msg, &room);
	if (!skb)
		return;
	memcpy(room, rx->hdr, PXS_WIRE_HDR_LEN);
	memcpy(room + PXS_WIRE_HDR_LEN, rx->body, rx->msg->len);
	pxs_event_send(kg, portid, skb, msg);
}

void pxs_event_own(struct pxs_kgroup *kg, const struct pxs_out *out, const struct pxs_send *send)
{
	struct pxs_wire_hdr hdr;
	struct sk_buff *skb;
	struct pxs_msg m;
	u32 portid;
	u64 epoch;
	void *msg;
	u8 *room;

	if (!pxs_journal_port(&kg->home->journal, &portid, &epoch))
		return;
	pxs_out_msg(&kg->core, send, kg->core.conf.self, &m);
	skb = pxs_recv_new(kg, m.len, &msg, &room);
	if (!skb)
		return;
	pxs_wire_build(&hdr, &m);
	memcpy(room, &hdr, sizeof(hdr));
	pxs_out_body(out, send, room + PXS_WIRE_HDR_LEN);
	pxs_event_send(kg, portid, skb, msg);
}

void pxs_event_gone(struct pxs_kgroup *kg)
{
	struct sk_buff *skb;
	u32 portid;
	u64 epoch;
	void *msg;

	if (!pxs_journal_port(&kg->home->journal, &portid, &epoch))
		return;
	skb = pxs_event_new(kg, 0, PXS_CMD_EVENT_GROUP_GONE, &msg);
	if (skb)
		pxs_event_send(kg, portid, skb, msg);
}
