// SPDX-License-Identifier: GPL-2.0
/*
 * eventual.c - the table of eventual keys, and the helper thread that commits to it
 *
 * One commit at a time; what comes meanwhile gathers for the next. A commit has writes of
 * clients, in their order, what other members have sent, and what is due: deadlines, and marks
 * that may go. It happens whole, or none of it does.
 */
#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../report.h"

#define MAP_MIN		(64ull << 20)
#define RETRY_MS	500
#define LOOK_MS		1000

#define from(p) \
	((struct pxs_eventual *)((char *)(p) - offsetof(struct pxs_eventual, job)))

u64 pxs_eventual_now(const struct pxs_eventual *ev)
{
	return max(pxs_store_clock(), pxs_stamp_ms(ev->db.state.clock));
}

u64 pxs_eventual_horizon(struct pxs_eventual *ev)
{
	return pxs_confirm_horizon(&ev->marks, ev->confirm, ev->peers, ev->db.state.head);
}

void pxs_eventual_fence(struct pxs_eventual *ev, const char *reason)
{
	if (ev->fenced)
		return;
	ev->fenced = reason;
	pxs_err("store %s: eventual keys: %s: they stand still", ev->store->config->directory,
		reason);
}

bool pxs_eventual_went_back(struct pxs_eventual *ev, u8 member, u64 place)
{
	if (place <= max(ev->db.state.head, ev->told))
		return false;
	pxs_err("store: eventual keys: member %u has merged %" PRIu64 " places, and here they end at %" PRIu64,
		member, place, ev->db.state.head);
	pxs_eventual_fence(ev, "the table is older than what others have of it, a copy perhaps: remove its directory `eventual`, and the others fill it again");
	return true;
}

/* --- the thread ---------------------------------------------------------------- */

/* @wall: the latest that another member's clock may have said. */
static void merge_answer(struct pxs_evtx *tx, const struct pxs_pull *p, u64 wall)
{
	const struct pxs_feed *a = &p->answer;
	struct pxs_element e;
	u32 pos = 0;

	while (!tx->err && pxs_feed_next(p->body, a->len, &pos, &e) > 0)
		pxs_evdb_merge_told(tx, &e, wall);
	pxs_evdb_advance(tx, p->id, a->table, a->cursor, a->head);
}

static void run_write(struct pxs_eventual *ev, struct pxs_evtx *tx, struct pxs_request *r)
{
	struct pxs_ev_run x = {
		.tx = tx, .out = &r->out, .argc = r->argc, .argv = r->argv, .wall = ev->wall,
		.now = max(ev->wall, pxs_stamp_ms(tx->db->next.clock)),
		.memory = ev->store->config->eventual_memory,
	};

	/* It may be done again: the map was too small. */
	r->out.len = 0;
	r->out.errors = 0;
	pxs_ev_run(r->cmd, &x);
	r->stamp = x.stamp;
}

static int commit(struct pxs_job *job)
{
	struct pxs_eventual *ev = from(job);
	struct pxs_request *r;
	struct pxs_evtx tx;
	int err = pxs_evdb_begin(&ev->db, &tx, true);
	u32 i;

	if (err)
		return err;
	for (i = 0; i < ev->peers && !tx.err; i++)
		if (ev->pull[i].given)
			merge_answer(&tx, &ev->pull[i],
				     ev->wall + ev->store->config->eventual_drift);
	for (r = ev->doing; r && !tx.err; r = r->link)
		run_write(ev, &tx, r);
	ev->reaping = 0;
	ev->sweeping = 0;
	if (ev->tidying && !tx.err) {
		ev->reaping = pxs_evdb_reap(&tx, ev->wall, PXS_EVENTUAL_TIDY);
		ev->sweeping = pxs_evdb_sweep(&tx, ev->horizon, PXS_EVENTUAL_TIDY);
	}
	return pxs_evdb_commit(&tx);
}

/* --- the loop ------------------------------------------------------------------ */

static void end_writes(struct pxs_eventual *ev, int err)
{
	struct pxs_request *r;

	while ((r = ev->doing)) {
		ev->doing = r->link;
		if (err) {
			r->out.len = 0;
			pxs_reply_error(&r->out, "MISCONF the eventual keys cannot be written: %s",
					strerror(-err));
		} else {
			ev->writes++;
			r->conn->version.slot = 0;
			r->conn->version.stamp = r->stamp;
		}
		pxs_request_hold(r, r->out.len);
		pxs_request_done(r);
	}
}

static void end_merges(struct pxs_eventual *ev, int err)
{
	u32 i;

	for (i = 0; i < ev->peers; i++) {
		if (!ev->pull[i].given)
			continue;
		ev->pull[i].given = false;
		pxs_pull_merged(&ev->pull[i], err);
	}
}

