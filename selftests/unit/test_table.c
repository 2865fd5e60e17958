// SPDX-License-Identifier: GPL-2.0
/*
 * test_table.c - plan, build, digest, pick and difference, for both fills
 */
#include "siphash.h"
#include "unit_table.h"

static struct unit_config a, b;
static const u8 fills[] = { PXS_FILL_RENDEZVOUS, PXS_FILL_MAGLEV };

static void refuses(int err, const char *text)
{
	struct pxs_table_config cfg = a.cfg;
	const char *why = NULL;

	cfg.backends = a.backends;
	CHECK(pxs_table_plan(&cfg, &why) == err);
	CHECK_STR(why, text);
}

static void plan_refuses(void)
{
	u32 i;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 0, 1);
	refuses(-ENODATA, "no backend has weight");
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 3, 0);
	refuses(-ENODATA, "no backend has weight");
	unit_config_init(&a, 0, 3, 1);
	refuses(-EINVAL, "unknown fill");
	unit_config_init(&a, 255, 3, 1);
	refuses(-EINVAL, "unknown fill");
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 3, PXS_WEIGHT_MAX + 1);
	refuses(-ERANGE, "weight is above 65535");
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 3, 1);
	a.cfg.nbackends = PXS_TABLE_BACKENDS_MAX + 1;
	refuses(-E2BIG, "more than 65535 backends");
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 3, 1);
	a.cfg.cap = 1001;
	refuses(-ERANGE, "cap is above 1000 thousandths");
	a.cfg.cap = 20;
	for (i = 0; i < 4; i++) {
		static const u32 bad[] = { 1, 128, 65537, 262144 };

		a.cfg.nrows = bad[i];
		refuses(-ERANGE, "rows is not a power of two in 256..131072");
	}
	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 300, 1);
	a.cfg.nrows = 256;
	refuses(-ERANGE, "fewer rows than backends");
	for (i = 0; i < 3; i++) {
		static const u32 bad[] = { 1, 65536, 131101 };

		unit_config_init(&a, PXS_FILL_MAGLEV, 3, 1);
		a.cfg.nrows = bad[i];
		refuses(-ERANGE, "rows is not a prime up to 131071");
	}
	a.cfg.nrows = 2;
	refuses(-ERANGE, "fewer rows than backends");
}

static u32 planned(u8 fill, u32 n)
{
	const char *why;

	unit_config_init(&a, fill, n, 1);
	return pxs_table_plan(&a.cfg, &why) ? 0 : a.cfg.nrows;
}

static void plan_sizes(void)
{
	CHECK_EQ(planned(PXS_FILL_RENDEZVOUS, 1), 131072);
	CHECK_EQ(planned(PXS_FILL_RENDEZVOUS, 256), 131072);
	CHECK_EQ(planned(PXS_FILL_RENDEZVOUS, 257), 131072);
	CHECK_EQ(planned(PXS_FILL_RENDEZVOUS, 1024), 131072);
	CHECK_EQ(planned(PXS_FILL_MAGLEV, 1024), 65537);
}

static void start_refuses_twins(void)
{
	struct pxs_table_build build;
	struct pxs_table *t;
	const char *why = NULL;
	void *scratch;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 50, 1);
	a.backends[49].id = a.backends[3].id;
	CHECK(!pxs_table_plan(&a.cfg, &why));
	t = malloc(pxs_table_size(&a.cfg));
	scratch = malloc(pxs_table_scratch(&a.cfg));
	CHECK(pxs_table_start(&build, &a.cfg, t, scratch, 1, &why) == -EEXIST);
	CHECK_STR(why, "two backends have the same id");
	/* a twin without weight owns nothing and does no harm */
	a.backends[49].weight = 0;
	CHECK(!pxs_table_start(&build, &a.cfg, t, scratch, 1, &why));
	free(scratch);
	free(t);
}

