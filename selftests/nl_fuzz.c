// SPDX-License-Identifier: GPL-2.0
/*
 * nl_fuzz.c - malformed netlink messages against the family "paxsteer"
 *
 *	nl_fuzz SEED MESSAGES
 *
 * Takes good requests of every command and breaks them: bits, lengths, types, order,
 * nests, flags. One in four stays whole, so that there is state to break. Names, ids and
 * addresses are its own ("fuzz..."): objects called "keep..." and groups above 2^30 must
 * be there unchanged afterwards. Each message must be answered by an error, an ack or
 * the end of a dump. Prints a summary; exit status 1 when an answer did not come.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/paxsteer.h>

#define FIELDS_MAX 16
#define MESSAGE_MAX 65536
#define BODY (NLMSG_HDRLEN + GENL_HDRLEN)

struct field {
	uint16_t type, len;
	const void *data;
};

struct request {
	uint8_t cmd;
	uint16_t flags;
	struct field field[FIELDS_MAX];
};

#define B(t, ...) { PXS_A_##t, sizeof((uint8_t[]){ __VA_ARGS__ }), (uint8_t[]){ __VA_ARGS__ } }
#define S(t, text) { PXS_A_##t, sizeof(text), text }
#define U32(n) (n) & 255, (n) >> 8 & 255, (n) >> 16 & 255, (n) >> 24 & 255
#define U64(n) U32(n), 0, 0, 0, 0
#define ID B(GROUP_ID, U32(7))
#define EPOCH { PXS_A_GROUP_ATTACH_EPOCH, sizeof(epoch), &epoch }
#define J_EPOCH { PXS_A_JOURNAL_ATTACH_EPOCH, sizeof(epoch), &epoch }
/* Nested attributes of a member, as they lie in a message. */
#define MEMBER(id) { PXS_A_GROUP_MEMBER | NLA_F_NESTED, 36, (uint8_t[]){ \
	5, 0, PXS_A_MEMBER_ID, 0, id, 0, 0, 0, \
	12, 0, PXS_A_MEMBER_INCARNATION, 0, id, 0, 0, 0, 0, 0, 0, 0, \
	8, 0, PXS_A_MEMBER_ADDR, 0, 127, 0, 0, 1, \
	6, 0, PXS_A_MEMBER_PORT, 0, 0x1d, id, 0, 0 } }

static const uint8_t zeros[64];
/* What the last JOURNAL_ATTACH gave: the agent's requests go on with it. */
static uint64_t epoch;

/* A socket that listens, to be given as a backend, and its name. */
static uint32_t listener;
static uint64_t cookie;

