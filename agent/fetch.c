// SPDX-License-Identifier: GPL-2.0
/*
 * fetch.c - values of consecutive slots
 *
 * Slots whose value is in memory are taken at once. At the first that is not, a piece
 * of its segment is read; records of the slots that follow mostly stand in the same piece.
 */
#include "fetch.h"

#include <unistd.h>

#include "report.h"

static bool take_value(struct pxs_fetch *f, const struct pxs_slot_at *at)
{
	struct pxs_fetched v = {
		.slot = f->slot,
		.ballot = at->ballot,
		.len = at->value->len,
		.noop = at->value->noop || at->value->config,
		.config = at->value->config,
		.data = at->value->data,
	};

	return f->take(f->ctx, &v);
}

static bool take_faulty(struct pxs_fetch *f, const struct pxs_slot_at *at)
{
	struct pxs_fetched v = {
		.slot = f->slot,
		.ballot = at ? at->ballot : 0,
		.faulty = true,
	};

	return f->take(f->ctx, &v);
}

static void finish(struct pxs_fetch *f, int err)
{
	f->busy = false;
	f->done(f->ctx, err);
}

static int start_read(struct pxs_fetch *f, u64 pos)
{
	u64 segment = pxs_pos_segment(pos);
	struct io_uring_sqe *sqe;

	if (f->fd < 0 || f->segment != segment) {
		if (f->fd >= 0)
			close(f->fd);
		f->fd = pxs_journal_open_segment(f->journal, segment);
		if (f->fd < 0)
			return f->fd;
		f->segment = segment;
	}
	if (!f->buf)
		f->buf = malloc(PXS_FETCH_BYTES);
	if (!f->buf)
		return -ENOMEM;
	f->pos = pos;
	sqe = pxs_loop_sqe(f->journal->loop);
	io_uring_prep_read(sqe, f->fd, f->buf, PXS_FETCH_BYTES, pxs_pos_offset(pos));
	pxs_loop_own(sqe, &f->op);
	return 0;
}

/* What memory has; stops at the first slot that must be read. */
static void step(struct pxs_fetch *f)
{
	struct pxs_slot_at *at;
	int err;

	for (; f->slot <= f->last; f->slot++) {
		if (f->slot <= f->slots->trim) {
			finish(f, -ENODATA);
			return;
		}
		at = pxs_slots_at(f->slots, f->slot);
		if (!at || at->pos & PXS_SLOTS_FAULTY) {
			if (!take_faulty(f, at))
				break;
			continue;
		}
		if (!at->value) {
			err = start_read(f, at->pos);
			if (err)
				finish(f, err);
			return;
		}
		if (!take_value(f, at))
			break;
	}
	finish(f, 0);
}

/*
 * The records of f->slot and of those after it, as far as they are in the piece.
 */
static void take_piece(struct pxs_fetch *f, u32 size)
{
	struct pxs_slot_at *at;
	struct pxs_fetched v;
	struct pxs_record r;
	u64 first = f->slot;
	u64 offset;
	int fault;

	for (; f->slot <= f->last; f->slot++) {
		at = pxs_slots_at(f->slots, f->slot);
		if (!at || at->value || at->pos < f->pos ||
		    (at->pos > f->pos && at->pos - f->pos >= size))
			break;
		offset = at->pos - f->pos;
		fault = pxs_record_get(f->buf + offset, size - offset, &r);
		if (fault == PXS_RECORD_SHORT && f->slot > first)
			break;
		if (fault || r.lsn != at->lsn || r.slot != f->slot) {
			pxs_err("journal: segment %llu offset %u: the record of slot %llu is damaged",
				(unsigned long long)f->segment, pxs_pos_offset(at->pos),
				(unsigned long long)f->slot);
			at->pos |= PXS_SLOTS_FAULTY;
			return;
		}
		v = (struct pxs_fetched){
			.slot = r.slot, .ballot = r.ballot, .len = r.len, .data = r.data,
			.noop = r.flags & (PXS_ENTRY_NOOP | PXS_ENTRY_CONFIG),
			.config = r.flags & PXS_ENTRY_CONFIG,
		};
		if (!f->take(f->ctx, &v)) {
			f->last = f->slot - 1;
			return;
		}
	}
}

static void read_done(struct pxs_op *op, int res)
{
	struct pxs_fetch *f = (struct pxs_fetch *)((char *)op - offsetof(struct pxs_fetch, op));

	if (res < 0) {
		finish(f, res);
		return;
	}
	take_piece(f, (u32)res);
	step(f);
}

void pxs_fetch_init(struct pxs_fetch *f, struct pxs_journal *journal, struct pxs_slots *slots)
{
	memset(f, 0, sizeof(*f));
	f->journal = journal;
	f->slots = slots;
	f->fd = -1;
	f->op.done = read_done;
}

void pxs_fetch_run(struct pxs_fetch *f, u64 first, u64 last)
{
	pxs_assert(!f->busy);
	f->busy = true;
	f->slot = first;
	f->last = last;
	step(f);
}

void pxs_fetch_exit(struct pxs_fetch *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->buf);
	f->buf = NULL;
	f->fd = -1;
}
