// SPDX-License-Identifier: GPL-2.0
/*
 * test_keep.c - connections through changes of the table, as a director sees them that is told
 * of one direction only
 *
 * A model beside the real thing knows where each connection was opened. Whatever happens to the
 * table, its segments must go there.
 */
#include "unit_table.h"
#include "keep.h"

#define FLOWS	4000

static struct unit_config conf;
static struct pxs_keep *keep;
static struct pxs_table *table, *before;
static unsigned long live[1024 / (8 * sizeof(unsigned long))];
static unsigned long full[1024 / (8 * sizeof(unsigned long))];
static u32 now, until;

static struct flow {
	u64 hash, id;
	u16 at;		/* where it was opened; PXS_NONE: not open */
} flows[FLOWS];

static void set_bit_of(unsigned long *map, u32 backend, bool on)
{
	const u32 bits = 8 * sizeof(*map);

	if (on)
		map[backend / bits] |= 1ul << (backend % bits);
	else
		map[backend / bits] &= ~(1ul << (backend % bits));
}

static void set_live(u32 backend, bool on)
{
	set_bit_of(live, backend, on);
}

static void set_full(u32 backend, bool on)
{
	set_bit_of(full, backend, on);
}

static void begin(u32 backends)
{
	u64 state = 7;
	u32 i;

	unit_config_init(&conf, PXS_FILL_RENDEZVOUS, backends, 1);
	conf.cfg.nrows = 1024;
	free(table);
	free(before);
	free(keep);
	table = unit_build_steps(&conf, 1 << 20);
	before = NULL;
	keep = calloc(1, sizeof(*keep));
	/* It wraps soon. */
	now = 0xffffff00;
	memset(full, 0, sizeof(full));
	for (i = 0; i < backends; i++)
		set_live(i, true);
	for (i = 0; i < FLOWS; i++)
		flows[i] = (struct flow){
			.hash = unit_random(&state), .id = unit_random(&state), .at = PXS_NONE,
		};
}

/* As plan.c goes on from one table to the next. */
static void change(void)
{
	if (before && (s32)(until - now) > 0) {
		free(table);
	} else {
		free(before);
		before = table;
	}
	until = now + PXS_KEEP_QUIET;
	table = unit_build_steps(&conf, 1 << 20);
}

static u16 home_of(const struct flow *f)
{
	const struct pxs_table *t = before && (!table || (s32)(until - now) > 0) ? before : table;

	return t ? t->rows[pxs_table_row_of(t, f->hash)].first : PXS_NONE;
}

static struct pxs_keep_pick segment(const struct flow *f, bool syn, bool end)
{
	struct pxs_keep_ask ask = {
		.table = table, .live = live, .full = full, .nbackends = 1024, .hash = f->hash,
		.flow = f->id, .now = now, .home = home_of(f), .syn = syn, .end = end,
	};

	return pxs_keep_pick(keep, &ask);
}

static struct pxs_keep_pick open_flow(struct flow *f)
{
	struct pxs_keep_pick r = segment(f, true, false);

	f->at = r.backend;
	return r;
}

static void open_some(u32 from, u32 to)
{
	u32 i;

	for (i = from; i < to; i++) {
		open_flow(&flows[i]);
		CHECK(pxs_live(live, flows[i].at));
		CHECK_EQ(segment(&flows[i], false, false).backend, flows[i].at);
	}
}

/* Everybody says something; how many were elsewhere than the table says. */
static u32 all_talk(u32 n)
{
	struct pxs_keep_pick r;
	u32 kept = 0, i;

	for (i = 0; i < n; i++) {
		r = segment(&flows[i], false, false);
		if (!CHECK(r.backend == flows[i].at))
			break;
		kept += r.kept;
	}
	return kept;
}

static void quiet_times(void)
{
	begin(10);
	open_some(0, FLOWS);
	CHECK_EQ(all_talk(FLOWS), 0);
	/* No state where nothing changes. */
	CHECK_EQ(pxs_keep_count(keep, now), 0);
}

