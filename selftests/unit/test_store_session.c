// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_session.c - what has the same number is executed once
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "unit_store.h"

#include "../../agent/store/db_session.h"

#define AGE	10000u		/* ms */

static struct unit_store s, t;
static bool no_memory;

void *realloc(void *p, size_t size);

/* In place of libc's: no room for another buffer. LMDB's are there already. */
void *realloc(void *p, size_t size)
{
	void *(*real)(void *p, size_t size);

	if (no_memory && !p)
		return NULL;
	*(void **)&real = dlsym(RTLD_NEXT, "realloc");
	return real(p, size);
}

/* Open a session. Return: its id. */
static u64 begin(struct unit_store *u, u64 most)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_SESSION, .time = u->time, .client = most, .seq = AGE,
	};
	u8 buf[sizeof(struct pxs_store_entry_hdr)];

	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(store_apply(u, buf, sizeof(buf)), 0);
	return u->db.state.applied;
}

static const char *run(struct unit_store *u, u64 id, u64 number, const char *command)
{
	u->session = id;
	u->number = number;
	store_say(u, command);
	u->session = 0;
	return u->answer;
}

static const char *run_exec(struct unit_store *u, u64 id, u64 number, const struct pxs_watch *watch,
			    const char *commands)
{
	u->session = id;
	u->number = number;
	store_exec(u, PXS_STORE_EXEC, watch, !!watch, commands);
	u->session = 0;
	return u->answer;
}

static bool is_error(const char *answer, const char *word)
{
	return answer[0] == '-' && !strncmp(answer + 1, word, strlen(word));
}

static u64 rows(struct unit_store *u, MDB_dbi table)
{
	MDB_stat st = { 0 };

	CHECK_EQ(pxs_db_begin(&u->db, false), 0);
	CHECK_EQ(mdb_stat(u->db.txn, table, &st), 0);
	pxs_db_abort(&u->db);
	return st.ms_entries;
}

static void a_retry_gets_the_first_answer(void)
{
	char text[32];
	u64 id;

	store_make(&s);
	store_say(&s, "SET a 10");
	id = begin(&s, 5);
	snprintf(text, sizeof(text), ":%llu\r\n", (unsigned long long)id);
	CHECK_STR(s.answer, text);
	CHECK_EQ(id, 2);
	CHECK_STR(run(&s, id, 1, "INCR a"), ":11\r\n");
	CHECK_STR(run(&s, id, 1, "INCR a"), ":11\r\n");
	CHECK_STR(run(&s, id, 2, "INCR a"), ":12\r\n");
	CHECK_STR(run(&s, id, 1, "INCR a"), ":11\r\n");
	CHECK_STR(store_say(&s, "GET a"), "$2\r\n12\r\n");
	/* An error is an answer, too. */
	CHECK(is_error(run(&s, id, 3, "HSET a f v"), "WRONGTYPE"));
	store_say(&s, "DEL a");
	CHECK(is_error(run(&s, id, 3, "HSET a f v"), "WRONGTYPE"));
	CHECK_STR(store_say(&s, "EXISTS a"), ":0\r\n");
	/* What is called FLUSHALL does not make it happen twice. */
	CHECK_STR(run(&s, id, 4, "FLUSHALL"), "+OK\r\n");
	store_say(&s, "SET b 1");
	CHECK_STR(run(&s, id, 4, "FLUSHALL"), "+OK\r\n");
	CHECK_STR(store_say(&s, "GET b"), "$1\r\n1\r\n");
	store_remove(&s);
}

static void transactions_too(void)
{
	struct pxs_watch watch = { .key = pxs_str("none") };
	u64 id;

	store_make(&s);
	id = begin(&s, 5);
	CHECK_STR(run_exec(&s, id, 1, NULL, "INCR a;GETDEL x;HGETALL h"),
		  "*3\r\n:1\r\n$-1\r\n*0\r\n");
	CHECK_STR(run_exec(&s, id, 1, NULL, "INCR a;GETDEL x;HGETALL h"),
		  "*3\r\n:1\r\n$-1\r\n*0\r\n");
	s.proto = 3;
	CHECK_STR(run_exec(&s, id, 1, NULL, "INCR a;GETDEL x;HGETALL h"),
		  "*3\r\n:1\r\n_\r\n%0\r\n");
	s.proto = 2;
	/* A watch that failed is an answer; the connection that watched is gone when it retries. */
	watch.version = 77;
	CHECK_STR(run_exec(&s, id, 2, &watch, "INCR a"), "*-1\r\n");
	CHECK_STR(run_exec(&s, id, 2, NULL, "INCR a"), "*-1\r\n");
	CHECK_STR(store_say(&s, "GET a"), "$1\r\n1\r\n");
	CHECK_STR(run(&s, id, 3, "GETDEL x"), "$-1\r\n");
	CHECK_STR(run(&s, id, 3, "GETDEL x"), "$-1\r\n");
	store_remove(&s);
}

