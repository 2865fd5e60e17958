// SPDX-License-Identifier: GPL-2.0
/*
 * auth.c - signing and checking datagrams with keyed BLAKE2s-128
 */
#include "auth.h"

static void tag_of(const u8 *key, const struct pxs_wire_hdr *hdr, const u8 *body, u32 len, u8 *tag)
{
	const u32 behind = PXS_WIRE_TAG_OFFSET + PXS_WIRE_TAG_LEN;
	struct pxs_tagger t;

	pxs_tag_init(&t, key);
	pxs_tag_update(&t, hdr, PXS_WIRE_TAG_OFFSET);
	pxs_tag_update(&t, (const u8 *)hdr + behind, sizeof(*hdr) - behind);
	pxs_tag_update(&t, body, len);
	pxs_tag_final(&t, tag);
}

void pxs_auth_sign(const u8 *key, struct pxs_wire_hdr *hdr, const u8 *body, u32 len)
{
	u8 tag[PXS_WIRE_TAG_LEN];

	tag_of(key, hdr, body, len, tag);
	memcpy(hdr->tag, tag, sizeof(tag));
}

bool pxs_auth_holds(const u8 *key, const struct pxs_wire_hdr *hdr, const u8 *body, u32 len)
{
	u8 tag[PXS_WIRE_TAG_LEN];
	u8 diff = 0;
	u32 i;

	tag_of(key, hdr, body, len, tag);
	for (i = 0; i < sizeof(tag); i++)
		diff |= tag[i] ^ READ_ONCE(hdr->tag[i]);
	return !diff;
}
