// SPDX-License-Identifier: GPL-2.0
/*
 * test_request.c - requests in a client's stream, however the stream is cut
 */
#include "request.h"
#include "unit.h"

#define STREAM_MAX	(64 * 1024)

static char seen[4 * STREAM_MAX];
static size_t seen_len;

static void see(const void *p, size_t len)
{
	if (seen_len + len < sizeof(seen)) {
		memcpy(seen + seen_len, p, len);
		seen_len += len;
		seen[seen_len] = 0;
	}
}

static void see_text(const char *text)
{
	see(text, strlen(text));
}

/* <first key|further keys>what is sent; !answer; ?refusal; #the end. */
static void see_cut(struct pxs_cut *cut, const u8 *p)
{
	struct pxs_slice key;

	switch (cut->what) {
	case PXS_CUT_BEGIN:
		see_text(cut->use == PXS_USE_DROP ? "<<" : "<");
		see(cut->key.p, cut->key.len);
		while (pxs_cut_key(cut, p, &key)) {
			see_text("|");
			see(key.p, key.len);
		}
		see_text(cut->last ? ">" : "+>");
		break;
	case PXS_CUT_ANSWER:
		see_text("!");
		break;
	case PXS_CUT_REFUSE:
		see_text("?");
		break;
	case PXS_CUT_BAD:
	case PXS_CUT_QUIT:
		see_text("#");
	}
	if (cut->text)
		see_text(cut->text);
	if (cut->before)
		see_text(cut->before);
	if (cut->what == PXS_CUT_BEGIN || cut->what == PXS_CUT_BODY)
		see(p + cut->from, cut->len);
	if (cut->after)
		see_text(cut->after);
}

static bool ends(const struct pxs_cut *cut)
{
	return cut->what == PXS_CUT_BAD || cut->what == PXS_CUT_QUIT;
}

/* As a reader does it who gets @chunk bytes at a time, the first time @first. */
static bool feed(u8 proto, const char *stream, size_t len, size_t first, size_t chunk)
{
	struct pxs_cutter c = { .proto = proto };
	size_t from = 0, to = 0, more = first;
	struct pxs_cut cut;
	u8 *copy;

	seen_len = 0;
	seen[0] = 0;
	while (to < len) {
		to = min(len, to + more);
		more = chunk;
		do {
			struct pxs_cutter before = c;

			/* Of exactly its size, so that a byte too far is seen. */
			copy = malloc(to - from);
			memcpy(copy, stream + from, to - from);
			pxs_cut_next(&c, copy, (u32)(to - from), &cut);
			if (cut.what == PXS_CUT_MORE && memcmp(&before, &c, sizeof(c)))
				see_text("[a MORE that changed something]");
			if (cut.what != PXS_CUT_MORE && !ends(&cut) && !cut.take)
				see_text("[nothing taken]");
			see_cut(&cut, copy);
			free(copy);
			from += cut.take;
		} while (cut.what != PXS_CUT_MORE && !ends(&cut) && from < to);
		if (ends(&cut))
			return true;
	}
	return false;
}

/* @stream comes out as @want, however it is cut. */
static void comes_as(u8 proto, const char *stream, size_t len, const char *want)
{
	size_t i;

	feed(proto, stream, len, len, len);
	CHECK_STR(seen, want);
	for (i = 1; i <= len; i++) {
		feed(proto, stream, len, i, len);
		if (!CHECK(!strcmp(seen, want)))
			NOTE("first %zu: %s", i, seen);
	}
	for (i = 1; i <= 5; i++) {
		feed(proto, stream, len, i, i);
		if (!CHECK(!strcmp(seen, want)))
			NOTE("by %zu: %s", i, seen);
	}
}

#define REDIS(stream, want)	comes_as(PXS_REQUEST_REDIS, stream, sizeof(stream) - 1, want)
#define MC(stream, want)	comes_as(PXS_REQUEST_MEMCACHED, stream, sizeof(stream) - 1, want)

#define GET(k)	"*2\r\n$3\r\nGET\r\n$1\r\n" k "\r\n"

