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
 * From the table before: backends that went, or came, or weigh something else now are taken
 * out, their rows have no owner; whose cap fell lets rows go (EJECT). Then those with room
 * that had none before, and the new ones, take the rows that prefer them, which makes room
 * elsewhere (VACANT): rows only get better there, so it ends. Then rows without an owner
 * propose, and those whom they push out (HOME): rows only get worse there, and no backend
 * that has room is wanted by a row that has an owner. What is left is stable.
 *
 * Costs that tie are decided by u, then by id, so every order of work and of configuration
 * ends in the same table.
 */
#include "rendezvous.h"
#include "rendezvous_build.h"

/* How often on the way down a list it is asked whether that can be the end. */
#define RDV_STRIDE		32

/* A place in a row's ranking; smaller is better. */
struct rdv_rank {
	u64 cost;
	u64 u;		/* larger is better */
	u32 b;		/* position among the owners, that is, order of id */
	u32 rank;	/* of the row, with this backend */
};

/* What a look at all backends finds for a row. */
struct rdv_scan {
	struct rdv_rank fit;	/* the best that would take it */
	struct rdv_rank best[2];
};

static void set_bit_of(unsigned long *bits, u32 i)
{
	const u32 n = 8 * sizeof(*bits);

	bits[i / n] |= 1ul << (i % n);
}

static void clear_bit_of(unsigned long *bits, u32 i)
{
	const u32 n = 8 * sizeof(*bits);

	bits[i / n] &= ~(1ul << (i % n));
}

static bool better(const struct rdv_rank *a, const struct rdv_rank *b)
{
	if (a->cost != b->cost)
		return a->cost < b->cost;
	if (a->u != b->u)
		return a->u > b->u;
	return a->b < b->b;
}

static struct rdv_rank rank_with(const struct rdv *r, u32 place, u32 b, u32 rank)
{
	struct rdv_rank x = { .b = b, .rank = rank };

	x.u = pxs_rank_u(&r->key[b], place, rank);
	x.cost = pxs_neglog2(r->log2, x.u) * r->unit[b];
	return x;
}

/* The row at this rank of a backend's list; ranks that are no row of a table this small: nrows. */
static u32 row_at(const struct rdv *r, u32 b, u32 rank)
{
	u32 place = pxs_rank_place(&r->key[b], r->backend[b].inverse, rank);

	return place & ((1u << r->shift) - 1) ? r->nrows : place >> r->shift;
}

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

/* Look at all backends for @row; those it would be taken by matter only to one without owner. */
static void scan_row(struct rdv *r, const struct pxs_table_row *rows, u32 row, bool homeless,
		     struct rdv_scan *s)
{
	const struct rdv_rank none = { .cost = ~0ull, .b = r->n };
	u32 b, rank, place = row << r->shift, limit = PXS_RANKS, weight = 0;
	const struct rdv_rank *worst;
	struct rdv_rank x;

