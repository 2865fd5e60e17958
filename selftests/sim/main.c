// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - many schedules, one seed each
 *
 *	sim [-n SCHEDULES] [-s FIRST_SEED] [-k] [-q] [-x FAULTS]
 *
 * -k goes on after a failure, -q shows no trace, -x leaves fault classes out (bitmap of
 * enum sim_fault). A failed seed is run again with its trace. Exit 0: all passed; 1: a violation;
 * 2: wrong arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "sim.h"

static const char *const fault_name[F_MAX] = {
	[F_LOSS] = "loss", [F_DUP] = "duplicate", [F_LATE] = "late", [F_FLIP] = "bit flip",
	[F_CUT] = "link cut", [F_PART] = "partition", [F_AGENT] = "agent death",
	[F_NODE] = "power loss", [F_TEAR] = "torn tail", [F_FLUSHED] = "power loss after a flush",
	[F_SENT] = "power loss after an answer", [F_PAUSE] = "node paused",
	[F_STOP] = "agent stopped", [F_DISK] = "slow flush", [F_FAIL] = "failed flush",
	[F_ROT] = "rotten value", [F_REPLY] = "lost reply", [F_DROP] = "lost event",
	[F_BIG] = "large values", [F_BUSY] = "full window", [F_LAG] = "late event",
	[F_ASYNC] = "slow command",
};

static bool quiet;

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void add(struct sim_stat *sum, const struct sim_stat *one)
{
	u32 i;

	sum->events += one->events;
	sum->faults += one->faults;
	sum->datagrams += one->datagrams;
	sum->decided += one->decided;
	sum->elections += one->elections;
	sum->acked += one->acked;
	for (i = 0; i < F_MAX; i++)
		sum->by_fault[i] += one->by_fault[i];
}

static void progress(u64 done, u64 failed, const struct sim_stat *st, double sec)
{
	fprintf(stderr, "# %llu schedules, %llu failed, %.0f schedules/s, %.2f M events/s, %.0f faults/s\n",
		(unsigned long long)done, (unsigned long long)failed, (double)done / sec,
		(double)st->events / sec / 1e6, (double)st->faults / sec);
}

static void report(struct sim *s)
{
	u64 seed = s->seed;
	u32 i;

	printf("FAILED seed %llu: %s\n", (unsigned long long)seed, s->why);
	if (quiet)
		return;
	sim_run(s, seed, true);
	sim_trace_dump();
	fprintf(stderr, "# seed %llu: %u members, window %u, heartbeat %u, election %u, faults:",
		(unsigned long long)seed, s->p.n, s->p.window, s->p.heartbeat, s->p.election);
	for (i = 0; i < F_MAX; i++)
		if (s->p.faults >> i & 1)
			fprintf(stderr, " %s,", fault_name[i]);
	fprintf(stderr, "\n# again: make -C selftests/sim run N=1 SEED=%llu\n",
		(unsigned long long)seed);
	if (!s->failed)
		printf("NOT REPRODUCED seed %llu\n", (unsigned long long)seed);
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

int main(int argc, char **argv)
{
	u64 schedules = 1000, first = 1, failed = 0, i;
	static struct sim sim;
	struct sim_stat sum = { 0 };
	double start = seconds(), last = start;
	bool go_on = false;
	int opt;

	while ((opt = getopt(argc, argv, "n:s:kx:q")) != -1) {
		if (opt == 'n')
			schedules = number(optarg);
		else if (opt == 's')
			first = number(optarg);
		else if (opt == 'q')
			quiet = true;
		else if (opt == 'k')
			go_on = true;
		else if (opt == 'x')
			sim_exclude = (u32)number(optarg);
		else
			return 2;
	}
	for (i = 0; i < schedules && (!failed || go_on); i++) {
		sim_run(&sim, first + i, false);
		add(&sum, &sim.stat);
		if (sim.failed) {
			failed++;
			report(&sim);
		}
		if (seconds() - last > 5) {
			last = seconds();
			progress(i + 1, failed, &sum, last - start);
		}
	}
	progress(i, failed, &sum, seconds() - start);
	fprintf(stderr, "# %llu events, %llu datagrams, %llu elections won, %llu slots chosen, %llu values acknowledged\n",
		(unsigned long long)sum.events, (unsigned long long)sum.datagrams,
		(unsigned long long)sum.elections, (unsigned long long)sum.decided,
		(unsigned long long)sum.acked);
	for (opt = 0; opt < F_MAX; opt++)
		if (sum.by_fault[opt])
			fprintf(stderr, "# %12llu %s\n", (unsigned long long)sum.by_fault[opt],
				fault_name[opt]);
	sim_check_free(sim.check);
	sim_free(&sim);
	printf("%llu passed, %llu failed\n", (unsigned long long)(i - failed),
	       (unsigned long long)failed);
	return failed > 0;
}
