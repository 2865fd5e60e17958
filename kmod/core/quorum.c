// SPDX-License-Identifier: GPL-2.0
/*
 * quorum.c - counting members
 *
 * Pure; the owner of the struct (a group under its lock, an election in the agent's
 * one thread) serialises calls.
 */
#include "quorum.h"

u32 pxs_quorum_count(u64 votes, u8 nmembers)
{
	u32 count = 0;
	u8 i;

	for (i = 0; i < nmembers && i < 64; i++)
		count += votes >> i & 1;
	return count;
}

void pxs_quorum_start(struct pxs_quorum *q, u8 nmembers, u64 ballot)
{
	q->ballot = ballot;
	q->votes = 0;
	q->nmembers = nmembers;
}

bool pxs_quorum_add(struct pxs_quorum *q, u8 member, u64 ballot)
{
	if (!q->ballot || ballot != q->ballot || member >= q->nmembers || member >= 64)
		return false;
	if (q->votes >> member & 1)
		return false;
	q->votes |= 1ull << member;
	return true;
}
