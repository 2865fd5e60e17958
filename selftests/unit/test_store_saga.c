// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_saga.c - sagas: all done or all undone
 */
#include "unit_saga.h"

/* --- forward and back ------------------------------------------------------------------ */

static void all_done(void)
{
	make(&s);
	command(&s, "MSET a 100 b 5");
	CHECK_STR(saga(&s, "BEGIN pay " TRANSFER), ":2\r\n");
	CHECK_STR(status(&s, "pay", "state"), "running");
	CHECK_STR(status(&s, "pay", "step"), "debit");
	CHECK_STR(command(&s, "GET a"), "$3\r\n100\r\n");
	/* One step an entry: in between, everybody sees what was done so far. */
	CHECK_EQ(drive(&s, 1), 1);
	CHECK_STR(command(&s, "MGET a b"), "*2\r\n$2\r\n70\r\n$1\r\n5\r\n");
	CHECK_STR(status(&s, "pay", "steps-done"), ":1");
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(command(&s, "MGET a b"), "*2\r\n$2\r\n70\r\n$2\r\n35\r\n");
	CHECK_STR(status(&s, "pay", "state"), "done");
	CHECK_STR(status(&s, "pay", "step"), "$-1");
	CHECK_STR(status(&s, "pay", "steps-done"), ":2");
	CHECK_STR(status(&s, "pay", "reason"), "");
	CHECK_STR(ask(&s, "HISTORY pay"),
		  "*3\r\n"
		  "*5\r\n:2\r\n:1000000\r\n$5\r\nbegun\r\n$-1\r\n$0\r\n\r\n"
		  "*5\r\n:4\r\n:1000000\r\n$3\r\ndid\r\n$5\r\ndebit\r\n$0\r\n\r\n"
		  "*5\r\n:6\r\n:1000000\r\n$3\r\ndid\r\n$6\r\ncredit\r\n$0\r\n\r\n");
	CHECK_EQ(drive(&s, 100), 0);
	s.proto = 3;
	CHECK(!strncmp(ask(&s, "STATUS pay"), "%12\r\n$5\r\nstate\r\n$4\r\ndone\r\n$4\r\nstep\r\n_\r\n",
		       strlen("%12\r\n$5\r\nstate\r\n$4\r\ndone\r\n$4\r\nstep\r\n_\r\n")));
	unmake(&s);
}

static void a_check_turns_it(void)
{
	make(&s);
	command(&s, "SET a 100");
	saga(&s, "BEGIN pay " TRANSFER);
	CHECK_EQ(drive(&s, 100), 3);
	CHECK_STR(status(&s, "pay", "state"), "undone");
	CHECK_STR(status(&s, "pay", "reason"), "CHECK EXISTS b does not hold");
	CHECK_STR(command(&s, "MGET a b"), "*2\r\n$3\r\n100\r\n$-1\r\n");
	/* The first one: there is nothing to be undone. */
	command(&s, "SET a 29");
	saga(&s, "BEGIN poor " TRANSFER);
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(status(&s, "poor", "state"), "undone");
	CHECK_STR(status(&s, "poor", "reason"), "CHECK MIN a 30 does not hold");
	CHECK_STR(command(&s, "GET a"), "$2\r\n29\r\n");
	unmake(&s);
}

/* What a step has done before it failed is taken back; last step first, the others are undone. */
static void a_command_turns_it(void)
{
	make(&s);
	command(&s, "HSET h f v");
	saga(&s, "BEGIN x STEP 1 DO 3 APPEND l a UNDO 3 APPEND l A "
		 "STEP 2 DO 3 APPEND l b UNDO 3 APPEND l B UNDO 3 APPEND l C "
		 "STEP 3 DO 3 APPEND l d DO 3 SET new 1 DO 3 SET newer 1 DO 2 DEL h DO 4 HSET l f v UNDO 3 APPEND l D");
	CHECK_EQ(drive(&s, 100), 5);
	CHECK_STR(command(&s, "GET l"), "$5\r\nabBCA\r\n");
	CHECK_STR(command(&s, "EXISTS h new newer"), ":1\r\n");
	CHECK_EQ(s.db.state.keys, 2);
	CHECK_STR(status(&s, "x", "state"), "undone");
	CHECK_STR(status(&s, "x", "reason"),
		  "hset: WRONGTYPE Operation against a key holding the wrong kind of value");
	unmake(&s);
}