/* Nothing of it has happened. After a full disk it may be tried again; else who knows. */
static void failed(struct pxs_eventual *ev, int err)
{
	if (err == -ENOSPC || err == -EDQUOT || err == -ENOMEM) {
		if (ev->stalled != err)
			pxs_err("store %s: eventual keys: %s: writes are refused until it goes on",
				ev->store->config->directory, strerror(-err));
		ev->stalled = err;
		ev->retry = ev->store->node->loop.now + RETRY_MS;
	} else {
		pxs_err("store %s: eventual keys: %s", ev->store->config->directory,
			strerror(-err));
		pxs_eventual_fence(ev, err == -EUCLEAN ?
				       "their table is damaged; remove its directory `eventual`, and the other members fill it again" :
				       "a commit has failed; restart paxsteerd");
	}
	end_writes(ev, err);
	end_merges(ev, err);
}

static void committed(struct pxs_job *job, int err)
{
	struct pxs_eventual *ev = from(job);

	if (err == -EXFULL) {
		ev->growing = true;
		return;
	}
	if (err) {
		failed(ev, err);
		return;
	}
	if (ev->stalled)
		pxs_notice("store %s: eventual keys: go on", ev->store->config->directory);
	ev->stalled = 0;
	pxs_evdb_publish(&ev->db);
	ev->commits++;
	ev->reaped += ev->reaping;
	ev->swept += ev->sweeping;
	if (ev->tidying)
		ev->tidy = max(ev->reaping, ev->sweeping) == PXS_EVENTUAL_TIDY;
	end_writes(ev, 0);
	end_merges(ev, 0);
	pxs_eventual_serve_all(ev);
}

/* Return: false: it can only stand still. */
static bool grow(struct pxs_eventual *ev)
{
	ev->growing = false;
	if (!pxs_evdb_grow(&ev->db))
		return true;
	failed(ev, -EFAULT);
	return false;
}

/* What the next commit has. Return: there is something. */
static bool gather(struct pxs_eventual *ev)
{
	struct pxs_request **last = &ev->doing;
	bool some = ev->todo || ev->tidy;
	u32 i, n = 0;

	for (i = 0; i < ev->peers; i++) {
		ev->pull[i].given = ev->pull[i].stage == PXS_PULL_MERGE;
		some |= ev->pull[i].given;
	}
	while (ev->todo && n++ < PXS_EVENTUAL_BATCH) {
		*last = ev->todo;
		last = &ev->todo->link;
		ev->todo = ev->todo->link;
	}
	*last = NULL;
	if (!ev->todo)
		ev->todo_last = &ev->todo;
	ev->tidying = ev->tidy;
	ev->horizon = pxs_eventual_horizon(ev);
	ev->wall = pxs_store_clock();
	return some;
}

/* It stands still. Return: somebody was told so. */
static bool refuse(struct pxs_eventual *ev)
{
	if (ev->growing) {
		/* A commit was to be made again, with a larger map: nothing of it has happened. */
		ev->growing = false;
		end_merges(ev, -EIO);
	} else if (ev->todo) {
		gather(ev);
	} else {
		return false;
	}
	end_writes(ev, -EIO);
	return true;
}

bool pxs_eventual_step(struct pxs_store *s)
{
	struct pxs_eventual *ev = s->eventual;

	if (!ev || ev->job.busy)
		return false;
	if (ev->fenced)
		return refuse(ev);
	if (ev->growing) {
		if (!grow(ev))
			return false;
	} else if (pxs_eventual_follow(ev)) {
		return true;
	} else if (s->node->loop.now < ev->retry || !gather(ev)) {
		return false;
	}
	pxs_worker_give(&ev->worker, &ev->job);
	return true;
}

/* Is something due that only time brings? */
static void look(struct pxs_eventual *ev)
{
	u64 now = ev->store->node->loop.now;
	u64 deadline, dead;
	struct pxs_evtx tx;

	if (now - ev->looked < LOOK_MS || ev->fenced || ev->growing)
		return;
	ev->looked = now;
	if (pxs_evdb_begin(&ev->db, &tx, false))
		return;
	deadline = pxs_evdb_first_due(&tx);
	dead = pxs_evdb_first_dead(&tx);
	pxs_evdb_abort(&tx);
	ev->tidy |= (deadline && deadline < pxs_store_clock()) ||
		    (dead && dead <= pxs_eventual_horizon(ev));
}

void pxs_eventual_tick(struct pxs_store *s)
{
	struct pxs_eventual *ev = s->eventual;

	if (!ev)
		return;
	look(ev);
	pxs_eventual_tick_pulls(ev);
	pxs_eventual_serve_all(ev);
}

