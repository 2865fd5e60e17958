// SPDX-License-Identifier: GPL-2.0
/*
 * test_ending.c - the daemon ends in order (agent/ending.c), and how long that may take
 *
 * A whole node with its datapath in the process, but for the client port: one of three members
 * of a memory group, whose peers are not there.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "unit_node.h"

/* --- rounds of the loop ------------------------------------------------------ */

struct busy {
	struct pxs_op op;
	struct pxs_loop *loop;
	unsigned int rounds, enough;
};

/* Done at once, over and over: rounds come much faster than ticks. */
static void busy_again(struct pxs_op *op, int res)
{
	struct busy *b = (struct busy *)((char *)op - offsetof(struct busy, op));
	struct io_uring_sqe *sqe = pxs_loop_sqe(b->loop);

	(void)res;
	io_uring_prep_nop(sqe);
	pxs_loop_own(sqe, &b->op);
}

static bool busy_enough(void *ctx)
{
	struct busy *b = ctx;

	return ++b->rounds > b->enough;
}

static void a_busy_loop_is_bound_by_time(void)
{
	struct busy b = { .op.done = busy_again, .loop = &loop, .enough = 20000 };
	u64 begun;

	CHECK_EQ(pxs_loop_init(&loop), 0);
	busy_again(&b.op, 0);
	CHECK_EQ(pxs_loop_until(&loop, busy_enough, &b, 600000), 0);
	CHECK_EQ(b.rounds, 20001);
	b.enough = ~0u;
	begun = pxs_clock_ms();
	CHECK(pxs_loop_until(&loop, busy_enough, &b, 50) == -ETIME);
	CHECK(pxs_clock_ms() - begun >= 50);
	pxs_loop_exit(&loop);
}

/* --- a node ------------------------------------------------------------------ */

/* What a node is opened with. */
static bool node_make(void)
{
	return node_new_dir("ending") && node_configure("memory", 1);
}

static bool node_open(void)
{
	return node_make() && !pxs_loop_init(&node.loop) && !pxs_node_open(&node, true);
}

static void node_remove(void)
{
	pxs_config_free(&node.config);
	node_remove_dir();
}

static void node_close(void)
{
	pxs_node_close(&node);
	node_remove();
}

static bool says_memory(void *ctx)
{
	(void)ctx;
	return node.replica[0].memory && node.replica[0].memory_lsn <= node.journal.durable;
}

/* The datapath at the end: room for its word comes late, and other records all the while. */
static unsigned int no_room;
static bool word_due;

static int settle_late(struct pxs_datapath *dp)
{
	(void)dp;
	if (no_room) {
		no_room--;
		return -EAGAIN;
	}
	word_due = true;
	return 0;
}

static bool ended_under_load(void *ctx)
{
	static u8 buf[PXS_APPEND_MAX];
	struct pxs_record word = {
		.group = 1, .lsn = node.journal.next_lsn, .slot = PXS_DURABILITY_DISK,
		.type = PXS_RECORD_DURABILITY,
	};
	u32 size = word_due ? pxs_record_put(buf, &word, NULL) : make(buf, word.lsn, 1000);

	node.dp_events.append(&node, word.lsn, 1, buf, size, false);
	word_due = false;
	return pxs_node_ended(ctx);
}

static bool ended(void *ctx)
{
	return pxs_node_ended(ctx);
}

static void the_last_word_is_disk_under_load(void)
{
	struct pxs_datapath_ops ops;
	u64 next;

	CHECK_FATAL(node_open());
	CHECK_EQ(pxs_loop_until(&node.loop, says_memory, NULL, 30000), 0);
	ops = *node.dp->ops;
	ops.settle = settle_late;
	node.dp->ops = &ops;
	no_room = 100;
	pxs_node_end(&node);
	CHECK_EQ(pxs_loop_until(&node.loop, ended_under_load, &node, 30000), 0);
	CHECK(!node.replica[0].memory);
	CHECK(node.replica[0].memory_lsn <= node.journal.durable);
	/* What comes now is another agent's. */
	next = node.journal.next_lsn;
	CHECK(ended_under_load(&node));
	CHECK_EQ(node.journal.next_lsn, next);
	node_close();
}

static int settle_gone(struct pxs_datapath *dp)
{
	(void)dp;
	return -ENOENT;
}

/* The module was unloaded: nobody will say the word. */
static void nothing_is_waited_for_without_a_datapath(void)
{
	struct pxs_datapath_ops ops;

	CHECK_FATAL(node_open());
	CHECK_EQ(pxs_loop_until(&node.loop, says_memory, NULL, 30000), 0);
	ops = *node.dp->ops;
	ops.settle = settle_gone;
	node.dp->ops = &ops;
	pxs_node_end(&node);
	CHECK_EQ(pxs_loop_until(&node.loop, ended, &node, 30000), 0);
	node_close();
}

/* Records that the journal can't take for what it lacks: the word can't come either. */
static void nothing_is_waited_for_once_records_are_missing(void)
{
	static u8 buf[PXS_APPEND_MAX];
	u64 lsn;
	u32 size;

	CHECK_FATAL(node_open());
	CHECK_EQ(pxs_loop_until(&node.loop, says_memory, NULL, 30000), 0);
	lsn = node.journal.next_lsn;
	size = make(buf, lsn + 1, 1000);
	node.dp_events.append(&node, lsn + 1, 1, buf, size, false);
	pxs_node_end(&node);
	CHECK_EQ(pxs_loop_until(&node.loop, ended, &node, 30000), 0);
	size = make(buf, lsn, 1000);
	node.dp_events.append(&node, lsn, 1, buf, size, false);
	CHECK_EQ(node.journal.next_lsn, lsn);
	node_close();
}

/* Signals are blocked, as in the daemon, whose loop would read them. */
static pid_t open_in_child(void)
{
	sigset_t end, before;
	pid_t pid;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, &before);
	pid = fork();
	if (!pid)
		_exit(pxs_loop_init(&node.loop) || pxs_node_open(&node, true));
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void who_waits_for_a_journal_can_be_ended(void)
{
	struct pxs_recovery owner;
	u64 until = pxs_clock_ms() + 30000;
	int status = 0;
	pid_t pid, gone;

	CHECK_FATAL(node_make());
	CHECK_EQ(recover(&owner), 0);
	pid = open_in_child();
	CHECK_FATAL(pid > 0);
	CHECK(!kill(pid, SIGTERM));
	while (!(gone = waitpid(pid, &status, WNOHANG)) && pxs_clock_ms() < until)
		usleep(1000);
	CHECK(gone == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	if (!gone) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	pxs_recovery_close(&owner);
	node_remove();
}

int main(void)
{
	pxs_report_level(0);
	RUN(a_busy_loop_is_bound_by_time);
	RUN(the_last_word_is_disk_under_load);
	RUN(nothing_is_waited_for_without_a_datapath);
	RUN(nothing_is_waited_for_once_records_are_missing);
	RUN(who_waits_for_a_journal_can_be_ended);
	return unit_done();
}
