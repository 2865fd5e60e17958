// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_cross_apply.c - transactions over several groups, applied to one group's store
 *
 * The group at hand is 1; where it is a participant, group 7 is the coordinator (who proposes sees
 * to the order of groups). What comes twice or too late is nothing; replicas are equal, and so is
 * one that was made again from a checkpoint.
 */
#include "unit_twins.h"

static void as_coordinator(void)
{
	u64 slot;

	make();
	say("SET a 5");
	slot = begin("INCR a");
	CHECK_EQ(state_of(1, slot), PXS_TX_READY);
	CHECK_EQ(s.db.state.locks, 1);
	CHECK_STR(say("GET a"), LOCKED);
	CHECK_STR(say("SET b 1"), "+OK\r\n");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), ":6\r\n");
	CHECK_EQ(state_of(1, slot), PXS_TX_DONE);
	CHECK_EQ(s.db.state.locks, 0);
	CHECK_EQ(s.db.state.committed, 1);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), "");
	CHECK_STR(step(PXS_STORE_TX_ABORT, 1, slot, ""), "");
	CHECK_STR(say("GET a"), "$1\r\n6\r\n");
	step(PXS_STORE_TX_END, 1, slot, "");
	CHECK_EQ(s.db.state.crosses, 0);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), "");
	CHECK_STR(say("GET a"), "$1\r\n6\r\n");
	done();
}

static void it_may_be_aborted(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_TX_ABORT, .client = 1 };
	u64 slot;

	make();
	slot = begin("MSET a 1 b 2");
	CHECK_EQ(s.db.state.locks, 2);
	step(PXS_STORE_TX_END, 1, slot, "");	/* not before it is decided */
	CHECK_EQ(state_of(1, slot), PXS_TX_READY);
	e.seq = slot;
	e.memory = PXS_TX_WAS_FULL;
	apply_to(&twin, &e, "");
	CHECK(!strncmp(apply_to(&s, &e, ""), "-OOM ", 5));
	CHECK_EQ(s.db.state.locks + s.db.state.crosses, 0);
	CHECK_EQ(s.db.state.aborted, 1);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), "");
	CHECK_STR(say("EXISTS a b"), ":0\r\n");
	slot = begin("SET a 1");
	CHECK(!strncmp(step(PXS_STORE_TX_ABORT, 1, slot, ""), "-TRYAGAIN the tr", 16));
	done();
}

static void as_participant(void)
{
	make();
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "INCR a;GET a");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_READY);
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "INCR a");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), ":1\r\n$1\r\n1\r\n");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_DONE);
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "INCR a");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), "");
	CHECK_STR(say("GET a"), "$1\r\n1\r\n");
	CHECK_EQ(s.db.state.committed, 0);
	done();
}

static void a_participant_that_is_aborted(void)
{
	make();
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "INCR a");
	CHECK_STR(step(PXS_STORE_TX_ABORT, OTHER, 5, ""), "");
	CHECK_EQ(s.db.state.crosses + s.db.state.locks, 0);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), "");
	CHECK_STR(say("EXISTS a"), ":0\r\n");
	done();
}

/* What was forgotten is not begun again, by an entry that was long on its way. */
static void what_is_forgotten_stays_so(void)
{
	make();
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "INCR a");
	step(PXS_STORE_TX_COMMIT, OTHER, 5, "");
	step(PXS_STORE_TX_PREPARE, OTHER, 6, "INCR b");
	step(PXS_STORE_TX_FORGET, OTHER, 7, "");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_GONE);
	CHECK_EQ(state_of(OTHER, 6), PXS_TX_READY);
	step(PXS_STORE_TX_FORGET, OTHER, 3, "");	/* an old one */
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "INCR a");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_GONE);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), "");
	step(PXS_STORE_TX_ABORT, OTHER, 6, "");
	CHECK_STR(say("GET a"), "$1\r\n1\r\n");
	/* Another coordinator has slots of its own. */
	step(PXS_STORE_TX_PREPARE, OTHER + 1, 5, "INCR a");
	CHECK_EQ(state_of(OTHER + 1, 5), PXS_TX_READY);
	done();
}

