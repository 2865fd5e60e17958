// SPDX-License-Identifier: GPL-2.0
/*
 * test_fetch.c - values of slots are read from the journal (agent/fetch.c)
 */
#include "unit_journal.h"

#include "../../agent/fetch.h"
#include "../../agent/slots.h"

#define SLOTS	10u

static struct pxs_slots slots;
static struct pxs_fetch fetch;
static u64 next, lost;
static bool over;

static void place(void *ctx, const struct pxs_record *r, u64 pos)
{
	(void)ctx;
	CHECK_EQ(pxs_slots_record(&slots, r, pos, false), 0);
}

static const struct pxs_journal_events placing = {
	.placed = place, .durable = on_durable, .failed = on_failed,
};

static bool take(void *ctx, const struct pxs_fetched *v)
{
	(void)ctx;
	CHECK_EQ(v->slot, next++);
	lost += v->faulty;
	return true;
}

static void done(void *ctx, int err)
{
	(void)ctx;
	CHECK_EQ(err, 0);
	over = true;
}

/* Return: it came to an end. */
static bool read_all(void)
{
	unsigned int i;

	next = 1;
	lost = 0;
	over = false;
	pxs_fetch_run(&fetch, 1, SLOTS);
	for (i = 0; i < ROUNDS && !over; i++)
		pxs_loop_once(&loop);
	return over;
}

/* Somebody cut a segment off while it was in use: what is not there is damaged. */
static void behind_the_end_is_damage(void)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];
	u64 pos;

	new_dir("fetch");
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	journal.events = &placing;
	append(SLOTS, 1000);
	CHECK_FATAL(settle());
	pxs_fetch_init(&fetch, &journal, &slots);
	fetch.take = take;
	fetch.done = done;
	CHECK(read_all());
	CHECK(next == SLOTS + 1 && !lost);
	pos = pxs_slots_at(&slots, SLOTS / 2)->pos;
	pxs_segment_name(pxs_pos_segment(pos), name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK_EQ(truncate(path, pxs_pos_offset(pos)), 0);
	CHECK_FATAL(read_all());
	CHECK(next == SLOTS + 1 && lost == SLOTS - SLOTS / 2 + 1);
	pxs_fetch_exit(&fetch);
	pxs_slots_exit(&slots);
	close_writer();
	remove_dir();
}

int main(void)
{
	pxs_report_level(0);
	RUN(behind_the_end_is_damage);
	return unit_done();
}
