/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loan.h - a piece of a checkpoint on its way to another member
 *
 * piece := struct pxs_loan_head , data [ , slot (8 bytes) , configuration ]
 *
 * Where the log has changed the members, a piece says who they are: the newest configuration that
 * the lender has applied (struct pxs_wire_config, as in the log), and its slot. The image's own
 * slot may be below it, and is never beyond the next one's.
 *
 * All integers are little endian. It goes over a Redis connection, as a bulk string that answers
 * PAXSTEER IMAGE; its tag is that of who holds the cluster's key, over all of it, with the number
 * that who asked has drawn for this answer: it can be neither made up nor given again.
 */
#ifndef PXS_STORE_LOAN_H
#define PXS_STORE_LOAN_H

#include "membership.h"	/* kmod/core */
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
	u8 config;		/* bytes of the configuration; 0: there is none, and no slot */
	u8 reserved[6];		/* 0 */
	u8 tag[PXS_TAG_LEN];	/* over the head with 0 here, and what follows it */
};

#define PXS_LOAN_MAGIC	"PXSLOAN1"
#define PXS_LOAN_CONFIG	(sizeof(__le64) + PXS_MEMBERSHIP_BYTES)	/* at most */
_Static_assert(PXS_MEMBERSHIP_BYTES <= 255, "pxs_loan_head.config is a byte");

/* The same, as numbers. */
struct pxs_loan {
	u64 slot, id, size, offset, nonce;
	u32 group, len;
	u32 config;		/* bytes of the configuration, 0: none */
	u64 config_slot;
};

/* Bytes of a piece behind its head. */
static inline u32 pxs_loan_rest(const struct pxs_loan *l)
{
	return l->len + (l->config ? (u32)sizeof(__le64) + l->config : 0);
}

/*
 * Build the head in front of loan->len bytes that stand behind it, and put @config behind them:
 * there is room for PXS_LOAN_CONFIG bytes.
 */
void pxs_loan_seal(const struct pxs_keys *keys, const u8 cluster[16], const struct pxs_loan *loan,
		   const u8 *config, struct pxs_loan_head *head);

/*
 * Does the piece of @bytes at @head hold? Return: 0; -EBADMSG: it is not one, or not as long as
 * it says; -EKEYREJECTED: not by who holds a key of the cluster, or not as it was sent. The
 * configuration is at pxs_loan_config().
 */
int pxs_loan_open(const struct pxs_keys *keys, const u8 cluster[16],
		  const struct pxs_loan_head *head, u32 bytes, struct pxs_loan *loan);

static inline const u8 *pxs_loan_config(const struct pxs_loan_head *head, const struct pxs_loan *l)
{
	return (const u8 *)(head + 1) + l->len + sizeof(__le64);
}

#endif /* PXS_STORE_LOAN_H */
