/* SPDX-License-Identifier: GPL-2.0 */
/*
 * transfer.h - leadership is handed to another member, because somebody asked for it
 *
 * The datapath does it; here is who asked, and what is answered. One at a time for a group.
 */
#ifndef PXS_AGENT_TRANSFER_H
#define PXS_AGENT_TRANSFER_H

#include "platform.h"

struct pxs_replica;

struct pxs_transfer {
	/* @error: enum pxs_client_error, 0: the member leads. NULL: nobody waits. */
	void (*done)(void *ctx, u32 error);
	void *ctx;
	u8 to;			/* member id */
	u64 ballot;		/* ours, with which we led */
	u64 deadline;
	bool resumed;
};

/* Return: 0, then @done will be called, perhaps at once; or an enum pxs_client_error. */
u32 pxs_transfer(struct pxs_replica *r, u8 member, void (*done)(void *ctx, u32 error), void *ctx);

/* What an error of it means, in words, where leadership was to go to @member. */
const char *pxs_transfer_words(const struct pxs_replica *r, u8 member, u32 error);

/* A leader event, after the election was told. */
void pxs_transfer_event(struct pxs_replica *r, u8 event, u64 ballot);

/* Once a round. Return: did something. */
bool pxs_transfer_step(struct pxs_replica *r);

/* No answer will come any more. */
void pxs_transfer_abandon(struct pxs_replica *r);

#endif /* PXS_AGENT_TRANSFER_H */
