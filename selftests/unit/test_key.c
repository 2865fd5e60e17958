// SPDX-License-Identifier: GPL-2.0
/*
 * test_key.c - key rules on good, cut and hostile payloads
 *
 * Every payload lies in a buffer of its exact size, so that ASan sees one byte too far.
 */
#include "unit.h"
#include "key.h"

static const struct pxs_seed seed = { .k = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };
static const struct pxs_key_spec text_spec = { .rule = PXS_KEY_MEMCACHED };
static const struct pxs_key_spec frame_spec = { .rule = PXS_KEY_MEMCACHED, .frame = true };

static const struct pxs_flow_tuple v4 = {
	.family = PXS_FAMILY_V4, .proto = 17, .sport = 40000, .dport = 11211,
	.saddr = { 10, 0, 0, 1 }, .daddr = { 10, 9, 9, 9 },
};

/* Hash of @len bytes in an exact copy. Return: the hash, *fallback by the way. */
static u64 hash_of(const struct pxs_key_spec *spec, const struct pxs_flow_tuple *t,
		   const void *bytes, u32 len, bool *fallback)
{
	u8 *copy = malloc(len);
	u64 hash = 0;

	if (len)
		memcpy(copy, bytes, len);
	*fallback = pxs_key_hash(spec, &seed, t, copy, len, &hash);
	free(copy);
	return hash;
}

static u64 key_hash(const char *key)
{
	return pxs_key_hash_bytes(&seed, key, (u32)strlen(key));
}

/* @len bytes of @request must give @key, or fall back to the tuple where that is NULL. */
static void expect_bytes(const struct pxs_key_spec *spec, const void *request, u32 len,
			 const char *key)
{
	bool fallback;
	u64 hash = hash_of(spec, &v4, request, len, &fallback);

	CHECK_EQ(fallback, !key);
	CHECK_EQ(hash, key ? key_hash(key) : pxs_key_hash_tuple(&seed, &v4));
}

static void expect(const char *request, const char *key)
{
	expect_bytes(&text_spec, request, (u32)strlen(request), key);
}

static void text_commands(void)
{
	static const char *const plain[] = { "get", "gets", "delete", "touch", "incr", "decr",
					     "set", "add", "replace", "append", "prepend", "cas",
					     "mg", "ms", "md", "ma" };
	char line[128];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		snprintf(line, sizeof(line), "%s foo:1\r\n", plain[i]);
		expect(line, "foo:1");
		snprintf(line, sizeof(line), "%s foo:1 0 0 3\r\nbar\r\n", plain[i]);
		expect(line, "foo:1");
		snprintf(line, sizeof(line), "x%s foo:1\r\n", plain[i]);
		expect(line, NULL);
		snprintf(line, sizeof(line), "%sx foo:1\r\n", plain[i]);
		expect(line, NULL);
		snprintf(line, sizeof(line), "%s\r\n", plain[i]);
		expect(line, NULL);
	}
	expect("gat 100 foo:1 bar\r\n", "foo:1");
	expect("gats 0 foo:1\r\n", "foo:1");
	expect("gat 100\r\n", NULL);
	expect("get a b c\r\n", "a");
	expect("get   a\r\n", "a");
	expect("get a\n", "a");
	expect("get \r\n", NULL);
	expect("get \r\nget a\r\n", NULL);
	expect("GET a\r\n", NULL);
	expect(" get a\r\n", NULL);
	expect("stats items\r\n", NULL);
	expect("flush_all\r\n", NULL);
	expect("version\r\n", NULL);
	expect("mn\r\n", NULL);
	expect("ge a\r\n", NULL);
	expect("", NULL);
	expect("\r\n", NULL);
	expect("get", NULL);
	expect("get a", NULL);	/* the key may go on */
	expect("get a\tb\r\n", NULL);
	expect("get a\x7f\r\n", NULL);
	expect("get \xc3\xa9t\xc3\xa9\r\n", "\xc3\xa9t\xc3\xa9");
	expect_bytes(&text_spec, "get a\0b\r\n", 9, NULL);
}

static void key_limit(void)
{
	char line[600], key[300];
	u32 n;

	for (n = 1; n <= 256; n++) {
		memset(key, 'k', n);
		key[n] = 0;
		snprintf(line, sizeof(line), "get %s\r\n", key);
		expect(line, n <= 250 ? key : NULL);
	}
}

/* Cut at every byte, with and without what follows: the key or the tuple, never less of it. */
static void text_cut(void)
{
	static const char request[] = "gats 12345 some:key:1 other\r\n";
	const u32 whole = (u32)(strstr(request, " other") - request);
	u32 len;

	for (len = 0; len < sizeof(request); len++)
		expect_bytes(&text_spec, request, len, len > whole ? "some:key:1" : NULL);
}