static void one_drains(void)
{
	u32 kept;

	begin(10);
	open_some(0, 1000);
	conf.backends[3].weight = 0;
	change();
	open_some(1000, 2000);
	kept = all_talk(2000);
	CHECK(kept > 50);
	/* Noted: those of 3, and the new ones in rows that were its. */
	CHECK(pxs_keep_count(keep, now) >= kept && pxs_keep_count(keep, now) < 600);
	/* The time is over; who said something within it stays. */
	now += PXS_KEEP_QUIET - 10;
	all_talk(2000);
	now += 20;
	CHECK_EQ(all_talk(2000), kept);
	open_some(2000, 2100);
	CHECK_EQ(all_talk(2100), kept);
}

static void sequence(void)
{
	u64 state = 99;
	u32 i, n = 200;

	begin(20);
	open_some(0, n);
	for (i = 0; i < 60; i++) {
		switch (unit_random(&state) % 3) {
		case 0:
			conf.backends[unit_random(&state) % 20].weight =
				(u32)(unit_random(&state) % 4);
			conf.backends[0].weight = 1;
			break;
		case 1:
			conf.backends[unit_random(&state) % 20].weight = 0;
			conf.backends[0].weight = 1;
			break;
		default:
			conf.backends[unit_random(&state) % 20].weight = 1;
		}
		change();
		open_some(n, n + 50);
		n += 50;
		now += (u32)(unit_random(&state) % 6000);
		all_talk(n);
	}
}

static void drained_to_the_last(void)
{
	begin(1);
	open_some(0, 10);
	conf.backends[0].weight = 0;
	change();
	CHECK(!table);
	CHECK_EQ(open_flow(&flows[20]).backend, PXS_NONE);
	CHECK_EQ(all_talk(10), 10);
	now += 2 * PXS_KEEP_QUIET;
	CHECK_EQ(all_talk(10), 10);
}

static void down_and_up(void)
{
	u32 kept;

	begin(4);
	open_some(0, 500);
	set_live(2, false);
	/* What is there stays; what comes goes elsewhere, and stays there when it is back. */
	CHECK_EQ(all_talk(500), 0);
	open_some(500, 1000);
	kept = all_talk(1000);
	CHECK(kept > 50);
	CHECK_EQ(pxs_keep_count(keep, now), kept);
	set_live(2, true);
	CHECK_EQ(all_talk(1000), kept);
	open_some(1000, 1100);
	CHECK_EQ(pxs_keep_count(keep, now), kept);
}

/* A flow whose row is backend 0's. */
static struct flow *one_at_home(void)
{
	u32 i = 0;

	while (home_of(&flows[i]))
		i++;
	return &flows[i];
}

static void ends(void)
{
	struct flow *f;

	begin(2);
	set_live(0, false);
	f = one_at_home();
	open_flow(f);
	CHECK_EQ(f->at, 1);
	CHECK_EQ(pxs_keep_count(keep, now), 1);
	set_live(0, true);
	/* A SYN that comes again before anything else is a new decision; in use, it is not. */
	CHECK_EQ(segment(f, true, false).backend, 0);
	CHECK_EQ(pxs_keep_count(keep, now), 0);
	set_live(0, false);
	open_flow(f);
	CHECK_EQ(segment(f, false, false).backend, 1);
	set_live(0, true);
	CHECK_EQ(segment(f, true, false).backend, 1);
	now += PXS_KEEP_FRESH - 1;
	CHECK_EQ(segment(f, true, false).backend, 1);
	/* The other direction may go on after the end. */
	CHECK_EQ(segment(f, false, true).backend, 1);
	CHECK_EQ(segment(f, false, false).backend, 1);
	now += PXS_KEEP_ENDED - 1;
	CHECK_EQ(segment(f, false, false).backend, 1);
	CHECK_EQ(segment(f, true, false).backend, 0);
	CHECK_EQ(pxs_keep_count(keep, now), 0);
	/* What has ended takes no room for long. */
	set_live(0, false);
	open_flow(f);
	segment(f, false, true);
	now += PXS_KEEP_ENDED;
	CHECK_EQ(pxs_keep_count(keep, now), 0);
	/* Of one that is dead nobody will say that the SYN is old. */
	set_live(0, false);
	open_flow(f);
	segment(f, false, false);
	set_live(0, true);
	set_live(1, false);
	CHECK_EQ(segment(f, true, false).backend, 0);
}

