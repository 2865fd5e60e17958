// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_lock_wait.c - commands and reads whose keys a transaction over several groups has
 */
#include "unit_cross.h"

static void a_read_waits_for_the_whole(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("GET %s\r\n", key[1][0], ""), "");
	tell_indexes();
	CHECK_STR(say_second(NULL, "", ""), "");
	look();
	decide_in(0);		/* it is decided, and done in the first group */
	look();
	CHECK_STR(say_second(NULL, "", ""), "");
	CHECK_STR(got(), "");		/* and the client itself waits, too */
	run_all();
	CHECK_STR(say_second(NULL, "", ""), "$1\r\n2\r\n");
	end_second();
}

static void a_read_does_not_wait_for_ever(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("GET %s\r\n", key[1][0], ""), "");
	tell_indexes();
	CHECK_STR(say_second(NULL, "", ""), "");
	node.loop.now += 1001;
	read_stale(store[1]);
	CHECK_STR(say_second(NULL, "", ""),
		  "-TRYAGAIN a key is in a transaction over several groups\r\n");
	CHECK_STR(say_second("READONLY\r\nGET %s\r\n", key[1][0], ""), "+OK\r\n$-1\r\n");
	run_all();
	end_second();
}

/* It knows of the lock, too; but who leads is to be asked, whatever it is. */
static void who_does_not_lead_lets_nobody_wait(void)
{
	char want[64];

	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	lead_group(1, false);
	snprintf(want, sizeof(want), "-MOVED %u 127.0.0.1:7\r\n", pxs_keyslot(pxs_str(key[1][0])));
	CHECK_STR(say_second("INCR %s\r\n", key[1][0], ""), want);
	CHECK_STR(say_second("MULTI\r\nINCR %s\r\n", key[1][0], ""), "+OK\r\n+QUEUED\r\n");
	CHECK_STR(say_second("EXEC\r\n", "", ""), want);
	CHECK_STR(say_second("EXEC\r\n", "", ""), "-ERR EXEC without MULTI\r\n");
	lead_group(1, true);
	run_all();
	end_second();
}

static void a_write_waits_for_the_key(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("INCR %s\r\nSET %s 7\r\n", key[1][0], key[1][1]), "");
	CHECK_EQ(queued(1), 0);		/* nor does what stands behind it overtake it */
	look();
	decide_in(0);
	look();
	decide_in(1);			/* it is done: the key is free */
	look();
	say_second(NULL, "", "");
	CHECK_EQ(queued(1), 2);
	run_all();
	CHECK_STR(say_second(NULL, "", ""), ":3\r\n+OK\r\n");
	CHECK_STR(say_second("INCR %s\r\n", key[1][0], ""), "");
	decide_in(1);
	CHECK_STR(say_second(NULL, "", ""), ":4\r\n");
	end_second();
}

static void other_keys_are_free(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("INCR %s\r\n", key[1][1], ""), "");
	decide_in(1);
	CHECK_STR(say_second(NULL, "", ""), ":1\r\n");
	run_all();
	end_second();
}

/* The lock came after it was proposed: it is proposed again. */
static void what_finds_a_lock_is_tried_again(void)
{
	begin_test();
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "");
	CHECK_STR(say_second("INCR %s\r\n", key[0][0], ""), "");
	CHECK_EQ(queued(0), 2);
	decide_in(0);
	decide_in(0);
	CHECK_STR(say_second(NULL, "", ""), "");
	CHECK_EQ(queued(0), 0);
	run_all();
	CHECK_STR(say_second(NULL, "", ""), ":2\r\n");
	CHECK_STR(got(), "+OK\r\n");
	/* With something of its connection behind it, it is not. */
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "");
	CHECK_STR(say_second("INCR %s\r\nINCR %s\r\n", key[0][0], key[0][1]), "");
	CHECK_EQ(queued(0), 3);
	decide_in(0);
	decide_in(0);
	CHECK_STR(say_second(NULL, "", ""), GONE);
	decide_in(0);
	CHECK_STR(say_second(NULL, "", ""), ":1\r\n");
	run_all();
	end_second();
}

static void a_write_does_not_wait_for_ever(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("MULTI\r\nINCR %s\r\nEXEC\r\nPING\r\n", key[0][0], ""),
		  "+OK\r\n+QUEUED\r\n");
	node.loop.now += 1001;
	look();
	CHECK_STR(say_second(NULL, "", ""), GONE "+PONG\r\n");
	CHECK_STR(say_second("FLUSHALL\r\n", "", ""), "");
	node.loop.now += 1001;
	look();
	run_all();
	CHECK_STR(say_second(NULL, "", ""), GONE);
	end_second();
}

/* What comes behind EXEC is no part of its transaction, though that has not begun yet. */
static void what_follows_exec_is_no_mistake_in_it(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("MULTI\r\nINCR %s\r\nEXEC\r\nHELLO 3 x\r\nGET\r\n", key[0][0], ""),
		  "+OK\r\n+QUEUED\r\n");
	run_all();
	CHECK_STR(say_second(NULL, "", ""), "*1\r\n:2\r\n"
		  "-ERR Syntax error in HELLO option 'x'\r\n"
		  "-ERR wrong number of arguments for 'get' command\r\n");
	end_second();
}

/* Both want both keys, in opposite orders: one after the other. */
static void two_that_want_the_same(void)
{
	begin_test();
	CHECK_STR(say_of("MSET %s 1 %s 1\r\n", key[0][0], key[1][0]), "");
	CHECK_STR(say_second("MSET %s 2 %s 2\r\n", key[1][0], key[0][0]), "");
	CHECK_EQ(queued(0), 2);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(say_second(NULL, "", ""), "+OK\r\n");
	CHECK_STR(value_of(key[0][0]), "$1\r\n2\r\n");
	CHECK_STR(value_of(key[1][0]), "$1\r\n2\r\n");
	end_second();
}

