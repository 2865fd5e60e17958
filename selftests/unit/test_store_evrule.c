// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_evrule.c - which requests are about eventual keys, and what is refused
 */
#include "unit_reads.h"

static struct pxs_eventual ev;

/* Its worker does not run: the tests end before a request would get there. */
static void begin(void)
{
	setup(true);
	memset(&ev, 0, sizeof(ev));
	CHECK(!pxs_prefix_add(&config.eventual, "e:"));
	pxs_prefixes_seal(&config.eventual);
	ev.store = &s;
	s.eventual = &ev;
}

static void end(void)
{
	s.eventual = NULL;
	teardown();
}

static void one_kind_at_a_time(void)
{
	begin();
	CHECK_STR(say("MGET e:a b\r\n"), "-ERR Keys in request are eventual and strong ones\r\n");
	CHECK_STR(say("MULTI\r\nGET e:a\r\nDISCARD\r\n"),
		  "+OK\r\n-ERR 'multi' cannot be done on a key with an eventual prefix: no quorum is asked there, and the last writer of a value or a field wins\r\n+OK\r\n");
	CHECK_EQ(ev.refused, 2);
	end();
}

/* A key that the log's data has, too, is neither: and so is one of which that is not known. */
static void a_key_from_before_its_prefix(void)
{
	static const char twin[] =
		"-ERR the key was written as a strong one, before its prefix was eventual: take the prefix away to get at it\r\n";

	begin();
	s.eventual = NULL;
	others_say("SET e:a 1");
	s.eventual = &ev;
	CHECK_STR(say("GET e:a\r\n"), twin);
	CHECK_STR(say("SET e:a 2\r\n"), twin);
	CHECK_EQ(ev.refused, 2);
	s.db.unmapped = true;
	CHECK_STR(say("GET e:b\r\n"), "-ERR the store cannot be read\r\n");
	CHECK_STR(say("SET e:b 2\r\n"), "-ERR the store cannot be read\r\n");
	s.db.unmapped = false;
	end();
}

/* A commit was to be made again with a larger map, and then the table is fenced. */
static void fenced_before_it_grows(void)
{
	struct pxs_request first, second;
	u32 i;

	for (i = 0; i < 2; i++) {
		begin();
		first = (struct pxs_request){ .state = PXS_REQUEST_PROPOSED };
		second = first;
		pxs_reply_init(&first.out, 2, 1000);
		pxs_reply_init(&second.out, 2, 1000);
		ev.todo_last = &ev.todo;
		ev.growing = true;
		first.conn = client;
		second.conn = client;
		ev.doing = &first;
		if (i)
			pxs_eventual_write(&ev, &second);
		pxs_eventual_fence(&ev, "a test");
		while (pxs_eventual_step(&s))
			;
		CHECK_EQ(first.state, PXS_REQUEST_DONE);
		CHECK(first.out.len && !memcmp(first.out.buf, "-MISCONF ", 9));
		CHECK_EQ(second.state, i ? PXS_REQUEST_DONE : PXS_REQUEST_PROPOSED);
		CHECK(!ev.doing && !ev.todo && !ev.growing);
		pxs_reply_free(&first.out);
		pxs_reply_free(&second.out);
		client->held = 0;
		end();
	}
}

int main(void)
{
	RUN(one_kind_at_a_time);
	RUN(a_key_from_before_its_prefix);
	RUN(fenced_before_it_grows);
	return unit_done();
}
