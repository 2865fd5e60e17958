/* SPDX-License-Identifier: GPL-2.0 */
/*
 * auth.h - the tag of a datagram, and the keys that may have made it
 *
 * Who holds the cluster's key may speak; paxsteer_wire.h says what is covered. The key
 * has PXS_KEY_LEN bytes, the body @len; both must be contiguous.
 *
 * Two keys are valid at once while one takes over from the other: first all members accept the
 * new one, then all sign with it, then all forget the old one.
 */
#ifndef PXS_CORE_AUTH_H
#define PXS_CORE_AUTH_H

#include "platform.h"
#include <linux/paxsteer.h>
#include <linux/paxsteer_wire.h>

#define PXS_KEYS_MAX	2

struct pxs_key {
	u8 id;		/* names it in each datagram */
	bool begun;	/* begin is set; as secret as the key */
	u8 bytes[PXS_KEY_LEN];
	struct pxs_tagger begin;	/* after the key and what every datagram begins with */
};

/* The first one signs, all are accepted. Replaced whole: a reader sees the old or the new. */
struct pxs_keys {
	u8 count;
	struct pxs_key key[PXS_KEYS_MAX];
};

/* Return: NULL, or what is wrong with @keys, for the user's eyes. */
const char *pxs_keys_check(const struct pxs_keys *keys);

/*
 * May @keys take the place of @old? An id must not change its meaning: half of the members would
 * refuse the other half until the last one has changed. Return: NULL, or what is wrong.
 */
const char *pxs_keys_check_change(const struct pxs_keys *old, const struct pxs_keys *keys);

/*
 * Optional, once they are whole: what the tags of all datagrams begin with is worked out now, and
 * each of them costs a block less: a third, of most.
 */
void pxs_keys_begin(struct pxs_keys *keys);

/*
 * Does the datagram hold under the key that it names? @body is NULL where it cannot be had.
 * Return: 0, or PXS_GROUP_STAT_BAD_KEY or _BAD_TAG to count.
 */
int pxs_keys_verify(const struct pxs_keys *keys, const struct pxs_wire_hdr *hdr, const u8 *body,
		    u32 len);

/* Put the tag over @hdr, as it is, and @body into @hdr: by the key that signs. */
void pxs_keys_sign(const struct pxs_keys *keys, struct pxs_wire_hdr *hdr, const u8 *body, u32 len);

/* The same by a key alone: put the tag over @hdr, as it is, and @body into @hdr. */
void pxs_auth_sign(const u8 *key, struct pxs_wire_hdr *hdr, const u8 *body, u32 len);

/* Does @hdr carry the right tag? Takes the same time wherever the first difference is. */
bool pxs_auth_holds(const u8 *key, const struct pxs_wire_hdr *hdr, const u8 *body, u32 len);

#endif /* PXS_CORE_AUTH_H */
