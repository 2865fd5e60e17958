// SPDX-License-Identifier: GPL-2.0
/*
 * replica.c - one group on this node
 *
 * Glue: events of the datapath go into the election (elect.c) and the log (slots.c);
 * what the election wants goes to the datapath. Everything happens in the loop's
 * thread; pxs_replica_step() is called until nothing more happens in a round.
 */
#include "replica.h"

#include <inttypes.h>
#include <sys/random.h>

#include "node.h"
#include "report.h"
#include "trim.h"

#define TICK_MS	20

int pxs_replica_init(struct pxs_replica *r, struct pxs_node *n,
		     struct pxs_group_config *config)
{
	u64 seed = 0;

	memset(r, 0, sizeof(*r));
	r->node = n;
	r->config = config;
	r->id = config->conf.id;
	r->stateful = config->store;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return -EIO;
	pxs_elect_init(&r->elect, &config->conf, seed);
	pxs_proposals_init(&r->proposals);
	pxs_index_reads_init(&r->reads);
	pxs_members_init(r);
	pxs_teach_init(r);
	return 0;
}

void pxs_replica_exit(struct pxs_replica *r)
{
	pxs_elect_exit(&r->elect);
	pxs_teach_exit(r);
	pxs_slots_exit(&r->slots);
}

int pxs_replica_record(struct pxs_replica *r, const struct pxs_record *rec, u64 pos)
{
	if (!r->first_pos)
		r->first_pos = pos;
	switch (rec->type) {
	case PXS_RECORD_PROMISE:
	case PXS_RECORD_ACCEPT:
		if (rec->ballot > r->promised) {
			r->promised = rec->ballot;
			r->promised_lsn = rec->lsn;
		}
		if (rec->type == PXS_RECORD_PROMISE)
			return 0;
		break;
	case PXS_RECORD_DECIDED:
		break;
	case PXS_RECORD_CONFIG:
		pxs_member_record(r, rec, pos);
		return 0;
	case PXS_RECORD_COMMIT:
		r->recovered = max(r->recovered, rec->slot);
		if (pos)
			r->commit_pos = pos;
		return 0;
	case PXS_RECORD_DURABILITY:
		r->memory = rec->slot == PXS_DURABILITY_MEMORY;
		r->memory_lsn = rec->lsn;
		return 0;
	case PXS_RECORD_TRIM:
		if (rec->slot > PXS_SLOT_MAX)
			return -EBADMSG;
		pxs_trim_record(r, rec, pos);
		return 0;
	default:
		return 0;
	}
	if (!rec->slot || rec->slot > PXS_SLOT_MAX)
		return -EBADMSG;
	/* Applied is final: a later record of the slot repeats its value. */
	if (rec->slot <= r->applied)
		return 0;
	pxs_member_record(r, rec, pos);
	return pxs_slots_record(&r->slots, rec, pos, !pos);
}

void pxs_replica_start(struct pxs_replica *r, u64 promised, u64 commit)
{
	r->started = true;
	pxs_elect_start(&r->elect, promised, commit, r->node->loop.now);
}

void pxs_replica_stop(struct pxs_replica *r)
{
	r->gone = true;
	pxs_elect_stop(&r->elect);
	pxs_proposals_abandon(r, PXS_CLIENT_FENCED);
	pxs_index_reads_abandon(r, PXS_CLIENT_FENCED);
	pxs_transfer_abandon(r);
	pxs_trim_abandon(r);
	pxs_member_abandon(r, PXS_CLIENT_FENCED);
}

void pxs_replica_decided(struct pxs_replica *r, u64 commit, u64 lsn)
{
	if (r->points && commit <= r->point[r->points - 1].commit)
		return;
	if (r->points < PXS_REPLICA_POINTS)
		r->points++;
	/* When full, the newest is replaced: it says what the one before said, and more. */
	r->point[r->points - 1].commit = commit;
	r->point[r->points - 1].lsn = lsn;
	r->proposals.blocked = false;
}

void pxs_replica_recv(struct pxs_replica *r, const struct pxs_msg *m, const u8 *body)
{
	if (m->type == PXS_WIRE_LEARN_REQ)
		pxs_teach(r, m);
	else
		pxs_elect_recv(&r->elect, m, body, r->node->loop.now);
}

void pxs_replica_leader(struct pxs_replica *r, u8 event, u64 ballot)
{
	r->members.counted |= event == PXS_LEADER_SEEN;
	pxs_elect_leader_event(&r->elect, event, ballot, r->node->loop.now);
	pxs_transfer_event(r, event, ballot);
	r->proposals.blocked = false;
	r->reads.blocked = false;
}

/* What phase 1 found, one value at a time: the next may only follow when this has its slot. */
static int propose_again(struct pxs_replica *r, struct pxs_value *v, u64 *slot)
{
	struct pxs_datapath *dp = r->node->dp;
	struct iovec iov = { .iov_base = v->data, .iov_len = v->len };
	int ret = v->config ? dp->ops->configure(dp, r->id, v->data, v->len, slot) :
			      dp->ops->propose(dp, r->id, v->noop ? NULL : &iov, 1, slot);

	return min(ret, 0);
}

