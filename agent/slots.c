// SPDX-License-Identifier: GPL-2.0
/*
 * slots.c - what this member's journal holds of each slot of one group
 *
 * An array in chunks, by slot. Belongs to the loop.
 */
#include "slots.h"

struct pxs_slot_at *pxs_slots_at(const struct pxs_slots *s, u64 slot)
{
	struct pxs_slot_at *at;
	u64 i = (slot - 1) / PXS_SLOTS_CHUNK;

	if (!slot || i >= s->chunks || !s->chunk[i])
		return NULL;
	at = &s->chunk[i][(slot - 1) % PXS_SLOTS_CHUNK];
	return at->lsn ? at : NULL;
}

static struct pxs_slot_at *make(struct pxs_slots *s, u64 slot)
{
	u64 i = (slot - 1) / PXS_SLOTS_CHUNK;
	struct pxs_slot_at **chunk;
	u64 n;

	if (i >= s->chunks) {
		n = max(i + 1, s->chunks * 2);
		chunk = realloc(s->chunk, n * sizeof(*chunk));
		if (!chunk)
			return NULL;
		memset(chunk + s->chunks, 0, (n - s->chunks) * sizeof(*chunk));
		s->chunk = chunk;
		s->chunks = n;
	}
	if (!s->chunk[i])
		s->chunk[i] = calloc(PXS_SLOTS_CHUNK, sizeof(**s->chunk));
	return s->chunk[i] ? &s->chunk[i][(slot - 1) % PXS_SLOTS_CHUNK] : NULL;
}

static void drop_value(struct pxs_slots *s, struct pxs_slot_at *at)
{
	if (at->value)
		s->bytes -= at->value->len;
	pxs_value_put(at->value);
	at->value = NULL;
}

/* What stands at @pos is all that the disk has of a slot until the record with @lsn is on it. */
static void replaced(struct pxs_slots *s, u64 pos, u64 lsn)
{
	if (!pos)
		return;
	s->over_pos = s->over_pos ? min(s->over_pos, pos) : pos;
	s->over_lsn = max(s->over_lsn, lsn);
}

int pxs_slots_record(struct pxs_slots *s, const struct pxs_record *r, u64 pos, bool keep)
{
	struct pxs_slot_at *at;
	struct pxs_value *v = NULL;

	if (r->slot <= s->trim)
		return 0;
	at = make(s, r->slot);
	if (!at)
		return -ENOMEM;
	if (at->lsn >= r->lsn)
		return 0;
	if (keep) {
		v = pxs_value_of(r->data, r->len, r->flags);
		if (!v)
			return -ENOMEM;
		s->bytes += r->len;
	}
	drop_value(s, at);
	if (!pos)
		replaced(s, at->pos & ~PXS_SLOTS_FAULTY, r->lsn);
	at->lsn = r->lsn;
	at->pos = pos | (r->flags & PXS_ENTRY_FAULTY ? PXS_SLOTS_FAULTY : 0);
	at->ballot = r->ballot;
	at->value = v;
	if (r->slot > s->last)
		s->last = r->slot;
	if (v && r->slot <= s->cold)
		s->cold = r->slot - 1;
	return 0;
}

void pxs_slots_durable(struct pxs_slots *s, u64 lsn)
{
	if (s->over_lsn <= lsn)
		s->over_pos = 0;
}

void pxs_slots_place(struct pxs_slots *s, u64 slot, u64 lsn, u64 pos)
{
	struct pxs_slot_at *at = pxs_slots_at(s, slot);

	if (at && at->lsn == lsn)
		at->pos = pos;
	else if (at && at->lsn > lsn)
		replaced(s, pos, at->lsn);
}

void pxs_slots_cool(struct pxs_slots *s, u64 slot, u64 durable, u64 bytes)
{
	struct pxs_slot_at *at;

	while (s->bytes > bytes && s->cold < slot) {
		at = pxs_slots_at(s, s->cold + 1);
		if (at && (!at->pos || at->lsn > durable))
			return;
		if (at)
			drop_value(s, at);
		s->cold++;
	}
}

static void forget(struct pxs_slots *s, struct pxs_slot_at *at)
{
	drop_value(s, at);
	memset(at, 0, sizeof(*at));
}

void pxs_slots_trim(struct pxs_slots *s, u64 slot)
{
	u64 i, to;

	for (; s->trim < slot; s->trim = to) {
		i = s->trim / PXS_SLOTS_CHUNK;
		to = min(slot, (i + 1) * PXS_SLOTS_CHUNK);
		if (i >= s->chunks) {
			to = slot;
			continue;
		}
		if (!s->chunk[i])
			continue;
		while (s->trim < to)
			forget(s, &s->chunk[i][s->trim++ % PXS_SLOTS_CHUNK]);
		if (to % PXS_SLOTS_CHUNK)
			continue;
		free(s->chunk[i]);
		s->chunk[i] = NULL;
	}
	s->cold = max(s->cold, s->trim);
	s->last = max(s->last, s->trim);
}

u64 pxs_slots_first_pos(const struct pxs_slots *s, u64 slot, u64 durable)
{
	u64 pos, first = s->over_lsn > durable ? s->over_pos : 0;
	const struct pxs_slot_at *at;

	for (slot++; slot <= s->last; slot++) {
		at = pxs_slots_at(s, slot);
		pos = at ? at->pos & ~PXS_SLOTS_FAULTY : 0;
		if (pos && (!first || pos < first))
			first = pos;
	}
	return first;
}

void pxs_slots_exit(struct pxs_slots *s)
{
	u64 i, j;

	for (i = 0; i < s->chunks; i++) {
		for (j = 0; s->chunk[i] && j < PXS_SLOTS_CHUNK; j++)
			pxs_value_put(s->chunk[i][j].value);
		free(s->chunk[i]);
	}
	free(s->chunk);
	memset(s, 0, sizeof(*s));
}
