// SPDX-License-Identifier: GPL-2.0
/*
 * group.c - who may say what, and which part of a member answers
 *
 * Runs under the group's lock in softirq, in the agent's loop and in the simulator
 * alike. See group.h for the contract with the shell.
 */
#include "group.h"
#include "acceptor.h"
#include "candidate.h"
#include "durability.h"
#include "leader.h"
#include "lease.h"
#include "handover.h"
#include "held.h"
#include "learner.h"
#include "membership.h"
#include "read.h"

const char *pxs_group_check_conf(const struct pxs_group_conf *conf)
{
	const char *wrong;
	u32 i, j;

	if (!conf->id || conf->id > 0x7fffffff)
		return "group id must be 1..2147483647";
	if (!conf->epoch)
		return "epoch must not be 0";
	if (conf->nmembers > PXS_MEMBERS_MAX || conf->learners >= conf->nmembers ||
	    pxs_group_voters(conf) < PXS_VOTERS_MIN || pxs_group_voters(conf) > PXS_VOTERS_MAX)
		return "a group has 2 to 5 members that vote, and 7 at most";
	wrong = pxs_quorum_check(pxs_group_voters(conf), conf->phase1, conf->phase2);
	if (wrong)
		return wrong;
	if (conf->self >= conf->nmembers)
		return "self is not a member";
	if (conf->window < 64 || conf->window > 65536 || conf->window & (conf->window - 1))
		return "window must be a power of two, 64..65536";
	if (conf->heartbeat_ms < 10 || conf->heartbeat_ms > 10000)
		return "heartbeat must be 10..10000 ms";
	if (conf->election_ms < 3 * conf->heartbeat_ms || conf->election_ms > 60000)
		return "election must be at least 3 heartbeats and at most 60000 ms";
	if (conf->lease_drift > PXS_LEASE_DRIFT_MAX)
		return "lease-drift must be 0 (no leases) or 1..1000 per mille";
	for (i = 0; i < conf->nmembers; i++) {
		if (!conf->member[i].id || conf->member[i].id > PXS_MEMBER_ID_MAX)
			return "member id must be 1..63";
		if (!conf->member[i].incarnation)
			return "member incarnation must not be 0";
		for (j = 0; j < i; j++) {
			if (conf->member[j].id == conf->member[i].id)
				return "member id given twice";
			if (conf->member[j].incarnation == conf->member[i].incarnation)
				return "member incarnation given twice";
		}
	}
	return NULL;
}

void pxs_group_init(struct pxs_group *g, const struct pxs_group_conf *conf,
		    struct pxs_stage *stage, struct pxs_slot *slots, struct pxs_parked *parked)
{
	memset(g, 0, sizeof(*g));
	g->conf = *conf;
	g->state = PXS_GROUP_INACTIVE;
	g->stage = stage;
	g->parked = parked;
	pxs_window_init(&g->window, slots, conf->window);
}

void pxs_group_exit(struct pxs_group *g)
{
	pxs_window_clear(&g->window);
	pxs_value_put(g->config);
	g->config = NULL;
}

int pxs_group_activate(struct pxs_group *g, u64 commit, u64 now)
{
	u64 base;

	if (g->state == PXS_GROUP_ACTIVE)
		return -EALREADY;
	if (g->state != PXS_GROUP_INACTIVE)
		return -ESHUTDOWN;
	if (g->stage->incarnation != g->conf.member[g->conf.self].incarnation)
		return -EKEYREJECTED;
	if (g->forgot) {
		pxs_group_fence(g, PXS_FORGOT);
		return -ENOTRECOVERABLE;
	}
	if (commit > g->commit) {
		struct pxs_record r = {
			.group = g->conf.id, .type = PXS_RECORD_COMMIT, .slot = commit,
		};
		int ret = pxs_group_load(g, &r);

		if (ret)
			return ret;
	}
	/* Behind a damaged slot the rest is learned again; without one the window shrank. */
	if (g->mute_until > g->commit && !g->stat[PXS_GROUP_STAT_FAULTY])
		return -ERANGE;
	/*
	 * Hold only what can be shown: a run of whole, decided slots that ends at the commit index.
	 */
	for (base = g->commit + 1; base > g->window.base; base--) {
		const struct pxs_slot *s = pxs_window_at(&g->window, base - 1);

		if (!s->value || !(s->flags & PXS_SLOT_DECIDED))
			break;
	}
	pxs_window_rebase(&g->window, base);
	g->state = PXS_GROUP_ACTIVE;
	g->known_commit = g->commit;
	g->leader_ms = now;
	g->lost_ms = now;
	g->now = now;
	pxs_lease_restart(g);
	return 0;
}

