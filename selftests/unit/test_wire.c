// SPDX-License-Identifier: GPL-2.0
/*
 * test_wire.c - datagrams: bytes and back, and whatever a stranger may send
 *
 * Bodies lie in allocations of their exact size, so that ASan sees one byte too far.
 */
#include "unit.h"
#include "group.h"

static const struct pxs_msg sample = {
	.type = PXS_WIRE_ACCEPT, .key_id = 3, .sender = 5, .receiver = 9, .count = 2,
	.group = 0x01020304, .len = 80, .cluster = "0123456789abcde",
	.epoch = 0x1111111111111111ull, .sender_inc = 0x2222222222222222ull,
	.receiver_inc = 0x3333333333333333ull, .counter = 0x4444444444444444ull,
	.ballot = 0x5555555555555505ull, .slot = 0x0666666666666666ull,
	.commit = 0x0777777777777777ull, .arg = 0x8888888888888888ull,
};

static void header_there_and_back(void)
{
	struct pxs_wire_hdr hdr;
	struct pxs_msg m;

	memset(&m, 0, sizeof(m));
	pxs_wire_build(&hdr, &sample);
	CHECK_EQ(pxs_wire_parse(&hdr, sizeof(hdr) + 80, &m), 0);
	CHECK(!memcmp(&m, &sample, sizeof(m)));
}

/* The bytes themselves: another implementation must be able to rely on them. */
static void header_bytes(void)
{
	struct pxs_wire_hdr hdr;
	const u8 *p = (const u8 *)&hdr;

	pxs_wire_build(&hdr, &sample);
	CHECK_EQ(sizeof(hdr), 120);
	CHECK(!memcmp(p, "PXS1\x01\x03\x03\x00", 8));
	CHECK(!memcmp(p + 24, "0123456789abcde", 16));
	CHECK(!memcmp(p + 40, "\x01\x02\x03\x04\x05\x09\x00\x02", 8));
	CHECK_EQ(p[112 + 3], 80);
	CHECK_EQ(PXS_WIRE_TAG_OFFSET, offsetof(struct pxs_wire_hdr, tag));
}

static void bad_headers(void)
{
	struct pxs_wire_hdr good, bad;
	struct pxs_msg m;
	size_t size;

	pxs_wire_build(&good, &sample);
	for (size = 0; size < sizeof(good); size++)
		CHECK_EQ(pxs_wire_parse(&good, size, &m), PXS_NET_STAT_BAD_LENGTH);
	CHECK_EQ(pxs_wire_parse(&good, sizeof(good) + 79, &m), PXS_NET_STAT_BAD_LENGTH);
	CHECK_EQ(pxs_wire_parse(&good, sizeof(good) + 81, &m), PXS_NET_STAT_BAD_LENGTH);
	CHECK_EQ(pxs_wire_parse(&good, sizeof(good), &m), PXS_NET_STAT_BAD_LENGTH);
	bad = good;
	bad.len = cpu_to_be32(PXS_WIRE_BODY_MAX + 1);
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + PXS_WIRE_BODY_MAX + 1, &m),
		 PXS_NET_STAT_BAD_LENGTH);
	bad.len = cpu_to_be32(0xffffffff);
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) - 1, &m), PXS_NET_STAT_BAD_LENGTH);
	bad = good;
	bad.magic ^= 1;
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + 80, &m), PXS_NET_STAT_BAD_MAGIC);
	bad = good;
	bad.version++;
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + 80, &m), PXS_NET_STAT_BAD_VERSION);
	bad = good;
	bad.flags = 1;
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + 80, &m), PXS_NET_STAT_BAD_VERSION);
	bad = good;
	bad.reserved = cpu_to_be32(1);
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + 80, &m), PXS_NET_STAT_BAD_VERSION);
	bad = good;
	bad.type = 0;
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + 80, &m), PXS_NET_STAT_BAD_TYPE);
	bad.type = __PXS_WIRE_TYPE_MAX;
	CHECK_EQ(pxs_wire_parse(&bad, sizeof(bad) + 80, &m), PXS_NET_STAT_BAD_TYPE);
}

static const u64 slots_from_5[] = { 5, 6, 7 };

/* A body of @n entries with lengths 0, 9, 18 ... in an exact allocation. */
static u8 *body(const u64 *slot, u32 n, u64 ballot, u8 flags, u32 *len)
{
	bool empty = flags & (PXS_ENTRY_NOOP | PXS_ENTRY_FAULTY);
	u8 data[256], *buf;
	u32 i, size = 0;

	for (i = 0; i < n; i++)
		size += pxs_wire_entry_size(empty ? 0 : 9 * i);
	buf = malloc(size);
	memset(data, 0xa5, sizeof(data));
	for (*len = 0, i = 0; i < n; i++) {
		struct pxs_entry e = { .slot = slot[i], .ballot = ballot, .flags = flags,
				       .len = empty ? 0 : 9 * i,
				       .data = data };

		*len = pxs_wire_put(buf, *len, &e);
	}
	CHECK_EQ(*len, size);
	return buf;
}

