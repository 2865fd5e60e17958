// SPDX-License-Identifier: GPL-2.0
/*
 * fuzz_scan.c - a journal with any damage
 *
 * The input is a script for journal_maker.c. Whatever happened to the bytes: LSNs come
 * in order, without a gap; a record that is given out whole is the one that was written;
 * what was confirmed is there, or the scan refuses; and once the tail is cut, a second
 * scan says the same and finds nothing to cut. (Unless a header was forged: its sum may
 * cover what the cut clears, so that a batch verifies which did not before.)
 */
#include "journal_maker.h"

struct seen {
	const struct maker *m;
	u64 next;
};

static int take_record(void *ctx, const struct pxs_record *r, u64 pos)
{
	struct seen *s = ctx;
	u32 offset = pxs_pos_offset(pos);

	FUZZ_CHECK(pxs_pos_segment(pos) >= 1 && pxs_pos_segment(pos) <= s->m->count);
	FUZZ_CHECK(offset + pxs_record_size(r->len) <= MAKER_SEGMENT);
	FUZZ_CHECK(r->lsn == s->next);
	s->next++;
	maker_check(s->m, r);
	return 0;
}

static int scan(struct maker *m, struct pxs_scan *s, u64 confirmed)
{
	struct pxs_scan_source src = maker_source(m);
	struct seen seen = { .m = m, .next = 1 };
	struct pxs_scan_sink sink = { .ctx = &seen, .record = take_record };
	int err;

	memset(s, 0, sizeof(*s));
	s->incarnation = MAKER_INC;
	s->segment_size = MAKER_SEGMENT;
	s->confirmed = confirmed;
	err = pxs_scan(s, &src, &sink);
	FUZZ_CHECK(err <= 0);
	FUZZ_CHECK(err || s->next_lsn == seen.next);
	FUZZ_CHECK(!err || s->error[0]);
	return err;
}

static void cut(struct maker *m, const struct pxs_scan *s)
{
	u32 offset = pxs_pos_offset(s->cut_from);

	if (s->cut_from) {
		FUZZ_CHECK(pxs_pos_segment(s->cut_from) == s->segment && offset < MAKER_SEGMENT);
		memset(m->segment[s->segment - 1] + offset, 0, MAKER_SEGMENT - offset);
	}
	if (s->cut_spare)
		memset(m->segment[s->spare - 1], 0, MAKER_SEGMENT);
}

static bool same(const struct pxs_scan *first, const struct pxs_scan *second)
{
	return !second->cut_from && !second->cut_spare &&
	       second->next_lsn == first->next_lsn && second->next_seq == first->next_seq &&
	       second->prev == first->prev && second->segment == first->segment &&
	       second->offset == first->offset && second->salt == first->salt &&
	       second->faulty == first->faulty && second->spare == first->spare;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, min(size, (size_t)4096) };
	struct pxs_scan first, second;
	struct maker m;
	u64 confirmed;
	int err;
	bool tell = take8(&in) & 1;

	maker_run(&m, &in);
	confirmed = tell ? m.confirmed : 0;
	if (!scan(&m, &first, confirmed)) {
		FUZZ_CHECK(first.next_lsn > confirmed);
		FUZZ_CHECK(m.forged || first.next_lsn <= m.nrecords + 1);
		cut(&m, &first);
		err = scan(&m, &second, confirmed);
		FUZZ_CHECK(m.forged || (!err && same(&first, &second)));
	}
	maker_free(&m);
	return 0;
}
