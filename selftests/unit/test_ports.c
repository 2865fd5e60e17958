// SPDX-License-Identifier: GPL-2.0
/*
 * test_ports.c - may anybody have this port?
 */
#include "ports.h"
#include "unit.h"

#define PORTS	65536

static struct pxs_ports ports;

static u32 found(void)
{
	u32 port, n = 0;

	for (port = 0; port < PORTS; port++)
		n += pxs_ports_has(&ports, (u16)port);
	return n;
}

static void nobody_at_first(void)
{
	CHECK_EQ(found(), 0);
}

/* Each port by itself: it is seen, and of the others only those with its low byte. */
static void each_is_seen(void)
{
	u32 port;

	for (port = 0; port < PORTS; port++) {
		pxs_ports_add(&ports, (u16)port);
		CHECK(pxs_ports_has(&ports, (u16)port));
		CHECK(!pxs_ports_has(&ports, (u16)(port + 1)));
		CHECK(!pxs_ports_has(&ports, (u16)(port - 1)));
		pxs_ports_del(&ports, (u16)port);
		CHECK(!pxs_ports_has(&ports, (u16)port));
	}
	pxs_ports_add(&ports, 53);
	CHECK_EQ(found(), PORTS / 256);
	pxs_ports_del(&ports, 53);
	CHECK_EQ(found(), 0);
}

/* Two of one port, and two whose ports share the low byte: who goes takes nobody along. */
static void who_goes_goes_alone(void)
{
	pxs_ports_add(&ports, 7000);
	pxs_ports_add(&ports, 7000);
	pxs_ports_add(&ports, 7000 + 256);
	pxs_ports_del(&ports, 7000);
	CHECK(pxs_ports_has(&ports, 7000));
	pxs_ports_del(&ports, 7000);
	CHECK(pxs_ports_has(&ports, 7000 + 256));
	pxs_ports_del(&ports, 7000 + 256);
	CHECK_EQ(found(), 0);
}

/* A range comes and goes; more have one port than a narrow counter could count. */
static void many(void)
{
	u32 port, i;

	for (port = 0; port < PORTS; port++)
		pxs_ports_add(&ports, (u16)port);
	for (i = 0; i < 70000; i++)
		pxs_ports_add(&ports, 80);
	CHECK_EQ(found(), PORTS);
	for (port = 0; port < PORTS; port++)
		pxs_ports_del(&ports, (u16)port);
	CHECK_EQ(found(), PORTS / 256);
	CHECK(pxs_ports_has(&ports, 80));
	for (i = 0; i < 70000; i++)
		pxs_ports_del(&ports, 80);
	CHECK_EQ(found(), 0);
}

int main(void)
{
	RUN(nobody_at_first);
	RUN(each_is_seen);
	RUN(who_goes_goes_alone);
	RUN(many);
	return unit_done();
}
