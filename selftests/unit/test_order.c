// SPDX-License-Identifier: GPL-2.0
/*
 * test_order.c - replies in the order of requests, however the replies are cut
 */
#include "order.h"
#include "unit.h"

static struct pxs_outstanding ring[PXS_ORDER_MAX];
static struct pxs_order o;
static char got[8192];
static size_t got_len;
static bool was_bad, was_stuck;
static u32 replies;
static int a, b;	/* two backends */

static void get(const void *p, size_t len)
{
	if (!len || got_len + len >= sizeof(got))
		return;
	memcpy(got + got_len, p, len);
	got_len += len;
	got[got_len] = 0;
}

static void begin(void)
{
	memset(&o, 0, sizeof(o));
	o.ring = ring;
	got_len = 0;
	got[0] = 0;
	was_bad = false;
	was_stuck = false;
	replies = 0;
}

static void take(const struct pxs_emit *emit, const u8 *p)
{
	get(p + emit->pass_from, emit->pass);
	get(emit->text, emit->text_len);
	if (emit->words)
		get(emit->words, strlen(emit->words));
	replies += emit->done;
	was_bad |= emit->bad;
	was_stuck |= emit->stuck;
}

/* All that @p[0..len) is good for. Return: bytes taken. */
static size_t step(const char *p, size_t len)
{
	struct pxs_emit emit;
	size_t at = 0;
	u8 *copy;

	while (pxs_order_head(&o)) {
		copy = malloc(len - at);
		if (len > at)
			memcpy(copy, p + at, len - at);
		pxs_order_step(&o, copy, (u32)(len - at), &emit);
		take(&emit, copy);
		free(copy);
		at += emit.take;
		if (emit.bad || !(emit.take || emit.text_len || emit.words))
			break;
	}
	return at;
}

static size_t step_text(const char *text)
{
	return step(text, strlen(text));
}

static void fail(const char *text)
{
	struct pxs_emit emit;

	do {
		pxs_order_fail(&o, text, &emit);
		take(&emit, NULL);
	} while (!emit.done && !emit.stuck);
}

static void push(void *from, u8 reply, u8 use, bool first, bool last, u32 parts)
{
	struct pxs_cut cut = {
		.reply = reply, .use = use, .first = first, .last = last, .parts = parts,
	};

	pxs_order_push(&o, from, NULL, &cut);
}

/* @n requests of one kind, in parts or not; @stream are their replies, @want what is made of it. */
static void comes_as(u8 reply, u8 use, u32 n, const char *stream, size_t len, const char *want)
{
	size_t chunk, from, to;
	u32 i;

	for (chunk = len; chunk; chunk--) {
		begin();
		for (i = 0; i < n; i++)
			push(&a, reply, use, use < PXS_USE_VALUES || !i,
			     use < PXS_USE_VALUES || i == n - 1, n);
		for (from = 0, to = 0; to < len && !was_bad;) {
			to = min(len, to + chunk);
			from += step(stream + from, to - from);
		}
		if (!CHECK(!strcmp(got, want) && from == len && replies == n && !was_bad))
			NOTE("by %zu: %u replies, %zu bytes: %s", chunk, replies, from, got);
	}
}

#define PASS(n, s)	comes_as(PXS_REPLY_RESP, PXS_USE_PASS, n, s, sizeof(s) - 1, s)
#define MC(use, n, s, w) comes_as(PXS_REPLY_VALUES, use, n, s, sizeof(s) - 1, w)
#define RESP(use, n, s, w) comes_as(PXS_REPLY_RESP, use, n, s, sizeof(s) - 1, w)

static void resp_passes(void)
{
	PASS(6, "+OK\r\n-ERR no\r\n:12\r\n$3\r\na\r\n\r\n$-1\r\n$0\r\n\r\n");
	PASS(3, "*0\r\n*-1\r\n*3\r\n:1\r\n*2\r\n$1\r\nx\r\n*0\r\n+s\r\n");
	PASS(5, "_\r\n#t\r\n,1.5\r\n(123456789012345678901234567890\r\n=5\r\ntxt:x\r\n");
	PASS(2, "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n~2\r\n:1\r\n:2\r\n");
	PASS(2, "|1\r\n+ttl\r\n:5\r\n:1\r\n!5\r\nERR x\r\n");
	PASS(1, ">2\r\n+invalidate\r\n:1\r\n+OK\r\n");
}

