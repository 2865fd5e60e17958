// SPDX-License-Identifier: GPL-2.0
/*
 * log.c - the handle: made, polled, worked, closed
 */
#include "handle.h"

#include <stdio.h>

void pxs_kick(struct pxs_log *log)
{
	if (log->inside || log->kicked)
		return;
	log->kicked = true;
	pxs_io_alarm(&log->watch, 0);
}

void pxs_note(struct pxs_log *log, const char *path, int err)
{
	const char *words = strerror(-err);

	if (err == -EPIPE)
		words = "the connection was closed";
	else if (err == -EPROTO)
		words = "an answer that makes no sense";
	else if (err == -ETIMEDOUT)
		words = "no answer";
	snprintf(log->detail, sizeof(log->detail), "%s: %s", path, words);
}

void pxs_note_words(struct pxs_log *log, const struct pxs_answer *m)
{
	u32 n = min(m->len, (u32)sizeof(log->words) - 1), i;

	for (i = 0; i < n; i++)
		log->words[i] = m->body[i] < 0x20 || m->body[i] == 0x7f ? '?' : (char)m->body[i];
	log->words[n] = 0;
}

bool pxs_slot_ok(u64 slot)
{
	return slot && slot <= PXS_SLOT_MAX;
}

void pxs_learn_slot(struct pxs_log *log, u64 slot)
{
	log->slot_known = true;
	log->known = max(log->known, slot);
}

/* --- made and closed ------------------------------------------------------- */

static int add_peer(struct pxs_log *log, const char *path, size_t len)
{
	struct pxs_peer *p = &log->peer[log->npeers];

	if (!len)
		return -EINVAL;
	if (log->npeers == PXS_LOG_SOCKETS_MAX)
		return -E2BIG;
	if (len > 107)	/* sun_path, with a zero byte */
		return -ENAMETOOLONG;
	p->path = strndup(path, len);
	if (!p->path)
		return -ENOMEM;
	pxs_conn_init(&p->conn, &log->watch);
	log->npeers++;
	return 0;
}

static int add_peers(struct pxs_log *log, const char *sockets)
{
	const char *comma;
	int err;

	for (; (comma = strchr(sockets, ',')); sockets = comma + 1) {
		err = add_peer(log, sockets, (size_t)(comma - sockets));
		if (err)
			return err;
	}
	return add_peer(log, sockets, strlen(sockets));
}

static void free_log(struct pxs_log *log)
{
	u32 i;

	for (i = 0; i < log->npeers; i++) {
		pxs_conn_close(&log->peer[i].conn);
		free(log->peer[i].path);
	}
	pxs_io_watch_exit(&log->watch);
	free(log);
}

struct pxs_log *pxs_log_open(const char *sockets, unsigned int group)
{
	struct pxs_log *log = calloc(1, sizeof(*log));
	int err = -ENOMEM;

	if (!log)
		goto fail;
	log->watch = (struct pxs_io_watch){ -1, -1 };
	log->group = group;
	log->timeout_ms = PXS_LOG_TIMEOUT_MS;
	log->leader = -1;
	log->now = pxs_io_now();
	pxs_conn_init(&log->sub.conn, &log->watch);
	pxs_conn_init(&log->call.conn, &log->watch);
	err = sockets && group && group <= INT32_MAX ? add_peers(log, sockets) : -EINVAL;
	if (!err)
		err = pxs_io_watch_init(&log->watch);
	if (!err)
		err = pxs_io_random(log->client, sizeof(log->client));
	if (!err)
		return log;
	free_log(log);
fail:
	errno = -err;
	return NULL;
}

void pxs_log_close(struct pxs_log *log)
{
	if (!log)
		return;
	pxs_assert(!log->inside);	/* not from a callback */
	log->inside = true;
	log->closing = true;
	pxs_propose_abandon(log);
	pxs_sub_exit(log);
	pxs_conn_close(&log->call.conn);
	free(log->call.text);
	free_log(log);
}

int pxs_log_set_timeout(struct pxs_log *log, unsigned int ms)
{
	if (!ms || ms > 3600000)
		return PXS_LOG_INVALID;
	log->timeout_ms = ms;
	return PXS_LOG_OK;
}

/* --- polled and worked ----------------------------------------------------- */

int pxs_log_fd(const struct pxs_log *log)
{
	return log->watch.epoll;
}

int pxs_log_process(struct pxs_log *log)
{
	if (log->inside)
		return PXS_LOG_INVALID;
	log->inside = true;
	log->now = pxs_io_now();
	log->due = UINT64_MAX;
	pxs_search_step(log);
	pxs_propose_step(log);
	pxs_sub_step(log);
	pxs_call_step(log);
	/* Also takes back a ring that nobody has heard. */
	pxs_io_alarm(&log->watch, log->due);
	log->kicked = false;
	log->inside = false;
	return PXS_LOG_OK;
}

int pxs_log_wait(struct pxs_log *log, int timeout_ms)
{
	if (log->inside || pxs_io_wait(&log->watch, timeout_ms))
		return PXS_LOG_INVALID;
	return pxs_log_process(log);
}

const char *pxs_log_detail(const struct pxs_log *log)
{
	return log->detail;
}