static void lifetimes(void)
{
	struct flow *f;

	begin(2);
	set_live(0, false);
	f = one_at_home();
	open_flow(f);
	now += PXS_KEEP_SYN - 1;
	CHECK_EQ(pxs_keep_count(keep, now), 1);
	now++;
	CHECK_EQ(pxs_keep_count(keep, now), 0);
	open_flow(f);
	segment(f, false, false);
	now += PXS_KEEP_QUIET - 1;
	CHECK_EQ(segment(f, false, false).backend, 1);
	now += PXS_KEEP_QUIET;
	CHECK_EQ(segment(f, false, false).backend, 0);
}

/* Times have 16 bits: a note that is over does not come alive again, beside a new connection. */
static void over_for_good(void)
{
	struct flow *f;

	begin(2);
	set_live(0, false);
	f = one_at_home();
	open_flow(f);
	CHECK_EQ(segment(f, false, true).backend, 1);
	now += PXS_KEEP_ENDED + 10;
	set_live(0, true);
	CHECK_EQ(open_flow(f).backend, 0);
	now += 65536 - PXS_KEEP_ENDED;
	CHECK_EQ(segment(f, false, false).backend, 0);
}

static void removed(void)
{
	begin(4);
	set_live(2, false);
	open_some(0, 1000);
	CHECK(pxs_keep_count(keep, now));
	pxs_keep_forget(keep, 0);
	pxs_keep_forget(keep, 1);
	pxs_keep_forget(keep, 3);
	CHECK_EQ(pxs_keep_count(keep, now), 0);
}

/* A note that outlives its backend, which had the highest index, for a moment: no bit is its. */
static void noted_at_one_that_went(void)
{
	unsigned long *fewer = calloc(1, sizeof(*fewer));
	struct pxs_keep_ask ask = { .live = live, .full = full, .nbackends = 1024 };
	u32 i;

	begin(100);
	ask.table = table;
	ask.now = now;
	ask.home = PXS_NONE;
	for (i = 0; i < FLOWS; i++)
		if (table->rows[pxs_table_row_of(table, flows[i].hash)].first >= 64)
			break;
	CHECK_FATAL(i < FLOWS);
	ask.hash = flows[i].hash;
	ask.flow = flows[i].id;
	ask.syn = true;
	CHECK(pxs_keep_pick(keep, &ask).backend >= 64);
	ask.syn = false;
	CHECK(pxs_keep_pick(keep, &ask).backend >= 64);
	ask.syn = true;
	ask.table = NULL;
	ask.live = fewer;
	ask.full = fewer;
	ask.nbackends = 64;
	CHECK_EQ(pxs_keep_pick(keep, &ask).backend, PXS_NONE);
	free(fewer);
}

/* Somebody asks on behalf of something else. */
static void peeks(void)
{
	struct pxs_keep_ask ask = { .live = live, .full = full, .nbackends = 1024, .peek = true };
	u32 i;

	begin(4);
	open_some(0, 500);
	conf.backends[1].weight = 0;
	change();
	for (i = 0; i < 500; i++) {
		ask.table = table;
		ask.hash = flows[i].hash;
		ask.flow = flows[i].id;
		ask.now = now;
		ask.home = home_of(&flows[i]);
		CHECK_EQ(pxs_keep_pick(keep, &ask).backend, flows[i].at);
	}
	CHECK_EQ(pxs_keep_count(keep, now), 0);
}

/* Nothing that anybody sends displaces a connection that talks. */
static void flood(void)
{
	u32 i, no_room = 0, kept = 0;
	struct flow stranger;
	u64 state = 5;

	begin(10);
	open_some(0, 1000);
	conf.backends[3].weight = 0;
	change();
	all_talk(1000);
	set_live(4, false);
	for (i = 0; i < 3000000; i++) {
		stranger = (struct flow){
			.hash = unit_random(&state), .id = unit_random(&state),
		};
		no_room += segment(&stranger, i & 1, false).no_room;
		if (i % 100000 == 0)
			now += 1;
	}
	CHECK(no_room);
	CHECK_EQ(pxs_keep_count(keep, now), PXS_KEEP_SETS * PXS_KEEP_WAYS);
	/* New ones of rows that moved can't be noted: opened where their next segments look. */
	set_live(4, true);
	for (i = no_room = 0; i < 1000; i++)
		no_room += segment(&flows[1000 + i], true, false).no_room;
	CHECK(no_room);
	/* Nor those of a backend that is gone, and they are counted, too. */
	for (i = no_room = 0; i < 1000; i++) {
		struct pxs_keep_ask ask = {
			.table = table, .live = live, .full = full, .nbackends = 1024,
			.hash = flows[2000 + i].hash,
			.flow = flows[2000 + i].id, .now = now, .home = PXS_NONE, .syn = true,
		};

		no_room += pxs_keep_pick(keep, &ask).no_room;
	}
	CHECK(no_room);
	open_some(1000, 2000);
	until = now;
	for (i = 0; i < 1000; i++)
		if (segment(&flows[i], false, false).backend == flows[i].at)
			kept++;
	/* Those of the row that moved are noted, or lost. */
	CHECK_EQ(kept, 1000);
}

