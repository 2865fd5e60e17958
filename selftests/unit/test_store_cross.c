// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_cross.c - a client's transactions over several groups, from its words to its answer
 */
#include "unit_cross.h"

/* --- what is answered ------------------------------------------------------------------- */

static void keys_of_several_groups(void)
{
	begin_test();
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "+OK\r\n");
	CHECK_STR(ask("MSET %s 3 %s 4\r\n", key[2][0], key[1][1]), "+OK\r\n");
	CHECK_STR(ask("MGET %s no %s\r\n", key[2][0], key[0][0]),
		  "*3\r\n$1\r\n3\r\n$-1\r\n$1\r\n1\r\n");
	CHECK_STR(ask("EXISTS %s %s\r\n", key[2][0], key[1][0]), ":2\r\n");
	CHECK_STR(ask("DEL %s %s\r\n", key[2][0], key[1][0]), ":2\r\n");
	CHECK_STR(ask("UNLINK %s %s\r\n", key[2][0], key[1][1]), ":1\r\n");
	CHECK_STR(value_of(key[0][0]), "$1\r\n1\r\n");
	CHECK_STR(value_of(key[1][0]), "$-1\r\n");
	over();
}

static void exec_over_groups(void)
{
	begin_test();
	CHECK_STR(say_of("MULTI\r\nSET %s a\r\nPING\r\nINCR %s\r\n", key[2][0], key[0][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say_of("MGET %s %s\r\n", key[0][0], key[2][0]), "+QUEUED\r\n");
	CHECK_STR(say_of("INCR %s\r\n", key[2][0], ""), "+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""),
		  "*5\r\n+OK\r\n+PONG\r\n:1\r\n*2\r\n$1\r\n1\r\n$1\r\na\r\n"
		  "-ERR value is not an integer or out of range\r\n");
	CHECK_STR(say("EXEC\r\n"), "-ERR EXEC without MULTI\r\n");
	say("HELLO 3\r\n");
	CHECK_STR(ask("MGET no %s %s\r\n", key[0][0], key[2][0]),
		  "*3\r\n_\r\n$1\r\n1\r\n$1\r\na\r\n");
	over();
}

#define LARGE	524288u

/* MGET of two large values, each @n times; @strong: as a transaction. Its answer is in client. */
static void get_large(u32 n, bool strong)
{
	char *text = malloc(n * 2 * sizeof(key[0][0]) + 64);
	u32 i, room, len = (u32)sprintf(text, "%sMGET", strong ? "" : "READONLY\r\n");

	for (i = 0; i < 2 * n; i++)
		len += (u32)sprintf(text + len, " %s", key[i % 2][0]);
	len += (u32)sprintf(text + len, "\r\n");
	memcpy(pxs_reader_space(&client->reader, &room), text, len);
	client->reader.len += len;
	go_round();
	run_all();
	go_round();
	free(text);
	CHECK(!client->dead);
	CHECK_EQ(client->held, 0);
}

/* What the groups have answered is in memory as well, but only until it is put together. */
static void large_answers_of_groups(void)
{
	static const char no[] = "-ERR the answer is too large, or there is no memory for it\r\n";
	char want[64];
	u32 i;

	for (i = 0; i < 2; i++) {
		begin_test();
		ask("SETRANGE %s 524287 x\r\n", key[0][0], "");
		ask("SETRANGE %s 524287 y\r\n", key[1][0], "");
		get_large(40, !i);
		sprintf(want, "*80\r\n$%u\r\n", LARGE);
		CHECK_EQ(client->out.len,
			 strlen(i ? "+OK\r\n" : "") + 5 + 80 * (strlen(want) - 5 + LARGE + 2));
		CHECK(client->out.len && client->out.buf[client->out.len - 3] == 'y');
		client->out.len = 0;
		get_large(70, !i);
		CHECK_STR(got() + (i ? 5 : 0), no);
		over();
	}
}

/* What was executed may have written: who asked is told, and keeps the connection. */
static void too_large_an_answer_of_a_transaction(void)
{
	u32 i;

	begin_test();
	ask("SETRANGE %s 524287 x\r\n", key[0][0], "");
	ask("SETRANGE %s 524287 y\r\n", key[1][0], "");
	say("MULTI\r\n");
	for (i = 0; i < 140; i++)
		CHECK_STR(say_of("GET %s\r\n", key[i % 2][0], ""), "+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""),
		  "-UNCERTAIN the transaction was executed, and its answer is lost: it is too large, or there was no memory for it\r\n");
	CHECK(!client->dead);
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "+OK\r\n");
	over();
}

/* As in one group (test_store_reads.c). */
static void strings_of_a_transaction(void)
{
	char text[2048];
	int len = 0;
	u32 i;

	begin_test();
	for (i = 0; i < 33; i++)
		len += sprintf(text + len, "SETRANGE %s 4194303 x\r\n", key[i % 2][0]);
	say("MULTI\r\n");
	say(text);
	CHECK(!strncmp(say("EXEC\r\n"), "-EXECABORT", 10));
	CHECK_EQ(queued(0) + queued(1), 0);
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "+OK\r\n");
	over();
}