static const struct request good[] = {
	{ PXS_CMD_SERVICE_ADD, 0, { S(SERVICE_NAME, "fuzz1"), B(SERVICE_PROTO, 17),
	  B(SERVICE_ADDR, 192, 0, 2, 77), B(SERVICE_PORT, 0, 53), B(SERVICE_MODE, 1),
	  B(SERVICE_FILL, 1), B(SERVICE_KEY, 3), B(SERVICE_KEY_OFFSET, 4, 0),
	  B(SERVICE_KEY_LEN, 4, 0), { PXS_A_SERVICE_SEED, 16, zeros },
	  B(SERVICE_ROWS, U32(256)), B(SERVICE_CAP, 20, 0) } },
	{ PXS_CMD_SERVICE_ADD, 0, { S(SERVICE_NAME, "fuzz2"), B(SERVICE_PROTO, 6),
	  B(SERVICE_ADDR, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7),
	  B(SERVICE_PORT, 0, 80), B(SERVICE_MODE, 2), B(SERVICE_FILL, 2),
	  B(SERVICE_ROWS, U32(251)) } },
	{ PXS_CMD_SERVICE_SET, 0, { S(SERVICE_NAME, "fuzz1"), B(SERVICE_FILL, 1),
	  B(SERVICE_KEY, 2), B(SERVICE_ROWS, U32(512)), B(SERVICE_CAP, 100, 0) } },
	{ PXS_CMD_SERVICE_DEL, 0, { S(SERVICE_NAME, "fuzz2") } },
	{ PXS_CMD_SERVICE_GET, 0, { S(SERVICE_NAME, "fuzz1") } },
	{ PXS_CMD_SERVICE_GET, NLM_F_DUMP, { { 0 } } },
	{ PXS_CMD_BACKEND_ADD, 0, { S(BACKEND_SERVICE, "fuzz1"), B(BACKEND_ADDR, 10, 9, 9, 1),
	  B(BACKEND_PORT, 0, 53), B(BACKEND_ID, U64(99)), B(BACKEND_WEIGHT, U32(3)),
	  B(BACKEND_STATE, 1) } },
	{ PXS_CMD_BACKEND_ADD, 0, { S(BACKEND_SERVICE, "fuzz1"), B(BACKEND_ADDR, 10, 9, 9, 2),
	  B(BACKEND_PORT, 0, 53) } },
	{ PXS_CMD_BACKEND_SET, 0, { S(BACKEND_SERVICE, "fuzz1"), B(BACKEND_ADDR, 10, 9, 9, 1),
	  B(BACKEND_PORT, 0, 53), B(BACKEND_WEIGHT, U32(5)), B(BACKEND_STATE, 2) } },
	{ PXS_CMD_BACKEND_DEL, 0, { S(BACKEND_SERVICE, "fuzz1"), B(BACKEND_ADDR, 10, 9, 9, 2),
	  B(BACKEND_PORT, 0, 53) } },
	{ PXS_CMD_BACKEND_ADD, 0, { S(BACKEND_SERVICE, "fuzz2"),
	  { PXS_A_BACKEND_FD, sizeof(listener), &listener }, B(BACKEND_WEIGHT, U32(3)) } },
	{ PXS_CMD_BACKEND_DEL, 0, { S(BACKEND_SERVICE, "fuzz2"),
	  { PXS_A_BACKEND_SOCKET, sizeof(cookie), &cookie } } },
	{ PXS_CMD_SERVICE_SET, 0, { S(SERVICE_NAME, "fuzz2"), B(SERVICE_PASSIVE_FAILS, 3, 0),
	  B(SERVICE_PASSIVE_SECONDS, 1, 0) } },
	{ PXS_CMD_BACKEND_GET, NLM_F_DUMP, { S(BACKEND_SERVICE, "fuzz1") } },
	{ PXS_CMD_TABLE_GET, 0, { S(TABLE_SERVICE, "fuzz1"), B(TABLE_FIRST_ROW, U32(0)) } },
	{ PXS_CMD_LOOKUP, 0, { S(LOOKUP_SERVICE, "fuzz1"), B(LOOKUP_KEY, 'a', 'b', 'c', 'd') } },
	{ PXS_CMD_LOOKUP, 0, { S(LOOKUP_SERVICE, "fuzz1"), B(LOOKUP_SADDR, 1, 2, 3, 4),
	  B(LOOKUP_SPORT, 4, 5) } },
	{ PXS_CMD_STATS_GET, NLM_F_DUMP, { { 0 } } },
	{ PXS_CMD_GROUP_ADD, 0, { ID, { PXS_A_GROUP_CLUSTER, 16, zeros },
	  { PXS_A_GROUP_KEY, 32, zeros }, B(GROUP_KEY_ID, 1), B(GROUP_EPOCH, U64(1)),
	  B(GROUP_SELF, 1), B(GROUP_WINDOW, U32(64)), B(GROUP_HEARTBEAT_MS, U32(100)),
	  B(GROUP_ELECTION_MS, U32(1000)), B(GROUP_DURABILITY, 1),
	  B(GROUP_LEASE_DRIFT, U32(100)), B(GROUP_PHASE1, 3), B(GROUP_PHASE2, 1),
	  MEMBER(1), MEMBER(2), MEMBER(3) } },
	{ PXS_CMD_GROUP_SET, 0, { ID, { PXS_A_GROUP_KEY, 32, zeros }, B(GROUP_KEY_ID, 1),
	  { PXS_A_GROUP_ALSO_KEY, 32, zeros }, B(GROUP_ALSO_KEY_ID, 2) } },
	{ PXS_CMD_GROUP_DEL, 0, { ID } },
	{ PXS_CMD_GROUP_GET, 0, { ID } },
	{ PXS_CMD_GROUP_GET, NLM_F_DUMP, { { 0 } } },
	{ PXS_CMD_JOURNAL_ATTACH, 0, { B(JOURNAL_INCARNATION, U64(1)),
	  B(JOURNAL_NEXT_LSN, U64(1)) } },
	{ PXS_CMD_JOURNAL_DURABLE, 0, { J_EPOCH,
	  B(JOURNAL_LSN, U64(1)) } },
	{ PXS_CMD_JOURNAL_FAIL, 0, { J_EPOCH,
	  S(JOURNAL_REASON, "fuzz") } },
	{ PXS_CMD_JOURNAL_SETTLE, 0, { J_EPOCH } },
	{ PXS_CMD_GROUP_LOAD, 0, { ID, EPOCH, { PXS_A_GROUP_RECORDS, 64, zeros } } },
	{ PXS_CMD_GROUP_ACTIVATE, 0, { ID, EPOCH, B(GROUP_COMMIT, U64(0)) } },
	{ PXS_CMD_GROUP_PREPARE, 0, { ID, EPOCH, B(GROUP_BALLOT, U64(0x101)),
	  B(GROUP_SLOT, U64(1)), B(GROUP_RECEIVER, 2) } },
	{ PXS_CMD_GROUP_LEAD, 0, { ID, EPOCH, B(GROUP_BALLOT, U64(0x101)),
	  B(GROUP_SLOT, U64(1)), B(GROUP_FOUND, U64(0)) } },
	{ PXS_CMD_GROUP_RESIGN, 0, { ID, EPOCH } },
	{ PXS_CMD_GROUP_READ, 0, { ID, EPOCH } },
	{ PXS_CMD_GROUP_TRANSFER, 0, { ID, EPOCH, B(GROUP_RECEIVER, 2) } },
	{ PXS_CMD_GROUP_PROPOSE, 0, { ID, EPOCH, S(GROUP_VALUE, "value") } },
	{ PXS_CMD_GROUP_PROPOSE, 0, { ID, EPOCH, { PXS_A_GROUP_NOOP, 0, zeros } } },
	{ PXS_CMD_GROUP_SEND, 0, { ID, EPOCH, B(GROUP_RECEIVER, 2),
	  { PXS_A_GROUP_DATAGRAM, 64, zeros } } },
};

