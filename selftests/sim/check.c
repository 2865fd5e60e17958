// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - the omniscient observer
 *
 * Knows every disk. Judges each record that is staged, each that becomes durable, each
 * datagram that leaves (leaves.c) and each value that is applied, at that moment, so that a
 * broken rule is seen where it is broken and not where its damage shows.
 *
 * A node whose disk was replaced counts for nothing here: what it had written before stays on
 * record, what it does from then on must not reach anybody (net.c).
 */
#include <stdlib.h>

#include "book.h"
#include "lease.h"

struct sim_check *sim_check_new(void)
{
	struct sim_check *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	return c;
}

void sim_check_free(struct sim_check *c)
{
	u32 g, i;

	if (!c)
		return;
	for (g = 0; g < SIM_GROUPS; g++)
		for (i = 0; i < SIM_SLOTS; i++)
			free(c->book[g].slot[i].a);
	free(c);
}

void sim_check_reset(struct sim_check *c)
{
	u64 i;
	u32 g;

	for (g = 0; g < SIM_GROUPS; g++) {
		struct book *b = &c->book[g];

		for (i = 0; i <= b->top; i++) {
			b->slot[i].n = 0;
			b->slot[i].chosen = 0;
			b->slot[i].epoch = 0;
		}
		b->top = 0;
		b->prefix = 0;
		b->seen = 0;
		b->ballots = 0;
		b->configs = 0;
	}
	memset(c->vid, 0, (c->vids + 1) * sizeof(c->vid[0]));
	c->vids = 0;
}

/* A value is its number and, so that damage shows anywhere in it, one byte again and again. */
u32 sim_value_bytes(u64 vid, bool big, u8 *buf)
{
	u32 len = 8 + (u32)(vid * 7 % 50);

	if (big)
		len = vid % 3 ? PXS_VALUE_MAX / 4 + (u32)(vid % 999) :
				PXS_VALUE_MAX - (u32)(vid % 9);
	memcpy(buf, &vid, 8);
	memset(buf + 8, (u8)vid, len - 8);
	return len;
}

u64 sim_value_vid(const u8 *data, u32 len, u8 flags)
{
	u64 vid;

	if (flags & PXS_ENTRY_NOOP)
		return len ? 0 : SIM_NOOP;
	if (flags & PXS_ENTRY_CONFIG)
		return sim_config_vid(data, len);
	if (len < 8)
		return 0;
	memcpy(&vid, data, 8);
	if (len > 8 && (data[8] != (u8)vid || memcmp(data + 8, data + 9, len - 9)))
		return 0;
	return vid > SIM_NOOP && vid < SIM_CONFIG ? vid : 0;
}

u64 sim_check_chosen(const struct sim *s, u32 g, u64 slot)
{
	return slot < SIM_SLOTS ? book_of(s, g)->slot[slot].chosen : 0;
}

u64 sim_check_prefix(const struct sim *s, u32 g)
{
	return book_of(s, g)->prefix;
}

static struct slot *slot_of(struct sim *s, u32 g, u64 slot)
{
	struct book *b = book_of(s, g);

	if (!slot || slot >= SIM_SLOTS) {
		sim_fail(s, "slot %llu is out of the simulator's range", U(slot));
		return NULL;
	}
	if (slot > b->top)
		b->top = slot;
	return &b->slot[slot];
}

/* The newest ballot below @ballot that is on node @i's disk for this slot. */
static const struct accepted *newest(const struct slot *sl, u32 i, u64 ballot)
{
	const struct accepted *best = NULL;
	u32 k;

	for (k = 0; k < sl->n; k++)
		if (sl->a[k].votes >> i & 1 && sl->a[k].ballot < ballot &&
		    (!best || sl->a[k].ballot > best->ballot))
			best = &sl->a[k];
	return best;
}

/* The highest ballot below @ballot that is on node @i's disk for a slot behind this one. */
static u64 newest_behind(const struct sim *s, u32 g, const struct slot *sl, u32 i, u64 ballot)
{
	const struct book *b = book_of(s, g);
	const struct accepted *a;
	const struct slot *t;
	u64 best = 0;

	for (t = sl + 1; t <= &b->slot[b->top]; t++) {
		a = newest(t, i, ballot);
		best = max(best, a ? a->ballot : 0);
	}
	return best;
}

/*
 * May @vid be proposed at @ballot? There must be a quorum that has promised it on disk and
 * whose newest value is this one, or which has none (P2c of Paxos Made Simple): then nothing
 * else was, or ever will be, chosen at a lower ballot.
 */
