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

const char *pxs_keys_check(const struct pxs_keys *keys)
{
	if (!keys->count || keys->count > PXS_KEYS_MAX)
		return "a group has one key or two";
	if (keys->count == 2 && keys->key[0].id == keys->key[1].id)
		return "the two keys have the same id";
	return NULL;
}

static const struct pxs_key *find(const struct pxs_keys *keys, u8 id)
{
	u8 i;

	for (i = 0; i < keys->count; i++)
		if (keys->key[i].id == id)
			return &keys->key[i];
	return NULL;
}

const char *pxs_keys_check_change(const struct pxs_keys *old, const struct pxs_keys *keys)
{
	const char *wrong = pxs_keys_check(keys);
	const struct pxs_key *was;
	u8 i;

	for (i = 0; !wrong && i < keys->count; i++) {
		was = find(old, keys->key[i].id);
		if (was && memcmp(was->bytes, keys->key[i].bytes, PXS_KEY_LEN))
			wrong = "a key id in use names another key here: give a new key a new id";
	}
	return wrong;
}

int pxs_keys_verify(const struct pxs_keys *keys, const struct pxs_wire_hdr *hdr, const u8 *body,
		    u32 len)
{
	const struct pxs_key *key = find(keys, hdr->key_id);

	if (!key)
		return PXS_GROUP_STAT_BAD_KEY;
	if (!body || !pxs_auth_holds(key->bytes, hdr, body, len))
		return PXS_GROUP_STAT_BAD_TAG;
	return 0;
}
