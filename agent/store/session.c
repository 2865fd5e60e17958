// SPDX-License-Identifier: GPL-2.0
/*
 * session.c - what a request means on its connection: who may, when, where
 *
 * A write is proposed as soon as all before it are writes that are under way; a strong read joins
 * the next barrier even behind writes, but holds back writes that follow, so that a pipeline is
 * executed in its order. Everything else waits until what stands before it has its answer.
 *
 * Reads that are not strong are answered here, when what is here is new enough: for eventual ones
 * it always is; for a session it must hold what that session has seen, whichever member
 * showed it; for bounded ones that, and fresh.h must vouch for it.
 */
#include "store.h"

#include <inttypes.h>

#include "cmd_saga.h"

void pxs_session_init(struct pxs_conn *c)
{
	c->proto = 2;
	c->authenticated = !c->store->config->password;
	c->level = *c->fallback;
	c->queued_last = &c->queued;
}

void pxs_session_exit(struct pxs_conn *c)
{
	pxs_tx_end(c);
	free(c->name);
	c->name = NULL;
}

void pxs_session_reset(struct pxs_conn *c)
{
	pxs_session_exit(c);
	pxs_session_init(c);
	c->readonly = false;
	memset(c->token, 0, sizeof(c->token));
	c->version.slot = 0;
	c->version.stamp.time = 0;
	c->mute = false;
	c->skip = false;
}

#define RUN_WORDS	5u	/* in front of the command */

static bool above_zero(struct pxs_str s, u64 *n)
{
	s64 value;

	if (!pxs_str_int(s, &value) || value <= 0)
		return false;
	*n = (u64)value;
	return true;
}

/* PAXSTEER SAGA WORD is a command of its own. */
static void find_saga(struct pxs_request *r)
{
	const struct pxs_command *cmd = NULL;

	if (r->cmd && r->cmd->local == PXS_LOCAL_PAXSTEER && r->argc > 2 &&
	    pxs_str_is(r->argv[1], "saga"))
		cmd = pxs_saga_find(r->argc, r->argv);
	if (cmd)
		r->cmd = cmd;
}

static void unwrap_run(struct pxs_request *r)
{
	if (!r->cmd || r->cmd->local != PXS_LOCAL_PAXSTEER || r->argc <= RUN_WORDS ||
	    !pxs_str_is(r->argv[1], "session") || !pxs_str_is(r->argv[2], "run"))
		return;
	if (!above_zero(r->argv[3], &r->session) || !above_zero(r->argv[4], &r->number)) {
		r->session = 0;		/* cmd_paxsteer.c says so */
		return;
	}
	r->argc -= RUN_WORDS;
	memmove(r->argv, r->argv + RUN_WORDS, r->argc * sizeof(r->argv[0]));
	r->cmd = pxs_cmd_find(r->argv[0]);
}

void pxs_session_unwrap(struct pxs_request *r)
{
	unwrap_run(r);
	find_saga(r);
}

/* --- where ------------------------------------------------------------------- */

/* Of the first key that is of the group that is asked. Return: there is one. */
static bool slot_in(const struct pxs_request *r, const struct pxs_store *s, u32 *slot)
{
	u32 i = 0;

	while (r->cmd && (i = pxs_cmd_next_key(r->cmd, r->argc, i)))
		if (pxs_set_of_key(s, r->argv[i]) == s) {
			*slot = pxs_keyslot(r->argv[i]);
			return true;
		}
	return false;
}

static u32 slot_watched(const struct pxs_request *r)
{
	const struct pxs_watch *watch = r->cross ? r->cross->watch : r->conn->watch;
	u32 i = 0, n = r->cross ? r->cross->watches : r->conn->watches;

	while (i < n && pxs_set_of_key(r->store, watch[i].key) != r->store)
		i++;
	return i < n ? pxs_keyslot(watch[i].key) : 0;
}

static u32 slot_of(const struct pxs_request *r)
{
	bool exec = r->cmd && r->cmd->local == PXS_LOCAL_EXEC;
	const struct pxs_request *q = exec ? r->conn->queued : r;
	u32 slot = 0;

	if (exec && r->cross)
		q = r->cross->queued;
	while (q && !slot_in(q, r->store, &slot))
		q = exec ? q->next : NULL;
	if (!q && (exec || (r->cmd && r->cmd->local == PXS_LOCAL_WATCH)))
		slot = slot_watched(r);
	return slot;
}

