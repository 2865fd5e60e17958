// SPDX-License-Identifier: GPL-2.0
/*
 * test_store_resp.c - requests in pieces, answers in two protocols, words as Redis takes them
 */
#include <limits.h>

#include "unit.h"

#include "../../agent/store/entry.h"
#include "../../agent/store/resp_read.h"
#include "../../agent/store/resp_write.h"

#define LIMIT	65536u

/* All requests of @data, which comes in pieces of @piece bytes, as text: words in <>, ends as . */
static void read_in(const char *data, u32 len, u32 piece, char *to)
{
	enum pxs_resp got = PXS_RESP_MORE;
	struct pxs_reader r;
	u32 room, n, i;
	u8 *at;

	pxs_reader_init(&r, LIMIT, 1000);
	for (*to = 0; len && got != PXS_RESP_ERROR;) {
		at = pxs_reader_space(&r, &room);
		n = min(min(piece, len), room);
		memcpy(at, data, n);
		r.len += n;
		data += n;
		len -= n;
		while ((got = pxs_reader_next(&r)) == PXS_RESP_REQUEST) {
			for (i = 0; i < r.argc; i++)
				to += sprintf(to, "<%.*s>", (int)r.argv[i].len, (char *)r.argv[i].data);
			to += sprintf(to, ".");
		}
	}
	if (got == PXS_RESP_ERROR)
		sprintf(to, "%s", r.error);
	pxs_reader_free(&r);
}

/* "ECHO", @n words of @each bytes, or all but its last byte. Return: the reader's room for more. */
static u32 room_after(u32 n, u32 each, bool half)
{
	u32 len = 0, at = 0, room, args;
	struct pxs_reader r;
	char *data, *to;
	enum pxs_resp got = PXS_RESP_MORE;

	data = malloc(n * (each + 32) + 64);
	len = (u32)sprintf(data, "*%u\r\n$4\r\nECHO\r\n", n + 1);
	while (n--)
		len += (u32)sprintf(data + len, "$%u\r\n%0*d\r\n", each, (int)each, 0);
	len -= half;
	pxs_reader_init(&r, 8 << 20, 4 << 20);
	for (; at < len; at += room) {
		to = (char *)pxs_reader_space(&r, &room);
		room = min(room, len - at);
		memcpy(to, data + at, room);
		r.len += room;
		got = pxs_reader_next(&r);
	}
	CHECK_EQ(got, half ? PXS_RESP_MORE : PXS_RESP_REQUEST);
	CHECK(half || r.argv[r.argc - 1].data[each - 1] == '0');
	CHECK(pxs_reader_space(&r, &room));
	args = r.args_room;
	room = r.room;
	if (half) {
		r.buf[r.len++] = '\n';
		CHECK_EQ(pxs_reader_next(&r), PXS_RESP_REQUEST);
	}
	pxs_reader_free(&r);
	free(data);
	return max(room, args * 20);
}

/* A connection that once sent much, and sends nothing now, has no use for the room. */
static void room_is_given_back(void)
{
	CHECK(room_after(1, 4 << 20, false) <= 65536);
	CHECK(room_after(100000, 1, false) <= 65536);
	CHECK(room_after(1, 4 << 20, true) > 4 << 20);
	CHECK(room_after(1, 40000, false) == 65536);
}

static void check_read(const char *data, const char *wanted)
{
	char got[512];
	u32 piece;

	for (piece = 1; piece <= strlen(data); piece++) {
		read_in(data, (u32)strlen(data), piece, got);
		CHECK_STR(got, wanted);
	}
}

static void requests(void)
{
	check_read("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n", "<GET><k>.<PING>.");
	check_read("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\r\n\r\n", "<SET><><\r\n\r\n>.");
	check_read("PING\r\n  set a  \"b c\" \n*1\r\n$1\r\nx\r\n", "<PING>.<set><a><b c>.<x>.");
	check_read("*0\r\n*-1\r\n\r\nPING\r\n", "...<PING>.");
	check_read("echo \"\\x41\\n\\\"\\q\" 'it\\'s \\n' a\"b\"\n", "<echo><A\n\"q><it's \\n><ab>.");
}

