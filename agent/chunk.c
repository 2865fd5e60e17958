// SPDX-License-Identifier: GPL-2.0
/*
 * chunk.c - values that are larger than a slot of the log takes
 *
 * Pure: no time, no I/O. chunk.h has the rule and why it holds.
 */
#include "chunk.h"

#include "crc32c.h"

static const u8 magic[8] = { 0x89, 'p', 'x', 's', 'c', 'h', 'k', 0x01 };

_Static_assert(sizeof(struct pxs_chunk_hdr) == 32, "a file format");
_Static_assert((PXS_CHUNKS_MAX - 1) * PXS_CHUNK_BYTES < PXS_WHOLE_MAX &&
	       PXS_CHUNKS_MAX * PXS_CHUNK_BYTES >= PXS_WHOLE_MAX, "chunks of the largest value");

u32 pxs_chunk_count(u32 len)
{
	return (len + PXS_CHUNK_BYTES - 1) / PXS_CHUNK_BYTES;
}

u32 pxs_chunk_size(u32 len, u32 index)
{
	return PXS_CHUNK_HDR + min(len - index * PXS_CHUNK_BYTES, PXS_CHUNK_BYTES);
}

void pxs_chunk_put(u8 *buf, u64 whole, const u8 *value, u32 len, u32 index)
{
	struct pxs_chunk_hdr h = {
		.whole = cpu_to_le64(whole), .len = cpu_to_le32(len), .index = (u8)index,
		.chunks = (u8)pxs_chunk_count(len),
	};

	memcpy(h.magic, magic, sizeof(magic));
	h.crc = cpu_to_le32(pxs_crc32c(0, &h, offsetof(struct pxs_chunk_hdr, crc)));
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), value + index * PXS_CHUNK_BYTES,
	       pxs_chunk_size(len, index) - PXS_CHUNK_HDR);
}

bool pxs_chunk_get(const void *value, size_t len, struct pxs_chunk *c)
{
	struct pxs_chunk_hdr h;

	if (len <= sizeof(h))
		return false;
	memcpy(&h, value, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) || h.reserved || h.reserved2 ||
	    le32_to_cpu(h.crc) != pxs_crc32c(0, &h, offsetof(struct pxs_chunk_hdr, crc)))
		return false;
	*c = (struct pxs_chunk){
		.whole = le64_to_cpu(h.whole), .len = le32_to_cpu(h.len), .index = h.index,
		.chunks = h.chunks, .data = (const u8 *)value + sizeof(h),
		.bytes = (u32)(len - sizeof(h)),
	};
	return c->len > PXS_VALUE_MAX && c->len <= PXS_WHOLE_MAX &&
	       c->chunks == pxs_chunk_count(c->len) && c->index < c->chunks &&
	       len == pxs_chunk_size(c->len, c->index);
}

/* Does @c go on with what is there? */
static bool follows(const struct pxs_join *j, const struct pxs_chunk *c)
{
	return j->chunk.chunks && c->whole == j->chunk.whole && c->len == j->chunk.len &&
	       c->index == j->chunk.index + 1;
}

/* What cannot be told may be what was due. */
static enum pxs_joined join_untold(struct pxs_join *j)
{
	j->begun = true;
	j->untold++;
	j->lost = true;
	if (j->chunk.chunks && ++j->chunk.index + 1 == j->chunk.chunks)
		j->chunk.chunks = 0;
	return PXS_JOIN_PLAIN;
}

enum pxs_joined pxs_chunk_join(struct pxs_join *j, const void *value, size_t len)
{
	bool first = !j->told;
	u32 untold = j->untold;
	struct pxs_chunk c;

	if (!value)
		return join_untold(j);
	j->begun = true;
	j->told = true;
	j->untold = 0;
	if (!pxs_chunk_get(value, len, &c)) {
		j->chunk.chunks = 0;
		return PXS_JOIN_PLAIN;
	}
	if (!c.index || first || c.index <= untold) {
		j->lost = c.index;
	} else if (!follows(j, &c)) {
		j->chunk.chunks = 0;
		return PXS_JOIN_PART;
	}
	memcpy(j->value + c.index * PXS_CHUNK_BYTES, c.data, c.bytes);
	j->chunk = c;
	if (c.index + 1 < c.chunks)
		return PXS_JOIN_PART;
	j->chunk.chunks = 0;
	return j->lost ? PXS_JOIN_LOST : PXS_JOIN_WHOLE;
}
