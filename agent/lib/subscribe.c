// SPDX-License-Identifier: GPL-2.0
/*
 * subscribe.c - reading from a slot on, from one member after the other
 *
 * What was delivered last is known here, so wherever the connection goes next it asks for the
 * slot after that; a daemon that sends any other is not believed.
 */
#include "handle.h"

#include <stdio.h>

#define KEEPALIVE_ID	0

static bool endless(const struct pxs_sub *s)
{
	return s->left == UINT64_MAX;
}

static void shut(struct pxs_sub *s)
{
	pxs_conn_close(&s->conn);
	s->asked = false;
}

static void finish(struct pxs_log *log, int error, u64 applied)
{
	struct pxs_sub *s = &log->sub;

	shut(s);
	free(s->once);
	free(s->join.value);
	s->once = NULL;
	s->join.value = NULL;
	s->active = false;
	if (!s->over)
		s->end(s->ctx, error, applied);
}

void pxs_sub_exit(struct pxs_log *log)
{
	shut(&log->sub);
	free(log->sub.once);
	free(log->sub.join.value);
}

/* --- connecting ------------------------------------------------------------ */

/* Ask anew, from @slot on, which is another than before: a READ goes one way. */
static void begin_at(struct pxs_log *log, u64 slot)
{
	struct pxs_sub *s = &log->sub;

	if (!endless(s))
		s->left += s->next - slot;
	s->next = slot;
	if (s->once)
		s->once->next = slot;
	s->due = log->now;
	shut(s);
}

/* The next slot is gone. Was it one of those in front of what is wanted? Then without. */
static void gone(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;

	if (s->next >= s->from || s->once) {
		finish(log, PXS_LOG_TRIMMED, s->next - 1);
		return;
	}
	s->trimmed = 0;
	s->failures = 0;
	begin_at(log, s->from);
}

/* This address is of no use now: go on with the next one. @err: -errno for the words, or 0. */
static void give_up(struct pxs_log *log, int error, int err)
{
	struct pxs_sub *s = &log->sub;

	if (err && !s->trimmed)
		pxs_note(log, log->peer[s->peer].path, err);
	shut(s);
	if (!s->failures)
		s->lost_at = log->now;
	s->peer = (s->peer + 1) % log->npeers;
	s->failures++;
	/* All of them in turn, then a pause. */
	s->due = s->failures % log->npeers ? log->now : log->now + PXS_LIB_RETRY_MS;
	if (log->now - s->lost_at < log->timeout_ms &&
	    (s->was_open || s->failures < log->npeers))
		return;
	/* Who is away may have it, but not for ever. */
	if (s->trimmed)
		gone(log);
	else
		finish(log, error, s->next - 1);
}

/* This member has the next slot no more. Another may, also one that is away for a moment. */
static void trimmed_here(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;

	snprintf(log->detail, sizeof(log->detail), "%s", log->words);
	s->was_open = true;
	s->trimmed |= 1u << s->peer;
	if (s->trimmed == (1u << log->npeers) - 1)
		gone(log);
	else
		give_up(log, PXS_LOG_TRIMMED, 0);
}

static int ask(struct pxs_log *log)
{
	const struct pxs_req who = {
		.type = PXS_CLIENT_WHO, .group = log->group, .id = KEEPALIVE_ID,
	};
	struct pxs_sub *s = &log->sub;

	s->asked = true;
	s->said_at = log->now;
	return pxs_conn_put(&s->conn, &who, NULL, 0, NULL, 0);
}

static void connect_to(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;
	struct pxs_req req = {
		.type = PXS_CLIENT_READ,
		.flags = s->flags & PXS_LOG_FOLLOW ? PXS_CLIENT_FOLLOW : 0,
		.group = log->group,
		.id = ++s->id,
		.arg = s->next,
		.arg2 = endless(s) ? 0 : s->left,
	};
	int err;

	err = pxs_conn_open(&s->conn, log->peer[s->peer].path);
	if (!err)
		err = pxs_conn_put(&s->conn, &req, NULL, 0, NULL, 0);
	if (!err)
		err = ask(log);
	s->greeted = false;
	if (!err)
		err = pxs_conn_flush(&s->conn);
	if (err)
		give_up(log, PXS_LOG_UNREACHABLE, err);
}

