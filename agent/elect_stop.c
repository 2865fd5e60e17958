// SPDX-License-Identifier: GPL-2.0
/*
 * elect_stop.c - a candidate that has found a change of members, which ends an epoch
 */
#include "elect.h"

/*
 * Phase 1 found a change of members at @slot. Is it, or will it be, chosen, so far as we can know?
 * Not if there is something behind it at a higher ballot: rule 2 of membership.h, which says why.
 * Damaged answers tell nothing here, and need not: without them there is a quorum (may_fill()).
 */
static bool may_be_chosen(const struct pxs_elect *e, u64 slot)
{
	const struct pxs_elect_slot *s = pxs_elect_slot_at(e, slot), *behind;
	u64 i;

	if (s->decided)
		return true;
	for (i = slot + 1; i <= e->last; i++) {
		behind = pxs_elect_slot_at(e, i);
		if (behind->value && (behind->decided || behind->ballot > s->ballot))
			return false;
	}
	return true;
}

void pxs_elect_stop_at(struct pxs_elect *e)
{
	struct pxs_elect_slot *s;
	u64 slot;

	for (slot = e->settled + 1; slot <= e->last; slot++) {
		s = pxs_elect_slot_at(e, slot);
		if (!s->value || !s->value->config)
			continue;
		if (may_be_chosen(e, slot))
			break;
		pxs_elect_slot_clear(s);
	}
	while (e->last > slot)
		pxs_elect_slot_clear(pxs_elect_slot_at(e, e->last--));
}
