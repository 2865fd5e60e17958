// SPDX-License-Identifier: GPL-2.0
/*
 * learner.c - asking others for what was decided, and showing it to those who ask
 */
#include "learner.h"
#include "acceptor.h"

/* How many decided slots one LEARN_REQ asks for. */
#define LEARN_SLOTS	PXS_WIRE_ENTRIES_MAX

static u8 next_member(const struct pxs_group *g, u8 next)
{
	do {
		next = next + 1 < g->conf.nmembers ? next + 1 : 0;
	} while (next == g->conf.self);
	return next;
}

/*
 * Whoever said that there is more is asked first. It may be unable to show it, because its own
 * record is damaged or it is gone: while a question brings nothing, the next one goes to another.
 */
static u8 learn_from(const struct pxs_group *g)
{
	return g->learn_slot != g->commit + 1 ? g->known_from : next_member(g, g->learn_from);
}

void pxs_learner_ask(struct pxs_group *g, u64 now, struct pxs_out *out)
{
	struct pxs_send *send;
	u8 from;

	if (g->known_commit <= g->commit)
		return;
	from = learn_from(g);
	send = pxs_out_send(g, out, PXS_WIRE_LEARN_REQ, 1ull << from, 0, g->commit + 1);
	if (!send)
		return;
	send->count = LEARN_SLOTS;
	g->learn_ms = now;
	g->learn_slot = g->commit + 1;
	g->learn_from = from;
}

void pxs_learner_wonder(struct pxs_group *g, struct pxs_out *out)
{
	struct pxs_send *send;

	g->wonder = next_member(g, g->wonder);
	send = pxs_out_send(g, out, PXS_WIRE_LEARN_REQ, 1ull << g->wonder, 0, g->commit + 1);
	if (send)
		send->count = LEARN_SLOTS;
}

void pxs_learner_show(struct pxs_group *g, const struct pxs_msg *m, u8 from, struct pxs_out *out)
{
	struct pxs_send *send;
	u64 slot;

	if (!m->slot || !m->count || m->slot > g->commit)
		return;
	if (m->slot < g->window.base) {
		out->what |= PXS_OUT_FORWARD;	/* the agent reads it from its journal */
		return;
	}
	send = pxs_out_send(g, out, PXS_WIRE_LEARN, 1ull << from, 0, m->slot);
	for (slot = m->slot; send && slot <= g->commit && slot - m->slot < m->count; slot++) {
		if (!pxs_out_add(out, slot, pxs_window_at(&g->window, slot), PXS_ENTRY_DECIDED))
			break;
	}
}

static bool learn_entry(struct pxs_group *g, const struct pxs_entry *e, struct pxs_out *out)
{
	struct pxs_value *v;
	bool ok;

	if (e->flags & PXS_ENTRY_FAULTY)
		return pxs_acceptor_learn_ballot(g, e->slot, e->ballot, out);
	v = pxs_value_of(e->data, e->len, e->flags);
	if (!v) {
		g->stat[PXS_GROUP_STAT_NO_MEMORY]++;
		return false;
	}
	ok = pxs_acceptor_learn(g, e->slot, e->ballot, v, out);
	pxs_value_put(v);
	return ok;
}

/* Of what we ask for now only; who has more of it than another counts. */
static void recv_trimmed(struct pxs_group *g, const struct pxs_msg *m)
{
	if (m->slot != g->commit + 1)
		return;
	if (!pxs_group_needs_checkpoint(g) || m->arg < g->trimmed)
		g->trimmed = m->arg;
	g->stat[PXS_GROUP_STAT_TRIMMED]++;
}

void pxs_learner_take(struct pxs_group *g, const struct pxs_msg *m, const u8 *body, u64 now,
		      struct pxs_out *out)
{
	u64 before = g->commit;
	struct pxs_entry e;
	u32 offset = 0;

	if (!m->count) {
		recv_trimmed(g, m);
		return;
	}
	while (pxs_wire_next(body, m->len, &offset, &e) > 0)
		if (!learn_entry(g, &e, out))
			break;
	if (g->state != PXS_GROUP_ACTIVE)
		return;
	pxs_acceptor_commit(g, out);
	if (g->commit > before)
		pxs_learner_ask(g, now, out);
}

int pxs_group_say(const struct pxs_group *g, u8 to, struct pxs_msg *m)
{
	struct pxs_send send = {
		.type = m->type, .slot = m->slot, .count = m->count, .bytes = m->len,
		.arg = m->arg, .commit = g->commit,
	};

	if (g->state != PXS_GROUP_ACTIVE)
		return -ESHUTDOWN;
	if (to == g->conf.self || (m->type != PXS_WIRE_LEARN_REQ && m->type != PXS_WIRE_LEARN))
		return -EINVAL;
	pxs_out_msg(g, &send, to, m);
	return 0;
}
