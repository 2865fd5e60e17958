// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_cross_apply.c - transactions over several groups, applied to one group's store
 *
 * The group at hand is 1; where it is a participant, group 7 is the coordinator (who proposes sees
 * to the order of groups). What comes twice or too late is nothing; replicas are equal, and so is
 * one that was made again from a checkpoint.
 */
#include "unit_store.h"

#include <fcntl.h>

#include "../../agent/store/cross_run.h"
#include "../../agent/store/image.h"

#define OTHER	7u

static struct unit_store s, twin;	/* what is applied to one is applied to both */

static const char *apply_to(struct unit_store *to, const struct pxs_store_entry *e,
			    const char *commands)
{
	static struct pxs_str argv[8][STORE_WORDS];
	struct pxs_args args[8];
	char *text = strdup(commands), *each, *rest = text;
	struct pxs_store_entry copy = *e;
	u8 buf[4096];
	u64 size;

	while (*commands && (each = strsep(&rest, ";"))) {
		args[copy.ncommands] = (struct pxs_args){
			store_words(each, argv[copy.ncommands]), argv[copy.ncommands],
		};
		copy.ncommands++;
	}
	copy.time = to->time;
	size = pxs_store_entry_size(NULL, 0, args, copy.ncommands);
	CHECK(size <= sizeof(buf));
	pxs_store_entry_put(buf, &copy, NULL, args);
	CHECK_EQ(store_apply(to, buf, (u32)size), 0);
	free(text);
	return to->answer;
}

/* A step of @kind of transaction @slot of group @group. Return: the answer. */
static const char *step(u8 kind, u64 group, u64 slot, const char *commands)
{
	struct pxs_store_entry e = {
		.kind = kind, .client = group, .seq = slot, .memory = s.memory,
	};

	twin.quiet = true;
	apply_to(&twin, &e, commands);
	return apply_to(&s, &e, commands);
}

static const char *say(const char *command)
{
	store_say(&twin, command);
	return store_say(&s, command);
}

static void make(void)
{
	store_make(&s);
	store_make(&twin);
}

static void digest_of(struct unit_store *of, u8 sum[16])
{
	CHECK_EQ(pxs_db_begin(&of->db, false), 0);
	pxs_db_digest(&of->db, sum);
	pxs_db_abort(&of->db);
}

static bool are_equal(void)
{
	u8 a[16], b[16];

	digest_of(&s, a);
	digest_of(&twin, b);
	return !memcmp(a, b, sizeof(a)) && s.db.state.locks == twin.db.state.locks;
}

static void done(void)
{
	CHECK(are_equal());
	store_remove(&s);
	store_remove(&twin);
}

static enum pxs_tx_state state_of(u64 group, u64 slot)
{
	struct pxs_cross_rec rec;

	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	pxs_cross_get(&s.db, group, slot, &rec);
	pxs_db_abort(&s.db);
	return rec.state;
}

/* TX of this group and another: the slot that it got. */
static u64 begin(const char *own)
{
	char text[200];

	snprintf(text, sizeof(text), "1 1;%s;7 1;SET z 1", own);
	CHECK_STR(step(PXS_STORE_TX, 0, 0, text), "");
	return s.db.state.applied;
}

#define LOCKED	"-TRYAGAIN a key is in a transaction over several groups: nothing was executed\r\n"

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

/* The file is written whole, and read into a store that is new. */
static void restore_twin(void)
{
	struct pxs_image_info info = { .applied = s.db.state.applied, .made = 1 };
	bool stop = false;
	char name[300];
	int fd;

	snprintf(name, sizeof(name), "%s/image", s.path);
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0);
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK_EQ(pxs_image_write(fd, &s.db, s.db.txn, &info, &stop), 0);
	pxs_db_abort(&s.db);
	store_remove(&twin);
	store_make(&twin);
	lseek(fd, 0, SEEK_SET);
	CHECK_EQ(pxs_image_read(fd, &twin.db), 0);
	close(fd);
	unlink(name);
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