/* A FORGET takes a bounded time, and the floor is where it has come to. */
static void many_are_forgotten_one_after_the_other(void)
{
	u32 i, n = PXS_CROSS_FORGET + 10;

	make();
	for (i = 1; i <= n; i++) {
		step(PXS_STORE_TX_PREPARE, OTHER, i, "DEL a");
		step(PXS_STORE_TX_COMMIT, OTHER, i, "");
	}
	CHECK_EQ(s.db.state.crosses, n);
	step(PXS_STORE_TX_FORGET, OTHER, n, "");
	CHECK_EQ(s.db.state.crosses, 10);
	step(PXS_STORE_TX_PREPARE, OTHER, PXS_CROSS_FORGET, "DEL a");
	CHECK_EQ(s.db.state.locks, 0);
	step(PXS_STORE_TX_FORGET, OTHER, n, "");
	CHECK_EQ(s.db.state.crosses, 1);
	CHECK_EQ(state_of(OTHER, n), PXS_TX_DONE);
	step(PXS_STORE_TX_FORGET, OTHER, n + 1, "");
	CHECK_EQ(s.db.state.crosses, 0);
	done();
}

static void locks_keep_others_out(void)
{
	struct pxs_watch watch = { .version = PXS_WATCH_ABSENT, .key = pxs_str("a") };
	u64 slot;

	make();
	slot = begin("SET a 1");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "SET b 1;SET a 2");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_GONE);
	CHECK_EQ(s.db.state.locks, 1);
	CHECK_STR(step(PXS_STORE_TX, 0, 0, "1 1;DEL c a;7 1;DEL z"), LOCKED);
	CHECK_STR(say("MSET b 1 a 1"), LOCKED);
	CHECK_STR(say("RENAME b a"), LOCKED);
	CHECK_STR(say("FLUSHALL"), LOCKED);
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, NULL, 0, "SET c 1;SET a 1"), LOCKED);
	store_exec(&twin, PXS_STORE_EXEC, NULL, 0, "SET c 1;SET a 1");
	CHECK_STR(store_exec(&s, PXS_STORE_EXEC, &watch, 1, "SET c 1"), LOCKED);
	store_exec(&twin, PXS_STORE_EXEC, &watch, 1, "SET c 1");
	CHECK_STR(say("EXISTS b c"), ":0\r\n");
	step(PXS_STORE_TX_COMMIT, 1, slot, "");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "SET b 1;SET a 2");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_READY);
	CHECK_EQ(s.db.state.locks, 2);
	step(PXS_STORE_TX_ABORT, OTHER, 5, "");
	CHECK_STR(say("FLUSHALL"), "+OK\r\n");
	done();
}

/* Another state is another digest. */
static void all_of_it_is_in_the_digest(void)
{
	u8 before[16], now[16];

	make();
	digest_of(&s, before);
	step(PXS_STORE_TX_FORGET, OTHER, 5, "");
	digest_of(&s, now);
	CHECK(memcmp(before, now, sizeof(now)));
	memcpy(before, now, sizeof(now));
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "DEL a");
	digest_of(&s, now);
	CHECK(memcmp(before, now, sizeof(now)));
	done();
}

/* Number of the saga that was begun. */
static u64 begin_saga(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_SAGA, .client = 10, .seq = 1000000 };
	const char *words = "PAXSTEER SAGA BEGIN g STEP a DO 2 INCR a UNDO 2 DECR a";

	apply_to(&twin, &e, words);
	CHECK(apply_to(&s, &e, words)[0] == ':');
	return s.db.state.applied;
}

static void a_saga_waits_for_the_key(void)
{
	u64 saga, slot;

	make();
	slot = begin("INCR a");
	saga = begin_saga();
	step(PXS_STORE_SAGA_STEP, saga, 0, "");
	step(PXS_STORE_SAGA_STEP, saga, 1, "");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), ":1\r\n");
	step(PXS_STORE_SAGA_STEP, saga, 0, "");
	step(PXS_STORE_SAGA_STEP, saga, 1, "");
	CHECK_STR(say("GET a"), "$1\r\n2\r\n");
	done();
}

/* A number of a session is used by what was executed alone. */
static void a_session_may_ask_again(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_SESSION, .client = 4, .seq = 60000 };
	u64 slot;

	make();
	apply_to(&s, &e, "");
	apply_to(&twin, &e, "");
	slot = begin("SET a 1");
	s.session = 1;
	s.number = 1;
	twin.session = 1;
	twin.number = 1;
	CHECK_STR(say("INCR a"), LOCKED);
	step(PXS_STORE_TX_COMMIT, 1, slot, "");
	CHECK_STR(say("INCR a"), ":2\r\n");
	CHECK_STR(say("INCR a"), ":2\r\n");
	done();
}

