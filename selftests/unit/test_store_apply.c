// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_apply.c - entries applied to a store: commands, time, memory, transactions
 *
 * What the commands answer is compared with a real Redis by store_redis.py; here is what that
 * cannot see: that time comes from the log, that two members agree, that what is wrong changes
 * nothing.
 */
#include "unit_store.h"

static struct unit_store s, t;

static void digest_of(struct unit_store *u, u8 digest[16])
{
	CHECK_EQ(pxs_db_begin(&u->db, false), 0);
	pxs_db_digest(&u->db, digest);
	pxs_db_abort(&u->db);
}

static bool equal(void)
{
	u8 a[16], b[16];

	digest_of(&s, a);
	digest_of(&t, b);
	return !memcmp(a, b, 16) && !memcmp(&s.db.state, &t.db.state, sizeof(s.db.state));
}

static void strings(void)
{
	store_make(&s);
	CHECK_STR(store_say(&s, "SET a 1"), "+OK\r\n");
	CHECK_STR(store_say(&s, "INCRBY a 41"), ":42\r\n");
	CHECK_STR(store_say(&s, "APPEND a x"), ":3\r\n");
	CHECK_STR(store_say(&s, "GET a"), "$3\r\n42x\r\n");
	CHECK_STR(store_say(&s, "INCR a"), "-ERR value is not an integer or out of range\r\n");
	CHECK_STR(store_say(&s, "SETRANGE b 3 x"), ":4\r\n");
	CHECK_STR(store_say(&s, "STRLEN b"), ":4\r\n");
	CHECK_STR(store_say(&s, "HSET a f v"),
		  "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n");
	CHECK_STR(store_say(&s, "INCRBYFLOAT f 0.1"), "$3\r\n0.1\r\n");
	CHECK_STR(store_say(&s, "DBSIZE"), ":3\r\n");
	CHECK_EQ(s.db.state.applied, 10);
	store_remove(&s);
}

static void hashes_and_sums(void)
{
	store_make(&s);
	store_say(&s, "HSET h a 1 b 2 c 3");
	CHECK_STR(store_say(&s, "HDEL h b"), ":1\r\n");
	CHECK_STR(store_say(&s, "HSET h b 4"), ":1\r\n");
	/* In the order in which they came; b came last. */
	CHECK_STR(store_say(&s, "HGETALL h"),
		  "*6\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nc\r\n$1\r\n3\r\n$1\r\nb\r\n$1\r\n4\r\n");
	store_say(&s, "RENAME h i");
	CHECK_STR(store_say(&s, "HGET i c"), "$1\r\n3\r\n");
	store_say(&s, "PEXPIRE i 100");
	store_say(&s, "SET i string");
	CHECK_EQ(s.db.state.expires, 0);
	CHECK_EQ(s.db.state.used, PXS_DB_OVERHEAD + 1 + 6);
	store_say(&s, "HSET j a 1");
	store_say(&s, "HDEL j a");
	CHECK_STR(store_say(&s, "EXISTS j"), ":0\r\n");
	store_say(&s, "DEL i");
	/* Nothing is left, whatever the way it went. */
	CHECK_EQ(s.db.state.used, 0);
	CHECK_EQ(s.db.state.keys, 0);
	store_remove(&s);
}

/* Where nobody waits for the answer, a read takes no longer than to find its key. */
static void reads_that_nobody_reads(void)
{
	static char field[16384], text[sizeof(field) + 64];
	clock_t began;

	store_make(&s);
	memset(field, 'a', sizeof(field) - 1);
	store_say(&s, "HSET short f v");
	snprintf(text, sizeof(text), "HSET h %s v", field);
	store_say(&s, text);
	s.quiet = true;
	store_exec(&s, PXS_STORE_EXEC, NULL, 0, "HRANDFIELD short -20000000;HRANDFIELD short 1");
	CHECK_EQ(s.db.draws, 0);
	began = clock();
	snprintf(text, sizeof(text), "HSCAN h 0 MATCH *%.8000sb", field);
	store_exec(&s, PXS_STORE_EXEC, NULL, 0, text);
	CHECK(clock() - began < CLOCKS_PER_SEC / 4);
	/* Reading has expired the key all the same. */
	s.quiet = false;
	store_say(&s, "PEXPIRE short 100");
	s.time += 101;
	s.quiet = true;
	store_exec(&s, PXS_STORE_EXEC, NULL, 0, "HRANDFIELD short -3");
	CHECK_EQ(s.db.state.keys, 1);
	store_remove(&s);
}

