// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_route.c - a client of a store of three groups: who is asked, and in which order
 *
 * What is one transaction over several groups, is test_store_cross.c's.
 */
#include "unit_set.h"

static void set_all(void)
{
	u32 i, j;

	for (i = 0; i < GROUPS; i++)
		for (j = 0; j < 2; j++) {
			say_of("SET %s %s\r\n", key[i][j], key[i][j]);
			decide_in(i);
			CHECK_STR(got(), "+OK\r\n");
		}
}

static void a_key_goes_to_its_group(void)
{
	u32 i;

	begin_test();
	for (i = 0; i < GROUPS; i++) {
		CHECK_STR(say_of("SET %s %s\r\n", key[i][0], "x"), "");
		CHECK_EQ(queued(i), 1);
		CHECK_EQ(queued((i + 1) % GROUPS), 0);
		decide_in(i);
		CHECK_STR(got(), "+OK\r\n");
	}
	CHECK_STR(say_of("GET %s\r\n", key[1][0], ""), "");
	tell_indexes();
	CHECK_STR(got(), "$1\r\nx\r\n");
	lead_group(1, false);
	CHECK(!strncmp(say_of("GET %s\r\n", key[1][0], ""), "-MOVED ", 7));
	CHECK_STR(say_of("GET %s\r\n", key[2][0], ""), "");
	tell_indexes();
	CHECK_STR(got(), "$1\r\nx\r\n");
	end_test();
}

