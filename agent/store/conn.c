// SPDX-License-Identifier: GPL-2.0
/*
 * conn.c - a client's bytes in and out; requests in their order
 *
 * Requests of a connection stand in one list, in the order in which they came, and are answered
 * in that order. Writes may be under way many at a time: they get their slots in order. What
 * is bounded: bytes and requests under way of each client (it is not read from meanwhile), answers
 * that it does not take (it is cut off), and the sum over all clients (the largest is cut off).
 */
#include "store.h"

#include <ctype.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../report.h"

#define HTTP_SAY_MS	60000	/* a page can ask for it as often as it likes */

#define from(ptr, member) \
	((struct pxs_conn *)((char *)(ptr) - offsetof(struct pxs_conn, member)))

void pxs_conn_kill(struct pxs_conn *c)
{
	if (c->dead)
		return;
	c->dead = true;
	shutdown(c->fd, SHUT_RDWR);	/* ends what is in the ring */
	pxs_conn_ready(c);
}

/* --- requests ---------------------------------------------------------------- */

static struct pxs_request *make_request(struct pxs_conn *c, u32 argc, const struct pxs_str *argv)
{
	u64 bytes = sizeof(struct pxs_request) + argc * sizeof(struct pxs_str);
	struct pxs_request *r;
	u8 *to;
	u32 i;

	for (i = 0; i < argc; i++)
		bytes += argv[i].len;
	r = malloc(bytes);
	if (!r)
		return NULL;
	memset(r, 0, sizeof(*r));
	r->conn = c;
	r->store = c->store;
	r->cmd = pxs_cmd_find(argv[0]);
	r->bytes = (u32)bytes;
	r->argc = argc;
	pxs_reply_init(&r->out, c->proto, PXS_CONN_OUT_MAX);
	to = (u8 *)&r->argv[argc];
	for (i = 0; i < argc; i++) {
		r->argv[i] = (struct pxs_str){ to, argv[i].len };
		memcpy(to, argv[i].data, argv[i].len);
		to += argv[i].len;
	}
	pxs_session_unwrap(r);
	return r;
}

void pxs_request_free(struct pxs_request *r)
{
	pxs_cross_free(r);
	pxs_spread_free(r);
	pxs_late_drop(&r->late);
	pxs_reply_free(&r->out);
	free(r);
}

static void push(struct pxs_conn *c, struct pxs_request *r)
{
	*c->last = r;
	c->last = &r->next;
	if (!c->todo)
		c->todo = r;
	c->requests++;
	c->bytes += r->bytes;
}

static void answer(struct pxs_conn *c, struct pxs_request *r)
{
	struct pxs_reply nobody = { .quiet = true };
	struct pxs_reply *to = c->dead || r->mute ? &nobody : &c->out;

	pxs_stats_answered(&c->store->stats, r, pxs_store_steady());
	if (r->late)
		pxs_late_answer(r, to);
	else
		pxs_reply_raw(to, r->out.buf, r->out.len);
}

/* Nothing was executed: it can be told, and asked for in pieces. */
static void say_too_large(struct pxs_request *r)
{
	pxs_reply_free(&r->out);
	pxs_reply_init(&r->out, r->out.proto, PXS_CONN_OUT_MAX);
	pxs_reply_error(&r->out, "ERR the answer is too large, or there is no memory for it");
}

/* Answers of the requests in front that have theirs. */
static void flush(struct pxs_conn *c)
{
	struct pxs_request *r;

	while ((r = c->first) && r->state == PXS_REQUEST_DONE && r != c->todo) {
		c->first = r->next;
		if (!c->first)
			c->last = &c->first;
		c->requests--;
		c->bytes -= r->bytes;
		if (r->out.failed && r->cmd->flags & PXS_CF_READ)
			say_too_large(r);
		if (r->out.failed)
			c->out.failed = true;
		pxs_request_hold(r, -(s64)r->held);
		answer(c, r);
		pxs_request_free(r);
	}
	if (!c->out.failed || c->dead)
		return;
	pxs_warn("store: client %s: does not take its answers: closed", c->peer);
	pxs_conn_kill(c);
}

void pxs_request_done(struct pxs_request *r)
{
	r->state = PXS_REQUEST_DONE;
	if (r->parent && r->parent->cross)
		pxs_cross_part_done(r);
	else if (r->parent)
		pxs_spread_end(r->parent);
	else
		pxs_conn_ready(r->conn);
}

