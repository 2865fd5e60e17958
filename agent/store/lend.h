/* SPDX-License-Identifier: GPL-2.0 */
/*
 * lend.h - this member's newest checkpoint, for one that lacks what the logs have no more
 *
 * PAXSTEER IMAGE ID OFFSET NONCE GROUP, from another member (borrow.h): a piece of the checkpoint
 * ID from OFFSET on; ID 0: of the newest. The file stays open while pieces of it are asked for,
 * so that newer checkpoints may take its name meanwhile. One is lent at a time and group: who
 * wants another waits until nobody has asked for PXS_LEND_MS.
 */
#ifndef PXS_STORE_LEND_H
#define PXS_STORE_LEND_H

#include "../loop.h"
#include "loan.h"

#define PXS_LEND_MS	5000u

struct pxs_store;
struct pxs_request;

struct pxs_lend {
	struct pxs_op op;
	struct pxs_request *request;	/* under way; NULL: none */
	int fd;			/* -1: nothing is lent */
	u64 asked;		/* loop time */
	struct pxs_loan loan;
	u8 *buf;		/* a head, PXS_LOAN_BYTES, and PXS_LOAN_CONFIG */
	u64 pieces;		/* count */
};

void pxs_lend_init(struct pxs_lend *l);

/* Return: false: the answer comes later. */
bool pxs_lend(struct pxs_request *r);

/* Let go of what nobody asks for any more. */
void pxs_lend_tick(struct pxs_store *s);
void pxs_lend_exit(struct pxs_lend *l);

#endif /* PXS_STORE_LEND_H */
