// SPDX-License-Identifier: GPL-2.0
/*
 * test_tunnel.c - what is put before a packet that goes to a backend through a tunnel
 */
#include "unit.h"
#include "tunnel.h"

static const struct pxs_tunnel t44 = { 0 }, t46 = { .outer_v6 = true }, t64 = { .inner_v6 = true },
	t66 = { .inner_v6 = true, .outer_v6 = true }, g44 = { .gue = true },
	g46 = { .gue = true, .outer_v6 = true }, g64 = { .gue = true, .inner_v6 = true },
	g66 = { .gue = true, .inner_v6 = true, .outer_v6 = true };

static void protocols(void)
{
	CHECK_EQ(pxs_tunnel_outer_proto(&t44), 4);
	CHECK_EQ(pxs_tunnel_outer_proto(&t46), 4);
	CHECK_EQ(pxs_tunnel_outer_proto(&t64), 41);
	CHECK_EQ(pxs_tunnel_outer_proto(&t66), 41);
	CHECK_EQ(pxs_tunnel_outer_proto(&g44), 17);
	CHECK_EQ(pxs_tunnel_outer_proto(&g66), 17);
	CHECK_EQ(pxs_tunnel_inner_proto(&g46), 4);
	CHECK_EQ(pxs_tunnel_inner_proto(&g64), 41);
}

static void sizes(void)
{
	CHECK_EQ(pxs_tunnel_overhead(&t44), 20);
	CHECK_EQ(pxs_tunnel_overhead(&t64), 20);
	CHECK_EQ(pxs_tunnel_overhead(&t46), 40);
	CHECK_EQ(pxs_tunnel_overhead(&t66), 40);
	CHECK_EQ(pxs_tunnel_overhead(&g44), 32);
	CHECK_EQ(pxs_tunnel_overhead(&g66), 52);
	CHECK_EQ(pxs_tunnel_shim(&t66), 0);
	CHECK_EQ(pxs_tunnel_shim(&g46), 12);
}

static void fits(const struct pxs_tunnel *t, u32 path, bool df, u32 mtu, bool outer_df)
{
	struct pxs_tunnel_fit fit = pxs_tunnel_fit(t, path, df);

	CHECK_EQ(fit.mtu, mtu);
	CHECK_EQ(fit.df, outer_df);
}

static void mtus(void)
{
	fits(&t44, 1500, true, 1480, true);
	fits(&t44, 1500, false, 1480, false);
	fits(&g44, 1500, true, 1468, true);
	fits(&g46, 1500, true, 1448, true);
	fits(&t46, 1500, false, 1460, false);
	fits(&t64, 1500, true, 1480, true);
	/* Put together from fragments, which IPv6's sender made. */
	fits(&g66, 1500, false, 1448, false);
}

/* What everybody may send is not refused: the outer packet goes in fragments. */
static void least_mtus(void)
{
	fits(&t64, 1300, true, 1280, true);
	fits(&t64, 1299, true, 1280, false);
	fits(&t66, 1280, true, 1280, false);
	fits(&g66, 0, true, 1280, false);
	fits(&t44, 88, true, 68, true);
	fits(&t44, 87, true, 68, false);
	fits(&g44, 20, true, 68, false);
}

static void gue_header(void)
{
	const u8 v4[] = { 0, 4, 0, 0 }, v6[] = { 0, 41, 0, 0 };
	u8 at[PXS_TUNNEL_GUE + 1];

	memset(at, 0xff, sizeof(at));
	pxs_tunnel_gue(at, &g46);
	CHECK(!memcmp(at, v4, sizeof(v4)));
	pxs_tunnel_gue(at, &g64);
	CHECK(!memcmp(at, v6, sizeof(v6)));
	CHECK_EQ(at[PXS_TUNNEL_GUE], 0xff);
}

/* Every bit of the hash counts, and no port is more likely than another. */
static void source_ports(void)
{
	static u32 seen[0x10000];
	u32 i, most = 0, state = 1;

	for (i = 0; i < 32; i++)
		CHECK(pxs_tunnel_sport(1u << i) != pxs_tunnel_sport(0));
	for (i = 0; i < 1 << 20; i++) {
		state = state * 1664525 + 1013904223;
		seen[pxs_tunnel_sport(state)]++;
	}
	for (i = 0; i < 0x10000; i++) {
		CHECK(i >= 0xc000 ? seen[i] > 0 : !seen[i]);
		most = seen[i] > most ? seen[i] : most;
	}
	CHECK(most < 2 * (1 << 20) / 0x4000);
}

int main(void)
{
	RUN(protocols);
	RUN(sizes);
	RUN(mtus);
	RUN(least_mtus);
	RUN(gue_header);
	RUN(source_ports);
	return unit_done();
}
