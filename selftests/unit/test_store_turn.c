// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_turn.c - which client is next, and for how long
 */
#include <time.h>

static int look_at_clock(clockid_t id, struct timespec *ts);

#define clock_gettime look_at_clock
#include "unit_reads.h"
#undef clock_gettime

#define LOOK_NS	1000000ull	/* that a look at the clock takes */

static u64 looks;

static int look_at_clock(clockid_t id, struct timespec *ts)
{
	u64 ns = ++looks * LOOK_NS;

	(void)id;
	ts->tv_sec = (time_t)(ns / 1000000000);
	ts->tv_nsec = (long)(ns % 1000000000);
	return 0;
}

static const char nothing[] = "$-1\r\n";

static void send_to(struct pxs_conn *c, const char *words, u32 times)
{
	u32 room, len = (u32)strlen(words);

	while (times--) {
		memcpy(pxs_reader_space(&c->reader, &room), words, len);
		c->reader.len += len;
	}
	pxs_conn_ready(c);
}

static u32 answers(const struct pxs_conn *c)
{
	return c->out.len / (u32)strlen(nothing);
}

static struct pxs_conn *another(void)
{
	struct pxs_conn *c = pxs_conn_new(&s, -1, &config.consistency);

	c->eof = true;
	c->sending = true;
	return c;
}

static void begin_turns(bool us)
{
	setup(us);
	CHECK_EQ(pxs_loop_init(&node.loop), 0);
	client->readonly = !us;
}

static void end_turns(void)
{
	pxs_loop_exit(&node.loop);
	teardown();
}

/* Until nobody wants another one. Return: how many turns it took. */
static u32 all_turns(void)
{
	u32 n = 1;

	while (pxs_turn(&s) || s.turn_waits) {
		n++;
		/* As often as the loop asks: it is not yet theirs. */
		CHECK(!s.turn_waits || !pxs_turn(&s));
		if (s.turn_waits)
			pxs_loop_once(&node.loop);
	}
	CHECK(!s.ready);
	return n;
}

static void a_pipeline_takes_many_turns(void)
{
	begin_turns(false);
	send_to(client, "GET a\r\n", 200);
	CHECK(pxs_turn(&s));
	CHECK(answers(client) > 0 && answers(client) < 20);
	CHECK(s.turn_waits && client->ready);
	CHECK(all_turns() > 10);
	CHECK_EQ(answers(client), 200);
	CHECK_EQ(client->requests, 0);
	end_turns();
}

/* They became readable together. */
static void strong_reads_take_many_turns(void)
{
	begin_turns(true);
	apply_slots(3);
	send_to(client, "GET a\r\n", 200);
	all_turns();
	CHECK_EQ(answers(client), 0);
	pxs_submit_step(&s);
	tell(0, 3);
	CHECK(read_barred(&s));
	CHECK(pxs_turn(&s));
	CHECK(answers(client) > 0 && answers(client) < 20);
	CHECK(all_turns() > 10);
	CHECK_EQ(answers(client), 200);
	end_turns();
}

static void nobody_waits_for_all_of_another_s(void)
{
	struct pxs_conn *c;

	begin_turns(false);
	send_to(client, "GET a\r\n", 200);
	c = another();
	c->readonly = true;
	send_to(c, "GET a\r\n", 1);
	pxs_turn(&s);
	CHECK(s.turn_waits);
	pxs_loop_once(&node.loop);
	pxs_turn(&s);
	CHECK_EQ(answers(c), 1);
	CHECK(answers(client) < 40);
	all_turns();
	CHECK_EQ(answers(client), 200);
	pxs_conn_free(c);
	end_turns();
}

/* One that is over in a turn that ends early is freed all the same. */
static void who_has_gone_is_freed(void)
{
	struct pxs_conn *c;

	begin_turns(false);
	c = another();
	s.conns = c;
	s.nconns = 1;
	all_turns();
	pxs_conn_kill(c);
	send_to(client, "GET a\r\n", 200);
	pxs_turn(&s);
	CHECK(s.turn_waits);
	CHECK(!s.conns && !s.nconns);
	all_turns();
	end_turns();
}

int main(void)
{
	RUN(a_pipeline_takes_many_turns);
	RUN(strong_reads_take_many_turns);
	RUN(nobody_waits_for_all_of_another_s);
	RUN(who_has_gone_is_freed);
	return unit_done();
}
