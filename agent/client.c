// SPDX-License-Identifier: GPL-2.0
/*
 * client.c - one connection of the client port
 *
 * Belongs to the loop. Two things outlive a broken connection: operations in the ring
 * and proposals; the struct is freed when both have ended. Answers of one round
 * gather in c->out and leave in one send.
 */
#include "client.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "report.h"

#define HDR	((u32)sizeof(struct pxs_client_hdr))

#define from(ptr, member) \
	((struct pxs_client *)((char *)(ptr) - offsetof(struct pxs_client, member)))

static void kill_client(struct pxs_client *c)
{
	if (c->dead)
		return;
	c->dead = true;
	shutdown(c->fd, SHUT_RDWR);	/* ends what is in the ring */
	c->reading = false;
}

void pxs_client_answer(struct pxs_client *c, u8 type, u8 flags, u32 group, u64 id, u64 arg,
		       u64 arg2, const void *body, u32 len)
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
	u32 need = c->out_len + HDR + len;
	u8 *grown;

	if (c->dead)
		return;
	if (need > c->out_room) {
		grown = realloc(c->out, 2 * (size_t)need);
		if (!grown) {
			kill_client(c);
			return;
		}
		c->out = grown;
		c->out_room = 2 * need;
	}
	memcpy(c->out + c->out_len, &h, HDR);
	if (len)
		memcpy(c->out + c->out_len + HDR, body, len);
	c->out_len = need;
}

void pxs_client_answer_words(struct pxs_client *c, u32 group, u64 id, u32 error,
			     const char *words)
{
	struct pxs_replica *r = pxs_node_replica(c->node, group);

	pxs_client_answer(c, PXS_CLIENT_ERROR, 0, group, id, error, r ? r->elect.leader : 0, words,
			  (u32)strlen(words));
}

static void answer_error(struct pxs_client *c, u32 group, u64 id, u32 error)
{
	pxs_client_answer_words(c, group, id, error, pxs_client_words(error));
}

/* --- TRANSFER -------------------------------------------------------------- */

struct transfer {
	struct pxs_client *client;
	struct pxs_replica *replica;
	u64 id;
	u8 to;
};

static void transfer_done(void *ctx, u32 error)
{
	struct transfer *t = ctx;
	struct pxs_client *c = t->client;
	u32 group = t->replica->id;

	c->appends--;
	if (error)
		pxs_client_answer_words(c, group, t->id, error,
					pxs_transfer_words(t->replica, t->to, error));
	else
		pxs_client_answer(c, PXS_CLIENT_LEADS, 0, group, t->id, t->to, 0, NULL, 0);
	free(t);
}

static void do_transfer(struct pxs_client *c, struct pxs_replica *r,
			const struct pxs_client_hdr *h)
{
	u64 to = le64_to_cpu(h->arg);
	struct transfer *t;
	u32 error;

	t = malloc(sizeof(*t));
	if (!t) {
		answer_error(c, r->id, le64_to_cpu(h->id), PXS_CLIENT_BUSY);
		return;
	}
	*t = (struct transfer){
		.client = c, .replica = r, .id = le64_to_cpu(h->id),
		.to = to > PXS_MEMBER_ID_MAX ? 0 : (u8)to,	/* 0: nobody's */
	};
	c->appends++;	/* it holds the client like one */
	error = pxs_transfer(r, t->to, transfer_done, t);
	if (error)
		transfer_done(t, error);
}

/* --- INDEX ----------------------------------------------------------------- */

struct index {
	struct pxs_client *client;
	u64 id;
	u32 group;
	struct pxs_index_read q;
};

static const char *index_words(u32 error)
{
	switch (error) {
	case PXS_CLIENT_NOT_LEADER:
		return "this member does not lead, or leads no more";
	case PXS_CLIENT_BUSY:
		return "too much in flight, or no quorum says that this member leads";
	default:
		return "the group does not work on this node (see status)";
	}
}

