// SPDX-License-Identifier: GPL-2.0
/*
 * test_stage.c - records between a decision and the disk
 */
#include "unit.h"
#include "stage.h"

#define SIZE	(2 * PXS_APPEND_MAX)

static u8 ring[SIZE];
static u32 length[PXS_STAGE_RECORDS];
static u8 data[PXS_VALUE_MAX];

static u64 append(struct pxs_stage *s, u32 len)
{
	struct pxs_record r = { .group = 1, .type = PXS_RECORD_ACCEPT, .slot = 1, .ballot = 1,
				.len = len };

	return pxs_stage_append(s, &r, len ? data : NULL);
}

/* Send one batch, check that it holds whole records from @first on. Return: their number. */
static u32 send(struct pxs_stage *s, u32 max, u64 first)
{
	struct pxs_record r;
	struct pxs_batch b;
	u32 at = 0, n = 0;
	u8 *buf;

	if (!pxs_stage_due(s, max, &b))
		return 0;
	buf = malloc(b.bytes);
	pxs_stage_copy(s, &b, buf);
	pxs_stage_sent(s, &b);
	CHECK(b.bytes <= max);
	CHECK_EQ(b.first_lsn, first);
	while (at < b.bytes) {
		CHECK_EQ(pxs_record_get(buf + at, b.bytes - at, &r), PXS_RECORD_OK);
		CHECK_EQ(r.lsn, first + n);
		at += pxs_record_size(r.len);
		n++;
	}
	CHECK_EQ(n, b.count);
	free(buf);
	return n;
}

static void nobody_attached(void)
{
	struct pxs_stage s;
	struct pxs_batch b;

	pxs_stage_init(&s, ring, SIZE, length);
	CHECK_EQ(append(&s, 1), 0);
	CHECK_EQ(s.full, 1);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	CHECK_EQ(-pxs_stage_durable(&s, 0, 0), ESTALE);
}

static void in_order(void)
{
	struct pxs_stage s;

	pxs_stage_init(&s, ring, SIZE, length);
	CHECK_EQ(pxs_stage_attach(&s, 5, 101), 1);
	CHECK_EQ(append(&s, 10), 101);
	CHECK_EQ(append(&s, 0), 102);
	CHECK_EQ(-pxs_stage_durable(&s, 1, 101), EINVAL);	/* not even sent */
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 101), 2);
	CHECK_EQ(pxs_stage_durable(&s, 1, 100), 0);
	CHECK_EQ(pxs_stage_durable(&s, 1, 101), 1);
	CHECK_EQ(s.durable_lsn, 101);
	CHECK_EQ(pxs_stage_durable(&s, 1, 101), 0);
	CHECK_EQ(-pxs_stage_durable(&s, 1, 103), EINVAL);
	CHECK_EQ(pxs_stage_durable(&s, 1, 102), 1);
	CHECK_EQ(s.tail, s.head);
}

/* Group commit: while batches are in flight what waits gathers, until it is a full one. */
static void gathers(void)
{
	struct pxs_stage s;
	struct pxs_batch b;
	u32 i;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	for (i = 1; i <= PXS_STAGE_BATCHES; i++) {
		append(&s, 8);
		CHECK_EQ(send(&s, PXS_APPEND_MAX, i), 1);
	}
	append(&s, 8);
	append(&s, 8);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	/* but a full batch may go */
	CHECK(pxs_stage_due(&s, pxs_record_size(8), &b));
	CHECK_EQ(pxs_stage_durable(&s, 1, 1), 1);
	CHECK_EQ(send(&s, PXS_APPEND_MAX, PXS_STAGE_BATCHES + 1), 2);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
}

static u64 append_lazy(struct pxs_stage *s, u32 len)
{
	struct pxs_record r = { .group = 1, .type = PXS_RECORD_ACCEPT, .slot = 1, .ballot = 1,
				.len = len, .lazy = true };

	return pxs_stage_append(s, &r, data);
}

/* Whether a batch is due that holds @count records, and whether it is a lazy one. */
static bool due(struct pxs_stage *s, u32 count, bool lazy)
{
	struct pxs_batch b;

	return pxs_stage_due(s, PXS_APPEND_MAX, &b) && b.count == count && b.lazy == lazy;
}

