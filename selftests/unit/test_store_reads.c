// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_reads.c - when is a read answered, and when not yet
 */
#include "unit_reads.h"

static void a_session_waits_for_its_token(void)
{
	setup(false);
	apply_slots(3);
	CHECK_STR(say("PAXSTEER CONSISTENCY eventual\r\nGET a\r\nPAXSTEER TOKEN\r\n"),
		  "+OK\r\n$-1\r\n:3\r\n");
	CHECK_STR(say("PAXSTEER TOKEN 6\r\nPAXSTEER CONSISTENCY\r\n"), "+OK\r\n$7\r\nsession\r\n");
	CHECK_STR(say("GET a\r\n"), "");
	apply_slots(5);
	CHECK_STR(got(), "");
	apply_slots(6);
	CHECK_STR(got(), "$-1\r\n");
	/* A lower one does not take it back; and patience ends. */
	CHECK_STR(say("PAXSTEER TOKEN 1\r\nPAXSTEER TOKEN\r\n"), "+OK\r\n:6\r\n");
	CHECK_STR(say("PAXSTEER TOKEN 9\r\nGET a\r\n"), "+OK\r\n");
	node.loop.now += config.read_wait - 1;
	CHECK_STR(got(), "");
	node.loop.now++;
	CHECK_STR(got(), "-TRYAGAIN slot 9 of the session is not here yet\r\n");
	CHECK_STR(say("PAXSTEER TOKEN x\r\nPAXSTEER TOKEN -1\r\n"),
		  "-ERR value is not an integer or out of range\r\n"
		  "-ERR value is not an integer or out of range\r\n");
	teardown();
}

static void a_bounded_read_waits_for_evidence(void)
{
	u64 now;

	setup(false);
	apply_slots(3);
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 60000 2\r\nGET a\r\n"), "+OK\r\n");
	CHECK_STR(got(), "");
	now = pxs_store_steady();
	/* Of a time before the question, but new enough; and not applied yet. */
	pxs_fresh_learn(&s.fresh, now - 30000000000, 4);
	CHECK_STR(got(), "");
	apply_slots(4);
	CHECK_STR(got(), "$-1\r\n");
	/* Then at once, while it is new enough and not too much is missing. */
	CHECK_STR(say("GET a\r\n"), "$-1\r\n");
	replica.commit = 6;
	CHECK_STR(say("GET a\r\n"), "$-1\r\n");
	replica.commit = 7;
	CHECK_STR(say("GET a\r\n"), "");
	apply_slots(5);
	CHECK_STR(got(), "$-1\r\n");
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 29000\r\nGET a\r\n"), "+OK\r\n");
	node.loop.now += config.read_wait;
	CHECK_STR(got(), "-TRYAGAIN no quorum says that this member is up to date\r\n");
	/* It keeps to its session besides. */
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 60000\r\nPAXSTEER TOKEN 8\r\nGET a\r\n"),
		  "+OK\r\n+OK\r\n");
	apply_slots(8);
	CHECK_STR(got(), "$-1\r\n");
	CHECK_STR(say("PAXSTEER CONSISTENCY\r\n"), "$13\r\nbounded 60000\r\n");
	/* Who may read anything reads at once. */
	CHECK_STR(say("PAXSTEER CONSISTENCY bounded 0\r\nREADONLY\r\nGET a\r\n"),
		  "+OK\r\n+OK\r\n$-1\r\n");
	teardown();
}

static void versions_of_answers(void)
{
	setup(false);
	CHECK_STR(say("PAXSTEER VERSION\r\n"), "*2\r\n$-1\r\n$-1\r\n");
	apply_slots(3);
	CHECK_STR(say("READONLY\r\nGET a\r\nPAXSTEER VERSION\r\n"),
		  "+OK\r\n$-1\r\n*2\r\n:3\r\n$-1\r\n");
	pxs_fresh_learn(&s.fresh, pxs_store_steady() - 3600000000000, 3);
	go_round();
	CHECK(!strncmp(say("GET a\r\nPING\r\nPAXSTEER VERSION\r\n"),
		       "$-1\r\n+PONG\r\n*2\r\n:3\r\n:36000", 26));
	CHECK_STR(say("RESET\r\nPAXSTEER VERSION\r\nPAXSTEER TOKEN\r\n"),
		  "+RESET\r\n*2\r\n$-1\r\n$-1\r\n:0\r\n");
	teardown();
}

