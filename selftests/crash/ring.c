// SPDX-License-Identifier: GPL-2.0
/*
 * ring.c - the agent's loop and helper thread, one step at a time
 *
 * Knows the two operations that the journal uses. A link is a link: what follows a write
 * that failed is cancelled.
 */
#include "ring.h"

#include <sys/uio.h>

#include "trace.h"

#define SQES	8

static struct io_uring_sqe sqe[SQES];
static u32 head, tail;
static struct pxs_job *todo, *finished;
static enum ring_when when;
static bool wrote;		/* the last thing done was a write */

void ring_reset(enum ring_when w)
{
	when = w;
	ring_kill();
}

void ring_kill(void)
{
	head = 0;
	tail = 0;
	todo = NULL;
	finished = NULL;
	wrote = false;
}

static int run_sqe(const struct io_uring_sqe *s)
{
	int n;

	if (s->opcode == IORING_OP_FSYNC)
		return trace_fdatasync(s->fd) ? -errno : 0;
	pxs_assert(s->opcode == IORING_OP_WRITE);
	n = (int)trace_pwrite(s->fd, (const void *)(uintptr_t)s->addr, s->len, (s64)s->off);
	if (n == (int)s->len && s->rw_flags & RWF_DSYNC)
		trace_write_synced();
	return n < 0 ? -errno : n;
}

static void run_hooks(struct pxs_loop *l)
{
	while (pxs_loop_run_hooks(l))
		;
}

static bool run_job(void)
{
	struct pxs_job *job = todo;

	if (!job)
		return false;
	todo = NULL;
	job->res = job->run(job);
	finished = job;
	return true;
}

static bool job_is_due(void)
{
	switch (when) {
	case RING_AT_ONCE:
		return true;
	case RING_BETWEEN:
		return wrote || head == tail;
	default:
		return head == tail;
	}
}

bool ring_step(struct pxs_loop *l)
{
	struct pxs_job *job = finished;
	struct pxs_op *op;

	if (job) {
		finished = NULL;
		job->busy = false;
		job->done(job, job->res);
		run_hooks(l);
		return true;
	}
	if (todo && job_is_due())
		return run_job();
	if (head == tail) {
		run_hooks(l);
		return head != tail;
	}
	op = (struct pxs_op *)(uintptr_t)sqe[head % SQES].user_data;
	wrote = sqe[head % SQES].opcode == IORING_OP_WRITE;
	op->done(op, run_sqe(&sqe[head++ % SQES]));
	/* As in the loop: hooks see a chain's completions together. */
	if (head == tail)
		run_hooks(l);
	return true;
}

void ring_run(struct pxs_loop *l)
{
	while (ring_step(l))
		;
}

void ring_tick(struct pxs_loop *l)
{
	l->now += PXS_LOOP_TICK_MS;
	pxs_loop_run_tickers(l);
	run_hooks(l);
}

/* --- what the agent calls ---------------------------------------------------------- */

void pxs_loop_reserve(struct pxs_loop *l, unsigned int n)
{
	(void)l;
	pxs_assert(tail - head + n <= SQES);
}

struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *l)
{
	struct io_uring_sqe *s = &sqe[tail % SQES];

	pxs_loop_reserve(l, 1);
	tail++;
	memset(s, 0, sizeof(*s));
	return s;
}

void pxs_loop_own(struct io_uring_sqe *s, struct pxs_op *op)
{
	s->user_data = (u64)(uintptr_t)op;
}

void pxs_worker_give(struct pxs_worker *w, struct pxs_job *job)
{
	(void)w;
	pxs_assert(!job->busy && !todo && !finished);
	job->busy = true;
	todo = job;
}
