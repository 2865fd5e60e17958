// SPDX-License-Identifier: GPL-2.0
/*
 * traffic.c - a client that knows what it sent and who answered
 *
 *	traffic [OPTIONS] { udp | tcp } VIP:PORT
 *
 *	-n N      requests (udp) or connections (tcp); 1
 *	-k FILE   keys, one a line: request i carries key i (udp); answers are named by them
 *	-o N      N bytes before the key          -s N  fill the request up to N bytes
 *	-m        memcached: "get KEY" in a frame of its UDP protocol
 *	-d        a DNS query for the name KEY, its case different each time
 *	-q        QUIC packets for connection KEY, long and short headers in turn
 *	-b ADDR   bind to this address, for example 10.0.0.1:0; of several, socket i to i
 *	-f        each request from a new socket: named by its address and port
 *	-N        send without checksum           -G  all in sends of 16 by UDP_SEGMENT
 *	-l        load: go on until SIGTERM       -H  hold all connections, ping until SIGTERM
 *	-t MS     how long an answer may take (30000)
 *
 * Prints "NAME BACKEND" for each answer, NAME being the key or the client's ADDR:PORT.
 * Every answer must come from VIP:PORT and repeat the request. Nothing is sent twice.
 * With -l it prints "running" after the first answer, with -H "held N" once all are
 * there; both end with "sent N answered N lost N bad N".
 * Exit status 1 when an answer was lost or bad; when datagrams (-n) were waited for a minute
 * in all, the rest is not sent.
 */
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "endpoint.h"

#define KEYS_MAX 100000
/* What a packet of IPv4 holds. */
#define SIZE_MAX_UDP 65507
#define GSO_BATCH 16
#define HOLD_MAX 2000
#define BINDS_MAX 16

#ifndef SO_NO_CHECK
#define SO_NO_CHECK 11
#endif
#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

#define PATIENCE 60000	/* ms, for all that is lost of a number of datagrams */

static struct {
	int count, offset, timeout;
	size_t size;
	bool memcached, dns, quic, flows, nocheck, gso, load, hold;
	struct endpoint target, bind[BINDS_MAX];
	char *keys[KEYS_MAX];
	int nkeys, nbinds;
} opt = { .count = 1, .timeout = 30000 };

static unsigned long sent, answered, lost, bad;

/* SIGTERM is blocked, so that it interrupts no request, and asked for between them. */
static bool ended(void)
{
	sigset_t set;

	return !sigpending(&set) && sigismember(&set, SIGTERM) == 1;
}

/* Somebody waits for the load to be there before it changes anything. */
static void say_running(void)
{
	if (!opt.load || answered != 1)
		return;
	printf("running\n");
	fflush(stdout);
}

static void say_bad(const char *name, const char *why)
{
	bad++;
	if (bad <= 10)
		fprintf(stderr, "%s: %s\n", name, why);
}

static void read_keys(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[512];

	if (!f)
		program_error(path);
	while (opt.nkeys < KEYS_MAX && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		opt.keys[opt.nkeys++] = strdup(line);
	}
	fclose(f);
}

static int open_socket(int type)
{
	int fd = socket(opt.target.sa.sa_family, type, 0), one = 1;
	const struct endpoint *at;
	static int n;

	if (fd < 0)
		program_error("socket");
	at = opt.nbinds ? &opt.bind[n++ % opt.nbinds] : NULL;
	if (at && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		program_error("SO_REUSEADDR");
	if (at && bind(fd, &at->sa, at->len))
		program_error("bind");
	if (opt.nocheck && setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)))
		program_error("SO_NO_CHECK");
	return fd;
}

static void put_id(char *buf, int i)
{
	buf[0] = (char)(i >> 8);
	buf[1] = (char)i;
}

/* Each label with its length in front; as resolvers do, letters in either case. */
static size_t dns_query(int i, const char *name, char *buf)
{
	size_t n = 12, label;

	memset(buf, 0, 12);
	put_id(buf, i);
	buf[5] = 1;
	while (*name) {
		label = strcspn(name, ".");
		buf[n++] = (char)label;
		for (; label; label--, n++, name++)
			buf[n] = (char)((n + (size_t)i) % 3 ? tolower(*name) : toupper(*name));
		name += *name == '.';
	}
	memcpy(buf + n, "\0\0\1\0\1", 5);
	return n + 5;
}

/* A long header with its length and something behind the id, or a short one without. */
static size_t quic_packet(int i, const char *id, char *buf)
{
	size_t n = 1;

	buf[0] = i % 2 ? 0x40 : (char)0xc0;
	if (i % 2 == 0) {
		memcpy(buf + n, "\0\0\0\1", 4);
		buf[n + 4] = (char)strlen(id);
		n += 5;
	}
	return n + (size_t)sprintf(buf + n, "%s#%d#", id, i);
}

