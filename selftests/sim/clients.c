// SPDX-License-Identifier: GPL-2.0
/*
 * clients.c - who wants something of a node: clients that append and that read, an operator that
 * moves leaders
 */
#include <stdlib.h>

#include "sim.h"
#include "trim.h"

struct client_value {
	u64 vid;
	u32 group;
	struct pxs_proposal p;	/* last: its value follows */
};

static void client_done(struct pxs_proposal *p, u32 error, u64 slot)
{
	struct client_value *v;

	v = (struct client_value *)((char *)p - offsetof(struct client_value, p));

	sim_check_answer(world, v->group, v->vid, error, slot);
	free(v);
}

static void append(struct sim *s, struct pxs_replica *r, u32 g)
{
	static u8 buf[PXS_VALUE_MAX];
	struct client_value *v;
	u32 len;

	len = sim_value_bytes(s->next_vid, sim_has(s, F_BIG) && sim_below(s, 8), buf);
	v = calloc(1, sizeof(*v) + len);
	if (!v)
		abort();
	v->p.done = client_done;
	v->p.len = len;
	memcpy(v->p.value, buf, len);
	v->vid = s->next_vid;
	v->group = g;
	if (pxs_propose(r, &v->p)) {
		free(v);
		return;
	}
	s->next_vid++;
}

struct client_read {
	u32 group;
	bool healed;		/* began after healing */
	u64 seen;		/* what it must not miss */
	struct pxs_index_read q;
};

static void read_done(struct pxs_index_read *q, u32 error, u64 index)
{
	struct client_read *r;

	r = (struct client_read *)((char *)q - offsetof(struct client_read, q));
	if (!error)
		sim_check_read(world, here, r->group, r->seen, index);
	if (!error && r->healed)
		world->healed_read[r->group] = true;
	free(r);
}

/* Of any member, whether it leads or thinks so. */
static void ask(struct sim *s, struct pxs_replica *r, u32 g)
{
	struct client_read *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->group = g;
	c->healed = s->healed;
	c->seen = sim_check_seen(s, g);
	c->q.done = read_done;
	if (pxs_replica_read(r, &c->q))
		free(c);
}

static void readers(struct sim *s, const struct sim_node *n, struct pxs_replica *r, u32 g)
{
	u64 want = sim_below(s, 4);

	if (s->healed)
		want = !s->healed_read[g] || sim_is_stuck(s, n);
	while (want--)
		ask(s, r, g);
}

/* Who has the newest checkpoint of those that may lend one (agent/store/lend.c); NULL: nobody. */
static struct pxs_replica *lender(struct sim *s, const struct sim_node *but, u32 g, u64 *slot)
{
	struct pxs_replica *r, *best = NULL;
	struct sim_node *n;
	u32 i;

	*slot = 0;
	for (i = 0; i < s->group[g].n; i++) {
		n = &s->node[s->group[g].node[i]];
		r = sim_replica(n, g);
		if (n == but || !r || r->members.joins || n->part[g].checkpoint <= *slot ||
		    n->part[g].checkpoint > r->applied)
			continue;
		*slot = n->part[g].checkpoint;
		best = r;
	}
	return best;
}

/*
 * Another member's checkpoint is here at once, with who the members are: what the log makes of it
 * is what matters.
 */
static void borrow(struct sim *s, struct sim_node *n, struct pxs_replica *r, u32 g)
{
	const struct pxs_member_config *c;
	struct sim_part *part = &n->part[g];
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_replica *from;
	u64 slot;
	int err;

	if (!pxs_group_needs_checkpoint(&part->core) || r->gone || !r->started)
		return;
	from = lender(s, n, g, &slot);
	if (!from)
		return;
	c = pxs_member_newest(from);
	if (!pxs_member_hear(r, c->slot, c->value, c->epoch ? c->len : 0)) {
		TRACE(s, "node %u group %u: hears of epoch %llu", sim_index(s, n), g,
		      (unsigned long long)c->epoch);
		return;
	}
	part->checkpoint = max(part->checkpoint, slot);
	err = dp->ops->trim(dp, r->id, slot, true);
	TRACE(s, "node %u group %u: goes on behind a checkpoint of slot %llu: %d", sim_index(s, n),
	      g, (unsigned long long)slot, err);
	s->stat.borrowed += !err && part->core.trim == slot;
}

