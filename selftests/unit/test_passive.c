// SPDX-License-Identifier: GPL-2.0
/*
 * test_passive.c - who is taken out for a while, because what it was sent came to nothing
 */
#include "passive.h"
#include "unit.h"

#define N	6
#define FAILS	3
#define SECONDS	10

static struct pxs_passive state[N];
static struct pxs_passive_look v[N];
static u64 now;

static void look(u32 n)
{
	pxs_passive_decide(v, n, FAILS, SECONDS, now);
}

/* n backends that serve, and have been looked at for the first time. */
static void start(u32 n)
{
	u32 i;

	memset(state, 0, sizeof(state));
	memset(v, 0, sizeof(v));
	for (i = 0; i < N; i++) {
		v[i].p = &state[i];
		v[i].serves = true;
		v[i].seen = (struct pxs_passive_seen){ 1000, 500, 400 };
	}
	now = 1000000;
	look(n);
}

static void fail(u32 i, u32 times)
{
	v[i].seen.requests += times;
	v[i].seen.failures += times;
}

static u32 outs(u32 n)
{
	u32 i, out = 0;

	for (i = 0; i < n; i++)
		out += !!state[i].until;
	return out;
}

static void so_many_failures_and_not_fewer(void)
{
	start(2);
	CHECK_EQ(outs(2), 0);
	fail(0, FAILS - 1);
	look(2);
	CHECK_EQ(outs(2), 0);
	fail(0, 1);
	look(2);
	CHECK(state[0].until && !state[1].until);
}

static void it_comes_back_and_must_fail_anew(void)
{
	start(2);
	fail(0, FAILS);
	look(2);
	now += SECONDS * 1000 - 1;
	look(2);
	CHECK(state[0].until);
	now++;
	look(2);
	CHECK(!state[0].until);
	fail(0, FAILS - 1);
	look(2);
	CHECK(!state[0].until);
	fail(0, 1);
	look(2);
	CHECK(state[0].until);
}

static void one_success_makes_up_for_all(void)
{
	start(2);
	fail(0, FAILS - 1);
	v[0].seen.successes++;
	look(2);
	fail(0, FAILS - 1);
	look(2);
	CHECK_EQ(outs(2), 0);
	/* Also in the same look. */
	fail(0, 100);
	v[0].seen.successes++;
	look(2);
	CHECK_EQ(outs(2), 0);
}

static void failures_far_apart_are_none(void)
{
	start(2);
	fail(0, FAILS - 1);
	look(2);
	now += SECONDS * 1000 + 1;
	look(2);
	fail(0, FAILS - 1);
	look(2);
	CHECK_EQ(outs(2), 0);
}

/* A look may be late: what came since the last one counts, though the window is over. */
static void the_last_look_counts(void)
{
	start(2);
	now += SECONDS * 1000 + 1;
	fail(0, FAILS);
	look(2);
	CHECK(state[0].until && !state[1].until);
}

/* Strangers may send what looks like a failure; nobody was asked anything. */
static void no_more_failures_than_requests(void)
{
	start(2);
	v[0].seen.failures += 1000;
	v[0].seen.requests += FAILS - 1;
	look(2);
	CHECK_EQ(outs(2), 0);
}

static void never_more_than_half(void)
{
	u32 n, i;

	for (n = 1; n <= N; n++) {
		start(n);
		for (i = 0; i < n; i++)
			fail(i, FAILS);
		look(n);
		CHECK_EQ(outs(n), n / 2);
		now++;
		for (i = 0; i < n; i++)
			fail(i, FAILS);
		look(n);
		CHECK_EQ(outs(n), n / 2);
	}
}

/* Of those that serve: who is down is neither out nor one to choose from. */
static void who_serves_nobody_is_not_out(void)
{
	start(3);
	v[2].serves = false;
	fail(0, FAILS);
	fail(1, FAILS);
	fail(2, FAILS);
	look(3);
	CHECK_EQ(outs(3), 1);
	CHECK(!state[2].until);
	v[0].serves = false;
	look(3);
	CHECK_EQ(outs(3), 0);
	/* What was counted meanwhile is forgotten. */
	v[0].serves = true;
	v[2].serves = true;
	v[1].seen.successes++;
	look(3);
	CHECK_EQ(outs(3), 0);
}

/* Nor when those that are not out stop serving. */
static void half_of_those_that_are_left(void)
{
	start(4);
	fail(1, FAILS);
	look(4);
	now++;
	fail(0, FAILS);
	look(4);
	CHECK(state[0].until && state[1].until);
	v[3].serves = false;
	look(4);
	CHECK(state[0].until && !state[1].until);
	v[2].serves = false;
	look(4);
	CHECK(state[0].until && !state[1].until);
	v[1].serves = false;
	look(4);
	CHECK_EQ(outs(4), 0);
}

static void what_is_seen_goes_by_the_mode(void)
{
	struct pxs_passive_seen seen;

	CHECK(pxs_passive_sees(true, PXS_MODE_NAT) && !pxs_passive_sees(false, PXS_MODE_NAT));
	CHECK(pxs_passive_sees(true, PXS_MODE_LOCAL) && pxs_passive_sees(false, PXS_MODE_LOCAL));
	CHECK(pxs_passive_sees(false, PXS_MODE_REQUEST));
	CHECK(!pxs_passive_sees(true, PXS_MODE_DSR) && !pxs_passive_sees(false, PXS_MODE_DSR));
	CHECK(!pxs_passive_sees(true, PXS_MODE_TUNNEL_IPIP));
	CHECK(!pxs_passive_sees(true, PXS_MODE_TUNNEL_GUE));

	CHECK_EQ(pxs_passive_failures(PXS_MODE_NAT), PXS_STEER_STAT_UNREACHABLE);
	seen = pxs_passive_seen(PXS_MODE_NAT, 100, 40, 7);
	CHECK(seen.requests == 100 && seen.failures == 7 && seen.successes == 40);

	CHECK_EQ(pxs_passive_failures(PXS_MODE_LOCAL), PXS_STEER_STAT_NO_SOCKET);
	seen = pxs_passive_seen(PXS_MODE_LOCAL, 100, 40, 7);
	CHECK(seen.requests == 107 && seen.failures == 7 && seen.successes == 100);

	CHECK_EQ(pxs_passive_failures(PXS_MODE_REQUEST), PXS_STEER_STAT_CONNECT_FAILED);
	seen = pxs_passive_seen(PXS_MODE_REQUEST, 100, 40, 7);
	CHECK(seen.requests == 107 && seen.failures == 7 && seen.successes == 40);
}

int main(void)
{
	RUN(what_is_seen_goes_by_the_mode);
	RUN(so_many_failures_and_not_fewer);
	RUN(it_comes_back_and_must_fail_anew);
	RUN(one_success_makes_up_for_all);
	RUN(failures_far_apart_are_none);
	RUN(the_last_look_counts);
	RUN(no_more_failures_than_requests);
	RUN(never_more_than_half);
	RUN(who_serves_nobody_is_not_out);
	RUN(half_of_those_that_are_left);
	return unit_done();
}