void pxs_eventual_write(struct pxs_eventual *ev, struct pxs_request *r)
{
	r->state = PXS_REQUEST_PROPOSED;
	r->link = NULL;
	*ev->todo_last = r;
	ev->todo_last = &r->link;
}

void pxs_eventual_read(struct pxs_eventual *ev, struct pxs_request *r)
{
	struct pxs_ev_run x = {
		.tx = NULL, .out = &r->out, .argc = r->argc, .argv = r->argv,
		.wall = pxs_store_clock(), .now = pxs_eventual_now(ev),
	};
	struct pxs_evtx tx;
	int err = pxs_evdb_begin(&ev->db, &tx, false);

	pxs_request_room(r);
	x.tx = &tx;
	if (!err) {
		pxs_ev_run(r->cmd, &x);
		err = tx.err;
		pxs_evdb_abort(&tx);
	}
	if (err) {
		r->out.len = 0;
		pxs_reply_error(&r->out, "ERR the eventual keys cannot be read: %s", strerror(-err));
	}
	ev->reads++;
	r->conn->version.slot = 0;
	r->conn->version.stamp = x.stamp;
	pxs_request_hold(r, r->out.len);
	pxs_request_done(r);
}

/* --- starting ------------------------------------------------------------------ */

static const char *why(int err)
{
	switch (err) {
	case -EKEYREJECTED:
		return "is of another cluster, group, member or journal";
	case -EBADMSG:
		return "was written by another version of paxsteerd";
	case -EUCLEAN:
		return "is damaged; remove it, and the other members fill it again";
	default:
		return strerror(-err);
	}
}

/* Keys of a former list stay where they are, and are seen by nobody. */
static void note_list(struct pxs_eventual *ev, const char *path)
{
	u64 *list = &ev->db.state.list;

	if (*list && *list != ev->list)
		pxs_warn("store %s: the list of prefixes has changed: keys of former ones are hidden",
			 path);
	*list = ev->list;
}

static int open_table(struct pxs_store *s, struct pxs_eventual *ev, const char *path)
{
	const struct pxs_group_conf *conf = &s->replica->config->conf;
	struct pxs_evdb_owner owner = {
		.group = s->replica->id,
		.member = conf->member[conf->self].id,
		.incarnation = conf->member[conf->self].incarnation,
	};
	u8 members[PXS_EVDB_PEERS];
	int err;

	memcpy(owner.cluster, conf->cluster, sizeof(owner.cluster));
	pxs_eventual_others(s, members);
	err = pxs_evdb_open(&ev->db, path, &owner, members, true,
			    (size_t)max(4 * s->config->eventual_memory, MAP_MIN));
	if (err) {
		pxs_err("store %s: eventual keys: its table %s", path, why(err));
		return err;
	}
	ev->self = owner.member;
	note_list(ev, path);
	ev->late = s->replica->members.removed;
	pxs_eventual_enter(ev);
	return 0;
}

static int start(struct pxs_store *s, const char *path)
{
	struct pxs_eventual *ev = calloc(1, sizeof(*ev));
	int err;

	if (!ev)
		return -ENOMEM;
	ev->store = s;
	ev->todo_last = &ev->todo;
	ev->list = s->config->eventual.digest;
	ev->job.run = commit;
	ev->job.done = committed;
	err = open_table(s, ev, path);
	if (!err)
		err = pxs_worker_start(&ev->worker, &s->node->loop);
	if (!err) {
		s->eventual = ev;
		return 0;
	}
	pxs_evdb_close(&ev->db);
	free(ev);
	return err;
}

int pxs_eventual_start(struct pxs_store *s)
{
	struct stat st;
	char *path;
	int err = 0;

	if (s->config->part)
		return 0;
	if (asprintf(&path, "%s/eventual", s->config->directory) < 0)
		return -ENOMEM;
	if (s->config->eventual.n)
		err = start(s, path);
	else if (!stat(path, &st))
		pxs_warn("store %s: is there, and there are no eventual prefixes any more: its keys are hidden",
			 path);
	free(path);
	return err;
}

void pxs_eventual_quiet(struct pxs_store *s)
{
	if (s->eventual)
		pxs_worker_stop(&s->eventual->worker);
}

void pxs_eventual_exit(struct pxs_store *s)
{
	struct pxs_eventual *ev = s->eventual;
	u32 i;

	if (!ev)
		return;
	for (i = 0; i < ev->peers; i++)
		pxs_pull_exit(&ev->pull[i]);
	pxs_evdb_close(&ev->db);
	free(ev->buf);
	free(ev);
	s->eventual = NULL;
}
