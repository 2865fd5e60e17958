// SPDX-License-Identifier: GPL-2.0
/*
 * spread.c - a request about all groups: one part for each, and one answer
 *
 * Each part is as if it had been asked alone: what came of them is one state of each group, not
 * one moment of all. If one is refused, that is the answer, and the others may have happened.
 */
#include "store.h"

static bool concerns(const struct pxs_request *r, const struct pxs_store *s)
{
	if (r->cmd->local)	/* a checkpoint: any member takes its own */
		return true;
	if (r->cmd->flags & PXS_CF_READ && pxs_session_reads_here(r->conn))
		return true;
	return pxs_store_leads(s);
}

/* Its words are those of @r, which outlives it. */
static struct pxs_request *make_part(struct pxs_request *r, struct pxs_store *s)
{
	u32 bytes = (u32)(sizeof(*r) + r->argc * sizeof(r->argv[0]));
	struct pxs_request *part = calloc(1, bytes);

	if (!part)
		return NULL;
	part->conn = r->conn;
	part->store = s;
	part->parent = r;
	part->cmd = r->cmd;
	part->bytes = bytes;
	part->argc = r->argc;
	memcpy(part->argv, r->argv, r->argc * sizeof(r->argv[0]));
	pxs_reply_init(&part->out, r->out.proto, PXS_CONN_OUT_MAX);
	return part;
}

static bool make_parts(struct pxs_request *r)
{
	struct pxs_request **last = &r->parts;
	struct pxs_store *s = r->conn->store;
	u32 i;

	for (i = 0; i < pxs_set_count(s); i++) {
		if (!concerns(r, pxs_set_at(s, i)))
			continue;
		*last = make_part(r, pxs_set_at(s, i));
		if (!*last)
			return false;
		last = &(*last)->next;
		r->waiting++;
	}
	return true;
}

bool pxs_spread(struct pxs_request *r)
{
	struct pxs_request *part, *next;

	if (!make_parts(r)) {
		pxs_reply_error(&r->out, "ERR out of memory");
		return true;
	}
	if (!r->parts) {
		pxs_session_redirect(r);
		return true;
	}
	r->state = PXS_REQUEST_PARTS;
	/* The last of them to be done ends @r; until each was begun, that is none. */
	r->waiting++;
	for (part = r->parts; part; part = next) {
		next = part->next;
		pxs_session_begin_part(part);
	}
	pxs_spread_end(r);
	return false;
}

/* --- one answer ---------------------------------------------------------------------- */

/* The number in the first line of an answer; what follows it is at *@rest. */
static s64 first_number(const struct pxs_reply *o, u32 *rest)
{
	const u8 *end = memchr(o->buf, '\r', o->len);
	s64 n = 0;

	pxs_assert(end);
	pxs_str_int((struct pxs_str){ o->buf + 1, (u32)(end - o->buf) - 1 }, &n);
	*rest = (u32)(end - o->buf) + 2;
	return n;
}

static const struct pxs_request *failed(const struct pxs_request *r)
{
	const struct pxs_request *p = r->parts;

	while (p && !p->out.failed && p->out.len && p->out.buf[0] != '-')
		p = p->next;
	return p;
}

static s64 sum(const struct pxs_request *r)
{
	const struct pxs_request *p;
	s64 n = 0;
	u32 rest;

	for (p = r->parts; p; p = p->next)
		n += first_number(&p->out, &rest);
	return n;
}

/* DBSIZE's numbers are added, KEYS' lists joined; checkpoints are told one by one. */
static void combine(struct pxs_request *r)
{
	const struct pxs_request *p = failed(r);
	u8 type;
	u32 rest;

	if (p) {
		r->out.failed |= p->out.failed;
		r->out.errors++;
		pxs_reply_raw(&r->out, p->out.buf, p->out.len);
		return;
	}
	type = r->parts->out.buf[0];
	if (type == '*') {
		pxs_reply_array(&r->out, (u32)sum(r));
	} else if (type == ':' && !r->cmd->local) {
		pxs_reply_int(&r->out, sum(r));
		return;
	} else if (type == ':') {
		pxs_reply_array(&r->out, pxs_set_count(r->conn->store));
	} else {
		pxs_reply_raw(&r->out, r->parts->out.buf, r->parts->out.len);
		return;
	}
	for (p = r->parts; p; p = p->next) {
		rest = 0;
		if (type == '*')
			first_number(&p->out, &rest);
		pxs_reply_raw(&r->out, p->out.buf + rest, p->out.len - rest);
	}
}

void pxs_spread_free(struct pxs_request *r)
{
	struct pxs_request *p;

	while ((p = r->parts)) {
		r->parts = p->next;
		pxs_request_hold(p, -(s64)p->held);
		pxs_reply_free(&p->out);
		free(p);
	}
}

void pxs_spread_end(struct pxs_request *r)
{
	if (--r->waiting)
		return;
	if (!r->conn->dead)
		combine(r);
	pxs_spread_free(r);
	r->conn->version.slot = 0;	/* there is no such thing of several */
	r->conn->version.stamp.time = 0;
	pxs_request_hold(r, r->out.len);
	pxs_request_done(r);
}