void pxs_group_fence(struct pxs_group *g, const char *reason)
{
	if (g->state == PXS_GROUP_FENCED)
		return;
	g->state = PXS_GROUP_FENCED;
	g->fence_reason = reason;
	g->parked_tail = g->parked_head;
	pxs_group_resign(g);
}

int pxs_conf_member(const struct pxs_group_conf *conf, u8 id)
{
	int i;

	for (i = 0; i < conf->nmembers; i++)
		if (conf->member[i].id == id)
			return i;
	return -1;
}

int pxs_group_admit(const struct pxs_group *g, const struct pxs_msg *m)
{
	int from = pxs_group_member(g, m->sender);

	if (memcmp(m->cluster, g->conf.cluster, sizeof(m->cluster)))
		return PXS_GROUP_STAT_BAD_CLUSTER;
	if (m->receiver != g->conf.member[g->conf.self].id)
		return PXS_GROUP_STAT_BAD_RECEIVER;
	if (from < 0 || from == g->conf.self)
		return PXS_GROUP_STAT_BAD_SENDER;
	return 0;
}

/* Whose ballot a message of this type speaks of: its sender's, its receiver's, or none. */
static bool ballot_ok(const struct pxs_msg *m)
{
	switch (m->type) {
	case PXS_WIRE_PREPARE:
	case PXS_WIRE_ACCEPT:
	case PXS_WIRE_HEARTBEAT:
	case PXS_WIRE_PREVOTE:
	case PXS_WIRE_TRANSFER:
	case PXS_WIRE_READ:
	case PXS_WIRE_HELD:
		return pxs_ballot_member(m->ballot) == m->sender;
	case PXS_WIRE_LEARN_REQ:
	case PXS_WIRE_LEARN:
		return !m->ballot;
	default:
		return pxs_ballot_member(m->ballot) == m->receiver;
	}
}

/* What must not be believed later than what its sender has said since: it is said of now. */
static bool is_of_now(const struct pxs_msg *m)
{
	return m->type == PXS_WIRE_HEARTBEAT || m->type == PXS_WIRE_TRANSFER;
}

/*
 * A counter rises, from 1 at least, for as long as its member's module lives. The next life's
 * may begin lower, if the clock that it begins with was set back, but its ballots are higher
 * (S11).
 */
static bool is_newer_beat(const struct pxs_group *g, const struct pxs_msg *m, int from)
{
	if (m->counter && m->ballot != g->beat_ballot[from])
		return m->ballot > g->beat_ballot[from];
	return m->counter > g->beat_counter[from];
}

/*
 * Does this show that its sender lives? A copy of what it said before does not, whoever repeats
 * it. Its ballot need not be the newest: as an acceptor it answers those of others.
 */
static bool shows_life(struct pxs_group *g, const struct pxs_msg *m, u8 from)
{
	if (!m->ballot)
		return false;
	if (m->counter <= g->live_counter[from] && m->ballot <= g->live_ballot[from])
		return false;
	g->live_counter[from] = m->counter;
	g->live_ballot[from] = max(g->live_ballot[from], m->ballot);
	return true;
}

/*
 * Of another epoch: is there anything in it for us? What was chosen is chosen for good, whoever the
 * members are now; nothing else may count over epochs (S10).
 */
static bool is_of_all_epochs(const struct pxs_group *g, const struct pxs_msg *m)
{
	if (m->type == PXS_WIRE_LEARN_REQ || m->type == PXS_WIRE_LEARN)
		return true;
	/* It lags, and hears so. */
	return m->type == PXS_WIRE_PREVOTE && m->epoch < g->conf.epoch;
}

static void hear_commit(struct pxs_group *g, const struct pxs_msg *m, u8 from)
{
	pxs_held_heard(g, from, m->commit);
	if (m->commit <= g->commit)
		return;
	g->known_from = from;
	g->known_commit = max(g->known_commit, m->commit);
}