static void what_may_be_run_once(void)
{
	static const char words[] =
		"-ERR PAXSTEER SESSION RUN takes a command that writes, or EXEC\r\n";
	static const char numbers[] =
		"-ERR PAXSTEER SESSION RUN ID NUMBER COMMAND...: ID and NUMBER are from 1 on\r\n";
	struct pxs_store_entry e;
	struct pxs_entry_walk w;

	setup(true);
	CHECK_STR(say("PAXSTEER SESSION RUN 7 1 GET a\r\n"), words);
	CHECK_STR(say("PAXSTEER SESSION RUN 7 1 PING\r\n"), words);
	CHECK_STR(say("PAXSTEER SESSION RUN 7 1 PAXSTEER SESSION RUN 7 1 SET a 1\r\n"), words);
	CHECK_STR(say("PAXSTEER SESSION RUN 0 1 SET a 1\r\n"), numbers);
	CHECK_STR(say("PAXSTEER SESSION RUN 1 x SET a 1\r\n"), numbers);
	CHECK_STR(say("PAXSTEER SESSION RUN 1 2\r\n"), numbers);
	CHECK_STR(say("PAXSTEER SESSION NEW\r\n"), "-ERR there are no sessions here: sessions = 0\r\n");
	CHECK_STR(say("MULTI\r\nPAXSTEER SESSION RUN 7 1 SET a 1\r\nEXEC\r\n"),
		  "+OK\r\n-ERR PAXSTEER SESSION RUN takes a command that writes, or EXEC\r\n"
		  "-EXECABORT Transaction discarded because of previous errors.\r\n");
	CHECK_STR(say("PAXSTEER SESSION RUN 7 12 SET a 1\r\n"), "");
	CHECK_EQ(pxs_store_entry_get(replica.proposals.queued.first->value,
				     replica.proposals.queued.first->len, &e, &w), 0);
	CHECK(e.once && e.client == 7 && e.seq == 12 && e.kind == PXS_STORE_COMMAND);
	decide(PXS_CLIENT_UNKNOWN, 0);
	CHECK(!strncmp(got(), "-UNCERTAIN", 10));
	teardown();
}

/* A piece of the journal is taken between two rounds; the tick that comes then finds it open. */
static void a_tick_while_a_piece_is_applied(void)
{
	setup(true);
	others_say("SET a 1 PX 1");
	others_say("SET b 1");
	store_tick(&s.ticker, TICK_MS);
	CHECK(s.db.txn);
	/* The key has expired long since: this round says so to the log. */
	store_hook(&s.hook);
	CHECK(!s.db.txn);
	CHECK_EQ(s.db.state.keys, 2);
	CHECK_EQ(s.barriers, 1);
	decide_and_take();
	store_hook(&s.hook);
	CHECK_EQ(s.db.state.keys, 1);
	/* Nothing expires any more. */
	store_tick(&s.ticker, 2 * TICK_MS);
	store_hook(&s.hook);
	CHECK_EQ(s.barriers, 1);
	teardown();
}