static void checks(void)
{
	static const struct {
		const char *words;
		bool holds;
	} tried[] = {
		{ "EXISTS n", true }, { "EXISTS no", false }, { "EXISTS h", true },
		{ "MISSING no", true }, { "MISSING n", false }, { "MISSING h", false },
		{ "EQUALS n 7", true }, { "EQUALS n 07", false }, { "EQUALS no ''", false },
		{ "EQUALS h 7", false }, { "EQUALS e ''", true },
		{ "MIN n 7", true }, { "MIN n 8", false }, { "MIN no 0", true }, { "MIN no 1", false },
		{ "MIN no -1", true }, { "MIN w 0", false }, { "MIN h 0", false }, { "MAX n 7", true },
		{ "MAX n 6", false }, { "MAX w 0", false }, { "MAX no 0", true },
		{ "MIN n -9223372036854775808", true }, { "MAX n 9223372036854775807", true },
		{ "TYPE n string", true }, { "TYPE n hash", false }, { "TYPE h HASH", true },
		{ "TYPE no none", true }, { "TYPE n none", false },
		{ "HEXISTS h f", true }, { "HEXISTS h g", false }, { "HEXISTS no f", false },
		{ "HEXISTS n f", false }, { "HMISSING h g", true }, { "HMISSING h f", false },
		{ "HMISSING no f", true }, { "HMISSING n f", false }, { "HEQUALS h f 9", true },
		{ "HEQUALS h f 8", false }, { "HMIN h f 9", true }, { "HMIN h f 10", false },
		{ "HMIN h g 0", true }, { "HMAX h f 9", true }, { "HMAX h f 8", false },
		{ "HMAX n f 9", false }, { "EXISTS old", false },
	};
	char words[200], id[16];
	const char *want;
	u32 i;

	make(&s);
	command(&s, "MSET n 7 w word e ''");
	command(&s, "HSET h f 9");
	command(&s, "SET old 1 PX 10");
	s.time += 11;
	for (i = 0; i < ARRAY_SIZE(tried); i++) {
		snprintf(id, sizeof(id), "s%u", i);
		snprintf(words, sizeof(words), "BEGIN %s STEP 1 CHECK EXISTS n CHECK %s DO 2 INCR c",
			 id, tried[i].words);
		if (!CHECK(saga(&s, words)[0] == ':'))
			fprintf(stderr, "# %s: %s", words, s.answer);
		drive(&s, 10);
		want = tried[i].holds ? "done" : "undone";
		if (!CHECK(!strcmp(status(&s, id, "state"), want)))
			fprintf(stderr, "# %s\n", tried[i].words);
	}
	unmake(&s);
}

static void aborted(void)
{
	make(&s);
	command(&s, "MSET a 100 b 5");
	saga(&s, "BEGIN pay " TRANSFER);
	drive(&s, 1);
	CHECK_STR(saga(&s, "ABORT pay second-thoughts"), ":1\r\n");
	CHECK_STR(status(&s, "pay", "state"), "undoing");
	CHECK_STR(saga(&s, "ABORT pay"), ":0\r\n");
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(saga(&s, "ABORT pay"), ":0\r\n");
	CHECK_STR(status(&s, "pay", "state"), "undone");
	CHECK_STR(status(&s, "pay", "reason"), "second-thoughts");
	CHECK_STR(command(&s, "MGET a b"), "*2\r\n$3\r\n100\r\n$1\r\n5\r\n");
	saga(&s, "BEGIN two " TRANSFER);
	drive(&s, 100);
	CHECK_STR(saga(&s, "ABORT two"), "-ERR the saga is done\r\n");
	CHECK(is_error(saga(&s, "ABORT three"), "NOSAGA"));
	unmake(&s);
}

/* --- time, and what is outside ------------------------------------------------------------ */

