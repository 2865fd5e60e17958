// SPDX-License-Identifier: GPL-2.0
/*
 * check.c - the omniscient observer
 *
 * Knows every disk. Judges each record that is staged, each that becomes durable, each
 * datagram that leaves and each value that is applied, at that moment, so that a broken
 * rule is seen where it is broken and not where its damage shows.
 */
#include <stdlib.h>
#include "sim.h"

#define VIDS	65536u
#define BALLOTS	4096u

/* A value somebody accepted for a slot at a ballot. */
struct accepted {
	u64 ballot;
	u64 vid;
	u32 votes;	/* bit i: durable at node i */
};

struct slot {
	struct accepted *a;
	u32 n, cap;
	u64 chosen;	/* 0: nothing yet */
};

struct proposal {
	u64 slot;
	u64 ballot;
	u32 life;
	u8 node;
};

struct ballot {
	u64 ballot;
	u32 life;
	u32 promised;	/* bit i: a PROMISE of node i left */
	u8 node;
	bool left;
};

struct sim_check {
	struct slot slot[SIM_SLOTS];
	u64 top;	/* highest slot touched */
	u64 prefix;	/* every slot up to it is chosen */
	struct proposal vid[VIDS];
	u64 vids;
	struct ballot ballot[BALLOTS];
	u32 ballots;
};

#define U(x)	((unsigned long long)(x))

struct sim_check *sim_check_new(void)
{
	struct sim_check *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	return c;
}

void sim_check_free(struct sim_check *c)
{
	u32 i;

	if (!c)
		return;
	for (i = 0; i < SIM_SLOTS; i++)
		free(c->slot[i].a);
	free(c);
}

