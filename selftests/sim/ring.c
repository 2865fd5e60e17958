// SPDX-License-Identifier: GPL-2.0
/*
 * ring.c - what stands in for io_uring and the helper thread (agent/loop.h, worker.h)
 *
 * The daemon fills entries as ever; after each of its rounds they become operations in flight,
 * which end as events of the schedule: a write when it reaches the page cache, a flush when the
 * disk has moved. What is linked begins when what is before it has succeeded. A job of the
 * helper thread runs as a whole, at the moment at which it ends.
 */
#include <stdarg.h>
#include <stdio.h>

#include "report.h"
#include "sim.h"

#define ENTRIES	SIM_IOS

struct sim *world;
struct sim_node *here;

static struct io_uring_sqe entry[ENTRIES];	/* prepared in this round */
static u32 entries;
static char last_error[512];

void sim_enter(struct sim *s, struct sim_node *n)
{
	world = s;
	here = n;
	if (n->agent.node)
		n->agent.node->loop.now = sim_clock(s, n);
}

const char *sim_last_error(void)
{
	return last_error;
}

void pxs_report(enum pxs_level level, const char *fmt, ...)
{
	va_list ap;

	if (level > PXS_ERR && !world->trace)
		return;
	va_start(ap, fmt);
	vsnprintf(last_error, sizeof(last_error), fmt, ap);
	va_end(ap);
	TRACE(world, "node %u: agent says: %s", sim_index(world, here), last_error);
}

/* --- agent/loop.h ---------------------------------------------------------------------- */

void pxs_loop_reserve(struct pxs_loop *l, unsigned int n)
{
	(void)l;
	if (entries + n > ENTRIES)
		sim_fail(world, "node %u: too many operations at once", sim_index(world, here));
}

struct io_uring_sqe *pxs_loop_sqe(struct pxs_loop *l)
{
	struct io_uring_sqe *sqe = &entry[entries++ % ENTRIES];

	(void)l;
	memset(sqe, 0, sizeof(*sqe));
	return sqe;
}

void pxs_loop_own(struct io_uring_sqe *sqe, struct pxs_op *op)
{
	io_uring_sqe_set_data(sqe, op);
}

void pxs_loop_exit(struct pxs_loop *l)
{
	(void)l;
}

void sim_ring_hooks(struct pxs_loop *l)
{
	u32 rounds = 0;
	bool again;

	do {
		again = pxs_loop_run_hooks(l);
		if (++rounds > 10000)
			sim_fail(world, "node %u: the agent does not come to rest",
				 sim_index(world, here));
	} while (again && !world->failed);
}

/* --- operations in flight --------------------------------------------------------------- */

/* How long the disk takes. */
static u64 disk_ms(const struct sim_io *io)
{
	bool flush = io->opcode == IORING_OP_FSYNC || io->dsync;
	u64 ms = flush ? 1 + sim_below(world, world->p.disk_ms) : sim_below(world, 2);

	if (sim_chance(world, F_DISK, 16))
		ms += sim_fault_below(world, F_DISK, 3 * world->p.election);
	if (!flush)
		return ms;
	if (here->disk.stall > world->now)
		ms += here->disk.stall - world->now;
	return ms;
}

static void start(struct sim *s, struct sim_node *n, u32 i)
{
	struct sim_event *e;

	e = sim_post(s, s->now + disk_ms(&n->agent.io[i]), E_IO, (u8)sim_index(s, n),
		     n->agent.life);
	e->a = i;
}

static u32 free_io(struct sim *s, struct sim_node *n)
{
	u32 i;

	for (i = 0; i < SIM_IOS && n->agent.io[i].used; i++)
		;
	if (i < SIM_IOS)
		return i;
	sim_fail(s, "node %u: too many operations in flight", sim_index(s, n));
	return 0;
}

void sim_ring_submit(struct sim *s, struct sim_node *n)
{
	u32 k, i, before = 0;
	bool linked = false;

	for (k = 0; k < entries; k++) {
		const struct io_uring_sqe *e = &entry[k];
		struct sim_io *io;

		i = free_io(s, n);
		io = &n->agent.io[i];
		*io = (struct sim_io){
			.used = true, .opcode = e->opcode, .fd = e->fd,
			.buf = (void *)(uintptr_t)e->addr, .len = e->len, .offset = e->off,
			.op = (struct pxs_op *)(uintptr_t)e->user_data,
			.dsync = e->opcode == IORING_OP_WRITE && e->rw_flags & RWF_DSYNC,
		};
		if (linked && sim_chance(s, F_SPLIT, 16)) {
			n->agent.node->loop.cut++;
			linked = false;
		}
		if (linked)
			n->agent.io[before].linked = i + 1;
		else
			start(s, n, i);
		linked = e->flags & IOSQE_IO_LINK;
		before = i;
	}
	entries = 0;
}

