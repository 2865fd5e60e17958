// SPDX-License-Identifier: GPL-2.0
/*
 * wire_fuzz.c - malformed datagrams to a member of a group
 *
 *	wire_fuzz ADDRESS PORT KEYFILE CLUSTER SELF:INC PEER:INC SEED DATAGRAMS
 *
 * Every datagram must be dropped: random bytes; honest datagrams cut, lengthened or with
 * flipped bits; and, signed with the cluster's key, those that lie in just one thing.
 * Prints one line, "NAME SENT" for each counter that must have seen SENT more, then "any
 * SENT" for those that some counter must have seen. It encodes and signs with the core's
 * own wire.c and auth.c, so that what is meant to hold does hold.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "auth.h"
#include "wire.h"

#define POOL		4096	/* signed lies, made in advance */
#define BASES		256	/* honest datagrams, never sent as they are */
#define ROOM		(PXS_WIRE_MAX + 512)
#define BATCH		128
#define SMALL		2048
#define KEY_ID		1	/* paxsteerd.conf's default */

/* What must be counted. */
enum want {
	LENGTH, MAGIC, VERSION, TYPE, GROUP, CLUSTER, RECEIVER, SENDER, KEY, TAG, EPOCH,
	INCARNATION, REPLAY, BODY, ANY, WANTS
};

static const char *const want_name[WANTS] = {
	"bad_length", "bad_magic", "bad_version", "bad_type", "no_group", "bad_cluster",
	"bad_receiver", "bad_sender", "bad_key", "bad_tag", "bad_epoch", "bad_incarnation",
	"replay", "bad_body", "any",
};

struct datagram {
	u32 size;
	enum want want;
	u8 *byte;
};

/* A datagram in the making. */
struct draft {
	struct pxs_msg m;
	u8 body[ROOM];
};

static struct datagram lie[POOL], base[BASES];
static unsigned long sent[WANTS];
static u8 key[PXS_KEY_LEN], cluster[PXS_CLUSTER_LEN];
static u8 self_id, peer_id;
static u64 self_inc, peer_inc, state;