/* @c with its backends in another order; place[i] is where i went. */
static void shuffle(struct unit_config *c, u32 *place)
{
	u64 state = 99;
	u32 i, j, n = c->cfg.nbackends, at[UNIT_BACKENDS];

	for (i = 0; i < n; i++)
		at[i] = i;
	for (i = n - 1; i > 0; i--) {
		struct pxs_table_backend x = c->backends[i];
		u32 k = at[i];

		j = (u32)(unit_random(&state) % (i + 1));
		c->backends[i] = c->backends[j];
		c->backends[j] = x;
		at[i] = at[j];
		at[j] = k;
	}
	for (i = 0; i < n; i++)
		place[at[i]] = i;
}

static void no_order_no_steps(u8 fill)
{
	u32 place[UNIT_BACKENDS], i, differ = 0;
	struct pxs_table *t, *s, *f;

	unit_config_init(&a, fill, 60, 10);
	for (i = 0; i < 60; i++)
		a.backends[i].weight = 1 + i % 17;
	a.backends[11].weight = 0;
	b = a;
	shuffle(&b, place);
	t = unit_build(&a);
	s = unit_build(&b);
	f = unit_build_steps(&a, 1);
	CHECK_FATAL(t && s && f);
	CHECK_EQ(t->digest, s->digest);
	CHECK_EQ(t->digest, f->digest);
	CHECK(!memcmp(t->rows, f->rows, t->nrows * sizeof(t->rows[0])));
	for (i = 0; i < t->nrows; i++)
		differ += place[t->rows[i].first] != s->rows[i].first ||
			  place[t->rows[i].second] != s->rows[i].second;
	CHECK_EQ(differ, 0);
	CHECK_EQ(t->nbackends, 60);
	CHECK_EQ(t->nowners, 59);
	free(t);
	free(s);
	free(f);
}

/* Neither a table's order of configuration nor the size of the steps shows in it. */
static void order_independence(void)
{
	no_order_no_steps(PXS_FILL_RENDEZVOUS);
	no_order_no_steps(PXS_FILL_MAGLEV);
}

/* A backend without weight is as good as absent; coming and going leaves no trace. */
static void history_free(void)
{
	struct pxs_table *t, *s;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		unit_config_init(&a, fills[i], 20, 4);
		b = a;
		b.cfg.nbackends = 21;
		b.backends[20].id = 4711;
		b.backends[20].weight = 0;
		t = unit_build(&a);
		s = unit_build(&b);
		CHECK_FATAL(t && s);
		CHECK_EQ(t->digest, s->digest);
		free(t);
		free(s);
	}
}

static u64 digest(void)
{
	struct pxs_table *t = unit_build(&b);
	u64 d = t ? t->digest : 0;

	free(t);
	return d;
}

static void digest_differs(void)
{
	u64 d;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		unit_config_init(&a, fills[i], 10, 10);
		b = a;
		d = digest();
		CHECK(d && d == digest());
		b.backends[5].weight = 11;
		CHECK(digest() != d);
		b = a;
		b.backends[5].id++;
		CHECK(digest() != d);
		b = a;
		b.cfg.seed.k[1] ^= 1;
		CHECK(digest() != d);
		b = a;
		b.cfg.nbackends--;
		CHECK(digest() != d);
		b = a;
		b.cfg.nrows = fills[i] == PXS_FILL_MAGLEV ? 65521 : 32768;
		CHECK(digest() != d);
		b = a;
		b.cfg.fill = fills[!i];
		CHECK(digest() != d);
		b = a;
		b.cfg.key = 1;
		CHECK(digest() != d);
	}
	unit_config_init(&b, PXS_FILL_RENDEZVOUS, 10, 10);
	d = digest();
	b.cfg.cap = 0;
	CHECK(digest() != d);
}

