// SPDX-License-Identifier: GPL-2.0
/*
 * confirm.c - when may the mark of a deleted eventual key go?
 */
#include "confirm.h"

void pxs_confirm_asked(struct pxs_confirm *c, u64 table, u64 cursor, u64 head)
{
	if (c->table != table)
		*c = (struct pxs_confirm){ .table = table };
	/* One at a time: the next question will say more. */
	if (c->pending || cursor <= c->safe)
		return;
	c->cursor = cursor;
	c->head = head;
	c->pending = true;
}

void pxs_confirm_merged(struct pxs_confirm *c, u64 table, u64 cursor)
{
	if (!c->pending || c->table != table || cursor < c->head)
		return;
	c->safe = c->cursor;
	c->pending = false;
}
