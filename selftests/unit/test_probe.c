// SPDX-License-Identifier: GPL-2.0
/*
 * test_probe.c - what checks send, and which answers are good
 *
 * Every answer is judged whole and in each of its beginnings, as a stream brings it: a verdict
 * must hold for all longer ones.
 */
#include "../../agent/probe.h"
#include "unit.h"

static struct pxs_probe_conf conf;
static struct pxs_probe probe;

static void ask(const struct pxs_probe_kind *kind)
{
	memset(&conf, 0, sizeof(conf));
	conf.kind = kind;
	strcpy(conf.path, "/");
	conf.status_min = 200;
	conf.status_max = 399;
	strcpy(conf.name, ".");
	conf.rcode = PXS_PROBE_ANY_RCODE;
	probe = (struct pxs_probe){ .conf = &conf, .at = "10.0.0.1:80", .id = 0xabcd };
	probe.datagram = kind->udp;
}

static u32 request_len(void)
{
	u8 buf[PXS_PROBE_REQUEST_MAX];

	return conf.kind->request(&probe, buf);
}

static void sends(const char *want, u32 len)
{
	u8 buf[PXS_PROBE_REQUEST_MAX];
	u32 n = conf.kind->request(&probe, buf);

	CHECK_EQ(n, len);
	CHECK(n == len && !memcmp(buf, want, len));
}

#define SENDS(text) sends(text, sizeof(text) - 1)

static enum pxs_probe_verdict judge(const void *answer, u32 len, char *why)
{
	/* Exactly as long, so that a byte too far is seen. */
	u8 *copy = malloc(len ?: 1);
	enum pxs_probe_verdict v;

	memcpy(copy, answer, len);
	*why = 0;
	v = conf.kind->judge(&probe, copy, len, why);
	free(copy);
	return v;
}

/* @why: NULL for good, "" for more. */
static void answers(const char *answer, u32 len, const char *want)
{
	char why[PXS_HEALTH_REASON_MAX + 1];
	enum pxs_probe_verdict v = PXS_PROBE_MORE, now;
	u32 n;

	for (n = probe.datagram ? len : 0; n <= len; n++) {
		now = judge(answer, n, why);
		CHECK(v == PXS_PROBE_MORE || v == now);
		v = now;
	}
	CHECK_EQ(v, !want ? PXS_PROBE_GOOD : *want ? PXS_PROBE_BAD : PXS_PROBE_MORE);
	if (want)
		CHECK_STR(why, want);
}

#define GOOD(text)	answers(text, sizeof(text) - 1, NULL)
#define MORE(text)	answers(text, sizeof(text) - 1, "")
#define BAD(text, why)	answers(text, sizeof(text) - 1, why)

static void tcp(void)
{
	ask(&pxs_probe_tcp);
	SENDS("");
	CHECK(pxs_probe_kind("tcp") == &pxs_probe_tcp);
	CHECK(pxs_probe_kind("dns") == &pxs_probe_dns);
	CHECK(!pxs_probe_kind("icmp"));
}

static void http(void)
{
	ask(&pxs_probe_http);
	SENDS("GET / HTTP/1.1\r\nHost: 10.0.0.1:80\r\nUser-Agent: paxsteerd\r\n"
	      "Accept: */*\r\nConnection: close\r\n\r\n");
	strcpy(conf.path, "/health?x");
	strcpy(conf.host, "www.example.org");
	SENDS("GET /health?x HTTP/1.1\r\nHost: www.example.org\r\nUser-Agent: paxsteerd\r\n"
	      "Accept: */*\r\nConnection: close\r\n\r\n");
	memset(conf.path, '/', PXS_PROBE_WORD_MAX);
	memset(conf.host, 'h', PXS_PROBE_WORD_MAX);
	CHECK(request_len() < PXS_PROBE_REQUEST_MAX);
	GOOD("HTTP/1.1 200 OK\r\nServer: x\r\n\r\n");
	GOOD("HTTP/1.0 399\r\n");
	GOOD("HTTP/1.0 204\n");
	MORE("");
	MORE("HTTP/1.1 200");
	BAD("HTTP/1.1 400 Bad Request\r\n", "http: status: 400");
	BAD("HTTP/1.1 199 \r\n", "http: status: 199");
	BAD("HTTP/1.1 503 Service Unavailable\r\n", "http: status: 503");
	BAD("HTTP/2 200\r\n", "http: not an answer: HTTP/2 200");
	BAD("HTTP/1.1 2000\r\n", "http: not an answer: HTTP/1.1 2000");
	BAD("HTTP/1.x 200\r\n", "http: not an answer: HTTP/1.x 200");
	BAD("HTTP/1.1  200\r\n", "http: not an answer: HTTP/1.1  200");
	BAD("\x15\x03\x01\0\x02", "http: not an answer: ?????");
	BAD("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 and something very long behind it\r\n",
	    "http: not an answer: SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3 and");
	conf.status_min = 503;
	conf.status_max = 503;
	GOOD("HTTP/1.1 503 \r\n");
	BAD("HTTP/1.1 200 OK\r\n", "http: status: 200");
}

static void memcached(void)
{
	ask(&pxs_probe_memcached);
	SENDS("version\r\n");
	GOOD("VERSION 1.6.18\r\n");
	MORE("VERSIO");
	BAD("ERROR\r\n", "memcached: not a version: ERROR");
	probe.datagram = true;
	SENDS("\xab\xcd\0\0\0\1\0\0version\r\n");
	GOOD("\xab\xcd\0\0\0\1\0\0VERSION 1.6.18\r\n");
	MORE("");
	MORE("\xab\xcd\0\0\0\1\0");
	MORE("\xab\xce\0\0\0\1\0\0VERSION 1.6.18\r\n");
	MORE("\xac\xcd\0\0\0\1\0\0VERSION 1.6.18\r\n");
	BAD("\xab\xcd\0\0\0\1\0\0VERS", "memcached: not a version: VERS");
	BAD("\xab\xcd\0\0\0\1\0\0", "memcached: not a version");
}