static void a_deadline_is_the_log_s(void)
{
	make(&s);
	saga(&s, "BEGIN x TIMEOUT 100 STEP 1 DO 3 APPEND l a UNDO 3 APPEND l A STEP 2 DO 3 APPEND l b");
	s.time += 100;
	drive(&s, 1);
	/* A proposer whose clock is behind turns nothing back. */
	s.time += 1;
	command(&s, "PING");
	s.time -= 50;
	CHECK_EQ(drive(&s, 100), 2);
	CHECK_STR(status(&s, "x", "state"), "undone");
	CHECK_STR(status(&s, "x", "reason"), "the deadline has passed");
	CHECK_STR(command(&s, "GET l"), "$2\r\naA\r\n");
	/* In time it does not matter. */
	saga(&s, "BEGIN y TIMEOUT 100 STEP 1 DO 3 APPEND l c");
	s.time += 150;
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(status(&s, "y", "state"), "done");
	s.time += 1000;
	CHECK_EQ(drive(&s, 100), 0);
	CHECK_STR(status(&s, "y", "state"), "done");
	unmake(&s);
}

#define OUTSIDE "STEP 1 DO 3 APPEND l a UNDO 3 APPEND l A " \
		"STEP ask WAIT DO 3 APPEND l b UNDO 3 APPEND l B STEP 3 DO 3 APPEND l c"

static void outside(void)
{
	make(&s);
	saga(&s, "BEGIN x TIMEOUT 1000 " OUTSIDE);
	CHECK(is_error(saga(&s, "DONE x ask"), "ERR the saga has not come to this step yet"));
	CHECK_EQ(drive(&s, 100), 2);
	CHECK_STR(status(&s, "x", "state"), "waiting");
	CHECK_STR(status(&s, "x", "step"), "ask");
	CHECK_STR(status(&s, "x", "steps-done"), ":1");
	CHECK(is_error(saga(&s, "DONE x 1"), "ERR this step does not wait"));
	CHECK(is_error(saga(&s, "DONE x none"), "ERR the saga has no step of this name"));
	CHECK(is_error(saga(&s, "DONE y ask"), "NOSAGA"));
	CHECK_STR(saga(&s, "DONE x ask"), ":1\r\n");
	CHECK_STR(saga(&s, "DONE x ask"), ":0\r\n");
	CHECK(is_error(saga(&s, "FAIL x ask"), "ERR this step is done already"));
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(saga(&s, "DONE x ask"), ":0\r\n");
	CHECK_STR(status(&s, "x", "state"), "done");
	CHECK_STR(command(&s, "GET l"), "$3\r\nabc\r\n");

	/* What failed outside is undone, as the commands in front of it were executed. */
	command(&s, "DEL l");
	saga(&s, "BEGIN y " OUTSIDE);
	drive(&s, 100);
	s.time += 1ull << 40;
	CHECK_EQ(drive(&s, 100), 0);
	CHECK_STR(saga(&s, "FAIL y ask sold-out"), ":1\r\n");
	CHECK_STR(saga(&s, "FAIL y ask"), ":0\r\n");
	CHECK_STR(saga(&s, "DONE y ask"), "-TURNED the saga is undoing\r\n");
	CHECK_EQ(drive(&s, 100), 2);
	CHECK_STR(saga(&s, "DONE y ask"), "-TURNED the saga is undone\r\n");
	CHECK_STR(status(&s, "y", "reason"), "sold-out");
	CHECK_STR(command(&s, "GET l"), "$4\r\nabBA\r\n");

	/* Nobody says anything: the deadline does, and it counts from its moment on. */
	command(&s, "DEL l");
	saga(&s, "BEGIN z TIMEOUT 1000 " OUTSIDE);
	drive(&s, 100);
	s.time += 1000;
	CHECK_EQ(drive(&s, 100), 0);
	s.time += 1;
	CHECK_STR(saga(&s, "DONE z ask"), "-TURNED the saga is undoing\r\n");
	CHECK_EQ(drive(&s, 100), 2);
	CHECK_STR(command(&s, "GET l"), "$4\r\nabBA\r\n");
	saga(&s, "BEGIN w TIMEOUT 1000 " OUTSIDE);
	drive(&s, 100);
	s.time += 1001;
	CHECK_EQ(drive(&s, 100), 3);
	CHECK_STR(status(&s, "w", "state"), "undone");
	unmake(&s);
}

