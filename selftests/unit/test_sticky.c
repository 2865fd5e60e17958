// SPDX-License-Identifier: GPL-2.0
/*
 * test_sticky.c - even to the row, and no row moves that need not
 *
 * Oracle: the definition. After each change of long random histories the fewest moves that
 * any even table allows are computed from who held how much, and counted in the table.
 */
#include "unit_table.h"

static struct unit_config now;
static u64 ids[UNIT_BACKENDS];
static struct pxs_table_past past;

/* Build now's table from @before, and forget that. */
static struct pxs_table *build_after(struct pxs_table *before, u32 budget)
{
	struct pxs_table *t;

	now.cfg.past = before ? &past : NULL;
	t = unit_build_steps(&now, budget);
	now.cfg.past = NULL;
	free(before);
	return t;
}

/* Now's table becomes the one before: who was who is what now says. */
static void remember(const struct pxs_table *t)
{
	u32 i;

	for (i = 0; i < now.cfg.nbackends; i++)
		ids[i] = now.backends[i].id;
	past.rows = t->rows;
	past.nrows = t->nrows;
	past.nbackends = t->nbackends;
	past.ids = ids;
}

/* Where @id is in now, or -1 if it has no weight there. */
static int index_of(u64 id)
{
	u32 i;

	for (i = 0; i < now.cfg.nbackends; i++)
		if (now.backends[i].id == id && now.backends[i].weight)
			return (int)i;
	return -1;
}

/* Rows that a table of now leaves with their owners at most; and whether @rows is even. */
static u32 most_kept(const u32 *held, const u32 *rows, u32 nrows)
{
	u64 sum = unit_sum(&now), exact;
	u32 i, floor, rest = nrows, gain = 0, kept = 0, uneven = 0;

	for (i = 0; i < now.cfg.nbackends; i++) {
		exact = (u64)now.backends[i].weight * nrows;
		floor = (u32)(exact / sum);
		rest -= floor;
		kept += min(held[i], floor);
		gain += held[i] > floor && exact % sum;
		uneven += rows[i] != floor && (rows[i] != floor + 1 || !(exact % sum));
	}
	CHECK_EQ(uneven, 0);
	return kept + min(gain, rest);
}

/* The table after a change, against the one before. Return: rows moved. */
static u32 check_change(const struct pxs_table *before, const struct pxs_table *t)
{
	u32 held[UNIT_BACKENDS] = { 0 }, rows[UNIT_BACKENDS], row, kept = 0;
	int owner;

	unit_check_rows(&now, t);
	pxs_table_count(t, rows);
	for (row = 0; row < t->nrows; row++) {
		u64 place = (u64)row * before->nrows / t->nrows;

		owner = index_of(ids[before->rows[place].first]);
		if (owner >= 0)
			held[owner]++;
		kept += owner == t->rows[row].first;
	}
	CHECK_EQ(kept, most_kept(held, rows, t->nrows));
	return t->nrows - kept;
}

static struct pxs_table *copy(const struct pxs_table *t)
{
	size_t size = sizeof(*t) + t->nrows * sizeof(t->rows[0]) + sizeof(u32) +
		      t->nowners * sizeof(struct pxs_table_owner);
	struct pxs_table *c = malloc(size);

	memcpy(c, t, size);
	return c;
}

/* Second choices of one backend's rows: how unevenly the others would take over. */
static double worst_second(const struct pxs_table *t)
{
	static u32 takes[UNIT_BACKENDS][UNIT_BACKENDS];
	u32 rows[UNIT_BACKENDS], i, j, all = 0, most = 0, second[UNIT_BACKENDS] = { 0 };
	double worst = 0;

	memset(takes, 0, sizeof(takes));
	pxs_table_count(t, rows);
	for (i = 0; i < t->nrows; i++)
		takes[t->rows[i].first][t->rows[i].second]++;
	for (i = 0; i < t->nbackends; i++)
		for (j = 0; j < t->nbackends; j++)
			second[j] += takes[i][j];
	for (j = 0; j < t->nbackends; j++) {
		all += second[j];
		most = max(most, second[j]);
	}
	worst = (double)most * t->nowners / all;
	return worst;
}

/* One random change; an index whose backend went is given to a new one. */
static void change(u64 *x)
{
	u32 i = (u32)(unit_random(x) % (now.cfg.nbackends + 1)), how = (u32)(unit_random(x) % 4);
	struct pxs_table_backend *be = &now.backends[i];

	if (i == now.cfg.nbackends) {
		if (i == 60)
			return;
		now.cfg.nbackends++;
		be->family = 4;
		be->weight = 0;
		how = 0;
	}
	if (how == 0 || !be->weight) {
		be->id = unit_random(x);
		be->weight = 1 + (u32)(unit_random(x) % 100);
	} else if (how == 1) {
		be->weight += be->weight > 1 ? -1 : 1;
	} else if (how == 2) {
		be->weight = 1 + (u32)(unit_random(x) % 100);
	} else {
		be->weight = 0;
	}
	if (!unit_sum(&now))
		be->weight = 5;
}

static void histories(void)
{
	struct pxs_table *t, *before;
	u32 h, step, moved = 0;
	u64 x = 1;

	for (h = 0; h < 12; h++) {
		unit_config_init(&now, PXS_FILL_STICKY, 1 + h * 4, 1 + h);
		now.cfg.nrows = h % 2 ? 4096 : 256;
		t = build_after(NULL, 1000);
		CHECK_FATAL(t);
		for (step = 0; step < 60; step++) {
			remember(t);
			before = copy(t);
			change(&x);
			if (step % 3 == 2)
				change(&x);
			if (step % 20 == 19)
				now.cfg.nrows = now.cfg.nrows == 256 ? 8192 : 256;
			t = build_after(t, step % 2 ? 7 : PXS_TABLE_BUDGET);
			CHECK_FATAL(t);
			moved += check_change(before, t);
			free(before);
		}
		free(t);
	}
	NOTE("%u rows moved in 720 steps", moved);
}

