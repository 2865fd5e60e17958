// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - the only place that knows how a journal record's bytes lie
 */
#include "record.h"
#include "crc32c.h"

void pxs_record_header(u8 *buf, const struct pxs_record *r, const void *data)
{
	struct pxs_journal_record j = {
		.crc = cpu_to_le32(pxs_crc32c(0, data, r->len)),
		.len = cpu_to_le32(r->len),
		.group = cpu_to_le32(r->group),
		.type = r->type,
		.flags = r->flags,
		.lsn = cpu_to_le64(r->lsn),
		.slot = cpu_to_le64(r->slot),
		.ballot = cpu_to_le64(r->ballot),
	};

	j.hcrc = cpu_to_le32(pxs_crc32c(0, &j, sizeof(j)));
	memcpy(buf, &j, sizeof(j));
}

u32 pxs_record_put(u8 *buf, const struct pxs_record *r, const void *data)
{
	u32 size = pxs_record_size(r->len);

	pxs_record_header(buf, r, data);
	if (r->len)
		memcpy(buf + PXS_RECORD_HDR_LEN, data, r->len);
	memset(buf + PXS_RECORD_HDR_LEN + r->len, 0, size - PXS_RECORD_HDR_LEN - r->len);
	return size;
}

static bool header_ok(struct pxs_journal_record *j)
{
	__le32 hcrc = j->hcrc;

	j->hcrc = 0;
	if (le32_to_cpu(hcrc) != pxs_crc32c(0, j, sizeof(*j)))
		return false;
	if (!j->type || j->type >= __PXS_RECORD_MAX)
		return false;
	if (j->flags & ~(j->type == PXS_RECORD_TRIM ? PXS_TRIM_MEMORY :
						      PXS_ENTRY_NOOP | PXS_ENTRY_FAULTY |
						      PXS_ENTRY_CONFIG))
		return false;
	return le32_to_cpu(j->len) <= PXS_VALUE_MAX;
}

int pxs_record_get(const u8 *buf, size_t room, struct pxs_record *r)
{
	struct pxs_journal_record j;

	if (room < sizeof(j))
		return PXS_RECORD_SHORT;
	memcpy(&j, buf, sizeof(j));
	if (!header_ok(&j))
		return PXS_RECORD_BAD_HEADER;
	r->group = le32_to_cpu(j.group);
	r->len = le32_to_cpu(j.len);
	r->type = j.type;
	r->flags = j.flags;
	r->lsn = le64_to_cpu(j.lsn);
	r->slot = le64_to_cpu(j.slot);
	r->ballot = le64_to_cpu(j.ballot);
	r->data = buf + sizeof(j);
	if (room < pxs_record_size(r->len))
		return PXS_RECORD_SHORT;
	if (le32_to_cpu(j.crc) != pxs_crc32c(0, r->data, r->len))
		return PXS_RECORD_BAD_VALUE;
	return PXS_RECORD_OK;
}