/* The digest covers both choices of each row, by id. */
static void digest_of_rows(void)
{
	struct pxs_table *t;
	u64 d, second;
	u32 i, row;

	for (i = 0; i < ARRAY_SIZE(fills); i++) {
		unit_config_init(&a, fills[i], 10, 10);
		t = unit_build(&a);
		CHECK_FATAL(t);
		d = pxs_siphash_3u64(&a.cfg.seed, (u64)PXS_TABLE_VERSION << 32 | a.cfg.fill,
				     (u64)t->nrows << 32 | t->nowners, a.cfg.key);
		for (row = 0; row < t->nrows; row++) {
			second = t->rows[row].second;
			second = second == PXS_NONE ? 0 : a.backends[second].id;
			d += pxs_siphash_3u64(&a.cfg.seed, row,
					      a.backends[t->rows[row].first].id, second);
		}
		CHECK_EQ(d, t->digest);
		free(t);
	}
}

static void row_of(void)
{
	struct pxs_table t = { .nrows = 65537 };

	CHECK_EQ(pxs_table_row_of(&t, 0), 0);
	CHECK_EQ(pxs_table_row_of(&t, ~0ull), 65536);
	CHECK_EQ(pxs_table_row_of(&t, 1ull << 63), 32768);
	t.nrows = 4096;
	CHECK_EQ(pxs_table_row_of(&t, 0xabcull << 52), 0xabc);
	CHECK_EQ(pxs_table_row_of(&t, (0xabcull << 52) | ((1ull << 52) - 1)), 0xabc);
	t.nrows = 131072;
	CHECK_EQ(pxs_table_row_of(&t, ~0ull), 131071);
}

static void set_live(unsigned long *live, u32 i, bool on)
{
	if (on)
		live[i / 64] |= 1ul << (i % 64);
	else
		live[i / 64] &= ~(1ul << (i % 64));
}

/* One of 30 down: only its rows change, to their second choice; up again: all as before. */
static void flap(void)
{
	u32 i, row, f, wrong = 0, moved = 0, back = 0;
	struct pxs_pick before[256];
	unsigned long *live;
	struct pxs_table *t;
	u64 hash[256], state = 5;

	for (f = 0; f < ARRAY_SIZE(fills); f++) {
		unit_config_init(&a, fills[f], 30, 1);
		t = unit_build(&a);
		CHECK_FATAL(t);
		live = unit_all_live(30);
		for (i = 0; i < 256; i++) {
			hash[i] = unit_random(&state);
			before[i] = pxs_table_pick(t, live, hash[i]);
			CHECK_EQ(before[i].choice, PXS_CHOICE_FIRST);
		}
		set_live(live, 13, false);
		for (i = 0; i < 256; i++) {
			struct pxs_pick p = pxs_table_pick(t, live, hash[i]);

			row = pxs_table_row_of(t, hash[i]);
			if (before[i].backend == 13) {
				moved++;
				wrong += p.backend != t->rows[row].second ||
					 p.choice != PXS_CHOICE_SECOND;
			} else {
				wrong += p.backend != before[i].backend;
			}
		}
		set_live(live, 13, true);
		for (i = 0; i < 256; i++)
			back += pxs_table_pick(t, live, hash[i]).backend == before[i].backend;
		free(live);
		free(t);
	}
	CHECK_EQ(wrong, 0);
	CHECK(moved > 0);
	CHECK_EQ(back, 512);
}

/* However many are down, whoever is live and has weight serves, and nobody else. */
static void last_man_standing(void)
{
	unsigned long *live;
	struct pxs_table *t;
	struct pxs_pick p;
	u64 state = 11;
	u32 f, i, k;

	for (f = 0; f < ARRAY_SIZE(fills); f++) {
		unit_config_init(&a, fills[f], 200, 3);
		a.backends[150].weight = 0;
		a.cfg.nrows = f ? 1021 : 1024;
		t = unit_build(&a);
		CHECK_FATAL(t);
		live = calloc(pxs_bitmap_longs(200), sizeof(*live));
		for (i = 0; i < 200; i++) {
			set_live(live, i, true);
			for (k = 0; k < 20; k++) {
				p = pxs_table_pick(t, live, unit_random(&state));
				CHECK_EQ(p.backend, i == 150 ? PXS_NONE : i);
				if (i == 150)
					CHECK_EQ(p.choice, PXS_CHOICE_NONE);
			}
			set_live(live, i, false);
		}
		p = pxs_table_pick(t, live, 42);
		CHECK_EQ(p.backend, PXS_NONE);
		CHECK_EQ(p.choice, PXS_CHOICE_NONE);
		free(live);
		free(t);
	}
}

