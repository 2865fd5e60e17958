// SPDX-License-Identifier: GPL-2.0
/*
 * call.c - the functions that block: each waits in pxs_log_wait() for what it asked for
 */
#include "handle.h"

#include <limits.h>
#include <stdio.h>

/* --- one request, one answer ----------------------------------------------- */

static void call_end(struct pxs_log *log, int error)
{
	log->call.error = error;
	log->call.active = false;
	pxs_conn_close(&log->call.conn);
}

static int call_take(struct pxs_log *log, const struct pxs_answer *m)
{
	struct pxs_call *call = &log->call;
	int error;

	if (m->id != call->id)
		return -EPROTO;
	if (m->type == PXS_CLIENT_ERROR) {
		error = pxs_error_of(m->arg);
		if (error < 0 || m->arg2 > PXS_MEMBER_ID_MAX)
			return -EPROTO;
		pxs_note_words(log, m);
		call->leader = (u32)m->arg2;
		call_end(log, error);
		return 0;
	}
	if (m->type != call->wanted)
		return -EPROTO;
	call->arg = m->arg;
	call->text = strndup((const char *)m->body, m->len);
	call_end(log, call->text ? PXS_LOG_OK : PXS_LOG_NO_MEMORY);
	return 0;
}

void pxs_call_step(struct pxs_log *log)
{
	struct pxs_call *call = &log->call;
	struct pxs_answer m;
	int ret;

	if (!call->active)
		return;
	ret = pxs_conn_flush(&call->conn);
	if (!ret)
		ret = pxs_conn_fill(&call->conn);
	if (ret >= 0)
		ret = pxs_conn_next(&call->conn, &m);
	if (ret > 0)
		ret = call_take(log, &m);
	if (!ret && call->active && log->now >= call->deadline)
		ret = -ETIMEDOUT;
	if (ret < 0) {
		pxs_note(log, call->path, ret);
		call_end(log, ret == -EPROTO ? PXS_LOG_PROTOCOL : PXS_LOG_UNKNOWN);
	}
	if (call->active)
		pxs_due(log, call->deadline);
}

/* Return: enum pxs_log_error; UNREACHABLE: not sent, UNKNOWN: not answered. */
static int call_with(struct pxs_log *log, const char *path, const struct pxs_req *req,
		     const char *body, u8 wanted, u32 timeout_ms)
{
	struct pxs_call *call = &log->call;
	int err;

	free(call->text);
	call->text = NULL;
	call->leader = 0;
	log->words[0] = 0;
	err = pxs_conn_open(&call->conn, path);
	if (!err)
		err = pxs_conn_put(&call->conn, req, NULL, 0, body, (u32)strlen(body));
	if (err) {
		pxs_conn_close(&call->conn);
		pxs_note(log, path, err);
		return PXS_LOG_UNREACHABLE;
	}
	call->path = path;
	call->id = req->id;
	call->wanted = wanted;
	call->deadline = pxs_io_now() + timeout_ms;
	call->active = true;
	pxs_kick(log);
	while (call->active)
		pxs_log_wait(log, -1);
	return call->error;
}

static int call(struct pxs_log *log, const char *path, const struct pxs_req *req, u8 wanted,
		u32 timeout_ms)
{
	return call_with(log, path, req, "", wanted, timeout_ms);
}

int pxs_log_status(struct pxs_log *log, unsigned int socket, char **json)
{
	const struct pxs_req req = { .type = PXS_CLIENT_STATUS };
	int ret;

	if (log->inside || socket >= log->npeers || !json)
		return PXS_LOG_INVALID;
	ret = call(log, log->peer[socket].path, &req, PXS_CLIENT_STATUS_IS, PXS_LIB_ANSWER_MS);
	if (ret)
		return ret == PXS_LOG_UNKNOWN ? PXS_LOG_UNREACHABLE : ret;
	*json = log->call.text;
	log->call.text = NULL;
	return PXS_LOG_OK;
}

/* --- waiting for a leader, or anybody -------------------------------------- */

static u64 time_out(const struct pxs_log *log)
{
	return pxs_io_now() + log->timeout_ms;
}

/* Wait until @end, or until @wish is fulfilled: by a leader, or (@slot) by any member's word. */
static int search(struct pxs_log *log, bool *wish, bool slot, bool one_round, u64 end)
{
	int verdict = PXS_LOG_OK;

	*wish = true;
	pxs_kick(log);
	while (!(slot ? log->slot_known : log->leader >= 0)) {
		log->now = pxs_io_now();
		verdict = pxs_search_verdict(log);
		if (log->now >= end)
			break;
		if (pxs_search_round(log) && (one_round || verdict == PXS_LOG_NO_GROUP))
			break;
		verdict = PXS_LOG_OK;
		pxs_log_wait(log, (int)min(end - log->now, (u64)INT_MAX));
	}
	*wish = false;
	return verdict;
}

