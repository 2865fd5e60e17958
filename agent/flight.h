/* SPDX-License-Identifier: GPL-2.0 */
/*
 * flight.h - bytes that are being sent, while the next ones gather in another buffer
 *
 * What the ring sends must stay where it is until it is sent, and a buffer that grows moves.
 */
#ifndef PXS_AGENT_FLIGHT_H
#define PXS_AGENT_FLIGHT_H

#include <stdlib.h>

#include "platform.h"

struct pxs_flight {
	u8 *buf;
	u32 len;
	u32 done;		/* of them, sent */
	u32 room;
};

static inline bool pxs_flight_landed(const struct pxs_flight *f)
{
	return f->done == f->len;
}

/*
 * When all is sent, what has gathered in @buf (@len bytes, of @room) takes off, and the buffer of
 * what was sent gathers next. Not while a send is in the ring. Return: there is something to send.
 */
static inline bool pxs_flight_load(struct pxs_flight *f, u8 **buf, u32 *len, u32 *room)
{
	struct pxs_flight landed = *f;

	if (!pxs_flight_landed(f))
		return true;
	f->done = 0;
	f->len = 0;
	if (!*len)
		return false;
	*f = (struct pxs_flight){ .buf = *buf, .len = *len, .room = *room };
	*buf = landed.buf;
	*room = landed.room;
	*len = 0;
	return true;
}

/* All is sent, and nothing follows: a buffer of more than @keep bytes is not kept. */
static inline void pxs_flight_rest(struct pxs_flight *f, u32 keep)
{
	if (!pxs_flight_landed(f) || f->room <= keep)
		return;
	free(f->buf);
	*f = (struct pxs_flight){ .buf = NULL };
}

#endif /* PXS_AGENT_FLIGHT_H */