static void index_done(struct pxs_index_read *q, u32 error, u64 slot)
{
	struct index *i = (struct index *)((char *)q - offsetof(struct index, q));
	struct pxs_client *c = i->client;

	c->appends--;
	if (error)
		pxs_client_answer_words(c, i->group, i->id, error, index_words(error));
	else
		pxs_client_answer(c, PXS_CLIENT_INDEX_IS, 0, i->group, i->id, slot, 0, NULL, 0);
	free(i);
}

static void do_index(struct pxs_client *c, struct pxs_replica *r, const struct pxs_client_hdr *h)
{
	struct index *i = calloc(1, sizeof(*i));
	u32 error;

	if (!i) {
		pxs_client_answer_words(c, r->id, le64_to_cpu(h->id), PXS_CLIENT_BUSY,
					index_words(PXS_CLIENT_BUSY));
		return;
	}
	i->client = c;
	i->id = le64_to_cpu(h->id);
	i->group = r->id;
	i->q.done = index_done;
	c->appends++;	/* it holds the client like one */
	error = pxs_replica_read(r, &i->q);
	if (error)
		index_done(&i->q, error, 0);
}

/* --- TRIM ------------------------------------------------------------------ */

struct trim {
	struct pxs_client *client;
	u64 id;
	struct pxs_replica *replica;
	char words[PXS_TRIM_WORDS];
};

static void trim_done(void *ctx, u32 error)
{
	struct trim *t = ctx;
	struct pxs_client *c = t->client;
	u32 group = t->replica->id;

	c->appends--;
	if (error)
		pxs_client_answer_words(c, group, t->id, error, t->words);
	else
		pxs_client_answer(c, PXS_CLIENT_FIRST, 0, group, t->id, t->replica->trim + 1, 0,
				  NULL, 0);
	free(t);
}

static void do_trim(struct pxs_client *c, struct pxs_replica *r, const struct pxs_client_hdr *h)
{
	u64 slot = le64_to_cpu(h->arg);
	struct trim *t = malloc(sizeof(*t));
	u32 error;

	if (!t || !slot || slot > PXS_SLOT_MAX || h->flags & ~PXS_CLIENT_FORCE) {
		free(t);
		answer_error(c, r->id, le64_to_cpu(h->id), PXS_CLIENT_INVALID);
		return;
	}
	*t = (struct trim){ .client = c, .id = le64_to_cpu(h->id), .replica = r };
	c->appends++;	/* it holds the client like one */
	error = pxs_trim_ask(r, slot, h->flags & PXS_CLIENT_FORCE, t->words, trim_done, t);
	if (error)
		trim_done(t, error);
}

/* --- READ ------------------------------------------------------------------ */

static bool read_take(void *ctx, const struct pxs_fetched *v)
{
	struct pxs_client *c = ctx;
	u8 flags = (v->noop ? PXS_CLIENT_NOOP : 0) | (v->faulty ? PXS_CLIENT_DAMAGED : 0);

	if (c->dead || c->out_len > PXS_CLIENT_OUT_HIGH)
		return false;
	pxs_client_answer(c, PXS_CLIENT_VALUE, flags, c->replica->id, c->read_id, v->slot, 0,
			  v->data, v->config ? 0 : v->len);
	c->read_next = v->slot + 1;
	return true;
}

static void end_read(struct pxs_client *c, u32 error)
{
	char words[64];

	c->reading = false;
	snprintf(words, sizeof(words), "this member has no slot below %" PRIu64 " any more",
		 c->replica->trim + 1);
	if (error == PXS_CLIENT_TRIMMED)
		pxs_client_answer_words(c, c->replica->id, c->read_id, error, words);
	else if (error)
		answer_error(c, c->replica->id, c->read_id, error);
	else
		pxs_client_answer(c, PXS_CLIENT_END, 0, c->replica->id, c->read_id,
				  c->replica->applied, 0, NULL, 0);
}

