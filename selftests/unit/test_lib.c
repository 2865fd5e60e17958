// SPDX-License-Identifier: GPL-2.0
/*
 * test_lib.c - the client library against daemons that answer as they are told
 */
#include "unit_daemon.h"

/* What has ended, in order. */
static struct pxs_log_result result[PXS_LOG_OUTSTANDING_MAX];
static u32 results, wanted;

static bool all_ended(void)
{
	return results >= wanted;
}

static void done(void *ctx, const struct pxs_log_result *r)
{
	(void)ctx;
	CHECK(r->words && *r->words);
	if (results < ARRAY_SIZE(result))
		result[results++] = *r;
}

static struct pxs_log *start(void)
{
	results = 0;
	wanted = 0;
	return begin();
}

static int propose(struct pxs_log *log, const char *text, const struct pxs_log_id *id)
{
	int err = pxs_log_propose(log, text, strlen(text), id, 0, done, NULL);

	wanted += !err;
	return err;
}

static bool holds(u64 slot, const char *text)
{
	return slot <= applied && entry_len[slot] == strlen(text) &&
	       !memcmp(entry[slot], text, strlen(text));
}

/* An id, though nobody was asked yet. */
static struct pxs_log_id some_id(u64 base)
{
	return (struct pxs_log_id){ .client = "some", .number = 1, .base = base };
}

/* --- appending ------------------------------------------------------------- */

static void values_are_appended_in_order(void)
{
	struct pxs_log *log = start();
	char text[16];
	int i;

	for (i = 1; i <= 40; i++) {
		snprintf(text, sizeof(text), "v%d", i);
		CHECK(!propose(log, text, NULL));
	}
	CHECK(pump(log, all_ended));
	for (i = 1; i <= 40; i++) {
		snprintf(text, sizeof(text), "v%d", i);
		CHECK(!result[i - 1].error && !result[i - 1].repeated);
		CHECK_EQ(result[i - 1].slot, i);
		CHECK(holds(i, text));
	}
	CHECK_EQ(pxs_log_outstanding(log), 0);
	finish_test(log);
}

static void who_does_not_lead_any_more_is_left(void)
{
	struct pxs_log *log = start();

	CHECK(!propose(log, "one", NULL));
	CHECK(pump(log, all_ended));
	lead(2);
	CHECK(!propose(log, "two", NULL));
	CHECK(!propose(log, "three", NULL));
	CHECK(pump(log, all_ended));
	CHECK(!result[1].error && !result[2].error && !result[1].repeated);
	CHECK(holds(2, "two") && holds(3, "three"));
	CHECK_EQ(applied, 3);
	CHECK_EQ(daemon_[2].appends, 2);
	finish_test(log);
}

static void one_that_hangs_holds_up_nobody(void)
{
	struct pxs_log *log = start();
	u64 t0 = pxs_io_now();

	daemon_[0].mute = true;
	lead(1);
	CHECK(!propose(log, "one", NULL));
	CHECK(pump(log, all_ended));
	CHECK(!result[0].error);
	CHECK(pxs_io_now() - t0 < PXS_LIB_ANSWER_MS);
	finish_test(log);
}

/* Sent, perhaps in the log, and nobody says so: without an id it must not be sent again. */
static void a_lost_answer_is_unknown(void)
{
	static const int how[] = { DO_HANG_UP, DO_APPEND_HANG_UP, PXS_CLIENT_UNKNOWN };
	struct pxs_log *log;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		log = start();
		daemon_[0].how = how[i];
		daemon_[1].how = DO_APPEND;
		CHECK(!propose(log, "one", NULL));
		CHECK(pump(log, all_ended));
		CHECK_EQ(result[0].error, PXS_LOG_UNKNOWN);
		lead(1);
		CHECK(!propose(log, "two", NULL));
		CHECK(pump(log, all_ended));
		CHECK(!result[1].error);
		CHECK_EQ(daemon_[0].appends, 1);
		CHECK_EQ(daemon_[1].appends, 1);
		CHECK(holds(applied, "two"));
		finish_test(log);
	}
}

static bool appended_once(void)
{
	return daemon_[0].appends == 1;
}