void pxs_session_redirect(struct pxs_request *r)
{
	struct pxs_store *s = r->store;
	u8 leader = s->replica->elect.leader;
	int i = leader ? pxs_store_member(s, leader) : -1;

	if (i < 0 || i == s->replica->config->conf.self)
		pxs_reply_error(&r->out, "CLUSTERDOWN The cluster is down");
	else if (pxs_store_where(s, (u32)i))
		pxs_reply_error(&r->out, "MOVED %u %s", slot_of(r), pxs_store_where(s, (u32)i));
	else
		pxs_reply_error(&r->out,
				"CLUSTERDOWN member %u leads; where its store listens is not configured",
				leader);
}

/* Return: a write may be proposed here; else the error is said. */
bool pxs_session_may_write(struct pxs_request *r)
{
	struct pxs_store *s = r->store;

	if (!pxs_store_leads(s)) {
		pxs_session_redirect(r);
		return false;
	}
	if (!s->stalled && !s->stopped)
		return true;
	pxs_reply_error(&r->out, "MISCONF the store cannot apply what is written: %s",
			s->stopped ? "see the log of paxsteerd" : strerror(-s->stalled));
	return false;
}

/* --- checks before anything is done ------------------------------------------- */

static void reject(struct pxs_request *r)
{
	if (r->conn->multi)
		r->conn->multi_failed = true;
}

/* EXEC ends the transaction all the same. */
static void wrong_arity(struct pxs_request *r)
{
	if (r->cmd->local != PXS_LOCAL_EXEC) {
		pxs_reply_arity(&r->out, r->cmd->name);
		return;
	}
	pxs_reply_error(&r->out,
			"EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command");
	pxs_tx_end(r->conn);
}

/* What may happen once at most: an entry of its own. */
static bool makes_entry(const struct pxs_request *r)
{
	if (r->cmd->flags & PXS_CF_SAGA)
		return false;	/* its id is what makes it happen once */
	return r->cmd->local == PXS_LOCAL_EXEC || (!r->conn->multi && r->cmd->flags & PXS_CF_WRITE);
}

/* What may stand between MULTI and EXEC, or end that. */
#define IN_MULTI	(PXS_CF_NOMULTI | PXS_CF_PURE | PXS_CF_READ | PXS_CF_WRITE | PXS_CF_LATE)

static bool acceptable(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	const struct pxs_command *cmd = r->cmd;

	if (!c->authenticated && (!cmd || !(cmd->flags & PXS_CF_NOAUTH)))
		pxs_reply_error(&r->out, "NOAUTH Authentication required.");
	else if (!cmd)
		pxs_cmd_unknown(&r->out, r->argc, r->argv);
	else if (!pxs_cmd_arity_ok(cmd, r->argc))
		wrong_arity(r);
	else if (r->session && !makes_entry(r))
		pxs_reply_error(&r->out,
				"ERR PAXSTEER SESSION RUN takes a command that writes, or EXEC");
	else if (pxs_set_removed(c->store) && !(cmd->flags & PXS_CF_STALE))
		pxs_reply_error(&r->out, "CLUSTERDOWN this member was removed from the group: ask another one");
	else if (!pxs_set_ready(c->store) && !(cmd->flags & PXS_CF_STALE))
		pxs_reply_error(&r->out, "LOADING Redis is loading the dataset in memory");
	else if (c->multi && (cmd->flags & PXS_CF_SAGA || !(cmd->flags & IN_MULTI)) &&
		 cmd->local != PXS_LOCAL_UNWATCH)
		pxs_reply_error(&r->out, "ERR Command not allowed inside a transaction");
	else if (c->multi && c->store->set && pxs_route_keyless(cmd))
		pxs_reply_error(&r->out, "ERR Command not allowed inside a transaction of a store of several groups");
	else
		return true;
	reject(r);
	return false;
}

/* --- reads and writes --------------------------------------------------------- */

bool pxs_session_reads_here(const struct pxs_conn *c)
{
	return c->readonly || c->level.kind != PXS_STRONG;
}

bool pxs_session_readable(const struct pxs_request *r)
{
	const struct pxs_conn *c = r->conn;
	const struct pxs_store *s = r->store;
	u64 now;

	if (!(r->cmd->flags & PXS_CF_READ) || c->readonly || c->level.kind == PXS_EVENTUAL)
		return true;
	/* Half of a transaction is nothing to be seen. */
	if (!pxs_session_reads_here(c))
		return !s->db.state.locks || !pxs_lock_is_held(r);
	if (c->token[pxs_set_index(s)] > s->db.state.applied)
		return false;
	if (c->level.kind == PXS_SESSION)
		return true;
	/* Anew: this process may have been stopped since the round began. */
	now = pxs_store_steady();
	return pxs_fresh_holds(&s->fresh, &c->level, now, r->arrived, s->db.state.applied,
			       s->replica->commit);
}

