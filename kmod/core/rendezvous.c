// SPDX-License-Identifier: GPL-2.0
/*
 * rendezvous.c - fill: capped weighted rendezvous
 *
 * Owns nothing: all state is in the caller's scratch memory, one builder works on it,
 * in process context. A step keeps everything in there, so the caller may sleep
 * between two steps.
 *
 * Who holds a row is in the row; how many a backend holds and how far down its list the
 * dearest of them is (or was) is in the backend. That is all there is to know: the dearest
 * row is found by walking the list up from there, whoever would rather be with a backend that
 * has room again by walking it down.
 *
 * From nothing it would take rows times backends to ask every backend for every row. So the
 * backends go down their lists, some places in each round, and take what prefers them, for as long
 * as that is less work than what it saves (COURT).
 *
 * From the table before: backends that went, or came, or weigh something else now are taken
 * out, their rows have no owner; whose cap fell lets rows go (EJECT).
 *
 * Then, either way, those with room
 * that had none before, and the new ones, take the rows that prefer them, which makes room
 * elsewhere (VACANT): rows only get better there, so it ends. Then rows without an owner
 * propose, and those whom they push out (HOME): rows only get worse there, and no backend
 * that has room is wanted by a row that has an owner. What is left is stable. The second choices of
 * a table from nothing are found as the first ones were: by going down the lists, each time twice
 * as far, until few rows are left to be looked at one by one.
 *
 * Costs that tie are decided by u, then by id, so every order of work and of configuration
 * ends in the same table.
 */
#include "rendezvous.h"
#include "rendezvous_build.h"

/* The dearest row that @b holds; it holds one. Makes last exact. */
static u32 dearest(struct rdv *r, const struct pxs_table_row *rows, u32 b)
{
	struct rdv_backend *be = &r->backend[b];
	u32 row;

	for (;;) {
		row = row_at(r, b, be->last);
		if (row < r->nrows && rows[row].first == be->index)
			return row;
		be->last--;
	}
}

static bool would_take(struct rdv *r, const struct pxs_table_row *rows, const struct rdv_rank *x)
{
	struct rdv_backend *be = &r->backend[x->b];

	if (be->held < be->cap)
		return true;
	if (x->rank > be->last)
		return false;
	dearest(r, rows, x->b);
	return x->rank < be->last;
}

/*
 * The next backend from @b on, or n, that is not plainly worse for the row than one at rank @limit
 * of that @weight: to know that needs no logarithm. Most of a build is this loop.
 */
static u32 next_near(const struct rdv *r, u32 b, u32 place, u32 limit, u32 weight)
{
	const struct pxs_rank_key *key;

	for (key = &r->key[b]; b < r->n; b++, key++)
		if (pxs_rank(key, place) <= limit || key->weight > weight)
			break;
	return b;
}

void pxs_rdv_scan(struct rdv *r, const struct pxs_table_row *rows, u32 row, bool homeless,
		  struct rdv_scan *s)
{
	const struct rdv_rank none = { .cost = ~0ull, .b = r->n };
	u32 b, place = row << r->shift, limit = PXS_RANKS, weight = 0;
	const struct rdv_rank *worst;
	struct rdv_rank x;

	*s = (struct rdv_scan){ .fit = none, .best = { none, none } };
	for (b = 0; (b = next_near(r, b, place, limit, weight)) < r->n; b++) {
		x = rank_with(r, place, b, pxs_rank(&r->key[b], place));
		if (better(&x, &s->best[0])) {
			s->best[1] = s->best[0];
			s->best[0] = x;
		} else if (better(&x, &s->best[1])) {
			s->best[1] = x;
		}
		if (homeless && better(&x, &s->fit) && would_take(r, rows, &x))
			s->fit = x;
		worst = homeless && better(&s->best[1], &s->fit) ? &s->fit : &s->best[1];
		if (worst->b == r->n)
			continue;
		limit = worst->rank;
		weight = r->key[worst->b].weight;
	}
}

static void touch(struct rdv *r, u32 row)
{
	set_bit_of(r->touched, row);
	set_bit_of(r->dirty, row);
}

static void evict(struct rdv *r, struct pxs_table_row *rows, u32 row)
{
	rows[row].first = PXS_NONE;
	set_bit_of(r->homeless, row);
	touch(r, row);
}

/*
 * A row without owner goes to the best that takes it. Return: the row that it pushes out, or
 * nrows.
 */
