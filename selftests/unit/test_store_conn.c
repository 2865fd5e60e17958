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

int main(void)
{
	RUN(room_is_the_same_again);
	return unit_done();
}
