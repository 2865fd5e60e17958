// SPDX-License-Identifier: GPL-2.0
/*
 * loop.c - the one io_uring of the daemon
 *
 * Runs in the main thread only. SINGLE_ISSUER and DEFER_TASKRUN (6.1) keep the
 * kernel from interrupting us for each completion; older kernels go without.
 */
#include "loop.h"

#include <time.h>

#include "report.h"

u64 pxs_clock_ms(void)
{
	struct timespec ts;

	/* As the module: a lease that ran while the machine slept is over (core/lease.h). */
	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

static void loop_arm_timer(struct pxs_loop *l)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(l);

	io_uring_prep_timeout(sqe, &l->period, 0, 0);
	pxs_loop_own(sqe, &l->timer);
}

static void loop_timer(struct pxs_op *op, int res)
{
	struct pxs_loop *l = (struct pxs_loop *)((char *)op - offsetof(struct pxs_loop, timer));

	(void)res;
	pxs_loop_run_tickers(l);
	loop_arm_timer(l);
}

int pxs_loop_init(struct pxs_loop *l)
{
	int err;

	memset(l, 0, sizeof(*l));
	err = io_uring_queue_init(PXS_LOOP_ENTRIES, &l->ring,
				  IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	if (err == -EINVAL)
		err = io_uring_queue_init(PXS_LOOP_ENTRIES, &l->ring, 0);
	if (err)
		return err;
	l->period.tv_nsec = PXS_LOOP_TICK_MS * 1000000;
	l->timer.done = loop_timer;
	l->now = pxs_clock_ms();
	loop_arm_timer(l);
	return 0;
}

void pxs_loop_exit(struct pxs_loop *l)
{
	io_uring_queue_exit(&l->ring);
}

/*
 * Without memory for a request the kernel takes what comes before it, and lets the chain that
 * it belongs to go without it: what was linked to run one after the other then runs at once.
 */
static void loop_submitted(struct pxs_loop *l)
{
	if (io_uring_sq_ready(&l->ring))
		l->cut++;
}

static void loop_submit(struct pxs_loop *l)
{
	io_uring_submit(&l->ring);
	loop_submitted(l);
}

void pxs_loop_reserve(struct pxs_loop *l, unsigned int n)
{
	if (io_uring_sq_space_left(&l->ring) >= n)
		return;
	loop_submit(l);
	pxs_assert(io_uring_sq_space_left(&l->ring) >= n);
}

struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *l)
{
	struct io_uring_sqe *sqe;

	pxs_loop_reserve(l, 1);
	sqe = io_uring_get_sqe(&l->ring);
	pxs_assert(sqe);
	return sqe;
}

void pxs_loop_own(struct io_uring_sqe *sqe, struct pxs_op *op)
{
	io_uring_sqe_set_data(sqe, op);
}

/* There is more to do in this round: what it has brought so far goes out meanwhile. */
static void loop_submit_part(struct pxs_loop *l)
{
	l->part = false;
	if (io_uring_sq_ready(&l->ring))
		loop_submit(l);
}

static void loop_hooks(struct pxs_loop *l)
{
	bool again;

	do {
		again = pxs_loop_run_hooks(l);
		if (l->part)
			loop_submit_part(l);
	} while (again);
}

int pxs_loop_once(struct pxs_loop *l)
{
	struct io_uring_cqe *cqe;
	unsigned int n;
	int err;

	err = io_uring_submit_and_wait(&l->ring, 1);
	loop_submitted(l);
	if (err < 0 && err != -EINTR && err != -EBUSY && err != -EAGAIN)
		return err;
	l->now = pxs_clock_ms();
	for (n = 0; n < PXS_LOOP_ENTRIES && !io_uring_peek_cqe(&l->ring, &cqe); n++) {
		struct pxs_op *op = io_uring_cqe_get_data(cqe);
		int res = cqe->res;

		io_uring_cqe_seen(&l->ring, cqe);
		if (op)
			op->done(op, res);
	}
	loop_hooks(l);
	return 0;
}

int pxs_loop_run(struct pxs_loop *l)
{
	int err = 0;

	while (!l->stop && !err)
		err = pxs_loop_once(l);
	if (err)
		pxs_err("io_uring: %s", strerror(-err));
	return err;
}

int pxs_loop_until(struct pxs_loop *l, bool (*over)(void *ctx), void *ctx, u64 ms)
{
	u64 begun = pxs_clock_ms();
	int err = 0;

	while (!over(ctx) && !err)
		err = l->now < begun + ms ? pxs_loop_once(l) : -ETIME;
	return err;
}
