// SPDX-License-Identifier: GPL-2.0
/*
 * ask.c - a member that follows asks the leader for a barrier
 */
#include "store.h"

#include <stdio.h>
#include <unistd.h>

#include "../report.h"
#include "peer.h"

#define from(op) \
	((struct pxs_store *)((char *)(op) - offsetof(struct pxs_store, ask.op)))

void pxs_ask_init(struct pxs_ask *a)
{
	a->fd = -1;
	pxs_reply_init(&a->out, 2, 4096);
}

void pxs_ask_exit(struct pxs_ask *a)
{
	if (a->fd >= 0)
		close(a->fd);
	if (a->out.buf)
		explicit_bzero(a->out.buf, a->out.room);
	pxs_reply_free(&a->out);
}

static void hang_up(struct pxs_ask *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
	a->stage = PXS_ASK_IDLE;
	a->cancelled = false;
}

static void fail(struct pxs_store *s)
{
	hang_up(&s->ask);
	s->ask.failed++;
	s->ask.pause = s->node->loop.now + PXS_ASK_PAUSE_MS;
}

static void next(struct pxs_store *s)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);
	struct pxs_ask *a = &s->ask;

	switch (a->stage) {
	case PXS_ASK_CONNECT:
		io_uring_prep_connect(sqe, a->fd, &a->to.sa, a->to.len);
		break;
	case PXS_ASK_SEND:
		io_uring_prep_send(sqe, a->fd, a->out.buf + a->sent, a->out.len - a->sent,
				   MSG_NOSIGNAL);
		break;
	default:
		io_uring_prep_recv(sqe, a->fd, a->in + a->len, sizeof(a->in) - a->len, 0);
		break;
	}
	pxs_loop_own(sqe, &a->op);
}

/* Write the question; the time is taken before it can have left. */
static void compose(struct pxs_store *s)
{
	struct pxs_ask *a = &s->ask;
	char group[12];

	a->out.len = 0;
	a->sent = 0;
	a->len = 0;
	a->answers = 1;
	if (!a->greeted)
		a->answers += pxs_peer_greet(&a->out, s->config->password);
	a->greeted = true;
	pxs_reply_array(&a->out, s->set ? 3 : 2);
	pxs_reply_text(&a->out, "PAXSTEER");
	pxs_reply_text(&a->out, "BARRIER");
	if (s->set) {
		snprintf(group, sizeof(group), "%u", s->replica->id);
		pxs_reply_text(&a->out, group);
	}
	a->stage = PXS_ASK_SEND;
	a->at = pxs_store_steady();
	a->asked++;
}

u32 pxs_ask_line(const u8 *data, u32 len, u64 *slot, bool *error)
{
	const u8 *end = memchr(data, '\n', len);
	struct pxs_str digits;
	s64 n = -1;

	if (!end)
		return 0;
	*slot = ~0ull;
	*error = end == data || end[-1] != '\r';
	digits = (struct pxs_str){ data + 1, *error ? 0 : (u32)(end - data) - 2 };
	if (!*error && *data == ':')
		*error = !pxs_str_int(digits, &n) || n < 0;
	else
		*error |= *data != '+';
	if (!*error && *data == ':')
		*slot = (u64)n;
	return (u32)(end - data) + 1;
}

/* Return: more is wanted. */
static bool received(struct pxs_store *s)
{
	struct pxs_ask *a = &s->ask;
	bool error = false;
	u64 slot = ~0ull;
	u32 used;

	while (a->answers && (used = pxs_ask_line(a->in, a->len, &slot, &error))) {
		a->len -= used;
		memmove(a->in, a->in + used, a->len);
		a->answers--;
		if (error || (slot == ~0ull) != !!a->answers || (!a->answers && a->len)) {
			fail(s);
			return false;
		}
	}
	if (a->answers && a->len < sizeof(a->in))
		return true;
	if (a->answers) {
		fail(s);
		return false;
	}
	a->stage = PXS_ASK_IDLE;
	pxs_fresh_learn(&s->fresh, a->at, slot);
	return false;
}

static void step(struct pxs_op *op, int res)
{
	struct pxs_store *s = from(op);
	struct pxs_ask *a = &s->ask;

	if (a->cancelled || (res < 0 && res != -EINTR) || (!res && a->stage != PXS_ASK_CONNECT)) {
		fail(s);
		return;
	}
	if (res >= 0 && a->stage == PXS_ASK_CONNECT) {
		compose(s);
	} else if (res >= 0 && a->stage == PXS_ASK_SEND) {
		a->sent += (u32)res;
		if (a->sent == a->out.len)
			a->stage = PXS_ASK_RECEIVE;
	} else if (res >= 0) {
		a->len += (u32)res;
		if (!received(s))
			return;
	}
	next(s);
}

/* Index of member @id, if it is another one and its address is known; else -1. */
static int other(const struct pxs_store *s, u8 id)
{
	int i = pxs_store_member(s, id);

	return i >= 0 && i != s->replica->config->conf.self && pxs_store_where(s, (u32)i) ? i : -1;
}

static bool dial(struct pxs_store *s, u8 id, u32 i)
{
	struct pxs_ask *a = &s->ask;

	if (pxs_address_parse(pxs_store_where(s, i), &a->to))
		return false;
	a->fd = socket(a->to.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (a->fd < 0)
		return false;
	a->member = id;
	a->greeted = false;
	a->stage = PXS_ASK_CONNECT;
	return true;
}

void pxs_ask(struct pxs_store *s, u8 id)
{
	struct pxs_ask *a = &s->ask;
	u64 now = s->node->loop.now;
	int i = other(s, id);

	if (a->stage != PXS_ASK_IDLE || i < 0 || now < a->pause)
		return;
	a->op.done = step;
	if (a->fd >= 0 && a->member != id)
		hang_up(a);
	if (a->fd >= 0) {
		compose(s);
	} else if (!dial(s, id, (u32)i)) {
		fail(s);
		return;
	}
	a->late = now + PXS_ASK_LATE_MS;
	next(s);
}

void pxs_ask_tick(struct pxs_store *s)
{
	struct pxs_ask *a = &s->ask;
	struct io_uring_sqe *sqe;

	if (a->stage == PXS_ASK_IDLE || a->cancelled)
		return;
	if (s->node->loop.now < a->late && s->replica->elect.leader == a->member)
		return;
	a->cancelled = true;
	sqe = pxs_loop_sqe(&s->node->loop);
	io_uring_prep_cancel(sqe, &a->op, 0);
	pxs_loop_own(sqe, NULL);
}
