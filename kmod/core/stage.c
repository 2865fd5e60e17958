// SPDX-License-Identifier: GPL-2.0
/*
 * stage.c - the ring of records that are decided and not yet known durable
 *
 * Positions are absolute; a record may wrap around the end of the ring, so copies in
 * and out are in at most two parts. length[] tells where records end without reading
 * the ring. See stage.h for locking.
 */
#include "stage.h"

void pxs_stage_init(struct pxs_stage *s, u8 *ring, u32 size, u32 *length)
{
	pxs_assert(size && !(size & (size - 1)));
	memset(s, 0, sizeof(*s));
	pxs_lock_init(&s->lock);
	s->ring = ring;
	s->size = size;
	s->length = length;
}

static u32 *length_of(struct pxs_stage *s, u64 lsn)
{
	return &s->length[lsn & (PXS_STAGE_RECORDS - 1)];
}

static void ring_write(struct pxs_stage *s, u64 pos, const void *data, u32 len)
{
	u32 at = pos & (s->size - 1);
	u32 first = min(len, s->size - at);

	if (!len)
		return;		/* data may be NULL */
	memcpy(s->ring + at, data, first);
	memcpy(s->ring, (const u8 *)data + first, len - first);
}

static void ring_read(struct pxs_stage *s, u64 pos, void *data, u32 len)
{
	u32 at = pos & (s->size - 1);
	u32 first = min(len, s->size - at);

	memcpy(data, s->ring + at, first);
	memcpy((u8 *)data + first, s->ring, len - first);
}

static bool has_room(const struct pxs_stage *s, u32 bytes)
{
	return s->size - (u32)(s->head - s->tail) >= bytes &&
	       s->last_lsn - s->durable_lsn < PXS_STAGE_RECORDS;
}

/* Credit comes back from the disk only. */
static bool is_filling(const struct pxs_stage *s)
{
	return s->head - s->tail > s->size / 4 ||
	       s->last_lsn - s->durable_lsn > PXS_STAGE_RECORDS / 4;
}

u64 pxs_stage_append(struct pxs_stage *s, struct pxs_record *r, const void *data)
{
	u32 size = pxs_record_size(r->len);
	u8 head[PXS_RECORD_HDR_LEN];
	static const u8 zero[8];
	u64 lsn = 0;

	pxs_lock(&s->lock);
	/* Without a first attach nobody has said which LSN comes next. */
	if (s->failed || !s->epoch || !has_room(s, size)) {
		s->full++;
		goto out;
	}
	lsn = s->last_lsn + 1;
	r->lsn = lsn;
	pxs_record_header(head, r, data);
	ring_write(s, s->head, head, sizeof(head));
	ring_write(s, s->head + sizeof(head), data, r->len);
	ring_write(s, s->head + sizeof(head) + r->len, zero, size - (u32)sizeof(head) - r->len);
	*length_of(s, lsn) = size;
	s->head += size;
	s->last_lsn = lsn;
	if (!r->lazy || is_filling(s))
		s->want_lsn = lsn;
out:
	pxs_unlock(&s->lock);
	return lsn;
}

/* The journal is right behind @lsn; what follows is to be sent (again). */
static void settle(struct pxs_stage *s, u64 lsn)
{
	while (s->durable_lsn < lsn)
		s->tail += *length_of(s, ++s->durable_lsn);
	s->sent_lsn = s->durable_lsn;
	s->sent = s->tail;
	memset(s->batch_end, 0, sizeof(s->batch_end));
}

s64 pxs_stage_attach(struct pxs_stage *s, u64 incarnation, u64 next_lsn)
{
	s64 ret;

	pxs_lock(&s->lock);
	if (s->attached) {
		ret = -EBUSY;
		goto out;
	}
	if (s->failed) {
		ret = -EIO;
		goto out;
	}
	if (!s->epoch) {
		s->last_lsn = next_lsn - 1;
		s->sent_lsn = s->last_lsn;
		s->durable_lsn = s->last_lsn;
		s->incarnation = incarnation;
	} else if (s->incarnation != incarnation) {
		ret = -EKEYREJECTED;
		goto out;
	} else if (next_lsn <= s->durable_lsn || next_lsn > s->last_lsn + 1) {
		ret = -ESTALE;
		goto out;
	}
	settle(s, next_lsn - 1);
	s->want_lsn = s->last_lsn;	/* the journal is behind: it may catch up at once */
	s->attached = true;
	s->epoch++;
	ret = (s64)s->epoch;
out:
	pxs_unlock(&s->lock);
	return ret;
}

