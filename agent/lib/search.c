// SPDX-License-Identifier: GPL-2.0
/*
 * search.c - which of the sockets is the leader's
 *
 * All are asked at once, so that one that hangs holds up nobody, and again a little later, until
 * one says that it leads and takes values. Its connection stays; the others are closed.
 */
#include "handle.h"

#define WHO_ID	0	/* proposals have others */

int pxs_search_verdict(const struct pxs_log *log)
{
	int verdict = PXS_LOG_UNREACHABLE;
	u32 i;

	for (i = 0; i < log->npeers; i++) {
		if (log->peer[i].answers)
			return PXS_LOG_NOT_LEADER;
		if (log->peer[i].no_group)
			verdict = PXS_LOG_NO_GROUP;
	}
	return verdict;
}

bool pxs_search_round(const struct pxs_log *log)
{
	u32 i;

	for (i = 0; i < log->npeers; i++)
		if (!log->peer[i].heard)
			return false;
	return log->searching;
}

void pxs_search_lost(struct pxs_log *log, struct pxs_peer *p, int err)
{
	if (err)
		pxs_note(log, p->path, err);
	pxs_conn_close(&p->conn);
	p->state = PXS_PEER_CLOSED;
	p->heard = true;
	p->due = log->now + PXS_LIB_RETRY_MS;
}

static void ask(struct pxs_log *log, struct pxs_peer *p)
{
	const struct pxs_req who = { .type = PXS_CLIENT_WHO, .group = log->group, .id = WHO_ID };
	int err = 0;

	if (p->state == PXS_PEER_CLOSED)
		err = pxs_conn_open(&p->conn, p->path);
	if (!err)
		err = pxs_conn_put(&p->conn, &who, NULL, 0, NULL, 0);
	if (!err)
		err = pxs_conn_flush(&p->conn);
	if (err) {
		pxs_search_lost(log, p, err);
		return;
	}
	p->state = PXS_PEER_ASKED;
	p->due = log->now + PXS_LIB_ANSWER_MS;
}

/* Return: 0, or -EPROTO. */
static int answered(struct pxs_log *log, struct pxs_peer *p, const struct pxs_answer *m)
{
	if (m->id != WHO_ID || m->group != log->group)
		return -EPROTO;
	p->heard = true;
	p->state = PXS_PEER_IDLE;
	p->due = log->now + PXS_LIB_RETRY_MS;
	p->no_group = m->type == PXS_CLIENT_ERROR && m->arg == PXS_CLIENT_NO_GROUP;
	p->answers = m->type == PXS_CLIENT_MEMBER;
	if (p->no_group)
		return 0;
	if (!p->answers || m->arg > PXS_SLOT_MAX || m->arg2 > PXS_MEMBER_ID_MAX ||
	    m->flags & ~PXS_CLIENT_READY)
		return -EPROTO;
	pxs_learn_slot(log, m->arg);
	if (m->arg2)
		log->hint = (u32)m->arg2;
	if (m->flags & PXS_CLIENT_READY)
		log->leader = (int)(p - log->peer);
	return 0;
}

static void listen_to(struct pxs_log *log, struct pxs_peer *p)
{
	struct pxs_answer m;
	int ret;

	ret = pxs_conn_flush(&p->conn);
	if (!ret)
		ret = pxs_conn_fill(&p->conn);
	if (ret > 0)
		ret = pxs_conn_next(&p->conn, &m);
	/* Nobody asked: it may only end. */
	if (ret > 0)
		ret = p->state == PXS_PEER_ASKED ? answered(log, p, &m) : -EPROTO;
	if (!ret && p->state == PXS_PEER_ASKED && log->now >= p->due)
		ret = -ETIMEDOUT;
	if (ret < 0) {
		p->answers = false;
		pxs_search_lost(log, p, ret);
	}
}

static void begin(struct pxs_log *log)
{
	u32 i;

	log->searching = true;
	log->hint = 0;
	for (i = 0; i < log->npeers; i++) {
		log->peer[i].heard = false;
		log->peer[i].answers = false;
		log->peer[i].no_group = false;
	}
}

static void stop(struct pxs_log *log)
{
	u32 i;

	log->searching = false;
	for (i = 0; i < log->npeers; i++) {
		if ((int)i == log->leader)
			continue;
		pxs_conn_close(&log->peer[i].conn);
		log->peer[i].state = PXS_PEER_CLOSED;
		log->peer[i].due = 0;
	}
}

void pxs_search_step(struct pxs_log *log)
{
	bool wanted = log->want_leader || log->queued.first ||
		      (log->want_slot && !log->slot_known);
	struct pxs_peer *p;
	u32 i;

	if (log->leader >= 0)
		return;
	if (wanted && !log->searching)
		begin(log);
	for (i = 0; wanted && i < log->npeers && log->leader < 0; i++) {
		p = &log->peer[i];
		if (p->state != PXS_PEER_CLOSED)
			listen_to(log, p);
		if (log->leader < 0 && p->state != PXS_PEER_ASKED && log->now >= p->due)
			ask(log, p);
		pxs_due(log, p->due);
	}
	if (log->searching && (!wanted || log->leader >= 0))
		stop(log);
}
