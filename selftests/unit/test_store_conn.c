// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_conn.c - what a client's answers may hold, and who is no client
 */
#include "unit_reads.h"

/* A transaction that fails is applied again, with all of its answers, as often as it takes. */
static void room_is_the_same_again(void)
{
	struct pxs_store s = { .held = 0 };
	struct pxs_conn c = { .store = &s };
	struct pxs_request r = { .conn = &c };
	u32 i;

	pxs_reply_init(&r.out, 2, PXS_CONN_OUT_MAX);
	c.held = 48u << 20;
	for (i = 0; i < 3; i++) {
		pxs_request_room(&r);
		CHECK_EQ(r.out.limit, PXS_CONN_OUT_MAX - (48u << 20));
	}
	c.held = (u64)PXS_CONN_OUT_MAX + 1;
	pxs_request_room(&r);
	CHECK_EQ(r.out.limit, 0);
	pxs_reply_free(&r.out);
}

/* A part's answer waits for other groups: if these waited for its memory, none would go on. */
static void parts_hold_back_nobody(void)
{
	struct pxs_store s = { .held = 0 };
	struct pxs_conn c = { .store = &s };
	struct pxs_request whole = { .conn = &c }, part = { .conn = &c, .parent = &whole };

	pxs_request_hold(&part, 48 << 20);
	CHECK_EQ(s.held, 0);
	CHECK_EQ(c.held, 48u << 20);
	pxs_request_hold(&whole, 1 << 20);
	CHECK_EQ(s.held, 1u << 20);
	CHECK_EQ(c.held, 49u << 20);
	pxs_request_hold(&part, -(48 << 20));
	pxs_request_hold(&whole, -(1 << 20));
	CHECK_EQ(s.held, 0);
	CHECK_EQ(c.held, 0);
}

/* A web page has a browser send them, with commands in what follows. */
static void http_is_cut_off(void)
{
	static const char *const lines[] = {
		"POST / HTTP/1.1", "post", "Host: a", "hOsT: a:6379", "Host:",
	};
	static const char array[] = "*2\r\n$4\r\nPOST\r\n$1\r\n/\r\nSET k 1\r\n";
	char text[80];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		setup(true);
		snprintf(text, sizeof(text), "PING\r\n%s\r\n\r\nSET k 1\r\n", lines[i]);
		CHECK_STR(say(text), "+PONG\r\n");
		CHECK(client->dead && !client->requests);
		CHECK(!proposes());
		teardown();
	}
	setup(true);
	CHECK_STR(say(array), "");
	CHECK(client->dead && !proposes());
	teardown();
	/* Before a password, and in a transaction. */
	setup(true);
	client->authenticated = false;
	CHECK_STR(say("Host: a\r\nPING\r\n"), "");
	CHECK(client->dead);
	teardown();
	setup(true);
	CHECK_STR(say("MULTI\r\nPOST\r\nEXEC\r\n"), "+OK\r\n");
	CHECK(client->dead);
	teardown();
}

static void what_looks_like_it_is_not(void)
{
	setup(true);
	CHECK_STR(say("Host a\r\n"),
		  "-ERR unknown command 'Host', with args beginning with: 'a' \r\n");
	CHECK_STR(say("POSTS\r\n"), "-ERR unknown command 'POSTS', with args beginning with: \r\n");
	CHECK_STR(say("ECHO post\r\n"), "$4\r\npost\r\n");
	CHECK(!client->dead);
	teardown();
}

static u64 memory_with(u32 len, u32 done, u32 room)
{
	u64 memory;

	setup(true);
	client->sending = done < len;
	client->flight = (struct pxs_flight){
		.buf = malloc(room), .len = len, .done = done, .room = room,
	};
	pxs_conn_step(client);
	memory = client->memory - sizeof(*client);
	teardown();
	return memory;
}

/* A connection that once got much, and gets nothing now, has no use for the room. */
static void room_is_given_back(void)
{
	CHECK_EQ(memory_with(PXS_CONN_OUT_HIGH + 1, PXS_CONN_OUT_HIGH, 4 << 20), 4u << 20);
	CHECK_EQ(memory_with(PXS_CONN_OUT_HIGH + 1, PXS_CONN_OUT_HIGH + 1, 4 << 20), 0);
	CHECK_EQ(memory_with(10, 10, PXS_CONN_OUT_HIGH), PXS_CONN_OUT_HIGH);
}

/* Of a read, or one that is made of several groups' (test_store_cross.c): it is no reason to go. */
static void too_large_an_answer_is_an_error(void)
{
	char text[1024] = "READONLY\r\nMGET";
	u32 i;

	setup(true);
	others_say("SETRANGE big 524287 x");
	for (i = 0; i < 130; i++)
		strcat(text, " big");
	strcat(text, "\r\nPING\r\n");
	CHECK_STR(say(text),
		  "+OK\r\n-ERR the answer is too large, or there is no memory for it\r\n+PONG\r\n");
	CHECK_EQ(client->held, 0);
	teardown();
}

int main(void)
{
	RUN(room_is_the_same_again);
	RUN(parts_hold_back_nobody);
	RUN(http_is_cut_off);
	RUN(what_looks_like_it_is_not);
	RUN(room_is_given_back);
	RUN(too_large_an_answer_is_an_error);
	return unit_done();
}
