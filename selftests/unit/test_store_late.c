// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_late.c - commands about the server or the connection between MULTI and EXEC; and what
 * INFO counts
 */
#include "unit_cross.h"

static void their_answers_stand_in_their_places(void)
{
	begin_test();
	CHECK_STR(say_of("MULTI\r\nCLIENT SETNAME me\r\nSET %s 1\r\nCLIENT GETNAME\r\nGET %s\r\n",
			 key[0][0], key[0][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
	/* Nothing is executed before EXEC. */
	CHECK_STR(say("EXEC\r\n"), "");
	CHECK_EQ(queued(0), 1);
	decide_in(0);
	CHECK_STR(got(), "*4\r\n+OK\r\n+OK\r\n$2\r\nme\r\n$1\r\n1\r\n");
	CHECK_STR(say("CLIENT GETNAME\r\n"), "$2\r\nme\r\n");
	end_test();
}

static void beside_answers_of_every_kind(void)
{
	begin_test();
	say("HELLO 3\r\n");
	CHECK_STR(say_of("MULTI\r\nHSET %s f v g w\r\nHGETALL %s\r\n", key[0][0], key[0][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say_of("HMGET %s f x\r\nGET %s\r\nCONFIG GET databases\r\nPING\r\nLASTSAVE\r\n",
			 key[0][0], key[0][1]),
		  "+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"), "");
	decide_in(0);
	CHECK_STR(got(), "*7\r\n:2\r\n%2\r\n$1\r\nf\r\n$1\r\nv\r\n$1\r\ng\r\n$1\r\nw\r\n"
		  "*2\r\n$1\r\nv\r\n_\r\n_\r\n%1\r\n$9\r\ndatabases\r\n$1\r\n1\r\n+PONG\r\n:0\r\n");
	end_test();
}

static void of_a_transaction_over_groups(void)
{
	begin_test();
	CHECK_STR(say_of("MULTI\r\nSET %s a\r\nCONFIG GET databases\r\nINCR %s\r\n", key[2][0],
			 key[0][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""),
		  "*3\r\n+OK\r\n*2\r\n$9\r\ndatabases\r\n$1\r\n1\r\n:1\r\n");
	over();
}

static void what_was_not_executed_changes_nothing(void)
{
	begin_test();
	CHECK_STR(say("MULTI\r\nCLIENT SETNAME a\r\nDISCARD\r\nCLIENT GETNAME\r\n"),
		  "+OK\r\n+QUEUED\r\n+OK\r\n$-1\r\n");
	CHECK_STR(say_of("MULTI\r\nINCR %s\r\nEXEC\r\n", key[0][0], ""), "+OK\r\n+QUEUED\r\n");
	decide_in(0);
	CHECK_STR(got(), "*1\r\n:1\r\n");
	CHECK_STR(say("MULTI\r\nCLIENT SETNAME a\r\nNOSUCH\r\n"),
		  "+OK\r\n+QUEUED\r\n"
		  "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
	CHECK_STR(say("EXEC\r\nCLIENT GETNAME\r\n"),
		  "-EXECABORT Transaction discarded because of previous errors.\r\n$-1\r\n");
	/* The next one has nothing of those. */
	CHECK_STR(say_of("MULTI\r\nINCR %s\r\nEXEC\r\n", key[0][0], ""), "+OK\r\n+QUEUED\r\n");
	decide_in(0);
	CHECK_STR(got(), "*1\r\n:2\r\n");
	end_test();
}

static void what_may_not_be_there(void)
{
	static const char refused[] = "-ERR Command not allowed inside a transaction\r\n";
	static const char *const words[] = { "SAVE\r\n", "HELLO 3\r\n", "PAXSTEER TOKEN\r\n" };
	u32 i;

	begin_test();
	CHECK_STR(say("MULTI\r\nCLIENT REPLY OFF\r\nCONFIG SET maxmemory x\r\n"),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say_of("GET %s\r\nEXEC\r\n", key[0][0], ""), "+QUEUED\r\n");
	decide_in(0);
	CHECK_STR(got(), "*3\r\n-ERR Command not allowed inside a transaction\r\n"
		  "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - can't set immutable config\r\n"
		  "$-1\r\n");
	say("MULTI\r\n");
	for (i = 0; i < ARRAY_SIZE(words); i++)
		CHECK_STR(say(words[i]), refused);
	end_test();
}

/* As Redis has it, also without MULTI. */
static void exec_with_an_argument(void)
{
	static const char words[] = "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command\r\n";

	begin_test();
	CHECK_STR(say_of("WATCH %s\r\nMULTI\r\nSET %s 1\r\n", key[0][0], key[0][0]),
		  "+OK\r\n+OK\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC x\r\n"), words);
	CHECK_EQ(client->watches, 0);
	CHECK_STR(say("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
	CHECK_STR(say("EXEC x\r\n"), words);
	end_test();
}

/* Of the longer answer there is no more than fits: the client is cut off, and nothing else. */
static void beside_an_answer_that_is_too_long(void)
{
	static const u32 rooms[] = { 0, 3, 4, 9, 13, 18, 20, 26 };
	u32 i, room;

	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		room = PXS_CONN_OUT_MAX - rooms[i];
		begin_test();
		say_of("MULTI\r\nSET %s value\r\nGET %s\r\n", key[0][0], key[0][0]);
		CHECK_STR(say("CLIENT SETNAME me\r\nEXEC\r\n"), "+QUEUED\r\n");
		client->held += room;
		decide_in(0);
		client->held -= room;
		CHECK_STR(got(), "");
		CHECK(client->dead);
		CHECK(!client->name);
		CHECK_EQ(client->held, 0);
		end_test();
	}
}

static bool info_has(const char *section, const char *what)
{
	char command[64];

	snprintf(command, sizeof(command), "INFO %s\r\n", section);
	return strstr(say(command), what);
}

static void commands_are_counted(void)
{
	begin_test();
	CHECK_STR(say("CONFIG RESETSTAT\r\n"), "+OK\r\n");
	say("PING\r\nPING a b\r\nECHO\r\nNOSUCH\r\n");
	CHECK(info_has("commandstats", "\r\ncmdstat_ping:calls=2,usec="));
	CHECK(info_has("commandstats", ",rejected_calls=0,failed_calls=1\r\n"));
	CHECK(info_has("commandstats", "\r\ncmdstat_echo:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1,failed_calls=0\r\n"));
	CHECK(!info_has("commandstats", "cmdstat_get:"));
	CHECK(info_has("errorstats", "\r\nerrorstat_ERR:count=3\r\n"));
	CHECK(info_has("stats", "\r\ntotal_error_replies:3\r\n"));
	CHECK(!info_has("default", "cmdstat_"));
	CHECK(info_has("default", "used_cpu_user:"));
	CHECK(info_has("cpu all", "cmdstat_"));
	/* In a transaction, what was asked for, when it is executed. */
	say_of("MULTI\r\nGET %s\r\nLASTSAVE\r\n", key[0][0], "");
	CHECK(!info_has("commandstats", "cmdstat_get:"));
	say("EXEC\r\n");
	decide_in(0);
	got();
	CHECK(info_has("commandstats", "\r\ncmdstat_get:calls=1,"));
	CHECK(info_has("commandstats", "\r\ncmdstat_lastsave:calls=1,"));
	CHECK(info_has("commandstats", "\r\ncmdstat_exec:calls=1,"));
	CHECK(info_has("commandstats", "\r\ncmdstat_ping:calls=2,"));
	CHECK_STR(say("CONFIG RESETSTAT\r\n"), "+OK\r\n");
	CHECK(!info_has("commandstats", "cmdstat_ping:"));
	CHECK(!info_has("errorstats", "errorstat_ERR:"));
	end_test();
}

int main(void)
{
	RUN(their_answers_stand_in_their_places);
	RUN(beside_answers_of_every_kind);
	RUN(of_a_transaction_over_groups);
	RUN(what_was_not_executed_changes_nothing);
	RUN(what_may_not_be_there);
	RUN(exec_with_an_argument);
	RUN(beside_an_answer_that_is_too_long);
	RUN(commands_are_counted);
	return unit_done();
}