static void another_command_is_refused(void)
{
	u64 id, other;

	store_make(&s);
	id = begin(&s, 5);
	other = begin(&s, 5);
	CHECK_STR(run(&s, id, 1, "INCR a"), ":1\r\n");
	CHECK(is_error(run(&s, id, 1, "INCR b"), "REUSED"));
	CHECK(is_error(run(&s, id, 1, "INCRBY a 1"), "REUSED"));
	CHECK(is_error(run_exec(&s, id, 1, NULL, "INCR a"), "REUSED"));
	CHECK_STR(run(&s, other, 1, "INCR a"), ":2\r\n");
	CHECK_STR(store_say(&s, "EXISTS b"), ":0\r\n");
	CHECK(is_error(run(&s, 99, 1, "INCR a"), "NOSESSION"));
	CHECK_STR(store_say(&s, "GET a"), "$1\r\n2\r\n");
	store_remove(&s);
}

static void numbers_that_are_too_old(void)
{
	u64 id, i;

	store_make(&s);
	id = begin(&s, 5);
	for (i = 1; i <= 3 * PXS_SESSION_KEPT; i++)
		run(&s, id, i, "INCR a");
	CHECK_STR(s.answer, ":192\r\n");
	CHECK_EQ(rows(&s, s.db.answers_t), PXS_SESSION_KEPT);
	CHECK_STR(run(&s, id, 2 * PXS_SESSION_KEPT + 1, "INCR a"), ":129\r\n");
	CHECK(is_error(run(&s, id, 2 * PXS_SESSION_KEPT, "INCR a"), "TOOOLD"));
	CHECK(is_error(run(&s, id, 1, "INCR a"), "TOOOLD"));
	/* Gaps are fine, and who fills one late within the kept ones is executed. */
	CHECK_STR(run(&s, id, 250, "INCR a"), ":193\r\n");
	CHECK_STR(run(&s, id, 240, "INCR a"), ":194\r\n");
	CHECK_STR(run(&s, id, 250, "INCR a"), ":193\r\n");
	CHECK_STR(run(&s, id, 240, "INCR a"), ":194\r\n");
	CHECK(is_error(run(&s, id, 186, "INCR a"), "TOOOLD"));
	CHECK_STR(run(&s, id, 187, "INCR a"), ":187\r\n");
	CHECK(rows(&s, s.db.answers_t) <= PXS_SESSION_KEPT);
	CHECK_STR(run(&s, id, 1ull << 62, "INCR a"), ":195\r\n");
	CHECK_EQ(rows(&s, s.db.answers_t), 1);
	store_remove(&s);
}

/* A transaction that fails, and a process that ends: data and answers agree. */
static void in_the_transaction_of_the_data(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1, .once = true };
	struct pxs_str argv[2] = { pxs_str("INCR"), pxs_str("a") };
	struct pxs_args args = { 2, argv };
	struct pxs_reply out;
	u8 buf[256];
	u32 i;

	store_make(&s);
	e.client = begin(&s, 5);
	for (i = 1; i <= 3; i++) {
		e.seq = i;
		pxs_store_entry_put(buf, &e, NULL, &args);
		pxs_reply_init(&out, 2, 1000);
		CHECK_EQ(pxs_db_begin(&s.db, true), 0);
		CHECK_EQ(pxs_apply(&s.db, s.db.state.applied + 1, buf,
				   (u32)pxs_store_entry_size(NULL, 0, &args, 1), false, &out), 0);
		/* The disk is full, say. */
		pxs_db_abort(&s.db);
		pxs_reply_free(&out);
		pxs_db_close(&s.db, i % 2);
		store_open(&s);
		CHECK_EQ(rows(&s, s.db.answers_t), i - 1);
		run(&s, e.client, i, "INCR a");
		CHECK_EQ(s.answer[1] - '0', i);
		pxs_db_close(&s.db, i % 2);
		store_open(&s);
		run(&s, e.client, i, "INCR a");
		CHECK_EQ(s.answer[1] - '0', i);
		CHECK_EQ(rows(&s, s.db.answers_t), i);
	}
	store_remove(&s);
}

static void digests(const char *what, bool equal)
{
	u8 a[16], b[16];

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	pxs_db_digest(&s.db, a);
	pxs_db_abort(&s.db);
	CHECK_EQ(pxs_db_begin(&t.db, false), 0);
	pxs_db_digest(&t.db, b);
	pxs_db_abort(&t.db);
	if (!memcmp(a, b, 16) != equal)
		fprintf(stderr, "# %s\n", what);
	CHECK_EQ(!memcmp(a, b, 16), equal);
}

