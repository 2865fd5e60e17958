// SPDX-License-Identifier: GPL-2.0
/*
 * test_auth.c - a datagram's tag: its value, and that it covers everything
 */
#include <stddef.h>
#include "unit.h"
#include "auth.h"
#include "wire.h"

#define BODY	40u

static u8 key[PXS_KEY_LEN];
static u8 body[BODY];
static struct pxs_wire_hdr hdr;

static void make(void)
{
	u8 *h = (u8 *)&hdr;
	u32 i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (u8)i;
	for (i = 0; i < sizeof(hdr); i++)
		h[i] = (u8)(7 * i + 1);
	for (i = 0; i < BODY; i++)
		body[i] = (u8)(11 * i + 3);
}

/* Computed with Python's hashlib: blake2s(bytes 0..7 and 24..end, key=..., digest_size=16). */
static const u8 with_body[PXS_WIRE_TAG_LEN] = {
	0xc5, 0x87, 0xec, 0x34, 0xd0, 0xdb, 0x50, 0x19,
	0xd2, 0x44, 0x7c, 0x3e, 0xfa, 0x66, 0xef, 0xfb,
};

static const u8 without_body[PXS_WIRE_TAG_LEN] = {
	0x6d, 0xb0, 0x37, 0x1c, 0xd1, 0x07, 0xbf, 0xfd,
	0x38, 0x93, 0x94, 0x69, 0x56, 0x64, 0x12, 0xf8,
};

static void vectors(void)
{
	make();
	pxs_auth_sign(key, &hdr, body, BODY);
	CHECK(!memcmp(hdr.tag, with_body, sizeof(with_body)));
	CHECK(pxs_auth_holds(key, &hdr, body, BODY));
	pxs_auth_sign(key, &hdr, NULL, 0);
	CHECK(!memcmp(hdr.tag, without_body, sizeof(without_body)));
	CHECK(pxs_auth_holds(key, &hdr, NULL, 0));
	CHECK(!pxs_auth_holds(key, &hdr, body, BODY));
}

/* One bit of anything: of the header with its receiver, of the tag, of body or key. */
static void every_bit(void)
{
	struct {
		u8 *at;
		size_t len;
	} part[] = { { (u8 *)&hdr, sizeof(hdr) }, { body, BODY }, { key, sizeof(key) } };
	u32 i, bit, held = 0, bits = 0;

	make();
	pxs_auth_sign(key, &hdr, body, BODY);
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		for (bit = 0; bit < 8 * part[i].len; bit++, bits++) {
			part[i].at[bit / 8] ^= 1u << bit % 8;
			held += pxs_auth_holds(key, &hdr, body, BODY);
			part[i].at[bit / 8] ^= 1u << bit % 8;
		}
	}
	CHECK_EQ(held, 0);
	CHECK_EQ(bits, 8 * (PXS_WIRE_HDR_LEN + BODY + PXS_KEY_LEN));
	CHECK(pxs_auth_holds(key, &hdr, body, BODY));
}

/* Cut or prolonged by a byte, it is another datagram. */
static void length_matters(void)
{
	u8 longer[BODY + 1] = { 0 };

	make();
	memcpy(longer, body, BODY);
	pxs_auth_sign(key, &hdr, body, BODY);
	CHECK(!pxs_auth_holds(key, &hdr, body, BODY - 1));
	CHECK(!pxs_auth_holds(key, &hdr, longer, BODY + 1));
}

static struct pxs_keys keys(u8 signs, u8 also)
{
	struct pxs_keys k = { .count = also ? 2 : 1, .key = { { .id = signs }, { .id = also } } };
	u32 i;

	for (i = 0; i < PXS_KEYS_MAX; i++)
		memset(k.key[i].bytes, k.key[i].id, PXS_KEY_LEN);
	return k;
}

/* @to's verdict on what @from signs. */
static int passes(struct pxs_keys from, struct pxs_keys to)
{
	make();
	hdr.key_id = from.key[0].id;
	pxs_auth_sign(from.key[0].bytes, &hdr, body, BODY);
	return pxs_keys_verify(&to, &hdr, body, BODY);
}

