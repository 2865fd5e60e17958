// SPDX-License-Identifier: GPL-2.0
/*
 * transfer.c - leadership is handed to another member, because somebody asked for it
 *
 * Values that clients want meanwhile stay queued: they are proposed when we lead on, and refused
 * ("not leader") when we do not. What was proposed before is decided before the other one is told
 * to stand, or is found by its phase 1.
 */
#include "transfer.h"

#include "node.h"

/* The datapath waits for one election time-out; phase 1 of the other may take its time. */
#define PATIENCE	4

static void end(struct pxs_transfer *t, u32 error)
{
	void (*done)(void *ctx, u32 error) = t->done;

	t->done = NULL;
	done(t->ctx, error);
}

static u32 error_of(int err)
{
	switch (err) {
	case 0:
	case -ETIMEDOUT:	/* it may be under way: what we hear will tell */
		return PXS_CLIENT_OK;
	case -ENOTCONN:
		return PXS_CLIENT_NOT_LEADER;
	case -EBUSY:
		return PXS_CLIENT_BUSY;
	case -EINVAL:
		return PXS_CLIENT_NO_MEMBER;
	default:
		return PXS_CLIENT_FENCED;
	}
}

const char *pxs_transfer_words(const struct pxs_replica *r, u8 member, u32 error)
{
	switch (error) {
	case PXS_CLIENT_NOT_LEADER:
		return "this member does not lead";
	case PXS_CLIENT_BUSY:
		return "this member has not led for long enough, or hands over already";
	case PXS_CLIENT_FENCED:
		return "the group does not work on this node (see status)";
	case PXS_CLIENT_NO_MEMBER:
		return pxs_conf_member(&r->config->conf, member) < 0 ?
			       "no such member in the group" :
			       "that member is a learner: it does not lead";
	case PXS_CLIENT_RESUMED:
		return "the member lacks too much, or does not answer; this one leads on";
	default:
		return "outcome unknown: see who leads";
	}
}

/* As the datapath judges, which only a leader asks: whoever is asked says the same. */
static bool may_lead(const struct pxs_group_conf *conf, u8 member)
{
	int i = pxs_conf_member(conf, member);

	return i >= 0 && i < pxs_group_voters(conf);
}

u32 pxs_transfer(struct pxs_replica *r, u8 member, void (*done)(void *ctx, u32 error), void *ctx)
{
	const struct pxs_group_conf *conf = &r->config->conf;
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_transfer *t = &r->transfer;
	u32 error;

	if (r->gone || r->node->journal.failed)
		return PXS_CLIENT_FENCED;
	if (!may_lead(conf, member))
		return PXS_CLIENT_NO_MEMBER;
	if (r->elect.role != PXS_ROLE_LEADER)
		return PXS_CLIENT_NOT_LEADER;
	if (t->done || !pxs_elect_ready(&r->elect))
		return PXS_CLIENT_BUSY;
	if (member == conf->member[conf->self].id) {
		done(ctx, PXS_CLIENT_OK);
		return 0;
	}
	error = error_of(dp->ops->transfer(dp, r->id, member));
	if (error)
		return error;
	*t = (struct pxs_transfer){
		.done = done, .ctx = ctx, .to = member, .ballot = r->elect.ballot,
		.deadline = r->node->loop.now + PATIENCE * (u64)conf->election_ms,
	};
	return 0;
}

void pxs_transfer_event(struct pxs_replica *r, u8 event, u64 ballot)
{
	if (event == PXS_LEADER_RESUMED && ballot == r->transfer.ballot)
		r->transfer.resumed = true;
}

/* Another ballot leads. */
static u32 outcome(const struct pxs_replica *r, u8 leader)
{
	const struct pxs_group_conf *conf = &r->config->conf;

	if (leader == r->transfer.to)
		return PXS_CLIENT_OK;
	/* We were overtaken, and lead again. */
	if (leader == conf->member[conf->self].id)
		return PXS_CLIENT_RESUMED;
	return PXS_CLIENT_NOT_LEADER;
}

bool pxs_transfer_step(struct pxs_replica *r)
{
	const struct pxs_elect *e = &r->elect;
	struct pxs_transfer *t = &r->transfer;

	if (!t->done)
		return false;
	if (e->role == PXS_ROLE_LEADER && e->ballot == t->ballot) {
		if (!t->resumed && r->node->loop.now < t->deadline)
			return false;
		end(t, t->resumed ? PXS_CLIENT_RESUMED : PXS_CLIENT_UNKNOWN);
		return true;
	}
	if (e->leader)
		end(t, outcome(r, e->leader));
	else if (r->node->loop.now >= t->deadline)
		end(t, PXS_CLIENT_UNKNOWN);
	return !t->done;
}

void pxs_transfer_abandon(struct pxs_replica *r)
{
	if (r->transfer.done)
		end(&r->transfer, PXS_CLIENT_UNKNOWN);
}