/* Whether somebody waits for the answer, in which words, and with how much room. */
static void members_agree(void)
{
	static const char *const log[] = {
		"SET a 1", "INCR a", "HSET h a 1 b 2", "GETDEL a", "INCR h", "SETRANGE big 1100 x",
		"GETDEL big", "SETRANGE just 1014 x", "GETDEL just", "SETRANGE over 1015 x",
		"GETDEL over", "FLUSHALL", "INCRBYFLOAT f 0.5",
	};
	u64 id;
	u32 i;

	store_make(&s);
	store_make(&t);
	t.quiet = true;
	t.proto = 3;
	id = begin(&s, 5);
	CHECK_EQ(begin(&t, 5), id);
	for (i = 0; i < ARRAY_SIZE(log); i++) {
		s.time += 20;
		t.time += 20;
		run(&s, id, i + 1, log[i]);
		run(&t, id, i + 1, log[i]);
		digests(log[i], true);
	}
	t.quiet = false;
	t.proto = 2;
	/* 1024 bytes with the head and the end are kept, 1025 are not. */
	CHECK(!strncmp(run(&t, id, 9, log[8]), "$1015\r\n", 7));
	CHECK(is_error(run(&t, id, 11, log[10]), "NOANSWER"));
	CHECK(is_error(run(&t, id, 7, log[6]), "NOANSWER"));
	for (i = 0; i < 3; i++)
		run(&s, id, i ? 9 : 7, "GET x");
	digests("refusals change nothing but the times", true);
	run(&s, id, 77, "DEL nothing");
	store_say(&t, "DEL nothing");
	digests("what was executed once is state", false);
	store_remove(&s);
	store_remove(&t);
}

/* What is found by walking over the keys is the same everywhere, with memory or without. */
static void members_agree_on_walks(void)
{
	static const char *const log[] = {
		"RANDOMKEY;RANDOMKEY;RANDOMKEY;RANDOMKEY", "KEYS *1", "SCAN 0 COUNT 7", "HSCAN h 0",
		"KEYS *", "SCAN 0 COUNT 100", "KEYS none", "SCAN x", "HSCAN none 0",
	};
	static char first[65536];
	char text[32];
	u64 id;
	u32 i;

	store_make(&s);
	store_make(&t);
	t.quiet = true;
	id = begin(&s, 5);
	CHECK_EQ(begin(&t, 5), id);
	for (i = 0; i < 90; i++) {
		snprintf(text, sizeof(text), i < 80 ? "SET key-%u-of-many 1" : "HSET h f%u v", i);
		store_say(&s, text);
		store_say(&t, text);
	}
	for (i = 0; i < ARRAY_SIZE(log); i++) {
		run_exec(&s, id, i + 1, NULL, log[i]);
		strcpy(first, s.answer);
		no_memory = true;
		run_exec(&t, id, i + 1, NULL, log[i]);
		no_memory = false;
		digests(log[i], true);
		run_exec(&s, id, i + 1, NULL, log[i]);
		CHECK(!strcmp(s.answer, first) || (strlen(first) > PXS_ANSWER_MAX &&
						  is_error(s.answer, "NOANSWER")));
		t.quiet = false;
		run_exec(&t, id, i + 1, NULL, log[i]);
		CHECK_STR(t.answer, s.answer);
		t.quiet = true;
	}
	store_remove(&s);
	store_remove(&t);
}

/* Kept as RESP3, which has pairs in it: so has RESP2 then (docs/redis.md). */
static void pairs_stay_pairs(void)
{
	u32 i;
	u64 id;

	store_make(&s);
	id = begin(&s, 5);
	store_say(&s, "HSET h f v");
	for (i = 0; i < 2; i++)
		CHECK_STR(run_exec(&s, id, 1, NULL, "HRANDFIELD h 1 WITHVALUES"),
			  "*1\r\n*1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n");
	store_remove(&s);
}

/* Which key it is, is a matter of chance: of the slot, and of the place in it. */
static void random_keys_differ(void)
{
	char text[32];
	u32 i, j, differ = 0, later = 0;

	store_make(&s);
	for (i = 0; i < 50; i++) {
		snprintf(text, sizeof(text), "SET key-%u 1", i);
		store_say(&s, text);
	}
	for (i = 0; i < 20; i++) {
		store_exec(&s, PXS_STORE_EXEC, NULL, 0, "RANDOMKEY;RANDOMKEY");
		j = (u32)strlen(s.answer);
		differ += memcmp(s.answer + 4, s.answer + 4 + (j - 4) / 2, (j - 4) / 2) != 0;
		later += i && strncmp(t.answer, s.answer, sizeof(t.answer));
		strcpy(t.answer, s.answer);
	}
	CHECK(differ > 10);
	CHECK(later > 10);
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, NULL, 0, "FLUSHALL;RANDOMKEY"),
		  "*2\r\n+OK\r\n$-1\r\n");
	store_remove(&s);
}

