// SPDX-License-Identifier: GPL-2.0
/*
 * test_journal.c - reading a journal back, over images in memory
 *
 * An image is built by the same functions that the writer uses. Each test damages one
 * in one way and asks three things: is nothing reported that was not written, is
 * nothing lost that was confirmed, and is a refusal given with the place.
 */
#include "unit.h"

#include "../../agent/scan.h"

#define INC	0x1122334455667788ull
#define SIZE	PXS_SEGMENT_MIN
#define NSEG	4
#define BATCHES	24

struct batch_at {
	u32 seg;
	u32 offset;
	u32 size;
	u32 bytes;
	u64 first_lsn;
	u64 last_lsn;
};

struct image {
	u8 *seg[NSEG];
	u64 number[NSEG];
	u64 size[NSEG];
	u32 count;		/* segment files */
	struct batch_at batch[BATCHES];
	u32 nbatch;
	u64 last_lsn;
};

struct seen {
	const struct image *im;
	u64 next;		/* LSN due */
	u64 faulty;
	u64 faulty_lsn;
	bool wrong;		/* something that was not written */
};

static struct image image;
static struct image spoilt;

/* Record @lsn: everything in it follows from the LSN, so that a reader can check it. */
static u32 make_record(u8 *buf, u64 lsn)
{
	u8 value[3000];
	struct pxs_record r = {
		.group = 1 + lsn % 3, .lsn = lsn, .slot = lsn * 7, .ballot = lsn << 8 | 1,
		.type = PXS_RECORD_ACCEPT, .len = (u32)(lsn * 131 % sizeof(value)),
	};

	if (lsn % 11 == 5) {
		r.type = PXS_RECORD_PROMISE;
		r.len = 0;
	}
	memset(value, (int)(lsn * 3 + 1), r.len);
	return pxs_record_put(buf, &r, value);
}

static void begin_segment(struct image *im, u32 seg, u64 seq, u64 lsn, u32 prev)
{
	struct pxs_segment_info info = {
		.incarnation = INC, .segment = seg + 1, .salt = 1000 + seg, .first_seq = seq,
		.first_lsn = lsn, .prev = prev, .size = SIZE,
	};

	pxs_segment_build(im->seg[seg], &info);
}

/* Batches of one to five records until three segments are begun; the fourth is the spare. */
static void build(struct image *im)
{
	u32 seg = 0, offset = PXS_JOURNAL_BLOCK, prev = 0, n, bytes, i;
	static u8 buf[65536];
	u64 lsn = 1, seq = 1;

	for (i = 0; i < NSEG; i++) {
		if (!im->seg[i])
			im->seg[i] = malloc(SIZE);
		memset(im->seg[i], 0, SIZE);
		im->number[i] = i + 1;
		im->size[i] = SIZE;
	}
	im->count = NSEG;
	begin_segment(im, 0, seq, lsn, prev);
	for (im->nbatch = 0; im->nbatch < BATCHES; im->nbatch++) {
		struct pxs_batch_info b = { .seq = seq, .first_lsn = lsn, .durable = lsn - 1 };
		struct batch_at *at = &im->batch[im->nbatch];

		bytes = 0;
		for (n = 0; n < 1 + seq % 5; n++)
			bytes += make_record(buf + PXS_BATCH_HDR_LEN + bytes, lsn + n);
		if (offset + pxs_batch_size(bytes) > SIZE) {
			if (++seg == NSEG - 1)
				break;
			offset = PXS_JOURNAL_BLOCK;
			begin_segment(im, seg, seq, lsn, prev);
		}
		b.bytes = bytes;
		b.count = n;
		b.salt = 1000 + seg;
		b.prev = prev;
		at->seg = seg;
		at->offset = offset;
		at->size = pxs_batch_build(buf, &b);
		at->bytes = bytes;
		at->first_lsn = lsn;
		memcpy(im->seg[seg] + offset, buf, at->size);
		prev = b.crc;
		offset += at->size;
		lsn += n;
		seq++;
		at->last_lsn = lsn - 1;
	}
	im->last_lsn = lsn - 1;
}

static void copy(struct image *to, const struct image *from)
{
	struct image old = *to;
	u32 i;

	*to = *from;
	for (i = 0; i < NSEG; i++) {
		to->seg[i] = old.seg[i] ? old.seg[i] : malloc(SIZE);
		memcpy(to->seg[i], from->seg[i], SIZE);
	}
}

