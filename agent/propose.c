// SPDX-License-Identifier: GPL-2.0
/*
 * propose.c - values that clients want in the log
 *
 * Both lists are in order of arrival, and therefore of deadline and of slot.
 */
#include "propose.h"

#include "node.h"

void pxs_proposals_init(struct pxs_proposals *ps)
{
	memset(ps, 0, sizeof(*ps));
	ps->queued.last = &ps->queued.first;
	ps->waiting.last = &ps->waiting.first;
}

static void push(struct pxs_proposal_list *l, struct pxs_proposal *p)
{
	p->next = NULL;
	*l->last = p;
	l->last = &p->next;
	l->count++;
}

static struct pxs_proposal *pop(struct pxs_proposal_list *l)
{
	struct pxs_proposal *p = l->first;

	l->first = p->next;
	if (!l->first)
		l->last = &l->first;
	l->count--;
	return p;
}

static void end(struct pxs_proposals *ps, struct pxs_proposal *p, u32 error)
{
	if (!error)
		ps->acked++;
	else if (error == PXS_CLIENT_UNKNOWN)
		ps->unknown++;
	else
		ps->refused++;
	p->done(p, error, p->slot);
}

static struct pxs_proposal *pop_queued(struct pxs_proposals *ps)
{
	struct pxs_proposal *p = pop(&ps->queued);

	ps->bytes -= p->len;
	return p;
}

bool pxs_propose_room(const struct pxs_replica *r, u32 values, u64 bytes)
{
	const struct pxs_proposals *ps = &r->proposals;

	return ps->queued.count + values <= PXS_QUEUE_MAX && ps->bytes + bytes <= PXS_QUEUE_BYTES;
}

u32 pxs_propose(struct pxs_replica *r, struct pxs_proposal *p)
{
	struct pxs_proposals *ps = &r->proposals;

	if (r->gone || r->node->journal.failed)
		return PXS_CLIENT_FENCED;
	if (!p->len || p->len > PXS_VALUE_MAX)
		return p->len ? PXS_CLIENT_TOO_LARGE : PXS_CLIENT_INVALID;
	if (r->elect.role != PXS_ROLE_LEADER)
		return PXS_CLIENT_NOT_LEADER;
	if (!pxs_propose_room(r, 1, p->len))
		return PXS_CLIENT_BUSY;
	p->slot = 0;
	p->deadline = r->node->loop.now + PXS_PATIENCE_MS;
	ps->bytes += p->len;
	push(&ps->queued, p);
	return 0;
}

/* Errors that say that nothing was proposed. Any other leaves that open: an answer got lost. */
static bool definite(int err)
{
	return err == -EAGAIN || err == -ENOTCONN || err == -ESHUTDOWN || err == -ENOENT;
}

/* The first queued values that fit one call. */
static u32 gather(const struct pxs_proposals *ps, struct iovec *iov)
{
	struct pxs_proposal *p = ps->queued.first;
	u32 bytes = 0;
	u32 n = 0;

	while (n < min(ps->queued.count, PXS_PROPOSE_MAX)) {
		bytes += pxs_wire_entry_size(p->len);
		if (n && bytes > PXS_PROPOSE_BYTES)
			break;
		iov[n].iov_base = p->value;
		iov[n].iov_len = p->len;
		p = p->next;
		n++;
	}
	return n;
}

/* One call. */
static void propose_some(struct pxs_replica *r)
{
	struct pxs_proposals *ps = &r->proposals;
	struct pxs_datapath *dp = r->node->dp;
	struct iovec iov[PXS_PROPOSE_MAX];
	struct pxs_proposal *p;
	u32 n = gather(ps, iov);
	u64 first = 0;
	int ret, i;

	ret = dp->ops->propose(dp, r->id, iov, n, &first);
	if (definite(ret)) {
		ps->blocked = true;
		return;
	}
	/* Which of them have a slot is not known: none may be tried again. */
	for (; ret < 0 && n; n--)
		end(ps, pop_queued(ps), PXS_CLIENT_UNKNOWN);
	for (i = 0; i < ret; i++) {
		p = pop_queued(ps);
		p->slot = first + i;
		p->ballot = r->elect.ballot;
		ps->ballot = p->ballot;
		push(&ps->waiting, p);
	}
}

/*
 * All of them, so that they share a flush. Where none is waited for the decision often comes back
 * with the call: then one call at a time, and the answers leave before the next, so that whom they
 * wake goes on meanwhile.
 */
static void propose_queued(struct pxs_replica *r)
{
	struct pxs_proposals *ps = &r->proposals;

	do
		propose_some(r);
	while (ps->queued.count && !ps->blocked && !r->memory);
}

bool pxs_proposals_step(struct pxs_replica *r)
{
	struct pxs_proposals *ps = &r->proposals;
	bool did = false;

	/* Leadership of another ballot: what waits was proposed before, by a former us. */
	if (ps->waiting.count &&
	    (r->elect.role != PXS_ROLE_LEADER || r->elect.ballot != ps->ballot)) {
		while (ps->waiting.count)
			end(ps, pop(&ps->waiting), PXS_CLIENT_UNKNOWN);
		did = true;
	}
	if (ps->queued.count && r->elect.role != PXS_ROLE_LEADER) {
		while (ps->queued.count)
			end(ps, pop_queued(ps), PXS_CLIENT_NOT_LEADER);
		return true;
	}
	/* A change of members comes when nothing is in flight. */
	if (!pxs_elect_ready(&r->elect) || pxs_member_waits(r))
		return did;
	if (ps->queued.count && !ps->blocked) {
		if (!ps->answered || !r->memory)
			propose_queued(r);
		r->node->loop.part |= ps->queued.count && !ps->blocked;
		did = true;
	}
	ps->answered = false;
	return did;
}

void pxs_proposals_applied(struct pxs_replica *r, u64 slot, u64 ballot)
{
	struct pxs_proposals *ps = &r->proposals;
	struct pxs_proposal *p;

	while (ps->waiting.count && ps->waiting.first->slot <= slot) {
		p = pop(&ps->waiting);
		ps->answered = true;
		/* One ballot and slot has one value: ours, if the ballot is ours. */
		end(ps, p, p->slot == slot && p->ballot == ballot ?
		    PXS_CLIENT_OK : PXS_CLIENT_UNKNOWN);
	}
}

void pxs_proposals_tick(struct pxs_replica *r, u64 now)
{
	struct pxs_proposals *ps = &r->proposals;

	ps->blocked = false;
	while (ps->queued.count && ps->queued.first->deadline <= now)
		end(ps, pop_queued(ps), PXS_CLIENT_BUSY);
	while (ps->waiting.count && ps->waiting.first->deadline <= now)
		end(ps, pop(&ps->waiting), PXS_CLIENT_UNKNOWN);
}

void pxs_proposals_abandon(struct pxs_replica *r, u32 error)
{
	struct pxs_proposals *ps = &r->proposals;

	while (ps->queued.count)
		end(ps, pop_queued(ps), error);
	while (ps->waiting.count)
		end(ps, pop(&ps->waiting), PXS_CLIENT_UNKNOWN);
}