static void stuck(void)
{
	u32 i;

	make(&s);
	saga(&s, "BEGIN x STEP 1 DO 3 SET a 1 UNDO 2 DEL a STEP 2 DO 3 SET b 1 UNDO 2 DEL b UNDO 2 INCR h "
		 "STEP 3 CHECK EXISTS never DO 2 INCR c");
	drive(&s, 2);
	command(&s, "HSET h f v");
	CHECK_EQ(drive(&s, 100), 2);
	for (i = 1; i < PXS_SAGA_TRIES; i++) {
		CHECK_STR(status(&s, "x", "state"), "undoing");
		CHECK_EQ(status(&s, "x", "tries")[1], '0' + (int)i);
		s.time += (PXS_SAGA_PAUSE_MS << (i - 1)) - 1;
		CHECK_EQ(drive(&s, 100), 0);
		/* Whoever proposes it: the log says that it is too early. */
		step(&s, 1, 3 + i);
		CHECK_EQ(status(&s, "x", "tries")[1], '0' + (int)i);
		s.time += 1;
		CHECK_EQ(drive(&s, 100), 1);
	}
	/* An attempt that failed has undone nothing. */
	CHECK_STR(command(&s, "EXISTS a b"), ":2\r\n");
	CHECK_STR(status(&s, "x", "state"), "stuck");
	CHECK_STR(status(&s, "x", "step"), "2");
	CHECK_STR(status(&s, "x", "reason"), "CHECK EXISTS never does not hold");
	CHECK_STR(status(&s, "x", "trouble"),
		  "incr: WRONGTYPE Operation against a key holding the wrong kind of value");
	s.time += 1ull << 40;
	CHECK_EQ(drive(&s, 100), 0);
	CHECK(is_error(saga(&s, "SKIP x 1"), "ERR the saga is stuck at another step"));
	command(&s, "DEL h");
	CHECK_STR(saga(&s, "RETRY x"), ":1\r\n");
	CHECK_EQ(drive(&s, 100), 2);
	CHECK_STR(status(&s, "x", "state"), "undone");
	CHECK(is_error(saga(&s, "RETRY x"), "TURNED the saga is undone"));
	CHECK_STR(command(&s, "EXISTS a b"), ":0\r\n");
	CHECK(strstr(ask(&s, "HISTORY x"), "not undone"));
	CHECK(strstr(s.answer, "retried"));

	/* By hand. */
	saga(&s, "BEGIN y STEP 1 DO 3 SET a 1 UNDO 2 DEL a STEP 2 DO 3 SET b 1 UNDO 4 HSET a f v "
		 "STEP 3 CHECK EXISTS never DO 2 INCR c");
	CHECK(is_error(saga(&s, "SKIP y 2"), "ERR the saga is running"));
	for (i = 0; i < 10; i++) {
		s.time += 10000;
		drive(&s, 100);
	}
	CHECK_STR(status(&s, "y", "state"), "stuck");
	command(&s, "DEL b");
	CHECK_STR(saga(&s, "SKIP y 2"), ":1\r\n");
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(status(&s, "y", "state"), "undone");
	CHECK_STR(status(&s, "y", "skipped"), ":1");
	CHECK_STR(command(&s, "EXISTS a b"), ":0\r\n");
	unmake(&s);
}

/* --- once, and for how long ------------------------------------------------------------------ */