/* What did not change builds what is there, whatever the order and the indices. */
static void stays(void)
{
	struct pxs_table *t, *again;
	struct pxs_table_backend swap;
	u32 i;

	unit_config_init(&now, PXS_FILL_STICKY, 37, 3);
	for (i = 0; i < 37; i++)
		now.backends[i].weight += i % 5;
	t = build_after(NULL, 100);
	CHECK_FATAL(t);
	remember(t);
	now.backends[8].weight = 100;
	t = build_after(t, 100);
	remember(t);
	now.cfg.past = &past;
	again = unit_build(&now);
	CHECK_EQ(t->digest, again->digest);
	free(again);
	for (i = 0; i < 18; i++) {
		swap = now.backends[i];
		now.backends[i] = now.backends[36 - i];
		now.backends[36 - i] = swap;
	}
	again = unit_build(&now);
	CHECK_EQ(t->digest, again->digest);
	free(again);
	now.cfg.past = NULL;
	free(t);
}

/* Of two directors with one history, and of two with different ones. */
static void history_counts(void)
{
	struct pxs_table *t;
	u64 digest[3];
	u32 i;

	for (i = 0; i < 3; i++) {
		unit_config_init(&now, PXS_FILL_STICKY, 10, 1);
		now.backends[9].weight = 0;
		if (i == 2)
			now.backends[5].weight = 0;
		t = build_after(NULL, 1000);
		remember(t);
		now.backends[9].weight = 1;
		now.backends[5].weight = 1;
		t = build_after(t, 1000);
		digest[i] = t->digest;
		free(t);
	}
	CHECK_EQ(digest[0], digest[1]);
	CHECK(digest[0] != digest[2]);
}

/* Goes on from another fill's rows; and a past of strangers, or of nonsense, is no harm. */
static void other_pasts(void)
{
	struct pxs_table *t, *before;
	u32 moved;

	unit_config_init(&now, PXS_FILL_RENDEZVOUS, 50, 10);
	t = build_after(NULL, 1 << 20);
	remember(t);
	before = copy(t);
	now.cfg.fill = PXS_FILL_STICKY;
	t = build_after(t, 1 << 20);
	moved = check_change(before, t);
	NOTE("from rendezvous: %u of %u rows move", moved, t->nrows);
	CHECK(moved < t->nrows / 50);
	free(before);

	before = copy(t);
	remember(before);
	memset(ids, 0x77, sizeof(ids));
	t = build_after(t, 1 << 20);
	CHECK_EQ(check_change(before, t), t->nrows);
	past.nbackends = 3;
	past.rows = before->rows;
	t = build_after(t, 1 << 20);
	unit_check_rows(&now, t);
	free(before);
	free(t);

	/* a prime of rows before */
	unit_config_init(&now, PXS_FILL_MAGLEV, 5, 10);
	t = build_after(NULL, 1 << 20);
	remember(t);
	before = copy(t);
	now.cfg.fill = PXS_FILL_STICKY;
	t = build_after(t, 1 << 20);
	check_change(before, t);
	CHECK_EQ(t->nrows, 131072);
	free(before);
	free(t);
}

/* Nobody's dead rows go to a few: second choices stay even over a long history. */
static void seconds(void)
{
	struct pxs_table *t;
	double first, worst;
	u64 x = 3;
	u32 step;

	unit_config_init(&now, PXS_FILL_STICKY, 20, 1);
	t = build_after(NULL, 1 << 20);
	first = worst_second(t);
	for (step = 0; step < 100; step++) {
		struct pxs_table_backend *be = &now.backends[unit_random(&x) % 20];

		remember(t);
		be->id = unit_random(&x);
		t = build_after(t, 1 << 20);
	}
	worst = worst_second(t);
	NOTE("second choices: most of fair %.3f, after 100 were replaced %.3f", first, worst);
	CHECK(worst < 1.2);
	free(t);

	unit_config_init(&now, PXS_FILL_STICKY, 2, 1);
	now.backends[1].weight = PXS_WEIGHT_MAX;
	t = build_after(NULL, 1 << 20);
	unit_check_rows(&now, t);
	free(t);
}

static void extremes(void)
{
	struct pxs_table *t;
	u32 i;

	unit_config_init(&now, PXS_FILL_STICKY, UNIT_BACKENDS, PXS_WEIGHT_MAX);
	t = build_after(NULL, 1 << 20);
	CHECK_FATAL(t);
	CHECK_EQ(t->nrows, 131072);
	remember(t);
	for (i = 1; i < UNIT_BACKENDS; i++)
		now.backends[i].weight = 1 + (i * 7919) % PXS_WEIGHT_MAX;
	t = build_after(t, 1 << 20);
	unit_check_rows(&now, t);
	remember(t);
	for (i = 1; i < UNIT_BACKENDS; i++)
		now.backends[i].weight = 0;
	t = build_after(t, 1 << 20);
	unit_check_rows(&now, t);
	CHECK_EQ(t->nrows, 131072);
	free(t);
}

int main(void)
{
	RUN(histories);
	RUN(stays);
	RUN(history_counts);
	RUN(other_pasts);
	RUN(seconds);
	RUN(extremes);
	return unit_done();
}
