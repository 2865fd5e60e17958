/* SPDX-License-Identifier: GPL-2.0 */
/*
 * order.h - replies go back in the order of the requests
 *
 * A client's outstanding requests are a queue; only its head's reply is looked at, wherever it
 * comes from. What is read there goes through pxs_order_step(), which finds where the reply ends
 * and says which bytes of it the client gets; replies to the parts of one request become one.
 * Pure; a queue has one user at a time.
 */
#ifndef PXS_CORE_ORDER_H
#define PXS_CORE_ORDER_H

#include "platform.h"
#include "request.h"

/* Outstanding requests, or parts of them, of one client. Power of two. */
#define PXS_ORDER_MAX		512

#define PXS_ORDER_TEXT_MAX	256	/* of an error that stands for several */

/* A caller must be able to hold as much of a reply, or pxs_order_step() may get no further. */
#define PXS_REPLY_HEAD_MAX	4096

struct pxs_outstanding {
	void *from;		/* whose reply is awaited; the caller's; NULL: nobody's */
	const char *text;	/* with from NULL: the reply, or the error in it; static */
	u32 parts;
	u8 reply;		/* enum pxs_reply_kind */
	u8 use;			/* enum pxs_reply_use */
	bool first, last;
};

struct pxs_order {
	struct pxs_outstanding *ring;	/* PXS_ORDER_MAX; the caller's; may be NULL while empty */
	u32 head, tail;		/* head == tail: empty */
	/* Of the head's reply: */
	bool begun;		/* something was said of it */
	bool headed;		/* the client has the header of what is made of several */
	bool in_line;		/* up to the next LF */
	u64 values;		/* RESP: that are to come, nested ones included */
	u64 bulk;		/* bytes to come before anything else is looked at */
	/* Of the parts of one request: */
	bool failed;		/* one had an error */
	u64 sum;
	u32 error_len;
	char error[PXS_ORDER_TEXT_MAX];
};

/* What to do next for the head's reply. */
struct pxs_emit {
	u32 take;		/* bytes of it that are done with */
	u32 pass_from, pass;	/* of them, those for the client */
	u32 text_len;		/* then so many bytes of text, also for the client */
	const char *words;	/* or this, a static text */
	bool done;		/* the reply has ended; the next one is the head */
	bool bad;		/* nothing that is known begins so: give its connection up */
	bool stuck;		/* the client has part of it, and there is no more: give him up */
	char text[PXS_ORDER_TEXT_MAX];
};

static inline u32 pxs_order_len(const struct pxs_order *o)
{
	return o->tail - o->head;
}

static inline bool pxs_order_full(const struct pxs_order *o)
{
	return pxs_order_len(o) >= PXS_ORDER_MAX;
}

/* The oldest, or NULL. */
static inline struct pxs_outstanding *pxs_order_head(const struct pxs_order *o)
{
	return o->head == o->tail ? NULL : &o->ring[o->head % PXS_ORDER_MAX];
}

/* Not when it is full. @cut is a BEGIN. With @from NULL @text is an error, for pxs_order_fail(). */
void pxs_order_push(struct pxs_order *o, void *from, const char *text, const struct pxs_cut *cut);

/* An answer in its place, for pxs_order_fail(). Not when it is full. */
void pxs_order_say(struct pxs_order *o, const char *text);

/*
 * The youngest request, there is one, will never be whole: @text is its reply, NULL: none. Return:
 * false where part of a reply of its backend went to the client.
 */
bool pxs_order_revoke(struct pxs_order *o, const char *text);

/*
 * The next bytes of the head's reply. An emit of no take, text and words: more bytes are needed.
 * Call again until then, also with @len 0: what comes of no byte, comes first.
 */
void pxs_order_step(struct pxs_order *o, const u8 *p, u32 len, struct pxs_emit *emit);

/* Its connection is gone or never was: @text stands for the head's reply. Call until done. */
void pxs_order_fail(struct pxs_order *o, const char *text, struct pxs_emit *emit);

#endif /* PXS_CORE_ORDER_H */
