// SPDX-License-Identifier: GPL-2.0
/*
 * readindex.c - how far must this member have applied, for a read to be linearizable?
 *
 * All lists are in order of arrival, and therefore of deadline, round and index.
 */
#include "readindex.h"

#include "node.h"

static void list_init(struct pxs_index_list *l)
{
	l->first = NULL;
	l->last = &l->first;
	l->count = 0;
}

static void push(struct pxs_index_list *l, struct pxs_index_read *q)
{
	q->next = NULL;
	*l->last = q;
	l->last = &q->next;
	l->count++;
}

static struct pxs_index_read *pop(struct pxs_index_list *l)
{
	struct pxs_index_read *q = l->first;

	l->first = q->next;
	if (!l->first)
		l->last = &l->first;
	l->count--;
	return q;
}

static void end(struct pxs_index_reads *rs, struct pxs_index_read *q, u32 error)
{
	if (error)
		rs->refused++;
	else
		rs->answered++;
	q->done(q, error, q->index);
}

void pxs_index_reads_init(struct pxs_index_reads *rs)
{
	memset(rs, 0, sizeof(*rs));
	list_init(&rs->queued);
	list_init(&rs->waiting);
	list_init(&rs->known);
}

u32 pxs_replica_read(struct pxs_replica *r, struct pxs_index_read *q)
{
	struct pxs_index_reads *rs = &r->reads;

	if (r->gone || r->node->journal.failed)
		return PXS_CLIENT_FENCED;
	if (r->elect.role != PXS_ROLE_LEADER)
		return PXS_CLIENT_NOT_LEADER;
	if (rs->queued.count + rs->waiting.count + rs->known.count >= PXS_QUEUE_MAX)
		return PXS_CLIENT_BUSY;
	q->round = 0;
	q->index = 0;
	q->deadline = r->node->loop.now + PXS_PATIENCE_MS;
	push(&rs->queued, q);
	return 0;
}

void pxs_index_reads_answered(struct pxs_replica *r, u64 ballot, u64 round, u64 index)
{
	struct pxs_index_reads *rs = &r->reads;
	struct pxs_index_read *q;

	rs->blocked = false;
	if (ballot != rs->ballot)
		return;
	while (rs->waiting.count && rs->waiting.first->round <= round) {
		q = pop(&rs->waiting);
		q->index = index;
		push(&rs->known, q);
	}
}

/* One round is under way and one is to follow: whoever comes now gets the same number then. */
static bool two_rounds(const struct pxs_index_reads *rs)
{
	const struct pxs_index_read *newest;

	if (!rs->waiting.count)
		return false;
	newest = (const struct pxs_index_read *)((const char *)rs->waiting.last -
						 offsetof(struct pxs_index_read, next));
	return newest->round != rs->waiting.first->round;
}

static bool ask(struct pxs_replica *r)
{
	struct pxs_index_reads *rs = &r->reads;
	struct pxs_datapath *dp = r->node->dp;
	u64 ballot = 0, round = 0;
	struct pxs_index_read *q;

	rs->calls++;
	/* When nobody knows what came of it, it did no harm. */
	if (dp->ops->read(dp, r->id, &ballot, &round) || ballot != r->elect.ballot) {
		rs->blocked = true;
		return false;
	}
	rs->ballot = ballot;
	while (rs->queued.count) {
		q = pop(&rs->queued);
		q->round = round;
		push(&rs->waiting, q);
	}
	return true;
}

bool pxs_index_reads_step(struct pxs_replica *r)
{
	struct pxs_index_reads *rs = &r->reads;
	bool leads = r->elect.role == PXS_ROLE_LEADER;
	bool did = false;

	/* What a quorum has said is true even if we lead no more. */
	while (rs->known.count && rs->known.first->index <= r->applied) {
		end(rs, pop(&rs->known), 0);
		did = true;
	}
	while (rs->waiting.count && (!leads || r->elect.ballot != rs->ballot)) {
		end(rs, pop(&rs->waiting), PXS_CLIENT_NOT_LEADER);
		did = true;
	}
	while (rs->queued.count && !leads) {
		end(rs, pop(&rs->queued), PXS_CLIENT_NOT_LEADER);
		did = true;
	}
	if (rs->queued.count && !rs->blocked && !two_rounds(rs))
		did |= ask(r);
	return did;
}

static void expire(struct pxs_index_reads *rs, struct pxs_index_list *l, u64 now)
{
	while (l->count && l->first->deadline <= now)
		end(rs, pop(l), PXS_CLIENT_BUSY);
}

void pxs_index_reads_tick(struct pxs_replica *r, u64 now)
{
	struct pxs_index_reads *rs = &r->reads;

	rs->blocked = false;
	expire(rs, &rs->known, now);
	expire(rs, &rs->waiting, now);
	expire(rs, &rs->queued, now);
}

void pxs_index_reads_abandon(struct pxs_replica *r, u32 error)
{
	struct pxs_index_reads *rs = &r->reads;

	while (rs->known.count)
		end(rs, pop(&rs->known), error);
	while (rs->waiting.count)
		end(rs, pop(&rs->waiting), error);
	while (rs->queued.count)
		end(rs, pop(&rs->queued), error);
}
