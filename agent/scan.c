// SPDX-License-Identifier: GPL-2.0
/*
 * scan.c - reading a journal back
 *
 * Pure, one pass, one segment in memory at a time. "Expected" below is what the
 * good batches so far demand of the next one: s->next_seq, s->next_lsn, s->prev.
 * An anchor is the next thing that verifies behind a bad place: a batch of the same
 * segment, or the header of the next one. It tells which LSNs the bad place must hold.
 */
#include "scan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "batch.h"

struct walk {
	struct pxs_scan *s;
	const struct pxs_scan_source *src;
	const struct pxs_scan_sink *sink;
	u8 *buf;		/* the segment at hand */
	u32 size;
	u64 number;
	struct pxs_segment_info next;	/* header of the segment behind it */
	bool has_next;
	u64 max_durable;
};

struct anchor {
	u32 offset;		/* of the batch; size: the end of the segment */
	u64 seq;
	u64 first_lsn;
	u32 prev;
};

__attribute__((format(printf, 3, 4)))
static int refuse(struct pxs_scan *s, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->error, sizeof(s->error), fmt, ap);
	va_end(ap);
	return err;
}

static bool all_zero(const u8 *p, size_t len)
{
	return !len || (!p[0] && !memcmp(p, p + 1, len - 1));
}

static int emit(struct walk *w, struct pxs_record *r, u32 offset, int fault)
{
	if (fault == PXS_RECORD_BAD_VALUE) {
		r->flags |= PXS_ENTRY_FAULTY;
		w->s->faulty++;
	}
	w->s->next_lsn = r->lsn + 1;
	return w->sink->record(w->sink->ctx, r, pxs_pos(w->number, offset));
}

/* The records of a batch that verified. */
static int take_batch(struct walk *w, u32 offset, const struct pxs_batch_info *b)
{
	u32 pos = offset + PXS_BATCH_HDR_LEN;
	u32 end = pos + b->bytes;
	struct pxs_record r;
	u32 i;
	int err;

	for (i = 0; i < b->count; i++) {
		if (pxs_record_get(w->buf + pos, end - pos, &r) != PXS_RECORD_OK ||
		    r.lsn != w->s->next_lsn)
			return refuse(w->s, -EBADMSG,
				      "segment %016" PRIx64 " offset %u: the batch is intact but record %u of it, LSN %" PRIu64 ", is not: written by a faulty program",
				      w->number, pos, i, w->s->next_lsn);
		err = emit(w, &r, pos, PXS_RECORD_OK);
		if (err)
			return err;
		pos += pxs_record_size(r.len);
	}
	if (pos != end)
		return refuse(w->s, -EBADMSG,
			      "segment %016" PRIx64 " offset %u: batch holds more bytes than records",
			      w->number, offset);
	w->s->batches++;
	w->s->next_seq = b->seq + 1;
	w->s->prev = b->crc;
	if (b->durable > w->max_durable)
		w->max_durable = b->durable;
	return 0;
}

/* What verifies next behind @offset? */
static bool find_anchor(struct walk *w, u32 offset, u64 salt, struct anchor *a)
{
	struct pxs_batch_info b;
	u32 at;

	for (at = offset; at < w->size; at += PXS_JOURNAL_BLOCK) {
		if (!pxs_batch_parse(w->buf + at, w->size - at, salt, &b) ||
		    b.seq < w->s->next_seq || b.first_lsn < w->s->next_lsn)
			continue;
		a->offset = at;
		a->seq = b.seq;
		a->first_lsn = b.first_lsn;
		a->prev = b.prev;
		return true;
	}
	if (!w->has_next)
		return false;
	a->offset = w->size;
	a->seq = w->next.first_seq;
	a->first_lsn = w->next.first_lsn;
	a->prev = w->next.prev;
	return true;
}

/*
 * Damage in the middle: tell its records one by one. Each must carry the LSN that is
 * due; after a record whose header is bad, the next block may begin another batch.
 */
