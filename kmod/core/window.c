// SPDX-License-Identifier: GPL-2.0
/*
 * window.c - the ring of slots; see window.h for its one rule
 */
#include "window.h"

void pxs_window_init(struct pxs_window *w, struct pxs_slot *slot, u32 size)
{
	pxs_assert(size && !(size & (size - 1)));
	w->base = 1;
	w->top = 0;
	w->size = size;
	w->bytes = 0;
	w->slot = slot;
}

static void forget(struct pxs_window *w, struct pxs_slot *s)
{
	if (s->value)
		w->bytes -= s->value->len;
	pxs_value_put(s->value);
	memset(s, 0, sizeof(*s));
}

void pxs_window_clear(struct pxs_window *w)
{
	u32 i;

	for (i = 0; i < w->size; i++)
		forget(w, &w->slot[i]);
}

void pxs_window_set(struct pxs_window *w, u64 slot, u64 ballot, u64 lsn, struct pxs_value *v,
		    u8 flags)
{
	struct pxs_slot *s = pxs_window_at(w, slot);

	pxs_assert(pxs_window_holds(w, slot));
	if (v)
		pxs_value_get(v);	/* before forget: it may be the same one */
	forget(w, s);
	s->ballot = ballot;
	s->lsn = lsn;
	s->value = v;
	s->flags = PXS_SLOT_USED | flags;
	if (v)
		w->bytes += v->len;
	if (slot > w->top)
		w->top = slot;
}

u64 pxs_window_advance(struct pxs_window *w, u64 to, u64 durable)
{
	while (w->base < to) {
		struct pxs_slot *s = pxs_window_at(w, w->base);

		if (!(s->flags & PXS_SLOT_DECIDED) || s->lsn > durable)
			break;
		forget(w, s);
		w->base++;
	}
	return w->base;
}

void pxs_window_rebase(struct pxs_window *w, u64 base)
{
	pxs_assert(base >= w->base);
	if (base - w->base >= w->size) {
		pxs_window_clear(w);
		w->base = base;
		return;
	}
	while (w->base < base)
		forget(w, pxs_window_at(w, w->base++));
}