static void a_full_group_says_no(void)
{
	u64 slot;

	make();
	say("SET big 0123456789");
	s.memory = 10;
	CHECK(!strncmp(step(PXS_STORE_TX, 0, 0, "1 1;SET a 1;7 1;SET z 1"), "-OOM ", 5));
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "SET a 1");
	CHECK_EQ(state_of(OTHER, 5), PXS_TX_FULL);
	CHECK_EQ(s.db.state.locks, 0);
	CHECK_STR(step(PXS_STORE_TX_COMMIT, OTHER, 5, ""), "");
	step(PXS_STORE_TX_FORGET, OTHER, 6, "");
	CHECK_EQ(s.db.state.crosses, 0);
	slot = begin("DEL big");
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), ":1\r\n");
	done();
}

static void a_checkpoint_has_what_is_prepared(void)
{
	u64 slot;

	make();
	step(PXS_STORE_TX_PREPARE, OTHER, 2, "SET old 1");
	step(PXS_STORE_TX_COMMIT, OTHER, 2, "");
	step(PXS_STORE_TX_FORGET, OTHER, 3, "");
	slot = begin("INCR a");
	step(PXS_STORE_TX_PREPARE, OTHER, 5, "SET b 1");
	restore_twin();
	CHECK(are_equal());
	CHECK_EQ(twin.db.state.locks, 2);
	CHECK_EQ(twin.db.state.crosses, 2);
	/* It goes on there as it does here. */
	CHECK_STR(say("SET a 1"), LOCKED);
	CHECK_STR(twin.answer, LOCKED);
	step(PXS_STORE_TX_PREPARE, OTHER, 2, "SET old 2");
	step(PXS_STORE_TX_COMMIT, OTHER, 2, "");
	step(PXS_STORE_TX_COMMIT, 1, slot, "");
	step(PXS_STORE_TX_COMMIT, OTHER, 5, "");
	CHECK_STR(say("GET a"), "$1\r\n1\r\n");
	CHECK_STR(say("GET old"), "$1\r\n1\r\n");
	done();
}

/* The process ends and begins again, with a transaction prepared. */
static void a_restart_changes_nothing(void)
{
	u64 slot;

	make();
	slot = begin("INCR a");
	pxs_db_close(&s.db, true);
	store_open(&s);
	CHECK_EQ(s.db.state.locks, 1);
	CHECK(are_equal());
	CHECK_STR(step(PXS_STORE_TX_COMMIT, 1, slot, ""), ":1\r\n");
	done();
}

/* An entry that is none is counted, and changes nothing. */
static void what_is_no_transaction(void)
{
	static const char *const bad[] = {
		"1 1;SET a 1",			/* one group */
		"7 1;SET z 1;8 1;SET y 1",	/* not ours */
		"1 1;SET a 1;1 1;SET b 1", "1 0;7 1;SET z 1", "1 2;SET a 1;7 1;SET z 1",
		"1 x;SET a 1;7 1;SET z 1", "SET a 1;SET z 1", "1 1;SET a 1;7 3;SET z 1",
	};
	u32 i;

	make();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		CHECK_STR(step(PXS_STORE_TX, 0, 0, bad[i]), "-ERR not an entry\r\n");
		CHECK_EQ(s.db.state.foreign, i + 1);
	}
	step(PXS_STORE_TX_PREPARE, 1, 5, "SET a 1");	/* of itself */
	step(PXS_STORE_TX_PREPARE, 1ull << 63 | OTHER, 5, "SET a 1");
	CHECK_EQ(s.db.state.foreign, i + 1);
	CHECK_EQ(s.db.state.crosses + s.db.state.locks, 0);
	done();
}

int main(void)
{
	RUN(as_coordinator);
	RUN(it_may_be_aborted);
	RUN(as_participant);
	RUN(a_participant_that_is_aborted);
	RUN(what_is_forgotten_stays_so);
	RUN(many_are_forgotten_one_after_the_other);
	RUN(locks_keep_others_out);
	RUN(all_of_it_is_in_the_digest);
	RUN(a_saga_waits_for_the_key);
	RUN(a_session_may_ask_again);
	RUN(a_full_group_says_no);
	RUN(a_checkpoint_has_what_is_prepared);
	RUN(a_restart_changes_nothing);
	RUN(what_is_no_transaction);
	return unit_done();
}
