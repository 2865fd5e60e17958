/* SPDX-License-Identifier: GPL-2.0 */
/*
 * once.h - of all copies of a request in a log, which one counts
 *
 * A request has an id: a random client, a number, and a base, a slot that was known to be decided
 * before the request was first sent. It stands in front of the value, so copies are equal byte
 * for byte. The rule, a pure function of the log:
 *
 *	The value at slot S counts if base < S <= base + SPAN, and no slot of the SPAN - 1 before S
 *	has the same client and number.
 *
 * Never twice: two copies of one request that both satisfy the first half are less than SPAN
 * apart, so the second half lets only the first of them through. At least once: if a copy is
 * in (base, base + SPAN], the first such copy counts, as no copy can be older than base: none was
 * sent before base was decided, and what is decided up to there does not change.
 *
 * Only SPAN - 1 slots before S matter. So a reader that starts at any slot and has looked at that
 * many before it judges like one that has read everything, and memory is bounded. Nothing is ever
 * evicted by anything but slots that pass: no reader can forget what another remembers.
 *
 * When logs can be trimmed, SPAN - 1 slots must stay in front of the first that a reader may
 * want, or a checkpoint must hold them.
 */
#ifndef PXS_LIB_ONCE_H
#define PXS_LIB_ONCE_H

#include "paxsteer.h"
#include "platform.h"

#include "siphash.h"

/* In front of the value; integers are little endian. */
struct pxs_once_hdr {
	__u8 magic[8];
	__u8 client[16];
	__le64 number;
	__le64 base;
	__le32 reserved[3];	/* 0 */
	__le32 crc;		/* CRC-32C of what is above */
};

void pxs_once_put(struct pxs_once_hdr *h, const struct pxs_log_id *id);

/* Does a value begin with an id? Return: true and *@id. */
bool pxs_once_get(const void *value, size_t len, struct pxs_log_id *id);

struct pxs_once_entry {
	u64 slot;		/* 0: none */
	u64 client[2];
	u64 number;
	u32 next;		/* in the bucket: index + 1; 0: the last */
};

struct pxs_once {
	u64 next;		/* the slot to be judged next */
	struct pxs_seed seed;	/* ids are the clients' choice: they must not choose the bucket */
	struct pxs_once_entry entry[PXS_LOG_SPAN];	/* of slot S: entry[S % SPAN] */
	u32 bucket[PXS_LOG_SPAN];
};

/* The first slot to look at for judging from @from on. */
u64 pxs_once_first(u64 from);

/* Return: a filter that begins at slot @first, to free(); NULL without memory. */
struct pxs_once *pxs_once_new(u64 first, const u8 *random16);

/*
 * Judge the next slot; every slot in turn, those without an id as well (@id NULL).
 * Return: it counts.
 */
bool pxs_once_judge(struct pxs_once *o, u64 slot, const struct pxs_log_id *id);

#endif /* PXS_LIB_ONCE_H */