static bool safe_at(const struct sim *s, u32 g, const struct slot *sl, u64 ballot, u64 vid)
{
	const struct accepted *best[SIM_NODES];
	u32 voters = book_voters(s, g, book_epoch_of(s, g, ballot));
	u32 enough = book_phase1(s, g, book_epoch_of(s, g, ballot));
	u32 promised = 0, node, i, k, n;
	u64 behind[SIM_NODES];

	if (sl->chosen == vid)
		return true;
	for (node = 0; node < s->p.n; node++) {
		if (!(voters >> node & 1) ||
		    s->node[node].part[g].durable_promise < ballot)
			continue;
		behind[promised] = vid == SIM_NOOP ? newest_behind(s, g, sl, node, ballot) : 0;
		best[promised++] = newest(sl, node, ballot);
	}
	/* A change that cannot be chosen: see kmod/core/membership.h. */
	for (i = 0; i < promised; i++) {
		for (k = 0, n = 0; k < promised; k++)
			n += !best[k] || (best[k]->ballot < behind[i] &&
					  best[k]->vid >= SIM_CONFIG);
		if (behind[i] && n >= enough)
			return true;
	}
	for (i = 0, n = 0; i < promised; i++)
		n += !best[i];
	if (n >= enough)
		return true;
	for (i = 0; i < promised; i++) {
		if (!best[i] || best[i]->vid != vid)
			continue;
		for (k = 0, n = 0; k < promised; k++)
			n += !best[k] || best[k]->ballot <= best[i]->ballot;
		if (n >= enough)
			return true;
	}
	return false;
}

struct accepted *book_accepted(struct sim *s, u32 g, u64 slot, u64 ballot, u64 vid)
{
	struct slot *sl = slot_of(s, g, slot);
	u32 i;

	if (!sl)
		return NULL;
	for (i = 0; i < sl->n; i++) {
		if (sl->a[i].ballot != ballot)
			continue;
		if (sl->a[i].vid != vid)
			sim_fail(s, "slot %llu ballot %llx has two values: %llu and %llu", U(slot),
				 U(ballot), U(sl->a[i].vid), U(vid));
		return &sl->a[i];
	}
	if (!safe_at(s, g, sl, ballot, vid))
		sim_fail(s, "slot %llu: %llu is proposed at ballot %llx, but another value may be chosen",
			 U(slot), U(vid), U(ballot));
	if (sl->n == sl->cap) {
		sl->cap = sl->cap ? 2 * sl->cap : 4;
		sl->a = realloc(sl->a, sl->cap * sizeof(*sl->a));
		if (!sl->a)
			abort();
	}
	sl->a[sl->n] = (struct accepted){ .ballot = ballot, .vid = vid };
	return &sl->a[sl->n++];
}

struct ballot *book_ballot(struct sim *s, u32 g, u64 ballot)
{
	struct book *b = book_of(s, g);
	u32 i;

	for (i = 0; i < b->ballots; i++)
		if (b->ballot[i].ballot == ballot)
			return &b->ballot[i];
	if (b->ballots == SIM_BALLOTS) {
		sim_fail(s, "more than %u ballots", SIM_BALLOTS);
		return NULL;
	}
	b->ballot[b->ballots] = (struct ballot){ .ballot = ballot };
	return &b->ballot[b->ballots++];
}

/* S11: once its PREPARE left, a ballot belongs to the agent, and its life, that opened it. */
void sim_check_prepare(struct sim *s, struct sim_node *n, u32 g, u64 ballot)
{
	struct ballot *b = n->reborn ? NULL : book_ballot(s, g, ballot);
	u8 node = (u8)sim_index(s, n);

	if (pxs_ballot_member(ballot) != n->id)
		sim_fail(s, "node %u opens ballot %llx of another member", node, U(ballot));
	if (!b)
		return;
	if (b->left && b->life != n->agent.life)
		sim_fail(s, "S11: ballot %llx is used twice", U(ballot));
	if (b->left && b->epoch != n->part[g].core.conf.epoch)
		sim_fail(s, "S11: ballot %llx is used in two epochs", U(ballot));
	b->life = n->agent.life;
	b->node = node;
	b->epoch = n->part[g].core.conf.epoch;
}

