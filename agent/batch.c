// SPDX-License-Identifier: GPL-2.0
/*
 * batch.c - headers of segments and batches, in and out
 *
 * Pure. batch.h is private to scan.c and batch.c; the writer uses scan.h.
 */
#include "batch.h"

#include "crc32c.h"

void pxs_segment_build(void *block, const struct pxs_segment_info *info)
{
	struct pxs_journal_segment *h = block;

	memset(block, 0, PXS_JOURNAL_BLOCK);
	h->magic = cpu_to_le64(PXS_JOURNAL_SEG_MAGIC);
	h->version = cpu_to_le32(PXS_JOURNAL_VERSION);
	h->incarnation = cpu_to_le64(info->incarnation);
	h->segment = cpu_to_le64(info->segment);
	h->salt = cpu_to_le64(info->salt);
	h->first_seq = cpu_to_le64(info->first_seq);
	h->first_lsn = cpu_to_le64(info->first_lsn);
	h->prev = cpu_to_le32(info->prev);
	h->size = cpu_to_le32(info->size);
	h->crc = cpu_to_le32(pxs_crc32c(0, h, sizeof(*h)));
}

bool pxs_segment_parse(const void *block, struct pxs_segment_info *info, u32 *version)
{
	struct pxs_journal_segment h;
	u32 crc;

	memcpy(&h, block, sizeof(h));
	crc = le32_to_cpu(h.crc);
	h.crc = 0;
	if (le64_to_cpu(h.magic) != PXS_JOURNAL_SEG_MAGIC || pxs_crc32c(0, &h, sizeof(h)) != crc)
		return false;
	*version = le32_to_cpu(h.version);
	info->incarnation = le64_to_cpu(h.incarnation);
	info->segment = le64_to_cpu(h.segment);
	info->salt = le64_to_cpu(h.salt);
	info->first_seq = le64_to_cpu(h.first_seq);
	info->first_lsn = le64_to_cpu(h.first_lsn);
	info->prev = le32_to_cpu(h.prev);
	info->size = le32_to_cpu(h.size);
	return true;
}

u32 pxs_batch_build(u8 *buf, struct pxs_batch_info *info)
{
	struct pxs_journal_batch h = {
		.magic = cpu_to_le32(PXS_JOURNAL_BATCH_MAGIC),
		.bytes = cpu_to_le32(info->bytes),
		.count = cpu_to_le32(info->count),
		.salt = cpu_to_le64(info->salt),
		.seq = cpu_to_le64(info->seq),
		.first_lsn = cpu_to_le64(info->first_lsn),
		.durable = cpu_to_le64(info->durable),
		.prev = cpu_to_le32(info->prev),
	};
	u32 used = PXS_BATCH_HDR_LEN + info->bytes;
	u32 size = pxs_batch_size(info->bytes);

	memcpy(buf, &h, sizeof(h));
	info->crc = pxs_crc32c(0, buf, used);
	h.crc = cpu_to_le32(info->crc);
	memcpy(buf, &h, sizeof(h));
	memset(buf + used, 0, size - used);
	return size;
}

bool pxs_batch_parse(const u8 *buf, u32 room, u64 salt, struct pxs_batch_info *info)
{
	struct pxs_journal_batch h;
	u32 crc;

	if (room < PXS_BATCH_HDR_LEN)
		return false;
	memcpy(&h, buf, sizeof(h));
	info->bytes = le32_to_cpu(h.bytes);
	info->count = le32_to_cpu(h.count);
	info->salt = le64_to_cpu(h.salt);
	info->seq = le64_to_cpu(h.seq);
	info->first_lsn = le64_to_cpu(h.first_lsn);
	info->durable = le64_to_cpu(h.durable);
	info->prev = le32_to_cpu(h.prev);
	info->crc = le32_to_cpu(h.crc);
	if (le32_to_cpu(h.magic) != PXS_JOURNAL_BATCH_MAGIC || info->salt != salt)
		return false;
	if (!info->count != !info->bytes || info->bytes > room - PXS_BATCH_HDR_LEN)
		return false;
	h.crc = 0;
	crc = pxs_crc32c(0, &h, sizeof(h));
	crc = pxs_crc32c(crc, buf + PXS_BATCH_HDR_LEN, info->bytes);
	return crc == info->crc;
}
