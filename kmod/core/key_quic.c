// SPDX-License-Identifier: GPL-2.0
/*
 * key_quic.c - the destination connection id of a QUIC packet
 *
 * RFC 8999, what all versions have in common: a long header says how long its id is; that
 * of a short header only its server knows, so the length is configured. The key is the
 * first KEY_LEN bytes of the id in both. The first packets of a connection carry an id
 * that the client made up, the later ones one that the server chose: they meet when the
 * server begins its ids with those bytes of the client's. See key_parse.h for the rules
 * that all parsers keep. No state; any context.
 */
#include "key_parse.h"

#define QUIC_LONG	0x80
#define QUIC_LONG_ID	6	/* first byte, version, length of the id */

bool pxs_key_quic(const struct pxs_key_spec *spec, struct pxs_slice s, struct pxs_slice *key)
{
	u32 at = 1;

	if (!s.len)
		return false;
	if (s.p[0] & QUIC_LONG) {
		if (s.len < QUIC_LONG_ID || s.p[QUIC_LONG_ID - 1] < spec->len)
			return false;
		at = QUIC_LONG_ID;
	}
	if (s.len - at < spec->len)
		return false;
	key->p = s.p + at;
	key->len = spec->len;
	return true;
}