static void with_an_id_it_is_sent_again(void)
{
	static const int how[] = { DO_HANG_UP, DO_APPEND_HANG_UP, PXS_CLIENT_UNKNOWN };
	struct pxs_log_id id = some_id(0);
	struct pxs_log *log;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		log = start();
		daemon_[0].how = how[i];
		CHECK(!propose(log, "one", &id));
		CHECK(pump(log, appended_once));
		lead(1);
		CHECK(pump(log, all_ended));
		CHECK_EQ(result[0].error, PXS_LOG_OK);
		CHECK(result[0].repeated);
		CHECK_EQ(result[0].slot, applied);
		CHECK_EQ(daemon_[1].appends, 1);
		/* Copies are equal byte for byte, or they would not be one request. */
		CHECK_EQ(applied, how[i] == DO_APPEND_HANG_UP ? 2 : 1);
		CHECK_EQ(entry_len[applied], PXS_LOG_ID_SIZE + 3);
		if (applied == 2)
			CHECK(!memcmp(entry[1], entry[2], entry_len[2]));
		finish_test(log);
	}
}

/* A "no" to the second copy says nothing about the first. */
static void after_a_lost_answer_a_refusal_is_unknown(void)
{
	struct pxs_log_id id = some_id(0);
	struct pxs_log *log = start();

	daemon_[0].how = DO_APPEND_HANG_UP;
	CHECK(!propose(log, "one", &id));
	CHECK(pump(log, appended_once));
	lead(1);
	daemon_[1].how = PXS_CLIENT_FENCED;
	CHECK(pump(log, all_ended));
	CHECK_EQ(result[0].error, PXS_LOG_UNKNOWN);
	finish_test(log);
}

static void too_late_is_no_effect(void)
{
	struct pxs_log_id id = some_id(60);
	struct pxs_log *log = start();

	/* Not after its base: nobody would count it. */
	CHECK(!propose(log, "one", &id));
	CHECK(pump(log, all_ended));
	CHECK_EQ(result[0].error, PXS_LOG_EXPIRED);
	/* Too far behind it, as is known before it is sent. */
	id.base = 0;
	pxs_learn_slot(log, PXS_LOG_SPAN);
	CHECK(!propose(log, "two", &id));
	CHECK(pump(log, all_ended));
	CHECK_EQ(result[1].error, PXS_LOG_EXPIRED);
	CHECK_EQ(daemon_[0].appends, 1);
	finish_test(log);
}

static void refusals_have_names(void)
{
	static const int pairs[][2] = {
		{ PXS_CLIENT_BUSY, PXS_LOG_BUSY }, { PXS_CLIENT_TOO_LARGE, PXS_LOG_TOO_LARGE },
		{ PXS_CLIENT_FENCED, PXS_LOG_FENCED }, { PXS_CLIENT_STORE, PXS_LOG_STORE },
		{ PXS_CLIENT_NO_GROUP, PXS_LOG_NO_GROUP }, { PXS_CLIENT_TABLES, PXS_LOG_TABLES },
		{ PXS_CLIENT_REFUSED, PXS_LOG_REFUSED },
	};
	struct pxs_log *log = start();
	u32 i;

	for (i = 0; i < ARRAY_SIZE(pairs); i++) {
		daemon_[0].how = pairs[i][0];
		CHECK(!propose(log, "one", NULL));
		CHECK(pump(log, all_ended));
		CHECK_EQ(result[i].error, pairs[i][1]);
	}
	CHECK_EQ(applied, 0);
	CHECK_EQ(daemon_[0].appends, ARRAY_SIZE(pairs));
	finish_test(log);
}

static void no_leader_is_said_in_time(void)
{
	struct pxs_log *log = start();
	u64 t0 = pxs_io_now();

	CHECK(!pxs_log_set_timeout(log, 200));
	lead(DAEMONS);	/* member 4 leads, and is none of these */
	CHECK(!propose(log, "one", NULL));
	CHECK(pump(log, all_ended));
	CHECK_EQ(result[0].error, PXS_LOG_NOT_LEADER);
	CHECK_EQ(result[0].leader, 4);
	CHECK(pxs_io_now() - t0 >= 200);
	daemon_down(&daemon_[0]);
	daemon_down(&daemon_[1]);
	daemon_down(&daemon_[2]);
	CHECK(!propose(log, "two", NULL));
	CHECK(pump(log, all_ended));
	CHECK_EQ(result[1].error, PXS_LOG_UNREACHABLE);
	CHECK(strstr(pxs_log_detail(log), "No such file"));
	finish_test(log);
}

