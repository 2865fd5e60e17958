/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ring.h - the agent's loop and helper thread, one step at a time
 *
 * Takes the place of agent/loop.c and agent/worker.c: the same calls, but each operation
 * is done when the test says so, and a job of the helper thread runs at a chosen moment.
 */
#ifndef CRASH_RING_H
#define CRASH_RING_H

#include "worker.h"

enum ring_when {		/* does a job of the helper thread run? */
	RING_AT_ONCE,		/* before anything else */
	RING_BETWEEN,		/* after a write, before its flush */
	RING_LAST,		/* when nothing else can be done */
};

void ring_reset(enum ring_when when);

/* Do one thing. Return: false if there is nothing to do. */
bool ring_step(struct pxs_loop *l);

/* Until nothing is to be done. */
void ring_run(struct pxs_loop *l);

/* A tick of the loop's clock. */
void ring_tick(struct pxs_loop *l);

/* Forget what was submitted and not done, as when the process is killed. */
void ring_kill(void);

#endif /* CRASH_RING_H */