#define NGOOD (sizeof(good) / sizeof(*good))

static uint64_t state;
static int sk;
static uint16_t family;
static uint32_t seq;
static union {
	struct nlmsghdr nlh;
	uint8_t byte[MESSAGE_MAX];
} msg;
static uint32_t len;

static uint32_t rnd(uint32_t below)
{
	/* xorshift64*; the same everywhere for the same seed. */
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * 0x2545f4914f6cdd1dULL) >> 33) % below;
}

static void put(const struct field *f)
{
	struct nlattr nla = { .nla_len = (uint16_t)(NLA_HDRLEN + f->len), .nla_type = f->type };

	memset(msg.byte + len, 0, NLA_ALIGN(nla.nla_len));
	memcpy(msg.byte + len, &nla, sizeof(nla));
	memcpy(msg.byte + len + NLA_HDRLEN, f->data, f->len);
	len += NLA_ALIGN(nla.nla_len);
}

static void build(const struct request *r)
{
	struct genlmsghdr genl = { .cmd = r->cmd, .version = PXS_GENL_VERSION };
	int i;

	memset(msg.byte, 0, BODY);
	msg.nlh.nlmsg_type = family;
	msg.nlh.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | r->flags);
	memcpy(msg.byte + NLMSG_HDRLEN, &genl, sizeof(genl));
	len = BODY;
	for (i = 0; i < FIELDS_MAX && r->field[i].type; i++)
		put(&r->field[i]);
}

/* A random attribute of the message, or NULL when what is there is none any more. */
static struct nlattr *some_attr(void)
{
	struct nlattr *found = NULL, *nla;
	uint32_t at, n = 0;

	for (at = BODY; at + NLA_HDRLEN <= len; at += NLA_ALIGN(nla->nla_len)) {
		nla = (struct nlattr *)(msg.byte + at);
		if (nla->nla_len < NLA_HDRLEN || at + NLA_ALIGN(nla->nla_len) > len)
			break;
		if (!rnd(++n))
			found = nla;
	}
	return found;
}

