// SPDX-License-Identifier: GPL-2.0
/*
 * test_parse.c - words of the command line to values: what is taken, and what is refused
 */
#include "cli/parse.h"
#include "unit.h"

static void numbers(void)
{
	uint64_t v = 7;

	CHECK(!parse_u64("0", 0, 10, &v) && v == 0);
	CHECK(!parse_u64("10", 0, 10, &v) && v == 10);
	CHECK(!parse_u64("0xfF", 0, 255, &v) && v == 255);
	CHECK(!parse_u64("18446744073709551615", 0, UINT64_MAX, &v) && v == UINT64_MAX);
	CHECK(!parse_u64("0xffffffffffffffff", 0, UINT64_MAX, &v) && v == UINT64_MAX);
	v = 7;
	CHECK(parse_u64("11", 0, 10, &v));
	CHECK(parse_u64("0", 1, 10, &v));
	CHECK(parse_u64("18446744073709551616", 0, UINT64_MAX, &v));
	CHECK(parse_u64("0x10000000000000000", 0, UINT64_MAX, &v));
	CHECK(parse_u64("", 0, 10, &v));
	CHECK(parse_u64("0x", 0, 10, &v));
	CHECK(parse_u64("-1", 0, UINT64_MAX, &v));
	CHECK(parse_u64("+1", 0, 10, &v));
	CHECK(parse_u64(" 1", 0, 10, &v));
	CHECK(parse_u64("1 ", 0, 10, &v));
	CHECK(parse_u64("1a", 0, 1000, &v));
	CHECK_EQ(v, 7);		/* a refusal leaves the result alone */
}

static void endpoint_is(const char *word, bool need_port, const char *back)
{
	char buf[PARSE_ENDPOINT_LEN];
	struct endpoint ep;

	CHECK_FATAL(!parse_endpoint(word, need_port, &ep));
	CHECK_STR(format_endpoint(buf, &ep), back);
}

static void endpoints(void)
{
	static const char *const bad[] = {
		"", ":", ":53", "1.2.3.4", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:-1",
		"1.2.3.4:0x35", "1.2.3.4:053", "1.2.3:53", "1.2.3.4.5:53", "256.1.1.1:53",
		"1.2.3.4:53 ", " 1.2.3.4:53", "1.2.3.4:53:1", "::1:53", "[::1]", "[::1]53",
		"[::1]:", "[::1:53", "[1.2.3.4]:53", "[]:53", "[fe80::1%eth0]:53", "localhost:53",
		"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:53",
		"999999999999999999999999999999999999999999999999999999:53",
	};
	struct endpoint ep = { .port = 99 };
	size_t i;

	endpoint_is("192.0.2.1:53", true, "192.0.2.1:53");
	endpoint_is("0.0.0.0:65535", true, "0.0.0.0:65535");
	endpoint_is("[2001:db8::1]:53", true, "[2001:db8::1]:53");
	endpoint_is("[::ffff:1.2.3.4]:1", true, "[::ffff:1.2.3.4]:1");
	endpoint_is("192.0.2.1", false, "192.0.2.1");
	endpoint_is("2001:db8::1", false, "2001:db8::1");
	endpoint_is("[2001:db8::1]", false, "2001:db8::1");
	endpoint_is("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535", true,
		    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(parse_endpoint(bad[i], true, &ep)))
			NOTE("taken: \"%s\"", bad[i]);
	CHECK_EQ(ep.port, 99);
	CHECK(parse_endpoint("1.2.3.4:", false, &ep));
	CHECK(parse_endpoint("[::1]:", false, &ep));
}

static void hex(void)
{
	uint8_t buf[4] = { 0 };
	char text[9];
	size_t len;

	CHECK(!parse_hex("01aBfF00", buf, 4));
	CHECK_STR(format_hex(text, buf, 4), "01abff00");
	CHECK(parse_hex("01abff0", buf, 4));
	CHECK(parse_hex("01abff0000", buf, 4));
	CHECK(parse_hex("01abfg00", buf, 4));
	CHECK(parse_hex("", buf, 4));
	CHECK(!parse_hex_any("ff", buf, 4, &len) && len == 1);
	CHECK(!parse_hex_any("01020304", buf, 4, &len) && len == 4);
	CHECK(parse_hex_any("0102030405", buf, 4, &len));
	CHECK(parse_hex_any("0", buf, 4, &len));
	CHECK(parse_hex_any("", buf, 4, &len));
	CHECK(parse_hex_any("0x01", buf, 4, &len));
}

