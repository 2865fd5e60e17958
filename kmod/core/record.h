/* SPDX-License-Identifier: GPL-2.0 */
/*
 * record.h - journal records: bytes to host order and back
 *
 * Written by stage.c, read by the agent's recovery and by GROUP_LOAD.
 */
#ifndef PXS_CORE_RECORD_H
#define PXS_CORE_RECORD_H

#include "platform.h"
#include <linux/paxsteer.h>
#include <linux/paxsteer_wire.h>
#include <linux/paxsteer_journal.h>

#define PXS_RECORD_HDR_LEN	((u32)sizeof(struct pxs_journal_record))

struct pxs_record {
	u32 group;
	u32 len;
	u8 type;	/* enum pxs_record_type */
	u8 flags;	/* PXS_ENTRY_NOOP, _CONFIG, _FAULTY; of a TRIM: PXS_TRIM_MEMORY */
	bool lazy;	/* to be staged: nobody waits for the disk to have it; not in its bytes */
	u64 lsn;
	u64 slot;
	u64 ballot;
	const u8 *data;	/* points into the buffer read */
};

enum pxs_record_fault {
	PXS_RECORD_OK = 0,
	PXS_RECORD_SHORT = -1,		/* the buffer ends before the record does */
	PXS_RECORD_BAD_HEADER = -2,	/* nothing in it can be trusted, not even its length */
	/* header intact, value damaged: slot and ballot are known */
	PXS_RECORD_BAD_VALUE = -3,
};

/* Bytes of a record with a value of @len bytes, padding included. */
static inline u32 pxs_record_size(u32 len)
{
	return PXS_RECORD_HDR_LEN + ((len + 7) & ~7u);
}

/* Write only the header of @r, PXS_RECORD_HDR_LEN bytes; sums cover the value @data. */
void pxs_record_header(u8 *buf, const struct pxs_record *r, const void *data);

/* Write header @r, value @data of r->len bytes and padding at @buf; sums are made here. */
u32 pxs_record_put(u8 *buf, const struct pxs_record *r, const void *data);

/*
 * Read the record at @buf of @room bytes into *r.
 * Return: an enum pxs_record_fault. On OK and BAD_VALUE, pxs_record_size(r->len) leads to the next.
 */
int pxs_record_get(const u8 *buf, size_t room, struct pxs_record *r);

#endif /* PXS_CORE_RECORD_H */