void pxs_request_readable(struct pxs_request *r)
{
	/* A part: the whole is the only one under way. */
	if (r->parent) {
		pxs_store_read(r->store, r);
		return;
	}
	r->state = PXS_REQUEST_READABLE;
	pxs_conn_ready(r->conn);
}

void pxs_request_room(struct pxs_request *r)
{
	r->out.limit = (u32)(PXS_CONN_OUT_MAX - min(r->conn->held, (u64)PXS_CONN_OUT_MAX));
}

void pxs_request_unsay(struct pxs_request *r)
{
	pxs_request_hold(r, -(s64)r->out.len);
	r->out.len = 0;
	r->out.errors = 0;
	r->out.failed = false;
	r->out.again = false;
	r->out.changed = false;
}

void pxs_request_hold(struct pxs_request *r, s64 len)
{
	r->held += (u64)len;
	r->conn->held += (u64)len;
	/* A part is let go when other groups are as far, which wait for who holds too much. */
	if (!r->parent)
		r->conn->store->held += (u64)len;
}

/*
 * Reads whose turn it is, as long as their answers are taken: an answer is made when it can go
 * out, for a pipeline of reads of large values would fill the memory otherwise.
 */
static bool read_in_turn(struct pxs_conn *c)
{
	struct pxs_request *r;
	bool did = false;

	while (!c->dead && c->out.len < PXS_CONN_OUT_HIGH && (r = c->first) && r != c->todo &&
	       r->state == PXS_REQUEST_READABLE && !pxs_turn_over(c->store)) {
		/* Time has passed since it became readable. */
		if (pxs_session_readable(r))
			pxs_store_read(r->store, r);
		else
			pxs_store_wait(r->store, r);
		flush(c);
		did = true;
	}
	return did;
}

/* Requests that ended since they were begun. */
static void count_under_way(struct pxs_conn *c)
{
	struct pxs_request *r;

	c->under_way = 0;
	c->reads = 0;
	for (r = c->first; r && r != c->todo; r = r->next) {
		c->under_way += r->state != PXS_REQUEST_DONE;
		c->reads += r->state == PXS_REQUEST_READS || r->state == PXS_REQUEST_READABLE ||
			    r->state == PXS_REQUEST_PARTS;
	}
}

/* For CLIENT LIST: "get", "client|list". Nothing but letters of what the client wrote. */
static void note_command(struct pxs_conn *c, const struct pxs_request *r)
{
	u32 i = 0;

	c->active = c->store->node->loop.now;
	if (!r->cmd)
		return;
	c->last_command = r->cmd->name;
	if (r->argc > 1 && r->cmd->local && !r->cmd->first && r->cmd->arity == -2)
		for (; i < min(r->argv[1].len, PXS_WORD_MAX) && isalpha(r->argv[1].data[i]); i++)
			c->last_word[i] = (char)tolower(r->argv[1].data[i]);
	c->last_word[i] = 0;
}

/* CLIENT REPLY changes what holds for itself, too. */
static bool begin(struct pxs_conn *c, struct pxs_request *r)
{
	bool skip = c->skip;

	c->skip = false;
	if (!pxs_session_begin(c, r)) {
		c->skip = skip;
		return false;
	}
	r->mute = !r->loud && (r->mute || skip || c->mute);
	return true;
}

static bool begin_requests(struct pxs_conn *c)
{
	struct pxs_request *r;
	bool did = false;

	while ((r = c->todo) && !c->dead && c->out.len < PXS_CONN_OUT_HIGH &&
	       !pxs_turn_over(c->store)) {
		note_command(c, r);
		if (!begin(c, r))
			break;
		c->todo = r->next;
		c->under_way += r->state != PXS_REQUEST_DONE;
		c->reads += r->state == PXS_REQUEST_READS || r->state == PXS_REQUEST_PARTS;
		c->store->commands++;
		flush(c);
		did = true;
		if (c->closing)
			break;
	}
	return did;
}

/* Of a connection that is dead: nobody wants to know. */
static void end_reads(struct pxs_conn *c)
{
	struct pxs_request *r;

	for (r = c->first; r && r != c->todo; r = r->next)
		if (r->state == PXS_REQUEST_READABLE)
			r->state = PXS_REQUEST_DONE;
	flush(c);
}

