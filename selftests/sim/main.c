// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - many schedules, one seed each
 *
 *	sim [-n SCHEDULES] [-s FIRST_SEED] [-j PROCESSES] [-k] [-q] [-x FAULTS] [-r LESS] [-d]
 *
 * -k goes on after a failure, -q shows no trace, -x leaves fault classes out (bitmap of
 * enum sim_fault), -r runs a seed with what shrinking has left of it, -d prints a digest of each
 * run, which is made twice. A failed seed is made smaller and run again with its trace. Exit 0:
 * all passed; 1: a violation; 2: wrong arguments.
 */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim.h"

#define PROCESSES	64
#define SHRINK_RUNS	3000
#define PROGRESS_SEC	5

/* What one process has done; all of them share this. */
struct tally {
	struct sim_stat stat;
	u64 done;
	u64 failed;
	pid_t pid;
};

static struct {
	u64 schedules, first, processes;
	bool go_on, quiet, twice;
	struct sim_less less;
} opt = { .schedules = 1000, .first = 1, .processes = 1 };

static struct tally *tally;
static struct sim sim;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct sim_stat *sum, const struct sim_stat *one)
{
	u64 *to = (u64 *)sum;
	const u64 *from = (const u64 *)one;
	u32 i;

	for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static struct tally total(void)
{
	struct tally t = { 0 };
	u64 i;

	for (i = 0; i < opt.processes; i++) {
		add(&t.stat, &tally[i].stat);
		t.done += tally[i].done;
		t.failed += tally[i].failed;
	}
	return t;
}

static void progress(double sec)
{
	struct tally t = total();

	fprintf(stderr, "# %llu schedules, %llu failed, %.0f schedules/s, %.2f M events/s, %.0f faults/s\n",
		U(t.done), U(t.failed), (double)t.done / sec, (double)t.stat.events / sec / 1e6,
		(double)t.stat.faults / sec);
}

static void print_params(void)
{
	const struct sim_param *p = &sim.p;
	u32 g, i;

	fprintf(stderr, "# %u nodes, %u groups, window %u, heartbeat %u, election %u, lease-drift %u, faults end at %llu:",
		p->n, p->groups, p->window, p->heartbeat, p->election, p->drift, U(p->heal));
	for (i = 0; i < F_MAX; i++)
		if (p->faults >> i & 1)
			fprintf(stderr, " %s,", sim_fault_name(i));
	for (g = 0; g < p->groups; g++) {
		fprintf(stderr, "\n# group %u%s, quorums %u and %u (0: majorities), on nodes", g,
			p->memory >> g & 1 ? " (memory)" : "", sim.group[g].phase1,
			sim.group[g].phase2);
		for (i = 0; i < sim.group[g].n; i++)
			fprintf(stderr, " %u", sim.group[g].node[i]);
	}
	fprintf(stderr, "\n");
}

static void report(u64 seed)
{
	struct sim_less less = opt.less;
	u64 events = sim.stat.events;
	char text[256];

	printf("FAILED seed %llu: %s\n", U(seed), sim.why);
	fflush(stdout);
	if (opt.quiet)
		return;
	sim_shrink(&sim, seed, &less, SHRINK_RUNS);
	sim_run(&sim, seed, &less, true);
	sim_trace_dump();
	print_params();
	sim_less_print(&less, text, sizeof(text));
	printf("SHRUNK from %llu events to %llu, %u strikes: %s\n", U(events),
	       U(sim.stat.events), sim.strikes, sim.why);
	printf("AGAIN make sim N=1 SEED=%llu LESS=%s\n", U(seed), text);
	if (!sim.failed)
		printf("NOT REPRODUCED seed %llu\n", U(seed));
	fflush(stdout);
}

/* The same seed must be the same run. */
static void again(struct tally *t, u64 seed)
{
	u64 digest = sim.digest;

	sim_run(&sim, seed, &opt.less, true);
	printf("digest %llu %016llx\n", U(seed), U(digest));
	if (digest == sim.digest)
		return;
	printf("FAILED seed %llu: runs differ\n", U(seed));
	t->failed++;
}

static void run_some(u64 me)
{
	struct tally *t = &tally[me];
	double start = seconds(), last = start;
	struct sim_check *check;
	u64 i;

	for (i = me; i < opt.schedules && (opt.go_on || !total().failed); i += opt.processes) {
		sim_run(&sim, opt.first + i, &opt.less, false);
		t->done++;
		add(&t->stat, &sim.stat);
		if (sim.failed) {
			t->failed++;
			report(opt.first + i);
		} else if (opt.twice) {
			again(t, opt.first + i);
		}
		if (opt.processes == 1 && seconds() - last > PROGRESS_SEC) {
			last = seconds();
			progress(last - start);
		}
	}
	check = sim.check;
	sim_free(&sim);
	sim_check_free(check);
}

static bool reap(u64 *left)
{
	int status;
	bool ok = true;

	while (*left && waitpid(-1, &status, WNOHANG) > 0) {
		--*left;
		ok &= WIFEXITED(status) && !WEXITSTATUS(status);
	}
	return ok;
}

/* Return: whether every process came to its end. */
static bool run_processes(void)
{
	struct timespec wait = { .tv_sec = PROGRESS_SEC };
	double start = seconds();
	u64 i, left = opt.processes;
	sigset_t child;
	bool ok = true;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	for (i = 0; i < opt.processes; i++) {
		tally[i].pid = fork();
		if (tally[i].pid < 0) {
			perror("fork");
			exit(2);
		}
		if (!tally[i].pid) {
			run_some(i);
			exit(0);
		}
	}
	while (left) {
		if (sigtimedwait(&child, NULL, &wait) < 0)
			progress(seconds() - start);
		ok &= reap(&left);
	}
	return ok;
}

static u64 number(const char *arg)
{
	char *end;
	u64 n = strtoull(arg, &end, 0);

	if (*end || !*arg) {
		fprintf(stderr, "sim: %s is not a number\n", arg);
		exit(2);
	}
	return n;
}

static bool arguments(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:j:kqx:r:d")) != -1) {
		if (c == 'n')
			opt.schedules = number(optarg);
		else if (c == 's')
			opt.first = number(optarg);
		else if (c == 'j')
			opt.processes = number(optarg);
		else if (c == 'k')
			opt.go_on = true;
		else if (c == 'q')
			opt.quiet = true;
		else if (c == 'x')
			sim_exclude = number(optarg);
		else if (c == 'd')
			opt.twice = true;
		else if (c != 'r' || !sim_less_parse(optarg, &opt.less))
			return false;
	}
	return opt.processes && opt.processes <= PROCESSES;
}