/* Keys x and y are watched while they are not there; then others say @commands, parted by ';'. */
static const char *exec_after(const char *commands)
{
	char *text = strdup(commands), *rest = text, *command;
	static char answer[256];

	setup(true);
	others_say("SET other 1");
	commit(&s);
	CHECK_STR(say("WATCH x y\r\n"), "+OK\r\n");
	while ((command = strsep(&rest, ";")))
		others_say(command);
	free(text);
	commit(&s);
	/* The process may have been another one meanwhile, on the same data. */
	pxs_db_close(&s.db, false);
	CHECK_EQ(pxs_db_open(&s.db, files.path, &files.owner, 1 << 20), 0);
	CHECK_STR(say("MULTI\r\nGET other\r\nEXEC\r\n"), "+OK\r\n+QUEUED\r\n");
	/* Programs of before would apply it otherwise: they must stop. */
	CHECK(replica.proposals.queued.first &&
	      replica.proposals.queued.first->value[offsetof(struct pxs_store_entry_hdr,
							     version)] == 3);
	decide_and_take();
	commit(&s);
	snprintf(answer, sizeof(answer), "%.255s", got());
	teardown();
	return answer;
}

/* Was it not there all the time, or not there again? */
static void watching_what_is_not_there(void)
{
	static const char *const changes[] = {
		"SET x 1", "SET x 1;DEL x", "SET y 1;GETDEL y", "SET x 1;RENAME x other",
		"RENAME other x;RENAME x other", "SET x 1;FLUSHALL", "HSET y f v;HDEL y f",
		"SET x 1;EXPIREAT x 0", "SET y 1;FLUSHALL;FLUSHALL", "SET y 1;DEL y;FLUSHALL", "SET x 1 PX 1", "SET x 1;DEL x;SET other 2",
	};
	static const char *const others[] = {
		"SET other 1", "DEL x", "SET z 1;DEL z", "RENAME other z;RENAME z other",
		"SET z 1 PX 1", "HSET z f v;HDEL z f", "GET x", "FLUSHALL;SET other 1",
		"SET z 1;FLUSHDB;SET other 1", "DEL other;FLUSHALL;SET other 1", "FLUSHALL x",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(changes); i++)
		if (strcmp(exec_after(changes[i]), "*-1\r\n"))
			CHECK_STR(changes[i], "seen by EXEC");
	for (i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(exec_after(others[i]), "*1\r\n$1\r\n1\r\n"))
			CHECK_STR(others[i], "not a change of x or y");
}

/* The files want more address space than there is: nothing goes on, and nothing falls over. */
static void no_room_for_the_map(void)
{
	static u8 value[PXS_VALUE_MAX];
	static u8 bytes[15000];
	struct pxs_str set[] = { pxs_str("SET"), { NULL, 0 }, { bytes, sizeof(bytes) } };
	const struct pxs_args args = { ARRAY_SIZE(set), set };
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1, .time = 1000 };
	struct pxs_fetched v = { .data = value };
	char key[8];
	u64 i;

	setup(true);
	s.db.map = (size_t)1 << 62;
	for (i = 1; i < 200 && !s.stopped; i++) {
		set[1] = (struct pxs_str){ (u8 *)key, (u32)sprintf(key, "%u", (u32)i) };
		v.slot = i;
		v.len = (u32)pxs_store_entry_size(NULL, 0, &args, 1);
		pxs_store_entry_put(value, &e, NULL, &args);
		s.failed = false;
		take(&s, &v);
		commit(&s);
		grow(&s);
	}
	CHECK(s.stopped);
	CHECK_EQ(s.db.state.applied, i - 2);
	store_tick(&s.ticker, TICK_MS);
	store_hook(&s.hook);
	CHECK_STR(say("SET a 1\r\n"),
		  "-MISCONF the store cannot apply what is written: see the log of paxsteerd\r\n");
	CHECK_STR(say("PAXSTEER CONSISTENCY eventual\r\nGET a\r\n"),
		  "+OK\r\n-ERR the store cannot be read: Cannot allocate memory\r\n");
	teardown();
}

/* The answer of a transaction that failed is forgotten, even that there was no memory for it. */
static void an_answer_is_made_anew(void)
{
	setup(true);
	CHECK_STR(say("INCR n\r\n"), "");
	CHECK_FATAL(replica.proposals.queued.first);
	decide_and_take();
	CHECK_FATAL(s.applied.first);
	s.applied.first->out.failed = true;
	pxs_db_abort(&s.db);
	take_back(&s);
	replica.applied--;
	take_value_of(decided, decided_len);
	commit(&s);
	CHECK_STR(got(), ":1\r\n");
	CHECK(!client->closing);
	teardown();
}

