// SPDX-License-Identifier: GPL-2.0
/*
 * test_lib_chunk.c - the client library: values of several slots
 */
#include "unit_subscribe.h"

/* Chunks @first..@last - 1 of a value of @len bytes, with an id or without. */
static void append_chunks(u32 len, const struct pxs_log_id *id, u32 first, u32 last)
{
	static u8 whole[PXS_WHOLE_MAX], chunk[PXS_VALUE_MAX];
	static u64 number;
	u32 i, head = 0;

	if (id) {
		pxs_once_put((struct pxs_once_hdr *)whole, id);
		head = PXS_LOG_ID_SIZE;
	}
	memcpy(whole + head, large, len);
	number++;
	for (i = first; i < last; i++) {
		pxs_chunk_put(chunk, number, whole, head + len, i);
		add_entry(chunk, pxs_chunk_size(head + len, i), 0);
	}
}

/* v1 and v2, 40000 bytes at 5, half a value at 6 and 7, nothing at 8, v9, 65536 bytes at 14 */
static struct pxs_log *start_large(void)
{
	struct pxs_log *log = start(2);
	u32 i;

	for (i = 0; i < sizeof(large); i++)
		large[i] = (u8)(i ^ i >> 8);
	append_chunks(40000, NULL, 0, 3);
	append_chunks(40000, NULL, 0, 2);
	add_entry("", 0, PXS_CLIENT_NOOP);
	append_text("v9");
	append_chunks(65536, NULL, 0, 5);
	return log;
}

static void large_values_are_put_together(void)
{
	struct pxs_log *log = start_large();
	u64 from;
	u32 i;

	CHECK(!subscribe(log, 1, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_STR(text, "v1 v2 [40000] v9 [65536] ");
	CHECK_EQ(slots, 14);
	CHECK_EQ(out_of_order, 0);
	CHECK_EQ(parts, 2 + 2 + 4);
	/* From the middle of a value, or of none; whoever answers, and whenever he dies. */
	for (from = 2; from <= 14; from++) {
		for (i = 0; i < DAEMONS; i++)
			daemon_[i].die_after = from % 3;
		CHECK(!subscribe(log, from, 0, 0));
		CHECK(pump(log, is_over));
		CHECK_EQ(ended, PXS_LOG_OK);
		CHECK_EQ(slots, 14 - from + 1);
		CHECK_EQ(out_of_order, 0);
		CHECK(!!strstr(text, "[40000]") == (from <= 5));
		CHECK(strstr(text, "[65536]"));
	}
	CHECK(!subscribe(log, 5, 1, 0));
	CHECK(pump(log, is_over));
	CHECK_STR(text, "[40000] ");
	CHECK_EQ(slots, 1);
	finish_test(log);
}

/* Where a value begins is gone: another member may have it. Else it is lost, and said to be. */
static void trimmed_through_a_value(void)
{
	struct pxs_log *log = start_large();
	u32 i;

	daemon_[0].trim = 3;
	CHECK(!subscribe(log, 4, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_STR(text, "[40000] v9 [65536] ");
	CHECK_EQ(slots, 11);
	for (i = 0; i < DAEMONS; i++)
		daemon_[i].trim = 3;
	CHECK(!subscribe(log, 4, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_STR(text, "v9 [65536] ");
	CHECK_EQ(slots, 11);
	CHECK_EQ(damaged, 1);
	CHECK_EQ(out_of_order, 0);
	CHECK(!subscribe(log, 3, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_TRIMMED);
	CHECK_EQ(end_applied, 2);
	finish_test(log);
}

/* The same while one is away: he may have it. If he does not come back, it is lost. */
static void trimmed_while_one_is_away(void)
{
	struct pxs_log *log = start_large();

	daemon_[0].trim = 3;
	daemon_[1].trim = 3;
	daemon_down(&daemon_[2]);
	CHECK(!subscribe(log, 4, 0, 0));
	CHECK(pump(log, asked_again));
	daemon_up(&daemon_[2]);
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_STR(text, "[40000] v9 [65536] ");
	CHECK_EQ(damaged, 0);
	daemon_down(&daemon_[2]);
	pxs_log_set_timeout(log, 300);
	CHECK(!subscribe(log, 4, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_STR(text, "v9 [65536] ");
	CHECK_EQ(damaged, 1);
	finish_test(log);
}

/* One chunk is damaged where it is read: the value is there, and this member cannot tell it. */
static void a_damaged_chunk_is_a_lost_value(void)
{
	static const char *const whole = "v1 v2 [40000] v9 [65536] ";
	struct pxs_log *log = start_large();
	u64 bad, from;

	for (bad = 3; bad <= 5; bad++) {
		for (from = 1; from <= 5; from++) {
			entry_flags[bad] = PXS_CLIENT_DAMAGED;
			CHECK(!subscribe(log, from, 0, 0));
			CHECK(pump(log, is_over));
			CHECK_EQ(ended, PXS_LOG_OK);
			CHECK_EQ(slots, 14 - from + 1);
			CHECK_EQ(out_of_order, 0);
			CHECK(!strstr(text, "[40000]"));
			CHECK_EQ(lost_slots, (bad >= from ? 1u << bad : 0) | 1u << 5);
			entry_flags[bad] = 0;
		}
	}
	/* In the half of a value behind it: that is none, whatever it was. */
	entry_flags[6] = PXS_CLIENT_DAMAGED;
	CHECK(!subscribe(log, 1, 0, 0));
	CHECK(pump(log, is_over));
	CHECK_STR(text, whole);
	CHECK_EQ(lost_slots, 1u << 6);
	finish_test(log);
}

static void large_values_with_ids(void)
{
	struct pxs_log_id a = { .client = { 1 }, .number = 1 };
	struct pxs_log *log = start_large();

	append_chunks(65536, &a, 0, 5);		/* 19 */
	append_chunks(20000, &a, 0, 1);		/* a copy that never became whole */
	append_chunks(65536, &a, 0, 5);		/* 25, a copy */
	CHECK(!subscribe(log, 15, 0, PXS_LOG_ONCE));
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_STR(text, "[65536] ");
	CHECK_EQ(repeated, 1);
	CHECK_EQ(with_id, 2);
	CHECK_EQ(parts, 4 + 1 + 4);
	CHECK(!subscribe(log, 25, 0, PXS_LOG_ONCE));
	CHECK(pump(log, is_over));
	CHECK_STR(text, "");
	CHECK_EQ(repeated, 1);
	/* As if the first slot that matters for judging were in the middle of the first copy. */
	CHECK(!subscribe(log, 25, 0, PXS_LOG_ONCE));
	log->sub.next = 17;
	log->sub.once->next = 17;
	CHECK(pump(log, is_over));
	CHECK_EQ(ended, PXS_LOG_OK);
	CHECK_EQ(repeated, 1);
	finish_test(log);
}

int main(void)
{
	RUN(large_values_are_put_together);
	RUN(trimmed_through_a_value);
	RUN(trimmed_while_one_is_away);
	RUN(a_damaged_chunk_is_a_lost_value);
	RUN(large_values_with_ids);
	return unit_done();
}