	*s = (struct rdv_scan){ .fit = none, .best = { none, none } };
	for (b = 0; b < r->n; b++) {
		rank = pxs_rank(&r->key[b], place);
		/* plainly worse than what is there: needs no logarithm */
		if (rank > limit && r->key[b].weight <= weight)
			continue;
		x = rank_with(r, place, b, rank);
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

/* The second choice is the best that is not the first. */
static void set_second(struct rdv *r, struct pxs_table_row *row, const struct rdv_scan *s)
{
	bool is_first = r->backend[s->best[0].b].index == row->first;
	const struct rdv_rank *x = &s->best[is_first];

	row->second = x->b < r->n ? r->backend[x->b].index : PXS_NONE;
	if (x->b < r->n)
		r->far = max(r->far, x->cost);
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

/* The first row from @row on whose bit is set, or nrows. */
static u32 next_bit(const struct rdv *r, const unsigned long *bits, u32 row)
{
	const u32 n = 8 * sizeof(*bits);
	unsigned long word;

	while (row < r->nrows) {
		word = bits[row / n] >> (row % n);
		if (word)
			return row + (u32)__builtin_ctzl(word);
		row = (row / n + 1) * n;
	}
	return r->nrows;
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

	scan_row(r, rows, row, true, &s);
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
	set_second(r, &rows[row], &s);
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

/* Can no row further down the list of @b than this rank prefer it? Asked now and then. */
static bool too_far(const struct rdv *r, u32 b, u32 rank, u64 bound)
{
	u64 u = (u64)(PXS_RANKS - rank) << (64 - PXS_RANK_BITS);

	return rank >= PXS_RANKS ||
	       (!(rank % RDV_STRIDE) && pxs_neglog2(r->log2, u - 1) * r->unit[b] > bound);
}

/* Is @b, at this rank of its list, better for the row than the backend with this index? */
static bool is_preferred(const struct rdv *r, u32 row, u32 b, u32 rank, u16 index)
{
	u32 other = r->at[index], place = row << r->shift;
	u32 his_rank = pxs_rank(&r->key[other], place);
	struct rdv_rank mine, his;

	/* plainly not: needs no logarithm */
	if (his_rank < rank && r->key[other].weight >= r->key[b].weight)
		return false;
	mine = rank_with(r, place, b, rank);
	his = rank_with(r, place, other, his_rank);
	return better(&mine, &his);
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

/*
 * One look down the list of a backend with room: does this row prefer it?
 * Return: false when no row further down can.
 */
static bool court(struct rdv *r, struct pxs_table_row *rows, u32 b)
{
	struct rdv_backend *be = &r->backend[b];
	u32 row, rank = be->walk;

	if (be->held == be->cap || too_far(r, b, rank, r->worst))
		return false;
	be->walk++;
	row = row_at(r, b, rank);
	if (row == r->nrows || rows[row].first == PXS_NONE || rows[row].first == be->index ||
	    !is_preferred(r, row, b, rank, rows[row].first))
		return true;
	leave(r, rows, r->at[rows[row].first]);
	rows[row].first = be->index;
	be->held++;
	be->last = max(be->last, rank);
	touch(r, row);
	return true;
}

/* Fills the room that there is. Return: false when nobody looks for rows any more. */
static bool fill_vacant(struct rdv *r, struct pxs_table_row *rows)
{
	u32 b;

	if (!r->nqueue)
		return false;
	b = r->queue[r->nqueue - 1];
	if (court(r, rows, b))
		return true;
	r->backend[b].queued = false;
	r->nqueue--;
	return true;
}

/* Is the new backend @b a better second choice for the next row of its list? False: enough. */
static bool offer_second(struct rdv *r, struct pxs_table_row *rows, u32 b)
{
	struct rdv_backend *be = &r->backend[b];
	u32 row, rank = r->walk;

	if (!r->past || !be->is_new || too_far(r, b, rank, r->far))
		return false;
	r->walk++;
	row = row_at(r, b, rank);
	if (row == r->nrows || pxs_live(r->dirty, row) || rows[row].first == be->index ||
	    !is_preferred(r, row, b, rank, rows[row].second))
		return true;
	rows[row].second = be->index;
	set_bit_of(r->touched, row);
	return true;
}

static void look_for_second(struct rdv *r, struct pxs_table_row *rows, u32 row)
{
	struct rdv_scan s;

	scan_row(r, rows, row, false, &s);
	set_second(r, &rows[row], &s);
	clear_bit_of(r->dirty, row);
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

static void next_phase(struct rdv *r)
{
	r->done = 0;
	r->walk = 0;
	r->phase++;
	if (r->phase == RDV_DONE)
		finish(r);
}

/* One piece of work. Return: about how many steps it took. */
static u32 work(struct rdv *r, struct pxs_table_row *rows, u32 budget)
{
	u32 row;

	switch (r->phase) {
	case RDV_BEGIN:
		memset(rows, 0xff, r->nrows * sizeof(*rows));
		memset(r->homeless, 0xff, bitmap_bytes(r->nrows));
		r->phase = RDV_HOME;
		return budget;
	case RDV_TAKE_OVER:
		if (!take_over(r, rows, budget))
			next_phase(r);
		return budget;
	case RDV_EJECT:
		eject(r, rows, r->done);
		if (++r->done == r->n)
			next_phase(r);
		return 1;
	case RDV_VACANT:
		if (!fill_vacant(r, rows))
			next_phase(r);
		return 4;
	case RDV_HOME:
		row = r->hand;
		if (row == r->nrows) {
			r->done = next_bit(r, r->homeless, r->done);
			row = r->done;
		}
		if (row < r->nrows) {
			r->hand = settle(r, rows, row);
			return r->n;
		}
		next_phase(r);
		return 1;
	case RDV_SECOND_NEW:
		if (offer_second(r, rows, r->done))
			return 4;
		r->walk = 0;
		if (++r->done == r->n)
			next_phase(r);
		return 1;
	default:
		r->done = next_bit(r, r->dirty, r->done);
		if (r->done < r->nrows) {
			look_for_second(r, rows, r->done);
			return r->n;
		}
		next_phase(r);
		return 1;
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
