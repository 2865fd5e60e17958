// SPDX-License-Identifier: GPL-2.0
/*
 * once.c - of all copies of a request in a log, which one counts
 *
 * Pure: no time, no I/O. once.h has the rule and why it holds.
 */
#include "once.h"

#include "chunk.h"
#include "crc32c.h"

static const u8 magic[8] = { 0x89, 'p', 'x', 's', 'o', 'n', 'c', 0x01 };

_Static_assert(sizeof(struct pxs_once_hdr) == PXS_LOG_ID_SIZE, "the public header says so");
_Static_assert(PXS_LOG_VALUE_MAX + PXS_LOG_ID_SIZE == PXS_WHOLE_MAX, "a value with its id");
_Static_assert(PXS_LOG_SLOT_BYTES == PXS_VALUE_MAX, "of a slot");

void pxs_once_put(struct pxs_once_hdr *h, const struct pxs_log_id *id)
{
	memset(h, 0, sizeof(*h));
	memcpy(h->magic, magic, sizeof(magic));
	memcpy(h->client, id->client, sizeof(h->client));
	h->number = cpu_to_le64(id->number);
	h->base = cpu_to_le64(id->base);
	h->crc = cpu_to_le32(pxs_crc32c(0, h, offsetof(struct pxs_once_hdr, crc)));
}

bool pxs_once_get(const void *value, size_t len, struct pxs_log_id *id)
{
	struct pxs_once_hdr h;

	if (len < sizeof(h))
		return false;
	memcpy(&h, value, sizeof(h));
	if (memcmp(h.magic, magic, sizeof(magic)) || h.reserved[0] || h.reserved[1] ||
	    h.reserved[2] ||
	    le32_to_cpu(h.crc) != pxs_crc32c(0, &h, offsetof(struct pxs_once_hdr, crc)))
		return false;
	memcpy(id->client, h.client, sizeof(id->client));
	id->number = le64_to_cpu(h.number);
	id->base = le64_to_cpu(h.base);
	return true;
}

u64 pxs_once_first(u64 from)
{
	return from > PXS_LOG_SPAN ? from - (PXS_LOG_SPAN - 1) : 1;
}

struct pxs_once *pxs_once_new(u64 first, const u8 *random16)
{
	struct pxs_once *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->next = first;
	pxs_seed_from_bytes(&o->seed, random16);
	return o;
}

static u32 *bucket_of(struct pxs_once *o, const u64 *client, u64 number)
{
	return &o->bucket[pxs_siphash_3u64(&o->seed, client[0], client[1], number) % PXS_LOG_SPAN];
}

/* The link to where the id stands in its bucket; to 0 where it does not. */
static u32 *find(struct pxs_once *o, const u64 *client, u64 number)
{
	u32 *p = bucket_of(o, client, number);
	const struct pxs_once_entry *e;

	for (; *p; p = &o->entry[*p - 1].next) {
		e = &o->entry[*p - 1];
		if (e->client[0] == client[0] && e->client[1] == client[1] && e->number == number)
			break;
	}
	return p;
}

static void unlink_at(struct pxs_once *o, u32 *p)
{
	struct pxs_once_entry *e = &o->entry[*p - 1];

	*p = e->next;
	e->slot = 0;
}

bool pxs_once_judge(struct pxs_once *o, u64 slot, const struct pxs_log_id *id)
{
	struct pxs_once_entry *e = &o->entry[slot % PXS_LOG_SPAN];
	u64 client[2];
	bool seen;
	u32 *p;

	pxs_assert(slot == o->next);
	o->next++;
	if (e->slot)	/* SPAN slots ago: it does not matter any more */
		unlink_at(o, find(o, e->client, e->number));
	if (!id)
		return true;
	client[0] = get_unaligned_le64(id->client);
	client[1] = get_unaligned_le64(id->client + 8);
	p = find(o, client, id->number);
	seen = *p;
	if (seen)	/* of equal ones only the latest matters: chains stay short */
		unlink_at(o, p);
	p = bucket_of(o, client, id->number);
	*e = (struct pxs_once_entry){ slot, { client[0], client[1] }, id->number, *p };
	*p = (u32)(e - o->entry) + 1;
	return !seen && slot > id->base && slot - id->base <= PXS_LOG_SPAN;
}
