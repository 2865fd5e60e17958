// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_place.c - clients do not keep other members out
 */
#include "unit_reads.h"

#define REFUSED	"-ERR max number of clients reached\r\n"
#define PLACES	((PXS_MEMBERS_MAX - 1) * 3)

static struct pxs_conn *came[PLACES + 3];

static struct pxs_conn *come(u32 i)
{
	came[i] = NULL;
	if (!pxs_place_free(&s))
		return NULL;
	came[i] = pxs_conn_new(&s, -1, &config.consistency);
	came[i]->eof = true;
	came[i]->sending = true;
	pxs_place_take(came[i]);
	return came[i];
}

static void begin_places(void)
{
	memset(came, 0, sizeof(came));
	setup(true);
	config.maxclients = 2;
	apply_slots(3);
	CHECK(come(0) && come(1));
	CHECK_EQ(s.nmembers, 0);
}

static void leave(u32 i)
{
	struct pxs_conn **p;

	for (p = &s.conns; *p != came[i]; p = &(*p)->next)
		;
	*p = came[i]->next;
	pxs_place_leave(came[i]);
	pxs_conn_free(came[i]);
	came[i] = NULL;
}

static void end_places(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(came); i++)
		if (came[i])
			leave(i);
	CHECK_EQ(s.nconns, 0);
	CHECK_EQ(s.nmembers, 0);
	teardown();
}

static const char *say_as(struct pxs_conn *c, const char *commands)
{
	struct pxs_conn *first = client;
	const char *answer;

	client = c;
	answer = say(commands);
	client = first;
	return answer;
}

static void clients_are_refused(void)
{
	struct pxs_conn *c;

	begin_places();
	c = come(2);
	CHECK(c);
	CHECK_STR(say_as(c, "PING\r\nPING\r\n"), REFUSED);
	CHECK(c->closing);
	CHECK_EQ(s.rejected, 1);
	CHECK_STR(say_as(came[0], "PING\r\n"), "+PONG\r\n");
	end_places();
}

static void members_are_not(void)
{
	struct pxs_conn *c;

	begin_places();
	c = come(2);
	CHECK_STR(say_as(c, "PAXSTEER BARRIER\r\n"), "");
	tell(0, 3);
	CHECK_STR(say_as(c, ""), ":3\r\n");
	node.loop.now += 1000;
	pxs_place_tick(&s);
	CHECK(!c->closing);
	CHECK_STR(say_as(c, "PAXSTEER IMAGE 1 0 1 0\r\n"),
		  "-NOIMAGE that checkpoint is not here any more\r\n");
	CHECK(strcmp(say_as(c, "PAXSTEER FEED x\r\n"), REFUSED));
	CHECK(!c->closing);
	/* That is all that it is for. */
	CHECK_STR(say_as(c, "PAXSTEER DIGEST\r\n"), REFUSED);
	CHECK(c->closing);
	end_places();
}

static void a_member_has_a_password(void)
{
	struct pxs_conn *c;

	begin_places();
	config.password = "open";
	c = come(2);
	CHECK_STR(say_as(c, "PAXSTEER BARRIER\r\n"), "-NOAUTH Authentication required.\r\n");
	CHECK(!c->asked);
	CHECK_STR(say_as(c, "AUTH default open\r\n"), "+OK\r\n");
	CHECK_STR(say_as(c, "PAXSTEER BARRIER\r\n"), "");
	CHECK(c->asked);
	tell(0, 3);
	CHECK_STR(say_as(c, ""), ":3\r\n");
	end_places();
}

static void who_says_nothing_is_refused(void)
{
	struct pxs_conn *c;

	begin_places();
	c = come(2);
	node.loop.now += 999;
	pxs_place_tick(&s);
	CHECK(!c->closing);
	node.loop.now++;
	pxs_place_tick(&s);
	pxs_place_tick(&s);
	CHECK_STR(say_as(c, ""), REFUSED);
	CHECK(c->closing && !came[0]->closing && !came[1]->closing);
	CHECK_EQ(s.rejected, 1);
	end_places();
}

static void places_are_counted(void)
{
	u32 i;

	begin_places();
	for (i = 2; i < 2 + PLACES; i++)
		CHECK(come(i));
	CHECK(!come(i));
	/* A client's place is free again; a member's is no client's. */
	leave(0);
	CHECK(come(0));
	CHECK(!came[0]->member_s);
	CHECK(!come(i));
	leave(2);
	CHECK(come(2) && came[2]->member_s);
	end_places();
}

int main(void)
{
	RUN(clients_are_refused);
	RUN(members_are_not);
	RUN(a_member_has_a_password);
	RUN(who_says_nothing_is_refused);
	RUN(places_are_counted);
	return unit_done();
}
