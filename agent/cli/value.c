// SPDX-License-Identifier: GPL-2.0
/*
 * value.c - the values of a log, as people read them
 */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>

u64 value_hash(const void *data, size_t len)
{
	const u8 *p = data;
	u64 h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;
	return h;
}

char *value_text(const void *data, size_t len)
{
	char *text = malloc(4 * len + 1), *to = text;
	const u8 *p = data;

	if (!text)
		return NULL;
	for (; len--; p++) {
		if (*p < 0x20 || *p == '\\' || *p == 0x7f)
			to += sprintf(to, "\\x%02x", *p);
		else
			*to++ = (char)*p;
	}
	*to = 0;
	return text;
}