static int salvage(struct walk *w, u32 offset, const struct anchor *a)
{
	u64 first = w->s->next_lsn;
	u32 pos = offset + PXS_BATCH_HDR_LEN;
	struct pxs_record r;
	u32 block = offset;
	int fault, err;

	while (w->s->next_lsn < a->first_lsn && pos < a->offset) {
		fault = pxs_record_get(w->buf + pos, a->offset - pos, &r);
		if ((fault == PXS_RECORD_OK || fault == PXS_RECORD_BAD_VALUE) &&
		    r.lsn == w->s->next_lsn) {
			err = emit(w, &r, pos, fault);
			if (err)
				return err;
			pos += pxs_record_size(r.len);
			block = (pos - 1) & ~(PXS_JOURNAL_BLOCK - 1u);
			continue;
		}
		block += PXS_JOURNAL_BLOCK;
		pos = block + PXS_BATCH_HDR_LEN;
	}
	if (w->s->next_lsn != a->first_lsn)
		return refuse(w->s, -EBADMSG,
			      "segment %016" PRIx64 " offset %u: damage in the middle of the journal; LSN %" PRIu64 " to %" PRIu64 " cannot be told (damage begins at LSN %" PRIu64 ", LSN %" PRIu64 " follows intact)",
			      w->number, offset, w->s->next_lsn, a->first_lsn - 1, first,
			      a->first_lsn);
	w->s->damaged++;
	w->s->next_seq = a->seq;
	w->s->prev = a->prev;
	return 0;
}

/* Nothing valid follows @offset: the end, clean or torn. */
static void take_tail(struct walk *w, u32 offset)
{
	struct pxs_scan *s = w->s;

	s->offset = offset;
	if (!all_zero(w->buf + offset, w->size - offset))
		s->cut_from = pxs_pos(w->number, offset);
}

/*
 * Does the anchor follow what stands before it, with nothing but marks between? A mark holds no
 * record and says that all before it was confirmed: so it is known in all its parts, and its
 * checksum, which what stands behind it names, without a look at it.
 */
static bool follows(const struct walk *w, u32 offset, u64 salt, const struct anchor *a)
{
	u8 block[PXS_JOURNAL_BLOCK];
	struct pxs_batch_info mark = {
		.salt = salt, .seq = w->s->next_seq, .first_lsn = w->s->next_lsn,
		.durable = w->s->next_lsn - 1, .prev = w->s->prev,
	};

	/* Below next_seq it is no number of marks that has room there. */
	if (a->seq - mark.seq > (a->offset - offset) / PXS_JOURNAL_BLOCK)
		return false;
	for (; mark.seq < a->seq; mark.seq++) {
		pxs_batch_build(block, &mark);
		mark.prev = mark.crc;
	}
	return mark.prev == a->prev;
}

/*
 * No record is missing before the anchor, and yet it does not follow: the batch before is
 * a stale one, of the same place and life, that was overwritten later.
 */
static int check_chain(struct walk *w, u32 offset, u64 salt, const struct anchor *a)
{
	struct pxs_scan *s = w->s;

	if (a->first_lsn != s->next_lsn || follows(w, offset, salt, a))
		return 0;
	return refuse(s, -EBADMSG,
		      "segment %016" PRIx64 " offset %u: batch %" PRIu64 " (LSN %" PRIu64 ") does not follow what stands before it: a write was lost or misplaced",
		      w->number, offset, a->seq, a->first_lsn);
}

static int walk_batches(struct walk *w, u64 salt)
{
	struct pxs_scan *s = w->s;
	u32 offset = PXS_JOURNAL_BLOCK;
	struct pxs_batch_info b;
	struct anchor a;
	int err;

	while (offset < w->size) {
		if (pxs_batch_parse(w->buf + offset, w->size - offset, salt, &b) &&
		    b.seq == s->next_seq && b.first_lsn == s->next_lsn && b.prev == s->prev) {
			err = take_batch(w, offset, &b);
			if (err)
				return err;
			offset += pxs_batch_size(b.bytes);
			continue;
		}
		if (!find_anchor(w, offset, salt, &a)) {
			take_tail(w, offset);
			return 0;
		}
		if (a.offset == w->size && a.seq == s->next_seq && a.first_lsn == s->next_lsn &&
		    a.prev == s->prev)
			return 0;	/* the rest was too small for what came next */
		err = check_chain(w, offset, salt, &a);
		if (!err)
			err = salvage(w, offset, &a);
		if (err)
			return err;
		offset = a.offset;
	}
	if (!w->has_next)
		take_tail(w, w->size);
	return 0;
}

