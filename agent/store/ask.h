/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ask.h - a member that follows asks the leader: up to which slot has something been decided?
 *
 * It does so as a Redis client of the leader's store (PAXSTEER BARRIER), at the address that the
 * configuration gives that member and with this member's own password. One connection, kept;
 * one question at a time, which answers all reads that wait. What comes back is a point
 * of evidence (fresh.h); an error, silence, or another leader meanwhile is none.
 */
#ifndef PXS_STORE_ASK_H
#define PXS_STORE_ASK_H

#include "../address.h"
#include "../loop.h"
#include "resp_write.h"

#define PXS_ASK_LATE_MS		1000u	/* no answer for so long: connect anew */
#define PXS_ASK_PAUSE_MS	50u	/* between failures */

struct pxs_store;

enum pxs_ask_stage {
	PXS_ASK_IDLE,
	PXS_ASK_CONNECT,
	PXS_ASK_SEND,
	PXS_ASK_RECEIVE,
};

struct pxs_ask {
	struct pxs_op op;	/* one at a time */
	enum pxs_ask_stage stage;
	bool cancelled;
	bool greeted;		/* the password was sent */
	int fd;			/* -1: not connected */
	u8 member;		/* whose store it is: an id */
	struct pxs_address to;	/* ... and where it listened when that was looked up */
	u64 at;			/* ns: before the question went out */
	u64 late;		/* loop time */
	u64 pause;		/* likewise: not before then */
	struct pxs_reply out;
	u32 sent;
	u32 answers;		/* wanted: the last one is the slot */
	u8 in[512];
	u32 len;
	u64 asked;		/* counts */
	u64 failed;
};

void pxs_ask_init(struct pxs_ask *a);

/* Ask member @id, the leader, if no question is out. */
void pxs_ask(struct pxs_store *s, u8 id);

/* What is out for too long, or at who does not lead any more, is given up. */
void pxs_ask_tick(struct pxs_store *s);
void pxs_ask_exit(struct pxs_ask *a);

/*
 * One line of the answer in @data. Return: its bytes, 0: it is not whole. *slot: what an integer
 * says; ~0: a status; *error: it is neither.
 */
u32 pxs_ask_line(const u8 *data, u32 len, u64 *slot, bool *error);

#endif /* PXS_STORE_ASK_H */
