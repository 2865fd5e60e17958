/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/*
 * paxsteer_journal.h - records, batches and segments of a journal
 *
 * All integers are little endian. The module writes records; the agent stores the
 * same bytes in batches. A journal is a directory: the file "identity" and segment
 * files "NNNNNNNNNNNNNNNN.pxs" named by their sequence in hex.
 *
 * segment := header block (4096) , batch*
 * batch   := struct pxs_journal_batch , record* , zeroes up to a multiple of 4096
 * record  := struct pxs_journal_record , value , zeroes up to a multiple of 8
 *
 * Why each field is there:
 *   salt     new for each life of a segment file: bytes left from an earlier life
 *            cannot pass for a batch of this one
 *   seq      rises by one a batch, over all segments: a missing batch shows
 *   prev     checksum of the batch before: a misplaced batch shows
 *   durable  LSN that had been confirmed when this batch was built: everything up to
 *            it may have been acknowledged, so damage there is never a torn tail (S5).
 *            A batch without records is a mark: after a pause it says this of the last one,
 *            so durable is first_lsn - 1, and who reads what stands behind a damaged mark can
 *            tell from its prev that no more than this is missing
 *
 * A journal whose first segments were removed begins with a later one; the file "floor" says with
 * which, and how its header must look. It is text, durable before the first of them is unlinked:
 *   paxsteer-floor 1
 *   incarnation 0x...	of the journal, 16 hexadecimal digits
 *   segment N		the first that there is, above 1
 *   first-seq N	as in its header, and so the two below
 *   first-lsn N
 *   prev 0x...		8 hexadecimal digits
 *   crc 0x...		CRC-32C of the lines above
 * One that is damaged, or of another journal, is an error; where there is none, segment 1 comes
 * first. Segments in front of the floor are leftovers, and are unlinked.
 *
 * Versions: PXS_JOURNAL_VERSION rises when a paxsteerd that knows only the former one could take
 * what it reads for something else. Record types, and the floor, came without: who does not know a
 * type takes such a record for damage, who does not know the floor misses segment 1, and both
 * refuse to start. So a journal that was trimmed, has a DURABILITY record, or tells of a change of
 * members, is not for an older paxsteerd; one that has not is.
 */
#ifndef _UAPI_LINUX_PAXSTEER_JOURNAL_H
#define _UAPI_LINUX_PAXSTEER_JOURNAL_H

#include <linux/types.h>

#define PXS_JOURNAL_VERSION	1
#define PXS_JOURNAL_BLOCK	4096
#define PXS_JOURNAL_ID_MAGIC	0x4449535850ULL		/* "PXSID" */
#define PXS_JOURNAL_SEG_MAGIC	0x4745535850ULL		/* "PXSEG" */
#define PXS_JOURNAL_BATCH_MAGIC	0x48435442u		/* "BTCH" */

/* The file "identity", written once, with the directory synced, when a journal is made. */
struct pxs_journal_identity {
	__le64 magic;
	__le32 version;
	__le32 crc;		/* CRC-32C of this struct with crc = 0 */
	__le64 incarnation;	/* random, not 0 */
	__u8 cluster[16];	/* UUID: a journal of another cluster is refused */
	__le32 member;		/* member id: a journal of another member is refused */
	__le32 segment_size;	/* bytes of a segment file, multiple of 4096 */
};

struct pxs_journal_segment {
	__le64 magic;
	__le32 version;
	__le32 crc;		/* CRC-32C of this struct with crc = 0 */
	__le64 incarnation;
	__le64 segment;		/* sequence, from 1, as in the file's name */
	__le64 salt;
	__le64 first_seq;	/* seq of its first batch */
	__le64 first_lsn;	/* LSN of its first record */
	__le32 prev;		/* checksum of the last batch of the segment before */
	__le32 size;
};

struct pxs_journal_batch {
	__le32 magic;
	__le32 crc;		/* CRC-32C of header (crc = 0) and records, without the padding */
	__le32 bytes;		/* of records */
	__le32 count;		/* of records */
	__le64 salt;
	__le64 seq;
	__le64 first_lsn;
	__le64 durable;
	__le32 prev;
	__le32 reserved;	/* 0 */
};

enum pxs_record_type {
	PXS_RECORD_PROMISE = 1,	/* ballot: nothing below it will be accepted, in any slot */
	PXS_RECORD_ACCEPT = 2,	/* slot, ballot, value; implies the promise of ballot */
	PXS_RECORD_DECIDED = 3,	/* slot, ballot, value: learned as chosen; implies no promise */
	PXS_RECORD_COMMIT = 4,	/* slot: every slot up to it is decided; lazy, forces no flush */
	/*
	 * slot = epoch; ballot = the slot of the log that says so; value = struct pxs_wire_config:
	 * these are the members now. Once there is one, the newest counts, and not what the
	 * configuration file says. Who trims a journal keeps the newest. A COMMIT that covers the
	 * slot stands in front of it, and nothing that was done in the epoch does.
	 */
	PXS_RECORD_CONFIG = 5,
	/*
	 * slot = enum pxs_durability: what this member's answers wait for from here on. A journal
	 * whose newest one of a group says memory is that of a member that forgot (S2, S3). Who
	 * trims a journal keeps the newest, as it keeps the highest promise.
	 */
	PXS_RECORD_DURABILITY = 6,
	/*
	 * slot: everything up to it is decided, in a checkpoint, and may be gone (S7); ballot: what
	 * was promised then, 0: nothing; flags: PXS_TRIM_MEMORY. It says the highest promise again,
	 * and the durability, so that the segments that hold those can go.
	 */
	PXS_RECORD_TRIM = 7,
	__PXS_RECORD_MAX
};

#define PXS_TRIM_MEMORY		0x08	/* the newest DURABILITY says memory, not disk */

struct pxs_journal_record {
	__le32 hcrc;		/* CRC-32C of this struct with hcrc = 0 */
	/* CRC-32C of the value: damage there still leaves slot and ballot known (S5) */
	__le32 crc;
	__le32 len;		/* bytes of the value, 0..PXS_VALUE_MAX */
	__le32 group;
	__u8 type;		/* enum pxs_record_type */
	/*
	 * PXS_ENTRY_NOOP, PXS_ENTRY_CONFIG, PXS_ENTRY_FAULTY (only in GROUP_LOAD: no value
	 * follows); of a TRIM PXS_TRIM_MEMORY
	 */
	__u8 flags;
	__le16 reserved[3];	/* 0 */
	__le64 lsn;
	__le64 slot;
	__le64 ballot;
};

#endif /* _UAPI_LINUX_PAXSTEER_JOURNAL_H */