static void they_end(void)
{
	u64 a, b, c, d;

	store_make(&s);
	a = begin(&s, 3);
	s.time += 10;
	b = begin(&s, 3);
	s.time += 10;
	c = begin(&s, 3);
	run(&s, b, 1, "INCR x");
	run(&s, a, 1, "INCR x");
	run(&s, c, 1, "INCR x");
	s.time += 10;
	run(&s, c, 2, "INCR x");
	run(&s, a, 2, "INCR x");
	/* There are three: the one that was not used for longest makes room. */
	d = begin(&s, 3);
	CHECK(is_error(run(&s, b, 1, "INCR x"), "NOSESSION"));
	CHECK_STR(run(&s, a, 2, "INCR x"), ":5\r\n");
	CHECK_EQ(rows(&s, s.db.sessions_t), 3);
	CHECK_EQ(rows(&s, s.db.ends_t), 3);
	CHECK_EQ(rows(&s, s.db.answers_t), 4);
	/* A limit that has become smaller. */
	begin(&s, 1);
	CHECK_EQ(rows(&s, s.db.sessions_t), 1);
	CHECK(is_error(run(&s, d, 1, "INCR x"), "NOSESSION"));
	CHECK_EQ(rows(&s, s.db.answers_t), 0);
	store_remove(&s);
}

static void time_ends_them(void)
{
	u64 id[5];
	u32 i;

	store_make(&s);
	for (i = 0; i < ARRAY_SIZE(id); i++)
		id[i] = begin(&s, 10);
	for (i = 0; i < ARRAY_SIZE(id); i++)
		run(&s, id[i], 1, "INCR x");
	s.time += AGE;
	CHECK_STR(run(&s, id[0], 1, "INCR x"), ":1\r\n");
	s.time += 1;
	/* It has ended, whether it was taken away already or not; two go with each entry. */
	CHECK(is_error(run(&s, id[4], 1, "INCR x"), "NOSESSION"));
	CHECK_EQ(rows(&s, s.db.sessions_t), 3);
	store_say(&s, "PING");
	CHECK_EQ(rows(&s, s.db.sessions_t), 1);
	CHECK_EQ(rows(&s, s.db.answers_t), 1);
	store_say(&s, "PING");
	CHECK_STR(run(&s, id[0], 1, "INCR x"), ":1\r\n");
	s.time += AGE + 1;
	store_say(&s, "PING");
	CHECK_EQ(rows(&s, s.db.sessions_t), 0);
	CHECK_EQ(rows(&s, s.db.ends_t), 0);
	CHECK_EQ(rows(&s, s.db.answers_t), 0);
	store_remove(&s);
}

/* An older daemon must stop at what it does not know: version 2 says so, and only then. */
static void versions(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_SESSION, .client = 5, .seq = AGE }, got;
	u8 buf[sizeof(struct pxs_store_entry_hdr)];
	struct pxs_store_entry_hdr *h = (void *)buf;
	struct pxs_entry_walk w;

	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(h->version, 2);
	CHECK_EQ(pxs_store_entry_get(buf, sizeof(buf), &got, &w), 0);
	CHECK_EQ(got.kind, PXS_STORE_SESSION);
	h->version = 1;
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
	h->version = 0;
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -EPROTO);
	e = (struct pxs_store_entry){ .kind = PXS_STORE_BARRIER };
	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(h->version, 1);
	h->flags = cpu_to_le32(PXS_STORE_EXACTLY_ONCE);
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
	h->version = 2;
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
	h->kind = PXS_STORE_EXEC;
	CHECK_EQ(pxs_store_entry_get(buf, sizeof(buf), &got, &w), 0);
	CHECK(got.once);
	h->flags = cpu_to_le32(2);
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
}

int main(void)
{
	RUN(a_retry_gets_the_first_answer);
	RUN(transactions_too);
	RUN(another_command_is_refused);
	RUN(numbers_that_are_too_old);
	RUN(in_the_transaction_of_the_data);
	RUN(members_agree);
	RUN(members_agree_on_walks);
	RUN(pairs_stay_pairs);
	RUN(random_keys_differ);
	RUN(they_end);
	RUN(time_ends_them);
	RUN(versions);
	return unit_done();
}
