// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_request.c - requests of a client and replies of a backend, both strangers
 *
 * Input: what it is, how it is cut into reads, what is outstanding (2 bytes), the stream. What
 * comes of the stream must be the same when it is read at once.
 */
#include "fuzz.h"
#include "order.h"

#define OUT_MAX	(256 * 1024)

/* What was made of a stream: bytes that go on, and marks between them. */
struct said {
	u8 *bytes;
	size_t n;
	size_t begun;		/* of n, before what was sent of the last request */
	u32 requests;
	bool ended;
};

static void say(struct said *said, const void *p, size_t n)
{
	FUZZ_CHECK(said->n + n <= OUT_MAX);
	if (n)
		memcpy(said->bytes + said->n, p, n);
	said->n += n;
}

static void say_text(struct said *said, const char *text)
{
	if (text)
		say(said, text, strlen(text));
}

static void say_cut(struct said *said, struct pxs_cut *cut, const u8 *p)
{
	u32 keys = cut->keys, n = 0;
	struct pxs_slice key;

	FUZZ_CHECK(cut->from + cut->len <= cut->take);
	if (cut->what == PXS_CUT_BEGIN) {
		say(said, "\n<", 2);
		say(said, cut->key.p, cut->key.len);
		while (pxs_cut_key(cut, p, &key)) {
			n++;
			say(said, "|", 1);
			say(said, key.p, key.len);
		}
		FUZZ_CHECK(n == keys);
		say(said, cut->last ? ">" : "+", 1);
		said->begun = said->n;
		said->requests++;
	}
	say_text(said, cut->text);
	say_text(said, cut->before);
	if (cut->what == PXS_CUT_BEGIN || cut->what == PXS_CUT_BODY)
		say(said, p + cut->from, cut->len);
	say_text(said, cut->after);
}

/* @step bytes at a time; each read is a copy of its own size. */
static void cut_stream(u8 proto, const u8 *p, size_t len, size_t step, struct said *said)
{
	struct pxs_cutter c = { .proto = proto };
	size_t from = 0, to = 0;
	struct pxs_cut cut;
	bool amid;
	u8 *copy;

	while (to < len && !said->ended) {
		to = min(len, to + step);
		do {
			copy = malloc(to - from);
			memcpy(copy, p + from, to - from);
			amid = pxs_cutter_amid(&c);
			pxs_cut_next(&c, copy, (u32)(to - from), &cut);
			/* How much of it went on before it proved bad is for the reads to say. */
			if (cut.what == PXS_CUT_BAD && amid)
				said->n = said->begun;
			say_cut(said, &cut, copy);
			free(copy);
			from += cut.take;
			FUZZ_CHECK(from <= to);
			said->ended = cut.what == PXS_CUT_BAD || cut.what == PXS_CUT_QUIT;
			FUZZ_CHECK(cut.what == PXS_CUT_MORE || said->ended || cut.take);
			FUZZ_CHECK(cut.what != PXS_CUT_MORE || to - from < PXS_REQUEST_HEAD_MAX);
		} while (cut.what != PXS_CUT_MORE && !said->ended && from < to);
	}
}

static void push_all(struct pxs_order *o, u8 reply, u8 use)
{
	struct pxs_cut cut = { .reply = reply, .use = use, .parts = 3 };
	u32 i;

	for (i = 0; i < 12; i++) {
		cut.first = use < PXS_USE_VALUES || i % 3 == 0;
		cut.last = use < PXS_USE_VALUES || i % 3 == 2;
		pxs_order_push(o, o, NULL, &cut);
	}
}

static void reply_stream(u8 reply, u8 use, const u8 *p, size_t len, size_t step, struct said *said)
{
	static struct pxs_outstanding ring[PXS_ORDER_MAX];
	struct pxs_order o = { .ring = ring };
	size_t from = 0, to = 0;
	struct pxs_emit emit;
	u8 *copy;

	push_all(&o, reply, use);
	while (to < len && !said->ended) {
		to = min(len, to + step);
		do {
			copy = malloc(to - from + !(to - from));
			memcpy(copy, p + from, to - from);
			pxs_order_step(&o, copy, (u32)(to - from), &emit);
			FUZZ_CHECK(emit.pass_from + emit.pass <= emit.take);
			FUZZ_CHECK(emit.take <= to - from);
			FUZZ_CHECK(emit.text_len <= sizeof(emit.text));
			say(said, copy + emit.pass_from, emit.pass);
			say(said, emit.text, emit.text_len);
			say_text(said, emit.words);
			free(copy);
			from += emit.take;
			said->requests += emit.done;
			said->ended = emit.bad || !pxs_order_head(&o);
			if (!emit.bad && !emit.take && !emit.text_len && !emit.words)
				break;
		} while (!said->ended);
		FUZZ_CHECK(to - from < PXS_REQUEST_HEAD_MAX || said->ended);
	}
	/* Whatever came, each that is outstanding can be answered, or the client is given up. */
	while (pxs_order_head(&o)) {
		pxs_order_fail(&o, "-lost\r\n", &emit);
		if (emit.stuck)
			break;
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static u8 whole_bytes[OUT_MAX], cut_bytes[OUT_MAX];
	struct said whole = { .bytes = whole_bytes }, cut = { .bytes = cut_bytes };
	struct input in = { data, size };
	u8 what = take8(&in) % 3, step = take8(&in), use = take8(&in) % (PXS_USE_OK + 1);
	u8 reply = use == PXS_USE_VALUES ? PXS_REPLY_VALUES :
		   use > PXS_USE_VALUES ? PXS_REPLY_RESP : take8(&in) % 3;

	if (in.n > 20000)
		return 0;
	if (what < 2) {
		cut_stream(what + 1, in.p, in.n, in.n, &whole);
		cut_stream(what + 1, in.p, in.n, step + 1u, &cut);
	} else {
		reply_stream(reply, use, in.p, in.n, in.n, &whole);
		reply_stream(reply, use, in.p, in.n, step + 1u, &cut);
	}
	FUZZ_CHECK(whole.n == cut.n && !memcmp(whole.bytes, cut.bytes, whole.n));
	FUZZ_CHECK(whole.requests == cut.requests && whole.ended == cut.ended);
	return 0;
}