static u32 binary(u8 *out, u8 opcode, u8 extras, const char *key, u32 value)
{
	u32 key_len = (u32)strlen(key), body = extras + key_len + value;

	memset(out, 0, 24 + body);
	out[0] = 0x80;
	out[1] = opcode;
	out[2] = (u8)(key_len >> 8);
	out[3] = (u8)key_len;
	out[4] = extras;
	out[8] = (u8)(body >> 24);
	out[9] = (u8)(body >> 16);
	out[10] = (u8)(body >> 8);
	out[11] = (u8)body;
	memcpy(out + 24 + extras, key, key_len);
	return 24 + body;
}

static void binary_commands(void)
{
	static const u8 keyed[] = { 0, 1, 2, 3, 4, 5, 6, 9, 0xc, 0xd, 0xe, 0xf, 0x11, 0x12, 0x13,
				    0x14, 0x15, 0x16, 0x19, 0x1a, 0x1c, 0x1d, 0x1e, 0x23, 0x24 };
	u32 op, i, len;
	u8 req[1024];
	bool has_key;

	for (op = 0; op < 256; op++) {
		for (has_key = false, i = 0; i < ARRAY_SIZE(keyed); i++)
			has_key |= keyed[i] == op;
		len = binary(req, (u8)op, 8, "foo:1", 10);
		expect_bytes(&text_spec, req, len, has_key ? "foo:1" : NULL);
	}
}

static void binary_cut_and_lies(void)
{
	u8 req[1024];
	u32 len, n = binary(req, 1, 8, "foo:1", 10);

	for (len = 0; len <= n; len++)
		expect_bytes(&text_spec, req, len, len >= 24 + 8 + 5 ? "foo:1" : NULL);
	req[0] = 0x81;	/* a response */
	expect_bytes(&text_spec, req, n, NULL);
	req[0] = 0x80;
	req[11] = 12;	/* body shorter than extras and key */
	expect_bytes(&text_spec, req, n, NULL);
	req[11] = 13;
	expect_bytes(&text_spec, req, n, "foo:1");
	req[8] = 0xff;	/* body longer than the datagram: the key is still there */
	expect_bytes(&text_spec, req, n, "foo:1");
	req[3] = 0;	/* no key */
	expect_bytes(&text_spec, req, n, NULL);
	req[2] = 0xff;
	req[3] = 0xff;
	expect_bytes(&text_spec, req, n, NULL);
	n = binary(req, 0, 255, "foo:1", 0);	/* odd, but in reach */
	expect_bytes(&text_spec, req, n, "foo:1");
	expect_bytes(&text_spec, req, n - 1, NULL);
}

static void udp_frame(void)
{
	u8 req[1024] = { 0x12, 0x34, 0, 0, 0, 1, 0, 0 };
	static const char line[] = "get foo:1\r\n";
	u32 n = 8 + sizeof(line) - 1, len;

	memcpy(req + 8, line, sizeof(line));
	for (len = 0; len <= n; len++)
		expect_bytes(&frame_spec, req, len, len > n - 2 ? "foo:1" : NULL);
	expect_bytes(&text_spec, req, n, NULL);		/* a frame where none is due */
	expect_bytes(&frame_spec, line, sizeof(line) - 1, NULL);
	req[0] = 0xff;					/* any request id */
	expect_bytes(&frame_spec, req, n, "foo:1");
	req[5] = 2;					/* of two datagrams */
	expect_bytes(&frame_spec, req, n, NULL);
	req[5] = 1;
	n = 8 + binary(req + 8, 0, 0, "foo:1", 0);
	expect_bytes(&frame_spec, req, n, "foo:1");
}

static void payload_rule(void)
{
	struct pxs_key_spec spec = { .rule = PXS_KEY_PAYLOAD, .offset = 3, .len = 4 };
	u32 len;

	for (len = 0; len < 12; len++)
		expect_bytes(&spec, "xyzKEY1tail...", len, len >= 7 ? "KEY1" : NULL);
	spec.offset = 508;
	CHECK(!pxs_key_check(&spec));
	CHECK_EQ(pxs_key_peek(&spec), 512);
	spec.offset = 509;
	CHECK(pxs_key_check(&spec));
	spec.offset = 65535;
	CHECK(pxs_key_check(&spec));
	spec.offset = 0;
	spec.len = 0;
	CHECK(pxs_key_check(&spec));
	spec.len = 251;
	CHECK(pxs_key_check(&spec));
	spec.len = 250;
	CHECK(!pxs_key_check(&spec));
	spec.rule = PXS_KEY_TUPLE;
	CHECK(pxs_key_check(&spec));
	spec.len = 0;
	CHECK(!pxs_key_check(&spec));
	CHECK_EQ(pxs_key_peek(&spec), 0);
	spec.rule = 0;
	CHECK(pxs_key_check(&spec));
	spec.rule = PXS_KEY_QUIC + 1;
	CHECK(pxs_key_check(&spec));
}