static void redis_pipelined(void)
{
	REDIS(GET("a") GET("b"), "<a>" GET("a") "<b>" GET("b"));
	REDIS("*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$5\r\nva\r\nl\r\n" GET("b"),
	      "<key>*3\r\n$3\r\nset\r\n$3\r\nkey\r\n$5\r\nva\r\nl\r\n<b>" GET("b"));
	REDIS("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n",
	      "<k>*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n");
	REDIS("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "<>*2\r\n$3\r\nGET\r\n$0\r\n\r\n");
	REDIS("*0\r\n\r\n" GET("a"), "<a>" GET("a"));
}

static void redis_inline(void)
{
	REDIS("get a\r\n\n  set\tb c \n" GET("d"), "<a>get a\r\n<b>  set\tb c \n<d>" GET("d"));
	REDIS("ping\r\nPING\n", "!+PONG\r\n!+PONG\r\n");
	REDIS("mget a b\r\n", "?-ERR paxsteer: no inline command of several keys\r\n");
	REDIS("get \"a\"\r\nget b\r\n",
	      "#-ERR paxsteer: no quotes and control characters in inline commands\r\n");
	REDIS("get a\0b\r\n",
	      "#-ERR paxsteer: no quotes and control characters in inline commands\r\n");
	REDIS("get\rb a\r\n",
	      "#-ERR paxsteer: no quotes and control characters in inline commands\r\n");
}

#define UNSUPPORTED "-ERR paxsteer: not a command with a key that can be steered by request\r\n"
#define WRONG	"-ERR paxsteer: wrong number of arguments, or of keys\r\n"

static void redis_here(void)
{
	REDIS("*1\r\n$4\r\nPING\r\n" GET("a"), "!+PONG\r\n<a>" GET("a"));
	REDIS("*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n", "!+OK\r\n");
	REDIS("*2\r\n$6\r\nSELECT\r\n$1\r\n1\r\n" GET("a"),
	      "?-ERR DB index is out of range\r\n<a>" GET("a"));
	REDIS("*1\r\n$4\r\nQUIT\r\n" GET("a"), "#+OK\r\n");
	REDIS("*2\r\n$7\r\nCOMMAND\r\n$4\r\nDOCS\r\n" GET("a"), "!*0\r\n<a>" GET("a"));
}

static void redis_refused(void)
{
	static const char *const words[] = { "AUTH", "HELLO", "MULTI", "EXEC", "WATCH", "SUBSCRIBE",
		"MONITOR", "CLIENT", "CONFIG", "FLUSHALL", "KEYS", "SCAN", "SORT", "MIGRATE",
		"WAIT",
		"PSUBSCRIBE", "SSUBSCRIBE", "RESET", "EVALX", "A", "ZZZ", "SCRIPT", "DISCARD" };
	char stream[200], want[200];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		snprintf(stream, sizeof(stream),
			 "*3\r\n$%zu\r\n%s\r\n$1\r\nx\r\n$2\r\ny\n\r\n" GET("a"),
			 strlen(words[i]), words[i]);
		snprintf(want, sizeof(want), "?" UNSUPPORTED "<a>" GET("a"));
		comes_as(PXS_REQUEST_REDIS, stream, strlen(stream), want);
	}
	REDIS("*1\r\n$3\r\nGET\r\n" GET("a"), "?" WRONG "<a>" GET("a"));
}

#define ARG(n, a) "$" #n "\r\n" a "\r\n"

