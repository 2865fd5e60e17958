// SPDX-License-Identifier: GPL-2.0
/*
 * name.c - backends' names as text, for fills that hash what others call a backend
 *
 * Pure functions; control path.
 */
#include "name.h"

u32 pxs_name_decimal(char *buf, u32 value)
{
	char digits[10];
	u32 n = 0, i;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	for (i = 0; i < n; i++)
		buf[i] = digits[n - 1 - i];
	return n;
}

static u32 put_hex(char *buf, u32 value)
{
	u32 n = 0;
	int shift;

	for (shift = 12; shift >= 0; shift -= 4)
		if (n || value >> shift || !shift)
			buf[n++] = "0123456789abcdef"[value >> shift & 15];
	return n;
}

/* RFC 5952: the longest run of zero words, if of two or more, is "::". */
static u32 put_ipv6(char *buf, const u8 *addr)
{
	u32 i, j, n = 0, at = 8, longest = 1;

	for (i = 0; i < 8; i = j + 1) {
		for (j = i; j < 8 && !addr[2 * j] && !addr[2 * j + 1]; j++)
			;
		if (j - i > longest) {
			longest = j - i;
			at = i;
		}
	}
	for (i = 0; i < 8; i++) {
		if (i == at) {
			buf[n++] = ':';
			i += longest - 1;
			if (i == 7)
				buf[n++] = ':';
			continue;
		}
		if (i)
			buf[n++] = ':';
		n += put_hex(buf + n, get_unaligned_be16(addr + 2 * i));
	}
	return n;
}

u32 pxs_name_addr(char *buf, const struct pxs_table_backend *be)
{
	u32 i, n = 0;

	if (be->family == 6)
		return put_ipv6(buf, be->addr);
	for (i = 0; i < 4; i++) {
		if (i)
			buf[n++] = '.';
		n += pxs_name_decimal(buf + n, be->addr[i]);
	}
	return n;
}

u32 pxs_name_at(char *buf, const struct pxs_table_backend *be)
{
	u32 n = 0;

	if (be->family == 6)
		buf[n++] = '[';
	n += pxs_name_addr(buf + n, be);
	if (be->family == 6)
		buf[n++] = ']';
	buf[n++] = ':';
	return n + pxs_name_decimal(buf + n, be->port);
}
