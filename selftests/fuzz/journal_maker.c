// SPDX-License-Identifier: GPL-2.0
/*
 * journal_maker.c - a journal by a script: written as the daemon writes, then damaged
 */
#include "journal_maker.h"

#include "crc32c.h"

#define MAKER_STEPS	64

/* Kept from run to run: big pieces of memory are what a sanitizer is slow at. */
static u8 *new_segment(u32 i)
{
	static u8 *segment[MAKER_SEGMENTS];

	if (!segment[i])
		segment[i] = malloc(MAKER_SEGMENT);
	FUZZ_CHECK(segment[i]);
	return memset(segment[i], 0, MAKER_SEGMENT);
}

static void begin_segment(struct maker *m, struct input *in)
{
	struct pxs_segment_info info = {
		.incarnation = MAKER_INC,
		.segment = m->count + 1,
		.salt = 1 + take8(in),
		.first_seq = m->next.seq,
		.first_lsn = m->next.first_lsn,
		.prev = m->next.prev,
		.size = MAKER_SEGMENT,
	};

	if (m->count == MAKER_SEGMENTS)
		return;
	m->segment[m->count] = new_segment(m->count);
	pxs_segment_build(m->segment[m->count++], &info);
	m->salt = info.salt;
	m->offset = PXS_JOURNAL_BLOCK;
}

/* A segment that is prepared and not begun: zeroes. */
static void add_spare(struct maker *m)
{
	if (m->count == MAKER_SEGMENTS)
		return;
	m->segment[m->count] = new_segment(m->count);
	m->count++;
	m->offset = MAKER_SEGMENT;	/* nothing more is written */
}

static u32 make_record(struct maker *m, struct input *in, u8 *buf)
{
	u8 kind = take8(in);
	struct pxs_record *r = &m->record[m->nrecords];
	u8 fill = take8(in);

	*r = (struct pxs_record){
		.group = 1 + (kind >> 7),
		.type = PXS_RECORD_PROMISE + (kind & 7) % PXS_RECORD_TRIM,
		.lsn = m->nrecords + 1,
		.slot = take8(in),
		.ballot = take16(in),
		.len = kind & 0x20 ? (u32)take16(in) % 12000 : (u32)take8(in),
	};
	if (kind >> 6 & 1)
		r->flags = r->type == PXS_RECORD_TRIM ? PXS_TRIM_MEMORY : PXS_ENTRY_NOOP;
	m->value[m->nrecords] = malloc(r->len + 1);
	FUZZ_CHECK(m->value[m->nrecords]);
	memset(m->value[m->nrecords], fill, r->len);
	r->data = m->value[m->nrecords++];
	return pxs_record_put(buf, r, r->data);
}

static void write_batch(struct maker *m, struct input *in)
{
	static u8 buf[PXS_APPEND_MAX + 2 * PXS_JOURNAL_BLOCK];
	u32 n = 1 + take8(in) % 8;
	u32 size, i;

	m->next.salt = m->salt;
	m->next.bytes = 0;
	m->next.count = 0;
	m->next.durable = m->confirmed;
	for (i = 0; i < n && m->nrecords < MAKER_RECORDS && m->next.bytes < 16384; i++) {
		m->next.bytes += make_record(m, in, buf + PXS_BATCH_HDR_LEN + m->next.bytes);
		m->next.count++;
	}
	size = pxs_batch_size(m->next.bytes);
	if (!m->count || m->offset + size > MAKER_SEGMENT)
		begin_segment(m, in);
	if (!m->next.count || m->offset + size > MAKER_SEGMENT) {
		/* No room: as if these had never been. */
		for (i = 0; i < m->next.count; i++)
			free(m->value[--m->nrecords]);
		return;
	}
	m->next.salt = m->salt;
	pxs_batch_build(buf, &m->next);
	memcpy(m->segment[m->count - 1] + m->offset, buf, size);
	m->offset += size;
	m->next.prev = m->next.crc;
	m->next.seq++;
	m->next.first_lsn += m->next.count;
}

/* A place: mostly where something was written. */
static u8 *place(struct maker *m, struct input *in, u32 *room)
{
	u32 seg = take8(in) % m->count;
	u32 offset = take16(in) % MAKER_SEGMENT;

	*room = MAKER_SEGMENT - offset;
	return m->segment[seg] + offset;
}