static void what_cannot_be_parted_is_refused(void)
{
	const char *const words = "-CROSSSLOT Keys in request don't hash to the same group\r\n";

	begin_test();
	/* What it does depends on what was written before it, in the transaction. */
	CHECK_STR(say_of("MULTI\r\nINCR %1$s\r\nRENAME %1$s %2$s\r\n", key[0][0], key[1][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"), words);
	CHECK_STR(say("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
	CHECK_STR(say_of("MULTI\r\nDEL %1$s\r\nMSETNX %1$s 1 %2$s 2\r\n", key[0][0], key[1][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"), words);
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[1][0], key[1][1]), "");
	CHECK_EQ(queued(1), 1);
	decide_in(1);
	CHECK_STR(got(), "+OK\r\n");
	end_test();
}

/* The second write would be seen before the first one otherwise. */
static void a_pipeline_waits_between_groups(void)
{
	begin_test();
	CHECK_STR(say_of("SET %s 1\r\nSET %s 1\r\n", key[0][0], key[0][1]), "");
	CHECK_EQ(queued(0), 2);
	CHECK_STR(say_of("SET %s 2\r\nGET %s\r\n", key[1][0], key[0][0]), "");
	CHECK_EQ(queued(1), 0);
	decide_in(0);
	CHECK_STR(got(), "+OK\r\n");
	CHECK_EQ(queued(1), 0);
	decide_in(0);
	CHECK_STR(got(), "+OK\r\n");
	CHECK_EQ(queued(1), 1);
	tell_indexes();
	CHECK_EQ(store[0]->indexes, 0);
	decide_in(1);
	CHECK_STR(got(), "+OK\r\n");
	tell_indexes();
	CHECK_STR(got(), "$1\r\n1\r\n");
	end_test();
}

static void all_groups_are_those_that_are_led(void)
{
	begin_test();
	set_all();
	CHECK_STR(say("DBSIZE\r\n"), "");
	tell_indexes();
	CHECK_STR(got(), ":6\r\n");
	lead_group(2, false);
	CHECK_STR(say("DBSIZE\r\n"), "");
	tell_indexes();
	CHECK_STR(got(), ":4\r\n");
	CHECK_STR(say("READONLY\r\nDBSIZE\r\nREADWRITE\r\n"), "+OK\r\n:6\r\n+OK\r\n");
	CHECK_STR(say("KEYS *\r\n"), "");
	tell_indexes();
	CHECK(!strncmp(got(), "*4\r\n", 4));
	CHECK_STR(say("MULTI\r\nDBSIZE\r\nDISCARD\r\n"),
		  "+OK\r\n-ERR Command not allowed inside a transaction of a store of several groups\r\n+OK\r\n");
	CHECK_STR(say("FLUSHALL\r\n"), "");
	CHECK_EQ(queued(0) + queued(1) + queued(2), 2);
	decide_in(0);
	CHECK_STR(got(), "");
	decide_in(1);
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(say("READONLY\r\nDBSIZE\r\n"), "+OK\r\n:2\r\n");
	lead_group(0, false);
	lead_group(1, false);
	CHECK(!strncmp(say("READWRITE\r\nFLUSHALL\r\n"), "+OK\r\n-MOVED 0 ", 14));
	end_test();
}

/* One group cannot say: that is the answer, after all have been asked. */
static void one_that_fails_is_the_answer(void)
{
	begin_test();
	store[1]->stalled = -ENOSPC;
	CHECK_STR(say("FLUSHALL\r\n"), "");
	decide_in(0);
	CHECK_STR(got(), "");
	decide_in(2);
	CHECK(!strncmp(got(), "-MISCONF ", 9));
	store[1]->stalled = 0;
	CHECK_EQ(client->held, 0);
	end_test();
}

/* A client that is gone does not leave parts behind. */
static void a_dead_client_waits_for_its_parts(void)
{
	begin_test();
	CHECK_STR(say("FLUSHALL\r\n"), "");
	client->dead = true;
	decide_in(0);
	decide_in(1);
	pxs_conn_step(client);
	CHECK(!pxs_conn_over(client));
	decide_in(2);
	pxs_conn_step(client);
	CHECK_EQ(client->requests, 0);
	end_test();
}

static void scan_walks_all_groups(void)
{
	char cursor[32] = "0", command[64];
	u32 seen = 0, calls = 0;
	const char *answer, *at;

	begin_test();
	set_all();
	say("READONLY\r\n");
	do {
		snprintf(command, sizeof(command), "SCAN %s COUNT 1\r\n", cursor);
		answer = say(command);
		if (!CHECK(sscanf(answer, "*2\r\n$%*u\r\n%31[0-9]", cursor) == 1))
			break;
		for (at = strstr(answer, "\r\n*"); (at = strstr(at, "\nk")); at++)
			seen++;
	} while (strcmp(cursor, "0") && ++calls < 20);
	CHECK_EQ(seen, 6);
	CHECK_STR(say("SCAN 15\r\n"), "-ERR invalid cursor\r\n");
	CHECK_STR(say("SCAN x\r\n"), "-ERR invalid cursor\r\n");
	end_test();
}

static void a_token_is_of_all_groups(void)
{
	begin_test();
	set_all();
	CHECK_STR(say("PAXSTEER TOKEN\r\n"), "$11\r\n1:2,2:2,3:2\r\n");
	CHECK_STR(say("PAXSTEER TOKEN 2:5,3:1\r\n"), "+OK\r\n");
	CHECK_STR(say("PAXSTEER TOKEN\r\n"), "$11\r\n1:2,2:5,3:2\r\n");
	CHECK(!strncmp(say("PAXSTEER TOKEN 4:1\r\n"), "-ERR", 4));
	CHECK(!strncmp(say("PAXSTEER TOKEN 1:x\r\n"), "-ERR", 4));
	CHECK(!strncmp(say("PAXSTEER TOKEN 1:9,\r\n"), "-ERR", 4));
	CHECK_STR(say("PAXSTEER TOKEN\r\n"), "$11\r\n1:2,2:5,3:2\r\n");
	/* The level is session now; that group lags behind. */
	CHECK(strstr(say_of("GET %s\r\n", key[0][0], ""), key[0][0]));
	CHECK_STR(say_of("GET %s\r\n", key[1][0], ""), "");
	node.loop.now += 2000;
	read_stale(store[1]);
	CHECK_STR(got(), "-TRYAGAIN slot 5 of the session is not here yet\r\n");
	end_test();
}

static void a_session_is_of_a_group(void)
{
	char text[128];
	unsigned long long id = 0;

	begin_test();
	config.sessions = 10;
	config.session_age = 10;
	CHECK_STR(say_of("PAXSTEER SESSION NEW %s\r\n", key[1][0], ""), "");
	decide_in(1);
	CHECK_EQ(sscanf(got(), ":%llu", &id), 1);
	CHECK_EQ(id % PXS_SHARDS_MAX, 1);
	snprintf(text, sizeof(text), "PAXSTEER SESSION RUN %llu 1 INCR %%s\r\n", id);
	CHECK(!strncmp(say_of(text, key[0][0], ""), "-CROSSSLOT ", 11));
	CHECK_STR(say_of(text, key[1][0], ""), "");
	decide_in(1);
	CHECK_STR(got(), ":1\r\n");
	snprintf(text, sizeof(text), "PAXSTEER SESSION RUN %llu 1 INCR %%s\r\n", id | 15);
	CHECK(!strncmp(say_of(text, key[1][0], ""), "-NOSESSION ", 11));
	end_test();
}

/* Without a map nobody knows where a key is. */
static void without_a_map_it_is_loading(void)
{
	begin_test();
	store[2]->db.state.map.n = 0;
	CHECK(!strncmp(say_of("GET %s\r\n", key[0][0], ""), "-LOADING", 8));
	CHECK(pxs_set_step(store[2]));
	CHECK(!pxs_set_step(store[2]));
	CHECK_EQ(queued(2), 1);
	decide_in(2);
	CHECK_EQ(store[2]->db.state.map.n, GROUPS);
	CHECK(!store[2]->stopped);
	CHECK_STR(say_of("READONLY\r\nGET %s\r\n", key[2][0], ""), "+OK\r\n$-1\r\n");
	end_test();
}

static void another_map_stops_the_store(void)
{
	begin_test();
	store[2]->db.state.map.n = 2;
	CHECK(pxs_set_wrong(store[2]));
	store[2]->db.state.map.n = GROUPS;
	store[2]->db.state.map.digest ^= 2;
	CHECK(pxs_set_wrong(store[2]));
	CHECK_STR(say_of("SET %s 1\r\n", key[2][0], ""), "");
	decide_in(2);
	CHECK(store[2]->stopped);
	store[2]->set = NULL;
	CHECK(pxs_set_wrong(store[2]));
	end_test();
}

int main(void)
{
	RUN(a_key_goes_to_its_group);
	RUN(what_cannot_be_parted_is_refused);
	RUN(a_pipeline_waits_between_groups);
	RUN(all_groups_are_those_that_are_led);
	RUN(one_that_fails_is_the_answer);
	RUN(a_dead_client_waits_for_its_parts);
	RUN(scan_walks_all_groups);
	RUN(a_token_is_of_all_groups);
	RUN(a_session_is_of_a_group);
	RUN(without_a_map_it_is_loading);
	RUN(another_map_stops_the_store);
	return unit_done();
}
