// SPDX-License-Identifier: GPL-2.0
/*
 * store_prefix.c - which keys of a store are eventual ones
 */
#include "store_prefix.h"

#include <blake2.h>

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

const char *pxs_prefix_add(struct pxs_prefixes *p, const char *text)
{
	size_t len = strlen(text);
	u32 i, at;

	if (!len || len > PXS_PREFIX_MAX)
		return "is not 1..32 bytes long";
	for (i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return "has other bytes than letters, digits and punctuation";
	for (i = 0; i < p->n; i++)
		if (begins(text, p->text[i]) || begins(p->text[i], text))
			return "begins with another one, or another one with it";
	if (p->n == PXS_PREFIXES_MAX)
		return "is one more than 16";
	for (at = p->n; at && strcmp(p->text[at - 1], text) > 0; at--)
		memcpy(p->text[at], p->text[at - 1], sizeof(p->text[at]));
	memcpy(p->text[at], text, len + 1);
	p->n++;
	return NULL;
}

/* In their order, each with its end: no two lists are the same bytes. */
void pxs_prefixes_seal(struct pxs_prefixes *p)
{
	blake2s_state b;
	__le64 digest;
	u32 i;

	p->digest = 0;
	if (!p->n)
		return;
	blake2s_init(&b, sizeof(digest));
	for (i = 0; i < p->n; i++)
		blake2s_update(&b, (const u8 *)p->text[i], strlen(p->text[i]) + 1);
	blake2s_final(&b, (u8 *)&digest, sizeof(digest));
	p->digest = le64_to_cpu(digest) | 1;
}

const char *pxs_prefix_of(const struct pxs_prefixes *p, const u8 *key, u32 len)
{
	size_t n;
	u32 i;

	for (i = 0; i < p->n; i++) {
		n = strlen(p->text[i]);
		if (n <= len && !memcmp(p->text[i], key, n))
			return p->text[i];
	}
	return NULL;
}

void pxs_prefixes_format(const struct pxs_prefixes *p, char text[PXS_PREFIXES_TEXT])
{
	size_t at = 0, len;
	u32 i;

	for (i = 0; i < p->n; i++) {
		len = strlen(p->text[i]);
		if (i)
			text[at++] = ' ';
		memcpy(text + at, p->text[i], len);
		at += len;
	}
	text[at] = 0;
}
