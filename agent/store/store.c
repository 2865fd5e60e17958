// SPDX-License-Identifier: GPL-2.0
/*
 * store.c - the log into the data, and answers to who waits
 *
 * Once a round: values that the replica has applied are fetched, from memory or from the
 * journal, and applied in one transaction; answers go out after its commit. A transaction that
 * fails is as if it never was: what it applied is applied again later.
 */
#include "store.h"

#include <inttypes.h>
#include <sys/random.h>
#include <time.h>

#include "../report.h"

#define BATCH_MAX	512u	/* slots of one transaction */
#define BATCH_BYTES	(16u << 20)	/* ... that they write, and a string more */
#define TICK_MS		100
#define RETRY_MS	500
#define MAP_MIN		(64ull << 20)

#define from(p, member) \
	((struct pxs_store *)((char *)(p) - offsetof(struct pxs_store, member)))

u64 pxs_store_clock(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

u64 pxs_store_steady(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (u64)ts.tv_sec * 1000000000 + (u64)ts.tv_nsec + 1;
}

bool pxs_store_leads(const struct pxs_store *s)
{
	return !s->replica->gone && s->replica->elect.role == PXS_ROLE_LEADER;
}

void pxs_store_stop(struct pxs_store *s, u64 slot, const char *reason)
{
	s->stopped = true;
	pxs_err("group %u: store: slot %" PRIu64 ": %s: the store stands still at slot %" PRIu64,
		s->replica->id, slot, reason, s->db.state.applied);
}

void pxs_store_distrust(struct pxs_store *s, const char *reason)
{
	if (s->db.distrusted)
		return;
	pxs_db_distrust(&s->db);
	pxs_store_stop(s, s->db.state.applied, reason);
}

static void stall(struct pxs_store *s, int err)
{
	s->failed = true;
	if (err == -EXFULL) {
		s->growing = true;
		return;
	}
	if (err == -ENODATA) {
		pxs_store_stop(s, s->db.state.applied + 1,
			       "trimmed: it is in no journal and no checkpoint here");
		return;
	}
	if (err == -EUCLEAN) {
		pxs_store_distrust(s, PXS_STORE_DAMAGED);
		return;
	}
	if (s->stalled != err)
		pxs_err("group %u: store %s: %s: writes are refused until it goes on", s->replica->id,
			s->config->directory, strerror(-err));
	s->stalled = err;
	s->retry = s->node->loop.now + RETRY_MS;
}

static void goes_on(struct pxs_store *s)
{
	if (s->stalled)
		pxs_notice("group %u: store %s: goes on", s->replica->id, s->config->directory);
	s->stalled = 0;
	if (!s->loading || s->db.state.applied < s->loading)
		return;
	pxs_info("group %u: store: slot %" PRIu64 " is applied, %" PRIu64 " keys", s->replica->id,
		 s->db.state.applied, s->db.state.keys);
	s->loading = 0;
}

/* --- applying ---------------------------------------------------------------- */

/* Answers of the transaction at hand are not valid: their slots will be applied again. */
static void take_back(struct pxs_store *s)
{
	struct pxs_request *r;

	if (!s->applied.first)
		return;
	for (r = s->applied.first; r; r = r->link)
		pxs_request_unsay(r);
	*s->applied.last = s->decided.first;
	if (!s->decided.first)
		s->decided.last = s->applied.last;
	s->decided.first = s->applied.first;
	pxs_requests_init(&s->applied);
}

/* Who waits for this slot, or for what it does; popped. */
static struct pxs_request *waiter(struct pxs_store *s, const struct pxs_fetched *v)
{
	struct pxs_request *r = s->decided.first;

	pxs_assert(!r || r->slot >= v->slot);
	if (r && r->slot == v->slot)
		return pxs_requests_pop(&s->decided);
	return s->shares.first && !v->noop ? pxs_cross_waiter(s, v) : NULL;
}

/* Return: 0 or -errno. */
static int apply_one(struct pxs_store *s, const struct pxs_fetched *v)
{
	struct pxs_reply nobody = { .quiet = true };
	struct pxs_request *r;
	int err = 0;

	if (!s->db.txn)
		err = pxs_db_begin(&s->db, true);
	if (err)
		return err;
	r = waiter(s, v);
	if (r) {
		r->out.quiet = r->conn->dead;
		pxs_request_room(r);
		pxs_requests_push(&s->applied, r);
	}
	err = pxs_apply(&s->db, v->slot, v->data, v->len, v->noop, r ? &r->out : &nobody);
	if (r)
		pxs_request_hold(r, r->out.len);
	s->batch_len += r ? r->out.len : 0;
	return err;
}

static bool take(void *ctx, const struct pxs_fetched *v)
{
	struct pxs_store *s = ctx;
	int err;

	if (s->failed || s->stopped || s->batch == BATCH_MAX || s->db.wrote > BATCH_BYTES ||
	    s->batch_len > PXS_CONN_OUT_MAX || pxs_set_home(s)->held > PXS_CONN_OUT_MAX)
		return false;
	if (v->faulty) {
		pxs_store_stop(s, v->slot, "this member's record is damaged, and learned again when paxsteerd starts anew");
		return false;
	}
	err = apply_one(s, v);
	if (err == -EPROTO) {
		pxs_store_stop(s, v->slot, "written by a newer paxsteerd, which must run here too");
		return false;
	}
	if (err) {
		if (s->db.txn)
			pxs_db_abort(&s->db);
		take_back(s);
		stall(s, err);
		return false;
	}
	s->batch++;
	s->applies++;
	return true;
}

static void fetched(void *ctx, int err)
{
	if (err)
		stall(ctx, err);
}

/* It was applied, and that is committed. */
static void applied(struct pxs_store *s, struct pxs_request *r)
{
	if (r->cross) {
		pxs_cross_applied(r);
		return;
	}
	if (pxs_lock_again(r))
		return;
	pxs_store_version(s, r, r->slot);
	pxs_request_done(r);
}

static void commit(struct pxs_store *s)
{
	struct pxs_request *r;
	const char *wrong;
	int err;

	if (!s->db.txn)
		return;
	err = pxs_db_commit(&s->db);
	if (err) {
		take_back(s);
		stall(s, err);
		return;
	}
	pxs_fresh_applied(&s->fresh, s->db.state.applied);
	while ((r = pxs_requests_pop(&s->applied)))
		applied(s, r);
	wrong = pxs_set_wrong(s);
	if (wrong && !s->stopped)
		pxs_store_stop(s, s->db.state.applied, wrong);
	goes_on(s);
}

void pxs_store_settle(struct pxs_store *s)
{
	commit(s);
}

static void woken(struct pxs_op *op, int res)
{
	(void)res;
	from(op, wake_op)->waking = false;
}

/* There is more to do, but others must have their turn: go on in the next round. */
static void wake(struct pxs_store *s)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);

	io_uring_prep_nop(sqe);
	pxs_loop_own(sqe, &s->wake_op);
	s->waking = true;
}