#define FIELDS	2000u
#define TIMES	1000u

/* CPU time that an entry with @n times the same command takes. */
static clock_t time_of(u32 n, u32 argc, struct pxs_str *argv)
{
	struct pxs_store_entry e = {
		.kind = PXS_STORE_EXEC, .ncommands = n, .time = s.time,
	};
	static struct pxs_args args[TIMES];
	clock_t began;
	u64 size;
	u32 i;
	u8 *buf;

	for (i = 0; i < n; i++)
		args[i] = (struct pxs_args){ argc, argv };
	size = pxs_store_entry_size(NULL, 0, args, n);
	buf = malloc(size);
	pxs_store_entry_put(buf, &e, NULL, args);
	began = clock();
	CHECK_EQ(store_apply(&s, buf, (u32)size), 0);
	free(buf);
	return clock() - began;
}

static void make_fields(void)
{
	static struct pxs_str set[2 + 2 * FIELDS];
	static char name[FIELDS][8];
	u32 i;

	set[0] = pxs_str("HSET");
	set[1] = pxs_str("h");
	for (i = 0; i < FIELDS; i++) {
		snprintf(name[i], sizeof(name[i]), "%u", i);
		set[2 + 2 * i] = pxs_str(name[i]);
		set[3 + 2 * i] = pxs_str("v");
	}
	time_of(1, ARRAY_SIZE(set), set);
}

/* Each of them looks at all fields: at who is asked, and nowhere else. */
static void sizes_that_nobody_reads(void)
{
	struct pxs_str ask[] = { pxs_str("MEMORY"), pxs_str("USAGE"), pxs_str("h") };
	clock_t asked;

	store_make(&s);
	make_fields();
	asked = time_of(TIMES, ARRAY_SIZE(ask), ask);
	s.quiet = true;
	CHECK(time_of(TIMES, ARRAY_SIZE(ask), ask) < asked / 4);
	store_remove(&s);
}

#define TEN	10u

/* The field that an entry in the next slot draws of those at hand. */
static const char *drawn(const char *const *fields, u32 n)
{
	u64 draw[2] = { cpu_to_le64(s.db.state.applied + 1), 0 };
	static char text[16];

	snprintf(text, sizeof(text), "$2\r\n%s\r\n",
		 fields[pxs_siphash(&s.db.seed, draw, sizeof(draw)) % n]);
	return text;
}

/* Reads draw by chance: what comes in many of them, as bits. */
static u32 seen_by_reads(void)
{
	struct pxs_str argv[] = { pxs_str("HRANDFIELD"), pxs_str("h") };
	struct pxs_reply out;
	u32 i, seen = 0;

	pxs_reply_init(&out, 2, 64);
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	for (i = 0; i < 1000; i++) {
		out.len = 0;
		pxs_apply_read(&s.db, pxs_cmd_find(argv[0]), 2, argv, s.time, &out);
		CHECK(out.len == 8 && out.buf[4] == 'f');
		seen |= 1u << (out.buf[5] - '0');
	}
	CHECK_EQ(s.db.err, 0);
	pxs_db_abort(&s.db);
	pxs_reply_free(&out);
	return seen;
}

