// SPDX-License-Identifier: GPL-2.0
/*
 * blocks.c - each 4 KiB block of a journal damaged in turn, recovered by the agent
 *
 * The journal is one that the shipped writer made: several segments, batches of one block
 * and of many, a hint. Each block of each file is, one at a time, flipped (a bit in each
 * of its sectors, one after the other), zeroed, filled with ones, replaced by another
 * block of the same journal, and made unreadable. Recovery must refuse, tell the records
 * that are damaged, or report everything: a confirmed record is never silently forgotten,
 * and where it refuses nothing on disk may have changed.
 *
 * Three ways a journal can be left: after a pause (the last batch is marked), with a hint
 * only, and soon after a batch, with neither. In the last, damage to that one
 * batch cannot be told from a torn write, and it is cut: counted, and shown. There the
 * segment behind the last is missing, too, as when the disk is full.
 *
 * A mark in the middle holds no record: whatever became of it, nothing is lost.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "state.h"
#include "work.h"

#define BLOCK	PXS_JOURNAL_BLOCK

enum fault { FLIP, ZERO, ONES, MISPLACED, UNREADABLE, FAULTS };

enum end { MARKED, HINTED, NEITHER, ENDS };

enum outcome {
	WHOLE,			/* nothing that matters was there */
	TOLD,			/* records told as damaged */
	REFUSED,
	CUT,			/* confirmed by nothing on disk: taken for a torn tail */
	BAD,
	OUTCOMES
};

static const char *const fault_names[FAULTS] = {
	"bit flipped", "zeroed", "all ones", "misplaced", "unreadable",
};

static const char *const end_names[ENDS] = {
	"after a pause", "with a hint", "soon after",
};

static char dir[4096];
static struct work work;
static struct state_disk clean, spoilt;
static u64 table[ENDS][FAULTS][OUTCOMES];
static u32 cells;
static u64 last_batch;		/* first LSN of it */
static u64 mark;		/* where the one in the middle is */

/* Return: where the mark went. */
static u64 pause_for_mark(void)
{
	u64 pos = pxs_pos(work.journal.segment, work.journal.offset);

	work_pause(&work);
	ring_run(&work.loop);
	return pos;
}

static void make_journal(enum end end)
{
	u32 i;

	memset(&work, 0, sizeof(work));
	work.dir = dir;
	ring_reset(RING_AT_ONCE);
	trace_seed(1 + end);
	work_create(dir);
	pxs_assert(!work_open(&work));
	ring_run(&work.loop);
	for (i = 0; i < 14; i++) {
		work_append(&work, 1 + i % 3, i % 4 == 3 ? 9000 : 700 * (i % 5));
		ring_run(&work.loop);
		if (i == 6)
			mark = pause_for_mark();
	}
	work_append(&work, 3, 200);
	last_batch = work.journal.next_lsn - 3;
	ring_run(&work.loop);
	pxs_assert(work.journal.segment >= 3);
	if (end == HINTED)
		work_hint(&work);
	if (end == MARKED)
		pause_for_mark();
	work_close(&work);
}

static void spoil(u8 *data, u32 size, u32 block, enum fault fault, u32 variant)
{
	u32 at = block * BLOCK;
	u32 len = min((u32)BLOCK, size - at);

	switch (fault) {
	case FLIP:
		/* Somewhere in sector number variant, or eighth of a small file. */
		data[at + (variant * (len / 8) + variant % 5 + 1) % len] ^= (u8)(1u << variant % 8);
		break;
	case ZERO:
		memset(data + at, 0, len);
		break;
	case ONES:
		memset(data + at, 0xff, len);
		break;
	default:
		/* A write that went elsewhere, or another that came here. */
		memmove(data + at, data + (at + BLOCK * (variant + 1)) % size / BLOCK * BLOCK, len);
	}
}

static bool same_on_disk(struct state_disk *want)
{
	struct state_disk have;
	bool same;

	state_load(&have, dir);
	same = state_hash(&have) == state_hash(want);
	state_free(&have);
	return same;
}

static bool is_mark(const struct state_name *n, u32 block)
{
	char name[PXS_SEGMENT_NAME_LEN];

	pxs_segment_name(pxs_pos_segment(mark), name);
	return !strcmp(n->name, name) && block * BLOCK == pxs_pos_offset(mark);
}

