// SPDX-License-Identifier: GPL-2.0
/*
 * leader.c - phase 2 at the member that won phase 1
 *
 * A leader accepts its own proposals like everybody else, sends them before its own
 * record is durable, and counts its own vote only after (S1). A vote is a bit by
 * member index, for one ballot and slot, so that a repeated answer counts once (S10).
 */
#include "leader.h"
#include "acceptor.h"
#include "durability.h"
#include "held.h"
#include "membership.h"
#include "quorum.h"
#include "read.h"

void pxs_leader_preempted(struct pxs_group *g, u64 higher, struct pxs_out *out)
{
	if (!g->lead_ballot && !g->prepare_ballot && !g->poll.ballot)
		return;
	pxs_group_resign(g);
	pxs_out_leader(out, PXS_LEADER_PREEMPTED, higher);
}

void pxs_group_resign(struct pxs_group *g)
{
	g->lead_ballot = 0;
	g->prepare_ballot = 0;
	g->hand.on = false;
	pxs_read_forget(g);
	g->stop = 0;
	pxs_quorum_start(&g->poll, pxs_group_phase1(&g->conf), 0);
}

static bool send_heartbeat(struct pxs_group *g, struct pxs_out *out)
{
	struct pxs_send *send = pxs_out_send(g, out, PXS_WIRE_HEARTBEAT, pxs_group_others(g),
					     g->lead_ballot, g->next_slot);

	if (!send)
		return false;
	send->arg = g->first_slot;
	return true;
}

void pxs_leader_beat(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	if (send_heartbeat(g, out))
		g->beat_ms = now;
}

int pxs_group_lead(struct pxs_group *g, u64 ballot, u64 first, u64 found, u64 now,
		   struct pxs_out *out)
{
	u8 i;

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (!ballot || ballot != g->prepare_ballot || ballot != g->promised || g->over ||
	    g->promised_lsn > pxs_settled(g))
		return -ESTALE;
	if (first != g->commit + 1 || found < g->commit)
		return -EINVAL;
	g->prepare_ballot = 0;
	g->lead_ballot = ballot;
	g->first_slot = first;
	g->found = found;
	g->next_slot = first;
	g->stop = 0;
	g->leader_ballot = ballot;
	g->leader_ms = now;
	for (i = 0; i < g->conf.nmembers; i++)
		g->heard_ms[i] = now;
	pxs_leader_beat(g, now, out);
	return 0;
}

/* Values proposed in one step are consecutive: they travel in one datagram, as far as they fit. */
static void send_proposed(struct pxs_group *g, u64 slot, struct pxs_out *out)
{
	struct pxs_send *send = out->nsend ? &out->send[out->nsend - 1] : NULL;
	const struct pxs_slot *s = pxs_window_at(&g->window, slot);

	if (send && send->type == PXS_WIRE_ACCEPT && send->to == pxs_group_others(g) &&
	    send->ballot == g->lead_ballot && send->slot + send->count == slot &&
	    pxs_out_add(out, slot, s, 0))
		return;
	send = pxs_out_send(g, out, PXS_WIRE_ACCEPT, pxs_group_others(g), g->lead_ballot, slot);
	if (send && !pxs_out_add(out, slot, s, 0))
		out->nsend--;	/* resend() takes care of it */
}

int pxs_group_propose(struct pxs_group *g, struct pxs_value *v, u64 now, u64 *slot,
		      struct pxs_out *out)
{
	enum pxs_accept_result ret;
	struct pxs_slot *s;
	u64 higher;
	int err;

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (!g->lead_ballot)
		return -ENOTCONN;
	/* A configuration is the last slot of its epoch. */
	if (g->hand.on || g->stop)
		return -EAGAIN;
	/* To who gets an ACCEPT we live; another may take over. */
	if (g->sick)
		return -EAGAIN;
	err = v->config ? pxs_membership_may(g, v) : 0;
	if (err)
		return err;
	/* Half a window in flight: the other half is for followers that lag. */
	if (g->next_slot > g->commit + g->conf.window / 2)
		return -EAGAIN;
	ret = pxs_acceptor_accept(g, g->lead_ballot, g->next_slot, v, g->conf.self, &higher, out);
	if (ret == PXS_ACCEPT_REFUSED) {
		pxs_leader_preempted(g, higher, out);
		return -ENOTCONN;
	}
	if (ret != PXS_ACCEPT_NEW)
		return g->state == PXS_GROUP_ACTIVE ? -EAGAIN : -ESHUTDOWN;
	s = pxs_window_at(&g->window, g->next_slot);
	s->sent_ms = now;
	*slot = g->next_slot++;
	if (v->config)
		g->stop = *slot;
	g->stat[PXS_GROUP_STAT_PROPOSED]++;
	send_proposed(g, *slot, out);
	return 0;
}

