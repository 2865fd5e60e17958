// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_cross_watch.c - WATCH and MSETNX where keys are of several groups, as a client sees it
 *
 * What a group does with a condition is test_store_condition.c's.
 */
#include "unit_cross.h"

static const char nil[] = "*-1\r\n";

static void watch_and_multi(const char *a, const char *b)
{
	CHECK_STR(say_of("WATCH %s %s\r\nMULTI\r\n", a, b), "+OK\r\n+OK\r\n");
}

/* EXEC of an INCR of each. */
static const char *exec(const char *a, const char *b)
{
	CHECK_STR(say_of("INCR %s\r\nINCR %s\r\n", a, b), "+QUEUED\r\n+QUEUED\r\n");
	return ask("EXEC\r\n", "", "");
}

/* Another client's command, which is done. */
static void meanwhile(const char *format, const char *a, const char *b)
{
	say_second(format, a, b);
	run_all();
	CHECK(say_second(NULL, NULL, NULL)[0] != '-');
}

static void what_is_unchanged_is_done(void)
{
	begin_test();
	ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]);
	watch_and_multi(key[0][0], key[1][0]);
	CHECK_STR(exec(key[0][0], key[1][0]), "*2\r\n:2\r\n:3\r\n");
	/* Keys that are not there are watched likewise. */
	watch_and_multi(key[1][1], key[2][1]);
	CHECK_STR(exec(key[1][1], key[2][1]), "*2\r\n:1\r\n:1\r\n");
	CHECK_EQ(client->watches, 0);
	over();
}

static void what_has_changed_anywhere_is_not(void)
{
	u32 i;

	begin_test();
	for (i = 0; i < GROUPS; i++) {
		watch_and_multi(key[0][0], key[1][0]);
		say_of("UNWATCH\r\nDISCARD\r\nWATCH %s\r\n", key[2][0], "");
		watch_and_multi(key[0][0], key[1][0]);
		meanwhile("APPEND %s x\r\n", key[i][0], "");
		CHECK_STR(exec(key[0][1], key[1][1]), nil);
		CHECK_STR(value_of(key[0][1]), "$-1\r\n");
		CHECK_STR(value_of(key[1][1]), "$-1\r\n");
	}
	/* It is over then: nothing is watched any more. */
	say("MULTI\r\n");
	CHECK_STR(exec(key[0][1], key[1][1]), "*2\r\n:1\r\n:1\r\n");
	end_second();
}

/* The commands are of one group, what is watched of another: before it or behind it. */
static void a_group_may_be_but_watched(void)
{
	u32 i;

	begin_test();
	for (i = 0; i < GROUPS; i += 2) {
		watch_and_multi(key[i][0], key[i][1]);
		CHECK_STR(exec(key[1][0], key[1][1]), i ? "*2\r\n:2\r\n:2\r\n" :
			  "*2\r\n:1\r\n:1\r\n");
		watch_and_multi(key[i][0], key[i][1]);
		meanwhile("SET %s 1\r\n", key[i][1], "");
		CHECK_STR(exec(key[1][0], key[1][1]), nil);
	}
	watch_and_multi(key[0][0], key[2][0]);
	CHECK_STR(ask("EXEC\r\n", "", ""), "*0\r\n");
	watch_and_multi(key[0][0], key[2][0]);
	meanwhile("SET %s 1\r\n", key[2][0], "");
	CHECK_STR(ask("EXEC\r\n", "", ""), nil);
	end_second();
}

/* A change that is on its way is one: it is waited for. */
static void what_is_being_changed_is_waited_for(void)
{
	begin_test();
	watch_and_multi(key[0][0], key[1][0]);
	CHECK_STR(say_second("MSET %s 1 %s 2\r\n", key[1][0], key[2][0]), "");
	decide_in(1);	/* it has its key */
	CHECK_STR(say_of("INCR %s\r\nINCR %s\r\n", key[0][0], key[1][0]),
		  "+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""), nil);
	CHECK_STR(say_second(NULL, NULL, NULL), "+OK\r\n");
	CHECK_STR(value_of(key[0][0]), "$-1\r\n");
	end_second();
}

/* From the time on that a group has found it unchanged, nobody changes it. */
static void what_is_watched_is_locked(void)
{
	begin_test();
	watch_and_multi(key[0][0], key[1][0]);
	CHECK_STR(say_of("INCR %s\r\nINCR %s\r\n", key[0][1], key[1][1]),
		  "+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"), "");
	decide_in(0);
	CHECK_EQ(store[0]->db.state.locks, 2);
	CHECK_STR(say_second("SET %s 1\r\n", key[0][0], ""), "");
	CHECK_EQ(queued(0), 0);
	look();
	decide_in(1);
	CHECK_EQ(store[1]->db.state.locks, 2);
	run_all();
	CHECK_STR(got(), "*2\r\n:1\r\n:1\r\n");
	CHECK_STR(say_second(NULL, NULL, NULL), "+OK\r\n");
	end_second();
}