/* Return: there is no need to, or no longer. */
static bool grow(struct pxs_store *s)
{
	int err;

	if (!s->growing)
		return true;
	if (pxs_checkpoint_reads(s)) {
		pxs_checkpoint_cancel(s);
		return false;
	}
	s->growing = false;
	err = pxs_db_grow(&s->db);
	if (err)
		pxs_store_stop(s, s->db.state.applied + 1, "no address space for its files");
	return !err;
}

static bool apply(struct pxs_store *s)
{
	u64 before = s->db.state.applied;
	u64 last = s->replica->applied;

	/* What a fetch from the journal has applied between the rounds. */
	commit(s);
	if (!grow(s) || s->stopped || s->waking || s->fetch.busy || before >= last ||
	    s->borrow.stage == PXS_BORROW_JOIN || (s->stalled && s->node->loop.now < s->retry))
		return false;
	s->failed = false;
	s->batch = 0;
	s->batch_len = 0;
	pxs_fetch_run(&s->fetch, before + 1, last);
	commit(s);
	if (s->db.state.applied < last && !s->fetch.busy && !s->stalled && !s->stopped)
		wake(s);
	return s->db.state.applied != before;
}

/* --- reading ----------------------------------------------------------------- */

void pxs_store_version(struct pxs_store *s, struct pxs_request *r, u64 slot)
{
	struct pxs_conn *c = r->conn;

	u64 *token = &c->token[pxs_set_index(s)];

	*token = max(*token, slot);
	c->version.slot = slot;
	c->version.stamp.time = 0;
	c->version.group = s->replica->id;
	c->version.age = s->fresh.at ? pxs_store_steady() - s->fresh.at : ~0ull;
}

