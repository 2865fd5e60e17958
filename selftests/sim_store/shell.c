// SPDX-License-Identifier: GPL-2.0
/*
 * shell.c - what the stores call: loop, helper thread, fetches, clocks
 *
 * In place of loop.c, worker.c, fetch.c and report.c, and of what they ask the system.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "fetch.h"
#include "member.h"
#include "report.h"
#include "sim_store.h"
#include "worker.h"

/* --- clocks and chance --------------------------------------------------------------- */

int __real_clock_gettime(clockid_t id, struct timespec *ts);
int __wrap_clock_gettime(clockid_t id, struct timespec *ts);
ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags);
int __wrap_fsync(int fd);

int __wrap_clock_gettime(clockid_t id, struct timespec *ts)
{
	u64 ms = sim.now;

	if (!sim.at)
		return __real_clock_gettime(id, ts);
	if (id == CLOCK_REALTIME)
		ms += SS_EPOCH_MS + (u64)sim.at->skew;
	ts->tv_sec = (time_t)(ms / 1000);
	ts->tv_nsec = (long)(ms % 1000) * 1000000;
	return 0;
}

ssize_t __wrap_getrandom(void *buf, size_t len, unsigned int flags)
{
	u8 *to = buf;
	size_t i;

	(void)flags;
	for (i = 0; i < len; i++)
		to[i] = (u8)ss_random(256);
	return (ssize_t)len;
}

/* What a power cut leaves is ours to say. */
int __wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

/* --- words ----------------------------------------------------------------------------- */

void pxs_report(enum pxs_level level, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ss_trace("node %u: %s", sim.at ? sim.at->i : 0, text);
	if (level <= PXS_ERR)
		ss_fail("node %u says: %s", sim.at ? sim.at->i : 0, text);
}

/* --- the loop -------------------------------------------------------------------------- */

static struct io_uring_sqe made;

struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *l)
{
	(void)l;
	memset(&made, 0, sizeof(made));
	return &made;
}

static void cancel(struct ss_node *n, const struct pxs_op *op)
{
	u32 i;

	for (i = 0; i < n->nsqes; i++)
		n->sqe[i].cancelled |= n->sqe[i].op == op;
}

void pxs_loop_own(struct io_uring_sqe *sqe, struct pxs_op *op)
{
	struct ss_node *n = sim.at;

	if (sqe->opcode == IORING_OP_ASYNC_CANCEL)
		cancel(n, (void *)(unsigned long)sqe->addr);
	if (!op)
		return;
	pxs_assert(n->nsqes < SS_SQES);
	n->sqe[n->nsqes++] = (struct ss_sqe){
		.op = op, .opcode = sqe->opcode, .to = (u8 *)(unsigned long)sqe->addr,
		.len = sqe->len, .fd = sqe->fd,
	};
}

static struct ss_client *client_of(const struct pxs_op *op)
{
	u32 i;

	for (i = 0; i < SS_CLIENTS; i++)
		if (sim.client[i].conn && (op == &sim.client[i].conn->recv_op ||
					   op == &sim.client[i].conn->send_op))
			return &sim.client[i];
	return NULL;
}

/* Return: it has ended. */
static bool complete(const struct ss_sqe *q)
{
	struct ss_client *c = client_of(q->op);
	u32 len;
	int res;

	if (q->opcode == IORING_OP_NOP) {
		q->op->done(q->op, 0);
	} else if (q->cancelled) {
		q->op->done(q->op, -ECANCELED);
	} else if (!c) {
		if (!ss_wire_op(q, &res))
			return false;
		q->op->done(q->op, res);
	} else if (q->opcode == IORING_OP_SEND) {
		ss_client_got(c, q->to, q->len);
		q->op->done(q->op, (int)q->len);
	} else if (c->out_len) {
		len = 1 + (u32)ss_random(min(q->len, c->out_len));
		memcpy(q->to, c->out, len);
		c->out_len -= len;
		memmove(c->out, c->out + len, c->out_len);
		q->op->done(q->op, (int)len);
	} else {
		return false;
	}
	return true;
}

static void end_sqes(struct ss_node *n)
{
	u32 i, count = n->nsqes, kept = 0;
	struct ss_sqe all[SS_SQES];

	memcpy(all, n->sqe, count * sizeof(*all));
	n->nsqes = 0;
	for (i = 0; i < count; i++)
		if (!complete(&all[i]))
			all[kept++] = all[i];
	pxs_assert(n->nsqes + kept <= SS_SQES);
	memcpy(n->sqe + n->nsqes, all, kept * sizeof(*all));
	n->nsqes += kept;
}

/* Nobody holds on to who was freed. */
void __real_pxs_conn_free(struct pxs_conn *conn);
void __wrap_pxs_conn_free(struct pxs_conn *conn);

