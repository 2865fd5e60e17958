// SPDX-License-Identifier: GPL-2.0
/*
 * test_record.c - journal records: bytes and back, and every single damaged bit
 */
#include "unit.h"
#include "record.h"
#include "crc32c.h"

static void crc_vectors(void)
{
	u8 buf[32];
	u32 i;

	/* RFC 3720, appendix B.4 */
	CHECK_EQ(pxs_crc32c(0, "123456789", 9), 0xe3069283);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(pxs_crc32c(0, buf, sizeof(buf)), 0x8a9136aa);
	memset(buf, 0xff, sizeof(buf));
	CHECK_EQ(pxs_crc32c(0, buf, sizeof(buf)), 0x62a8ab43);
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = (u8)i;
	CHECK_EQ(pxs_crc32c(0, buf, sizeof(buf)), 0x46dd794e);
	/* In pieces as in one. */
	for (i = 0; i <= sizeof(buf); i++)
		CHECK_EQ(pxs_crc32c(pxs_crc32c(0, buf, i), buf + i, sizeof(buf) - i), 0x46dd794e);
	CHECK_EQ(pxs_crc32c(0, NULL, 0), 0);
}

/* The machine's own, and what stands in for it elsewhere: at any length, wherever it lies. */
static void crc_of_any_machine(void)
{
	u64 state = 3;
	u8 buf[320];
	u32 at, len;

	for (at = 0; at < sizeof(buf); at++)
		buf[at] = (u8)unit_random(&state);
	CHECK_EQ(pxs_crc32c_plain(0, "123456789", 9), 0xe3069283);
	for (at = 0; at < 9; at++)
		for (len = 0; at + len <= sizeof(buf); len++)
			CHECK_EQ(pxs_crc32c(at * len, buf + at, len),
				 pxs_crc32c_plain(at * len, buf + at, len));
}

/* A record in an exact allocation. */
static u8 *make(u32 len, u32 *size)
{
	struct pxs_record r = {
		.group = 7, .len = len, .type = PXS_RECORD_ACCEPT, .lsn = 0x1122334455667788ull,
		.slot = 0x99aabbccddeeff00ull, .ballot = 0x0102030405060708ull,
	};
	u8 *data = malloc(len);
	u8 *buf;
	u32 i;

	for (i = 0; i < len; i++)
		data[i] = (u8)(i * 3 + 1);
	*size = pxs_record_size(len);
	buf = malloc(*size);
	memset(buf, 0xee, *size);
	CHECK_EQ(pxs_record_put(buf, &r, len ? data : NULL), *size);
	free(data);
	return buf;
}

static void there_and_back(void)
{
	static const u32 lens[] = { 0, 1, 7, 8, 9, 100, PXS_VALUE_MAX - 1, PXS_VALUE_MAX };
	struct pxs_record r;
	u32 i, k, size;
	u8 *buf;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		buf = make(lens[i], &size);
		CHECK_EQ(size % 8, 0);
		CHECK_EQ(pxs_record_get(buf, size, &r), PXS_RECORD_OK);
		CHECK_EQ(r.len, lens[i]);
		CHECK_EQ(r.group, 7);
		CHECK_EQ(r.type, PXS_RECORD_ACCEPT);
		CHECK_EQ(r.lsn, 0x1122334455667788ull);
		CHECK_EQ(r.slot, 0x99aabbccddeeff00ull);
		CHECK_EQ(r.ballot, 0x0102030405060708ull);
		for (k = 0; k < r.len; k++)
			CHECK_EQ(r.data[k], (u8)(k * 3 + 1));
		for (k = PXS_RECORD_HDR_LEN + r.len; k < size; k++)
			CHECK_EQ(buf[k], 0);
		free(buf);
	}
}

/* Cut anywhere it is short; that is never taken for a record. */
static void cut_anywhere(void)
{
	struct pxs_record r;
	u32 size, room;
	u8 *buf = make(21, &size);

	for (room = 0; room < size; room++) {
		u8 *cut = malloc(room);

		memcpy(cut, buf, room);
		CHECK_EQ(-pxs_record_get(cut, room, &r), -PXS_RECORD_SHORT);
		free(cut);
	}
	free(buf);
}

/* Each single flipped bit is seen, and in the right part. */
static void every_bit(void)
{
	struct pxs_record r;
	u32 size, bit;
	u8 *buf = make(21, &size);

	for (bit = 0; bit < (PXS_RECORD_HDR_LEN + 21) * 8; bit++) {
		int want = bit < PXS_RECORD_HDR_LEN * 8 ? PXS_RECORD_BAD_HEADER :
							  PXS_RECORD_BAD_VALUE;

		buf[bit / 8] ^= 1u << bit % 8;
		CHECK_EQ(-pxs_record_get(buf, size, &r), -want);
		if (want == PXS_RECORD_BAD_VALUE) {
			CHECK_EQ(r.slot, 0x99aabbccddeeff00ull);
			CHECK_EQ(r.len, 21);
		}
		buf[bit / 8] ^= 1u << bit % 8;
	}
	CHECK_EQ(pxs_record_get(buf, size, &r), PXS_RECORD_OK);
	free(buf);
}

/* A header with a right sum and wrong contents. */
static void hostile_headers(void)
{
	struct pxs_journal_record j, bad[5];
	struct pxs_record r;
	u32 size, i;
	u8 *buf = make(0, &size);

	memcpy(&j, buf, sizeof(j));
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = j;
	bad[0].type = 0;
	bad[1].type = __PXS_RECORD_MAX;
	bad[2].flags = PXS_ENTRY_DECIDED;
	bad[3].len = cpu_to_le32(PXS_VALUE_MAX + 1);
	bad[4].len = cpu_to_le32(0xfffffff9);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		bad[i].hcrc = 0;
		bad[i].hcrc = cpu_to_le32(pxs_crc32c(0, &bad[i], sizeof(bad[i])));
		memcpy(buf, &bad[i], sizeof(bad[i]));
		CHECK_EQ(-pxs_record_get(buf, size, &r), -PXS_RECORD_BAD_HEADER);
	}
	free(buf);
}

int main(void)
{
	RUN(crc_vectors);
	RUN(crc_of_any_machine);
	RUN(there_and_back);
	RUN(cut_anywhere);
	RUN(every_bit);
	RUN(hostile_headers);
	return unit_done();
}
