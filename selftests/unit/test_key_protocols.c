// SPDX-License-Identifier: GPL-2.0
/*
 * test_key_protocols.c - keys of DNS, Redis, HTTP and QUIC, and prefixes of sources
 *
 * Every payload lies in a buffer of its exact size, so that ASan sees one byte too far,
 * and is also cut at every byte: then it has the same key or none, never another one.
 */
#include "unit.h"
#include "key.h"

static const struct pxs_seed seed = { .k = { 0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull } };
static const struct pxs_flow_tuple v4 = {
	.family = PXS_FAMILY_V4, .proto = 17, .sport = 40000, .dport = 53,
	.saddr = { 10, 0, 0, 1 }, .daddr = { 10, 9, 9, 9 },
};

static struct pxs_key_spec spec;

static u64 hash_of(const void *bytes, u32 len, bool *fallback)
{
	u8 *copy = malloc(len);
	u64 hash = 0;

	if (len)
		memcpy(copy, bytes, len);
	*fallback = pxs_key_hash(&spec, &seed, &v4, copy, len, &hash);
	free(copy);
	return hash;
}

/* @request has @key (NULL: none); cut, from @whole bytes on it has it still, before none. */
static void expect_from(const void *request, u32 len, const void *key, u32 key_len, u32 whole)
{
	u64 flow = pxs_key_hash_tuple(&seed, &v4);
	u64 want = key ? pxs_key_hash_bytes(&seed, key, key_len) : flow;
	bool fallback;
	u32 cut;

	for (cut = 0; cut <= len; cut++) {
		bool there = key && cut >= whole;

		CHECK_EQ(hash_of(request, cut, &fallback), there ? want : flow);
		CHECK_EQ(fallback, !there);
	}
}

/* Text; the key is complete @behind bytes after its last occurrence in it, or with the end. */
static void expect(const char *request, const char *key)
{
	bool fallback;
	u64 hash = hash_of(request, (u32)strlen(request), &fallback);

	CHECK_EQ(fallback, !key);
	CHECK_EQ(hash, key ? pxs_key_hash_bytes(&seed, key, (u32)strlen(key)) :
		 pxs_key_hash_tuple(&seed, &v4));
	if (fallback != !key)
		NOTE("  request \"%s\"", request);
}

static void given(const char *text, const char *key)
{
	u64 hash = 0;
	const char *why = pxs_key_hash_given(&spec, &seed, text, (u32)strlen(text), &hash);

	CHECK_EQ(!why, !!key);
	if (key)
		CHECK_EQ(hash, pxs_key_hash_bytes(&seed, key, (u32)strlen(key)));
}

/* A query for @labels, each with its length in front, in wire form with the last 0. */
static u32 query(u8 *out, const char *labels, u32 len)
{
	static const u8 head[12] = { 0x12, 0x34, 0x01, 0, 0, 1 };

	memcpy(out, head, 12);
	memcpy(out + 12, labels, len);
	memcpy(out + 12 + len, "\0\x01\0\x01", 4);
	return 12 + len + 4;
}

static void dns_names(void)
{
	u8 q[600];
	u32 n;

	spec = (struct pxs_key_spec){ .rule = PXS_KEY_DNS };
	CHECK(!pxs_key_check(&spec));
	n = query(q, "\3www\7eXamPle\3ORG", 17);
	expect_from(q, n, "www.example.org", 15, 12 + 17);
	n = query(q, "", 1);
	expect_from(q, n, ".", 1, 13);
	n = query(q, "\1-\2\xff\x80", 6);
	expect_from(q, n, "-.\xff\x80", 4, 12 + 6);
	q[2] = 0x80;	/* an answer */
	expect_from(q, n, NULL, 0, 0);
	q[2] = 0;
	q[5] = 0;	/* no question */
	expect_from(q, n, NULL, 0, 0);
	q[5] = 2;
	expect_from(q, n, "-.\xff\x80", 4, 12 + 6);
	q[13 - 1] = 0xc0;	/* a pointer */
	expect_from(q, n, NULL, 0, 0);
	q[13 - 1] = 64;
	expect_from(q, n, NULL, 0, 0);
	given("www.Example.ORG.", "www.example.org");
	given("www.example.org", "www.example.org");
	given(".", ".");
}