/* Whoever leads was promised it by a quorum. */
void sim_check_lead(struct sim *s, struct sim_node *n, u32 g, u64 ballot)
{
	struct ballot *b;

	if (n->reborn) {
		sim_fail(s, "S3: node %u, whose disk was replaced, leads", sim_index(s, n));
		return;
	}
	b = book_ballot(s, g, ballot);
	if (b && book_count(s, g, b->promised, b->epoch) < book_phase1(s, g, b->epoch))
		sim_fail(s, "node %u leads with ballot %llx without a quorum of promises (%x)",
			 sim_index(s, n), U(ballot), b->promised);
}

void book_check_leader(struct sim *s, struct sim_node *n, u32 g, u64 ballot, u64 slot)
{
	const struct slot *sl = &book_of(s, g)->slot[slot];
	u32 i;

	for (i = 0; i < sl->n; i++)
		if (sl->a[i].ballot == ballot && sl->a[i].vid != sl->chosen)
			sim_fail(s, "node %u leads %llx and knows slot %llu as decided; it proposed %llu, chosen is %llu",
				 sim_index(s, n), U(ballot), U(slot), U(sl->a[i].vid),
				 U(sl->chosen));
}

void sim_check_proposed(struct sim *s, struct sim_node *n, u32 g, u64 ballot, u64 slot, u64 vid)
{
	struct sim_check *c = s->check;
	struct proposal *p;

	(void)g;
	if (vid == SIM_NOOP || vid >= SIM_CONFIG || n->reborn)
		return;
	if (!vid || vid >= SIM_VIDS) {
		sim_fail(s, "node %u proposes what no client said, or more than %u values",
			 sim_index(s, n), SIM_VIDS);
		return;
	}
	p = &c->vid[vid];
	c->vids = max(c->vids, vid);
	if (p->refused)
		sim_fail(s, "value %llu is proposed after its client was refused", U(vid));
	if (p->slot && p->slot != slot)
		sim_fail(s, "value %llu is proposed for slot %llu and for slot %llu", U(vid),
			 U(p->slot), U(slot));
	p->slot = slot;
	p->ballot = ballot;
}

static void note_seen(struct sim *s, u32 g, u64 slot)
{
	struct book *b = book_of(s, g);

	b->seen = max(b->seen, slot);
}

u64 sim_check_seen(const struct sim *s, u32 g)
{
	return book_of(s, g)->seen;
}

/* S8: whatever anybody was told before it began, it sees; and nothing that may yet not be. */
void sim_check_read(struct sim *s, struct sim_node *n, u32 g, u64 seen, u64 index)
{
	const struct pxs_replica *r = sim_replica(n, g);

	TRACE(s, "node %u group %u: a read is told %llu, at least %llu", sim_index(s, n), g,
	      U(index), U(seen));
	if (index < seen)
		sim_fail(s, "S8: node %u tells a read index %llu; slot %llu was known before it began",
			 sim_index(s, n), U(index), U(seen));
	if (index > sim_check_prefix(s, g))
		sim_fail(s, "S8: node %u tells a read index %llu; chosen are %llu", sim_index(s, n),
			 U(index), U(sim_check_prefix(s, g)));
	if (r && r->applied < index)
		sim_fail(s, "S8: node %u tells a read index %llu; applied are %llu",
			 sim_index(s, n), U(index), U(r->applied));
	note_seen(s, g, index);
	s->stat.reads++;
}

void sim_check_answer(struct sim *s, u32 g, u64 vid, u32 error, u64 slot)
{
	struct proposal *p = &s->check->vid[vid % SIM_VIDS];

	if (error == PXS_CLIENT_UNKNOWN)
		return;
	if (error) {
		if (p->slot)
			sim_fail(s, "value %llu is refused (%u) after it was proposed", U(vid), error);
		s->check->vids = max(s->check->vids, vid % SIM_VIDS);
		p->refused = true;
		s->stat.refused++;
		return;
	}
	if (sim_check_chosen(s, g, slot) != vid)
		sim_fail(s, "value %llu is acknowledged in slot %llu, chosen is %llu", U(vid),
			 U(slot), U(sim_check_chosen(s, g, slot)));
	s->stat.acked++;
	note_seen(s, g, slot);
	if (s->healed && vid >= s->heal_vid)
		s->healed_group[g] = true;
}

