/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mandate.h - a change of a group's members, asked for by who holds the cluster's key
 *
 * A daemon takes changes of its members at its socket, from root of its machine. From another
 * machine one comes over a Redis connection, to the member that leads, and with the tag of who
 * holds the cluster's key, over the words and the cluster's id. The words name the configuration
 * epoch that they are for: every change ends it, so no mandate can be carried out twice.
 *
 * words := GROUP EPOCH promote|demote|remove ID
 *        | GROUP EPOCH add ID ADDRESS:PORT INCARNATION STOREPORT	(0: not known)
 *
 * Pure: no I/O, no clock.
 */
#ifndef PXS_STORE_MANDATE_H
#define PXS_STORE_MANDATE_H

#include "member.h"
#include "tag.h"

#define PXS_MANDATE_WORDS	192u	/* bytes, with a 0 */
#define PXS_MANDATE_TAG		(2 * PXS_TAG_LEN + 1u)

struct pxs_mandate {
	u32 group;
	u64 epoch;
	enum pxs_member_op op;
	u8 id;
	struct pxs_wire_member to;	/* of ADD */
};

/* Return: 0 or -EINVAL. */
int pxs_mandate_parse(const char *words, struct pxs_mandate *m);

/* Make the tag of @words, as text. @key: PXS_KEY_LEN bytes. */
void pxs_mandate_sign(const u8 *key, const u8 cluster[16], const char *words,
		      char tag[PXS_MANDATE_TAG]);

/* Is @tag that of one of the keys? */
bool pxs_mandate_holds(const struct pxs_keys *keys, const u8 cluster[16], const char *words,
		       const char *tag);

#endif /* PXS_STORE_MANDATE_H */