static void what_is_wrong_is_said_before(void)
{
	begin_test();
	CHECK_STR(ask("MSET %s 1 %s\r\n", key[0][0], key[1][0]),
		  "-ERR wrong number of arguments for 'mset' command\r\n");
	/* In a transaction it is known when it is executed; the others are done. */
	CHECK_STR(say_of("MULTI\r\nMSET %s 1 %s\r\n", key[1][0], key[0][0]),
		  "+OK\r\n+QUEUED\r\n");
	CHECK_STR(say_of("INCR %s\r\nINCR %s\r\n", key[1][1], key[2][1]),
		  "+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(ask("EXEC\r\n", "", ""),
		  "*3\r\n-ERR wrong number of arguments for 'mset' command\r\n:1\r\n:1\r\n");
	CHECK_STR(say_of("MULTI\r\nINCR %s\r\nNOSUCH\r\nINCR %s\r\n", key[0][0], key[1][0]),
		  "+OK\r\n+QUEUED\r\n-ERR unknown command 'NOSUCH', with args beginning with: \r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"),
		  "-EXECABORT Transaction discarded because of previous errors.\r\n");
	CHECK_EQ(queued(0) + queued(1), 0);
	over();
}

/* Who leads the first group in order is asked, whatever the order of the keys. */
static void the_first_group_leads(void)
{
	char want[64];

	begin_test();
	lead_group(0, false);
	snprintf(want, sizeof(want), "-MOVED %u 127.0.0.1:7\r\n", pxs_keyslot(pxs_str(key[0][0])));
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[1][0], key[0][0]), want);
	CHECK_STR(say_of("MULTI\r\nINCR %s\r\nINCR %s\r\n", key[1][0], key[0][0]),
		  "+OK\r\n+QUEUED\r\n+QUEUED\r\n");
	CHECK_STR(say("EXEC\r\n"), want);
	lead_group(0, true);
	lead_group(1, false);
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[1][0], key[0][0]), "");
	CHECK_EQ(queued(0), 1);
	decide_in(0);
	look();
	CHECK_EQ(queued(1), 0);		/* another member proposes there */
	lead_group(1, true);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	over();
}

/* A pipeline is executed in its order. */
static void nothing_overtakes_it(void)
{
	begin_test();
	CHECK_STR(say_of("MSET %s 1 %s 1\r\nINCR %1$s\r\n", key[0][0], key[1][0]), "");
	CHECK_EQ(queued(0), 1);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_EQ(queued(0), 1);
	decide_in(0);
	CHECK_STR(got(), ":2\r\n");
	over();
}

