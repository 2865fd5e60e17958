// SPDX-License-Identifier: GPL-2.0
/*
 * states.c - every short life of a journal, cut off everywhere, recovered by the agent
 *
 * A workload is a sequence of up to three operations of the table below; a new one is a
 * new line there. The shipped writer runs it while its calls are recorded (trace.c); each
 * state that the disk may be in after a power cut (state.c) becomes a directory, and the
 * shipped recovery must find everything that was confirmed, nothing that was not written,
 * and go on. Where recovery itself writes, each cut of that is tried as well (in workloads
 * of three operations, for every eighth such state: they differ little).
 *
 *   states [-l LENGTH] [-v]
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report.h"
#include "state.h"
#include "work.h"

#define LENGTH_MAX	3
#define SEEN_BITS	22

struct operation {
	const char *name;
	void (*run)(struct work *w);
};

struct cell {
	u64 states;
	u64 distinct;
	u64 cut;
	u64 nested;
	u64 bad;
};

static struct work work;
static struct trace trace, mending;
static struct work_expect now;
static u32 running;		/* index of the operation that a state falls into */
static u64 seen[1u << SEEN_BITS];
static u64 seen_count;
static u32 letters[LENGTH_MAX], nletters;
static char dir[4096];
static bool verbose;

/* --- what a journal can be told to do ------------------------------------------------- */

static void settle(struct work *w)
{
	ring_run(&w->loop);
	pxs_assert(w->acked == w->journal.next_lsn - 1);
}

static void op_append(struct work *w)
{
	work_append(w, 1, 100);
	settle(w);
}

/* Several records over several blocks, and what waits behind them. */
static void op_batches(struct work *w)
{
	work_append(w, 4, 3000);
	ring_step(&w->loop);
	work_append(w, 1, 5000);
	settle(w);
}

static void op_rotate(struct work *w)
{
	work_append(w, 6, 12000);
	settle(w);
}

static void op_reopen(struct work *w)
{
	work_hint(w);
	work_close(w);
	pxs_assert(!work_open(w));
	settle(w);
}

/* The agent is killed: a write is done, its flush is not. */
static void op_kill(struct work *w)
{
	work_append(w, 2, 3000);
	while (w->journal.state != PXS_JOURNAL_BATCH)
		ring_step(&w->loop);
	ring_step(&w->loop);
	work_close(w);
	pxs_assert(!work_open(w));
	settle(w);
}

static void op_idle(struct work *w)
{
	work_pause(w);
	settle(w);
}

static void op_hint(struct work *w)
{
	work_hint(w);
}

static const struct operation operations[] = {
	{ "append", op_append },
	{ "batches", op_batches },
	{ "rotate", op_rotate },
	{ "reopen", op_reopen },
	{ "kill", op_kill },
	{ "idle", op_idle },
	{ "hint", op_hint },
};

#define OPERATIONS	(sizeof(operations) / sizeof(operations[0]))

/* Rows: the operation under way when power fails; the first is the journal's first open. */
static struct cell table[OPERATIONS + 1][STATE_KINDS];

/* --- one state -------------------------------------------------------------------------- */

static bool is_new(u64 hash)
{
	u64 i = hash >> (64 - SEEN_BITS);

	hash |= 1;
	while (seen[i]) {
		if (seen[i] == hash)
			return false;
		i = (i + 1) & ((1u << SEEN_BITS) - 1);
	}
	pxs_assert(++seen_count < 1u << (SEEN_BITS - 1));
	seen[i] = hash;
	return true;
}

static u64 expect_hash(const struct work_expect *e)
{
	u64 h = e->acked * 0x9e3779b97f4a7c15ull ^ e->last * 0xc2b2ae3d27d4eb4full;
	u64 i;

	for (i = 0; i <= e->last; i++)
		h = (h ^ e->life[i]) * 0x100000001b3ull;
	return h;
}

static struct cell *cell_of(enum state_kind kind)
{
	return &table[running ? letters[running - 1] + 1 : 0][kind];
}