static void read_done(void *ctx, int err)
{
	struct pxs_client *c = ctx;

	c->ops--;
	if (c->reading && err == -ENODATA)
		end_read(c, PXS_CLIENT_TRIMMED);
	else if (c->reading && err)
		end_read(c, PXS_CLIENT_IO);
}

static void do_read(struct pxs_client *c, struct pxs_replica *r, const struct pxs_client_hdr *h)
{
	u64 first = le64_to_cpu(h->arg);
	u64 count = le64_to_cpu(h->arg2);

	if (c->reading || c->fetch.busy || !first || first > PXS_SLOT_MAX) {
		answer_error(c, r->id, le64_to_cpu(h->id), PXS_CLIENT_INVALID);
		return;
	}
	pxs_fetch_exit(&c->fetch);
	pxs_fetch_init(&c->fetch, &c->node->journal, &r->slots);
	c->fetch.take = read_take;
	c->fetch.done = read_done;
	c->fetch.ctx = c;
	c->reading = true;
	c->follow = h->flags & PXS_CLIENT_FOLLOW;
	c->replica = r;
	c->read_id = le64_to_cpu(h->id);
	c->read_next = first;
	c->read_end = PXS_SLOT_MAX;
	if (count && count <= PXS_SLOT_MAX - first)
		c->read_end = first + count - 1;
}

static bool step_read(struct pxs_client *c)
{
	u64 before = c->read_next;
	u64 last;

	if (!c->reading || c->fetch.busy || c->out_len > PXS_CLIENT_OUT_HIGH / 2)
		return false;
	last = min(c->replica->applied, c->read_end);
	if (c->read_next > last) {
		if (c->follow && c->read_next <= c->read_end)
			return false;
		end_read(c, 0);
		return true;
	}
	c->ops++;	/* read_done() takes it back, perhaps at once */
	pxs_fetch_run(&c->fetch, c->read_next, last);
	return before != c->read_next;
}

/* --- requests -------------------------------------------------------------- */

static bool request(struct pxs_client *c, const struct pxs_client_hdr *h, const u8 *body, u32 len)
{
	struct pxs_replica *r;
	char *status;

	if (h->reserved || h->reserved2)
		return false;
	if (h->type == PXS_CLIENT_STATUS) {
		status = pxs_node_status(c->node);
		pxs_client_answer(c, PXS_CLIENT_STATUS_IS, 0, 0, le64_to_cpu(h->id), 0, 0, status,
				  status ? (u32)strlen(status) : 0);
		free(status);
		return true;
	}
	if (h->type != PXS_CLIENT_APPEND && h->type != PXS_CLIENT_READ &&
	    h->type != PXS_CLIENT_TRANSFER && h->type != PXS_CLIENT_WHO &&
	    h->type != PXS_CLIENT_INDEX && h->type != PXS_CLIENT_TRIM &&
	    h->type != PXS_CLIENT_MEMBERS)
		return false;
	r = pxs_node_replica(c->node, le32_to_cpu(h->group));
	if (!r)
		answer_error(c, le32_to_cpu(h->group), le64_to_cpu(h->id), PXS_CLIENT_NO_GROUP);
	else if (h->type == PXS_CLIENT_APPEND)
		pxs_client_append(c, r, h, body, len);
	else if (h->type == PXS_CLIENT_TRANSFER)
		do_transfer(c, r, h);
	else if (h->type == PXS_CLIENT_INDEX)
		do_index(c, r, h);
	else if (h->type == PXS_CLIENT_TRIM)
		do_trim(c, r, h);
	else if (h->type == PXS_CLIENT_MEMBERS)
		pxs_client_members(c, r, h, body, len);
	else if (h->type == PXS_CLIENT_WHO)
		pxs_client_answer(c, PXS_CLIENT_MEMBER,
				  pxs_elect_ready(&r->elect) ? PXS_CLIENT_READY : 0, r->id,
				  le64_to_cpu(h->id), r->applied, r->elect.leader, NULL, 0);
	else
		do_read(c, r, h);
	return true;
}

