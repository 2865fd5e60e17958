// SPDX-License-Identifier: GPL-2.0
/*
 * elect.c - who leads a group: ballots, time-outs and phase 1
 *
 * A follower stands when the leader is lost, after a random delay; the datapath opens its
 * ballot only if a quorum has lost the leader too, or the leader itself hands over. A candidate
 * asks all members for a promise, page by page, until a quorum has answered for every slot;
 * then it waits until its own commit index has reached the highest one it heard (the
 * datapath fetches what is missing), and leads: slots up to the highest one with an
 * entry are proposed again, the rest is free. Whoever meets a higher ballot steps down
 * and waits, longer with each lost candidacy (L. Lamport, Paxos Made Simple, 2001,
 * section 3; the randomised time-outs as in Raft, ATC 2014, section 9.3).
 *
 * One thread uses a struct pxs_elect; nothing here blocks or reads a clock.
 */
#include "elect.h"

#include "random.h"

#define BACKOFF_MAX	4u
#define ALL		(~0ull)		/* cover[]: all is answered; faulty_ballot: unknown */

static u64 draw(struct pxs_elect *e, u64 below)
{
	u64 drawn = pxs_random_next(&e->random);

	return below ? drawn % below : 0;
}

static void phase1_free(struct pxs_elect *e)
{
	u32 i;

	if (!e->slot)
		return;
	for (i = 0; i < e->conf.window; i++)
		pxs_elect_slot_clear(&e->slot[i]);
	pxs_free(e->slot);
	e->slot = NULL;
}

static u8 self_id(const struct pxs_elect *e)
{
	return e->conf.member[e->conf.self].id;
}

static u64 members(const struct pxs_elect *e)
{
	return (1ull << pxs_group_voters(&e->conf)) - 1;
}

static u64 backed_off(struct pxs_elect *e)
{
	u64 base = (u64)e->conf.election_ms << min((u32)e->backoff, BACKOFF_MAX);

	return base / 2 + draw(e, base);
}

static u64 repeat_ms(const struct pxs_elect *e)
{
	return max(e->conf.heartbeat_ms, e->conf.election_ms / 8);
}

/* Become a follower of @leader (0: of nobody, stand again at @deadline). */
static void step_down(struct pxs_elect *e, u8 leader, u64 deadline)
{
	/* The datapath may lead, or be about to: what it does not hear it cannot undo. */
	if (e->role == PXS_ROLE_LEADER || e->busy == PXS_ELECT_LEAD)
		e->resign = true;
	e->role = PXS_ROLE_FOLLOWER;
	e->leader = leader;
	e->ballot = 0;
	e->ask = 0;
	e->next = 0;
	e->last = 0;
	e->deadline = deadline;
	pxs_quorum_start(&e->promised, pxs_group_phase1(&e->conf), 0);
	pxs_quorum_start(&e->complete, pxs_group_phase1(&e->conf), 0);
	phase1_free(e);
}

static void lose(struct pxs_elect *e, u64 now)
{
	u64 wait = backed_off(e);

	if (e->backoff < BACKOFF_MAX)
		e->backoff++;
	step_down(e, 0, now + wait);
}

/* Open a ballot higher than everything known. */
static void stand(struct pxs_elect *e, u64 now)
{
	u64 round = pxs_ballot_round(e->seen) + 1;
	size_t size = e->conf.window * sizeof(*e->slot);
	u8 i;

	step_down(e, 0, now + e->conf.election_ms);
	if (pxs_group_learns(&e->conf)) {
		e->deadline = 0;
		return;
	}
	if (round > PXS_BALLOT_ROUND_MAX)
		return;
	e->slot = pxs_alloc(size);
	if (!e->slot)
		return;
	memset(e->slot, 0, size);
	e->role = PXS_ROLE_CANDIDATE;
	e->ballot = pxs_ballot(round, self_id(e));
	e->seen = e->ballot;
	e->settled = e->commit;
	e->last = e->commit;
	for (i = 0; i < e->conf.nmembers; i++)
		e->cover[i] = e->settled + 1;
	pxs_quorum_start(&e->promised, pxs_group_phase1(&e->conf), e->ballot);
	pxs_quorum_start(&e->complete, pxs_group_phase1(&e->conf), e->ballot);
	e->ask = members(e);
	e->repeat = now + repeat_ms(e);
	e->deadline = now + e->conf.election_ms + backed_off(e);
}

