// SPDX-License-Identifier: GPL-2.0
/*
 * leaves.c - a datagram leaves: may it?
 */
#include "book.h"

static void leaves_leader(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m)
{
	struct sim_part *part = &n->part[g];
	u64 slot;

	if (part->led != m->ballot) {
		part->led = m->ballot;
		part->led_commit = 0;
	}
	for (slot = part->led_commit + 1; slot <= m->commit && slot < SIM_SLOTS; slot++)
		book_check_leader(s, n, g, m->ballot, slot);
	part->led_commit = max(part->led_commit, m->commit);
}

/* A leader whose disk stands still goes quiet, so that another is chosen. */
static void leaves_heartbeat(struct sim *s, struct sim_node *n)
{
	u64 now = sim_clock(s, n), limit = s->p.silence + s->p.heartbeat;

	if (n->mod.ticking && n->mod.stuck && now - n->mod.stuck > limit)
		sim_fail(s, "node %u sends a heartbeat; nothing became durable for %llu ms",
			 sim_index(s, n), U(now - n->mod.stuck));
}

static void leaves_prepare(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m)
{
	struct ballot *b = book_ballot(s, g, m->ballot);

	if (!b)
		return;
	if (b->node != sim_index(s, n))
		sim_fail(s, "node %u sends PREPARE of ballot %llx, which it did not open",
			 sim_index(s, n), U(m->ballot));
	if (n->part[g].durable_promise < m->ballot)
		sim_fail(s, "S11: node %u sends PREPARE of %llx before its own promise is durable",
			 sim_index(s, n), U(m->ballot));
	b->left = true;
}

/* Or counted in memory: see sim_check_memory(). */
static bool durable_at(const struct sim *s, const struct sim_node *n, u32 g, u64 slot, u64 ballot)
{
	const struct slot *sl = &book_of(s, g)->slot[slot];
	u32 i;

	for (i = 0; i < sl->n; i++)
		if (sl->a[i].ballot == ballot)
			return sl->a[i].votes >> sim_index(s, n) & 1;
	return false;
}

static void leaves_accepted(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m)
{
	u64 slot;

	for (slot = m->slot; slot < m->slot + m->count; slot++)
		if (slot >= SIM_SLOTS || !durable_at(s, n, g, slot, m->ballot))
			sim_fail(s, "S1: node %u says it accepted slot %llu at %llx; its disk does not",
				 sim_index(s, n), U(slot), U(m->ballot));
	if (sim_chance(s, F_SENT, 200))
		sim_node_crash_soon(s, n);
}

/* What the promise tells of a slot must be the newest that this disk holds of it. */
static void told_newest(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
			const struct pxs_entry *en)
{
	const struct slot *sl = &book_of(s, g)->slot[en->slot];
	u32 i;

	if (en->flags & (PXS_ENTRY_FAULTY | PXS_ENTRY_DECIDED))
		return;
	for (i = 0; i < sl->n; i++)
		if (sl->a[i].votes >> sim_index(s, n) & 1 && sl->a[i].ballot > en->ballot &&
		    sl->a[i].ballot < m->ballot)
			sim_fail(s, "node %u hides slot %llu at %llx in its promise of %llx",
				 sim_index(s, n), U(en->slot), U(sl->a[i].ballot), U(m->ballot));
}

static void left_out(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m, u64 slot)
{
	const struct slot *sl = &book_of(s, g)->slot[slot];
	u32 i;

	for (i = 0; i < sl->n; i++)
		if (sl->a[i].votes >> sim_index(s, n) & 1 && sl->a[i].ballot < m->ballot)
			sim_fail(s, "node %u leaves slot %llu out of its promise of %llx",
				 sim_index(s, n), U(slot), U(m->ballot));
}

/* Does the promise tell of everything this disk accepted below its ballot? */
static void leaves_promise(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
			   const u8 *body)
{
	u64 told[SIM_SLOTS / 64] = { 0 };
	struct sim_part *part = &n->part[g];
	struct pxs_entry en;
	struct ballot *b;
	u32 offset = 0;
	u64 slot;

	if (part->durable_promise < m->ballot)
		sim_fail(s, "S1: node %u promises %llx; its disk holds %llx", sim_index(s, n),
			 U(m->ballot), U(part->durable_promise));
	while (pxs_wire_next(body, m->len, &offset, &en) > 0 && en.slot < SIM_SLOTS) {
		told[en.slot / 64] |= 1ull << en.slot % 64;
		told_newest(s, n, g, m, &en);
	}
	for (slot = max(m->slot, m->commit + 1); slot <= book_of(s, g)->top; slot++) {
		if (m->arg && slot >= m->arg)
			break;
		if (!(told[slot / 64] >> slot % 64 & 1))
			left_out(s, n, g, m, slot);
	}
	b = book_ballot(s, g, m->ballot);
	if (b)
		b->promised |= 1u << sim_index(s, n);
	if (m->ballot > part->promise_left) {
		part->promise_left = m->ballot;
		part->promise_left_lsn = n->mod.stage.last_lsn;
	}
	if (sim_chance(s, F_SENT, 20))
		sim_node_crash_soon(s, n);
}