/* Nothing is applied any more, and so nobody is left waiting for it. */
static void who_waits_when_it_stops(void)
{
	static const char refusal[] =
		"-MISCONF the store cannot apply what is written: see the log of paxsteerd\r\n";
	const struct pxs_fetched rotten = { .slot = 1, .faulty = true };
	char both[256];

	setup(true);
	CHECK_STR(say("GET a\r\n"), "");
	CHECK_STR(say("GET b\r\n"), "");
	tell(0, 2);
	replica.commit = 2;
	replica.applied = 2;
	CHECK(!take(&s, &rotten));
	snprintf(both, sizeof(both), "%s%s", refusal, refusal);
	store_hook(&s.hook);
	CHECK_STR(got(), both);
	CHECK_STR(say("GET a\r\n"), refusal);
	teardown();
	/* A write is in the log, before it stops or after: others may execute it. */
	setup(true);
	CHECK_STR(say("INCR n\r\nINCR n\r\n"), "");
	decide_next(2);
	CHECK(!take(&s, &rotten));
	store_hook(&s.hook);
	CHECK(!strncmp(got(), "-UNCERTAIN ", 11));
	decide_next(3);
	store_hook(&s.hook);
	CHECK(!strncmp(got(), "-UNCERTAIN ", 11));
	teardown();
}

/* Nothing old, at any level, and no word about who leads: it is told that no more. */
static void who_was_removed_answers_nothing(void)
{
	static const char no[] = "-CLUSTERDOWN this member was removed from the group: ask another one\r\n";

	setup(false);
	apply_slots(3);
	CHECK_STR(say("READONLY\r\nGET a\r\n"), "+OK\r\n$-1\r\n");
	replica.members.removed = true;
	replica.gone = true;
	CHECK_STR(say("GET a\r\n"), no);
	CHECK_STR(say("SET a 1\r\n"), no);
	CHECK_STR(say("PAXSTEER CONSISTENCY strong\r\n"), "+OK\r\n");
	CHECK_STR(say("GET a\r\n"), no);
	CHECK_STR(say("PING\r\n"), "+PONG\r\n");
	teardown();
}

/* A checkpoint is lent with the members as of what it holds, or not at all. */
static void who_does_not_know_lends_nothing(void)
{
	setup(false);
	s.lend.fd = 0;
	s.lend.loan = (struct pxs_loan){ .id = 5, .slot = 7, .size = 100, .group = replica.id };
	replica.applied = 6;
	CHECK_STR(say("PAXSTEER IMAGE 5 0 1 0\r\n"),
		  "-TRYAGAIN this member does not know yet who the members are\r\n");
	replica.applied = 7;
	replica.members.joins = true;
	CHECK_STR(say("PAXSTEER IMAGE 5 0 1 0\r\n"),
		  "-TRYAGAIN this member does not know yet who the members are\r\n");
	replica.members.joins = false;
	CHECK_STR(say("PAXSTEER IMAGE 6 0 1 0\r\n"),
		  "-NOIMAGE that checkpoint is not here any more\r\n");
	s.lend.fd = -1;
	teardown();
}

