// SPDX-License-Identifier: GPL-2.0
/*
 * test_limit.c - how many backends a service may have
 */
#include "unit_table.h"
#include "limit.h"

static u32 most(u8 fill, u8 mode, bool agreed, bool watched, const char **why)
{
	const struct pxs_limit of = {
		.fill = fill, .mode = mode, .agreed = agreed, .watched = watched,
	};

	return pxs_limit_backends(&of, why);
}

/* The sentence says the number. */
static bool says(const char *why, u32 number)
{
	char text[16];

	snprintf(text, sizeof(text), " %u ", number);
	return strstr(why, text);
}

static void limits(void)
{
	const char *why;

	CHECK_EQ(most(PXS_FILL_RENDEZVOUS, PXS_MODE_NAT, false, false, &why), 65535);
	CHECK(says(why, PXS_BACKENDS_MAX));
	CHECK_EQ(most(PXS_FILL_MAGLEV, PXS_MODE_DSR, false, false, &why), 65535);
	CHECK_EQ(most(PXS_FILL_KETAMA, PXS_MODE_NAT, false, false, &why), 4096);
	CHECK(strstr(why, "ketama") && says(why, PXS_BACKENDS_MANY));
	CHECK_EQ(most(PXS_FILL_JUMP, PXS_MODE_NAT, false, true, &why), 4096);
	CHECK(strstr(why, "slow start") && says(why, PXS_BACKENDS_MANY));
	CHECK_EQ(most(PXS_FILL_JUMP, PXS_MODE_LOCAL, false, false, &why), 4096);
	CHECK(strstr(why, "mode local") && says(why, PXS_BACKENDS_MANY));
	CHECK_EQ(most(PXS_FILL_JUMP, PXS_MODE_LOCAL, true, true, &why), 1024);
	CHECK(strstr(why, "group") && says(why, PXS_BACKENDS_FEW));
	CHECK_EQ(most(PXS_FILL_JUMP, PXS_MODE_REQUEST, false, true, &why), 1024);
	CHECK(strstr(why, "mode request") && says(why, PXS_BACKENDS_FEW));
}

/* An index has 16 bits, and 0xffff is nobody: the most that there may be are all somebody. */
static void all_of_them(u8 fill, u32 rows)
{
	struct pxs_table_config cfg = { .fill = fill, .cap = PXS_CAP_DEFAULT, .nrows = rows };
	u32 i, n = PXS_BACKENDS_MAX, *counts = calloc(n, sizeof(*counts)), none = 0, most_rows = 0;
	struct pxs_table_backend *be = calloc(n + 1, sizeof(*be));
	struct pxs_table_build build;
	unsigned long *live;
	struct pxs_table *t;
	struct pxs_pick pick;
	const char *why;
	void *scratch;

	for (i = 0; i < n + 1; i++)
		be[i] = (struct pxs_table_backend){ .id = i * 0x9e3779b97f4a7c15ull, .weight = 1,
			.family = 4, .port = 80, .addr = { 10, 0, (u8)(i >> 8), (u8)i } };
	cfg.backends = be;
	cfg.nbackends = n + 1;
	CHECK_EQ(pxs_table_plan(&cfg, &why), -E2BIG);
	cfg.nbackends = n;
	CHECK_EQ(pxs_table_plan(&cfg, &why), 0);
	t = malloc(pxs_table_size(&cfg));
	scratch = malloc(pxs_table_scratch(&cfg));
	CHECK_EQ(pxs_table_start(&build, &cfg, t, scratch, 1, &why), 0);
	while (pxs_table_step(&build, PXS_TABLE_BUDGET))
		;
	free(scratch);
	for (i = 0; i < t->nrows; i++)
		none += t->rows[i].first == PXS_NONE || t->rows[i].second == PXS_NONE ||
			t->rows[i].first == t->rows[i].second;
	CHECK_EQ(none, 0);
	pxs_table_count(t, counts);
	for (i = 0; i < n; i++)
		most_rows = max(most_rows, counts[i]);
	NOTE("fill %u: %u rows, at most %u of one backend", fill, t->nrows, most_rows);
	/* only the last one is live */
	live = calloc(pxs_bitmap_longs(n), sizeof(*live));
	live[(n - 1) / 64] |= 1ul << ((n - 1) % 64);
	pick = pxs_table_pick(t, live, 42);
	CHECK_EQ(pick.backend, n - 1);
	CHECK(pick.choice != PXS_CHOICE_NONE);
	free(live);
	free(t);
	free(be);
	free(counts);
}

static void as_many_as_there_may_be(void)
{
	all_of_them(PXS_FILL_RENDEZVOUS, 0);
	all_of_them(PXS_FILL_STICKY, 0);
	all_of_them(PXS_FILL_MAGLEV, 131071);
	all_of_them(PXS_FILL_JUMP, 0);
}

int main(void)
{
	RUN(limits);
	RUN(as_many_as_there_may_be);
	return unit_done();
}