static int execute(struct pxs_replica *r, const struct pxs_elect_action *a, u64 *slot)
{
	struct pxs_datapath *dp = r->node->dp;

	switch (a->type) {
	case PXS_ELECT_PREPARE:
		return dp->ops->prepare(dp, r->id, a->ballot, a->slot, a->to);
	case PXS_ELECT_LEAD:
		return dp->ops->lead(dp, r->id, a->ballot, a->slot, a->found);
	case PXS_ELECT_PROPOSE:
		return propose_again(r, a->value, slot);
	case PXS_ELECT_RESIGN:
		return dp->ops->resign(dp, r->id);
	}
	return -EINVAL;
}

/* Two election rules need what only the datapath knows: a ballot that refused ours. */
static void tell_promised(struct pxs_replica *r)
{
	struct pxs_group_status st;

	if (!r->node->dp->ops->status(r->node->dp, r->id, &st))
		pxs_elect_seen(&r->elect, st.promised);
}

static bool run_election(struct pxs_replica *r)
{
	struct pxs_elect_action a;
	u8 role = r->elect.role;
	bool did = false;
	u64 slot;
	int err;

	while (pxs_elect_next(&r->elect, &a)) {
		slot = 0;
		err = execute(r, &a, &slot);
		if (err == -ESTALE)
			tell_promised(r);
		if (err)
			pxs_elect_failed(&r->elect, &a, err, r->node->loop.now);
		else
			pxs_elect_done(&r->elect, &a, slot, r->node->loop.now);
		did = true;
	}
	if (role != r->elect.role)
		pxs_info("group %u: %s, ballot %" PRIu64 ".%u, commit index %" PRIu64, r->id,
			 r->elect.role == PXS_ROLE_LEADER ? "leader" :
			 r->elect.role == PXS_ROLE_CANDIDATE ? "candidate" : "follower",
			 pxs_ballot_round(r->elect.ballot), pxs_ballot_member(r->elect.ballot),
			 r->commit);
	return did;
}

static void apply_to(struct pxs_replica *r, u64 commit)
{
	struct pxs_slot_at *at;

	/* A checkpoint has these: what the journal has of them was not chosen, perhaps (trim.c). */
	if (r->trimming.lsn && r->trimming.slot > r->applied)
		return;
	while (r->applied < commit) {
		at = pxs_slots_at(&r->slots, r->applied + 1);
		if (!at) {
			if (r->stuck != r->applied + 1)
				pxs_err("group %u: slot %" PRIu64 " is decided but no record of it arrived",
					r->id, r->applied + 1);
			r->stuck = r->applied + 1;
			return;
		}
		r->applied++;
		pxs_proposals_applied(r, r->applied, at->ballot);
		if (pxs_member_applied(r, r->applied, at->lsn, at->ballot))
			return;
	}
}

/*
 * What is decided may have to wait: for a TRIM to be durable, in a group where nothing else is
 * decided for hours. So it is not asked whether there is news, but whether there is anything left.
 */
static bool apply(struct pxs_replica *r)
{
	u64 seen = r->node->journal.next_lsn - 1;
	u64 before = r->applied;
	u32 n = 0;

	while (n < r->points && r->point[n].lsn <= seen)
		n++;
	if (n) {
		r->commit = r->point[n - 1].commit;
		memmove(r->point, r->point + n, (r->points - n) * sizeof(r->point[0]));
		r->points -= n;
	}
	if (r->applied < r->commit)
		apply_to(r, r->commit);
	if (n && r->started)
		pxs_elect_decided(&r->elect, r->commit, r->node->loop.now);
	if (r->applied == before)
		return n;
	pxs_slots_cool(&r->slots, r->applied, r->node->journal.durable, r->node->config.cache);
	return true;
}

bool pxs_replica_step(struct pxs_replica *r)
{
	bool did;

	if (r->gone || !r->started)
		return false;
	/* What is behind a change is applied when it is gone over to: it may be the next one. */
	did = !pxs_member_moves(r) && apply(r);
	did |= pxs_member_step(r);
	/* What comes next is of the next epoch. */
	if (r->gone || !r->started || pxs_member_moves(r))
		return did;
	did |= run_election(r);
	did |= pxs_proposals_step(r);
	did |= pxs_index_reads_step(r);
	did |= pxs_transfer_step(r);
	return did;
}

void pxs_replica_tick(struct pxs_replica *r, u64 now)
{
	if (r->gone || !r->started || now - r->ticked < TICK_MS)
		return;
	r->ticked = now;
	pxs_elect_tick(&r->elect, now);
	pxs_proposals_tick(r, now);
	pxs_index_reads_tick(r, now);
	pxs_member_tick(r, now);
	pxs_trim_tick(r, now);
}

void pxs_replica_durable(struct pxs_replica *r, u64 lsn)
{
	r->proposals.blocked = false;
	pxs_slots_durable(&r->slots, lsn);
	if (lsn < r->snap_lsn)
		return;
	r->hint_commit = r->snap_commit;
	r->snap_commit = r->applied;
	r->snap_lsn = r->node->journal.next_lsn - 1;
}
