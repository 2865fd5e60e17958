// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_drive.c - sagas at a member: what its clients say, and what it proposes when it leads
 *
 * A store without a loop and without a log: the test decides what was proposed, and applies it.
 */
#include "unit_reads.h"

#include "../../agent/store/db_saga.h"

static void begin_test(void)
{
	setup(true);
	config.sagas = 1000;
	config.saga_age = 60;
}

static struct pxs_proposal *take_proposal(void)
{
	struct pxs_proposal *p = replica.proposals.queued.first;

	if (!p)
		return NULL;
	replica.proposals.queued.first = p->next;
	replica.proposals.queued.count--;
	if (!p->next)
		pxs_proposals_init(&replica.proposals);
	return p;
}

static void end_test(void)
{
	struct pxs_proposal *p;

	while ((p = take_proposal()))
		p->done(p, PXS_CLIENT_UNKNOWN, 0);
	teardown();
}

static u32 queued(void)
{
	return replica.proposals.queued.count;
}

static void go_on(void)
{
	commit(&s);
	pxs_drive_step(&s);
	go_round();
}

/* The first @n that are queued are decided, in the next slots, and applied if @apply. */
static void decide_many(u32 n, bool apply)
{
	static u8 values[PXS_DRIVE_MAX * 2][PXS_VALUE_MAX];
	struct pxs_fetched v = { .slot = s.db.state.applied };
	u32 len[PXS_DRIVE_MAX * 2], i;
	struct pxs_proposal *p;

	for (i = 0; i < n; i++) {
		p = take_proposal();
		if (!CHECK(p))
			return;
		memcpy(values[i], p->value, p->len);
		len[i] = p->len;
		p->done(p, 0, v.slot + 1 + i);
	}
	for (i = 0; i < n && apply; i++) {
		v.slot++;
		v.data = values[i];
		v.len = len[i];
		CHECK(take(&s, &v));
	}
	go_on();
}

/* What is queued fails with @error. */
static void refuse_all(u32 error)
{
	struct pxs_proposal *p;

	while ((p = take_proposal()))
		p->done(p, error, 0);
	go_on();
}

static void tick(void)
{
	node.loop.now += TICK_MS;
	store_tick(&s.ticker, node.loop.now);
	go_on();
}

/* @n of them, of two steps each. */
static void begin(u32 n)
{
	char words[100];
	u32 i;

	for (i = 0; i < n; i++) {
		sprintf(words, "PAXSTEER SAGA BEGIN s%u STEP 1 DO 2 INCR n STEP 2 DO 2 INCR n\r\n", i);
		say(words);
	}
}

static void it_goes_to_its_end(void)
{
	begin_test();
	CHECK_STR(say("PAXSTEER SAGA BEGIN x STEP 1 DO 2 INCR n STEP 2 DO 2 INCR n\r\n"), "");
	CHECK_EQ(queued(), 1);
	decide_many(1, true);
	CHECK_STR(got(), ":1\r\n");
	/* At once, without a tick, and once: until it is applied there is nothing to go on from. */
	CHECK_EQ(queued(), 1);
	tick();
	CHECK_EQ(queued(), 1);
	decide_many(1, false);
	tick();
	CHECK_EQ(queued(), 0);
	end_test();

	begin_test();
	say("PAXSTEER SAGA BEGIN x STEP 1 DO 2 INCR n STEP 2 DO 2 INCR n\r\n");
	decide_many(1, true);
	decide_many(1, true);
	decide_many(1, true);
	tick();
	CHECK_EQ(queued(), 0);
	CHECK_EQ(s.drive.steps, 2);
	got();
	CHECK_STR(say("READONLY\r\nGET n\r\n"), "+OK\r\n$1\r\n2\r\n");
	end_test();
}