/* Rules that find other keys are other words, in a table's digest. */
static void words(void)
{
	static const struct pxs_key_spec specs[] = {
		{ .rule = PXS_KEY_SOURCE }, { .rule = PXS_KEY_SOURCE, .prefix = 24 },
		{ .rule = PXS_KEY_TUPLE }, { .rule = PXS_KEY_PAYLOAD, .len = 4 },
		{ .rule = PXS_KEY_PAYLOAD, .len = 5 },
		{ .rule = PXS_KEY_PAYLOAD, .offset = 4, .len = 4 },
		{ .rule = PXS_KEY_QUIC, .len = 4 },
	};
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(specs); i++)
		for (j = 0; j < i; j++)
			CHECK(pxs_key_word(&specs[i]) != pxs_key_word(&specs[j]));
}

/* A director that pulled more than the promised bytes computes the same. */
static void peek_is_enough(void)
{
	u8 req[2000];
	bool fa, fb;
	u32 at;

	memset(req, ' ', sizeof(req));
	memcpy(req, "get", 3);
	for (at = 4; at < 600; at++) {
		memset(req + 3, ' ', sizeof(req) - 3);
		memcpy(req + at, "foo:1\r\n", 7);
		CHECK_EQ(hash_of(&text_spec, &v4, req, sizeof(req), &fa),
			 hash_of(&text_spec, &v4, req, PXS_KEY_PEEK_MAX, &fb));
		CHECK_EQ(fa, fb);
		CHECK_EQ(fa, at + 5 >= PXS_KEY_PEEK_MAX);
	}
}

/* The source rule looks at nothing else; the tuple rule looks at everything. */
static void tuple_and_source(void)
{
	struct pxs_flow_tuple t = v4, x = v4;
	u64 src = pxs_key_hash_source(&seed, &v4), tup = pxs_key_hash_tuple(&seed, &v4);
	u32 i;

	x.sport++;
	CHECK_EQ(pxs_key_hash_source(&seed, &x), src);
	CHECK(pxs_key_hash_tuple(&seed, &x) != tup);
	x = v4;
	x.dport++;
	CHECK_EQ(pxs_key_hash_source(&seed, &x), src);
	CHECK(pxs_key_hash_tuple(&seed, &x) != tup);
	x = v4;
	x.proto = 6;
	CHECK_EQ(pxs_key_hash_source(&seed, &x), src);
	CHECK(pxs_key_hash_tuple(&seed, &x) != tup);
	for (t.family = PXS_FAMILY_V4; t.family <= PXS_FAMILY_V6; t.family += 2) {
		src = pxs_key_hash_source(&seed, &t);
		tup = pxs_key_hash_tuple(&seed, &t);
		for (i = 0; i < (t.family == PXS_FAMILY_V4 ? 4 : 16); i++) {
			x = t;
			x.saddr[i] ^= 0x10;
			CHECK(pxs_key_hash_source(&seed, &x) != src);
			CHECK(pxs_key_hash_tuple(&seed, &x) != tup);
			x = t;
			x.daddr[i] ^= 0x10;
			CHECK_EQ(pxs_key_hash_source(&seed, &x), src);
			CHECK(pxs_key_hash_tuple(&seed, &x) != tup);
		}
	}
	/* source and destination are not symmetrical */
	x = v4;
	memcpy(x.saddr, v4.daddr, 16);
	memcpy(x.daddr, v4.saddr, 16);
	CHECK(pxs_key_hash_tuple(&seed, &x) != pxs_key_hash_tuple(&seed, &v4));
}

/* A tuple is hashed as these bytes, in two steps. */
static void tuple_bytes(void)
{
	static const u8 four[] = "\3\x11\xcb\x2b\x0a\x09\x09\x09\x0a\0\0\1\x40\x9c";
	struct pxs_flow_tuple six = {
		.family = PXS_FAMILY_V6, .proto = 6, .sport = 0x0102, .dport = 0x0304,
	};
	u8 bytes[42] = { 4, 6, 4, 3 };
	u32 i;

	CHECK_EQ(pxs_key_hash_tuple(&seed, &v4), pxs_siphash13(&seed, four, 14));
	for (i = 0; i < 16; i++) {
		bytes[8 + i] = (u8)(0x20 + i);
		bytes[24 + i] = (u8)(0x40 + i);
	}
	memcpy(six.daddr, bytes + 8, 16);
	memcpy(six.saddr, bytes + 24, 16);
	bytes[40] = 2;
	bytes[41] = 1;
	CHECK_EQ(pxs_key_hash_tuple(&seed, &six), pxs_siphash13(&seed, bytes, sizeof(bytes)));
}