static void redis(void)
{
	ask(&pxs_probe_redis);
	SENDS("*1\r\n$4\r\nPING\r\n");
	GOOD("+PONG\r\n");
	MORE("+PONG\r");
	BAD("+PONGS\r\n", "redis: PING: +PONGS");
	BAD("-LOADING Redis is loading the dataset in memory\r\n",
	    "redis: PING: -LOADING Redis is loading the dataset in memory");
	BAD("-NOAUTH Authentication required.\r\n",
	    "redis: PING: -NOAUTH Authentication required.");
	conf.noauth_good = true;
	GOOD("-NOAUTH Authentication required.\r\n");
	BAD("-NOPERM this user\r\n", "redis: PING: -NOPERM this user");
}

static void redis_password(void)
{
	ask(&pxs_probe_redis);
	strcpy(conf.password, "se cret");
	SENDS("*2\r\n$4\r\nAUTH\r\n$7\r\nse cret\r\n*1\r\n$4\r\nPING\r\n");
	strcpy(conf.user, "probe");
	SENDS("*3\r\n$4\r\nAUTH\r\n$5\r\nprobe\r\n$7\r\nse cret\r\n*1\r\n$4\r\nPING\r\n");
	GOOD("+OK\r\n+PONG\r\n");
	MORE("+OK\r\n");
	BAD("+PONG\r\n", "redis: AUTH: +PONG");
	BAD("-WRONGPASS invalid username-password pair\r\n", "redis: AUTH: -WRONGPASS");
	/* What quotes the password must not get into a reason. */
	BAD("-ERR unknown command 'AUTH', with args beginning with: 'se cret'\r\n",
	    "redis: AUTH: -ERR");
	BAD("+OK\r\n-ERR no\r\n", "redis: PING: -ERR no");
	memset(conf.user, 'x', PXS_PROBE_WORD_MAX);
	memset(conf.password, 'x', PXS_PROBE_WORD_MAX);
	CHECK(request_len() < PXS_PROBE_REQUEST_MAX);
}

static void dns(void)
{
	ask(&pxs_probe_dns);
	SENDS("\xab\xcd\1\0\0\1\0\0\0\0\0\0\0\0\1\0\1");
	strcpy(conf.name, "www.Example.org");
	SENDS("\xab\xcd\1\0\0\1\0\0\0\0\0\0\3www\7Example\3org\0\0\1\0\1");
	strcat(conf.name, ".");
	SENDS("\xab\xcd\1\0\0\1\0\0\0\0\0\0\3www\7Example\3org\0\0\1\0\1");
	/* Any rcode, case of the name as the server likes it. */
	GOOD("\xab\xcd\x81\x80\0\1\0\1\0\0\0\0\3www\7eXample\3org\0\0\1\0\1\xc0\x0c\0\1\0\1");
	GOOD("\xab\xcd\x81\x83\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1");
	GOOD("\xab\xcd\x81\x05\0\0\0\0\0\0\0\0");
	/* To another question. */
	MORE("\xab\xce\x81\x80\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1");
	MORE("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3www\7examplf\3org\0\0\1\0\1");
	MORE("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\2");
	MORE("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0");
	MORE("\xab\xcd\x81\x80\0\1\0\0\0\0\0");
	/* A question, not an answer. */
	MORE("\xab\xcd\x01\x00\0\1\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1");
	BAD("\xab\xcd\x81\x80\0\2\0\0\0\0\0\0\3www\7example\3org\0\0\1\0\1",
	    "dns: malformed answer");
	BAD("\xab\xcd\xa1\x80\0\0\0\0\0\0\0\0", "dns: malformed answer");
	conf.rcode = 0;
	GOOD("\xab\xcd\x81\x80\0\0\0\0\0\0\0\0");
	BAD("\xab\xcd\x81\x82\0\0\0\0\0\0\0\0", "dns: rcode: 2");
	BAD("\xab\xcd\x81\x8f\0\0\0\0\0\0\0\0", "dns: rcode: 15");
}

static void dns_names(void)
{
	char name[PXS_PROBE_WORD_MAX + 2];

	CHECK(pxs_probe_dns_name("."));
	CHECK(pxs_probe_dns_name("a"));
	CHECK(pxs_probe_dns_name("a.b."));
	CHECK(!pxs_probe_dns_name(""));
	CHECK(!pxs_probe_dns_name(".."));
	CHECK(!pxs_probe_dns_name(".a"));
	CHECK(!pxs_probe_dns_name("a..b"));
	memset(name, 'a', sizeof(name));
	name[63] = 0;
	CHECK(pxs_probe_dns_name(name));
	name[63] = 'a';
	name[64] = 0;
	CHECK(!pxs_probe_dns_name(name));
	/* 3 labels of 63 and one of 61: 253 in all, which is the most. */
	memset(name, 'a', sizeof(name));
	name[63] = '.';
	name[127] = '.';
	name[191] = '.';
	name[253] = 0;
	CHECK(pxs_probe_dns_name(name));
	ask(&pxs_probe_dns);
	strcpy(conf.name, name);
	CHECK_EQ(request_len(), 12 + 255 + 4);
	name[253] = 'a';
	name[254] = 0;
	CHECK(!pxs_probe_dns_name(name));
}

int main(void)
{
	RUN(tcp);
	RUN(http);
	RUN(memcached);
	RUN(redis);
	RUN(redis_password);
	RUN(dns);
	RUN(dns_names);
	return unit_done();
}