static void who_does_not_lead_does_nothing(void)
{
	begin_test();
	begin(1);
	decide_many(1, true);
	CHECK_EQ(queued(), 1);
	refuse_all(PXS_CLIENT_UNKNOWN);
	lead(false);
	tick();
	CHECK_EQ(queued(), 0);
	/* The next leader finds it in the data. */
	lead(true);
	tick();
	CHECK_EQ(queued(), 1);
	/* A proposal that came to nothing is made again, not before the next tick. */
	refuse_all(PXS_CLIENT_UNKNOWN);
	go_on();
	CHECK_EQ(queued(), 0);
	tick();
	CHECK_EQ(queued(), 1);
	s.stalled = -ENOSPC;
	refuse_all(PXS_CLIENT_UNKNOWN);
	tick();
	CHECK_EQ(queued(), 0);
	s.stalled = 0;
	s.loading = 100;
	tick();
	CHECK_EQ(queued(), 0);
	s.loading = 0;
	tick();
	CHECK_EQ(queued(), 1);
	end_test();
}

static void many_at_a_time(void)
{
	begin_test();
	begin(PXS_DRIVE_MAX + 10);
	CHECK_EQ(queued(), PXS_DRIVE_MAX + 10);
	/* The steps of all, PXS_DRIVE_MAX under way at most, and nobody is left out. */
	decide_many(queued(), true);
	CHECK_EQ(queued(), PXS_DRIVE_MAX);
	tick();
	CHECK_EQ(queued(), PXS_DRIVE_MAX);
	decide_many(PXS_DRIVE_MAX, true);
	CHECK_EQ(queued(), PXS_DRIVE_MAX);
	while (queued())
		decide_many(queued(), true);
	CHECK_EQ(s.drive.steps, 2 * (PXS_DRIVE_MAX + 10));
	CHECK_EQ(pxs_db_begin(&s.db, false), 0);
	CHECK_EQ(pxs_db_saga_live(&s.db), 0);
	pxs_db_abort(&s.db);
	got();
	end_test();
}

static void where_it_may_be_said(void)
{
	begin_test();
	CHECK_STR(say("MULTI\r\nPAXSTEER SAGA ABORT x\r\nPAXSTEER SAGA STATUS x\r\nEXEC\r\n"),
		  "+OK\r\n-ERR Command not allowed inside a transaction\r\n"
		  "-ERR Command not allowed inside a transaction\r\n"
		  "-EXECABORT Transaction discarded because of previous errors.\r\n");
	CHECK_STR(say("PAXSTEER SESSION RUN 1 1 PAXSTEER SAGA ABORT x\r\n"),
		  "-ERR PAXSTEER SESSION RUN takes a command that writes, or EXEC\r\n");
	CHECK_STR(say("PAXSTEER SAGA ABORT\r\n"),
		  "-ERR wrong number of arguments for 'paxsteer|saga|abort' command\r\n");
	CHECK_STR(say("PAXSTEER SAGA HOP x\r\n"),
		  "-ERR PAXSTEER SAGA BEGIN, ABORT, DONE, FAIL, RETRY, SKIP, STATUS, HISTORY or LIST\r\n");
	CHECK_EQ(queued(), 0);
	/* A strong read waits for its index; another does not. */
	CHECK_STR(say("PAXSTEER SAGA STATUS x\r\n"), "");
	CHECK(asks());
	tell(0, 0);
	CHECK(!strncmp(got(), "-NOSAGA ", 8));
	CHECK(!strncmp(say("READONLY\r\nPAXSTEER SAGA STATUS x\r\n"), "+OK\r\n-NOSAGA ", 13));
	lead(false);
	CHECK_STR(say("PAXSTEER SAGA ABORT x\r\n"), "-MOVED 0 127.0.0.1:7\r\n");
	CHECK_STR(say("READWRITE\r\nPAXSTEER SAGA STATUS x\r\n"), "+OK\r\n-MOVED 0 127.0.0.1:7\r\n");
	end_test();
}

int main(void)
{
	RUN(it_goes_to_its_end);
	RUN(who_does_not_lead_does_nothing);
	RUN(many_at_a_time);
	RUN(where_it_may_be_said);
	return unit_done();
}