static u64 image_number(void *ctx, u32 i)
{
	return ((struct image *)ctx)->number[i];
}

static u64 image_size(void *ctx, u32 i)
{
	return ((struct image *)ctx)->size[i];
}

static int image_read(void *ctx, u32 i, u64 offset, void *buf, u32 len)
{
	struct image *im = ctx;

	if (offset + len > SIZE)
		return -EIO;
	memcpy(buf, im->seg[i] + offset, len);
	return 0;
}

static int see(void *ctx, const struct pxs_record *r, u64 pos)
{
	static u8 due[4096];
	struct seen *seen = ctx;
	u32 size;

	if (r->lsn != seen->next++)
		seen->wrong = true;
	size = make_record(due, r->lsn);
	if (r->flags & PXS_ENTRY_FAULTY) {
		seen->faulty++;
		seen->faulty_lsn = r->lsn;
		/* Slot and ballot are known, the value is not. */
		if (r->slot != r->lsn * 7 || r->ballot != (r->lsn << 8 | 1))
			seen->wrong = true;
		return 0;
	}
	if (memcmp(due, r->data - PXS_RECORD_HDR_LEN, PXS_RECORD_HDR_LEN + r->len) ||
	    size != pxs_record_size(r->len))
		seen->wrong = true;
	if (memcmp(seen->im->seg[pxs_pos_segment(pos) - 1] + pxs_pos_offset(pos), due,
		   PXS_RECORD_HDR_LEN))
		seen->wrong = true;
	return 0;
}

static int scan(const struct image *im, struct pxs_scan *s, struct seen *seen)
{
	struct pxs_scan_source src = {
		.ctx = (void *)im, .count = im->count, .number = image_number,
		.size = image_size, .read = image_read,
	};
	struct pxs_scan_sink sink = { .ctx = seen, .record = see };
	u64 confirmed = s->confirmed;

	memset(s, 0, sizeof(*s));
	s->confirmed = confirmed;
	s->incarnation = INC;
	s->segment_size = SIZE;
	memset(seen, 0, sizeof(*seen));
	seen->im = im;
	seen->next = 1;
	return pxs_scan(s, &src, &sink);
}

static void whole_journal(void)
{
	struct pxs_scan s = { 0 };
	struct seen seen;
	const struct batch_at *last = &image.batch[image.nbatch - 1];

	CHECK(image.nbatch > 10 && last->seg == 2);
	CHECK_EQ(scan(&image, &s, &seen), 0);
	CHECK(!seen.wrong);
	CHECK_EQ(s.next_lsn, image.last_lsn + 1);
	CHECK_EQ(s.next_seq, image.nbatch + 1);
	CHECK_EQ(s.segment, 3);
	CHECK_EQ(s.spare, 4);
	CHECK_EQ(s.salt, 1002);
	CHECK_EQ(s.offset, last->offset + last->size);
	CHECK_EQ(s.cut_from, 0);
	CHECK_EQ(s.faulty, 0);
}

static void empty_journal(void)
{
	struct image none = { .count = 0 };
	struct pxs_scan s = { 0 };
	struct seen seen;

	CHECK_EQ(scan(&none, &s, &seen), 0);
	CHECK_EQ(s.next_lsn, 1);
	CHECK_EQ(s.segment, 0);
	s.confirmed = 5;
	CHECK(scan(&none, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "confirmed"));
}

/* The last batch, stopped at every sector: a torn tail, cut, all before it kept. */
static void torn_at_each_sector(void)
{
	const struct batch_at *last = &image.batch[image.nbatch - 1];
	struct pxs_scan s = { 0 };
	struct seen seen;
	u32 cut;

	for (cut = 0; cut < last->size; cut += 512) {
		copy(&spoilt, &image);
		memset(spoilt.seg[last->seg] + last->offset + cut, 0, last->size - cut);
		CHECK_EQ(scan(&spoilt, &s, &seen), 0);
		CHECK(!seen.wrong);
		if (cut >= PXS_BATCH_HDR_LEN + last->bytes) {
			CHECK_EQ(s.next_lsn, image.last_lsn + 1);	/* only padding was lost */
			continue;
		}
		CHECK_EQ(s.next_lsn, last->first_lsn);
		CHECK_EQ(s.offset, last->offset);
		CHECK_EQ(s.cut_from, cut ? pxs_pos(last->seg + 1, last->offset) : 0);
	}
}

