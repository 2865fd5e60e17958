// SPDX-License-Identifier: GPL-2.0
/*
 * turn.c - clients have their turn, one after the other
 *
 * A thousand reads that one client has sent at once may each look through a large hash. Meanwhile
 * nobody else is heard, and a leader that says nothing for long is not one any more. So all clients
 * together have so much time in a row, and then it is others' turn; who was not done is the last
 * one afterwards.
 */
#include "store.h"

#define TURN_NS		10000000ull

#define from(op) \
	((struct pxs_store *)((char *)(op) - offsetof(struct pxs_store, turn_op)))

void pxs_conn_ready(struct pxs_conn *c)
{
	struct pxs_store *s = c->store;

	if (c->ready)
		return;
	c->ready = true;
	c->ready_next = NULL;
	if (s->ready)
		s->ready_last->ready_next = c;
	else
		s->ready = c;
	s->ready_last = c;
}

bool pxs_turn_over(const struct pxs_store *s)
{
	return s->turn && pxs_store_steady() >= s->turn;
}

static void has_come(struct pxs_op *op, int res)
{
	(void)res;
	from(op)->turn_waits = false;
}

static void wait(struct pxs_store *s)
{
	struct io_uring_sqe *sqe = pxs_loop_sqe(&s->node->loop);

	io_uring_prep_nop(sqe);
	s->turn_op.done = has_come;
	pxs_loop_own(sqe, &s->turn_op);
	s->turn_waits = true;
}

static void free_over(struct pxs_store *s)
{
	struct pxs_conn *c, **p;

	for (p = &s->conns; (c = *p);) {
		if (!pxs_conn_over(c) || c->ready) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		pxs_place_leave(c);
		pxs_conn_free(c);
	}
}

bool pxs_turn(struct pxs_store *s)
{
	bool did = false, over = false;
	struct pxs_conn *c;

	if (s->turn_waits)
		return false;
	s->turn = pxs_store_steady() + TURN_NS;
	while ((c = s->ready) && !pxs_turn_over(s)) {
		s->ready = c->ready_next;
		c->ready = false;
		did |= pxs_conn_step(c);
		over |= pxs_conn_over(c);
	}
	s->turn = 0;
	if (s->ready)
		wait(s);
	if (over)
		free_over(s);
	return did;
}