/* One that begins in a later group has a key there: others of it are free. */
static void one_behind_another(void)
{
	begin_test();
	CHECK_STR(say_of("MSET %s 1 %s 1\r\n", key[1][0], key[2][0]), "");
	decide_in(1);
	CHECK_STR(say_second("DEL %s %s\r\n", key[0][0], key[1][1]), "");
	CHECK_EQ(queued(0), 1);		/* other keys */
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(say_second(NULL, "", ""), ":0\r\n");
	end_second();
}

/* One that needs two keys gets them, though others come that want one that is free. */
static void who_came_first_is_first(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_other(0, "DEL %s %s\r\n", key[0][0], key[0][1]), "");
	CHECK_STR(say_other(1, "INCR %s\r\n", key[0][1], ""), "");
	CHECK_EQ(queued(0), 0);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(say_other(0, NULL, "", ""), ":1\r\n");
	CHECK_STR(say_other(1, NULL, "", ""), ":1\r\n");
	CHECK_STR(say_other(1, "INCR %s\r\n", key[0][1], ""), "");
	decide_in(0);
	CHECK_STR(say_other(1, NULL, "", ""), ":2\r\n");
	end_second();
}

/* The same of those that have begun, where they are to be prepared. */
static void who_began_first_is_first(void)
{
	begin_test();
	CHECK_STR(say_of("MSET %s 1 %s 1\r\n", key[1][0], key[2][0]), "");
	decide_in(1);
	CHECK_STR(say_other(0, "MULTI\r\nINCR %s\r\n", key[0][0], ""), "+OK\r\n+QUEUED\r\n");
	CHECK_STR(say_other(0, "DEL %s %s\r\n", key[1][0], key[1][1]), "+QUEUED\r\n");
	CHECK_STR(say_other(0, "EXEC\r\n", "", ""), "");
	CHECK_STR(say_other(1, "MSET %s 1 %s 1\r\n", key[0][1], key[1][1]), "");
	CHECK_EQ(queued(0), 2);
	decide_in(0);
	decide_in(0);
	look();
	CHECK_EQ(queued(1), 0);		/* the second key is free, but not its turn */
	run_all();
	CHECK_STR(say_other(0, NULL, "", ""), "*2\r\n:1\r\n:1\r\n");
	CHECK_STR(say_other(1, NULL, "", ""), "+OK\r\n");
	end_second();
}

/* So are keys that are watched: they are not written while EXEC waits for another. */
static void so_it_is_with_what_is_watched(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		begin_test();
		prepare("MSET %s 1 %s 2\r\n");
		CHECK_STR(say_other(0, "WATCH %s\r\nMULTI\r\nINCR %s\r\n", key[0][1], key[0][0]),
			  "+OK\r\n+OK\r\n+QUEUED\r\n");
		if (i)
			say_other(0, "INCR %s\r\n", key[2][0], "");
		CHECK_STR(say_other(0, "EXEC\r\n", "", ""), "");
		CHECK_STR(say_other(1, "INCR %s\r\n", key[0][1], ""), "");
		CHECK_EQ(queued(0), 0);
		run_all();
		CHECK_STR(got(), "+OK\r\n");
		CHECK_STR(say_other(0, NULL, "", ""), i ? "*2\r\n:2\r\n:1\r\n" : "*1\r\n:2\r\n");
		CHECK_STR(say_other(1, NULL, "", ""), ":1\r\n");
		end_second();
	}
}

/* ... and who watches a key waits for those that came before and want it. */
static void who_watches_waits_for_who_writes(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_other(0, "WATCH %s\r\nMULTI\r\nPING\r\n", key[0][1], ""),
		  "+OK\r\n+OK\r\n+QUEUED\r\n");
	CHECK_STR(say_other(1, "MSET %s 1 %s 1\r\n", key[0][0], key[0][1]), "");
	CHECK_STR(say_other(0, "EXEC\r\n", "", ""), "");
	CHECK_EQ(queued(0), 0);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(say_other(1, NULL, "", ""), "+OK\r\n");
	CHECK_STR(say_other(0, NULL, "", ""), "*-1\r\n");
	end_second();
}

/* What is wrong with a command is said at once, whatever is locked. */
static void a_mistake_does_not_wait(void)
{
	static const char wrong[] = "-ERR syntax error\r\n";

	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	CHECK_STR(say_second("FLUSHALL bogus\r\nFLUSHDB SYNC x\r\n", "", ""),
		  "-ERR syntax error\r\n-ERR syntax error\r\n");
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	lead_group(1, false);
	CHECK_STR(say("FLUSHALL bogus\r\n"), wrong);
	CHECK_EQ(queued(0) + queued(1) + queued(2), 0);
	lead_group(1, true);
	CHECK_STR(say("FLUSHALL async\r\n"), "");
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	end_second();
}

int main(void)
{
	RUN(a_read_waits_for_the_whole);
	RUN(a_read_does_not_wait_for_ever);
	RUN(who_does_not_lead_lets_nobody_wait);
	RUN(a_write_waits_for_the_key);
	RUN(other_keys_are_free);
	RUN(what_finds_a_lock_is_tried_again);
	RUN(a_write_does_not_wait_for_ever);
	RUN(what_follows_exec_is_no_mistake_in_it);
	RUN(two_that_want_the_same);
	RUN(one_behind_another);
	RUN(who_came_first_is_first);
	RUN(who_began_first_is_first);
	RUN(so_it_is_with_what_is_watched);
	RUN(who_watches_waits_for_who_writes);
	RUN(a_mistake_does_not_wait);
	return unit_done();
}
