// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_saga_crash.c - sagas: whole, whoever dies, and the same on every member
 */
#include "unit_saga.h"

/* Who proposed it, and how often, does not matter: it goes on from one position once. */
static void late_and_double_entries(void)
{
	u8 before[16], after[16];
	u64 position, number;

	make(&s);
	command(&s, "MSET a 100 b 5");
	saga(&s, "BEGIN pay " TRANSFER);
	number = s.db.state.applied;
	for (position = 0; position < 3; position++) {
		step(&s, number, position);
		digest_of(&s, before);
		step(&s, number, position);
		step(&s, number, 0);
		step(&s, number, position + 2);
		step(&s, number + 1, 0);
		step(&s, 0, 0);
		digest_of(&s, after);
		CHECK(!memcmp(before, after, sizeof(before)));
	}
	CHECK_STR(command(&s, "MGET a b"), "*2\r\n$2\r\n70\r\n$2\r\n35\r\n");
	unmake(&s);
}

static u32 seed;

static u32 draw(u32 n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 16) % n;
}

#define ACCOUNTS	4u
#define TOTAL		(ACCOUNTS * 100)

/* A transfer that marks each of its steps; some cannot end well. */
static void transfer(u32 i)
{
	static const char *const ends[] = {
		"STEP end DO 4 HSET m%u end 1 UNDO 3 HDEL m%u end",
		"STEP end DO 4 HSET m%u end 1 DO 2 INCR m%u",
		"STEP end CHECK EXISTS never DO 4 HSET m%u end 1",
		"STEP end WAIT DO 4 HSET m%u end 1 UNDO 3 HDEL m%u end",
	};
	u32 from = draw(ACCOUNTS), to = draw(ACCOUNTS), amount = 1 + draw(90);
	char words[500];
	int len;

	len = sprintf(words, "BEGIN t%u TIMEOUT %u STEP debit CHECK MIN acc%u %u DO 3 DECRBY acc%u %u "
		      "DO 4 HSET m%u debit 1 UNDO 3 INCRBY acc%u %u UNDO 3 HDEL m%u debit ",
		      i, 1 + draw(400), from, amount, from, amount, i, from, amount, i);
	len += sprintf(words + len, "STEP credit DO 3 INCRBY acc%u %u DO 4 HSET m%u credit 1 "
		       "UNDO 3 DECRBY acc%u %u UNDO 3 HDEL m%u credit ",
		       to, amount, i, to, amount, i);
	sprintf(words + len, ends[draw(ARRAY_SIZE(ends))], i, i);
	saga(&s, words);
}

