// SPDX-License-Identifier: GPL-2.0
/*
 * sticky.c - fill: even shares, and the least possible moves from the table before
 *
 * Owns nothing: all state is in the caller's scratch memory, the table before stays the
 * caller's. While it works rows hold positions among the owners; first choices are settled,
 * then second ones, each in the same three walks over the rows: count who has what, take
 * from who has too much, give to who has too little. The walks visit the rows in an order
 * that the set of owners decides, so that it is not always the same rows that move.
 * Process context.
 */
#include "sticky.h"
#include "rendezvous.h"

#define STICKY_DOMAIN	0x737469636b790001ull

enum sticky_phase {
	STICKY_BEGIN,	/* there is no table before: rendezvous makes one */
	STICKY_COUNT,
	STICKY_TAKE,
	STICKY_GIVE,
	STICKY_NAME,	/* positions become indices */
	STICKY_DONE,
};

struct sticky {
	const struct pxs_table_config *cfg;
	const struct pxs_table_owner *owners;
	u64 *share;	/* of each owner, of total */
	u64 total;
	u32 *quota;	/* rows it may have */
	u32 *held;	/* rows it has */
	u16 *needy;	/* positions of owners with less than their quota */
	u16 *position;	/* of an index in the table before, or PXS_NONE */
	u32 npositions;
	u32 nneedy;
	u32 turn;	/* who of the needy is next */
	u32 n;
	u32 nrows;
	u32 done;	/* rows so far, in this walk */
	u32 start, stride;	/* of the order of visits */
	u32 shift;	/* nrows << shift is 2^32 */
	u8 phase;
	bool second;	/* second choices are being settled */
	void *rendezvous;
};

static u32 positions(const struct pxs_table_config *cfg)
{
	return cfg->past ? cfg->past->nbackends : cfg->nbackends;
}

size_t pxs_sticky_scratch(const struct pxs_table_config *cfg, u32 n)
{
	return sizeof(struct sticky) + n * (sizeof(u64) + 2 * sizeof(u32)) +
	       /* rounded up, so that what is behind is aligned */
	       (((n + positions(cfg)) * sizeof(u16) + 7) & ~(size_t)7) +
	       (cfg->past ? 0 : pxs_rendezvous_scratch(cfg, n));
}