static int io_read(struct sim_file *f, const struct sim_io *io)
{
	u32 n;

	if (io->offset >= f->size)
		return 0;
	n = min(io->len, f->size - (u32)io->offset);
	memcpy(io->buf, f->cache + io->offset, n);
	return (int)n;
}

static int io_flush(struct sim *s, struct sim_node *n, struct sim_file *f)
{
	if (sim_chance(s, F_FAIL, 64)) {
		sim_disk_flush_fails(s, f);
		n->disk.broken = true;
		return -EIO;
	}
	sim_disk_flush(f);
	sim_watch(s, n);
	return 0;
}

static int io_write(struct sim *s, struct sim_node *n, struct sim_file *f, const struct sim_io *io)
{
	u32 len = io->len;
	int ret;

	if (sim_chance(s, F_WRITE, 128)) {
		len = (u32)sim_fault_below(s, F_WRITE, len);
		sim_disk_write(f, io->offset, io->buf, len);
		n->disk.broken = true;
		return sim_fault_below(s, F_WRITE, 2) ? -EIO : (int)len;
	}
	sim_disk_write(f, io->offset, io->buf, len);
	ret = io->dsync ? io_flush(s, n, f) : 0;
	return ret ? ret : (int)len;
}

static int perform(struct sim *s, struct sim_node *n, const struct sim_io *io)
{
	struct sim_file *f = sim_fd_file(io->fd);

	if (!f) {
		sim_fail(s, "node %u: operation on a closed descriptor", sim_index(s, n));
		return -EBADF;
	}
	if (io->opcode == IORING_OP_READ)
		return io_read(f, io);
	if (io->opcode == IORING_OP_FSYNC)
		return io_flush(s, n, f);
	return io_write(s, n, f, io);
}

void sim_ring_done(struct sim *s, struct sim_node *n, struct sim_event *e)
{
	struct sim_io io = n->agent.io[e->a];
	int ret = perform(s, n, &io);

	TRACE(s, "node %u: %s of %u bytes at %llu: %d", sim_index(s, n),
	      io.opcode == IORING_OP_READ ? "read" : io.opcode == IORING_OP_FSYNC ? "flush" :
	      "write", io.len, U(io.offset), ret);
	n->agent.io[e->a].used = false;
	io.op->done(io.op, ret);
	if (!io.linked)
		return;
	if (ret >= 0 && (u32)ret == io.len) {
		start(s, n, io.linked - 1);
		return;
	}
	io.op = n->agent.io[io.linked - 1].op;
	n->agent.io[io.linked - 1].used = false;
	io.op->done(io.op, -ECANCELED);
}

/* The process was killed; what it had submitted may yet reach the page cache, or in part. */
void sim_ring_killed(struct sim *s, struct sim_node *n)
{
	u32 i;

	for (i = 0; i < SIM_IOS; i++) {
		struct sim_io *io = &n->agent.io[i];
		struct sim_file *f = io->used ? sim_fd_file(io->fd) : NULL;

		io->used = false;
		if (!f || io->opcode != IORING_OP_WRITE || !sim_below(s, 3))
			continue;
		sim_disk_write(f, io->offset, io->buf,
			       sim_below(s, 2) ? io->len : (u32)sim_below(s, io->len + 1));
	}
	entries = 0;
}

/* --- agent/worker.h --------------------------------------------------------------------- */

int pxs_worker_start(struct pxs_worker *w, struct pxs_loop *loop)
{
	memset(w, 0, sizeof(*w));
	w->loop = loop;
	return 0;
}

void pxs_worker_stop(struct pxs_worker *w)
{
	w->stop = true;
}

void pxs_worker_give(struct pxs_worker *w, struct pxs_job *job)
{
	u64 ms = 2 + 3 * sim_below(world, world->p.disk_ms);
	struct sim_event *e;

	(void)w;
	pxs_assert(!job->busy);
	job->busy = true;
	if (here->disk.stall > world->now)
		ms += here->disk.stall - world->now;
	e = sim_post(world, world->now + ms, E_JOB, (u8)sim_index(world, here), here->agent.life);
	e->a = (u64)((u8 *)job - (u8 *)here->agent.node);
}

void sim_ring_job(struct sim *s, struct sim_node *n, struct sim_event *e)
{
	struct pxs_job *job = (struct pxs_job *)((u8 *)n->agent.node + e->a);

	(void)s;
	job->res = job->run(job);
	job->busy = false;
	job->done(job, job->res);
}
