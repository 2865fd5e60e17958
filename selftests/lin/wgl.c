// SPDX-License-Identifier: GPL-2.0
/*
 * wgl.c - registers as black boxes: is there any order that explains what was seen?
 *
 * The search of Wing and Gong (1993), with Lowe's memo of (what took effect, state), each
 * register for itself (linearizability is local, Horn and Kroening 2015). No slot is
 * trusted, or needed. What keeps the exponential away:
 *
 *   - a read that fits the state now is taken now: later it would constrain more;
 *   - of what took effect only a sliding part is remembered: operations that everybody
 *     agrees are over need no bits. Those of unknown outcome are never over, and have
 *     bits of their own;
 *   - a write of unknown outcome that nobody has read did nothing (unless there is a cas).
 *
 * Beyond its limits a search ends undecided: never with an answer it does not have.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lin.h"
#include "memo.h"

#define LIST	0u	/* head and end of the list of calls and returns */

struct call {
	const struct lin_op *op;
	uint32_t at, back;	/* its call and return in the list; back 0: never returns */
	uint32_t bit;		/* among the known, or the unknown ones */
	uint32_t reach;		/* known: those called before it returned, known and unknown */
	uint32_t reach_unknown;
};

struct node {
	uint32_t prev, next;
	uint32_t call;
	bool returns;
};

struct frame {
	uint32_t call;
	bool forced;		/* no alternative was left out */
	uint64_t state;		/* before it */
};

struct search {
	struct call *call;
	uint32_t calls, knowns, unknowns;
	struct node *node;
	struct frame *stack;
	uint32_t depth;
	uint64_t *known, *unknown;	/* bits of what took effect */
	uint32_t *known_call;		/* bit -> call */
	uint32_t base;			/* all known ones below took effect */
	uint32_t left;			/* known ones that did not yet */
	uint64_t state;
	uint64_t *key;
	struct memo memo;
	uint64_t steps;
};

static bool is_known(const struct call *c)
{
	return c->op->outcome != LIN_UNKNOWN;
}

/* --- setting up ---------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int by_call(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	if (x->op->call != y->op->call)
		return x->op->call < y->op->call ? -1 : 1;
	return x->op < y->op ? -1 : x->op > y->op;
}

/* What takes part: not what certainly or apparently had no effect, nor weaker reads. */
static void take_calls(struct search *s, const struct lin_history *h, const uint32_t *idx,
		       uint32_t n)
{
	uint64_t *read = lin_alloc(NULL, n, sizeof(*read));
	uint32_t reads = 0, i;
	bool cas = false;

	for (i = 0; i < n; i++) {
		const struct lin_op *op = &h->op[idx[i]];

		cas |= op->kind == LIN_CAS;
		if (op->kind == LIN_READ && op->outcome == LIN_DONE)
			read[reads++] = op->value;
	}
	qsort(read, reads, sizeof(*read), by_value);
	for (i = 0; i < n; i++) {
		const struct lin_op *op = &h->op[idx[i]];

		if (op->outcome == LIN_REFUSED || op->level != LIN_STRONG ||
		    (op->kind == LIN_READ && op->outcome == LIN_UNKNOWN))
			continue;
		if (op->kind == LIN_WRITE && op->outcome == LIN_UNKNOWN && !cas &&
		    !bsearch(&op->arg, read, reads, sizeof(*read), by_value))
			continue;
		s->call[s->calls++].op = op;
	}
	free(read);
	qsort(s->call, s->calls, sizeof(*s->call), by_call);
}

static void number_calls(struct search *s)
{
	uint32_t i;

	for (i = 0; i < s->calls; i++) {
		struct call *c = &s->call[i];

		if (is_known(c)) {
			s->known_call[s->knowns] = i;
			c->bit = s->knowns++;
		} else {
			c->bit = s->unknowns++;
		}
	}
	s->left = s->knowns;
}

