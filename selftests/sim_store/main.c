// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - many schedules, one seed each
 *
 *	sim_store [-n SCHEDULES] [-s FIRST_SEED] [-k] [-q] [-d]
 *
 * -k goes on after a failure, -q shows no trace, -d prints a digest of each run, which is made
 * twice. A seed that fails is run again with its trace. Exit 0: all passed; 1: a violation; 2:
 * wrong arguments.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim_store.h"

#define PROGRESS_SEC	5

static struct {
	u64 schedules, first;
	bool go_on, quiet, twice;
} opt = { .schedules = 200, .first = 1 };

static char dir[200];
const char *ss_dir = dir;
static u64 *at_seed;		/* seen by both processes */
static struct ss_stat sum;
static u64 runs, bad;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(const struct ss_stat *one)
{
	struct ss_stat most = {
		.orphan_ms = max(sum.orphan_ms, one->orphan_ms),
		.converge_ms = max(sum.converge_ms, one->converge_ms),
		.marks_ms = max(sum.marks_ms, one->marks_ms),
	};
	const u64 *from = (const u64 *)one;
	u64 *to = (u64 *)&sum;
	u32 i;

	for (i = 0; i < sizeof(sum) / sizeof(*to); i++)
		to[i] += from[i];
	sum.orphan_ms = most.orphan_ms;
	sum.converge_ms = most.converge_ms;
	sum.marks_ms = most.marks_ms;
}

static void progress(double sec)
{
	fprintf(stderr, "# %llu schedules, %llu failed, %.1f schedules/s, %.0f slots/s\n", U(runs),
		U(bad), (double)runs / sec, (double)sum.slots / sec);
}

static void run(u64 seed, bool tracing)
{
	*at_seed = seed;
	mkdir(dir, 0700);
	ss_trace_clear();
	ss_run(seed, tracing);
}

static void report(u64 seed)
{
	bad++;
	printf("FAILED seed %llu: %s\n", U(seed), sim.why);
	fflush(stdout);
	if (opt.quiet)
		return;
	run(seed, true);
	ss_trace_dump();
	printf("AGAIN make -C selftests/sim_store run N=1 SEED=%llu\n", U(seed));
	if (!sim.failed)
		printf("NOT REPRODUCED seed %llu\n", U(seed));
}

/* The same seed must be the same run. */
static void again(u64 seed)
{
	u64 digest = sim.digest;

	run(seed, true);
	printf("digest %llu %016llx\n", U(seed), U(digest));
	if (digest == sim.digest)
		return;
	printf("FAILED seed %llu: runs differ\n", U(seed));
	bad++;
}

static u64 number(const char *arg)
{
	char *end;
	u64 n = strtoull(arg, &end, 0);

	if (*end || !*arg) {
		fprintf(stderr, "sim_store: %s is not a number\n", arg);
		exit(2);
	}
	return n;
}

static bool arguments(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "n:s:kqd")) != -1) {
		if (c == 'n')
			opt.schedules = number(optarg);
		else if (c == 's')
			opt.first = number(optarg);
		else if (c == 'k')
			opt.go_on = true;
		else if (c == 'q')
			opt.quiet = true;
		else if (c == 'd')
			opt.twice = true;
		else
			return false;
	}
	return optind == argc;
}

static void summary(double sec)
{
	progress(sec);
	fprintf(stderr, "# %llu crashes (%llu of a machine), %llu cut off, %llu asleep, %llu behind with a log, %llu clocks set, %llu leaders changed, %llu slots, %llu states compared\n",
		U(sum.crashes), U(sum.power), U(sum.cuts), U(sum.sleeps), U(sum.deaf), U(sum.jumps),
		U(sum.leaders), U(sum.slots), U(sum.commits));
	fprintf(stderr, "# %llu questions: %llu done, %llu refused, %llu not known; %llu connections lost, %llu numbers asked again, %llu commits applied by coordinators' members, %llu aborts, %llu sagas done, %llu undone\n",
		U(sum.ops), U(sum.done), U(sum.not_done), U(sum.unknown), U(sum.lost),
		U(sum.again), U(sum.committed), U(sum.aborted), U(sum.sagas), U(sum.undone));
	fprintf(stderr, "# of transactions that keys were watched for %llu done, %llu changed; of MSETNX %llu done, %llu found a key; of what moves %llu done, %llu not\n",
		U(sum.watched), U(sum.changed), U(sum.taken), U(sum.there), U(sum.moved),
		U(sum.unmoved));
	fprintf(stderr, "# %llu writes of eventual keys, %llu reads, %llu tables lost, %llu members replaced, %llu last words, %llu elements told, %llu marks gone\n",
		U(sum.evwrites), U(sum.evreads), U(sum.tables), U(sum.removed), U(sum.parted),
		U(sum.pulled), U(sum.swept));
	printf("bar: sim-store-schedules %llu wanted %llu %s\n", U(runs), U(opt.schedules),
	       runs >= opt.schedules ? "met" : "missed");
	printf("bar: sim-store-violations %llu wanted 0 %s\n", U(bad), bad ? "missed" : "met");
	printf("bar: sim-store-orphan-ms %llu wanted %u %s\n", U(sum.orphan_ms), SS_ORPHAN_MS,
	       sum.orphan_ms <= SS_ORPHAN_MS ? "met" : "missed");
	printf("bar: sim-store-converge-ms %llu wanted %u %s\n", U(sum.converge_ms),
	       SS_CONVERGE_MS, sum.converge_ms <= SS_CONVERGE_MS ? "met" : "missed");
	printf("bar: sim-store-marks-ms %llu wanted %u %s\n", U(sum.marks_ms), SS_MARKS_MS,
	       sum.marks_ms <= SS_MARKS_MS ? "met" : "missed");
	printf("%llu passed, %llu failed\n", U(runs - bad), U(bad));
}

static bool make_dir(void)
{
	const char *base = getenv("TMPDIR");

	if (!access("/dev/shm", W_OK))
		base = "/dev/shm";
	snprintf(dir, sizeof(dir), "%s/pxs-sim-store-XXXXXX", base ? base : "/tmp");
	return mkdtemp(dir);
}

/* Return: the exit status. */
static int run_all(void)
{
	double start = seconds(), last = start;
	u64 i;

	mallopt(M_MMAP_THRESHOLD, 64 << 20);
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	for (i = 0; i < opt.schedules && (opt.go_on || !bad); i++) {
		run(opt.first + i, false);
		runs++;
		add(&sim.stat);
		if (sim.failed)
			report(opt.first + i);
		else if (opt.twice)
			again(opt.first + i);
		if (seconds() - last > PROGRESS_SEC) {
			last = seconds();
			progress(last - start);
		}
	}
	summary(seconds() - start);
	return bad > 0;
}

int main(int argc, char **argv)
{
	int status = 1;
	pid_t pid;

	if (!arguments(argc, argv)) {
		fprintf(stderr, "sim_store: wrong arguments: its source says which there are\n");
		return 2;
	}
	at_seed = mmap(NULL, sizeof(*at_seed), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at_seed == MAP_FAILED || !make_dir()) {
		perror(dir);
		return 2;
	}
	/* A failed assertion ends the other process, and its files are to go nevertheless. */
	pid = fork();
	if (!pid)
		return run_all();
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		perror("fork");
	ss_remove(dir);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("FAILED seed %llu: ended by signal %d\n", U(*at_seed), WTERMSIG(status));
	return 1;
}