static u64 number_of(struct unit_store *u, const char *words)
{
	const char *at = command(u, words);

	if (*at == '$')
		at = strchr(at, '\n');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* All are over, whole, and the total is what it was. */
static bool whole(struct unit_store *u, u32 n)
{
	char id[16], words[64];
	u64 sum = 0, marks;
	bool good, done;
	u32 i;

	for (i = 0; i < ACCOUNTS; i++) {
		sprintf(words, "GET acc%u", i);
		sum += number_of(u, words);
	}
	good = sum == TOTAL;
	for (i = 0; i < n; i++) {
		sprintf(id, "t%u", i);
		done = !strcmp(status(u, id, "state"), "done");
		good &= done || !strcmp(status(u, id, "state"), "undone");
		sprintf(words, "HLEN m%u", i);
		marks = number_of(u, words);
		good &= marks == (done ? 3 : 0);
	}
	return good;
}

#define SAGAS	12u

/* A log in which much is going on at once. Return: sagas that it begins. */
static void make_log(void)
{
	char words[64];
	u32 i, n;

	for (i = 0; i < ACCOUNTS; i++) {
		sprintf(words, "SET acc%u 100", i);
		command(&s, words);
	}
	for (n = 0; n < SAGAS;) {
		s.time += draw(20);
		switch (draw(6)) {
		case 0:
			transfer(n++);
			break;
		case 1:
			sprintf(words, draw(2) ? "DONE t%u end" : "ABORT t%u", draw(n + 1));
			saga(&s, words);
			break;
		default:
			drive(&s, 1 + draw(3));
		}
	}
}

static void replay(u32 from, u32 to)
{
	for (; from < to; from++)
		CHECK_EQ(store_apply(&t, entries[from].data, entries[from].len), 0);
}

/*
 * The leader dies behind each entry. The next one has what was decided, and nobody to ask: it
 * finishes everything, and every member has the same.
 */
static void a_crash_behind_each_entry(void)
{
	u32 cut, n, dones = 0, last;
	u8 (*digest)[16];
	char id[16];

	for (seed = 1; seed <= 3; seed++) {
		u32 of = seed;

		make(&s);
		make_log();
		last = nlog;
		digest = calloc(last + 1, sizeof(*digest));
		make(&t);
		for (n = 0; n < last; n++) {
			replay(n, n + 1);
			digest_of(&t, digest[n + 1]);
		}
		CHECK(equal());
		store_remove(&t);
		for (cut = ACCOUNTS; cut <= last; cut += 1 + (of > 1) * 6) {
			u8 now[16];

			make(&t);
			replay(0, cut);
			pxs_db_close(&t.db, false);
			store_open(&t);
			digest_of(&t, now);
			CHECK(!memcmp(now, digest[cut], sizeof(now)));
			t.time = t.db.state.time;
			for (n = 0; n < 8; n++) {
				t.time += 1000;
				drive(&t, 10000);
			}
			for (n = 0; n < SAGAS; n++) {
				sprintf(id, "t%u", n);
				if (is_error(status(&t, id, "state"), "NOSAGA"))
					break;
				dones += !strcmp(status(&t, id, "state"), "done");
			}
			if (!CHECK(whole(&t, n)))
				fprintf(stderr, "# seed %u: crash behind entry %u\n", of, cut);
			CHECK_EQ(rows(&t, t.db.saga_due_t), 0);
			store_remove(&t);
		}
		free(digest);
		unmake(&s);
		seed = of;
	}
	CHECK(dones > 20);
}

/* In transactions of many entries, some of which fail and are tried again; nobody waits. */
static void members_agree(void)
{
	struct pxs_reply out = { .quiet = true };
	u32 at = 0, i, n;

	make(&s);
	seed = 7;
	make_log();
	drive(&s, 1000);
	make(&t);
	while (at < nlog) {
		n = min(1 + draw(9), nlog - at);
		CHECK_EQ(pxs_db_begin(&t.db, true), 0);
		for (i = 0; i < n; i++)
			CHECK_EQ(pxs_apply(&t.db, t.db.state.applied + 1, entries[at + i].data,
					   entries[at + i].len, false, &out), 0);
		if (draw(3)) {
			CHECK_EQ(pxs_db_commit(&t.db), 0);
			at += n;
		} else {
			pxs_db_abort(&t.db);
		}
		if (!draw(8)) {
			pxs_db_close(&t.db, draw(2));
			store_open(&t);
		}
	}
	CHECK(equal());
	/* What a saga is, is a part of what members must agree on. */
	t.time = s.time;
	saga(&s, "BEGIN more STEP 1 WAIT");
	saga(&t, "BEGIN more STEP 2 WAIT");
	CHECK(!equal());
	store_remove(&t);
	unmake(&s);
}

/* The address space ends in the middle of a step: nothing has happened, and it is tried again. */
static void no_room_in_a_step(void)
{
	char words[64];
	u32 i, grown = 0;
	int err;

	make(&s);
	saga(&s, "BEGIN big STEP 1 DO 4 SETRANGE k1 700000 x DO 4 SETRANGE k2 700000 x UNDO 3 DEL k1 k2");
	for (i = 0; i < 4; i++) {
		struct pxs_store_entry e = {
			.kind = PXS_STORE_SAGA_STEP, .client = s.db.state.applied, .time = s.time,
		};
		u8 buf[sizeof(struct pxs_store_entry_hdr)];

		pxs_store_entry_put(buf, &e, NULL, NULL);
		err = store_apply_once(&s, buf, sizeof(buf));
		if (!err)
			break;
		CHECK_EQ(err, -EXFULL);
		CHECK_STR(status(&s, "big", "state"), "running");
		CHECK_EQ(pxs_db_grow(&s.db), 0);
		grown++;
	}
	CHECK(grown > 0);
	CHECK_STR(status(&s, "big", "state"), "done");
	sprintf(words, "STRLEN k2");
	CHECK_STR(command(&s, words), ":700001\r\n");
	unmake(&s);
}

int main(void)
{
	RUN(late_and_double_entries);
	RUN(a_crash_behind_each_entry);
	RUN(members_agree);
	RUN(no_room_in_a_step);
	return unit_done();
}
