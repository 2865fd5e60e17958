// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_condition.c - conditions of transactions over several groups, applied to one group
 *
 * They are looked at when the keys of the share are locked, and nothing that happens later until
 * the decision makes a difference. Whatever does not hold, nothing is done and nothing is locked.
 */
#include "unit_twins.h"

#include <stdarg.h>

#define LOCKED	"-TRYAGAIN a key is in a transaction over several groups: nothing was executed\r\n"

/* Printed into one of a few places. */
__attribute__((format(printf, 1, 2)))
static const char *text(const char *format, ...)
{
	static char place[4][200];
	static u32 next;
	char *to = place[next++ % ARRAY_SIZE(place)];
	va_list args;

	va_start(args, format);
	vsnprintf(to, sizeof(place[0]), format, args);
	va_end(args);
	return to;
}

static u32 applied(void)
{
	return (u32)s.db.state.applied;
}

/* Written, and its version. */
static u32 write_key(const char *command)
{
	say(command);
	return applied();
}

static void pass(u64 ms)
{
	s.time += ms;
	twin.time += ms;
}

static void what_holds_is_done(void)
{
	u32 a;
	u64 slot;

	make();
	a = write_key("SET a 5");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a;?watch -%u b;INCR a", a, a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_READY);
	CHECK_EQ(s.db.state.locks, 2);
	CHECK_STR(say("GET b"), LOCKED);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), ":6\r\n");
	a = applied();
	slot = begin(text("?watch %u a", a));
	CHECK_EQ(state_of(1, slot), PXS_TX_READY);
	CHECK_STR(say("INCR a"), LOCKED);
	/* But watched here: there is an answer all the same. */
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), "+OK\r\n");
	CHECK_STR(say("INCR a"), ":7\r\n");
	CHECK_EQ(s.db.state.locks, 0);
	done();
}

/* The group 1 of two commands, where begin() has one. */
static const char *begin_two(const char *own)
{
	return step(PXS_STORE_TX, 0, 0, text("1 2;%s;7 1;SET z 1", own));
}

static void what_has_changed_is_not(void)
{
	u32 a;

	make();
	a = write_key("SET a 5");
	say("SET a 5");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("SET c 1;?watch %u a", a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_CHANGED);
	CHECK_EQ(s.db.state.locks, 0);
	/* It has said so: what comes later is nothing. */
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "SET c 1");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_CHANGED);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), "");
	CHECK_STR(begin_two(text("?watch %u a;SET c 1", a)), "*-1\r\n");
	CHECK_STR(begin_two("?absent b a;MSETNX b 1 a 1"), ":0\r\n");
	CHECK_EQ(s.db.state.crosses, 1);
	CHECK_STR(say("EXISTS b c"), ":0\r\n");
	step(PXS_STORE_TX_FORGET, OTHER, 6, "");
	CHECK_EQ(s.db.state.crosses + s.db.state.locks, 0);
	done();
}

/* Another group says no: all of it is aborted, and this is the answer. */
static void another_says_no(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_TX_ABORT, .client = 1,
				     .memory = PXS_TX_WAS_CHANGED };
	u32 a;

	make();
	a = write_key("SET a 5");
	e.seq = begin(text("?watch %u a", a));
	apply_to(&twin, &e, "");
	CHECK_STR(apply_to(&s, &e, ""), "*-1\r\n");
	begin_two("?absent b;MSETNX b 1");
	e.seq = applied();
	CHECK_EQ(s.db.state.locks, 1);
	apply_to(&twin, &e, "");
	CHECK_STR(apply_to(&s, &e, ""), ":0\r\n");
	CHECK_EQ(s.db.state.crosses + s.db.state.locks, 0);
	CHECK_EQ(s.db.state.aborted, 2);
	CHECK_STR(say("EXISTS b"), ":0\r\n");
	done();
}