static void redis_keys(void)
{
#define SAME(keys, stream) REDIS(stream, "<" keys ">" stream)
	SAME("a|b", "*3\r\n" ARG(6, "RENAME") ARG(1, "a") ARG(1, "b"));
	SAME("a|b|c", "*4\r\n" ARG(6, "SINTER") ARG(1, "a") ARG(1, "b") ARG(1, "c"));
	SAME("a|b", "*4\r\n" ARG(5, "BLPOP") ARG(1, "a") ARG(1, "b") ARG(1, "0"));
	SAME("a|c", "*5\r\n" ARG(6, "MSETNX") ARG(1, "a") ARG(1, "b") ARG(1, "c") ARG(1, "d"));
	SAME("d|s", "*4\r\n" ARG(5, "BITOP") ARG(3, "NOT") ARG(1, "d") ARG(1, "s"));
	SAME("k", "*3\r\n" ARG(6, "OBJECT") ARG(8, "ENCODING") ARG(1, "k"));
	SAME("a|b", "*6\r\n" ARG(4, "EVAL") ARG(6, "return") ARG(1, "2") ARG(1, "a") ARG(1, "b")
	     ARG(3, "arg"));
	SAME("d|a|b", "*6\r\n" ARG(11, "ZUNIONSTORE") ARG(1, "d") ARG(1, "2") ARG(1, "a")
	     ARG(1, "b") ARG(7, "WEIGHTS"));
	SAME("a|b", "*5\r\n" ARG(10, "SINTERCARD") ARG(1, "2") ARG(1, "a") ARG(1, "b")
	     ARG(5, "LIMIT"));
	SAME("a|b", "*8\r\n" ARG(5, "XREAD") ARG(5, "COUNT") ARG(1, "2") ARG(7, "streams")
	     ARG(1, "a") ARG(1, "b") ARG(1, "0") ARG(1, "0"));
	SAME("s1", "*7\r\n" ARG(10, "XREADGROUP") ARG(5, "Group") ARG(7, "streams") ARG(2, "c1")
	     ARG(7, "STREAMS") ARG(2, "s1") ARG(1, ">"));
#undef SAME
	REDIS("eval x 0 a\r\n", "?" WRONG);
	REDIS("eval x 2 a\r\n", "?" WRONG);
	REDIS("eval x -1 a\r\n", "?" WRONG);
	REDIS("eval x 9999999 a\r\n", "?" WRONG);
	REDIS("xread streams a\r\n", "?" WRONG);
	REDIS("xread count 2\r\n", "?" WRONG);
	REDIS("xreadgroup group streams\r\n", "?" WRONG);
	REDIS("rename a\r\n", "?" WRONG);
	REDIS("msetnx a b c\r\n", "?" WRONG);
	REDIS("blpop a b 0\r\n", "<a|b>blpop a b 0\r\n");
	REDIS("bitop not d s\r\n", "<d|s>bitop not d s\r\n");
}

static void redis_split(void)
{
	REDIS("*2\r\n$4\r\nmget\r\n$1\r\na\r\n", "<a>*2\r\n$4\r\nmget\r\n$1\r\na\r\n");
	REDIS("*3\r\n$4\r\nmget\r\n" ARG(1, "a") ARG(2, "bc") GET("d"),
	      "<a+>*2\r\n$4\r\nMGET\r\n$1\r\na\r\n"
	      "<bc>*2\r\n$4\r\nMGET\r\n$2\r\nbc\r\n<d>" GET("d"));
	REDIS("*4\r\n$3\r\nDEL\r\n" ARG(1, "a") ARG(1, "b") ARG(1, "c"),
	      "<a+>*2\r\n$3\r\nDEL\r\n$1\r\na\r\n<b+>*2\r\n$3\r\nDEL\r\n$1\r\nb\r\n"
	      "<c>*2\r\n$3\r\nDEL\r\n$1\r\nc\r\n");
	REDIS("*5\r\n$4\r\nMSET\r\n" ARG(1, "a") ARG(2, "\r\n") ARG(1, "b") ARG(0, "") GET("d"),
	      "<a+>*3\r\n$4\r\nMSET\r\n$1\r\na\r\n$2\r\n\r\n\r\n"
	      "<b>*3\r\n$4\r\nMSET\r\n$1\r\nb\r\n$0\r\n\r\n<d>" GET("d"));
	REDIS("*4\r\n$4\r\nMSET\r\n" ARG(1, "a") ARG(1, "b") ARG(1, "c") GET("d"),
	      "?" WRONG "<d>" GET("d"));
}

#define MALFORMED "-ERR Protocol error: paxsteer: not a request\r\n"

static void redis_malformed(void)
{
	REDIS("*x\r\n" GET("a"), "#" MALFORMED);
	REDIS("*02\r\n", "#" MALFORMED);
	REDIS("*1048577\r\n", "#" MALFORMED);
	REDIS("*99999999999999999999999\r\n", "#" MALFORMED);
	REDIS("*2\r\n:3\r\n", "#" MALFORMED);
	REDIS("*2\r\n$3\r\nGETxx", "#" MALFORMED);
	REDIS("*2\r\n$3\r\nGET\r\n$536870913\r\n", "?" WRONG "#" MALFORMED);
	REDIS("*3\r\n$3\r\nSET\r\n$1\r\nk\r\nx", "<k>*3\r\n$3\r\nSET\r\n$1\r\nk\r\n#" MALFORMED);
	REDIS("*3\r\n$4\r\nMGET\r\n$1\r\na\r\n:", "<a+>*2\r\n$4\r\nMGET\r\n$1\r\na\r\n#" MALFORMED);
	REDIS("*2\r\r", "#" MALFORMED);
}