/* 253 characters are a name, one more is none; nor are labels without end. */
static void dns_limits(void)
{
	char labels[600], text[300];
	u8 q[700];
	u32 i, n;

	for (i = 0; i < sizeof(labels); i++)
		labels[i] = i % 64 ? 'a' : 63;
	for (i = 0; i < sizeof(text); i++)
		text[i] = i % 64 == 63 ? '.' : 'a';
	labels[3 * 64] = 61;
	labels[3 * 64 + 62] = 0;
	n = query(q, labels, 3 * 64 + 63);
	expect_from(q, n, text, 253, 12 + 3 * 64 + 63);
	labels[3 * 64] = 62;
	labels[3 * 64 + 62] = 'a';
	labels[3 * 64 + 63] = 0;
	n = query(q, labels, 3 * 64 + 64);
	expect_from(q, n, NULL, 0, 0);
	labels[3 * 64] = 63;
	labels[3 * 64 + 63] = 'a';
	n = query(q, labels, sizeof(labels));
	expect_from(q, n, NULL, 0, 0);
	text[253] = 0;
	given(text, text);
	text[253] = 'a';
	text[254] = 0;
	given(text, NULL);
}

static void redis_arrays(void)
{
	static const char set[] = "*3\r\n$3\r\nSET\r\n$5\r\nfoo:1\r\n$3\r\nbar\r\n";

	spec = (struct pxs_key_spec){ .rule = PXS_KEY_REDIS };
	CHECK(!pxs_key_check(&spec));
	expect_from(set, sizeof(set) - 1, "foo:1", 5, 4 + 9 + 11);
	expect("*2\r\n$3\r\nGET\r\n$5\r\na b\r\n\r\n", "a b\r\n");
	expect("*2\r\n$6\r\nGETDEL\r\n$1\r\nk\r\n", "k");
	expect("*1\r\n$4\r\nPING\r\n", NULL);
	expect("*2\r\n$4\r\nping\r\n$1\r\nk\r\n", NULL);
	expect("*1\r\n$3\r\nGET\r\n", NULL);	/* promises no key */
	expect("*1\r\n$3\r\nGET\r\n$1\r\nk\r\n", NULL);
	expect("*2\r\n$3\r\nGET\r\n$0\r\n\r\n", NULL);
	expect("*2\r\n$3\r\nGET\r\n$-1\r\n", NULL);
	expect("*-1\r\n", NULL);
	expect("*0\r\n", NULL);
	expect("*\r\n", NULL);
	expect("*2\r\n$3\r\nGETx\n$1\r\nk\r\n", NULL);
	expect("*2\r\n$3\r\nGET\r\n$1\r\nkxx", NULL);
	expect("*2\r\n$3\r\nGET\r\n:1\r\n", NULL);
	expect("*2\r\n$9999999999\r\nGET\r\n$1\r\nk\r\n", NULL);
	expect("*2\r\n$4294967299\r\nGET\r\n$1\r\nk\r\n", NULL);
	expect("*2\r\n$3\r\nGET\r\n$999999999\r\nk\r\n", NULL);
	expect("+OK\r\n", NULL);
	expect("$3\r\nGET\r\n", NULL);
}

static void redis_commands(void)
{
	expect("*5\r\n$4\r\nEVAL\r\n$8\r\nreturn 1\r\n$1\r\n1\r\n$1\r\nk\r\n$1\r\nv\r\n", "k");
	expect("*4\r\n$5\r\nfcall\r\n$1\r\nf\r\n$1\r\n1\r\n$1\r\nk\r\n", "k");
	expect("*3\r\n$6\r\nObject\r\n$8\r\nENCODING\r\n$1\r\nk\r\n", "k");
	expect("*5\r\n$5\r\nBITOP\r\n$3\r\nAND\r\n$1\r\nd\r\n$1\r\na\r\n$1\r\nb\r\n", "d");
	expect("*6\r\n$5\r\nXREAD\r\n$5\r\nCOUNT\r\n$1\r\n2\r\n$7\r\nStreams\r\n$1\r\nk\r\n"
	       "$3\r\n0-0\r\n", "k");
	expect("*7\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$7\r\nstreams\r\n$2\r\nc1\r\n"
	       "$7\r\nSTREAMS\r\n$1\r\nk\r\n$1\r\n>\r\n", "k");
	expect("*4\r\n$10\r\nXREADGROUP\r\n$5\r\nGROUP\r\n$7\r\nstreams\r\n$2\r\nc1\r\n", NULL);
	expect("*3\r\n$5\r\nXREAD\r\n$5\r\nCOUNT\r\n$1\r\n2\r\n", NULL);
	expect("*4\r\n$6\r\nZUNION\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\nb\r\n", "a");
	expect("*3\r\n$11\r\nzunionstore\r\n$1\r\nk\r\n$1\r\n1\r\n", "k");
	/* a name as long as the longest that is listed, and one that begins like one */
	expect("*3\r\n$12\r\npunsubscribe\r\n$1\r\na\r\n$1\r\nb\r\n", NULL);
	expect("*3\r\n$13\r\npunsubscribex\r\n$1\r\na\r\n$1\r\nb\r\n", "a");
	expect("*3\r\n$3\r\npin\r\n$1\r\na\r\n$1\r\nb\r\n", "a");
}

