/* SPDX-License-Identifier: GPL-2.0 */
/*
 * peer.h - asking another member's store as a Redis client does
 *
 * What ask.c, borrow_get.c and eventual_pull.c have in common.
 */
#ifndef PXS_STORE_PEER_H
#define PXS_STORE_PEER_H

#include "resp_write.h"
#include "str.h"

#define PXS_PEER_LINE_MAX	512	/* of words that refuse; the rest is of no interest */

enum pxs_peer_said {
	PXS_PEER_MORE,		/* *bytes: all that the buffer must hold, 0: not known yet */
	PXS_PEER_REFUSED,	/* in[] is its words, "-...", terminated */
	PXS_PEER_NO_PASSWORD,	/* it answers something else to AUTH */
	PXS_PEER_ODD,		/* no bulk string, a longer one, or something behind it */
	PXS_PEER_BULK,		/* in[] is what it holds, *bytes of it */
};

/* Write what comes before the first question. Return: how many answers it adds, 0 or 1. */
u32 pxs_peer_greet(struct pxs_reply *out, const char *password);

/*
 * Look at @in, *len bytes of answers so far, in a buffer of PXS_PEER_LINE_MAX bytes or more: a +OK
 * for AUTH if *answers is 2 (then it is taken off, and *answers is 1), and a bulk string of @most
 * bytes at most, which is moved to the beginning.
 */
enum pxs_peer_said pxs_peer_look(u8 *in, u32 *len, u32 *answers, u32 most, u32 *bytes);

#endif /* PXS_STORE_PEER_H */