static void read_data(struct pxs_store *s, struct pxs_request *r)
{
	if (s->set)
		pxs_route_cursor_in(r);
	pxs_apply_read(&s->db, r->cmd, r->argc, r->argv, s->db.now, &r->out);
	if (s->set)
		pxs_route_cursor_out(r);
}

void pxs_store_look(struct pxs_store *s, struct pxs_request *r)
{
	int err;

	pxs_store_settle(s);
	err = pxs_db_begin(&s->db, false);
	if (!err && r->cmd->local == PXS_LOCAL_WATCH)
		pxs_tx_watch_in(s, r);
	else if (!err && r->cmd->local == PXS_LOCAL_PAXSTEER)
		pxs_reply_int(&r->out, (s64)s->db.state.applied);	/* BARRIER */
	else if (!err)
		read_data(s, r);
	if (!err) {
		err = s->db.err;
		pxs_db_abort(&s->db);
	}
	if (err == -EUCLEAN)
		pxs_store_distrust(s, PXS_STORE_DAMAGED);
	if (err) {
		r->out.len = 0;
		pxs_reply_error(&r->out, "ERR the store cannot be read: %s", strerror(-err));
	}
	pxs_store_version(s, r, s->db.state.applied);
}

void pxs_store_read(struct pxs_store *s, struct pxs_request *r)
{
	pxs_store_look(s, r);
	pxs_request_hold(r, r->out.len);
	pxs_request_done(r);
}

static bool read_barred(struct pxs_store *s)
{
	struct pxs_request *r;
	bool late;

	if (!s->barrier || !s->barrier_known || s->db.state.applied < s->barrier_slot)
		return false;
	late = s->barred.first && pxs_submit_late(s);
	s->barrier = false;
	while ((r = pxs_requests_pop(&s->barred))) {
		if (late)
			pxs_submit_read(s, r);
		else
			pxs_request_readable(r);
	}
	return true;
}

void pxs_store_wait(struct pxs_store *s, struct pxs_request *r)
{
	r->state = PXS_REQUEST_READS;
	if (!r->deadline)
		r->deadline = s->node->loop.now + s->config->read_wait;
	pxs_requests_push(&s->stale, r);
}

static void too_stale(struct pxs_store *s, struct pxs_request *r)
{
	u64 token = r->conn->token[pxs_set_index(s)];

	if (!pxs_session_reads_here(r->conn))
		pxs_reply_error(&r->out, "TRYAGAIN a key is in a transaction over several groups");
	else if (token > s->db.state.applied)
		pxs_reply_error(&r->out, "TRYAGAIN slot %" PRIu64 " of the session is not here yet",
				token);
	else
		pxs_reply_error(&r->out, "TRYAGAIN no quorum says that this member is up to date");
	pxs_request_done(r);
}

/* Return: it is no longer waiting. */
static bool end_wait(struct pxs_store *s, struct pxs_request *r)
{
	if (r->conn->dead)
		pxs_request_done(r);
	else if (pxs_session_readable(r))
		pxs_request_readable(r);
	else if (r->deadline <= s->node->loop.now)
		too_stale(s, r);
	else
		return false;
	return true;
}

/* Those that wait until what is here is new enough for them. */
static bool read_stale(struct pxs_store *s)
{
	struct pxs_request_list list = s->stale;
	struct pxs_request *r;
	bool did = false;

	pxs_fresh_applied(&s->fresh, s->db.state.applied);
	pxs_requests_init(&s->stale);
	while (list.first) {
		r = list.first;
		list.first = r->link;
		if (end_wait(s, r)) {
			did = true;
			continue;
		}
		pxs_requests_push(&s->stale, r);
		if (r->conn->level.kind == PXS_BOUNDED)
			s->want_fresh |= pxs_submit_newest(s) <= r->arrived;
	}
	return did;
}

/* --- going round ------------------------------------------------------------- */

static bool store_hook(struct pxs_hook *hook)
{
	struct pxs_store *s = from(hook, hook);
	bool did;

	did = apply(s);
	if (s->expiry_due)
		pxs_submit_expiry(s);
	s->expiry_due = false;
	did |= pxs_borrow_step(s);
	did |= pxs_eventual_step(s);
	did |= pxs_checkpoint_step(s);
	did |= pxs_drive_step(s);
	did |= pxs_set_step(s);
	did |= pxs_cross_step(s);
	did |= read_barred(s);
	did |= read_stale(s);
	did |= pxs_turn(s);
	did |= pxs_submit_step(s);
	pxs_listen_step(s);
	return did;
}