static void redis_inline(void)
{
	expect("GET foo\r\n", "foo");
	expect("get  foo bar\r\n", "foo");
	expect("GET foo", NULL);
	expect("PING\r\n", NULL);
	expect("GET\r\nGET a\r\n", NULL);
	expect(" GET foo\r\n", NULL);
	expect("\x16\x03\x01\x02\n foo\r\n", NULL);
}

/* "A hash tag is what is between the first { and the first } behind it, if that is something." */
static void redis_tags(void)
{
	expect("GET {user1000}.following\r\n", "user1000");
	expect("GET foo{}{bar}\r\n", "foo{}{bar}");
	expect("GET foo{{bar}}zap\r\n", "{bar");
	expect("GET foo{bar}{zap}\r\n", "bar");
	expect("GET foo}bar{zap\r\n", "foo}bar{zap");
	expect("GET {a}\r\n", "a");
	expect("GET {}\r\n", "{}");
	expect("GET {\r\n", "{");
	given("{user1000}.followers", "user1000");
}

static void http_host(void)
{
	static const char req[] = "GET / HTTP/1.1\r\nA: b\r\nhost: ex.Org:80\r\n\r\n";

	spec = (struct pxs_key_spec){ .rule = PXS_KEY_HTTP_HOST };
	CHECK(!pxs_key_check(&spec));
	expect_from(req, sizeof(req) - 1, "ex.org", 6, sizeof(req) - 1 - 2);
	expect("GET / HTTP/1.1\nHost:\t ex.org. \n\n", "ex.org");
	expect("\r\nGET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "a");
	expect("GET / HTTP/1.1\r\n\r\nHost: a\r\n\r\n", NULL);
	expect("GET / HTTP/1.1\r\nXHost: a\r\n\r\n", NULL);
	expect("GET / HTTP/1.1\r\nHost : a\r\n\r\n", NULL);
	expect("GET / HTTP/1.1\r\nHost\r\n\r\n", NULL);
	expect("GET / HTTP/1.1\r\nHost:\r\n\r\n", NULL);
	expect("GET / HTTP/1.1\r\nHost: [2001:db8::1]\r\n\r\n", "[2001:db8::1]");
	expect("GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", "[2001:db8::1]");
	expect("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", NULL);
	expect("GET HTTP://u:1@Ex.org:81/x HTTP/1.1\r\n", "ex.org");
	expect("GET http://ex.org?q HTTP/1.1\r\n", "ex.org");
	expect("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", NULL);
	expect("CONNECT ex.org:443 HTTP/1.1\r\nHost: ex.org:443\r\n\r\n", "ex.org");
	expect("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", NULL);
	expect(" / HTTP/1.1\r\nHost: a\r\n\r\n", NULL);
	expect("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", NULL);
	expect("\r\n\r\n", NULL);
	given("Ex.Org:8080", "ex.org");
	given(":80", NULL);
}

static void http_path(void)
{
	static const char req[] = "GET /a/B?c=1 HTTP/1.1\r\nHost: ex.org\r\n\r\n";

	spec = (struct pxs_key_spec){ .rule = PXS_KEY_HTTP_PATH };
	CHECK(!pxs_key_check(&spec));
	expect_from(req, sizeof(req) - 1, "/a/B", 4, 13);
	expect("POST / HTTP/1.0\r\n", "/");
	expect("GET /#x HTTP/1.0\r\n", "/");
	expect("GET https://ex.org/a?b HTTP/1.1\r\n", "/a");
	expect("GET http://ex.org HTTP/1.1\r\n", "/");
	expect("GET http://ex.org?b HTTP/1.1\r\n", "/");
	expect("GET ftp://ex.org/x HTTP/1.1\r\n", NULL);
	expect("OPTIONS * HTTP/1.1\r\n", NULL);
	expect("CONNECT ex.org:443 HTTP/1.1\r\n", NULL);
	expect("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL);
	expect("GET /x\r\n", NULL);
	given("/a/B?c=2", "/a/B");
}

static void quic(void)
{
	static const u8 initial[] = { 0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9 };
	static const u8 shorter[] = { 0xc3, 0, 0, 0, 1, 3, 1, 2, 3, 4, 5, 6, 7, 8, 0, 9 };
	static const u8 later[] = { 0x43, 1, 2, 3, 4, 0xee, 0xee };
	u64 hash, want = 1;

	spec = (struct pxs_key_spec){ .rule = PXS_KEY_QUIC, .len = 4 };
	CHECK(!pxs_key_check(&spec));
	CHECK_EQ(pxs_key_peek(&spec), 10);
	expect_from(initial, sizeof(initial), "\1\2\3\4", 4, 10);
	expect_from(later, sizeof(later), "\1\2\3\4", 4, 5);
	expect_from(shorter, sizeof(shorter), NULL, 0, 0);
	CHECK(!pxs_key_hash_given(&spec, &seed, "\1\2\3\4\5", 5, &hash));
	CHECK(!pxs_key_hash_given(&spec, &seed, "\1\2\3\4", 4, &want));
	CHECK_EQ(hash, want);
	CHECK(pxs_key_hash_given(&spec, &seed, "\1\2\3", 3, &hash));
	spec.len = 20;
	CHECK(!pxs_key_check(&spec));
	spec.len = 21;
	CHECK(pxs_key_check(&spec));
	spec.len = 0;
	CHECK(pxs_key_check(&spec));
}

static void prefixes(void)
{
	struct pxs_flow_tuple t = v4, net = v4;
	u64 a, b;
	u32 bits, i;

	for (t.family = PXS_FAMILY_V4; t.family <= PXS_FAMILY_V6; t.family += 2) {
		u32 all = t.family == PXS_FAMILY_V4 ? 32 : 128;

		for (bits = 1; bits <= all; bits++) {
			spec = (struct pxs_key_spec){ .rule = PXS_KEY_SOURCE, .prefix = (u8)bits };
			CHECK(!pxs_key_check(&spec));
			CHECK_EQ(pxs_key_peek(&spec), 0);
			net.family = t.family;
			for (i = 0; i < all / 8; i++)
				t.saddr[i] = (u8)(17 * i + 0xa5);
			memset(net.saddr, 0, sizeof(net.saddr));
			for (i = 0; i < bits; i++)
				net.saddr[i / 8] |= t.saddr[i / 8] & (u8)(0x80 >> i % 8);
			CHECK(!pxs_key_hash(&spec, &seed, &t, NULL, 0, &a));
			CHECK_EQ(a, pxs_key_hash_source(&seed, &net));
			/* the last bit inside counts, the first one outside does not */
			t.saddr[(bits - 1) / 8] ^= (u8)(0x80 >> (bits - 1) % 8);
			pxs_key_hash(&spec, &seed, &t, NULL, 0, &b);
			CHECK(a != b);
			t.saddr[(bits - 1) / 8] ^= (u8)(0x80 >> (bits - 1) % 8);
			if (bits < all)
				t.saddr[bits / 8] ^= (u8)(0x80 >> bits % 8);
			pxs_key_hash(&spec, &seed, &t, NULL, 0, &b);
			CHECK_EQ(a, b);
		}
	}
	spec.prefix = 129;
	CHECK(pxs_key_check(&spec));
	spec.rule = PXS_KEY_TUPLE;
	spec.prefix = 8;
	CHECK(pxs_key_check(&spec));
}

int main(void)
{
	RUN(dns_names);
	RUN(dns_limits);
	RUN(redis_arrays);
	RUN(redis_commands);
	RUN(redis_inline);
	RUN(redis_tags);
	RUN(http_host);
	RUN(http_path);
	RUN(quic);
	RUN(prefixes);
	return unit_done();
}
