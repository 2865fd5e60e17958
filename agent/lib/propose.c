// SPDX-License-Identifier: GPL-2.0
/*
 * propose.c - proposals, from the call to their end
 *
 * A proposal is queued, then sent, then ended. Back to the queue goes what is certainly not in
 * the log by way of this copy (the member does not lead; the message did not leave whole), and,
 * if it has an id, what may be. Both lists are in the order of the calls.
 */
#include "handle.h"

static void unlink_flight(struct pxs_flight *f)
{
	*(f->prev ? &f->prev->next : &f->list->first) = f->next;
	*(f->next ? &f->next->prev : &f->list->last) = f->prev;
	f->list = NULL;
}

/* In order; what is put in is mostly younger than what is there. */
static void put_in(struct pxs_flights *list, struct pxs_flight *f)
{
	struct pxs_flight *before = list->last;

	while (before && before->id > f->id)
		before = before->prev;
	f->list = list;
	f->prev = before;
	f->next = before ? before->next : list->first;
	*(f->prev ? &f->prev->next : &list->first) = f;
	*(f->next ? &f->next->prev : &list->last) = f;
}

/* A stack of unused indices; 0 stands for what was never used, so that it begins as zeroes. */
static u16 take_index(struct pxs_log *log)
{
	u32 top = log->outstanding++;

	return log->unused[top] ? log->unused[top] - 1 : (u16)top;
}

static void give_index(struct pxs_log *log, u16 index)
{
	log->unused[--log->outstanding] = index + 1;
}

static void end(struct pxs_log *log, struct pxs_flight *f, int error, u64 slot, const char *words)
{
	struct pxs_log_result r = {
		.error = error,
		.slot = slot,
		.repeated = !error && f->unsure,
		.leader = error == PXS_LOG_NOT_LEADER ? log->hint : 0,
	};
	u16 index = (u16)(f->id % PXS_LOG_OUTSTANDING_MAX);

	/* A "no" to this copy says nothing about the others. */
	if (error && f->unsure && error != PXS_LOG_UNKNOWN) {
		r.error = PXS_LOG_UNKNOWN;
		words = NULL;
	}
	r.words = words && *words ? words : pxs_log_strerror(r.error);
	unlink_flight(f);
	log->flight[index] = NULL;
	give_index(log, index);
	log->bytes -= f->len;
	f->done(f->ctx, &r);
	free(f);
}

/* --- the call -------------------------------------------------------------- */

static int check(const struct pxs_log *log, const void *value, size_t len,
		 const struct pxs_log_id *id, unsigned int flags)
{
	struct pxs_chunk chunk;
	struct pxs_log_id found;

	/* Else a callback that tries again would keep pxs_log_close() for ever. */
	if (log->closing)
		return PXS_LOG_CLOSED;
	if (!len || !value || flags & ~PXS_LOG_RETRY || (flags && !id))
		return PXS_LOG_INVALID;
	if (len > PXS_LOG_VALUE_MAX)
		return PXS_LOG_TOO_LARGE;
	/* Readers would take it for a copy, or for a chunk, of something. */
	if (!id && (pxs_once_get(value, len, &found) || pxs_chunk_get(value, len, &chunk)))
		return PXS_LOG_INVALID;
	if (id && id->base > PXS_SLOT_MAX)
		return PXS_LOG_INVALID;
	if (log->outstanding == PXS_LOG_OUTSTANDING_MAX || log->bytes + len > PXS_LOG_BYTES_MAX)
		return PXS_LOG_BUSY;
	return PXS_LOG_OK;
}