int pxs_group_trust(struct pxs_group *g, const struct pxs_msg *m)
{
	int from = pxs_group_member(g, m->sender);

	if (m->sender_inc != g->conf.member[from].incarnation ||
	    m->receiver_inc != g->conf.member[g->conf.self].incarnation)
		return PXS_GROUP_STAT_BAD_INCARNATION;
	if (m->slot > PXS_SLOT_MAX || m->commit > PXS_SLOT_MAX || !ballot_ok(m))
		return PXS_GROUP_STAT_BAD_BODY;
	if (m->epoch != g->conf.epoch && !is_of_all_epochs(g, m)) {
		if (m->epoch > g->conf.epoch && g->state == PXS_GROUP_ACTIVE)
			hear_commit(g, m, (u8)from);
		return PXS_GROUP_STAT_BAD_EPOCH;
	}
	/*
	 * Whatever else is repeated changes nothing (shows_life() sees to it that nobody is taken
	 * for alive); an old heartbeat would keep a dead leader, an old TRANSFER topple one.
	 */
	if (is_of_now(m) && !is_newer_beat(g, m, from))
		return PXS_GROUP_STAT_REPLAY;
	return 0;
}

/*
 * The leader of m->ballot says that slots up to m->commit are decided. A slot that we
 * accepted at that very ballot holds the value it speaks of; at an older one it may not.
 */
static void follow_commit(struct pxs_group *g, const struct pxs_msg *m, struct pxs_out *out)
{
	u64 slot;

	for (slot = g->commit + 1; slot <= m->commit; slot++) {
		struct pxs_slot *s = pxs_window_at(&g->window, slot);

		if (!pxs_window_holds(&g->window, slot))
			break;
		if (s->flags & PXS_SLOT_DECIDED || !s->value || s->ballot != m->ballot ||
		    !(s->flags & PXS_SLOT_ACCEPTED))
			continue;
		s->flags |= PXS_SLOT_DECIDED;
		g->stat[PXS_GROUP_STAT_DECIDED]++;
	}
	pxs_acceptor_commit(g, out);
}

/* A leader with a ballot that is not below our promise spoke; @alive: just now. */
static void follow_leader(struct pxs_group *g, const struct pxs_msg *m, bool alive, u64 now,
			  struct pxs_out *out)
{
	if (!alive) {
		follow_commit(g, m, out);
		return;
	}
	pxs_quorum_start(&g->poll, pxs_group_phase1(&g->conf), 0);
	if (m->ballot > g->leader_ballot || !g->leader_told) {
		g->leader_ballot = m->ballot;
		g->leader_told = true;
		pxs_out_leader(out, PXS_LEADER_SEEN, m->ballot);
	}
	g->leader_ms = now;
	follow_commit(g, m, out);
}

static void recv_heartbeat(struct pxs_group *g, const struct pxs_msg *m, u8 from, bool alive,
			   u64 now, struct pxs_out *out)
{
	struct pxs_send *send;

	if (m->ballot < g->promised) {
		pxs_out_refuse(g, out, from, m->ballot, 0, g->promised);
		return;
	}
	follow_leader(g, m, alive, now, out);
	send = pxs_out_send(g, out, PXS_WIRE_HEARTBEAT_ACK, 1ull << from, m->ballot, m->slot);
	if (send)
		send->arg = m->counter;
}

static void recv_read(struct pxs_group *g, const struct pxs_msg *m, u8 from, bool alive, u64 now,
		      struct pxs_out *out)
{
	if (m->ballot < g->promised) {
		pxs_out_refuse(g, out, from, m->ballot, 0, g->promised);
		return;
	}
	follow_leader(g, m, alive, now, out);
	pxs_read_answer(g, m, from, alive, out);
}

static void recv_transfer(struct pxs_group *g, const struct pxs_msg *m, u8 from, bool alive,
			  u64 now, struct pxs_out *out)
{
	if (m->ballot < g->promised) {
		pxs_out_refuse(g, out, from, m->ballot, 0, g->promised);
		return;
	}
	follow_leader(g, m, alive, now, out);
	pxs_candidate_transfer(g, m, now, out);
}