/* Position of the owner with @id, or PXS_NONE. */
static u16 find_id(const struct sticky *s, u64 id)
{
	u32 lo = 0, hi = s->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (s->owners[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->owners[lo].id == id ? (u16)lo : PXS_NONE;
}

static void set_positions(struct sticky *s)
{
	u32 i;

	s->npositions = positions(s->cfg);
	for (i = 0; i < s->npositions; i++)
		s->position[i] = s->cfg->past ? find_id(s, s->cfg->past->ids[i]) : PXS_NONE;
	for (i = 0; i < s->n && !s->cfg->past; i++)
		s->position[s->owners[i].index] = (u16)i;
}

static void set_order(struct sticky *s)
{
	u64 hash = STICKY_DOMAIN;
	u32 i;

	for (i = 0; i < s->n; i++)
		hash = pxs_siphash_3u64(&s->cfg->seed, hash, s->owners[i].id,
					s->owners[i].weight);
	s->start = (u32)hash;
	/* odd: all rows are visited */
	s->stride = (u32)(hash >> 32) | 1;
}

void pxs_sticky_start(void *scratch, const struct pxs_table_config *cfg,
		      struct pxs_table_owner *owners, u32 n)
{
	struct sticky *s = scratch;
	size_t narrow = ((n + positions(cfg)) * sizeof(u16) + 7) & ~(size_t)7;

	s->cfg = cfg;
	s->owners = owners;
	s->n = n;
	s->nrows = cfg->nrows;
	s->shift = (u32)__builtin_clz(cfg->nrows) + 1;
	s->share = (u64 *)(s + 1);
	s->quota = (u32 *)(s->share + n);
	s->held = s->quota + n;
	s->needy = (u16 *)(s->held + n);
	s->position = s->needy + n;
	s->rendezvous = (u8 *)s->needy + narrow;
	s->done = 0;
	s->second = false;
	set_positions(s);
	set_order(s);
	s->phase = cfg->past ? STICKY_COUNT : STICKY_BEGIN;
	memset(s->held, 0, n * sizeof(*s->held));
	if (!cfg->past)
		pxs_rendezvous_start(s->rendezvous, cfg, 0, owners, n);
}

/*
 * Of second choices an owner deserves, of the rows of every other one, its part by weight:
 * w * (sum of v / (all - v) over the others' weights v).
 */
static void set_shares(struct sticky *s)
{
	u64 all = 0, sum = 0, part;
	u32 i, drop = 0;

	for (i = 0; i < s->n; i++)
		all += s->owners[i].weight;
	for (i = 0; i < s->n && s->second; i++)
		sum += pxs_div64((u64)s->owners[i].weight << 24, all - s->owners[i].weight);
	s->total = 0;
	for (i = 0; i < s->n; i++) {
		s->share[i] = s->owners[i].weight;
		if (!s->second) {
			s->total += s->share[i];
			continue;
		}
		part = pxs_div64((u64)s->owners[i].weight << 24, all - s->owners[i].weight);
		s->share[i] *= sum - part;
		s->total += s->share[i];
	}
	/* times the rows it must fit into 64 bits */
	while (s->total >> drop >> 46)
		drop++;
	s->total = 0;
	for (i = 0; i < s->n; i++) {
		s->share[i] >>= drop;
		s->total += s->share[i];
	}
}

/* Is the exact share of owner @i above its quota so far? Only then it may have one more. */
static bool may_round_up(const struct sticky *s, u32 i)
{
	return s->share[i] * s->nrows > (u64)s->quota[i] * s->total;
}

/* Exact shares, rounded down, and what is left to those who would lose a row otherwise. */
static void set_quotas(struct sticky *s)
{
	u32 i, left = s->nrows;

	set_shares(s);
	for (i = 0; i < s->n; i++) {
		s->quota[i] = (u32)pxs_div64(s->share[i] * s->nrows, s->total);
		left -= s->quota[i];
	}
	for (i = 0; i < s->n && left; i++) {
		if (s->held[i] <= s->quota[i] || !may_round_up(s, i))
			continue;
		s->quota[i]++;
		left--;
	}
	for (i = 0; i < s->n && left; i++) {
		if (!may_round_up(s, i))
			continue;
		s->quota[i]++;
		left--;
	}
}

static u16 *cell(const struct sticky *s, struct pxs_table_row *row)
{
	return s->second ? &row->second : &row->first;
}

static u16 position_of(const struct sticky *s, u16 index)
{
	return index < s->npositions ? s->position[index] : PXS_NONE;
}

/* The row that the table before has for the hashes of @row. */
static const struct pxs_table_row *row_before(const struct sticky *s,
					      const struct pxs_table_row *rows, u32 row)
{
	const struct pxs_table_past *past = s->cfg->past;

	if (!past)
		return &rows[row];
	return &past->rows[((u64)(row << s->shift) * past->nrows) >> 32];
}

static void count_row(struct sticky *s, struct pxs_table_row *rows, u32 row)
{
	const struct pxs_table_row *before = row_before(s, rows, row);
	u16 at;

	if (!s->second) {
		/* both at once: they may be in the same place as before */
		rows[row] = (struct pxs_table_row){ .first = position_of(s, before->first),
						    .second = position_of(s, before->second) };
	}
	if (s->n == 1 || (s->second && rows[row].second == rows[row].first))
		rows[row].second = PXS_NONE;
	at = *cell(s, &rows[row]);
	if (at != PXS_NONE)
		s->held[at]++;
}

/* A few second choices too many do no harm: they may stay. */
static u32 limit(const struct sticky *s, u32 i)
{
	return s->second ? s->quota[i] + s->quota[i] / 8 + 1 : s->quota[i];
}

static void take_row(struct sticky *s, struct pxs_table_row *row)
{
	u16 *at = cell(s, row);

	if (*at == PXS_NONE || s->held[*at] <= limit(s, *at))
		return;
	s->held[*at]--;
	*at = PXS_NONE;
}

static void set_needy(struct sticky *s)
{
	u32 i;

	s->nneedy = 0;
	s->turn = 0;
	for (i = 0; i < s->n; i++)
		if (s->held[i] < s->quota[i])
			s->needy[s->nneedy++] = (u16)i;
}

/*
 * A second choice where nobody but the first is needy: another one, evenly, that will not be
 * found to have too many when the table is built again.
 */
static u16 any_other(const struct sticky *s, u16 first, u32 row)
{
	u64 hash = pxs_siphash_2u64(&s->cfg->seed, STICKY_DOMAIN, row);
	u32 at = (u32)(((hash >> 32) * s->n) >> 32), i;

	for (i = 0; i < s->n; i++) {
		if (at != first && s->held[at] < limit(s, at))
			return (u16)at;
		at = at + 1 < s->n ? at + 1 : 0;
	}
	return first ? 0 : 1;
}

/* Who of the needy gets a row, in turns; not @but. Return: a place in needy, or nneedy. */
static u32 next_needy(const struct sticky *s, u16 but)
{
	u32 i, at = s->turn;

	for (i = 0; i < 2 && i < s->nneedy; i++) {
		at = at < s->nneedy ? at : 0;
		if (s->needy[at] != but)
			return at;
		at++;
	}
	return s->nneedy;
}

static void give_row(struct sticky *s, struct pxs_table_row *row, u32 number)
{
	u16 *at = cell(s, row);
	u32 to;

	if (*at != PXS_NONE)
		return;
	to = next_needy(s, s->second ? row->first : PXS_NONE);
	if (to == s->nneedy) {
		*at = any_other(s, row->first, number);
		s->held[*at]++;
		return;
	}
	*at = s->needy[to];
	s->turn = to + 1;
	if (++s->held[*at] < s->quota[*at])
		return;
	s->needy[to] = s->needy[--s->nneedy];
	s->turn = to;
}

static void name_row(const struct sticky *s, struct pxs_table_row *row)
{
	row->first = s->owners[row->first].index;
	if (row->second != PXS_NONE)
		row->second = s->owners[row->second].index;
}

/* A walk is over. */
static void next_phase(struct sticky *s)
{
	s->done = 0;
	s->phase++;
	if (s->phase == STICKY_TAKE)
		set_quotas(s);
	if (s->phase == STICKY_GIVE)
		set_needy(s);
	if (s->phase != STICKY_NAME || s->second || s->n == 1)
		return;
	s->second = true;
	s->phase = STICKY_COUNT;
	memset(s->held, 0, s->n * sizeof(*s->held));
}

static void work_on(struct sticky *s, struct pxs_table_row *rows, u32 row)
{
	switch (s->phase) {
	case STICKY_COUNT:
		count_row(s, rows, row);
		break;
	case STICKY_TAKE:
		take_row(s, &rows[row]);
		break;
	case STICKY_GIVE:
		give_row(s, &rows[row], row);
		break;
	default:
		name_row(s, &rows[row]);
		break;
	}
}

bool pxs_sticky_step(void *scratch, struct pxs_table_row *rows, u32 budget)
{
	struct sticky *s = scratch;

	if (s->phase == STICKY_BEGIN) {
		if (!pxs_rendezvous_step(s->rendezvous, rows, budget))
			s->phase = STICKY_COUNT;
		return true;
	}
	while (s->phase != STICKY_DONE) {
		if (!budget--)
			return true;
		work_on(s, rows, (s->start + s->done * s->stride) & (s->nrows - 1));
		if (++s->done == s->nrows)
			next_phase(s);
	}
	return false;
}
