// SPDX-License-Identifier: GPL-2.0
/*
 * borrow.c - a checkpoint of another member's, for a store that lacks what the logs have no more
 *
 * load() runs in the stores' helper thread; everything else is the loop's.
 */
#include "store.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "../report.h"

#define LOOK_MS		2000

#define from(p, member) \
	((struct pxs_store *)((char *)(p) - offsetof(struct pxs_store, borrow.member)))

static void show(struct pxs_store *s)
{
	const struct pxs_borrow *b = &s->borrow;
	struct pxs_replica_loan *l = &s->replica->loan;

	*l = (struct pxs_replica_loan){ 0 };
	if (b->stage == PXS_BORROW_IDLE && !b->need)
		return;
	l->lender = b->member;
	l->slot = b->loan.slot;
	l->size = b->loan.size;
	l->bytes = b->loan.offset;
}

/* --- what is lacking --------------------------------------------------------- */

static u64 lacking(struct pxs_store *s)
{
	struct pxs_replica *r = s->replica;
	struct pxs_datapath *dp = s->node->dp;
	u64 need = s->db.state.applied < r->trim ? r->trim : 0;
	struct pxs_group_status st;

	if (r->gone || !r->started || s->db.distrusted || s->db.unmapped)
		return 0;
	if (!pxs_store_leads(s) && !dp->ops->status(dp, r->id, &st) && st.trimmed)
		need = max(need, st.trimmed - 1);
	return need;
}

static void look(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	u64 need;

	if (s->node->loop.now - b->looked < LOOK_MS)
		return;
	b->looked = s->node->loop.now;
	need = lacking(s);
	if (need && !b->need)
		pxs_notice("group %u: store: slots up to %" PRIu64 " are in no log any more: a checkpoint of another member is asked for",
			   s->replica->id, need);
	b->need = need;
}

/* --- the thread -------------------------------------------------------------- */

/* Durable under its name only when all of it is known to hold. */
static int load(struct pxs_job *job)
{
	struct pxs_store *s = from(job, job);
	int dirfd = s->db.dirfd;
	int err = fsync(s->borrow.part) ? -errno : 0;

	if (!err)
		err = pxs_db_make_incoming(&s->borrow.plan, s->borrow.part);
	if (!err && (renameat(dirfd, PXS_DB_PART, dirfd, PXS_DB_BORROWED) || fsync(dirfd)))
		err = -errno;
	return err;
}

static void loaded(struct pxs_job *job, int res)
{
	struct pxs_store *s = from(job, job);
	struct pxs_borrow *b = &s->borrow;

	pxs_borrow_close(b);
	if (!res) {
		s->db.borrowed_slot = b->loan.slot;
		b->stage = PXS_BORROW_JOIN;
		b->pause = 0;
		return;
	}
	pxs_err("group %u: store: the checkpoint of slot %" PRIu64 " from member %u cannot be used: %s",
		s->replica->id, b->loan.slot, b->member,
		res == -EUCLEAN ? "it is damaged" : strerror(-res));
	b->loan.id = 0;		/* all of it again */
	pxs_borrow_fail(s, "it cannot be used");
}

void pxs_borrow_whole(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	pxs_notice("group %u: store: the checkpoint of slot %" PRIu64 " is here, %" PRIu64 " bytes: it is looked through",
		   s->replica->id, b->loan.slot, b->loan.size);
	pxs_db_plan(&b->plan, &s->db);
	b->stage = PXS_BORROW_LOAD;
	pxs_worker_give(&s->node->slow, &b->job);
}

/* --- time ------------------------------------------------------------------ */

void pxs_borrow_tick(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	u64 now = s->node->loop.now;

	switch (b->stage) {
	case PXS_BORROW_IDLE:
		look(s);
		if (b->need && now >= b->pause)
			pxs_borrow_begin(s);
		break;
	case PXS_BORROW_REST:
		if (now < b->rest)
			break;
		pxs_borrow_go_on(s);
		break;
	case PXS_BORROW_LOAD:
	case PXS_BORROW_JOIN:
		break;
	default:
		if (now >= b->late && !b->cancelled)
			pxs_borrow_cancel(s);
	}
	show(s);
}

/* --- taking its place -------------------------------------------------------- */

