// SPDX-License-Identifier: GPL-2.0
/*
 * feed.c - eventual writes on their way to another member
 */
#include "feed.h"

/* --- the head --- */

void pxs_feed_seal(const struct pxs_keys *keys, const u8 cluster[16], const struct pxs_feed *f,
		   struct pxs_feed_head *head)
{
	*head = (struct pxs_feed_head){
		.epoch = cpu_to_le64(f->epoch),
		.list = cpu_to_le64(f->list),
		.nonce = cpu_to_le64(f->nonce),
		.echo = cpu_to_le64(f->echo),
		.table = cpu_to_le64(f->table),
		.of = cpu_to_le64(f->of),
		.cursor = cpu_to_le64(f->cursor),
		.head = cpu_to_le64(f->head),
		.group = cpu_to_le32(f->group),
		.len = cpu_to_le32(f->len),
		.kind = f->kind,
		.from = f->from,
		.to = f->to,
		.key_id = keys->key[0].id,
	};
	memcpy(head->magic, PXS_FEED_MAGIC, sizeof(head->magic));
	memcpy(head->cluster, cluster, sizeof(head->cluster));
	pxs_tag_make(keys->key[0].bytes, head, sizeof(*head), head + 1, f->len, head->tag);
}

int pxs_feed_open(const struct pxs_keys *keys, const u8 cluster[16], const void *data, u32 bytes,
		  struct pxs_feed *f)
{
	struct pxs_feed_head h;
	u8 tag[PXS_TAG_LEN];

	if (bytes < sizeof(h))
		return -EBADMSG;
	memcpy(&h, data, sizeof(h));
	memcpy(tag, h.tag, sizeof(tag));
	memset(h.tag, 0, sizeof(h.tag));
	*f = (struct pxs_feed){
		.epoch = le64_to_cpu(h.epoch),
		.list = le64_to_cpu(h.list),
		.nonce = le64_to_cpu(h.nonce),
		.echo = le64_to_cpu(h.echo),
		.table = le64_to_cpu(h.table),
		.of = le64_to_cpu(h.of),
		.cursor = le64_to_cpu(h.cursor),
		.head = le64_to_cpu(h.head),
		.group = le32_to_cpu(h.group),
		.len = le32_to_cpu(h.len),
		.kind = h.kind,
		.from = h.from,
		.to = h.to,
	};
	if (memcmp(h.magic, PXS_FEED_MAGIC, sizeof(h.magic)) || bytes > PXS_FEED_MAX ||
	    f->len != bytes - sizeof(h))
		return -EBADMSG;
	if (memcmp(h.cluster, cluster, sizeof(h.cluster)) ||
	    !pxs_tag_holds(keys, h.key_id, tag, &h, sizeof(h), (const u8 *)data + sizeof(h),
			   f->len))
		return -EKEYREJECTED;
	return 0;
}

/* --- items --- */

bool pxs_feed_knows(const struct pxs_feed_has *has, u32 n, const struct pxs_element *e)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (has[i].member == e->stamp.member && le64_to_cpu(has[i].table) == e->stamp.table)
			return e->origin <= le64_to_cpu(has[i].origin);
	return false;
}

u32 pxs_feed_size(const struct pxs_element *e)
{
	return (u32)sizeof(struct pxs_feed_item) + e->key.len + e->field.len + e->value.len;
}

static u8 *put(u8 *to, struct pxs_str s)
{
	if (s.len)
		memcpy(to, s.data, s.len);
	return to + s.len;
}

u32 pxs_feed_put(u8 *to, const struct pxs_element *e)
{
	struct pxs_feed_item item = {
		.time = cpu_to_le64(e->stamp.time),
		.table = cpu_to_le64(e->stamp.table),
		.origin = cpu_to_le64(e->origin),
		.deadline = cpu_to_le64(e->deadline),
		.key_len = cpu_to_le32(e->key.len),
		.field_len = cpu_to_le32(e->field.len),
		.value_len = cpu_to_le32(e->value.len),
		.member = e->stamp.member,
		.kind = e->kind,
		.dead = e->dead,
	};

	memcpy(to, &item, sizeof(item));
	to = put(to + sizeof(item), e->key);
	to = put(to, e->field);
	put(to, e->value);
	return pxs_feed_size(e);
}

static bool holds(const struct pxs_element *e, const struct pxs_feed_item *item)
{
	if (!e->stamp.time || !e->key.len || e->key.len > PXS_LWW_KEY_MAX ||
	    e->field.len > PXS_LWW_KEY_MAX || e->value.len > PXS_LWW_VALUE_MAX)
		return false;
	if (item->kind > PXS_LWW_FIELD || item->dead > 1)
		return false;
	if (e->kind == PXS_LWW_WHOLE && e->field.len)
		return false;
	if ((e->kind == PXS_LWW_FIELD || e->dead) && e->deadline)
		return false;
	return !e->dead || !e->value.len;
}

int pxs_feed_next(const u8 *data, u32 len, u32 *pos, struct pxs_element *e)
{
	struct pxs_feed_item item;
	u32 left = len - *pos;
	const u8 *at = data + *pos;

	if (!left)
		return 0;
	if (left < sizeof(item))
		return -EBADMSG;
	memcpy(&item, at, sizeof(item));
	left -= (u32)sizeof(item);
	at += sizeof(item);
	*e = (struct pxs_element){
		.stamp = { le64_to_cpu(item.time), le64_to_cpu(item.table), item.member },
		.origin = le64_to_cpu(item.origin),
		.deadline = le64_to_cpu(item.deadline),
		.kind = item.kind,
		.dead = item.dead,
		.key = { at, le32_to_cpu(item.key_len) },
		.field = { NULL, le32_to_cpu(item.field_len) },
		.value = { NULL, le32_to_cpu(item.value_len) },
	};
	if (!holds(e, &item) || (u64)e->key.len + e->field.len + e->value.len > left)
		return -EBADMSG;
	e->field.data = at + e->key.len;
	e->value.data = e->field.data + e->field.len;
	*pos += pxs_feed_size(e);
	return 1;
}