/* ACCEPTED for consecutive slots travels as one datagram. */
static void answer_accepted(struct pxs_group *g, u64 ballot, u64 slot, u8 to, struct pxs_out *out)
{
	struct pxs_send *send = out->nsend ? &out->send[out->nsend - 1] : NULL;

	if (!send || send->type != PXS_WIRE_ACCEPTED || send->to != 1ull << to ||
	    send->ballot != ballot || send->slot + send->count != slot) {
		send = pxs_out_send(g, out, PXS_WIRE_ACCEPTED, 1ull << to, ballot, slot);
		if (!send)
			return;
	}
	send->count++;
}

static void recv_accept(struct pxs_group *g, const struct pxs_msg *m, const u8 *body, u8 from,
			bool alive, u64 now, struct pxs_out *out)
{
	enum pxs_accept_result ret;
	struct pxs_entry e;
	u64 higher = 0;
	u32 offset = 0;

	while (!pxs_group_mute(g) && g->state == PXS_GROUP_ACTIVE &&
	       pxs_wire_next(body, m->len, &offset, &e) > 0) {
		struct pxs_value *v = pxs_value_of(e.data, e.len, e.flags);

		if (!v) {
			g->stat[PXS_GROUP_STAT_NO_MEMORY]++;
			return;
		}
		ret = pxs_acceptor_accept(g, m->ballot, e.slot, v, from, &higher, out);
		pxs_value_put(v);
		if (ret == PXS_ACCEPT_REFUSED) {
			pxs_out_refuse(g, out, from, m->ballot, e.slot, higher);
			return;
		}
		if (ret == PXS_ACCEPT_DURABLE)
			answer_accepted(g, m->ballot, e.slot, from, out);
	}
	/* A mute member came here without a look at the ballot. */
	if (g->state == PXS_GROUP_ACTIVE && m->ballot >= g->promised)
		follow_leader(g, m, alive, now, out);
}

static void recv_refuse(struct pxs_group *g, const struct pxs_msg *m, struct pxs_out *out)
{
	if (!m->ballot || m->arg <= m->ballot)
		return;
	if (m->ballot == g->lead_ballot || m->ballot == g->prepare_ballot)
		pxs_leader_preempted(g, m->arg, out);
}

/* What the step allows: answers to what it staged, in memory, and reads. */
static void let_go(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	pxs_release_settled(g, now, out);
	pxs_read_step(g, now, out);
}

void pxs_group_recv(struct pxs_group *g, const struct pxs_msg *m, const u8 *body, u64 now,
		    struct pxs_out *out)
{
	u8 from = (u8)pxs_group_member(g, m->sender);
	bool alive;

	if (g->state != PXS_GROUP_ACTIVE) {
		g->stat[PXS_GROUP_STAT_NOT_ACTIVE]++;
		return;
	}
	if (!pxs_wire_check_body(m, body)) {
		g->stat[PXS_GROUP_STAT_BAD_BODY]++;
		return;
	}
	g->stat[PXS_GROUP_STAT_RX]++;
	g->now = max(g->now, now);
	if (is_of_now(m)) {
		g->beat_ballot[from] = m->ballot;
		g->beat_counter[from] = m->counter;
	}
	alive = shows_life(g, m, from);
	if (alive && m->ballot == g->lead_ballot)
		g->heard_ms[from] = now;
	hear_commit(g, m, from);
	switch (m->type) {
	case PXS_WIRE_PREPARE:
		if (m->slot && pxs_group_votes(g))
			pxs_acceptor_prepare(g, m, from, out);
		break;
	case PXS_WIRE_PROMISE:
		/* For a ballot that is no longer open it is too late (S11). */
		if (m->ballot == g->prepare_ballot)
			out->what |= PXS_OUT_FORWARD;
		break;
	case PXS_WIRE_ACCEPT:
		recv_accept(g, m, body, from, alive, now, out);
		break;
	case PXS_WIRE_ACCEPTED:
		pxs_leader_accepted(g, m->ballot, m->slot, m->count, from, out);
		break;
	case PXS_WIRE_REFUSE:
		recv_refuse(g, m, out);
		break;
	case PXS_WIRE_HEARTBEAT:
		recv_heartbeat(g, m, from, alive, now, out);
		break;
	case PXS_WIRE_LEARN_REQ:
		pxs_learner_show(g, m, from, out);
		break;
	case PXS_WIRE_LEARN:
		pxs_learner_take(g, m, body, now, out);
		break;
	case PXS_WIRE_PREVOTE:
		pxs_candidate_prevote(g, m, from, now, out);
		break;
	case PXS_WIRE_PREVOTE_ACK:
		pxs_candidate_prevote_ack(g, m, from, out);
		break;
	case PXS_WIRE_TRANSFER:
		recv_transfer(g, m, from, alive, now, out);
		break;
	case PXS_WIRE_READ:
		recv_read(g, m, from, alive, now, out);
		break;
	case PXS_WIRE_READ_ACK:
		pxs_read_answered(g, m, from);
		break;
	case PXS_WIRE_HELD:
		pxs_held_told(g, m->slot);
		break;
	}
	pxs_handover_heard(g, m, from, out);
	let_go(g, now, out);
}