/* How many are called no later than @time, known and unknown. */
static void set_reach(struct search *s, struct call *c)
{
	uint32_t low = 0, high = s->calls, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (s->call[mid].op->call <= c->op->ret)
			low = mid + 1;
		else
			high = mid;
	}
	/* Call low - 1 is c itself at least: take the numbers of the last one of each kind. */
	for (mid = low; mid-- > 0;)
		if (is_known(&s->call[mid])) {
			c->reach = s->call[mid].bit + 1;
			break;
		}
	c->reach_unknown = low - c->reach;
}

struct moment {
	uint64_t time;
	uint32_t call;
	bool returns;
};

/* At the same time calls come first: then both orders are possible. */
static int by_time(const void *a, const void *b)
{
	const struct moment *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->returns != y->returns)
		return x->returns ? 1 : -1;
	return x->call < y->call ? -1 : x->call > y->call;
}

static void link_nodes(struct search *s)
{
	struct moment *m = lin_alloc(NULL, 2 * (size_t)s->calls, sizeof(*m));
	uint32_t n = 0, i;

	for (i = 0; i < s->calls; i++) {
		m[n++] = (struct moment){ s->call[i].op->call, i, false };
		if (is_known(&s->call[i]))
			m[n++] = (struct moment){ s->call[i].op->ret, i, true };
	}
	qsort(m, n, sizeof(*m), by_time);
	for (i = 0; i < n; i++) {
		s->node[i + 1] = (struct node){ i, i + 2, m[i].call, m[i].returns };
		*(m[i].returns ? &s->call[m[i].call].back : &s->call[m[i].call].at) = i + 1;
	}
	s->node[LIST] = (struct node){ n, n ? 1 : LIST, 0, true };
	if (n)
		s->node[n].next = LIST;
	free(m);
}

static void setup(struct search *s, const struct lin_history *h, const uint32_t *idx, uint32_t n,
		  uint64_t bytes)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
	s->call = calloc(n + 1, sizeof(*s->call));
	s->node = calloc(2 * (size_t)n + 2, sizeof(*s->node));
	s->stack = calloc(n + 1, sizeof(*s->stack));
	s->known = calloc(n / 64 + 2, sizeof(*s->known));
	s->unknown = calloc(n / 64 + 2, sizeof(*s->unknown));
	s->known_call = calloc(n + 1, sizeof(*s->known_call));
	s->key = calloc(2 * (size_t)(n / 64) + 8, sizeof(*s->key));
	if (!s->call || !s->node || !s->stack || !s->known || !s->unknown || !s->known_call ||
	    !s->key)
		abort();
	memo_init(&s->memo, bytes);
	take_calls(s, h, idx, n);
	number_calls(s);
	for (i = 0; i < s->calls; i++)
		if (is_known(&s->call[i]))
			set_reach(s, &s->call[i]);
	link_nodes(s);
}

static void cleanup(struct search *s)
{
	memo_free(&s->memo);
	free(s->call);
	free(s->node);
	free(s->stack);
	free(s->known);
	free(s->unknown);
	free(s->known_call);
	free(s->key);
}

/* --- moving --------------------------------------------------------------------- */

/* Return: the operation may take effect in this state; *after: the state then. */
static bool may(const struct lin_op *op, uint64_t state, uint64_t *after)
{
	*after = state;
	if (op->kind == LIN_READ)
		return op->value == state;
	if (op->kind == LIN_WRITE) {
		*after = op->arg;
		return true;
	}
	if (op->outcome == LIN_DIFFERS)
		return state != op->old;
	*after = op->arg;
	return state == op->old;
}

static bool is_pure(const struct lin_op *op)
{
	return op->kind == LIN_READ || op->outcome == LIN_DIFFERS;
}

static void unlink_node(struct search *s, uint32_t i)
{
	s->node[s->node[i].prev].next = s->node[i].next;
	s->node[s->node[i].next].prev = s->node[i].prev;
}

static void relink_node(struct search *s, uint32_t i)
{
	s->node[s->node[i].prev].next = i;
	s->node[s->node[i].next].prev = i;
}