/* LEAD is out, from settled + 1 on: what phase 1 found must stay as it is. */
static bool frozen(const struct pxs_elect *e)
{
	return e->busy == PXS_ELECT_LEAD;
}

/* Slots up to @commit are decided: what phase 1 found of them no longer matters. */
static void settle(struct pxs_elect *e, u64 commit)
{
	u64 slot;

	if (commit <= e->settled)
		return;
	for (slot = e->settled + 1; slot <= commit && slot <= e->last; slot++)
		pxs_elect_slot_clear(pxs_elect_slot_at(e, slot));
	e->settled = commit;
	if (e->last < commit)
		e->last = commit;
}

void pxs_elect_init(struct pxs_elect *e, const struct pxs_group_conf *conf, u64 seed)
{
	memset(e, 0, sizeof(*e));
	e->conf = *conf;
	e->random = seed ? seed : 0x9e3779b97f4a7c15ull;
	e->role = PXS_ROLE_FOLLOWER;
}

void pxs_elect_exit(struct pxs_elect *e)
{
	phase1_free(e);
	pxs_value_put(e->busy_value);
	e->busy_value = NULL;
}

void pxs_elect_seen(struct pxs_elect *e, u64 ballot)
{
	if (ballot > e->seen)
		e->seen = ballot;
}

void pxs_elect_start(struct pxs_elect *e, u64 promised, u64 commit, u64 now)
{
	u64 deadline = now + e->conf.election_ms + draw(e, e->conf.election_ms / 2 + 1);

	step_down(e, 0, deadline);
	pxs_elect_seen(e, promised);
	if (commit > e->commit)
		e->commit = commit;
	e->resign = true;
	e->started = true;
}

void pxs_elect_stop(struct pxs_elect *e)
{
	step_down(e, 0, 0);
	e->started = false;
	e->resign = false;
}

static void leader_seen(struct pxs_elect *e, u64 ballot)
{
	if (pxs_ballot_member(ballot) == self_id(e))
		return;
	/* A leader of an older ballot will be refused by those who promised ours; if any did. */
	if (ballot < e->ballot && (e->role == PXS_ROLE_LEADER || e->promised.votes))
		return;
	e->backoff = 0;
	step_down(e, pxs_ballot_member(ballot), 0);
}

void pxs_elect_leader_event(struct pxs_elect *e, u8 event, u64 ballot, u64 now)
{
	if (!e->started)
		return;
	pxs_elect_seen(e, ballot);
	switch (event) {
	case PXS_LEADER_SEEN:
		leader_seen(e, ballot);
		break;
	case PXS_LEADER_LOST:
		if (e->role != PXS_ROLE_FOLLOWER)
			break;
		e->leader = 0;
		if (!e->deadline)
			e->deadline = now + 1 + draw(e, e->conf.election_ms / 2);
		break;
	case PXS_LEADER_PREEMPTED:
		/* Ours: nobody answered it any more. */
		if (e->role != PXS_ROLE_FOLLOWER && ballot >= e->ballot)
			lose(e, now);
		break;
	}
}

void pxs_elect_conf(struct pxs_elect *e, const struct pxs_group_conf *conf)
{
	u64 random = e->random, seen = e->seen;

	pxs_elect_exit(e);
	pxs_elect_init(e, conf, random);
	e->seen = seen;
}

void pxs_elect_hurry(struct pxs_elect *e, u64 now)
{
	if (e->started && e->role == PXS_ROLE_FOLLOWER && !e->leader)
		e->deadline = now;
}

