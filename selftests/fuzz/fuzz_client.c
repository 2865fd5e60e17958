// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_client.c - what a client says to the daemon
 *
 * The input is a script of requests, in pieces as a socket gives them. The node behind is
 * a stub that answers, refuses, or keeps what was asked for later.
 */
#include <sanitizer/asan_interface.h>

#include "fuzz.h"
#include "client.c"
#include "director.h"

#define SLOTS	8u
#define KEEP	16u

static struct pxs_node *node;
static struct pxs_replica replica;
static struct pxs_group_config config;
static struct pxs_proposal *waiting[KEEP];
static u32 nwaiting;
static struct pxs_transfer transfer;
static struct pxs_index_read *reading;
static struct io_uring_sqe sqe;
static u8 mood;

struct pxs_replica *pxs_node_replica(struct pxs_node *n, u32 group)
{
	(void)n;
	return group == 1 ? &replica : NULL;
}

char *pxs_node_status(struct pxs_node *n)
{
	(void)n;
	return mood & 1 ? NULL : strdup("{}");
}

u32 pxs_propose(struct pxs_replica *r, struct pxs_proposal *p)
{
	(void)r;
	if (!p->len)
		return PXS_CLIENT_INVALID;
	if (p->len > PXS_VALUE_MAX)
		return PXS_CLIENT_TOO_LARGE;
	if (nwaiting == KEEP)
		return PXS_CLIENT_BUSY;
	waiting[nwaiting++] = p;
	return 0;
}

bool pxs_propose_room(const struct pxs_replica *r, u32 values, u64 bytes)
{
	(void)r;
	(void)bytes;
	return nwaiting + values <= KEEP;
}

u32 pxs_transfer(struct pxs_replica *r, u8 member, void (*done)(void *ctx, u32 error), void *ctx)
{
	(void)r;
	if (transfer.done)
		return PXS_CLIENT_BUSY;
	if (member == 1)
		done(ctx, PXS_CLIENT_OK);
	else
		transfer = (struct pxs_transfer){ .done = done, .ctx = ctx };
	return 0;
}

u32 pxs_replica_read(struct pxs_replica *r, struct pxs_index_read *q)
{
	(void)r;
	if (reading)
		return PXS_CLIENT_BUSY;
	reading = q;
	return 0;
}

void pxs_fetch_init(struct pxs_fetch *f, struct pxs_journal *journal, struct pxs_slots *slots)
{
	memset(f, 0, sizeof(*f));
	f->journal = journal;
	f->slots = slots;
	f->fd = -1;
}

void pxs_fetch_exit(struct pxs_fetch *f)
{
	FUZZ_CHECK(!f->busy);
}

void pxs_fetch_run(struct pxs_fetch *f, u64 first, u64 last)
{
	static const u8 data[64] = "value";
	struct pxs_fetched v = { .slot = first, .data = data, .len = mood & 63 };

	FUZZ_CHECK(first && first <= last && last <= SLOTS);
	if (mood & 0x80) {
		f->busy = true;
		return;
	}
	for (; v.slot <= last; v.slot++)
		if (!f->take(f->ctx, &v))
			break;
	f->done(f->ctx, mood & 0x40 ? -EIO : 0);
}

struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *l)
{
	(void)l;
	memset(&sqe, 0, sizeof(sqe));
	return &sqe;
}

void pxs_loop_own(struct io_uring_sqe *s, struct pxs_op *op)
{
	io_uring_sqe_set_data(s, op);
}

/* Where the group says `tables`: every other change ends at once, the rest when told so. */
static struct pxs_director director;

struct pxs_director *pxs_director_of(struct pxs_node *n, const struct pxs_replica *r)
{
	(void)n;
	return r->config->tables ? &director : NULL;
}

void pxs_director_await(struct pxs_director *d, u64 slot, struct pxs_director_wait *w)
{
	if (slot & 1) {
		w->done(w, mood & 2, slot, mood & 4 ? -EEXIST : 0, mood & 8 ? "words" : "");
		return;
	}
	w->slot = slot;
	w->next = d->waits;
	d->waits = w;
}

static void end_waits(void)
{
	struct pxs_director_wait *w;

	while ((w = director.waits)) {
		director.waits = w->next;
		w->done(w, mood & 2, w->slot, 0, "");
	}
}

static void answer_one(u8 how)
{
	struct pxs_proposal *p;

	if (!nwaiting)
		return;
	p = waiting[--nwaiting];
	p->done(p, how & 1 ? 0 : how >> 4, how);
}

