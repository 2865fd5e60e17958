// SPDX-License-Identifier: GPL-2.0
/*
 * tag.c - the tag on what members' stores say to each other
 */
#include "tag.h"

#include <blake2.h>

void pxs_tag_make(const u8 *key, const void *head, u32 size, const void *data, u32 len, u8 *tag)
{
	blake2s_state b;

	blake2s_init_key(&b, PXS_TAG_LEN, key, PXS_KEY_LEN);
	blake2s_update(&b, head, size);
	if (len)
		blake2s_update(&b, data, len);
	blake2s_final(&b, tag, PXS_TAG_LEN);
}

static bool same(const u8 *a, const u8 *b)
{
	u8 diff = 0;
	u32 i;

	for (i = 0; i < PXS_TAG_LEN; i++)
		diff |= a[i] ^ b[i];
	return !diff;
}

bool pxs_tag_holds(const struct pxs_keys *keys, u8 key_id, const u8 *tag, const void *head,
		   u32 size, const void *data, u32 len)
{
	u8 want[PXS_TAG_LEN];
	u8 i;

	for (i = 0; i < keys->count; i++) {
		if (keys->key[i].id != key_id)
			continue;
		pxs_tag_make(keys->key[i].bytes, head, size, data, len, want);
		return same(want, tag);
	}
	return false;
}