void __wrap_pxs_conn_free(struct pxs_conn *conn)
{
	u32 i;

	for (i = 0; i < SS_CLIENTS; i++)
		if (sim.client[i].conn == conn)
			ss_client_lost(&sim.client[i]);
	ss_wires_freed(conn);
	__real_pxs_conn_free(conn);
}

/* --- the helper thread ------------------------------------------------------------------- */

int pxs_worker_start(struct pxs_worker *w, struct pxs_loop *loop)
{
	w->loop = loop;
	return 0;
}

void pxs_worker_stop(struct pxs_worker *w)
{
	(void)w;
	sim.at->njobs = 0;
}

void pxs_worker_give(struct pxs_worker *w, struct pxs_job *job)
{
	(void)w;
	pxs_assert(sim.at->njobs < SS_JOBS && !job->busy);
	job->busy = true;
	sim.at->job[sim.at->njobs++] = job;
}

/* The thread is done with it some time before the loop hears of that. */
static void end_jobs(struct ss_node *n)
{
	struct pxs_job *job;

	while (n->njobs && ss_chance(500)) {
		job = n->job[0];
		if (!n->ran) {
			job->res = job->run(job);
			n->ran = true;
			n->looks = true;
			if (ss_chance(300))
				break;
		}
		n->ran = false;
		n->njobs--;
		memmove(n->job, n->job + 1, n->njobs * sizeof(*n->job));
		job->busy = false;
		job->done(job, job->res);
	}
}

/* --- values of the log -------------------------------------------------------------------- */

void pxs_fetch_init(struct pxs_fetch *f, struct pxs_journal *journal, struct pxs_slots *slots)
{
	*f = (struct pxs_fetch){ .journal = journal, .slots = slots };
}

/* The group whose store it is of. */
static const struct ss_log *log_of(const struct pxs_fetch *f)
{
	const struct pxs_store *s = f->ctx;

	return &sim.log[s->replica->id - 1];
}

/* In one go, or in pieces with rounds between: from the journal. */
static void fetch_on(struct pxs_fetch *f)
{
	const struct ss_log *l = log_of(f);
	struct pxs_fetched v;

	while (f->slot <= f->last) {
		v = (struct pxs_fetched){ .slot = f->slot };
		v.ballot = l->entry[f->slot - 1].ballot;
		v.len = l->entry[f->slot - 1].len;
		v.data = l->entry[f->slot - 1].data;
		v.noop = !v.data;
		if (!f->take(f->ctx, &v))
			break;
		f->slot++;
		if (f->slot <= f->last && ss_chance(sim.pieces)) {
			f->busy = true;
			sim.at->fetch[sim.at->nfetches++] = f;
			return;
		}
	}
	f->busy = false;
	f->done(f->ctx, 0);
}

void pxs_fetch_run(struct pxs_fetch *f, u64 first, u64 last)
{
	f->slot = first;
	f->last = last;
	fetch_on(f);
}

void pxs_fetch_exit(struct pxs_fetch *f)
{
	(void)f;
}

static void end_fetches(struct ss_node *n)
{
	struct pxs_fetch *all[SS_GROUPS];
	u32 i, count = n->nfetches;

	memcpy(all, n->fetch, sizeof(all));
	n->nfetches = 0;
	for (i = 0; i < count; i++)
		fetch_on(all[i]);
}

void ss_shell_round(struct ss_node *n)
{
	end_sqes(n);
	end_jobs(n);
	end_fetches(n);
}

/* --- members do not change here ------------------------------------------------------------- */

bool pxs_member_waits(const struct pxs_replica *r)
{
	(void)r;
	return false;
}

bool pxs_member_hear(struct pxs_replica *r, u64 slot, const u8 *value, u32 len)
{
	(void)r;
	(void)slot;
	(void)value;
	(void)len;
	return false;
}

const struct pxs_member_config *pxs_member_newest(const struct pxs_replica *r)
{
	(void)r;
	return NULL;
}

u32 pxs_member_change(struct pxs_replica *r, enum pxs_member_op op, u8 id,
		      const struct pxs_wire_member *to, bool force, char *words,
		      void (*done)(void *ctx, u32 error, u64 epoch), void *ctx)
{
	(void)r;
	(void)op;
	(void)id;
	(void)to;
	(void)force;
	(void)done;
	(void)ctx;
	*words = 0;
	return PXS_CLIENT_MEMBERS_KEPT;
}

/* --- files ------------------------------------------------------------------------------------ */

void ss_remove(const char *path)
{
	char name[512];
	struct dirent *d;
	DIR *dir = opendir(path);

	while (dir && (d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, d->d_name);
		if (d->d_type == DT_DIR)
			ss_remove(name);
		else
			unlink(name);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}