/* Member index of the sender, -1: not counted here (S10). */
static int sender_index(const struct pxs_elect *e, const struct pxs_msg *m)
{
	u8 i;

	if (m->group != e->conf.id || m->epoch != e->conf.epoch)
		return -1;
	for (i = 0; i < e->conf.nmembers; i++) {
		if (e->conf.member[i].id != m->sender)
			continue;
		return e->conf.member[i].incarnation == m->sender_inc ? i : -1;
	}
	return -1;
}

/* Can every entry of the page be held? Then it may be taken. */
static bool page_ok(const struct pxs_elect *e, const struct pxs_msg *m, const u8 *body)
{
	u64 floor = max(e->settled, m->commit);
	struct pxs_entry en;
	u32 offset = 0;
	int ret;

	if (m->commit >= PXS_SLOT_MAX)
		return false;
	while ((ret = pxs_wire_next(body, m->len, &offset, &en)) > 0) {
		if (en.slot < m->slot || (m->arg && en.slot >= m->arg))
			return false;
		if (en.slot > floor && en.slot - floor > e->conf.window)
			return false;
	}
	return ret == 0;
}

static void take_faulty(struct pxs_elect_slot *s, u8 member, u64 ballot)
{
	s->faulty |= 1u << member;
	if (!ballot)
		ballot = ALL;
	if (ballot > s->faulty_ballot)
		s->faulty_ballot = ballot;
}

/* Return: false without memory. */
static bool take_entry(struct pxs_elect *e, u8 member, const struct pxs_entry *en)
{
	bool decided = en->flags & PXS_ENTRY_DECIDED;
	struct pxs_elect_slot *s;
	struct pxs_value *v;

	if (en->slot <= e->settled)
		return true;
	s = pxs_elect_slot_at(e, en->slot);
	if (en->slot > e->last)
		e->last = en->slot;
	if (en->flags & PXS_ENTRY_FAULTY) {
		take_faulty(s, member, en->ballot);
		return true;
	}
	if (s->decided || (s->value && !decided && en->ballot <= s->ballot))
		return true;
	v = pxs_value_of(en->data, en->len, en->flags);
	if (!v)
		return false;
	pxs_value_put(s->value);
	s->value = v;
	s->ballot = en->ballot;
	s->decided = decided;
	return true;
}

static void recv_promise(struct pxs_elect *e, const struct pxs_msg *m, const u8 *body, u64 now)
{
	int member = sender_index(e, m);
	struct pxs_entry en;
	u32 offset = 0;

	/* Late, or of somebody else's ballot: what is finished stays finished (S11). */
	if (e->role != PXS_ROLE_CANDIDATE || m->ballot != e->ballot || member < 0 || frozen(e))
		return;
	if (!page_ok(e, m, body))
		return;
	settle(e, m->commit);
	/* A page behind a gap says nothing of the slots in the gap. */
	if (m->slot > max(e->cover[member], e->settled + 1))
		return;
	while (pxs_wire_next(body, m->len, &offset, &en) > 0) {
		if (!take_entry(e, member, &en))
			return;
	}
	if (pxs_quorum_add(&e->promised, member, m->ballot))
		e->deadline = now + e->conf.election_ms + backed_off(e);
	if (!m->arg) {
		e->cover[member] = ALL;
		e->ask &= ~(1ull << member);
		pxs_quorum_add(&e->complete, member, m->ballot);
		return;
	}
	if (m->arg > e->cover[member]) {
		e->cover[member] = m->arg;
		e->ask |= 1ull << member;
		e->deadline = now + e->conf.election_ms + backed_off(e);
	}
}

static void recv_refuse(struct pxs_elect *e, const struct pxs_msg *m, u64 now)
{
	if (sender_index(e, m) < 0)
		return;
	pxs_elect_seen(e, m->arg);
	if (e->role == PXS_ROLE_FOLLOWER || m->ballot != e->ballot || m->arg <= m->ballot)
		return;
	lose(e, now);
}

/*
 * The leader wants us to lead: stand at once. Whether it still does, or another leads by now, the
 * datapath knows better: it asks the others then, as for any ballot.
 */