/* What spilled stays where it went, though its home has room again, or is full. */
static void spills(void)
{
	struct pxs_keep_pick r;
	u32 spilled = 0, i;

	begin(4);
	open_some(0, 500);
	set_full(2, true);
	/* Who is there already stays. */
	CHECK_EQ(all_talk(500), 0);
	for (i = 500; i < 1000; i++) {
		r = open_flow(&flows[i]);
		CHECK(r.backend != 2 && !r.no_room);
		CHECK_EQ(r.spilled, home_of(&flows[i]) == 2);
		CHECK_EQ(r.choice == PXS_CHOICE_FIRST, !r.spilled);
		spilled += r.spilled;
		/* Its SYN again: in use it is where it is, and nothing spills anew. */
		CHECK_EQ(segment(&flows[i], false, false).backend, flows[i].at);
		r = segment(&flows[i], true, false);
		CHECK(r.backend == flows[i].at && !r.spilled);
	}
	CHECK(spilled > 50);
	CHECK_EQ(all_talk(1000), spilled);
	CHECK_EQ(pxs_keep_count(keep, now), spilled);
	set_full(2, false);
	CHECK_EQ(all_talk(1000), spilled);
	/* A table changes in between. */
	conf.backends[1].weight = 0;
	change();
	all_talk(1000);
}

/* Without room for a note nothing spills: it would be lost. */
static void spills_with_room_only(void)
{
	struct flow stranger;
	u64 state = 5;
	u32 i, home = 0;

	begin(2);
	set_full(0, true);
	for (i = 0; i < 3000000; i++) {
		stranger = (struct flow){
			.hash = unit_random(&state), .id = unit_random(&state),
		};
		segment(&stranger, true, false);
		segment(&stranger, false, false);
	}
	CHECK_EQ(pxs_keep_count(keep, now), PXS_KEEP_SETS * PXS_KEEP_WAYS);
	for (i = 0; i < 1000; i++) {
		CHECK(!open_flow(&flows[i]).no_room);
		home += flows[i].at == 0;
		CHECK_EQ(segment(&flows[i], false, false).backend, flows[i].at);
	}
	CHECK(home > 100);
}

/* SYNs alone take no room from what comes later. */
static void syn_flood(void)
{
	struct flow stranger;
	u64 state = 5;
	u32 i;

	begin(10);
	open_some(0, 1000);
	set_live(4, false);
	for (i = 0; i < 3000000; i++) {
		stranger = (struct flow){
			.hash = unit_random(&state), .id = unit_random(&state),
		};
		segment(&stranger, true, false);
	}
	CHECK(pxs_keep_count(keep, now) > PXS_KEEP_SETS * PXS_KEEP_WAYS / 2);
	for (i = 1000; i < 2000; i++) {
		CHECK(!open_flow(&flows[i]).no_room);
		CHECK_EQ(segment(&flows[i], false, false).backend, flows[i].at);
	}
	set_live(4, true);
	all_talk(2000);
}

int main(void)
{
	RUN(quiet_times);
	RUN(one_drains);
	RUN(sequence);
	RUN(drained_to_the_last);
	RUN(down_and_up);
	RUN(ends);
	RUN(lifetimes);
	RUN(over_for_good);
	RUN(removed);
	RUN(noted_at_one_that_went);
	RUN(peeks);
	RUN(flood);
	RUN(spills);
	RUN(spills_with_room_only);
	RUN(syn_flood);
	free(table);
	free(before);
	free(keep);
	return unit_done();
}