static void store_tick(struct pxs_ticker *t, u64 now)
{
	struct pxs_store *s = from(t, ticker);

	if (now - s->ticked < TICK_MS)
		return;
	s->ticked = now;
	/* Not here: what a fetch from the journal applies is in a transaction until the hook. */
	s->expiry_due = true;
	s->drive.due = true;
	s->cross.due = true;
	pxs_place_tick(s);
	pxs_ask_tick(s);
	pxs_borrow_tick(s);
	pxs_lend_tick(s);
	pxs_eventual_tick(s);
}

/* --- starting ---------------------------------------------------------------- */

static int start(struct pxs_node *n, struct pxs_replica *r)
{
	const struct pxs_group_conf *conf = &r->config->conf;
	struct pxs_db_owner owner = { .group = r->id, .last = r->slots.last };
	struct pxs_store *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->node = n;
	s->replica = r;
	s->config = r->config->store;
	s->started = n->loop.now;
	s->next_id = 1;
	s->loading = r->recovered;
	s->wake_op.done = woken;
	pxs_requests_init(&s->decided);
	pxs_requests_init(&s->applied);
	pxs_requests_init(&s->reads);
	pxs_requests_init(&s->barred);
	pxs_requests_init(&s->stale);
	pxs_requests_init(&s->crossed);
	pxs_requests_init(&s->shares);
	pxs_requests_init(&s->locked);
	pxs_ask_init(&s->ask);
	memcpy(owner.cluster, conf->cluster, sizeof(owner.cluster));
	owner.incarnation = conf->member[conf->self].incarnation;
	err = getrandom(&s->client, sizeof(s->client), 0) == sizeof(s->client) ? 0 : -EIO;
	if (!err)
		err = pxs_db_open(&s->db, s->config->directory, &owner,
				  (size_t)max(4 * s->config->maxmemory, MAP_MIN));
	if (!err)
		err = pxs_listen_start(s);
	if (!err) {
		err = pxs_eventual_start(s);
		if (err)
			pxs_listen_stop(s);
	}
	if (err) {
		pxs_db_close(&s->db, false);
		free(s);
		return err;
	}
	pxs_checkpoint_init(s);
	pxs_borrow_init(s);
	pxs_lend_init(&s->lend);
	if (s->db.state.applied >= s->loading)
		s->loading = 0;
	pxs_fetch_init(&s->fetch, &n->journal, &r->slots);
	s->fetch.take = take;
	s->fetch.done = fetched;
	s->fetch.ctx = s;
	s->hook.run = store_hook;
	s->ticker.tick = store_tick;
	pxs_loop_add_hook(&n->loop, &s->hook);
	pxs_loop_add_ticker(&n->loop, &s->ticker);
	s->next = n->stores;
	n->stores = s;
	return 0;
}

/* Before the ring ends: the helper thread must be done with it. */
static void stores_quiet(struct pxs_node *n)
{
	struct pxs_store *s;

	for (s = n->stores; s; s = s->next) {
		pxs_checkpoint_cancel(s);
		pxs_eventual_quiet(s);
	}
	pxs_worker_stop(&n->slow);
}

static void stores_stop(struct pxs_node *n)
{
	struct pxs_store *s;
	struct pxs_conn *c;

	while ((s = n->stores)) {
		n->stores = s->next;
		pxs_listen_stop(s);
		while ((c = s->conns)) {
			s->conns = c->next;
			pxs_conn_free(c);
		}
		pxs_set_free(s);
		pxs_ask_exit(&s->ask);
		pxs_fetch_exit(&s->fetch);
		pxs_checkpoint_exit(s);
		pxs_borrow_exit(s);
		pxs_lend_exit(&s->lend);
		pxs_eventual_exit(s);
		pxs_db_close(&s->db, !s->stalled);
		free(s);
	}
}

int pxs_stores_start(struct pxs_node *n)
{
	int err = 0;
	u32 i;

	n->let_go = stores_stop;
	for (i = 0; i < n->nreplicas && !err; i++) {
		if (!n->replica[i].config->store)
			continue;
		if (!n->quiet)
			err = pxs_worker_start(&n->slow, &n->loop);
		if (err) {
			pxs_err("helper thread of the stores: %s", strerror(-err));
			break;
		}
		n->quiet = stores_quiet;
		err = start(n, &n->replica[i]);
	}
	return err ? err : pxs_sets_make(n);
}