void sim_clients(struct sim *s, struct sim_node *n, u32 g)
{
	u64 want = sim_below(s, sim_has(s, F_BUSY) ? s->p.window : 3);
	struct pxs_replica *r = sim_replica(n, g);

	if (s->healed)
		want = !s->healed_group[g] || sim_stuck_writes(s, n, g);
	else if (sim_below(s, s->p.rest))
		want = 0;
	if (!r)
		return;
	borrow(s, n, r, g);
	readers(s, n, r, g);
	if (r->proposals.queued.count > s->p.window)
		return;
	while (want-- && pxs_elect_ready(&r->elect) && !s->failed) {
		if (n->part[g].core.next_slot + 4 * s->p.window > SIM_SLOTS && !s->healed)
			break;
		append(s, r, g);
	}
}

/*
 * Every member has it on its disk, and knows so after a restart, which finds the commit index to
 * within seven eighths of a window: nobody will need what is below. With @but, all but the one who
 * has least: it must borrow.
 */
static u64 everybody_has(const struct sim *s, u32 g, bool but)
{
	u64 low = ~0ull, lower = ~0ull, has;
	const struct sim_node *n;
	struct pxs_replica *r;
	u32 i;

	for (i = 0; i < s->group[g].n; i++) {
		n = &s->node[s->group[g].node[i]];
		/* Who comes later borrows, too. */
		if (but && !sim_is_member(s, g, n))
			continue;
		r = sim_replica(n, g);
		has = !r || n->reborn || n->lost || !n->part[g].there ? 0 : r->hint_commit;
		low = min(low, max(has, lower));
		lower = min(lower, has);
	}
	/* low is the lowest but one, or of a single member its own */
	if (!but)
		low = lower;
	return low > s->p.window ? low - s->p.window : 0;
}

bool sim_trim(struct sim *s, struct sim_node *n, u32 g, bool but)
{
	u64 slot = everybody_has(s, g, but);
	struct pxs_replica *r;
	int err;

	if (!slot || n->paused > s->now || n->stopped > s->now)
		return false;
	r = sim_replica(n, g);
	if (!r || slot <= r->trim || slot > r->applied)
		return false;
	sim_enter(s, n);
	n->part[g].checkpoint = max(n->part[g].checkpoint, slot);
	r->stateful = true;
	r->checkpoint = n->part[g].checkpoint;
	/* More than there is a checkpoint of: that must be refused. */
	if (r->applied > r->checkpoint && !pxs_trim(r, r->applied))
		sim_fail(s, "S7: node %u group %u takes a trim above its checkpoint",
			 sim_index(s, n), g);
	err = pxs_trim(r, slot);
	TRACE(s, "node %u group %u: trim up to slot %llu: %d", sim_index(s, n), g,
	      (unsigned long long)slot, err);
	if (!err)
		sim_agent_settle(s, n);
	return !err;
}

static void handed(void *ctx, u32 error)
{
	struct sim *s = ctx;

	s->stat.handed += !error;
	TRACE(s, "leadership handed over: %u", error);
}

/* Any member is asked for, the leader itself and nobody of the group too. */
bool sim_hand_over(struct sim *s, struct sim_node *n, u32 g, u8 member)
{
	struct pxs_replica *r = sim_replica(n, g);
	u32 error;

	if (!r || !pxs_elect_ready(&r->elect))
		return false;
	sim_enter(s, n);
	TRACE(s, "node %u group %u: hand over to member %u", sim_index(s, n), g, member);
	error = pxs_transfer(r, member, handed, s);
	if (!error)
		sim_agent_settle(s, n);
	return !error;
}