static enum outcome judge(const struct work_verdict *v, enum end end)
{
	if (v->err)
		return same_on_disk(&spoilt) && v->error[0] ? REFUSED : BAD;
	if (v->wrong || v->dirty || memcmp(&v->id, &work.journal.id, sizeof(v->id)))
		return BAD;
	if (v->last == work.acked)
		return v->faulty ? TOLD : WHOLE;
	/* Only the last batch, and only where nothing says that it was confirmed. */
	return end == NEITHER && v->last == last_batch - 1 ? CUT : BAD;
}

static void one_cell(enum end end, const struct state_name *n, u32 block, enum fault fault,
		     u32 variant)
{
	struct state_file *f = &spoilt.file[n->file];
	struct work_verdict v;
	enum outcome o;

	state_copy(&spoilt, &clean);
	if (fault != UNREADABLE) {
		spoil(f->data, f->size, block, fault, variant);
		f->hashed = false;
	}
	state_put(&spoilt, dir);
	if (fault == UNREADABLE)
		trace_unreadable(n->name, (u64)block * BLOCK);
	work_recover(dir, &work.expect, &v);
	trace_unreadable(NULL, 0);
	o = judge(&v, end);
	if (o != WHOLE && fault <= ONES && is_mark(n, block))
		o = BAD;
	table[end][fault][o]++;
	cells++;
	if (o == BAD)
		printf("# bad: %s, %s block %u %s (%u): confirmed %llu, recovered %llu, wrong %llu: %s\n",
		       end_names[end], n->name, block, fault_names[fault], variant,
		       (unsigned long long)work.acked, (unsigned long long)v.last,
		       (unsigned long long)v.wrong, v.error);
}

static void one_file(enum end end, const struct state_name *n)
{
	static const u32 variants[FAULTS] = { 8, 1, 1, 3, 1 };
	u32 size = clean.file[n->file].size;
	u32 block, fault, i;

	for (block = 0; block * BLOCK < size; block++)
		for (fault = 0; fault < FAULTS; fault++)
			for (i = 0; i < variants[fault]; i++)
				if (fault != MISPLACED || size > BLOCK)
					one_cell(end, n, block, fault, i);
}

static void clear_dir(void)
{
	static struct state_disk none;

	state_put(&none, dir);
}

static void remove_spare(struct state_disk *d)
{
	char name[PXS_SEGMENT_NAME_LEN];
	u32 i;

	pxs_segment_name(work.journal.segment + 1, name);
	for (i = 0; i < d->names && strcmp(d->name[i].name, name); i++)
		;
	pxs_assert(i < d->names);
	d->name[i] = d->name[--d->names];
}

static void one_end(enum end end)
{
	u32 i;

	make_journal(end);
	state_load(&clean, dir);
	if (end == NEITHER)
		remove_spare(&clean);
	state_hash(&clean);
	for (i = 0; i < clean.names; i++)
		one_file(end, &clean.name[i]);
	clear_dir();
	state_free(&clean);
}

static u64 show(void)
{
	u64 bad = 0;
	u32 e, f;

	printf("# %-14s %-12s %8s %8s %8s %8s %5s\n", "left", "a block", "whole", "told",
	       "refused", "cut", "bad");
	for (e = 0; e < ENDS; e++) {
		for (f = 0; f < FAULTS; f++) {
			const u64 *o = table[e][f];

			printf("# %-14s %-12s %8llu %8llu %8llu %8llu %5llu\n", end_names[e],
			       fault_names[f], (unsigned long long)o[WHOLE],
			       (unsigned long long)o[TOLD], (unsigned long long)o[REFUSED],
			       (unsigned long long)o[CUT], (unsigned long long)o[BAD]);
			bad += o[BAD];
		}
	}
	return bad;
}

int main(void)
{
	u64 bad;
	u32 e;

	snprintf(dir, sizeof(dir), "%s/pxs-blocks-%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
	pxs_assert(!mkdir(dir, 0700));
	pxs_report_level(PXS_ERR);
	trace_touched = state_touched;
	for (e = 0; e < ENDS; e++)
		one_end(e);
	state_free(&spoilt);
	rmdir(dir);
	bad = show();
	printf("%s 1 - %u cells: each block of a journal damaged in turn\n", bad ? "not ok" : "ok",
	       cells);
	printf("bar: single-blocks-bad %llu wanted 0 %s\n", (unsigned long long)bad,
	       bad ? "missed" : "met");
	return bad != 0;
}
