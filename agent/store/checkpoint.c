// SPDX-License-Identifier: GPL-2.0
/*
 * checkpoint.c - the store as of one slot, made durable
 *
 * write_image() and publish() run in the stores' helper thread. They read of the store's struct
 * only what does not change while they run (db.env, db.dirfd, the tables' numbers, slot, made);
 * the read transaction is the thread's while the job is out. Everything else is the loop's.
 */
#include "checkpoint.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "../report.h"
#include "image.h"
#include "store.h"

#define NEW_FILE	PXS_DB_CHECKPOINT ".new"
#define RETRY_MS	5000

#define from(p, member) \
	((struct pxs_store *)((char *)(p) - offsetof(struct pxs_store, checkpoint.member)))

/* --- in the thread ----------------------------------------------------------- */

static int copy(struct pxs_checkpoint *c)
{
	struct pxs_image_info info = { .applied = c->slot, .made = c->made };
	int fd, err;

	fd = openat(c->db->dirfd, NEW_FILE, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	err = pxs_image_write(fd, c->db, c->txn, &info, &c->stop);
	close(fd);
	if (err)
		unlinkat(c->db->dirfd, NEW_FILE, 0);
	return err;
}

/*
 * What is copied is read from LMDB's file: pages of it whose write has failed may be gone from
 * memory and be read as they were before. Only a flush tells; after one that failed nothing of the
 * file is believed (S4). Return: 0; -EUCLEAN: that; or -errno.
 */
static int write_image(struct pxs_job *job)
{
	struct pxs_checkpoint *c = &from(job, write_job)->checkpoint;
	int err = mdb_env_sync(c->db->env, 1) ? -EUCLEAN : copy(c);

	mdb_txn_abort(c->txn);
	c->txn = NULL;
	return err;
}

static int publish(struct pxs_job *job)
{
	struct pxs_checkpoint *c = &from(job, publish_job)->checkpoint;
	int dirfd = c->db->dirfd;

	if (renameat(dirfd, NEW_FILE, dirfd, PXS_DB_CHECKPOINT) || fsync(dirfd))
		return -errno;
	return 0;
}

/* --- in the loop ------------------------------------------------------------- */

static void answer(struct pxs_store *s, struct pxs_request *r)
{
	const struct pxs_checkpoint *c = &s->checkpoint;

	if (c->error)
		pxs_reply_error(&r->out, "ERR the checkpoint has failed: %s", strerror(-c->error));
	else if (r->cmd->local == PXS_LOCAL_SAVE)
		pxs_reply_status(&r->out, "OK");
	else
		pxs_reply_int(&r->out, (s64)c->done);
	pxs_request_done(r);
}

static void over(struct pxs_store *s, int err)
{
	struct pxs_checkpoint *c = &s->checkpoint;
	struct pxs_request *r;

	if (err && c->error != err)
		pxs_err("group %u: store %s: no checkpoint: %s", s->replica->id,
			s->config->directory, strerror(-err));
	else if (!err && c->error)
		pxs_notice("group %u: store %s: checkpoints are taken again", s->replica->id,
			   s->config->directory);
	c->state = PXS_CHECKPOINT_IDLE;
	c->error = err;
	c->took = s->node->loop.now - c->began;
	if (err)
		c->retry = s->node->loop.now + RETRY_MS;
	while ((r = pxs_requests_pop(&s->saved)))
		answer(s, r);
}

static void written(struct pxs_job *job, int res)
{
	struct pxs_store *s = from(job, write_job);
	struct pxs_checkpoint *c = &s->checkpoint;

	if (res == -ECANCELED) {
		c->wanted = true;
		c->state = PXS_CHECKPOINT_IDLE;
		pxs_requests_join(&s->saves, &s->saved);
		return;
	}
	if (res == -EUCLEAN)
		pxs_store_distrust(s, "its files cannot be written");
	if (res)
		over(s, res);
	else
		c->state = PXS_CHECKPOINT_WAITS;
}

static void published(struct pxs_job *job, int res)
{
	struct pxs_store *s = from(job, publish_job);
	struct pxs_checkpoint *c = &s->checkpoint;

	if (!res) {
		c->done = c->slot;
		c->done_made = c->made;
		c->count++;
		s->replica->checkpoint = c->done;
		if (s->db.borrowed_slot && c->done >= s->db.borrowed_slot)
			pxs_db_drop_borrowed(&s->db);
		pxs_debug("group %u: store: checkpoint of slot %" PRIu64, s->replica->id, c->done);
	}
	over(s, res);
}

static bool due(const struct pxs_store *s)
{
	const struct pxs_checkpoint *c = &s->checkpoint;
	u64 now = s->node->loop.now;
	u64 behind = s->db.state.applied - c->done;

	if (s->growing || s->db.unmapped || s->db.distrusted || s->db.state.applied <= c->done)
		return false;
	if (c->wanted)
		return true;
	if (c->error && now < c->retry)
		return false;
	return (s->config->checkpoint_entries && behind >= s->config->checkpoint_entries) ||
	       (s->config->checkpoint_seconds &&
		now - c->last >= (u64)s->config->checkpoint_seconds * 1000);
}

/* Who waited for the next one waits for this. */
static void begin(struct pxs_store *s)
{
	struct pxs_checkpoint *c = &s->checkpoint;
	int err;

	c->wanted = false;
	c->stop = false;	/* it may have come too late for the one before */
	c->last = s->node->loop.now;
	c->began = c->last;
	pxs_requests_join(&s->saved, &s->saves);
	err = pxs_db_errno(mdb_txn_begin(s->db.env, NULL, MDB_RDONLY, &c->txn));
	if (err) {
		c->txn = NULL;
		over(s, err);
		return;
	}
	c->slot = s->db.state.applied;
	c->made = pxs_store_clock();
	c->lsn = s->node->journal.next_lsn - 1;
	c->state = PXS_CHECKPOINT_WRITING;
	pxs_worker_give(c->worker, &c->write_job);
}

/* Those that nothing need be done for, or that nothing can be done for. */
static bool answer_now(struct pxs_store *s)
{
	struct pxs_checkpoint *c = &s->checkpoint;
	struct pxs_request *r;

	if (!s->saves.first || due(s) || s->growing)
		return false;
	c->wanted = false;
	if (s->db.distrusted || s->db.unmapped)
		c->error = -EUCLEAN;
	else
		c->error = 0;
	while ((r = pxs_requests_pop(&s->saves)))
		answer(s, r);
	return true;
}

bool pxs_checkpoint_step(struct pxs_store *s)
{
	struct pxs_checkpoint *c = &s->checkpoint;

	pxs_assert(!s->db.txn);
	if (c->state == PXS_CHECKPOINT_WAITS && s->node->journal.failed) {
		over(s, -EIO);
		return true;
	}
	if (c->state == PXS_CHECKPOINT_WAITS && s->node->journal.durable >= c->lsn) {
		c->state = PXS_CHECKPOINT_PUBLISHING;
		pxs_worker_give(c->worker, &c->publish_job);
		return true;
	}
	if (c->state != PXS_CHECKPOINT_IDLE)
		return false;
	if (due(s)) {
		begin(s);
		return true;
	}
	return answer_now(s);
}

void pxs_checkpoint_ask(struct pxs_store *s, struct pxs_request *r)
{
	s->checkpoint.wanted = s->db.state.applied > s->checkpoint.done;
	if (!r)
		return;
	r->state = PXS_REQUEST_SAVES;
	pxs_requests_push(&s->saves, r);
}

bool pxs_checkpoint_reads(const struct pxs_store *s)
{
	return s->checkpoint.state == PXS_CHECKPOINT_WRITING;
}

void pxs_checkpoint_cancel(struct pxs_store *s)
{
	__atomic_store_n(&s->checkpoint.stop, true, __ATOMIC_RELAXED);
}

void pxs_checkpoint_init(struct pxs_store *s)
{
	struct pxs_checkpoint *c = &s->checkpoint;

	c->db = &s->db;
	c->worker = &s->node->slow;
	c->write_job.run = write_image;
	c->write_job.done = written;
	c->publish_job.run = publish;
	c->publish_job.done = published;
	c->done = s->db.checkpoint;
	s->replica->checkpoint = c->done;
	c->done_made = s->db.checkpoint_made;
	c->last = s->node->loop.now;
	c->wanted = s->db.borrowed_slot;
	pxs_requests_init(&s->saves);
	pxs_requests_init(&s->saved);
}

/* A job that was dropped has not ended its transaction. */
void pxs_checkpoint_exit(struct pxs_store *s)
{
	if (s->checkpoint.txn)
		mdb_txn_abort(s->checkpoint.txn);
	s->checkpoint.txn = NULL;
}