static void lazy(void)
{
	struct pxs_stage s;
	struct pxs_batch b;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	append_lazy(&s, 8);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	append(&s, 8);			/* who waits takes it along */
	append_lazy(&s, 8);
	CHECK(due(&s, 3, false));
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 1), 3);
	append_lazy(&s, 8);
	append_lazy(&s, 8);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	CHECK(pxs_stage_due(&s, pxs_record_size(8), &b));	/* a full batch */
	CHECK(b.lazy);
	pxs_stage_hurry(&s, 4);		/* the agent is waited for, the disk is not */
	CHECK(due(&s, 2, true));
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 4), 2);
	append_lazy(&s, 8);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	pxs_stage_late(&s);
	CHECK(due(&s, 1, true));
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 6), 1);
	pxs_stage_late(&s);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	CHECK_EQ(pxs_stage_durable(&s, 1, 6), 1);
}

/* An agent lets what is lazy lie: who waits for the disk does not wait for that. */
static void lazy_in_flight(void)
{
	struct pxs_stage s;
	struct pxs_batch b;
	u32 i;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	for (i = 1; i <= 2 * PXS_STAGE_BATCHES; i++) {
		append_lazy(&s, 8);
		pxs_stage_late(&s);
		CHECK_EQ(send(&s, PXS_APPEND_MAX, i), 1);
	}
	for (; i <= 3 * PXS_STAGE_BATCHES; i++) {
		append(&s, 8);
		CHECK_EQ(send(&s, PXS_APPEND_MAX, i), 1);
	}
	append(&s, 8);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	append_lazy(&s, 8);
	pxs_stage_late(&s);		/* no reason to cut short what gathers */
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	CHECK_EQ(pxs_stage_durable(&s, 1, 2 * PXS_STAGE_BATCHES + 1), 1);
	CHECK(due(&s, 2, false));
}

/* Credit comes back from the disk: what is lazy must not take it all. */
static void lazy_fills(void)
{
	static u8 big[1u << 20];
	struct pxs_stage s;
	u32 fits = SIZE / 4 / pxs_record_size(1000), i;
	struct pxs_batch b;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	for (i = 1; i <= fits; i++)
		CHECK_EQ(append_lazy(&s, 1000), i);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	append_lazy(&s, 1000);
	CHECK(due(&s, fits + 1, false));
	pxs_stage_init(&s, big, sizeof(big), length);
	pxs_stage_attach(&s, 5, 1);
	for (i = 1; i <= PXS_STAGE_RECORDS / 4; i++)
		CHECK_EQ(append_lazy(&s, 0), i);
	CHECK_EQ(s.want_lsn, 0);
	append_lazy(&s, 0);
	CHECK_EQ(s.want_lsn, i);
}

/* The next agent gets at once what the former left, and writes it. */
static void lazy_and_another_agent(void)
{
	struct pxs_stage s;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	append_lazy(&s, 8);
	append_lazy(&s, 8);
	pxs_stage_late(&s);
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 1), 2);
	pxs_stage_detach(&s);
	append_lazy(&s, 8);
	CHECK_EQ(pxs_stage_attach(&s, 5, 2), 2);
	CHECK(due(&s, 2, false));
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 2), 2);
}

static void credits(void)
{
	u32 fits = SIZE / pxs_record_size(PXS_VALUE_MAX), i;
	struct pxs_stage s;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	for (i = 1; i <= fits; i++)
		CHECK_EQ(append(&s, PXS_VALUE_MAX), i);
	CHECK_EQ(append(&s, PXS_VALUE_MAX), 0);
	CHECK_EQ(s.full, 1);
	CHECK_EQ(s.last_lsn, fits);
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 1), 1);	/* two with their headers do not fit */
	CHECK_EQ(append(&s, PXS_VALUE_MAX), 0);	/* sent is not enough */
	CHECK_EQ(pxs_stage_durable(&s, 1, 1), 1);
	CHECK_EQ(append(&s, PXS_VALUE_MAX), fits + 1);
}

static void credits_of_records(void)
{
	static u8 big[1u << 20];
	struct pxs_stage s;
	u32 i;

	pxs_stage_init(&s, big, sizeof(big), length);
	pxs_stage_attach(&s, 5, 1);
	for (i = 1; i <= PXS_STAGE_RECORDS; i++)
		CHECK_EQ(append(&s, 0), i);
	CHECK_EQ(append(&s, 0), 0);
}

