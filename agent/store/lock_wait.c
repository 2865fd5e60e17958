// SPDX-License-Identifier: GPL-2.0
/*
 * lock_wait.c - commands whose keys a transaction over several groups has
 *
 * They wait before they are proposed, in the order in which they came, and hold nothing meanwhile,
 * so nobody waits for them but who wants the same keys later. What finds a key locked only when it
 * is applied was not executed: it waits and is proposed again, if nothing that its connection sent
 * behind it was begun. Strong reads wait in read_stale().
 */
#include "store.h"

#include "cross_run.h"

/* Its commands: one, or those of EXEC. */
static const struct pxs_request *first(const struct pxs_request *r)
{
	if (r->cross && r->cross->exec)
		return r->cross->queued;
	return r->cmd->local == PXS_LOCAL_EXEC ? r->conn->queued : r;
}

static const struct pxs_request *next(const struct pxs_request *r, const struct pxs_request *q)
{
	return q == r ? NULL : q->next;
}

/* What is watched for it: *@n keys. */
static const struct pxs_watch *watched(const struct pxs_request *r, u32 *n)
{
	*n = 0;
	if (r->cmd->local != PXS_LOCAL_EXEC)
		return NULL;
	*n = r->cross ? r->cross->watches : r->conn->watches;
	return r->cross ? r->cross->watch : r->conn->watch;
}

static bool is_wanted(const struct pxs_wanted *w, const struct pxs_request *r)
{
	const struct pxs_request *q;
	u32 i, watches;
	const struct pxs_watch *watch = watched(r, &watches);

	for (q = first(r); q; q = next(r, q))
		if (pxs_wanted_has(w, &r->store->db, q->cmd, q->argc, q->argv))
			return true;
	for (i = 0; i < watches; i++)
		if (pxs_wanted_has_key(w, &r->store->db, watch[i].key))
			return true;
	return false;
}

/* Nor are keys that it watches written by who comes later: it would be for nothing. */
static void want(const struct pxs_request *r)
{
	const struct pxs_request *q;
	u32 i, watches;
	const struct pxs_watch *watch = watched(r, &watches);

	for (q = first(r); q; q = next(r, q))
		pxs_wanted_add(&r->store->wanted, &r->store->db, q->cmd, q->argc, q->argv);
	for (i = 0; i < watches; i++)
		pxs_wanted_add_key(&r->store->wanted, &r->store->db, watch[i].key);
}

/* Keys of other groups are locked there. */
static bool is_locked(const struct pxs_request *r)
{
	struct pxs_db *db = &r->store->db;
	const struct pxs_request *q;
	u32 i, watches;
	const struct pxs_watch *watch = watched(r, &watches);

	for (q = first(r); q; q = next(r, q))
		if (pxs_cross_locked(db, q->cmd, q->argc, q->argv))
			return true;
	for (i = 0; i < watches; i++)
		if (pxs_cross_locked_key(db, watch[i].key))
			return true;
	return false;
}

bool pxs_lock_is_held(const struct pxs_request *r)
{
	struct pxs_db *db = &r->store->db;
	bool locked;

	pxs_store_settle(r->store);
	if (!db->state.locks || pxs_db_begin(db, false))
		return false;
	locked = is_locked(r);
	pxs_db_abort(db);
	return locked;
}

/* ... or is it the turn of others, who have waited longer? */
static bool in_the_way(const struct pxs_request *r)
{
	return is_wanted(&r->store->wanted, r) || is_wanted(&r->store->cross.wanted, r) ||
	       pxs_lock_is_held(r);
}

static void wait(struct pxs_request *r)
{
	r->state = PXS_REQUEST_LOCKED;
	if (!r->deadline)
		r->deadline = r->store->node->loop.now + r->store->config->read_wait;
	r->conn->locked++;
	pxs_requests_push(&r->store->locked, r);
	want(r);
}

bool pxs_lock_wait(struct pxs_request *r)
{
	if (!r->turn && in_the_way(r)) {
		wait(r);
		return true;
	}
	r->turn = false;
	return false;
}

static void give_up(struct pxs_request *r)
{
	if (r->cmd->local == PXS_LOCAL_EXEC && !r->cross)
		pxs_tx_end(r->conn);
	pxs_cross_say_locked(&r->out);
	pxs_request_hold(r, r->out.len);
	pxs_request_done(r);
}

/* Return: it is no longer waiting. */
static bool end_wait(struct pxs_store *s, struct pxs_request *r)
{
	bool never = r->conn->dead || in_the_way(r);

	if (never && !r->conn->dead && r->deadline > s->node->loop.now)
		return false;
	r->conn->locked--;
	pxs_conn_ready(r->conn);
	if (never) {
		give_up(r);
		return true;
	}
	r->turn = true;
	if (r->cross)
		pxs_cross_go(r);
	else
		pxs_session_resume(r);
	return true;
}

bool pxs_lock_step(struct pxs_store *s)
{
	struct pxs_request_list list = s->locked;
	struct pxs_request *r;
	bool did = false;

	pxs_requests_init(&s->locked);
	pxs_wanted_none(&s->wanted);
	while (list.first) {
		r = list.first;
		list.first = r->link;
		if (end_wait(s, r)) {
			did = true;
			continue;
		}
		pxs_requests_push(&s->locked, r);
		want(r);
	}
	return did;
}

bool pxs_lock_again(struct pxs_request *r)
{
	const struct pxs_conn *c = r->conn;

	/* An EXEC of one group has given its commands away. */
	if (!r->out.again || c->dead || r->parent || r->next != c->todo ||
	    (r->cmd->local == PXS_LOCAL_EXEC && !r->cross) ||
	    (r->deadline && r->deadline <= r->store->node->loop.now))
		return false;
	pxs_request_unsay(r);
	wait(r);
	return true;
}