static void each_for_itself_if_that_will_do(void)
{
	begin_test();
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "+OK\r\n");
	lead_group(0, false);
	CHECK_STR(say_of("READONLY\r\nMGET %s no %s\r\n", key[1][0], key[0][0]),
		  "+OK\r\n*3\r\n$1\r\n2\r\n$-1\r\n$1\r\n1\r\n");
	CHECK_STR(say_of("EXISTS %s %s\r\n", key[1][0], key[0][0]), ":2\r\n");
	CHECK_STR(say_of("PAXSTEER TOKEN 1:9\r\nMGET %s %s\r\n", key[1][0], key[0][0]), "+OK\r\n");
	node.loop.now += 2000;
	read_stale(store[0]);
	CHECK_STR(got(), "-TRYAGAIN slot 9 of the session is not here yet\r\n");
	over();
}

/* --- when something goes wrong ---------------------------------------------------------------- */

static void it_is_aborted_in_time(void)
{
	begin_test();
	lead_group(1, false);
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "");
	decide_in(0);
	look();
	CHECK_EQ(queued(0), 0);
	pxs_db_begin(&store[0]->db, true);
	store[0]->db.state.time += 3000000000000ull;
	store[0]->db.dirty = true;
	pxs_db_commit(&store[0]->db);
	look();
	CHECK_EQ(queued(0), 1);
	decide_in(0);
	CHECK(!strncmp(got(), "-TRYAGAIN the transaction was aborted", 37));
	lead_group(1, true);
	run_all();
	CHECK_STR(value_of(key[0][0]), "$-1\r\n");
	over();
}

/* @e with @command, if there is one, as the next slot of group @i: whoever led it wrote that. */
static void take_into(u32 i, struct pxs_store_entry e, const struct pxs_args *command)
{
	struct pxs_replica *r = store[i]->replica;
	u8 buf[512];
	struct pxs_fetched v = { .slot = r->applied + 1, .data = buf };

	e.ncommands = !!command;
	e.time = 1000000;
	v.len = (u32)pxs_store_entry_size(NULL, 0, command, e.ncommands);
	CHECK(v.len <= sizeof(buf));
	pxs_store_entry_put(buf, &e, NULL, command);
	r->commit = ++r->applied;
	CHECK(take(store[i], &v));
}

static void write_into(u32 i, struct pxs_store_entry e, const struct pxs_args *command)
{
	take_into(i, e, command);
	commit(store[i]);
}

/* What is prepared here may have begun in slots that this member has not seen. */
static void who_has_not_come_there_waits(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_TX_PREPARE, .client = 1, .seq = 3 };
	struct pxs_str argv[] = { pxs_str("DEL"), pxs_str(key[1][0]) };
	struct pxs_args args = { 2, argv };

	begin_test();
	argv[1] = pxs_str(key[1][0]);
	write_into(1, e, &args);
	CHECK_EQ(store[1]->db.state.locks, 1);
	look();
	CHECK_EQ(queued(1), 0);
	CHECK_STR(say_of("INCR %s\r\nINCR %s\r\n", key[0][0], key[0][0]), "");
	decide_any();
	look();
	CHECK_STR(got(), ":1\r\n:2\r\n");
	CHECK_EQ(queued(1), 0);
	CHECK_EQ(store[1]->db.state.locks, 1);
	say_of("INCR %s\r\n", key[0][0], "");
	decide_in(0);
	got();
	run_all();	/* there it is nothing: it has ended */
	over();
}

static const char full[] = "-OOM command not allowed when used memory > 'maxmemory'.\r\n";

static void a_full_group_says_no(void)
{
	begin_test();
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[1][0], key[1][1]), "+OK\r\n");
	config.maxmemory = 100;		/* that group is full */
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), full);
	CHECK_STR(value_of(key[0][0]), "$-1\r\n");
	CHECK_STR(ask("MSET %s 1 %s 2\r\n", key[1][0], key[2][0]), full);
	CHECK_STR(ask("DEL %s %s\r\n", key[0][0], key[1][0]), ":1\r\n");
	over();
}