/* Members of neighbouring steps hear each other, both ways; the old key does not pass for ever. */
static void rotation(void)
{
	struct pxs_keys step[] = { keys(1, 0), keys(1, 2), keys(2, 1), keys(2, 0) };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(step); i++) {
		CHECK(!pxs_keys_check(&step[i]));
		CHECK_EQ(passes(step[i], step[i]), 0);
		if (!i)
			continue;
		CHECK(!pxs_keys_check_change(&step[i - 1], &step[i]));
		CHECK(!pxs_keys_check_change(&step[i], &step[i - 1]));
		CHECK_EQ(passes(step[i - 1], step[i]), 0);
		CHECK_EQ(passes(step[i], step[i - 1]), 0);
	}
	CHECK_EQ(passes(step[0], step[3]), PXS_GROUP_STAT_BAD_KEY);
	CHECK_EQ(passes(step[3], step[0]), PXS_GROUP_STAT_BAD_KEY);
}

/* Keys that have begun make the same tags, over whatever begins like a datagram or does not. */
static void begun(void)
{
	struct pxs_keys plain = keys(1, 2), both = plain;
	u32 bit;

	pxs_keys_begin(&both);
	make();
	hdr.magic = cpu_to_be32(PXS_WIRE_MAGIC);
	hdr.key_id = 1;
	pxs_keys_sign(&both, &hdr, body, BODY);
	CHECK(pxs_auth_holds(plain.key[0].bytes, &hdr, body, BODY));
	CHECK_EQ(pxs_keys_verify(&plain, &hdr, body, BODY), 0);
	/* Twice: what has begun is not used up. */
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), 0);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), 0);
	for (bit = 0; bit < 8 * sizeof(hdr); bit++) {
		((u8 *)&hdr)[bit / 8] ^= (u8)(1 << bit % 8);
		CHECK(pxs_keys_verify(&both, &hdr, body, BODY));
		((u8 *)&hdr)[bit / 8] ^= (u8)(1 << bit % 8);
	}
	hdr.key_id = 2;
	pxs_auth_sign(plain.key[1].bytes, &hdr, NULL, 0);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, 0), 0);
	hdr.magic ^= 1;
	pxs_auth_sign(plain.key[1].bytes, &hdr, body, BODY);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), 0);
	pxs_keys_sign(&plain, &hdr, body, BODY);
	CHECK(pxs_auth_holds(plain.key[0].bytes, &hdr, body, BODY));
}

/* The id names the key: what the other one would accept does not pass under it. */
static void named_key_only(void)
{
	struct pxs_keys both = keys(1, 2);

	make();
	hdr.key_id = 1;
	pxs_auth_sign(both.key[1].bytes, &hdr, body, BODY);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), PXS_GROUP_STAT_BAD_TAG);
	hdr.key_id = 0;
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), PXS_GROUP_STAT_BAD_KEY);
	hdr.key_id = 1;
	pxs_auth_sign(both.key[0].bytes, &hdr, body, BODY);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, NULL, BODY), PXS_GROUP_STAT_BAD_TAG);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), 0);
	/* What is left in memory behind the only key is no key. */
	both.count = 1;
	hdr.key_id = 2;
	pxs_auth_sign(both.key[1].bytes, &hdr, body, BODY);
	CHECK_EQ(pxs_keys_verify(&both, &hdr, body, BODY), PXS_GROUP_STAT_BAD_KEY);
}

static void bad_changes(void)
{
	struct pxs_keys one = keys(1, 0), two = keys(1, 2);
	struct pxs_keys same = keys(1, 1), none = keys(1, 0);

	none.count = 0;
	CHECK(pxs_keys_check(&none));
	CHECK(pxs_keys_check(&same));
	CHECK(pxs_keys_check_change(&one, &same));
	two.count = 3;
	CHECK(pxs_keys_check(&two));
	two.count = 2;
	two.key[1].bytes[31] ^= 1;
	CHECK(!pxs_keys_check_change(&one, &two));
	/* An id in use gets other bytes, as the signing key or as the other: a bit is enough. */
	one.key[0].bytes[31] ^= 1;
	CHECK(pxs_keys_check_change(&one, &two));
	one = keys(2, 0);
	CHECK(pxs_keys_check_change(&two, &one));
	/* From one key to quite another: allowed, for a key that was stolen. */
	one = keys(3, 0);
	CHECK(!pxs_keys_check_change(&two, &one));
}

int main(void)
{
	RUN(rotation);
	RUN(begun);
	RUN(named_key_only);
	RUN(bad_changes);
	RUN(vectors);
	RUN(every_bit);
	RUN(length_matters);
	return unit_done();
}