static void lead_on(struct pxs_group *g, u64 now, bool healthy, struct pxs_out *out)
{
	pxs_handover_tick(g, now, healthy, out);
	if (healthy)
		pxs_leader_tick(g, now, out);
}

void pxs_group_tick(struct pxs_group *g, u64 now, bool healthy, struct pxs_out *out)
{
	if (g->state != PXS_GROUP_ACTIVE)
		return;
	g->now = max(g->now, now);
	g->sick = !healthy;
	if (g->lead_ballot) {
		g->leader_ms = now;
		/*
		 * A leader that cannot make anything durable goes quiet, so that another is chosen:
		 * it does not beat, proposes nothing and asks nobody whether it still leads.
		 * One that is not answered (it may be heard all the same) makes room for another.
		 */
		if (!pxs_leader_heard(g, now))
			pxs_leader_preempted(g, g->lead_ballot, out);
		else
			lead_on(g, now, healthy, out);
	} else if (now >= g->leader_ms + g->conf.election_ms &&
		   now >= g->lost_ms + g->conf.election_ms) {
		g->lost_ms = now;
		if (!g->leader_told)
			pxs_learner_wonder(g, out);
		g->leader_told = false;
		pxs_out_leader(out, PXS_LEADER_LOST, g->leader_ballot);
	}
	if (healthy)
		pxs_durability_tick(g);
	pxs_release_settled(g, now, out);
	pxs_candidate_tick(g, now, out);
	if (now >= g->learn_ms + g->conf.heartbeat_ms)
		pxs_learner_ask(g, now, out);
}

/* What a record that is settled allows. False: @out is full, the answer stays parked. */
static bool release_one(struct pxs_group *g, const struct pxs_parked *p, struct pxs_out *out)
{
	u64 all = (1ull << pxs_group_voters(&g->conf)) - 1;

	if (out->nsend + 2 > PXS_OUT_SENDS)
		return false;
	switch (p->type) {
	case PXS_WIRE_PREPARE:
		if (p->ballot == g->prepare_ballot)
			pxs_candidate_ask(g, all & ~(1ull << g->conf.self), p->ballot, p->slot,
					  out);
		return true;
	case PXS_WIRE_PROMISE:
		if (p->ballot == g->promised)
			return pxs_acceptor_answer(g, p->ballot, p->slot, p->to, out);
		if (p->to != g->conf.self)
			pxs_out_refuse(g, out, p->to, p->ballot, 0, g->promised);
		return true;
	default:
		if (p->to == g->conf.self)
			pxs_leader_accepted(g, p->ballot, p->slot, 1, p->to, out);
		else
			answer_accepted(g, p->ballot, p->slot, p->to, out);
		return true;
	}
}

void pxs_group_release(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	u64 settled = pxs_settled(g);
	u64 ring = 2 * (u64)g->conf.window;

	while (g->parked_tail != g->parked_head) {
		const struct pxs_parked *p = &g->parked[g->parked_tail & (ring - 1)];

		if (p->lsn > settled)
			break;
		if (!release_one(g, p, out)) {
			out->what |= PXS_OUT_MORE;
			break;
		}
		g->parked_tail++;
	}
	pxs_read_step(g, now, out);
}