static u32 settle(struct rdv *r, struct pxs_table_row *rows, u32 row)
{
	u32 loser = r->nrows;
	struct rdv_backend *be;
	struct rdv_scan s;

	pxs_rdv_scan(r, rows, row, true, &s);
	/* nobody is impossible: together they take more rows than there are */
	pxs_assert(s.fit.b < r->n);
	if (s.fit.b == r->n)
		s.fit = s.best[0];
	be = &r->backend[s.fit.b];
	if (be->held < be->cap) {
		be->held++;
		be->last = max(be->last, s.fit.rank);
	} else {
		loser = dearest(r, rows, s.fit.b);
		evict(r, rows, loser);
	}
	rows[row].first = be->index;
	clear_bit_of(r->homeless, row);
	r->worst = max(r->worst, s.fit.cost);
	pxs_rdv_set_second(r, &rows[row], &s);
	set_bit_of(r->touched, row);
	clear_bit_of(r->dirty, row);
	return loser;
}

static void enqueue(struct rdv *r, u32 b)
{
	if (r->backend[b].queued)
		return;
	r->backend[b].queued = true;
	r->queue[r->nqueue++] = (u16)b;
}

/* The rows of the table before, under the names of now. Return: false when there are no more. */
static bool take_over(struct rdv *r, struct pxs_table_row *rows, u32 budget)
{
	const struct pxs_table_row *past = r->past->rows;
	u32 row, end = min(r->nrows, r->done + budget);
	u16 first, second;

	for (row = r->done; row < end; row++) {
		first = r->now[past[row].first];
		second = r->now[past[row].second];
		rows[row] = (struct pxs_table_row){ .first = first, .second = second };
		if (first == PXS_NONE)
			set_bit_of(r->homeless, row);
		if (first == PXS_NONE || second == PXS_NONE)
			touch(r, row);
	}
	r->done = row;
	return row < r->nrows;
}

/* Backends with too many rows let the dearest go; those with room at last look for rows. */
static void eject(struct rdv *r, struct pxs_table_row *rows, u32 b)
{
	struct rdv_backend *be = &r->backend[b];
	u32 row;

	while (be->held > be->cap) {
		row = dearest(r, rows, b);
		evict(r, rows, row);
		be->held--;
		be->last--;
	}
	if (be->held == be->cap || !(be->is_new || be->was_full))
		return;
	if (be->was_full) {
		dearest(r, rows, b);
		be->walk = be->last + 1;
	}
	enqueue(r, b);
}

/* A row leaves the backend @b, which looks for others if it had turned any away so far. */
static void leave(struct rdv *r, const struct pxs_table_row *rows, u32 b)
{
	struct rdv_backend *be = &r->backend[b];

	if (be->held == be->cap) {
		if (!be->is_new) {
			dearest(r, rows, b);
			be->walk = max(be->walk, be->last + 1);
		}
		enqueue(r, b);
	}
	be->held--;
}

/* One look down the list of a backend with room: does this row want it, or (@take_free) nobody? */
static void look_down(struct rdv *r, struct pxs_table_row *rows, u32 b, bool take_free)
{
	struct rdv_backend *be = &r->backend[b];
	u32 rank = be->walk++, row = row_at(r, b, rank);

	r->looks++;
	if (row == r->nrows || rows[row].first == be->index)
		return;
	if (rows[row].first == PXS_NONE) {
		if (!take_free)
			return;
		clear_bit_of(r->homeless, row);
		r->taken++;
	} else {
		if (!is_preferred(r, row, b, rank, rows[row].first))
			return;
		leave(r, rows, r->at[rows[row].first]);
	}
	rows[row].first = be->index;
	be->held++;
	be->last = max(be->last, rank);
	touch(r, row);
}

/* So far down its list may a backend look in this round: as far as others of its share. */
static u32 reach_of(const struct rdv *r, const struct rdv_backend *be)
{
	u64 reach = ((u64)be->cap << r->shift) * r->round;

	return reach < PXS_RANKS ? (u32)reach : PXS_RANKS;
}

/*
 * From nothing: a look, or the next backend's turn. Return: false when a round found fewer owners
 * than asking all backends for a row would have in that time.
 */
static bool court(struct rdv *r, struct pxs_table_row *rows)
{
	struct rdv_backend *be = &r->backend[r->done];
	bool worth;

	if (be->held < be->cap && be->walk < reach_of(r, be)) {
		look_down(r, rows, r->done, true);
		return true;
	}
	if (++r->done < r->n)
		return true;
	worth = (u64)r->taken * r->n > (u64)r->looks + r->n;
	r->done = 0;
	r->looks = 0;
	r->taken = 0;
	r->round++;
	return worth;
}

