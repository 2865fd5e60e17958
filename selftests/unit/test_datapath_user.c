// SPDX-License-Identifier: GPL-2.0
/*
 * test_datapath_user.c - the core in the agent's process: how long a disk may stand still
 */
#include "datapath_user.c"
#include "unit.h"

static struct user user;
static struct user_group group;

/* A record waits for the disk since @at. */
static void waits_since(u64 at)
{
	user.stage.last_lsn = 5;
	user.stage.durable_lsn = 5;
	CHECK(healthy(&user, &group, at));
	user.stage.last_lsn = 6;
}

/* As in the module: 2 seconds or four heartbeats, whatever an election takes. */
static void a_disk_that_stands_still(void)
{
	group.core.conf.heartbeat_ms = 100;
	group.core.conf.election_ms = 300;
	waits_since(10000);
	CHECK(healthy(&user, &group, 11999));
	CHECK(!healthy(&user, &group, 12000));
	group.core.conf.election_ms = 60000;
	waits_since(10000);
	CHECK(healthy(&user, &group, 11999));
	CHECK(!healthy(&user, &group, 12000));
	/* A slow group. */
	group.core.conf.heartbeat_ms = 1000;
	waits_since(10000);
	CHECK(healthy(&user, &group, 13999));
	CHECK(!healthy(&user, &group, 14000));
	/* It moves, or nothing waits. */
	user.stage.durable_lsn = 6;
	CHECK(healthy(&user, &group, 20000));
	user.stage.failed = true;
	CHECK(!healthy(&user, &group, 20000));
}

int main(void)
{
	RUN(a_disk_that_stands_still);
	return unit_done();
}