static void complain(struct cell *c, const char *what, const struct work_verdict *v)
{
	u32 i;

	if (++c->bad > 3 && !verbose)
		return;
	printf("# bad:");
	for (i = 0; i < nletters; i++)
		printf(" %s%s", operations[letters[i]].name, i + 1 == running ? "*" : "");
	printf(": %s (confirmed %llu, written %llu, recovered %llu) %s\n", what,
	       (unsigned long long)now.acked, (unsigned long long)now.last,
	       (unsigned long long)v->last, v->error);
}

/* NULL, or what is wrong. A crash alone is never damage, so refusing is wrong, too. */
static const char *judge(const struct work_verdict *v)
{
	if (v->err)
		return "refused";
	if (v->wrong)
		return "a record that was not written";
	if (v->faulty)
		return "a record told as damaged";
	if (v->last < now.acked)
		return "what was confirmed is lost";
	if (v->last > now.last)
		return "more than was written";
	if (v->dirty)
		return "what is behind the end was not cleared";
	return NULL;
}

static bool want_nested(void *ctx, const struct trace_op *op)
{
	(void)ctx;
	return op->kind == TRACE_WRITE || op->kind == TRACE_SYNC;
}

/* Power failed while recovery was cutting a torn tail. */
static void nested_state(void *ctx, struct state_disk *d, enum state_kind kind)
{
	struct work_verdict v;
	struct cell *c = ctx;
	const char *bad;

	(void)kind;
	if (!is_new(state_hash(d) ^ expect_hash(&now)))
		return;
	c->nested++;
	state_put(d, dir);
	work_recover(dir, &now, &v);
	bad = judge(&v);
	if (bad)
		complain(c, bad, &v);
}

static void recover_traced(struct state_disk *d, struct work_verdict *v)
{
	u32 i;

	trace_to(&mending);
	for (i = 0; i < d->names; i++)
		trace_know(&mending, d->name[i].name, d->name[i].file);
	work_recover(dir, &now, v);
	trace_to(NULL);
}

static void one_state(void *ctx, struct state_disk *d, enum state_kind kind)
{
	struct cell *c = cell_of(kind);
	struct state_walk nested = {
		.trace = &mending, .coarse = true, .ctx = c, .op = want_nested,
		.state = nested_state,
	};
	struct work_verdict v;
	const char *bad;

	(void)ctx;
	c->states++;
	if (!is_new(state_hash(d) ^ expect_hash(&now)))
		return;
	c->distinct++;
	state_put(d, dir);
	recover_traced(d, &v);
	bad = judge(&v);
	if (!bad)
		bad = work_go_on(dir, &v, &now);
	if (bad)
		complain(c, bad, &v);
	c->cut += v.cut;
	if (mending.writes && !bad && (nletters < 3 || seen_count % 8 == 0))
		state_all(&nested, d);
	trace_free(&mending);
}

/* --- one workload ----------------------------------------------------------------------- */

/* Keep up with what was handed over and confirmed so far. */
static bool take_op(void *ctx, const struct trace_op *op)
{
	(void)ctx;
	switch (op->kind) {
	case TRACE_BEGIN:
		running = op->len;
		return false;
	case TRACE_APPEND:
		now.last = op->lsn;
		now.life[op->lsn] = (u8)op->len;
		return false;
	case TRACE_RECOVERED:
		now.last = op->lsn;
		now.acked = op->lsn;
		return true;
	case TRACE_ACK:
		now.acked = op->lsn;
		return true;
	default:
		return true;
	}
}

static void clear_dir(void)
{
	static struct state_disk none;

	none.names = 0;
	state_put(&none, dir);
}