int pxs_log_connect(struct pxs_log *log)
{
	if (log->inside)
		return PXS_LOG_INVALID;
	return search(log, &log->want_leader, false, false, time_out(log));
}

int pxs_log_make_id(struct pxs_log *log, struct pxs_log_id *id)
{
	int ret = PXS_LOG_OK;

	if (!id || (log->inside && !log->slot_known))
		return PXS_LOG_INVALID;
	if (!log->slot_known)
		ret = search(log, &log->want_slot, true, false, time_out(log));
	if (ret)
		return ret;
	memcpy(id->client, log->client, sizeof(id->client));
	id->number = ++log->number;
	id->base = log->known;
	return PXS_LOG_OK;
}

/* --- appending, leading ---------------------------------------------------- */

struct append {
	struct pxs_log *log;
	struct pxs_log_result result;
	bool over;
};

static void append_done(void *ctx, const struct pxs_log_result *result)
{
	struct append *a = ctx;

	a->result = *result;
	a->over = true;
	/* The words stay where the handle keeps them. */
	if (result->words != pxs_log_strerror(result->error) && result->words != a->log->words) {
		strncpy(a->log->words, result->words, sizeof(a->log->words) - 1);
		a->result.words = a->log->words;
	}
}

int pxs_log_append(struct pxs_log *log, const void *value, size_t len,
		   const struct pxs_log_id *id, unsigned int flags, struct pxs_log_result *result)
{
	struct append a = { .log = log };
	int ret;

	if (log->inside)
		return PXS_LOG_INVALID;
	ret = pxs_log_propose(log, value, len, id, flags, append_done, &a);
	if (ret)
		a.result = (struct pxs_log_result){ .error = ret, .words = pxs_log_strerror(ret) };
	while (!ret && !a.over)
		pxs_log_wait(log, -1);
	if (result)
		*result = a.result;
	return a.result.error;
}

static int transfer(struct pxs_log *log, unsigned int member)
{
	const struct pxs_req req = {
		.type = PXS_CLIENT_TRANSFER, .group = log->group, .id = 1, .arg = member,
	};
	int ret = search(log, &log->want_leader, false, true, time_out(log));

	if (ret)
		return ret;
	ret = call(log, log->peer[log->leader].path, &req, PXS_CLIENT_LEADS, log->timeout_ms);
	/* Once it was asked, only an answer tells. */
	return ret == PXS_LOG_PROTOCOL || (!ret && log->call.arg != member) ? PXS_LOG_UNKNOWN : ret;
}

int pxs_log_transfer(struct pxs_log *log, unsigned int member, struct pxs_log_result *result)
{
	struct pxs_log_result r = { .error = PXS_LOG_INVALID };

	if (!log->inside && member && member <= PXS_MEMBER_ID_MAX) {
		log->words[0] = 0;
		log->call.leader = 0;
		r.error = transfer(log, member);
		if (r.error == PXS_LOG_NOT_LEADER)
			r.leader = log->call.leader ? log->call.leader : log->hint;
	}
	r.words = log->words[0] && r.error ? log->words : pxs_log_strerror(r.error);
	if (r.error == PXS_LOG_UNKNOWN)
		r.words = "no answer: see who leads";
	if (result)
		*result = r;
	return r.error;
}

static int change_member(struct pxs_log *log, const struct pxs_log_member *m, unsigned int flags)
{
	bool quorum = m->change == PXS_LOG_MEMBER_QUORUM;
	const struct pxs_req req = {
		.type = PXS_CLIENT_MEMBERS, .group = log->group, .id = 1,
		.arg = quorum ? m->phase1 : m->id, .arg2 = quorum ? m->phase2 : m->incarnation,
		.flags = (u8)(m->change | (flags & PXS_LOG_FORCE ? PXS_CLIENT_CHANGE_FORCE : 0)),
	};
	int ret = search(log, &log->want_leader, false, false, time_out(log));
	char where[PXS_LOG_ADDRESS_MAX + 8];

	if (ret)
		return ret;
	snprintf(where, sizeof(where), m->store_port ? "%s %u" : "%s", m->address ? m->address : "",
		 m->store_port);
	ret = call_with(log, log->peer[log->leader].path, &req, where, PXS_CLIENT_CHANGED,
			log->timeout_ms);
	/* Once it was asked, only an answer tells. */
	return ret == PXS_LOG_PROTOCOL ? PXS_LOG_UNKNOWN : ret;
}