static void drops(void)
{
	comes_as(PXS_REPLY_LINE, PXS_USE_DROP, 2, "STORED\r\nERROR\r\n", 15, "");
	comes_as(PXS_REPLY_LINE, PXS_USE_PASS, 2, "STORED\r\nNOT_FOUND\r\n", 19,
		 "STORED\r\nNOT_FOUND\r\n");
}

static void memcached_values(void)
{
	MC(PXS_USE_PASS, 2, "VALUE a 0 5\r\nEND\r\n\r\nEND\r\nEND\r\n",
	   "VALUE a 0 5\r\nEND\r\n\r\nEND\r\nEND\r\n");
	MC(PXS_USE_VALUES, 3, "VALUE a 0 1 77\r\nx\r\nEND\r\nEND\r\nVALUE c 0 0\r\n\r\nEND\r\n",
	   "VALUE a 0 1 77\r\nx\r\nVALUE c 0 0\r\n\r\nEND\r\n");
	/* An error of one part is the end of all. */
	MC(PXS_USE_VALUES, 3,
	   "VALUE a 0 1\r\nx\r\nEND\r\nSERVER_ERROR no\r\nVALUE c 0 0\r\n\r\nEND\r\n",
	   "VALUE a 0 1\r\nx\r\nSERVER_ERROR no\r\n");
}

static void merges(void)
{
	RESP(PXS_USE_SUM, 3, ":1\r\n:0\r\n:20\r\n", ":21\r\n");
	RESP(PXS_USE_SUM, 3, ":1\r\n-ERR a\r\n-ERR b\r\n", "-ERR a\r\n");
	RESP(PXS_USE_OK, 2, "+OK\r\n+OK\r\n", "+OK\r\n");
	RESP(PXS_USE_OK, 2, "+OK\r\n-ERR a\r\n", "-ERR a\r\n");
	RESP(PXS_USE_ELEMENT, 3, "*1\r\n$1\r\na\r\n*1\r\n$-1\r\n-ERR x\r\n",
	     "*3\r\n$1\r\na\r\n$-1\r\n-ERR x\r\n");
}

/* What one request left does not reach the next. */
static void begins_anew(void)
{
	begin();
	push(&a, 0, PXS_USE_SUM, true, false, 2);
	push(&a, 0, PXS_USE_SUM, false, true, 2);
	push(&a, 0, PXS_USE_SUM, true, false, 2);
	push(&a, 0, PXS_USE_SUM, false, true, 2);
	push(&a, 0, PXS_USE_ELEMENT, true, true, 1);
	push(&a, 0, PXS_USE_ELEMENT, true, true, 1);
	step_text("-ERR a\r\n:1\r\n:5\r\n:1\r\n*1\r\n:1\r\n*1\r\n:2\r\n");
	CHECK_STR(got, "-ERR a\r\n:6\r\n*1\r\n:1\r\n*1\r\n:2\r\n");
}

static void bad(u8 reply, u8 use, const char *stream)
{
	begin();
	push(&a, reply, use, true, true, 1);
	step(stream, strlen(stream));
	if (!CHECK(was_bad))
		NOTE("%s", stream);
}

static void nonsense_is_bad(void)
{
	static char line[PXS_REPLY_HEAD_MAX + 1];

	bad(0, PXS_USE_PASS, "x\r\n");
	bad(0, PXS_USE_PASS, "\r\n");
	bad(0, PXS_USE_PASS, "$x\r\n");
	bad(0, PXS_USE_PASS, "$-2\r\n");
	bad(0, PXS_USE_PASS, "%-1\r\n");
	bad(0, PXS_USE_PASS, "$\r\n");
	bad(0, PXS_USE_PASS, "$5\rx");
	bad(0, PXS_USE_PASS, "$99999999999\r\n");
	bad(0, PXS_USE_PASS, "*9999999999999999999999\r\n");
	bad(0, PXS_USE_PASS, "*1\r\n*4294967296\r\n*4294967296\r\n%4294967296\r\n" "%4294967296\r\n"
	    "*4294967297\r\n");
	bad(0, PXS_USE_SUM, "+OK\r\n");
	bad(0, PXS_USE_SUM, ":-1\r\n");
	bad(0, PXS_USE_SUM, ":1x\r\n");
	bad(0, PXS_USE_OK, ":1\r\n");
	bad(0, PXS_USE_ELEMENT, "*2\r\n");
	bad(0, PXS_USE_ELEMENT, "$1\r\n");
	memset(line, '-', sizeof(line) - 1);
	bad(0, PXS_USE_SUM, line);
	bad(PXS_REPLY_VALUES, PXS_USE_PASS, line);
}