/* In the log it is the n-th, as older programs of the same cluster have it, with holes as well. */
static void one_field_by_chance(void)
{
	static const char *const all[TEN] = {
		"f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8", "f9",
	};
	static const char *const left[] = { "f0", "f2", "f5", "f9" };
	const char *want;
	u32 i;

	store_make(&s);
	store_say(&s, "HSET h f0 v f1 v f2 v f3 v f4 v f5 v f6 v f7 v f8 v f9 v");
	for (i = 0; i < 30; i++) {
		want = drawn(all, TEN);
		CHECK_STR(store_say(&s, "HRANDFIELD h"), want);
	}
	CHECK_EQ(seen_by_reads(), 0x3ff);
	store_say(&s, "HDEL h f1 f3 f4 f6 f7 f8");
	for (i = 0; i < 30; i++) {
		want = drawn(left, ARRAY_SIZE(left));
		CHECK_STR(store_say(&s, "HRANDFIELD h"), want);
	}
	CHECK_EQ(seen_by_reads(), 0x225);
	/* Nearly all of its places are empty. */
	for (i = 0; i < 500; i++) {
		store_say(&s, "HSET h x v");
		store_say(&s, "HDEL h x");
	}
	CHECK_EQ(seen_by_reads(), 0x225);
	store_remove(&s);
}

/* ... is found without looking at all of them. */
static void one_field_of_many(void)
{
	struct pxs_str one[] = { pxs_str("HRANDFIELD"), pxs_str("h") };
	struct pxs_str some[] = { pxs_str("HRANDFIELD"), pxs_str("h"), pxs_str("1") };
	struct pxs_reply out;
	clock_t all, began;
	u32 i;

	store_make(&s);
	make_fields();
	all = time_of(TIMES, ARRAY_SIZE(some), some);
	CHECK(time_of(TIMES, ARRAY_SIZE(one), one) < all / 4);
	store_say(&s, "HDEL h 7");
	pxs_reply_init(&out, 2, 1 << 20);
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	began = clock();
	for (i = 0; i < TIMES; i++)
		pxs_apply_read(&s.db, pxs_cmd_find(one[0]), 2, one, s.time, &out);
	CHECK(clock() - began < all / 4);
	pxs_db_abort(&s.db);
	pxs_reply_free(&out);
	store_remove(&s);
}

static void time_is_the_log_s(void)
{
	store_make(&s);
	store_say(&s, "SET a x PX 100");
	store_say(&s, "SET b x PX 5000");
	s.time += 100;
	CHECK_STR(store_say(&s, "GET a"), "$1\r\nx\r\n");
	/* A proposer whose clock is behind does not turn time back. */
	s.time -= 1000;
	CHECK_STR(store_say(&s, "PTTL a"), ":0\r\n");
	CHECK_STR(store_say(&s, "PTTL b"), ":4900\r\n");
	s.time += 1001;
	CHECK_STR(store_say(&s, "GET a"), "$-1\r\n");
	CHECK_EQ(s.db.state.keys, 1);
	s.time += 10000;
	/* Nobody asks for b: it goes nevertheless. */
	store_say(&s, "PING");
	CHECK_EQ(s.db.state.keys, 0);
	CHECK_EQ(s.db.state.expires, 0);
	CHECK_EQ(s.db.state.time, 1000000 + 100 - 1000 + 1001 + 10000);
	store_remove(&s);
}

/* In bounded steps, so that no entry takes long, and the same ones everywhere. */
static void the_expired_go_step_by_step(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_BARRIER, .time = 5000000 };
	u8 buf[sizeof(struct pxs_store_entry_hdr)];
	char command[32];
	u32 i;

	store_make(&s);
	for (i = 0; i < PXS_BARRIER_REAP + PXS_APPLY_REAP + 3; i++) {
		snprintf(command, sizeof(command), "SET k%u x PX 1000", i);
		store_say(&s, command);
	}
	s.time = e.time;
	store_say(&s, "PING");
	CHECK_EQ(s.db.state.keys, PXS_BARRIER_REAP + 3);
	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(store_apply(&s, buf, sizeof(buf)), 0);
	CHECK_EQ(s.db.state.keys, 3);
	/* Those that are still there are not seen. */
	CHECK_STR(store_say(&s, "KEYS *"), "*0\r\n");
	CHECK_EQ(s.db.state.used, 0);
	store_remove(&s);
}

static void a_read_deletes_nothing(void)
{
	struct pxs_rec rec;

	store_make(&s);
	store_say(&s, "SET a x PX 100");
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK(pxs_db_find(&s.db, pxs_str("a"), &rec));
	s.db.now = s.time + 101;
	CHECK(!pxs_db_find(&s.db, pxs_str("a"), &rec));
	CHECK(!s.db.err);
	pxs_db_abort(&s.db);
	CHECK_EQ(s.db.state.keys, 1);
	store_remove(&s);
}