/* What comes before the last key must fit; what is behind may be of any size. */
static void redis_long(void)
{
	static char stream[STREAM_MAX];
	int head = snprintf(stream, sizeof(stream), "*2\r\n$3\r\nGET\r\n$16354\r\n");
	size_t len = (size_t)head + 16354 + 2;

	memset(stream + head, 'x', 16354);
	memcpy(stream + head + 16354, "\r\n", 2);
	CHECK_EQ(len, PXS_REQUEST_HEAD_MAX - 7);
	CHECK(!feed(PXS_REQUEST_REDIS, stream, len, len, len));
	CHECK_EQ(seen_len, len + 16354 + 2);
	CHECK(!feed(PXS_REQUEST_REDIS, stream, len, 7, 1000));
	CHECK_EQ(seen_len, len + 16354 + 2);

	snprintf(stream, sizeof(stream), "*2\r\n$3\r\nGET\r\n$17000\r\n");
	memset(stream + head, 'x', 17000);
	CHECK(feed(PXS_REQUEST_REDIS, stream, 17100, 17100, 1));
	CHECK_STR(seen, "#-ERR Protocol error: paxsteer: too long before its last key\r\n");
	CHECK(feed(PXS_REQUEST_REDIS, stream, 17100, 7, 1000));
	CHECK_STR(seen, "#-ERR Protocol error: paxsteer: too long before its last key\r\n");

	head = snprintf(stream, sizeof(stream), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$40000\r\n");
	memset(stream + head, 'y', 40000);
	memcpy(stream + head + 40000, "\r\n", 2);
	CHECK(!feed(PXS_REQUEST_REDIS, stream, (size_t)head + 40002, 100, 977));
	CHECK_EQ(seen_len, (size_t)head + 40002 + 3);
}

#define FORMAT "CLIENT_ERROR bad command line format\r\n"

static void memcached_requests(void)
{
	MC("get a\r\nget b\n", "<a>get a\r\n<b>get b\r\n");
	MC("get a bc  d \r\ngets e f\r\n",
	   "<a+>get a\r\n<bc+>get bc\r\n<d>get d\r\n<e+>gets e\r\n<f>gets f\r\n");
	MC("set k 0 0 3\r\nabc\r\nget k\r\n", "<k>set k 0 0 3\r\nabc\r\n<k>get k\r\n");
	MC("set k 1 2 0\r\n\r\n", "<k>set k 1 2 0\r\n\r\n");
	MC("set k 1 2 1\r\n\r\r\n", "<k>set k 1 2 1\r\n\r\r\n");
	MC("set  k 0 0 2 noreply\r\n\r\n\r\nget k\r\n",
	   "<<k>set  k 0 0 2 \r\n\r\n\r\n<k>get k\r\n");
	MC("cas k 0 0 1 77 noreply\r\nx\r\n", "<<k>cas k 0 0 1 77 \r\nx\r\n");
	MC("delete k\r\ndelete k 0 noreply\r\nincr k 5\r\ntouch k 1\r\n",
	   "<k>delete k\r\n<<k>delete k 0 \r\n<k>incr k 5\r\n<k>touch k 1\r\n");
	/* memcached takes the word in small letters only, and would answer these. */
	MC("delete k 0 NOREPLY\r\n", "?" FORMAT);
	MC("gat 10 k\r\n", "<k>gat 10 k\r\n");
	MC("version\r\nget k\r\n", "!VERSION paxsteer\r\n<k>get k\r\n");
	MC("quit\r\nget k\r\n", "#");
}

static void memcached_refused(void)
{
	static const char no[] =
		"?SERVER_ERROR not a command with a key that can be steered by request\r\n";
	char want[200];

	snprintf(want, sizeof(want), "%s<k>get k\r\n", no);
	MC("stats items\r\nget k\r\n", want);
	MC("flush_all\r\nget k\r\n", want);
	MC("get\r\nget k\r\n", want);
	MC("gat 10 a b\r\nget k\r\n", "?" FORMAT "<k>get k\r\n");
	MC("incr k\r\nget k\r\n", "?" FORMAT "<k>get k\r\n");
	MC("set k\001 0 0 3\r\nget\r\nget k\r\n", "?" FORMAT "<k>get k\r\n");
	MC("mg k v\r\nget k\r\n", "#ERROR\r\n");
	MC("ms k 5\r\nhello\r\n", "#ERROR\r\n");
	MC("\x80\1\2\3\r\n", "#ERROR\r\n");
	MC("getttttttttttttttttt k\r\n", "#ERROR\r\n");
	MC("set k 0 0 x\r\n", "#" FORMAT);
	MC("set k 0 0 -1\r\n", "#" FORMAT);
	MC("set k 0 0 4294967299\r\n", "#" FORMAT);
	MC("set k 0 0 3 noreply more\r\n", "#" FORMAT);
	MC("get \r\n", "#" FORMAT);
	MC("get \n", "#" FORMAT);
	MC("gets \0\0a b \r\n", "#" FORMAT);
	MC("get a\rb\r\n", "#" FORMAT);
	MC("get a\tb\r\n", "#" FORMAT);
}

/* The end of a block is looked at before it is sent. */
static void memcached_chunk(void)
{
	size_t first;

	for (first = 1; first <= 21; first++) {
		static const char stream[] = "set k 0 0 3\r\nabcd\r\n\r\n";

		CHECK(feed(PXS_REQUEST_MEMCACHED, stream, 21, first, 1));
		CHECK(strstr(seen, "#CLIENT_ERROR bad data chunk\r\n"));
		CHECK(!strstr(seen, "abcd"));
	}
}

static void memcached_long(void)
{
	static char stream[STREAM_MAX];
	size_t n = 4, i;

	memcpy(stream, "get ", 4);
	for (i = 0; i < 3000; i++)
		n += (size_t)sprintf(stream + n, "key%zu ", i);
	n += (size_t)sprintf(stream + n, "\r\n");
	CHECK(!feed(PXS_REQUEST_MEMCACHED, stream, n, n, n));
	CHECK(strstr(seen, "<key0+>get key0\r\n<key1+>"));
	CHECK(strstr(seen, "<key2999>get key2999\r\n"));
	memset(stream + 4, 'k', 251);
	memcpy(stream + 255, "\r\n", 3);
	comes_as(PXS_REQUEST_MEMCACHED, stream, 257, "#" FORMAT);
	memcpy(stream + 254, "\r\n", 3);
	CHECK(!feed(PXS_REQUEST_MEMCACHED, stream, 256, 1, 1));
	memset(stream, ' ', 5000);
	memcpy(stream, "delete", 6);
	for (i = 1; i < 3000; i += 700) {
		CHECK(feed(PXS_REQUEST_MEMCACHED, stream, 5000, i, 700));
		CHECK_STR(seen, "#CLIENT_ERROR line too long\r\n");
	}
}

static void commands_are_in_order(void)
{
	const struct pxs_command *c;
	u32 i;

	for (i = 0; (c = pxs_command_at(i)); i++) {
		struct pxs_slice s = { (const u8 *)c->name, (u32)strlen(c->name) };

		CHECK_EQ(pxs_command_find(&s), i);
		CHECK(!i || strcmp(pxs_command_at(i - 1)->name, c->name) < 0);
		CHECK(!c->part == (c->shape < PXS_COMMAND_MGET || c->shape > PXS_COMMAND_MSET));
	}
	CHECK(i > 150 && i < 256);
}

/* Of a body, bytes are missing; between requests none are. */
static void knows_when_amid(void)
{
	static const char stream[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\nab\r\n";
	struct pxs_cutter c = { .proto = PXS_REQUEST_REDIS };
	struct pxs_cut cut;

	CHECK(!pxs_cutter_amid(&c));
	pxs_cut_next(&c, (const u8 *)stream, sizeof(stream) - 2, &cut);
	CHECK_EQ(cut.what, PXS_CUT_BEGIN);
	CHECK_EQ(cut.take, sizeof(stream) - 2);
	CHECK(pxs_cutter_amid(&c));
	pxs_cut_next(&c, (const u8 *)stream + cut.take, 1, &cut);
	CHECK_EQ(cut.what, PXS_CUT_BODY);
	CHECK(!pxs_cutter_amid(&c));
}

int main(void)
{
	RUN(redis_pipelined);
	RUN(redis_inline);
	RUN(redis_here);
	RUN(redis_refused);
	RUN(redis_keys);
	RUN(redis_split);
	RUN(redis_malformed);
	RUN(redis_long);
	RUN(memcached_requests);
	RUN(memcached_refused);
	RUN(memcached_chunk);
	RUN(memcached_long);
	RUN(commands_are_in_order);
	RUN(knows_when_amid);
	return unit_done();
}