/* The request with number i into buf. Return: its length. */
static size_t request(int i, char *buf)
{
	const char *key = opt.nkeys ? opt.keys[i % opt.nkeys] : "";
	size_t n = 0;

	if (opt.dns) {
		n = dns_query(i, key, buf);
	} else if (opt.quic) {
		n = quic_packet(i, key, buf);
	} else if (opt.memcached) {
		memset(buf, 0, 8);
		put_id(buf, i);
		buf[5] = 1;
		n = 8 + (size_t)sprintf(buf + 8, "get %s\r\n", key);
	} else {
		memset(buf, '.', (size_t)opt.offset);
		n = (size_t)opt.offset + (size_t)sprintf(buf + opt.offset, "%s#%d#", key, i);
	}
	if (n < opt.size) {
		memset(buf + n, 'x', opt.size - n);
		n = opt.size;
	}
	return n;
}

static bool readable(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void local_name(int fd, char name[ENDPOINT_TEXT])
{
	struct endpoint me = { .len = sizeof(me.in6) };

	getsockname(fd, &me.sa, &me.len);
	endpoint_text(&me, name);
}

/* So many were lost that the rest need not be waited for, too. */
static bool spent(void)
{
	return lost * (unsigned long)opt.timeout >= PATIENCE;
}

/* One answer, which must be to request i. Return: whether it is. */
static bool answer(int fd, int i)
{
	static char buf[ENDPOINT_TEXT + 65536], want[65536];
	struct endpoint from = { .len = sizeof(from.in6) };
	char name[512], text[ENDPOINT_TEXT];
	size_t len = request(i, want);
	char *bar;
	ssize_t n;

	snprintf(name, sizeof(name), "%s", opt.nkeys ? opt.keys[i % opt.nkeys] : "");
	if (opt.flows || !opt.nkeys)
		local_name(fd, name);
	if (!readable(fd, opt.timeout)) {
		lost++;
		if (lost <= 10)
			fprintf(stderr, "%s: no answer\n", name);
		return false;
	}
	n = recvfrom(fd, buf, sizeof(buf), 0, &from.sa, &from.len);
	if (n < 0) {
		say_bad(name, strerror(errno));
		return false;
	}
	answered++;
	say_running();
	bar = memchr(buf, '|', (size_t)n);
	if (!endpoint_same(&from, &opt.target))
		say_bad(name, endpoint_text(&from, text));
	else if (!bar || (size_t)(buf + n - bar - 1) != len || memcmp(bar + 1, want, len))
		say_bad(name, "the answer does not repeat the request");
	else if (!opt.load)
		printf("%s %.*s\n", name, (int)(bar - buf), buf);
	return true;
}

static void run_udp(void)
{
	static char buf[65536];
	int fd = -1, i;
	size_t len;

	for (i = 0; !ended() && (opt.load || (i < opt.count && !spent())); i++) {
		if (fd < 0 || opt.flows) {
			if (fd >= 0)
				close(fd);
			fd = open_socket(SOCK_DGRAM);
			/* Its name needs an address: connecting chooses one. */
			if (opt.flows && connect(fd, &opt.target.sa, opt.target.len))
				program_error("connect");
		}
		len = request(i, buf);
		sent++;
		if ((opt.flows ? send(fd, buf, len, 0) :
		     sendto(fd, buf, len, 0, &opt.target.sa, opt.target.len)) < 0) {
			say_bad("send", strerror(errno));
			continue;
		}
		if (!answer(fd, i) && opt.load) {
			/* A late answer would be taken for the next one. */
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0)
		close(fd);
}

/* Answers of one batch, in whatever order they come: told apart by the number they repeat. */
static void answers_gso(int fd, int first, int n, size_t len)
{
	static char buf[ENDPOINT_TEXT + 65536], want[65536];
	bool have[GSO_BATCH] = { false };
	int got, i;
	ssize_t r;
	char *bar, *hash;

	for (got = 0; got < n && readable(fd, opt.timeout); got++) {
		r = recv(fd, buf, sizeof(buf) - 1, 0);
		buf[r < 0 ? 0 : r] = '\0';
		bar = strchr(buf, '|');
		hash = bar ? strchr(bar, '#') : NULL;
		i = hash ? atoi(hash + 1) - first : -1;
		if (i < 0 || i >= n || have[i] || (size_t)(buf + r - bar - 1) != len ||
		    request(first + i, want) != len || memcmp(bar + 1, want, len)) {
			say_bad("batch", "an answer does not repeat its request");
			continue;
		}
		have[i] = true;
		answered++;
		printf("%s %.*s\n", opt.keys[(first + i) % opt.nkeys], (int)(bar - buf), buf);
	}
	lost += (unsigned long)(n - got);
}

static void run_gso(void)
{
	int fd = open_socket(SOCK_DGRAM), seg = (int)opt.size, first, i;
	static char buf[65536];

	if (!opt.size || opt.size * GSO_BATCH > SIZE_MAX_UDP || !opt.nkeys) {
		fprintf(stderr, "traffic: -G needs -s and -k\n");
		exit(2);
	}
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &seg, sizeof(seg)))
		program_error("UDP_SEGMENT");
	for (first = 0; first + GSO_BATCH <= opt.count; first += GSO_BATCH) {
		for (i = 0; i < GSO_BATCH; i++)
			request(first + i, buf + (size_t)i * opt.size);
		sent += GSO_BATCH;
		if (sendto(fd, buf, opt.size * GSO_BATCH, 0, &opt.target.sa, opt.target.len) < 0)
			program_error("sendto");
		answers_gso(fd, first, GSO_BATCH, opt.size);
	}
	close(fd);
}