static void transactions(void)
{
	struct pxs_watch watch = { .key = pxs_str("a") };
	struct pxs_rec rec;

	store_make(&s);
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, NULL, 0, "SET a 1;INCR a;GET;INCR b"),
		  "*4\r\n+OK\r\n:2\r\n-ERR wrong number of arguments for 'get' command\r\n:1\r\n");
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK(pxs_db_find(&s.db, pxs_str("a"), &rec));
	watch.version = rec.version;
	pxs_db_abort(&s.db);
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, &watch, 1, "INCR a"), "*1\r\n:3\r\n");
	/* That has changed it. */
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, &watch, 1, "INCR a"), "*-1\r\n");
	CHECK_STR(store_say(&s, "GET a"), "$1\r\n3\r\n");
	watch = (struct pxs_watch){ .key = pxs_str("none") };
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, &watch, 1, "SET none 1"), "*1\r\n+OK\r\n");
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, &watch, 1, "SET none 2"), "*-1\r\n");
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, NULL, 0, "EXEC;WATCH a"),
		  "*2\r\n-ERR Command not allowed inside a transaction\r\n"
		  "-ERR Command not allowed inside a transaction\r\n");
	store_remove(&s);
}

static void memory_is_the_entry_s(void)
{
	store_make(&s);
	store_say(&s, "SET a 12345678");
	s.memory = PXS_DB_OVERHEAD + 8;
	CHECK_STR(store_say(&s, "SET b 1"),
		  "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, NULL, 0, "GET a;SET b 1"),
		  "-EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.\r\n");
	CHECK_STR(store_say(&s, "GET a"), "$8\r\n12345678\r\n");
	CHECK_STR(store_say(&s, "DEL a"), ":1\r\n");
	CHECK_STR(store_say(&s, "SET b 1"), "+OK\r\n");
	store_remove(&s);
}

static void what_is_no_entry(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_BARRIER, .time = 5 };
	u8 buf[sizeof(struct pxs_store_entry_hdr) + 1];
	u32 len = sizeof(struct pxs_store_entry_hdr);

	store_make(&s);
	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(store_apply(&s, "hello", 5), 0);
	CHECK_EQ(s.db.state.foreign, 1);
	CHECK_EQ(store_apply(&s, NULL, 0), 0);
	CHECK_EQ(s.db.state.foreign, 1);
	CHECK_EQ(store_apply(&s, buf, len), 0);
	CHECK_EQ(s.db.state.time, 5);
	CHECK_EQ(store_apply(&s, buf, len + 1), 0);
	CHECK_EQ(s.db.state.foreign, 2);
	buf[4] = PXS_STORE_VERSION + 1;
	CHECK(store_apply(&s, buf, len) == -EPROTO);
	CHECK_EQ(s.db.state.applied, 4);
	store_remove(&s);
}

/* The same log in one go, and slot by slot with restarts and failed attempts in between. */
static void members_agree(void)
{
	static const char *const log[] = {
		"SET a 1", "HSET h a 1 b 2 c 3", "PEXPIRE a 50", "INCR n", "HINCRBY h b 5", "HDEL h a",
		"RENAME h g", "SET a 2 KEEPTTL", "HSET g '' ''", "APPEND n x", "DEL nothing",
		"SETRANGE r 100 y", "FLUSHALL", "HSET g z 1", "GETEX g", "MSET a 1 b 2 c 3",
	};
	u32 i;

	store_make(&s);
	store_make(&t);
	for (i = 0; i < ARRAY_SIZE(log); i++) {
		s.time += 20;
		t.time += 20;
		store_say(&s, log[i]);
		CHECK_EQ(pxs_db_begin(&t.db, true), 0);
		t.db.slot = 999;
		pxs_db_set_string(&t.db, pxs_str("never"), pxs_str("was"), 5);
		pxs_db_abort(&t.db);
		pxs_db_close(&t.db, i % 2);
		store_open(&t);
		store_say(&t, log[i]);
		CHECK(equal());
	}
	store_say(&t, "SET a 1");
	CHECK(!equal());
	store_remove(&s);
	store_remove(&t);
}