int pxs_group_propose_many(struct pxs_group *g, struct pxs_value *const *v, u32 n, u64 now,
			   u64 *first, struct pxs_out *out)
{
	u64 slot;
	u32 i;
	int err;

	for (i = 0; i < n && pxs_out_room(out); i++) {
		err = pxs_group_propose(g, v[i], now, &slot, out);
		if (err && !i)
			return err;
		if (err)
			break;
		if (!i)
			*first = slot;
	}
	pxs_release_settled(g, now, out);
	return (int)i;
}

void pxs_leader_accepted(struct pxs_group *g, u64 ballot, u64 slot, u32 count, u8 from,
			 struct pxs_out *out)
{
	u64 end = slot + count;

	if (!g->lead_ballot || ballot != g->lead_ballot)
		return;
	if (slot <= g->commit)
		slot = g->commit + 1;
	for (; slot < end && slot < g->next_slot; slot++) {
		struct pxs_slot *s = pxs_window_at(&g->window, slot);

		if (!pxs_window_holds(&g->window, slot) || s->ballot != ballot)
			continue;
		s->voters |= 1ull << from;
		if (s->flags & PXS_SLOT_DECIDED ||
		    !pxs_quorum_met(s->voters, pxs_group_phase2(&g->conf)))
			continue;
		s->flags |= PXS_SLOT_DECIDED;
		g->stat[PXS_GROUP_STAT_DECIDED]++;
	}
	pxs_acceptor_commit(g, out);
}

/* Send again what is undecided, oldest first, to those whose vote is missing. */
static void resend(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	u64 patience = 2 * (u64)g->conf.heartbeat_ms;
	struct pxs_send *send = NULL;
	u64 last = 0;
	u64 slot;

	for (slot = g->commit + 1; slot < g->next_slot; slot++) {
		struct pxs_slot *s = pxs_window_at(&g->window, slot);
		u64 missing = pxs_group_others(g) & ~s->voters;

		if (s->flags & PXS_SLOT_DECIDED || !missing || now < s->sent_ms + patience)
			continue;
		if (!send || send->to != missing || slot != last + 1) {
			send = pxs_out_send(g, out, PXS_WIRE_ACCEPT, missing, g->lead_ballot, slot);
			if (!send)
				return;
		}
		if (!pxs_out_add(out, slot, s, 0)) {
			if (!send->count)
				out->nsend--;
			return;
		}
		s->sent_ms = now;
		last = slot;
		g->stat[PXS_GROUP_STAT_RESENT]++;
	}
}

bool pxs_leader_heard(const struct pxs_group *g, u64 now)
{
	u64 heard = 1ull << g->conf.self;
	u8 i;

	for (i = 0; i < g->conf.nmembers; i++)
		if (now < g->heard_ms[i] + 2 * (u64)g->conf.election_ms)
			heard |= 1ull << i;
	return pxs_quorum_met(heard, pxs_group_phase2(&g->conf));
}

static void beat(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	pxs_leader_beat(g, now, out);
	pxs_held_beat(g, out);
}

void pxs_leader_tick(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	if (now >= g->beat_ms + g->conf.heartbeat_ms)
		beat(g, now, out);
	else if (pxs_leader_untold(g))
		send_heartbeat(g, out);	/* not a beat: those of HELD go on as they would */
	resend(g, now, out);
	pxs_read_tick(g, now, out);
}
