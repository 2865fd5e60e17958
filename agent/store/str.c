// SPDX-License-Identifier: GPL-2.0
/*
 * str.c - bytes with a length, and what Redis's words make of them
 */
#include "str.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>

bool pxs_str_is(struct pxs_str s, const char *word)
{
	return s.len == strlen(word) && !strncasecmp((const char *)s.data, word, s.len);
}

bool pxs_str_int(struct pxs_str s, s64 *value)
{
	bool minus = s.len && s.data[0] == '-';
	u32 i = minus ? 1 : 0;
	u64 most = minus ? (u64)INT64_MAX + 1 : INT64_MAX;
	u64 n = 0;

	if (s.len == i || s.len > 20)
		return false;
	if (s.data[i] == '0') {
		*value = 0;
		return s.len == 1;
	}
	for (; i < s.len; i++) {
		u8 digit = (u8)(s.data[i] - '0');

		if (digit > 9 || n > (most - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*value = minus ? (s64)(0 - n) : (s64)n;
	return true;
}

bool pxs_str_float(struct pxs_str s, long double *value)
{
	char text[5 * 1024];
	char *end;

	if (!s.len || s.len >= sizeof(text))
		return false;
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	errno = 0;
	*value = strtold(text, &end);
	if (isspace((unsigned char)text[0]) || *end || end != text + s.len || isnan(*value))
		return false;
	return errno != ERANGE || (!isinf(*value) && *value != 0);
}

u32 pxs_float_text(long double value, char text[PXS_FLOAT_TEXT])
{
	int len = snprintf(text, PXS_FLOAT_TEXT, "%.17Lf", value);

	if (strchr(text, '.')) {
		while (text[len - 1] == '0')
			len--;
		if (text[len - 1] == '.')
			len--;
	}
	if (len == 2 && text[0] == '-' && text[1] == '0') {
		text[0] = '0';
		len = 1;
	}
	return (u32)len;
}

static u8 fold(u8 c, bool nocase)
{
	return nocase ? (u8)tolower(c) : c;
}

/*
 * Does @c belong to the class that begins behind the '[' at @p? *@p moves to its last byte.
 * A class without end goes to the end of the pattern.
 */
static bool match_class(struct pxs_str pattern, u32 *p, u8 c, bool nocase)
{
	u32 i = *p + 1;
	bool inverse = i < pattern.len && pattern.data[i] == '^';
	bool hit = false;
	u8 low, high;

	c = fold(c, nocase);
	for (i += inverse; i < pattern.len && pattern.data[i] != ']'; i++) {
		if (pattern.data[i] == '\\' && pattern.len - i >= 2) {
			i++;
			hit |= pattern.data[i] == c;
		} else if (pattern.len - i >= 3 && pattern.data[i + 1] == '-') {
			low = fold(min(pattern.data[i], pattern.data[i + 2]), nocase);
			high = fold(max(pattern.data[i], pattern.data[i + 2]), nocase);
			hit |= c >= low && c <= high;
			i += 2;
		} else {
			hit |= fold(pattern.data[i], nocase) == c;
		}
	}
	*p = min(i, pattern.len - 1);
	return hit != inverse;
}

/* One element of the pattern against one byte; *@p moves to the element's last byte. */
static bool match_one(struct pxs_str pattern, u32 *p, u8 c, bool nocase)
{
	switch (pattern.data[*p]) {
	case '?':
		return true;
	case '[':
		return match_class(pattern, p, c, nocase);
	case '\\':
		if (*p + 1 < pattern.len)
			++*p;
		fallthrough;
	default:
		return fold(pattern.data[*p], nocase) == fold(c, nocase);
	}
}

bool pxs_str_match(struct pxs_str pattern, struct pxs_str s, bool nocase)
{
	u32 p = 0, i = 0;
	u32 star = UINT32_MAX;	/* behind the last '*' */
	u32 from = 0;		/* what that star stands for ends here */

	/* As in Redis 7.0: nothing but "" matches "". */
	if (!s.len)
		return !pattern.len;
	/* Only the last star need be tried again: what stood before it has matched. */
	while (i < s.len) {
		if (p < pattern.len && pattern.data[p] == '*') {
			star = ++p;
			from = i;
			continue;
		}
		if (p < pattern.len && match_one(pattern, &p, s.data[i], nocase)) {
			p++;
			i++;
			continue;
		}
		if (star == UINT32_MAX)
			return false;
		p = star;
		i = ++from;
	}
	while (p < pattern.len && pattern.data[p] == '*')
		p++;
	return p == pattern.len;
}

/* CRC16-CCITT (XMODEM), bit by bit: keys are short, and few commands ask. */
static u32 crc16(const u8 *data, u32 len)
{
	u32 crc = 0;
	u32 i, bit;

	for (i = 0; i < len; i++) {
		crc ^= (u32)data[i] << 8;
		for (bit = 0; bit < 8; bit++)
			crc = (crc << 1) ^ (crc & 0x8000 ? 0x11021 : 0);
	}
	return crc;
}

u32 pxs_keyslot(struct pxs_str key)
{
	const u8 *open = memchr(key.data, '{', key.len);
	const u8 *close;

	if (open) {
		open++;
		close = memchr(open, '}', key.len - (size_t)(open - key.data));
		if (close && close > open)
			return crc16(open, (u32)(close - open)) % PXS_KEYSLOTS;
	}
	return crc16(key.data, key.len) % PXS_KEYSLOTS;
}