static void no_group_is_said_at_once(void)
{
	struct pxs_log *log = start();
	u64 t0 = pxs_io_now();
	int i;

	for (i = 0; i < DAEMONS; i++)
		daemon_[i].no_group = true;
	CHECK(!propose(log, "one", NULL));
	CHECK(pump(log, all_ended));
	CHECK_EQ(result[0].error, PXS_LOG_NO_GROUP);
	CHECK(pxs_io_now() - t0 < PXS_LOG_TIMEOUT_MS);
	finish_test(log);
}

/* --- limits ---------------------------------------------------------------- */

static void limits_are_kept(void)
{
	static u8 large[PXS_LOG_VALUE_MAX + 1];
	struct pxs_log_id id = some_id(0);
	struct pxs_log *log = start();
	u8 looks_like[PXS_LOG_SLOT_BYTES];
	u32 i;

	CHECK_EQ(pxs_log_propose(log, large, sizeof(large), NULL, 0, done, NULL),
		 PXS_LOG_TOO_LARGE);
	CHECK_EQ(pxs_log_propose(log, large, sizeof(large), &id, 0, done, NULL),
		 PXS_LOG_TOO_LARGE);
	CHECK_EQ(pxs_log_propose(log, large, 0, NULL, 0, done, NULL), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_propose(log, large, 1, NULL, 0, NULL, NULL), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_propose(log, large, 1, NULL, PXS_LOG_RETRY, done, NULL), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_propose(log, large, 1, &id, 2, done, NULL), PXS_LOG_INVALID);
	pxs_once_put((struct pxs_once_hdr *)looks_like, &id);
	CHECK_EQ(pxs_log_propose(log, looks_like, PXS_LOG_ID_SIZE, NULL, 0, done, NULL),
		 PXS_LOG_INVALID);
	pxs_chunk_put(looks_like, 1, large, PXS_LOG_VALUE_MAX, 0);
	CHECK_EQ(pxs_log_propose(log, looks_like, sizeof(looks_like), NULL, 0, done, NULL),
		 PXS_LOG_INVALID);
	for (i = 0; i < PXS_LOG_BYTES_MAX / PXS_LOG_VALUE_MAX; i++)
		CHECK(!pxs_log_propose(log, large, PXS_LOG_VALUE_MAX, NULL, 0, done, NULL));
	CHECK_EQ(pxs_log_propose(log, large, 1, NULL, 0, done, NULL), PXS_LOG_BUSY);
	finish_test(log);

	log = start();
	for (i = 0; i < PXS_LOG_OUTSTANDING_MAX; i++)
		CHECK(!propose(log, "x", NULL));
	CHECK_EQ(propose(log, "x", NULL), PXS_LOG_BUSY);
	CHECK_EQ(pxs_log_outstanding(log), PXS_LOG_OUTSTANDING_MAX);
	/* Nobody has heard of them. */
	pxs_log_close(log);
	CHECK_EQ(results, PXS_LOG_OUTSTANDING_MAX);
	for (i = 0; i < results; i++)
		CHECK_EQ(result[i].error, PXS_LOG_CLOSED);
	finish_test(NULL);
}

static void what_cannot_be_opened(void)
{
	char many[200] = "", path[120];
	int i;

	for (i = 0; i < 17; i++)
		strcat(many, i ? ",/x" : "/x");
	memset(path, 'p', sizeof(path));
	path[108] = 0;
	CHECK(!pxs_log_open(many, 1) && errno == E2BIG);
	CHECK(!pxs_log_open(path, 1) && errno == ENAMETOOLONG);
	CHECK(!pxs_log_open("", 1) && errno == EINVAL);
	CHECK(!pxs_log_open("/x,,/y", 1) && errno == EINVAL);
	CHECK(!pxs_log_open(NULL, 1) && errno == EINVAL);
	CHECK(!pxs_log_open("/x", 0) && errno == EINVAL);
	CHECK(!pxs_log_open("/x", 1u << 31) && errno == EINVAL);
	path[107] = 0;
	pxs_log_close(pxs_log_open(path, 1));
	pxs_log_close(NULL);
	for (i = -1; i < 30; i++)
		CHECK(pxs_log_strerror(i) && *pxs_log_strerror(i));
}

