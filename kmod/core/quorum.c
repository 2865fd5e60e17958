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

const char *pxs_quorum_check(u8 voters, u8 phase1, u8 phase2)
{
	u32 majority = pxs_quorum_size(voters);

	if (!phase1 && !phase2)
		return NULL;
	if (!phase1 || !phase2)
		return "phase1 and phase2 are said together, or neither is";
	if (phase2 > majority)
		return "phase2 is more than a majority of those who vote";
	if (phase1 < majority)
		return "phase1 is less than a majority of those who vote";
	if (phase1 > voters)
		return "phase1 is more than there are voters";
	if (phase1 + phase2 <= voters)
		return "phase1 and phase2 together must be more than there are voters";
	return NULL;
}

void pxs_quorum_start(struct pxs_quorum *q, struct pxs_electorate of, u64 ballot)
{
	q->ballot = ballot;
	q->votes = 0;
	q->nmembers = of.voters;
	q->enough = of.enough;
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