/* Matching is for whoever applies the entry: so many bytes of patterns in one. */
static void patterns_of_a_transaction(void)
{
	static const char *const commands[] = { "KEYS", "SCAN 0 MATCH", "HSCAN h 0 COUNT 3 MATCH" };
	static char pattern[PXS_TX_PATTERNS_MAX + 2], text[2 * sizeof(pattern)];
	u32 i;

	setup(true);
	memset(pattern, 'a', sizeof(pattern) - 1);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		say("MULTI\r\n");
		snprintf(text, sizeof(text), "%s %.512s\r\n%s %.512s\r\n%s *\r\n", commands[i],
			 pattern, commands[i], pattern, commands[i]);
		CHECK_STR(say(text), "+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
		snprintf(text, sizeof(text), "%s a\r\nSET k v\r\nEXEC\r\n", commands[i]);
		CHECK_STR(say(text),
			  "-ERR patterns of a transaction have more than 1024 bytes\r\n"
			  "+QUEUED\r\n"
			  "-EXECABORT Transaction discarded because of previous errors.\r\n");
		/* The next one begins anew; and outside there is no such bound. */
		snprintf(text, sizeof(text), "MULTI\r\n%s %.512s\r\nDISCARD\r\n", commands[i],
			 pattern);
		CHECK_STR(say(text), "+OK\r\n+QUEUED\r\n+OK\r\n");
	}
	snprintf(text, sizeof(text), "READONLY\r\nKEYS %s\r\n", pattern);
	CHECK_STR(say(text), "+OK\r\n*0\r\n");
	teardown();
}

/* MULTI, @first, @n times @again, EXEC; each has a number in it. */
static const char *exec_many(const char *first, const char *again, u32 n)
{
	static char text[32768];
	int len = sprintf(text, "MULTI\r\n%s", first);
	u32 i;

	for (i = 0; i < n; i++)
		len += sprintf(text + len, again, i);
	say(text);
	return say("EXEC\r\n");
}

static const char *executed(const char *first, const char *again, u32 n)
{
	const char *answer = exec_many(first, again, n);

	if (!proposes())
		return answer;
	decide(PXS_CLIENT_NOT_LEADER, 0);
	got();
	return "proposed";
}

/* Of commands that write more than they bring: so many bytes in one entry. */
static void strings_of_a_transaction(void)
{
	static const char no[] = "-EXECABORT Transaction discarded because of: its APPEND, EXPIRE, RENAME and SETRANGE write more than 134217728 bytes\r\n";
	static const char *const again[] = {
		"RENAME big big%u\r\n", "APPEND big %u\r\n", "PEXPIRE big 1%u\r\n",
		"SETRANGE big %u x\r\n", "RENAMENX big big%u\r\n", "PERSIST big\r\n",
		"GETEX big EX 1%u\r\n",
	};
	u32 i;

	setup(true);
	CHECK_STR(executed("", "SETRANGE k%u 4194303 x\r\n", 32), "proposed");
	CHECK_STR(executed("", "SETRANGE k%u 4194303 x\r\n", 33), no);
	/* What is refused when it is executed, or writes nothing. */
	CHECK_STR(executed("", "SETRANGE k%u 4194304 x\r\n", 50), "proposed");
	CHECK_STR(executed("", "SETRANGE k%u 4194303 ''\r\n", 50), "proposed");
	/* On what is there, and on what the transaction has made itself. */
	others_say("SETRANGE big 524287 x");
	for (i = 0; i < ARRAY_SIZE(again); i++) {
		CHECK_STR(executed("", again[i], 255), "proposed");
		CHECK_STR(executed("", again[i], 257), no);
	}
	CHECK_STR(executed("", "RENAME k%u big\r\n", 257), "proposed");
	CHECK_STR(executed("SETRANGE k 4194303 x\r\n", "RENAME a%u b\r\n", 32), no);
	CHECK_STR(executed("SETRANGE k 4194303 x\r\n", "RENAME a%u b\r\n", 31), "proposed");
	teardown();
}

/* The steps of a saga are entries as well; each is as large as it could be when it is done. */
static bool begins(const char *part, u32 n)
{
	static char text[4096];
	int len = sprintf(text, "PAXSTEER SAGA BEGIN s STEP a DO 3 SET k v STEP b DO 3 SET k w");
	const char *answer;

	while (n--)
		len += sprintf(text + len, " %s", part);
	strcpy(text + len, "\r\n");
	answer = say(text);
	if (proposes()) {
		decide(PXS_CLIENT_NOT_LEADER, 0);
		got();
		return true;
	}
	CHECK_STR(answer,
		  "-ERR saga: APPEND, EXPIRE, RENAME and SETRANGE of a step could write more than 134217728 bytes\r\n");
	return false;
}