/* A sector in the middle of the last batch did not arrive, what is behind it did. */
static void torn_out_of_order(void)
{
	const struct batch_at *last = &image.batch[image.nbatch - 1];
	struct pxs_scan s = { 0 };
	struct seen seen;
	u32 hole;

	for (hole = 0; hole < PXS_BATCH_HDR_LEN + last->bytes; hole += 512) {
		copy(&spoilt, &image);
		memset(spoilt.seg[last->seg] + last->offset + hole, 0, 512);
		CHECK_EQ(scan(&spoilt, &s, &seen), 0);
		CHECK(!seen.wrong);
		CHECK_EQ(s.next_lsn, last->first_lsn);
	}
}

/* The same torn tail, when it is known that it had been confirmed: not torn, lost. */
static void confirmed_tail_is_never_cut(void)
{
	const struct batch_at *last = &image.batch[image.nbatch - 1];
	struct pxs_scan s = { .confirmed = last->first_lsn };
	struct seen seen;

	CHECK_EQ(scan(&image, &s, &seen), 0);
	copy(&spoilt, &image);
	memset(spoilt.seg[last->seg] + last->offset + 512, 0, last->size - 512);
	s.confirmed = last->first_lsn;
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "had been confirmed"));
	s.confirmed = last->first_lsn - 1;
	CHECK_EQ(scan(&spoilt, &s, &seen), 0);
}

/* Where does a byte of the image lie? */
static const struct batch_at *batch_of(u32 seg, u32 offset)
{
	u32 i;

	for (i = 0; i < image.nbatch; i++) {
		const struct batch_at *b = &image.batch[i];

		if (b->seg == seg && offset >= b->offset && offset < b->offset + b->size)
			return b;
	}
	return NULL;
}

static void judge_flip(u32 seg, u32 offset, int err, const struct pxs_scan *s,
		       const struct seen *seen)
{
	const struct batch_at *b = batch_of(seg, offset);
	bool last = b && b == &image.batch[image.nbatch - 1];

	CHECK(!seen->wrong);
	if (err) {
		/* Refused: only for what stands between intact things, and with the place. */
		CHECK(err == -EBADMSG);
		CHECK(strstr(s->error, "segment 000000000000000"));
		CHECK(offset < PXS_JOURNAL_BLOCK || (b && !last));
		return;
	}
	if (last && offset < b->offset + PXS_BATCH_HDR_LEN + b->bytes)
		CHECK_EQ(s->next_lsn, b->first_lsn);
	else
		CHECK_EQ(s->next_lsn, image.last_lsn + 1);
	CHECK(seen->faulty <= 1);
	if (seen->faulty)
		CHECK(b && seen->faulty_lsn >= b->first_lsn && seen->faulty_lsn <= b->last_lsn);
}

/* One bit in each 64 bytes of each block of each segment, one at a time. */
static void flips_everywhere(void)
{
	u32 seg, offset, refused = 0, faulty = 0, runs = 0;
	uint64_t random = 1;
	struct pxs_scan s = { 0 };
	struct seen seen;
	int err;

	copy(&spoilt, &image);
	for (seg = 0; seg < NSEG; seg++) {
		for (offset = 0; offset < SIZE; offset += 64) {
			u32 at = offset + unit_random(&random) % 64;
			u8 bit = (u8)(1u << unit_random(&random) % 8);

			spoilt.seg[seg][at] ^= bit;
			err = scan(&spoilt, &s, &seen);
			judge_flip(seg, at, err, &s, &seen);
			spoilt.seg[seg][at] ^= bit;
			runs++;
			refused += !!err;
			faulty += !err && seen.faulty;
		}
	}
	NOTE("%u flips: %u refused, %u as one faulty record", runs, refused, faulty);
	CHECK(refused > 0 && faulty > 0);
}

