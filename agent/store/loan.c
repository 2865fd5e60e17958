// SPDX-License-Identifier: GPL-2.0
/*
 * loan.c - a piece of a checkpoint on its way to another member
 */
#include "loan.h"

void pxs_loan_seal(const struct pxs_keys *keys, const u8 cluster[16], const struct pxs_loan *loan,
		   const u8 *config, struct pxs_loan_head *head)
{
	__le64 slot = cpu_to_le64(loan->config_slot);
	u8 *end = (u8 *)(head + 1) + loan->len;

	*head = (struct pxs_loan_head){
		.slot = cpu_to_le64(loan->slot),
		.id = cpu_to_le64(loan->id),
		.size = cpu_to_le64(loan->size),
		.offset = cpu_to_le64(loan->offset),
		.nonce = cpu_to_le64(loan->nonce),
		.group = cpu_to_le32(loan->group),
		.len = cpu_to_le32(loan->len),
		.key_id = keys->key[0].id,
		.config = (u8)loan->config,
	};
	if (loan->config) {
		memcpy(end, &slot, sizeof(slot));
		memcpy(end + sizeof(slot), config, loan->config);
	}
	memcpy(head->magic, PXS_LOAN_MAGIC, sizeof(head->magic));
	memcpy(head->cluster, cluster, sizeof(head->cluster));
	pxs_tag_make(keys->key[0].bytes, head, sizeof(*head), head + 1, pxs_loan_rest(loan),
		     head->tag);
}

int pxs_loan_open(const struct pxs_keys *keys, const u8 cluster[16],
		  const struct pxs_loan_head *head, u32 bytes, struct pxs_loan *loan)
{
	struct pxs_loan_head h;

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
		.config = head->config,
	};
	if (loan->len > PXS_LOAN_BYTES || loan->config > PXS_MEMBERSHIP_BYTES ||
	    bytes != sizeof(*head) + pxs_loan_rest(loan) ||
	    loan->offset > loan->size || loan->len > loan->size - loan->offset)
		return -EBADMSG;
	h = *head;
	memset(h.tag, 0, sizeof(h.tag));
	if (memcmp(head->cluster, cluster, sizeof(head->cluster)) ||
	    !pxs_tag_holds(keys, head->key_id, head->tag, &h, sizeof(h), head + 1,
			   pxs_loan_rest(loan)))
		return -EKEYREJECTED;
	if (loan->config)
		loan->config_slot = get_unaligned_le64((const u8 *)(head + 1) + loan->len);
	return 0;
}