static bool may(const unsigned long *live, const unsigned long *full, u16 index)
{
	return index != PXS_NONE && pxs_live(live, index) && !pxs_live(full, index);
}

/* The rule of table.h, one step after the other. */
static u16 reference_pick(const struct pxs_table *t, const unsigned long *live,
			  const unsigned long *full, u64 hash)
{
	const struct pxs_table_owner *owners = pxs_table_owners(t);
	u32 i, at = (u32)(((hash & 0xffffffff) * t->nowners) >> 32);
	const struct pxs_table_row *row;
	u64 probe = hash;

	for (i = 0; i <= PXS_TABLE_PROBES; i++) {
		row = &t->rows[pxs_table_row_of(t, probe)];
		if (i && may(live, full, row->first))
			return row->first;
		if (may(live, full, row->second))
			return row->second;
		probe = probe * 6364136223846793005ull + 1442695040888963407ull;
	}
	for (i = 0; i < t->nowners; i++)
		if (may(live, full, owners[(at + i) % t->nowners].index))
			return owners[(at + i) % t->nowners].index;
	return PXS_NONE;
}

/* However few of many are live, the next one in order of id is found. */
static void few_of_many(void)
{
	unsigned long *live, *full;
	struct pxs_table *t;
	u32 place[UNIT_BACKENDS], i, k, wrong = 0;
	u64 hash, state = 5;
	u16 index;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 1000, 1);
	shuffle(&a, place);
	for (i = 0; i < 1000; i += 10)
		a.backends[i].weight = 0;
	t = unit_build(&a);
	CHECK_FATAL(t);
	for (i = 0; i < 60; i++) {
		live = calloc(pxs_bitmap_longs(1000), sizeof(*live));
		full = calloc(pxs_bitmap_longs(1000), sizeof(*full));
		for (k = 0; k < i; k++) {
			index = (u16)(unit_random(&state) % 1000);
			set_live(live, index, true);
			set_live(full, index, k % 3 == 0);
		}
		for (k = 0; k < 300; k++) {
			hash = unit_random(&state);
			wrong += pxs_table_pick_slow(t, live, full, hash).backend !=
				 reference_pick(t, live, full, hash);
		}
		free(live);
		free(full);
	}
	CHECK_EQ(wrong, 0);
	free(t);
}

/* A rack of neighbours by id is down: nobody dead is picked, survivors share, directors agree. */
static void half_down(void)
{
	u32 place[UNIT_BACKENDS], load[40] = { 0 }, i, most = 0, probes = 0;
	unsigned long *live, *other;
	struct pxs_table *t, *s;
	u64 hash, state = 3;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 40, 1);
	b = a;
	shuffle(&b, place);
	t = unit_build(&a);
	s = unit_build(&b);
	CHECK_FATAL(t && s);
	live = unit_all_live(40);
	other = unit_all_live(40);
	for (i = 0; i < 20; i++) {
		set_live(live, i, false);
		set_live(other, place[i], false);
	}
	for (i = 0; i < 40000; i++) {
		struct pxs_pick p, q;

		hash = unit_random(&state);
		p = pxs_table_pick(t, live, hash);
		q = pxs_table_pick(s, other, hash);
		CHECK(p.backend >= 20 && p.backend < 40);
		CHECK_EQ(place[p.backend % 40], q.backend);
		probes += p.choice == PXS_CHOICE_PROBE;
		load[p.backend % 40]++;
	}
	for (i = 0; i < 40; i++)
		most = max(most, load[i]);
	NOTE("20 of 40 down: most loaded %.2f of fair, %u of 40000 by probe", most / 2000.0,
	     probes);
	CHECK(most < 2600);
	CHECK(probes > 8000 && probes < 12000);	/* a quarter has both choices down */
	free(live);
	free(other);
	free(t);
	free(s);
}