static void mistakes(void)
{
	check_read("*1\r\n:1\r\n", "ERR Protocol error: expected '$', got ':'");
	check_read("*1\r\n$1001\r\n", "ERR Protocol error: invalid bulk length");
	check_read("*1\r\n$-1\r\n", "ERR Protocol error: invalid bulk length");
	check_read("*1048577\r\n", "ERR Protocol error: invalid multibulk length");
	check_read("*1 \r\n", "ERR Protocol error: invalid multibulk length");
	check_read("PING\r\necho 'a\n", "<PING>.ERR Protocol error: unbalanced quotes in request");
	check_read("echo \"a\"b\n", "ERR Protocol error: unbalanced quotes in request");
}

/* What a client that sends for ever makes us hold. */
static void bounded(void)
{
	struct pxs_reader r;
	u32 room, sum = 0;
	enum pxs_resp got;
	u8 *at;

	pxs_reader_init(&r, LIMIT, LIMIT);
	at = pxs_reader_space(&r, &room);
	r.len += (u32)sprintf((char *)at, "*1000000\r\n");
	while ((got = pxs_reader_next(&r)) == PXS_RESP_MORE && sum < 10 * LIMIT) {
		at = pxs_reader_space(&r, &room);
		if (!CHECK(at && room))
			break;
		for (; room; room--, r.len++)
			*at++ = (u8)"$0\r\n\r\n"[sum++ % 6];
	}
	CHECK(got == PXS_RESP_ERROR);
	CHECK_STR(r.error, "ERR Protocol error: request too large");
	CHECK(r.room <= LIMIT + PXS_RESP_LINE_MAX + (16 << 10));
	pxs_reader_free(&r);

	pxs_reader_init(&r, LIMIT, LIMIT);
	r.stranger = true;
	at = pxs_reader_space(&r, &room);
	r.len += (u32)sprintf((char *)at, "*11\r\n");
	CHECK(pxs_reader_next(&r) == PXS_RESP_ERROR);
	CHECK_STR(r.error, "ERR Protocol error: unauthenticated multibulk length");
	pxs_reader_free(&r);
}

static void answers(void)
{
	static const char *const wanted[] = {
		[2] = "$-1\r\n*-1\r\n*4\r\n*1\r\n$2\r\nhi\r\n:-5\r\n$2\r\n-5\r\n-ERR a b\r\n",
		[3] = "_\r\n_\r\n%2\r\n~1\r\n=6\r\ntxt:hi\r\n:-5\r\n$2\r\n-5\r\n-ERR a b\r\n",
	};
	struct pxs_reply o;
	u8 proto;

	for (proto = 2; proto <= 3; proto++) {
		pxs_reply_init(&o, proto, 200);
		pxs_reply_null(&o);
		pxs_reply_null_array(&o);
		pxs_reply_map(&o, 2);
		pxs_reply_set(&o, 1);
		pxs_reply_verbatim(&o, "hi", 2);
		pxs_reply_int(&o, -5);
		pxs_reply_number(&o, -5);
		pxs_reply_error(&o, "ERR a%sb\r\n", "\n");
		pxs_reply_raw(&o, "", 1);
		CHECK_STR((char *)o.buf, wanted[proto]);
		CHECK(!o.failed);
		pxs_reply_bulk(&o, wanted, 200);
		CHECK(o.failed && o.len <= 200);
		pxs_reply_free(&o);
	}
}

static bool is_int(const char *text, s64 wanted)
{
	s64 n = 0;

	return pxs_str_int(pxs_str(text), &n) && n == wanted;
}

static void numbers(void)
{
	static const char *const not[] = { "", "-", "+1", "01", "-0", " 1", "1 ", "1a", "--1",
		"9223372036854775808", "-9223372036854775809", "99999999999999999999", "0x1" };
	char text[PXS_FLOAT_TEXT];
	long double f;
	unsigned int i;
	s64 n;

	CHECK(is_int("0", 0) && is_int("-7", -7) && is_int("9223372036854775807", INT64_MAX) &&
	      is_int("-9223372036854775808", INT64_MIN));
	for (i = 0; i < ARRAY_SIZE(not); i++)
		CHECK(!pxs_str_int(pxs_str(not[i]), &n));
	CHECK(pxs_str_float(pxs_str("3.0e3"), &f) && pxs_float_text(f, text) == 4);
	CHECK(!pxs_str_float(pxs_str("nan"), &f) && !pxs_str_float(pxs_str(" 1"), &f) &&
	      !pxs_str_float(pxs_str("1x"), &f) && !pxs_str_float(pxs_str(""), &f) &&
	      !pxs_str_float(pxs_str("1e99999"), &f) &&
	      !pxs_str_float((struct pxs_str){ (const u8 *)"1\0", 2 }, &f));
}

