// SPDX-License-Identifier: GPL-2.0
/*
 * value.c - the values of a log, as people read them
 */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

u64 value_hash(const void *data, size_t len)
{
	const u8 *p = data;
	u64 h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

/* Bytes of the character that begins here; 0: none does, or it is not for a terminal. */
static size_t shown(const u8 *p, size_t len)
{
	static const u32 least[] = { [2] = 0xa0, [3] = 0x800, [4] = 0x10000 };
	size_t n = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4, i;
	u32 c = *p & (0x7f >> n);

	if (*p < 0x80)
		return *p >= 0x20 && *p != '\\' && *p != 0x7f;
	if (*p < 0xc2 || *p > 0xf4 || n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : n;
}

char *value_text(const void *data, size_t len)
{
	char *text = malloc(4 * len + 1), *to = text;
	const u8 *p = data, *end = p + len;
	size_t n;

	if (!text)
		return NULL;
	for (; p < end; p += n ?: 1) {
		n = shown(p, (size_t)(end - p));
		if (n)
			memcpy(to, p, n);
		to += n ?: (size_t)sprintf(to, "\\x%02x", *p);
	}
	*to = 0;
	return text;
}