static void the_same_id(void)
{
	u64 number;

	make(&s);
	saga(&s, "BEGIN x STEP 1 DO 2 INCR n");
	number = s.db.state.applied;
	CHECK_STR(saga(&s, "BEGIN x STEP 1 DO 2 INCR n"), ":1\r\n");
	drive(&s, 100);
	CHECK_STR(saga(&s, "BEGIN x STEP 1 DO 2 INCR n"), ":1\r\n");
	CHECK_EQ(drive(&s, 100), 0);
	CHECK_STR(command(&s, "GET n"), "$1\r\n1\r\n");
	CHECK(is_error(saga(&s, "BEGIN x STEP 1 DO 2 INCR m"), "REUSED"));
	CHECK(is_error(saga(&s, "BEGIN x STEP 1 DO 2 INCR n UNDO 2 DECR n"), "REUSED"));
	CHECK(is_error(saga(&s, "BEGIN x TIMEOUT 5 STEP 1 DO 2 INCR n"), "REUSED"));
	CHECK(is_error(saga(&s, "BEGIN x what is this"), "REUSED"));
	CHECK_EQ(number, 1);
	/* After its time it is another one. */
	s.time += KEEP;
	CHECK_STR(status(&s, "x", "state"), "done");
	s.time += 1;
	CHECK_STR(saga(&s, "BEGIN x STEP 1 DO 2 INCR m"), ":10\r\n");
	drive(&s, 100);
	CHECK_STR(command(&s, "MGET n m"), "*2\r\n$1\r\n1\r\n$1\r\n1\r\n");
	CHECK_EQ(rows(&s, s.db.saga_ids_t), 1);
	unmake(&s);
}

static void those_that_are_over_go(void)
{
	char words[100];
	u32 i;

	make(&s);
	most = 3;
	for (i = 0; i < 3; i++) {
		snprintf(words, sizeof(words), "BEGIN s%u STEP 1 %s", i, i == 1 ? "WAIT" : "DO 2 INCR n");
		saga(&s, words);
		drive(&s, 100);
		s.time += 10;
	}
	/* The one that ended first makes room; the one that is not over does not. */
	CHECK_EQ(saga(&s, "BEGIN s3 STEP 1 WAIT")[0], ':');
	drive(&s, 100);
	CHECK(is_error(saga(&s, "ABORT s0"), "NOSAGA"));
	CHECK_EQ(saga(&s, "BEGIN s4 STEP 1 WAIT")[0], ':');
	CHECK(is_error(saga(&s, "ABORT s2"), "NOSAGA"));
	CHECK(is_error(saga(&s, "BEGIN s5 STEP 1 WAIT"), "TOOMANY"));
	CHECK_EQ(rows(&s, s.db.saga_ids_t), 3);
	CHECK_EQ(rows(&s, s.db.saga_due_t), 3);
	drive(&s, 100);
	saga(&s, "ABORT s1");
	drive(&s, 100);
	CHECK_EQ(saga(&s, "BEGIN s5 STEP 1 WAIT")[0], ':');
	most = 0;
	CHECK(is_error(saga(&s, "BEGIN s6 STEP 1 WAIT"), "ERR there are no sagas here"));
	/* Time takes them, one an entry. */
	for (i = 3; i < 6; i++) {
		snprintf(words, sizeof(words), "ABORT s%u", i);
		saga(&s, words);
	}
	drive(&s, 100);
	CHECK_EQ(rows(&s, s.db.saga_ends_t), 3);
	s.time += KEEP;
	command(&s, "PING");
	CHECK_EQ(rows(&s, s.db.saga_ids_t), 3);
	s.time += 1;
	for (i = 0; i < 3; i++) {
		CHECK_EQ(rows(&s, s.db.saga_ids_t), 3 - i);
		CHECK(is_error(saga(&s, "ABORT s4"), "NOSAGA"));
	}
	CHECK_EQ(rows(&s, s.db.sagas_t), 0);
	CHECK_EQ(rows(&s, s.db.saga_ends_t), 0);
	CHECK_EQ(rows(&s, s.db.saga_due_t), 0);
	unmake(&s);
}

int main(void)
{
	RUN(all_done);
	RUN(a_check_turns_it);
	RUN(a_command_turns_it);
	RUN(checks);
	RUN(aborted);
	RUN(a_deadline_is_the_log_s);
	RUN(outside);
	RUN(stuck);
	RUN(the_same_id);
	RUN(those_that_are_over_go);
	return unit_done();
}