/* Is this segment @number of this journal? */
static int check_owner(struct pxs_scan *s, u64 number, const struct pxs_segment_info *h,
		       u32 version)
{
	if (version != PXS_JOURNAL_VERSION)
		return refuse(s, -EKEYREJECTED,
			      "segment %016" PRIx64 ": version %u, this program reads version %u",
			      number, version, PXS_JOURNAL_VERSION);
	if (h->incarnation != s->incarnation)
		return refuse(s, -EKEYREJECTED,
			      "segment %016" PRIx64 ": of incarnation 0x%016" PRIx64 ", the identity file says 0x%016" PRIx64,
			      number, h->incarnation, s->incarnation);
	if (h->segment != number || h->size != s->segment_size)
		return refuse(s, -EBADMSG,
			      "segment %016" PRIx64 ": its header is that of segment %016" PRIx64 " with %u bytes",
			      number, h->segment, h->size);
	return 0;
}

/* Does it go on where the one before ended? */
static int check_follows(const struct walk *w, const struct pxs_segment_info *h)
{
	struct pxs_scan *s = w->s;

	if (h->first_seq != s->next_seq || h->first_lsn != s->next_lsn || h->prev != s->prev)
		return refuse(s, -EBADMSG,
			      "segment %016" PRIx64 ": begins with LSN %" PRIu64 " (batch %" PRIu64 "), LSN %" PRIu64 " (batch %" PRIu64 ") was due",
			      w->number, h->first_lsn, h->first_seq, s->next_lsn, s->next_seq);
	return 0;
}

/* Does anything behind the header look like a batch, of whatever life? */
static bool any_batch(const struct walk *w)
{
	__le32 magic = cpu_to_le32(PXS_JOURNAL_BATCH_MAGIC);
	u32 at;

	for (at = PXS_JOURNAL_BLOCK; at < w->size; at += PXS_JOURNAL_BLOCK)
		if (!memcmp(w->buf + at, &magic, sizeof(magic)))
			return true;
	return false;
}

/*
 * A segment whose header does not hold: prepared and not begun, or damaged. A header is
 * durable before the first batch is written, so with no batch there was none.
 */
static int take_unbegun(struct walk *w, u32 i)
{
	struct pxs_scan *s = w->s;

	/* The floor names only what was begun. */
	if (i + 1 < w->src->count || any_batch(w) ||
	    (s->floor.segment > 1 && w->number == s->floor.segment))
		return refuse(s, -EBADMSG,
			      "segment %016" PRIx64 " offset 0: its header is damaged; the records from LSN %" PRIu64 " on cannot be told",
			      w->number, s->next_lsn);
	s->spare = w->number;
	s->cut_spare = !all_zero(w->buf, w->size);
	return 0;
}

/* Segments are numbered from the floor on, without a gap. */
static int check_number(struct pxs_scan *s, u32 i, u64 number)
{
	u64 due = max(s->floor.segment, (u64)1) + i;

	if (number == due)
		return 0;
	return refuse(s, -EBADMSG, "segment %016" PRIx64 " is missing; the next one is %016" PRIx64,
		      due, number);
}

