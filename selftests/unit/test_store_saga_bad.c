// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_saga_bad.c - sagas: what is wrong, what is too much, and what is said of them
 */
#include "unit_saga.h"

static void a_history_has_an_end(void)
{
	u32 i, j;

	make(&s);
	saga(&s, "BEGIN x STEP 1 DO 3 SET a 1 UNDO 4 HSET a f v STEP 2 CHECK EXISTS no DO 2 INCR a");
	drive(&s, 100);
	for (i = 0; i < 200; i++) {
		for (j = 0; j < PXS_SAGA_TRIES; j++) {
			s.time += 10000;
			drive(&s, 1);
		}
		saga(&s, "RETRY x");
		forget_log();
	}
	/* Its state and its definition, and as many things as are remembered; the last one is. */
	CHECK_EQ(rows(&s, s.db.sagas_t), 2 + PXS_SAGA_HISTORY_MAX);
	command(&s, "DEL a");
	CHECK_EQ(drive(&s, 100), 1);
	CHECK_STR(status(&s, "x", "state"), "undone");
	CHECK_EQ(rows(&s, s.db.sagas_t), 2 + PXS_SAGA_HISTORY_MAX);
	unmake(&s);
}

static void lists(void)
{
	char words[100];
	u32 i;

	make(&s);
	CHECK_STR(ask(&s, "LIST"), "*2\r\n$1\r\n0\r\n*0\r\n");
	for (i = 0; i < 5; i++) {
		snprintf(words, sizeof(words), "BEGIN s%u STEP 1 %s", i, i % 2 ? "WAIT" : "DO 2 INCR n");
		saga(&s, words);
	}
	drive(&s, 100);
	CHECK_STR(ask(&s, "LIST 0 COUNT 2"),
		  "*2\r\n$1\r\n3\r\n*2\r\n*2\r\n$2\r\ns0\r\n$4\r\ndone\r\n*2\r\n$2\r\ns1\r\n$7\r\nwaiting\r\n");
	CHECK_STR(ask(&s, "LIST 3 COUNT 3 STATE waiting"),
		  "*2\r\n$1\r\n0\r\n*1\r\n*2\r\n$2\r\ns3\r\n$7\r\nwaiting\r\n");
	CHECK_STR(ask(&s, "LIST 0 STATE stuck"), "*2\r\n$1\r\n0\r\n*0\r\n");
	CHECK_STR(ask(&s, "LIST 0 STATE sleeping"), "-ERR syntax error\r\n");
	CHECK_STR(ask(&s, "LIST 0 COUNT 0"), "-ERR syntax error\r\n");
	CHECK_STR(ask(&s, "LIST 0 COUNT"), "-ERR syntax error\r\n");
	CHECK_STR(ask(&s, "LIST x"), "-ERR invalid cursor\r\n");
	CHECK(is_error(ask(&s, "STATUS no"), "NOSAGA"));
	CHECK(is_error(ask(&s, "HISTORY no"), "NOSAGA"));
	unmake(&s);
}

/* --- what is wrong ------------------------------------------------------------------------ */