static bool check(u8 type, const u64 *slot, u32 n, u64 ballot, u8 flags, u64 arg, u32 count)
{
	struct pxs_msg m = { .type = type, .slot = 5, .ballot = 0x105, .count = (u16)count,
			     .arg = arg };
	u8 *b = body(slot, n, ballot, flags, &m.len);
	bool ok = pxs_wire_check_body(&m, b);

	free(b);
	return ok;
}

static void entries_there_and_back(void)
{
	struct pxs_entry e;
	u32 len, offset = 0, i;
	u8 *b = body(slots_from_5, 3, 0x105, PXS_ENTRY_DECIDED, &len);

	for (i = 0; i < 3; i++) {
		CHECK_EQ(pxs_wire_next(b, len, &offset, &e), 1);
		CHECK_EQ(e.slot, 5 + i);
		CHECK_EQ(e.ballot, 0x105);
		CHECK_EQ(e.len, 9 * i);
		CHECK_EQ(e.flags, PXS_ENTRY_DECIDED);
	}
	CHECK_EQ(pxs_wire_next(b, len, &offset, &e), 0);
	offset = len + 1;
	CHECK_EQ(-pxs_wire_next(b, len, &offset, &e), EBADMSG);
	free(b);
}

static void bodies_by_type(void)
{
	static const u64 gap[] = { 5, 7, 8 }, late[] = { 6, 7, 8 }, back[] = { 5, 4, 6 };
	static const u64 twice[] = { 5, 5, 6 }, high[] = { 5, 1ull << 63 };

	CHECK(check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x105, 0, 0, 3));
	CHECK(check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x105, PXS_ENTRY_NOOP, 0, 3));
	CHECK(!check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x205, 0, 0, 3));
	CHECK(!check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x105, PXS_ENTRY_DECIDED, 0, 3));
	CHECK(!check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x105, PXS_ENTRY_FAULTY, 0, 3));
	CHECK(!check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x105, 0, 0, 2));
	CHECK(!check(PXS_WIRE_ACCEPT, slots_from_5, 3, 0x105, 0, 0, 4));
	CHECK(!check(PXS_WIRE_ACCEPT, slots_from_5, 0, 0x105, 0, 0, 0));
	CHECK(!check(PXS_WIRE_ACCEPT, gap, 3, 0x105, 0, 0, 3));
	CHECK(!check(PXS_WIRE_ACCEPT, late, 3, 0x105, 0, 0, 3));
	CHECK(!check(PXS_WIRE_ACCEPT, twice, 3, 0x105, 0, 0, 3));
	CHECK(check(PXS_WIRE_LEARN, slots_from_5, 3, 0x205, PXS_ENTRY_DECIDED, 0, 3));
	CHECK(!check(PXS_WIRE_LEARN, slots_from_5, 3, 0x205, 0, 0, 3));
	CHECK(check(PXS_WIRE_LEARN, slots_from_5, 3, 0x205, PXS_ENTRY_FAULTY, 0, 3));
	CHECK(!check(PXS_WIRE_LEARN, slots_from_5, 3, 0, PXS_ENTRY_FAULTY, 0, 3));
	CHECK(!check(PXS_WIRE_LEARN, slots_from_5, 3, 0x205, PXS_ENTRY_FAULTY | PXS_ENTRY_DECIDED,
		     0, 3));
	CHECK(!check(PXS_WIRE_LEARN, slots_from_5, 3, 0, PXS_ENTRY_DECIDED, 0, 3));
	CHECK(check(PXS_WIRE_PROMISE, gap, 3, 0x205, PXS_ENTRY_FAULTY, 0, 3));
	CHECK(check(PXS_WIRE_PROMISE, late, 3, 0x205, 0, 9, 3));
	CHECK(!check(PXS_WIRE_PROMISE, late, 3, 0x205, 0, 8, 3));
	CHECK(!check(PXS_WIRE_PROMISE, gap, 0, 0x205, 0, 5, 0));
	CHECK(check(PXS_WIRE_PROMISE, gap, 0, 0x205, 0, 6, 0));
	CHECK(!check(PXS_WIRE_PROMISE, back, 3, 0x205, 0, 0, 3));
	CHECK(!check(PXS_WIRE_PROMISE, twice, 3, 0x205, 0, 0, 3));
	CHECK(!check(PXS_WIRE_PROMISE, high, 2, 0x205, 0, 0, 2));
	CHECK(!check(PXS_WIRE_PREPARE, slots_from_5, 1, 0x105, 0, 0, 1));
	CHECK(check(PXS_WIRE_PREPARE, slots_from_5, 0, 0x105, 0, 0, 0));
	CHECK(!check(PXS_WIRE_HEARTBEAT, slots_from_5, 1, 0x105, 0, 0, 0));
}