static void recv_transfer(struct pxs_elect *e, const struct pxs_msg *m, u64 now)
{
	if (sender_index(e, m) < 0 || e->role != PXS_ROLE_FOLLOWER)
		return;
	pxs_elect_seen(e, m->ballot);
	stand(e, now);
}

void pxs_elect_recv(struct pxs_elect *e, const struct pxs_msg *m, const u8 *body, u64 now)
{
	if (!e->started)
		return;
	if (m->type == PXS_WIRE_PROMISE)
		recv_promise(e, m, body, now);
	else if (m->type == PXS_WIRE_REFUSE)
		recv_refuse(e, m, now);
	else if (m->type == PXS_WIRE_TRANSFER)
		recv_transfer(e, m, now);
}

void pxs_elect_decided(struct pxs_elect *e, u64 commit, u64 now)
{
	if (!e->started || commit <= e->commit)
		return;
	e->commit = commit;
	if (e->role != PXS_ROLE_CANDIDATE)
		return;
	if (!frozen(e))
		settle(e, commit);
	/* Catching up is progress. */
	e->deadline = now + e->conf.election_ms + backed_off(e);
}

void pxs_elect_tick(struct pxs_elect *e, u64 now)
{
	if (!e->started)
		return;
	e->wait = false;
	if (e->role == PXS_ROLE_FOLLOWER && e->deadline && now >= e->deadline)
		stand(e, now);
	if (e->role != PXS_ROLE_CANDIDATE)
		return;
	if (now >= e->deadline) {
		/*
		 * With a quorum and yet stuck (damaged slots, or who is ahead of us went away)
		 * only a new ballot brings new answers. Without one the open ballot is as
		 * good as any: a higher one would only disturb whoever leads elsewhere.
		 */
		if (pxs_quorum_reached(&e->promised))
			stand(e, now);
		else
			e->deadline = now + e->conf.election_ms + backed_off(e);
	}
	if (e->role == PXS_ROLE_CANDIDATE && now >= e->repeat) {
		e->ask = members(e) & ~e->complete.votes;
		e->repeat = now + repeat_ms(e);
	}
}

/*
 * May this slot be filled? Either its value is known to be chosen, or a quorum has answered
 * for it, with damaged answers counted only where the value of their ballot, or of a higher
 * one, is known from elsewhere (S5).
 */
static bool may_fill(const struct pxs_elect *e, const struct pxs_elect_slot *s)
{
	u64 votes = e->complete.votes;

	if (s->decided)
		return true;
	if (s->faulty && (!s->value || s->ballot < s->faulty_ballot))
		votes &= ~(u64)s->faulty;
	return pxs_quorum_met(votes, pxs_group_phase1(&e->conf));
}

static bool may_lead(const struct pxs_elect *e)
{
	u64 slot;

	if (!pxs_quorum_reached(&e->complete) || e->commit < e->settled)
		return false;
	for (slot = e->settled + 1; slot <= e->last; slot++) {
		if (!may_fill(e, pxs_elect_slot_at(e, slot)))
			return false;
	}
	return true;
}

static void next_prepare(struct pxs_elect *e, struct pxs_elect_action *a)
{
	u64 from;
	u8 i;

	for (i = 0; i < e->conf.nmembers; i++) {
		if (!(e->ask >> i & 1))
			continue;
		from = max(e->cover[i], e->settled + 1);
		if (!a->to)
			a->slot = from;
		if (from == a->slot)
			a->to |= 1ull << i;
	}
	e->ask &= ~a->to;
	a->type = PXS_ELECT_PREPARE;
}

/* Return: false without memory: the next tick tries again. */
static bool next_propose(struct pxs_elect *e, struct pxs_elect_action *a)
{
	struct pxs_elect_slot *s = pxs_elect_slot_at(e, e->next);

	if (!s->value)
		s->value = pxs_value_new(NULL, 0, true);
	if (!s->value)
		return false;
	a->type = PXS_ELECT_PROPOSE;
	a->slot = e->next;
	a->value = s->value;
	e->busy_value = pxs_value_get(s->value);
	return true;
}

