// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_settle.c - RENAME over groups, and MSETNX over groups among other commands
 */
#include "unit_cross.h"

static const char cross[] = "-CROSSSLOT Keys in request don't hash to the same group\r\n";

/* As READONLY sees it. */
static const char *seen(const char *format, const char *a)
{
	static char text[512], want[4096];
	char *end;

	snprintf(text, sizeof(text), "READONLY\r\n%s\r\nREADWRITE\r\n", format);
	snprintf(want, sizeof(want), "%s", say_of(text, a, "") + 5);
	end = strrchr(want, '+');
	if (CHECK(end))
		*end = 0;
	return want;
}

/* Another client's command of one group, which is done. */
static void meanwhile(u32 group, const char *format, const char *a, const char *b)
{
	CHECK_STR(say_second(format, a, b), "");
	while (queued(group))
		decide_in(group);
	CHECK(say_second(NULL, NULL, NULL)[0] != '-');
}

static void set_both(void)
{
	CHECK_STR(ask("MSET %s a %s b\r\n", key[0][0], key[1][0]), "+OK\r\n");
}

/* --- RENAME ------------------------------------------------------------------------------ */

static void a_string_moves(void)
{
	begin_test();
	set_both();
	CHECK_STR(ask("RENAME %s %s\r\n", key[0][0], key[2][0]), "+OK\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$-1\r\n");
	CHECK_STR(seen("GET %s", key[2][0]), "$1\r\na\r\n");
	CHECK_STR(seen("TTL %s", key[2][0]), ":-1\r\n");
	/* ... to an earlier group, onto one that is there, and the empty string. */
	CHECK_STR(ask("RENAME %s %s\r\n", key[2][0], key[1][0]), "+OK\r\n");
	CHECK_STR(seen("GET %s", key[1][0]), "$1\r\na\r\n");
	CHECK_STR(ask("MSET %s '' %s x\r\n", key[2][0], key[0][0]), "+OK\r\n");
	CHECK_STR(ask("RENAME %s %s\r\n", key[2][0], key[0][0]), "+OK\r\n");
	CHECK_STR(seen("STRLEN %s", key[0][0]), ":0\r\n");
	CHECK_STR(seen("EXISTS %s", key[0][0]), ":1\r\n");
	over();
}

static void a_hash_moves_with_its_time(void)
{
	begin_test();
	ask("HSET %s f 1 g 2\r\n", key[2][0], "");
	ask("PEXPIREAT %s 9000000000000\r\n", key[2][0], "");
	ask("HSET %s h 3\r\n", key[0][0], "");
	CHECK_STR(ask("RENAME %s %s\r\n", key[2][0], key[0][0]), "+OK\r\n");
	CHECK_STR(seen("HGETALL %s", key[0][0]),
		  "*4\r\n$1\r\nf\r\n$1\r\n1\r\n$1\r\ng\r\n$1\r\n2\r\n");
	CHECK_STR(seen("PEXPIRETIME %s", key[0][0]), ":9000000000000\r\n");
	CHECK_STR(seen("EXISTS %s", key[2][0]), ":0\r\n");
	/* A time that the destination had is gone. */
	ask("SET %s x\r\n", key[1][0], "");
	CHECK_STR(ask("RENAME %s %s\r\n", key[1][0], key[0][0]), "+OK\r\n");
	CHECK_STR(seen("PEXPIRETIME %s", key[0][0]), ":-1\r\n");
	over();
}

static void only_what_is_there(void)
{
	begin_test();
	ask("SET %s b\r\n", key[1][0], "");
	CHECK_STR(ask("RENAME %s %s\r\n", key[0][0], key[1][0]), "-ERR no such key\r\n");
	CHECK_STR(ask("RENAMENX %s %s\r\n", key[2][0], key[1][0]), "-ERR no such key\r\n");
	CHECK_STR(seen("GET %s", key[1][0]), "$1\r\nb\r\n");
	CHECK_STR(ask("RENAMENX %s %s\r\n", key[1][0], key[0][0]), ":1\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$1\r\nb\r\n");
	ask("SET %s c\r\n", key[1][0], "");
	CHECK_STR(ask("RENAMENX %s %s\r\n", key[1][0], key[0][0]), ":0\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$1\r\nb\r\n");
	CHECK_STR(seen("GET %s", key[1][0]), "$1\r\nc\r\n");
	over();
}