static void uuids(void)
{
	static const char good[] = "01234567-89ab-cdef-0123-456789abcdef";
	uint8_t uuid[16];
	char text[37];

	CHECK(!parse_uuid(good, uuid));
	CHECK_STR(format_uuid(text, uuid), good);
	CHECK(!parse_uuid("0123456789ABCDEF0123456789abcdef", uuid));
	CHECK_STR(format_uuid(text, uuid), good);
	CHECK(parse_uuid("", uuid));
	CHECK(parse_uuid("01234567-89ab-cdef-0123-456789abcde", uuid));
	CHECK(parse_uuid("01234567-89ab-cdef-0123-456789abcdefa", uuid));
	CHECK(parse_uuid("0123456-789ab-cdef-0123-456789abcdef", uuid));
	CHECK(parse_uuid("01234567-89ab-cdef-0123-456789abcdeg", uuid));
}

static void caps(void)
{
	uint64_t v = 0;

	CHECK(!parse_permille("20", &v) && v == 20);
	CHECK(!parse_permille("0", &v) && v == 0);
	CHECK(!parse_permille("1000", &v) && v == 1000);
	CHECK(!parse_permille("2%", &v) && v == 20);
	CHECK(!parse_permille("2.5%", &v) && v == 25);
	CHECK(!parse_permille("100%", &v) && v == 1000);
	CHECK(!parse_permille("100.0%", &v) && v == 1000);
	CHECK(parse_permille("1001", &v));
	CHECK(parse_permille("100.1%", &v));
	CHECK(parse_permille("101%", &v));
	CHECK(parse_permille("2.55%", &v));
	CHECK(parse_permille("2.%", &v));
	CHECK(parse_permille(".5%", &v));
	CHECK(parse_permille("%", &v));
	CHECK(parse_permille("", &v));
	CHECK(parse_permille("2.5", &v));
	CHECK(parse_permille("-2%", &v));
	CHECK(parse_permille("000000000000000000002%", &v));
	CHECK_EQ(v, 1000);
}

static void seconds(void)
{
	static const char *const bad[] = { "", ".", "1.", ".5", "0.0999", "0.099", "1.2345",
		"1.2.3", "0x1", "1.0x1", "-1", "+1", " 1", "1s", "86400.001", "4294967296",
		"99999999999999999999", "1e3", "0", "0.0" };
	uint64_t ms = 0;
	size_t i;

	CHECK(!parse_seconds("1", 100, 86400000, &ms) && ms == 1000);
	CHECK(!parse_seconds("0.1", 100, 86400000, &ms) && ms == 100);
	CHECK(!parse_seconds("2.05", 100, 86400000, &ms) && ms == 2050);
	CHECK(!parse_seconds("0.125", 100, 86400000, &ms) && ms == 125);
	CHECK(!parse_seconds("86400.000", 100, 86400000, &ms) && ms == 86400000);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(parse_seconds(bad[i], 100, 86400000, &ms)))
			NOTE("taken: \"%s\"", bad[i]);
	CHECK_EQ(ms, 86400000);
}

static void spans(void)
{
	uint16_t offset = 1, len = 2;

	CHECK(!parse_span("0:4", &offset, &len) && offset == 0 && len == 4);
	CHECK(!parse_span("65535:65535", &offset, &len) && offset == 65535 && len == 65535);
	CHECK(parse_span("65536:1", &offset, &len));
	CHECK(parse_span("1:65536", &offset, &len));
	CHECK(parse_span(":1", &offset, &len));
	CHECK(parse_span("1:", &offset, &len));
	CHECK(parse_span("1", &offset, &len));
	CHECK(parse_span("1:2:3", &offset, &len));
	CHECK(parse_span("000000000000001:1", &offset, &len));
	CHECK_EQ(offset, 65535);
}