/* The header behind is an anchor only if it is this journal's, and in its place. */
static int peek_next(struct walk *w, u32 i)
{
	u8 block[PXS_JOURNAL_BLOCK];
	u32 version;
	u64 number;
	int err;

	w->has_next = false;
	if (i + 1 >= w->src->count)
		return 0;
	number = w->src->number(w->src->ctx, i + 1);
	err = check_number(w->s, i + 1, number);
	if (err)
		return err;
	err = w->src->read(w->src->ctx, i + 1, 0, block, sizeof(block));
	if (err)
		return refuse(w->s, err, "segment %016" PRIx64 ": %s", number, strerror(-err));
	w->has_next = pxs_segment_parse(block, &w->next, &version);
	return w->has_next ? check_owner(w->s, number, &w->next, version) : 0;
}

static int walk_segment(struct walk *w, u32 i)
{
	struct pxs_scan *s = w->s;
	struct pxs_segment_info h;
	u32 version;
	int err;

	w->number = w->src->number(w->src->ctx, i);
	if (w->src->size(w->src->ctx, i) != s->segment_size)
		return refuse(s, -EBADMSG, "segment %016" PRIx64 ": has %" PRIu64 " bytes instead of %u",
			      w->number, w->src->size(w->src->ctx, i), s->segment_size);
	err = check_number(s, i, w->number);
	if (err)
		return err;
	err = w->src->read(w->src->ctx, i, 0, w->buf, w->size);
	if (err)
		return refuse(s, err, "segment %016" PRIx64 ": %s", w->number, strerror(-err));
	err = peek_next(w, i);
	if (err)
		return err;
	if (!pxs_segment_parse(w->buf, &h, &version))
		return take_unbegun(w, i);
	err = check_owner(s, w->number, &h, version);
	if (!err)
		err = check_follows(w, &h);
	if (err)
		return err;
	s->segment = w->number;
	s->salt = h.salt;
	err = walk_batches(w, h.salt);
	if (!err && w->sink->progress)
		w->sink->progress(w->sink->ctx, w->number, s->next_lsn - 1);
	return err;
}

/* Last of all, so that damage which explains why the end is missing is named instead. */
static int check_confirmed(const struct walk *w)
{
	struct pxs_scan *s = w->s;
	u64 confirmed = max(w->max_durable, s->confirmed);

	if (!s->segment && s->floor.segment > 1)
		return refuse(s, -EBADMSG, "segment %016" PRIx64 " is missing, and every one behind it",
			      s->floor.segment);
	if (confirmed && !s->segment)
		return refuse(s, -EBADMSG, "the journal is empty, but everything up to LSN %" PRIu64 " had been confirmed",
			      confirmed);
	if (confirmed >= s->next_lsn)
		return refuse(s, -EBADMSG,
			      "segment %016" PRIx64 " offset %u: the journal ends before LSN %" PRIu64 ", but everything up to LSN %" PRIu64 " had been confirmed",
			      s->segment, s->offset, s->next_lsn, confirmed);
	return 0;
}

int pxs_scan(struct pxs_scan *s, const struct pxs_scan_source *src,
	     const struct pxs_scan_sink *sink)
{
	struct walk w = { .s = s, .src = src, .sink = sink, .size = s->segment_size };
	u32 i;
	int err = 0;

	if (s->segment_size < PXS_SEGMENT_MIN || s->segment_size > PXS_SEGMENT_MAX ||
	    s->segment_size % PXS_JOURNAL_BLOCK)
		return refuse(s, -EINVAL, "segment size %u: must be a multiple of %u from %u to %u",
			      s->segment_size, PXS_JOURNAL_BLOCK, PXS_SEGMENT_MIN, PXS_SEGMENT_MAX);
	s->next_lsn = 1;
	s->next_seq = 1;
	s->prev = 0;
	if (s->floor.segment > 1) {
		s->next_lsn = s->floor.first_lsn;
		s->next_seq = s->floor.first_seq;
		s->prev = s->floor.prev;
	}
	w.buf = malloc(w.size);
	if (!w.buf)
		return refuse(s, -ENOMEM, "no memory for a segment of %u bytes", w.size);
	for (i = 0; i < src->count && !err; i++)
		err = walk_segment(&w, i);
	free(w.buf);
	if (!err)
		err = check_confirmed(&w);
	return err || !sink->ended ? err : sink->ended(sink->ctx, s);
}
