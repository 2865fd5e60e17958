/* SPDX-License-Identifier: GPL-2.0 */
/*
 * loop.h - the one io_uring of the daemon
 *
 * Everything that waits is an operation in this ring: the journal's writes and
 * flushes, the netlink socket or the UDP socket, the clients, the timer. One thread
 * runs it; callbacks run one after the other and never nest.
 */
#ifndef PXS_AGENT_LOOP_H
#define PXS_AGENT_LOOP_H

#include <liburing.h>

#include "platform.h"

#define PXS_LOOP_ENTRIES	512
#define PXS_LOOP_TICK_MS	10

/* One operation in flight; embed it, and keep it until done() was called. */
struct pxs_op {
	void (*done)(struct pxs_op *op, int res);	/* res as in the CQE: >= 0 or -errno */
};

/* Called once after each round of completions, in the order they were added. */
struct pxs_hook {
	bool (*run)(struct pxs_hook *hook);	/* true: did something, run all hooks again */
	struct pxs_hook *next;
};

/* Called every PXS_LOOP_TICK_MS or a little later. */
struct pxs_ticker {
	void (*tick)(struct pxs_ticker *t, u64 now);
	struct pxs_ticker *next;
};

struct pxs_loop {
	struct io_uring ring;
	struct pxs_op timer;
	struct __kernel_timespec period;
	struct pxs_hook *hooks;
	struct pxs_ticker *tickers;
	u64 now;		/* milliseconds, monotonic, as of this round */
	u64 cut;		/* submissions taken in part: a link may be broken there */
	bool part;		/* set it: what is prepared is submitted before hooks run again */
	bool stop;		/* set it and run() returns after the round */
};

/* Return: 0 or -errno; -EPERM or -ENOSYS where io_uring is switched off. */
int pxs_loop_init(struct pxs_loop *l);
void pxs_loop_exit(struct pxs_loop *l);

void pxs_loop_add_hook(struct pxs_loop *l, struct pxs_hook *hook);
void pxs_loop_add_ticker(struct pxs_loop *l, struct pxs_ticker *t);

/* All hooks once. Return: whether one did something, so that all must run again. */
bool pxs_loop_run_hooks(struct pxs_loop *l);
/* All tickers once, the last added first. */
void pxs_loop_run_tickers(struct pxs_loop *l);

/* Make sure that @n linked entries fit one submission. */
void pxs_loop_reserve(struct pxs_loop *l, unsigned int n);

/* An entry to prepare; its completion calls @op. Never NULL. */
struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *l);
void pxs_loop_own(struct io_uring_sqe *sqe, struct pxs_op *op);

/* One round: submit, wait for at least one completion, call back, run hooks. */
int pxs_loop_once(struct pxs_loop *l);
int pxs_loop_run(struct pxs_loop *l);
/*
 * Rounds until @over returns true; it is asked before each. How many there are in a second depends
 * on what comes, so they do not bound it: @ms milliseconds do. Return: 0, -ETIME after these, or
 * -errno of the ring.
 */
int pxs_loop_until(struct pxs_loop *l, bool (*over)(void *ctx), void *ctx, u64 ms);

u64 pxs_clock_ms(void);

#endif /* PXS_AGENT_LOOP_H */
