// SPDX-License-Identifier: GPL-2.0
/*
 * paxload.c - values appended per second and their latency, for bench_paxos.sh
 *
 *	paxload [-o OUTSTANDING] [-s BYTES] [-t MS] log SOCKETS GROUP
 *	paxload [-o OUTSTANDING] [-s BYTES] [-t MS] etcd ADDR:PORT [get]
 *	paxload [-t MS] disk FILE
 *
 * Keeps OUTSTANDING values (1) of BYTES (64) under way, through libpaxsteer or as puts to etcd
 * (with "get": reads of what puts wrote): one loop and one clock for both. "disk" writes a block
 * past the cache and flushes it, again and again: what a value on disk costs at least.
 *
 * First the pipeline fills: until a quarter of MS (1000) is over and as many values have ended as
 * are under way. Then everything that ends is measured, for MS milliseconds and until as many have
 * ended as are under way, but not longer than LIMIT_MS. (Who counted only what begins and
 * ends within the time would leave out the slowest.)
 *
 * Prints "COUNT SECONDS RATE P50 P99 ALL": values measured, in which time, values per second,
 * microseconds, microseconds, and all values that were appended. What was refused, or is of
 * unknown outcome, is told to standard error. Exit status 1: too little was appended to tell.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "grpc_kv.h"
#include "paxsteer.h"
#include "quantile.h"

#define OUTSTANDING_MAX	4096
#define SAMPLES_MAX	(1 << 22)
#define LIMIT_MS	20000
#define BLOCK		4096
#define BLOCKS		256

struct flight {
	uint64_t since;		/* microseconds; 0: not under way */
};

static struct flight flights[OUTSTANDING_MAX];
static uint32_t samples[SAMPLES_MAX];
static uint32_t nsamples, under_way;
static uint64_t all, refused;
static uint64_t start_us, begin_us, end_us;	/* of all, of measuring; 0: not yet */
static uint32_t outstanding = 1, size = 64, ms = 1000;
static char value[GRPC_VALUE_MAX];
static struct pxs_log *log_;
static struct grpc *grpc;
static bool gets;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Another value has ended: is it time to measure, or to stop? */
static void advance(uint64_t now)
{
	if (!begin_us) {
		if (all >= outstanding && now - start_us >= (uint64_t)ms * 250)
			begin_us = now;
		return;
	}
	if (nsamples >= outstanding && now - begin_us >= (uint64_t)ms * 1000)
		end_us = now;
}

static void ended(struct flight *f, const char *why)
{
	uint64_t now = now_us();

	under_way--;
	if (why) {
		if (!refused++)
			fprintf(stderr, "paxload: %s\n", why);
		f->since = 0;
		return;
	}
	all++;
	if (begin_us && !end_us && nsamples < SAMPLES_MAX)
		samples[nsamples++] = (uint32_t)(now - f->since);
	f->since = 0;
	advance(now);
}

static void log_done(void *ctx, const struct pxs_log_result *r)
{
	ended(ctx, r->error ? r->words : NULL);
}

static void grpc_done(void *ctx, const char *error)
{
	ended(ctx, error);
}

static void send_one(struct flight *f)
{
	char key[16];
	int error;

	memcpy(value, &all, sizeof(all) < size ? sizeof(all) : size);
	f->since = now_us();
	under_way++;
	if (!log_) {
		snprintf(key, sizeof(key), "k%u", (unsigned int)(f - flights));
		if (gets)
			grpc_get(grpc, key, grpc_done, f);
		else
			grpc_put(grpc, key, value, size, grpc_done, f);
		return;
	}
	error = pxs_log_propose(log_, value, size, NULL, 0, log_done, f);
	if (error)
		ended(f, pxs_log_strerror(error));
}

static bool over(void)
{
	return end_us || now_us() - start_us >= (uint64_t)(LIMIT_MS + ms) * 1000;
}

static void load(void)
{
	uint64_t patience;
	uint32_t i;

	start_us = now_us();
	while (!over()) {
		for (i = 0; i < outstanding; i++)
			if (!flights[i].since)
				send_one(&flights[i]);
		if (log_)
			pxs_log_wait(log_, 100);
		else
			grpc_wait(grpc, 100);
	}
	/* The counters that are read next are to have seen all of it. */
	for (patience = now_us() + LIMIT_MS * 1000; under_way && now_us() < patience;) {
		if (log_)
			pxs_log_wait(log_, 100);
		else
			grpc_wait(grpc, 100);
	}
}

static void disk(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0600);
	struct flight *f = flights;
	uint32_t n, times = 0;
	void *block = NULL;

	if (fd < 0 || posix_memalign(&block, BLOCK, BLOCK)) {
		perror(path);
		exit(1);
	}
	memset(block, 'x', BLOCK);
	/* As a journal's: written once before it is measured. */
	for (n = 0; n < BLOCKS && pwrite(fd, block, BLOCK, (off_t)n * BLOCK) == BLOCK; n++)
		;
	if (n < BLOCKS || fsync(fd)) {
		perror(path);
		exit(1);
	}
	start_us = now_us();
	while (!over()) {
		f->since = now_us();
		under_way++;
		if (pwrite(fd, block, BLOCK, (off_t)(times++ % BLOCKS) * BLOCK) != BLOCK ||
		    fdatasync(fd)) {
			perror(path);
			exit(1);
		}
		ended(f, NULL);
	}
	close(fd);
	free(block);
}

static int say(void)
{
	double seconds = end_us ? (double)(end_us - begin_us) / 1e6 : 0;

	if (refused)
		fprintf(stderr, "paxload: %llu refused\n", (unsigned long long)refused);
	if (!end_us) {
		fprintf(stderr, "paxload: no more than %llu in %u ms\n", (unsigned long long)all,
			LIMIT_MS + ms);
		return 1;
	}
	quantile_sort(samples, nsamples);
	printf("%u %.3f %.1f %u %u %llu\n", nsamples, seconds, nsamples / seconds,
	       quantile(samples, nsamples, 50), quantile(samples, nsamples, 99),
	       (unsigned long long)all);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "paxload: its source says which arguments there are\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *what;
	int c, words, rc;

	while ((c = getopt(argc, argv, "o:s:t:")) != -1) {
		if (c == 'o')
			outstanding = (uint32_t)atoi(optarg);
		else if (c == 's')
			size = (uint32_t)atoi(optarg);
		else if (c == 't')
			ms = (uint32_t)atoi(optarg);
		else
			return usage();
	}
	if (!outstanding || outstanding > OUTSTANDING_MAX || !size || size > GRPC_VALUE_MAX ||
	    !ms || ms > 1000000)
		return usage();
	memset(value, 'x', sizeof(value));
	words = argc - optind;
	what = words ? argv[optind] : "";
	if (words == 3 && !strcmp(what, "log")) {
		log_ = pxs_log_open(argv[optind + 1], (unsigned int)atoi(argv[optind + 2]));
		if (!log_ || pxs_log_connect(log_)) {
			fprintf(stderr, "paxload: no leader\n");
			return 1;
		}
		load();
	} else if ((words == 2 || (words == 3 && !strcmp(argv[optind + 2], "get"))) &&
		   !strcmp(what, "etcd")) {
		gets = words == 3;
		grpc = grpc_open(argv[optind + 1]);
		load();
	} else if (words == 2 && !strcmp(what, "disk")) {
		disk(argv[optind + 1]);
	} else {
		return usage();
	}
	rc = say();
	pxs_log_close(log_);
	grpc_close(grpc);
	return rc;
}