static void run_workload(enum ring_when when, enum pxs_flush flush)
{
	static struct state_disk base;
	struct state_walk walk = {
		.trace = &trace, .op = take_op, .state = one_state,
	};
	u32 i;

	clear_dir();
	memset(&work, 0, sizeof(work));
	work.dir = dir;
	work.flush = flush;
	ring_reset(when);
	trace_seed(1);
	trace_to(&trace);
	work_create(dir);
	state_load(&base, dir);
	trace_to(&trace);
	trace_know(&trace, PXS_IDENTITY_FILE, 0);
	pxs_assert(!work_open(&work));
	if (when != RING_LAST)
		settle(&work);
	for (i = 0; i < nletters; i++) {
		trace_mark(TRACE_BEGIN, 0, i + 1);
		operations[letters[i]].run(&work);
	}
	trace_to(NULL);
	work_close(&work);
	memset(&now, 0, sizeof(now));
	running = 0;
	state_all(&walk, &base);
	state_free(&base);
	trace_free(&trace);
}

static u32 all_workloads(u32 length, enum ring_when when, enum pxs_flush flush)
{
	u32 i, n = 0, end = 1;

	nletters = length;
	for (i = 0; i < length; i++)
		end *= (u32)OPERATIONS;
	for (n = 0; n < end; n++) {
		u32 rest = n;

		for (i = 0; i < length; i++) {
			letters[i] = rest % (u32)OPERATIONS;
			rest /= (u32)OPERATIONS;
		}
		run_workload(when, flush);
	}
	return end;
}

static u64 show(void)
{
	static const char *const kinds[STATE_KINDS] = { "all written", "dropped", "torn" };
	u64 bad = 0;
	u32 i, k;

	printf("# %-10s %-12s %9s %9s %9s %9s %5s\n", "during", "the unsynced", "states",
	       "distinct", "tail cut", "nested", "bad");
	for (i = 0; i <= OPERATIONS; i++) {
		for (k = 0; k < STATE_KINDS; k++) {
			const struct cell *c = &table[i][k];

			bad += c->bad;
			if (c->states)
				printf("# %-10s %-12s %9llu %9llu %9llu %9llu %5llu\n",
				       i ? operations[i - 1].name : "first open", kinds[k],
				       (unsigned long long)c->states,
				       (unsigned long long)c->distinct,
				       (unsigned long long)c->cut,
				       (unsigned long long)c->nested,
				       (unsigned long long)c->bad);
		}
	}
	return bad;
}

int main(int argc, char **argv)
{
	u32 length, longest = LENGTH_MAX, workloads = 0;
	u64 bad;
	int opt;

	while ((opt = getopt(argc, argv, "l:v")) != -1) {
		if (opt == 'l')
			longest = min((u32)atoi(optarg), (u32)LENGTH_MAX);
		else
			verbose = true;
	}
	snprintf(dir, sizeof(dir), "%s/pxs-crash-%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", getpid());
	pxs_assert(!mkdir(dir, 0700));
	pxs_report_level(PXS_ERR);
	trace_touched = state_touched;
	for (length = 0; length <= longest; length++) {
		workloads += all_workloads(length, RING_AT_ONCE, PXS_FLUSH_FDATASYNC);
		workloads += all_workloads(length, RING_BETWEEN, PXS_FLUSH_FDATASYNC);
		if (length == longest && length > 2)
			break;
		workloads += all_workloads(length, RING_LAST, PXS_FLUSH_FDATASYNC);
		workloads += all_workloads(length, RING_AT_ONCE, PXS_FLUSH_DSYNC);
		workloads += all_workloads(length, RING_BETWEEN, PXS_FLUSH_DSYNC);
	}
	clear_dir();
	rmdir(dir);
	bad = show();
	printf("# %u workloads, %llu distinct states recovered, %.1f s of processor time\n",
	       workloads, (unsigned long long)seen_count, (double)clock() / CLOCKS_PER_SEC);
	printf("%s 1 - every crash state of every workload of up to %u operations\n",
	       bad ? "not ok" : "ok", longest);
	printf("bar: crash-states-bad %llu wanted 0 %s\n", (unsigned long long)bad,
	       bad ? "missed" : "met");
	return bad != 0;
}