/* S6: the next agent gets what was not confirmed, byte by byte; a late ack counts nothing. */
static void another_agent(void)
{
	struct pxs_stage s;
	struct pxs_batch old;
	u8 *buf;

	pxs_stage_init(&s, ring, SIZE, length);
	CHECK_EQ(pxs_stage_attach(&s, 5, 1), 1);
	CHECK_EQ(-pxs_stage_attach(&s, 5, 1), EBUSY);
	append(&s, 3);
	append(&s, 30);
	append(&s, 300);
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 1), 3);
	CHECK_EQ(pxs_stage_durable(&s, 1, 1), 1);
	append(&s, 9);
	CHECK(pxs_stage_due(&s, PXS_APPEND_MAX, &old));
	pxs_stage_detach(&s);
	CHECK_EQ(append(&s, 7), 5);	/* kept for whoever comes */
	CHECK_EQ(-pxs_stage_durable(&s, 1, 3), ESTALE);
	CHECK_EQ(-pxs_stage_attach(&s, 6, 3), EKEYREJECTED);
	CHECK_EQ(-pxs_stage_attach(&s, 5, 1), ESTALE);	/* lacks LSN 1, which was durable */
	CHECK_EQ(-pxs_stage_attach(&s, 5, 7), ESTALE);	/* holds LSN 6, never staged */
	CHECK_EQ(pxs_stage_attach(&s, 5, 3), 2);
	CHECK_EQ(s.durable_lsn, 2);
	CHECK_EQ(-pxs_stage_durable(&s, 1, 3), ESTALE);
	/* A batch of the former agent that was about to leave: ignored, its copy is blank. */
	buf = malloc(old.bytes);
	memset(buf, 1, old.bytes);
	pxs_stage_copy(&s, &old, buf);
	CHECK_EQ(buf[0], 0);
	pxs_stage_sent(&s, &old);
	free(buf);
	CHECK_EQ(s.sent_lsn, 2);
	CHECK_EQ(send(&s, PXS_APPEND_MAX, 3), 3);
	CHECK_EQ(pxs_stage_durable(&s, 2, 5), 1);
}

static void failed(void)
{
	struct pxs_stage s;
	struct pxs_batch b;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	append(&s, 1);
	append(&s, 1);
	send(&s, PXS_APPEND_MAX, 1);
	pxs_stage_fail(&s);
	CHECK_EQ(append(&s, 1), 0);
	CHECK_EQ(-pxs_stage_durable(&s, 1, 1), EIO);
	CHECK(!pxs_stage_due(&s, PXS_APPEND_MAX, &b));
	pxs_stage_detach(&s);
	CHECK_EQ(-pxs_stage_attach(&s, 5, 1), EIO);
	CHECK_EQ(s.durable_lsn, 0);
}

/* Long and random, against a plain list: everything comes out once, in order, whole. */
static void long_run(void)
{
	u64 state = 7, next = 1, sent = 1, acked = 0, epoch = 1;
	struct pxs_stage s;
	u32 round, n;

	pxs_stage_init(&s, ring, SIZE, length);
	pxs_stage_attach(&s, 5, 1);
	for (round = 0; round < 100000; round++) {
		u64 lsn = append(&s, unit_random(&state) % (round & 64 ? 100 : 3000));

		if (lsn) {
			CHECK_EQ(lsn, next);
			next++;
		} else {
			CHECK(acked + 1 < next);
		}
		n = send(&s, PXS_APPEND_MAX, sent);
		sent += n;
		if (unit_random(&state) % 4 == 0 && acked + 1 < sent) {
			acked += 1 + unit_random(&state) % (sent - acked - 1);
			CHECK_EQ(pxs_stage_durable(&s, epoch, acked), 1);
		}
		if (unit_random(&state) % 200 == 0) {
			u64 have = acked + unit_random(&state) % (sent - acked);

			pxs_stage_detach(&s);
			CHECK_EQ(pxs_stage_attach(&s, 5, have + 1), ++epoch);
			acked = have;
			sent = have + 1;
		}
	}
	CHECK(s.head > 20 * SIZE);	/* it did wrap */
}

int main(void)
{
	RUN(nobody_attached);
	RUN(in_order);
	RUN(gathers);
	RUN(lazy);
	RUN(lazy_in_flight);
	RUN(lazy_fills);
	RUN(lazy_and_another_agent);
	RUN(credits);
	RUN(credits_of_records);
	RUN(another_agent);
	RUN(failed);
	RUN(long_run);
	return unit_done();
}