/* A value in the middle is damaged: that one slot is faulty, all others are whole. */
static void damaged_value_is_faulty(void)
{
	const struct batch_at *b = &image.batch[3];
	struct pxs_record r;
	struct pxs_scan s = { 0 };
	struct seen seen;
	u8 *p;

	copy(&spoilt, &image);
	p = spoilt.seg[b->seg] + b->offset + PXS_BATCH_HDR_LEN;
	CHECK_FATAL(pxs_record_get(p, b->bytes, &r) == PXS_RECORD_OK && r.len);
	p[PXS_RECORD_HDR_LEN] ^= 0x40;
	CHECK_EQ(scan(&spoilt, &s, &seen), 0);
	CHECK(!seen.wrong);
	CHECK_EQ(seen.faulty, 1);
	CHECK_EQ(seen.faulty_lsn, b->first_lsn);
	CHECK_EQ(s.faulty, 1);
	CHECK_EQ(s.damaged, 1);
	CHECK_EQ(s.next_lsn, image.last_lsn + 1);
}

/* A header in the middle is damaged: nobody can say which slot that was. */
static void damaged_header_is_refused(void)
{
	const struct batch_at *b = &image.batch[3];
	struct pxs_scan s = { 0 };
	struct seen seen;
	char lsn[32];

	copy(&spoilt, &image);
	spoilt.seg[b->seg][b->offset + PXS_BATCH_HDR_LEN + 20] ^= 1;
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	snprintf(lsn, sizeof(lsn), "LSN %llu to %llu", (unsigned long long)b->first_lsn,
		 (unsigned long long)b->last_lsn);
	CHECK(strstr(s.error, lsn));
	NOTE("%s", s.error);
}

/* A batch that was confirmed and is gone as if never written. */
static void lost_write_is_refused(void)
{
	struct pxs_scan s = { 0 };
	struct seen seen;
	u32 i;

	for (i = 0; i + 1 < image.nbatch; i++) {
		const struct batch_at *b = &image.batch[i];

		copy(&spoilt, &image);
		memset(spoilt.seg[b->seg] + b->offset, 0, b->size);
		CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
		CHECK(!seen.wrong);
	}
}

/* A stale but intact batch of the same place and life, as after a lost overwrite. */
static void stale_batch_is_refused(void)
{
	const struct batch_at *b = &image.batch[5];
	struct pxs_batch_info info = {
		.bytes = b->bytes, .count = (u32)(b->last_lsn - b->first_lsn + 1),
		.salt = 1000 + b->seg, .seq = 6, .first_lsn = b->first_lsn, .durable = 0,
	};
	struct pxs_scan s = { 0 };
	struct seen seen;
	u8 *p;

	copy(&spoilt, &image);
	p = spoilt.seg[b->seg] + b->offset;
	memcpy(&info.prev, p + offsetof(struct pxs_journal_batch, prev), 4);
	pxs_batch_build(p, &info);	/* another durable mark: another checksum */
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "does not follow"));
}

/* Bytes of an earlier life behind the end: no batch of this one. */
static void stale_salt_is_no_batch(void)
{
	const struct batch_at *last = &image.batch[image.nbatch - 1];
	struct pxs_batch_info info = {
		.salt = 4711, .seq = image.nbatch + 1, .first_lsn = image.last_lsn + 1, .count = 1,
	};
	struct pxs_scan s = { 0 };
	struct seen seen;
	u8 *p;

	copy(&spoilt, &image);
	p = spoilt.seg[last->seg] + last->offset + last->size;
	CHECK_FATAL(last->offset + last->size + 8192 <= SIZE);
	memcpy(&info.prev, image.seg[last->seg] + last->offset + 4, 4);
	info.bytes = make_record(p + PXS_BATCH_HDR_LEN, info.first_lsn);
	pxs_batch_build(p, &info);
	CHECK_EQ(scan(&spoilt, &s, &seen), 0);
	CHECK_EQ(s.next_lsn, image.last_lsn + 1);
	CHECK_EQ(s.cut_from, pxs_pos(last->seg + 1, last->offset + last->size));
	/* The same bytes under the salt of this life do count. */
	info.salt = 1000 + last->seg;
	pxs_batch_build(p, &info);
	CHECK_EQ(scan(&spoilt, &s, &seen), 0);
	CHECK_EQ(s.next_lsn, image.last_lsn + 2);
}