static void resize(struct nlattr *nla, uint32_t size)
{
	uint32_t at = (uint32_t)((uint8_t *)nla - msg.byte), old = NLA_ALIGN(nla->nla_len), i;
	uint32_t new = NLA_ALIGN(NLA_HDRLEN + size);

	if (len - old + new > MESSAGE_MAX - 4096)
		return;
	memmove(msg.byte + at + new, msg.byte + at + old, len - at - old);
	for (i = at + NLA_HDRLEN; i < at + new; i++)
		msg.byte[i] = (uint8_t)rnd(256);
	nla->nla_len = (uint16_t)(NLA_HDRLEN + size);
	len = len - old + new;
}

static void scribble(struct nlattr *nla)
{
	static const uint8_t fill[] = { 0x00, 0xff, 0x7f, 0x80, 0x01 };
	uint8_t *data = (uint8_t *)nla + NLA_HDRLEN;
	uint32_t n = nla->nla_len - NLA_HDRLEN;

	if (n)
		memset(data + rnd(n), fill[rnd(5)], 1);
	if (n && rnd(2))
		memset(data, fill[rnd(5)], n);
}

static void append(const void *data, uint32_t n)
{
	uint32_t i;

	if (len + n > MESSAGE_MAX - 4096)
		return;
	for (i = 0; i < n; i++)
		msg.byte[len + i] = data ? ((const uint8_t *)data)[i] : (uint8_t)rnd(256);
	len += n;
}

static void break_attr(struct nlattr *nla)
{
	static const uint16_t lengths[] = { 0, 1, 3, 4, 5, 0x7fff, 0xffff };

	switch (rnd(7)) {
	case 0:
		nla->nla_len = lengths[rnd(7)];
		break;
	case 1:
		nla->nla_type = (uint16_t)(rnd(48) | rnd(4) << 14);
		break;
	case 2:
		resize(nla, rnd(4) ? rnd(40) : rnd(40000));
		break;
	case 3:
		append(nla, NLA_ALIGN(nla->nla_len));
		break;
	case 4:
		memmove(nla, (uint8_t *)nla + NLA_ALIGN(nla->nla_len),
			len - (uint32_t)((uint8_t *)nla + NLA_ALIGN(nla->nla_len) - msg.byte));
		len -= rnd(2) ? 0 : 4;
		break;
	default:
		scribble(nla);
		break;
	}
}

static void break_message(void)
{
	struct nlattr *nla = some_attr();
	uint32_t n;

	switch (rnd(10)) {
	case 0:
		for (n = 1 + rnd(8); n && len > BODY; n--)
			msg.byte[BODY + rnd(len - BODY)] ^= (uint8_t)(1 << rnd(8));
		break;
	case 1:
		len = NLMSG_HDRLEN + rnd(len - NLMSG_HDRLEN + 1);
		break;
	case 2:
		append(NULL, 1 + rnd(64));
		break;
	case 3:
		msg.byte[NLMSG_HDRLEN + rnd(GENL_HDRLEN)] = (uint8_t)rnd(rnd(2) ? 32 : 256);
		break;
	case 4:
		msg.nlh.nlmsg_flags ^= (uint16_t)(1 << (8 + rnd(4)));
		break;
	default:
		if (nla)
			break_attr(nla);
		break;
	}
	if (len < NLMSG_HDRLEN)
		len = NLMSG_HDRLEN;
}

static void note_epoch(const struct nlmsghdr *nlh)
{
	const struct genlmsghdr *genl = NLMSG_DATA(nlh);
	const uint8_t *at = (const uint8_t *)nlh + BODY, *end = (const uint8_t *)nlh;
	const struct nlattr *nla;

	if (genl->cmd != PXS_CMD_JOURNAL_ATTACH)
		return;
	for (end += nlh->nlmsg_len; at < end; at += NLA_ALIGN(nla->nla_len)) {
		nla = (const struct nlattr *)at;
		if (nla->nla_type == PXS_A_JOURNAL_ATTACH_EPOCH)
			memcpy(&epoch, at + NLA_HDRLEN, sizeof(epoch));
	}
}

