/* SPDX-License-Identifier: GPL-2.0 */
/*
 * str.h - bytes with a length, and what Redis's words make of them
 *
 * Keys, values and arguments are any bytes, zeroes included; nothing here is a C string.
 */
#ifndef PXS_STORE_STR_H
#define PXS_STORE_STR_H

#include "platform.h"

struct pxs_str {
	const u8 *data;
	u32 len;
};

static inline struct pxs_str pxs_str(const char *text)
{
	return (struct pxs_str){ (const u8 *)text, (u32)strlen(text) };
}

static inline bool pxs_str_equal(struct pxs_str a, struct pxs_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.data, b.data, a.len));
}

/* Is it @word, in whatever case? */
bool pxs_str_is(struct pxs_str s, const char *word);

/*
 * A whole number as Redis takes it: one spelling each ("0", "-7"; not "+7", "07", " 7").
 * Return: false for anything else and for what does not fit.
 */
bool pxs_str_int(struct pxs_str s, s64 *value);

/* A float as Redis takes it: strtold(), all of it, no NaN; infinity is one. */
bool pxs_str_float(struct pxs_str s, long double *value);

#define PXS_FLOAT_TEXT	5200	/* the longest long double in decimal, and some */

/* @value as Redis prints it: 17 digits behind the point at most, no zeroes at the end. */
u32 pxs_float_text(long double value, char text[PXS_FLOAT_TEXT]);

/* Redis's pattern: * ? [a-z] [^a] \x. Time is bounded by the product of the lengths. */
bool pxs_str_match(struct pxs_str pattern, struct pxs_str s, bool nocase);

#define PXS_KEYSLOTS	16384u

/* The slot of a key for cluster clients: CRC16 of the key, or of what stands in its first {}. */
u32 pxs_keyslot(struct pxs_str key);

#endif /* PXS_STORE_STR_H */