/* Nobody waits any more: it goes on without its client. */
static void it_does_not_need_its_client(void)
{
	begin_test();
	CHECK_STR(say_second("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "");
	decide_in(0);
	others[0]->dead = true;
	run_all();
	pxs_conn_step(others[0]);
	CHECK_EQ(others[0]->requests, 0);
	CHECK_STR(value_of(key[1][0]), "$1\r\n2\r\n");
	end_second();
}

/* The logs stand still: the client is told that nobody knows. */
static void its_end_is_not_waited_for_for_ever(void)
{
	begin_test();
	prepare("MSET %s 1 %s 2\r\n");
	node.loop.now += PXS_CROSS_ANSWER_MS + 1;
	pxs_cross_tick(store[0]);
	CHECK(!strncmp(got(), "-UNCERTAIN the transaction is in the log", 40));
	run_all();
	CHECK_STR(value_of(key[1][0]), "$1\r\n2\r\n");
	over();
}

/* Leadership was lost before it was decided. */
static void what_is_not_known_is_said(void)
{
	struct pxs_proposal *p;

	begin_test();
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "");
	p = replica.proposals.queued.first;
	pxs_proposals_init(&replica.proposals);
	p->done(p, PXS_CLIENT_UNKNOWN, 0);
	CHECK(!strncmp(got(), "-UNCERTAIN ", 11));
	CHECK_EQ(client->requests, 0);
	run_all();
	over();
}

/* A transaction of the database that is taken back and made again answers once. */
static void what_is_taken_back_is_answered_once(void)
{
	struct pxs_proposal *p;
	static u8 value[PXS_VALUE_MAX];
	struct pxs_fetched v = { .data = value };

	begin_test();
	prepare("DEL %s %s\r\n");
	look();
	p = replica.proposals.queued.first;
	memcpy(value, p->value, p->len);
	v.len = p->len;
	v.slot = replica.applied + 1;
	pxs_proposals_init(&replica.proposals);
	p->done(p, 0, v.slot);
	replica.commit = ++replica.applied;
	CHECK(take(&s, &v));
	pxs_db_abort(&s.db);
	take_back(&s);
	CHECK_STR(got(), "");
	CHECK(take(&s, &v));
	commit(&s);
	run_all();
	CHECK_STR(got(), ":0\r\n");
	over();
}

/* The one record of a transaction in group @i is cut off. */
static void damage(u32 i)
{
	struct pxs_db *db = &store[i]->db;
	MDB_val k, v = { 1, "" };
	MDB_cursor *c;

	CHECK_EQ(pxs_db_begin(db, true), 0);
	CHECK_EQ(mdb_cursor_open(db->txn, db->crosses_t, &c), 0);
	CHECK_EQ(mdb_cursor_get(c, &k, NULL, MDB_FIRST), 0);
	CHECK_EQ(mdb_cursor_put(c, &k, &v, 0), 0);
	mdb_cursor_close(c);
	CHECK_EQ(pxs_db_commit(db), 0);
}

/* It is committed in the first group: what cannot be read there must not abort it in another. */
static void what_cannot_be_read_is_not_gone(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		begin_test();
		prepare("DEL %s %s\r\n");
		look();
		decide_in(0);
		damage(i);
		look();
		CHECK_EQ(queued(0) + queued(1) + queued(2), 0);
		CHECK(store[i]->stopped && store[i]->db.distrusted);
		CHECK(!store[1 - i]->stopped);
		look();
		CHECK_EQ(queued(0) + queued(1) + queued(2), 0);
		end_test();
	}
}

/*
 * The coordinator's store stops before it has applied the transaction, which others have committed:
 * what another group has applied of it stands in a transaction of the database there.
 */
