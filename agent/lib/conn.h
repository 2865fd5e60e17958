/* SPDX-License-Identifier: GPL-2.0 */
/*
 * conn.h - a connection to a daemon: messages of agent/client_proto.h, whole and plausible
 */
#ifndef PXS_LIB_CONN_H
#define PXS_LIB_CONN_H

#include "client_proto.h"
#include "io.h"

#define PXS_CONN_ERROR_MAX	1024u		/* words of an ERROR */
#define PXS_CONN_OUT_HIGH	(256u << 10)	/* unsent: put no more */

struct pxs_conn {
	int fd;			/* -1: closed */
	struct pxs_io_watch *watch;
	bool wants_out;
	u8 *in;
	u32 in_pos, in_len, in_room;
	u8 *out;
	u32 out_pos, out_len, out_room;
	u64 put, sent;		/* bytes since it was opened */
};

/* A message received; body points into the connection until the next pxs_conn_fill(). */
struct pxs_answer {
	u8 type, flags;
	u32 group, len;
	u64 id, arg, arg2;
	const u8 *body;
};

/* A request, in the manner of the header. */
struct pxs_req {
	u8 type, flags;
	u32 group;
	u64 id, arg, arg2;
};

void pxs_conn_init(struct pxs_conn *c, struct pxs_io_watch *watch);
/* Return: 0 or -errno. */
int pxs_conn_open(struct pxs_conn *c, const char *path);
void pxs_conn_close(struct pxs_conn *c);	/* twice is once */

static inline bool pxs_conn_is_open(const struct pxs_conn *c)
{
	return c->fd >= 0;
}

static inline u32 pxs_conn_unsent(const struct pxs_conn *c)
{
	return c->out_len - c->out_pos;
}

/* Queue a request whose body is @head and @body. Return: 0 or -ENOMEM. */
int pxs_conn_put(struct pxs_conn *c, const struct pxs_req *req, const void *head, u32 head_len,
		 const void *body, u32 len);
/* Send what the socket takes. Return: 0 or -errno. */
int pxs_conn_flush(struct pxs_conn *c);
/* Read what is there. Return: bytes; 0: nothing for now; -EPIPE: closed; -errno. */
int pxs_conn_fill(struct pxs_conn *c);
/* Return: 1 and *m; 0: there is no whole message; -EPROTO: a daemon does not say that. */
int pxs_conn_next(struct pxs_conn *c, struct pxs_answer *m);

#endif /* PXS_LIB_CONN_H */
