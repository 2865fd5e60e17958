// SPDX-License-Identifier: GPL-2.0
/*
 * test_window.c - the ring of slots: nothing an answer may depend on is overwritten
 */
#include "unit.h"
#include "window.h"

#define SIZE	64u

static struct pxs_slot slots[SIZE];

static void put(struct pxs_window *w, u64 slot, u64 lsn, u8 flags)
{
	struct pxs_value *v = pxs_value_new("value", 5, false);

	pxs_window_set(w, slot, 0x105, lsn, v, flags);
	pxs_value_put(v);
}

static void holds(void)
{
	struct pxs_window w;

	pxs_window_init(&w, slots, SIZE);
	CHECK(!pxs_window_holds(&w, 0));
	CHECK(pxs_window_holds(&w, 1));
	CHECK(pxs_window_holds(&w, SIZE));
	CHECK(!pxs_window_holds(&w, SIZE + 1));
	CHECK(!pxs_window_holds(&w, ~0ull));
	w.base = ~0ull - 10;
	CHECK(pxs_window_holds(&w, ~0ull));
	CHECK(!pxs_window_holds(&w, 3));
}

static void only_decided_and_durable_go(void)
{
	struct pxs_window w;

	pxs_window_init(&w, slots, SIZE);
	put(&w, 1, 11, PXS_SLOT_DECIDED);
	put(&w, 2, 12, PXS_SLOT_DECIDED);
	put(&w, 3, 13, PXS_SLOT_ACCEPTED);
	put(&w, 4, 14, PXS_SLOT_DECIDED);
	CHECK_EQ(w.bytes, 20);
	CHECK_EQ(w.top, 4);
	CHECK_EQ(pxs_window_advance(&w, 5, 10), 1);
	CHECK_EQ(pxs_window_advance(&w, 5, 11), 2);
	CHECK_EQ(pxs_window_advance(&w, 2, 99), 2);
	CHECK_EQ(pxs_window_advance(&w, 5, 99), 3);
	CHECK_EQ(w.bytes, 10);
	CHECK(!pxs_window_holds(&w, 2));
	CHECK(pxs_window_holds(&w, 3 + SIZE - 1));
	/* Slot 65 lies where slot 1 was, and that is empty now. */
	CHECK_EQ(pxs_window_at(&w, SIZE + 1)->flags, 0);
	CHECK(!pxs_window_at(&w, SIZE + 1)->value);
	pxs_window_clear(&w);
	CHECK_EQ(w.bytes, 0);
}

/* One more reference is held while the value is in the window, and none after. */
static void references(void)
{
	struct pxs_value *v = pxs_value_new("abc", 3, false);
	struct pxs_window w;

	pxs_window_init(&w, slots, SIZE);
	pxs_window_set(&w, 1, 0x105, 1, v, PXS_SLOT_ACCEPTED);
	CHECK_EQ(v->ref.count, 2);
	pxs_window_set(&w, 1, 0x205, 2, v, PXS_SLOT_ACCEPTED);
	CHECK_EQ(v->ref.count, 2);
	CHECK_EQ(w.bytes, 3);
	CHECK_EQ(pxs_window_at(&w, 1)->ballot, 0x205);
	pxs_window_set(&w, 1, 0x205, 3, NULL, PXS_SLOT_FAULTY);
	CHECK_EQ(v->ref.count, 1);
	CHECK_EQ(w.bytes, 0);
	pxs_window_clear(&w);
	pxs_value_put(v);
}

static void rebase(void)
{
	struct pxs_window w;

	pxs_window_init(&w, slots, SIZE);
	put(&w, 3, 1, PXS_SLOT_DECIDED);
	put(&w, 10, 2, PXS_SLOT_ACCEPTED);
	pxs_window_rebase(&w, 5);
	CHECK_EQ(w.base, 5);
	CHECK_EQ(w.bytes, 5);
	CHECK(pxs_window_at(&w, 10)->value);
	pxs_window_rebase(&w, 1000000);
	CHECK_EQ(w.base, 1000000);
	CHECK_EQ(w.bytes, 0);
	pxs_window_clear(&w);
}

static void values(void)
{
	struct pxs_value *a = pxs_value_new("abc", 3, false), *b = pxs_value_new("abc", 3, false);
	struct pxs_value *c = pxs_value_new("abd", 3, false), *n = pxs_value_new(NULL, 0, true);
	struct pxs_value *z = pxs_value_new(NULL, 0, false);

	CHECK(pxs_value_equal(a, b));
	CHECK(pxs_value_equal(a, a));
	CHECK(!pxs_value_equal(a, c));
	CHECK(!pxs_value_equal(a, z));
	CHECK(!pxs_value_equal(n, z));	/* a no-op is not an empty value */
	pxs_value_put(pxs_value_get(a));
	pxs_value_put(a);
	pxs_value_put(b);
	pxs_value_put(c);
	pxs_value_put(n);
	pxs_value_put(z);
	pxs_value_put(NULL);
}

int main(void)
{
	RUN(holds);
	RUN(only_decided_and_durable_go);
	RUN(references);
	RUN(rebase);
	RUN(values);
	return unit_done();
}