/* What follows QUIT, or an error of the protocol, was never asked. */
static void drop_todo(struct pxs_conn *c)
{
	struct pxs_request **p = &c->first;
	struct pxs_request *r;

	while (*p && *p != c->todo)
		p = &(*p)->next;
	while ((r = *p)) {
		*p = r->next;
		c->requests--;
		c->bytes -= r->bytes;
		pxs_request_free(r);
	}
	c->last = p;
	c->todo = NULL;
}

/* --- reading ----------------------------------------------------------------- */

static bool much_under_way(const struct pxs_conn *c)
{
	return c->requests >= PXS_CONN_REQUESTS_MAX || c->bytes >= PXS_CONN_BYTES_MAX ||
	       c->out.len >= PXS_CONN_OUT_HIGH;
}

/* A request that only says what is wrong: in its place behind those before it. */
static bool push_error(struct pxs_conn *c)
{
	static const struct pxs_str nothing = { (const u8 *)"", 0 };
	struct pxs_request *r = make_request(c, 1, &nothing);

	if (!r)
		return false;
	r->broken = true;
	push(c, r);
	return true;
}

/* Nothing is answered, as a browser would show it to the page; what follows was never asked. */
static void cut_http(struct pxs_conn *c)
{
	struct pxs_store *s = c->store;
	u64 now = s->node->loop.now;

	if (!s->http_said || now - s->http_said >= HTTP_SAY_MS) {
		s->http_said = now;
		pxs_warn("store: client %s: speaks HTTP, as a web page may have a browser do: closed",
			 c->peer);
	}
	pxs_conn_kill(c);
}

static bool parse(struct pxs_conn *c)
{
	struct pxs_request *r;
	bool did = false;

	while (!c->dead && !c->closing && !c->reader.error[0] && !much_under_way(c)) {
		c->reader.stranger = !c->authenticated;
		switch (pxs_reader_next(&c->reader)) {
		case PXS_RESP_MORE:
			return did;
		case PXS_RESP_ERROR:
			if (!push_error(c))
				pxs_conn_kill(c);
			begin_requests(c);
			return true;
		case PXS_RESP_REQUEST:
			did = true;
			if (!c->reader.argc)
				break;
			if (pxs_reader_is_http(&c->reader)) {
				cut_http(c);
				return true;
			}
			r = make_request(c, c->reader.argc, c->reader.argv);
			if (!r) {
				pxs_conn_kill(c);
				return true;
			}
			push(c, r);
			break;
		}
		/* What it means may depend on what stands before it: AUTH, for one. */
		did |= begin_requests(c);
	}
	return did;
}

static void recv_done(struct pxs_op *op, int res)
{
	struct pxs_conn *c = from(op, recv_op);

	c->ops--;
	c->receiving = false;
	pxs_conn_ready(c);
	if (res == -EAGAIN || res == -EINTR)
		return;
	if (res < 0)
		pxs_conn_kill(c);
	else if (!res)
		c->eof = true;
	else
		c->reader.len += (u32)res;
}

static void receive(struct pxs_conn *c)
{
	struct io_uring_sqe *sqe;
	u32 room;
	u8 *to;

	if (c->receiving || c->eof || c->closing || c->reader.error[0] || much_under_way(c))
		return;
	to = pxs_reader_space(&c->reader, &room);
	if (!to) {
		pxs_conn_kill(c);
		return;
	}
	sqe = pxs_loop_sqe(&c->store->node->loop);
	io_uring_prep_recv(sqe, c->fd, to, room, 0);
	pxs_loop_own(sqe, &c->recv_op);
	c->ops++;
	c->receiving = true;
}

/* --- sending ----------------------------------------------------------------- */

static void send_done(struct pxs_op *op, int res)
{
	struct pxs_conn *c = from(op, send_op);

	c->ops--;
	c->sending = false;
	pxs_conn_ready(c);
	if (res == -EINTR || res == -EAGAIN)
		return;
	if (res < 0)
		pxs_conn_kill(c);
	else
		c->flight.done += (u32)res;
}