static u64 any(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

static u32 rnd(u32 below)
{
	return (u32)(any() >> 33) % below;
}

static u64 ballot_of(u8 member)
{
	return (1 + any() % 1000000) << 8 | member;
}

/* --- honest datagrams ------------------------------------------------------ */

static bool has_body(u8 type)
{
	return type == PXS_WIRE_ACCEPT || type == PXS_WIRE_LEARN || type == PXS_WIRE_PROMISE;
}

static u64 honest_ballot(u8 type)
{
	switch (type) {
	case PXS_WIRE_PREPARE:
	case PXS_WIRE_ACCEPT:
	case PXS_WIRE_HEARTBEAT:
	case PXS_WIRE_PREVOTE:
	case PXS_WIRE_TRANSFER:
	case PXS_WIRE_READ:
	case PXS_WIRE_HELD:
		return ballot_of(peer_id);
	case PXS_WIRE_LEARN_REQ:
	case PXS_WIRE_LEARN:
		return 0;
	default:
		return ballot_of(self_id);
	}
}

static void fill_body(struct draft *d, u32 count, u32 most)
{
	static const u8 value[PXS_VALUE_MAX];
	u32 i;

	d->m.len = 0;
	d->m.count = (u16)count;
	for (i = 0; i < count; i++) {
		struct pxs_entry e = {
			.slot = d->m.slot + i,
			.ballot = d->m.type == PXS_WIRE_ACCEPT ? d->m.ballot : ballot_of(peer_id),
			.len = 1 + rnd(most),
			.flags = d->m.type == PXS_WIRE_LEARN ? PXS_ENTRY_DECIDED : 0,
			.data = value,
		};

		d->m.len = pxs_wire_put(d->body, d->m.len, &e);
	}
}

/* Of any type, or of one that carries entries. Valid to the last bit. */
static void honest(struct draft *d, bool entries)
{
	struct pxs_msg *m = &d->m;

	memset(m, 0, sizeof(*m));
	do
		m->type = (u8)(1 + rnd(__PXS_WIRE_TYPE_MAX - 1));
	while (entries && !has_body(m->type));
	m->key_id = KEY_ID;
	m->sender = peer_id;
	m->receiver = self_id;
	m->group = 1;
	memcpy(m->cluster, cluster, sizeof(m->cluster));
	m->epoch = 1;
	m->sender_inc = peer_inc;
	m->receiver_inc = self_inc;
	m->counter = 1ull << 62 | any() >> 3;
	m->ballot = honest_ballot(m->type);
	m->slot = 1 + any() % 100000;
	m->commit = any() % 100000;
	if (!has_body(m->type))
		return;
	/* Now and then one that travels in fragments. */
	if (rnd(256))
		fill_body(d, 1 + rnd(4), 64);
	else
		fill_body(d, 1, PXS_VALUE_MAX);
}

static void sign(struct datagram *g, const struct draft *d, const u8 *with)
{
	struct pxs_wire_hdr hdr;

	pxs_wire_build(&hdr, &d->m);
	pxs_auth_sign(with, &hdr, d->body, d->m.len);
	g->size = PXS_WIRE_HDR_LEN + d->m.len;
	g->byte = malloc(g->size + 64);
	memcpy(g->byte, &hdr, sizeof(hdr));
	memcpy(g->byte + sizeof(hdr), d->body, d->m.len);
}

/* A field of the header that pxs_wire_build() does not let one choose; signed again. */
static void patch(struct datagram *g, u32 offset, u8 xor)
{
	struct pxs_wire_hdr hdr;

	g->byte[offset] ^= xor;
	memcpy(&hdr, g->byte, sizeof(hdr));
	pxs_auth_sign(key, &hdr, g->byte + sizeof(hdr), g->size - PXS_WIRE_HDR_LEN);
	memcpy(g->byte, &hdr, sizeof(hdr));
}

/* --- lies ------------------------------------------------------------------- */

static u64 not(u64 honest_one)
{
	static const u64 odd[] = { 0, 1, 2, 3, 255, 256, 0xffffffff, ~0ull, 1ull << 63 };
	u64 v;

	do
		v = rnd(2) ? odd[rnd(ARRAY_SIZE(odd))] : honest_one ^ 1ull << rnd(64);
	while (v == honest_one);
	return v;
}

static u8 not8(u8 a, u8 b)
{
	u8 v;

	do
		v = (u8)any();
	while (v == a || v == b);
	return v;
}

static void set_entry(struct draft *d, u32 offset, const struct pxs_wire_entry *w)
{
	memcpy(d->body + offset, w, sizeof(*w));
}

/* The first entry of a body lies. */
static void lie_in_entry(struct draft *d)
{
	struct pxs_wire_entry w;
	u32 len;
	u8 flag;

	memcpy(&w, d->body, sizeof(w));
	len = be32_to_cpu(w.len);
	switch (rnd(7)) {
	case 0:		/* the value ends behind the body */
		w.len = cpu_to_be32(d->m.count == 1 ? len + 8 : 0xffffffffu - rnd(64));
		break;
	case 1:
		w.len = cpu_to_be32(PXS_VALUE_MAX + 1 + rnd(8));
		break;
	case 2:
		do
			flag = (u8)(1 << rnd(8));
		while (flag & (PXS_ENTRY_NOOP | PXS_ENTRY_DECIDED | PXS_ENTRY_FAULTY |
			       PXS_ENTRY_CONFIG));
		w.flags |= flag;
		break;
	case 3:		/* with a value */
		w.flags |= rnd(2) ? PXS_ENTRY_NOOP : PXS_ENTRY_FAULTY;
		break;
	case 4:
		w.ballot = 0;
		break;
	case 5:
		w.slot = cpu_to_be64(d->m.type == PXS_WIRE_PROMISE ? d->m.slot - 1 :
				     not(d->m.slot));
		break;
	case 6:
		w.slot = cpu_to_be64((1ull << 62) + 1 + rnd(100));
		break;
	}
	set_entry(d, 0, &w);
}

static void lie_in_body(struct draft *d)
{
	struct pxs_msg *m = &d->m;

	switch (rnd(8)) {
	case 0:
		m->count = (u16)(m->count + (rnd(2) ? 1 : -1));
		break;
	case 1:
		m->count = (u16)(PXS_WIRE_ENTRIES_MAX + 1 + rnd(1000));
		break;
	case 2:		/* a body that is shorter or longer by less than an entry */
		m->len -= 1 + rnd(8);
		break;
	case 3:
		memset(d->body + m->len, 0, 32);
		m->len += 1 + rnd(8);
		break;
	case 4:
		m->slot = 0;
		break;
	case 5:		/* more entries than one body may hold, and all of them there */
		fill_body(d, PXS_WIRE_ENTRIES_MAX + 1, 8);
		break;
	default:
		lie_in_entry(d);
	}
}

/* What is authentic, and yet cannot be from an honest member. */
static void lie_in_message(struct draft *d)
{
	struct pxs_msg *m = &d->m;

	switch (rnd(4)) {
	case 0:
		honest(d, false);
		m->slot = 0x4000000000000001ull + (any() >> 2);
		break;
	case 1:
		honest(d, false);
		m->commit = 0x4000000000000001ull + (any() >> 2);
		break;
	case 2:		/* a ballot of the wrong member, or where none may be */
		honest(d, false);
		m->ballot = ballot_of(m->ballot ? not8((u8)m->ballot, 0) : peer_id);
		break;
	case 3:		/* a body where there is none */
		do
			honest(d, false);
		while (has_body(m->type));
		memset(d->body, 0, sizeof(d->body));
		m->len = 1 + rnd(64);
		break;
	}
	/* If a malformed heartbeat's counter were kept, no honest one would count any more. */
	m->counter = ~0ull;
}

/* One thing in the header that the signer knows to be false, or a body that is. */
static void lie_once(struct draft *d, enum want want)
{
	struct pxs_msg *m = &d->m;

	switch (want) {
	case GROUP:
		do
			m->group = (u32)not(1);
		while (m->group == 1);
		break;
	case CLUSTER:
		m->cluster[rnd(16)] ^= (u8)(1 << rnd(8));
		break;
	case RECEIVER:
		m->receiver = not8(self_id, self_id);
		break;
	case SENDER:	/* nobody, or ourselves */
		m->sender = rnd(2) ? self_id : (u8)(PXS_MEMBER_ID_MAX + rnd(190));
		break;
	case KEY:
		m->key_id = not8(KEY_ID, KEY_ID);
		break;
	case EPOCH:
		/* What was chosen is heard in any epoch, and how far it goes from a later one. */
		while (m->type == PXS_WIRE_LEARN || m->type == PXS_WIRE_LEARN_REQ ||
		       m->type == PXS_WIRE_PREVOTE)
			honest(d, false);
		m->epoch = not(1);
		m->commit = 0;
		break;
	case INCARNATION:
		if (rnd(2))
			m->sender_inc = not(peer_inc);
		else
			m->receiver_inc = not(self_inc);
		break;
	case REPLAY:
		m->type = rnd(2) ? PXS_WIRE_HEARTBEAT : PXS_WIRE_TRANSFER;
		m->ballot = ballot_of(peer_id);
		m->len = 0;
		m->counter = 0;
		break;
	case BODY:
		if (has_body(m->type) && rnd(4))
			lie_in_body(d);
		else
			lie_in_message(d);
		break;
	default:
		break;
	}
}

static void make_lie(struct datagram *g)
{
	static struct draft d;
	struct pxs_msg *m = &d.m;
	u8 other[PXS_KEY_LEN];
	u32 i;

	g->want = (enum want)rnd(WANTS - 1);
	honest(&d, g->want == BODY && rnd(3));
	lie_once(&d, g->want);
	memcpy(other, key, sizeof(other));
	other[rnd(PXS_KEY_LEN)] ^= (u8)(1 << rnd(8));
	sign(g, &d, g->want == TAG ? other : key);
	switch (g->want) {
	case LENGTH:	/* what the header says is signed, and is not so */
		patch(g, offsetof(struct pxs_wire_hdr, len) + rnd(4), (u8)(1 << rnd(8)));
		break;
	case MAGIC:
		patch(g, rnd(4), (u8)(1 << rnd(8)));
		break;
	case VERSION:
		i = rnd(3);
		patch(g, i == 0 ? offsetof(struct pxs_wire_hdr, version) :
			 i == 1 ? offsetof(struct pxs_wire_hdr, flags) :
			 offsetof(struct pxs_wire_hdr, reserved) + rnd(4), (u8)(1 << rnd(8)));
		break;
	case TYPE:
		i = rnd(2) ? 0 : __PXS_WIRE_TYPE_MAX + rnd(256 - __PXS_WIRE_TYPE_MAX);
		patch(g, offsetof(struct pxs_wire_hdr, type), (u8)(i ^ m->type));
		break;
	default:
		break;
	}
}

/* --- on the way --------------------------------------------------------------- */

static u32 random_bytes(u8 *p)
{
	u32 size = rnd(4) ? rnd(2 * PXS_WIRE_HDR_LEN) : rnd(SMALL), i;
	const struct datagram *b = &base[rnd(BASES)];

	if (rnd(2)) {
		for (i = 0; i < size; i++)
			p[i] = (u8)(any() >> 56);
		return size;
	}
	/* These get as far as the tag. */
	memcpy(p, b->byte, b->size);
	for (i = 0; i < PXS_WIRE_TAG_LEN; i++)
		p[PXS_WIRE_TAG_OFFSET + i] = (u8)(any() >> 56);
	return b->size;
}

/* Put the next datagram at @p. Return: its size. */
static u32 next(u8 *p)
{
	const struct datagram *b;
	u32 size, i;

	switch (rnd(8)) {
	case 0:
		sent[ANY]++;
		return random_bytes(p);
	case 1:
		b = &base[rnd(BASES)];
		memcpy(p, b->byte, b->size);
		sent[LENGTH]++;
		return rnd(b->size);
	case 2:
		b = &base[rnd(BASES)];
		size = 1 + rnd(64);
		memcpy(p, b->byte, b->size);
		memset(p + b->size, (int)any(), size);
		sent[LENGTH]++;
		return b->size + size;
	case 3:
	case 4:
		b = &base[rnd(BASES)];
		memcpy(p, b->byte, b->size);
		for (i = 1 + rnd(3); i; i--)
			p[rnd(rnd(2) ? b->size : PXS_WIRE_HDR_LEN)] ^= (u8)(1 << rnd(8));
		/* Flipped there and back again? */
		if (!memcmp(p, b->byte, b->size))
			p[0] ^= 1;
		sent[ANY]++;
		return b->size;
	default:
		b = &lie[rnd(POOL)];
		memcpy(p, b->byte, b->size);
		sent[b->want]++;
		return b->size;
	}
}

static void fuzz(int fd, unsigned long n)
{
	static struct mmsghdr msg[BATCH];
	static struct iovec iov[BATCH];
	unsigned long left;
	u32 i, done;
	int ret;

	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = malloc(ROOM);
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	for (left = n; left; left -= done) {
		u32 want = (u32)min(left, (unsigned long)BATCH);

		for (i = 0; i < want; i++)
			iov[i].iov_len = next(iov[i].iov_base);
		for (done = 0; done < want; done += (u32)ret) {
			ret = sendmmsg(fd, msg + done, want - done, 0);
			if (ret <= 0) {
				perror("sendmmsg");
				exit(1);
			}
		}
	}
}

/* --- arguments ----------------------------------------------------------------- */

static void parse_hex(const char *text, u8 *out, u32 len)
{
	unsigned int v;
	u32 n = 0;

	for (; n < len && *text; text++) {
		if (*text == '-')
			continue;
		if (sscanf(text, "%2x", &v) != 1)
			break;
		out[n++] = (u8)v;
		text++;
	}
	if (n != len)
		exit(2);
}

static void read_key(const char *path)
{
	char text[2 * PXS_KEY_LEN + 1] = "";
	FILE *f = fopen(path, "r");

	if (!f || fread(text, 1, 2 * PXS_KEY_LEN, f) != 2 * PXS_KEY_LEN)
		exit(2);
	fclose(f);
	parse_hex(text, key, PXS_KEY_LEN);
}

static int connect_to(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST }, *ai;
	int fd;

	if (getaddrinfo(address, port, &hints, &ai))
		exit(2);
	fd = socket(ai->ai_family, SOCK_DGRAM, 0);
	if (fd < 0 || connect(fd, ai->ai_addr, ai->ai_addrlen)) {
		perror(address);
		exit(2);
	}
	freeaddrinfo(ai);
	return fd;
}

/* ID:INCARNATION */
static void parse_member(const char *text, u8 *id, u64 *incarnation)
{
	char *colon;

	*id = (u8)strtoul(text, &colon, 0);
	*incarnation = *colon ? strtoull(colon + 1, NULL, 0) : 0;
	if (!*id || !*incarnation)
		exit(2);
}

int main(int argc, char **argv)
{
	static struct draft d;
	u32 i;

	if (argc != 9)
		return 2;
	parse_member(argv[5], &self_id, &self_inc);
	parse_member(argv[6], &peer_id, &peer_inc);
	read_key(argv[3]);
	parse_hex(argv[4], cluster, PXS_CLUSTER_LEN);
	state = strtoull(argv[7], NULL, 0) * 0x9e3779b97f4a7c15ULL + 1;
	for (i = 0; i < BASES; i++) {
		honest(&d, false);
		sign(&base[i], &d, key);
	}
	for (i = 0; i < POOL; i++)
		make_lie(&lie[i]);
	fuzz(connect_to(argv[1], argv[2]), strtoul(argv[8], NULL, 0));
	for (i = 0; i < WANTS; i++)
		printf("%s %lu\n", want_name[i], sent[i]);
	return 0;
}
