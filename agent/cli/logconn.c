// SPDX-License-Identifier: GPL-2.0
/*
 * logconn.c - connections of `paxsteer log` to daemons
 *
 * Sockets do not block; who wants to wait says so.
 */
#include "logconn.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define HDR		((u32)sizeof(struct pxs_client_hdr))
#define RETRY_MS	50
#define ANSWER_MS	5000

u64 logconn_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

int logconn_open(struct logconn *c, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int err;

	memset(c, 0, sizeof(*c));
	c->fd = -1;
	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	strcpy(sun.sun_path, path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return -errno;
	if (!connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)))
		return 0;
	err = -errno;
	logconn_close(c);
	return err;
}

void logconn_close(struct logconn *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->in);
	free(c->out);
	memset(c, 0, sizeof(*c));
	c->fd = -1;
}

static int reserve(u8 **buf, u32 *room, u32 need)
{
	u8 *grown;

	if (need <= *room)
		return 0;
	grown = realloc(*buf, 2 * (size_t)need);
	if (!grown)
		return -ENOMEM;
	*buf = grown;
	*room = 2 * need;
	return 0;
}

int logconn_put(struct logconn *c, u8 type, u8 flags, u32 group, u64 id, u64 arg, u64 arg2,
		const void *body, u32 len)
{
	struct pxs_client_hdr h = {
		.len = cpu_to_le32(len),
		.type = type,
		.flags = flags,
		.group = cpu_to_le32(group),
		.id = cpu_to_le64(id),
		.arg = cpu_to_le64(arg),
		.arg2 = cpu_to_le64(arg2),
	};

	if (reserve(&c->out, &c->out_room, c->out_len + HDR + len))
		return -ENOMEM;
	memcpy(c->out + c->out_len, &h, HDR);
	if (len)
		memcpy(c->out + c->out_len + HDR, body, len);
	c->out_len += HDR + len;
	return 0;
}

int logconn_flush(struct logconn *c)
{
	ssize_t n;

	while (c->out_len) {
		n = send(c->fd, c->out, c->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return 0;
		if (n < 0)
			return -errno;
		memmove(c->out, c->out + n, c->out_len - (u32)n);
		c->out_len -= (u32)n;
	}
	return 0;
}

/* What stands first says that it is so long. */
static u32 announced(const struct logconn *c)
{
	struct pxs_client_hdr h;

	if (c->in_len < HDR)
		return 0;
	memcpy(&h, c->in, HDR);
	return le32_to_cpu(h.len);
}

int logconn_fill(struct logconn *c, bool wait)
{
	ssize_t n;

	/* It would never be whole, and we would gather without end. */
	if (announced(c) > PXS_CLIENT_BODY_MAX)
		return -EPROTO;
	if (reserve(&c->in, &c->in_room, c->in_len + 65536))
		return -ENOMEM;
	n = recv(c->fd, c->in + c->in_len, c->in_room - c->in_len, wait ? 0 : MSG_DONTWAIT);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (!n)
		return -EPIPE;
	c->in_len += (u32)n;
	return 0;
}

bool logconn_next(struct logconn *c, struct logmsg *m)
{
	struct pxs_client_hdr h;

	/* What was handed out last time is done with. */
	if (m->body) {
		memmove(c->in, c->in + HDR + m->len, c->in_len - HDR - m->len);
		c->in_len -= HDR + m->len;
		m->body = NULL;
	}
	if (c->in_len < HDR)
		return false;
	memcpy(&h, c->in, HDR);
	m->len = le32_to_cpu(h.len);
	if (m->len > PXS_CLIENT_BODY_MAX || c->in_len - HDR < m->len)
		return false;
	m->type = h.type;
	m->flags = h.flags;
	m->group = le32_to_cpu(h.group);
	m->id = le64_to_cpu(h.id);
	m->arg = le64_to_cpu(h.arg);
	m->arg2 = le64_to_cpu(h.arg2);
	m->body = c->in + HDR;
	return true;
}

json_t *logconn_status(struct logconn *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	struct logmsg m = { 0 };
	json_t *status = NULL;

	if (logconn_put(c, PXS_CLIENT_STATUS, 0, 0, 0, 0, 0, NULL, 0) || logconn_flush(c))
		return NULL;
	while (!logconn_next(c, &m))
		if (poll(&p, 1, ANSWER_MS) <= 0 || logconn_fill(c, false))
			return NULL;
	if (m.type == PXS_CLIENT_STATUS_IS)
		status = json_loadb((const char *)m.body, m.len, 0, NULL);
	logconn_next(c, &m);
	return status;
}

json_t *logconn_group(json_t *status, u32 group)
{
	json_t *g;
	size_t i;

	json_array_foreach(json_object_get(status, "groups"), i, g)
		if (json_integer_value(json_object_get(g, "group")) == (json_int_t)group)
			return g;
	return NULL;
}

static bool leads(json_t *status, u32 group)
{
	json_t *g = logconn_group(status, group);

	return g && json_is_true(json_object_get(g, "ready"));
}

int logconn_leader(struct logconn *c, char *const *paths, u32 group, u32 timeout_ms)
{
	u64 deadline = logconn_now_us() + (u64)timeout_ms * 1000;
	struct timespec pause = { .tv_nsec = RETRY_MS * 1000000 };
	json_t *status;
	int i, err;

	for (;;) {
		err = -ENOENT;
		for (i = 0; paths[i]; i++) {
			if (logconn_open(c, paths[i]))
				continue;
			status = logconn_status(c);
			if (status && leads(status, group)) {
				json_decref(status);
				return i;
			}
			if (status)
				err = -EAGAIN;
			json_decref(status);
			logconn_close(c);
		}
		if (logconn_now_us() >= deadline)
			return err;
		nanosleep(&pause, NULL);
	}
}
