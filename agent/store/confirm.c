// SPDX-License-Identifier: GPL-2.0
/*
 * confirm.c - when may the mark of a deleted eventual key go?
 */
#include "confirm.h"

void pxs_confirm_asked(struct pxs_confirm *c, u64 table, u64 round, u64 cursor, u64 head)
{
	if (c->table != table)
		*c = (struct pxs_confirm){ .table = table };
	c->round = round;
	/* One at a time: the next question will say more. */
	if (c->pending || cursor <= c->safe)
		return;
	c->cursor = cursor;
	c->head = head;
	c->pending = true;
}

/* Rounds go on: an answer of before is of none that will be. */
void pxs_confirm_reset(struct pxs_horizon *h, struct pxs_confirm *c, u32 n)
{
	*h = (struct pxs_horizon){ .round = h->round + 1 };
	memset(c, 0, n * sizeof(*c));
}

void pxs_confirm_merged(struct pxs_confirm *c, u64 table, u64 cursor)
{
	if (!c->pending || c->table != table || cursor < c->head)
		return;
	c->safe = c->cursor;
	c->pending = false;
}

u64 pxs_confirm_horizon(struct pxs_horizon *h, struct pxs_confirm *c, u32 n, u64 head)
{
	bool same = true, again = true;
	u64 all = head;
	u32 i;

	for (i = 0; i < n; i++) {
		all = min(all, c[i].safe);
		same &= c[i].table == c[i].noted;
		again &= c[i].round == h->round;
	}
	if (same && !again)
		return h->at;
	if (same)
		h->at = max(h->at, h->next);
	h->next = all;
	h->round++;
	for (i = 0; i < n; i++)
		c[i].noted = c[i].table;
	return h->at;
}