static bool deaf_is_full(void)
{
	static u32 calls;

	return ++calls > 50;
}

/* A daemon that takes nothing and dies: what did not leave whole was never proposed. */
static void what_was_not_sent_whole_is_sent_again(void)
{
	static u8 large[PXS_LOG_SLOT_BYTES];
	struct pxs_log *log = start();
	u32 i, unknown = 0, appended = 0, arrived = 0;
	int bytes;

	CHECK(!propose(log, "first", NULL));
	CHECK(pump(log, all_ended));
	daemon_[0].deaf = true;
	for (i = 0; i < 60; i++, wanted++)
		CHECK(!pxs_log_propose(log, large, sizeof(large), NULL, 0, done, NULL));
	CHECK(pump(log, deaf_is_full));
	CHECK_EQ(results, 1);
	for (i = 0; i < CONNS; i++)
		if (daemon_[0].conn[i].fd >= 0 && !ioctl(daemon_[0].conn[i].fd, FIONREAD, &bytes))
			arrived += (u32)bytes;
	daemon_down(&daemon_[0]);
	lead(1);
	CHECK(pump(log, all_ended));
	for (i = 1; i < results; i++) {
		unknown += result[i].error == PXS_LOG_UNKNOWN;
		appended += !result[i].error;
	}
	CHECK_EQ(unknown + appended, 60);
	CHECK(unknown > 0 && appended > 0);
	/* Of what arrived whole nobody knows what became of it. */
	CHECK_EQ(unknown, arrived / (sizeof(struct pxs_client_hdr) + sizeof(large)));
	CHECK_EQ(daemon_[1].appends, appended);
	finish_test(log);
}

static struct pxs_log *inner;

static void propose_more(void *ctx, const struct pxs_log_result *r)
{
	done(ctx, r);
	CHECK_EQ(pxs_log_process(inner), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_append(inner, "x", 1, NULL, 0, NULL), PXS_LOG_INVALID);
	if (results < 5)
		CHECK(!pxs_log_propose(inner, "more", 4, NULL, 0, propose_more, NULL));
}

static void a_callback_may_propose(void)
{
	struct pxs_log *log = inner = start();

	wanted = 5;
	CHECK(!pxs_log_propose(log, "first", 5, NULL, 0, propose_more, NULL));
	CHECK(pump(log, all_ended));
	CHECK_EQ(applied, 5);
	finish_test(log);
}

static u32 refused_late;

static void propose_for_ever(void *ctx, const struct pxs_log_result *r)
{
	(void)ctx;
	CHECK_EQ(r->error, PXS_LOG_CLOSED);
	/* What would go on for ever is a failure, not a test without end. */
	CHECK(++refused_late <= 2);
	if (refused_late <= 2)
		CHECK_EQ(pxs_log_propose(inner, "more", 4, NULL, 0, propose_for_ever, NULL),
			 PXS_LOG_CLOSED);
}

static void closing_takes_nothing_more(void)
{
	inner = start();
	refused_late = 0;
	CHECK(!pxs_log_propose(inner, "one", 3, NULL, 0, propose_for_ever, NULL));
	CHECK(!pxs_log_propose(inner, "two", 3, NULL, 0, propose_for_ever, NULL));
	finish_test(inner);
	CHECK_EQ(refused_late, 2);
}

int main(void)
{
	RUN(values_are_appended_in_order);
	RUN(who_does_not_lead_any_more_is_left);
	RUN(one_that_hangs_holds_up_nobody);
	RUN(a_lost_answer_is_unknown);
	RUN(with_an_id_it_is_sent_again);
	RUN(after_a_lost_answer_a_refusal_is_unknown);
	RUN(too_late_is_no_effect);
	RUN(refusals_have_names);
	RUN(no_leader_is_said_in_time);
	RUN(no_group_is_said_at_once);
	RUN(limits_are_kept);
	RUN(what_cannot_be_opened);
	RUN(what_was_not_sent_whole_is_sent_again);
	RUN(a_callback_may_propose);
	RUN(closing_takes_nothing_more);
	return unit_done();
}
