// SPDX-License-Identifier: GPL-2.0
/*
 * md5.c - MD5, for compatibility with what others chose long ago
 *
 * Rounds and constants as in RFC 1321 (see md5.h). Pure: any context.
 */
#include "md5.h"

static const u32 md5_sines[64] = {
	0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee,
	0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
	0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be,
	0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
	0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa,
	0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
	0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed,
	0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
	0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c,
	0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
	0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05,
	0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
	0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039,
	0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
	0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1,
	0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

static const u8 md5_shifts[4][4] = {
	{ 7, 12, 17, 22 }, { 5, 9, 14, 20 }, { 4, 11, 16, 23 }, { 6, 10, 15, 21 },
};

static u32 load_le32(const u8 *p)
{
	return (u32)p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static u32 mix(u32 round, u32 b, u32 c, u32 d)
{
	switch (round) {
	case 0:
		return (b & c) | (~b & d);
	case 1:
		return (d & b) | (~d & c);
	case 2:
		return b ^ c ^ d;
	default:
		return c ^ (b | ~d);
	}
}

static void md5_block(u32 h[4], const u8 *p)
{
	static const u8 step[4] = { 1, 5, 3, 7 }, from[4] = { 0, 1, 5, 0 };
	u32 a = h[0], b = h[1], c = h[2], d = h[3], i, x, s;

	for (i = 0; i < 64; i++) {
		u32 round = i / 16;

		x = a + mix(round, b, c, d) + md5_sines[i] +
		    load_le32(p + 4 * ((from[round] + step[round] * i) % 16));
		s = md5_shifts[round][i % 4];
		a = d;
		d = c;
		c = b;
		b += x << s | x >> (32 - s);
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
}

void pxs_md5(const void *data, u32 len, u32 out[4])
{
	const u8 *p = data;
	u32 left = len, i;
	u8 last[64];

	out[0] = 0x67452301;
	out[1] = 0xefcdab89;
	out[2] = 0x98badcfe;
	out[3] = 0x10325476;
	for (; left >= 64; p += 64, left -= 64)
		md5_block(out, p);
	memset(last, 0, sizeof(last));
	if (left)
		memcpy(last, p, left);
	last[left] = 0x80;
	if (left >= 56) {
		md5_block(out, last);
		memset(last, 0, sizeof(last));
	}
	for (i = 0; i < 8; i++)
		last[56 + i] = (u8)((u64)len * 8 >> (8 * i));
	md5_block(out, last);
}
