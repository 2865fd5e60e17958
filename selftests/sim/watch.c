// SPDX-License-Identifier: GPL-2.0
/*
 * watch.c - the observer's eye on a disk: which records are really there
 *
 * Follows the batches on the platter, after each flush, and tells the judge of each record.
 * Also where the last whole batch stands: damage before it can be told from a torn tail, and
 * must be (S5); damage to it cannot.
 */
#include <stdio.h>

#include "batch.h"
#include "sim.h"

static const struct sim_file *segment_file(struct sim_node *n, u64 number)
{
	char name[PXS_SEGMENT_NAME_LEN];

	pxs_segment_name(number, name);
	return sim_disk_find(&n->disk, name);
}

/* The next segment has begun, just behind what was seen. */
static bool roll(struct sim *s, struct sim_node *n)
{
	const struct sim_file *f = segment_file(n, n->watch.segment + 1);
	struct pxs_segment_info info;
	u32 version;

	if (!f || f->stable_size < s->p.segment || !pxs_segment_parse(f->platter, &info, &version))
		return false;
	if (info.first_lsn != n->watch.lsn || info.first_seq != n->watch.seq)
		return false;
	n->watch.segment++;
	n->watch.salt = info.salt;
	n->watch.offset = PXS_JOURNAL_BLOCK;
	n->watch.last = 0;
	return true;
}

static void tell(struct sim *s, struct sim_node *n, const u8 *p, const struct pxs_batch_info *b)
{
	struct pxs_record r;
	u32 at, i;

	for (at = 0, i = 0; i < b->count && at < b->bytes; i++, at += pxs_record_size(r.len)) {
		if (pxs_record_get(p + at, b->bytes - at, &r) != PXS_RECORD_OK) {
			sim_fail(s, "node %u: flushed a broken record", sim_index(s, n));
			return;
		}
		if (r.lsn != n->watch.lsn++)
			sim_fail(s, "node %u: flushed records out of order", sim_index(s, n));
		sim_check_durable(s, n, &r);
	}
}

static bool take_batch(struct sim *s, struct sim_node *n, const struct sim_file *f)
{
	struct sim_watch *w = &n->watch;
	struct pxs_batch_info b;

	if (!f || w->offset >= f->stable_size ||
	    !pxs_batch_parse(f->platter + w->offset, f->stable_size - w->offset, w->salt, &b) ||
	    b.seq != w->seq || b.first_lsn != w->lsn)
		return false;
	tell(s, n, f->platter + w->offset + PXS_BATCH_HDR_LEN, &b);
	w->last = w->offset;
	w->offset += pxs_batch_size(b.bytes);
	w->seq++;
	return true;
}

void sim_watch(struct sim *s, struct sim_node *n)
{
	struct sim_watch *w = &n->watch;

	if (!w->lsn) {
		w->lsn = 1;
		w->seq = 1;
	}
	while (!s->failed && (take_batch(s, n, w->segment ? segment_file(n, w->segment) : NULL) ||
			      roll(s, n)))
		;
}
