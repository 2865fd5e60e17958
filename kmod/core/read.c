// SPDX-License-Identifier: GPL-2.0
/*
 * read.c - read index: how far must one have applied, to read what is true now?
 *
 * As in D. Ongaro, Consensus, 2014, section 6.4: the leader notes its commit index, asks a quorum
 * whether it still leads, and when a quorum says so, the index is the answer (S8). No record is
 * written and no disk waits. The quorum is one of phase 2: it must meet each of phase 1 (quorum.h),
 * and also each of phase 1 of the next epoch, where nobody answers in ours any more (membership.h).
 *
 * Why it is true. Let a slot be acknowledged before the round began, chosen at ballot b; ours is B.
 *   b > B: a quorum of phase 1 promised b, on disk, before it was chosen. One of them is among
 *          those who answered us, later than that, with no promise above B: impossible. That holds
 *          only for answers to a question of this round, and the number in it tells. (In a memory
 *          group who forgot a promise answers nothing any more: durability.h.)
 *   b = B: who acknowledged it had it from us, so our commit index covered it when we noted it.
 *   b < B: our phase 1 found it: it is at or below first_slot - 1, which was our commit index
 *          when we began to lead, or at or below the highest slot with an entry, g->found.
 * Hence the index is no lower than g->found, and is told when it is decided.
 *
 * One round is under way at a time, and serves all who asked before it began. Whoever asks
 * meanwhile gets the number of the next one, which begins when this one ends.
 *
 * While nothing becomes durable at the leader no round begins: READ is as good as a heartbeat, and
 * for as long as somebody reads no other could take over, who could write as well.
 *
 * A leader with a lease (lease.h) knows that no value was chosen above B, and needs no round.
 */
#include "read.h"
#include "lease.h"
#include "quorum.h"

static void ask(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	u64 missing = ((1ull << pxs_group_voters(&g->conf)) - 1) & ~g->read.heard.votes;
	struct pxs_send *send;

	if (!missing)
		return;
	send = pxs_out_send(g, out, PXS_WIRE_READ, missing, g->lead_ballot, g->next_slot);
	if (!send)
		return;		/* the next tick sees to it */
	send->arg = g->read.round;
	send->count = pxs_lease_wish(g);
	g->read.asked_ms = now;
}

static void start(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	struct pxs_read *r = &g->read;

	if (g->sick && pxs_group_phase2(&g->conf).enough > 1)
		return;		/* the first tick that finds us well sees to it */
	r->round = r->given;
	r->index = max(g->commit, g->found);
	pxs_quorum_start(&r->heard, pxs_group_phase2(&g->conf), g->lead_ballot);
	/* We promised no higher ballot: we would not lead then. */
	pxs_quorum_add(&r->heard, g->conf.self, g->lead_ballot);
	g->stat[PXS_GROUP_STAT_READ_ROUNDS]++;
	pxs_lease_round(g, now);
	ask(g, now, out);
}

static void done(struct pxs_group *g, u64 round, u64 index, struct pxs_out *out)
{
	struct pxs_read *r = &g->read;

	r->done = round;
	r->done_index = index;
	r->done_ballot = g->lead_ballot;
	out->what |= PXS_OUT_READ;
}

int pxs_group_read(struct pxs_group *g, u64 now, u64 *round, struct pxs_out *out)
{
	struct pxs_read *r = &g->read;

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (!g->lead_ballot)
		return -ENOTCONN;
	if (pxs_lease_holds(g, now) && g->commit >= g->found) {
		/* Who waits for the round under way may read as well: it is later now. */
		*round = ++r->given;
		done(g, r->given, g->commit, out);
		g->lease.used = true;
		g->stat[PXS_GROUP_STAT_LEASE_READS]++;
		return 0;
	}
	/* One that nobody has waited for yet, and that has not begun, serves all who come now. */
	if (r->wanted <= r->done || r->wanted == r->round)
		r->wanted = ++r->given;
	*round = r->wanted;
	if (!r->round) {
		start(g, now, out);
		pxs_read_step(g, now, out);	/* one voter may be enough: we are it */
	}
	return 0;
}

void pxs_read_answer(struct pxs_group *g, const struct pxs_msg *m, u8 from, bool alive,
		     struct pxs_out *out)
{
	struct pxs_send *send = pxs_out_send(g, out, PXS_WIRE_READ_ACK, 1ull << from, m->ballot,
					     m->slot);

	if (!send)
		return;
	send->arg = m->arg;
	/* A copy of what it said before asks for nothing. */
	if (alive)
		send->count = pxs_lease_grant(g, m);
}

void pxs_read_answered(struct pxs_group *g, const struct pxs_msg *m, u8 from)
{
	/* An answer of an older round says nothing of now. */
	if (g->read.round && m->arg == g->read.round)
		pxs_quorum_add(&g->read.heard, from, m->ballot);
	pxs_lease_answered(g, m, from);
}

void pxs_read_step(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	struct pxs_read *r = &g->read;

	if (!r->round || !pxs_quorum_reached(&r->heard) || g->commit < r->index)
		return;
	/* Nobody waits for one that renews a lease. */
	if (r->done < r->round && r->done < r->wanted)
		done(g, r->round, r->index, out);
	r->round = 0;
	if (r->wanted > r->done)
		start(g, now, out);
}

void pxs_read_tick(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	if (g->read.round && now >= g->read.asked_ms + g->conf.heartbeat_ms)
		ask(g, now, out);
	if (g->read.round)
		return;
	if (g->read.wanted > g->read.done) {
		start(g, now, out);
		return;
	}
	if (!pxs_lease_wanes(g, now))
		return;
	g->read.given++;
	start(g, now, out);
}

void pxs_read_forget(struct pxs_group *g)
{
	g->read.round = 0;
	g->read.wanted = 0;
	pxs_quorum_start(&g->read.heard, pxs_group_phase2(&g->conf), 0);
}