/* S8: who granted a lease promises nobody else's ballot, for as long as the holder relies on it. */
static void check_granted(struct sim *s, struct sim_node *n, u32 g, u64 ballot)
{
	const struct pxs_group *core;
	const struct sim_node *of;
	int at;
	u32 i;

	for (i = 0; i < s->p.n; i++) {
		of = &s->node[i];
		core = &of->part[g].core;
		if (of == n || !of->mod.up || !of->part[g].there || of->reborn ||
		    core->lead_ballot >= ballot || pxs_ballot_member(ballot) == of->id ||
		    !pxs_lease_holds(core, sim_clock(s, of)))
			continue;
		at = pxs_group_member(core, n->id);
		if (at >= 0 && core->lease.heard.ballot == core->lead_ballot &&
		    core->lease.heard.votes >> at & 1)
			sim_fail(s, "S8: node %u promises %llx; node %u has a lease of it for %llx",
				 sim_index(s, n), U(ballot), i, U(core->lead_ballot));
	}
}

void sim_check_staged(struct sim *s, struct sim_node *n, const struct pxs_record *r)
{
	int g = sim_group_index(s, r->group);
	struct sim_part *part;
	u64 vid;

	if (r->type == PXS_RECORD_PROMISE && g >= 0 && !n->reborn)
		check_granted(s, n, (u32)g, r->ballot);
	if ((r->type != PXS_RECORD_ACCEPT && r->type != PXS_RECORD_DECIDED) || n->reborn)
		return;
	if (g < 0) {
		sim_fail(s, "node %u stages a record of a group that is not", sim_index(s, n));
		return;
	}
	part = &n->part[g];
	vid = sim_value_vid(r->data, r->len, r->flags);
	if (!vid) {
		sim_fail(s, "node %u stages a damaged value", sim_index(s, n));
		return;
	}
	if (vid >= SIM_CONFIG)
		book_config(s, (u32)g, vid, r->data, r->len);
	if (r->type == PXS_RECORD_DECIDED) {
		if (sim_check_chosen(s, (u32)g, r->slot) != vid)
			sim_fail(s, "node %u learns %llu for slot %llu, chosen is %llu",
				 sim_index(s, n), U(vid), U(r->slot),
				 U(sim_check_chosen(s, (u32)g, r->slot)));
		return;
	}
	book_accepted(s, (u32)g, r->slot, r->ballot, vid);
	if (r->ballot < part->promise_left && r->lsn > part->promise_left_lsn)
		sim_fail(s, "node %u accepts slot %llu at %llx after its promise of %llx left",
			 sim_index(s, n), U(r->slot), U(r->ballot), U(part->promise_left));
}

/* S8: who may answer reads without asking anybody knows of all that is chosen. */
static void check_leases(struct sim *s, u32 g, u64 ballot)
{
	const struct pxs_group *core;
	struct sim_node *n;
	u32 i;

	for (i = 0; i < s->p.n; i++) {
		n = &s->node[i];
		core = &n->part[g].core;
		if (!n->mod.up || !n->part[g].there || n->reborn || core->lead_ballot >= ballot ||
		    core->commit < core->found || !pxs_lease_holds(core, sim_clock(s, n)))
			continue;
		sim_fail(s, "S8: node %u holds a lease of ballot %llx; a value is chosen at %llx",
			 i, U(core->lead_ballot), U(ballot));
	}
}

static void vote(struct sim *s, struct sim_node *n, u32 g, u64 slot, u64 ballot, u64 vid)
{
	struct accepted *a = book_accepted(s, g, slot, ballot, vid);
	struct book *b = book_of(s, g);
	struct slot *sl;
	u64 epoch;

	if (!a)
		return;
	a->votes |= 1u << sim_index(s, n);
	epoch = book_epoch_of(s, g, ballot);
	if (book_count(s, g, a->votes, epoch) < book_phase2(s, g, epoch))
		return;
	check_leases(s, g, ballot);
	sl = &b->slot[slot];
	if (sl->chosen && sl->chosen != vid)
		sim_fail(s, "slot %llu: %llu was chosen, and now %llu at ballot %llx", U(slot),
			 U(sl->chosen), U(vid), U(ballot));
	if (!sl->chosen)
		s->stat.decided++;
	if (!sl->chosen)
		sl->epoch = epoch;
	sl->chosen = vid;
	book_chosen(s, g, slot, vid, epoch);
	while (b->prefix + 1 < SIM_SLOTS && b->slot[b->prefix + 1].chosen)
		b->prefix++;
}

