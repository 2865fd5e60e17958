// SPDX-License-Identifier: GPL-2.0
/*
 * hooks.c - what the loop calls after each round of completions, and at each tick
 *
 * A file of its own, so that the simulators, which stand in for the ring (loop.c), run hooks and
 * tickers in the very order of the daemon.
 */
#include "loop.h"

void pxs_loop_add_hook(struct pxs_loop *l, struct pxs_hook *hook)
{
	struct pxs_hook **p = &l->hooks;

	while (*p)
		p = &(*p)->next;
	hook->next = NULL;
	*p = hook;
}

void pxs_loop_add_ticker(struct pxs_loop *l, struct pxs_ticker *t)
{
	t->next = l->tickers;
	l->tickers = t;
}

bool pxs_loop_run_hooks(struct pxs_loop *l)
{
	struct pxs_hook *hook;
	bool again = false;

	for (hook = l->hooks; hook; hook = hook->next)
		again |= hook->run(hook);
	return again;
}

void pxs_loop_run_tickers(struct pxs_loop *l)
{
	struct pxs_ticker *t;

	for (t = l->tickers; t; t = t->next)
		t->tick(t, l->now);
}