/* Return: 0 or the errno that answers the message; -1 when nothing does within 20 s. */
static int answer(void)
{
	struct pollfd p = { .fd = sk, .events = POLLIN };
	static uint8_t buf[1 << 20];
	struct nlmsghdr *nlh;
	ssize_t n;

	while (poll(&p, 1, 20000) == 1) {
		n = recv(sk, buf, sizeof(buf), 0);
		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n < 0)
			return -1;
		for (nlh = (void *)buf; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
			if (nlh->nlmsg_seq != seq)
				continue;
			if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
				return -*(int *)NLMSG_DATA(nlh);
			note_epoch(nlh);
		}
	}
	return -1;
}

static int ask(void)
{
	msg.nlh.nlmsg_len = len;
	msg.nlh.nlmsg_seq = ++seq;
	if (send(sk, msg.byte, len, 0) != (ssize_t)len)
		return -1;
	return answer();
}

static void find_family(void)
{
	struct field name = { CTRL_ATTR_FAMILY_NAME, sizeof(PXS_GENL_NAME), PXS_GENL_NAME };
	struct request r = { .cmd = CTRL_CMD_GETFAMILY };
	static uint8_t buf[65536];
	struct nlattr *nla;

	family = GENL_ID_CTRL;
	build(&r);
	put(&name);
	msg.nlh.nlmsg_flags = NLM_F_REQUEST;
	msg.nlh.nlmsg_len = len;
	if (send(sk, msg.byte, len, 0) < 0 || recv(sk, buf, sizeof(buf), 0) < (ssize_t)BODY)
		exit(2);
	family = 0;
	for (nla = (void *)(buf + BODY); !family && nla->nla_len >= NLA_HDRLEN;
	     nla = (void *)((uint8_t *)nla + NLA_ALIGN(nla->nla_len)))
		if (nla->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&family, (uint8_t *)nla + NLA_HDRLEN, 2);
}

static void open_listener(void)
{
	socklen_t size = sizeof(cookie);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0 || listen(fd, 1) || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size))
		exit(2);
	listener = (uint32_t)fd;
}

static const struct request *some_request(void)
{
	const struct request *r;

	/* A journal that failed stays so while there are groups: let that be rare. */
	do
		r = &good[rnd(NGOOD)];
	while (r->cmd == PXS_CMD_JOURNAL_FAIL && rnd(16));
	return r;
}

/* Messages whose own header lies: nobody has to answer, but all must go on. */
static void lie(void)
{
	static const uint32_t lengths[] = { 0, 1, 15, 16, 17, 19, 21, 4096, 0xffffffff };

	build(&good[rnd(NGOOD)]);
	msg.nlh.nlmsg_len = rnd(4) ? lengths[rnd(9)] : rnd(len + 64);
	msg.nlh.nlmsg_seq = 0;
	msg.nlh.nlmsg_flags = (uint16_t)rnd(65536) & (uint16_t)~NLM_F_ECHO;
	if (send(sk, msg.byte, rnd(4) ? len : 1 + rnd(len), 0) < 0)
		perror("send");
}

int main(int argc, char **argv)
{
	unsigned long i, n = argc == 3 ? strtoul(argv[2], NULL, 0) : 0, whole = 0, acks = 0;
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	int big = 64 << 20, err, breaks;

	if (!n)
		return 2;
	state = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15ULL + 1;
	sk = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	setsockopt(sk, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	if (sk < 0 || bind(sk, (struct sockaddr *)&me, sizeof(me)))
		return 2;
	find_family();
	open_listener();
	for (i = 0; i < n; i++) {
		if (!rnd(16))
			lie();
		build(some_request());
		breaks = rnd(4) ? 1 + (int)rnd(3) : 0;
		whole += !breaks;
		while (breaks--)
			break_message();
		err = ask();
		if (err < 0) {
			printf("message %lu of seed %s was not answered\n", i, argv[1]);
			return 1;
		}
		acks += !err;
	}
	printf("messages %lu whole %lu acks %lu refused %lu\n", n, whole, acks, n - acks);
	return 0;
}