/* Requests to two backends; one dies. */
static void failures_in_their_place(void)
{
	begin();
	push(&a, 0, PXS_USE_PASS, true, true, 0);
	push(&b, 0, PXS_USE_PASS, true, true, 0);
	push(&a, 0, PXS_USE_PASS, true, true, 0);
	CHECK(pxs_order_head(&o)->from == &a);
	CHECK_EQ(step_text("+1\r\n"), 4);
	CHECK(pxs_order_head(&o)->from == &b);
	fail("-gone\r\n");
	CHECK(pxs_order_head(&o)->from == &a);
	step_text("+3\r\n");
	CHECK_STR(got, "+1\r\n-gone\r\n+3\r\n");
	CHECK(!pxs_order_head(&o));

	begin();
	push(&a, 0, PXS_USE_ELEMENT, true, false, 2);
	push(&b, 0, PXS_USE_ELEMENT, false, true, 2);
	fail("-gone\r\n");
	step_text("*1\r\n$1\r\nx\r\n");
	CHECK_STR(got, "*2\r\n-gone\r\n$1\r\nx\r\n");

	begin();
	push(&a, 0, PXS_USE_SUM, true, false, 2);
	push(&b, 0, PXS_USE_SUM, false, true, 2);
	push(&b, 0, PXS_USE_DROP, true, true, 2);
	fail("-gone\r\n");
	CHECK_STR(got, "");
	step_text(":1\r\n");
	fail("-gone\r\n");
	CHECK_STR(got, "-gone\r\n");

	begin();
	push(&a, PXS_REPLY_VALUES, PXS_USE_VALUES, true, false, 0);
	push(&b, PXS_REPLY_VALUES, PXS_USE_VALUES, false, true, 0);
	step_text("VALUE k 0 1\r\nx\r\n");
	fail("SERVER_ERROR gone\r\n");
	step_text("VALUE l 0 1\r\nx\r\nEND\r\n");
	CHECK_STR(got, "VALUE k 0 1\r\nx\r\nSERVER_ERROR gone\r\n");
	CHECK(!pxs_order_head(&o) && !was_stuck);
}

/* No error fits into the middle of a value. */
static void stuck_in_the_middle(void)
{
	begin();
	push(&a, 0, PXS_USE_PASS, true, true, 0);
	step_text("$5\r\nab");
	fail("-gone\r\n");
	CHECK(was_stuck);
	CHECK_STR(got, "$5\r\nab");

	begin();
	push(&a, PXS_REPLY_VALUES, PXS_USE_VALUES, true, true, 0);
	step_text("VALUE k 0 2\r\nx");
	fail("SERVER_ERROR gone\r\n");
	CHECK(was_stuck);
}

static void revokes(void)
{
	begin();
	push(&a, 0, PXS_USE_PASS, true, true, 0);
	push(&b, 0, PXS_USE_PASS, true, true, 0);
	CHECK(pxs_order_revoke(&o, "-bad\r\n"));
	CHECK_EQ(pxs_order_len(&o), 2);
	step_text("+1\r\n");
	CHECK(!pxs_order_head(&o)->from);
	CHECK_STR(pxs_order_head(&o)->text, "-bad\r\n");
	CHECK(pxs_order_revoke(&o, NULL));
	CHECK(!pxs_order_head(&o));

	begin();
	push(&a, 0, PXS_USE_PASS, true, true, 0);
	step_text("$5\r\nab");
	CHECK(!pxs_order_revoke(&o, NULL));
}

static void knows_when_full(void)
{
	u32 i;

	begin();
	for (i = 0; i < 3 * PXS_ORDER_MAX; i++) {
		while (!pxs_order_full(&o))
			push(&a, 0, PXS_USE_PASS, true, true, 0);
		CHECK_EQ(pxs_order_len(&o), PXS_ORDER_MAX);
		got_len = 0;
		o.ring[o.head % PXS_ORDER_MAX].use = PXS_USE_DROP;
		fail("");
		CHECK(!pxs_order_full(&o));
	}
}

int main(void)
{
	RUN(resp_passes);
	RUN(drops);
	RUN(memcached_values);
	RUN(merges);
	RUN(begins_anew);
	RUN(nonsense_is_bad);
	RUN(failures_in_their_place);
	RUN(stuck_in_the_middle);
	RUN(revokes);
	RUN(knows_when_full);
	return unit_done();
}