static void diff(void)
{
	struct pxs_table *t, *s;
	unsigned long *changed;
	u32 i, moved, bits = 0, of_dead = 0;

	unit_config_init(&a, PXS_FILL_RENDEZVOUS, 10, 1);
	b = a;
	b.backends[4].weight = 0;
	t = unit_build(&a);
	s = unit_build(&b);
	CHECK_FATAL(t && s);
	changed = malloc(pxs_bitmap_longs(t->nrows) * sizeof(*changed));
	memset(changed, 0xff, pxs_bitmap_longs(t->nrows) * sizeof(*changed));
	CHECK_EQ(unit_diff(t, t, changed), 0);
	for (i = 0; i < t->nrows; i++)
		bits += pxs_live(changed, i);
	CHECK_EQ(bits, 0);
	moved = unit_diff(t, s, changed);
	for (i = 0; i < t->nrows; i++) {
		bits += pxs_live(changed, i);
		CHECK(pxs_live(changed, i) == (t->rows[i].first != s->rows[i].first));
		of_dead += t->rows[i].first == 4;
	}
	CHECK_EQ(bits, moved);
	CHECK(moved >= of_dead && moved < of_dead * 5 / 4);
	free(s);
	b.cfg.nrows = 1024;
	s = unit_build(&b);
	CHECK_EQ(unit_diff(t, s, changed), 1024);
	free(changed);
	free(t);
	free(s);
}

/* As many as an index can name; two rows for each, and one left over. */
static void as_many_as_fit(void)
{
	const u32 n = PXS_TABLE_BACKENDS_MAX;
	struct pxs_table_backend *be = calloc(n, sizeof(*be));
	struct pxs_table_config cfg = {
		.fill = PXS_FILL_MAGLEV, .nrows = 131071, .nbackends = n, .backends = be,
	};
	struct pxs_table_build build;
	u32 *rows = calloc(n, sizeof(*rows)), i, bad = 0;
	const char *why = NULL;
	struct pxs_table *t;
	void *scratch;

	for (i = 0; i < n; i++) {
		be[i].id = (u64)i * 0x9e3779b97f4a7c15ull;
		be[i].weight = 1;
	}
	CHECK(!pxs_table_plan(&cfg, &why));
	t = malloc(pxs_table_size(&cfg));
	scratch = malloc(pxs_table_scratch(&cfg));
	CHECK(!pxs_table_start(&build, &cfg, t, scratch, 1, &why));
	for (i = 1; i < n; i++)
		bad += build.owners[i].id <= build.owners[i - 1].id;
	CHECK_EQ(bad, 0);
	while (pxs_table_step(&build, PXS_TABLE_BUDGET))
		;
	pxs_table_count(t, rows);
	for (i = 0; i < n; i++)
		bad += rows[i] != 2;
	CHECK_EQ(bad, 1);
	free(scratch);
	free(t);
	free(rows);
	free(be);
}

int main(void)
{
	RUN(plan_refuses);
	RUN(plan_sizes);
	RUN(start_refuses_twins);
	RUN(order_independence);
	RUN(history_free);
	RUN(digest_differs);
	RUN(digest_of_rows);
	RUN(row_of);
	RUN(flap);
	RUN(last_man_standing);
	RUN(few_of_many);
	RUN(half_down);
	RUN(diff);
	RUN(as_many_as_fit);
	return unit_done();
}