static double cpu_seconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void summary(const struct tally *t, double sec)
{
	double cpu = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN) + 0.001;
	u32 f;

	progress(sec);
	fprintf(stderr, "# %.0f schedules per second of processor time\n", (double)t->done / cpu);
	fprintf(stderr, "# %llu events, %llu datagrams, %llu elections won, %llu leaders changed by wish, %llu slots chosen, %llu values acknowledged, %llu reads answered, %llu by a lease, %llu refused, %llu journals refused, %llu members forgot, %llu checkpoints borrowed, %llu configurations, %llu with other quorums, %llu stuck leaders replaced\n",
		U(t->stat.events), U(t->stat.datagrams), U(t->stat.elections), U(t->stat.handed),
		U(t->stat.decided), U(t->stat.acked), U(t->stat.reads), U(t->stat.leased),
		U(t->stat.refused), U(t->stat.lost), U(t->stat.forgot), U(t->stat.borrowed),
		U(t->stat.changed), U(t->stat.resized), U(t->stat.replaced));
	for (f = 0; f < F_MAX; f++)
		if (t->stat.by_fault[f])
			fprintf(stderr, "# %12llu %s\n", U(t->stat.by_fault[f]), sim_fault_name(f));
	printf("bar: sim-schedules %llu wanted %llu %s\n", U(t->done), U(opt.schedules),
	       t->done >= opt.schedules ? "met" : "missed");
	printf("bar: sim-violations %llu wanted 0 %s\n", U(t->failed), t->failed ? "missed" : "met");
	printf("%llu passed, %llu failed\n", U(t->done - t->failed), U(t->failed));
}

int main(int argc, char **argv)
{
	double start = seconds();
	bool ended = true;
	struct tally t;

	if (!arguments(argc, argv)) {
		fprintf(stderr, "sim: wrong arguments: its source says which there are\n");
		return 2;
	}
	/* Agents come and go with megabytes of buffers: keep them. */
	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	tally = mmap(NULL, PROCESSES * sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	if (opt.processes == 1)
		run_some(0);
	else
		ended = run_processes();
	t = total();
	t.failed += !ended;
	summary(&t, seconds() - start);
	return t.failed > 0;
}