static void wrong_identity_is_refused(void)
{
	struct pxs_segment_info info = {
		.incarnation = INC + 1, .segment = 1, .salt = 1000, .first_seq = 1, .first_lsn = 1,
		.size = SIZE,
	};
	struct pxs_journal_segment h;
	struct pxs_scan s = { 0 };
	struct seen seen;

	copy(&spoilt, &image);
	pxs_segment_build(spoilt.seg[0], &info);
	CHECK(scan(&spoilt, &s, &seen) == -EKEYREJECTED);
	CHECK(strstr(s.error, "incarnation"));
	CHECK_EQ(seen.next, 1);

	info.incarnation = INC;
	info.segment = 2;
	pxs_segment_build(spoilt.seg[0], &info);
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);

	copy(&spoilt, &image);
	memcpy(&h, spoilt.seg[0], sizeof(h));
	CHECK_EQ(le32_to_cpu(h.version), PXS_JOURNAL_VERSION);

	copy(&spoilt, &image);
	spoilt.number[1] = 3;
	spoilt.count = 2;
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "0000000000000002 is missing"));

	copy(&spoilt, &image);
	spoilt.size[2] = SIZE - 4096;
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "bytes instead of"));
}

/* A segment that does not belong there is named, whatever it would mean for the one before. */
static void foreign_segment_is_named(void)
{
	struct pxs_segment_info info = {
		.incarnation = INC + 1, .segment = 2, .salt = 1, .first_seq = 3, .first_lsn = 2,
		.size = SIZE,
	};
	struct pxs_scan s = { 0 };
	struct seen seen;

	copy(&spoilt, &image);
	pxs_segment_build(spoilt.seg[1], &info);
	CHECK(scan(&spoilt, &s, &seen) == -EKEYREJECTED);
	CHECK(strstr(s.error, "segment 0000000000000002: of incarnation"));
	memcpy(spoilt.seg[1], spoilt.seg[0], SIZE);
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "segment 0000000000000002: its header is that of segment"));
	copy(&spoilt, &image);
	memcpy(spoilt.seg[1], spoilt.seg[2], SIZE);
	spoilt.number[1] = 3;
	spoilt.count = 2;
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "0000000000000002 is missing"));
}

/* The header that is damaged is named, not the end that is missing because of it. */
static void damaged_last_header_is_named(void)
{
	struct pxs_scan s = { 0 };
	struct seen seen;

	copy(&spoilt, &image);
	spoilt.seg[2][20] ^= 1;
	s.confirmed = image.last_lsn;
	CHECK(scan(&spoilt, &s, &seen) == -EBADMSG);
	CHECK(strstr(s.error, "segment 0000000000000003 offset 0: its header is damaged"));
}

/* A segment's header that never became durable: nothing was written behind it yet. */
static void torn_segment_header(void)
{
	struct pxs_scan s = { 0 };
	struct seen seen;

	copy(&spoilt, &image);
	memset(spoilt.seg[3] + 8, 0x5a, 100);
	CHECK_EQ(scan(&spoilt, &s, &seen), 0);
	CHECK_EQ(s.spare, 4);
	CHECK(s.cut_spare);
	CHECK_EQ(s.next_lsn, image.last_lsn + 1);
}

/* Random bytes over random places: never a crash, never a record that was not written. */
static void random_damage(void)
{
	u32 run, i, refused = 0;
	uint64_t random = 99;
	struct pxs_scan s = { 0 };
	struct seen seen;

	for (run = 0; run < 2000; run++) {
		copy(&spoilt, &image);
		for (i = 0; i <= run % 4; i++) {
			u8 *seg = spoilt.seg[unit_random(&random) % NSEG];
			u32 at = unit_random(&random) % SIZE;
			u32 len = 1 + unit_random(&random) % 9000;

			for (len = min(len, SIZE - at); len; len--)
				seg[at++] = (u8)unit_random(&random);
		}
		refused += scan(&spoilt, &s, &seen) != 0;
		CHECK(!seen.wrong);
	}
	NOTE("%u of %u refused", refused, run);
}

int main(void)
{
	build(&image);
	RUN(whole_journal);
	RUN(empty_journal);
	RUN(torn_at_each_sector);
	RUN(torn_out_of_order);
	RUN(confirmed_tail_is_never_cut);
	RUN(flips_everywhere);
	RUN(damaged_value_is_faulty);
	RUN(damaged_header_is_refused);
	RUN(lost_write_is_refused);
	RUN(stale_batch_is_refused);
	RUN(stale_salt_is_no_batch);
	RUN(wrong_identity_is_refused);
	RUN(foreign_segment_is_named);
	RUN(damaged_last_header_is_named);
	RUN(torn_segment_header);
	RUN(random_damage);
	return unit_done();
}