/* Between the look at the source and its lock it is written: its new value moves. */
static void what_changes_meanwhile_is_looked_at_anew(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		begin_test();
		set_both();
		CHECK_STR(say_of("RENAME %s %s\r\n", key[1 - i][0], key[i][0]), "");
		decide_in(0);
		meanwhile(1, "APPEND %s c\r\n", key[1][0], "");
		run_all();
		CHECK_STR(got(), "+OK\r\n");
		CHECK_STR(seen("GET %s", key[1 - i][0]), "$-1\r\n");
		CHECK_STR(seen("GET %s", key[i][0]), i ? "$1\r\na\r\n" : "$2\r\nbc\r\n");
		end_second();
	}
}

/* ... so that it is not there any more, or is now; whatever the answer was to be. */
static void so_is_what_comes_and_goes(void)
{
	begin_test();
	set_both();
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][0], key[0][0]), "");
	meanwhile(1, "DEL %s\r\n", key[1][0], "");
	run_all();
	CHECK_STR(got(), "-ERR no such key\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$1\r\na\r\n");
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][0], key[0][0]), "");
	meanwhile(1, "SET %s d\r\n", key[1][0], "");
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$1\r\nd\r\n");
	CHECK_STR(say_of("RENAMENX %s %s\r\n", key[0][0], key[1][0]), "");
	meanwhile(1, "SET %s e\r\n", key[1][0], "");
	run_all();
	CHECK_STR(got(), ":0\r\n");
	CHECK_STR(say_of("RENAMENX %s %s\r\n", key[0][0], key[1][0]), "");
	meanwhile(1, "DEL %s\r\n", key[1][0], "");
	run_all();
	CHECK_STR(got(), ":1\r\n");
	CHECK_STR(seen("GET %s", key[1][0]), "$1\r\nd\r\n");
	end_second();
}

/* It has expired when its key is locked, if not when it was looked at. */
static void so_is_what_expires(void)
{
	begin_test();
	set_both();
	ask("PEXPIREAT %s 9000000000000\r\n", key[1][0], "");
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][0], key[0][0]), "");
	pxs_db_begin(&store[1]->db, true);
	store[1]->db.state.time = 9000000000001ull;
	store[1]->db.dirty = true;
	pxs_db_commit(&store[1]->db);
	run_all();
	CHECK_STR(got(), "-ERR no such key\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$1\r\na\r\n");
	over();
}

/* Group 1 finds that its condition does not hold, and group 0 is told to abort. */
static void change_and_abort(void)
{
	meanwhile(1, "APPEND %s c\r\n", key[1][0], "");
	decide_in(0);
	look();
	decide_in(1);
	look();
	CHECK_EQ(queued(0), 1);
}

/* Each time it is written: for ever is not waited. */
static void not_for_ever(void)
{
	begin_test();
	set_both();
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][0], key[0][0]), "");
	change_and_abort();
	decide_in(0);
	CHECK_STR(got(), "");
	look();
	change_and_abort();
	node.loop.now += config.read_wait + 1;
	decide_in(0);
	CHECK_STR(got(), "-TRYAGAIN what the command depends on in another group has changed again and again: nothing was executed\r\n");
	run_all();
	CHECK_STR(seen("GET %s", key[1][0]), "$3\r\nbcc\r\n");
	end_second();
}

/* What is being changed is waited for, here or there. */
static void what_is_locked_is_waited_for(void)
{
	begin_test();
	set_both();
	CHECK_STR(say_second("MSET %s c %s d\r\n", key[1][0], key[2][0]), "");
	decide_in(1);
	CHECK_STR(say_of("RENAME %s %s\r\n", key[0][0], key[1][0]), "");
	decide_in(0);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(say_second(NULL, NULL, NULL), "+OK\r\n");
	CHECK_STR(seen("GET %s", key[1][0]), "$1\r\na\r\n");
	CHECK_STR(seen("GET %s", key[2][0]), "$1\r\nd\r\n");
	end_second();
}

static void a_full_group_takes_nothing(void)
{
	begin_test();
	set_both();
	config.maxmemory = 60;
	CHECK_STR(ask("RENAME %s %s\r\n", key[0][0], key[1][0]),
		  "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$1\r\na\r\n");
	CHECK_STR(ask("RENAME %s %s\r\n", key[2][0], key[1][0]), "-ERR no such key\r\n");
	over();
}