int pxs_log_propose(struct pxs_log *log, const void *value, size_t len,
		    const struct pxs_log_id *id, unsigned int flags,
		    void (*done)(void *ctx, const struct pxs_log_result *result), void *ctx)
{
	int err = check(log, value, len, id, flags);
	struct pxs_flight *f;
	u16 index;

	if (err || !done)
		return err ? err : PXS_LOG_INVALID;
	f = calloc(1, sizeof(*f) + len);
	if (!f)
		return PXS_LOG_NO_MEMORY;
	if (!log->inside)
		log->now = pxs_io_now();
	index = take_index(log);
	log->flight[index] = f;
	log->bytes += len;
	f->id = ++log->next_id << PXS_FLIGHT_BITS | index;
	f->since = log->now;
	f->unsure = flags & PXS_LOG_RETRY;
	f->unsure_since = log->now;
	f->has_request = id;
	if (id)
		f->request = *id;
	f->done = done;
	f->ctx = ctx;
	f->len = (u32)len;
	memcpy(f->value, value, len);
	put_in(&log->queued, f);
	pxs_due(log, log->now);
	pxs_kick(log);
	return PXS_LOG_OK;
}

unsigned int pxs_log_outstanding(const struct pxs_log *log)
{
	return log->outstanding;
}

/* --- the leader's connection ----------------------------------------------- */

static struct pxs_conn *leader_conn(struct pxs_log *log)
{
	return &log->peer[log->leader].conn;
}

/* @err: -errno, or 0 when there was no trouble with the connection. */
static void forget_leader(struct pxs_log *log, int err)
{
	struct pxs_peer *p = &log->peer[log->leader];

	log->leader = -1;
	log->draining = false;
	pxs_search_lost(log, p, err);
	pxs_due(log, log->now);	/* the search begins */
}

void pxs_leader_doubt(struct pxs_log *log)
{
	if (log->leader < 0)
		return;
	log->draining = true;
	pxs_kick(log);
}

static void requeue(struct pxs_log *log, struct pxs_flight *f)
{
	unlink_flight(f);
	f->since = f->unsure ? f->unsure_since : log->now;
	put_in(&log->queued, f);
}

/* A copy of it may be in the log, or come there. */
static void unsure(struct pxs_log *log, struct pxs_flight *f, const char *words)
{
	if (!f->unsure)
		f->unsure_since = log->now;
	if (!f->has_request || log->now - f->unsure_since >= log->timeout_ms) {
		end(log, f, PXS_LOG_UNKNOWN, 0, words);
		return;
	}
	f->unsure = true;
	requeue(log, f);
}

static void lost(struct pxs_log *log, int err)
{
	u64 sent = leader_conn(log)->sent;
	struct pxs_flight *f, *next;

	forget_leader(log, err);
	for (f = log->sent.first; f; f = next) {
		next = f->next;
		/* What did not leave whole is nothing to the daemon. */
		if (f->end > sent)
			requeue(log, f);
		else
			unsure(log, f, err == -EPROTO ? "the daemon's answer makes no sense" :
						       "the connection was lost");
	}
}

static void send_queued(struct pxs_log *log, struct pxs_conn *c)
{
	const struct pxs_req req = { .type = PXS_CLIENT_APPEND, .group = log->group };
	struct pxs_flight *f, *next;
	struct pxs_once_hdr h;
	struct pxs_req one;

	for (f = log->queued.first; f && pxs_conn_unsent(c) < PXS_CONN_OUT_HIGH; f = next) {
		next = f->next;
		/* Another copy could not count any more. */
		if (f->has_request && log->known >= f->request.base + PXS_LOG_SPAN) {
			end(log, f, PXS_LOG_EXPIRED, 0, NULL);
			continue;
		}
		one = req;
		one.id = f->id;
		if (f->has_request)
			pxs_once_put(&h, &f->request);
		if (pxs_conn_put(c, &one, &h, f->has_request ? sizeof(h) : 0, f->value, f->len))
			return;
		f->end = c->put;
		f->sent_at = log->now;
		unlink_flight(f);
		put_in(&log->sent, f);
	}
}

