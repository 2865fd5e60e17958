// SPDX-License-Identifier: GPL-2.0
/*
 * teach.c - answering members that lag: a LEARN_REQ for slots below the window
 *
 * The datapath answers what its window holds; older slots come from the journal. One
 * lesson at a time and group: who asks meanwhile is not answered, and asks again.
 */
#include "replica.h"

#include "node.h"

static bool teach_take(void *ctx, const struct pxs_fetched *v)
{
	struct pxs_replica *r = ctx;
	struct pxs_entry e = {
		.slot = v->slot,
		.ballot = v->ballot,
		.len = v->len,
		.flags = PXS_ENTRY_DECIDED | (v->config ? PXS_ENTRY_CONFIG :
					      v->noop ? PXS_ENTRY_NOOP : 0),
		.data = v->data,
	};

	/* Who holds a value of that ballot, or of a higher one, needs no more than to hear it. */
	if (v->faulty)
		e.flags = PXS_ENTRY_FAULTY;
	if (!e.ballot || r->lesson.count == PXS_WIRE_ENTRIES_MAX ||
	    r->lesson.len + pxs_wire_entry_size(v->len) > PXS_WIRE_BODY_FULL)
		return false;
	r->lesson.len = pxs_wire_put(r->lesson_body, r->lesson.len, &e);
	r->lesson.count++;
	return true;
}

static void teach_done(void *ctx, int err)
{
	struct pxs_replica *r = ctx;
	struct pxs_datapath *dp = r->node->dp;

	if (err || !r->lesson.count || r->gone)
		return;
	if (!dp->ops->send(dp, r->id, &r->lesson, r->lesson_body))
		r->lessons++;
}

/* What is asked for is gone (S7): say so, and what there is. */
static void teach_trimmed(struct pxs_replica *r, const struct pxs_msg *m)
{
	struct pxs_datapath *dp = r->node->dp;
	struct pxs_msg answer = {
		.type = PXS_WIRE_LEARN, .receiver = m->sender, .slot = m->slot,
		.arg = r->trim + 1,
	};

	dp->ops->send(dp, r->id, &answer, NULL);
}

void pxs_teach_init(struct pxs_replica *r)
{
	pxs_fetch_init(&r->teach, &r->node->journal, &r->slots);
	r->teach.take = teach_take;
	r->teach.done = teach_done;
	r->teach.ctx = r;
}

void pxs_teach(struct pxs_replica *r, const struct pxs_msg *m)
{
	if (r->teach.busy || !m->slot || !m->count || m->slot > r->applied)
		return;
	if (m->slot <= r->trim) {
		teach_trimmed(r, m);
		return;
	}
	if (!r->lesson_body)
		r->lesson_body = malloc(PXS_WIRE_BODY_MAX);
	if (!r->lesson_body)
		return;
	memset(&r->lesson, 0, sizeof(r->lesson));
	r->lesson.type = PXS_WIRE_LEARN;
	r->lesson.receiver = m->sender;
	r->lesson.slot = m->slot;
	pxs_fetch_run(&r->teach, m->slot, min(m->slot + m->count - 1, r->applied));
}

void pxs_teach_exit(struct pxs_replica *r)
{
	pxs_fetch_exit(&r->teach);
	free(r->lesson_body);
	r->lesson_body = NULL;
}
