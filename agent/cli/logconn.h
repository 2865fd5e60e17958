/* SPDX-License-Identifier: GPL-2.0 */
/*
 * logconn.h - connections of `paxsteer log` to daemons (agent/client_proto.h)
 */
#ifndef PXS_CLI_LOGCONN_H
#define PXS_CLI_LOGCONN_H

#include <jansson.h>

#include "client_proto.h"

struct logconn {
	int fd;
	u8 *in;
	u32 in_len, in_room;
	u8 *out;
	u32 out_len, out_room;
};

/* A message received; body points into the connection until the next logconn_next(). */
struct logmsg {
	u8 type, flags;
	u32 group, len;
	u64 id, arg, arg2;
	const u8 *body;
};

/* Return: 0 or -errno. */
int logconn_open(struct logconn *c, const char *path);
void logconn_close(struct logconn *c);

/* Queue a request; logconn_flush() sends what the socket takes. */
int logconn_put(struct logconn *c, u8 type, u8 flags, u32 group, u64 id, u64 arg, u64 arg2,
		const void *body, u32 len);
/* Return: 0, or -errno. Nothing left to send: c->out_len is 0. */
int logconn_flush(struct logconn *c);

/*
 * Read what is there (@wait: at least something); after logconn_next() had no more.
 * Return: 0, -EAGAIN, -EPIPE closed, -EPROTO a message larger than any, -errno.
 */
int logconn_fill(struct logconn *c, bool wait);
/* Return: true and *m, when a whole message has arrived. */
bool logconn_next(struct logconn *c, struct logmsg *m);

/* Ask for STATUS. Return: the parsed JSON, or NULL. */
json_t *logconn_status(struct logconn *c);

/* The entry of @group in a status, or NULL. */
json_t *logconn_group(json_t *status, u32 group);

/*
 * Connect to the one of @paths (NULL-terminated) that leads @group and is ready, within
 * @timeout_ms. Return: index into paths, or -errno: -ENOENT none answers, -EAGAIN nobody leads.
 */
int logconn_leader(struct logconn *c, char *const *paths, u32 group, u32 timeout_ms);

u64 logconn_now_us(void);

#endif /* PXS_CLI_LOGCONN_H */
