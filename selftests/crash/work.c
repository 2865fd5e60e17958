// SPDX-License-Identifier: GPL-2.0
/*
 * work.c - a journal at work, and what recovery must say of it
 */
#include "work.h"

#include <stdio.h>
#include <unistd.h>

#include "trace.h"

struct seen {
	const struct work_expect *expect;
	struct work_verdict *verdict;
};

static u32 make(u8 *buf, u64 lsn, u8 life, u32 len)
{
	u8 value[PXS_VALUE_MAX];
	struct pxs_record r = {
		.group = 1 + lsn % 3, .lsn = lsn, .slot = lsn * 7, .ballot = (u64)life << 8 | 1,
		.type = PXS_RECORD_ACCEPT, .len = len,
	};
	u64 x = lsn << 16 | life;
	u32 i;

	for (i = 0; i < len; i++) {
		x = x * 6364136223846793005ull + len;
		value[i] = (u8)(x >> 40);
	}
	return pxs_record_put(buf, &r, value);
}

static void on_placed(void *ctx, const struct pxs_record *r, u64 pos)
{
	(void)ctx;
	(void)r;
	(void)pos;
}

static void on_durable(void *ctx, u64 lsn)
{
	struct work *w = ctx;

	pxs_assert(lsn > w->acked);
	w->acked = lsn;
	w->expect.acked = lsn;
	trace_mark(TRACE_ACK, lsn, 0);
}

static void on_failed(void *ctx, const char *reason)
{
	(void)ctx;
	fprintf(stderr, "the journal failed: %s\n", reason);
	abort();
}

static int see(void *ctx, const struct pxs_record *r, u64 pos)
{
	static u8 due[PXS_RECORD_HDR_LEN + PXS_VALUE_MAX + 8];
	struct seen *s = ctx;
	struct work_verdict *v = s->verdict;
	const void *got = r->data - PXS_RECORD_HDR_LEN;
	bool same;

	(void)pos;
	v->last++;
	if (r->lsn == v->last && r->lsn <= s->expect->last && r->lsn < WORK_LSNS) {
		make(due, r->lsn, s->expect->life[r->lsn], r->len);
		/* Of a damaged record the header holds, the value does not. */
		same = !memcmp(got, due, PXS_RECORD_HDR_LEN + (r->flags ? 0 : r->len)) ||
		       r->flags & PXS_ENTRY_FAULTY;
		same = same && r->slot == r->lsn * 7;
	} else {
		same = false;
	}
	v->faulty += !!(r->flags & PXS_ENTRY_FAULTY);
	if (!same && !v->wrong)
		v->wrong = r->lsn;
	return 0;
}

void work_create(const char *dir)
{
	struct pxs_identity id = {
		.member = 2, .segment_size = PXS_SEGMENT_MIN, .cluster = "crash states",
	};
	char error[512];

	pxs_assert(!pxs_identity_create(dir, &id, error, sizeof(error)));
}

static int recover(const char *dir, const struct work_expect *e, struct work_verdict *v,
		   struct pxs_recovery *r)
{
	struct seen s = { .expect = e, .verdict = v };
	struct pxs_scan_sink sink = { .ctx = &s, .record = see };

	memset(v, 0, sizeof(*v));
	v->err = pxs_recover(r, dir, false, &sink);
	snprintf(v->error, sizeof(v->error), "%s", r->error);
	return v->err;
}

static bool is_zero(int fd, u32 from)
{
	static u8 buf[PXS_SEGMENT_MIN] __attribute__((aligned(4096)));
	ssize_t n = pread(fd, buf, sizeof(buf), 0);

	return n == sizeof(buf) && (from == sizeof(buf) ||
	       (!buf[from] && !memcmp(buf + from, buf + from + 1, sizeof(buf) - from - 1)));
}

void work_recover(const char *dir, const struct work_expect *e, struct work_verdict *v)
{
	struct pxs_recovery r;

	if (recover(dir, e, v, &r))
		return;
	v->id = r.id;
	v->cut = r.scan.cut_from || r.scan.cut_spare;
	/* The next scan counts on it: what is behind the end may not come to life again. */
	v->dirty = (r.fd >= 0 && !is_zero(r.fd, r.scan.offset)) ||
		   (r.spare_fd >= 0 && !is_zero(r.spare_fd, 0));
	if (v->last != r.scan.next_lsn - 1 && !v->wrong)
		v->wrong = r.scan.next_lsn;
	pxs_recovery_close(&r);
}

static const struct pxs_journal_events events = {
	.placed = on_placed, .durable = on_durable, .failed = on_failed,
};

static int open_with(struct work *w, const struct work_expect *e)
{
	static struct pxs_journal_events mine;
	struct work_verdict v;
	struct pxs_recovery r;

	if (recover(w->dir, e, &v, &r)) {
		fprintf(stderr, "%s\n", v.error);
		return v.err;
	}
	if (v.wrong)
		return -EBADMSG;
	mine = events;
	mine.ctx = w;
	memset(&w->loop, 0, sizeof(w->loop));
	memset(&w->worker, 0, sizeof(w->worker));
	w->worker.loop = &w->loop;
	w->life++;
	w->acked = r.scan.next_lsn - 1;
	w->expect.acked = w->acked;
	w->expect.last = w->acked;
	trace_mark(TRACE_RECOVERED, w->acked, 0);
	return pxs_journal_open(&w->journal, &w->loop, &w->worker, &r, w->flush, &mine);
}

int work_open(struct work *w)
{
	return open_with(w, &w->expect);
}

void work_close(struct work *w)
{
	/* What the ring and the helper thread had not begun is not done. */
	ring_kill();
	pxs_journal_close(&w->journal);
}

void work_append(struct work *w, u32 count, u32 len)
{
	static u8 buf[1u << 20];
	u64 first = w->journal.next_lsn;
	u32 bytes = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		pxs_assert(first + i < WORK_LSNS);
		bytes += make(buf + bytes, first + i, w->life, len);
		w->expect.last = first + i;
		w->expect.life[first + i] = w->life;
		trace_mark(TRACE_APPEND, first + i, w->life);
	}
	pxs_assert(!pxs_journal_append(&w->journal, first, count, buf, bytes, false));
}

void work_pause(struct work *w)
{
	u32 i;

	for (i = 0; i <= PXS_JOURNAL_MARK_MS / PXS_LOOP_TICK_MS; i++)
		ring_tick(&w->loop);
}

void work_hint(struct work *w)
{
	struct pxs_hint h = { .incarnation = w->journal.id.incarnation, .lsn = w->acked };

	pxs_assert(!pxs_hint_write(w->journal.dirfd, &h));
}

#define GO_ON_LIFE	200

const char *work_go_on(const char *dir, const struct work_verdict *v,
		       const struct work_expect *e)
{
	static struct work w;
	struct work_verdict again;

	memset(&w, 0, sizeof(w));
	w.dir = dir;
	w.expect = *e;
	w.life = GO_ON_LIFE;
	ring_reset(RING_AT_ONCE);
	trace_seed(GO_ON_LIFE);
	if (open_with(&w, &w.expect))
		return "recovered once, refused when it was opened";
	if (w.acked != v->last)
		return "recovered twice, with different ends";
	work_append(&w, 1, 100);
	ring_run(&w.loop);
	/* Killed, not closed: no hint, no mark. */
	work_close(&w);
	if (w.acked != v->last + 1)
		return "it does not go on";
	work_recover(dir, &w.expect, &again);
	if (again.err || again.wrong || again.last != w.acked)
		return "what was written after recovery is not there";
	return NULL;
}