static void push(struct search *s, uint32_t call, bool forced, uint64_t after)
{
	struct call *c = &s->call[call];

	s->stack[s->depth++] = (struct frame){ call, forced, s->state };
	s->state = after;
	unlink_node(s, c->at);
	if (!is_known(c)) {
		s->unknown[c->bit / 64] |= 1ull << c->bit % 64;
		return;
	}
	unlink_node(s, c->back);
	s->left--;
	s->known[c->bit / 64] |= 1ull << c->bit % 64;
	while (s->base < s->knowns && s->known[s->base / 64] >> s->base % 64 & 1)
		s->base++;
}

/* Return: the call that was taken back. */
static struct frame pop(struct search *s)
{
	struct frame f = s->stack[--s->depth];
	struct call *c = &s->call[f.call];

	s->state = f.state;
	if (!is_known(c)) {
		s->unknown[c->bit / 64] &= ~(1ull << c->bit % 64);
	} else {
		relink_node(s, c->back);
		s->left++;
		s->known[c->bit / 64] &= ~(1ull << c->bit % 64);
		if (c->bit < s->base)
			s->base = c->bit;
	}
	relink_node(s, c->at);
	return f;
}

/* Everything that changes nothing and fits takes effect at once. */
static void settle(struct search *s)
{
	uint32_t i = s->node[LIST].next, before;
	uint64_t after;

	while (!s->node[i].returns) {
		const struct lin_op *op = s->call[s->node[i].call].op;

		s->steps++;
		before = s->node[i].prev;
		if (!is_pure(op) || !may(op, s->state, &after)) {
			i = s->node[i].next;
			continue;
		}
		push(s, s->node[i].call, true, after);
		i = s->node[before].next;
	}
}

/* State, and which calls took effect: those below base all did, those beyond reach none. */
static enum memo_result remember(struct search *s)
{
	const struct call *c = &s->call[s->known_call[s->base]];
	uint32_t n = 0, i;

	s->key[n++] = s->state;
	s->key[n++] = s->base;
	for (i = s->base / 64; i <= (c->reach - 1) / 64; i++)
		s->key[n++] = s->known[i];
	for (i = 0; i < (c->reach_unknown + 63) / 64; i++)
		s->key[n++] = s->unknown[i];
	while (!s->key[n - 1] && n > 2)
		n--;
	return memo_add(&s->memo, s->key, n);
}

/* Back to the last choice. Return: where to go on after it, or LIST. */
static uint32_t back(struct search *s)
{
	struct frame f;

	while (s->depth) {
		f = pop(s);
		if (!f.forced)
			return s->node[s->call[f.call].at].next;
	}
	return LIST;
}

static enum lin_result search(struct search *s, uint64_t limit)
{
	enum memo_result known;
	uint32_t i;
	uint64_t after;

	settle(s);
	i = s->node[LIST].next;
	while (s->left) {
		if (s->steps++ > limit)
			return LIN_UNDECIDED;
		if (s->node[i].returns) {
			/* What returns here must have taken effect, and has not. */
			i = back(s);
			if (i == LIST && !s->depth)
				return LIN_BAD;
			continue;
		}
		if (!may(s->call[s->node[i].call].op, s->state, &after)) {
			i = s->node[i].next;
			continue;
		}
		push(s, s->node[i].call, false, after);
		settle(s);
		if (!s->left)
			return LIN_OK;
		known = remember(s);
		if (known == MEMO_FULL)
			return LIN_UNDECIDED;
		i = known == MEMO_NEW ? s->node[LIST].next : back(s);
	}
	return LIN_OK;
}

enum lin_result lin_wgl_key(const struct lin_history *h, const uint32_t *idx, uint32_t n,
			    const struct lin_limits *limits, uint64_t *steps)
{
	enum lin_result result;
	struct search s;

	setup(&s, h, idx, n, limits->bytes);
	result = search(&s, limits->steps);
	*steps = s.steps;
	cleanup(&s);
	return result;
}