static void strings_of_a_saga(void)
{
	static const char *const parts[] = {
		"DO 4 SETRANGE k 4194303 x", "UNDO 3 APPEND k x", "DO 3 RENAME a b",
		"UNDO 3 EXPIRE a 7",
	};
	u32 i;

	setup(true);
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		CHECK(begins(parts[i], 32) && !begins(parts[i], 33));
	CHECK(begins("DO 3 INCRBY k 7", 50));
	/* Each step by itself. */
	CHECK(begins("DO 3 RENAME a b", 20));
	CHECK(begins("DO 3 RENAME a b UNDO 3 RENAME b a", 20));
	teardown();
}

/* Many slots are one transaction of the database, which keeps in memory what it writes. */
static void slots_that_write_much_are_few(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1, .time = 1000 };
	struct pxs_fetched v = { .slot = 1 };
	struct pxs_str argv[4] = {
		pxs_str("SETRANGE"), pxs_str("big"), pxs_str("131071"), pxs_str("x"),
	};
	struct pxs_args args = { 4, argv };
	u8 value[256];

	setup(true);
	pxs_store_entry_put(value, &e, NULL, &args);
	v.data = value;
	v.len = (u32)pxs_store_entry_size(NULL, 0, &args, 1);
	while (v.slot < 300 && take(&s, &v))
		v.slot++;
	CHECK(v.slot > 125 && v.slot < 133);
	/* The next transaction takes the rest. */
	commit(&s);
	CHECK(take(&s, &v));
	commit(&s);
	CHECK_EQ(s.db.state.applied, v.slot);
	teardown();
}

/* An entry that says what time it is may come to nothing again and again, and we lead on. */
static void a_strong_read_does_not_wait_for_ever(void)
{
	static const char no[] = "-TRYAGAIN no quorum says that this member is up to date\r\n";

	setup(true);
	apply_slots(3);
	CHECK_STR(say("TTL a\r\n"), "");
	CHECK(proposes());
	decide(PXS_CLIENT_UNKNOWN, 0);
	CHECK_STR(got(), "");
	CHECK(proposes());
	CHECK(s.barred.first && s.barred.first->arrived);
	s.barred.first->arrived -= 19ull * 1000000000;
	decide(PXS_CLIENT_UNKNOWN, 0);
	CHECK_STR(got(), "");
	CHECK(proposes());
	s.barred.first->arrived -= 1000000000;
	decide(PXS_CLIENT_UNKNOWN, 0);
	CHECK_STR(got(), no);
	CHECK(!proposes());
	/* Who can't apply, for want of room it may be, says so to those who wait already. */
	CHECK_STR(say("GET a\r\nGET b\r\n"), "");
	CHECK(asks());
	tell(0, 5);
	CHECK_STR(got(), "");
	s.stalled = -ENOSPC;
	go_round();
	CHECK(!strncmp(got(), "-MISCONF the store cannot apply", 31));
	CHECK(!s.barred.first && !s.reads.first);
	s.stalled = 0;
	apply_slots(5);
	CHECK_STR(say("GET a\r\n"), "");
	tell(0, 5);
	CHECK_STR(got(), "$-1\r\n");
	teardown();
}

int main(void)
{
	RUN(watching_what_is_not_there);
	RUN(a_tick_while_a_piece_is_applied);
	RUN(a_session_waits_for_its_token);
	RUN(a_bounded_read_waits_for_evidence);
	RUN(versions_of_answers);
	RUN(what_may_be_run_once);
	RUN(no_room_for_the_map);
	RUN(an_answer_is_made_anew);
	RUN(who_waits_when_it_stops);
	RUN(who_was_removed_answers_nothing);
	RUN(who_does_not_know_lends_nothing);
	RUN(patterns_of_a_transaction);
	RUN(strings_of_a_transaction);
	RUN(strings_of_a_saga);
	RUN(slots_that_write_much_are_few);
	RUN(a_strong_read_does_not_wait_for_ever);
	return unit_done();
}
