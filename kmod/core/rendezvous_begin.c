// SPDX-License-Identifier: GPL-2.0
/*
 * rendezvous_begin.c - fill: capped weighted rendezvous, what a build begins with
 *
 * The caps, each backend's order of the rows, and what is known of the table before: see
 * rendezvous.c for what is done with it. Process context.
 */
#include "rendezvous.h"
#include "rendezvous_build.h"

#define RDV_DOMAIN_BACKEND	0x72656e6402ull

/* Of the rows, and times the backends: above, to begin from nothing is less work. */
#define RDV_CHANGE_MOST		4
#define RDV_CHANGE_WORK		64

/* Backends, times ranks a row: below, to ask all of them for each row is less work than lists. */
#define RDV_LISTS_MIN		16u

/* Rows that a backend may hold, @salt a hash of it. */
static u32 cap_of(u32 nrows, u32 cap, u32 weight, u64 sum, u32 salt)
{
	u64 most = (u64)nrows * (1000 + cap) * weight, whole = 1000 * sum, rows;

	/*
	 * Rounded up, so that together they hold all; where there is a row to spare anyway up
	 * or down by chance, so that a small change of the sum does not raise the caps of all
	 * backends of one weight at once.
	 */
	if ((u64)nrows * cap * weight >= whole)
		rows = pxs_div64(most + (whole >> 10) * (salt & 1023), whole);
	else
		rows = pxs_div64(most + whole - 1, whole);
	return rows < nrows ? (u32)rows : nrows;
}

static const struct pxs_table *past_of(const struct pxs_table_config *cfg)
{
	return cfg->past ? cfg->past->table : NULL;
}

size_t pxs_rendezvous_scratch(const struct pxs_table_config *cfg, u32 n)
{
	const struct pxs_table *past = past_of(cfg);

	return sizeof(struct rdv) + n * (sizeof(u64) + sizeof(struct pxs_rank_key) +
					 sizeof(struct rdv_backend) + sizeof(u16)) +
	       3 * bitmap_bytes(cfg->nrows) + PXS_LOG2_ENTRIES * sizeof(u32) +
	       (cfg->nbackends + (past ? past->nbackends : 0)) * sizeof(u16);
}

static void lay_out(struct rdv *r, const struct pxs_table_config *cfg, u32 n)
{
	r->unit = (u64 *)(r + 1);
	r->touched = (unsigned long *)(r->unit + n);
	r->dirty = r->touched + pxs_bitmap_longs(cfg->nrows);
	r->homeless = r->dirty + pxs_bitmap_longs(cfg->nrows);
	r->key = (struct pxs_rank_key *)(r->homeless + pxs_bitmap_longs(cfg->nrows));
	r->backend = (struct rdv_backend *)(r->key + n);
	r->log2 = (u32 *)(r->backend + n);
	r->at = (u16 *)(r->log2 + PXS_LOG2_ENTRIES);
	r->queue = r->at + cfg->nbackends;
	r->now = r->queue + n;
}

static void set_backends(struct rdv *r, u32 cap)
{
	u64 sum = 0;
	u32 i, j;

	for (i = 0; i < r->n; i++)
		sum += r->owners[i].weight;
	for (i = 0; i < r->n; i++) {
		const struct pxs_table_owner *owner = &r->owners[i];
		struct rdv_backend *be = &r->backend[i];

		*be = (struct rdv_backend){ .index = owner->index, .is_new = true };
		pxs_rank_init(&r->key[i], &r->cfg->seed, RDV_DOMAIN_BACKEND, owner->id,
			      owner->weight);
		for (j = 0; j < PXS_RANK_ROUNDS; j++)
			be->inverse[j] = pxs_rank_inverse(r->key[i].mul[j]);
		r->unit[i] = pxs_div64((1ull << 33) + owner->weight / 2, owner->weight);
		be->cap = cap_of(r->nrows, cap, owner->weight, sum, r->key[i].salt);
		r->at[owner->index] = (u16)i;
	}
}

/* Those that are as they were: both lists are in order of id. Return: rows of the rest. */
static u32 match_past(struct rdv *r, const struct pxs_table *past)
{
	const struct pxs_table_owner *old = pxs_table_owners(past);
	u32 i, j = 0, lost = 0;

	for (i = 0; i < past->nbackends; i++)
		r->now[i] = PXS_NONE;
	for (i = 0; i < past->nowners; i++) {
		while (j < r->n && r->owners[j].id < old[i].id)
			j++;
		if (j == r->n || r->owners[j].id != old[i].id ||
		    r->owners[j].weight != old[i].weight) {
			lost += old[i].rows;
			continue;
		}
		r->now[old[i].index] = r->owners[j].index;
		r->backend[j].is_new = false;
		r->backend[j].was_full = old[i].rows == old[i].cap;
		r->backend[j].held = old[i].rows;
		r->backend[j].last = old[i].last;
	}
	for (i = 0; i < r->n; i++)
		lost += r->backend[i].is_new ? r->backend[i].cap : 0;
	return lost;
}

static bool can_go_on(const struct pxs_table *past, const struct pxs_table_config *cfg, u32 cap,
		      u32 n)
{
	return past && past->fill == PXS_FILL_RENDEZVOUS && past->nrows == cfg->nrows &&
	       past->cap == cap && past->seed.k[0] == cfg->seed.k[0] &&
	       past->seed.k[1] == cfg->seed.k[1] && past->nowners > 2 && n > 2;
}

/* Begin with the table before: what is known of its backends. Return: false, better not. */
static bool go_on(struct rdv *r, const struct pxs_table *past)
{
	u32 i, lost = match_past(r, past);
	u64 u;

	if (lost > r->nrows / RDV_CHANGE_MOST ||
	    (u64)lost * r->n > (u64)r->nrows * RDV_CHANGE_WORK)
		return false;
	for (i = 0; i < r->n; i++) {
		if (r->backend[i].is_new || !r->backend[i].held)
			continue;
		u = (u64)(PXS_RANKS - 1 - r->backend[i].last) << (64 - PXS_RANK_BITS);
		r->worst = max(r->worst, pxs_neglog2(r->log2, u) * r->unit[i]);
	}
	r->far = past->far;
	r->past = past;
	r->phase = RDV_TAKE_OVER;
	return true;
}

void pxs_rendezvous_start(void *scratch, const struct pxs_table_config *cfg, u32 cap,
			  struct pxs_table_owner *owners, u32 n)
{
	const struct pxs_table *past = past_of(cfg);
	struct rdv *r = scratch;

	*r = (struct rdv){
		.cfg = cfg, .owners = owners, .n = n, .nrows = cfg->nrows, .hand = cfg->nrows,
		.round = 1, .shift = PXS_RANK_BITS + (u32)__builtin_clz(cfg->nrows) - 31,
	};
	lay_out(r, cfg, n);
	pxs_log2_init(r->log2);
	set_backends(r, cap);
	memset(r->touched, 0, 3 * bitmap_bytes(r->nrows));
	if (can_go_on(past, cfg, cap, n) && go_on(r, past))
		return;
	set_backends(r, cap);
	r->worst = 0;
	r->by_lists = n > RDV_LISTS_MIN << r->shift;
	r->phase = RDV_BEGIN;
}

const unsigned long *pxs_rendezvous_touched(const void *scratch)
{
	const struct rdv *r = scratch;

	return r->past ? r->touched : NULL;
}

u64 pxs_rendezvous_far(const void *scratch)
{
	const struct rdv *r = scratch;

	return r->far;
}
