// SPDX-License-Identifier: GPL-2.0
/*
 * lww.c - eventual keys: which write is the last one
 */
#include "lww.h"

static int compare_bytes(struct pxs_str a, struct pxs_str b)
{
	u32 len = min(a.len, b.len);
	int o = len ? memcmp(a.data, b.data, len) : 0;

	return o ? o : a.len < b.len ? -1 : a.len > b.len;
}

/* The last two lines: nobody writes twice with one stamp, but the order must be one anyway. */
int pxs_lww_compare(const struct pxs_element *a, const struct pxs_element *b)
{
	int o = pxs_stamp_compare(&a->stamp, &b->stamp);

	if (o)
		return o;
	if (a->dead != b->dead)
		return a->dead ? 1 : -1;
	if (a->deadline != b->deadline)
		return a->deadline > b->deadline ? 1 : -1;
	return compare_bytes(a->value, b->value);
}

bool pxs_lww_covers(const struct pxs_element *whole, const struct pxs_element *field)
{
	return pxs_stamp_compare(&field->stamp, &whole->stamp) <= 0;
}

bool pxs_lww_ends(const struct pxs_element *field, const struct pxs_element *whole)
{
	return !whole->dead && !pxs_lww_covers(whole, field);
}

bool pxs_lww_alive(const struct pxs_element *e, u64 now)
{
	return !e->dead && (!e->deadline || now <= e->deadline);
}

void pxs_lww_kill(struct pxs_element *e)
{
	e->dead = true;
	e->deadline = 0;
	e->value = (struct pxs_str){ (const u8 *)"", 0 };
}