bool pxs_elect_next(struct pxs_elect *e, struct pxs_elect_action *a)
{
	memset(a, 0, sizeof(*a));
	if (!e->started || e->busy || e->wait)
		return false;
	a->ballot = e->ballot;
	if (e->resign) {
		a->type = PXS_ELECT_RESIGN;
		e->resign = false;
	} else if (e->role == PXS_ROLE_CANDIDATE && may_lead(e)) {
		pxs_elect_stop_at(e);
		a->type = PXS_ELECT_LEAD;
		a->slot = e->settled + 1;
		a->found = e->last;
	} else if (e->role == PXS_ROLE_CANDIDATE && e->ask) {
		next_prepare(e, a);
	} else if (e->role == PXS_ROLE_LEADER && e->next <= e->last) {
		if (!next_propose(e, a))
			return false;
	} else {
		return false;
	}
	e->busy = a->type;
	return true;
}

static void not_busy(struct pxs_elect *e)
{
	e->busy = 0;
	pxs_value_put(e->busy_value);
	e->busy_value = NULL;
}

void pxs_elect_done(struct pxs_elect *e, const struct pxs_elect_action *a, u64 slot, u64 now)
{
	u8 type = e->busy;

	not_busy(e);
	/* A step down since has set resign where it was needed. */
	if (type != a->type || !e->ballot || a->ballot != e->ballot)
		return;
	if (type == PXS_ELECT_PREPARE) {
		e->stale = 0;
	} else if (type == PXS_ELECT_LEAD) {
		e->role = PXS_ROLE_LEADER;
		e->leader = self_id(e);
		e->next = a->slot;
		e->deadline = 0;
		e->backoff = 0;
		if (e->next > e->last)
			phase1_free(e);
	} else if (type == PXS_ELECT_PROPOSE) {
		if (slot != a->slot) {
			lose(e, now);
			return;
		}
		pxs_elect_slot_clear(pxs_elect_slot_at(e, slot));
		if (e->next++ == e->last)
			phase1_free(e);
	}
}

/*
 * Will the datapath never resign for us? The group is gone, or fenced, or another agent's. Anything
 * else (no memory, say) passes: one that leads while we do not know would beat for ever.
 */
static bool is_final(int err)
{
	return err == -ENOENT || err == -ESHUTDOWN || err == -EPERM || err == -ESTALE;
}

void pxs_elect_failed(struct pxs_elect *e, const struct pxs_elect_action *a, int err, u64 now)
{
	u8 type = e->busy;

	not_busy(e);
	if (type != a->type)
		return;
	if (type == PXS_ELECT_RESIGN) {
		e->resign = !is_final(err);
		e->wait = e->resign;
		return;
	}
	if (!e->ballot || a->ballot != e->ballot)
		return;
	if (err == -EAGAIN) {
		e->wait = true;
		if (type == PXS_ELECT_PREPARE)
			e->ask |= a->to;
		return;
	}
	if (type == PXS_ELECT_PREPARE && err == -ETIMEDOUT)
		return;		/* asking again is harmless, and the repeat does it */
	if (type == PXS_ELECT_LEAD && err == -EINVAL) {
		settle(e, e->commit);	/* which was put off */
		e->wait = true;	/* the datapath's commit index is ahead of what we were told */
		return;
	}
	if (type == PXS_ELECT_PREPARE && err == -ESTALE && e->seen == e->ballot) {
		/* Nobody told us of the higher ballot: look for it in growing steps. */
		u64 step = 1ull << min((u32)e->stale, 20u);

		if (e->stale < 20)
			e->stale++;
		if (pxs_ballot_round(e->seen) + step < PXS_BALLOT_ROUND_MAX)
			e->seen += step << 8;
	}
	lose(e, now);
	if (type != PXS_ELECT_PREPARE)
		e->resign = true;
}