/* It is one leader that is asked for all of it: who would be asked for the transaction. */
static void who_is_asked(void)
{
	char first[64], last[64];

	begin_test();
	lead_group(2, false);
	watch_and_multi(key[2][0], key[0][0]);
	say("DISCARD\r\n");
	say_of("WATCH %s %s\r\n", key[0][0], key[2][0]);
	CHECK_STR(say_of("WATCH %s\r\nUNWATCH\r\n", key[0][1], ""), "+OK\r\n+OK\r\n");
	snprintf(last, sizeof(last), "-MOVED %u 127.0.0.1:7\r\n", pxs_keyslot(pxs_str(key[2][0])));
	CHECK_STR(say_of("WATCH %s\r\n", key[2][0], ""), last);
	CHECK_STR(say_of("WATCH %s\r\nWATCH %s\r\n", key[0][0], key[2][0]), "+OK\r\n+OK\r\n");
	say("UNWATCH\r\n");
	lead_group(2, true);
	lead_group(0, false);
	snprintf(first, sizeof(first), "-MOVED %u 127.0.0.1:7\r\n", pxs_keyslot(pxs_str(key[0][0])));
	CHECK_STR(say_of("WATCH %s %s\r\n", key[2][0], key[0][0]), first);
	/* What is watched counts for EXEC, and where it is the only key of that group. */
	CHECK_STR(say_of("READONLY\r\nWATCH %s\r\nREADWRITE\r\n", key[0][0], ""),
		  "+OK\r\n+OK\r\n+OK\r\n");
	CHECK_STR(say_of("WATCH %s\r\n", key[2][0], ""), first);
	CHECK_STR(say_of("MULTI\r\nINCR %s\r\n", key[2][0], ""), "+OK\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"), first);
	over();
}

/* ... with an old version, if it has not heard of a newer one: too many fail, never too few. */
static void an_old_version_makes_it_fail(void)
{
	begin_test();
	ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]);
	watch_and_multi(key[0][0], key[1][0]);
	client->watch[1].version--;
	CHECK_STR(exec(key[0][0], key[1][0]), nil);
	over();
}

static void msetnx_is_all_or_nothing(void)
{
	begin_test();
	CHECK_STR(ask("MSETNX %s 1 %s 2\r\n", key[2][0], key[0][0]), ":1\r\n");
	CHECK_STR(value_of(key[2][0]), "$1\r\n1\r\n");
	CHECK_STR(ask("MSETNX %s 1 %s 2\r\n", key[0][1], key[2][0]), ":0\r\n");
	CHECK_STR(ask("MSETNX %s 1 %s 2\r\n", key[1][1], key[0][0]), ":0\r\n");
	CHECK_STR(ask("MSETNX %s 1 %s 2\r\n", key[1][1], key[0][1]), ":1\r\n");
	CHECK_STR(ask("DEL %s %s\r\n", key[2][0], key[0][0]), ":2\r\n");
	CHECK_STR(ask("MSETNX %s 3 %s 4\r\n", key[2][0], key[0][0]), ":1\r\n");
	CHECK_STR(say_of("MSETNX %s 1 %s\r\n", key[0][0], key[1][0]), "");
	run_all();
	CHECK_STR(got(), "-ERR wrong number of arguments for 'msetnx' command\r\n");
	CHECK_STR(value_of(key[0][0]), "$1\r\n4\r\n");
	over();
}