/* The same bytes as IPv4, as IPv6 and as a key are three different things. */
static void domains(void)
{
	struct pxs_flow_tuple six = v4;
	u64 h[6];
	u32 i, j;

	six.family = PXS_FAMILY_V6;
	h[0] = pxs_key_hash_source(&seed, &v4);
	h[1] = pxs_key_hash_source(&seed, &six);
	h[2] = pxs_key_hash_tuple(&seed, &v4);
	h[3] = pxs_key_hash_tuple(&seed, &six);
	h[4] = pxs_key_hash_bytes(&seed, v4.saddr, 4);
	h[5] = pxs_key_hash_bytes(&seed, v4.saddr, 16);
	for (i = 0; i < 6; i++)
		for (j = 0; j < i; j++)
			CHECK(h[i] != h[j]);
	/* a key that spells what the source rule hashes for an IPv4 address */
	CHECK(pxs_key_hash_bytes(&seed, "\1\0\0\0\0\0\0\0\x0a\0\0\1\0\0\0\0", 16) != h[0]);
	CHECK(pxs_siphash13(&seed, "\1\0\0\0\0\0\0\0\x0a\0\0\1\0\0\0\0", 16) == h[0]);
}

/* Directors of different make must agree for ever: pinned. */
static void golden(void)
{
	struct pxs_flow_tuple six = v4;

	six.family = PXS_FAMILY_V6;
	CHECK_EQ(pxs_key_hash_source(&seed, &v4), 0x9dfbdc39b4f39e03ull);
	CHECK_EQ(pxs_key_hash_source(&seed, &six), 0x2d1c9eeeb7628d62ull);
	CHECK_EQ(pxs_key_hash_tuple(&seed, &v4), 0xe91cb3126a1f37b7ull);
	CHECK_EQ(pxs_key_hash_tuple(&seed, &six), 0x863dd9369713c197ull);
	CHECK_EQ(key_hash("foo:1"), 0x49c8facfad79be46ull);
}

/* Noise, and good requests with noise in them, at every length: only ASan is the judge. */
static void hostile(void)
{
	static const char *const start[] = { "get ", "gat ", "set foo 0 0 1\r\nx\r\n", "\x80", "" };
	struct pxs_key_spec spec = { 0 };
	u64 state = 12345, hash;
	u32 round, len, i, keys = 0;
	bool fallback;
	u8 *req;

	for (round = 0; round < 60000; round++) {
		const char *s = start[round % ARRAY_SIZE(start)];
		u32 n = (u32)strlen(s), at;

		len = (u32)(unit_random(&state) % 600);
		req = malloc(len);
		for (i = 0; i < len; i++)
			req[i] = (u8)(unit_random(&state) >> 32);
		if (round % 3 == 0)	/* small numbers and blanks are what parsers trip over */
			for (i = 0; i < len; i++)
				req[i] = " \r\n\0\1ab\xff"[req[i] % 8];
		spec.rule = round % 4 ? PXS_KEY_MEMCACHED : PXS_KEY_PAYLOAD;
		spec.frame = round & 1;
		spec.offset = spec.rule == PXS_KEY_PAYLOAD ? round % 400 : 0;
		spec.len = spec.rule == PXS_KEY_PAYLOAD ? 1 + round % 112 : 0;
		at = spec.frame ? 8 : 0;
		if (len >= at)
			memcpy(req + at, s, min(n, len - at));
		if (spec.frame && len >= 8)
			memcpy(req, "\0\0\0\0\0\1\0", 8);
		fallback = pxs_key_hash(&spec, &seed, &v4, req, len, &hash);
		CHECK(!fallback || hash == pxs_key_hash_tuple(&seed, &v4));
		keys += !fallback;
		free(req);
	}
	NOTE("%u of 60000 had a key", keys);
	CHECK(keys > 1000);
	CHECK(pxs_key_hash(&text_spec, &seed, &v4, NULL, 0, &hash));
}

int main(void)
{
	RUN(text_commands);
	RUN(key_limit);
	RUN(text_cut);
	RUN(binary_commands);
	RUN(binary_cut_and_lies);
	RUN(udp_frame);
	RUN(payload_rule);
	RUN(words);
	RUN(peek_is_enough);
	RUN(tuple_and_source);
	RUN(tuple_bytes);
	RUN(domains);
	RUN(golden);
	RUN(hostile);
	return unit_done();
}