void sim_check_reset(struct sim_check *c)
{
	u64 i;

	for (i = 0; i <= c->top; i++) {
		c->slot[i].n = 0;
		c->slot[i].chosen = 0;
	}
	memset(c->vid, 0, (c->vids + 1) * sizeof(c->vid[0]));
	c->top = 0;
	c->prefix = 0;
	c->vids = 0;
	c->ballots = 0;
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

u64 sim_value_vid(const u8 *data, u32 len, bool noop)
{
	u64 vid;

	if (noop)
		return len ? 0 : SIM_NOOP;
	if (len < 8)
		return 0;
	memcpy(&vid, data, 8);
	if (len > 8 && (data[8] != (u8)vid || memcmp(data + 8, data + 9, len - 9)))
		return 0;
	return vid > SIM_NOOP ? vid : 0;
}

u64 sim_check_chosen(const struct sim *s, u64 slot)
{
	return slot < SIM_SLOTS ? s->check->slot[slot].chosen : 0;
}

u64 sim_check_prefix(const struct sim *s)
{
	return s->check->prefix;
}

static struct slot *slot_of(struct sim *s, u64 slot)
{
	if (!slot || slot >= SIM_SLOTS) {
		sim_fail(s, "slot %llu is out of the simulator's range", U(slot));
		return NULL;
	}
	if (slot > s->check->top)
		s->check->top = slot;
	return &s->check->slot[slot];
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

/*
 * May @vid be proposed at @ballot? There must be a quorum that has promised it on disk and
 * whose newest value is this one, or which has none (P2c of Paxos Made Simple): then nothing
 * else was, or ever will be, chosen at a lower ballot.
 */
static bool safe_at(const struct sim *s, const struct slot *sl, u64 ballot, u64 vid)
{
	const struct accepted *best[SIM_NODES];
	u32 promised = 0, i, k, n;

	if (sl->chosen == vid)
		return true;
	for (i = 0; i < s->p.n; i++) {
		if (s->node[i].durable_promise < ballot)
			continue;
		best[promised++] = newest(sl, i, ballot);
	}
	for (i = 0, n = 0; i < promised; i++)
		n += !best[i];
	if (n > s->p.n / 2)
		return true;
	for (i = 0; i < promised; i++) {
		if (!best[i] || best[i]->vid != vid)
			continue;
		for (k = 0, n = 0; k < promised; k++)
			n += !best[k] || best[k]->ballot <= best[i]->ballot;
		if (n > s->p.n / 2)
			return true;
	}
	return false;
}

/* One ballot has one value for a slot, and a safe one. */
static struct accepted *accepted(struct sim *s, u64 slot, u64 ballot, u64 vid)
{
	struct slot *sl = slot_of(s, slot);
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
	if (!safe_at(s, sl, ballot, vid))
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

static struct ballot *ballot_of(struct sim *s, u64 ballot)
{
	struct sim_check *c = s->check;
	u32 i;

	for (i = 0; i < c->ballots; i++)
		if (c->ballot[i].ballot == ballot)
			return &c->ballot[i];
	if (c->ballots == BALLOTS) {
		sim_fail(s, "more than %u ballots", BALLOTS);
		return NULL;
	}
	c->ballot[c->ballots] = (struct ballot){ .ballot = ballot };
	return &c->ballot[c->ballots++];
}

/* S11: once its PREPARE left, a ballot belongs to the agent, and its life, that opened it. */
void sim_check_prepare(struct sim *s, struct sim_node *n, u64 ballot)
{
	struct ballot *b = ballot_of(s, ballot);
	u8 node = (u8)sim_index(s, n);

	if (pxs_ballot_member(ballot) != n->id)
		sim_fail(s, "node %u opens ballot %llx of another member", node, U(ballot));
	if (!b)
		return;
	if (b->left && b->life != n->agent.life)
		sim_fail(s, "S11: ballot %llx is used twice", U(ballot));
	b->life = n->agent.life;
	b->node = node;
}

/* Whoever leads was promised it by a quorum. */
void sim_check_lead(struct sim *s, struct sim_node *n, u64 ballot)
{
	struct ballot *b = ballot_of(s, ballot);

	if (b && (u32)__builtin_popcount(b->promised) < s->p.n / 2 + 1)
		sim_fail(s, "node %u leads with ballot %llx without a quorum of promises (%x)",
			 sim_index(s, n), U(ballot), b->promised);
}

/*
 * Who hears "up to commit is decided" of a leader takes what it accepted at that very ballot
 * for decided.
 */
static void check_leader(struct sim *s, struct sim_node *n, u64 ballot, u64 slot)
{
	const struct slot *sl = &s->check->slot[slot];
	u32 i;

	for (i = 0; i < sl->n; i++)
		if (sl->a[i].ballot == ballot && sl->a[i].vid != sl->chosen)
			sim_fail(s, "node %u leads %llx and knows slot %llu as decided; it proposed %llu, chosen is %llu",
				 sim_index(s, n), U(ballot), U(slot), U(sl->a[i].vid),
				 U(sl->chosen));
}

static void leaves_leader(struct sim *s, struct sim_node *n, const struct pxs_msg *m)
{
	struct sim_module *mod = &n->mod;
	u64 slot;

	if (mod->led != m->ballot) {
		mod->led = m->ballot;
		mod->led_commit = 0;
	}
	for (slot = mod->led_commit + 1; slot <= m->commit && slot < SIM_SLOTS; slot++)
		check_leader(s, n, m->ballot, slot);
	mod->led_commit = max(mod->led_commit, m->commit);
}

static void leaves_prepare(struct sim *s, struct sim_node *n, const struct pxs_msg *m)
{
	struct ballot *b = ballot_of(s, m->ballot);

	if (!b)
		return;
	if (b->node != sim_index(s, n))
		sim_fail(s, "node %u sends PREPARE of ballot %llx, which it did not open",
			 sim_index(s, n), U(m->ballot));
	if (n->durable_promise < m->ballot)
		sim_fail(s, "S11: node %u sends PREPARE of %llx before its own promise is durable",
			 sim_index(s, n), U(m->ballot));
	b->left = true;
}

void sim_check_proposed(struct sim *s, struct sim_node *n, u64 ballot, u64 slot, u64 vid)
{
	struct sim_check *c = s->check;

	if (vid >= VIDS) {
		sim_fail(s, "more than %u values", VIDS);
		return;
	}
	c->vids = max(c->vids, vid);
	c->vid[vid].slot = slot;
	c->vid[vid].ballot = ballot;
	c->vid[vid].life = n->agent.life;
	c->vid[vid].node = (u8)sim_index(s, n);
}

void sim_check_staged(struct sim *s, struct sim_node *n, const struct pxs_record *r)
{
	struct sim_module *mod = &n->mod;
	u64 vid;

	if (r->type != PXS_RECORD_ACCEPT && r->type != PXS_RECORD_DECIDED)
		return;
	vid = sim_value_vid(r->data, r->len, r->flags & PXS_ENTRY_NOOP);
	if (!vid) {
		sim_fail(s, "node %u stages a damaged value", sim_index(s, n));
		return;
	}
	if (r->type == PXS_RECORD_DECIDED) {
		if (sim_check_chosen(s, r->slot) != vid)
			sim_fail(s, "node %u learns %llu for slot %llu, chosen is %llu",
				 sim_index(s, n), U(vid), U(r->slot),
				 U(sim_check_chosen(s, r->slot)));
		return;
	}
	accepted(s, r->slot, r->ballot, vid);
	if (r->ballot < mod->promise_left && r->lsn > mod->promise_left_lsn)
		sim_fail(s, "node %u accepts slot %llu at %llx after its promise of %llx left",
			 sim_index(s, n), U(r->slot), U(r->ballot), U(mod->promise_left));
}

static void vote(struct sim *s, struct sim_node *n, u64 slot, u64 ballot, u64 vid)
{
	struct accepted *a = accepted(s, slot, ballot, vid);
	struct sim_check *c = s->check;
	struct slot *sl;

	if (!a)
		return;
	a->votes |= 1u << sim_index(s, n);
	if ((u32)__builtin_popcount(a->votes) < s->p.n / 2 + 1)
		return;
	sl = &c->slot[slot];
	if (sl->chosen && sl->chosen != vid)
		sim_fail(s, "slot %llu: %llu was chosen, and now %llu at ballot %llx", U(slot),
			 U(sl->chosen), U(vid), U(ballot));
	if (!sl->chosen)
		s->stat.decided++;
	sl->chosen = vid;
	while (c->prefix + 1 < SIM_SLOTS && c->slot[c->prefix + 1].chosen)
		c->prefix++;
}

void sim_check_durable(struct sim *s, struct sim_node *n, const struct pxs_record *r)
{
	if ((r->type == PXS_RECORD_PROMISE || r->type == PXS_RECORD_ACCEPT) &&
	    r->ballot > n->durable_promise)
		n->durable_promise = r->ballot;
	if (r->type == PXS_RECORD_ACCEPT)
		vote(s, n, r->slot, r->ballot,
		     sim_value_vid(r->data, r->len, r->flags & PXS_ENTRY_NOOP));
}

static bool durable_at(const struct sim *s, const struct sim_node *n, u64 slot, u64 ballot)
{
	const struct slot *sl = &s->check->slot[slot];
	u32 i;

	for (i = 0; i < sl->n; i++)
		if (sl->a[i].ballot == ballot)
			return sl->a[i].votes >> sim_index(s, n) & 1;
	return false;
}

static void leaves_accepted(struct sim *s, struct sim_node *n, const struct pxs_msg *m)
{
	u64 slot;

	for (slot = m->slot; slot < m->slot + m->count; slot++)
		if (slot >= SIM_SLOTS || !durable_at(s, n, slot, m->ballot))
			sim_fail(s, "S1: node %u says it accepted slot %llu at %llx; its disk does not",
				 sim_index(s, n), U(slot), U(m->ballot));
	if (sim_chance(s, F_SENT, 200))
		sim_node_crash_soon(s, n);
}

/* Does the promise tell of everything this disk accepted below its ballot? */
static void leaves_promise(struct sim *s, struct sim_node *n, const struct pxs_msg *m,
			   const u8 *body)
{
	u64 told[SIM_SLOTS / 64] = { 0 };
	struct ballot *b;
	struct pxs_entry en;
	u32 offset = 0;
	u64 slot;
	u32 i;

	if (n->durable_promise < m->ballot)
		sim_fail(s, "S1: node %u promises %llx; its disk holds %llx", sim_index(s, n),
			 U(m->ballot), U(n->durable_promise));
	while (pxs_wire_next(body, m->len, &offset, &en) > 0 && en.slot < SIM_SLOTS) {
		struct slot *sl = &s->check->slot[en.slot];

		told[en.slot / 64] |= 1ull << en.slot % 64;
		if (en.flags & (PXS_ENTRY_FAULTY | PXS_ENTRY_DECIDED))
			continue;
		for (i = 0; i < sl->n; i++)
			if (sl->a[i].votes >> sim_index(s, n) & 1 && sl->a[i].ballot > en.ballot &&
			    sl->a[i].ballot < m->ballot)
				sim_fail(s, "node %u hides slot %llu at %llx in its promise of %llx",
					 sim_index(s, n), U(en.slot), U(sl->a[i].ballot),
					 U(m->ballot));
	}
	for (slot = max(m->slot, m->commit + 1); slot <= s->check->top; slot++) {
		struct slot *sl = &s->check->slot[slot];

		if (m->arg && slot >= m->arg)
			break;
		if (told[slot / 64] >> slot % 64 & 1)
			continue;
		for (i = 0; i < sl->n; i++)
			if (sl->a[i].votes >> sim_index(s, n) & 1 && sl->a[i].ballot < m->ballot)
				sim_fail(s, "node %u leaves slot %llu out of its promise of %llx",
					 sim_index(s, n), U(slot), U(m->ballot));
	}
	b = ballot_of(s, m->ballot);
	if (b)
		b->promised |= 1u << sim_index(s, n);
	if (m->ballot > n->mod.promise_left) {
		n->mod.promise_left = m->ballot;
		n->mod.promise_left_lsn = n->mod.stage.last_lsn;
	}
	if (sim_chance(s, F_SENT, 20))
		sim_node_crash_soon(s, n);
}

static void leaves_entries(struct sim *s, struct sim_node *n, const struct pxs_msg *m,
			   const u8 *body)
{
	struct pxs_entry en;
	u32 offset = 0;

	while (pxs_wire_next(body, m->len, &offset, &en) > 0) {
		u64 vid;

		if (en.flags & PXS_ENTRY_FAULTY)
			continue;
		vid = sim_value_vid(en.data, en.len, en.flags & PXS_ENTRY_NOOP);
		if (!vid)
			sim_fail(s, "node %u sends a damaged value", sim_index(s, n));
		if (m->type == PXS_WIRE_ACCEPT)
			accepted(s, en.slot, m->ballot, vid);
		if (en.flags & PXS_ENTRY_DECIDED && sim_check_chosen(s, en.slot) != vid)
			sim_fail(s, "node %u says slot %llu is %llu, chosen is %llu",
				 sim_index(s, n), U(en.slot), U(vid),
				 U(sim_check_chosen(s, en.slot)));
	}
}

void sim_check_leaves(struct sim *s, struct sim_node *n, const struct pxs_msg *m, const u8 *body)
{
	if (m->commit > s->check->prefix)
		sim_fail(s, "node %u says that slots up to %llu are decided; chosen are %llu",
			 sim_index(s, n), U(m->commit), U(s->check->prefix));
	if (!pxs_wire_check_body(m, body))
		sim_fail(s, "node %u sends a malformed body, type %u", sim_index(s, n), m->type);
	leaves_entries(s, n, m, body);
	if (m->type == PXS_WIRE_ACCEPT || m->type == PXS_WIRE_HEARTBEAT)
		leaves_leader(s, n, m);
	if (m->type == PXS_WIRE_ACCEPTED)
		leaves_accepted(s, n, m);
	else if (m->type == PXS_WIRE_PREPARE)
		leaves_prepare(s, n, m);
	else if (m->type == PXS_WIRE_PROMISE)
		leaves_promise(s, n, m, body);
}

void sim_check_applied(struct sim *s, struct sim_node *n, u64 slot, u64 vid)
{
	struct proposal *p;

	if (sim_check_chosen(s, slot) != vid) {
		sim_fail(s, "node %u applies %llu to slot %llu, chosen is %llu", sim_index(s, n),
			 U(vid), U(slot), U(sim_check_chosen(s, slot)));
		return;
	}
	if (vid == SIM_NOOP || vid >= VIDS)
		return;
	p = &s->check->vid[vid];
	if (p->slot != slot)
		sim_fail(s, "value %llu was proposed for slot %llu and chosen for %llu", U(vid),
			 U(p->slot), U(slot));
	if (p->node == sim_index(s, n) && p->life == n->agent.life) {
		s->stat.acked++;
		if (s->healed && vid >= s->heal_vid)
			s->healed_vid = vid;
	}
}

void sim_check_group(struct sim *s, struct sim_node *n)
{
	const struct pxs_group *g = &n->mod.group;
	u64 slot;

	if (!n->mod.up)
		return;
	if (g->state == PXS_GROUP_FENCED && !n->dead)
		sim_fail(s, "node %u is fenced: %s", sim_index(s, n), g->fence_reason);
	if (g->commit < n->mod.commit)
		sim_fail(s, "node %u: the commit index goes back from %llu to %llu",
			 sim_index(s, n), U(n->mod.commit), U(g->commit));
	if (g->commit > s->check->prefix)
		sim_fail(s, "node %u commits slot %llu; chosen are %llu", sim_index(s, n),
			 U(g->commit), U(s->check->prefix));
	for (slot = n->mod.commit + 1; slot <= g->commit; slot++) {
		const struct pxs_slot *at = pxs_window_at(&g->window, slot);
		u64 vid;

		if (g->lead_ballot)
			check_leader(s, n, g->lead_ballot, slot);
		if (!pxs_window_holds(&g->window, slot) || !at->value)
			continue;
		vid = sim_value_vid(at->value->data, at->value->len, at->value->noop);
		if (vid != sim_check_chosen(s, slot))
			sim_fail(s, "node %u commits %llu in slot %llu, chosen is %llu",
				 sim_index(s, n), U(vid), U(slot), U(sim_check_chosen(s, slot)));
	}
	n->mod.commit = g->commit;
}
