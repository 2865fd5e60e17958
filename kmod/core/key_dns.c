// SPDX-License-Identifier: GPL-2.0
/*
 * key_dns.c - the name that a DNS query asks for
 *
 * RFC 1035, section 4.1. The key is the name as it is written: labels with dots between,
 * in lower case, because resolvers vary the case to be recognized ("0x20"); the root is
 * ".". See key_parse.h for the rules that all parsers keep. No state; any context.
 */
#include "key_parse.h"

#define DNS_HDR_LEN	12
#define DNS_LABEL_MAX	63
#define DNS_QR		0x80	/* in the third byte: a response */

static bool root(struct pxs_key_buf *buf, struct pxs_slice *key)
{
	buf->bytes[0] = '.';
	key->p = buf->bytes;
	key->len = 1;
	return true;
}

bool pxs_key_dns(struct pxs_slice s, struct pxs_key_buf *buf, struct pxs_slice *key)
{
	u32 at = DNS_HDR_LEN, n = 0, i, label;

	if (s.len < DNS_HDR_LEN || s.p[2] & DNS_QR || !get_unaligned_be16(s.p + 4))
		return false;
	for (;;) {
		if (at >= s.len)
			return false;
		label = s.p[at++];
		if (!label)
			break;
		/* The first name of a message has nothing to point at: no compression. */
		if (label > DNS_LABEL_MAX || label > s.len - at)
			return false;
		if (n + !!n + label > PXS_KEY_NAME_MAX)
			return false;
		if (n)
			buf->bytes[n++] = '.';
		for (i = 0; i < label; i++)
			buf->bytes[n++] = pxs_fold(s.p[at + i]);
		at += label;
	}
	if (!n)
		return root(buf, key);
	key->p = buf->bytes;
	key->len = n;
	return true;
}

bool pxs_key_domain(struct pxs_slice name, struct pxs_key_buf *buf, struct pxs_slice *key)
{
	if (name.len == 1 && name.p[0] == '.')
		return root(buf, key);
	if (name.len && name.p[name.len - 1] == '.')
		name.len--;
	return pxs_key_fold(name, buf, key);
}
