// SPDX-License-Identifier: GPL-2.0
/*
 * rendezvous_second.c - fill: capped weighted rendezvous, second choices
 *
 * A row's second choice is the backend that costs it least, but for its owner; caps do not matter.
 * Asking all backends of all rows is much work. So where there was no table before the lists are
 * gone down, each time twice as far, as long as that is less work: whoever has offered at a cost
 * below that of all who have not is certain. After the table before only new backends offer. Rows
 * that are left, which lost theirs or have no certain one, are looked at one by one.
 * State is the build's; see rendezvous.c.
 */
#include "rendezvous_build.h"

/*
 * A cost that some four backends a row are below, times the sum of weights: the part of a list that
 * costs less than c is about ln(2) * c / (2^24 * unit), and unit is 2^33 / weight.
 */
#define RDV_REACH_FIRST		(6ull << 57)
#define RDV_REACH_MAX		(2ull << 60)

void pxs_rdv_set_second(struct rdv *r, struct pxs_table_row *row, const struct rdv_scan *s)
{
	bool is_first = r->backend[s->best[0].b].index == row->first;
	const struct rdv_rank *x = &s->best[is_first];

	row->second = x->b < r->n ? r->backend[x->b].index : PXS_NONE;
	if (x->b < r->n)
		r->far = max(r->far, x->cost);
}

/*
 * Is the new backend @b a better second choice for the next row of its list? After the table before
 * that matters to rows that have one; from nothing to those whose second choice is not certain yet.
 * Return: false when no row further down is meant.
 */
static bool offer_second(struct rdv *r, struct pxs_table_row *rows, u32 b)
{
	struct rdv_backend *be = &r->backend[b];
	u32 row, rank = be->walk;

	if (!be->is_new || too_far(r, b, rank, r->reach))
		return false;
	be->walk++;
	r->looks++;
	row = row_at(r, b, rank);
	if (row == r->nrows || pxs_live(r->dirty, row) != !r->past || rows[row].first == be->index)
		return true;
	if (rows[row].second != PXS_NONE && !is_preferred(r, row, b, rank, rows[row].second))
		return true;
	rows[row].second = be->index;
	set_bit_of(r->touched, row);
	return true;
}

/* Nobody who did not offer costs as little as reach: whoever does is the second choice. */
static void make_certain(struct rdv *r, const struct pxs_table_row *rows, u32 row)
{
	u32 b, place = row << r->shift;
	u64 cost;

	if (!pxs_live(r->dirty, row))
		return;
	r->taken++;
	if (rows[row].second == PXS_NONE)
		return;
	b = r->at[rows[row].second];
	cost = rank_with(r, place, b, pxs_rank(&r->key[b], place)).cost;
	if (cost > r->reach)
		return;
	r->taken--;
	r->far = max(r->far, cost);
	clear_bit_of(r->dirty, row);
}

/* Is it less work to go down the lists once more, or to ask all backends for each row left? */
static bool reach_out(struct rdv *r)
{
	bool worth = r->looks && (u64)r->taken * r->n > 2ull * r->looks;

	r->reach *= 2;
	r->done = 0;
	r->looks = 0;
	r->taken = 0;
	return worth && r->reach < RDV_REACH_MAX;
}

static void look_for_second(struct rdv *r, struct pxs_table_row *rows, u32 row)
{
	struct rdv_scan s;

	pxs_rdv_scan(r, rows, row, false, &s);
	pxs_rdv_set_second(r, &rows[row], &s);
	clear_bit_of(r->dirty, row);
}

void pxs_rdv_seconds_begin(struct rdv *r)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < r->n; i++) {
		r->backend[i].walk = 0;
		sum += r->owners[i].weight;
	}
	r->reach = r->past ? r->far : pxs_div64(RDV_REACH_FIRST, sum);
	r->looks = 0;
	r->taken = 0;
	/* all backends were asked of all rows: nothing is left to do */
	if (!r->past && !r->by_lists)
		r->phase = RDV_SECOND;
}

static void go_on_with(struct rdv *r, u8 phase)
{
	r->done = 0;
	r->phase = phase;
}

/* Second choices from new backends, all of them if there was no table before. Return: steps. */
static u32 find_new_seconds(struct rdv *r, struct pxs_table_row *rows)
{
	if (offer_second(r, rows, r->done))
		return 4;
	if (++r->done == r->n)
		go_on_with(r, r->past ? RDV_SECOND : RDV_SECOND_SURE);
	return 1;
}

static u32 find_sure_seconds(struct rdv *r, struct pxs_table_row *rows)
{
	make_certain(r, rows, r->done);
	if (++r->done == r->nrows) {
		if (reach_out(r))
			r->phase = RDV_SECOND_NEW;
		else
			go_on_with(r, RDV_SECOND);
	}
	return 1;
}

static u32 find_seconds(struct rdv *r, struct pxs_table_row *rows)
{
	r->done = next_bit(r, r->dirty, r->done);
	if (r->done == r->nrows)
		return 0;
	look_for_second(r, rows, r->done);
	return r->n;
}

u32 pxs_rdv_seconds_step(struct rdv *r, struct pxs_table_row *rows)
{
	switch (r->phase) {
	case RDV_SECOND_NEW:
		return find_new_seconds(r, rows);
	case RDV_SECOND_SURE:
		return find_sure_seconds(r, rows);
	default:
		return find_seconds(r, rows);
	}
}
