// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_index.c - strong reads: when is a quorum asked, and when does the log say the time
 */
#include "unit_reads.h"

static void a_strong_read_waits_for_its_index(void)
{
	setup(true);
	apply_slots(3);
	CHECK_STR(say("GET a\r\n"), "");
	CHECK(asks());
	CHECK(!proposes());
	CHECK_STR(got(), "");
	tell(0, 5);
	CHECK_STR(got(), "");
	apply_slots(4);
	CHECK_STR(got(), "");
	apply_slots(5);
	CHECK_STR(got(), "$-1\r\n");
	/* One that comes while a question is under way needs the next. */
	CHECK_STR(say("GET a\r\n"), "");
	CHECK_STR(say("GET b\r\n"), "");
	tell(0, 6);
	apply_slots(6);
	CHECK_STR(got(), "$-1\r\n");
	tell(0, 6);
	CHECK_STR(got(), "$-1\r\n");
	/* Leadership is lost meanwhile. */
	CHECK_STR(say("GET a\r\n"), "");
	lead(false);
	tell(PXS_CLIENT_NOT_LEADER, 0);
	CHECK_STR(got(), "-MOVED 15495 127.0.0.1:7\r\n");
	CHECK_STR(say("GET a\r\n"), "-MOVED 15495 127.0.0.1:7\r\n");
	CHECK(!proposes());
	teardown();
}

static void a_read_of_an_empty_log(void)
{
	setup(true);
	CHECK_STR(say("GET a\r\n"), "");
	tell(0, 0);
	CHECK_STR(got(), "$-1\r\n");
	teardown();
}

/* Lost, and won again: to ask again is harmless. No quorum: it is said. */
static void an_index_that_cannot_be_had(void)
{
	setup(true);
	apply_slots(3);
	CHECK_STR(say("GET a\r\n"), "");
	tell(PXS_CLIENT_NOT_LEADER, 0);
	CHECK_STR(got(), "");
	tell(0, 3);
	CHECK_STR(got(), "$-1\r\n");
	CHECK_STR(say("GET a\r\n"), "");
	tell(PXS_CLIENT_BUSY, 0);
	CHECK_STR(got(), "-NOREPLICAS Not enough good replicas to write.\r\n");
	teardown();
}

/* How long a key has yet only the log's time tells: an entry says what time it is. */
static void what_time_it_is_stands_in_the_log(void)
{
	u64 answered;

	setup(true);
	apply_slots(3);
	CHECK_STR(say("TTL a\r\n"), "");
	CHECK(!asks());
	CHECK(proposes());
	answered = pxs_store_steady();
	decide(0, 4);
	CHECK(pxs_fresh_newest(&s.fresh) < answered);
	apply_slots(4);
	CHECK_STR(got(), ":-2\r\n");
	/* Together with one that does not care. */
	CHECK_STR(say("GET a\r\nPTTL a\r\n"), "");
	CHECK(!asks());
	decide(0, 5);
	apply_slots(5);
	CHECK_STR(got(), "$-1\r\n:-2\r\n");
	teardown();
}

static void a_barrier_is_a_token(void)
{
	setup(true);
	CHECK_STR(say("PAXSTEER BARRIER\r\n"), "");
	tell(0, 4);
	CHECK_STR(got(), "");
	apply_slots(4);
	CHECK_STR(got(), ":4\r\n");
	CHECK_STR(say("PAXSTEER TOKEN\r\n"), ":4\r\n");
	lead(false);
	CHECK_STR(say("PAXSTEER BARRIER\r\n"), "-MOVED 0 127.0.0.1:7\r\n");
	teardown();
}

/* At the leader a read index, or any entry of its own, is the evidence. */
static void a_bounded_read_at_the_leader(void)
{
	u64 answered;

	setup(true);
	apply_slots(3);
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 60000\r\nGET a\r\n"), "+OK\r\n");
	go_round();
	/* New when the question was asked; until it is answered, others may have written. */
	answered = pxs_store_steady();
	tell(0, 4);
	CHECK(pxs_fresh_newest(&s.fresh) < answered);
	CHECK_STR(got(), "");
	apply_slots(4);
	CHECK_STR(got(), "$-1\r\n");
	CHECK_STR(say("GET a\r\n"), "$-1\r\n");
	CHECK(!asks());
	/* Nothing but a question after it came is new enough for this one. */
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 0\r\nGET a\r\n"), "+OK\r\n");
	go_round();
	tell(0, 5);
	apply_slots(5);
	CHECK_STR(got(), "$-1\r\n");
	teardown();
}

/* What cannot be asked now is not tried again in the same round: that would never end. */
static void evidence_that_cannot_be_had(void)
{
	setup(true);
	apply_slots(3);
	node.journal.failed = true;
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 60000\r\nGET a\r\n"), "+OK\r\n");
	read_stale(&s);
	CHECK(!pxs_submit_step(&s));
	node.journal.failed = false;
	go_round();
	CHECK(asks());
	tell(PXS_CLIENT_UNKNOWN, 0);
	go_round();
	tell(0, 4);
	apply_slots(4);
	CHECK_STR(got(), "$-1\r\n");
	teardown();
}

/* Whoever leads next may have a slower clock: it must not show the key again. */
static void a_key_that_is_due_is_gone_for_good(void)
{
	setup(true);
	others_say("SET a 1 PX 1");
	commit(&s);
	CHECK_STR(say("GET a\r\n"), "");
	CHECK(!asks());
	decide_and_take();
	commit(&s);
	CHECK_STR(got(), "$-1\r\n");
	teardown();
	/* It comes, and is due, while the question is under way. */
	setup(true);
	CHECK_STR(say("GET a\r\n"), "");
	CHECK(!proposes());
	others_say("SET a 1 PX 1");
	commit(&s);
	tell(0, 1);
	CHECK_STR(got(), "");
	decide_and_take();
	commit(&s);
	CHECK_STR(got(), "$-1\r\n");
	CHECK_EQ(s.barriers, 1);
	teardown();
	/* As long as it is not, its time makes no difference. */
	setup(true);
	others_say("SET a 1 PXAT 99999999999999");
	commit(&s);
	CHECK_STR(say("GET a\r\n"), "");
	tell(0, 1);
	CHECK_STR(got(), "$1\r\n1\r\n");
	CHECK_EQ(s.barriers, 0);
	CHECK_EQ(s.indexes, 1);
	teardown();
}

int main(void)
{
	RUN(a_strong_read_waits_for_its_index);
	RUN(a_read_of_an_empty_log);
	RUN(an_index_that_cannot_be_had);
	RUN(what_time_it_is_stands_in_the_log);
	RUN(a_key_that_is_due_is_gone_for_good);
	RUN(a_barrier_is_a_token);
	RUN(a_bounded_read_at_the_leader);
	RUN(evidence_that_cannot_be_had);
	return unit_done();
}