/* Says that what was proposed at a ballot was chosen, and cannot show it. */
static void check_ballot_chosen(struct sim *s, struct sim_node *n, u32 g,
				const struct pxs_entry *en)
{
	const struct slot *sl = &book_of(s, g)->slot[en->slot % SIM_SLOTS];
	u32 i;

	for (i = 0; i < sl->n; i++)
		if (sl->a[i].ballot == en->ballot && sl->a[i].vid == sl->chosen)
			return;
	sim_fail(s, "node %u says that slot %llu was chosen at %llx; it was not", sim_index(s, n),
		 U(en->slot), U(en->ballot));
}

static void leaves_entries(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
			   const u8 *body)
{
	struct pxs_entry en;
	u32 offset = 0;

	while (pxs_wire_next(body, m->len, &offset, &en) > 0) {
		u64 vid;

		if (en.flags & PXS_ENTRY_FAULTY) {
			if (m->type == PXS_WIRE_LEARN)
				check_ballot_chosen(s, n, g, &en);
			continue;
		}
		vid = sim_value_vid(en.data, en.len, en.flags);
		if (!vid)
			sim_fail(s, "node %u sends a damaged value", sim_index(s, n));
		if (vid >= SIM_CONFIG)
			book_config(s, g, vid, en.data, en.len);
		if (m->type == PXS_WIRE_ACCEPT)
			book_accepted(s, g, en.slot, m->ballot, vid);
		if (en.flags & PXS_ENTRY_DECIDED && sim_check_chosen(s, g, en.slot) != vid)
			sim_fail(s, "node %u says slot %llu is %llu, chosen is %llu",
				 sim_index(s, n), U(en.slot), U(vid),
				 U(sim_check_chosen(s, g, en.slot)));
	}
}

/* S8: so far as this member knows a leader still leads: it has promised no higher ballot. */
static void leaves_read_ack(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m)
{
	if (n->part[g].durable_promise > m->ballot)
		sim_fail(s, "S8: node %u answers a read of ballot %llx; it has promised %llx",
			 sim_index(s, n), U(m->ballot), U(n->part[g].durable_promise));
}

/* Every member once had it, and the observer saw that. */
static void leaves_held(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m)
{
	const struct pxs_group_conf *conf = &n->part[g].core.conf;
	u32 i;

	for (i = 0; i < conf->nmembers; i++) {
		const struct sim_node *o = &s->node[sim_node_of(s, conf->member[i].id)];

		if (!o->reborn && !o->lost && o->part[g].most < m->slot)
			sim_fail(s, "node %u says that all have slots up to %llu; node %u never had more than %llu",
				 sim_index(s, n), U(m->slot), sim_index(s, o), U(o->part[g].most));
	}
}

void sim_check_leaves(struct sim *s, struct sim_node *n, u32 g, const struct pxs_msg *m,
		      const u8 *body)
{
	if (n->reborn)
		return;
	if (m->commit > sim_check_prefix(s, g))
		sim_fail(s, "node %u says that slots up to %llu are decided; chosen are %llu",
			 sim_index(s, n), U(m->commit), U(sim_check_prefix(s, g)));
	if (m->type == PXS_WIRE_LEARN && !m->count && m->arg > n->part[g].durable_trim + 1)
		sim_fail(s, "S7: node %u group %u says that slots below %llu are gone; below %llu are",
			 sim_index(s, n), g, U(m->arg), U(n->part[g].durable_trim + 1));
	if (!pxs_wire_check_body(m, body))
		sim_fail(s, "node %u sends a malformed body, type %u", sim_index(s, n), m->type);
	leaves_entries(s, n, g, m, body);
	if (m->type == PXS_WIRE_ACCEPTED || m->type == PXS_WIRE_PROMISE)
		n->part[g].voted = max(n->part[g].voted, m->epoch);
	if (m->type == PXS_WIRE_ACCEPT || m->type == PXS_WIRE_HEARTBEAT)
		leaves_leader(s, n, g, m);
	if (m->type == PXS_WIRE_HEARTBEAT)
		leaves_heartbeat(s, n);
	if (m->type == PXS_WIRE_ACCEPTED)
		leaves_accepted(s, n, g, m);
	else if (m->type == PXS_WIRE_READ_ACK)
		leaves_read_ack(s, n, g, m);
	else if (m->type == PXS_WIRE_HELD)
		leaves_held(s, n, g, m);
	else if (m->type == PXS_WIRE_PREPARE)
		leaves_prepare(s, n, g, m);
	else if (m->type == PXS_WIRE_PROMISE)
		leaves_promise(s, n, g, m, body);
}