static void end_transfer(u8 how)
{
	void (*done)(void *ctx, u32 error) = transfer.done;

	transfer.done = NULL;
	if (done)
		done(transfer.ctx, how & 1 ? 0 : how >> 4);
}

static void end_index(u8 how)
{
	struct pxs_index_read *q = reading;

	reading = NULL;
	if (q)
		q->done(q, how & 1 ? 0 : how >> 4, how);
}

static void end_fetch(struct pxs_client *c, int err)
{
	if (!c->fetch.busy)
		return;
	c->fetch.busy = false;
	c->fetch.done(c->fetch.ctx, err);
}

/* What is behind @len was never received: to read it is a mistake. */
static void hide_rest(struct pxs_client *c, u32 len)
{
	ASAN_POISON_MEMORY_REGION(c->in + len, PXS_CLIENT_IN - len);
}

/* The kernel fills what recv asked for. */
static void complete_recv(struct pxs_client *c, struct input *in)
{
	u8 how = take8(in);
	size_t len = how < 128 ? how : take16(in);

	if (!c->receiving)
		return;
	if (how == 127 || !in->n) {
		recv_done(&c->recv_op, how == 127 ? -ECONNRESET : 0);
		return;
	}
	len = min(len, min((size_t)(PXS_CLIENT_IN - c->in_len), in->n));
	ASAN_UNPOISON_MEMORY_REGION(c->in, PXS_CLIENT_IN);
	take(in, c->in + c->in_len, len);
	hide_rest(c, c->in_len + (u32)len);
	recv_done(&c->recv_op, len ? (int)len : -EAGAIN);
}

/* A request that is well-formed, so that the fuzzer needs not find the lengths. */
static void complete_request(struct pxs_client *c, struct input *in)
{
	struct pxs_client_hdr h = {
		.type = 1 + take8(in) % PXS_CLIENT_INDEX,
		.flags = take8(in),
		.group = cpu_to_le32(1 + (take8(in) == 9)),
		.id = cpu_to_le64(take8(in)),
		.arg = cpu_to_le64(take8(in)),
		.arg2 = cpu_to_le64(take8(in)),
	};
	u32 len = take8(in);

	if (len >= 250)	/* several slots, or too large */
		len = (len - 249) * 12000;
	if (!c->receiving || len + HDR > PXS_CLIENT_IN - c->in_len)
		return;
	h.len = cpu_to_le32(len);
	ASAN_UNPOISON_MEMORY_REGION(c->in, PXS_CLIENT_IN);
	memcpy(c->in + c->in_len, &h, HDR);
	memset(c->in + c->in_len + HDR, 'v', len);
	hide_rest(c, c->in_len + HDR + len);
	recv_done(&c->recv_op, (int)(HDR + len));
}

static void complete_send(struct pxs_client *c, u8 how)
{
	u32 left = c->flight.len - c->flight.done;

	if (!c->sending)
		return;
	FUZZ_CHECK(left && c->flight.len <= c->flight.room);
	send_done(&c->send_op, how == 255 ? -EPIPE : how & 1 ? (int)left : (int)(left * how / 256));
}

static void finish(struct pxs_client *c)
{
	kill_client(c);
	while (nwaiting)
		answer_one(0);
	end_waits();
	end_transfer(0);
	end_index(0);
	end_fetch(c, -ECANCELED);
	if (c->receiving)
		recv_done(&c->recv_op, 0);
	if (c->sending)
		send_done(&c->send_op, -EPIPE);
	FUZZ_CHECK(pxs_client_over(c));
	pxs_client_free(c);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, min(size, (size_t)16384) };
	struct pxs_client *c;
	u8 op;

	if (!node)
		node = calloc(1, sizeof(*node));
	replica.id = 1;
	replica.node = node;
	replica.config = &config;
	replica.applied = SLOTS;
	c = pxs_client_new(node, -1);
	FUZZ_CHECK(c);
	mood = take8(&in);
	config.tables = mood & 0x20;
	while (in.n && !c->dead) {
		pxs_client_step(c);
		op = take8(&in);
		switch (op & 7) {
		case 0: case 1:
			complete_recv(c, &in);
			break;
		case 2: case 3:
			complete_request(c, &in);
			break;
		case 4:
			complete_send(c, take8(&in));
			break;
		case 5:
			answer_one(op);
			if (op & 8)
				end_transfer(op);
			if (op & 16)
				end_index(op);
			break;
		case 6:
			end_fetch(c, op & 0x80 ? -EIO : 0);
			end_waits();
			break;
		default:
			mood = take8(&in);
		}
		FUZZ_CHECK(c->in_len <= PXS_CLIENT_IN && c->out_len <= c->out_room);
	}
	finish(c);
	return 0;
}