/* Two fields of a hash, each as large as a string may be. */
static void what_is_too_large_is_refused(void)
{
	struct pxs_str big = { calloc(1, PXS_STRING_MAX), PXS_STRING_MAX };
	struct pxs_db *db;
	struct pxs_rec rec;

	begin_test();
	set_both();
	db = &store[1]->db;
	while (db->map < 64u << 20)
		CHECK_EQ(pxs_db_grow(db), 0);
	pxs_db_begin(db, true);
	pxs_db_make_hash(db, pxs_str(key[1][1]), &rec);
	pxs_db_set_field(db, &rec, pxs_str(key[1][1]), pxs_str("f"), big);
	pxs_db_set_field(db, &rec, pxs_str(key[1][1]), pxs_str("g"), big);
	db->dirty = true;
	CHECK_EQ(pxs_db_commit(db), 0);
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][1], key[0][0]),
		  "-ERR command too large for the log: what it moves to another group has more than 8388608 bytes\r\n");
	CHECK_STR(ask("RENAME %s %s\r\n", key[1][0], key[0][0]), "+OK\r\n");
	free((void *)big.data);
	over();
}

static void who_leads_the_first_group_is_asked(void)
{
	char want[64];

	begin_test();
	set_both();
	lead_group(0, false);
	snprintf(want, sizeof(want), "-MOVED %u 127.0.0.1:7\r\n", pxs_keyslot(pxs_str(key[0][0])));
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][0], key[0][0]), want);
	lead_group(0, true);
	/* While it is tried again, too. */
	CHECK_STR(say_of("RENAME %s %s\r\n", key[1][0], key[0][0]), "");
	change_and_abort();
	decide_in(0);
	lead_group(0, false);
	look();
	CHECK_STR(got(), want);
	lead_group(0, true);
	run_all();
	CHECK_STR(seen("GET %s", key[1][0]), "$2\r\nbc\r\n");
	end_second();
}

/* --- among other commands -------------------------------------------------------------------- */

static void among_others(void)
{
	begin_test();
	set_both();
	say_of("MULTI\r\nSET %s x\r\nRENAME %s ", key[2][1], key[0][0]);
	say_of("%s\r\nAPPEND %s y\r\n", key[2][0], key[2][0]);
	say_of("MSETNX %s 1 %s 2\r\n", key[0][1], key[1][1]);
	say_of("RENAMENX %s %s\r\n", key[1][0], key[0][0]);
	CHECK_STR(say("EXEC\r\n"), cross);	/* RENAME has written its second key */
	say_of("MULTI\r\nSET %s x\r\nRENAME %s ", key[2][1], key[0][0]);
	say_of("%s\r\nAPPEND %s y\r\n", key[2][0], key[2][0]);
	say_of("MSETNX %s 1 %s 2\r\n", key[0][1], key[1][1]);
	say_of("MGET %s %s\r\n", key[0][1], key[1][1]);
	CHECK_STR(ask("EXEC\r\n", "", ""),
		  "*5\r\n+OK\r\n+OK\r\n:2\r\n:1\r\n*2\r\n$1\r\n1\r\n$1\r\n2\r\n");
	CHECK_STR(seen("GET %s", key[2][0]), "$2\r\nay\r\n");
	say_of("MULTI\r\nMSETNX %s 3 %s 4\r\n", key[2][1], key[0][0]);
	say_of("RENAME no%s %s\r\nPING\r\n", key[2][0], key[1][0]);
	CHECK_STR(ask("EXEC\r\n", "", ""), "*3\r\n:0\r\n-ERR no such key\r\n+PONG\r\n");
	CHECK_STR(seen("GET %s", key[0][0]), "$-1\r\n");
	CHECK_STR(seen("GET %s", key[1][0]), "$1\r\nb\r\n");
	over();
}