/* Half of the time that it may be used has passed: the next read shall find something newer. */
static void refresh(const struct pxs_conn *c, struct pxs_store *s)
{
	u64 then = pxs_submit_newest(s) + c->level.ms * 500000ull;

	if (c->level.kind == PXS_BOUNDED && !c->readonly && pxs_store_steady() > then)
		s->want_fresh = true;
}

/* At once, if what is here is new enough. */
static void read_here(struct pxs_request *r)
{
	const struct pxs_conn *c = r->conn;
	struct pxs_store *s = r->store;

	r->arrived = pxs_store_steady();
	if (pxs_session_readable(r))
		pxs_store_read(s, r);
	else
		pxs_store_wait(s, r);
	refresh(c, s);	/* of a part, @r may be gone */
}

static void read_strong(struct pxs_request *r)
{
	if (pxs_session_may_write(r))
		pxs_submit_read(r->store, r);
	else
		pxs_request_done(r);
}

static void begin_write(struct pxs_request *r)
{
	u8 kind = r->cmd->flags & PXS_CF_SAGA ? PXS_STORE_SAGA : PXS_STORE_COMMAND;
	struct pxs_args args = { r->argc, r->argv };

	if (!pxs_session_may_write(r))
		pxs_request_done(r);
	else if (kind == PXS_STORE_SAGA && pxs_saga_too_large(r->argc, r->argv, &r->out))
		pxs_request_done(r);
	else if (!pxs_lock_wait(r))
		pxs_submit(r->store, r, kind, &args, 1);
}

void pxs_session_resume(struct pxs_request *r)
{
	if (r->cmd->local != PXS_LOCAL_EXEC)
		begin_write(r);
	else if (pxs_tx_exec(r))
		pxs_request_done(r);
}

/* Neither data nor connection. */
static void run_pure(struct pxs_request *r)
{
	pxs_apply_read(&r->conn->store->db, r->cmd, r->argc, r->argv, pxs_store_clock(), &r->out);
	pxs_request_done(r);
}

/* --- what only this connection or this server knows ------------------------------ */

static void quit(struct pxs_request *r)
{
	pxs_reply_status(&r->out, "OK");
	r->conn->closing = true;
}

static void reset(struct pxs_request *r)
{
	pxs_session_reset(r->conn);
	r->out.proto = 2;
	pxs_reply_status(&r->out, "RESET");
}

static void set_readonly(struct pxs_request *r, bool readonly)
{
	r->conn->readonly = readonly;
	pxs_reply_status(&r->out, "OK");
}

static void unwatch(struct pxs_request *r)
{
	pxs_tx_unwatch(r->conn);
	pxs_reply_status(&r->out, "OK");
}

bool pxs_session_local(struct pxs_request *r)
{
	switch (r->cmd->local) {
	case PXS_LOCAL_AUTH:
		pxs_server_auth(r);
		break;
	case PXS_LOCAL_BGSAVE:
		pxs_server_bgsave(r);
		break;
	case PXS_LOCAL_CLIENT:
		pxs_server_client(r);
		break;
	case PXS_LOCAL_CLUSTER:
		pxs_server_cluster(r);
		break;
	case PXS_LOCAL_COMMAND:
		pxs_server_command(r);
		break;
	case PXS_LOCAL_CONFIG:
		pxs_server_config(r);
		break;
	case PXS_LOCAL_DISCARD:
		pxs_tx_discard(r);
		break;
	case PXS_LOCAL_EXEC:
		return pxs_tx_exec(r);
	case PXS_LOCAL_FUNCTION:
		pxs_server_function(r);
		break;
	case PXS_LOCAL_HELLO:
		pxs_server_hello(r);
		break;
	case PXS_LOCAL_INFO:
		pxs_server_info(r);
		break;
	case PXS_LOCAL_LASTSAVE:
		pxs_server_lastsave(r);
		break;
	case PXS_LOCAL_MULTI:
		pxs_tx_multi(r);
		break;
	case PXS_LOCAL_PAXSTEER:
		return pxs_server_paxsteer(r);
	case PXS_LOCAL_QUIT:
		quit(r);
		break;
	case PXS_LOCAL_READONLY:
		set_readonly(r, true);
		break;
	case PXS_LOCAL_READWRITE:
		set_readonly(r, false);
		break;
	case PXS_LOCAL_RESET:
		reset(r);
		break;
	case PXS_LOCAL_SAVE:
		pxs_checkpoint_ask(r->store, r);
		return false;
	case PXS_LOCAL_UNWATCH:
		unwatch(r);
		break;
	case PXS_LOCAL_WAIT:
		pxs_server_wait(r);
		break;
	case PXS_LOCAL_WATCH:
	case PXS_LOCAL_NONE:
		break;
	}
	return true;
}

