/* SPDX-License-Identifier: GPL-2.0 */
/*
 * feed.h - eventual writes on their way to another member
 *
 * ask    := struct pxs_feed_head , { struct pxs_feed_has }
 * answer := struct pxs_feed_head , { struct pxs_feed_item , key , field , value }
 *
 * All integers are little endian. A member asks another one, as a Redis client of it: PAXSTEER
 * FEED and an ask, a bulk string as the answer is. Both carry the tag of who holds the cluster's
 * key. An answer repeats the number that who asked has drawn for it; an ask repeats the number of
 * the answer before it on the same connection, and one that does not gets nothing but such a
 * number (HELLO): neither can be made up, nor given again.
 */
#ifndef PXS_STORE_FEED_H
#define PXS_STORE_FEED_H

#include "lww.h"
#include "tag.h"

#define PXS_FEED_MAGIC	"PXSFEED2"
#define PXS_FEED_BYTES	(256u << 10)	/* of items: no more is added then */

enum pxs_feed_kind {
	PXS_FEED_ASK = 1,
	PXS_FEED_ANSWER = 2,
	PXS_FEED_HELLO = 3,	/* an answer that only says what to repeat */
	PXS_FEED_LAST = 4,	/* an answer, and nothing will be written there any more */
};

struct pxs_feed_head {
	u8 magic[8];		/* PXS_FEED_MAGIC */
	u8 cluster[16];
	__le64 epoch;		/* whose members who says this goes by (eventual_members.c) */
	__le64 list;		/* digest of the eventual prefixes */
	__le64 nonce;		/* drawn by who asks */
	__le64 echo;		/* ASK: of the answer before; else to be repeated */
	__le64 table;		/* of who says this: its random number */
	__le64 of;		/* ASK: the other's table, as far as is known; else: so far the */
				/* stream of who asks, as it calls its table, is merged here */
	__le64 cursor;		/* the stream of who answers is, or will be, merged up to here */
	__le64 head;		/* where the stream of who says this ends */
	__le32 group;
	__le32 len;		/* bytes behind the head */
	u8 kind;		/* enum pxs_feed_kind */
	u8 from, to;		/* ids of members */
	u8 key_id;		/* of the key that made the tag */
	__le32 reserved;	/* 0 */
	u8 tag[PXS_TAG_LEN];	/* over the head with 0 here, and what follows it */
};

/* Who asks has everything that this table has written up to there: it need not be told. */
struct pxs_feed_has {
	__le64 table;
	__le64 origin;
	u8 member;
	u8 reserved[7];		/* 0 */
};

/* An element; on disk too (evdb.h). */
struct pxs_feed_item {
	__le64 time;		/* struct pxs_stamp */
	__le64 table;
	__le64 origin;		/* struct pxs_element */
	__le64 deadline;
	__le32 key_len;		/* 1..PXS_LWW_KEY_MAX */
	__le32 field_len;
	__le32 value_len;	/* ..PXS_LWW_VALUE_MAX */
	u8 member;
	u8 kind;		/* enum pxs_lww_kind */
	u8 dead;		/* 0, 1 */
	u8 reserved;		/* 0 */
};

/* The longest there may be; the last item may begin just below PXS_FEED_BYTES. */
#define PXS_FEED_MAX	(sizeof(struct pxs_feed_head) + PXS_FEED_BYTES + \
			 sizeof(struct pxs_feed_item) + 2 * PXS_LWW_KEY_MAX + PXS_LWW_VALUE_MAX)

/* The head, as numbers. */
struct pxs_feed {
	u64 epoch, list, nonce, echo, table, of, cursor, head;
	u32 group, len;
	u8 kind, from, to;
};

/* Build the head in front of f->len bytes that stand behind it. */
void pxs_feed_seal(const struct pxs_keys *keys, const u8 cluster[16], const struct pxs_feed *f,
		   struct pxs_feed_head *head);

/*
 * Does what stands at @data hold? Return: 0; -EBADMSG: it is not one, or not as long as it says;
 * -EKEYREJECTED: not by who holds a key of the cluster, or not as it was sent.
 */
int pxs_feed_open(const struct pxs_keys *keys, const u8 cluster[16], const void *data, u32 bytes,
		  struct pxs_feed *f);

/* Is it known, of the @n tables of @has, to have @e, or a write behind it? */
bool pxs_feed_knows(const struct pxs_feed_has *has, u32 n, const struct pxs_element *e);

/* Bytes of @e as an item. */
u32 pxs_feed_size(const struct pxs_element *e);

/* Write it to @to, which has room. Return: its bytes. */
u32 pxs_feed_put(u8 *to, const struct pxs_element *e);

/*
 * The item at *@pos of @len bytes; *pos goes behind it, and e->seq is 0. Return: 1; 0: there is no
 * more; -EBADMSG: it is not one.
 */
int pxs_feed_next(const u8 *data, u32 len, u32 *pos, struct pxs_element *e);

#endif /* PXS_STORE_FEED_H */