static bool match(const char *pattern, const char *text)
{
	return pxs_str_match(pxs_str(pattern), pxs_str(text), false);
}

static void patterns(void)
{
	static char a[3000];

	CHECK(match("*", "x") && match("h?llo", "hello") && match("h*o", "ho") && match("*a*b*", "xaybz"));
	CHECK(match("[a-c]x", "bx") && !match("[^a-c]x", "bx") && match("[c-a]x", "bx"));
	CHECK(match("\\*", "*") && !match("\\*", "x") && match("[\\]]", "]") && match("a\\", "a\\"));
	CHECK(!match("a*b", "ac") && !match("", "x") && match("", "") && !match("**", ""));
	CHECK(match("[ab", "a") && !match("[", "x"));
	CHECK(pxs_str_match(pxs_str("SA*"), pxs_str("save"), true));
	/* Redis's own took exponential time for this. */
	memset(a, 'a', sizeof(a) - 1);
	CHECK(!match("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", a));
}

static void key_slots(void)
{
	CHECK_EQ(pxs_keyslot(pxs_str("123456789")), 0x31c3 % 16384);
	CHECK_EQ(pxs_keyslot(pxs_str("{user}.x")), pxs_keyslot(pxs_str("user")));
	CHECK(pxs_keyslot(pxs_str("{}x")) != pxs_keyslot(pxs_str("")));
	CHECK_EQ(pxs_keyslot(pxs_str("a{b}{c}")), pxs_keyslot(pxs_str("b")));
}

/* Every cut and every byte changed: never read beyond the end (ASan), never half an entry. */
static void entries(void)
{
	struct pxs_str argv[] = { pxs_str("SET"), pxs_str("key"), pxs_str("value") };
	struct pxs_args args[2] = { { 3, argv }, { 2, argv } };
	struct pxs_watch watch = { 9, pxs_str("watched") };
	struct pxs_store_entry e = {
		.kind = PXS_STORE_EXEC, .nwatches = 1, .ncommands = 2, .client = 1, .seq = 2,
		.time = 3, .memory = 4,
	};
	u64 size = pxs_store_entry_size(&watch, 1, args, 2);
	struct pxs_entry_walk w;
	struct pxs_store_entry got;
	struct pxs_watch gw;
	u8 *buf = malloc(size), *cut;
	u32 i, j, n;

	pxs_store_entry_put(buf, &e, &watch, args);
	CHECK_EQ(pxs_store_entry_get(buf, (u32)size, &got, &w), 0);
	CHECK(got.kind == e.kind && got.nwatches == 1 && got.ncommands == 2 && got.client == 1 &&
	      got.seq == 2 && got.time == 3 && got.memory == 4);
	pxs_store_entry_watch(&w, &gw);
	CHECK(gw.version == 9 && pxs_str_equal(gw.key, watch.key));
	CHECK_EQ(pxs_store_entry_command(&w), 3);
	for (i = 0; i < 3; i++)
		CHECK(pxs_str_equal(pxs_store_entry_arg(&w), argv[i]));
	for (i = 0; i < size; i++) {
		cut = malloc(i ? i : 1);
		memcpy(cut, buf, i);
		CHECK(pxs_store_entry_get(cut, i, &got, &w) == -ENOMSG);
		free(cut);
		buf[i] ^= 0xff;
		if (!pxs_store_entry_get(buf, (u32)size, &got, &w)) {
			for (j = 0; j < got.nwatches; j++)
				pxs_store_entry_watch(&w, &gw);
			for (j = 0; j < got.ncommands; j++)
				for (n = pxs_store_entry_command(&w); n; n--)
					pxs_store_entry_arg(&w);
			CHECK_EQ(w.pos, size);
		}
		buf[i] ^= 0xff;
	}
	free(buf);
}

int main(void)
{
	RUN(requests);
	RUN(mistakes);
	RUN(bounded);
	RUN(room_is_given_back);
	RUN(answers);
	RUN(numbers);
	RUN(patterns);
	RUN(key_slots);
	RUN(entries);
	return unit_done();
}