static bool change_ok(const struct pxs_log_member *m)
{
	/* Who was built before there were sizes does not have them in its struct. */
	if (m->change == PXS_LOG_MEMBER_QUORUM)
		return !m->id && !m->address && m->phase1 <= UINT8_MAX && m->phase2 <= UINT8_MAX;
	return m->change >= PXS_LOG_MEMBER_ADD && m->change <= PXS_LOG_MEMBER_SET && m->id &&
	       m->id <= PXS_MEMBER_ID_MAX &&
	       (!m->address || strlen(m->address) < PXS_LOG_ADDRESS_MAX) &&
	       (m->address || !m->store_port) && m->store_port <= UINT16_MAX;
}

int pxs_log_member(struct pxs_log *log, const struct pxs_log_member *member, unsigned int flags,
		   struct pxs_log_result *result)
{
	struct pxs_log_result r = { .error = PXS_LOG_INVALID };

	if (!log->inside && change_ok(member) && !(flags & ~PXS_LOG_FORCE)) {
		log->words[0] = 0;
		log->call.leader = 0;
		r.error = change_member(log, member, flags);
		if (r.error == PXS_LOG_NOT_LEADER)
			r.leader = log->call.leader ? log->call.leader : log->hint;
	}
	r.slot = r.error ? 0 : log->call.arg;
	r.words = log->words[0] && r.error ? log->words : pxs_log_strerror(r.error);
	if (r.error == PXS_LOG_UNKNOWN)
		r.words = "no answer: see who the members are";
	if (result)
		*result = r;
	return r.error;
}

int pxs_log_trim(struct pxs_log *log, unsigned int socket, uint64_t slot, unsigned int flags,
		 struct pxs_log_result *result)
{
	const struct pxs_req req = {
		.type = PXS_CLIENT_TRIM, .group = log->group, .id = 1, .arg = slot,
		.flags = flags & PXS_LOG_FORCE ? PXS_CLIENT_FORCE : 0,
	};
	struct pxs_log_result r = { .error = PXS_LOG_INVALID };

	if (!log->inside && socket < log->npeers && pxs_slot_ok(slot) &&
	    !(flags & ~PXS_LOG_FORCE))
		r.error = call(log, log->peer[socket].path, &req, PXS_CLIENT_FIRST,
			       log->timeout_ms);
	/* Once it was asked, only an answer tells. */
	if (r.error == PXS_LOG_PROTOCOL || (!r.error && log->call.arg <= slot))
		r.error = PXS_LOG_UNKNOWN;
	r.slot = r.error ? 0 : log->call.arg;
	r.words = log->words[0] && r.error ? log->words : pxs_log_strerror(r.error);
	if (r.error == PXS_LOG_UNKNOWN)
		r.words = "no answer: see its status";
	if (result)
		*result = r;
	return r.error;
}

/* --- the read index -------------------------------------------------------- */

/* Of whoever leads now. What fails may be asked again: it changes nothing. */
static int ask_index(struct pxs_log *log, u64 end, uint64_t *slot)
{
	const struct pxs_req req = { .type = PXS_CLIENT_INDEX, .group = log->group, .id = 1 };
	int ret = search(log, &log->want_leader, false, false, end);
	u64 now = pxs_io_now();

	if (ret)
		return ret;
	ret = call(log, log->peer[log->leader].path, &req, PXS_CLIENT_INDEX_IS,
		   now < end ? (u32)(end - now) : 0);
	if (ret)
		return ret == PXS_LOG_UNKNOWN ? PXS_LOG_BUSY : ret;
	if (log->call.arg > PXS_SLOT_MAX)
		return PXS_LOG_PROTOCOL;
	*slot = log->call.arg;
	return PXS_LOG_OK;
}

static bool may_ask_again(int error)
{
	return error == PXS_LOG_NOT_LEADER || error == PXS_LOG_BUSY || error == PXS_LOG_FENCED ||
	       error == PXS_LOG_UNREACHABLE;
}

int pxs_log_read_index(struct pxs_log *log, uint64_t *slot)
{
	u64 end = time_out(log);
	int ret;

	if (log->inside || !slot)
		return PXS_LOG_INVALID;
	for (;;) {
		ret = ask_index(log, end, slot);
		if (!may_ask_again(ret) || pxs_io_now() >= end)
			return ret;
		pxs_leader_doubt(log);
		do {
			pxs_log_wait(log, PXS_LIB_RETRY_MS);
		} while (log->draining && pxs_io_now() < end);
	}
}