static void begin_watch(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;

	if (c->multi) {
		pxs_reply_error(&r->out, "ERR WATCH inside MULTI is not allowed");
	} else if (pxs_session_reads_here(c) || pxs_session_may_write(r)) {
		pxs_tx_watch(r);
		pxs_request_hold(r, r->out.len);
	}
	pxs_request_done(r);
}

/* Everything before it has its answer. */
static void begin_alone(struct pxs_request *r)
{
	struct pxs_conn *c = r->conn;
	const struct pxs_command *cmd = r->cmd;

	if (c->multi && !(cmd->flags & PXS_CF_NOMULTI)) {
		pxs_tx_queue(r);
		pxs_request_done(r);
	} else if (cmd->local == PXS_LOCAL_WATCH) {
		begin_watch(r);
	} else if (cmd->local) {
		if (pxs_session_local(r))
			pxs_request_done(r);
	} else if (cmd->flags & PXS_CF_READ) {
		read_here(r);
	} else {
		run_pure(r);
	}
}

void pxs_session_begin_part(struct pxs_request *part)
{
	if (part->cmd->local)
		pxs_checkpoint_ask(part->store, part);
	else if (part->cmd->flags & PXS_CF_WRITE)
		begin_write(part);
	else if (pxs_session_reads_here(part->conn))
		read_here(part);
	else
		read_strong(part);
}

/* Return: false: later. */
static bool begin_routed(struct pxs_conn *c, struct pxs_request *r, enum pxs_route route)
{
	bool alone = !c->under_way;
	bool data = !c->multi && r->cmd->flags & (PXS_CF_WRITE | PXS_CF_READ);

	if (route == PXS_ROUTE_WRONG) {
		pxs_request_done(r);
		return true;
	}
	/* Logs have no common order: a pipeline is executed in its own only one by one. */
	if (!alone && (route != PXS_ROUTE_ONE || c->begun != r->store))
		return false;
	c->begun = r->store;
	c->eventual = false;
	if (route == PXS_ROUTE_ALL) {
		if (pxs_spread(r))
			pxs_request_done(r);
		return true;
	}
	if (route == PXS_ROUTE_CROSS) {
		c->begun = NULL;
		pxs_cross_begin(r);
		return true;
	}
	if (data && r->cmd->flags & PXS_CF_WRITE) {
		if (c->reads)
			return false;
		begin_write(r);
	} else if (data && !pxs_session_reads_here(c)) {
		read_strong(r);
	} else {
		begin_alone(r);
	}
	return true;
}

/* Commits of eventual keys come in order; beside others, only one by one. Return: false: later. */
static bool begin_eventual(struct pxs_conn *c, struct pxs_request *r)
{
	bool write = r->cmd->flags & PXS_CF_WRITE;

	if (c->under_way && !(write && c->eventual))
		return false;
	c->begun = NULL;
	c->eventual = write;
	if (write)
		pxs_eventual_write(c->store->eventual, r);
	else
		pxs_eventual_read(c->store->eventual, r);
	return true;
}

bool pxs_session_begin(struct pxs_conn *c, struct pxs_request *r)
{
	const struct pxs_command *cmd = r->cmd;
	bool alone = !c->under_way;
	bool write, strong;

	r->out.proto = c->proto;
	if (r->broken) {
		if (!alone)
			return false;
		pxs_reply_error(&r->out, "%s", c->reader.error);
		c->closing = true;
		pxs_request_done(r);
		return true;
	}
	if (!pxs_place_serves(r)) {
		pxs_request_done(r);
		return true;
	}
	/* EXEC may be what waits: what is wrong with @r is no mistake in that transaction. */
	if (c->locked)
		return false;
	if (!acceptable(r)) {
		pxs_request_done(r);
		return true;
	}
	switch (pxs_eventual_claim(r)) {
	case PXS_CLAIM_OURS:
		pxs_stats_begun(&c->store->stats, r);
		return begin_eventual(c, r);
	case PXS_CLAIM_REFUSED:
		reject(r);
		pxs_request_done(r);
		return true;
	case PXS_CLAIM_NONE:
		break;
	}
	write = !c->multi && cmd->flags & PXS_CF_WRITE;
	strong = !c->multi && cmd->flags & PXS_CF_READ && !pxs_session_reads_here(c);
	if (!alone && !write && !strong)
		return false;
	pxs_stats_begun(&c->store->stats, r);
	if (cmd->local == PXS_LOCAL_EXEC)
		pxs_late_take(r);
	return begin_routed(c, r, pxs_route(r));
}