static void bad_definitions(void)
{
	static const struct {
		const char *words;
		const char *says;
	} cases[] = {
		{ "x DO 2 INCR a", "at 'DO', word 5: stands in front of the first STEP" },
		{ "x STEP 1 DO 3 INCR a", "at 'DO', word 7: there are fewer words" },
		{ "x STEP 1 DO 0 INCR", "at 'DO', word 7: DO and UNDO need a number" },
		{ "x STEP 1 DO -1 INCR", "at 'DO', word 7: DO and UNDO need a number" },
		{ "x STEP 1 DO x INCR", "at 'DO', word 7: DO and UNDO need a number" },
		{ "x STEP 1 WAIT DO", "at 'DO', word 8: DO and UNDO need a number" },
		{ "x STEP 1 DO 2 GET a", "at 'DO', word 7: the command is not one that writes" },
		{ "x STEP 1 DO 1 FLUSHALL", "at 'DO', word 7: the command is not one that writes" },
		{ "x STEP 1 DO 1 MULTI", "at 'DO', word 7: the command is not one that writes" },
		{ "x STEP 1 DO 2 PAXSTEER x", "at 'DO', word 7: the command is not one that writes" },
		{ "x STEP 1 DO 2 nosuch x", "at 'DO', word 7: unknown command" },
		{ "x STEP 1 DO 2 SET x", "at 'DO', word 7: wrong number of arguments" },
		{ "x STEP 1 WAIT UNDO 2 SET x", "at 'UNDO', word 8: wrong number of arguments" },
		{ "x STEP 1 UNDO 2 INCR a", "the step before has neither DO nor WAIT" },
		{ "x STEP 1 CHECK EXISTS a", "the step before has neither DO nor WAIT" },
		{ "x STEP 1 STEP 2 WAIT", "at 'STEP', word 7: the step before has neither" },
		{ "x STEP 1 WAIT STEP 1 WAIT", "at 'STEP', word 8: two steps have the same name" },
		{ "x STEP 1 WAIT STEP", "at 'STEP', word 8: STEP needs a name" },
		{ "x STEP '' WAIT", "at 'STEP', word 5: a step's name has 1 to 64 bytes" },
		{ "x STEP 1 WAIT CHECK", "at 'CHECK', word 8: CHECK needs EXISTS" },
		{ "x STEP 1 WAIT CHECK LIKES a", "at 'CHECK', word 8: CHECK needs EXISTS" },
		{ "x STEP 1 WAIT CHECK EQUALS a", "at 'CHECK', word 8: CHECK needs a key" },
		{ "x STEP 1 WAIT CHECK MIN a x", "at 'CHECK', word 8: CHECK MIN and MAX compare" },
		{ "x STEP 1 WAIT CHECK TYPE a list", "at 'CHECK', word 8: CHECK TYPE is none" },
		{ "x TIMEOUT 0 STEP 1 WAIT", "at 'TIMEOUT', word 5: TIMEOUT is 1 to" },
		{ "x TIMEOUT 31536000001 STEP 1 WAIT", "at 'TIMEOUT', word 5: TIMEOUT is 1 to" },
		{ "x TIMEOUT 5 TIMEOUT 5 STEP 1 WAIT", "at 'TIMEOUT', word 7: TIMEOUT is given twice" },
		{ "x STEP 1 WAIT TIMEOUT 5", "at 'TIMEOUT', word 8: TIMEOUT stands in front" },
		{ "x TIMEOUT 5 TIMEOUT", "at 'TIMEOUT', word 7: TIMEOUT needs milliseconds" },
		{ "x STEP 1 WAIT hop", "at 'hop', word 8: is not STEP, CHECK" },
		{ "'' STEP 1 WAIT", "" },
	};
	char words[200];
	u32 i;

	make(&s);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		snprintf(words, sizeof(words), "BEGIN %s", cases[i].words);
		saga(&s, words);
		if (!CHECK(is_error(s.answer, "ERR ") && strstr(s.answer, cases[i].says)))
			fprintf(stderr, "# %s: %s", words, s.answer);
	}
	CHECK(is_error(saga(&s, "BEGIN x TIMEOUT 5 "), "ERR wrong number of arguments for 'paxsteer|saga|begin'"));
	CHECK(is_error(saga(&s, "STATUS x"), "ERR unknown subcommand"));
	CHECK(is_error(saga(&s, "HOP x"), "ERR unknown subcommand"));
	CHECK(is_error(saga(&s, ""), "ERR unknown subcommand"));
	CHECK(is_error(saga(&s, "ABORT"), "ERR wrong number of arguments"));
	CHECK(is_error(saga(&s, "DONE x"), "ERR wrong number of arguments"));
	CHECK_EQ(rows(&s, s.db.saga_ids_t), 0);
	CHECK_EQ(rows(&s, s.db.sagas_t), 0);
	unmake(&s);
}