static void send_out(struct pxs_conn *c)
{
	struct io_uring_sqe *sqe;

	if (c->sending)
		return;
	if (!pxs_flight_load(&c->flight, &c->out.buf, &c->out.len, &c->out.room)) {
		pxs_flight_rest(&c->flight, PXS_CONN_OUT_HIGH);
		return;
	}
	/* A large buffer is not kept for the next small answer. */
	if (!c->out.len && c->out.room > PXS_CONN_OUT_HIGH) {
		free(c->out.buf);
		c->out.buf = NULL;
		c->out.room = 0;
	}
	sqe = pxs_loop_sqe(&c->store->node->loop);
	io_uring_prep_send(sqe, c->fd, c->flight.buf + c->flight.done,
			   c->flight.len - c->flight.done, MSG_NOSIGNAL);
	pxs_loop_own(sqe, &c->send_op);
	c->ops++;
	c->sending = true;
}

/* --- memory ------------------------------------------------------------------ */

static u64 memory_of(const struct pxs_conn *c)
{
	return sizeof(*c) + c->reader.room + c->reader.args_room * 20ull + c->out.room +
	       c->flight.room + c->bytes + c->held + c->queued_bytes +
	       c->watch_bytes + c->taken_bytes;
}

static void cut_largest(struct pxs_store *s)
{
	struct pxs_conn *c, *largest = NULL;

	for (c = s->conns; c; c = c->next)
		if (!c->dead && (!largest || c->memory > largest->memory))
			largest = c;
	if (!largest)
		return;
	pxs_warn("store: clients hold %llu bytes: %s, which holds %llu, is closed",
		 (unsigned long long)s->memory, largest->peer, (unsigned long long)largest->memory);
	s->evicted++;
	/* It is as good as gone: others are not to be cut off for what it still holds. */
	s->memory -= largest->memory;
	largest->memory = 0;
	pxs_conn_kill(largest);
}

static void account(struct pxs_conn *c)
{
	u64 now = memory_of(c);

	c->store->memory += now - c->memory;
	c->memory = now;
	if (!c->dead && c->store->memory > c->store->config->client_memory)
		cut_largest(c->store);
}

/* --- a step ------------------------------------------------------------------ */

static bool finished(const struct pxs_conn *c)
{
	return (c->eof || c->closing) && !c->requests && !c->out.len && !c->sending &&
	       pxs_flight_landed(&c->flight);
}

bool pxs_conn_step(struct pxs_conn *c)
{
	bool did;

	flush(c);
	did = read_in_turn(c);
	if (c->dead) {
		end_reads(c);
		drop_todo(c);
		return false;
	}
	count_under_way(c);
	did |= begin_requests(c);
	did |= parse(c);
	if (c->closing)
		drop_todo(c);
	if (c->dead)
		return did;
	receive(c);
	send_out(c);
	account(c);
	if (finished(c))
		pxs_conn_kill(c);
	if (c->first && pxs_turn_over(c->store))
		pxs_conn_ready(c);
	return did;
}

static void name_peer(struct pxs_conn *c)
{
	struct pxs_address at = { .len = sizeof(at.storage) };

	if (!getpeername(c->fd, &at.sa, &at.len))
		pxs_address_format(&at, c->peer, sizeof(c->peer));
}

struct pxs_conn *pxs_conn_new(struct pxs_store *s, int fd, const struct pxs_read_level *level)
{
	struct pxs_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return NULL;
	}
	c->store = s;
	c->fd = fd;
	c->fallback = level;
	c->id = s->next_id++;
	c->since = s->node->loop.now;
	c->active = c->since;
	c->last_command = "";
	c->last = &c->first;
	c->recv_op.done = recv_done;
	c->send_op.done = send_done;
	pxs_reader_init(&c->reader, s->config->request_limit,
			min(s->config->request_limit, PXS_STRING_MAX));
	pxs_session_init(c);
	pxs_reply_init(&c->out, c->proto, PXS_CONN_OUT_MAX);
	name_peer(c);
	pxs_conn_ready(c);
	return c;
}

bool pxs_conn_over(const struct pxs_conn *c)
{
	return c->dead && !c->ops && !c->requests;
}

void pxs_conn_free(struct pxs_conn *c)
{
	struct pxs_request *r;

	c->store->memory -= c->memory;
	while ((r = c->first)) {
		c->first = r->next;
		pxs_request_hold(r, -(s64)r->held);
		pxs_request_free(r);
	}
	pxs_session_exit(c);
	pxs_reader_free(&c->reader);
	pxs_reply_free(&c->out);
	free(c->flight.buf);
	close(c->fd);
	free(c);
}