static void a_store_stops_under_it(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_TX_PREPARE, .client = 1, .seq = 1 };
	struct pxs_str argv[] = { pxs_str("SET"), pxs_str(key[1][0]), pxs_str("2") };
	struct pxs_args args = { 3, argv };
	struct pxs_proposal *p;

	begin_test();
	argv[1] = pxs_str(key[1][0]);
	CHECK_STR(say_of("MSET %s 1 %s 2\r\n", key[0][0], key[1][0]), "");
	p = replica.proposals.queued.first;
	pxs_proposals_init(&replica.proposals);
	p->done(p, 0, 1);
	write_into(1, e, &args);
	e.kind = PXS_STORE_TX_COMMIT;
	take_into(1, e, NULL);
	CHECK(store[1]->applied.first);
	pxs_store_stop(&s, 1, "of this test");
	pxs_submit_step(&s);
	pxs_cross_tick(&s);
	CHECK_STR(got(), "");
	commit(store[1]);
	pxs_cross_tick(&s);
	CHECK_STR(got(), "-UNCERTAIN the transaction is in the log, and will be executed whole or not at all: its end is not known here\r\n");
	over();
}

/* Shares' answers do not count as held by the store: each round makes so much of them. */
static void answers_bound_a_round(void)
{
	struct pxs_fetched v = { .noop = true };

	begin_test();
	CHECK_STR(ask("DEL %s %s\r\n", key[0][0], key[1][0]), ":0\r\n");
	CHECK_EQ(store[1]->batch_len, strlen(":0\r\n"));
	CHECK_EQ(s.held, 0);
	v.slot = store[1]->db.state.applied + 1;
	store[1]->batch_len = (u64)PXS_CONN_OUT_MAX + 1;
	CHECK(!take(store[1], &v));
	store[1]->batch_len = 0;
	CHECK(take(store[1], &v));
	commit(store[1]);
	over();
}

/* More than one value of the log: in parts, in each of them. */
static void large_ones_come_in_parts(void)
{
	static char text[40000];
	u32 room, len, i;

	begin_test();
	config.request_limit = 1 << 20;
	len = (u32)snprintf(text, sizeof(text), "*5\r\n$4\r\nMSET\r\n$%zu\r\n%s\r\n$%u\r\n",
			    strlen(key[0][0]), key[0][0], 17000);
	memset(text + len, 'a', 17000);
	len += 17000;
	len += (u32)snprintf(text + len, sizeof(text) - len, "\r\n$%zu\r\n%s\r\n$%u\r\n",
			     strlen(key[1][0]), key[1][0], 18000);
	memset(text + len, 'b', 18000);
	len += 18000;
	memcpy(text + len, "\r\n", 2);
	len += 2;
	for (i = 0; i < len; i += room) {
		u8 *to = pxs_reader_space(&client->reader, &room);

		room = min(room, len - i);
		memcpy(to, text + i, room);
		client->reader.len += room;
		CHECK_STR(got(), "");
	}
	CHECK_EQ(queued(0), 3);
	run_all();
	CHECK_STR(got(), "+OK\r\n");
	CHECK_STR(ask("EXISTS %s %s\r\n", key[0][0], key[1][0]), ":2\r\n");
	over();
}

int main(void)
{
	RUN(keys_of_several_groups);
	RUN(exec_over_groups);
	RUN(large_answers_of_groups);
	RUN(too_large_an_answer_of_a_transaction);
	RUN(strings_of_a_transaction);
	RUN(what_is_wrong_is_said_before);
	RUN(the_first_group_leads);
	RUN(nothing_overtakes_it);
	RUN(each_for_itself_if_that_will_do);
	RUN(it_is_aborted_in_time);
	RUN(who_has_not_come_there_waits);
	RUN(a_full_group_says_no);
	RUN(it_does_not_need_its_client);
	RUN(its_end_is_not_waited_for_for_ever);
	RUN(what_is_not_known_is_said);
	RUN(what_is_taken_back_is_answered_once);
	RUN(what_cannot_be_read_is_not_gone);
	RUN(a_store_stops_under_it);
	RUN(answers_bound_a_round);
	RUN(large_ones_come_in_parts);
	return unit_done();
}
