// SPDX-License-Identifier: GPL-2.0
/*
 * candidate.c - how a ballot is opened: by a poll of the others, or by the leader's wish
 *
 * The poll (PREVOTE) keeps a member that was cut off from disturbing who leads; it proves
 * nothing and nobody writes anything for it. A leader that hands over says itself that it wants
 * to be disturbed: TRANSFER stands for the poll, and for nothing else. The promise is durable
 * before PREPARE leaves either way (S11), and phase 1 is the same.
 */
#include "candidate.h"
#include "acceptor.h"
#include "durability.h"
#include "lease.h"

static bool leader_is_heard(const struct pxs_group *g, u64 now)
{
	return g->leader_told && now < g->leader_ms + g->conf.election_ms;
}

/* The ballot that is in the way of a new one; 0: none. */
static u64 in_the_way(const struct pxs_group *g, u64 ballot, u64 now)
{
	if (ballot <= g->promised)
		return g->promised;
	if (g->lead_ballot)
		return g->lead_ballot;
	return leader_is_heard(g, now) ? g->leader_ballot : 0;
}

void pxs_candidate_prevote(struct pxs_group *g, const struct pxs_msg *m, u8 from, u64 now,
			   struct pxs_out *out)
{
	bool lags = m->epoch != g->conf.epoch;
	struct pxs_send *send;

	if (!lags && (!m->slot || !pxs_group_votes(g) || pxs_lease_bars(g, from, 0)))
		return;
	send = pxs_out_send(g, out, PXS_WIRE_PREVOTE_ACK, 1ull << from, m->ballot, m->slot);
	/* In an epoch that is over: that it hears ours tells it so. Nobody counts it there. */
	if (send)
		send->arg = lags ? m->ballot : in_the_way(g, m->ballot, now);
}

/*
 * A quorum welcomes @ballot, or the leader of @freed wants it. PREPARE leaves when the promise is
 * durable.
 */
static int open_ballot(struct pxs_group *g, u64 ballot, u64 slot, u64 freed)
{
	u64 lsn;

	if (!pxs_parked_room(g, 2))
		return -EAGAIN;
	if (pxs_lease_bars(g, g->conf.self, freed)) {
		g->stat[PXS_GROUP_STAT_PUT_OFF]++;
		return -EAGAIN;
	}
	lsn = pxs_acceptor_promise(g, ballot);
	if (!lsn)
		return -EAGAIN;
	pxs_group_resign(g);
	g->prepare_ballot = ballot;
	g->lease.freed = freed;
	pxs_park(g, lsn, PXS_WIRE_PREPARE, ballot, slot, g->conf.self);
	pxs_park(g, lsn, PXS_WIRE_PROMISE, ballot, slot, g->conf.self);
	return 0;
}

void pxs_candidate_prevote_ack(struct pxs_group *g, const struct pxs_msg *m, u8 from,
			       struct pxs_out *out)
{
	if (!m->ballot || m->ballot != g->poll.ballot)
		return;
	if (m->arg > m->ballot) {
		pxs_quorum_start(&g->poll, pxs_group_phase1(&g->conf), 0);
		pxs_out_leader(out, PXS_LEADER_PREEMPTED, m->arg);
	}
	/* Without credit the agent's next PREPARE finds the quorum and tries again. */
	if (!m->arg && pxs_quorum_add(&g->poll, from, m->ballot) &&
	    pxs_quorum_reached(&g->poll) && m->ballot > g->promised && pxs_group_votes(g))
		open_ballot(g, m->ballot, g->poll_slot, 0);
}

/* Would a quorum welcome @ballot? Ask who has not said so yet; our own agent has. */
static int ask_welcome(struct pxs_group *g, u64 ballot, u64 slot, struct pxs_out *out)
{
	u64 all = (1ull << pxs_group_voters(&g->conf)) - 1;

	if (ballot != g->poll.ballot) {
		pxs_quorum_start(&g->poll, pxs_group_phase1(&g->conf), ballot);
		pxs_quorum_add(&g->poll, g->conf.self, ballot);
	}
	g->poll_slot = slot;
	if (pxs_quorum_reached(&g->poll))
		return open_ballot(g, ballot, slot, 0);
	pxs_out_send(g, out, PXS_WIRE_PREVOTE, all & ~g->poll.votes, ballot, slot);
	return 0;
}

/*
 * May @ballot be opened without a poll? Not when somebody overtook the leader that chose us; we did
 * it ourselves with the first such ballot.
 */
static bool is_chosen(const struct pxs_group *g, u64 ballot)
{
	return g->handed && ballot > g->handed &&
	       g->handed == g->leader_ballot && g->promised <= g->handed;
}

void pxs_candidate_ask(struct pxs_group *g, u64 to, u64 ballot, u64 slot, struct pxs_out *out)
{
	struct pxs_send *send = pxs_out_send(g, out, PXS_WIRE_PREPARE, to, ballot, slot);

	if (send)
		send->arg = g->lease.freed;
}

int pxs_group_prepare(struct pxs_group *g, u64 ballot, u64 slot, u64 to, struct pxs_out *out)
{
	u64 all = (1ull << pxs_group_voters(&g->conf)) - 1;
	u64 self = 1ull << g->conf.self;

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (pxs_ballot_member(ballot) != g->conf.member[g->conf.self].id || !slot || to & ~all)
		return -EINVAL;
	if (pxs_group_learns(&g->conf))
		return -EPERM;
	if (!pxs_group_votes(g))
		return -EAGAIN;
	if (!to)
		to = all;
	if (is_chosen(g, ballot))
		return open_ballot(g, ballot, slot, g->handed);
	if (ballot > g->promised)
		return ask_welcome(g, ballot, slot, out);
	if (ballot != g->promised || ballot != g->prepare_ballot)
		return -ESTALE;
	if (g->promised_lsn > pxs_settled(g))
		return 0;	/* parked: it will leave by itself */
	if (to & ~self)
		pxs_candidate_ask(g, to & ~self, ballot, slot, out);
	if (to & self)
		pxs_acceptor_answer(g, ballot, slot, g->conf.self, out);
	return 0;
}

void pxs_candidate_transfer(struct pxs_group *g, const struct pxs_msg *m, u64 now,
			    struct pxs_out *out)
{
	/* What we lack is on its way, or is not: the leader asks again, for as long as it waits. */
	if (!pxs_group_votes(g) || g->commit + 1 < m->slot)
		return;
	g->handed = m->ballot;
	g->handed_ms = now;
	out->what |= PXS_OUT_FORWARD;
}

void pxs_candidate_tick(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	if (!g->handed || now < g->handed_ms + g->conf.election_ms)
		return;
	/* The agent may stand in vain by now: where the leader leads on, it hears so again. */
	if (g->leader_ballot == g->handed && leader_is_heard(g, now))
		pxs_out_leader(out, PXS_LEADER_SEEN, g->leader_ballot);
	g->handed = 0;
}