/* One of its keys in each of these. */
static void msetnx_among_others(void)
{
	begin_test();
	CHECK_STR(say_of("MULTI\r\nMSETNX %s 1\r\nINCR %s\r\n", key[0][0], key[1][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""), "*2\r\n:1\r\n:1\r\n");
	CHECK_STR(say_of("MULTI\r\nMSETNX %s 1\r\nINCR %s\r\n", key[0][0], key[1][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""), "*2\r\n:0\r\n:2\r\n");
	over();
}

static void in_the_third_protocol(void)
{
	begin_test();
	say("HELLO 3\r\n");
	watch_and_multi(key[0][0], key[1][0]);
	meanwhile("SET %s 1\r\n", key[1][0], "");
	CHECK_STR(exec(key[0][0], key[1][0]), "_\r\n");
	end_second();
}

/* What was watched goes with the transaction, even if it is refused or the client dies. */
static void nothing_is_left_behind(void)
{
	begin_test();
	watch_and_multi(key[0][0], key[1][0]);
	say_of("INCR %s\r\nINCR %s\r\n", key[0][0], key[1][0]);
	lead_group(0, false);
	CHECK(!strncmp(say("EXEC\r\n"), "-MOVED ", 7));
	CHECK_EQ(client->watches, 0);
	lead_group(0, true);
	watch_and_multi(key[0][0], key[1][0]);
	say_of("INCR %s\r\nINCR %s\r\n", key[0][0], key[1][0]);
	CHECK_STR(say("EXEC\r\n"), "");
	decide_in(0);
	client->dead = true;
	run_all();
	pxs_conn_step(client);
	CHECK_EQ(client->requests, 0);
	CHECK_EQ(store[0]->db.state.committed, 1);
	over();
}

/* Which is an error, and changes nothing. */
static void exec_without_multi(void)
{
	begin_test();
	CHECK_STR(say_of("WATCH %s %s\r\nEXEC\r\n", key[0][0], key[1][0]),
		  "+OK\r\n-ERR EXEC without MULTI\r\n");
	CHECK_EQ(client->watches, 2);
	CHECK_EQ(queued(0) + queued(1), 0);
	meanwhile("SET %s 1\r\n", key[1][0], "");
	say("MULTI\r\n");
	CHECK_STR(exec(key[0][0], key[1][0]), nil);
	end_second();
}

/* They are the client's memory, also while EXEC has them. */
static void what_is_watched_is_counted(void)
{
	static char long_key[3001], text[2 * sizeof(long_key)];
	u64 before;

	begin_test();
	memset(long_key, 'w', sizeof(long_key) - 1);
	snprintf(text, sizeof(text), "EXISTS %s\r\n", long_key);
	say(text);
	tell_indexes();
	CHECK_STR(got(), ":0\r\n");
	before = client->memory;
	snprintf(text, sizeof(text), "WATCH %s\r\n", long_key);
	CHECK_STR(say(text), "+OK\r\n");
	CHECK(client->memory >= before + sizeof(long_key));
	CHECK_STR(say("UNWATCH\r\n"), "+OK\r\n");
	CHECK_EQ(client->memory, before);
	say(text);
	CHECK_STR(say_of("MULTI\r\nINCR %s\r\nINCR %s\r\nEXEC\r\n", key[0][0], key[1][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK(client->memory >= before + sizeof(long_key));
	run_all();
	CHECK_STR(got(), "*2\r\n:1\r\n:1\r\n");
	CHECK_EQ(client->memory, before);
	config.client_memory = before + sizeof(long_key) / 2;
	s.conns = client;
	say(text);
	s.conns = NULL;
	CHECK(client->dead);
	CHECK_EQ(s.evicted, 1);
	over();
}

int main(void)
{
	RUN(what_is_unchanged_is_done);
	RUN(what_has_changed_anywhere_is_not);
	RUN(a_group_may_be_but_watched);
	RUN(what_is_being_changed_is_waited_for);
	RUN(what_is_watched_is_locked);
	RUN(who_is_asked);
	RUN(an_old_version_makes_it_fail);
	RUN(msetnx_is_all_or_nothing);
	RUN(msetnx_among_others);
	RUN(in_the_third_protocol);
	RUN(nothing_is_left_behind);
	RUN(exec_without_multi);
	RUN(what_is_watched_is_counted);
	return unit_done();
}
