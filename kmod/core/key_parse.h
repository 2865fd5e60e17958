/* SPDX-License-Identifier: GPL-2.0 */
/*
 * key_parse.h - what the parsers of keys have in common; for key*.c alone
 *
 * A parser gets the payload's first bytes, cut at PXS_KEY_PEEK_MAX, and finds the key in
 * them. It reads bytes that strangers wrote: each index is proven below the length before
 * it is read. A key that may go on behind what is there is not found, never shortened. A
 * key that is spelled in several ways is written into the buffer in one of them.
 */
#ifndef PXS_CORE_KEY_PARSE_H
#define PXS_CORE_KEY_PARSE_H

#include "key.h"

/* A piece of the payload, or of a struct pxs_key_buf. */
struct pxs_slice {
	const u8 *p;
	u32 len;
};

/* Longest key that is rewritten: a host or domain name has at most 253 characters. */
#define PXS_KEY_NAME_MAX	253

struct pxs_key_buf {
	u8 bytes[PXS_KEY_NAME_MAX + 1];
};

/*
 * Take the next word off @s: past blanks, up to a blank or the end of the line, which
 * must be there: without it the word might go on in bytes that we don't have.
 */
static inline bool pxs_next_word(struct pxs_slice *s, struct pxs_slice *word)
{
	u32 from, to;

	for (from = 0; from < s->len && s->p[from] == ' '; from++)
		;
	for (to = from; to < s->len; to++)
		if (s->p[to] == ' ' || s->p[to] == '\r' || s->p[to] == '\n')
			break;
	if (to == from || to == s->len)
		return false;
	word->p = s->p + from;
	word->len = to - from;
	s->p += to;
	s->len -= to;
	return true;
}

/* ASCII only, whatever the locale. */
static inline u8 pxs_fold(u8 c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/* Is @s @word (lower case, terminated), in whatever case? */
static inline bool pxs_same_word(const struct pxs_slice *s, const char *word)
{
	u32 i;

	for (i = 0; i < s->len; i++)
		if (!word[i] || pxs_fold(s->p[i]) != (u8)word[i])
			return false;
	return !word[i];
}

/* @s, decimal digits alone. Return: false when it is none, or above @max. */
static inline bool pxs_word_number(const struct pxs_slice *s, u32 max, u32 *n)
{
	u64 value = 0;
	u32 i;

	if (!s->len || s->len > 10)
		return false;
	for (i = 0; i < s->len; i++) {
		if (s->p[i] < '0' || s->p[i] > '9')
			return false;
		value = value * 10 + (s->p[i] - '0');
	}
	*n = (u32)value;
	return value <= max;
}

/* memcached's text protocol forbids blanks and control characters in a key. */
static inline bool pxs_memcached_key_ok(const struct pxs_slice *key)
{
	u32 i;

	if (!key->len || key->len > PXS_KEY_BYTES_MAX)
		return false;
	for (i = 0; i < key->len; i++)
		if (key->p[i] <= ' ' || key->p[i] == 0x7f)
			return false;
	return true;
}

/* @s in lower case. Return: false when it is too long. */
bool pxs_key_fold(struct pxs_slice s, struct pxs_key_buf *buf, struct pxs_slice *key);

/* Redis' hash tag: what is between the first { and the next } if that is something, else all. */
struct pxs_slice pxs_key_tag(struct pxs_slice key);

bool pxs_key_memcached(const struct pxs_key_spec *spec, struct pxs_slice s,
		       struct pxs_slice *key);
bool pxs_key_dns(struct pxs_slice s, struct pxs_key_buf *buf, struct pxs_slice *key);
bool pxs_key_redis(struct pxs_slice s, struct pxs_slice *key);
bool pxs_key_http_host(struct pxs_slice s, struct pxs_key_buf *buf, struct pxs_slice *key);
bool pxs_key_http_path(struct pxs_slice s, struct pxs_slice *key);
bool pxs_key_quic(const struct pxs_key_spec *spec, struct pxs_slice s, struct pxs_slice *key);

/* A host as an operator or a request writes it: lower case, without port and last dot. */
bool pxs_key_host(struct pxs_slice host, struct pxs_key_buf *buf, struct pxs_slice *key);

/* A target of HTTP without query and fragment. */
struct pxs_slice pxs_key_path(struct pxs_slice target);

/* A domain name as an operator writes it: lower case, without the last dot. */
bool pxs_key_domain(struct pxs_slice name, struct pxs_key_buf *buf, struct pxs_slice *key);

#endif /* PXS_CORE_KEY_PARSE_H */