/* A daemon says nothing while nothing happens: is it there? */
static int keep_alive(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;

	if (log->now - s->said_at >= PXS_LIB_ANSWER_MS) {
		if (s->asked)
			return -ETIMEDOUT;
		if (ask(log))
			return -ENOMEM;
	}
	pxs_due(log, s->said_at + PXS_LIB_ANSWER_MS);
	return pxs_conn_flush(&s->conn);
}

/* --- what arrives ---------------------------------------------------------- */

/* Of a value in several slots: what stands at this one. */
static void join(struct pxs_sub *s, struct pxs_log_value *v)
{
	const void *data = v->flags & PXS_LOG_LOST ? NULL : v->data;

	switch (pxs_chunk_join(&s->join, data, v->flags ? 0 : v->len)) {
	case PXS_JOIN_PLAIN:
		break;
	case PXS_JOIN_PART:
		v->flags |= PXS_LOG_PART;
		break;
	case PXS_JOIN_WHOLE:
		v->data = s->join.value;
		v->len = s->join.chunk.len;
		break;
	case PXS_JOIN_LOST:
		v->flags |= PXS_LOG_LOST;
		break;
	}
}

static void deliver(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_log_value v = { .slot = m->arg, .data = m->body, .len = m->len };
	struct pxs_sub *s = &log->sub;
	struct pxs_log_id id;
	bool has_id;

	if (m->flags & PXS_CLIENT_NOOP)
		v.flags |= PXS_LOG_NOOP;
	if (m->flags & PXS_CLIENT_DAMAGED)
		v.flags |= PXS_LOG_LOST;
	join(s, &v);
	if (s->once) {
		has_id = !v.flags && pxs_once_get(v.data, v.len, &id);
		if (!pxs_once_judge(s->once, v.slot, has_id ? &id : NULL))
			v.flags |= PXS_LOG_REPEATED;
		if (has_id) {
			v.id = &id;
			v.data = (const u8 *)v.data + PXS_LOG_ID_SIZE;
			v.len -= PXS_LOG_ID_SIZE;
		}
	}
	if (v.flags) {
		v.data = NULL;
		v.len = 0;
	}
	if (v.slot >= s->from)
		s->value(s->ctx, &v);
}

/* The first slot is in the middle of a value: what is in front of it is wanted too. */
static bool begins_before(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_sub *s = &log->sub;
	struct pxs_chunk c;

	if (s->join.begun || s->stepped || !pxs_chunk_get(m->body, m->len, &c) || !c.index ||
	    m->arg <= c.index)
		return false;
	s->stepped = true;
	begin_at(log, s->next - c.index);
	return true;
}

/* Return: 0; or -EPROTO. */
static int value(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_sub *s = &log->sub;

	if (m->arg != s->next || !s->left || m->flags & ~(PXS_CLIENT_NOOP | PXS_CLIENT_DAMAGED))
		return -EPROTO;
	if (s->once && m->flags & PXS_CLIENT_DAMAGED) {
		finish(log, PXS_LOG_DAMAGED, m->arg - 1);
		return 0;
	}
	if (begins_before(log, m))
		return 0;
	s->next++;
	s->trimmed = 0;
	s->left -= !endless(s);
	pxs_learn_slot(log, m->arg);
	deliver(log, m);
	return 0;
}

static int ended(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_sub *s = &log->sub;

	if (m->arg > PXS_SLOT_MAX)
		return -EPROTO;
	/* There is more that is wanted, or it was to wait for more. */
	if (s->left && (s->flags & PXS_LOG_FOLLOW || m->arg >= s->next))
		return -EPROTO;
	finish(log, PXS_LOG_OK, m->arg);
	return 0;
}

/* What an answer means, if it makes sense. Return: 0 or -EPROTO. */
static int judge(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_sub *s = &log->sub;

	if (m->type == PXS_CLIENT_MEMBER) {
		if (m->id != KEEPALIVE_ID || !s->asked)
			return -EPROTO;
		s->asked = false;
		return 0;
	}
	if (m->id != s->id)
		return -EPROTO;
	if (m->type == PXS_CLIENT_VALUE)
		return value(log, m);
	return m->type == PXS_CLIENT_END ? ended(log, m) : -EPROTO;
}

