// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_conn.c - what a client's answers may hold
 */
#include "unit.h"

#include "../../agent/store/store.h"

/* A transaction that fails is applied again, with all of its answers, as often as it takes. */
static void room_is_the_same_again(void)
{
	struct pxs_store s = { .held = 0 };
	struct pxs_conn c = { .store = &s };
	struct pxs_request r = { .conn = &c };
	u32 i;

	pxs_reply_init(&r.out, 2, PXS_CONN_OUT_MAX);
	c.held = 48u << 20;
	for (i = 0; i < 3; i++) {
		pxs_request_room(&r);
		CHECK_EQ(r.out.limit, PXS_CONN_OUT_MAX - (48u << 20));
	}
	c.held = (u64)PXS_CONN_OUT_MAX + 1;
	pxs_request_room(&r);
	CHECK_EQ(r.out.limit, 0);
	pxs_reply_free(&r.out);
}

/* A part's answer waits for other groups: if these waited for its memory, none would go on. */
static void parts_hold_back_nobody(void)
{
	struct pxs_store s = { .held = 0 };
	struct pxs_conn c = { .store = &s };
	struct pxs_request whole = { .conn = &c }, part = { .conn = &c, .parent = &whole };

	pxs_request_hold(&part, 48 << 20);
	CHECK_EQ(s.held, 0);
	CHECK_EQ(c.held, 48u << 20);
	pxs_request_hold(&whole, 1 << 20);
	CHECK_EQ(s.held, 1u << 20);
	CHECK_EQ(c.held, 49u << 20);
	pxs_request_hold(&part, -(48 << 20));
	pxs_request_hold(&whole, -(1 << 20));
	CHECK_EQ(s.held, 0);
	CHECK_EQ(c.held, 0);
}

int main(void)
{
	RUN(room_is_the_same_again);
	RUN(parts_hold_back_nobody);
	return unit_done();
}