/* Answers that the data no longer tells. */
static void give_up(struct pxs_store *s, u64 slot)
{
	struct pxs_request *r;

	while ((r = s->decided.first) && r->slot <= slot) {
		pxs_requests_pop(&s->decided);
		if (r->parent && r->parent->cross) {	/* the whole has a deadline */
			r->state = PXS_REQUEST_PROPOSED;
			pxs_requests_push(&s->shares, r);
			continue;
		}
		if (r->cross) {
			pxs_cross_unknown(r);
			continue;
		}
		r->out.len = 0;
		pxs_reply_error(&r->out, "UNCERTAIN it is done, if it could be; its answer is not known: this member took another's checkpoint");
		pxs_request_hold(r, r->out.len);
		pxs_request_done(r);
	}
}

static void replace(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;
	const char *wrong;
	int err;

	s->db.owner.last = max(s->db.owner.last, s->replica->applied);
	err = pxs_db_take_incoming(&s->db);
	if (err) {
		pxs_err("group %u: store %s: taking a checkpoint: %s: restart paxsteerd",
			s->replica->id, s->config->directory, strerror(-err));
		pxs_store_distrust(s, "its files could not be replaced");
		return;
	}
	give_up(s, s->db.state.applied);
	if (s->db.state.applied >= s->loading)
		s->loading = 0;
	s->stopped = false;
	s->failed = false;
	s->stalled = 0;
	s->db.sagas_moved = true;
	s->db.cross_moved = true;
	b->count++;
	pxs_notice("group %u: store: goes on from member %u's checkpoint of slot %" PRIu64 ", %" PRIu64 " keys",
		   s->replica->id, b->member,
		   s->db.state.applied, s->db.state.keys);
	wrong = pxs_set_wrong(s);
	if (wrong)
		pxs_store_stop(s, s->db.state.applied, wrong);
	pxs_checkpoint_ask(s, NULL);
}

static void ready_for_another(struct pxs_store *s)
{
	s->borrow.stage = PXS_BORROW_IDLE;
	s->borrow.need = 0;
	s->borrow.loan = (struct pxs_loan){ 0 };
	show(s);
}

/* They trimmed on while it came. */
static void outrun(struct pxs_store *s)
{
	pxs_warn("group %u: store: the checkpoint of slot %" PRIu64 " is too old by now: another one is asked for",
		 s->replica->id, s->borrow.loan.slot);
	pxs_db_drop_borrowed(&s->db);
	ready_for_another(s);
}

static bool log_is_there(struct pxs_store *s)
{
	struct pxs_replica *r = s->replica;
	struct pxs_datapath *dp = s->node->dp;
	struct pxs_borrow *b = &s->borrow;
	int err;

	if (r->applied >= b->loan.slot)
		return true;
	if (r->gone || !r->started ||
	    !pxs_member_hear(r, b->loan.config_slot, b->config, b->loan.config))
		return false;
	if (s->node->loop.now < b->pause)
		return false;
	b->pause = s->node->loop.now + PXS_BORROW_PAUSE_MS;
	err = dp->ops->trim(dp, r->id, b->loan.slot, true);
	if (err == -ENODATA) {
		outrun(s);
		return false;
	}
	/* It was not heard yet how far they are; it leads for the moment; there is no credit. */
	if (err && err != -EINVAL && err != -EISCONN && err != -EAGAIN)
		pxs_warn("group %u: store: the log cannot go on from slot %" PRIu64 ": %s", r->id,
			 b->loan.slot, strerror(-err));
	return false;
}

bool pxs_borrow_step(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	if (b->stage != PXS_BORROW_JOIN || !log_is_there(s) || s->fetch.busy || s->db.txn ||
	    s->growing || pxs_checkpoint_reads(s))
		return false;
	if (s->db.state.applied < b->loan.slot)
		replace(s);
	ready_for_another(s);
	return true;
}

void pxs_borrow_init(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	b->fd = -1;
	b->part = -1;
	b->op.done = pxs_borrow_happened;
	b->job.run = load;
	b->job.done = loaded;
	b->looked = s->node->loop.now;
	pxs_reply_init(&b->out, 2, 4096);
}

void pxs_borrow_exit(struct pxs_store *s)
{
	struct pxs_borrow *b = &s->borrow;

	pxs_borrow_hang_up(b);
	pxs_borrow_close(b);
	if (b->out.buf)
		explicit_bzero(b->out.buf, b->out.room);
	pxs_reply_free(&b->out);
	free(b->in);
}
