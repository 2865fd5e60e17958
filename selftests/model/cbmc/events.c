// SPDX-License-Identifier: GPL-2.0
/*
 * events.c - the first EVENTS events of a member's life, all of them arbitrary
 *
 * Datagrams with every field and byte free, durable points, crashes that lose what is not
 * durable, and recovery by the shipped pxs_group_load(). Beside the rules of proof.c: a
 * crash takes back no promise that left, and no accept.
 */
#include "proof.h"

#define RECORDS		(3 * EVENTS)

struct journal_record {
	struct pxs_record r;
	u8 byte;
};

static struct journal_record journal[RECORDS + 1];	/* by LSN */
static u64 left_promise;	/* highest ballot of a PROMISE or ACCEPTED that left */
static u64 left_slot, left_ballot;	/* one ACCEPTED that left */

void proof_staged(const struct pxs_record *r, const u8 *data)
{
	if (r->lsn > RECORDS)
		return;		/* the stage is said to have no credit then */
	journal[r->lsn].r = *r;
	journal[r->lsn].byte = r->len ? *data : 0;
}

static void begin(void)
{
	struct pxs_group_conf conf;
	u64 lsn;

	proof_conf(&conf);
	memset(slots, 0, sizeof(slots));
	pxs_group_init(&g, &conf, &stage, slots, parked);
	stage.incarnation = conf.member[SELF].incarnation;
	stage.last_lsn = stage.durable_lsn;
	for (lsn = 1; lsn <= stage.durable_lsn; lsn++) {
		journal[lsn].r.data = &journal[lsn].byte;
		if (pxs_group_load(&g, &journal[lsn].r))
			SUPPOSE(0);	/* no memory */
	}
	SUPPOSE(!pxs_group_activate(&g, 0, 0));
}

static void note_left(void)
{
	u32 i;

	for (i = 0; i < out.nsend; i++) {
		const struct pxs_send *send = &out.send[i];

		if (send->type != PXS_WIRE_PROMISE && send->type != PXS_WIRE_ACCEPTED)
			continue;
		if (send->ballot > left_promise)
			left_promise = send->ballot;
		if (send->type != PXS_WIRE_ACCEPTED || left_slot)
			continue;
		left_slot = send->slot;
		left_ballot = send->ballot;
	}
}

static void crash(void)
{
	const struct pxs_slot *s;

	begin();
	ENSURE(g.promised >= left_promise, "a promise that left is taken back by a crash");
	s = pxs_window_at(&g.window, left_slot);
	ENSURE(!left_slot || g.commit >= left_slot || (pxs_window_holds(&g.window, left_slot) &&
	       s->ballot >= left_ballot), "an accept that left is taken back by a crash");
}

int main(void)
{
	u32 i;

	memset(&stage, 0, sizeof(stage));
	begin();
	for (i = 0; i < EVENTS; i++) {
		if (i && nondet_bool())
			crash();
		proof_event();
		note_left();
	}
	crash();
	return 0;
}