static void words_of_enums(void)
{
	static const char *const names[] = { NULL, "up", NULL, "down" };
	uint64_t v = 0;

	CHECK(!parse_name("up", names, 4, &v) && v == 1);
	CHECK(!parse_name("down", names, 4, &v) && v == 3);
	CHECK(parse_name("u", names, 4, &v));	/* keywords are not abbreviated */
	CHECK(parse_name("UP", names, 4, &v));
	CHECK(parse_name("", names, 4, &v));
}

static void keys(void)
{
	static const char digits[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
	uint8_t key[32], raw[66];
	int i;

	CHECK(!parse_key((const uint8_t *)digits, 64, key) && key[31] == 0x1f);
	CHECK(!parse_key((const uint8_t *)digits, 65, key) && key[1] == 1);
	/* Bytes that look like digits are still bytes. */
	CHECK(!parse_key((const uint8_t *)digits, 32, key) && key[0] == '0');
	for (i = 0; i < 66; i++)
		if (i != 32 && i != 64 && i != 65)
			CHECK(parse_key((const uint8_t *)digits, (size_t)i, key));
	memcpy(raw, digits, 65);
	raw[65] = '\n';
	CHECK(parse_key(raw, 66, key));
	raw[10] = '\0';
	CHECK(parse_key(raw, 64, key));
	raw[10] = 'x';
	CHECK(parse_key(raw, 64, key));
}

static void lines(void)
{
	char a[] = "  service add 'a b' \"\" x\"y z\"w # comment \n";
	char b[] = "# all of it\n", c[] = "", d[] = "say 'no end", e[] = "1 2 3 4", f[] = "a#b";
	char *w[8];

	CHECK_EQ(parse_words(a, w, 8), 5);
	CHECK_STR(w[0], "service");
	CHECK_STR(w[2], "a b");
	CHECK_STR(w[3], "");
	CHECK_STR(w[4], "xy zw");
	CHECK_EQ(parse_words(b, w, 8), 0);
	CHECK_EQ(parse_words(c, w, 8), 0);
	CHECK(parse_words(d, w, 8) < 0);
	CHECK(parse_words(e, w, 3) < 0);
	CHECK_EQ(parse_words(f, w, 8), 1);
	CHECK_STR(w[0], "a#b");
}

/* Random words of an alphabet that hits the grammar's joints: nothing may crash or read beyond. */
static void noise(void)
{
	static const char alphabet[] = "0123456789abcdefxX:.[]%-/ \"'#\n";
	uint64_t state = 0x9e3779b97f4a7c15ULL, v;
	int round, taken = 0;

	NOTE("seed 0x%llx", (unsigned long long)state);
	for (round = 0; round < 300000; round++) {
		char *word, *words[4];
		struct endpoint ep;
		uint16_t o, l;
		uint8_t buf[32];
		size_t len, i;

		state = state * 6364136223846793005ULL + 1442695040888963407ULL;
		len = state >> 33 & 15;
		word = malloc(len + 1);		/* exact, so that ASan sees one byte too far */
		for (i = 0; i < len; i++) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			word[i] = alphabet[(state >> 33) % (sizeof(alphabet) - 1)];
		}
		word[len] = '\0';
		taken += !parse_u64(word, 0, UINT64_MAX, &v);
		taken += !parse_endpoint(word, false, &ep);
		taken += !parse_endpoint(word, true, &ep);
		taken += !parse_permille(word, &v);
		taken += !parse_seconds(word, 0, UINT64_MAX, &v);
		taken += !parse_span(word, &o, &l);
		taken += !parse_uuid(word, buf);
		taken += !parse_hex_any(word, buf, sizeof(buf), &i);
		taken += !parse_key((uint8_t *)word, len, buf);
		taken += parse_words(word, words, 4) > 0;
		free(word);
	}
	CHECK(taken > 1000);
}

int main(void)
{
	RUN(numbers);
	RUN(endpoints);
	RUN(hex);
	RUN(uuids);
	RUN(caps);
	RUN(seconds);
	RUN(spans);
	RUN(words_of_enums);
	RUN(keys);
	RUN(lines);
	RUN(noise);
	return unit_done();
}