/* Who has the key may be about to change it. */
static void a_locked_key_is_not_looked_at(void)
{
	u64 slot;
	u32 a;

	make();
	a = write_key("SET a 5");
	slot = begin("SET a 6");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a", a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_GONE);
	CHECK_STR(begin_two(text("?watch %u a;SET c 1", a)), LOCKED);
	CHECK_STR(begin_two("?absent a;MSETNX a 1"), LOCKED);
	step(PXS_STORE_TX_COMMIT, 1, slot, "");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a", a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_CHANGED);
	done();
}

/* As inside one group. */
static void whatever_changes_it_counts(void)
{
	static const char *const change[] = {
		"SET a 5", "DEL a", "EXPIRE a 100", "RENAME b a", "RENAME a c", "FLUSHALL", "APPEND a x",
	};
	u32 i, a;

	for (i = 0; i < ARRAY_SIZE(change); i++) {
		make();
		say("SET b 1");
		a = write_key("SET a 5");
		say(change[i]);
		step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a", a));
		if (!CHECK(state_of(OTHER, 5) == PXS_TX_CHANGED))
			printf("# %s\n", change[i]);
		done();
	}
	make();
	a = write_key("SET b 1");
	say("SET a 1");
	say("DEL a");	/* it came and went */
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch -%u a", a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_CHANGED);
	step(PXS_STORE_TX_PREPARE, OTHER, 6, text("?watch -%u a", applied()));
	CHECK_EQ(state_of(OTHER, 6), PXS_TX_READY);
	done();
}

static void what_has_expired_has_changed(void)
{
	u32 a;

	make();
	a = write_key("SET a 5 PX 100");
	pass(200);
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a", a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_CHANGED);
	step(PXS_STORE_TX_PREPARE, OTHER, 6, "?absent a;MSETNX a 6");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 6, ""), ":1\r\n");
	CHECK_STR(say("GET a"), "$1\r\n6\r\n");
	done();
}

/* Otherwise it would be unchanged for the condition, and gone for the command. */
static void what_is_locked_does_not_expire(void)
{
	u32 a;

	make();
	a = write_key("SET a 5 PX 100");
	say("SET b 1 PX 150");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a;GET a", a));
	pass(200);
	step(PXS_STORE_BARRIER, 0, 0, "");
	CHECK_EQ(s.db.state.keys, 1);	/* of the others each goes in its time */
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), "$1\r\n5\r\n");
	CHECK_STR(say("GET a"), "$-1\r\n");
	CHECK_EQ(s.db.state.keys, 0);
	/* Without a condition it is as it was in older logs. */
	say("SET a 5 PX 100");
	step(PXS_STORE_TX_PREPARE, OTHER, 6, "GET a");
	pass(200);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 6, ""), "$-1\r\n");
	done();
}

/* A transaction that is not to be done does not fail for want of room. */
static void changed_comes_before_full(void)
{
	u32 a;

	make();
	a = write_key("SET a 0123456789");
	say("DEL a");
	say("SET a 0123456789");
	s.memory = 10;
	CHECK_STR(begin_two(text("?watch %u a;SET c 1", a)), "*-1\r\n");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, text("?watch %u a;SET c 1", a));
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_CHANGED);
	step(PXS_STORE_TX_PREPARE, OTHER, 6, text("?watch %u a;SET c 1", applied() - 2));
	CHECK_EQ(state_of(OTHER, 6), PXS_TX_FULL);
	done();
}

/* A program that does not know conditions would do the share without them. */
static bool is_marked(u64 slot)
{
	struct pxs_pair at = pxs_pair(OTHER, slot);
	MDB_val v = { 0, NULL };
	bool marked;

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK(pxs_pair_find(&s.db, s.db.crosses_t, &at, &v));
	marked = v.mv_size > 8 && ((const u8 *)v.mv_data)[8] > PXS_TX_FULL;
	pxs_db_abort(&s.db);
	return marked;
}

static void older_programs_do_not_mistake_it(void)
{
	make();
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "?absent a;SET a 1");
	CHECK(is_marked(5));
	step(PXS_STORE_TX_PREPARE, OTHER, 6, "SET b 1");
	CHECK(!is_marked(6));
	done();
}

