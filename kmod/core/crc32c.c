// SPDX-License-Identifier: GPL-2.0
/*
 * crc32c.c - CRC-32C: the machine's own (platform.h), or by nibbles
 *
 * By nibbles: 64 bytes of table, no set-up, the same result on any machine. It takes some ten
 * instructions a byte, where the machine's own takes one for eight of them.
 */
#include "crc32c.h"

/* t[i]: the reflected polynomial 0x82f63b78 applied to the nibble i. */
static const u32 table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

u32 pxs_crc32c_plain(u32 crc, const void *data, size_t len)
{
	const u8 *p = data;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

u32 pxs_crc32c(u32 crc, const void *data, size_t len)
{
	u32 c = ~crc;

	return pxs_crc32c_machine(&c, data, len) ? ~c : pxs_crc32c_plain(crc, data, len);
}