static void limits(void)
{
	char words[8000];
	int len;
	u32 i, n;

	make(&s);
	for (n = PXS_SAGA_STEPS_MAX; n <= PXS_SAGA_STEPS_MAX + 1; n++) {
		len = sprintf(words, "BEGIN steps%u", n);
		for (i = 0; i < n; i++)
			len += sprintf(words + len, " STEP %u DO 2 INCR n", i);
		saga(&s, words);
		CHECK_EQ(s.answer[0] == ':', n == PXS_SAGA_STEPS_MAX);
	}
	CHECK(strstr(s.answer, "a saga has 64 steps at most"));
	CHECK_EQ(drive(&s, 1000), PXS_SAGA_STEPS_MAX);
	CHECK_STR(command(&s, "GET n"), "$2\r\n64\r\n");
	CHECK_EQ(saga(&s, "BEGIN name STEP 0123456789012345678901234567890123456789012345678901234567890123 WAIT")[0], ':');
	CHECK(is_error(saga(&s, "BEGIN name2 STEP 01234567890123456789012345678901234567890123456789012345678901234 WAIT"), "ERR"));
	len = sprintf(words, "BEGIN %0*d STEP 1 WAIT", (int)PXS_SAGA_ID_MAX, 1);
	CHECK_EQ(saga(&s, words)[0], ':');
	sprintf(words, "BEGIN %0*d STEP 1 WAIT", (int)PXS_SAGA_ID_MAX + 1, 1);
	CHECK(is_error(saga(&s, words), "ERR a saga's id has 1 to 128 bytes"));
	/* Reasons are cut. */
	sprintf(words, "ABORT name %0*d", 500, 1);
	CHECK_STR(saga(&s, words), ":1\r\n");
	CHECK_EQ(strlen(status(&s, "name", "reason")), PXS_SAGA_REASON_MAX);
	unmake(&s);
}

static void memory(void)
{
	make(&s);
	command(&s, "SET big 0123456789");
	saga(&s, "BEGIN x STEP 1 DO 4 SETRANGE a 200 x UNDO 4 SETRANGE b 10 x STEP 2 DO 2 INCR c");
	drive(&s, 1);
	s.memory = 100;
	CHECK(is_error(saga(&s, "BEGIN y STEP 1 WAIT"), "OOM"));
	/* A step that adds is refused, one that takes away is not, and undoing never is. */
	CHECK_EQ(drive(&s, 100), 2);
	CHECK_STR(status(&s, "x", "state"), "undone");
	CHECK_STR(status(&s, "x", "reason"),
		  "incr: OOM command not allowed when used memory > 'maxmemory'.");
	CHECK_STR(command(&s, "STRLEN b"), ":11\r\n");
	s.memory = 0;
	saga(&s, "BEGIN z STEP 1 DO 2 DEL a");
	s.memory = 100;
	drive(&s, 100);
	CHECK_STR(status(&s, "z", "state"), "done");
	/* What is called FLUSHALL takes none of them. */
	command(&s, "FLUSHALL");
	CHECK_STR(status(&s, "z", "state"), "done");
	CHECK_EQ(s.db.state.used, 0);
	unmake(&s);
}

static void kinds_of_entries(void)
{
	struct pxs_store_entry e = { .kind = PXS_STORE_SAGA_STEP, .client = 1 }, got;
	u8 buf[sizeof(struct pxs_store_entry_hdr)];
	struct pxs_store_entry_hdr *h = (void *)buf;
	struct pxs_entry_walk w;

	pxs_store_entry_put(buf, &e, NULL, NULL);
	CHECK_EQ(h->version, 4);
	CHECK_EQ(pxs_store_entry_get(buf, sizeof(buf), &got, &w), 0);
	h->version = 3;
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
	h->version = 4;
	h->flags = cpu_to_le32(PXS_STORE_EXACTLY_ONCE);
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
	h->flags = 0;
	h->kind = PXS_STORE_SAGA;
	CHECK(pxs_store_entry_get(buf, sizeof(buf), &got, &w) == -ENOMSG);
}

int main(void)
{
	RUN(a_history_has_an_end);
	RUN(lists);
	RUN(bad_definitions);
	RUN(limits);
	RUN(memory);
	RUN(kinds_of_entries);
	return unit_done();
}