static void a_checkpoint_has_it_whole(void)
{
	u32 a;
	u64 slot;

	make();
	a = write_key("SET a 5 PX 100");
	slot = begin(text("?watch %u a", a));
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "?absent b;MSETNX b 1");
	step(PXS_STORE_TX_PREPARE, OTHER, 6, text("?watch %u c", a));
	CHECK_EQ(state_of(OTHER, 6), PXS_TX_CHANGED);
	pxs_db_close(&s.db, true);
	store_open(&s);
	restore_twin();
	CHECK(are_equal());
	pass(200);
	step(PXS_STORE_BARRIER, 0, 0, "");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), "+OK\r\n");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), ":1\r\n");
	CHECK_EQ(s.db.state.locks, 0);
	done();
}

/* --- what is none ------------------------------------------------------------------ */

static void what_is_no_condition(void)
{
	static const char *const bad[] = { "?absent", "?watch 1", "?watch 1 a b", "?watch x a" };
	u32 i;

	make();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		step(PXS_STORE_TX_PREPARE, OTHER, 5, text("SET a 1;%s", bad[i]));
		CHECK_EQ(s.db.state.foreign, 2 * i + 1);
		step(PXS_STORE_TX, 0, 0, text("1 1;SET a 1;7 1;%s", bad[i]));
		CHECK_EQ(s.db.state.foreign, 2 * i + 2);
	}
	CHECK_EQ(s.db.state.crosses + s.db.state.locks, 0);
	done();
}

/* The version is that which the entry needs, and one that says less is not to be believed. */
static void it_says_that_it_is_of_a_new_version(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_TX_PREPARE, .client = OTHER, .seq = 5,
				     .ncommands = 1 }, got;
	struct pxs_str argv[] = { pxs_condition_absent(), pxs_str("a") };
	struct pxs_args args = { 2, argv };
	struct pxs_entry_walk w;
	u8 buf[200], copy[200];
	u32 len = (u32)pxs_store_entry_size(NULL, 0, &args, 1), head;

	pxs_store_entry_put(buf, &e, NULL, &args);
	CHECK_EQ(buf[4], 7);
	CHECK_EQ(pxs_store_entry_get(buf, len, &got, &w), 0);
	head = w.pos;
	pxs_store_entry_put_bytes(copy, &e, (struct pxs_str){ buf + head, len - head });
	CHECK(!memcmp(buf, copy, len));
	buf[4] = 6;
	CHECK_EQ(pxs_store_entry_get(buf, len, &got, &w), -ENOMSG);
	argv[0] = pxs_str("DEL");
	len = (u32)pxs_store_entry_size(NULL, 0, &args, 1);
	pxs_store_entry_put(buf, &e, NULL, &args);
	CHECK_EQ(buf[4], 6);
	pxs_store_entry_put_bytes(copy, &e, (struct pxs_str){ buf + head, len - head });
	CHECK(!memcmp(buf, copy, len));
}

/* Nobody can say one: it is a command that nobody knows. */
static void it_is_no_command(void)
{
	struct pxs_str name = pxs_condition_absent();

	make();
	CHECK(!pxs_cmd_find(name));
	CHECK_EQ(name.data[0], 0);
	done();
}

int main(void)
{
	RUN(what_holds_is_done);
	RUN(what_has_changed_is_not);
	RUN(another_says_no);
	RUN(a_locked_key_is_not_looked_at);
	RUN(whatever_changes_it_counts);
	RUN(what_has_expired_has_changed);
	RUN(what_is_locked_does_not_expire);
	RUN(changed_comes_before_full);
	RUN(older_programs_do_not_mistake_it);
	RUN(a_checkpoint_has_it_whole);
	RUN(what_is_no_condition);
	RUN(it_says_that_it_is_of_a_new_version);
	RUN(it_is_no_command);
	return unit_done();
}
