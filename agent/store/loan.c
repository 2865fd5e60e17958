// SPDX-License-Identifier: GPL-2.0
/*
 * loan.c - a piece of a checkpoint on its way to another member
 */
#include "loan.h"

#include <blake2.h>

static void sum(const u8 *key, const struct pxs_loan_head *head, u32 len, u8 *tag)
{
	struct pxs_loan_head h = *head;
	blake2s_state b;

	memset(h.tag, 0, sizeof(h.tag));
	blake2s_init_key(&b, sizeof(h.tag), key, PXS_KEY_LEN);
	blake2s_update(&b, (const u8 *)&h, sizeof(h));
	if (len)
		blake2s_update(&b, (const u8 *)(head + 1), len);
	blake2s_final(&b, tag, sizeof(h.tag));
}

void pxs_loan_seal(const struct pxs_keys *keys, const u8 cluster[16], const struct pxs_loan *loan,
		   struct pxs_loan_head *head)
{
	*head = (struct pxs_loan_head){
		.slot = cpu_to_le64(loan->slot),
		.id = cpu_to_le64(loan->id),
		.size = cpu_to_le64(loan->size),
		.offset = cpu_to_le64(loan->offset),
		.nonce = cpu_to_le64(loan->nonce),
		.group = cpu_to_le32(loan->group),
		.len = cpu_to_le32(loan->len),
		.key_id = keys->key[0].id,
	};
	memcpy(head->magic, PXS_LOAN_MAGIC, sizeof(head->magic));
	memcpy(head->cluster, cluster, sizeof(head->cluster));
	sum(keys->key[0].bytes, head, loan->len, head->tag);
}

/* Takes the same time wherever the first difference is. */
static bool same_tag(const u8 *a, const u8 *b)
{
	u8 diff = 0;
	u32 i;

	for (i = 0; i < sizeof(((struct pxs_loan_head *)0)->tag); i++)
		diff |= a[i] ^ b[i];
	return !diff;
}

static bool tag_holds(const struct pxs_keys *keys, const struct pxs_loan_head *head, u32 len)
{
	u8 tag[sizeof(head->tag)];
	u8 i;

	for (i = 0; i < keys->count; i++) {
		if (keys->key[i].id != head->key_id)
			continue;
		sum(keys->key[i].bytes, head, len, tag);
		return same_tag(tag, head->tag);
	}
	return false;
}

int pxs_loan_open(const struct pxs_keys *keys, const u8 cluster[16],
		  const struct pxs_loan_head *head, u32 bytes, struct pxs_loan *loan)
{
	if (bytes < sizeof(*head) || memcmp(head->magic, PXS_LOAN_MAGIC, sizeof(head->magic)))
		return -EBADMSG;
	*loan = (struct pxs_loan){
		.slot = le64_to_cpu(head->slot),
		.id = le64_to_cpu(head->id),
		.size = le64_to_cpu(head->size),
		.offset = le64_to_cpu(head->offset),
		.nonce = le64_to_cpu(head->nonce),
		.group = le32_to_cpu(head->group),
		.len = le32_to_cpu(head->len),
	};
	if (loan->len > PXS_LOAN_BYTES || bytes != sizeof(*head) + loan->len ||
	    loan->offset > loan->size || loan->len > loan->size - loan->offset)
		return -EBADMSG;
	if (memcmp(head->cluster, cluster, sizeof(head->cluster)) ||
	    !tag_holds(keys, head, loan->len))
		return -EKEYREJECTED;
	return 0;
}