/*
 * A client that takes no answers, or has much in flight, is not heard for now: neither what it may
 * send, nor what of it was read already. Else a thousand requests for STATUS in one piece would be
 * answered at once.
 */
static bool is_heard(const struct pxs_client *c)
{
	return c->appends < PXS_CLIENT_APPENDS_MAX && c->out_len <= 4 * PXS_CLIENT_OUT_HIGH;
}

static void parse(struct pxs_client *c)
{
	struct pxs_client_hdr h;
	u32 pos = 0;
	u32 len;

	while (!c->dead && c->in_len - pos >= HDR && is_heard(c)) {
		memcpy(&h, c->in + pos, HDR);
		len = le32_to_cpu(h.len);
		if (len > PXS_CLIENT_IN - HDR) {
			kill_client(c);
			return;
		}
		if (c->in_len - pos - HDR < len)
			break;
		if (!request(c, &h, c->in + pos + HDR, len)) {
			kill_client(c);
			return;
		}
		pos += HDR + len;
	}
	memmove(c->in, c->in + pos, c->in_len - pos);
	c->in_len -= pos;
}

static void recv_done(struct pxs_op *op, int res)
{
	struct pxs_client *c = from(op, recv_op);

	c->ops--;
	c->receiving = false;
	if (res <= 0 && res != -EAGAIN && res != -EINTR) {
		kill_client(c);
		return;
	}
	if (res > 0)
		c->in_len += (u32)res;
	parse(c);
}

static void send_done(struct pxs_op *op, int res)
{
	struct pxs_client *c = from(op, send_op);

	c->ops--;
	c->sending = false;
	if (res < 0) {
		kill_client(c);
		return;
	}
	c->flight.done += (u32)res;
}

static void step_send(struct pxs_client *c)
{
	struct io_uring_sqe *sqe;

	if (c->sending || !pxs_flight_load(&c->flight, &c->out, &c->out_len, &c->out_room))
		return;
	sqe = pxs_loop_sqe(&c->node->loop);
	io_uring_prep_send(sqe, c->fd, c->flight.buf + c->flight.done,
			   c->flight.len - c->flight.done, MSG_NOSIGNAL);
	pxs_loop_own(sqe, &c->send_op);
	c->ops++;
	c->sending = true;
}

static void step_recv(struct pxs_client *c)
{
	struct io_uring_sqe *sqe;

	if (c->receiving || !is_heard(c) || c->in_len == PXS_CLIENT_IN)
		return;
	sqe = pxs_loop_sqe(&c->node->loop);
	io_uring_prep_recv(sqe, c->fd, c->in + c->in_len, PXS_CLIENT_IN - c->in_len, 0);
	pxs_loop_own(sqe, &c->recv_op);
	c->ops++;
	c->receiving = true;
}

bool pxs_client_step(struct pxs_client *c)
{
	bool did;

	if (c->dead)
		return false;
	if (!c->receiving)
		parse(c);	/* what waited until it is heard again */
	did = step_read(c);
	if (c->dead)
		return did;
	step_recv(c);
	step_send(c);
	return did;
}

struct pxs_client *pxs_client_new(struct pxs_node *n, int fd)
{
	struct pxs_client *c = calloc(1, sizeof(*c));

	if (c)
		c->in = malloc(PXS_CLIENT_IN);
	if (!c || !c->in) {
		free(c);
		close(fd);
		return NULL;
	}
	c->node = n;
	c->fd = fd;
	c->recv_op.done = recv_done;
	c->send_op.done = send_done;
	c->fetch.fd = -1;
	return c;
}

bool pxs_client_over(const struct pxs_client *c)
{
	return c->dead && !c->ops && !c->appends;
}

void pxs_client_free(struct pxs_client *c)
{
	pxs_fetch_exit(&c->fetch);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c->flight.buf);
	free(c);
}
