/* SPDX-License-Identifier: GPL-2.0 */
/*
 * tag.h - the tag on what members' stores say to each other: loan.h, feed.h
 *
 * Keyed BLAKE2s (RFC 7693) over a head, in which the tag's own bytes are 0, and the data behind it.
 */
#ifndef PXS_STORE_TAG_H
#define PXS_STORE_TAG_H

#include "auth.h"

#define PXS_TAG_LEN	16

/* Make @tag, which may lie in @head: @size bytes. @data need not be aligned. */
void pxs_tag_make(const u8 *key, const void *head, u32 size, const void *data, u32 len, u8 *tag);

/*
 * Is @tag that of the key with id @key_id? @head as above, so a copy whose tag is 0. False also
 * when there is no such key. Takes the same time wherever the first difference is.
 */
bool pxs_tag_holds(const struct pxs_keys *keys, u8 key_id, const u8 *tag, const void *head,
		   u32 size, const void *data, u32 len);

#endif /* PXS_STORE_TAG_H */
