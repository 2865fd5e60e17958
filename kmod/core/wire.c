// SPDX-License-Identifier: GPL-2.0
/*
 * wire.c - the only place that knows how a datagram's bytes lie
 *
 * Pure functions over memory that the caller has made contiguous. Every length is
 * checked against the bytes at hand before it is used.
 */
#include "wire.h"

int pxs_wire_parse(const struct pxs_wire_hdr *hdr, size_t size, struct pxs_msg *m)
{
	if (size < PXS_WIRE_HDR_LEN)
		return PXS_NET_STAT_BAD_LENGTH;
	if (hdr->magic != cpu_to_be32(PXS_WIRE_MAGIC))
		return PXS_NET_STAT_BAD_MAGIC;
	if (hdr->version != PXS_WIRE_VERSION || hdr->flags || hdr->reserved)
		return PXS_NET_STAT_BAD_VERSION;
	if (!hdr->type || hdr->type >= __PXS_WIRE_TYPE_MAX)
		return PXS_NET_STAT_BAD_TYPE;
	m->len = be32_to_cpu(hdr->len);
	if (m->len > PXS_WIRE_BODY_MAX || size - PXS_WIRE_HDR_LEN != m->len)
		return PXS_NET_STAT_BAD_LENGTH;
	m->type = hdr->type;
	m->key_id = hdr->key_id;
	m->sender = hdr->sender;
	m->receiver = hdr->receiver;
	m->count = be16_to_cpu(hdr->count);
	m->group = be32_to_cpu(hdr->group);
	memcpy(m->cluster, hdr->cluster, sizeof(m->cluster));
	m->epoch = be64_to_cpu(hdr->epoch);
	m->sender_inc = be64_to_cpu(hdr->sender_inc);
	m->receiver_inc = be64_to_cpu(hdr->receiver_inc);
	m->counter = be64_to_cpu(hdr->counter);
	m->ballot = be64_to_cpu(hdr->ballot);
	m->slot = be64_to_cpu(hdr->slot);
	m->commit = be64_to_cpu(hdr->commit);
	m->arg = be64_to_cpu(hdr->arg);
	return 0;
}

void pxs_wire_build(struct pxs_wire_hdr *hdr, const struct pxs_msg *m)
{
	memset(hdr, 0, sizeof(*hdr));
	hdr->magic = cpu_to_be32(PXS_WIRE_MAGIC);
	hdr->version = PXS_WIRE_VERSION;
	hdr->type = m->type;
	hdr->key_id = m->key_id;
	memcpy(hdr->cluster, m->cluster, sizeof(hdr->cluster));
	hdr->group = cpu_to_be32(m->group);
	hdr->sender = m->sender;
	hdr->receiver = m->receiver;
	hdr->count = cpu_to_be16(m->count);
	hdr->epoch = cpu_to_be64(m->epoch);
	hdr->sender_inc = cpu_to_be64(m->sender_inc);
	hdr->receiver_inc = cpu_to_be64(m->receiver_inc);
	hdr->counter = cpu_to_be64(m->counter);
	hdr->ballot = cpu_to_be64(m->ballot);
	hdr->slot = cpu_to_be64(m->slot);
	hdr->commit = cpu_to_be64(m->commit);
	hdr->arg = cpu_to_be64(m->arg);
	hdr->len = cpu_to_be32(m->len);
}

static bool entry_flags_ok(u8 flags, u32 len)
{
	if (flags & ~(PXS_ENTRY_NOOP | PXS_ENTRY_DECIDED | PXS_ENTRY_FAULTY | PXS_ENTRY_CONFIG))
		return false;
	if (flags & PXS_ENTRY_FAULTY && flags != PXS_ENTRY_FAULTY)
		return false;
	if (flags & PXS_ENTRY_CONFIG)
		return len && !(flags & PXS_ENTRY_NOOP);
	return !len || !(flags & (PXS_ENTRY_NOOP | PXS_ENTRY_FAULTY));
}

int pxs_wire_next(const u8 *body, u32 len, u32 *offset, struct pxs_entry *e)
{
	struct pxs_wire_entry w;
	u32 room, size;

	if (*offset == len)
		return 0;
	if (*offset > len)
		return -EBADMSG;
	room = len - *offset;
	if (room < sizeof(w))
		return -EBADMSG;
	memcpy(&w, body + *offset, sizeof(w));
	e->len = be32_to_cpu(w.len);
	if (e->len > PXS_VALUE_MAX)
		return -EBADMSG;
	size = pxs_wire_entry_size(e->len);
	if (size > room || !entry_flags_ok(w.flags, e->len))
		return -EBADMSG;
	e->slot = be64_to_cpu(w.slot);
	e->ballot = be64_to_cpu(w.ballot);
	e->flags = w.flags;
	e->data = body + *offset + sizeof(w);
	*offset += size;
	return 1;
}

u32 pxs_wire_put(u8 *body, u32 offset, const struct pxs_entry *e)
{
	struct pxs_wire_entry w = {
		.slot = cpu_to_be64(e->slot),
		.ballot = cpu_to_be64(e->ballot),
		.len = cpu_to_be32(e->len),
		.flags = e->flags,
	};
	u32 size = pxs_wire_entry_size(e->len);

	memcpy(body + offset, &w, sizeof(w));
	if (e->len)
		memcpy(body + offset + sizeof(w), e->data, e->len);
	memset(body + offset + sizeof(w) + e->len, 0, size - sizeof(w) - e->len);
	return offset + size;
}

/* May an entry with these flags stand in a message of this type? */
static bool entry_fits_type(const struct pxs_msg *m, const struct pxs_entry *e)
{
	if (!e->ballot || e->slot > (1ull << 62))
		return false;
	switch (m->type) {
	case PXS_WIRE_ACCEPT:
		return e->ballot == m->ballot &&
		       !(e->flags & ~(PXS_ENTRY_NOOP | PXS_ENTRY_CONFIG));
	case PXS_WIRE_LEARN:
		return e->flags & (PXS_ENTRY_FAULTY | PXS_ENTRY_DECIDED);
	default:
		return true;
	}
}

bool pxs_wire_check_body(const struct pxs_msg *m, const u8 *body)
{
	u64 last = m->slot - 1;
	struct pxs_entry e;
	u32 offset = 0;
	u32 n = 0;
	int ret;

	switch (m->type) {
	case PXS_WIRE_LEARN:
		/* "Trimmed at" */
		if (!m->count)
			return !m->len && m->slot && m->arg > m->slot && m->arg <= m->commit + 1;
		break;
	case PXS_WIRE_HELD:
		return !m->len && m->slot && m->slot <= m->commit;
	case PXS_WIRE_ACCEPT:
		if (!m->count)
			return false;
		break;
	case PXS_WIRE_PROMISE:
		break;
	default:
		return !m->len;
	}
	if (!m->slot || m->count > PXS_WIRE_ENTRIES_MAX)
		return false;
	/* The next page begins further on, or there is none. */
	if (m->type == PXS_WIRE_PROMISE && m->arg && m->arg <= m->slot)
		return false;
	while ((ret = pxs_wire_next(body, m->len, &offset, &e)) > 0) {
		bool follows = m->type == PXS_WIRE_PROMISE ? e.slot > last : e.slot == last + 1;

		if (!follows || !entry_fits_type(m, &e))
			return false;
		/* An answer for [slot, arg) holds nothing behind it. */
		if (m->type == PXS_WIRE_PROMISE && m->arg && e.slot >= m->arg)
			return false;
		last = e.slot;
		n++;
	}
	return !ret && n == m->count;
}
