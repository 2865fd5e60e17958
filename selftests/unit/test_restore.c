// SPDX-License-Identifier: GPL-2.0
/*
 * test_restore.c - what the datapath is given of a group whose records have rotted since
 */
#define _GNU_SOURCE
#include "unit_journal.h"

#include "../../agent/node.h"

#define SLOTS	40
#define WINDOW	64u

static struct pxs_slot_given {
	u8 type, flags;
	bool here;
} given[SLOTS + 1];
static u64 given_commit, started_at;

static void take(const u8 *records, u32 bytes)
{
	struct pxs_record r;
	u32 at;

	for (at = 0; at < bytes; at += pxs_record_size(r.len)) {
		CHECK_FATAL(pxs_record_get(records + at, bytes - at, &r) == PXS_RECORD_OK);
		if (r.type == PXS_RECORD_COMMIT) {
			given_commit = r.slot;
			continue;
		}
		CHECK_FATAL(r.slot && r.slot <= SLOTS);
		if (!(r.flags & PXS_ENTRY_FAULTY))
			CHECK(r.len == 100 && r.data[99] == (u8)r.slot);
		given[r.slot] = (struct pxs_slot_given){ r.type, r.flags, true };
	}
}

static int load(struct pxs_datapath *dp, u32 group, const u8 *records, u32 bytes)
{
	(void)dp;
	CHECK_EQ(group, 1);
	take(records, bytes);
	return 0;
}

/* As far as these tests go: what comes then is the replica's. */
static int activate(struct pxs_datapath *dp, u32 group, u64 commit)
{
	(void)dp;
	(void)group;
	started_at = commit;
	return -ECANCELED;
}

static const struct pxs_datapath_ops ops = { .load = load, .activate = activate };
static struct pxs_datapath dp = { .ops = &ops };
static struct pxs_group_config config = { .conf = { .window = WINDOW } };
static struct pxs_node node;
static struct pxs_replica replica;

static int index_record(void *ctx, const struct pxs_record *r, u64 pos)
{
	(void)ctx;
	return pxs_slots_record(&replica.slots, r, pos, false);
}

static const struct pxs_scan_sink index_sink = { .record = index_record };

/* Slots 1 to SLOTS, of which those up to @commit are decided; recovered. */
static void journal_of(const char *name, u64 commit)
{
	struct pxs_recovery r;

	new_dir(name);
	CHECK_FATAL(!open_writer(PXS_FLUSH_FDATASYNC));
	append(SLOTS, 100);
	CHECK_FATAL(settle());
	close_writer();
	memset(&replica, 0, sizeof(replica));
	CHECK_FATAL(!pxs_recover(&r, dir, true, &index_sink));
	pxs_recovery_close(&r);
	CHECK_EQ(replica.slots.last, SLOTS);
	replica.node = &node;
	replica.config = &config;
	replica.id = 1;
	replica.recovered = commit;
	node.dp = &dp;
	node.journal.dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	memset(given, 0, sizeof(given));
	given_commit = 0;
	started_at = 0;
}

static void rot(u64 slot)
{
	u64 pos = pxs_slots_at(&replica.slots, slot)->pos;

	spoil(pxs_pos_segment(pos), pxs_pos_offset(pos) + PXS_RECORD_HDR_LEN + 50, 4);
}

static void done(void)
{
	close(node.journal.dirfd);
	pxs_slots_exit(&replica.slots);
	remove_dir();
}

/*
 * S5: a record that rotted after recovery read it is as one that recovery found damaged. It may
 * have been learned only: to give it as accepted would promise its ballot, which no disk has.
 */
static void rotten_above_the_start_is_faulty(void)
{
	u64 slot;

	journal_of("restore", 20);
	rot(25);
	CHECK_EQ(-pxs_restore(&replica), ECANCELED);
	CHECK_EQ(started_at, 20);
	CHECK_EQ(given_commit, 20);
	for (slot = 21; slot <= SLOTS; slot++) {
		CHECK(given[slot].here);
		CHECK_EQ(given[slot].type, slot == 25 ? PXS_RECORD_DECIDED : PXS_RECORD_ACCEPT);
		CHECK_EQ(given[slot].flags, slot == 25 ? PXS_ENTRY_FAULTY : 0);
	}
	CHECK(pxs_slots_at(&replica.slots, 25)->pos & PXS_SLOTS_FAULTY);
	done();
}

/* A decided one is nobody's vote any more: it is not given at all. */
static void rotten_below_the_start_is_left_out(void)
{
	u64 slot;

	journal_of("restore-low", 20);
	rot(18);
	CHECK_EQ(-pxs_restore(&replica), ECANCELED);
	CHECK_EQ(started_at, 20);
	for (slot = 20 - WINDOW / 8 + 1; slot <= 20; slot++) {
		CHECK_EQ(given[slot].here, slot != 18);
		if (slot != 18)
			CHECK_EQ(given[slot].type, PXS_RECORD_DECIDED);
	}
	CHECK(pxs_slots_at(&replica.slots, 18)->pos & PXS_SLOTS_FAULTY);
	done();
}

/* What cannot be read at all stops the start: nothing is known of it. */
static void missing_segment_stops(void)
{
	char path[8300], name[PXS_SEGMENT_NAME_LEN];

	journal_of("restore-gone", 20);
	pxs_segment_name(1, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	CHECK(!unlink(path));
	CHECK_EQ(-pxs_restore(&replica), ENOENT);
	CHECK_EQ(started_at, 0);
	done();
}

int main(void)
{
	pxs_report_level(0);	/* what is provoked here is not worth reading */
	RUN(rotten_above_the_start_is_faulty);
	RUN(rotten_below_the_start_is_left_out);
	RUN(missing_segment_stops);
	return unit_done();
}
