// SPDX-License-Identifier: GPL-2.0
/*
 * auth.c - signing and checking datagrams with keyed BLAKE2s-128
 */
#include "auth.h"

/* The first bytes of every datagram: they make the hash take in the block that the key fills. */
#define BEGIN	((u32)sizeof(__be32))

/* From byte @from of @hdr on, which @t has not seen yet. */
static void tag_from(struct pxs_tagger *t, u32 from, const struct pxs_wire_hdr *hdr,
		     const u8 *body, u32 len, u8 *tag)
{
	const u32 behind = PXS_WIRE_TAG_OFFSET + PXS_WIRE_TAG_LEN;

	pxs_tag_update(t, (const u8 *)hdr + from, PXS_WIRE_TAG_OFFSET - from);
	pxs_tag_update(t, (const u8 *)hdr + behind, sizeof(*hdr) - behind);
	pxs_tag_update(t, body, len);
	pxs_tag_final(t, tag);
}

static void tag_of(const u8 *key, const struct pxs_wire_hdr *hdr, const u8 *body, u32 len, u8 *tag)
{
	struct pxs_tagger t;

	pxs_tag_init(&t, key);
	tag_from(&t, 0, hdr, body, len, tag);
}

static void tag_by(const struct pxs_key *key, const struct pxs_wire_hdr *hdr, const u8 *body,
		   u32 len, u8 *tag)
{
	struct pxs_tagger t;

	if (!key->begun || hdr->magic != cpu_to_be32(PXS_WIRE_MAGIC)) {
		tag_of(key->bytes, hdr, body, len, tag);
		return;
	}
	t = key->begin;
	tag_from(&t, BEGIN, hdr, body, len, tag);
}

/* Takes the same time wherever the first difference is. */
static bool is_same(const u8 *tag, const struct pxs_wire_hdr *hdr)
{
	u8 diff = 0;
	u32 i;

	for (i = 0; i < PXS_WIRE_TAG_LEN; i++)
		diff |= tag[i] ^ READ_ONCE(hdr->tag[i]);
	return !diff;
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

	tag_of(key, hdr, body, len, tag);
	return is_same(tag, hdr);
}

void pxs_keys_begin(struct pxs_keys *keys)
{
	const __be32 magic = cpu_to_be32(PXS_WIRE_MAGIC);
	u8 i;

	for (i = 0; i < keys->count; i++) {
		pxs_tag_init(&keys->key[i].begin, keys->key[i].bytes);
		pxs_tag_update(&keys->key[i].begin, &magic, BEGIN);
		keys->key[i].begun = true;
	}
}

void pxs_keys_sign(const struct pxs_keys *keys, struct pxs_wire_hdr *hdr, const u8 *body, u32 len)
{
	u8 tag[PXS_WIRE_TAG_LEN];

	tag_by(&keys->key[0], hdr, body, len, tag);
	memcpy(hdr->tag, tag, sizeof(tag));
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
	u8 tag[PXS_WIRE_TAG_LEN];

	if (!key)
		return PXS_GROUP_STAT_BAD_KEY;
	if (!body)
		return PXS_GROUP_STAT_BAD_TAG;
	tag_by(key, hdr, body, len, tag);
	return is_same(tag, hdr) ? 0 : PXS_GROUP_STAT_BAD_TAG;
}
