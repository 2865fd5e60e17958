// SPDX-License-Identifier: GPL-2.0
/*
 * test_lib_read.c - the client library: subscriptions, what blocks, and daemons that lie
 */
#include <pthread.h>

#include "unit_subscribe.h"

static bool seen_all(void)
{
	return next_slot > applied;
}

static bool stopped(void)
{
	static u32 calls;

	return next_slot > stop_at && ++calls > 20;
}

static void reads_what_is_there(void)
{
	struct pxs_log *log = start(5);

	add_entry("", 0, PXS_CLIENT_NOOP);
	append_text("v7");
	CHECK(!subscribe(log, 3, 0, 0));
	CHECK_EQ(subscribe(log, 3, 0, 0), PXS_LOG_INVALID);
	next_slot = 3;
	CHECK(pump(log, is_over));
	CHECK_STR(text, "v3 v4 v5 v7 ");
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_EQ(end_applied, 7);
	CHECK_EQ(noops, 1);
	CHECK_EQ(out_of_order, 0);
	CHECK(!subscribe(log, 2, 3, PXS_LOG_FOLLOW));
	CHECK(pump(log, is_over));
	CHECK_STR(text, "v2 v3 v4 ");
	CHECK(!subscribe(log, 50, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(slots, 0);
	CHECK_EQ(subscribe(log, 0, 0, 0), PXS_LOG_INVALID);
	CHECK_EQ(subscribe(log, 1, 0, 4), PXS_LOG_INVALID);
	finish_test(log);
}

/* Each daemon hangs up after some values; every slot comes once, in order. */
static void another_member_goes_on(void)
{
	struct pxs_log *log = start(40);
	int i;

	for (i = 0; i < DAEMONS; i++)
		daemon_[i].die_after = 3 + i;
	CHECK(!subscribe(log, 1, 0, PXS_LOG_FOLLOW));
	CHECK(pump(log, seen_all));
	CHECK_EQ(slots, 40);
	CHECK_EQ(out_of_order, 0);
	append_text("v41");
	CHECK(pump(log, seen_all));
	CHECK_EQ(slots, 41);
	CHECK_EQ(ended, -1);
	pxs_log_unsubscribe(log);
	CHECK_EQ(ended, -1);
	CHECK(!subscribe(log, 1, 40, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(slots, 40);
	CHECK_EQ(ended, PXS_LOG_OK);
	finish_test(log);
}

static void when_all_are_gone_it_ends(void)
{
	struct pxs_log *log = start(5);
	u64 t0;
	int i;

	pxs_log_set_timeout(log, 300);
	CHECK(!subscribe(log, 1, 0, PXS_LOG_FOLLOW));
	CHECK(pump(log, seen_all));
	for (i = 0; i < DAEMONS; i++)
		daemon_down(&daemon_[i]);
	t0 = pxs_io_now();
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_UNREACHABLE);
	CHECK_EQ(end_applied, 5);
	CHECK(pxs_io_now() - t0 >= 300);
	/* Nobody was ever there: it does not take so long to see. */
	pxs_log_set_timeout(log, 3600000);
	CHECK(!subscribe(log, 1, 0, PXS_LOG_FOLLOW));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_UNREACHABLE);
	finish_test(log);
}

/* They say who they are, and cannot read: that is no reason to ask them without end or pause. */
static void who_cannot_read_is_given_up(void)
{
	struct pxs_log *log = start(5);
	u32 reads = 0;
	int i;

	pxs_log_set_timeout(log, 700);
	for (i = 0; i < DAEMONS; i++)
		daemon_[i].read_how = PXS_CLIENT_IO;
	CHECK(!subscribe(log, 1, 0, PXS_LOG_FOLLOW));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_IO);
	CHECK_EQ(slots, 0);
	for (i = 0; i < DAEMONS; i++)
		reads += daemon_[i].reads;
	CHECK(reads >= DAEMONS && reads <= DAEMONS * (2 + 700 / PXS_LIB_RETRY_MS));
	finish_test(log);
}

/* Two have trimmed it, the third is away for a moment: that is no reason to give up. */
static void who_is_away_may_have_it(void)
{
	struct pxs_log *log = start(5);

	daemon_[0].trim = 3;
	daemon_[1].trim = 3;
	daemon_down(&daemon_[2]);
	CHECK(!subscribe(log, 1, 0, 0));
	CHECK(pump(log, asked_again));
	CHECK_EQ(ended, -1);
	daemon_up(&daemon_[2]);
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_STR(text, "v1 v2 v3 v4 v5 ");
	finish_test(log);
}

/* He does not come back: whoever answers has it no more, and says so. */
static void who_answers_has_it_no_more(void)
{
	struct pxs_log *log = start(5);
	u64 t0 = pxs_io_now();

	pxs_log_set_timeout(log, 300);
	daemon_[1].trim = 3;
	daemon_[2].trim = 3;
	daemon_down(&daemon_[0]);
	CHECK(!subscribe(log, 3, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_TRIMMED);
	CHECK_EQ(end_applied, 2);
	CHECK_STR(pxs_log_detail(log), "gone");
	CHECK(pxs_io_now() - t0 >= 300);
	/* All of them say so: nobody is waited for. */
	daemon_up(&daemon_[0]);
	daemon_[0].trim = 3;
	pxs_log_set_timeout(log, 3600000);
	CHECK(!subscribe(log, 3, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_TRIMMED);
	finish_test(log);
}

static void a_callback_may_end_it(void)
{
	struct pxs_log *log = start(9);

	CHECK(!subscribe(log, 1, 0, PXS_LOG_FOLLOW));
	stop_at = 4;
	CHECK(pump(log, stopped));
	CHECK_EQ(slots, 4);
	CHECK_EQ(ended, -1);
	CHECK(!subscribe(log, 5, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(slots, 5);
	finish_test(log);
}

static void add_copy(u64 number, u64 base, const char *value)
{
	struct pxs_log_id id = { .client = "unit", .number = number, .base = base };
	u8 buf[sizeof(struct pxs_once_hdr) + 16];

	pxs_once_put((struct pxs_once_hdr *)buf, &id);
	memcpy(buf + PXS_LOG_ID_SIZE, value, strlen(value));
	add_entry(buf, PXS_LOG_ID_SIZE + (u32)strlen(value), 0);
}

static void copies_are_marked(void)
{
	struct pxs_log *log = start(1);

	add_copy(1, 1, "a");
	append_text("plain");
	add_copy(2, 1, "b");
	add_copy(1, 1, "a");
	add_copy(3, 50, "early");
	add_copy(2, 1, "b");
	CHECK(!subscribe(log, 1, 0, PXS_LOG_ONCE));
	CHECK(pump(log, is_over));
	CHECK_STR(text, "v1 a plain b ");
	CHECK_EQ(repeated, 3);
	CHECK_EQ(with_id, 5);
	CHECK_EQ(slots, 7);
	/* From the middle: what was before is looked at, and not delivered. */
	CHECK(!subscribe(log, 4, 2, PXS_LOG_ONCE));
	CHECK(pump(log, is_over));
	CHECK_STR(text, "b ");
	CHECK_EQ(slots, 2);
	CHECK_EQ(repeated, 1);
	entry_flags[6] = PXS_CLIENT_DAMAGED;
	entry_len[6] = 0;
	CHECK(!subscribe(log, 1, 0, PXS_LOG_ONCE));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_DAMAGED);
	CHECK_EQ(slots, 5);
	finish_test(log);
}

/* --- daemons that lie ------------------------------------------------------ */

struct lie {
	const char *what;
	u32 len;
	u8 type, flags;
	u16 reserved;
	u32 group;
	u64 id, arg, arg2;
};

/* To a reader, whose request has id 1 and wants slot 1; the answer to WHO has id 0. */
static const struct lie lies[] = {
	{ "a slot too far", 1, PXS_CLIENT_VALUE, 0, 0, 1, 1, 2, 0 },
	{ "slot 0", 1, PXS_CLIENT_VALUE, 0, 0, 1, 1, 0, 0 },
	{ "another request's value", 1, PXS_CLIENT_VALUE, 0, 0, 1, 9, 1, 0 },
	{ "another group's value", 1, PXS_CLIENT_VALUE, 0, 0, 2, 1, 1, 0 },
	{ "flags that are none", 1, PXS_CLIENT_VALUE, 0x80, 0, 1, 1, 1, 0 },
	{ "reserved bits", 1, PXS_CLIENT_VALUE, 0, 1, 1, 1, 1, 0 },
	{ "a value too large", PXS_VALUE_MAX + 1, PXS_CLIENT_VALUE, 0, 0, 1, 1, 1, 0 },
	{ "an end without end", 0xffffffff, PXS_CLIENT_VALUE, 0, 0, 1, 1, 1, 0 },
	{ "a request", 0, PXS_CLIENT_READ, 0, 0, 1, 1, 1, 0 },
	{ "no type", 0, 0, 0, 0, 1, 1, 1, 0 },
	{ "an end too soon", 0, PXS_CLIENT_END, 0, 0, 1, 1, 5, 0 },
	{ "an answer nobody wants", 0, PXS_CLIENT_APPENDED, 0, 0, 1, 1, 1, 0 },
	{ "an error that is none", 0, PXS_CLIENT_ERROR, 0, 0, 1, 1, 99, 0 },
	{ "an error of no error", 0, PXS_CLIENT_ERROR, 0, 0, 1, 1, 0, 0 },
	{ "long words", PXS_CONN_ERROR_MAX + 1, PXS_CLIENT_ERROR, 0, 0, 1, 1, 8, 0 },
};

static void liars_are_not_believed(void)
{
	static u8 message[PXS_VALUE_MAX + 1024];
	struct pxs_log *log;
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		const struct lie *l = &lies[i];
		struct pxs_client_hdr h = {
			.len = cpu_to_le32(l->len), .type = l->type, .flags = l->flags,
			.reserved = cpu_to_le16(l->reserved), .group = cpu_to_le32(l->group),
			.id = cpu_to_le64(l->id), .arg = cpu_to_le64(l->arg),
			.arg2 = cpu_to_le64(l->arg2),
		};

		log = start(0);
		memcpy(message, &h, sizeof(h));
		for (j = 0; j < DAEMONS; j++) {
			daemon_[j].mute = true;
			daemon_[j].nonsense = message;
			daemon_[j].nonsense_len = (u32)min(sizeof(h) + l->len, sizeof(message));
		}
		CHECK(!subscribe(log, 1, 0, 0));
		CHECK(pump(log, is_over));
		if (!CHECK(ended == PXS_LOG_PROTOCOL && !slots))
			NOTE("%s: %d", l->what, ended);
		CHECK(strstr(pxs_log_detail(log), "makes no sense"));
		CHECK(log->sub.conn.in_room <= 65536 + sizeof(h));
		finish_test(log);
	}
}

static int told;

static void on_done(void *ctx, const struct pxs_log_result *r)
{
	(void)ctx;
	told = r->error;
}

static bool is_told(void)
{
	return told >= 0;
}

/* To who proposes: acknowledged is only what was sent, once. */
static void a_false_acknowledgement_is_unknown(void)
{
	static const struct lie false_[] = {
		{ "another request", 0, PXS_CLIENT_APPENDED, 0, 0, 1, 7777, 1, 0 },
		{ "slot 0", 0, PXS_CLIENT_APPENDED, 0, 0, 1, 1 << 12, 0, 0 },
		{ "a slot beyond all", 0, PXS_CLIENT_APPENDED, 0, 0, 1, 1 << 12, 1ull << 63, 0 },
		{ "another group", 0, PXS_CLIENT_APPENDED, 0, 0, 2, 1 << 12, 1, 0 },
		{ "a body", 1, PXS_CLIENT_APPENDED, 0, 0, 1, 1 << 12, 1, 0 },
		{ "member 64 leads", 0, PXS_CLIENT_ERROR, 0, 0, 1, 1 << 12, 1, 64 },
		{ "a transfer's error", 0, PXS_CLIENT_ERROR, 0, 0, 1, 1 << 12, 10, 0 },
	};
	struct pxs_log *log;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(false_); i++) {
		struct { struct pxs_client_hdr who, h; u8 body; } message = {
			.who = { .type = PXS_CLIENT_MEMBER, .flags = PXS_CLIENT_READY,
				 .group = cpu_to_le32(1), .arg2 = cpu_to_le64(1) },
			.h = { .len = cpu_to_le32(false_[i].len), .type = false_[i].type,
			       .group = cpu_to_le32(false_[i].group),
			       .id = cpu_to_le64(false_[i].id),
			       .arg = cpu_to_le64(false_[i].arg),
			       .arg2 = cpu_to_le64(false_[i].arg2) },
		};

		log = start(0);
		told = -1;
		daemon_[0].mute = true;
		daemon_[0].how = DO_NOTHING;
		daemon_[0].nonsense = (const u8 *)&message;
		daemon_[0].nonsense_len = sizeof(message.who) + sizeof(message.h) + false_[i].len;
		CHECK(!pxs_log_propose(log, "x", 1, NULL, 0, on_done, NULL));
		CHECK(pump(log, is_told));
		if (!CHECK(told == PXS_LOG_UNKNOWN))
			NOTE("%s: %d", false_[i].what, told);
		finish_test(log);
	}
}

/* --- what blocks ----------------------------------------------------------- */

static volatile bool serving;

static void *serve_all(void *arg)
{
	int i;

	(void)arg;
	while (__atomic_load_n(&serving, __ATOMIC_ACQUIRE))
		for (i = 0; i < DAEMONS; i++)
			serve(&daemon_[i]);
	return NULL;
}

static void what_blocks_returns(void)
{
	struct pxs_log *log = start(3);
	struct pxs_log_result r;
	struct pxs_log_id id, id2;
	char *json = NULL;
	uint64_t slot;
	pthread_t t;

	__atomic_store_n(&serving, true, __ATOMIC_RELEASE);
	if (pthread_create(&t, NULL, serve_all, NULL))
		abort();
	CHECK_EQ(pxs_log_make_id(log, &id), PXS_LOG_OK);
	CHECK_EQ(id.base, 3);
	CHECK_EQ(pxs_log_connect(log), PXS_LOG_OK);
	CHECK_EQ(pxs_log_append(log, "sync", 4, NULL, 0, &r), PXS_LOG_OK);
	CHECK_EQ(r.slot, 4);
	CHECK_EQ(pxs_log_append(log, "id", 2, &id, 0, &r), PXS_LOG_OK);
	CHECK(r.slot == 5 && !r.repeated);
	CHECK_EQ(pxs_log_append(log, "id", 2, &id, PXS_LOG_RETRY, &r), PXS_LOG_OK);
	CHECK(r.slot == 6 && r.repeated);
	CHECK_EQ(pxs_log_make_id(log, &id2), PXS_LOG_OK);
	CHECK(id2.number == id.number + 1 && id2.base == 6);
	CHECK_EQ(pxs_log_append(log, "", 0, NULL, 0, &r), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_status(log, 1, &json), PXS_LOG_OK);
	CHECK_STR(json, "{\"groups\":[]}");
	free(json);
	CHECK_EQ(pxs_log_status(log, 3, &json), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_transfer(log, 2, &r), PXS_LOG_OK);
	CHECK_EQ(pxs_log_transfer(log, 64, &r), PXS_LOG_INVALID);
	CHECK_EQ(pxs_log_read_index(log, &slot), PXS_LOG_OK);
	CHECK_EQ(slot, 6);
	CHECK_EQ(pxs_log_read_index(log, NULL), PXS_LOG_INVALID);
	__atomic_store_n(&serving, false, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	pxs_log_close(log);
	finish_test(NULL);

	log = pxs_log_open("/nowhere/1,/nowhere/2", 1);
	pxs_log_set_timeout(log, 50);
	CHECK_EQ(pxs_log_connect(log), PXS_LOG_UNREACHABLE);
	CHECK_EQ(pxs_log_make_id(log, &id), PXS_LOG_UNREACHABLE);
	CHECK_EQ(pxs_log_append(log, "x", 1, NULL, 0, &r), PXS_LOG_UNREACHABLE);
	CHECK_EQ(pxs_log_status(log, 0, &json), PXS_LOG_UNREACHABLE);
	CHECK_EQ(pxs_log_transfer(log, 2, NULL), PXS_LOG_UNREACHABLE);
	CHECK_EQ(pxs_log_read_index(log, &slot), PXS_LOG_UNREACHABLE);
	CHECK(strstr(pxs_log_detail(log), "/nowhere/"));
	CHECK_EQ(pxs_log_set_timeout(log, 0), PXS_LOG_INVALID);
	pxs_log_close(log);
}

/* The leader says what @how is, at first. */
static int read_index(int how, u64 *slot, u32 *asked)
{
	struct pxs_log *log = start(3);
	pthread_t t;
	int ret;

	daemon_[0].index_how = how;
	__atomic_store_n(&serving, true, __ATOMIC_RELEASE);
	if (pthread_create(&t, NULL, serve_all, NULL))
		abort();
	pxs_log_set_timeout(log, 5000);
	*slot = 99;
	ret = pxs_log_read_index(log, slot);
	__atomic_store_n(&serving, false, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	*asked = daemon_[0].indexes;
	finish_test(log);
	return ret;
}

/* Whoever cannot tell, or says nothing, is asked again: that is harmless. */
static void read_index_is_asked_again(void)
{
	static const int how[] = { PXS_CLIENT_NOT_LEADER, PXS_CLIENT_FENCED, PXS_CLIENT_BUSY,
				   DO_HANG_UP };
	u32 i, asked;
	u64 slot;

	CHECK_EQ(read_index(0, &slot, &asked), PXS_LOG_OK);
	CHECK_EQ(slot, 3);
	CHECK_EQ(asked, 1);
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		if (!CHECK(read_index(how[i], &slot, &asked) == PXS_LOG_OK))
			NOTE("case %u", i);
		CHECK_EQ(slot, 3);
		CHECK_EQ(asked, 2);
	}
	CHECK_EQ(read_index(PXS_CLIENT_TOO_LARGE, &slot, &asked), PXS_LOG_TOO_LARGE);
	CHECK_EQ(slot, 99);
	CHECK_EQ(asked, 1);
}

int main(void)
{
	RUN(reads_what_is_there);
	RUN(another_member_goes_on);
	RUN(when_all_are_gone_it_ends);
	RUN(who_cannot_read_is_given_up);
	RUN(who_is_away_may_have_it);
	RUN(who_answers_has_it_no_more);
	RUN(a_callback_may_end_it);
	RUN(copies_are_marked);
	RUN(liars_are_not_believed);
	RUN(a_false_acknowledgement_is_unknown);
	RUN(what_blocks_returns);
	RUN(read_index_is_asked_again);
	return unit_done();
}