static int take(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_sub *s = &log->sub;
	int ret;

	if (m->group != log->group)
		return -EPROTO;
	if (m->type == PXS_CLIENT_ERROR && (m->id == s->id || m->id == KEEPALIVE_ID)) {
		ret = pxs_error_of(m->arg);
		if (ret != PXS_LOG_NO_GROUP && ret != PXS_LOG_IO && ret != PXS_LOG_TRIMMED)
			return -EPROTO;
		pxs_note_words(log, m);
		if (ret == PXS_LOG_TRIMMED)
			trimmed_here(log);
		else
			give_up(log, ret, 0);
		return 0;
	}
	ret = judge(log, m);
	/* Who lies is no daemon, however often it does. */
	if (ret || !s->active)
		return ret;
	s->said_at = log->now;
	s->was_open = true;
	/* To say who it is costs a daemon nothing: it may be unable to read, each time. */
	if (m->type != PXS_CLIENT_MEMBER || s->greeted)
		s->failures = 0;
	s->greeted = true;
	return 0;
}

/* Return: 0, or -errno: this connection is of no use. */
static int work(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;
	struct pxs_answer m;
	int ret, more = 0;
	u32 read = 0;

	do {
		ret = pxs_conn_fill(&s->conn);
		if (ret < 0)
			return ret;
		read += (u32)ret;
		while (s->active && !s->over && pxs_conn_is_open(&s->conn) &&
		       (more = pxs_conn_next(&s->conn, &m)) > 0) {
			more = take(log, &m);
			if (more)
				return more;
		}
		if (more < 0)
			return more;
	} while (ret && read < PXS_LIB_READ_BYTES && s->active && !s->over &&
		 pxs_conn_is_open(&s->conn));
	return s->active && !s->over && pxs_conn_is_open(&s->conn) ? keep_alive(log) : 0;
}

void pxs_sub_step(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;
	int err;

	if (!s->active)
		return;
	s->delivering = true;
	if (!pxs_conn_is_open(&s->conn) && log->now >= s->due)
		connect_to(log);
	if (pxs_conn_is_open(&s->conn)) {
		err = work(log);
		if (err && s->active)
			give_up(log, err == -EPROTO ? PXS_LOG_PROTOCOL : PXS_LOG_UNREACHABLE, err);
	}
	s->delivering = false;
	if (s->over)
		finish(log, 0, 0);
	else if (s->active && !pxs_conn_is_open(&s->conn))
		pxs_due(log, s->due);
}

/* --- the calls ------------------------------------------------------------- */

int pxs_log_subscribe(struct pxs_log *log, uint64_t from, uint64_t count, unsigned int flags,
		      void (*value)(void *ctx, const struct pxs_log_value *value),
		      void (*end)(void *ctx, int error, uint64_t applied), void *ctx)
{
	struct pxs_sub *s = &log->sub;
	u8 random[16];

	if (s->active || !pxs_slot_ok(from) || !value || !end ||
	    flags & ~(PXS_LOG_FOLLOW | PXS_LOG_ONCE))
		return PXS_LOG_INVALID;
	s->next = flags & PXS_LOG_ONCE ? pxs_once_first(from) : from;
	if (flags & PXS_LOG_ONCE) {
		s->once = pxs_io_random(random, sizeof(random)) ? NULL :
								   pxs_once_new(s->next, random);
		if (!s->once)
			return PXS_LOG_NO_MEMORY;
	}
	if (!log->inside)
		log->now = pxs_io_now();
	s->join = (struct pxs_join){ .value = malloc(PXS_WHOLE_MAX) };
	if (!s->join.value) {
		free(s->once);
		s->once = NULL;
		return PXS_LOG_NO_MEMORY;
	}
	s->stepped = false;
	s->left = count && count <= PXS_SLOT_MAX ? count + (from - s->next) : UINT64_MAX;
	s->from = from;
	s->flags = flags;
	s->value = value;
	s->end = end;
	s->ctx = ctx;
	s->active = true;
	s->over = false;
	s->was_open = false;
	s->failures = 0;
	s->trimmed = 0;
	s->due = 0;
	pxs_due(log, log->now);
	pxs_kick(log);
	return PXS_LOG_OK;
}

void pxs_log_unsubscribe(struct pxs_log *log)
{
	struct pxs_sub *s = &log->sub;

	if (!s->active)
		return;
	s->over = true;
	if (!s->delivering)
		finish(log, 0, 0);
}