/* Change a header and make its sum fit. */
static void forge(struct maker *m, struct input *in)
{
	u32 seg = take8(in) % m->count;
	u32 offset = (take8(in) * PXS_JOURNAL_BLOCK) % MAKER_SEGMENT;
	u8 *p = m->segment[seg] + offset;
	struct pxs_journal_segment s;
	struct pxs_journal_batch b;
	u32 at = take8(in) % 64;

	m->forged = true;
	p[at] ^= take8(in);
	if (!offset) {
		memcpy(&s, p, sizeof(s));
		s.crc = 0;
		s.crc = cpu_to_le32(pxs_crc32c(0, &s, sizeof(s)));
		memcpy(p, &s, sizeof(s));
		return;
	}
	memcpy(&b, p, sizeof(b));
	if (le32_to_cpu(b.bytes) > MAKER_SEGMENT - offset - sizeof(b))
		return;
	b.crc = 0;
	memcpy(p, &b, sizeof(b));
	b.crc = cpu_to_le32(pxs_crc32c(0, p, sizeof(b) + le32_to_cpu(b.bytes)));
	memcpy(p, &b, sizeof(b));
}

static void damage(struct maker *m, struct input *in, u8 how)
{
	u32 room, room2, i, len;
	u8 *p = place(m, in, &room), *q, x;

	switch (how) {
	case 0:		/* some bytes are others */
		len = 1 + take8(in) % 16;
		len = min(room, len);
		for (i = 0; i < len; i++)
			p[i] ^= (u8)(take8(in) | (i ? 0 : 1));
		break;
	case 1:		/* blocks were never written */
		p -= (MAKER_SEGMENT - room) % PXS_JOURNAL_BLOCK;
		len = (1 + take8(in) % 8) * PXS_JOURNAL_BLOCK;
		len = min(room, len);
		memset(p, 0, len);
		break;
	case 2:		/* a block stands where another belongs */
		q = place(m, in, &room2);
		p -= (MAKER_SEGMENT - room) % PXS_JOURNAL_BLOCK;
		q -= (MAKER_SEGMENT - room2) % PXS_JOURNAL_BLOCK;
		memmove(p, q, PXS_JOURNAL_BLOCK);
		m->misplaced = true;
		break;
	default:	/* rot: all from here on */
		len = take16(in);
		len = min(room, len);
		x = take8(in) | 1;
		for (i = 0; i < len; i++)
			p[i] ^= x;
	}
}

void maker_run(struct maker *m, struct input *in)
{
	u32 steps;
	u8 op;

	memset(m, 0, sizeof(*m));
	m->next.seq = 1;
	m->next.first_lsn = 1;
	for (steps = 0; in->n && steps < MAKER_STEPS; steps++) {
		op = take8(in);
		switch (op % 8) {
		case 0:
		case 1:
		case 2:
			if (m->offset <= MAKER_SEGMENT)
				write_batch(m, in);
			break;
		case 3:	/* what was written by now was confirmed */
			m->confirmed = m->nrecords;
			break;
		case 4:
			begin_segment(m, in);
			break;
		case 5:
			add_spare(m);
			break;
		case 6:
			if (m->count)
				damage(m, in, op >> 3 & 3);
			break;
		case 7:
			if (m->count && op & 0x80)
				forge(m, in);
			break;
		}
	}
}

void maker_free(struct maker *m)
{
	u64 i;

	for (i = 0; i < m->nrecords; i++)
		free(m->value[i]);
}

void maker_check(const struct maker *m, const struct pxs_record *r)
{
	const struct pxs_record *w;

	if (m->forged)
		return;
	FUZZ_CHECK(r->lsn >= 1 && r->lsn <= m->nrecords);
	w = &m->record[r->lsn - 1];
	FUZZ_CHECK(r->group == w->group && r->type == w->type && r->slot == w->slot &&
		   r->ballot == w->ballot && r->len == w->len);
	if (r->flags & PXS_ENTRY_FAULTY)
		return;
	FUZZ_CHECK(r->flags == w->flags && !memcmp(r->data, w->data, r->len));
}

static u64 number(void *ctx, u32 i)
{
	(void)ctx;
	return i + 1;
}

static u64 size(void *ctx, u32 i)
{
	(void)ctx;
	(void)i;
	return MAKER_SEGMENT;
}

static int read_memory(void *ctx, u32 i, u64 offset, void *buf, u32 len)
{
	struct maker *m = ctx;

	FUZZ_CHECK(i < m->count && offset <= MAKER_SEGMENT && len <= MAKER_SEGMENT - offset);
	memcpy(buf, m->segment[i] + offset, len);
	return 0;
}

struct pxs_scan_source maker_source(struct maker *m)
{
	return (struct pxs_scan_source){
		.ctx = m,
		.count = m->count,
		.number = number,
		.size = size,
		.read = read_memory,
	};
}