static u64 gone(const char *key)
{
	u64 slot;

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	slot = pxs_db_gone(&s.db, pxs_str(key));
	pxs_db_abort(&s.db);
	return slot;
}

/* ... as DEL of each would; what was deleted before stays as it was. */
static void flushall_deletes_what_is_there(void)
{
	char text[32];
	u32 i;

	store_make(&s);
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "SET k%u 1", i);
		store_say(&s, text);
	}
	store_say(&s, "SET before 1");
	store_say(&s, "DEL before");
	store_say(&s, "FLUSHALL");
	for (i = 0; i < 300; i++) {
		snprintf(text, sizeof(text), "k%u", i);
		CHECK_EQ(gone(text), 303);
	}
	CHECK_EQ(gone("before"), 302);
	CHECK_EQ(gone("never"), 0);
	CHECK_EQ(s.db.state.keys, 0);
	CHECK_EQ(s.db.state.used, 0);
	store_say(&s, "FLUSHALL");
	CHECK_EQ(gone("k0"), 303);
	store_remove(&s);
}

/* What such an entry meant when it was written stays so: all members read the same. */
static void flushall_of_older_programs(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_COMMAND, .ncommands = 1, .time = 5 };
	struct pxs_str flush = pxs_str("FLUSHALL");
	const struct pxs_args args = { 1, &flush };
	u8 buf[64];

	store_make(&s);
	store_say(&s, "SET a 1");
	pxs_store_entry_put(buf, &e, NULL, &args);
	CHECK_EQ(buf[4], PXS_STORE_FLUSH_VERSION);
	buf[4] = PXS_STORE_FLUSH_VERSION - 1;
	CHECK_EQ(store_apply(&s, buf, (u32)pxs_store_entry_size(NULL, 0, &args, 1)), 0);
	CHECK_EQ(gone("never"), 2);
	store_say(&s, "FLUSHALL");
	CHECK_EQ(gone("never"), 2);
	store_remove(&s);
}

/* Whoever does not know it must stop, and nobody else. */
static void which_programs_know_flushall(void)
{
	static const struct {
		const char *words[2];
		u8 version;
	} of[] = {
		{ { "FLUSHALL", "SYNC" }, PXS_STORE_FLUSH_VERSION },
		{ { "flushdb", "async" }, PXS_STORE_FLUSH_VERSION },
		{ { "FLUSHALL", "x" }, 1 },
		{ { "GET", "x" }, 1 },
	};
	struct pxs_str words[2], four[] = { pxs_str("HINCRBYFLOAT"), pxs_str("a"), pxs_str("b"),
					    pxs_str("1") };
	const struct pxs_args args[] = { { 4, four }, { 2, words }, { 4, four } };
	struct pxs_store_entry e = { .kind = PXS_STORE_EXEC, .ncommands = 3 };
	u8 buf[256];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		words[0] = pxs_str(of[i].words[0]);
		words[1] = pxs_str(of[i].words[1]);
		e.ncommands = 3;
		pxs_store_entry_put(buf, &e, NULL, args);
		CHECK_EQ(buf[4], max(of[i].version, (u8)4));
		e.ncommands = 1;
		pxs_store_entry_put(buf, &e, NULL, args + 1);
		CHECK_EQ(buf[4], of[i].version);
	}
}

int main(void)
{
	RUN(strings);
	RUN(hashes_and_sums);
	RUN(reads_that_nobody_reads);
	RUN(sizes_that_nobody_reads);
	RUN(one_field_by_chance);
	RUN(one_field_of_many);
	RUN(time_is_the_log_s);
	RUN(the_expired_go_step_by_step);
	RUN(a_read_deletes_nothing);
	RUN(transactions);
	RUN(memory_is_the_entry_s);
	RUN(what_is_no_entry);
	RUN(members_agree);
	RUN(flushall_deletes_what_is_there);
	RUN(flushall_of_older_programs);
	RUN(which_programs_know_flushall);
	return unit_done();
}
