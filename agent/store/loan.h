/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loan.h - a piece of a checkpoint on its way to another member
 *
 * piece := struct pxs_loan_head , data
 *
 * All integers are little endian. It goes over a Redis connection, as a bulk string that answers
 * PAXSTEER IMAGE; its tag is that of who holds the cluster's key, over all of it, with the number
 * that who asked has drawn for this answer: it can be neither made up nor given again.
 */
#ifndef PXS_STORE_LOAN_H
#define PXS_STORE_LOAN_H

#include "tag.h"

#define PXS_LOAN_BYTES	(256u << 10)	/* of data, at most */

struct pxs_loan_head {
	u8 magic[8];		/* PXS_LOAN_MAGIC */
	u8 cluster[16];
	__le64 slot;		/* of the checkpoint */
	__le64 id;		/* of this one of that slot: pxs_image_info.id */
	__le64 size;		/* bytes of all of it */
	__le64 offset;		/* of the data in it */
	__le64 nonce;		/* who asked has drawn it */
	__le32 group;
	__le32 len;		/* bytes of data; 0: offset is size */
	u8 key_id;		/* of the key that made the tag */
	u8 reserved[7];		/* 0 */
	u8 tag[PXS_TAG_LEN];	/* over the head with 0 here, and what follows it */
};

#define PXS_LOAN_MAGIC	"PXSLOAN1"

/* The same, as numbers. */
struct pxs_loan {
	u64 slot, id, size, offset, nonce;
	u32 group, len;
};

/* Build the head in front of loan->len bytes that stand behind it. */
void pxs_loan_seal(const struct pxs_keys *keys, const u8 cluster[16], const struct pxs_loan *loan,
		   struct pxs_loan_head *head);

/*
 * Does the piece of @bytes at @head hold? Return: 0; -EBADMSG: it is not one, or not as long as
 * it says; -EKEYREJECTED: not by who holds a key of the cluster, or not as it was sent.
 */
int pxs_loan_open(const struct pxs_keys *keys, const u8 cluster[16],
		  const struct pxs_loan_head *head, u32 bytes, struct pxs_loan *loan);

#endif /* PXS_STORE_LOAN_H */