/* It counts for good: on disk, or where memory is enough. */
void sim_check_memory(struct sim *s, struct sim_node *n, const struct pxs_record *r)
{
	int g = sim_group_index(s, r->group);
	struct sim_part *part;

	if (g < 0 || n->reborn)
		return;
	part = &n->part[g];
	if (r->type == PXS_RECORD_TRIM) {
		if (r->slot > part->checkpoint)
			sim_fail(s, "S7: node %u group %u trims up to %llu, its checkpoint is %llu",
				 sim_index(s, n), g, U(r->slot), U(part->checkpoint));
		if (r->ballot < part->durable_promise && r->lsn > part->durable_promise_lsn)
			sim_fail(s, "S7: node %u group %u trims and forgets its promise of %llx",
				 sim_index(s, n), g, U(part->durable_promise));
		if (part->open != !!(r->flags & PXS_TRIM_MEMORY))
			sim_fail(s, "S2: node %u group %u trims and forgets what its answers wait for",
				 sim_index(s, n), g);
		part->durable_trim = max(part->durable_trim, r->slot);
	}
	if ((r->type == PXS_RECORD_PROMISE || r->type == PXS_RECORD_ACCEPT) &&
	    r->ballot > part->durable_promise) {
		part->durable_promise = r->ballot;
		part->durable_promise_lsn = r->lsn;
	}
	if (r->type == PXS_RECORD_ACCEPT)
		vote(s, n, (u32)g, r->slot, r->ballot,
		     sim_value_vid(r->data, r->len, r->flags));
}

void sim_check_durable(struct sim *s, struct sim_node *n, const struct pxs_record *r)
{
	int g = sim_group_index(s, r->group);

	sim_check_memory(s, n, r);
	if (g < 0 || n->reborn || r->type != PXS_RECORD_DURABILITY)
		return;
	n->part[g].open = r->slot == PXS_DURABILITY_MEMORY;
	if (n->part[g].open)
		n->part[g].opening = max(n->part[g].opening, r->lsn);
	else if (r->lsn > n->part[g].opening)
		n->part[g].opening = 0;
	if (n->part[g].open && !(s->p.memory >> g & 1))
		sim_fail(s, "S2: node %u group %d: memory is enough, and nobody said so",
			 sim_index(s, n), g);
}

void sim_check_applied(struct sim *s, struct sim_node *n, u32 g, u64 slot, u64 vid)
{
	struct proposal *p;

	if (sim_check_chosen(s, g, slot) != vid) {
		sim_fail(s, "node %u applies %llu to slot %llu, chosen is %llu", sim_index(s, n),
			 U(vid), U(slot), U(sim_check_chosen(s, g, slot)));
		return;
	}
	note_seen(s, g, slot);
	if (vid == SIM_NOOP || vid >= SIM_VIDS)
		return;
	p = &s->check->vid[vid];
	if (p->slot != slot)
		sim_fail(s, "value %llu was proposed for slot %llu and chosen for %llu", U(vid),
			 U(p->slot), U(slot));
}

/* Of the slots that @part has just committed: does it hold what was chosen? */
static void check_committed(struct sim *s, struct sim_node *n, struct sim_part *part)
{
	const struct pxs_group *core = &part->core;
	u64 slot, vid;

	for (slot = part->commit + 1; slot <= core->commit; slot++) {
		const struct pxs_slot *at = pxs_window_at(&core->window, slot);

		if (core->lead_ballot)
			book_check_leader(s, n, part->index, core->lead_ballot, slot);
		if (!pxs_window_holds(&core->window, slot) || !at->value)
			continue;
		vid = sim_value_vid(at->value->data, at->value->len,
				    pxs_value_flags(at->value));
		if (vid != sim_check_chosen(s, part->index, slot))
			sim_fail(s, "node %u commits %llu in slot %llu, chosen is %llu",
				 sim_index(s, n), U(vid), U(slot),
				 U(sim_check_chosen(s, part->index, slot)));
	}
}

void sim_check_part(struct sim *s, struct sim_node *n, u32 g)
{
	struct sim_part *part = &n->part[g];
	const struct pxs_group *core = &part->core;

	if (!n->mod.up || !part->there || n->reborn)
		return;
	if (core->state == PXS_GROUP_FENCED && !n->dead && !part->forgot)
		sim_fail(s, "node %u is fenced: %s", sim_index(s, n), core->fence_reason);
	if (core->commit < part->commit)
		sim_fail(s, "node %u: the commit index goes back from %llu to %llu",
			 sim_index(s, n), U(part->commit), U(core->commit));
	if (core->commit > sim_check_prefix(s, g))
		sim_fail(s, "node %u commits slot %llu; chosen are %llu", sim_index(s, n),
			 U(core->commit), U(sim_check_prefix(s, g)));
	check_committed(s, n, part);
	part->commit = core->commit;
	part->most = max(part->most, part->commit);
}