void pxs_stage_detach(struct pxs_stage *s)
{
	pxs_lock(&s->lock);
	s->attached = false;
	pxs_unlock(&s->lock);
}

void pxs_stage_fail(struct pxs_stage *s)
{
	pxs_lock(&s->lock);
	s->failed = true;
	pxs_unlock(&s->lock);
}

/*
 * Is what waits worth a message, though it is no full batch? Not while nobody waits for it, nor
 * while enough is in flight that is waited for: what is lazy does not count, an agent lets it lie.
 */
static bool worth_it(const struct pxs_stage *s)
{
	if (s->hurry_lsn > s->sent_lsn)
		return true;
	return s->want_lsn > s->sent_lsn && s->batch_end[0] <= s->durable_lsn;
}

bool pxs_stage_due(struct pxs_stage *s, u32 max, struct pxs_batch *b)
{
	u64 lsn;

	memset(b, 0, sizeof(*b));
	pxs_lock(&s->lock);
	if (!s->attached || s->failed || s->sent_lsn == s->last_lsn) {
		pxs_unlock(&s->lock);
		return false;
	}
	for (lsn = s->sent_lsn + 1; lsn <= s->last_lsn; lsn++) {
		u32 size = *length_of(s, lsn);

		if (b->bytes + size > max)
			break;
		b->bytes += size;
		b->count++;
	}
	b->first_lsn = s->sent_lsn + 1;
	b->epoch = s->epoch;
	b->lazy = s->want_lsn < b->first_lsn;
	if (lsn > s->last_lsn && !worth_it(s))
		b->count = 0;
	pxs_unlock(&s->lock);
	return b->count > 0;
}

void pxs_stage_hurry(struct pxs_stage *s, u64 lsn)
{
	pxs_lock(&s->lock);
	s->hurry_lsn = max(s->hurry_lsn, lsn);
	pxs_unlock(&s->lock);
}

void pxs_stage_late(struct pxs_stage *s)
{
	pxs_lock(&s->lock);
	if (s->want_lsn <= s->sent_lsn)
		s->hurry_lsn = s->last_lsn;
	pxs_unlock(&s->lock);
}

void pxs_stage_copy(struct pxs_stage *s, const struct pxs_batch *b, u8 *buf)
{
	pxs_lock(&s->lock);
	/* Another agent attached since due(): these bytes may be gone, and sent() will ignore b. */
	if (b->epoch == s->epoch && b->first_lsn == s->sent_lsn + 1)
		ring_read(s, s->sent, buf, b->bytes);
	else
		memset(buf, 0, b->bytes);
	pxs_unlock(&s->lock);
}

void pxs_stage_sent(struct pxs_stage *s, const struct pxs_batch *b)
{
	u32 i;

	pxs_lock(&s->lock);
	if (b->epoch == s->epoch && b->first_lsn == s->sent_lsn + 1) {
		s->sent_lsn += b->count;
		s->sent += b->bytes;
		for (i = 0; !b->lazy && i + 1 < PXS_STAGE_BATCHES; i++)
			s->batch_end[i] = s->batch_end[i + 1];
		if (!b->lazy)
			s->batch_end[PXS_STAGE_BATCHES - 1] = s->sent_lsn;
	}
	pxs_unlock(&s->lock);
}

int pxs_stage_durable(struct pxs_stage *s, u64 epoch, u64 lsn)
{
	int ret = 0;

	pxs_lock(&s->lock);
	if (s->failed) {
		ret = -EIO;
	} else if (!s->attached || epoch != s->epoch) {
		ret = -ESTALE;
	} else if (lsn > s->sent_lsn) {
		ret = -EINVAL;
	} else {
		while (s->durable_lsn < lsn) {
			s->tail += *length_of(s, s->durable_lsn + 1);
			WRITE_ONCE(s->durable_lsn, s->durable_lsn + 1);
			ret = 1;
		}
	}
	pxs_unlock(&s->lock);
	return ret;
}
