/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scan.h - reading a journal back: what is there, what was torn, what is damaged
 *
 * Pure: segments are read through a callback, so that tests and fuzzers give it
 * memory. Format: uapi/linux/paxsteer_journal.h. Rules (S5 of the design, after
 * "Protocol-Aware Recovery", FAST'18):
 *
 *   - what stands behind the last good batch and nothing valid follows is a torn
 *     tail: it was never acknowledged and is cut;
 *   - damage that something valid follows, or that a durable mark covers, is never
 *     cut. Its records are told one by one by their own sums: a record whose header
 *     holds and whose value does not is reported as faulty;
 *   - where not even the records can be told, the scan refuses, with the place.
 */
#ifndef PXS_AGENT_SCAN_H
#define PXS_AGENT_SCAN_H

#include "floor.h"
#include "record.h"

/* A place in a journal: segment number << 32 | byte offset; 0 is "nowhere". */
static inline u64 pxs_pos(u64 segment, u32 offset)
{
	return segment << 32 | offset;
}

static inline u64 pxs_pos_segment(u64 pos)
{
	return pos >> 32;
}

static inline u32 pxs_pos_offset(u64 pos)
{
	return (u32)pos;
}

#define PXS_SEGMENT_MIN		65536u		/* holds a few of the largest records */
#define PXS_SEGMENT_MAX		(256u << 20)	/* recovery reads a segment as a whole */
#define PXS_SEGMENT_DEFAULT	(64u << 20)

struct pxs_scan_source {
	void *ctx;
	u32 count;		/* segment files, in ascending order of their numbers */
	u64 (*number)(void *ctx, u32 i);
	u64 (*size)(void *ctx, u32 i);
	/* Read @len bytes of segment @i at @offset. Return: 0 or -errno. */
	int (*read)(void *ctx, u32 i, u64 offset, void *buf, u32 len);
};

struct pxs_scan;

struct pxs_scan_sink {
	void *ctx;
	/*
	 * One record, in LSN order; PXS_ENTRY_FAULTY in r->flags: its value is damaged.
	 * Return: 0, or -errno to stop.
	 */
	int (*record)(void *ctx, const struct pxs_record *r, u64 pos);
	void (*progress)(void *ctx, u64 segment, u64 lsn);	/* per segment; or NULL */
	/*
	 * All was told, and nothing of it was changed yet; or NULL. Return: 0, or -errno with
	 * s->error: this journal will not do.
	 */
	int (*ended)(void *ctx, struct pxs_scan *s);
};

struct pxs_scan {
	/* in */
	u64 incarnation;
	u32 segment_size;
	u64 confirmed;		/* LSN known from elsewhere to have been confirmed; 0: unknown */
	struct pxs_floor floor;	/* where it begins; segment 0 or 1: with segment 1 */

	/* out */
	u64 next_lsn;		/* first LSN that the journal lacks */
	u64 next_seq;
	u32 prev;		/* checksum of the last batch */
	u64 segment;		/* number of the last segment begun; 0: none */
	u64 salt;		/* of that segment */
	u32 offset;		/* where its next batch goes */
	u64 spare;		/* number of a prepared segment behind it; 0: none */
	u64 cut_from;		/* pos: zero from here to the segment's end before use; 0: no */
	bool cut_spare;		/* zero the whole spare before use */
	u64 batches;
	u64 faulty;		/* records with damaged values */
	u64 damaged;		/* batches that did not verify, torn tail excluded */
	char error[320];	/* why the scan refused */
};

/* Return: 0, or -errno with s->error: -EBADMSG damage, -EKEYREJECTED not this journal, ... */
int pxs_scan(struct pxs_scan *s, const struct pxs_scan_source *src,
	     const struct pxs_scan_sink *sink);

/* Fill a header block; used by the writer and by tests. @block has PXS_JOURNAL_BLOCK bytes. */
struct pxs_segment_info {
	u64 incarnation;
	u64 segment;
	u64 salt;
	u64 first_seq;
	u64 first_lsn;
	u32 prev;
	u32 size;
};

void pxs_segment_build(void *block, const struct pxs_segment_info *info);

/* Header of a batch in host order. */
struct pxs_batch_info {
	u32 bytes;
	u32 count;
	u64 salt;
	u64 seq;
	u64 first_lsn;
	u64 durable;
	u32 prev;
	u32 crc;	/* out */
};

#define PXS_BATCH_HDR_LEN	((u32)sizeof(struct pxs_journal_batch))

/*
 * Write @info before the records that stand at @buf + PXS_BATCH_HDR_LEN, zero the
 * padding, set info->crc. Return: bytes in all, a multiple of PXS_JOURNAL_BLOCK; @buf has room.
 */
u32 pxs_batch_build(u8 *buf, struct pxs_batch_info *info);

static inline u32 pxs_batch_size(u32 bytes)
{
	return (PXS_BATCH_HDR_LEN + bytes + PXS_JOURNAL_BLOCK - 1) & ~(PXS_JOURNAL_BLOCK - 1u);
}

#endif /* PXS_AGENT_SCAN_H */
