// SPDX-License-Identifier: GPL-2.0
/*
 * conn.c - a connection to a daemon
 *
 * Who sits on the socket is not trusted: a header is judged before a byte of its body is waited
 * for, so that memory is bounded by what a message of its type may have.
 */
#include "conn.h"

#define HDR		((u32)sizeof(struct pxs_client_hdr))
#define READ_BYTES	65536u

void pxs_conn_init(struct pxs_conn *c, struct pxs_io_watch *watch)
{
	memset(c, 0, sizeof(*c));
	c->fd = -1;
	c->watch = watch;
}

int pxs_conn_open(struct pxs_conn *c, const char *path)
{
	int fd = pxs_io_dial(path);
	int err;

	if (fd < 0)
		return fd;
	err = pxs_io_watch_add(c->watch, fd);
	if (err) {
		pxs_io_close(fd);
		return err;
	}
	c->fd = fd;
	return 0;
}

void pxs_conn_close(struct pxs_conn *c)
{
	if (c->fd >= 0)
		pxs_io_close(c->fd);
	free(c->in);
	free(c->out);
	pxs_conn_init(c, c->watch);
}

static int reserve(u8 **buf, u32 *room, u32 need)
{
	u8 *grown;

	if (need <= *room)
		return 0;
	grown = realloc(*buf, need);
	if (!grown)
		return -ENOMEM;
	*buf = grown;
	*room = need;
	return 0;
}

static void shift(u8 *buf, u32 *pos, u32 *len)
{
	if (!*pos)
		return;
	memmove(buf, buf + *pos, *len - *pos);
	*len -= *pos;
	*pos = 0;
}

int pxs_conn_put(struct pxs_conn *c, const struct pxs_req *req, const void *head, u32 head_len,
		 const void *body, u32 len)
{
	struct pxs_client_hdr h = {
		.len = cpu_to_le32(head_len + len),
		.type = req->type,
		.flags = req->flags,
		.group = cpu_to_le32(req->group),
		.id = cpu_to_le64(req->id),
		.arg = cpu_to_le64(req->arg),
		.arg2 = cpu_to_le64(req->arg2),
	};
	u32 size = HDR + head_len + len;
	u8 *p;

	shift(c->out, &c->out_pos, &c->out_len);
	if (c->out_len + size > c->out_room &&
	    reserve(&c->out, &c->out_room, 2 * (c->out_len + size)))
		return -ENOMEM;
	p = c->out + c->out_len;
	memcpy(p, &h, HDR);
	if (head_len)
		memcpy(p + HDR, head, head_len);
	if (len)
		memcpy(p + HDR + head_len, body, len);
	c->out_len += size;
	c->put += size;
	return 0;
}

int pxs_conn_flush(struct pxs_conn *c)
{
	ssize_t n = 0;

	while (n >= 0 && pxs_conn_unsent(c)) {
		n = pxs_io_send(c->fd, c->out + c->out_pos, pxs_conn_unsent(c));
		if (n > 0) {
			c->out_pos += (u32)n;
			c->sent += (u64)n;
		}
	}
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		return (int)n;
	if (c->wants_out != !!pxs_conn_unsent(c)) {
		c->wants_out = !c->wants_out;
		pxs_io_watch_writable(c->watch, c->fd, c->wants_out);
	}
	return 0;
}

/* What a daemon may say: how long the body of an answer of this type may be; -1: no answer. */
static s64 body_max(u8 type)
{
	switch (type) {
	case PXS_CLIENT_APPENDED:
	case PXS_CLIENT_END:
	case PXS_CLIENT_LEADS:
	case PXS_CLIENT_MEMBER:
	case PXS_CLIENT_INDEX_IS:
	case PXS_CLIENT_FIRST:
	case PXS_CLIENT_CHANGED:
		return 0;
	case PXS_CLIENT_ERROR:
		return PXS_CONN_ERROR_MAX;
	case PXS_CLIENT_VALUE:
		return PXS_VALUE_MAX;
	case PXS_CLIENT_STATUS_IS:
		return PXS_CLIENT_BODY_MAX;
	default:
		return -1;
	}
}

/* The header that stands next. Return: 1, 0: not whole, -EPROTO. */
static int look(const struct pxs_conn *c, struct pxs_client_hdr *h)
{
	s64 most;

	if (c->in_len - c->in_pos < HDR)
		return 0;
	memcpy(h, c->in + c->in_pos, HDR);
	most = body_max(h->type);
	if (most < 0 || le32_to_cpu(h->len) > most || h->reserved || h->reserved2)
		return -EPROTO;
	return 1;
}

int pxs_conn_fill(struct pxs_conn *c)
{
	struct pxs_client_hdr h;
	u32 need = READ_BYTES;
	ssize_t n;
	int ret;

	ret = look(c, &h);
	if (ret < 0)
		return ret;
	if (ret)
		need = max(need, HDR + le32_to_cpu(h.len));
	shift(c->in, &c->in_pos, &c->in_len);
	if (reserve(&c->in, &c->in_room, need))
		return -ENOMEM;
	/* Nobody has taken the messages that are there. */
	if (c->in_len == c->in_room)
		return 0;
	n = pxs_io_recv(c->fd, c->in + c->in_len, c->in_room - c->in_len);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (!n)
		return -EPIPE;
	if (n > 0)
		c->in_len += (u32)n;
	return (int)n;
}

int pxs_conn_next(struct pxs_conn *c, struct pxs_answer *m)
{
	struct pxs_client_hdr h;
	int ret = look(c, &h);

	if (ret <= 0)
		return ret;
	m->len = le32_to_cpu(h.len);
	if (c->in_len - c->in_pos - HDR < m->len)
		return 0;
	m->type = h.type;
	m->flags = h.flags;
	m->group = le32_to_cpu(h.group);
	m->id = le64_to_cpu(h.id);
	m->arg = le64_to_cpu(h.arg);
	m->arg2 = le64_to_cpu(h.arg2);
	m->body = c->in + c->in_pos + HDR;
	c->in_pos += HDR + m->len;
	return 1;
}