/* Read one line, bounded by the time-out. Return: its length without the end, or -1. */
static int read_line(int fd, char *line, size_t room)
{
	size_t n = 0;
	ssize_t r;

	while (n + 1 < room) {
		if (!readable(fd, opt.timeout))
			return -1;
		r = recv(fd, line + n, 1, 0);
		if (r <= 0)
			return -1;
		if (line[n] == '\n') {
			line[n] = '\0';
			return (int)n;
		}
		n++;
	}
	return -1;
}

static bool ping(int fd)
{
	static const char word[] = "ping\n";
	char line[16];

	if (send(fd, word, sizeof(word) - 1, MSG_NOSIGNAL) != sizeof(word) - 1)
		return false;
	return read_line(fd, line, sizeof(line)) == 4 && !memcmp(line, word, 4);
}

/* Return: the connection, greeted and once pinged, or -1. */
static int connection(void)
{
	struct timeval tv = { opt.timeout / 1000, opt.timeout % 1000 * 1000 };
	char name[ENDPOINT_TEXT], backend[ENDPOINT_TEXT];
	int fd = open_socket(SOCK_STREAM), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	sent++;
	if (connect(fd, &opt.target.sa, opt.target.len)) {
		say_bad("connect", strerror(errno));
		goto out;
	}
	local_name(fd, name);
	if (read_line(fd, backend, sizeof(backend)) < 0 || !ping(fd)) {
		lost++;
		fprintf(stderr, "%s: no answer\n", name);
		goto out;
	}
	answered++;
	say_running();
	if (!opt.load) {
		printf("%s %s\n", name, backend);
		fflush(stdout);
	}
	return fd;
out:
	close(fd);
	return -1;
}

static void run_tcp(void)
{
	static int held[HOLD_MAX];
	int n = 0, i, fd;

	for (i = 0; !ended() && (opt.load || i < opt.count); i++) {
		fd = connection();
		if (fd >= 0 && opt.hold && n < HOLD_MAX)
			held[n++] = fd;
		else if (fd >= 0)
			close(fd);
	}
	if (!opt.hold)
		return;
	printf("held %d\n", n);
	fflush(stdout);
	while (!ended()) {
		for (i = 0; i < n && !ended(); i++) {
			sent++;
			if (ping(held[i]))
				answered++;
			else
				say_bad("held connection", "no echo");
		}
		poll(NULL, 0, 50);
	}
}

static bool parse_flag(int c)
{
	switch (c) {
	case 'm':
		return opt.memcached = true;
	case 'd':
		return opt.dns = true;
	case 'q':
		return opt.quic = true;
	case 'f':
		return opt.flows = true;
	case 'N':
		return opt.nocheck = true;
	case 'G':
		return opt.gso = true;
	case 'l':
		return opt.load = true;
	case 'H':
		return opt.hold = true;
	default:
		return false;
	}
}

static bool parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:k:o:s:mdqb:fNGlHt:")) != -1) {
		switch (c) {
		case 'n':
			opt.count = atoi(optarg);
			break;
		case 'k':
			read_keys(optarg);
			break;
		case 'o':
			opt.offset = atoi(optarg);
			break;
		case 's':
			opt.size = (size_t)atoi(optarg);
			break;
		case 'b':
			if (opt.nbinds == BINDS_MAX ||
			    !endpoint_parse(optarg, &opt.bind[opt.nbinds++]))
				return false;
			break;
		case 't':
			opt.timeout = atoi(optarg);
			break;
		default:
			if (!parse_flag(c))
				return false;
			break;
		}
	}
	return argc - optind == 2 && endpoint_parse(argv[optind + 1], &opt.target) &&
	       opt.offset >= 0 && opt.offset < 1024 && opt.size <= SIZE_MAX_UDP;
}

int main(int argc, char **argv)
{
	sigset_t term;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (!parse(argc, argv)) {
		fprintf(stderr, "usage: traffic [OPTIONS] { udp | tcp } VIP:PORT\n");
		return 2;
	}
	if (!strcmp(argv[optind], "tcp"))
		run_tcp();
	else if (opt.gso)
		run_gso();
	else
		run_udp();
	if (opt.load || opt.hold)
		printf("sent %lu answered %lu lost %lu bad %lu\n", sent, answered, lost, bad);
	return lost || bad || !sent ? 1 : 0;
}
