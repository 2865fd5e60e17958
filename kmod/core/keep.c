// SPDX-License-Identifier: GPL-2.0
/*
 * keep.c - which connections are elsewhere than the table says, and stay there
 *
 * A note is a word: 30 bits of the flow's hash, the backend's index, when it was last seen and
 * what it is. The set follows from other bits of the hash. That two connections of one set have
 * the same 30 bits happens once in 2^27 times; their hash is keyed, so nobody can aim at it.
 * Times are seconds in 16 bits: what nobody touched for 18 hours seems young again for two more.
 * That costs room and nothing else, for a note that is over goes when its connection, or another
 * one of its addresses and ports, is looked for.
 */
#include "keep.h"
#include "load.h"

enum note_state {
	NOTE_NONE = 0,	/* the word is 0 */
	NOTE_SYN = 1,
	NOTE_DATA = 2,
	NOTE_ENDED = 3,
};

#define TAG_SHIFT	34

static u64 note_make(u64 flow, u16 backend, u32 now, u64 state)
{
	return flow >> TAG_SHIFT << TAG_SHIFT | (u64)backend << 18 | (u64)(u16)now << 2 | state;
}

static u64 note_state(u64 note)
{
	return note & 3;
}

static u16 note_backend(u64 note)
{
	return (u16)(note >> 18);
}

static u16 note_age(u64 note, u32 now)
{
	return (u16)(now - (u32)(note >> 2));
}

static bool note_over(u64 note, u32 now)
{
	static const u16 life[] = {
		[NOTE_SYN] = PXS_KEEP_SYN,
		[NOTE_DATA] = PXS_KEEP_QUIET,
		[NOTE_ENDED] = PXS_KEEP_ENDED,
	};

	return note_age(note, now) >= life[note_state(note)];
}

static struct pxs_word *set_of(struct pxs_keep *k, u64 flow)
{
	return k->slot[flow % PXS_KEEP_SETS];
}

/* Return: the flow's note and, in *at, where it is; or 0. */
static u64 find(struct pxs_word *set, const struct pxs_keep_ask *ask, struct pxs_word **at)
{
	u64 note;
	u32 i;

	for (i = 0; i < PXS_KEEP_WAYS; i++) {
		note = pxs_word_get(&set[i]);
		if (!note_state(note) || (note ^ ask->flow) >> TAG_SHIFT)
			continue;
		if (!note_over(note, ask->now)) {
			*at = &set[i];
			return note;
		}
		if (!ask->peek)
			pxs_word_swap(&set[i], note, 0);
	}
	return 0;
}

/* The smaller, the sooner it gives way to another note; 0: it may not. */
static u32 worth(u64 note, u32 now)
{
	u16 age = note_age(note, now);

	switch (note_over(note, now) ? NOTE_NONE : note_state(note)) {
	case NOTE_NONE:
		return 0;
	case NOTE_ENDED:
		return 0x20000 - age;
	case NOTE_SYN:
		return 0x40000 - age;
	}
	return 0x60000 - age;
}

static bool may_displace(u64 note, u32 now, u64 state)
{
	if (note_over(note, now) || note_state(note) != NOTE_DATA)
		return true;
	return state == NOTE_DATA && note_age(note, now) >= PXS_KEEP_FRESH;
}

/* Return: false for lack of room. */
static bool insert(struct pxs_word *set, u64 flow, u16 backend, u32 now, u64 state)
{
	struct pxs_word *least = &set[0];
	u64 note, least_note = pxs_word_get(least);
	u32 i;

	for (i = 1; i < PXS_KEEP_WAYS; i++) {
		note = pxs_word_get(&set[i]);
		if (worth(note, now) >= worth(least_note, now))
			continue;
		least = &set[i];
		least_note = note;
	}
	return may_displace(least_note, now, state) &&
	       pxs_word_swap(least, least_note, note_make(flow, backend, now, state));
}

/* Another CPU that was faster has seen a packet of the same connection: as good. */
static void touch(struct pxs_word *at, u64 note, const struct pxs_keep_ask *ask)
{
	u64 state = ask->end || note_state(note) == NOTE_ENDED ? NOTE_ENDED : NOTE_DATA;
	u64 is = note_make(note, note_backend(note), ask->now, state);

	if (is != note && !ask->peek)
		pxs_word_swap(at, note, is);
}