static void appended(struct pxs_log *log, struct pxs_flight *f, u64 slot)
{
	u64 base = f->request.base;

	pxs_learn_slot(log, slot);
	if (f->has_request && (slot <= base || slot - base > PXS_LOG_SPAN))
		end(log, f, PXS_LOG_EXPIRED, 0, NULL);
	else
		end(log, f, PXS_LOG_OK, slot, NULL);
}

static int answered(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_flight *f = log->flight[m->id % PXS_LOG_OUTSTANDING_MAX];
	int error;

	if (!f || f->id != m->id || f->list != &log->sent || m->group != log->group)
		return -EPROTO;
	if (m->type == PXS_CLIENT_APPENDED && pxs_slot_ok(m->arg)) {
		appended(log, f, m->arg);
		return 0;
	}
	error = m->type == PXS_CLIENT_ERROR ? pxs_error_of(m->arg) : -1;
	if (error < 0 || error == PXS_LOG_IO || error == PXS_LOG_NO_MEMBER ||
	    error == PXS_LOG_RESUMED || error >= PXS_LOG_TRIMMED || m->arg2 > PXS_MEMBER_ID_MAX)
		return -EPROTO;
	if (m->arg2)
		log->hint = (u32)m->arg2;
	pxs_note_words(log, m);
	if (error == PXS_LOG_UNKNOWN || error == PXS_LOG_NOT_LEADER || error == PXS_LOG_BUSY)
		log->draining = true;
	if (error == PXS_LOG_NOT_LEADER)
		requeue(log, f);
	else if (error == PXS_LOG_UNKNOWN || (error == PXS_LOG_BUSY && f->unsure))
		unsure(log, f, log->words);
	else
		end(log, f, error, 0, log->words);
	return 0;
}

/* Return: 0 or -errno: the connection is of no use. */
static int work(struct pxs_log *log, struct pxs_conn *c)
{
	struct pxs_answer m;
	int ret, more;
	u32 read = 0;

	do {
		if (!log->draining)
			send_queued(log, c);
		ret = pxs_conn_flush(c);
		if (ret)
			return ret;
		ret = pxs_conn_fill(c);
		if (ret < 0)
			return ret;
		read += (u32)ret;
		more = 0;
		while (!more && (more = pxs_conn_next(c, &m)) > 0)
			more = answered(log, &m);
		if (more < 0)
			return more;
	} while (ret > 0 && read < PXS_LIB_READ_BYTES);
	if (log->sent.first && log->now - log->sent.first->sent_at >= PXS_LIB_SILENT_MS)
		return -ETIMEDOUT;
	return 0;
}

/* Nobody leads: how long may they wait? */
static void wait_for_leader(struct pxs_log *log)
{
	struct pxs_flight *f, *next;
	int verdict = pxs_search_verdict(log);
	bool in_vain = pxs_search_round(log) && verdict == PXS_LOG_NO_GROUP;

	for (f = log->queued.first; f; f = next) {
		next = f->next;
		if (in_vain || log->now - f->since >= log->timeout_ms)
			end(log, f, verdict, 0, NULL);
		else
			pxs_due(log, f->since + log->timeout_ms);
	}
}

void pxs_propose_step(struct pxs_log *log)
{
	int err;

	if (log->leader >= 0) {
		err = work(log, leader_conn(log));
		if (err)
			lost(log, err);
		else if (log->draining && !log->sent.first)
			forget_leader(log, 0);
		if (log->sent.first)
			pxs_due(log, log->sent.first->sent_at + PXS_LIB_SILENT_MS);
	}
	if (log->leader < 0)
		wait_for_leader(log);
}

void pxs_propose_abandon(struct pxs_log *log)
{
	u64 sent = log->leader >= 0 ? leader_conn(log)->sent : 0;
	struct pxs_flight *f;

	while ((f = log->sent.first))
		end(log, f, f->end > sent ? PXS_LOG_CLOSED : PXS_LOG_UNKNOWN, 0, NULL);
	while ((f = log->queued.first))
		end(log, f, PXS_LOG_CLOSED, 0, NULL);
}