/* Slot 0 is no slot: it must not wrap to "the one before". */
static void slot_zero(void)
{
	static const u64 zero[] = { 0 };
	struct pxs_msg m = { .type = PXS_WIRE_ACCEPT, .ballot = 0x105, .count = 1 };
	u8 *b = body(zero, 1, 0x105, 0, &m.len);

	CHECK(!pxs_wire_check_body(&m, b));
	m.type = PXS_WIRE_PROMISE;
	CHECK(!pxs_wire_check_body(&m, b));
	free(b);
}

/* Bodies that chance made, and good ones with bits flipped or cut: no byte is read beyond. */
static void hostile_bodies(void)
{
	u64 state = 1;
	u32 round, i;

	for (round = 0; round < 200000; round++) {
		struct pxs_msg m = { .type = 1 + unit_random(&state) % 9, .slot = 5,
				     .ballot = 0x105, .count = unit_random(&state) % 5 };
		u32 len, offset = 0, n = 0;
		u8 *b = body(slots_from_5, 3, 0x105, 0, &len), *cut;
		struct pxs_entry e;

		m.len = unit_random(&state) % (len + 1);
		cut = malloc(m.len);
		memcpy(cut, b, m.len);
		for (i = unit_random(&state) % 4; i && m.len; i--)
			cut[unit_random(&state) % m.len] ^= 1u << unit_random(&state) % 8;
		pxs_wire_check_body(&m, cut);
		while (pxs_wire_next(cut, m.len, &offset, &e) > 0) {
			n += e.len ? e.data[e.len - 1] : 0;
			CHECK(offset <= m.len);
		}
		free(cut);
		free(b);
	}
}

/* What a member of a group lets in: see pxs_group_admit() and pxs_group_trust(). */
static void who_may_speak(void)
{
	static struct pxs_slot slots[64];
	static struct pxs_parked parked[128];
	struct pxs_group_conf conf = {
		.id = 1, .epoch = 4, .cluster = "0123456789abcde", .nmembers = 3, .self = 1,
		.member = { { 5, 50 }, { 9, 90 }, { 12, 120 } }, .window = 64,
		.heartbeat_ms = 100, .election_ms = 1000,
	};
	struct pxs_msg good = {
		.type = PXS_WIRE_HEARTBEAT, .sender = 5, .receiver = 9, .group = 1,
		.cluster = "0123456789abcde", .epoch = 4, .sender_inc = 50, .receiver_inc = 90,
		.counter = 7, .ballot = 0x105, .slot = 1,
	}, m;
	static struct pxs_stage stage;
	struct pxs_group g;

	pxs_group_init(&g, &conf, &stage, slots, parked);
	CHECK_EQ(pxs_group_admit(&g, &good), 0);
	CHECK_EQ(pxs_group_trust(&g, &good), 0);
	m = good, m.counter = 0;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_REPLAY);
	m = good, m.cluster[0] ^= 1;
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_CLUSTER);
	m = good, m.receiver = 12;
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_RECEIVER);
	m = good, m.sender = 6;
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_SENDER);
	m = good, m.sender = 9;
	CHECK_EQ(pxs_group_admit(&g, &m), PXS_GROUP_STAT_BAD_SENDER);
	m = good, m.epoch = 3;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_EPOCH);
	m = good, m.sender_inc = 51;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_INCARNATION);
	m = good, m.receiver_inc = 91;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_INCARNATION);
	m = good, m.ballot = 0x10c;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_BODY);
	m = good, m.slot = PXS_SLOT_MAX + 1;
	CHECK_EQ(pxs_group_trust(&g, &m), PXS_GROUP_STAT_BAD_BODY);
	CHECK_EQ(pxs_group_trust(&g, &good), 0);
	pxs_group_exit(&g);
}

int main(void)
{
	RUN(header_there_and_back);
	RUN(header_bytes);
	RUN(bad_headers);
	RUN(entries_there_and_back);
	RUN(bodies_by_type);
	RUN(slot_zero);
	RUN(hostile_bodies);
	RUN(who_may_speak);
	return unit_done();
}