static struct pxs_keep_pick pick_by_table(const struct pxs_keep_ask *ask, bool may_spill)
{
	struct pxs_keep_pick r = { .backend = PXS_NONE, .choice = PXS_CHOICE_NONE };
	struct pxs_pick pick;

	if (!ask->table)
		return r;
	if (may_spill)
		pick = pxs_load_pick(ask->table, ask->live, ask->full, ask->hash);
	else
		pick = pxs_table_pick(ask->table, ask->live, ask->hash);
	r.backend = pick.backend;
	r.choice = pick.choice;
	r.spilled = pick.spilled;
	return r;
}

/*
 * Is the SYN of somebody who pretends, or does not know that the connection was closed? Its
 * backend tells by a challenge (RFC 5961); the RST that follows ends the note.
 */
static bool is_in_use(u64 note, const struct pxs_keep_ask *ask)
{
	return note_state(note) == NOTE_DATA && note_age(note, ask->now) < PXS_KEEP_FRESH &&
	       note_backend(note) < ask->nbackends &&
	       pxs_live(ask->live, note_backend(note));
}

/*
 * A SYN that can't be noted: its next segment goes home, and only there can it be opened; rather
 * too many for who is full or drains than none.
 */
static struct pxs_keep_pick pick_unnoted(const struct pxs_keep_ask *ask)
{
	struct pxs_keep_pick r = pick_by_table(ask, false);

	if (ask->home == r.backend)
		return r;
	r.no_room = true;
	if (ask->home == PXS_NONE)
		return r;
	r.backend = ask->home;
	r.choice = PXS_CHOICE_FIRST;
	r.kept = true;
	return r;
}

/* What else had the same addresses and ports before is over. */
static struct pxs_keep_pick pick_syn(struct pxs_word *set, const struct pxs_keep_ask *ask)
{
	struct pxs_keep_pick r = pick_by_table(ask, true);
	struct pxs_word *at;
	u64 note, is;

	note = find(set, ask, &at);
	if (note && is_in_use(note, ask)) {
		r.kept = note_backend(note) != r.backend;
		r.backend = note_backend(note);
		r.choice = PXS_CHOICE_FIRST;
		r.spilled = false;
		return r;
	}
	if (r.backend == PXS_NONE)
		return r;
	is = r.backend == ask->home ? 0 : note_make(ask->flow, r.backend, ask->now, NOTE_SYN);
	if (note)
		pxs_word_swap(at, note, is);
	else if (is)
		r.no_room = !insert(set, ask->flow, r.backend, ask->now, NOTE_SYN);
	return r.no_room ? pick_unnoted(ask) : r;
}

struct pxs_keep_pick pxs_keep_pick(struct pxs_keep *k, const struct pxs_keep_ask *ask)
{
	struct pxs_keep_pick r = { .choice = PXS_CHOICE_FIRST };
	struct pxs_word *set = set_of(k, ask->flow), *at;
	u16 first = PXS_NONE;
	u64 note;

	if (ask->syn)
		return pick_syn(set, ask);
	if (ask->table)
		first = ask->table->rows[pxs_table_row_of(ask->table, ask->hash)].first;
	note = find(set, ask, &at);
	if (note) {
		touch(at, note, ask);
		r.backend = note_backend(note);
		r.kept = r.backend != first;
		return r;
	}
	if (ask->home == PXS_NONE)
		return pick_by_table(ask, false);
	r.backend = ask->home;
	r.kept = ask->home != first;
	if (r.kept && !ask->end && !ask->peek)
		r.no_room = !insert(set, ask->flow, ask->home, ask->now, NOTE_DATA);
	return r;
}

void pxs_keep_forget(struct pxs_keep *k, u16 backend)
{
	struct pxs_word *at = &k->slot[0][0];
	u64 note;
	u32 i;

	for (i = 0; i < PXS_KEEP_SETS * PXS_KEEP_WAYS; i++) {
		note = pxs_word_get(&at[i]);
		if (note_state(note) && note_backend(note) == backend)
			pxs_word_swap(&at[i], note, 0);
	}
}

u32 pxs_keep_count(const struct pxs_keep *k, u32 now)
{
	const struct pxs_word *at = &k->slot[0][0];
	u32 n = 0, i;
	u64 note;

	for (i = 0; i < PXS_KEEP_SETS * PXS_KEEP_WAYS; i++) {
		note = pxs_word_get(&at[i]);
		n += note_state(note) && !note_over(note, now);
	}
	return n;
}