/* How much do the rows cost that have an owner? Return: false when all were looked at. */
static bool set_worst(struct rdv *r, const struct pxs_table_row *rows)
{
	u32 row = r->done++, place = row << r->shift, b;

	if (rows[row].first != PXS_NONE) {
		b = r->at[rows[row].first];
		r->worst = max(r->worst, rank_with(r, place, b, pxs_rank(&r->key[b], place)).cost);
	}
	return r->done < r->nrows;
}

/* Whoever has room looks for rows, from where it stopped. */
static void enqueue_vacant(struct rdv *r)
{
	u32 b;

	for (b = 0; b < r->n; b++)
		if (r->backend[b].held < r->backend[b].cap)
			enqueue(r, b);
}

/* Fills the room that there is. Return: false when nobody looks for rows any more. */
static bool fill_vacant(struct rdv *r, struct pxs_table_row *rows)
{
	struct rdv_backend *be;
	u32 b;

	if (!r->nqueue)
		return false;
	b = r->queue[r->nqueue - 1];
	be = &r->backend[b];
	if (be->held < be->cap && !too_far(r, b, be->walk, r->worst)) {
		look_down(r, rows, b, false);
		return true;
	}
	be->queued = false;
	r->nqueue--;
	return true;
}

static void finish(struct rdv *r)
{
	u32 i;

	for (i = 0; i < r->n; i++) {
		r->owners[i].cap = r->backend[i].cap;
		r->owners[i].rows = r->backend[i].held;
		r->owners[i].last = r->backend[i].last;
	}
}

static void enter(struct rdv *r, u8 phase)
{
	r->done = 0;
	r->phase = phase;
	if (phase == RDV_VACANT && !r->past)
		enqueue_vacant(r);
	if (phase == RDV_SECOND_NEW)
		pxs_rdv_seconds_begin(r);
	if (phase == RDV_DONE)
		finish(r);
}

static u32 begin(struct rdv *r, struct pxs_table_row *rows, u32 budget)
{
	memset(rows, 0xff, r->nrows * sizeof(*rows));
	memset(r->homeless, 0xff, bitmap_bytes(r->nrows));
	enter(r, r->by_lists ? RDV_COURT : RDV_HOME);
	return budget;
}

/* A row without owner, or the one that it pushed out. Return: the steps it took; 0: none left. */
static u32 find_home(struct rdv *r, struct pxs_table_row *rows)
{
	u32 row = r->hand;

	if (row == r->nrows) {
		r->done = next_bit(r, r->homeless, r->done);
		row = r->done;
	}
	if (row == r->nrows)
		return 0;
	r->hand = settle(r, rows, row);
	return r->n;
}

/* One piece of work. Return: about how many steps it took. */
static u32 work(struct rdv *r, struct pxs_table_row *rows, u32 budget)
{
	u32 steps;

	switch (r->phase) {
	case RDV_BEGIN:
		return begin(r, rows, budget);
	case RDV_COURT:
		if (!court(r, rows))
			enter(r, RDV_WORST);
		return 4;
	case RDV_WORST:
		if (!set_worst(r, rows))
			enter(r, RDV_VACANT);
		return 1;
	case RDV_TAKE_OVER:
		if (!take_over(r, rows, budget))
			enter(r, RDV_EJECT);
		return budget;
	case RDV_EJECT:
		eject(r, rows, r->done);
		if (++r->done == r->n)
			enter(r, RDV_VACANT);
		return 1;
	case RDV_VACANT:
		if (!fill_vacant(r, rows))
			enter(r, RDV_HOME);
		return 4;
	case RDV_HOME:
		steps = find_home(r, rows);
		if (!steps)
			enter(r, RDV_SECOND_NEW);
		return max(steps, 1u);
	default:
		steps = pxs_rdv_seconds_step(r, rows);
		if (!steps)
			enter(r, RDV_DONE);
		return max(steps, 1u);
	}
}

bool pxs_rendezvous_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct rdv *r = scratch;
	u32 cost;

	while (r->phase != RDV_DONE) {
		cost = work(r, rows, budget);
		if (budget <= cost)
			break;
		budget -= cost;
	}
	return r->phase != RDV_DONE;
}
