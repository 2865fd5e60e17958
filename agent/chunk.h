/* SPDX-License-Identifier: GPL-2.0 */
/*
 * chunk.h - values that are larger than a slot of the log takes
 *
 * A slot takes PXS_VALUE_MAX bytes, as a value with all around it is to fit into one datagram. A
 * larger one is written by the leader's daemon (client_append.c) in chunks, and put together by
 * who reads it (lib/subscribe.c):
 *
 *	slot      7        8        9        10
 *	      chunk 0  chunk 1  chunk 2      the value stands at 9, its last chunk's slot
 *
 * The rule, a pure function of the log: a value of N chunks stands at slot S if chunk I of it is
 * at S - N + 1 + I, for each I. Whatever else is between them - an empty slot, a change of the
 * members, another value - shows that a leader has changed or died on the way: then there is no
 * value, and never will be, as slots do not change. So a reader keeps one value, and everybody
 * agrees, wherever he begins: from a chunk, by its index, he knows where the first one is.
 */
#ifndef PXS_AGENT_CHUNK_H
#define PXS_AGENT_CHUNK_H

#include <linux/paxsteer.h>

#include "platform.h"

/* In front of each chunk; integers are little endian. */
struct pxs_chunk_hdr {
	__u8 magic[8];
	__le64 whole;		/* random: all chunks of one value have the same, no others */
	__le32 len;		/* bytes of the whole value, PXS_VALUE_MAX + 1..PXS_WHOLE_MAX */
	__u8 index;		/* 0..chunks - 1 */
	__u8 chunks;		/* as @len says: 2..PXS_CHUNKS_MAX */
	__le16 reserved;	/* 0 */
	__le32 reserved2;	/* 0 */
	__le32 crc;		/* CRC-32C of what is above */
};

#define PXS_CHUNK_HDR	((u32)sizeof(struct pxs_chunk_hdr))
/* Bytes of the value in each chunk; in the last one, what is left. */
#define PXS_CHUNK_BYTES	(PXS_VALUE_MAX - PXS_CHUNK_HDR)
/* 64 KiB, and what a request's id takes (lib/once.h). */
#define PXS_WHOLE_MAX	(65536u + 56u)
#define PXS_CHUNKS_MAX	5u

struct pxs_chunk {
	u64 whole;
	u32 len, index, chunks;
	const u8 *data;
	u32 bytes;
};

/* Chunks of a value of @len bytes, PXS_VALUE_MAX + 1..PXS_WHOLE_MAX. */
u32 pxs_chunk_count(u32 len);

/* Bytes that chunk @index of it takes in the log, with its header. */
u32 pxs_chunk_size(u32 len, u32 index);

/* Write chunk @index of @value into @buf, pxs_chunk_size() bytes. */
void pxs_chunk_put(u8 *buf, u64 whole, const u8 *value, u32 len, u32 index);

/* Is a value of the log a chunk? Return: true and *@c, whose data is in @value. */
bool pxs_chunk_get(const void *value, size_t len, struct pxs_chunk *c);

enum pxs_joined {
	PXS_JOIN_PLAIN,		/* not a chunk: the value is as it stands */
	PXS_JOIN_PART,		/* a chunk; the value ends later, or is none */
	PXS_JOIN_WHOLE,		/* the last one of a value: join->value, join->chunk.len bytes */
	PXS_JOIN_LOST,		/* the last one of what, or a part of it, cannot be told */
};

/*
 * A reader's. Zeroed, with a buffer, in front of the first slot. A slot that it cannot be told
 * may hold whatever chunk is missing there, and so may the slots in front of the first one.
 */
struct pxs_join {
	u8 *value;		/* PXS_WHOLE_MAX bytes */
	bool begun;		/* a slot was seen */
	bool told;		/* ... and was told */
	u32 untold;		/* so many in a row, up to here, were not */
	bool lost;		/* a part of what goes on was not told */
	struct pxs_chunk chunk;	/* the last one; chunks 0: the last slot was none that goes on */
};

/*
 * The next slot, each in turn; @len 0: it has no value; @value NULL: it is damaged, and what it
 * holds cannot be told.
 */
enum pxs_joined pxs_chunk_join(struct pxs_join *j, const void *value, size_t len);

#endif /* PXS_AGENT_CHUNK_H */