/* Every group of a MSETNX that is not done takes part, be it only with that. */
static void the_key_that_is_there_may_be_anywhere(void)
{
	u32 i;

	begin_test();
	for (i = 0; i < GROUPS; i++) {
		ask("SET %s x\r\n", key[i][0], "");
		say_of("MULTI\r\nMSETNX %s 1 %s 2 ", key[0][0], key[1][0]);
		say_of("%s 3\r\n", key[2][0], "");
		CHECK_STR(ask("EXEC\r\n", "", ""), "*1\r\n:0\r\n");
		CHECK_STR(seen("EXISTS k0 k1 k2 k3 k4 k5 k6 k7 k8 k9%s", ""), ":1\r\n");
		ask("DEL %s\r\n", key[i][0], "");
	}
	over();
}

static void what_was_written_before_is_refused(void)
{
	begin_test();
	set_both();
	say_of("MULTI\r\nINCR %s\r\nMSETNX %s 1 ", key[2][1], key[0][0]);
	say_of("%s 2\r\n", key[2][1], "");
	CHECK_STR(say("EXEC\r\n"), cross);
	CHECK_STR(say("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
	/* ... and so is what is written again behind it. */
	say_of("MULTI\r\nINCR %s\r\nRENAME %s ", key[2][1], key[2][1]);
	say_of("%s\r\nSET %s 1\r\n", key[0][0], key[2][1]);
	CHECK_STR(say("EXEC\r\n"), cross);
	say_of("MULTI\r\nRENAME %s %s\r\n", key[0][0], key[2][1]);
	say_of("APPEND %s c\r\nAPPEND %s d\r\n", key[2][1], key[0][0]);
	CHECK_STR(ask("EXEC\r\n", "", ""), "*3\r\n+OK\r\n:2\r\n:1\r\n");
	ask("SET %s a\r\n", key[0][0], "");
	/* Read is not written. */
	say_of("MULTI\r\nGET %s\r\nRENAME %s ", key[0][0], key[0][0]);
	say_of("%s\r\n", key[2][0], "");
	CHECK_STR(ask("EXEC\r\n", "", ""), "*2\r\n$1\r\na\r\n+OK\r\n");
	over();
}

/* Keys of their own, so that none depends on what another one wrote. */
static void as_many_as_may_be(void)
{
	char text[64];
	u32 i, k;

	begin_test();
	for (k = 2; k--;) {
		say("MULTI\r\n");
		for (i = 0; i < PXS_TX_DEPENDS_MAX + k; i++) {
			sprintf(text, "RENAME {%%s}none%u {%%s}nor%u\r\n", i, i);
			CHECK_STR(say_of(text, key[0][0], key[1][0]), "+QUEUED\r\n");
		}
		if (k)
			CHECK_STR(say("EXEC\r\n"), cross);
		else
			CHECK(!strncmp(ask("EXEC\r\n", "", ""), "*64\r\n-ERR no such key\r\n", 23));
	}
	over();
}

/* What is watched is not settled anew: EXEC answers nil for it, and for nothing else. */
static void what_is_watched_counts(void)
{
	u32 i;

	begin_test();
	for (i = 0; i < 2; i++) {
		set_both();
		say_of("WATCH %s\r\nMULTI\r\n", key[2][0], "");
		say_of("RENAME %s %s\r\n", key[1][0], key[0][1]);
		CHECK_STR(say("EXEC\r\n"), "");
		meanwhile(1, "APPEND %s c\r\n", key[1][0], "");
		if (i)
			meanwhile(2, "SET %s x\r\n", key[2][0], "");
		run_all();
		CHECK_STR(got(), i ? "*-1\r\n" : "*1\r\n+OK\r\n");
		CHECK_STR(seen("GET %s", key[0][1]), "$2\r\nbc\r\n");
	}
	CHECK_STR(seen("GET %s", key[1][0]), "$2\r\nbc\r\n");
	end_second();
}

int main(void)
{
	RUN(a_string_moves);
	RUN(a_hash_moves_with_its_time);
	RUN(only_what_is_there);
	RUN(what_changes_meanwhile_is_looked_at_anew);
	RUN(so_is_what_comes_and_goes);
	RUN(so_is_what_expires);
	RUN(not_for_ever);
	RUN(what_is_locked_is_waited_for);
	RUN(a_full_group_takes_nothing);
	RUN(what_is_too_large_is_refused);
	RUN(who_leads_the_first_group_is_asked);
	RUN(among_others);
	RUN(the_key_that_is_there_may_be_anywhere);
	RUN(what_was_written_before_is_refused);
	RUN(as_many_as_may_be);
	RUN(what_is_watched_counts);
	return unit_done();
}
